/*
 * One lock.  Whoever finds the token due renews it without the lock; the others are let through
 * while the old one is valid, and wait when it is not.  A renewal that fails leaves the old one.
 */
#include "edge/credential.h"

#include "base/arena.h"
#include "base/json.h"
#include "edge/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION "2019-08-01"
#define RESOURCE    "https://storage.azure.com/"

enum {
    MAX_TOKEN_BYTES = 16 * 1024,
    RENEWAL_BYTES = 256 * 1024,
    EARLY_TIMEOUT_MS = 1000, /* of a renewal that can wait */
    AGAIN_S = 30,            /* after one that failed, or gave no longer life */
    UNSTATED_LIFE_S = 300
};

struct credential {
    pthread_mutex_t lock;
    pthread_cond_t renewed;
    struct token_source source;
    char *token; /* NULL: none */
    long long expires_s;
    long long due_s; /* from then on it is renewed */
    bool is_renewing;
    unsigned long renewals; /* that ended, well or not */
    struct failure why;     /* of the last one, when it failed */
};

/* --- the platform's endpoint ------------------------------------------------------------------ */

bool credential_write(const struct account *account, struct arena *mem, struct fetch *out)
{
    struct header *headers = arena_get(mem, sizeof *headers);
    struct text url = text_in(mem, 4096);
    if (headers == NULL)
        return false;
    text_add(&url, account->identity_endpoint);
    text_add_char(&url, view_contains(account->identity_endpoint, VIEW("?")) ? '&' : '?');
    text_add_string(&url, "resource=");
    text_add_escaped(&url, VIEW(RESOURCE));
    text_add_string(&url, "&api-version=" API_VERSION);
    if (account->client_id.len > 0) {
        text_add_string(&url, "&client_id=");
        text_add_escaped(&url, account->client_id);
    }
    *headers = (struct header){ VIEW("X-IDENTITY-HEADER"), account->identity_header };
    *out = (struct fetch){
        .method = "GET", .url = text_view(&url), .headers = headers, .header_count = 1
    };
    return text_ok(&url);
}

/* It goes into a header line. */
static bool is_token(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return text.len > 0 && text.len <= MAX_TOKEN_BYTES;
}

/* A number, or a number in quotes; other versions of the endpoint write a date. */
static long long seconds_of(const struct cJSON *node)
{
    enum { MOST_SECONDS = 2000000000 };
    long long seconds = 0;
    if (json_kind(node) == JSON_TEXT)
        (void)view_to_number(json_text(node), 0, MOST_SECONDS * 2LL, &seconds);
    double number = json_number(node);
    return number >= 1 && number <= MOST_SECONDS * 2.0 ? (long long)number : seconds;
}

bool credential_read(struct view bytes, long long now_s, struct arena *mem, struct token *out)
{
    struct json json = { 0 };
    struct failure why;
    if (!json_read(bytes, mem, &json, &why))
        return false;
    long long expires_s = seconds_of(json_at(json.root, "expires_on"));
    long long life_s = seconds_of(json_at(json.root, "expires_in"));
    if (expires_s == 0)
        expires_s = now_s + (life_s > 0 ? life_s : UNSTATED_LIFE_S);
    struct view text = json_text(json_at(json.root, "access_token"));
    *out = (struct token){ .text = view_keep(text, mem), .expires_s = expires_s };
    json_free(&json);
    return is_token(out->text) && expires_s > now_s;
}

/* --- the token -------------------------------------------------------------------------------- */

struct credential *credential_start(const struct token_source *source)
{
    struct credential *credential = calloc(1, sizeof *credential);
    pthread_condattr_t attributes;
    if (credential == NULL)
        return NULL;
    credential->source = *source;
    pthread_mutex_init(&credential->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&credential->renewed, &attributes);
    pthread_condattr_destroy(&attributes);
    return credential;
}

/* Under the lock, or with nobody else left. */
static void drop_token(struct credential *credential)
{
    free(credential->token);
    credential->token = NULL;
    credential->expires_s = 0;
    credential->due_s = 0;
}

void credential_stop(struct credential *credential)
{
    drop_token(credential);
    pthread_cond_destroy(&credential->renewed);
    pthread_mutex_destroy(&credential->lock);
    free(credential);
}

/* Under the lock. */
static bool is_valid(const struct credential *credential, long long now_s)
{
    return credential->token != NULL && now_s < credential->expires_s;
}

static bool keep_token(struct credential *credential, const struct token *token, long long now_s)
{
    char *copy = malloc(token->text.len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, token->text.at, token->text.len);
    copy[token->text.len] = '\0';
    drop_token(credential);
    credential->token = copy;
    credential->expires_s = token->expires_s;
    credential->due_s = now_s + (token->expires_s - now_s) / 2;
    return true;
}

/* Under the lock, which is given up while the source is asked. */
static void renew(struct credential *credential, long long now_s, long long timeout_ms)
{
    struct arena mem;
    struct token token = { 0 };
    struct failure why = { 0 };
    bool can_wait = is_valid(credential, now_s);
    arena_init(&mem, RENEWAL_BYTES);
    credential->is_renewing = true;
    pthread_mutex_unlock(&credential->lock);
    long long patience_ms =
        can_wait && timeout_ms > EARLY_TIMEOUT_MS ? EARLY_TIMEOUT_MS : timeout_ms;
    bool is_had =
        credential->source.fetch(credential->source.state, patience_ms, &mem, &token, &why);
    pthread_mutex_lock(&credential->lock);
    if (is_had && !keep_token(credential, &token, now_s))
        is_had = fail(&why, FAIL_STORE_DOWN, "no memory for the identity's token");
    if (!is_had)
        credential->why = why;
    if (credential->due_s < now_s + AGAIN_S)
        credential->due_s = now_s + AGAIN_S;
    credential->renewals++;
    credential->is_renewing = false;
    pthread_cond_broadcast(&credential->renewed);
    arena_drop(&mem);
}

/* Under the lock: until the renewal that is under way has ended, well or not. */
static void await_renewal(struct credential *credential, long long timeout_ms)
{
    long long until_ms = clock_now_ms() + timeout_ms;
    unsigned long seen = credential->renewals;
    const struct timespec until = { until_ms / 1000, (long)(until_ms % 1000) * 1000000 };
    fail_because(&credential->why, FAIL_STORE_DOWN,
                 VIEW("The identity endpoint did not answer in time"));
    while (credential->renewals == seen && clock_now_ms() < until_ms)
        pthread_cond_timedwait(&credential->renewed, &credential->lock, &until);
}

bool credential_token(struct credential *credential, long long now_s, long long timeout_ms,
                      struct arena *mem, struct view *out, struct failure *why)
{
    pthread_mutex_lock(&credential->lock);
    bool is_due = !is_valid(credential, now_s) || now_s >= credential->due_s;
    if (is_due && !credential->is_renewing)
        renew(credential, now_s, timeout_ms);
    else if (!is_valid(credential, now_s))
        await_renewal(credential, timeout_ms);
    bool is_had = is_valid(credential, now_s);
    if (is_had)
        *out = view_keep(view_of(credential->token), mem);
    else
        *why = credential->why;
    pthread_mutex_unlock(&credential->lock);
    if (is_had && out->at == NULL)
        return fail(why, FAIL_INTERNAL, "no memory for a token");
    return is_had;
}

void credential_forget(struct credential *credential, struct view token)
{
    pthread_mutex_lock(&credential->lock);
    if (credential->token != NULL && view_equal(view_of(credential->token), token))
        drop_token(credential);
    pthread_mutex_unlock(&credential->lock);
}
