/*
 * Whole stories with a real wire, while one allocation after the other fails: the first, the
 * second, and so on until a run needs none that fails.  Each run ends in a session or in a clean
 * failure of ours, gives all memory back, and leaves the next alert unharmed.
 *
 * The linker gives our own code, and with it cJSON, the allocators below (-Wl,--wrap); libcurl is
 * told of them.  Left out: libcrypto, libc itself and civetweb, which have their own.
 */
#include "base/arena.h"
#include "base/json.h"
#include "edge/invocation.h"
#include "edge/queue.h"
#include "edge/settings.h"
#include "support/envelope.h"
#include "support/process.h"
#include "unit/check.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLENTY = 16 * 1024 * 1024, MOST_ALLOCATIONS = 5000 };

/* --- allocators ------------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

enum mode { FAIL_NEVER, FAIL_ONCE, FAIL_FROM_THEN_ON };

static atomic_int mode;
static atomic_long countdown; /* the allocation that makes it 0 fails */
static atomic_long failed;    /* so many have failed */
static atomic_long live;      /* blocks not yet given back */

static bool must_fail(void)
{
    int how = atomic_load(&mode);
    if (how == FAIL_NEVER)
        return false;
    long left = atomic_fetch_sub(&countdown, 1) - 1;
    bool is_failing = left == 0 || (left < 0 && how == FAIL_FROM_THEN_ON);
    atomic_fetch_add(&failed, is_failing);
    return is_failing;
}

void *__wrap_malloc(size_t size)
{
    void *memory = must_fail() ? NULL : __real_malloc(size);
    atomic_fetch_add(&live, memory != NULL);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = must_fail() ? NULL : __real_calloc(count, size);
    atomic_fetch_add(&live, memory != NULL);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    void *larger = must_fail() ? NULL : __real_realloc(memory, size);
    atomic_fetch_add(&live, memory == NULL && larger != NULL);
    return larger;
}

void __wrap_free(void *memory)
{
    atomic_fetch_sub(&live, memory != NULL);
    __real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static char *duplicate(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = __wrap_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, string, size);
}

/* --- a Devin that needs no memory ------------------------------------------------------------- */

enum { MOST_PEERS = 32, REQUEST_BYTES = 64 * 1024 };

#define SESSION                                                        \
    "{\"session_id\":\"s-1\",\"url\":\"https://app.devin.ai/sessions/" \
    "s-1\",\"is_new_session\":true}"

static struct standin {
    int port;
    pthread_t thread;
    struct pollfd fds[MOST_PEERS]; /* the first one listens, the last one ends it */
    struct peer {
        size_t len;
        char bytes[REQUEST_BYTES];
    } peers[MOST_PEERS];
    int end[2];
    atomic_int busy;      /* so many creates are answered 429 first */
    atomic_bool is_proxy; /* somebody took it for one */
} devin;

#define ACCOUNT_PATH "/devstoreaccount1"

static char url[64];
static char account[256]; /* a connection string */
static bool is_storing;   /* QUEUE is on */

/* The length of the first whole request in `bytes`, or 0. */
static size_t whole_request(struct view bytes)
{
    struct view length = VIEW("Content-Length: ");
    long long body = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        struct view rest = view_skip(bytes, i);
        struct view digits;
        struct view tail;
        if (view_starts(rest, length) && view_cut(rest, '\r', &digits, &tail))
            (void)view_to_number(view_skip(digits, length.len), 0, REQUEST_BYTES, &body);
        if (view_starts(rest, VIEW("\r\n\r\n")))
            return i + 4 + (size_t)body <= bytes.len ? i + 4 + (size_t)body : 0;
    }
    return 0;
}

#define RECEIPT                                                                    \
    "<QueueMessagesList><QueueMessage><MessageId>5974b586</MessageId><PopReceipt>" \
    "YzQ4</PopReceipt></QueueMessage></QueueMessagesList>"

/* It is the storage as well: what is put there gets a receipt. */
static void answer_for_storage(int fd)
{
    char text[512];
    int len = snprintf(text, sizeof text, "HTTP/1.1 201 Created\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(RECEIPT), RECEIPT);
    ssize_t sent = send(fd, text, (size_t)len, MSG_NOSIGNAL);
    (void)sent; /* a peer that has gone wants no answer */
}

static void answer(int fd, bool is_create)
{
    static const char busy[] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\n"
                               "Content-Length: 2\r\n\r\n{}";
    static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "54\r\n" SESSION "\r\n0\r\n\r\n";
    bool is_busy = is_create && atomic_fetch_sub(&devin.busy, 1) > 0;
    ssize_t sent = is_busy ? send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL)
                           : send(fd, fine, sizeof fine - 1, MSG_NOSIGNAL);
    (void)sent; /* a peer that has gone wants no answer */
}

static void hear(size_t i)
{
    struct peer *peer = &devin.peers[i];
    int fd = devin.fds[i].fd;
    ssize_t got = recv(fd, peer->bytes + peer->len, REQUEST_BYTES - peer->len, 0);
    if (got <= 0) {
        close(fd);
        devin.fds[i].fd = -1;
        return;
    }
    peer->len += (size_t)got;
    size_t whole = whole_request((struct view){ peer->bytes, peer->len });
    if (whole == 0)
        return;
    struct view request = { peer->bytes, whole };
    if (view_starts(request, VIEW("POST http://")) || view_starts(request, VIEW("GET http://")))
        atomic_store(&devin.is_proxy, true);
    if (view_contains(view_cap(request, 128), VIEW(" " ACCOUNT_PATH "/")))
        answer_for_storage(fd);
    else
        answer(fd, view_starts(request, VIEW("POST ")));
    peer->len -= whole;
    memmove(peer->bytes, peer->bytes + whole, peer->len);
}

static void greet(void)
{
    int fd = accept(devin.fds[0].fd, NULL, NULL);
    size_t i = 1;
    while (i < MOST_PEERS - 1 && devin.fds[i].fd >= 0)
        i++;
    if (i == MOST_PEERS - 1) {
        close(fd);
        return;
    }
    devin.fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
    devin.peers[i].len = 0;
}

static void *run_devin(void *user)
{
    (void)user;
    while (devin.fds[MOST_PEERS - 1].revents == 0) {
        poll(devin.fds, MOST_PEERS, -1);
        for (size_t i = 1; i < MOST_PEERS - 1; i++)
            if (devin.fds[i].fd >= 0 && devin.fds[i].revents != 0)
                hear(i);
        if (devin.fds[0].revents != 0)
            greet();
    }
    return NULL;
}

static int start_devin(void **state)
{
    (void)state;
    struct sockaddr_in self = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof self;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < MOST_PEERS; i++)
        devin.fds[i] = (struct pollfd){ .fd = -1 };
    if (bind(fd, (struct sockaddr *)&self, size) != 0 || listen(fd, 64) != 0
        || getsockname(fd, (struct sockaddr *)&self, &size) != 0 || pipe(devin.end) != 0)
        return -1;
    devin.port = ntohs(self.sin_port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", devin.port);
    snprintf(account, sizeof account,
             "AccountName=devstoreaccount1;AccountKey=a2V5;QueueEndpoint=%s" ACCOUNT_PATH, url);
    setenv("http_proxy", url, 1); /* not for us: see set_url() in wire.c */
    devin.fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
    devin.fds[MOST_PEERS - 1] = (struct pollfd){ .fd = devin.end[0], .events = POLLIN };
    return pthread_create(&devin.thread, NULL, run_devin, NULL);
}

static int stop_devin(void **state)
{
    (void)state;
    ssize_t told = write(devin.end[1], "", 1);
    int code = told == 1 ? pthread_join(devin.thread, NULL) : -1;
    for (size_t i = 0; i < MOST_PEERS; i++)
        if (devin.fds[i].fd >= 0)
            close(devin.fds[i].fd);
    close(devin.end[1]);
    return code;
}

/* --- a story ---------------------------------------------------------------------------------- */

#define SECRET "kPq7-correct-secret"

static const char *look_up(const char *name)
{
    const struct {
        const char *name, *value;
    } values[] = {
        { "DEVIN_API_KEY", "apk_user_test" },
        { "TARGET_REPO", "https://github.com/org/repo" },
        { "WEBHOOK_SECRET", SECRET },
        { "DEVIN_API_URL", url },
        { "DEVIN_RETRY_MS", "1" },
        { "QUEUE", is_storing ? "on" : "off" },
        { "AzureWebJobsStorage", account },
    };
    for (size_t i = 0; i < COUNT_OF(values); i++)
        if (strcmp(values[i].name, name) == 0)
            return values[i].value;
    return NULL;
}

/* What the host posted, and what it got. */
struct play {
    const char *name;
    struct view envelope;
    struct settings settings;
    struct wire_loop *loop;
    struct queue *queue; /* NULL: nothing is stored */
    struct arena mem;    /* of the request */
    struct report report;
    struct failure why;
    struct reply reply;
    bool is_told; /* in a session */
};

static bool begin(struct play *play)
{
    settings_read(&play->settings, look_up);
    play->queue = NULL;
    play->loop = wire_start(&play->settings.wire);
    bool wants_queue = settings_has_queue(&play->settings);
    if (play->loop != NULL && wants_queue)
        play->queue = queue_start(play->loop, &play->settings.account);
    return play->loop != NULL && wants_queue == (play->queue != NULL);
}

static void end(struct play *play)
{
    if (play->loop != NULL)
        wire_stop(play->loop);
    if (play->queue != NULL)
        queue_stop(play->queue);
    settings_drop(&play->settings);
}

static struct triage triage_of(struct play *play)
{
    const struct settings *settings = &play->settings;
    return (struct triage){
        .settings = settings->triage,
        .prompt = settings->prompt,
        .playbook = settings->playbook,
        .devin = settings->devin,
        .wire = wire_of(play->loop),
        .store = play->queue != NULL ? queue_store(play->queue) : (struct store){ 0 },
        .refusal = settings_complaints(&play->settings, true),
    };
}

static bool tell(struct play *play)
{
    const struct settings *settings = &play->settings;
    const struct triage triage = triage_of(play);
    struct request request = { 0 };
    return invocation_open(play->envelope, &play->mem, &request, &play->why)
           && caller_check(&settings->caller, &request, &play->mem, &play->why)
           && triage_run(&triage, &request, &play->mem, &play->report, &play->why);
}

/* As the server does it. */
static void answer_one(struct play *play)
{
    play->report = (struct report){ 0 };
    play->why = (struct failure){ 0 };
    arena_init(&play->mem, PLENTY);
    play->is_told = tell(play);
    play->reply = play->is_told ? triage_reply(&play->report, &play->mem)
                                : triage_reply_failure(&play->why, &play->report, &play->mem);
    struct view closed = invocation_close(&play->reply, VIEW("line"), &play->mem);
    CHECK(play->name, closed.len > 0);
    if (play->queue == NULL)
        return;
    const struct triage triage = triage_of(play);
    triage_settle(&triage, &play->report, &play->mem);
}

static void check_end(const struct play *play)
{
    struct arena mem;
    struct json json;
    struct failure why = { 0 };
    arena_init(&mem, PLENTY);
    bool is_deferred = play->queue != NULL && play->reply.status == 202;
    CHECK(play->name,
          play->is_told ? play->reply.status == 200 || is_deferred : play->reply.status >= 500);
    CHECK(play->name, json_read(play->reply.body, &mem, &json, &why));
    CHECK(play->name, json_is_true(json_at(json.root, "success")) == play->is_told);
    if (play->is_told && !is_deferred)
        CHECK_VIEW(play->name, play->report.outcomes[0].session.id, VIEW("s-1"));
    json_free(&json);
    arena_drop(&mem);
}

static void start_failing(enum mode how, long at)
{
    atomic_store(&failed, 0);
    atomic_store(&countdown, at);
    atomic_store(&mode, (int)how);
}

/* False when none has failed. */
static bool stop_failing(void)
{
    atomic_store(&mode, FAIL_NEVER);
    return atomic_load(&failed) > 0;
}

/* The alert of a play comes again, with all memory there is. */
static void check_next_alert(struct play *play)
{
    atomic_store(&devin.busy, 0);
    answer_one(play);
    CHECK(play->name, play->is_told);
    arena_drop(&play->mem);
}

/* --- tests ------------------------------------------------------------------------------------ */

/* A process that starts: it serves what it was configured for, or says why it does not. */
static bool start_with(struct play *play, enum mode how, long at)
{
    long before = atomic_load(&live);
    start_failing(how, at);
    bool is_up = begin(play);
    struct view fatal = settings_complaints(&play->settings, true);
    bool has_failed = stop_failing();
    CHECK(play->name, has_failed || (is_up && fatal.len == 0));
    CHECK(play->name, fatal.len > 0 || view_equal(play->settings.caller.secret, VIEW(SECRET)));
    if (is_up && fatal.len == 0) {
        answer_one(play);
        CHECK(play->name, play->is_told);
        arena_drop(&play->mem);
    }
    end(play);
    CHECK(play->name, atomic_load(&live) == before);
    return has_failed;
}

/* An alert on a running process. */
static bool play_with(struct play *play, enum mode how, long at, int busy)
{
    long before = atomic_load(&live);
    assert_true(begin(play));
    atomic_store(&devin.busy, busy);
    start_failing(how, at);
    answer_one(play);
    bool has_failed = stop_failing();
    check_end(play);
    CHECK(play->name, has_failed || play->is_told);
    CHECK(play->name, !atomic_load(&devin.is_proxy));
    arena_drop(&play->mem);
    check_next_alert(play);
    end(play);
    CHECK(play->name, atomic_load(&live) == before);
    return has_failed;
}

static struct arena stage; /* what outlives the plays */

static struct play play_of(const char *file)
{
    const struct envelope_request request = {
        .method = VIEW("POST"),
        .target = VIEW("/api/trigger-devin?a=b&token=" SECRET),
        .headers = VIEW("Content-Type: application/json\nAuthorization: Basic eDp5\n"),
        .body = process_read_file(file, &stage),
    };
    CHECK(file, request.body.len > 0);
    return (struct play){ .name = file, .envelope = envelope_wrap(&request, &stage) };
}

static const char *const bodies[] = {
    "tests/cases/samples/generic/full-contract.json",
    "tests/cases/samples/azure-monitor/common-log-v2-embedded-search-results-fired.json",
};

static void starting_is_whole_or_said_to_be_not(void **state)
{
    (void)state;
    static const enum mode modes[] = { FAIL_ONCE, FAIL_FROM_THEN_ON };
    struct play play = play_of(bodies[0]);
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        long at = 1;
        while (at < MOST_ALLOCATIONS && start_with(&play, modes[i], at))
            at += (long)check_step();
        assert_true(at > 3 && at < MOST_ALLOCATIONS);
    }
}

static void each_alert_ends_in_a_session_or_a_clean_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct play play = play_of(bodies[i]);
        long at = 1;
        while (at < MOST_ALLOCATIONS && play_with(&play, FAIL_ONCE, at, i == 0 ? 1 : 0))
            at += (long)check_step();
        print_message("%s: %ld allocations\n", bodies[i], at - 1);
        assert_true(at > 50 && at < MOST_ALLOCATIONS);
    }
}

static void memory_that_stays_away_is_a_clean_failure(void **state)
{
    (void)state;
    struct play play = play_of(bodies[0]);
    long at = 1;
    while (at < MOST_ALLOCATIONS && play_with(&play, FAIL_FROM_THEN_ON, at, 0))
        at += (long)check_step();
    assert_true(at > 50 && at < MOST_ALLOCATIONS);
}

static int start_storing(void **state)
{
    (void)state;
    is_storing = true;
    return 0;
}

static int stop_storing(void **state)
{
    (void)state;
    is_storing = false;
    return 0;
}

#define STORING(test) cmocka_unit_test_setup_teardown(test, start_storing, stop_storing)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starting_is_whole_or_said_to_be_not),
        cmocka_unit_test(each_alert_ends_in_a_session_or_a_clean_failure),
        cmocka_unit_test(memory_that_stays_away_is_a_clean_failure),
        STORING(starting_is_whole_or_said_to_be_not),
        STORING(each_alert_ends_in_a_session_or_a_clean_failure),
        STORING(memory_that_stays_away_is_a_clean_failure),
    };
    arena_init(&stage, PLENTY);
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, __wrap_free, __wrap_realloc,
                             duplicate, __wrap_calloc)
        != CURLE_OK)
        return 1;
    int code = cmocka_run_group_tests(tests, start_devin, stop_devin);
    curl_global_cleanup();
    arena_drop(&stage);
    return code;
}
