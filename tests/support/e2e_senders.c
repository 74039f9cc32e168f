/*
 * docs/senders.md: what it tells people to type is taken from the page.  A block whose info string
 * names a sender after its language is that sender's: "json" is a body, filled here as the sender's
 * template engine would and sent; any other language is the sender's own configuration.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/duo.h"
#include "support/match.h"

enum { MAX_BODY_BYTES = 64 * 1024 };

#define PAGE "docs/senders.md"
#define PATH "/api/trigger-devin"

/* A body's name is that of the placeholder it is made of: values are "plain <placeholder>". */
static const struct sender {
    const char *name;
    const char *prompt; /* lines that the prompt of its body must have; NULL: it has no body */
    bool is_escaping;   /* its values never leave a line end unescaped */
} senders[] = {
    { "azure-monitor", NULL, false },
    { "curl",
      "- **Name**: plain rule\n- **Severity**: Sev 1\n- **Description**: plain what happened\n"
      "- **Time**: 2024-02-06T12:00:00Z\n- **Alert ID**: plain id of this firing",
      false },
    { "kibana",
      "- **Name**: plain rule.name\n- **Severity**: Sev 1\n"
      "- **Description**: plain context.reason\n- **Time**: 2024-02-06T12:00:00Z\n"
      "- **Resource**: plain context.group\n- **Source**: kibana",
      false },
    { "watcher",
      "- **Name**: plain ctx.watch_id\n- **Severity**: Sev 1\n"
      "- **Description**: The watch plain ctx.watch_id met its condition\n"
      "- **Time**: 2024-02-06T12:00:00Z\n- **Source**: watcher",
      true },
    { "datadog",
      "- **Name**: plain EVENT_TITLE\n- **Severity**: Sev 0\n- **Resource**: plain ALERT_SCOPE\n"
      "- **Time**: 2024-12-11T15:22:33Z\n- **Source**: datadog",
      false },
    { "alertmanager", NULL, false },
    { "grafana", NULL, false },
    { "pagerduty", NULL, false },
    { "zabbix",
      "- **Name**: plain TRIGGER.NAME\n- **Severity**: Sev 1\n- **Time**: 2024-02-06T12:00:00\n"
      "- **Resource**: plain HOST.NAME\n- **Source**: zabbix",
      false },
    { "dynatrace",
      "- **Name**: plain ProblemTitle\n- **Severity**: Sev 2\n- **Resource**: plain-entity\n"
      "- **Source**: dynatrace",
      false },
    { "cloudwatch", NULL, false },
    { "event-grid", NULL, false },
    { "new-relic", NULL, false },
    { "sentry", NULL, false },
    { "google-cloud-monitoring", NULL, false },
    { "opsgenie", NULL, false },
    { "uptime-kuma", NULL, false },
    { "honeycomb", NULL, false },
    { "splunk", NULL, false },
    { "pingdom", NULL, false },
    { "graylog", NULL, false },
};

/* Where any text will not do. */
static const struct {
    const char *placeholder, *value;
} values[] = {
    { "time", "2024-02-06T12:00:00Z" },
    { "date", "2024-02-06T12:00:00Z" },
    { "ctx.execution_time", "2024-02-06T12:00:00Z" },
    { "DATE", "1733930553000" },
    { "ALERT_TRANSITION", "Triggered" },
    { "ALERT_PRIORITY", "P1" },
    { "EVENT.VALUE", "1" },
    { "EVENT.SEVERITY", "High" },
    { "EVENT.DATE", "2024.02.06" },
    { "EVENT.TIME", "12:00:00" },
    { "State", "OPEN" },
    { "ProblemSeverity", "PERFORMANCE" },
    { "ProblemURL", "https://dynatrace.example.com/problems/1" },
    { "ImpactedEntities", "[{\"type\":\"HOST\",\"name\":\"plain-entity\",\"entity\":\"HOST-1\"}]" },
};

/* Those that carry log lines or other text of several lines. */
static const char *const of_lines[] = { "log lines", "_source.message", "EVENT_MSG",
                                        "ALERT.MESSAGE", "ProblemDetailsText" };

#define ESCAPED      "Error: \\\"cart\\\" is gone\\n\\tat cart.c:7"
#define AS_ESCAPED   "Error: \"cart\" is gone\nat cart.c:7"
#define UNESCAPED    "Error: cart is gone\n\tat cart.c:7"
#define AS_UNESCAPED "Error: cart is gone\nat cart.c:7"
#define HITS         "[{\"_source\":{\"message\":\"" ESCAPED "\"}}]"

/* --- the page ---------------------------------------------------------------------------------- */

struct block {
    struct view language, sender, inside;
};

/* The next fenced block that names a sender. */
static bool next_block(struct view *page, struct block *out)
{
    struct view line;
    bool is_in_fence = false;
    while (lines_next(page, &line)) {
        bool is_fence = view_starts(line, VIEW("```"));
        if (is_fence && is_in_fence && out->sender.len > 0) {
            out->inside.len = (size_t)(line.at - out->inside.at);
            return true;
        }
        if (!is_fence)
            continue;
        is_in_fence = !is_in_fence;
        (void)view_cut(view_skip(line, 3), ' ', &out->language, &out->sender);
        out->inside = *page;
    }
    return false;
}

static bool is_body(const struct block *block)
{
    return view_equal(block->language, VIEW("json"));
}

static const struct sender *sender_of(const struct block *block)
{
    for (size_t i = 0; i < COUNT_OF(senders); i++)
        if (view_equal(block->sender, view_of(senders[i].name)))
            return &senders[i];
    return NULL;
}

static struct view read_page(struct e2e *e2e)
{
    return process_read_file(joined(e2e->mem, e2e->site->root, "/", PAGE, (char *)NULL), e2e->mem);
}

/* --- filling a template ------------------------------------------------------------------------ */

struct filling {
    struct text body;
    struct text placeholders; /* as they stood in the template, one a line */
    bool is_raw;              /* line ends are left unescaped, as some engines do */
    bool is_broken;           /* that happened */
};

struct placeholder {
    struct view whole, name;
    struct view inside; /* of a section */
};

static size_t find(struct view whole, struct view part)
{
    size_t at = 0;
    while (at < whole.len && !view_starts(view_skip(whole, at), part))
        at++;
    return at;
}

static bool is_name(struct view name)
{
    bool has_letter = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !view_contains(VIEW("._ ,0123456789"), (struct view){ &c, 1 }))
            return false;
        has_letter = has_letter || is_letter;
    }
    return has_letter;
}

static bool is_enclosed(struct view text, const char *open, const char *close,
                        struct placeholder *out)
{
    struct view start = view_of(open);
    struct view end = view_of(close);
    if (!view_starts(text, start))
        return false;
    struct view rest = view_skip(text, start.len);
    size_t len = find(rest, end);
    if (len == rest.len)
        return false;
    *out = (struct placeholder){ .whole = { text.at, start.len + len + end.len },
                                 .name = { rest.at, len } };
    return is_name(out->name);
}

/* "{{#name}}inside{{/name}}" */
static bool is_section(struct view text, struct arena *mem, struct placeholder *out)
{
    if (!is_enclosed(text, "{{#", "}}", out))
        return false;
    struct text end = text_in(mem, 256);
    text_add_string(&end, "{{/");
    text_add(&end, out->name);
    text_add_string(&end, "}}");
    struct view rest = view_skip(text, out->whole.len);
    out->inside = (struct view){ rest.at, find(rest, text_view(&end)) };
    out->whole.len += out->inside.len + end.len;
    return out->inside.len < rest.len;
}

/* "$EVENT_TITLE" */
static bool is_macro(struct view text, struct placeholder *out)
{
    size_t len = 1;
    while (len < text.len && ((text.at[len] >= 'A' && text.at[len] <= 'Z') || text.at[len] == '_'))
        len++;
    *out = (struct placeholder){ .whole = { text.at, len }, .name = { text.at + 1, len - 1 } };
    return text.at[0] == '$' && len > 2;
}

static bool is_placeholder(struct view text, struct placeholder *out)
{
    return is_enclosed(text, "{{", "}}", out) || is_enclosed(text, "${", "}", out)
           || is_enclosed(text, "{", "}", out) || is_enclosed(text, "<", ">", out)
           || is_macro(text, out);
}

static void add_value(struct filling *filling, struct view name)
{
    for (size_t i = 0; i < COUNT_OF(values); i++)
        if (view_equal(name, view_of(values[i].placeholder))) {
            text_add_string(&filling->body, values[i].value);
            return;
        }
    for (size_t i = 0; i < COUNT_OF(of_lines); i++)
        if (view_equal(name, view_of(of_lines[i]))) {
            text_add_string(&filling->body, filling->is_raw ? UNESCAPED : ESCAPED);
            filling->is_broken = filling->is_raw;
            return;
        }
    text_add_string(&filling->body, "plain ");
    text_add(&filling->body, name);
}

/* A section is a list of two items, but for the one that writes its text's value as JSON. */
static void fill(struct filling *filling, struct view template, struct arena *mem)
{
    struct placeholder found;
    while (template.len > 0) {
        bool is_list = is_section(template, mem, &found);
        if (!is_list && !is_placeholder(template, &found)) {
            text_add_char(&filling->body, template.at[0]);
            template = view_skip(template, 1);
            continue;
        }
        text_add(&filling->placeholders, found.whole);
        text_add_char(&filling->placeholders, '\n');
        template = view_skip(template, found.whole.len);
        if (!is_list) {
            add_value(filling, found.name);
        } else if (view_equal(found.name, VIEW("toJson"))) {
            text_add_string(&filling->body, HITS);
        } else {
            fill(filling, found.inside, mem);
            fill(filling, found.inside, mem);
        }
    }
}

/* --- sending it -------------------------------------------------------------------------------- */

static bool is_answered(struct e2e *e2e, const struct duo *duo, const struct filling *filling)
{
    struct http_answer answer = { 0 };
    struct view request = http_request("POST", VIEW(PATH "?code=key&token=secret"), VIEW(""),
                                       text_view(&filling->body), e2e->mem);
    if (!http_call(duo->handler.port, request, DUO_PATIENCE_MS, e2e->mem, &answer))
        return complain(e2e->why, "no answer", text_view(&filling->body));
    if (answer.status != 200)
        return complain(e2e->why, "refused", answer.body);
    bool is_mended = view_contains(answer.body, VIEW("\"repaired\":true"));
    return match_json("reply",
                      VIEW("{\"success\":true,\"sessionId\":\"*\",\"action\":\"created\"}"),
                      answer.body, false, e2e->mem, e2e->why)
           && (is_mended == filling->is_broken
               || complain(e2e->why, "repaired, or not, against what was sent", answer.body));
}

static bool read_prompt(struct e2e *e2e, const struct duo *duo, struct view *out)
{
    struct json calls = { 0 };
    struct json body = { 0 };
    struct failure why;
    if (!control_calls(duo->devin.port, e2e->mem, &calls))
        return false;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    bool is_read = json_read(json_text(json_at(call, "body")), e2e->mem, &body, &why);
    *out = view_keep(is_read ? json_text(json_at(body.root, "prompt")) : VIEW(""), e2e->mem);
    if (is_read)
        json_free(&body);
    json_free(&calls);
    return out->len > 0 || complain(e2e->why, "Devin got no prompt", VIEW(""));
}

static bool ends_in_session(struct e2e *e2e, const struct duo *duo, const struct block *block,
                            const struct sender *sender, bool is_raw)
{
    struct view prompt;
    struct filling filling = { .body = text_in(e2e->mem, MAX_BODY_BYTES),
                               .placeholders = text_in(e2e->mem, MAX_BODY_BYTES),
                               .is_raw = is_raw };
    fill(&filling, block->inside, e2e->mem);
    bool is_escaped = !is_raw || sender->is_escaping;
    return control_reset(duo->devin.port) && is_answered(e2e, duo, &filling)
           && read_prompt(e2e, duo, &prompt)
           && match_has("prompt", view_of(sender->prompt), prompt, e2e->why)
           && match_has("prompt", view_of(is_escaped ? AS_ESCAPED : AS_UNESCAPED), prompt, e2e->why)
           && match_lacks("prompt", view_trim(text_view(&filling.placeholders)), prompt, e2e->why)
           && match_lacks("prompt", VIEW("{{\n}}\n${"), prompt, e2e->why);
}

static bool send_all(struct e2e *e2e, const struct duo *duo, bool is_raw)
{
    struct view page = read_page(e2e);
    struct block block;
    size_t wanted = 0;
    size_t sent = 0;
    for (size_t i = 0; i < COUNT_OF(senders); i++)
        wanted += senders[i].prompt != NULL;
    while (next_block(&page, &block)) {
        const struct sender *sender = sender_of(&block);
        if (!is_body(&block))
            continue;
        if (sender == NULL || sender->prompt == NULL
            || !ends_in_session(e2e, duo, &block, sender, is_raw))
            return complain(e2e->why, "the template in " PAGE " of", block.sender);
        sent++;
    }
    return sent == wanted || complain(e2e->why, "not one template each in " PAGE, VIEW(""));
}

static enum test_result play(struct e2e *e2e, bool is_raw)
{
    struct duo duo;
    if (!duo_up(e2e, "WEBHOOK_SECRET=secret", &duo))
        return TEST_FAILED;
    bool ok = send_all(e2e, &duo, is_raw);
    return duo_down(e2e, &duo) && ok ? TEST_PASSED : TEST_FAILED;
}

static enum test_result escaped(struct e2e *e2e)
{
    return play(e2e, false);
}

static enum test_result unescaped(struct e2e *e2e)
{
    return play(e2e, true);
}

/* --- configuration ------------------------------------------------------------------------------ */

static enum test_result configuration(struct e2e *e2e)
{
    struct view page = read_page(e2e);
    struct block block;
    bool is_told[COUNT_OF(senders)] = { false };
    while (next_block(&page, &block)) {
        const struct sender *sender = sender_of(&block);
        if (sender == NULL)
            return e2e_fail(e2e, "a block of " PAGE " is of a sender nobody knows", block.sender);
        if (is_body(&block))
            continue;
        if (!match_has("block", VIEW(PATH "\n<app>.azurewebsites.net\n<function key>\n<secret>"),
                       block.inside, e2e->why))
            return e2e_fail(e2e, "in the block of", block.sender);
        is_told[sender - senders] = true;
    }
    for (size_t i = 0; i < COUNT_OF(senders); i++)
        if (!is_told[i])
            return e2e_fail(e2e, PAGE " does not say how to set up", view_of(senders[i].name));
    return TEST_PASSED;
}

const struct e2e_test e2e_senders[] = {
    { "senders: each template of the page ends in a session, log lines and all", escaped },
    { "senders: the same where line ends are left unescaped", unescaped },
    { "senders: the page tells each one its URL, key and secret", configuration },
    { NULL, NULL },
};
