/*
 * The story of several alerts, of resolved and of mild ones, of others at the same problem, and of what
 * was learned before: every word with the world outside, in its order.
 */
#include "triage.h"

#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

#include <stdio.h>

enum { PLENTY = 16 * 1024 * 1024, MAX_ANSWERS = 8 };

/* Known and gone: what recall() finds, and how enter() ends. */
struct world {
    const char *org, *playbook;
    enum turn turn;
    const char *told, *others; /* # stands for the arrival's own word */
    long long waited_ms;
};

/* In bodies ' stands for ", and $ for the tag that was asked for. */
struct answer_row {
    int status; /* 0: no answer */
    const char *body;
};

struct story {
    const char *name;
    const char *body;
    struct triage_settings settings; /* timeout_ms 0: 30000; max_sessions 0: 5 */
    bool is_v3;
    enum on_refire on_refire;
    const char *playbook;
    struct world world;
    struct answer_row answers[MAX_ANSWERS];
    const char *events;
    const char *reply;
};

/* clang-format off */

#define NATIVE(members) "{'alertName':'n','severity':3,'description':'d'" members "}"
#define GROUP(alerts) "{'receiver':'r','groupKey':'g','alerts':[" alerts "]}"
#define ONE(status, name, severity) \
    "{'status':'" status "','labels':{'alertname':'" name "','severity':'" severity "'},'annotations':{}," \
    "'startsAt':'2024-02-06T12:00:00Z','fingerprint':'f-" name "'}"
#define FIRES(name)   ONE("firing", name, "critical")
#define IS_OVER(name) ONE("resolved", name, "critical")

#define ALL_PASS   .max_severity = 4
#define TELLS      { .max_severity = 4, .on_resolved = RESOLVED_MESSAGE }
#define NONE       { 200, "{'sessions':[]}" }
#define NEW(id)    { 200, "{'session_id':'" id "','url':'https://x/" id "'}" }
#define OPEN(id)   { 200, "{'sessions':[{'session_id':'" id "','status':'running','tags':['$']}]}" }
#define ENDED(id)  { 200, "{'sessions':[{'session_id':'" id "','status':'finished','tags':['$']}]}" }
#define SILENCE    { 200, "{'messages':[]}" }
#define THANKS     { 200, "null" }

#define LOOK       "GET /v1/sessions; "
#define CREATE     "POST /v1/sessions; "
#define TELL(id)   "GET /v1/sessions/" id "; POST /v1/sessions/" id "/message; "
#define ASK        "recall organization; "
#define READ       "GET /v1/sessions/s-9; "
#define TAG        "PUT /v1/sessions/s-9/tags; "
#define GOES_ON    { 200, "{'session_id':'s-9','status':'running','tags':['fp-0','t-0']}" }
#define OVER       { 200, "{'session_id':'s-9','status':'finished','tags':['fp-0','t-0']}" }
#define WITH_OTHERS { .told = "s-9 https://x/9 t-0", .others = "t-1 t-0" }
#define LEARNED(id) "leave fp " id " https://x/" id " #; "
#define OPENED(id) "enter fp; " ASK LOOK CREATE LEARNED(id)

static const struct story stories[] = {
    /* MAX_SEVERITY: less urgent alerts are ignored, what states none passes */
    { "mild", NATIVE(""), { .max_severity = 2 }, false, 0, NULL, { 0 }, { { 0 } }, "",
      "200 ignored: Alert is less urgent than MAX_SEVERITY: no session needed" },
    { "just urgent enough", NATIVE(""), { .max_severity = 3 }, false, 0, NULL, { 0 }, { NEW("s") },
      "enter alert; " ASK CREATE "leave alert s https://x/s #; ", "200 created s" },
    { "nothing stated passes the strictest floor", GROUP(ONE("firing", "a", "sometimes")), { .max_severity = 0 },
      false, 0, NULL, { 0 }, { NONE, NEW("s") }, OPENED("s"), "200 created s" },
    { "one of two is mild", GROUP(ONE("firing", "a", "info") "," FIRES("b")), { .max_severity = 1 },
      false, 0, NULL, { 0 }, { NONE, NEW("s") }, OPENED("s"), "200 created s" },
    { "all are mild", GROUP(ONE("firing", "a", "info") "," ONE("firing", "b", "info")), { .max_severity = 1 },
      false, 0, NULL, { 0 }, { { 0 } }, "",
      "200 ignored: Alert is less urgent than MAX_SEVERITY: no session needed" },
    { "the end of a mild one is told all the same", GROUP(ONE("resolved", "a", "info")),
      { .max_severity = 0, .on_resolved = RESOLVED_MESSAGE }, false, 0, NULL, { 0 },
      { OPEN("o"), SILENCE, THANKS }, ASK LOOK TELL("o"), "200 messaged o" },

    /* several problems */
    { "two problems, two sessions", GROUP(FIRES("a") "," FIRES("b")), { ALL_PASS }, false, 0, NULL, { 0 },
      { NONE, NEW("s"), NONE, NEW("t") }, OPENED("s") OPENED("t"), "200 created s | a created s | b created t" },
    { "one problem twice, one session", GROUP(FIRES("a") "," FIRES("a")), { ALL_PASS }, false, 0, NULL, { 0 },
      { NONE, NEW("s") }, OPENED("s"), "200 created s | a created s +1" },
    { "more than are allowed", GROUP(FIRES("a") "," FIRES("b") "," FIRES("c")),
      { .max_severity = 4, .max_sessions = 2 }, false, 0, NULL, { 0 },
      { NONE, NEW("s"), NONE, NEW("t") },
      OPENED("s") "enter fp; " ASK LOOK CREATE "leave fp t https://x/t # fp-b17d220bbaf22938; ",
      "200 created s | a created s | b created t +1" },
    { "the first fails, the second is opened", GROUP(FIRES("a") "," FIRES("b")), { ALL_PASS }, false, 0, NULL, { 0 },
      { NONE, { 401, "" }, NONE, NEW("t") }, "enter fp; " ASK LOOK CREATE "leave fp ; " OPENED("t"),
      "500 Invalid Devin API key | a Invalid Devin API key | b created t" },
    { "both fail, the first is told", GROUP(FIRES("a") "," FIRES("b")), { ALL_PASS }, false, 0, NULL, { 0 },
      { NONE, { 401, "" }, NONE, { 422, "" } },
      "enter fp; " ASK LOOK CREATE "leave fp ; enter fp; " ASK LOOK CREATE "leave fp ; ",
      "500 Invalid Devin API key | a Invalid Devin API key | b Devin API rejected the request" },

    /* ON_RESOLVED */
    { "resolved is ignored", GROUP(IS_OVER("a")), { ALL_PASS }, false, 0, NULL, { 0 }, { { 0 } }, "",
      "200 ignored: Alert is resolved: no session needed" },
    { "resolved is told", GROUP(IS_OVER("a")), TELLS, false, 0, NULL, { 0 },
      { OPEN("o"), SILENCE, THANKS }, ASK LOOK TELL("o"), "200 messaged o" },
    { "nobody to tell", GROUP(IS_OVER("a")), TELLS, false, 0, NULL, { 0 }, { NONE }, ASK LOOK,
      "200 ignored: Alert is resolved: no session needed" },
    { "nobody to tell any more", GROUP(IS_OVER("a")), TELLS, false, 0, NULL, { 0 }, { ENDED("o") }, ASK LOOK,
      "200 ignored: Alert is resolved: no session needed" },
    { "no list", GROUP(IS_OVER("a")), TELLS, false, 0, NULL, { 0 }, { { 500, "" } }, ASK LOOK,
      "200 ignored: Alert is resolved: no session needed" },
    { "not told", GROUP(IS_OVER("a")), TELLS, false, 0, NULL, { 0 },
      { OPEN("o"), SILENCE, { 500, "" } }, ASK LOOK TELL("o"), "500 Devin API outage" },
    { "the second of two can be told", GROUP(IS_OVER("a") "," IS_OVER("b")), TELLS, false, 0, NULL, { 0 },
      { NONE, OPEN("o"), SILENCE, THANKS }, ASK LOOK ASK LOOK TELL("o"), "200 messaged o | b messaged o" },
    { "one fires, one is over", GROUP(IS_OVER("a") "," FIRES("b")), TELLS, false, 0, NULL, { 0 },
      { NONE, NEW("s"), OPEN("o"), SILENCE, THANKS }, OPENED("s") ASK LOOK TELL("o"),
      "200 created s | b created s | a messaged o" },
    { "what fires comes first", GROUP(IS_OVER("a") "," FIRES("b")), TELLS, false, 0, NULL, { 0 },
      { NONE, { 401, "" } }, "enter fp; " ASK LOOK CREATE "leave fp ; ",
      "500 Invalid Devin API key | b Invalid Devin API key" },
    { "native, resolved", NATIVE(",'alertId':'7','state':'ok'"), TELLS, false, 0, NULL, { 0 },
      { OPEN("o"), SILENCE, THANKS }, ASK LOOK TELL("o"), "200 messaged o" },

    /* others are at it */
    { "told by another request", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL,
      { .turn = TURN_TOLD, .told = "s-9 https://x/9 #" }, { { 0 } }, "enter fp; ", "200 existing s-9" },
    { "another is still at it, but there is a session", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL,
      { .turn = TURN_LATE, .told = "s-9 https://x/9 t-0", .waited_ms = 30000 }, { { 0 } }, "enter fp; ",
      "200 existing s-9" },
    { "another firing joins", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL, WITH_OTHERS,
      { GOES_ON, THANKS }, "enter fp; " ASK READ TAG "leave fp s-9 https://x/9 # t-0 t-1; ", "200 existing s-9" },
    { "another firing joins, tags or not", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL, WITH_OTHERS,
      { GOES_ON, { 500, "" } }, "enter fp; " ASK READ TAG "leave fp s-9 https://x/9 # t-0 t-1; ", "200 existing s-9" },
    { "another firing joins what cannot be read", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL, WITH_OTHERS,
      { { 500, "" } }, "enter fp; " ASK READ "leave fp s-9 https://x/9 # t-0 t-1; ", "200 existing s-9" },
    { "another firing has no time to join", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL,
      { .told = "s-9 https://x/9 t-0", .waited_ms = 30000 },
      { { 0 } }, "enter fp; " ASK "leave fp s-9 https://x/9 # t-0; ", "200 existing s-9" },
    { "another firing finds that it ended", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL, WITH_OTHERS,
      { OVER, NONE, NEW("s") }, "enter fp; " ASK READ LOOK CREATE LEARNED("s"), "200 created s" },
    { "another firing is told", GROUP(FIRES("a")), { ALL_PASS }, false, REFIRE_MESSAGE, NULL,
      { .told = "s-9 https://x/9 t-0" }, { GOES_ON, SILENCE, THANKS, THANKS },
      "enter fp; " ASK READ TELL("s-9") TAG "leave fp s-9 https://x/9 # t-0; ", "200 messaged s-9" },
    { "another is still at it", GROUP(FIRES("a")), { ALL_PASS }, false, 0, NULL,
      { .turn = TURN_LATE, .waited_ms = 30000 }, { { 0 } }, "enter fp; ", "500 Network error to Devin API" },
    { "without an identity the firing counts", NATIVE(",'firedTime':'2024-02-06T12:00:00Z'"), { ALL_PASS },
      false, 0, NULL, { .turn = TURN_TOLD, .told = "s-9 https://x/9 #" }, { { 0 } }, "enter alert; ", "200 existing s-9" },
    { "where another session is wanted, too", GROUP(FIRES("a")), { ALL_PASS }, false, REFIRE_CREATE, NULL,
      { .turn = TURN_TOLD, .told = "s-9 https://x/9 #" }, { { 0 } }, "enter alert; ", "200 existing s-9" },

    /* what was learned before, and what is learned now */
    { "nothing is known", GROUP(FIRES("a")), { ALL_PASS }, true, 0, "b", { 0 },
      { { 200, "{'org_id':'o'}" }, { 200, "{'items':[{'playbook_id':'playbook-1','title':'b'}]}" },
        { 200, "{'items':[]}" }, NEW("s") },
      "enter fp; " ASK "recall playbook b; GET /v3/self; GET /v3/organizations/o/playbooks; "
      "GET /v3/organizations/o/sessions; POST /v3/organizations/o/sessions; "
      "remember organization=o for good; remember playbook b=1playbook-1 for 600000; " LEARNED("s"),
      "200 created s" },
    { "all is known", GROUP(FIRES("a")), { ALL_PASS }, true, 0, "b", { .org = "o", .playbook = "1playbook-1" },
      { { 200, "{'items':[]}" }, NEW("s") },
      "enter fp; " ASK "recall playbook b; GET /v3/organizations/o/sessions; "
      "POST /v3/organizations/o/sessions; " LEARNED("s"), "200 created s" },
    { "a playbook that is absent is asked for again soon", GROUP(FIRES("a")), { ALL_PASS }, false, 0, "b", { 0 },
      { { 200, "[]" }, NONE, NEW("s") },
      "enter fp; " ASK "recall playbook b; GET /v1/playbooks; " LOOK CREATE
      "remember playbook b=2 for 60000; " LEARNED("s"), "200 created s" },
    { "so is one of two", GROUP(FIRES("a")), { ALL_PASS }, false, 0, "b", { 0 },
      { { 200, "[{'playbook_id':'playbook-1','title':'b'},{'playbook_id':'playbook-2','title':'b'}]" }, NONE, NEW("s") },
      "enter fp; " ASK "recall playbook b; GET /v1/playbooks; " LOOK CREATE
      "remember playbook b=3 for 60000; " LEARNED("s"), "200 created s" },
    { "so is a list that cannot be read", GROUP(FIRES("a")), { ALL_PASS }, false, 0, "b", { 0 },
      { { 500, "" }, NONE, NEW("s") },
      "enter fp; " ASK "recall playbook b; GET /v1/playbooks; " LOOK CREATE
      "remember playbook b=4 for 60000; " LEARNED("s"), "200 created s" },
    { "known to be absent", GROUP(FIRES("a")), { ALL_PASS }, false, 0, "b", { .playbook = "2" },
      { NONE, NEW("s") }, "enter fp; " ASK "recall playbook b; " LOOK CREATE LEARNED("s"), "200 created s" },
    { "what was learned is remembered where the create fails", GROUP(FIRES("a")), { ALL_PASS }, true, 0, NULL, { 0 },
      { { 200, "{'org_id':'o'}" }, { 200, "{'items':[]}" }, { 401, "" } },
      "enter fp; " ASK "GET /v3/self; GET /v3/organizations/o/sessions; POST /v3/organizations/o/sessions; "
      "remember organization=o for good; leave fp ; ", "500 Invalid Devin API key" },
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
    const struct story *story;
    struct text events;
    size_t sent;
    char word[64]; /* of whoever entered last */
};

/* "fp" and "alert" stand for the tags that begin so. */
static void say_key(struct text *to, struct view key)
{
    if (view_starts(key, VIEW("fp-")))
        text_add_string(to, "fp");
    else if (view_starts(key, VIEW("alert-")))
        text_add_string(to, "alert");
    else
        text_add(to, key);
}

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
    CHECK(script->story->name, script->sent < MAX_ANSWERS);
    const struct answer_row *answer = &script->story->answers[script->sent++];
    view_cut(view_of(call->path), '?', &path, &query);
    text_add_string(&script->events, call->method);
    text_add_char(&script->events, ' ');
    text_add(&script->events, path);
    text_add_string(&script->events, "; ");
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
    assert_true(patience_ms >= 0);
    *waited_ms = 0;
    return true;
}

static void script_wait(void *state, long long ms)
{
    struct script *script = state;
    (void)ms;
    text_add_string(&script->events, "wait; ");
}

static bool script_recall(void *state, struct view key, struct arena *arena, struct view *value)
{
    struct script *script = state;
    const struct world *world = &script->story->world;
    bool is_org = view_equal(key, VIEW("organization"));
    const char *known = is_org ? world->org : world->playbook;
    text_add_string(&script->events, "recall ");
    text_add(&script->events, key);
    text_add_string(&script->events, "; ");
    if (known == NULL)
        return false;
    *value = view_keep(view_of(known), arena);
    return value->at != NULL;
}

/* Longer than this process lives. */
static const long long GOOD_MS = 1000LL * 60 * 60 * 24 * 30;

static void script_remember(void *state, struct view key, struct view value, long long ttl_ms)
{
    struct script *script = state;
    text_add_string(&script->events, "remember ");
    text_add(&script->events, key);
    text_add_char(&script->events, '=');
    text_add(&script->events, value);
    text_add_string(&script->events, " for ");
    if (ttl_ms > GOOD_MS)
        text_add_string(&script->events, "good");
    else
        text_add_number(&script->events, ttl_ms);
    text_add_string(&script->events, "; ");
}

/* With the arrival's word for #. */
static struct view with_word(const char *words, struct view word, struct arena *arena)
{
    struct text text = text_in(arena, 4096);
    for (; words != NULL && *words != '\0'; words++)
        if (*words == '#')
            text_add(&text, word);
        else
            text_add_char(&text, *words);
    return text_ok(&text) ? text_view(&text) : (struct view){ 0 };
}

static enum turn script_enter(void *state, struct arrival *arrival, struct arena *arena)
{
    struct script *script = state;
    const struct world *world = &script->story->world;
    CHECK(script->story->name, arrival->patience_ms > 0 && arrival->patience_ms <= 30000);
    CHECK(script->story->name, script->story->on_refire == REFIRE_JOIN || arrival->brings.len == 0);
    snprintf(script->word, sizeof script->word, "%.*s", (int)arrival->word.len, arrival->word.at);
    text_add_string(&script->events, "enter ");
    say_key(&script->events, arrival->key);
    text_add_string(&script->events, "; ");
    arrival->waited_ms = world->waited_ms;
    arrival->result = with_word(world->told, arrival->word, arena);
    if (arrival->result.len > 0)
        arrival->others = with_word(world->others, arrival->word, arena);
    return world->turn == TURN_TOLD && arrival->result.len == 0 ? TURN_LATE : world->turn;
}

/* As a story tells it. */
static void say_result(struct text *to, struct view result, struct view own)
{
    while (result.len > 0) {
        struct view word;
        view_cut(result, ' ', &word, &result);
        text_add(to, view_equal(word, own) ? VIEW("#") : word);
        text_add_string(to, result.len > 0 ? " " : "");
    }
}

static void script_leave(void *state, struct view key, struct view result)
{
    struct script *script = state;
    text_add_string(&script->events, "leave ");
    say_key(&script->events, key);
    text_add_char(&script->events, ' ');
    say_result(&script->events, result, view_of(script->word));
    text_add_string(&script->events, "; ");
}

/* --- helpers ---------------------------------------------------------------------------------- */

static struct triage triage_with(struct script *script)
{
    const struct story *story = script->story;
    struct triage triage = {
        .settings = story->settings,
        .prompt = { .target_repo = VIEW("https://github.com/org/repo") },
        .playbook = { .fallback = view_of(story->playbook) },
        .devin = { .retry = { .tries = 1, .first_ms = 1000 },
                   .api = { story->is_v3 ? API_V3 : API_V1, { 0 } },
                   .on_refire = story->on_refire,
                   .max_messages = 5 },
        .wire = { .state = script,
                  .send = script_send,
                  .wait = script_wait,
                  .pace = script_pace,
                  .recall = script_recall,
                  .remember = script_remember,
                  .enter = script_enter,
                  .leave = script_leave },
    };
    triage.settings.timeout_ms = 30000;
    if (triage.settings.max_sessions == 0)
        triage.settings.max_sessions = 5;
    return triage;
}

/* "created s", "ignored: why" or "details", as an answer or one of its sessions has it. */
static void say_one(struct text *to, const struct cJSON *node)
{
    struct view id = json_text(json_at(node, "sessionId"));
    struct view action = json_text(json_at(node, "action"));
    if (action.len == 0) {
        text_add(to, json_text(json_at(node, "details")));
        return;
    }
    text_add(to, action);
    text_add_string(to, id.len > 0 ? " " : ": ");
    text_add(to, id.len > 0 ? id : json_text(json_at(node, "message")));
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
        text_add_string(&text, " | ");
        text_add(&text, json_text(json_at(one, "alertName")));
        text_add_char(&text, ' ');
        say_one(&text, one);
        if (json_at(one, "furtherAlerts") != NULL) {
            text_add_string(&text, " +");
            text_add(&text, json_as_text(json_at(one, "furtherAlerts"), &mem));
        }
    }
    struct view kept = view_keep(text_view(&text), &mem);
    json_free(&json);
    return kept;
}

static struct reply tell(const struct story *story, struct script *script, struct arena *arena,
                         struct report *report, struct failure *why)
{
    *script = (struct script){ .story = story, .events = text_in(&mem, 4096) };
    const struct triage triage = triage_with(script);
    const struct request request = { .method = VIEW("POST"),
                                     .path = VIEW("/api/trigger-devin"),
                                     .body = written(story->body, VIEW("")) };
    return triage_run(&triage, &request, arena, report, why)
               ? triage_reply(report, arena)
               : triage_reply_failure(why, report, arena);
}

#define FIFTY "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define FAR   FIFTY FIFTY FIFTY FIFTY FIFTY

/* What leave() was given; empty where nobody left. */
static struct view left_with(struct view events)
{
    struct view mark = VIEW("leave alert ");
    struct view told;
    struct view rest;
    while (events.len > 0 && !view_starts(events, mark))
        events = view_skip(events, 1);
    view_cut(view_skip(events, mark.len), ';', &told, &rest);
    return told;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void stories_take_their_course(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        struct script script;
        struct report report;
        struct failure why = { 0 };
        struct reply reply = tell(&stories[i], &script, &mem, &report, &why);
        CHECK_VIEW(stories[i].name, text_view(&script.events), view_of(stories[i].events));
        CHECK_VIEW(stories[i].name, say_reply(&reply), view_of(stories[i].reply));
        CHECK(stories[i].name, (size_t)report.calls == script.sent);
    }
}

/* What an open session is told names the alert, its time and its id, and can be told from a person's. */
static struct view last_message;

static void hear(void *state, const struct call *call, long long timeout_ms, struct arena *arena,
                 struct answer *out)
{
    script_send(state, call, timeout_ms, arena, out);
    if (view_equal(view_of(call->method), VIEW("POST")))
        last_message = view_keep(call->body, &mem);
}

static void messages_say_what_happened(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum on_refire on_refire;
        const char *message;
    } rows[] = {
        { NATIVE(",'alertId':'7','firedTime':'2024-02-06T12:00:00Z','state':'ok'"), REFIRE_JOIN,
          "{'message':'Alert bridge: this alert is resolved: [Sev3] n, at 2024-02-06T12:00:00Z, id "
          "7'}" },
        { NATIVE(",'alertId':'7'"), REFIRE_MESSAGE,
          "{'message':'Alert bridge: this alert fired again: [Sev3] n, id 7'}" },
        { NATIVE(",'source':'kibana'"), REFIRE_MESSAGE,
          "{'message':'Alert bridge: this alert fired again: [Sev3] n'}" },
    };
    static const struct answer_row answers[] = { OPEN("o"), SILENCE, THANKS, THANKS };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct story story = { .name = rows[i].body,
                               .settings = TELLS,
                               .on_refire = rows[i].on_refire };
        struct script script = { .story = &story, .events = text_in(&mem, 4096) };
        struct triage triage = triage_with(&script);
        const struct request request = { .body = written(rows[i].body, VIEW("")) };
        struct report report;
        struct failure why = { 0 };
        memcpy(story.answers, answers, sizeof answers);
        triage.wire.send = hear;
        last_message = (struct view){ 0 };
        CHECK(rows[i].body, triage_run(&triage, &request, &mem, &report, &why));
        CHECK(rows[i].body, report.outcomes[0].action == ACTION_MESSAGED);
        CHECK_VIEW(rows[i].body, last_message, written(rows[i].message, VIEW("")));
    }
}

/* One deadline for all: what a turn took is gone, and the second problem has what the first one left. */
static void waiting_for_others_takes_time(void **state)
{
    (void)state;
    static const struct story story = {
        .name = "late",
        .body = GROUP(FIRES("a") "," FIRES("b")),
        .settings = { ALL_PASS },
        .world = { .turn = TURN_LEAD, .waited_ms = 14900 },
        .answers = { NONE, NEW("s"), NONE, NEW("t") },
    };
    struct script script;
    struct report report;
    struct failure why = { 0 };
    struct reply reply = tell(&story, &script, &mem, &report, &why);
    CHECK_VIEW("reply", say_reply(&reply), VIEW("200 created s | a created s | b created t"));
    assert_int_equal(report.devin_ms, 2 * 14900 + 4 * 10);
}

/*
 * With each ceiling a story ends as it does, or in a failure of ours; whoever leads leaves, and nobody
 * is told of half a session.
 */
static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        const struct story *story = &stories[i];
        bool is_whole = false;
        for (size_t ceiling = 0; !is_whole && ceiling < PLENTY;
             ceiling += 16 * ARENA_ALIGN * check_step()) {
            struct script script;
            struct report report;
            struct failure why = { 0 };
            arena_init(&scarce, ceiling);
            struct reply reply = tell(story, &script, &scarce, &report, &why);
            struct view events = text_view(&script.events);
            CHECK(story->name, reply.status == 200 || reply.status == 500);
            is_whole = view_equal(events, view_of(story->events)) && arena_ok(&scarce);
            bool has_entered =
                view_starts(events, VIEW("enter ")) && story->world.turn == TURN_LEAD;
            CHECK(story->name, !has_entered || view_contains(events, VIEW("leave ")));
            bool may_fail =
                story->world.turn != TURN_LEAD || view_starts(view_of(story->reply), VIEW("500"));
            CHECK(story->name, reply.status == 200 || may_fail || why.kind == FAIL_INTERNAL);
            if (is_whole)
                CHECK_VIEW(story->name, say_reply(&reply), view_of(story->reply));
            arena_drop(&scarce);
        }
        CHECK(story->name, is_whole);
        arena_drop(&mem);
        arena_init(&mem, PLENTY);
    }
}

/* Others are told of a session whole, or they look for it themselves. */
static void nobody_is_told_of_half_a_session(void **state)
{
    (void)state;
    static const struct story story = {
        .name = "a long way",
        .body = NATIVE(""),
        .settings = { ALL_PASS },
        .answers = { { 200, "{'session_id':'s','url':'https://x/" FAR "'}" } },
    };
    bool is_whole = false;
    for (size_t ceiling = 0; !is_whole && ceiling < PLENTY; ceiling += ARENA_ALIGN * check_step()) {
        struct script script;
        struct report report;
        struct failure why = { 0 };
        arena_init(&scarce, ceiling);
        (void)tell(&story, &script, &scarce, &report, &why);
        struct view events = text_view(&script.events);
        is_whole = view_contains(events, VIEW("leave alert s https://x/" FAR " #; "));
        CHECK_VIEW(story.name, is_whole ? VIEW("") : left_with(events), VIEW(""));
        arena_drop(&scarce);
    }
    assert_true(is_whole);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stories_take_their_course),
        TEST(messages_say_what_happened),
        TEST(waiting_for_others_takes_time),
        TEST(nobody_is_told_of_half_a_session),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests_name("triage_problems", tests, NULL, NULL);
}
