/* How a source's packets are made: headers, heads, stamps, RED, RTX. Of bench/source alone. */
#ifndef BENCH_SOURCE_PACKET_H
#define BENCH_SOURCE_PACKET_H

#include "bench/source.h"

/* Makes the next packet of a part, about payload_len long, and keeps it to be sent. */
void bench_source_queue(struct bench_source *source, const struct bench_part *part,
                        const struct bench_place *place, const struct bench_stamp *stamp,
                        size_t payload_len);

/* Sends a kept packet, as RTX or for the first time. */
void bench_source_send_kept(struct bench_source *source, uint64_t now_us,
                            const struct bench_kept *kept, bool rtx, bench_source_send_fn send,
                            void *ctx);

/* Sends 20 ms of sound of len bytes, with what RED repeats. Without a stamp: one byte of silence.
 */
void bench_source_send_audio(struct bench_source *source, uint64_t now_us,
                             const struct bench_stamp *stamp, size_t len, bench_source_send_fn send,
                             void *ctx);

#endif
