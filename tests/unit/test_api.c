/* What is made of any answer of Devin's two APIs. */
#include "session/api.h"

#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

#define HEX   "0123456789abcdefABCDEF0123456789"
#define SITE  "https://app.devin.ai/sessions/"
#define TEN   "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG  FIFTY FIFTY FIFTY FIFTY FIFTY /* 250 bytes */

enum { PLENTY = 8 * 1024 * 1024 };

static const struct api v1 = { API_V1, { 0 } };
static const struct api v3 = { API_V3, BYTES_OF("org-1a2b") };

/* --- tables: what is read --------------------------------------------------------------------- */

/* Sessions: id and URL, or NULL where there is no usable session. */
static const struct {
    struct view body;
    const char *id, *url;
    bool is_new;
} sessions[] = {
    { BYTES_OF("{\"session_id\":\"devin-1\",\"url\":\"https://app.devin.ai/sessions/1\"}"),
      "devin-1", "https://app.devin.ai/sessions/1", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":true}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":false}"), "a",
      "https://x/y", false },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":null}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/y\",\"is_new_session\":\"false\"}"), "a",
      "https://x/y", true },
    { BYTES_OF("{\"session_id\":\"session_1707228000000\",\"status\":\"running\"}"),
      "session_1707228000000", SITE "session_1707228000000", true },
    /* built URLs */
    { BYTES_OF("{\"session_id\":\"" HEX "\"}"), HEX, SITE HEX, true },
    { BYTES_OF("{\"session_id\":\"devin-" HEX "\"}"), "devin-" HEX, SITE HEX, true },
    { BYTES_OF("{\"session_id\":\"session_123\"}"), "session_123", SITE "session_123", true },
    { BYTES_OF("{\"session_id\":\"devin-123\"}"), "devin-123", SITE "devin-123", true },
    { BYTES_OF("{\"session_id\":\"devin-" HEX "0\"}"), "devin-" HEX "0", SITE "devin-" HEX "0",
      true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":null}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":7}"), "a", SITE "a", true },
    /* URLs that nobody should click on */
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"javascript:alert(1)\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/a b\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/\\n\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"//x/y\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\" https://x/y\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"ftp://x/y\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/\xE2\x80\xAE\"}"), "a", SITE "a", true },
    { BYTES_OF("{\"session_id\":\"a\",\"url\":\"https://x/" LONG LONG LONG LONG LONG "\"}"), "a",
      SITE "a", true },
    /* the longest id, and one that is longer */
    { BYTES_OF("{\"session_id\":\"" LONG "123456\"}"), LONG "123456", SITE LONG "123456", true },
    { BYTES_OF("{\"session_id\":\"" LONG "1234567\"}"), NULL, NULL, false },
    /* no session at all */
    { BYTES_OF(""), NULL, NULL, false },
    { BYTES_OF("<html>gateway</html>"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\""), NULL, NULL, false },
    { BYTES_OF("{}"), NULL, NULL, false },
    { BYTES_OF("[]"), NULL, NULL, false },
    { BYTES_OF("null"), NULL, NULL, false },
    { BYTES_OF("\"a\""), NULL, NULL, false },
    { BYTES_OF("[{\"session_id\":\"a\"}]"), NULL, NULL, false },
    { BYTES_OF("{\"session\":{\"session_id\":\"a\"}}"), NULL, NULL, false },
    { BYTES_OF("{\"Session_Id\":\"a\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":null}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":7}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":[\"a\"]}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a b\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\" a\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\n\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u0000b\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u007f\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"\xC3\xA9\"}"), NULL, NULL, false },
    { BYTES_OF("{\"session_id\":\"a\\u202e\"}"), NULL, NULL, false },
    { BYTES_OF("\xFF\xFE\x00"), NULL, NULL, false },
};

/* What both APIs say of a session, and whether that is the end; then the word that is shown. */
static const struct {
    const char *members;
    bool has_ended;
    const char *status;
} states[] = {
    /* v1 */
    { "\"status_enum\":\"working\"", false, "working" },
    { "\"status_enum\":\"blocked\"", false, "blocked" },
    { "\"status_enum\":\"finished\"", true, "finished" },
    { "\"status_enum\":\"expired\"", true, "expired" },
    { "\"status_enum\":\"suspend_requested\"", false, "suspend_requested" },
    { "\"status_enum\":\"suspend_requested_frontend\"", false, "suspend_requested_frontend" },
    { "\"status_enum\":\"resume_requested\"", false, "resume_requested" },
    { "\"status_enum\":\"resume_requested_frontend\"", false, "resume_requested_frontend" },
    { "\"status_enum\":\"resumed\"", false, "resumed" },
    { "\"status\":\"running\",\"status_enum\":\"finished\"", true, "finished" },
    { "\"status\":\"finished\",\"status_enum\":\"working\"", false, "working" },
    { "\"status\":\"stopped\",\"status_enum\":null", true, "stopped" },
    { "\"status\":\"running\",\"status_enum\":null", false, "running" },
    { "\"status\":\"claimed\"", false, "claimed" },
    { "\"status\":\"stopped\"", true, "stopped" },
    { "\"status\":\"blocked\"", false, "blocked" },
    { "\"status\":\"finished\"", true, "finished" },
    { "\"status\":\"FINISHED\"", true, "FINISHED" },
    /* v3 */
    { "\"status\":\"new\",\"status_detail\":null", false, "new" },
    { "\"status\":\"creating\"", false, "creating" },
    { "\"status\":\"running\",\"status_detail\":\"working\"", false, "working" },
    { "\"status\":\"running\",\"status_detail\":\"waiting_for_user\"", false, "waiting_for_user" },
    { "\"status\":\"running\",\"status_detail\":\"waiting_for_approval\"", false,
      "waiting_for_approval" },
    { "\"status\":\"running\",\"status_detail\":\"finished\"", true, "finished" },
    { "\"status\":\"running\",\"status_detail\":\"error\"", false, "error" },
    { "\"status\":\"resuming\"", false, "resuming" },
    { "\"status\":\"suspended\"", false, "suspended" },
    { "\"status\":\"suspended\",\"status_detail\":\"inactivity\"", false, "inactivity" },
    { "\"status\":\"suspended\",\"status_detail\":\"user_request\"", false, "user_request" },
    { "\"status\":\"suspended\",\"status_detail\":\"usage_limit_exceeded\"", true,
      "usage_limit_exceeded" },
    { "\"status\":\"suspended\",\"status_detail\":\"out_of_credits\"", true, "out_of_credits" },
    { "\"status\":\"suspended\",\"status_detail\":\"out_of_quota\"", true, "out_of_quota" },
    { "\"status\":\"suspended\",\"status_detail\":\"no_quota_allocation\"", true,
      "no_quota_allocation" },
    { "\"status\":\"suspended\",\"status_detail\":\"payment_declined\"", true, "payment_declined" },
    { "\"status\":\"suspended\",\"status_detail\":\"org_usage_limit_exceeded\"", true,
      "org_usage_limit_exceeded" },
    { "\"status\":\"suspended\",\"status_detail\":\"user_usage_limit_exceeded\"", true,
      "user_usage_limit_exceeded" },
    { "\"status\":\"suspended\",\"status_detail\":\"total_session_limit_exceeded\"", true,
      "total_session_limit_exceeded" },
    { "\"status\":\"suspended\",\"status_detail\":\"contract_expired\"", true, "contract_expired" },
    { "\"status\":\"suspended\",\"status_detail\":\"error\"", true, "error" },
    { "\"status\":\"exit\"", true, "exit" },
    { "\"status\":\"error\"", true, "error" },
    { "\"status\":\"running\",\"is_archived\":true", true, "running" },
    { "\"status\":\"running\",\"is_archived\":false", false, "running" },
    /* whatever else comes is active */
    { "\"status\":\"hibernating\"", false, "hibernating" },
    { "\"status\":\"suspended\",\"status_detail\":\"full_moon\"", false, "full_moon" },
    { "\"status\":7,\"status_enum\":[]", false, "" },
    { "\"is_archived\":\"true\"", false, "" },
};

/* Lists of sessions and of playbooks: how many items, and what continues them, by API. */
static const struct {
    const char *name;
    const char *body;
    size_t sessions, playbooks;
    const char *v3_cursor;
} lists[] = {
    { "v1", "{\"sessions\":[{},{}]}", 2, 0, "" },
    { "v3", "{\"items\":[{},{},{}],\"has_next_page\":false,\"end_cursor\":\"c\"}", 3, 3, "" },
    { "v3, more", "{\"items\":[{}],\"has_next_page\":true,\"end_cursor\":\"c+/=\"}", 1, 1, "c+/=" },
    { "v3, more, but no word where", "{\"items\":[{}],\"has_next_page\":true,\"end_cursor\":null}",
      1, 1, "" },
    { "v3, the member of other APIs",
      "{\"items\":[{}],\"has_next_page\":true,\"next_cursor\":\"c\"}", 1, 1, "" },
    { "v3, a word, but no more", "{\"items\":[{}],\"end_cursor\":\"c\"}", 1, 1, "" },
    { "an array", "[{},{}]", 0, 2, "" },
    { "empty", "{\"sessions\":[],\"items\":[]}", 0, 0, "" },
    { "sessions before items", "{\"sessions\":[{}],\"items\":[{},{}]}", 1, 2, "" },
    { "null", "null", 0, 0, "" },
    { "text", "\"items\"", 0, 0, "" },
    { "an error", "{\"detail\":\"no\"}", 0, 0, "" },
    { "items that are none", "{\"items\":7,\"sessions\":\"x\"}", 0, 0, "" },
};

/* v1 pages: items on the page, items before, and the offset of what may come behind. */
static const struct {
    size_t items, before;
    const char *offset;
} pages[] = {
    { 0, 0, "" },      { 1, 0, "" },    { 99, 0, "" },       { 100, 0, "100" },
    { 101, 0, "101" }, { 99, 100, "" }, { 100, 100, "200" }, { 100, 400, "500" },
};

static const struct {
    const char *body;
    size_t count;
} messages[] = {
    { "{\"messages\":[{\"message\":\"Us: a\"},{\"message\":\"other\"},{\"message\":\"Us: b\"}]}",
      2 },
    { "{\"items\":[{\"message\":\"Us: a\",\"source\":\"user\"},{\"message\":\"Us\"}]}", 1 },
    { "{\"items\":[{\"message\":\" Us: a\"},{\"message\":\"us: a\"},{\"message\":7},null,7]}", 0 },
    { "{\"messages\":[],\"items\":[{\"message\":\"Us: a\"}]}", 0 },
    { "{\"messages\":null}", 0 },
    { "{}", 0 },
    { "[]", 0 },
    { "null", 0 },
};

/* Answers that complain, and the names that may be quoted of them: our own, in our order. */
static const struct {
    struct view body;
    const char *names;
} complaints[] = {
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":\"too long\"}]}"), "prompt" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"title\"]},{\"loc\":[\"body\",\"prompt\"]}]}"),
      "prompt, title" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"playbook_id\"]},{\"loc\":[\"body\","
               "\"idempotent\"]},{\"loc\":[\"title\"]},{\"loc\":[\"prompt\",0]}]}"),
      "prompt, idempotent, title, playbook_id" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"prompt\"]},{\"loc\":[\"prompt\"]}]}"), "prompt" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"tags\",3]},{\"loc\":[\"body\","
               "\"session_secrets\",0,\"value\"],\"input\":\"apk_user_secret\"}]}"),
      "tags, session_secrets" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"max_acu_limit\"]},{\"loc\":[\"secret_ids\"]},{\"loc\":"
               "[\"knowledge_ids\"]},{\"loc\":[\"snapshot_id\"]},{\"loc\":[\"unlisted\"]},{\"loc\":"
               "[\"structured_output_schema\"]},{\"loc\":[\"message\"]}]}"),
      "max_acu_limit, secret_ids, knowledge_ids, snapshot_id, unlisted, "
      "structured_output_schema, message" },
    /* RFC 9457 */
    { BYTES_OF("{\"errors\":[{\"loc\":[\"body\",\"title\"]}]}"), "title" },
    { BYTES_OF(
          "{\"type\":\"about:blank\",\"title\":\"Unprocessable Entity\",\"status\":422,"
          "\"detail\":\"Validation failed\",\"errors\":[{\"loc\":[\"body\",\"prompt\"],\"msg\":"
          "\"Field required\"}]}"),
      "prompt" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"tags\"]}],\"errors\":[{\"loc\":[\"title\"]}]}"),
      "title, tags" },
    /* foreign names */
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"apk_user_secret\"],\"msg\":\"apk_user_secret "
               "is not prompt\",\"input\":\"apk_user_secret\"}]}"),
      "" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"prompt apk_user_secret\"]}]}"), "" },
    { BYTES_OF("{\"detail\":[{\"loc\":[\"body\",\"Prompt\"]}]}"), "" },
    { BYTES_OF("{\"detail\":[{\"msg\":\"prompt\"}]}"), "" },
    { BYTES_OF("{\"detail\":\"apk_user_secret is no good prompt\"}"), "" },
    { BYTES_OF("{\"detail\":{\"loc\":[\"prompt\"]}}"), "" },
    { BYTES_OF("{\"error\":\"apk_user_secret\"}"), "" },
    { BYTES_OF("{\"detail\":[{\"loc\":\"prompt\"}]}"), "" },
    { BYTES_OF("{\"detail\":[null,7,[],{\"loc\":[null,7,[\"title\"],\"title\"]}]}"), "title" },
    { BYTES_OF("apk_user_secret"), "" },
    { BYTES_OF(""), "" },
};

static const struct {
    const char *body;
    bool is_about_it;
} playbook_talk[] = {
    { "Playbook ID does not exist", true },
    { "{\"detail\":\"no such PLAYBOOK\"}", true },
    { "{\"detail\":[{\"loc\":[\"body\",\"playbook_id\"]}]}", true },
    { "xplaybook", true },
    { "playboo", false },
    { "play book", false },
    { "{\"detail\":\"no such snapshot\"}", false },
    { "", false },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */
static struct json json;

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    arena_drop(&scarce);
    json_free(&json);
    json = (struct json){ 0 };
    return 0;
}

/* NULL where it is no JSON, as devin_step() has it. */
static const struct cJSON *parse(struct view body)
{
    struct failure why = { 0 };
    json_free(&json);
    json = (struct json){ 0 };
    return json_read(body, &mem, &json, &why) ? json.root : NULL;
}

static const char *joined_path(const char *front, const char *middle, const char *end)
{
    struct text path = text_in(&mem, 4096);
    text_add_string(&path, front);
    text_add_string(&path, middle);
    text_add_string(&path, end);
    return text_view(&path).at;
}

static size_t count_of(const struct cJSON *first)
{
    size_t count = 0;
    for (; first != NULL; first = json_next(first))
        count++;
    return count;
}

/* --- tests: reading --------------------------------------------------------------------------- */

static void sessions_are_read_and_never_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        const char *row = sessions[i].body.at;
        struct session session;
        memset(&session, 'x', sizeof session);
        CHECK(row, api_read_session(parse(sessions[i].body), &mem, &session)
                       == (sessions[i].id != NULL));
        if (sessions[i].id == NULL)
            continue;
        CHECK_VIEW(row, session.id, view_of(sessions[i].id));
        CHECK_VIEW(row, session.url, view_of(sessions[i].url));
        CHECK(row, session.is_new == sessions[i].is_new);
        CHECK(row, session.tag_count == 0 && !session.has_ended);
    }
}

static void what_ends_a_session_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        const char *row = states[i].members;
        struct session session;
        const char *body = joined_path("{\"session_id\":\"a\",", states[i].members, "}");
        CHECK(row, api_read_session(parse(view_of(body)), &mem, &session));
        CHECK(row, session.has_ended == states[i].has_ended);
        CHECK_VIEW(row, session.status, view_of(states[i].status));
    }
}

static void a_session_has_title_age_and_tags(void **state)
{
    (void)state;
    struct session session;
    assert_true(api_read_session(
        parse(VIEW("{\"session_id\":\"a\",\"title\":\"t\",\"created_at\":1780000000,\"tags\":"
                   "[\"x\",7,\"\",null,\"y\"]}")),
        &mem, &session));
    CHECK_VIEW("title", session.title, VIEW("t"));
    CHECK_VIEW("age", session.created, VIEW("1780000000"));
    assert_int_equal(session.tag_count, 2);
    CHECK_VIEW("tag", session.tags[0], VIEW("x"));
    CHECK_VIEW("tag", session.tags[1], VIEW("y"));
    assert_true(api_read_session(
        parse(VIEW("{\"session_id\":\"a\",\"created_at\":\"2026-01-02T03:04:05Z\",\"tags\":null}")),
        &mem, &session));
    CHECK_VIEW("age", session.created, VIEW("2026-01-02T03:04:05Z"));
    assert_int_equal(session.tag_count, 0);
}

static void ages_are_compared_in_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *created; /* JSON */
        long long at_s;      /* 0: unknown */
    } rows[] = {
        { "1780000000", 1780000000 },
        { "\"1780000000\"", 1780000000 },
        { "\"1970-01-01T00:00:01Z\"", 1 },
        { "\"2000-02-29T23:59:59Z\"", 951868799 },
        { "\"2024-12-31T00:00:00\"", 1735603200 },
        { "\"2026-03-01T12:30:15.123456+00:00\"", 1772368215 },
        { "\"2026-03-01\"", 0 },
        { "\"yesterday\"", 0 },
        { "null", 0 },
        { "-5", 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct text body = text_in(&mem, 256);
        struct session session;
        text_add_string(&body, "{\"session_id\":\"a\",\"created_at\":");
        text_add_string(&body, rows[i].created);
        text_add_char(&body, '}');
        CHECK(rows[i].created, api_read_session(parse(text_view(&body)), &mem, &session));
        CHECK(rows[i].created, api_is_since(&session, rows[i].at_s) == (rows[i].at_s > 0));
        CHECK(rows[i].created, !api_is_since(&session, rows[i].at_s + 1));
    }
}

static void more_tags_than_devin_takes_are_left_out(void **state)
{
    (void)state;
    struct text body = text_in(&mem, 4096);
    struct json_writer writer = { .to = &body };
    struct session session;
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "session_id", VIEW("a"));
    json_open(&writer, "tags", '[');
    for (int i = 0; i < MAX_TAGS + 7; i++)
        json_put_text(&writer, NULL, VIEW("t"));
    json_close(&writer, ']');
    json_close(&writer, '}');
    assert_true(api_read_session(parse(text_view(&body)), &mem, &session));
    assert_int_equal(session.tag_count, MAX_TAGS);
}

static void a_session_outlives_its_answer(void **state)
{
    (void)state;
    char body[] =
        "{\"session_id\":\"s-1\",\"url\":\"https://x/y\",\"tags\":[\"x\"],\"title\":\"t\","
        "\"status\":\"new\",\"created_at\":\"1\"}";
    struct session session;
    assert_true(api_read_session(parse((struct view){ body, sizeof body - 1 }), &mem, &session));
    memset(body, 'x', sizeof body);
    (void)parse(VIEW("{}"));
    CHECK_VIEW("id", session.id, VIEW("s-1"));
    CHECK_VIEW("url", session.url, VIEW("https://x/y"));
    CHECK_VIEW("tag", session.tags[0], VIEW("x"));
    CHECK_VIEW("title", session.title, VIEW("t"));
    CHECK_VIEW("status", session.status, VIEW("new"));
    CHECK_VIEW("age", session.created, VIEW("1"));
}

static void lists_are_read_in_each_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct cJSON *body = parse(view_of(lists[i].body));
        const struct cJSON *first = api_sessions_of(body);
        CHECK(lists[i].name, count_of(first) == lists[i].sessions);
        CHECK(lists[i].name, count_of(api_playbooks_of(body)) == lists[i].playbooks);
        CHECK_VIEW(lists[i].name, api_cursor_of(&v3, body, first, 7, &mem),
                   view_of(lists[i].v3_cursor));
        CHECK(lists[i].name, api_cursor_of(&v1, body, first, 7, &mem).len == 0);
    }
    assert_null(api_sessions_of(NULL));
    assert_null(api_playbooks_of(NULL));
    assert_int_equal(api_cursor_of(&v3, NULL, NULL, 0, &mem).len, 0);
}

static void a_full_page_of_v1_has_another_behind_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        struct text body = text_in(&mem, 4096);
        text_add_string(&body, "{\"sessions\":[");
        for (size_t k = 0; k < pages[i].items; k++)
            text_add_string(&body, k == 0 ? "{}" : ",{}");
        text_add_string(&body, "]}");
        const struct cJSON *root = parse(text_view(&body));
        CHECK_VIEW(pages[i].offset,
                   api_cursor_of(&v1, root, api_sessions_of(root), pages[i].before, &mem),
                   view_of(pages[i].offset));
    }
}

/* A cursor that no path has room for ends the list instead of the alert. */
static void an_endless_cursor_is_none(void **state)
{
    (void)state;
    static char body[200000];
    size_t len = 0;
    const char *front = "{\"items\":[],\"has_next_page\":true,\"end_cursor\":\"";
    memset(body, '/', sizeof body);
    memcpy(body, front, strlen(front));
    for (size_t cursor = 1000; cursor < 100000; cursor += 33000) {
        struct call call;
        len = strlen(front) + cursor;
        memcpy(body + len, "\"}", 2);
        struct view next = api_cursor_of(&v3, parse((struct view){ body, len + 2 }), NULL, 0, &mem);
        assert_true(cursor > 1000 ? next.len == 0 : next.len == 1000);
        assert_true(api_list_sessions(&v3, VIEW("fp-1"), next, &mem, &call));
        memset(body + len, '/', 2);
    }
}

static void our_own_messages_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        CHECK(messages[i].body, api_count_messages(parse(view_of(messages[i].body)), VIEW("Us: "))
                                    == messages[i].count);
    assert_int_equal(api_count_messages(NULL, VIEW("Us: ")), 0);
}

static void complaints_quote_our_own_members_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(complaints); i++)
        CHECK_VIEW(complaints[i].body.at, api_complained_of(parse(complaints[i].body), &mem),
                   view_of(complaints[i].names));
}

static void talk_of_playbooks_is_heard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(playbook_talk); i++)
        CHECK(playbook_talk[i].body, api_speaks_of_playbook(view_of(playbook_talk[i].body))
                                         == playbook_talk[i].is_about_it);
}

/* --- tests: little memory --------------------------------------------------------------------- */

static void sessions_with_little_memory_are_whole_or_none(void **state)
{
    (void)state;
    const struct cJSON *root =
        parse(VIEW("{\"session_id\":\"s-1\",\"url\":\"https://x/y\",\"title\":\"t\",\"status\":"
                   "\"new\",\"created_at\":5,\"tags\":[\"x\",\"y\"]}"));
    bool is_read = false;
    for (size_t ceiling = 0; !is_read && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        struct session session;
        arena_init(&scarce, ceiling);
        is_read = api_read_session(root, &scarce, &session);
        if (is_read) {
            CHECK_VIEW("id", session.id, VIEW("s-1"));
            CHECK_VIEW("url", session.url, VIEW("https://x/y"));
            CHECK_VIEW("title", session.title, VIEW("t"));
            CHECK_VIEW("age", session.created, VIEW("5"));
            assert_int_equal(session.tag_count, 2);
            CHECK_VIEW("tag", session.tags[1], VIEW("y"));
        }
        arena_drop(&scarce);
    }
    assert_true(is_read);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sessions_are_read_and_never_trusted),
        TEST(what_ends_a_session_is_known),
        TEST(a_session_has_title_age_and_tags),
        TEST(ages_are_compared_in_each_form),
        TEST(more_tags_than_devin_takes_are_left_out),
        TEST(a_session_outlives_its_answer),
        TEST(lists_are_read_in_each_form),
        TEST(a_full_page_of_v1_has_another_behind_it),
        TEST(an_endless_cursor_is_none),
        TEST(our_own_messages_are_counted),
        TEST(complaints_quote_our_own_members_only),
        TEST(talk_of_playbooks_is_heard),
        TEST(sessions_with_little_memory_are_whole_or_none),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
