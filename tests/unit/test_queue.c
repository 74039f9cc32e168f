/*
 * The queue's client on a real wire, against a storage that plays a script: which requests it makes,
 * on how many connections, and what it says of each answer.
 */
#include "edge/queue.h"

#include "base/arena.h"
#include "edge/clock.h"
#include "unit/check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PLENTY = 16 * 1024 * 1024, MOST_PEERS = 16, MOST_REQUESTS = 64, REQUEST_BYTES = 96 * 1024 };
enum { PATIENCE_MS = 60000, SHORT_MS = 50, SILENCE = -1, HANG_UP = -2 };

#define DEVINS_KEY "apk_user_devins_own"
#define ID         "5974b586-0df3-4e2d-ad0c-18e3892bfca2"
#define RECEIPT                                                              \
    "<?xml version=\"1.0\"?><QueueMessagesList><QueueMessage><MessageId>" ID \
    "</MessageId><PopReceipt>a+b/c==</PopReceipt></QueueMessage></QueueMessagesList>"
#define ERROR(code) \
    "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>peer's</Message></Error>"
#define PUT_LINE    "POST /devstoreaccount1/triage/messages?messagettl=-1&visibilitytimeout=60 "
#define TOKEN_LINE  "GET /token?resource=https%3A%2F%2Fstorage.azure.com%2F&api-version=2019-08-01 "
#define TOKEN(word) "{\"access_token\":\"" word "\",\"expires_in\":3600}"

/* --- a storage that plays a script ------------------------------------------------------------ */

/* One request that is awaited, how it begins, and its answer. */
struct step {
    const char *request;
    int status; /* or SILENCE, or HANG_UP */
    const char *body;
    const char *headers; /* further lines, or NULL */
};

static struct {
    int port;
    pthread_t thread;
    struct pollfd fds[MOST_PEERS]; /* the first one listens, the last one ends it */
    struct peer {
        size_t len;
        char bytes[REQUEST_BYTES];
    } peers[MOST_PEERS];
    int end[2];

    pthread_mutex_t lock; /* for what follows */
    const struct step *steps;
    size_t step_count;
    char requests[MOST_REQUESTS][REQUEST_BYTES];
    size_t request_count;
    int connections;
} storage;

/* The length of the first whole request in `bytes`, or 0. */
static size_t whole_request(struct view bytes)
{
    static const char mark[] = "\r\nContent-Length: ";
    long long body = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        struct view rest = view_skip(bytes, i);
        struct view digits;
        struct view tail;
        if (view_starts(rest, VIEW(mark)) && view_cut(view_skip(rest, 2), '\r', &digits, &tail))
            (void)view_to_number(view_skip(digits, sizeof mark - 3), 0, REQUEST_BYTES, &body);
        if (view_starts(rest, VIEW("\r\n\r\n")))
            return i + 4 + (size_t)body <= bytes.len ? i + 4 + (size_t)body : 0;
    }
    return 0;
}

static void hang_up(size_t i)
{
    close(storage.fds[i].fd);
    storage.fds[i].fd = -1;
}

/* A request behind the script's end is answered as its last one. */
static void play_step(size_t i, struct view request)
{
    static char answer[8192];
    pthread_mutex_lock(&storage.lock);
    size_t number = storage.request_count;
    if (number < MOST_REQUESTS) {
        struct text kept = text_over(storage.requests[number], REQUEST_BYTES);
        text_add(&kept, request);
        storage.request_count++;
    }
    const struct step *step =
        &storage.steps[number < storage.step_count ? number : storage.step_count - 1];
    pthread_mutex_unlock(&storage.lock);
    if (step->status == HANG_UP)
        hang_up(i);
    if (step->status < 0)
        return;
    int len = snprintf(answer, sizeof answer, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s",
                       step->status, strlen(step->body), step->headers == NULL ? "" : step->headers,
                       step->body);
    ssize_t sent = send(storage.fds[i].fd, answer, (size_t)len, MSG_NOSIGNAL);
    (void)sent; /* a peer that has gone wants no answer */
}

static void hear(size_t i)
{
    struct peer *peer = &storage.peers[i];
    ssize_t got = recv(storage.fds[i].fd, peer->bytes + peer->len, REQUEST_BYTES - peer->len, 0);
    if (got <= 0) {
        hang_up(i);
        return;
    }
    peer->len += (size_t)got;
    size_t whole = whole_request((struct view){ peer->bytes, peer->len });
    if (whole == 0)
        return;
    play_step(i, (struct view){ peer->bytes, whole });
    peer->len -= whole;
    memmove(peer->bytes, peer->bytes + whole, peer->len);
}

static void greet(void)
{
    int fd = accept(storage.fds[0].fd, NULL, NULL);
    size_t i = 1;
    while (i < MOST_PEERS - 1 && storage.fds[i].fd >= 0)
        i++;
    if (i == MOST_PEERS - 1) {
        close(fd);
        return;
    }
    storage.fds[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
    storage.peers[i].len = 0;
    pthread_mutex_lock(&storage.lock);
    storage.connections++;
    pthread_mutex_unlock(&storage.lock);
}

static void *run_storage(void *user)
{
    (void)user;
    while (storage.fds[MOST_PEERS - 1].revents == 0) {
        poll(storage.fds, MOST_PEERS, -1);
        for (size_t i = 1; i < MOST_PEERS - 1; i++)
            if (storage.fds[i].fd >= 0 && storage.fds[i].revents != 0)
                hear(i);
        if (storage.fds[0].revents != 0)
            greet();
    }
    return NULL;
}

static int start_storage(void **state)
{
    (void)state;
    struct sockaddr_in self = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof self;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < MOST_PEERS; i++)
        storage.fds[i] = (struct pollfd){ .fd = -1 };
    pthread_mutex_init(&storage.lock, NULL);
    if (bind(fd, (struct sockaddr *)&self, size) != 0 || listen(fd, 64) != 0
        || getsockname(fd, (struct sockaddr *)&self, &size) != 0 || pipe(storage.end) != 0)
        return -1;
    storage.port = ntohs(self.sin_port);
    storage.fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
    storage.fds[MOST_PEERS - 1] = (struct pollfd){ .fd = storage.end[0], .events = POLLIN };
    return pthread_create(&storage.thread, NULL, run_storage, NULL);
}

static int stop_storage(void **state)
{
    (void)state;
    ssize_t told = write(storage.end[1], "", 1);
    int code = told == 1 ? pthread_join(storage.thread, NULL) : -1;
    for (size_t i = 0; i < MOST_PEERS; i++)
        if (storage.fds[i].fd >= 0)
            close(storage.fds[i].fd);
    close(storage.end[1]);
    pthread_mutex_destroy(&storage.lock);
    return code;
}

static void play(const struct step *steps, size_t count)
{
    pthread_mutex_lock(&storage.lock);
    storage.steps = steps;
    storage.step_count = count;
    storage.request_count = 0;
    storage.connections = 0;
    pthread_mutex_unlock(&storage.lock);
}

#define PLAY(steps) play((steps), COUNT_OF(steps))

static size_t count_requests(void)
{
    pthread_mutex_lock(&storage.lock);
    size_t count = storage.request_count;
    pthread_mutex_unlock(&storage.lock);
    return count;
}

/* --- a client --------------------------------------------------------------------------------- */

static struct wire_settings wire_settings = { .api_url = { "http://127.0.0.1:1", 18 },
                                              .api_key = { DEVINS_KEY, sizeof DEVINS_KEY - 1 } };
static struct arena mem;
static struct account account;
static struct wire_loop *loop;
static struct queue *queue;
static struct store store;

static void start_client(void)
{
    loop = wire_start(&wire_settings);
    assert_non_null(loop);
    queue = queue_start(loop, &account);
    assert_non_null(queue);
    store = queue_store(queue);
}

static int set_up(void **state)
{
    (void)state;
    static char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/devstoreaccount1", storage.port);
    arena_init(&mem, PLENTY);
    account = (struct account){ .name = VIEW("devstoreaccount1"),
                                .queue_url = view_of(url),
                                .key = VIEW("key") };
    start_client();
    return 0;
}

static int stop_client(void **state)
{
    (void)state;
    if (loop == NULL)
        return 0;
    wire_stop(loop);
    queue_stop(queue);
    loop = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)stop_client(state);
    arena_drop(&mem);
    return 0;
}

static void use_identity(void)
{
    static char endpoint[64];
    (void)stop_client(NULL);
    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d/token", storage.port);
    account.key = (struct view){ 0 };
    account.identity_endpoint = view_of(endpoint);
    account.identity_header = VIEW("h-1");
    start_client();
}

static bool put(struct receipt *out, struct failure *why)
{
    long long spent_ms = -1;
    *why = (struct failure){ 0 };
    bool is_put = store.put(store.state, STORE_TRIAGE, VIEW("{\"v\":1}"), 60, PATIENCE_MS, &mem,
                            out, &spent_ms, why);
    assert_true(spent_ms >= 0 && spent_ms <= PATIENCE_MS);
    return is_put;
}

/* Just the requests that were awaited have come, and none of them knows Devin's key. */
static void check_requests(const struct step *steps, size_t count)
{
    pthread_mutex_lock(&storage.lock);
    for (size_t i = 0; i < storage.request_count; i++) {
        struct view request = view_of(storage.requests[i]);
        const char *wanted = steps[i < count ? i : count - 1].request;
        CHECK_VIEW(wanted, view_cap(request, strlen(wanted)), view_of(wanted));
        CHECK(wanted, !view_contains(request, VIEW(DEVINS_KEY)));
    }
    CHECK(steps[0].request, storage.request_count == count);
    pthread_mutex_unlock(&storage.lock);
}

#define CHECK_REQUESTS(steps) check_requests((steps), COUNT_OF(steps))

/* --- tests ------------------------------------------------------------------------------------ */

static void puts_take_one_round_trip_each_on_one_connection(void **state)
{
    (void)state;
    static const struct step steps[] = { { PUT_LINE, 201, RECEIPT, NULL } };
    enum { PUTS = 20 };
    PLAY(steps);
    for (int i = 0; i < PUTS; i++) {
        struct receipt receipt;
        struct failure why;
        assert_true(put(&receipt, &why));
        CHECK_VIEW("id", receipt.id, VIEW(ID));
        CHECK_VIEW("pop", receipt.pop, VIEW("a+b/c=="));
    }
    assert_int_equal(count_requests(), PUTS);
    assert_int_equal(storage.connections, 1);
    struct view request = view_of(storage.requests[PUTS - 1]);
    assert_true(view_contains(request, VIEW("\r\nAuthorization: SharedKey devstoreaccount1:")));
    assert_true(view_contains(request, VIEW("\r\nContent-Type: application/xml\r\n")));
    assert_true(view_contains(request, VIEW("<QueueMessage><MessageText>eyJ2IjoxfQ==</MessageText>"
                                            "</QueueMessage>")));
    assert_false(view_contains(request, VIEW("Expect:")));
    assert_false(view_contains(request, VIEW(DEVINS_KEY)));
}

enum { AT_ONCE = 12, ROUNDS = 5 };

static pthread_barrier_t round_starts;

static void *put_each_round(void *user)
{
    bool *is_fine = user;
    struct arena own;
    arena_init(&own, PLENTY);
    for (int i = 0; i < ROUNDS; i++) {
        struct receipt receipt;
        struct failure why;
        pthread_barrier_wait(&round_starts);
        *is_fine = queue_put(queue, STORE_TRIAGE, VIEW("x"), 60, PATIENCE_MS, &own, &receipt, &why)
                   && *is_fine;
    }
    arena_drop(&own);
    return NULL;
}

/* A round finds the connections of the last one, however many were idle meanwhile. */
static void bursts_keep_their_connections(void **state)
{
    (void)state;
    static const struct step steps[] = { { PUT_LINE, 201, RECEIPT, NULL } };
    pthread_t threads[AT_ONCE];
    bool are_fine[AT_ONCE];
    PLAY(steps);
    assert_int_equal(pthread_barrier_init(&round_starts, NULL, AT_ONCE), 0);
    for (int i = 0; i < AT_ONCE; i++) {
        are_fine[i] = true;
        assert_int_equal(pthread_create(&threads[i], NULL, put_each_round, &are_fine[i]), 0);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(threads[i], NULL);
        assert_true(are_fine[i]);
    }
    pthread_barrier_destroy(&round_starts);
    assert_int_equal(count_requests(), AT_ONCE * ROUNDS);
    assert_true(storage.connections <= AT_ONCE);
}

static void a_missing_queue_is_created(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { PUT_LINE, 404, ERROR("QueueNotFound"), NULL },
        { "PUT /devstoreaccount1/triage ", 201, "", NULL },
        { PUT_LINE, 201, RECEIPT, NULL },
    };
    struct receipt receipt;
    struct failure why;
    PLAY(steps);
    assert_true(put(&receipt, &why));
    CHECK_REQUESTS(steps);
    assert_true(view_contains(view_of(storage.requests[1]), VIEW("\r\nContent-Length: 0\r\n")));
    assert_false(view_contains(view_of(storage.requests[1]), VIEW("Content-Type")));
    assert_int_equal(storage.connections, 1);
}

static void a_queue_is_created_once(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { PUT_LINE, 404, ERROR("QueueNotFound"), NULL },
        { "PUT /devstoreaccount1/triage ", 204, "", NULL },
        { PUT_LINE, 404, ERROR("QueueNotFound"), NULL },
    };
    struct receipt receipt;
    struct failure why;
    PLAY(steps);
    assert_false(put(&receipt, &why));
    CHECK_REQUESTS(steps);
    assert_string_equal(why.reason, "The queue does not exist");
}

static const struct {
    struct step step;
    const char *reason;
} refusals[] = {
    { { PUT_LINE, 403, ERROR("AuthenticationFailed"), NULL },
      "Storage refuses the key in AzureWebJobsStorage" },
    { { PUT_LINE, 401, ERROR("x"), NULL }, "Storage refuses the key in AzureWebJobsStorage" },
    { { PUT_LINE, 404, ERROR("ResourceNotFound"), NULL },
      "Storage knows no such account or queue: check AzureWebJobsStorage" },
    { { PUT_LINE, 404, "<html>", NULL },
      "Storage knows no such account or queue: check AzureWebJobsStorage" },
    { { PUT_LINE, 409, ERROR("QueueBeingDeleted"), NULL },
      "The queue is being deleted: try again in a minute" },
    { { PUT_LINE, 413, ERROR("RequestBodyTooLarge"), NULL },
      "Storage takes no message of this size" },
    { { PUT_LINE, 429, "", NULL }, "Storage is busy" },
    { { PUT_LINE, 503, ERROR("ServerBusy"), NULL }, "Storage is busy" },
    { { PUT_LINE, 500, ERROR("InternalError"), NULL }, "Storage outage" },
    { { PUT_LINE, 400, ERROR("InvalidHeaderValue"), NULL }, "Storage rejected the request" },
    { { PUT_LINE, 307, "", "Location: http://127.0.0.1:1/\r\n" }, "Storage rejected the request" },
    { { PUT_LINE, 201, "", NULL }, "Storage answered without a receipt" },
    { { PUT_LINE, 201, "<QueueMessagesList/>", NULL }, "Storage answered without a receipt" },
    { { PUT_LINE, 200, "<html>a proxy's page</html>", NULL },
      "Storage answered without a receipt" },
    { { PUT_LINE, HANG_UP, NULL, NULL }, "Network error to Storage" },
};

static void refusals_are_told_in_our_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        const char *row = refusals[i].reason;
        struct receipt receipt;
        struct failure why;
        play(&refusals[i].step, 1);
        CHECK(row, !put(&receipt, &why));
        CHECK_VIEW(row, view_of(why.reason), view_of(row));
        CHECK(row, why.kind == FAIL_STORE_DOWN);
        CHECK(row, !view_contains(view_of(why.detail), VIEW("peer")));
    }
}

static void patience_ends(void **state)
{
    (void)state;
    static const struct step steps[] = { { PUT_LINE, SILENCE, NULL, NULL } };
    struct receipt receipt;
    struct failure why = { 0 };
    PLAY(steps);
    assert_false(queue_put(queue, STORE_TRIAGE, VIEW("x"), 60, SHORT_MS, &mem, &receipt, &why));
    assert_string_equal(why.reason, "Storage did not answer in time");
}

/* Without the limit it would wait for good: the alarm ends the test then. */
static void no_time_is_not_all_the_time(void **state)
{
    (void)state;
    static const struct step steps[] = { { "GET ", SILENCE, NULL, NULL } };
    static const long long none[] = { 0, -5 };
    const struct fetch fetch = { .method = "GET", .url = account.queue_url };
    PLAY(steps);
    alarm(60);
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        struct fetched fetched;
        wire_fetch(loop, &fetch, none[i], &mem, &fetched);
        assert_int_equal(fetched.answer.kind, ANSWER_TIMEOUT);
    }
    alarm(0);
}

static void what_is_too_large_is_not_sent(void **state)
{
    (void)state;
    static const struct step steps[] = { { PUT_LINE, 201, RECEIPT, NULL } };
    static char large[80 * 1024];
    struct receipt receipt;
    struct failure why = { 0 };
    PLAY(steps);
    assert_false(queue_put(queue, STORE_TRIAGE, (struct view){ large, sizeof large }, 60,
                           PATIENCE_MS, &mem, &receipt, &why));
    assert_string_equal(why.reason, "The message is too large for Storage");
    assert_int_equal(count_requests(), 0);
}

/* It is under way when nobody asks any more, and still arrives. */
static void removals_go_out_while_nobody_waits(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { "DELETE /devstoreaccount1/triage/messages/" ID "?popreceipt=a%2Bb%2Fc%3D%3D ", 204, "",
          NULL },
        { "DELETE /devstoreaccount1/triage/messages/" ID "?popreceipt=a%2Bb%2Fc%3D%3D ", 404,
          ERROR("MessageNotFound"), NULL },
    };
    char id[] = ID;
    char pop[] = "a+b/c==";
    const struct receipt receipt = { view_of(id), view_of(pop) };
    PLAY(steps);
    store.remove(store.state, &receipt);
    store.remove(store.state, &receipt);
    memset(id, 'x', sizeof id - 1); /* it has its own */
    memset(pop, 'x', sizeof pop - 1);
    (void)stop_client(NULL);
    CHECK_REQUESTS(steps);
}

static struct {
    atomic_int told;
    int status;
    char header[16];
} heard;

static void hear_later(void *state, const struct fetched *fetched)
{
    assert_ptr_equal(state, &heard);
    struct text text = text_over(heard.header, sizeof heard.header);
    text_add(&text, fetched->header);
    heard.status = fetched->answer.status;
    atomic_fetch_add(&heard.told, 1);
}

static void what_nobody_waits_for_is_copied(void **state)
{
    (void)state;
    static const struct step steps[] = { { "POST /later ", 202, "x", "X-Count: 7\r\n" } };
    char url[64];
    char body[] = "the body";
    char value[] = "value";
    struct header header = { VIEW("X-Name"), view_of(value) };
    snprintf(url, sizeof url, "http://127.0.0.1:%d/later", storage.port);
    const struct fetch fetch = { "POST", view_of(url), &header, 1, view_of(body), "x-count" };
    PLAY(steps);
    memset(&heard, 0, sizeof heard);
    wire_fetch_later(loop, &fetch, PATIENCE_MS, hear_later, &heard);
    memset(url, 'x', sizeof url - 1);
    memset(body, 'x', sizeof body - 1);
    memset(value, 'x', sizeof value - 1);
    (void)stop_client(NULL);
    CHECK_REQUESTS(steps);
    assert_true(view_contains(view_of(storage.requests[0]), VIEW("\r\nX-Name: value\r\n")));
    assert_true(view_contains(view_of(storage.requests[0]), VIEW("\r\n\r\nthe body")));
    assert_int_equal(atomic_load(&heard.told), 1);
    assert_int_equal(heard.status, 202);
    assert_string_equal(heard.header, "7");
}

/* A storage that hangs holds nothing up for long. */
static void removals_end_with_the_process(void **state)
{
    (void)state;
    static const struct step steps[] = { { "DELETE ", SILENCE, NULL, NULL } };
    const struct receipt receipt = { VIEW(ID), VIEW("p") };
    PLAY(steps);
    for (int i = 0; i < 5; i++)
        store.remove(store.state, &receipt);
    while (count_requests() < 5)
        poll(NULL, 0, 1);
    (void)stop_client(NULL);
    assert_int_equal(count_requests(), 5);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { "GET /devstoreaccount1/triage-poison/messages?numofmessages=32&peekonly=true ", 200,
          RECEIPT, NULL },
        { "GET /devstoreaccount1/triage/messages?numofmessages=32&visibilitytimeout=30 ", 200,
          RECEIPT, NULL },
        { "GET /devstoreaccount1/triage?comp=metadata ", 200, "",
          "X-Ms-Approximate-Messages-Count: 1234\r\n" },
        { "PUT /devstoreaccount1/triage/messages/" ID
          "?popreceipt=a%2Bb%2Fc%3D%3D&visibilitytimeout=0 ",
          204, "", NULL },
        { "DELETE /devstoreaccount1/triage-poison/messages/" ID "?popreceipt=a%2Bb%2Fc%3D%3D ", 204,
          "", NULL },
    };
    struct queue_messages messages;
    struct failure why = { 0 };
    long long count = 0;
    const struct receipt receipt = { VIEW(ID), VIEW("a+b/c==") };
    PLAY(steps);
    assert_true(queue_peek(queue, STORE_POISON, PATIENCE_MS, &mem, &messages, &why));
    assert_int_equal(messages.count, 1);
    assert_true(queue_take(queue, STORE_TRIAGE, 30, PATIENCE_MS, &mem, &messages, &why));
    assert_int_equal(messages.count, 1);
    assert_true(queue_count(queue, STORE_TRIAGE, PATIENCE_MS, &mem, &count, &why));
    assert_int_equal(count, 1234);
    assert_true(queue_hide(queue, STORE_TRIAGE, &receipt, 0, PATIENCE_MS, &mem, &why));
    assert_true(queue_delete(queue, STORE_POISON, &receipt, PATIENCE_MS, &mem, &why));
    CHECK_REQUESTS(steps);
}

static void a_missing_queue_is_an_empty_one(void **state)
{
    (void)state;
    static const struct step steps[] = { { "GET ", 404, ERROR("QueueNotFound"), NULL } };
    struct queue_messages messages;
    struct failure why = { 0 };
    long long count = 7;
    PLAY(steps);
    assert_true(queue_peek(queue, STORE_TRIAGE, PATIENCE_MS, &mem, &messages, &why));
    assert_int_equal(messages.count, 0);
    assert_true(queue_take(queue, STORE_TRIAGE, 30, PATIENCE_MS, &mem, &messages, &why));
    assert_int_equal(messages.count, 0);
    assert_true(queue_count(queue, STORE_TRIAGE, PATIENCE_MS, &mem, &count, &why));
    assert_int_equal(count, 0);
}

static void an_identity_is_asked_once(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { TOKEN_LINE, 200, TOKEN("t-1"), NULL },
        { PUT_LINE, 201, RECEIPT, NULL },
        { PUT_LINE, 201, RECEIPT, NULL },
        { PUT_LINE, 201, RECEIPT, NULL },
    };
    struct receipt receipt;
    struct failure why;
    use_identity();
    PLAY(steps);
    for (int i = 0; i < 3; i++)
        assert_true(put(&receipt, &why));
    CHECK_REQUESTS(steps);
    assert_true(
        view_contains(view_of(storage.requests[0]), VIEW("\r\nX-IDENTITY-HEADER: h-1\r\n")));
    assert_false(view_contains(view_of(storage.requests[0]), VIEW("Authorization")));
    assert_true(
        view_contains(view_of(storage.requests[3]), VIEW("\r\nAuthorization: Bearer t-1\r\n")));
    assert_false(view_contains(view_of(storage.requests[3]), VIEW("h-1")));
}

static void a_refused_token_is_renewed_once(void **state)
{
    (void)state;
    static const struct step steps[] = {
        { TOKEN_LINE, 200, TOKEN("t-1"), NULL },
        { PUT_LINE, 401, ERROR("InvalidAuthenticationInfo"), NULL },
        { TOKEN_LINE, 200, TOKEN("t-2"), NULL },
        { PUT_LINE, 201, RECEIPT, NULL },
        { PUT_LINE, 401, ERROR("InvalidAuthenticationInfo"), NULL },
        { TOKEN_LINE, 200, TOKEN("t-3"), NULL },
        { PUT_LINE, 401, ERROR("InvalidAuthenticationInfo"), NULL },
    };
    struct receipt receipt;
    struct failure why;
    use_identity();
    PLAY(steps);
    assert_true(put(&receipt, &why));
    assert_false(put(&receipt, &why));
    assert_true(view_starts(view_of(why.reason), VIEW("Storage refuses the identity")));
    CHECK_REQUESTS(steps);
}

static const struct {
    struct step step;
    const char *reason;
} no_tokens[] = {
    { { TOKEN_LINE, 400, "{\"message\":\"peer's\"}", NULL },
      "The platform knows no such identity" },
    { { TOKEN_LINE, 500, "", NULL }, "The identity endpoint gives no token" },
    { { TOKEN_LINE, 200, "{}", NULL }, "The identity endpoint gives no token" },
    { { TOKEN_LINE, HANG_UP, NULL, NULL }, "The identity endpoint cannot be reached" },
};

static void without_a_token_nothing_is_put(void **state)
{
    (void)state;
    use_identity();
    for (size_t i = 0; i < COUNT_OF(no_tokens); i++) {
        const char *row = no_tokens[i].reason;
        struct receipt receipt;
        struct failure why;
        play(&no_tokens[i].step, 1);
        CHECK(row, !put(&receipt, &why));
        CHECK_VIEW(row, view_cap(view_of(why.reason), strlen(row)), view_of(row));
        /* On a kept connection that ends libcurl asks a second time. */
        for (size_t r = 0; r < count_requests(); r++)
            CHECK(row, view_starts(view_of(storage.requests[r]), VIEW(TOKEN_LINE)));
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_take_one_round_trip_each_on_one_connection),
        TEST(bursts_keep_their_connections),
        TEST(a_missing_queue_is_created),
        TEST(a_queue_is_created_once),
        TEST(refusals_are_told_in_our_words),
        TEST(patience_ends),
        TEST(no_time_is_not_all_the_time),
        TEST(what_is_too_large_is_not_sent),
        TEST(removals_go_out_while_nobody_waits),
        TEST(what_nobody_waits_for_is_copied),
        TEST(removals_end_with_the_process),
        TEST(looking_takes_nothing),
        TEST(a_missing_queue_is_an_empty_one),
        TEST(an_identity_is_asked_once),
        TEST(a_refused_token_is_renewed_once),
        TEST(without_a_token_nothing_is_put),
    };
    return cmocka_run_group_tests(tests, start_storage, stop_storage);
}
