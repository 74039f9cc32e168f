/* Routes from alert names to playbooks. */
#include "session/playbook.h"

#include "base/failure.h"
#include "unit/check.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *routes;
    const char *name; /* the alert's */
    const char *id;   /* NULL: the default */
} choices[] = {
    /* documented */
    { "auth-error=playbook_auth_123,timeout=playbook_perf_456", "auth-error", "playbook_auth_123" },
    { "auth-error=playbook_auth_123,timeout=playbook_perf_456", "db timeout in eu",
      "playbook_perf_456" },
    { "auth-error=playbook_auth_123,timeout=playbook_perf_456", "null-reference", NULL },
    /* the first route wins, not the first place in the name nor the longest pattern */
    { "b=1,a=2", "ab", "1" },
    { "auth=1,auth-error=2", "auth-error", "1" },
    { "a=1,a=2", "a", "1" },
    /* any part of the name; letters with case */
    { "a=1", "a", "1" },
    { "a=1", "xax", "1" },
    { "Auth=1", "auth", NULL },
    { "auth=1", "AUTH", NULL },
    { "abc=1", "ab", NULL },
    { "a=1", "", NULL },
    /* blanks around either, not within */
    { " auth = id ", "x auth y", "id" },
    { "\ta\t=\tid\t,\tb\t=\tid2\t", "b", "id2" },
    { "db timeout=id", "the db timeout", "id" },
    { "db timeout=id", "the dbtimeout", NULL },
    /* an id may hold what is left of the route */
    { "a=id=2", "a", "id=2" },
    { "\xC3\xA9=id", "caf\xC3\xA9", "id" },
    /* malformed routes are passed over */
    { "", "a", NULL },
    { ",", "a", NULL },
    { "a", "a", NULL },
    { "a=", "a", NULL },
    { "a= ", "a", NULL },
    { "=id", "a", NULL },
    { " =id", "a", NULL },
    { "a,a=id", "a", "id" },
    { "=x,a=id,", "a", "id" },
    { ",,a=id", "a", "id" },
    { "a=,a=id", "a", "id" },
};

static const struct {
    const char *routes;
    bool is_sound;
} problems[] = {
    { "", true },        { "a=b", true },    { "a=b,c=d", true },   { " a = b , c = d ", true },
    { "a=b=c", true },   { "a", false },     { "a=", false },       { "=b", false },
    { " = ", false },    { "a=b,c", false }, { "a=b,,c=d", false }, { ",a=b", false },
    { "a=b,c=", false }, { "a:b", false },   { "a=b;c", true }, /* an odd id, but one */
};

/* --- tests ------------------------------------------------------------------------------------ */

static void the_first_route_that_fits_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct playbook_settings settings = {
            .routes = view_of(choices[i].routes),
            .fallback = VIEW("devin-triage-workflow"),
        };
        struct view wanted = choices[i].id == NULL ? settings.fallback : view_of(choices[i].id);
        CHECK_VIEW(choices[i].routes, playbook_for(&settings, view_of(choices[i].name)), wanted);
    }
}

static void without_settings_there_is_no_playbook(void **state)
{
    (void)state;
    struct playbook_settings nothing = { 0 };
    assert_int_equal(playbook_for(&nothing, VIEW("name")).len, 0);
    assert_int_equal(playbook_for(&nothing, (struct view){ 0 }).len, 0);
}

static void malformed_routes_are_a_complaint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(problems); i++) {
        const char *problem = playbook_routes_problem(view_of(problems[i].routes));
        CHECK(problems[i].routes, (problem == NULL) == problems[i].is_sound);
        CHECK(problems[i].routes,
              problem == NULL || view_starts(view_of(problem), VIEW("must be ")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_route_that_fits_is_taken),
        cmocka_unit_test(without_settings_there_is_no_playbook),
        cmocka_unit_test(malformed_routes_are_a_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
