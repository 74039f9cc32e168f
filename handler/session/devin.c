/*
 * A row of `stages` says how a stage's call is made, how it may be repeated, and what follows its
 * answer or its failure.  Everything else is a handful of small decisions.
 */
#include "session/devin.h"

#include "base/arena.h"
#include "base/json.h"

#include <limits.h>

enum { MAX_PAGES = 5, MAX_ORG_BYTES = 128, LEAST_ASIDE_MS = 1500, CLOCKS_DIFFER_S = 10 };

/* One answer on its way through: what a stage decides with. */
struct turn {
    const struct answer *answer;
    const struct cJSON *body; /* NULL: no JSON */
    long long left_ms;
    struct arena *mem;
    struct failure *why;
};

struct stage {
    enum repeat repeat;
    bool is_aside; /* the alert can do without it: it gets a part of the time only */
    bool (*call)(struct devin *devin, struct arena *mem);
    struct devin_next (*answered)(struct devin *devin, const struct turn *turn);
    /* After the last try; `turn->why` is filled. */
    struct devin_next (*failed)(struct devin *devin, const struct turn *turn);
};

static const struct stage stages[STAGE_TAG + 1];

static const struct devin_next FAILED = { DEVIN_FAILED, 0 };
static const struct devin_next DONE = { DEVIN_DONE, 0 };

/* --- failures -------------------------------------------------------------------------------- */

static bool fail_rejected(const struct answer *answer, const struct cJSON *body, struct arena *mem,
                          struct failure *why)
{
    char words[192];
    struct text reason = text_over(words, sizeof words);
    struct view names = api_complained_of(body, mem);
    text_add_string(&reason, "Devin API rejected the request");
    text_add_string(&reason, names.len > 0 ? ": " : "");
    text_add_some(&reason, names);
    fail_because(why, FAIL_DEVIN_REJECTED, text_view(&reason));
    fail_detail(why, "Devin answered %d", answer->status);
    return false;
}

bool devin_fail(const struct answer *answer, const struct cJSON *body, struct arena *mem,
                struct failure *why)
{
    int status = answer->status;
    if (answer->kind != ANSWER_HTTP)
        return fail(why, FAIL_DEVIN_UNREACHABLE, "%s",
                    answer->error == NULL ? "no answer" : answer->error);
    if (status >= 200 && status < 300)
        return fail(why, FAIL_DEVIN_UNCLEAR, "Devin answered %d without what was asked for",
                    status);
    if (status == 400 || status == 422)
        return fail_rejected(answer, body, mem, why);
    if (status == 401 || status == 403)
        return fail(why, FAIL_DEVIN_KEY, "Devin answered %d", status);
    if (status == 429)
        return fail(why, FAIL_DEVIN_BUSY, "Devin answered 429");
    if (status == 408 || status >= 500)
        return fail(why, FAIL_DEVIN_OUTAGE, "Devin answered %d", status);
    if (status == 404 || (status >= 300 && status < 400))
        return fail(why, FAIL_DEVIN_WRONG_URL, "Devin answered %d", status);
    return fail(why, FAIL_DEVIN_REJECTED, "Devin answered %d", status);
}

static bool is_success(const struct answer *answer)
{
    return answer->kind == ANSWER_HTTP && answer->status >= 200 && answer->status <= 299;
}

enum trouble devin_trouble(const struct answer *answer)
{
    if (answer->kind == ANSWER_NOT_CONNECTED)
        return TROUBLE_UNSENT;
    if (answer->kind != ANSWER_HTTP || answer->status == 408 || answer->status >= 500)
        return TROUBLE_UNCLEAR;
    return answer->status == 429 ? TROUBLE_BUSY : TROUBLE_LASTING;
}

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left to call Devin");
}

/* --- moves ----------------------------------------------------------------------------------- */

/* Differs from alert to alert and is the same again for the same one. */
static unsigned spread_of(const struct devin *devin)
{
    struct view firing = devin->request->problem->identity.firing;
    unsigned spread = (unsigned)devin->tries;
    for (size_t i = 0; i < firing.len; i++)
        spread = spread * 31 + (unsigned char)firing.at[i];
    return spread;
}

static struct devin_next send_now(struct devin *devin, long long left_ms)
{
    const struct stage *stage = &stages[devin->stage];
    long long aside_ms = left_ms / 4 > LEAST_ASIDE_MS ? left_ms / 4 : LEAST_ASIDE_MS;
    devin->tries++;
    devin->sends++;
    devin->asks += devin->stage == STAGE_CREATE || devin->stage == STAGE_MESSAGE;
    if (stage->is_aside)
        return (struct devin_next){ DEVIN_SEND, aside_ms < left_ms ? aside_ms : left_ms };
    return (struct devin_next){ DEVIN_SEND, retry_timeout_ms(&devin->settings->retry, stage->repeat,
                                                             devin->tries, left_ms) };
}

/* A stage that no time is left for has failed, which need not matter. */
static struct devin_next go_to(struct devin *devin, enum devin_stage stage, const struct turn *turn)
{
    devin->stage = stage;
    devin->tries = stage == STAGE_CREATE ? devin->creates : 0;
    if (!stages[stage].call(devin, turn->mem)) {
        no_memory(turn->why);
        return FAILED;
    }
    if (turn->left_ms > 0)
        return send_now(devin, turn->left_ms);
    fail(turn->why, FAIL_DEVIN_UNREACHABLE, "no time was left to call Devin");
    return stage == STAGE_CREATE ? FAILED : stages[stage].failed(devin, turn);
}

static struct devin_next finish(struct devin *devin, enum devin_result result)
{
    devin->result = result;
    return DONE;
}

static void note(struct devin *devin, const char *what, const char *why, struct arena *mem)
{
    if (!pairs_add(&devin->notes, MAX_NOTES, view_of(what), view_of(why), MAX_VALUE_BYTES, mem))
        return; /* the arena remembers */
}

/* --- which stage is next --------------------------------------------------------------------- */

static bool wants_org(const struct devin *devin)
{
    return devin->api.version == API_V3 && devin->api.org.len == 0;
}

static bool wants_playbook(const struct devin *devin)
{
    struct view playbook = devin->request->playbook;
    return devin->request->goal == GOAL_OPEN && playbook.len > 0 && !playbook_is_id(playbook)
           && devin->known.playbook.state == PLAYBOOK_UNKNOWN;
}

/* v1 recognises an equal request itself; v3 does not. */
static bool wants_lookup(const struct devin *devin)
{
    const struct devin_request *request = devin->request;
    return request->goal == GOAL_RESOLVE || request->has_identity || request->is_repeated
           || devin->api.version == API_V3;
}

static enum devin_stage stage_after_org(const struct devin *devin)
{
    if (devin->is_told)
        return STAGE_TOLD;
    if (wants_playbook(devin))
        return STAGE_PLAYBOOK;
    return wants_lookup(devin) ? STAGE_LOOKUP : STAGE_CREATE;
}

static struct devin_next after_playbook(struct devin *devin, const struct turn *turn)
{
    return go_to(devin, wants_lookup(devin) ? STAGE_LOOKUP : STAGE_CREATE, turn);
}

/* --- organization ---------------------------------------------------------------------------- */

static bool call_org(struct devin *devin, struct arena *mem)
{
    return api_self(mem, &devin->call);
}

static struct devin_next answered_org(struct devin *devin, const struct turn *turn)
{
    struct view org = json_text(json_at(turn->body, "org_id"));
    if (org.len == 0 || org.len > MAX_ORG_BYTES) {
        fail_because(turn->why, FAIL_MISCONFIGURED,
                     VIEW("DEVIN_ORG_ID is not set and the key belongs to no organization"));
        return FAILED;
    }
    devin->known.org = view_keep(org, turn->mem);
    devin->api.org = devin->known.org;
    return go_to(devin, stage_after_org(devin), turn);
}

static struct devin_next failed_for_good(struct devin *devin, const struct turn *turn)
{
    (void)devin;
    (void)turn;
    return FAILED;
}

/* --- playbook -------------------------------------------------------------------------------- */

static bool call_playbooks(struct devin *devin, struct arena *mem)
{
    return api_list_playbooks(&devin->api, devin->cursor, mem, &devin->call);
}

/* Asks for the next page with the stage's call; false at the end of the list. */
static bool has_next_page(struct devin *devin, const struct cJSON *first, const struct turn *turn)
{
    devin->cursor = api_cursor_of(&devin->api, turn->body, first, devin->seen, turn->mem);
    for (; first != NULL; first = json_next(first))
        devin->seen++;
    bool goes_on = devin->cursor.len > 0 && devin->tries < MAX_PAGES && turn->left_ms > 0;
    if (!goes_on) {
        devin->cursor = (struct view){ 0 };
        devin->seen = 0;
    }
    return goes_on;
}

static struct devin_next next_page(struct devin *devin, const struct turn *turn)
{
    if (stages[devin->stage].call(devin, turn->mem))
        return send_now(devin, turn->left_ms);
    no_memory(turn->why);
    return FAILED;
}

static struct devin_next answered_playbooks(struct devin *devin, const struct turn *turn)
{
    struct playbook_known *known = &devin->known.playbook;
    const struct cJSON *first = api_playbooks_of(turn->body);
    if (known->state == PLAYBOOK_UNKNOWN)
        known->state = PLAYBOOK_ABSENT;
    playbook_find(first, devin->request->playbook, turn->mem, known);
    if (devin->api.version == API_V3 && has_next_page(devin, first, turn))
        return next_page(devin, turn);
    if (known->state == PLAYBOOK_ABSENT)
        note(devin, "playbook", "does not exist: the session goes without", turn->mem);
    if (known->state == PLAYBOOK_TWICE)
        note(devin, "playbook", "two have that name: the session goes without", turn->mem);
    return after_playbook(devin, turn);
}

static struct devin_next failed_playbooks(struct devin *devin, const struct turn *turn)
{
    devin->known.playbook.state = PLAYBOOK_UNREADABLE;
    devin->cursor = (struct view){ 0 };
    devin->seen = 0;
    note(devin, "playbook", "the list could not be read: the name is sent as it is", turn->mem);
    return after_playbook(devin, turn);
}

/* --- look-up --------------------------------------------------------------------------------- */

static struct view lookup_tag(const struct devin *devin)
{
    const struct identity *identity = &devin->request->problem->identity;
    bool by_firing =
        devin->stage == STAGE_CONFIRM || (!devin->request->has_identity && identity->has_firing);
    return by_firing ? identity->firing : identity->fingerprint;
}

static bool call_lookup(struct devin *devin, struct arena *mem)
{
    return api_list_sessions(&devin->api, lookup_tag(devin), devin->cursor, mem, &devin->call);
}

static bool has_tag(const struct session *session, struct view tag)
{
    for (size_t i = 0; i < session->tag_count; i++)
        if (view_equal(session->tags[i], tag))
            return true;
    return false;
}

/* Without a firing, what was made since an earlier try came from that. */
static bool is_of_firing(const struct devin *devin, const struct session *session)
{
    const struct devin_request *request = devin->request;
    if (request->problem->identity.has_firing)
        return has_tag(session, request->problem->identity.firing);
    return request->is_repeated && api_is_since(session, request->since_s - CLOCKS_DIFFER_S);
}

static bool is_later(struct view a, struct view b)
{
    long long left = 0;
    long long right = 0;
    if (view_to_number(a, 0, LLONG_MAX, &left) && view_to_number(b, 0, LLONG_MAX, &right))
        return left > right;
    return view_order_fold(a, b) > 0;
}

/* A session of this very firing before any other, then the youngest that is open. */
static bool is_better(const struct devin *devin, const struct session *session)
{
    bool is_same = is_of_firing(devin, session);
    if (!is_same && session->has_ended)
        return false;
    if (!devin->has_found || (is_same && !is_of_firing(devin, &devin->found)))
        return true;
    return is_same == is_of_firing(devin, &devin->found)
           && is_later(session->created, devin->found.created);
}

/* What the filter really does is not documented: the tags in the answer decide. */
static void look_through(struct devin *devin, const struct cJSON *first, struct arena *mem)
{
    struct view tag = lookup_tag(devin);
    for (const struct cJSON *item = first; item != NULL; item = json_next(item)) {
        struct session session;
        if (!api_read_session(item, mem, &session) || !has_tag(&session, tag)
            || !is_better(devin, &session))
            continue;
        devin->found = session;
        devin->has_found = true;
    }
}

static struct devin_next tagged(struct devin *devin, const struct turn *turn)
{
    (void)turn;
    return finish(devin, devin->result == RESULT_MESSAGED ? RESULT_MESSAGED : RESULT_EXISTING);
}

static size_t add_tag(const struct session *session, struct view tags[MAX_TAGS], size_t count,
                      struct view tag)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal(tags[i], tag))
            return count;
    if (count < MAX_TAGS && !has_tag(session, tag))
        tags[count++] = tag;
    return count;
}

/* What a session that is joined learns: by its tags a repeat finds it even when it has ended. */
static size_t new_tags(const struct devin *devin, struct view tags[MAX_TAGS])
{
    const struct session *session = &devin->session;
    const struct problem *problem = devin->request->problem;
    struct view told = devin->is_told ? devin->request->told.tags : (struct view){ 0 };
    size_t count = add_tag(session, tags, 0, problem->identity.fingerprint);
    count = add_tag(session, tags, count, problem->identity.firing);
    for (size_t i = 0; i < problem->also_fingerprint_count; i++)
        count = add_tag(session, tags, count, problem->also_fingerprints[i]);
    while (told.len > 0) {
        struct view tag;
        view_cut(told, ' ', &tag, &told);
        count = add_tag(session, tags, count, tag);
    }
    return count;
}

/* A full session is asked to take one all the same: v1 gives its last for it, v3 decides itself. */
static bool call_tag(struct devin *devin, struct arena *mem)
{
    struct view tags[MAX_TAGS];
    struct session *session = &devin->session;
    bool is_full = session->tag_count == MAX_TAGS;
    session->tag_count -= is_full;
    size_t count = new_tags(devin, tags);
    size_t room = MAX_TAGS - session->tag_count;
    if (is_full || count > room)
        note(devin, "tags", "no room for all: a session takes 50", mem);
    return api_add_tags(&devin->api, session, tags, count < room ? count : room, mem, &devin->call);
}

/* An alert without a firing of its own may have joined that session before. */
static struct devin_next tag_session(struct devin *devin, const struct turn *turn)
{
    struct view tags[MAX_TAGS];
    return new_tags(devin, tags) == 0 ? tagged(devin, turn) : go_to(devin, STAGE_TAG, turn);
}

static struct devin_next take_found(struct devin *devin, const struct turn *turn)
{
    const struct devin_settings *settings = devin->settings;
    bool is_open = devin->request->goal == GOAL_OPEN;
    devin->session = devin->found;
    if (is_open && (is_of_firing(devin, &devin->found) || !devin->request->has_identity))
        return finish(devin, RESULT_EXISTING);
    if (!is_open)
        return devin->found.has_ended ? finish(devin, RESULT_NOTHING)
                                      : go_to(devin, STAGE_COUNT, turn);
    if (settings->on_refire == REFIRE_CREATE)
        return go_to(devin, STAGE_CREATE, turn);
    if (settings->on_refire == REFIRE_MESSAGE)
        return go_to(devin, STAGE_COUNT, turn);
    return tag_session(devin, turn);
}

static struct devin_next answered_lookup(struct devin *devin, const struct turn *turn)
{
    const struct cJSON *first = api_sessions_of(turn->body);
    look_through(devin, first, turn->mem);
    if (has_next_page(devin, first, turn))
        return next_page(devin, turn);
    if (devin->has_found)
        return take_found(devin, turn);
    if (devin->request->goal == GOAL_RESOLVE)
        return finish(devin, RESULT_NOTHING);
    return go_to(devin, STAGE_CREATE, turn);
}

/* v1 knows the same words again, but a retry's may differ by new settings; v3 knows none again. */
static bool can_wait(const struct devin *devin)
{
    const struct devin_request *request = devin->request;
    return request->is_stored && (request->is_repeated || devin->api.version == API_V3);
}

/* Two sessions cost less than none. */
static struct devin_next failed_lookup(struct devin *devin, const struct turn *turn)
{
    devin->cursor = (struct view){ 0 };
    devin->seen = 0;
    note(devin, "look-up", "sessions could not be listed", turn->mem);
    if (devin->has_found)
        return take_found(devin, turn);
    if (devin->request->goal == GOAL_RESOLVE)
        return finish(devin, RESULT_NOTHING);
    if (can_wait(devin) && failure_row(turn->why->kind)->is_passing)
        return FAILED;
    return go_to(devin, STAGE_CREATE, turn);
}

/* --- another request's session ----------------------------------------------------------------- */

static bool call_get(struct devin *devin, struct arena *mem)
{
    return api_get_session(&devin->api, devin->session.id, mem, &devin->call);
}

/* Who was told of a session has one: what fails behind that is noted. */
static struct devin_next failed_told(struct devin *devin, const struct turn *turn)
{
    note(devin, "tags", "could not be set: the session could not be read", turn->mem);
    return finish(devin, RESULT_EXISTING);
}

/*
 * v1's tags are replaced, so those that are there are read first.  A session that has ended is no
 * answer to another firing, even if it was one to the firing that found it.
 */
static struct devin_next answered_told(struct devin *devin, const struct turn *turn)
{
    struct session now;
    if (!api_read_session(turn->body, turn->mem, &now))
        return failed_told(devin, turn);
    if (now.has_ended) {
        devin->is_told = false;
        devin->session = (struct session){ 0 };
        return go_to(devin, stage_after_org(devin), turn);
    }
    now.id = devin->session.id;
    now.url = devin->session.url;
    devin->session = now;
    bool is_news = !is_of_firing(devin, &now);
    if (is_news && devin->settings->on_refire == REFIRE_MESSAGE)
        return go_to(devin, STAGE_COUNT, turn);
    return tag_session(devin, turn);
}

/* --- create ---------------------------------------------------------------------------------- */

static struct view playbook_to_send(const struct devin *devin)
{
    const struct playbook_known *known = &devin->known.playbook;
    struct view configured = devin->request->playbook;
    if (devin->is_without_playbook || configured.len == 0)
        return (struct view){ 0 };
    if (playbook_is_id(configured) || known->state == PLAYBOOK_UNREADABLE)
        return configured;
    return known->state == PLAYBOOK_FOUND ? known->id : (struct view){ 0 };
}

/* The problem, the firing, then the problems that were folded into this one, as far as there is room. */
static size_t collect_tags(const struct devin *devin, struct view tags[MAX_TAGS])
{
    const struct problem *problem = devin->request->problem;
    size_t count = 0;
    tags[count++] = problem->identity.fingerprint;
    tags[count++] = problem->identity.firing;
    for (size_t i = 0; i < problem->also_fingerprint_count && count < MAX_OWN_TAGS; i++)
        tags[count++] = problem->also_fingerprints[i];
    return count;
}

static bool call_create(struct devin *devin, struct arena *mem)
{
    struct view tags[MAX_TAGS];
    struct session_request request = {
        .prompt = devin->request->prompt,
        .title = devin->request->title,
        .playbook_id = playbook_to_send(devin),
        .tags = tags,
        .tag_count = collect_tags(devin, tags),
        .is_idempotent = !devin->is_plain,
    };
    return api_create(&devin->api, &devin->settings->options, &request, mem, &devin->call);
}

static struct devin_next answered_create(struct devin *devin, const struct turn *turn)
{
    bool has_firing = devin->request->problem->identity.has_firing;
    if (devin->session.is_new)
        return finish(devin, RESULT_CREATED);
    return has_firing ? finish(devin, RESULT_EXISTING) : go_to(devin, STAGE_CHECK, turn);
}

static bool is_about_playbook(const struct answer *answer)
{
    return (answer->status == 400 || answer->status == 404 || answer->status == 422)
           && api_speaks_of_playbook(answer->body);
}

/* A create that answers 2xx without a session has probably made one. */
static bool may_be_done(const struct answer *answer)
{
    return is_success(answer) || devin_trouble(answer) == TROUBLE_UNCLEAR;
}

static struct devin_next failed_create(struct devin *devin, const struct turn *turn)
{
    const struct devin_settings *settings = devin->settings;
    devin->creates = devin->tries;
    if (turn->answer->kind == ANSWER_HTTP && is_about_playbook(turn->answer)
        && playbook_to_send(devin).len > 0) {
        devin->is_without_playbook = true;
        devin->creates = 0;
        note(devin, "playbook", "Devin refuses it: the session goes without", turn->mem);
        return go_to(devin, STAGE_CREATE, turn);
    }
    if (!devin->call.is_once || !may_be_done(turn->answer))
        return FAILED;
    long long wait_ms =
        retry_wait_ms(&settings->retry, REPEAT_FREELY, devin->tries, TROUBLE_UNCLEAR,
                      turn->answer->retry_after_ms, turn->left_ms, spread_of(devin));
    devin->may_create_again = wait_ms != NO_RETRY && turn->why->kind != FAIL_DEVIN_UNCLEAR;
    if (wait_ms == NO_RETRY)
        wait_ms = settings->retry.first_ms;
    if (turn->left_ms <= wait_ms)
        return FAILED;
    devin->create_failure = *turn->why;
    devin->stage = STAGE_CONFIRM;
    devin->tries = 0;
    if (!call_lookup(devin, turn->mem)) {
        no_memory(turn->why);
        return FAILED;
    }
    return (struct devin_next){ DEVIN_WAIT, wait_ms };
}

/* --- confirm --------------------------------------------------------------------------------- */

/* Without a firing all sessions of the problem have the same tag: those that were there do not count. */
static bool is_the_new_one(const struct devin *devin, const struct session *session)
{
    bool has_firing = devin->request->problem->identity.has_firing;
    bool was_found = devin->has_found && api_same_id(session->id, devin->found.id);
    return has_tag(session, lookup_tag(devin))
           && (has_firing || (!session->has_ended && !was_found));
}

/* Not knowing is no reason to pay for a second session. */
static struct devin_next failed_confirm(struct devin *devin, const struct turn *turn)
{
    *turn->why = devin->create_failure;
    return FAILED;
}

static struct devin_next answered_confirm(struct devin *devin, const struct turn *turn)
{
    for (const struct cJSON *item = api_sessions_of(turn->body); item != NULL;
         item = json_next(item)) {
        struct session session;
        if (!api_read_session(item, turn->mem, &session) || !is_the_new_one(devin, &session))
            continue;
        devin->session = session;
        return finish(devin, RESULT_CREATED);
    }
    return devin->may_create_again ? go_to(devin, STAGE_CREATE, turn) : failed_confirm(devin, turn);
}

/* --- check ----------------------------------------------------------------------------------- */

static struct devin_next answered_check(struct devin *devin, const struct turn *turn)
{
    struct session now;
    if (!api_read_session(turn->body, turn->mem, &now) || !now.has_ended
        || is_of_firing(devin, &now))
        return finish(devin, RESULT_EXISTING);
    devin->is_plain = true;
    devin->creates = 0;
    return go_to(devin, devin->request->has_identity ? STAGE_CREATE : STAGE_LOOKUP, turn);
}

static struct devin_next failed_check(struct devin *devin, const struct turn *turn)
{
    note(devin, "session", "its state could not be read", turn->mem);
    return finish(devin, RESULT_EXISTING);
}

/* --- messages -------------------------------------------------------------------------------- */

static bool call_count(struct devin *devin, struct arena *mem)
{
    return api_list_messages(&devin->api, devin->session.id, mem, &devin->call);
}

static struct devin_next no_message(struct devin *devin, const char *why, const struct turn *turn)
{
    note(devin, "message", why, turn->mem);
    if (devin->request->goal == GOAL_RESOLVE)
        return finish(devin, RESULT_NOTHING);
    return tag_session(devin, turn);
}

static struct devin_next answered_count(struct devin *devin, const struct turn *turn)
{
    size_t sent = api_count_messages(turn->body, VIEW(DEVIN_MESSAGE_MARK));
    if (sent >= (size_t)devin->settings->max_messages)
        return no_message(devin, "the session has had MAX_MESSAGES_PER_SESSION", turn);
    return go_to(devin, STAGE_MESSAGE, turn);
}

static struct devin_next failed_count(struct devin *devin, const struct turn *turn)
{
    return no_message(devin, "the session's messages could not be counted", turn);
}

static bool call_message(struct devin *devin, struct arena *mem)
{
    return api_message(&devin->api, devin->session.id, devin->request->message, mem, &devin->call);
}

static struct devin_next answered_message(struct devin *devin, const struct turn *turn)
{
    if (json_at(turn->body, "detail") != NULL)
        note(devin, "message", "perhaps not delivered: the session was suspended", turn->mem);
    devin->result = RESULT_MESSAGED;
    if (devin->request->goal == GOAL_RESOLVE)
        return DONE;
    return tag_session(devin, turn);
}

/* The session is there all the same; only a message that is the whole point may fail. */
static struct devin_next failed_message(struct devin *devin, const struct turn *turn)
{
    if (devin->request->goal == GOAL_RESOLVE)
        return FAILED;
    return no_message(devin, "was not delivered, or nobody knows", turn);
}

static struct devin_next failed_tag(struct devin *devin, const struct turn *turn)
{
    note(devin, "tags", "could not be set", turn->mem);
    return tagged(devin, turn);
}

/* --- the table ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct stage stages[STAGE_TAG + 1] = {
    [STAGE_ORG]      = { REPEAT_FREELY,      false, call_org,       answered_org,       failed_for_good },
    [STAGE_PLAYBOOK] = { REPEAT_NEVER,       true,  call_playbooks, answered_playbooks, failed_playbooks },
    [STAGE_TOLD]     = { REPEAT_NEVER,       true,  call_get,       answered_told,      failed_told },
    [STAGE_LOOKUP]   = { REPEAT_NEVER,       true,  call_lookup,    answered_lookup,    failed_lookup },
    [STAGE_CREATE]   = { REPEAT_FREELY,      false, call_create,    answered_create,    failed_create },
    [STAGE_CONFIRM]  = { REPEAT_NEVER,       true,  call_lookup,    answered_confirm,   failed_confirm },
    [STAGE_CHECK]    = { REPEAT_NEVER,       true,  call_get,       answered_check,     failed_check },
    [STAGE_COUNT]    = { REPEAT_NEVER,       true,  call_count,     answered_count,     failed_count },
    [STAGE_MESSAGE]  = { REPEAT_IF_NOT_DONE, false, call_message,   answered_message,   failed_message },
    [STAGE_TAG]      = { REPEAT_NEVER,       true,  call_tag,       tagged,             failed_tag },
};
/* clang-format on */

bool devin_create_call(const struct devin_request *request, const struct devin_settings *settings,
                       struct arena *mem, struct call *out)
{
    struct devin devin = {
        .settings = settings,
        .request = request,
        .known = { .playbook = { .state = PLAYBOOK_UNREADABLE } },
        .api = settings->api,
    };
    bool is_built = call_create(&devin, mem);
    *out = devin.call;
    return is_built;
}

bool devin_begin(struct devin *devin, const struct devin_settings *settings,
                 const struct devin_request *request, const struct devin_known *known,
                 struct arena *mem, struct failure *why)
{
    *devin = (struct devin){
        .settings = settings,
        .request = request,
        .known = *known,
        .api = settings->api,
        .result = RESULT_NOTHING,
        .session = { .id = request->told.id, .url = request->told.url },
        .is_told = request->told.id.len > 0,
    };
    if (devin->api.org.len == 0)
        devin->api.org = known->org;
    devin->stage = wants_org(devin) ? STAGE_ORG : stage_after_org(devin);
    return stages[devin->stage].call(devin, mem) || no_memory(why);
}

/* A 2xx without what was asked for has not answered: no list, say, is not an empty one. */
static bool has_answered(struct devin *devin, const struct turn *turn)
{
    if (!is_success(turn->answer))
        return false;
    switch (devin->stage) {
    case STAGE_ORG:
        return json_kind(turn->body) == JSON_OBJECT;
    case STAGE_PLAYBOOK:
        return api_is_playbooks(turn->body);
    case STAGE_LOOKUP:
    case STAGE_CONFIRM:
        return api_is_sessions(turn->body);
    case STAGE_CREATE:
        return api_read_session(turn->body, turn->mem, &devin->session);
    case STAGE_TOLD:
    case STAGE_CHECK:
    case STAGE_COUNT:
    case STAGE_MESSAGE:
    case STAGE_TAG:
        break;
    }
    return true;
}

/*
 * A create that must not be done twice is only repeated when it surely was not done.  A look-up that must
 * succeed before it is repeated.
 */
static enum repeat repeat_of(const struct devin *devin)
{
    if (devin->stage == STAGE_CREATE && devin->call.is_once)
        return REPEAT_IF_NOT_DONE;
    bool is_needed = devin->stage == STAGE_LOOKUP && can_wait(devin);
    return is_needed ? REPEAT_FREELY : stages[devin->stage].repeat;
}

static struct devin_next on_answer(struct devin *devin, const struct turn *turn)
{
    const struct stage *stage = &stages[devin->stage];
    if (has_answered(devin, turn))
        return stage->answered(devin, turn);
    devin_fail(turn->answer, turn->body, turn->mem, turn->why);
    long long wait_ms = retry_wait_ms(&devin->settings->retry, repeat_of(devin), devin->tries,
                                      devin_trouble(turn->answer), turn->answer->retry_after_ms,
                                      turn->left_ms, spread_of(devin));
    if (wait_ms != NO_RETRY)
        return (struct devin_next){ DEVIN_WAIT, wait_ms };
    return stage->failed(devin, turn);
}

struct devin_next devin_step(struct devin *devin, const struct answer *last, long long left_ms,
                             struct arena *mem, struct failure *why)
{
    struct json json = { 0 };
    struct failure not_json = { 0 };
    struct turn turn = { last, NULL, left_ms, mem, why };
    if (last == NULL && left_ms > 0)
        return send_now(devin, left_ms);
    if (last == NULL) {
        fail(why, FAIL_DEVIN_UNREACHABLE, "no time was left to call Devin");
        return devin->is_told ? failed_told(devin, &turn) : FAILED;
    }
    if (!json_read(last->body, mem, &json, &not_json))
        json = (struct json){ 0 };
    turn.body = json.root;
    struct devin_next next = on_answer(devin, &turn);
    if (next.move == DEVIN_FAILED && devin->is_told)
        next = failed_told(devin, &turn);
    json_free(&json);
    if (!arena_ok(mem) || not_json.kind == FAIL_INTERNAL) {
        no_memory(why);
        return FAILED;
    }
    return next;
}
