/*
 * What the unit tests share: assertions that name the row of a table, because a line number alone
 * does not say which row failed.
 *
 * Owns:     nothing.
 * Units:    none.
 * Fails:    by ending the running cmocka test.
 * Threads:  the one that runs the test.
 *
 * To be included after base/failure.h: cmocka makes a macro of fail().
 */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `row` is a string that says which row of a table it is about. */
#define CHECK(row, condition)        check_that((row), (condition), #condition, __FILE__, __LINE__)
#define CHECK_VIEW(row, got, wanted) check_view((row), (got), (wanted), __FILE__, __LINE__)

/*
 * Tests that try every one of many (ceilings, sizes) step by this: 1, or more where each try takes
 * thirty times as long, under valgrind and ThreadSanitizer.
 */
static inline size_t check_step(void)
{
    const char *step = getenv("CHECK_STEP");
    long number = step != NULL ? strtol(step, NULL, 10) : 1;
    return number < 1 ? 1 : (size_t)number;
}

static inline void check_that(const char *row, bool is_true, const char *claim, const char *file,
                              int line)
{
    if (is_true)
        return;
    print_error("row \"%s\": not true: %s\n", row, claim);
    _fail(file, line);
}

static inline void check_view(const char *row, struct view got, struct view wanted,
                              const char *file, int line)
{
    if (view_equal(got, wanted))
        return;
    print_error("row \"%s\":\n     got %zu bytes: %.*s\n  wanted %zu bytes: %.*s\n", row, got.len,
                (int)got.len, got.len == 0 ? "" : got.at, wanted.len, (int)wanted.len,
                wanted.len == 0 ? "" : wanted.at);
    _fail(file, line);
}

#endif
