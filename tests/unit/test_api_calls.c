/* Calls to Devin's two APIs, byte for byte. */
#include "session/api.h"

#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
#define PLAIN             { .prompt = BYTES_OF("p"), .title = BYTES_OF("t") }
/* clang-format on */

#define HEX "0123456789abcdefABCDEF0123456789"

enum { PLENTY = 8 * 1024 * 1024 };

static const struct api v1 = { API_V1, { 0 } };
static const struct api v3 = { API_V3, BYTES_OF("org-1a2b") };

/* --- tables ----------------------------------------------------------------------------------- */

static const struct view two_tags[] = { BYTES_OF("fp-1"), BYTES_OF("alert-1") };
static const struct session tagged = {
    .id = BYTES_OF("s-1"),
    .tags = { BYTES_OF("fp-0"), BYTES_OF("alert-0") },
    .tag_count = 2,
};

/* One option a row, then all of them; NULL where a body is the same for both. */
static const struct {
    const char *name;
    struct session_options options;
    struct session_request request;
    const char *v1_body, *v3_body;
} creates[] = {
    { "nothing",
      { .max_acu = 0 },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\"}",
      "{\"prompt\":\"p\",\"title\":\"t\"}" },
    { "idempotent",
      { .max_acu = 0 },
      { .prompt = BYTES_OF("p"), .title = BYTES_OF("t"), .is_idempotent = true },
      "{\"prompt\":\"p\",\"idempotent\":true,\"title\":\"t\"}",
      "{\"prompt\":\"p\",\"title\":\"t\"}" },
    { "playbook and tags",
      { .max_acu = 0 },
      { .prompt = BYTES_OF("p"),
        .title = BYTES_OF("t"),
        .playbook_id = BYTES_OF("b"),
        .tags = two_tags,
        .tag_count = 2,
        .is_idempotent = true },
      "{\"prompt\":\"p\",\"idempotent\":true,\"title\":\"t\",\"playbook_id\":\"b\",\"tags\":"
      "[\"fp-1\",\"alert-1\"]}",
      "{\"prompt\":\"p\",\"title\":\"t\",\"playbook_id\":\"b\",\"tags\":[\"fp-1\",\"alert-1\"]}" },
    { "escapes",
      { .max_acu = 0 },
      { .prompt = BYTES_OF("say \"no\"\n\tto\\x"),
        .title = BYTES_OF("\xC3\xA9"),
        .playbook_id = BYTES_OF(""),
        .is_idempotent = true },
      "{\"prompt\":\"say \\\"no\\\"\\n\\tto\\\\x\",\"idempotent\":true,\"title\":\"\xC3\xA9\"}",
      "{\"prompt\":\"say \\\"no\\\"\\n\\tto\\\\x\",\"title\":\"\xC3\xA9\"}" },
    { "what is no UTF-8",
      { .max_acu = 0 },
      { .prompt = BYTES_OF("a\xE2\x80\xAE\xFF"), .title = BYTES_OF("t"), .is_idempotent = true },
      "{\"prompt\":\"a\\u202e\xEF\xBF\xBD\",\"idempotent\":true,\"title\":\"t\"}",
      "{\"prompt\":\"a\\u202e\xEF\xBF\xBD\",\"title\":\"t\"}" },

    { "the operator's tags behind ours",
      { .tags = BYTES_OF(" prod , ,\"q\",team a") },
      { .prompt = BYTES_OF("p"),
        .title = BYTES_OF("t"),
        .tags = two_tags,
        .tag_count = 2,
        .is_idempotent = false },
      "{\"prompt\":\"p\",\"title\":\"t\",\"tags\":[\"fp-1\",\"alert-1\",\"prod\",\"\\\"q\\\"\","
      "\"team a\"]}",
      NULL },
    { "the operator's tags alone",
      { .tags = BYTES_OF("prod") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"tags\":[\"prod\"]}",
      NULL },
    { "ACUs",
      { .max_acu = 10 },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"max_acu_limit\":10}",
      NULL },
    { "no secrets",
      { .secret_ids = BYTES_OF("") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"secret_ids\":[]}",
      NULL },
    { "some secrets",
      { .secret_ids = BYTES_OF("sec-1, sec-2") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"secret_ids\":[\"sec-1\",\"sec-2\"]}",
      NULL },
    { "no knowledge",
      { .knowledge_ids = BYTES_OF("") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"knowledge_ids\":[]}",
      NULL },
    { "some knowledge",
      { .knowledge_ids = BYTES_OF(",note-1,") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"knowledge_ids\":[\"note-1\"]}",
      NULL },
    { "snapshot",
      { .snapshot_id = BYTES_OF("snap-1") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"snapshot_id\":\"snap-1\"}",
      "{\"prompt\":\"p\",\"title\":\"t\"}" },
    { "unlisted",
      { .is_unlisted = true },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"unlisted\":true}",
      "{\"prompt\":\"p\",\"title\":\"t\"}" },
    { "structured output",
      { .output_schema = BYTES_OF("{\"type\":\"object\"}") },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"structured_output_schema\":{\"type\":\"object\"}}",
      NULL },
    { "session secrets",
      { .secrets = { { BYTES_OF("A"), BYTES_OF("\"x\"") }, { BYTES_OF("B"), BYTES_OF("y") } },
        .secret_count = 2 },
      PLAIN,
      "{\"prompt\":\"p\",\"title\":\"t\",\"session_secrets\":[{\"key\":\"A\",\"value\":"
      "\"\\\"x\\\"\",\"sensitive\":true},{\"key\":\"B\",\"value\":\"y\",\"sensitive\":true}]}",
      NULL },
    { "everything",
      { .tags = BYTES_OF("prod"),
        .max_acu = 7,
        .secret_ids = BYTES_OF("s"),
        .knowledge_ids = BYTES_OF(""),
        .snapshot_id = BYTES_OF("n"),
        .is_unlisted = true,
        .output_schema = BYTES_OF("{}"),
        .secrets = { { BYTES_OF("A"), BYTES_OF("x") } },
        .secret_count = 1 },
      { .prompt = BYTES_OF("p"),
        .title = BYTES_OF("t"),
        .playbook_id = BYTES_OF("b"),
        .tags = two_tags,
        .tag_count = 2,
        .is_idempotent = true },
      "{\"prompt\":\"p\",\"idempotent\":true,\"title\":\"t\",\"playbook_id\":\"b\",\"tags\":"
      "[\"fp-1\",\"alert-1\",\"prod\"],\"max_acu_limit\":7,\"secret_ids\":[\"s\"],"
      "\"knowledge_ids\":[],\"snapshot_id\":\"n\",\"unlisted\":true,"
      "\"structured_output_schema\":{},\"session_secrets\":[{\"key\":\"A\",\"value\":\"x\","
      "\"sensitive\":true}]}",
      "{\"prompt\":\"p\",\"title\":\"t\",\"playbook_id\":\"b\",\"tags\":[\"fp-1\",\"alert-1\","
      "\"prod\"],\"max_acu_limit\":7,\"secret_ids\":[\"s\"],\"knowledge_ids\":[],"
      "\"structured_output_schema\":{},\"session_secrets\":[{\"key\":\"A\",\"value\":\"x\","
      "\"sensitive\":true}]}" },
};

/* An id, as both APIs' paths have it. */
static const struct {
    const char *id, *path;
} ids[] = {
    { HEX, "devin-" HEX },
    { "devin-" HEX, "devin-" HEX },
    { "session_1707228000000", "session_1707228000000" },
    { "devin-123", "devin-123" },
    { "devin-" HEX "0", "devin-" HEX "0" },
    { HEX "0", HEX "0" },
    { "devin-devin-" HEX, "devin-devin-" HEX },
    { "Devin-" HEX, "Devin-" HEX },
    { "0123456789abcdefABCDEF012345678g", "0123456789abcdefABCDEF012345678g" },
    { "a/../b?c#d", "a%2F..%2Fb%3Fc%23d" },
    { "a%2Fb", "a%252Fb" },
    { "~a.b_c-d", "~a.b_c-d" },
    { "\xC3\xA9", "%C3%A9" },
};

static const struct {
    const char *a, *b;
    bool is_same;
} same_ids[] = {
    { HEX, "devin-" HEX, true },
    { "devin-" HEX, HEX, true },
    { HEX, HEX, true },
    { "0123456789ABCDEFabcdef0123456789", "devin-" HEX, true },
    { "devin-123", "123", false },
    { "session_1", "session_1", true },
    { "session_1", "session_2", false },
    { "devin-" HEX "0", HEX "0", false },
    { HEX, "1123456789abcdefABCDEF0123456789", false },
    { "", "", true },
};

static const struct {
    const char *key;
    enum api_version version;
} keys[] = {
    { "apk_user_1", API_V1 }, { "apk_1", API_V1 }, { "cog_1", API_V3 }, { "cog_", API_V3 },
    { "COG_1", API_V1 },      { "cog", API_V1 },   { "sk-1", API_V1 },  { "", API_V1 },
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

static void check_call(const char *row, const struct call *call, const char *method,
                       const char *path, const char *body, bool is_once)
{
    CHECK_VIEW(row, view_of(call->method), view_of(method));
    CHECK_VIEW(row, view_of(call->path), view_of(path));
    CHECK_VIEW(row, call->body, view_of(body));
    CHECK(row, call->is_once == is_once);
}

static const char *joined_path(const char *front, const char *middle, const char *end)
{
    struct text path = text_in(&mem, 4096);
    text_add_string(&path, front);
    text_add_string(&path, middle);
    text_add_string(&path, end);
    return text_view(&path).at;
}

/* --- tests: writing --------------------------------------------------------------------------- */

static void the_key_decides_the_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        CHECK(keys[i].key, api_version_of(view_of(keys[i].key)) == keys[i].version);
}

/* Only an idempotent create may be sent twice. */
static void creates_are_these_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(creates); i++) {
        const char *row = creates[i].name;
        const char *v3_body = creates[i].v3_body != NULL ? creates[i].v3_body : creates[i].v1_body;
        struct call call;
        memset(&call, 'x', sizeof call);
        CHECK(row, api_create(&v1, &creates[i].options, &creates[i].request, &mem, &call));
        check_call(row, &call, "POST", "/v1/sessions", creates[i].v1_body,
                   !creates[i].request.is_idempotent);
        memset(&call, 'x', sizeof call);
        CHECK(row, api_create(&v3, &creates[i].options, &creates[i].request, &mem, &call));
        check_call(row, &call, "POST", "/v3/organizations/org-1a2b/sessions", v3_body, true);
    }
}

static void no_create_for_v3_has_a_member_of_v1(void **state)
{
    (void)state;
    static const char *const v1_only[] = { "idempotent", "snapshot_id", "unlisted" };
    for (size_t i = 0; i < COUNT_OF(creates); i++) {
        struct call call;
        assert_true(api_create(&v3, &creates[i].options, &creates[i].request, &mem, &call));
        for (size_t k = 0; k < COUNT_OF(v1_only); k++)
            CHECK(creates[i].name, json_kind(json_at(parse(call.body), v1_only[k])) == JSON_ABSENT);
    }
}

static void ids_become_paths(void **state)
{
    (void)state;
    static const struct api odd = { API_V3, BYTES_OF("o/..\xC3\xA9") };
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct view id = view_of(ids[i].id);
        struct call call;
        CHECK(ids[i].id, api_get_session(&v1, id, &mem, &call));
        check_call(ids[i].id, &call, "GET", joined_path("/v1/sessions/", ids[i].path, ""), "",
                   false);
        CHECK(ids[i].id, api_get_session(&v3, id, &mem, &call));
        check_call(ids[i].id, &call, "GET",
                   joined_path("/v3/organizations/org-1a2b/sessions/", ids[i].path, ""), "", false);
        CHECK(ids[i].id, api_get_session(&odd, id, &mem, &call));
        check_call(ids[i].id, &call, "GET",
                   joined_path("/v3/organizations/o%2F..%C3%A9/sessions/", ids[i].path, ""), "",
                   false);
    }
}

static void ids_of_two_forms_are_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(same_ids); i++)
        CHECK(same_ids[i].a,
              api_same_id(view_of(same_ids[i].a), view_of(same_ids[i].b)) == same_ids[i].is_same);
}

/* Each other call of v1, and of v3. */
static void calls_are_these_bytes(void **state)
{
    (void)state;
    struct view id = VIEW("s-1");
    struct call call;
    assert_true(api_self(&mem, &call));
    check_call("self", &call, "GET", "/v3/self", "", false);

    assert_true(api_list_sessions(&v1, VIEW("fp-1"), VIEW(""), &mem, &call));
    check_call("list", &call, "GET", "/v1/sessions?limit=100&tags=fp-1", "", false);
    assert_true(api_list_sessions(&v3, VIEW("fp-1"), VIEW(""), &mem, &call));
    check_call("list", &call, "GET", "/v3/organizations/org-1a2b/sessions?first=100&tags=fp-1", "",
               false);
    assert_true(api_list_sessions(&v1, VIEW("a b&c"), VIEW("200"), &mem, &call));
    check_call("page", &call, "GET", "/v1/sessions?limit=100&offset=200&tags=a%20b%26c", "", false);
    assert_true(api_list_sessions(&v3, VIEW(""), VIEW("c+/="), &mem, &call));
    check_call("page", &call, "GET",
               "/v3/organizations/org-1a2b/sessions?first=100&after=c%2B%2F%3D", "", false);

    assert_true(api_list_messages(&v1, id, &mem, &call));
    check_call("messages", &call, "GET", "/v1/sessions/s-1", "", false);
    assert_true(api_list_messages(&v3, id, &mem, &call));
    check_call("messages", &call, "GET",
               "/v3/organizations/org-1a2b/sessions/s-1/messages?first=200", "", false);

    assert_true(api_message(&v1, id, VIEW("say \"no\""), &mem, &call));
    check_call("message", &call, "POST", "/v1/sessions/s-1/message",
               "{\"message\":\"say \\\"no\\\"\"}", true);
    assert_true(api_message(&v3, VIEW(HEX), VIEW("m"), &mem, &call));
    check_call("message", &call, "POST",
               "/v3/organizations/org-1a2b/sessions/devin-" HEX "/messages", "{\"message\":\"m\"}",
               true);

    assert_true(api_add_tags(&v1, &tagged, two_tags, 2, &mem, &call));
    check_call("tags", &call, "PUT", "/v1/sessions/s-1/tags",
               "{\"tags\":[\"fp-0\",\"alert-0\",\"fp-1\",\"alert-1\"]}", false);
    assert_true(api_add_tags(&v3, &tagged, two_tags, 2, &mem, &call));
    check_call("tags", &call, "POST", "/v3/organizations/org-1a2b/sessions/s-1/tags",
               "{\"tags\":[\"fp-1\",\"alert-1\"]}", false);
}

static void playbook_calls_are_these_bytes(void **state)
{
    (void)state;
    struct call call;
    assert_true(api_list_playbooks(&v1, VIEW("c"), &mem, &call));
    check_call("list", &call, "GET", "/v1/playbooks", "", false);
    assert_true(api_list_playbooks(&v3, VIEW(""), &mem, &call));
    check_call("list", &call, "GET", "/v3/organizations/org-1a2b/playbooks?first=100", "", false);
    assert_true(api_list_playbooks(&v3, VIEW("c&d"), &mem, &call));
    check_call("page", &call, "GET", "/v3/organizations/org-1a2b/playbooks?first=100&after=c%26d",
               "", false);
    assert_true(api_put_playbook(&v1, VIEW(""), VIEW("t"), VIEW("!m"), VIEW("b\n"), &mem, &call));
    check_call("new", &call, "POST", "/v1/playbooks",
               "{\"title\":\"t\",\"body\":\"b\\n\",\"macro\":\"!m\"}", true);
    assert_true(
        api_put_playbook(&v3, VIEW("playbook-1/2"), VIEW("t"), VIEW(""), VIEW("b"), &mem, &call));
    check_call("changed", &call, "PUT", "/v3/organizations/org-1a2b/playbooks/playbook-1%2F2",
               "{\"title\":\"t\",\"body\":\"b\"}", true);
}

/* --- tests: little memory --------------------------------------------------------------------- */

static bool build_create(struct arena *arena, struct call *out)
{
    const size_t last = COUNT_OF(creates) - 1;
    return api_create(&v1, &creates[last].options, &creates[last].request, arena, out);
}

static bool build_list(struct arena *arena, struct call *out)
{
    return api_list_sessions(&v3, VIEW("fp-1"), VIEW("c"), arena, out);
}

static bool build_message(struct arena *arena, struct call *out)
{
    return api_message(&v3, VIEW(HEX), VIEW("m"), arena, out);
}

static bool build_tags(struct arena *arena, struct call *out)
{
    return api_add_tags(&v1, &tagged, two_tags, 2, arena, out);
}

static bool build_playbook(struct arena *arena, struct call *out)
{
    return api_put_playbook(&v1, VIEW("i"), VIEW("t"), VIEW("m"), VIEW("b"), arena, out);
}

static void calls_with_little_memory_are_whole_or_none(void **state)
{
    (void)state;
    static bool (*const builds[])(struct arena *, struct call *) = { build_create, build_list,
                                                                     build_message, build_tags,
                                                                     build_playbook };
    for (size_t i = 0; i < COUNT_OF(builds); i++) {
        struct call whole;
        bool is_built = false;
        assert_true(builds[i](&mem, &whole));
        for (size_t ceiling = 0; !is_built && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
            struct call call;
            arena_init(&scarce, ceiling);
            is_built = builds[i](&scarce, &call);
            if (is_built)
                check_call(whole.path, &call, whole.method, whole.path, whole.body.at,
                           whole.is_once);
            arena_drop(&scarce);
        }
        assert_true(is_built);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_key_decides_the_version),
        TEST(creates_are_these_bytes),
        TEST(no_create_for_v3_has_a_member_of_v1),
        TEST(ids_become_paths),
        TEST(ids_of_two_forms_are_one),
        TEST(calls_are_these_bytes),
        TEST(playbook_calls_are_these_bytes),
        TEST(calls_with_little_memory_are_whole_or_none),
    };
    return cmocka_run_group_tests_name("api_calls", tests, NULL, NULL);
}
