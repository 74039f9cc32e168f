/*
 * Figures as ratios within one run: the handler beside a bare civetweb with the same threads and
 * options, under the same client.  Absolute numbers belong to the machine; ratios can be compared.
 *
 *   bench [--handler PROGRAM]    another handler in place of the one beside us
 */
#include "base/arena.h"
#include "support/figures.h"
#include "support/http.h"
#include "support/process.h"
#include "support/program.h"

#include <civetweb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STARTS = 31, CLIENTS = 64, LOAD_MS = 3000, PATIENCE_MS = 10000 };

static const char refused[] =
    "{\"alertName\":\"bench\",\"severity\":9,\"description\":\"refused\"}";
static const char accepted[] =
    "{\"alertName\":\"bench\",\"severity\":1,\"description\":\"accepted\"}";

/* --- the bare server -------------------------------------------------------------------------- */

static int answer_bare(struct mg_connection *connection)
{
    static const char reply[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
                                "Content-Length: 45\r\n\r\n"
                                "{\"success\":false,\"error\":\"Invalid JSON body\"}";
    char piece[16384];
    while (mg_read(connection, piece, sizeof piece) > 0)
        continue;
    mg_write(connection, reply, sizeof reply - 1);
    return 400;
}

static int serve_bare(const char *port)
{
    char address[32];
    struct text text = text_over(address, sizeof address);
    text_add_string(&text, "127.0.0.1:");
    text_add_string(&text, port);
    const char *options[] = {
        "listening_ports",       address, "num_threads", "128", "enable_keep_alive", "yes",
        "keep_alive_timeout_ms", "75000", "tcp_nodelay", "1",   "listen_backlog",    "4096",
        "connection_queue",      "1024",  NULL
    };
    const struct mg_callbacks callbacks = { .begin_request = answer_bare };
    mg_init_library(0);
    if (mg_start(&callbacks, NULL, options) == NULL)
        return 1;
    for (;;)
        pause();
}

/* --- measuring -------------------------------------------------------------------------------- */

/* What is measured: a program, its words, and where it listens. */
struct subject {
    const char *const *argv;
    const struct env *env;
    int port;
    struct process process;
};

static bool answers(int port)
{
    struct arena mem;
    struct http_answer answer;
    arena_init(&mem, 1024 * 1024);
    struct view ping = http_request("GET", VIEW("/"), (struct view){ 0 }, (struct view){ 0 }, &mem);
    bool ok = http_call(port, ping, PATIENCE_MS, &mem, &answer);
    arena_drop(&mem);
    return ok;
}

/* Milliseconds from exec to the first answered GET /; below 0 when none came. */
static double start(struct subject *subject)
{
    FILE *nowhere = fopen("/dev/null", "w");
    struct process_plan plan = {
        .argv = subject->argv, .env = subject->env->at, .out = fileno(nowhere), .err = -1
    };
    double from = figures_now_ms();
    bool ok = process_start(&plan, &subject->process);
    fclose(nowhere);
    while (ok && !answers(subject->port))
        if (figures_now_ms() - from > PATIENCE_MS)
            return -1;
    return figures_now_ms() - from;
}

static double median_start(struct subject *subject)
{
    double figures[STARTS];
    for (size_t i = 0; i < STARTS; i++) {
        figures[i] = start(subject);
        process_end(&subject->process, SIGKILL, PATIENCE_MS);
    }
    return figures_median(figures, STARTS);
}

static double resident_mb(pid_t pid)
{
    char path[64];
    char line[256];
    double kb = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtod(line + 6, NULL);
    if (file != NULL)
        fclose(file);
    return kb / 1024;
}

struct load {
    int port;
    const char *body;
    int wanted_status;
    double until_ms;
    atomic_long answered, wrong;
};

static void *send_requests(void *user)
{
    struct load *load = user;
    struct arena mem;
    struct http_answer answer;
    arena_init(&mem, 16 * 1024 * 1024);
    struct view request = http_request("POST", VIEW("/api/trigger-devin"), (struct view){ 0 },
                                       view_of(load->body), &mem);
    int fd = http_connect(load->port, PATIENCE_MS);
    struct arena scratch;
    arena_init(&scratch, 16 * 1024 * 1024);
    while (figures_now_ms() < load->until_ms) {
        bool ok = http_send(fd, request) && http_receive(fd, PATIENCE_MS, false, &scratch, &answer)
                  && answer.status == load->wanted_status;
        atomic_fetch_add(ok ? &load->answered : &load->wrong, 1);
        arena_drop(&scratch);
        if (!ok)
            break;
    }
    close(fd);
    arena_drop(&mem);
    return NULL;
}

/* Requests a second over CLIENTS kept connections; what went wrong is said. */
static double load_it(int port, const char *body, int wanted_status)
{
    struct load load = { .port = port,
                         .body = body,
                         .wanted_status = wanted_status,
                         .until_ms = figures_now_ms() + LOAD_MS };
    pthread_t threads[CLIENTS];
    double from = figures_now_ms();
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, send_requests, &load);
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&load.wrong) > 0)
        printf("  (%ld of the clients met a wrong answer)\n", atomic_load(&load.wrong));
    return (double)atomic_load(&load.answered) * 1000 / (figures_now_ms() - from);
}

static void print_pair(const char *what, const char *unit, double ours, double bare)
{
    printf("%-34s %10.2f %-5s %10.2f %-5s %6.2fx\n", what, ours, unit, bare, unit, ours / bare);
}

/* A number as a string in the arena, for argv. */
static const char *digits(int number, struct arena *mem)
{
    struct text text = text_in(mem, 16);
    text_add_number(&text, number);
    return text_view(&text).at;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--bare") == 0)
        return serve_bare(argv[2]);
    struct arena mem;
    struct site site;
    char words[512];
    struct text why = text_over(words, sizeof words);
    struct program devin = { 0 };
    arena_init(&mem, 4 * 1024 * 1024);
    if (!site_find(argv[0], &mem, &site) || !program_start_devin(&site, 0, &devin, &why)) {
        fprintf(stderr, "bench: cannot start: %s\n", text_view(&why).at);
        return 1;
    }
    if (argc == 3 && strcmp(argv[1], "--handler") == 0)
        site.handler = argv[2];
    struct env env = env_basics(&mem);
    env_set(&env, VIEW("DEVIN_API_KEY"), VIEW("apk_user_bench"));
    env_set(&env, VIEW("TARGET_REPO"), VIEW("https://github.com/org/repo"));
    env_set(&env, VIEW("DEVIN_API_URL"),
            view_of(joined(&mem, "http://127.0.0.1:", digits(devin.port, &mem), (char *)NULL)));
    int ours_port = process_free_port();
    int bare_port = process_free_port();
    const char *ours_argv[] = { site.handler, "--port", digits(ours_port, &mem), NULL };
    const char *bare_argv[] = { site.self, "--bare", digits(bare_port, &mem), NULL };
    struct subject ours = { .argv = ours_argv, .env = &env, .port = ours_port };
    struct subject bare = { .argv = bare_argv, .env = &env, .port = bare_port };

    printf("%-34s %16s %16s %7s\n", "", "handler", "bare civetweb", "ratio");
    print_pair("exec to first answered GET /", "ms", median_start(&ours), median_start(&bare));
    start(&ours);
    start(&bare);
    print_pair("idle memory", "MB", resident_mb(ours.process.pid), resident_mb(bare.process.pid));
    print_pair("refused requests, 64 connections", "/s", load_it(ours_port, refused, 400),
               load_it(bare_port, refused, 400));
    printf("%-34s %10.2f %-5s\n", "full path, same alert", load_it(ours_port, accepted, 200), "/s");
    print_pair("memory after load", "MB", resident_mb(ours.process.pid),
               resident_mb(bare.process.pid));
    process_end(&ours.process, SIGTERM, PATIENCE_MS);
    process_end(&bare.process, SIGKILL, PATIENCE_MS);
    program_end(&devin, SIGTERM, PATIENCE_MS, &why);
    arena_drop(&mem);
    return 0;
}
