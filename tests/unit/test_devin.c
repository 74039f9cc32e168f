/* The step machine: which session an alert ends in. */
#include "unit/conversation.h"

#include "base/json.h"

/* clang-format off */

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

/* --- once more --------------------------------------------------------------------------------- */

/* Sessions of ITEM() were created at 5. */
static const struct conversation again[] = {
    { "without a firing, ended since", { .has_no_firing = true, .since_s = 5 },
      { { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "v3, without a firing, ended since", { .version = API_V3, .has_no_firing = true, .since_s = 5 },
      { { LIST3("fp-1"), 200, LISTED3(SAME_ENDED), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "by a clock that goes after ours", { .has_no_firing = true, .since_s = 15 },
      { { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "ended before", { .has_no_firing = true, .since_s = 16 },
      { { LIST1("fp-1"), 200, LISTED1(SAME_ENDED), 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "no list, ended since", { .has_no_firing = true, .since_s = 5 },
      { { LIST1("fp-1"), 403, "", 0, 0 }, { CREATE1, 200, OLD, 0, 0 },
        { GET1("old"), 200, ITEM("old", "finished", ""), 0, 0 } },
      RESULT_EXISTING, 0, "old", NO_LIST },
    { "one that is open and was made by us is no other", { .version = API_V3, .has_identity = true, .has_no_firing = true,
                                                          .since_s = 5, .on_refire = REFIRE_CREATE },
      { { LIST3("fp-1"), 200, LISTED3(SAME), 0, 0 } }, RESULT_EXISTING, 0, "s", "" },
    { "a firing is known by its tag alone", { .has_identity = true, .since_s = 1 },
      { { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
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
        { TAG3("a", "'alert-1'"), 200, "{}", 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
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
        { TAG3("a", "'alert-1'"), 200, "", 0, 0 } }, RESULT_MESSAGED, 0, "a", "" },
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
      { { LIST1("fp-1"), 200, "<html>", 0, 0 }, { CREATE1, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", NO_LIST },
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
        { TAG3("a", "'alert-1'"), 200, "", 0, 0 } }, RESULT_EXISTING, 0, "a", NO_LIST },
    { "v3, pages without end", { .version = API_V3, .has_identity = true },
      { { LIST3("fp-1"), 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { "GET " ORG "/sessions?first=100&after=c&tags=fp-1", 200, PAGE3("", "c"), 0, 0 },
        { CREATE3, 200, NEW, 0, 0 } }, RESULT_CREATED, 0, "new", "" },
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

/* --- told of another request's session ----------------------------------------------------------- */

#define UNREAD "tags: could not be set: the session could not be read"

static const struct conversation told[] = {
    { "it is joined without a list", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, OPEN1, 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "v3, it is joined without a list", { .version = API_V3, .has_identity = true, .told = "alert-0" },
      { { "GET " ORG "/sessions/a", 200, OPEN1, 0, 0 }, { TAG3("a", "'alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "v3, the organization is not known", { .version = API_V3, .has_no_org = true, .has_identity = true, .told = "alert-0" },
      { { "GET /v3/self", 200, "{'org_id':'o'}", 0, 0 }, { "GET " ORG "/sessions/a", 200, OPEN1, 0, 0 },
        { TAG3("a", "'alert-1'"), 200, "", 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
    { "v3, nor told", { .version = API_V3, .has_no_org = true, .has_identity = true, .told = "alert-0" },
      { { "GET /v3/self", 401, "", 0, 0 } }, RESULT_EXISTING, 0, "a", UNREAD },
    { "for others, too", { .has_identity = true, .has_also = true, .told = "alert-0 alert-2 alert-1 alert-3 alert-2" },
      { { GET1("a"), 200, OPEN1, 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1','fp-7','alert-2','alert-3'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "for others alone", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, SAME, 0, 0 }, { TAG1("a", "'fp-1','alert-1','alert-0'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "" },
    { "all is there", { .has_identity = true, .told = "alert-1" },
      { { GET1("a"), 200, SAME, 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
    { "no tag was to be seen", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, ITEM("a", "running", ""), 0, 0 },
        { TAG1("a", "'fp-1','alert-1','alert-0'"), 200, "", 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
    { "no tag is joined all the same", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, OPEN1, 0, 0 }, { TAG1("a", "'fp-1','alert-0','alert-1'"), 500, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "tags: could not be set" },
    { "what cannot be read is not written", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 404, "", 0, 0 } }, RESULT_EXISTING, 0, "a", UNREAD },
    { "nor what is no session", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, "[]", 0, 0 } }, RESULT_EXISTING, 0, "a", UNREAD },
    { "nor what is silent", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), SILENT, "", 0, 0 } }, RESULT_EXISTING, 0, "a", UNREAD },
    { "it has ended", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, ENDED1, 0, 0 }, { LIST1("fp-1"), 200, LISTED1(ENDED1), 0, 0 }, { CREATE1, 200, NEW, 0, 0 } },
      RESULT_CREATED, 0, "new", "" },
    { "it has ended, another is open", { .has_identity = true, .told = "alert-0 alert-2" },
      { { GET1("a"), 200, ENDED1, 0, 0 }, { LIST1("fp-1"), 200, LISTED1(YOUNGER), 0, 0 },
        { TAG1("younger", "'fp-1','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "younger", "" },
    { "it has ended, and no other can be had", { .has_identity = true, .told = "alert-0" },
      { { GET1("a"), 200, ENDED1, 0, 0 }, { LIST1("fp-1"), 200, NONE1, 0, 0 }, { CREATE1, 401, "", 0, 0 } },
      ENDS_FAILED, FAIL_DEVIN_KEY, NULL, "" },
    { "it is told", { .has_identity = true, .on_refire = REFIRE_MESSAGE, .told = "alert-0" },
      { { GET1("a"), 200, OPEN1, 0, 0 }, { GET1("a"), 200, "{}", 0, 0 }, { TELL1("a"), 200, "null", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } }, RESULT_MESSAGED, 0, "a", "" },
    { "it is told so often", { .has_identity = true, .on_refire = REFIRE_MESSAGE, .max_messages = 1, .told = "alert-0" },
      { { GET1("a"), 200, OPEN1, 0, 0 }, { GET1("a"), 200, "{'messages':[" OURS "]}", 0, 0 },
        { TAG1("a", "'fp-1','alert-0','alert-1'"), 200, "", 0, 0 } },
      RESULT_EXISTING, 0, "a", "message: the session has had MAX_MESSAGES_PER_SESSION" },
    { "it knows of this firing", { .has_identity = true, .on_refire = REFIRE_MESSAGE, .told = "alert-1" },
      { { GET1("a"), 200, SAME, 0, 0 } }, RESULT_EXISTING, 0, "a", "" },
};

/* clang-format on */

/* --- tests ------------------------------------------------------------------------------------ */

static void alerts_without_an_identity(void **state)
{
    (void)state;
    hold_all(plain, COUNT_OF(plain));
}

static void alerts_that_come_once_more(void **state)
{
    (void)state;
    hold_all(again, COUNT_OF(again));
}

static void alerts_with_one(void **state)
{
    (void)state;
    hold_all(known, COUNT_OF(known));
}

static void alerts_that_are_over(void **state)
{
    (void)state;
    hold_all(resolved, COUNT_OF(resolved));
}

static void alerts_told_of_a_session(void **state)
{
    (void)state;
    hold_all(told, COUNT_OF(told));
}

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

/* A session with that many tags is joined by one firing, or by what many others ask for, too. */
static const struct full {
    const char *name;
    enum api_version version;
    size_t has, others;
    size_t sent; /* on v1 with those it has */
    bool is_noted;
} fulls[] = {
    { "v1, the last place", API_V1, 49, 0, 50, false },
    { "v1, no place", API_V1, 50, 0, 50, true },
    { "v1, some places", API_V1, 40, 30, 50, true },
    { "v3, the last place", API_V3, 49, 0, 1, false },
    { "v3, no place", API_V3, 50, 0, 1, true },
    { "v3, some places", API_V3, 40, 30, 10, true },
    { "v3, more than there is", API_V3, 60, 0, 1, true },
};

static void put_session(const struct full *row, struct text *to)
{
    text_add_string(to, "{'session_id':'a','status':'running','tags':['fp-1'");
    for (size_t i = 1; i < row->has; i++) {
        text_add_string(to, ",'x-");
        text_add_number(to, (long long)i);
        text_add_char(to, '\'');
    }
    text_add_string(to, "]}");
}

static struct view others_of(const struct full *row)
{
    struct text others = text_in(&mem, 4096);
    text_add_string(&others, "alert-1");
    for (size_t i = 0; i < row->others; i++) {
        text_add_string(&others, " alert-other-");
        text_add_number(&others, (long long)i);
    }
    return text_view(&others);
}

static size_t count_tags(struct view body, bool *has_firing)
{
    struct json json;
    struct failure why = { 0 };
    size_t count = 0;
    assert_true(json_read(body, &mem, &json, &why));
    for (const struct cJSON *tag = json_first(json_at(json.root, "tags")); tag != NULL;
         tag = json_next(tag), count++)
        *has_firing = *has_firing || view_equal(json_text(tag), VIEW("alert-1"));
    json_free(&json);
    return count;
}

static void a_full_session_takes_what_it_can(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fulls); i++) {
        struct setup setup = { .version = fulls[i].version, .has_identity = true, .told = "" };
        struct text session = text_in(&mem, 4096);
        struct stage_set set;
        struct devin devin;
        struct failure why = { 0 };
        bool has_firing = false;
        put_session(&fulls[i], &session);
        furnish(&set, &setup);
        set.request.told.tags = others_of(&fulls[i]);
        begin(&devin, &set);
        struct talk talk = { NULL, 200, text_view(&session).at, 0, 0 };
        struct answer answer = answer_of(&talk, 1000);
        struct devin_next next = devin_step(&devin, &answer, DEADLINE_MS, &mem, &why);
        CHECK(fulls[i].name, next.move == DEVIN_SEND);
        CHECK(fulls[i].name, count_tags(devin.call.body, &has_firing) == fulls[i].sent);
        CHECK(fulls[i].name, has_firing);
        CHECK_VIEW(fulls[i].name, notes_text(&devin.notes),
                   view_of(fulls[i].is_noted ? "tags: no room for all: a session takes 50" : ""));
        answer.status = 422; /* v3 has the last word on what it takes */
        next = devin_step(&devin, &answer, DEADLINE_MS, &mem, &why);
        CHECK(fulls[i].name, next.move == DEVIN_DONE && devin.result == RESULT_EXISTING);
    }
}

static void too_little_memory_is_a_clean_failure(void **state)
{
    (void)state;
    hold_little(plain, COUNT_OF(plain));
    hold_little(again, COUNT_OF(again));
    hold_little(known, COUNT_OF(known));
    hold_little(resolved, COUNT_OF(resolved));
    hold_little(told, COUNT_OF(told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(alerts_without_an_identity),
        TEST(alerts_that_come_once_more),
        TEST(alerts_with_one),
        TEST(alerts_that_are_over),
        TEST(alerts_told_of_a_session),
        TEST(lists_get_a_part_of_the_time),
        TEST(tags_have_a_limit),
        TEST(a_full_session_takes_what_it_can),
        TEST(too_little_memory_is_a_clean_failure),
    };
    return cmocka_run_group_tests_name("devin", tests, NULL, NULL);
}
