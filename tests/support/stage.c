/* The temporary app root holds what a published app holds; its bin/handler is a link to ours. */
#include "support/stage.h"

#include "base/arena.h"
#include "support/match.h"
#include "support/player.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { END_PATIENCE_MS = 8000 };

static const char *const root_files[] = { "host.json", "local.settings.json.example",
                                          "trigger-devin/function.json" };

/* In the order in which they can be removed. */
static const char *const root_links_and_folders[] = { "bin/handler", "bin", "trigger-devin", "" };

/* `text` with each "…HttpRequest": true turned to false. */
static struct view switched_off(struct view text, struct arena *mem)
{
    struct text out = text_in(mem, text.len + 64);
    struct view name = VIEW("HttpRequest\": true");
    while (text.len > 0) {
        if (view_starts(text, name)) {
            text_add_string(&out, "HttpRequest\": false");
            text = view_skip(text, name.len);
        } else {
            text_add_char(&out, text.at[0]);
            text = view_skip(text, 1);
        }
    }
    return text_view(&out);
}

static bool fill_root(const struct stage_plan *plan, const char *root, struct arena *mem)
{
    mkdir(joined(mem, root, "/bin", (char *)NULL), 0700);
    mkdir(joined(mem, root, "/trigger-devin", (char *)NULL), 0700);
    for (size_t i = 0; i < COUNT_OF(root_files); i++) {
        const char *from = joined(mem, plan->site->root, "/", root_files[i], (char *)NULL);
        struct view content = process_read_file(from, mem);
        if (i == 0 && plan->is_enveloped)
            content = switched_off(content, mem);
        if (content.len == 0
            || !process_write_file(joined(mem, root, "/", root_files[i], (char *)NULL), content))
            return false;
    }
    return symlink(plan->site->handler, joined(mem, root, "/bin/handler", (char *)NULL)) == 0;
}

static bool make_root(const struct stage_plan *plan, struct arena *mem, struct stage *out,
                      struct text *why)
{
    out->root = process_make_folder("trigger-devin", mem);
    if (out->root == NULL)
        return complain(why, "no temporary folder can be made", VIEW(""));
    out->is_root_ours = true;
    return fill_root(plan, out->root, mem)
           || complain(why, "the temporary app root cannot be filled", view_of(out->root));
}

static void remove_root(const struct stage *stage, struct arena *mem)
{
    for (size_t i = 0; i < COUNT_OF(root_files); i++)
        remove(joined(mem, stage->root, "/", root_files[i], (char *)NULL));
    for (size_t i = 0; i < COUNT_OF(root_links_and_folders); i++)
        remove(joined(mem, stage->root, "/", root_links_and_folders[i], (char *)NULL));
}

static bool start_host(const struct stage_plan *plan, struct arena *mem, struct stage *out,
                       struct text *why)
{
    char port[16], devin_port[16];
    int number = plan->host_port != 0 ? plan->host_port : process_free_port();
    snprintf(port, sizeof port, "%d", number);
    snprintf(devin_port, sizeof devin_port, "%d", out->devin.port);
    const char *argv[] = { plan->site->host, "--root",   out->root, "--port",    port,
                           "--mode",         plan->mode, "--proxy", plan->proxy, "--devin-port",
                           devin_port,       NULL };
    struct env env = env_basics(mem);
    player_defaults(&env, out->devin.port);
    env_set(&env, VIEW("DEVIN_API_KEY"), VIEW("apk_user_demo"));
    if (plan->secret != NULL)
        env_set(&env, VIEW("WEBHOOK_SECRET"), view_of(plan->secret));
    struct program_plan host = {
        .argv = argv, .env = &env, .port = number, .is_heard = !plan->is_shown
    };
    return program_start(&host, &out->host, why);
}

bool stage_up(const struct stage_plan *plan, struct arena *mem, struct stage *out, struct text *why)
{
    *out = (struct stage){ .root = plan->root };
    if (plan->root == NULL && !make_root(plan, mem, out, why))
        return false;
    if (program_start_devin(plan->site, plan->devin_port, &out->devin, why)
        && start_host(plan, mem, out, why))
        return true;
    stage_down(out, mem, why);
    return false;
}

static bool end(struct program *program, struct text *why)
{
    bool ok = program->process.pid == 0 || program_end(program, SIGTERM, END_PATIENCE_MS, why);
    program_forget(program);
    return ok;
}

bool stage_down(struct stage *stage, struct arena *mem, struct text *why)
{
    bool ok = end(&stage->host, why);
    ok = end(&stage->devin, why) && ok;
    if (stage->is_root_ours)
        remove_root(stage, mem);
    return ok;
}
