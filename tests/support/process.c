/* fork and exec, with a close-on-exec world and a SIGKILL at the end of patience. */
#include "support/process.h"

#include "base/arena.h"
#include "support/http.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_PORT = 10000, PORTS = 22000, PORTS_APART = 7919, RESERVED = 64 };

extern char **environ;

long long process_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void process_sleep_ms(int ms)
{
    struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&time, NULL);
}

static void become(const struct process_plan *plan)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (plan->out >= 0)
        dup2(plan->out, STDOUT_FILENO);
    if (plan->err >= 0)
        dup2(plan->err, STDERR_FILENO);
    if (plan->directory != NULL && chdir(plan->directory) != 0)
        _exit(126);
    execve(plan->argv[0], (char *const *)plan->argv,
           plan->env != NULL ? (char *const *)plan->env : environ);
    _exit(127);
}

bool process_start(const struct process_plan *plan, struct process *out)
{
    *out = (struct process){ .pid = fork() };
    if (out->pid == 0)
        become(plan);
    return out->pid > 0;
}

bool process_is_alive(struct process *process)
{
    if (process->pid > 0 && waitpid(process->pid, &process->status, WNOHANG) == process->pid)
        process->pid = 0;
    return process->pid > 0;
}

bool process_end(struct process *process, int signal, int timeout_ms)
{
    if (process->pid > 0 && signal != 0)
        kill(process->pid, signal);
    long long until = process_now_ms() + timeout_ms;
    while (process_is_alive(process)) {
        if (process_now_ms() >= until) {
            kill(process->pid, SIGKILL);
            waitpid(process->pid, &process->status, 0);
            process->pid = 0;
            return false;
        }
        process_sleep_ms(2);
    }
    return true;
}

pid_t process_child(pid_t parent)
{
    char path[300];
    char stat[512];
    pid_t found = 0;
    DIR *all = opendir("/proc");
    struct dirent *entry;
    while (all != NULL && found == 0 && (entry = readdir(all)) != NULL) {
        long long number;
        if (!view_to_number(view_of(entry->d_name), 1, 1LL << 30, &number))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        stat[fread(stat, 1, sizeof stat - 1, file)] = '\0';
        fclose(file);
        const char *behind = strrchr(stat, ')');
        if (behind != NULL && strlen(behind) > 4 && strtol(behind + 4, NULL, 10) == (long)parent)
            found = (pid_t)number;
    }
    if (all != NULL)
        closedir(all);
    return found;
}

static bool can_listen(int port)
{
    struct sockaddr_in self = { .sin_family = AF_INET,
                                .sin_port = htons((unsigned short)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&self, sizeof self) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/*
 * Two processes that look for a port at once may find the same one, and then talk to each other's
 * program.  A name that only one of them can have keeps the other away until the program listens:
 * for as long as it is among the last that this process asked for.
 */
static bool reserve(int port, unsigned step)
{
    static atomic_int held[RESERVED];                    /* 0: none */
    struct sockaddr_un name = { .sun_family = AF_UNIX }; /* abstract: it begins with a NUL */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "trigger-devin/test/port/%d", port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    int before = atomic_exchange(&held[step % RESERVED], fd);
    if (before > 0)
        close(before);
    return true;
}

/*
 * Below the ports that the kernel gives to clients, or one of the many connections of other tests might
 * take it before its program listens; each process walks on from a place of its own.
 */
int process_free_port(void)
{
    static atomic_uint steps;
    for (int i = 0; i < PORTS; i++) {
        unsigned number = atomic_fetch_add(&steps, 1);
        unsigned step = (unsigned)getpid() * PORTS_APART + number;
        int port = FIRST_PORT + (int)(step % PORTS);
        if (reserve(port, number) && can_listen(port))
            return port;
    }
    return -1;
}

bool process_await_port(int port, int timeout_ms)
{
    for (long long until = process_now_ms() + timeout_ms; process_now_ms() < until;) {
        int fd = http_connect(port, timeout_ms);
        if (fd >= 0) {
            close(fd);
            return true;
        }
        process_sleep_ms(5);
    }
    return false;
}

struct view process_read_file(const char *path, struct arena *mem)
{
    struct text text = text_in(mem, 64 * 1024 * 1024);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return (struct view){ 0 };
    char buffer[16384];
    size_t got;
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add(&text, (struct view){ buffer, got });
    fclose(file);
    return text_ok(&text) ? text_view(&text) : (struct view){ 0 };
}

bool process_write_file(const char *path, struct view content)
{
    FILE *file = fopen(path, "wbe");
    if (file == NULL)
        return false;
    bool ok = fwrite(content.at, 1, content.len, file) == content.len;
    return fclose(file) == 0 && ok;
}

const char *process_make_folder(const char *prefix, struct arena *mem)
{
    const char *below = getenv("TMPDIR");
    struct text path = text_in(mem, 4096);
    text_add_string(&path, below != NULL ? below : "/tmp");
    text_add_char(&path, '/');
    text_add_string(&path, prefix);
    text_add_string(&path, "-XXXXXX");
    return text_ok(&path) ? mkdtemp(path.bytes) : NULL;
}
