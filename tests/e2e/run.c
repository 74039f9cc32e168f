/*
 * Plays every case below the given folders in each protocol, and the end-to-end tests that are C:
 * most of them beside the cases, those that need the machine for themselves afterwards.
 *
 *   run [--tally FILE] [--only SUBSTRING] [--handler PROGRAM] [--protocols N] [--core N] [--list queue] DIR...
 *
 * --handler names what is started in place of the handler (one that starts it under a tool, say),
 * --protocols plays a case in N of its protocols, by turns, --core plays each Nth case and the
 * tests of the core alone, for tools that take time.  --list queue plays only the tests that need an
 * Azurite, as tests/queue/run.sh starts it.
 * A failure is explained where it happens; at the end stands one line for each story.
 */
#include "base/arena.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/match.h"
#include "support/player.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Cases mostly wait for processes to start and to end, tests for time to pass: several run at once. */
enum { MOST_STORIES = 64, LONGEST_EXPLANATION = 256 * 1024 };
enum { CASE_WORKERS = 4, TEST_WORKERS = 3, WORKERS = CASE_WORKERS + TEST_WORKERS };

static const size_t TEST_BYTES = (size_t)512 * 1024 * 1024;

/* The one that waits longest first. */
static const struct e2e_test *const lists[] = {
    e2e_wire, e2e_examples, e2e_console, e2e_refire, e2e_life, e2e_process,
    e2e_host, e2e_hostile,  e2e_senders, e2e_trust,  NULL,
};
/* Crowds and loads: with others at work they would show less, or take long. */
static const struct e2e_test *const lists_alone[] = {
    e2e_load, e2e_crowd, e2e_kill, e2e_standin, e2e_turns, NULL,
};
static const struct e2e_test *const core_lists[] = { e2e_life, NULL };
static const struct e2e_test *const core_lists_alone[] = { e2e_load, NULL };
static const struct e2e_test *const queue_lists[] = {
    e2e_queue_write, e2e_queue_retry, e2e_queue_storage, e2e_queue_console, NULL,
};
static const struct e2e_test *const no_lists[] = { NULL };

/* What is played: beside the cases, if any are, and afterwards. */
struct selection {
    const struct e2e_test *const *beside, *const *alone;
    bool has_cases;
};

static const struct selection everything = { lists, lists_alone, true };
static const struct selection core_alone = { core_lists, core_lists_alone, true };
static const struct selection queue_alone = { queue_lists, no_lists, false };

struct story {
    char name[64];
    int passed, failed, skipped;
};

struct results {
    struct story stories[MOST_STORIES];
    size_t story_count;
};

/* What all workers see. */
struct shared {
    atomic_size_t next_test; /* that no worker has taken */
    struct results all;
    struct results of[WORKERS];
};

struct run {
    struct site site;
    struct program devin;
    const char *only, *tally, *handler;
    long long core;       /* 0: everything is played */
    long long protocols;  /* so many of a case's */
    long long case_count; /* met so far, chosen by name */
    int worker;           /* which of the cases this process plays */
    bool is_queue;        /* the tests that need an Azurite, no others and no cases */
    struct shared *shared;
    struct results *results; /* this process's */
};

/* --- counting ------------------------------------------------------------------------------- */

static struct story *story_of(struct results *results, struct view name)
{
    for (size_t i = 0; i < results->story_count; i++)
        if (view_equal(view_of(results->stories[i].name), name))
            return &results->stories[i];
    if (results->story_count == MOST_STORIES)
        return &results->stories[MOST_STORIES - 1];
    struct story *story = &results->stories[results->story_count++];
    snprintf(story->name, sizeof story->name, "%.*s", (int)name.len, name.at);
    return story;
}

static void count(struct run *run, struct view story_name, const char *name, const char *how,
                  enum test_result result, struct view why)
{
    static const char *const words[] = { "passed", "FAILED", "skipped" };
    struct story *story = story_of(run->results, story_name);
    story->passed += result == TEST_PASSED;
    story->failed += result == TEST_FAILED;
    story->skipped += result == TEST_SKIPPED;
    if (result == TEST_PASSED)
        return;
    printf("%s  %s%s%s%s\n%.*s", words[result], name, how != NULL ? "  (" : "",
           how != NULL ? how : "", how != NULL ? ")" : "", (int)why.len, why.at);
    fflush(stdout);
}

/* "passed failed" for the sum that `make test` prints. */
static bool write_tally(const char *path, int passed, int failed)
{
    FILE *file = path != NULL ? fopen(path, "we") : NULL;
    if (path == NULL)
        return true;
    if (file == NULL)
        return false;
    fprintf(file, "%d %d\n", passed, failed);
    return fclose(file) == 0;
}

static bool sum_up(const struct run *run)
{
    int passed = 0;
    int failed = 0;
    for (size_t i = 0; i < run->results->story_count; i++) {
        const struct story *story = &run->results->stories[i];
        printf("%-16s %4d passed, %d failed", story->name, story->passed, story->failed);
        if (story->skipped > 0)
            printf(", %d skipped", story->skipped);
        printf("\n");
        passed += story->passed;
        failed += story->failed;
    }
    if (passed + failed == 0)
        printf("nothing was played\n");
    return write_tally(run->tally, passed, failed) && failed == 0 && passed > 0;
}

static bool is_chosen(const struct run *run, const char *name)
{
    return run->only == NULL || strstr(name, run->only) != NULL;
}

static bool is_case_chosen(struct run *run, const char *name)
{
    long long each = run->core == 0 ? 1 : run->core;
    if (!is_chosen(run, name))
        return false;
    long long number = run->case_count++;
    return number % each == 0 && number / each % CASE_WORKERS == run->worker;
}

/* --- cases ---------------------------------------------------------------------------------- */

static void play_case(struct run *run, const char *path, const char *name)
{
    struct arena mem;
    struct e2e_case test;
    arena_init(&mem, TEST_BYTES);
    struct text why = text_in(&mem, LONGEST_EXPLANATION);
    struct view story;
    struct view rest;
    view_cut(view_of(name), '/', &story, &rest);
    if (!case_read(path, &mem, &test, &why)) {
        count(run, story, name, NULL, TEST_FAILED, text_view(&why));
        arena_drop(&mem);
        return;
    }
    long long turn = run->case_count / (run->core == 0 ? 1 : run->core);
    long long played = 0;
    for (int i = 0; i < PROTOCOL_COUNT && played < run->protocols; i++) {
        enum protocol protocol = (enum protocol)((turn + i) % PROTOCOL_COUNT);
        if (!player_wants(&test, protocol))
            continue;
        why = text_in(&mem, LONGEST_EXPLANATION);
        bool ok = player_play(&run->site, run->devin.port, &test, protocol, &why);
        count(run, story, name, protocol_name(protocol), ok ? TEST_PASSED : TEST_FAILED,
              text_view(&why));
        played++;
    }
    arena_drop(&mem);
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* `name` is the path below the folder that was asked for. */
static void play_below(struct run *run, const char *folder, const char *name)
{
    struct arena mem;
    struct dirent **entries = NULL;
    struct stat about;
    arena_init(&mem, 1024 * 1024);
    int entry_count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < entry_count; i++) {
        const char *entry = entries[i]->d_name;
        const char *path = joined(&mem, folder, "/", entry, (char *)NULL);
        const char *below = joined(&mem, name, name[0] != '\0' ? "/" : "", entry, (char *)NULL);
        if (entry[0] != '.' && stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            play_below(run, path, below);
        else if (ends_in(entry, ".case") && is_case_chosen(run, below))
            play_case(run, path, below);
        free(entries[i]);
    }
    free(entries);
    arena_drop(&mem);
}

/* --- tests in C ------------------------------------------------------------------------------- */

static void run_test(struct run *run, const struct e2e_test *test, const char *cases)
{
    struct arena mem;
    arena_init(&mem, TEST_BYTES);
    struct text why = text_in(&mem, LONGEST_EXPLANATION);
    struct e2e e2e = { &run->site, cases, &mem, &why };
    struct view story;
    struct view rest;
    view_cut(view_of(test->name), ':', &story, &rest);
    enum test_result result = test->run(&e2e);
    count(run, story, test->name, NULL, result, text_view(&why));
    arena_drop(&mem);
}

/* The nth of those that are chosen, NULL behind the last. */
static const struct e2e_test *test_at(const struct run *run, const struct e2e_test *const *from,
                                      size_t n)
{
    for (; *from != NULL; from++)
        for (const struct e2e_test *test = *from; test->name != NULL; test++)
            if (is_chosen(run, test->name) && n-- == 0)
                return test;
    return NULL;
}

static const struct selection *selection_of(const struct run *run)
{
    if (run->is_queue)
        return &queue_alone;
    return run->core > 0 ? &core_alone : &everything;
}

/* Until no worker has anything to take. */
static void take_tests(struct run *run, const char *cases)
{
    const struct e2e_test *const *from = selection_of(run)->beside;
    const struct e2e_test *test;
    while ((test = test_at(run, from, atomic_fetch_add(&run->shared->next_test, 1))) != NULL)
        run_test(run, test, cases);
}

static void run_tests_alone(struct run *run, const char *cases)
{
    const struct e2e_test *const *from = selection_of(run)->alone;
    const struct e2e_test *test;
    for (size_t i = 0; (test = test_at(run, from, i)) != NULL; i++)
        run_test(run, test, cases);
}

/* --- start ------------------------------------------------------------------------------------ */

static int usage(void)
{
    fprintf(stderr, "usage: run [--tally FILE] [--only SUBSTRING] [--handler PROGRAM] "
                    "[--protocols N] [--core N] [--list queue] DIR...\n");
    return 2;
}

static bool start_devin(struct run *run, struct arena *mem)
{
    struct text why = text_in(mem, LONGEST_EXPLANATION);
    if (program_start_devin(&run->site, 0, &run->devin, &why))
        return true;
    printf("the Devin stand-in does not start\n%s", text_view(&why).at);
    return false;
}

/* With a Devin of its own. */
static bool play_cases(struct run *run, int count, char **folders)
{
    struct arena mem;
    arena_init(&mem, 64 * 1024 * 1024);
    bool ok = start_devin(run, &mem);
    for (int i = 0; ok && i < count; i++)
        play_below(run, folders[i], "");
    if (ok) {
        process_end(&run->devin.process, SIGTERM, 5000);
        program_forget(&run->devin);
    }
    arena_drop(&mem);
    return ok;
}

/* In a process of its own. */
static _Noreturn void work(struct run *run, int worker, int count, char **folders)
{
    bool ok = true;
    run->worker = worker;
    run->results = &run->shared->of[worker];
    if (worker < CASE_WORKERS && selection_of(run)->has_cases)
        ok = play_cases(run, count, folders);
    else
        take_tests(run, folders[0]);
    exit(ok ? 0 : 1);
}

static void add_results(struct results *to, const struct results *from)
{
    for (size_t i = 0; i < from->story_count; i++) {
        struct story *story = story_of(to, view_of(from->stories[i].name));
        story->passed += from->stories[i].passed;
        story->failed += from->stories[i].failed;
        story->skipped += from->stories[i].skipped;
    }
}

/* A worker that did not come to its end is a failure: not all of its work is counted then. */
static void play_all(struct run *run, int folder_count, char **folders)
{
    pid_t pids[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            work(run, i, folder_count, folders);
    }
    for (int i = 0; i < WORKERS; i++) {
        int status = 0;
        bool has_ended = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0;
        add_results(run->results, &run->shared->of[i]);
        if (!has_ended)
            count(run, VIEW("runner"), "runner: each worker comes to its end", NULL, TEST_FAILED,
                  VIEW(""));
    }
}

/* False for what is no option. */
static bool read_option(struct run *run, const char *name, const char *value)
{
    if (strcmp(name, "--tally") == 0)
        run->tally = value;
    else if (strcmp(name, "--only") == 0)
        run->only = value;
    else if (strcmp(name, "--handler") == 0)
        run->handler = value;
    else if (strcmp(name, "--list") == 0 && strcmp(value, "queue") == 0)
        run->is_queue = true;
    else if (strcmp(name, "--protocols") == 0)
        return view_to_number(view_of(value), 1, PROTOCOL_COUNT, &run->protocols);
    else
        return strcmp(name, "--core") == 0 && view_to_number(view_of(value), 1, 1000, &run->core);
    return true;
}

static bool share(struct run *run)
{
    int zero = open("/dev/zero", O_RDWR | O_CLOEXEC); /* POSIX names no anonymous mapping */
    run->shared = mmap(NULL, sizeof *run->shared, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
    if (run->shared == MAP_FAILED)
        return false;
    run->results = &run->shared->all;
    return true;
}

int main(int argc, char **argv)
{
    static struct run run;
    struct arena mem;
    int next = 1;
    arena_init(&mem, 64 * 1024 * 1024);
    signal(SIGPIPE, SIG_IGN);
    run.protocols = PROTOCOL_COUNT;
    for (; next + 1 < argc && strncmp(argv[next], "--", 2) == 0; next += 2)
        if (!read_option(&run, argv[next], argv[next + 1]))
            return usage();
    if (next >= argc)
        return usage();
    if (!share(&run) || !site_find(argv[0], &mem, &run.site))
        return 1;
    if (run.handler != NULL)
        run.site.handler = run.handler;
    play_all(&run, argc - next, argv + next);
    run_tests_alone(&run, argv[next]);
    bool ok = sum_up(&run);
    arena_drop(&mem);
    return ok ? 0 : 1;
}
