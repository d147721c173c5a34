/* The stream is cut into pieces and read as frames, and read again in one piece: both have to give
 * the same frames, and what was read and framed again has to be what was taken. The input's first
 * byte says how long the pieces are. */
#include "sfu/tcp_frames.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool invariant) {
    if (!invariant)
        abort();
}

/* A piece in memory of its own, so that reading past its end is seen. */
static uint8_t *copy(const uint8_t *data, size_t len) {
    uint8_t *bytes = malloc(len ? len : 1);
    check(bytes != NULL);
    if (len > 0)
        memcpy(bytes, data, len);
    return bytes;
}

/* Frames all that the piece completes to output; the reader's last result. */
static int read_piece(struct sfu_tcp_reader *reader, const uint8_t *data, size_t len,
                      struct sfu_tcp_output *output) {
    const uint8_t *frame;
    size_t frame_len;
    int result;
    while ((result = sfu_tcp_reader_next(reader, &data, &len, &frame, &frame_len)) == 1) {
        check(frame_len <= SFU_TCP_FRAME_MAX);
        check(sfu_tcp_output_put(output, frame, frame_len) == 0);
    }
    check(result < 0 || len == 0);
    return result;
}

static int read_in_pieces(const uint8_t *data, size_t size, size_t piece_len,
                          struct sfu_tcp_output *output) {
    struct sfu_tcp_reader reader = {0};
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece_len) {
        size_t len = size - at < piece_len ? size - at : piece_len;
        uint8_t *piece = copy(data + at, len);
        result = read_piece(&reader, piece, len, output);
        free(piece);
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > SFU_TCP_OUTPUT_BYTES)
        return 0;
    size_t piece_len = 1 + (size_t)data[0];
    struct sfu_tcp_output whole = {0}, pieces = {0};
    int result = read_in_pieces(data + 1, size - 1, size, &whole);
    check(read_in_pieces(data + 1, size - 1, piece_len, &pieces) == result);
    check(whole.len == pieces.len && whole.len <= size - 1);
    check(whole.len == 0 || (memcmp(whole.bytes, pieces.bytes, whole.len) == 0 &&
                             memcmp(whole.bytes, data + 1, whole.len) == 0));
    sfu_tcp_output_deinit(&whole);
    sfu_tcp_output_deinit(&pieces);
    return 0;
}
