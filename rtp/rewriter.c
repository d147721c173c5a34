/* Continuity across sources. Offsets lead from the source's numbers to the outgoing ones; each
 * packet that is left out moves them by one. A late packet wants the offset of its own time, which
 * is today's less what was left out after it: hence the bitmaps. Work per packet is constant, but
 * for what follows a loss. */
#include "rtp/rewriter.h"

#include "rtp/receiver.h"
#include "rtp/seqnum.h"

enum {
    ALIGNMENT_TOLERANCE_MS = 75, /* A keyframe may have waited in the network for so long. */
    ELAPSED_MAX_S = 3600,        /* Beyond, half the timestamp space comes near. */
    PICTURE_ID_MASK = 0x7fff,
    SQUEEZED_HZ = 1000, /* Frames of a replay are at most so dense; decoders need about as long. */
    REPLAY_OVER_S = 60, /* Later, timestamps come round to it again. */
};

static uint32_t frame_units(const struct rtp_rewriter *rewriter) {
    return rewriter->clock_rate_hz == 90000 ? 3000 : rewriter->clock_rate_hz / 50;
}

void rtp_rewriter_init(struct rtp_rewriter *rewriter, struct rtp_rewriter_entry *sent,
                       uint16_t capacity, uint32_t clock_rate_hz, uint16_t first_seq,
                       uint32_t first_timestamp) {
    *rewriter = (struct rtp_rewriter){
        .sent = sent,
        .capacity = capacity,
        .clock_rate_hz = clock_rate_hz,
        .out_seq = (uint16_t)(first_seq - 1),
        .out_timestamp = first_timestamp,
        .dropped_picture_id = RTP_NO_NUMBER,
        .picture_id = first_timestamp >> 8 & PICTURE_ID_MASK,
        .tl0picidx = (uint8_t)first_timestamp,
    };
}

void rtp_rewriter_set_ring(struct rtp_rewriter *rewriter, struct rtp_rewriter_entry *sent,
                           uint16_t capacity) {
    rewriter->sent = sent;
    rewriter->capacity = capacity;
}

void rtp_rewriter_switch(struct rtp_rewriter *rewriter, bool aligned, uint32_t timestamp_offset) {
    rewriter->source = rewriter->source == UINT16_MAX ? 1 : rewriter->source + 1;
    rewriter->started = false;
    rewriter->aligned = aligned;
    rewriter->timestamp_offset = timestamp_offset;
    rewriter->dropped_picture_id = RTP_NO_NUMBER;
    rewriter->has_pictures = false;
    rewriter->has_tl0picidx = false;
    rewriter->replayed_frames = 0;
    rewriter->squeezed_units = 0;
}

void rtp_rewriter_replay(struct rtp_rewriter *rewriter, uint32_t live_timestamp, uint16_t frames) {
    rewriter->live_timestamp = live_timestamp;
    rewriter->replayed_frames = frames;
}

/* How far a new source's first timestamp is ahead of the last one sent. */
static uint32_t first_advance(const struct rtp_rewriter *rewriter, uint64_t now_us,
                              uint32_t timestamp) {
    uint64_t elapsed_us = now_us > rewriter->out_at_us ? now_us - rewriter->out_at_us : 0;
    if (elapsed_us > ELAPSED_MAX_S * UINT64_C(1000000))
        elapsed_us = ELAPSED_MAX_S * UINT64_C(1000000);
    int64_t elapsed = (int64_t)(elapsed_us * rewriter->clock_rate_hz / 1000000);
    int64_t tolerance = (int64_t)rewriter->clock_rate_hz * ALIGNMENT_TOLERANCE_MS / 1000;
    int64_t frame = frame_units(rewriter);
    int64_t advance = (int32_t)(timestamp + rewriter->timestamp_offset - rewriter->out_timestamp);
    if (!rewriter->aligned || advance < frame - tolerance || advance > elapsed + tolerance)
        advance = elapsed;
    return (uint32_t)(advance > frame ? advance : frame);
}

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* A replay from this timestamp up to the live one, which is to be so far ahead of the last one
 * sent. Returns how far it will be. */
static uint32_t squeeze(struct rtp_rewriter *rewriter, uint32_t timestamp, uint32_t advance) {
    uint32_t units = rewriter->live_timestamp - timestamp;
    uint32_t dense = rewriter->replayed_frames * (rewriter->clock_rate_hz / SQUEEZED_HZ);
    uint32_t to_units = smaller(units, dense);
    if (rewriter->sent_any) /* The first one is ahead of the last one sent. */
        to_units = smaller(to_units, advance - 1 - advance / 16);
    else
        advance = to_units;
    rewriter->squeezed_from = timestamp;
    rewriter->squeezed_units = units;
    rewriter->squeezed_to_units = to_units;
    return advance;
}

static uint32_t map_squeezed(struct rtp_rewriter *rewriter, uint32_t timestamp) {
    uint32_t units = rewriter->squeezed_units;
    uint32_t since = timestamp - rewriter->squeezed_from;
    uint32_t live = rewriter->squeezed_from + units + rewriter->timestamp_offset;
    if (since < units) {
        uint32_t squeezed = (uint32_t)((uint64_t)since * rewriter->squeezed_to_units / units);
        return live - rewriter->squeezed_to_units + squeezed;
    }
    if (since - units < UINT32_MAX / 2 && since - units > rewriter->clock_rate_hz * REPLAY_OVER_S)
        rewriter->squeezed_units = 0;
    return timestamp + rewriter->timestamp_offset;
}

static inline uint32_t map_timestamp(struct rtp_rewriter *rewriter, uint32_t timestamp) {
    return rewriter->squeezed_units != 0 ? map_squeezed(rewriter, timestamp)
                                         : timestamp + rewriter->timestamp_offset;
}

static void begin_source(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                         uint32_t timestamp) {
    uint32_t live = rewriter->replayed_frames != 0 ? rewriter->live_timestamp : timestamp;
    uint32_t advance = rewriter->sent_any ? first_advance(rewriter, now_us, live) : 0;
    if (rtp_timestamp_newer(live, timestamp))
        advance = squeeze(rewriter, timestamp, advance);
    rewriter->timestamp_offset = rewriter->out_timestamp + advance - live;
    rewriter->source_first = seq;
    rewriter->seq_offset = seq - (uint16_t)(rewriter->out_seq + 1);
    rtp_marks_start(&rewriter->dropped, seq - 1);
    rewriter->started = true;
}

/* A source that jumps ahead further than loss explains goes on without a gap. */
static void close_jump(struct rtp_rewriter *rewriter, uint64_t seq) {
    uint64_t ahead = seq - rewriter->dropped.newest;
    if (ahead < RTP_MAX_DROPOUT)
        return;
    rewriter->seq_offset += ahead - 1;
    rewriter->source_first = seq;
    rtp_marks_start(&rewriter->dropped, seq - 1);
}

/* The number that was kept free for a packet that comes after newer ones. */
static bool find_late(const struct rtp_rewriter *rewriter, uint64_t seq, uint16_t *out) {
    if ((int64_t)(seq - rewriter->source_first) < 0 || !rtp_marks_covers(&rewriter->dropped, seq) ||
        rtp_marks_has(&rewriter->dropped, seq))
        return false;
    *out = (uint16_t)(seq - rewriter->seq_offset + rtp_marks_count_after(&rewriter->dropped, seq));
    if (rtp_seq_distance(rewriter->out_seq, *out) >= rewriter->capacity)
        return false;
    const struct rtp_rewriter_entry *entry = &rewriter->sent[*out & (rewriter->capacity - 1)];
    return entry->source != rewriter->source || entry->out_seq != *out ||
           entry->source_seq != (uint32_t)seq;
}

static bool has_picture_id(const struct rtp_descriptor *descriptor) {
    return descriptor != NULL && descriptor->picture_id_bits != 0 &&
           descriptor->picture_id != RTP_NO_NUMBER;
}

/* The source's picture, unwrapped to the one nearest to its newest. */
static uint64_t unwrap_picture(const struct rtp_rewriter *rewriter,
                               const struct rtp_descriptor *descriptor) {
    uint64_t space = UINT64_C(1) << descriptor->picture_id_bits;
    uint64_t newest = rewriter->hidden_pictures.newest;
    uint64_t ahead = ((uint64_t)descriptor->picture_id - newest) & (space - 1);
    return newest + ahead - (ahead > space / 2 ? space : 0);
}

/* The source's picture ids begin here, one after the last picture that was sent; so does TL0PICIDX.
 */
static uint64_t begin_pictures(struct rtp_rewriter *rewriter,
                               const struct rtp_descriptor *descriptor) {
    uint64_t picture = (uint64_t)descriptor->picture_id;
    rewriter->picture_offset = picture - rewriter->picture_id - 1;
    rtp_marks_start(&rewriter->hidden_pictures, picture - 1);
    rewriter->has_pictures = true;
    rewriter->has_tl0picidx = false;
    return picture;
}

/* Newer packets with older pictures: the source's encoder has begun anew. */
static bool pictures_restart(const struct rtp_rewriter *rewriter,
                             const struct rtp_descriptor *descriptor) {
    uint64_t picture = unwrap_picture(rewriter, descriptor);
    return (int64_t)(picture - rewriter->hidden_pictures.newest) < 0;
}

static bool map_picture(struct rtp_rewriter *rewriter, bool late,
                        const struct rtp_descriptor *descriptor, uint16_t *out) {
    *out = 0;
    if (!has_picture_id(descriptor))
        return true;
    struct rtp_marks *hidden = &rewriter->hidden_pictures;
    bool begins = !rewriter->has_pictures || (!late && pictures_restart(rewriter, descriptor));
    uint64_t picture =
        begins ? begin_pictures(rewriter, descriptor) : unwrap_picture(rewriter, descriptor);
    if (rtp_marks_is_newer(hidden, picture)) {
        rtp_marks_advance(hidden, picture);
    } else if (!rtp_marks_covers(hidden, picture)) {
        return false;
    } else if (rtp_marks_has(hidden, picture)) {
        /* Its id is another picture's by now, unless none came after it. */
        if (picture != hidden->newest)
            return false;
        rtp_marks_set(hidden, picture, false);
        rewriter->picture_offset--;
    }
    uint64_t shown = picture - rewriter->picture_offset + rtp_marks_count_after(hidden, picture);
    uint16_t mask = (uint16_t)(PICTURE_ID_MASK | (descriptor->picture_id_bits & 16) << 11);
    *out = shown & mask;
    uint16_t ahead = (uint16_t)(*out - rewriter->picture_id) & mask;
    if (ahead <= mask / 2)
        rewriter->picture_id = *out;
    return true;
}

static uint8_t map_tl0picidx(struct rtp_rewriter *rewriter,
                             const struct rtp_descriptor *descriptor) {
    if (descriptor == NULL || descriptor->tl0picidx == RTP_NO_NUMBER)
        return 0;
    uint8_t index = (uint8_t)descriptor->tl0picidx;
    if (!rewriter->has_tl0picidx)
        rewriter->tl0picidx_offset = (uint8_t)(index - rewriter->tl0picidx - 1);
    rewriter->has_tl0picidx = true;
    uint8_t out = (uint8_t)(index - rewriter->tl0picidx_offset);
    if ((uint8_t)(out - rewriter->tl0picidx) < 0x80)
        rewriter->tl0picidx = out;
    return out;
}

/* What was sent becomes the newest, where it is, and is remembered. */
static inline void commit(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                          const struct rtp_rewritten *out) {
    if (rtp_marks_is_newer(&rewriter->dropped, seq))
        rtp_marks_advance(&rewriter->dropped, seq);
    if (rtp_seq_newer(out->seq, rewriter->out_seq))
        rewriter->out_seq = out->seq;
    if (!rewriter->sent_any || rtp_timestamp_newer(out->timestamp, rewriter->out_timestamp)) {
        rewriter->out_timestamp = out->timestamp;
        rewriter->out_at_us = now_us;
    }
    rewriter->sent_any = true;
    rewriter->sent[out->seq & (rewriter->capacity - 1)] = (struct rtp_rewriter_entry){
        .source_seq = (uint32_t)seq,
        .out_seq = out->seq,
        .picture_id = out->picture_id,
        .source = rewriter->source,
        .tl0picidx = out->tl0picidx,
        .timestamp = out->timestamp,
    };
}

bool rtp_rewriter_map(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                      uint32_t timestamp, const struct rtp_descriptor *descriptor,
                      struct rtp_rewritten *out) {
    struct rtp_rewritten mapped;
    if (rewriter->source == 0)
        return false;
    if (!rewriter->started)
        begin_source(rewriter, now_us, seq, timestamp);
    bool late = !rtp_marks_is_newer(&rewriter->dropped, seq);
    if (late && !find_late(rewriter, seq, &mapped.seq))
        return false;
    if (!map_picture(rewriter, late, descriptor, &mapped.picture_id))
        return false;
    if (!late) {
        close_jump(rewriter, seq);
        mapped.seq = (uint16_t)(seq - rewriter->seq_offset);
    }
    mapped.tl0picidx = map_tl0picidx(rewriter, descriptor);
    mapped.timestamp = map_timestamp(rewriter, timestamp);
    mapped.ends_picture = false;
    *out = mapped;
    commit(rewriter, now_us, seq, &mapped);
    return true;
}

/* Apart from the hot path, so that the above is inlined there. */
static __attribute__((noinline)) void remember(struct rtp_rewriter *rewriter, uint64_t now_us,
                                               uint64_t seq, const struct rtp_rewritten *out) {
    commit(rewriter, now_us, seq, out);
}

bool rtp_rewriter_fill(struct rtp_rewriter *rewriter, uint64_t now_us, uint64_t seq,
                       uint32_t timestamp, struct rtp_rewritten *out) {
    struct rtp_rewritten mapped = {0};
    if (!rewriter->started || rtp_marks_is_newer(&rewriter->dropped, seq) ||
        !find_late(rewriter, seq, &mapped.seq))
        return false;
    mapped.timestamp = map_timestamp(rewriter, timestamp);
    remember(rewriter, now_us, seq, &mapped);
    rewriter->sent[mapped.seq & (rewriter->capacity - 1)].resends = RTP_REWRITER_NEVER;
    *out = mapped;
    return true;
}

static void drop_picture(struct rtp_rewriter *rewriter, const struct rtp_descriptor *descriptor) {
    rewriter->dropped_picture_id = RTP_NO_NUMBER;
    if (!has_picture_id(descriptor))
        return;
    rewriter->dropped_picture_id = descriptor->picture_id;
    rewriter->dropped_spatial = descriptor->spatial;
    if (!rewriter->has_pictures)
        return;
    uint64_t picture = unwrap_picture(rewriter, descriptor);
    if (!rtp_marks_is_newer(&rewriter->hidden_pictures, picture)) {
        rewriter->has_pictures = !pictures_restart(rewriter, descriptor);
        return;
    }
    rtp_marks_advance(&rewriter->hidden_pictures, picture);
    /* Only with its first packet is it sure that nothing of the picture was sent or will be. */
    if (descriptor->frame_start && !descriptor->picture_id_fixed) {
        rtp_marks_set(&rewriter->hidden_pictures, picture, true);
        rewriter->picture_offset++;
    }
}

/* Whether what is missing before this packet would have been left out too. */
static bool gap_is_dropped(const struct rtp_rewriter *rewriter,
                           const struct rtp_descriptor *descriptor) {
    return has_picture_id(descriptor) && descriptor->picture_id == rewriter->dropped_picture_id &&
           descriptor->spatial == rewriter->dropped_spatial &&
           rtp_marks_has(&rewriter->dropped, rewriter->dropped.newest);
}

void rtp_rewriter_drop(struct rtp_rewriter *rewriter, uint64_t seq,
                       const struct rtp_descriptor *descriptor) {
    if (!rewriter->started || !rtp_marks_is_newer(&rewriter->dropped, seq))
        return;
    close_jump(rewriter, seq);
    uint64_t first = gap_is_dropped(rewriter, descriptor) ? rewriter->dropped.newest + 1 : seq;
    rtp_marks_advance(&rewriter->dropped, seq);
    for (uint64_t left_out = first; left_out != seq + 1; left_out++)
        rtp_marks_set(&rewriter->dropped, left_out, true);
    rewriter->seq_offset += seq + 1 - first;
    drop_picture(rewriter, descriptor);
}

struct rtp_rewriter_entry *rtp_rewriter_find(struct rtp_rewriter *rewriter, uint16_t out_seq) {
    if (rewriter->capacity == 0)
        return NULL;
    struct rtp_rewriter_entry *entry = &rewriter->sent[out_seq & (rewriter->capacity - 1)];
    if (entry->source == 0 || entry->out_seq != out_seq ||
        (uint16_t)(rewriter->out_seq - out_seq) >= rewriter->capacity)
        return NULL;
    return entry;
}

uint32_t rtp_rewriter_timestamp(const struct rtp_rewriter *rewriter, uint32_t source_timestamp) {
    return source_timestamp + rewriter->timestamp_offset;
}
