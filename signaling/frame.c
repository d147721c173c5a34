#include "signaling/frame.h"

#include <stdlib.h>
#include <string.h>

#define FIN_TEXT 0x81
#define LEN_16 126
#define LEN_64 127

static size_t write_header(uint8_t *out, size_t len) {
    size_t extra = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;
    out[0] = FIN_TEXT;
    out[1] = (uint8_t)(extra == 0 ? len : extra == 2 ? LEN_16 : LEN_64);
    for (size_t i = 0; i < extra; i++)
        out[2 + i] = (uint8_t)((uint64_t)len >> 8 * (extra - 1 - i));
    return 2 + extra;
}

struct sig_frame *sig_frame_create(const char *text, size_t len) {
    struct sig_frame *frame = malloc(sizeof(*frame) + SIG_FRAME_HEADER_MAX + len + 1);
    if (!frame)
        return NULL;
    frame->holders = 1;
    frame->header_len = write_header(frame->bytes, len);
    frame->text_len = len;
    if (len > 0)
        memcpy(frame->bytes + frame->header_len, text, len);
    frame->bytes[frame->header_len + len] = '\0';
    return frame;
}

struct sig_frame *sig_frame_of_json(json_t *value) {
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    struct sig_frame *frame = text ? sig_frame_create(text, strlen(text)) : NULL;
    free(text);
    json_decref(value);
    return frame;
}

struct sig_frame *sig_frame_hold(struct sig_frame *frame) {
    frame->holders++;
    return frame;
}

void sig_frame_release(struct sig_frame *frame) {
    if (frame && --frame->holders == 0)
        free(frame);
}
