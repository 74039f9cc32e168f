/*
 * One row a setting.  A value is checked by its row's kind and, where there is one, by its own
 * check; reading, complaining and listing are loops over the table.
 */
#include "edge/settings.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "session/template.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCHEMA_BYTES = 64 * 1024, MAX_NAMES_TOLD = 8 };

enum setting_kind { KIND_TEXT, KIND_NUMBER, KIND_CHOICE, KIND_SWITCH };

/* A word that a setting may be, and the number it is kept as.  The last one has no word. */
struct choice {
    const char *word;
    long long value;
};

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset; /* where struct settings keeps it */
    const char *fallback;
    long long min, max; /* of a number; of a text, max bounds its bytes (0: no limit) */
    bool is_required;
    bool is_fatal; /* a bad value means that no alert can be served */
    bool is_secret;
    bool is_documented;
    bool knows_empty; /* an empty value is one, and not the same as none */
    const struct choice *choices;
    const char *(*problem)(struct view value); /* NULL, or what is wrong, as "must be ..." */
    const char *help;
};

/* The offset of a member, which does not compile when the member has another type. */
#define MEMBER_AT(member, type)        \
    (offsetof(struct settings, member) \
     + 0 * sizeof(char[_Generic(((struct settings *)0)->member, type : 1)]))
#define TEXT_AT(member)   .kind = KIND_TEXT, .offset = MEMBER_AT(member, struct view)
#define NUMBER_AT(member) .kind = KIND_NUMBER, .offset = MEMBER_AT(member, long long)
#define CHOICE_AT(member) .kind = KIND_CHOICE, .offset = MEMBER_AT(member, long long)
#define SWITCH_AT(member) .kind = KIND_SWITCH, .offset = MEMBER_AT(member, bool)

/* Goes into a header line: no blanks, no controls. */
static const char *header_problem(struct view value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] <= ' ' || value.at[i] > '~')
            return "must be printable ASCII without blanks";
    return NULL;
}

/* A session has room for MAX_TAGS, and the handler's own come first. */
static const char *tags_problem(struct view value)
{
    struct view item;
    size_t count = 0;
    while (value.len > 0) {
        (void)view_cut(value, ',', &item, &value);
        count += view_trim(item).len > 0;
    }
    return count > MAX_TAGS - MAX_OWN_TAGS ? "must be at most 20 tags, joined by commas" : NULL;
}

static const struct choice switches[] = { { "true", 1 }, { "1", 1 },     { "yes", 1 },
                                          { "on", 1 },   { "false", 0 }, { "0", 0 },
                                          { "no", 0 },   { "off", 0 },   { NULL, 0 } };
static const struct choice refires[] = {
    { "join", REFIRE_JOIN }, { "message", REFIRE_MESSAGE }, { "create", REFIRE_CREATE }, { NULL, 0 }
};
static const struct choice on_or_off[] = { { "on", 1 }, { "off", 0 }, { NULL, 0 } };
static const struct choice resolves[] = { { "ignore", RESOLVED_IGNORE },
                                          { "message", RESOLVED_MESSAGE },
                                          { NULL, 0 } };

/* The API reference's table of plans: requests a minute. */
static const struct choice plans[] = {
    { "starter", 10 }, { "team", 60 }, { "enterprise", 300 }, { NULL, 0 }
};

/* clang-format off */
static const struct setting rows[] = {
    { "DEVIN_API_KEY", TEXT_AT(wire.api_key),
      .is_required = true, .is_fatal = true, .is_secret = true, .is_documented = true,
      .problem = header_problem,
      .help = "Devin API key (apk_user_..., apk_..., or cog_... for API v3)" },
    { "TARGET_REPO", TEXT_AT(prompt.target_repo), .max = 2048,
      .is_required = true, .is_fatal = true, .is_documented = true,
      .help = "repository that Devin analyses, e.g. https://github.com/org/repo" },
    { "WEBHOOK_SECRET", TEXT_AT(caller.secret),
      .is_fatal = true, .is_secret = true, .is_documented = true,
      .help = "secret that callers must present; without it the function key alone protects the endpoint" },
    { "WEBHOOK_SECRET_PREVIOUS", TEXT_AT(caller.previous),
      .is_secret = true,
      .help = "accepted too while WEBHOOK_SECRET is being rotated" },
    { "JIRA_PROJECT", TEXT_AT(prompt.jira_project), .max = 256,
      .is_documented = true,
      .help = "JIRA project key; adds the task to create a ticket" },
    { "SLACK_CHANNEL", TEXT_AT(prompt.slack_channel), .max = 256,
      .is_documented = true,
      .help = "Slack channel; adds the task to post there" },
    { "DEVIN_PLAYBOOK_ID", TEXT_AT(playbook.fallback),
      .fallback = "devin-triage-workflow", .is_documented = true,
      .help = "playbook of a session when no route matches: an id, a title or a !macro" },
    { "PLAYBOOK_ROUTES", TEXT_AT(playbook.routes),
      .problem = playbook_routes_problem,
      .help = "pattern=playbook,pattern=playbook: the first pattern found in the alert's name wins" },
    { "DEVIN_API_URL", TEXT_AT(wire.api_url),
      .fallback = "https://api.devin.ai", .is_fatal = true,
      .problem = wire_url_problem,
      .help = "where Devin's API is; http:// is allowed to this machine only" },
    { "SSL_CERT_FILE", TEXT_AT(wire.ca_file),
      .problem = wire_ca_problem,
      .help = "file of trusted certificate authorities (PEM); unset: the system's bundle, from its usual places" },
    { "DEVIN_TIMEOUT_MS", NUMBER_AT(triage.timeout_ms),
      .fallback = "30000", .min = 100, .max = 110000,
      .help = "deadline of an alert in milliseconds, tries and waits included; Azure Monitor's have 8000 at most" },
    { "MAX_SESSIONS_PER_REQUEST", NUMBER_AT(triage.max_sessions),
      .fallback = "5", .min = 1, .max = 20,
      .help = "how many sessions one request may open; further problems are named in the last one" },
    { "DEVIN_RETRIES", NUMBER_AT(devin.retry.tries),
      .fallback = "3", .min = 1, .max = 10,
      .help = "how often a request is sent to Devin at most" },
    { "DEVIN_RETRY_MS", NUMBER_AT(devin.retry.first_ms),
      .fallback = "1000", .min = 1, .max = 60000,
      .help = "wait before the second try in milliseconds, give or take a fifth; doubles for each further one" },
    { "DEVIN_PLAN", CHOICE_AT(wire.calls_a_minute), .choices = plans,
      .help = "starter, team or enterprise: this instance calls Devin at most 10, 60 or 300 times a minute" },
    { "DEVIN_ORG_ID", TEXT_AT(devin.api.org), .max = 128, .problem = header_problem,
      .help = "organization (org-...) for API v3; unset: the key's own" },
    { "DEVIN_TAGS", TEXT_AT(devin.options.tags), .max = 2048, .problem = tags_problem,
      .help = "tags for each session, joined by commas: 20 at most" },
    { "DEVIN_MAX_ACU", NUMBER_AT(devin.options.max_acu), .min = 1, .max = 100000,
      .help = "limit of a session in ACUs" },
    { "DEVIN_SECRET_IDS", TEXT_AT(devin.options.secret_ids), .knows_empty = true, .max = 8192,
      .help = "ids of the secrets a session may use, joined by commas; empty: none; unset: all" },
    { "DEVIN_KNOWLEDGE_IDS", TEXT_AT(devin.options.knowledge_ids), .knows_empty = true, .max = 8192,
      .help = "ids of the knowledge a session may use, joined by commas; empty: none; unset: all" },
    { "DEVIN_SNAPSHOT_ID", TEXT_AT(devin.options.snapshot_id), .max = 256,
      .help = "machine snapshot a session starts from (API v1)" },
    { "DEVIN_UNLISTED", SWITCH_AT(devin.options.is_unlisted),
      .help = "true: sessions do not show up in the list (API v1)" },
    { "DEVIN_SESSION_SECRETS", TEXT_AT(session_secrets), .max = 2048,
      .help = "names of app settings whose values each session gets as secrets, joined by commas" },
    { "DEVIN_STRUCTURED_OUTPUT", TEXT_AT(output_schema_file), .max = 4096,
      .help = "file with the JSON schema of a session's structured output" },
    { "ON_REFIRE", CHOICE_AT(devin.on_refire), .choices = refires, .fallback = "join",
      .help = "a problem that fires again while its session is open: join it, message it, or create another" },
    { "ON_RESOLVED", CHOICE_AT(triage.on_resolved), .choices = resolves, .fallback = "ignore",
      .help = "a resolved alert: ignore it, or message its open session" },
    { "MAX_MESSAGES_PER_SESSION", NUMBER_AT(devin.max_messages),
      .fallback = "5", .min = 0, .max = 100,
      .help = "we send at most so many messages to one session" },
    { "MAX_SEVERITY", NUMBER_AT(triage.max_severity),
      .fallback = "4", .min = 0, .max = 4,
      .help = "less urgent alerts are ignored: 1 lets critical and error pass, 4 all" },
    { "REDACT", CHOICE_AT(redacts), .choices = on_or_off, .fallback = "on",
      .help = "on: secrets in alerts are replaced by labels before they reach Devin or the log; off: they are not" },
    { "DRY_RUN", SWITCH_AT(triage.is_dry_run),
      .help = "true: answer with what would be sent to Devin, and send nothing" },
    { "PROMPT_TEMPLATE", TEXT_AT(prompt_file), .max = 4096,
      .help = "file with a template for the prompt, absolute or below the app's root; unset: the built-in one" },
    { "MAX_PROMPT_BYTES", NUMBER_AT(prompt.max_bytes),
      .fallback = "65536", .min = 16384, .max = 1048576,
      .help = "largest prompt in bytes; long logs keep their head and tail" },
    { "MAX_BODY_BYTES", NUMBER_AT(server.max_body_bytes),
      .fallback = "1048576", .min = 1024, .max = 16777216,
      .help = "largest request body in bytes; more is answered 413" },
    { "QUEUE", CHOICE_AT(queue), .choices = on_or_off, .fallback = "off",
      .help = "on: each alert is stored in an Azure Storage queue before Devin is called, and tried again until it is settled" },
    { "QUEUE_HIDE_S", NUMBER_AT(triage.queue_hide_s),
      .fallback = "60", .min = 10, .max = 3600,
      .help = "seconds after which a stored alert that is not settled is tried again; never before its deadline" },
    { "QUEUE_MAX_AGE_H", NUMBER_AT(triage.queue_max_age_h),
      .fallback = "24", .min = 1, .max = 168,
      .help = "hours after which a stored alert is given up and kept as poisoned; for more than 24 raise maxDequeueCount in host.json" },
    { "AzureWebJobsStorage", TEXT_AT(storage.connection), .max = 4096,
      .is_secret = true,
      .help = "connection string of the storage account, the Functions host's own; an identity needs none" },
    { "AzureWebJobsStorage__accountName", TEXT_AT(storage.account_name), .max = 64,
      .help = "storage account that is reached with the app's managed identity" },
    { "AzureWebJobsStorage__queueServiceUri", TEXT_AT(storage.queue_uri), .max = 512,
      .help = "the same by URL, for other clouds and private endpoints" },
    { "AzureWebJobsStorage__credential", TEXT_AT(storage.credential), .max = 64,
      .help = "managedidentity, which is what is used anyway" },
    { "AzureWebJobsStorage__clientId", TEXT_AT(storage.client_id), .max = 64, .problem = header_problem,
      .help = "client id of a user-assigned identity; unset: the app's own" },
};
/* clang-format on */

const char *settings_from_environment(const char *name)
{
    return getenv(name);
}

/* --- complaints ------------------------------------------------------------------------------- */

static void complain_of(struct settings *settings, const char *name, const char *problem,
                        const char *consequence, bool is_fatal)
{
    if (settings->complaint_count == MAX_COMPLAINTS)
        return;
    struct text text = text_in(&settings->mem, 1024);
    text_add_string(&text, name);
    text_add_char(&text, ' ');
    text_add_string(&text, problem);
    text_add_string(&text, consequence);
    settings->complaints[settings->complaint_count++] = (struct complaint){
        .text = text_view(&text),
        .is_fatal = is_fatal,
    };
}

static void complain(struct settings *settings, const struct setting *row, const char *problem,
                     const char *consequence, bool is_fatal)
{
    settings->has_lost_secret |=
        is_fatal && row->offset == offsetof(struct settings, caller.secret);
    complain_of(settings, row->name, problem, consequence, is_fatal);
}

#define NO_MEMORY "not enough memory to read the settings"

/* A setting that was lost on the way would look like one that is not set: the secret, say. */
static void complain_of_memory(struct settings *settings)
{
    size_t last = settings->complaint_count < MAX_COMPLAINTS ? settings->complaint_count++
                                                             : MAX_COMPLAINTS - 1;
    settings->complaints[last] = (struct complaint){ .text = VIEW(NO_MEMORY), .is_fatal = true };
    settings->has_lost_secret = true;
}

struct view settings_complaints(struct settings *settings, bool only_fatal)
{
    struct text text = text_in(&settings->mem, 16 * 1024);
    for (size_t i = 0; i < settings->complaint_count; i++) {
        if (only_fatal && !settings->complaints[i].is_fatal)
            continue;
        text_add_string(&text, text.len == 0 ? "" : "; ");
        text_add(&text, settings->complaints[i].text);
    }
    return text_ok(&text) ? text_view(&text) : VIEW(NO_MEMORY);
}

struct triage settings_triage(struct settings *settings)
{
    return (struct triage){
        .settings = settings->triage,
        .prompt = settings->prompt,
        .playbook = settings->playbook,
        .devin = settings->devin,
        .redact = &settings->redact,
        .refusal = settings_complaints(settings, true),
        .trusts_nobody = settings->has_lost_secret,
    };
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *range_problem(const struct setting *row, struct arena *mem)
{
    struct text text = text_in(mem, 128);
    bool is_number = row->kind == KIND_NUMBER;
    text_add_string(&text, is_number ? "must be a number from " : "must be at most ");
    if (is_number) {
        text_add_number(&text, row->min);
        text_add_string(&text, " to ");
    }
    text_add_number(&text, row->max);
    text_add_string(&text, is_number ? "" : " bytes long");
    return text_ok(&text) ? text_view(&text).at : "is out of range";
}

/* Azure leaves the reference itself in the variable when it cannot resolve it. */
static bool is_key_vault_reference(struct view value)
{
    return view_starts_fold(value, VIEW("@Microsoft.KeyVault("));
}

/* "must be join, message or create" */
static const char *choice_problem(const struct choice *choices, struct arena *mem)
{
    struct text text = text_in(mem, 128);
    for (size_t i = 0; choices[i].word != NULL; i++) {
        bool is_last = choices[i + 1].word == NULL;
        text_add_string(&text, i == 0 ? "must be " : is_last ? " or " : ", ");
        text_add_string(&text, choices[i].word);
    }
    return text_ok(&text) ? text_view(&text).at : "is none of the words it may be";
}

static bool find_choice(const struct choice *choices, struct view word, long long *value)
{
    for (; choices->word != NULL; choices++)
        if (view_equal_fold(word, view_of(choices->word))) {
            *value = choices->value;
            return true;
        }
    return false;
}

static const char *problem_of(const struct setting *row, struct view value, long long *number,
                              struct arena *mem)
{
    if (is_key_vault_reference(value))
        return "is an unresolved Key Vault reference";
    if (row->kind == KIND_NUMBER && !view_to_number(value, row->min, row->max, number))
        return range_problem(row, mem);
    if (row->kind == KIND_CHOICE && !find_choice(row->choices, value, number))
        return choice_problem(row->choices, mem);
    if (row->kind == KIND_SWITCH && !find_choice(switches, value, number))
        return "must be true or false";
    if (row->kind == KIND_TEXT && row->max > 0 && value.len > (size_t)row->max)
        return range_problem(row, mem);
    return row->problem == NULL ? NULL : row->problem(value);
}

static void store(struct settings *settings, const struct setting *row, struct view value,
                  long long number)
{
    char *member = (char *)settings + row->offset;
    if (row->kind == KIND_TEXT)
        *(struct view *)(void *)member = value;
    else if (row->kind == KIND_SWITCH)
        *(bool *)(void *)member = number != 0;
    else
        *(long long *)(void *)member = number;
}

/* Defaults are written in the table as text and pass the same checks. */
static void store_fallback(struct settings *settings, const struct setting *row)
{
    long long number = 0;
    struct view value = view_of(row->fallback);
    if (row->kind == KIND_NUMBER)
        (void)view_to_number(value, row->min, row->max, &number);
    if (row->kind == KIND_CHOICE)
        (void)find_choice(row->choices, value, &number);
    store(settings, row, value, number);
}

static void read_row(struct settings *settings, const struct setting *row,
                     const char *(*lookup)(const char *))
{
    long long number = 0;
    struct view value = view_keep(view_trim(view_of(lookup(row->name))), &settings->mem);
    store_fallback(settings, row);
    if (value.len == 0 && row->knows_empty && lookup(row->name) != NULL) {
        store(settings, row, value, 0);
        return;
    }
    if (value.len == 0) {
        if (row->is_required)
            complain(settings, row, "is not set", "", row->is_fatal);
        return;
    }
    const char *problem = problem_of(row, value, &number, &settings->mem);
    if (problem == NULL)
        store(settings, row, value, number);
    else
        complain(settings, row, problem, row->is_fatal ? "" : "; its default is used instead",
                 row->is_fatal);
}

static const struct setting *row_of(const char *name)
{
    size_t i = 0;
    while (strcmp(rows[i].name, name) != 0)
        i++;
    return &rows[i];
}

/* --- what one row cannot say ------------------------------------------------------------------ */

/* The key's prefix decides which API is spoken, and with it which settings there are. */
static void read_api(struct settings *settings)
{
    const struct session_options *options = &settings->devin.options;
    struct view key = settings->wire.api_key;
    bool is_v3 = api_version_of(key) == API_V3;
    settings->devin.api.version = api_version_of(key);
    if (key.len > 0 && !is_v3 && !view_starts(key, VIEW("apk_")))
        complain(settings, row_of("DEVIN_API_KEY"), "begins with neither apk_ nor cog_",
                 ": API v1 is tried", false);
    if (is_v3 && options->snapshot_id.len > 0)
        complain(settings, row_of("DEVIN_SNAPSHOT_ID"), "does not exist in API v3",
                 ": it is not sent", false);
    if (is_v3 && options->is_unlisted)
        complain(settings, row_of("DEVIN_UNLISTED"), "does not exist in API v3", ": it is not sent",
                 false);
    if (key.len > 0 && !is_v3 && settings->devin.api.org.len > 0)
        complain(settings, row_of("DEVIN_ORG_ID"), "is for API v3 (cog_ keys)", ": it is not used",
                 false);
}

/* Nothing but loopback can be called then. */
static void read_trust(struct settings *settings)
{
    const struct wire_settings *wire = &settings->wire;
    if (!view_starts_fold(wire->api_url, VIEW("http://")) && wire_ca_file(wire->ca_file) == NULL)
        complain(settings, row_of("SSL_CERT_FILE"), "is not set and this system has no bundle",
                 ": no call to Devin can succeed; install ca-certificates, or name a PEM file",
                 false);
}

static bool is_own_secret(struct view name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].is_secret && view_equal_fold(name, view_of(rows[i].name)))
            return true;
    return false;
}

/* What Azure puts into the environment for itself is nobody's secret to give away. */
static bool is_host_secret(struct view name)
{
    return view_starts_fold(name, VIEW("AzureWebJobs")) || view_starts_fold(name, VIEW("IDENTITY_"))
           || view_starts_fold(name, VIEW("MSI_")) || view_starts_fold(name, VIEW("WEBSITE_"));
}

static void read_session_secrets(struct settings *settings, const char *(*lookup)(const char *))
{
    const struct setting *row = row_of("DEVIN_SESSION_SECRETS");
    struct session_options *options = &settings->devin.options;
    struct view rest = settings->session_secrets;
    while (rest.len > 0) {
        struct view name;
        view_cut(rest, ',', &name, &rest);
        name = view_keep(view_trim(name), &settings->mem);
        if (name.len == 0)
            continue;
        struct view value = view_keep(view_of(lookup(name.at)), &settings->mem);
        if (is_own_secret(name) || is_host_secret(name))
            complain(settings, row, "must not name the bridge's own keys", ": that one is left out",
                     false);
        else if (value.len == 0 || is_key_vault_reference(value))
            complain(settings, row, "names a setting that is not set", ": that one is left out",
                     false);
        else if (options->secret_count == MAX_SESSION_SECRETS)
            complain(settings, row, "names too many settings", ": the first 16 are given", false);
        else
            options->secrets[options->secret_count++] = (struct session_secret){ name, value };
    }
}

/* What is wrong with the storage is of interest only to those who use it. */
static void read_storage(struct settings *settings, const char *(*lookup)(const char *))
{
    static const char *const consequence = ": alerts are not stored";
    struct storage_settings *storage = &settings->storage;
    storage->identity_endpoint = view_keep(view_of(lookup("IDENTITY_ENDPOINT")), &settings->mem);
    storage->identity_header = view_keep(view_of(lookup("IDENTITY_HEADER")), &settings->mem);
    bool is_usable =
        storage_account(storage, &settings->mem, &settings->account, &settings->storage_fault);
    if (settings->queue == 0 || is_usable)
        return;
    if (storage_is_set(storage))
        complain_of(settings, settings->storage_fault.setting, settings->storage_fault.problem,
                    consequence, false);
    else
        complain(settings, row_of("QUEUE"), "is on, but AzureWebJobsStorage is not set",
                 consequence, false);
}

bool settings_has_queue(const struct settings *settings)
{
    return settings->queue != 0 && settings->storage_fault.problem == NULL;
}

/* The key alone, too: it may stand in an alert without the rest of its connection string. */
static struct view account_key(struct settings *settings)
{
    struct text text = text_in(&settings->mem, 4096);
    base64_add(&text, settings->account.key);
    return text_view(&text);
}

/* Our own secrets, and those that sessions get by another way, are no part of a prompt. */
static void read_redaction(struct settings *settings)
{
    const struct session_options *options = &settings->devin.options;
    enum { STORAGE_SECRETS = 2 };
    struct view *secrets = arena_get_array(
        &settings->mem, COUNT_OF(rows) + MAX_SESSION_SECRETS + STORAGE_SECRETS, sizeof *secrets);
    size_t count = 0;
    for (size_t i = 0; secrets != NULL && i < COUNT_OF(rows); i++)
        if (rows[i].is_secret)
            secrets[count++] =
                *(const struct view *)(const void *)((const char *)settings + rows[i].offset);
    for (size_t i = 0; secrets != NULL && i < options->secret_count; i++)
        secrets[count++] = options->secrets[i].value;
    if (secrets != NULL) {
        secrets[count++] = account_key(settings);
        secrets[count++] = settings->storage.identity_header;
    }
    settings->redact = (struct redact_settings){ .secrets = secrets,
                                                 .secret_count = count,
                                                 .is_off = settings->redacts == 0 };
    if (settings->redact.is_off)
        complain(settings, row_of("REDACT"), "is off",
                 ": secrets in alerts reach Devin and the log", false);
}

/* Written again, so that nothing but one compact JSON object can get into a request. */
static bool read_schema(struct view file, struct arena *mem, struct view *out)
{
    struct json json;
    struct failure why;
    if (file.len == 0 || !json_read(file, mem, &json, &why))
        return false;
    struct text text = text_in(mem, MAX_SCHEMA_BYTES);
    struct json_writer writer = { .to = &text };
    bool is_object = json_kind(json.root) == JSON_OBJECT;
    json_put_node(&writer, NULL, json.root);
    json_free(&json);
    *out = text_view(&text);
    return is_object && text_ok(&text);
}

static void read_output_schema(struct settings *settings)
{
    struct view path = settings->output_schema_file;
    if (path.len > 0
        && !read_schema(file_read(path.at, 2 * MAX_SCHEMA_BYTES, &settings->mem), &settings->mem,
                        &settings->devin.options.output_schema)) {
        settings->devin.options.output_schema = (struct view){ 0 };
        complain(settings, row_of("DEVIN_STRUCTURED_OUTPUT"),
                 "must name a file with a JSON object of at most 64 KiB", ": none is asked for",
                 false);
    }
}

static void complain_of_template(struct settings *settings, size_t line, size_t column,
                                 const char *problem, struct view name, const char *consequence)
{
    struct text text = text_in(&settings->mem, 512);
    text_add_string(&text, "at line ");
    text_add_number(&text, (long long)line);
    text_add_string(&text, ", column ");
    text_add_number(&text, (long long)column);
    text_add_char(&text, ' ');
    text_add_string(&text, problem);
    text_add(&text, name);
    complain(settings, row_of("PROMPT_TEMPLATE"), text_view(&text).at, consequence, false);
}

static bool is_named_before(const struct template *template, size_t node)
{
    for (size_t i = 0; i < node; i++)
        if (template->nodes[i].kind != TEMPLATE_TEXT
            && view_equal(template->nodes[i].text, template->nodes[node].text))
            return true;
    return false;
}

/* A custom field may have any name, so that a misspelt one can only be pointed at. */
static void tell_unknown_names(struct settings *settings, const struct template *template)
{
    size_t told = 0;
    for (size_t i = 0; i < template->count && told < MAX_NAMES_TOLD; i++) {
        const struct template_node *node = &template->nodes[i];
        if (node->kind == TEMPLATE_TEXT || prompt_knows(node->text) || is_named_before(template, i))
            continue;
        told++;
        complain_of_template(settings, node->line, node->column, "names ", node->text,
                             ", not a field of ours: only a custom field fills it");
    }
}

/* False where it says nothing that can be used; then that is complained of. */
static bool read_own_template(struct settings *settings, struct template *out)
{
    static const char *const consequence = "; the built-in prompt is used instead";
    const struct setting *row = row_of("PROMPT_TEMPLATE");
    struct template_fault fault;
    struct view file = file_read(settings->prompt_file.at, MAX_TEMPLATE_BYTES, &settings->mem);
    if (file.len == 0) {
        complain(settings, row, "must name a file with a template of at most 32 KiB", consequence,
                 false);
        return false;
    }
    if (file.len > (size_t)settings->prompt.max_bytes / 2) {
        complain(settings, row, "is longer than half of MAX_PROMPT_BYTES", consequence, false);
        return false;
    }
    if (!template_parse(file, &settings->mem, out, &fault)) {
        complain_of_template(settings, fault.line, fault.column, fault.what, (struct view){ 0 },
                             consequence);
        return false;
    }
    tell_unknown_names(settings, out);
    return true;
}

static void read_template(struct settings *settings)
{
    struct template *template = arena_get(&settings->mem, sizeof *template);
    struct template_fault fault;
    if (template == NULL)
        return;
    bool is_own = settings->prompt_file.len > 0 && read_own_template(settings, template);
    if (is_own || template_parse(template_builtin, &settings->mem, template, &fault))
        settings->prompt.template = template;
}

void settings_read(struct settings *out, const char *(*lookup)(const char *name))
{
    *out = (struct settings){ 0 };
    arena_init(&out->mem, 512 * 1024);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        read_row(out, &rows[i], lookup);
    read_api(out);
    read_trust(out);
    read_session_secrets(out, lookup);
    read_storage(out, lookup);
    read_redaction(out);
    read_output_schema(out);
    read_template(out);
    if (!arena_ok(&out->mem))
        complain_of_memory(out);
}

void settings_drop(struct settings *settings)
{
    arena_drop(&settings->mem);
}

/* --- listing ---------------------------------------------------------------------------------- */

size_t settings_count(void)
{
    return COUNT_OF(rows);
}

struct setting_row settings_row(size_t index)
{
    const struct setting *row = &rows[index];
    return (struct setting_row){
        .name = row->name,
        .fallback = row->fallback,
        .help = row->help,
        .is_required = row->is_required,
        .is_secret = row->is_secret,
        .is_documented = row->is_documented,
    };
}

static struct view word_of(const struct choice *choices, long long value)
{
    while (choices->word != NULL && choices->value != value)
        choices++;
    return view_of(choices->word);
}

struct view settings_value(const struct settings *settings, size_t index, struct arena *mem)
{
    const struct setting *row = &rows[index];
    const char *member = (const char *)settings + row->offset;
    struct text text = text_in(mem, 32);
    switch (row->kind) {
    case KIND_NUMBER:
        if (row->fallback == NULL && *(const long long *)(const void *)member == 0)
            return (struct view){ 0 };
        text_add_number(&text, *(const long long *)(const void *)member);
        return text_view(&text);
    case KIND_CHOICE:
        return word_of(row->choices, *(const long long *)(const void *)member);
    case KIND_SWITCH:
        return *(const bool *)(const void *)member ? VIEW("true") : VIEW("");
    case KIND_TEXT:
        break;
    }
    struct view value = *(const struct view *)(const void *)member;
    if (row->is_secret)
        return value.len > 0 ? VIEW("set") : VIEW("unset");
    return value;
}
