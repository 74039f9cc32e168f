/* The host's two protocols: what is routed where, and envelopes in and out, byte for byte. */
#include "edge/invocation.h"

#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

enum { PLENTY = 8 * 1024 * 1024 };

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *method, *path;
    enum route route;
} routes[] = {
    { "GET", "/", ROUTE_PING },
    { "HEAD", "/", ROUTE_PING },
    { "POST", "/", ROUTE_NONE },
    { "get", "/", ROUTE_NONE },
    { "GET", "", ROUTE_NONE },
    { "GET", "//", ROUTE_NONE },
    { "GET", "/index.html", ROUTE_NONE },
    /* forwarded: any method, so that the wrong ones are answered 405 */
    { "POST", "/api/trigger-devin", ROUTE_FORWARDED },
    { "GET", "/api/trigger-devin", ROUTE_FORWARDED },
    { "PUT", "/api/trigger-devin", ROUTE_FORWARDED },
    { "DELETE", "/api/trigger-devin", ROUTE_FORWARDED },
    { "OPTIONS", "/api/trigger-devin", ROUTE_FORWARDED },
    { "POST", "/API/Trigger-Devin", ROUTE_FORWARDED },
    { "POST", "/api/trigger-devin/", ROUTE_FORWARDED },
    { "POST", "/api/trigger-devin//", ROUTE_NONE },
    { "POST", "/api/trigger-devin/x", ROUTE_NONE },
    { "POST", "/api/trigger-devinx", ROUTE_NONE },
    { "POST", "/api/trigger-devi", ROUTE_NONE },
    { "POST", "/api//trigger-devin", ROUTE_NONE },
    { "POST", "//api/trigger-devin", ROUTE_NONE },
    { "POST", "/api/", ROUTE_NONE },
    { "POST", "/api/other", ROUTE_NONE },
    { "POST", "api/trigger-devin", ROUTE_NONE },
    { "POST", "/api/trigger-devin?code=x", ROUTE_NONE }, /* the query is no part of the path */
    /* the host's own envelope */
    { "POST", "/trigger-devin", ROUTE_ENVELOPE },
    { "POST", "/TRIGGER-DEVIN", ROUTE_ENVELOPE },
    { "POST", "/trigger-devin/", ROUTE_ENVELOPE },
    { "GET", "/trigger-devin", ROUTE_NONE },
    { "PUT", "/trigger-devin", ROUTE_NONE },
    { "POST", "/trigger-devin/x", ROUTE_NONE },
    /* a queue's function has no path for clients */
    { "POST", "/retry-devin", ROUTE_RETRY },
    { "POST", "/Retry-Devin", ROUTE_RETRY },
    { "POST", "/retry-devin/", ROUTE_RETRY },
    { "GET", "/retry-devin", ROUTE_NONE },
    { "POST", "/api/retry-devin", ROUTE_NONE },
    { "POST", "/retry-devin/x", ROUTE_NONE },
};

static const struct {
    const char *header, *id;
} ids[] = {
    { "7a1f0c3e-6f0e-4c0b-9d4e-2f6f1a0b7c11", "7a1f0c3e-6f0e-4c0b-9d4e-2f6f1a0b7c11" },
    { "spoofed, real", "real" },
    { "spoofed,real", "real" },
    { "a, b ,\tc ", "c" },
    { " real ", "real" },
    { "", "" },
    { "spoofed,", "" },
    { ",", "" },
    { "two words", "" },
    { "quote\"", "" },
    { "line\nend", "" },
    { "under_score", "" },
    { "caf\xC3\xA9", "" },
    { "good, <script>", "" },
    { "<script>, good", "good" },
    { "0123456789012345678901234567890123456789012345678901234567890123",
      "0123456789012345678901234567890123456789012345678901234567890123" },
    { "01234567890123456789012345678901234567890123456789012345678901234", "" },
};

#define REQ(members) "{\"Data\":{\"req\":{" members "}},\"Metadata\":{}}"

/* Envelopes and the request in them; `header` is what "X-A" holds. */
static const struct {
    struct view envelope;
    const char *method, *path, *query, *header;
    struct view body;
} envelopes[] = {
    /* the sample of the host's documentation and sources */
    { BYTES_OF(
          "{\"Data\":{\"req\":{\n"
          "   \"Url\":\"http://localhost:7071/api/alerts?tag=a\",\"Method\":\"POST\",\"Query\":{"
          "\"tag\":\"a\"},\n"
          "   \"Headers\":{\"Accept\":[\"*/*\"],\"Host\":[\"localhost:7071\"],\"User-Agent\":["
          "\"curl/8.5.0\"],\"Content-Type\":[\"application/json\"],\"Content-Length\":[\"24\"]},\n"
          "   \"Params\":{},\n"
          "   \"Identities\":[{\"AuthenticationType\":null,\"IsAuthenticated\":false,\"Claims\":[],"
          "\"Name\":null}],\n"
          "   \"Body\":\"{\\\"id\\\":1005,\\\"sev\\\":\\\"high\\\"}\"}},\n"
          " \"Metadata\":{\"id\":\"\\\"1005\\\"\",\"sev\":\"\\\"high\\\"\",\"tag\":\"\\\"a\\\"\","
          "\"Query\":{\"tag\":\"a\"},\n"
          "   \"Headers\":{\"Accept\":\"*/*\",\"Host\":\"localhost:7071\"},\n"
          "   \"sys\":{\"MethodName\":\"alerts\",\"UtcNow\":\"2026-03-08T10:00:00.12Z\","
          "\"RandGuid\":\"24ad4c06-24ad-4e5b-8294-3da9714877e9\"}}}"),
      "POST", "http://localhost:7071/api/alerts", "tag=a", "",
      BYTES_OF("{\"id\":1005,\"sev\":\"high\"}") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Url\":\"http://h/api/f?a=1&token=s%20x?y\","
                   "\"Headers\":{\"X-A\":[\"one\",\"two\"]},\"Body\":\"b\"")),
      "POST", "http://h/api/f", "a=1&token=s%20x?y", "one", BYTES_OF("b") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Url\":\"http://h/\",\"Headers\":{\"x-a\":\"plain\"},"
                   "\"Body\":\"b\"")),
      "POST", "http://h/", "", "plain", BYTES_OF("b") },
    { BYTES_OF(REQ("\"Method\":\"GET\",\"Url\":\"http://h/?\"")), "GET", "http://h/", "", "",
      BYTES_OF("") },
    { BYTES_OF(REQ("\"Method\":\"DELETE\"")), "DELETE", "", "", "", BYTES_OF("") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"X-A\":[]},\"Body\":null")), "POST", "", "",
      "", BYTES_OF("") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"X-A\":[7]},\"Body\":{\"a\":1}")), "POST", "",
      "", "", BYTES_OF("") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":null,\"Body\":\"\xC3\xA9\\u00e9\"")), "POST",
      "", "", "", BYTES_OF("\xC3\xA9\xC3\xA9") },
    /* base64, where the host makes it so */
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"Content-Type\":["
                   "\"application/octet-stream\"]},\"Body\":\"eyJhIjoxfQ==\"")),
      "POST", "", "", "", BYTES_OF("{\"a\":1}") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"content-type\":"
                   "\"Application/Octet-Stream; x=y\"},\"Body\":\"eyJhIjoxfQ==\"")),
      "POST", "", "", "", BYTES_OF("{\"a\":1}") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"Content-Type\":[\"multipart/form-data\"]},"
                   "\"Body\":\"AAEC\"")),
      "POST", "", "", "", BYTES_OF("\0\1\2") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"Content-Type\":["
                   "\"application/octet-stream\"]},\"Body\":\"{\\\"a\\\":1}\"")),
      "POST", "", "", "", BYTES_OF("{\"a\":1}") },
    { BYTES_OF(REQ("\"Method\":\"POST\",\"Headers\":{\"Content-Type\":[\"application/json\"]},"
                   "\"Body\":\"eyJhIjoxfQ==\"")),
      "POST", "", "", "", BYTES_OF("eyJhIjoxfQ==") },
};

static const char *const bad_envelopes[] = {
    "",
    "x",
    "null",
    "[]",
    "\"\"",
    "{}",
    "{\"Data\":null}",
    "{\"Data\":{}}",
    "{\"Data\":{\"req\":null}}",
    "{\"Data\":{\"req\":\"POST\"}}",
    "{\"Data\":{\"req\":{}}}",
    "{\"Data\":{\"req\":{\"Method\":7}}}",
    "{\"Data\":{\"req\":{\"method\":\"POST\"}}}",
    "{\"Data\":{\"myQueueItem\":\"{}\"}}",
    "{\"data\":{\"req\":{\"Method\":\"POST\"}}}",
    "{\"Data\":{\"req\":{\"Method\":\"POST\"}}} x",
    "{\"Data\":{\"req\":{\"Method\":\"POST\"}}",
    "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\"}",
};

#define QUEUED(data, metadata) "{\"Data\":{\"alert\":" data "},\"Metadata\":{" metadata "}}"

/* Queue triggers' envelopes, the message in them and how often it has come. */
static const struct {
    const char *envelope;
    const char *message;
    int dequeue_count;
} queued[] = {
    /* as host 4.1037 sends it: text in text */
    { QUEUED(
          "\"\\\"{\\\\\\\"v\\\\\\\":1,\\\\\\\"n\\\\\\\":\\\\\\\"a\\\\\\\\\\\\\\\"b\\\\\\\"}\\\"\"",
          "\"DequeueCount\":\"3\",\"Id\":\"\\\"3a50\\\"\",\"v\":\"1\",\"sys\":{}"),
      "{\"v\":1,\"n\":\"a\\\"b\"}", 3 },
    { QUEUED("\"\\\"plain \\\\\\\"quoted\\\\\\\"\\\"\"", "\"DequeueCount\":\"1\""),
      "plain \"quoted\"", 1 },
    /* as the documentation has it: once less, numbers as numbers */
    { QUEUED("\"{\\\"v\\\":1}\"", "\"DequeueCount\":1"), "{\"v\":1}", 1 },
    { QUEUED("{\"v\":1,\"n\":[\"a\"]}", "\"DequeueCount\":\"\\\"12\\\"\""),
      "{\"v\":1,\"n\":[\"a\"]}", 12 },
    /* base64, by a host that was told not to decode */
    { QUEUED("\"eyJ2IjoxfQ==\"", ""), "{\"v\":1}", 0 },
    { QUEUED("\"\\\"eyJ2IjoxfQ==\\\"\"", ""), "{\"v\":1}", 0 },
    { QUEUED("\"AAEC\"", ""), "AAEC", 0 },
    { QUEUED("\"\"", "\"DequeueCount\":null"), "", 0 },
    { QUEUED("\"\\\"half\"", "\"DequeueCount\":\"-1\""), "\"half", 0 },
    { QUEUED("\"x\"", "\"DequeueCount\":{}"), "x", 0 },
    { QUEUED("\"x\"", "\"DequeueCount\":1e99"), "x", 0 },
    { QUEUED("\"x\"", "\"DequeueCount\":\"99999999999999999999\""), "x", 0 },
    { "{\"Data\":{\"alert\":\"x\"}}", "x", 0 },
};

static const char *const not_queued[] = {
    "",
    "x",
    "{}",
    "{\"Data\":{}}",
    "{\"Data\":{\"alert\":null}}",
    "{\"Data\":{\"alert\":7}}",
    "{\"Data\":{\"alert\":[]}}",
    "{\"Data\":\"alert\"}",
    "{\"Data\":{\"Alert\":\"x\"}}",
    "{\"Data\":{\"req\":{\"Method\":\"POST\"}}}",
};

static const struct {
    struct reply reply;
    const char *log_line;
    const char *answer;
} answers[] = {
    { { .status = 200, .body = BYTES_OF("{\"success\":true}") },
      "created s-1",
      "{\"Outputs\":{\"res\":{\"statusCode\":200,\"headers\":{\"Content-Type\":"
      "\"application/json\"},\"body\":\"{\\\"success\\\":true}\"}},\"Logs\":[\"created s-1\"],"
      "\"ReturnValue\":null}" },
    { { .status = 405, .body = BYTES_OF("{}"), .allow = "GET, POST" },
      "",
      "{\"Outputs\":{\"res\":{\"statusCode\":405,\"headers\":{\"Content-Type\":"
      "\"application/json\",\"Allow\":\"GET, POST\"},\"body\":\"{}\"}},\"Logs\":[],"
      "\"ReturnValue\":null}" },
    { { .status = 503, .body = BYTES_OF("{}"), .retry_after_s = 10 },
      "a \"quoted\"\nline",
      "{\"Outputs\":{\"res\":{\"statusCode\":503,\"headers\":{\"Content-Type\":"
      "\"application/json\",\"Retry-After\":\"10\"},\"body\":\"{}\"}},\"Logs\":["
      "\"a \\\"quoted\\\"\\nline\"],\"ReturnValue\":null}" },
};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */

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
    return 0;
}

static void check_request(const char *row, const struct request *got, const struct request *wanted)
{
    CHECK_VIEW(row, got->method, wanted->method);
    CHECK_VIEW(row, got->path, wanted->path);
    CHECK_VIEW(row, got->query, wanted->query);
    CHECK_VIEW(row, got->body, wanted->body);
    CHECK(row, got->header_count == wanted->header_count);
    for (size_t i = 0; i < got->header_count; i++) {
        CHECK_VIEW(row, got->headers[i].name, wanted->headers[i].name);
        CHECK_VIEW(row, got->headers[i].value, wanted->headers[i].value);
    }
}

/* An answer that the host understands: JSON with a status, string headers and a string body. */
static void check_answer(struct view answer, int status, struct view body)
{
    struct failure why = { 0 };
    struct json json;
    assert_true(json_read(answer, &mem, &json, &why));
    const struct cJSON *res = json_at(json.root, "Outputs.res");
    long long got = (long long)json_number(json_at(res, "statusCode"));
    assert_int_equal(got, status);
    assert_int_equal(json_kind(json_at(res, "body")), JSON_TEXT);
    if (body.len > 0)
        CHECK_VIEW("body", json_text(json_at(res, "body")), body);
    for (const struct cJSON *header = json_first(json_at(res, "headers")); header != NULL;
         header = json_next(header))
        assert_int_equal(json_kind(header), JSON_TEXT);
    assert_int_equal(json_kind(json_at(json.root, "Logs")), JSON_LIST);
    assert_int_equal(json_kind(json_at(json.root, "ReturnValue")), JSON_NULL);
    json_free(&json);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void paths_lead_where_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        CHECK(routes[i].path, invocation_route(view_of(routes[i].method), view_of(routes[i].path))
                                  == routes[i].route);
}

static void the_last_id_is_the_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        CHECK_VIEW(ids[i].header, invocation_id(view_of(ids[i].header)), view_of(ids[i].id));
    assert_int_equal(invocation_id((struct view){ 0 }).len, 0);
}

static void envelopes_hold_the_senders_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(envelopes); i++) {
        const char *row = envelopes[i].envelope.at;
        struct request request = { .invocation = VIEW("outer"), .spent_ms = 7 };
        struct failure why = { 0 };
        CHECK(row, invocation_open(envelopes[i].envelope, &mem, &request, &why));
        CHECK_VIEW(row, request.method, view_of(envelopes[i].method));
        CHECK_VIEW(row, request.path, view_of(envelopes[i].path));
        CHECK_VIEW(row, request.query, view_of(envelopes[i].query));
        CHECK_VIEW(row, request.body, envelopes[i].body);
        CHECK_VIEW(row, request_header(&request, "X-A"), view_of(envelopes[i].header));
        CHECK_VIEW(row, request.invocation, VIEW("outer"));
        CHECK(row, request.spent_ms == 7);
    }
}

static void what_is_no_envelope_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_envelopes); i++) {
        struct request request = { 0 };
        struct failure why = { 0 };
        CHECK(bad_envelopes[i], !invocation_open(view_of(bad_envelopes[i]), &mem, &request, &why));
        CHECK(bad_envelopes[i], why.kind == FAIL_BAD_ENVELOPE);
        CHECK(bad_envelopes[i], !view_contains(view_of(why.detail), VIEW("alertName")));
    }
}

/* The rest of the request is the host's own and stays. */
static void messages_come_out_of_their_envelopes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(queued); i++) {
        const char *row = queued[i].envelope;
        struct request request = { .path = VIEW("/retry-devin"), .invocation = VIEW("outer") };
        struct failure why = { 0 };
        CHECK(row, invocation_open_retry(view_of(row), &mem, &request, &why));
        CHECK_VIEW(row, request.body, view_of(queued[i].message));
        CHECK(row, request.dequeue_count == queued[i].dequeue_count);
        CHECK(row, request.is_retry);
        CHECK_VIEW(row, request.path, VIEW("/retry-devin"));
        CHECK_VIEW(row, request.invocation, VIEW("outer"));
    }
    for (size_t i = 0; i < COUNT_OF(not_queued); i++) {
        struct request request = { 0 };
        struct failure why = { 0 };
        CHECK(not_queued[i], !invocation_open_retry(view_of(not_queued[i]), &mem, &request, &why));
        CHECK(not_queued[i], why.kind == FAIL_BAD_ENVELOPE && !request.is_retry);
        CHECK(not_queued[i], view_contains(view_of(why.reason), VIEW("Data.alert")));
    }
}

static void messages_with_little_memory_fail_cleanly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(queued); i++) {
        const char *row = queued[i].envelope;
        bool is_open = false;
        for (size_t ceiling = 0; !is_open && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
            struct request request = { 0 };
            struct failure why = { 0 };
            arena_init(&scarce, ceiling);
            is_open = invocation_open_retry(view_of(row), &scarce, &request, &why);
            CHECK(row, is_open || why.kind == FAIL_INTERNAL);
            if (is_open)
                CHECK_VIEW(row, request.body, view_of(queued[i].message));
            arena_drop(&scarce);
        }
        CHECK(row, is_open);
    }
}

/* No outputs, never empty, whatever memory there is. */
static void a_retry_is_answered_with_its_log_alone(void **state)
{
    (void)state;
    struct arena nothing = { 0 };
    CHECK_VIEW("line", invocation_close_retry(VIEW("retry-devin: \"created\""), &mem),
               VIEW("{\"Outputs\":{},\"Logs\":[\"retry-devin: \\\"created\\\"\"],"
                    "\"ReturnValue\":null}"));
    CHECK_VIEW("no line", invocation_close_retry((struct view){ 0 }, &mem),
               VIEW("{\"Outputs\":{},\"Logs\":[],\"ReturnValue\":null}"));
    CHECK_VIEW("no memory", invocation_close_retry(VIEW("line"), &nothing),
               VIEW("{\"Outputs\":{},\"Logs\":[],\"ReturnValue\":null}"));
}

static void a_thousand_headers_are_bounded(void **state)
{
    (void)state;
    struct text envelope = text_in(&mem, PLENTY);
    struct request request = { 0 };
    struct failure why = { 0 };
    text_add_string(&envelope,
                    "{\"Data\":{\"req\":{\"Method\":\"POST\",\"Headers\":{\"X-A\":\"1\"");
    for (int i = 0; i < 1000; i++)
        text_add_string(&envelope, ",\"X-B\":\"2\"");
    text_add_string(&envelope, "}}}}");
    assert_true(invocation_open(text_view(&envelope), &mem, &request, &why));
    assert_true(request.header_count > 0 && request.header_count <= 1001);
    CHECK_VIEW("first", request_header(&request, "X-A"), VIEW("1"));
}

static void answers_are_these_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct view answer =
            invocation_close(&answers[i].reply, view_of(answers[i].log_line), &mem);
        CHECK_VIEW(answers[i].answer, answer, view_of(answers[i].answer));
        check_answer(answer, answers[i].reply.status, answers[i].reply.body);
    }
}

/* Whatever a reply's body holds, the envelope is JSON and gives it back unchanged. */
static void any_body_survives_its_envelope(void **state)
{
    (void)state;
    static const struct view bodies[] = {
        BYTES_OF("\"\\\n\r\t\b\f/"),
        BYTES_OF("\x01\x1F\x7F"),
        BYTES_OF("\xC3\xA9\xE2\x80\xAE\xF0\x9F\x98\x80"),
        BYTES_OF("2024-02-06T12:00:00Z"),
    };
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct reply reply = { .status = 200, .body = bodies[i] };
        check_answer(invocation_close(&reply, (struct view){ 0 }, &mem), 200, bodies[i]);
    }
}

static void opening_with_little_memory_fails_cleanly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(envelopes); i++) {
        const char *row = envelopes[i].envelope.at;
        struct request whole = { 0 };
        struct failure why = { 0 };
        assert_true(invocation_open(envelopes[i].envelope, &mem, &whole, &why));
        bool is_open = false;
        for (size_t ceiling = 0; !is_open && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
            struct request request = { 0 };
            why = (struct failure){ 0 };
            arena_init(&scarce, ceiling);
            is_open = invocation_open(envelopes[i].envelope, &scarce, &request, &why);
            CHECK(row, is_open || why.kind == FAIL_INTERNAL);
            if (is_open)
                check_request(row, &request, &whole);
            arena_drop(&scarce);
        }
        CHECK(row, is_open);
    }
}

/* Never empty, never cut: an empty 2xx would hang the host. */
static void closing_with_little_memory_is_still_an_answer(void **state)
{
    (void)state;
    const struct reply *reply = &answers[0].reply;
    struct view whole = view_of(answers[0].answer);
    bool is_whole = false;
    for (size_t ceiling = 0; !is_whole && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        arena_init(&scarce, ceiling);
        struct view answer = invocation_close(reply, view_of(answers[0].log_line), &scarce);
        is_whole = view_equal(answer, whole);
        if (!is_whole)
            check_answer(answer, 500, (struct view){ 0 });
        arena_drop(&scarce);
    }
    assert_true(is_whole);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_lead_where_they_should),
        TEST(the_last_id_is_the_hosts),
        TEST(envelopes_hold_the_senders_request),
        TEST(what_is_no_envelope_is_refused),
        TEST(messages_come_out_of_their_envelopes),
        TEST(messages_with_little_memory_fail_cleanly),
        TEST(a_retry_is_answered_with_its_log_alone),
        TEST(a_thousand_headers_are_bounded),
        TEST(answers_are_these_bytes),
        TEST(any_body_survives_its_envelope),
        TEST(opening_with_little_memory_fails_cleanly),
        TEST(closing_with_little_memory_is_still_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
