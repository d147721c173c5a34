/* The packets of a track by unwrapped sequence number, for retransmission: a ring of pointers whose
 * targets and memory belong to the caller; and RTX packets (RFC 4588). */
#ifndef RTP_HISTORY_H
#define RTP_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp_history_entry {
    uint64_t seq;
    void *packet; /* NULL: empty. */
};

struct rtp_history {
    /* Given. */
    struct rtp_history_entry *entries; /* Zeroed. */
    size_t capacity;                   /* A power of two. */
};

/* Keeps packet under seq. Returns the packet that had to make room (or packet itself, when it is
 * older than what is kept in its place, or already there), which the caller releases; NULL when
 * nothing did. */
void *rtp_history_put(struct rtp_history *history, uint64_t seq, void *packet);

/* The packet kept under seq, or NULL. */
void *rtp_history_get(const struct rtp_history *history, uint64_t seq);

/* Takes out the packet at ring place i < capacity (NULL when empty): how the caller empties it. */
void *rtp_history_take(struct rtp_history *history, size_t i);

/* The original number of an RTX payload (its first two bytes): 0, or -EBADMSG when it is shorter.
 */
int rtp_rtx_parse(const uint8_t *payload, size_t len, uint16_t *original_seq);

#endif
