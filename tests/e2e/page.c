/*
 * The Devin stand-in's page in a real browser: an alert of Azure Monitor and a hostile one go the
 * whole way, then the page is read, walked through with the keyboard, enlarged and darkened.
 *
 *   page CHROMIUM PROFILE            PROFILE is an empty folder
 *   page CHROMIUM PROFILE PICTURE    makes the picture of the README instead
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/browser.h"
#include "support/http.h"
#include "support/match.h"
#include "support/stage.h"

#include <signal.h>
#include <stdio.h>

enum { PATIENCE_MS = 20000, MOST_STOPS = 16 };

#define ALERT  "/tests/cases/samples/azure-monitor/common-log-v2-exceptions-sev1-fired.json"
#define TARGET "/api/trigger-devin"

static const char hostile[] =
    "{\n  \"alertName\": \"<img src=x onerror=document.title=1> & \\\"quotes\\\"\",\n"
    "  \"severity\": 2,\n"
    "  \"description\": \"</pre></main><script>document.title=1</script><b>bold</b>\",\n"
    "  \"team\": \"<a href=/elsewhere>elsewhere</a>\"\n}";

/* An expression on the page, and what it must give. */
struct look {
    const char *what, *expression, *wanted;
};

/* What is drawn in a contrast below 4.5 to its ground. */
#define FAINT                                                                            \
    "(() => { const rgb = c => c.match(/[\\d.]+/g).map(Number);"                         \
    "const lum = c => { const [r, g, b] = rgb(c).map(v => v / 255)"                      \
    ".map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);"                  \
    "return .2126 * r + .7152 * g + .0722 * b };"                                        \
    "const ground = e => { const c = getComputedStyle(e).backgroundColor;"               \
    "return e.parentElement && rgb(c)[3] === 0 ? ground(e.parentElement) : c };"         \
    "const ratio = e => { const a = lum(getComputedStyle(e).color), b = lum(ground(e));" \
    "return (Math.max(a, b) + .05) / (Math.min(a, b) + .05) };"                          \
    "return [...document.querySelectorAll('body *')].filter(e => ratio(e) < 4.5)"        \
    ".map(e => e.outerHTML.slice(0, 60)).join('; ') })()"

#define TOP(nth) "document.querySelectorAll('.pair > div')[" #nth "].getBoundingClientRect().top"

/* clang-format off */
static const struct look list_looks[] = {
    { "language",            "document.documentElement.lang", "en" },
    { "title",               "document.title", "Devin stand-in: sessions" },
    { "headings",            "[...document.querySelectorAll('h1,h2,h3')].map(e => e.tagName).join()", "H1" },
    { "column headers",      "[...document.querySelectorAll('thead th[scope=col]')].map(e => e.textContent).join()",
                             "Severity,Title,State,Tags,Messages,Created (UTC)" },
    { "rows",                "[...document.querySelectorAll('tbody tr')].map(e => e.children.length).join()", "6,6" },
    { "row headers",         "document.querySelectorAll('tbody tr > th[scope=row] > a').length", "2" },
    { "severities",          "[...document.querySelectorAll('tbody td:first-child')].map(e => e.textContent).join()", "Sev 2,Sev 1" },
    { "hostile title",       "document.querySelector('tbody a').textContent.includes('<img src=x onerror=document.title=1>')", "true" },
    { "elements of senders", "document.querySelectorAll('script, img, b, iframe, object').length", "0" },
    { "tags",                "[...document.querySelectorAll('tbody td:nth-child(4)')].every(e => e.textContent.length > 0)", "true" },
    { "messages",            "[...document.querySelectorAll('tbody td:nth-child(5)')].map(e => e.textContent).join()", "1,1" },
    { NULL, NULL, NULL },
};

static const struct look session_looks[] = {
    { "title",               "document.title.includes('<img src=x') && document.title === document.querySelector('h1').textContent", "true" },
    { "headings",            "[...document.querySelectorAll('h1,h2,h3')].map(e => e.tagName + (e.tagName === 'H1' ? '' : ' ' + e.textContent)).join()",
                             "H1,H2 Prompt and payload,H3 Prompt,H3 Payload (action: created)" },
    { "facts",               "[...document.querySelectorAll('.facts th[scope=row]')].slice(0, 4).map(e => e.textContent).join()",
                             "severity,state,tags,session_id" },
    { "prompt",              "document.querySelectorAll('pre')[0].textContent.includes('<script>document.title=1</script><b>bold</b>')", "true" },
    { "elements of senders", "document.querySelectorAll('script, img, b, iframe, object, a[href*=elsewhere]').length", "0" },
    { "payload",             "document.querySelectorAll('pre')[1].textContent", hostile },
    { "prompt and payload beside each other", TOP(0) " === " TOP(1), "true" },
    { NULL, NULL, NULL },
};

static const struct look light_looks[] = {
    { "light ground",        "getComputedStyle(document.body).backgroundColor", "rgb(255, 255, 255)" },
    { "faint in light",      FAINT, "" },
    { NULL, NULL, NULL },
};

static const struct look dark_looks[] = {
    { "dark ground",         "getComputedStyle(document.body).backgroundColor", "rgb(22, 24, 27)" },
    { "faint in dark",       FAINT, "" },
    { NULL, NULL, NULL },
};

/* At 200 % a window of 1200 pixels has 600. */
static const struct look large_looks[] = {
    { "width",               "innerWidth", "600" },
    { "out of sight",        "document.documentElement.scrollWidth - innerWidth", "0" },
    { NULL, NULL, NULL },
};

static const struct look large_session_looks[] = {
    { "payload below prompt", TOP(0) " < " TOP(1), "true" },
    { NULL, NULL, NULL },
};
/* clang-format on */

#define LIGHT  "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"light\"}]}"
#define DARK   "{\"features\":[{\"name\":\"prefers-color-scheme\",\"value\":\"dark\"}]}"
#define NORMAL "{\"width\":1200,\"height\":900,\"deviceScaleFactor\":1,\"mobile\":false}"
#define LARGE  "{\"width\":600,\"height\":450,\"deviceScaleFactor\":2,\"mobile\":false}"

/* --- looking -------------------------------------------------------------------------------- */

static bool look(struct browser *browser, const struct look *looks)
{
    bool ok = true;
    for (; looks->what != NULL; looks++) {
        struct view got = { 0 };
        if (!browser_ask(browser, looks->expression, &got))
            return false;
        if (!view_equal(got, view_of(looks->wanted)))
            ok = differs(browser->why, looks->what, view_of(looks->wanted), got);
    }
    return ok;
}

static bool is_sound_in_all_looks(struct browser *browser, const struct look *when_large)
{
    bool ok =
        browser_do(browser, "Emulation.setEmulatedMedia", LIGHT) && look(browser, light_looks);
    ok = browser_do(browser, "Emulation.setEmulatedMedia", DARK) && look(browser, dark_looks) && ok;
    ok = browser_do(browser, "Emulation.setEmulatedMedia", LIGHT)
         && browser_do(browser, "Emulation.setDeviceMetricsOverride", LARGE)
         && look(browser, large_looks) && look(browser, when_large) && ok;
    return browser_do(browser, "Emulation.setDeviceMetricsOverride", NORMAL) && ok;
}

/* --- the keyboard --------------------------------------------------------------------------- */

/* The text of what has the focus, with a complaint when nobody could see that it has. */
#define FOCUSED                                                                       \
    "(() => { const e = document.activeElement, r = e.getBoundingClientRect(),"       \
    "s = getComputedStyle(e); return e.textContent + (e.matches(':focus-visible') "   \
    "&& s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && r.left >= 0 " \
    "&& r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight ? '' : ' (unseen)') })()"

#define LINKS "[...document.querySelectorAll('a[href]')].map(e => e.textContent).join('\\n')"

/* Tab comes by each link, in the order in which they stand, and by nothing else. */
static bool is_tab_order_right(struct browser *browser)
{
    struct view links = { 0 }, count = { 0 }, focused = { 0 };
    long long stops = 0;
    if (!browser_ask(browser, LINKS, &links)
        || !browser_ask(browser, "document.querySelectorAll('a[href]').length", &count)
        || !view_to_number(count, 1, MOST_STOPS, &stops))
        return complain(browser->why, "the page has no or too many links", VIEW(""));
    struct text seen = text_in(browser->mem, 65536);
    for (long long i = 0; i < stops; i++) {
        if (!browser_press(browser, "Tab") || !browser_ask(browser, FOCUSED, &focused))
            return false;
        text_add_string(&seen, i > 0 ? "\n" : "");
        text_add(&seen, focused);
    }
    return match_text("tab order", links, text_view(&seen), browser->why);
}

/* From the top of the list through the skip link into the first session, and back. */
static bool is_walk_right(struct browser *browser)
{
    static const struct look skipped[] = {
        { "skip link", "location.hash + ' ' + document.activeElement.id", "#main main" },
        { NULL, NULL, NULL },
    };
    static const struct look next_stop[] = {
        { "next stop", "document.activeElement === document.querySelector('tbody a')", "true" },
        { NULL, NULL, NULL },
    };
    static const struct look inside[] = {
        { "session's address", "location.pathname.startsWith('/sessions/')", "true" },
        { NULL, NULL, NULL },
    };
    static const struct look back[] = { { "way back", "location.pathname", "/" },
                                        { NULL, NULL, NULL } };
    return browser_press(browser, "Tab") && browser_press(browser, "Enter")
           && look(browser, skipped) && browser_press(browser, "Tab") && look(browser, next_stop)
           && browser_press(browser, "Enter") && browser_await_load(browser)
           && look(browser, inside) && browser_press(browser, "Tab")
           && browser_press(browser, "Tab") && browser_press(browser, "Enter")
           && browser_await_load(browser) && look(browser, back);
}

/* --- the tests ------------------------------------------------------------------------------ */

struct visit {
    struct browser *browser;
    struct view list, session, azure; /* addresses */
};

static bool test_list(const struct visit *visit)
{
    return browser_load(visit->browser, visit->list) && look(visit->browser, list_looks);
}

static bool test_session(const struct visit *visit)
{
    return browser_load(visit->browser, visit->session) && look(visit->browser, session_looks);
}

static bool test_list_keys(const struct visit *visit)
{
    return browser_load(visit->browser, visit->list) && is_tab_order_right(visit->browser);
}

static bool test_session_keys(const struct visit *visit)
{
    return browser_load(visit->browser, visit->session) && is_tab_order_right(visit->browser);
}

static bool test_walk(const struct visit *visit)
{
    return browser_load(visit->browser, visit->list) && is_walk_right(visit->browser);
}

static bool test_list_looks(const struct visit *visit)
{
    static const struct look none[] = { { NULL, NULL, NULL } };
    return browser_load(visit->browser, visit->list) && is_sound_in_all_looks(visit->browser, none);
}

static bool test_session_looks(const struct visit *visit)
{
    return browser_load(visit->browser, visit->azure)
           && is_sound_in_all_looks(visit->browser, large_session_looks);
}

static const struct {
    const char *name;
    bool (*run)(const struct visit *visit);
} tests[] = {
    { "the list has its rows and headers, and no element of a sender's", test_list },
    { "a session has the prompt beside the very payload, both escaped", test_session },
    { "Tab comes by the links of the list in their order, seen", test_list_keys },
    { "Tab comes by the links of a session in their order, seen", test_session_keys },
    { "the keyboard leads past the head, into a session and back", test_walk },
    { "the list is readable light, dark and at 200 %", test_list_looks },
    { "a session is readable light, dark and at 200 %", test_session_looks },
};

static int run_tests(const struct visit *visit)
{
    int failed = 0;
    for (size_t i = 0; i < COUNT_OF(tests); i++) {
        struct text *why = visit->browser->why;
        size_t before = why->len;
        bool ok = tests[i].run(visit);
        printf("%s page: %s\n", ok ? "ok  " : "FAIL", tests[i].name);
        if (!ok)
            printf("%.*s\n", (int)(why->len - before), why->bytes + before);
        why->len = before; /* said once is enough */
        failed += ok ? 0 : 1;
    }
    printf("page: %d passed, %d failed\n", (int)COUNT_OF(tests) - failed, failed);
    return failed > 0 ? 1 : 0;
}

static int take_picture(const struct visit *visit, const char *path)
{
    struct view picture = { 0 };
    FILE *file;
    if (!browser_load(visit->browser, visit->azure)
        || !browser_do(visit->browser, "Emulation.setEmulatedMedia", LIGHT)
        || !browser_picture(visit->browser, &picture) || (file = fopen(path, "wbe")) == NULL)
        return 1;
    bool ok = fwrite(picture.at, 1, picture.len, file) == picture.len;
    ok = fclose(file) == 0 && ok;
    printf("%s: %zu bytes\n", path, picture.len);
    return ok ? 0 : 1;
}

/* --- the alerts ----------------------------------------------------------------------------- */

/* The address of the page of the session that came of it; empty: none came. */
static struct view send_alert(const struct stage *stage, struct view alert, struct browser *browser)
{
    struct http_answer answer = { 0 };
    struct json reply = { 0 };
    struct failure why = { 0 };
    struct view request = http_request(
        "POST", VIEW(TARGET), VIEW("Content-Type: application/json\r\n"), alert, browser->mem);
    if (!http_call(stage->host.port, request, PATIENCE_MS, browser->mem, &answer)
        || !json_read(answer.body, browser->mem, &reply, &why))
        return VIEW("");
    struct view url = view_keep(json_text(json_at(reply.root, "sessionUrl")), browser->mem);
    json_free(&reply);
    if (url.len == 0)
        complain(browser->why, "no session came of an alert", answer.body);
    return url;
}

static int visit_page(const struct site *site, const struct stage *stage, struct browser *browser,
                      const char *picture)
{
    char list[64];
    struct view alert =
        process_read_file(joined(browser->mem, site->root, ALERT, (char *)NULL), browser->mem);
    snprintf(list, sizeof list, "http://127.0.0.1:%d/", stage->devin.port);
    struct visit visit = { .browser = browser, .list = view_of(list) };
    visit.azure = send_alert(stage, alert, browser);
    visit.session = send_alert(stage, view_of(hostile), browser);
    if (visit.azure.len == 0 || visit.session.len == 0
        || !browser_do(browser, "Emulation.setDeviceMetricsOverride", NORMAL))
        return 1;
    return picture != NULL ? take_picture(&visit, picture) : run_tests(&visit);
}

static int run(const char *self, const char *chromium, const char *profile, const char *picture,
               struct arena *mem)
{
    struct site site;
    struct stage stage;
    struct browser browser;
    struct text why = text_in(mem, 1024 * 1024);
    struct stage_plan plan = { .site = &site, .mode = "core-tools", .proxy = "new" };
    int code = 1;
    if (site_find(self, mem, &site) && stage_up(&plan, mem, &stage, &why)) {
        if (browser_open(chromium, profile, mem, &why, &browser)) {
            code = visit_page(&site, &stage, &browser, picture);
            browser_close(&browser);
        }
        if (!stage_down(&stage, mem, &why))
            code = 1;
    }
    if (code != 0)
        fprintf(stderr, "page: %.*s\n", (int)why.len, why.bytes);
    return code;
}

int main(int argc, char **argv)
{
    struct arena mem;
    browser_reserve();
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: page CHROMIUM PROFILE [PICTURE]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    arena_init(&mem, (size_t)512 * 1024 * 1024);
    int code = run(argv[0], argv[1], argv[2], argc == 4 ? argv[3] : NULL, &mem);
    arena_drop(&mem);
    return code;
}
