/* A sender's body: read, shown as prompt and title, and packed into the request to Devin. */
#include "alert/source.h"
#include "fuzz/fuzz.h"
#include "session/devin.h"
#include "session/prompt.h"
#include "triage.h"

static const struct prompt_settings prompt_settings = {
    .target_repo = { "https://github.com/org/repo", 27 },
    .jira_project = { "OPS", 3 },
};
static const struct devin_settings devin_settings = { .tries = 3, .retry_ms = 1 };

/* All that an alert comes to. */
struct story {
    struct view prompt, title, body;
};

static bool tell(struct view bytes, struct arena *mem, struct alert *alert, struct story *out,
                 struct failure *why)
{
    struct devin devin = { 0 };
    if (!alert_read(bytes, mem, alert, why)
        || !prompt_render(alert, &prompt_settings, mem, &out->prompt, why)
        || !prompt_title(alert, mem, &out->title, why))
        return false;
    struct devin_request request = { .prompt = out->prompt, .title = out->title };
    if (!devin_begin(&devin, &devin_settings, &request, mem, why))
        return false;
    out->body = devin.call.body;
    return true;
}

static void claim_pairs(const struct pairs *pairs, size_t limit)
{
    CLAIM(pairs->count <= limit);
    for (size_t i = 0; i < pairs->count; i++) {
        CLAIM(fuzz_is_utf8(pairs->at[i].key));
        CLAIM(pairs->at[i].key.len <= MAX_KEY_BYTES);
        CLAIM(fuzz_is_utf8(pairs->at[i].value));
    }
}

static void claim_alert(const struct alert *alert)
{
    CLAIM(alert->from != NULL);
    CLAIM(!alert->has_severity || (alert->severity >= 0 && alert->severity <= 4));
    CLAIM(alert->line >= 0);
    CLAIM(fuzz_is_utf8(alert->name));
    CLAIM(fuzz_is_utf8(alert->description));
    CLAIM(fuzz_is_utf8(alert->logs));
    CLAIM(alert->source.len > 0);
    claim_pairs(&alert->dimensions, MAX_DIMENSIONS);
    claim_pairs(&alert->custom, MAX_CUSTOM_FIELDS);
    claim_pairs(&alert->links, MAX_LINKS);
    claim_pairs(&alert->conditions, MAX_CONDITIONS);
    claim_pairs(&alert->notes, MAX_NOTES);
}

static void claim_story(const struct story *story, struct arena *mem)
{
    CLAIM(fuzz_is_clean(story->prompt, true));
    CLAIM(view_contains(story->prompt, VIEW("\n## Your Tasks\n")));
    CLAIM(fuzz_is_clean(story->title, false));
    CLAIM(story->title.len <= 200);
    struct json json = fuzz_read_ours(story->body, mem);
    CLAIM(view_equal(json_text(json_at(json.root, "prompt")), story->prompt));
    CLAIM(view_equal(json_text(json_at(json.root, "title")), story->title));
    json_free(&json);
}

static void claim_refusal(const struct failure *why, struct arena *mem)
{
    struct reply reply = triage_reply_failure(why, NULL, mem);
    CLAIM(reply.status == 400);
    struct json json = fuzz_read_ours(reply.body, mem);
    CLAIM(json_text(json_at(json.root, "error")).len > 0);
    json_free(&json);
}

/* The same with less memory ends in the same bytes or in no more than an internal error. */
static void claim_frugal(struct view bytes, size_t ceiling, const struct story *wanted)
{
    struct arena mem;
    struct alert alert = { 0 };
    struct story story = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, ceiling);
    if (tell(bytes, &mem, &alert, &story, &why))
        CLAIM(view_equal(story.body, wanted->body));
    else
        CLAIM(why.kind == FAIL_INTERNAL);
    arena_drop(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view body = { (const char *)bytes, size };
    struct arena mem;
    struct alert alert = { 0 };
    struct story story = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    if (tell(body, &mem, &alert, &story, &why)) {
        size_t used = mem.used;
        claim_alert(&alert);
        claim_story(&story, &mem);
        claim_frugal(body, used, &story);
        claim_frugal(body, used * (body.at[size / 2] & 0xFF) / 256, &story);
    } else {
        claim_refusal(&why, &mem);
    }
    arena_drop(&mem);
    return 0;
}
