/* The header of a stream whose packets differ in numbers only: written once by rtp_header_write,
 * then copied, with the numbers put where they belong. */
#ifndef RTP_HEADER_TEMPLATE_H
#define RTP_HEADER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rtp/bytes.h"
#include "rtp/rtp.h"

enum {
    /* Those of one length. */
    RTP_TEMPLATE_EXTENSIONS = 1 << RTP_EXT_AUDIO_LEVEL | 1 << RTP_EXT_ABS_SEND_TIME |
                              1 << RTP_EXT_TRANSPORT_SEQ | 1 << RTP_EXT_ROTATION,
    RTP_TEMPLATE_MAX = 32, /* A header with all of them. */
};

/* Zero-initialise. */
struct rtp_template {
    uint32_t present; /* Which extensions were asked for. */
    uint8_t len;      /* 0: not prepared. */
    /* Where the values stand, 0: nowhere. */
    uint8_t audio_level, abs_send_time, transport_seq, rotation;
    uint8_t bytes[RTP_TEMPLATE_MAX];
};

struct rtp_template_values {
    uint8_t audio_level;
    bool voice;
    uint8_t rotation;
    uint16_t transport_seq;
    uint32_t abs_send_time;
};

static inline bool rtp_template_fits(const struct rtp_template *template, uint32_t present) {
    return template->len != 0 && template->present == present;
}

/* Prepares headers of this SSRC with these extensions, as bits 1 << enum rtp_ext; false, and
 * nothing is prepared, for others than RTP_TEMPLATE_EXTENSIONS. */
bool rtp_template_prepare(struct rtp_template *template, uint32_t ssrc, uint32_t present,
                          const struct rtp_ext_map *map);

/* Writes what rtp_header_write would, to out of capacity at least RTP_TEMPLATE_MAX; the SSRC is the
 * template's. Returns the length. */
static inline size_t rtp_template_write(const struct rtp_template *template,
                                        const struct rtp_header *header,
                                        const struct rtp_template_values *values, uint8_t *out) {
    memcpy(out, template->bytes, RTP_TEMPLATE_MAX);
    out[1] = (uint8_t)(header->marker << 7 | (header->payload_type & 0x7f));
    rtp_put16(out + 2, header->seq);
    rtp_put32(out + 4, header->timestamp);
    if (template->audio_level != 0)
        out[template->audio_level] = (uint8_t)(values->voice << 7 | (values->audio_level & 0x7f));
    if (template->abs_send_time != 0)
        rtp_put24(out + template->abs_send_time, values->abs_send_time);
    if (template->transport_seq != 0)
        rtp_put16(out + template->transport_seq, values->transport_seq);
    if (template->rotation != 0)
        out[template->rotation] = values->rotation;
    return template->len;
}

#endif
