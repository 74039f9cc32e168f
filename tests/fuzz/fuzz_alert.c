/* A sender's body: read, shown as prompt and title, and packed into the request to Devin. */
#include "alert/problem.h"
#include "fuzz/fuzz.h"
#include "session/devin.h"
#include "session/prompt.h"
#include "triage.h"

static const struct prompt_settings prompt_settings = {
    .target_repo = { "https://github.com/org/repo", 27 },
    .jira_project = { "OPS", 3 },
};
static const struct devin_settings devin_settings = { .retry = { .tries = 3, .first_ms = 1 } };

enum { MOST_PROBLEMS = 3 };

/* All that the first problem of a payload comes to; no body where there is none. */
struct story {
    struct payload payload;
    struct view prompt, title, body;
};

static bool tell(struct view bytes, struct arena *mem, struct story *out, struct failure *why)
{
    static const struct devin_known known = { 0 };
    struct devin devin = { 0 };
    struct problems problems = { 0 };
    if (!payload_read(bytes, mem, &out->payload, why))
        return false;
    if (!problems_of(&out->payload, ALERT_FIRED, MOST_PROBLEMS, mem, &problems))
        return fail(why, FAIL_INTERNAL, "no memory");
    if (problems.count == 0)
        return true;
    if (!prompt_render(&problems.at[0], &prompt_settings, mem, &out->prompt, why)
        || !prompt_title(problems.at[0].alert, mem, &out->title, why))
        return false;
    struct devin_request request = {
        .prompt = out->prompt,
        .title = out->title,
        .problem = &problems.at[0],
    };
    if (!devin_begin(&devin, &devin_settings, &request, &known, mem, why))
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
    struct story story = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, ceiling);
    if (tell(bytes, &mem, &story, &why))
        CLAIM(view_equal(story.body, wanted->body));
    else
        CLAIM(why.kind == FAIL_INTERNAL);
    arena_drop(&mem);
}

static void claim_payload(const struct payload *payload)
{
    CLAIM(payload->from != NULL && payload->count <= MAX_ALERTS);
    for (size_t i = 0; i < payload->count; i++)
        claim_alert(&payload->alerts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view body = { (const char *)bytes, size };
    struct arena mem;
    struct story story = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    if (tell(body, &mem, &story, &why)) {
        size_t used = mem.used;
        claim_payload(&story.payload);
        if (story.body.len > 0)
            claim_story(&story, &mem);
        claim_frugal(body, used, &story);
        claim_frugal(body, used * (body.at[size / 2] & 0xFF) / 256, &story);
    } else {
        claim_refusal(&why, &mem);
    }
    arena_drop(&mem);
    return 0;
}
