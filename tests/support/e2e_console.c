/*
 * The handler's commands that speak to Devin from a terminal, on both APIs: what they print, how they
 * exit, and that no secret is among it.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/match.h"
#include "support/player.h"

#include <signal.h>
#include <sys/wait.h>

enum { MOST_WORDS = 8, MANY = 120 };

#define KEY_V1   "apk_user_console_key"
#define KEY_V3   "cog_console_key"
#define SECRET   "temp-key-12345"
#define SETTINGS "DEVIN_SESSION_SECRETS=DEPLOY_API_KEY\nDEPLOY_API_KEY=" SECRET "\n"
#define PLAYBOOK "deploy/playbook/devin-triage-workflow.md"

/* One terminal: the settings, the stand-in, and the handler that fills it with sessions. */
struct terminal {
    struct e2e *e2e;
    struct duo duo;
    struct env env;
    bool is_v3;
};

struct said {
    int code;
    struct view out, err;
};

static bool terminal_up(struct e2e *e2e, bool is_v3, struct terminal *out)
{
    const char *settings =
        joined(e2e->mem, SETTINGS, "DEVIN_API_KEY=", is_v3 ? KEY_V3 : KEY_V1, (char *)NULL);
    *out = (struct terminal){ .e2e = e2e, .env = env_basics(e2e->mem), .is_v3 = is_v3 };
    if (!duo_up(e2e, settings, &out->duo))
        return false;
    player_defaults(&out->env, out->duo.devin.port);
    struct view lines = view_of(settings), line, name, value;
    while (lines_next(&lines, &line))
        if (lines_pair(line, '=', &name, &value))
            env_set(&out->env, name, value);
    return true;
}

/* --- running a command --------------------------------------------------------------------------- */

static bool keeps_secrets(const struct terminal *terminal, struct view text)
{
    static const char *const secrets[] = { KEY_V1, KEY_V3, SECRET };
    bool ok = true;
    for (size_t i = 0; i < COUNT_OF(secrets); i++)
        ok = ok && !view_contains(text, view_of(secrets[i]));
    return ok || complain(terminal->e2e->why, "a secret is printed", text);
}

/* `words` end in NULL. */
static bool run(struct terminal *terminal, const char *const *words, struct said *out)
{
    struct e2e *e2e = terminal->e2e;
    const char *argv[MOST_WORDS + 2] = { e2e->site->handler };
    struct program program = { 0 };
    struct program_plan plan = {
        .argv = argv, .env = &terminal->env, .directory = e2e->site->root, .is_heard = true
    };
    struct text ignored = text_in(e2e->mem, 64 * 1024);
    for (size_t i = 0; i < MOST_WORDS && words[i] != NULL; i++)
        argv[i + 1] = words[i];
    if (!program_start(&plan, &program, e2e->why))
        return complain(e2e->why, "the handler cannot be started", VIEW(""));
    program_end(&program, 0, DUO_PATIENCE_MS, &ignored);
    int status = program.process.status;
    *out = (struct said){ .code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                          .out = program_out(&program, e2e->mem),
                          .err = program_err(&program, e2e->mem) };
    program_forget(&program);
    return keeps_secrets(terminal, out->out) && keeps_secrets(terminal, out->err);
}

/* Exits with `code`; stdout has the lines `has`, or stderr where it failed; and nothing else there. */
static bool says(struct terminal *terminal, const char *const *words, int code, const char *has)
{
    struct said said = { 0 };
    struct text *why = terminal->e2e->why;
    if (!run(terminal, words, &said))
        return false;
    struct view heard = code == 0 ? said.out : said.err;
    struct view other = code == 0 ? said.err : said.out;
    bool ok = said.code == code && other.len == 0 && match_has("command", view_of(has), heard, why);
    if (ok)
        return true;
    complain(why, words[1], heard);
    return complain(why, "the rest", other);
}

#define SAYS(terminal, code, has, ...) \
    says(terminal, (const char *const[]){ __VA_ARGS__, NULL }, code, has)

static int count_lines(struct view text)
{
    struct view line;
    int count = 0;
    while (lines_next(&text, &line))
        count += line.len > 0;
    return count;
}

/* Each line of stdout is an object with a session in it, so many of them. */
static bool says_json(struct terminal *terminal, int count, const char *has,
                      const char *const *words)
{
    struct said said = { 0 };
    struct view line;
    struct text *why = terminal->e2e->why;
    if (!run(terminal, words, &said))
        return false;
    struct view rest = said.out;
    bool ok = said.code == 0 && count_lines(said.out) == count;
    while (ok && lines_next(&rest, &line)) {
        struct json json = { 0 };
        struct failure failure = { 0 };
        ok = json_read(line, terminal->e2e->mem, &json, &failure)
             && json_text(json_at(json.root, "session_id")).len > 0;
        json_free(&json);
    }
    return (ok || complain(why, "not the JSON that was wanted", said.out))
           && match_has("JSON", view_of(has), said.out, why);
}

#define SAYS_JSON(terminal, count, has, ...) \
    says_json(terminal, count, has, (const char *const[]){ __VA_ARGS__, NULL })

/* --- sessions ------------------------------------------------------------------------------------ */

static bool open_session(struct terminal *terminal, const char *name, const char **id)
{
    struct e2e *e2e = terminal->e2e;
    struct http_answer answer = { 0 };
    struct json json = { 0 };
    struct failure why = { 0 };
    if (!http_call(terminal->duo.handler.port, e2e_alert(e2e, "/api/trigger-devin", name),
                   DUO_PATIENCE_MS, e2e->mem, &answer)
        || answer.status != 200 || !json_read(answer.body, e2e->mem, &json, &why))
        return complain(e2e->why, "no session", answer.body);
    *id = view_keep(json_text(json_at(json.root, "sessionId")), e2e->mem).at;
    json_free(&json);
    return true;
}

static bool set_state(struct terminal *terminal, const char *v1, const char *v3)
{
    return control_session(terminal->duo.devin.port, VIEW("newest"),
                           view_of(terminal->is_v3 ? v3 : v1))
           || complain(terminal->e2e->why, "no such state", VIEW(""));
}

static bool set_fault(struct terminal *terminal, const char *v1, const char *v3)
{
    return control_faults(terminal->duo.devin.port, view_of(terminal->is_v3 ? v3 : v1))
           || complain(terminal->e2e->why, "no such fault", VIEW(""));
}

static int count_calls(struct terminal *terminal, const char *method, const char *part)
{
    struct json calls = { 0 };
    int count = 0;
    if (!control_calls(terminal->duo.devin.port, terminal->e2e->mem, &calls))
        return -1;
    for (const struct cJSON *call = json_first(calls.root); call != NULL; call = json_next(call))
        count += view_equal(json_text(json_at(call, "method")), view_of(method))
                 && view_contains(json_text(json_at(call, "path")), view_of(part));
    json_free(&calls);
    return count;
}

static bool lists(struct terminal *t, const char **first, const char **second)
{
    return SAYS(t, 0, "", "session", "list") && open_session(t, "checkout", first)
           && open_session(t, "search", second) && SAYS(t, 0, *first, "session", "list")
           && SAYS(t, 0, "[Sev1] checkout\n[Sev1] search", "session", "list")
           && SAYS_JSON(t, 2, "[Sev1] checkout\n[Sev1] search", "session", "list", "--json")
           && SAYS_JSON(t, 0, "", "session", "list", "--json", "fp-0000000000000000");
}

/* v1 pages by a hundred, v3 as the stand-in likes. */
static bool lists_pages(struct terminal *t)
{
    const char *id = "";
    bool ok = true;
    for (int i = 2; ok && i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%d", i);
        ok = open_session(t, name, &id);
    }
    return ok && control_options(t->duo.devin.port, VIEW("{\"page_size\":50}"))
           && SAYS_JSON(t, MANY, "[Sev1] checkout\n[Sev1] many-119", "session", "list", "--json");
}

static const char *other_form(struct terminal *t, const char *id)
{
    bool is_full = view_starts(view_of(id), VIEW("devin-"));
    return is_full ? id + 6 : joined(t->e2e->mem, "devin-", id, (char *)NULL);
}

static bool gets(struct terminal *t, const char *id)
{
    return SAYS(t, 0, "[Sev1] checkout", "session", "get", id)
           && SAYS(t, 0, "[Sev1] checkout", "session", "get", other_form(t, id))
           && SAYS_JSON(t, 1, "[Sev1] checkout", "session", "get", id, "--json")
           && SAYS(t, 1, "Devin knows no such session", "session", "get", "session_1707228000000")
           && SAYS(t, 1, "Devin knows no such session", "session", "watch", "session_1", "1");
}

static bool messages(struct terminal *t, const char *id)
{
    const char *path = t->is_v3 ? "/messages" : "/message";
    return SAYS(t, 0, "sent", "session", "message", id, "Write a test, too")
           && count_calls(t, "POST", path) == 1
           && set_fault(t, "{\"on\":\"POST /v1/sessions/*/message$\",\"status\":500}",
                        "{\"on\":\"POST /v3/organizations/*/sessions/*/messages$\",\"status\":500}")
           && SAYS(t, 1, "Devin API outage", "session", "message", id, "Once only")
           && (count_calls(t, "POST", path) == 2
               || complain(t->e2e->why, "a message was sent twice", VIEW("")))
           && SAYS(t, 1, "Devin knows no such session", "session", "message", "session_1", "Hello");
}

static bool is_not_delivered(struct terminal *t, const char *newest)
{
    return set_state(t, "{\"status_enum\":\"suspend_requested\"}", "{\"status\":\"exit\"}")
           && (t->is_v3
                   ? SAYS(t, 1, "Devin API rejected the request", "session", "message", newest, "x")
                   : SAYS(t, 0, "perhaps not delivered: Session is suspended", "session", "message",
                          newest, "x"));
}

/* A session of the stand-in is finished at its third reading. */
static bool watches(struct terminal *t)
{
    const char *id = "";
    return open_session(t, "watched", &id)
           && SAYS(t, 0, "working\nfinished", "session", "watch", id, "1")
           && SAYS_JSON(t, 1, "finished", "session", "watch", id, "1", "--json")
           && set_state(t, "{\"status_enum\":\"blocked\"}",
                        "{\"status\":\"running\",\"status_detail\":\"waiting_for_user\"}")
           && SAYS(t, 0, t->is_v3 ? "waiting_for_user" : "blocked", "session", "watch", id)
           && is_not_delivered(t, id);
}

static bool survives_faults(struct terminal *t)
{
    return set_fault(t, "{\"on\":\"GET /v1/sessions$\",\"status\":503}",
                     "{\"on\":\"GET /v3/organizations/*/sessions$\",\"status\":503}")
           && SAYS(t, 0, "[Sev1] checkout", "session", "list")
           && set_fault(t, "{\"on\":\"GET /v1/sessions$\",\"status\":401}",
                        "{\"on\":\"GET /v3/organizations/*/sessions$\",\"status\":401}")
           && SAYS(t, 1, "Invalid Devin API key", "session", "list")
           && set_fault(t, "{\"on\":\"GET /v1/sessions$\",\"garbage\":true}",
                        "{\"on\":\"GET /v3/organizations/*/sessions$\",\"garbage\":true}")
           && SAYS(t, 1, "Devin's answer is no JSON", "session", "list");
}

static bool play_sessions(struct e2e *e2e, bool is_v3)
{
    struct terminal t;
    const char *first = "";
    const char *second = "";
    if (!terminal_up(e2e, is_v3, &t))
        return false;
    bool ok = lists(&t, &first, &second) && gets(&t, first) && messages(&t, first) && watches(&t)
              && survives_faults(&t);
    return duo_down(e2e, &t.duo) && ok;
}

static enum test_result sessions(struct e2e *e2e)
{
    bool ok = play_sessions(e2e, false) || complain(e2e->why, "on API v1", VIEW(""));
    return (play_sessions(e2e, true) || complain(e2e->why, "on API v3", VIEW(""))) && ok
               ? TEST_PASSED
               : TEST_FAILED;
}

static bool play_pages(struct e2e *e2e, bool is_v3)
{
    struct terminal t;
    const char *first = "";
    const char *second = "";
    if (!terminal_up(e2e, is_v3, &t))
        return false;
    bool ok = lists(&t, &first, &second) && lists_pages(&t);
    return duo_down(e2e, &t.duo) && ok;
}

static enum test_result pages(struct e2e *e2e)
{
    bool ok = play_pages(e2e, false) || complain(e2e->why, "on API v1", VIEW(""));
    return (play_pages(e2e, true) || complain(e2e->why, "on API v3", VIEW(""))) && ok ? TEST_PASSED
                                                                                      : TEST_FAILED;
}

/* --- playbooks ----------------------------------------------------------------------------------- */

#define TITLED "{\"title\":\"devin-triage-workflow\",\"playbook_id\":\"playbook-"

/* The last body of such a call is the file as it lies there, under the configured name. */
static bool has_pushed(struct terminal *t, const char *method)
{
    struct json calls = { 0 };
    struct json body = { 0 };
    struct failure failure = { 0 };
    struct view last = { 0 };
    const char *path = joined(t->e2e->mem, t->e2e->site->root, "/", PLAYBOOK, (char *)NULL);
    if (!control_calls(t->duo.devin.port, t->e2e->mem, &calls))
        return false;
    for (const struct cJSON *call = json_first(calls.root); call != NULL; call = json_next(call))
        if (view_equal(json_text(json_at(call, "method")), view_of(method)))
            last = json_text(json_at(call, "body"));
    bool ok =
        json_read(last, t->e2e->mem, &body, &failure)
        && view_equal(json_text(json_at(body.root, "title")), VIEW("devin-triage-workflow"))
        && view_equal(json_text(json_at(body.root, "body")), process_read_file(path, t->e2e->mem));
    json_free(&body);
    json_free(&calls);
    return ok || complain(t->e2e->why, "another playbook was pushed", last);
}

static bool pushes(struct terminal *t)
{
    int port = t->duo.devin.port;
    return SAYS(t, 0, "updated playbook-0123456789abcdef0123456789abcdef", "playbook", "push",
                PLAYBOOK)
           && has_pushed(t, "PUT") && control_options(port, VIEW("{\"playbooks\":[]}"))
           && SAYS(t, 0, "created playbook-", "playbook", "push", PLAYBOOK) && has_pushed(t, "POST")
           && SAYS(t, 0, "updated playbook-", "playbook", "push", PLAYBOOK)
           && control_options(port, VIEW("{\"playbooks\":[" TITLED "1\"}," TITLED "2\"}]}"))
           && SAYS(t, 1, "two playbooks have that name", "playbook", "push", PLAYBOOK)
           && control_options(port, VIEW("{\"playbooks\":[" TITLED "1\"}]}"))
           && set_fault(t, "{\"on\":\"PUT /v1/playbooks/*\",\"status\":403}",
                        "{\"on\":\"PUT /v3/organizations/*/playbooks/*\",\"status\":403}")
           && SAYS(t, 1, "Invalid Devin API key", "playbook", "push", PLAYBOOK);
}

/* Nobody makes a second one because the list was not read. */
static bool pushes_nothing_unread(struct terminal *t)
{
    int before = count_calls(t, "POST", "/playbooks");
    return set_fault(t, "{\"on\":\"GET /v1/playbooks$\",\"body\":\"{}\"}",
                     "{\"on\":\"GET /v3/organizations/*/playbooks$\",\"body\":\"{}\"}")
           && SAYS(t, 1, "Devin's answer is no list", "playbook", "push", PLAYBOOK)
           && (count_calls(t, "POST", "/playbooks") == before
               || complain(t->e2e->why, "it was pushed all the same", VIEW("")));
}

static bool play_push(struct e2e *e2e, bool is_v3)
{
    struct terminal t;
    if (!terminal_up(e2e, is_v3, &t))
        return false;
    bool ok = pushes(&t) && pushes_nothing_unread(&t);
    return duo_down(e2e, &t.duo) && ok;
}

static enum test_result push(struct e2e *e2e)
{
    bool ok = play_push(e2e, false) || complain(e2e->why, "on API v1", VIEW(""));
    return (play_push(e2e, true) || complain(e2e->why, "on API v3", VIEW(""))) && ok ? TEST_PASSED
                                                                                     : TEST_FAILED;
}

/* --- whose key it is ----------------------------------------------------------------------------- */

static enum test_result organization(struct e2e *e2e)
{
    struct terminal t;
    const char *id = "";
    if (!terminal_up(e2e, true, &t))
        return TEST_FAILED;
    bool ok = open_session(&t, "checkout", &id)
              && control_options(t.duo.devin.port, VIEW("{\"org_id\":null}"))
              && SAYS(&t, 1, "DEVIN_ORG_ID is not set and the key belongs to no organization",
                      "session", "list")
              && SAYS(&t, 1, "DEVIN_ORG_ID is not set", "playbook", "push", PLAYBOOK);
    env_set(&t.env, VIEW("DEVIN_ORG_ID"), VIEW("org-0123456789abcdef0123456789abcdef"));
    ok = ok && SAYS(&t, 0, "[Sev1] checkout", "session", "list");
    return duo_down(e2e, &t.duo) && ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_console[] = {
    { "console: session list, get, watch and message on both APIs", sessions },
    { "console: session list goes through all pages", pages },
    { "console: playbook push creates, updates, and refuses to guess", push },
    { "console: a key without an organization is told so", organization },
    { NULL, NULL },
};
