/*
 * Every way an alert can go wrong: one name, one HTTP status, one public sentence.
 *
 * Owns:     nothing; `field` and `rule` are literals from our own tables.
 * Units:    status is an HTTP status code.
 * Fails:    never; fail() always returns false so that a check is one line.
 * Threads:  a failure belongs to its request.
 *
 * What a caller may read comes only from this list and from our own tables; `detail` is for the log
 * alone.  So nothing a peer wrote can leak into an answer.
 */
#ifndef BASE_FAILURE_H
#define BASE_FAILURE_H

#include "base/text.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/* clang-format off */
#define FAILURES(X)                                                                                    \
    /* name             status passing error                              details                    */ \
    X(NOT_JSON,            400, false, "Invalid JSON body",               NULL)                         \
    X(FIELD_MISSING,       400, false, "Missing required field: ",        NULL)                         \
    X(FIELD_INVALID,       400, false, "Invalid field: ",                 NULL)                         \
    X(BAD_REQUEST,         400, false, "Malformed HTTP request",          NULL)                         \
    X(BAD_ENVELOPE,        400, false, "Invalid invocation envelope",     "expected Data.req from an httpTrigger named req") \
    X(UNAUTHORIZED,        401, false, "Unauthorized",                    NULL)                         \
    X(NOT_FOUND,           404, false, "Not found",                       "POST alerts to /api/trigger-devin") \
    X(WRONG_METHOD,        405, false, "Method not allowed",              "POST an alert, or GET for the health answer") \
    X(TOO_SLOW,            408, false, "Request body did not arrive in time", "send the whole body at once") \
    X(TOO_LARGE,           413, false, "Request body too large",          "send less, or raise MAX_BODY_BYTES") \
    X(COMPRESSED,          400, false, "Invalid JSON body",               "the body is compressed: send it as it is") \
    X(TOO_MANY_HEADERS,    431, false, "Too many request headers",        "send fewer than 64 headers") \
    X(MISCONFIGURED,       500, false, "Failed to create Devin session",  NULL)                         \
    X(DEVIN_KEY,           500, false, "Failed to create Devin session",  "Invalid Devin API key")      \
    X(DEVIN_BUSY,          500, true,  "Failed to create Devin session",  "API rate limit exceeded")    \
    X(DEVIN_UNREACHABLE,   500, true,  "Failed to create Devin session",  "Network error to Devin API") \
    X(DEVIN_OUTAGE,        500, true,  "Failed to create Devin session",  "Devin API outage")           \
    X(DEVIN_REJECTED,      500, false, "Failed to create Devin session",  "Devin API rejected the request") \
    X(DEVIN_WRONG_URL,     500, false, "Failed to create Devin session",  "Devin API not found at DEVIN_API_URL") \
    X(DEVIN_UNCLEAR,       500, false, "Failed to create Devin session",  "Devin API answered without a session") \
    X(STORE_DOWN,          500, true,  "Failed to create Devin session",  "Alert could not be stored")  \
    X(STORED_BROKEN,       500, false, "Failed to create Devin session",  "Stored alert cannot be read") \
    X(STORED_OLD,          500, false, "Failed to create Devin session",  "Stored alert is older than QUEUE_MAX_AGE_H") \
    X(INTERNAL,            500, false, "Failed to create Devin session",  "Internal error")
/* clang-format on */

enum failure_kind {
#define X(name, status, passing, error, details) FAIL_##name,
    FAILURES(X)
#undef X
};

/*
 * `field` follows the error sentence of the two FIELD kinds, `rule` says what the field must be,
 * and `reason` takes the place of the row's details (or follows them, for DEVIN_REJECTED).
 */
struct failure {
    enum failure_kind kind;
    const char *field;
    const char *rule;
    char reason[192];
    char detail[256]; /* for the log; never holds a secret, a body or a query string; may be cut */
};

/* One row of FAILURES as data. */
struct failure_row {
    const char *name;
    int status;
    bool is_passing; /* the same request may succeed a little later */
    const char *error;
    const char *details; /* NULL: none */
};

const struct failure_row *failure_row(enum failure_kind kind);

/* The public reason of this very failure, else its row's; empty: neither has one. */
struct view failure_details(const struct failure *why);

/* Fills `why` and returns false.  `format` feeds `detail`, nothing else. */
bool fail(struct failure *why, enum failure_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what the log shall know to a failure that is filled. */
void fail_detail(struct failure *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* FIELD_MISSING when `rule` is NULL, else FIELD_INVALID: "Invalid field: <field> <rule>". */
bool fail_field(struct failure *why, const char *field, const char *rule);

/* Gives a failure a public reason, a literal from our own tables; NULL gives none.  Returns false. */
bool fail_hint(struct failure *why, const char *hint);

/* As fail(), with a public reason made of our own words; cut when it does not fit. */
bool fail_because(struct failure *why, enum failure_kind kind, struct view reason);

#endif
