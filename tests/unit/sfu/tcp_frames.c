#include "sfu/tcp_frames.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- Reading --- */

struct source {
    struct sfu_tcp_reader reader;
    const uint8_t *data;
    size_t len;
};

static void expect_frame(struct source *source, const void *want, size_t want_len) {
    const uint8_t *frame = NULL;
    size_t frame_len = 0;
    CHECK_INT(sfu_tcp_reader_next(&source->reader, &source->data, &source->len, &frame, &frame_len),
              1);
    CHECK_BYTES(frame, frame_len, want, want_len);
}

static void expect_result(struct source *source, int want) {
    const uint8_t *frame = NULL;
    size_t frame_len = 0;
    CHECK_INT(sfu_tcp_reader_next(&source->reader, &source->data, &source->len, &frame, &frame_len),
              want);
    CHECK(frame == NULL);
}

static const uint8_t three[] = {0, 1, 'a', 0, 3, 'b', 'c', 'd', 0, 2, 'e', 'f'};

static void cuts_several_frames_out_of_one_piece(void) {
    struct source source = {.data = three, .len = sizeof(three)};
    expect_frame(&source, "a", 1);
    expect_frame(&source, "bcd", 3);
    expect_frame(&source, "ef", 2);
    expect_result(&source, 0);
    CHECK_INT(source.len, 0);
}

static void joins_frames_wherever_the_stream_is_cut(void) {
    for (size_t cut = 0; cut <= sizeof(three); cut++) {
        struct source source = {.data = three, .len = cut};
        uint8_t seen[8];
        size_t seen_len = 0, frames = 0;
        const uint8_t *frame;
        size_t frame_len;
        for (int piece = 0; piece < 2; piece++) {
            while (sfu_tcp_reader_next(&source.reader, &source.data, &source.len, &frame,
                                       &frame_len) == 1) {
                memcpy(seen + seen_len, frame, frame_len);
                seen_len += frame_len;
                frames++;
            }
            CHECK_INT(source.len, 0);
            source.data = three + cut;
            source.len = sizeof(three) - cut;
        }
        CHECK_INT(frames, 3);
        CHECK_BYTES(seen, seen_len, "abcdef", 6);
    }
}

static void joins_a_frame_that_comes_byte_by_byte(void) {
    struct source source = {.data = three + 3};
    for (size_t i = 0; i < 4; i++) {
        source.len = 1;
        expect_result(&source, 0);
    }
    source.len = 1;
    expect_frame(&source, "bcd", 3);
}

/* RFC 4571 section 2 allows them. */
static void gives_null_frames_as_empty(void) {
    static const uint8_t bytes[] = {0, 0, 0, 0, 0, 1, 'x'};
    struct source source = {.data = bytes, .len = 3};
    expect_frame(&source, "", 0);
    expect_result(&source, 0);
    source.len = 4;
    expect_frame(&source, "", 0);
    expect_frame(&source, "x", 1);
}

static void takes_the_longest_frame_and_refuses_the_next(void) {
    uint8_t *bytes = calloc(1, SFU_TCP_LENGTH_LEN + SFU_TCP_FRAME_MAX + 1);
    bytes[0] = SFU_TCP_FRAME_MAX >> 8;
    bytes[1] = SFU_TCP_FRAME_MAX & 0xff;
    struct source source = {.data = bytes, .len = SFU_TCP_LENGTH_LEN + SFU_TCP_FRAME_MAX};
    expect_frame(&source, bytes + SFU_TCP_LENGTH_LEN, SFU_TCP_FRAME_MAX);
    bytes[1]++;
    source.data = bytes;
    source.len = SFU_TCP_LENGTH_LEN + SFU_TCP_FRAME_MAX + 1;
    expect_result(&source, -EMSGSIZE);
    expect_result(&source, -EMSGSIZE);
    free(bytes);
}

/* An HTTP client at the wrong port: "GE" is a length of 18,245. */
static void refuses_another_protocol(void) {
    struct source source = {.data = (const uint8_t *)"GET / HTTP/1.1\r\n", .len = 16};
    expect_result(&source, -EMSGSIZE);
}

/* --- Writing --- */

static size_t drain(struct sfu_tcp_output *output, uint8_t *out, size_t len) {
    struct iovec pieces[2];
    size_t done = 0;
    int count = sfu_tcp_output_peek(output, pieces);
    for (int i = 0; i < count && done < len; i++) {
        size_t part = pieces[i].iov_len < len - done ? pieces[i].iov_len : len - done;
        memcpy(out + done, pieces[i].iov_base, part);
        done += part;
    }
    sfu_tcp_output_advance(output, done);
    return done;
}

static void writes_each_datagram_behind_its_length(void) {
    struct sfu_tcp_output output = {0};
    uint8_t out[32];
    CHECK_INT(sfu_tcp_output_put(&output, (const uint8_t *)"a", 1), 0);
    CHECK_INT(sfu_tcp_output_put(&output, (const uint8_t *)"bcd", 3), 0);
    CHECK_INT(sfu_tcp_output_put(&output, (const uint8_t *)"ef", 2), 0);
    CHECK_BYTES(out, drain(&output, out, sizeof(out)), three, sizeof(three));
    struct iovec pieces[2];
    CHECK_INT(sfu_tcp_output_peek(&output, pieces), 0);
    sfu_tcp_output_deinit(&output);
}

static void refuses_what_does_not_fit_and_stays_as_it_was(void) {
    struct sfu_tcp_output output = {0};
    static uint8_t datagram[1022];
    for (size_t i = 0; i < SFU_TCP_OUTPUT_BYTES / 1024; i++)
        CHECK_INT(sfu_tcp_output_put(&output, datagram, sizeof(datagram)), 0);
    CHECK_INT(output.len, SFU_TCP_OUTPUT_BYTES);
    CHECK_INT(sfu_tcp_output_put(&output, datagram, 0), -ENOBUFS);
    uint8_t out[1024];
    drain(&output, out, 1023);
    CHECK_INT(sfu_tcp_output_put(&output, datagram, sizeof(datagram)), -ENOBUFS);
    CHECK_INT(output.len, SFU_TCP_OUTPUT_BYTES - 1023);
    drain(&output, out, 1);
    CHECK_INT(sfu_tcp_output_put(&output, datagram, sizeof(datagram)), 0);
    sfu_tcp_output_deinit(&output);
}

static void refuses_what_a_length_cannot_tell(void) {
    struct sfu_tcp_output output = {0};
    uint8_t *data = calloc(1, 65536);
    CHECK_INT(sfu_tcp_output_put(&output, data, 65536), -ENOBUFS);
    CHECK_INT(sfu_tcp_output_put(&output, data, 65535), 0);
    free(data);
    sfu_tcp_output_deinit(&output);
}

/* Thousands of datagrams of all lengths, written and drained by odd amounts, so that frames, their
 * lengths and the drained pieces cross the ring's end in every way. */
static void loses_and_changes_nothing_around_the_ring(void) {
    struct sfu_tcp_output output = {0};
    struct source source = {0};
    uint32_t put = 0, got = 0;
    uint8_t datagram[1500], out[4099];
    while (got < 20000) {
        size_t put_len = 4 + put * 7 % 1400;
        memset(datagram, (int)put, put_len);
        memcpy(datagram, &put, sizeof(put));
        put += sfu_tcp_output_put(&output, datagram, put_len) == 0;
        if (put % 5 != 0 && output.len < SFU_TCP_OUTPUT_BYTES - 2000)
            continue;
        source.len = drain(&output, out, sizeof(out));
        source.data = out;
        const uint8_t *frame;
        size_t len;
        while (sfu_tcp_reader_next(&source.reader, &source.data, &source.len, &frame, &len) == 1) {
            CHECK_INT(len, 4 + got * 7 % 1400);
            CHECK(memcmp(frame, &got, sizeof(got)) == 0);
            CHECK(len == 4 || frame[len - 1] == (uint8_t)got);
            got++;
        }
    }
    sfu_tcp_output_deinit(&output);
}

static const struct test tests[] = {
    {"cuts_several_frames_out_of_one_piece", cuts_several_frames_out_of_one_piece},
    {"joins_frames_wherever_the_stream_is_cut", joins_frames_wherever_the_stream_is_cut},
    {"joins_a_frame_that_comes_byte_by_byte", joins_a_frame_that_comes_byte_by_byte},
    {"gives_null_frames_as_empty", gives_null_frames_as_empty},
    {"takes_the_longest_frame_and_refuses_the_next", takes_the_longest_frame_and_refuses_the_next},
    {"refuses_another_protocol", refuses_another_protocol},
    {"writes_each_datagram_behind_its_length", writes_each_datagram_behind_its_length},
    {"refuses_what_does_not_fit_and_stays_as_it_was",
     refuses_what_does_not_fit_and_stays_as_it_was},
    {"refuses_what_a_length_cannot_tell", refuses_what_a_length_cannot_tell},
    {"loses_and_changes_nothing_around_the_ring", loses_and_changes_nothing_around_the_ring},
};

TEST_MAIN(tests)
