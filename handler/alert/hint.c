/*
 * Known senders in an unusual mode.  A hint is given only where an alert is refused anyway, so a
 * guess may be a guess; the most specific comes first.
 */
#include "alert/hint.h"

#include "alert/source.h"
#include "base/json.h"

static bool has(const struct cJSON *body, const char *path)
{
    return json_kind(json_at(body, path)) != JSON_ABSENT;
}

static bool has_text(const struct cJSON *body, const char *path)
{
    return view_trim(json_text(json_at(body, path))).len > 0;
}

static bool has_any(const struct cJSON *body, const char *const paths[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has(body, paths[i]))
            return true;
    return false;
}

/* --- what payloads smell of -------------------------------------------------------------------- */

static bool is_unfilled(const struct cJSON *body)
{
    for (const struct cJSON *member = json_first(body); member != NULL;
         member = json_next(member)) {
        if (source_is_placeholder(view_trim(json_text(member))))
            return true;
        const struct cJSON *inner = json_kind(member) == JSON_OBJECT ? json_first(member) : NULL;
        for (; inner != NULL; inner = json_next(inner))
            if (source_is_placeholder(view_trim(json_text(inner))))
                return true;
    }
    return false;
}

static bool is_teams_card(const struct cJSON *body)
{
    const struct cJSON *attachment = json_first(json_at(body, "attachments"));
    return view_equal(json_text(json_at(body, "@type")), VIEW("MessageCard"))
           || has_text(attachment, "contentType")
           || view_equal(json_text(json_at(body, "type")), VIEW("AdaptiveCard"));
}

static bool is_slack_message(const struct cJSON *body)
{
    return json_kind(json_at(body, "attachments")) == JSON_LIST
           || json_kind(json_at(body, "blocks")) == JSON_LIST;
}

static bool is_discord_message(const struct cJSON *body)
{
    return json_kind(json_at(body, "embeds")) == JSON_LIST;
}

static bool is_azure_without_envelope(const struct cJSON *body)
{
    static const char *const paths[] = { "essentials", "alertContext", "condition.allOf",
                                         "monitorCondition", "data.alertContext" };
    return has_any(body, paths, COUNT_OF(paths));
}

static bool is_text_alone(const struct cJSON *body)
{
    return has_text(body, "text") && !has(body, "title");
}

static bool is_list_of_alerts(const struct cJSON *body)
{
    return has(body, "alerts");
}

static bool is_datadog(const struct cJSON *body)
{
    static const char *const paths[] = { "event_type",   "alert_metric", "alert_query",
                                         "event_title",  "alert_title",  "alert_status",
                                         "last_updated", "org_id" };
    static const char *const links[] = { "link", "url", "body", "event_url", "snapshot" };
    for (size_t i = 0; i < COUNT_OF(links); i++)
        if (view_contains(view_cap(json_text(json_at(body, links[i])), MAX_LINK_BYTES),
                          VIEW(".datadoghq.")))
            return true;
    return has_any(body, paths, COUNT_OF(paths));
}

static bool is_kibana(const struct cJSON *body)
{
    static const char *const paths[] = { "rule.name", "rule.id",       "context.hits",
                                         "kibanaUrl", "kibanaBaseUrl", "webhook_body" };
    return has_any(body, paths, COUNT_OF(paths));
}

static bool is_name_in_other_letters(const struct cJSON *body)
{
    for (const struct cJSON *member = json_first(body); member != NULL; member = json_next(member))
        if (!view_equal(json_key(member), VIEW("alertName"))
            && (view_equal_fold(json_key(member), VIEW("alertName"))
                || view_equal_fold(json_key(member), VIEW("alert_name"))))
            return true;
    return false;
}

/* --- the table --------------------------------------------------------------------------------- */

struct hint {
    bool (*smells)(const struct cJSON *body);
    const char *advice;
};

static const struct hint hints[] = {
    { is_teams_card,
      "This is a Microsoft Teams card: choose the sender's webhook with a JSON body instead" },
    { is_slack_message,
      "This is Slack's format: choose the webhook contact point (or webhook integration) instead" },
    { is_discord_message, "This is Discord's format: choose the webhook contact point (or webhook "
                          "integration) instead" },
    { is_azure_without_envelope,
      "This is part of an Azure Monitor alert: send the whole common alert schema, with schemaId "
      "and data" },
    { is_kibana,
      "For Kibana use the documented connector body: alertName {{rule.name}}, severity and "
      "description {{context.reason}}" },
    { is_list_of_alerts,
      "For Alertmanager and Grafana keep the default payload: each alert with its labels and "
      "annotations" },
    { is_name_in_other_letters, "Member names compare letter by letter: write alertName" },
    { is_datadog,
      "For Datadog add title $EVENT_TITLE, alert_transition $ALERT_TRANSITION and alert_priority "
      "$ALERT_PRIORITY to the webhook's payload" },
    { is_text_alone, "Only text: in an Azure Monitor action group enable the common alert schema, "
                     "elsewhere choose "
                     "a webhook with a JSON body" },
};

const char *hint_of(const struct cJSON *body)
{
    if (is_unfilled(body))
        return "The template is not filled: send a real alert through the connector, or values in "
               "place of the placeholders";
    if (has_text(body, "alertName"))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(hints); i++)
        if (hints[i].smells(body))
            return hints[i].advice;
    return NULL;
}
