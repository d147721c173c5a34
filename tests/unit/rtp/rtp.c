/* RTP headers and header extensions: reading real packets and malformed ones, and writing. */
#include "rtp/rtp.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

/* An Opus packet of Chrome (PT 111, audio level −127 dBov with voice as id 1). */
static const char chrome_opus[] = "906f5c41 62f547da 9f7108e2 bede0001 10ff0000"
                                  "bae21a9da27876098db8e277d041d9c0f1e78a699af0ee8f987cd517c22b92dc"
                                  "9b23";
/* Another with abs-send-time as id 3 before it. */
static const char chrome_opus_send_time[] = "906f4b9a 3377723d 0e0dfad2 bede0002 3265341e 10d00000"
                                            "094f4383";

static const struct rtp_ext_map chrome_map = {.ids = {[RTP_EXT_AUDIO_LEVEL] = 1,
                                                      [RTP_EXT_ABS_SEND_TIME] = 3,
                                                      [RTP_EXT_TRANSPORT_SEQ] = 5,
                                                      [RTP_EXT_MID] = 4,
                                                      [RTP_EXT_RID] = 10,
                                                      [RTP_EXT_REPAIRED_RID] = 11,
                                                      [RTP_EXT_ROTATION] = 13,
                                                      [RTP_EXT_PLAYOUT_DELAY] = 6,
                                                      [RTP_EXT_DEPENDENCY] = 12,
                                                      [RTP_EXT_CAPTURE_TIME] = 2}};

static uint8_t data[2048];

static size_t parse(const char *hex, struct rtp_packet *packet) {
    size_t len = test_hex(hex, data, sizeof data);
    CHECK_INT(rtp_parse(packet, data, len), 0);
    return len;
}

static void check_malformed(const char *hex) {
    struct rtp_packet packet, before;
    memset(&packet, 0x5a, sizeof packet);
    memset(&before, 0x5a, sizeof before);
    size_t len = test_hex(hex, data, sizeof data);
    CHECK_INT(rtp_parse(&packet, data, len), -EBADMSG);
    CHECK_BYTES(&packet, sizeof packet, &before, sizeof before);
}

static struct rtp_extensions extensions_of(const char *hex) {
    struct rtp_packet packet;
    parse(hex, &packet);
    struct rtp_extensions extensions;
    rtp_extensions_parse(&extensions, &packet, data, &chrome_map);
    return extensions;
}

static void a_datagram_is_told_apart_by_its_first_bytes(void) {
    static const struct {
        uint8_t first, second;
        enum rtp_datagram_kind kind;
    } rows[] = {
        {0, 1, RTP_DATAGRAM_STUN},        {1, 1, RTP_DATAGRAM_STUN},
        {3, 0, RTP_DATAGRAM_STUN},        {4, 0, RTP_DATAGRAM_UNKNOWN},
        {19, 0, RTP_DATAGRAM_UNKNOWN},    {20, 254, RTP_DATAGRAM_DTLS},
        {63, 254, RTP_DATAGRAM_DTLS},     {64, 0, RTP_DATAGRAM_UNKNOWN},
        {79, 0, RTP_DATAGRAM_UNKNOWN},    {127, 0, RTP_DATAGRAM_UNKNOWN},
        {128, 111, RTP_DATAGRAM_RTP},     {128, 191, RTP_DATAGRAM_RTP},
        {129, 192, RTP_DATAGRAM_RTCP},    {144, 200, RTP_DATAGRAM_RTCP},
        {191, 223, RTP_DATAGRAM_RTCP},    {191, 224, RTP_DATAGRAM_RTP},
        {192, 200, RTP_DATAGRAM_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[2] = {rows[i].first, rows[i].second};
        CHECK_INT(rtp_datagram_kind(bytes, 2), rows[i].kind);
    }
    CHECK_INT(rtp_datagram_kind(data, 0), RTP_DATAGRAM_UNKNOWN);
    CHECK_INT(rtp_datagram_kind((const uint8_t[]){128}, 1), RTP_DATAGRAM_UNKNOWN);
}

static void a_real_packet_is_read(void) {
    struct rtp_packet packet;
    CHECK_INT(parse(chrome_opus, &packet), 54);
    CHECK_INT(packet.payload_type, 111);
    CHECK(!packet.marker);
    CHECK_INT(packet.seq, 23617);
    CHECK_INT(packet.timestamp, 1660241882);
    CHECK_INT(packet.ssrc, 0x9f7108e2);
    CHECK_INT(packet.ext_profile, 0xbede);
    CHECK_INT(packet.ext_offset, 16);
    CHECK_INT(packet.ext_len, 4);
    CHECK_INT(packet.payload_offset, 20);
    CHECK_INT(packet.payload_len, 34);
    CHECK_INT(packet.padding_len, 0);
}

static void contributing_sources_are_skipped(void) {
    struct rtp_packet packet;
    parse("82e4 1234 65431278 12345678 34567890 32435465 0001", &packet);
    CHECK(packet.marker);
    CHECK_INT(packet.payload_type, 100);
    CHECK_INT(packet.payload_offset, 20);
    CHECK_INT(packet.payload_len, 2);
    CHECK_INT(packet.ext_profile, 0);
    check_malformed("8fe4 1234 65431278 12345678 34567890 32435465 0001");
}

static void padding_is_taken_off_the_payload(void) {
    struct rtp_packet packet;
    parse("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be8804", &packet);
    CHECK_INT(packet.payload_len, 1);
    CHECK_INT(packet.padding_len, 4);
}

static void a_packet_of_padding_alone_is_valid(void) {
    struct rtp_packet packet;
    parse("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be8805", &packet);
    CHECK_INT(packet.payload_len, 0);
    CHECK_INT(packet.padding_len, 5);
    parse("80e0698f d9c293da 1c642782", &packet);
    CHECK_INT(packet.payload_len, 0);
}

static void padding_longer_than_the_payload_is_malformed(void) {
    check_malformed("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be8806");
    check_malformed("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be88ff");
    check_malformed("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be8800");
    check_malformed("a0e0698f d9c293da 1c642782");
    check_malformed("a0e0698f d9c293da 1c642704");
}

static void a_header_cut_short_is_malformed(void) {
    check_malformed("");
    check_malformed("80e0698f d9c293da 1c6427");
    check_malformed("9060698f d9c293da 1c642782 bede00");
    check_malformed("9060698f d9c293da 1c642782 99999999");
    check_malformed("9060698f d9c293da 1c642782 bede0001 100000");
    check_malformed("40e0698f d9c293da 1c642782");
    check_malformed("c0e0698f d9c293da 1c642782");
    struct rtp_packet packet;
    static uint8_t huge[65536] = {0x80};
    CHECK_INT(rtp_parse(&packet, huge, 65535), 0);
    CHECK_INT(rtp_parse(&packet, huge, 65536), -EBADMSG);
}

static void check_elements(const char *hex, const uint8_t (*want)[2], size_t count) {
    struct rtp_packet packet;
    struct rtp_ext_element element;
    parse(hex, &packet);
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(rtp_ext_next(&packet, data, &offset, &element));
        CHECK_INT(element.id, want[i][0]);
        CHECK_INT(element.len, want[i][1]);
    }
    CHECK(!rtp_ext_next(&packet, data, &offset, &element));
    CHECK(!rtp_ext_next(&packet, data, &offset, &element));
}

/* The layouts of the figures of RFC 8285 sections 4.2 and 4.3. */
static void the_forms_of_the_rfc_are_walked(void) {
    static const uint8_t one_byte[][2] = {{1, 1}, {2, 2}, {3, 4}};
    check_elements("90640001 00000000 00000001 bede0003 10aa 21bbbb 0000 33cccccccc", one_byte, 3);
    static const uint8_t two_byte[][2] = {{1, 0}, {2, 1}, {3, 4}};
    check_elements("90640001 00000000 00000001 10000003 0100 0201dd 00 0304eeeeeeee 00", two_byte,
                   3);
    check_elements("90640001 00000000 00000001 100f0003 0100 0201dd 00 0304eeeeeeee 00", two_byte,
                   3);
}

static void id_fifteen_and_id_zero_with_a_length_end_the_one_byte_form(void) {
    static const uint8_t want[][2] = {{1, 1}};
    check_elements("90640001 00000000 00000001 bede0002 10aa f011 22bbbbbb", want, 1);
    check_elements("90640001 00000000 00000001 bede0002 10aa 0111 22bbbbbb", want, 1);
}

static void an_element_beyond_the_body_ends_it(void) {
    static const uint8_t want[][2] = {{1, 3}};
    check_elements("90640001 00000000 00000001 bede0002 12000056 9f800000 ffffffff", want, 1);
    check_elements("90640001 00000000 00000001 10000002 01030000 56020300 ffffffff", want, 1);
    check_elements("90640001 00000000 00000001 10000002 01030000 56000005 ffffffff", want, 1);
    check_elements("90640001 00000000 00000001 bede0001 3fffffff ffffffff", NULL, 0);
}

static void an_unknown_profile_has_no_elements(void) {
    check_elements("b0e0698f d9c293da 1c642782 00010001 ffffffff 9836be8804", NULL, 0);
    check_elements("90640001 00000000 00000001 10100001 010101aa", NULL, 0);
    check_elements("80640001 00000000 00000001", NULL, 0);
    check_elements("90640001 00000000 00000001 bede0000", NULL, 0);
}

static void real_extensions_are_read(void) {
    struct rtp_extensions extensions = extensions_of(chrome_opus_send_time);
    CHECK_INT(extensions.present, 1 << RTP_EXT_AUDIO_LEVEL | 1 << RTP_EXT_ABS_SEND_TIME);
    CHECK(extensions.voice);
    CHECK_INT(extensions.audio_level, 0x50);
    CHECK_INT(extensions.abs_send_time, 0x65341e);
    extensions = extensions_of(chrome_opus);
    CHECK_INT(extensions.audio_level, 127);
}

static void every_extension_is_read(void) {
    struct rtp_extensions extensions = extensions_of("90640001 00000000 00000001 10000010"
                                                     "0101 05" /* audio level: no voice, −5 dBov */
                                                     "0403 617564"
                                                     "0a01 71"
                                                     "0b02 6869"
                                                     "0303 010203"
                                                     "0502 fffe"
                                                     "0d01 03"
                                                     "0603 00a0c8"
                                                     "0c11 0102030405060708090a0b0c0d0e0f1011"
                                                     "0208 0011223344556677 000000");
    CHECK_INT(extensions.present, (1 << RTP_EXT_COUNT) - 2);
    CHECK(!extensions.voice);
    CHECK_INT(extensions.audio_level, 5);
    CHECK_BYTES(extensions.mid, extensions.mid_len, "aud", 3);
    CHECK_BYTES(extensions.rid, extensions.rid_len, "q", 1);
    CHECK_BYTES(extensions.repaired_rid, extensions.repaired_rid_len, "hi", 2);
    CHECK_INT(extensions.abs_send_time, 0x010203);
    CHECK_INT(extensions.transport_seq, 0xfffe);
    CHECK_INT(extensions.rotation, 3);
    CHECK_INT(extensions.playout_delay, 0x00a0c8);
    CHECK_INT(extensions.dependency_len, 17);
    CHECK_INT(extensions.dependency[16], 0x11);
    CHECK_INT(extensions.capture_time_len, 8);
    CHECK_INT(extensions.capture_time[7], 0x77);
}

static void an_extension_of_the_wrong_length_counts_as_absent(void) {
    /* Audio level of 2, transport number of 1, send time of 2, capture time of 9 bytes. */
    struct rtp_extensions extensions =
        extensions_of("90640001 00000000 00000001 bede0005 110505 5001 310102"
                      "28000000000000000000 4061");
    CHECK_INT(extensions.present, 1 << RTP_EXT_MID);
    CHECK_BYTES(extensions.mid, extensions.mid_len, "a", 1);
}

static void a_malformed_second_element_leaves_the_first(void) {
    struct rtp_extensions extensions =
        extensions_of("90640001 00000000 00000001 bede0005 27 0011223344556677"
                      "28 ffffffffffffffffff 00");
    CHECK_INT(extensions.present, 1 << RTP_EXT_CAPTURE_TIME);
    CHECK_INT(extensions.capture_time_len, 8);
    CHECK_INT(extensions.capture_time[7], 0x77);
}

static void a_mid_ends_at_a_nul_and_is_not_empty(void) {
    struct rtp_extensions extensions =
        extensions_of("90640001 00000000 00000001 bede0002 43 31320000 a1 0061");
    CHECK_INT(extensions.present, 1 << RTP_EXT_MID);
    CHECK_BYTES(extensions.mid, extensions.mid_len, "12", 2);
    extensions = extensions_of("90640001 00000000 00000001 10000005 0411"
                               "6161616161616161616161616161616161 00");
    CHECK_INT(extensions.present, 0);
}

static void extensions_are_found_by_their_uri(void) {
    for (int ext = RTP_EXT_NONE + 1; ext < RTP_EXT_COUNT; ext++) {
        const char *uri = rtp_ext_uri((enum rtp_ext)ext);
        CHECK(uri != NULL);
        CHECK_INT(rtp_ext_from_uri(uri, strlen(uri)), ext);
        CHECK_INT(rtp_ext_from_uri(uri, strlen(uri) - 1), RTP_EXT_NONE);
    }
    CHECK(rtp_ext_uri(RTP_EXT_NONE) == NULL);
    CHECK(rtp_ext_uri(RTP_EXT_COUNT) == NULL);
    const char *mid = "urn:ietf:params:rtp-hdrext:sdes:mid";
    CHECK_INT(rtp_ext_from_uri(mid, strlen(mid)), RTP_EXT_MID);
    CHECK_INT(rtp_ext_from_uri("", 0), RTP_EXT_NONE);
}

static void check_written(const struct rtp_header *header, const struct rtp_extensions *extensions,
                          const struct rtp_ext_map *map, const char *hex) {
    uint8_t out[RTP_HEADER_MAX], want[RTP_HEADER_MAX];
    memset(out, 0xee, sizeof out);
    size_t len = rtp_header_write(out, header, extensions, map);
    CHECK_BYTES(out, len, want, test_hex(hex, want, sizeof want));
}

static void a_header_is_written_as_the_browser_did(void) {
    struct rtp_header header = {
        .payload_type = 111, .seq = 23617, .timestamp = 1660241882, .ssrc = 0x9f7108e2};
    struct rtp_extensions extensions = {
        .present = 1 << RTP_EXT_AUDIO_LEVEL, .voice = true, .audio_level = 127};
    check_written(&header, &extensions, &chrome_map,
                  "906f5c41 62f547da 9f7108e2 bede0001 10ff0000");
    check_written(&header, NULL, &chrome_map, "806f5c41 62f547da 9f7108e2");
    header.marker = true;
    header.padding = true;
    check_written(&header, NULL, &chrome_map, "a0ef5c41 62f547da 9f7108e2");
}

static void only_negotiated_extensions_are_written(void) {
    struct rtp_header header = {.payload_type = 96, .seq = 1, .timestamp = 2, .ssrc = 3};
    struct rtp_extensions extensions = {.present = 1 << RTP_EXT_MID | 1 << RTP_EXT_TRANSPORT_SEQ |
                                                   1 << RTP_EXT_ROTATION,
                                        .mid = "v1",
                                        .mid_len = 2,
                                        .transport_seq = 0x1234,
                                        .rotation = 1};
    struct rtp_ext_map map = {.ids = {[RTP_EXT_MID] = 14, [RTP_EXT_TRANSPORT_SEQ] = 3}};
    check_written(&header, &extensions, &map,
                  "90600001 00000002 00000003 bede0002 e17631 311234 0000");
    map = (struct rtp_ext_map){0};
    check_written(&header, &extensions, &map, "80600001 00000002 00000003");
}

static void an_id_above_fourteen_takes_the_two_byte_form(void) {
    struct rtp_header header = {.payload_type = 96, .seq = 1, .timestamp = 2, .ssrc = 3};
    struct rtp_extensions extensions = {.present =
                                            1 << RTP_EXT_TRANSPORT_SEQ | 1 << RTP_EXT_PLAYOUT_DELAY,
                                        .transport_seq = 0x1234,
                                        .playout_delay = 0xabcdef};
    struct rtp_ext_map map = {.ids = {[RTP_EXT_TRANSPORT_SEQ] = 15, [RTP_EXT_PLAYOUT_DELAY] = 2}};
    check_written(&header, &extensions, &map,
                  "90600001 00000002 00000003 10000003 0f021234 0203abcd ef000000");
}

static void an_element_above_sixteen_bytes_takes_the_two_byte_form(void) {
    static const uint8_t descriptor[17] = {0x80, 0, 1};
    struct rtp_header header = {.payload_type = 45, .seq = 1, .timestamp = 2, .ssrc = 3};
    struct rtp_extensions extensions = {
        .present = 1 << RTP_EXT_DEPENDENCY, .dependency = descriptor, .dependency_len = 16};
    check_written(&header, &extensions, &chrome_map,
                  "902d0001 00000002 00000003 bede0005"
                  "cf800001 00000000 00000000 00000000 00000000");
    extensions.dependency_len = 17;
    check_written(&header, &extensions, &chrome_map,
                  "902d0001 00000002 00000003 10000005"
                  "0c118000 01000000 00000000 00000000 00000000");
}

static void what_does_not_fit_is_left_out(void) {
    static const uint8_t descriptor[300];
    struct rtp_header header = {.payload_type = 45};
    struct rtp_extensions extensions = {.present = (1 << RTP_EXT_COUNT) - 1,
                                        .mid = "aaaaaaaaaaaaaaaa",
                                        .mid_len = 16,
                                        .dependency = descriptor,
                                        .dependency_len = 255};
    uint8_t out[RTP_HEADER_MAX];
    struct rtp_packet packet;
    for (uint16_t len = 0; len < 300; len++) {
        extensions.dependency_len = len;
        size_t written = rtp_header_write(out, &header, &extensions, &chrome_map);
        CHECK(written <= RTP_HEADER_MAX && written % 4 == 0);
        CHECK_INT(rtp_parse(&packet, out, written), 0);
        struct rtp_extensions got;
        rtp_extensions_parse(&got, &packet, out, &chrome_map);
        CHECK_INT(got.mid_len, 16);
        CHECK_INT(rtp_ext_has(&got, RTP_EXT_DEPENDENCY), len >= 3 && len <= 200);
        CHECK(!rtp_ext_has(&got, RTP_EXT_RID));
    }
}

static const struct test tests[] = {
    {"a_datagram_is_told_apart_by_its_first_bytes", a_datagram_is_told_apart_by_its_first_bytes},
    {"a_real_packet_is_read", a_real_packet_is_read},
    {"contributing_sources_are_skipped", contributing_sources_are_skipped},
    {"padding_is_taken_off_the_payload", padding_is_taken_off_the_payload},
    {"a_packet_of_padding_alone_is_valid", a_packet_of_padding_alone_is_valid},
    {"padding_longer_than_the_payload_is_malformed", padding_longer_than_the_payload_is_malformed},
    {"a_header_cut_short_is_malformed", a_header_cut_short_is_malformed},
    {"the_forms_of_the_rfc_are_walked", the_forms_of_the_rfc_are_walked},
    {"id_fifteen_and_id_zero_with_a_length_end_the_one_byte_form",
     id_fifteen_and_id_zero_with_a_length_end_the_one_byte_form},
    {"an_element_beyond_the_body_ends_it", an_element_beyond_the_body_ends_it},
    {"an_unknown_profile_has_no_elements", an_unknown_profile_has_no_elements},
    {"real_extensions_are_read", real_extensions_are_read},
    {"every_extension_is_read", every_extension_is_read},
    {"an_extension_of_the_wrong_length_counts_as_absent",
     an_extension_of_the_wrong_length_counts_as_absent},
    {"a_malformed_second_element_leaves_the_first", a_malformed_second_element_leaves_the_first},
    {"a_mid_ends_at_a_nul_and_is_not_empty", a_mid_ends_at_a_nul_and_is_not_empty},
    {"extensions_are_found_by_their_uri", extensions_are_found_by_their_uri},
    {"a_header_is_written_as_the_browser_did", a_header_is_written_as_the_browser_did},
    {"only_negotiated_extensions_are_written", only_negotiated_extensions_are_written},
    {"an_id_above_fourteen_takes_the_two_byte_form", an_id_above_fourteen_takes_the_two_byte_form},
    {"an_element_above_sixteen_bytes_takes_the_two_byte_form",
     an_element_above_sixteen_bytes_takes_the_two_byte_form},
    {"what_does_not_fit_is_left_out", what_does_not_fit_is_left_out},
};

TEST_MAIN(tests)
