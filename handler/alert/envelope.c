/* One row a carrier, in the order they are tried. */
#include "alert/envelope.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/digest.h"

static bool no_memory(struct failure *why)
{
    return fail(why, FAIL_INTERNAL, "no memory left to open an envelope");
}

static bool is_text(const struct cJSON *body, const char *path)
{
    return view_trim(json_text(json_at(body, path))).len > 0;
}

static bool holds_more(const struct cJSON *node)
{
    return json_kind(node) == JSON_OBJECT || json_kind(node) == JSON_LIST;
}

/* JSON in a string.  What is no JSON leaves `inside` NULL and is no failure. */
static bool parse(struct view text, struct arena *mem, struct envelope *out, struct failure *why)
{
    struct failure not_json = { 0 };
    if (!json_read(text, mem, &out->tree, &not_json)) {
        if (not_json.kind == FAIL_INTERNAL)
            *why = not_json;
        return not_json.kind != FAIL_INTERNAL;
    }
    if (holds_more(out->tree.root))
        out->inside = out->tree.root;
    else
        json_free(&out->tree);
    return true;
}

/* As parse(), for a field that must hold JSON in base64. */
static bool decode(const struct cJSON *body, const char *path, struct arena *mem,
                   struct envelope *out, struct failure *why)
{
    struct view bytes = { 0 };
    if (!base64_decode(view_trim(json_text(json_at(body, path))), mem, &bytes))
        return arena_ok(mem) ? fail_field(why, path, "must be base64") : no_memory(why);
    if (!parse(bytes, mem, out, why))
        return false;
    return out->inside != NULL || fail_field(why, path, "must be JSON in base64");
}

/* When and as what it was delivered. */
static bool keep_delivery(const struct cJSON *id, const struct cJSON *time, struct arena *mem,
                          struct envelope *out)
{
    out->id = view_keep(source_line(id, mem), mem);
    return out->id.at != NULL && (source_time(time, mem, &out->time) || arena_ok(mem));
}

/* --- Amazon SNS ----------------------------------------------------------------------------- */

static bool is_sns(const struct cJSON *body)
{
    return is_text(body, "Type") && is_text(body, "TopicArn");
}

static bool open_sns(const struct cJSON *body, struct arena *mem, struct envelope *out,
                     struct failure *why)
{
    struct view type = json_text(json_at(body, "Type"));
    if (view_equal(type, VIEW("SubscriptionConfirmation")))
        out->reason = "SNS asks to confirm a subscription: its URL is not opened from here, no "
                      "session needed";
    else if (view_equal(type, VIEW("UnsubscribeConfirmation")))
        out->reason = "SNS tells that a subscription has ended: no session needed";
    else
        out->reason = "The SNS message is text and no alert: no session needed";
    if (!view_equal(type, VIEW("Notification")))
        return true;
    const struct cJSON *message = json_at(body, "Message");
    if (!keep_delivery(json_at(body, "MessageId"), json_at(body, "Timestamp"), mem, out))
        return no_memory(why);
    if (holds_more(message)) {
        out->inside = message;
        return true;
    }
    return parse(json_text(message), mem, out, why);
}

/* --- Google Pub/Sub ------------------------------------------------------------------------- */

static bool is_pubsub(const struct cJSON *body)
{
    return is_text(body, "message.data");
}

static bool open_pubsub(const struct cJSON *body, struct arena *mem, struct envelope *out,
                        struct failure *why)
{
    const struct cJSON *id = json_at(body, "message.messageId");
    const struct cJSON *time = json_at(body, "message.publishTime");
    return keep_delivery(id != NULL ? id : json_at(body, "message.message_id"),
                         time != NULL ? time : json_at(body, "message.publish_time"), mem, out)
               ? decode(body, "message.data", mem, out, why)
               : no_memory(why);
}

/* --- Event Grid and CloudEvents --------------------------------------------------------------- */

static bool is_event_grid(const struct cJSON *body)
{
    return is_text(body, "eventType") && json_kind(json_at(body, "subject")) == JSON_TEXT
           && (json_at(body, "dataVersion") != NULL || json_at(body, "topic") != NULL);
}

static bool is_cloud_event(const struct cJSON *body)
{
    return is_text(body, "specversion") && is_text(body, "type") && is_text(body, "source");
}

bool envelope_is_event(const struct cJSON *body)
{
    return is_event_grid(body) || is_cloud_event(body);
}

/* Whoever subscribes an endpoint to Event Grid must prove that it is theirs by an echo. */
static bool is_handshake(const struct cJSON *body)
{
    return view_equal_fold(json_text(json_at(body, "eventType")),
                           VIEW("Microsoft.EventGrid.SubscriptionValidationEvent"))
           && is_text(body, "data.validationCode");
}

static bool open_handshake(const struct cJSON *body, struct arena *mem, struct envelope *out,
                           struct failure *why)
{
    struct view code = json_text(json_at(body, "data.validationCode"));
    out->challenge = view_keep(view_cap(code, MAX_CHALLENGE_BYTES), mem);
    out->reason = "Event Grid validates the subscription: no session needed";
    return out->challenge.at != NULL || no_memory(why);
}

static bool is_farewell(const struct cJSON *body)
{
    return view_equal_fold(json_text(json_at(body, "eventType")),
                           VIEW("Microsoft.EventGrid.SubscriptionDeletedEvent"));
}

static bool open_farewell(const struct cJSON *body, struct arena *mem, struct envelope *out,
                          struct failure *why)
{
    (void)body;
    (void)mem;
    (void)why;
    out->reason = "Event Grid tells that a subscription has ended: no session needed";
    return true;
}

static bool is_event_with_data(const struct cJSON *body)
{
    return envelope_is_event(body)
           && (holds_more(json_at(body, "data")) || is_text(body, "data")
               || is_text(body, "data_base64"));
}

static bool open_event(const struct cJSON *body, struct arena *mem, struct envelope *out,
                       struct failure *why)
{
    const struct cJSON *data = json_at(body, "data");
    const struct cJSON *time = json_at(body, "time");
    if (!keep_delivery(json_at(body, "id"), time != NULL ? time : json_at(body, "eventTime"), mem,
                       out))
        return no_memory(why);
    if (data == NULL)
        return decode(body, "data_base64", mem, out, why);
    if (holds_more(data))
        out->inside = data;
    else if (!parse(json_text(data), mem, out, why))
        return false;
    return out->inside != NULL || fail_field(why, "data", "must be JSON");
}

/* --- all -------------------------------------------------------------------------------------- */

static const struct {
    bool (*fits)(const struct cJSON *body);
    bool (*open)(const struct cJSON *body, struct arena *mem, struct envelope *out,
                 struct failure *why);
} carriers[] = {
    { is_sns, open_sns },
    { is_pubsub, open_pubsub },
    { is_handshake, open_handshake },
    { is_farewell, open_farewell },
    { is_event_with_data, open_event },
};

bool envelope_open(const struct cJSON *body, struct arena *mem, bool *is_envelope,
                   struct envelope *out, struct failure *why)
{
    struct envelope envelope = { 0 };
    *is_envelope = false;
    for (size_t i = 0; i < COUNT_OF(carriers); i++) {
        if (!carriers[i].fits(body))
            continue;
        if (!carriers[i].open(body, mem, &envelope, why)) {
            envelope_close(&envelope);
            return false;
        }
        *is_envelope = true;
        *out = envelope;
        return true;
    }
    return true;
}

void envelope_close(struct envelope *envelope)
{
    json_free(&envelope->tree);
    envelope->inside = NULL;
}
