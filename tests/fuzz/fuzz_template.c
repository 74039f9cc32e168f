/* Templates.  An input is a template; what is one is filled, and says the same when that is done again. */
#include "fuzz/fuzz.h"
#include "session/prompt.h"
#include "session/template.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

static struct pair pairs[] = { { BYTES_OF("team"), BYTES_OF("# sre") },
                               { BYTES_OF("- x"), BYTES_OF("a\nb") } };

static const struct alert alert = {
    .name = BYTES_OF("n {{logs}}"),
    .description = BYTES_OF("one\n```\ntwo"),
    .file = BYTES_OF("1"),
    .line = 14,
    .logs = BYTES_OF("l\n````\nl"),
    .query = BYTES_OF("q"),
    .dimensions = { pairs, 2, 3 },
    .custom = { pairs, 2, 0 },
    .links = { pairs, 2, 0 },
    .conditions = { pairs, 2, 0 },
};

static struct view render(const struct template *template, struct arena *mem)
{
    const struct alert *also[] = { &alert, &alert };
    struct problem problem = { .alert = &alert, .also = also, .also_count = 2 };
    struct prompt_settings settings = { .target_repo = VIEW("r"), .template = template };
    struct view prompt = { 0 };
    struct failure why;
    CLAIM(prompt_render(&problem, &settings, mem, &prompt, &why));
    return prompt;
}

/* Sections end within the one they stand in. */
static void claim_nodes(const struct template *template)
{
    CLAIM(template->count <= MAX_TEMPLATE_NODES);
    for (size_t i = 0; i < template->count; i++) {
        const struct template_node *node = &template->nodes[i];
        CLAIM(node->end > i && node->end <= template->count && node->text.len > 0);
        CLAIM(node->line > 0 && node->column > 0);
        for (size_t inside = i + 1; inside < node->end && inside < i + 64; inside++)
            CLAIM(template->nodes[inside].end <= node->end);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena mem;
    struct template template;
    struct template_fault fault = { 0 };
    arena_init(&mem, FUZZ_BYTES);
    if (template_parse((struct view){ (const char *)bytes, size }, &mem, &template, &fault)) {
        claim_nodes(&template);
        struct view prompt = render(&template, &mem);
        CLAIM(prompt.len <= 65536 && fuzz_is_clean(prompt, true));
        CLAIM(view_equal(prompt, render(&template, &mem)));
    } else {
        CLAIM(fault.what != NULL && fault.line > 0 && fault.column > 0);
    }
    arena_drop(&mem);
    return 0;
}
