/* The rows of FAILURES, and the ways to pick one. */
#include "base/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct failure_row rows[] = {
#define X(name, status, passing, error, details) { #name, status, passing, error, details },
    FAILURES(X)
#undef X
};

const struct failure_row *failure_row(enum failure_kind kind)
{
    return &rows[kind];
}

struct view failure_details(const struct failure *why)
{
    return view_of(why->reason[0] != '\0' ? why->reason : failure_row(why->kind)->details);
}

bool fail(struct failure *why, enum failure_kind kind, const char *format, ...)
{
    *why = (struct failure){ .kind = kind };
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->detail, sizeof why->detail, format, arguments);
    va_end(arguments);
    return false;
}

void fail_detail(struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why->detail, sizeof why->detail, format, arguments);
    va_end(arguments);
}

bool fail_field(struct failure *why, const char *field, const char *rule)
{
    *why = (struct failure){
        .kind = rule == NULL ? FAIL_FIELD_MISSING : FAIL_FIELD_INVALID,
        .field = field,
        .rule = rule,
    };
    return false;
}

static void set_reason(struct failure *why, struct view reason)
{
    reason = view_cap(reason, sizeof why->reason - 1);
    if (reason.len > 0)
        memcpy(why->reason, reason.at, reason.len);
    why->reason[reason.len] = '\0';
}

bool fail_hint(struct failure *why, const char *hint)
{
    set_reason(why, view_of(hint));
    return false;
}

bool fail_because(struct failure *why, enum failure_kind kind, struct view reason)
{
    *why = (struct failure){ .kind = kind };
    set_reason(why, reason);
    return false;
}
