/*
 * Devin's answers.  An input is one answer, given to each try: two bytes of status, one byte that
 * says how the call ended and whether Retry-After came, and the body.
 */
#include "fuzz/fuzz.h"
#include "session/devin.h"
#include "triage.h"

enum { DEADLINE_MS = 30000, MOST_TRIES = 4, HEAD_BYTES = 3 };

static const struct devin_settings settings = { .tries = MOST_TRIES, .retry_ms = 1000 };

static struct answer answer_of(const uint8_t *bytes, size_t size)
{
    static const enum answer_kind kinds[] = { ANSWER_HTTP,   ANSWER_HTTP,          ANSWER_HTTP,
                                              ANSWER_HTTP,   ANSWER_NOT_CONNECTED, ANSWER_TIMEOUT,
                                              ANSWER_BROKEN, ANSWER_HTTP };
    return (struct answer){
        .kind = kinds[bytes[2] % COUNT_OF(kinds)],
        .status = (bytes[0] << 8 | bytes[1]) % 1000,
        .body = { (const char *)bytes + HEAD_BYTES, size - HEAD_BYTES },
        .retry_after_ms = (bytes[2] / 8) * 1000LL,
        .elapsed_ms = 100,
    };
}

/* Runs the machine to its end; true when it ends in a session. */
static bool exchange(struct devin *devin, const struct answer *answer, struct arena *mem,
                     struct failure *why)
{
    const struct answer *last = NULL;
    long long left_ms = DEADLINE_MS;
    int sends = 0;
    for (;;) {
        struct devin_next next = devin_step(devin, last, left_ms, mem, why);
        if (next.move == DEVIN_DONE || next.move == DEVIN_FAILED)
            return next.move == DEVIN_DONE;
        CLAIM(next.ms > 0 && next.ms <= left_ms);
        CLAIM(next.move == (last == NULL ? DEVIN_SEND : DEVIN_WAIT));
        last = next.move == DEVIN_SEND ? answer : NULL;
        left_ms -= next.move == DEVIN_SEND ? answer->elapsed_ms : next.ms;
        sends += next.move == DEVIN_SEND;
        CLAIM(sends <= MOST_TRIES && sends == devin->tries);
    }
}

static void claim_session(const struct session *session, struct arena *mem)
{
    CLAIM(session->id.len > 0 && fuzz_is_clean(session->id, false));
    CLAIM(view_starts(session->url, VIEW("https://"))
          || view_starts(session->url, VIEW("http://")));
    const struct outcome outcome = { .session = *session };
    struct reply reply = triage_reply(&outcome, mem);
    struct json json = fuzz_read_ours(reply.body, mem);
    CLAIM(reply.status == 200);
    CLAIM(view_equal(json_text(json_at(json.root, "sessionId")), session->id));
    CLAIM(view_equal(json_text(json_at(json.root, "sessionUrl")), session->url));
    json_free(&json);
}

static void claim_failure(const struct failure *why, struct arena *mem)
{
    static const struct outcome azure = { .is_azure = true };
    struct reply reply = triage_reply_failure(why, NULL, mem);
    struct json json = fuzz_read_ours(reply.body, mem);
    CLAIM(reply.status == 500);
    CLAIM(why->kind != FAIL_INTERNAL);
    CLAIM(json_text(json_at(json.root, "details")).len > 0);
    json_free(&json);
    reply = triage_reply_failure(why, &azure, mem);
    CLAIM(reply.status == (reply.retry_after_s > 0 ? 503 : 500));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < HEAD_BYTES)
        return 0;
    const struct devin_request request = { .prompt = VIEW("p"), .title = VIEW("t") };
    const struct answer answer = answer_of(bytes, size);
    struct arena mem;
    struct devin devin = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    CLAIM(devin_begin(&devin, &settings, &request, &mem, &why));
    if (exchange(&devin, &answer, &mem, &why))
        claim_session(&devin.session, &mem);
    else
        claim_failure(&why, &mem);
    arena_drop(&mem);
    return 0;
}
