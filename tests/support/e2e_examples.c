/*
 * The API reference's examples, run by their own interpreters against the host stand-in, or against
 * Devin's.  The files in tests/cases/examples are the published text; URL and secret alone are put in
 * before they run.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/match.h"
#include "support/stage.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

#define PUBLISHED_URL    "https://your-webhook-endpoint"
#define PUBLISHED_DEVIN  "https://api.devin.ai"
#define PUBLISHED_SECRET "your-webhook-secret"
#define OUR_SECRET       "kPq7-example-secret"

struct example {
    const char *file;
    const char *is_installed; /* a shell command that succeeds when it can run */
    const char *command;      /* a shell command; $1 is the file */
    const char *alert;        /* in the prompt Devin must have got */
    const char *printed;      /* lines that its output must have */
    bool may_miss_in_ci;
    bool calls_devin; /* itself, not through us */
};

static struct view replaced(struct view text, struct view what, struct view by, struct arena *mem)
{
    struct text out = text_in(mem, 1024 * 1024);
    while (text.len > 0) {
        if (view_starts(text, what)) {
            text_add(&out, by);
            text = view_skip(text, what.len);
        } else {
            text_add_char(&out, text.at[0]);
            text = view_skip(text, 1);
        }
    }
    return text_view(&out);
}

/* Runs a shell command; what it printed is kept in `said`. */
static bool run(struct e2e *e2e, const char *command, const char *argument, struct view *said)
{
    struct env env = env_basics(e2e->mem);
    env_set(&env, VIEW("NO_PROXY"), VIEW("localhost,127.0.0.1"));
    env_set(&env, VIEW("DEVIN_API_KEY"), VIEW("apk_user_example"));
    const char *argv[] = { "/bin/sh", "-c", command, "sh", argument, NULL };
    struct program_plan plan = { .argv = argv, .env = &env, .is_heard = true };
    struct program program = { 0 };
    if (!program_start(&plan, &program, e2e->why))
        return false;
    bool has_ended = process_end(&program.process, 0, PATIENCE_MS);
    int status = program.process.status;
    struct text all = text_in(e2e->mem, 16 * 1024 * 1024);
    text_add(&all, program_out(&program, e2e->mem));
    text_add(&all, program_err(&program, e2e->mem));
    program_forget(&program);
    *said = text_view(&all);
    return has_ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * A copy with our URL and secret, of the same suffix (node looks at it); NULL: none could be made.
 */
static const char *made_ours(struct e2e *e2e, const char *file, const char *published,
                             const char *folder, int port)
{
    char url[64];
    snprintf(url, sizeof url, "http://localhost:%d", port);
    const char *from = joined(e2e->mem, e2e->cases, "/examples/", file, (char *)NULL);
    const char *to = joined(e2e->mem, folder, "/", file, (char *)NULL);
    struct view text = process_read_file(from, e2e->mem);
    struct view ours = replaced(text, view_of(published), view_of(url), e2e->mem);
    if (text.len == 0 || view_equal(ours, text))
        return NULL;
    ours = replaced(ours, VIEW(PUBLISHED_SECRET), VIEW(OUR_SECRET), e2e->mem);
    FILE *out = fopen(to, "wbe");
    if (out == NULL)
        return NULL;
    bool is_whole = fwrite(ours.at, 1, ours.len, out) == ours.len;
    return fclose(out) == 0 && is_whole ? to : NULL;
}

static bool has_reached_devin(struct e2e *e2e, int devin_port, const char *alert)
{
    struct json calls = { 0 };
    if (!control_calls(devin_port, e2e->mem, &calls))
        return false;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    bool ok = view_contains(json_text(json_at(call, "body")), view_of(alert));
    json_free(&calls);
    return ok || complain(e2e->why, "Devin did not get the alert", view_of(alert));
}

static bool run_example(struct e2e *e2e, const struct example *example, const struct stage *stage)
{
    struct view said = { 0 };
    const char *file =
        example->calls_devin
            ? made_ours(e2e, example->file, PUBLISHED_DEVIN, stage->root, stage->devin.port)
            : made_ours(e2e, example->file, PUBLISHED_URL, stage->root, stage->host.port);
    if (file == NULL)
        return complain(e2e->why, "no such example, or without its URL", view_of(example->file));
    bool has_run = run(e2e, example->command, file, &said);
    remove(file);
    if (!has_run)
        return complain(e2e->why, "the example failed", said);
    return match_has("output", view_of(example->printed), said, e2e->why)
           && has_reached_devin(e2e, stage->devin.port, example->alert);
}

static enum test_result skip_or_fail(struct e2e *e2e, const struct example *example)
{
    const char *ci = getenv("CI");
    text_add_string(e2e->why, "    not installed: ");
    text_add_string(e2e->why, example->is_installed);
    text_add_char(e2e->why, '\n');
    bool is_ci = ci != NULL && strcmp(ci, "true") == 0;
    return is_ci && !example->may_miss_in_ci ? TEST_FAILED : TEST_SKIPPED;
}

static enum test_result play(struct e2e *e2e, const struct example *example)
{
    struct view said = { 0 };
    struct stage stage;
    struct stage_plan plan = {
        .site = e2e->site, .mode = "core-tools", .proxy = "new", .secret = OUR_SECRET
    };
    if (!run(e2e, example->is_installed, "", &said))
        return skip_or_fail(e2e, example);
    if (!stage_up(&plan, e2e->mem, &stage, e2e->why))
        return TEST_FAILED;
    bool ok = run_example(e2e, example, &stage);
    return stage_down(&stage, e2e->mem, e2e->why) && ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result curl(struct e2e *e2e)
{
    static const struct example example = {
        .file = "curl.sh",
        .is_installed = "command -v curl",
        .command = "/bin/sh \"$1\"",
        .alert = "manual-test-alert",
        .printed = "\"success\":true\n\"sessionId\":\"\n\"sessionUrl\":\"http\n"
                   "\"message\":\"Devin session created successfully\"",
    };
    return play(e2e, &example);
}

static enum test_result python(struct e2e *e2e)
{
    static const struct example example = {
        .file = "python.py",
        .is_installed = "python3 -c 'import requests'",
        .command = "python3 \"$1\"",
        .alert = "python-test-alert",
        .printed = "'success': True\n'sessionId': '\n'sessionUrl': 'http\n"
                   "'message': 'Devin session created successfully'",
    };
    return play(e2e, &example);
}

static enum test_result node(struct e2e *e2e)
{
    static const struct example example = {
        .file = "node.mjs",
        .is_installed = "node -e 'process.exit(typeof fetch === \"function\" ? 0 : 1)'",
        .command = "node \"$1\"",
        .alert = "nodejs-test-alert",
        .printed = "success: true\nsessionId: '\nsessionUrl: 'http\n"
                   "message: 'Devin session created successfully'",
    };
    return play(e2e, &example);
}

static enum test_result powershell(struct e2e *e2e)
{
    static const struct example example = {
        .file = "powershell.ps1",
        .is_installed = "command -v pwsh",
        .command = "pwsh -NoProfile -NonInteractive -File \"$1\"",
        .alert = "powershell-test-alert",
        .printed = "success\nsessionId\nsessionUrl\nDevin session created successfully",
        .may_miss_in_ci = true, /* its body is sent by native/powershell-body.case as well */
    };
    return play(e2e, &example);
}

/* Its session is finished at the third look. */
static enum test_result monitor(struct e2e *e2e)
{
    static const struct example example = {
        .file = "monitor.py",
        .is_installed = "python3 -c 'import requests'",
        .command = "python3 \"$1\"",
        .alert = "Triage production alert: auth token expired...",
        .printed = "Session created: http\nStatus: working\nStatus: finished",
        .calls_devin = true,
    };
    return play(e2e, &example);
}

const struct e2e_test e2e_examples[] = {
    { "examples: curl", curl },
    { "examples: Python with requests", python },
    { "examples: Python that opens a session and watches it end", monitor },
    { "examples: Node.js with fetch", node },
    { "examples: PowerShell with Invoke-RestMethod", powershell },
    { NULL, NULL },
};
