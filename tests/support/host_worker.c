/* One thread starts, watches and ends the process, so that nobody else has to ask whose it is. */
#include "support/host_worker.h"

#include "base/arena.h"
#include "support/http.h"
#include "support/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PING_MS = 25,
    TICK_MS = 5,
    MAX_ERRORS = 3,
    ERROR_WINDOW_MS = 30 * 60 * 1000,
    RESTART_PLEASE = 200, /* the exit code by which a handler asks for a restart */
    LAST_WORDS_MS = 500
};

extern char **environ;

void host_guid(char guid[HOST_GUID_SIZE])
{
    unsigned char b[16] = { 0 };
    FILE *random = fopen("/dev/urandom", "rbe");
    if (random == NULL || fread(b, 1, sizeof b, random) != sizeof b)
        abort();
    fclose(random);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    snprintf(guid, HOST_GUID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

/* --- what it says ----------------------------------------------------------------------------- */

struct relay {
    atomic_int *count;
    int fd;
    const char *mark;
};

/* Line by line to our stdout; a line without its end waits for it. */
static void *pass_lines_on(void *user)
{
    struct relay relay = *(struct relay *)user;
    FILE *from = fdopen(relay.fd, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    free(user);
    while (from != NULL && (len = getline(&line, &size, from)) > 0) {
        bool is_ended = line[len - 1] == '\n';
        printf("%s %.*s\n", relay.mark, (int)(is_ended ? len - 1 : len), line);
        fflush(stdout);
    }
    free(line);
    if (from != NULL)
        fclose(from);
    atomic_fetch_sub(relay.count, 1);
    return NULL;
}

/* The writing end of a pipe whose lines appear on our stdout, or -1. */
static int open_relay(struct host_worker *worker, const char *mark)
{
    int ends[2];
    pthread_t thread;
    struct relay *relay = malloc(sizeof *relay);
    if (relay == NULL || pipe(ends) != 0) {
        free(relay);
        return -1;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    *relay = (struct relay){ &worker->relays, ends[0], mark };
    atomic_fetch_add(&worker->relays, 1);
    if (pthread_create(&thread, NULL, pass_lines_on, relay) != 0)
        abort();
    pthread_detach(thread);
    return ends[1];
}

/* A child of the handler may hold the pipes open: then its words are not waited for. */
static void close_relays(struct host_worker *worker)
{
    long long until = process_now_ms() + LAST_WORDS_MS;
    if (worker->out >= 0)
        close(worker->out);
    if (worker->err >= 0)
        close(worker->err);
    while (atomic_load(&worker->relays) > 0 && process_now_ms() < until)
        process_sleep_ms(1);
}

/* --- one process ------------------------------------------------------------------------------ */

static const char *const own_names[] = {
    "FUNCTIONS_CUSTOMHANDLER_PORT=", "FUNCTIONS_CUSTOMHANDLER_WORKER_ID=",
    "FUNCTIONS_APP_ROOT_PATH=",      "FUNCTIONS_HTTPWORKER_PORT=",
    "FUNCTIONS_HTTPWORKER_ID=",      "FUNCTIONS_CORETOOLS_ENVIRONMENT=",
    "AZURE_FUNCTIONS_ENVIRONMENT=",
};

static bool is_own(const struct host_worker *worker, const char *variable)
{
    size_t count = worker->plan.is_core_tools ? COUNT_OF(own_names) : COUNT_OF(own_names) - 2;
    for (size_t i = 0; i < count; i++)
        if (view_starts(view_of(variable), view_of(own_names[i])))
            return true;
    return false;
}

/* Everything we have ourselves, and the host's own variables. */
static const char *const *environment(const struct host_worker *worker, struct arena *mem)
{
    char port[16];
    char id[HOST_GUID_SIZE];
    size_t inherited = 0;
    size_t count = 0;
    while (environ[inherited] != NULL)
        inherited++;
    const char **all = arena_get_array(mem, inherited + COUNT_OF(own_names) + 1, sizeof *all);
    for (size_t i = 0; i < inherited; i++)
        if (!is_own(worker, environ[i]))
            all[count++] = environ[i];
    snprintf(port, sizeof port, "%d", worker->plan.pool->port);
    host_guid(id);
    const char *values[COUNT_OF(own_names)] = { port, id,     worker->plan.app->root, port,
                                                id,   "true", "Development" };
    size_t own = worker->plan.is_core_tools ? COUNT_OF(own_names) : COUNT_OF(own_names) - 2;
    for (size_t i = 0; i < own; i++)
        all[count++] = joined(mem, own_names[i], values[i], (char *)NULL);
    return all;
}

static bool start_process(struct host_worker *worker)
{
    struct arena mem;
    arena_init(&mem, 16 * 1024 * 1024);
    struct process_plan plan = {
        .argv = worker->plan.app->argv,
        .env = environment(worker, &mem),
        .directory = worker->plan.app->root,
        .out = worker->out,
        .err = worker->err,
    };
    bool ok = process_start(&plan, &worker->process);
    arena_drop(&mem);
    return ok;
}

/* Whether the connection has something to read before it is time to stop waiting. */
static bool await_answer(struct host_worker *worker, int fd, long long until_ms)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    while (process_now_ms() < until_ms && !atomic_load(&worker->is_ending)
           && process_is_alive(&worker->process))
        if (poll(&poller, 1, PING_MS) > 0)
            return true;
    return false;
}

/*
 * Literally what the host sends.  Any status will do, and so will a connection that was accepted
 * and closed.  A connection that stays goes to the pool, where the first call finds it.
 */
static bool ping(struct host_worker *worker, int fd, long long until_ms)
{
    struct arena mem;
    char request[64];
    struct http_answer answer = { 0 };
    int len = snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
                       worker->plan.pool->port);
    if (!http_send(fd, (struct view){ request, (size_t)len })
        || !await_answer(worker, fd, until_ms)) {
        close(fd);
        return false;
    }
    arena_init(&mem, 16 * 1024 * 1024);
    if (http_receive(fd, PING_MS * 40, false, &mem, &answer) && !answer.is_last)
        host_pool_give(worker->plan.pool, fd);
    else
        close(fd);
    arena_drop(&mem);
    return true;
}

static bool await_ready(struct host_worker *worker)
{
    long long until_ms = process_now_ms() + worker->plan.app->start_ms;
    while (process_now_ms() < until_ms && !atomic_load(&worker->is_ending)
           && process_is_alive(&worker->process)) {
        int fd = http_connect(worker->plan.pool->port, PING_MS * 40);
        if (fd >= 0 && ping(worker, fd, until_ms))
            return true;
        process_sleep_ms(PING_MS);
    }
    return false;
}

/* --- its lives -------------------------------------------------------------------------------- */

static void set_state(struct host_worker *worker, enum host_worker_state state)
{
    pthread_mutex_lock(&worker->lock);
    worker->state = state;
    worker->life += state == HOST_WORKER_READY ? 1 : 0;
    pthread_cond_broadcast(&worker->change);
    pthread_mutex_unlock(&worker->lock);
}

/* Until it has ended, or has to. */
static void watch(struct host_worker *worker)
{
    while (process_is_alive(&worker->process) && !atomic_load(&worker->is_ending)
           && atomic_load(&worker->overrun) != worker->life) {
        host_pool_expire(worker->plan.pool, false);
        process_sleep_ms(TICK_MS);
    }
}

/* The third error within the window ends the host. */
static enum host_worker_state count_error(struct host_worker *worker, int code)
{
    long long now = process_now_ms();
    if (worker->errors > 0 && now - worker->last_error_ms > ERROR_WINDOW_MS)
        worker->errors = 0;
    worker->last_error_ms = now;
    worker->errors++;
    fprintf(stderr, "host: the handler ended with %d (error %d of %d)\n", code, worker->errors,
            MAX_ERRORS);
    if (worker->errors < MAX_ERRORS)
        return HOST_WORKER_STARTING;
    fputs("host: Exceeded http worker restart retry count\n", stderr);
    return HOST_WORKER_FAILED;
}

/* What comes after the end of a process: a state, STARTING meaning "once more". */
static enum host_worker_state judge(struct host_worker *worker, bool was_ready)
{
    bool has_overrun = was_ready && atomic_exchange(&worker->overrun, 0) == worker->life;
    bool has_ended = !process_is_alive(&worker->process);
    int status = worker->process.status;
    process_end(&worker->process, SIGKILL, 1000);
    host_pool_expire(worker->plan.pool, true);
    if (atomic_load(&worker->is_ending))
        return HOST_WORKER_FAILED;
    if (has_overrun) {
        fputs("host: a call exceeded functionTimeout, the handler is started again\n", stderr);
        return HOST_WORKER_STARTING;
    }
    if (!has_ended) {
        fputs("host: Initializing HttpWorker timed out.\n", stderr);
        return HOST_WORKER_FAILED;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (code == RESTART_PLEASE)
        return HOST_WORKER_STARTING;
    if (code != 0)
        return count_error(worker, code);
    fputs("host: the handler exited with 0, it is not started again: every call fails\n", stderr);
    return HOST_WORKER_GONE;
}

static void *keep(void *user)
{
    struct host_worker *worker = user;
    enum host_worker_state state = HOST_WORKER_STARTING;
    while (state == HOST_WORKER_STARTING) {
        bool is_ready = start_process(worker) && await_ready(worker);
        if (is_ready) {
            set_state(worker, HOST_WORKER_READY);
            watch(worker);
        }
        set_state(worker, HOST_WORKER_STARTING);
        state = judge(worker, is_ready);
    }
    set_state(worker, state);
    return NULL;
}

void host_worker_prepare(struct host_worker *worker, const struct host_worker_plan *plan)
{
    *worker = (struct host_worker){ .plan = *plan, .out = -1, .err = -1 };
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->change, NULL);
}

bool host_worker_start(struct host_worker *worker, struct text *why)
{
    if (!worker->plan.is_inherited) {
        worker->out = open_relay(worker, "[handler]");
        worker->err = open_relay(worker, "[handler error]");
    }
    if (pthread_create(&worker->keeper, NULL, keep, worker) == 0)
        return true;
    set_state(worker, HOST_WORKER_FAILED);
    text_add_string(why, "no thread can be started");
    return false;
}

int host_worker_await(struct host_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->state == HOST_WORKER_STARTING)
        pthread_cond_wait(&worker->change, &worker->lock);
    int life = worker->state == HOST_WORKER_READY ? worker->life : 0;
    pthread_mutex_unlock(&worker->lock);
    return life;
}

/* The connection's end is seen a moment before the process's. */
bool host_worker_is_alive(struct host_worker *worker, int life)
{
    process_sleep_ms(TICK_MS * 4);
    pthread_mutex_lock(&worker->lock);
    bool is_alive = worker->state == HOST_WORKER_READY && worker->life == life;
    pthread_mutex_unlock(&worker->lock);
    return is_alive;
}

void host_worker_kill(struct host_worker *worker, int life)
{
    atomic_store(&worker->overrun, life);
}

enum host_worker_state host_worker_state(struct host_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    enum host_worker_state state = worker->state;
    pthread_mutex_unlock(&worker->lock);
    return state;
}

void host_worker_stop(struct host_worker *worker)
{
    atomic_store(&worker->is_ending, true);
    pthread_join(worker->keeper, NULL);
    close_relays(worker);
}
