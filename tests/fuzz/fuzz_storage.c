/* What the storage and the identity endpoint answer, and connection strings. */
#include "edge/credential.h"
#include "edge/queue_answer.h"
#include "edge/storage.h"
#include "fuzz/fuzz.h"

enum { NOW_S = 1700000000 };

static bool is_plain(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* With less memory they are the same messages, or none. */
static void claim_frugal(struct view bytes, size_t ceiling, const struct queue_messages *wanted)
{
    struct arena mem;
    struct queue_messages got;
    arena_init(&mem, ceiling);
    if (queue_answer_read(bytes, &mem, &got)) {
        CLAIM(got.count == wanted->count);
        for (size_t i = 0; i < got.count; i++)
            CLAIM(view_equal(got.items[i].text, wanted->items[i].text)
                  && view_equal(got.items[i].pop, wanted->items[i].pop));
    }
    arena_drop(&mem);
}

static void claim_messages(struct view bytes, struct arena *mem)
{
    struct queue_messages messages;
    size_t before = mem->used;
    if (!queue_answer_read(bytes, mem, &messages))
        return;
    size_t used = mem->used - before;
    CLAIM(messages.count <= MAX_MESSAGES);
    for (size_t i = 0; i < messages.count; i++) {
        CLAIM(queue_is_id(messages.items[i].id) && is_plain(messages.items[i].id));
        CLAIM(messages.items[i].pop.len <= 1024);
        CLAIM(messages.items[i].text.len <= bytes.len);
        CLAIM(messages.items[i].dequeue_count >= 0);
    }
    claim_frugal(bytes, used, &messages);
    claim_frugal(bytes, used * (bytes.at[bytes.len / 2] & 0xFF) / 256, &messages);
}

static void claim_token(struct view bytes, struct arena *mem)
{
    struct token token;
    if (credential_read(bytes, NOW_S, mem, &token))
        CLAIM(token.text.len > 0 && is_plain(token.text) && token.expires_s > NOW_S);
}

static void claim_account(struct view bytes, struct arena *mem)
{
    const struct storage_settings settings = { .connection = bytes };
    const struct storage_parameter parameters[] = { { "popreceipt", bytes } };
    const struct storage_request request = { "DELETE",   VIEW("/triage/messages/1"),
                                             parameters, 1,
                                             { 0 },      NULL };
    struct account account;
    struct storage_fault fault;
    struct fetch fetch;
    if (!storage_account(&settings, mem, &account, &fault)) {
        CLAIM(fault.setting != NULL && fault.problem != NULL);
        return;
    }
    CLAIM(account.key.len > 0 && account.name.len > 0 && is_plain(account.name));
    CLAIM(is_plain(account.queue_url) && !view_contains(account.queue_url, VIEW("@")));
    if (!storage_write(&account, &request, (struct view){ 0 }, NOW_S, mem, &fetch))
        return;
    CLAIM(is_plain(fetch.url));
    for (size_t i = 0; i < fetch.header_count; i++)
        CLAIM(!view_contains(fetch.headers[i].value, VIEW("\n")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct view answer = { (const char *)bytes, size };
    struct arena mem;
    arena_init(&mem, FUZZ_BYTES);
    claim_messages(answer, &mem);
    (void)queue_answer_code(answer);
    claim_token(answer, &mem);
    claim_account(answer, &mem);
    arena_drop(&mem);
    return 0;
}
