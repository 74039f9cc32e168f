/*
 * Settings: read once from the environment (Azure makes app settings environment variables), by one
 * table that is also their documentation.
 *
 * Owns:     values and complaints live in `mem`, which settings_drop() gives back.
 * Units:    as each row's help says.
 * Fails:    never: a bad value is a complaint, printed by whoever asks.  A fatal one means that no
 *           alert can be served; any other falls back to the row's default.  Too little memory is a
 *           fatal one.
 * Threads:  read before the first thread starts, constant afterwards.
 */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include "base/arena.h"
#include "base/redact.h"
#include "edge/caller.h"
#include "edge/server.h"
#include "edge/storage.h"
#include "edge/wire.h"
#include "triage.h"

enum { MAX_COMPLAINTS = 64 };

struct complaint {
    struct view text; /* "DEVIN_API_KEY is not set": names the setting, never its value */
    bool is_fatal;
};

struct settings {
    struct caller_settings caller;
    struct triage_settings triage;
    struct prompt_settings prompt;
    struct playbook_settings playbook;
    struct devin_settings devin;
    struct wire_settings wire;
    struct server_settings server;
    struct redact_settings redact;
    struct storage_settings storage;
    long long queue;                    /* 0: off */
    struct account account;             /* what `storage` comes to */
    struct storage_fault storage_fault; /* why it comes to nothing; `problem` NULL: it does not */
    long long redacts;                  /* 0: off */
    struct view session_secrets;        /* names, as written */
    struct view output_schema_file;     /* a path, as written */
    struct view prompt_file;            /* the same */

    struct complaint complaints[MAX_COMPLAINTS];
    size_t complaint_count;
    bool has_lost_secret; /* one that callers must present is set and cannot be read */
    struct arena mem;
};

/* One row, for listings and tests. */
struct setting_row {
    const char *name;
    const char *fallback; /* NULL: none */
    const char *help;
    bool is_required;
    bool is_secret;
    bool is_documented; /* stands in local.settings.json.example */
};

/* `lookup` is getenv, or a test's own. */
void settings_read(struct settings *out, const char *(*lookup)(const char *name));
void settings_drop(struct settings *settings);

/* The environment, for settings_read(). */
const char *settings_from_environment(const char *name);

/* What the story is told with; the caller adds the wire. */
struct triage settings_triage(struct settings *settings);

/* Whether alerts are to be stored, and can be. */
bool settings_has_queue(const struct settings *settings);

/* All complaints joined by "; ", or only the fatal ones; empty when there are none. */
struct view settings_complaints(struct settings *settings, bool only_fatal);

size_t settings_count(void);
struct setting_row settings_row(size_t index);
/* The value in force as text: "set" or "unset" for a secret. */
struct view settings_value(const struct settings *settings, size_t index, struct arena *mem);

#endif
