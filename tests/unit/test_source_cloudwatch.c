/* CloudWatch and EventBridge: what the samples do not show. */
#include "unit/wanted.h"

#define TRIGGER \
    "\"Trigger\":{\"MetricName\":\"M\",\"Namespace\":\"N\",\"Statistic\":\"SUM\",\"Period\":60,"

static const struct wanted rows[] = {
    { .body =
          "{\"AlarmName\":\" a \",\"NewStateValue\":\"ALARM\"," TRIGGER
          "\"Dimensions\":[{\"name\":\"path\",\"value\":\"/"
          "\"},{\"Name\":\"InstanceId\",\"Value\":\"i-1\"}],"
          "\"ComparisonOperator\":\"LessThanLowerOrGreaterThanUpperThreshold\",\"Threshold\":\"5\","
          "\"EvaluationPeriods\":3,\"DatapointsToAlarm\":2},\"AWSAccountId\":123,\"Region\":\"r\"}",
      .from = &source_cloudwatch,
      .name = "a",
      .resource = "i-1",
      .signal = "metric",
      .time = "",
      .alert_id = "",
      .problem = "",
      .conditions = "=SUM of N M outside the expected band 5, in 2 of 3 periods of 60 s;",
      .dimensions = "path=/;InstanceId=i-1;account=123;region=r;",
      .custom = "",
      .severity = -1 },
    { .body =
          "{\"AlarmName\":\"math\",\"NewStateValue\":\"alarm\",\"AlarmArn\":\"arn:m\",\"Trigger\":{"
          "\"Period\":60,\"EvaluationPeriods\":1,\"ComparisonOperator\":\"GreaterThanThreshold\","
          "\"Threshold\":10.0,\"Metrics\":[{\"Expression\":\"m1/"
          "m2\",\"Id\":\"e1\",\"Label\":\"rate\","
          "\"ReturnData\":true},{\"Id\":\"m1\",\"MetricStat\":{\"Metric\":{\"Dimensions\":[{"
          "\"value\":"
          "\"app/lb\",\"name\":\"LoadBalancer\"}],\"MetricName\":\"5XX\",\"Namespace\":\"AWS/"
          "ELB\"},"
          "\"Period\":60,\"Stat\":\"Sum\"}},{\"Id\":\"m2\",\"MetricStat\":{\"Metric\":{"
          "\"Dimensions\":[{"
          "\"value\":\"app/"
          "lb\",\"name\":\"LoadBalancer\"}],\"MetricName\":\"All\",\"Namespace\":\"AWS/ELB\"},"
          "\"Period\":60,\"Stat\":\"Sum\"}}]},\"OldStateValue\":\"OK\",\"Region\":\"r\"}",
      .from = &source_cloudwatch,
      .resource = "app/lb",
      .problem = "arn:m",
      .signal = "metric",
      .conditions = "=greater than 10, in 1 of 1 periods of 60 s;=e1 = m1/m2 (rate);"
                    "=m1 = Sum of AWS/ELB 5XX over 60 s;=m2 = Sum of AWS/ELB All over 60 s;",
      .dimensions = "LoadBalancer=app/lb;",
      .custom = "alarm=arn:m;previous state=OK;region=r;",
      .severity = -1 },
    { .body = "{\"AlarmName\":\"composite\",\"NewStateValue\":\"ALARM\",\"NewStateReason\":\"arn:c "
              "changed\","
              "\"AlarmArn\":\"arn:x\",\"AlarmRule\":\"ALARM(c) OR "
              "ALARM(d)\",\"TriggeringChildren\":[{\"Arn\":"
              "\"arn:c\",\"State\":{\"Value\":\"ALARM\",\"Timestamp\":\"2024-01-01T00:00:00.000+"
              "0000\"}}]}",
      .name = "composite",
      .resource = "",
      .signal = "",
      .conditions = "=arn:c changed;=Rule: ALARM(c) OR ALARM(d);"
                    "=arn:c is in ALARM since 2024-01-01T00:00:00.000+0000;",
      .severity = -1 },
    { .body = "{\"AlarmName\":\"a\",\"NewStateValue\":\"INSUFFICIENT_DATA\"}",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"AlarmName\":\"a\",\"NewStateValue\":\"ODD\"}",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"AlarmName\":\"a\",\"NewStateValue\":\"OK\"}",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"AlarmName\":null,\"NewStateValue\":\"ALARM\"}", .refused = "AlarmName" },
    { .body = "{\"AlarmName\":\"\",\"NewStateValue\":\"ALARM\",\"Trigger\":null}",
      .refused = "AlarmName" },
    { .body = "{\"AlarmName\":\"a\",\"NewStateValue\":\"ALARM\",\"AlarmDescription\":null,"
              "\"Trigger\":[1],"
              "\"TriggeringChildren\":\"x\",\"StateChangeTime\":5.5}",
      .description = "",
      .time = "1970-01-01T00:00:05.500Z",
      .severity = -1 },
    { .body = "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Timestamp\":"
              "\"2024-01-01T00:00:00Z\",\"Token\":\"secret\",\"Message\":\"{\\\"AlarmName\\\":"
              "\\\"a\\\","
              "\\\"NewStateValue\\\":\\\"ALARM\\\"}\"}",
      .from = &source_cloudwatch,
      .name = "a",
      .alert_id = "m",
      .time = "2024-01-01T00:00:00Z",
      .custom = "",
      .severity = -1 },
    /* EventBridge */
    { .body = "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"MessageId\":\"m\",\"Message\":"
              "\"{\\\"detail-type\\\":\\\"EC2 Instance State-change "
              "Notification\\\",\\\"id\\\":\\\"e-1\\\","
              "\\\"source\\\":\\\"aws.ec2\\\",\\\"account\\\":\\\"123\\\",\\\"time\\\":\\\"2024-01-"
              "01T00:00:00Z\\\","
              "\\\"region\\\":\\\"us-east-1\\\",\\\"resources\\\":[\\\"arn:i-1\\\",\\\"arn:i-2\\\"]"
              ",\\\"detail\\\":"
              "{\\\"instance-id\\\":\\\"i-1\\\",\\\"state\\\":\\\"stopped\\\",\\\"deep\\\":{"
              "\\\"er\\\":[1,2]}}}\"}",
      .from = &source_eventbridge,
      .name = "EC2 Instance State-change Notification",
      .alert_id = "e-1",
      .resource = "arn:i-1",
      .time = "2024-01-01T00:00:00Z",
      .dimensions = "account=123;region=us-east-1;",
      .custom = "event source=aws.ec2;resources=arn:i-1, "
                "arn:i-2;instance-id=i-1;state=stopped;deep.er=1, 2;",
      .severity = -1 },
    { .body = "{\"detail-type\":\"CloudWatch Alarm State "
              "Change\",\"id\":\"e\",\"resources\":[\"arn:alarm\"],"
              "\"detail\":{\"alarmName\":\"cpu\",\"state\":{\"value\":\"OK\",\"reason\":\"below\"},"
              "\"configuration\":{\"description\":\"d\",\"metrics\":[{\"id\":\"m\",\"metricStat\":{"
              "\"stat\":"
              "\"Average\",\"metric\":{\"namespace\":\"AWS/EC2\",\"name\":\"CPU\",\"dimensions\":"
              "{\"InstanceId\":\"i-1\"}}}}]}}}",
      .from = &source_eventbridge,
      .name = "cpu",
      .description = "d",
      .resource = "i-1",
      .signal = "metric",
      .conditions = "=below;=Average of AWS/EC2 CPU;",
      .dimensions = "InstanceId=i-1;",
      .state = ALERT_RESOLVED,
      .severity = -1 },
    { .body = "{\"detail-type\":\"x\",\"detail\":{\"alarmName\":\"c\",\"state\":{\"value\":"
              "\"INSUFFICIENT_DATA\"}}}",
      .state = ALERT_OTHER,
      .severity = -1 },
    { .body = "{\"detail-type\":\"\",\"detail\":{}}", .refused = "detail.alarmName" },
    { .body = "{\"alertName\":\"n\",\"severity\":1,\"description\":\"d\",\"AlarmName\":\"a\","
              "\"NewStateValue\":\"OK\"}",
      .from = &source_native,
      .name = "n",
      .severity = 1 },
};

static void payloads_become_alerts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_wanted(&rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_become_alerts),
    };
    return cmocka_run_group_tests_name("source_cloudwatch", tests, NULL, NULL);
}
