/* Reading RTCP. rtcp_next cuts a compound into packets whose bodies lie inside the datagram; every
 * reader below it checks the type and its own lengths again, so that it may be handed any packet.
 */
#include "rtp/rtcp.h"

#include "rtp/bytes.h"

#include <errno.h>
#include <string.h>

enum {
    HEADER_LEN = 4,
    SENDER_INFO_LEN = 24, /* With the SSRC. */
    BLOCK_LEN = 24,
    FEEDBACK_LEN = 8, /* The two SSRCs of RFC 4585 section 6.1. */
    FIR_ENTRY_LEN = 8,
    REMB_LEN = 16, /* The two SSRCs, "REMB", count and bitrate. */
    SDES_END = 0,
    SDES_CNAME = 1,
};

/* Reads the packet at the front of len > 0 bytes; returns its length with header and padding, 0
 * when it is malformed. */
static size_t packet_read(const uint8_t *data, size_t len, struct rtcp_packet *out) {
    if (len < HEADER_LEN || data[0] >> 6 != 2)
        return 0;
    size_t packet_len = HEADER_LEN + 4u * rtp_get16(data + 2);
    if (packet_len > len)
        return 0;
    size_t body_len = packet_len - HEADER_LEN;
    if (data[0] & 0x20) {
        /* RFC 3550 section 6.4.1: only the last packet of a compound is padded. */
        size_t padding_len = body_len > 0 ? data[packet_len - 1] : 0;
        if (packet_len != len || padding_len == 0 || padding_len > body_len)
            return 0;
        body_len -= padding_len;
    }
    *out = (struct rtcp_packet){
        .type = data[1],
        .count = data[0] & 0x1f,
        .body = data + HEADER_LEN,
        .body_len = body_len,
    };
    return packet_len;
}

int rtcp_validate(const uint8_t *data, size_t len) {
    struct rtcp_packet packet;
    size_t offset = 0;
    while (rtcp_next(data, len, &offset, &packet))
        ;
    return len > 0 && offset == len ? 0 : -EBADMSG;
}

bool rtcp_next(const uint8_t *data, size_t len, size_t *offset, struct rtcp_packet *out) {
    if (*offset >= len)
        return false;
    size_t packet_len = packet_read(data + *offset, len - *offset, out);
    *offset += packet_len;
    return packet_len > 0;
}

int rtcp_sr_parse(const struct rtcp_packet *packet, struct rtcp_sender_info *out) {
    if (packet->type != RTCP_SR || packet->body_len < SENDER_INFO_LEN)
        return -EBADMSG;
    *out = (struct rtcp_sender_info){
        .ssrc = rtp_get32(packet->body),
        .ntp = rtp_get64(packet->body + 4),
        .rtp_timestamp = rtp_get32(packet->body + 12),
        .packet_count = rtp_get32(packet->body + 16),
        .octet_count = rtp_get32(packet->body + 20),
    };
    return 0;
}

/* The i-th entry of entry_len bytes behind the first `skip` of the body, or NULL. */
static const uint8_t *entry_at(const struct rtcp_packet *packet, size_t skip, size_t i,
                               size_t entry_len) {
    if (packet->body_len < skip || i >= (packet->body_len - skip) / entry_len)
        return NULL;
    return packet->body + skip + i * entry_len;
}

bool rtcp_report_block_at(const struct rtcp_packet *packet, size_t i,
                          struct rtcp_report_block *out) {
    bool is_report = packet->type == RTCP_SR || packet->type == RTCP_RR;
    size_t skip = packet->type == RTCP_SR ? SENDER_INFO_LEN : 4;
    const uint8_t *block = is_report ? entry_at(packet, skip, i, BLOCK_LEN) : NULL;
    if (block == NULL || i >= packet->count)
        return false;
    uint32_t lost = rtp_get24(block + 5);
    *out = (struct rtcp_report_block){
        .ssrc = rtp_get32(block),
        .fraction_lost = block[4],
        .cumulative_lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0),
        .highest_seq = rtp_get32(block + 8),
        .jitter = rtp_get32(block + 12),
        .last_sr = rtp_get32(block + 16),
        .delay_since_last_sr = rtp_get32(block + 20),
    };
    return true;
}

int rtcp_feedback_parse(const struct rtcp_packet *packet, uint32_t *sender_ssrc,
                        uint32_t *media_ssrc) {
    bool is_feedback = packet->type == RTCP_RTPFB || packet->type == RTCP_PSFB;
    if (!is_feedback || packet->body_len < FEEDBACK_LEN)
        return -EBADMSG;
    *sender_ssrc = rtp_get32(packet->body);
    *media_ssrc = rtp_get32(packet->body + 4);
    return 0;
}

size_t rtcp_nack_parse(const struct rtcp_packet *packet, uint16_t *seqs, size_t capacity) {
    if (packet->type != RTCP_RTPFB || packet->count != RTCP_FMT_NACK || packet->body_len % 4 != 0)
        return 0;
    size_t count = 0;
    const uint8_t *pair;
    for (size_t i = 0; (pair = entry_at(packet, FEEDBACK_LEN, i, 4)) != NULL; i++) {
        uint16_t seq = rtp_get16(pair);
        /* Bit 0 stands for the PID itself, the 16 above it for the BLP. */
        for (uint32_t bits = (uint32_t)rtp_get16(pair + 2) << 1 | 1; bits != 0; bits &= bits - 1) {
            if (count == capacity)
                return count;
            seqs[count++] = (uint16_t)(seq + __builtin_ctz(bits));
        }
    }
    return count;
}

bool rtcp_fir_at(const struct rtcp_packet *packet, size_t i, uint32_t *ssrc, uint8_t *command_seq) {
    if (packet->type != RTCP_PSFB || packet->count != RTCP_FMT_FIR)
        return false;
    const uint8_t *entry = entry_at(packet, FEEDBACK_LEN, i, FIR_ENTRY_LEN);
    if (entry == NULL)
        return false;
    *ssrc = rtp_get32(entry);
    *command_seq = entry[4];
    return true;
}

int rtcp_remb_parse(const struct rtcp_packet *packet, uint64_t *bitrate_bps, uint32_t *ssrcs,
                    size_t capacity, size_t *count) {
    const uint8_t *body = packet->body;
    if (packet->type != RTCP_PSFB || packet->count != RTCP_FMT_APP || packet->body_len < REMB_LEN ||
        memcmp(body + FEEDBACK_LEN, "REMB", 4) != 0)
        return -EBADMSG;
    size_t ssrc_count = body[12];
    if ((packet->body_len - REMB_LEN) / 4 < ssrc_count)
        return -EBADMSG;
    unsigned exponent = body[13] >> 2;
    uint64_t mantissa = rtp_get24(body + 13) & 0x3ffff;
    bool overflows = mantissa > UINT64_MAX >> exponent;
    *bitrate_bps = overflows ? UINT64_MAX : mantissa << exponent;
    *count = ssrc_count < capacity ? ssrc_count : capacity;
    for (size_t i = 0; i < *count; i++)
        ssrcs[i] = rtp_get32(body + REMB_LEN + 4 * i);
    return 0;
}

bool rtcp_bye_at(const struct rtcp_packet *packet, size_t i, uint32_t *ssrc) {
    const uint8_t *entry = packet->type == RTCP_BYE ? entry_at(packet, 0, i, 4) : NULL;
    if (entry == NULL || i >= packet->count)
        return false;
    *ssrc = rtp_get32(entry);
    return true;
}

/* Walks the items of the chunk at *at and moves to the next chunk. *cname is left alone when it has
 * none; false when the chunk is cut short. */
static bool sdes_chunk_walk(const struct rtcp_packet *packet, size_t *at, const uint8_t **cname,
                            size_t *cname_len) {
    const uint8_t *body = packet->body;
    size_t len = packet->body_len, i = *at + 4;
    while (i < len && body[i] != SDES_END) {
        if (len - i < 2 || len - i - 2 < body[i + 1])
            return false;
        if (body[i] == SDES_CNAME && *cname == NULL) {
            *cname = body + i + 2;
            *cname_len = body[i + 1];
        }
        i += 2u + body[i + 1];
    }
    /* One to four zeros end the list, up to the next multiple of four. */
    *at = (i | 3) + 1;
    return i < len;
}

int rtcp_sdes_cname(const struct rtcp_packet *packet, uint32_t ssrc, const char **cname,
                    size_t *len) {
    if (packet->type != RTCP_SDES)
        return -ENOENT;
    size_t at = 0;
    for (size_t chunk = 0; chunk < packet->count; chunk++) {
        if (packet->body_len < 4 || at > packet->body_len - 4)
            return -ENOENT;
        bool wanted = rtp_get32(packet->body + at) == ssrc;
        const uint8_t *name = NULL;
        size_t name_len = 0;
        if (!sdes_chunk_walk(packet, &at, &name, &name_len))
            return -ENOENT;
        if (wanted && name != NULL) {
            *cname = (const char *)name;
            *len = name_len;
            return 0;
        }
    }
    return -ENOENT;
}
