/* JSON that a person typed into a log alert rule. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"alertname\":\"AcmeRule\",\"IncludeSearchResults\":true,\"SearchResults\":{"
              "\"tables\":[{\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"$table\"},{"
              "\"name\":\"Id\"}],\"rows\":[[\"Fabrikam\",\"33446677a\"]]}]}}",
      .from = &source_azure_custom,
      .name = "AcmeRule",
      .description = "",
      .signal = "log",
      .time = "",
      .alert_id = "",
      .logs = "$table: Fabrikam | Id: 33446677a\n",
      .custom = "",
      .notes = "",
      .severity = -1 },
    { .body = "{\"alertname\":\"r\",\"severity\":\"3\",\"text\":\"18 "
              "records\",\"searchquery\":\"Heartbeat\",\"linktosearchresults\":\"https://p/"
              "1\",\"searchintervalendtimeutc\":\"3/22/2019 1:36:31 "
              "PM\",\"workspaceid\":\"w\",\"team\":\"core\",\"deep\":{\"er\":1},\"token\":\"t\","
              "\"dimensions\":{\"Computer\":\"c\"}}",
      .from = &source_azure_custom,
      .name = "r",
      .severity = 3,
      .description = "18 records",
      .signal = "log",
      .time = "2019-03-22T13:36:31Z",
      .query = "Heartbeat",
      .dimensions = "Computer=c;",
      .custom = "workspaceid=w;team=core;deep.er=1;",
      .links = "Search results=https://p/1;" },
    /* parameters that nobody filled */
    { .body = "{\"alertname\":\"r\",\"severity\":\"#severity\",\"description\":\"#description\","
              "\"searchquery\":\"#searchquery\",\"n\":\"#searchresultcount\",\"note\":\"#prod\"}",
      .from = &source_azure_custom,
      .name = "r",
      .description = "",
      .query = "",
      .custom = "note=#prod;",
      .severity = -1 },
    { .body = "{\"alertname\":\"#alertrulename\",\"IncludeSearchResults\":true}",
      .refused = "alertname" },
    /* nothing of Azure's in it */
    { .body = "{\"alertname\":\"r\",\"severity\":\"Warning\",\"description\":\"d\"}",
      .refused = "alertName" },
    { .body = "{\"alertname\":\"r\",\"status\":\"Resolved\",\"WorkspaceId\":\"w\"}",
      .from = &source_azure_custom,
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"alertname\":\"\",\"SearchQuery\":\"q\"}", .refused = "alertname" },
    /* our own contract counts more; text alone is no alert */
    { .body = "{\"alertName\":\"a\",\"severity\":1,\"description\":\"d\",\"alertname\":\"r\","
              "\"SearchQuery\":\"q\"}",
      .from = &source_native,
      .name = "a",
      .severity = 1 },
    { .body = "{\"text\":\"My Alert Rule fired with 18 records over threshold of 10 .\"}",
      .refused = "alertName" },
    { .body = "{\"text\":\"x\",\"IncludeSearchResults\":true}", .refused = "alertName" },
};

static void typed_json_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(typed_json_is_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
