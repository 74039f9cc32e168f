/* The control endpoint of the Devin stand-in; its contract stands at the top of standin/devin.c. */
#include "support/devin_exchange.h"

/* clang-format off */
static const struct member fault_members[] = {
    { "on",          { .kind = JSON_TEXT,   .min = 1, .max = 1000 } },
    { "status",      { .kind = JSON_NUMBER, .min = 200, .max = 599 } },
    { "body",        { .kind = JSON_TEXT } },
    { "garbage",     { .kind = JSON_BOOL } },
    { "bytes",       { .kind = JSON_NUMBER, .min = 1, .max = MAX_ANSWER_BYTES / 2 } },
    { "drop",        { .kind = JSON_BOOL } },
    { "after",       { .kind = JSON_BOOL } },
    { "delay_ms",    { .kind = JSON_NUMBER, .max = 600000 } },
    { "retry_after", { .kind = JSON_TEXT,   .max = 1000 } },
    { "location",    { .kind = JSON_TEXT,   .max = 1000 } },
    { "no_url",      { .kind = JSON_BOOL } },
    { "repeat",      { .kind = JSON_NUMBER, .min = 1, .max = 1000000 } },
    { NULL,          { 0 } },
};
static const struct shape any_fault   = { .kind = JSON_OBJECT, .is_closed = true, .inner = fault_members };
static const struct shape faults_body = { .kind = JSON_LIST, .is_required = true, .item = &any_fault };

static const struct member state_members[] = {
    { "status",        { .kind = JSON_TEXT,   .is_nullable = true } },
    { "status_detail", { .kind = JSON_TEXT,   .is_nullable = true } },
    { "status_enum",   { .kind = JSON_TEXT,   .is_nullable = true } },
    { "is_archived",   { .kind = JSON_BOOL } },
    { "age_s",         { .kind = JSON_NUMBER, .max = 1000000000 } },
    { NULL,            { 0 } },
};
static const struct shape state_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = state_members };

static const struct member playbook_members[] = {
    { "playbook_id", { .kind = JSON_TEXT } },
    { "title",       { .kind = JSON_TEXT, .is_required = true } },
    { "body",        { .kind = JSON_TEXT } },
    { "macro",       { .kind = JSON_TEXT, .is_nullable = true } },
    { NULL,          { 0 } },
};
static const struct shape any_playbook = { .kind = JSON_OBJECT, .is_closed = true, .inner = playbook_members };

static const char *const id_kinds[] = { "devin", "session", NULL };

static const struct member option_members[] = {
    { "org_id",             { .kind = JSON_TEXT,   .is_nullable = true } },
    { "ids",                { .kind = JSON_TEXT,   .words = id_kinds } },
    { "bare_ids",           { .kind = JSON_BOOL } },
    { "works_on",           { .kind = JSON_BOOL } },
    { "page_size",          { .kind = JSON_NUMBER, .max = 200 } },
    { "playbooks",          { .kind = JSON_LIST,   .item = &any_playbook } },
    { "playbooks_as_items", { .kind = JSON_BOOL } },
    { "strict_playbooks",   { .kind = JSON_BOOL } },
    { "fail_percent",       { .kind = JSON_NUMBER, .max = 100 } },
    { "gone",               { .kind = JSON_BOOL } },
    { NULL,                 { 0 } },
};
static const struct shape options_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = option_members };

static const struct member payload_members[] = {
    { "sessionId", { .kind = JSON_TEXT, .is_required = true, .min = 1, .max = 1000 } },
    { "payload",   { .kind = JSON_TEXT, .is_required = true } },
    { "action",    { .kind = JSON_TEXT, .max = 100 } },
    { NULL,        { 0 } },
};
static const struct shape payload_body = { .kind = JSON_OBJECT, .is_required = true, .is_closed = true, .inner = payload_members };
/* clang-format on */

/* Null when what was asked is done. */
static void answer_done(struct exchange *ex, bool ok)
{
    if (ok)
        json_put_null(&ex->writer, NULL);
    else
        exchange_refuse_memory(ex);
}

/* --- faults and calls ----------------------------------------------------------------------- */

static bool add_fault(struct memory *memory, const struct cJSON *node)
{
    struct fault *fault = arena_get(&memory->mem, sizeof *fault), **end = &memory->first_fault;
    const struct cJSON *repeat = json_at(node, "repeat"), *body = json_at(node, "body");
    if (fault == NULL)
        return false;
    *fault = (struct fault){
        .on = view_keep(json_text(json_at(node, "on")), &memory->mem),
        .status = (int)json_number(json_at(node, "status")),
        .delay_ms = (int)json_number(json_at(node, "delay_ms")),
        .repeat = repeat == NULL ? 1 : (int)json_number(repeat),
        .bytes = (long long)json_number(json_at(node, "bytes")),
        .drop = json_is_true(json_at(node, "drop")),
        .garbage = json_is_true(json_at(node, "garbage")),
        .after = json_is_true(json_at(node, "after")),
        .no_url = json_is_true(json_at(node, "no_url")),
        .has_body = body != NULL,
        .body = view_keep(json_text(body), &memory->mem),
        .retry_after = view_keep(json_text(json_at(node, "retry_after")), &memory->mem),
        .location = view_keep(json_text(json_at(node, "location")), &memory->mem),
    };
    while (*end != NULL)
        end = &(*end)->next;
    *end = fault;
    return fault->on.at != NULL && fault->body.at != NULL && fault->retry_after.at != NULL
           && fault->location.at != NULL;
}

static void script_faults(struct exchange *ex)
{
    bool ok = true;
    if (!exchange_body_is(ex, &faults_body))
        return;
    for (const struct cJSON *f = json_first(ex->json.root); f != NULL; f = json_next(f))
        ok = ok && add_fault(&ex->devin->memory, f);
    answer_done(ex, ok);
}

static void list_calls(struct exchange *ex)
{
    struct json_writer *writer = &ex->writer;
    json_open(writer, NULL, '[');
    for (const struct call *call = ex->devin->memory.first_call; call != NULL; call = call->next) {
        json_open(writer, NULL, '{');
        json_put_text(writer, "method", call->method);
        json_put_text(writer, "path", call->path);
        if (call->query.len > 0)
            json_put_text(writer, "query", call->query);
        json_put_text(writer, "bearer", view_of(call->bearer));
        json_put_bool(writer, "authorized", call->is_authorized);
        json_put_text(writer, "content_type", call->content_type);
        json_put_text(writer, "body", call->body);
        json_put_number(writer, "status", call->status);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* --- sessions ----------------------------------------------------------------------------- */

static void put_session(struct exchange *ex, const struct session *session)
{
    if (session->api == API_V3)
        devin_v3_put_session(ex, session, true);
    else
        devin_v1_put_session(ex, session);
}

static void list_sessions(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    json_open(&ex->writer, NULL, '{');
    json_put_number(&ex->writer, "count", memory->session_count);
    json_open(&ex->writer, "sessions", '[');
    for (const struct session *s = memory->oldest; s != NULL; s = s->newer)
        put_session(ex, s);
    json_close(&ex->writer, ']');
    json_close(&ex->writer, '}');
}

static struct view kept_text(struct exchange *ex, const char *name)
{
    return view_keep(json_text(json_at(ex->json.root, name)), &ex->devin->memory.mem);
}

/* A state is scripted whole: what is not named of it is null, or follows from what is. */
static void script_state(struct exchange *ex, struct session *session)
{
    const struct cJSON *root = ex->json.root;
    struct state state = {
        .status = kept_text(ex, "status"),
        .detail = kept_text(ex, "status_detail"),
        .status_enum = kept_text(ex, "status_enum"),
    };
    if (json_at(root, "status") == NULL && json_at(root, "status_detail") == NULL
        && json_at(root, "status_enum") == NULL)
        return;
    session->is_scripted = state.status.len + state.detail.len + state.status_enum.len > 0;
    if (state.status.len == 0)
        state.status = state.status_enum.len > 0 ? state.status_enum : VIEW("running");
    session->script = state;
}

static void script_session(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    struct session *session =
        view_equal(ex->id, VIEW("newest")) ? memory->newest : memory_find_session(memory, ex->id);
    if (session == NULL) {
        exchange_refuse(ex, 404, "Session not found");
        return;
    }
    if (!exchange_body_is(ex, &state_body))
        return;
    const struct cJSON *is_archived = json_at(ex->json.root, "is_archived");
    long long age_s = (long long)json_number(json_at(ex->json.root, "age_s"));
    script_state(ex, session);
    if (is_archived != NULL)
        session->is_archived = json_is_true(is_archived);
    session->created_us -= age_s * 1000000;
    session->updated_us -= age_s * 1000000;
    put_session(ex, session);
}

static void take_payload(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    if (!exchange_body_is(ex, &payload_body))
        return;
    const struct cJSON *root = ex->json.root;
    struct session *session = memory_find_session(memory, json_text(json_at(root, "sessionId")));
    if (session == NULL)
        exchange_refuse(ex, 404, "Session not found");
    else
        answer_done(ex, memory_add_payload(memory, session, json_text(json_at(root, "payload")),
                                           json_text(json_at(root, "action"))));
}

/* --- options ------------------------------------------------------------------------------ */

static bool replace_playbooks(struct memory *memory, const struct cJSON *list)
{
    bool ok = true;
    memory->first_playbook = NULL;
    memory->playbook_count = 0;
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        struct playbook *playbook =
            memory_add_playbook(memory, json_text(json_at(item, "playbook_id")));
        ok = ok && playbook != NULL && memory_fill_playbook(memory, playbook, item);
    }
    return ok;
}

static void set_bool(const struct cJSON *node, bool *out)
{
    if (node != NULL)
        *out = json_is_true(node);
}

static void set_options(struct exchange *ex)
{
    struct options *options = &ex->devin->memory.options;
    const struct cJSON *root = ex->json.root;
    bool ok = true;
    if (!exchange_body_is(ex, &options_body))
        return;
    if (json_at(root, "org_id") != NULL)
        options->org_id = kept_text(ex, "org_id");
    if (json_at(root, "ids") != NULL)
        options->session_ids = view_equal(json_text(json_at(root, "ids")), VIEW("session"));
    if (json_at(root, "page_size") != NULL)
        options->page_size = (int)json_number(json_at(root, "page_size"));
    if (json_at(root, "strict_playbooks") != NULL)
        options->playbooks =
            json_is_true(json_at(root, "strict_playbooks")) ? STRICT_BOTH : STRICT_NONE;
    if (json_at(root, "playbooks") != NULL)
        ok = replace_playbooks(&ex->devin->memory, json_at(root, "playbooks"));
    if (json_at(root, "fail_percent") != NULL)
        options->fail_percent = (int)json_number(json_at(root, "fail_percent"));
    set_bool(json_at(root, "gone"), &options->is_gone);
    set_bool(json_at(root, "bare_ids"), &options->bare_ids);
    set_bool(json_at(root, "works_on"), &options->works_on);
    set_bool(json_at(root, "playbooks_as_items"), &options->playbooks_as_items);
    answer_done(ex, ok && options->org_id.at != NULL);
}

static void reset(struct exchange *ex)
{
    memory_forget(&ex->devin->memory);
    ex->devin->resets++;
    json_put_null(&ex->writer, NULL);
}

/* clang-format off */
const struct devin_route devin_control_routes[] = {
    { "POST", "/control/faults",       script_faults  },
    { "GET",  "/control/calls",        list_calls     },
    { "GET",  "/control/sessions",     list_sessions  },
    { "POST", "/control/session/{id}", script_session },
    { "POST", "/control/payloads",     take_payload   },
    { "POST", "/control/options",      set_options    },
    { "POST", "/control/reset",        reset          },
    { NULL,   NULL,                    NULL           },
};
/* clang-format on */
