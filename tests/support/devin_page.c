/* The pages of the Devin stand-in: all sessions, and one with its prompt and messages beside the payloads. */
#include "support/devin_exchange.h"

static void add_escaped(struct text *page, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        const char *entity = c == '&'    ? "&amp;"
                             : c == '<'  ? "&lt;"
                             : c == '>'  ? "&gt;"
                             : c == '"'  ? "&quot;"
                             : c == '\'' ? "&#39;"
                                         : NULL;
        if (entity != NULL)
            text_add_string(page, entity);
        else
            text_add_char(page, c);
    }
}

static void add_tagged(struct text *page, const char *before, struct view text, const char *after)
{
    text_add_string(page, before);
    add_escaped(page, text);
    text_add_string(page, after);
}

/*
 * Colours have a contrast of 4.5 and more to their ground in either scheme.  Sizes are in rem and
 * columns break by themselves, so that the page may be enlarged.
 */
static const char style[] =
    ":root { color-scheme: light dark; --ground: #fff; --text: #222; --quiet: #595959;"
    " --line: #d0d0cc; --paper: #f6f6f4; --link: #0b57a4; --loud: #b3261e; --warm: #8a4b00 }\n"
    "@media (prefers-color-scheme: dark) { :root { --ground: #16181b; --text: #e4e4e0;"
    " --quiet: #a8a8a4; --line: #3c4046; --paper: #202328; --link: #8ab8f0; --loud: #ff9a90;"
    " --warm: #f0b860 } }\n"
    "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto;"
    " padding: 1rem; color: var(--text); background: var(--ground) }\n"
    "a { color: var(--link) }\n"
    ":focus-visible { outline: 3px solid var(--link); outline-offset: 2px }\n"
    ".skip { position: absolute; left: -100rem; padding: .5rem 1rem; background: var(--ground) }\n"
    ".skip:focus { left: 1rem; top: .5rem }\n"
    "h1 { font-size: 1.4rem; margin: 1rem 0; overflow-wrap: anywhere }\n"
    "h2 { font-size: 1.15rem; margin: 2rem 0 0 } h3 { font-size: 1rem; margin: 1rem 0 .5rem }\n"
    "table { border-collapse: collapse; width: 100% }\n"
    "caption { text-align: left; color: var(--quiet); padding-bottom: .5rem }\n"
    "th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0;"
    " border-bottom: 1px solid var(--line); font-weight: normal }\n"
    "thead th, .facts th { font-weight: 600 }\n"
    "tbody th, .facts td, .tags { overflow-wrap: anywhere }\n"
    ".tags { font-size: .85rem } time span { white-space: nowrap }\n"
    "@media (max-width: 45rem) { th, td { padding-right: .5rem } }\n"
    ".facts th { width: 10rem; overflow-wrap: normal } .facts th, .facts td { padding: .15rem 1rem "
    ".15rem 0 }\n"
    ".sev { font-weight: 600; white-space: nowrap }\n"
    ".sev-0, .sev-1 { color: var(--loud) } .sev-2 { color: var(--warm) }\n"
    ".pair { display: grid; gap: 0 1.5rem;"
    " grid-template-columns: repeat(auto-fit, minmax(min(28rem, 100%), 1fr)) }\n"
    ".pair > * { min-width: 0 }\n"
    ".quiet { color: var(--quiet) }\n"
    "pre { background: var(--paper); border: 1px solid var(--line); margin: 0 0 1rem;"
    " padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere }\n"
    "code, pre { font: .85rem/1.5 ui-monospace, monospace }\n";

/* No script and no reload of its own, which would take the focus away from whoever is reading. */
static struct text *open_page(struct exchange *ex, struct view title, struct view link,
                              const char *skip)
{
    struct text *page = &ex->out;
    ex->type = "text/html; charset=utf-8";
    text_add_string(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<meta name=\"viewport\" content=\"width=device-width\">");
    add_tagged(page, "<title>", title, "</title>\n<style>\n");
    text_add_string(page, style);
    add_tagged(page, "</style></head><body>\n<a class=\"skip\" href=\"#main\">", view_of(skip),
               "</a>\n");
    add_tagged(page, "<nav aria-label=\"Pages\"><a href=\"/\">", link, "</a></nav>\n");
    add_tagged(page, "<main id=\"main\" tabindex=\"-1\">\n<h1>", title, "</h1>\n");
    return page;
}

static void close_page(struct text *page)
{
    text_add_string(page, "</main></body></html>\n");
}

/* N of "[SevN]" in a title; empty when it says none. */
static struct view severity_of(struct view title)
{
    while (title.len > 0 && !view_starts(title, VIEW("[Sev")))
        title = view_skip(title, 1);
    struct view severity, rest;
    bool is_closed = view_cut(view_skip(title, 4), ']', &severity, &rest);
    return is_closed && severity.len <= 2 ? severity : VIEW("");
}

static struct view tags_of(struct exchange *ex, const struct session *session)
{
    struct text tags = text_in(&ex->mem, MAX_ANSWER_BYTES);
    for (size_t i = 0; i < session->tag_count; i++) {
        text_add_string(&tags, i > 0 ? ", " : "");
        text_add(&tags, session->tags[i]);
    }
    return text_view(&tags);
}

static struct view state_of(struct exchange *ex, const struct session *session)
{
    struct text text = text_in(&ex->mem, MAX_ANSWER_BYTES);
    struct state state = memory_state(session);
    text_add(&text, state.status_enum.len > 0 ? state.status_enum : state.status);
    if (state.detail.len > 0) {
        text_add_string(&text, ": ");
        text_add(&text, state.detail);
    }
    text_add_string(&text, session->is_archived ? ", archived" : "");
    return text_view(&text);
}

/* A title as Devin got it begins with what already stands in a column of its own. */
static struct view bare_title(struct view title)
{
    struct view severity, rest;
    if (!view_starts(title, VIEW("[Sev")) || !view_cut(title, ']', &severity, &rest))
        return title;
    return view_trim(rest).len > 0 ? view_trim(rest) : title;
}

static void add_severity(struct text *page, struct view title)
{
    struct view severity = severity_of(title);
    if (severity.len == 0) {
        text_add_string(page, "<span class=\"quiet\">none</span>");
        return;
    }
    add_tagged(page, "<span class=\"sev sev-", severity, "\">");
    add_tagged(page, "Sev ", severity, "</span>");
}

static void add_session_line(struct exchange *ex, const struct session *s)
{
    struct text *page = &ex->out;
    text_add_string(page, "<tr><td>");
    add_severity(page, s->title);
    add_tagged(page, "</td><th scope=\"row\"><a href=\"/sessions/", s->id, "\">");
    add_tagged(page, "", s->title.len > 0 ? bare_title(s->title) : s->id, "</a></th>");
    add_tagged(page, "<td>", state_of(ex, s), "</td>");
    add_tagged(page, "<td class=\"tags\">", tags_of(ex, s), "</td>");
    text_add_string(page, "<td>");
    text_add_number(page, s->message_count);
    struct view created = exchange_iso(ex, s->created_us);
    add_tagged(page, "</td><td><time><span>", view_cap(created, 10), "</span> <span>");
    add_tagged(page, "", view_cap(view_skip(created, 11), 8), "</span></time></td></tr>\n");
}

static void show_sessions(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    struct text *page =
        open_page(ex, VIEW("Devin stand-in: sessions"), VIEW("Reload"), "Skip to the sessions");
    if (memory->newest == NULL) {
        text_add_string(page, "<p>No sessions yet: they come from <code>POST /v1/sessions</code> "
                              "and its like on v3, and stay until this program ends.</p>\n");
        close_page(page);
        return;
    }
    text_add_string(page, "<table><caption>");
    text_add_number(page, memory->session_count);
    text_add_string(page, memory->session_count == 1 ? " session" : " sessions, newest first");
    text_add_string(page, "; a title leads to prompt and payload</caption>\n<thead><tr>"
                          "<th scope=\"col\">Severity</th><th scope=\"col\">Title</th>"
                          "<th scope=\"col\">State</th><th scope=\"col\">Tags</th>"
                          "<th scope=\"col\">Messages</th><th scope=\"col\">Created (UTC)</th>"
                          "</tr></thead>\n<tbody>\n");
    for (const struct session *s = memory->newest; s != NULL; s = s->older)
        add_session_line(ex, s);
    text_add_string(page, "</tbody></table>\n");
    close_page(page);
}

static void add_row(struct text *page, struct view name, struct view value)
{
    add_tagged(page, "<tr><th scope=\"row\">", name, "</th>");
    add_tagged(page, "<td>", value, "</td></tr>\n");
}

/* What the client asked for, as it asked; secrets stay out of sight. */
static void add_request_rows(struct exchange *ex, const struct session *session)
{
    for (const struct cJSON *member = json_first(session->request.root); member != NULL;
         member = json_next(member)) {
        struct view name = json_key(member);
        bool is_secret = view_equal(name, VIEW("session_secrets"));
        if (!view_equal(name, VIEW("prompt")) && !view_equal(name, VIEW("title"))
            && !view_equal(name, VIEW("tags")))
            add_row(&ex->out, name,
                    is_secret ? VIEW("(not shown)") : json_as_text(member, &ex->mem));
    }
}

static void add_facts(struct exchange *ex, const struct session *session)
{
    struct text *page = &ex->out;
    text_add_string(page, "<table class=\"facts\"><caption>The session, and the other members of "
                          "the request that made it</caption>\n<tbody>\n"
                          "<tr><th scope=\"row\">severity</th><td>");
    add_severity(page, session->title);
    text_add_string(page, "</td></tr>\n");
    add_row(page, VIEW("state"), state_of(ex, session));
    add_row(page, VIEW("tags"), tags_of(ex, session));
    add_row(page, VIEW("session_id"), ex->id);
    add_row(page, VIEW("created_at"), exchange_iso(ex, session->created_us));
    add_row(page, VIEW("updated_at"), exchange_iso(ex, session->updated_us));
    add_request_rows(ex, session);
    text_add_string(page, "</tbody></table>\n");
}

/* Those that came after `message` and before the next one: a host hands one in after the reply. */
static void add_payloads(struct exchange *ex, const struct session *session,
                         const struct message *message)
{
    struct text *page = &ex->out;
    bool is_known = false;
    text_add_string(page, "<div>\n");
    for (const struct payload *p = session->first_payload; p != NULL; p = p->next) {
        if ((p->time_us < message->time_us && message != session->first)
            || (message->next != NULL && p->time_us >= message->next->time_us))
            continue;
        is_known = true;
        text_add_string(page, "<h3>Payload");
        if (p->action.len > 0)
            add_tagged(page, " (action: ", p->action, ")");
        text_add_string(page, "</h3>\n");
        add_tagged(page, "<pre>\n", p->text, "</pre>\n");
    }
    if (!is_known)
        text_add_string(page, "<h3>Payload</h3>\n<p class=\"quiet\">Not known: no host handed one "
                              "in. The Functions host stand-in does with "
                              "<code>--devin-port</code>.</p>\n");
    text_add_string(page, "</div>\n");
}

/* The message on the left, on the right what it was made of.  The line feed in <pre> is not shown. */
static void add_message(struct exchange *ex, const struct session *session,
                        const struct message *message)
{
    struct text *page = &ex->out;
    bool is_prompt = message == session->first;
    text_add_string(page, "<section>\n<h2>");
    if (is_prompt)
        text_add_string(page, "Prompt and payload");
    else
        add_tagged(page, "Message of ", view_cap(exchange_iso(ex, message->time_us), 19), "");
    text_add_string(page, "</h2>\n<div class=\"pair\">\n<div>\n<h3>");
    text_add_string(page, is_prompt ? "Prompt" : "Message");
    add_tagged(page, "</h3>\n<pre>\n", message->text, "</pre>\n</div>\n");
    add_payloads(ex, session, message);
    text_add_string(page, "</div>\n</section>\n");
}

static void show_session(struct exchange *ex)
{
    const struct session *session = memory_find_session(&ex->devin->memory, ex->id);
    if (session == NULL) {
        exchange_refuse(ex, 404, "Session not found");
        return;
    }
    struct text *page = open_page(ex, session->title, VIEW("All sessions"), "Skip to the session");
    add_facts(ex, session);
    for (const struct message *m = session->first; m != NULL; m = m->next)
        add_message(ex, session, m);
    close_page(page);
}

/* clang-format off */
const struct devin_route devin_page_routes[] = {
    { "GET", "/",              show_sessions },
    { "GET", "/sessions/{id}", show_session  },
    { NULL,  NULL,             NULL          },
};
/* clang-format on */
