/* How the handler's process lives and ends: killed, told to end, left alone by its parent. */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/http.h"
#include "support/match.h"
#include "support/player.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATIENCE_MS = 15000, ORPHAN_LEAVES_MS = 10000, ORPHAN_WATCHED_MS = 3000 };

/* --- killed and started again --------------------------------------------------------------- */

static bool answers_ping(struct e2e *e2e, int port)
{
    struct http_answer answer = { 0 };
    struct view ping = http_request("GET", VIEW("/"), VIEW(""), (struct view){ 0 }, e2e->mem);
    return http_call(port, ping, PATIENCE_MS, e2e->mem, &answer) && answer.status == 200;
}

/* A connection is left open by us while the handler is killed, so that the port has a past. */
static enum test_result same_port_after_sigkill(struct e2e *e2e)
{
    struct program handler = { 0 };
    struct program again = { 0 };
    struct env env = env_basics(e2e->mem);
    player_defaults(&env, 1);
    if (!program_start_handler(e2e->site, &env, &handler, e2e->why))
        return TEST_FAILED;
    int fd = http_connect(handler.port, PATIENCE_MS);
    bool ok = answers_ping(e2e, handler.port);
    process_end(&handler.process, SIGKILL, PATIENCE_MS);
    program_forget(&handler);
    const char *argv[] = { e2e->site->handler, NULL };
    struct program_plan plan = {
        .argv = argv, .env = &env, .port = handler.port, .is_heard = true
    };
    ok = program_start(&plan, &again, e2e->why) && answers_ping(e2e, again.port) && ok;
    if (fd >= 0)
        close(fd);
    ok = program_end(&again, SIGTERM, 5000, e2e->why) && ok;
    program_forget(&again);
    return ok ? TEST_PASSED : e2e_fail(e2e, "it did not answer on the same port", VIEW(""));
}

/* --- told to end with an alert in hand -------------------------------------------------------- */

static bool has_been_called(struct e2e *e2e, int devin_port)
{
    for (long long until = process_now_ms() + PATIENCE_MS; process_now_ms() < until;) {
        struct json calls = { 0 };
        bool is_there =
            control_calls(devin_port, e2e->mem, &calls) && json_first(calls.root) != NULL;
        json_free(&calls);
        if (is_there)
            return true;
        process_sleep_ms(20);
    }
    return false;
}

static enum test_result end_with_alert_in_hand(struct e2e *e2e, int devin_port)
{
    struct program handler = { 0 };
    struct http_answer answer = { 0 };
    struct env env = env_basics(e2e->mem);
    player_defaults(&env, devin_port);
    if (!program_start_handler(e2e->site, &env, &handler, e2e->why))
        return TEST_FAILED;
    int fd = http_connect(handler.port, PATIENCE_MS);
    bool ok = fd >= 0 && http_send(fd, e2e_alert(e2e, "/api/trigger-devin", "in-hand"));
    /* Devin's stand-in notes a call when it has answered it or when it comes: give it a moment. */
    process_sleep_ms(500);
    kill(handler.process.pid, SIGTERM);
    ok = ok && http_receive(fd, PATIENCE_MS, false, e2e->mem, &answer);
    if (fd >= 0)
        close(fd);
    bool has_ended = program_end(&handler, 0, PATIENCE_MS, e2e->why);
    program_forget(&handler);
    if (!ok || answer.status != 200)
        return e2e_fail(e2e, "the alert in hand was not answered 200", answer.head);
    return has_ended ? TEST_PASSED : TEST_FAILED;
}

static enum test_result sigterm_answers_first(struct e2e *e2e)
{
    struct program devin = { 0 };
    enum test_result result = TEST_FAILED;
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    if (control_faults(devin.port, VIEW("{\"delay_ms\":2000}")))
        result = end_with_alert_in_hand(e2e, devin.port);
    if (result == TEST_PASSED && !has_been_called(e2e, devin.port))
        result = e2e_fail(e2e, "Devin was not called", VIEW(""));
    process_end(&devin.process, SIGTERM, 5000);
    program_forget(&devin);
    return result;
}

/* --- orphans -------------------------------------------------------------------------------- */

/* The shell is the handler's parent; killing it leaves an orphan, whose pid it told before. */
static pid_t start_orphan(struct e2e *e2e, const struct env *env, int port, const char *script)
{
    struct program shell = { 0 };
    const char *argv[] = { "/bin/sh", "-c", script, e2e->site->handler, NULL };
    struct program_plan plan = { .argv = argv, .env = env, .port = port, .is_heard = true };
    if (!program_start(&plan, &shell, e2e->why))
        return 0;
    struct view said = program_err(&shell, e2e->mem);
    struct view line;
    long long pid = 0;
    process_end(&shell.process, SIGKILL, 1000);
    program_forget(&shell);
    while (lines_next(&said, &line))
        if (view_starts(line, VIEW("pid ")) && view_to_number(view_skip(line, 4), 2, 1 << 30, &pid))
            return (pid_t)pid;
    return 0;
}

static bool is_open(int port)
{
    int fd = http_connect(port, 1000);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static enum test_result orphan_leaves(struct e2e *e2e)
{
    int port = process_free_port();
    char number[16];
    struct env env = env_basics(e2e->mem);
    player_defaults(&env, 1);
    snprintf(number, sizeof number, "%d", port);
    env_set(&env, VIEW("FUNCTIONS_CUSTOMHANDLER_PORT"), view_of(number));
    pid_t pid = start_orphan(e2e, &env, port, "\"$0\" & echo pid $! >&2; wait");
    if (pid == 0)
        return e2e_fail(e2e, "the handler did not start below a shell", VIEW(""));
    for (long long until = process_now_ms() + ORPHAN_LEAVES_MS; process_now_ms() < until;) {
        if (!is_open(port))
            return TEST_PASSED;
        process_sleep_ms(50);
    }
    kill(pid, SIGKILL);
    return e2e_fail(e2e, "it still listens 10 s after its parent has gone", VIEW(""));
}

static enum test_result standalone_stays(struct e2e *e2e)
{
    int port = process_free_port();
    struct env env = env_basics(e2e->mem);
    player_defaults(&env, 1);
    char script[64];
    snprintf(script, sizeof script, "\"$0\" --port %d & echo pid $! >&2; wait", port);
    pid_t pid = start_orphan(e2e, &env, port, script);
    if (pid == 0)
        return e2e_fail(e2e, "the handler did not start below a shell", VIEW(""));
    process_sleep_ms(ORPHAN_WATCHED_MS);
    bool is_there = answers_ping(e2e, port);
    kill(pid, SIGTERM);
    return is_there ? TEST_PASSED : e2e_fail(e2e, "it left although nobody asked", VIEW(""));
}

const struct e2e_test e2e_life[] = {
    { "life: answers on the same port at once after SIGKILL", same_port_after_sigkill },
    { "life: SIGTERM answers what is in hand, then exits 0", sigterm_answers_first },
    { "life: started by the host it leaves when its parent has gone", orphan_leaves },
    { "life: standalone it stays when its parent has gone", standalone_stays },
    { NULL, NULL },
};
