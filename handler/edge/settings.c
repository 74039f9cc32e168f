/*
 * One row a setting.  A value is checked by its row's kind and, where there is one, by its own
 * check; reading, complaining and listing are loops over the table.
 */
#include "edge/settings.h"

#include <stddef.h>
#include <stdlib.h>

enum setting_kind { KIND_TEXT, KIND_NUMBER };

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
    const char *(*problem)(struct view value); /* NULL, or what is wrong, as "must be ..." */
    const char *help;
};

/* The offset of a member, which does not compile when the member has another type. */
#define MEMBER_AT(member, type)        \
    (offsetof(struct settings, member) \
     + 0 * sizeof(char[_Generic(((struct settings *)0)->member, type : 1)]))
#define TEXT_AT(member)   .kind = KIND_TEXT, .offset = MEMBER_AT(member, struct view)
#define NUMBER_AT(member) .kind = KIND_NUMBER, .offset = MEMBER_AT(member, long long)

/* Goes into a header line: no blanks, no controls. */
static const char *header_problem(struct view value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] <= ' ' || value.at[i] > '~')
            return "must be printable ASCII without blanks";
    return NULL;
}

/* clang-format off */
static const struct setting rows[] = {
    { "DEVIN_API_KEY", TEXT_AT(wire.api_key),
      .is_required = true, .is_fatal = true, .is_secret = true, .is_documented = true,
      .problem = header_problem,
      .help = "Devin API key (apk_user_..., apk_...)" },
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
      .help = "playbook of a session when no route matches" },
    { "PLAYBOOK_ROUTES", TEXT_AT(playbook.routes),
      .problem = playbook_routes_problem,
      .help = "pattern=playbook,pattern=playbook: the first pattern found in the alert's name wins" },
    { "DEVIN_API_URL", TEXT_AT(wire.api_url),
      .fallback = "https://api.devin.ai", .is_fatal = true,
      .problem = wire_url_problem,
      .help = "where Devin's API is; http:// is allowed to this machine only" },
    { "SSL_CERT_FILE", TEXT_AT(wire.ca_file),
      .problem = wire_ca_problem,
      .help = "file of trusted certificate authorities (PEM); default: the system's" },
    { "DEVIN_TIMEOUT_MS", NUMBER_AT(triage.timeout_ms),
      .fallback = "30000", .min = 100, .max = 110000,
      .help = "deadline of an alert in milliseconds, tries and waits included; Azure Monitor's have 8000 at most" },
    { "MAX_SESSIONS_PER_REQUEST", NUMBER_AT(triage.max_sessions),
      .fallback = "5", .min = 1, .max = 20,
      .help = "how many sessions one request may open; further problems are named in the last one" },
    { "DEVIN_RETRIES", NUMBER_AT(devin.tries),
      .fallback = "3", .min = 1, .max = 10,
      .help = "how often a request is sent to Devin at most" },
    { "DEVIN_RETRY_MS", NUMBER_AT(devin.retry_ms),
      .fallback = "1000", .min = 1, .max = 60000,
      .help = "wait before the second try in milliseconds; doubles for each further one" },
    { "MAX_PROMPT_BYTES", NUMBER_AT(prompt.max_bytes),
      .fallback = "65536", .min = 16384, .max = 1048576,
      .help = "largest prompt in bytes; long logs keep their head and tail" },
    { "MAX_BODY_BYTES", NUMBER_AT(server.max_body_bytes),
      .fallback = "1048576", .min = 1024, .max = 16777216,
      .help = "largest request body in bytes; more is answered 413" },
};
/* clang-format on */

const char *settings_from_environment(const char *name)
{
    return getenv(name);
}

/* --- complaints ---------------------------------------------------------------------------------
 */

static void complain(struct settings *settings, const struct setting *row, const char *problem,
                     const char *consequence)
{
    if (settings->complaint_count == MAX_COMPLAINTS)
        return;
    struct text text = text_in(&settings->mem, 1024);
    text_add_string(&text, row->name);
    text_add_char(&text, ' ');
    text_add_string(&text, problem);
    text_add_string(&text, consequence);
    settings->complaints[settings->complaint_count++] = (struct complaint){
        .text = text_view(&text),
        .is_fatal = row->is_fatal,
    };
}

#define NO_MEMORY "not enough memory to read the settings"

/* A setting that was lost on the way would look like one that is not set: the secret, say. */
static void complain_of_memory(struct settings *settings)
{
    size_t last = settings->complaint_count < MAX_COMPLAINTS ? settings->complaint_count++
                                                             : MAX_COMPLAINTS - 1;
    settings->complaints[last] = (struct complaint){ .text = VIEW(NO_MEMORY), .is_fatal = true };
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

/* --- reading ------------------------------------------------------------------------------------
 */

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

static const char *problem_of(const struct setting *row, struct view value, long long *number,
                              struct arena *mem)
{
    if (is_key_vault_reference(value))
        return "is an unresolved Key Vault reference";
    if (row->kind == KIND_NUMBER && !view_to_number(value, row->min, row->max, number))
        return range_problem(row, mem);
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
    store(settings, row, value, number);
}

static void read_row(struct settings *settings, const struct setting *row,
                     const char *(*lookup)(const char *))
{
    long long number = 0;
    struct view value = view_keep(view_trim(view_of(lookup(row->name))), &settings->mem);
    store_fallback(settings, row);
    if (value.len == 0) {
        if (row->is_required)
            complain(settings, row, "is not set", "");
        return;
    }
    const char *problem = problem_of(row, value, &number, &settings->mem);
    if (problem == NULL)
        store(settings, row, value, number);
    else
        complain(settings, row, problem, row->is_fatal ? "" : "; its default is used instead");
}

void settings_read(struct settings *out, const char *(*lookup)(const char *name))
{
    *out = (struct settings){ 0 };
    arena_init(&out->mem, 256 * 1024);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        read_row(out, &rows[i], lookup);
    if (!arena_ok(&out->mem))
        complain_of_memory(out);
}

void settings_drop(struct settings *settings)
{
    arena_drop(&settings->mem);
}

/* --- listing ------------------------------------------------------------------------------------
 */

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

struct view settings_value(const struct settings *settings, size_t index, struct arena *mem)
{
    const struct setting *row = &rows[index];
    const char *member = (const char *)settings + row->offset;
    if (row->kind == KIND_NUMBER) {
        struct text text = text_in(mem, 32);
        text_add_number(&text, *(const long long *)(const void *)member);
        return text_view(&text);
    }
    struct view value = *(const struct view *)(const void *)member;
    if (row->is_secret)
        return value.len > 0 ? VIEW("set") : VIEW("unset");
    return value;
}
