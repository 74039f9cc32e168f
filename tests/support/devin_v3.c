/*
 * The v3 API of the Devin stand-in.  What its documentation leaves open is decided here: members
 * that are not documented are refused, several tags mean OR, sessions come newest first and the
 * rest oldest first, a session that has ended or is archived answers a message with 409.
 */
#include "support/devin_exchange.h"

#include <stddef.h>

/* clang-format off */
static const char *const modes[] = { "normal", "fast", "lite", "ultra", "fusion", NULL };

static const struct member create_members[] = {
    { "prompt",                     { .kind = JSON_TEXT,   .is_required = true } },
    { "title",                      { .kind = JSON_TEXT,   .is_nullable = true } },
    { "playbook_id",                { .kind = JSON_TEXT,   .is_nullable = true } },
    { "child_playbook_id",          { .kind = JSON_TEXT,   .is_nullable = true } },
    { "create_as_user_id",          { .kind = JSON_TEXT,   .is_nullable = true } },
    { "platform",                   { .kind = JSON_TEXT,   .is_nullable = true } },
    { "tags",                       { .kind = JSON_LIST,   .is_nullable = true, .max = MOST_TAGS, .item = &devin_any_text } },
    { "knowledge_ids",              { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "secret_ids",                 { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "repos",                      { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "session_links",              { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "attachment_urls",            { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_text } },
    { "max_acu_limit",              { .kind = JSON_NUMBER, .is_nullable = true } },
    { "session_secrets",            { .kind = JSON_LIST,   .is_nullable = true, .item = &devin_any_secret } },
    { "structured_output_schema",   { .kind = JSON_OBJECT, .is_nullable = true } },
    { "structured_output_required", { .kind = JSON_BOOL,   .is_nullable = true } },
    { "bypass_approval",            { .kind = JSON_BOOL,   .is_nullable = true } },
    { "devin_mode",                 { .kind = JSON_TEXT,   .is_nullable = true, .words = modes } },
    { NULL,                         { 0 } },
};
static const struct shape create_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = create_members };

static const struct member message_members[] = {
    { "message",            { .kind = JSON_TEXT, .is_required = true } },
    { "attachment_urls",    { .kind = JSON_LIST, .is_nullable = true, .item = &devin_any_text } },
    { "message_as_user_id", { .kind = JSON_TEXT, .is_nullable = true } },
    { NULL,                 { 0 } },
};
static const struct shape message_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = message_members };

static const struct member playbook_members[] = {
    { "title",                    { .kind = JSON_TEXT,   .is_required = true } },
    { "body",                     { .kind = JSON_TEXT,   .is_required = true } },
    { "macro",                    { .kind = JSON_TEXT,   .is_nullable = true } },
    { "structured_output_schema", { .kind = JSON_OBJECT, .is_nullable = true } },
    { NULL,                       { 0 } },
};
static const struct shape playbook_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = playbook_members };
/* clang-format on */

static const struct view principal = { "service-user-0123456789abcdef0123456789abcdef", 45 };

/* --- pages of a list ------------------------------------------------------------------------ */

/* A cursor is the number of the last item that was shown. */
struct page {
    long long room, after; /* `after` 0: from the start */
    long long last;
    int total;
    bool has_more;
};

static bool read_cursor(struct exchange *ex, long long *after)
{
    struct view cursor, mark, number;
    if (exchange_values(ex, "after", &cursor, 1) == 0 || cursor.len == 0)
        return true;
    if (view_cut(cursor, '-', &mark, &number) && view_equal(mark, VIEW("cursor"))
        && view_to_number(number, 1, 1000000000, after))
        return true;
    exchange_refuse(ex, 400, "Invalid cursor");
    return false;
}

static bool open_page(struct exchange *ex, struct page *page)
{
    int page_size = ex->devin->memory.options.page_size;
    *page = (struct page){ .room = 100 };
    if (!exchange_number(ex, "first", 1, 200, &page->room) || !read_cursor(ex, &page->after))
        return false;
    if (page_size > 0 && page->room > page_size)
        page->room = page_size;
    json_open(&ex->writer, NULL, '{');
    json_open(&ex->writer, "items", '[');
    return true;
}

/* Whether the item with that number is to be shown; it passed all filters. */
static bool page_takes(struct page *page, long long number, bool is_newest_first)
{
    bool is_beyond = is_newest_first ? number < page->after : number > page->after;
    page->total++;
    if (page->after != 0 && !is_beyond)
        return false;
    page->has_more = page->room == 0;
    if (page->has_more)
        return false;
    page->room--;
    page->last = number;
    return true;
}

static void close_page(struct exchange *ex, const struct page *page)
{
    struct text cursor = text_in(&ex->mem, 64);
    json_close(&ex->writer, ']');
    json_put_bool(&ex->writer, "has_next_page", page->has_more);
    if (page->has_more) {
        text_add_string(&cursor, "cursor-");
        text_add_number(&cursor, page->last);
    }
    exchange_put_or_null(ex, "end_cursor", text_view(&cursor));
    json_put_number(&ex->writer, "total", page->total);
    json_close(&ex->writer, '}');
}

/* --- sessions ----------------------------------------------------------------------------- */

/* NULL: answered 404; so is an id without the "devin-" that a path must have. */
static struct session *find(struct exchange *ex)
{
    struct session *session = memory_find_session(&ex->devin->memory, ex->id);
    bool is_named_right =
        view_starts(ex->id, VIEW("devin-")) || view_starts(ex->id, VIEW("session_"));
    if (session != NULL && is_named_right && session->api == API_V3
        && view_equal(session->org, ex->org))
        return session;
    exchange_refuse(ex, 404, "Session not found");
    return NULL;
}

static void put_id(struct exchange *ex, const struct session *session)
{
    struct text id = text_in(&ex->mem, 64);
    if (!ex->devin->memory.options.bare_ids && !view_starts(session->id, VIEW("session_")))
        text_add_string(&id, "devin-");
    text_add(&id, session->id);
    json_put_text(&ex->writer, "session_id", text_view(&id));
}

static void put_state(struct exchange *ex, const struct session *session, bool has_detail)
{
    struct state state = memory_state(session);
    json_put_text(&ex->writer, "status", state.status);
    if (!has_detail)
        return;
    exchange_put_or_null(ex, "status_detail", state.detail);
    json_put_null(&ex->writer, "structured_output");
}

/* `has_detail`: get and list, which alone know the details. */
void devin_v3_put_session(struct exchange *ex, const struct session *session, bool has_detail)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '{');
    put_id(ex, session);
    if (!ex->fault.no_url)
        exchange_put_url(ex, session);
    put_state(ex, session, has_detail);
    exchange_put_tags(ex, session);
    json_put_text(writer, "org_id", session->org);
    json_put_number(writer, "created_at", session->created_us / 1000000);
    json_put_number(writer, "updated_at", session->updated_us / 1000000);
    json_put_number(writer, "acus_consumed", 0);
    json_open(writer, "pull_requests", '[');
    json_close(writer, ']');
    json_put_text(writer, "title", session->title);
    json_put_node(writer, "playbook_id", json_at(session->request.root, "playbook_id"));
    json_put_bool(writer, "is_archived", session->is_archived);
    json_put_text(writer, "service_user_id", principal);
    json_put_text(writer, "origin", VIEW("api"));
    json_close(writer, '}');
}

static void create_session(struct exchange *ex)
{
    if (!exchange_body_is(ex, &create_body) || !exchange_playbook_is_known(ex))
        return;
    struct session *session =
        memory_add_session(&ex->devin->memory, API_V3, ex->org, &ex->json, ex->call->body);
    if (session == NULL)
        exchange_refuse_memory(ex);
    else
        devin_v3_put_session(ex, session, false);
}

static void read_session(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL)
        return;
    session->reads += !ex->devin->memory.options.works_on;
    devin_v3_put_session(ex, session, true);
}

struct filter {
    struct view tags[MOST_TAGS], ids[MOST_TAGS], is_archived;
    size_t tag_count, id_count;
    long long created_after, created_before, updated_after, updated_before; /* seconds */
};

static bool read_filter(struct exchange *ex, struct filter *filter)
{
    static const long long most = 4102444800; /* the year 2100 */
    *filter = (struct filter){ .created_before = most, .updated_before = most };
    filter->tag_count = exchange_values(ex, "tags", filter->tags, MOST_TAGS);
    filter->id_count = exchange_values(ex, "session_ids", filter->ids, MOST_TAGS);
    exchange_values(ex, "is_archived", &filter->is_archived, 1);
    return exchange_number(ex, "created_after", 0, most, &filter->created_after)
           && exchange_number(ex, "created_before", 0, most, &filter->created_before)
           && exchange_number(ex, "updated_after", 0, most, &filter->updated_after)
           && exchange_number(ex, "updated_before", 0, most, &filter->updated_before);
}

static bool is_named(const struct session *session, const struct filter *filter)
{
    for (size_t i = 0; i < filter->id_count; i++) {
        struct view id = filter->ids[i];
        if (view_equal(view_skip(id, view_starts(id, VIEW("devin-")) ? 6 : 0), session->id))
            return true;
    }
    return filter->id_count == 0;
}

static bool passes(const struct session *session, const struct filter *filter)
{
    long long created = session->created_us / 1000000;
    long long updated = session->updated_us / 1000000;
    bool is_wanted_archived = view_equal_fold(filter->is_archived, VIEW("true"));
    return is_named(session, filter)
           && (filter->is_archived.len == 0 || is_wanted_archived == session->is_archived)
           && created >= filter->created_after && created <= filter->created_before
           && updated >= filter->updated_after && updated <= filter->updated_before
           && exchange_wants_tags(session, filter->tags, filter->tag_count);
}

static void list_sessions(struct exchange *ex)
{
    struct filter filter;
    struct page page;
    if (!read_filter(ex, &filter) || !open_page(ex, &page))
        return;
    for (const struct session *s = ex->devin->memory.newest; s != NULL; s = s->older)
        if (s->api == API_V3 && view_equal(s->org, ex->org) && passes(s, &filter)
            && page_takes(&page, s->number, true))
            devin_v3_put_session(ex, s, true);
    close_page(ex, &page);
}

/* --- messages and tags ---------------------------------------------------------------------- */

static void send_message(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL || !exchange_body_is(ex, &message_body))
        return;
    struct view status = memory_state(session).status;
    if (session->is_archived || view_equal(status, VIEW("exit"))
        || view_equal(status, VIEW("error")))
        exchange_refuse(ex, 409, "Session has ended and cannot be resumed");
    else if (memory_add_message(&ex->devin->memory, session,
                                json_text(json_at(ex->json.root, "message"))))
        devin_v3_put_session(ex, session, false);
    else
        exchange_refuse_memory(ex);
}

static void put_message(struct exchange *ex, const struct session *session,
                        const struct message *message)
{
    struct text event = text_in(&ex->mem, 64);
    text_add_string(&event, "event-");
    text_add(&event, view_cap(session->id, 8));
    text_add_char(&event, '-');
    text_add_number(&event, message->number);
    json_open(&ex->writer, NULL, '{');
    json_put_text(&ex->writer, "event_id", text_view(&event));
    json_put_text(&ex->writer, "source", VIEW("user"));
    json_put_text(&ex->writer, "message", message->text);
    json_put_number(&ex->writer, "created_at", message->time_us / 1000000);
    json_close(&ex->writer, '}');
}

static void list_messages(struct exchange *ex)
{
    const struct session *session = find(ex);
    struct page page;
    if (session == NULL || !open_page(ex, &page))
        return;
    for (const struct message *m = session->first; m != NULL; m = m->next)
        if (page_takes(&page, m->number, false))
            put_message(ex, session, m);
    close_page(ex, &page);
}

static void answer_tags(struct exchange *ex, const struct session *session)
{
    json_open(&ex->writer, NULL, '{');
    exchange_put_tags(ex, session);
    json_close(&ex->writer, '}');
}

static void replace_tags(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL || !exchange_body_is(ex, &devin_tags_body))
        return;
    session->tag_count = 0;
    memory_add_tags(&ex->devin->memory, session, json_at(ex->json.root, "tags"));
    answer_tags(ex, session);
}

/* All of them or, when they are too many together, none. */
static void add_tags(struct exchange *ex)
{
    struct session *session = find(ex);
    if (session == NULL || !exchange_body_is(ex, &devin_tags_body))
        return;
    size_t before = session->tag_count;
    if (memory_add_tags(&ex->devin->memory, session, json_at(ex->json.root, "tags"))) {
        answer_tags(ex, session);
        return;
    }
    session->tag_count = before;
    exchange_complain(ex, "body", "tags", "too_long", "A session has at most 50 tags");
}

/* --- playbooks ---------------------------------------------------------------------------- */

static void put_playbook(struct exchange *ex, const struct playbook *playbook)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '{');
    json_put_text(writer, "playbook_id", playbook->id);
    json_put_text(writer, "title", playbook->title);
    json_put_text(writer, "body", playbook->body);
    exchange_put_or_null(ex, "macro", playbook->macro);
    json_put_text(writer, "access_type", VIEW("org"));
    json_put_text(writer, "org_id", ex->org);
    json_put_number(writer, "created_at", playbook->created_us / 1000000);
    json_put_number(writer, "updated_at", playbook->updated_us / 1000000);
    json_put_text(writer, "created_by", principal);
    json_put_text(writer, "updated_by", principal);
    json_put_null(writer, "structured_output_schema");
    json_close(writer, '}');
}

static void list_playbooks(struct exchange *ex)
{
    struct page page;
    if (!open_page(ex, &page))
        return;
    for (const struct playbook *p = ex->devin->memory.first_playbook; p != NULL; p = p->next)
        if (page_takes(&page, p->number, false))
            put_playbook(ex, p);
    close_page(ex, &page);
}

static void read_playbook(struct exchange *ex)
{
    const struct playbook *playbook = exchange_playbook(ex);
    if (playbook != NULL)
        put_playbook(ex, playbook);
}

static void fill_playbook(struct exchange *ex, struct playbook *playbook)
{
    if (playbook != NULL && memory_fill_playbook(&ex->devin->memory, playbook, ex->json.root))
        put_playbook(ex, playbook);
    else
        exchange_refuse_memory(ex);
}

static void create_playbook(struct exchange *ex)
{
    if (exchange_body_is(ex, &playbook_body))
        fill_playbook(ex, memory_add_playbook(&ex->devin->memory, VIEW("")));
}

static void update_playbook(struct exchange *ex)
{
    struct playbook *playbook = exchange_playbook(ex);
    if (playbook != NULL && exchange_body_is(ex, &playbook_body))
        fill_playbook(ex, playbook);
}

/* --- who am I ----------------------------------------------------------------------------- */

static void tell_self(struct exchange *ex)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '{');
    json_put_text(writer, "principal_type", VIEW("service_user"));
    json_put_text(writer, "service_user_id", principal);
    json_put_text(writer, "service_user_name", VIEW("Stand-in"));
    exchange_put_or_null(ex, "org_id", ex->devin->memory.options.org_id);
    json_close(writer, '}');
}

/* clang-format off */
#define ORG "/v3/organizations/{org}"

const struct devin_route devin_v3_routes[] = {
    { "GET",  "/v3/self",                   tell_self       },
    { "POST", ORG "/sessions",              create_session  },
    { "GET",  ORG "/sessions",              list_sessions   },
    { "GET",  ORG "/sessions/{id}",         read_session    },
    { "POST", ORG "/sessions/{id}/messages", send_message   },
    { "GET",  ORG "/sessions/{id}/messages", list_messages  },
    { "PUT",  ORG "/sessions/{id}/tags",    replace_tags    },
    { "POST", ORG "/sessions/{id}/tags",    add_tags        },
    { "GET",  ORG "/playbooks",             list_playbooks  },
    { "POST", ORG "/playbooks",             create_playbook },
    { "GET",  ORG "/playbooks/{id}",        read_playbook   },
    { "PUT",  ORG "/playbooks/{id}",        update_playbook },
    { NULL,   NULL,                         NULL            },
};
/* clang-format on */
