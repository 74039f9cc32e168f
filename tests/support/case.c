/*
 * Reads case files.  Sections are first cut out whole by a table of names, then each is looked at
 * once; a name that is not in the table is an error, so a typing mistake cannot switch a check off.
 */
#include "support/case.h"

#include "base/arena.h"
#include "support/process.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_BODY = 64 * 1024 * 1024 };

static const struct section {
    const char *name;
    size_t offset;
} sections[] = {
    { "settings", offsetof(struct e2e_case, settings) },
    { "protocols", offsetof(struct e2e_case, protocols) },
    { "request", offsetof(struct e2e_case, request) },
    { "repeat", offsetof(struct e2e_case, repeat_text) },
    { "devin", offsetof(struct e2e_case, devin) },
    { "options", offsetof(struct e2e_case, options) },
    { "reply", offsetof(struct e2e_case, reply) },
    { "calls", offsetof(struct e2e_case, calls) },
    { "asked", offsetof(struct e2e_case, asked) },
    { "prompt", offsetof(struct e2e_case, prompt) },
    { "prompt-has", offsetof(struct e2e_case, prompt_has) },
    { "prompt-lacks", offsetof(struct e2e_case, prompt_lacks) },
    { "log-has", offsetof(struct e2e_case, log_has) },
    { "log-lacks", offsetof(struct e2e_case, log_lacks) },
    { "stderr-has", offsetof(struct e2e_case, stderr_has) },
    { "command", offsetof(struct e2e_case, command) },
    { "took-at-least", offsetof(struct e2e_case, least_text) },
    { "took-at-most", offsetof(struct e2e_case, most_text) },
    { "exit", offsetof(struct e2e_case, exit_text) },
    { "out-has", offsetof(struct e2e_case, out_has) },
    { "out-lacks", offsetof(struct e2e_case, out_lacks) },
};

bool lines_next(struct view *rest, struct view *line)
{
    if (rest->len == 0)
        return false;
    if (!view_cut(*rest, '\n', line, rest))
        *rest = (struct view){ 0 };
    return true;
}

bool lines_pair(struct view line, char mark, struct view *name, struct view *value)
{
    bool is_pair = view_cut(line, mark, name, value);
    *name = view_trim(*name);
    *value = is_pair ? view_trim(*value) : (struct view){ 0 };
    return is_pair;
}

static bool wrong(struct text *why, const char *sentence, struct view what)
{
    text_add_string(why, "    the case file is wrong: ");
    text_add_string(why, sentence);
    text_add(why, what);
    text_add_char(why, '\n');
    return false;
}

static struct view without_line_feeds_at_end(struct view text)
{
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    return text;
}

static struct view *section_of(struct e2e_case *out, struct view name)
{
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        if (view_equal(name, view_of(sections[i].name)))
            return (struct view *)(void *)((char *)out + sections[i].offset);
    return NULL;
}

/* Empty sections get a non-NULL `at`, so that "there, but empty" differs from "not there". */
static bool cut_sections(struct view file, struct e2e_case *out, struct text *why)
{
    struct view *current = NULL;
    struct view line;
    while (lines_next(&file, &line)) {
        if (view_starts(line, VIEW("--- "))) {
            struct view name = view_trim(view_skip(line, 4));
            current = section_of(out, name);
            if (current == NULL)
                return wrong(why, "no such section: ", name);
            if (current->at != NULL)
                return wrong(why, "a section twice: ", name);
            *current = (struct view){ line.at + line.len + (file.len > 0), 0 };
        } else if (current != NULL) {
            current->len = (size_t)(line.at + line.len - current->at);
        } else if (view_starts(line, VIEW("# ")) && out->title.len == 0) {
            out->title = view_skip(line, 2);
        } else if (line.len > 0 && line.at[0] != '#') {
            return wrong(why, "text before the first section: ", line);
        }
    }
    for (size_t i = 0; i < COUNT_OF(sections); i++) {
        struct view *section = (struct view *)(void *)((char *)out + sections[i].offset);
        *section = without_line_feeds_at_end(*section);
    }
    return true;
}

/* --- bodies ---------------------------------------------------------------------------------- */

static struct view read_beside(const char *case_path, struct view name, struct arena *mem)
{
    struct text path = text_in(mem, 4096);
    const char *slash = strrchr(case_path, '/');
    text_add(&path, (struct view){ case_path, slash ? (size_t)(slash - case_path) + 1 : 0 });
    text_add(&path, name);
    return process_read_file(text_view(&path).at, mem);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add_hex(struct text *to, struct view digits)
{
    for (; digits.len >= 2; digits = view_trim(view_skip(digits, 2))) {
        int high = hex_digit(digits.at[0]);
        int low = hex_digit(digits.at[1]);
        if (high < 0 || low < 0)
            return false;
        text_add_char(to, (char)(high * 16 + low));
    }
    return digits.len == 0;
}

static bool add_repeated(struct text *to, struct view rest)
{
    struct view count;
    struct view piece;
    long long times = 0;
    if (!lines_pair(rest, ' ', &count, &piece) || !view_to_number(count, 1, LARGEST_BODY, &times))
        return false;
    while (times-- > 0)
        text_add(to, piece);
    return true;
}

/*
 * "@file", "@hex 1f 8b" and "@repeat 1000 x" lines are replaced by what they name, and take the
 * line feeds around them along; other lines stay as they are.
 */
static bool expand_body(struct view raw, const char *path, struct arena *mem, struct view *out,
                        struct text *why)
{
    struct text body = text_in(mem, LARGEST_BODY);
    bool needs_feed = false;
    struct view line;
    while (lines_next(&raw, &line)) {
        bool is_special = line.len > 1 && line.at[0] == '@';
        if (needs_feed && !is_special)
            text_add_char(&body, '\n');
        needs_feed = !is_special;
        if (!is_special) {
            text_add(&body, line);
        } else if (view_starts(line, VIEW("@hex "))) {
            if (!add_hex(&body, view_trim(view_skip(line, 5))))
                return wrong(why, "not hex digits: ", line);
        } else if (view_starts(line, VIEW("@repeat "))) {
            if (!add_repeated(&body, view_skip(line, 8)))
                return wrong(why, "not \"@repeat COUNT TEXT\": ", line);
        } else {
            struct view file = read_beside(path, view_skip(line, 1), mem);
            if (file.len == 0)
                return wrong(why, "no such file beside it: ", line);
            text_add(&body, file);
        }
    }
    *out = text_view(&body);
    return text_ok(&body) || wrong(why, "the body is too large", (struct view){ 0 });
}

/* Cuts at the first empty line: what stands before it, and what behind. */
static void cut_at_empty_line(struct view section, struct view *head, struct view *body)
{
    struct view rest = section;
    struct view line;
    *head = section;
    *body = (struct view){ 0 };
    while (lines_next(&rest, &line))
        if (line.len == 0) {
            *head = without_line_feeds_at_end(
                (struct view){ section.at, (size_t)(line.at - section.at) });
            *body = rest;
            return;
        }
}

/* --- sections -------------------------------------------------------------------------------- */

static bool read_request(struct e2e_case *out, struct arena *mem, struct text *why)
{
    struct view raw;
    struct view first = { 0 };
    cut_at_empty_line(out->request, &out->headers, &raw);
    if (!lines_next(&out->headers, &first) || !lines_pair(first, ' ', &out->method, &out->target))
        return wrong(why, "a request starts with METHOD and path: ", first);
    return expand_body(raw, out->path, mem, &out->body, why);
}

static bool read_reply(struct e2e_case *out, struct text *why)
{
    struct view first = { 0 };
    long long status = 0;
    cut_at_empty_line(out->reply, &out->reply_headers, &out->reply_body);
    if (!lines_next(&out->reply_headers, &first)
        || !view_to_number(view_trim(first), 100, 999, &status))
        return wrong(why, "a reply starts with its status: ", first);
    out->status = (int)status;
    struct view rest = out->reply_body;
    if (lines_next(&rest, &first) && view_equal(view_trim(first), VIEW("exactly"))) {
        out->is_exact = true;
        out->reply_body = rest;
    }
    return true;
}

static bool read_calls(struct e2e_case *out, struct text *why)
{
    struct view rest = out->calls;
    struct view line = { 0 };
    out->has_calls = out->calls.at != NULL;
    if (!out->has_calls)
        return true;
    if (!lines_next(&rest, &line) || !view_to_number(view_trim(line), 0, 1000, &out->call_count))
        return wrong(why, "calls start with their number: ", line);
    struct view behind = rest;
    if (lines_next(&behind, &line) && view_equal(view_trim(line), VIEW("same-bytes"))) {
        out->same_bytes = true;
        rest = behind;
    }
    behind = rest;
    if (lines_next(&behind, &line) && view_equal(view_trim(line), VIEW("exactly"))) {
        out->is_call_exact = true;
        rest = behind;
    }
    out->call_body = view_trim(rest);
    return true;
}

static bool read_number(const char *section, struct view text, long long max, long long *out,
                        struct text *why)
{
    return text.at == NULL || view_to_number(view_trim(text), 0, max, out)
           || wrong(why, "this section is a number: ", view_of(section));
}

static bool read_numbers(struct e2e_case *out, struct text *why)
{
    out->repeat = 1;
    return read_number("repeat", out->repeat_text, 1000, &out->repeat, why)
           && read_number("exit", out->exit_text, 255, &out->exit_code, why)
           && read_number("took-at-least", out->least_text, 60000, &out->least_ms, why)
           && read_number("took-at-most", out->most_text, 60000, &out->most_ms, why);
}

bool case_read(const char *path, struct arena *mem, struct e2e_case *out, struct text *why)
{
    *out = (struct e2e_case){ .path = path };
    struct view file = process_read_file(path, mem);
    if (file.len == 0)
        return wrong(why, "it cannot be read", (struct view){ 0 });
    if (!cut_sections(file, out, why) || !read_numbers(out, why))
        return false;
    out->has_prompt = out->prompt.at != NULL;
    if (out->command.at != NULL)
        return true;
    if (out->request.len == 0 || out->reply.len == 0)
        return wrong(why, "a request and a reply, or a command, must be there", (struct view){ 0 });
    return read_request(out, mem, why) && read_reply(out, why) && read_calls(out, why);
}
