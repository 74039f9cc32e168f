/* What the queue service answers: as Azure and Azurite write it, and as nobody should. */
#include "edge/queue_answer.h"

#include "base/arena.h"
#include "unit/check.h"

enum { PLENTY = 8 * 1024 * 1024 };

#define HEAD            "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define LIST(messages)  HEAD "<QueueMessagesList>" messages "</QueueMessagesList>"
#define MESSAGE(inside) "<QueueMessage>" inside "</QueueMessage>"
#define ID              "<MessageId>5974b586-0df3-4e2d-ad0c-18e3892bfca2</MessageId>"
#define FULL                                                                       \
    ID "<InsertionTime>Fri, 09 Oct 2009 21:04:30 GMT</InsertionTime>"              \
       "<ExpirationTime>Fri, 16 Oct 2009 21:04:30 GMT</ExpirationTime>"            \
       "<PopReceipt>YzQ4Yzg1MDItYTc0Ny00OWNjLTkxYTUtZGM0MDFiZDAwYzEw</PopReceipt>" \
       "<TimeNextVisible>Fri, 09 Oct 2009 23:29:20 GMT</TimeNextVisible>"          \
       "<DequeueCount>3</DequeueCount><MessageText>eyJ2IjoxfQ==</MessageText>"

static struct arena mem;

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
    return 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

/* How many messages there are, and the first one's receipt and text. */
static const struct {
    const char *xml;
    int count; /* -1: it is no list */
    const char *pop, *text;
    long long dequeues;
} answers[] = {
    { LIST(MESSAGE(FULL)), 1, "YzQ4Yzg1MDItYTc0Ny00OWNjLTkxYTUtZGM0MDFiZDAwYzEw", "{\"v\":1}", 3 },
    { "\xEF\xBB\xBF" LIST(MESSAGE(FULL)), 1, "YzQ4Yzg1MDItYTc0Ny00OWNjLTkxYTUtZGM0MDFiZDAwYzEw",
      "{\"v\":1}", 3 },
    { LIST(MESSAGE(ID) MESSAGE(FULL)), 2, "", "", 0 },
    { LIST(""), 0, "", "", 0 },
    { HEAD "<QueueMessagesList />", 0, "", "", 0 },
    { HEAD "<QueueMessagesList/>", 0, "", "", 0 },
    { HEAD "<QueueMessagesList xmlns=\"x\">\r\n  <QueueMessage a='1'>\r\n    " ID
           "\r\n <MessageText>\r\n  eyJ2IjoxfQ==\r\n </MessageText></QueueMessage>\r\n"
           "</QueueMessagesList>",
      1, "", "{\"v\":1}", 0 },
    /* what others put there: no base64 */
    { LIST(MESSAGE(ID "<MessageText>a &lt;b&gt; &amp;amp; &quot;c&quot; &apos;</MessageText>")), 1,
      "", "a <b> &amp; \"c\" '", 0 },
    { LIST(MESSAGE(ID "<MessageText>&#xA;&#x9;&#65;&nbsp;&;&</MessageText>")), 1, "",
      "\n\t&#65;&nbsp;&;&", 0 },
    { LIST(MESSAGE(ID "<MessageText/>")), 1, "", "", 0 },
    { LIST(MESSAGE(ID "<MessageText>eyJ2IjoxfQ=&#xD;</MessageText>")), 1, "", "eyJ2IjoxfQ=\r", 0 },
    { LIST(MESSAGE(ID "<PopReceipt>a&amp;b</PopReceipt>")), 1, "a&b", "", 0 },
    { LIST(MESSAGE(ID "<DequeueCount>-1</DequeueCount>")), 1, "", "", 0 },
    { LIST(MESSAGE(ID "<DequeueCount>99999999999999999999</DequeueCount>")), 1, "", "", 0 },
    /* an id that cannot be one */
    { LIST(MESSAGE("<MessageId>../../other?x=1</MessageId>") MESSAGE(ID)), 1, "", "", 0 },
    { LIST(MESSAGE("<MessageId>a\r\nX-Evil: 1</MessageId>")), 0, "", "", 0 },
    { LIST(MESSAGE("<MessageId></MessageId>")), 0, "", "", 0 },
    { LIST(MESSAGE("<MessageIdentity>a</MessageIdentity>")), 0, "", "", 0 },
    { LIST(MESSAGE("")), 0, "", "", 0 },
    /* no end where one should be */
    { HEAD "<QueueMessagesList>" MESSAGE(FULL), -1, NULL, NULL, 0 },
    { LIST("<QueueMessage>" FULL), 0, "", "", 0 },
    { LIST(MESSAGE(ID "<MessageText>eyJ2IjoxfQ==")), 1, "", "", 0 },
    { LIST(MESSAGE(ID "<MessageText")), 1, "", "", 0 },
    { HEAD "<QueueMessagesList", -1, NULL, NULL, 0 },
    { HEAD "<QueueMessage>" FULL "</QueueMessage>", -1, NULL, NULL, 0 },
    { HEAD "<Error><Code>QueueNotFound</Code></Error>", -1, NULL, NULL, 0 },
    { "{\"error\":\"not XML\"}", -1, NULL, NULL, 0 },
    { "<html><body>Bad gateway</body></html>", -1, NULL, NULL, 0 },
    { "<<<<<<<<", -1, NULL, NULL, 0 },
    { "<", -1, NULL, NULL, 0 },
    { "", -1, NULL, NULL, 0 },
};

static const struct {
    const char *xml, *code;
} errors[] = {
    { HEAD "<Error><Code>QueueNotFound</Code><Message>The specified queue does not exist.\n"
           "RequestId:x</Message></Error>",
      "QueueNotFound" },
    { "\xEF\xBB\xBF" HEAD "<Error>\n  <Code>AuthenticationFailed</Code>\n"
      "<AuthenticationErrorDetail>a</AuthenticationErrorDetail></Error>",
      "AuthenticationFailed" },
    { "<Error><Message>no code</Message></Error>", "" },
    { "<Code>QueueNotFound</Code>", "" },
    { "<Error/>", "" },
    { "", "" },
};

/* --- tests ------------------------------------------------------------------------------------ */

static void answers_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        const char *row = answers[i].xml;
        struct queue_messages out;
        bool is_list = queue_answer_read(view_of(row), &mem, &out);
        CHECK(row, is_list == (answers[i].count >= 0));
        if (!is_list)
            continue;
        CHECK(row, out.count == (size_t)answers[i].count);
        if (out.count == 0)
            continue;
        CHECK_VIEW(row, out.items[0].id, VIEW("5974b586-0df3-4e2d-ad0c-18e3892bfca2"));
        CHECK_VIEW(row, out.items[0].pop, view_of(answers[i].pop));
        CHECK_VIEW(row, out.items[0].text, view_of(answers[i].text));
        CHECK(row, out.items[0].dequeue_count == answers[i].dequeues);
    }
}

static void dates_are_kept(void **state)
{
    (void)state;
    struct queue_messages out;
    assert_true(queue_answer_read(VIEW(LIST(MESSAGE(FULL))), &mem, &out));
    CHECK_VIEW("inserted", out.items[0].inserted, VIEW("Fri, 09 Oct 2009 21:04:30 GMT"));
    CHECK_VIEW("visible", out.items[0].visible, VIEW("Fri, 09 Oct 2009 23:29:20 GMT"));
}

static void errors_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        CHECK_VIEW(errors[i].xml, queue_answer_code(view_of(errors[i].xml)),
                   view_of(errors[i].code));
}

static void no_more_than_a_page_is_read(void **state)
{
    (void)state;
    struct text xml = text_in(&mem, PLENTY);
    struct queue_messages out;
    text_add_string(&xml, "<QueueMessagesList>");
    for (int i = 0; i < 3 * MAX_MESSAGES; i++)
        text_add_string(&xml, MESSAGE(FULL));
    text_add_string(&xml, "</QueueMessagesList>");
    assert_true(queue_answer_read(text_view(&xml), &mem, &out));
    assert_int_equal(out.count, MAX_MESSAGES);
}

/* Every beginning of an answer is no list, or one without what was cut off. */
static void answers_may_end_anywhere(void **state)
{
    (void)state;
    struct view whole = VIEW(LIST(MESSAGE(FULL) MESSAGE(FULL)));
    for (size_t len = 0; len < whole.len; len++) {
        struct queue_messages out;
        assert_false(queue_answer_read((struct view){ whole.at, len }, &mem, &out));
        assert_int_equal(queue_answer_code((struct view){ whole.at, len }).len, 0);
    }
}

static void without_memory_there_is_no_list(void **state)
{
    (void)state;
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN) {
        struct arena frugal;
        struct queue_messages out;
        arena_init(&frugal, ceiling);
        is_done = queue_answer_read(VIEW(LIST(MESSAGE(FULL))), &frugal, &out);
        if (is_done)
            CHECK_VIEW("text", out.items[0].text, VIEW("{\"v\":1}"));
        arena_drop(&frugal);
        assert_true(ceiling < PLENTY);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_are_read),         TEST(dates_are_kept),
        TEST(errors_are_read),          TEST(no_more_than_a_page_is_read),
        TEST(answers_may_end_anywhere), TEST(without_memory_there_is_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
