/*
 * What lies in the queue comes back through the host: Devin was down, the handler was killed, or the
 * message is one that can never succeed.  An alert ends in one session or in the poison queue.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/match.h"
#include "support/queue_stage.h"

#include <pthread.h>

#define KEY_V3 "DEVIN_API_KEY=cog_test_key\n"

/* A playbook that nobody looks up, so that the first call is the create. */
#define ID       "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"

#define POISONED "\"action\":\"poisoned\""
#define DEFERRED "\"action\":\"deferred\""

/* A test's stage is up while its body runs; both must be content. */
static enum test_result play(struct e2e *e2e, const struct queue_plan *plan,
                             bool (*body)(struct e2e *e2e, struct queue_stage *stage))
{
    static struct queue_stage stage;
    bool ok = queue_stage_up(e2e, plan, &stage) && body(e2e, &stage);
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* Nothing waits any more, and so many lie in poison. */
static bool is_settled(struct e2e *e2e, const struct queue_stage *stage, int sessions, int poisoned)
{
    return queue_stage_holds(e2e, stage, QUEUE_WAITING, 0)
           && queue_stage_has_sessions(e2e, stage, sessions)
           && queue_stage_holds(e2e, stage, QUEUE_POISONED, poisoned);
}

/* --- Devin down ---------------------------------------------------------------------------------- */

/* Each create that was asked for, the first try's too, has the same bytes. */
static bool asks_alike(struct e2e *e2e, const struct queue_stage *stage, int at_least)
{
    struct json calls = { 0 };
    struct view first = { 0 };
    int count = 0;
    bool ok = control_calls(stage->devin.port, e2e->mem, &calls);
    const struct cJSON *call = ok ? control_next_create(json_first(calls.root)) : NULL;
    for (; call != NULL; call = control_next_create(json_next(call)), count++) {
        struct view body = json_text(json_at(call, "body"));
        first = count == 0 ? body : first;
        if (!view_equal(first, body)) {
            complain(e2e->why, "first asked for with", first);
            ok = complain(e2e->why, "and then with", body);
        }
    }
    if (count < at_least)
        ok = complain(e2e->why, "Devin was not asked as often as wanted", VIEW(""));
    json_free(&calls);
    return ok;
}

/* An Azure payload says most and has the most that could be written otherwise the second time. */
static bool post_sample(struct e2e *e2e, const struct queue_stage *stage)
{
    static const char body[] =
        "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"
        "\"alertId\":\"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a\","
        "\"alertRule\":\"r\\u00fcle "
        "\\\"\\u2028```\",\"severity\":\"Sev0\",\"signalType\":\"Metric\","
        "\"monitorCondition\":\"Fired\",\"monitoringService\":\"Platform\","
        "\"alertTargetIDs\":[\"/subscriptions/s/resourcegroups/g/providers/x/y/z\"],"
        "\"firedDateTime\":\"2024-02-06T12:00:00.1234567Z\",\"description\":\"a\\n\\tb "
        "\\ud83d\\ude00\"},"
        "\"alertContext\":{\"condition\":{\"windowSize\":\"PT5M\",\"allOf\":[{\"metricName\":"
        "\"cpu\","
        "\"operator\":\"GreaterThan\",\"threshold\":\"80\",\"timeAggregation\":\"Average\","
        "\"metricValue\":97.125,\"dimensions\":[{\"name\":\"host\",\"value\":\"h-1\"}]}]}},"
        "\"customProperties\":{\"runbook\":\"https://example.org/r?a=1&b=2\",\"n\":\"1\"}}}";
    struct http_answer answer = { 0 };
    struct view request = http_request("POST", VIEW("/api/trigger-devin"), VIEW(""),
                                       (struct view){ body, sizeof body - 1 }, e2e->mem);
    return (http_call(stage->app.port, request, QUEUE_PATIENCE_MS, e2e->mem, &answer)
            && answer.status == 202 && view_contains(answer.body, VIEW(DEFERRED)))
           || complain(e2e->why, "the Azure alert was not deferred", answer.body);
}

static bool comes_back(struct e2e *e2e, struct queue_stage *stage)
{
    return control_faults(
               stage->devin.port,
               VIEW("{\"on\":\"POST /v1/sessions\",\"status\":503,\"repeat\":3}\n"
                    "{\"on\":\"POST /v3/organizations/*/sessions$\",\"status\":503,\"repeat\":3}"))
           && post_sample(e2e, stage) && is_settled(e2e, stage, 1, 0) && asks_alike(e2e, stage, 2);
}

static enum test_result deferred_v1(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID, .is_hosted = true }, comes_back);
}

static enum test_result deferred_v3(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID KEY_V3, .is_hosted = true }, comes_back);
}

/* A name that is resolved on the way: the stored form must not lose it. */
static bool comes_back_by_name(struct e2e *e2e, struct queue_stage *stage)
{
    return queue_stage_is(e2e, stage, "warms-the-playbook", 200, "\"action\":\"created\"")
           && queue_stage_devin_goes(e2e, stage, true)
           && queue_stage_is(e2e, stage, "named-playbook", 202, DEFERRED)
           && queue_stage_devin_goes(e2e, stage, false) && is_settled(e2e, stage, 2, 0);
}

static enum test_result deferred_by_name(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .is_hosted = true }, comes_back_by_name);
}

/* --- killed -------------------------------------------------------------------------------------- */

struct doomed {
    const struct queue_stage *stage;
    pthread_t thread;
};

static void *post_doomed(void *user)
{
    struct doomed *doomed = user;
    struct arena mem;
    struct http_answer answer;
    arena_init(&mem, 4 * 1024 * 1024);
    queue_stage_post(doomed->stage, "killed", &mem, &answer);
    arena_drop(&mem);
    return NULL;
}

static bool is_called(struct e2e *e2e, const struct queue_stage *stage, struct view method,
                      struct view path)
{
    bool is_seen = false;
    for (long long until = process_now_ms() + QUEUE_PATIENCE_MS;
         !is_seen && process_now_ms() < until; process_sleep_ms(20)) {
        struct json calls = { 0 };
        if (!control_calls(stage->devin.port, e2e->mem, &calls))
            continue;
        for (const struct cJSON *c = json_first(calls.root); c != NULL; c = json_next(c))
            is_seen = is_seen
                      || (view_equal(json_text(json_at(c, "method")), method)
                          && view_contains(json_text(json_at(c, "path")), path));
        json_free(&calls);
    }
    return is_seen || complain(e2e->why, "Devin was never called for", path);
}

/* Kills the handler while Devin takes its time to answer that call. */
static bool dies_during(struct e2e *e2e, struct queue_stage *stage, const char *fault,
                        struct view method, struct view path)
{
    struct doomed doomed = { .stage = stage };
    if (!control_faults(stage->devin.port, view_of(fault))
        || pthread_create(&doomed.thread, NULL, post_doomed, &doomed) != 0)
        return complain(e2e->why, "the alert cannot be sent", VIEW(""));
    bool ok = is_called(e2e, stage, method, path) && queue_stage_holds(e2e, stage, QUEUE_WAITING, 1)
              && queue_stage_kill(e2e, stage);
    pthread_join(doomed.thread, NULL);
    return ok;
}

/* The playbook is looked up before the create. */
static bool dies_before_create(struct e2e *e2e, struct queue_stage *stage)
{
    return dies_during(e2e, stage, "{\"on\":\"GET /v1/playbooks\",\"delay_ms\":20000}", VIEW("GET"),
                       VIEW("/v1/playbooks"))
           && queue_stage_sessions(e2e, stage) == 0 && is_settled(e2e, stage, 1, 0);
}

static enum test_result killed_before(struct e2e *e2e)
{
    return play(e2e,
                &(struct queue_plan){ .settings = "DEVIN_TIMEOUT_MS=10000\n", .is_hosted = true },
                dies_before_create);
}

/* The session is there, but nobody heard of it. */
static bool dies_after_create_v1(struct e2e *e2e, struct queue_stage *stage)
{
    return dies_during(e2e, stage, "{\"on\":\"POST /v1/sessions\",\"delay_ms\":20000}",
                       VIEW("POST"), VIEW("/v1/sessions"))
           && queue_stage_sessions(e2e, stage) == 1 && is_settled(e2e, stage, 1, 0)
           && (queue_stage_creates(e2e, stage) == 1
               || complain(e2e->why, "the retry asked for another", VIEW("")));
}

static bool dies_after_create_v3(struct e2e *e2e, struct queue_stage *stage)
{
    return dies_during(e2e, stage,
                       "{\"on\":\"POST /v3/organizations/*/sessions$\",\"delay_ms\":20000}",
                       VIEW("POST"), VIEW("/sessions"))
           && queue_stage_sessions(e2e, stage) == 1 && is_settled(e2e, stage, 1, 0)
           && (queue_stage_creates(e2e, stage) == 1
               || complain(e2e->why, "the retry asked for another", VIEW("")));
}

static enum test_result killed_after_v1(struct e2e *e2e)
{
    return play(e2e,
                &(struct queue_plan){ .settings = ID "DEVIN_TIMEOUT_MS=5000\n", .is_hosted = true },
                dies_after_create_v1);
}

static enum test_result killed_after_v3(struct e2e *e2e)
{
    return play(
        e2e,
        &(struct queue_plan){ .settings = ID KEY_V3 "DEVIN_TIMEOUT_MS=5000\n", .is_hosted = true },
        dies_after_create_v3);
}

/* --- never --------------------------------------------------------------------------------------- */

/* A first try that can never succeed is answered as ever, and kept where a person looks. */
static bool is_refused_at_once(struct e2e *e2e, struct queue_stage *stage)
{
    return control_faults(stage->devin.port,
                          VIEW("{\"on\":\"POST /v1/sessions\",\"status\":403,\"repeat\":50}"))
           && queue_stage_is(e2e, stage, "refused", 500, "Invalid Devin API key")
           && is_settled(e2e, stage, 0, 1);
}

static enum test_result lasting(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID, .is_hosted = true }, is_refused_at_once);
}

/* Down at first, refusing later: the retry itself gives up, with one line, and the host is content. */
static bool is_refused_later(struct e2e *e2e, struct queue_stage *stage)
{
    return queue_stage_devin_goes(e2e, stage, true)
           && queue_stage_is(e2e, stage, "refused-later", 202, DEFERRED)
           && control_faults(stage->devin.port,
                             VIEW("{\"on\":\"POST /v1/sessions\",\"status\":403,\"repeat\":50}"))
           && queue_stage_devin_goes(e2e, stage, false) && is_settled(e2e, stage, 0, 1)
           && queue_stage_has_said(e2e, stage, POISONED, 1)
           && queue_stage_has_said(e2e, stage, "Invalid Devin API key", 1)
           && queue_stage_has_said(e2e, stage, " succeeded in ", 1);
}

static enum test_result lasting_later(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID, .is_hosted = true }, is_refused_later);
}

/* Neither the text nor the version is one of ours; the last is not even base64, which the host sees. */
static bool is_put_aside(struct e2e *e2e, struct queue_stage *stage)
{
    const struct storage *storage = &stage->azurite.storage;
    return storage_create(storage, QUEUE_WAITING)
           && storage_put_text(storage, QUEUE_WAITING, VIEW("no JSON at all"), 0)
           && storage_put_text(storage, QUEUE_WAITING, VIEW("{\"v\":99,\"Id\":\"x\"}"), 0)
           && storage_put(storage, QUEUE_WAITING, VIEW("*** not base64 ***"), 0)
           && is_settled(e2e, stage, 0, 3) && queue_stage_has_said(e2e, stage, " succeeded in ", 2)
           && queue_stage_is(e2e, stage, "goes on", 200, "\"action\":\"created\"");
}

static enum test_result unreadable(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID, .is_hosted = true }, is_put_aside);
}

/* What a real alert left in the queue, taken out as soon as it can be seen. */
static bool make_stored(struct e2e *e2e, struct queue_stage *stage, const char *name,
                        struct view *out)
{
    static struct storage_batch batch;
    if (!queue_stage_devin_goes(e2e, stage, true)
        || !queue_stage_is(e2e, stage, name, 202, DEFERRED)
        || !queue_stage_take(e2e, stage, QUEUE_WAITING, 1, &batch)
        || !storage_remove(&stage->azurite.storage, QUEUE_WAITING, &batch.at[0]))
        return false;
    *out = batch.at[0].text;
    return queue_stage_devin_goes(e2e, stage, false);
}

/* `text` with the number behind `member` made another one. */
static struct view with_number(struct view text, const char *member, long long number,
                               struct arena *mem)
{
    struct text out = text_in(mem, text.len + 64);
    while (text.len > 0 && !view_starts(text, view_of(member))) {
        text_add_char(&out, text.at[0]);
        text = view_skip(text, 1);
    }
    text = view_skip(text, view_of(member).len);
    while (text.len > 0 && text.at[0] >= '0' && text.at[0] <= '9')
        text = view_skip(text, 1);
    text_add_string(&out, member);
    text_add_number(&out, number);
    text_add(&out, text);
    return text_view(&out);
}

/* One that came in 1970, beside one of just now. */
static bool is_too_old(struct e2e *e2e, struct queue_stage *alone)
{
    struct view stored = { 0 };
    static struct queue_stage hosted;
    const struct queue_plan plan = { .settings = ID, .is_hosted = true, .beside = alone };
    const struct storage *storage = &alone->azurite.storage;
    if (!make_stored(e2e, alone, "old", &stored))
        return false;
    struct view old = with_number(stored, "\"firstSeen\":", 1000, e2e->mem);
    bool ok = storage_put_text(storage, QUEUE_WAITING, old, 0)
              && queue_stage_up(e2e, &plan, &hosted) && is_settled(e2e, &hosted, 0, 1)
              && storage_put_text(storage, QUEUE_WAITING, stored, 0)
              && is_settled(e2e, &hosted, 1, 1) && queue_stage_has_said(e2e, &hosted, POISONED, 1)
              && queue_stage_has_said(e2e, &hosted, " succeeded in ", 2);
    return queue_stage_down(e2e, &hosted, NULL) && ok;
}

static enum test_result too_old(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID }, is_too_old);
}

/* Devin stays away: each retry fails, is counted, and the host gives up at the last. */
static bool is_given_up(struct e2e *e2e, struct queue_stage *stage)
{
    return queue_stage_devin_goes(e2e, stage, true)
           && queue_stage_is(e2e, stage, "never", 202, DEFERRED) && is_settled(e2e, stage, 0, 1)
           && queue_stage_has_said(e2e, stage, "(message, dequeue 1)", 1)
           && queue_stage_has_said(e2e, stage, "(message, dequeue 2)", 1)
           && queue_stage_has_said(e2e, stage, "(message, dequeue 3)", 1)
           && queue_stage_has_said(e2e, stage, "\"dequeue_count\":3", 1)
           && queue_stage_has_said(e2e, stage, "goes to triage-poison after 3 dequeues", 1);
}

static enum test_result passing(struct e2e *e2e)
{
    return play(e2e,
                &(struct queue_plan){ .settings = ID, .is_hosted = true, .max_dequeue_count = 3 },
                is_given_up);
}

/* --- races --------------------------------------------------------------------------------------- */

/* The message shows itself, twice even, while the first try is still on its way to the create. */
static bool meets_first_try(struct e2e *e2e, struct queue_stage *alone, const char *key,
                            const char *fault)
{
    struct view stored = { 0 };
    static struct queue_stage hosted;
    struct doomed doomed = { .stage = &hosted };
    const struct queue_plan plan = { .settings = joined(e2e->mem, ID "DEVIN_TIMEOUT_MS=20000\n",
                                                        key, (char *)NULL),
                                     .is_hosted = true,
                                     .beside = alone };
    bool ok = make_stored(e2e, alone, "killed", &stored) && queue_stage_up(e2e, &plan, &hosted)
              && control_faults(alone->devin.port, view_of(fault))
              && pthread_create(&doomed.thread, NULL, post_doomed, &doomed) == 0;
    if (ok) {
        int before = queue_stage_creates(e2e, alone);
        for (long long until = process_now_ms() + QUEUE_PATIENCE_MS;
             queue_stage_creates(e2e, alone) == before && process_now_ms() < until;)
            process_sleep_ms(20);
        ok = storage_put_text(&alone->azurite.storage, QUEUE_WAITING, stored, 0)
             && storage_put_text(&alone->azurite.storage, QUEUE_WAITING, stored, 0);
        pthread_join(doomed.thread, NULL);
        ok = ok && is_settled(e2e, &hosted, 1, 0);
    }
    return queue_stage_down(e2e, &hosted, NULL) && ok;
}

static bool meets_v1(struct e2e *e2e, struct queue_stage *alone)
{
    return meets_first_try(e2e, alone, "", "{\"on\":\"POST /v1/sessions\",\"delay_ms\":3000}");
}

static bool meets_v3(struct e2e *e2e, struct queue_stage *alone)
{
    return meets_first_try(e2e, alone, KEY_V3,
                           "{\"on\":\"POST /v3/organizations/*/sessions$\",\"delay_ms\":3000}");
}

static enum test_result races_v1(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID }, meets_v1);
}

static enum test_result races_v3(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID KEY_V3 }, meets_v3);
}

/* --- two handlers -------------------------------------------------------------------------------- */

enum { SHARED = 16 };

static bool share(struct e2e *e2e, struct queue_stage *first, struct queue_stage *second)
{
    bool ok = queue_stage_devin_goes(e2e, first, true);
    for (int i = 0; ok && i < SHARED; i++) {
        char name[32];
        snprintf(name, sizeof name, "shared-%d", i);
        ok = queue_stage_is(e2e, i % 2 == 0 ? first : second, name, 202, DEFERRED);
    }
    return ok && queue_stage_holds(e2e, first, QUEUE_WAITING, SHARED)
           && queue_stage_devin_goes(e2e, first, false) && is_settled(e2e, first, SHARED, 0);
}

static bool shares(struct e2e *e2e, struct queue_stage *first)
{
    static struct queue_stage second;
    const struct queue_plan plan = { .settings = ID, .is_hosted = true, .beside = first };
    bool ok = queue_stage_up(e2e, &plan, &second) && share(e2e, first, &second);
    return queue_stage_down(e2e, &second, NULL) && ok;
}

static enum test_result two_handlers(struct e2e *e2e)
{
    return play(e2e, &(struct queue_plan){ .settings = ID, .is_hosted = true }, shares);
}

const struct e2e_test e2e_queue_retry[] = {
    { "queue: Devin down: 202, then one session, asked for in the same bytes", deferred_v1 },
    { "queue: the same on v3", deferred_v3 },
    { "queue: Devin down: a playbook's name does not get lost", deferred_by_name },
    { "queue: SIGKILL between writing and asking: the retry opens the session", killed_before },
    { "queue: SIGKILL after the session, before it was told: the retry finds it on v1",
      killed_after_v1 },
    { "queue: the same on v3, which has no idempotent creates", killed_after_v3 },
    { "queue: a lasting fault is 500 and goes to poison", lasting },
    { "queue: a lasting fault on a retry goes to poison, the host is content", lasting_later },
    { "queue: a message that cannot be read goes to poison", unreadable },
    { "queue: what is too old goes to poison, what is not is tried", too_old },
    { "queue: a passing fault fails the retry, the last dequeue poisons it", passing },
    { "queue: the message shows itself during the first try: one session on v1", races_v1 },
    { "queue: the same on v3", races_v3 },
    { "queue: two handlers drain one queue, each alert has one session", two_handlers },
    { NULL, NULL },
};
