#include "tests/sim/world_queue.h"

#include <assert.h>
#include <stdlib.h>

static bool is_before(const struct world_delivery *a, const struct world_delivery *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

struct world_delivery *world_delivery_get(struct world *world, struct world_person *person,
                                          enum world_kind kind, uint64_t at_us) {
    struct world_delivery *delivery = world->deliveries;
    if (delivery != NULL)
        world->deliveries = delivery->next;
    else
        delivery = malloc(sizeof(*delivery));
    assert(delivery != NULL);
    delivery->at_us = at_us;
    delivery->order = world->orders++;
    delivery->person = person;
    delivery->kind = kind;
    return delivery;
}

void world_delivery_put(struct world *world, struct world_delivery *delivery) {
    delivery->next = world->deliveries;
    world->deliveries = delivery;
}

void world_queue_push(struct world *world, struct world_delivery *delivery) {
    if (world->queued == world->queue_capacity) {
        world->queue_capacity = world->queue_capacity * 2 + 64;
        world->queue = realloc(world->queue, world->queue_capacity * sizeof(*world->queue));
        assert(world->queue != NULL);
    }
    size_t i = world->queued++;
    for (; i > 0 && is_before(delivery, world->queue[(i - 1) / 2]); i = (i - 1) / 2)
        world->queue[i] = world->queue[(i - 1) / 2];
    world->queue[i] = delivery;
}

struct world_delivery *world_queue_pop(struct world *world) {
    struct world_delivery *first = world->queue[0];
    struct world_delivery *last = world->queue[--world->queued];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < world->queued; i = child) {
        if (child + 1 < world->queued && is_before(world->queue[child + 1], world->queue[child]))
            child++;
        if (!is_before(world->queue[child], last))
            break;
        world->queue[i] = world->queue[child];
    }
    world->queue[i] = last;
    return first;
}

void world_queue_drop(struct world *world) {
    while (world->queued > 0)
        world_delivery_put(world, world_queue_pop(world));
    while (world->deliveries != NULL) {
        struct world_delivery *next = world->deliveries->next;
        free(world->deliveries);
        world->deliveries = next;
    }
    free(world->queue);
}
