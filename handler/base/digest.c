/* OpenSSL's libcrypto behind a few questions. */
#include "base/digest.h"

#include "base/arena.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SHA256_BYTES = 32, SHOWN_BYTES = 8, BASE64_STEP = 768 };

static bool sha256(struct view bytes, unsigned char out[SHA256_BYTES])
{
    return EVP_Digest(bytes.at == NULL ? "" : bytes.at, bytes.len, out, NULL, EVP_sha256(), NULL)
           == 1;
}

/* Hashing first makes both sides equally long, so that the comparison cannot tell a length. */
bool digest_same(struct view secret, struct view presented)
{
    unsigned char a[SHA256_BYTES];
    unsigned char b[SHA256_BYTES];
    return sha256(secret, a) && sha256(presented, b) && CRYPTO_memcmp(a, b, sizeof a) == 0;
}

void digest_add_hex(struct text *to, struct view bytes)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_BYTES];
    if (!sha256(bytes, hash)) {
        to->broken = true;
        return;
    }
    for (size_t i = 0; i < SHOWN_BYTES; i++) {
        text_add_char(to, digits[hash[i] >> 4]);
        text_add_char(to, digits[hash[i] & 15]);
    }
}

void digest_add_hmac(struct text *to, struct view key, struct view message)
{
    unsigned char mac[SHA256_BYTES];
    unsigned int len = 0;
    if (key.len > INT_MAX
        || HMAC(EVP_sha256(), key.at == NULL ? "" : key.at, (int)key.len,
                (const unsigned char *)(message.at == NULL ? "" : message.at), message.len, mac,
                &len)
               == NULL
        || len != sizeof mac) {
        to->broken = true;
        return;
    }
    base64_add(to, (struct view){ (const char *)mac, sizeof mac });
}

void base64_add(struct text *to, struct view bytes)
{
    text_reserve(to, bytes.len / 3 * 4 + 4);
    while (bytes.len > 0) {
        unsigned char part[BASE64_STEP / 3 * 4 + 1]; /* the library adds a NUL */
        size_t taken = bytes.len < BASE64_STEP ? bytes.len : BASE64_STEP;
        int len = EVP_EncodeBlock(part, (const unsigned char *)bytes.at, (int)taken);
        text_add(to, (struct view){ (const char *)part, (size_t)len });
        bytes = view_skip(bytes, taken);
    }
}

/* EVP_DecodeBlock takes blanks and dashes too, and stops there. */
static bool is_base64(struct view encoded)
{
    size_t padding = 0;
    for (size_t i = 0; i < encoded.len; i++) {
        char c = encoded.at[i];
        bool is_digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                        || c == '+' || c == '/';
        padding += c == '=';
        if (c != '=' && (!is_digit || padding > 0))
            return false;
    }
    return encoded.len > 0 && encoded.len % 4 == 0 && padding <= 2;
}

bool base64_decode(struct view encoded, struct arena *mem, struct view *out)
{
    if (!is_base64(encoded) || encoded.len > INT_MAX)
        return false;
    unsigned char *bytes = arena_get(mem, encoded.len / 4 * 3 + 1);
    if (bytes == NULL)
        return false;
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)encoded.at, (int)encoded.len);
    if (len < 0)
        return false;
    /* EVP_DecodeBlock counts the padding as zero bytes. */
    for (size_t i = encoded.len; i > encoded.len - 2 && encoded.at[i - 1] == '='; i--)
        len--;
    *out = (struct view){ (const char *)bytes, (size_t)len };
    return true;
}
