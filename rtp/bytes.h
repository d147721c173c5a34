/* Big-endian integers in byte buffers; the only place where byte order is dealt with. Said with
 * memcpy and the compiler's swaps: out of shifts and single bytes it makes thirty instructions. */
#ifndef RTP_BYTES_H
#define RTP_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define RTP_BIG16(v) __builtin_bswap16(v)
#define RTP_BIG32(v) __builtin_bswap32(v)
#define RTP_BIG64(v) __builtin_bswap64(v)
#else
#define RTP_BIG16(v) (v)
#define RTP_BIG32(v) (v)
#define RTP_BIG64(v) (v)
#endif

static inline uint16_t rtp_get16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return RTP_BIG16(v);
}

static inline uint32_t rtp_get24(const uint8_t *p) {
    return (uint32_t)p[0] << 16 | rtp_get16(p + 1);
}

static inline uint32_t rtp_get32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return RTP_BIG32(v);
}

static inline uint64_t rtp_get64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return RTP_BIG64(v);
}

static inline void rtp_put16(uint8_t *p, uint16_t v) {
    v = RTP_BIG16(v);
    memcpy(p, &v, sizeof(v));
}

static inline void rtp_put24(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 16);
    rtp_put16(p + 1, (uint16_t)v);
}

static inline void rtp_put32(uint8_t *p, uint32_t v) {
    v = RTP_BIG32(v);
    memcpy(p, &v, sizeof(v));
}

static inline void rtp_put64(uint8_t *p, uint64_t v) {
    v = RTP_BIG64(v);
    memcpy(p, &v, sizeof(v));
}

#endif
