/* One call after the other, each repeated as the retry policy says; what comes is printed. */
#include "edge/console.h"

#include "base/file.h"
#include "base/json.h"
#include "edge/terminal.h"
#include "edge/wire.h"
#include "session/api.h"
#include "session/devin.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MEM_BYTES = 64 * 1024 * 1024,
    MAX_PAGES = 20,
    MAX_PLAYBOOK_BYTES = 256 * 1024,
    DEFAULT_EVERY_S = 10, /* Devin asks for no more than a call in 10 seconds */
    SESSION_MESSAGE_WORDS = 2
};

struct console {
    struct settings *settings;
    struct wire_loop *loop;
    struct wire wire;
    struct api api;
    struct arena mem;
    bool wants_json;
};

/* --- calls ------------------------------------------------------------------------------------ */

/* Until it is answered, or fails for good. */
static bool call(struct console *console, const struct call *call, struct answer *answer,
                 struct failure *why)
{
    const struct wire *wire = &console->wire;
    const struct retry_settings *retry = &console->settings->devin.retry;
    enum repeat repeat = call->is_once ? REPEAT_IF_NOT_DONE : REPEAT_FREELY;
    long long left_ms = console->settings->triage.timeout_ms;
    for (int tries = 1;; tries++) {
        *answer = (struct answer){ 0 };
        wire->send(wire->state, call, retry_timeout_ms(retry, repeat, tries, left_ms),
                   &console->mem, answer);
        left_ms -= answer->elapsed_ms;
        if (answer->kind == ANSWER_HTTP && answer->status >= 200 && answer->status < 300)
            return true;
        long long wait_ms = retry_wait_ms(retry, repeat, tries, devin_trouble(answer),
                                          answer->retry_after_ms, left_ms, (unsigned)tries);
        if (wait_ms == NO_RETRY)
            break;
        wire->wait(wire->state, wait_ms);
        left_ms -= wait_ms;
    }
    return devin_fail(answer, NULL, &console->mem, why);
}

/* The call's answer as JSON, which the caller frees. */
static bool ask(struct console *console, bool is_built, const struct call *what, struct json *out,
                struct failure *why)
{
    struct answer answer;
    struct failure not_json;
    if (!is_built)
        return fail(why, FAIL_INTERNAL, "no memory");
    if (!call(console, what, &answer, why))
        return false;
    if (answer.body.len > 0 && !json_read(answer.body, &console->mem, out, &not_json))
        return fail(why, FAIL_DEVIN_UNCLEAR, "Devin's answer is no JSON");
    return true;
}

/* A page of a list; no list is not an empty one. */
static bool ask_list(struct console *console, bool is_built, const struct call *what,
                     bool (*is_list)(const struct cJSON *body), struct json *out,
                     struct failure *why)
{
    if (!ask(console, is_built, what, out, why))
        return false;
    if (is_list(out->root))
        return true;
    json_free(out);
    return fail(why, FAIL_DEVIN_UNCLEAR, "Devin's answer is no list");
}

static bool learn_org(struct console *console, struct failure *why)
{
    struct call what;
    struct json json = { 0 };
    if (console->api.version == API_V1 || console->api.org.len > 0)
        return true;
    if (!ask(console, api_self(&console->mem, &what), &what, &json, why))
        return false;
    console->api.org = view_keep(json_text(json_at(json.root, "org_id")), &console->mem);
    json_free(&json);
    return console->api.org.len > 0
           || fail_because(why, FAIL_MISCONFIGURED,
                           VIEW("DEVIN_ORG_ID is not set and the key belongs to no organization"));
}

static bool open_console(struct console *console, struct settings *settings, struct failure *why)
{
    struct view refusal = settings_complaints(settings, true);
    *console = (struct console){ .settings = settings, .api = settings->devin.api };
    arena_init(&console->mem, MEM_BYTES);
    if (refusal.len > 0)
        return fail_because(why, FAIL_MISCONFIGURED, refusal);
    console->loop = wire_start(&settings->wire);
    if (console->loop == NULL)
        return fail(why, FAIL_INTERNAL, "not enough memory or threads to start");
    console->wire = wire_of(console->loop);
    return learn_org(console, why);
}

static void close_console(struct console *console)
{
    if (console->loop != NULL)
        wire_stop(console->loop);
    arena_drop(&console->mem);
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_session(const struct session *session)
{
    terminal_print(session->id);
    fputs("  ", stdout);
    terminal_print(session->status.len > 0 ? session->status : VIEW("-"));
    fputs("  ", stdout);
    terminal_print(session->url);
    fputs("  ", stdout);
    terminal_print(session->title);
    fputc('\n', stdout);
}

static void print_json(struct console *console, const struct cJSON *node)
{
    struct text text = text_in(&console->mem, MEM_BYTES);
    struct json_writer writer = { .to = &text };
    json_put_node(&writer, NULL, node);
    printf("%s\n", text_view(&text).at);
}

static bool print_node(struct console *console, const struct cJSON *node, struct session *session)
{
    if (!api_read_session(node, &console->mem, session))
        return false;
    if (console->wants_json)
        print_json(console, node);
    else
        print_session(session);
    return true;
}

/* --- render ----------------------------------------------------------------------------------- */

static int print_report(const struct report *report, bool wants_json, struct arena *mem)
{
    if (wants_json) {
        printf("%s\n", triage_reply(report, mem).body.at);
        return 0;
    }
    if (report->count == 0)
        fprintf(stderr, "handler: %s\n", report->reason);
    for (size_t i = 0; i < report->count; i++) {
        struct view prompt = report->outcomes[i].prompt;
        printf("%s%.*s", i > 0 ? "\n" : "", (int)prompt.len, prompt.at);
    }
    return 0;
}

/* A dry run of the very story: settings that would refuse an alert refuse it here too. */
int console_render(struct settings *settings, int count, char **words)
{
    struct arena mem;
    struct report report;
    struct failure why = { 0 };
    bool wants_json = terminal_take(&count, words, "--json");
    if (count != 1) {
        fprintf(stderr, "usage:\n  handler render FILE|- [--json]\n");
        return 2;
    }
    struct triage triage = settings_triage(settings);
    triage.settings.is_dry_run = true;
    arena_init(&mem, MEM_BYTES);
    const char *path = strcmp(words[0], "-") == 0 ? "/dev/stdin" : words[0];
    const struct request request = {
        .method = VIEW("POST"),
        .body = file_read(path, (size_t)settings->server.max_body_bytes, &mem),
    };
    if (request.body.len == 0) {
        fprintf(stderr, "handler: %s is empty, larger than MAX_BODY_BYTES, or cannot be read\n",
                path);
        arena_drop(&mem);
        return 1;
    }
    bool is_done = triage_run(&triage, &request, &mem, &report, &why);
    int code = is_done ? print_report(&report, wants_json, &mem) : terminal_failure(&why);
    arena_drop(&mem);
    return code;
}

/* --- session ---------------------------------------------------------------------------------- */

static bool list_sessions(struct console *console, int count, char **words, struct failure *why)
{
    struct view tag = count > 0 ? view_of(words[0]) : (struct view){ 0 };
    struct view cursor = { 0 };
    size_t seen = 0;
    for (int page = 0; page < MAX_PAGES; page++) {
        struct call what;
        struct json json = { 0 };
        if (!ask_list(console, api_list_sessions(&console->api, tag, cursor, &console->mem, &what),
                      &what, api_is_sessions, &json, why))
            return false;
        const struct cJSON *first = api_sessions_of(json.root);
        for (const struct cJSON *item = first; item != NULL; item = json_next(item)) {
            struct session session;
            (void)print_node(console, item, &session);
        }
        cursor = api_cursor_of(&console->api, json.root, first, seen, &console->mem);
        for (; first != NULL; first = json_next(first))
            seen++;
        json_free(&json);
        if (cursor.len == 0)
            return true;
    }
    fprintf(stderr, "handler: there are more sessions than these: name a tag\n");
    return true;
}

/* A 404 is more often about the id than about the address. */
static bool fail_session(struct failure *why)
{
    if (why->kind == FAIL_DEVIN_WRONG_URL)
        fail_because(why, FAIL_DEVIN_WRONG_URL,
                     VIEW("Devin knows no such session, or DEVIN_API_URL is wrong"));
    return false;
}

static bool get_session(struct console *console, struct view id, struct json *out,
                        struct failure *why)
{
    struct call what;
    return ask(console, api_get_session(&console->api, id, &console->mem, &what), &what, out, why)
           || fail_session(why);
}

static bool show_session(struct console *console, int count, char **words, struct failure *why)
{
    (void)count;
    struct json json = { 0 };
    struct session session;
    if (!get_session(console, view_of(words[0]), &json, why))
        return false;
    bool is_shown = print_node(console, json.root, &session);
    json_free(&json);
    return is_shown || fail(why, FAIL_DEVIN_UNCLEAR, "Devin's answer names no session");
}

/* As the API reference's loop does: until it is blocked or has ended. */
static bool is_settled(const struct session *session)
{
    static const char *const waiting[] = { "blocked", "waiting_for_user", "waiting_for_approval" };
    for (size_t i = 0; i < COUNT_OF(waiting); i++)
        if (view_equal_fold(session->status, view_of(waiting[i])))
            return true;
    return session->has_ended;
}

/* What a look has found is kept for the next one; each has memory of its own, for a watch is long. */
struct watch {
    struct view id;
    long long seconds;
    char status[64];
    bool is_over;
};

/* One line that changes in place on a terminal; elsewhere a line for each change. */
static void show_progress(const struct session *session, struct watch *watch)
{
    struct view status = view_cap(session->status, sizeof watch->status - 1);
    bool is_news = !view_equal(view_of(watch->status), status);
    struct text kept = text_over(watch->status, sizeof watch->status);
    text_add(&kept, status);
    if (isatty(STDOUT_FILENO)) {
        printf("\r%s ", session->id.at);
        terminal_print(session->status);
        printf(", %lld s ", watch->seconds);
        fflush(stdout);
    } else if (is_news) {
        print_session(session);
    }
}

static bool look(struct console *console, struct watch *watch, struct failure *why)
{
    struct json json = { 0 };
    struct session session;
    if (!get_session(console, watch->id, &json, why))
        return false;
    bool is_read = api_read_session(json.root, &console->mem, &session);
    watch->is_over = is_read && is_settled(&session);
    if (is_read && !console->wants_json)
        show_progress(&session, watch);
    if (watch->is_over && console->wants_json)
        print_json(console, json.root);
    json_free(&json);
    return is_read || fail(why, FAIL_DEVIN_UNCLEAR, "Devin's answer names no session");
}

static bool watch_session(struct console *console, int count, char **words, struct failure *why)
{
    long long every_s = DEFAULT_EVERY_S;
    struct watch watch = { .id = view_of(words[0]) };
    if (count > 1 && !view_to_number(view_of(words[1]), 1, 3600, &every_s))
        return fail_because(why, FAIL_MISCONFIGURED,
                            VIEW("the seconds between two looks must be a number from 1 to 3600"));
    for (;; watch.seconds += every_s) {
        struct console once = *console;
        arena_init(&once.mem, MEM_BYTES);
        bool is_seen = look(&once, &watch, why);
        arena_drop(&once.mem);
        if (!is_seen)
            return false;
        if (watch.is_over)
            break;
        console->wire.wait(console->wire.state, every_s * 1000);
    }
    if (isatty(STDOUT_FILENO) && !console->wants_json)
        printf("\n");
    return true;
}

static bool send_message(struct console *console, int count, char **words, struct failure *why)
{
    (void)count;
    struct call what;
    struct json json = { 0 };
    if (!ask(console,
             api_message(&console->api, view_of(words[0]), view_of(words[1]), &console->mem, &what),
             &what, &json, why))
        return fail_session(why);
    struct view detail = json_text(json_at(json.root, "detail"));
    printf("sent%s", detail.len > 0 ? ", perhaps not delivered: " : "");
    terminal_print(detail);
    printf("\n");
    json_free(&json);
    return true;
}

static const struct verb {
    const char *name;
    const char *words;
    int least, most;
    bool (*run)(struct console *console, int count, char **words, struct failure *why);
} verbs[] = {
    { "list", "[TAG] [--json]", 0, 1, list_sessions },
    { "get", "ID [--json]", 1, 1, show_session },
    { "watch", "ID [SECONDS] [--json]", 1, 2, watch_session },
    { "message", "ID TEXT", SESSION_MESSAGE_WORDS, SESSION_MESSAGE_WORDS, send_message },
};

static int session_usage(void)
{
    fprintf(stderr, "usage:\n");
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        fprintf(stderr, "  handler session %-8s%s\n", verbs[i].name, verbs[i].words);
    return 2;
}

static const struct verb *find_verb(int count, char **words)
{
    for (size_t i = 0; count > 0 && i < COUNT_OF(verbs); i++)
        if (strcmp(words[0], verbs[i].name) == 0 && count - 1 >= verbs[i].least
            && count - 1 <= verbs[i].most)
            return &verbs[i];
    return NULL;
}

int console_session(struct settings *settings, int count, char **words)
{
    struct console console;
    struct failure why = { 0 };
    bool wants_json = terminal_take(&count, words, "--json");
    const struct verb *verb = find_verb(count, words);
    if (verb == NULL)
        return session_usage();
    bool is_open = open_console(&console, settings, &why);
    console.wants_json = wants_json;
    bool is_done = is_open && verb->run(&console, count - 1, words + 1, &why);
    close_console(&console);
    return is_done ? 0 : terminal_failure(&why);
}

/* --- playbook --------------------------------------------------------------------------------- */

static bool find_playbook(struct console *console, struct view title, struct playbook_known *known,
                          struct failure *why)
{
    struct view cursor = { 0 };
    *known = (struct playbook_known){ .state = PLAYBOOK_ABSENT };
    for (int page = 0; page < MAX_PAGES; page++) {
        struct call what;
        struct json json = { 0 };
        if (!ask_list(console, api_list_playbooks(&console->api, cursor, &console->mem, &what),
                      &what, api_is_playbooks, &json, why))
            return false;
        const struct cJSON *first = api_playbooks_of(json.root);
        playbook_find(first, title, &console->mem, known);
        cursor = console->api.version == API_V3
                     ? api_cursor_of(&console->api, json.root, first, 0, &console->mem)
                     : (struct view){ 0 };
        json_free(&json);
        if (cursor.len == 0)
            break;
    }
    return true;
}

static bool push(struct console *console, struct view title, struct view body, struct failure *why)
{
    struct playbook_known known;
    struct call what;
    struct json json = { 0 };
    if (!find_playbook(console, title, &known, why))
        return false;
    if (known.state == PLAYBOOK_TWICE)
        return fail_because(why, FAIL_MISCONFIGURED,
                            VIEW("two playbooks have that name: rename one of them in Devin"));
    if (!ask(console,
             api_put_playbook(&console->api, known.id, title, (struct view){ 0 }, body,
                              &console->mem, &what),
             &what, &json, why))
        return false;
    struct view id = json_text(json_at(json.root, "playbook_id"));
    printf("%s ", known.state == PLAYBOOK_FOUND ? "updated" : "created");
    terminal_print(id.len > 0 ? id : known.id);
    printf("\n");
    json_free(&json);
    return true;
}

/* The title is the configured name, so that the next alert finds what was pushed. */
int console_playbook(struct settings *settings, int count, char **words)
{
    struct console console;
    struct failure why = { 0 };
    struct view title = settings->playbook.fallback;
    if (count != 2 || strcmp(words[0], "push") != 0) {
        fprintf(stderr, "usage:\n  handler playbook push FILE\n");
        return 2;
    }
    bool is_open = open_console(&console, settings, &why);
    struct view body = file_read(words[1], MAX_PLAYBOOK_BYTES, &console.mem);
    bool is_done = is_open
                   && (body.len > 0
                       || fail_because(&why, FAIL_MISCONFIGURED,
                                       VIEW("the playbook's file is empty or cannot be read")))
                   && (!playbook_is_id(title)
                       || fail_because(&why, FAIL_MISCONFIGURED,
                                       VIEW("DEVIN_PLAYBOOK_ID is an id: set it to a name")))
                   && push(&console, title, body, &why);
    close_console(&console);
    return is_done ? 0 : terminal_failure(&why);
}
