/*
 * End-to-end tests that are more than one request and one answer: C functions in files of their own
 * (e2e_<noun>.c), listed here, called by tests/e2e/run.c.
 *
 * Owns:     nothing.  A test ends every process it starts.
 * Units:    none.
 * Fails:    with TEST_FAILED and an explanation in `why`.
 * Threads:  one test at a time.
 */
#ifndef SUPPORT_E2E_H
#define SUPPORT_E2E_H

#include "base/text.h"
#include "support/program.h"

struct arena;

enum test_result { TEST_PASSED, TEST_FAILED, TEST_SKIPPED };

/* What a test may use; `why` also says why it was skipped. */
struct e2e {
    const struct site *site;
    const char *cases; /* the folder of cases */
    struct arena *mem; /* dropped after the test */
    struct text *why;
};

struct e2e_test {
    const char *name; /* "<story>: what is true" */
    enum test_result (*run)(struct e2e *e2e);
};

/* One list per file; a list ends in a zeroed row. */
extern const struct e2e_test e2e_load[];
extern const struct e2e_test e2e_life[];
extern const struct e2e_test e2e_host[];
extern const struct e2e_test e2e_examples[];
extern const struct e2e_test e2e_wire[];
extern const struct e2e_test e2e_hostile[];
extern const struct e2e_test e2e_crowd[];
extern const struct e2e_test e2e_kill[];
extern const struct e2e_test e2e_process[];
extern const struct e2e_test e2e_standin[];
extern const struct e2e_test e2e_senders[];
extern const struct e2e_test e2e_refire[];
extern const struct e2e_test e2e_turns[];
extern const struct e2e_test e2e_console[];
extern const struct e2e_test e2e_trust[];
/* These need what tests/queue/run.sh prepares. */
extern const struct e2e_test e2e_queue_write[];
extern const struct e2e_test e2e_queue_retry[];
extern const struct e2e_test e2e_queue_storage[];
extern const struct e2e_test e2e_queue_console[];

/* TEST_FAILED with a sentence, and what was seen. */
enum test_result e2e_fail(struct e2e *e2e, const char *sentence, struct view seen);

/* A native alert of that name as a request to `path`. */
struct view e2e_alert(struct e2e *e2e, const char *path, const char *name);

#endif
