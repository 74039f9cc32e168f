/*
 * Connection strings, and the two ways to prove who we are: SharedKey (an HMAC over the request) and
 * a token.  A SharedAccessSignature is refused: it cannot create a queue that is missing, and it ends.
 */
#include "edge/storage.h"

#include "base/arena.h"
#include "base/digest.h"

#include <time.h>

#define CONNECTION      "AzureWebJobsStorage"
#define STORAGE_VERSION "2021-12-02"
#define XML_TYPE        "application/xml"

/* The emulator's account, the same on every machine and no secret (see Azurite's README). */
#define DEVELOPMENT_NAME "devstoreaccount1"
#define DEVELOPMENT_KEY                           \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ" \
    "6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define DEVELOPMENT_HOST "http://127.0.0.1"
#define DEVELOPMENT_PORT ":10001"

enum { MAX_URL_BYTES = 6 * 1024, MAX_SIGNED_BYTES = 8 * 1024, MAX_TOKEN_BYTES = 24 * 1024 };

/* --- settings --------------------------------------------------------------------------------- */

struct connection {
    struct view name, key, queue_endpoint, suffix, protocol, signature, is_development, proxy;
};

static void read_connection(struct view text, struct connection *out)
{
    const struct {
        struct view name;
        struct view *to;
    } parts[] = {
        { VIEW("AccountName"), &out->name },
        { VIEW("AccountKey"), &out->key },
        { VIEW("QueueEndpoint"), &out->queue_endpoint },
        { VIEW("EndpointSuffix"), &out->suffix },
        { VIEW("DefaultEndpointsProtocol"), &out->protocol },
        { VIEW("SharedAccessSignature"), &out->signature },
        { VIEW("UseDevelopmentStorage"), &out->is_development },
        { VIEW("DevelopmentStorageProxyUri"), &out->proxy },
    };
    *out = (struct connection){ 0 };
    while (text.len > 0) {
        struct view part;
        struct view name;
        struct view value;
        view_cut(text, ';', &part, &text);
        view_cut(part, '=', &name, &value);
        for (size_t i = 0; i < COUNT_OF(parts); i++)
            if (view_equal_fold(view_trim(name), parts[i].name))
                *parts[i].to = view_trim(value);
    }
}

/* Goes into a host name. */
static bool is_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')
            && c != '-')
            return false;
    }
    return name.len > 0 && name.len <= 63;
}

static struct view without_slash(struct view url)
{
    while (url.len > 0 && url.at[url.len - 1] == '/')
        url.len--;
    return url;
}

/* The emulator's key is no secret, so it may be reached in the clear wherever it is. */
static const char *url_problem(struct view url, struct view name)
{
    bool is_development = view_equal(name, VIEW(DEVELOPMENT_NAME));
    if (wire_url_problem(url) == NULL)
        return NULL;
    if (!is_development || !view_starts_fold(url, VIEW("http://")))
        return "names a queue service that is not a plain https:// URL";
    char buffer[1024];
    struct text safe = text_over(buffer, sizeof buffer);
    text_add_string(&safe, "https://");
    text_add(&safe, view_skip(url, sizeof "http://" - 1));
    return text_ok(&safe) && wire_url_problem(text_view(&safe)) == NULL
               ? NULL
               : "names a queue service that is not a plain URL";
}

/* "https://NAME.queue.SUFFIX" */
static struct view default_url(struct view protocol, struct view name, struct view suffix,
                               struct arena *mem)
{
    struct text url = text_in(mem, 1024);
    text_add(&url, protocol.len > 0 ? protocol : VIEW("https"));
    text_add_string(&url, "://");
    text_add(&url, name);
    text_add_string(&url, ".queue.");
    text_add(&url, suffix.len > 0 ? suffix : VIEW("core.windows.net"));
    return text_view(&url);
}

/* The proxy's host, with the port that the emulator's queues have. */
static struct view development_url(struct view proxy, struct arena *mem)
{
    struct text url = text_in(mem, 1024);
    struct view host = without_slash(proxy.len > 0 ? proxy : VIEW(DEVELOPMENT_HOST));
    size_t colon = host.len;
    while (colon > 0 && host.at[colon - 1] != ':' && host.at[colon - 1] != '/')
        colon--;
    if (colon > 0 && host.at[colon - 1] == ':')
        host.len = colon - 1;
    text_add(&url, host);
    text_add_string(&url, DEVELOPMENT_PORT "/" DEVELOPMENT_NAME);
    return text_view(&url);
}

static bool found(struct storage_fault *fault, const char *setting, const char *problem)
{
    *fault = (struct storage_fault){ setting, problem };
    return problem == NULL;
}

static bool read_account(struct view text, struct arena *mem, struct account *out,
                         struct storage_fault *fault)
{
    struct connection parts;
    read_connection(text, &parts);
    bool is_development = view_equal_fold(parts.is_development, VIEW("true"));
    if (is_development) {
        parts.name = VIEW(DEVELOPMENT_NAME);
        parts.key = VIEW(DEVELOPMENT_KEY);
        parts.queue_endpoint = development_url(parts.proxy, mem);
    }
    if (parts.signature.len > 0 && parts.key.len == 0)
        return found(fault, CONNECTION,
                     "holds a SharedAccessSignature: it must hold an AccountKey, or be replaced by "
                     "an identity (" CONNECTION "__accountName)");
    if (!is_name(parts.name))
        return found(fault, CONNECTION, "has no usable AccountName");
    if (!base64_decode(parts.key, mem, &out->key) || out->key.len == 0)
        return found(fault, CONNECTION, "has no AccountKey in base64");
    out->name = parts.name;
    out->queue_url = without_slash(
        parts.queue_endpoint.len > 0 ? parts.queue_endpoint
                                     : default_url(parts.protocol, parts.name, parts.suffix, mem));
    return found(fault, CONNECTION, url_problem(out->queue_url, out->name));
}

/* Without a bound on the host: it is the platform's own, and often a link-local address. */
static bool is_endpoint(struct view url)
{
    for (size_t i = 0; i < url.len; i++)
        if (url.at[i] <= ' ' || url.at[i] > '~' || url.at[i] == '#')
            return false;
    return view_starts_fold(url, VIEW("http://")) || view_starts_fold(url, VIEW("https://"));
}

static bool read_identity(const struct storage_settings *settings, struct arena *mem,
                          struct account *out, struct storage_fault *fault)
{
    bool is_named = settings->account_name.len > 0;
    const char *setting = is_named ? CONNECTION "__accountName" : CONNECTION "__queueServiceUri";
    if (is_named && !is_name(settings->account_name))
        return found(fault, setting, "must be the name of a storage account");
    out->name = settings->account_name;
    out->queue_url =
        without_slash(settings->queue_uri.len > 0
                          ? settings->queue_uri
                          : default_url((struct view){ 0 }, out->name, (struct view){ 0 }, mem));
    if (wire_url_problem(out->queue_url) != NULL)
        return found(fault, CONNECTION "__queueServiceUri", "must be a plain https:// URL");
    if (settings->credential.len > 0
        && !view_equal_fold(settings->credential, VIEW("managedidentity")))
        return found(fault, CONNECTION "__credential", "must be managedidentity");
    if (settings->identity_endpoint.len == 0 || settings->identity_header.len == 0)
        return found(fault, setting,
                     "needs a managed identity, and the platform offers none (IDENTITY_ENDPOINT "
                     "and IDENTITY_HEADER are not set): give the app one, or set " CONNECTION);
    if (!is_endpoint(settings->identity_endpoint))
        return found(fault, "IDENTITY_ENDPOINT", "must be a URL");
    out->client_id = settings->client_id;
    out->identity_endpoint = settings->identity_endpoint;
    out->identity_header = settings->identity_header;
    return true;
}

bool storage_is_set(const struct storage_settings *settings)
{
    return settings->connection.len > 0 || settings->account_name.len > 0
           || settings->queue_uri.len > 0;
}

/* The host prefers the connection string too. */
bool storage_account(const struct storage_settings *settings, struct arena *mem,
                     struct account *out, struct storage_fault *fault)
{
    *out = (struct account){ 0 };
    if (!storage_is_set(settings))
        return found(fault, CONNECTION, "is not set");
    return settings->connection.len > 0 ? read_account(settings->connection, mem, out, fault)
                                        : read_identity(settings, mem, out, fault);
}

/* --- requests --------------------------------------------------------------------------------- */

static void add_url(struct text *to, const struct account *account,
                    const struct storage_request *request)
{
    text_add(to, account->queue_url);
    text_add(to, request->path);
    for (size_t i = 0; i < request->parameter_count; i++) {
        text_add_char(to, i == 0 ? '?' : '&');
        text_add_string(to, request->parameters[i].name);
        text_add_char(to, '=');
        text_add_escaped(to, request->parameters[i].value);
    }
}

/* "Mon, 02 Jan 2006 15:04:05 GMT": the "C" locale is never left. */
static struct view date_of(long long now_s, struct arena *mem)
{
    enum { DATE_BYTES = 64 };
    char *date = arena_get(mem, DATE_BYTES);
    time_t now = (time_t)now_s;
    struct tm parts;
    if (date == NULL || gmtime_r(&now, &parts) == NULL)
        return (struct view){ 0 };
    return (struct view){ date, strftime(date, DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &parts) };
}

/* What stands behind the host: the emulator has the account's name there. */
static struct view path_of(struct view url)
{
    struct view host;
    struct view path;
    struct view rest = view_skip(url, view_starts_fold(url, VIEW("https://")) ? 8 : 7);
    if (!view_cut(rest, '/', &host, &path))
        return (struct view){ 0 };
    return (struct view){ path.at - 1, path.len + 1 };
}

/*
 * Twelve header lines of which we send two, then the x-ms- headers and the resource.  The account's
 * name comes before the path even where the path begins with it.
 */
static void add_string_to_sign(struct text *to, const struct account *account,
                               const struct storage_request *request, struct view date)
{
    text_add_string(to, request->method);
    text_add_string(to, "\n\n\n"); /* Content-Encoding, Content-Language */
    if (request->body.len > 0)
        text_add_number(to, (long long)request->body.len);
    text_add_string(to, "\n\n"); /* Content-MD5 */
    if (request->body.len > 0)
        text_add_string(to, XML_TYPE);
    text_add_string(to, "\n\n\n\n\n\n\n"); /* Date, four If- conditions, Range */
    text_add_string(to, "x-ms-date:");
    text_add(to, date);
    text_add_string(to, "\nx-ms-version:" STORAGE_VERSION "\n/");
    text_add(to, account->name);
    text_add(to, path_of(account->queue_url));
    text_add(to, request->path);
    for (size_t i = 0; i < request->parameter_count; i++) {
        text_add_char(to, '\n');
        text_add_string(to, request->parameters[i].name);
        text_add_char(to, ':');
        text_add(to, request->parameters[i].value);
    }
}

static void add_authorization(struct text *to, const struct account *account,
                              const struct storage_request *request, struct view date,
                              struct view token, struct arena *mem)
{
    if (account->key.len == 0) {
        text_add_string(to, "Bearer ");
        text_add(to, token);
        return;
    }
    struct text signed_text = text_in(mem, MAX_SIGNED_BYTES);
    add_string_to_sign(&signed_text, account, request, date);
    text_add_string(to, "SharedKey ");
    text_add(to, account->name);
    text_add_char(to, ':');
    digest_add_hmac(to, account->key, text_view(&signed_text));
    to->broken = to->broken || !text_ok(&signed_text);
}

bool storage_write(const struct account *account, const struct storage_request *request,
                   struct view token, long long now_s, struct arena *mem, struct fetch *out)
{
    enum { HEADERS = 4 };
    struct header *headers = arena_get_array(mem, HEADERS, sizeof *headers);
    struct text url = text_in(mem, MAX_URL_BYTES);
    struct text authorization = text_in(mem, MAX_TOKEN_BYTES);
    struct view date = date_of(now_s, mem);
    if (headers == NULL || date.len == 0)
        return false;
    add_url(&url, account, request);
    add_authorization(&authorization, account, request, date, token, mem);
    headers[0] = (struct header){ VIEW("x-ms-date"), date };
    headers[1] = (struct header){ VIEW("x-ms-version"), VIEW(STORAGE_VERSION) };
    headers[2] = (struct header){ VIEW("Authorization"), text_view(&authorization) };
    headers[3] = (struct header){ VIEW("Content-Type"), VIEW(XML_TYPE) };
    *out = (struct fetch){
        .method = request->method,
        .url = text_view(&url),
        .headers = headers,
        .header_count = request->body.len > 0 ? HEADERS : HEADERS - 1,
        .body = request->body,
        .asks_for = request->asks_for,
    };
    return text_ok(&url) && text_ok(&authorization);
}
