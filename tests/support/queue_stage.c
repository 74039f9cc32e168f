/* Whatever is waited for is asked again and again: how long it takes decides nothing. */
#include "support/queue_stage.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/match.h"
#include "support/player.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ASK_AGAIN_MS = 100, CALL_MS = 60000, END_MS = 20000, NEVER = 100000 };

/* --- the app -------------------------------------------------------------------------------------- */

static const char host_json[] =
    "{ \"version\": \"2.0\", \"functionTimeout\": \"00:02:00\",\n"
    "  \"extensions\": {\n"
    "    \"http\": { \"routePrefix\": \"api\" },\n"
    "    \"queues\": { \"batchSize\": 8, \"newBatchThreshold\": 4,\n"
    "                \"visibilityTimeout\": \"00:00:01\", \"maxPollingInterval\": \"00:00:01\",\n"
    "                \"maxDequeueCount\": %d } },\n"
    "  \"customHandler\": {\n"
    "    \"description\": { \"defaultExecutablePath\": \"bin/handler\" },\n"
    "    \"enableForwardingHttpRequest\": true, \"enableProxyingHttpRequest\": true } }\n";

static bool copy_file(struct e2e *e2e, const char *from, const char *to)
{
    const char *path = joined(e2e->mem, e2e->site->root, "/", from, (char *)NULL);
    struct view content = process_read_file(path, e2e->mem);
    return (content.len > 0 && process_write_file(to, content))
           || complain(e2e->why, "cannot be copied into the app root", view_of(path));
}

/* The two functions as they are deployed; only host.json has shorter times. */
static bool fill_root(struct e2e *e2e, const struct queue_plan *plan, const char *root)
{
    char host[1024];
    static const char *const folders[] = { "/bin", "/trigger-devin", "/retry-devin" };
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        mkdir(joined(e2e->mem, root, folders[i], (char *)NULL), 0700);
    snprintf(host, sizeof host, host_json,
             plan->max_dequeue_count > 0 ? plan->max_dequeue_count : NEVER);
    return process_write_file(joined(e2e->mem, root, "/host.json", (char *)NULL), view_of(host))
           && copy_file(e2e, "trigger-devin/function.json",
                        joined(e2e->mem, root, "/trigger-devin/function.json", (char *)NULL))
           && copy_file(e2e, "deploy/package/retry-devin/function.json",
                        joined(e2e->mem, root, "/retry-devin/function.json", (char *)NULL))
           && symlink(e2e->site->handler, joined(e2e->mem, root, "/bin/handler", (char *)NULL))
                  == 0;
}

static bool make_root(struct e2e *e2e, const struct queue_plan *plan, struct queue_stage *out)
{
    out->root = process_make_folder("app", e2e->mem);
    return out->root != NULL && fill_root(e2e, plan, out->root);
}

static void set_environment(struct e2e *e2e, const struct queue_plan *plan, struct queue_stage *out)
{
    struct view lines = view_of(plan->settings);
    struct view line;
    struct view name;
    struct view value;
    out->env = env_basics(e2e->mem);
    player_defaults(&out->env, out->devin.port);
    env_set(&out->env, VIEW("QUEUE"), VIEW("on"));
    env_set(&out->env, VIEW("QUEUE_HIDE_S"), VIEW("10"));
    env_set(&out->env, VIEW("DEVIN_TIMEOUT_MS"), VIEW("1000"));
    env_set(&out->env, VIEW("AzureWebJobsStorage"),
            storage_connection(out->azurite.port, e2e->mem));
    while (lines_next(&lines, &line))
        if (view_starts(line, VIEW("-")))
            env_unset(&out->env, view_trim(view_skip(line, 1)));
        else if (lines_pair(line, '=', &name, &value))
            env_set(&out->env, name, value);
}

static bool start_host(struct e2e *e2e, const struct queue_plan *queue_plan,
                       struct queue_stage *out)
{
    char port[16];
    char hide_s[16];
    int number = process_free_port();
    snprintf(port, sizeof port, "%d", number);
    snprintf(hide_s, sizeof hide_s, "%d", queue_plan->hide_s > 0 ? queue_plan->hide_s : 600);
    const char *argv[] = { e2e->site->host, "--root", out->root,      "--port", port,
                           "--hide-s",      hide_s,   "--max-errors", "60000",  NULL };
    const struct program_plan plan = {
        .argv = argv, .env = &out->env, .port = number, .is_heard = true
    };
    return program_start(&plan, &out->app, e2e->why);
}

static bool start_app(struct e2e *e2e, const struct queue_plan *plan, struct queue_stage *out)
{
    set_environment(e2e, plan, out);
    if (!plan->is_hosted)
        return program_start_handler(e2e->site, &out->env, &out->app, e2e->why);
    return make_root(e2e, plan, out) && start_host(e2e, plan, out);
}

bool queue_stage_up(struct e2e *e2e, const struct queue_plan *plan, struct queue_stage *out)
{
    *out = (struct queue_stage){ .is_hosted = plan->is_hosted, .is_guest = plan->beside != NULL };
    if (plan->beside != NULL) {
        out->azurite = plan->beside->azurite;
        out->devin = plan->beside->devin;
        return start_app(e2e, plan, out);
    }
    return azurite_start(e2e, plan->is_secure, &out->azurite)
           && program_start_devin(e2e->site, 0, &out->devin, e2e->why) && start_app(e2e, plan, out);
}

/* --- ends ----------------------------------------------------------------------------------------- */

static bool end_app(struct e2e *e2e, struct queue_stage *stage, const char *allowed)
{
    if (stage->app.process.pid == 0)
        return true;
    bool ok = program_end(&stage->app, SIGTERM, END_MS, e2e->why);
    struct view err = program_err(&stage->app, e2e->mem);
    if (!stage->is_hosted && err.len > 0
        && (allowed == NULL || !view_contains(err, view_of(allowed))))
        ok = complain(e2e->why, "the handler's stderr", err);
    if (!stage->is_hosted)
        ok = player_log_is_sound(program_out(&stage->app, e2e->mem), e2e->mem, e2e->why) && ok;
    return ok;
}

bool queue_stage_down(struct e2e *e2e, struct queue_stage *stage, const char *allowed)
{
    bool ok = end_app(e2e, stage, allowed);
    if (e2e->why->len > 0 && stage->app.out != NULL) {
        complain(e2e->why, "what was said", program_out(&stage->app, e2e->mem));
        complain(e2e->why, "and on stderr", program_err(&stage->app, e2e->mem));
    }
    program_forget(&stage->app);
    if (stage->is_guest)
        return ok;
    if (stage->devin.process.pid != 0)
        process_end(&stage->devin.process, SIGTERM, END_MS);
    program_forget(&stage->devin);
    return azurite_end(e2e, &stage->azurite) && ok;
}

bool queue_stage_kill(struct e2e *e2e, struct queue_stage *stage)
{
    pid_t pid = process_child(stage->app.process.pid);
    return (pid > 0 && kill(pid, SIGKILL) == 0)
           || complain(e2e->why, "the host has no handler to kill", VIEW(""));
}

/* --- alerts --------------------------------------------------------------------------------------- */

bool queue_stage_post(const struct queue_stage *stage, const char *name, struct arena *mem,
                      struct http_answer *out)
{
    struct e2e alone = { .mem = mem };
    return http_call(stage->app.port, e2e_alert(&alone, "/api/trigger-devin", name), CALL_MS, mem,
                     out);
}

bool queue_stage_is(struct e2e *e2e, const struct queue_stage *stage, const char *name, int status,
                    const char *words)
{
    struct http_answer answer = { 0 };
    if (!queue_stage_post(stage, name, e2e->mem, &answer))
        return complain(e2e->why, "no answer to", view_of(name));
    if (answer.status == status && view_contains(answer.body, view_of(words)))
        return true;
    complain(e2e->why, "wanted in the answer", view_of(words));
    complain(e2e->why, "its head", answer.head);
    return complain(e2e->why, "its body", answer.body);
}

/* --- what is there -------------------------------------------------------------------------------- */

/* What await() asks for. */
struct question {
    struct e2e *e2e;
    const struct queue_stage *stage;
    const char *words;
};

static bool await(const struct question *question, int (*ask)(const struct question *question),
                  const char *of_what, int wanted)
{
    char words[128];
    int seen = ask(question);
    for (long long until = process_now_ms() + QUEUE_PATIENCE_MS;
         seen != wanted && process_now_ms() < until; seen = ask(question))
        process_sleep_ms(ASK_AGAIN_MS);
    snprintf(words, sizeof words, "%s: %d, wanted: %d", of_what, seen, wanted);
    return seen == wanted || complain(question->e2e->why, words, view_of(question->words));
}

static int ask_queue(const struct question *question)
{
    return storage_count(&question->stage->azurite.storage, question->words);
}

bool queue_stage_holds(struct e2e *e2e, const struct queue_stage *stage, const char *queue,
                       int count)
{
    return await(&(struct question){ e2e, stage, queue }, ask_queue, "messages", count);
}

static int ask_sessions(const struct question *question)
{
    return queue_stage_sessions(question->e2e, question->stage);
}

bool queue_stage_has_sessions(struct e2e *e2e, const struct queue_stage *stage, int count)
{
    return await(&(struct question){ e2e, stage, "Devin" }, ask_sessions, "sessions", count);
}

static int ask_lines(const struct question *question)
{
    return queue_stage_lines(question->e2e, question->stage, question->words);
}

bool queue_stage_has_said(struct e2e *e2e, const struct queue_stage *stage, const char *words,
                          int count)
{
    return await(&(struct question){ e2e, stage, words }, ask_lines, "lines", count);
}

int queue_stage_sessions(struct e2e *e2e, const struct queue_stage *stage)
{
    struct json sessions = { 0 };
    struct arena mem;
    int count = -1;
    (void)e2e;
    arena_init(&mem, 256 * 1024 * 1024);
    if (control_sessions(stage->devin.port, &mem, &sessions)) {
        count = (int)json_number(json_at(sessions.root, "count"));
        json_free(&sessions);
    }
    arena_drop(&mem);
    return count;
}

int queue_stage_creates(struct e2e *e2e, const struct queue_stage *stage)
{
    struct json calls = { 0 };
    int count = 0;
    if (!control_calls(stage->devin.port, e2e->mem, &calls))
        return -1;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    for (; call != NULL; call = control_next_create(json_next(call)))
        count++;
    json_free(&calls);
    return count;
}

static int count_lines(struct view said, const char *words)
{
    struct view line;
    int count = 0;
    while (lines_next(&said, &line))
        count += view_contains(line, view_of(words));
    return count;
}

int queue_stage_lines(struct e2e *e2e, const struct queue_stage *stage, const char *words)
{
    struct arena mem;
    (void)e2e;
    arena_init(&mem, 256 * 1024 * 1024);
    int count = count_lines(program_out(&stage->app, &mem), words)
                + count_lines(program_err(&stage->app, &mem), words);
    arena_drop(&mem);
    return count;
}

bool queue_stage_devin_goes(struct e2e *e2e, const struct queue_stage *stage, bool is_gone)
{
    return control_options(stage->devin.port,
                           is_gone ? VIEW("{\"gone\":true}") : VIEW("{\"gone\":false}"))
           || complain(e2e->why, "the Devin stand-in does not take an option", VIEW(""));
}

bool queue_stage_take(struct e2e *e2e, const struct queue_stage *stage, const char *queue,
                      size_t count, struct storage_batch *out)
{
    static struct storage_batch some;
    out->count = 0;
    for (long long until = process_now_ms() + QUEUE_PATIENCE_MS;
         out->count < count && process_now_ms() < until; process_sleep_ms(ASK_AGAIN_MS)) {
        if (!storage_take(&stage->azurite.storage, queue, STORAGE_MOST_TAKEN, 600, e2e->mem, &some))
            continue;
        for (size_t i = 0; i < some.count && out->count < COUNT_OF(out->at); i++)
            out->at[out->count++] = some.at[i];
    }
    return out->count == count
           || complain(e2e->why, "not as many messages as there should be in", view_of(queue));
}
