/* The AV1 aggregation header (AV1 RTP payload specification 1.0, section 4.4), and what the
 * dependency descriptor says of one packet. */
#include "rtp/codec.h"

#include <errno.h>

#include "rtp/dependency.h"

enum {
    BIT_Z = 0x80, /* Continues the last packet's fragment. */
    BIT_N = 0x08, /* First packet of a coded video sequence. */
};

/* Layers are told by templates, which only the keyframe brings: what it attaches is read here, the
 * rest is for whoever keeps the structure. */
static void read_dependency(const struct rtp_extensions *extensions, struct rtp_descriptor *out) {
    struct rtp_dependency_structure structure;
    struct rtp_dependency dependency;
    structure.template_count = 0;
    if (rtp_dependency_parse(extensions->dependency, extensions->dependency_len, &structure,
                             &dependency) < 0)
        return;
    out->frame_start = dependency.frame_start;
    out->frame_end = dependency.frame_end;
    if (!dependency.attached)
        return;
    out->keyframe = true;
    out->spatial = dependency.frame.spatial;
    out->temporal = dependency.frame.temporal;
    if (structure.has_sizes) {
        out->width = structure.width[structure.spatial_count - 1];
        out->height = structure.height[structure.spatial_count - 1];
    }
}

int rtp_av1_parse(const uint8_t *payload, size_t len, const struct rtp_extensions *extensions,
                  struct rtp_descriptor *out) {
    /* A sequence does not begin with the rest of something (section 4.4). */
    if (len < 2 || (payload[0] & (BIT_N | BIT_Z)) == (BIT_N | BIT_Z))
        return -EBADMSG;
    struct rtp_descriptor parsed = {.keyframe = payload[0] & BIT_N,
                                    .frame_start = payload[0] & BIT_N,
                                    .picture_id = RTP_NO_NUMBER,
                                    .tl0picidx = RTP_NO_NUMBER};
    if (extensions != NULL && rtp_ext_has(extensions, RTP_EXT_DEPENDENCY))
        read_dependency(extensions, &parsed);
    *out = parsed;
    return 0;
}
