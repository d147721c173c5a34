#include "sfu/tcp_frames.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- Reading --- */

/* Where the frame ends that begins with these bytes, as far as they tell. */
static size_t frame_end(const uint8_t *bytes, size_t have) {
    if (have < SFU_TCP_LENGTH_LEN)
        return SFU_TCP_LENGTH_LEN;
    return SFU_TCP_LENGTH_LEN + ((size_t)bytes[0] << 8 | bytes[1]);
}

/* A frame that arrived in one piece is not copied. */
static bool take_in_place(const uint8_t **data, size_t *len, const uint8_t **frame,
                          size_t *frame_len) {
    size_t end = frame_end(*data, *len);
    if (*len < end || end > SFU_TCP_LENGTH_LEN + SFU_TCP_FRAME_MAX)
        return false;
    *frame = *data + SFU_TCP_LENGTH_LEN;
    *frame_len = end - SFU_TCP_LENGTH_LEN;
    *data += end;
    *len -= end;
    return true;
}

static void take_until(struct sfu_tcp_reader *reader, size_t end, const uint8_t **data,
                       size_t *len) {
    size_t missing = end - reader->have;
    size_t count = *len < missing ? *len : missing;
    if (count == 0)
        return;
    memcpy(reader->bytes + reader->have, *data, count);
    reader->have += count;
    *data += count;
    *len -= count;
}

int sfu_tcp_reader_next(struct sfu_tcp_reader *reader, const uint8_t **data, size_t *len,
                        const uint8_t **frame, size_t *frame_len) {
    if (reader->have == frame_end(reader->bytes, reader->have))
        reader->have = 0; /* The last call gave it. */
    if (reader->have == 0 && take_in_place(data, len, frame, frame_len))
        return 1;
    for (;;) {
        size_t end = frame_end(reader->bytes, reader->have);
        if (end > sizeof(reader->bytes))
            return -EMSGSIZE;
        take_until(reader, end, data, len);
        if (reader->have < end)
            return 0;
        if (end == frame_end(reader->bytes, reader->have)) /* Not only the length came. */
            break;
    }
    *frame = reader->bytes + SFU_TCP_LENGTH_LEN;
    *frame_len = reader->have - SFU_TCP_LENGTH_LEN;
    return 1;
}

/* --- Writing --- */

void sfu_tcp_output_deinit(struct sfu_tcp_output *output) {
    free(output->bytes);
    *output = (struct sfu_tcp_output){0};
}

static void append(struct sfu_tcp_output *output, const uint8_t *data, size_t len) {
    size_t at = (output->start + output->len) % SFU_TCP_OUTPUT_BYTES;
    size_t first = SFU_TCP_OUTPUT_BYTES - at;
    if (first > len)
        first = len;
    memcpy(output->bytes + at, data, first);
    memcpy(output->bytes, data + first, len - first);
    output->len += len;
}

int sfu_tcp_output_put(struct sfu_tcp_output *output, const uint8_t *data, size_t len) {
    if (len > UINT16_MAX || SFU_TCP_LENGTH_LEN + len > SFU_TCP_OUTPUT_BYTES - output->len)
        return -ENOBUFS;
    if (output->bytes == NULL)
        output->bytes = malloc(SFU_TCP_OUTPUT_BYTES);
    if (output->bytes == NULL)
        return -ENOMEM;
    const uint8_t length[SFU_TCP_LENGTH_LEN] = {(uint8_t)(len >> 8), (uint8_t)len};
    append(output, length, sizeof(length));
    append(output, data, len);
    return 0;
}

int sfu_tcp_output_peek(const struct sfu_tcp_output *output, struct iovec out[static 2]) {
    size_t first = SFU_TCP_OUTPUT_BYTES - output->start;
    if (output->len == 0)
        return 0;
    out[0] = (struct iovec){.iov_base = output->bytes + output->start, .iov_len = output->len};
    if (output->len <= first)
        return 1;
    out[0].iov_len = first;
    out[1] = (struct iovec){.iov_base = output->bytes, .iov_len = output->len - first};
    return 2;
}

void sfu_tcp_output_advance(struct sfu_tcp_output *output, size_t len) {
    output->start = (output->start + len) % SFU_TCP_OUTPUT_BYTES;
    output->len -= len;
    if (output->len == 0)
        output->start = 0; /* A peer that keeps up touches few pages. */
}
