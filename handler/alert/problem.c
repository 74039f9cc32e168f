/* Every part is written with its length before it, so that no two lists of parts look alike. */
#include "alert/problem.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/redact.h"

#include <stdlib.h>

enum { MAX_IDENTITY_FIELDS = MAX_DIMENSIONS + 4, MAX_IDENTITY_BYTES = 256 * 1024 };

/* --- identity ------------------------------------------------------------------------------- */

static void add_part(struct text *to, struct view part)
{
    text_add_number(to, (long long)part.len);
    text_add_char(to, ':');
    text_add_folded(to, part);
}

static struct view tag_of(const char *prefix, const struct text *parts, struct arena *mem)
{
    struct text tag = text_in(mem, 64);
    text_add_string(&tag, prefix);
    digest_add_hex(&tag, text_view(parts));
    return text_view(&tag);
}

static bool add_field(struct identity *out, const char *key, struct view value, struct arena *mem)
{
    return value.len == 0
           || pairs_add(&out->fields, MAX_IDENTITY_FIELDS, view_of(key), value, MAX_VALUE_BYTES,
                        mem);
}

static int compare_pairs(const void *left, const void *right)
{
    const struct pair *a = left;
    const struct pair *b = right;
    int order = view_order_fold(a->key, b->key);
    return order != 0 ? order : view_order_fold(a->value, b->value);
}

/* Senders do not keep the order of their dimensions. */
static bool add_dimensions(struct identity *out, const struct pairs *dimensions, struct arena *mem)
{
    size_t first = out->fields.count;
    for (size_t i = 0; i < dimensions->count; i++)
        if (!pairs_add(&out->fields, MAX_IDENTITY_FIELDS, dimensions->at[i].key,
                       dimensions->at[i].value, MAX_VALUE_BYTES, mem))
            return false;
    if (out->fields.count > first)
        qsort(out->fields.at + first, out->fields.count - first, sizeof *out->fields.at,
              compare_pairs);
    return true;
}

static bool collect_fields(const struct alert *alert, struct arena *mem, struct identity *out)
{
    unsigned by = alert->from->identity;
    return add_field(out, "source", alert->source, mem)
           && (!(by & BY_PROBLEM) || add_field(out, "problem", alert->problem, mem))
           && (!(by & BY_NAME) || add_field(out, "name", alert->name, mem))
           && (!(by & BY_RESOURCE) || add_field(out, "resource", alert->resource, mem))
           && (!(by & BY_DIMENSIONS) || add_dimensions(out, &alert->dimensions, mem));
}

bool identity_is_real(const struct alert *alert)
{
    static const char *const systems[] = { "kibana", "elastic", "watcher" };
    for (size_t i = 0; i < COUNT_OF(systems); i++)
        if (view_starts_fold(alert->source, view_of(systems[i])))
            return true;
    return alert->from != &source_native || alert->alert_id.len > 0;
}

bool identity_of(const struct alert *alert, struct arena *mem, struct identity *out)
{
    struct text parts = text_in(mem, MAX_IDENTITY_BYTES);
    *out = (struct identity){ 0 };
    if (!collect_fields(alert, mem, out))
        return false;
    for (size_t i = 0; i < out->fields.count; i++) {
        add_part(&parts, out->fields.at[i].key);
        add_part(&parts, out->fields.at[i].value);
    }
    out->fingerprint = tag_of("fp-", &parts, mem);
    parts.len = 0;
    add_part(&parts, out->fingerprint);
    add_part(&parts, alert->alert_id);
    add_part(&parts, alert->fired_time);
    out->firing = tag_of("alert-", &parts, mem);
    out->has_firing = alert->alert_id.len > 0 || alert->fired_time.len > 0;
    return text_ok(&parts) && arena_ok(mem);
}

/* --- grouping ------------------------------------------------------------------------------- */

static struct problem *find_problem(const struct problems *problems, struct view fingerprint)
{
    for (size_t i = 0; i < problems->count; i++)
        if (view_equal(problems->at[i].identity.fingerprint, fingerprint))
            return &problems->at[i];
    return NULL;
}

static bool knows_fingerprint(const struct problem *problem, struct view fingerprint)
{
    for (size_t i = 0; i < problem->also_fingerprint_count; i++)
        if (view_equal(problem->also_fingerprints[i], fingerprint))
            return true;
    return view_equal(problem->identity.fingerprint, fingerprint);
}

static bool begin_problem(struct problem *problem, const struct alert *alert,
                          const struct identity *identity, size_t alerts, struct arena *mem)
{
    *problem = (struct problem){
        .alert = alert,
        .identity = *identity,
        .also = arena_get_array(mem, alerts, sizeof(const struct alert *)),
        .also_fingerprints = arena_get_array(mem, alerts, sizeof *problem->also_fingerprints),
    };
    return problem->also != NULL && problem->also_fingerprints != NULL;
}

bool problems_of(const struct payload *payload, enum alert_state state, size_t max,
                 struct arena *mem, struct problems *out)
{
    out->count = 0;
    out->at = arena_get_array(mem, max, sizeof *out->at);
    for (size_t i = 0; out->at != NULL && i < payload->count; i++) {
        const struct alert *alert = &payload->alerts[i];
        struct identity identity;
        if (alert->state != state)
            continue;
        if (!identity_of(alert, mem, &identity))
            return false;
        struct problem *problem = find_problem(out, identity.fingerprint);
        if (problem == NULL && out->count < max) {
            if (!begin_problem(&out->at[out->count++], alert, &identity, payload->count, mem))
                return false;
            continue;
        }
        if (problem == NULL)
            problem = &out->at[out->count - 1];
        problem->also[problem->also_count++] = alert;
        if (!knows_fingerprint(problem, identity.fingerprint))
            problem->also_fingerprints[problem->also_fingerprint_count++] = identity.fingerprint;
    }
    return out->at != NULL && arena_ok(mem);
}

/* Of those that are only named in it no more is read than that. */
bool problem_redact(const struct problem *problem, struct redactor *redactor, struct arena *mem,
                    struct problem *out)
{
    struct alert *alerts = arena_get_array(mem, 1 + problem->also_count, sizeof *alerts);
    const struct alert **also =
        arena_get_array(mem, problem->also_count, sizeof(const struct alert *));
    *out = *problem;
    if (alerts == NULL || also == NULL || !alert_redact(problem->alert, redactor, mem, &alerts[0]))
        return false;
    out->alert = &alerts[0];
    out->also = also;
    for (size_t i = 0; i < problem->also_count; i++) {
        alerts[i + 1] = *problem->also[i];
        alerts[i + 1].name = redact(redactor, problem->also[i]->name, mem);
        alerts[i + 1].resource = redact(redactor, problem->also[i]->resource, mem);
        also[i] = &alerts[i + 1];
    }
    size_t count = redactor->count; /* the identity repeats what the alert has said */
    bool is_done = pairs_redact(&problem->identity.fields, redactor, mem, &out->identity.fields);
    redactor->count = count;
    return is_done && arena_ok(mem);
}
