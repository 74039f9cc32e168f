/* The steps in their order; each is a module of its own and knows nothing of the others. */
#include "triage.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"

/*
 * An action group gives up after about ten seconds.  Eight leave it time for the way there and back
 * (facts: Azure Monitor's documentation of action groups, older text; the current one is silent).
 */
enum { AZURE_DEADLINE_MS = 8000, RETRY_AFTER_S = 10, MAX_REPLY_BYTES = 64 * 1024 };

struct view request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (view_equal_fold(request->headers[i].name, view_of(name)))
            return view_trim(request->headers[i].value);
    return (struct view){ 0 };
}

const char *action_name(enum action action)
{
    static const char *const names[] = { "created", "existing", "ignored" };
    return names[action];
}

/* --- the story ---------------------------------------------------------------------------------
 */

static bool build_call(const struct triage *triage, const struct alert *alert, struct arena *mem,
                       struct devin *devin, struct failure *why)
{
    struct devin_request request = {
        .playbook_id = playbook_for(&triage->playbook, alert->name),
    };
    return prompt_render(alert, &triage->prompt, mem, &request.prompt, why)
           && prompt_title(alert, mem, &request.title, why)
           && devin_begin(devin, &triage->devin, &request, mem, why);
}

/* Sends, waits and sends again as devin_step() decides; time is counted, not asked for. */
static bool exchange(const struct triage *triage, struct devin *devin, long long left_ms,
                     struct arena *mem, struct outcome *out, struct failure *why)
{
    const struct wire *wire = &triage->wire;
    const struct answer *last = NULL;
    struct answer answer;
    for (;;) {
        struct devin_next next = devin_step(devin, last, left_ms - out->devin_ms, mem, why);
        out->tries = devin->tries;
        switch (next.move) {
        case DEVIN_SEND:
            answer = (struct answer){ 0 };
            wire->send(wire->state, &devin->call, next.ms, mem, &answer);
            out->devin_ms += answer.elapsed_ms;
            last = &answer;
            break;
        case DEVIN_WAIT:
            wire->wait(wire->state, next.ms);
            out->devin_ms += next.ms;
            last = NULL;
            break;
        case DEVIN_DONE:
            out->session = devin->session;
            out->action = devin->session.is_new ? ACTION_CREATED : ACTION_EXISTING;
            return true;
        case DEVIN_FAILED:
            return false;
        }
    }
}

bool triage_run(const struct triage *triage, const struct request *request, struct arena *mem,
                struct outcome *out, struct failure *why)
{
    struct devin devin = { 0 };
    *out = (struct outcome){ 0 };
    if (triage->refusal.len > 0)
        return fail_because(why, FAIL_MISCONFIGURED, triage->refusal);
    if (!alert_read(request->body, mem, &out->alert, why))
        return false;
    out->is_azure = out->alert.from->is_azure;
    if (out->alert.state == ALERT_RESOLVED) {
        out->action = ACTION_IGNORED;
        out->reason = "Alert is resolved: no session needed";
        return true;
    }
    long long deadline_ms = triage->settings.timeout_ms;
    if (out->is_azure && deadline_ms > AZURE_DEADLINE_MS)
        deadline_ms = AZURE_DEADLINE_MS;
    return build_call(triage, &out->alert, mem, &devin, why)
           && exchange(triage, &devin, deadline_ms - request->spent_ms, mem, out, why);
}

/* --- replies ------------------------------------------------------------------------------------
 */

static const char *message_of(const struct outcome *outcome)
{
    switch (outcome->action) {
    case ACTION_CREATED:
        return "Devin session created successfully";
    case ACTION_EXISTING:
        return "Devin session already exists for this alert";
    case ACTION_IGNORED:
        break;
    }
    return outcome->reason;
}

struct reply triage_reply(const struct outcome *outcome, struct arena *mem)
{
    struct text body = text_in(mem, MAX_REPLY_BYTES);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", true);
    if (outcome->action != ACTION_IGNORED) {
        json_put_text(&writer, "sessionId", outcome->session.id);
        json_put_text(&writer, "sessionUrl", outcome->session.url);
    }
    json_put_text(&writer, "message", view_of(message_of(outcome)));
    json_put_text(&writer, "action", view_of(action_name(outcome->action)));
    json_close(&writer, '}');
    /* The session exists even where no memory is left to tell its id: never a failure, never empty.
     */
    return (struct reply){ .status = 200,
                           .body = text_ok(&body) ? text_view(&body) : VIEW("{\"success\":true}") };
}

/* The public sentence: the row's, completed by names from our own tables. */
static void put_error(struct json_writer *writer, const struct failure *why)
{
    char words[256];
    struct text error = text_over(words, sizeof words);
    text_add_string(&error, failure_row(why->kind)->error);
    text_add_string(&error, why->field);
    text_add_string(&error, why->rule == NULL ? "" : " ");
    text_add_string(&error, why->rule);
    json_put_text(writer, "error", text_view(&error));
}

struct reply triage_reply_failure(const struct failure *why, const struct outcome *outcome,
                                  struct arena *mem)
{
    const struct failure_row *row = failure_row(why->kind);
    struct view details = view_of(why->reason[0] != '\0' ? why->reason : row->details);
    struct text body = text_in(mem, MAX_REPLY_BYTES);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", false);
    put_error(&writer, why);
    if (details.len > 0)
        json_put_text(&writer, "details", details);
    json_close(&writer, '}');

    struct reply reply = { .status = row->status, .body = text_view(&body) };
    if (outcome != NULL && outcome->is_azure && row->is_passing) {
        reply.status = 503;
        reply.retry_after_s = RETRY_AFTER_S;
    }
    if (!text_ok(&body))
        reply.body = VIEW("{\"success\":false,\"error\":\"Failed to create Devin session\","
                          "\"details\":\"Internal error\"}");
    if (why->kind == FAIL_WRONG_METHOD)
        reply.allow = "GET, POST";
    return reply;
}
