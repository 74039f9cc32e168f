/* What end-to-end tests say again and again. */
#include "support/e2e.h"

#include "base/arena.h"
#include "base/json.h"
#include "support/http.h"
#include "support/match.h"

enum test_result e2e_fail(struct e2e *e2e, const char *sentence, struct view seen)
{
    complain(e2e->why, sentence, seen);
    return TEST_FAILED;
}

struct view e2e_alert(struct e2e *e2e, const char *path, const char *name)
{
    struct text body = text_in(e2e->mem, 4096);
    struct json_writer to = { .to = &body };
    json_open(&to, NULL, '{');
    json_put_text(&to, "alertName", view_of(name));
    json_put_number(&to, "severity", 1);
    json_put_text(&to, "description", VIEW("Sent by an end-to-end test"));
    json_put_text(&to, "firedTime",
                  VIEW("2024-02-06T12:00:00Z")); /* a firing: sent again, the same */
    json_close(&to, '}');
    return http_request("POST", view_of(path), VIEW("Content-Type: application/json\r\n"),
                        text_view(&body), e2e->mem);
}
