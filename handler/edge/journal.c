/* Names, ids and our own words; bodies, queries and secrets are not in an entry. */
#include "edge/journal.h"

#include "base/log.h"

/* "key what became of it; key ..." */
static void log_notes(struct log_line *line, const char *key, const struct pairs *pairs,
                      struct arena *mem)
{
    struct text notes = text_in(mem, 1024);
    for (size_t i = 0; i < pairs->count; i++) {
        (void)text_add_some(&notes, i == 0 ? VIEW("") : VIEW("; "));
        (void)text_add_some(&notes, pairs->at[i].key);
        (void)text_add_some(&notes, VIEW(" "));
        (void)text_add_some(&notes, pairs->at[i].value);
    }
    log_text(line, key, text_view(&notes));
}

/* The alert a line is about: of one session, or of all that came. */
static void log_alert(struct log_line *line, const struct alert *alert, struct arena *mem)
{
    log_text(line, "alert", alert->name);
    log_text(line, "source", alert->source);
    if (alert->has_severity)
        log_number(line, "severity", alert->severity);
    log_notes(line, "notes", &alert->notes, mem);
}

static void log_failure(struct log_line *line, const struct failure *why)
{
    log_text(line, "failure", view_of(failure_row(why->kind)->name));
    log_text(line, "field", view_of(why->field));
    log_text(line, "reason", view_of(why->reason));
    log_text(line, "detail", view_of(why->detail));
}

static void log_counts(struct log_line *line, const struct payload *payload)
{
    if (payload->count > 1)
        log_number(line, "alerts", (long long)payload->count);
    if (payload->left_out > 0)
        log_number(line, "alerts_left_out", (long long)payload->left_out);
    if (payload->is_repaired)
        log_text(line, "repaired", VIEW("true"));
}

/* How many were stored, how many of them wait for another try, and how many could not be. */
struct tally {
    long long stored, deferred, unstored;
    const struct failure *why_deferred; /* the first one's */
    const struct failure *why_unstored;
};

static struct tally tally_of(const struct report *report)
{
    struct tally tally = { 0 };
    for (size_t i = report->count; i > 0; i--) {
        const struct outcome *outcome = &report->outcomes[i - 1];
        tally.stored += outcome->receipt.id.len > 0;
        tally.deferred += outcome->action == ACTION_DEFERRED;
        tally.unstored += outcome->is_unstored;
        if (outcome->action == ACTION_DEFERRED)
            tally.why_deferred = &outcome->why;
        if (outcome->is_unstored)
            tally.why_unstored = &outcome->why_unstored;
    }
    return tally;
}

/* Where the request has failed, that failure stands in the line; each problem has one of its own. */
static void log_store(struct log_line *line, const struct report *report, bool has_failed)
{
    const struct tally tally = tally_of(report);
    if (tally.stored + tally.unstored > 0) {
        log_number(line, "stored", tally.stored);
        log_number(line, "store_ms", report->store_ms);
    }
    if (tally.deferred > 0)
        log_number(line, "deferred", tally.deferred);
    if (tally.deferred > 0 && !has_failed)
        log_failure(line, tally.why_deferred);
    if (tally.unstored > 0) {
        log_number(line, "not_stored", tally.unstored);
        log_text(line, "store_failure", view_of(failure_row(tally.why_unstored->kind)->name));
        log_text(line, "store_reason", view_of(tally.why_unstored->reason));
        log_text(line, "store_detail", view_of(tally.why_unstored->detail));
    }
}

static const char *outcome_word(const struct outcome *outcome)
{
    if (outcome == NULL)
        return action_name(ACTION_IGNORED);
    return outcome->is_poisoned ? "poisoned" : action_name(outcome->action);
}

/* A retry that cannot be put aside: the failure in the line is the store's, this is why it was. */
static void log_given_up(struct log_line *line, const struct outcome *outcome)
{
    if (outcome->has_failed && outcome->is_unstored) {
        log_text(line, "given_up", view_of(failure_row(outcome->why.kind)->name));
        log_text(line, "given_up_reason", view_of(outcome->why.reason));
        log_text(line, "given_up_detail", view_of(outcome->why.detail));
    }
}

static void log_report(struct log_line *line, const struct journal_entry *entry)
{
    const struct report *report = entry->report;
    struct arena *mem = entry->mem;
    bool has_failed = entry->why != NULL;
    const struct outcome *first = report->count > 0 ? &report->outcomes[0] : NULL;
    if (first != NULL)
        log_alert(line, first->problem->alert, mem);
    else if (report->payload.count > 0)
        log_alert(line, &report->payload.alerts[0], mem);
    log_counts(line, &report->payload);
    if (!has_failed)
        log_text(line, "action", view_of(outcome_word(first)));
    if (first != NULL && first->is_poisoned)
        log_failure(line, &first->why);
    if (first != NULL && entry->request->is_retry)
        log_given_up(line, first);
    log_store(line, report, has_failed);
    if (first != NULL) {
        log_text(line, "session", has_failed ? VIEW("") : first->session.id);
        log_text(line, "fingerprint", first->problem->identity.fingerprint);
        log_notes(line, "devin", &first->notes, mem);
    }
    if (report->redacted > 0)
        log_number(line, "redacted", (long long)report->redacted);
    if (report->calls > 0) {
        log_number(line, "tries", report->tries);
        log_number(line, "calls", report->calls);
        log_number(line, "devin_ms", report->devin_ms);
    }
}

static void log_problem(const struct outcome *outcome, struct view invocation, struct arena *mem)
{
    struct log_line line;
    log_begin(&line, outcome->has_failed ? LOG_ERROR : LOG_INFO, "problem", invocation);
    log_alert(&line, outcome->problem->alert, mem);
    if (outcome->has_failed || outcome->action == ACTION_DEFERRED)
        log_failure(&line, &outcome->why);
    if (!outcome->has_failed) {
        log_text(&line, "action", view_of(action_name(outcome->action)));
        log_text(&line, "session", outcome->session.id);
    }
    log_text(&line, "fingerprint", outcome->problem->identity.fingerprint);
    log_notes(&line, "devin", &outcome->notes, mem);
    log_number(&line, "tries", outcome->tries);
    log_end(&line);
}

/* What is not ours, by path or method, is neither an alert nor a question for our health. */
static const char *event_of(const struct journal_entry *entry)
{
    if (entry->why != NULL
        && (entry->why->kind == FAIL_NOT_FOUND || entry->why->kind == FAIL_WRONG_METHOD))
        return "refused";
    if (entry->request->is_retry)
        return "retry";
    return view_equal(entry->request->method, VIEW("POST")) ? "alert" : "health";
}

/* An alert that was given up is for a person; one that waits, or is not stored, is worth a look. */
static enum log_level level_of(const struct journal_entry *entry)
{
    const struct report *report = entry->report;
    int status = entry->reply->status;
    if (status >= 500 || (report != NULL && report->count > 0 && report->outcomes[0].is_poisoned))
        return LOG_ERROR;
    struct tally tally = { 0 };
    if (report != NULL)
        tally = tally_of(report);
    return status >= 400 || tally.deferred + tally.unstored > 0 ? LOG_WARN : LOG_INFO;
}

void journal_write(const struct journal_entry *entry)
{
    struct log_line line;
    log_begin(&line, level_of(entry), event_of(entry), entry->request->invocation);
    log_text(&line, "protocol", entry->is_enveloped ? VIEW("envelope") : VIEW("forward"));
    log_number(&line, "status", entry->reply->status);
    if (entry->request->dequeue_count > 0)
        log_number(&line, "dequeue_count", entry->request->dequeue_count);
    if (entry->why != NULL)
        log_failure(&line, entry->why);
    if (entry->report != NULL)
        log_report(&line, entry);
    log_number(&line, "ms", entry->ms);
    log_end(&line);
    for (size_t i = 0;
         entry->report != NULL && entry->report->count > 1 && i < entry->report->count; i++)
        log_problem(&entry->report->outcomes[i], entry->request->invocation, entry->mem);
}

void journal_settled(const struct journal_entry *entry)
{
    for (size_t i = 0; i < entry->report->count; i++) {
        const struct outcome *outcome = &entry->report->outcomes[i];
        bool has_stayed = outcome->is_unstored && outcome->receipt.id.len > 0;
        if (!outcome->is_poisoned && !has_stayed)
            continue;
        struct log_line line;
        log_begin(&line, LOG_ERROR, outcome->is_poisoned ? "poisoned" : "not_poisoned",
                  entry->request->invocation);
        log_alert(&line, outcome->problem->alert, entry->mem);
        log_failure(&line, &outcome->why);
        if (has_stayed)
            log_text(&line, "store_detail", view_of(outcome->why_unstored.detail));
        log_text(&line, "fingerprint", outcome->problem->identity.fingerprint);
        log_end(&line);
    }
}

struct view journal_line(const struct journal_entry *entry)
{
    struct text line = text_in(entry->mem, 1024);
    text_add_string(&line, entry->request->is_retry ? "retry-devin: " : "trigger-devin: ");
    if (entry->why != NULL) {
        text_add_number(&line, entry->reply->status);
        text_add_char(&line, ' ');
        text_add_string(&line, failure_row(entry->why->kind)->error);
        text_add_string(&line, entry->why->field);
        if (entry->request->is_retry) {
            text_add_string(&line, ": ");
            text_add(&line, failure_details(entry->why));
        }
    } else if (entry->report == NULL) {
        text_add_string(&line, "health");
    } else if (entry->report->count == 0) {
        text_add_string(&line, action_name(ACTION_IGNORED));
    } else {
        const struct outcome *first = &entry->report->outcomes[0];
        text_add_string(&line, outcome_word(first));
        text_add_string(&line, first->session.id.len > 0 ? " session " : "");
        text_add(&line, first->session.id);
        if (first->is_poisoned) {
            text_add_string(&line, ": ");
            text_add(&line, failure_details(&first->why));
        }
    }
    return text_view(&line);
}
