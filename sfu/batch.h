/* Datagrams on their way out: consecutive ones of equal length to one address become one message,
 * which the kernel splits again (UDP_SEGMENT); a full batch is sent at once, the rest at the end of
 * the wake-up. */
#ifndef SFU_BATCH_H
#define SFU_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "sfu/address.h"

enum {
    SFU_BATCH_BYTES = 256 * 1024, /* Stays in the second-level cache. */
    SFU_BATCH_MESSAGES = 128,
    SFU_BATCH_DATAGRAM_MAX = 2048, /* No datagram is longer. */
    SFU_BATCH_SEGMENTS_MAX = 64,   /* UDP_MAX_SEGMENTS of the kernel. */
    SFU_BATCH_MESSAGE_MAX = 65507, /* What fits into one UDP datagram of IPv4. */
};

/* One or more datagrams to one address: each is segment_len long, but the last may be shorter. */
struct sfu_message {
    struct sfu_address to;
    uint8_t *data;
    uint32_t len;
    uint16_t segment_len;
    uint16_t segments;
};

typedef void (*sfu_send_fn)(void *ctx, const struct sfu_message *messages, size_t count);

struct sfu_batch {
    /* Given. */
    sfu_send_fn send;
    void *ctx;
    /* Owned. */
    uint8_t *bytes;
    /* State. */
    size_t used;
    size_t count;
    struct sfu_message messages[SFU_BATCH_MESSAGES];
};

/* -ENOMEM. */
int sfu_batch_init(struct sfu_batch *batch, sfu_send_fn send, void *ctx);
void sfu_batch_deinit(struct sfu_batch *batch);

/* Room for one datagram of up to SFU_BATCH_DATAGRAM_MAX bytes; what stands there before commit is
 * forgotten. */
uint8_t *sfu_batch_reserve(struct sfu_batch *batch);

/* Adds the first len bytes of what reserve returned. */
void sfu_batch_commit(struct sfu_batch *batch, const struct sfu_address *to, size_t len);

/* Sends everything. */
void sfu_batch_flush(struct sfu_batch *batch);

#endif
