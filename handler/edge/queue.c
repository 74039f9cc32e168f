/*
 * Each call is one request on a kept connection.  Two things are worth a second one: a queue that is
 * missing, which is created, and a token that is refused, which is renewed.  On a kept connection
 * that turns out to be dead libcurl sends again by itself: a message may then stand there twice,
 * which the tag of its session makes harmless.
 */
#include "edge/queue.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/log.h"
#include "edge/clock.h"
#include "edge/credential.h"

#include <stdlib.h>

enum {
    MAX_BODY_BYTES = 80 * 1024,
    MAX_PATH_BYTES = 256,
    REMOVE_TIMEOUT_MS = 10000,
    REMOVE_TOKEN_TIMEOUT_MS = 2000,
    REMOVE_BYTES = 128 * 1024
};

struct queue {
    struct wire_loop *loop;
    const struct account *account;
    struct credential *credential; /* NULL: the account has a key */
};

const char *queue_name(enum store_queue where)
{
    static const char *const names[] = {
        [STORE_TRIAGE] = "triage", [STORE_POISON] = "triage-poison"
    };
    return names[where];
}

/* --- failures --------------------------------------------------------------------------------- */

/* The first row that fits; an empty code fits all, a status of 0 too. */
static const struct {
    int status;
    struct view code;
    const char *reason;
} refusals[] = {
    { 400, { "PopReceiptMismatch", 18 }, "The message was taken by another meanwhile" },
    { 404, { "MessageNotFound", 15 }, "The message is gone: it was settled meanwhile" },
    { 404, { "QueueNotFound", 13 }, "The queue does not exist" },
    { 404, { 0 }, "Storage knows no such account or queue: check AzureWebJobsStorage" },
    { 409, { 0 }, "The queue is being deleted: try again in a minute" },
    { 413, { 0 }, "Storage takes no message of this size" },
    { 429, { 0 }, "Storage is busy" },
    { 503, { 0 }, "Storage is busy" },
};

static const char *reason_of(const struct queue *queue, int status, struct view code)
{
    if (status == 401 || status == 403)
        return queue->credential == NULL ? "Storage refuses the key in AzureWebJobsStorage"
                                         : "Storage refuses the identity: give it the role Storage "
                                           "Queue Data Contributor";
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        if (refusals[i].status == status
            && (refusals[i].code.len == 0 || view_equal(refusals[i].code, code)))
            return refusals[i].reason;
    return status >= 500 ? "Storage outage" : "Storage rejected the request";
}

static bool fail_talk(const struct queue *queue, const struct answer *answer, struct failure *why)
{
    if (answer->kind != ANSWER_HTTP) {
        fail_because(why, FAIL_STORE_DOWN,
                     answer->kind == ANSWER_TIMEOUT ? VIEW("Storage did not answer in time")
                                                    : VIEW("Network error to Storage"));
        fail_detail(why, "%s", answer->error == NULL ? "" : answer->error);
        return false;
    }
    struct view code = queue_answer_code(answer->body);
    fail_because(why, FAIL_STORE_DOWN, view_of(reason_of(queue, answer->status, code)));
    fail_detail(why, "status %d", answer->status);
    return false;
}

static bool has(const struct answer *answer, int status, struct view code)
{
    return answer->kind == ANSWER_HTTP && answer->status == status
           && view_equal(queue_answer_code(answer->body), code);
}

static bool is_fine(const struct answer *answer)
{
    return answer->kind == ANSWER_HTTP && answer->status >= 200 && answer->status < 300;
}

/* --- talking ---------------------------------------------------------------------------------- */

static bool fetch_token(void *state, long long timeout_ms, struct arena *mem, struct token *out,
                        struct failure *why)
{
    const struct queue *queue = state;
    struct fetch fetch;
    struct fetched fetched = { 0 };
    if (!credential_write(queue->account, mem, &fetch))
        return fail(why, FAIL_INTERNAL, "no memory for a token");
    wire_fetch(queue->loop, &fetch, timeout_ms, mem, &fetched);
    const struct answer *answer = &fetched.answer;
    if (is_fine(answer) && credential_read(answer->body, clock_since_1970_s(), mem, out))
        return true;
    if (answer->kind == ANSWER_HTTP) {
        fail_because(why, FAIL_STORE_DOWN,
                     answer->status == 400
                         ? VIEW("The platform knows no such identity: check "
                                "AzureWebJobsStorage__clientId, or give the app an identity")
                         : VIEW("The identity endpoint gives no token"));
        fail_detail(why, "status %d", answer->status);
        return false;
    }
    fail_because(why, FAIL_STORE_DOWN, VIEW("The identity endpoint cannot be reached"));
    fail_detail(why, "%s", answer->error == NULL ? "" : answer->error);
    return false;
}

static bool write_request(struct queue *queue, const struct storage_request *request,
                          long long timeout_ms, struct arena *mem, struct view *token,
                          struct fetch *out, struct failure *why)
{
    long long now_s = clock_since_1970_s();
    *token = (struct view){ 0 };
    if (queue->credential != NULL
        && !credential_token(queue->credential, now_s, timeout_ms, mem, token, why))
        return false;
    return storage_write(queue->account, request, *token, now_s, mem, out)
           || fail(why, FAIL_INTERNAL, "no memory for a request to Storage");
}

/* Until there is an answer, whatever it says; a refused token is renewed once. */
static bool talk(struct queue *queue, const struct storage_request *request, long long until_ms,
                 struct arena *mem, struct fetched *out, struct failure *why)
{
    for (int tries = 1;; tries++) {
        struct fetch fetch;
        struct view token;
        long long left_ms = until_ms - clock_now_ms();
        if (left_ms <= 0)
            return fail_because(why, FAIL_STORE_DOWN, VIEW("Storage did not answer in time"));
        if (!write_request(queue, request, left_ms, mem, &token, &fetch, why))
            return false;
        left_ms = until_ms - clock_now_ms();
        wire_fetch(queue->loop, &fetch, left_ms > 0 ? left_ms : 1, mem, out);
        bool is_refused = out->answer.kind == ANSWER_HTTP && out->answer.status == 401;
        if (!is_refused || queue->credential == NULL || tries > 1)
            return true;
        credential_forget(queue->credential, token);
    }
}

/* "/triage/messages/ID"; an empty id: all messages. */
static struct view path_of(enum store_queue where, bool has_messages, struct view id,
                           struct arena *mem)
{
    struct text path = text_in(mem, MAX_PATH_BYTES);
    text_add_char(&path, '/');
    text_add_string(&path, queue_name(where));
    text_add_string(&path, has_messages ? "/messages" : "");
    text_add_string(&path, id.len > 0 ? "/" : "");
    text_add(&path, id);
    return text_ok(&path) ? text_view(&path) : (struct view){ 0 };
}

static struct view number_of(long long number, struct arena *mem)
{
    struct text text = text_in(mem, 32);
    text_add_number(&text, number);
    return text_view(&text);
}

/* --- one message in, one message out ---------------------------------------------------------- */

static bool create(struct queue *queue, enum store_queue where, long long until_ms,
                   struct arena *mem, struct failure *why)
{
    struct fetched fetched = { 0 };
    const struct storage_request request = {
        .method = "PUT",
        .path = path_of(where, false, (struct view){ 0 }, mem),
    };
    return talk(queue, &request, until_ms, mem, &fetched, why)
           && (is_fine(&fetched.answer) || fail_talk(queue, &fetched.answer, why));
}

static struct view message_body(struct view message, struct arena *mem)
{
    struct text body = text_in(mem, MAX_BODY_BYTES);
    text_reserve(&body, message.len / 3 * 4 + 128);
    text_add_string(&body, "<QueueMessage><MessageText>");
    base64_add(&body, message);
    text_add_string(&body, "</MessageText></QueueMessage>");
    return text_ok(&body) ? text_view(&body) : (struct view){ 0 };
}

static bool put_again(struct queue *queue, const struct storage_request *request,
                      enum store_queue where, long long until_ms, struct arena *mem,
                      struct fetched *out, struct failure *why)
{
    return create(queue, where, until_ms, mem, why)
           && talk(queue, request, until_ms, mem, out, why);
}

static bool read_receipt(const struct answer *answer, struct arena *mem, struct receipt *out,
                         struct failure *why)
{
    struct queue_messages *messages = arena_get(mem, sizeof *messages);
    if (messages == NULL || !queue_answer_read(answer->body, mem, messages) || messages->count == 0
        || messages->items[0].pop.len == 0)
        return fail_because(why, FAIL_STORE_DOWN, VIEW("Storage answered without a receipt"));
    *out = (struct receipt){ .id = messages->items[0].id, .pop = messages->items[0].pop };
    return true;
}

bool queue_put(struct queue *queue, enum store_queue where, struct view message, long long hide_s,
               long long timeout_ms, struct arena *mem, struct receipt *out, struct failure *why)
{
    struct fetched fetched = { 0 };
    long long until_ms = clock_now_ms() + timeout_ms;
    const struct storage_parameter parameters[] = {
        { "messagettl", VIEW("-1") },
        { "visibilitytimeout", number_of(hide_s, mem) },
    };
    const struct storage_request request = {
        .method = "POST",
        .path = path_of(where, true, (struct view){ 0 }, mem),
        .parameters = parameters,
        .parameter_count = COUNT_OF(parameters),
        .body = message_body(message, mem),
    };
    if (request.body.len == 0)
        return fail_because(why, FAIL_STORE_DOWN, VIEW("The message is too large for Storage"));
    if (!talk(queue, &request, until_ms, mem, &fetched, why))
        return false;
    if (has(&fetched.answer, 404, VIEW("QueueNotFound"))
        && !put_again(queue, &request, where, until_ms, mem, &fetched, why))
        return false;
    return is_fine(&fetched.answer) ? read_receipt(&fetched.answer, mem, out, why)
                                    : fail_talk(queue, &fetched.answer, why);
}

/* `parameters` has room for one. */
static struct storage_request delete_of(enum store_queue where, const struct receipt *receipt,
                                        struct storage_parameter *parameters, struct arena *mem)
{
    parameters[0] = (struct storage_parameter){ "popreceipt", receipt->pop };
    return (struct storage_request){
        .method = "DELETE",
        .path = path_of(where, true, receipt->id, mem),
        .parameters = parameters,
        .parameter_count = 1,
    };
}

bool queue_delete(struct queue *queue, enum store_queue where, const struct receipt *receipt,
                  long long timeout_ms, struct arena *mem, struct failure *why)
{
    struct fetched fetched = { 0 };
    struct storage_parameter parameters[1];
    const struct storage_request request = delete_of(where, receipt, parameters, mem);
    return talk(queue, &request, clock_now_ms() + timeout_ms, mem, &fetched, why)
           && (is_fine(&fetched.answer) || has(&fetched.answer, 404, VIEW("MessageNotFound"))
               || fail_talk(queue, &fetched.answer, why));
}

bool queue_hide(struct queue *queue, enum store_queue where, const struct receipt *receipt,
                long long hide_s, long long timeout_ms, struct arena *mem, struct failure *why)
{
    struct fetched fetched = { 0 };
    const struct storage_parameter parameters[] = {
        { "popreceipt", receipt->pop },
        { "visibilitytimeout", number_of(hide_s, mem) },
    };
    const struct storage_request request = {
        .method = "PUT",
        .path = path_of(where, true, receipt->id, mem),
        .parameters = parameters,
        .parameter_count = COUNT_OF(parameters),
    };
    return talk(queue, &request, clock_now_ms() + timeout_ms, mem, &fetched, why)
           && (is_fine(&fetched.answer) || fail_talk(queue, &fetched.answer, why));
}

/* --- looking ---------------------------------------------------------------------------------- */

static bool list(struct queue *queue, enum store_queue where,
                 const struct storage_parameter *parameters, size_t count, long long timeout_ms,
                 struct arena *mem, struct queue_messages *out, struct failure *why)
{
    struct fetched fetched = { 0 };
    const struct storage_request request = {
        .method = "GET",
        .path = path_of(where, true, (struct view){ 0 }, mem),
        .parameters = parameters,
        .parameter_count = count,
    };
    out->count = 0;
    if (!talk(queue, &request, clock_now_ms() + timeout_ms, mem, &fetched, why))
        return false;
    if (has(&fetched.answer, 404, VIEW("QueueNotFound")))
        return true;
    if (!is_fine(&fetched.answer))
        return fail_talk(queue, &fetched.answer, why);
    return queue_answer_read(fetched.answer.body, mem, out)
           || fail_because(why, FAIL_STORE_DOWN, VIEW("Storage answered without a list"));
}

bool queue_peek(struct queue *queue, enum store_queue where, long long timeout_ms,
                struct arena *mem, struct queue_messages *out, struct failure *why)
{
    const struct storage_parameter parameters[] = {
        { "numofmessages", number_of(MAX_MESSAGES, mem) },
        { "peekonly", VIEW("true") },
    };
    return list(queue, where, parameters, COUNT_OF(parameters), timeout_ms, mem, out, why);
}

bool queue_take(struct queue *queue, enum store_queue where, long long hide_s, long long timeout_ms,
                struct arena *mem, struct queue_messages *out, struct failure *why)
{
    const struct storage_parameter parameters[] = {
        { "numofmessages", number_of(MAX_MESSAGES, mem) },
        { "visibilitytimeout", number_of(hide_s, mem) },
    };
    return list(queue, where, parameters, COUNT_OF(parameters), timeout_ms, mem, out, why);
}

bool queue_count(struct queue *queue, enum store_queue where, long long timeout_ms,
                 struct arena *mem, long long *out, struct failure *why)
{
    struct fetched fetched = { 0 };
    const struct storage_parameter parameters[] = { { "comp", VIEW("metadata") } };
    const struct storage_request request = {
        .method = "GET",
        .path = path_of(where, false, (struct view){ 0 }, mem),
        .parameters = parameters,
        .parameter_count = COUNT_OF(parameters),
        .asks_for = "x-ms-approximate-messages-count",
    };
    *out = 0;
    if (!talk(queue, &request, clock_now_ms() + timeout_ms, mem, &fetched, why))
        return false;
    if (has(&fetched.answer, 404, VIEW("QueueNotFound")))
        return true;
    if (!is_fine(&fetched.answer))
        return fail_talk(queue, &fetched.answer, why);
    return view_to_number(fetched.header, 0, 1000000000000, out)
           || fail_because(why, FAIL_STORE_DOWN, VIEW("Storage answered without a count"));
}

/* --- what the story needs --------------------------------------------------------------------- */

static bool store_put(void *state, enum store_queue where, struct view message, long long hide_s,
                      long long timeout_ms, struct arena *mem, struct receipt *out,
                      long long *spent_ms, struct failure *why)
{
    long long start_ms = clock_now_ms();
    bool is_put = queue_put(state, where, message, hide_s, timeout_ms, mem, out, why);
    *spent_ms = clock_now_ms() - start_ms;
    return is_put;
}

static void log_unremoved(const struct failure *why)
{
    struct log_line line;
    log_begin(&line, LOG_WARN, "left in the queue", (struct view){ 0 });
    log_text(&line, "why", view_of(why->reason));
    log_text(&line, "detail", view_of(why->detail));
    log_text(&line, "note", VIEW("it will come again, and its session be found by its tag"));
    log_end(&line);
}

static void removed(void *state, const struct fetched *fetched)
{
    const struct queue *queue = state;
    const struct answer *answer = &fetched->answer;
    struct failure why;
    if (is_fine(answer) || has(answer, 404, VIEW("MessageNotFound")))
        return;
    (void)fail_talk(queue, answer, &why);
    log_unremoved(&why);
}

static void store_remove(void *state, const struct receipt *receipt)
{
    struct queue *queue = state;
    struct storage_parameter parameters[1];
    struct arena mem;
    struct fetch fetch;
    struct view token;
    struct failure why;
    arena_init(&mem, REMOVE_BYTES);
    const struct storage_request request = delete_of(STORE_TRIAGE, receipt, parameters, &mem);
    if (write_request(queue, &request, REMOVE_TOKEN_TIMEOUT_MS, &mem, &token, &fetch, &why))
        wire_fetch_later(queue->loop, &fetch, REMOVE_TIMEOUT_MS, removed, queue);
    else
        log_unremoved(&why);
    arena_drop(&mem);
}

struct store queue_store(struct queue *queue)
{
    return (struct store){ .state = queue, .put = store_put, .remove = store_remove };
}

struct queue *queue_start(struct wire_loop *loop, const struct account *account)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return NULL;
    *queue = (struct queue){ .loop = loop, .account = account };
    if (account->key.len > 0)
        return queue;
    queue->credential =
        credential_start(&(const struct token_source){ .state = queue, .fetch = fetch_token });
    if (queue->credential != NULL)
        return queue;
    free(queue);
    return NULL;
}

void queue_stop(struct queue *queue)
{
    if (queue->credential != NULL)
        credential_stop(queue->credential);
    free(queue);
}
