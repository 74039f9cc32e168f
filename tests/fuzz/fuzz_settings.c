/* App settings.  An input is "NAME=value" pieces, each ended by a NUL. */
#include "edge/settings.h"
#include "fuzz/fuzz.h"

#include <string.h>

static const char *environment; /* pieces one behind the other, an empty one at the end */

static const char *look_up(const char *name)
{
    size_t len = strlen(name);
    for (const char *piece = environment; *piece != '\0'; piece += strlen(piece) + 1)
        if (strncmp(piece, name, len) == 0 && piece[len] == '=')
            return piece + len + 1;
    return NULL;
}

static const char *copy_of(const uint8_t *bytes, size_t size)
{
    char *copy = calloc(1, size + 2);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

/* A complaint names its setting and never quotes the value. */
static void claim_complaints(struct settings *settings)
{
    for (size_t i = 0; i < settings->complaint_count; i++) {
        struct view text = settings->complaints[i].text;
        bool is_named = false;
        for (size_t row = 0; row < settings_count(); row++)
            is_named = is_named || view_starts(text, view_of(settings_row(row).name));
        CLAIM(is_named && fuzz_is_clean(text, false));
    }
    CLAIM(fuzz_is_clean(settings_complaints(settings, false), false));
}

static void claim_values(struct settings *settings)
{
    CLAIM(wire_url_problem(settings->wire.api_url) == NULL);
    CLAIM(playbook_routes_problem(settings->playbook.routes) == NULL);
    CLAIM(fuzz_is_clean(settings->wire.api_key, false));
    CLAIM(settings->triage.timeout_ms >= 100 && settings->triage.timeout_ms <= 110000);
    CLAIM(settings->devin.retry.tries >= 1 && settings->devin.retry.tries <= 10);
    CLAIM(settings->devin.retry.first_ms >= 1 && settings->devin.retry.first_ms <= 60000);
    CLAIM(settings->server.max_body_bytes >= 1024);
    (void)playbook_for(&settings->playbook, VIEW("auth-error in checkout"));
    for (size_t i = 0; i < settings_count(); i++) {
        struct view value = settings_value(settings, i, &settings->mem);
        CLAIM(!settings_row(i).is_secret || view_equal(value, VIEW("set"))
              || view_equal(value, VIEW("unset")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *copy = copy_of(bytes, size);
    struct settings settings;
    environment = copy;
    settings_read(&settings, look_up);
    claim_complaints(&settings);
    claim_values(&settings);
    settings_drop(&settings);
    free((void *)copy);
    return 0;
}
