/* A stored alert, as a queue gives it back; and whatever that becomes when it is stored again. */
#include "alert/stored.h"
#include "fuzz/fuzz.h"
#include "session/prompt.h"

static const struct prompt_settings settings = { .target_repo = { "https://github.com/org/repo",
                                                                  27 } };

static struct view write(const struct stored *stored, struct arena *mem)
{
    struct view message = { 0 };
    struct failure why = { 0 };
    CLAIM(stored_write(stored, mem, &message, &why));
    CLAIM(message.len <= MAX_STORED_BYTES);
    struct json json = fuzz_read_ours(message, mem);
    json_free(&json);
    return message;
}

static struct view prompt_of(const struct stored *stored, struct arena *mem)
{
    struct view prompt = { 0 };
    struct failure why = { 0 };
    CLAIM(prompt_render(&stored->problem, &settings, mem, &prompt, &why));
    return prompt;
}

/* What is stored once is stored for good, with a reason or without. */
static void claim_lasting(const struct stored *stored, struct arena *mem)
{
    struct stored again;
    struct stored poisoned;
    struct failure why = { 0 };
    struct view message = write(stored, mem);
    CLAIM(stored_read(message, mem, &again, &why));
    CLAIM(view_equal(write(&again, mem), message));
    struct stored given_up = again;
    given_up.reason = VIEW("Devin API rejected the request: \"prompt\"");
    CLAIM(stored_read(write(&given_up, mem), mem, &poisoned, &why));
    CLAIM(view_equal(prompt_of(&poisoned, mem), prompt_of(&again, mem)));
}

static void claim_frugal(struct view bytes, size_t ceiling)
{
    struct arena mem;
    struct stored stored;
    struct failure why = { 0 };
    arena_init(&mem, ceiling);
    CLAIM(stored_read(bytes, &mem, &stored, &why) || why.kind == FAIL_INTERNAL);
    arena_drop(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view message = { (const char *)bytes, size };
    struct arena mem;
    struct stored stored;
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    if (stored_read(message, &mem, &stored, &why)) {
        size_t used = mem.used;
        CLAIM(stored.problem.alert->name.len > 0 && stored.first_seen_s >= 0);
        claim_lasting(&stored, &mem);
        claim_frugal(message, used);
        claim_frugal(message, used / 2);
    } else {
        CLAIM(why.kind == FAIL_STORED_BROKEN);
    }
    arena_drop(&mem);
    return 0;
}
