/* The pages of the Devin stand-in: all sessions, and one with its prompt and messages. */
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

/* `extra` goes into the head. */
static struct text *open_page(struct exchange *ex, struct view title, const char *extra)
{
    struct text *page = &ex->out;
    ex->type = "text/html; charset=utf-8";
    text_add_string(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                          "<meta name=\"viewport\" content=\"width=device-width\">");
    text_add_string(page, extra);
    add_tagged(page, "<title>", title, "</title>\n<style>\n");
    text_add_string(
        page, "body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;"
              " padding: 0 1rem; color: #222; background: #fff }\n"
              "table { border-collapse: collapse; width: 100% }\n"
              "th, td { text-align: left; vertical-align: top; padding: .4rem 1rem .4rem 0;"
              " border-bottom: 1px solid #ddd; overflow-wrap: anywhere }\n"
              "th { font-weight: 600; white-space: nowrap }\n"
              "pre { background: #f6f6f4; border: 1px solid #ddd; padding: 1rem;"
              " white-space: pre-wrap; overflow-wrap: anywhere }\n"
              "code, pre { font: 14px/1.5 ui-monospace, monospace }\n"
              "h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }\n"
              "</style></head><body>\n");
    add_tagged(page, "<h1>", title, "</h1>\n");
    return page;
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

static void add_session_line(struct exchange *ex, const struct session *s)
{
    struct text *page = &ex->out;
    add_tagged(page, "<tr><td><a href=\"/sessions/", s->id, "\"><code>");
    add_tagged(page, "", view_starts(s->id, VIEW("session_")) ? s->id : view_cap(s->id, 12),
               "</code></a></td>");
    add_tagged(page, "<td>", severity_of(s->title), "</td>");
    add_tagged(page, "<td>", s->title, "</td>");
    add_tagged(page, "<td>", tags_of(ex, s), "</td>");
    add_tagged(page, "<td>", state_of(ex, s), "</td>");
    add_tagged(page, "<td>", view_cap(exchange_iso(ex, s->created_us), 19), "</td><td>");
    text_add_number(page, s->message_count);
    text_add_string(page, "</td></tr>\n");
}

static void show_sessions(struct exchange *ex)
{
    const struct memory *memory = &ex->devin->memory;
    struct text *page = open_page(ex, VIEW("Devin stand-in: sessions"),
                                  "<meta http-equiv=\"refresh\" content=\"5\">");
    if (memory->newest == NULL)
        text_add_string(page, "<p>No sessions yet: they come from <code>POST /v1/sessions</code> "
                              "and its like on v3, and stay until this program ends.</p>\n");
    else
        text_add_string(page, "<table><tr><th>Session</th><th>Sev</th><th>Title</th><th>Tags</th>"
                              "<th>State</th><th>Created (UTC)</th><th>Messages</th></tr>\n");
    for (const struct session *s = memory->newest; s != NULL; s = s->older)
        add_session_line(ex, s);
    text_add_string(page, memory->newest == NULL ? "</body></html>\n" : "</table></body></html>\n");
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

static void show_session(struct exchange *ex)
{
    const struct session *session = memory_find_session(&ex->devin->memory, ex->id);
    if (session == NULL) {
        exchange_refuse(ex, 404, "Session not found");
        return;
    }
    struct text *page = open_page(ex, session->title, "");
    text_add_string(page, "<p><a href=\"/\">All sessions</a></p>\n<table>\n");
    add_row(page, VIEW("session_id"), ex->id);
    add_row(page, VIEW("severity"), severity_of(session->title));
    add_row(page, VIEW("state"), state_of(ex, session));
    add_row(page, VIEW("tags"), tags_of(ex, session));
    add_row(page, VIEW("created_at"), exchange_iso(ex, session->created_us));
    add_row(page, VIEW("updated_at"), exchange_iso(ex, session->updated_us));
    add_request_rows(ex, session);
    text_add_string(page, "</table>\n");
    for (const struct message *m = session->first; m != NULL; m = m->next) {
        if (m == session->first)
            text_add_string(page, "<h2>Prompt</h2>\n");
        else
            add_tagged(page, "<h2>Message of ", view_cap(exchange_iso(ex, m->time_us), 19),
                       "</h2>\n");
        add_tagged(page, "<pre>\n", m->text, "</pre>\n"); /* the line feed is not shown */
    }
    text_add_string(page, "</body></html>\n");
}

/* clang-format off */
const struct devin_route devin_page_routes[] = {
    { "GET", "/",              show_sessions },
    { "GET", "/sessions/{id}", show_session  },
    { NULL,  NULL,             NULL          },
};
/* clang-format on */
