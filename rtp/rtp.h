/* RTP packets (RFC 3550 section 5.1) and their header extensions (RFC 8285): a view over bytes that
 * somebody else owns, and the writing of new headers. */
#ifndef RTP_RTP_H
#define RTP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_HEADER_LEN = 12,
    RTP_HEADER_MAX = 256, /* What rtp_header_write needs at most. */
    RTP_MID_MAX = 16,     /* Longest MID and RID that are understood, without a NUL. */
};

/* A packet as it was received; offsets are from the first byte of the packet. */
struct rtp_packet {
    uint16_t seq;
    uint8_t payload_type;
    bool marker;
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t ext_profile; /* 0xbede, 0x1000–0x100f, others are not read; 0 without X. */
    uint16_t ext_offset;  /* First byte of the extension body. */
    uint16_t ext_len;
    uint16_t payload_offset;
    uint16_t payload_len; /* Without the padding. */
    uint8_t padding_len;
};

/* The header extensions that are understood; each has a URI in rtp_ext_uri. */
enum rtp_ext {
    RTP_EXT_NONE,
    RTP_EXT_AUDIO_LEVEL,   /* RFC 6464 */
    RTP_EXT_MID,           /* RFC 9143 section 15 */
    RTP_EXT_RID,           /* RFC 8852 */
    RTP_EXT_REPAIRED_RID,  /* RFC 8852 */
    RTP_EXT_ABS_SEND_TIME, /* 24 bits, 6.18 fixed point seconds */
    RTP_EXT_TRANSPORT_SEQ, /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    RTP_EXT_ROTATION,      /* 3GPP TS 26.114, video-orientation */
    RTP_EXT_PLAYOUT_DELAY, /* 12 + 12 bits of 10 ms */
    RTP_EXT_DEPENDENCY,    /* AV1 RTP specification, appendix A */
    RTP_EXT_CAPTURE_TIME,  /* abs-capture-time, 8 or 16 bytes */
    RTP_EXT_COUNT
};

/* The URI of an extension, or NULL for RTP_EXT_NONE. */
const char *rtp_ext_uri(enum rtp_ext ext);

/* The extension of a URI of len bytes, or RTP_EXT_NONE. */
enum rtp_ext rtp_ext_from_uri(const char *uri, size_t len);

/* Which ids the two sides agreed on (a=extmap): ids[ext] is 1–255, or 0 for not negotiated. */
struct rtp_ext_map {
    uint8_t ids[RTP_EXT_COUNT];
};

/* What the extensions of one packet say. Pointers are into the packet. */
struct rtp_extensions {
    uint32_t present;    /* Bit 1 << enum rtp_ext. A malformed extension counts as absent. */
    uint8_t audio_level; /* −dBov, 0 loudest, 127 silence. */
    bool voice;
    uint8_t rotation; /* The raw byte. */
    uint8_t mid_len, rid_len, repaired_rid_len;
    uint16_t transport_seq;
    uint32_t abs_send_time;
    uint32_t playout_delay; /* The raw 24 bits. */
    const char *mid;        /* Without a NUL. */
    const char *rid;
    const char *repaired_rid;
    const uint8_t *dependency; /* The dependency descriptor. */
    uint16_t dependency_len;
    uint8_t capture_time_len; /* 8 or 16. */
    const uint8_t *capture_time;
};

static inline bool rtp_ext_has(const struct rtp_extensions *extensions, enum rtp_ext ext) {
    return (extensions->present >> ext & 1) != 0;
}

/* What the first byte of a datagram makes it (RFC 7983). */
enum rtp_datagram_kind {
    RTP_DATAGRAM_UNKNOWN,
    RTP_DATAGRAM_STUN,
    RTP_DATAGRAM_DTLS,
    RTP_DATAGRAM_RTP,
    RTP_DATAGRAM_RTCP
};

/* The kind of a datagram; RTP and RTCP are told apart by the packet type 192–223 (RFC 5761). */
enum rtp_datagram_kind rtp_datagram_kind(const uint8_t *data, size_t len);

/* Reads a header. Returns 0, or -EBADMSG when it is not version 2, is cut short, or its padding is
 * zero or longer than what it should be in; then *out is untouched. len is at most 65,535. */
int rtp_parse(struct rtp_packet *out, const uint8_t *data, size_t len);

/* One extension element of a packet: id, and its bytes. */
struct rtp_ext_element {
    uint8_t id;
    uint8_t len;
    const uint8_t *data;
};

/* The next element of the extension body at *offset (start with 0), in the one-byte or the two-byte
 * form; false at the end or where the body is malformed. Padding is skipped; id 15, and
 * id 0 with a length, end the one-byte form (RFC 8285 section 4.2). */
bool rtp_ext_next(const struct rtp_packet *packet, const uint8_t *data, size_t *offset,
                  struct rtp_ext_element *out);

/* Reads all extensions that the map knows in one pass. */
void rtp_extensions_parse(struct rtp_extensions *out, const struct rtp_packet *packet,
                          const uint8_t *data, const struct rtp_ext_map *map);

/* What a header to be sent carries: `extensions->present` masked by what the map has ids for. */
struct rtp_header {
    uint8_t payload_type;
    bool marker;
    bool padding; /* Sets the P bit; the padding itself is the caller's. */
    uint16_t seq;
    uint32_t timestamp;
    uint32_t ssrc;
};

/* Writes a header with its extensions to out (capacity at least RTP_HEADER_MAX bytes) and returns
 * its length, a multiple of 4. The one-byte form is used unless an id is above 14 or an element
 * longer than 16 bytes (RFC 8285 section 4.2); extensions that do not fit are left out, NULL
 * extensions means none. */
size_t rtp_header_write(uint8_t *out, const struct rtp_header *header,
                        const struct rtp_extensions *extensions, const struct rtp_ext_map *map);

#endif
