/* What the Functions host may rely on from the process it starts: where it listens, what it says. */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/duo.h"
#include "support/match.h"
#include "support/player.h"
#include "support/stage.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PATH "/api/trigger-devin"

static struct view alert(struct e2e *e2e, const char *name)
{
    return e2e_alert(e2e, PATH, name);
}

/* --- listening ------------------------------------------------------------------------------- */

/* The local addresses in /proc/net/tcp that listen on `port`: "0100007F:0BB8" is 127.0.0.1:3000. */
static int count_listeners(struct e2e *e2e, const char *path, int port, const char *address)
{
    struct view table = process_read_file(path, e2e->mem);
    struct view line;
    int count = 0;
    while (lines_next(&table, &line)) {
        char local[64] = "";
        unsigned number = 0;
        unsigned state = 0;
        if (sscanf(line.at, " %*d: %63[0-9A-F]:%x %*[0-9A-F]:%*x %x", local, &number, &state) == 3
            && number == (unsigned)port && state == 0x0A)
            count += address == NULL || strcmp(local, address) == 0;
    }
    return count;
}

static enum test_result loopback_alone(struct e2e *e2e)
{
    struct duo duo;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    int port = duo.handler.port;
    int all = count_listeners(e2e, "/proc/net/tcp", port, NULL)
              + count_listeners(e2e, "/proc/net/tcp6", port, NULL);
    int right = count_listeners(e2e, "/proc/net/tcp", port, "0100007F");
    bool ok = duo_down(e2e, &duo);
    if (all != 1 || right != 1)
        return e2e_fail(e2e, "it does not listen on 127.0.0.1 alone", VIEW(""));
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* Starts it on a free port, with `out` for its stdout, and does not wait. */
static bool start(struct e2e *e2e, const char *const *argv, int out, struct program *handler)
{
    struct env env = env_basics(e2e->mem);
    char number[16];
    player_defaults(&env, 1);
    env_set(&env, VIEW("DEVIN_RETRIES"), VIEW("1"));
    handler->port = process_free_port();
    snprintf(number, sizeof number, "%d", handler->port);
    env_set(&env, VIEW("FUNCTIONS_CUSTOMHANDLER_PORT"), view_of(number));
    const struct process_plan plan = { .argv = argv, .env = env.at, .out = out, .err = -1 };
    return process_start(&plan, &handler->process);
}

/* The first connection that is not refused asks at once, as the host does. */
static enum test_result first_is_answered(struct e2e *e2e)
{
    struct program handler = { 0 };
    const char *argv[] = { e2e->site->handler, NULL };
    struct http_answer answer = { 0 };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int fd = -1;
    if (!start(e2e, argv, null, &handler))
        return TEST_FAILED;
    for (long long until = process_now_ms() + DUO_PATIENCE_MS;
         fd < 0 && process_now_ms() < until && process_is_alive(&handler.process);)
        fd = http_connect(handler.port, DUO_PATIENCE_MS);
    bool ok = fd >= 0 && http_send(fd, duo_ping)
              && http_receive(fd, DUO_PATIENCE_MS, false, e2e->mem, &answer)
              && answer.status == 200;
    close(fd);
    close(null);
    ok = program_end(&handler, SIGTERM, DUO_PATIENCE_MS, e2e->why) && ok;
    return ok ? TEST_PASSED : e2e_fail(e2e, "the first connection got no answer", answer.head);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* A body that was not announced, or one more than announced, would show as a broken next answer. */
static enum test_result lengths_are_exact(struct e2e *e2e)
{
    static const char *const methods[] = { "HEAD", "GET", "POST", "HEAD", "GET", "HEAD" };
    static const char *const paths[] = { "/", PATH, PATH, PATH, "/nowhere", "/nowhere" };
    struct duo duo;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    int fd = http_connect(duo.handler.port, DUO_PATIENCE_MS);
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < COUNT_OF(methods); i++) {
        struct http_answer answer = { 0 };
        struct view body = i == 2 ? VIEW("{}") : (struct view){ 0 };
        bool is_head = strcmp(methods[i], "HEAD") == 0;
        struct view request = http_request(methods[i], view_of(paths[i]), VIEW(""), body, e2e->mem);
        ok = http_send(fd, request) && http_receive(fd, DUO_PATIENCE_MS, is_head, e2e->mem, &answer)
             && http_header(&answer, "Content-Length").len > 0;
        if (!ok)
            complain(e2e->why, methods[i], view_of(paths[i]));
    }
    close(fd);
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- what it says ------------------------------------------------------------------------------ */

/* While it still runs each line is there; stderr is for what somebody must act on. */
static enum test_result says_at_once(struct e2e *e2e)
{
    struct duo duo;
    struct http_answer answer = { 0 };
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    bool ok = http_call(duo.handler.port, alert(e2e, "said"), DUO_PATIENCE_MS, e2e->mem, &answer)
              && answer.status == 200;
    ok = match_has("stdout", VIEW("\"event\":\"listening\"\n\"action\":\"created\""),
                   program_out(&duo.handler, e2e->mem), e2e->why)
         && ok;
    ok = program_err(&duo.handler, e2e->mem).len == 0 && ok;
    return duo_down(e2e, &duo) && ok ? TEST_PASSED
                                     : e2e_fail(e2e, "it did not say it, or said more", VIEW(""));
}

static bool answers_alert(struct e2e *e2e, struct program *handler, const char *name)
{
    struct http_answer answer = { 0 };
    return http_call(handler->port, alert(e2e, name), DUO_PATIENCE_MS, e2e->mem, &answer)
           && view_contains(answer.body, VIEW("Network error to Devin API"));
}

static enum test_result nobody_listens(struct e2e *e2e)
{
    struct program handler = { 0 };
    const char *argv[] = { e2e->site->handler, NULL };
    int ends[2];
    if (pipe(ends) != 0)
        return TEST_FAILED;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    if (!start(e2e, argv, ends[1], &handler))
        return TEST_FAILED;
    close(ends[0]);
    close(ends[1]);
    bool ok = process_await_port(handler.port, DUO_PATIENCE_MS);
    ok = ok && answers_alert(e2e, &handler, "one") && answers_alert(e2e, &handler, "two");
    ok = program_end(&handler, SIGTERM, DUO_PATIENCE_MS, e2e->why) && ok;
    return ok ? TEST_PASSED : e2e_fail(e2e, "a closed stdout disturbs it", VIEW(""));
}

/* With a file size limit of 0 the first byte to a file would end the process; also, exec works. */
static enum test_result writes_no_file(struct e2e *e2e)
{
    struct program handler = { 0 };
    const char *argv[] = { "/bin/sh", "-c", "ulimit -f 0; exec \"$0\"", e2e->site->handler, NULL };
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || !start(e2e, argv, null, &handler))
        return TEST_FAILED;
    close(null);
    bool ok =
        process_await_port(handler.port, DUO_PATIENCE_MS) && answers_alert(e2e, &handler, "one");
    ok = program_end(&handler, SIGINT, DUO_PATIENCE_MS, e2e->why) && ok;
    return ok ? TEST_PASSED : e2e_fail(e2e, "it wants to write a file", VIEW(""));
}

/* --- what host.json promises -------------------------------------------------------------------- */

enum { THREADS = 128 };

/* The package's host.json adds messages that come at the same time. */
static double most_messages(struct e2e *e2e)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    const char *path = joined(e2e->mem, e2e->site->root, "/deploy/package/host.json", (char *)NULL);
    if (!json_read(process_read_file(path, e2e->mem), e2e->mem, &json, &why))
        return THREADS;
    double most = json_number(json_at(json.root, "extensions.queues.batchSize"))
                  + json_number(json_at(json.root, "extensions.queues.newBatchThreshold"));
    json_free(&json);
    return most >= 1 ? most : THREADS;
}

static enum test_result host_json_fits(struct e2e *e2e)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    const char *path = joined(e2e->mem, e2e->site->root, "/host.json", (char *)NULL);
    if (!json_read(process_read_file(path, e2e->mem), e2e->mem, &json, &why))
        return e2e_fail(e2e, "host.json is no JSON", VIEW(""));
    double most = json_number(json_at(json.root, "extensions.http.maxConcurrentRequests"));
    bool has_prefix =
        view_equal(json_text(json_at(json.root, "extensions.http.routePrefix")), VIEW("api"));
    bool is_plain =
        view_equal(json_text(json_at(json.root, "customHandler.description.defaultExecutablePath")),
                   VIEW("bin/handler"));
    json_free(&json);
    if (!has_prefix || !is_plain)
        return e2e_fail(e2e, "host.json has another prefix or path", VIEW(""));
    return most >= 1 && most + most_messages(e2e) < THREADS
               ? TEST_PASSED
               : e2e_fail(e2e, "host.json lets in more requests than there are threads", VIEW(""));
}

/* A client of the host cannot reach /<FunctionName>, where envelopes are believed. */
static enum test_result no_forgery(struct e2e *e2e)
{
    struct stage stage;
    struct stage_plan plan = { .site = e2e->site, .mode = "azure", .proxy = "new" };
    struct http_answer answer = { 0 };
    if (!stage_up(&plan, e2e->mem, &stage, e2e->why))
        return TEST_FAILED;
    bool ok = http_call(stage.host.port,
                        e2e_alert(e2e, "/trigger-devin?code=local-function-key", "forged"),
                        DUO_PATIENCE_MS, e2e->mem, &answer)
              && answer.status == 404 && !view_contains(answer.body, VIEW("Outputs"));
    return stage_down(&stage, e2e->mem, e2e->why) && ok
               ? TEST_PASSED
               : e2e_fail(e2e, "an envelope of a client's got through", answer.head);
}

/* Started without the host, and asked once. */
static bool ask_alone(struct e2e *e2e, struct env *env, struct view request,
                      struct http_answer *answer)
{
    struct program handler = { .port = process_free_port() };
    char number[16];
    const char *argv[] = { e2e->site->handler, "--port", number, NULL };
    player_defaults(env, 1);
    snprintf(number, sizeof number, "%d", handler.port);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const struct process_plan plan = { .argv = argv, .env = env->at, .out = null, .err = null };
    if (null < 0 || !process_start(&plan, &handler.process))
        return false;
    close(null);
    bool ok = process_await_port(handler.port, DUO_PATIENCE_MS)
              && http_call(handler.port, request, DUO_PATIENCE_MS, e2e->mem, answer);
    return program_end(&handler, SIGTERM, DUO_PATIENCE_MS, e2e->why) && ok;
}

/* It may stand behind a proxy that passes every path on. */
static enum test_result no_stored_alert_from_others(struct e2e *e2e)
{
    struct env env = env_basics(e2e->mem);
    struct http_answer answer = { 0 };
    struct view envelope = VIEW("{\"Data\":{\"alert\":\"x\"}}");
    struct view request = http_request("POST", VIEW("/retry-devin"), VIEW(""), envelope, e2e->mem);
    return ask_alone(e2e, &env, request, &answer) && answer.status == 404
               ? TEST_PASSED
               : e2e_fail(e2e, "it took a stored alert from anybody", answer.head);
}

/* 202 promises another try, and nobody would make it. */
static enum test_result no_queue_alone(struct e2e *e2e)
{
    struct env env = env_basics(e2e->mem);
    struct http_answer answer = { 0 };
    struct view request = http_request("GET", VIEW(PATH), VIEW(""), (struct view){ 0 }, e2e->mem);
    env_set(&env, VIEW("QUEUE"), VIEW("on"));
    env_set(&env, VIEW("AzureWebJobsStorage"), VIEW("UseDevelopmentStorage=true"));
    return ask_alone(e2e, &env, request, &answer) && answer.status == 200
                   && view_contains(answer.body, VIEW("\"queue\":\"off\""))
               ? TEST_PASSED
               : e2e_fail(e2e, "it stores what nobody would try again", answer.body);
}

const struct e2e_test e2e_process[] = {
    { "process: listens on 127.0.0.1 and nowhere else", loopback_alone },
    { "process: the first connection that is taken is answered", first_is_answered },
    { "process: lengths are exact, HEAD has no body", lengths_are_exact },
    { "process: says each line at once, and nothing on stderr", says_at_once },
    { "process: a closed stdout does not disturb it", nobody_listens },
    { "process: writes no file, runs behind exec, ends with 0 on SIGINT", writes_no_file },
    { "process: host.json lets in what the threads can serve", host_json_fits },
    { "process: a client of the host cannot make up an envelope", no_forgery },
    { "process: without the host nobody can bring a stored alert", no_stored_alert_from_others },
    { "process: without the host no alert is stored", no_queue_alone },
    { NULL, NULL },
};
