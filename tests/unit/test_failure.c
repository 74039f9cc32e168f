/* The list of failures, and that its promised words are the promised words. */
#include "base/failure.h"

#include "unit/check.h"

/* cmocka has a macro of the same name; in brackets it is our function. */
#define FAIL       (fail)

#define NO_SESSION "Failed to create Devin session"

/* What callers were promised: to the letter. */
static const struct {
    enum failure_kind kind;
    int status;
    bool is_passing;
    const char *error, *details;
} promises[] = {
    { FAIL_NOT_JSON, 400, false, "Invalid JSON body", NULL },
    { FAIL_FIELD_MISSING, 400, false, "Missing required field: ", NULL },
    { FAIL_FIELD_INVALID, 400, false, "Invalid field: ", NULL },
    { FAIL_UNAUTHORIZED, 401, false, "Unauthorized", NULL },
    { FAIL_MISCONFIGURED, 500, false, NO_SESSION, NULL },
    { FAIL_DEVIN_KEY, 500, false, NO_SESSION, "Invalid Devin API key" },
    { FAIL_DEVIN_BUSY, 500, true, NO_SESSION, "API rate limit exceeded" },
    { FAIL_DEVIN_UNREACHABLE, 500, true, NO_SESSION, "Network error to Devin API" },
    { FAIL_DEVIN_OUTAGE, 500, true, NO_SESSION, "Devin API outage" },
    { FAIL_DEVIN_REJECTED, 500, false, NO_SESSION, "Devin API rejected the request" },
};

/* Only the status was promised. */
static const struct {
    enum failure_kind kind;
    int status;
} statuses[] = {
    { FAIL_BAD_REQUEST, 400 },   { FAIL_BAD_ENVELOPE, 400 },     { FAIL_COMPRESSED, 400 },
    { FAIL_NOT_FOUND, 404 },     { FAIL_WRONG_METHOD, 405 },     { FAIL_TOO_SLOW, 408 },
    { FAIL_TOO_LARGE, 413 },     { FAIL_TOO_MANY_HEADERS, 431 }, { FAIL_DEVIN_WRONG_URL, 500 },
    { FAIL_DEVIN_UNCLEAR, 500 }, { FAIL_STORE_DOWN, 500 },       { FAIL_STORED_BROKEN, 500 },
    { FAIL_STORED_OLD, 500 },    { FAIL_INTERNAL, 500 },
};

#define X(name, status, passing, error, details) FAIL_##name,
static const enum failure_kind all[] = { FAILURES(X) };
#undef X

static void promised_words_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(promises); i++) {
        const struct failure_row *row = failure_row(promises[i].kind);
        CHECK(row->name, row->status == promises[i].status);
        CHECK(row->name, row->is_passing == promises[i].is_passing);
        CHECK_VIEW(row->name, view_of(row->error), view_of(promises[i].error));
        CHECK(row->name, (row->details == NULL) == (promises[i].details == NULL));
        CHECK_VIEW(row->name, view_of(row->details), view_of(promises[i].details));
    }
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        const struct failure_row *row = failure_row(statuses[i].kind);
        CHECK(row->name, row->status == statuses[i].status);
    }
}

/* A kind is promised, or its status is, or it is one that nobody thought of here. */
static void every_row_is_complete(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(all), COUNT_OF(promises) + COUNT_OF(statuses));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const struct failure_row *row = failure_row(all[i]);
        assert_int_equal(all[i], i);
        CHECK(row->name, row->name[0] != '\0');
        CHECK(row->name, row->status >= 400 && row->status <= 599);
        CHECK(row->name, row->error != NULL && row->error[0] != '\0');
        CHECK(row->name, row->details == NULL || row->details[0] != '\0');
        CHECK(row->name, !row->is_passing || row->status == 500);
    }
}

static void failing_gives_false_and_fills(void **state)
{
    (void)state;
    struct failure why;
    memset(&why, 'x', sizeof why);
    assert_false(FAIL(&why, FAIL_NOT_JSON, "stopped at byte %d of %s", 7, "9"));
    assert_int_equal(why.kind, FAIL_NOT_JSON);
    assert_string_equal(why.detail, "stopped at byte 7 of 9");
    assert_string_equal(why.reason, "");
    assert_null(why.field);
    assert_null(why.rule);
}

static void details_are_cut_to_their_room(void **state)
{
    (void)state;
    struct failure why;
    assert_false(FAIL(&why, FAIL_INTERNAL, "%0400d", 1));
    assert_int_equal(strlen(why.detail), sizeof why.detail - 1);
}

static void fields_are_missing_or_invalid(void **state)
{
    (void)state;
    struct failure why;
    memset(&why, 'x', sizeof why);
    assert_false(fail_field(&why, "alertName", NULL));
    assert_int_equal(why.kind, FAIL_FIELD_MISSING);
    assert_string_equal(why.field, "alertName");
    assert_null(why.rule);
    assert_string_equal(why.reason, "");
    assert_string_equal(why.detail, "");

    assert_false(fail_field(&why, "severity", "must be a number from 0 to 4"));
    assert_int_equal(why.kind, FAIL_FIELD_INVALID);
    assert_string_equal(why.field, "severity");
    assert_string_equal(why.rule, "must be a number from 0 to 4");
}

static void reasons_are_kept(void **state)
{
    (void)state;
    struct failure why;
    memset(&why, 'x', sizeof why);
    assert_false(fail_because(&why, FAIL_MISCONFIGURED, VIEW("DEVIN_API_KEY is not set")));
    assert_int_equal(why.kind, FAIL_MISCONFIGURED);
    assert_string_equal(why.reason, "DEVIN_API_KEY is not set");
    assert_string_equal(why.detail, "");
    assert_null(why.field);
    assert_false(fail_because(&why, FAIL_MISCONFIGURED, (struct view){ 0 }));
    assert_string_equal(why.reason, "");
}

/* Reasons of two-byte characters, with and without a letter in front: one of them must be cut. */
static void long_reasons_end_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t front = 0; front <= 1; front++) {
        struct failure why;
        char buffer[600];
        struct text text = text_over(buffer, sizeof buffer);
        text_add_repeated(&text, 'a', front);
        for (int i = 0; i < 200; i++)
            text_add_string(&text, "\xC3\xA9");
        assert_false(fail_because(&why, FAIL_DEVIN_REJECTED, text_view(&text)));
        struct view reason = view_of(why.reason);
        assert_int_equal(reason.len, front + (sizeof why.reason - 1 - front) / 2 * 2);
        assert_true(view_starts(text_view(&text), reason));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promised_words_are_kept),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(failing_gives_false_and_fills),
        cmocka_unit_test(details_are_cut_to_their_room),
        cmocka_unit_test(fields_are_missing_or_invalid),
        cmocka_unit_test(reasons_are_kept),
        cmocka_unit_test(long_reasons_end_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
