/* A link in virtual time for the tests of the bandwidth estimate: a rate, a queue, a delay, loss;
 * and on it subscribers whose tracks have layers, as an SFU sends them, or a loss-based flow
 * (CUBIC). */
#ifndef TESTS_UNIT_RTP_BWE_LINK_H
#define TESTS_UNIT_RTP_BWE_LINK_H

#include "rtp/bwe.h"
#include "rtp/twcc.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_US = 500,
    SECOND_US = 1000000,
    FLOWS = 2,
    TRACKS = 4,
    LAYERS = 3,
    PACKET = 1200,
    OVERHEAD = 28,
    QUEUED_MAX = 4096,
    FEEDBACK_US = 100000,
    FEEDBACKS = 16,
    LOSS_BASED = 1, /* Number of the flow that is no subscriber, where there is one. */
};

/* What waits to be sent, or is on its way, oldest first. */
struct datagram {
    uint64_t at_us;
    uint32_t bytes;
    uint16_t seq;
    uint8_t flow;
};

struct datagrams {
    struct datagram items[QUEUED_MAX];
    size_t head, count;
};

static inline void datagrams_push(struct datagrams *list, struct datagram datagram) {
    CHECK(list->count < QUEUED_MAX);
    list->items[(list->head + list->count++) % QUEUED_MAX] = datagram;
}

static inline struct datagram *datagrams_first(struct datagrams *list) {
    return list->count > 0 ? &list->items[list->head] : NULL;
}

static inline void datagrams_pop(struct datagrams *list) {
    list->head = (list->head + 1) % QUEUED_MAX;
    list->count--;
}

/* A track of which one layer is forwarded; -1: paused. */
struct sent_track {
    const uint32_t *layers_bps;
    int layer;
    uint64_t frame_us;   /* When the next frame comes. */
    uint64_t packet_us;  /* When its next packet comes. */
    uint32_t frame_left; /* Bytes of the frame that are still to come. */
    uint32_t spacing_us;
    uint32_t frames;
};

struct feedback_bytes {
    uint64_t due_us;
    size_t len;
    uint8_t bytes[1200];
};

/* A subscriber: the estimator at one end, the feedback at the other. */
struct subscriber {
    struct rtp_bwe bwe;
    struct rtp_twcc_receiver receiver;
    struct sent_track tracks[TRACKS];
    size_t track_count;
    uint64_t audio_us, feedback_us, probe_us, allocated_us;
    struct rtp_bwe_probe probe;
    uint32_t probe_sent;
    struct feedback_bytes feedbacks[FEEDBACKS];
    size_t feedback_head, feedback_count;
    uint16_t seq;
    uint32_t changes;   /* Of layers. */
    uint64_t change_us; /* The latest. */
};

/* CUBIC (RFC 9438) in packets, without its Reno-friendly region. */
struct cubic {
    double window, most, threshold;
    uint64_t epoch_us, reduced_us;
    uint32_t in_flight;
    struct datagrams acks;
};

struct world {
    uint64_t now_us, free_us;
    double rate_bps, loss;
    uint32_t queue_max_bytes, queue_bytes;
    uint64_t rtt_us, seed;
    struct datagrams queue;
    struct subscriber subscribers[FLOWS];
    size_t subscriber_count;
    struct cubic cubic;
    bool has_cubic, is_cut; /* Cut: nothing passes. */
    uint64_t delivered[FLOWS];
    uint64_t sent[FLOWS];
};

static inline double chance(struct world *world) {
    world->seed = world->seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(world->seed >> 11) / 9007199254740992.0;
}

static inline double queue_ms(const struct world *world) {
    return world->queue_bytes * 8e3 / world->rate_bps;
}

/* ---- The link ---- */

static inline bool link_send(struct world *world, uint8_t flow, uint16_t seq, uint32_t bytes) {
    world->sent[flow] += bytes;
    if (world->queue_bytes + bytes > world->queue_max_bytes)
        return false;
    world->queue_bytes += bytes;
    datagrams_push(&world->queue, (struct datagram){world->now_us, bytes, seq, flow});
    return true;
}

static inline void cubic_lost(struct world *world) {
    struct cubic *cubic = &world->cubic;
    if (cubic->in_flight > 0)
        cubic->in_flight--;
    if (world->now_us - cubic->reduced_us < world->rtt_us + (uint64_t)(queue_ms(world) * 1000))
        return;
    cubic->reduced_us = world->now_us;
    cubic->epoch_us = 0;
    cubic->most = cubic->window;
    cubic->window = cubic->window * 0.7 > 2 ? cubic->window * 0.7 : 2;
    cubic->threshold = cubic->window;
}

static inline void cubic_acked(struct world *world) {
    struct cubic *cubic = &world->cubic;
    if (cubic->in_flight > 0)
        cubic->in_flight--;
    if (cubic->window < cubic->threshold) {
        cubic->window += 1;
        return;
    }
    if (cubic->epoch_us == 0)
        cubic->epoch_us = world->now_us;
    double t = (double)(world->now_us - cubic->epoch_us + world->rtt_us) / 1e6;
    double k = cbrt(cubic->most * 0.3 / 0.4);
    double target = 0.4 * (t - k) * (t - k) * (t - k) + cubic->most;
    if (target > cubic->window * 1.5)
        target = cubic->window * 1.5;
    if (target > cubic->window)
        cubic->window += (target - cubic->window) / cubic->window;
}

static inline void cubic_run(struct world *world) {
    struct cubic *cubic = &world->cubic;
    for (struct datagram *ack; (ack = datagrams_first(&cubic->acks)) != NULL;) {
        if (ack->at_us > world->now_us)
            break;
        if (ack->bytes > 0)
            cubic_acked(world);
        else
            cubic_lost(world);
        datagrams_pop(&cubic->acks);
    }
    while (cubic->in_flight < (uint32_t)cubic->window) {
        cubic->in_flight++;
        if (!link_send(world, LOSS_BASED, 0, PACKET + OVERHEAD))
            datagrams_push(&cubic->acks, (struct datagram){world->now_us + world->rtt_us, 0, 0, 1});
    }
}

static inline void deliver(struct world *world, const struct datagram *datagram, uint64_t at_us) {
    bool lost = chance(world) < world->loss;
    if (world->has_cubic && datagram->flow == LOSS_BASED) {
        datagrams_push(&world->cubic.acks,
                       (struct datagram){at_us + world->rtt_us, lost ? 0 : datagram->bytes, 0, 1});
        world->delivered[LOSS_BASED] += lost ? 0 : datagram->bytes;
    } else if (!lost) {
        world->delivered[datagram->flow] += datagram->bytes;
        rtp_twcc_on_packet(&world->subscribers[datagram->flow].receiver, at_us, datagram->seq);
    }
}

static inline void link_run(struct world *world) {
    uint64_t end_us = world->now_us + STEP_US;
    for (struct datagram *first; (first = datagrams_first(&world->queue)) != NULL;) {
        uint64_t begin_us = world->free_us > first->at_us ? world->free_us : first->at_us;
        if (world->is_cut && begin_us < end_us)
            begin_us = end_us;
        uint64_t done_us = begin_us + (uint64_t)(first->bytes * 8e6 / world->rate_bps);
        if (done_us > end_us || world->is_cut)
            break;
        world->free_us = done_us;
        world->queue_bytes -= first->bytes;
        deliver(world, first, done_us);
        datagrams_pop(&world->queue);
    }
}

/* ---- A subscriber ---- */

static inline void subscriber_send(struct world *world, uint8_t flow, uint32_t payload) {
    struct subscriber *subscriber = &world->subscribers[flow];
    uint32_t bytes = payload + OVERHEAD;
    rtp_bwe_on_sent(&subscriber->bwe, world->now_us, subscriber->seq, bytes, subscriber->probe.id);
    link_send(world, flow, subscriber->seq++, bytes);
    if (subscriber->probe.id != 0 && (subscriber->probe_sent += bytes) >= subscriber->probe.bytes)
        subscriber->probe.id = 0;
}

/* Frames vary by a fifth; a keyframe has five times the mean, and is spread at two and a half times
 * the rate as browsers do. */
static inline void track_run(struct world *world, uint8_t flow, struct sent_track *track) {
    if (track->layer < 0)
        return;
    double bps = track->layers_bps[track->layer];
    if (world->now_us >= track->frame_us) {
        double mean = bps / 8 / 30;
        bool is_key = track->frames++ % 300 == 0;
        track->frame_left += (uint32_t)(mean * (is_key ? 5 : 0.8 + 0.4 * chance(world)));
        track->spacing_us = (uint32_t)(PACKET * 8e6 / (2.5 * bps));
        track->frame_us = (track->frame_us > 0 ? track->frame_us : world->now_us) + 33333;
        if (track->packet_us < world->now_us)
            track->packet_us = world->now_us;
    }
    while (track->frame_left > 0 && world->now_us >= track->packet_us) {
        uint32_t payload = track->frame_left < PACKET ? track->frame_left : PACKET;
        track->frame_left -= payload;
        track->packet_us += track->spacing_us;
        subscriber_send(world, flow, payload);
    }
}

static inline void probe_run(struct world *world, uint8_t flow) {
    struct subscriber *subscriber = &world->subscribers[flow];
    struct rtp_bwe_probe *probe = &subscriber->probe;
    if (probe->id == 0 && rtp_bwe_next_probe(&subscriber->bwe, world->now_us, probe)) {
        subscriber->probe_us = world->now_us;
        subscriber->probe_sent = 0;
    }
    while (probe->id != 0 && world->now_us - subscriber->probe_us >=
                                 (uint64_t)(subscriber->probe_sent * 8e6 / probe->rate_bps)) {
        uint32_t payload = probe->bytes / 6 < PACKET ? probe->bytes / 6 : PACKET;
        subscriber_send(world, flow, payload);
    }
}

static inline void layer_set(struct world *world, struct subscriber *subscriber,
                             struct sent_track *track, int layer) {
    if (layer == track->layer)
        return;
    track->layer = layer;
    track->frames = 0; /* A keyframe comes first. */
    track->frame_left = 0;
    track->frame_us = world->now_us;
    subscriber->changes++;
    subscriber->change_us = world->now_us;
}

/* Every track gets what fits, one step up a track and round; up only with a tenth to spare. */
static inline void allocate(struct world *world, struct subscriber *subscriber) {
    double budget = rtp_bwe_bps(&subscriber->bwe) - 40e3, used = 0;
    int layers[TRACKS];
    for (size_t t = 0; t < subscriber->track_count; t++)
        layers[t] = -1;
    for (int layer = 0; layer < LAYERS; layer++)
        for (size_t t = 0; t < subscriber->track_count; t++) {
            struct sent_track *track = &subscriber->tracks[t];
            double more = track->layers_bps[layer] - (layer > 0 ? track->layers_bps[layer - 1] : 0);
            double needed = used + more;
            if (layer > track->layer)
                needed *= 1.1;
            if (layers[t] == layer - 1 && needed <= budget) {
                layers[t] = layer;
                used += more;
            }
        }
    for (size_t t = 0; t < subscriber->track_count; t++)
        layer_set(world, subscriber, &subscriber->tracks[t], layers[t]);
}

static inline void feedback_run(struct world *world, struct subscriber *subscriber) {
    while (world->now_us >= subscriber->feedback_us &&
           rtp_twcc_pending(&subscriber->receiver) > 0) {
        uint8_t body[RTP_TWCC_BODY_MAX];
        size_t len = rtp_twcc_feedback_write(&subscriber->receiver, body, sizeof body);
        CHECK(subscriber->feedback_count < FEEDBACKS);
        struct feedback_bytes *feedback =
            &subscriber->feedbacks[(subscriber->feedback_head + subscriber->feedback_count++) %
                                   FEEDBACKS];
        struct rtcp_builder builder;
        rtcp_builder_init(&builder, feedback->bytes, sizeof feedback->bytes);
        CHECK_INT(rtcp_append_feedback(&builder, RTCP_RTPFB, RTCP_FMT_TWCC, 1, 2, body, len), 0);
        feedback->len = builder.len;
        feedback->due_us = world->now_us + world->rtt_us;
    }
    if (world->now_us >= subscriber->feedback_us)
        subscriber->feedback_us = world->now_us + FEEDBACK_US;
    while (subscriber->feedback_count > 0 &&
           subscriber->feedbacks[subscriber->feedback_head].due_us <= world->now_us) {
        struct feedback_bytes *feedback = &subscriber->feedbacks[subscriber->feedback_head];
        struct rtcp_packet packet;
        size_t offset = 0;
        CHECK(rtcp_next(feedback->bytes, feedback->len, &offset, &packet));
        CHECK_INT(rtp_bwe_on_feedback(&subscriber->bwe, world->now_us, &packet), 0);
        subscriber->feedback_head = (subscriber->feedback_head + 1) % FEEDBACKS;
        subscriber->feedback_count--;
        allocate(world, subscriber);
    }
}

static inline void subscriber_run(struct world *world, uint8_t flow) {
    struct subscriber *subscriber = &world->subscribers[flow];
    feedback_run(world, subscriber);
    if (rtp_bwe_next_deadline(&subscriber->bwe) <= world->now_us) {
        rtp_bwe_on_deadline(&subscriber->bwe, world->now_us);
        CHECK(rtp_bwe_next_deadline(&subscriber->bwe) > world->now_us);
        allocate(world, subscriber);
    }
    if (world->now_us >= subscriber->audio_us) {
        subscriber_send(world, flow, 100);
        subscriber->audio_us += 20000;
    }
    for (size_t t = 0; t < subscriber->track_count; t++)
        track_run(world, flow, &subscriber->tracks[t]);
    probe_run(world, flow);
}

/* ---- The world ---- */

static inline struct world *world_create(double rate_bps, double queue_max_ms, double rtt_ms) {
    struct world *world = calloc(1, sizeof *world);
    CHECK(world != NULL);
    world->now_us = 1000 * (uint64_t)SECOND_US;
    world->rate_bps = rate_bps;
    world->queue_max_bytes = (uint32_t)(rate_bps * queue_max_ms / 8e3);
    world->rtt_us = (uint64_t)(rtt_ms * 1000);
    world->seed = 1;
    world->cubic.window = 10;
    world->cubic.threshold = 1e9;
    return world;
}

static inline struct subscriber *world_subscribe(struct world *world, size_t tracks,
                                                 const uint32_t layers_bps[static LAYERS]) {
    struct subscriber *subscriber = &world->subscribers[world->subscriber_count++];
    struct rtp_bwe_config config = {.start_bps = 300000, .min_bps = 30000, .max_bps = 30000000};
    rtp_bwe_init(&subscriber->bwe, world->now_us, &config);
    subscriber->track_count = tracks;
    uint64_t demand_bps = 40000;
    for (size_t t = 0; t < tracks; t++) {
        subscriber->tracks[t] = (struct sent_track){.layers_bps = layers_bps, .layer = -1};
        demand_bps += layers_bps[LAYERS - 1];
    }
    subscriber->audio_us = subscriber->feedback_us = world->now_us;
    rtp_bwe_set_demand(&subscriber->bwe, world->now_us, demand_bps);
    allocate(world, subscriber);
    return subscriber;
}

static inline void world_step(struct world *world) {
    world->now_us += STEP_US;
    for (size_t i = 0; i < world->subscriber_count; i++)
        subscriber_run(world, (uint8_t)i);
    if (world->has_cubic)
        cubic_run(world);
    link_run(world);
}

#endif
