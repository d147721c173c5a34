/* The ring of a track's packets. The place of a number is its low bits, so a number finds its
 * packet with one look, and a newer packet pushes out the one that is exactly a ring's length
 * older. */
#include "rtp/history.h"

#include "rtp/bytes.h"

#include <errno.h>

static struct rtp_history_entry *place_of(const struct rtp_history *history, uint64_t seq) {
    return &history->entries[seq & (history->capacity - 1)];
}

void *rtp_history_put(struct rtp_history *history, uint64_t seq, void *packet) {
    struct rtp_history_entry *place = place_of(history, seq);
    if (place->packet != NULL && place->seq >= seq)
        return packet;
    void *evicted = place->packet;
    *place = (struct rtp_history_entry){.seq = seq, .packet = packet};
    return evicted;
}

void *rtp_history_get(const struct rtp_history *history, uint64_t seq) {
    const struct rtp_history_entry *place = place_of(history, seq);
    return place->seq == seq ? place->packet : NULL;
}

void *rtp_history_take(struct rtp_history *history, size_t i) {
    void *packet = history->entries[i].packet;
    history->entries[i] = (struct rtp_history_entry){0};
    return packet;
}

int rtp_rtx_parse(const uint8_t *payload, size_t len, uint16_t *original_seq) {
    if (len < 2)
        return -EBADMSG;
    *original_seq = rtp_get16(payload);
    return 0;
}
