/*
 * For tests of dialects: a body and what becomes of it, as one row of a table.
 *
 * Owns:     nothing; everything lives in an arena that ends with the row.
 * Units:    pairs are written "key=value;", severity -1 is "not stated".
 * Fails:    by ending the running cmocka test, naming the row's body.
 * Threads:  the one that runs the test.
 */
#ifndef UNIT_WANTED_H
#define UNIT_WANTED_H

#include "alert/payload.h"
#include "alert/source.h"
#include "base/arena.h"

#include "unit/check.h"

/* A member that is NULL is not looked at. */
struct wanted {
    const char *body;
    const struct source *from;
    const char *refused; /* the field that the error names; then nothing else is looked at */
    const char *name, *description, *resource, *signal, *time, *alert_id, *problem, *query, *logs;
    const char *conditions, *dimensions, *custom, *links, *notes;
    int severity;
    enum alert_state state;
};

static inline void check_pairs(const char *row, const struct pairs *pairs, const char *wanted,
                               struct arena *mem)
{
    struct text text = text_in(mem, (size_t)1024 * 1024);
    for (size_t i = 0; i < pairs->count; i++) {
        text_add(&text, pairs->at[i].key);
        text_add_char(&text, '=');
        text_add(&text, pairs->at[i].value);
        text_add_char(&text, ';');
    }
    if (wanted != NULL)
        CHECK_VIEW(row, text_view(&text), view_of(wanted));
}

static inline void check_wanted_texts(const struct wanted *wanted, const struct alert *alert)
{
    const struct {
        const char *wanted;
        struct view got;
    } texts[] = {
        { wanted->name, alert->name },         { wanted->description, alert->description },
        { wanted->resource, alert->resource }, { wanted->signal, alert->signal_type },
        { wanted->time, alert->fired_time },   { wanted->alert_id, alert->alert_id },
        { wanted->problem, alert->problem },   { wanted->query, alert->query },
        { wanted->logs, alert->logs },
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].wanted != NULL)
            CHECK_VIEW(wanted->body, texts[i].got, view_of(texts[i].wanted));
}

static inline void check_wanted(const struct wanted *wanted)
{
    struct arena mem;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    const char *row = wanted->body;
    arena_init(&mem, (size_t)32 * 1024 * 1024);
    bool is_read = payload_read(view_of(row), &mem, &payload, &why);
    if (wanted->refused != NULL) {
        CHECK(row, !is_read);
        CHECK_VIEW(row, view_of(why.field), view_of(wanted->refused));
        arena_drop(&mem);
        return;
    }
    CHECK(row, is_read && payload.count == 1);
    const struct alert *alert = &payload.alerts[0];
    CHECK(row, wanted->from == NULL || alert->from == wanted->from);
    check_wanted_texts(wanted, alert);
    check_pairs(row, &alert->conditions, wanted->conditions, &mem);
    check_pairs(row, &alert->dimensions, wanted->dimensions, &mem);
    check_pairs(row, &alert->custom, wanted->custom, &mem);
    check_pairs(row, &alert->links, wanted->links, &mem);
    check_pairs(row, &alert->notes, wanted->notes, &mem);
    CHECK(row, alert->has_severity == (wanted->severity >= 0));
    CHECK(row, !alert->has_severity || alert->severity == wanted->severity);
    CHECK(row, alert->state == wanted->state);
    arena_drop(&mem);
}

#endif
