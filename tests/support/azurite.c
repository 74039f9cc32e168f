/* tests/queue/run.sh names the program and the certificate in the environment. */
#include "support/azurite.h"

#include "base/arena.h"
#include "support/match.h"

#include <signal.h>
#include <stdlib.h>

enum { STARTS = 3, END_PATIENCE_MS = 30000 };

const char *azurite_certificate(void)
{
    return getenv("QUEUE_TEST_CERT");
}

static bool start_on(struct e2e *e2e, int port, struct azurite *azurite)
{
    char number[16];
    const char *argv[20] = { getenv("AZURITE_QUEUE"), "--queuePort",        number,    "--location",
                             azurite->folder,         "--disableTelemetry", "--silent" };
    size_t count = 7;
    if (argv[0] == NULL)
        return complain(e2e->why, "AZURITE_QUEUE names no program: run make test-queue", VIEW(""));
    snprintf(number, sizeof number, "%d", port);
    if (azurite->is_secure) {
        const char *more[] = { "--oauth", "basic",
                               "--cert",  azurite_certificate(),
                               "--key",   getenv("QUEUE_TEST_KEY") };
        for (size_t i = 0; i < COUNT_OF(more); i++)
            argv[count++] = more[i];
    }
    struct env env = env_basics(e2e->mem);
    const struct program_plan plan = { .argv = argv, .env = &env, .port = port, .is_heard = true };
    azurite->port = port;
    azurite->storage = (struct storage){ port, VIEW(STORAGE_ACCOUNT), VIEW(STORAGE_KEY) };
    return program_start(&plan, &azurite->program, e2e->why);
}

bool azurite_start(struct e2e *e2e, bool is_secure, struct azurite *out)
{
    *out = (struct azurite){ .is_secure = is_secure };
    out->folder = process_make_folder("azurite", e2e->mem);
    if (out->folder == NULL)
        return complain(e2e->why, "no folder can be made for Azurite", VIEW(""));
    for (int i = 0; i < STARTS; i++)
        if (start_on(e2e, process_free_port(), out))
            return true;
    return false;
}

bool azurite_end(struct e2e *e2e, struct azurite *azurite)
{
    bool ok = azurite->program.process.pid == 0
              || program_end(&azurite->program, SIGTERM, END_PATIENCE_MS, e2e->why);
    program_forget(&azurite->program);
    return ok;
}

bool azurite_restart(struct e2e *e2e, struct azurite *azurite)
{
    return start_on(e2e, azurite->port, azurite);
}
