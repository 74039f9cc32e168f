/*
 * Devin's answers.  An input is one answer, given to each call: two bytes of status, one byte that
 * says how the call ended and whether Retry-After came, one byte that says what is asked of which API,
 * and the body.
 */
#include "fuzz/fuzz.h"
#include "session/devin.h"
#include "triage.h"

enum { DEADLINE_MS = 30000, MOST_TRIES = 4, MOST_SENDS = 60, HEAD_BYTES = 4 };

static const struct devin_settings usual = {
    .retry = { .tries = MOST_TRIES, .first_ms = 1000 },
    .max_messages = 2,
};

static const struct alert alert = { .name = { "n", 1 } };

static const struct problem problems[] = {
    { .alert = &alert, .identity = { { "fp-1", 4 }, { "alert-1", 7 }, true, { 0 } } },
    { .alert = &alert, .identity = { { "fp-1", 4 }, { "alert-1", 7 }, false, { 0 } } },
};

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

static struct devin_settings settings_of(uint8_t choice)
{
    struct devin_settings settings = usual;
    settings.api.version = choice & 1 ? API_V3 : API_V1;
    settings.api.org = choice & 2 ? VIEW("org-1") : VIEW("");
    settings.on_refire = (choice >> 2) % 3;
    return settings;
}

static struct devin_request request_of(uint8_t choice)
{
    return (struct devin_request){
        .goal = choice & 16 ? GOAL_RESOLVE : GOAL_OPEN,
        .prompt = VIEW("p"),
        .title = VIEW("t"),
        .playbook = choice & 32 ? VIEW("b") : VIEW(""),
        .message = VIEW(DEVIN_MESSAGE_MARK "m"),
        .problem = &problems[choice >> 7],
        .has_identity = (choice & 64) != 0,
    };
}

/* Runs the machine to its end; true when it ends in what was asked for. */
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
        CLAIM(next.move == DEVIN_SEND || last != NULL);
        CLAIM(devin->call.path[0] == '/' && fuzz_is_clean(view_of(devin->call.path), false));
        last = next.move == DEVIN_SEND ? answer : NULL;
        left_ms -= next.move == DEVIN_SEND ? answer->elapsed_ms : next.ms;
        sends += next.move == DEVIN_SEND;
        CLAIM(sends <= MOST_SENDS && sends == devin->sends);
    }
}

static void claim_session(const struct session *session, struct arena *mem)
{
    CLAIM(session->id.len > 0 && fuzz_is_clean(session->id, false));
    CLAIM(view_starts(session->url, VIEW("https://"))
          || view_starts(session->url, VIEW("http://")));
    struct outcome outcome = { .problem = &problems[0], .session = *session };
    const struct report report = { .outcomes = &outcome, .count = 1 };
    struct reply reply = triage_reply(&report, mem);
    struct json json = fuzz_read_ours(reply.body, mem);
    CLAIM(reply.status == 200);
    CLAIM(view_equal(json_text(json_at(json.root, "sessionId")), session->id));
    CLAIM(view_equal(json_text(json_at(json.root, "sessionUrl")), session->url));
    json_free(&json);
}

static void claim_failure(const struct failure *why, struct arena *mem)
{
    static const struct report azure = { .is_azure = true };
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
    const struct devin_settings settings = settings_of(bytes[3]);
    const struct devin_request request = request_of(bytes[3]);
    const struct devin_known known = { 0 };
    const struct answer answer = answer_of(bytes, size);
    struct arena mem;
    struct devin devin = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    CLAIM(devin_begin(&devin, &settings, &request, &known, &mem, &why));
    bool is_done = exchange(&devin, &answer, &mem, &why);
    CLAIM(!is_done || devin.result != RESULT_NOTHING || request.goal == GOAL_RESOLVE);
    if (is_done && devin.result != RESULT_NOTHING)
        claim_session(&devin.session, &mem);
    if (!is_done)
        claim_failure(&why, &mem);
    arena_drop(&mem);
    return 0;
}
