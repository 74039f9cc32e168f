/* Members stand under their contract names; what an alert does not state is not there. */
#include "session/preview.h"

#include "base/arena.h"

static void put_stated(struct json_writer *writer, const char *key, struct view value)
{
    if (value.len > 0)
        json_put_text(writer, key, value);
}

static void put_pairs(struct json_writer *writer, const char *key, const struct pairs *pairs,
                      const char *name)
{
    if (pairs->count == 0)
        return;
    json_open(writer, key, '[');
    for (size_t i = 0; i < pairs->count; i++) {
        json_open(writer, NULL, '{');
        put_stated(writer, name, pairs->at[i].key);
        json_put_text(writer, "value", pairs->at[i].value);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void put_alert(struct json_writer *writer, const struct alert *alert)
{
    json_open(writer, "alert", '{');
    json_put_text(writer, "alertName", alert->name);
    if (alert->has_severity)
        json_put_number(writer, "severity", alert->severity);
    put_stated(writer, "description", alert->description);
    put_stated(writer, "affectedResource", alert->resource);
    put_stated(writer, "signalType", alert->signal_type);
    put_stated(writer, "firedTime", alert->fired_time);
    put_stated(writer, "source", alert->source);
    put_stated(writer, "alertId", alert->alert_id);
    put_stated(writer, "file", alert->file);
    if (alert->line > 0)
        json_put_number(writer, "line", alert->line);
    put_pairs(writer, "conditions", &alert->conditions, "key");
    put_pairs(writer, "dimensions", &alert->dimensions, "key");
    put_pairs(writer, "customFields", &alert->custom, "key");
    put_pairs(writer, "links", &alert->links, "label");
    put_stated(writer, "query", alert->query);
    put_stated(writer, "logs", alert->logs);
    json_close(writer, '}');
}

void preview_put(struct json_writer *writer, const struct devin_request *request,
                 const struct devin_settings *settings, struct arena *mem)
{
    struct devin_settings masked = *settings;
    struct call call;
    for (size_t i = 0; i < masked.options.secret_count; i++)
        masked.options.secrets[i].value = VIEW("(secret)");
    put_alert(writer, request->problem->alert);
    put_stated(writer, "playbook", request->playbook);
    if (!devin_create_call(request, &masked, mem, &call)) {
        writer->to->broken = true;
        return;
    }
    json_open(writer, "request", '{');
    json_put_text(writer, "method", view_of(call.method));
    json_put_text(writer, "path", view_of(call.path));
    json_put_raw(writer, "body", call.body);
    json_close(writer, '}');
}
