/* Datagrams in a byte stream (RFC 4571): each stands behind two bytes that tell its length. The
 * reader cuts apart what arrives, the output keeps what a peer has not taken yet. No I/O. */
#ifndef SFU_TCP_FRAMES_H
#define SFU_TCP_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "sfu/packet.h"

enum {
    SFU_TCP_LENGTH_LEN = 2,
    SFU_TCP_FRAME_MAX = SFU_PACKET_CAPACITY, /* What a frame may carry. */
    SFU_TCP_OUTPUT_BYTES = 256 * 1024,       /* The keyframes that greet a new watcher. */
};

/* Zero-initialise. */
struct sfu_tcp_reader {
    size_t have; /* Bytes of the frame that is not whole yet. */
    uint8_t bytes[SFU_TCP_LENGTH_LEN + SFU_TCP_FRAME_MAX];
};

/* Takes bytes of the stream from *data and *len up to the end of the next frame. 1: *frame and
 * *frame_len are what it carries (perhaps nothing), valid until the next call and while the data
 * lives; 0: all bytes were taken and more are needed; -EMSGSIZE: the frame is longer than
 * SFU_TCP_FRAME_MAX, and nothing more can be read of this stream. */
int sfu_tcp_reader_next(struct sfu_tcp_reader *reader, const uint8_t **data, size_t *len,
                        const uint8_t **frame, size_t *frame_len);

/* Whole frames that wait for the peer, at most SFU_TCP_OUTPUT_BYTES. Zero-initialise. */
struct sfu_tcp_output {
    /* Owned. */
    uint8_t *bytes; /* A ring; NULL until the first datagram. */
    /* State. */
    size_t start;
    size_t len;
};

void sfu_tcp_output_deinit(struct sfu_tcp_output *output);

/* Adds a datagram as one frame. -ENOBUFS when it does not fit or -ENOMEM; then nothing was added.
 */
int sfu_tcp_output_put(struct sfu_tcp_output *output, const uint8_t *data, size_t len);

/* What is to be written next, in at most two pieces; how many. */
int sfu_tcp_output_peek(const struct sfu_tcp_output *output, struct iovec out[static 2]);

/* The first len of those bytes have been written. */
void sfu_tcp_output_advance(struct sfu_tcp_output *output, size_t len);

#endif
