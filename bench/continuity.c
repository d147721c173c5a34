#include "bench/continuity.h"

/* A selection of the lowest of three temporal layers shows every fourth picture; with three spatial
 * layers that are twelve frames. */
enum { PICTURES_AHEAD_MAX = 8, FRAMES_AHEAD_MAX = 24 };

static void note_time(struct bench_continuity *continuity, const struct bench_seen *seen,
                      bool follows) {
    bool same = seen->timestamp == continuity->timestamp;
    continuity->timestamps_back += (int32_t)(seen->timestamp - continuity->timestamp) < 0;
    continuity->markers_early += follows && same && continuity->marker;
    continuity->markers_missing += follows && !same && !continuity->marker;
}

static void note_tl0picidx(struct bench_continuity *continuity,
                           const struct rtp_descriptor *descriptor, bool new_picture) {
    if (descriptor->tl0picidx == RTP_NO_NUMBER)
        return;
    uint8_t now = (uint8_t)descriptor->tl0picidx;
    uint8_t steps = new_picture && descriptor->temporal == 0 ? 1 : 0;
    if (continuity->has_tl0picidx && (uint8_t)(now - continuity->tl0picidx) != steps)
        continuity->tl0picidx_jumps++;
    continuity->has_tl0picidx = true;
    continuity->tl0picidx = now;
}

/* VP8's ids close up where pictures are left out; VP9's may not, as references count them. */
static void note_picture(struct bench_continuity *continuity, const struct bench_seen *seen,
                         const struct rtp_descriptor *descriptor, bool follows) {
    if (descriptor->picture_id == RTP_NO_NUMBER)
        return;
    uint16_t now = (uint16_t)descriptor->picture_id;
    uint16_t ahead = (now - continuity->picture_id) & 0x7fff;
    bool new_picture = seen->timestamp != continuity->timestamp;
    bool right = new_picture ? ahead > 0 && ahead <= PICTURES_AHEAD_MAX : ahead == 0;
    if (new_picture && seen->codec == RTP_CODEC_VP8)
        right = ahead == 1;
    continuity->picture_jumps += follows && continuity->has_picture_id && !right;
    if (follows)
        note_tl0picidx(continuity, descriptor, new_picture);
    else
        continuity->has_tl0picidx = false;
    continuity->picture_id = now;
    continuity->has_picture_id = true;
}

static void note_offset(struct bench_continuity *continuity, uint16_t offset) {
    continuity->references_wrong += continuity->has_offset && offset != continuity->offset;
    continuity->has_offset = true;
    continuity->offset = offset;
}

static bool same_references(const struct rtp_dependency_frame *frame,
                            const struct bench_stamp *stamp) {
    unsigned count = 0;
    for (; count < BENCH_STAMP_REFERENCES && stamp->references[count] != 0; count++)
        if (count >= frame->fdiff_count || frame->fdiffs[count] != stamp->references[count])
            return false;
    return frame->fdiff_count == count && frame->spatial == stamp->spatial &&
           frame->temporal == stamp->temporal;
}

static void note_dependency(struct bench_continuity *continuity, const struct bench_seen *seen,
                            const struct bench_stamp *stamp, bool follows) {
    struct rtp_dependency dependency;
    if (!continuity->has_structure)
        continuity->structure.template_count = 0;
    if (rtp_dependency_parse(seen->dependency, seen->dependency_len, &continuity->structure,
                             &dependency) < 0) {
        continuity->malformed++;
        return;
    }
    continuity->has_structure |= dependency.attached;
    if (dependency.attached) /* Nothing refers to what was before. */
        continuity->has_offset = false;
    uint16_t ahead = (uint16_t)(dependency.frame_number - continuity->frame_number);
    continuity->picture_jumps += follows && ahead > FRAMES_AHEAD_MAX;
    continuity->frame_number = dependency.frame_number;
    if (stamp == NULL)
        return;
    note_offset(continuity, (uint16_t)(dependency.frame_number - stamp->frame));
    if (!dependency.known || !same_references(&dependency.frame, stamp))
        continuity->references_wrong++;
}

static void note_descriptor(struct bench_continuity *continuity, const struct bench_seen *seen,
                            const struct bench_stamp *stamp, bool follows) {
    struct rtp_descriptor descriptor;
    if (rtp_codec_parse(seen->codec, seen->payload, seen->payload_len, NULL, &descriptor) < 0) {
        continuity->malformed++;
        return;
    }
    note_picture(continuity, seen, &descriptor, follows);
    if (rtp_descriptor_is_entry(&descriptor)) /* Nothing refers to what was before. */
        continuity->has_offset = false;
    if (seen->codec == RTP_CODEC_VP9 && stamp != NULL)
        note_offset(continuity, ((uint16_t)descriptor.picture_id - stamp->picture) & 0x7fff);
    if (seen->dependency != NULL)
        note_dependency(continuity, seen, stamp, follows);
}

/* Nothing refers to what was before a keyframe. */
static bool begins_anew(const struct bench_stamp *stamp) {
    return stamp->keyframe && stamp->spatial == 0 && stamp->packet == 0;
}

void bench_continuity_on_packet(struct bench_continuity *continuity, const struct bench_seen *seen,
                                const struct bench_stamp *stamp) {
    bool follows = continuity->started && seen->seq == continuity->seq + 1;
    if (continuity->started)
        note_time(continuity, seen, follows);
    if (stamp != NULL && (stamp->source != continuity->source || begins_anew(stamp)))
        continuity->has_offset = false;
    if (stamp != NULL)
        continuity->source = stamp->source;
    note_descriptor(continuity, seen, stamp, follows);
    continuity->started = true;
    continuity->seq = seen->seq;
    continuity->timestamp = seen->timestamp;
    continuity->marker = seen->marker;
}
