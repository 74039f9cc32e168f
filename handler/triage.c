/*
 * The steps in their order; each is a module of its own and knows nothing of the others.
 *
 *   first try:  body ─► problems ─► store all ─► open one after the other ─► reply ─► settle
 *   a retry:    message ────────────────────────► open ─► reply (the host settles)
 */
#include "triage.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "session/preview.h"
#include "session/quote.h"

enum {
    /*
     * An action group gives up after about ten seconds, says an older text of Azure Monitor's
     * documentation; the current one is silent.  Eight leave it time for the way there and back.
     */
    AZURE_DEADLINE_MS = 8000,
    MAX_PREVIEW_BYTES = 8 * 1024 * 1024,
    MAX_MESSAGE_BYTES = 2000,
    MAX_MESSAGE_FIELD = 512,
    MAX_TOLD_BYTES = 4096,
    PLAYBOOK_KEPT_MS = 600000,
    PLAYBOOK_RETRIED_MS = 60000,
    /* All that storing a request's alerts may cost, and so much for moving one to the poisoned. */
    STORE_BUDGET_MS = 2000,
    /* A stored alert shows itself when its first try is surely over. */
    HIDDEN_LONGER_S = 10,
    SECONDS_AN_HOUR = 3600
};

static const long long FOREVER_MS = 1000LL * 60 * 60 * 24 * 365;

struct view request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (view_equal_fold(request->headers[i].name, view_of(name)))
            return view_trim(request->headers[i].value);
    return (struct view){ 0 };
}

/* --- what Devin is asked ---------------------------------------------------------------------- */

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

static bool build_request(const struct triage *triage, const struct stored *stored,
                          enum devin_goal goal, struct arena *mem, struct devin_request *out,
                          struct failure *why)
{
    const struct problem *problem = &stored->problem;
    const struct alert *alert = problem->alert;
    const char *what = goal == GOAL_OPEN ? "this alert fired again: " : "this alert is resolved: ";
    *out = (struct devin_request){
        .goal = goal,
        .playbook = stored->playbook,
        .playbook_id = stored->playbook_id,
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
static struct playbook_known recall_playbook(const struct wire *wire, struct view playbook,
                                             struct arena *mem)
{
    struct view value;
    struct view key = playbook_key(playbook, mem);
    if (playbook.len == 0 || key.len == 0 || !wire->recall(wire->state, key, mem, &value)
        || value.len == 0)
        return (struct playbook_known){ 0 };
    return (struct playbook_known){ .state = (enum playbook_state)(value.at[0] - '0'),
                                    .id = view_skip(value, 1) };
}

/* The id that was stored with an alert stays its id: each try shall send the same. */
static void recall_known(const struct wire *wire, const struct devin_request *request,
                         struct arena *mem, struct devin_known *out)
{
    struct view value;
    *out = (struct devin_known){ 0 };
    if (wire->recall(wire->state, VIEW("organization"), mem, &value))
        out->org = value;
    if (request->playbook_id.len > 0)
        out->playbook =
            (struct playbook_known){ .state = PLAYBOOK_FOUND, .id = request->playbook_id };
    else
        out->playbook = recall_playbook(wire, request->playbook, mem);
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
    if (rest_ms <= 0) /* a sleep is never shorter than asked for, but longer */
        return;
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

/* Its firing first, then the problems that were folded into it; joined by spaces. */
static struct view tags_of(const struct problem *problem, struct arena *mem)
{
    struct text tags = text_in(mem, MAX_TOLD_BYTES);
    text_add(&tags, problem->identity.firing);
    for (size_t i = 0; i < problem->also_fingerprint_count && i < MAX_OWN_TAGS; i++) {
        text_add_char(&tags, ' ');
        text_add(&tags, problem->also_fingerprints[i]);
    }
    return text_ok(&tags) ? text_view(&tags) : (struct view){ 0 };
}

/* Those that are not there yet, as far as there is room. */
static void add_tags(struct text *told, struct view tags)
{
    while (tags.len > 0) {
        struct view tag;
        view_cut(tags, ' ', &tag, &tags);
        if (told->len + 1 + tag.len < MAX_TOLD_BYTES && !view_contains(text_view(told), tag)) {
            text_add_char(told, ' ');
            text_add(told, tag);
        }
    }
}

/* "id url tag tag…": what the others are told, and whom it answers. */
static struct view told_of(const struct devin_request *request, const struct outcome *outcome,
                           struct arena *mem)
{
    struct text told = text_in(mem, MAX_TOLD_BYTES);
    text_add(&told, outcome->session.id);
    text_add_char(&told, ' ');
    text_add(&told, outcome->session.url);
    add_tags(&told, tags_of(request->problem, mem));
    bool is_same = view_equal(outcome->session.id, request->told.id);
    if (is_same) /* else that one had ended, and this one has not been told of the others */
        add_tags(&told, request->told.tags);
    bool is_told = !outcome->has_failed && text_ok(&told) && arena_ok(mem);
    return is_told ? text_view(&told) : (struct view){ 0 };
}

static struct devin_told read_told(const struct arrival *arrival, struct arena *mem)
{
    struct devin_told told = { 0 };
    struct text tags = text_in(mem, (size_t)2 * MAX_TOLD_BYTES);
    if (!view_cut(arrival->result, ' ', &told.id, &told.url))
        return (struct devin_told){ 0 };
    view_cut(told.url, ' ', &told.url, &told.tags);
    text_add(&tags, told.tags);
    text_add_string(&tags, told.tags.len > 0 && arrival->others.len > 0 ? " " : "");
    text_add(&tags, arrival->others);
    if (text_ok(&tags))
        told.tags = text_view(&tags);
    return told;
}

static void take_told(const struct devin_told *told, struct outcome *out)
{
    out->action = ACTION_EXISTING;
    out->session.id = told->id;
    out->session.url = told->url;
}

/* The session is there all the same: that it has not heard of this firing is noted. */
static void be_late(const struct devin_told *told, struct arena *mem, struct outcome *out)
{
    out->has_failed = told->id.len == 0;
    if (out->has_failed)
        fail(&out->why, FAIL_DEVIN_UNREACHABLE, "an equal alert was still being sent to Devin");
    else if (pairs_add(&out->notes, MAX_NOTES, VIEW("tags"),
                       VIEW("could not be set: others were at it"), MAX_VALUE_BYTES, mem))
        take_told(told, out);
    else
        out->has_failed = !fail(&out->why, FAIL_INTERNAL, "no memory left for a note");
}

/*
 * Alerts of one firing need one answer.  Other firings of the problem join what the first one opened,
 * and as v1 replaces a session's tags, they do so one at a time.  A thousand of them would
 * not come to an end within their deadlines: whoever joins brings the tags of all that wait along, so
 * that a crowd costs one join.  Only a message is everybody's own.
 */
static void open_in_turn(const struct triage *triage, const struct devin_request *request,
                         long long left_ms, struct arena *mem, struct outcome *out,
                         long long *spent_ms)
{
    const struct wire *wire = &triage->wire;
    bool is_joined = triage->devin.on_refire == REFIRE_JOIN;
    struct arrival arrival = {
        .key = turn_key(triage, request),
        .word = request->problem->identity.firing,
        .brings = is_joined ? tags_of(request->problem, mem) : (struct view){ 0 },
        .patience_ms = left_ms - *spent_ms,
    };
    enum turn turn = wire->enter(wire->state, &arrival, mem);
    const struct devin_told told = read_told(&arrival, mem);
    *spent_ms += arrival.waited_ms;
    if (turn == TURN_TOLD) {
        take_told(&told, out);
    } else if (turn == TURN_LATE) {
        be_late(&told, mem, out);
    } else {
        struct devin_request informed = *request;
        informed.told = told;
        out->has_failed = !call_devin(triage, &informed, left_ms, mem, out, spent_ms);
        wire->leave(wire->state, arrival.key, told_of(&informed, out, mem));
    }
}

/* --- storing ---------------------------------------------------------------------------------- */

/* What the steps of one request share. */
struct job {
    const struct triage *triage;
    const struct request *request;
    struct arena *mem;
    struct report *report;
    long long deadline_ms; /* of the whole request */
    bool is_dry;
};

/* Of the deadline, without what calls of Devin have taken since. */
static long long left_ms(const struct job *job)
{
    return job->deadline_ms - job->request->spent_ms - job->report->store_ms;
}

static struct stored form_of(const struct triage *triage, const struct problem *problem)
{
    return (struct stored){
        .problem = *problem,
        .playbook = playbook_for(&triage->playbook, problem->alert->name),
    };
}

static long long hide_s(const struct job *job)
{
    long long wanted_s = job->triage->settings.queue_hide_s;
    long long least_s = (job->deadline_ms + 999) / 1000 + HIDDEN_LONGER_S;
    return wanted_s > least_s ? wanted_s : least_s;
}

static void put_message(const struct job *job, struct view message, struct outcome *out)
{
    const struct store *store = &job->triage->store;
    struct report *report = job->report;
    long long spent_ms = 0;
    long long budget_ms = STORE_BUDGET_MS - report->store_ms;
    if (budget_ms > left_ms(job))
        budget_ms = left_ms(job);
    if (budget_ms <= 0)
        out->is_unstored =
            !fail(&out->why_unstored, FAIL_STORE_DOWN, "no time was left to store it");
    else
        out->is_unstored = !store->put(store->state, STORE_TRIAGE, message, hide_s(job), budget_ms,
                                       job->mem, &out->receipt, &spent_ms, &out->why_unstored);
    if (out->is_unstored)
        out->receipt = (struct receipt){ 0 };
    report->store_ms += spent_ms;
}

/*
 * Where there is a queue the first try, too, is made from what was read back: so it does not matter
 * whether storing it succeeds, and a repeat of the same alert asks for the same.  A dry run, which
 * stores nothing, shows that very request.
 */
static void store_alert(const struct job *job, struct stored *stored, struct outcome *out)
{
    struct stored form = *stored;
    struct view message;
    struct playbook_known known = recall_playbook(&job->triage->wire, form.playbook, job->mem);
    if (known.state == PLAYBOOK_FOUND)
        form.playbook_id = known.id;
    form.first_seen_s = job->request->received_s;
    if (stored_write(&form, job->mem, &message, &out->why_unstored)
        && stored_read(message, job->mem, stored, &out->why_unstored)) {
        if (!job->is_dry)
            put_message(job, message, out);
        return;
    }
    out->is_unstored = !job->is_dry;
    *stored = form;
}

/* --- all problems of a request ----------------------------------------------------------------- */

static struct outcome *add_outcome(struct report *report, const struct problem *problem)
{
    struct outcome *out = &report->outcomes[report->count++];
    *out = (struct outcome){ .problem = problem }; /* its place may have been another's */
    return out;
}

/* The first thing that failed is what the caller is told; the others are in the list. */
static bool count_in(struct report *report, const struct outcome *out, bool is_covered,
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

/* Everything up to the point where Devin is called. */
static bool prepare(const struct job *job, struct problem *problem, struct outcome *out)
{
    struct stored *stored = arena_get(job->mem, sizeof *stored);
    if (stored == NULL)
        return fail(&out->why, FAIL_INTERNAL, "no memory left to prepare an alert");
    if (!hide_secrets(job->triage, problem, job->mem, job->report, &out->why))
        return false;
    *stored = form_of(job->triage, problem);
    if (job->triage->store.put != NULL)
        store_alert(job, stored, out);
    out->stored = stored;
    return true;
}

/* All of them before Devin is called for any: what comes to an end in between comes again. */
static void prepare_all(const struct job *job)
{
    struct report *report = job->report;
    for (size_t i = 0; i < report->problems.count; i++) {
        struct outcome *out = add_outcome(report, &report->problems.at[i]);
        out->has_failed = !prepare(job, &report->problems.at[i], out);
    }
}

/* What passes need not be told as a failure when it is stored: it will be tried again. */
static void defer(struct outcome *out)
{
    if (!out->has_failed || out->receipt.id.len == 0 || !failure_row(out->why.kind)->is_passing)
        return;
    out->has_failed = false;
    out->action = ACTION_DEFERRED;
    out->session = (struct session){ 0 }; /* one that was found on the way is none of its own */
}

static void open_one(const struct job *job, struct outcome *out)
{
    struct devin_request request;
    out->has_failed =
        !build_request(job->triage, out->stored, GOAL_OPEN, job->mem, &request, &out->why);
    if (out->has_failed)
        return;
    request.is_repeated = job->request->is_retry;
    request.since_s = out->stored->first_seen_s;
    request.is_stored = job->request->is_retry || out->receipt.id.len > 0;
    if (job->is_dry)
        look_only(job->triage, &request, job->mem, out);
    else
        open_in_turn(job->triage, &request, left_ms(job), job->mem, out, &job->report->devin_ms);
    defer(out);
}

/* A problem that fails does not keep the others from their sessions. */
static bool open_sessions(const struct job *job, struct failure *why)
{
    bool is_covered = true;
    prepare_all(job);
    for (size_t i = 0; i < job->report->count; i++) {
        struct outcome *out = &job->report->outcomes[i];
        if (!out->has_failed)
            open_one(job, out);
        is_covered = count_in(job->report, out, is_covered, why);
    }
    return is_covered;
}

static bool tell_one(const struct job *job, struct problem *problem, struct outcome *out)
{
    struct devin_request request;
    if (!hide_secrets(job->triage, problem, job->mem, job->report, &out->why))
        return false;
    const struct stored form = form_of(job->triage, problem);
    return build_request(job->triage, &form, GOAL_RESOLVE, job->mem, &request, &out->why)
           && call_devin(job->triage, &request, left_ms(job), job->mem, out,
                         &job->report->devin_ms);
}

/* Resolved alerts never open a session; where it is asked for, an open one is told. */
static bool tell_resolved(const struct job *job, struct failure *why)
{
    struct report *report = job->report;
    bool is_covered = true;
    for (size_t i = 0; i < report->resolved.count; i++) {
        struct outcome *out = add_outcome(report, &report->resolved.at[i]);
        out->has_failed = !tell_one(job, &report->resolved.at[i], out);
        is_covered = count_in(report, out, is_covered, why);
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

/* The alerts of a request that is no retry, up to the problems they are. */
static bool read_alerts(struct job *job, struct failure *why)
{
    struct report *report = job->report;
    if (!payload_read(job->request->body, job->mem, &report->payload, why))
        return false;
    report->is_azure = holds_azure(&report->payload);
    if (report->is_azure && job->deadline_ms > AZURE_DEADLINE_MS)
        job->deadline_ms = AZURE_DEADLINE_MS;
    drop_mild(job->triage, &report->payload);
    return sort_alerts(job->triage, job->mem, report, why);
}

/*
 * Nobody can be served, yet alerts whose sender may be trusted wait for mended settings where there is a
 * queue.  The sender is told of the settings, whatever it has sent.
 */
static bool refuse(struct job *job, struct failure *why)
{
    const struct triage *triage = job->triage;
    struct report *report = job->report;
    struct failure unread;
    bool is_stored = triage->store.put != NULL && !triage->trusts_nobody && !job->is_dry;
    fail_because(why, FAIL_MISCONFIGURED, triage->refusal);
    if (is_stored && read_alerts(job, &unread))
        prepare_all(job);
    for (size_t i = 0; i < report->count; i++) {
        report->outcomes[i].has_failed = true;
        report->outcomes[i].why = *why;
    }
    return false;
}

static bool first_try(struct job *job, struct failure *why)
{
    struct report *report = job->report;
    if (job->triage->refusal.len > 0)
        return refuse(job, why);
    if (!read_alerts(job, why))
        return false;
    bool is_covered = open_sessions(job, why);
    if (is_covered && !job->is_dry)
        is_covered = tell_resolved(job, why);
    report->reason = report->count == 0 ? reason_of(&report->payload) : NULL;
    return is_covered;
}

/* --- retries ---------------------------------------------------------------------------------- */

/* What cannot be read is an alert without a name, so that it can be spoken of. */
static struct outcome *add_retried(const struct job *job, struct stored *stored)
{
    static const struct alert nameless = { .from = &source_native };
    struct report *report = job->report;
    report->outcomes = arena_get(job->mem, sizeof *report->outcomes);
    if (report->outcomes == NULL)
        return NULL;
    if (stored->problem.alert == NULL)
        stored->problem.alert = &nameless;
    struct outcome *out = add_outcome(report, &stored->problem);
    out->stored = stored;
    return out;
}

/* Where a person looks, with the reason; what we cannot read goes as it is. */
static bool poison(const struct triage *triage, struct outcome *out, struct view message,
                   struct arena *mem, long long *budget_ms)
{
    const struct store *store = &triage->store;
    struct receipt receipt;
    long long spent_ms = 0;
    struct failure *why = &out->why_unstored;
    struct stored given_up = *out->stored;
    given_up.reason = failure_details(&out->why);
    if (store->put == NULL)
        fail(why, FAIL_STORE_DOWN, "there is no queue to put it into: QUEUE is off");
    else if (message.len == 0 && !stored_write(&given_up, mem, &message, why))
        out->is_poisoned = false;
    else if (*budget_ms <= 0)
        fail(why, FAIL_STORE_DOWN, "no time was left to store it");
    else
        out->is_poisoned = store->put(store->state, STORE_POISON, message, 0, *budget_ms, mem,
                                      &receipt, &spent_ms, why);
    *budget_ms -= spent_ms;
    out->is_unstored = !out->is_poisoned;
    return out->is_poisoned;
}

/* One that is given up is covered once a person can find it. */
static bool give_up(const struct job *job, struct outcome *out, struct view message,
                    struct failure *why)
{
    long long budget_ms = STORE_BUDGET_MS;
    if (poison(job->triage, out, message, job->mem, &budget_ms))
        return true;
    *why = out->why_unstored;
    return false;
}

static bool is_too_old(const struct job *job, const struct stored *stored)
{
    long long max_h = job->triage->settings.queue_max_age_h;
    long long age_s = job->request->received_s - stored->first_seen_s;
    return max_h > 0 && age_s > max_h * SECONDS_AN_HOUR;
}

static bool retry(struct job *job, struct failure *why)
{
    struct failure unread = { 0 };
    struct stored *stored = arena_get(job->mem, sizeof *stored);
    if (job->triage->refusal.len > 0)
        return fail_because(why, FAIL_MISCONFIGURED, job->triage->refusal);
    bool is_read = stored != NULL && stored_read(job->request->body, job->mem, stored, &unread);
    struct outcome *out = stored == NULL ? NULL : add_retried(job, stored);
    if (out == NULL || (!is_read && unread.kind == FAIL_INTERNAL))
        return fail(why, FAIL_INTERNAL, "no memory left for a stored alert");
    out->has_failed = true;
    out->why = unread;
    if (!is_read)
        return give_up(job, out, job->request->body, why);
    if (is_too_old(job, stored))
        fail(&out->why, FAIL_STORED_OLD, "first seen %lld s ago",
             job->request->received_s - stored->first_seen_s);
    else if (job->is_dry)
        fail_because(&out->why, FAIL_MISCONFIGURED, VIEW("DRY_RUN is on: stored alerts wait"));
    else
        open_one(job, out);
    if (count_in(job->report, out, true, why))
        return true;
    bool shall_wait = failure_row(out->why.kind)->is_passing || out->why.kind == FAIL_MISCONFIGURED;
    return !shall_wait && give_up(job, out, (struct view){ 0 }, why);
}

bool triage_run(const struct triage *triage, const struct request *request, struct arena *mem,
                struct report *out, struct failure *why)
{
    struct job job = {
        .triage = triage,
        .request = request,
        .mem = mem,
        .report = out,
        .deadline_ms = triage->settings.timeout_ms,
        .is_dry = request->is_dry_run || triage->settings.is_dry_run,
    };
    *out = (struct report){ 0 };
    return request->is_retry ? retry(&job, why) : first_try(&job, why);
}

/* --- afterwards ------------------------------------------------------------------------------- */

/* What a later try may cure: passing faults, settings that somebody mends, a moment of little memory. */
static bool may_be_cured(const struct failure *why)
{
    return failure_row(why->kind)->is_passing || why->kind == FAIL_MISCONFIGURED
           || why->kind == FAIL_INTERNAL;
}

void triage_settle(const struct triage *triage, struct report *report, struct arena *mem)
{
    long long budget_ms = STORE_BUDGET_MS;
    for (size_t i = 0; i < report->count; i++) {
        struct outcome *out = &report->outcomes[i];
        bool is_pending = out->receipt.id.len > 0 && out->action != ACTION_DEFERRED;
        if (!is_pending || (out->has_failed && may_be_cured(&out->why)))
            continue;
        if (!out->has_failed || poison(triage, out, (struct view){ 0 }, mem, &budget_ms))
            triage->store.remove(triage->store.state, &out->receipt);
    }
}
