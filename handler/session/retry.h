/*
 * When a call to Devin is tried again, and after which wait: one pure decision.
 *
 * Owns:     nothing.
 * Units:    milliseconds.
 * Fails:    never.
 * Threads:  any.
 */
#ifndef SESSION_RETRY_H
#define SESSION_RETRY_H

#include <stdbool.h>

/* What a try met. */
enum trouble {
    TROUBLE_LASTING, /* the same call will meet the same again */
    TROUBLE_BUSY,    /* 429: refused, and surely not done */
    TROUBLE_UNSENT,  /* the request surely did not reach the server */
    TROUBLE_UNCLEAR  /* it may have been done: time-out, broken answer, 408, 5xx */
};

/* What repeating a call would do. */
enum repeat {
    REPEAT_FREELY,      /* the same as doing it once */
    REPEAT_IF_NOT_DONE, /* twice what was asked, where the first try was done after all */
    REPEAT_NEVER        /* not worth the time */
};

struct retry_settings {
    long long tries;    /* how often one call is sent at most */
    long long first_ms; /* the first wait; each further one is twice as long */
};

enum { NO_RETRY = -1, SHORTEST_TRY_MS = 1000 };

/*
 * The wait before the next try, or NO_RETRY.  `tries` have been made, `left_ms` is left until the
 * deadline.  `retry_after_ms` (0: nothing) is what the server asks for: it wins over a shorter wait of
 * ours, but never waits so long that no try fits behind it.  `spread` is any number that differs from
 * call to call: waits of ours vary by a fifth with it, so that many callers do not come back at once.
 */
long long retry_wait_ms(const struct retry_settings *settings, enum repeat repeat, int tries,
                        enum trouble trouble, long long retry_after_ms, long long left_ms,
                        unsigned spread);

/*
 * How long a try may take: half of the time left, so that a silent server leaves room for another;
 * all of it for the last try, and where half would leave no room for the wait and a try behind it.
 */
long long retry_timeout_ms(const struct retry_settings *settings, enum repeat repeat, int tries,
                           long long left_ms);

#endif
