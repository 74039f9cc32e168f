/*
 * The programs under test: where they lie, what environment they get, starting one on a free port
 * and hearing what it said.
 *
 * Owns:     a started program must be ended with program_end().
 * Units:    milliseconds; ports on 127.0.0.1.
 * Fails:    with false; program_start() says why.
 * Threads:  one owner at a time.
 */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

#include "base/text.h"
#include "support/process.h"

#include <stdio.h>

struct arena;

/* Absolute paths, found from our own: <root>/bin/[flavour/]e2e/<we>. */
struct site {
    const char *handler, *devin, *host;
    const char *root; /* the folder with host.json */
    const char *self; /* the path of this program */
};

bool site_find(const char *argv0, struct arena *mem, struct site *out);

/* Several strings as one, NUL-terminated; the list ends in NULL. */
const char *joined(struct arena *mem, ...);

/* All variables a child gets, "NAME=value". */
struct env {
    struct arena *mem;
    const char *at[96]; /* ends in NULL */
    size_t count;
};

/* What any program needs (PATH, HOME, sanitizer options, ...), and nothing of Devin or a proxy. */
struct env env_basics(struct arena *mem);
void env_set(struct env *env, struct view name, struct view value);
void env_unset(struct env *env, struct view name);
struct view env_value(const struct env *env, const char *name);

struct program {
    struct process process;
    int port;
    FILE *out, *err; /* what it says; NULL: goes where our own goes */
};

struct program_plan {
    const char *const *argv;
    const struct env *env; /* NULL: our own */
    const char *directory; /* NULL: ours */
    int port;              /* what it will listen on; 0: nothing */
    bool is_heard;         /* keep what it says for program_out() and program_err() */
};

/* Returns once it accepts connections; when it does not, it is ended and `why` holds its words. */
bool program_start(const struct program_plan *plan, struct program *out, struct text *why);

/*
 * The handler on a free port as the Functions host starts it (the port variable set), the rest of
 * the environment being `env`.
 */
bool program_start_handler(const struct site *site, struct env *env, struct program *out,
                           struct text *why);

/* The Devin stand-in on `port`, 0 for a free one. */
bool program_start_devin(const struct site *site, int port, struct program *out, struct text *why);

/* Sends `signal`, waits; false with a reason when it had to be killed or its exit code is not 0. */
bool program_end(struct program *program, int signal, int timeout_ms, struct text *why);

struct view program_out(const struct program *program, struct arena *mem);
struct view program_err(const struct program *program, struct arena *mem);

/* Closes what program_end() left open for reading. */
void program_forget(struct program *program);

#endif
