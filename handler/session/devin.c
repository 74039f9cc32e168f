/*
 * Repeating is safe here because a v1 create carries `idempotent`: equal bytes give the session
 * that exists.  So connect failures, time-outs, broken answers, 408 and 5xx are repeated like 429.
 */
#include "session/devin.h"

#include "base/arena.h"
#include "base/json.h"

/* A try shorter than this is not worth a wait. */
enum {
    SHORTEST_TRY_MS = 1000,
    MAX_ID_BYTES = 256,
    MAX_URL_BYTES = 1024,
    NO_LIMIT = 64 * 1024 * 1024
};

#define APP_URL "https://app.devin.ai/sessions/"

/* The members of our request, the only names a refusal may quote. */
static const char *const request_fields[] = { "prompt", "idempotent", "title", "playbook_id" };

bool devin_begin(struct devin *devin, const struct devin_settings *settings,
                 const struct devin_request *request, struct arena *mem, struct failure *why)
{
    struct text body = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &body };
    text_reserve(&body,
                 request->prompt.len + request->prompt.len / 8 + 512); /* escapes and the rest */
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "prompt", request->prompt);
    json_put_bool(&writer, "idempotent", true);
    json_put_text(&writer, "title", request->title);
    if (request->playbook_id.len > 0)
        json_put_text(&writer, "playbook_id", request->playbook_id);
    json_close(&writer, '}');
    *devin = (struct devin){
        .settings = settings,
        .call = { .method = "POST", .path = "/v1/sessions", .body = text_view(&body) },
    };
    return (text_ok(&body) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left for the request to Devin");
}

/* --- reading answers -------------------------------------------------------------------------- */

/* Ids and URLs go into our reply and the log: printable ASCII without blanks, and not endless. */
static bool is_plain(struct view text, size_t max_bytes)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len > 0 && text.len <= max_bytes;
}

static bool is_hex(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* The web page of a session: 32-hex ids stand there without their "devin-", others as they are. */
static struct view page_of(struct view id, struct arena *mem)
{
    struct view bare = view_starts(id, VIEW("devin-")) ? view_skip(id, 6) : id;
    struct text url = text_in(mem, MAX_URL_BYTES);
    text_add_string(&url, APP_URL);
    text_add(&url, bare.len == 32 && is_hex(bare) ? bare : id);
    return text_view(&url);
}

static bool read_session(const struct cJSON *body, struct arena *mem, struct session *out)
{
    struct view id = json_text(json_at(body, "session_id"));
    struct view url = json_text(json_at(body, "url"));
    const struct cJSON *is_new = json_at(body, "is_new_session");
    if (!is_plain(id, MAX_ID_BYTES))
        return false;
    bool is_link = (view_starts(url, VIEW("https://")) || view_starts(url, VIEW("http://")))
                   && is_plain(url, MAX_URL_BYTES);
    out->id = view_keep(id, mem);
    out->url = is_link ? view_keep(url, mem) : page_of(id, mem);
    out->is_new = json_kind(is_new) != JSON_BOOL || json_is_true(is_new);
    return out->id.at != NULL && out->url.at != NULL;
}

static bool names_field(const struct cJSON *errors, const char *field)
{
    for (const struct cJSON *error = json_first(errors); error != NULL; error = json_next(error))
        for (const struct cJSON *at = json_first(json_at(error, "loc")); at != NULL;
             at = json_next(at))
            if (view_equal(json_text(at), view_of(field)))
                return true;
    return false;
}

/* FastAPI lists them as detail[].loc, RFC 9457 answers as errors[].loc. */
static void fail_rejected(const struct cJSON *body, struct failure *why)
{
    char words[160];
    struct text reason = text_over(words, sizeof words);
    text_add_string(&reason, "Devin API rejected the request");
    size_t named = 0;
    for (size_t i = 0; i < COUNT_OF(request_fields); i++)
        if (names_field(json_at(body, "detail"), request_fields[i])
            || names_field(json_at(body, "errors"), request_fields[i])) {
            text_add_string(&reason, named++ == 0 ? ": " : ", ");
            text_add_string(&reason, request_fields[i]);
        }
    fail_because(why, FAIL_DEVIN_REJECTED, text_view(&reason));
}

static void fail_status(int status, const struct cJSON *body, struct failure *why)
{
    if (status == 400 || status == 422)
        fail_rejected(body, why);
    else if (status == 401 || status == 403)
        fail(why, FAIL_DEVIN_KEY, "Devin answered %d", status);
    else if (status == 429)
        fail(why, FAIL_DEVIN_BUSY, "Devin answered 429");
    else if (status == 408 || status >= 500)
        fail(why, FAIL_DEVIN_OUTAGE, "Devin answered %d", status);
    else if (status == 404 || (status >= 300 && status < 400))
        fail(why, FAIL_DEVIN_WRONG_URL, "Devin answered %d", status);
    else
        fail(why, FAIL_DEVIN_REJECTED, "Devin answered %d", status);
}

/* True when the answer holds a session; else `why` names what it is instead. */
static bool read_answer(const struct answer *answer, struct arena *mem, struct session *out,
                        struct failure *why)
{
    struct json json = { 0 };
    struct failure not_json = { 0 };
    if (answer->kind != ANSWER_HTTP)
        return fail(why, FAIL_DEVIN_UNREACHABLE, "%s",
                    answer->error == NULL ? "no answer" : answer->error);
    if (!json_read(answer->body, mem, &json, &not_json))
        json = (struct json){ 0 };
    bool is_success = answer->status >= 200 && answer->status < 300;
    bool has_session = is_success && read_session(json.root, mem, out);
    if (is_success && !has_session)
        fail(why, FAIL_DEVIN_UNCLEAR, "Devin answered %d without a usable session_id",
             answer->status);
    else if (!is_success)
        fail_status(answer->status, json.root, why);
    json_free(&json);
    if (!arena_ok(mem) || not_json.kind == FAIL_INTERNAL)
        return fail(why, FAIL_INTERNAL, "no memory left to read Devin's answer");
    return has_session;
}

/* --- deciding --------------------------------------------------------------------------------- */

/* 1, 2, 4, ... times the first wait; doubling stops where it could no longer matter. */
static long long backoff_ms(const struct devin *devin)
{
    long long wait = devin->settings->retry_ms;
    for (int i = 1; i < devin->tries && wait < 600000; i++)
        wait *= 2;
    return wait;
}

/*
 * Half of the time left, so that a silent server leaves room for another try; all of it for the
 * last try, and where half would leave no room for the wait and a try behind it.
 */
static struct devin_next send_now(struct devin *devin, long long left_ms)
{
    devin->tries++;
    bool is_last =
        devin->tries >= devin->settings->tries || left_ms / 2 - backoff_ms(devin) < SHORTEST_TRY_MS;
    return (struct devin_next){ DEVIN_SEND, is_last ? left_ms : left_ms / 2 };
}

/* Retry-After wins over the backoff, but never waits so long that no try fits behind it. */
static struct devin_next wait_or_give_up(const struct devin *devin, const struct answer *answer,
                                         long long left_ms)
{
    const struct devin_next give_up = { DEVIN_FAILED, 0 };
    long long room_ms = left_ms - SHORTEST_TRY_MS;
    long long wait_ms = backoff_ms(devin);
    if (answer->retry_after_ms > wait_ms)
        wait_ms = answer->retry_after_ms < room_ms ? answer->retry_after_ms : room_ms;
    if (devin->tries >= devin->settings->tries || wait_ms > room_ms || room_ms <= 0)
        return give_up;
    return (struct devin_next){ DEVIN_WAIT, wait_ms };
}

struct devin_next devin_step(struct devin *devin, const struct answer *last, long long left_ms,
                             struct arena *mem, struct failure *why)
{
    if (last == NULL && left_ms > 0)
        return send_now(devin, left_ms);
    if (last == NULL) {
        fail(why, FAIL_DEVIN_UNREACHABLE, "no time was left to call Devin");
        return (struct devin_next){ DEVIN_FAILED, 0 };
    }
    struct failure reason = { 0 };
    if (read_answer(last, mem, &devin->session, &reason))
        return (struct devin_next){ DEVIN_DONE, 0 };
    struct devin_next next = { DEVIN_FAILED, 0 };
    if (failure_row(reason.kind)->is_passing)
        next = wait_or_give_up(devin, last, left_ms);
    if (next.move == DEVIN_FAILED)
        *why = reason;
    return next;
}
