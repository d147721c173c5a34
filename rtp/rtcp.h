/* RTCP (RFC 3550 section 6, RFC 4585, RFC 5104, RFC 5506, REMB): reading compound packets one
 * report at a time, and building them. */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205, /* Count field: 1 NACK, 15 transport-cc. */
    RTCP_PSFB = 206,  /* Count field: 1 PLI, 4 FIR, 15 application layer (REMB). */
    RTCP_XR = 207,
};

enum {
    RTCP_FMT_NACK = 1,
    RTCP_FMT_TWCC = 15,
    RTCP_FMT_PLI = 1,
    RTCP_FMT_FIR = 4,
    RTCP_FMT_APP = 15
};

/* One packet of a compound: the bytes behind its 4-byte header, padding removed. */
struct rtcp_packet {
    uint8_t type;  /* enum rtcp_type, or one that is not known. */
    uint8_t count; /* RC, SC or FMT. */
    const uint8_t *body;
    size_t body_len; /* A multiple of 4, or less where padding was removed. */
};

/* Checks the lengths and versions of a whole compound or reduced-size packet: 0 or -EBADMSG. */
int rtcp_validate(const uint8_t *data, size_t len);

/* The next packet at *offset (start with 0); false at the end or where the rest is malformed. */
bool rtcp_next(const uint8_t *data, size_t len, size_t *offset, struct rtcp_packet *out);

struct rtcp_report_block {
    uint32_t ssrc;
    uint8_t fraction_lost;        /* Of 256, since the last report. */
    int32_t cumulative_lost;      /* 24 bits, signed. */
    uint32_t highest_seq;         /* Extended by the cycles. */
    uint32_t jitter;              /* In timestamp units. */
    uint32_t last_sr;             /* Middle 32 bits of the NTP time of the last SR, 0 for none. */
    uint32_t delay_since_last_sr; /* In 1/65,536 s. */
};

struct rtcp_sender_info {
    uint32_t ssrc;
    uint64_t ntp; /* 32.32 fixed point seconds since 1900. */
    uint32_t rtp_timestamp;
    uint32_t packet_count;
    uint32_t octet_count;
};

/* Reads the sender's part of an SR: 0 or -EBADMSG. */
int rtcp_sr_parse(const struct rtcp_packet *packet, struct rtcp_sender_info *out);

/* The i-th report block of an SR or RR; false beyond the last. */
bool rtcp_report_block_at(const struct rtcp_packet *packet, size_t i,
                          struct rtcp_report_block *out);

/* The SSRC of a feedback packet's sender and media: 0 or -EBADMSG. */
int rtcp_feedback_parse(const struct rtcp_packet *packet, uint32_t *sender_ssrc,
                        uint32_t *media_ssrc);

/* Expands a NACK (RFC 4585 section 6.2.1) to sequence numbers; returns how many were written, at
 * most capacity (the rest is ignored), 0 when malformed. */
size_t rtcp_nack_parse(const struct rtcp_packet *packet, uint16_t *seqs, size_t capacity);

/* The i-th entry of a FIR (RFC 5104 section 4.3.1); false beyond the last. */
bool rtcp_fir_at(const struct rtcp_packet *packet, size_t i, uint32_t *ssrc, uint8_t *command_seq);

/* Reads a REMB: the bitrate, saturated at UINT64_MAX, and up to capacity SSRCs it speaks of.
 * -EBADMSG when it is not one. */
int rtcp_remb_parse(const struct rtcp_packet *packet, uint64_t *bitrate_bps, uint32_t *ssrcs,
                    size_t capacity, size_t *count);

/* The i-th SSRC of a BYE; false beyond the last. */
bool rtcp_bye_at(const struct rtcp_packet *packet, size_t i, uint32_t *ssrc);

/* The CNAME of the first SDES chunk of ssrc, without a NUL; -ENOENT when there is none. */
int rtcp_sdes_cname(const struct rtcp_packet *packet, uint32_t ssrc, const char **cname,
                    size_t *len);

/* Builds a compound in a buffer of the caller's. An append that does not fit changes nothing and
 * returns -EMSGSIZE. */
struct rtcp_builder {
    /* Given. */
    uint8_t *data;
    size_t capacity;
    /* State. */
    size_t len;
};

void rtcp_builder_init(struct rtcp_builder *builder, uint8_t *data, size_t capacity);

/* Up to 31 blocks each. */
int rtcp_append_sr(struct rtcp_builder *builder, const struct rtcp_sender_info *info,
                   const struct rtcp_report_block *blocks, size_t count);
int rtcp_append_rr(struct rtcp_builder *builder, uint32_t sender_ssrc,
                   const struct rtcp_report_block *blocks, size_t count);
int rtcp_append_sdes(struct rtcp_builder *builder, uint32_t ssrc, const char *cname);
int rtcp_append_bye(struct rtcp_builder *builder, uint32_t ssrc);

/* Packs ascending sequence numbers into PID/BLP pairs; what does not fit is left: *written says how
 * many were taken. */
int rtcp_append_nack(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *seqs, size_t count, size_t *written);
int rtcp_append_pli(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc);
int rtcp_append_fir(struct rtcp_builder *builder, uint32_t sender_ssrc, uint32_t media_ssrc,
                    uint8_t command_seq);
int rtcp_append_remb(struct rtcp_builder *builder, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, size_t count);

/* Appends a feedback packet whose body behind the two SSRCs is given (transport-cc); body_len is a
 * multiple of 4. */
int rtcp_append_feedback(struct rtcp_builder *builder, uint8_t type, uint8_t fmt,
                         uint32_t sender_ssrc, uint32_t media_ssrc, const uint8_t *body,
                         size_t body_len);

#endif
