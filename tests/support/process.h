/*
 * Child processes for tests and stand-ins: start, stop, read what they said.
 *
 * Owns:     a started process must be ended with process_end() or process_wait().
 * Units:    milliseconds.
 * Fails:    with false or -1.
 * Threads:  one owner at a time.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

#include "base/text.h"

#include <sys/types.h>

struct arena;

struct process {
    pid_t pid;
    int status; /* as waitpid() gave it, once it has ended */
};

struct process_plan {
    const char *const *argv; /* ends in NULL; argv[0] is the path of the program */
    const char *const *env;  /* "NAME=value", ends in NULL: ALL the child gets; NULL: our own */
    const char *directory;   /* NULL: ours */
    int out, err;            /* descriptors for stdout and stderr; -1: ours */
};

bool process_start(const struct process_plan *plan, struct process *out);
bool process_is_alive(struct process *process);

/* Sends `signal` (0: none), waits up to `timeout_ms`, then SIGKILL.  True: it ended by itself. */
bool process_end(struct process *process, int signal, int timeout_ms);

/* A process that `parent` has started; 0: there is none. */
pid_t process_child(pid_t parent);

/* A port on 127.0.0.1 that nobody listens on right now, or -1. */
int process_free_port(void);

/* Waits until something accepts connections there. */
bool process_await_port(int port, int timeout_ms);

/* All of a file; empty when it cannot be read. */
struct view process_read_file(const char *path, struct arena *mem);

bool process_write_file(const char *path, struct view content);

/* A new folder in TMPDIR, or in /tmp, whose name begins so; NULL when none can be made. */
const char *process_make_folder(const char *prefix, struct arena *mem);

long long process_now_ms(void); /* monotonic */
void process_sleep_ms(int ms);

#endif
