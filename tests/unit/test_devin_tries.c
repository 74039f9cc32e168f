/* The step machine: tries, time, what is looked up first, and failures. */
#include "unit/conversation.h"

#include "base/json.h"

/* clang-format off */

/* --- tries --------------------------------------------------------------------------------------- */

static const struct conversation tries[] = {
    { "v1 repeats the very bytes", { 0 },
      { { CREATE1, 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { CREATE1, SILENT, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "four times where that is allowed", { .tries = 4 },
      { { CREATE1, 500, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { CREATE1, BROKEN, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { CREATE1, UNCONNECTED, "", 0, 0 }, { "wait 4000", 0, "", 0, 0 },
        { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "three times busy", { 0 },
      { { CREATE1, 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { CREATE1, 429, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { CREATE1, 429, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_BUSY, NULL, "" },
    { "mixed, the last counts", { 0 },
      { { CREATE1, 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { CREATE1, SILENT, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { CREATE1, 503, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },
    { "busy, then refused", { 0 },
      { { CREATE1, 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { CREATE1, 401, "", 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_KEY, NULL, "" },
    { "one try is one try", { .tries = 1 },
      { { CREATE1, 429, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_BUSY, NULL, "" },
    { "Retry-After", { 0 },
      { { CREATE1, 503, "", 7000, 0 }, { "wait 7000", 0, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "Retry-After of an hour", { .left_ms = 8100 },
      { { CREATE1, 429, "", 3600000, 0 }, { "wait 7000", 0, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "no time for another", { .left_ms = 1900 },
      { { CREATE1, 503, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },
    { "2xx without a session", { 0 },
      { { CREATE1, 200, "{}", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_UNCLEAR, NULL, "" },

    /* v3 does not repeat what may have been done: it asks first */
    { "v3, surely not done", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { CREATE3, UNCONNECTED, "", 0, 0 }, { "wait 2000", 0, "", 0, 0 }, { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "v3, done", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, NONE3, 0, 0 }, { CREATE3, SILENT, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(STRANGER "," SAME), 0, 0 } }, RESULT_CREATED, 0, "s", "" },
    { "v3, done and over already", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 502, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(SAME_ENDED), 0, 0 } }, RESULT_CREATED, 0, "s", "" },
    { "v3, not done after all", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, BROKEN, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(STRANGER), 0, 0 }, { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "v3, nobody knows", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 504, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 500, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },
    { "v3, three times unclear", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 503, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 503, "", 0, 0 }, { "wait 2000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 503, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },
    { "v3, 2xx without a session: done", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, "{}", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(SAME), 0, 0 } }, RESULT_CREATED, 0, "s", "" },
    { "v3, 2xx without a session: never again", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, "{}", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_UNCLEAR, NULL, "" },
    { "v3, no firing, another was open before", { .version = API_V3, .has_identity = true, .has_no_firing = true, .on_refire = REFIRE_CREATE },
      { { LIST3("fp-1"), 200, LISTED3(SAME), 0, 0 }, { CREATE3, SILENT, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(SAME "," ITEM("t", "new", "'fp-1','alert-1'")), 0, 0 } },
      RESULT_CREATED, 0, "t", "" },
    { "v3, refused", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 422, "", 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_REJECTED, NULL, "" },

    /* no time is left */
    { "no time at all", { .left_ms = -1 }, { { 0 } }, ENDS_FAILED, FAIL_DEVIN_UNREACHABLE, NULL, "" },
    { "the list took all", { .has_identity = true },
      { { LIST1("fp-1"), 200, NONE1, 0, DEADLINE_MS } }, ENDS_FAILED, FAIL_DEVIN_UNREACHABLE, NULL, "" },
    { "the list took all, but found the firing", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(SAME), 0, DEADLINE_MS } }, RESULT_EXISTING, 0, "s", "" },
    { "the list took all, but found an open one", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, DEADLINE_MS } },
      RESULT_EXISTING, 0, "a", "tags: could not be set" },
    { "the list took all, nothing can be told", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, DEADLINE_MS } }, RESULT_EXISTING, 0, "a",
      "message: the session's messages could not be counted; tags: could not be set" },
    { "the count took all", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, DEADLINE_MS } },
      RESULT_EXISTING, 0, "a",
      "message: was not delivered, or nobody knows; tags: could not be set" },
    { "the message took all", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 200, "null", 0, DEADLINE_MS } },
      RESULT_MESSAGED, 0, "a", "tags: could not be set" },
    { "a page took all", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3(SAME, "c"), 0, DEADLINE_MS } }, RESULT_EXISTING, 0, "s", "" },
    { "a page took all, nothing found", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3("", "c"), 0, DEADLINE_MS } },
      ENDS_FAILED, FAIL_DEVIN_UNREACHABLE, NULL, "" },
    { "the create took all", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, DEADLINE_MS } },
      RESULT_EXISTING, 0, "old", "session: its state could not be read" },
    { "the playbooks took all", { .playbook = "b" },
      { { BOOKS1, 200, "[]", 0, DEADLINE_MS } }, ENDS_FAILED, FAIL_DEVIN_UNREACHABLE, NULL,
      "playbook: does not exist: the session goes without" },
};

/* --- organization and playbook ------------------------------------------------------------------- */

static const struct conversation lookups[] = {
    { "the key's own organization", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 200, "{'principal_type':'service_user','org_id':'o'}", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "an organization with odd letters", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 200, "{'org_id':'o/..'}", 0, 0 },
        { "GET /v3/organizations/o%2F../sessions?first=100&tags=alert-1", 200, LISTED3(SAME), 0, 0 } },
      RESULT_EXISTING, 0, "s", "" },
    { "a key of none", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 200, "{'org_id':null}", 0, 0 } }, ENDS_FAILED, FAIL_MISCONFIGURED, NULL, "" },
    { "an answer without one", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 200, "<html>", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_UNCLEAR, NULL, "" },
    { "a key that is refused", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 403, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_KEY, NULL, "" },
    { "asked again where that may help", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 500, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { "GET /v3/self", SILENT, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { "GET /v3/self", 200, "{'org_id':'o'}", 0, 0 },
        { LIST3("alert-1"), 200, LISTED3(SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "but not without end", { .version = API_V3, .has_no_org = true },
      { { "GET /v3/self", 500, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { "GET /v3/self", 500, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { "GET /v3/self", 500, "", 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },

    { "an id is sent as it is", { .playbook = "playbook_auth_123" },
      { { CREATE1_BOOK("playbook_auth_123"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "by title", { .playbook = "b" },
      { { BOOKS1, 200, "[" BOOK("playbook-0", "B", "null") "," BOOK("playbook-1", " b ", "null") "]", 0, 0 },
        { CREATE1_BOOK("playbook-1"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "by macro", { .playbook = "!b" },
      { { BOOKS1, 200, "{'items':[" BOOK("playbook-1", "b", "'!b'") "]}", 0, 0 },
        { CREATE1_BOOK("playbook-1"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "v3, on the second page", { .version = API_V3, .playbook = "b" },
      { { BOOKS3, 200, PAGE3(BOOK("playbook-0", "a", "null"), "c"), 0, 0 },
        { BOOKS3 "&after=c", 200, LISTED3(BOOK("playbook-1", "b", "null")), 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3_BOOK("playbook-1"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "v3, organization, playbook, look-up", { .version = API_V3, .has_no_org = true, .has_identity = true, .playbook = "b" },
      { { "GET /v3/self", 200, "{'org_id':'o'}", 0, 0 },
        { BOOKS3, 200, LISTED3(BOOK("playbook-1", "b", "null")), 0, 0 },
        { LIST3("fp-1"), 200, NONE3, 0, 0 }, { CREATE3_BOOK("playbook-1"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "absent", { .playbook = "b" },
      { { BOOKS1, 200, "[" BOOK("playbook-0", "a", "null") "]", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: does not exist: the session goes without" },
    { "twice", { .playbook = "b" },
      { { BOOKS1, 200, "[" BOOK("playbook-1", "b", "null") "," BOOK("playbook-2", "b", "null") "]", 0, 0 },
        { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: two have that name: the session goes without" },
    { "listed twice, but one", { .playbook = "b" },
      { { BOOKS1, 200, "[" BOOK("playbook-1", "b", "null") "," BOOK("playbook-1", "b", "'b'") "]", 0, 0 },
        { CREATE1_BOOK("playbook-1"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "v3, twice on two pages", { .version = API_V3, .playbook = "b" },
      { { BOOKS3, 200, PAGE3(BOOK("playbook-1", "b", "null"), "c"), 0, 0 },
        { BOOKS3 "&after=c", 200, LISTED3(BOOK("playbook-2", "b", "null")), 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: two have that name: the session goes without" },
    { "the list is refused", { .playbook = "b" },
      { { BOOKS1, 403, "", 0, 0 }, { CREATE1_BOOK("b"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", NO_BOOK_LIST },
    { "the list is silent", { .playbook = "b" },
      { { BOOKS1, SILENT, "", 0, 0 }, { CREATE1_BOOK("b"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", NO_BOOK_LIST },
    { "v3, the second page fails", { .version = API_V3, .playbook = "b" },
      { { BOOKS3, 200, PAGE3(BOOK("playbook-1", "b", "null"), "c"), 0, 0 }, { BOOKS3 "&after=c", 500, "", 0, 0 },
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3_BOOK("b"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", NO_BOOK_LIST },
    { "unreadable, and refused by the create", { .playbook = "b" },
      { { BOOKS1, 500, "", 0, 0 }, { CREATE1_BOOK("b"), 400, ABOUT_BOOK, 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", NO_BOOK_LIST "; playbook: Devin refuses it: the session goes without" },
    { "an id that is refused, 404", { .playbook = "playbook-1" },
      { { CREATE1_BOOK("playbook-1"), 404, ABOUT_BOOK, 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: Devin refuses it: the session goes without" },
    { "v3, an id that is refused, 422", { .version = API_V3, .playbook = "playbook-1" },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 },
        { CREATE3_BOOK("playbook-1"), 422, "{'detail':[{'loc':['body','playbook_id']}]}", 0, 0 },
        { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: Devin refuses it: the session goes without" },
    { "without, it has all its tries", { .playbook = "playbook-1" },
      { { CREATE1_BOOK("playbook-1"), 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { CREATE1_BOOK("playbook-1"), 400, ABOUT_BOOK, 0, 0 }, { CREATE1, 429, "", 0, 0 },
        { "wait 1000", 0, "", 0, 0 }, { CREATE1, 429, "", 0, 0 }, { "wait 2000", 0, "", 0, 0 },
        { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: Devin refuses it: the session goes without" },
    { "refused again without: enough", { .playbook = "playbook-1" },
      { { CREATE1_BOOK("playbook-1"), 400, ABOUT_BOOK, 0, 0 }, { CREATE1, 400, ABOUT_BOOK, 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_REJECTED, NULL, "playbook: Devin refuses it: the session goes without" },
    { "refused for another reason", { .playbook = "playbook-1" },
      { { CREATE1_BOOK("playbook-1"), 400, "{'detail':'no such snapshot'}", 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_REJECTED, NULL, "" },
    { "a 403 is about the key, whatever it says", { .playbook = "playbook-1" },
      { { CREATE1_BOOK("playbook-1"), 403, ABOUT_BOOK, 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_KEY, NULL, "" },
    { "refused once is refused for the plain create too", { .playbook = "playbook-1", .has_no_firing = true },
      { { CREATE1_BOOK("playbook-1"), 400, ABOUT_BOOK, 0, 0 }, { CREATE1, 200, OLD, 0, 0 },
        { GET1("old"), 200, ITEM("old", "exit", ""), 0, 0 }, { LIST1("fp-1"), 200, NONE1, 0, 0 },
        { CREATE1_PLAIN, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "playbook: Devin refuses it: the session goes without" },
    { "the plain create has the playbook", { .playbook = "playbook-1", .has_no_firing = true },
      { { CREATE1_BOOK("playbook-1"), 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "exit", ""), 0, 0 },
        { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1_PLAIN_BOOK("playbook-1"), 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },

    /* known from before */
    { "known", { .playbook = "b", .known = { PLAYBOOK_FOUND, { "playbook-1", 10 } } },
      { { CREATE1_BOOK("playbook-1"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "known to be absent", { .playbook = "b", .known = { PLAYBOOK_ABSENT, { 0 } } },
      { { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "known to be there twice", { .playbook = "b", .known = { PLAYBOOK_TWICE, { 0 } } },
      { { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "known to be unreadable", { .playbook = "b", .known = { PLAYBOOK_UNREADABLE, { 0 } } },
      { { CREATE1_BOOK("b"), 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
};

/* --- failures ------------------------------------------------------------------------------------- */

/* What a create that is not tried again comes to. */
static const struct {
    const char *name;
    struct answer answer;
    enum failure_kind kind;
} failures[] = {
    { "400", { .status = 400 }, FAIL_DEVIN_REJECTED },
    { "401", { .status = 401 }, FAIL_DEVIN_KEY },
    { "402", { .status = 402 }, FAIL_DEVIN_REJECTED },
    { "403", { .status = 403 }, FAIL_DEVIN_KEY },
    { "404", { .status = 404 }, FAIL_DEVIN_WRONG_URL },
    { "408", { .status = 408 }, FAIL_DEVIN_OUTAGE },
    { "409", { .status = 409 }, FAIL_DEVIN_REJECTED },
    { "418", { .status = 418 }, FAIL_DEVIN_REJECTED },
    { "422", { .status = 422 }, FAIL_DEVIN_REJECTED },
    { "429", { .status = 429 }, FAIL_DEVIN_BUSY },
    { "301", { .status = 301 }, FAIL_DEVIN_WRONG_URL },
    { "302 with a session", { .status = 302, .body = { "{\"session_id\":\"s\"}", 18 } }, FAIL_DEVIN_WRONG_URL },
    { "307", { .status = 307 }, FAIL_DEVIN_WRONG_URL },
    { "308", { .status = 308 }, FAIL_DEVIN_WRONG_URL },
    { "401 with Retry-After", { .status = 401, .retry_after_ms = 1000 }, FAIL_DEVIN_KEY },
    { "500", { .status = 500 }, FAIL_DEVIN_OUTAGE },
    { "503", { .status = 503 }, FAIL_DEVIN_OUTAGE },
    { "599", { .status = 599 }, FAIL_DEVIN_OUTAGE },
    { "200 without a session", { .status = 200 }, FAIL_DEVIN_UNCLEAR },
    { "204", { .status = 204 }, FAIL_DEVIN_UNCLEAR },
    { "time-out", { .kind = ANSWER_TIMEOUT }, FAIL_DEVIN_UNREACHABLE },
    { "not connected", { .kind = ANSWER_NOT_CONNECTED }, FAIL_DEVIN_UNREACHABLE },
    { "broken", { .kind = ANSWER_BROKEN }, FAIL_DEVIN_UNREACHABLE },
    { "broken behind a session",
      { .kind = ANSWER_BROKEN, .status = 200, .body = { "{\"session_id\":\"s\"}", 18 } }, FAIL_DEVIN_UNREACHABLE },
};

/* clang-format on */

/* Answers that complain, and what of them may be told. */
static const struct {
    const char *body;
    const char *reason;
} complaints[] = {
    { "{'detail':[{'loc':['body','title']},{'loc':['body','prompt']}]}", ": prompt, title" },
    { "{'errors':[{'loc':['body','tags']}]}", ": tags" },
    { "{'detail':[{'loc':['body','apk_user_secret'],'input':'apk_user_secret'}]}", "" },
    { "{'detail':'apk_user_secret'}", "" },
    { "apk_user_secret", "" },
    { "", "" },
    { "{'detail':[{'loc':['prompt','idempotent','title','playbook_id','tags','max_acu_limit',"
      "'secret_ids','knowledge_ids','snapshot_id','unlisted','structured_output_schema',"
      "'session_secrets']}]}",
      ": prompt, idempotent, title, playbook_id, tags, max_acu_limit, secret_ids, knowledge_ids, "
      "snapshot_id, unlisted, structured_output_schema, session_secrets" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void tries_and_time(void **state)
{
    (void)state;
    hold_all(tries, COUNT_OF(tries));
}

static void organization_and_playbook(void **state)
{
    (void)state;
    hold_all(lookups, COUNT_OF(lookups));
}

static const struct conversation *named(const char *name)
{
    size_t i = 0;
    while (strcmp(lookups[i].name, name) != 0)
        i++;
    return &lookups[i];
}

static void what_was_learned_is_handed_on(void **state)
{
    (void)state;
    const struct conversation *row = named("v3, organization, playbook, look-up");
    struct stage_set set;
    struct devin devin;
    struct failure why = { 0 };
    size_t count;
    furnish(&set, &row->setup);
    begin(&devin, &set);
    (void)hold(row, &devin, &mem, &why, &count);
    CHECK_VIEW("organization", devin.known.org, VIEW("o"));
    assert_int_equal(devin.known.playbook.state, PLAYBOOK_FOUND);
    CHECK_VIEW("playbook", devin.known.playbook.id, VIEW("playbook-1"));
    set.known = (struct devin_known){ .org = VIEW("other") };
    set.settings.api = (struct api){ API_V3, { 0 } };
    begin(&devin, &set);
    assert_string_equal(devin.call.path, "/v3/organizations/other/playbooks?first=100");
    set.settings.api.org = VIEW("set");
    begin(&devin, &set);
    assert_string_equal(devin.call.path, "/v3/organizations/set/playbooks?first=100");
}

static void an_endless_organization_is_none(void **state)
{
    (void)state;
    static char body[40000] = "{\"org_id\":\"";
    const struct setup setup = { .version = API_V3, .has_no_org = true };
    struct stage_set set;
    struct devin devin;
    struct failure why = { 0 };
    memset(body + 11, '/', sizeof body - 14);
    memcpy(body + sizeof body - 3, "\"}", 3);
    struct answer answer = { .status = 200, .body = { body, sizeof body - 1 } };
    furnish(&set, &setup);
    begin(&devin, &set);
    assert_int_equal(devin_step(&devin, &answer, 9000, &mem, &why).move, DEVIN_FAILED);
    assert_int_equal(why.kind, FAIL_MISCONFIGURED);
}

static void each_answer_has_its_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        const struct setup setup = { .tries = 1 };
        struct stage_set set;
        struct devin devin;
        struct failure why = { .kind = FAIL_TOO_SLOW };
        furnish(&set, &setup);
        begin(&devin, &set);
        (void)devin_step(&devin, NULL, DEADLINE_MS, &mem, &why);
        struct devin_next next = devin_step(&devin, &failures[i].answer, DEADLINE_MS, &mem, &why);
        CHECK(failures[i].name, next.move == DEVIN_FAILED);
        CHECK(failures[i].name, why.kind == failures[i].kind);
        CHECK(failures[i].name, devin.sends == 1);
        CHECK(failures[i].name, !devin_fail(&failures[i].answer, NULL, &mem, &why));
        CHECK(failures[i].name, why.kind == failures[i].kind);
    }
}

static void refusals_quote_our_own_fields_only(void **state)
{
    (void)state;
    static const int statuses[] = { 400, 422 };
    for (size_t i = 0; i < COUNT_OF(complaints) * 2; i++) {
        const char *row = complaints[i / 2].body;
        struct failure why = { 0 };
        struct json json = { 0 };
        struct text wanted = text_in(&mem, 1024);
        struct answer answer = { .status = statuses[i % 2], .body = quoted(row) };
        bool is_json = json_read(answer.body, &mem, &json, &why);
        text_add_string(&wanted, "Devin API rejected the request");
        text_add_string(&wanted, complaints[i / 2].reason);
        CHECK(row, !devin_fail(&answer, is_json ? json.root : NULL, &mem, &why));
        CHECK(row, why.kind == FAIL_DEVIN_REJECTED);
        CHECK_VIEW(row, view_of(why.reason), text_view(&wanted));
        CHECK(row, !view_contains(view_of(why.detail), VIEW("secret")));
        json_free(&json);
    }
}

static void all_our_fields_at_once_are_told_as_far_as_they_fit(void **state)
{
    (void)state;
    struct failure why = { 0 };
    struct json json = { 0 };
    struct answer answer = {
        .status = 422,
        .body = quoted("{'detail':[{'loc':['prompt','idempotent','title','playbook_id','tags',"
                       "'max_acu_limit','secret_ids','knowledge_ids','snapshot_id','unlisted',"
                       "'structured_output_schema','session_secrets','message']}]}"),
    };
    assert_true(json_read(answer.body, &mem, &json, &why));
    assert_false(devin_fail(&answer, json.root, &mem, &why));
    assert_true(
        view_starts(view_of(why.reason), VIEW("Devin API rejected the request: prompt, idem")));
    json_free(&json);
}

static void no_failure_quotes_the_peer(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        const struct setup setup = { .tries = 1 };
        struct stage_set set;
        struct devin devin;
        struct failure why = { 0 };
        struct answer answer = { .status = status, .body = quoted("{'detail':'apk_user_secret'}") };
        furnish(&set, &setup);
        begin(&devin, &set);
        (void)devin_step(&devin, NULL, DEADLINE_MS, &mem, &why);
        assert_int_equal(devin_step(&devin, &answer, DEADLINE_MS, &mem, &why).move, DEVIN_FAILED);
        assert_false(view_contains(view_of(why.reason), VIEW("secret")));
        assert_false(view_contains(view_of(why.detail), VIEW("secret")));
        assert_null(why.field);
    }
}

static void waits_differ_from_alert_to_alert(void **state)
{
    (void)state;
    const struct setup setup = { 0 };
    const struct answer busy = { .status = 429 };
    long long waits[3];
    const struct view firings[] = { VIEW("alert-1"), VIEW("alert-1"), VIEW("alert-2") };
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        struct stage_set set;
        struct devin devin;
        struct failure why = { 0 };
        furnish(&set, &setup);
        set.problem.identity.firing = firings[i];
        begin(&devin, &set);
        (void)devin_step(&devin, NULL, DEADLINE_MS, &mem, &why);
        waits[i] = devin_step(&devin, &busy, DEADLINE_MS, &mem, &why).ms;
    }
    assert_int_equal(waits[0], waits[1]);
    assert_int_not_equal(waits[0], waits[2]);
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    hold_little(tries, COUNT_OF(tries));
    hold_little(lookups, COUNT_OF(lookups));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tries_and_time),
        TEST(organization_and_playbook),
        TEST(what_was_learned_is_handed_on),
        TEST(an_endless_organization_is_none),
        TEST(each_answer_has_its_failure),
        TEST(refusals_quote_our_own_fields_only),
        TEST(all_our_fields_at_once_are_told_as_far_as_they_fit),
        TEST(no_failure_quotes_the_peer),
        TEST(waits_differ_from_alert_to_alert),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests_name("devin_tries", tests, NULL, NULL);
}
