/*
 * A headless Chromium, driven through the DevTools protocol on two pipes: pages are loaded, asked
 * and pressed keys on as a person would, scripts or not.
 *
 * Owns:     a browser that is up must be closed with browser_close().
 * Units:    pixels are CSS pixels.
 * Fails:    with false and a sentence in `why`; it never hangs.
 * Threads:  one owner at a time.
 */
#ifndef SUPPORT_BROWSER_H
#define SUPPORT_BROWSER_H

#include "base/arena.h"
#include "base/text.h"
#include "support/process.h"

struct browser {
    struct process process;
    int to, from; /* pipes */
    int last_id;
    bool is_loaded;      /* since the last time somebody began to wait for it */
    struct view session; /* of its one tab */
    struct text heard;   /* what has not been read yet */
    struct arena *mem;
    struct text *why;
};

/*
 * Call first of all in a program: Chromium finds its pipes at descriptors 3 and 4, which nobody
 * else may then have.
 */
void browser_reserve(void);

/* `profile` is an empty folder. */
bool browser_open(const char *program, const char *profile, struct arena *mem, struct text *why,
                  struct browser *out);
void browser_close(struct browser *browser);

/* Returns when the page has been loaded. */
bool browser_load(struct browser *browser, struct view url);
bool browser_await_load(struct browser *browser); /* of what a key press began */

/* A JavaScript expression on the page, as a string. */
bool browser_ask(struct browser *browser, const char *expression, struct view *out);

/* "Tab" or "Enter". */
bool browser_press(struct browser *browser, const char *key);

/* Any command of the protocol to the tab; `params` is a JSON object. */
bool browser_do(struct browser *browser, const char *method, const char *params);

/* A PNG of what is in view. */
bool browser_picture(struct browser *browser, struct view *out);

#endif
