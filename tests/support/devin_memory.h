/*
 * What the Devin stand-in remembers between two resets: sessions, playbooks, the calls it got, the
 * faults it is to make and the options it was given.
 *
 * Owns:     everything in `mem`, and the sessions' JSON trees; memory_forget() releases both.
 * Units:    times are microseconds since 1970 (UTC).
 * Fails:    with NULL or false when there is no memory left.
 * Threads:  one owner at a time; the stand-in holds a lock around it.
 */
#ifndef SUPPORT_DEVIN_MEMORY_H
#define SUPPORT_DEVIN_MEMORY_H

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

enum { MOST_TAGS = 50, MEMORY_BUCKETS = 4096 };

/* The two versions that do not see each other's sessions. */
enum api { API_NONE, API_V1, API_V3 };

struct message {
    struct message *next;
    struct view text;
    long long time_us;
    int number;
};

/* What a client posted to make a session or to tell it something, as a host handed it in. */
struct payload {
    struct payload *next;
    struct view text;
    struct view action; /* the handler's word for what it did; may be empty */
    long long time_us;
};

/* Empty texts stand for null. */
struct state {
    struct view status, detail; /* `detail` is v3's status_detail */
    struct view status_enum;    /* v1's */
};

struct session {
    struct session *older, *newer, *same_body, *same_id; /* the last two: of one hash bucket */
    enum api api;
    int number;      /* from 1, in order of creation */
    struct view id;  /* 32 hex digits without "devin-", or "session_" and digits */
    struct view org; /* v3 */
    struct json request;
    struct view body; /* the request's bytes, which `idempotent` compares */
    struct view title;
    struct view tags[MOST_TAGS];
    size_t tag_count;
    long long created_us, updated_us;
    struct message *first, *last; /* the first one is the prompt */
    int message_count;
    struct payload *first_payload, *last_payload; /* NULL: none was handed in */
    int reads; /* since the last message; they decide the state unless it is scripted */
    bool is_scripted, is_archived;
    struct state script;
};

struct playbook {
    struct playbook *next;
    int number; /* from 1 */
    struct view id, title, body;
    struct view macro; /* empty: null */
    long long created_us, updated_us;
};

struct call {
    struct call *next;
    struct view method, path, query, content_type, body;
    const char *bearer; /* the kind of its key */
    bool is_authorized;
    int status;
};

struct fault {
    struct fault *next;
    struct view on; /* empty: any call */
    int status, delay_ms, repeat;
    long long bytes; /* 0: none */
    bool drop, garbage, after, no_url, has_body;
    struct view body, retry_after, location;
};

enum strictness { STRICT_V3, STRICT_BOTH, STRICT_NONE };

struct options {
    struct view org_id; /* empty: null, the key is good for any organization */
    bool playbooks_as_items, bare_ids, session_ids;
    bool works_on;             /* reading a session brings it no nearer to its end */
    enum strictness playbooks; /* who refuses an id that is not in the list */
    int page_size;             /* v3; 0: as asked for */
    int fail_percent;          /* of the calls, each kind of fault in turn */
    bool is_gone;              /* nobody is asked, nobody answered */
};

struct memory {
    struct arena mem;
    struct options options;
    unsigned chance; /* the last number drawn; the same ones after each reset */
    struct session *newest, *oldest;
    struct session *bodies[MEMORY_BUCKETS], *ids[MEMORY_BUCKETS];
    struct call *first_call, *last_call;
    struct fault *first_fault;
    struct playbook *first_playbook;
    int session_count, playbook_count;
};

/* Empty, with the options' defaults.  Also for zeroed memory that was never used. */
void memory_forget(struct memory *memory);

long long memory_now_us(void);

/*
 * Takes `request` over when it succeeds; its prompt is the first message.  `body` belongs to
 * `memory` already.
 */
struct session *memory_add_session(struct memory *memory, enum api api, struct view org,
                                   struct json *request, struct view body);
/* By the bytes of its request. */
struct session *memory_same_session(struct memory *memory, struct view body);
/* By its id, with or without "devin-". */
struct session *memory_find_session(struct memory *memory, struct view id);

/* Puts the session to work again. */
bool memory_add_message(struct memory *memory, struct session *session, struct view text);

/* Does not touch the session's state: Devin never sees it. */
bool memory_add_payload(struct memory *memory, struct session *session, struct view text,
                        struct view action);

/* Adds tags that are not there yet; false when there would be more than MOST_TAGS. */
bool memory_add_tags(struct memory *memory, struct session *session, const struct cJSON *list);

/* What the session's own version of the API says of it now. */
struct state memory_state(const struct session *session);

/* An empty `id`: a made up one.  The last. */
struct playbook *memory_add_playbook(struct memory *memory, struct view id);
bool memory_fill_playbook(struct memory *memory, struct playbook *playbook,
                          const struct cJSON *from);
struct playbook *memory_find_playbook(struct memory *memory, struct view id);

#endif
