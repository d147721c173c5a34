/* Shares what a subscriber's network carries among its slots: a bitrate, and for each slot a ladder
 * and a wish in; a rung for each slot out. A pure function over an array of the caller, that keeps
 * in each slot what it needs so that nothing flaps. */
#ifndef RTP_ALLOCATOR_H
#define RTP_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_RUNGS_MAX = 12, /* Three encodings or spatial layers of four temporal ones. */

    /* A raise waits until the estimate has carried it, with the margin, for so long without a
     * break: the short time when the estimate is far above its usual or the slot has become more
     * important, else the long one, doubled with each setback. */
    RTP_ALLOCATOR_SHORT_US = 1000 * 1000,
    RTP_ALLOCATOR_LONG_US = 10 * 1000 * 1000,
    /* One setback is forgotten after so long without another. */
    RTP_ALLOCATOR_FORGET_US = 600 * 1000 * 1000,
    RTP_ALLOCATOR_SETBACKS_MAX = 6,
};

/* One way to forward a track. */
struct rtp_rung {
    uint32_t bps;           /* All that is sent for it; 0: known, but it does not flow. */
    uint16_t width, height; /* 0: not known; then the rungs' order is that of their quality. */
    uint8_t fps;            /* 0: not known. */
    uint8_t layer, spatial, temporal;
};

/* Why a slot has the rung that it has; the first that applies. */
enum rtp_allocator_reason {
    RTP_ALLOCATOR_NOTHING_PUBLISHED,
    RTP_ALLOCATOR_PAUSED_BY_CLIENT,
    RTP_ALLOCATOR_BANDWIDTH,   /* A better one is more than the estimate carries. */
    RTP_ALLOCATOR_HYSTERESIS,  /* It carries a better one, not yet long or clearly enough. */
    RTP_ALLOCATOR_NOT_FLOWING, /* A better one is wished for and not being sent. */
    RTP_ALLOCATOR_SIZE,        /* It is the one wished for: the tile is smaller than the best. */
    RTP_ALLOCATOR_FPS,         /* It is the one wished for: fewer frames than the best. */
    RTP_ALLOCATOR_WANTED,      /* It is the best there is. */
    RTP_ALLOCATOR_REASON_COUNT,
};

/* What is remembered of a slot from one call to the next. All zero: nothing, as for a slot that has
 * just got its track. */
struct rtp_allocator_state {
    bool known;
    bool paused;
    bool short_of_wish; /* The last call gave less than was wished for. */
    bool sank;          /* The newest setback was none of the raise: the network fell away. */
    uint8_t setbacks;   /* How often the network took a rung away lately. */
    uint8_t layer, spatial, temporal;
    uint32_t area;              /* Of the rung, in pixels. */
    uint64_t carried_since_us;  /* A raise is within the estimate since then; 0: it is not. */
    uint64_t setback_at_us;     /* The newest. */
    uint64_t setback_total_bps; /* What all had that the network could not carry then. */
    uint16_t rank;              /* In importance. */
    uint64_t promoted_at_us;    /* When it rose in importance; 0: it did not lately. */
    uint64_t resumed_at_us;     /* When it got something after a pause; 0: it did not lately. */
    uint64_t usual_bps;         /* The estimate, smoothed. */
    uint64_t usual_at_us;
    uint64_t raise_at_us; /* A raise may become due then; UINT64_MAX: not by time alone. */
};

struct rtp_allocator_slot {
    /* Given. The order of slots does not matter. */
    const struct rtp_rung *rungs; /* The cheapest first. */
    uint8_t rung_count;           /* At most RTP_RUNGS_MAX; 0: nothing is published. */
    uint32_t id;                  /* No two alike: decides between slots that are alike. */
    uint8_t priority;             /* The higher, the more important. */
    uint16_t max_width, max_height, max_fps; /* 0: any. */
    bool audio;                              /* Takes its last rung whatever the estimate. */
    bool screen;
    bool speaking;
    bool paused; /* By the client. */

    /* State, kept by the caller between calls. */
    struct rtp_allocator_state state;

    /* Out: indices of rungs. */
    int8_t wanted; /* What it would have on an unlimited network; -1: nothing. */
    int8_t chosen; /* -1: paused. */
    enum rtp_allocator_reason reason;

    /* Between the passes of one call. */
    uint8_t steps[RTP_RUNGS_MAX]; /* The rungs that may be chosen, the worst first. */
    uint8_t step_count;
    int8_t held;           /* The step of the rung that it has had; -1: none. */
    int8_t given;          /* The step given so far; -1: none. */
    bool carried;          /* The estimate carries a raise, with the margin. */
    uint32_t reserved_bps; /* For a raise that still has to wait. */
    uint16_t order;        /* Of this place in importance: the index of a slot. */
};

/* Chooses for each slot. The rungs chosen cost at most budget_bps in all, but for audio, which
 * always gets its rung. Returns what the estimate would have to be for everybody to get what they
 * want, with the margin that raising needs: the demand, to probe up to. At most UINT16_MAX slots.
 */
uint64_t rtp_allocator_run(struct rtp_allocator_slot *slots, size_t count, uint64_t budget_bps,
                           uint64_t now_us);

/* When to run again though nothing has changed, since a raise has waited long enough; UINT64_MAX
 * for never. */
uint64_t rtp_allocator_next_deadline(const struct rtp_allocator_slot *slots, size_t count);

/* A stable word: "wanted", "size", "fps", "bandwidth", "hysteresis", "not_flowing",
 * "paused_by_client", "nothing_published". */
const char *rtp_allocator_reason_name(enum rtp_allocator_reason reason);

#endif
