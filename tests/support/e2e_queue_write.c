/*
 * The first try: an alert lies in the queue before Devin is asked, hidden, and leaves it when its fate
 * is settled; when Devin does not take it, it stays.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/match.h"
#include "support/queue_stage.h"

#include <pthread.h>

/* --- written first -------------------------------------------------------------------------------- */

/* A post in a thread of its own, for what is to be seen while it is under way. */
struct post {
    const struct queue_stage *stage;
    const char *name;
    struct arena mem;
    struct http_answer answer;
    bool is_answered;
    pthread_t thread;
};

static void *post_alone(void *user)
{
    struct post *post = user;
    post->is_answered = queue_stage_post(post->stage, post->name, &post->mem, &post->answer);
    return NULL;
}

static void begin_post(struct post *post, const struct queue_stage *stage, const char *name)
{
    *post = (struct post){ .stage = stage, .name = name };
    arena_init(&post->mem, 4 * 1024 * 1024);
    if (pthread_create(&post->thread, NULL, post_alone, post) != 0)
        post->stage = NULL;
}

static bool end_post(struct e2e *e2e, struct post *post, int status, const char *words)
{
    if (post->stage != NULL)
        pthread_join(post->thread, NULL);
    bool ok = (post->is_answered && post->answer.status == status
               && view_contains(post->answer.body, view_of(words)))
              || complain(e2e->why, "another answer than wanted", post->answer.body);
    arena_drop(&post->mem);
    return ok;
}

static bool is_asked(struct e2e *e2e, const struct queue_stage *stage)
{
    for (long long until = process_now_ms() + QUEUE_PATIENCE_MS; process_now_ms() < until;
         process_sleep_ms(20))
        if (queue_stage_creates(e2e, stage) > 0)
            return true;
    return complain(e2e->why, "Devin was never asked", VIEW(""));
}

/* While Devin thinks: one message, and nobody who looks can see it. */
static bool is_hidden(struct e2e *e2e, const struct queue_stage *stage)
{
    static struct storage_batch seen;
    int count = storage_count(&stage->azurite.storage, QUEUE_WAITING);
    if (count != 1)
        return complain(
            e2e->why, count == 0 ? "it was not written before Devin was asked" : "not one message",
            VIEW(""));
    return (storage_peek(&stage->azurite.storage, QUEUE_WAITING, e2e->mem, &seen)
            && seen.count == 0)
           || complain(e2e->why, "the message can be seen", seen.at[0].text);
}

static enum test_result written_first(struct e2e *e2e)
{
    static struct queue_stage stage;
    struct post post;
    const struct queue_plan plan = { .settings = "DEVIN_TIMEOUT_MS=30000" };
    bool ok = queue_stage_up(e2e, &plan, &stage)
              && control_faults(stage.devin.port,
                                VIEW("{\"on\":\"POST /v1/sessions\",\"delay_ms\":3000}"));
    if (ok) {
        begin_post(&post, &stage, "written-first");
        ok = is_asked(e2e, &stage) && is_hidden(e2e, &stage);
        ok = end_post(e2e, &post, 200, "\"action\":\"created\"") && ok;
        ok = ok && queue_stage_holds(e2e, &stage, QUEUE_WAITING, 0)
             && queue_stage_holds(e2e, &stage, QUEUE_POISONED, 0);
    }
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_queue_write[] = {
    { "queue: an alert lies there, hidden, while Devin is asked, and leaves when it is settled",
      written_first },
    { NULL, NULL },
};
