/* One play is: settings, faults, handler up, request(s), handler down, and then all the looking. */
#include "support/player.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/envelope.h"
#include "support/http.h"
#include "support/match.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPLY_PATIENCE_MS = 30000, END_PATIENCE_MS = 5000, SHORTEST_SECRET = 4 };

static const size_t PLAY_BYTES = (size_t)512 * 1024 * 1024;

/* What came of a play. */
struct outcome {
    struct http_answer reply;
    struct view out, err;
    struct json calls;
    const struct cJSON *last_create;
    long long create_count;
    long long took_ms;
};

const char *protocol_name(enum protocol protocol)
{
    static const char *const names[] = { "forward", "envelope, chunked", "envelope" };
    return names[protocol];
}

bool player_wants(const struct e2e_case *test, enum protocol protocol)
{
    if (test->command.at != NULL)
        return protocol == PROTOCOL_FORWARD;
    return test->protocols.len == 0
           || view_contains(test->protocols,
                            protocol == PROTOCOL_FORWARD ? VIEW("forward") : VIEW("envelope"));
}

/* --- settings --------------------------------------------------------------------------------- */

void player_defaults(struct env *env, int devin_port)
{
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", devin_port);
    env_set(env, VIEW("DEVIN_API_KEY"), VIEW("apk_user_test_key"));
    env_set(env, VIEW("TARGET_REPO"), VIEW("https://github.com/org/repo"));
    env_set(env, VIEW("DEVIN_API_URL"), view_of(url));
    env_set(env, VIEW("DEVIN_RETRY_MS"), VIEW("20"));
}

/* "./file" is the one beside the case; any other value is as it stands. */
static struct view setting_value(struct view value, const char *case_path, struct arena *mem)
{
    const char *slash = strrchr(case_path, '/');
    struct text path = text_in(mem, 4096);
    if (!view_starts(value, VIEW("./")) || slash == NULL)
        return value;
    text_add(&path, (struct view){ case_path, (size_t)(slash - case_path) });
    text_add(&path, view_skip(value, 1));
    return text_view(&path);
}

static void apply_settings(const struct e2e_case *test, struct env *env)
{
    struct view lines = test->settings;
    struct view line;
    struct view name;
    struct view value;
    while (lines_next(&lines, &line)) {
        if (view_starts(line, VIEW("-")))
            env_unset(env, view_trim(view_skip(line, 1)));
        else if (lines_pair(line, '=', &name, &value))
            env_set(env, name, setting_value(value, test->path, env->mem));
    }
}

static const char *const secret_names[] = { "DEVIN_API_KEY", "WEBHOOK_SECRET",
                                            "WEBHOOK_SECRET_PREVIOUS" };

static bool keeps(const char *where, struct view text, struct view secret, struct text *why)
{
    if (secret.len < SHORTEST_SECRET || !view_contains(text, secret))
        return true;
    return differs(why, where, VIEW("no secret in it"), text);
}

/* Our own secrets, and those that are handed to sessions. */
static bool keeps_secrets(const char *where, struct view text, const struct env *env,
                          struct text *why)
{
    bool ok = true;
    struct view names = env_value(env, "DEVIN_SESSION_SECRETS");
    for (size_t i = 0; i < COUNT_OF(secret_names); i++)
        ok = keeps(where, text, env_value(env, secret_names[i]), why) && ok;
    while (names.len > 0) {
        struct view name;
        view_cut(names, ',', &name, &names);
        name = view_keep(view_trim(name), env->mem);
        ok = keeps(where, text, env_value(env, name.at), why) && ok;
    }
    return ok;
}

/* --- request and reply ------------------------------------------------------------------------ */

/* The host appends its own invocation id to one that a client sent. */
static struct view forwarded_headers(struct view headers, struct arena *mem)
{
    struct text text = text_in(mem, 1024 * 1024);
    struct text ids = text_in(mem, 4096);
    struct view line;
    struct view name;
    struct view value;
    while (lines_next(&headers, &line)) {
        if (lines_pair(line, ':', &name, &value)
            && view_equal_fold(name, VIEW("X-Azure-Functions-InvocationId"))) {
            text_add(&ids, value);
            text_add_string(&ids, ", ");
            continue;
        }
        text_add(&text, line);
        text_add_string(&text, "\r\n");
    }
    text_add_string(&text, "X-Azure-Functions-HostVersion: 4.1037.0.0\r\n"
                           "X-Azure-Functions-InvocationId: ");
    text_add(&text, text_view(&ids));
    text_add_string(&text, PLAYER_INVOCATION "\r\n");
    return text_view(&text);
}

/* As the client wrote it, chunked when its headers say so. */
static struct view forwarded(const struct e2e_case *test, struct arena *mem)
{
    struct text text = text_in(mem, PLAY_BYTES);
    const char *method = view_keep(test->method, mem).at;
    struct view headers = forwarded_headers(test->headers, mem);
    bool is_chunked = view_contains(test->headers, VIEW("Transfer-Encoding: chunked"));
    bool has_length = !is_chunked && (test->body.len > 0 || view_equal(test->method, VIEW("POST")));
    struct view body = { has_length && test->body.at == NULL ? "" : test->body.at, test->body.len };
    if (!has_length)
        body = (struct view){ 0 };
    text_add(&text, http_request(method, test->target, headers, body, mem));
    if (is_chunked)
        text_add(&text, envelope_chunks(test->body, mem));
    return text_view(&text);
}

static struct view enveloped(const struct e2e_case *test, bool is_chunked, struct arena *mem)
{
    struct envelope_request inner = { test->method, test->target, test->headers, test->body };
    struct view wrapped = envelope_wrap(&inner, mem);
    struct view no_body = { 0 };
    struct text headers = text_in(mem, 4096);
    struct text text = text_in(mem, PLAY_BYTES);
    text_add(&headers, forwarded_headers(no_body, mem));
    text_add_string(&headers, "Content-Type: application/json; charset=utf-8\r\n");
    if (is_chunked)
        text_add_string(&headers, "Transfer-Encoding: chunked\r\n");
    text_add(&text, http_request("POST", VIEW("/trigger-devin"), text_view(&headers),
                                 is_chunked ? no_body : wrapped, mem));
    if (is_chunked)
        text_add(&text, envelope_chunks(wrapped, mem));
    return text_view(&text);
}

/* An early answer may come before all is sent, so a failed send is no reason not to listen. */
static bool exchange(int port, struct view request, struct arena *mem, struct http_answer *out)
{
    int fd = http_connect(port, REPLY_PATIENCE_MS);
    if (fd < 0)
        return false;
    http_send(fd, request);
    bool is_head = view_starts(request, VIEW("HEAD "));
    bool ok = http_receive(fd, REPLY_PATIENCE_MS, is_head, mem, out);
    close(fd);
    return ok;
}

static bool send_and_receive(const struct e2e_case *test, enum protocol protocol, int port,
                             struct arena *mem, struct http_answer *out, struct text *why)
{
    struct view request = protocol == PROTOCOL_FORWARD
                              ? forwarded(test, mem)
                              : enveloped(test, protocol == PROTOCOL_CHUNKED_ENVELOPE, mem);
    struct http_answer answer = { 0 };
    for (long long i = 0; i < test->repeat; i++)
        if (!exchange(port, request, mem, &answer))
            return complain(why, "no answer, or one that is not HTTP", (struct view){ 0 });
    if (protocol != PROTOCOL_FORWARD)
        return envelope_unwrap(&answer, mem, out, why);
    *out = answer;
    return true;
}

static bool check_headers(struct view wanted, const struct http_answer *got, struct arena *mem,
                          struct text *why)
{
    struct view line;
    struct view name;
    struct view value;
    while (lines_next(&wanted, &line)) {
        if (!lines_pair(line, ':', &name, &value))
            continue;
        const char *key = view_keep(name, mem).at;
        struct view there = http_header(got, key);
        bool is_same = view_equal(value, VIEW("*")) ? there.len > 0 : view_equal(value, there);
        if (!is_same)
            return differs(why, key, value, there);
    }
    return true;
}

static bool check_reply(const struct e2e_case *test, const struct http_answer *got,
                        struct arena *mem, struct text *why)
{
    struct text status = text_in(mem, 16);
    struct text wanted = text_in(mem, 16);
    text_add_number(&status, got->status);
    text_add_number(&wanted, test->status);
    if (got->status != test->status) {
        differs(why, "reply status", text_view(&wanted), text_view(&status));
        return complain(why, "the reply was", got->body);
    }
    if (got->body.len > 0
        && !view_starts_fold(http_header(got, "Content-Type"), VIEW("application/json")))
        return differs(why, "Content-Type", VIEW("application/json"),
                       http_header(got, "Content-Type"));
    return check_headers(test->reply_headers, got, mem, why)
           && (view_trim(test->reply_body).len == 0
               || match_json("reply", test->reply_body, got->body, test->is_exact, mem, why));
}

/* --- Devin's side --------------------------------------------------------------------------- */

static bool look_at_calls(int devin_port, struct arena *mem, struct outcome *out, struct text *why)
{
    if (!control_calls(devin_port, mem, &out->calls))
        return complain(why, "the Devin stand-in does not tell its calls", (struct view){ 0 });
    const struct cJSON *call = control_next_create(json_first(out->calls.root));
    for (; call != NULL; call = control_next_create(json_next(call))) {
        out->last_create = call;
        out->create_count++;
    }
    return true;
}

static bool are_same_bytes(const struct outcome *got, struct text *why)
{
    struct view last = json_text(json_at(got->last_create, "body"));
    const struct cJSON *call = control_next_create(json_first(got->calls.root));
    for (; call != NULL; call = control_next_create(json_next(call)))
        if (!view_equal(json_text(json_at(call, "body")), last))
            return differs(why, "same-bytes", last, json_text(json_at(call, "body")));
    return true;
}

static bool check_calls(const struct e2e_case *test, const struct outcome *got, struct arena *mem,
                        struct text *why)
{
    struct text count = text_in(mem, 32);
    struct text wanted = text_in(mem, 32);
    text_add_number(&count, got->create_count);
    text_add_number(&wanted, test->call_count);
    if (test->has_calls && got->create_count != test->call_count)
        return differs(why, "calls", text_view(&wanted), text_view(&count));
    if (test->same_bytes && !are_same_bytes(got, why))
        return false;
    return test->call_body.len == 0
           || match_json("call", test->call_body, json_text(json_at(got->last_create, "body")),
                         test->is_call_exact, mem, why);
}

/* A line that ends in `*` wants what stands before it. */
static bool is_line_wanted(struct view wanted, struct view line)
{
    if (wanted.len == 0 || wanted.at[wanted.len - 1] != '*')
        return view_equal(wanted, line);
    return view_starts(line, (struct view){ wanted.at, wanted.len - 1 });
}

static bool check_asked(const struct e2e_case *test, const struct outcome *got, struct arena *mem,
                        struct text *why)
{
    struct text lines = text_in(mem, PLAY_BYTES);
    struct view wanted = test->asked;
    struct view line = { 0 };
    bool ok = true;
    if (test->asked.at == NULL)
        return true;
    for (const struct cJSON *call = json_first(got->calls.root); call != NULL;
         call = json_next(call)) {
        struct view query = json_text(json_at(call, "query"));
        size_t start = lines.len;
        text_add(&lines, json_text(json_at(call, "method")));
        text_add_char(&lines, ' ');
        text_add(&lines, json_text(json_at(call, "path")));
        text_add_string(&lines, query.len > 0 ? "?" : "");
        text_add(&lines, query);
        ok = ok && lines_next(&wanted, &line)
             && is_line_wanted(line, view_skip(text_view(&lines), start));
        text_add_char(&lines, '\n');
    }
    return (ok && wanted.len == 0) || differs(why, "asked", test->asked, text_view(&lines));
}

static struct view without_end(struct view text)
{
    while (text.len > 0 && text.at[text.len - 1] == '\n')
        text.len--;
    return text;
}

static bool check_prompt(const struct e2e_case *test, const struct outcome *got, struct arena *mem,
                         struct text *why)
{
    struct json body = { 0 };
    struct failure failure = { 0 };
    if (!test->has_prompt && test->prompt_has.at == NULL && test->prompt_lacks.at == NULL)
        return true;
    if (got->last_create == NULL
        || !json_read(json_text(json_at(got->last_create, "body")), mem, &body, &failure))
        return complain(why, "Devin got no prompt", (struct view){ 0 });
    struct view prompt = json_text(json_at(body.root, "prompt"));
    bool ok = (!test->has_prompt
               || match_text("prompt", without_end(test->prompt), without_end(prompt), why))
              && match_has("prompt", test->prompt_has, prompt, why)
              && match_lacks("prompt", test->prompt_lacks, prompt, why);
    json_free(&body);
    return ok;
}

/* --- log -------------------------------------------------------------------------------------- */

bool player_log_is_sound(struct view out, struct arena *mem, struct text *why)
{
    static const char *const members[] = { "time", "level", "event" };
    struct view line;
    while (lines_next(&out, &line)) {
        struct json json = { 0 };
        struct failure failure = { 0 };
        bool ok = json_read(line, mem, &json, &failure);
        for (size_t i = 0; ok && i < COUNT_OF(members); i++)
            ok = json_text(json_at(json.root, members[i])).len > 0;
        json_free(&json);
        if (!ok)
            return differs(why, "stdout", VIEW("JSON lines with time, level, event"), line);
    }
    return true;
}

static bool check_words(const struct e2e_case *test, const struct outcome *got,
                        const struct env *env, struct arena *mem, struct text *why)
{
    return player_log_is_sound(got->out, mem, why) && match_has("log", test->log_has, got->out, why)
           && match_lacks("log", test->log_lacks, got->out, why)
           && match_has("stderr", test->stderr_has, got->err, why)
           && keeps_secrets("reply", got->reply.body, env, why)
           && keeps_secrets("reply headers", got->reply.head, env, why)
           && keeps_secrets("stdout", got->out, env, why)
           && keeps_secrets("stderr", got->err, env, why);
}

static bool check_time(const struct e2e_case *test, const struct outcome *got, struct arena *mem,
                       struct text *why)
{
    struct text took = text_in(mem, 32);
    text_add_number(&took, got->took_ms);
    if (test->least_ms > 0 && got->took_ms < test->least_ms)
        return differs(why, "took-at-least", test->least_text, text_view(&took));
    if (test->most_ms > 0 && got->took_ms > test->most_ms)
        return differs(why, "took-at-most", test->most_text, text_view(&took));
    return true;
}

/* --- the play ------------------------------------------------------------------------------- */

static bool check_all(const struct e2e_case *test, const struct outcome *got, const struct env *env,
                      struct arena *mem, struct text *why)
{
    bool is_as_wanted = check_reply(test, &got->reply, mem, why);
    is_as_wanted = check_calls(test, got, mem, why) && is_as_wanted;
    is_as_wanted = check_asked(test, got, mem, why) && is_as_wanted;
    is_as_wanted = check_prompt(test, got, mem, why) && is_as_wanted;
    is_as_wanted = check_time(test, got, mem, why) && is_as_wanted;
    return check_words(test, got, env, mem, why) && is_as_wanted;
}

static bool play_request(const struct site *site, int devin_port, const struct e2e_case *test,
                         enum protocol protocol, struct env *env, struct text *why)
{
    struct program handler = { 0 };
    struct outcome got = { 0 };
    if (!control_reset(devin_port)
        || (test->devin.len > 0 && !control_faults(devin_port, test->devin))
        || (test->options.len > 0 && !control_options(devin_port, test->options)))
        return complain(why, "the Devin stand-in does not take its script", test->devin);
    if (!program_start_handler(site, env, &handler, why))
        return false;
    long long start_ms = process_now_ms();
    bool ok = send_and_receive(test, protocol, handler.port, env->mem, &got.reply, why);
    got.took_ms = process_now_ms() - start_ms;
    ok = program_end(&handler, SIGTERM, END_PATIENCE_MS, why) && ok;
    got.out = program_out(&handler, env->mem);
    got.err = program_err(&handler, env->mem);
    program_forget(&handler);
    ok = look_at_calls(devin_port, env->mem, &got, why) && ok
         && check_all(test, &got, env, env->mem, why);
    json_free(&got.calls);
    return ok;
}

static size_t split_words(struct view text, const char **out, size_t room, struct arena *mem)
{
    size_t count = 0;
    struct view word;
    text = view_trim(text);
    while (text.len > 0 && count + 1 < room) {
        if (!view_cut(text, ' ', &word, &text))
            text = (struct view){ 0 };
        out[count++] = view_keep(word, mem).at;
    }
    out[count] = NULL;
    return count;
}

/* A command has ten seconds; its exit code is part of what is wanted. */
static bool play_command(const struct site *site, const struct e2e_case *test, struct env *env,
                         struct text *why)
{
    const char *argv[16] = { site->handler };
    struct program program = { 0 };
    struct program_plan plan = { .argv = argv, .env = env, .is_heard = true };
    struct text ignored = text_in(env->mem, 64 * 1024);
    split_words(test->command, argv + 1, COUNT_OF(argv) - 1, env->mem);
    if (!program_start(&plan, &program, why))
        return complain(why, "the handler cannot be started", (struct view){ 0 });
    program_end(&program, 0, 10000, &ignored);
    struct outcome got = { .out = program_out(&program, env->mem),
                           .err = program_err(&program, env->mem) };
    program_forget(&program);
    int status = program.process.status;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != test->exit_code) {
        complain(why, "it ended otherwise", text_view(&ignored));
        return complain(why, "its stdout", got.out);
    }
    return match_has("stdout", test->out_has, got.out, why)
           && match_lacks("stdout", test->out_lacks, got.out, why)
           && match_has("stderr", test->stderr_has, got.err, why)
           && keeps_secrets("stdout", got.out, env, why)
           && keeps_secrets("stderr", got.err, env, why);
}

bool player_play(const struct site *site, int devin_port, const struct e2e_case *test,
                 enum protocol protocol, struct text *why)
{
    struct arena mem;
    arena_init(&mem, PLAY_BYTES);
    struct env env = env_basics(&mem);
    player_defaults(&env, devin_port);
    apply_settings(test, &env);
    bool ok = test->command.at != NULL ? play_command(site, test, &env, why)
                                       : play_request(site, devin_port, test, protocol, &env, why);
    arena_drop(&mem);
    return ok;
}
