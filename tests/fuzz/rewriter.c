/* The rewriter under any sequence of steps of two bytes. What is in order is held against a model
 * that says the exact number; what is late must get a number that nobody had. */
#include "rtp/receiver.h"
#include "rtp/rewriter.h"
#include "rtp/seqnum.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAPACITY = 64, USED_SPAN = 1024 };
enum step { MAP, MAP_NEXT_FRAME, DROP, LOSE, LATE, SWITCH, JUMP, WAIT };

static struct {
    struct rtp_rewriter rewriter;
    struct rtp_rewriter_entry ring[CAPACITY];
    uint64_t now_us;
    /* The source. */
    uint64_t seq; /* Of its newest packet. */
    uint32_t timestamp;
    uint32_t picture;
    uint8_t picture_id_bits;
    bool frame_start;
    /* What must come of it. */
    bool replayed;   /* The source begins in the past. */
    bool mapped_any; /* Of this source. */
    bool sent_any;
    uint64_t next_out; /* Of the source's next packet, if nothing of it is lost. */
    uint32_t last_timestamp;
    uint32_t last_picture;
    uint16_t last_picture_id;
    bool last_had_picture;
    uint64_t lost;   /* Since the source's newest packet that came, */
    bool after_drop; /* which was dropped, of this picture: */
    uint32_t dropped_picture;
    uint64_t used[USED_SPAN]; /* Outgoing numbers, unwrapped, plus one. */
} model;

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static struct rtp_descriptor describe(void) {
    struct rtp_descriptor descriptor = {
        .frame_start = model.frame_start, .picture_id = RTP_NO_NUMBER, .tl0picidx = RTP_NO_NUMBER};
    if (model.picture_id_bits != 0) {
        descriptor.picture_id_bits = model.picture_id_bits;
        descriptor.picture_id = model.picture & ((1 << model.picture_id_bits) - 1);
        descriptor.tl0picidx = model.picture & 0xff;
    }
    return descriptor;
}

static void use(uint16_t out_seq) {
    uint64_t unwrapped =
        model.next_out + (uint64_t)rtp_seq_distance(out_seq, (uint16_t)model.next_out);
    check(model.used[unwrapped % USED_SPAN] != unwrapped + 1);
    model.used[unwrapped % USED_SPAN] = unwrapped + 1;
}

static void check_found(uint64_t seq, const struct rtp_rewritten *out) {
    const struct rtp_rewriter_entry *entry = rtp_rewriter_find(&model.rewriter, out->seq);
    check(entry != NULL && entry->source_seq == (uint32_t)seq && entry->out_seq == out->seq);
    check(entry->timestamp == out->timestamp && entry->picture_id == out->picture_id);
    check(entry->source == model.rewriter.source && entry->resends == 0);
}

static void check_picture(const struct rtp_rewritten *out) {
    if (model.picture_id_bits == 0)
        return;
    uint16_t ahead = (uint16_t)(out->picture_id - model.last_picture_id) & 0x7fff;
    if (!model.mapped_any && model.last_had_picture)
        check(ahead == 1);
    /* So far and no farther can 7 bits be followed. */
    uint32_t passed = model.picture - model.last_picture;
    if (model.mapped_any && passed < 60)
        check(passed == 0 ? ahead == 0 : ahead >= 1 && ahead <= passed);
    model.last_picture = model.picture;
    model.last_picture_id = out->picture_id;
    model.last_had_picture = true;
}

/* The source's next packet comes. More before it than loss explains leaves no gap. */
static void arrive(void) {
    model.seq++;
    if (model.lost + 1 < RTP_MAX_DROPOUT)
        return;
    model.next_out -= model.lost;
    model.lost = 0;
    model.after_drop = false;
}

static void step_map(void) {
    struct rtp_descriptor descriptor = describe();
    struct rtp_rewritten out;
    arrive();
    check(rtp_rewriter_map(&model.rewriter, model.now_us, model.seq, model.timestamp, &descriptor,
                           &out));
    check(out.seq == (uint16_t)model.next_out);
    use(out.seq);
    check_found(model.seq, &out);
    check_picture(&out);
    int32_t advance = (int32_t)(out.timestamp - model.last_timestamp);
    int32_t least = model.mapped_any ? 0 : model.replayed ? 1 : 3000;
    check(!model.sent_any || advance >= least);
    model.last_timestamp = out.timestamp;
    model.next_out++;
    model.lost = 0;
    model.mapped_any = model.sent_any = true;
    model.frame_start = model.after_drop = false;
}

static void next_frame(void) {
    model.timestamp += 3000;
    model.picture++;
    model.frame_start = true;
}

/* Without a gap; loss between two packets dropped of one picture closes up too. */
static void step_drop(void) {
    struct rtp_descriptor descriptor = describe();
    arrive();
    rtp_rewriter_drop(&model.rewriter, model.seq, &descriptor);
    if (!model.mapped_any)
        return;
    if (model.after_drop && model.picture_id_bits != 0 && model.dropped_picture == model.picture)
        model.next_out -= model.lost;
    model.after_drop = true;
    model.dropped_picture = model.picture;
    model.lost = 0;
    model.frame_start = false;
}

static void step_lose(uint64_t count) {
    model.seq += count;
    if (!model.mapped_any)
        return;
    model.next_out += count;
    model.lost += count;
    /* Of the picture before the loss may be left what is not its start. */
    model.frame_start = false;
}

static void step_fill(uint64_t seq) {
    struct rtp_rewritten out;
    if (!rtp_rewriter_fill(&model.rewriter, model.now_us, seq, model.timestamp, &out))
        return;
    use(out.seq);
    const struct rtp_rewriter_entry *entry = rtp_rewriter_find(&model.rewriter, out.seq);
    check(entry == NULL || entry->resends == RTP_REWRITER_NEVER);
    check(!rtp_rewriter_fill(&model.rewriter, model.now_us, seq, model.timestamp, &out));
}

/* The newest packet that came or one before it: at most once a number comes of it. */
static void step_late(uint8_t distance) {
    if (!model.mapped_any || distance < model.lost)
        return;
    struct rtp_descriptor descriptor = describe();
    descriptor.picture_id = RTP_NO_NUMBER;
    descriptor.picture_id_bits = 0;
    struct rtp_rewritten out;
    uint64_t seq = model.seq - distance;
    if (distance & 1) {
        step_fill(seq);
        return;
    }
    if (!rtp_rewriter_map(&model.rewriter, model.now_us, seq, model.timestamp, &descriptor, &out))
        return;
    check((uint16_t)(model.next_out - out.seq) <= CAPACITY + 255);
    use(out.seq);
    check_found(seq, &out);
    check(
        !rtp_rewriter_map(&model.rewriter, model.now_us, seq, model.timestamp, &descriptor, &out));
}

static void step_switch(uint8_t argument) {
    rtp_rewriter_switch(&model.rewriter, argument & 1, (uint32_t)argument * 0x01234567u);
    model.seq = (model.seq * 31 + argument) % 1000000 + 65536;
    model.timestamp = model.timestamp * 31 + argument;
    model.picture = model.picture * 31 + argument;
    model.picture_id_bits = argument & 2 ? 15 : argument & 4 ? 7 : 0;
    model.next_out +=
        1 + (uint64_t)rtp_seq_distance(model.rewriter.out_seq, (uint16_t)model.next_out);
    model.mapped_any = model.after_drop = false;
    model.lost = 0;
    next_frame();
    model.replayed = argument & 8;
    if (model.replayed)
        rtp_rewriter_replay(&model.rewriter, model.timestamp + argument * 3000u, argument);
}

static void step(uint8_t what, uint8_t argument) {
    switch ((enum step)(what & 7)) {
    case MAP_NEXT_FRAME:
        next_frame();
        step_map();
        return;
    case MAP:
        step_map();
        return;
    case DROP:
        if (argument & 1)
            next_frame();
        step_drop();
        return;
    case LOSE:
        step_lose(argument % 8);
        return;
    case LATE:
        step_late(argument);
        return;
    case SWITCH:
        step_switch(argument);
        return;
    case JUMP:
        step_lose(RTP_MAX_DROPOUT - 100 + argument);
        next_frame();
        step_map();
        return;
    case WAIT:
        model.now_us += (uint64_t)argument * argument * 1000;
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    memset(&model, 0, sizeof(model));
    model.next_out = 100;
    rtp_rewriter_init(&model.rewriter, model.ring, CAPACITY, 90000, 100, 0xfffff000u);
    step_switch(2);
    for (; size >= 2; data += 2, size -= 2)
        step(data[0], data[1]);
    return 0;
}
