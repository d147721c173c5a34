/* The least that forwarding can cost on this machine: a bare loop that encrypts packets of one size
 * for each subscriber under his own key and sends them in runs, one message a run. What a server
 * takes more than this is its own. Without a rest all stays in the caches and whom it is for is
 * awake; in the rhythm of the media, as a server has to, the same packets cost more. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_floor_config {
    const char *address; /* Where the subscribers are, IPv4; ports count up from first_port. */
    uint16_t first_port;
    size_t subscribers;
    size_t run;   /* Packets in one message; 1 is without UDP_SEGMENT. */
    size_t frame; /* Packets for a subscriber before it is the next one's turn, as whole runs. */
    double frames_per_s; /* In the rhythm of the media, asleep in between; 0: without a rest. */
    size_t payload_len;  /* Bytes behind the RTP header, at most 1,200. */
    uint64_t packets;    /* To send, at least. */
};

struct bench_floor_result {
    uint64_t sent;
    uint64_t refused;       /* By the kernel. */
    uint64_t cpu_ns;        /* User and system, */
    uint64_t cipher_cpu_ns; /* and what the same packets take without the sending. */
};

/* A negative errno. */
int bench_floor_run(const struct bench_floor_config *config, struct bench_floor_result *out);

#endif
