/* Messages as they go over WebSockets: their headers, and who holds them. */
#include "signaling/frame.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

/* RFC 6455 section 5.2: a length in the second byte, in two more or in eight more. */
static void the_header_says_the_length_in_as_few_bytes_as_it_can(void) {
    static const struct {
        size_t len, header_len;
        uint8_t header[SIG_FRAME_HEADER_MAX];
    } rows[] = {
        {0, 2, {0x81, 0}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    static char text[65536];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sig_frame *frame = sig_frame_create(text, rows[i].len);
        CHECK_INT(frame->header_len, rows[i].header_len);
        CHECK(memcmp(frame->bytes, rows[i].header, rows[i].header_len) == 0);
        CHECK_INT(sig_frame_size(frame), rows[i].header_len + rows[i].len);
        CHECK_INT(strlen(sig_frame_text(frame)), rows[i].len);
        sig_frame_release(frame);
    }
}

static void json_becomes_compact_text_and_what_is_none_no_frame(void) {
    struct sig_frame *frame = sig_frame_of_json(json_pack("{s:s}", "type", "answer"));
    CHECK_STR(sig_frame_text(frame), "{\"type\":\"answer\"}");
    sig_frame_release(frame);
    CHECK(sig_frame_of_json(NULL) == NULL);
    sig_frame_release(NULL);
}

static void it_lives_as_long_as_anybody_holds_it(void) {
    struct sig_frame *frame = sig_frame_create("a", 1);
    CHECK(sig_frame_hold(frame) == frame);
    sig_frame_release(frame);
    CHECK_STR(sig_frame_text(frame), "a");
    CHECK_INT(frame->holders, 1);
    sig_frame_release(frame);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(the_header_says_the_length_in_as_few_bytes_as_it_can),
    T(json_becomes_compact_text_and_what_is_none_no_frame),
    T(it_lives_as_long_as_anybody_holds_it),
#undef T
};

TEST_MAIN(tests)
