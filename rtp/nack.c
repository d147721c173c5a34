/* The list of missing packets: at most RTP_NACK_MAX_MISSING, ascending, so that every call is
 * bounded by one walk over it. The timing is that of libwebrtc and mediasoup. */
#include "rtp/nack.h"

#include <string.h>

/* The place of the first entry whose number is not below seq. */
static size_t lower_bound(const struct rtp_nack *nack, uint64_t seq) {
    size_t low = 0, high = nack->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (nack->missing[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void entries_remove(struct rtp_nack *nack, size_t at, size_t count) {
    size_t behind = nack->count - at - count;
    memmove(&nack->missing[at], &nack->missing[at + count], behind * sizeof nack->missing[0]);
    nack->count = (uint16_t)(nack->count - count);
}

/* A packet older than the newest: closes its gap, if it has one. */
static void gap_close(struct rtp_nack *nack, uint64_t seq) {
    size_t at = lower_bound(nack, seq);
    if (at == nack->count || nack->missing[at].seq != seq)
        return;
    if (nack->missing[at].tries > 0)
        nack->recovered++;
    entries_remove(nack, at, 1);
}

/* Gives up the oldest entries until `wanted` more fit; whether there were any. */
static bool room_make(struct rtp_nack *nack, size_t wanted) {
    size_t room = (size_t)RTP_NACK_MAX_MISSING - nack->count;
    if (wanted <= room)
        return false;
    nack->given_up += wanted - room;
    entries_remove(nack, 0, wanted - room);
    return true;
}

static bool gap_open(struct rtp_nack *nack, uint64_t now_us, uint64_t first, uint64_t end) {
    uint64_t gap = end - first;
    if (gap > RTP_NACK_MAX_MISSING) {
        nack->given_up += nack->count + gap;
        nack->count = 0;
        return true;
    }
    bool gave_up = room_make(nack, gap);
    for (uint64_t seq = first; seq < end; seq++)
        nack->missing[nack->count++] = (struct rtp_nack_entry){
            .seq = seq, .ask_at_us = now_us + RTP_NACK_GRACE_US, .missed_at_us = now_us};
    return gave_up;
}

bool rtp_nack_on_packet(struct rtp_nack *nack, uint64_t now_us, uint64_t seq) {
    if (nack->started && seq <= nack->newest) {
        gap_close(nack, seq);
        return false;
    }
    bool gave_up = nack->started && gap_open(nack, now_us, nack->newest + 1, seq);
    nack->newest = seq;
    nack->started = true;
    return gave_up;
}

static uint64_t gives_up_at(const struct rtp_nack_entry *entry) {
    uint64_t too_old_us = entry->missed_at_us + RTP_NACK_MAX_AGE_US;
    bool last_chance = entry->tries == RTP_NACK_MAX_TRIES && entry->ask_at_us < too_old_us;
    return last_chance ? entry->ask_at_us : too_old_us;
}

static uint64_t at_least_minimum(uint64_t retry_us) {
    return retry_us > RTP_NACK_MIN_RETRY_US ? retry_us : RTP_NACK_MIN_RETRY_US;
}

size_t rtp_nack_due(struct rtp_nack *nack, uint64_t now_us, uint64_t rtt_us, uint16_t *seqs,
                    size_t capacity, bool *gave_up) {
    uint64_t retry_us = at_least_minimum(rtt_us);
    /* What was asked for twice is late: the third request does not wait for the second's answer. */
    uint64_t hurried_us = at_least_minimum(rtt_us / 2);
    size_t asked = 0, kept = 0;
    for (size_t i = 0; i < nack->count; i++) {
        struct rtp_nack_entry entry = nack->missing[i];
        if (gives_up_at(&entry) <= now_us)
            continue;
        if (entry.ask_at_us <= now_us && asked < capacity) {
            seqs[asked++] = (uint16_t)entry.seq;
            entry.tries++;
            entry.ask_at_us = now_us + (entry.tries < 2 ? retry_us : hurried_us);
        }
        nack->missing[kept++] = entry;
    }
    size_t given_up = nack->count - kept;
    *gave_up = given_up > 0;
    nack->given_up += given_up;
    nack->count = (uint16_t)kept;
    return asked;
}

uint64_t rtp_nack_next_deadline(const struct rtp_nack *nack) {
    uint64_t deadline_us = UINT64_MAX;
    for (size_t i = 0; i < nack->count; i++) {
        uint64_t ask_at_us = nack->missing[i].ask_at_us;
        uint64_t give_up_at_us = gives_up_at(&nack->missing[i]);
        uint64_t next_us = ask_at_us < give_up_at_us ? ask_at_us : give_up_at_us;
        if (next_us < deadline_us)
            deadline_us = next_us;
    }
    return deadline_us;
}
