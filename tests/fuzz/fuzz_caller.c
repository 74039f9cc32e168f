/* Who may call.  An input is a target ("/path?query") and header lines, each ended by a line feed. */
#include "edge/caller.h"
#include "edge/invocation.h"
#include "fuzz/fuzz.h"

enum { MOST_HEADERS = 64 };

/* Stands in the seeds; and one that stands nowhere and cannot be found from its hash. */
#define KNOWN   "kPq7-correct-secret"
#define UNKNOWN "8Kq2vT0xWm5rYb7d"

static struct request request_of(struct view bytes, struct header *headers)
{
    struct request request = { .method = VIEW("POST"), .headers = headers };
    struct view line;
    view_cut(bytes, '\n', &line, &bytes);
    view_cut(line, '?', &request.path, &request.query);
    while (bytes.len > 0 && request.header_count < MOST_HEADERS) {
        struct header *header = &headers[request.header_count++];
        view_cut(bytes, '\n', &line, &bytes);
        view_cut(line, ':', &header->name, &header->value);
    }
    return request;
}

static bool is_let_in(struct view secret, struct view previous, const struct request *request,
                      size_t ceiling)
{
    const struct caller_settings settings = { secret, previous };
    struct failure why = { 0 };
    struct arena mem;
    arena_init(&mem, ceiling);
    bool ok = caller_check(&settings, request, &mem, &why);
    CLAIM(ok || why.kind == (arena_ok(&mem) ? FAIL_UNAUTHORIZED : FAIL_INTERNAL));
    arena_drop(&mem);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view known = VIEW(KNOWN);
    const struct view unknown = VIEW(UNKNOWN);
    const struct view none = { 0 };
    struct header headers[MOST_HEADERS];
    struct request request = request_of((struct view){ (const char *)bytes, size }, headers);
    (void)invocation_route(request.method, request.path);
    CLAIM(invocation_id(request_header(&request, "X-Azure-Functions-InvocationId")).len <= 64);

    CLAIM(is_let_in(none, none, &request, FUZZ_BYTES));
    CLAIM(!is_let_in(unknown, none, &request, FUZZ_BYTES));
    bool ok = is_let_in(known, none, &request, FUZZ_BYTES);
    CLAIM(is_let_in(unknown, known, &request, FUZZ_BYTES) == ok);
    CLAIM(ok || !is_let_in(known, none, &request, size));
    return 0;
}
