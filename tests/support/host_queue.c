/*
 * What a message goes through in the storage extension: delivered; deleted after success; after a
 * failure visible again in visibilityTimeout, or, at its last dequeue, put into the poison queue.
 */
#include "support/host_queue.h"

#include "base/arena.h"
#include "support/process.h"
#include "support/program.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HIDE_S = 600,
    FIRST_WAIT_MS = 100,
    TICK_MS = 10,
    LARGEST = 4 * 1024 * 1024,
    TRIES = 4,
    FIRST_PAUSE_MS = 800
};

/* One message on its way; owns its memory and the copy of what was taken. */
struct host_flight {
    struct host_queue *queue;
    struct storage_message message;
    struct arena mem;
};

static bool put_into_poison(struct host_queue *queue, const struct storage_message *message,
                            struct arena *mem)
{
    const char *from = queue->plan.function->queue;
    const char *poison = joined(mem, from, "-poison", (char *)NULL);
    printf("[host] %s %.*s goes to %s after %lld dequeues\n", queue->plan.function->name,
           (int)message->id.len, message->id.at, poison, message->dequeues);
    fflush(stdout);
    return storage_create(&queue->storage, poison)
           && storage_put(&queue->storage, poison, message->raw, 0)
           && storage_remove(&queue->storage, from, message);
}

enum fate { FATE_DONE, FATE_AGAIN, FATE_POISON };

static bool settle_once(struct host_queue *queue, const struct storage_message *message,
                        enum fate fate, struct arena *mem)
{
    const char *from = queue->plan.function->queue;
    if (fate == FATE_POISON)
        return put_into_poison(queue, message, mem);
    if (fate == FATE_DONE)
        return storage_remove(&queue->storage, from, message);
    return storage_hide(&queue->storage, from, message, queue->plan.queues->visibility_ms / 1000);
}

/* As often as .NET's client tries; after that the message shows itself in ten minutes. */
static void settle(struct host_queue *queue, const struct storage_message *message, enum fate fate,
                   struct arena *mem)
{
    for (int i = 0; i < TRIES && !settle_once(queue, message, fate, mem); i++)
        process_sleep_ms(i + 1 < TRIES ? FIRST_PAUSE_MS << i : 0);
}

/* What is not encoded as host.json says is never tried. */
static enum fate fate_of(struct host_queue *queue, const struct storage_message *message,
                         struct arena *mem)
{
    const struct host_queue_plan *plan = &queue->plan;
    int most = plan->queues->max_dequeue_count;
    if (message->text.at == NULL || message->dequeues > most)
        return FATE_POISON;
    if (plan->deliver(plan->user, plan->function, message, mem))
        return FATE_DONE;
    return message->dequeues >= most ? FATE_POISON : FATE_AGAIN;
}

static void *fly(void *user)
{
    struct host_flight *flight = user;
    struct host_queue *queue = flight->queue;
    struct storage_message *message = &flight->message;
    if (!queue->plan.queues->is_base64)
        message->text = message->raw;
    settle(queue, message, fate_of(queue, message, &flight->mem), &flight->mem);
    arena_drop(&flight->mem);
    free(flight);
    atomic_fetch_sub(&queue->in_flight, 1);
    return NULL;
}

static void start_flight(struct host_queue *queue, const struct storage_message *from)
{
    pthread_t thread;
    struct host_flight *flight = calloc(1, sizeof *flight);
    if (flight == NULL)
        abort();
    flight->queue = queue;
    arena_init(&flight->mem, LARGEST);
    flight->message = (struct storage_message){
        .id = view_keep(from->id, &flight->mem),
        .pop = view_keep(from->pop, &flight->mem),
        .raw = view_keep(from->raw, &flight->mem),
        .text = from->text.at != NULL ? view_keep(from->text, &flight->mem) : from->text,
        .inserted = view_keep(from->inserted, &flight->mem),
        .expires = view_keep(from->expires, &flight->mem),
        .visible = view_keep(from->visible, &flight->mem),
        .dequeues = from->dequeues,
    };
    atomic_fetch_add(&queue->in_flight, 1);
    if (pthread_create(&thread, NULL, fly, flight) != 0)
        abort();
    pthread_detach(thread);
}

/* How many messages came. */
static size_t take_batch(struct host_queue *queue)
{
    struct arena mem;
    struct storage_batch batch = { 0 };
    arena_init(&mem, STORAGE_MOST_TAKEN * (size_t)LARGEST);
    bool ok =
        storage_take(&queue->storage, queue->plan.function->queue, queue->plan.queues->batch_size,
                     queue->plan.hide_s > 0 ? queue->plan.hide_s : HIDE_S, &mem, &batch);
    for (size_t i = 0; ok && i < batch.count; i++)
        start_flight(queue, &batch.at[i]);
    arena_drop(&mem);
    return ok ? batch.count : 0;
}

static void wait_for(const struct host_queue *queue, long long wait_ms)
{
    for (long long until = process_now_ms() + wait_ms;
         process_now_ms() < until && !atomic_load(&queue->is_ending);)
        process_sleep_ms(TICK_MS);
}

/* An empty queue is asked ever less often. */
static void *poll_queue(void *user)
{
    struct host_queue *queue = user;
    long long wait_ms = FIRST_WAIT_MS;
    while (!atomic_load(&queue->is_ending)) {
        if (atomic_load(&queue->in_flight) > queue->plan.queues->new_batch_threshold) {
            process_sleep_ms(TICK_MS);
        } else if (take_batch(queue) > 0) {
            wait_ms = FIRST_WAIT_MS;
        } else {
            wait_for(queue, wait_ms);
            wait_ms = 2 * wait_ms;
            if (wait_ms > queue->plan.queues->max_polling_ms)
                wait_ms = queue->plan.queues->max_polling_ms;
        }
    }
    return NULL;
}

bool host_queue_start(struct host_queue *queue, const struct host_queue_plan *plan,
                      struct text *why)
{
    const char *variable = plan->function->connection;
    *queue = (struct host_queue){ .plan = *plan };
    if (!storage_read(view_of(getenv(variable)), &queue->storage)) {
        text_add_string(why, variable);
        text_add_string(why, " is no connection string of a storage on http://127.0.0.1, which "
                             "the queue trigger of this stand-in needs: ");
        text_add_string(why, plan->function->name);
        return false;
    }
    if (pthread_create(&queue->poller, NULL, poll_queue, queue) == 0)
        return true;
    text_add_string(why, "no thread can be started");
    return false;
}

void host_queue_end(struct host_queue *queue)
{
    atomic_store(&queue->is_ending, true);
}

void host_queue_stop(struct host_queue *queue)
{
    host_queue_end(queue);
    pthread_join(queue->poller, NULL);
    while (atomic_load(&queue->in_flight) > 0)
        process_sleep_ms(TICK_MS);
}
