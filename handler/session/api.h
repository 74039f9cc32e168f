/*
 * Devin's two APIs, v1 and v3: how calls are written and answers are read.  What differs between the
 * two is known here and nowhere else.
 *
 * Owns:     nothing; calls and what is read live in the arena.
 * Units:    bodies are JSON.
 * Fails:    builders only without memory; readers with false when an answer is not what it should be.
 * Threads:  any.
 *
 * Sources: docs.devin.ai, the pages below /api-reference/v1/ and /api-reference/v3/.
 */
#ifndef SESSION_API_H
#define SESSION_API_H

#include "base/failure.h"
#include "base/text.h"

struct arena;
struct cJSON;
struct session;

/* "apk_…" keys speak v1, "cog_…" keys v3; v1 is tried for any other. */
enum api_version { API_V1, API_V3 };

enum api_version api_version_of(struct view key);

/* A prepared request; only the wire adds host and key. */
struct call {
    const char *method;
    const char *path;
    struct view body;
    bool is_once; /* doing it twice would do harm: never sent again behind our back */
};

struct session_secret {
    struct view name;
    struct view value;
};

/* 50 tags are what Devin takes; ours leave room for the operator's. */
enum { MAX_SESSION_SECRETS = 16, MAX_TAGS = 50, MAX_OWN_TAGS = 30 };

/* What each session is given, besides its prompt. */
struct session_options {
    struct view tags; /* joined by commas */
    long long max_acu;
    struct view secret_ids, knowledge_ids; /* NULL `at`: unset, all; empty: none */
    struct view snapshot_id;               /* v1 only */
    bool is_unlisted;                      /* v1 only */
    struct view output_schema;             /* JSON; empty: none */
    struct session_secret secrets[MAX_SESSION_SECRETS];
    size_t secret_count;
};

struct session_request {
    struct view prompt;
    struct view title;
    struct view playbook_id; /* empty: left out */
    const struct view *tags; /* besides the options' */
    size_t tag_count;
    bool is_idempotent; /* v1: equal bytes give the session that exists */
};

/* Where an API lives: its version, and for v3 the organization. */
struct api {
    enum api_version version;
    struct view org;
};

bool api_create(const struct api *api, const struct session_options *options,
                const struct session_request *request, struct arena *mem,
                struct call *out) MUST_CHECK;
bool api_self(struct arena *mem, struct call *out) MUST_CHECK;
/* One page of the sessions with that tag (empty: of all); `cursor` continues one, empty: the first. */
bool api_list_sessions(const struct api *api, struct view tag, struct view cursor,
                       struct arena *mem, struct call *out) MUST_CHECK;
bool api_get_session(const struct api *api, struct view id, struct arena *mem,
                     struct call *out) MUST_CHECK;
/* What was said in a session so far. */
bool api_list_messages(const struct api *api, struct view id, struct arena *mem,
                       struct call *out) MUST_CHECK;
bool api_message(const struct api *api, struct view id, struct view message, struct arena *mem,
                 struct call *out) MUST_CHECK;
/* Tags besides those the session has: v1 replaces them all with both, v3 adds what is new itself. */
bool api_add_tags(const struct api *api, const struct session *session, const struct view *tags,
                  size_t count, struct arena *mem, struct call *out) MUST_CHECK;
bool api_list_playbooks(const struct api *api, struct view cursor, struct arena *mem,
                        struct call *out) MUST_CHECK;
/* An empty id creates it, another one updates that. */
bool api_put_playbook(const struct api *api, struct view id, struct view title, struct view macro,
                      struct view body, struct arena *mem, struct call *out) MUST_CHECK;

/* --- answers --------------------------------------------------------------------------------- */

struct session {
    struct view id; /* as Devin gave it */
    struct view url;
    bool is_new;    /* false: Devin gave back the session of an earlier, equal request */
    bool has_ended; /* nothing more will happen in it; an unknown status is none of that */
    struct view status;
    struct view title;
    struct view created; /* sorts by age within one API */
    struct view tags[MAX_TAGS];
    size_t tag_count;
};

/* A session as create, get and list give it. */
bool api_read_session(const struct cJSON *node, struct arena *mem, struct session *out) MUST_CHECK;

/* Whether an answer is such a list at all, and the first item of that page. */
bool api_is_sessions(const struct cJSON *body);
bool api_is_playbooks(const struct cJSON *body);
const struct cJSON *api_sessions_of(const struct cJSON *body);
const struct cJSON *api_playbooks_of(const struct cJSON *body);

/*
 * What continues a page whose items began with `first`, when `before` items came on pages before it;
 * empty: nothing does.  v1 has no such word for its sessions, a full page has another one behind it.
 */
struct view api_cursor_of(const struct api *api, const struct cJSON *body,
                          const struct cJSON *first, size_t before, struct arena *mem);

/* How many messages of the session begin with `mark`. */
size_t api_count_messages(const struct cJSON *body, struct view mark);

/* Whether a session was created then or later (seconds since 1970); false when it does not say. */
bool api_is_since(const struct session *session, long long since_s);

/* Of another form, an id stays as it is: "devin-" and 32 hex digits are one id with the bare digits. */
bool api_same_id(struct view a, struct view b);

/* The names of the request's members that an answer complains about, joined by ", "; else empty. */
struct view api_complained_of(const struct cJSON *body, struct arena *mem);
/* Whether an answer speaks of the playbook, in whatever words. */
bool api_speaks_of_playbook(struct view body);

#endif
