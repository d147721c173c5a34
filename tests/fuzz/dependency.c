/* Dependency descriptors of one stream: each is a length byte and so many bytes, and the structure
 * is kept from one to the next. */
#include "rtp/dependency.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static void check_frame(const struct rtp_dependency_frame *frame) {
    check(frame->spatial < RTP_DEPENDENCY_SPATIAL_MAX);
    check(frame->temporal < RTP_DEPENDENCY_TEMPORAL_MAX);
    check(frame->fdiff_count <= RTP_DEPENDENCY_FDIFFS_MAX);
    for (unsigned i = 0; i < frame->fdiff_count; i++)
        check(frame->fdiffs[i] >= 1 && frame->fdiffs[i] <= 4096);
}

static void check_structure(const struct rtp_dependency_structure *structure) {
    if (structure->template_count == 0)
        return;
    check(structure->template_count <= RTP_DEPENDENCY_TEMPLATES_MAX);
    check(structure->target_count >= 1 && structure->target_count <= RTP_DEPENDENCY_TARGETS_MAX);
    check(structure->chain_count <= structure->target_count);
    check(structure->spatial_count >= 1 && structure->spatial_count <= RTP_DEPENDENCY_SPATIAL_MAX);
    check(structure->temporal_count >= 1 &&
          structure->temporal_count <= RTP_DEPENDENCY_TEMPORAL_MAX);
    for (unsigned target = 0; target < structure->target_count; target++) {
        check(structure->target_spatial[target] < structure->spatial_count);
        check(structure->target_temporal[target] < structure->temporal_count);
        check(structure->chain_count == 0 ||
              structure->target_chain[target] < structure->chain_count);
    }
    for (unsigned i = 0; i < structure->template_count; i++)
        check_frame(&structure->templates[i]);
}

/* Written with other numbers, it reads the same but for them. */
static void check_written(const uint8_t *data, size_t len,
                          const struct rtp_dependency_structure *structure,
                          const struct rtp_dependency *got) {
    uint8_t out[RTP_DEPENDENCY_MAX + 8];
    uint32_t targets = got->targets ^ (got->present & 0x5555);
    uint16_t number = got->frame_number ^ UINT16_MAX;
    size_t out_len = rtp_dependency_write(data, len, got, structure->target_count, number, targets,
                                          out, sizeof(out));
    check(out_len > 0 && out_len <= len + 5);
    static struct rtp_dependency_structure again;
    again = *structure;
    struct rtp_dependency read;
    check(rtp_dependency_parse(out, out_len, &again, &read) == 0);
    check(memcmp(&again, structure, sizeof(again)) == 0);
    check(read.frame_number == number && read.targets == targets);
    check(read.template_id == got->template_id && read.attached == got->attached);
    check(read.present == got->present && read.switchable == got->switchable);
    check(memcmp(&read.frame, &got->frame, sizeof(read.frame)) == 0);
}

static void check_one(const uint8_t *data, size_t len, struct rtp_dependency_structure *structure) {
    static struct rtp_dependency_structure before;
    before = *structure;
    struct rtp_dependency got = {0};
    if (rtp_dependency_parse(data, len, structure, &got) < 0 || !got.attached)
        check(memcmp(&before, structure, sizeof(before)) == 0);
    check_structure(structure);
    check(!got.attached || (got.known && got.has_targets));
    check(got.known == (structure->template_count != 0 && len >= 3) || !got.known);
    check(got.targets >> (structure->target_count % 32) == 0 || structure->target_count == 32 ||
          structure->target_count == 0);
    check_frame(&got.frame);
    check((got.switchable & ~got.present) == 0);
    if (got.known)
        check_written(data, len, structure, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct rtp_dependency_structure structure;
    memset(&structure, 0, sizeof(structure));
    while (size > 0) {
        size_t len = data[0] < size - 1 ? data[0] : size - 1;
        check_one(data + 1, len, &structure);
        data += 1 + len;
        size -= 1 + len;
    }
    return 0;
}
