/*
 * Redaction: a corpus of lines with secrets and of lines that look like it, labels, and the work done
 * on text made to cost much.  Made-up secrets are put together here, so that no file holds one.
 */
#include "base/redact.h"

#include "base/arena.h"
#include "base/file.h"
#include "unit/check.h"

#include <stdio.h>
#include <time.h>

#define POSITIVES "tests/redaction/positives.txt"
#define NEGATIVES "tests/redaction/negatives.txt"

enum { FILE_BYTES = 256 * 1024, ARENA_BYTES_EACH = 64 * 1024 * 1024 };

static const struct view own[] = {
    { "kPq7-correct-own", 16 },
    { "kPq7-correct", 12 }, /* begins the first */
    { "short77", 7 },
};
static const struct redact_settings settings = { .secrets = own, .secret_count = COUNT_OF(own) };

static struct view redact_with(const struct redact_settings *with, struct view text,
                               struct arena *mem, size_t *count)
{
    struct redactor redactor = redactor_begin(with, mem);
    struct view out = redact(&redactor, text, mem);
    *count = redactor.count;
    return out;
}

/* --- the corpus ------------------------------------------------------------------------------- */

/* {a36}: letters and digits that nobody ever used for anything. */
static struct view add_made_up(struct text *to, struct view spec)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz", hex[] = "0123456789abcdef",
                      capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                      base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                      url64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static unsigned state = 7;
    struct view alphabet = spec.at[1] == 'l'   ? view_of(small)
                           : spec.at[1] == 'h' ? view_of(hex)
                           : spec.at[1] == 'u' ? view_of(capitals)
                           : spec.at[1] == 'b' ? view_of(base64)
                           : spec.at[1] == 'w' ? view_of(url64)
                                               : ((struct view){ base64, 62 });
    struct view number, rest;
    long long count;
    assert_true(view_cut(view_skip(spec, 2), '}', &number, &rest));
    assert_true(view_to_number(number, 1, 1000, &count));
    for (long long i = 0; i < count; i++) {
        state = state * 1103515245U + 12345U;
        bool is_edge = i == 0 || i == count - 1; /* no mark there: prose around it is no part */
        size_t letters = is_edge && alphabet.len == 64 ? 62 : alphabet.len;
        char c = alphabet.at[(state >> 16) % letters];
        text_add_char(to, i == 1 && spec.at[1] != 'l' && spec.at[1] != 'u' ? '7' : c);
    }
    return rest;
}

/* The line as written, with or without its secrets. */
static struct view expand(struct view line, struct arena *mem)
{
    struct text text = text_in(mem, FILE_BYTES);
    while (line.len > 0) {
        if (view_starts(line, VIEW("^^"))) {
            line = view_skip(line, 2);
        } else if (view_starts(line, VIEW("@@"))) {
            text_add_char(&text, '\n');
            line = view_skip(line, 2);
        } else if (line.at[0] == '{' && line.len > 2 && strchr("lhubwa", line.at[1]) != NULL
                   && line.at[2] >= '0' && line.at[2] <= '9') {
            line = add_made_up(&text, line);
        } else {
            text_add_char(&text, line.at[0]);
            line = view_skip(line, 1);
        }
    }
    return text_view(&text);
}

/* The text a sender sends, and what is to come of it. */
struct example {
    struct text sent, wanted;
    struct view secrets[4];
    size_t count;
};

static void read_example(struct view kinds, struct view line, struct arena *mem,
                         struct example *out)
{
    struct view seen[4] = { { 0 } };
    *out = (struct example){ .sent = text_in(mem, FILE_BYTES), .wanted = text_in(mem, FILE_BYTES) };
    while (line.len > 0) {
        size_t open = 0;
        while (open < line.len && !view_starts(view_skip(line, open), VIEW("<<")))
            open++;
        text_add(&out->sent, (struct view){ line.at, open });
        text_add(&out->wanted, (struct view){ line.at, open });
        line = view_skip(line, open + 2);
        size_t close = 0;
        while (close < line.len && !view_starts(view_skip(line, close), VIEW(">>")))
            close++;
        while (view_starts(view_skip(line, close + 1), VIEW(">>")))
            close++;
        if (line.len == 0)
            break;
        struct view kind;
        view_cut(kinds, ',', &kind, &kinds);
        long long number = 1;
        for (size_t i = 0; i < out->count; i++)
            number += view_equal(seen[i], kind);
        seen[out->count] = kind;
        out->secrets[out->count++] = (struct view){ line.at, close };
        text_add(&out->sent, (struct view){ line.at, close });
        text_add_string(&out->wanted, "[redacted:");
        text_add(&out->wanted, kind);
        text_add_char(&out->wanted, '-');
        text_add_number(&out->wanted, number);
        text_add_char(&out->wanted, ']');
        line = view_skip(line, close + 2);
    }
}

/* Takes the next line that is no comment. */
static bool next_line(struct view *rest, struct view *line)
{
    while (rest->len > 0) {
        view_cut(*rest, '\n', line, rest);
        if (line->len > 0 && !view_starts(*line, VIEW("# ")))
            return true;
    }
    return false;
}

static void every_secret_of_the_corpus_goes_and_nothing_else(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, ARENA_BYTES_EACH);
    struct view rest = file_read(POSITIVES, FILE_BYTES, &mem);
    struct view line;
    size_t lines = 0, secrets = 0, hidden = 0, exact = 0;
    while (next_line(&rest, &line)) {
        struct view kinds, marked;
        struct example example;
        size_t count;
        assert_true(view_cut(line, ' ', &kinds, &marked));
        read_example(kinds, expand(marked, &mem), &mem, &example);
        struct view out = redact_with(&settings, text_view(&example.sent), &mem, &count);
        bool is_exact = view_equal(out, text_view(&example.wanted));
        for (size_t i = 0; i < example.count; i++)
            hidden += !view_contains(out, example.secrets[i]);
        lines++;
        secrets += example.count;
        exact += is_exact;
        if (!is_exact)
            print_error("%.*s\n     got %.*s\n", (int)line.len, line.at, (int)out.len, out.at);
    }
    print_message("%zu lines with %zu secrets: %zu found (recall %.1f %%), %zu lines exactly\n",
                  lines, secrets, hidden, 100.0 * (double)hidden / (double)secrets, exact);
    assert_true(lines >= 120);
    assert_int_equal(hidden, secrets);
    assert_int_equal(exact, lines);
    arena_drop(&mem);
}

static void what_only_looks_like_a_secret_stays(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, ARENA_BYTES_EACH);
    struct view rest = file_read(NEGATIVES, FILE_BYTES, &mem);
    struct view line;
    size_t lines = 0, kept = 0;
    while (next_line(&rest, &line)) {
        size_t count;
        struct view out = redact_with(&settings, line, &mem, &count);
        lines++;
        kept += view_equal(out, line) && count == 0;
        if (!view_equal(out, line))
            print_error("%.*s\n     got %.*s\n", (int)line.len, line.at, (int)out.len, out.at);
    }
    print_message("%zu lines without secrets: %zu untouched (precision %.1f %%)\n", lines, kept,
                  100.0 * (double)kept / (double)lines);
    assert_true(lines >= 120);
    assert_int_equal(kept, lines);
    arena_drop(&mem);
}

/* What comes out goes in again: nothing is found, so nothing changes. */
static void labels_are_not_redacted_again(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, ARENA_BYTES_EACH);
    struct view rest = file_read(POSITIVES, FILE_BYTES, &mem);
    struct view line;
    while (next_line(&rest, &line)) {
        struct view kinds, marked;
        struct example example;
        size_t count;
        assert_true(view_cut(line, ' ', &kinds, &marked));
        read_example(kinds, expand(marked, &mem), &mem, &example);
        struct view once = redact_with(&settings, text_view(&example.sent), &mem, &count);
        assert_true(count > 0);
        struct view twice = redact_with(&settings, once, &mem, &count);
        CHECK_VIEW(once.at, twice, once);
        assert_int_equal(count, 0);
    }
    arena_drop(&mem);
}

/* --- labels ----------------------------------------------------------------------------------- */

static const struct {
    const char *text, *wanted;
    size_t count;
} labels[] = {
    { "", "", 0 },
    { "nothing", "nothing", 0 },
    { "password=first1 password=second2 password=first1",
      "password=[redacted:password-1] password=[redacted:password-2] "
      "password=[redacted:password-1]",
      3 },
    /* the first name is its name */
    { "api_key=abcdef1234 password=abcdef1234 redis://:abcdef1234@h",
      "api_key=[redacted:api-key-1] password=[redacted:api-key-1] redis://:[redacted:api-key-1]@h",
      3 },
    /* each kind counts for itself */
    { "password=first1 api_key=abcdef1234 password=second2",
      "password=[redacted:password-1] api_key=[redacted:api-key-1] password=[redacted:password-2]",
      3 },
    /* a line end ends a secret, and what stands on two lines is none */
    { "password=first1\nsecond2", "password=[redacted:password-1]\nsecond2", 1 },
    { "password=\nfirst1", "password=\nfirst1", 0 },
    { "kPq7-corr\nect-own", "kPq7-corr\nect-own", 0 },
    { "password=\"fir\nst\"", "password=\"[redacted:password-1]\nst\"", 1 },
    /* our own: the longest, anywhere; too short ones are words */
    { "xkPq7-correct-ownx", "x[redacted:own-secret-1]x", 1 },
    { "xkPq7-correct-", "x[redacted:own-secret-1]-", 1 },
    { "a short77 b", "a short77 b", 0 },
    /* one inside another: the outer one goes as a whole */
    { "password=kPq7-correct-own", "password=[redacted:own-secret-1]", 1 },
    { "password=kPq7-correct-own-and-more;x", "password=[redacted:own-secret-1];x", 1 },
    { "https://bob:pw1@h?password=pw22",
      "https://bob:[redacted:url-password-1]@h?password=[redacted:password-1]", 2 },
};

static void equal_secrets_have_equal_labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        struct arena mem;
        arena_init(&mem, 1024 * 1024);
        size_t count;
        CHECK_VIEW(labels[i].text, redact_with(&settings, view_of(labels[i].text), &mem, &count),
                   view_of(labels[i].wanted));
        CHECK(labels[i].text, count == labels[i].count);
        arena_drop(&mem);
    }
}

static const struct {
    const char *name, *value, *wanted;
} named[] = {
    { "password", "hunter2", "[redacted:password-1]" },
    { "db.password", "correct horse battery", "[redacted:password-1]" },
    { "DB_PASSWORD", "[redacted:password-7]", "[redacted:password-7]" },
    { "password", "${DB_PASSWORD}", "${DB_PASSWORD}" },
    { "password", "", "" },
    { "api_key", "abcdef", "[redacted:api-key-1]" },
    { "token", "expired", "expired" },
    { "token", "abcdef1234567", "[redacted:token-1]" },
    { "Authorization", "Bearer abcdef1234567", "Bearer [redacted:authorization-1]" },
    { "authorization", "denied to bob", "denied to bob" },
    { "PublicKeyToken", "30ad4fe6b2a6aeed", "30ad4fe6b2a6aeed" },
    { "code", "500", "500" },
    { "namespace", "shop", "shop" },
    { "", "password=hunter2", "password=[redacted:password-1]" },
    { "message", "password=hunter2", "password=[redacted:password-1]" },
    { "secret", "see the vault, password=hunter2",
      "see the vault, password=[redacted:password-1]" },
    { "a.name.so.long.that.its.front.is.not.looked.at.any.more.password", "hunter2",
      "[redacted:password-1]" },
};

static void values_go_by_their_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(named); i++) {
        struct arena mem;
        arena_init(&mem, 64 * 1024);
        struct redactor redactor = redactor_begin(&settings, &mem);
        struct view wanted = view_of(named[i].wanted);
        struct view value = view_of(named[i].value);
        struct view got = redact_value(&redactor, view_of(named[i].name), value, &mem);
        CHECK_VIEW(named[i].name, got, wanted);
        CHECK(named[i].name, redactor.count == !view_equal(value, wanted));
        arena_drop(&mem);
    }
}

static void labels_last_as_long_as_the_redactor(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 1024 * 1024);
    struct redactor redactor = redactor_begin(NULL, &mem);
    struct text text = text_in(&mem, 4096);
    char first[] = "password=first1;";
    redact_add(&redactor, view_of(first), &text);
    memset(first, '#', sizeof first - 1); /* what it has seen need not stay */
    redact_add(&redactor, VIEW("pwd=second2;"), &text);
    redact_add(&redactor, VIEW("pwd=first1;"), &text);
    CHECK_VIEW("three texts", text_view(&text),
               VIEW("password=[redacted:password-1];pwd=[redacted:password-2];"
                    "pwd=[redacted:password-1];"));
    assert_int_equal(redactor.count, 3);
    arena_drop(&mem);
}

static void many_secrets_have_many_numbers(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, ARENA_BYTES_EACH);
    struct text text = text_in(&mem, FILE_BYTES), wanted = text_in(&mem, FILE_BYTES);
    for (int round = 0; round < 2; round++)
        for (int i = 1; i <= 2000; i++) {
            text_add_string(&text, "password=p");
            text_add_number(&text, i);
            text_add_string(&text, "x\n");
            text_add_string(&wanted, "password=[redacted:password-");
            text_add_number(&wanted, i);
            text_add_string(&wanted, "]\n");
        }
    size_t count;
    struct view out = redact_with(NULL, text_view(&text), &mem, &count);
    assert_true(view_equal(out, text_view(&wanted)));
    assert_int_equal(count, 4000);
    arena_drop(&mem);
}

static void without_memory_labels_have_no_number(void **state)
{
    (void)state;
    static const char *const wanted[] = { /* by what fits into the text */
                                          "user=bob password=[redacted:password] host=db",
                                          "user=bob password=[redacted:password] ho",
                                          "user=bob password=", "user=bo"
    };
    static const size_t sizes[] = { 64, 41, 30, 8 };
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        char buffer[64];
        struct redactor redactor = redactor_begin(&settings, NULL);
        struct text text = text_over(buffer, sizes[i]);
        bool is_all = redact_add_some(&redactor, VIEW("user=bob password=hunter2 host=db"), &text);
        CHECK_VIEW(wanted[i], text_view(&text), view_of(wanted[i]));
        CHECK(wanted[i], is_all == (i == 0));
    }
}

static void off_means_off(void **state)
{
    (void)state;
    static const struct redact_settings off = { .secrets = own, .secret_count = 2, .is_off = true };
    struct arena mem;
    arena_init(&mem, 4096);
    size_t count;
    struct view text = VIEW("password=kPq7-correct-own");
    CHECK_VIEW("off", redact_with(&off, text, &mem, &count), text);
    assert_int_equal(count, 0);
    arena_drop(&mem);
}

static void every_arena_ceiling_gives_all_or_a_failure(void **state)
{
    (void)state;
    struct view sent = VIEW("password=first1 api_key=abcdef1234 password=second2 and more");
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN * check_step()) {
        struct arena mem;
        arena_init(&mem, ceiling);
        size_t count;
        struct view out = redact_with(&settings, sent, &mem, &count);
        is_done = out.at != NULL;
        assert_true(is_done == arena_ok(&mem));
        if (is_done)
            CHECK_VIEW("all", out,
                       VIEW("password=[redacted:password-1] api_key=[redacted:api-key-1] "
                            "password=[redacted:password-2] and more"));
        assert_true(ceiling < 8192);
        arena_drop(&mem);
    }
}

/* --- work ------------------------------------------------------------------------------------- */

/* Repeated, each tempts another rule to look far and find nothing. */
static const char *const temptations[] = {
    "a",
    " ",
    "\n",
    "=",
    ":",
    "-",
    "\"",
    "\\",
    "<",
    ">",
    "&",
    ",",
    ".",
    "@",
    "Q~",
    "1Q~",
    "==",
    "A==",
    "://",
    "a://b",
    "a:b@",
    "http://a:b",
    "eyJ",
    "eyJaaaaaaaaaa.",
    "eyJaaaaaaaaaa-",
    "eyJaaaaaaaaaaa ",
    "-eyJ",
    "ghp_",
    "ghp_a",
    "sk-",
    "sk-aaaaaaaaaaaaaaaaaaaaaaa-",
    "apk_aaaaaaaaaaaaaaaaaaaa-",
    "xoxb-",
    "AKIA",
    "AKIAAAAAAAAAAAAAAAAA",
    "bearer ",
    "bearer aaaaaaaaaaaaaaaaaaaaaaa ",
    "password=",
    "password:",
    "password: ",
    "password=\"",
    "password='",
    "password=\\\"",
    "password=\\\\\\\"",
    "password=\"password='",
    "token=",
    "token=\"",
    "token=\"a",
    "token=a&",
    "token=a,",
    "token=,",
    "secret: a ",
    "sig=",
    "?sig=",
    "code=a&",
    "authorization=",
    "authorization: bearer ",
    "authorization: digest ",
    "<password>",
    "<token>a",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----a ",
    "-----BEGIN PRIVATE KEY-----\\\\\\\\\\\\",
    "Proc-Type:",
    "-----BEGIN PRIVATE KEY-----Proc-Type:",
    "-----BEGIN PRIVATE KEY-----AAAAAAAAAAAAAAAAAAAAAAAA",
    "kPq7-cor",
    "kPq7-correct-ow",
    "password=hunter2 ",
    "[redacted:",
    "password=[redacted:",
    "hooks.slack.com/",
    "token=${",
    "password=a(",
    "a.b.c.d.e=",
    "password  =  ",
    "        token",
    "\\ntoken=",
    "%3Dghp_",
    "\xC3\xA9",
    "\xFF",
};

static size_t steps_for(const char *piece, size_t bytes, bool is_other_between, struct arena *mem)
{
    struct text text = text_in(mem, 2 * bytes);
    for (size_t i = 0; text.len < bytes; i++) {
        text_add_string(&text, piece);
        if (is_other_between)
            text_add_string(&text, temptations[i % COUNT_OF(temptations)]);
    }
    struct redactor redactor = redactor_begin(&settings, mem);
    (void)redact(&redactor, text_view(&text), mem);
    return redactor.steps;
}

/* Twice the text, twice the work: counted, so that no clock decides. */
static void work_is_linear(void **state)
{
    (void)state;
    const size_t bytes = 32 * 1024 / check_step();
    size_t worst = 0;
    for (size_t i = 0; i < 2 * COUNT_OF(temptations); i++) {
        const char *piece = temptations[i / 2];
        size_t steps[3];
        for (size_t k = 0; k < 3; k++) {
            struct arena mem;
            arena_init(&mem, ARENA_BYTES_EACH);
            steps[k] = steps_for(piece, bytes << k, i % 2 == 1, &mem);
            arena_drop(&mem);
        }
        CHECK(piece, steps[1] < steps[0] * 9 / 4);
        CHECK(piece, steps[2] < steps[1] * 9 / 4);
        CHECK(piece, steps[2] < 100 * 4 * bytes);
        worst = steps[2] / (4 * bytes) > worst ? steps[2] / (4 * bytes) : worst;
    }
    print_message("at most %zu looks at a byte\n", worst);
}

static double seconds_of(clock_t start)
{
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Only said: a busy machine must not decide. */
static void time_is_said(void **state)
{
    (void)state;
    enum { PIECE = 64 };
    const int rounds = check_step() == 1 ? 8 : 1;
    static const char *const pieces[] = { "2024-05-01 INFO order 42 took 17 ms in checkout-api\n",
                                          "token=\"a b\" user:x=1 ghp_ sk- eyJ://-Q~==<token>",
                                          "password=hunter2 " };
    static const char *const names[] = { "log lines", "near misses", "secrets" };
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct arena mem;
        arena_init(&mem, 4 * ARENA_BYTES_EACH);
        struct text text = text_in(&mem, 2 * 1024 * 1024);
        while (text.len < 1024 * 1024)
            text_add_string(&text, pieces[i]);
        clock_t start = clock();
        for (int round = 0; round < rounds; round++) {
            struct text copy = text_in(&mem, 2 * 1024 * 1024);
            text_reserve(&copy, text.len);
            for (size_t at = 0; at < text.len; at += PIECE)
                text_add(&copy, view_cap(view_skip(text_view(&text), at), PIECE));
        }
        double copying = seconds_of(start);
        start = clock();
        for (int round = 0; round < rounds; round++) {
            struct redactor redactor = redactor_begin(&settings, &mem);
            struct text copy = text_in(&mem, 4 * 1024 * 1024);
            text_reserve(&copy, text.len);
            redact_add(&redactor, text_view(&text), &copy);
            assert_true(text_ok(&copy));
        }
        double redacting = seconds_of(start);
        print_message("1 MiB of %s: %.2f ms, %.0f times copying in pieces of 64 bytes\n", names[i],
                      redacting * 1000 / rounds, redacting / copying);
        arena_drop(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_secret_of_the_corpus_goes_and_nothing_else),
        cmocka_unit_test(what_only_looks_like_a_secret_stays),
        cmocka_unit_test(labels_are_not_redacted_again),
        cmocka_unit_test(equal_secrets_have_equal_labels),
        cmocka_unit_test(values_go_by_their_names),
        cmocka_unit_test(labels_last_as_long_as_the_redactor),
        cmocka_unit_test(many_secrets_have_many_numbers),
        cmocka_unit_test(without_memory_labels_have_no_number),
        cmocka_unit_test(off_means_off),
        cmocka_unit_test(every_arena_ceiling_gives_all_or_a_failure),
        cmocka_unit_test(work_is_linear),
        cmocka_unit_test(time_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
