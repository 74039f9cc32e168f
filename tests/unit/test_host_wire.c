/* The envelope of a queue's message, as the Functions host stand-in writes it. */
#include "support/host_wire.h"

#include "base/arena.h"
#include "base/json.h"

#include "unit/check.h"

static const struct host_function function = { .name = "retry-devin",
                                               .trigger = { "alert", 5 },
                                               .queue = "triage" };

/* clang-format off */
static const struct {
    const char *text, *path, *wanted; /* NULL: there is no such member */
} rows[] = {
    /* the text is JSON twice, whatever it is */
    { "plain \"quoted\"",         "Data.alert",               "\"plain \\\"quoted\\\"\"" },
    { "{\"a\":1}",                "Data.alert",               "\"{\\\"a\\\":1}\"" },
    /* what the trigger tells: strings twice, dates once, the count a string */
    { "x",                        "Metadata.DequeueCount",    "3" },
    { "x",                        "Metadata.Id",              "\"id-1\"" },
    { "x",                        "Metadata.PopReceipt",      "\"pop/+=\"" },
    { "x",                        "Metadata.InsertionTime",   "2026-03-08T09:59:58+00:00" },
    { "x",                        "Metadata.ExpirationTime",  "2026-12-31T23:00:01+00:00" },
    { "x",                        "Metadata.NextVisibleTime", "2026-01-02T03:04:05+00:00" },
    { "x",                        "Metadata.sys.MethodName",  "retry-devin" },
    /* the message's own members spill, and take the trigger's names over */
    { "{\"orderId\":17}",         "Metadata.orderId",         "\"17\"" },
    { "{\"note\":\"hi\"}",        "Metadata.note",            "\"hi\"" },
    { "{\"on\":true}",            "Metadata.on",              "\"True\"" },
    { "{\"o\":{\"p\":1}}",        "Metadata.o",               "{\"p\":1}" },
    { "{\"list\":[1]}",           "Metadata.list",            NULL },
    { "{\"myTrigger\":1}",        "Metadata.myTrigger",       NULL },
    { "{\"Id\":\"mine\"}",        "Metadata.Id",              "\"mine\"" },
    { "{\"dequeuecount\":9}",     "Metadata.DequeueCount",    NULL },
    { "[{\"Id\":\"mine\"}]",      "Metadata.Id",              "\"id-1\"" },
};
/* clang-format on */

static void play(const char *text, const char *path, const char *wanted)
{
    struct arena mem;
    struct host_message message;
    struct json json = { 0 };
    struct failure why;
    const struct host_call call = { .function = &function, .invocation = "i", .handler_port = 1 };
    const struct host_delivery delivery = {
        .text = view_of(text),
        .id = VIEW("id-1"),
        .pop = VIEW("pop/+="),
        .inserted = VIEW("Sun, 08 Mar 2026 09:59:58 GMT"),
        .expires = VIEW("Thu, 31 Dec 2026 23:00:01 GMT"),
        .visible = VIEW("Fri, 02 Jan 2026 03:04:05 GMT"),
        .dequeues = 3,
    };
    arena_init(&mem, 1024 * 1024);
    assert_true(host_envelope_delivery(&call, &delivery, false, &mem, &message));
    assert_true(view_starts(message.head, VIEW("POST /retry-devin HTTP/1.1\r\n")));
    assert_true(json_read(message.body, &mem, &json, &why));
    const struct cJSON *seen = json_at(json.root, path);
    if (wanted == NULL)
        CHECK(path, json_kind(seen) == JSON_ABSENT);
    else
        CHECK_VIEW(path, json_as_text(seen, &mem), view_of(wanted));
    json_free(&json);
    arena_drop(&mem);
}

static void message_is_wrapped_as_by_the_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        play(rows[i].text, rows[i].path, rows[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_wrapped_as_by_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
