/* Watcher with its whole context, and what the templates of Kibana and Watcher leave in a native body. */
#include "unit/facts.h"

/* --- tables ----------------------------------------------------------------------------------- */

static const struct facts contexts[] = {
    { .body = "{\"payload\":{\"ctx\":{\"watch_id\":\"w\",\"id\":\"w_1\","
              "\"execution_time\":\"2024-02-06T12:00:00.214Z\","
              "\"payload\":{\"hits\":{\"hits\":[{\"_source\":{\"message\":\"one\","
              "\"service.name\":\"cart\"}},{\"_source\":{\"message\":\"two\"}}],"
              "\"total\":{\"value\":2}}},\"metadata\":{\"name\":\"N\","
              "\"severity\":\"high\"}}}}",
      .name = "N",
      .severity = "1",
      .resource = "cart",
      .signal = "log",
      .time = "2024-02-06T12:00:00.214Z",
      .alert_id = "w_1",
      .problem = "w",
      .shows = "one\ntwo",
      .shows_too = "hits: 2" },
    { .body = "{\"ctx\":{\"watch_id\":\"w\",\"id\":\"w_1\","
              "\"execution_time\":\"2024-02-06T12:00:00.214Z\","
              "\"payload\":{\"hits\":{\"hits\":[{\"_source\":{\"host\":{\"name\":\"h\"}}}]}}}}",
      .name = "w",
      .resource = "h",
      .signal = "",
      .severity = "" },
    { .body = "{\"payload\":{\"ctx\":{\"watch_id\":\"w\",\"id\":\"w_1\","
              "\"execution_time\":\"\",\"payload\":null,\"metadata\":{\"severity\":2}}}}",
      .severity = "2",
      .resource = "",
      .time = "" },
};

static const struct facts native_bodies[] = {
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"groupByField\":\"web-03, eu\"}",
      .resource = "web-03, eu",
      .shows = "groupByField: web-03, eu" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"groupByField\":\"g\",\"affectedResource\":\"r\"}",
      .resource = "r" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"groupByField\":\"\",\"jobId\":\"j\"}",
      .resource = "j" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"groupByField\":\"{{context.group}}\"}",
      .resource = "",
      .hides = "{{" },
    { .body = "{\"alertName\":\"a &amp; b &#39;c&#39;\",\"severity\":1,"
              "\"description\":\"x &gt; 1 &amp;&amp; y &quot;z&quot;\"}",
      .name = "a & b 'c'",
      .description = "x > 1 && y \"z\"" },
    { .body = "{\"alertName\":\"a &amp; <b>\",\"severity\":1,"
              "\"description\":\"a & b &lt;\"}",
      .name = "a &amp; <b>",
      .description = "a & b &lt;" },
    { .body = "{\"alertName\":\"a &amp; < b\",\"severity\":1,"
              "\"description\":\"a &amp; > b\"}",
      .name = "a &amp; < b",
      .description = "a &amp; > b" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"logs\":\"{{#context.hits}}{{_source.message}}\\n{{/context.hits}}\"}",
      .hides = "Error Logs" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"logs\":\"{\\\"context\\\": {\\\"hits\\\": [{\\\"_source\\\": {\\\"message\\\": "
              "\\\"found me\\\"}}]}}\"}",
      .shows = "found me",
      .hides = "_source" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\",\"logs\":\"\","
              "\"context\":\"{\\\"hits\\\": [{\\\"_source\\\": {\\\"message\\\": \\\"found "
              "me\\\"}}]}\"}",
      .shows = "```\nfound me\n```" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"logs\":\"stated\","
              "\"context\":\"{\\\"context\\\": {\\\"hits\\\": [{\\\"_source\\\": {\\\"message\\\": "
              "\\\"found me\\\"}}]}}\"}",
      .shows = "```\nstated\n```" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"context\":{\"hits\":[{\"_source\":{\"message\":\"found me\"}}]}}",
      .shows = "```\nfound me\n```" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"logs\":\"{not json\"}",
      .shows = "{not json" },
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\","
              "\"logs\":\"{\\\"hits\\\":7}\"}",
      .shows = "{\"hits\":7}" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void contexts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(contexts); i++)
        check_facts(&contexts[i], &source_watcher);
}

static void native_bodies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(native_bodies); i++)
        check_facts(&native_bodies[i], &source_native);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_are_read),
        cmocka_unit_test(native_bodies_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
