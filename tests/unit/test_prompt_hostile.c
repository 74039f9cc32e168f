/*
 * Hostile text in every field, a hundred thousand prompts: whatever a payload says, a Markdown parser
 * that is not ours (cmark, CommonMark's own) finds nothing but our headings, lists and sentences, and
 * several-line text in code blocks alone.  The seed is fixed: a failure comes again.
 */
#include "alert/source.h"
#include "base/arena.h"
#include "session/prompt.h"
#include "session/template.h"

#include "unit/check.h"

#include <cmark.h>
#include <stdlib.h>

enum {
    PROMPTS = 100000,
    NASTY_SHARE = 5, /* of them, with the nasty template: one in so many */
    MAX_PIECES = 24,
    PLENTY = 8 * 1024 * 1024,
    LEAST_PROMPT = 16384 /* the smallest MAX_PROMPT_BYTES */
};

/* Stands in every line of a several-line field, and in none of the others. */
#define MARK "qXq"

static const char *const pieces[] = {
    "`",
    "``",
    "```",
    "````````",
    "~~~",
    "# ",
    "## Your Tasks",
    "- ",
    "* ",
    "+ ",
    "1. ",
    "1) ",
    "> ",
    "---",
    "***",
    "===",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "\t",
    "    ",
    "  ",
    "\xE2\x80\xA8",
    "\xE2\x80\xA9",
    "\xE2\x80\xAE",
    "\xE2\x80\x8B",
    "\xEF\xBB\xBF",
    "\x01",
    "\x1B[31m",
    "\x7F",
    "\xC2\x85",
    "\xC3\xA9",
    "\xF0\x9F\x98\x80",
    "{{name}}",
    "${x}",
    "%s%n",
    "<script>",
    "<!--",
    "-->",
    "</details>",
    "[a](b)",
    "![i](u)",
    "![",
    "](",
    "|",
    "\\",
    "&lt;",
    "&#10;",
    "**",
    "__",
    "Begin triage.",
    "You are",
    "word",
    "\xFF",
    "\xED\xA0\x80",
    "\xC0\x80",
    "7",
    ":",
    "\"",
    "<![CDATA[",
    "<?",
    "[x]: /u",
    "- [ ] t",
    "\n```\n",
    "\n~~~\n",
    "\n\n# h\n\n",
    "a\n=\n",
};

/* Fewer where each takes ten or thirty times as long: under sanitizers and valgrind. */
static int prompts(void)
{
    const char *fewer = getenv("HOSTILE_PROMPTS");
    return fewer == NULL || fewer[0] == '\0' ? PROMPTS : (int)strtol(fewer, NULL, 10);
}

static unsigned long long seed = 20240206;

/* xorshift64 */
static size_t random_below(size_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % limit);
}

static struct view hostile(struct arena *mem, const char *mark)
{
    struct text text = text_in(mem, PLENTY);
    size_t count = random_below(MAX_PIECES);
    for (size_t i = 0; i < count; i++) {
        text_add_string(&text, pieces[random_below(COUNT_OF(pieces))]);
        text_add_string(&text, random_below(3) == 0 ? mark : "");
    }
    if (random_below(400) == 0) /* now and then far too much */
        for (size_t i = 0; i < 3000; i++)
            text_add_string(&text, pieces[random_below(COUNT_OF(pieces))]);
    return text_view(&text);
}

/* Two lines at least, so that it must be a block, and the mark in each. */
static struct view hostile_lines(struct arena *mem)
{
    struct text text = text_in(mem, PLENTY);
    if (random_below(3) == 0)
        return (struct view){ 0 };
    text_add(&text, hostile(mem, MARK));
    text_add_string(&text, MARK "\n" MARK);
    text_add(&text, hostile(mem, MARK));
    return text_view(&text);
}

static void fill_pairs(struct pairs *pairs, size_t limit, struct arena *mem)
{
    size_t count = random_below(limit + 1);
    for (size_t i = 0; i < count; i++)
        assert_true(
            pairs_add(pairs, limit, hostile(mem, ""), hostile(mem, ""), MAX_VALUE_BYTES, mem));
}

static struct alert hostile_alert(struct arena *mem)
{
    struct alert alert = { .from = &source_native, .line = (long long)random_below(3) };
    struct view *const lines[] = { &alert.name,       &alert.resource, &alert.signal_type,
                                   &alert.fired_time, &alert.source,   &alert.alert_id,
                                   &alert.file };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        *lines[i] = hostile(mem, "");
    alert.description = hostile_lines(mem);
    alert.logs = hostile_lines(mem);
    alert.query = hostile_lines(mem);
    fill_pairs(&alert.dimensions, 4, mem);
    fill_pairs(&alert.custom, 4, mem);
    fill_pairs(&alert.links, 3, mem);
    fill_pairs(&alert.conditions, 3, mem);
    return alert;
}

/* --- what must hold --------------------------------------------------------------------------- */

static void check_characters(struct view prompt)
{
    while (prompt.len > 0) {
        uint32_t code = 0;
        size_t len = utf8_read(prompt, &code);
        CHECK("valid UTF-8", len > 0);
        CHECK("visible", code == '\n' || code == '\t' || !utf8_is_invisible(code));
        prompt = view_skip(prompt, len);
    }
}

static bool is_one_of(struct view text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_equal(text, view_of(list[i])))
            return true;
    return false;
}

struct seen {
    size_t blocks, headings;
};

static bool is_inside(cmark_node *node, cmark_node_type type)
{
    for (; node != NULL; node = cmark_node_parent(node))
        if (cmark_node_get_type(node) == type)
            return true;
    return false;
}

/* Called for each node as it is entered. */
static void check_node(cmark_node *node, struct seen *seen)
{
    static const char *const headings[] = { "Alert Details", "Error Logs", "Your Tasks" };
    cmark_node_type type = cmark_node_get_type(node);
    struct view literal = view_of(cmark_node_get_literal(node));
    CHECK("no quotation", type != CMARK_NODE_BLOCK_QUOTE);
    CHECK("no HTML block", type != CMARK_NODE_HTML_BLOCK);
    CHECK("no rule", type != CMARK_NODE_THEMATIC_BREAK);
    if (type == CMARK_NODE_HEADING) {
        struct view words = view_of(cmark_node_get_literal(cmark_node_first_child(node)));
        CHECK("our heading", is_one_of(words, headings, COUNT_OF(headings)));
        seen->headings++;
    }
    if (type == CMARK_NODE_CODE_BLOCK) {
        CHECK("fenced, not indented", cmark_node_get_fence_info(node) != NULL
                                          && !is_inside(cmark_node_parent(node), CMARK_NODE_ITEM));
        CHECK("the payload's own", view_contains(literal, VIEW(MARK)));
        seen->blocks++;
    } else {
        CHECK("no block text outside", !view_contains(literal, VIEW(MARK)));
    }
    if (type == CMARK_NODE_ITEM) {
        cmark_node *list = cmark_node_parent(cmark_node_parent(node));
        CHECK("lists at most two deep",
              list == NULL || !is_inside(cmark_node_parent(list), CMARK_NODE_ITEM));
    }
}

/* The last list is ours: the tasks, numbered, with their number of items. */
static size_t count_tasks(cmark_node *document)
{
    size_t count = 0;
    cmark_node *list = cmark_node_previous(cmark_node_last_child(document));
    if (cmark_node_get_list_type(list) != CMARK_ORDERED_LIST)
        return 0;
    for (cmark_node *item = cmark_node_first_child(list); item != NULL;
         item = cmark_node_next(item))
        count++;
    return count;
}

static void check_structure(struct view prompt, size_t blocks, size_t headings)
{
    cmark_node *document = cmark_parse_document(prompt.at, prompt.len, CMARK_OPT_DEFAULT);
    cmark_iter *iter = cmark_iter_new(document);
    struct seen seen = { 0 };
    for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE;)
        if (event == CMARK_EVENT_ENTER)
            check_node(cmark_iter_get_node(iter), &seen);
    CHECK("tasks", count_tasks(document) == 5);
    cmark_iter_free(iter);
    cmark_node_free(document);
    CHECK("as many code blocks as several-line fields", seen.blocks == blocks);
    CHECK("headings", seen.headings == headings);
}

static void nothing_foreign_becomes_structure(void **state)
{
    (void)state;
    static const struct prompt_settings settings = { .target_repo = { "https://x/repo", 14 },
                                                     .max_bytes = LEAST_PROMPT };
    struct arena mem;
    for (int i = 0; i < prompts(); i++) {
        struct view prompt;
        struct failure why;
        arena_init(&mem, PLENTY);
        struct alert alert = hostile_alert(&mem);
        struct problem problem = { .alert = &alert };
        assert_true(prompt_render(&problem, &settings, &mem, &prompt, &why));
        CHECK("not too long", prompt.len <= LEAST_PROMPT);
        check_characters(prompt);
        size_t blocks =
            (size_t)(alert.description.len > 0) + (alert.logs.len > 0) + (alert.query.len > 0);
        check_structure(prompt, blocks, alert.logs.len > 0 ? 3 : 2);
        arena_drop(&mem);
    }
}

/*
 * A template that puts each field where it does the most harm: several lines into items and quotations
 * and behind words, one line at a line's beginning, everything again for each item of a list.
 */
static const char nasty[] =
    "{{alertName}}\n{{file}}\n{{team}}{{line}}{{source}}\n\n"
    "- {{logs}}\n1. {{alertId}}\n2. {{description}} {{affectedResource}}\n\nsee {{query}} now\n\n"
    "{{#dimensions}}\n* {{value}}\n  {{key}}\n{{#logs}}\n  - {{logs}} "
    "{{description}}\n{{/logs}}\n{{/dimensions}}\n\n"
    "{{#custom}}{{key}}{{value}}, {{/custom}}\n"
    "{{#links}}\n{{label}}\n{{url}}\n{{query}}{{logs}}\n{{/links}}\n"
    "{{#conditions}}{{.}}\n{{condition}}\n{{/conditions}}\n"
    "`{{signalType}}` *{{firedTime}}* {{#query}}{{logs}}{{/query}}\n\nThe end of it.\n";

static void check_nasty_node(cmark_node *node)
{
    cmark_node_type type = cmark_node_get_type(node);
    struct view literal = view_of(cmark_node_get_literal(node));
    CHECK("no heading", type != CMARK_NODE_HEADING);
    CHECK("no quotation", type != CMARK_NODE_BLOCK_QUOTE);
    CHECK("no HTML block", type != CMARK_NODE_HTML_BLOCK);
    CHECK("no rule", type != CMARK_NODE_THEMATIC_BREAK);
    if (type == CMARK_NODE_CODE_BLOCK) {
        CHECK("fenced, not indented",
              cmark_node_get_fence_info(node) != NULL && !is_inside(node, CMARK_NODE_ITEM));
        CHECK("the payload's own", view_contains(literal, VIEW(MARK))
                                       || view_contains(literal, VIEW("bytes left out ...]")));
    } else {
        CHECK("no block text outside", !view_contains(literal, VIEW(MARK)));
    }
}

static void check_nasty(struct view prompt)
{
    cmark_node *document = cmark_parse_document(prompt.at, prompt.len, CMARK_OPT_DEFAULT);
    cmark_iter *iter = cmark_iter_new(document);
    for (cmark_event_type event; (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE;)
        if (event == CMARK_EVENT_ENTER)
            check_nasty_node(cmark_iter_get_node(iter));
    cmark_node *last = cmark_node_first_child(cmark_node_last_child(document));
    CHECK("the template's end",
          view_equal(view_of(cmark_node_get_literal(last)), VIEW("The end of it.")));
    cmark_iter_free(iter);
    cmark_node_free(document);
}

static void no_template_makes_structure_of_it(void **state)
{
    (void)state;
    struct arena parsed;
    struct template template;
    struct template_fault fault;
    arena_init(&parsed, PLENTY);
    assert_true(template_parse(view_of(nasty), &parsed, &template, &fault));
    const struct prompt_settings settings = { .max_bytes = LEAST_PROMPT, .template = &template };
    struct arena mem;
    for (int i = 0; i < prompts() / NASTY_SHARE; i++) {
        struct view prompt;
        struct failure why;
        arena_init(&mem, PLENTY);
        struct alert alert = hostile_alert(&mem);
        assert_true(pairs_add(&alert.custom, MAX_CUSTOM_FIELDS, VIEW("team"), hostile(&mem, ""),
                              MAX_VALUE_BYTES, &mem));
        struct problem problem = { .alert = &alert };
        assert_true(prompt_render(&problem, &settings, &mem, &prompt, &why));
        CHECK("not too long", prompt.len <= LEAST_PROMPT);
        check_characters(prompt);
        check_nasty(prompt);
        arena_drop(&mem);
    }
    arena_drop(&parsed);
}

static void titles_are_one_visible_line(void **state)
{
    (void)state;
    struct arena mem;
    for (int i = 0; i < prompts(); i++) {
        struct view title;
        struct failure why;
        arena_init(&mem, PLENTY);
        struct alert alert = { .name = hostile(&mem, ""), .resource = hostile(&mem, "") };
        assert_true(prompt_title(&alert, &mem, &title, &why));
        CHECK("not too long", title.len <= 200);
        CHECK("one line", !view_contains(title, VIEW("\n")));
        check_characters(title);
        arena_drop(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_foreign_becomes_structure),
                                        cmocka_unit_test(no_template_makes_structure_of_it),
                                        cmocka_unit_test(titles_are_one_visible_line) };
    return cmocka_run_group_tests_name("prompt_hostile", tests, NULL, NULL);
}
