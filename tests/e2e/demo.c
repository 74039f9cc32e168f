/*
 * Shows the whole way of one alert: Azure Monitor's request to the Functions host stand-in, our
 * handler behind it, the Devin stand-in at the end.
 *
 *   demo          sends one real alert, prints request, reply and prompt, ends by itself
 *   demo --stay   stays up for trying by hand, ends with Ctrl+C
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/http.h"
#include "support/stage.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, SHOWN_LINES = 14, SHOWN_COLUMNS = 96, FIRST_DEVIN_PORT = 3001 };

#define ALERT  "tests/cases/samples/azure-monitor/common-log-v2-exceptions-sev1-fired.json"
#define TARGET "/api/trigger-devin"

static int give_up(const char *sentence, struct view details)
{
    fflush(stdout);
    fprintf(stderr, "demo: %s\n%.*s", sentence, (int)details.len, details.at);
    return 1;
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_title(const char *title)
{
    printf("\n--- %s ", title);
    for (size_t i = strlen(title) + 5; i < 80; i++)
        putchar('-');
    printf("\n\n");
}

/* The first lines, each cut to the width of a terminal. */
static void print_start(struct view text, int lines)
{
    struct view line;
    while (lines-- > 0 && lines_next(&text, &line)) {
        struct view shown = view_cap(line, SHOWN_COLUMNS);
        printf("%.*s%s\n", (int)shown.len, shown.at, shown.len < line.len ? " ..." : "");
    }
    if (text.len > 0)
        printf("... (%zu bytes more)\n", text.len);
}

static void print_all(struct view text)
{
    printf("%.*s\n", (int)text.len, text.at);
}

/* --- the demonstration ---------------------------------------------------------------------- */

static bool print_prompt(int devin_port, struct arena *mem)
{
    struct json calls = { 0 };
    struct json body = { 0 };
    struct failure why = { 0 };
    if (!control_calls(devin_port, mem, &calls))
        return false;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    bool ok = call != NULL && json_read(json_text(json_at(call, "body")), mem, &body, &why);
    if (ok) {
        print_title("what Devin was asked: POST /v1/sessions");
        printf("title:       ");
        print_all(json_text(json_at(body.root, "title")));
        printf("playbook_id: ");
        print_all(json_text(json_at(body.root, "playbook_id")));
        printf("prompt:\n\n");
        print_all(json_text(json_at(body.root, "prompt")));
        json_free(&body);
    }
    json_free(&calls);
    return ok;
}

/* A session id and a session URL, or it was no success. */
static bool is_success(struct view body, struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    if (!json_read(body, mem, &json, &why))
        return false;
    bool ok = json_is_true(json_at(json.root, "success"))
              && json_text(json_at(json.root, "sessionId")).len > 0
              && json_text(json_at(json.root, "sessionUrl")).len > 0;
    json_free(&json);
    return ok;
}

static int send_alert(const struct site *site, const struct stage *stage, struct arena *mem)
{
    struct http_answer answer = { 0 };
    struct view alert = process_read_file(joined(mem, site->root, "/" ALERT, (char *)NULL), mem);
    if (alert.len == 0)
        return give_up("the alert cannot be read: " ALERT, VIEW(""));
    print_title("Azure Monitor sends");
    printf("POST http://localhost:%d" TARGET "\nContent-Type: application/json; charset=utf-8\n\n",
           stage->host.port);
    print_start(alert, SHOWN_LINES);
    struct view request =
        http_request("POST", VIEW(TARGET),
                     VIEW("Content-Type: application/json; charset=utf-8\r\n"), alert, mem);
    if (!http_call(stage->host.port, request, PATIENCE_MS, mem, &answer))
        return give_up("the Functions host stand-in did not answer\n",
                       program_err(&stage->host, mem));
    print_title("and is answered");
    printf("%d\n", answer.status);
    print_all(answer.body);
    if (answer.status != 200 || !is_success(answer.body, mem))
        return give_up("that is not the answer of a session that was created\n",
                       program_out(&stage->host, mem));
    if (!print_prompt(stage->devin.port, mem))
        return give_up("the Devin stand-in does not tell what it was called with", VIEW("\n"));
    return 0;
}

/* --- staying up ------------------------------------------------------------------------------- */

static long long local_http_port(const struct site *site, struct arena *mem)
{
    static const char *const files[] = { "/local.settings.json", "/local.settings.json.example" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct json json = { 0 };
        struct failure why = { 0 };
        struct view text = process_read_file(joined(mem, site->root, files[i], (char *)NULL), mem);
        if (text.len == 0 || !json_read(text, mem, &json, &why))
            continue;
        double port = json_number(json_at(json.root, "Host.LocalHttpPort"));
        json_free(&json);
        if (port >= 1 && port <= 65535)
            return (long long)port;
    }
    return 7071; /* what Core Tools takes when nothing is said */
}

static void print_invitation(const struct stage *stage)
{
    print_title("up and waiting");
    printf("function  http://localhost:%d" TARGET "\n", stage->host.port);
    printf(
        "Devin     http://localhost:%d/   (its sessions: the prompt of each beside its payload)\n",
        stage->devin.port);
    printf("\nTry it:\n\n"
           "curl -X POST http://localhost:%d" TARGET " \\\n"
           "  -H \"Content-Type: application/json\" \\\n"
           "  -d '{\"alertName\": \"manual-test-alert\", \"severity\": 1, "
           "\"description\": \"Testing the webhook integration\"}'\n",
           stage->host.port);
    printf("\nCtrl+C ends it.\n");
    fflush(stdout);
}

/* Until a signal; false when a stand-in ended before. */
static bool wait_for_signal(struct stage *stage, const sigset_t *signals)
{
    const struct timespec tick = { 0, 200000000 };
    for (;;) {
        if (sigtimedwait(signals, NULL, &tick) > 0)
            return true;
        if (!process_is_alive(&stage->host.process) || !process_is_alive(&stage->devin.process))
            return false;
    }
}

/* --- start ------------------------------------------------------------------------------------ */

static int run(const struct site *site, bool is_staying, const sigset_t *signals, struct arena *mem)
{
    struct stage stage;
    struct text why = text_in(mem, 256 * 1024);
    struct stage_plan plan = {
        .site = site, .root = site->root, .mode = "core-tools", .proxy = "new"
    };
    if (is_staying) {
        plan.host_port = (int)local_http_port(site, mem);
        plan.devin_port = FIRST_DEVIN_PORT;
        plan.is_shown = true;
    }
    if (!stage_up(&plan, mem, &stage, &why))
        return give_up("the stand-ins do not start; is a port taken?", text_view(&why));
    int code = send_alert(site, &stage, mem);
    if (code == 0 && is_staying) {
        print_invitation(&stage);
        if (!wait_for_signal(&stage, signals))
            code = give_up("a stand-in has ended by itself", VIEW("\n"));
    }
    /* Ctrl+C reaches the stand-ins as well: then how they ended says nothing. */
    if (!stage_down(&stage, mem, &why) && code == 0 && !is_staying)
        code = give_up("a stand-in did not end in order", text_view(&why));
    if (code == 0)
        printf(is_staying ? "\nended\n"
                          : "\nThat was it: `make run` stays up for trying by hand.\n");
    return code;
}

int main(int argc, char **argv)
{
    struct site site;
    struct arena mem;
    sigset_t signals;
    bool is_staying = argc == 2 && strcmp(argv[1], "--stay") == 0;
    if (argc > 1 && !is_staying) {
        fprintf(stderr, "usage: demo [--stay]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    arena_init(&mem, (size_t)256 * 1024 * 1024);
    int code = 1;
    if (!site_find(argv[0], &mem, &site))
        give_up("host.json is not found above this program", VIEW("\n"));
    else
        code = run(&site, is_staying, &signals, &mem);
    arena_drop(&mem);
    return code;
}
