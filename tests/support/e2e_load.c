/* Many alerts at once: how they are told apart from one after the other is by the total alone. */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/http.h"
#include "support/player.h"

#include <signal.h>
#include <unistd.h>

/* One after the other these would take 50 seconds. */
enum { ALERTS = 100, MUST_TAKE_LESS_MS = 10000, PATIENCE_MS = 30000 };
#define SLOW_DEVIN "{\"delay_ms\":500,\"repeat\":100}"

/* All requests are on their way before the first answer is looked at. */
static bool send_all(struct e2e *e2e, int port, int fds[ALERTS])
{
    bool ok = true;
    for (int i = 0; i < ALERTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "alert-%d", i);
        fds[i] = http_connect(port, PATIENCE_MS);
        ok = fds[i] >= 0 && http_send(fds[i], e2e_alert(e2e, "/api/trigger-devin", name)) && ok;
    }
    return ok;
}

static int receive_all(struct e2e *e2e, int fds[ALERTS])
{
    int answered = 0;
    for (int i = 0; i < ALERTS; i++) {
        struct http_answer answer = { 0 };
        if (fds[i] >= 0 && http_receive(fds[i], PATIENCE_MS, false, e2e->mem, &answer)
            && answer.status == 200)
            answered++;
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return answered;
}

static enum test_result judge(struct e2e *e2e, int answered, int created, long long took_ms)
{
    char seen[128];
    snprintf(seen, sizeof seen, "%d answered 200, %d sessions, %lld ms", answered, created,
             took_ms);
    if (answered != ALERTS || created != ALERTS)
        return e2e_fail(e2e, "not every alert became a session", view_of(seen));
    if (took_ms >= MUST_TAKE_LESS_MS)
        return e2e_fail(e2e, "the alerts did not run in parallel", view_of(seen));
    return TEST_PASSED;
}

static int count_creates(struct e2e *e2e, int devin_port)
{
    struct json calls = { 0 };
    int count = 0;
    if (!control_calls(devin_port, e2e->mem, &calls))
        return -1;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    for (; call != NULL; call = control_next_create(json_next(call)))
        count++;
    json_free(&calls);
    return count;
}

static enum test_result hundred_at_once(struct e2e *e2e)
{
    struct program devin = { 0 };
    struct program handler = { 0 };
    struct env env = env_basics(e2e->mem);
    int fds[ALERTS];
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    player_defaults(&env, devin.port);
    enum test_result result = TEST_FAILED;
    if (control_faults(devin.port, VIEW(SLOW_DEVIN))
        && program_start_handler(e2e->site, &env, &handler, e2e->why)) {
        long long start = process_now_ms();
        send_all(e2e, handler.port, fds);
        int answered = receive_all(e2e, fds);
        result = judge(e2e, answered, count_creates(e2e, devin.port), process_now_ms() - start);
        if (!program_end(&handler, SIGTERM, 5000, e2e->why))
            result = TEST_FAILED;
        program_forget(&handler);
    }
    process_end(&devin.process, SIGTERM, 5000);
    program_forget(&devin);
    return result;
}

const struct e2e_test e2e_load[] = {
    { "load: 100 alerts at once on a slow Devin run in parallel", hundred_at_once },
    { NULL, NULL },
};
