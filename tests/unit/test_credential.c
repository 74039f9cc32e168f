/* A token's life: when it is renewed, by whom, and what a failure leaves. */
#include "edge/credential.h"

#include "base/arena.h"
#include "edge/clock.h"
#include "unit/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { PLENTY = 1024 * 1024, NOW_S = 1700000000, HOUR_S = 3600, THREADS = 12, PATIENCE_MS = 60000 };

/* --- a source that does as it is told ---------------------------------------------------------- */

static struct {
    atomic_int asked;
    atomic_int inside, most_inside;
    atomic_bool is_held; /* it does not answer */
    bool is_failing;
    long long life_s;
    long long now_s;
    long long last_timeout_ms;
} source;

static void nap(void)
{
    const struct timespec ms = { 0, 1000000 };
    nanosleep(&ms, NULL);
}

static bool fetch(void *state, long long timeout_ms, struct arena *mem, struct token *out,
                  struct failure *why)
{
    (void)state;
    int inside = atomic_fetch_add(&source.inside, 1) + 1;
    if (inside > atomic_load(&source.most_inside))
        atomic_store(&source.most_inside, inside);
    int number = atomic_fetch_add(&source.asked, 1) + 1;
    source.last_timeout_ms = timeout_ms;
    while (atomic_load(&source.is_held))
        nap();
    atomic_fetch_sub(&source.inside, 1);
    if (source.is_failing)
        return fail_because(why, FAIL_STORE_DOWN, VIEW("no token today"));
    struct text text = text_in(mem, 64);
    text_add_string(&text, "token-");
    text_add_number(&text, number);
    *out = (struct token){ .text = text_view(&text), .expires_s = source.now_s + source.life_s };
    return true;
}

static struct arena mem;
static struct credential *credential;

static int set_up(void **state)
{
    (void)state;
    memset(&source, 0, sizeof source);
    source.life_s = 24 * HOUR_S;
    source.now_s = NOW_S;
    arena_init(&mem, PLENTY);
    credential = credential_start(&(const struct token_source){ .fetch = fetch });
    return credential == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    credential_stop(credential);
    arena_drop(&mem);
    return 0;
}

/* The token at that moment, or the failure's sentence in parentheses. */
static struct view token_at(long long now_s)
{
    struct view token = { 0 };
    struct failure why = { 0 };
    source.now_s = now_s;
    if (credential_token(credential, now_s, PATIENCE_MS, &mem, &token, &why))
        return token;
    struct text text = text_in(&mem, 256);
    text_add_char(&text, '(');
    text_add_string(&text, why.reason);
    text_add_char(&text, ')');
    return text_view(&text);
}

#define CHECK_TOKEN(after_s, wanted) CHECK_VIEW(#after_s, token_at(NOW_S + (after_s)), VIEW(wanted))

/* --- one after the other ---------------------------------------------------------------------- */

static void a_token_is_kept_for_half_its_life(void **state)
{
    (void)state;
    CHECK_TOKEN(0, "token-1");
    CHECK_TOKEN(1, "token-1");
    CHECK_TOKEN(12 * HOUR_S - 1, "token-1");
    CHECK_TOKEN(12 * HOUR_S, "token-2");
    CHECK_TOKEN(24 * HOUR_S - 1, "token-2");
    CHECK_TOKEN(24 * HOUR_S, "token-3");
    assert_int_equal(atomic_load(&source.asked), 3);
}

static void an_expired_token_is_not_used(void **state)
{
    (void)state;
    CHECK_TOKEN(0, "token-1");
    CHECK_TOKEN(100 * HOUR_S, "token-2");
}

static void a_failed_renewal_keeps_a_valid_token(void **state)
{
    (void)state;
    CHECK_TOKEN(0, "token-1");
    source.is_failing = true;
    CHECK_TOKEN(13 * HOUR_S, "token-1");
    assert_int_equal(atomic_load(&source.asked), 2);
    assert_true(source.last_timeout_ms < PATIENCE_MS); /* it can wait, so nobody waits long */
    CHECK_TOKEN(13 * HOUR_S + 29, "token-1");
    assert_int_equal(atomic_load(&source.asked), 2); /* not again at once */
    CHECK_TOKEN(13 * HOUR_S + 30, "token-1");
    assert_int_equal(atomic_load(&source.asked), 3);
    CHECK_TOKEN(24 * HOUR_S, "(no token today)");
    assert_int_equal(source.last_timeout_ms, PATIENCE_MS);
    source.is_failing = false;
    CHECK_TOKEN(24 * HOUR_S, "token-5");
}

static void without_any_token_each_call_asks(void **state)
{
    (void)state;
    source.is_failing = true;
    CHECK_TOKEN(0, "(no token today)");
    CHECK_TOKEN(0, "(no token today)");
    assert_int_equal(atomic_load(&source.asked), 2);
    source.is_failing = false;
    CHECK_TOKEN(1, "token-3");
}

/* The platform may hand out what it has, however little is left of it. */
static void a_short_life_is_asked_about_now_and_then(void **state)
{
    (void)state;
    source.life_s = 20;
    CHECK_TOKEN(0, "token-1");
    CHECK_TOKEN(10, "token-1");
    CHECK_TOKEN(19, "token-1");
    CHECK_TOKEN(20, "token-2");
}

static void a_refused_token_is_forgotten(void **state)
{
    (void)state;
    CHECK_TOKEN(0, "token-1");
    credential_forget(credential, VIEW("token-0")); /* an older one: renewed meanwhile */
    CHECK_TOKEN(1, "token-1");
    credential_forget(credential, VIEW("token-1"));
    CHECK_TOKEN(2, "token-2");
}

static void without_memory_for_a_token_there_is_none(void **state)
{
    (void)state;
    struct arena none = { 0 };
    struct view token;
    struct failure why = { 0 };
    assert_false(credential_token(credential, NOW_S, PATIENCE_MS, &none, &token, &why));
    assert_int_equal(why.kind, FAIL_INTERNAL);
    CHECK_TOKEN(0, "token-1");
}

/* --- many at once ----------------------------------------------------------------------------- */

struct asker {
    pthread_t thread;
    long long now_s, patience_ms;
    bool is_had;
    char token[64];
    atomic_bool is_done;
};

static void *ask(void *user)
{
    struct asker *asker = user;
    struct arena own;
    struct view token = { 0 };
    struct failure why = { 0 };
    arena_init(&own, PLENTY);
    asker->is_had =
        credential_token(credential, asker->now_s, asker->patience_ms, &own, &token, &why);
    struct text text = text_over(asker->token, sizeof asker->token);
    text_add(&text, asker->is_had ? token : view_of(why.reason));
    arena_drop(&own);
    atomic_store(&asker->is_done, true);
    return NULL;
}

static void start_asking(struct asker *askers, long long now_s, long long patience_ms)
{
    source.now_s = now_s;
    for (int i = 0; i < THREADS; i++) {
        askers[i] = (struct asker){ .now_s = now_s, .patience_ms = patience_ms };
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
}

static int count_done(struct asker *askers)
{
    int done = 0;
    for (int i = 0; i < THREADS; i++)
        done += atomic_load(&askers[i].is_done);
    return done;
}

static void await_done(struct asker *askers, int wanted)
{
    while (count_done(askers) < wanted)
        nap();
}

static void join_all(struct asker *askers)
{
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
}

static void all_wait_for_one_first_token(void **state)
{
    (void)state;
    struct asker askers[THREADS];
    atomic_store(&source.is_held, true);
    start_asking(askers, NOW_S, PATIENCE_MS);
    while (atomic_load(&source.asked) == 0)
        nap();
    for (int i = 0; i < 50; i++)
        nap(); /* time for the others to come in, too */
    assert_int_equal(count_done(askers), 0);
    atomic_store(&source.is_held, false);
    join_all(askers);
    for (int i = 0; i < THREADS; i++)
        CHECK_VIEW("token", view_of(askers[i].token), VIEW("token-1"));
    assert_int_equal(atomic_load(&source.asked), 1);
    assert_int_equal(atomic_load(&source.most_inside), 1);
}

/* One of them renews; the others have gone on before it is done. */
static void nobody_waits_for_an_early_renewal(void **state)
{
    (void)state;
    struct asker askers[THREADS];
    CHECK_TOKEN(0, "token-1");
    atomic_store(&source.is_held, true);
    start_asking(askers, NOW_S + 13LL * HOUR_S, PATIENCE_MS);
    await_done(askers, THREADS - 1);
    assert_int_equal(atomic_load(&source.asked), 2);
    atomic_store(&source.is_held, false);
    join_all(askers);
    int renewed = 0;
    for (int i = 0; i < THREADS; i++)
        renewed += strcmp(askers[i].token, "token-2") == 0;
    assert_int_equal(renewed, 1);
    assert_int_equal(atomic_load(&source.most_inside), 1);
}

static void patience_ends_while_another_renews(void **state)
{
    (void)state;
    struct asker askers[THREADS];
    atomic_store(&source.is_held, true);
    start_asking(askers, NOW_S, 20);
    await_done(askers, THREADS - 1);
    atomic_store(&source.is_held, false);
    join_all(askers);
    int failed = 0;
    for (int i = 0; i < THREADS; i++)
        failed += strcmp(askers[i].token, "The identity endpoint did not answer in time") == 0;
    assert_int_equal(failed, THREADS - 1);
    assert_int_equal(atomic_load(&source.asked), 1);
}

/* --- the platform's endpoint ------------------------------------------------------------------ */

static const struct {
    const char *json;
    const char *token; /* NULL: none */
    long long expires_s;
} answers[] = {
    { "{\"access_token\":\"eyJ0\",\"expires_on\":\"1700086400\",\"resource\":\"https://"
      "storage.azure.com/\",\"token_type\":\"Bearer\",\"client_id\":\"c\"}",
      "eyJ0", NOW_S + 86400 },
    { "{\"access_token\":\"eyJ0\",\"expires_on\":1700086400}", "eyJ0", NOW_S + 86400 },
    { "{\"access_token\":\"eyJ0\",\"expires_in\":3600}", "eyJ0", NOW_S + 3600 },
    { "{\"access_token\":\"eyJ0\",\"expires_in\":\"3600\"}", "eyJ0", NOW_S + 3600 },
    { "{\"access_token\":\"eyJ0\",\"expires_on\":\"11/15/2023 10:13:20 PM +00:00\"}", "eyJ0",
      NOW_S + 300 },
    { "{\"access_token\":\"eyJ0\"}", "eyJ0", NOW_S + 300 },
    { "{\"access_token\":\"eyJ0\",\"expires_on\":\"1699999999\"}", NULL, 0 },
    { "{\"access_token\":\"a\\r\\nX-Evil: 1\"}", NULL, 0 },
    { "{\"access_token\":\"a b\"}", NULL, 0 },
    { "{\"access_token\":\"\"}", NULL, 0 },
    { "{\"access_token\":7}", NULL, 0 },
    { "{\"expires_on\":\"1700086400\"}", NULL, 0 },
    { "{\"access_token\":\"eyJ0\",\"expires_on\":1e300}", "eyJ0", NOW_S + 300 },
    { "[]", NULL, 0 },
    { "<html>", NULL, 0 },
    { "", NULL, 0 },
};

static void answers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        const char *row = answers[i].json;
        struct token token = { 0 };
        bool is_read = credential_read(view_of(row), NOW_S, &mem, &token);
        CHECK(row, is_read == (answers[i].token != NULL));
        if (!is_read)
            continue;
        CHECK_VIEW(row, token.text, view_of(answers[i].token));
        CHECK(row, token.expires_s == answers[i].expires_s);
    }
}

static void the_endpoint_is_asked_as_it_wants(void **state)
{
    (void)state;
    struct account account = { .identity_endpoint = VIEW("http://169.254.130.2:8081/msi/token"),
                               .identity_header = VIEW("h-1") };
    struct fetch out;
    assert_true(credential_write(&account, &mem, &out));
    CHECK_VIEW("url", out.url,
               VIEW("http://169.254.130.2:8081/msi/"
                    "token?resource=https%3A%2F%2Fstorage.azure.com%2F&api-version=2019-08-01"));
    CHECK_VIEW("method", view_of(out.method), VIEW("GET"));
    assert_int_equal(out.header_count, 1);
    CHECK_VIEW("name", out.headers[0].name, VIEW("X-IDENTITY-HEADER"));
    CHECK_VIEW("value", out.headers[0].value, VIEW("h-1"));
    account.identity_endpoint = VIEW("http://localhost:1/token?a=b");
    account.client_id = VIEW("c&d=1");
    assert_true(credential_write(&account, &mem, &out));
    CHECK_VIEW("url", out.url,
               VIEW("http://localhost:1/token?a=b&resource=https%3A%2F%2Fstorage.azure.com%2F&"
                    "api-version=2019-08-01&client_id=c%26d%3D1"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_kept_for_half_its_life),
        TEST(an_expired_token_is_not_used),
        TEST(a_failed_renewal_keeps_a_valid_token),
        TEST(without_any_token_each_call_asks),
        TEST(a_short_life_is_asked_about_now_and_then),
        TEST(a_refused_token_is_forgotten),
        TEST(without_memory_for_a_token_there_is_none),
        TEST(all_wait_for_one_first_token),
        TEST(nobody_waits_for_an_early_renewal),
        TEST(patience_ends_while_another_renews),
        TEST(answers_are_read),
        TEST(the_endpoint_is_asked_as_it_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
