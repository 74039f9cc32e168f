/*
 * The v1 API of the Devin stand-in.  What its documentation leaves open is decided here: several
 * tags mean OR, lists are newest first, a message wakes a finished or blocked session, is not
 * delivered to a suspended one and is refused by an expired one.
 */
#include "support/devin_exchange.h"

/* clang-format off */
static const struct member create_members[] = {
    { "prompt",                   { .kind = JSON_TEXT,   .is_required = true } },
    { "idempotent",               { .kind = JSON_BOOL } },
    { "playbook_id",              { .kind = JSON_TEXT,   .is_nullable = true } },
    { "title",                    { .kind = JSON_TEXT,   .is_nullable = true } },
    { "tags",                     { .kind = JSON_LIST,   .is_nullable = true, .max = MOST_TAGS, .item = &devin_any_text } },
    { "max_acu_limit",            { .kind = JSON_NUMBER, .is_nullable = true, .min = 1 } },
    { "snapshot_id",              { .kind = JSON_TEXT,   .is_nullable = true } },
    { "unlisted",                 { .kind = JSON_BOOL } },
    { "knowledge_ids",            { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "secret_ids",               { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "session_secrets",          { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_secret } },
    { "structured_output_schema", { .kind = JSON_OBJECT } },
    { NULL,                       { 0 } },
};
static const struct shape create_body = { .kind = JSON_OBJECT, .is_required = true, .inner = create_members };

static const struct member message_members[] = {
    { "message", { .kind = JSON_TEXT, .is_required = true } },
    { NULL,      { 0 } },
};
static const struct shape message_body = { .kind = JSON_OBJECT, .is_required = true, .inner = message_members };

static const struct member playbook_members[] = {
    { "title", { .kind = JSON_TEXT, .is_required = true, .min = 1 } },
    { "body",  { .kind = JSON_TEXT, .is_required = true, .min = 1 } },
    { "macro", { .kind = JSON_TEXT, .is_nullable = true } },
    { NULL,    { 0 } },
};
static const struct shape playbook_body = { .kind = JSON_OBJECT, .is_required = true, .inner = playbook_members };
/* clang-format on */

/* --- sessions ----------------------------------------------------------------------------- */

/* NULL: answered 404, or 403 for one that was made by v3. */
static struct session *find(struct exchange *ex)
{
    struct session *session = memory_find_session(&ex->devin->memory, ex->id);
    if (session != NULL && session->api == API_V1)
        return session;
    if (session == NULL)
        exchange_refuse(ex, 404, "Session not found");
    else
        exchange_refuse(ex, 403, "Not authorized to access this session");
    return NULL;
}

static void put_id(struct exchange *ex, const struct session *session)
{
    struct text id = text_in(&ex->mem, 64);
    if (!view_starts(session->id, VIEW("session_")))
        text_add_string(&id, "devin-");
    text_add(&id, session->id);
    json_put_text(&ex->writer, "session_id", text_view(&id));
}

static void put_created(struct exchange *ex, const struct session *session, bool is_idempotent,
                        bool is_new)
{
    json_open(&ex->writer, NULL, '{');
    put_id(ex, session);
    if (!ex->fault.no_url)
        exchange_put_url(ex, session);
    if (is_idempotent)
        json_put_bool(&ex->writer, "is_new_session", is_new);
    json_close(&ex->writer, '}');
}

static void create_session(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    if (!exchange_body_is(ex, &create_body) || !exchange_playbook_is_known(ex))
        return;
    bool is_idempotent = json_is_true(json_at(ex->json.root, "idempotent"));
    struct session *old = is_idempotent ? memory_same_session(memory, ex->body) : NULL;
    struct session *session = old;
    if (session == NULL)
        session = memory_add_session(memory, API_V1, VIEW(""), &ex->json, ex->call->body);
    if (session == NULL)
        exchange_refuse_memory(ex);
    else
        put_created(ex, session, is_idempotent, old == NULL);
}

/* What get and list have in common; the object stays open. */
static void open_session(struct exchange *ex, const struct session *session)
{
    const struct cJSON *request = session->request.root;
    struct json_writer *writer = &ex->writer;
    struct state state = memory_state(session);
    json_open(writer, NULL, '{');
    put_id(ex, session);
    json_put_text(writer, "status", state.status);
    exchange_put_or_null(ex, "status_enum", state.status_enum);
    json_put_text(writer, "created_at", exchange_iso(ex, session->created_us));
    json_put_text(writer, "updated_at", exchange_iso(ex, session->updated_us));
    json_put_text(writer, "title", session->title);
    if (session->tag_count > 0)
        exchange_put_tags(ex, session);
    else
        json_put_null(writer, "tags");
    json_put_node(writer, "playbook_id", json_at(request, "playbook_id"));
    json_put_node(writer, "snapshot_id", json_at(request, "snapshot_id"));
    json_put_null(writer, "pull_request");
    json_put_null(writer, "structured_output");
}

static void put_messages(struct exchange *ex, const struct session *session)
{
    json_open(&ex->writer, "messages", '[');
    for (const struct message *m = session->first; m != NULL; m = m->next) {
        struct text event = text_in(&ex->mem, 64);
        text_add_string(&event, "event-");
        text_add(&event, view_cap(session->id, 8));
        text_add_char(&event, '-');
        text_add_number(&event, m->number);
        json_open(&ex->writer, NULL, '{');
        json_put_text(&ex->writer, "type",
                      m == session->first ? VIEW("initial_user_message") : VIEW("user_message"));
        json_put_text(&ex->writer, "event_id", text_view(&event));
        json_put_text(&ex->writer, "message", m->text);
        json_put_text(&ex->writer, "timestamp", exchange_iso(ex, m->time_us));
        json_close(&ex->writer, '}');
    }
    json_close(&ex->writer, ']');
}

void devin_v1_put_session(struct exchange *ex, const struct session *session)
{
    open_session(ex, session);
    exchange_put_url(ex, session);
    put_messages(ex, session);
    json_close(&ex->writer, '}');
}

static void read_session(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL)
        return;
    session->reads += !ex->devin->memory.options.works_on;
    devin_v1_put_session(ex, session);
}

static void list_sessions(struct exchange *ex)
{
    struct view tags[MOST_TAGS];
    size_t tag_count = exchange_values(ex, "tags", tags, MOST_TAGS);
    long long limit = 100, offset = 0;
    if (!exchange_number(ex, "limit", 1, 1000, &limit)
        || !exchange_number(ex, "offset", 0, 1000000000, &offset))
        return;
    json_open(&ex->writer, NULL, '{');
    json_open(&ex->writer, "sessions", '[');
    for (const struct session *s = ex->devin->memory.newest; s != NULL && limit > 0; s = s->older) {
        if (s->api != API_V1 || !exchange_wants_tags(s, tags, tag_count) || offset-- > 0)
            continue;
        open_session(ex, s);
        json_put_null(&ex->writer, "requesting_user_email");
        json_close(&ex->writer, '}');
        limit--;
    }
    json_close(&ex->writer, ']');
    json_close(&ex->writer, '}');
}

static void put_detail(struct exchange *ex, const char *detail)
{
    json_open(&ex->writer, NULL, '{');
    json_put_text(&ex->writer, "detail", view_of(detail));
    json_close(&ex->writer, '}');
}

static void send_message(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL || !exchange_body_is(ex, &message_body))
        return;
    struct state state = memory_state(session);
    if (view_starts(state.status_enum, VIEW("suspend"))
        || view_starts(state.status, VIEW("suspend")))
        put_detail(ex, "Session is suspended");
    else if (view_equal(state.status_enum, VIEW("expired"))
             || view_equal(state.status, VIEW("expired")))
        exchange_refuse(ex, 400, "Session is not running");
    else if (memory_add_message(&ex->devin->memory, session,
                                json_text(json_at(ex->json.root, "message"))))
        json_put_null(&ex->writer, NULL);
    else
        exchange_refuse_memory(ex);
}

static void replace_tags(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL || !exchange_body_is(ex, &devin_tags_body))
        return;
    session->tag_count = 0;
    memory_add_tags(&ex->devin->memory, session, json_at(ex->json.root, "tags"));
    put_detail(ex, "Tags updated successfully");
}

/* --- playbooks ---------------------------------------------------------------------------- */

static void put_playbook(struct exchange *ex, const struct playbook *playbook)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '{');
    json_put_text(writer, "playbook_id", playbook->id);
    json_put_text(writer, "title", playbook->title);
    json_put_text(writer, "body", playbook->body);
    json_put_text(writer, "status", VIEW("published"));
    json_put_text(writer, "access_type", VIEW("team"));
    exchange_put_or_null(ex, "org_id", ex->devin->memory.options.org_id);
    json_put_text(writer, "created_at", exchange_iso(ex, playbook->created_us));
    json_put_text(writer, "updated_at", exchange_iso(ex, playbook->updated_us));
    exchange_put_or_null(ex, "macro", playbook->macro);
    json_close(writer, '}');
}

static void list_playbooks(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    bool is_wrapped = memory->options.playbooks_as_items;
    if (is_wrapped)
        json_open(&ex->writer, NULL, '{');
    json_open(&ex->writer, is_wrapped ? "items" : NULL, '[');
    for (const struct playbook *p = memory->first_playbook; p != NULL; p = p->next)
        put_playbook(ex, p);
    json_close(&ex->writer, ']');
    if (is_wrapped)
        json_close(&ex->writer, '}');
}

static void read_playbook(struct exchange *ex)
{
    const struct playbook *playbook = exchange_playbook(ex);
    if (playbook != NULL)
        put_playbook(ex, playbook);
}

static void create_playbook(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    if (!exchange_body_is(ex, &playbook_body))
        return;
    struct playbook *playbook = memory_add_playbook(memory, VIEW(""));
    if (playbook != NULL && memory_fill_playbook(memory, playbook, ex->json.root))
        put_playbook(ex, playbook);
    else
        exchange_refuse_memory(ex);
}

static void update_playbook(struct exchange *ex)
{
    struct playbook *playbook = exchange_playbook(ex);
    if (playbook == NULL || !exchange_body_is(ex, &playbook_body))
        return;
    if (!memory_fill_playbook(&ex->devin->memory, playbook, ex->json.root)) {
        exchange_refuse_memory(ex);
        return;
    }
    json_open(&ex->writer, NULL, '{');
    json_put_text(&ex->writer, "status", VIEW("success"));
    json_close(&ex->writer, '}');
}

/* clang-format off */
const struct devin_route devin_v1_routes[] = {
    { "POST", "/v1/sessions",              create_session  },
    { "GET",  "/v1/sessions",              list_sessions   },
    { "GET",  "/v1/sessions/{id}",         read_session    },
    { "POST", "/v1/sessions/{id}/message", send_message    },
    { "PUT",  "/v1/sessions/{id}/tags",    replace_tags    },
    { "GET",  "/v1/playbooks",             list_playbooks  },
    { "POST", "/v1/playbooks",             create_playbook },
    { "GET",  "/v1/playbooks/{id}",        read_playbook   },
    { "PUT",  "/v1/playbooks/{id}",        update_playbook },
    { NULL,   NULL,                        NULL            },
};
/* clang-format on */
