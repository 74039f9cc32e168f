/* The table of settings: defaults, ranges, complaints, and two documents that agree with it. */
#include "edge/settings.h"

#include "base/json.h"
#include "support/process.h"
#include "unit/check.h"

enum { PLENTY = 4 * 1024 * 1024, MAX_GIVEN = 16 };

#define VAULT    "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s/)"
#define SECRET   "s3cr3t-value"
#define DEFAULT  "; its default is used instead"
#define UNSTORED ": alerts are not stored"

/* --- tables ----------------------------------------------------------------------------------- */

struct given {
    const char *name, *value;
};

/* Every row, as DESIGN and the API reference promise it. */
static const struct {
    const char *name, *fallback;
    bool is_required, is_secret, is_documented;
} promised[] = {
    { "DEVIN_API_KEY", NULL, true, true, true },
    { "TARGET_REPO", NULL, true, false, true },
    { "WEBHOOK_SECRET", NULL, false, true, true },
    { "WEBHOOK_SECRET_PREVIOUS", NULL, false, true, false },
    { "JIRA_PROJECT", NULL, false, false, true },
    { "SLACK_CHANNEL", NULL, false, false, true },
    { "DEVIN_PLAYBOOK_ID", "devin-triage-workflow", false, false, true },
    { "PLAYBOOK_ROUTES", NULL, false, false, false },
    { "DEVIN_API_URL", "https://api.devin.ai", false, false, false },
    { "DEVIN_TIMEOUT_MS", "30000", false, false, false },
    { "DEVIN_RETRIES", "3", false, false, false },
    { "DEVIN_RETRY_MS", "1000", false, false, false },
    { "REDACT", "on", false, false, false },
    { "PROMPT_TEMPLATE", NULL, false, false, false },
    { "MAX_BODY_BYTES", "1048576", false, false, false },
    { "QUEUE", "off", false, false, false },
    { "QUEUE_HIDE_S", "60", false, false, false },
    { "QUEUE_MAX_AGE_H", "24", false, false, false },
    { "AzureWebJobsStorage", NULL, false, true, false },
    { "AzureWebJobsStorage__accountName", NULL, false, false, false },
    { "AzureWebJobsStorage__queueServiceUri", NULL, false, false, false },
    { "AzureWebJobsStorage__credential", NULL, false, false, false },
    { "AzureWebJobsStorage__clientId", NULL, false, false, false },
};

/* One setting: the value in force, and whether there is a complaint. */
static const struct {
    const char *name, *value;
    const char *in_force;
    const char *complaint; /* how it begins; NULL: none */
    bool is_fatal;
} values[] = {
    { "TARGET_REPO", " https://github.com/a/b \n", "https://github.com/a/b", NULL, false },
    { "TARGET_REPO", "", "", "TARGET_REPO is not set", true },
    { "TARGET_REPO", "  \t", "", "TARGET_REPO is not set", true },
    { "TARGET_REPO", NULL, "", "TARGET_REPO is not set", true },
    { "TARGET_REPO", VAULT, "", "TARGET_REPO is an unresolved Key Vault reference", true },
    { "DEVIN_API_KEY", "apk_user_1", "set", NULL, false },
    { "DEVIN_API_KEY", "", "unset", "DEVIN_API_KEY is not set", true },
    { "DEVIN_API_KEY", "apk user", "unset", "DEVIN_API_KEY must be printable ASCII", true },
    { "DEVIN_API_KEY", "apk\r\nX-Evil: 1", "unset", "DEVIN_API_KEY must be", true },
    { "DEVIN_API_KEY", "apk_\xC3\xA9", "unset", "DEVIN_API_KEY must be", true },
    { "DEVIN_API_KEY", VAULT, "unset", "DEVIN_API_KEY is an unresolved Key Vault", true },
    { "WEBHOOK_SECRET", "s", "set", NULL, false },
    { "WEBHOOK_SECRET", "", "unset", NULL, false },
    { "WEBHOOK_SECRET", " ", "unset", NULL, false },
    { "WEBHOOK_SECRET", VAULT, "unset", "WEBHOOK_SECRET is an unresolved Key Vault", true },
    { "WEBHOOK_SECRET", "@microsoft.keyvault(x)", "unset",
      "WEBHOOK_SECRET is an unresolved Key Vault", true },
    { "WEBHOOK_SECRET", " " VAULT, "unset", "WEBHOOK_SECRET is an unresolved Key Vault", true },
    { "WEBHOOK_SECRET", "a" VAULT, "set", NULL, false },
    { "WEBHOOK_SECRET_PREVIOUS", VAULT, "unset",
      "WEBHOOK_SECRET_PREVIOUS is an unresolved Key Vault", false },
    { "JIRA_PROJECT", "OPS", "OPS", NULL, false },
    { "JIRA_PROJECT", VAULT, "", "JIRA_PROJECT is an unresolved Key Vault reference" DEFAULT,
      false },
    { "SLACK_CHANNEL", " #oncall ", "#oncall", NULL, false },
    { "DEVIN_PLAYBOOK_ID", "", "devin-triage-workflow", NULL, false },
    { "DEVIN_PLAYBOOK_ID", " mine ", "mine", NULL, false },
    { "DEVIN_PLAYBOOK_ID", VAULT, "devin-triage-workflow", "DEVIN_PLAYBOOK_ID is an", false },
    { "PLAYBOOK_ROUTES", "a=b,c=d", "a=b,c=d", NULL, false },
    { "PLAYBOOK_ROUTES", "a", "", "PLAYBOOK_ROUTES must be", false },
    { "REDACT", NULL, "on", NULL, false },
    { "REDACT", "ON", "on", NULL, false },
    { "REDACT", "none", "on", "REDACT must be on or off", false },
    { "DEVIN_TIMEOUT_MS", NULL, "30000", NULL, false },
    { "DEVIN_TIMEOUT_MS", "", "30000", NULL, false },
    { "DEVIN_TIMEOUT_MS", " 5000 ", "5000", NULL, false },
    { "DEVIN_TIMEOUT_MS", "100", "100", NULL, false },
    { "DEVIN_TIMEOUT_MS", "99", "30000", "DEVIN_TIMEOUT_MS must be a number from 100 to", false },
    { "DEVIN_TIMEOUT_MS", "0", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "-5000", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "5000ms", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "5e3", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "0x1000", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "5 000", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", "18446744073709556616", "30000", "DEVIN_TIMEOUT_MS must be", false },
    { "DEVIN_TIMEOUT_MS", VAULT, "30000", "DEVIN_TIMEOUT_MS is an unresolved", false },
    { "DEVIN_RETRIES", "1", "1", NULL, false },
    { "DEVIN_RETRIES", "10", "10", NULL, false },
    { "DEVIN_RETRIES", "0", "3", "DEVIN_RETRIES must be a number from 1 to 10" DEFAULT, false },
    { "DEVIN_RETRIES", "11", "3", "DEVIN_RETRIES must be a number from 1 to 10" DEFAULT, false },
    { "DEVIN_RETRY_MS", "1", "1", NULL, false },
    { "DEVIN_RETRY_MS", "60000", "60000", NULL, false },
    { "DEVIN_RETRY_MS", "60001", "1000", "DEVIN_RETRY_MS must be", false },
    { "MAX_BODY_BYTES", "1024", "1024", NULL, false },
    { "MAX_BODY_BYTES", "1023", "1048576", "MAX_BODY_BYTES must be", false },
    { "QUEUE", "ON", "on", "QUEUE is on, but AzureWebJobsStorage is not set", false },
    { "QUEUE", "off", "off", NULL, false },
    { "QUEUE", "yes", "off", "QUEUE must be on or off", false },
    { "QUEUE_HIDE_S", "600", "600", NULL, false },
    { "QUEUE_HIDE_S", "9", "60", "QUEUE_HIDE_S must be a number from 10 to 3600", false },
    { "QUEUE_MAX_AGE_H", "168", "168", NULL, false },
    { "QUEUE_MAX_AGE_H", "0", "24", "QUEUE_MAX_AGE_H must be a number from 1 to 168", false },
    { "AzureWebJobsStorage", "UseDevelopmentStorage=true", "set", NULL, false },
    { "AzureWebJobsStorage", "unreadable", "set", NULL, false }, /* the queue is off */
    { "SSL_CERT_FILE", "Makefile", "Makefile", NULL, false },
    { "SSL_CERT_FILE", "no/such/file.pem", "", "SSL_CERT_FILE must name a file", false },
};

/* With QUEUE=on: what is wrong with the storage, NULL when nothing is. */
static const struct {
    struct given given[4];
    const char *complaint;
} storages[] = {
    { { { "AzureWebJobsStorage", "UseDevelopmentStorage=true" } }, NULL },
    { { { "AzureWebJobsStorage", "AccountName=acc;AccountKey=a2V5" } }, NULL },
    { { { NULL, NULL } }, "QUEUE is on, but AzureWebJobsStorage is not set" UNSTORED },
    { { { "AzureWebJobsStorage", "" } },
      "QUEUE is on, but AzureWebJobsStorage is not set" UNSTORED },
    { { { "AzureWebJobsStorage", "AccountName=acc" } },
      "AzureWebJobsStorage has no AccountKey in base64" UNSTORED },
    { { { "AzureWebJobsStorage", "AccountKey=a2V5" } },
      "AzureWebJobsStorage has no usable AccountName" UNSTORED },
    { { { "AzureWebJobsStorage__accountName", "acc" } },
      "AzureWebJobsStorage__accountName needs a managed identity, and the platform offers none "
      "(IDENTITY_ENDPOINT and IDENTITY_HEADER are not set): give the app one, or set "
      "AzureWebJobsStorage" UNSTORED },
    { { { "AzureWebJobsStorage__accountName", "acc" },
        { "IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token" },
        { "IDENTITY_HEADER", "h" } },
      NULL },
    { { { "AzureWebJobsStorage__queueServiceUri", "https://acc.queue.core.chinacloudapi.cn" },
        { "IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token" },
        { "IDENTITY_HEADER", "h" } },
      NULL },
    { { { "AzureWebJobsStorage__accountName", "acc" },
        { "AzureWebJobsStorage__credential", "clientsecret" },
        { "IDENTITY_ENDPOINT", "http://169.254.130.2:8081/msi/token" },
        { "IDENTITY_HEADER", "h" } },
      "AzureWebJobsStorage__credential must be managedidentity" UNSTORED },
    { { { "AzureWebJobsStorage__accountName", "acc" },
        { "IDENTITY_ENDPOINT", "somewhere" },
        { "IDENTITY_HEADER", "h" } },
      "IDENTITY_ENDPOINT must be a URL" UNSTORED },
};

/* Where an API key may be sent. */
static const struct {
    const char *url;
    bool is_allowed;
} urls[] = {
    { "https://api.devin.ai", true },
    { "HTTPS://api.devin.ai", true },
    { "https://api.devin.ai:8443", true },
    { "https://proxy.example.com/devin", true },
    { "https://10.0.0.1", true },
    { "https://[2001:db8::1]:443/x", true },
    { "http://localhost", true },
    { "http://localhost:3001", true },
    { "http://LOCALHOST:3001/x", true },
    { "http://127.0.0.1", true },
    { "http://127.0.0.1:3001", true },
    { "http://127.1.2.3:80/x", true },
    { "http://[::1]", true },
    { "http://[::1]:3001", true },
    { "http://api.devin.ai", false },
    { "http://127.evil.com", false },
    { "http://127.0.0.1.evil.com", false },
    { "http://127.0.0.1.evil.com:80/", false },
    { "http://127.", false },
    { "http://127.0.0.256", false },
    { "http://127.0.0.1x", false },
    { "http://localhost.evil.com", false },
    { "http://localhostx", false },
    { "http://[::1].evil.com", false },
    { "http://[::1]evil.com", false },
    { "http://[::2]", false },
    { "http://[::ffff:1.2.3.4]", false },
    { "http://10.0.0.1", false },
    { "http://0.0.0.0", false },
    { "http://1270.0.0.1", false },
    { "http://localhost@evil.com", false },
    { "http://127.0.0.1@evil.com", false },
    { "http://127.0.0.1:80@evil.com", false },
    { "https://user:pass@api.devin.ai", false },
    { "https://user@api.devin.ai", false },
    { "https://api.devin.ai?x=1", false },
    { "https://api.devin.ai/?x=1", false },
    { "https://api.devin.ai#x", false },
    { "https://api.devin.ai\\@evil.com", false },
    { "https://api devin.ai", false },
    { "https://api.devin.ai\r\nX-Evil: 1", false },
    { "https://api.devin.ai\x01", false },
    { "https://api.d\xC3\xA9vin.ai", false },
    { "https://", false },
    { "https:///v1", false },
    { "https://:443", false },
    { "http://", false },
    { "https:api.devin.ai", false },
    { "//api.devin.ai", false },
    { "api.devin.ai", false },
    { "ftp://api.devin.ai", false },
    { "file:///etc/passwd", false },
    { "localhost:3001", false },
};

/* --- a fake environment ----------------------------------------------------------------------- */

static struct given given[MAX_GIVEN];
static struct settings settings;
static struct arena mem;

static const char *lookup(const char *name)
{
    for (size_t i = 0; i < MAX_GIVEN && given[i].name != NULL; i++)
        if (strcmp(given[i].name, name) == 0)
            return given[i].value;
    return NULL;
}

static void give(const char *name, const char *value)
{
    size_t i = 0;
    while (given[i].name != NULL && strcmp(given[i].name, name) != 0)
        i++;
    assert_true(i + 1 < MAX_GIVEN);
    given[i] = (struct given){ name, value };
}

static void read_settings(void)
{
    settings_drop(&settings);
    settings_read(&settings, lookup);
}

/* The two required ones are there, so that a test's own setting is all that can be wrong. */
static int set_up(void **state)
{
    (void)state;
    memset(given, 0, sizeof given);
    settings = (struct settings){ 0 };
    arena_init(&mem, PLENTY);
    give("DEVIN_API_KEY", "apk_user_1");
    give("TARGET_REPO", "https://github.com/org/repo");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    settings_drop(&settings);
    arena_drop(&mem);
    return 0;
}

static size_t index_of(const char *name)
{
    size_t i = 0;
    while (i < settings_count() && strcmp(settings_row(i).name, name) != 0)
        i++;
    CHECK(name, i < settings_count());
    return i;
}

static struct view in_force(const char *name)
{
    return settings_value(&settings, index_of(name), &mem);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void the_promised_rows_are_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(promised); i++) {
        struct setting_row row = settings_row(index_of(promised[i].name));
        CHECK_VIEW(row.name, view_of(row.fallback), view_of(promised[i].fallback));
        CHECK(row.name, row.is_required == promised[i].is_required);
        CHECK(row.name, row.is_secret == promised[i].is_secret);
        CHECK(row.name, row.is_documented == promised[i].is_documented);
    }
    for (size_t i = 0; i < settings_count(); i++) {
        struct setting_row row = settings_row(i);
        CHECK(row.name, row.help != NULL && row.help[0] != '\0');
        CHECK(row.name, index_of(row.name) == i);
    }
}

static void defaults_are_in_force(void **state)
{
    (void)state;
    read_settings();
    assert_int_equal(settings.complaint_count, 0);
    for (size_t i = 0; i < settings_count(); i++) {
        struct setting_row row = settings_row(i);
        struct view wanted = view_of(row.fallback);
        if (row.is_required)
            continue;
        if (row.is_secret)
            wanted = VIEW("unset");
        CHECK_VIEW(row.name, settings_value(&settings, i, &mem), wanted);
    }
}

/* Each row ends where its module looks for it. */
static void values_reach_their_modules(void **state)
{
    (void)state;
    give("WEBHOOK_SECRET", "w");
    give("WEBHOOK_SECRET_PREVIOUS", "o");
    give("JIRA_PROJECT", "j");
    give("SLACK_CHANNEL", "s");
    give("DEVIN_PLAYBOOK_ID", "p");
    give("PLAYBOOK_ROUTES", "a=b");
    give("DEVIN_API_URL", "http://127.0.0.1:1");
    give("DEVIN_TIMEOUT_MS", "101");
    give("DEVIN_RETRIES", "7");
    give("DEVIN_RETRY_MS", "11");
    give("MAX_BODY_BYTES", "2048");
    read_settings();
    CHECK_VIEW("key", settings.wire.api_key, VIEW("apk_user_1"));
    CHECK_VIEW("url", settings.wire.api_url, VIEW("http://127.0.0.1:1"));
    CHECK_VIEW("repository", settings.prompt.target_repo, VIEW("https://github.com/org/repo"));
    CHECK_VIEW("jira", settings.prompt.jira_project, VIEW("j"));
    CHECK_VIEW("slack", settings.prompt.slack_channel, VIEW("s"));
    CHECK_VIEW("secret", settings.caller.secret, VIEW("w"));
    CHECK_VIEW("previous", settings.caller.previous, VIEW("o"));
    CHECK_VIEW("routes", settings.playbook.routes, VIEW("a=b"));
    CHECK_VIEW("playbook", settings.playbook.fallback, VIEW("p"));
    assert_int_equal(settings.triage.timeout_ms, 101);
    assert_int_equal(settings.devin.retry.tries, 7);
    assert_int_equal(settings.devin.retry.first_ms, 11);
    assert_int_equal(settings.server.max_body_bytes, 2048);
    assert_int_equal(settings.complaint_count, 0);
}

static void values_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *row = values[i].value == NULL ? "(absent)" : values[i].value;
        (void)tear_down(NULL);
        (void)set_up(NULL);
        give(values[i].name, values[i].value);
        read_settings();
        CHECK_VIEW(row, in_force(values[i].name), view_of(values[i].in_force));
        CHECK(row, settings.complaint_count == (values[i].complaint == NULL ? 0 : 1));
        if (values[i].complaint == NULL)
            continue;
        CHECK(row, view_starts(settings.complaints[0].text, view_of(values[i].complaint)));
        CHECK(row, settings.complaints[0].is_fatal == values[i].is_fatal);
        CHECK(row, (settings_complaints(&settings, true).len > 0) == values[i].is_fatal);
        CHECK(row, values[i].is_fatal || view_contains(settings.complaints[0].text, VIEW(DEFAULT))
                       || view_contains(settings.complaints[0].text, VIEW(UNSTORED)));
    }
}

static bool hides(const char *secret)
{
    for (size_t i = 0; i < settings.redact.secret_count; i++)
        if (view_equal(settings.redact.secrets[i], view_of(secret)))
            return true;
    return false;
}

static void own_secrets_are_given_to_redaction(void **state)
{
    (void)state;
    give("WEBHOOK_SECRET", SECRET);
    give("WEBHOOK_SECRET_PREVIOUS", "previous-one");
    give("DEVIN_SESSION_SECRETS", "DB_LOGIN, SLACK_CHANNEL");
    give("DB_LOGIN", "db-login-value");
    give("SLACK_CHANNEL", "#oncall-channel");
    give("JIRA_PROJECT", "OPERATIONS");
    read_settings();
    assert_int_equal(settings.complaint_count, 0);
    assert_false(settings.redact.is_off);
    assert_true(hides("apk_user_1"));
    assert_true(hides(SECRET));
    assert_true(hides("previous-one"));
    assert_true(hides("db-login-value"));
    assert_true(hides("#oncall-channel")); /* named as one: it is one */
    assert_false(hides("OPERATIONS"));
    assert_false(hides("https://github.com/org/repo"));
}

static void storage_secrets_are_given_to_redaction(void **state)
{
    (void)state;
    give("AzureWebJobsStorage", "AccountName=acc;AccountKey=c2VjcmV0LWtleS1ieXRlcw==");
    give("IDENTITY_HEADER", "identity-header-value");
    read_settings();
    assert_int_equal(settings.complaint_count, 0);
    assert_true(hides("AccountName=acc;AccountKey=c2VjcmV0LWtleS1ieXRlcw=="));
    assert_true(hides("c2VjcmV0LWtleS1ieXRlcw=="));
    assert_true(hides("identity-header-value"));
}

static void unusable_storage_is_a_complaint_where_it_is_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(storages); i++) {
        const char *wanted = storages[i].complaint;
        for (int is_on = 0; is_on < 2; is_on++) {
            const char *row = wanted == NULL ? storages[i].given[0].name : wanted;
            (void)tear_down(NULL);
            (void)set_up(NULL);
            give("QUEUE", is_on ? "on" : "off");
            for (size_t g = 0; g < COUNT_OF(storages[i].given); g++)
                if (storages[i].given[g].name != NULL)
                    give(storages[i].given[g].name, storages[i].given[g].value);
            read_settings();
            CHECK_VIEW(row, settings_complaints(&settings, false),
                       is_on ? view_of(wanted) : (struct view){ 0 });
            CHECK(row, settings_complaints(&settings, true).len == 0);
            CHECK(row, settings_has_queue(&settings) == (is_on && wanted == NULL));
        }
    }
}

static void redaction_that_is_off_is_a_complaint(void **state)
{
    (void)state;
    give("REDACT", "off");
    read_settings();
    assert_true(settings.redact.is_off);
    assert_int_equal(settings.complaint_count, 1);
    assert_true(view_starts(settings.complaints[0].text, VIEW("REDACT is off")));
    assert_false(settings.complaints[0].is_fatal);
    CHECK_VIEW("in force", in_force("REDACT"), VIEW("off"));
}

static void urls_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        give("DEVIN_API_URL", urls[i].url);
        read_settings();
        CHECK(urls[i].url, (settings.complaint_count == 0) == urls[i].is_allowed);
        CHECK(urls[i].url, urls[i].is_allowed || settings.complaints[0].is_fatal);
        CHECK_VIEW(urls[i].url, settings.wire.api_url,
                   view_of(urls[i].is_allowed ? urls[i].url : "https://api.devin.ai"));
    }
}

static void all_complaints_come_at_once(void **state)
{
    (void)state;
    give("DEVIN_API_KEY", "");
    give("TARGET_REPO", "");
    give("WEBHOOK_SECRET", VAULT);
    give("DEVIN_API_URL", "ftp://x");
    give("DEVIN_RETRIES", "many");
    give("MAX_BODY_BYTES", "1");
    give("PLAYBOOK_ROUTES", "=");
    read_settings();
    assert_int_equal(settings.complaint_count, 7);
    CHECK_VIEW("fatal", settings_complaints(&settings, true),
               VIEW("DEVIN_API_KEY is not set; TARGET_REPO is not set; WEBHOOK_SECRET is an "
                    "unresolved Key Vault reference; DEVIN_API_URL must begin with https://"));
    static const char *const names[] = { "DEVIN_API_KEY ",   "TARGET_REPO ",   "WEBHOOK_SECRET ",
                                         "PLAYBOOK_ROUTES ", "DEVIN_API_URL ", "DEVIN_RETRIES ",
                                         "MAX_BODY_BYTES " };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        CHECK(names[i], view_contains(settings_complaints(&settings, false), view_of(names[i])));
}

static void nothing_at_all_is_two_complaints(void **state)
{
    (void)state;
    memset(given, 0, sizeof given);
    read_settings();
    CHECK_VIEW("complaints", settings_complaints(&settings, false),
               VIEW("DEVIN_API_KEY is not set; TARGET_REPO is not set"));
}

/* Whatever is wrong with any value, no value is ever repeated; secrets are never listed. */
static void values_are_never_told(void **state)
{
    (void)state;
    static const char *const wrongs[] = { SECRET " \x01\xFF ,", "@Microsoft.KeyVault(" SECRET ")",
                                          SECRET };
    for (size_t w = 0; w < COUNT_OF(wrongs); w++)
        for (size_t i = 0; i < settings_count(); i++) {
            struct setting_row row = settings_row(i);
            (void)tear_down(NULL);
            (void)set_up(NULL);
            give(row.name, wrongs[w]);
            read_settings();
            CHECK(row.name, !view_contains(settings_complaints(&settings, false), VIEW(SECRET)));
            CHECK(row.name, !row.is_secret || !view_contains(in_force(row.name), VIEW(SECRET)));
        }
}

/* Wrong settings are no reason to lose alerts, unless nobody can be asked for the secret. */
static void a_lost_secret_trusts_nobody(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        bool trusts_nobody;
    } rows[] = {
        { "WEBHOOK_SECRET", VAULT, true },
        { "WEBHOOK_SECRET", "w", false },
        { "WEBHOOK_SECRET", "", false },
        { "DEVIN_API_KEY", VAULT, false },
        { "WEBHOOK_SECRET_PREVIOUS", VAULT, false },
        { "TARGET_REPO", "", false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)tear_down(NULL);
        (void)set_up(NULL);
        give(rows[i].name, rows[i].value);
        read_settings();
        CHECK(rows[i].name, settings_triage(&settings).trusts_nobody == rows[i].trusts_nobody);
    }
}

static void the_example_has_the_documented_settings(void **state)
{
    (void)state;
    struct view file = process_read_file("local.settings.json.example", &mem);
    struct failure why = { 0 };
    struct json json;
    size_t count = 1; /* FUNCTIONS_WORKER_RUNTIME is the host's own */
    assert_true(json_read(file, &mem, &json, &why));
    const struct cJSON *members = json_at(json.root, "Values");
    CHECK_VIEW("runtime", json_text(json_at(members, "FUNCTIONS_WORKER_RUNTIME")), VIEW("custom"));
    for (size_t i = 0; i < settings_count(); i++) {
        struct setting_row row = settings_row(i);
        const struct cJSON *member = json_at(members, row.name);
        CHECK(row.name, (json_kind(member) == JSON_TEXT) == row.is_documented);
        CHECK(row.name, row.is_documented || json_kind(member) == JSON_ABSENT);
        count += row.is_documented;
        if (row.is_documented && !row.is_required)
            CHECK_VIEW(row.name, json_text(member), view_of(row.fallback));
        if (row.is_required)
            CHECK(row.name, json_text(member).len > 0);
    }
    for (const struct cJSON *member = json_first(members); member != NULL;
         member = json_next(member))
        count--;
    assert_int_equal(count, 0);
    json_free(&json);
}

/* "| `NAME` | `default` |": a row in README for each of ours. */
static void the_readme_has_every_setting(void **state)
{
    (void)state;
    struct view readme = process_read_file("README.md", &mem);
    for (size_t i = 0; i < settings_count(); i++) {
        struct setting_row row = settings_row(i);
        struct text cell = text_in(&mem, 1024);
        text_add_string(&cell, "\n| `");
        text_add_string(&cell, row.name);
        text_add_string(&cell, "` |");
        if (row.fallback != NULL) {
            text_add_string(&cell, " `");
            text_add_string(&cell, row.fallback);
            text_add_string(&cell, "` |");
        } else if (row.is_required) {
            text_add_string(&cell, " required |");
        }
        CHECK(text_view(&cell).at, view_contains(readme, text_view(&cell)));
    }
}

/* A setting that finds no room is not one that is unset: the secret stands behind the long one. */
static void a_value_too_long_to_keep_is_fatal(void **state)
{
    (void)state;
    static char endless[600 * 1024];
    memset(endless, 'x', sizeof endless - 1);
    give("TARGET_REPO", endless);
    give("WEBHOOK_SECRET", SECRET);
    read_settings();
    CHECK("fatal", view_contains(settings_complaints(&settings, true), VIEW("not enough memory")));
}

/* Complaints are told whole, or as one that says why not; never as none. */
static void complaints_need_no_memory(void **state)
{
    (void)state;
    give("TARGET_REPO", "");
    read_settings();
    struct view whole = view_keep(settings_complaints(&settings, true), &mem);
    bool is_told = false;
    for (size_t more = 0; !is_told && more < 4096; more += ARENA_ALIGN) {
        settings.mem.ceiling = settings.mem.used + more;
        struct view told = settings_complaints(&settings, true);
        is_told = view_equal(told, whole);
        CHECK("complaints", is_told || view_contains(told, VIEW("not enough memory")));
    }
    CHECK("complaints", is_told);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_promised_rows_are_there),
        TEST(defaults_are_in_force),
        TEST(values_reach_their_modules),
        TEST(values_are_checked),
        TEST(own_secrets_are_given_to_redaction),
        TEST(storage_secrets_are_given_to_redaction),
        TEST(unusable_storage_is_a_complaint_where_it_is_used),
        TEST(redaction_that_is_off_is_a_complaint),
        TEST(urls_are_checked),
        TEST(all_complaints_come_at_once),
        TEST(nothing_at_all_is_two_complaints),
        TEST(a_value_too_long_to_keep_is_fatal),
        TEST(complaints_need_no_memory),
        TEST(values_are_never_told),
        TEST(a_lost_secret_trusts_nobody),
        TEST(the_example_has_the_documented_settings),
        TEST(the_readme_has_every_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
