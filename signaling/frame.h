/* A text message as it goes over WebSockets, header and all: written once, however many are told
 * it, and shared by reference. All on the loop's thread. */
#ifndef SIGNALING_FRAME_H
#define SIGNALING_FRAME_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Of an unmasked frame with any length (RFC 6455 section 5.2). */
#define SIG_FRAME_HEADER_MAX 10

struct sig_frame {
    size_t holders;
    size_t header_len;
    size_t text_len;
    uint8_t bytes[]; /* The header, the text, and a NUL that is not sent. */
};

/* With one holder; NULL without memory. */
struct sig_frame *sig_frame_create(const char *text, size_t len);

/* Of a JSON value, whose reference is taken over; NULL also for what is no JSON. */
struct sig_frame *sig_frame_of_json(json_t *value);

/* Pairs: one more holder and one less. The last one frees it; NULL is fine. */
struct sig_frame *sig_frame_hold(struct sig_frame *frame);
void sig_frame_release(struct sig_frame *frame);

static inline const char *sig_frame_text(const struct sig_frame *frame) {
    return (const char *)frame->bytes + frame->header_len;
}

/* What goes over the wire. */
static inline size_t sig_frame_size(const struct sig_frame *frame) {
    return frame->header_len + frame->text_len;
}

#endif
