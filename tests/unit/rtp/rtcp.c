/* RTCP: reading packets of browsers and malformed ones, and building. */
#include "rtp/rtcp.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

/* A compound of Firefox's (a capture of Pion's): RR, SDES, BYE, PLI, RRR (RTPFB 5), APP. */
static const char compound[] =
    "81c90007 902f9e2e bc5e9a40 00000000 000046e1 00000111 09f36432 00024a79"
    "81ca000c 902f9e2e 0126 7b39633030656239322d316166622d396434392d613437642d393166363465656536"
    "3966357d 00000000"
    "81cb0001 902f9e2e"
    "81ce0002 902f9e2e 902f9e2e"
    "85cd0002 902f9e2e 902f9e2e"
    "80cc0003 4baae1ab 4e414d45 41424344";

static uint8_t data[4096];
static size_t data_len;

static void load(const char *hex) {
    data_len = test_hex(hex, data, sizeof data);
}

static struct rtcp_packet first(const char *hex) {
    struct rtcp_packet packet = {0};
    size_t offset = 0;
    load(hex);
    CHECK(rtcp_next(data, data_len, &offset, &packet));
    return packet;
}

static void check_malformed(const char *hex) {
    load(hex);
    CHECK_INT(rtcp_validate(data, data_len), -EBADMSG);
}

static void a_real_compound_is_walked(void) {
    static const struct {
        uint8_t type, count;
        size_t body_len;
    } want[] = {{RTCP_RR, 1, 28},  {RTCP_SDES, 1, 48}, {RTCP_BYE, 1, 4},
                {RTCP_PSFB, 1, 8}, {RTCP_RTPFB, 5, 8}, {RTCP_APP, 0, 12}};
    load(compound);
    CHECK_INT(rtcp_validate(data, data_len), 0);
    struct rtcp_packet packet;
    size_t offset = 0;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        CHECK(rtcp_next(data, data_len, &offset, &packet));
        CHECK_INT(packet.type, want[i].type);
        CHECK_INT(packet.count, want[i].count);
        CHECK_INT(packet.body_len, want[i].body_len);
    }
    CHECK(!rtcp_next(data, data_len, &offset, &packet));
    CHECK_INT(offset, data_len);
}

static void a_compound_cut_anywhere_else_than_between_packets_is_malformed(void) {
    load(compound);
    static const size_t ends[] = {32, 84, 92, 104, 116, 132};
    for (size_t len = 0, next = 0; len <= data_len; len++) {
        bool whole = len == ends[next];
        next += whole;
        CHECK_INT(rtcp_validate(data, len), whole ? 0 : -EBADMSG);
    }
}

static void a_feedback_packet_alone_is_valid(void) {
    load("81ce0002 902f9e2e 902f9e2e"); /* RFC 5506 */
    CHECK_INT(rtcp_validate(data, data_len), 0);
}

static void another_version_is_malformed(void) {
    check_malformed("41ce0002 902f9e2e 902f9e2e");
    check_malformed("81ce0002 902f9e2e 902f9e2e 01c90001 00000001");
}

static void padding_is_for_the_last_packet_alone(void) {
    struct rtcp_packet packet = first("a1cb0002 902f9e2e 00000004");
    CHECK_INT(packet.body_len, 4);
    CHECK_INT(rtcp_validate(data, data_len), 0);
    load("81cb0001 902f9e2e a1ce0003 902f9e2e 902f9e2e 00000004");
    CHECK_INT(rtcp_validate(data, data_len), 0);
    check_malformed("a1cb0002 902f9e2e 00000004 81cb0001 902f9e2e");
    check_malformed("a1cb0002 902f9e2e 00000000");
    check_malformed("a1cb0002 902f9e2e 00000009");
    check_malformed("a0cb0000");
}

static void unknown_types_and_extended_reports_are_passed_over(void) {
    load("a0cf0009 5d931534 05000006 11121314 00110011 11001100 21222324 00220022 22002200 "
         "00000004");
    struct rtcp_packet packet;
    size_t offset = 0;
    CHECK(rtcp_next(data, data_len, &offset, &packet));
    CHECK_INT(packet.type, RTCP_XR);
    CHECK_INT(packet.body_len, 32);
    load("80c70000 80d10001 12345678 81cb0001 00000007");
    CHECK_INT(rtcp_validate(data, data_len), 0);
    offset = 0;
    uint32_t ssrc = 0;
    while (rtcp_next(data, data_len, &offset, &packet))
        rtcp_bye_at(&packet, 0, &ssrc);
    CHECK_INT(ssrc, 7);
}

static void a_sender_report_is_read(void) {
    struct rtcp_packet packet =
        first("80c80006 5d931534 dd3ac1b4 76547171 0008cf00 00000e18 0008cf00");
    struct rtcp_sender_info info;
    CHECK_INT(rtcp_sr_parse(&packet, &info), 0);
    CHECK_INT(info.ssrc, 0x5d931534);
    CHECK_INT(info.ntp, 0xdd3ac1b476547171);
    CHECK_INT(info.rtp_timestamp, 577280);
    CHECK_INT(info.packet_count, 3608);
    CHECK_INT(info.octet_count, 577280);
    packet = first("80c80005 5d931534 dd3ac1b4 76547171 0008cf00 00000e18");
    CHECK_INT(rtcp_sr_parse(&packet, &info), -EBADMSG);
    packet = first("80c90006 5d931534 dd3ac1b4 76547171 0008cf00 00000e18 0008cf00");
    CHECK_INT(rtcp_sr_parse(&packet, &info), -EBADMSG);
}

static void report_blocks_are_read_up_to_their_count(void) {
    struct rtcp_packet packet = first(compound);
    struct rtcp_report_block block;
    CHECK(rtcp_report_block_at(&packet, 0, &block));
    CHECK_INT(block.ssrc, 0xbc5e9a40);
    CHECK_INT(block.fraction_lost, 0);
    CHECK_INT(block.highest_seq, 0x46e1);
    CHECK_INT(block.jitter, 273);
    CHECK_INT(block.last_sr, 0x9f36432);
    CHECK_INT(block.delay_since_last_sr, 150137);
    CHECK(!rtcp_report_block_at(&packet, 1, &block));
    /* The count promises two, the body has one: libwebrtc's RR with lost −1 and fraction 55/256. */
    packet = first("82c90007 12345678 23456789 37ffffff 01111111 11111112 11111111 00111111");
    CHECK(rtcp_report_block_at(&packet, 0, &block));
    CHECK_INT(block.fraction_lost, 55);
    CHECK_INT(block.cumulative_lost, -1);
    CHECK(!rtcp_report_block_at(&packet, 1, &block));
    CHECK(!rtcp_report_block_at(&packet, SIZE_MAX / 8, &block));
}

static void a_block_of_a_sender_report_is_behind_the_sender(void) {
    struct rtcp_packet packet =
        first("81c8000c 00000001 00000002 00000003 00000004 00000005 00000006"
              "0000000a 80800000 00000000 00000000 00000000 00000000");
    struct rtcp_report_block block;
    CHECK(rtcp_report_block_at(&packet, 0, &block));
    CHECK_INT(block.ssrc, 10);
    CHECK_INT(block.fraction_lost, 128);
    CHECK_INT(block.cumulative_lost, -0x800000);
}

static void a_nack_is_expanded(void) {
    struct rtcp_packet packet = first("81cd0003 00000001 0330bdee 0b8f0003");
    uint32_t sender, media;
    uint16_t seqs[64];
    CHECK_INT(rtcp_feedback_parse(&packet, &sender, &media), 0);
    CHECK_INT(sender, 1);
    CHECK_INT(media, 0x0330bdee);
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 3);
    CHECK_INT(seqs[0], 2959);
    CHECK_INT(seqs[1], 2960);
    CHECK_INT(seqs[2], 2961);
    packet = first("81cd0003 00000001 0330bdee 0b8f0000");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 1);
}

static void a_nack_wraps_and_is_cut_at_the_capacity(void) {
    struct rtcp_packet packet = first("81cd0004 00000001 0330bdee fffeffff 00108000");
    uint16_t seqs[64];
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 19);
    for (int i = 0; i < 17; i++)
        CHECK_INT(seqs[i], (uint16_t)(0xfffe + i));
    CHECK_INT(seqs[17], 0x10);
    CHECK_INT(seqs[18], 0x20);
    memset(seqs, 0, sizeof seqs);
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 5), 5);
    CHECK_INT(seqs[5], 0);
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 0), 0);
}

static void what_is_not_a_nack_names_nothing(void) {
    uint16_t seqs[64];
    struct rtcp_packet packet = first("81cd0002 00000001 0330bdee");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 0);
    packet = first("81cd0001 00000001");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 0);
    packet = first("8fcd0003 00000001 0330bdee 0b8f0003");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 0);
    packet = first("81ce0003 00000001 0330bdee 0b8f0003");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 0);
    packet = first("a1cd0004 00000001 0330bdee 0b8f0003 00000002");
    CHECK_INT(rtcp_nack_parse(&packet, seqs, 64), 0);
}

static void feedback_has_two_sources(void) {
    uint32_t sender = 1, media = 2;
    struct rtcp_packet packet = first("81ce0001 00000009");
    CHECK_INT(rtcp_feedback_parse(&packet, &sender, &media), -EBADMSG);
    packet = first("81c90002 00000009 00000009");
    CHECK_INT(rtcp_feedback_parse(&packet, &sender, &media), -EBADMSG);
    CHECK_INT(sender, 1);
    CHECK_INT(media, 2);
}

static void the_entries_of_a_fir_are_read(void) {
    struct rtcp_packet packet =
        first("84ce0006 12345678 00000000 23456789 0d000000 2345678a ff000000");
    uint32_t ssrc;
    uint8_t seq;
    CHECK(rtcp_fir_at(&packet, 0, &ssrc, &seq));
    CHECK_INT(ssrc, 0x23456789);
    CHECK_INT(seq, 13);
    CHECK(rtcp_fir_at(&packet, 1, &ssrc, &seq));
    CHECK_INT(ssrc, 0x2345678a);
    CHECK_INT(seq, 255);
    CHECK(!rtcp_fir_at(&packet, 2, &ssrc, &seq));
    packet = first("84ce0003 12345678 00000000 23456789");
    CHECK(!rtcp_fir_at(&packet, 0, &ssrc, &seq));
}

/* Sent by Chrome while it watched a stream of 6 Mb/s. */
static const char chrome_remb[] = "8fce0005 00000001 00000000 52454d42 011a20df 4874ed16";

static void a_real_remb_is_read(void) {
    struct rtcp_packet packet = first(chrome_remb);
    uint64_t bitrate;
    uint32_t ssrcs[4];
    size_t count;
    CHECK_INT(rtcp_remb_parse(&packet, &bitrate, ssrcs, 4, &count), 0);
    CHECK_INT(bitrate, 8927168);
    CHECK_INT(count, 1);
    CHECK_INT(ssrcs[0], 1215622422);
    CHECK_INT(rtcp_remb_parse(&packet, &bitrate, NULL, 0, &count), 0);
    CHECK_INT(count, 0);
}

static void a_remb_beyond_64_bits_saturates(void) {
    uint64_t bitrate;
    size_t count;
    struct rtcp_packet packet = first("8fce0004 00000000 00000000 52454d42 00ffffff");
    CHECK_INT(rtcp_remb_parse(&packet, &bitrate, NULL, 0, &count), 0);
    CHECK(bitrate == UINT64_MAX);
    packet = first("8fce0004 00000000 00000000 52454d42 00fc0001");
    CHECK_INT(rtcp_remb_parse(&packet, &bitrate, NULL, 0, &count), 0);
    CHECK(bitrate == (uint64_t)1 << 63);
    packet = first("8fce0004 00000000 00000000 52454d42 00fc0000");
    CHECK_INT(rtcp_remb_parse(&packet, &bitrate, NULL, 0, &count), 0);
    CHECK_INT(bitrate, 0);
}

static void what_is_not_a_remb_is_refused_whole(void) {
    static const char *const bad[] = {
        "8fce0004 00000001 00000000 52454d42 011a20df", /* One SSRC promised, none there. */
        "8fce0005 00000001 00000000 52454d43 011a20df 4874ed16", /* "REMC" */
        "8ece0005 00000001 00000000 52454d42 011a20df 4874ed16",
        "8fcd0005 00000001 00000000 52454d42 011a20df 4874ed16",
        "8fce0003 00000001 00000000 52454d42",
        "8fce0002 00000001 00000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rtcp_packet packet = first(bad[i]);
        uint64_t bitrate = 5;
        uint32_t ssrcs[2] = {6, 6};
        size_t count = 7;
        CHECK_INT(rtcp_remb_parse(&packet, &bitrate, ssrcs, 2, &count), -EBADMSG);
        CHECK(bitrate == 5 && ssrcs[0] == 6 && count == 7);
    }
}

static void a_bye_names_its_sources_and_no_more(void) {
    uint32_t ssrc;
    struct rtcp_packet packet = first("82cb0004 00000001 00000002 06676f6e 65210000");
    CHECK(rtcp_bye_at(&packet, 0, &ssrc) && ssrc == 1);
    CHECK(rtcp_bye_at(&packet, 1, &ssrc) && ssrc == 2);
    CHECK(!rtcp_bye_at(&packet, 2, &ssrc));
    /* The reason's length reaches beyond the packet: nobody reads it. */
    packet = first("81cb0002 00000001 ff676f6e");
    CHECK(rtcp_bye_at(&packet, 0, &ssrc));
    CHECK(!rtcp_bye_at(&packet, 1, &ssrc));
    /* More promised than there are. */
    packet = first("9fcb0001 00000001");
    CHECK(!rtcp_bye_at(&packet, 1, &ssrc));
    packet = first("80cb0000");
    CHECK(!rtcp_bye_at(&packet, 0, &ssrc));
}

static void the_cname_of_each_source_is_found(void) {
    const char *cname;
    size_t len;
    /* Padded, two chunks: 1234 has CNAME "qwerty" and a TOOL, 5678 has a LOC only. */
    static const char two[] = "a2ca000d 000004d2 01067177 65727479 060669c3 b1616b69 00000000"
                              "0000162e 0511736f 6d657768 65726520 c593c3a6 e282ac00 00000004";
    struct rtcp_packet packet = first(two);
    CHECK_INT(rtcp_sdes_cname(&packet, 1234, &cname, &len), 0);
    CHECK_BYTES(cname, len, "qwerty", 6);
    CHECK_INT(rtcp_sdes_cname(&packet, 5678, &cname, &len), -ENOENT);
    CHECK_INT(rtcp_sdes_cname(&packet, 1, &cname, &len), -ENOENT);
    packet = first("81ca0006 9f65e742 01107437 6d6b596e 436d3436 4f63494e 792f0000");
    CHECK_INT(rtcp_sdes_cname(&packet, 0x9f65e742, &cname, &len), 0);
    CHECK_BYTES(cname, len, "t7mkYnCm46OcINy/", 16);
}

static void a_cname_behind_other_chunks_is_found(void) {
    const char *cname;
    size_t len;
    struct rtcp_packet packet =
        first("83ca0006 00000001 00000000 00000002 05016100 00000003 01027879");
    CHECK_INT(rtcp_sdes_cname(&packet, 3, &cname, &len), -ENOENT); /* Its list does not end. */
    packet = first("83ca0007 00000001 00000000 00000002 05016100 00000003 01027879 00000000");
    CHECK_INT(rtcp_sdes_cname(&packet, 3, &cname, &len), 0);
    CHECK_BYTES(cname, len, "xy", 2);
}

static void a_description_cut_short_names_nobody(void) {
    static const char *const bad[] = {
        "81ca0002 00000001 01ff6162", "81ca0002 00000001 01036162",
        "81ca0001 00000001",          "81ca0000",
        "9fca0001 00000002",          "81cb0003 00000001 01016100 00000000"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *cname = NULL;
        size_t len = 0;
        struct rtcp_packet packet = first(bad[i]);
        CHECK_INT(rtcp_sdes_cname(&packet, 1, &cname, &len), -ENOENT);
        CHECK(cname == NULL);
    }
}

static struct rtcp_builder builder;

static void begin(size_t capacity) {
    memset(data, 0xee, sizeof data);
    rtcp_builder_init(&builder, data, capacity);
}

static void check_built(const char *hex) {
    uint8_t want[1024];
    CHECK_BYTES(data, builder.len, want, test_hex(hex, want, sizeof want));
    CHECK_INT(rtcp_validate(data, builder.len), 0);
    CHECK_INT(data[builder.len], 0xee);
}

static void a_compound_is_built_as_the_browser_did(void) {
    struct rtcp_report_block block = {.ssrc = 0xbc5e9a40,
                                      .highest_seq = 0x46e1,
                                      .jitter = 273,
                                      .last_sr = 0x9f36432,
                                      .delay_since_last_sr = 150137};
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_rr(&builder, 0x902f9e2e, &block, 1), 0);
    CHECK_INT(rtcp_append_sdes(&builder, 0x902f9e2e, "{9c00eb92-1afb-9d49-a47d-91f64eee69f5}"), 0);
    CHECK_INT(rtcp_append_bye(&builder, 0x902f9e2e), 0);
    CHECK_INT(rtcp_append_pli(&builder, 0x902f9e2e, 0x902f9e2e), 0);
    char want[sizeof compound];
    memcpy(want, compound, sizeof want);
    *strstr(want, "85cd") = '\0';
    check_built(want);
}

static void a_sender_report_is_built(void) {
    struct rtcp_sender_info info = {0x5d931534, 0xdd3ac1b476547171, 577280, 3608, 577280};
    struct rtcp_report_block blocks[32] = {
        {.ssrc = 0x01020304, .fraction_lost = 255, .cumulative_lost = -2}};
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_sr(&builder, &info, NULL, 0), 0);
    check_built("80c80006 5d931534 dd3ac1b4 76547171 0008cf00 00000e18 0008cf00");
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_sr(&builder, &info, blocks, 1), 0);
    check_built("81c8000c 5d931534 dd3ac1b4 76547171 0008cf00 00000e18 0008cf00"
                "01020304 fffffffe 00000000 00000000 00000000 00000000");
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_sr(&builder, &info, blocks, 31), 0);
    CHECK_INT(builder.len, 28 + 31 * 24);
    CHECK_INT(rtcp_append_rr(&builder, 1, blocks, 32), -EMSGSIZE);
}

static void cumulative_loss_is_clamped_to_24_bits(void) {
    struct rtcp_report_block blocks[2] = {{.cumulative_lost = 0x800000},
                                          {.cumulative_lost = INT32_MIN}};
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_rr(&builder, 7, blocks, 2), 0);
    struct rtcp_packet packet;
    size_t offset = 0;
    CHECK(rtcp_next(data, builder.len, &offset, &packet));
    CHECK(rtcp_report_block_at(&packet, 0, &blocks[0]));
    CHECK(rtcp_report_block_at(&packet, 1, &blocks[1]));
    CHECK_INT(blocks[0].cumulative_lost, 0x7fffff);
    CHECK_INT(blocks[1].cumulative_lost, -0x800000);
}

static void a_nack_packs_seventeen_numbers_in_a_pair(void) {
    static const uint16_t seqs[] = {65534, 65535, 0, 14, 15, 15, 40};
    size_t written;
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_nack(&builder, 1, 2, seqs, 7, &written), 0);
    CHECK_INT(written, 7);
    check_built("81cd0005 00000001 00000002 fffe8003 000f0000 00280000");
}

static void a_nack_leaves_what_does_not_fit(void) {
    static const uint16_t seqs[] = {100, 101, 200, 300};
    size_t written;
    begin(4 + 8 + 8 + 3);
    CHECK_INT(rtcp_append_nack(&builder, 1, 2, seqs, 4, &written), 0);
    CHECK_INT(written, 3);
    check_built("81cd0004 00000001 00000002 00640001 00c80000");
    begin(4 + 8 + 3);
    CHECK_INT(rtcp_append_nack(&builder, 1, 2, seqs, 4, &written), -EMSGSIZE);
    CHECK_INT(written, 0);
    CHECK_INT(builder.len, 0);
    CHECK_INT(rtcp_append_nack(&builder, 1, 2, seqs, 0, &written), 0);
    CHECK_INT(builder.len, 0);
}

static void keyframe_requests_are_built(void) {
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_fir(&builder, 0x12345678, 0x23456789, 13), 0);
    CHECK_INT(rtcp_append_pli(&builder, 1, 2), 0);
    check_built("84ce0004 12345678 00000000 23456789 0d000000 81ce0002 00000001 00000002");
}

static void a_remb_is_built_as_the_browser_did(void) {
    static const uint32_t ssrcs[256] = {1215622422};
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_remb(&builder, 1, 8927168, ssrcs, 1), 0);
    check_built(chrome_remb);
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_remb(&builder, 1, 8927167, ssrcs, 0), 0);
    check_built("8fce0004 00000001 00000000 52454d42 001a20de");
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_remb(&builder, 0, UINT64_MAX, ssrcs, 0), 0);
    check_built("8fce0004 00000000 00000000 52454d42 00bbffff");
    CHECK_INT(rtcp_append_remb(&builder, 0, 1, ssrcs, 256), -EMSGSIZE);
}

static void a_cname_is_padded_to_whole_words(void) {
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_sdes(&builder, 1, "a"), 0);
    CHECK_INT(rtcp_append_sdes(&builder, 1, "ab"), 0);
    check_built("81ca0002 00000001 01016100 81ca0003 00000001 01026162 00000000");
    char cname[257];
    memset(cname, 'c', sizeof cname);
    cname[256] = '\0';
    begin(sizeof data - 1);
    CHECK_INT(rtcp_append_sdes(&builder, 1, cname), -EMSGSIZE);
    CHECK_INT(rtcp_append_sdes(&builder, 1, cname + 1), 0);
    struct rtcp_packet packet;
    size_t offset = 0, len;
    const char *got;
    CHECK(rtcp_next(data, builder.len, &offset, &packet));
    CHECK_INT(rtcp_sdes_cname(&packet, 1, &got, &len), 0);
    CHECK_INT(len, 255);
}

static void an_append_that_does_not_fit_changes_nothing(void) {
    struct rtcp_sender_info info = {0};
    struct rtcp_report_block block = {0};
    begin(8);
    CHECK_INT(rtcp_append_sr(&builder, &info, NULL, 0), -EMSGSIZE);
    CHECK_INT(rtcp_append_rr(&builder, 1, &block, 1), -EMSGSIZE);
    CHECK_INT(rtcp_append_sdes(&builder, 1, "a"), -EMSGSIZE);
    CHECK_INT(rtcp_append_pli(&builder, 1, 2), -EMSGSIZE);
    CHECK_INT(rtcp_append_fir(&builder, 1, 2, 3), -EMSGSIZE);
    CHECK_INT(rtcp_append_remb(&builder, 1, 2, NULL, 0), -EMSGSIZE);
    CHECK_INT(rtcp_append_bye(&builder, 1), 0);
    CHECK_INT(rtcp_append_bye(&builder, 1), -EMSGSIZE);
    check_built("81cb0001 00000001");
    begin(3);
    CHECK_INT(rtcp_append_bye(&builder, 1), -EMSGSIZE);
}

static void a_given_body_is_appended_in_whole_words(void) {
    begin(sizeof data - 1);
    const uint8_t body[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 9, 10, body, 8), 0);
    check_built("8fcd0004 00000009 0000000a 01020304 05060708");
    CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 9, 10, body, 7), -EINVAL);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const struct test tests[] = {
    TEST(a_real_compound_is_walked),
    TEST(a_compound_cut_anywhere_else_than_between_packets_is_malformed),
    TEST(a_feedback_packet_alone_is_valid),
    TEST(another_version_is_malformed),
    TEST(padding_is_for_the_last_packet_alone),
    TEST(unknown_types_and_extended_reports_are_passed_over),
    TEST(a_sender_report_is_read),
    TEST(report_blocks_are_read_up_to_their_count),
    TEST(a_block_of_a_sender_report_is_behind_the_sender),
    TEST(a_nack_is_expanded),
    TEST(a_nack_wraps_and_is_cut_at_the_capacity),
    TEST(what_is_not_a_nack_names_nothing),
    TEST(feedback_has_two_sources),
    TEST(the_entries_of_a_fir_are_read),
    TEST(a_real_remb_is_read),
    TEST(a_remb_beyond_64_bits_saturates),
    TEST(what_is_not_a_remb_is_refused_whole),
    TEST(a_bye_names_its_sources_and_no_more),
    TEST(the_cname_of_each_source_is_found),
    TEST(a_cname_behind_other_chunks_is_found),
    TEST(a_description_cut_short_names_nobody),
    TEST(a_compound_is_built_as_the_browser_did),
    TEST(a_sender_report_is_built),
    TEST(cumulative_loss_is_clamped_to_24_bits),
    TEST(a_nack_packs_seventeen_numbers_in_a_pair),
    TEST(a_nack_leaves_what_does_not_fit),
    TEST(keyframe_requests_are_built),
    TEST(a_remb_is_built_as_the_browser_did),
    TEST(a_cname_is_padded_to_whole_words),
    TEST(an_append_that_does_not_fit_changes_nothing),
    TEST(a_given_body_is_appended_in_whole_words),
};

TEST_MAIN(tests)
