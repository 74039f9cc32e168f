/*
 * Reads an app's files as strictly as the host and Core Tools do where a mistake would keep the app
 * from starting, and leaves everything else alone: unknown members are no mistake there either.
 */
#include "support/host_app.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/process.h"
#include "support/program.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_PORT = 7071,
    DEFAULT_CALL_MS = 30 * 60 * 1000,
    DEFAULT_START_MS = 30 * 1000,
    MAX_FUNCTIONS = 64
};

/* Where we are reading, for complaints. */
struct reading {
    const char *path;
    struct arena *mem;
    struct text *why;
    struct host_app *app;
};

static bool refuse(struct reading *in, const char *sentence, struct view what)
{
    text_add_string(in->why, in->path);
    text_add_string(in->why, ": ");
    text_add_string(in->why, sentence);
    text_add(in->why, what);
    return false;
}

static struct view kept(const struct cJSON *node, struct arena *mem)
{
    return view_keep(json_text(node), mem);
}

/* Parses a file that is there. */
static bool read_json(struct reading *in, struct json *out)
{
    struct failure failure = { 0 };
    struct view text = process_read_file(in->path, in->mem);
    if (text.len == 0)
        return refuse(in, "is missing or empty", VIEW(""));
    if (!json_read(text, in->mem, out, &failure))
        return refuse(in, "is not JSON: ", view_of(failure.detail));
    if (json_kind(out->root) == JSON_OBJECT)
        return true;
    json_free(out);
    return refuse(in, "is not a JSON object", VIEW(""));
}

/* "hh:mm:ss" in milliseconds; -1 is "never", as a day here. */
static bool read_span(struct reading *in, const struct cJSON *node, long long fallback_ms,
                      long long *out)
{
    struct view text = json_text(node);
    struct view hours;
    struct view minutes;
    long long h;
    long long m;
    long long s;
    *out = fallback_ms;
    if (json_kind(node) == JSON_ABSENT)
        return true;
    if (view_equal(text, VIEW("-1"))) {
        *out = 24LL * 3600 * 1000;
        return true;
    }
    if (!view_cut(text, ':', &hours, &text) || !view_cut(text, ':', &minutes, &text)
        || !view_to_number(hours, 0, 24, &h) || !view_to_number(minutes, 0, 59, &m)
        || !view_to_number(text, 0, 59, &s))
        return refuse(in, "a time is not hh:mm:ss: ", json_as_text(node, in->mem));
    *out = ((h * 60 + m) * 60 + s) * 1000;
    return true;
}

static struct view without_slashes(struct view path)
{
    while (path.len > 0 && path.at[0] == '/')
        path = view_skip(path, 1);
    while (path.len > 0 && path.at[path.len - 1] == '/')
        path.len--;
    return path;
}

/* --- host.json -------------------------------------------------------------------------------- */

/* A relative path counts from the app root, where the real host falls back to PATH. */
static bool read_command(struct reading *in, const struct cJSON *description)
{
    struct view path = kept(json_at(description, "defaultExecutablePath"), in->mem);
    const struct cJSON *argument = json_first(json_at(description, "arguments"));
    size_t count = 0;
    if (path.len == 0)
        return refuse(in, "customHandler.description.defaultExecutablePath is missing", VIEW(""));
    for (const struct cJSON *a = argument; a != NULL; a = json_next(a))
        count++;
    const char **argv = arena_get_array(in->mem, count + 2, sizeof *argv);
    if (argv == NULL)
        return refuse(in, "no memory", VIEW(""));
    argv[0] =
        path.at[0] == '/' ? path.at : joined(in->mem, in->app->root, "/", path.at, (char *)NULL);
    for (size_t i = 1; argument != NULL; argument = json_next(argument))
        argv[i++] = kept(argument, in->mem).at;
    in->app->argv = argv;
    if (access(argv[0], X_OK) != 0)
        return refuse(in, "defaultExecutablePath cannot be executed: ", view_of(argv[0]));
    return true;
}

static void read_http(struct reading *in, const struct cJSON *http)
{
    const struct cJSON *prefix = json_at(http, "routePrefix");
    double limit = json_number(json_at(http, "maxConcurrentRequests"));
    in->app->prefix =
        json_kind(prefix) == JSON_TEXT ? without_slashes(kept(prefix, in->mem)) : VIEW("api");
    in->app->max_concurrent = limit >= 1 && limit < 1e6 ? (int)limit : 0;
}

static bool read_count(struct reading *in, const struct cJSON *object, const char *name,
                       long long min, long long max, long long fallback, int *out)
{
    const struct cJSON *node = json_at(object, name);
    long long number = fallback;
    if (json_kind(node) != JSON_ABSENT
        && !view_to_number(json_as_text(node, in->mem), min, max, &number))
        return refuse(in, "a number of extensions.queues is out of range: ", view_of(name));
    *out = (int)number;
    return true;
}

/* The defaults of the real host, but for the threshold: half a batch, as on one core. */
static bool read_queues(struct reading *in, const struct cJSON *queues)
{
    struct host_queues *out = &in->app->queues;
    struct view encoding = json_text(json_at(queues, "messageEncoding"));
    *out = (struct host_queues){ .is_base64 = !view_equal_fold(encoding, VIEW("none")) };
    if (!read_count(in, queues, "batchSize", 1, 32, 16, &out->batch_size)
        || !read_count(in, queues, "newBatchThreshold", 0, 1000, out->batch_size / 2,
                       &out->new_batch_threshold)
        || !read_count(in, queues, "maxDequeueCount", 1, 100000, 5, &out->max_dequeue_count))
        return false;
    return read_span(in, json_at(queues, "visibilityTimeout"), 0, &out->visibility_ms)
           && read_span(in, json_at(queues, "maxPollingInterval"), 60 * 1000, &out->max_polling_ms);
}

static bool read_host_json(struct reading *in, const struct cJSON *root)
{
    const struct cJSON *handler = json_at(root, "customHandler");
    if (!view_equal(json_text(json_at(root, "version")), VIEW("2.0")))
        return refuse(in, "\"version\" must be \"2.0\"", VIEW(""));
    if (!read_command(in, json_at(handler, "description")))
        return false;
    in->app->is_forwarding = json_is_true(json_at(handler, "enableForwardingHttpRequest"));
    in->app->is_proxying = json_is_true(json_at(handler, "enableProxyingHttpRequest"));
    read_http(in, json_at(root, "extensions.http"));
    return read_queues(in, json_at(root, "extensions.queues"))
           && read_span(in, json_at(root, "functionTimeout"), DEFAULT_CALL_MS, &in->app->call_ms)
           && read_span(in, json_at(handler, "initializationTimeout"), DEFAULT_START_MS,
                        &in->app->start_ms);
}

/* --- function.json ---------------------------------------------------------------------------- */

static bool read_trigger(struct reading *in, const struct cJSON *trigger, struct host_function *out)
{
    const struct cJSON *route = json_at(trigger, "route");
    const struct cJSON *method = json_first(json_at(trigger, "methods"));
    out->trigger = kept(json_at(trigger, "name"), in->mem);
    out->route =
        json_text(route).len > 0 ? without_slashes(kept(route, in->mem)) : view_of(out->name);
    out->wants_key = !view_equal_fold(json_text(json_at(trigger, "authLevel")), VIEW("anonymous"));
    if (view_contains(out->route, VIEW("{")))
        return refuse(in, "routes with parameters are not played here: ", out->route);
    for (const struct cJSON *m = method; m != NULL; m = json_next(m))
        out->method_count++;
    out->methods = arena_get_array(in->mem, out->method_count, sizeof *out->methods);
    for (size_t i = 0; out->methods != NULL && method != NULL; method = json_next(method))
        out->methods[i++] = kept(method, in->mem);
    return out->methods != NULL || refuse(in, "no memory", VIEW(""));
}

static bool read_queue_trigger(struct reading *in, const struct cJSON *trigger,
                               struct host_function *out)
{
    struct view connection = kept(json_at(trigger, "connection"), in->mem);
    out->trigger = kept(json_at(trigger, "name"), in->mem);
    out->queue = kept(json_at(trigger, "queueName"), in->mem).at;
    out->connection = connection.len > 0 ? connection.at : "AzureWebJobsStorage";
    return (out->trigger.len > 0 && out->queue != NULL && out->queue[0] != '\0')
           || refuse(in, "a queue trigger without name or queueName", VIEW(""));
}

/* A function without one of the two triggers is left out: nothing here could call it. */
static bool read_function(struct reading *in, const struct cJSON *root, const char *name)
{
    struct host_function function = { .name = name };
    const struct cJSON *trigger = NULL;
    const struct cJSON *queue = NULL;
    const struct cJSON *binding = json_first(json_at(root, "bindings"));
    size_t inputs = 0;
    size_t outputs = 0;
    for (; binding != NULL; binding = json_next(binding)) {
        struct view type = json_text(json_at(binding, "type"));
        bool is_out = view_equal_fold(json_text(json_at(binding, "direction")), VIEW("out"));
        inputs += is_out ? 0 : 1;
        outputs += is_out ? 1 : 0;
        if (!is_out && view_equal_fold(type, VIEW("httpTrigger")))
            trigger = binding;
        if (!is_out && view_equal_fold(type, VIEW("queueTrigger")))
            queue = binding;
        if (is_out && view_equal_fold(type, VIEW("http")))
            function.result = kept(json_at(binding, "name"), in->mem);
    }
    if (trigger == NULL && queue == NULL)
        return true;
    function.is_plain = trigger != NULL && inputs == 1 && outputs == 1 && function.result.len > 0;
    if (in->app->function_count == MAX_FUNCTIONS)
        return refuse(in, "too many functions", VIEW(""));
    if (!(trigger != NULL ? read_trigger(in, trigger, &function)
                          : read_queue_trigger(in, queue, &function)))
        return false;
    in->app->functions[in->app->function_count++] = function;
    return true;
}

static bool read_folder(struct reading *in, const char *folder)
{
    struct json json = { 0 };
    const char *name = view_keep(view_of(folder), in->mem).at;
    in->path = joined(in->mem, in->app->root, "/", folder, "/function.json", (char *)NULL);
    if (name == NULL || access(in->path, F_OK) != 0)
        return true;
    if (!read_json(in, &json))
        return false;
    bool ok = read_function(in, json.root, name);
    json_free(&json);
    return ok;
}

static bool read_functions(struct reading *in)
{
    struct dirent *entry;
    bool ok = true;
    in->app->functions = arena_get_array(in->mem, MAX_FUNCTIONS, sizeof *in->app->functions);
    DIR *folder = opendir(in->app->root);
    if (folder == NULL || in->app->functions == NULL)
        ok = refuse(in, "the app root cannot be read", VIEW(""));
    while (ok && (entry = readdir(folder)) != NULL)
        ok = entry->d_name[0] == '.' || read_folder(in, entry->d_name);
    if (folder != NULL)
        closedir(folder);
    in->path = in->app->root;
    if (ok && in->app->function_count == 0)
        ok = refuse(in, "holds no function with an HTTP or queue trigger", VIEW(""));
    return ok;
}

/* --- local.settings.json ---------------------------------------------------------------------- */

static bool read_values(struct reading *in, const struct cJSON *values)
{
    size_t count = 0;
    for (const struct cJSON *v = json_first(values); v != NULL; v = json_next(v))
        count++;
    in->app->values = arena_get_array(in->mem, count, sizeof *in->app->values);
    if (in->app->values == NULL)
        return refuse(in, "no memory", VIEW(""));
    for (const struct cJSON *v = json_first(values); v != NULL; v = json_next(v)) {
        if (json_kind(v) != JSON_TEXT)
            return refuse(in, "each of Values must be a string, unlike ", json_key(v));
        in->app->values[in->app->value_count++] = (struct host_value){
            .name = view_keep(json_key(v), in->mem).at,
            .value = kept(v, in->mem).at,
        };
    }
    return true;
}

static bool read_settings(struct reading *in, const struct cJSON *root)
{
    double port = json_number(json_at(root, "Host.LocalHttpPort"));
    const struct cJSON *encrypted = json_at(root, "IsEncrypted");
    if (json_kind(encrypted) != JSON_BOOL || json_is_true(encrypted))
        return refuse(in, "IsEncrypted must be there and false", VIEW(""));
    if (port >= 1 && port <= 65535)
        in->app->port = (int)port;
    return read_values(in, json_at(root, "Values"));
}

static bool read_local_settings(struct reading *in)
{
    struct json json = { 0 };
    in->path = joined(in->mem, in->app->root, "/local.settings.json", (char *)NULL);
    if (access(in->path, F_OK) != 0)
        in->path = joined(in->mem, in->path, ".example", (char *)NULL);
    if (access(in->path, F_OK) != 0)
        return true;
    if (!read_json(in, &json))
        return false;
    bool ok = read_settings(in, json.root);
    json_free(&json);
    return ok;
}

bool host_app_read(const char *root, struct arena *mem, struct host_app *out, struct text *why)
{
    struct reading in = { .mem = mem, .why = why, .app = out };
    struct json json = { 0 };
    *out = (struct host_app){ .root = root, .port = DEFAULT_PORT };
    in.path = joined(mem, root, "/host.json", (char *)NULL);
    if (!read_json(&in, &json))
        return false;
    bool ok = read_host_json(&in, json.root);
    json_free(&json);
    return ok && read_functions(&in) && read_local_settings(&in);
}
