/*
 * What becomes of a problem that fires again, as stories: alerts one after the other through one
 * handler, with what happens to Devin's sessions in between.  Each story is told on both APIs.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/match.h"

#include <unistd.h>

enum act {
    POST,     /* an alert; `says` is in its answer, `status` 0 means 200 */
    AT_ONCE,  /* `count` alerts, each with its number for #; their create takes long */
    STATE,    /* of the session that was made last */
    FAULT,    /* Devin's next call of that kind */
    OPTIONS,  /* of the stand-in */
    RESTART,  /* the handler */
    TOLD,     /* the body of the last message is `says` */
    TAGGED,   /* the tags that were sent last are `says` */
    CREATES,  /* how many there were so far */
    MESSAGES, /* how many were sent, whatever came of them */
    TAGGINGS,
};

enum { MOST_AT_ONCE = 60 };

/* In what is sent and wanted ' stands for ", and @2 for the second session's id. */
struct step {
    enum act act;
    const char *sends; /* on v3 too, unless that has words of its own */
    const char *sends_v3;
    const char *says;
    int status, count;
    const char *says_v3; /* of TAGGED */
};

struct story {
    const char *settings; /* NAME=value lines, or NULL */
    const struct step *steps;
};

#define PLAYBOOK  "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"
#define KEY_V3    "DEVIN_API_KEY=cog_test_key\n"

#define NAMED     "{'alertName':'checkout','severity':1,'description':'d'"
#define FIRING(n) NAMED ",'alertId':'a-" #n "','firedTime':'2024-02-06T12:0" #n ":00Z'}"
#define RESOLVED(n) \
    NAMED ",'alertId':'a-" #n "','firedTime':'2024-02-06T12:0" #n ":00Z','state':'resolved'}"
#define NO_FIRING  NAMED "}"

#define CREATED(n) "{'action':'created','sessionId':'@" #n "'}"
#define EXISTING(n)                          \
    "{'action':'existing','sessionId':'@" #n \
    "','message':'Devin session already exists for this alert'}"
#define MESSAGED(n)                          \
    "{'action':'messaged','sessionId':'@" #n \
    "','message':'Devin session was told about this alert'}"
#define IGNORED "{'success':true,'action':'ignored'}"

#define ENDED   .act = STATE, .sends = "{'status_enum':'finished'}", .sends_v3 = "{'status':'exit'}"
#define MESSAGE_FAULT(fault)                                                      \
    .act = FAULT, .sends = "{\"on\":\"POST /v1/sessions/*/message$\"," fault "}", \
    .sends_v3 = "{\"on\":\"POST /v3/organizations/*/sessions/*/messages$\"," fault "}"
#define COUNT_FAULT(fault)                                               \
    .act = FAULT, .sends = "{\"on\":\"GET /v1/sessions/*$\"," fault "}", \
    .sends_v3 = "{\"on\":\"GET /v3/organizations/*/sessions/*/messages$\"," fault "}"
#define TAG_FAULT(fault)                                                      \
    .act = FAULT, .sends = "{\"on\":\"PUT /v1/sessions/*/tags$\"," fault "}", \
    .sends_v3 = "{\"on\":\"POST /v3/organizations/*/sessions/*/tags$\"," fault "}"

/* --- playing --------------------------------------------------------------------------------- */

static struct view session_number(const struct json *sessions, long long number)
{
    const struct cJSON *session = json_first(json_at(sessions->root, "sessions"));
    while (session != NULL && --number > 0)
        session = json_next(session);
    return json_text(json_at(session, "session_id"));
}

/* With ' made ", and ids put in. */
static struct view written(struct e2e *e2e, const struct duo *duo, const char *short_hand)
{
    struct text text = text_in(e2e->mem, 64 * 1024);
    struct json sessions = { 0 };
    if (!control_sessions(duo->devin.port, e2e->mem, &sessions))
        return VIEW("the stand-in does not tell its sessions");
    for (const char *c = short_hand; c != NULL && *c != '\0'; c++) {
        if (*c == '@' && c[1] >= '1' && c[1] <= '9')
            text_add(&text, session_number(&sessions, *++c - '0'));
        else
            text_add_char(&text, *c == '\'' ? '"' : *c);
    }
    json_free(&sessions);
    return text_view(&text);
}

static bool post(struct e2e *e2e, const struct duo *duo, const struct step *step)
{
    struct http_answer answer = { 0 };
    struct view request = http_request("POST", VIEW("/api/trigger-devin"), VIEW(""),
                                       written(e2e, duo, step->sends), e2e->mem);
    if (!http_call(duo->handler.port, request, DUO_PATIENCE_MS, e2e->mem, &answer))
        return complain(e2e->why, "no answer", VIEW(""));
    if (answer.status != (step->status == 0 ? 200 : step->status))
        return complain(e2e->why, "another status", answer.body);
    return match_json("answer", written(e2e, duo, step->says), answer.body, false, e2e->mem,
                      e2e->why);
}

/* A copy with the number for #. */
static const char *numbered(struct e2e *e2e, const char *words, int number)
{
    struct text text = text_in(e2e->mem, 1024);
    for (; *words != '\0'; words++)
        if (*words == '#')
            text_add_number(&text, number);
        else
            text_add_char(&text, *words);
    return text_view(&text).at;
}

/* The first is on its way to Devin, which takes its time, when the others come. */
static bool send_at_once(struct e2e *e2e, const struct duo *duo, const struct step *step,
                         int fds[MOST_AT_ONCE])
{
    bool ok = true;
    for (int i = 0; ok && i < step->count; i++) {
        struct view body = written(e2e, duo, numbered(e2e, step->sends, i + 1));
        fds[i] = http_connect(duo->handler.port, DUO_PATIENCE_MS);
        ok = fds[i] >= 0
             && http_send(fds[i], http_request("POST", VIEW("/api/trigger-devin"), VIEW(""), body,
                                               e2e->mem));
    }
    return ok;
}

static bool post_at_once(struct e2e *e2e, const struct duo *duo, const struct step *step,
                         bool is_v3)
{
    int fds[MOST_AT_ONCE];
    for (int i = 0; i < MOST_AT_ONCE; i++)
        fds[i] = -1;
    const char *slow = is_v3 ? "{\"on\":\"POST /v3/organizations/*/sessions$\",\"delay_ms\":700}"
                             : "{\"delay_ms\":700}";
    bool ok = control_options(duo->devin.port, VIEW("{\"works_on\":true}"))
              && control_faults(duo->devin.port, view_of(slow))
              && send_at_once(e2e, duo, step, fds);
    for (int i = 0; i < step->count; i++) {
        struct http_answer answer = { 0 };
        ok = ok && http_receive(fds[i], DUO_PATIENCE_MS, false, e2e->mem, &answer)
             && answer.status == 200 && view_contains(answer.body, written(e2e, duo, step->says));
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return ok
           || complain(e2e->why, "not all of those sent at once were answered as wanted", VIEW(""));
}

static bool is_counted(const struct cJSON *call, enum act act)
{
    struct view path = json_text(json_at(call, "path"));
    bool is_put = view_equal(json_text(json_at(call, "method")), VIEW("PUT"));
    bool is_post = view_equal(json_text(json_at(call, "method")), VIEW("POST"));
    if (act == TAGGINGS)
        return (is_put || is_post) && view_contains(path, VIEW("/tags"));
    return is_post && view_contains(path, VIEW("/message"));
}

static bool count(struct e2e *e2e, const struct duo *duo, const struct step *step)
{
    struct json calls = { 0 };
    int seen = step->act == CREATES ? duo_count_creates(e2e, duo) : 0;
    if (!control_calls(duo->devin.port, e2e->mem, &calls))
        return complain(e2e->why, "the stand-in does not tell its calls", VIEW(""));
    const struct cJSON *call = step->act == CREATES ? NULL : json_first(calls.root);
    for (; call != NULL; call = json_next(call))
        seen += is_counted(call, step->act);
    json_free(&calls);
    char words[64];
    snprintf(words, sizeof words, "wanted %d, got %d", step->count, seen);
    return seen == step->count || complain(e2e->why, "calls", view_of(words));
}

/* Byte for byte. */
static bool check_body(struct e2e *e2e, const struct duo *duo, const struct step *step, bool is_v3)
{
    const char *says = is_v3 && step->says_v3 != NULL ? step->says_v3 : step->says;
    struct json calls = { 0 };
    struct view last = { 0 };
    enum act of = step->act == TOLD ? MESSAGES : TAGGINGS;
    if (!control_calls(duo->devin.port, e2e->mem, &calls))
        return complain(e2e->why, "the stand-in does not tell its calls", VIEW(""));
    for (const struct cJSON *call = json_first(calls.root); call != NULL; call = json_next(call))
        if (is_counted(call, of))
            last = json_text(json_at(call, "body"));
    bool ok = match_text("body", written(e2e, duo, says), last, e2e->why);
    json_free(&calls);
    return ok;
}

static bool play_step(struct e2e *e2e, struct duo *duo, const struct step *step, bool is_v3,
                      const char *settings)
{
    const char *sends = is_v3 && step->sends_v3 != NULL ? step->sends_v3 : step->sends;
    switch (step->act) {
    case POST:
        return post(e2e, duo, step);
    case AT_ONCE:
        return post_at_once(e2e, duo, step, is_v3);
    case STATE:
        return control_session(duo->devin.port, VIEW("newest"), written(e2e, duo, sends))
               || complain(e2e->why, "no such state", view_of(sends));
    case FAULT:
        return control_faults(duo->devin.port, view_of(sends))
               || complain(e2e->why, "no such fault", view_of(sends));
    case OPTIONS:
        return control_options(duo->devin.port, written(e2e, duo, sends))
               || complain(e2e->why, "no such options", view_of(sends));
    case RESTART:
        return duo_restart(e2e, settings, duo);
    case TOLD:
    case TAGGED:
        return check_body(e2e, duo, step, is_v3);
    case CREATES:
    case MESSAGES:
    case TAGGINGS:
        break;
    }
    return count(e2e, duo, step);
}

static bool play_on(struct e2e *e2e, const struct story *story, bool is_v3)
{
    struct duo duo;
    int number = 0;
    bool ok = true;
    const char *settings = joined(e2e->mem, PLAYBOOK, is_v3 ? KEY_V3 : "",
                                  story->settings == NULL ? "" : story->settings, (char *)NULL);
    if (!duo_up(e2e, settings, &duo))
        return false;
    for (const struct step *step = story->steps; ok && (step->sends != NULL || step->act != POST);
         step++, number++)
        ok = play_step(e2e, &duo, step, is_v3, settings);
    char words[64];
    snprintf(words, sizeof words, "step %d, API v%d", number, is_v3 ? 3 : 1);
    if (!ok)
        complain(e2e->why, "that was", view_of(words));
    return duo_down(e2e, &duo) && ok;
}

static enum test_result play(struct e2e *e2e, const struct story *story)
{
    bool ok = play_on(e2e, story, false);
    return play_on(e2e, story, true) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- the same firing again --------------------------------------------------------------------- */

/* clang-format off */
static const struct step same_firing_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(1), .says = EXISTING(1) },
    { .act = RESTART },
    { POST, FIRING(1), .says = EXISTING(1) },
    { ENDED },
    { POST, FIRING(1), .says = EXISTING(1) },
    { .act = STATE, .sends = "{'status_enum':'expired'}", .sends_v3 = "{'status':'error','is_archived':true}" },
    { POST, FIRING(1), .says = EXISTING(1) },
    { CREATES, .count = 1 },
    { MESSAGES, .count = 0 },
    { TAGGINGS, .count = 0 },
    { 0 },
};
/* clang-format on */

static enum test_result same_firing(struct e2e *e2e)
{
    static const struct story stories[] = {
        { NULL, same_firing_steps },
        { "ON_REFIRE=message", same_firing_steps },
        { "ON_REFIRE=create", same_firing_steps },
    };
    enum test_result result = TEST_PASSED;
    for (size_t i = 0; i < COUNT_OF(stories); i++)
        if (play(e2e, &stories[i]) != TEST_PASSED)
            result = TEST_FAILED;
    return result;
}

/* --- another firing of the same problem -------------------------------------------------------- */

/* clang-format off */
static const struct step join_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(2), .says = EXISTING(1) },
    { TAGGINGS, .count = 1 },
    { POST, FIRING(2), .says = EXISTING(1) },
    { TAGGINGS, .count = 1 }, /* it knows that firing by now */
    { ENDED },
    { POST, FIRING(2), .says = EXISTING(1) },
    { POST, FIRING(3), .says = CREATED(2) },
    { POST, FIRING(4), .says = EXISTING(2) },
    { POST, FIRING(1), .says = EXISTING(1) },
    { CREATES, .count = 2 },
    { MESSAGES, .count = 0 },
    { 0 },
};

static const struct step create_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(2), .says = CREATED(2) },
    { POST, FIRING(1), .says = EXISTING(1) },
    { POST, FIRING(2), .says = EXISTING(2) },
    { CREATES, .count = 2 },
    { TAGGINGS, .count = 0 },
    { 0 },
};

static const struct step message_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(2), .says = MESSAGED(1) },
    { MESSAGES, .count = 1 },
    { POST, FIRING(2), .says = EXISTING(1) }, /* it has been told of that one */
    { MESSAGES, .count = 1 },
    { POST, FIRING(3), .says = MESSAGED(1) },
    { POST, FIRING(4), .says = EXISTING(1) }, /* no more than two */
    { .act = RESTART },
    { POST, FIRING(5), .says = EXISTING(1) }, /* what was said stands in the session */
    { MESSAGES, .count = 2 },
    { ENDED },
    { POST, FIRING(6), .says = CREATED(2) },
    { POST, FIRING(7), .says = MESSAGED(2) },
    { MESSAGES, .count = 3 },
    { CREATES, .count = 2 },
    { 0 },
};

static const struct step no_message_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(2), .says = EXISTING(1) },
    { MESSAGES, .count = 0 },
    { 0 },
};

static const struct step failing_message_steps[] = {
    { POST, FIRING(1), .says = CREATED(1) },
    { MESSAGE_FAULT("\"status\":500,\"after\":true") },
    { POST, FIRING(2), .says = EXISTING(1) }, /* nobody knows: never said twice */
    { MESSAGES, .count = 1 },
    { MESSAGE_FAULT("\"drop\":true") },
    { POST, FIRING(3), .says = EXISTING(1) },
    { MESSAGES, .count = 2 },
    { MESSAGE_FAULT("\"status\":429") },
    { POST, FIRING(4), .says = MESSAGED(1) }, /* surely not said: again */
    { MESSAGES, .count = 4 },
    { COUNT_FAULT("\"status\":500") },
    { POST, FIRING(5), .says = EXISTING(1) },
    { MESSAGES, .count = 4 },
    { TAG_FAULT("\"status\":500") },
    { POST, FIRING(6), .says = MESSAGED(1) }, /* tags that cannot be set stop nothing */
    { MESSAGES, .count = 5 },
    { CREATES, .count = 1 },
    { 0 },
};
/* clang-format on */

static enum test_result join(struct e2e *e2e)
{
    static const struct story by_default = { NULL, join_steps };
    static const struct story by_name = { "ON_REFIRE=join", join_steps };
    return play(e2e, &by_default) == TEST_PASSED ? play(e2e, &by_name) : TEST_FAILED;
}

static enum test_result create(struct e2e *e2e)
{
    static const struct story story = { "ON_REFIRE=create", create_steps };
    return play(e2e, &story);
}

static enum test_result message(struct e2e *e2e)
{
    static const struct story two = { "ON_REFIRE=message\nMAX_MESSAGES_PER_SESSION=2",
                                      message_steps };
    static const struct story none = { "ON_REFIRE=message\nMAX_MESSAGES_PER_SESSION=0",
                                       no_message_steps };
    return play(e2e, &two) == TEST_PASSED ? play(e2e, &none) : TEST_FAILED;
}

static enum test_result failing_message(struct e2e *e2e)
{
    static const struct story story = { "ON_REFIRE=message\nMAX_MESSAGES_PER_SESSION=100",
                                        failing_message_steps };
    return play(e2e, &story);
}

/* --- another firing while the first one is still on its way ------------------------------------ */

#define FIRING_N  NAMED ",'alertId':'a-#','firedTime':'2024-02-06T12:00:00Z'}"
#define ONE_OF(n) NAMED ",'alertId':'a-" #n "','firedTime':'2024-02-06T12:00:00Z'}"

/* clang-format off */
static const struct step joined_at_once_steps[] = {
    { .act = AT_ONCE, .sends = FIRING_N, .says = "'sessionId':'@1'", .count = 2 },
    { TAGGINGS, .count = 1 },
    { ENDED },
    { POST, ONE_OF(2), .says = EXISTING(1) },
    { POST, ONE_OF(1), .says = EXISTING(1) },
    { CREATES, .count = 1 },
    { POST, ONE_OF(3), .says = CREATED(2) },
    { 0 },
};

/* None is lost among many: v1's tags are replaced. */
static const struct step crowd_steps[] = {
    { .act = AT_ONCE, .sends = FIRING_N, .says = "'sessionId':'@1'", .count = 40 },
    { ENDED },
    { POST, ONE_OF(1), .says = EXISTING(1) },
    { POST, ONE_OF(2), .says = EXISTING(1) },
    { POST, ONE_OF(13), .says = EXISTING(1) },
    { POST, ONE_OF(20), .says = EXISTING(1) },
    { POST, ONE_OF(27), .says = EXISTING(1) },
    { POST, ONE_OF(39), .says = EXISTING(1) },
    { POST, ONE_OF(40), .says = EXISTING(1) },
    { CREATES, .count = 1 },
    { MESSAGES, .count = 0 },
    { 0 },
};

static const struct step told_at_once_steps[] = {
    { .act = AT_ONCE, .sends = FIRING_N, .says = "'sessionId':'@1'", .count = 4 },
    { MESSAGES, .count = 2 }, /* no more than two */
    { TAGGINGS, .count = 3 },
    { ENDED },
    { POST, ONE_OF(1), .says = EXISTING(1) },
    { POST, ONE_OF(2), .says = EXISTING(1) },
    { POST, ONE_OF(3), .says = EXISTING(1) },
    { POST, ONE_OF(4), .says = EXISTING(1) },
    { CREATES, .count = 1 },
    { MESSAGES, .count = 2 },
    { 0 },
};

static const struct step untagged_at_once_steps[] = {
    { TAG_FAULT("\"status\":500") },
    { .act = AT_ONCE, .sends = FIRING_N, .says = "'sessionId':'@1'", .count = 2 },
    { TAGGINGS, .count = 1 },
    { CREATES, .count = 1 },
    { 0 },
};
/* clang-format on */

static enum test_result at_once(struct e2e *e2e)
{
    static const struct story stories[] = {
        { NULL, joined_at_once_steps },
        { NULL, crowd_steps },
        { "ON_REFIRE=message\nMAX_MESSAGES_PER_SESSION=2", told_at_once_steps },
        { NULL, untagged_at_once_steps },
    };
    enum test_result result = TEST_PASSED;
    for (size_t i = 0; i < COUNT_OF(stories); i++)
        if (play(e2e, &stories[i]) != TEST_PASSED)
            result = TEST_FAILED;
    return result;
}

/* --- two handlers, which do not know of each other ------------------------------------------------ */

/* The first has read the session's tags, and its answer takes a while; v1 would lose what comes between. */
static const char slow_look_up[] =
    "{\"on\":\"GET /v3/organizations/*/sessions$\",\"delay_ms\":3000}";

/* clang-format off */
static const struct step tagged_by_both[] = {
    { POST, FIRING(2), .says = EXISTING(1) },
    { POST, FIRING(3), .says = EXISTING(1) },
    { POST, FIRING(1), .says = EXISTING(1) },
    { CREATES, .count = 1 },
    { 0 },
};
/* clang-format on */

static int count_look_ups(struct e2e *e2e, const struct duo *duo)
{
    struct json calls = { 0 };
    int look_ups = 0;
    if (!control_calls(duo->devin.port, e2e->mem, &calls))
        return -1;
    for (const struct cJSON *call = json_first(calls.root); call != NULL; call = json_next(call))
        look_ups += view_equal(json_text(json_at(call, "method")), VIEW("GET"))
                    && view_contains(json_text(json_at(call, "path")), VIEW("/sessions"));
    json_free(&calls);
    return look_ups;
}

/* What the first one is answered comes after all that the second one does. */
static bool cross(struct e2e *e2e, struct duo *first, struct duo *second, int fd)
{
    static const struct step between = { POST, FIRING(3), .says = EXISTING(1) };
    struct http_answer answer = { 0 };
    int before = count_look_ups(e2e, first);
    bool ok = before > 0 && control_faults(first->devin.port, view_of(slow_look_up))
              && http_send(fd, http_request("POST", VIEW("/api/trigger-devin"), VIEW(""),
                                            written(e2e, first, FIRING(2)), e2e->mem));
    long long until_ms = process_now_ms() + DUO_PATIENCE_MS;
    while (ok && count_look_ups(e2e, first) == before && process_now_ms() < until_ms)
        process_sleep_ms(20);
    return ok && post(e2e, second, &between)
           && http_receive(fd, DUO_PATIENCE_MS, false, e2e->mem, &answer) && answer.status == 200;
}

static bool tag_at_once(struct e2e *e2e, struct duo *first, struct duo *second)
{
    static const struct step created = { POST, FIRING(1), .says = CREATED(1) };
    static const struct step ended = { ENDED };
    if (!control_options(first->devin.port, VIEW("{\"works_on\":true}"))
        || !post(e2e, first, &created))
        return false;
    int fd = http_connect(first->handler.port, DUO_PATIENCE_MS);
    bool ok = fd >= 0 && cross(e2e, first, second, fd) && play_step(e2e, first, &ended, true, NULL);
    if (fd >= 0)
        close(fd);
    for (const struct step *step = tagged_by_both; ok && (step->sends != NULL || step->act != POST);
         step++)
        ok = play_step(e2e, second, step, true, NULL);
    return ok || complain(e2e->why, "two handlers tagged one session", VIEW(""));
}

static enum test_result two_handlers(struct e2e *e2e)
{
    struct duo first;
    struct duo second;
    if (!duo_up(e2e, PLAYBOOK KEY_V3, &first))
        return TEST_FAILED;
    bool ok = duo_join(e2e, PLAYBOOK KEY_V3, &first, &second);
    if (ok) {
        ok = tag_at_once(e2e, &first, &second);
        ok = duo_leave(e2e, &second) && ok;
    }
    return duo_down(e2e, &first) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- what is said, and to whom ------------------------------------------------------------------- */

#define TAGS_V3 "{'tags':['alert-e4915dbee6c83a4e']}"
#define TAGS    "{'tags':['fp-4516d7fffc62a096','alert-6f49859203fed1ff','alert-e4915dbee6c83a4e']}"

/* clang-format off */
static const struct step told_steps[] = {
    { .act = OPTIONS, .sends = "{'bare_ids':false}" },
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, FIRING(2), .says = MESSAGED(1) },
    { .act = TOLD, .says = "{'message':'Alert bridge: this alert fired again: [Sev1] checkout, at 2024-02-06T12:02:00Z, id a-2'}" },
    { .act = TAGGED, .says = TAGS, .says_v3 = TAGS_V3 }, /* all of them, or the new one alone */
    { POST, RESOLVED(2), .says = MESSAGED(1) },
    { .act = TOLD, .says = "{'message':'Alert bridge: this alert is resolved: [Sev1] checkout, at 2024-02-06T12:02:00Z, id a-2'}" },
    { .act = STATE, .sends = "{'status_enum':'finished'}", .sends_v3 = "{'status':'exit'}" },
    { .act = OPTIONS, .sends = "{'ids':'session'}" },
    { POST, FIRING(3), .says = "{'action':'created','sessionId':'session_1707228000001'}" },
    { POST, FIRING(4), .says = MESSAGED(2) },
    { POST, FIRING(4), .says = EXISTING(2) },
    { CREATES, .count = 2 },
    { 0 },
};
/* clang-format on */

static enum test_result told(struct e2e *e2e)
{
    static const struct story story = { "ON_REFIRE=message\nON_RESOLVED=message", told_steps };
    return play(e2e, &story);
}

/* --- which sessions are open ------------------------------------------------------------------- */

static const struct state {
    const char *v1, *v3; /* NULL: not a state of that API */
    bool is_open;
} states[] = {
    { "{'status_enum':'working'}", "{'status':'running','status_detail':'working'}", true },
    { "{'status_enum':'blocked'}", "{'status':'running','status_detail':'waiting_for_user'}",
      true },
    { "{'status_enum':'resumed'}", "{'status':'running','status_detail':'waiting_for_approval'}",
      true },
    { "{'status_enum':'resume_requested'}", "{'status':'resuming'}", true },
    { "{'status_enum':'resume_requested_frontend'}", "{'status':'claimed'}", true },
    { "{'status_enum':'suspend_requested'}", "{'status':'suspended','status_detail':'inactivity'}",
      true },
    { "{'status_enum':'suspend_requested_frontend'}",
      "{'status':'suspended','status_detail':'user_request'}", true },
    { "{'status_enum':'a_word_to_come'}", "{'status':'a_word_to_come'}", true },
    { "{'status':'running'}", "{'status':'new'}", true },
    { "{'status':'claimed'}", "{'status':'creating'}", true },
    { NULL, "{'status':'running','status_detail':'a_word_to_come'}", true },
    { "{'status_enum':'finished'}", "{'status':'running','status_detail':'finished'}", false },
    { "{'status_enum':'expired'}", "{'status':'exit'}", false },
    { "{'status':'stopped'}", "{'status':'error'}", false },
    { NULL, "{'status':'running','status_detail':'working','is_archived':true}", false },
    { NULL, "{'status':'suspended','status_detail':'usage_limit_exceeded'}", false },
    { NULL, "{'status':'suspended','status_detail':'out_of_credits'}", false },
    { NULL, "{'status':'suspended','status_detail':'out_of_quota'}", false },
    { NULL, "{'status':'suspended','status_detail':'no_quota_allocation'}", false },
    { NULL, "{'status':'suspended','status_detail':'payment_declined'}", false },
    { NULL, "{'status':'suspended','status_detail':'org_usage_limit_exceeded'}", false },
    { NULL, "{'status':'suspended','status_detail':'total_session_limit_exceeded'}", false },
    { NULL, "{'status':'suspended','status_detail':'error'}", false },
};

/* A problem of its own for each state. */
static bool play_state(struct e2e *e2e, struct duo *duo, size_t number, bool is_v3)
{
    const char *state = is_v3 ? states[number].v3 : states[number].v1;
    char first[160];
    char second[160];
    snprintf(first, sizeof first,
             "{'alertName':'problem-%zu','severity':1,'description':'d','alertId':'one'}", number);
    snprintf(second, sizeof second,
             "{'alertName':'problem-%zu','severity':1,'description':'d','alertId':'two'}", number);
    const struct step steps[] = {
        { POST, first, .says = "{'action':'created'}" },
        { .act = STATE, .sends = state },
        { POST, second,
          .says = states[number].is_open ? "{'action':'existing'}" : "{'action':'created'}" },
    };
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(steps); i++)
        ok = play_step(e2e, duo, &steps[i], is_v3, NULL);
    return ok || complain(e2e->why, "the state was", view_of(state));
}

static bool play_states(struct e2e *e2e, bool is_v3)
{
    struct duo duo;
    bool ok = true;
    if (!duo_up(e2e, is_v3 ? PLAYBOOK KEY_V3 : PLAYBOOK, &duo))
        return false;
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if ((is_v3 ? states[i].v3 : states[i].v1) != NULL)
            ok = play_state(e2e, &duo, i, is_v3) && ok;
    return duo_down(e2e, &duo) && ok;
}

static enum test_result open_states(struct e2e *e2e)
{
    bool ok = play_states(e2e, false);
    return play_states(e2e, true) && ok ? TEST_PASSED : TEST_FAILED;
}

/* --- alerts without a firing of their own -------------------------------------------------------- */

/* clang-format off */
static const struct step no_firing_steps[] = {
    { POST, NO_FIRING, .says = CREATED(1) },
    { POST, NO_FIRING, .says = EXISTING(1) },
    { ENDED },
    { POST, NO_FIRING, .says = CREATED(2) },
    { POST, NO_FIRING, .says = EXISTING(2) },
    { .act = RESTART },
    { POST, NO_FIRING, .says = EXISTING(2) },
    { ENDED },
    { POST, NO_FIRING, .says = CREATED(3) },
    { TAGGINGS, .count = 0 },
    { 0 },
};
/* clang-format on */

static enum test_result no_firing(struct e2e *e2e)
{
    static const struct story story = { NULL, no_firing_steps };
    return play(e2e, &story);
}

/* --- resolved ------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct step ignore_resolved_steps[] = {
    { POST, RESOLVED(1), .says = IGNORED },
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, RESOLVED(1), .says = IGNORED },
    { MESSAGES, .count = 0 },
    { CREATES, .count = 1 },
    { 0 },
};

static const struct step message_resolved_steps[] = {
    { POST, RESOLVED(1), .says = IGNORED },
    { POST, FIRING(1), .says = CREATED(1) },
    { POST, RESOLVED(1), .says = MESSAGED(1) },
    { MESSAGES, .count = 1 },
    { MESSAGE_FAULT("\"status\":500") },
    { POST, RESOLVED(1), .says = "{'success':false,'details':'Devin API outage'}", .status = 500 },
    { MESSAGES, .count = 2 },
    { POST, FIRING(2), .says = EXISTING(1) }, /* resolved or not: the session is open */
    { POST, RESOLVED(2), .says = MESSAGED(1) },
    { POST, RESOLVED(2), .says = IGNORED }, /* no more than two were delivered */
    { MESSAGES, .count = 3 },
    { ENDED },
    { POST, RESOLVED(2), .says = IGNORED },
    { MESSAGES, .count = 3 },
    { CREATES, .count = 1 },
    { 0 },
};
/* clang-format on */

static enum test_result resolved(struct e2e *e2e)
{
    static const struct story ignored = { "ON_REFIRE=message\nON_RESOLVED=ignore",
                                          ignore_resolved_steps };
    static const struct story messaged = { "ON_RESOLVED=message\nMAX_MESSAGES_PER_SESSION=2",
                                           message_resolved_steps };
    return play(e2e, &ignored) == TEST_PASSED ? play(e2e, &messaged) : TEST_FAILED;
}

/* --- more problems than sessions ----------------------------------------------------------------- */

/* As Alertmanager groups them. */
#define GROUP(alerts) "{'version':'4','receiver':'devin','status':'firing','alerts':[" alerts "]}"
#define ONE(name, hour)                                                           \
    "{'status':'firing','labels':{'alertname':'" name "','severity':'critical'}," \
    "'annotations':{'summary':'" name "'},'startsAt':'2024-02-06T" hour ":00:00Z'}"
#define ELEVEN(hour)                                                                               \
    GROUP(ONE("p1", hour) "," ONE("p2", hour) "," ONE("p3", hour) "," ONE("p4", hour) "," ONE(     \
        "p5",                                                                                      \
        hour) "," ONE("p6",                                                                        \
                      hour) "," ONE("p7",                                                          \
                                    hour) "," ONE("p8",                                            \
                                                  hour) "," ONE("p9",                              \
                                                                hour) "," ONE("p10",               \
                                                                              hour) "," ONE("p11", \
                                                                                            hour))
#define ALL(a) "{'sessions':[{'action':'" a "'},{'action':'" a "'},{'action':'" a "'}]}"

/* clang-format off */
static const struct step folded_steps[] = {
    { POST, ELEVEN("12"), .says = ALL("created") },
    { CREATES, .count = 3 },
    { POST, ELEVEN("12"), .says = ALL("existing") },
    { POST, GROUP(ONE("p2", "12")), .says = EXISTING(2) },
    { POST, GROUP(ONE("p7", "12")), .says = EXISTING(3) }, /* folded into the last one */
    { POST, GROUP(ONE("p11", "13")), .says = EXISTING(3) },
    { CREATES, .count = 3 },
    { 0 },
};

static const struct step folded_into_joined_steps[] = {
    { POST, GROUP(ONE("p3", "11")), .says = CREATED(1) },
    { POST, ELEVEN("12"), .says = "{'sessions':[{'action':'created'},{'action':'created'},{'action':'existing','sessionId':'@1','furtherAlerts':8}]}" },
    { POST, GROUP(ONE("p7", "13")), .says = EXISTING(1) },
    { CREATES, .count = 3 },
    { 0 },
};
/* clang-format on */

static enum test_result folded(struct e2e *e2e)
{
    static const struct story opened = { "MAX_SESSIONS_PER_REQUEST=3", folded_steps };
    static const struct story joined_one = { "MAX_SESSIONS_PER_REQUEST=3",
                                             folded_into_joined_steps };
    return play(e2e, &opened) == TEST_PASSED ? play(e2e, &joined_one) : TEST_FAILED;
}

const struct e2e_test e2e_refire[] = {
    { "refire: the same firing again is one session, even when that has ended", same_firing },
    { "refire: another firing joins the open session", join },
    { "refire: another firing may ask for a session of its own", create },
    { "refire: another firing is told to the open session, so often and no more", message },
    { "refire: firings that come at once share a session, which knows them all", at_once },
    { "refire: two handlers tag one session at a time, v3 keeps both", two_handlers },
    { "refire: what fails around a message stops no alert and says nothing twice",
      failing_message },
    { "refire: what is said and set is these bytes, whatever form an id has", told },
    { "refire: each state of a session is open or ended", open_states },
    { "refire: without a firing of its own an alert joins what is open", no_firing },
    { "refire: resolved is told where that is asked for", resolved },
    { "refire: what was folded into the last session is found there", folded },
    { NULL, NULL },
};
