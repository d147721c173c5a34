/* A thousand switches between sources for each codec, with loss, reordering, layers left out and
 * padding, and then every promise of the rewriter checked in the order in which the sources sent.
 */
#include "rtp/rewriter.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

enum {
    SWITCHES = 1000,
    SOURCES = 3,
    FRAMES_MAX = 24, /* Of one source until the next switch. */
    PACKETS_MAX = FRAMES_MAX * 8,
    CAPACITY = 512,
    DELAY_MAX = 30,
};

struct source {
    uint64_t seq;
    uint32_t timestamp;
    uint32_t picture;
    uint8_t picture_id_bits;
    uint8_t tl0picidx;
    uint32_t frame;
};

enum fate { ARRIVES, LOST, SENT, LEFT_OUT, LEFT_OUT_LATE };

struct packet {
    uint64_t seq;
    uint32_t timestamp;
    uint32_t picture; /* Unwrapped. */
    unsigned place;   /* Among those of its segment, when it arrives. */
    bool padding;
    bool wanted;
    enum fate fate;
    struct rtp_descriptor descriptor;
    struct rtp_rewritten out;
};

/* One source between two switches. */
static struct packet packets[PACKETS_MAX];
static size_t packet_count;
static enum rtp_codec codec;
static struct source sources[SOURCES];
static struct rtp_rewriter_entry ring[CAPACITY];
static struct rtp_rewriter rewriter;
static uint64_t now_us;
static uint64_t random_state;

/* What the outgoing stream has come to. */
static uint64_t sent_numbers[65536 / 64];
static uint16_t newest_seq;
static uint32_t newest_timestamp;
static uint16_t newest_picture;
static uint8_t newest_tl0;
static bool any_sent, any_picture;

static unsigned below(unsigned limit) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % limit;
}

static bool chance(unsigned percent) {
    return below(100) < percent;
}

static uint32_t frame_units(void) {
    return rtp_codec_is_video(codec) ? 3000 : 960;
}

static struct packet *add_packet(struct source *source) {
    struct packet *packet = &packets[packet_count];
    *packet = (struct packet){.seq = source->seq++,
                              .timestamp = source->timestamp,
                              .picture = source->picture,
                              .place = (unsigned)packet_count * 2};
    packet->descriptor.picture_id = RTP_NO_NUMBER;
    packet->descriptor.tl0picidx = RTP_NO_NUMBER;
    if (packet_count++ > 0 && chance(5))
        packet->fate = LOST;
    else if (packet_count > 1 && chance(10))
        packet->place += 2 * below(DELAY_MAX) + 1;
    return packet;
}

static void number_packet(struct packet *packet, const struct source *source) {
    struct rtp_descriptor *descriptor = &packet->descriptor;
    if (source->picture_id_bits == 0)
        return;
    descriptor->picture_id_bits = source->picture_id_bits;
    descriptor->picture_id = source->picture & ((1 << source->picture_id_bits) - 1);
    descriptor->picture_id_fixed = codec == RTP_CODEC_VP9;
    descriptor->tl0picidx = source->tl0picidx;
}

/* A frame of one or two spatial layers, with one to three packets in each. */
static void add_frame(struct source *source, bool keyframe, uint8_t temporal_wanted,
                      uint8_t spatial_wanted) {
    static const uint8_t pattern[] = {0, 2, 1, 2};
    bool layered = codec == RTP_CODEC_VP8 || codec == RTP_CODEC_VP9;
    uint8_t temporal = layered && !keyframe ? pattern[source->frame % 4] : 0;
    uint8_t layers = codec == RTP_CODEC_VP9 ? 2 : 1;
    if (temporal == 0)
        source->tl0picidx++;
    for (uint8_t spatial = 0; spatial < layers; spatial++) {
        unsigned count = rtp_codec_is_video(codec) ? 1 + below(3) : 1;
        for (unsigned i = 0; i < count; i++) {
            struct packet *packet = add_packet(source);
            packet->descriptor.frame_start = i == 0;
            packet->descriptor.spatial = spatial;
            packet->descriptor.temporal = temporal;
            packet->wanted = temporal <= temporal_wanted && spatial <= spatial_wanted;
            number_packet(packet, source);
        }
    }
    if (chance(5))
        add_packet(source)->padding = true;
    source->frame++;
    source->picture++;
    source->timestamp += frame_units();
}

static void make_segment(struct source *source) {
    unsigned skipped = below(50); /* What it sent to others meanwhile. */
    source->seq += skipped * 3;
    source->picture += skipped;
    source->timestamp += skipped * frame_units();
    source->tl0picidx = (uint8_t)(source->tl0picidx + skipped / 4);
    packet_count = 0;
    uint8_t temporal_wanted = (uint8_t)below(3), spatial_wanted = (uint8_t)below(2);
    unsigned frames = 1 + below(FRAMES_MAX);
    for (unsigned i = 0; i < frames; i++)
        add_frame(source, i == 0, temporal_wanted, spatial_wanted);
}

static int by_place(const void *a, const void *b) {
    const struct packet *one = *(struct packet *const *)a, *other = *(struct packet *const *)b;
    return one->place < other->place ? -1 : one->place > other->place;
}

static bool is_newest(const struct packet *packet, uint64_t newest) {
    return packet->seq > newest;
}

/* As the engine does it: unwanted layers and padding are left out, late or not. */
static void forward(struct packet *packet, bool late) {
    const struct rtp_descriptor *descriptor = packet->padding ? NULL : &packet->descriptor;
    if (!packet->wanted) {
        rtp_rewriter_drop(&rewriter, packet->seq, descriptor);
        packet->fate = late ? LEFT_OUT_LATE : LEFT_OUT;
        return;
    }
    CHECK(rtp_rewriter_map(&rewriter, now_us, packet->seq, packet->timestamp, descriptor,
                           &packet->out));
    packet->fate = SENT;
    struct rtp_rewritten again;
    CHECK(!rtp_rewriter_map(&rewriter, now_us, packet->seq, packet->timestamp, descriptor, &again));
    const struct rtp_rewriter_entry *entry = rtp_rewriter_find(&rewriter, packet->out.seq);
    CHECK(entry != NULL);
    CHECK_INT(entry->source_seq, (uint32_t)packet->seq);
    CHECK_INT(entry->picture_id, packet->out.picture_id);
}

static void run_segment(void) {
    struct packet *arrivals[PACKETS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < packet_count; i++) {
        if (packets[i].fate == ARRIVES)
            arrivals[count++] = &packets[i];
    }
    qsort(arrivals, count, sizeof(arrivals[0]), by_place);
    uint64_t newest = 0;
    for (size_t i = 0; i < count; i++) {
        bool late = !is_newest(arrivals[i], newest);
        forward(arrivals[i], late);
        if (!late)
            newest = arrivals[i]->seq;
        now_us += 8000;
    }
}

/* Checks a first packet that was sent against the end of the last segment. */
static void check_joint(const struct packet *first) {
    if (!any_sent)
        return;
    CHECK_INT(first->out.seq, (uint16_t)(newest_seq + 1));
    CHECK((int32_t)(first->out.timestamp - newest_timestamp) >= (int32_t)frame_units());
    if (first->descriptor.picture_id == RTP_NO_NUMBER || !any_picture)
        return;
    CHECK_INT(first->out.picture_id, (newest_picture + 1) & 0x7fff);
    CHECK_INT(first->out.tl0picidx, (uint8_t)(newest_tl0 + 1));
}

static bool is_picture(const struct packet *packet) {
    return packet->descriptor.picture_id != RTP_NO_NUMBER;
}

/* How many numbers must and may be missing between two packets that were sent: those of what was
 * wanted and did not come, and those of what could not be known as unwanted in time. */
static void check_numbers_between(const struct packet *a, const struct packet *b) {
    int least = 0, most = 0;
    for (const struct packet *between = a + 1; between < b; between++) {
        least += between->wanted && between->fate == LOST;
        most += between->fate == LOST || between->fate == LEFT_OUT_LATE;
    }
    int missing = (uint16_t)(b->out.seq - a->out.seq) - 1;
    CHECK(missing >= least && missing <= most);
}

/* The same for picture ids; fixed ones keep their distance. */
static void check_pictures_between(const struct packet *a, const struct packet *b) {
    int distance = (b->out.picture_id - a->out.picture_id) & 0x7fff;
    if (!is_picture(a) || !is_picture(b))
        return;
    if (a->picture == b->picture || a->descriptor.picture_id_fixed) {
        CHECK_INT(distance, b->picture - a->picture);
        return;
    }
    int least = 1, most = 1;
    for (const struct packet *between = a + 1; between < b; between++) {
        bool first = is_picture(between) && between->descriptor.frame_start;
        if (!first || between->picture == a->picture || between->picture == b->picture)
            continue;
        least += between->wanted;
        most += between->fate != LEFT_OUT;
    }
    CHECK(distance >= least && distance <= most);
}

static void check_sent(const struct packet *first, const struct packet *packet) {
    uint64_t bit = UINT64_C(1) << packet->out.seq % 64;
    CHECK((sent_numbers[packet->out.seq / 64] & bit) == 0);
    sent_numbers[packet->out.seq / 64] |= bit;
    /* Half the number space behind is free again. */
    sent_numbers[(uint16_t)(packet->out.seq + 32768) / 64] = 0;
    CHECK_INT(packet->out.timestamp - first->out.timestamp, packet->timestamp - first->timestamp);
    if (is_picture(packet))
        CHECK_INT((uint8_t)(packet->out.tl0picidx - first->out.tl0picidx),
                  (uint8_t)(packet->descriptor.tl0picidx - first->descriptor.tl0picidx));
}

/* In the order in which the source sent. */
static void check_segment(void) {
    const struct packet *first = &packets[0], *last = first;
    CHECK_INT(first->fate, SENT);
    check_joint(first);
    check_sent(first, first);
    for (const struct packet *packet = first + 1; packet < packets + packet_count; packet++) {
        if (packet->fate != SENT)
            continue;
        check_sent(first, packet);
        check_numbers_between(last, packet);
        check_pictures_between(last, packet);
        last = packet;
    }
    newest_seq = last->out.seq;
    newest_timestamp = last->out.timestamp;
    any_sent = true;
    if (is_picture(last)) {
        newest_picture = last->out.picture_id;
        newest_tl0 = last->out.tl0picidx;
        any_picture = true;
    }
}

static void begin(enum rtp_codec of) {
    codec = of;
    random_state = of;
    for (int i = 0; i < SOURCES; i++) {
        sources[i] = (struct source){.seq = 65536 + below(65536),
                                     .timestamp = below(1u << 31) * 2,
                                     .picture = 100000 + below(100000),
                                     .tl0picidx = (uint8_t)below(256),
                                     .picture_id_bits = i == 0 ? 7 : 15};
        if (of != RTP_CODEC_VP8 && of != RTP_CODEC_VP9)
            sources[i].picture_id_bits = 0;
    }
    /* VP8 has a source without picture ids, too. */
    if (of == RTP_CODEC_VP8)
        sources[2].picture_id_bits = 0;
    rtp_rewriter_init(&rewriter, ring, CAPACITY, rtp_codec_clock_rate_hz(of),
                      (uint16_t)below(32768), below(1u << 31) * 2);
}

static void run(enum rtp_codec of) {
    begin(of);
    for (int i = 0; i < SWITCHES; i++) {
        struct source *source = &sources[below(SOURCES)];
        now_us += below(4) == 0 ? below(5000000) : 1000;
        rtp_rewriter_switch(&rewriter, chance(50), below(1u << 31) * 2);
        make_segment(source);
        run_segment();
        check_segment();
    }
}

static void vp8_stays_continuous_over_a_thousand_switches(void) {
    run(RTP_CODEC_VP8);
}

static void vp9_stays_continuous_over_a_thousand_switches(void) {
    run(RTP_CODEC_VP9);
}

static void h264_stays_continuous_over_a_thousand_switches(void) {
    run(RTP_CODEC_H264);
}

static void av1_stays_continuous_over_a_thousand_switches(void) {
    run(RTP_CODEC_AV1);
}

static void opus_stays_continuous_over_a_thousand_switches(void) {
    run(RTP_CODEC_OPUS);
}

static const struct test tests[] = {
    {"vp8_stays_continuous_over_a_thousand_switches",
     vp8_stays_continuous_over_a_thousand_switches},
    {"vp9_stays_continuous_over_a_thousand_switches",
     vp9_stays_continuous_over_a_thousand_switches},
    {"h264_stays_continuous_over_a_thousand_switches",
     h264_stays_continuous_over_a_thousand_switches},
    {"av1_stays_continuous_over_a_thousand_switches",
     av1_stays_continuous_over_a_thousand_switches},
    {"opus_stays_continuous_over_a_thousand_switches",
     opus_stays_continuous_over_a_thousand_switches},
};

TEST_MAIN(tests)
