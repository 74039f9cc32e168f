/*
 * An Azure storage account: where its queues are, and how a request to it is signed.  Opens no
 * connection and asks no clock.
 *
 * Owns:     nothing; all of it lives in the arena.
 * Units:    seconds since 1970.
 * Fails:    storage_account() names the setting that is wrong; storage_write() only without memory.
 * Threads:  any; an account is constant once it is read.
 *
 * Sources: learn.microsoft.com, rest/api/storageservices/authorize-with-shared-key and
 * azure/storage/common/storage-configure-connection-string; for the settings of an identity
 * azure/azure-functions/functions-reference, "Connecting to host storage with an identity".
 */
#ifndef EDGE_STORAGE_H
#define EDGE_STORAGE_H

#include "base/failure.h"
#include "base/text.h"
#include "edge/wire.h"

/* What the Functions host is told too; the last two are the platform's own. */
struct storage_settings {
    struct view connection;
    struct view account_name, queue_uri, credential, client_id;
    struct view identity_endpoint, identity_header;
};

struct account {
    struct view name;
    struct view queue_url; /* without a slash at its end */
    struct view key;       /* bytes; empty: tokens of the identity are asked for */
    struct view client_id; /* of that identity; empty: the app's own */
    struct view identity_endpoint, identity_header;
};

struct storage_fault {
    const char *setting;
    const char *problem; /* follows the setting's name: "has no AccountName" */
};

/* Whether any storage is named at all. */
bool storage_is_set(const struct storage_settings *settings);

bool storage_account(const struct storage_settings *settings, struct arena *mem,
                     struct account *out, struct storage_fault *fault) MUST_CHECK;

/* In lower case; those of one request in the order of the alphabet. */
struct storage_parameter {
    const char *name;
    struct view value;
};

struct storage_request {
    const char *method;
    struct view path; /* below the account: "/triage/messages", of letters that need no escape */
    const struct storage_parameter *parameters;
    size_t parameter_count;
    struct view body; /* XML */
    const char *asks_for;
};

/* `token` is what an account without a key is spoken to with. */
bool storage_write(const struct account *account, const struct storage_request *request,
                   struct view token, long long now_s, struct arena *mem,
                   struct fetch *out) MUST_CHECK;

#endif
