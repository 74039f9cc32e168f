/*
 * Writes what the cases hold as first inputs of the fuzz targets: one folder a target, one file a
 * seed.
 *
 *   seeds OUT CASES
 */
#include "alert/stored.h"
#include "base/arena.h"
#include "base/json.h"
#include "edge/settings.h"
#include "session/template.h"
#include "support/case.h"
#include "support/envelope.h"
#include "support/process.h"
#include "support/program.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CASE_BYTES = 256 * 1024 * 1024, LARGEST_SEED = 64 * 1024 };

static const char *const targets[] = { "alert",  "envelope", "devin",  "settings",
                                       "caller", "template", "stored", "storage" };

static const char *out_folder;
static int seed_count;

static void stop(const char *what, const char *path)
{
    fprintf(stderr, "seeds: %s: %s\n", what, path);
    exit(1);
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        stop("cannot be made", path);
}

/* Long seeds teach a fuzzer little and slow it down. */
static void write_seed(const char *target, struct view bytes)
{
    char path[4096];
    if (bytes.len == 0 || bytes.len > LARGEST_SEED)
        return;
    snprintf(path, sizeof path, "%s/%s/%05d", out_folder, target, seed_count++);
    FILE *file = fopen(path, "wbe");
    if (file == NULL || fwrite(bytes.at, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        stop("cannot be written", path);
}

/* What a queue would hold of these alerts, and the envelope in which it would come back. */
static void write_stored(struct view body, struct arena *mem)
{
    struct payload payload;
    struct problems problems;
    struct failure why = { 0 };
    if (!payload_read(body, mem, &payload, &why)
        || !problems_of(&payload, ALERT_FIRED, 2, mem, &problems))
        return;
    for (size_t i = 0; i < problems.count; i++) {
        const struct stored stored = { .problem = problems.at[i], .first_seen_s = 1772000000 };
        struct view message = { 0 };
        if (!stored_write(&stored, mem, &message, &why))
            stop("cannot be stored", why.detail);
        write_seed("stored", message);
        struct text envelope = text_in(mem, LARGEST_SEED);
        text_add_string(&envelope, "{\"Data\":{\"alert\":");
        text_add(&envelope, message);
        text_add_string(&envelope, "},\"Metadata\":{\"DequeueCount\":\"1\"}}");
        write_seed("envelope", text_ok(&envelope) ? text_view(&envelope) : VIEW("{}"));
    }
}

/* --- out of a case ---------------------------------------------------------------------------- */

/* As fuzz_devin.c reads it: status, how it ended, what was asked (each in its turn), body. */
static void write_answers(struct view faults, struct arena *mem)
{
    struct view line;
    while (lines_next(&faults, &line)) {
        struct json json = { 0 };
        struct failure why = { 0 };
        if (view_trim(line).len == 0 || !json_read(line, mem, &json, &why))
            continue;
        int status = (int)json_number(json_at(json.root, "status"));
        struct text seed = text_in(mem, LARGEST_SEED);
        status = status == 0 ? 200 : status;
        text_add_char(&seed, (char)(status / 256));
        text_add_char(&seed, (char)(status % 256));
        text_add_char(&seed, json_kind(json_at(json.root, "retry_after")) == JSON_ABSENT ? 0 : 8);
        text_add_char(&seed, (char)seed_count);
        text_add(&seed, json_as_text(json_at(json.root, "body"), mem));
        write_seed("devin", text_view(&seed));
        json_free(&json);
    }
}

static void write_settings(struct view lines, struct arena *mem)
{
    struct text seed = text_in(mem, LARGEST_SEED);
    struct view line;
    while (lines_next(&lines, &line)) {
        text_add(&seed, line);
        text_add_char(&seed, '\0');
    }
    write_seed("settings", text_view(&seed));
}

static void write_case(const struct e2e_case *test, struct arena *mem)
{
    const struct envelope_request request = { test->method, test->target, test->headers,
                                              test->body };
    struct text call = text_in(mem, LARGEST_SEED);
    text_add(&call, test->target);
    text_add_char(&call, '\n');
    text_add(&call, test->headers);
    write_seed("alert", test->body);
    write_stored(test->body, mem);
    if (test->body.len < LARGEST_SEED / 2)
        write_seed("envelope", envelope_wrap(&request, mem));
    write_seed("caller", text_view(&call));
    write_settings(test->settings, mem);
    write_answers(test->devin, mem);
}

static void write_file(const char *path, struct arena *mem)
{
    size_t len = strlen(path);
    struct e2e_case test;
    struct text why = text_in(mem, 64 * 1024);
    if (len > 5 && strcmp(path + len - 5, ".json") == 0)
        write_seed("alert", process_read_file(path, mem));
    if (len > 9 && strcmp(path + len - 9, ".mustache") == 0)
        write_seed("template", process_read_file(path, mem));
    if (len <= 5 || strcmp(path + len - 5, ".case") != 0)
        return;
    if (!case_read(path, mem, &test, &why))
        stop(text_view(&why).at, path);
    write_case(&test, mem);
}

static void walk(const char *folder)
{
    struct dirent **entries = NULL;
    struct stat about;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        struct arena mem;
        arena_init(&mem, CASE_BYTES);
        const char *path = joined(&mem, folder, "/", entries[i]->d_name, (char *)NULL);
        bool is_seen = entries[i]->d_name[0] != '.' && stat(path, &about) == 0;
        if (is_seen && S_ISDIR(about.st_mode))
            walk(path);
        else if (is_seen)
            write_file(path, &mem);
        arena_drop(&mem);
        free(entries[i]);
    }
    free(entries);
}

/* --- out of our own tables -------------------------------------------------------------------- */

/* Each setting alone, with its default or any value: the fuzzer then knows all names. */
static void write_rows(void)
{
    for (size_t i = 0; i < settings_count(); i++) {
        struct arena mem;
        arena_init(&mem, 64 * 1024);
        struct setting_row row = settings_row(i);
        struct text seed = text_in(&mem, 4096);
        text_add_string(&seed, row.name);
        text_add_char(&seed, '=');
        text_add_string(&seed, row.fallback == NULL ? "x" : row.fallback);
        text_add_char(&seed, '\0');
        write_seed("settings", text_view(&seed));
        arena_drop(&mem);
    }
}

/* As the service writes them, the token of an identity, and a connection string. */
static void write_storage(void)
{
    write_seed(
        "storage",
        VIEW("<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList><QueueMessage>"
             "<MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId><InsertionTime>Fri, 09 "
             "Oct 2009 21:04:30 GMT</InsertionTime><PopReceipt>YzQ4</PopReceipt><TimeNextVisible>"
             "Fri, 09 Oct 2009 23:29:20 GMT</TimeNextVisible><DequeueCount>1</DequeueCount>"
             "<MessageText>eyJ2IjoxfQ==</MessageText></QueueMessage><QueueMessage><MessageId>a"
             "</MessageId><MessageText>&lt;&amp;&#xA;</MessageText></QueueMessage>"
             "</QueueMessagesList>"));
    write_seed("storage", VIEW("<Error><Code>QueueNotFound</Code></Error>"));
    write_seed("storage", VIEW("{\"access_token\":\"e.y\",\"expires_on\":\"1700086400\"}"));
    write_seed("storage", VIEW("AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net"));
    write_seed("storage", VIEW("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://h"));
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc != 3) {
        fprintf(stderr, "usage: seeds OUT CASES\n");
        return 2;
    }
    out_folder = argv[1];
    make_folder(out_folder);
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        snprintf(path, sizeof path, "%s/%s", out_folder, targets[i]);
        make_folder(path);
    }
    write_rows();
    walk(argv[2]);
    write_seed("template", template_builtin);
    /* What Devin answers where a case scripts nothing. */
    write_seed("devin",
               VIEW("\x00\xC8\x00\x00{\"session_id\":\"devin-0123456789abcdef0123456789abcdef\","
                    "\"url\":\"https://app.devin.ai/sessions/x\",\"is_new_session\":true}"));
    write_seed("devin", VIEW("\x01\xA6\x00\x00{\"detail\":[{\"loc\":[\"body\",\"prompt\"]}]}"));
    write_seed("devin",
               VIEW("\x00\xC8\x00\x43{\"items\":[{\"session_id\":\"s\",\"tags\":[\"fp-1\"],"
                    "\"status\":\"running\"}],\"has_next_page\":true,"
                    "\"end_cursor\":\"c\"}"));
    write_seed("devin",
               VIEW("\x00\xC8\x00\x54{\"sessions\":[{\"session_id\":\"s\",\"tags\":[\"fp-1\"],"
                    "\"status_enum\":\"working\"}]}"));
    write_seed("devin", VIEW("\x00\xC8\x00\x20[{\"playbook_id\":\"playbook-1\",\"title\":\"b\"}]"));
    write_seed("devin", VIEW("\x00\xC8\x00\x01{\"org_id\":\"org-1\"}"));
    write_storage();
    return 0;
}
