/* Budget alerts of Azure without the common schema. */
#include "alert/source.h"
#include "unit/wanted.h"

static const struct wanted rows[] = {
    { .body =
          "{\"schemaId\":\"AIP Budget "
          "Notification\",\"data\":{\"SubscriptionName\":\"Prod\",\"SubscriptionId\":\"s-1\","
          "\"EnrollmentNumber\":\"\",\"DepartmentName\":\"dep\",\"ResourceGroup\":\"rg\","
          "\"SpendingAmount\":\"1111.32\",\"BudgetStartDate\":\"11/17/2021 5:40:29 PM "
          "-08:00\",\"Budget\":\"10000\",\"Unit\":\"USD\",\"BudgetCreator\":\"a@b\",\"BudgetName\":"
          "\"b-1\",\"BudgetType\":\"Cost\",\"NotificationThresholdAmount\":\"8000.0\"}}",
      .from = &source_azure_budget,
      .name = "b-1",
      .description = "",
      .resource = "b-1",
      .signal = "",
      .time = "",
      .alert_id = "",
      .conditions = "=spend 1111.32, budget 10000, threshold 8000.0, in USD;",
      .dimensions = "SubscriptionId=s-1;ResourceGroup=rg;",
      .custom = "SubscriptionName=Prod;DepartmentName=dep;BudgetStartDate=11/17/2021 5:40:29 PM "
                "-08:00;Unit=USD;BudgetCreator=a@b;BudgetType=Cost;",
      .notes = "",
      .severity = -1 },
    { .body =
          "{\"schemaId\":\"AIP Budget "
          "Notification\",\"data\":{\"BudgetName\":\"b\",\"SpendingAmount\":12.5,\"Budget\":null}}",
      .conditions = "=spend 12.5;",
      .dimensions = "",
      .custom = "",
      .severity = -1 },
    { .body = "{\"schemaId\":\"AIP Budget Notification\",\"data\":{\"BudgetName\":null}}",
      .refused = "data.BudgetName" },
    { .body = "{\"schemaId\":\"AIP Budget Notification\",\"data\":null,\"alertName\":\"a\"}",
      .refused = "data.BudgetName" },
};

static void budgets_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(budgets_are_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
