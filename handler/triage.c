/* The steps in their order; each is a module of its own and knows nothing of the others. */
#include "triage.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "session/preview.h"
#include "session/quote.h"

/*
 * An action group gives up after about ten seconds.  Eight leave it time for the way there and back
 * (facts: Azure Monitor's documentation of action groups, older text; the current one is silent).
 */
enum {
    AZURE_DEADLINE_MS = 8000,
    MAX_PREVIEW_BYTES = 8 * 1024 * 1024,
    MAX_MESSAGE_BYTES = 2000,
    MAX_MESSAGE_FIELD = 512,
    PLAYBOOK_KEPT_MS = 600000,
    PLAYBOOK_RETRIED_MS = 60000
};

static const long long FOREVER_MS = 1000LL * 60 * 60 * 24 * 365;

struct view request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (view_equal_fold(request->headers[i].name, view_of(name)))
            return view_trim(request->headers[i].value);
    return (struct view){ 0 };
}

/* --- the story -------------------------------------------------------------------------------- */

/* "Alert bridge: this alert fired again: [Sev1] name on resource, at 2024-…, id …" */
static struct view message_for(const struct alert *alert, const char *what, struct view title,
                               struct arena *mem)
{
    struct text message = text_in(mem, MAX_MESSAGE_BYTES);
    text_add_string(&message, DEVIN_MESSAGE_MARK);
    text_add_string(&message, what);
    text_add(&message, title);
    if (alert->fired_time.len > 0) {
        text_add_string(&message, ", at ");
        quote_line(&message, alert->fired_time, MAX_MESSAGE_FIELD);
    }
    if (alert->alert_id.len > 0) {
        text_add_string(&message, ", id ");
        quote_line(&message, alert->alert_id, MAX_MESSAGE_FIELD);
    }
    return text_view(&message);
}

static bool build_request(const struct triage *triage, const struct problem *problem,
                          enum devin_goal goal, struct arena *mem, struct devin_request *out,
                          struct failure *why)
{
    const struct alert *alert = problem->alert;
    const char *what = goal == GOAL_OPEN ? "this alert fired again: " : "this alert is resolved: ";
    *out = (struct devin_request){
        .goal = goal,
        .playbook = playbook_for(&triage->playbook, alert->name),
        .problem = problem,
        .has_identity = identity_is_real(alert),
    };
    if (!prompt_render(problem, &triage->prompt, mem, &out->prompt, why)
        || !prompt_title(alert, mem, &out->title, why))
        return false;
    out->message = message_for(alert, what, out->title, mem);
    return arena_ok(mem) || fail(why, FAIL_INTERNAL, "no memory left for the request to Devin");
}

/* --- what others have learned ------------------------------------------------------------------ */

/* Empty without memory: what has no name is neither recalled nor remembered. */
static struct view playbook_key(struct view playbook, struct arena *mem)
{
    struct text key = text_in(mem, playbook.len + 16);
    text_add_string(&key, "playbook ");
    text_add(&key, playbook);
    return text_ok(&key) ? text_view(&key) : (struct view){ 0 };
}

/* A playbook is remembered as its state's digit and its id. */
static void recall_known(const struct wire *wire, const struct devin_request *request,
                         struct arena *mem, struct devin_known *out)
{
    struct view value;
    struct view key = playbook_key(request->playbook, mem);
    *out = (struct devin_known){ 0 };
    if (wire->recall(wire->state, VIEW("organization"), mem, &value))
        out->org = value;
    if (request->playbook.len == 0 || key.len == 0 || !wire->recall(wire->state, key, mem, &value)
        || value.len == 0)
        return;
    out->playbook.state = (enum playbook_state)(value.at[0] - '0');
    out->playbook.id = view_skip(value, 1);
}

static void remember_known(const struct wire *wire, const struct devin_request *request,
                           const struct devin_known *before, const struct devin_known *after,
                           struct arena *mem)
{
    if (after->org.len > 0 && before->org.len == 0)
        wire->remember(wire->state, VIEW("organization"), after->org, FOREVER_MS);
    if (after->playbook.state == before->playbook.state)
        return;
    struct view key = playbook_key(request->playbook, mem);
    struct text value = text_in(mem, after->playbook.id.len + 1);
    text_add_char(&value, (char)('0' + after->playbook.state));
    text_add(&value, after->playbook.id);
    bool is_found = after->playbook.state == PLAYBOOK_FOUND;
    if (key.len > 0 && text_ok(&value))
        wire->remember(wire->state, key, text_view(&value),
                       is_found ? PLAYBOOK_KEPT_MS : PLAYBOOK_RETRIED_MS);
}

/* --- the exchange ------------------------------------------------------------------------------ */

/* What our own pace does not let through in time is answered as Devin would answer it. */
static void send_paced(const struct wire *wire, const struct call *call, long long timeout_ms,
                       long long left_ms, struct arena *mem, struct answer *answer,
                       long long *spent_ms)
{
    long long waited_ms = 0;
    *answer = (struct answer){ .kind = ANSWER_HTTP, .status = 429 };
    if (!wire->pace(wire->state, left_ms - *spent_ms - 1, &waited_ms))
        return;
    *spent_ms += waited_ms;
    long long rest_ms = left_ms - *spent_ms;
    *answer = (struct answer){ 0 };
    wire->send(wire->state, call, timeout_ms < rest_ms ? timeout_ms : rest_ms, mem, answer);
    *spent_ms += answer->elapsed_ms;
}

/* Sends, waits and sends again as devin_step() decides; time is counted, not asked for. */
static bool exchange(const struct wire *wire, struct devin *devin, long long left_ms,
                     struct arena *mem, long long *spent_ms, struct failure *why)
{
    const struct answer *last = NULL;
    struct answer answer;
    for (;;) {
        struct devin_next next = devin_step(devin, last, left_ms - *spent_ms, mem, why);
        switch (next.move) {
        case DEVIN_SEND:
            send_paced(wire, &devin->call, next.ms, left_ms, mem, &answer, spent_ms);
            last = &answer;
            break;
        case DEVIN_WAIT:
            wire->wait(wire->state, next.ms);
            *spent_ms += next.ms;
            last = NULL;
            break;
        case DEVIN_DONE:
            return true;
        case DEVIN_FAILED:
            return false;
        }
    }
}

static enum action action_of(enum devin_result result)
{
    switch (result) {
    case RESULT_CREATED:
        return ACTION_CREATED;
    case RESULT_EXISTING:
        return ACTION_EXISTING;
    case RESULT_MESSAGED:
        return ACTION_MESSAGED;
    case RESULT_NOTHING:
        break;
    }
    return ACTION_IGNORED;
}

static bool call_devin(const struct triage *triage, const struct devin_request *request,
                       long long left_ms, struct arena *mem, struct outcome *out,
                       long long *spent_ms)
{
    const struct wire *wire = &triage->wire;
    struct devin devin;
    struct devin_known known;
    recall_known(wire, request, mem, &known);
    if (!devin_begin(&devin, &triage->devin, request, &known, mem, &out->why))
        return false;
    bool is_done = exchange(wire, &devin, left_ms, mem, spent_ms, &out->why);
    remember_known(wire, request, &known, &devin.known, mem);
    out->tries += devin.asks;
    out->calls += devin.sends;
    out->notes = devin.notes;
    out->session = devin.session;
    out->action = action_of(devin.result);
    return is_done;
}

/* --- one at a time ----------------------------------------------------------------------------- */

/* Whom a second alert waits for: the first of its problem, or of its firing where that is all we know. */
static struct view turn_key(const struct triage *triage, const struct devin_request *request)
{
    bool is_by_problem = request->has_identity && triage->devin.on_refire != REFIRE_CREATE;
    const struct identity *identity = &request->problem->identity;
    return is_by_problem ? identity->fingerprint : identity->firing;
}

/* "id url": what the others are told. */
static struct view told_of(const struct outcome *outcome, struct arena *mem)
{
    struct text told = text_in(mem, 4096);
    text_add(&told, outcome->session.id);
    text_add_char(&told, ' ');
    text_add(&told, outcome->session.url);
    bool is_told = !outcome->has_failed && text_ok(&told);
    return is_told ? text_view(&told) : (struct view){ 0 };
}

static void take_told(struct view told, struct outcome *out)
{
    out->action = ACTION_EXISTING;
    view_cut(told, ' ', &out->session.id, &out->session.url);
}

static void open_in_turn(const struct triage *triage, const struct devin_request *request,
                         long long left_ms, struct arena *mem, struct outcome *out,
                         long long *spent_ms)
{
    const struct wire *wire = &triage->wire;
    struct view key = turn_key(triage, request);
    struct view told = { 0 };
    long long waited_ms = 0;
    enum turn turn = wire->enter(wire->state, key, left_ms - *spent_ms, mem, &told, &waited_ms);
    *spent_ms += waited_ms;
    if (turn == TURN_TOLD) {
        take_told(told, out);
    } else if (turn == TURN_LATE) {
        out->has_failed = true;
        fail(&out->why, FAIL_DEVIN_UNREACHABLE, "an equal alert was still being sent to Devin");
    } else {
        out->has_failed = !call_devin(triage, request, left_ms, mem, out, spent_ms);
        wire->leave(wire->state, key, told_of(out, mem));
    }
}

/* --- all problems of a request ----------------------------------------------------------------- */

static struct outcome *add_outcome(struct report *report, const struct problem *problem)
{
    struct outcome *out = &report->outcomes[report->count++];
    *out = (struct outcome){ .problem = problem }; /* its place may have been another's */
    return out;
}

/* The first thing that failed is what the caller is told; the others are in the list. */
static bool settle(struct report *report, const struct outcome *out, bool is_covered,
                   struct failure *why)
{
    report->tries += out->tries;
    report->calls += out->calls;
    if (out->has_failed && is_covered)
        *why = out->why;
    return is_covered && !out->has_failed;
}

/*
 * From here on nobody sees a secret that the sender did not mean to send: not Devin, not the reply.  One
 * redactor a problem, so that a prompt does not depend on what else came with its alert.
 */
static bool hide_secrets(const struct triage *triage, struct problem *problem, struct arena *mem,
                         struct report *report, struct failure *why)
{
    struct redactor redactor = redactor_begin(triage->redact, mem);
    struct problem clean;
    if (!problem_redact(problem, &redactor, mem, &clean)) {
        problem->identity.fields = (struct pairs){ 0 };
        return fail(why, FAIL_INTERNAL, "no memory left to redact an alert");
    }
    *problem = clean;
    report->redacted += redactor.count;
    return true;
}

/* What would be sent, told instead of sent. */
static void look_only(const struct triage *triage, const struct devin_request *request,
                      struct arena *mem, struct outcome *out)
{
    struct text text = text_in(mem, MAX_PREVIEW_BYTES);
    struct json_writer writer = { .to = &text };
    preview_put(&writer, request, &triage->devin, mem);
    out->action = ACTION_DRY_RUN;
    out->prompt = request->prompt;
    out->preview = text_view(&text);
    if (!text_ok(&text))
        out->has_failed = !fail(&out->why, FAIL_INTERNAL, "no memory left for a preview");
}

/* A problem that fails does not keep the others from their sessions. */
static bool open_sessions(const struct triage *triage, bool is_dry, long long left_ms,
                          struct arena *mem, struct report *report, struct failure *why)
{
    bool is_covered = true;
    for (size_t i = 0; i < report->problems.count; i++) {
        struct outcome *out = add_outcome(report, &report->problems.at[i]);
        struct devin_request request;
        out->has_failed =
            !hide_secrets(triage, &report->problems.at[i], mem, report, &out->why)
            || !build_request(triage, out->problem, GOAL_OPEN, mem, &request, &out->why);
        if (!out->has_failed && is_dry)
            look_only(triage, &request, mem, out);
        else if (!out->has_failed)
            open_in_turn(triage, &request, left_ms, mem, out, &report->devin_ms);
        is_covered = settle(report, out, is_covered, why);
    }
    return is_covered;
}

/* Resolved alerts never open a session; where it is asked for, an open one is told. */
static bool tell_resolved(const struct triage *triage, long long left_ms, struct arena *mem,
                          struct report *report, struct failure *why)
{
    bool is_covered = true;
    for (size_t i = 0; i < report->resolved.count; i++) {
        struct outcome *out = add_outcome(report, &report->resolved.at[i]);
        struct devin_request request;
        out->has_failed =
            !hide_secrets(triage, &report->resolved.at[i], mem, report, &out->why)
            || !build_request(triage, out->problem, GOAL_RESOLVE, mem, &request, &out->why)
            || !call_devin(triage, &request, left_ms, mem, out, &report->devin_ms);
        is_covered = settle(report, out, is_covered, why);
        if (!out->has_failed && out->action == ACTION_IGNORED)
            report->count--; /* nobody to tell: as if it had not been asked */
    }
    return is_covered;
}

/* Less urgent than MAX_SEVERITY: as if they had not come. */
static void drop_mild(const struct triage *triage, struct payload *payload)
{
    for (size_t i = 0; i < payload->count; i++) {
        struct alert *alert = &payload->alerts[i];
        bool is_mild = alert->has_severity && alert->severity > triage->settings.max_severity;
        if (!is_mild || alert->state != ALERT_FIRED)
            continue;
        alert->state = ALERT_OTHER;
        alert->reason = "Alert is less urgent than MAX_SEVERITY: no session needed";
    }
}

static bool sort_alerts(const struct triage *triage, struct arena *mem, struct report *out,
                        struct failure *why)
{
    size_t max = (size_t)triage->settings.max_sessions;
    bool tells_resolved = triage->settings.on_resolved == RESOLVED_MESSAGE;
    bool is_sorted = problems_of(&out->payload, ALERT_FIRED, max, mem, &out->problems)
                     && (!tells_resolved
                         || problems_of(&out->payload, ALERT_RESOLVED, max, mem, &out->resolved));
    out->outcomes =
        arena_get_array(mem, out->problems.count + out->resolved.count, sizeof *out->outcomes);
    return (is_sorted && out->outcomes != NULL)
           || fail(why, FAIL_INTERNAL, "no memory left to sort %zu alerts", out->payload.count);
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
    drop_mild(triage, &out->payload);
    if (!sort_alerts(triage, mem, out, why))
        return false;
    long long deadline_ms = triage->settings.timeout_ms;
    if (out->is_azure && deadline_ms > AZURE_DEADLINE_MS)
        deadline_ms = AZURE_DEADLINE_MS;
    long long left_ms = deadline_ms - request->spent_ms;
    bool is_dry = request->is_dry_run || triage->settings.is_dry_run;
    bool is_covered = open_sessions(triage, is_dry, left_ms, mem, out, why);
    if (is_covered && !is_dry)
        is_covered = tell_resolved(triage, left_ms, mem, out, why);
    out->reason = out->count == 0 ? reason_of(&out->payload) : NULL;
    return is_covered;
}

void triage_settle(const struct triage *triage, struct report *report, struct arena *mem)
{
    (void)mem;
    for (size_t i = 0; triage->store.put != NULL && i < report->count; i++)
        if (report->outcomes[i].receipt.id.len > 0 && !report->outcomes[i].has_failed)
            triage->store.remove(triage->store.state, &report->outcomes[i].receipt);
}
