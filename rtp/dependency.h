/* The dependency descriptor, a header extension that tells an SFU what each frame is for (AV1 RTP
 * payload specification, appendix A). Keyframes attach a structure: a table of templates that later
 * frames refer to. */
#ifndef RTP_DEPENDENCY_H
#define RTP_DEPENDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RTP_DEPENDENCY_TEMPLATES_MAX = 64,
    RTP_DEPENDENCY_TARGETS_MAX = 32,
    RTP_DEPENDENCY_CHAINS_MAX = 32,
    RTP_DEPENDENCY_SPATIAL_MAX = 4,
    RTP_DEPENDENCY_TEMPORAL_MAX = 8,
    RTP_DEPENDENCY_FDIFFS_MAX = 8, /* AV1 keeps eight reference frames; more is malformed to us. */
};

/* What a frame is to a decode target (section A.8.2.2). */
enum rtp_dependency_indication {
    RTP_DEPENDENCY_NOT_PRESENT,
    RTP_DEPENDENCY_DISCARDABLE,
    RTP_DEPENDENCY_SWITCH,
    RTP_DEPENDENCY_REQUIRED
};

/* What a template says, and with its custom fields a frame. */
struct rtp_dependency_frame {
    uint8_t spatial;
    uint8_t temporal;
    uint8_t fdiff_count;
    uint16_t fdiffs[RTP_DEPENDENCY_FDIFFS_MAX];      /* Frame numbers back to what it needs. */
    uint64_t indications;                            /* Two bits per decode target, 0 lowest. */
    uint8_t chain_fdiffs[RTP_DEPENDENCY_CHAINS_MAX]; /* Back to each chain's last frame, 0 none. */
};

static inline enum rtp_dependency_indication
rtp_dependency_indication(const struct rtp_dependency_frame *frame, unsigned target) {
    return (enum rtp_dependency_indication)(frame->indications >> 2 * target & 3);
}

/* The table; a plain value that may be copied and kept with a track. */
struct rtp_dependency_structure {
    uint8_t template_offset; /* Id of the first template. */
    uint8_t template_count;
    uint8_t target_count;
    uint8_t chain_count;
    uint8_t spatial_count;
    uint8_t temporal_count;
    bool has_sizes;
    uint8_t target_chain[RTP_DEPENDENCY_TARGETS_MAX]; /* Which chain protects it. */
    uint8_t target_spatial[RTP_DEPENDENCY_TARGETS_MAX];
    uint8_t target_temporal[RTP_DEPENDENCY_TARGETS_MAX];
    uint16_t width[RTP_DEPENDENCY_SPATIAL_MAX];
    uint16_t height[RTP_DEPENDENCY_SPATIAL_MAX];
    /* Targets of no higher layers than these, one bit each. */
    uint32_t reach[RTP_DEPENDENCY_SPATIAL_MAX][RTP_DEPENDENCY_TEMPORAL_MAX];
    struct rtp_dependency_frame templates[RTP_DEPENDENCY_TEMPLATES_MAX];
};

/* What one packet's descriptor says. */
struct rtp_dependency {
    bool frame_start;
    bool frame_end;
    uint8_t template_id;
    uint16_t frame_number;
    bool attached;       /* The packet brought a structure: a keyframe's first packet. */
    bool has_targets;    /* Active decode targets are named, or reset to all by a structure. */
    bool known;          /* A structure was at hand: frame is filled. */
    uint32_t targets;    /* One bit per active decode target. */
    uint32_t present;    /* Targets that the frame is in, */
    uint32_t switchable; /* and those of them that can be switched to at it. */
    uint16_t targets_at; /* In bits, where active targets are named or would be, */
    uint16_t rest_at;    /* where the fields after them begin, */
    uint16_t end_at;     /* and end. */
    struct rtp_dependency_frame frame;
};

/* Reads a descriptor. structure is the one that the stream last attached, template_count 0 for none
 * yet; one that comes with this packet replaces it. Without either, only what needs none is read.
 * 0, or -EBADMSG when it is cut short, beyond the limits, or names a template that the structure
 * does not have; then neither *structure nor *out is touched. */
int rtp_dependency_parse(const uint8_t *data, size_t len,
                         struct rtp_dependency_structure *structure, struct rtp_dependency *out);

enum { RTP_DEPENDENCY_MAX = 255 }; /* What an extension of the two-byte form holds. */

/* Writes a descriptor that was read with a structure at hand (known) of target_count targets, with
 * another frame number and these active targets. Returns its length, at most 5 more than before, or
 * 0 when that is more than capacity. */
size_t rtp_dependency_write(const uint8_t *data, size_t len,
                            const struct rtp_dependency *dependency, uint8_t target_count,
                            uint16_t frame_number, uint32_t targets, uint8_t *out, size_t capacity);

#endif
