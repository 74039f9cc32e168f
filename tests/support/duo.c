/* A test that breaks off ends both processes too: duo_down() is always called after duo_up(). */
#include "support/duo.h"

#include "base/arena.h"
#include "support/case.h"
#include "support/control.h"
#include "support/match.h"
#include "support/player.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

const struct view duo_ping = { "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35 };

static bool start_handler(struct e2e *e2e, const char *settings, struct duo *duo)
{
    struct env env = env_basics(e2e->mem);
    struct view lines = view_of(settings);
    struct view line;
    struct view name;
    struct view value;
    player_defaults(&env, duo->devin.port);
    while (lines_next(&lines, &line))
        if (lines_pair(line, '=', &name, &value))
            env_set(&env, name, value);
    return program_start_handler(e2e->site, &env, &duo->handler, e2e->why);
}

bool duo_up(struct e2e *e2e, const char *settings, struct duo *out)
{
    *out = (struct duo){ 0 };
    if (!program_start_devin(e2e->site, 0, &out->devin, e2e->why))
        return false;
    if (start_handler(e2e, settings, out))
        return true;
    process_end(&out->devin.process, SIGTERM, DUO_PATIENCE_MS);
    program_forget(&out->devin);
    return false;
}

bool duo_leave(struct e2e *e2e, struct duo *duo)
{
    bool ok = program_end(&duo->handler, SIGTERM, DUO_PATIENCE_MS, e2e->why);
    ok = player_log_is_sound(program_out(&duo->handler, e2e->mem), e2e->mem, e2e->why) && ok;
    struct view err = program_err(&duo->handler, e2e->mem);
    ok = (err.len == 0 || complain(e2e->why, "the handler's stderr", err)) && ok;
    program_forget(&duo->handler);
    return ok;
}

bool duo_restart(struct e2e *e2e, const char *settings, struct duo *duo)
{
    return duo_leave(e2e, duo) && start_handler(e2e, settings, duo);
}

bool duo_join(struct e2e *e2e, const char *settings, const struct duo *first, struct duo *out)
{
    *out = (struct duo){ .devin = first->devin };
    return start_handler(e2e, settings, out);
}

bool duo_down(struct e2e *e2e, struct duo *duo)
{
    bool ok = duo_leave(e2e, duo);
    process_end(&duo->devin.process, SIGTERM, DUO_PATIENCE_MS);
    program_forget(&duo->devin);
    return ok;
}

bool duo_is_well(struct e2e *e2e, struct duo *duo)
{
    struct arena mem;
    struct http_answer answer = { 0 };
    arena_init(&mem, 1024 * 1024);
    bool ok = process_is_alive(&duo->handler.process)
              && http_call(duo->handler.port, duo_ping, DUO_PATIENCE_MS, &mem, &answer)
              && answer.status == 200;
    arena_drop(&mem);
    return ok || complain(e2e->why, "after that the handler does not answer", VIEW(""));
}

int duo_count_creates(struct e2e *e2e, const struct duo *duo)
{
    struct json calls = { 0 };
    int count = 0;
    if (!control_calls(duo->devin.port, e2e->mem, &calls))
        return -1;
    const struct cJSON *call = control_next_create(json_first(calls.root));
    for (; call != NULL; call = control_next_create(json_next(call)))
        count++;
    json_free(&calls);
    return count;
}

bool duo_is_at_end(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}
