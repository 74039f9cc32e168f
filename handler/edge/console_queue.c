/*
 * Alerts that are stored, for a person: those that wait for their next try and those that were given
 * up.  What has to be found is taken in pages, and what was taken for nothing is given back at the
 * end; should that not happen, it shows itself again after a while.  So no way of ending loses any.
 */
#include "edge/console.h"

#include "alert/stored.h"
#include "base/json.h"
#include "edge/clock.h"
#include "edge/queue.h"
#include "edge/terminal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DESK_BYTES = 16 * 1024 * 1024,
    PAGE_BYTES = 32 * 1024 * 1024,
    CALL_MS = 10000,
    HOLD_S = 120, /* what is taken in a walk stays hidden so long, unless it is given back */
    MAX_WALKED = 10000,
    QUEUES = 2
};

static const struct {
    const char *option, *state;
} queues[QUEUES] = {
    [STORE_TRIAGE] = { "--waiting", "waiting" },
    [STORE_POISON] = { "--poison", "poisoned" },
};

struct desk {
    struct wire_loop *loop;
    struct queue *queue;
    struct arena mem;
    bool wants_json;
    bool wants[QUEUES];
    struct view id; /* "all": each */
    size_t found;   /* how many of those there were */
};

/* --- one message ------------------------------------------------------------------------------ */

struct item {
    enum store_queue where;
    const struct queue_message *message;
    bool is_read; /* else it is none of ours, or of another version */
    struct stored stored;
};

static struct item item_of(enum store_queue where, const struct queue_message *message,
                           struct arena *mem)
{
    struct item item = { .where = where, .message = message };
    struct failure why;
    item.is_read = stored_read(message->text, mem, &item.stored, &why);
    return item;
}

static void print_time(long long since_1970_s)
{
    char text[32] = "-";
    time_t at = (time_t)since_1970_s;
    struct tm parts;
    if (gmtime_r(&at, &parts) != NULL)
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    fputs(text, stdout);
}

static void print_line(const struct item *item)
{
    terminal_print(item->message->id);
    printf("  %s  ", queues[item->where].state);
    if (!item->is_read) {
        printf("(cannot be read)\n");
        return;
    }
    print_time(item->stored.first_seen_s);
    if (item->where == STORE_TRIAGE)
        printf("  tries: %lld", item->message->dequeue_count);
    fputs("  ", stdout);
    terminal_print(item->stored.problem.identity.fingerprint);
    fputs("  ", stdout);
    terminal_print(item->stored.problem.alert->name);
    if (item->stored.reason.len > 0) {
        fputs("  (", stdout);
        terminal_print(item->stored.reason);
        fputs(")", stdout);
    }
    printf("\n");
}

static void print_json(const struct item *item, struct arena *mem)
{
    struct text text = text_in(mem, PAGE_BYTES);
    struct json_writer writer = { .to = &text };
    struct json json = { 0 };
    struct failure why;
    bool is_json = json_read(item->message->text, mem, &json, &why);
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "id", item->message->id);
    json_put_text(&writer, "queue", view_of(queue_name(item->where)));
    json_put_text(&writer, "inserted", item->message->inserted);
    json_put_number(&writer, "dequeueCount", item->message->dequeue_count);
    if (is_json)
        json_put_node(&writer, "alert", json.root);
    else
        json_put_text(&writer, "text", item->message->text);
    json_close(&writer, '}');
    json_free(&json);
    printf("%s\n", text_view(&text).at);
}

static void print_field(const char *label, struct view value)
{
    if (value.len == 0)
        return;
    printf("%-13s", label);
    terminal_print(value);
    printf("\n");
}

static void print_whole(const struct item *item)
{
    const struct stored *stored = &item->stored;
    print_field("id", item->message->id);
    print_field("state", view_of(queues[item->where].state));
    print_field("inserted", item->message->inserted);
    if (!item->is_read) {
        print_field("text", item->message->text);
        return;
    }
    const struct alert *alert = stored->problem.alert;
    printf("%-13s", "first seen");
    print_time(stored->first_seen_s);
    printf("\n");
    if (item->where == STORE_TRIAGE)
        printf("%-13s%lld\n", "tries", item->message->dequeue_count);
    print_field("given up", stored->reason);
    print_field("name", alert->name);
    if (alert->has_severity)
        printf("%-13s%d\n", "severity", alert->severity);
    print_field("source", alert->source);
    print_field("resource", alert->resource);
    print_field("description", alert->description);
    print_field("fired", alert->fired_time);
    print_field("alert id", alert->alert_id);
    print_field("firing", stored->problem.identity.firing);
    print_field("fingerprint", stored->problem.identity.fingerprint);
    print_field("playbook", stored->playbook);
}

/* --- a walk through a queue ------------------------------------------------------------------- */

enum verdict { GIVE_BACK, SETTLED };

/* Told of each wanted message, which has been taken; what is not settled is given back. */
typedef bool visit_fn(struct desk *desk, const struct item *item, const struct receipt *receipt,
                      struct arena *mem, enum verdict *out, struct failure *why);

/* What has been taken and not settled. */
struct walk {
    enum store_queue where;
    struct receipt *held;
    size_t count;
};

static bool is_all(const struct desk *desk)
{
    return view_equal(desk->id, VIEW("all"));
}

static bool is_wanted(const struct desk *desk, struct view id)
{
    return is_all(desk) || view_equal(desk->id, id);
}

static bool is_held(const struct walk *walk, struct view id)
{
    for (size_t i = 0; i < walk->count; i++)
        if (view_equal(walk->held[i].id, id))
            return true;
    return false;
}

static bool hold(struct desk *desk, struct walk *walk, const struct queue_message *message)
{
    struct receipt kept = { view_keep(message->id, &desk->mem),
                            view_keep(message->pop, &desk->mem) };
    if (walk->count == MAX_WALKED || kept.id.at == NULL || kept.pop.at == NULL)
        return false;
    walk->held[walk->count++] = kept;
    return true;
}

/* Those that cannot be given back show themselves when their time is over. */
static void give_back(struct desk *desk, const struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        struct arena mem;
        struct failure why;
        arena_init(&mem, PAGE_BYTES);
        bool is_back = queue_hide(desk->queue, walk->where, &walk->held[i], 0, CALL_MS, &mem, &why);
        arena_drop(&mem);
        if (!is_back)
            return;
    }
}

/* Of a page; `is_over` when there is nothing more to find. */
static bool visit_page(struct desk *desk, struct walk *walk, visit_fn *visit,
                       const struct queue_messages *page, struct arena *mem, bool *is_over,
                       struct failure *why)
{
    bool is_fine = true;
    *is_over = page->count == 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct queue_message *message = &page->items[i];
        const struct receipt receipt = { message->id, message->pop };
        enum verdict verdict = GIVE_BACK;
        bool is_again = is_held(walk, message->id);
        if (is_fine && !*is_over && !is_again && is_wanted(desk, message->id)) {
            const struct item item = item_of(walk->where, message, mem);
            desk->found++;
            is_fine = visit(desk, &item, &receipt, mem, &verdict, why);
            *is_over = !is_all(desk);
        }
        if (verdict == GIVE_BACK)
            *is_over |= !hold(desk, walk, message) || is_again;
    }
    return is_fine;
}

static bool walk_queue(struct desk *desk, enum store_queue where, visit_fn *visit,
                       struct failure *why)
{
    struct walk walk = {
        .where = where,
        .held = arena_get_array(&desk->mem, MAX_WALKED, sizeof *walk.held),
    };
    if (walk.held == NULL)
        return fail(why, FAIL_INTERNAL, "no memory for a walk");
    bool is_fine = true;
    for (bool is_over = false; is_fine && !is_over;) {
        struct arena mem;
        arena_init(&mem, PAGE_BYTES);
        struct queue_messages *page = arena_get(&mem, sizeof *page);
        is_fine = page == NULL ? fail(why, FAIL_INTERNAL, "no memory for a page")
                               : queue_take(desk->queue, where, HOLD_S, CALL_MS, &mem, page, why)
                                     && visit_page(desk, &walk, visit, page, &mem, &is_over, why);
        arena_drop(&mem);
    }
    give_back(desk, &walk);
    return is_fine;
}

/* Those given up first: they are what a person looks for. */
static bool walk_wanted(struct desk *desk, visit_fn *visit, struct failure *why)
{
    static const enum store_queue order[] = { STORE_POISON, STORE_TRIAGE };
    for (size_t i = 0; i < COUNT_OF(order); i++)
        if (desk->wants[order[i]] && (is_all(desk) || desk->found == 0)
            && !walk_queue(desk, order[i], visit, why))
            return false;
    if (desk->found > 0)
        return true;
    if (!is_all(desk))
        return fail_because(why, FAIL_NOT_FOUND,
                            VIEW("no alert with that id can be seen; one that is being tried is "
                                 "hidden, look again in a few minutes"));
    printf("There are none.\n");
    return true;
}

/* --- list and show ---------------------------------------------------------------------------- */

static void tell_unseen(const struct queue_messages *page, enum store_queue where, long long count)
{
    long long unseen = count - (long long)page->count;
    if (unseen <= 0)
        return;
    if (page->count == MAX_MESSAGES)
        fprintf(stderr, "handler: about %lld more are %s: beyond these, or hidden\n", unseen,
                queues[where].state);
    else
        fprintf(stderr, "handler: about %lld more are %s: hidden until their next try\n", unseen,
                queues[where].state);
}

static bool list_queue(struct desk *desk, enum store_queue where, struct arena *mem,
                       struct failure *why)
{
    long long count = 0;
    struct queue_messages *page = arena_get(mem, sizeof *page);
    if (page == NULL)
        return fail(why, FAIL_INTERNAL, "no memory for a page");
    if (!queue_peek(desk->queue, where, CALL_MS, mem, page, why)
        || !queue_count(desk->queue, where, CALL_MS, mem, &count, why))
        return false;
    for (size_t i = 0; i < page->count; i++) {
        const struct item item = item_of(where, &page->items[i], mem);
        if (desk->wants_json)
            print_json(&item, mem);
        else
            print_line(&item);
    }
    tell_unseen(page, where, count);
    return true;
}

static bool list_alerts(struct desk *desk, struct failure *why)
{
    for (int where = 0; where < QUEUES; where++) {
        struct arena mem;
        arena_init(&mem, PAGE_BYTES);
        bool is_fine = !desk->wants[where] || list_queue(desk, (enum store_queue)where, &mem, why);
        arena_drop(&mem);
        if (!is_fine)
            return false;
    }
    return true;
}

static bool show(struct desk *desk, const struct item *item, const struct receipt *receipt,
                 struct arena *mem, enum verdict *out, struct failure *why)
{
    (void)receipt;
    (void)out;
    (void)why;
    if (desk->wants_json)
        print_json(item, mem);
    else
        print_whole(item);
    return true;
}

/* Among those that can be seen without taking any. */
static bool peek_for(struct desk *desk, enum store_queue where, struct arena *mem,
                     struct failure *why)
{
    enum verdict verdict;
    struct queue_messages *page = arena_get(mem, sizeof *page);
    if (page == NULL)
        return fail(why, FAIL_INTERNAL, "no memory for a page");
    if (!queue_peek(desk->queue, where, CALL_MS, mem, page, why))
        return false;
    for (size_t i = 0; i < page->count && desk->found == 0; i++) {
        if (!is_wanted(desk, page->items[i].id))
            continue;
        const struct item item = item_of(where, &page->items[i], mem);
        desk->found++;
        return show(desk, &item, NULL, mem, &verdict, why);
    }
    return true;
}

static bool show_alert(struct desk *desk, struct failure *why)
{
    for (int where = 0; where < QUEUES && desk->found == 0; where++) {
        struct arena mem;
        arena_init(&mem, PAGE_BYTES);
        bool is_fine = !desk->wants[where] || peek_for(desk, (enum store_queue)where, &mem, why);
        arena_drop(&mem);
        if (!is_fine)
            return false;
    }
    return desk->found > 0 || walk_wanted(desk, show, why);
}

/* --- replay and drop -------------------------------------------------------------------------- */

static bool settle(struct desk *desk, const struct item *item, const struct receipt *receipt,
                   const char *done, struct arena *mem, enum verdict *out, struct failure *why)
{
    if (!queue_delete(desk->queue, item->where, receipt, CALL_MS, mem, why))
        return false;
    *out = SETTLED;
    printf("%s ", done);
    terminal_print(receipt->id);
    printf("\n");
    return true;
}

/* As if it had just come, so that its age does not end it at once.  First in, then out. */
static bool replay(struct desk *desk, const struct item *item, const struct receipt *receipt,
                   struct arena *mem, enum verdict *out, struct failure *why)
{
    struct view message;
    struct receipt put;
    if (!item->is_read) {
        fputs("handler: cannot be read, so it can only be dropped: ", stderr);
        fprintf(stderr, "%.*s\n", (int)receipt->id.len, receipt->id.at);
        return true;
    }
    struct stored again = item->stored;
    again.reason = (struct view){ 0 };
    again.first_seen_s = clock_since_1970_s();
    return stored_write(&again, mem, &message, why)
           && queue_put(desk->queue, STORE_TRIAGE, message, 0, CALL_MS, mem, &put, why)
           && settle(desk, item, receipt, "replayed", mem, out, why);
}

static bool drop(struct desk *desk, const struct item *item, const struct receipt *receipt,
                 struct arena *mem, enum verdict *out, struct failure *why)
{
    return settle(desk, item, receipt, "dropped", mem, out, why);
}

static bool replay_alerts(struct desk *desk, struct failure *why)
{
    desk->wants[STORE_TRIAGE] = false;
    desk->wants[STORE_POISON] = true;
    return walk_wanted(desk, replay, why);
}

static bool drop_alerts(struct desk *desk, struct failure *why)
{
    return walk_wanted(desk, drop, why);
}

/* --- the command ------------------------------------------------------------------------------ */

static const struct verb {
    const char *name;
    const char *words;
    bool has_id, takes_all;
    bool (*run)(struct desk *desk, struct failure *why);
} verbs[] = {
    { "list", "[--waiting|--poison] [--json]", false, false, list_alerts },
    { "show", "ID [--waiting|--poison] [--json]", true, false, show_alert },
    { "replay", "ID|all: poisoned alerts, to be tried again", true, true, replay_alerts },
    { "drop", "ID|all [--waiting|--poison]: for good; all wants to know which", true, true,
      drop_alerts },
};

static int usage(void)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        fprintf(stderr, "  handler queue %-7s%s\n", verbs[i].name, verbs[i].words);
    return 2;
}

/* NULL when that is no command. */
static const struct verb *read_words(struct desk *desk, int count, char **words)
{
    desk->wants_json = terminal_take(&count, words, "--json");
    for (int i = 0; i < QUEUES; i++)
        desk->wants[i] = terminal_take(&count, words, queues[i].option);
    bool is_chosen = desk->wants[STORE_TRIAGE] != desk->wants[STORE_POISON];
    if (!is_chosen)
        desk->wants[STORE_TRIAGE] = desk->wants[STORE_POISON] = true;
    const struct verb *verb = NULL;
    for (size_t i = 0; count > 0 && i < COUNT_OF(verbs); i++)
        if (strcmp(words[0], verbs[i].name) == 0 && count == 1 + verbs[i].has_id)
            verb = &verbs[i];
    if (verb == NULL)
        return NULL;
    desk->id = verb->has_id ? view_of(words[1]) : VIEW("all");
    bool is_too_much = verb->has_id && is_all(desk)
                       && (!verb->takes_all || (verb->run == drop_alerts && !is_chosen));
    return is_too_much ? NULL : verb;
}

static bool open_desk(struct desk *desk, const struct settings *settings, struct failure *why)
{
    const struct storage_fault *fault = &settings->storage_fault;
    if (fault->problem != NULL) {
        struct text text = text_in(&desk->mem, 1024);
        text_add_string(&text, fault->setting);
        text_add_char(&text, ' ');
        text_add_string(&text, fault->problem);
        return fail_because(why, FAIL_MISCONFIGURED, text_view(&text));
    }
    desk->loop = wire_start(&settings->wire);
    if (desk->loop != NULL)
        desk->queue = queue_start(desk->loop, &settings->account);
    return desk->queue != NULL || fail(why, FAIL_INTERNAL, "not enough memory or threads to start");
}

static void close_desk(struct desk *desk)
{
    if (desk->loop != NULL)
        wire_stop(desk->loop);
    if (desk->queue != NULL)
        queue_stop(desk->queue);
    arena_drop(&desk->mem);
}

int console_queue(struct settings *settings, int count, char **words)
{
    struct desk desk = { 0 };
    struct failure why = { 0 };
    const struct verb *verb = read_words(&desk, count, words);
    if (verb == NULL)
        return usage();
    arena_init(&desk.mem, DESK_BYTES);
    bool is_done = open_desk(&desk, settings, &why) && verb->run(&desk, &why);
    close_desk(&desk);
    return is_done ? 0 : terminal_failure(&why);
}
