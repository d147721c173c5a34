#include "rtp/header_template.h"

#include "tests/unit/test.h"

static const enum rtp_ext fixed[] = {RTP_EXT_AUDIO_LEVEL, RTP_EXT_ABS_SEND_TIME,
                                     RTP_EXT_TRANSPORT_SEQ, RTP_EXT_ROTATION};

static void check_same(uint32_t present, const struct rtp_ext_map *map, uint16_t number) {
    struct rtp_template template;
    struct rtp_header header = {.payload_type = (uint8_t)(number % 128),
                                .marker = number & 1,
                                .seq = number,
                                .timestamp = number * UINT32_C(0x12345),
                                .ssrc = 0xcafebabe};
    struct rtp_extensions extensions = {.present = present,
                                        .audio_level = number % 128,
                                        .voice = number & 2,
                                        .rotation = (uint8_t)number,
                                        .transport_seq = (uint16_t)~number,
                                        .abs_send_time = number * UINT32_C(0xabcd) & 0xffffff};
    struct rtp_template_values values = {.audio_level = extensions.audio_level,
                                         .voice = extensions.voice,
                                         .rotation = extensions.rotation,
                                         .transport_seq = extensions.transport_seq,
                                         .abs_send_time = extensions.abs_send_time};
    uint8_t want[RTP_HEADER_MAX], got[RTP_TEMPLATE_MAX];
    CHECK(rtp_template_prepare(&template, header.ssrc, present, map));
    CHECK(rtp_template_fits(&template, present));
    size_t want_len = rtp_header_write(want, &header, &extensions, map);
    CHECK_BYTES(got, rtp_template_write(&template, &header, &values, got), want, want_len);
}

/* Every set of extensions, in the one-byte form, in the two-byte form, and partly not agreed on. */
static void writes_what_the_header_writer_writes(void) {
    static const uint8_t ids[][4] = {{1, 2, 3, 13}, {14, 1, 7, 2}, {1, 15, 200, 3}, {1, 0, 3, 0}};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct rtp_ext_map map = {{0}};
        for (size_t k = 0; k < 4; k++)
            map.ids[fixed[k]] = ids[i][k];
        for (unsigned set = 0; set < 16; set++) {
            uint32_t present = 0;
            for (size_t k = 0; k < 4; k++)
                present |= (uint32_t)(set >> k & 1) << fixed[k];
            for (uint32_t number = 0; number < 65536; number += 4099)
                check_same(present, &map, (uint16_t)number);
        }
    }
}

static void extensions_of_any_length_are_not_prepared(void) {
    static const enum rtp_ext others[] = {RTP_EXT_MID, RTP_EXT_DEPENDENCY, RTP_EXT_CAPTURE_TIME,
                                          RTP_EXT_PLAYOUT_DELAY};
    struct rtp_ext_map map = {{0}};
    struct rtp_template template;
    memset(map.ids, 5, sizeof(map.ids));
    for (size_t i = 0; i < 4; i++) {
        uint32_t present = 1u << RTP_EXT_TRANSPORT_SEQ | 1u << others[i];
        CHECK(!rtp_template_prepare(&template, 1, present, &map));
        CHECK(!rtp_template_fits(&template, present));
    }
}

static const struct test tests[] = {
    {"writes_what_the_header_writer_writes", writes_what_the_header_writer_writes},
    {"extensions_of_any_length_are_not_prepared", extensions_of_any_length_are_not_prepared},
};

TEST_MAIN(tests)
