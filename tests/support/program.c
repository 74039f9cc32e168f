/* Children write to unnamed files, so that no pipe can fill up and stop them. */
#include "support/program.h"

#include "base/arena.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_PATIENCE_MS = 20000, ENOUGH_STARTS = 3 };

/* --- where everything lies ------------------------------------------------------------------- */

const char *joined(struct arena *mem, ...)
{
    struct text text = text_in(mem, 1024 * 1024);
    va_list pieces;
    va_start(pieces, mem);
    for (const char *piece; (piece = va_arg(pieces, const char *)) != NULL;)
        text_add_string(&text, piece);
    va_end(pieces);
    return text_view(&text).at;
}

/* Cuts the last part of a path off; false at the top. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return false;
    *slash = '\0';
    return true;
}

bool site_find(const char *argv0, struct arena *mem, struct site *out)
{
    char here[4096];
    if (getcwd(here, sizeof here) == NULL)
        return false;
    const char *self = argv0[0] == '/' ? argv0 : joined(mem, here, "/", argv0, (char *)NULL);
    char *path = arena_get(mem, strlen(self) + 1);
    if (path == NULL)
        return false;
    memcpy(path, self, strlen(self) + 1);
    if (!go_up(path) || !go_up(path)) /* the program's name, "e2e" */
        return false;
    out->self = self;
    out->handler = joined(mem, path, "/handler", (char *)NULL);
    out->devin = joined(mem, path, "/standin/devin", (char *)NULL);
    out->host = joined(mem, path, "/standin/host", (char *)NULL);
    while (access(joined(mem, path, "/host.json", (char *)NULL), R_OK) != 0)
        if (!go_up(path))
            return false;
    out->root = path;
    return true;
}

/* --- environment ------------------------------------------------------------------------------ */

static size_t env_find(const struct env *env, struct view name)
{
    size_t i = 0;
    for (; i < env->count; i++)
        if (strncmp(env->at[i], name.at, name.len) == 0 && env->at[i][name.len] == '=')
            break;
    return i;
}

struct env env_basics(struct arena *mem)
{
    static const char *const names[] = { "PATH",         "HOME",          "TMPDIR",
                                         "LANG",         "ASAN_OPTIONS",  "LSAN_OPTIONS",
                                         "TSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH" };
    struct env env = { .mem = mem };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (getenv(names[i]) != NULL)
            env_set(&env, view_of(names[i]), view_of(getenv(names[i])));
    return env;
}

void env_set(struct env *env, struct view name, struct view value)
{
    size_t at = env_find(env, name);
    struct text text = text_in(env->mem, 1024 * 1024);
    text_add(&text, name);
    text_add_char(&text, '=');
    text_add(&text, value);
    if (at + 1 >= COUNT_OF(env->at) || !text_ok(&text))
        return;
    env->at[at] = text_view(&text).at;
    if (at == env->count)
        env->at[++env->count] = NULL;
}

void env_unset(struct env *env, struct view name)
{
    size_t at = env_find(env, name);
    if (at == env->count)
        return;
    env->at[at] = env->at[--env->count];
    env->at[env->count] = NULL;
}

struct view env_value(const struct env *env, const char *name)
{
    size_t at = env_find(env, view_of(name));
    return at < env->count ? view_of(env->at[at] + strlen(name) + 1) : (struct view){ 0 };
}

/* --- life ------------------------------------------------------------------------------------- */

static FILE *open_unnamed(void)
{
    FILE *file = tmpfile();
    if (file != NULL)
        fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
    return file;
}

static struct view read_all(FILE *file, struct arena *mem)
{
    struct text text = text_in(mem, 64 * 1024 * 1024);
    char buffer[16384];
    ssize_t got;
    off_t at = 0;
    while (file != NULL && (got = pread(fileno(file), buffer, sizeof buffer, at)) > 0) {
        text_add(&text, (struct view){ buffer, (size_t)got });
        at += got;
    }
    return text_view(&text);
}

struct view program_out(const struct program *program, struct arena *mem)
{
    return read_all(program->out, mem);
}

struct view program_err(const struct program *program, struct arena *mem)
{
    return read_all(program->err, mem);
}

void program_forget(struct program *program)
{
    if (program->out != NULL)
        fclose(program->out);
    if (program->err != NULL)
        fclose(program->err);
    program->out = NULL;
    program->err = NULL;
}

/* Adds what the program wrote to stderr, for the reader of a failure. */
static void add_words(const struct program *program, struct text *why)
{
    struct arena mem;
    arena_init(&mem, 64 * 1024 * 1024);
    struct view said = view_cap(program_err(program, &mem), 8000);
    if (said.len > 0) {
        text_add_string(why, "    its stderr:\n");
        text_add(why, said);
        if (said.at[said.len - 1] != '\n')
            text_add_char(why, '\n');
    }
    arena_drop(&mem);
}

static bool is_listening(struct program *program, int port)
{
    for (long long until = process_now_ms() + START_PATIENCE_MS; process_now_ms() < until;) {
        if (process_await_port(port, 20))
            return true;
        if (!process_is_alive(&program->process))
            return false;
    }
    return false;
}

bool program_start(const struct program_plan *plan, struct program *out, struct text *why)
{
    *out = (struct program){ .port = plan->port };
    if (plan->is_heard) {
        out->out = open_unnamed();
        out->err = open_unnamed();
    }
    struct process_plan process = {
        .argv = plan->argv,
        .env = plan->env != NULL ? plan->env->at : NULL,
        .directory = plan->directory,
        .out = out->out != NULL ? fileno(out->out) : -1,
        .err = out->err != NULL ? fileno(out->err) : -1,
    };
    if (!process_start(&process, &out->process)) {
        program_forget(out);
        return false;
    }
    if (plan->port == 0 || is_listening(out, plan->port))
        return true;
    text_add_string(why, "    ");
    text_add_string(why, plan->argv[0]);
    text_add_string(why, process_is_alive(&out->process) ? " does not listen\n" : " has ended\n");
    add_words(out, why);
    process_end(&out->process, SIGKILL, 1000);
    program_forget(out);
    return false;
}

/* Somebody else can take a free port before the program does: then another one is tried. */
static bool start_on_free_port(struct program_plan *plan, void (*set_port)(void *, int),
                               void *context, struct program *out, struct text *why)
{
    size_t said = why->len;
    for (int i = 0; i < ENOUGH_STARTS; i++) {
        plan->port = process_free_port();
        set_port(context, plan->port);
        why->len = said;
        if (program_start(plan, out, why))
            return true;
    }
    return false;
}

static const char *port_text(struct arena *mem, int port)
{
    struct text text = text_in(mem, 16);
    text_add_number(&text, port);
    return text_view(&text).at;
}

static void set_handler_port(void *context, int port)
{
    struct env *env = context;
    env_set(env, VIEW("FUNCTIONS_CUSTOMHANDLER_PORT"), view_of(port_text(env->mem, port)));
}

bool program_start_handler(const struct site *site, struct env *env, struct program *out,
                           struct text *why)
{
    const char *argv[] = { site->handler, NULL };
    struct program_plan plan = { .argv = argv, .env = env, .is_heard = true };
    return start_on_free_port(&plan, set_handler_port, env, out, why);
}

struct devin_arguments {
    struct arena *mem;
    const char *argv[4];
};

static void set_devin_port(void *context, int port)
{
    struct devin_arguments *arguments = context;
    arguments->argv[2] = port_text(arguments->mem, port);
}

bool program_start_devin(const struct site *site, int port, struct program *out, struct text *why)
{
    struct arena mem;
    arena_init(&mem, 1024 * 1024);
    struct devin_arguments arguments = { &mem, { site->devin, "--port", NULL, NULL } };
    struct env env = env_basics(&mem);
    struct program_plan plan = {
        .argv = arguments.argv, .env = &env, .port = port, .is_heard = true
    };
    bool ok;
    if (port == 0) {
        ok = start_on_free_port(&plan, set_devin_port, &arguments, out, why);
    } else {
        set_devin_port(&arguments, port);
        ok = program_start(&plan, out, why);
    }
    arena_drop(&mem);
    return ok;
}

bool program_end(struct program *program, int signal, int timeout_ms, struct text *why)
{
    if (!process_end(&program->process, signal, timeout_ms)) {
        text_add_string(why, "    it did not end in time and had to be killed\n");
        add_words(program, why);
        return false;
    }
    int status = program->process.status;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    text_add_string(why, WIFEXITED(status) ? "    it ended with exit code "
                                           : "    it was ended by signal ");
    text_add_number(why, WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    text_add_char(why, '\n');
    add_words(program, why);
    return false;
}
