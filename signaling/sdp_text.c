/* Stretches of text: see the header. */
#include "signaling/sdp_text.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool consists_of(struct sig_sdp_text text, const char *besides_alnum) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\0' || (!is_alnum(c) && strchr(besides_alnum, c) == NULL))
            return false;
    }
    return text.len > 0;
}

bool sig_sdp_text_is(struct sig_sdp_text text, const char *word) {
    size_t len = strlen(word);
    return text.len == len && (len == 0 || memcmp(text.at, word, len) == 0);
}

bool sig_sdp_text_is_any_case(struct sig_sdp_text text, const char *word) {
    size_t len = strlen(word);
    return text.len == len && (len == 0 || strncasecmp(text.at, word, len) == 0);
}

bool sig_sdp_text_equal(struct sig_sdp_text a, struct sig_sdp_text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct sig_sdp_text sig_sdp_text_cut(struct sig_sdp_text *rest, char separator) {
    struct sig_sdp_text front = *rest;
    const char *end = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    if (end == NULL) {
        rest->len = 0;
        return front;
    }
    front.len = (size_t)(end - rest->at);
    rest->at = end + 1;
    rest->len -= front.len + 1;
    return front;
}

struct sig_sdp_text sig_sdp_text_cut_line(struct sig_sdp_text *rest) {
    struct sig_sdp_text line = sig_sdp_text_cut(rest, '\n');
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

struct sig_sdp_text sig_sdp_text_word(struct sig_sdp_text *rest) {
    while (rest->len > 0 && rest->at[0] == ' ') {
        rest->at++;
        rest->len--;
    }
    return sig_sdp_text_cut(rest, ' ');
}

struct sig_sdp_text sig_sdp_text_trim(struct sig_sdp_text text) {
    while (text.len > 0 && text.at[0] == ' ') {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && text.at[text.len - 1] == ' ')
        text.len--;
    return text;
}

bool sig_sdp_text_number(struct sig_sdp_text text, uint32_t max, uint32_t *out) {
    uint64_t value = 0;
    if (text.len == 0 || text.len > 10)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i]))
            return false;
        value = value * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

static int hex_digit(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool sig_sdp_text_hex(struct sig_sdp_text text, size_t digits, uint32_t *out) {
    uint32_t value = 0;
    if (text.len != digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

bool sig_sdp_text_is_token(struct sig_sdp_text text) {
    return consists_of(text, "!#$%&'*+-.^_`{|}~");
}

bool sig_sdp_text_is_ice(struct sig_sdp_text text) {
    return consists_of(text, "+/-_");
}

bool sig_sdp_text_copy(char *out, size_t capacity, struct sig_sdp_text text) {
    if (text.len >= capacity)
        return false;
    if (text.len > 0)
        memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return true;
}
