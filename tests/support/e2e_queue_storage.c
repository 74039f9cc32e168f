/*
 * The storage itself: down, stalling, refusing, restarted, or one that wants tokens of an identity.  An
 * alert that Devin can take is always answered 200.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/identity.h"
#include "support/match.h"
#include "support/queue_stage.h"

#include <pthread.h>

#define ID       "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"
#define CREATED  "\"action\":\"created\""
#define DEFERRED "\"action\":\"deferred\""

/* Two seconds are what a slow store may cost; the rest is for a machine that is busy. */
enum { MOST_STORE_MS = 2600, LEAST_STALLED_MS = 1500 };

static const char azure_alert[] =
    "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"
    "\"alertId\":\"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a\","
    "\"alertRule\":\"rule\",\"severity\":\"Sev0\",\"signalType\":\"Metric\","
    "\"monitorCondition\":\"Fired\",\"monitoringService\":\"Platform\","
    "\"firedDateTime\":\"2024-02-06T12:00:00Z\",\"description\":\"d\"}}}";

static bool answers(struct e2e *e2e, const struct queue_stage *stage, const char *body, int status)
{
    struct http_answer answer = { 0 };
    struct view request =
        http_request("POST", VIEW("/api/trigger-devin"), VIEW(""), view_of(body), e2e->mem);
    return (http_call(stage->app.port, request, QUEUE_PATIENCE_MS, e2e->mem, &answer)
            && answer.status == status)
           || complain(e2e->why, "another status than wanted", answer.head);
}

/* The largest number that the log has behind that member; -1: it is nowhere. */
static long long most_logged(struct e2e *e2e, const struct queue_stage *stage, const char *member)
{
    struct view said = program_out(&stage->app, e2e->mem);
    long long most = -1;
    for (; said.len > 0; said = view_skip(said, 1)) {
        struct view number;
        long long value;
        if (!view_starts(said, view_of(member)))
            continue;
        number = view_skip(said, view_of(member).len);
        size_t len = 0;
        while (len < number.len && number.at[len] >= '0' && number.at[len] <= '9')
            len++;
        number.len = len;
        if (view_to_number(number, 0, 1LL << 40, &value) && value > most)
            most = value;
    }
    return most;
}

static bool store_took(struct e2e *e2e, const struct queue_stage *stage, long long least,
                       long long most)
{
    char words[64];
    long long took = most_logged(e2e, stage, "\"store_ms\":");
    snprintf(words, sizeof words, "%lld ms", took);
    return (took >= least && took <= most)
           || complain(e2e->why, "storing took another time than it may", view_of(words));
}

/* --- down ---------------------------------------------------------------------------------------- */

static enum test_result down(struct e2e *e2e)
{
    static struct queue_stage stage;
    bool ok =
        queue_stage_up(e2e, &(struct queue_plan){ .settings = ID "DEVIN_TIMEOUT_MS=5000" }, &stage)
        && azurite_end(e2e, &stage.azurite)
        && queue_stage_is(e2e, &stage, "store-down", 200, CREATED)
        && store_took(e2e, &stage, 0, MOST_STORE_MS) && queue_stage_devin_goes(e2e, &stage, true)
        && queue_stage_is(e2e, &stage, "both-down", 500, "Network error to Devin API")
        && answers(e2e, &stage, azure_alert, 503)
        && queue_stage_has_said(e2e, &stage, "\"not_stored\":1", 3)
        && azurite_restart(e2e, &stage.azurite)
        && queue_stage_is(e2e, &stage, "store-back", 202, DEFERRED)
        && queue_stage_holds(e2e, &stage, QUEUE_WAITING, 1);
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* What waits outlives the storage's end. */
static enum test_result restarted(struct e2e *e2e)
{
    static struct queue_stage stage;
    const struct queue_plan plan = { .settings = ID, .is_hosted = true };
    bool ok = queue_stage_up(e2e, &plan, &stage) && queue_stage_devin_goes(e2e, &stage, true)
              && queue_stage_is(e2e, &stage, "outlives", 202, DEFERRED)
              && queue_stage_holds(e2e, &stage, QUEUE_WAITING, 1)
              && azurite_end(e2e, &stage.azurite) && azurite_restart(e2e, &stage.azurite)
              && queue_stage_devin_goes(e2e, &stage, false)
              && queue_stage_has_sessions(e2e, &stage, 1)
              && queue_stage_holds(e2e, &stage, QUEUE_WAITING, 0);
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- stalling ------------------------------------------------------------------------------------ */

/* Three problems in one payload share what one may cost. */
static const char three_alerts[] = "{\"version\":\"4\",\"status\":\"firing\",\"alerts\":["
                                   "{\"status\":\"firing\",\"labels\":{\"alertname\":\"a\"},"
                                   "\"startsAt\":\"2024-02-06T12:00:00Z\"},"
                                   "{\"status\":\"firing\",\"labels\":{\"alertname\":\"b\"},"
                                   "\"startsAt\":\"2024-02-06T12:00:00Z\"},"
                                   "{\"status\":\"firing\",\"labels\":{\"alertname\":\"c\"},"
                                   "\"startsAt\":\"2024-02-06T12:00:00Z\"}]}";

static enum test_result stalling(struct e2e *e2e)
{
    static struct queue_stage stage;
    static struct listener listener;
    if (!listener_start(&listener, listener_stall, &listener))
        return e2e_fail(e2e, "no port is free", VIEW(""));
    struct text settings = text_in(e2e->mem, 4096);
    text_add_string(&settings, ID "DEVIN_TIMEOUT_MS=30000\nAzureWebJobsStorage=");
    text_add(&settings, storage_connection(listener.port, e2e->mem));
    const struct queue_plan plan = { .settings = text_view(&settings).at };
    bool ok = queue_stage_up(e2e, &plan, &stage)
              && queue_stage_is(e2e, &stage, "store-stalls", 200, CREATED)
              && store_took(e2e, &stage, LEAST_STALLED_MS, MOST_STORE_MS)
              && answers(e2e, &stage, three_alerts, 200)
              && store_took(e2e, &stage, LEAST_STALLED_MS, MOST_STORE_MS)
              && queue_stage_has_sessions(e2e, &stage, 4)
              && queue_stage_has_said(e2e, &stage, "\"level\":\"warn\"", 2);
    ok = queue_stage_down(e2e, &stage, NULL) && ok;
    listener_stop(&listener);
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* --- refusing ------------------------------------------------------------------------------------ */

static enum test_result wrong_key(struct e2e *e2e)
{
    static struct queue_stage stage;
    static struct azurite azurite;
    struct text settings = text_in(e2e->mem, 4096);
    bool ok = azurite_start(e2e, false, &azurite);
    text_add_string(&settings, ID "AzureWebJobsStorage=AccountName=" STORAGE_ACCOUNT
                                  ";AccountKey=d3Jvbmcga2V5IHdyb25nIGtleQ==;QueueEndpoint=http://"
                                  "127.0.0.1:");
    text_add_number(&settings, azurite.port);
    text_add_string(&settings, "/" STORAGE_ACCOUNT);
    const struct queue_plan plan = { .settings = text_view(&settings).at };
    ok = ok && queue_stage_up(e2e, &plan, &stage)
         && queue_stage_is(e2e, &stage, "wrong-key", 200, CREATED)
         && queue_stage_has_said(e2e, &stage, "\"level\":\"warn\"", 1)
         && (queue_stage_lines(e2e, &stage, "AzureWebJobsStorage") > 0
             || complain(e2e->why, "the log does not say which setting is wrong", VIEW("")))
         && (queue_stage_lines(e2e, &stage, "d3Jvbmcga2V5") == 0
             || complain(e2e->why, "the key is in the log", VIEW("")));
    ok = queue_stage_down(e2e, &stage, NULL) && ok;
    return azurite_end(e2e, &azurite) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- nothing of the request but the alert ---------------------------------------------------------- */

static const char *const never_stored[] = {
    "marker-header",     "marker-query",    "marker-secret", "marker-cookie",
    "apk_user_test_key", "X-Functions-Key", "Authorization", STORAGE_KEY,
};

static bool post_with_secrets(struct e2e *e2e, const struct queue_stage *stage)
{
    struct http_answer answer = { 0 };
    struct view request = http_request(
        "POST", VIEW("/api/trigger-devin?code=marker-query&token=marker-query"),
        VIEW("Authorization: Bearer marker-secret\r\nX-Functions-Key: marker-header\r\n"
             "Cookie: marker-cookie\r\nUser-Agent: marker-header\r\n"),
        VIEW("{\"alertName\":\"clean\",\"severity\":1,\"description\":\"key apk_user_test_key and "
             "Authorization Bearer marker-secret were seen\",\"firedTime\":1707220800}"),
        e2e->mem);
    return (http_call(stage->app.port, request, QUEUE_PATIENCE_MS, e2e->mem, &answer)
            && answer.status == 202)
           || complain(e2e->why, "it was not deferred", answer.body);
}

static enum test_result nothing_else(struct e2e *e2e)
{
    static struct queue_stage stage;
    static struct storage_batch batch;
    const struct queue_plan plan = { .settings = ID "WEBHOOK_SECRET=marker-secret" };
    bool ok = queue_stage_up(e2e, &plan, &stage) && queue_stage_devin_goes(e2e, &stage, true)
              && post_with_secrets(e2e, &stage)
              && queue_stage_take(e2e, &stage, QUEUE_WAITING, 1, &batch)
              && (view_contains(batch.at[0].text, VIEW("\"clean\""))
                  || complain(e2e->why, "the alert is not in its message", batch.at[0].text));
    for (size_t i = 0; ok && i < COUNT_OF(never_stored); i++) {
        bool is_prose = view_equal(view_of(never_stored[i]), VIEW("Authorization"));
        if (!is_prose && view_contains(batch.at[0].text, view_of(never_stored[i])))
            ok = complain(e2e->why, never_stored[i], batch.at[0].text);
    }
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- an identity's tokens -------------------------------------------------------------------------- */

enum { CROWD = 50, SHORT_LIFE_S = 6, LONGER_LIFE_S = 70 };

struct visitor {
    const struct queue_stage *stage;
    int number, status;
    pthread_t thread;
};

static void *visit(void *user)
{
    struct visitor *visitor = user;
    struct http_answer answer = { 0 };
    struct arena mem;
    char name[32];
    arena_init(&mem, 4 * 1024 * 1024);
    snprintf(name, sizeof name, "visitor-%d", visitor->number);
    if (queue_stage_post(visitor->stage, name, &mem, &answer))
        visitor->status = answer.status;
    arena_drop(&mem);
    return NULL;
}

/* All at once; each is answered `status`. */
static bool come_together(struct e2e *e2e, const struct queue_stage *stage, int first, int status)
{
    static struct visitor visitors[CROWD];
    int fine = 0;
    for (int i = 0; i < CROWD; i++) {
        visitors[i] = (struct visitor){ .stage = stage, .number = first + i };
        if (pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]) != 0)
            return complain(e2e->why, "no thread can be started", VIEW(""));
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(visitors[i].thread, NULL);
        fine += visitors[i].status == status;
    }
    return fine == CROWD || complain(e2e->why, "not everybody was answered as wanted", VIEW(""));
}

static bool asked(struct e2e *e2e, const struct identity *identity, int least, int most)
{
    char words[128];
    int count = atomic_load(&identity->asked);
    int refused = atomic_load(&identity->refused);
    int at_once = atomic_load(&identity->most_at_once);
    snprintf(words, sizeof words, "%d asked, %d refused, %d at once; wanted %d to %d", count,
             refused, at_once, least, most);
    return (count >= least && count <= most && refused == 0 && at_once <= 1)
           || complain(e2e->why, "the identity's endpoint", view_of(words));
}

static const char *identity_settings(struct e2e *e2e, const struct identity *identity, int port)
{
    struct text text = text_in(e2e->mem, 4096);
    text_add_string(&text, ID "DEVIN_TIMEOUT_MS=20000\n-AzureWebJobsStorage\n"
                              "AzureWebJobsStorage__credential=managedidentity\n"
                              "AzureWebJobsStorage__accountName=" STORAGE_ACCOUNT "\n"
                              "AzureWebJobsStorage__queueServiceUri=https://127.0.0.1:");
    text_add_number(&text, port);
    text_add_string(&text, "/" STORAGE_ACCOUNT "\nIDENTITY_HEADER=" IDENTITY_SECRET
                           "\nIDENTITY_ENDPOINT=");
    text_add(&text, identity_url(identity, e2e->mem));
    text_add_string(&text, "\nSSL_CERT_FILE=");
    text_add_string(&text, azurite_certificate());
    return text_view(&text).at;
}

/* Azurite's port must be known to the settings: it is started first and then lent. */
struct secure {
    struct queue_stage lender, stage;
    struct identity identity;
};

static bool secure_up(struct e2e *e2e, struct secure *secure, int lasts_s)
{
    *secure = (struct secure){ .stage = { .is_guest = true } };
    if (!identity_start(&secure->identity))
        return complain(e2e->why, "no port is free", VIEW(""));
    atomic_store(&secure->identity.lasts_s, lasts_s);
    if (!azurite_start(e2e, true, &secure->lender.azurite)
        || !program_start_devin(e2e->site, 0, &secure->lender.devin, e2e->why))
        return false;
    const struct queue_plan plan = {
        .settings = identity_settings(e2e, &secure->identity, secure->lender.azurite.port),
        .beside = &secure->lender,
    };
    return queue_stage_up(e2e, &plan, &secure->stage);
}

static bool secure_down(struct e2e *e2e, struct secure *secure)
{
    bool ok = queue_stage_down(e2e, &secure->stage, NULL);
    ok = queue_stage_down(e2e, &secure->lender, NULL) && ok;
    identity_stop(&secure->identity);
    return ok;
}

/* Without TLS, so that we can look: the data is the same. */
static bool look_inside(struct e2e *e2e, struct secure *secure, int waiting)
{
    struct azurite *azurite = &secure->lender.azurite;
    bool ok = azurite_end(e2e, azurite);
    azurite->is_secure = false;
    return ok && azurite_restart(e2e, azurite)
           && queue_stage_holds(e2e, &secure->lender, QUEUE_WAITING, waiting);
}

/* One token serves everybody, and what was stored with it is deleted with it. */
static enum test_result token_is_kept(struct e2e *e2e)
{
    static struct secure secure;
    bool ok = secure_up(e2e, &secure, 86400);
    atomic_store(&secure.identity.delay_ms, 300);
    ok = ok && come_together(e2e, &secure.stage, 0, 200)
         && come_together(e2e, &secure.stage, CROWD, 200) && asked(e2e, &secure.identity, 1, 1)
         && queue_stage_devin_goes(e2e, &secure.lender, true)
         && queue_stage_is(e2e, &secure.stage, "waits", 202, DEFERRED)
         && asked(e2e, &secure.identity, 1, 1) && look_inside(e2e, &secure, 1);
    return secure_down(e2e, &secure) && ok ? TEST_PASSED : TEST_FAILED;
}

static bool all_stored(struct e2e *e2e, const struct secure *secure)
{
    return queue_stage_lines(e2e, &secure->stage, "\"not_stored\"") == 0
           || complain(e2e->why, "an alert could not be stored", VIEW(""));
}

/* One that has expired: the first who comes asks, the others wait for what that gives. */
static bool expires(struct e2e *e2e, struct secure *secure)
{
    int before = atomic_load(&secure->identity.asked);
    atomic_store(&secure->identity.delay_ms, 200);
    process_sleep_ms(SHORT_LIFE_S * 1000 + 1000);
    atomic_store(&secure->identity.lasts_s, LONGER_LIFE_S);
    return come_together(e2e, &secure->stage, CROWD, 200)
           && asked(e2e, &secure->identity, before + 1, before + 1) && all_stored(e2e, secure);
}

/* Half of its life over: another is asked for once, and while none comes the old one will do. */
static bool renews_early(struct e2e *e2e, struct secure *secure)
{
    int before = atomic_load(&secure->identity.asked);
    process_sleep_ms(LONGER_LIFE_S * 1000 / 2 + 1000);
    atomic_store(&secure->identity.fails, 1);
    return come_together(e2e, &secure->stage, 2 * CROWD, 200)
           && asked(e2e, &secure->identity, before + 1, before + 1) && all_stored(e2e, secure);
}

static enum test_result token_is_renewed(struct e2e *e2e)
{
    static struct secure secure;
    bool ok = secure_up(e2e, &secure, SHORT_LIFE_S)
              && queue_stage_is(e2e, &secure.stage, "first", 200, CREATED)
              && asked(e2e, &secure.identity, 1, 1) && expires(e2e, &secure)
              && renews_early(e2e, &secure) && look_inside(e2e, &secure, 0);
    return secure_down(e2e, &secure) && ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_queue_storage[] = {
    { "queue: storage down: 200 while Devin answers, else 500, or 503 for Azure", down },
    { "queue: what waits outlives a restart of the storage", restarted },
    { "queue: a stalling storage costs a request two seconds, however many alerts it has",
      stalling },
    { "queue: a wrong key is said in the log, the alert is served", wrong_key },
    { "queue: no header, no query, no key is stored", nothing_else },
    { "queue: one token of an identity serves everybody", token_is_kept },
    { "queue: a token is renewed early, by one at a time", token_is_renewed },
    { NULL, NULL },
};
