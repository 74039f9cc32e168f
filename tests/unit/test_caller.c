/* Who may call: each way to present the secret, and everything that is nearly right. */
#include "edge/caller.h"

#include "base/arena.h"
#include "unit/check.h"

enum { PLENTY = 1024 * 1024 };

/* --- tables ----------------------------------------------------------------------------------- */

/* With the secret "secret"; base64 of "u:secret" is dTpzZWNyZXQ=. */
static const struct {
    const char *header, *value, *query;
    bool is_let_in;
} calls[] = {
    { NULL, NULL, "", false },
    /* Bearer */
    { "Authorization", "Bearer secret", "", true },
    { "Authorization", "bearer secret", "", true },
    { "Authorization", "BEARER secret", "", true },
    { "authorization", "Bearer   secret  ", "", true },
    { "Authorization", "Bearer wrong", "", false },
    { "Authorization", "Bearer secre", "", false },
    { "Authorization", "Bearer secrets", "", false },
    { "Authorization", "Bearer Secret", "", false },
    { "Authorization", "Bearer secret secret", "", false },
    { "Authorization", "Bearer secret,", "", false },
    { "Authorization", "Bearer", "", false },
    { "Authorization", "Bearer ", "", false },
    { "Authorization", "Bearersecret", "", false },
    { "Authorization", "secret", "", false },
    { "Authorization", "Token secret", "", false },
    { "Authorization", "", "", false },
    { "Proxy-Authorization", "Bearer secret", "", false },
    /* Basic: the password, whoever the user */
    { "Authorization", "Basic dTpzZWNyZXQ=", "", true },                 /* u:secret */
    { "Authorization", "basic OnNlY3JldA==", "", true },                 /* :secret */
    { "Authorization", "Basic YW55b25lIGF0IGFsbDpzZWNyZXQ=", "", true }, /* anyone at all:secret */
    { "Authorization", "Basic dTpzZWNyZXQ6eA==", "", false },            /* u:secret:x */
    { "Authorization", "Basic dTpzZWNyZQ==", "", false },                /* u:secre */
    { "Authorization", "Basic dTo=", "", false },                        /* u: */
    { "Authorization", "Basic Og==", "", false },                        /* : */
    { "Authorization", "Basic c2VjcmV0", "", false },                    /* secret, as the user */
    { "Authorization", "Basic c2VjcmV0Og==", "", false },                /* secret: */
    { "Authorization", "Basic secret", "", false },
    { "Authorization", "Basic u:secret", "", false },
    { "Authorization", "Basic dTpzZWNyZXQ", "", false }, /* no padding */
    { "Authorization", "Basic dTpzZWNy*XQ=", "", false },
    { "Authorization", "Basic ====", "", false },
    { "Authorization", "Basic ", "", false },
    { "Authorization", "Basic", "", false },
    { "Authorization", "Bearer dTpzZWNyZXQ=", "", false },
    /* X-Webhook-Secret */
    { "X-Webhook-Secret", "secret", "", true },
    { "x-webhook-secret", " secret ", "", true },
    { "X-Webhook-Secret", "wrong", "", false },
    { "X-Webhook-Secret", "", "", false },
    { "X-Webhook-Secret", "Bearer secret", "", false },
    { "X-Webhook", "secret", "", false },
    /* the query parameter */
    { NULL, NULL, "token=secret", true },
    { NULL, NULL, "code=key&token=secret", true },
    { NULL, NULL, "token=secret&code=key", true },
    { NULL, NULL, "&&token=secret&&", true },
    { NULL, NULL, "token=%73ecre%74", true },
    { NULL, NULL, "token=%73%65%63%72%65%74", true },
    { NULL, NULL, "token=", false },
    { NULL, NULL, "token", false },
    { NULL, NULL, "token=wrong", false },
    { NULL, NULL, "token=secre", false },
    { NULL, NULL, "token=secrets", false },
    { NULL, NULL, "token=secret%00", false },
    { NULL, NULL, "token=secret%20", false },
    { NULL, NULL, "token=+secret", false },
    { NULL, NULL, "token=secret=", false },
    { NULL, NULL, "token=%", false },
    { NULL, NULL, "token=secret%7", false },
    { NULL, NULL, "xtoken=secret", false },
    { NULL, NULL, "tokens=secret", false },
    { NULL, NULL, "code=secret", false },
    { NULL, NULL, "x=token=secret", false },
    { NULL, NULL, "secret", false },
    { NULL, NULL, "=secret", false },
    { NULL, NULL, "token%3Dsecret", false },
    /* one right way among wrong ones is enough */
    { "Authorization", "Bearer wrong", "token=secret", true },
    { "X-Webhook-Secret", "secret", "token=wrong", true },
    { "Authorization", "Bearer wrong", "token=wrong", false },
};

/* Secrets that are kept, and what is presented as Bearer. */
static const struct {
    const char *name;
    const char *secret, *previous, *presented;
    bool is_let_in;
} rotations[] = {
    { "current", "new", "old", "new", true },
    { "previous", "new", "old", "old", true },
    { "neither", "new", "old", "other", false },
    { "both joined", "new", "old", "newold", false },
    { "no previous", "new", "", "old", false },
    { "empty previous, nothing presented", "new", "", "", false },
    { "no secret, nothing presented", "", "", "", true },
    { "no secret, anything presented", "", "", "whatever", true },
};

/* Queries for secrets that need escaping. */
static const struct {
    const char *secret, *query;
    bool is_let_in;
} escapes[] = {
    { "a b", "token=a+b", true },         { "a b", "token=a%20b", true },
    { "a+b", "token=a%2Bb", true },       { "a+b", "token=a%2bb", true },
    { "a&b=c", "token=a%26b%3Dc", true }, { "a=b", "token=a=b", true },
    { "100%", "token=100%25", true },     { "100%", "token=100%", true },
    { "%zz", "token=%zz", true },         { "%4", "token=%4", true },
    { "\xC3\xA9", "token=%C3%A9", true }, { "a", "token=%2561", false },
};

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

static bool check_call(const struct caller_settings *settings, const char *name, const char *value,
                       const char *query)
{
    struct header header = { view_of(name), view_of(value) };
    struct request request = {
        .method = VIEW("POST"),
        .path = VIEW("/api/trigger-devin"),
        .query = view_of(query),
        .headers = &header,
        .header_count = name == NULL ? 0 : 1,
    };
    struct failure why = { 0 };
    bool is_let_in = caller_check(settings, &request, &mem, &why);
    assert_true(is_let_in || why.kind == FAIL_UNAUTHORIZED);
    /* Nothing can be learned from a refusal, whatever was wrong. */
    assert_string_equal(why.reason, "");
    assert_null(why.field);
    assert_false(view_contains(view_of(why.detail), VIEW("s3cr3t")));
    return is_let_in;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void the_secret_is_presented_in_four_ways(void **state)
{
    (void)state;
    const struct caller_settings settings = { .secret = VIEW("secret") };
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        const char *row = calls[i].header == NULL ? calls[i].query : calls[i].value;
        CHECK(row, check_call(&settings, calls[i].header, calls[i].value, calls[i].query)
                       == calls[i].is_let_in);
    }
}

static void secrets_can_be_rotated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rotations); i++) {
        const struct caller_settings settings = { view_of(rotations[i].secret),
                                                  view_of(rotations[i].previous) };
        struct text header = text_in(&mem, 256);
        text_add_string(&header, "Bearer ");
        text_add_string(&header, rotations[i].presented);
        CHECK(rotations[i].name, check_call(&settings, "Authorization", text_view(&header).at, "")
                                     == rotations[i].is_let_in);
    }
}

static void queries_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(escapes); i++) {
        const struct caller_settings settings = { .secret = view_of(escapes[i].secret) };
        CHECK(escapes[i].query,
              check_call(&settings, NULL, NULL, escapes[i].query) == escapes[i].is_let_in);
    }
}

static void without_a_secret_anybody_may_call(void **state)
{
    (void)state;
    const struct caller_settings nothing = { 0 };
    assert_true(check_call(&nothing, NULL, NULL, ""));
    assert_true(check_call(&nothing, "Authorization", "Bearer x", "token=y"));
}

/* Without memory nobody is let in who would not be otherwise. */
static void little_memory_lets_nobody_in(void **state)
{
    (void)state;
    const struct caller_settings settings = { .secret = VIEW("secret") };
    const struct header header = { VIEW("Authorization"), VIEW("Basic dTpzZWNyZXQ=") };
    struct request request = { .headers = &header, .header_count = 1 };
    struct request stranger = { .query = VIEW("token=wrong") };
    bool is_let_in = false;
    for (size_t ceiling = 0; !is_let_in && ceiling < 4096; ceiling += ARENA_ALIGN) {
        struct failure why = { 0 };
        arena_init(&scarce, ceiling);
        assert_false(caller_check(&settings, &stranger, &scarce, &why));
        is_let_in = caller_check(&settings, &request, &scarce, &why);
        assert_true(is_let_in || why.kind == FAIL_INTERNAL);
        arena_drop(&scarce);
    }
    assert_true(is_let_in);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_secret_is_presented_in_four_ways),
        TEST(secrets_can_be_rotated),
        TEST(queries_are_decoded),
        TEST(without_a_secret_anybody_may_call),
        TEST(little_memory_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
