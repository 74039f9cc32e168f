/*
 * Tables first, the scanner below them.  Rules begin at a letter behind a boundary (keys with a
 * prefix), or at a mark: ':' and '=' look back for a name, "://" ahead for a password, "-----" for a
 * private key.
 *
 * Linear in any text: a look back and a check that ends in nothing cost a bounded number of bytes;
 * what is unbounded either ends in a secret, which is then behind us, or is remembered in the scan.
 * Shapes follow the issuers' documentation and the published rules of gitleaks; bare hexadecimal and
 * GUIDs are never secrets by themselves.
 */
#include "base/redact_rules.h"

#include "base/redact_named.h"

#include <string.h>

/* --- characters ------------------------------------------------------------------------------- */

static int class_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return LOWER;
    if (c >= 'A' && c <= 'Z')
        return UPPER;
    if (c >= '0' && c <= '9')
        return DIGIT;
    switch (c) {
    case '_':
        return UNDER;
    case '-':
        return DASH;
    case '.':
        return DOT;
    case '+':
    case '/':
    case '=':
        return BASE;
    case '~':
        return MORE;
    default:
        return 0;
    }
}

bool redact_is_of(char c, int class)
{
    return (class_of(c) & class) != 0;
}

bool redact_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char redact_byte(const struct redact_scan *scan, size_t at)
{
    return at < scan->all.len ? scan->all.at[at] : '\0';
}

size_t redact_run(struct redact_scan *scan, size_t at, int class, size_t max)
{
    size_t len = 0;
    while (len < max && at + len < scan->all.len && redact_is_of(scan->all.at[at + len], class))
        len++;
    scan->redactor->steps += len + 1;
    return len;
}

bool redact_found_at(size_t from, size_t until, enum redact_kind kind, struct redact_found *out)
{
    *out = (struct redact_found){ from, until, kind };
    return true;
}

/* --- tables ----------------------------------------------------------------------------------- */

struct prefix {
    struct view start;
    enum redact_kind kind;
    int class;        /* of what follows */
    size_t min;       /* of it */
    size_t exact;     /* 0: any length from `min` on */
    size_t kept;      /* bytes of `start` that are no secret */
    bool needs_digit; /* tells a key from words joined by underscores */
    bool is_folded;
};

/* Of two that begin alike the longer one comes first. */
/* clang-format off */
static const struct prefix prefixes[] = {
    /* start                            kind               class   min */
    { { "ghp_", 4 },                    REDACT_GITHUB,     ALNUM,  30, 0, 0, false, false },
    { { "gho_", 4 },                    REDACT_GITHUB,     ALNUM,  30, 0, 0, false, false },
    { { "ghs_", 4 },                    REDACT_GITHUB,     ALNUM,  30, 0, 0, false, false },
    { { "ghu_", 4 },                    REDACT_GITHUB,     ALNUM,  30, 0, 0, false, false },
    { { "ghr_", 4 },                    REDACT_GITHUB,     ALNUM,  30, 0, 0, false, false },
    { { "github_pat_", 11 },            REDACT_GITHUB,     WORD,   22, 0, 0, true, false },
    { { "glpat-", 6 },                  REDACT_GITLAB,     NAME,   20, 0, 0, false, false },
    { { "gldt-", 5 },                   REDACT_GITLAB,     URL64,  20, 0, 0, true, false },
    { { "glrt-", 5 },                   REDACT_GITLAB,     URL64,  20, 0, 0, true, false },
    { { "glptt-", 6 },                  REDACT_GITLAB,     URL64,  20, 0, 0, true, false },
    { { "glcbt-", 6 },                  REDACT_GITLAB,     URL64,  20, 0, 0, true, false },
    { { "xoxa-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxb-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxc-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxd-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxe-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxe.", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxo-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxp-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxr-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xoxs-", 5 },                   REDACT_SLACK,      URL64,  10, 0, 0, true, false },
    { { "xapp-", 5 },                   REDACT_SLACK,      URL64,  20, 0, 0, true, false },
    { { "hooks.slack.com/services/", 25 }, REDACT_SLACK_HOOK, URL64 | BASE, 20, 0, 25, false, false },
    { { "hooks.slack.com/workflows/", 26 }, REDACT_SLACK_HOOK, URL64 | BASE, 20, 0, 26, false, false },
    { { "hooks.slack.com/triggers/", 25 }, REDACT_SLACK_HOOK, URL64 | BASE, 20, 0, 25, false, false },
    { { "sk_live_", 8 },                REDACT_STRIPE,     ALNUM,  16, 0, 0, false, false },
    { { "sk_test_", 8 },                REDACT_STRIPE,     ALNUM,  16, 0, 0, false, false },
    { { "rk_live_", 8 },                REDACT_STRIPE,     ALNUM,  16, 0, 0, false, false },
    { { "rk_test_", 8 },                REDACT_STRIPE,     ALNUM,  16, 0, 0, false, false },
    { { "whsec_", 6 },                  REDACT_STRIPE,     ALNUM | BASE, 24, 0, 0, false, false },
    { { "npm_", 4 },                    REDACT_NPM,        ALNUM,  30, 0, 0, false, false },
    { { "sk-ant-", 7 },                 REDACT_ANTHROPIC,  URL64,  20, 0, 0, true, false },
    { { "sk-proj-", 8 },                REDACT_OPENAI,     URL64,  20, 0, 0, true, false },
    { { "sk-svcacct-", 11 },            REDACT_OPENAI,     URL64,  20, 0, 0, true, false },
    { { "sk-admin-", 9 },               REDACT_OPENAI,     URL64,  20, 0, 0, true, false },
    { { "sk-", 3 },                     REDACT_OPENAI,     ALNUM,  20, 0, 0, true, false },
    { { "apk_user_", 9 },               REDACT_DEVIN,      URL64 | BASE, 16, 0, 0, true, false },
    { { "apk_", 4 },                    REDACT_DEVIN,      URL64 | BASE, 16, 0, 0, true, false },
    { { "cog_", 4 },                    REDACT_DEVIN,      URL64 | BASE, 16, 0, 0, true, false },
    { { "AKIA", 4 },                    REDACT_AWS_ID,     UPPER | DIGIT, 16, 16, 0, false, false },
    { { "ASIA", 4 },                    REDACT_AWS_ID,     UPPER | DIGIT, 16, 16, 0, false, false },
    { { "ABIA", 4 },                    REDACT_AWS_ID,     UPPER | DIGIT, 16, 16, 0, false, false },
    { { "ACCA", 4 },                    REDACT_AWS_ID,     UPPER | DIGIT, 16, 16, 0, false, false },
    { { "AIza", 4 },                    REDACT_GOOGLE,     URL64,  35, 0, 0, false, false },
    { { "GOCSPX-", 7 },                 REDACT_GOOGLE,     URL64,  20, 0, 0, false, false },
    { { "ya29.", 5 },                   REDACT_GOOGLE,     NAME,   20, 0, 0, false, false },
    { { "glsa_", 5 },                   REDACT_VENDOR,     WORD,   30, 0, 0, true, false },
    { { "glc_", 4 },                    REDACT_VENDOR,     ALNUM | BASE, 32, 0, 0, true, false },
    { { "hvs.", 4 },                    REDACT_VENDOR,     URL64,  24, 0, 0, true, false },
    { { "NRAK-", 5 },                   REDACT_VENDOR,     ALNUM,  27, 0, 0, false, false },
    { { "SG.", 3 },                     REDACT_VENDOR,     NAME,   40, 0, 0, true, false },
    { { "hf_", 3 },                     REDACT_VENDOR,     ALNUM,  30, 0, 0, false, false },
    { { "dop_v1_", 7 },                 REDACT_VENDOR,     ALNUM,  40, 0, 0, false, false },
    { { "pypi-", 5 },                   REDACT_VENDOR,     URL64,  50, 0, 0, true, false },
    { { "shpat_", 6 },                  REDACT_VENDOR,     ALNUM,  32, 0, 0, false, false },
    { { "dckr_pat_", 9 },               REDACT_VENDOR,     URL64,  20, 0, 0, true, false },
    { { "bearer ", 7 },                 REDACT_AUTHORIZATION, BEARER, 16, 0, 7, true, true },
};
/* clang-format on */

/* --- where to look ---------------------------------------------------------------------------- */

enum { START_MARK = 1, START_PREFIX = 2, START_OWN = 4 };

void redact_set_starts(struct redactor *redactor)
{
    static const char marks[] = ":=>-Q";
    const struct redact_settings *settings = redactor->settings;
    for (size_t i = 0; i < sizeof marks - 1; i++)
        redactor->starts[(unsigned char)marks[i]] |= START_MARK;
    redactor->starts['e'] |= START_PREFIX; /* of a JWT */
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        unsigned char first = (unsigned char)prefixes[i].start.at[0];
        redactor->starts[first] |= START_PREFIX;
        if (prefixes[i].is_folded)
            redactor->starts[first - 'a' + 'A'] |= START_PREFIX;
    }
    for (size_t i = 0; settings != NULL && i < settings->secret_count; i++)
        if (settings->secrets[i].len >= REDACT_LEAST_OWN)
            redactor->starts[(unsigned char)settings->secrets[i].at[0]] |= START_OWN;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* No word goes on here; "\n", "%3D" and "\u003d" are no part of one. */
static bool is_boundary(struct view all, size_t at)
{
    if (at == 0 || !redact_is_of(all.at[at - 1], WORD))
        return true;
    char last = all.at[at - 1];
    if (at >= 2 && all.at[at - 2] == '\\')
        return last == 'n' || last == 'r' || last == 't';
    if (!is_hex(last) || at < 3 || !is_hex(all.at[at - 2]))
        return false;
    return all.at[at - 3] == '%' || (at >= 6 && all.at[at - 5] == 'u' && all.at[at - 6] == '\\');
}

size_t redact_next(struct redact_scan *scan, size_t at)
{
    const unsigned char *starts = scan->redactor->starts;
    struct view all = scan->all;
    size_t from = at;
    for (; at < all.len; at++) {
        unsigned char start = starts[(unsigned char)all.at[at]];
        if ((start & (START_MARK | START_OWN)) != 0)
            break;
        if (start == START_PREFIX && is_boundary(all, at))
            break;
    }
    scan->redactor->steps += at - from + 1;
    return at;
}

/* --- our own, and keys with a prefix ---------------------------------------------------------- */

static bool find_own(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    const struct redact_settings *settings = scan->redactor->settings;
    struct view rest = view_skip(scan->all, at);
    size_t longest = 0;
    for (size_t i = 0; settings != NULL && i < settings->secret_count; i++) {
        struct view own = settings->secrets[i];
        if (own.len < REDACT_LEAST_OWN || own.len <= longest || rest.len < own.len
            || memcmp(rest.at, own.at, REDACT_LEAST_OWN) != 0)
            continue;
        scan->redactor->steps += own.len;
        if (view_starts(rest, own))
            longest = own.len;
    }
    return longest > 0 && redact_found_at(at, at + longest, REDACT_OWN, out);
}

enum { LOOKED_AT = 64 };

static bool has_class(struct redact_scan *scan, size_t from, size_t until, int class)
{
    if (until - from > LOOKED_AT)
        until = from + LOOKED_AT;
    scan->redactor->steps += until - from;
    for (size_t i = from; i < until; i++)
        if (redact_is_of(scan->all.at[i], class))
            return true;
    return false;
}

/* What is long enough is a key, however long; its whole length is only read then. */
static bool fits_prefix(struct redact_scan *scan, const struct prefix *rule, size_t at,
                        struct redact_found *out)
{
    struct view rest = view_skip(scan->all, at);
    bool starts =
        rule->is_folded ? view_starts_fold(rest, rule->start) : view_starts(rest, rule->start);
    if (!starts)
        return false;
    size_t body = at + rule->start.len;
    size_t len = redact_run(scan, body, rule->class, LOOKED_AT);
    if (len < rule->min || (rule->exact > 0 && len != rule->exact)
        || (rule->exact > 0 && redact_is_of(redact_byte(scan, body + len), WORD))
        || (rule->needs_digit && !has_class(scan, body, body + len, DIGIT)))
        return false;
    len += redact_run(scan, body + len, rule->class, scan->all.len);
    while (len > rule->min && redact_is_of(scan->all.at[body + len - 1], DOT | BASE)
           && scan->all.at[body + len - 1] != '=')
        len--; /* the sentence's, not the key's */
    return redact_found_at(at + rule->kept, body + len, rule->kind, out);
}

enum { LEAST_JWT_PART = 10 };

/* Three parts of base64url, of which the first begins as JSON does. */
static bool find_jwt(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    if (at < scan->jwt_dead_until || !view_starts(view_skip(scan->all, at), VIEW("eyJ")))
        return false;
    size_t end = at + redact_run(scan, at, URL64, scan->all.len);
    scan->jwt_dead_until = end;
    if (end - at < LEAST_JWT_PART || redact_byte(scan, end) != '.')
        return false;
    size_t len = redact_run(scan, end + 1, URL64, scan->all.len);
    if (len < LEAST_JWT_PART && redact_byte(scan, end + 1 + len) != '.')
        return false;
    end += 1 + len;
    if (redact_byte(scan, end) != '.')
        return false;
    end += 1 + redact_run(scan, end + 1, URL64, scan->all.len);
    while (redact_byte(scan, end) == '.' && redact_is_of(redact_byte(scan, end + 1), URL64))
        end += 1 + redact_run(scan, end + 1, URL64, scan->all.len);
    return redact_found_at(at, end, REDACT_JWT, out);
}

static bool find_prefixed(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    if (!is_boundary(scan->all, at))
        return false;
    if (find_jwt(scan, at, out))
        return true;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if ((prefixes[i].start.at[0] | 0x20) == (scan->all.at[at] | 0x20)
            && fits_prefix(scan, &prefixes[i], at, out))
            return true;
    return false;
}

/* --- private keys ----------------------------------------------------------------------------- */

/* Line ends as they are, as "\n" inside JSON, as "\\n" inside JSON inside JSON; blanks. */
static size_t skip_line_ends(const struct redact_scan *scan, size_t at)
{
    for (;;) {
        size_t next = at;
        while (redact_byte(scan, next) == '\\')
            next++;
        char c = redact_byte(scan, next);
        if (next > at && (c == 'n' || c == 'r' || c == 't'))
            at = next + 1;
        else if (next == at && at < scan->all.len && redact_is_space(c))
            at++;
        else
            return at;
    }
}

/* "Proc-Type: 4,ENCRYPTED": up to where its line ends. */
static size_t skip_pem_header(struct redact_scan *scan, size_t at)
{
    static const struct view headers[] = { WORD_OF("Proc-Type:"), WORD_OF("DEK-Info:"),
                                           WORD_OF("Version:"), WORD_OF("Comment:") };
    size_t end = at;
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        if (view_starts(view_skip(scan->all, at), headers[i]))
            end = at + headers[i].len;
    if (end == at)
        return at;
    while (end < scan->all.len && scan->all.at[end] != '\n' && scan->all.at[end] != '\\')
        end++;
    scan->redactor->steps += end - at;
    return end;
}

enum { LEAST_PEM_LINE = 20, MAX_PEM_NAME = 64 };

/* Behind the line "-----BEGIN … PRIVATE KEY-----": up to the end line, or to where no key can be. */
static size_t skip_pem_body(struct redact_scan *scan, size_t at)
{
    for (;;) {
        size_t line = skip_line_ends(scan, at);
        size_t len = redact_run(scan, line, ALNUM | BASE, scan->all.len);
        scan->redactor->steps += line - at;
        if (view_starts(view_skip(scan->all, line), VIEW("-----END "))) {
            size_t end = line + 9;
            end += redact_run(scan, end, UPPER | DIGIT, MAX_PEM_NAME);
            while (redact_byte(scan, end) == ' ')
                end += 1 + redact_run(scan, end + 1, UPPER | DIGIT, MAX_PEM_NAME);
            return end + redact_run(scan, end, DASH, 5);
        }
        size_t after = skip_line_ends(scan, line + len);
        bool is_last = view_starts(view_skip(scan->all, after), VIEW("-----END "));
        size_t header = skip_pem_header(scan, line);
        if (len >= LEAST_PEM_LINE || (len > 0 && is_last))
            at = line + len;
        else if (header > line)
            at = header;
        else
            return at;
    }
}

static bool find_pem(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    if (!view_starts(view_skip(scan->all, at), VIEW("-----BEGIN ")))
        return false;
    struct view name = view_skip(scan->all, at + 11);
    size_t len = 0;
    while (len < name.len && len < MAX_PEM_NAME
           && (redact_is_of(name.at[len], UPPER | DIGIT) || name.at[len] == ' '))
        len++;
    scan->redactor->steps += len;
    bool is_key = view_contains((struct view){ name.at, len }, VIEW("PRIVATE KEY"));
    size_t dashes = redact_run(scan, at + 11 + len, DASH, 5);
    return is_key && dashes == 5
           && redact_found_at(at, skip_pem_body(scan, at + 11 + len + dashes), REDACT_PRIVATE, out);
}

/* --- marks inside a secret -------------------------------------------------------------------- */

enum { ENTRA_MARK = 4 };

/* Entra's client secrets: three characters, a digit, "Q~", 31 to 34 characters. */
static bool find_entra(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    if (at < ENTRA_MARK || redact_byte(scan, at + 1) != '~'
        || !redact_is_of(scan->all.at[at - 1], DIGIT))
        return false;
    for (size_t i = at - ENTRA_MARK; i < at; i++)
        if (!redact_is_of(scan->all.at[i], WORD | DOT | MORE))
            return false;
    size_t len = redact_run(scan, at + 2, NAME | MORE, 40);
    return len >= 31 && len <= 36
           && redact_found_at(at - ENTRA_MARK, at + 2 + len, REDACT_ENTRA, out);
}

/* Storage keys: 86 characters of base64 and "==", with nothing of that kind in front. */
static bool find_storage_key(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    enum { CHARACTERS = 86 };
    size_t from = at;
    if (redact_byte(scan, at + 1) != '=')
        return false;
    while (from > 0 && at - from <= CHARACTERS && scan->all.at[from - 1] != '='
           && redact_is_of(scan->all.at[from - 1], ALNUM | BASE))
        from--;
    scan->redactor->steps += at - from;
    bool is_key = at - from == CHARACTERS && !redact_is_of(redact_byte(scan, at + 2), ALNUM | BASE)
                  && (from == 0 || scan->all.at[from - 1] != '-'); /* "sha512-…" names a file */
    return is_key && redact_found_at(from, at + 2, REDACT_AZURE, out);
}

/* --- all -------------------------------------------------------------------------------------- */

/* What has a shape of its own. */
bool redact_find_shaped(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    unsigned char start = scan->redactor->starts[(unsigned char)redact_byte(scan, at)];
    return ((start & START_OWN) != 0 && find_own(scan, at, out))
           || ((start & START_PREFIX) != 0 && find_prefixed(scan, at, out))
           || (redact_byte(scan, at) == '-' && find_pem(scan, at, out))
           || (redact_byte(scan, at + ENTRA_MARK) == 'Q' && find_entra(scan, at + ENTRA_MARK, out));
}

bool redact_find(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    char c = redact_byte(scan, at);
    if (redact_find_shaped(scan, at, out) || (c == 'Q' && find_entra(scan, at, out))
        || (c == '=' && find_storage_key(scan, at, out)))
        return true;
    return (c == ':' || c == '=' || c == '>') && redact_find_named(scan, at, out);
}
