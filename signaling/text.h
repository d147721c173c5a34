/* Small questions about text that came from outside, and random identifiers. */
#ifndef SIGNALING_TEXT_H
#define SIGNALING_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A UUID as text with its NUL. */
#define SIG_UUID_SIZE 37

/* Whether the text is a display name: 1 to max_chars characters of UTF-8, no control characters,
 * and not blank from end to end. */
bool sig_text_is_name(const char *text, size_t len, size_t max_chars);

/* Whether the text is a user id: 1 to 128 bytes of UTF-8 without control characters or blanks. */
bool sig_text_is_user_id(const char *text);

/* Whether the text is a version 4 UUID in the 8-4-4-4-12 form, of either case (RFC 9562). */
bool sig_text_is_uuid(const char *text);

/* Compares in a time that depends on the length of given alone. Either may be NULL: unequal. */
bool sig_text_is_secret(const char *given, const char *secret);

/* Writes bytes*2 lower-case hexadecimal digits of randomness and a NUL to out. */
void sig_text_random_hex(char *out, size_t bytes);

/* Writes a fresh version 4 UUID. */
void sig_text_random_uuid(char out[static SIG_UUID_SIZE]);

/* For tables in memory: FNV-1a, its halves folded. */
uint64_t sig_text_hash(const char *text);

/* How many single-character insertions, removals, replacements and swaps of neighbours lie between
 * two words; words over 63 bytes are as far as can be (SIZE_MAX). */
size_t sig_text_distance(const char *a, const char *b);

#endif
