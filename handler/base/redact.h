/*
 * Takes secrets out of text that others wrote and puts "[redacted:password-1]" in their place: the
 * same secret has the same label within one redactor, numbered by order of appearance.
 *
 * Owns:     nothing; what it remembers lives in the arena given at the start.
 * Units:    bytes.  Time is linear in the text, whatever it holds.
 * Fails:    by breaking the text it writes to when there is no memory.
 * Threads:  settings are constant; a redactor belongs to its request.
 *
 * Known are the shapes of many issuers' keys, values behind names like "password" and "api_key", and
 * the process's own secrets.  A label is text like any other: it is never redacted again.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include "base/text.h"

struct arena;
struct redact_secret;

#define REDACT_KINDS(X)               \
    X(OWN, "own-secret")              \
    X(AUTHORIZATION, "authorization") \
    X(JWT, "jwt")                     \
    X(AZURE, "azure-key")             \
    X(SAS, "sas-signature")           \
    X(ENTRA, "entra-secret")          \
    X(AWS_ID, "aws-key-id")           \
    X(AWS, "aws-secret")              \
    X(GOOGLE, "google-key")           \
    X(PRIVATE, "private-key")         \
    X(GITHUB, "github-token")         \
    X(GITLAB, "gitlab-token")         \
    X(SLACK, "slack-token")           \
    X(SLACK_HOOK, "slack-webhook")    \
    X(STRIPE, "stripe-key")           \
    X(NPM, "npm-token")               \
    X(OPENAI, "openai-key")           \
    X(ANTHROPIC, "anthropic-key")     \
    X(DEVIN, "devin-key")             \
    X(VENDOR, "vendor-key")           \
    X(PASSWORD, "password")           \
    X(URL_PASSWORD, "url-password")   \
    X(API_KEY, "api-key")             \
    X(TOKEN, "token")                 \
    X(SECRET, "secret")

enum redact_kind {
#define X(name, word) REDACT_##name,
    REDACT_KINDS(X)
#undef X
        REDACT_KIND_COUNT
};

enum { REDACT_LEAST_OWN = 8 };

struct redact_settings {
    const struct view *secrets; /* our own; shorter ones than REDACT_LEAST_OWN are left alone */
    size_t secret_count;
    bool is_off;
};

struct redactor {
    const struct redact_settings *settings;
    struct arena *mem;
    struct redact_secret *known; /* by hash */
    size_t numbers[REDACT_KIND_COUNT];
    unsigned char starts[256]; /* what may begin or stand at a byte of that value */
    size_t count;              /* secrets replaced */
    size_t steps;              /* bytes looked at, for tests of linearity */
};

/* NULL settings know no own secrets.  Without `mem` labels have no number: "[redacted:password]". */
struct redactor redactor_begin(const struct redact_settings *settings, struct arena *mem);

/* Appends `foreign` without its secrets. */
void redact_add(struct redactor *redactor, struct view foreign, struct text *to);
/* As much of that as the text's ceiling allows; false when it is not all. */
bool redact_add_some(struct redactor *redactor, struct view foreign, struct text *to);

/* The same as a view: `foreign` itself when it holds no secret, NULL `at` without memory. */
struct view redact(struct redactor *redactor, struct view foreign, struct arena *mem);
/* The same of a value that has a name: of "password" it is a secret, whatever it looks like. */
struct view redact_value(struct redactor *redactor, struct view name, struct view foreign,
                         struct arena *mem);

#endif
