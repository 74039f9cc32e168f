/* Log alerts of Azure's first API without the common schema. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SubscriptionId\":\"s\","
              "\"SearchIntervalEndtimeUtc\":\"2018-03-26T09:10:40Z\",\"AlertThresholdOperator\":"
              "\"Greater "
              "Than\",\"AlertThresholdValue\":0,\"ResultCount\":2,\"SearchIntervalInSeconds\":3600,"
              "\"LinkToSearchResults\":\"https://p/1\",\"LinkToFilteredSearchResultsUI\":\"https://"
              "p/2\",\"LinkToSearchResultsAPI\":\"https://api/"
              "3\",\"Description\":\"d\",\"Severity\":\"Warning\",\"Dimensions\":[{\"name\":\"IP\","
              "\"value\":\"1.1.1.1\"}],\"SearchResult\":{\"tables\":[{\"name\":\"PrimaryResult\","
              "\"columns\":[{\"name\":\"A\"},{\"name\":\"B\"}],\"rows\":[[\"x\",\"y\"]]}]},"
              "\"WorkspaceId\":\"w\",\"AlertType\":\"Number of results\"}",
      .name = "r",
      .severity = 2,
      .description = "d",
      .resource = "1.1.1.1",
      .signal = "log",
      .time = "2018-03-26T09:10:40Z",
      .alert_id = "",
      .problem = "",
      .query = "q",
      .logs = "A: x | B: y\n",
      .conditions = "=Number of results greater than 0, 2 rows, over 60 minutes;",
      .dimensions = "IP=1.1.1.1;WorkspaceId=w;",
      .custom = "SubscriptionId=s;",
      .links = "Search results, filtered=https://p/2;Search results=https://p/1;",
      .notes = "",
      .from = &source_azure_log },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "LogAlert\",\"data\":{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\","
              "\"SubscriptionId\":\"s\",\"SearchIntervalEndtimeUtc\":\"2018-03-26T09:10:40Z\","
              "\"AlertThresholdOperator\":\"Greater "
              "Than\",\"AlertThresholdValue\":0,\"ResultCount\":2,\"SearchIntervalInSeconds\":3600,"
              "\"LinkToSearchResults\":\"https://p/1\",\"LinkToFilteredSearchResultsUI\":\"https://"
              "p/2\",\"LinkToSearchResultsAPI\":\"https://api/"
              "3\",\"Description\":\"d\",\"Severity\":\"Warning\",\"Dimensions\":[{\"name\":\"IP\","
              "\"value\":\"1.1.1.1\"}],\"SearchResult\":{\"tables\":[{\"name\":\"PrimaryResult\","
              "\"columns\":[{\"name\":\"A\"},{\"name\":\"B\"}],\"rows\":[[\"x\",\"y\"]]}]},"
              "\"WorkspaceId\":\"w\",\"AlertType\":\"Number of results\"}}",
      .name = "r",
      .severity = 2,
      .description = "d",
      .resource = "1.1.1.1",
      .signal = "log",
      .time = "2018-03-26T09:10:40Z",
      .alert_id = "",
      .problem = "",
      .query = "q",
      .logs = "A: x | B: y\n",
      .conditions = "=Number of results greater than 0, 2 rows, over 60 minutes;",
      .dimensions = "IP=1.1.1.1;WorkspaceId=w;",
      .custom = "SubscriptionId=s;",
      .links = "Search results, filtered=https://p/2;Search results=https://p/1;",
      .notes = "",
      .from = &source_azure_log },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"Description\":null,\"Severity\":"
              "null,\"SearchResult\":null,\"Dimensions\":null,\"AffectedConfigurationItems\":null,"
              "\"SearchIntervalEndtimeUtc\":null,\"AlertThresholdValue\":null}",
      .from = &source_azure_log,
      .name = "r",
      .description = "",
      .resource = "",
      .time = "",
      .logs = "",
      .conditions = "",
      .dimensions = "",
      .notes = "",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":null}",
      .from = &source_azure_log,
      .query = "",
      .severity = -1 },
    /* severity */
    { .body =
          "{\"schemaId\":\"Microsoft.Insights/"
          "LogAlert\",\"data\":{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"Severity\":\"3\"}}",
      .severity = 3 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"Severity\":0}", .severity = 0 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"Severity\":\"Critical\"}",
      .severity = 0 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"Severity\":\"9\"}",
      .notes = "Severity=left out;",
      .severity = -1 },
    /* resources */
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"AffectedConfigurationItems\":["
              "\"a\",\"b\"],\"Dimensions\":[{\"name\":\"n\",\"value\":\"v\"}]}",
      .resource = "a",
      .severity = -1 },
    { .body =
          "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"AffectedConfigurationItems\":\"a\"}",
      .resource = "a",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchResults\":{\"tables\":[{"
              "\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"TimeGenerated\"},{\"name\":"
              "\"Computer\"}],\"rows\":[[\"t\",\"c-1\"]]}]}}",
      .resource = "c-1",
      .logs = "TimeGenerated: t | Computer: c-1\n",
      .severity = -1 },
    { .body =
          "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchResult\":{\"tables\":[{\"name\":"
          "\"PrimaryResult\",\"columns\":[{\"name\":\"cloud_RoleName\"}],\"rows\":[[\"api\"]]}]}}",
      .resource = "api",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchResult\":{\"tables\":[{"
              "\"name\":\"PrimaryResult\",\"columns\":[{\"name\":\"Computer\"}],\"rows\":[]}]}}",
      .resource = "",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchResult\":{\"tables\":[{"
              "\"rows\":[[\"x\"],[]]}]},\"ResourceId\":\"/s/workspaces/ws\"}",
      .resource = "ws",
      .logs = "x\n\n",
      .severity = -1 },
    /* times as ISO or in the order of the United States; 12 is noon or midnight */
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"3/22/"
              "2019 1:36:31 PM\"}",
      .time = "2019-03-22T13:36:31Z",
      .notes = "",
      .severity = -1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "LogAlert\",\"data\":{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\","
              "\"SearchIntervalEndtimeUtc\":\"12/1/2019 12:00:00 AM\"}}",
      .time = "2019-12-01T00:00:00Z",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndTimeUtc\":\"12/31/"
              "2019 12:05:09 pm\"}",
      .time = "2019-12-31T12:05:09Z",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"03/02/"
              "2019 23:36:31\"}",
      .time = "2019-03-02T23:36:31Z",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"22/3/"
              "2019 1:36:31 PM\"}",
      .time = "",
      .notes = "SearchIntervalEndtimeUtc=left out;",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"3/22/"
              "2019 13:36:31 PM\"}",
      .time = "",
      .notes = "SearchIntervalEndtimeUtc=left out;",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"3/22/"
              "2019\"}",
      .time = "",
      .notes = "SearchIntervalEndtimeUtc=left out;",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"3/22/"
              "2019 1:36:31 PM x\"}",
      .time = "",
      .notes = "SearchIntervalEndtimeUtc=left out;",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"SearchIntervalEndtimeUtc\":\"2019-"
              "03-22T13:36:31.1234567\"}",
      .time = "2019-03-22T13:36:31.1234567",
      .severity = -1 },
    /* bare, our own contract counts more; in its envelope it does not */
    { .body = "{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\",\"alertName\":\"a\",\"severity\":1,"
              "\"description\":\"d\"}",
      .from = &source_native,
      .name = "a",
      .severity = 1 },
    { .body = "{\"schemaId\":\"Microsoft.Insights/"
              "LogAlert\",\"data\":{\"AlertRuleName\":\"r\",\"SearchQuery\":\"q\"},\"alertName\":"
              "\"a\"}",
      .from = &source_azure_log,
      .name = "r",
      .severity = -1 },
    { .body = "{\"AlertRuleName\":\"r\"}", .refused = "alertName" },
    { .body = "{\"AlertRuleName\":\"{{x}}\",\"SearchQuery\":\"q\"}", .refused = "AlertRuleName" },
    { .body = "{\"schemaId\":\"Microsoft.Insights/LogAlert\",\"data\":null}",
      .refused = "AlertRuleName" },
};

static void log_alerts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(log_alerts_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
