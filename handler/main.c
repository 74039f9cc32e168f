/*
 * Commands, and the life of the serving process: start, serve until a signal, end.  Which process
 * started us, and why we may have to leave, is decided here and nowhere else.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "edge/console.h"
#include "edge/queue.h"
#include "edge/server.h"
#include "edge/settings.h"
#include "edge/wire.h"
#include "triage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef HANDLER_VERSION
#define HANDLER_VERSION "unknown"
#endif

enum {
    DEFAULT_PORT = 3000,
    TICK_MS = 250,
    /* The deadline of the longest alert (DEVIN_TIMEOUT_MS at its maximum), and a little. */
    ENDING_PATIENCE_MS = 115000
};

#define PORT_VARIABLE "FUNCTIONS_CUSTOMHANDLER_PORT"

/* --- serve ------------------------------------------------------------------------------------ */

static void say_complaints(const struct settings *settings)
{
    for (size_t i = 0; i < settings->complaint_count; i++)
        fprintf(stderr, "handler: %s\n", settings->complaints[i].text.at);
}

/* Blocked before the first thread starts, so that only await_end() sees them. */
static sigset_t block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signals;
}

/*
 * Waits for SIGTERM or SIGINT.  A host that dies takes nobody with it on Linux, so a handler that
 * it started looks for a new parent; PR_SET_PDEATHSIG would follow the parent's thread, not the
 * parent.
 */
static const char *await_end(struct server *server, const sigset_t *signals, bool has_host,
                             pid_t parent)
{
    const struct timespec tick = { 0, TICK_MS * 1000000L };
    for (;;) {
        int caught = sigtimedwait(signals, NULL, &tick);
        server_tick(server);
        if (caught == SIGTERM || caught == SIGINT)
            return caught == SIGTERM ? "SIGTERM" : "SIGINT";
        if (has_host && getppid() != parent)
            return "the host has gone";
    }
}

static void log_start(int port, bool is_port_given, const char *ca_file, bool has_queue)
{
    struct log_line line;
    log_begin(&line, LOG_INFO, "listening", (struct view){ 0 });
    log_number(&line, "port", port);
    log_text(&line, "version", VIEW(HANDLER_VERSION));
    log_text(&line, "queue", has_queue ? VIEW("on") : VIEW("off"));
    log_text(&line, "caFile", ca_file == NULL ? VIEW("none") : view_of(ca_file));
    if (!is_port_given)
        log_text(&line, "note",
                 VIEW("neither --port nor " PORT_VARIABLE " is given: the default port is used"));
    log_end(&line);
}

static void log_unredacted(void)
{
    struct log_line line;
    log_begin(&line, LOG_WARN, "unredacted", (struct view){ 0 });
    log_text(&line, "note", VIEW("REDACT is off: secrets in alerts reach Devin and this log"));
    log_end(&line);
}

static void log_end_of_service(const char *reason)
{
    struct log_line line;
    log_begin(&line, LOG_INFO, "ended", (struct view){ 0 });
    log_text(&line, "reason", view_of(reason));
    log_end(&line);
}

/* What runs besides the server. */
struct machinery {
    struct wire_loop *loop;
    struct queue *queue; /* NULL: alerts are not stored */
};

static void stop_machinery(struct machinery *machinery)
{
    if (machinery->loop != NULL)
        wire_stop(machinery->loop);
    if (machinery->queue != NULL)
        queue_stop(machinery->queue);
}

/* Whoever stores an alert answers for its next try, and that is the host's to make. */
static bool start_machinery(struct machinery *out, const struct settings *settings, bool has_host)
{
    bool is_stored = settings_has_queue(settings) && has_host;
    if (settings_has_queue(settings) && !has_host)
        fprintf(stderr, "handler: QUEUE is on, but without the Functions host (" PORT_VARIABLE
                        " is not set) nobody would try a stored alert again: alerts are not "
                        "stored; start it with `func start`, or set QUEUE to off\n");
    *out = (struct machinery){ .loop = wire_start(&settings->wire) };
    if (out->loop != NULL && is_stored)
        out->queue = queue_start(out->loop, &settings->account);
    if (out->loop != NULL && (out->queue != NULL || !is_stored))
        return true;
    stop_machinery(out);
    fprintf(stderr, "handler: not enough memory or threads to start\n");
    return false;
}

static struct triage triage_of(const struct machinery *machinery, struct settings *settings)
{
    struct triage triage = settings_triage(settings);
    triage.wire = wire_of(machinery->loop);
    if (machinery->queue != NULL)
        triage.store = queue_store(machinery->queue);
    return triage;
}

/* Serves until told to end; 0 then, 1 when it cannot listen. */
static int serve_on(int port, bool is_port_given, bool has_host, struct settings *settings)
{
    pid_t parent = getppid();
    sigset_t signals = block_signals();
    struct machinery machinery;
    if (!start_machinery(&machinery, settings, has_host))
        return 1;
    const struct triage triage = triage_of(&machinery, settings);
    struct server_plan plan = {
        .port = port,
        .settings = &settings->server,
        .caller = &settings->caller,
        .triage = &triage,
        .takes_retries = has_host,
        .complaints = settings_complaints(settings, false),
        .version = HANDLER_VERSION,
    };
    char buffer[512];
    struct text problem = text_over(buffer, sizeof buffer);
    struct server *server = server_start(&plan, &problem);
    if (server == NULL) {
        fprintf(stderr, "handler: cannot listen on 127.0.0.1:%d: %s\n", port,
                text_view(&problem).at);
        stop_machinery(&machinery);
        return 1;
    }
    log_start(port, is_port_given, wire_ca_file(settings->wire.ca_file), machinery.queue != NULL);
    if (settings->redact.is_off)
        log_unredacted();
    const char *reason = await_end(server, &signals, has_host, parent);
    server_stop(server, ENDING_PATIENCE_MS);
    stop_machinery(&machinery);
    log_end_of_service(reason);
    return 0;
}

/* --port N, else the host's variable, else the default. */
static bool choose_port(int count, char **words, long long *port, bool *is_given, bool *has_host)
{
    const char *variable = getenv(PORT_VARIABLE);
    *port = DEFAULT_PORT;
    *has_host = variable != NULL && variable[0] != '\0';
    *is_given = true;
    if (count == 2 && strcmp(words[0], "--port") == 0) {
        if (view_to_number(view_of(words[1]), 1, 65535, port))
            return true;
        fprintf(stderr, "handler: --port must be a number from 1 to 65535\n");
        return false;
    }
    if (count != 0) {
        fprintf(stderr, "handler: unknown argument \"%s\": see `handler help`\n", words[0]);
        return false;
    }
    *is_given = *has_host;
    if (!*has_host || view_to_number(view_of(variable), 1, 65535, port))
        return true;
    fprintf(stderr, "handler: %s must be a number from 1 to 65535\n", PORT_VARIABLE);
    return false;
}

static int command_serve(int count, char **words)
{
    struct settings settings;
    long long port;
    bool is_given;
    bool has_host;
    if (!choose_port(count, words, &port, &is_given, &has_host))
        return 2;
    settings_read(&settings, settings_from_environment);
    say_complaints(&settings);
    log_redact(&settings.redact);
    int code = serve_on((int)port, is_given, has_host, &settings);
    settings_drop(&settings);
    return code;
}

/* --- the other commands ----------------------------------------------------------------------- */

static int command_check(int count, char **words)
{
    (void)count;
    (void)words;
    struct settings settings;
    settings_read(&settings, settings_from_environment);
    say_complaints(&settings);
    size_t complaints = settings.complaint_count;
    settings_drop(&settings);
    if (complaints > 0)
        return 1;
    printf("All settings are fine.\n");
    return 0;
}

static int command_settings(int count, char **words)
{
    (void)count;
    (void)words;
    struct settings settings;
    settings_read(&settings, settings_from_environment);
    for (size_t i = 0; i < settings_count(); i++) {
        struct setting_row row = settings_row(i);
        struct view value = settings_value(&settings, i, &settings.mem);
        value = value.len == 0 ? VIEW("-") : value;
        printf("%-24s %.*s\n%-24s   %s%s", row.name, (int)value.len, value.at, "",
               row.is_required ? "required; " : "", row.help);
        if (row.fallback != NULL)
            printf(" (default: %s)", row.fallback);
        printf("\n");
    }
    settings_drop(&settings);
    return 0;
}

static int with_settings(int (*run)(struct settings *settings, int count, char **words), int count,
                         char **words)
{
    struct settings settings;
    settings_read(&settings, settings_from_environment);
    int code = run(&settings, count, words);
    settings_drop(&settings);
    return code;
}

static int command_render(int count, char **words)
{
    return with_settings(console_render, count, words);
}

static int command_session(int count, char **words)
{
    return with_settings(console_session, count, words);
}

static int command_playbook(int count, char **words)
{
    return with_settings(console_playbook, count, words);
}

static int command_queue(int count, char **words)
{
    return with_settings(console_queue, count, words);
}

static int command_version(int count, char **words)
{
    bool is_full = count == 1 && strcmp(words[0], "--full") == 0;
    if (count > 0 && !is_full) {
        fprintf(stderr, "usage: handler version [--full]\n");
        return 2;
    }
    printf("%s\n", HANDLER_VERSION);
    if (is_full)
        printf("libcurl %s\nOpenSSL %s\ncJSON %s\ncivetweb %s\n", wire_library(), digest_library(),
               json_library(), server_library());
    return 0;
}

static int command_help(int count, char **words);

static const struct command {
    const char *name;
    const char *help;
    int (*run)(int count, char **words);
} commands[] = {
    { "serve", "[--port N]  answer the Functions host, or anyone on this machine (the default)",
      command_serve },
    { "check", "            say every complaint about the settings; exit 1 if there are any",
      command_check },
    { "settings", "            list all settings with their values (secrets: set or unset)",
      command_settings },
    { "render",
      "FILE|- [--json]  show the prompt for a payload, or all that would be sent; send nothing",
      command_render },
    { "session", "list|get|watch|message  follow Devin sessions from a terminal", command_session },
    { "playbook", "push FILE   create or update the default playbook in Devin", command_playbook },
    { "queue", "list|show|replay|drop  look after alerts that are stored", command_queue },
    { "version", "[--full]    print the version, and those of the libraries", command_version },
    { "help", "            print this", command_help },
};

static int command_help(int count, char **words)
{
    (void)count;
    (void)words;
    printf("Turns alerts into Devin sessions: an Azure Functions custom handler.\n\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        printf("  handler %-9s%s\n", commands[i].name, commands[i].help);
    printf("\nSettings come from the environment; `handler settings` explains each.\n");
    return 0;
}

/* Options without a command are those of serve. */
int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return command_help(0, NULL);
    if (argc < 2 || argv[1][0] == '-')
        return command_serve(argc - 1, argv + 1);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "handler: unknown command \"%s\": see `handler help`\n", argv[1]);
    return 2;
}
