/* The Functions host's envelope, in and out. */
#include "edge/invocation.h"
#include "fuzz/fuzz.h"

static void claim_answer(struct view body, struct view log_line, struct arena *mem)
{
    const struct reply reply = { .status = 503, .body = body, .retry_after_s = 10 };
    struct json json = fuzz_read_ours(invocation_close(&reply, log_line, mem), mem);
    CLAIM(json_kind(json_at(json.root, "ReturnValue")) == JSON_NULL);
    CLAIM(json_kind(json_at(json.root, "Logs")) == JSON_LIST);
    const struct cJSON *res = json_at(json.root, "Outputs.res");
    CLAIM(json_kind(json_at(res, "statusCode")) == JSON_NUMBER);
    CLAIM(!fuzz_is_utf8(body) || view_contains(body, VIEW("\0"))
          || view_equal(json_text(json_at(res, "body")), body));
    json_free(&json);
}

static void claim_request(const struct request *request, struct arena *mem)
{
    CLAIM(request->method.at != NULL && request->path.at != NULL && request->query.at != NULL
          && request->body.at != NULL);
    CLAIM(fuzz_is_utf8(request->method) && fuzz_is_utf8(request->path));
    for (size_t i = 0; i < request->header_count; i++)
        CLAIM(request->headers[i].name.at != NULL && request->headers[i].value.at != NULL);
    struct view id = invocation_id(request_header(request, "X-Azure-Functions-InvocationId"));
    CLAIM(id.len <= 64 && fuzz_is_clean(id, false));
    (void)invocation_route(request->method, request->path);
    claim_answer(request->body, request->path, mem);
}

/* With less memory it is the same request or an internal error, never a refusal of the envelope. */
static void claim_frugal(struct view bytes, size_t ceiling, const struct request *wanted)
{
    struct arena mem;
    struct request request = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, ceiling);
    if (invocation_open(bytes, &mem, &request, &why))
        CLAIM(view_equal(request.body, wanted->body)
              && request.header_count == wanted->header_count);
    else
        CLAIM(why.kind == FAIL_INTERNAL);
    arena_drop(&mem);
}

/* The same bytes as a queue trigger's. */
static void claim_retry(struct view envelope, struct arena *mem)
{
    struct request request = { 0 };
    struct failure why = { 0 };
    if (!invocation_open_retry(envelope, mem, &request, &why)) {
        CLAIM(why.kind == FAIL_BAD_ENVELOPE && !request.is_retry);
        return;
    }
    CLAIM(request.is_retry && request.dequeue_count >= 0 && request.body.at != NULL);
    struct json json = fuzz_read_ours(invocation_close_retry(request.body, mem), mem);
    CLAIM(json_kind(json_at(json.root, "Outputs")) == JSON_OBJECT);
    json_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view envelope = { (const char *)bytes, size };
    struct arena mem;
    struct request request = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    if (invocation_open(envelope, &mem, &request, &why)) {
        size_t used = mem.used;
        claim_request(&request, &mem);
        claim_frugal(envelope, used, &request);
        claim_frugal(envelope, used * (envelope.at[size / 2] & 0xFF) / 256, &request);
    } else {
        CLAIM(why.kind == FAIL_BAD_ENVELOPE);
    }
    claim_retry(envelope, &mem);
    claim_answer(envelope, envelope, &mem);
    arena_drop(&mem);
    return 0;
}
