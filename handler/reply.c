/* What came of a request, in the words of the public contract. */
#include "triage.h"

#include "alert/problem.h"
#include "base/json.h"

enum { RETRY_AFTER_S = 10, MAX_REPLY_BYTES = 64 * 1024, MAX_DRY_REPLY_BYTES = 64 * 1024 * 1024 };

const char *action_name(enum action action)
{
    static const char *const names[] = { "created", "existing", "messaged",
                                         "ignored", "dry-run",  "deferred" };
    return names[action];
}

static const char *message_of(enum action action)
{
    switch (action) {
    case ACTION_CREATED:
        return "Devin session created successfully";
    case ACTION_EXISTING:
        return "Devin session already exists for this alert";
    case ACTION_MESSAGED:
        return "Devin session was told about this alert";
    case ACTION_DRY_RUN:
        return "Dry run: nothing was sent to Devin";
    case ACTION_DEFERRED:
        return "Alert is stored and will be tried again";
    case ACTION_IGNORED:
        break;
    }
    return "Nothing to do";
}

/* What the problem is called, and from what that name was made. */
static void put_fingerprint(struct json_writer *writer, const struct identity *identity)
{
    json_put_text(writer, "fingerprint", identity->fingerprint);
    json_open(writer, "fingerprintOf", '[');
    for (size_t i = 0; i < identity->fields.count; i++) {
        json_open(writer, NULL, '{');
        json_put_text(writer, "key", identity->fields.at[i].key);
        json_put_text(writer, "value", identity->fields.at[i].value);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void put_session(struct json_writer *writer, const struct outcome *outcome)
{
    bool is_dry = outcome->action == ACTION_DRY_RUN;
    if (outcome->session.id.len > 0) {
        json_put_text(writer, "sessionId", outcome->session.id);
        json_put_text(writer, "sessionUrl", outcome->session.url);
    }
    json_put_text(writer, "message", view_of(message_of(outcome->action)));
    json_put_text(writer, "action", view_of(action_name(outcome->action)));
    put_fingerprint(writer, &outcome->problem->identity);
    if (is_dry)
        json_put_members(writer, outcome->preview);
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

static void put_failure(struct json_writer *writer, const struct failure *why)
{
    put_error(writer, why);
    if (failure_details(why).len > 0)
        json_put_text(writer, "details", failure_details(why));
}

/* More than one problem, or one that several alerts were folded into. */
static bool holds_several(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->outcomes[i].problem->also_count > 0)
            return true;
    return report->problems.count + report->resolved.count > 1;
}

/* Each problem with its session or its error, where the request held several alerts. */
static void put_sessions(struct json_writer *writer, const struct report *report)
{
    if (report == NULL || !holds_several(report))
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

/* The one that a request's whole reply speaks of: the first that has no session yet, else the first. */
static const struct outcome *first_of(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->outcomes[i].action == ACTION_DEFERRED)
            return &report->outcomes[i];
    return report->count > 0 ? &report->outcomes[0] : NULL;
}

struct reply triage_reply(const struct report *report, struct arena *mem)
{
    const struct outcome *first = first_of(report);
    bool is_deferred = first != NULL && first->action == ACTION_DEFERRED;
    bool is_dry = report->count > 0 && report->outcomes[0].action == ACTION_DRY_RUN;
    struct text body = text_in(mem, is_dry ? MAX_DRY_REPLY_BYTES : MAX_REPLY_BYTES);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_bool(&writer, "success", true);
    if (first != NULL) {
        put_session(&writer, first);
    } else {
        json_put_text(&writer, "message", view_of(report->reason));
        json_put_text(&writer, "action", view_of(action_name(ACTION_IGNORED)));
    }
    put_sessions(&writer, report);
    put_payload(&writer, report);
    json_close(&writer, '}');
    /*
     * The session exists even where no memory is left to tell its id: never a failure, never empty.
     */
    return (struct reply){ .status = is_deferred ? 202 : 200,
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
