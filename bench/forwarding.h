/* What forwarding costs without the kernel: one publisher's video or voice through an engine to
 * many subscribers, with ICE and DTLS taken as done and what is sent thrown away. The same work
 * each time, so that an instruction counter gives the same number on a noisy machine. */
#ifndef BENCH_FORWARDING_H
#define BENCH_FORWARDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/srtp.h"

struct bench_forwarding_config {
    bool audio; /* Opus with levels instead of VP8. */
    size_t subscribers;
    size_t burst;       /* Packets of a wake-up, of one frame. */
    size_t payload_len; /* Bytes, at most 1,200. */
    uint64_t packets;   /* To forward, at least. */
    enum sfu_srtp_profile profile;
};

struct bench_forwarding_result {
    uint64_t forwarded;
    uint64_t cpu_ns;       /* User and system, of all that happened since everybody had joined, */
    uint64_t flush_cpu_ns; /* and of the wake-ups' ends alone, in which packets are forwarded. */
    double mean_run;       /* Datagrams in one message to the kernel. */
};

/* -ENOMEM, -EIO. */
int bench_forwarding_run(const struct bench_forwarding_config *config,
                         struct bench_forwarding_result *out);

#endif
