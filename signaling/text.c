/* Small questions about text that came from outside, and random identifiers. */
#include "signaling/text.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define USER_ID_BYTES_MAX 128
#define DISTANCE_LENGTH_MAX 63
#define RANDOM_BYTES_MAX 64

/* Decodes one character. Returns its length in bytes, 0 if it is not well-formed UTF-8 (RFC 3629:
 * no overlong forms, no surrogates). */
static size_t decode(const uint8_t *bytes, size_t len, uint32_t *code) {
    uint8_t lead = bytes[0];
    size_t size = lead < 0x80             ? 1
                  : (lead & 0xe0) == 0xc0 ? 2
                  : (lead & 0xf0) == 0xe0 ? 3
                  : (lead & 0xf8) == 0xf0 ? 4
                                          : 0;
    if (size == 0 || size > len)
        return 0;
    uint32_t value = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return size;
}

/* C0, DEL, C1, the line and paragraph separators, and the marks that turn the direction of the text
 * around, with which a name would rewrite what stands beside it. */
static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_blank(uint32_t code) {
    return code == ' ' || code == 0xa0 || (code >= 0x2000 && code <= 0x200d) || code == 0x202f ||
           code == 0x205f || code == 0x3000 || code == 0xfeff;
}

bool sig_text_is_name(const char *text, size_t len, size_t max_chars) {
    size_t chars = 0;
    bool seen = false;
    uint32_t code;
    for (size_t at = 0, size; at < len; at += size, chars++) {
        size = decode((const uint8_t *)text + at, len - at, &code);
        if (size == 0 || is_control(code))
            return false;
        seen = seen || !is_blank(code);
    }
    return seen && chars <= max_chars;
}

bool sig_text_is_user_id(const char *text) {
    size_t len = strlen(text);
    uint32_t code;
    if (len == 0 || len > USER_ID_BYTES_MAX)
        return false;
    for (size_t at = 0, size; at < len; at += size) {
        size = decode((const uint8_t *)text + at, len - at, &code);
        if (size == 0 || is_control(code) || is_blank(code))
            return false;
    }
    return true;
}

bool sig_text_is_uuid(const char *text) {
    static const char form[] = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    static const char digits[] = "0123456789abcdefABCDEF";
    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i]; i++) {
        bool fits = form[i] == 'x'   ? strchr(digits, text[i]) != NULL
                    : form[i] == 'v' ? strchr("89abAB", text[i]) != NULL
                                     : text[i] == form[i];
        if (!fits)
            return false;
    }
    return true;
}

bool sig_text_is_secret(const char *given, const char *secret) {
    if (given == NULL || secret == NULL)
        return false;
    size_t given_len = strlen(given);
    size_t secret_len = strlen(secret);
    /* Unequal lengths compare given with itself, to take as long. */
    const char *other = given_len == secret_len ? secret : given;
    return CRYPTO_memcmp(given, other, given_len) == 0 && given_len == secret_len;
}

void sig_text_random_hex(char *out, size_t bytes) {
    static const char digits[] = "0123456789abcdef";
    uint8_t random[RANDOM_BYTES_MAX];
    /* Without randomness no secret can be made, and nothing sensible can go on. */
    if (bytes > sizeof(random) || RAND_bytes(random, (int)bytes) != 1)
        abort();
    for (size_t i = 0; i < bytes; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[2 * bytes] = '\0';
}

void sig_text_random_uuid(char out[static SIG_UUID_SIZE]) {
    char hex[33];
    sig_text_random_hex(hex, 16);
    hex[12] = '4';                                                  /* Version. */
    hex[16] = "89ab"[(hex[16] <= '9' ? hex[16] : hex[16] + 1) & 3]; /* Variant. */
    char *to = out;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *to++ = '-';
        *to++ = hex[i];
    }
    *to = '\0';
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Optimal string alignment: the three last rows of the table are enough. */
size_t sig_text_distance(const char *a, const char *b) {
    size_t rows[3][DISTANCE_LENGTH_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > DISTANCE_LENGTH_MAX || b_len > DISTANCE_LENGTH_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

uint64_t sig_text_hash(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash ^ hash >> 32;
}
