/* What is on its way in the world: a heap by time, of datagrams and of signaling. */
#ifndef TESTS_SIM_WORLD_QUEUE_H
#define TESTS_SIM_WORLD_QUEUE_H

#include "tests/sim/world.h"

enum world_kind { WORLD_TO_SERVER, WORLD_TO_CLIENT, WORLD_WISH, WORLD_LAYERS };

struct world_delivery {
    uint64_t at_us, order;
    struct world_person *person;
    struct world_delivery *next; /* Among the free ones. */
    enum world_kind kind;
    struct sfu_address from; /* Towards the server. */
    struct sfu_wish wish;
    uint64_t track; /* WORLD_LAYERS. */
    uint8_t layers;
    size_t len;
    uint8_t data[SFU_BATCH_DATAGRAM_MAX];
};

/* A new one, to be filled and pushed; given back when it has been popped. */
struct world_delivery *world_delivery_get(struct world *world, struct world_person *person,
                                          enum world_kind kind, uint64_t at_us);
void world_delivery_put(struct world *world, struct world_delivery *delivery);

void world_queue_push(struct world *world, struct world_delivery *delivery);
struct world_delivery *world_queue_pop(struct world *world);
void world_queue_drop(struct world *world);

#endif
