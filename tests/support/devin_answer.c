/* Which call it is, who may make it, what a fault does to it, and the note that is kept of it. */
#include "support/devin_exchange.h"
#include "support/process.h"

#include <civetweb.h>

enum { NAP_MS = 20 };

/* --- routes ------------------------------------------------------------------------------- */

static bool path_matches(struct view path, struct view pattern, struct view *id, struct view *org)
{
    bool has_more = true, wants_more = true;
    while (has_more && wants_more) {
        struct view segment, wanted;
        has_more = view_cut(path, '/', &segment, &path);
        wants_more = view_cut(pattern, '/', &wanted, &pattern);
        if (view_equal(wanted, VIEW("{id}")) && segment.len > 0)
            *id = segment;
        else if (view_equal(wanted, VIEW("{org}")) && segment.len > 0)
            *org = segment;
        else if (!view_equal(wanted, segment))
            return false;
    }
    return has_more == wants_more;
}

/* NULL: answered 404 or 405. */
static const struct devin_route *route_find(struct exchange *ex)
{
    static const struct devin_route *const lists[] = { devin_v1_routes, devin_v3_routes,
                                                       devin_control_routes, devin_page_routes };
    bool is_path_known = false;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        for (const struct devin_route *r = lists[i]; r->method != NULL; r++) {
            if (!path_matches(ex->path, view_of(r->pattern), &ex->id, &ex->org))
                continue;
            if (view_equal(view_of(r->method), ex->method))
                return r;
            is_path_known = true;
        }
    exchange_refuse(ex, is_path_known ? 405 : 404,
                    is_path_known ? "Method Not Allowed" : "Not Found");
    return NULL;
}

/* --- who may call --------------------------------------------------------------------------- */

static struct view key_of(const struct exchange *ex)
{
    struct view scheme, key;
    bool has_key = view_cut(ex->authorization, ' ', &scheme, &key);
    return has_key && view_equal_fold(scheme, VIEW("Bearer")) ? key : (struct view){ 0 };
}

/* What may be told of a key: "apk", "cog", "other" or "none". */
static const char *bearer_of(const struct exchange *ex)
{
    struct view key = key_of(ex);
    return key.len == 0                     ? "none"
           : view_starts(key, VIEW("apk_")) ? "apk"
           : view_starts(key, VIEW("cog_")) ? "cog"
                                            : "other";
}

static bool is_authorized(const struct exchange *ex)
{
    struct view key = key_of(ex), wanted = ex->devin->key;
    struct view kind = ex->api == API_V3 ? VIEW("cog_") : VIEW("apk_");
    return view_starts(key, kind) && (wanted.len == 0 || view_equal(key, wanted));
}

/* 403 for the other version's key or organization, 401 for what is no key at all. */
static bool may_call(struct exchange *ex)
{
    struct view org_id = ex->devin->memory.options.org_id;
    bool is_other_version =
        view_starts(key_of(ex), ex->api == API_V3 ? VIEW("apk_") : VIEW("cog_"));
    bool is_other_org = org_id.len > 0 && !view_equal(ex->org, org_id);
    if (is_other_version)
        exchange_refuse(ex, 403,
                        ex->api == API_V3 ? "This key is not valid for the v3 API"
                                          : "This key is not valid for the v1 API");
    else if (!is_authorized(ex))
        exchange_refuse(ex, 401, "Unauthorized");
    else if (ex->org.len > 0 && is_other_org)
        exchange_refuse(ex, 403, "Not a member of this organization");
    else
        return true;
    return false;
}

static void run(struct exchange *ex)
{
    const struct devin_route *route = route_find(ex);
    if (route != NULL && (ex->api == API_NONE || may_call(ex)))
        route->handle(ex);
}

/* --- faults ------------------------------------------------------------------------------- */

/*
 * Whether "POST /v1/sessions" names the call: the method and how the path begins.  A `*` stands
 * for one segment, and after a final `$` nothing follows.
 */
static bool fault_is_for(const struct fault *fault, const struct exchange *ex)
{
    struct view method, pattern, path = ex->path, wanted, segment;
    bool wants_more = true;
    if (fault->on.len == 0)
        return true;
    if (!view_cut(fault->on, ' ', &method, &pattern) || !view_equal(method, ex->method))
        return false;
    bool is_whole = pattern.len > 0 && pattern.at[pattern.len - 1] == '$';
    pattern.len -= is_whole ? 1 : 0;
    bool has_more = true;
    while (has_more && wants_more) {
        wants_more = view_cut(pattern, '/', &wanted, &pattern);
        has_more = view_cut(path, '/', &segment, &path);
        bool is_last = !wants_more && !is_whole;
        bool is_same = is_last ? view_starts(segment, wanted) : view_equal(segment, wanted);
        if (!is_same && !view_equal(wanted, VIEW("*")))
            return false;
    }
    return !wants_more && (!is_whole || !has_more);
}

/* What the options alone make of a call: busy, broken, gone, the last two also after it was done. */
static struct fault chance_fault(struct memory *memory)
{
    static const struct fault kinds[] = {
        { .status = 429 },
        { .status = 503 },
        { .drop = true },
        { .status = 500, .after = true },
        { .drop = true, .after = true },
    };
    if (memory->options.is_gone)
        return (struct fault){ .drop = true };
    memory->chance = memory->chance * 1103515245u + 12345u;
    unsigned roll = memory->chance >> 16;
    if (roll % 100 >= (unsigned)memory->options.fail_percent)
        return (struct fault){ 0 };
    return kinds[roll / 100 % COUNT_OF(kinds)];
}

static struct fault next_fault(struct memory *memory, const struct exchange *ex)
{
    struct fault **at = &memory->first_fault;
    while (*at != NULL && !fault_is_for(*at, ex))
        at = &(*at)->next;
    if (*at == NULL)
        return chance_fault(memory);
    struct fault *found = *at;
    if (--found->repeat == 0)
        *at = found->next;
    return *found;
}

static bool replaces_answer(const struct fault *fault)
{
    return fault->drop || fault->garbage || fault->bytes > 0 || fault->has_body
           || fault->status >= 300;
}

static void spoil(struct exchange *ex)
{
    const struct fault *fault = &ex->fault;
    int status = fault->status != 0 ? fault->status : 200;
    if (!replaces_answer(fault)) {
        if (fault->status != 0 && ex->status == 200)
            ex->status = fault->status;
        return;
    }
    exchange_refuse(ex, status, mg_get_response_code_text(NULL, status));
    if (fault->drop)
        ex->status = 0;
    else if (!fault->garbage && fault->bytes == 0 && !fault->has_body)
        return;
    ex->out.len = 0;
    if (fault->garbage)
        text_add_string(&ex->out, "{\"session_id\": <\x01\xff not JSON");
    else if (fault->has_body)
        text_add(&ex->out, fault->body);
    text_add_repeated(&ex->out, 'x', (size_t)fault->bytes);
}

/* --- one request -------------------------------------------------------------------------- */

static struct call *note_call(struct exchange *ex)
{
    struct memory *memory = &ex->devin->memory;
    struct call *call = arena_get(&memory->mem, sizeof *call);
    if (call == NULL)
        return NULL;
    *call = (struct call){
        .method = view_keep(ex->method, &memory->mem),
        .path = view_keep(ex->path, &memory->mem),
        .query = view_keep(ex->query, &memory->mem),
        .content_type = view_keep(ex->content_type, &memory->mem),
        .body = view_keep(ex->body, &memory->mem),
        .bearer = bearer_of(ex),
        .is_authorized = is_authorized(ex),
    };
    *(memory->first_call == NULL ? &memory->first_call : &memory->last_call->next) = call;
    memory->last_call = call;
    return call;
}

static void answer_api(struct exchange *ex)
{
    ex->resets = ex->devin->resets;
    ex->call = note_call(ex);
    ex->fault = next_fault(&ex->devin->memory, ex);
    ex->fault.on = VIEW("");
    ex->fault.body = view_keep(ex->fault.body, &ex->mem);
    ex->fault.retry_after = view_keep(ex->fault.retry_after, &ex->mem);
    ex->fault.location = view_keep(ex->fault.location, &ex->mem);
    if (ex->call == NULL)
        exchange_refuse_memory(ex);
    else if (!replaces_answer(&ex->fault) || ex->fault.after)
        run(ex);
    spoil(ex);
}

static void nap(const struct exchange *ex)
{
    long long until = process_now_ms() + ex->fault.delay_ms, left;
    while ((left = until - process_now_ms()) > 0 && !atomic_load(&ex->devin->is_ending))
        process_sleep_ms(left < NAP_MS ? (int)left : NAP_MS);
}

static enum api api_of(struct view path)
{
    return view_starts(path, VIEW("/v1/"))   ? API_V1
           : view_starts(path, VIEW("/v3/")) ? API_V3
                                             : API_NONE;
}

/* What was asked is done before the delay: a client that hangs up cannot undo it. */
void exchange_answer(struct exchange *ex)
{
    struct devin *devin = ex->devin;
    ex->api = api_of(ex->path);
    exchange_start(ex, 200);
    pthread_mutex_lock(&devin->lock);
    if (ex->api != API_NONE)
        answer_api(ex);
    else
        run(ex);
    pthread_mutex_unlock(&devin->lock);

    nap(ex);

    pthread_mutex_lock(&devin->lock);
    if (ex->call != NULL && ex->resets == devin->resets)
        ex->call->status = ex->status;
    pthread_mutex_unlock(&devin->lock);
}
