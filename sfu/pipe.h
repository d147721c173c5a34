/* Worker to worker: a ring with one producer and one consumer, without locks. */
#ifndef SFU_PIPE_H
#define SFU_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sfu_packet;

enum sfu_pipe_type {
    SFU_PIPE_PACKET,   /* Owner to mirror; carries a reference. */
    SFU_PIPE_CLOCK,    /* Owner to mirror. */
    SFU_PIPE_FED,      /* Owner to mirror: it has got all that was kept. */
    SFU_PIPE_KEYFRAME, /* Mirror to owner: a keyframe of the layer is wanted. */
    SFU_PIPE_WATCHED,  /* Mirror to owner: which layers anybody wishes there. */
};

struct sfu_pipe_entry {
    enum sfu_pipe_type type;
    uint8_t layer;
    uint8_t worker; /* SFU_PIPE_WATCHED: whose; bit i of layers: layer i. */
    uint8_t layers;
    bool cached; /* SFU_PIPE_PACKET: out of the owner's cache, for a mirror that has just opened. */
    uint64_t track;
    struct sfu_packet *packet;
    uint64_t clock_us;
    uint32_t clock_timestamp;
};

struct sfu_pipe;

/* capacity is a power of two. -ENOMEM. */
int sfu_pipe_create(struct sfu_pipe **out, size_t capacity);

/* Drops the references of what was not read. Both sides have stopped. */
void sfu_pipe_destroy(struct sfu_pipe *pipe);

/* False when it is full. */
bool sfu_pipe_push(struct sfu_pipe *pipe, const struct sfu_pipe_entry *entry);

/* False when it is empty. */
bool sfu_pipe_pop(struct sfu_pipe *pipe, struct sfu_pipe_entry *out);

#endif
