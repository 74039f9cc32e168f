/*
 * The process ends at an instant nobody chose, with alerts on their way.  SIGKILL: senders send
 * again, and Devin's `idempotent` makes one session of it.  SIGTERM: whoever has sent a whole alert
 * is answered first.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/envelope.h"
#include "support/match.h"
#include "support/player.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "/api/trigger-devin"

enum {
    SENDERS = 8,
    ALERTS_EACH = 6,
    KILLS = 15,
    LONGEST_LIFE_MS = 120,
    LONGEST_SOAK_LIFE_MS = 4000,
    LAST_LIFE_MS = 60000,
    SETTLED_MS = 5000,
    LARGEST_LOG = 256 * 1024 * 1024,
    ID_BYTES = 64,
    LAST_ROUND_MS = 60000,
    ENDS = 8,
    IN_FLIGHT = 200,
};

/* --- killed, with senders that send again ------------------------------------------------------ */

struct sender {
    int number;
    int port;
    const atomic_bool *is_over; /* no more kills: one last whole round */
    char ids[ALERTS_EACH][ID_BYTES];
    int answered, broken, wrong;
    pthread_t thread;
};

static void name_of(int sender, int alert, char *name, size_t size)
{
    snprintf(name, size, "killed-%d-%d-end", sender, alert);
}

static struct view request_of(const char *name, bool is_enveloped, struct arena *mem)
{
    struct text body = text_in(mem, 1024);
    text_add_string(&body, "{\"alertName\":\"");
    text_add_string(&body, name);
    text_add_string(
        &body,
        "\",\"severity\":1,\"description\":\"Sent until answered\",\"firedTime\":1707220800}");
    if (!is_enveloped)
        return http_request("POST", VIEW(PATH), VIEW(""), text_view(&body), mem);
    struct envelope_request inner = { VIEW("POST"), VIEW(PATH), VIEW(""), text_view(&body) };
    struct text text = text_in(mem, 64 * 1024);
    text_add_string(&text, "POST /trigger-devin HTTP/1.1\r\nHost: localhost\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n");
    text_add(&text, envelope_chunks(envelope_wrap(&inner, mem), mem));
    return text_view(&text);
}

/* The session's id out of an answer; false when it is not one that success looks like. */
static bool read_session(const struct http_answer *answer, struct arena *mem, char id[ID_BYTES])
{
    struct json json = { 0 };
    struct failure why = { 0 };
    if (answer->status != 200 || !json_read(answer->body, mem, &json, &why))
        return false;
    struct view session = json_text(json_at(json.root, "sessionId"));
    bool ok = json_is_true(json_at(json.root, "success")) && session.len > 0;
    snprintf(id, ID_BYTES, "%.*s", (int)session.len, session.at);
    json_free(&json);
    return ok;
}

/* False: the connection broke, as it does when the other side is killed. */
static bool send_alert(struct sender *sender, int alert, bool is_enveloped, struct arena *mem)
{
    char name[64];
    char id[ID_BYTES] = "";
    char words[256];
    struct text why = text_over(words, sizeof words);
    struct http_answer outer = { 0 };
    struct http_answer answer = { 0 };
    name_of(sender->number, alert, name, sizeof name);
    if (!http_call(sender->port, request_of(name, is_enveloped, mem), DUO_PATIENCE_MS, mem, &outer))
        return false;
    answer = outer;
    bool ok = (!is_enveloped || envelope_unwrap(&outer, mem, &answer, &why))
              && read_session(&answer, mem, id);
    char *known = sender->ids[alert];
    bool is_same = known[0] == '\0' || view_equal(view_of(known), view_of(id));
    sender->wrong += !ok || !is_same;
    snprintf(known, ID_BYTES, "%s", id);
    return true;
}

/* Each alert until it is answered; all alerts over and over while there is killing. */
static void *send_on(void *context)
{
    struct sender *sender = context;
    bool is_last = false;
    for (int round = 0; !is_last; round++) {
        is_last = atomic_load(sender->is_over);
        long long until = process_now_ms() + LAST_ROUND_MS;
        for (int i = 0; i < ALERTS_EACH && process_now_ms() < until;) {
            struct arena mem;
            arena_init(&mem, 4 * 1024 * 1024);
            bool is_answered = send_alert(sender, i, (round + i) % 2 == 1, &mem);
            arena_drop(&mem);
            sender->answered += is_answered;
            sender->broken += !is_answered;
            i += is_answered;
            if (!is_answered)
                process_sleep_ms(2);
        }
    }
    return NULL;
}

/*
 * What was said is kept in a file here, and SIGKILL may end a write to a file between two pages; the
 * host's pipe takes a line whole.
 */
static struct view whole_lines(struct view said)
{
    while (said.len > 0 && said.at[said.len - 1] != '\n')
        said.len--;
    return said;
}

/* The environment stays: same port, same settings. */
static bool kill_and_restart(struct e2e *e2e, struct program *handler, const struct env *env,
                             int life_ms)
{
    const char *argv[] = { e2e->site->handler, NULL };
    const struct program_plan plan = {
        .argv = argv, .env = env, .port = handler->port, .is_heard = true
    };
    process_sleep_ms(life_ms);
    process_end(&handler->process, SIGKILL, DUO_PATIENCE_MS);
    struct arena mem; /* a long life says much */
    arena_init(&mem, LARGEST_LOG);
    bool ok = player_log_is_sound(whole_lines(program_out(handler, &mem)), &mem, e2e->why);
    arena_drop(&mem);
    program_forget(handler);
    return program_start(&plan, handler, e2e->why) && ok;
}

/* Each alert has exactly one session, the one its answers named. */
static bool sessions_fit(struct e2e *e2e, int devin_port, const struct sender *senders)
{
    struct http_answer answer = { 0 };
    struct json json = { 0 };
    struct failure why = { 0 };
    struct view ask = VIEW("GET /control/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n");
    bool seen[SENDERS][ALERTS_EACH] = { 0 };
    if (!http_call(devin_port, ask, DUO_PATIENCE_MS, e2e->mem, &answer)
        || !json_read(answer.body, e2e->mem, &json, &why))
        return complain(e2e->why, "the sessions cannot be read", VIEW(""));
    int sessions = 0;
    int known = 0;
    const struct cJSON *session = json_first(json_at(json.root, "sessions"));
    for (; session != NULL; session = json_next(session), sessions++)
        for (int i = 0; i < SENDERS * ALERTS_EACH; i++) {
            const struct sender *sender = &senders[i / ALERTS_EACH];
            char name[64];
            name_of(sender->number, i % ALERTS_EACH, name, sizeof name);
            bool *is_seen = &seen[i / ALERTS_EACH][i % ALERTS_EACH];
            if (*is_seen || !view_contains(json_text(json_at(session, "title")), view_of(name))
                || !view_equal(json_text(json_at(session, "session_id")),
                               view_of(sender->ids[i % ALERTS_EACH])))
                continue;
            *is_seen = true;
            known++;
        }
    json_free(&json);
    char words[96];
    snprintf(words, sizeof words, "%d alerts, %d sessions, %d belong together",
             SENDERS * ALERTS_EACH, sessions, known);
    if (getenv("E2E_SOAK_S") != NULL)
        printf("soak: %s\n", words);
    return (sessions == SENDERS * ALERTS_EACH && known == sessions)
           || complain(e2e->why, "alerts and sessions do not fit", view_of(words));
}

/* Resident memory in KiB, as the kernel tells it. */
static long resident_kib(pid_t pid)
{
    char path[64];
    char line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib;
}

static bool kill_often(struct e2e *e2e, struct program *handler, const struct env *env,
                       unsigned seed)
{
    bool ok = true;
    for (int i = 0; ok && i < KILLS; i++)
        ok = kill_and_restart(e2e, handler, env, rand_r(&seed) % LONGEST_LIFE_MS);
    return ok;
}

/* The long form: lives of up to some seconds, and a last one whose memory is watched. */
static bool soak(struct e2e *e2e, struct program *handler, const struct env *env, unsigned seed,
                 long long seconds)
{
    bool ok = true;
    int kills = 0;
    long long until_ms = process_now_ms() + seconds * 1000;
    for (; ok && process_now_ms() < until_ms - LAST_LIFE_MS; kills++)
        ok = kill_and_restart(e2e, handler, env, rand_r(&seed) % LONGEST_SOAK_LIFE_MS);
    process_sleep_ms(SETTLED_MS);
    long first_kib = resident_kib(handler->process.pid);
    while (ok && process_now_ms() < until_ms)
        process_sleep_ms(100);
    printf("soak: %lld s, %d kills, resident %ld KiB at first and %ld KiB at last\n", seconds,
           kills, first_kib, resident_kib(handler->process.pid));
    return ok;
}

static bool judge(struct e2e *e2e, const struct sender *senders, unsigned seed)
{
    int answered = 0;
    int broken = 0;
    int wrong = 0;
    char words[96];
    for (int i = 0; i < SENDERS; i++) {
        answered += senders[i].answered;
        broken += senders[i].broken;
        wrong += senders[i].wrong;
    }
    snprintf(words, sizeof words, "seed %u: %d answered, %d wrong, %d broken off", seed, answered,
             wrong, broken);
    if (getenv("E2E_SOAK_S") != NULL)
        printf("soak: %s\n", words);
    if (wrong > 0)
        return complain(e2e->why, "a wrong answer", view_of(words));
    if (broken == 0 || answered < SENDERS * ALERTS_EACH)
        return complain(e2e->why, "the kills met nobody, or nobody was answered", view_of(words));
    return true;
}

static bool run_senders(struct e2e *e2e, struct program *handler, const struct env *env,
                        int devin_port)
{
    static struct sender senders[SENDERS];
    atomic_bool is_over = false;
    unsigned seed = (unsigned)process_now_ms();
    printf("kill: seed %u\n", seed);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .number = i, .port = handler->port, .is_over = &is_over };
        pthread_create(&senders[i].thread, NULL, send_on, &senders[i]);
    }
    long long soak_s = 0;
    bool is_soak = view_to_number(view_of(getenv("E2E_SOAK_S")), 1, 86400, &soak_s);
    bool ok = is_soak ? soak(e2e, handler, env, seed, soak_s) : kill_often(e2e, handler, env, seed);
    atomic_store(&is_over, true);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    ok = judge(e2e, senders, seed) && ok;
    return sessions_fit(e2e, devin_port, senders) && ok;
}

static enum test_result killed_anywhere(struct e2e *e2e)
{
    struct program devin = { 0 };
    struct program handler = { 0 };
    struct env env = env_basics(e2e->mem);
    if (!program_start_devin(e2e->site, 0, &devin, e2e->why))
        return TEST_FAILED;
    player_defaults(&env, devin.port);
    bool ok = program_start_handler(e2e->site, &env, &handler, e2e->why);
    if (ok) {
        ok = run_senders(e2e, &handler, &env, devin.port);
        ok = program_end(&handler, SIGTERM, DUO_PATIENCE_MS, e2e->why) && ok;
        program_forget(&handler);
    }
    process_end(&devin.process, SIGTERM, DUO_PATIENCE_MS);
    program_forget(&devin);
    return ok ? TEST_PASSED : TEST_FAILED;
}

/* --- told to end, with alerts just sent ---------------------------------------------------------- */

/* Every alert is sent whole before the signal: some are being answered then, some not yet accepted. */
static bool end_once(struct e2e *e2e, int number)
{
    struct duo duo;
    int fds[IN_FLIGHT];
    int sent = 0;
    int answered = 0;
    if (!duo_up(e2e, NULL, &duo))
        return false;
    control_faults(duo.devin.port, VIEW("{\"delay_ms\":50,\"repeat\":24}"));
    for (int i = 0; i < IN_FLIGHT; i++) {
        char name[64];
        snprintf(name, sizeof name, "ended-%d-%d", number, i);
        fds[i] = http_connect(duo.handler.port, DUO_PATIENCE_MS);
        sent += fds[i] >= 0 && http_send(fds[i], request_of(name, i % 2 == 1, e2e->mem));
    }
    kill(duo.handler.process.pid, SIGTERM);
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct http_answer answer = { 0 };
        answered +=
            http_receive(fds[i], DUO_PATIENCE_MS, false, e2e->mem, &answer) && answer.status == 200;
        close(fds[i]);
    }
    bool ok = duo_down(e2e, &duo);
    char words[96];
    snprintf(words, sizeof words, "%d sent, %d answered", sent, answered);
    return (ok && sent == IN_FLIGHT && answered == sent)
           || complain(e2e->why, "an alert sent before SIGTERM was lost", view_of(words));
}

static enum test_result ended_under_load(struct e2e *e2e)
{
    for (int i = 0; i < ENDS; i++)
        if (!end_once(e2e, i))
            return TEST_FAILED;
    return TEST_PASSED;
}

const struct e2e_test e2e_kill[] = {
    { "kill: SIGKILL at any instant, each alert ends in its one session", killed_anywhere },
    { "kill: SIGTERM under load, what was sent before is answered", ended_under_load },
    { NULL, NULL },
};
