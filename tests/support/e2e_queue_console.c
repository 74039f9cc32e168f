/*
 * `handler queue` on what real alerts have left behind: seen, tried again, thrown away, never lost.
 */
#include "base/arena.h"
#include "base/json.h"
#include "support/control.h"
#include "support/match.h"
#include "support/queue_stage.h"

#include <sys/wait.h>

#define ID "DEVIN_PLAYBOOK_ID=playbook-0123456789abcdef0123456789abcdef\n"

struct said {
    struct view out, err;
    int code;
};

/* With the settings that the stage's handler has. */
static bool command(struct e2e *e2e, const struct queue_stage *stage, const char *verb,
                    const char *id, const char *option, struct said *out)
{
    struct program program;
    const char *argv[6] = { e2e->site->handler, "queue", verb };
    size_t count = 3;
    if (id != NULL)
        argv[count++] = id;
    if (option != NULL)
        argv[count++] = option;
    const struct program_plan plan = { .argv = argv, .env = &stage->env, .is_heard = true };
    if (!program_start(&plan, &program, e2e->why))
        return complain(e2e->why, "the command does not start", view_of(verb));
    process_end(&program.process, 0, QUEUE_PATIENCE_MS);
    *out = (struct said){ program_out(&program, e2e->mem), program_err(&program, e2e->mem),
                          WIFEXITED(program.process.status) ? WEXITSTATUS(program.process.status)
                                                            : -1 };
    program_forget(&program);
    return true;
}

static bool says(struct e2e *e2e, const struct queue_stage *stage, const char *verb, const char *id,
                 const char *option, int code, const char *out_words, const char *err_words)
{
    struct said said = { 0 };
    if (!command(e2e, stage, verb, id, option, &said))
        return false;
    if (said.code == code && view_contains(said.out, view_of(out_words))
        && view_contains(said.err, view_of(err_words)))
        return true;
    complain(e2e->why, "the command that says something else", view_of(verb));
    complain(e2e->why, "its stdout", said.out);
    return complain(e2e->why, "its stderr", said.err);
}

/* The id of the poisoned alert of that name, as `list --json` tells it, a line each. */
static const char *id_of(struct e2e *e2e, const struct queue_stage *stage, const char *name)
{
    struct said said = { 0 };
    struct view line;
    struct view rest;
    if (!command(e2e, stage, "list", "--poison", "--json", &said))
        return NULL;
    for (rest = said.out; rest.len > 0;) {
        struct json json = { 0 };
        struct failure why;
        view_cut(rest, '\n', &line, &rest);
        if (!view_contains(line, view_of(name)) || !json_read(line, e2e->mem, &json, &why))
            continue;
        struct view id = view_keep(json_text(json_at(json.root, "id")), e2e->mem);
        json_free(&json);
        return id.at;
    }
    complain(e2e->why, "is not in the list", said.out);
    return NULL;
}

/* Two that Devin refused, and one that waits, hidden. */
static bool leave_three(struct e2e *e2e, struct queue_stage *stage)
{
    return control_faults(stage->devin.port,
                          VIEW("{\"on\":\"POST /v1/sessions\",\"status\":403,\"repeat\":2}"))
           && queue_stage_is(e2e, stage, "first-refused", 500, "Invalid Devin API key")
           && queue_stage_is(e2e, stage, "second-refused", 500, "Invalid Devin API key")
           && queue_stage_holds(e2e, stage, QUEUE_POISONED, 2)
           && queue_stage_devin_goes(e2e, stage, true)
           && queue_stage_is(e2e, stage, "still-waits", 202, "deferred")
           && queue_stage_devin_goes(e2e, stage, false)
           && queue_stage_holds(e2e, stage, QUEUE_WAITING, 1);
}

static bool looks(struct e2e *e2e, const struct queue_stage *stage, const char *id)
{
    return says(e2e, stage, "list", NULL, NULL, 0, "first-refused", "about 1 more are waiting")
           && says(e2e, stage, "list", NULL, NULL, 0, "second-refused", "hidden")
           && says(e2e, stage, "list", NULL, NULL, 0, "Invalid Devin API key", "")
           && says(e2e, stage, "show", id, NULL, 0, "first-refused", "")
           && says(e2e, stage, "show", "no-such-id", NULL, 1, "", "no alert with that id")
           && queue_stage_holds(e2e, stage, QUEUE_POISONED, 2);
}

/* Tried again, and this time Devin takes it: the host that drains the queue comes only now. */
static bool tries_again(struct e2e *e2e, struct queue_stage *stage, const char *id)
{
    static struct queue_stage hosted;
    const struct queue_plan plan = { .settings = ID, .is_hosted = true, .beside = stage };
    bool ok = says(e2e, stage, "replay", id, NULL, 0, "replayed", "")
              && queue_stage_holds(e2e, stage, QUEUE_POISONED, 1)
              && queue_stage_holds(e2e, stage, QUEUE_WAITING, 2)
              && queue_stage_up(e2e, &plan, &hosted) && queue_stage_has_sessions(e2e, stage, 2)
              && queue_stage_holds(e2e, stage, QUEUE_WAITING, 0);
    return queue_stage_down(e2e, &hosted, NULL) && ok;
}

static enum test_result looked_after(struct e2e *e2e)
{
    static struct queue_stage stage;
    bool ok = queue_stage_up(e2e, &(struct queue_plan){ .settings = ID }, &stage)
              && leave_three(e2e, &stage);
    const char *id = ok ? id_of(e2e, &stage, "first-refused") : NULL;
    ok = id != NULL && looks(e2e, &stage, id) && tries_again(e2e, &stage, id)
         && says(e2e, &stage, "drop", "all", "--poison", 0, "dropped", "")
         && queue_stage_holds(e2e, &stage, QUEUE_POISONED, 0)
         && says(e2e, &stage, "list", NULL, NULL, 0, "", "")
         && says(e2e, &stage, "replay", "all", NULL, 0, "There are none", "");
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* More than a page of them, all at once. */
static enum test_result all_replayed(struct e2e *e2e)
{
    enum { MANY = 40 };
    static struct queue_stage stage;
    bool ok =
        queue_stage_up(e2e, &(struct queue_plan){ .settings = ID }, &stage)
        && control_faults(stage.devin.port, VIEW("{\"on\":\"POST /v1/sessions\",\"status\":403,"
                                                 "\"repeat\":1000}"));
    for (int i = 0; ok && i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%d", i);
        ok = queue_stage_is(e2e, &stage, name, 500, "Invalid Devin API key");
    }
    ok = ok && queue_stage_holds(e2e, &stage, QUEUE_POISONED, MANY)
         && says(e2e, &stage, "replay", "all", NULL, 0, "replayed", "")
         && queue_stage_holds(e2e, &stage, QUEUE_POISONED, 0)
         && queue_stage_holds(e2e, &stage, QUEUE_WAITING, MANY)
         && says(e2e, &stage, "drop", "all", NULL, 2, "", "")
         && says(e2e, &stage, "drop", "all", "--waiting", 0, "dropped", "")
         && queue_stage_holds(e2e, &stage, QUEUE_WAITING, 0);
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

/* Without a storage, or with one that is away: a sentence and an exit code, nothing else. */
static enum test_result without_storage(struct e2e *e2e)
{
    static struct queue_stage stage;
    bool ok = queue_stage_up(e2e, &(struct queue_plan){ .settings = ID }, &stage)
              && azurite_end(e2e, &stage.azurite)
              && says(e2e, &stage, "list", NULL, NULL, 1, "", "handler: ");
    env_unset(&stage.env, VIEW("AzureWebJobsStorage"));
    ok = ok && says(e2e, &stage, "list", NULL, NULL, 1, "", "AzureWebJobsStorage");
    return queue_stage_down(e2e, &stage, NULL) && ok ? TEST_PASSED : TEST_FAILED;
}

const struct e2e_test e2e_queue_console[] = {
    { "queue: list, show, replay and drop on what alerts left", looked_after },
    { "queue: more than a page of poisoned alerts is replayed", all_replayed },
    { "queue: the commands say what is wrong with the storage", without_storage },
    { NULL, NULL },
};
