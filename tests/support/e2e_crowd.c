/*
 * More connections than the server has threads, and more requests at once than it serves at once.
 * A connection of ours that was not told to close must serve again.
 */
#include "base/arena.h"
#include "support/case.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/match.h"

#include <unistd.h>

#define PATH "/api/trigger-devin"

enum { THREADS = 128, KEPT = 200, ROUNDS = 5, BURST = 512 };

/* --- kept connections ------------------------------------------------------------------------ */

struct crowd {
    int port;
    int fds[KEPT]; /* -1: to be opened anew */
    int answered, kept;
};

static bool open_and_send(struct e2e *e2e, struct crowd *crowd, int round)
{
    bool ok = true;
    for (int i = 0; ok && i < KEPT; i++) {
        char name[48];
        snprintf(name, sizeof name, "crowd-%d-%d", round, i);
        if (crowd->fds[i] < 0)
            crowd->fds[i] = http_connect(crowd->port, DUO_PATIENCE_MS);
        ok = crowd->fds[i] >= 0 && http_send(crowd->fds[i], e2e_alert(e2e, PATH, name));
    }
    return ok;
}

static bool receive(struct e2e *e2e, struct crowd *crowd)
{
    bool ok = true;
    for (int i = 0; ok && i < KEPT; i++) {
        struct http_answer answer = { 0 };
        ok = http_receive(crowd->fds[i], DUO_PATIENCE_MS, false, e2e->mem, &answer)
             && answer.status == 200;
        crowd->answered += ok;
        crowd->kept += ok && !answer.is_last;
        if (ok && answer.is_last) {
            ok = duo_is_at_end(crowd->fds[i]);
            close(crowd->fds[i]);
            crowd->fds[i] = -1;
        }
    }
    return ok;
}

/* The idle ones are kept, and yet somebody new is served at once. */
static bool serves_strangers(struct e2e *e2e, struct duo *duo)
{
    bool ok = true;
    for (int i = 0; ok && i < THREADS; i++)
        ok = duo_is_well(e2e, duo);
    return ok;
}

static enum test_result kept_connections(struct e2e *e2e)
{
    static struct crowd crowd;
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    crowd = (struct crowd){ .port = duo.handler.port };
    for (int i = 0; i < KEPT; i++)
        crowd.fds[i] = -1;
    for (int round = 0; ok && round < ROUNDS; round++)
        ok = open_and_send(e2e, &crowd, round) && receive(e2e, &crowd)
             && serves_strangers(e2e, &duo);
    for (int i = 0; i < KEPT; i++)
        if (crowd.fds[i] >= 0)
            close(crowd.fds[i]);
    ok = duo_down(e2e, &duo) && ok;
    char seen[64];
    snprintf(seen, sizeof seen, "%d answered, %d kept", crowd.answered, crowd.kept);
    if (!ok || crowd.answered != KEPT * ROUNDS)
        return e2e_fail(e2e, "not all were answered", view_of(seen));
    return crowd.kept >= KEPT ? TEST_PASSED
                              : e2e_fail(e2e, "hardly any connection was kept", view_of(seen));
}

/* --- a burst --------------------------------------------------------------------------------- */

static int count_log_lines(struct e2e *e2e, const struct duo *duo)
{
    struct view out = program_out(&duo->handler, e2e->mem);
    struct view line;
    int count = 0;
    while (lines_next(&out, &line))
        count += view_contains(line, VIEW("\"event\":\"alert\""));
    return count;
}

static int send_burst(struct e2e *e2e, int port, int fds[BURST])
{
    int sent = 0;
    for (int i = 0; i < BURST; i++) {
        char name[32];
        snprintf(name, sizeof name, "burst-%d", i);
        fds[i] = http_connect(port, DUO_PATIENCE_MS);
        sent += fds[i] >= 0 && http_send(fds[i], e2e_alert(e2e, PATH, name));
    }
    return sent;
}

static enum test_result burst(struct e2e *e2e)
{
    struct duo duo;
    int fds[BURST];
    int answered = 0;
    if (!duo_up(e2e, NULL, &duo))
        return TEST_FAILED;
    control_faults(duo.devin.port, VIEW("{\"delay_ms\":20,\"repeat\":512}"));
    int sent = send_burst(e2e, duo.handler.port, fds);
    for (int i = 0; i < BURST; i++) {
        struct http_answer answer = { 0 };
        answered +=
            http_receive(fds[i], DUO_PATIENCE_MS, false, e2e->mem, &answer) && answer.status == 200;
        close(fds[i]);
    }
    int created = duo_count_creates(e2e, &duo);
    int logged = count_log_lines(e2e, &duo);
    bool ok = duo_down(e2e, &duo);
    char seen[96];
    snprintf(seen, sizeof seen, "%d sent, %d answered 200, %d sessions, %d log lines", sent,
             answered, created, logged);
    if (sent != BURST || answered != BURST || created != BURST || logged != BURST)
        return e2e_fail(e2e, "not every alert of the burst went through", view_of(seen));
    return ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_crowd[] = {
    { "crowd: 200 kept connections on 128 threads, none hangs", kept_connections },
    { "crowd: 512 alerts at once, each with a session and a log line", burst },
    { NULL, NULL },
};
