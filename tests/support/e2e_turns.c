/*
 * Whose turn it is: many alerts of few problems at once, and a plan that allows few calls a minute.
 * Nothing here depends on how long something takes.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/match.h"

#include <sys/resource.h>
#include <unistd.h>

#define PATH     "/api/trigger-devin"
#define PLAYBOOK "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"
#define KEY_V3   "DEVIN_API_KEY=cog_test_key\n"

enum { ALERTS = 1000, PROBLEMS = 10, ID_BYTES = 64, PATIENCE_MS = 60000, A_MINUTE = 10 };

/* --- a thousand alerts of ten problems ----------------------------------------------------------- */

struct crowd {
    int fds[ALERTS];
    char ids[PROBLEMS][ID_BYTES]; /* of the session that its first answer named */
    int answered, created, strangers;
};

static void allow_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Each is a firing of its own: only its problem is shared. */
static struct view alert(struct e2e *e2e, int number)
{
    char body[256];
    snprintf(
        body, sizeof body,
        "{\"alertName\":\"problem-%d\",\"severity\":1,\"description\":\"d\",\"alertId\":\"a-%d\"}",
        number % PROBLEMS, number);
    return http_request("POST", VIEW(PATH), VIEW("Connection: close\r\n"), view_of(body), e2e->mem);
}

static void take_answer(struct crowd *crowd, int number, const struct http_answer *answer,
                        struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    char *id = crowd->ids[number % PROBLEMS];
    if (answer->status != 200 || !json_read(answer->body, mem, &json, &why))
        return;
    struct view session = json_text(json_at(json.root, "sessionId"));
    if (id[0] == '\0')
        snprintf(id, ID_BYTES, "%.*s", (int)session.len, session.at);
    crowd->answered++;
    crowd->created += view_equal(json_text(json_at(json.root, "action")), VIEW("created"));
    crowd->strangers += session.len == 0 || !view_equal(session, view_of(id));
    json_free(&json);
}

static void send_and_receive(struct e2e *e2e, int port, struct crowd *crowd)
{
    for (int i = 0; i < ALERTS; i++) {
        crowd->fds[i] = http_connect(port, PATIENCE_MS);
        if (crowd->fds[i] >= 0)
            http_send(crowd->fds[i], alert(e2e, i));
    }
    for (int i = 0; i < ALERTS; i++) {
        struct http_answer answer = { 0 };
        if (crowd->fds[i] < 0)
            continue;
        if (http_receive(crowd->fds[i], PATIENCE_MS, false, e2e->mem, &answer))
            take_answer(crowd, i, &answer, e2e->mem);
        close(crowd->fds[i]);
    }
}

static bool play_crowd(struct e2e *e2e, const char *settings)
{
    static struct crowd crowd;
    struct duo duo;
    crowd = (struct crowd){ .answered = 0 };
    if (!duo_up(e2e, settings, &duo))
        return false;
    control_options(duo.devin.port, VIEW("{\"works_on\":true}"));
    send_and_receive(e2e, duo.handler.port, &crowd);
    int creates = duo_count_creates(e2e, &duo);
    bool ok = duo_down(e2e, &duo);
    char seen[128];
    snprintf(seen, sizeof seen, "%d answered 200, %d created, %d sessions, %d named another",
             crowd.answered, crowd.created, creates, crowd.strangers);
    bool is_as_wanted = crowd.answered == ALERTS && crowd.created == PROBLEMS && creates == PROBLEMS
                        && crowd.strangers == 0;
    return (is_as_wanted || complain(e2e->why, "a thousand alerts of ten problems", view_of(seen)))
           && ok;
}

static enum test_result thousand(struct e2e *e2e)
{
    allow_files();
    bool ok = play_crowd(e2e, PLAYBOOK);
    return play_crowd(e2e, PLAYBOOK KEY_V3) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- a plan's pace ------------------------------------------------------------------------------- */

static bool answers(struct e2e *e2e, const struct duo *duo, struct view request, int status,
                    const char *words)
{
    struct http_answer answer = { 0 };
    if (!http_call(duo->handler.port, request, PATIENCE_MS, e2e->mem, &answer))
        return complain(e2e->why, "no answer", VIEW(""));
    if (answer.status != status || !view_contains(answer.body, view_of(words)))
        return complain(e2e->why, "another answer", answer.body);
    return true;
}

/* One call each, in the order they were sent. */
static bool sends_ten(struct e2e *e2e, const struct duo *duo)
{
    bool ok = true;
    for (int i = 0; ok && i < A_MINUTE; i++) {
        char name[32];
        snprintf(name, sizeof name, "paced-%d", i);
        ok = answers(e2e, duo, e2e_alert(e2e, PATH, name), 200, "\"action\":\"created\"");
    }
    return ok;
}

static bool came_in_order(struct e2e *e2e, const struct duo *duo)
{
    struct json calls = { 0 };
    int number = 0;
    bool ok = control_calls(duo->devin.port, e2e->mem, &calls);
    const struct cJSON *call = json_first(calls.root);
    for (; ok && call != NULL; call = json_next(call), number++) {
        char title[32];
        snprintf(title, sizeof title, "[Sev1] paced-%d\"", number);
        ok = view_contains(json_text(json_at(call, "body")), view_of(title));
    }
    json_free(&calls);
    return (ok && number == A_MINUTE)
           || complain(e2e->why, "not ten creates in the order they were sent", VIEW(""));
}

#define AZURE_ALERT                                                                   \
    "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{"      \
    "\"alertId\":\"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/a\"," \
    "\"alertRule\":\"rule\",\"severity\":\"Sev0\",\"signalType\":\"Metric\","         \
    "\"monitorCondition\":\"Fired\",\"monitoringService\":\"Platform\","              \
    "\"firedDateTime\":\"2024-02-06T12:00:00Z\",\"description\":\"d\"}}}"

/* The eleventh would have to wait for most of a minute, which its deadline does not have. */
static enum test_result plan(struct e2e *e2e)
{
    struct duo duo;
    if (!duo_up(e2e, PLAYBOOK "DEVIN_PLAN=starter\nDEVIN_TIMEOUT_MS=5000", &duo))
        return TEST_FAILED;
    struct view azure = http_request("POST", VIEW(PATH), VIEW(""), VIEW(AZURE_ALERT), e2e->mem);
    bool ok = sends_ten(e2e, &duo)
              && answers(e2e, &duo, e2e_alert(e2e, PATH, "paced-10"), 500,
                         "\"details\":\"API rate limit exceeded\"")
              && answers(e2e, &duo, azure, 503, "\"details\":\"API rate limit exceeded\"")
              && came_in_order(e2e, &duo) && duo_is_well(e2e, &duo);
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_turns[] = {
    { "turns: 1,000 alerts of 10 problems at once end in 10 sessions", thousand },
    { "turns: a plan's calls go in order, what is beyond them is answered as busy", plan },
    { NULL, NULL },
};
