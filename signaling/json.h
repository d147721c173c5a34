/* JSON from outside: one strict door for HTTP bodies and WebSocket messages. */
#ifndef SIGNALING_JSON_H
#define SIGNALING_JSON_H

#include <jansson.h>
#include <stddef.h>

/* No message of the interface nests deeper; jansson's own limit of 2048 costs a deep stack. */
#define SIG_JSON_DEPTH_MAX 16

/* Parses one JSON object (RFC 8259) of len bytes, which need no NUL: UTF-8 only, duplicate names
 * refused, at most SIG_JSON_DEPTH_MAX levels, nothing after it. Returns a new reference, or NULL
 * with the reason in words in error (cut to error_size). */
json_t *sig_json_parse(const char *text, size_t len, char *error, size_t error_size);

/* The string member of an object, or NULL if there is none or it is no string. Borrowed. */
const char *sig_json_text(const json_t *object, const char *name);

#endif
