/* Connection strings and identities, and requests signed as another implementation signs them. */
#include "edge/storage.h"

#include "base/arena.h"
#include "unit/check.h"

enum { PLENTY = 1024 * 1024 };

/* Bytes 0 to 63. */
#define KEY \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
#define DEVELOPMENT "http://127.0.0.1:10001/devstoreaccount1"
#define CHINA       "core.chinacloudapi.cn"
#define NO_NAME     "AzureWebJobsStorage has no usable AccountName"
#define NO_KEY      "AzureWebJobsStorage has no AccountKey in base64"
#define NOT_SAFE    "AzureWebJobsStorage names a queue service that is not a plain https:// URL"
#define NOT_PLAIN   "AzureWebJobsStorage names a queue service that is not a plain URL"

static struct arena mem;

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    return 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *connection;
    const char *name, *url; /* what it comes to */
    const char *complaint;  /* or how the complaint begins */
} connections[] = {
    { "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=" KEY
      ";EndpointSuffix=core.windows.net",
      "acc", "https://acc.queue.core.windows.net", NULL },
    { "AccountName=acc;AccountKey=" KEY, "acc", "https://acc.queue.core.windows.net", NULL },
    { "AccountKey=" KEY ";AccountName=acc;", "acc", "https://acc.queue.core.windows.net", NULL },
    { " accountname = acc ; ACCOUNTKEY = " KEY " ;; ", "acc", "https://acc.queue.core.windows.net",
      NULL },
    { "AccountName=acc;AccountKey=" KEY ";EndpointSuffix=" CHINA, "acc", "https://acc.queue." CHINA,
      NULL },
    { "AccountName=acc;AccountKey=" KEY ";QueueEndpoint=https://q.example.com/", "acc",
      "https://q.example.com", NULL },
    { "AccountName=acc;AccountKey=" KEY ";QueueEndpoint=https://q.example.com/acc;EndpointSuffix=x",
      "acc", "https://q.example.com/acc", NULL },
    { "AccountName=acc;AccountKey=" KEY ";BlobEndpoint=https://b.example.com;Unknown=1", "acc",
      "https://acc.queue.core.windows.net", NULL },
    { "UseDevelopmentStorage=true", "devstoreaccount1", DEVELOPMENT, NULL },
    { "usedevelopmentstorage=True;", "devstoreaccount1", DEVELOPMENT, NULL },
    { "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite", "devstoreaccount1",
      "http://azurite:10001/devstoreaccount1", NULL },
    { "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite:8080/",
      "devstoreaccount1", "http://azurite:10001/devstoreaccount1", NULL },
    { "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=ftp://azurite", NULL, NULL, NOT_SAFE },
    { "AccountName=devstoreaccount1;AccountKey=" KEY
      ";QueueEndpoint=http://azurite:10001/devstoreaccount1",
      "devstoreaccount1", "http://azurite:10001/devstoreaccount1", NULL },
    { "AccountName=acc;AccountKey=" KEY ";QueueEndpoint=http://127.0.0.1:9/acc", "acc",
      "http://127.0.0.1:9/acc", NULL },
    { "AccountName=acc;AccountKey=" KEY ";QueueEndpoint=http://azurite:10001/acc", NULL, NULL,
      NOT_SAFE },
    { "AccountName=acc;AccountKey=" KEY ";DefaultEndpointsProtocol=http", NULL, NULL, NOT_SAFE },
    { "AccountName=acc;AccountKey=" KEY ";EndpointSuffix=x/?y", NULL, NULL, NOT_SAFE },
    { "AccountName=acc;AccountKey=" KEY ";QueueEndpoint=https://u:p@q.example.com", NULL, NULL,
      NOT_SAFE },
    { "AccountName=devstoreaccount1;AccountKey=" KEY ";QueueEndpoint=http://u@azurite", NULL, NULL,
      NOT_PLAIN },
    { "AccountName=acc;AccountKey=", NULL, NULL, NO_KEY },
    { "AccountName=acc", NULL, NULL, NO_KEY },
    { "AccountName=acc;AccountKey=not base64", NULL, NULL, NO_KEY },
    { "AccountName=acc;AccountKey=AAA", NULL, NULL, NO_KEY },
    { "AccountKey=" KEY, NULL, NULL, NO_NAME },
    { "AccountName=;AccountKey=" KEY, NULL, NULL, NO_NAME },
    { "AccountName=evil.example.com/;AccountKey=" KEY, NULL, NULL, NO_NAME },
    { "AccountName=a\r\nb;AccountKey=" KEY, NULL, NULL, NO_NAME },
    { "UseDevelopmentStorage=false", NULL, NULL, NO_NAME },
    { "=;=;;", NULL, NULL, NO_NAME },
    { "nonsense", NULL, NULL, NO_NAME },
    { "QueueEndpoint=https://q;SharedAccessSignature=sv=1&sig=x", NULL, NULL,
      "AzureWebJobsStorage holds a SharedAccessSignature" },
};

#define ENDPOINT                                  \
    {                                             \
        "http://169.254.130.2:8081/msi/token", 35 \
    }
#define HEADER \
    {          \
        "h", 1 \
    }

static const struct {
    struct storage_settings settings;
    const char *url, *complaint;
} identities[] = {
    { { .account_name = { "acc", 3 }, .identity_endpoint = ENDPOINT, .identity_header = HEADER },
      "https://acc.queue.core.windows.net",
      NULL },
    { { .account_name = { "acc", 3 },
        .credential = { "ManagedIdentity", 15 },
        .client_id = { "c", 1 },
        .identity_endpoint = ENDPOINT,
        .identity_header = HEADER },
      "https://acc.queue.core.windows.net",
      NULL },
    { { .account_name = { "acc", 3 },
        .queue_uri = { "https://q.example.com/", 22 },
        .identity_endpoint = ENDPOINT,
        .identity_header = HEADER },
      "https://q.example.com",
      NULL },
    { { .queue_uri = { "https://127.0.0.1:9/a", 21 },
        .identity_endpoint = ENDPOINT,
        .identity_header = HEADER },
      "https://127.0.0.1:9/a",
      NULL },
    { { .connection = { 0 } }, NULL, "AzureWebJobsStorage is not set" },
    { { .account_name = { "a.b", 3 }, .identity_endpoint = ENDPOINT, .identity_header = HEADER },
      NULL,
      "AzureWebJobsStorage__accountName must be the name of a storage account" },
    { { .queue_uri = { "http://q.example.com", 20 },
        .identity_endpoint = ENDPOINT,
        .identity_header = HEADER },
      NULL,
      "AzureWebJobsStorage__queueServiceUri must be a plain https:// URL" },
    { { .account_name = { "acc", 3 },
        .credential = { "x", 1 },
        .identity_endpoint = ENDPOINT,
        .identity_header = HEADER },
      NULL,
      "AzureWebJobsStorage__credential must be managedidentity" },
    { { .account_name = { "acc", 3 }, .identity_header = HEADER },
      NULL,
      "AzureWebJobsStorage__accountName needs a managed identity" },
    { { .account_name = { "acc", 3 }, .identity_endpoint = ENDPOINT },
      NULL,
      "AzureWebJobsStorage__accountName needs a managed identity" },
    { { .queue_uri = { "https://q", 9 } },
      NULL,
      "AzureWebJobsStorage__queueServiceUri needs a managed identity" },
    { { .account_name = { "acc", 3 },
        .identity_endpoint = { "http://a b", 10 },
        .identity_header = HEADER },
      NULL,
      "IDENTITY_ENDPOINT must be a URL" },
};

#define AZURE                                                                            \
    {                                                                                    \
        "AccountName=acc;AccountKey=" KEY, sizeof("AccountName=acc;AccountKey=" KEY) - 1 \
    }

/* The signatures were made once by Python's hmac, after the rules that the service publishes. */
static const struct {
    struct view connection;
    struct storage_request request;
    const char *url, *authorization;
} requests[] = {
    { { "UseDevelopmentStorage=true", 26 },
      { "POST",
        { "/triage/messages", 16 },
        (const struct storage_parameter[]){ { "messagettl", { "-1", 2 } },
                                            { "visibilitytimeout", { "60", 2 } } },
        2,
        { "<a/>", 4 },
        NULL },
      DEVELOPMENT "/triage/messages?messagettl=-1&visibilitytimeout=60",
      "SharedKey devstoreaccount1:npDAAv1cDfzZG+Or8uUq+74gEWJ/yt4j1s2LBM9HIFo=" },
    { AZURE,
      { "POST",
        { "/triage/messages", 16 },
        (const struct storage_parameter[]){ { "messagettl", { "-1", 2 } },
                                            { "visibilitytimeout", { "60", 2 } } },
        2,
        { "<a/>", 4 },
        NULL },
      "https://acc.queue.core.windows.net/triage/messages?messagettl=-1&visibilitytimeout=60",
      "SharedKey acc:P3GUuIiefAzVKF+lV5tosaDuj+PHKopdrzEcIBxdpvI=" },
    { AZURE,
      { "PUT", { "/triage", 7 }, NULL, 0, { 0 }, NULL },
      "https://acc.queue.core.windows.net/triage",
      "SharedKey acc:3NW019KQuk5Ouwtcy+XQOQZsYb6EumKe6cJyKy36Zqs=" },
    { AZURE,
      { "DELETE",
        { "/triage/messages/1-2", 20 },
        (const struct storage_parameter[]){ { "popreceipt", { "a+b/c==", 7 } } },
        1,
        { 0 },
        NULL },
      "https://acc.queue.core.windows.net/triage/messages/1-2?popreceipt=a%2Bb%2Fc%3D%3D",
      "SharedKey acc:Zn4GO5MS3/wL4LHlWPNHl0SaHT/yTiKjBWTT0p5qSXs=" },
    { AZURE,
      { "GET",
        { "/triage-poison", 14 },
        (const struct storage_parameter[]){ { "comp", { "metadata", 8 } } },
        1,
        { 0 },
        NULL },
      "https://acc.queue.core.windows.net/triage-poison?comp=metadata",
      "SharedKey acc:E2q4CBEIafu9gNR5UbWuUr7vc+ehpxYaW5sN7bQM2HE=" },
};

/* Mon, 02 Jan 2006 15:04:05 GMT */
enum { THEN_S = 1136214245 };

/* --- tests ------------------------------------------------------------------------------------ */

static struct view sentence(const struct storage_fault *fault)
{
    struct text text = text_in(&mem, 1024);
    text_add_string(&text, fault->setting);
    text_add_char(&text, ' ');
    text_add_string(&text, fault->problem);
    return text_view(&text);
}

static void connection_strings_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(connections); i++) {
        const char *row = connections[i].connection;
        const struct storage_settings settings = { .connection = view_of(row) };
        struct account account;
        struct storage_fault fault;
        bool is_fine = storage_account(&settings, &mem, &account, &fault);
        CHECK(row, is_fine == (connections[i].complaint == NULL));
        if (is_fine) {
            CHECK_VIEW(row, account.name, view_of(connections[i].name));
            CHECK_VIEW(row, account.queue_url, view_of(connections[i].url));
            CHECK(row, account.key.len == 64);
        } else {
            struct view said = sentence(&fault);
            CHECK_VIEW(row, view_cap(said, strlen(connections[i].complaint)),
                       view_of(connections[i].complaint));
            CHECK(row, !view_contains(said, VIEW(KEY)));
        }
    }
}

static void identities_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(identities); i++) {
        const char *wanted = identities[i].complaint;
        const char *row = wanted == NULL ? identities[i].url : wanted;
        struct account account;
        struct storage_fault fault;
        bool is_fine = storage_account(&identities[i].settings, &mem, &account, &fault);
        CHECK(row, is_fine == (wanted == NULL));
        if (is_fine) {
            CHECK_VIEW(row, account.queue_url, view_of(identities[i].url));
            CHECK(row, account.key.len == 0);
            CHECK_VIEW(row, account.client_id, identities[i].settings.client_id);
        } else {
            CHECK_VIEW(row, view_cap(sentence(&fault), strlen(wanted)), view_of(wanted));
        }
    }
}

static void a_connection_string_goes_before_an_identity(void **state)
{
    (void)state;
    const struct storage_settings settings = { .connection = AZURE,
                                               .account_name = VIEW("other"),
                                               .identity_endpoint = ENDPOINT,
                                               .identity_header = HEADER };
    struct account account;
    struct storage_fault fault;
    assert_true(storage_account(&settings, &mem, &account, &fault));
    CHECK_VIEW("name", account.name, VIEW("acc"));
    assert_int_equal(account.key.len, 64);
}

static struct view header_of(const struct fetch *fetch, const char *name)
{
    for (size_t i = 0; i < fetch->header_count; i++)
        if (view_equal(fetch->headers[i].name, view_of(name)))
            return fetch->headers[i].value;
    return (struct view){ 0 };
}

static void requests_are_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        const char *row = requests[i].url;
        const struct storage_settings settings = { .connection = requests[i].connection };
        struct account account;
        struct storage_fault fault;
        struct fetch fetch;
        CHECK(row, storage_account(&settings, &mem, &account, &fault));
        CHECK(row, storage_write(&account, &requests[i].request, (struct view){ 0 }, THEN_S, &mem,
                                 &fetch));
        CHECK_VIEW(row, fetch.url, view_of(row));
        CHECK_VIEW(row, header_of(&fetch, "Authorization"), view_of(requests[i].authorization));
        CHECK_VIEW(row, header_of(&fetch, "x-ms-date"), VIEW("Mon, 02 Jan 2006 15:04:05 GMT"));
        CHECK_VIEW(row, header_of(&fetch, "x-ms-version"), VIEW("2021-12-02"));
        CHECK_VIEW(row, header_of(&fetch, "Content-Type"),
                   requests[i].request.body.len > 0 ? VIEW("application/xml") : VIEW(""));
        CHECK_VIEW(row, view_of(fetch.method), view_of(requests[i].request.method));
        CHECK_VIEW(row, fetch.body, requests[i].request.body);
    }
}

static void a_token_goes_as_it_is(void **state)
{
    (void)state;
    struct account account;
    struct storage_fault fault;
    struct fetch fetch;
    assert_true(storage_account(&identities[0].settings, &mem, &account, &fault));
    assert_true(storage_write(&account, &requests[0].request, VIEW("eyJ.x"), THEN_S, &mem, &fetch));
    CHECK_VIEW("token", header_of(&fetch, "Authorization"), VIEW("Bearer eyJ.x"));
}

static void without_memory_nothing_is_written(void **state)
{
    (void)state;
    const struct storage_settings settings = { .connection = AZURE };
    struct account account;
    struct storage_fault fault;
    assert_true(storage_account(&settings, &mem, &account, &fault));
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN) {
        struct arena frugal;
        struct fetch fetch;
        arena_init(&frugal, ceiling);
        is_done = storage_write(&account, &requests[3].request, (struct view){ 0 }, THEN_S, &frugal,
                                &fetch);
        if (is_done)
            CHECK_VIEW("signed", header_of(&fetch, "Authorization"),
                       view_of(requests[3].authorization));
        arena_drop(&frugal);
        assert_true(ceiling < PLENTY);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connection_strings_are_read),
        TEST(identities_are_read),
        TEST(a_connection_string_goes_before_an_identity),
        TEST(requests_are_signed),
        TEST(a_token_goes_as_it_is),
        TEST(without_memory_nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
