/*
 * One request to the Devin stand-in and its answer: reading bodies and queries, writing answers in
 * the manner of the version that was called.
 *
 * Owns:     an exchange owns `mem` and `json`; whoever made it drops them.
 * Units:    as devin_memory.h.
 * Fails:    with false or NULL, the refusal being written; out of memory shows in text_ok(&out).
 * Threads:  an exchange belongs to one thread; `devin->memory` is touched under `devin->lock`.
 */
#ifndef SUPPORT_DEVIN_EXCHANGE_H
#define SUPPORT_DEVIN_EXCHANGE_H

#include "support/devin_memory.h"
#include "support/shape.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_BODY_BYTES = 64 * 1024 * 1024, MAX_ANSWER_BYTES = 256 * 1024 * 1024 };

struct devin {
    int port;
    struct view key; /* empty: any key of the right kind */
    atomic_bool is_ending;
    pthread_mutex_t lock; /* guards what follows */
    struct memory memory;
    int resets; /* a call may outlive the memory it was noted in */
};

struct exchange {
    struct devin *devin;
    struct arena mem;
    enum api api;
    struct view method, path, query, content_type, authorization, id, org, body;
    struct json json; /* of the body; no root when it is not JSON */
    struct fault fault;
    struct call *call; /* NULL: not a call of the API */
    int resets;
    int status; /* 0: no answer, the connection just ends */
    const char *type;
    struct text out;
    struct json_writer writer; /* to `out` */
};

/* A row without a method ends a list.  {id} and {org} stand for one segment. */
struct devin_route {
    const char *method;
    const char *pattern;
    void (*handle)(struct exchange *ex);
};

extern const struct devin_route devin_v1_routes[];
extern const struct devin_route devin_v3_routes[];
extern const struct devin_route devin_control_routes[];
extern const struct devin_route devin_page_routes[];

/* Does all that is asked, under the lock; then waits as long as a fault wants. */
void exchange_answer(struct exchange *ex);

/* An empty JSON answer. */
void exchange_start(struct exchange *ex, int status);

/* {"detail":...} or, on v3, a problem of RFC 9457. */
void exchange_refuse(struct exchange *ex, int status, const char *detail);
void exchange_refuse_memory(struct exchange *ex);

/* Answers 422 with every complaint, and false, when the body is not of that shape. */
bool exchange_body_is(struct exchange *ex, const struct shape *shape);

/* 422 about one place: `in` is "body" or "query". */
void exchange_complain(struct exchange *ex, const char *in, const char *name, const char *type,
                       const char *sentence);

/* The decoded values of a repeated query parameter; those beyond `most` are left out. */
size_t exchange_values(struct exchange *ex, const char *name, struct view *out, size_t most);
/* The last value as a number; `out` is untouched when it is not there.  False: answered 422. */
bool exchange_number(struct exchange *ex, const char *name, long long min, long long max,
                     long long *out);

/* No wanted tag, or the session has one of them: OR. */
bool exchange_wants_tags(const struct session *session, const struct view *tags, size_t count);

void exchange_put_url(struct exchange *ex, const struct session *session);
/* Null when it is empty. */
void exchange_put_or_null(struct exchange *ex, const char *key, struct view text);
void exchange_put_tags(struct exchange *ex, const struct session *session);
struct view exchange_iso(struct exchange *ex, long long time_us); /* as v1 writes times */

/* Answers 400, and false, for a playbook that is not in the list where that matters. */
bool exchange_playbook_is_known(struct exchange *ex);
/* By the path's id; NULL: answered 404. */
struct playbook *exchange_playbook(struct exchange *ex);

/* The whole session as its own version shows it. */
void devin_v1_put_session(struct exchange *ex, const struct session *session);
void devin_v3_put_session(struct exchange *ex, const struct session *session, bool has_detail);

/* Shapes that both versions and the control endpoint share. */
extern const struct shape devin_any_text, devin_any_secret, devin_tags_body;

#endif
