/* Four ways to present a secret, one way to compare it. */
#include "edge/caller.h"

#include "base/arena.h"
#include "base/digest.h"

static bool is_right(const struct caller_settings *settings, struct view presented)
{
    bool is_current = digest_same(settings->secret, presented);
    bool is_previous = settings->previous.len > 0 && digest_same(settings->previous, presented);
    return presented.len > 0 && (is_current || is_previous);
}

/* What stands behind "Bearer " or "Basic "; empty when the header speaks another scheme. */
static struct view credentials(struct view header, struct view scheme)
{
    return view_starts_fold(header, scheme) ? view_trim(view_skip(header, scheme.len))
                                            : (struct view){ 0 };
}

/* "user:password" in base64; any user will do. */
static struct view basic_password(struct view header, struct arena *mem)
{
    struct view decoded = { 0 };
    struct view user;
    struct view password;
    if (!base64_decode(credentials(header, VIEW("Basic ")), mem, &decoded))
        return (struct view){ 0 };
    view_cut(decoded, ':', &user, &password);
    return password;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Percent and plus decoding; a stray percent sign stands for itself. */
static struct view decode(struct view encoded, struct arena *mem)
{
    struct text text = text_in(mem, encoded.len + 1);
    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.at[i];
        int high = i + 2 < encoded.len ? hex_digit(encoded.at[i + 1]) : -1;
        int low = i + 2 < encoded.len ? hex_digit(encoded.at[i + 2]) : -1;
        if (c == '%' && high >= 0 && low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        text_add_char(&text, c);
    }
    return text_view(&text);
}

static struct view query_parameter(struct view query, struct view name, struct arena *mem)
{
    while (query.len > 0) {
        struct view pair;
        struct view key;
        struct view value;
        view_cut(query, '&', &pair, &query);
        view_cut(pair, '=', &key, &value);
        if (view_equal_fold(key, name))
            return decode(value, mem);
    }
    return (struct view){ 0 };
}

bool caller_check(const struct caller_settings *settings, const struct request *request,
                  struct arena *mem, struct failure *why)
{
    if (settings->secret.len == 0)
        return true;
    struct view authorization = request_header(request, "Authorization");
    struct view presented[] = {
        credentials(authorization, VIEW("Bearer ")),
        basic_password(authorization, mem),
        request_header(request, "X-Webhook-Secret"),
        query_parameter(request->query, VIEW("token"), mem),
    };
    for (size_t i = 0; i < COUNT_OF(presented); i++)
        if (is_right(settings, presented[i]))
            return true;
    if (!arena_ok(mem))
        return fail(why, FAIL_INTERNAL, "no memory left to read what was presented");
    return fail(why, FAIL_UNAUTHORIZED, "no right secret was presented");
}

bool caller_wants_dry_run(const struct request *request, struct arena *mem)
{
    struct view value = query_parameter(request->query, VIEW("dryRun"), mem);
    return view_equal(value, VIEW("1")) || view_equal_fold(value, VIEW("true"));
}
