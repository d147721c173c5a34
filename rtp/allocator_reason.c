/* What the reasons of an allocation are called. */
#include "rtp/allocator.h"

static const char *const names[RTP_ALLOCATOR_REASON_COUNT] = {
    [RTP_ALLOCATOR_NOTHING_PUBLISHED] = "nothing_published",
    [RTP_ALLOCATOR_PAUSED_BY_CLIENT] = "paused_by_client",
    [RTP_ALLOCATOR_BANDWIDTH] = "bandwidth",
    [RTP_ALLOCATOR_HYSTERESIS] = "hysteresis",
    [RTP_ALLOCATOR_NOT_FLOWING] = "not_flowing",
    [RTP_ALLOCATOR_SIZE] = "size",
    [RTP_ALLOCATOR_FPS] = "fps",
    [RTP_ALLOCATOR_WANTED] = "wanted",
};

const char *rtp_allocator_reason_name(enum rtp_allocator_reason reason) {
    return (unsigned)reason < RTP_ALLOCATOR_REASON_COUNT ? names[reason] : "unknown";
}
