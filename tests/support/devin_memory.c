/* Ids look like real ones but come in the same order after each reset, so that tests repeat. */
#include "support/devin_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum {
    WORKING_READS = 2, /* the next one finds the session finished */
    MAX_TITLE_BYTES = 80
};

static const struct options defaults = {
    .org_id = { "org-0123456789abcdef0123456789abcdef", 36 },
    .bare_ids = true,
};

static const long long FIRST_SESSION_ID = 1707228000000;

/* What an organization has that followed our README: the default playbook, pushed. */
#define USUAL_PLAYBOOK_ID "playbook-0123456789abcdef0123456789abcdef"

void memory_forget(struct memory *memory)
{
    for (struct session *s = memory->newest; s != NULL; s = s->older)
        json_free(&s->request);
    arena_drop(&memory->mem);
    *memory = (struct memory){ .options = defaults };
    arena_init(&memory->mem, SIZE_MAX / 2);
    struct playbook *usual = memory_add_playbook(memory, VIEW(USUAL_PLAYBOOK_ID));
    if (usual != NULL)
        usual->title = VIEW("devin-triage-workflow");
}

long long memory_now_us(void)
{
    struct timespec clock;
    clock_gettime(CLOCK_REALTIME, &clock);
    return (long long)clock.tv_sec * 1000000 + clock.tv_nsec / 1000;
}

/* --- ids ---------------------------------------------------------------------------------- */

/* FNV-1a. */
static size_t bucket_of(struct view bytes)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.at[i]) * 1099511628211u;
    return hash % MEMORY_BUCKETS;
}

/* Half an id: a number that looks like any other and never comes twice (splitmix64). */
static uint64_t scatter(uint64_t n)
{
    n *= 0x9E3779B97F4A7C15u;
    n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9u;
    n = (n ^ (n >> 27)) * 0x94D049BB133111EBu;
    return n ^ (n >> 31);
}

static struct view hex_id(struct memory *memory, const char *prefix, uint64_t number)
{
    char id[64];
    snprintf(id, sizeof id, "%s%016" PRIx64 "%016" PRIx64, prefix, scatter(2 * number - 1),
             scatter(2 * number));
    return view_keep(view_of(id), &memory->mem);
}

static struct view session_id(struct memory *memory, int number)
{
    char id[64];
    if (!memory->options.session_ids)
        return hex_id(memory, "", (uint64_t)number);
    snprintf(id, sizeof id, "session_%lld", FIRST_SESSION_ID + number - 1);
    return view_keep(view_of(id), &memory->mem);
}

/* --- sessions ----------------------------------------------------------------------------- */

bool memory_add_message(struct memory *memory, struct session *session, struct view text)
{
    struct message *message = arena_get(&memory->mem, sizeof *message);
    if (message == NULL)
        return false;
    message->text = view_keep(text, &memory->mem);
    message->time_us = memory_now_us();
    message->number = ++session->message_count;
    *(session->first == NULL ? &session->first : &session->last->next) = message;
    session->last = message;
    session->updated_us = message->time_us;
    session->reads = 0;
    session->is_scripted = false;
    return message->text.at != NULL;
}

bool memory_add_payload(struct memory *memory, struct session *session, struct view text,
                        struct view action)
{
    struct payload *payload = arena_get(&memory->mem, sizeof *payload);
    if (payload == NULL)
        return false;
    payload->text = view_keep(text, &memory->mem);
    payload->action = view_keep(action, &memory->mem);
    payload->time_us = memory_now_us();
    *(session->first_payload == NULL ? &session->first_payload : &session->last_payload->next) =
        payload;
    session->last_payload = payload;
    return payload->text.at != NULL && payload->action.at != NULL;
}

static bool has_tag(const struct session *session, struct view tag)
{
    for (size_t i = 0; i < session->tag_count; i++)
        if (view_equal(session->tags[i], tag))
            return true;
    return false;
}

bool memory_add_tags(struct memory *memory, struct session *session, const struct cJSON *list)
{
    for (const struct cJSON *item = json_first(list); item != NULL; item = json_next(item)) {
        if (has_tag(session, json_text(item)))
            continue;
        if (session->tag_count == MOST_TAGS)
            return false;
        session->tags[session->tag_count++] = view_keep(json_text(item), &memory->mem);
    }
    return true;
}

/* A title that was not given is the prompt's first line: the real ones are made up by Devin. */
static struct view title_of(const struct cJSON *request)
{
    struct view title = json_text(json_at(request, "title")), rest;
    if (title.len == 0)
        view_cut(json_text(json_at(request, "prompt")), '\n', &title, &rest);
    return view_cap(title, MAX_TITLE_BYTES);
}

static void link_session(struct memory *memory, struct session *session)
{
    struct session **body = &memory->bodies[bucket_of(session->body)];
    struct session **id = &memory->ids[bucket_of(session->id)];
    session->same_body = *body;
    session->same_id = *id;
    *body = *id = session;
    session->older = memory->newest;
    *(memory->newest == NULL ? &memory->oldest : &memory->newest->newer) = session;
    memory->newest = session;
    memory->session_count++;
}

struct session *memory_add_session(struct memory *memory, enum api api, struct view org,
                                   struct json *request, struct view body)
{
    struct session *session = arena_get(&memory->mem, sizeof *session);
    if (session == NULL)
        return NULL;
    session->api = api;
    session->number = memory->session_count + 1;
    session->id = session_id(memory, session->number);
    session->org = view_keep(org, &memory->mem);
    session->body = body;
    if (!memory_add_message(memory, session, json_text(json_at(request->root, "prompt")))
        || session->id.at == NULL)
        return NULL;
    session->created_us = session->updated_us;
    session->request = *request;
    request->root = NULL;
    session->title = title_of(session->request.root);
    memory_add_tags(memory, session, json_at(session->request.root, "tags"));
    link_session(memory, session);
    return session;
}

struct session *memory_same_session(struct memory *memory, struct view body)
{
    struct session *session = memory->bodies[bucket_of(body)];
    while (session != NULL && !view_equal(session->body, body))
        session = session->same_body;
    return session;
}

struct session *memory_find_session(struct memory *memory, struct view id)
{
    struct view bare = view_skip(id, view_starts(id, VIEW("devin-")) ? 6 : 0);
    struct session *session = memory->ids[bucket_of(bare)];
    while (session != NULL && !view_equal(session->id, bare))
        session = session->same_id;
    return session;
}

struct state memory_state(const struct session *session)
{
    bool is_done = session->reads > WORKING_READS;
    if (session->is_scripted)
        return session->script;
    if (session->api == API_V1)
        return (struct state){
            .status = is_done ? VIEW("finished") : VIEW("running"),
            .status_enum = is_done ? VIEW("finished") : VIEW("working"),
        };
    if (session->reads == 0 && session->message_count == 1)
        return (struct state){ .status = VIEW("new") };
    return (struct state){ .status = VIEW("running"),
                           .detail = is_done ? VIEW("finished") : VIEW("working") };
}

/* --- playbooks ---------------------------------------------------------------------------- */

struct playbook *memory_add_playbook(struct memory *memory, struct view id)
{
    struct playbook *playbook = arena_get(&memory->mem, sizeof *playbook);
    struct playbook **end = &memory->first_playbook;
    if (playbook == NULL)
        return NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = playbook;
    playbook->number = ++memory->playbook_count;
    playbook->id = id.len > 0 ? view_keep(id, &memory->mem)
                              : hex_id(memory, "playbook-", 1000000 + (uint64_t)playbook->number);
    playbook->created_us = memory_now_us();
    return playbook->id.at != NULL ? playbook : NULL;
}

bool memory_fill_playbook(struct memory *memory, struct playbook *playbook,
                          const struct cJSON *from)
{
    playbook->title = view_keep(json_text(json_at(from, "title")), &memory->mem);
    playbook->body = view_keep(json_text(json_at(from, "body")), &memory->mem);
    playbook->macro = view_keep(json_text(json_at(from, "macro")), &memory->mem);
    playbook->updated_us = memory_now_us();
    return playbook->title.at != NULL && playbook->body.at != NULL && playbook->macro.at != NULL;
}

struct playbook *memory_find_playbook(struct memory *memory, struct view id)
{
    struct playbook *playbook = memory->first_playbook;
    while (playbook != NULL && !view_equal(playbook->id, id))
        playbook = playbook->next;
    return playbook;
}
