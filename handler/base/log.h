/*
 * The log: one JSON object a line on stdout, one write a line, so that lines of many threads stay
 * whole.  The Functions host makes each line an Information record (functions-host sources,
 * WorkerProcess.cs: stdout is Information, stderr is Error).
 *
 * Owns:     nothing; a line lives in its struct until log_end().
 * Units:    times are UTC with milliseconds.
 * Fails:    in silence: a log that cannot be written must not stop an alert.  A long value is cut, a
 *           pair that does not fit is left out whole, and "cut":true says so.
 * Threads:  any; each line is built by one thread and written in one call.
 *
 * Event names and keys are literals.  Values are redacted and escaped.  Bodies, query strings, headers
 * and secrets are never given to it.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/json.h"
#include "base/text.h"

struct redact_settings;

/* For all lines from now on, before the first thread starts; stays the caller's. */
void log_redact(const struct redact_settings *settings);

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
    char buffer[2048];
    struct text text;
    struct json_writer writer;
    bool is_cut;
};

/* `invocation` is the Functions host's invocation id; empty: left out. */
void log_begin(struct log_line *line, enum log_level level, const char *event,
               struct view invocation);
void log_text(struct log_line *line, const char *key, struct view value); /* empty: left out */
void log_number(struct log_line *line, const char *key, long long value);
void log_end(struct log_line *line);

#endif
