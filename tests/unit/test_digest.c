/* Comparing secrets, and base64 against vectors that another implementation (Python's) made. */
#include "base/digest.h"

#include "base/arena.h"
#include "unit/check.h"

/* clang-format off */
#define BYTES_OF(literal) { (literal), sizeof(literal) - 1 }
/* clang-format on */

/* --- tables ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct view secret, presented;
    bool are_same;
} secrets[] = {
    { "same", BYTES_OF("s3cret"), BYTES_OF("s3cret"), true },
    { "first differs", BYTES_OF("s3cret"), BYTES_OF("S3cret"), false },
    { "last differs", BYTES_OF("s3cret"), BYTES_OF("s3creT"), false },
    { "shorter", BYTES_OF("s3cret"), BYTES_OF("s3cre"), false },
    { "longer", BYTES_OF("s3cret"), BYTES_OF("s3cret "), false },
    { "nothing presented", BYTES_OF("s3cret"), BYTES_OF(""), false },
    { "absent", BYTES_OF("s3cret"), { 0 }, false },
    { "no secret", { 0 }, BYTES_OF("s3cret"), false },
    { "two empty ones", BYTES_OF(""), BYTES_OF(""), true },
    { "empty and absent", BYTES_OF(""), { 0 }, true },
    { "NUL within, same", BYTES_OF("a\0b"), BYTES_OF("a\0b"), true },
    { "NUL within, different behind", BYTES_OF("a\0b"), BYTES_OF("a\0c"), false },
    { "NUL at the end", BYTES_OF("a"), BYTES_OF("a\0"), false },
    { "not UTF-8", BYTES_OF("\xFF\x80"), BYTES_OF("\xFF\x80"), true },
};

static const struct {
    struct view encoded, decoded;
} sound[] = {
    { BYTES_OF("Zg=="), BYTES_OF("f") },
    { BYTES_OF("Zm8="), BYTES_OF("fo") },
    { BYTES_OF("Zm9v"), BYTES_OF("foo") },
    { BYTES_OF("Zm9vYg=="), BYTES_OF("foob") },
    { BYTES_OF("Zm9vYmE="), BYTES_OF("fooba") },
    { BYTES_OF("Zm9vYmFy"), BYTES_OF("foobar") },
    { BYTES_OF("AAAA"), BYTES_OF("\0\0\0") },
    { BYTES_OF("AA=="), BYTES_OF("\0") },
    { BYTES_OF("+/+/"), BYTES_OF("\xFB\xFF\xBF") },
    { BYTES_OF("/w=="), BYTES_OF("\xFF") },
    { BYTES_OF("dXNlcjpwYXNz"), BYTES_OF("user:pass") },
};

static const struct {
    struct view key, message;
    const char *mac;
} macs[] = {
    { BYTES_OF(""), BYTES_OF(""), "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0=" },
    { { 0 }, { 0 }, "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0=" },
    { BYTES_OF("key"), BYTES_OF("The quick brown fox jumps over the lazy dog"),
      "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=" },
    { BYTES_OF("\0\1\2\xFF"), BYTES_OF("a\0b"), "HGTyYF2bbyqzuTlde/3fzwi301q/nOMHZzGEtwhpv84=" },
    { BYTES_OF("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
               "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"),
      BYTES_OF("long key"), "WQPu3v4Luj8VtlhxXkHXHxhIc5vd8Z5JfpaN9XI9zVY=" },
};

static const struct view junk[] = {
    BYTES_OF(""),
    BYTES_OF("Z"),
    BYTES_OF("Zg"),
    BYTES_OF("Zg="),
    BYTES_OF("Zm8"),
    BYTES_OF("Zm9vY"),
    BYTES_OF("Zm9vYg="),
    BYTES_OF("Zm9v===="),
    BYTES_OF("===="),
    BYTES_OF("Z==="),
    BYTES_OF("=Zg="),
    BYTES_OF("Z=g="),
    BYTES_OF("Zg==Zg=="),
    BYTES_OF("Zm9v\n"),
    BYTES_OF("Zm9v    "),
    BYTES_OF("    Zm9v"),
    BYTES_OF("Zg==\n\n\n\n"),
    BYTES_OF("Zm9v----"),
    BYTES_OF("Zm9v\r\n\r\n"),
    BYTES_OF("Zm 9"),
    BYTES_OF("Zm-_"),
    BYTES_OF("Zm9\0"),
    BYTES_OF("\0\0\0\0"),
    BYTES_OF("Zm9\xFF"),
    BYTES_OF("Zm9*"),
    BYTES_OF("%3D%"),
    BYTES_OF("Zm9v,Zm9v"),
    BYTES_OF("Zm9vZm9v!!!!"),
};

/* Row n - 1: n bytes, byte i of them being n * 31 + i * 37 + 11. */
static const char *const vectors[] = {
    "Kg==",
    "SW4=",
    "aI2y",
    "h6zR9g==",
    "psvwFTo=",
    "xeoPNFl+",
    "5AkuU3idwg==",
    "AyhNcpe84QY=",
    "IkdskbbbACVK",
    "QWaLsNX6H0Rpjg==",
    "YIWqz/QZPmOIrdI=",
    "f6TJ7hM4XYKnzPEW",
    "nsPoDTJXfKHG6xA1Wg==",
    "veIHLFF2m8DlCi9UeZ4=",
    "3AEmS3CVut8EKU5zmL3i",
    "+yBFao+02f4jSG2St9wBJg==",
    "Gj9kia7T+B1CZ4yx1vsgRWo=",
    "OV6DqM3yFzxhhqvQ9Ro/ZImu",
    "WH2ix+wRNluApcrvFDleg6jN8g==",
    "d5zB5gswVXqfxOkOM1h9osfsETY=",
    "lrvgBSpPdJm+4wgtUnecweYLMFV6",
    "tdr/JEluk7jdAidMcZa74AUqT3SZvg==",
    "1PkeQ2iNstf8IUZrkLXa/yRJbpO43QI=",
    "8xg9Yoes0fYbQGWKr9T5HkNojbLX/CFG",
    "EjdcgabL8BU6X4SpzvMYPWKHrNH2G0Blig==",
    "MVZ7oMXqDzRZfqPI7RI3XIGmy/AVOl+Eqc4=",
    "UHWav+QJLlN4ncLnDDFWe6DF6g80WX6jyO0S",
    "b5S53gMoTXKXvOEGK1B1mr/kCS5TeJ3C5wwxVg==",
    "jrPY/SJHbJG22wAlSm+Uud4DKE1yl7zhBitQdZo=",
    "rdL3HEFmi7DV+h9EaY6z2P0iR2yRttsAJUpvlLne",
    "zPEWO2CFqs/0GT5jiK3S9xxBZouw1fofRGmOs9j9Ig==",
    "6xA1Wn+kye4TOF2Cp8zxFjtgharP9Bk+Y4it0vccQWY=",
    "Ci9UeZ7D6A0yV3yhxusQNVp/pMnuEzhdgqfM8RY7YIWq",
    "KU5zmL3iByxRdpvA5QovVHmew+gNMld8ocbrEDVaf6TJ7g==",
    "SG2St9wBJktwlbrfBClOc5i94gcsUXabwOUKL1R5nsPoDTI=",
    "Z4yx1vsgRWqPtNn+I0htkrfcASZLcJW63wQpTnOYveIHLFF2",
    "hqvQ9Ro/ZImu0/gdQmeMsdb7IEVqj7TZ/iNIbZK33AEmS3CVug==",
    "pcrvFDleg6jN8hc8YYar0PUaP2SJrtP4HUJnjLHW+yBFao+02f4=",
    "xOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGGq9D1Gj9kia7T+B1C",
    "4wgtUnecweYLMFV6n8TpDjNYfaLH7BE2W4Clyu8UOV6DqM3yFzxhhg==",
    "AidMcZa74AUqT3SZvuMILVJ3nMHmCzBVep/E6Q4zWH2ix+wRNluApco=",
    "IUZrkLXa/yRJbpO43QInTHGWu+AFKk90mb7jCC1Sd5zB5gswVXqfxOkO",
    "QGWKr9T5HkNojbLX/CFGa5C12v8kSW6TuN0CJ0xxlrvgBSpPdJm+4wgtUg==",
    "X4SpzvMYPWKHrNH2G0Bliq/U+R5DaI2y1/whRmuQtdr/JEluk7jdAidMcZY=",
    "fqPI7RI3XIGmy/AVOl+Eqc7zGD1ih6zR9htAZYqv1PkeQ2iNstf8IUZrkLXa",
    "ncLnDDFWe6DF6g80WX6jyO0SN1yBpsvwFTpfhKnO8xg9Yoes0fYbQGWKr9T5Hg==",
    "vOEGK1B1mr/kCS5TeJ3C5wwxVnugxeoPNFl+o8jtEjdcgabL8BU6X4SpzvMYPWI=",
    "2wAlSm+Uud4DKE1yl7zhBitQdZq/5AkuU3idwucMMVZ7oMXqDzRZfqPI7RI3XIGm",
    "+h9EaY6z2P0iR2yRttsAJUpvlLneAyhNcpe84QYrUHWav+QJLlN4ncLnDDFWe6DF6g==",
    "GT5jiK3S9xxBZouw1fofRGmOs9j9IkdskbbbACVKb5S53gMoTXKXvOEGK1B1mr/kCS4=",
    "OF2Cp8zxFjtgharP9Bk+Y4it0vccQWaLsNX6H0RpjrPY/SJHbJG22wAlSm+Uud4DKE1y",
    "V3yhxusQNVp/pMnuEzhdgqfM8RY7YIWqz/QZPmOIrdL3HEFmi7DV+h9EaY6z2P0iR2yRtg==",
    "dpvA5QovVHmew+gNMld8ocbrEDVaf6TJ7hM4XYKnzPEWO2CFqs/0GT5jiK3S9xxBZouw1fo=",
    "lbrfBClOc5i94gcsUXabwOUKL1R5nsPoDTJXfKHG6xA1Wn+kye4TOF2Cp8zxFjtgharP9Bk+",
    "tNn+I0htkrfcASZLcJW63wQpTnOYveIHLFF2m8DlCi9UeZ7D6A0yV3yhxusQNVp/pMnuEzhdgg==",
    "0/gdQmeMsdb7IEVqj7TZ/iNIbZK33AEmS3CVut8EKU5zmL3iByxRdpvA5QovVHmew+gNMld8ocY=",
    "8hc8YYar0PUaP2SJrtP4HUJnjLHW+yBFao+02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXabwOUK",
    "ETZbgKXK7xQ5XoOozfIXPGGGq9D1Gj9kia7T+B1CZ4yx1vsgRWqPtNn+I0htkrfcASZLcJW63wQpTg==",
    "MFV6n8TpDjNYfaLH7BE2W4Clyu8UOV6DqM3yFzxhhqvQ9Ro/ZImu0/gdQmeMsdb7IEVqj7TZ/iNIbZI=",
    "T3SZvuMILVJ3nMHmCzBVep/E6Q4zWH2ix+wRNluApcrvFDleg6jN8hc8YYar0PUaP2SJrtP4HUJnjLHW",
    "bpO43QInTHGWu+AFKk90mb7jCC1Sd5zB5gswVXqfxOkOM1h9osfsETZbgKXK7xQ5XoOozfIXPGGGq9D1Gg==",
    "jbLX/CFGa5C12v8kSW6TuN0CJ0xxlrvgBSpPdJm+4wgtUnecweYLMFV6n8TpDjNYfaLH7BE2W4Clyu8UOV4=",
    "rNH2G0Bliq/U+R5DaI2y1/whRmuQtdr/JEluk7jdAidMcZa74AUqT3SZvuMILVJ3nMHmCzBVep/E6Q4zWH2i",
    "y/AVOl+Eqc7zGD1ih6zR9htAZYqv1PkeQ2iNstf8IUZrkLXa/yRJbpO43QInTHGWu+AFKk90mb7jCC1Sd5zB5g==",
};

/* --- tests ------------------------------------------------------------------------------------ */

static void secrets_are_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        CHECK(secrets[i].name,
              digest_same(secrets[i].secret, secrets[i].presented) == secrets[i].are_same);
        CHECK(secrets[i].name,
              digest_same(secrets[i].presented, secrets[i].secret) == secrets[i].are_same);
    }
}

static void secrets_of_all_lengths_are_compared(void **state)
{
    (void)state;
    char a[300];
    char b[301];
    memset(a, 'k', sizeof a);
    memset(b, 'k', sizeof b);
    for (size_t len = 0; len < sizeof a; len++) {
        assert_true(digest_same((struct view){ a, len }, (struct view){ b, len }));
        assert_false(digest_same((struct view){ a, len }, (struct view){ b, len + 1 }));
        b[len / 2] = 'x';
        assert_int_equal(digest_same((struct view){ a, len }, (struct view){ b, len }), len == 0);
        b[len / 2] = 'k';
    }
}

static void sound_base64_is_decoded(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 64 * 1024);
    for (size_t i = 0; i < COUNT_OF(sound); i++) {
        struct view out = { 0 };
        CHECK(sound[i].encoded.at, base64_decode(sound[i].encoded, &mem, &out));
        CHECK_VIEW(sound[i].encoded.at, out, sound[i].decoded);
    }
    arena_drop(&mem);
}

static void junk_is_not_base64(void **state)
{
    (void)state;
    struct arena mem;
    arena_init(&mem, 64 * 1024);
    int wrong = 0;
    for (size_t i = 0; i < COUNT_OF(junk); i++) {
        struct view out = { 0 };
        if (!base64_decode(junk[i], &mem, &out))
            continue;
        print_error("\"%.*s\" is taken for %zu bytes\n", (int)junk[i].len, junk[i].at, out.len);
        wrong++;
    }
    struct view out = { 0 };
    assert_false(base64_decode((struct view){ 0 }, &mem, &out));
    assert_int_equal(wrong, 0);
    arena_drop(&mem);
}

static void every_length_is_encoded(void **state)
{
    (void)state;
    for (size_t len = 0; len <= COUNT_OF(vectors); len++) {
        unsigned char bytes[COUNT_OF(vectors)];
        char buffer[128];
        struct text text = text_over(buffer, sizeof buffer);
        const char *wanted = len == 0 ? "" : vectors[len - 1];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)(len * 31 + i * 37 + 11);
        base64_add(&text, (struct view){ (const char *)bytes, len });
        CHECK_VIEW(wanted, text_view(&text), view_of(wanted));
    }
}

/* Across the steps in which it is done. */
static void long_bytes_come_back(void **state)
{
    (void)state;
    static char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * i + i / 256);
    for (size_t len = 700; len < sizeof bytes; len += 17) {
        struct arena mem;
        arena_init(&mem, 64 * 1024);
        struct text text = text_in(&mem, 16 * 1024);
        struct view out = { 0 };
        base64_add(&text, (struct view){ bytes, len });
        assert_true(text_ok(&text) && base64_decode(text_view(&text), &mem, &out));
        CHECK_VIEW("long", out, ((struct view){ bytes, len }));
        arena_drop(&mem);
    }
}

static void messages_are_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(macs); i++) {
        char buffer[64];
        struct text text = text_over(buffer, sizeof buffer);
        digest_add_hmac(&text, macs[i].key, macs[i].message);
        CHECK_VIEW(macs[i].mac, text_view(&text), view_of(macs[i].mac));
    }
}

static void every_length_is_decoded(void **state)
{
    (void)state;
    for (size_t len = 1; len <= COUNT_OF(vectors); len++) {
        unsigned char wanted[COUNT_OF(vectors)];
        struct view out = { 0 };
        struct arena mem;
        arena_init(&mem, 1024);
        for (size_t i = 0; i < len; i++)
            wanted[i] = (unsigned char)(len * 31 + i * 37 + 11);
        CHECK(vectors[len - 1], base64_decode(view_of(vectors[len - 1]), &mem, &out));
        CHECK_VIEW(vectors[len - 1], out, ((struct view){ (const char *)wanted, len }));
        arena_drop(&mem);
    }
}

static void decoding_takes_its_room_from_the_arena(void **state)
{
    (void)state;
    struct view encoded = view_of(vectors[COUNT_OF(vectors) - 1]);
    bool is_done = false;
    for (size_t ceiling = 0; !is_done; ceiling += ARENA_ALIGN) {
        struct arena mem;
        struct view out = { 0 };
        arena_init(&mem, ceiling);
        is_done = base64_decode(encoded, &mem, &out);
        assert_int_equal(out.len, is_done ? COUNT_OF(vectors) : 0);
        assert_true(ceiling <= 128);
        arena_drop(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_compared),
        cmocka_unit_test(secrets_of_all_lengths_are_compared),
        cmocka_unit_test(sound_base64_is_decoded),
        cmocka_unit_test(junk_is_not_base64),
        cmocka_unit_test(every_length_is_decoded),
        cmocka_unit_test(every_length_is_encoded),
        cmocka_unit_test(long_bytes_come_back),
        cmocka_unit_test(messages_are_signed),
        cmocka_unit_test(decoding_takes_its_room_from_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
