/* Request and answer are those of App Service's endpoint, api-version 2019-08-01. */
#include "support/identity.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/http.h"
#include "support/process.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

enum { AN_HOUR_S = 3600, LARGEST = 64 * 1024 };

#define TENANT "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/"

/* base64 as tokens have it: two other characters, no padding. */
static void add_part(struct text *token, struct view json, struct arena *mem)
{
    unsigned char *text = arena_get(mem, (json.len / 3 + 1) * 4 + 1);
    if (text == NULL)
        return;
    EVP_EncodeBlock(text, (const unsigned char *)json.at, (int)json.len);
    for (; *text != '\0' && *text != '='; text++)
        text_add_char(token, *text == '+' ? '-' : *text == '/' ? '_' : (char)*text);
}

static struct view make_token(long long now_s, long long until_s, struct arena *mem)
{
    struct text claims = text_in(mem, LARGEST);
    struct json_writer to = { .to = &claims };
    json_open(&to, NULL, '{');
    json_put_text(&to, "aud", VIEW("https://storage.azure.com/"));
    json_put_text(&to, "iss", VIEW(TENANT));
    json_put_number(&to, "iat", now_s - 5);
    json_put_number(&to, "nbf", now_s - 5);
    json_put_number(&to, "exp", until_s);
    json_put_text(&to, "oid", VIEW("11059fcc-5514-4800-b5f8-49808b9cfab6"));
    json_close(&to, '}');
    struct text token = text_in(mem, LARGEST);
    add_part(&token, VIEW("{\"typ\":\"JWT\",\"alg\":\"RS256\"}"), mem);
    text_add_char(&token, '.');
    add_part(&token, text_view(&claims), mem);
    text_add_string(&token, ".bm90IHNpZ25lZA");
    return text_view(&token);
}

static struct view success(const struct identity *identity, struct arena *mem)
{
    long long now_s = (long long)time(NULL);
    long long until_s = now_s + atomic_load(&identity->lasts_s);
    struct text number = text_in(mem, 32);
    struct text body = text_in(mem, LARGEST);
    struct json_writer to = { .to = &body };
    text_add_number(&number, until_s);
    json_open(&to, NULL, '{');
    json_put_text(&to, "access_token", make_token(now_s, until_s, mem));
    json_put_text(&to, "expires_on", text_view(&number)); /* a string, so the platform has it */
    json_put_text(&to, "resource", VIEW("https://storage.azure.com/"));
    json_put_text(&to, "token_type", VIEW("Bearer"));
    json_put_text(&to, "client_id", VIEW("5E29463D-71DA-4FE0-8E69-999B57DB23B0"));
    json_close(&to, '}');
    return text_view(&body);
}

/* Path, resource, api-version and the header that an outsider cannot know. */
static bool is_sound(struct view head)
{
    return view_starts(head, VIEW("GET /msi/token?"))
           && view_contains(head, VIEW("api-version=2019-08-01"))
           && (view_contains(head, VIEW("resource=https://storage.azure.com/"))
               || view_contains(head, VIEW("resource=https%3A%2F%2Fstorage.azure.com%2F")))
           && (view_contains(head, VIEW("X-IDENTITY-HEADER: " IDENTITY_SECRET "\r\n"))
               || view_contains(head, VIEW("x-identity-header: " IDENTITY_SECRET "\r\n")));
}

static void answer(int fd, const char *status, struct view body, struct arena *mem)
{
    struct text text = text_in(mem, LARGEST);
    text_add_string(&text, "HTTP/1.1 ");
    text_add_string(&text, status);
    text_add_string(&text, "\r\nContent-Type: application/json; charset=utf-8\r\n"
                           "Connection: close\r\nContent-Length: ");
    text_add_number(&text, (long long)body.len);
    text_add_string(&text, "\r\n\r\n");
    text_add(&text, body);
    http_send(fd, text_view(&text));
}

static bool takes_fault(struct identity *identity)
{
    int left = atomic_load(&identity->fails);
    while (left > 0)
        if (atomic_compare_exchange_weak(&identity->fails, &left, left - 1))
            return true;
    return false;
}

static void note_most(struct identity *identity, int now)
{
    int most = atomic_load(&identity->most_at_once);
    while (now > most && !atomic_compare_exchange_weak(&identity->most_at_once, &most, now))
        continue;
}

static void serve(void *user, int fd)
{
    struct identity *identity = user;
    struct view head = { 0 };
    struct arena mem;
    arena_init(&mem, 1024 * 1024);
    note_most(identity, atomic_fetch_add(&identity->at_once, 1) + 1);
    if (listener_read_head(fd, &mem, &head)) {
        bool ok = is_sound(head);
        atomic_fetch_add(ok ? &identity->asked : &identity->refused, 1);
        process_sleep_ms(atomic_load(&identity->delay_ms));
        if (!ok)
            answer(fd, "401 Unauthorized", VIEW("{\"statusCode\":401}"), &mem);
        else if (takes_fault(identity))
            answer(fd, "500 Internal Server Error", VIEW("{\"statusCode\":500}"), &mem);
        else
            answer(fd, "200 OK", success(identity, &mem), &mem);
    }
    atomic_fetch_sub(&identity->at_once, 1);
    arena_drop(&mem);
}

bool identity_start(struct identity *identity)
{
    atomic_store(&identity->lasts_s, AN_HOUR_S * 24);
    return listener_start(&identity->listener, serve, identity);
}

void identity_stop(struct identity *identity)
{
    listener_stop(&identity->listener);
}

struct view identity_url(const struct identity *identity, struct arena *mem)
{
    struct text text = text_in(mem, 256);
    text_add_string(&text, "http://127.0.0.1:");
    text_add_number(&text, identity->listener.port);
    text_add_string(&text, "/msi/token");
    return text_view(&text);
}
