/*
 * The documents contradict each other here and there; where they do, both readings are accepted and
 * the newer one is written: plural paths, full ids in paths, tags one at a time.
 */
#include "session/api.h"

#include "base/arena.h"
#include "base/json.h"

#include <limits.h>

enum {
    MAX_ID_BYTES = 256,
    MAX_URL_BYTES = 1024,
    MAX_PATH_BYTES = 4096,
    MAX_CURSOR_BYTES = 1024, /* fits a path even where each byte is escaped */
    HEX_ID_LEN = 32,
    PAGE = 100,
    NO_LIMIT = 64 * 1024 * 1024
};

#define APP_URL "https://app.devin.ai/sessions/"

enum api_version api_version_of(struct view key)
{
    return view_starts(key, VIEW("cog_")) ? API_V3 : API_V1;
}

/* --- ids ------------------------------------------------------------------------------------- */

static bool is_hex(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return text.len > 0;
}

/* The 32 hex digits of an id that is made of them; any other id as it is. */
static struct view bare_id(struct view id)
{
    struct view bare = view_starts(id, VIEW("devin-")) ? view_skip(id, 6) : id;
    return bare.len == HEX_ID_LEN && is_hex(bare) ? bare : id;
}

bool api_same_id(struct view a, struct view b)
{
    return view_equal_fold(bare_id(a), bare_id(b));
}

/* --- paths ----------------------------------------------------------------------------------- */

static struct text begin_path(const struct api *api, const char *what, struct arena *mem)
{
    struct text path = text_in(mem, MAX_PATH_BYTES);
    text_add_string(&path, api->version == API_V1 ? "/v1/" : "/v3/organizations/");
    if (api->version == API_V3) {
        text_add_escaped(&path, api->org);
        text_add_char(&path, '/');
    }
    text_add_string(&path, what);
    return path;
}

/* Both APIs take the full form in a path: "devin-" and 32 hex digits. */
static struct text session_path(const struct api *api, struct view id, const char *behind,
                                struct arena *mem)
{
    struct text path = begin_path(api, "sessions/", mem);
    struct view bare = bare_id(id);
    text_add_string(&path, bare.len == HEX_ID_LEN && is_hex(bare) ? "devin-" : "");
    text_add_escaped(&path, bare);
    text_add_string(&path, behind);
    return path;
}

static bool finish_call(const char *method, const struct text *path, const struct text *body,
                        bool is_once, struct arena *mem, struct call *out)
{
    *out = (struct call){
        .method = method,
        .path = text_view(path).at,
        .is_once = is_once,
    };
    if (body != NULL)
        out->body = text_view(body);
    return text_ok(path) && (body == NULL || text_ok(body)) && arena_ok(mem);
}

static bool read_call(const struct text *path, struct arena *mem, struct call *out)
{
    return finish_call("GET", path, NULL, false, mem, out);
}

/* --- bodies ---------------------------------------------------------------------------------- */

static void put_items(struct json_writer *writer, struct view items)
{
    while (items.len > 0) {
        struct view item;
        view_cut(items, ',', &item, &items);
        if (view_trim(item).len > 0)
            json_put_text(writer, NULL, view_trim(item));
    }
}

static void put_list(struct json_writer *writer, const char *key, struct view items)
{
    if (items.at == NULL)
        return;
    json_open(writer, key, '[');
    put_items(writer, items);
    json_close(writer, ']');
}

static void put_tags(struct json_writer *writer, const struct session_options *options,
                     const struct session_request *request)
{
    if (request->tag_count == 0 && options->tags.len == 0)
        return;
    json_open(writer, "tags", '[');
    for (size_t i = 0; i < request->tag_count; i++)
        json_put_text(writer, NULL, request->tags[i]);
    put_items(writer, options->tags);
    json_close(writer, ']');
}

static void put_secrets(struct json_writer *writer, const struct session_options *options)
{
    if (options->secret_count == 0)
        return;
    json_open(writer, "session_secrets", '[');
    for (size_t i = 0; i < options->secret_count; i++) {
        json_open(writer, NULL, '{');
        json_put_text(writer, "key", options->secrets[i].name);
        json_put_text(writer, "value", options->secrets[i].value);
        json_put_bool(writer, "sensitive", true);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

/* v3 knows none of these. */
static void put_v1_options(struct json_writer *writer, const struct session_options *options)
{
    if (options->snapshot_id.len > 0)
        json_put_text(writer, "snapshot_id", options->snapshot_id);
    if (options->is_unlisted)
        json_put_bool(writer, "unlisted", true);
}

bool api_create(const struct api *api, const struct session_options *options,
                const struct session_request *request, struct arena *mem, struct call *out)
{
    struct text path = begin_path(api, "sessions", mem);
    struct text body = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &body };
    bool is_v1 = api->version == API_V1;
    text_reserve(&body, request->prompt.len + request->prompt.len / 8 + 1024);
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "prompt", request->prompt);
    if (is_v1 && request->is_idempotent)
        json_put_bool(&writer, "idempotent", true);
    json_put_text(&writer, "title", request->title);
    if (request->playbook_id.len > 0)
        json_put_text(&writer, "playbook_id", request->playbook_id);
    put_tags(&writer, options, request);
    if (options->max_acu > 0)
        json_put_number(&writer, "max_acu_limit", options->max_acu);
    put_list(&writer, "secret_ids", options->secret_ids);
    put_list(&writer, "knowledge_ids", options->knowledge_ids);
    if (is_v1)
        put_v1_options(&writer, options);
    if (options->output_schema.len > 0)
        json_put_raw(&writer, "structured_output_schema", options->output_schema);
    put_secrets(&writer, options);
    json_close(&writer, '}');
    return finish_call("POST", &path, &body, !(is_v1 && request->is_idempotent), mem, out);
}

bool api_self(struct arena *mem, struct call *out)
{
    struct text path = text_in(mem, MAX_PATH_BYTES);
    text_add_string(&path, "/v3/self");
    return read_call(&path, mem, out);
}

/* v1 pages by offset, which serves as its cursor here; v3 has cursors of its own. */
static void add_page(struct text *path, const struct api *api, struct view cursor)
{
    text_add_string(path, api->version == API_V1 ? "?limit=" : "?first=");
    text_add_number(path, PAGE);
    if (cursor.len == 0)
        return;
    text_add_string(path, api->version == API_V1 ? "&offset=" : "&after=");
    text_add_escaped(path, cursor);
}

bool api_list_sessions(const struct api *api, struct view tag, struct view cursor,
                       struct arena *mem, struct call *out)
{
    struct text path = begin_path(api, "sessions", mem);
    add_page(&path, api, cursor);
    if (tag.len > 0) {
        text_add_string(&path, "&tags=");
        text_add_escaped(&path, tag);
    }
    return read_call(&path, mem, out);
}

bool api_get_session(const struct api *api, struct view id, struct arena *mem, struct call *out)
{
    struct text path = session_path(api, id, "", mem);
    return read_call(&path, mem, out);
}

/* v1 tells them with the session. */
bool api_list_messages(const struct api *api, struct view id, struct arena *mem, struct call *out)
{
    struct text path =
        session_path(api, id, api->version == API_V1 ? "" : "/messages?first=200", mem);
    return read_call(&path, mem, out);
}

bool api_message(const struct api *api, struct view id, struct view message, struct arena *mem,
                 struct call *out)
{
    struct text path =
        session_path(api, id, api->version == API_V1 ? "/message" : "/messages", mem);
    struct text body = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "message", message);
    json_close(&writer, '}');
    return finish_call("POST", &path, &body, true, mem, out);
}

/* On v3 nobody's tags are lost, whoever else adds some meanwhile; v1 has no such call. */
bool api_add_tags(const struct api *api, const struct session *session, const struct view *tags,
                  size_t count, struct arena *mem, struct call *out)
{
    bool is_v1 = api->version == API_V1;
    struct text path = session_path(api, session->id, "/tags", mem);
    struct text body = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_open(&writer, "tags", '[');
    for (size_t i = 0; is_v1 && i < session->tag_count; i++)
        json_put_text(&writer, NULL, session->tags[i]);
    for (size_t i = 0; i < count; i++)
        json_put_text(&writer, NULL, tags[i]);
    json_close(&writer, ']');
    json_close(&writer, '}');
    return finish_call(is_v1 ? "PUT" : "POST", &path, &body, false, mem, out);
}

bool api_list_playbooks(const struct api *api, struct view cursor, struct arena *mem,
                        struct call *out)
{
    struct text path = begin_path(api, "playbooks", mem);
    if (api->version == API_V3)
        add_page(&path, api, cursor);
    return read_call(&path, mem, out);
}

bool api_put_playbook(const struct api *api, struct view id, struct view title, struct view macro,
                      struct view body, struct arena *mem, struct call *out)
{
    struct text path = begin_path(api, id.len > 0 ? "playbooks/" : "playbooks", mem);
    struct text json = text_in(mem, NO_LIMIT);
    struct json_writer writer = { .to = &json };
    text_add_escaped(&path, id);
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "title", title);
    json_put_text(&writer, "body", body);
    if (macro.len > 0)
        json_put_text(&writer, "macro", macro);
    json_close(&writer, '}');
    return finish_call(id.len > 0 ? "PUT" : "POST", &path, &json, true, mem, out);
}

/* --- reading sessions ------------------------------------------------------------------------ */

/* Ids and URLs go into our reply and the log: printable ASCII without blanks, and not endless. */
static bool is_plain(struct view text, size_t max_bytes)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len > 0 && text.len <= max_bytes;
}

static struct view url_of(const struct cJSON *node, struct view id, struct arena *mem)
{
    struct view url = json_text(json_at(node, "url"));
    bool is_link = view_starts(url, VIEW("https://")) || view_starts(url, VIEW("http://"));
    if (is_link && is_plain(url, MAX_URL_BYTES))
        return view_keep(url, mem);
    struct text page = text_in(mem, MAX_URL_BYTES);
    text_add_string(&page, APP_URL);
    text_add(&page, bare_id(id));
    return text_view(&page);
}

static bool is_word_of(struct view word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal_fold(word, view_of(words[i])))
            return true;
    return false;
}

/*
 * Both lists of words have grown between copies of the documents, so only what surely means the end
 * counts as one.  A suspended session wakes up when it is spoken to, unless money or quota stopped it.
 */
static bool has_ended(const struct cJSON *node)
{
    static const char *const ended[] = { "finished", "expired", "exit", "error", "stopped" };
    static const char *const stopped[] = {
        "usage_limit_exceeded",
        "out_of_credits",
        "out_of_quota",
        "no_quota_allocation",
        "payment_declined",
        "org_usage_limit_exceeded",
        "user_usage_limit_exceeded",
        "total_session_limit_exceeded",
        "contract_expired",
        "error",
    };
    struct view status = json_text(json_at(node, "status_enum"));
    struct view detail = json_text(json_at(node, "status_detail"));
    if (status.len == 0)
        status = json_text(json_at(node, "status"));
    if (json_is_true(json_at(node, "is_archived")) || is_word_of(status, ended, COUNT_OF(ended)))
        return true;
    if (view_equal_fold(status, VIEW("running")))
        return view_equal_fold(detail, VIEW("finished"));
    return view_equal_fold(status, VIEW("suspended"))
           && is_word_of(detail, stopped, COUNT_OF(stopped));
}

static void read_tags(const struct cJSON *list, struct arena *mem, struct session *out)
{
    for (const struct cJSON *tag = json_first(list); tag != NULL && out->tag_count < MAX_TAGS;
         tag = json_next(tag))
        if (json_text(tag).len > 0)
            out->tags[out->tag_count++] = view_keep(json_text(tag), mem);
}

bool api_read_session(const struct cJSON *node, struct arena *mem, struct session *out)
{
    struct view id = json_text(json_at(node, "session_id"));
    const struct cJSON *is_new = json_at(node, "is_new_session");
    struct view detail = json_text(json_at(node, "status_detail"));
    struct view status = json_text(json_at(node, "status_enum"));
    *out = (struct session){ 0 };
    if (!is_plain(id, MAX_ID_BYTES))
        return false;
    if (status.len == 0)
        status = detail.len > 0 ? detail : json_text(json_at(node, "status"));
    out->id = view_keep(id, mem);
    out->url = url_of(node, id, mem);
    out->is_new = json_kind(is_new) != JSON_BOOL || json_is_true(is_new);
    out->has_ended = has_ended(node);
    out->status = view_keep(status, mem);
    out->title = view_keep(json_text(json_at(node, "title")), mem);
    out->created = view_keep(json_as_text(json_at(node, "created_at"), mem), mem);
    read_tags(json_at(node, "tags"), mem, out);
    return arena_ok(mem);
}

/* "2026-01-02T03:04:05", with a fraction or "Z" or neither: Devin's times are UTC. */
static bool read_iso(struct view text, long long *out)
{
    static const size_t places[] = { 0, 5, 8, 11, 14, 17 };
    long long parts[COUNT_OF(places)];
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct view digits = view_cap(view_skip(text, places[i]), i == 0 ? 4 : 2);
        if (!view_to_number(digits, 0, 9999, &parts[i]))
            return false;
    }
    /* The year begins in March, so that its leap day is the last. */
    long long month = (parts[1] + 9) % 12;
    long long year = parts[0] - (month >= 10 ? 1 : 0);
    long long days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5
                     + parts[2] - 1 - 719468;
    *out = ((days * 24 + parts[3]) * 60 + parts[4]) * 60 + parts[5];
    return true;
}

bool api_is_since(const struct session *session, long long since_s)
{
    long long created_s = 0;
    bool is_known = view_to_number(session->created, 1, LLONG_MAX, &created_s)
                    || read_iso(session->created, &created_s);
    return is_known && created_s >= since_s;
}

/* --- reading lists --------------------------------------------------------------------------- */

static const struct cJSON *sessions_in(const struct cJSON *body)
{
    const struct cJSON *sessions = json_at(body, "sessions");
    return sessions != NULL ? sessions : json_at(body, "items");
}

static const struct cJSON *playbooks_in(const struct cJSON *body)
{
    return json_kind(body) == JSON_LIST ? body : json_at(body, "items");
}

bool api_is_sessions(const struct cJSON *body)
{
    return json_kind(sessions_in(body)) == JSON_LIST;
}

bool api_is_playbooks(const struct cJSON *body)
{
    return json_kind(playbooks_in(body)) == JSON_LIST;
}

const struct cJSON *api_sessions_of(const struct cJSON *body)
{
    return json_first(sessions_in(body));
}

const struct cJSON *api_playbooks_of(const struct cJSON *body)
{
    return json_first(playbooks_in(body));
}

struct view api_cursor_of(const struct api *api, const struct cJSON *body,
                          const struct cJSON *first, size_t before, struct arena *mem)
{
    size_t count = 0;
    struct text offset = text_in(mem, 32);
    for (; first != NULL; first = json_next(first))
        count++;
    if (api->version == API_V3) {
        struct view cursor = json_text(json_at(body, "end_cursor"));
        bool goes_on = json_is_true(json_at(body, "has_next_page")) && cursor.len > 0
                       && cursor.len <= MAX_CURSOR_BYTES;
        return goes_on ? view_keep(cursor, mem) : (struct view){ 0 };
    }
    if (count < PAGE)
        return (struct view){ 0 };
    size_t shown = before + count;
    text_add_number(&offset, (long long)shown);
    return text_view(&offset);
}

size_t api_count_messages(const struct cJSON *body, struct view mark)
{
    const struct cJSON *messages = json_at(body, "messages");
    const struct cJSON *message = json_first(messages != NULL ? messages : json_at(body, "items"));
    size_t count = 0;
    for (; message != NULL; message = json_next(message))
        count += view_starts(json_text(json_at(message, "message")), mark);
    return count;
}

/* --- reading complaints ---------------------------------------------------------------------- */

/* The members of our requests, the only names that an answer of ours may quote. */
static const char *const request_fields[] = {
    "prompt",
    "idempotent",
    "title",
    "playbook_id",
    "tags",
    "max_acu_limit",
    "secret_ids",
    "knowledge_ids",
    "snapshot_id",
    "unlisted",
    "structured_output_schema",
    "session_secrets",
    "message",
};

static bool names_field(const struct cJSON *errors, const char *field)
{
    for (const struct cJSON *error = json_first(errors); error != NULL; error = json_next(error))
        for (const struct cJSON *at = json_first(json_at(error, "loc")); at != NULL;
             at = json_next(at))
            if (view_equal(json_text(at), view_of(field)))
                return true;
    return false;
}

/* FastAPI lists them as detail[].loc, RFC 9457 answers as errors[].loc. */
struct view api_complained_of(const struct cJSON *body, struct arena *mem)
{
    struct text names = text_in(mem, 512);
    for (size_t i = 0; i < COUNT_OF(request_fields); i++)
        if (names_field(json_at(body, "detail"), request_fields[i])
            || names_field(json_at(body, "errors"), request_fields[i])) {
            text_add_string(&names, names.len == 0 ? "" : ", ");
            text_add_string(&names, request_fields[i]);
        }
    return text_view(&names);
}

bool api_speaks_of_playbook(struct view body)
{
    for (; body.len >= 8; body = view_skip(body, 1))
        if (view_starts_fold(body, VIEW("playbook")))
            return true;
    return false;
}
