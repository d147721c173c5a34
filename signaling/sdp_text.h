/* Stretches of a text that somebody else owns: cutting words off, reading numbers, comparing. What
 * the SDP parsers are made of; nothing here needs or looks for a NUL. */
#ifndef SIGNALING_SDP_TEXT_H
#define SIGNALING_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sig_sdp_text {
    const char *at;
    size_t len; /* 0: empty; at is then not looked at. */
};

/* For printf's "%.*s". */
#define SIG_SDP_PRINT(text) (int)(text).len, (text).at

bool sig_sdp_text_is(struct sig_sdp_text text, const char *word);
bool sig_sdp_text_is_any_case(struct sig_sdp_text text, const char *word);
bool sig_sdp_text_equal(struct sig_sdp_text a, struct sig_sdp_text b);

/* Cuts the front off rest, up to and with the next separator, and returns it without the separator;
 * all of rest when there is none. */
struct sig_sdp_text sig_sdp_text_cut(struct sig_sdp_text *rest, char separator);

/* Cuts the next line off rest and returns it without its end, which is LF or CRLF. */
struct sig_sdp_text sig_sdp_text_cut_line(struct sig_sdp_text *rest);

/* Cuts the next word off rest: blanks before it are passed over. Empty at the end. */
struct sig_sdp_text sig_sdp_text_word(struct sig_sdp_text *rest);

/* Without blanks at both ends. */
struct sig_sdp_text sig_sdp_text_trim(struct sig_sdp_text text);

/* Reads a decimal number of at most max, nothing but digits; false and *out untouched otherwise. */
bool sig_sdp_text_number(struct sig_sdp_text text, uint32_t max, uint32_t *out);

/* Reads a hexadecimal number of exactly `digits` (at most 8) digits. */
bool sig_sdp_text_hex(struct sig_sdp_text text, size_t digits, uint32_t *out);

/* Whether it is a token of RFC 8866 section 9, which is never empty. */
bool sig_sdp_text_is_token(struct sig_sdp_text text);

/* Whether it is 1 to SIZE_MAX characters of ice-char: letters, digits, "+", "/" (RFC 8839).
 * Browsers of today also send "-" and "_", so these are taken too. */
bool sig_sdp_text_is_ice(struct sig_sdp_text text);

/* Copies to out with a NUL; false and untouched when it does not fit into capacity bytes. */
bool sig_sdp_text_copy(char *out, size_t capacity, struct sig_sdp_text text);

#endif
