/*
 * A line is built in a buffer on the stack; a pipe takes up to PIPE_BUF (4096) bytes in one piece.
 */
#include "base/log.h"

#include "base/redact.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Kept free for the closing ,"cut":true} and the line feed. */
enum { CLOSING_ROOM = 16, LONGEST_VALUE = 256 };

static const struct redact_settings *redact_settings; /* constant once threads run */

void log_redact(const struct redact_settings *settings)
{
    redact_settings = settings;
}

static struct view now(char *buffer, size_t size)
{
    struct timespec time;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &time);
    gmtime_r(&time.tv_sec, &parts);
    size_t len = strftime(buffer, size, "%Y-%m-%dT%H:%M:%S", &parts);
    len += (size_t)snprintf(buffer + len, size - len, ".%03ldZ", time.tv_nsec / 1000000);
    return (struct view){ buffer, len };
}

void log_begin(struct log_line *line, enum log_level level, const char *event,
               struct view invocation)
{
    static const char *const names[] = { "info", "warn", "error" };
    char time[40];
    line->text = text_over(line->buffer, sizeof line->buffer - CLOSING_ROOM);
    line->writer = (struct json_writer){ .to = &line->text };
    line->is_cut = false;
    json_open(&line->writer, NULL, '{');
    json_put_text(&line->writer, "time", now(time, sizeof time));
    json_put_text(&line->writer, "level", view_of(names[level]));
    json_put_text(&line->writer, "event", view_of(event));
    log_text(line, "invocation", invocation);
}

/* Takes back a pair that did not fit, so that what remains is still JSON. */
static void keep_or_undo(struct log_line *line, struct text before)
{
    if (text_ok(&line->text))
        return;
    line->text = before;
    line->text.bytes[before.len] = '\0';
    line->is_cut = true;
}

void log_text(struct log_line *line, const char *key, struct view value)
{
    if (value.len == 0)
        return;
    char buffer[LONGEST_VALUE + 1];
    struct text shown = text_over(buffer, sizeof buffer);
    struct redactor redactor = redactor_begin(redact_settings, NULL);
    struct text before = line->text;
    line->is_cut = !redact_add_some(&redactor, value, &shown) || line->is_cut;
    json_put_text(&line->writer, key, text_view(&shown));
    keep_or_undo(line, before);
}

void log_number(struct log_line *line, const char *key, long long value)
{
    struct text before = line->text;
    json_put_number(&line->writer, key, value);
    keep_or_undo(line, before);
}

void log_end(struct log_line *line)
{
    line->text.ceiling = sizeof line->buffer - 1;
    line->text.room = sizeof line->buffer;
    if (line->is_cut)
        json_put_bool(&line->writer, "cut", true);
    json_close(&line->writer, '}');
    text_add_char(&line->text, '\n');
    struct view whole = text_view(&line->text);
    ssize_t written = write(STDOUT_FILENO, whole.at, whole.len);
    (void)written; /* nobody to tell: stdout is the place where one would say so */
}
