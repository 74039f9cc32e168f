/*
 * The app's managed identity: a token that lives for hours, asked for once and kept.  It is renewed
 * at half of its life, by one at a time, while the others go on with the old one.
 *
 * Owns:     credential_start() gives what credential_stop() ends; tokens handed out live in the arena.
 * Units:    seconds since 1970 for a token's life, milliseconds for patience.
 * Fails:    credential_token() when there is no valid token and none could be had in time.
 * Threads:  any number may ask at once; start and stop from one, with nobody inside.
 *
 * Source: learn.microsoft.com, azure/app-service/overview-managed-identity, "REST endpoint reference".
 */
#ifndef EDGE_CREDENTIAL_H
#define EDGE_CREDENTIAL_H

#include "base/failure.h"
#include "base/text.h"
#include "edge/storage.h"

struct token {
    struct view text;
    long long expires_s;
};

/* Where tokens come from. */
struct token_source {
    void *state;
    bool (*fetch)(void *state, long long timeout_ms, struct arena *mem, struct token *out,
                  struct failure *why);
};

struct credential;

struct credential *credential_start(const struct token_source *source);
void credential_stop(struct credential *credential);

bool credential_token(struct credential *credential, long long now_s, long long timeout_ms,
                      struct arena *mem, struct view *out, struct failure *why) MUST_CHECK;

/* It was refused: the next one who asks gets another. */
void credential_forget(struct credential *credential, struct view token);

/* --- the platform's endpoint ------------------------------------------------------------------ */

/* What to ask it, and what its answer says at that moment. */
bool credential_write(const struct account *account, struct arena *mem,
                      struct fetch *out) MUST_CHECK;
bool credential_read(struct view json, long long now_s, struct arena *mem,
                     struct token *out) MUST_CHECK;

#endif
