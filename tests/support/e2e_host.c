/*
 * The API reference's own call through the Functions host stand-in, in every way a host hands a
 * request on.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/http.h"
#include "support/match.h"
#include "support/stage.h"

enum { PATIENCE_MS = 60000 };

#define SECRET "your-webhook-secret"
#define CREATED                                                   \
    "{\"success\":true,\"sessionId\":\"*\",\"sessionUrl\":\"*\"," \
    "\"message\":\"Devin session created successfully\"}"

/* curl's body, headers as curl sends them. */
static const char body[] = "{\n"
                           "    \"alertName\": \"manual-test-alert\",\n"
                           "    \"severity\": 1,\n"
                           "    \"description\": \"Testing the webhook integration\",\n"
                           "    \"source\": \"curl-test\",\n"
                           "    \"logs\": \"Error: Test error at test.ts:42\"\n"
                           "  }";

static bool post(struct e2e *e2e, int port, const char *headers, struct http_answer *out)
{
    struct text extra = text_in(e2e->mem, 4096);
    text_add_string(&extra, "User-Agent: curl/8.5.0\r\nAccept: */*\r\n"
                            "Content-Type: application/json\r\n");
    text_add_string(&extra, headers);
    struct view request = http_request("POST", VIEW("/api/trigger-devin?code=local-function-key"),
                                       text_view(&extra), view_of(body), e2e->mem);
    return http_call(port, request, PATIENCE_MS, e2e->mem, out);
}

static bool is_answered(struct e2e *e2e, int port, const char *headers, int status,
                        const char *wanted)
{
    struct http_answer answer = { 0 };
    if (!post(e2e, port, headers, &answer))
        return complain(e2e->why, "the host stand-in gave no answer", (struct view){ 0 });
    if (answer.status != status)
        return complain(e2e->why, "the answer has another status", answer.head);
    if (!view_starts_fold(http_header(&answer, "Content-Type"), VIEW("application/json")))
        return complain(e2e->why, "the answer is not application/json", answer.head);
    return match_json("reply", view_of(wanted), answer.body, false, e2e->mem, e2e->why);
}

/* The one session's page shows what came in, whichever way the host took. */
static bool is_payload_shown(struct e2e *e2e, int devin_port)
{
    struct json sessions = { 0 };
    struct http_answer page = { 0 };
    if (!control_sessions(devin_port, e2e->mem, &sessions))
        return complain(e2e->why, "the sessions are not told", (struct view){ 0 });
    const struct cJSON *session = json_first(json_at(sessions.root, "sessions"));
    struct text path = text_in(e2e->mem, 1024);
    text_add_string(&path, "/sessions/");
    text_add(&path, json_text(json_at(session, "session_id")));
    struct view request =
        http_request("GET", text_view(&path), VIEW(""), (struct view){ 0 }, e2e->mem);
    json_free(&sessions);
    if (!http_call(devin_port, request, PATIENCE_MS, e2e->mem, &page))
        return complain(e2e->why, "the session's page does not come", text_view(&path));
    return match_has(
        "session's page",
        VIEW("<h3>Payload (action: created)</h3>\n&quot;source&quot;: &quot;curl-test&quot;,"),
        page.body, e2e->why);
}

static enum test_result call_through(struct e2e *e2e, const char *mode, const char *proxy,
                                     bool is_enveloped)
{
    struct stage stage;
    struct stage_plan plan = { .site = e2e->site,
                               .mode = mode,
                               .proxy = proxy,
                               .is_enveloped = is_enveloped,
                               .secret = SECRET };
    if (!stage_up(&plan, e2e->mem, &stage, e2e->why))
        return TEST_FAILED;
    bool ok =
        is_answered(e2e, stage.host.port, "Authorization: Bearer " SECRET "\r\n", 200, CREATED)
        && is_answered(e2e, stage.host.port, "", 401,
                       "{\"success\":false,\"error\":\"Unauthorized\"}")
        && is_payload_shown(e2e, stage.devin.port);
    if (!ok) {
        complain(e2e->why, "the host said", program_out(&stage.host, e2e->mem));
        complain(e2e->why, "and on stderr", program_err(&stage.host, e2e->mem));
    }
    return stage_down(&stage, e2e->mem, e2e->why) && ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result forwarded(struct e2e *e2e)
{
    return call_through(e2e, "azure", "old", false);
}

static enum test_result proxied(struct e2e *e2e)
{
    return call_through(e2e, "azure", "new", false);
}

static enum test_result enveloped_in_azure(struct e2e *e2e)
{
    return call_through(e2e, "azure", "new", true);
}

static enum test_result enveloped_by_core_tools(struct e2e *e2e)
{
    return call_through(e2e, "core-tools", "new", true);
}

const struct e2e_test e2e_host[] = {
    { "host: curl's call, forwarded by an older host", forwarded },
    { "host: curl's call, proxied by a newer host", proxied },
    { "host: curl's call in an envelope, chunked as in Azure", enveloped_in_azure },
    { "host: curl's call in an envelope with a length, as by Core Tools", enveloped_by_core_tools },
    { NULL, NULL },
};
