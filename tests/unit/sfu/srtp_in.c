/* What comes in: right packets, wrong ones, replayed ones, and too short ones. */
#include "sfu/srtp_in.c" /* For the streams behind it. */

#include "tests/unit/sfu/srtp_kinds.h"

enum { PAYLOAD = 40, RTP_LEN = 12 + PAYLOAD, RTCP_LEN = 32, ROOM = 128 };

/* A peer on libsrtp2, and our end. */
struct pair {
    srtp_t peer;
    struct sfu_srtp_in *in;
    size_t tag_len;
};

static struct pair pair_make(const struct kind *kind) {
    struct pair pair;
    struct sfu_srtp_key key;
    memset(&key, 0x5a, sizeof(key));
    pair.tag_len = sfu_srtp_sizes_find(kind->profile)->tag_len;
    pair.peer = libsrtp_create(kind->profile, &key, ssrc_any_outbound);
    CHECK_INT(create_with(&pair.in, kind->library, kind->profile, &key), 0);
    return pair;
}

static void pair_free(struct pair *pair) {
    srtp_dealloc(pair->peer);
    sfu_srtp_in_destroy(pair->in);
}

static void rtp_plain(uint8_t *out, uint16_t seq, uint32_t ssrc) {
    const uint8_t header[12] = {
        0x80, 96,         seq >> 8,          seq & 0xff,       0,          0, 0,
        1,    ssrc >> 24, ssrc >> 16 & 0xff, ssrc >> 8 & 0xff, ssrc & 0xff};
    memcpy(out, header, 12);
    for (int i = 0; i < PAYLOAD; i++)
        out[12 + i] = (uint8_t)(seq + i);
}

static size_t rtp_from_peer(struct pair *pair, uint16_t seq, uint32_t ssrc, uint8_t *out) {
    int len = RTP_LEN;
    rtp_plain(out, seq, ssrc);
    CHECK_INT(srtp_protect(pair->peer, out, &len), srtp_err_status_ok);
    return (size_t)len;
}

static size_t rtcp_from_peer(struct pair *pair, uint8_t *out) {
    int len = RTCP_LEN;
    memset(out, 0x77, RTCP_LEN);
    memcpy(out, (uint8_t[]){0x81, 201, 0, 7}, 4);
    CHECK_INT(srtp_protect_rtcp(pair->peer, out, &len), srtp_err_status_ok);
    return (size_t)len;
}

static int rtp_sent(struct pair *pair, uint16_t seq, uint32_t ssrc) {
    uint8_t packet[ROOM];
    size_t len = rtp_from_peer(pair, seq, ssrc, packet);
    return sfu_srtp_unprotect_rtp(pair->in, packet, &len);
}

static void rtp_is_decrypted_in_place_and_a_replay_refused(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t packet[ROOM];
        uint8_t again[ROOM];
        uint8_t plain[RTP_LEN];
        rtp_plain(plain, 1000, 7);
        size_t len = rtp_from_peer(&pair, 1000, 7, packet);
        CHECK_INT(len, RTP_LEN + pair.tag_len);
        size_t again_len = len;
        memcpy(again, packet, len);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, packet, &len), 0);
        CHECK_BYTES(packet, len, plain, RTP_LEN);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, again, &again_len), -EALREADY);
        pair_free(&pair);
    }
}

static void rtcp_is_decrypted_in_place_and_a_replay_refused(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t packet[ROOM];
        uint8_t again[ROOM];
        size_t len = rtcp_from_peer(&pair, packet);
        CHECK_INT(len, RTCP_LEN + 4 + pair.tag_len);
        size_t again_len = len;
        memcpy(again, packet, len);
        CHECK_INT(sfu_srtp_unprotect_rtcp(pair.in, packet, &len), 0);
        CHECK_INT(len, RTCP_LEN);
        CHECK_INT(packet[31], 0x77);
        CHECK_INT(sfu_srtp_unprotect_rtcp(pair.in, again, &again_len), -EALREADY);
        pair_free(&pair);
    }
}

static void a_change_of_any_byte_is_noticed(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t rtp[ROOM];
        uint8_t rtcp[ROOM];
        size_t rtp_len = rtp_from_peer(&pair, 1000, 7, rtp);
        size_t rtcp_len = rtcp_from_peer(&pair, rtcp);
        for (size_t i = 0; i < rtp_len + rtcp_len; i++) {
            bool is_rtp = i < rtp_len;
            size_t len = is_rtp ? rtp_len : rtcp_len;
            uint8_t changed[ROOM];
            memcpy(changed, is_rtp ? rtp : rtcp, len);
            changed[is_rtp ? i : i - rtp_len] ^= 0x04;
            CHECK_INT(
                (is_rtp ? sfu_srtp_unprotect_rtp : sfu_srtp_unprotect_rtcp)(pair.in, changed, &len),
                -EBADMSG);
        }
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, rtp, &rtp_len), 0);
        CHECK_INT(sfu_srtp_unprotect_rtcp(pair.in, rtcp, &rtcp_len), 0);
        pair_free(&pair);
    }
}

/* Each in a buffer of exactly its length, so that the sanitizer sees what reads further. */
static void packets_cut_short_anywhere_are_malformed(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t rtp[ROOM];
        uint8_t rtcp[ROOM];
        size_t rtp_len = rtp_from_peer(&pair, 1000, 7, rtp);
        size_t rtcp_len = rtcp_from_peer(&pair, rtcp);
        for (size_t cut = 0; cut < rtp_len + rtcp_len; cut++) {
            bool is_rtp = cut < rtp_len;
            size_t len = is_rtp ? cut : cut - rtp_len;
            uint8_t *exact = malloc(len ? len : 1);
            memcpy(exact, is_rtp ? rtp : rtcp, len);
            CHECK_INT(
                (is_rtp ? sfu_srtp_unprotect_rtp : sfu_srtp_unprotect_rtcp)(pair.in, exact, &len),
                -EBADMSG);
            free(exact);
        }
        pair_free(&pair);
    }
}

static void headers_longer_than_the_packet_are_malformed(void) {
    static const struct {
        size_t len;
        uint8_t bytes[32];
    } rows[] = {
        {28, {0x8f, 96}},                                               /* 15 CSRCs. */
        {30, {0x90, 96}},                                               /* An extension, cut. */
        {32, {0x90, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},     /* Into the tag. */
        {32, {0x90, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}}, /* Far outside. */
        {32, {0x40, 96}},                                               /* Version 1. */
    };
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint8_t *exact = malloc(rows[i].len);
            size_t len = rows[i].len;
            memcpy(exact, rows[i].bytes, len);
            CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, exact, &len), -EBADMSG);
            CHECK_INT(len, rows[i].len);
            free(exact);
        }
        pair_free(&pair);
    }
}

static void the_replay_window_is_1024_packets(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t kept[1100][ROOM];
        size_t lens[1100];
        for (uint16_t i = 0; i < 1100; i++)
            lens[i] = rtp_from_peer(&pair, (uint16_t)(5000 + i), 7, kept[i]);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, kept[1099], &lens[1099]), 0);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, kept[1099 - 1023], &lens[1099 - 1023]), 0);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, kept[1099 - 1024], &lens[1099 - 1024]),
                  -EALREADY);
        pair_free(&pair);
    }
}

static void the_roll_over_counter_is_followed(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        for (uint32_t i = 0; i < 200000; i += 1000)
            CHECK_INT(rtp_sent(&pair, (uint16_t)(60000 + i), 7), 0);
        pair_free(&pair);
    }
}

/* A peer that has the keys can still not make us keep endless streams. */
static void many_ssrcs_do_not_displace_a_stream_in_use(void) {
    struct pair pair = pair_make(&all_kinds[0]);
    uint16_t seq = 65000;
    CHECK_INT(rtp_sent(&pair, seq, 7), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_INT(rtp_sent(&pair, 1, 100 + i), 0);
        CHECK_INT(rtp_sent(&pair, ++seq, 7), 0);
    }
    CHECK(seq < 1000); /* It rolled over on the way, and its counter was kept. */
    CHECK_INT(pair.in->rtp.count, STREAMS_MAX);
    CHECK(find(&pair.in->rtp, 7) != NULL);
    CHECK(find(&pair.in->rtp, 1099) != NULL && find(&pair.in->rtp, 1037) != NULL);
    CHECK(find(&pair.in->rtp, 1036) == NULL);
    pair_free(&pair);
}

/* RFC 8827 section 6.5 wants it encrypted always, whatever the E bit says. */
static void rtcp_in_the_clear_is_refused(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        bool gcm = all_kinds[p].profile != SFU_SRTP_AES128_CM_SHA1_80;
        uint8_t packet[ROOM];
        size_t len = rtcp_from_peer(&pair, packet);
        packet[RTCP_LEN + (gcm ? pair.tag_len : 0)] &= 0x7f;
        CHECK_INT(sfu_srtp_unprotect_rtcp(pair.in, packet, &len), -EBADMSG);
        pair_free(&pair);
    }
}

/* Nor does what was older than a stream's first packet. */
static void a_packet_from_before_the_first_one_harms_nothing(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t early[ROOM];
        size_t len = rtp_from_peer(&pair, 65535, 7, early);
        CHECK_INT(rtp_sent(&pair, 3, 7), -EBADMSG); /* After a roll-over that nobody saw here. */
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, early, &len), 0);
        CHECK_INT(rtp_sent(&pair, 4, 7), 0);
        pair_free(&pair);
    }
}

static void sizes_are_those_of_the_profiles(void) {
    CHECK_INT(sfu_srtp_key_len(SFU_SRTP_AES128_CM_SHA1_80), 16);
    CHECK_INT(sfu_srtp_salt_len(SFU_SRTP_AES128_CM_SHA1_80), 14);
    CHECK_INT(sfu_srtp_key_len(SFU_SRTP_AEAD_AES_128_GCM), 16);
    CHECK_INT(sfu_srtp_salt_len(SFU_SRTP_AEAD_AES_128_GCM), 12);
    CHECK_INT(sfu_srtp_key_len(SFU_SRTP_AEAD_AES_256_GCM), 32);
    CHECK_INT(sfu_srtp_salt_len(SFU_SRTP_AEAD_AES_256_GCM), 12);
    CHECK_INT(sfu_srtp_key_len(SFU_SRTP_NONE), 0);
    struct sfu_srtp_in *in;
    CHECK_INT(sfu_srtp_in_create(&in, SFU_SRTP_NONE, &(struct sfu_srtp_key){0}), -ENOTSUP);
    sfu_srtp_in_destroy(NULL);
}

static const struct test tests[] = {
    {"rtp_is_decrypted_in_place_and_a_replay_refused",
     rtp_is_decrypted_in_place_and_a_replay_refused},
    {"rtcp_is_decrypted_in_place_and_a_replay_refused",
     rtcp_is_decrypted_in_place_and_a_replay_refused},
    {"a_change_of_any_byte_is_noticed", a_change_of_any_byte_is_noticed},
    {"packets_cut_short_anywhere_are_malformed", packets_cut_short_anywhere_are_malformed},
    {"headers_longer_than_the_packet_are_malformed", headers_longer_than_the_packet_are_malformed},
    {"the_replay_window_is_1024_packets", the_replay_window_is_1024_packets},
    {"the_roll_over_counter_is_followed", the_roll_over_counter_is_followed},
    {"many_ssrcs_do_not_displace_a_stream_in_use", many_ssrcs_do_not_displace_a_stream_in_use},
    {"rtcp_in_the_clear_is_refused", rtcp_in_the_clear_is_refused},
    {"a_packet_from_before_the_first_one_harms_nothing",
     a_packet_from_before_the_first_one_harms_nothing},
    {"sizes_are_those_of_the_profiles", sizes_are_those_of_the_profiles},
};

TEST_MAIN(tests)
