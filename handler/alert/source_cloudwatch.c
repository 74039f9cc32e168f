/*
 * Amazon CloudWatch alarms, as SNS delivers them: in an envelope, which is opened before, or raw.
 * AWS: "Alarm notifications" (AmazonCloudWatch user guide, AlarmThatSendsEmail).
 *
 * An alarm has no severity, and its message no id of its own: SNS's serves.
 */
#include "alert/source.h"

#include "base/arena.h"
#include "base/json.h"

static const struct word states[] = {
    { "ALARM", ALERT_FIRED },
    { "OK", ALERT_RESOLVED },
    { "INSUFFICIENT_DATA", ALERT_OTHER },
    { NULL, 0 },
};

static const struct field fields[] = {
    { "AlarmName", LINE_AT(name) },
    { "AlarmDescription", TEXT_AT(description) },
    { "StateChangeTime", TIME_AT(fired_time) },
    { "NewStateValue", STATE_AT(state), .words = states },
    { "AlarmArn", LINE_AT(problem) },
    { "AlarmArn", CUSTOM_AS("alarm") },
    { "OldStateValue", CUSTOM_AS("previous state") },
};

static bool recognises(const struct cJSON *body)
{
    return json_at(body, "AlarmName") != NULL && json_at(body, "NewStateValue") != NULL;
}

/* --- words ---------------------------------------------------------------------------------- */

static struct view operator_in_words(struct view operator)
{
    static const struct {
        const char *amazon, *plain;
    } words[] = {
        { "GreaterThanThreshold", "greater than" },
        { "GreaterThanOrEqualToThreshold", "greater than or equal to" },
        { "LessThanThreshold", "less than" },
        { "LessThanOrEqualToThreshold", "less than or equal to" },
        { "GreaterThanUpperThreshold", "above the expected band" },
        { "LessThanLowerThreshold", "below the expected band" },
        { "LessThanLowerOrGreaterThanUpperThreshold", "outside the expected band" },
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (view_equal(operator, view_of(words[i].amazon)))
            return view_of(words[i].plain);
    return operator;
}

/* "AVERAGE of AWS/EC2 CPUUtilization greater than 15, in 1 of 1 periods of 300 s". */
static bool keep_threshold(const struct cJSON *trigger, struct alert *out, struct arena *mem)
{
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    struct view periods = source_line_at(trigger, "EvaluationPeriods", mem);
    struct view wanted = source_line_at(trigger, "DatapointsToAlarm", mem);
    struct view statistic = source_line_at(trigger, "Statistic", mem);
    if (statistic.len == 0)
        statistic = source_line_at(trigger, "ExtendedStatistic", mem);
    source_add_part(&text, "", statistic, " of ");
    source_add_part(&text, "", source_line_at(trigger, "Namespace", mem), " ");
    source_add_part(&text, "", source_line_at(trigger, "MetricName", mem), "");
    source_add_part(&text, " ",
                    operator_in_words(source_line_at(trigger, "ComparisonOperator", mem)), "");
    source_add_part(&text, " ", source_line_at(trigger, "Threshold", mem), "");
    source_add_part(&text, ", in ", wanted.len > 0 ? wanted : periods, "");
    source_add_part(&text, " of ", periods, " periods");
    source_add_part(&text, " of ", source_line_at(trigger, "Period", mem), " s");
    return source_condition(out, text_view(&text), mem);
}

/* --- metrics and their dimensions ------------------------------------------------------------- */

/* Which part of a resource is measured, not which resource. */
static bool is_detail(struct view name)
{
    static const char *const details[] = { "StorageType", "AvailabilityZone", "FilterId", "Stage",
                                           "path",        "device",           "fstype",   "cpu" };
    for (size_t i = 0; i < COUNT_OF(details); i++)
        if (view_equal(name, view_of(details[i])))
            return true;
    return false;
}

/* Amazon writes "name" and "value", its documentation "Name" and "Value". */
static struct view either(const struct cJSON *node, const char *small, const char *capital,
                          struct arena *mem)
{
    struct view value = source_line_at(node, small, mem);
    return value.len > 0 ? value : source_line_at(node, capital, mem);
}

static bool has_dimension(const struct alert *alert, struct view name, struct view value)
{
    for (size_t i = 0; i < alert->dimensions.count; i++)
        if (view_equal(alert->dimensions.at[i].key, name)
            && view_equal(alert->dimensions.at[i].value, value))
            return true;
    return false;
}

/* The first value that names a resource is what a person would call it. */
static bool keep_dimensions(const struct cJSON *list, struct alert *out, struct arena *mem)
{
    const struct cJSON *item = source_items(list);
    for (; item != NULL; item = source_next(item, list)) {
        struct view name = either(item, "name", "Name", mem);
        struct view value = either(item, "value", "Value", mem);
        if (name.len == 0 || value.len == 0 || has_dimension(out, name, value))
            continue;
        if (!pairs_add(&out->dimensions, MAX_DIMENSIONS, name, value, MAX_VALUE_BYTES, mem))
            return false;
        if (out->resource.len == 0 && !is_detail(name))
            out->resource = view_keep(value, mem);
    }
    return true;
}

/* Metric math: an expression over metrics, each with an id: "e1 = m2 / m1". */
static bool keep_metric(const struct cJSON *metric, struct alert *out, struct arena *mem)
{
    const struct cJSON *inner = json_at(metric, "MetricStat.Metric");
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    source_add_part(&text, "", source_line_at(metric, "Id", mem), " = ");
    source_add_part(&text, "", source_line_at(metric, "Expression", mem), "");
    source_add_part(&text, "", source_line_at(metric, "MetricStat.Stat", mem), " of ");
    source_add_part(&text, "", source_line_at(inner, "Namespace", mem), " ");
    source_add_part(&text, "", source_line_at(inner, "MetricName", mem), "");
    source_add_part(&text, " over ", source_line_at(metric, "MetricStat.Period", mem), " s");
    source_add_part(&text, " (", source_line_at(metric, "Label", mem), ")");
    return source_condition(out, text_view(&text), mem)
           && keep_dimensions(json_at(inner, "Dimensions"), out, mem);
}

static bool keep_trigger(const struct cJSON *trigger, struct alert *out, struct arena *mem)
{
    if (json_kind(trigger) != JSON_OBJECT)
        return true;
    out->signal_type = VIEW("metric");
    const struct cJSON *metrics = json_at(trigger, "Metrics");
    const struct cJSON *metric = source_items(metrics);
    if (!keep_threshold(trigger, out, mem)
        || !keep_dimensions(json_at(trigger, "Dimensions"), out, mem))
        return false;
    for (; metric != NULL; metric = source_next(metric, metrics))
        if (!keep_metric(metric, out, mem))
            return false;
    if (out->resource.len == 0 && out->dimensions.count > 0)
        out->resource = out->dimensions.at[0].value;
    return true;
}

/* --- composite alarms ------------------------------------------------------------------------- */

static bool keep_children(const struct cJSON *list, struct alert *out, struct arena *mem)
{
    for (const struct cJSON *child = json_first(list); child != NULL; child = json_next(child)) {
        struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
        source_add_part(&text, "", source_line_at(child, "Arn", mem), "");
        source_add_part(&text, " is in ", source_line_at(child, "State.Value", mem), "");
        source_add_part(&text, " since ", source_line_at(child, "State.Timestamp", mem), "");
        if (!source_condition(out, text_view(&text), mem))
            return false;
    }
    return true;
}

static bool keep_line(const char *before, const struct cJSON *node, struct alert *out,
                      struct arena *mem)
{
    struct text text = text_in(mem, MAX_VALUE_BYTES * 2);
    source_add_part(&text, before, source_line(node, mem), "");
    return source_condition(out, text_view(&text), mem);
}

/* The ARN names account and region; where it is missing they tell alarms of one name apart. */
static bool keep_place(const struct cJSON *item, struct alert *out, struct arena *mem)
{
    const struct cJSON *account = json_at(item, "AWSAccountId");
    const struct cJSON *region = json_at(item, "Region");
    if (out->problem.len == 0)
        return source_dimension(out, "account", account, mem)
               && source_dimension(out, "region", region, mem);
    return source_custom(out, VIEW("account"), account, mem)
           && source_custom(out, VIEW("region"), region, mem);
}

static bool finish(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why)
{
    (void)body;
    if (out->state == ALERT_OTHER && out->reason == NULL)
        out->reason = "The alarm has too little data to be on or off: no session needed";
    return (keep_line("", json_at(item, "NewStateReason"), out, mem)
            && keep_line("Rule: ", json_at(item, "AlarmRule"), out, mem)
            && keep_trigger(json_at(item, "Trigger"), out, mem)
            && keep_children(json_at(item, "TriggeringChildren"), out, mem)
            && keep_place(item, out, mem) && arena_ok(mem))
           || fail(why, FAIL_INTERNAL, "no memory left to read the alarm");
}

const struct source source_cloudwatch = {
    .name = "cloudwatch",
    .identity = BY_PROBLEM | BY_NAME | BY_DIMENSIONS,
    .recognises = recognises,
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .finish = finish,
};
