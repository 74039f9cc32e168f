/*
 * The story with a queue: what is kept and when, what is taken out again, and what comes of a retry.
 * Devin and the queue are scripted; every word with either is written down in its order.
 */
#include "triage.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/process.h"
#include "unit/check.h"

enum { PLENTY = 16 * 1024 * 1024, MAX_ANSWERS = 8, MAX_PUTS = 8, NOW_S = 1772000000 };

/* In bodies ' stands for ", and $ for the tag that was asked for. */
struct answer_row {
    int status; /* 0: no answer */
    const char *body;
};

/* How a put ends: 'y' in time, 'n' at once without success, 's' without success after all its time. */
struct world {
    const char *puts; /* one a put; behind its end all succeed */
    bool is_v3, is_dry, trusts_nobody, has_no_queue;
    const char *refusal;
    enum turn turn;
    long long timeout_ms, hide_s; /* 0: 30000, 60 */
};

struct story {
    const char *name;
    const char *body;
    struct world world;
    struct answer_row answers[MAX_ANSWERS];
    const char *events;
    const char *reply;   /* status, action or details; those of each problem */
    const char *settled; /* events after the reply */
};

struct retry_row {
    const char *name;
    const char *first; /* the alert that was stored */
    struct world world;
    long long age_s;
    struct answer_row answers[MAX_ANSWERS];
    const char *events;
    const char *end; /* "done action", "again failure": what the host is told, and why */
};

/* clang-format off */

#define NATIVE  "{'alertName':'n','severity':3,'description':'d','alertId':'7'}"
#define LOOSE   "{'alertName':'n','severity':3,'description':'d'}"
#define AZURE   "{'schemaId':'azureMonitorCommonAlertSchema','data':{'essentials':{'alertRule':'n','severity':'Sev1'," \
                "'monitorCondition':'Fired','description':'d'}}}"
#define SOLVED  "{'alertName':'n','severity':3,'description':'d','state':'ok'}"
#define ONE(name) \
    "{'status':'firing','labels':{'alertname':'" name "','severity':'critical'},'annotations':{}," \
    "'startsAt':'2024-02-06T12:00:00Z','fingerprint':'f-" name "'}"
#define TWO     "{'receiver':'r','groupKey':'g','alerts':[" ONE("a") "," ONE("b") "]}"

#define NONE    { 200, "{'sessions':[]}" }
#define NONE_V3 { 200, "{'items':[]}" }
#define NEW     { 200, "{'session_id':'s','url':'https://x/s'}" }
#define FOUND   { 200, "{'sessions':[{'session_id':'o','status':'finished','tags':['$']}]}" }
#define MADE    { 200, "{'sessions':[{'session_id':'o','status':'finished','created_at':1772000000,'tags':['$']}]}" }
#define OUTAGE  { 503, "" }
#define BAD_KEY { 401, "" }
#define SAME    { 200, "{'session_id':'o','url':'https://x/o','is_new_session':false}" }
#define OVER    { 200, "{'session_id':'o','status':'finished','status_enum':'finished'}" }

#define PUT     "put triage 60 2000; "
#define LOOK    "GET /v1/sessions; "
#define CREATE  "POST /v1/sessions; "
#define V3(method) method " /v3/organizations/o/sessions; "

static const struct story stories[] = {
    { "created", NATIVE, { 0 }, { NONE, NEW }, PUT LOOK CREATE, "200 created", "remove m1; " },
    { "an ended session of another firing", NATIVE, { 0 }, { FOUND, NEW }, PUT LOOK CREATE, "200 created", "remove m1; " },
    { "told by another", NATIVE, { .turn = TURN_TOLD }, { { 0 } }, PUT, "200 existing", "remove m1; " },

    /* what passes is deferred, whoever has sent it */
    { "outage", NATIVE, { 0 }, { NONE, OUTAGE }, PUT LOOK CREATE, "202 deferred", "" },
    { "Azure's in an outage", AZURE, { 0 }, { NONE, OUTAGE }, PUT LOOK CREATE, "202 deferred", "" },
    { "busy", LOOSE, { 0 }, { { 429, "" } }, PUT CREATE, "202 deferred", "" },
    { "silent", LOOSE, { 0 }, { { 0, "" } }, PUT CREATE, "202 deferred", "" },
    { "another is still at it", NATIVE, { .turn = TURN_LATE }, { { 0 } }, PUT, "202 deferred", "" },
    { "its old session has ended", LOOSE, { 0 }, { SAME, OVER, NONE, { 429, "" } },
      PUT CREATE "GET /v1/sessions/o; " LOOK CREATE, "202 deferred", "" },

    /* what stays is for a person */
    { "key", NATIVE, { 0 }, { NONE, BAD_KEY }, PUT LOOK CREATE, "500 Invalid Devin API key",
      "put poison 0 2000 Invalid Devin API key; remove m1; " },
    { "key, and nobody takes it", NATIVE, { .puts = "yn" }, { NONE, BAD_KEY }, PUT LOOK CREATE,
      "500 Invalid Devin API key", "put poison 0 2000 Invalid Devin API key; " },

    /* without a queue's help all is as before */
    { "not stored, created", NATIVE, { .puts = "n" }, { NONE, NEW }, PUT LOOK CREATE, "200 created", "" },
    { "not stored, outage", NATIVE, { .puts = "n" }, { NONE, OUTAGE }, PUT LOOK CREATE, "500 Devin API outage", "" },
    { "not stored, Azure's", AZURE, { .puts = "n" }, { NONE, OUTAGE }, PUT LOOK CREATE, "503 Devin API outage", "" },
    { "not stored, key", NATIVE, { .puts = "n" }, { NONE, BAD_KEY }, PUT LOOK CREATE, "500 Invalid Devin API key", "" },
    { "no queue, outage", NATIVE, { .has_no_queue = true }, { NONE, OUTAGE }, LOOK CREATE, "500 Devin API outage", "" },
    { "no queue, key", NATIVE, { .has_no_queue = true }, { NONE, BAD_KEY }, LOOK CREATE, "500 Invalid Devin API key", "" },

    /* several: all are kept before the first is told */
    { "two", TWO, { 0 }, { NONE, NEW, NONE, NEW }, PUT PUT LOOK CREATE LOOK CREATE, "200 created, created, created",
      "remove m1; remove m2; " },
    { "two, the second waits", TWO, { 0 }, { NONE, NEW, NONE, OUTAGE }, PUT PUT LOOK CREATE LOOK CREATE,
      "202 deferred, created, deferred", "remove m1; " },
    { "two, both wait", TWO, { 0 }, { NONE, OUTAGE, NONE, OUTAGE }, PUT PUT LOOK CREATE LOOK CREATE,
      "202 deferred, deferred, deferred", "" },
    { "two, one waits and one never will", TWO, { 0 }, { NONE, OUTAGE, NONE, BAD_KEY }, PUT PUT LOOK CREATE LOOK CREATE,
      "500 Invalid Devin API key, deferred, Invalid Devin API key",
      "put poison 0 2000 Invalid Devin API key; remove m2; " },
    { "two, one of them not stored", TWO, { .puts = "n" }, { NONE, NEW, NONE, NEW }, PUT PUT LOOK CREATE LOOK CREATE,
      "200 created, created, created", "remove m2; " },
    { "two, one of them not stored, outage", TWO, { .puts = "yn" }, { NONE, OUTAGE, NONE, OUTAGE },
      PUT PUT LOOK CREATE LOOK CREATE, "500 Devin API outage, deferred, Devin API outage", "" },
    { "two, and a queue that answers nothing", TWO, { .puts = "s" }, { NONE, NEW, NONE, NEW },
      PUT LOOK CREATE LOOK CREATE, "200 created, created, created", "" },

    /* what opens no session is not kept */
    { "resolved", SOLVED, { 0 }, { { 0 } }, "", "200 ignored", "" },
    { "dry run", NATIVE, { .is_dry = true }, { { 0 } }, "", "200 dry-run", "" },
    { "no alert", "{'alertName':'n'}", { 0 }, { { 0 } }, "", "400 ", "" },

    /* settings that somebody will mend */
    { "misconfigured", NATIVE, { .refusal = "X is not set" }, { { 0 } }, PUT, "500 X is not set", "" },
    { "misconfigured, two", TWO, { .refusal = "X is not set" }, { { 0 } }, PUT PUT,
      "500 X is not set, X is not set, X is not set", "" },
    { "misconfigured, resolved", SOLVED, { .refusal = "X is not set" }, { { 0 } }, "", "500 X is not set", "" },
    { "misconfigured, no alert", "x", { .refusal = "X is not set" }, { { 0 } }, "", "500 X is not set", "" },
    { "misconfigured, dry run", NATIVE, { .refusal = "X is not set", .is_dry = true }, { { 0 } }, "", "500 X is not set", "" },
    { "nobody is trusted", NATIVE, { .refusal = "X is not set", .trusts_nobody = true }, { { 0 } }, "",
      "500 X is not set", "" },

    /* hidden for longer than the first try can last */
    { "hidden as it is set", NATIVE, { .hide_s = 300 }, { NONE, NEW }, "put triage 300 2000; " LOOK CREATE, "200 created",
      "remove m1; " },
    { "hidden for no less than the deadline", NATIVE, { .timeout_ms = 110000 }, { NONE, NEW },
      "put triage 120 2000; " LOOK CREATE, "200 created", "remove m1; " },
    { "little time", NATIVE, { .timeout_ms = 500, .hide_s = 1 }, { NONE, NEW }, "put triage 11 500; " LOOK CREATE,
      "200 created", "remove m1; " },

    /* v3 cannot tell a repeated create: where the alert will come again, no look-up is no reason to create */
    { "v3", NATIVE, { .is_v3 = true }, { NONE_V3, NEW }, PUT V3("GET") V3("POST"), "200 created", "remove m1; " },
    { "v3 without a list", NATIVE, { .is_v3 = true }, { OUTAGE }, PUT V3("GET"), "202 deferred", "" },
    { "v3 whose list is not allowed", NATIVE, { .is_v3 = true }, { { 403, "" }, NEW }, PUT V3("GET") V3("POST"), "200 created",
      "remove m1; " },
    { "v3 without a list, not stored", NATIVE, { .is_v3 = true, .puts = "n" }, { OUTAGE, NEW }, PUT V3("GET") V3("POST"),
      "200 created", "" },
    { "v1 without a list", NATIVE, { 0 }, { OUTAGE, NEW }, PUT LOOK CREATE, "200 created", "remove m1; " },
};

#define HOUR 3600
#define POISON(why) "put poison 0 2000 " why "; "

static const struct retry_row retries[] = {
    { "created", NATIVE, { 0 }, 60, { NONE, NEW }, LOOK CREATE, "done created" },
    { "an ended session of another firing", NATIVE, { 0 }, 60, { FOUND, NEW }, LOOK CREATE, "done created" },
    { "without an id it is looked for as well", LOOSE, { 0 }, 60, { NONE, NEW }, LOOK CREATE, "done created" },
    { "without an id, ended since", LOOSE, { 0 }, 60, { MADE }, LOOK, "done existing" },
    { "without an id, ended before", LOOSE, { 0 }, 60, { FOUND, NEW }, LOOK CREATE, "done created" },
    { "v3", NATIVE, { .is_v3 = true }, 60, { NONE_V3, NEW }, V3("GET") V3("POST"), "done created" },
    { "told by another", NATIVE, { .turn = TURN_TOLD }, 60, { { 0 } }, "", "done existing" },
    { "dry run", NATIVE, { .is_dry = true }, 60, { { 0 } }, "", "again MISCONFIGURED" },

    { "outage", NATIVE, { 0 }, 60, { NONE, OUTAGE }, LOOK CREATE, "again DEVIN_OUTAGE" },
    { "busy", LOOSE, { 0 }, 60, { NONE, { 429, "" } }, LOOK CREATE, "again DEVIN_BUSY" },
    { "another is still at it", NATIVE, { .turn = TURN_LATE }, 60, { { 0 } }, "", "again DEVIN_UNREACHABLE" },
    { "misconfigured", NATIVE, { .refusal = "X is not set" }, 60, { { 0 } }, "", "again MISCONFIGURED" },
    { "v3 without a list", NATIVE, { .is_v3 = true }, 60, { OUTAGE }, V3("GET"), "again DEVIN_OUTAGE" },
    { "v1 without a list", NATIVE, { 0 }, 60, { OUTAGE }, LOOK, "again DEVIN_OUTAGE" },
    { "v1 whose list is not allowed", NATIVE, { 0 }, 60, { { 403, "" }, NEW }, LOOK CREATE, "done created" },

    { "key", NATIVE, { 0 }, 60, { NONE, BAD_KEY }, LOOK CREATE POISON("Invalid Devin API key"), "done poisoned" },
    { "key, and nobody takes it", NATIVE, { .puts = "n" }, 60, { NONE, BAD_KEY },
      LOOK CREATE POISON("Invalid Devin API key"), "again STORE_DOWN" },
    { "key, and no queue", NATIVE, { .has_no_queue = true }, 60, { NONE, BAD_KEY }, LOOK CREATE, "again STORE_DOWN" },

    { "nearly too old", NATIVE, { 0 }, 24 * HOUR, { NONE, NEW }, LOOK CREATE, "done created" },
    { "too old", NATIVE, { 0 }, 24 * HOUR + 1, { { 0 } }, POISON("Stored alert is older than QUEUE_MAX_AGE_H"),
      "done poisoned" },
    { "from the future", NATIVE, { 0 }, -HOUR, { NONE, NEW }, LOOK CREATE, "done created" },

    { "unreadable", NULL, { 0 }, 60, { { 0 } }, POISON("-"), "done poisoned" },
    { "unreadable, and nobody takes it", NULL, { .puts = "n" }, 60, { { 0 } }, POISON("-"), "again STORE_DOWN" },
};

/* clang-format on */

/* --- the world outside ------------------------------------------------------------------------ */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    arena_drop(&scarce);
    return 0;
}

struct script {
    const char *name;
    const struct world *world;
    const struct answer_row *answers;
    struct text events;
    size_t sent, puts;
    struct view message;  /* the one put last */
    struct view created;  /* the body of the last create */
    struct view playbook; /* what recall() knows of any playbook */
};

static struct view written(const char *bytes, struct view tag)
{
    struct text text = text_in(&mem, 16384);
    for (; bytes != NULL && *bytes != '\0'; bytes++)
        if (*bytes == '$')
            text_add(&text, tag);
        else
            text_add_char(&text, *bytes == '\'' ? '"' : *bytes);
    return text_view(&text);
}

static struct view tag_asked_for(struct view query)
{
    while (query.len > 0 && !view_starts(query, VIEW("tags=")))
        query = view_skip(query, 1);
    return view_skip(query, 5);
}

static void script_send(void *state, const struct call *call, long long timeout_ms,
                        struct arena *arena, struct answer *out)
{
    struct script *script = state;
    struct view path;
    struct view query;
    (void)arena;
    (void)timeout_ms;
    CHECK(script->name, script->sent < MAX_ANSWERS);
    const struct answer_row *answer = &script->answers[script->sent++];
    view_cut(view_of(call->path), '?', &path, &query);
    text_add_string(&script->events, call->method);
    text_add_char(&script->events, ' ');
    text_add(&script->events, path);
    text_add_string(&script->events, "; ");
    if (view_equal(view_of(call->method), VIEW("POST")))
        script->created = view_keep(call->body, &mem);
    *out = (struct answer){
        .kind = answer->status == 0 ? ANSWER_BROKEN : ANSWER_HTTP,
        .status = answer->status,
        .body = written(answer->body, tag_asked_for(query)),
        .elapsed_ms = 10,
    };
}

static bool script_pace(void *state, long long patience_ms, long long *waited_ms)
{
    (void)state;
    (void)patience_ms;
    *waited_ms = 0;
    return true;
}

static void script_wait(void *state, long long ms)
{
    (void)state;
    (void)ms;
}

static bool script_recall(void *state, struct view key, struct arena *arena, struct view *value)
{
    struct script *script = state;
    if (!view_starts(key, VIEW("playbook ")) || script->playbook.len == 0)
        return false;
    *value = view_keep(script->playbook, arena);
    return value->at != NULL;
}

static void script_remember(void *state, struct view key, struct view value, long long ttl_ms)
{
    (void)state;
    (void)key;
    (void)value;
    (void)ttl_ms;
}

/* Whoever has just been here had a session for this very firing. */
static enum turn script_enter(void *state, struct arrival *arrival, struct arena *arena)
{
    const struct script *script = state;
    struct text told = text_in(arena, 256);
    if (script->world->turn != TURN_TOLD)
        return script->world->turn;
    text_add_string(&told, "s-9 https://x/9 ");
    text_add(&told, arrival->word);
    arrival->result = text_view(&told);
    return text_ok(&told) ? TURN_TOLD : TURN_LATE;
}

static void script_leave(void *state, struct view key, struct view result)
{
    (void)state;
    (void)key;
    (void)result;
}

/* A message that is no stored alert has no reason. */
static void say_reason(struct script *script, struct view message)
{
    struct stored stored;
    struct failure why = { 0 };
    text_add_char(&script->events, ' ');
    if (!stored_read(message, &mem, &stored, &why))
        text_add_char(&script->events, '-');
    else
        text_add(&script->events, stored.reason);
}

static bool script_put(void *state, enum store_queue queue, struct view message, long long hide_s,
                       long long timeout_ms, struct arena *arena, struct receipt *out,
                       long long *spent_ms, struct failure *why)
{
    struct script *script = state;
    const char *ends = script->world->puts;
    size_t at = script->puts++;
    char end = ends == NULL || at >= strlen(ends) ? 'y' : ends[at];
    CHECK(script->name, message.len > 0 && message.len <= MAX_STORED_BYTES && timeout_ms > 0);
    text_add_string(&script->events, queue == STORE_TRIAGE ? "put triage " : "put poison ");
    text_add_number(&script->events, hide_s);
    text_add_char(&script->events, ' ');
    text_add_number(&script->events, timeout_ms);
    if (queue == STORE_POISON)
        say_reason(script, message);
    text_add_string(&script->events, "; ");
    *spent_ms = end == 's' ? timeout_ms : 0;
    if (end != 'y')
        return (fail)(why, FAIL_STORE_DOWN, "scripted");
    script->message = view_keep(message, &mem);
    struct text id = text_in(arena, 32);
    text_add_char(&id, 'm');
    text_add_number(&id, (long long)script->puts);
    *out = (struct receipt){ .id = text_view(&id), .pop = VIEW("p") };
    return text_ok(&id) || (fail)(why, FAIL_INTERNAL, "no memory");
}

static void script_remove(void *state, const struct receipt *receipt)
{
    struct script *script = state;
    text_add_string(&script->events, "remove ");
    text_add(&script->events, receipt->id);
    text_add_string(&script->events, "; ");
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct script script_of(const char *name, const struct world *world,
                               const struct answer_row *answers)
{
    return (struct script){
        .name = name, .world = world, .answers = answers, .events = text_in(&mem, 4096)
    };
}

static struct triage triage_with(struct script *script)
{
    const struct world *world = script->world;
    struct triage triage = {
        .settings = { .timeout_ms = world->timeout_ms == 0 ? 30000 : world->timeout_ms,
                      .max_sessions = 5,
                      .max_severity = 4,
                      .queue_hide_s = world->hide_s == 0 ? 60 : world->hide_s,
                      .queue_max_age_h = 24,
                      .is_dry_run = world->is_dry },
        .prompt = { .target_repo = VIEW("https://github.com/org/repo") },
        .devin = { .retry = { .tries = 1, .first_ms = 1000 },
                   .api = { world->is_v3 ? API_V3 : API_V1, VIEW("o") },
                   .max_messages = 5 },
        .wire = { .state = script,
                  .send = script_send,
                  .wait = script_wait,
                  .pace = script_pace,
                  .recall = script_recall,
                  .remember = script_remember,
                  .enter = script_enter,
                  .leave = script_leave },
        .store = { .state = script, .put = script_put, .remove = script_remove },
        .refusal = view_of(world->refusal),
        .trusts_nobody = world->trusts_nobody,
    };
    if (world->has_no_queue)
        triage.store = (struct store){ 0 };
    return triage;
}

static struct request post(struct view body)
{
    return (struct request){ .method = VIEW("POST"), .body = body, .received_s = NOW_S };
}

static struct request retry_of(struct view message, long long age_s)
{
    return (struct request){ .method = VIEW("POST"),
                             .body = message,
                             .is_retry = true,
                             .dequeue_count = 1,
                             .received_s = NOW_S + age_s };
}

/* What is kept of an alert. */
static struct view stored_form(const char *name, struct view body)
{
    static const struct world calm = { 0 };
    static const struct answer_row outage[MAX_ANSWERS] = { OUTAGE, OUTAGE };
    struct script script = script_of(name, &calm, outage);
    const struct triage triage = triage_with(&script);
    struct request request = post(body);
    struct report report;
    struct failure why = { 0 };
    CHECK(name, triage_run(&triage, &request, &mem, &report, &why));
    return script.message;
}

/* "created" or "Devin API outage", as an answer or one of its sessions has it. */
static void say_one(struct text *to, const struct cJSON *node)
{
    struct view action = json_text(json_at(node, "action"));
    text_add(to, action.len > 0 ? action : json_text(json_at(node, "details")));
}

static struct view say_reply(const struct reply *reply)
{
    struct text text = text_in(&mem, 4096);
    struct json json;
    struct failure why = { 0 };
    assert_true(json_read(reply->body, &mem, &json, &why));
    text_add_number(&text, reply->status);
    text_add_char(&text, ' ');
    say_one(&text, json.root);
    for (const struct cJSON *one = json_first(json_at(json.root, "sessions")); one != NULL;
         one = json_next(one)) {
        text_add_string(&text, ", ");
        say_one(&text, one);
    }
    json_free(&json);
    return text_view(&text);
}

static struct reply run(const struct triage *triage, const struct request *request,
                        struct arena *arena, struct report *report, struct failure *why)
{
    return triage_run(triage, request, arena, report, why)
               ? triage_reply(report, arena)
               : triage_reply_failure(why, report, arena);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void first_tries_are_kept_and_settled(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        const struct story *story = &stories[i];
        struct script script = script_of(story->name, &story->world, story->answers);
        const struct triage triage = triage_with(&script);
        struct request request = post(written(story->body, (struct view){ 0 }));
        struct report report;
        struct failure why = { 0 };
        struct reply reply = run(&triage, &request, &mem, &report, &why);
        CHECK_VIEW(story->name, text_view(&script.events), view_of(story->events));
        CHECK_VIEW(story->name, say_reply(&reply), view_of(story->reply));
        CHECK(story->name, reply.status != 202 || report.count > 1
                               || !view_contains(reply.body, VIEW("\"sessionId\"")));
        script.events.len = 0;
        triage_settle(&triage, &report, &mem);
        CHECK_VIEW(story->name, text_view(&script.events), view_of(story->settled));
    }
}

static void a_deferred_alert_is_answered_to_the_letter(void **state)
{
    (void)state;
    static const struct world calm = { 0 };
    static const struct answer_row answers[MAX_ANSWERS] = { OUTAGE };
    struct script script = script_of("deferred", &calm, answers);
    const struct triage triage = triage_with(&script);
    struct request request = post(written(LOOSE, (struct view){ 0 }));
    struct report report;
    struct failure why = { 0 };
    struct reply reply = run(&triage, &request, &mem, &report, &why);
    assert_int_equal(reply.status, 202);
    assert_int_equal(reply.retry_after_s, 0);
    CHECK("body", view_starts(reply.body,
                              VIEW("{\"success\":true,\"message\":\"Alert is stored and will be "
                                   "tried again\",\"action\":\"deferred\",\"fingerprint\":")));
    assert_string_equal(action_name(report.outcomes[0].action), "deferred");
}

/* The time that keeping took is not there for Devin. */
static void keeping_takes_its_time_from_the_deadline(void **state)
{
    (void)state;
    static const struct world slow = { .puts = "s" };
    static const struct answer_row answers[MAX_ANSWERS] = { NONE, NEW };
    struct script script = script_of("slow", &slow, answers);
    const struct triage triage = triage_with(&script);
    struct request request = post(written(NATIVE, (struct view){ 0 }));
    struct report report;
    struct failure why = { 0 };
    request.spent_ms = 28500;
    assert_true(triage_run(&triage, &request, &mem, &report, &why) == false);
    CHECK_VIEW("events", text_view(&script.events), VIEW("put triage 60 1500; "));
    assert_int_equal(report.store_ms, 1500);
    assert_int_equal(why.kind, FAIL_DEVIN_UNREACHABLE);
}

static void say_end(struct text *to, bool is_done, const struct report *report,
                    const struct failure *why)
{
    text_add_string(to, is_done ? "done " : "again ");
    if (!is_done)
        text_add_string(to, failure_row(why->kind)->name);
    else if (report->outcomes[0].is_poisoned)
        text_add_string(to, "poisoned");
    else
        text_add_string(to, action_name(report->outcomes[0].action));
}

static void retries_end_or_come_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(retries); i++) {
        const struct retry_row *row = &retries[i];
        struct view message = row->first == NULL
                                  ? VIEW("{\"v\":7}")
                                  : stored_form(row->name, written(row->first, (struct view){ 0 }));
        struct script script = script_of(row->name, &row->world, row->answers);
        const struct triage triage = triage_with(&script);
        struct request request = retry_of(message, row->age_s);
        struct report report;
        struct failure why = { 0 };
        struct text end = text_in(&mem, 256);
        bool is_done = triage_run(&triage, &request, &mem, &report, &why);
        say_end(&end, is_done, &report, &why);
        CHECK_VIEW(row->name, text_view(&script.events), view_of(row->events));
        CHECK_VIEW(row->name, text_view(&end), view_of(row->end));
        if (row->first == NULL && is_done)
            CHECK_VIEW(row->name, script.message, message);
        script.events.len = 0;
        if (!row->world.has_no_queue)
            triage_settle(&triage, &report, &mem);
        CHECK_VIEW(row->name, text_view(&script.events), VIEW("")); /* the host takes it out */
    }
}

/* There is nothing to keep of it but the reason. */
static void an_empty_message_is_given_up(void **state)
{
    (void)state;
    static const struct world calm = { 0 };
    struct script script = script_of("empty", &calm, NULL);
    const struct triage triage = triage_with(&script);
    struct request request = retry_of(VIEW(""), 60);
    struct report report;
    struct failure why = { 0 };
    assert_true(triage_run(&triage, &request, &mem, &report, &why));
    CHECK_VIEW("events", text_view(&script.events), VIEW("put poison 0 2000 -; "));
    CHECK("reason", view_contains(script.message, VIEW("Stored alert cannot be read")));
}

/* A session of this firing is the end of it, however the session has ended since. */
static void a_session_that_the_first_try_made_is_found(void **state)
{
    (void)state;
    static const struct world worlds[] = { { 0 }, { .is_v3 = true } };
    for (size_t i = 0; i < COUNT_OF(worlds); i++) {
        struct stored stored;
        struct failure why = { 0 };
        struct view message = stored_form("found", written(NATIVE, (struct view){ 0 }));
        assert_true(stored_read(message, &mem, &stored, &why));
        struct text body = text_in(&mem, 1024);
        text_add_string(&body, i == 0 ? "{'sessions':[" : "{'items':[");
        text_add_string(&body,
                        "{'session_id':'o','status':'exit','status_enum':'finished','tags':['");
        text_add(&body, stored.problem.identity.fingerprint);
        text_add_string(&body, "','");
        text_add(&body, stored.problem.identity.firing);
        text_add_string(&body, "']}]}");
        const struct answer_row answers[MAX_ANSWERS] = { { 200, text_view(&body).at } };
        struct script script = script_of("found", &worlds[i], answers);
        const struct triage triage = triage_with(&script);
        struct request request = retry_of(message, 60);
        struct report report;
        assert_true(triage_run(&triage, &request, &mem, &report, &why));
        CHECK_VIEW("events", text_view(&script.events),
                   i == 0 ? VIEW(LOOK) : VIEW("GET /v3/organizations/o/sessions; "));
        CHECK_VIEW("id", report.outcomes[0].session.id, VIEW("o"));
        assert_int_equal(report.outcomes[0].action, ACTION_EXISTING);
    }
}

static const char *const bodies[] = {
    "tests/cases/samples/generic/minimal-three-fields.json",
    "tests/cases/samples/generic/full-contract.json",
    "tests/cases/samples/azure-monitor/common-log-v2-embedded-search-results-fired.json",
    "tests/cases/samples/datadog/database-aborted-connection-triggered.json",
};

/* An alert that is much too long for any message. */
static struct view long_body(void)
{
    struct text text = text_in(&mem, 1024 * 1024);
    text_add_string(&text,
                    "{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\",\"alertId\":\"7\","
                    "\"password\":\"hunter2\",\"logs\":\"");
    for (int i = 0; i < 4000; i++)
        text_add_string(&text, "at worker.js:10 token=ghp_0123456789abcdefghijABCDEFGHIJ012345\\n");
    text_add_string(&text, "\"}");
    assert_true(text_ok(&text));
    return text_view(&text);
}

/* Both know the playbook's id at first and have to use that later, when nobody knows it any more. */
static struct view created_by(const struct world *world, const struct request *request,
                              bool is_first, struct view *message)
{
    /* A first try that looks nothing up is answered by the first of them. */
    static const struct answer_row v1_first[MAX_ANSWERS] = { OUTAGE, OUTAGE };
    static const struct answer_row v1[MAX_ANSWERS] = { NONE, OUTAGE };
    static const struct answer_row v3[MAX_ANSWERS] = { NONE_V3, OUTAGE };
    const struct answer_row *answers = world->is_v3 ? v3 : is_first ? v1_first : v1;
    struct script script = script_of("bytes", world, answers);
    struct triage triage = triage_with(&script);
    struct report report;
    struct failure why = { 0 };
    triage.playbook.fallback = is_first ? VIEW("triage") : VIEW("another");
    script.playbook = is_first ? VIEW("1playbook-77") : (struct view){ 0 };
    bool is_done = triage_run(&triage, request, &mem, &report, &why);
    CHECK("bytes", is_first == is_done);
    if (is_first)
        *message = script.message;
    return script.created;
}

static void every_try_asks_for_the_same(void **state)
{
    (void)state;
    static const struct world worlds[] = { { 0 }, { .is_v3 = true } };
    for (size_t i = 0; i < 2 * (COUNT_OF(bodies) + 1); i++) {
        const char *file = i / 2 < COUNT_OF(bodies) ? bodies[i / 2] : "long";
        struct view body = i / 2 < COUNT_OF(bodies) ? process_read_file(file, &mem) : long_body();
        struct view message = { 0 };
        CHECK(file, body.len > 0);
        const struct request first = post(body);
        struct view wanted = created_by(&worlds[i % 2], &first, true, &message);
        CHECK(file, view_contains(wanted, VIEW("playbook-77")) && message.len > 0);
        CHECK(file, !view_contains(message, VIEW("hunter2")));
        CHECK(file, !view_contains(message, VIEW("ghp_0123456789")));
        for (int again = 1; again < 4; again++) {
            const struct request retry = retry_of(message, again * HOUR);
            CHECK_VIEW(file, created_by(&worlds[i % 2], &retry, false, &message), wanted);
        }
    }
}

/* Whether it could be stored makes no difference either: the sender's own repeat must look the same. */
static void a_first_try_asks_for_the_same_stored_or_not(void **state)
{
    (void)state;
    static const struct world worlds[] = { { 0 }, { .puts = "n" } };
    static const struct answer_row answers[MAX_ANSWERS] = { NONE, NEW };
    struct view created[COUNT_OF(worlds)];
    struct request request = post(long_body());
    for (size_t i = 0; i < COUNT_OF(worlds); i++) {
        struct script script = script_of("stored or not", &worlds[i], answers);
        const struct triage triage = triage_with(&script);
        struct report report;
        struct failure why = { 0 };
        assert_true(triage_run(&triage, &request, &mem, &report, &why));
        created[i] = script.created;
    }
    CHECK_VIEW("created", created[1], created[0]);
}

/* Of a long alert that is less than there would be without a queue. */
static void a_dry_run_shows_what_would_be_asked_for(void **state)
{
    (void)state;
    static const struct world worlds[] = { { 0 }, { .is_dry = true } };
    static const struct answer_row answers[MAX_ANSWERS] = { NONE, NEW };
    struct view prompts[COUNT_OF(worlds)];
    struct request request = post(long_body());
    for (size_t i = 0; i < COUNT_OF(worlds); i++) {
        struct script script = script_of("dry", &worlds[i], answers);
        const struct triage triage = triage_with(&script);
        struct report report;
        struct json json = { 0 };
        struct failure why = { 0 };
        assert_true(triage_run(&triage, &request, &mem, &report, &why));
        bool is_json = json_read(script.created, &mem, &json, &why);
        CHECK("dry", is_json == !worlds[i].is_dry);
        prompts[i] = is_json ? view_keep(json_text(json_at(json.root, "prompt")), &mem)
                             : report.outcomes[0].prompt;
        json_free(&json);
    }
    CHECK_VIEW("prompt", prompts[1], prompts[0]);
}

/* With each ceiling: kept before Devin is called, and whatever fails is ours and loses nothing. */
static void check_ceilings(const char *name, const struct request *request, bool is_retry)
{
    static const struct world calm = { 0 };
    static const struct answer_row answers[MAX_ANSWERS] = { NONE, NEW };
    bool is_whole = false;
    for (size_t ceiling = 0; !is_whole && ceiling < PLENTY; ceiling += 4 * ARENA_ALIGN) {
        struct script script = script_of(name, &calm, answers);
        const struct triage triage = triage_with(&script);
        struct report report;
        struct failure why = { 0 };
        arena_init(&scarce, ceiling);
        is_whole = triage_run(&triage, request, &scarce, &report, &why);
        CHECK(name, is_whole || why.kind == FAIL_INTERNAL || why.kind == FAIL_STORE_DOWN);
        CHECK(name, script.sent <= 2);
        struct view events = text_view(&script.events);
        CHECK(name, is_retry || events.len == 0 || view_starts(events, VIEW(PUT)));
        triage_settle(&triage, &report, &scarce);
        events = text_view(&script.events);
        CHECK(name, !view_contains(events, VIEW("poison")));
        CHECK(name, is_retry || view_contains(events, VIEW("remove m1; ")) == is_whole);
        arena_drop(&scarce);
        arena_drop(&mem);
    }
    CHECK(name, is_whole);
}

static void too_little_memory_loses_nothing(void **state)
{
    (void)state;
    struct arena own;
    arena_init(&own, PLENTY);
    struct view body = view_keep(written(NATIVE, (struct view){ 0 }), &own);
    struct view message = view_keep(stored_form("little memory", body), &own);
    const struct request first = post(body);
    const struct request retry = retry_of(message, 60);
    check_ceilings("a first try with little memory", &first, false);
    check_ceilings("a retry with little memory", &retry, true);
    arena_drop(&own);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(first_tries_are_kept_and_settled),
        TEST(a_deferred_alert_is_answered_to_the_letter),
        TEST(keeping_takes_its_time_from_the_deadline),
        TEST(retries_end_or_come_again),
        TEST(an_empty_message_is_given_up),
        TEST(a_session_that_the_first_try_made_is_found),
        TEST(every_try_asks_for_the_same),
        TEST(a_first_try_asks_for_the_same_stored_or_not),
        TEST(a_dry_run_shows_what_would_be_asked_for),
        TEST(too_little_memory_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
