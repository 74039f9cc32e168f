/* A reply to several problems lists its sessions; the first of them also stands at its top. */
#include "support/host_tell.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"

enum { SHOWN_BYTES = 1024 * 1024 };

static void tell(int devin_port, struct view payload, const struct cJSON *named)
{
    struct view id = json_text(json_at(named, "sessionId"));
    if (id.len > 0)
        control_payload(devin_port, id, view_cap(payload, SHOWN_BYTES),
                        json_text(json_at(named, "action")));
}

void host_tell(int devin_port, struct view payload, struct view reply, struct arena *mem)
{
    struct json json = { 0 };
    struct failure why = { 0 };
    if (payload.len == 0 || !json_read(reply, mem, &json, &why))
        return;
    const struct cJSON *several = json_first(json_at(json.root, "sessions"));
    if (several == NULL)
        tell(devin_port, payload, json.root);
    for (; several != NULL; several = json_next(several))
        tell(devin_port, payload, several);
    json_free(&json);
}
