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

static bool build_call(const struct triage *triage, const struct problem *problem,
                       struct arena *mem, struct devin *devin, struct failure *why)
{
    struct devin_request request = {
        .playbook_id = playbook_for(&triage->playbook, problem->alert->name),
    };
    return prompt_render(problem, &triage->prompt, mem, &request.prompt, why)
           && prompt_title(problem->alert, mem, &request.title, why)
           && devin_begin(devin, &triage->devin, &request, mem, why);
}

/* Sends, waits and sends again as devin_step() decides; time is counted, not asked for. */
static bool exchange(const struct triage *triage, struct devin *devin, long long left_ms,
                     struct arena *mem, struct outcome *out, long long *spent_ms,
                     struct failure *why)
{
    const struct wire *wire = &triage->wire;
    const struct answer *last = NULL;
    struct answer answer;
    for (;;) {
        struct devin_next next = devin_step(devin, last, left_ms - *spent_ms, mem, why);
        out->tries = devin->tries;
        switch (next.move) {
        case DEVIN_SEND:
            answer = (struct answer){ 0 };
            wire->send(wire->state, &devin->call, next.ms, mem, &answer);
            *spent_ms += answer.elapsed_ms;
            last = &answer;
            break;
        case DEVIN_WAIT:
            wire->wait(wire->state, next.ms);
            *spent_ms += next.ms;
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

/* A problem that fails does not keep the others from their sessions. */
static bool open_sessions(const struct triage *triage, long long left_ms, struct arena *mem,
                          struct report *report, struct failure *why)
{
    bool is_covered = true;
    report->outcomes = arena_get_array(mem, report->problems.count, sizeof *report->outcomes);
    if (report->outcomes == NULL)
        return fail(why, FAIL_INTERNAL, "no memory left for %zu outcomes", report->problems.count);
    for (size_t i = 0; i < report->problems.count; i++) {
        struct outcome *out = &report->outcomes[report->count++];
        struct devin devin = { 0 };
        out->problem = &report->problems.at[i];
        out->has_failed =
            !build_call(triage, out->problem, mem, &devin, &out->why)
            || !exchange(triage, &devin, left_ms, mem, out, &report->devin_ms, &out->why);
        report->tries += out->tries;
        if (out->has_failed && is_covered)
            *why = out->why;
        is_covered = is_covered && !out->has_failed;
    }
    return is_covered;
}

/* Why a payload without a firing alert needs no session. */
static const char *reason_of(const struct payload *payload)
{
    const char *reason = payload->reason;
    for (size_t i = 0; i < payload->count; i++)
        if (payload->alerts[i].state == ALERT_RESOLVED)
            return "Alert is resolved: no session needed";
        else if (reason == NULL)
            reason = payload->alerts[i].reason;
    return reason != NULL ? reason : "The payload holds no firing alert: no session needed";
}

/* One of Azure's among others decides: its sender waits least. */
static bool holds_azure(const struct payload *payload)
{
    bool is_azure = payload->from->is_azure;
    for (size_t i = 0; i < payload->count; i++)
        is_azure = is_azure || payload->alerts[i].from->is_azure;
    return is_azure;
}

bool triage_run(const struct triage *triage, const struct request *request, struct arena *mem,
                struct report *out, struct failure *why)
{
    *out = (struct report){ 0 };
    if (triage->refusal.len > 0)
        return fail_because(why, FAIL_MISCONFIGURED, triage->refusal);
    if (!payload_read(request->body, mem, &out->payload, why))
        return false;
    out->is_azure = holds_azure(&out->payload);
    if (!problems_of(&out->payload, (size_t)triage->settings.max_sessions, mem, &out->problems))
        return fail(why, FAIL_INTERNAL, "no memory left to sort %zu alerts", out->payload.count);
    if (out->problems.count == 0) {
        out->reason = reason_of(&out->payload);
        return true;
    }
    long long deadline_ms = triage->settings.timeout_ms;
    if (out->is_azure && deadline_ms > AZURE_DEADLINE_MS)
        deadline_ms = AZURE_DEADLINE_MS;
    return open_sessions(triage, deadline_ms - request->spent_ms, mem, out, why);
}

/* --- replies ------------------------------------------------------------------------------------
 */

static const char *message_of(enum action action)
{
    switch (action) {
    case ACTION_CREATED:
        return "Devin session created successfully";
    case ACTION_EXISTING:
        return "Devin session already exists for this alert";
    case ACTION_IGNORED:
        break;
    }
    return "Nothing to do";
}

static void put_session(struct json_writer *writer, const struct outcome *outcome)
{
    json_put_text(writer, "sessionId", outcome->session.id);
    json_put_text(writer, "sessionUrl", outcome->session.url);
    json_put_text(writer, "message", view_of(message_of(outcome->action)));
    json_put_text(writer, "action", view_of(action_name(outcome->action)));
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

static struct view details_of(const struct failure *why)
{
    return view_of(why->reason[0] != '\0' ? why->reason : failure_row(why->kind)->details);
}

static void put_failure(struct json_writer *writer, const struct failure *why)
{
    put_error(writer, why);
    if (details_of(why).len > 0)
        json_put_text(writer, "details", details_of(why));
}

/* Each problem with its session or its error, where there is more than one. */
static void put_sessions(struct json_writer *writer, const struct report *report)
{
    if (report == NULL || report->problems.count < 2)
        return;
    json_open(writer, "sessions", '[');
    for (size_t i = 0; i < report->count; i++) {
        const struct outcome *outcome = &report->outcomes[i];
        json_open(writer, NULL, '{');
        json_put_text(writer, "alertName", outcome->problem->alert->name);
        if (outcome->has_failed)
            put_failure(writer, &outcome->why);
        else
            put_session(writer, outcome);
        if (outcome->problem->also_count > 0)
            json_put_number(writer, "furtherAlerts", (long long)outcome->problem->also_count);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void put_payload(struct json_writer *writer, const struct report *report)
{
    if (report != NULL && report->payload.is_repaired)
        json_put_bool(writer, "repaired", true);
    if (report != NULL && report->payload.challenge.len > 0)
        json_put_text(writer, "validationResponse", report->payload.challenge);
}

struct reply triage_reply(const struct report *report, struct arena *mem)
{
    struct text body = text_in(mem, MAX_REPLY_BYTES);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", true);
    if (report->count > 0) {
        put_session(&writer, &report->outcomes[0]);
    } else {
        json_put_text(&writer, "message", view_of(report->reason));
        json_put_text(&writer, "action", view_of(action_name(ACTION_IGNORED)));
    }
    put_sessions(&writer, report);
    put_payload(&writer, report);
    json_close(&writer, '}');
    /* The session exists even where no memory is left to tell its id: never a failure, never empty.
     */
    return (struct reply){ .status = 200,
                           .body = text_ok(&body) ? text_view(&body) : VIEW("{\"success\":true}") };
}

struct reply triage_reply_failure(const struct failure *why, const struct report *report,
                                  struct arena *mem)
{
    const struct failure_row *row = failure_row(why->kind);
    struct text body = text_in(mem, MAX_REPLY_BYTES);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", false);
    put_failure(&writer, why);
    put_sessions(&writer, report);
    put_payload(&writer, report);
    json_close(&writer, '}');

    struct reply reply = { .status = row->status, .body = text_view(&body) };
    if (report != NULL && report->is_azure && row->is_passing) {
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
