/* Nothing is allocated for a packet. */
#include "tests/unit/sfu/fixture_media.h"

#include <stdlib.h>

/* Counts what is allocated, where no sanitizer does so itself. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if !defined(SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1

static size_t allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations++;
    return __libc_realloc(old, size);
}
#endif

/* Audio, video and repetitions to four viewers, without reports, which come by the clock. */
static void a_forwarded_packet_allocates_nothing(void) {
#ifdef COUNTS_ALLOCATIONS
    rig_open();
    struct rig_peer *publisher = rig_join();
    struct sfu_media *camera = rig_add(publisher, true, SFU_PUBLISHES);
    struct sfu_media *microphone = rig_add(publisher, false, SFU_PUBLISHES);
    rig_connect(publisher);
    struct rig_peer *viewers[4];
    for (size_t i = 0; i < 4; i++) {
        viewers[i] = rig_join();
        struct sfu_media *video = rig_add(viewers[i], true, SFU_SLOT);
        struct sfu_media *audio = rig_add(viewers[i], false, SFU_SLOT);
        rig_connect(viewers[i]);
        rig_carry(viewers[i], video, camera->track);
        rig_carry(viewers[i], audio, microphone->track);
        sfu_srtp_in_destroy(viewers[i]->in); /* Decrypting here would count. */
        viewers[i]->in = NULL;
    }
    for (uint16_t i = 0; i < 1600; i++) {
        if (i == 600) /* The histories are full. */
            allocations = 0;
        rig_video(publisher, camera->ssrcs[0], i, i, i % 100 ? RIG_START : RIG_KEY);
        rig_audio(publisher, microphone->ssrcs[0], i);
        if (i % 10 == 0)
            rig_nack(viewers[1], viewers[1]->media[0].slot_ssrc, &i, 1);
        rig_clear();
    }
    CHECK(rig.engines[0]->counters.rtp_forwarded >= 1600 * 8);
    CHECK_INT(allocations, 0);
    rig_close();
#endif
}

#ifdef COUNTS_ALLOCATIONS
/* Protected when it is sent, so that nothing of the peer's own counts. */
static void send_simulcast(struct rig_peer *peer, const struct sfu_media *media, uint16_t i) {
    for (uint32_t layer = 0; layer < 3; layer++) {
        uint8_t payload[RIG_PAYLOAD_LEN];
        int flags = i % 100 ? RIG_START | RIG_END : RIG_KEY | RIG_END;
        struct rig_rtp rtp = {.ssrc = media->ssrcs[layer],
                              .payload_type = RIG_VP8_PT,
                              .seq = i,
                              .timestamp = i * UINT32_C(1800),
                              .marker = true,
                              .has_transport_seq = true,
                              .transport_seq = (uint16_t)(i * 3 + layer),
                              .payload = payload,
                              .len = rig_vp8(payload, i, flags, (uint16_t)(180 << layer), i)};
        if (i % 16 != 7)
            rig_put(peer, &rtp);
        if (i % 16 != 10) /* What was lost has been asked for, and comes as RTX. */
            continue;
        uint8_t repeated[2 + RIG_PAYLOAD_LEN];
        rtp_put16(repeated, i - 3);
        rig_vp8(repeated + 2, i - 3u, RIG_START | RIG_END, (uint16_t)(180 << layer), i - 3);
        rtp.ssrc = media->rtx_ssrcs[layer];
        rtp.payload_type = RIG_RTX_PT;
        rtp.seq = i / 16;
        rtp.timestamp -= 3 * 1800;
        rtp.payload = repeated;
        rtp.len = sizeof(repeated);
        rig_put(peer, &rtp);
    }
}

static void send_voice(struct rig_peer *peer, const struct sfu_media *media, uint16_t i) {
    struct rtp_extensions level = {
        .present = 1u << RTP_EXT_AUDIO_LEVEL, .audio_level = 20 + i % 80, .voice = true};
    uint8_t payload[RIG_PAYLOAD_LEN] = {0x78};
    rig_put(peer, &(struct rig_rtp){.ssrc = media->ssrcs[0],
                                    .payload_type = RIG_OPUS_PT,
                                    .seq = i,
                                    .timestamp = i * UINT32_C(960),
                                    .others = &level,
                                    .payload = payload,
                                    .len = sizeof(payload)});
}

/* All that it was sent until now has arrived, and is reported. */
static void send_feedback(struct rig_peer *peer, struct rtp_twcc_receiver *twcc,
                          uint16_t *reported) {
    uint8_t data[RIG_DATAGRAM_MAX], body[RTP_TWCC_BODY_MAX];
    struct rtcp_builder builder;
    for (uint16_t newest = peer->transport->transport_seq; *reported != newest;)
        rtp_twcc_on_packet(twcc, rig.now_us, ++*reported);
    size_t len = rtp_twcc_feedback_write(twcc, body, sizeof(body));
    struct rtcp_report_block block = {.ssrc = peer->media[0].slot_ssrc};
    rtcp_builder_init(&builder, data, sizeof(data));
    CHECK_INT(rtcp_append_rr(&builder, 1, &block, 1), 0);
    if (len > 0)
        CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 0, body, len), 0);
    rig_send_rtcp(peer, &builder);
}
#endif

/* Simulcast with losses and RTX, voices with their levels, numbers and feedback in both directions,
 * NACK, PLI, reports by the clock, estimation, probes and changes of layers that follow from it. */
static void twenty_seconds_of_everything_allocates_nothing(void) {
#ifdef COUNTS_ALLOCATIONS
    rig_open();
    struct rig_peer *publisher = rig_join();
    struct sfu_media *camera = rig_add_simulcast(publisher);
    struct sfu_media *microphone = rig_add(publisher, false, SFU_PUBLISHES);
    rig_connect(publisher);
    struct rig_peer *viewers[4];
    static struct rtp_twcc_receiver twcc[4];
    uint16_t reported[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        viewers[i] = rig_join();
        struct sfu_media *video = rig_add(viewers[i], true, SFU_SLOT);
        struct sfu_media *audio = rig_add(viewers[i], false, SFU_SLOT);
        video->transport_cc = audio->transport_cc = true;
        rig_connect(viewers[i]);
        rig_carry(viewers[i], video, camera->track);
        rig_carry(viewers[i], audio, microphone->track);
    }
    for (size_t i = 0; i < rig.peer_count; i++) {
        sfu_srtp_in_destroy(rig.peers[i].in); /* Decrypting here would count. */
        rig.peers[i].in = NULL;
    }
    for (uint16_t i = 0; i < 1200; i++) {
        if (i == 600)
            allocations = 0;
        send_simulcast(publisher, camera, i);
        send_voice(publisher, microphone, i);
        rig_flush();
        for (size_t k = 0; k < 4 && i % 3 == 0; k++)
            send_feedback(viewers[k], &twcc[k], &reported[k]);
        uint16_t lost = viewers[1]->transport->mlines[0].slot->rewriter.out_seq;
        if (i % 10 == 0)
            rig_nack(viewers[1], viewers[1]->media[0].slot_ssrc, &lost, 1);
        if (i % 150 == 0)
            rig_pli(viewers[2], viewers[2]->media[0].slot_ssrc);
        for (uint64_t until_us = rig.now_us + 20 * MS; rig.now_us < until_us;
             rig.now_us += 4 * MS) {
            sfu_engine_on_deadline(rig.engines[0], rig.now_us);
            rig_flush();
        }
        rig_clear();
    }
    const struct sfu_counters *counters = &rig.engines[0]->counters;
    CHECK(counters->rtp_forwarded > 1100 * 8);
    CHECK(counters->rtp_retransmitted >= 60);
    CHECK(counters->nacks_sent > 0);
    CHECK(counters->drop_rtcp_malformed == 0);
    CHECK_INT(allocations, 0);
    rig_close();
#endif
}

static const struct test tests[] = {
    {"a_forwarded_packet_allocates_nothing", a_forwarded_packet_allocates_nothing},
    {"twenty_seconds_of_everything_allocates_nothing",
     twenty_seconds_of_everything_allocates_nothing},
};

TEST_MAIN(tests)
