/* Small HTTP calls; the stand-in is ours, so a failure here is a broken test, not a finding. */
#include "support/control.h"

#include "base/arena.h"
#include "support/case.h"
#include "support/http.h"

#include <stdio.h>

enum { PATIENCE_MS = 60000 }; /* for the first call it may still be starting its threads */

static bool call(int port, const char *method, struct view path, struct view body,
                 struct arena *mem, struct http_answer *out)
{
    struct view extra = body.at != NULL ? VIEW("Content-Type: application/json\r\n") : VIEW("");
    struct view request = http_request(method, path, extra, body, mem);
    return http_call(port, request, PATIENCE_MS, mem, out) && out->status / 100 == 2;
}

static bool post(int port, struct view path, struct view body)
{
    struct arena mem;
    struct http_answer answer = { 0 };
    arena_init(&mem, 16 * 1024 * 1024);
    bool ok = call(port, "POST", path, body, &mem, &answer);
    arena_drop(&mem);
    return ok;
}

bool control_reset(int port)
{
    return post(port, VIEW("/control/reset"), VIEW("{}"));
}

bool control_options(int port, struct view options)
{
    return post(port, VIEW("/control/options"), options);
}

bool control_session(int port, struct view id, struct view state)
{
    char path[256];
    snprintf(path, sizeof path, "/control/session/%.*s", (int)view_cap(id, 200).len, id.at);
    return post(port, view_of(path), state);
}

bool control_payload(int port, struct view id, struct view payload, struct view action)
{
    struct arena mem;
    arena_init(&mem, SIZE_MAX / 2);
    struct text body = text_in(&mem, SIZE_MAX / 4);
    struct json_writer writer = { .to = &body };
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "sessionId", id);
    json_put_text(&writer, "payload", payload);
    json_put_text(&writer, "action", action);
    json_close(&writer, '}');
    bool ok = text_ok(&body) && post(port, VIEW("/control/payloads"), text_view(&body));
    arena_drop(&mem);
    return ok;
}

/* What a fault is about that does not say. */
#define CREATE_V1 "POST /v1/sessions$"

bool control_faults(int port, struct view lines)
{
    struct arena mem;
    arena_init(&mem, 16 * 1024 * 1024);
    struct text list = text_in(&mem, 8 * 1024 * 1024);
    struct view line;
    text_add_char(&list, '[');
    while (lines_next(&lines, &line)) {
        if (view_trim(line).len == 0)
            continue;
        line = view_trim(line);
        bool is_placed = view_contains(line, VIEW("\"on\":"));
        text_add_string(&list, list.len > 1 ? ",\n" : "\n");
        text_add_string(&list, is_placed ? "" : "{\"on\":\"" CREATE_V1 "\",");
        text_add(&list, is_placed ? line : view_skip(line, 1));
    }
    text_add_string(&list, "\n]");
    bool ok = post(port, VIEW("/control/faults"), text_view(&list));
    arena_drop(&mem);
    return ok;
}

static bool get(int port, struct view path, struct arena *mem, struct json *out)
{
    struct http_answer answer = { 0 };
    struct failure why = { 0 };
    return call(port, "GET", path, (struct view){ 0 }, mem, &answer)
           && json_read(answer.body, mem, out, &why);
}

bool control_calls(int port, struct arena *mem, struct json *out)
{
    return get(port, VIEW("/control/calls"), mem, out);
}

bool control_sessions(int port, struct arena *mem, struct json *out)
{
    return get(port, VIEW("/control/sessions"), mem, out);
}

/* Of either version. */
static bool is_create(const struct cJSON *call)
{
    struct view path = json_text(json_at(call, "path")), org, rest;
    if (!view_equal(json_text(json_at(call, "method")), VIEW("POST")))
        return false;
    if (!view_starts(path, VIEW("/v3/organizations/")))
        return view_equal(path, VIEW("/v1/sessions"));
    view_cut(view_skip(path, sizeof "/v3/organizations/" - 1), '/', &org, &rest);
    return view_equal(rest, VIEW("sessions"));
}

const struct cJSON *control_next_create(const struct cJSON *call)
{
    while (call != NULL && !is_create(call))
        call = json_next(call);
    return call;
}
