/* Plain stdio; what a peer wrote passes terminal_print() first. */
#include "edge/terminal.h"

#include <stdio.h>
#include <string.h>

int terminal_failure(const struct failure *why)
{
    const struct failure_row *row = failure_row(why->kind);
    const char *reason = why->reason[0] != '\0' ? why->reason : row->details;
    bool is_about_input = row->status < 500;
    fputs("handler: ", stderr);
    if (is_about_input || reason == NULL)
        fprintf(stderr, "%s%s%s%s%s", row->error, why->field == NULL ? "" : why->field,
                why->rule == NULL ? "" : " ", why->rule == NULL ? "" : why->rule,
                reason == NULL ? "" : ": ");
    fputs(reason == NULL ? "" : reason, stderr);
    if (why->detail[0] != '\0')
        fprintf(stderr, " (%s)", why->detail);
    fputc('\n', stderr);
    return 1;
}

void terminal_print(struct view text)
{
    while (text.len > 0) {
        uint32_t code = 0;
        size_t len = utf8_read(text, &code);
        if (len > 0 && !utf8_is_invisible(code))
            fwrite(text.at, 1, len, stdout);
        text = view_skip(text, len == 0 ? 1 : len);
    }
}

bool terminal_take(int *count, char **words, const char *option)
{
    bool is_there = false;
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        if (strcmp(words[i], option) == 0)
            is_there = true;
        else
            words[kept++] = words[i];
    }
    *count = kept;
    return is_there;
}
