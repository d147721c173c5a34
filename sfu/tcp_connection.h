/* What tcp.c and tcp_connection.c share: the first decides who may connect and for how long, the
 * second reads and writes. */
#ifndef SFU_TCP_CONNECTION_H
#define SFU_TCP_CONNECTION_H

#include "sfu/table.h"
#include "sfu/tcp.h"
#include "sfu/tcp_frames.h"

enum { SFU_TCP_READ_BYTES = 32 * 1024 /* In one wake-up, then others get their turn. */ };

/* A stranger until the engine knows its peer, by a connectivity check that was authenticated. */
struct sfu_tcp_connection {
    /* Given. */
    struct sfu_tcp *tcp;

    /* Owned. */
    int fd;
    uv_poll_t poll;
    struct sfu_tcp_output output;

    /* Links. */
    struct sfu_tcp_connection *next; /* Accepted after it. */
    struct sfu_tcp_connection **link;
    struct sfu_tcp_connection *next_written;

    /* State. */
    struct sfu_address from;
    uint64_t heard_us;
    uint64_t known_us; /* When the engine last knew the peer; at first, when it was accepted. */
    bool known;
    bool written; /* Has new output in the present sfu_tcp_write. */
    bool waits_for_room;
    bool closed;
    struct sfu_tcp_reader reader;
};

struct sfu_tcp {
    /* Given. */
    struct sfu_tcp_config config;

    /* Owned. */
    struct sfu_tcp_listener *listeners;
    struct sfu_tcp_connection *connections; /* Oldest first. */
    struct sfu_tcp_connection **connections_end;
    struct sfu_table by_via;
    uv_timer_t timer;
    uint8_t read_buffer[SFU_TCP_READ_BYTES];

    /* State. */
    uint32_t last_via;
    size_t handles; /* Of the loop; the last one to close frees this. */

    /* Counters. */
    struct sfu_counters counters;
};

/* Begins to read a connected socket, which is closed on failure: -ENOMEM. */
int sfu_tcp_connection_open(struct sfu_tcp *tcp, int fd, const struct sfu_address *from);

/* Closes it at once, a stranger's by a reset; the memory is freed by the loop's next turn. */
void sfu_tcp_connection_close(struct sfu_tcp_connection *connection);

/* A handle of the loop that belonged to it has been closed. */
void sfu_tcp_handle_closed(struct sfu_tcp *tcp);

/* Makes close() send a reset, which leaves nothing of the connection behind in the kernel. */
void sfu_tcp_reset_on_close(int fd);

#endif
