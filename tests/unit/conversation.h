/*
 * Conversations with the step machine: a call that is expected, the answer it gets, and so on to the
 * end.  No sockets, no clock.
 *
 * Owns:     two arenas, given back by tear_down().
 * Units:    milliseconds.
 * Fails:    by ending the running test.
 * Threads:  the one that runs the test.
 */
#ifndef UNIT_CONVERSATION_H
#define UNIT_CONVERSATION_H

#include "session/devin.h"

#include "base/arena.h"
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
    long long since_s;      /* asked for once more, first then; 0: for the first time */
    bool has_also;          /* another problem was folded into this one */
    const char *told;       /* another request has opened session "a", for these tags too */
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
#define TAG3(id, tags) "POST " ORG "/sessions/" id "/tags {'tags':[" tags "]}"

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

/* clang-format on */

/* --- helpers ---------------------------------------------------------------------------------- */

static struct arena mem;
static struct arena scarce; /* static, so that a failing test does not leak it */

static inline int set_up(void **state)
{
    (void)state;
    arena_init(&mem, PLENTY);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    arena_drop(&mem);
    arena_drop(&scarce);
    return 0;
}

/* With " for '. */
static inline struct view quoted(const char *bytes)
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

static inline void furnish(struct stage_set *set, const struct setup *setup)
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
        .is_repeated = setup->since_s != 0,
        .since_s = setup->since_s,
    };
    if (setup->told != NULL)
        set->request.told =
            (struct devin_told){ VIEW("a"), VIEW("https://x/a"), view_of(setup->told) };
    set->known.playbook = setup->known;
}

static inline struct view call_text(const struct devin *devin)
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
static inline struct view wait_text(long long ms)
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

static inline struct answer answer_of(const struct talk *talk, long long timeout_ms)
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
static inline struct devin_next hold(const struct conversation *row, struct devin *devin,
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

static inline struct view notes_text(const struct pairs *notes)
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

static inline void check_end(const struct conversation *row, const struct devin *devin,
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

static inline void begin(struct devin *devin, const struct stage_set *set)
{
    struct failure why = { 0 };
    memset(devin, 'x', sizeof *devin);
    assert_true(devin_begin(devin, &set->settings, &set->request, &set->known, &mem, &why));
}

static inline size_t talks_of(const struct conversation *row)
{
    size_t count = 0;
    while (count < MAX_CALLS && row->talks[count].call != NULL)
        count++;
    return count;
}

static inline void hold_all(const struct conversation *rows, size_t row_count)
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

static inline void hold_with_little_memory(const struct conversation *row)
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

/* Each in memory of its own. */
static inline void hold_little(const struct conversation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hold_with_little_memory(&rows[i]);
        arena_drop(&mem);
        arena_init(&mem, PLENTY);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
