/* The fan-out's SRTP against the vectors of RFC 3711 and RFC 7714, and against libsrtp2. */
#include "sfu/srtp_out.c" /* For the ciphers inside. */

#include <openssl/crypto.h>

#include "tests/unit/sfu/srtp_kinds.h"

enum { PACKET_MAX = 2048 };

static uint64_t seed = 88172645463325252;

static uint32_t random_next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static void random_fill(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)random_next();
}

static struct sfu_srtp_key key_of(const char *key, const char *salt) {
    struct sfu_srtp_key out = {0};
    test_hex(key, out.key, sizeof(out.key));
    test_hex(salt, out.salt, sizeof(out.salt));
    return out;
}

static struct sfu_srtp_key key_random(void) {
    struct sfu_srtp_key key;
    random_fill(key.key, sizeof(key.key));
    random_fill(key.salt, sizeof(key.salt));
    return key;
}

static struct sfu_srtp_out *out_make(const struct kind *kind, const struct sfu_srtp_key *key) {
    struct sfu_srtp_out *out = NULL;
    CHECK_INT(create_with(&out, kind->library, kind->profile, key), 0);
    return out;
}

/* As if the key derivation had given these session keys. */
static struct sfu_srtp_out *out_with_session_key(const struct kind *kind, const char *key,
                                                 const char *salt) {
    struct sfu_srtp_key session = key_of(key, salt);
    struct sfu_srtp_out *out = out_make(kind, &session);
    uint8_t iv[SFU_SRTP_IV_MAX] = {0};
    memcpy(iv, session.salt, sizeof(session.salt));
    out->rtp.salt[0] = rtp_get64(iv);
    out->rtp.salt[1] = rtp_get64(iv + 8);
    if (out->rtp.ctr != NULL) {
        CHECK(EVP_EncryptInit_ex(out->rtp.ctr, NULL, NULL, session.key, NULL) == 1);
        return out;
    }
    kind->library->destroy(out->rtp.gcm);
    out->rtp.gcm = kind->library->create(session.key, out->rtp.sizes->key_len, true);
    CHECK(out->rtp.gcm != NULL);
    return out;
}

static void check_derived(uint8_t label, const char *wanted_hex) {
    struct sfu_srtp_key master =
        key_of("E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6");
    uint8_t wanted[94];
    uint8_t got[94];
    size_t len = test_hex(wanted_hex, wanted, sizeof(wanted));
    CHECK_INT(
        sfu_srtp_derive(sfu_srtp_sizes_find(SFU_SRTP_AES128_CM_SHA1_80), &master, label, got, len),
        0);
    CHECK_BYTES(got, len, wanted, len);
}

static void derives_the_session_keys_of_rfc_3711_b_3(void) {
    check_derived(SFU_SRTP_LABEL_KEY, "C61E7A93744F39EE10734AFE3FF7A087");
    check_derived(SFU_SRTP_LABEL_SALT, "30CBBC08863D8C85D49DB34A9AE1");
    check_derived(SFU_SRTP_LABEL_AUTH,
                  "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE"
                  "E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25"
                  "6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2");
}

static void has_the_keystream_of_rfc_3711_b_2(void) {
    static const struct {
        size_t block;
        const char *keystream;
    } rows[] = {
        {0x0000, "E03EAD0935C95E80E166B16DD92B4EB4"}, {0x0001, "D23513162B02D0F72A43A2FE4A5F97AB"},
        {0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0"}, {0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"},
        {0xff00, "362B7C3C6773516318A077D7FC5073AE"}, {0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"},
    };
    struct sfu_srtp_out *out = out_with_session_key(
        &all_kinds[2], "2B7E151628AED2A6ABF7158809CF4F3C", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    size_t len = 0xff02 * 16;
    uint8_t *zeros = calloc(1, len);
    uint8_t *packet = calloc(1, 12 + len + SFU_SRTP_OVERHEAD_MAX);
    struct sfu_srtp_stream stream = {0};
    packet[0] = 0x80;
    CHECK_INT(sfu_srtp_protect_rtp(out, &stream, packet, 12, NULL, 0, zeros, len), 12 + len + 10);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t wanted[16];
        test_hex(rows[i].keystream, wanted, sizeof(wanted));
        CHECK_BYTES(packet + 12 + rows[i].block * 16, 16, wanted, 16);
    }
    free(zeros);
    free(packet);
    sfu_srtp_out_destroy(out);
}

/* Protects a packet given as hex, with the first prefix_len bytes of its payload as the prefix. */
static void check_protected(struct sfu_srtp_out *out, const char *plain_hex, size_t prefix_len,
                            const char *wanted_hex) {
    uint8_t plain[128];
    uint8_t wanted[128];
    uint8_t packet[128];
    struct sfu_srtp_stream stream = {0};
    size_t plain_len = test_hex(plain_hex, plain, sizeof(plain));
    size_t wanted_len = test_hex(wanted_hex, wanted, sizeof(wanted));
    memcpy(packet, plain, 12);
    size_t len = sfu_srtp_protect_rtp(out, &stream, packet, 12, plain + 12, prefix_len,
                                      plain + 12 + prefix_len, plain_len - 12 - prefix_len);
    CHECK_BYTES(packet, len, wanted, wanted_len);
}

/* Sections 16.1.1 and 16.2.1. */
static void protects_the_packets_of_rfc_7714(void) {
    static const char plain[] = "8040f17b 8041f8d3 5501a0b2"
                                "47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070"
                                "61727465 73207472 6573";
    static const char key[] = "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f";
    static const char salt[] = "51 75 69 64 20 70 72 6f 20 71 75 6f";
    static const char wanted128[] =
        "8040f17b 8041f8d3 5501a0b2"
        "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833"
        "899d7f27 beb16a91 52cf765e e4390cce";
    static const char wanted256[] =
        "8040f17b 8041f8d3 5501a0b2"
        "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b"
        "7aa3db36 dfffd6b0 f9bb7878 d7a76c13";
    for (size_t k = 0; k < kind_count(); k++) {
        if (all_kinds[k].profile == SFU_SRTP_AES128_CM_SHA1_80)
            continue;
        bool is_256 = all_kinds[k].profile == SFU_SRTP_AEAD_AES_256_GCM;
        struct sfu_srtp_out *out = out_with_session_key(&all_kinds[k], key, salt);
        for (size_t prefix = 0; prefix <= 38; prefix++)
            check_protected(out, plain, prefix, is_256 ? wanted256 : wanted128);
        sfu_srtp_out_destroy(out);
    }
}

/* From master keys on, as libsrtp's own tests have them (srtp_validate, srtp_validate_gcm). */
static void protects_the_packets_of_libsrtps_own_tests(void) {
    static const char plain[] = "800f1234 decafbad cafebabe abababab abababab abababab abababab";
    struct sfu_srtp_key key =
        key_of("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
    struct sfu_srtp_out *out = out_make(&all_kinds[2], &key);
    check_protected(out, plain, 3,
                    "800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402"
                    "b78d6acc 99ea179b 8dbb");
    sfu_srtp_out_destroy(out);

    key = key_of("000102030405060708090a0b0c0d0e0f", "a0a1a2a3a4a5a6a7a8a9aaab");
    out = out_make(&all_kinds[0], &key);
    check_protected(out, plain, 0,
                    "800f1234 decafbad cafebabe c5002ede 04cfdd2e b91159e0 880aa06e"
                    "d2976826 f796b201 df3131a1 27e8a392");
    sfu_srtp_out_destroy(out);
}

/* A random packet; *header_len is with CSRCs and extension. */
static size_t packet_random(uint8_t *packet, uint16_t seq, uint32_t ssrc, size_t *header_len) {
    unsigned csrcs = random_next() % 3;
    unsigned words = random_next() % 5;
    bool extended = random_next() % 2;
    random_fill(packet, PACKET_MAX);
    packet[0] = (uint8_t)(0x80 | (extended ? 0x10 : 0) | csrcs);
    packet[2] = (uint8_t)(seq >> 8);
    packet[3] = (uint8_t)seq;
    for (int i = 0; i < 4; i++)
        packet[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    *header_len = 12 + 4 * (size_t)csrcs;
    if (extended) {
        const uint8_t extension[] = {0xbe, 0xde, 0, (uint8_t)words};
        memcpy(packet + *header_len, extension, 4);
        *header_len += 4 + 4 * (size_t)words;
    }
    return *header_len + random_next() % 1200;
}

/* Protects packet by us, its prefix and payload from elsewhere; returns the length. */
static size_t protect(struct sfu_srtp_out *out, struct sfu_srtp_stream *stream,
                      const uint8_t *packet, size_t header_len, size_t len, uint8_t *ours) {
    size_t body = len - header_len;
    size_t prefix_len = body ? random_next() % (body < 40 ? body + 1 : 40) : 0;
    memcpy(ours, packet, header_len);
    return sfu_srtp_protect_rtp(out, stream, ours, header_len, packet + header_len, prefix_len,
                                packet + header_len + prefix_len, body - prefix_len);
}

static void equals_libsrtp_for_random_packets_through_rollovers(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct sfu_srtp_key key = key_random();
        struct sfu_srtp_out *out = out_make(&all_kinds[p], &key);
        srtp_t oracle = libsrtp_create(all_kinds[p].profile, &key, ssrc_any_outbound);
        struct sfu_srtp_stream streams[2] = {{0}};
        uint16_t seq = 30000;
        for (int i = 0; i < 3000; i++) {
            uint8_t theirs[PACKET_MAX + SRTP_MAX_TRAILER_LEN];
            uint8_t ours[PACKET_MAX];
            size_t header_len;
            seq = (uint16_t)(seq + 1 + random_next() % 200);
            size_t len = packet_random(theirs, seq, 0x1000 + i % 2, &header_len);
            size_t our_len = protect(out, &streams[i % 2], theirs, header_len, len, ours);
            int their_len = (int)len;
            CHECK_INT(srtp_protect(oracle, theirs, &their_len), srtp_err_status_ok);
            CHECK_BYTES(ours, our_len, theirs, (size_t)their_len);
        }
        CHECK(streams[0].roc >= 3);
        srtp_dealloc(oracle);
        sfu_srtp_out_destroy(out);
    }
}

/* A sender and a receiver of the same keys. */
struct pair {
    struct sfu_srtp_out *out;
    struct sfu_srtp_in *in;
    struct sfu_srtp_stream stream;
};

static struct pair pair_make(const struct kind *kind) {
    struct sfu_srtp_key key = key_random();
    struct pair pair = {.out = out_make(kind, &key)};
    CHECK_INT(sfu_srtp_in_create(&pair.in, kind->profile, &key), 0);
    return pair;
}

static void pair_free(struct pair *pair) {
    sfu_srtp_out_destroy(pair->out);
    sfu_srtp_in_destroy(pair->in);
}

static void check_arrives(struct pair *pair, uint16_t seq) {
    uint8_t packet[PACKET_MAX];
    uint8_t ours[PACKET_MAX];
    size_t header_len;
    size_t len = packet_random(packet, seq, 0x5501a0b2, &header_len);
    size_t protected_len = protect(pair->out, &pair->stream, packet, header_len, len, ours);
    CHECK_INT(protected_len, len + pair->out->rtp.sizes->tag_len);
    CHECK_INT(sfu_srtp_unprotect_rtp(pair->in, ours, &protected_len), 0);
    CHECK_BYTES(ours, protected_len, packet, len);
}

static void the_receiver_reads_late_packets_around_a_rollover(void) {
    static const uint16_t seqs[] = {65530, 65532, 65535, 0,  2,     65534, 1, 65533,
                                    100,   65531, 900,   99, 65529, 500,   3};
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++)
            check_arrives(&pair, seqs[i]);
        CHECK_INT(pair.stream.roc, 1);
        CHECK_INT(pair.stream.highest_seq, 900);
        pair_free(&pair);
    }
}

static void a_packet_repeated_after_the_rollover_is_the_same_packet(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct pair pair = pair_make(&all_kinds[p]);
        uint8_t packet[PACKET_MAX];
        uint8_t first[PACKET_MAX];
        uint8_t again[PACKET_MAX];
        size_t header_len;
        check_arrives(&pair, 65533);
        size_t len = packet_random(packet, 65534, 0x5501a0b2, &header_len);
        size_t first_len = protect(pair.out, &pair.stream, packet, header_len, len, first);
        check_arrives(&pair, 65535);
        check_arrives(&pair, 0);
        size_t again_len = protect(pair.out, &pair.stream, packet, header_len, len, again);
        CHECK_BYTES(again, again_len, first, first_len);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, again, &again_len), 0);
        CHECK_INT(sfu_srtp_unprotect_rtp(pair.in, first, &first_len), -EALREADY);
        pair_free(&pair);
    }
}

static void the_roll_over_counter_follows_rfc_3711_3_3_1(void) {
    static const struct {
        uint16_t seq;
        uint32_t roc;
    } rows[] = {
        {65535, 0}, {0, 1}, {65535, 0}, {32767, 1}, {65534, 1},
        {65535, 1}, {3, 2}, {65000, 1}, {4, 2},
    };
    struct sfu_srtp_stream stream = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_INT(stream_advance(&stream, rows[i].seq), rows[i].roc);
    /* Older than the very first: not the counter that 65,535 will have one day. */
    stream = (struct sfu_srtp_stream){0};
    CHECK_INT(stream_advance(&stream, 3), 0);
    CHECK_INT(stream_advance(&stream, 65535), UINT32_MAX);
    CHECK_INT(stream_advance(&stream, 4), 0);
}

static size_t rtcp_random(uint8_t *out, size_t capacity) {
    size_t len = 8 + 4 * (random_next() % 60);
    random_fill(out, capacity);
    const uint8_t header[] = {0x80, 201, 0, (uint8_t)(len / 4 - 1)};
    memcpy(out, header, 4);
    return len;
}

static void rtcp_out_is_read_by_the_receiver_and_by_libsrtp(void) {
    for (size_t p = 0; p < kind_count(); p++) {
        struct sfu_srtp_key key = key_random();
        struct sfu_srtp_out *out = out_make(&all_kinds[p], &key);
        struct sfu_srtp_in *in;
        CHECK_INT(sfu_srtp_in_create(&in, all_kinds[p].profile, &key), 0);
        srtp_t oracle = libsrtp_create(all_kinds[p].profile, &key, ssrc_any_inbound);
        for (int i = 0; i < 100; i++) {
            uint8_t plain[256], ours[256 + SFU_SRTCP_OVERHEAD_MAX], copy[sizeof(ours)];
            size_t plain_len = rtcp_random(plain, sizeof(plain)), len = plain_len;
            memcpy(ours, plain, plain_len);
            CHECK_INT(sfu_srtp_protect_rtcp(out, ours, &len), 0);
            CHECK_INT(len, plain_len + 4 + out->rtcp.sizes->tag_len);
            int copy_len = (int)len;
            memcpy(copy, ours, len);
            CHECK_INT(srtp_unprotect_rtcp(oracle, copy, &copy_len), srtp_err_status_ok);
            CHECK_BYTES(copy, (size_t)copy_len, plain, plain_len);
            CHECK_INT(sfu_srtp_unprotect_rtcp(in, ours, &len), 0);
            CHECK_BYTES(ours, len, plain, plain_len);
        }
        size_t short_len = 7;
        CHECK_INT(sfu_srtp_protect_rtcp(out, (uint8_t[64]){0x80}, &short_len), -EIO);
        srtp_dealloc(oracle);
        sfu_srtp_out_destroy(out);
        sfu_srtp_in_destroy(in);
    }
}

/* RFC 3711 section 3.2.1: new keys would be due. */
static void no_rtcp_index_is_used_twice(void) {
    struct sfu_srtp_key key = key_random();
    struct sfu_srtp_out *out = out_make(&all_kinds[0], &key);
    uint8_t packet[64] = {0x80, 201, 0, 1};
    size_t len = 8;
    out->rtcp_index = SFU_SRTCP_ENCRYPTED - 2;
    CHECK_INT(sfu_srtp_protect_rtcp(out, packet, &len), 0);
    len = 8;
    CHECK_INT(sfu_srtp_protect_rtcp(out, packet, &len), -EIO);
    sfu_srtp_out_destroy(out);
}

static void unknown_profiles_are_refused(void) {
    struct sfu_srtp_out *out = NULL;
    struct sfu_srtp_key key = {0};
    CHECK_INT(sfu_srtp_out_create(&out, SFU_SRTP_NONE, &key), -ENOTSUP);
    CHECK_INT(sfu_srtp_out_create(&out, (enum sfu_srtp_profile)2, &key), -ENOTSUP);
    CHECK(out == NULL);
    sfu_srtp_out_destroy(NULL);
}

static size_t allocations;

static void *counting_malloc(size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    allocations++;
    return malloc(size);
}

static void *counting_realloc(void *memory, size_t size, const char *file, int line) {
    (void)file;
    (void)line;
    allocations++;
    return realloc(memory, size);
}

static void counting_free(void *memory, const char *file, int line) {
    (void)file;
    (void)line;
    free(memory);
}

static void nothing_is_allocated_for_a_packet(void) {
    CHECK(CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) == 1);
    for (size_t p = 0; p < kind_count(); p++) {
        struct sfu_srtp_key key = key_random();
        struct sfu_srtp_out *out = out_make(&all_kinds[p], &key);
        struct sfu_srtp_stream stream = {0};
        CHECK(allocations > 0);
        size_t before = allocations;
        for (int i = 0; i < 1000; i++) {
            uint8_t packet[PACKET_MAX];
            uint8_t ours[PACKET_MAX];
            size_t header_len;
            size_t len = packet_random(packet, (uint16_t)i, 1, &header_len);
            CHECK(protect(out, &stream, packet, header_len, len, ours) > 0);
        }
        CHECK_INT(allocations, before);
        sfu_srtp_out_destroy(out);
    }
}

static const struct test tests[] = {
    {"derives_the_session_keys_of_rfc_3711_b_3", derives_the_session_keys_of_rfc_3711_b_3},
    {"has_the_keystream_of_rfc_3711_b_2", has_the_keystream_of_rfc_3711_b_2},
    {"protects_the_packets_of_rfc_7714", protects_the_packets_of_rfc_7714},
    {"protects_the_packets_of_libsrtps_own_tests", protects_the_packets_of_libsrtps_own_tests},
    {"equals_libsrtp_for_random_packets_through_rollovers",
     equals_libsrtp_for_random_packets_through_rollovers},
    {"the_receiver_reads_late_packets_around_a_rollover",
     the_receiver_reads_late_packets_around_a_rollover},
    {"a_packet_repeated_after_the_rollover_is_the_same_packet",
     a_packet_repeated_after_the_rollover_is_the_same_packet},
    {"the_roll_over_counter_follows_rfc_3711_3_3_1", the_roll_over_counter_follows_rfc_3711_3_3_1},
    {"rtcp_out_is_read_by_the_receiver_and_by_libsrtp",
     rtcp_out_is_read_by_the_receiver_and_by_libsrtp},
    {"no_rtcp_index_is_used_twice", no_rtcp_index_is_used_twice},
    {"unknown_profiles_are_refused", unknown_profiles_are_refused},
    {"nothing_is_allocated_for_a_packet", nothing_is_allocated_for_a_packet},
};

TEST_MAIN(tests)
