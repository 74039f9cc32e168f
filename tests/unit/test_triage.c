/* The whole story with a scripted wire: from a request's bytes to a reply's. */
#include "triage.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "support/process.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

enum { PLENTY = 16 * 1024 * 1024, MAX_SENDS = 8 };

#define NATIVE "{\"alertName\":\"name\",\"severity\":1,\"description\":\"text\"}"
#define AZURE(condition)                                                             \
    "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"     \
    "\"alertRule\":\"name\",\"severity\":\"Sev1\",\"monitorCondition\":\"" condition \
    "\",\"description\":\"text\"}}}"

#define SESSION "{\"session_id\":\"s-1\",\"url\":\"https://app.devin.ai/sessions/s-1\"}"
#define AGAIN                                                                                  \
    "{\"session_id\":\"s-1\",\"url\":\"https://app.devin.ai/sessions/s-1\",\"is_new_session\"" \
    ":false}"

/* What the API reference and DESIGN promise, byte for byte. */
#define CREATED(fingerprint)                                                                       \
    "{\"success\":true,\"sessionId\":\"s-1\",\"sessionUrl\":\"https://app.devin.ai/sessions/"      \
    "s-1\",\"message\":\"Devin session created successfully\",\"action\":\"created\"," fingerprint \
    "}"
#define EXISTING(fingerprint)                                                                 \
    "{\"success\":true,\"sessionId\":\"s-1\",\"sessionUrl\":\"https://app.devin.ai/sessions/" \
    "s-1\",\"message\":\"Devin session already exists for this "                              \
    "alert\",\"action\":\"existing\"," fingerprint "}"
#define NATIVE_PRINT                                                                            \
    "\"fingerprint\":\"fp-8dfbe4a7abf2b00a\",\"fingerprintOf\":[{\"key\":\"source\",\"value\":" \
    "\"native\"},"                                                                              \
    "{\"key\":\"name\",\"value\":\"name\"}]"
#define AZURE_PRINT                                                                             \
    "\"fingerprint\":\"fp-2f477ccce1960404\",\"fingerprintOf\":[{\"key\":\"source\",\"value\":" \
    "\"azure-"                                                                                  \
    "monitor\"},"                                                                               \
    "{\"key\":\"name\",\"value\":\"name\"}]"
#define IGNORED                                                                          \
    "{\"success\":true,\"message\":\"Alert is resolved: no session needed\",\"action\":" \
    "\"ignored\"}"
#define FAILED(details) \
    "{\"success\":false,\"error\":\"Failed to create Devin session\",\"details\":\"" details "\"}"

/* --- tables ----------------------------------------------------------------------------------- */

/* An answer of the scripted Devin; a time-out takes all the time it was given. */
struct scripted {
    int status; /* 0: time-out, -1: not connected, -2: broken */
    long long elapsed_ms;
    long long retry_after_ms;
    struct view body;
};

/* A request, Devin's answers, and all that must come of it. */
static const struct {
    const char *name;
    struct view body;
    struct scripted answers[MAX_SENDS];
    long long spent_ms;
    const char *moves;
    int status, retry_after_s;
    const char *reply;
    long long devin_ms;
} stories[] = {
    { "native",
      BYTES_OF(NATIVE),
      { { 200, 900, 0, BYTES_OF(SESSION) } },
      0,
      "send 15000;",
      200,
      0,
      CREATED(NATIVE_PRINT),
      900 },
    { "Azure",
      BYTES_OF(AZURE("Fired")),
      { { 200, 900, 0, BYTES_OF(SESSION) } },
      0,
      "send 4000;",
      200,
      0,
      CREATED(AZURE_PRINT),
      900 },
    { "existing",
      BYTES_OF(NATIVE),
      { { 200, 1, 0, BYTES_OF(AGAIN) } },
      0,
      "send 15000;",
      200,
      0,
      EXISTING(NATIVE_PRINT),
      1 },
    { "Azure, existing",
      BYTES_OF(AZURE("Fired")),
      { { 200, 1, 0, BYTES_OF(AGAIN) } },
      0,
      "send 4000;",
      200,
      0,
      EXISTING(AZURE_PRINT),
      1 },
    { "resolved", BYTES_OF(AZURE("Resolved")), { { 0 } }, 0, "", 200, 0, IGNORED, 0 },
    { "native, resolved",
      BYTES_OF("{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\",\"state\":\"ok\"}"),
      { { 0 } },
      0,
      "",
      200,
      0,
      IGNORED,
      0 },

    /* tries, waits, time already spent */
    { "twice busy",
      BYTES_OF(NATIVE),
      { { 429, 10, 0, { 0 } }, { 429, 10, 0, { 0 } }, { 200, 10, 0, BYTES_OF(SESSION) } },
      0,
      "send 15000;wait 1000;send 14495;wait 2000;send 26980;",
      200,
      0,
      CREATED(NATIVE_PRINT),
      3030 },
    { "time spent before",
      BYTES_OF(NATIVE),
      { { 200, 0, 0, BYTES_OF(SESSION) } },
      10000,
      "send 10000;",
      200,
      0,
      CREATED(NATIVE_PRINT),
      0 },
    { "Azure, time spent before",
      BYTES_OF(AZURE("Fired")),
      { { 200, 0, 0, BYTES_OF(SESSION) } },
      3000,
      "send 2500;",
      200,
      0,
      CREATED(AZURE_PRINT),
      0 },
    { "all time spent before",
      BYTES_OF(NATIVE),
      { { 200, 0, 0, BYTES_OF(SESSION) } },
      30000,
      "",
      500,
      0,
      FAILED("Network error to Devin API"),
      0 },
    { "Azure, all time spent before",
      BYTES_OF(AZURE("Fired")),
      { { 200, 0, 0, BYTES_OF(SESSION) } },
      8000,
      "",
      503,
      10,
      FAILED("Network error to Devin API"),
      0 },
    { "native, eight seconds spent",
      BYTES_OF(NATIVE),
      { { 200, 0, 0, BYTES_OF(SESSION) } },
      8000,
      "send 11000;",
      200,
      0,
      CREATED(NATIVE_PRINT),
      0 },
    { "Azure, silent",
      BYTES_OF(AZURE("Fired")),
      { { 0 }, { 0 }, { 0 } },
      0,
      "send 4000;wait 1000;send 3000;",
      503,
      10,
      FAILED("Network error to Devin API"),
      8000 },
    { "native, silent",
      BYTES_OF(NATIVE),
      { { 0 }, { 0 }, { 0 } },
      0,
      "send 15000;wait 1000;send 7000;wait 2000;send 5000;",
      500,
      0,
      FAILED("Network error to Devin API"),
      30000 },
    { "Retry-After",
      BYTES_OF(NATIVE),
      { { 429, 0, 5000, { 0 } }, { 200, 0, 0, BYTES_OF(SESSION) } },
      0,
      "send 15000;wait 5000;send 12500;",
      200,
      0,
      CREATED(NATIVE_PRINT),
      5000 },
    { "Azure, Retry-After of an hour",
      BYTES_OF(AZURE("Fired")),
      { { 429, 0, 3600000, { 0 } }, { 429, 0, 3600000, { 0 } } },
      0,
      "send 4000;wait 7000;send 1000;",
      503,
      10,
      FAILED("API rate limit exceeded"),
      7000 },

    /* faults that pass: 500, and 503 with Retry-After for Azure's own */
    { "busy",
      BYTES_OF(NATIVE),
      { { .status = 429 }, { .status = 429 }, { .status = 429 } },
      0,
      "send 15000;wait 1000;send 14500;wait 2000;send 27000;",
      500,
      0,
      FAILED("API rate limit exceeded"),
      3000 },
    { "Azure, busy",
      BYTES_OF(AZURE("Fired")),
      { { .status = 429 }, { .status = 429 }, { .status = 429 } },
      0,
      "send 4000;wait 1000;send 3500;wait 2000;send 5000;",
      503,
      10,
      FAILED("API rate limit exceeded"),
      3000 },
    { "outage",
      BYTES_OF(NATIVE),
      { { .status = 500 }, { .status = 502 }, { .status = 503 } },
      0,
      "send 15000;wait 1000;send 14500;wait 2000;send 27000;",
      500,
      0,
      FAILED("Devin API outage"),
      3000 },
    { "Azure, outage",
      BYTES_OF(AZURE("Fired")),
      { { .status = 503 }, { .status = 503 }, { .status = 503 } },
      0,
      "send 4000;wait 1000;send 3500;wait 2000;send 5000;",
      503,
      10,
      FAILED("Devin API outage"),
      3000 },
    { "Azure, not connected",
      BYTES_OF(AZURE("Fired")),
      { { .status = -1 }, { .status = -1 }, { .status = -1 } },
      0,
      "send 4000;wait 1000;send 3500;wait 2000;send 5000;",
      503,
      10,
      FAILED("Network error to Devin API"),
      3000 },
    { "Azure, broken",
      BYTES_OF(AZURE("Fired")),
      { { .status = -2 }, { .status = -2 }, { .status = -2 } },
      0,
      "send 4000;wait 1000;send 3500;wait 2000;send 5000;",
      503,
      10,
      FAILED("Network error to Devin API"),
      3000 },
    { "a native payload that says azure-monitor",
      BYTES_OF("{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\",\"source\":"
               "\"azure-monitor\"}"),
      { { .status = 429 }, { .status = 429 }, { .status = 429 } },
      0,
      "send 15000;wait 1000;send 14500;wait 2000;send 27000;",
      500,
      0,
      FAILED("API rate limit exceeded"),
      3000 },

    /* faults that stay: 500 for everybody, once */
    { "key",
      BYTES_OF(NATIVE),
      { { .status = 401 } },
      0,
      "send 15000;",
      500,
      0,
      FAILED("Invalid Devin API key"),
      0 },
    { "Azure, key",
      BYTES_OF(AZURE("Fired")),
      { { .status = 403 } },
      0,
      "send 4000;",
      500,
      0,
      FAILED("Invalid Devin API key"),
      0 },
    { "rejected",
      BYTES_OF(NATIVE),
      { { 422, 0, 0, BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"prompt\"]}]}") } },
      0,
      "send 15000;",
      500,
      0,
      FAILED("Devin API rejected the request: prompt"),
      0 },
    { "Azure, rejected",
      BYTES_OF(AZURE("Fired")),
      { { .status = 400 } },
      0,
      "send 4000;",
      500,
      0,
      FAILED("Devin API rejected the request"),
      0 },
    { "wrong URL",
      BYTES_OF(AZURE("Fired")),
      { { .status = 404 } },
      0,
      "send 4000;",
      500,
      0,
      FAILED("Devin API not found at DEVIN_API_URL"),
      0 },
    { "no session",
      BYTES_OF(AZURE("Fired")),
      { { 200, 0, 0, BYTES_OF("{}") } },
      0,
      "send 4000;",
      500,
      0,
      FAILED("Devin API answered without a session"),
      0 },

    /* bad input never reaches Devin */
    { "not JSON",
      BYTES_OF("x"),
      { { 0 } },
      0,
      "",
      400,
      0,
      "{\"success\":false,\"error\":\"Invalid JSON body\","
      "\"details\":\"line 1, column 1: expected a value\"}",
      0 },
    { "no name",
      BYTES_OF("{}"),
      { { 0 } },
      0,
      "",
      400,
      0,
      "{\"success\":false,\"error\":\"Missing required field: alertName\"}",
      0 },
    { "severity",
      BYTES_OF("{\"alertName\":\"n\",\"severity\":9,\"description\":\"d\"}"),
      { { 0 } },
      0,
      "",
      400,
      0,
      "{\"success\":false,\"error\":\"Invalid field: severity must be a number from 0 to 4\"}",
      0 },
    { "Azure without a rule",
      BYTES_OF("{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{}}}"),
      { { 0 } },
      0,
      "",
      400,
      0,
      "{\"success\":false,\"error\":\"Missing required field: data.essentials.alertRule\"}",
      0 },
};

/* The deadline: DEVIN_TIMEOUT_MS, and 8 s at most for Azure's own. */
static const struct {
    struct view body;
    long long timeout_ms;
    const char *moves;
} deadlines[] = {
    { BYTES_OF(NATIVE), 110000, "send 55000;" },
    { BYTES_OF(NATIVE), 5000, "send 2500;" },
    { BYTES_OF(NATIVE), 100, "send 100;" },
    { BYTES_OF(AZURE("Fired")), 110000, "send 4000;" },
    { BYTES_OF(AZURE("Fired")), 8000, "send 4000;" },
    { BYTES_OF(AZURE("Fired")), 5000, "send 2500;" },
    { BYTES_OF(AZURE("Fired")), 100, "send 100;" },
};

static const struct {
    const char *name;
    const char *wanted, *value;
} headers[] = {
    { "exact", "Content-Type", "text/plain" },
    { "case", "content-TYPE", "text/plain" },
    { "first of two", "X-Twice", "one" },
    { "trimmed", "X-Blank", "v" },
    { "absent", "X-Absent", "" },
    { "part of a name", "Content", "" },
};

#define X(name, status, passing, error, details) FAIL_##name,
static const enum failure_kind all_kinds[] = { FAILURES(X) };
#undef X

/* --- the scripted wire ------------------------------------------------------------------------ */

struct script {
    const struct scripted *answers;
    struct text moves;
    struct view first_body;
    size_t sends;
    size_t asides; /* lists: answered with nothing, in no time */
    bool oversleeps;
};

static void answer_aside(struct script *script, const struct call *call, struct answer *out)
{
    script->asides++;
    assert_true(view_starts(view_of(call->path), VIEW("/v1/")));
    *out = (struct answer){ .status = 200, .body = VIEW("{\"sessions\":[]}") };
}

static void script_send(void *state, const struct call *call, long long timeout_ms,
                        struct arena *arena, struct answer *out)
{
    struct script *script = state;
    (void)arena;
    if (view_equal(view_of(call->method), VIEW("GET"))) {
        answer_aside(script, call, out);
        return;
    }
    const struct scripted *next = &script->answers[script->sends++];
    text_add_string(&script->moves, "send ");
    text_add_number(&script->moves, timeout_ms);
    text_add_char(&script->moves, ';');
    if (script->sends == 1)
        script->first_body = call->body;
    CHECK_VIEW("same bytes on each try", call->body, script->first_body);
    assert_true(script->sends <= MAX_SENDS);
    assert_string_equal(call->method, "POST");
    assert_string_equal(call->path, "/v1/sessions");
    *out = (struct answer){
        .kind = next->status == -1   ? ANSWER_NOT_CONNECTED
                : next->status == -2 ? ANSWER_BROKEN
                : next->status == 0  ? ANSWER_TIMEOUT
                                     : ANSWER_HTTP,
        .status = next->status > 0 ? next->status : 0,
        .body = next->body,
        .retry_after_ms = next->retry_after_ms,
        .elapsed_ms = next->status == 0 ? timeout_ms : next->elapsed_ms,
    };
}

static bool script_pace(void *state, long long patience_ms, long long *waited_ms)
{
    const struct script *script = state;
    assert_true(patience_ms >= 0);
    *waited_ms = script->oversleeps ? patience_ms + 1 : 0;
    return true;
}

static void script_wait(void *state, long long ms)
{
    struct script *script = state;
    text_add_string(&script->moves, "wait ");
    text_add_number(&script->moves, ms);
    text_add_char(&script->moves, ';');
}

/* Nothing is known and nobody else is there. */
static bool script_recall(void *state, struct view key, struct arena *arena, struct view *value)
{
    (void)state;
    (void)arena;
    (void)value;
    assert_true(key.len > 0);
    return false;
}

static void script_remember(void *state, struct view key, struct view value, long long ttl_ms)
{
    (void)state;
    (void)value;
    assert_true(key.len > 0 && ttl_ms > 0);
}

static enum turn script_enter(void *state, struct arrival *arrival, struct arena *arena)
{
    (void)state;
    (void)arena;
    assert_true(arrival->key.len > 0);
    return TURN_LEAD;
}

static void script_leave(void *state, struct view key, struct view result)
{
    (void)state;
    (void)result;
    assert_true(key.len > 0);
}

/* --- helpers ---------------------------------------------------------------------------------- */

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

static struct script script_of(const struct scripted *answers)
{
    return (struct script){ .answers = answers, .moves = text_in(&mem, 4096) };
}

static struct triage triage_with(struct script *script)
{
    return (struct triage){
        .settings = { .timeout_ms = 30000, .max_sessions = 5, .max_severity = 4 },
        .prompt = { .target_repo = VIEW("https://github.com/org/repo") },
        .playbook = { .fallback = VIEW("playbook-1") },
        .devin = { .retry = { .tries = 3, .first_ms = 1000 }, .max_messages = 5 },
        .wire = { .state = script,
                  .send = script_send,
                  .wait = script_wait,
                  .pace = script_pace,
                  .recall = script_recall,
                  .remember = script_remember,
                  .enter = script_enter,
                  .leave = script_leave },
    };
}

static struct request post(struct view body)
{
    return (
        struct request){ .method = VIEW("POST"), .path = VIEW("/api/trigger-devin"), .body = body };
}

/* Runs it and gives the reply that leaves. */
static struct reply run(const struct triage *triage, const struct request *request,
                        struct arena *arena, struct report *report, struct failure *why)
{
    return triage_run(triage, request, arena, report, why)
               ? triage_reply(report, arena)
               : triage_reply_failure(why, report, arena);
}

static void check_reply(const char *row, const struct reply *reply, int status, const char *body)
{
    CHECK_VIEW(row, reply->body, view_of(body));
    CHECK(row, reply->status == status);
}

/* Cuts "word number;" off the front; false at the end. */
static bool next_move(struct view *moves, struct view *word, long long *ms)
{
    struct view move;
    struct view number;
    if (moves->len == 0)
        return false;
    view_cut(*moves, ';', &move, moves);
    assert_true(view_cut(move, ' ', word, &number));
    assert_true(view_to_number(number, 0, 1000000, ms));
    return true;
}

static bool is_near(long long a, long long b, long long slack)
{
    return a - b <= slack && b - a <= slack;
}

/*
 * The same moves: waits of ours (those up to 4 s) may differ by a fifth, and what is left of the time
 * by as much as all waits before.  Gives that slack.
 */
static long long check_moves(const char *row, struct view got, struct view wanted)
{
    long long slack_ms = 0;
    struct view rest = got;
    struct view expected = wanted;
    struct view word;
    struct view other;
    long long ms;
    long long other_ms;
    while (next_move(&expected, &word, &ms)) {
        bool is_ours = view_equal(word, VIEW("wait")) && ms <= 4000;
        bool is_same = next_move(&rest, &other, &other_ms) && view_equal(word, other)
                       && is_near(ms, other_ms, is_ours ? ms / 5 : slack_ms);
        if (!is_same)
            CHECK_VIEW(row, got, wanted);
        slack_ms += is_ours ? ms / 5 : 0;
    }
    if (rest.len > 0)
        CHECK_VIEW(row, got, wanted);
    return slack_ms;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void stories_take_their_course(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(stories); i++) {
        const char *row = stories[i].name;
        struct script script = script_of(stories[i].answers);
        struct triage triage = triage_with(&script);
        struct request request = post(stories[i].body);
        struct report report;
        struct failure why = { 0 };
        request.spent_ms = stories[i].spent_ms;
        memset(&report, 'x', sizeof report);
        struct reply reply = run(&triage, &request, &mem, &report, &why);
        long long slack_ms = check_moves(row, text_view(&script.moves), view_of(stories[i].moves));
        check_reply(row, &reply, stories[i].status, stories[i].reply);
        CHECK(row, reply.retry_after_s == stories[i].retry_after_s);
        CHECK(row, reply.allow == NULL);
        CHECK(row, is_near(report.devin_ms, stories[i].devin_ms, slack_ms));
        CHECK(row, (size_t)report.tries == script.sends);
        CHECK(row, (size_t)report.calls == script.sends + script.asides);
    }
}

static void deadlines_depend_on_the_sender(void **state)
{
    (void)state;
    static const struct scripted answers[] = { { .status = 401 } };
    for (size_t i = 0; i < COUNT_OF(deadlines); i++) {
        struct script script = script_of(answers);
        struct triage triage = triage_with(&script);
        struct request request = post(deadlines[i].body);
        struct report report;
        struct failure why = { 0 };
        triage.settings.timeout_ms = deadlines[i].timeout_ms;
        (void)run(&triage, &request, &mem, &report, &why);
        CHECK_VIEW(deadlines[i].moves, text_view(&script.moves), view_of(deadlines[i].moves));
    }
}

/* What Devin gets: the prompt, the title and the playbook of this very alert. */
static void the_call_carries_prompt_title_and_playbook(void **state)
{
    (void)state;
    static const struct scripted answers[] = { { 200, 0, 0, BYTES_OF(SESSION) } };
    struct script script = script_of(answers);
    struct triage triage = triage_with(&script);
    struct request request =
        post(process_read_file("tests/cases/samples/generic/full-contract.json", &mem));
    struct report report;
    struct failure why = { 0 };
    struct json json;
    struct view prompt;
    triage.playbook.routes = VIEW("auth=playbook-1,token=playbook-2,mcp=playbook-3");
    assert_true(triage_run(&triage, &request, &mem, &report, &why));
    assert_true(json_read(script.first_body, &mem, &json, &why));
    assert_true(prompt_render(&report.problems.at[0], &triage.prompt, &mem, &prompt, &why));
    CHECK_VIEW("prompt", json_text(json_at(json.root, "prompt")), prompt);
    CHECK_VIEW("title", json_text(json_at(json.root, "title")),
               VIEW("[Sev1] mcp-token-expiration on aks-mcp-server-prod"));
    CHECK_VIEW("playbook", json_text(json_at(json.root, "playbook_id")), VIEW("playbook-2"));
    assert_true(json_is_true(json_at(json.root, "idempotent")));
    json_free(&json);
}

static void the_outcome_tells_what_happened(void **state)
{
    (void)state;
    static const struct scripted answers[] = { { 200, 5, 0, BYTES_OF(SESSION) } };
    struct script script = script_of(answers);
    struct triage triage = triage_with(&script);
    struct request request = post(VIEW(AZURE("Fired")));
    struct report report;
    struct failure why = { 0 };
    assert_true(triage_run(&triage, &request, &mem, &report, &why));
    assert_int_equal(report.outcomes[0].action, ACTION_CREATED);
    assert_string_equal(action_name(report.outcomes[0].action), "created");
    CHECK_VIEW("id", report.outcomes[0].session.id, VIEW("s-1"));
    CHECK_VIEW("name", report.payload.alerts[0].name, VIEW("name"));
    assert_true(report.is_azure);
    assert_ptr_equal(report.payload.from, &source_azure_common);
    assert_string_equal(action_name(ACTION_EXISTING), "existing");
    assert_string_equal(action_name(ACTION_IGNORED), "ignored");
}

/* Misconfigured: whatever comes, good or bad, for Azure too, nobody calls Devin. */
static void misconfiguration_never_calls_devin(void **state)
{
    (void)state;
    static const char *const bodies[] = { NATIVE, AZURE("Fired"), AZURE("Resolved"), "x", "{}" };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct script script = script_of(NULL);
        struct triage triage = triage_with(&script);
        struct request request = post(view_of(bodies[i]));
        struct report report;
        struct failure why = { 0 };
        triage.refusal = VIEW("DEVIN_API_KEY is not set; TARGET_REPO is not set");
        struct reply reply = run(&triage, &request, &mem, &report, &why);
        check_reply(bodies[i], &reply, 500,
                    FAILED("DEVIN_API_KEY is not set; TARGET_REPO is not set"));
        CHECK(bodies[i], script.sends == 0 && script.moves.len == 0);
        CHECK(bodies[i], reply.retry_after_s == 0);
    }
}

/* Each row of FAILURES, for a native sender, for Azure and before any alert was read. */
static void every_failure_is_a_sound_reply(void **state)
{
    (void)state;
    static const struct report reports[] = { { .is_azure = false }, { .is_azure = true } };
    const struct report *const choices[] = { NULL, &reports[0], &reports[1] };
    for (size_t i = 0; i < COUNT_OF(all_kinds) * COUNT_OF(choices); i++) {
        const struct report *report = choices[i % COUNT_OF(choices)];
        const struct failure_row *row = failure_row(all_kinds[i / COUNT_OF(choices)]);
        struct failure why = { .kind = all_kinds[i / COUNT_OF(choices)], .detail = "for the log" };
        struct failure trouble = { 0 };
        struct json json;
        struct reply reply = triage_reply_failure(&why, report, &mem);
        bool is_503 = report != NULL && report->is_azure && row->is_passing;
        CHECK(row->name, reply.status == (is_503 ? 503 : row->status));
        CHECK(row->name, (reply.retry_after_s > 0) == is_503);
        CHECK(row->name, json_read(reply.body, &mem, &json, &trouble));
        CHECK(row->name, json_kind(json_at(json.root, "success")) == JSON_BOOL);
        CHECK(row->name, !json_is_true(json_at(json.root, "success")));
        CHECK(row->name, view_starts(json_text(json_at(json.root, "error")), view_of(row->error)));
        CHECK_VIEW(row->name, json_text(json_at(json.root, "details")), view_of(row->details));
        CHECK(row->name, !view_contains(reply.body, VIEW("for the log")));
        json_free(&json);
    }
}

static void a_wrong_method_names_the_right_ones(void **state)
{
    (void)state;
    struct failure why = { .kind = FAIL_WRONG_METHOD };
    struct reply reply = triage_reply_failure(&why, NULL, &mem);
    assert_int_equal(reply.status, 405);
    assert_string_equal(reply.allow, "GET, POST");
    why.kind = FAIL_NOT_FOUND;
    assert_null(triage_reply_failure(&why, NULL, &mem).allow);
}

static void headers_are_found_without_regard_to_case(void **state)
{
    (void)state;
    const struct header list[] = {
        { VIEW("content-type"), VIEW("text/plain") },
        { VIEW("x-twice"), VIEW("one") },
        { VIEW("X-Twice"), VIEW("two") },
        { VIEW("X-Blank"), VIEW(" \tv ") },
    };
    struct request request = { .headers = list, .header_count = COUNT_OF(list) };
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        CHECK_VIEW(headers[i].name, request_header(&request, headers[i].wanted),
                   view_of(headers[i].value));
    assert_int_equal(request_header(&(struct request){ 0 }, "Content-Type").len, 0);
}

/* A session that was made is never told as a failure for want of memory; no reply is empty. */
static void replies_need_no_memory(void **state)
{
    (void)state;
    struct arena nothing = { 0 };
    struct problem problem = { 0 };
    struct outcome outcome = { .problem = &problem,
                               .session = { .id = VIEW("s-1"), .url = VIEW("https://x/y") } };
    struct report report = { .outcomes = &outcome, .count = 1 };
    struct failure why = { .kind = FAIL_DEVIN_BUSY };
    struct failure trouble = { 0 };
    struct json json;
    struct reply reply = triage_reply(&report, &nothing);
    assert_int_equal(reply.status, 200);
    assert_true(json_read(reply.body, &mem, &json, &trouble));
    assert_true(json_is_true(json_at(json.root, "success")));
    json_free(&json);
    reply = triage_reply_failure(&why, &report, &nothing);
    assert_int_equal(reply.status, 500);
    assert_true(json_read(reply.body, &mem, &json, &trouble));
    assert_int_equal(json_kind(json_at(json.root, "success")), JSON_BOOL);
    assert_false(json_is_true(json_at(json.root, "success")));
    json_free(&json);
}

static bool is_success(struct view body)
{
    struct json json;
    struct failure trouble = { 0 };
    assert_true(json_read(body, &mem, &json, &trouble));
    assert_int_equal(json_kind(json_at(json.root, "success")), JSON_BOOL);
    bool is_true = json_is_true(json_at(json.root, "success"));
    json_free(&json);
    return is_true;
}

/* Whoever is let through in the last millisecond wakes up after it: then no call can be in time. */
static void a_call_that_overslept_is_not_made(void **state)
{
    (void)state;
    static const struct scripted answers[MAX_SENDS] = { { 200, 5, 0, BYTES_OF(SESSION) } };
    struct script script = script_of(answers);
    struct triage triage = triage_with(&script);
    struct request request =
        post(process_read_file("tests/cases/samples/generic/minimal-three-fields.json", &mem));
    struct report report;
    struct failure why = { 0 };
    script.oversleeps = true;
    assert_false(triage_run(&triage, &request, &mem, &report, &why));
    assert_int_equal(script.sends, 0);
    assert_int_equal(why.kind, FAIL_DEVIN_BUSY);
}

/* With each ceiling a reply is whole, or short and of the same kind. */
static void replies_with_little_memory_are_of_their_kind(void **state)
{
    (void)state;
    struct problem problem = { 0 };
    struct outcome outcome = { .problem = &problem,
                               .session = { .id = VIEW("s-1"), .url = VIEW("https://x/y") } };
    const struct report report = { .outcomes = &outcome, .count = 1 };
    const struct failure why = { .kind = FAIL_DEVIN_BUSY };
    struct view created = triage_reply(&report, &mem).body;
    struct view failed = triage_reply_failure(&why, NULL, &mem).body;
    bool is_whole = false;
    for (size_t ceiling = 0; !is_whole && ceiling < 8192; ceiling += ARENA_ALIGN * check_step()) {
        arena_init(&scarce, ceiling);
        struct view success = triage_reply(&report, &scarce).body;
        assert_true(is_success(success));
        is_whole = view_equal(success, created);
        arena_drop(&scarce);
        struct reply failure = triage_reply_failure(&why, NULL, &scarce);
        assert_int_equal(failure.status, 500);
        assert_false(is_success(failure.body));
        is_whole = is_whole && view_equal(failure.body, failed);
        arena_drop(&scarce);
    }
    assert_true(is_whole);
}

/*
 * With each ceiling the story ends with the same session from the same bytes, or with a clean
 * failure; before Devin was called that is our own, afterwards Devin has been called once only.
 */
static void tell_with_little_memory(const char *file)
{
    static const struct scripted answers[MAX_SENDS] = { { 200, 5, 0, BYTES_OF(SESSION) } };
    struct view body = process_read_file(file, &mem);
    struct script script = script_of(answers);
    struct triage triage = triage_with(&script);
    struct request request = post(body);
    struct report report;
    struct failure why = { 0 };
    assert_true(triage_run(&triage, &request, &mem, &report, &why));
    struct view whole = script.first_body;
    bool is_told = false;
    for (size_t ceiling = 0; !is_told && ceiling < PLENTY; ceiling += ARENA_ALIGN * check_step()) {
        struct script little = { .answers = answers, .moves = text_in(&mem, 4096) };
        struct triage again = triage_with(&little);
        why = (struct failure){ 0 };
        arena_init(&scarce, ceiling);
        is_told = triage_run(&again, &request, &scarce, &report, &why);
        CHECK(file, little.sends <= 1);
        CHECK(file, is_told || why.kind == FAIL_INTERNAL);
        if (little.sends > 0)
            CHECK_VIEW(file, little.first_body, whole);
        if (is_told) {
            CHECK_VIEW(file, report.outcomes[0].session.id, VIEW("s-1"));
            CHECK_VIEW(file, report.outcomes[0].session.url,
                       VIEW("https://app.devin.ai/sessions/s-1"));
        }
        arena_drop(&scarce);
    }
    CHECK(file, is_told);
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    tell_with_little_memory("tests/cases/samples/generic/minimal-three-fields.json");
    tell_with_little_memory("tests/cases/samples/generic/full-contract.json");
    tell_with_little_memory(
        "tests/cases/samples/azure-monitor/common-log-v2-embedded-search-results-fired.json");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stories_take_their_course),
        TEST(deadlines_depend_on_the_sender),
        TEST(the_call_carries_prompt_title_and_playbook),
        TEST(the_outcome_tells_what_happened),
        TEST(misconfiguration_never_calls_devin),
        TEST(every_failure_is_a_sound_reply),
        TEST(a_wrong_method_names_the_right_ones),
        TEST(headers_are_found_without_regard_to_case),
        TEST(a_call_that_overslept_is_not_made),
        TEST(replies_need_no_memory),
        TEST(replies_with_little_memory_are_of_their_kind),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
