/*
 * Everything at once for minutes: two hosts with a handler each on one queue, many deliveries of fewer
 * firings, Devin failing and away for a while, the storage stopped and started, the handlers killed
 * every few seconds.  Then everything is left alone until the queue is empty, and counted.  At the end:
 * what writing first costs, beside the same handler without a queue.
 *
 *   torture      (by tests/queue/run.sh, which prepares an Azurite)
 *
 * TORTURE_DELIVERIES, TORTURE_FIRINGS, TORTURE_S, TORTURE_GONE_S (Devin's absence), TORTURE_KILL_MS,
 * TORTURE_FAIL_PERCENT and TORTURE_COST (alerts of the cost's rounds) make it smaller or larger; v3 gets
 * a quarter of it.  TORTURE_LOGS names a folder for what hosts and handlers said.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/case.h"
#include "support/control.h"
#include "support/e2e.h"
#include "support/figures.h"
#include "support/match.h"
#include "support/queue_stage.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID      "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"
#define PATIENT "DEVIN_TIMEOUT_MS=30000\n"
#define V3      "DEVIN_API_KEY=cog_test_key\n"

/* Short waits, so that what waits is tried again soon: hidden for deadline and 10 s. */
#define TIMES "DEVIN_TIMEOUT_MS=4000\nDEVIN_RETRY_MS=100\n"

enum {
    SENDERS = 24,
    HOSTS = 2,
    PATIENCE_MS = 30000,
    DRAIN_MS = 400000,
    STORAGE_GONE_MS = 2000,
    /* Else what the host had in hand when the storage went would come in ten minutes. */
    HIDE_S = 45,
    COST_ROUNDS = 3,
    MOST_TOLD = 5
};

static const size_t RUN_BYTES = (size_t)1024 * 1024 * 1024;

struct plan {
    const char *name, *settings;
    int deliveries, firings, seconds, gone_s, kill_ms, fail_percent;
};

/* What became of a firing's deliveries. */
struct firing {
    atomic_int on_way;       /* deliveries under way now */
    atomic_int told_session; /* answered 200 */
    atomic_int told_later;   /* answered 202 */
    atomic_bool has_raced;   /* two of them were under way at once */
    bool was_blind;          /* a handler asked without knowing whether there is a session */
    int sessions;
};

struct torture {
    const struct plan *plan;
    struct queue_stage stages[HOSTS];
    struct firing *firings;
    int *order; /* of each delivery, its firing */
    atomic_int next, racing, fine, later, refused, broken;
    long long began_ms;
    int kills, waiting_at_most;
    long long storage_gone_ms, sent_ms;
};

/* --- deliveries ----------------------------------------------------------------------------------- */

/*
 * Each firing as often as any other, in an order that is the same each time; of each tenth the first
 * two deliveries come one behind the other, and so at once.
 */
static void plan_order(struct torture *torture)
{
    const struct plan *plan = torture->plan;
    unsigned seed = 7;
    for (int i = 0; i < plan->deliveries; i++)
        torture->order[i] = i % plan->firings;
    for (int i = plan->deliveries - 1; i > 0; i--) {
        int other = rand_r(&seed) % (i + 1);
        int kept = torture->order[i];
        torture->order[i] = torture->order[other];
        torture->order[other] = kept;
    }
    for (int i = 0; i + 1 < plan->deliveries; i += 10)
        for (int j = i + 2; j < plan->deliveries; j++)
            if (torture->order[j] == torture->order[i]) {
                torture->order[j] = torture->order[i + 1];
                torture->order[i + 1] = torture->order[i];
                break;
            }
}

static void name_firing(int number, char *name, size_t size)
{
    snprintf(name, size, "torture-%d-end", number);
}

static void deliver(struct torture *torture, int number)
{
    struct firing *firing = &torture->firings[torture->order[number]];
    struct arena mem;
    struct http_answer answer = { 0 };
    char name[64];
    name_firing(torture->order[number], name, sizeof name);
    arena_init(&mem, 16 * 1024 * 1024);
    if (atomic_fetch_add(&firing->on_way, 1) > 0) {
        atomic_fetch_add(&torture->racing, 1);
        atomic_store(&firing->has_raced, true);
    }
    bool is_answered = queue_stage_post(&torture->stages[number % HOSTS], name, &mem, &answer);
    atomic_fetch_sub(&firing->on_way, 1);
    if (!is_answered || answer.body.len == 0) {
        atomic_fetch_add(&torture->broken, 1);
    } else if (answer.status == 200) {
        atomic_fetch_add(&torture->fine, 1);
        atomic_fetch_add(&firing->told_session, 1);
    } else if (answer.status == 202) {
        atomic_fetch_add(&torture->later, 1);
        atomic_fetch_add(&firing->told_later, 1);
    } else {
        atomic_fetch_add(&torture->refused, 1);
    }
    arena_drop(&mem);
}

/* Each sender at its own pace; who is late does not catch up, or an outage would meet a flood. */
static void *send_all(void *user)
{
    struct torture *torture = user;
    const struct plan *plan = torture->plan;
    long long pace_ms = (long long)SENDERS * plan->seconds * 1000 / plan->deliveries;
    long long due_ms = process_now_ms();
    for (int i; (i = atomic_fetch_add(&torture->next, 1)) < plan->deliveries;) {
        long long left_ms = due_ms - process_now_ms();
        if (left_ms > 0)
            process_sleep_ms((int)left_ms);
        due_ms = (left_ms > 0 ? due_ms : process_now_ms()) + pace_ms;
        deliver(torture, i);
    }
    return NULL;
}

/* --- what happens meanwhile ------------------------------------------------------------------------ */

static void kill_handler(struct torture *torture, int host)
{
    pid_t pid = process_child(torture->stages[host].app.process.pid);
    if (pid > 0 && kill(pid, SIGKILL) == 0)
        torture->kills++;
}

/* The guest only borrows Azurite and asks by the port, which stays. */
static bool restart_storage(struct e2e *e2e, struct torture *torture)
{
    long long began_ms = process_now_ms();
    bool ok = azurite_end(e2e, &torture->stages[0].azurite);
    process_sleep_ms(STORAGE_GONE_MS);
    ok = ok && azurite_restart(e2e, &torture->stages[0].azurite);
    torture->storage_gone_ms = process_now_ms() - began_ms;
    return ok;
}

static void watch_queue(struct torture *torture)
{
    int count = storage_count(&torture->stages[0].azurite.storage, QUEUE_WAITING);
    if (count > torture->waiting_at_most)
        torture->waiting_at_most = count;
}

/* Devin goes at a third and the storage at five sixths of the time; each handler dies in its turn. */
static bool torment(struct e2e *e2e, struct torture *torture)
{
    const struct plan *plan = torture->plan;
    long long length_ms = plan->seconds * 1000LL;
    long long gone_ms = torture->began_ms + length_ms / 3;
    long long back_ms = gone_ms + plan->gone_s * 1000LL;
    long long storage_ms = torture->began_ms + length_ms * 5 / 6;
    long long kill_ms = torture->began_ms + plan->kill_ms;
    bool is_gone = false;
    bool is_restarted = false;
    bool ok = true;
    for (int turn = 0; ok && atomic_load(&torture->next) < plan->deliveries + SENDERS;
         process_sleep_ms(50)) {
        long long at_ms = process_now_ms();
        bool should_be_gone = at_ms >= gone_ms && at_ms < back_ms;
        if (should_be_gone != is_gone)
            ok = queue_stage_devin_goes(e2e, &torture->stages[0], should_be_gone);
        is_gone = should_be_gone;
        if (at_ms >= kill_ms) {
            kill_handler(torture, turn++ % HOSTS);
            kill_ms += plan->kill_ms / HOSTS;
            watch_queue(torture);
        }
        if (!is_restarted && at_ms >= storage_ms) {
            ok = ok && restart_storage(e2e, torture);
            is_restarted = true;
        }
    }
    return queue_stage_devin_goes(e2e, &torture->stages[0], false) && ok;
}

/* Devin goes on failing, nobody is killed any more, until nothing waits. */
static bool drain(struct e2e *e2e, struct torture *torture, long long *took_ms)
{
    long long began_ms = process_now_ms();
    int count = -1;
    for (; count != 0 && process_now_ms() < began_ms + DRAIN_MS; process_sleep_ms(200))
        count = storage_count(&torture->stages[0].azurite.storage, QUEUE_WAITING);
    *took_ms = process_now_ms() - began_ms;
    return count == 0 || complain(e2e->why, "the queue does not get empty", VIEW(""));
}

/* --- counting -------------------------------------------------------------------------------------- */

/* "…torture-17-end…": 17; -1: none of ours. */
static long long number_in(struct view title)
{
    struct view mark = VIEW("torture-");
    struct view number;
    long long value;
    while (title.len > 0 && !view_starts(title, mark))
        title = view_skip(title, 1);
    return view_cut(view_skip(title, mark.len), '-', &number, &title)
                   && view_to_number(number, 0, INT_MAX, &value)
               ? value
               : -1;
}

/* What both handlers said of look-ups that failed; who has stored the alert waits instead. */
static void note_blind(const struct torture *torture)
{
    for (int i = 0; i < HOSTS; i++) {
        struct arena mem;
        struct view line;
        arena_init(&mem, RUN_BYTES);
        struct view said = program_out(&torture->stages[i].app, &mem);
        while (lines_next(&said, &line)) {
            long long number = number_in(line);
            if (number >= 0 && number < torture->plan->firings
                && view_contains(line, VIEW("sessions could not be listed"))
                && !view_contains(line, VIEW("\"deferred\"")))
                torture->firings[number].was_blind = true;
        }
        arena_drop(&mem);
    }
}

/* All that both handlers said of a firing. */
static void print_lines(const struct torture *torture, int number)
{
    for (int i = 0; i < HOSTS; i++) {
        struct arena mem;
        struct view line;
        arena_init(&mem, RUN_BYTES);
        struct view said = program_out(&torture->stages[i].app, &mem);
        while (lines_next(&said, &line))
            if (number_in(line) == number)
                printf("    host %d: %.*s\n", i, (int)line.len, line.at);
        arena_drop(&mem);
    }
}

/* A firing with several sessions whose deliveries never met, and where no look-up failed: when they were made. */
static void tell_double(const struct torture *torture, const struct cJSON *sessions, int number)
{
    struct arena mem;
    arena_init(&mem, 64 * 1024);
    printf("  firing %d:", number);
    for (const struct cJSON *s = json_first(sessions); s != NULL; s = json_next(s))
        if (number_in(json_text(json_at(s, "title"))) == number) {
            struct view made = json_as_text(json_at(s, "created_at"), &mem);
            printf(" session made at %.*s", (int)made.len, made.at);
        }
    printf("%s\n", atomic_load(&torture->firings[number].told_later) > 0 ? ", was deferred" : "");
    arena_drop(&mem);
}

/* How many sessions are nobody's; -1: Devin does not say. */
static int count_sessions(struct e2e *e2e, struct torture *torture)
{
    struct json json = { 0 };
    int strangers = 0;
    int told = 0;
    if (!control_sessions(torture->stages[0].devin.port, e2e->mem, &json))
        return -1;
    const struct cJSON *session = json_first(json_at(json.root, "sessions"));
    for (; session != NULL; session = json_next(session)) {
        long long number = number_in(json_text(json_at(session, "title")));
        strangers += number < 0 || number >= torture->plan->firings;
        if (number >= 0 && number < torture->plan->firings)
            torture->firings[number].sessions++;
    }
    for (int i = 0; i < torture->plan->firings && told < MOST_TOLD; i++)
        if (torture->firings[i].sessions > 1 && !atomic_load(&torture->firings[i].has_raced)
            && !torture->firings[i].was_blind) {
            tell_double(torture, json_at(json.root, "sessions"), i);
            print_lines(torture, i);
            told++;
        }
    json_free(&json);
    return strangers;
}

struct tally {
    int owed, lost, without, doubles, raced_doubles, blind_doubles, surplus, strangers, poisoned;
    long long drain_ms;
};

static struct tally tally_of(struct e2e *e2e, struct torture *torture)
{
    note_blind(torture);
    struct tally tally = { .strangers = count_sessions(e2e, torture) };
    for (int i = 0; i < torture->plan->firings; i++) {
        const struct firing *firing = &torture->firings[i];
        bool is_owed = atomic_load(&firing->told_session) + atomic_load(&firing->told_later) > 0;
        tally.owed += is_owed;
        tally.lost += is_owed && firing->sessions == 0;
        tally.without += firing->sessions == 0;
        tally.doubles += firing->sessions > 1;
        tally.raced_doubles += firing->sessions > 1 && atomic_load(&firing->has_raced);
        tally.blind_doubles +=
            firing->sessions > 1 && !atomic_load(&firing->has_raced) && firing->was_blind;
        tally.surplus += firing->sessions > 1 ? firing->sessions - 1 : 0;
    }
    tally.poisoned = storage_count(&torture->stages[0].azurite.storage, QUEUE_POISONED);
    return tally;
}

static int lines_of_both(struct e2e *e2e, const struct torture *torture, const char *words)
{
    int count = 0;
    for (int i = 0; i < HOSTS; i++)
        count += queue_stage_lines(e2e, &torture->stages[i], words);
    return count;
}

static void row(const char *what, long long number)
{
    printf("  %-66s %8lld\n", what, number);
}

static void print_table(struct e2e *e2e, const struct torture *torture, const struct tally *tally)
{
    const struct plan *plan = torture->plan;
    printf("%s: %d deliveries of %d firings in %d s, Devin failing %d %% and gone for %d s\n",
           plan->name, plan->deliveries, plan->firings, plan->seconds, plan->fail_percent,
           plan->gone_s);
    row("ms that the deliveries took", torture->sent_ms);
    row("deliveries answered 200", atomic_load(&torture->fine));
    row("deliveries answered 202, deferred", atomic_load(&torture->later));
    row("deliveries answered 4xx or 5xx", atomic_load(&torture->refused));
    row("deliveries answered by nobody (the handler was killed)", atomic_load(&torture->broken));
    row("deliveries that raced another one of their firing", atomic_load(&torture->racing));
    row("handlers killed", torture->kills);
    row("messages in the queue, at most", torture->waiting_at_most);
    row("retries by the host that succeeded", lines_of_both(e2e, torture, "[host] retry-devin")
                                                  - lines_of_both(e2e, torture, " failed in "));
    row("retries by the host that failed", lines_of_both(e2e, torture, " failed in "));
    row("ms without a storage", torture->storage_gone_ms);
    row("alerts that could not be stored", lines_of_both(e2e, torture, "\"not_stored\":1"));
    row("of these for want of an answer in time",
        lines_of_both(e2e, torture, "\"store_reason\":\"Storage did not answer in time\""));
    row("ms until the queue was empty, after the last delivery", tally->drain_ms);
    row("firings answered 2xx at least once", tally->owed);
    row("of these without a session (lost)", tally->lost);
    row("firings without a session (never answered 2xx)", tally->without - tally->lost);
    row("firings with more than one session", tally->doubles);
    row("of these with two deliveries under way at once", tally->raced_doubles);
    row("of the others those for which Devin's list could not be read before",
        tally->blind_doubles);
    row("sessions too many", tally->surplus);
    row("sessions of no firing", tally->strangers);
    row("messages in the poison queue", tally->poisoned);
    fflush(stdout);
}

static void keep_logs(struct e2e *e2e, const struct torture *torture)
{
    const char *folder = getenv("TORTURE_LOGS");
    for (int i = 0; folder != NULL && i < HOSTS; i++) {
        const char *host = i == 0 ? "-0.log" : "-1.log";
        FILE *file =
            fopen(joined(e2e->mem, folder, "/", torture->plan->name, host, (char *)NULL), "we");
        struct view said = program_out(&torture->stages[i].app, e2e->mem);
        if (file == NULL)
            return;
        fwrite(said.at, 1, said.len, file);
        fclose(file);
    }
}

/* --- one run --------------------------------------------------------------------------------------- */

static bool start(struct e2e *e2e, struct torture *torture)
{
    const struct plan *plan = torture->plan;
    char options[64];
    struct queue_plan first = { .settings = plan->settings, .is_hosted = true, .hide_s = HIDE_S };
    struct queue_plan second = first;
    second.beside = &torture->stages[0];
    snprintf(options, sizeof options, "{\"fail_percent\":%d}", plan->fail_percent);
    torture->firings = arena_get_array(e2e->mem, (size_t)plan->firings, sizeof *torture->firings);
    torture->order = arena_get_array(e2e->mem, (size_t)plan->deliveries, sizeof *torture->order);
    if (torture->firings == NULL || torture->order == NULL)
        return false;
    plan_order(torture);
    return queue_stage_up(e2e, &first, &torture->stages[0])
           && queue_stage_up(e2e, &second, &torture->stages[1])
           && control_options(torture->stages[0].devin.port, view_of(options));
}

static bool run_senders(struct e2e *e2e, struct torture *torture)
{
    pthread_t senders[SENDERS];
    torture->began_ms = process_now_ms();
    for (int i = 0; i < SENDERS; i++)
        if (pthread_create(&senders[i], NULL, send_all, torture) != 0)
            abort();
    bool ok = torment(e2e, torture);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    torture->sent_ms = process_now_ms() - torture->began_ms;
    return ok;
}

/* The guest goes first: it stands on the other's Azurite and Devin. */
static bool stop(struct e2e *e2e, struct torture *torture)
{
    for (int i = HOSTS - 1; i >= 0; i--) {
        kill(torture->stages[i].app.process.pid, SIGTERM);
        process_end(&torture->stages[i].app.process, 0, PATIENCE_MS);
        program_forget(&torture->stages[i].app);
    }
    process_end(&torture->stages[0].devin.process, SIGTERM, PATIENCE_MS);
    program_forget(&torture->stages[0].devin);
    return azurite_end(e2e, &torture->stages[0].azurite);
}

static bool play(struct e2e *e2e, const struct plan *plan, bool may_double)
{
    static struct torture torture;
    struct tally tally = { 0 };
    torture = (struct torture){ .plan = plan };
    bool ok = start(e2e, &torture);
    if (ok) {
        long long drain_ms = 0;
        ok = run_senders(e2e, &torture);
        ok = drain(e2e, &torture, &drain_ms) && ok;
        tally = tally_of(e2e, &torture);
        tally.drain_ms = drain_ms;
        print_table(e2e, &torture, &tally);
        keep_logs(e2e, &torture);
    }
    ok = stop(e2e, &torture) && ok;
    return ok && tally.lost == 0 && tally.strangers == 0 && tally.poisoned == 0
           && (may_double || tally.doubles == 0) && tally.owed > 0;
}

/* --- what it costs --------------------------------------------------------------------------------- */

struct cost {
    double cpu_ms; /* of the handler, an alert */
    double median_ms;
};

/* User and system time of a process in milliseconds. */
static double cpu_of(pid_t pid)
{
    char path[64];
    char stat[1024];
    unsigned long user = 0;
    unsigned long sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    stat[fread(stat, 1, sizeof stat - 1, file)] = '\0';
    fclose(file);
    char *field = strrchr(stat, ')');
    for (int i = 2; field != NULL && i < 14; i++)
        field = strchr(field + 1, ' ');
    if (field != NULL) {
        user = strtoul(field, &field, 10);
        sys = strtoul(field, NULL, 10);
    }
    return (double)(user + sys) * 1000.0 / (double)sysconf(_SC_CLK_TCK);
}

/* New alerts, one behind the other. */
static bool measure(struct e2e *e2e, const struct queue_stage *stage, int first, int count,
                    double *times)
{
    for (int i = 0; i < count; i++) {
        struct arena mem;
        struct http_answer answer = { 0 };
        char name[64];
        snprintf(name, sizeof name, "cost-%d", first + i);
        arena_init(&mem, 16 * 1024 * 1024);
        double began = figures_now_ms();
        bool ok = queue_stage_post(stage, name, &mem, &answer) && answer.status == 200;
        times[i] = figures_now_ms() - began;
        arena_drop(&mem);
        if (!ok)
            return complain(e2e->why, "an alert of the cost's round was not served", answer.head);
    }
    return true;
}

static void print_cost(const struct cost *without, const struct cost *with, int count)
{
    printf("Cost of writing first, %d alerts one behind the other, against QUEUE=off\n", count);
    printf("  median latency  %8.2f ms with, %8.2f ms without: ratio %.2f\n", with->median_ms,
           without->median_ms, with->median_ms / without->median_ms);
    printf("  handler's CPU   %8.2f ms with, %8.2f ms without: ratio %.2f\n", with->cpu_ms,
           without->cpu_ms, with->cpu_ms / without->cpu_ms);
}

static bool measure_cost(struct e2e *e2e, int count)
{
    static struct queue_stage with;
    static struct queue_stage without;
    struct cost cost[2] = { { 0 } };
    double *times = arena_get_array(e2e->mem, (size_t)count * COST_ROUNDS * 2, sizeof *times);
    bool ok =
        times != NULL && queue_stage_up(e2e, &(struct queue_plan){ .settings = ID PATIENT }, &with)
        && queue_stage_up(
            e2e, &(struct queue_plan){ .settings = ID PATIENT "QUEUE=off\n", .beside = &with },
            &without)
        && measure(e2e, &with, 1000000, count, times)
        && measure(e2e, &without, 2000000, count, times);
    for (int round = 0; ok && round < COST_ROUNDS * 2; round++) {
        const struct queue_stage *stage = round % 2 == 0 ? &without : &with;
        double before = cpu_of(stage->app.process.pid);
        ok = measure(e2e, stage, round * count, count,
                     times + (round % 2 * COST_ROUNDS + round / 2) * count);
        cost[round % 2].cpu_ms += (cpu_of(stage->app.process.pid) - before) / (count * COST_ROUNDS);
    }
    for (int i = 0; ok && i < 2; i++)
        cost[i].median_ms = figures_median(times + (ptrdiff_t)i * COST_ROUNDS * count,
                                           (size_t)COST_ROUNDS * (size_t)count);
    if (ok)
        print_cost(&cost[0], &cost[1], count * COST_ROUNDS);
    ok = queue_stage_down(e2e, &without, NULL) && ok;
    return queue_stage_down(e2e, &with, NULL) && ok;
}

/* --- start ----------------------------------------------------------------------------------------- */

static int number_of(const char *name, int fallback)
{
    long long number;
    return view_to_number(view_of(getenv(name)), 0, 10000000, &number) ? (int)number : fallback;
}

static int at_least_one(int number)
{
    return number > 0 ? number : 1;
}

int main(int argc, char **argv)
{
    struct arena mem;
    struct site site;
    (void)argc;
    signal(SIGPIPE, SIG_IGN);
    arena_init(&mem, RUN_BYTES);
    struct text why = text_in(&mem, 1024 * 1024);
    struct e2e e2e = { &site, NULL, &mem, &why };
    if (!site_find(argv[0], &mem, &site))
        return 1;
    const struct plan v1 = {
        .name = "v1",
        .settings = ID TIMES,
        .deliveries = at_least_one(number_of("TORTURE_DELIVERIES", 10000)),
        .firings = at_least_one(number_of("TORTURE_FIRINGS", 2000)),
        .seconds = number_of("TORTURE_S", 180),
        .gone_s = number_of("TORTURE_GONE_S", 60),
        .kill_ms = at_least_one(number_of("TORTURE_KILL_MS", 5000)),
        .fail_percent = number_of("TORTURE_FAIL_PERCENT", 30),
    };
    struct plan v3 = v1;
    v3.name = "v3";
    v3.settings = ID TIMES V3;
    v3.deliveries = at_least_one(v1.deliveries / 4);
    v3.firings = at_least_one(v1.firings / 4);
    v3.seconds = v1.seconds / 4;
    v3.gone_s = v1.gone_s / 4;
    bool ok = play(&e2e, &v1, false);
    ok = play(&e2e, &v3, true) && ok;
    ok = measure_cost(&e2e, at_least_one(number_of("TORTURE_COST", 300))) && ok;
    if (why.len > 0)
        printf("%.*s", (int)why.len, why.bytes);
    printf("torture: %s\n", ok ? "fine" : "FAILED");
    arena_drop(&mem);
    return ok ? 0 : 1;
}
