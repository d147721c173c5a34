/* Building RTCP: every append reserves its whole packet first, so that one which does not fit
 * leaves the compound as it was. */
#include "rtp/rtcp.h"

#include "rtp/bytes.h"

#include <errno.h>
#include <string.h>

enum {
    HEADER_LEN = 4,
    FEEDBACK_LEN = 8,
    BLOCK_LEN = 24,
    COUNT_MAX = 31,
    NACK_PAIR_LEN = 4,
    SDES_CNAME = 1,
    SDES_TEXT_MAX = 255,
    REMB_MANTISSA_MAX = 0x3ffff,
};

void rtcp_builder_init(struct rtcp_builder *builder, uint8_t *data, size_t capacity) {
    *builder = (struct rtcp_builder){.data = data, .capacity = capacity};
}

/* How many bytes of body the next packet can have. */
static size_t body_room(const struct rtcp_builder *builder) {
    size_t room = builder->capacity - builder->len;
    return room < HEADER_LEN ? 0 : room - HEADER_LEN;
}

/* Appends a header for a body of body_len bytes, a multiple of 4; returns the body's place, or NULL
 * when it does not fit. */
static uint8_t *reserve(struct rtcp_builder *builder, uint8_t type, size_t count, size_t body_len) {
    size_t room = builder->capacity - builder->len;
    if (count > COUNT_MAX || body_len > 4 * (size_t)UINT16_MAX || room < HEADER_LEN ||
        room - HEADER_LEN < body_len)
        return NULL;
    uint8_t *packet = builder->data + builder->len;
    packet[0] = (uint8_t)(0x80 | count);
    packet[1] = type;
    rtp_put16(packet + 2, (uint16_t)(body_len / 4));
    builder->len += HEADER_LEN + body_len;
    return packet + HEADER_LEN;
}

static uint8_t *reserve_feedback(struct rtcp_builder *builder, uint8_t type, uint8_t fmt,
                                 uint32_t sender_ssrc, uint32_t media_ssrc, size_t fci_len) {
    uint8_t *body = reserve(builder, type, fmt, FEEDBACK_LEN + fci_len);
    if (body == NULL)
        return NULL;
    rtp_put32(body, sender_ssrc);
    rtp_put32(body + 4, media_ssrc);
    return body + FEEDBACK_LEN;
}

static int32_t clamp_24_bits(int32_t lost) {
    if (lost > 0x7fffff)
        return 0x7fffff;
    return lost < -0x800000 ? -0x800000 : lost;
}

static void write_blocks(uint8_t *out, const struct rtcp_report_block *blocks, size_t count) {
    for (size_t i = 0; i < count; i++, out += BLOCK_LEN) {
        rtp_put32(out, blocks[i].ssrc);
        out[4] = blocks[i].fraction_lost;
        rtp_put24(out + 5, (uint32_t)clamp_24_bits(blocks[i].cumulative_lost));
        rtp_put32(out + 8, blocks[i].highest_seq);
        rtp_put32(out + 12, blocks[i].jitter);
        rtp_put32(out + 16, blocks[i].last_sr);
        rtp_put32(out + 20, blocks[i].delay_since_last_sr);
    }
}

int rtcp_append_sr(struct rtcp_builder *builder, const struct rtcp_sender_info *info,
                   const struct rtcp_report_block *blocks, size_t count) {
    uint8_t *body = reserve(builder, RTCP_SR, count, 24 + count * BLOCK_LEN);
    if (body == NULL)
        return -EMSGSIZE;
    rtp_put32(body, info->ssrc);
    rtp_put64(body + 4, info->ntp);
    rtp_put32(body + 12, info->rtp_timestamp);
    rtp_put32(body + 16, info->packet_count);
    rtp_put32(body + 20, info->octet_count);
    write_blocks(body + 24, blocks, count);
    return 0;
}

int rtcp_append_rr(struct rtcp_builder *builder, uint32_t sender_ssrc,
                   const struct rtcp_report_block *blocks, size_t count) {
    uint8_t *body = reserve(builder, RTCP_RR, count, 4 + count * BLOCK_LEN);
    if (body == NULL)
        return -EMSGSIZE;
    rtp_put32(body, sender_ssrc);
    write_blocks(body + 4, blocks, count);
    return 0;
}

int rtcp_append_sdes(struct rtcp_builder *builder, uint32_t ssrc, const char *cname) {
    size_t cname_len = strlen(cname);
    if (cname_len > SDES_TEXT_MAX)
        return -EMSGSIZE;
    /* The SSRC, the item, and at least one zero to end the list. */
    size_t used = 4 + 2 + cname_len, body_len = (used | 3) + 1;
    uint8_t *body = reserve(builder, RTCP_SDES, 1, body_len);
    if (body == NULL)
        return -EMSGSIZE;
    rtp_put32(body, ssrc);
    body[4] = SDES_CNAME;
    body[5] = (uint8_t)cname_len;
    memcpy(body + 6, cname, cname_len);
    memset(body + used, 0, body_len - used);
    return 0;
}

int rtcp_append_bye(struct rtcp_builder *builder, uint32_t ssrc) {
    uint8_t *body = reserve(builder, RTCP_BYE, 1, 4);
    if (body == NULL)
        return -EMSGSIZE;
    rtp_put32(body, ssrc);
    return 0;
}

/* Takes the numbers from *taken on that one PID/BLP pair can name. */
static uint32_t nack_pair(const uint16_t *seqs, size_t count, size_t *taken) {
    uint16_t pid = seqs[(*taken)++];
    uint32_t blp = 0;
    for (; *taken < count; (*taken)++) {
        uint16_t distance = (uint16_t)(seqs[*taken] - pid);
        if (distance > 16)
            break;
        if (distance > 0)
            blp |= 1u << (distance - 1);
    }
    return (uint32_t)pid << 16 | blp;
}

int rtcp_append_nack(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *seqs, size_t count, size_t *written) {
    *written = 0;
    if (count == 0)
        return 0;
    size_t room = body_room(builder);
    size_t pairs_max = room < FEEDBACK_LEN ? 0 : (room - FEEDBACK_LEN) / NACK_PAIR_LEN;
    size_t pairs = 0, taken = 0;
    for (; pairs < pairs_max && taken < count; pairs++)
        nack_pair(seqs, count, &taken);
    uint8_t *fci = pairs == 0 ? NULL
                              : reserve_feedback(builder, RTCP_RTPFB, RTCP_FMT_NACK, sender_ssrc,
                                                 media_ssrc, pairs * NACK_PAIR_LEN);
    if (fci == NULL)
        return -EMSGSIZE;
    for (size_t i = 0; i < pairs; i++)
        rtp_put32(fci + i * NACK_PAIR_LEN, nack_pair(seqs, count, written));
    return 0;
}

int rtcp_append_pli(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc) {
    return rtcp_append_feedback(builder, RTCP_PSFB, RTCP_FMT_PLI, sender_ssrc, media_ssrc, NULL, 0);
}

int rtcp_append_fir(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc,
                    uint8_t command_seq) {
    /* RFC 5104 section 4.3.1.2: the media SSRC is in the entry, the common one is 0. */
    uint8_t *fci = reserve_feedback(builder, RTCP_PSFB, RTCP_FMT_FIR, sender_ssrc, 0, 8);
    if (fci == NULL)
        return -EMSGSIZE;
    rtp_put32(fci, media_ssrc);
    rtp_put32(fci + 4, (uint32_t)command_seq << 24);
    return 0;
}

int rtcp_append_remb(struct rtcp_builder *builder, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t count) {
    if (count > UINT8_MAX)
        return -EMSGSIZE;
    uint8_t *fci =
        reserve_feedback(builder, RTCP_PSFB, RTCP_FMT_APP, sender_ssrc, 0, 8 + 4 * count);
    if (fci == NULL)
        return -EMSGSIZE;
    uint32_t exponent = 0;
    while (bitrate_bps >> exponent > REMB_MANTISSA_MAX)
        exponent++;
    memcpy(fci, "REMB", 4);
    fci[4] = (uint8_t)count;
    rtp_put24(fci + 5, exponent << 18 | (uint32_t)(bitrate_bps >> exponent));
    for (size_t i = 0; i < count; i++)
        rtp_put32(fci + 8 + 4 * i, ssrcs[i]);
    return 0;
}

int rtcp_append_feedback(struct rtcp_builder *builder, uint8_t type, uint8_t fmt,
                         uint32_t sender_ssrc, uint32_t media_ssrc, const uint8_t *body,
                         size_t body_len) {
    if (body_len % 4 != 0)
        return -EINVAL;
    uint8_t *fci = reserve_feedback(builder, type, fmt, sender_ssrc, media_ssrc, body_len);
    if (fci == NULL)
        return -EMSGSIZE;
    if (body_len > 0)
        memcpy(fci, body, body_len);
    return 0;
}
