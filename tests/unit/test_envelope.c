/* Envelopes around alerts: each carrier, several in each other, and what is in none of them. */
#include "alert/envelope.h"

#include "alert/source.h"
#include "base/arena.h"
#include "unit/check.h"
#include "unit/reading.h"

enum { PLENTY = 32 * 1024 * 1024 };

#define NATIVE_IN_TEXT \
    "{\\\"alertName\\\":\\\"n\\\",\\\"severity\\\":1,\\\"description\\\":\\\"d\\\"}"
#define NATIVE        "{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\"}"
#define NATIVE_BASE64 "eyJhbGVydE5hbWUiOiJuIiwic2V2ZXJpdHkiOjEsImRlc2NyaXB0aW9uIjoiZCJ9"
#define SNS(message)                                                           \
    "{\"Type\":\"Notification\",\"TopicArn\":\"arn:t\",\"MessageId\":\"m-1\"," \
    "\"Timestamp\":\"2024-07-17T07:24:01.029Z\",\"Message\":" message "}"
#define EVENT_GRID(data)                                                                     \
    "{\"id\":\"e-1\",\"topic\":\"/t\",\"subject\":\"/s\",\"eventType\":\"T\",\"eventTime\":" \
    "\"2024-01-02T03:04:05Z\",\"dataVersion\":\"1\",\"data\":" data "}"
#define CLOUD_EVENT(data)                                                                \
    "{\"id\":\"c-1\",\"source\":\"/s\",\"type\":\"t\",\"specversion\":\"1.0\",\"time\":" \
    "\"2024-01-02T03:04:06Z\"," data "}"
#define PUBSUB(data)                                                              \
    "{\"subscription\":\"s\",\"message\":{\"messageId\":\"p-1\",\"publishTime\":" \
    "\"2024-01-02T03:04:07Z\",\"data\":\"" data "\"}}"
#define AZURE                                                                                  \
    "{\"schemaId\":\"azureMonitorCommonAlertSchema\",\"data\":{\"essentials\":{\"alertRule\":" \
    "\"az\","                                                                                  \
    "\"monitorCondition\":\"Fired\"}}}"

/* --- tables ----------------------------------------------------------------------------------- */

/* What is carried, with the carrier's id and time where the alert states none of its own. */
static const struct {
    const char *name, *body;
    const char *alert, *id, *time;
    size_t count;
    bool is_repaired;
} carried[] = {
    { "native", NATIVE, "n", "", "", 1, false },
    { "SNS", SNS("\"" NATIVE_IN_TEXT "\""), "n", "m-1", "2024-07-17T07:24:01.029Z", 1, false },
    { "SNS with an object", SNS(NATIVE), "n", "m-1", "2024-07-17T07:24:01.029Z", 1, false },
    { "its own id and time win",
      SNS("\"{\\\"alertName\\\":\\\"n\\\",\\\"severity\\\":1,\\\"description\\\":\\\"d\\\","
          "\\\"alertId\\\":\\\"own\\\",\\\"firedTime\\\":\\\"2020-01-01T00:00:00Z\\\"}\""),
      "n", "own", "2020-01-01T00:00:00Z", 1, false },
    { "a comma too many inside",
      SNS("\"{\\\"alertName\\\":\\\"n\\\",\\\"severity\\\":1,\\\"description\\\":\\\"d\\\",}\""),
      "n", "m-1", "2024-07-17T07:24:01.029Z", 1, true },
    { "Pub/Sub", PUBSUB(NATIVE_BASE64), "n", "p-1", "2024-01-02T03:04:07Z", 1, false },
    { "Pub/Sub without a subscription",
      "{\"message\":{\"data\":\"" NATIVE_BASE64 "\",\"message_id\":\"p-2\"}}", "n", "p-2", "", 1,
      false },
    { "Event Grid", EVENT_GRID(NATIVE), "n", "e-1", "2024-01-02T03:04:05Z", 1, false },
    { "Event Grid in a list", "[" EVENT_GRID(NATIVE) "]", "n", "e-1", "2024-01-02T03:04:05Z", 1,
      false },
    { "several",
      "[" EVENT_GRID(NATIVE) "," CLOUD_EVENT("\"data\":" NATIVE) "," EVENT_GRID(AZURE) "]", "n",
      "e-1", "2024-01-02T03:04:05Z", 3, false },
    { "one that cannot be read among others",
      "[" EVENT_GRID("{\"alertName\":\"x\"}") "," EVENT_GRID(NATIVE) "]", "n", "e-1",
      "2024-01-02T03:04:05Z", 1, false },
    { "CloudEvents", CLOUD_EVENT("\"data\":" NATIVE), "n", "c-1", "2024-01-02T03:04:06Z", 1,
      false },
    { "CloudEvents in text", CLOUD_EVENT("\"data\":\"" NATIVE_IN_TEXT "\""), "n", "c-1",
      "2024-01-02T03:04:06Z", 1, false },
    { "CloudEvents in base64", CLOUD_EVENT("\"data_base64\":\"" NATIVE_BASE64 "\""), "n", "c-1",
      "2024-01-02T03:04:06Z", 1, false },
    { "Azure in CloudEvents", CLOUD_EVENT("\"data\":" AZURE), "az", "c-1", "2024-01-02T03:04:06Z",
      1, false },
    { "three in each other", EVENT_GRID(CLOUD_EVENT("\"data\":" SNS(NATIVE))), "n", "m-1",
      "2024-07-17T07:24:01.029Z", 1, false },
    { "who fills the contract is no envelope",
      "{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\",\"Type\":\"Notification\","
      "\"TopicArn\":\"t\",\"Message\":\"{}\"}",
      "n", "", "", 1, false },
};

/* Nothing to do, and why. */
static const struct {
    const char *name, *body, *reason, *challenge;
} notices[] = {
    { "confirmation",
      "{\"Type\":\"SubscriptionConfirmation\",\"TopicArn\":\"t\",\"Token\":\"secret\","
      "\"SubscribeURL\":"
      "\"https://sns/?Token=secret\",\"Message\":\"You have chosen\"}",
      "SNS asks to confirm a subscription: its URL is not opened from here, no session needed",
      "" },
    { "the end",
      "{\"Type\":\"UnsubscribeConfirmation\",\"TopicArn\":\"t\",\"Token\":\"secret\","
      "\"SubscribeURL\":"
      "\"https://sns/?Token=secret\",\"Message\":\"You have chosen\"}",
      "SNS tells that a subscription has ended: no session needed", "" },
    { "prose", SNS("\"the site is down\""),
      "The SNS message is text and no alert: no session needed", "" },
    { "a number", SNS("\"5\""), "The SNS message is text and no alert: no session needed", "" },
    { "broken JSON", SNS("\"{\\\"alertName\\\":\""),
      "The SNS message is text and no alert: no session needed", "" },
    { "another type", "{\"Type\":\"Odd\",\"TopicArn\":\"t\",\"Message\":\"{}\"}",
      "The SNS message is text and no alert: no session needed", "" },
    { "handshake",
      "[{\"id\":\"i\",\"topic\":\"/t\",\"subject\":\"\",\"eventType\":"
      "\"Microsoft.EventGrid.SubscriptionValidationEvent\",\"dataVersion\":\"2\",\"data\":"
      "{\"validationCode\":\"512d38b6\",\"validationUrl\":\"https://rp/?secret\"}}]",
      "Event Grid validates the subscription: no session needed", "512d38b6" },
    { "handshake outside a list",
      "{\"eventType\":\"microsoft.eventgrid.subscriptionvalidationevent\",\"data\":"
      "{\"validationCode\":\"c\"}}",
      "Event Grid validates the subscription: no session needed", "c" },
    { "farewell", "{\"eventType\":\"Microsoft.EventGrid.SubscriptionDeletedEvent\",\"data\":{}}",
      "Event Grid tells that a subscription has ended: no session needed", "" },
};

static const struct {
    const char *name, *body;
    enum failure_kind kind;
    const char *field;
} refused[] = {
    { "Pub/Sub without base64", "{\"message\":{\"data\":\"!!\"}}", FAIL_FIELD_INVALID,
      "message.data" },
    { "Pub/Sub without JSON", "{\"message\":{\"data\":\"aGVsbG8=\"}}", FAIL_FIELD_INVALID,
      "message.data" },
    { "Pub/Sub with a number", "{\"message\":{\"data\":\"NQ==\"}}", FAIL_FIELD_INVALID,
      "message.data" },
    { "CloudEvents without base64", CLOUD_EVENT("\"data_base64\":\"a\""), FAIL_FIELD_INVALID,
      "data_base64" },
    { "CloudEvents with prose", CLOUD_EVENT("\"data\":\"hello\""), FAIL_FIELD_INVALID, "data" },
    { "an event of something else", EVENT_GRID("{\"api\":\"PutBlob\"}"), FAIL_FIELD_MISSING,
      "alertName" },
    { "a native alert without severity", EVENT_GRID("{\"alertName\":\"n\"}"), FAIL_FIELD_MISSING,
      "severity" },
    { "an event without data", CLOUD_EVENT("\"x\":1"), FAIL_FIELD_MISSING, "alertName" },
    { "a list inside", EVENT_GRID("[1]"), FAIL_NOT_JSON, NULL },
    { "all of a list", "[" EVENT_GRID("{}") "," EVENT_GRID("{\"alertName\":\"n\"}") "]",
      FAIL_FIELD_MISSING, "alertName" },
    { "a list of other things", "[" EVENT_GRID(NATIVE) "," NATIVE "]", FAIL_NOT_JSON, NULL },
    { "four in each other", EVENT_GRID(EVENT_GRID(EVENT_GRID(EVENT_GRID(NATIVE)))),
      FAIL_FIELD_INVALID, "data" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static struct arena mem;
static struct arena scarce;

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

static void what_is_inside_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(carried); i++) {
        const char *row = carried[i].name;
        struct payload payload = { 0 };
        struct failure why = { 0 };
        CHECK(row, payload_read(view_of(carried[i].body), &mem, &payload, &why));
        CHECK(row, payload.count == carried[i].count);
        CHECK(row, payload.from == payload.alerts[0].from);
        CHECK(row, payload.is_repaired == carried[i].is_repaired);
        CHECK_VIEW(row, payload.alerts[0].name, view_of(carried[i].alert));
        CHECK_VIEW(row, payload.alerts[0].alert_id, view_of(carried[i].id));
        CHECK_VIEW(row, payload.alerts[0].fired_time, view_of(carried[i].time));
        CHECK(row, payload.challenge.len == 0);
    }
}

static void notices_need_no_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(notices); i++) {
        const char *row = notices[i].name;
        struct payload payload = { 0 };
        struct failure why = { 0 };
        CHECK(row, payload_read(view_of(notices[i].body), &mem, &payload, &why));
        CHECK(row, payload.count == 0 && payload.from != NULL);
        CHECK_VIEW(row, view_of(payload.reason), view_of(notices[i].reason));
        CHECK_VIEW(row, payload.challenge, view_of(notices[i].challenge));
    }
}

static void what_holds_no_alert_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const char *row = refused[i].name;
        struct payload payload = { .count = 77 };
        struct failure why = { 0 };
        CHECK(row, !payload_read(view_of(refused[i].body), &mem, &payload, &why));
        CHECK(row, why.kind == refused[i].kind && payload.count == 77);
        CHECK_VIEW(row, view_of(why.field), view_of(refused[i].field));
    }
}

static void dialects_may_differ_within_one_list(void **state)
{
    (void)state;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    assert_true(
        payload_read(VIEW("[" EVENT_GRID(NATIVE) "," EVENT_GRID(AZURE) "]"), &mem, &payload, &why));
    assert_int_equal(payload.count, 2);
    assert_ptr_equal(payload.alerts[0].from, &source_native);
    assert_ptr_equal(payload.alerts[1].from, &source_azure_common);
}

static void what_was_not_read_is_told(void **state)
{
    (void)state;
    struct payload payload = { 0 };
    struct failure why = { 0 };
    assert_true(
        payload_read(VIEW("[" EVENT_GRID("{\"api\":\"PutBlob\"}") "," EVENT_GRID(NATIVE) "]"), &mem,
                     &payload, &why));
    assert_int_equal(payload.left_out, 1);
    const struct pair *told = pairs_find(&payload.alerts[0].custom, VIEW("alertsNotRead"));
    assert_non_null(told);
    CHECK_VIEW("told", told->value, VIEW("1 more alerts of this request were not read"));
}

static void many_events_are_counted(void **state)
{
    (void)state;
    struct text body = text_in(&mem, PLENTY);
    struct payload payload = { 0 };
    struct failure why = { 0 };
    for (size_t i = 0; i < MAX_ALERTS + 5; i++)
        text_add_string(&body, i == 0 ? "[" EVENT_GRID(NATIVE) : "," EVENT_GRID(NATIVE));
    text_add_char(&body, ']');
    assert_true(payload_read(text_view(&body), &mem, &payload, &why));
    assert_int_equal(payload.count, MAX_ALERTS);
    assert_int_equal(payload.left_out, 5);
    for (size_t i = 0; i < payload.count; i++)
        CHECK_VIEW("name", payload.alerts[i].name, VIEW("n"));
}

static void an_alert_outlives_its_envelope(void **state)
{
    (void)state;
    char body[] = "{\"message\":{\"data\":\"" NATIVE_BASE64 "\",\"messageId\":\"p-1\"}}";
    struct payload payload = { 0 };
    struct failure why = { 0 };
    assert_true(payload_read((struct view){ body, sizeof body - 1 }, &mem, &payload, &why));
    memset(body, 'x', sizeof body);
    CHECK_VIEW("name", payload.alerts[0].name, VIEW("n"));
    CHECK_VIEW("id", payload.alerts[0].alert_id, VIEW("p-1"));
}

/* Under each ceiling the body is read whole, or cleanly not at all. */
static void read_with_little_memory(const char *row, const char *body)
{
    bool was_read = false;
    for (size_t ceiling = 0; !was_read; ceiling += ARENA_ALIGN * check_step()) {
        struct payload payload = { .count = 77 };
        struct failure why = { 0 };
        arena_init(&scarce, ceiling);
        was_read = payload_read(view_of(body), &scarce, &payload, &why);
        CHECK(row, was_read || (why.kind == FAIL_INTERNAL && payload.count == 77));
        arena_drop(&scarce);
        CHECK(row, ceiling < PLENTY);
    }
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(carried); i++)
        read_with_little_memory(carried[i].name, carried[i].body);
    for (size_t i = 0; i < COUNT_OF(notices); i++)
        read_with_little_memory(notices[i].name, notices[i].body);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_inside_is_read),         TEST(notices_need_no_session),
        TEST(what_holds_no_alert_is_refused), TEST(dialects_may_differ_within_one_list),
        TEST(many_events_are_counted),        TEST(what_was_not_read_is_told),
        TEST(an_alert_outlives_its_envelope), TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
