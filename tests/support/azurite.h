/*
 * Azurite, the emulator of Azure's storage, as a test's own: on a free port, with data in a folder
 * that outlives its ends.
 *
 * Owns:     a running Azurite must be ended with azurite_end().  The folder is TMPDIR's.
 * Units:    ports on 127.0.0.1.
 * Fails:    with false and an explanation in the test's `why`.
 * Threads:  one owner at a time.
 */
#ifndef SUPPORT_AZURITE_H
#define SUPPORT_AZURITE_H

#include "support/e2e.h"
#include "support/storage.h"

struct azurite {
    const char *folder;
    int port;
    bool is_secure; /* https with the test's certificate, and tokens of an identity are taken */
    struct program program;
    struct storage storage; /* its own account, for plain HTTP */
};

bool azurite_start(struct e2e *e2e, bool is_secure, struct azurite *out);

/* Ends it as an operator does: what it holds is on disk then. */
bool azurite_end(struct e2e *e2e, struct azurite *azurite);

/* On the same port and data after azurite_end(). */
bool azurite_restart(struct e2e *e2e, struct azurite *azurite);

/* What the script has made beside the data: QUEUE_TEST_CERT and QUEUE_TEST_KEY. */
const char *azurite_certificate(void);

#endif
