/*
 * The step machine as conversations: a call that is expected, the answer it gets, and so on to the end.
 * No sockets, no clock.
 */
#include "session/devin.h"

#include "alert/source.h"
#include "base/arena.h"
#include "base/json.h"
#include "unit/check.h"

enum { PLENTY = 16 * 1024 * 1024, MAX_CALLS = 12, DEADLINE_MS = 30000, ANSWER_MS = 100 };

/* In place of a status: the answer that never came. */
enum { SILENT = 0, UNCONNECTED = -1, BROKEN = -2 };

/* --- a conversation ---------------------------------------------------------------------------- */

/* "METHOD path", and the body where there is one; or "wait ms".  In bodies ' stands for ". */
struct talk {
    const char *call;
    int status;
    const char *body;
    long long retry_after_ms;
    long long takes_ms; /* 0: ANSWER_MS; the silent take all they were given */
};

/* Zero is: v1 (v3 in an organization that is known), open, no identity, but a firing, join. */
struct setup {
    enum api_version version;
    bool has_no_org;
    bool is_resolved;
    bool has_identity, has_no_firing;
    enum on_refire on_refire;
    const char *playbook;
    struct playbook_known known;
    long long tries;        /* 0: 3 */
    long long max_messages; /* 0: 5 */
    long long left_ms;      /* 0: DEADLINE_MS */
    bool has_also;          /* another problem was folded into this one */
};

enum { ENDS_FAILED = -1 };

struct conversation {
    const char *name;
    struct setup setup;
    struct talk talks[MAX_CALLS];
    int result;                /* enum devin_result, or ENDS_FAILED */
    enum failure_kind failure; /* of ENDS_FAILED */
    const char *id;            /* of the session; NULL: none is asked for */
    const char *notes;         /* "what: why; what: why" */
};

/* clang-format off */

#define TAGS          "'tags':['fp-1','alert-1']"
#define FRONT1        "POST /v1/sessions {'prompt':'p','idempotent':true,'title':'t',"
#define CREATE1       FRONT1 TAGS "}"
#define CREATE1_PLAIN "POST /v1/sessions {'prompt':'p','title':'t'," TAGS "}"
#define CREATE1_BOOK(id)       FRONT1 "'playbook_id':'" id "'," TAGS "}"
#define CREATE1_PLAIN_BOOK(id) "POST /v1/sessions {'prompt':'p','title':'t','playbook_id':'" id "'," TAGS "}"
#define ORG           "/v3/organizations/o"
#define FRONT3        "POST " ORG "/sessions {'prompt':'p','title':'t',"
#define CREATE3       FRONT3 TAGS "}"
#define CREATE3_BOOK(id) FRONT3 "'playbook_id':'" id "'," TAGS "}"
#define LIST1(tag)    "GET /v1/sessions?limit=100&tags=" tag
#define LIST3(tag)    "GET " ORG "/sessions?first=100&tags=" tag
#define BOOKS1        "GET /v1/playbooks"
#define BOOKS3        "GET " ORG "/playbooks?first=100"
#define GET1(id)      "GET /v1/sessions/" id
#define SAY           "{'message':'Alert bridge: m'}"
#define TELL1(id)     "POST /v1/sessions/" id "/message " SAY
#define TELL3(id)     "POST " ORG "/sessions/" id "/messages " SAY
#define TAG1(id, tags) "PUT /v1/sessions/" id "/tags {'tags':[" tags "]}"
#define TAG3(id, tags) "PUT " ORG "/sessions/" id "/tags {'tags':[" tags "]}"

#define NEW           "{'session_id':'new','url':'https://x/new','is_new_session':true}"
#define OLD           "{'session_id':'old','url':'https://x/old','is_new_session':false}"
#define NONE1         "{'sessions':[]}"
#define NONE3         "{'items':[],'has_next_page':false}"
#define LISTED1(items) "{'sessions':[" items "]}"
#define LISTED3(items) "{'items':[" items "],'has_next_page':false}"
#define PAGE3(items, cursor) "{'items':[" items "],'has_next_page':true,'end_cursor':'" cursor "'}"
#define ITEM(id, status, tags) "{'session_id':'" id "','status':'" status "','created_at':5,'tags':[" tags "]}"
#define OPEN1         ITEM("a", "running", "'fp-1','alert-0'")
#define ENDED1        ITEM("e", "finished", "'fp-1','alert-0'")
#define SAME          ITEM("s", "running", "'fp-1','alert-1'")
#define SAME_ENDED    ITEM("s", "exit", "'fp-1','alert-1'")
#define OLDER         "{'session_id':'older','status':'running','created_at':4,'tags':['fp-1']}"
#define YOUNGER       "{'session_id':'younger','status':'running','created_at':12,'tags':['fp-1']}"
#define STRANGER      ITEM("x", "running", "'fp-2'")
#define BOOK(id, title, macro) "{'playbook_id':'" id "','title':'" title "','macro':" macro "}"
#define ABOUT_BOOK    "{'detail':'Playbook ID does not exist'}"
#define OURS          "{'message':'Alert bridge: x'}"
#define OTHER         "{'message':'hello'}"

#define NO_LIST       "look-up: sessions could not be listed"
#define NO_BOOK_LIST  "playbook: the list could not be read: the name is sent as it is"

/* --- without an identity ----------------------------------------------------------------------- */

static const struct conversation plain[] = {
    { "v1 recognises a repeat itself", { 0 },
      { { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "201 is as good", { 0 },
      { { CREATE1, 201, "{'session_id':'new'}", 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "a firing that is known", { 0 },
      { { CREATE1, 200, OLD, 0, 0 } }, RESULT_EXISTING, 0, "old", "" },
    { "what was folded into it", { .has_also = true },
      { { FRONT1 "'tags':['fp-1','alert-1','fp-7']}", 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },

    /* an alert that has no firing: an old session counts only while it is open */
    { "no firing, the old one is open", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "running", ""), 0, 0 } },
      RESULT_EXISTING, 0, "old", "" },
    { "no firing, the old one is of an unknown state", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "dreaming", ""), 0, 0 } },
      RESULT_EXISTING, 0, "old", "" },
    { "no firing, the old one cannot be read", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 500, "", 0, 0 } },
      RESULT_EXISTING, 0, "old", "session: its state could not be read" },
    { "no firing, the old one is silent", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), SILENT, "", 0, 0 } },
      RESULT_EXISTING, 0, "old", "session: its state could not be read" },
    { "no firing, ended, another is open", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "finished", ""), 0, 0 },
        { LIST1("fp-1"), 200, LISTED1(ENDED1 "," OPEN1), 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "no firing, ended, none is open", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "expired", ""), 0, 0 },
        { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 }, { CREATE1_PLAIN, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "no firing, ended, no list", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "expired", ""), 0, 0 },
        { LIST1("fp-1"), 503, "", 0, 0 }, { CREATE1_PLAIN, 200, "{'session_id':'new'}", 0, 0 } },
      RESULT_CREATED, 0, "new", NO_LIST },
    { "a plain create is not repeated blindly", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "expired", ""), 0, 0 },
        { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1_PLAIN, 502, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 },
        { LIST1("alert-1"), 200, LISTED1(SAME), 0, 0 } },
      RESULT_CREATED, 0, "s", "" },
    { "nor is one that ended long ago taken for it", { .has_no_firing = true },
      { { CREATE1, 200, OLD, 0, 0 }, { GET1("old"), 200, ITEM("old", "expired", ""), 0, 0 },
        { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 }, { CREATE1_PLAIN, 502, "", 0, 0 },
        { "wait 1000", 0, "", 0, 0 }, { LIST1("alert-1"), 200, LISTED1(SAME_ENDED), 0, 0 },
        { CREATE1_PLAIN, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },

    /* v3 looks its firing up */
    { "v3, a firing that is not known", { .version = API_V3 },
      { { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, "{'session_id':'new'}", 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "v3, a firing that is known", { .version = API_V3 },
      { { LIST3("alert-1"), 200, LISTED3(SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "v3, a firing whose session has ended", { .version = API_V3 },
      { { LIST3("alert-1"), 200, LISTED3(SAME_ENDED), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "v3, no firing, one is open", { .version = API_V3, .has_no_firing = true },
      { { LIST3("fp-1"), 200, LISTED3(OPEN1), 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
    { "v3, no firing, all have ended", { .version = API_V3, .has_no_firing = true },
      { { LIST3("fp-1"), 200, LISTED3(ENDED1 "," SAME_ENDED), 0, 0 }, { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "v3, no firing, unclear, only the ended one has the tag", { .version = API_V3, .has_no_firing = true },
      { { LIST3("fp-1"), 200, LISTED3(SAME_ENDED), 0, 0 }, { CREATE3, SILENT, "", 0, 0 },
        { "wait 1000", 0, "", 0, 0 }, { LIST3("alert-1"), 200, LISTED3(SAME_ENDED), 0, 0 },
        { CREATE3, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
};

/* --- with one ---------------------------------------------------------------------------------- */

static const struct conversation known[] = {
    { "nobody is at it", { .has_identity = true },
      { { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "v3, nobody is at it", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, NONE3, 0, 0 }, { CREATE3, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "the filter let others through", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(STRANGER ",{'session_id':'y'},7,null"), 0, 0 },
        { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "all have ended", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "the same firing", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1 "," SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "the same firing, though it ended", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(YOUNGER "," SAME_ENDED "," OPEN1), 0, 0 } },
      RESULT_EXISTING, 0, "s", "" },
    { "the same firing is never messaged", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "nor opened twice", { .has_identity = true, .on_refire = REFIRE_CREATE },
      { { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },

    /* join */
    { "join", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(ENDED1 "," OPEN1 "," STRANGER), 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "{'detail':'ok'}", 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "v3, join", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, LISTED3(OPEN1), 0, 0 },
        { TAG3("a", "'fp-1','alert-0','alert-1'"), 200, "{}", 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
    { "join the youngest", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OLDER "," YOUNGER "," OPEN1), 0, 0 },
        { TAG1("younger", "'fp-1','alert-1'"), 200, "", 0, 0 } }, RESULT_EXISTING, 0, "younger", "" },
    { "no tag is joined all the same", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 403, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "tags: could not be set" },
    { "a tag is not tried twice", { .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), SILENT, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "tags: could not be set" },
    { "a tag is not set twice", { .has_identity = true, .has_no_firing = true },
      { { LIST1("fp-1"), 200, LISTED1(SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },

    /* message */
    { "message", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{'messages':[" OTHER "]}", 0, 0 },
        { TELL1("a"), 200, "null", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "" },
    { "v3, message", { .version = API_V3, .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST3("fp-1"), 200, LISTED3(OPEN1), 0, 0 },
        { "GET " ORG "/sessions/a/messages?first=200", 200, "{'items':[" OURS "]}", 0, 0 },
        { TELL3("a"), 200, ITEM("a", "running", ""), 0, 0 },
        { TAG3("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } }, RESULT_MESSAGED, 0, "a", "" },
    { "204 is as good", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 204, "", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "" },
    { "one below the limit", { .has_identity = true, .on_refire = REFIRE_MESSAGE, .max_messages = 2 },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{'messages':[" OURS "," OTHER "]}", 0, 0 },
        { TELL1("a"), 200, "null", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "" },
    { "at the limit", { .has_identity = true, .on_refire = REFIRE_MESSAGE, .max_messages = 2 },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{'messages':[" OURS "," OURS "]}", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: the session has had MAX_MESSAGES_PER_SESSION" },
    { "messages that cannot be counted", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 500, "", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: the session's messages could not be counted" },
    { "perhaps not delivered", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 200, "{'detail':'suspended'}", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "message: perhaps not delivered: the session was suspended" },
    { "a message that may have come is not sent again", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), SILENT, "", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: was not delivered, or nobody knows" },
    { "nor after a 500", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 500, "", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: was not delivered, or nobody knows" },
    { "nor after half an answer", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), BROKEN, "", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: was not delivered, or nobody knows" },
    { "one that surely did not come is", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { TELL1("a"), UNCONNECTED, "", 0, 0 },
        { "wait 2000", 0, "", 0, 0 }, { TELL1("a"), 200, "null", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "" },
    { "a message that is refused", { .has_identity = true, .on_refire = REFIRE_MESSAGE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 422, "", 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 500, "", 0, 0 } },
      RESULT_EXISTING, 0, "a",
      "message: was not delivered, or nobody knows; tags: could not be set" },

    /* create */
    { "create another", { .has_identity = true, .on_refire = REFIRE_CREATE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },

    /* is_new_session: false although the list did not have it */
    { "the list was late, a firing", { .has_identity = true },
      { { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1, 200, OLD, 0, 0 } }, RESULT_EXISTING, 0, "old", "" },
    { "the list was late, no firing", { .has_identity = true, .has_no_firing = true },
      { { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1, 200, OLD, 0, 0 },
        { GET1("old"), 200, ITEM("old", "running", ""), 0, 0 } }, RESULT_EXISTING, 0, "old", "" },
    { "no firing, the old one has ended", { .has_identity = true, .has_no_firing = true },
      { { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 }, { CREATE1, 200, OLD, 0, 0 },
        { GET1("old"), 200, ITEM("old", "finished", ""), 0, 0 }, { CREATE1_PLAIN, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },

    /* a list that fails never stops an alert, and is not tried again */
    { "the list is refused", { .has_identity = true },
      { { LIST1("fp-1"), 403, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },
    { "the list is busy", { .has_identity = true },
      { { LIST1("fp-1"), 429, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },
    { "the list breaks", { .has_identity = true },
      { { LIST1("fp-1"), BROKEN, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },
    { "the list is silent", { .has_identity = true, .left_ms = 8000 },
      { { LIST1("fp-1"), SILENT, "", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },
    { "the list is nonsense", { .has_identity = true },
      { { LIST1("fp-1"), 200, "<html>", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
    { "v3, the list fails", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 500, "", 0, 0 }, { CREATE3, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },

    /* pages */
    { "v3, found on the second page", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3(ENDED1, "c/1"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c%2F1&tags=fp-1", 200, LISTED3(SAME), 0, 0 } },
      RESULT_EXISTING, 0, "s", "" },
    { "v3, an open one, but the firing is behind it", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3(OPEN1, "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, LISTED3(SAME_ENDED), 0, 0 } },
      RESULT_EXISTING, 0, "s", "" },
    { "v3, the second page fails", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3(OPEN1, "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 500, "", 0, 0 },
        { TAG3("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } }, RESULT_EXISTING, 0, "a", NO_LIST },
    { "v3, pages without end", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { CREATE3, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
};

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
        { LIST3("alert-1"), 200, NONE3, 0, 0 }, { CREATE3, 503, "", 0, 0 } },
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
      { { "GET /v3/self", 200, "<html>", 0, 0 } }, ENDS_FAILED, FAIL_MISCONFIGURED, NULL, "" },
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

/* --- resolved ------------------------------------------------------------------------------------- */

static const struct conversation resolved[] = {
    { "an open one is told", { .is_resolved = true, .has_identity = true, .playbook = "b" },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 200, "null", 0, 0 } }, RESULT_MESSAGED, 0, "a", "" },
    { "v3, of this firing", { .version = API_V3, .is_resolved = true },
      { { LIST3("alert-1"), 200, LISTED3(SAME), 0, 0 },
        { "GET " ORG "/sessions/s/messages?first=200", 200, NONE3, 0, 0 }, { TELL3("s"), 200, "{}", 0, 0 } },
      RESULT_MESSAGED, 0, "s", "" },
    { "v1 looks too", { .is_resolved = true },
      { { LIST1("alert-1"), 200, NONE1, 0, 0 } }, RESULT_NOTHING, 0, NULL, "" },
    { "one that has ended", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 } }, RESULT_NOTHING, 0, NULL, "" },
    { "of this firing, and has ended", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 } }, RESULT_NOTHING, 0, NULL, "" },
    { "none", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(STRANGER), 0, 0 } }, RESULT_NOTHING, 0, NULL, "" },
    { "no list", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 500, "", 0, 0 } }, RESULT_NOTHING, 0, NULL, NO_LIST },
    { "create is for what fires", { .is_resolved = true, .has_identity = true, .on_refire = REFIRE_CREATE },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 200, "null", 0, 0 } }, RESULT_MESSAGED, 0, "a", "" },
    { "at the limit", { .is_resolved = true, .has_identity = true, .max_messages = 1 },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{'messages':[" OURS "]}", 0, 0 } },
      RESULT_NOTHING, 0, NULL, "message: the session has had MAX_MESSAGES_PER_SESSION" },
    { "not counted", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 404, "", 0, 0 } },
      RESULT_NOTHING, 0, NULL, "message: the session's messages could not be counted" },
    { "not told", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 500, "", 0, 0 } }, ENDS_FAILED, FAIL_DEVIN_OUTAGE, NULL, "" },
    { "told at the second try", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, 0 },
        { TELL1("a"), 429, "", 0, 0 }, { "wait 1000", 0, "", 0, 0 }, { TELL1("a"), 204, "", 0, 0 } },
      RESULT_MESSAGED, 0, "a", "" },
    { "not told for want of time", { .is_resolved = true, .has_identity = true },
      { { LIST1("fp-1"), 200, LISTED1(OPEN1), 0, 0 }, { GET1("a"), 200, "{}", 0, DEADLINE_MS } },
      ENDS_FAILED, FAIL_DEVIN_UNREACHABLE, NULL, "" },
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

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */

static int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    arena_drop(&scarce);
    return 0;
}

/* With " for '. */
static struct view quoted(const char *bytes)
{
    struct text text = text_in(&mem, 4096);
    for (; bytes != NULL && *bytes != '\0'; bytes++)
        text_add_char(&text, *bytes == '\'' ? '"' : *bytes);
    return text_view(&text);
}

static const struct alert alert = { .name = { "n", 1 } };

/* Everything a conversation is held with; settings and request are borrowed by the machine. */
struct stage_set {
    struct devin_settings settings;
    struct devin_request request;
    struct devin_known known;
    struct problem problem;
    struct view also[1];
};

static void furnish(struct stage_set *set, const struct setup *setup)
{
    *set = (struct stage_set){ .also = { VIEW("fp-7") } };
    set->problem = (struct problem){
        .alert = &alert,
        .identity = { VIEW("fp-1"), VIEW("alert-1"), !setup->has_no_firing, { 0 } },
        .also_fingerprints = set->also,
        .also_fingerprint_count = setup->has_also,
    };
    set->settings = (struct devin_settings){
        .retry = { .tries = setup->tries == 0 ? 3 : setup->tries, .first_ms = 1000 },
        .api = { setup->version, setup->has_no_org ? VIEW("") : VIEW("o") },
        .on_refire = setup->on_refire,
        .max_messages = setup->max_messages == 0 ? 5 : setup->max_messages,
    };
    set->request = (struct devin_request){
        .goal = setup->is_resolved ? GOAL_RESOLVE : GOAL_OPEN,
        .prompt = VIEW("p"),
        .title = VIEW("t"),
        .playbook = view_of(setup->playbook),
        .message = VIEW(DEVIN_MESSAGE_MARK "m"),
        .problem = &set->problem,
        .has_identity = setup->has_identity,
    };
    set->known.playbook = setup->known;
}

static struct view call_text(const struct devin *devin)
{
    struct text text = text_in(&mem, 4096);
    text_add_string(&text, devin->call.method);
    text_add_char(&text, ' ');
    text_add_string(&text, devin->call.path);
    text_add_string(&text, devin->call.body.len > 0 ? " " : "");
    text_add(&text, devin->call.body);
    return text_view(&text);
}

/* A wait of ours is told by what it would be without jitter. */
static struct view wait_text(long long ms)
{
    struct text text = text_in(&mem, 32);
    long long nominal_ms = 1000;
    while (nominal_ms < 4000 && ms > nominal_ms + nominal_ms / 5)
        nominal_ms *= 2;
    bool is_ours = ms >= nominal_ms - nominal_ms / 5 && ms <= nominal_ms + nominal_ms / 5;
    text_add_string(&text, "wait ");
    text_add_number(&text, is_ours ? nominal_ms : ms);
    return text_view(&text);
}

static struct answer answer_of(const struct talk *talk, long long timeout_ms)
{
    bool is_silent = talk->status == SILENT;
    return (struct answer){
        .kind = is_silent                     ? ANSWER_TIMEOUT
                : talk->status == UNCONNECTED ? ANSWER_NOT_CONNECTED
                : talk->status == BROKEN      ? ANSWER_BROKEN
                                              : ANSWER_HTTP,
        .status = talk->status > 0 ? talk->status : 0,
        .body = quoted(talk->body),
        .retry_after_ms = talk->retry_after_ms,
        .elapsed_ms = is_silent             ? timeout_ms
                      : talk->takes_ms == 0 ? ANSWER_MS
                                            : talk->takes_ms,
    };
}

/*
 * Talks until the machine is done or has failed, in `arena`; checks each move against the script while
 * `is_whole` (with little memory the end may come early, but what is said is the same).
 */
static struct devin_next hold(const struct conversation *row, struct devin *devin,
                              struct arena *arena, struct failure *why, size_t *count)
{
    struct answer answer;
    const struct answer *last = NULL;
    long long left_ms = row->setup.left_ms == 0 ? DEADLINE_MS : row->setup.left_ms;
    int sends = 0;
    for (*count = 0;; ++*count) {
        struct devin_next next = devin_step(devin, last, left_ms, arena, why);
        if (next.move == DEVIN_DONE || next.move == DEVIN_FAILED)
            return next;
        CHECK(row->name, *count < MAX_CALLS && row->talks[*count].call != NULL);
        CHECK(row->name, next.ms > 0 && next.ms <= left_ms);
        const struct talk *talk = &row->talks[*count];
        if (next.move == DEVIN_SEND) {
            CHECK_VIEW(row->name, call_text(devin), quoted(talk->call));
            CHECK(row->name, devin->sends == ++sends);
            answer = answer_of(talk, next.ms);
            left_ms -= answer.elapsed_ms;
            last = &answer;
        } else {
            CHECK_VIEW(row->name, wait_text(next.ms), view_of(talk->call));
            left_ms -= next.ms;
            last = NULL;
        }
    }
}

static struct view notes_text(const struct pairs *notes)
{
    struct text text = text_in(&mem, 4096);
    for (size_t i = 0; i < notes->count; i++) {
        text_add_string(&text, i == 0 ? "" : "; ");
        text_add(&text, notes->at[i].key);
        text_add_string(&text, ": ");
        text_add(&text, notes->at[i].value);
    }
    return text_view(&text);
}

static void check_end(const struct conversation *row, const struct devin *devin,
                      struct devin_next next, const struct failure *why)
{
    CHECK(row->name, (next.move == DEVIN_FAILED) == (row->result == ENDS_FAILED));
    CHECK(row->name, row->result != ENDS_FAILED || why->kind == row->failure);
    CHECK(row->name, row->result == ENDS_FAILED || (int)devin->result == row->result);
    if (row->id != NULL) {
        CHECK_VIEW(row->name, devin->session.id, view_of(row->id));
        CHECK(row->name, view_starts(devin->session.url, VIEW("https://")));
    }
    CHECK_VIEW(row->name, notes_text(&devin->notes), view_of(row->notes));
}

static void begin(struct devin *devin, const struct stage_set *set)
{
    struct failure why = { 0 };
    memset(devin, 'x', sizeof *devin);
    assert_true(devin_begin(devin, &set->settings, &set->request, &set->known, &mem, &why));
}

static size_t talks_of(const struct conversation *row)
{
    size_t count = 0;
    while (count < MAX_CALLS && row->talks[count].call != NULL)
        count++;
    return count;
}

static void hold_all(const struct conversation *rows, size_t row_count)
{
    for (size_t i = 0; i < row_count; i++) {
        struct stage_set set;
        struct devin devin;
        struct failure why = { 0 };
        size_t count;
        furnish(&set, &rows[i].setup);
        begin(&devin, &set);
        struct devin_next next = hold(&rows[i], &devin, &mem, &why, &count);
        check_end(&rows[i], &devin, next, &why);
        CHECK(rows[i].name, count == talks_of(&rows[i]));
    }
}

/* --- tests ------------------------------------------------------------------------------------ */

static void alerts_without_an_identity(void **state)
{
    (void)state;
    hold_all(plain, COUNT_OF(plain));
}

static void alerts_with_one(void **state)
{
    (void)state;
    hold_all(known, COUNT_OF(known));
}

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

static void alerts_that_are_over(void **state)
{
    (void)state;
    hold_all(resolved, COUNT_OF(resolved));
}

/* Another instance and another restart write the same bytes. */
static void what_was_learned_is_handed_on(void **state)
{
    (void)state;
    static const struct conversation *const rows[] = { &lookups[0], &lookups[10] };
    struct stage_set set;
    struct devin devin;
    struct failure why = { 0 };
    size_t count;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        furnish(&set, &rows[i]->setup);
        begin(&devin, &set);
        (void)hold(rows[i], &devin, &mem, &why, &count);
        if (rows[i]->setup.has_no_org)
            CHECK_VIEW("organization", devin.known.org, VIEW("o"));
        if (rows[i]->setup.playbook == NULL)
            continue;
        assert_int_equal(devin.known.playbook.state, PLAYBOOK_FOUND);
        CHECK_VIEW("playbook", devin.known.playbook.id, VIEW("playbook-1"));
    }
    set.known = (struct devin_known){ .org = VIEW("other") };
    set.settings.api = (struct api){ API_V3, { 0 } };
    begin(&devin, &set);
    assert_string_equal(devin.call.path, "/v3/organizations/other/playbooks?first=100");
    set.settings.api.org = VIEW("set");
    begin(&devin, &set);
    assert_string_equal(devin.call.path, "/v3/organizations/set/playbooks?first=100");
}

/* An organization that no path has room for is no organization. */
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

/* However many names there are: what fits is told, and nothing of it is cut off silently to none. */
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

/* A peer that reflects the key back must not find it in our answer, whatever the status. */
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

/* What the alert can do without gets a part of the time: a quarter, 1.5 s at least, never all. */
static void lists_get_a_part_of_the_time(void **state)
{
    (void)state;
    static const struct {
        long long left_ms, list_ms, create_ms;
    } times[] = {
        { 30000, 7500, 15000 }, { 8000, 2000, 4000 }, { 4000, 1500, 4000 },
        { 1000, 1000, 1000 },   { 1, 1, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct setup setup = { .has_identity = true };
        struct stage_set set;
        struct devin devin;
        struct failure why = { 0 };
        furnish(&set, &setup);
        begin(&devin, &set);
        assert_int_equal(devin_step(&devin, NULL, times[i].left_ms, &mem, &why).ms,
                         times[i].list_ms);
        set.request.has_identity = false;
        begin(&devin, &set);
        assert_int_equal(devin_step(&devin, NULL, times[i].left_ms, &mem, &why).ms,
                         times[i].create_ms);
    }
}

/* Two alerts that are refused together come back apart; the same one waits the same. */
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

/* Fingerprints that were folded in leave room for the operator's tags. */
static void tags_have_a_limit(void **state)
{
    (void)state;
    enum { MANY = 80 };
    const struct setup setup = { 0 };
    struct view many[MANY];
    struct stage_set set;
    struct devin devin;
    struct failure why = { 0 };
    struct json json;
    size_t count = 0;
    for (size_t i = 0; i < MANY; i++)
        many[i] = VIEW("fp-9");
    furnish(&set, &setup);
    set.problem.also_fingerprints = many;
    set.problem.also_fingerprint_count = MANY;
    begin(&devin, &set);
    assert_true(json_read(devin.call.body, &mem, &json, &why));
    for (const struct cJSON *tag = json_first(json_at(json.root, "tags")); tag != NULL;
         tag = json_next(tag))
        count++;
    assert_int_equal(count, MAX_OWN_TAGS);
    json_free(&json);
}

/*
 * With each ceiling a conversation takes its course, or ends early in a failure of ours: what is said
 * to Devin until then is the same, byte for byte.
 */
static void hold_with_little_memory(const struct conversation *row)
{
    bool is_whole = false;
    struct stage_set set;
    furnish(&set, &row->setup);
    for (size_t ceiling = 0; !is_whole && ceiling < PLENTY; ceiling += ARENA_ALIGN) {
        struct devin devin;
        struct failure why = { 0 };
        size_t count = 0;
        arena_init(&scarce, ceiling);
        if (devin_begin(&devin, &set.settings, &set.request, &set.known, &scarce, &why)) {
            struct devin_next next = hold(row, &devin, &scarce, &why, &count);
            is_whole = arena_ok(&scarce) && (next.move == DEVIN_DONE || why.kind != FAIL_INTERNAL);
            if (is_whole)
                check_end(row, &devin, next, &why);
            CHECK(row->name, is_whole || next.move == DEVIN_FAILED);
        }
        CHECK(row->name, is_whole || why.kind == FAIL_INTERNAL);
        arena_drop(&scarce);
    }
    CHECK(row->name, is_whole);
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    static const struct {
        const struct conversation *rows;
        size_t count;
    } tables[] = { { plain, COUNT_OF(plain) },
                   { known, COUNT_OF(known) },
                   { tries, COUNT_OF(tries) },
                   { lookups, COUNT_OF(lookups) },
                   { resolved, COUNT_OF(resolved) } };
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (size_t i = 0; i < tables[t].count; i++) {
            hold_with_little_memory(&tables[t].rows[i]);
            arena_drop(&mem);
            arena_init(&mem, PLENTY);
        }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alerts_without_an_identity),
        TEST(alerts_with_one),
        TEST(tries_and_time),
        TEST(organization_and_playbook),
        TEST(alerts_that_are_over),
        TEST(what_was_learned_is_handed_on),
        TEST(an_endless_organization_is_none),
        TEST(each_answer_has_its_failure),
        TEST(refusals_quote_our_own_fields_only),
        TEST(all_our_fields_at_once_are_told_as_far_as_they_fit),
        TEST(no_failure_quotes_the_peer),
        TEST(lists_get_a_part_of_the_time),
        TEST(waits_differ_from_alert_to_alert),
        TEST(tags_have_a_limit),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests_name("devin", tests, NULL, NULL);
}
