/*
 * Dialects: how each sender's payload becomes alerts.  A dialect is one file with a table of its
 * fields, and one name in SOURCES.
 *
 * Owns:     nothing; tables are constant.
 * Units:    none.
 * Fails:    with the first required field that is missing or wrong.  An optional field never
 *           refuses an alert: it is coerced where its meaning is clear, else left out and noted.
 * Threads:  any; tables are read only.
 */
#ifndef ALERT_SOURCE_H
#define ALERT_SOURCE_H

#include "alert/alert.h"

#include <stddef.h>

struct cJSON;

/*
 * Order is precedence: the most specific first, native last, for it takes what nobody else claims.
 * A name here wants a file source_<name>.c that defines source_<name>.
 */
#define SOURCES(X)       \
    X(azure_common)      \
    X(azure_metric)      \
    X(azure_activity)    \
    X(azure_budget)      \
    X(azure_log)         \
    X(azure_autoscale)   \
    X(azure_classic)     \
    X(cloudwatch)        \
    X(eventbridge)       \
    X(grafana)           \
    X(alertmanager)      \
    X(grafana_legacy)    \
    X(google_monitoring) \
    X(pagerduty)         \
    X(sentry)            \
    X(new_relic)         \
    X(dynatrace)         \
    X(opsgenie)          \
    X(zabbix)            \
    X(datadog)           \
    X(watcher)           \
    X(azure_health)      \
    X(pagerduty_events)  \
    X(pagerduty_old)     \
    X(splunk)            \
    X(uptime_kuma)       \
    X(honeycomb)         \
    X(pingdom)           \
    X(graylog)           \
    X(oncall)            \
    X(azure_custom)      \
    X(native)

enum field_form {
    FORM_LINE,      /* text, trimmed */
    FORM_TEXT,      /* text that may have several lines, white space kept */
    FORM_PROSE,     /* text that may be HTML: tags go, entities become characters */
    FORM_LEVEL,     /* severity: 0 to 4, as a number or as digits in a string */
    FORM_SEV,       /* severity as Azure writes it: "Sev0" is the worst, "Sev4" the mildest */
    FORM_WORD,      /* severity by the row's words alone */
    FORM_STATE,     /* fired, resolved or other, by the row's words */
    FORM_TIME,      /* ISO 8601, or an epoch or "3/22/2019 1:36:31 PM", which become ISO 8601 */
    FORM_COUNT,     /* a whole number from 1 */
    FORM_PAIRS,     /* an object: each member becomes a pair */
    FORM_LINK,      /* one more link, under the row's label; nothing where it leads nowhere */
    FORM_DIMENSION, /* one more dimension under the row's label */
    FORM_CUSTOM     /* one more custom field under the row's label; a list becomes "a, b" */
};

/* What a sender's word means; letters compare without case.  The last row has no word. */
struct word {
    const char *word;
    int meaning; /* a severity, NOT_STATED, or an enum alert_state */
};

enum { NOT_STATED = -1 };

/*
 * Several rows may fill one member: the first that gives a value wins (pairs are all kept).  A path
 * that begins with a slash starts at the whole payload, others at the item that is one alert.
 */
struct field {
    const char *path; /* where this dialect keeps it: names joined by dots */
    enum field_form form;
    size_t offset; /* where struct alert keeps it */
    bool is_required;
    const struct word *words;
    const char *label;
};

/* The offset of a member, which does not compile when the member has another type. */
#define MEMBER_AT(member, type)     \
    (offsetof(struct alert, member) \
     + 0 * sizeof(char[_Generic(((struct alert *)0)->member, type : 1)]))
#define LINE_AT(member)    .form = FORM_LINE, .offset = MEMBER_AT(member, struct view)
#define TEXT_AT(member)    .form = FORM_TEXT, .offset = MEMBER_AT(member, struct view)
#define PROSE_AT(member)   .form = FORM_PROSE, .offset = MEMBER_AT(member, struct view)
#define TIME_AT(member)    .form = FORM_TIME, .offset = MEMBER_AT(member, struct view)
#define COUNT_AT(member)   .form = FORM_COUNT, .offset = MEMBER_AT(member, long long)
#define PAIRS_AT(member)   .form = FORM_PAIRS, .offset = MEMBER_AT(member, struct pairs)
#define LEVEL_AT(member)   .form = FORM_LEVEL, .offset = MEMBER_AT(member, int)
#define SEV_AT(member)     .form = FORM_SEV, .offset = MEMBER_AT(member, int)
#define WORD_AT(member)    .form = FORM_WORD, .offset = MEMBER_AT(member, int)
#define LINK_AS(name)      .form = FORM_LINK, .label = (name)
#define DIMENSION_AS(name) .form = FORM_DIMENSION, .label = (name)
#define CUSTOM_AS(name)    .form = FORM_CUSTOM, .label = (name)
#define STATE_AT(member)   .form = FORM_STATE, .offset = MEMBER_AT(member, enum alert_state)

/*
 * What tells one problem of this sender from another, besides the source: its fingerprint is made
 * of these, as far as they are stated.  What changes with each firing (ids, times, values) does not
 * belong there.
 */
enum identity_part {
    BY_PROBLEM = 1, /* alert.problem, the sender's own id of it */
    BY_NAME = 2,
    BY_RESOURCE = 4,
    BY_DIMENSIONS = 8
};

struct source {
    const char *name;  /* as in the log, and the alert's source where the payload names none */
    bool is_azure;     /* sent by an Azure Monitor action group: short deadline, retries 503 */
    bool has_schema;   /* its payloads name their schema, which counts more than an alertName */
    unsigned identity; /* of enum identity_part, joined by | */
    bool (*recognises)(const struct cJSON *body);
    /*
     * The path of the list whose items are alerts; an object there is a list of one.  NULL, or
     * nothing at that path: the body is one alert.
     */
    const char *items;
    const struct field *fields;
    size_t field_count;
    /*
     * What a table cannot express; may be NULL.  `item` is the alert's own part of `body`, the same
     * node where there are no items.
     */
    bool (*finish)(const struct cJSON *item, const struct cJSON *body, struct arena *mem,
                   struct alert *out, struct failure *why);
};

#define X(name) extern const struct source source_##name;
SOURCES(X)
#undef X

/*
 * The first dialect that recognises the body; never NULL.  Whoever fills in our own contract's
 * alertName means it: then only a dialect that has_schema comes before native.
 */
const struct source *source_of(const struct cJSON *body);

/*
 * Fills `out` as the dialect's table says, then lets the dialect finish.  An alert without a name is
 * refused, and the error names the path of the table's first row for it.
 */
bool source_read(const struct source *from, const struct cJSON *item, const struct cJSON *body,
                 struct arena *mem, struct alert *out, struct failure *why) MUST_CHECK;

/* --- for dialects ---------------------------------------------------------------------------- */

/*
 * The node's text, trimmed; empty for what counts as not given: absent, null, "", "null", "None",
 * and a placeholder that a template left unfilled.  Numbers and booleans become text.
 */
struct view source_line(const struct cJSON *node, struct arena *mem);

/* Whether the body fills in our own contract's alertName. */
bool source_is_native(const struct cJSON *body);
/* "P1" is the worst, "P5" the mildest: severity 0 to 4. */
extern const struct word source_priorities[];

/* The whole text is a placeholder that a template left unfilled. */
bool source_is_placeholder(struct view text);

/*
 * The name, or what stands behind its last dot, is one under which senders and sites put credentials
 * or the contents of a caller's token: its value is no custom field.
 */
bool source_is_credential(struct view name);

/* The first item of a list that has any, else the node itself. */
const struct cJSON *source_one(const struct cJSON *node);

/*
 * The first and the next item of a list.  An object that stands alone where a list is expected is a
 * list of one.
 */
const struct cJSON *source_items(const struct cJSON *list);
const struct cJSON *source_next(const struct cJSON *item, const struct cJSON *list);

/* As FORM_TIME: false for what is no time; a time that says "unset" leaves `out` alone. */
bool source_time(const struct cJSON *node, struct arena *mem, struct view *out) MUST_CHECK;

/* The meaning of a word; false when it is none of them. */
bool source_word(struct view text, const struct word *words, int *meaning);

/* Says in the log what became of an optional field. */
bool source_note(struct alert *alert, const char *path, const char *what,
                 struct arena *mem) MUST_CHECK;

/* Adds a dimension, a link or a custom field; nothing where the node gives no value. */
bool source_dimension(struct alert *alert, const char *key, const struct cJSON *node,
                      struct arena *mem) MUST_CHECK;
bool source_link(struct alert *alert, const char *label, const struct cJSON *node,
                 struct arena *mem) MUST_CHECK;
bool source_link_text(struct alert *alert, struct view label, struct view url,
                      struct arena *mem) MUST_CHECK;
bool source_custom(struct alert *alert, struct view key, const struct cJSON *node,
                   struct arena *mem) MUST_CHECK;
/* As source_custom() for each member of an object; nothing where it is none. */
bool source_custom_all(struct alert *alert, const struct cJSON *object,
                       struct arena *mem) MUST_CHECK;
/* What was measured, in words. */
bool source_condition(struct alert *alert, struct view words, struct arena *mem) MUST_CHECK;

/* A list's items on one line, "a, b"; anything else as source_line() has it. */
struct view source_joined(const struct cJSON *node, struct arena *mem);

/* As source_line(), of what lies at a path. */
struct view source_line_at(const struct cJSON *node, const char *path, struct arena *mem);

/* Puts "before", the part and "after"; nothing where there is no part. */
void source_add_part(struct text *to, const char *before, struct view part, const char *after);

/* As source_custom_all(), with what inner objects hold under names that are joined by dots. */
bool source_custom_tree(struct alert *alert, const char *prefix, const struct cJSON *node,
                        struct arena *mem) MUST_CHECK;

/* What stands behind the last slash: "/a/b/c" and "/a/b/c/" give "c". */
struct view source_last_segment(struct view path);

/*
 * Text that a template engine escaped for HTML, with its entities as characters again.  Text that
 * holds a bare "<", ">" or quotation mark, or a "&" of its own, was not escaped and stays as it is.
 */
struct view source_unescaped(struct view text, struct arena *mem);

/* HTML as a person reads it: tags go, the usual entities become characters, <br> and <p> line ends. */
struct view source_prose(struct view text, struct arena *mem);

#endif
