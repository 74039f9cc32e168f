/*
 * A small client of Azure's queue storage over plain HTTP on 127.0.0.1, as Azurite speaks it: what
 * the Functions host stand-in polls with and what tests look into queues with.
 *
 * Owns:     nothing; what is read lives in the arena.
 * Units:    seconds, as the service counts.
 * Fails:    with false.
 * Threads:  any; a connection is made for each call.
 */
#ifndef SUPPORT_STORAGE_H
#define SUPPORT_STORAGE_H

#include "base/text.h"

struct arena;

/* Azurite's own account, which the whole world knows. */
#define STORAGE_ACCOUNT "devstoreaccount1"
#define STORAGE_KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

enum { STORAGE_MOST_TAKEN = 32 };

struct storage {
    int port;
    struct view account, key; /* the key in base64, as connection strings hold it */
};

/* Of a connection string with UseDevelopmentStorage=true or a QueueEndpoint on 127.0.0.1. */
bool storage_read(struct view connection, struct storage *out);

/* The connection string of an Azurite on that port. */
struct view storage_connection(int port, struct arena *mem);

struct storage_message {
    struct view id, pop;
    struct view raw;                        /* as it lies there */
    struct view text;                       /* decoded from base64; absent when it is not base64 */
    struct view inserted, expires, visible; /* "Fri, 26 Jun 2015 23:39:12 GMT" */
    long long dequeues;
};

struct storage_batch {
    struct storage_message at[STORAGE_MOST_TAKEN];
    size_t count;
};

/* Also true when the queue is there already. */
bool storage_create(const struct storage *storage, const char *queue);

/* `raw` is stored as it is. */
bool storage_put(const struct storage *storage, const char *queue, struct view raw,
                 long long hide_s);

/* `text` is stored in base64. */
bool storage_put_text(const struct storage *storage, const char *queue, struct view text,
                      long long hide_s);

/* A queue that is not there is empty. */
bool storage_take(const struct storage *storage, const char *queue, int most, long long hide_s,
                  struct arena *mem, struct storage_batch *out);
bool storage_peek(const struct storage *storage, const char *queue, struct arena *mem,
                  struct storage_batch *out);

/* Visible again in `hide_s`; the receipt is spent then.  Both true also when it is no longer there. */
bool storage_hide(const struct storage *storage, const char *queue,
                  const struct storage_message *message, long long hide_s);
bool storage_remove(const struct storage *storage, const char *queue,
                    const struct storage_message *message);

/* Hidden ones too; 0 for a queue that is not there, -1 when the service does not say. */
int storage_count(const struct storage *storage, const char *queue);

#endif
