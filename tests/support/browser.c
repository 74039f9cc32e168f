/* Each message is one JSON object that ends in a NUL; events come between the answers. */
#include "support/browser.h"

#include "base/json.h"
#include "support/match.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, END_PATIENCE_MS = 10000, MAX_HEARD_BYTES = 64 * 1024 * 1024 };

enum { THEIRS_IN = 3, THEIRS_OUT = 4 };

/* --- the pipes ---------------------------------------------------------------------------------- */

void browser_reserve(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = THEIRS_IN; i <= THEIRS_OUT; i++) {
        if (fd != i)
            dup2(fd, i);
        fcntl(i, F_SETFD, FD_CLOEXEC);
    }
    if (fd > THEIRS_OUT)
        close(fd);
}

static bool open_pipes(struct browser *browser)
{
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    browser->to = in[1];
    browser->from = out[0];
    fcntl(in[1], F_SETFD, FD_CLOEXEC);
    fcntl(out[0], F_SETFD, FD_CLOEXEC);
    dup2(in[0], THEIRS_IN);
    dup2(out[1], THEIRS_OUT);
    close(in[0]);
    close(out[1]);
    return true;
}

/* One message out of what was heard, waiting for it; empty: none came. */
static struct view next_message(struct browser *browser)
{
    long long until = process_now_ms() + PATIENCE_MS;
    char piece[16384];
    for (;;) {
        struct view all = text_view(&browser->heard), message, rest;
        if (view_cut(all, '\0', &message, &rest)) {
            message = view_keep(message, browser->mem);
            memmove(browser->heard.bytes, rest.at, rest.len);
            browser->heard.len = rest.len;
            return message;
        }
        struct pollfd wait = { .fd = browser->from, .events = POLLIN };
        long long left = until - process_now_ms();
        if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
            return VIEW("");
        ssize_t got = read(browser->from, piece, sizeof piece);
        if (got <= 0)
            return VIEW("");
        text_add(&browser->heard, (struct view){ piece, (size_t)got });
    }
}

/* The next message as a tree; events are noted on the way. */
static bool hear(struct browser *browser, struct json *out)
{
    struct failure why = { 0 };
    struct view message = next_message(browser);
    if (message.len == 0 || !json_read(message, browser->mem, out, &why))
        return complain(browser->why, "Chromium says nothing more", VIEW(""));
    if (view_equal(json_text(json_at(out->root, "method")), VIEW("Page.loadEventFired")))
        browser->is_loaded = true;
    return true;
}

static bool say(struct browser *browser, const char *method, struct view params)
{
    struct text message = text_in(browser->mem, MAX_HEARD_BYTES);
    struct json_writer writer = { .to = &message };
    json_open(&writer, NULL, '{');
    json_put_number(&writer, "id", ++browser->last_id);
    json_put_text(&writer, "method", view_of(method));
    json_put_raw(&writer, "params", params);
    if (browser->session.len > 0)
        json_put_text(&writer, "sessionId", browser->session);
    json_close(&writer, '}');
    text_add_char(&message, '\0');
    struct view rest = text_view(&message);
    while (rest.len > 0) {
        ssize_t put = write(browser->to, rest.at, rest.len);
        if (put <= 0)
            return complain(browser->why, "Chromium listens no more", VIEW(""));
        rest = view_skip(rest, (size_t)put);
    }
    return true;
}

/* `wanted` names the text in the result that is to be returned; NULL: none. */
static bool call(struct browser *browser, const char *method, struct view params,
                 const char *wanted, struct view *out)
{
    struct json answer = { 0 };
    if (!say(browser, method, params))
        return false;
    for (;;) {
        if (!hear(browser, &answer))
            return complain(browser->why, "  after", view_of(method));
        if ((int)json_number(json_at(answer.root, "id")) == browser->last_id)
            break;
        json_free(&answer);
    }
    const struct cJSON *result = json_at(answer.root, "result");
    bool ok = result != NULL && json_at(result, "exceptionDetails") == NULL;
    if (!ok)
        complain(browser->why, method, json_as_text(answer.root, browser->mem));
    if (ok && wanted != NULL)
        *out = view_keep(json_text(json_at(result, wanted)), browser->mem);
    json_free(&answer);
    return ok;
}

/* --- opening and closing ------------------------------------------------------------------------ */

static bool start(struct browser *browser, const char *program, const char *profile)
{
    char folder[4096];
    snprintf(folder, sizeof folder, "--user-data-dir=%s", profile);
    const char *argv[] = { program,
                           "--headless",
                           "--remote-debugging-pipe",
                           folder,
                           "--no-sandbox", /* root has none; it sees our own pages alone */
                           "--disable-gpu",
                           "--disable-quic",
                           "--no-first-run",
                           "--disable-background-networking",
                           "--disable-component-update",
                           "--disable-sync",
                           "--hide-scrollbars",
                           "about:blank",
                           NULL };
    int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct process_plan plan = { .argv = argv, .out = silence, .err = silence };
    bool ok = open_pipes(browser) && process_start(&plan, &browser->process);
    close(silence);
    browser_reserve(); /* so that only Chromium holds its ends */
    return ok || complain(browser->why, "Chromium does not start", view_of(program));
}

static bool open_tab(struct browser *browser)
{
    struct view target = { 0 };
    char params[256];
    if (!call(browser, "Target.createTarget", VIEW("{\"url\":\"about:blank\"}"), "targetId",
              &target))
        return false;
    snprintf(params, sizeof params, "{\"targetId\":\"%.*s\",\"flatten\":true}", (int)target.len,
             target.at);
    return call(browser, "Target.attachToTarget", view_of(params), "sessionId", &browser->session)
           && browser_do(browser, "Page.enable", "{}")
           && browser_do(browser, "Emulation.setFocusEmulationEnabled", "{\"enabled\":true}");
}

bool browser_open(const char *program, const char *profile, struct arena *mem, struct text *why,
                  struct browser *out)
{
    *out = (struct browser){ .mem = mem, .why = why, .to = -1, .from = -1 };
    out->heard = text_in(mem, MAX_HEARD_BYTES);
    if (start(out, program, profile) && open_tab(out))
        return true;
    browser_close(out);
    return false;
}

void browser_close(struct browser *browser)
{
    browser->session = (struct view){ 0 };
    if (browser->process.pid > 0)
        say(browser, "Browser.close", VIEW("{}"));
    process_end(&browser->process, 0, END_PATIENCE_MS);
    close(browser->to);
    close(browser->from);
}

/* --- what a person does ------------------------------------------------------------------------- */

bool browser_do(struct browser *browser, const char *method, const char *params)
{
    return call(browser, method, view_of(params), NULL, NULL);
}

bool browser_await_load(struct browser *browser)
{
    while (!browser->is_loaded) {
        struct json event = { 0 };
        if (!hear(browser, &event))
            return complain(browser->why, "  while a page was to be loaded", VIEW(""));
        json_free(&event);
    }
    browser->is_loaded = false;
    return true;
}

bool browser_load(struct browser *browser, struct view url)
{
    struct text params = text_in(browser->mem, 4096);
    struct json_writer writer = { .to = &params };
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "url", url);
    json_close(&writer, '}');
    browser->is_loaded = false;
    return call(browser, "Page.navigate", text_view(&params), NULL, NULL)
           && browser_await_load(browser);
}

bool browser_ask(struct browser *browser, const char *expression, struct view *out)
{
    struct text params = text_in(browser->mem, 65536), whole = text_in(browser->mem, 65536);
    struct json_writer writer = { .to = &params };
    text_add_string(&whole, "String(");
    text_add_string(&whole, expression);
    text_add_string(&whole, ")");
    json_open(&writer, NULL, '{');
    json_put_text(&writer, "expression", text_view(&whole));
    json_put_bool(&writer, "returnByValue", true);
    json_close(&writer, '}');
    return call(browser, "Runtime.evaluate", text_view(&params), "result.value", out);
}

bool browser_press(struct browser *browser, const char *key)
{
    bool is_enter = strcmp(key, "Enter") == 0;
    char params[256];
    snprintf(params, sizeof params,
             "{\"type\":\"%s\",\"key\":\"%s\",\"code\":\"%s\",\"windowsVirtualKeyCode\":%d%s}",
             is_enter ? "keyDown" : "rawKeyDown", key, key, is_enter ? 13 : 9,
             is_enter ? ",\"text\":\"\\r\"" : "");
    if (!browser_do(browser, "Input.dispatchKeyEvent", params))
        return false;
    snprintf(params, sizeof params,
             "{\"type\":\"keyUp\",\"key\":\"%s\",\"code\":\"%s\",\"windowsVirtualKeyCode\":%d}",
             key, key, is_enter ? 13 : 9);
    return browser_do(browser, "Input.dispatchKeyEvent", params);
}

bool browser_picture(struct browser *browser, struct view *out)
{
    struct view base64 = { 0 };
    if (!call(browser, "Page.captureScreenshot", VIEW("{\"format\":\"png\"}"), "data", &base64))
        return false;
    unsigned char *bytes = arena_get(browser->mem, base64.len / 4 * 3 + 4);
    int len = bytes == NULL
                  ? -1
                  : EVP_DecodeBlock(bytes, (const unsigned char *)base64.at, (int)base64.len);
    for (size_t i = base64.len; len > 0 && i > 0 && base64.at[i - 1] == '='; i--)
        len--;
    *out = (struct view){ (const char *)bytes, len > 0 ? (size_t)len : 0 };
    return len > 0 || complain(browser->why, "the picture is no base64", VIEW(""));
}
