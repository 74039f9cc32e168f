/* What a refused payload is told, and that a good one is told nothing. */
#include "alert/hint.h"

#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"
#include "unit/reading.h"

enum { PLENTY = 4 * 1024 * 1024 };

/* A word of the hint each body must get; NULL: none. */
static const struct {
    const char *body;
    const char *word;
} bodies[] = {
    { "{}", NULL },
    { "{\"severity\":1,\"description\":\"d\"}", NULL },
    { "{\"alertName\":7,\"severity\":1,\"description\":\"d\"}", NULL },
    { "{\"alertName\":\"{{rule.name}}\"}", "template is not filled" },
    { "{\"alertName\":\"a\",\"severity\":\"$ALERT_PRIORITY\"}", "template is not filled" },
    { "{\"title\":\"$EVENT_TITLE\",\"body\":\"$TEXT_ONLY_MSG\"}", "template is not filled" },
    { "{\"webhook_body\":{\"a\":\"{{#context}}{{.}}{{/context}}\"}}", "template is not filled" },
    { "{\"alertName\":\"a\",\"text\":\"t\",\"attachments\":[]}", NULL },
    { "{\"alertName\":\" \",\"text\":\"t\",\"attachments\":[]}", "Slack" },
    { "{\"text\":\"t\",\"attachments\":[{\"color\":\"red\"}]}", "Slack" },
    { "{\"blocks\":[]}", "Slack" },
    { "{\"type\":\"message\",\"attachments\":[{\"contentType\":\"x\"}]}", "Teams" },
    { "{\"@type\":\"MessageCard\",\"text\":\"t\"}", "Teams" },
    { "{\"content\":\"c\",\"embeds\":[]}", "Discord" },
    { "{\"alertRule\":\"r\",\"monitorCondition\":\"Fired\"}", "whole common alert schema" },
    { "{\"essentials\":{\"alertRule\":\"r\"}}", "whole common alert schema" },
    { "{\"data\":{\"alertContext\":{}}}", "whole common alert schema" },
    { "{\"text\":\"disk is full\"}", "enable the common alert schema" },
    { "{\"text\":\"disk is full\",\"title\":\"t\"}", NULL },
    { "{\"rule\":{\"name\":\"r\"},\"context\":{}}", "Kibana" },
    { "{\"name\":\"n\",\"message\":\"m\",\"kibanaUrl\":\"https://k\"}", "Kibana" },
    { "{\"alerts\":[{\"a\":1}]}", "Alertmanager and Grafana" },
    { "{\"AlertName\":\"a\"}", "write alertName" },
    { "{\"alertname\":\"a\",\"severity\":1}", "write alertName" },
    { "{\"alert_name\":\"a\"}", "write alertName" },
    { "{\"title\":\"t\",\"last_updated\":\"1\"}", "Datadog" },
    { "{\"title\":\"t\",\"link\":\"https://app.datadoghq.com/x\"}", "Datadog" },
};

static void every_smell_has_its_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct arena mem;
        struct json json;
        struct failure why;
        arena_init(&mem, PLENTY);
        CHECK(bodies[i].body, json_read(view_of(bodies[i].body), &mem, &json, &why));
        struct view hint = view_of(hint_of(json.root));
        if (bodies[i].word == NULL)
            CHECK_VIEW(bodies[i].body, hint, VIEW(""));
        else
            CHECK(bodies[i].body, view_contains(hint, view_of(bodies[i].word)));
        json_free(&json);
        arena_drop(&mem);
    }
}

/* What does not fit into a failure's reason would reach its reader cut. */
static void a_refusal_tells_the_whole_hint(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct arena mem;
        struct json json;
        struct failure why = { 0 };
        struct alert alert = { 0 };
        struct failure ignored;
        arena_init(&mem, PLENTY);
        CHECK(bodies[i].body, json_read(view_of(bodies[i].body), &mem, &json, &ignored));
        CHECK(bodies[i].body, !read_first(view_of(bodies[i].body), &mem, &alert, &why));
        CHECK(bodies[i].body, failure_row(why.kind)->status == 400 && why.field != NULL);
        CHECK_VIEW(bodies[i].body, view_of(why.reason), view_of(hint_of(json.root)));
        json_free(&json);
        arena_drop(&mem);
    }
}

static void an_alert_is_told_nothing(void **state)
{
    (void)state;
    struct arena mem;
    struct alert alert = { 0 };
    struct failure why = { 0 };
    arena_init(&mem, PLENTY);
    assert_true(read_first(VIEW("{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
                                "\"text\":\"t\",\"team\":\"{{team}}\"}"),
                           &mem, &alert, &why));
    assert_int_equal(why.reason[0], '\0');
    arena_drop(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_smell_has_its_advice),
        cmocka_unit_test(a_refusal_tells_the_whole_hint),
        cmocka_unit_test(an_alert_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
