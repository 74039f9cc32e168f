/*
 * ':' and '=' look back for a name from the table, then ahead for a value: quoted, or up to where an
 * unquoted one ends in JSON, YAML, connection strings, queries and log lines.  Prose uses the same words and
 * marks, so an unquoted value behind a colon or blanks must fill its line or look random.
 */
#include "base/redact_named.h"

#include <string.h>

/* --- tables ----------------------------------------------------------------------------------- */

enum strictness {
    NEVER,     /* looks like a secret's name and is none */
    ANY,       /* whatever stands there */
    RANDOM,    /* what looks random: the name has other uses */
    PARAMETER, /* in a query alone */
    HEADER     /* a scheme, then the secret */
};

/* How a name ends, in lower case and without '_', '-' and '.'. */
struct name {
    struct view end;
    enum redact_kind kind;
    enum strictness strictness;
    size_t min;
};

/* The first that fits counts. */
/* clang-format off */
static const struct name names[] = {
    { WORD_OF("publickeytoken"),     REDACT_TOKEN,    NEVER, 0 },  /* of .NET assemblies */
    { WORD_OF("cancellationtoken"),  REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("nexttoken"),          REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("pagetoken"),          REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("continuationtoken"),  REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("synctoken"),          REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("skiptoken"),          REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("deltatoken"),         REDACT_TOKEN,    NEVER, 0 },
    { WORD_OF("secretaccesskey"),    REDACT_AWS,      ANY, 8 },
    { WORD_OF("awssecretkey"),       REDACT_AWS,      ANY, 8 },
    { WORD_OF("awssessiontoken"),    REDACT_AWS,      ANY, 8 },
    { WORD_OF("xamzsecuritytoken"),  REDACT_AWS,      ANY, 8 },
    { WORD_OF("xamzsignature"),      REDACT_AWS,      ANY, 16 },
    { WORD_OF("xgoogsignature"),     REDACT_GOOGLE,   ANY, 16 },
    { WORD_OF("accountkey"),         REDACT_AZURE,    ANY, 8 },
    { WORD_OF("sharedaccesskey"),    REDACT_AZURE,    ANY, 8 },
    { WORD_OF("storagekey"),         REDACT_AZURE,    ANY, 8 },
    { WORD_OF("subscriptionkey"),    REDACT_AZURE,    ANY, 8 },
    { WORD_OF("functionskey"),       REDACT_AZURE,    ANY, 8 },
    { WORD_OF("functionkey"),        REDACT_AZURE,    ANY, 8 },
    { WORD_OF("saskey"),             REDACT_AZURE,    ANY, 8 },
    { WORD_OF("sastoken"),           REDACT_SAS,      ANY, 8 },
    { WORD_OF("password"),           REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("passwd"),             REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("passphrase"),         REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("passwort"),           REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("pwd"),                REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("dbpass"),             REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("userpass"),           REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("smtppass"),           REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("rootpass"),           REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("adminpass"),          REDACT_PASSWORD, ANY, 3 },
    { WORD_OF("clientsecret"),       REDACT_SECRET,   ANY, 6 },
    { WORD_OF("appsecret"),          REDACT_SECRET,   ANY, 6 },
    { WORD_OF("sharedsecret"),       REDACT_SECRET,   ANY, 6 },
    { WORD_OF("webhooksecret"),      REDACT_SECRET,   ANY, 6 },
    { WORD_OF("secretkey"),          REDACT_SECRET,   ANY, 6 },
    { WORD_OF("accesskey"),          REDACT_SECRET,   ANY, 8 },
    { WORD_OF("masterkey"),          REDACT_SECRET,   ANY, 8 },
    { WORD_OF("encryptionkey"),      REDACT_SECRET,   ANY, 8 },
    { WORD_OF("signingkey"),         REDACT_SECRET,   ANY, 8 },
    { WORD_OF("privatekey"),         REDACT_PRIVATE,  ANY, 8 },
    { WORD_OF("apikey"),             REDACT_API_KEY,  ANY, 6 },
    { WORD_OF("authkey"),            REDACT_API_KEY,  ANY, 6 },
    { WORD_OF("apitoken"),           REDACT_TOKEN,    ANY, 6 },
    { WORD_OF("authtoken"),          REDACT_TOKEN,    ANY, 6 },
    { WORD_OF("accesstoken"),        REDACT_TOKEN,    ANY, 6 },
    { WORD_OF("refreshtoken"),       REDACT_TOKEN,    ANY, 6 },
    { WORD_OF("bearertoken"),        REDACT_TOKEN,    ANY, 6 },
    { WORD_OF("token"),              REDACT_TOKEN,    RANDOM, 8 },
    { WORD_OF("secret"),             REDACT_SECRET,   RANDOM, 8 },
    { WORD_OF("sig"),                REDACT_SAS,      PARAMETER, 20 },
    { WORD_OF("code"),               REDACT_AZURE,    PARAMETER, 40 }, /* a function's key */
    { WORD_OF("authorization"),      REDACT_AUTHORIZATION, HEADER, 6 },
};

/* Behind "Authorization:"; of the last two all up to the line's end is the secret. */
static const struct view schemes[] = {
    WORD_OF("bearer"), WORD_OF("basic"), WORD_OF("token"), WORD_OF("apikey"), WORD_OF("key"), WORD_OF("negotiate"),
    WORD_OF("ntlm"), WORD_OF("splunk"), WORD_OF("geniekey"), WORD_OF("sharedkey"), WORD_OF("sharedkeylite"),
    WORD_OF("sharedaccesssignature"), WORD_OF("digest"), WORD_OF("aws4-hmac-sha256"),
};
enum { WHOLE_LINE_SCHEMES = 2 };

/* Stand where a secret could, in messages and templates. */
static const struct view no_secrets[] = {
    WORD_OF("null"), WORD_OF("none"), WORD_OF("nil"), WORD_OF("undefined"), WORD_OF("true"), WORD_OF("false"), WORD_OF("yes"),
    WORD_OF("empty"), WORD_OF("string"), WORD_OF("required"), WORD_OF("invalid"), WORD_OF("missing"), WORD_OF("expired"),
    WORD_OF("incorrect"), WORD_OF("wrong"), WORD_OF("unknown"), WORD_OF("failed"), WORD_OF("denied"), WORD_OF("changed"),
    WORD_OF("rejected"), WORD_OF("disabled"), WORD_OF("enabled"), WORD_OF("not"), WORD_OF("must"), WORD_OF("the"),
    WORD_OF("too"), WORD_OF("cannot"), WORD_OF("set"), WORD_OF("unset"), WORD_OF("redacted"), WORD_OF("filtered"),
    WORD_OF("masked"), WORD_OF("hidden"), WORD_OF("removed"), WORD_OF("secret"), WORD_OF("password"), WORD_OF("token"),
    WORD_OF("authentication"), WORD_OF("authorization"), WORD_OF("permission"), WORD_OF("unauthorized"),
    WORD_OF("verification"), WORD_OF("mismatch"), WORD_OF("error"), WORD_OF("success"), WORD_OF("optional"),
};
/* clang-format on */

/* --- names ------------------------------------------------------------------------------------ */

enum { NAME_SEEN = 40, NAME_KEPT = 24, BLANKS = 8, LONGEST_WORD = 20, LOOKED_AT = 64 };

/* What stands in front of the mark. */
struct key {
    const struct name *name;
    size_t from;
    bool is_quoted;
    bool is_spaced; /* a blank between name and mark, or mark and value */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'' || c == '`';
}

static char before(const struct redact_scan *scan, size_t at)
{
    return at == 0 ? '\n' : scan->all.at[at - 1];
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The end of a name as the table has it. */
static struct view normal_of(struct view name, char buffer[NAME_KEPT])
{
    size_t at = NAME_KEPT;
    for (size_t i = name.len; i > 0 && at > 0; i--)
        if (redact_is_of(name.at[i - 1], ALNUM))
            buffer[--at] = fold(name.at[i - 1]);
    return (struct view){ buffer + at, NAME_KEPT - at };
}

static bool ends_in(struct view whole, struct view end)
{
    return whole.len >= end.len && whole.at[whole.len - 1] == end.at[end.len - 1]
           && view_equal(view_skip(whole, whole.len - end.len), end);
}

/* "sig" and "code" are words: only as a whole, in a query, and where JSON writes '&' as \u0026. */
static bool is_parameter(const struct redact_scan *scan, struct view normal, struct view word,
                         size_t from)
{
    struct view rest = { normal.at, normal.len - word.len };
    return (rest.len == 0 && (from == 0 || strchr("?&; \"'", scan->all.at[from - 1]) != NULL))
           || ends_in(rest, VIEW("u0026"));
}

static const struct name *name_of(const struct redact_scan *scan, size_t from, size_t until)
{
    char buffer[NAME_KEPT];
    struct view normal = normal_of((struct view){ scan->all.at + from, until - from }, buffer);
    scan->redactor->steps += until - from;
    for (size_t i = 0; normal.len > 0 && i < COUNT_OF(names); i++) {
        if (!ends_in(normal, names[i].end))
            continue;
        if (names[i].strictness == PARAMETER && !is_parameter(scan, normal, names[i].end, from))
            continue;
        return names[i].strictness == NEVER ? NULL : &names[i];
    }
    return NULL;
}

/* Back over blanks, a quote with the backslashes of nested JSON, and the name. */
static bool read_key(struct redact_scan *scan, size_t at, struct key *out)
{
    size_t until = at;
    *out = (struct key){ 0 };
    if (until > 0 && scan->all.at[at] == '=' && before(scan, until) == ':')
        until--;
    for (int i = 0; i < BLANKS && is_blank(before(scan, until)) && until > 0; i++) {
        until--;
        out->is_spaced = true;
    }
    if (until > 0 && before(scan, until) == ']')
        until--;
    if (until > 0 && is_quote(before(scan, until))) {
        out->is_quoted = true;
        until--;
        for (int i = 0; i < BLANKS && until > 0 && before(scan, until) == '\\'; i++)
            until--;
    }
    out->from = until;
    while (out->from > 0 && until - out->from < NAME_SEEN
           && redact_is_of(before(scan, out->from), NAME))
        out->from--;
    out->name = name_of(scan, out->from, until);
    return out->name != NULL;
}

/* Whether only indentation, a list mark or punctuation stands between line start and name. */
static bool begins_line(const struct redact_scan *scan, const struct key *key)
{
    size_t at = key->from;
    if (before(scan, at) == '\\') /* "\n" inside JSON: its letter counts to the name */
        return true;
    for (int i = 0; i < LOOKED_AT && at > 0 && is_blank(before(scan, at)); i++)
        at--;
    return at == 0 || strchr("\n\r{},;|-[(?&", before(scan, at)) != NULL;
}

/* --- values ----------------------------------------------------------------------------------- */

static struct view value_of(const struct redact_scan *scan, size_t from, size_t until)
{
    return (struct view){ scan->all.at + from, until - from };
}

/* Whether a name and a '=' or ':' begin there: then a comma or '&' has ended the value before. */
static bool begins_pair(const struct redact_scan *scan, size_t at)
{
    size_t end = at;
    while (end - at < NAME_SEEN
           && (redact_is_of(redact_byte(scan, end), NAME) || redact_byte(scan, end) == '%'))
        end++;
    return end > at && (redact_byte(scan, end) == '=' || redact_byte(scan, end) == ':');
}

static bool ends_value(const struct redact_scan *scan, size_t at)
{
    char c = redact_byte(scan, at);
    char next = redact_byte(scan, at + 1);
    switch (c) {
    case '"':
    case ';':
    case '<':
        return true;
    case '\'':
    case '`':
        return !redact_is_of(next, ALNUM);
    case '&':
        return at + 1 >= scan->all.len || begins_pair(scan, at + 1);
    case ',':
        return at + 1 >= scan->all.len || redact_is_space(next) || is_quote(next)
               || begins_pair(scan, at + 1);
    case '\\':
        return next == 'n' || next == 'r' || next == 't' || next == 'u' || is_quote(next);
    default:
        return redact_is_space(c) || (c >= 0 && c < ' ');
    }
}

/* An end depends on its place alone, so that all who start inside a run end where it ends. */
static size_t end_of_run(struct redact_scan *scan, size_t from)
{
    size_t until = from;
    if (from >= scan->run_from && from < scan->run_until)
        until = scan->run_until;
    else
        while (until < scan->all.len && !ends_value(scan, until))
            until++;
    scan->redactor->steps +=
        from >= scan->run_from && from < scan->run_until ? 1 : until - from + 1;
    scan->run_from = from;
    scan->run_until = until;
    for (int i = 0; i < BLANKS && until > from && strchr(")]}.,:", scan->all.at[until - 1]); i++)
        until--;
    return until;
}

static bool has(struct view value, int class)
{
    for (size_t i = 0; i < value.len && i < LOOKED_AT; i++)
        if (redact_is_of(value.at[i], class))
            return true;
    return false;
}

static bool has_one_of(struct view value, const char *marks)
{
    for (size_t i = 0; i < value.len && i < LOOKED_AT; i++)
        if (value.at[i] != '\0' && strchr(marks, value.at[i]) != NULL)
            return true;
    return false;
}

static bool is_label(struct view value)
{
    return view_starts(value, VIEW("[redacted:"));
}

/* Masks, templates and words of a message. */
static bool is_no_secret(struct view value)
{
    static const struct view starts[] = { WORD_OF("${"),          WORD_OF("$("),
                                          WORD_OF("{{"),          WORD_OF("#{"),
                                          WORD_OF("%("),          WORD_OF("@Microsoft."),
                                          WORD_OF("process.env"), WORD_OF("os.environ") };
    char first = value.len > 0 ? value.at[0] : '\0';
    size_t same = 0;
    while (same < value.len && same < BLANKS && value.at[same] == first)
        same++;
    if (is_label(value) || (same == value.len && strchr("*xX.#-?", first) != NULL))
        return true;
    if (same >= 3 && first == '*')
        return true;
    if ((first == '<' || first == '[') && strchr(">]", value.at[value.len - 1]) != NULL)
        return true;
    for (size_t i = 0; i < COUNT_OF(starts); i++)
        if (view_starts(value, starts[i]))
            return true;
    while (value.len > 0 && strchr("!?.:", value.at[value.len - 1]) != NULL
           && value.len <= LONGEST_WORD)
        value.len--;
    for (size_t i = 0; i < COUNT_OF(no_secrets); i++)
        if (view_equal_fold(value, no_secrets[i]))
            return true;
    return false;
}

/* "getPassword()", "config.password", "$password": source, not its data. */
static bool is_code(struct view value)
{
    size_t len = 0;
    while (len < value.len && len < LOOKED_AT && redact_is_of(value.at[len], WORD | DOT))
        len++;
    if (len > 0 && len < value.len && value.at[len] == '(')
        return true;
    return len == value.len && has(value, DOT) && !has(value, DIGIT);
}

static bool is_random(struct view value)
{
    bool has_letter = has(value, LOWER | UPPER);
    return (value.len >= 8 && has_letter && has(value, DIGIT))
           || (value.len >= 20 && has(value, LOWER) && has(value, UPPER));
}

/* Short as people's passwords are, but no word either. */
static bool is_no_word(struct view value)
{
    return value.len >= 4 && has(value, LOWER | UPPER)
           && (has(value, DIGIT) || has_one_of(value, "!#$%^&*+~?"));
}

static bool is_strict_enough(const struct name *name, struct view value)
{
    return value.len >= name->min && (name->strictness != RANDOM || is_random(value));
}

/* What is behind it on its line is nothing, or punctuation. */
static bool ends_line(const struct redact_scan *scan, size_t at)
{
    for (int i = 0; i < BLANKS && is_blank(redact_byte(scan, at)); i++)
        at++;
    return at >= scan->all.len || strchr("\n\r,;#|)]}\\\"'&<", scan->all.at[at]) != NULL;
}

static bool is_path(struct view value)
{
    return view_starts(value, VIEW("/"))
           || (value.len > 2 && redact_is_of(value.at[0], LOWER | UPPER) && value.at[1] == ':'
               && value.at[2] == '\\');
}

/* --- forms ------------------------------------------------------------------------------------ */

/* A value may be a key with a shape: then its kind is known better. */
static bool accept(struct redact_scan *scan, size_t from, size_t until, enum redact_kind kind,
                   struct redact_found *out)
{
    struct redact_found shaped;
    if (!redact_find_shaped(scan, from, &shaped) || shaped.from != from)
        return redact_found_at(from, until, kind, out);
    return redact_found_at(from, shaped.until > until ? shaped.until : until, shaped.kind, out);
}

static bool find_unquoted(struct redact_scan *scan, const struct key *key, char mark, size_t from,
                          struct redact_found *out)
{
    const struct name *name = key->name;
    size_t until = end_of_run(scan, from);
    struct view value = value_of(scan, from, until);
    bool is_tight = (mark == '=' && !key->is_spaced) || key->is_quoted;
    scan->redactor->steps += value.len < LOOKED_AT ? value.len : LOOKED_AT;
    if (value.len == 0 || is_no_secret(value) || is_code(value)
        || (name->kind == REDACT_PASSWORD && is_path(value)))
        return false;
    bool is_meant = is_tight || (begins_line(scan, key) && ends_line(scan, until));
    bool is_secret = is_meant                        ? is_strict_enough(name, value)
                     : name->kind == REDACT_PASSWORD ? is_no_word(value)
                                                     : value.len >= name->min && is_random(value);
    return is_secret && accept(scan, from, until, name->kind, out);
}

enum { MOST_PHRASE = 256, MOST_QUOTED = 8192 };

/*
 * Where a quoted value ends, 0 when it does not on its line: at a quote with as many backslashes as the
 * first has, and a whole number of escaped ones in front of them.
 */
static size_t end_of_quoted(struct redact_scan *scan, size_t from, char quote, size_t slashes,
                            size_t max)
{
    size_t run = 0;
    for (size_t at = from; at < scan->all.len && at - from < max; at++) {
        char c = scan->all.at[at];
        scan->redactor->steps++;
        if (c == '\n')
            return 0;
        if (c == quote && run >= slashes && (run - slashes) % (2 * (slashes + 1)) == 0)
            return at - slashes;
        run = c == '\\' ? run + 1 : 0;
    }
    return 0;
}

/* Of a value whose ends are certain. */
static bool is_whole_secret(struct redact_scan *scan, const struct name *name, struct view value)
{
    scan->redactor->steps += value.len < LOOKED_AT ? value.len : LOOKED_AT;
    return value.len > 0 && !is_no_secret(value) && !redact_is_space(value.at[0])
           && (name->kind == REDACT_PASSWORD || !has_one_of(value, " \t"))
           && is_strict_enough(name, value);
}

/* Where a value behind an opening quote ends; an end that is lost leaves what an unquoted one has. */
static bool find_quoted(struct redact_scan *scan, const struct name *name, size_t from,
                        size_t slashes, struct redact_found *out)
{
    bool is_phrase = name->kind == REDACT_PASSWORD;
    size_t until = end_of_quoted(scan, from, scan->all.at[from - 1], slashes,
                                 is_phrase ? MOST_PHRASE : MOST_QUOTED);
    if (until == 0)
        until = end_of_run(scan, from);
    return is_whole_secret(scan, name, value_of(scan, from, until))
           && accept(scan, from, until, name->kind, out);
}

/* Letters and digits mixed, or the marks of base64. */
static bool is_credential(struct view value)
{
    bool is_mixed = value.len > 1 && has(view_skip(value, 1), UPPER) && has(value, LOWER);
    return value.len >= 6 && (has(value, DIGIT) || has_one_of(value, "=+") || is_mixed);
}

static size_t end_of_line(struct redact_scan *scan, size_t from, size_t max)
{
    size_t until = from;
    while (until < scan->all.len && until - from < max && scan->all.at[until] != '\n'
           && scan->all.at[until] != '\r'
           && !(scan->all.at[until] == '\\' && redact_byte(scan, until + 1) == 'n'))
        until++;
    scan->redactor->steps += until - from;
    return until;
}

/* "Bearer …", "Basic …"; the scheme stays. */
static bool find_authorization(struct redact_scan *scan, size_t from, struct redact_found *out)
{
    size_t len = redact_run(scan, from, NAME, LOOKED_AT);
    struct view scheme = value_of(scan, from, from + len);
    for (size_t i = 0; i < COUNT_OF(schemes) && redact_byte(scan, from + len) == ' '; i++) {
        size_t at = from + len + 1;
        if (!view_equal_fold(scheme, schemes[i]))
            continue;
        bool is_whole = i + WHOLE_LINE_SCHEMES >= COUNT_OF(schemes);
        size_t until = is_whole ? end_of_line(scan, at, LOOKED_AT) : end_of_run(scan, at);
        struct view value = value_of(scan, at, until);
        if (is_no_secret(value) || !is_credential(value))
            return false;
        until = is_whole ? end_of_line(scan, at, scan->all.len) : until;
        return accept(scan, at, until, REDACT_AUTHORIZATION, out);
    }
    size_t until = end_of_run(scan, from);
    struct view value = value_of(scan, from, until);
    return !is_no_secret(value) && !is_code(value) && is_random(value)
           && accept(scan, from, until, REDACT_AUTHORIZATION, out);
}

static bool find_assigned(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    struct key key;
    char mark = scan->all.at[at];
    char next = redact_byte(scan, at + 1);
    if ((mark == ':' && (next == ':' || next == '=')) || (mark == '=' && next == '=')
        || !read_key(scan, at, &key))
        return false;
    size_t from = at + 1 + (mark == '=' && next == '>');
    for (int i = 0; i < BLANKS && is_blank(redact_byte(scan, from)); i++) {
        from++;
        key.is_spaced = true;
    }
    size_t slashes = 0;
    while (slashes < BLANKS && redact_byte(scan, from + slashes) == '\\')
        slashes++;
    bool is_quoted = is_quote(redact_byte(scan, from + slashes));
    from += is_quoted ? slashes + 1 : 0;
    if (is_label(view_skip(scan->all, from)) || from >= scan->all.len)
        return false;
    if (key.name->strictness == HEADER)
        return find_authorization(scan, from, out);
    return is_quoted ? find_quoted(scan, key.name, from, slashes, out)
                     : find_unquoted(scan, &key, mark, from, out);
}

/* "<password>…</password>" */
static bool find_element(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    size_t from = at;
    while (from > 0 && at - from < NAME_SEEN && redact_is_of(before(scan, from), NAME))
        from--;
    if (from == 0 || from == at || before(scan, from) != '<')
        return false;
    const struct name *name = name_of(scan, from, at);
    if (name == NULL || name->strictness == HEADER || at + 1 >= scan->all.len)
        return false;
    size_t until = end_of_run(scan, at + 1);
    struct view value = value_of(scan, at + 1, until);
    return value.len > 0 && redact_byte(scan, until) == '<' && !is_no_secret(value)
           && is_strict_enough(name, value) && accept(scan, at + 1, until, name->kind, out);
}

/* "scheme://user:password@host": between the first ':' and the last '@' in front of the path. */
static bool find_in_url(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    size_t from = at + 3;
    size_t colon = 0;
    size_t host = 0;
    size_t i = from;
    for (; i < scan->all.len && strchr("/?#\"'<>`\\ \t\r\n", scan->all.at[i]) == NULL; i++) {
        if (scan->all.at[i] == ':' && colon == 0)
            colon = i;
        if (scan->all.at[i] == '@' && colon > 0)
            host = i;
    }
    scan->redactor->steps += i - from + 1;
    if (host <= colon + 1 || is_label(view_skip(scan->all, from))
        || !redact_is_of(before(scan, at), ALNUM))
        return false;
    return !is_no_secret(value_of(scan, colon + 1, host))
           && accept(scan, colon + 1, host, REDACT_URL_PASSWORD, out);
}

bool redact_find_named(struct redact_scan *scan, size_t at, struct redact_found *out)
{
    if (scan->all.at[at] == '>')
        return find_element(scan, at, out);
    if (view_starts(view_skip(scan->all, at), VIEW("://")))
        return find_in_url(scan, at, out);
    return find_assigned(scan, at, out);
}

bool redact_find_value(struct redact_scan *scan, struct view name, struct redact_found *out)
{
    size_t seen = name.len < NAME_SEEN ? name.len : NAME_SEEN;
    const struct redact_scan key = { .redactor = scan->redactor,
                                     .all = view_skip(name, name.len - seen) };
    const struct name *row = name_of(&key, 0, seen);
    if (row == NULL || scan->all.len == 0)
        return false;
    if (row->strictness == HEADER)
        return find_authorization(scan, 0, out);
    return !(row->kind == REDACT_PASSWORD && scan->all.len > MOST_PHRASE)
           && is_whole_secret(scan, row, scan->all)
           && accept(scan, 0, scan->all.len, row->kind, out);
}
