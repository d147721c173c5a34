/* A call for the tests of slots: a publisher of two cameras, and a viewer with one slot. */
#ifndef TESTS_UNIT_SFU_SLOT_CALL_H
#define TESTS_UNIT_SFU_SLOT_CALL_H

#include "tests/unit/sfu/fixture_media.h"

static struct {
    struct rig_peer *publisher, *viewer;
    struct sfu_media *camera, *second, *slot;
} call;

/* Two cameras, one viewer with one slot, nothing carried yet. */
static inline void prepare(void) {
    rig_open();
    call.publisher = rig_join();
    call.camera = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.second = rig_add(call.publisher, true, SFU_PUBLISHES);
    call.viewer = rig_join();
    call.slot = rig_add(call.viewer, true, SFU_SLOT);
}

static inline void connect_both(void) {
    rig_connect(call.publisher);
    rig_connect(call.viewer);
    rig_carry(call.viewer, call.slot, call.camera->track);
}

static inline void begin(void) {
    prepare();
    connect_both();
}

static inline uint32_t camera_ssrc(void) {
    return call.camera->ssrcs[0];
}

static inline void wish(struct sfu_wish wanted) {
    memcpy(wanted.mid, call.slot->mid, sizeof(wanted.mid));
    CHECK_INT(sfu_engine_subscribe(rig.engines[0], rig.now_us, call.viewer->number, &wanted), 0);
}

/* "10 11 12", the numbers in the payloads of what the viewer got. */
static inline const char *numbers(void) {
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < rig_rtp_count(call.viewer); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", i ? " " : "",
                 rig_number(rig_rtp_at(call.viewer, i)));
    return text;
}

/* Every packet's number is one more than the one before it. */
static inline void check_consecutive(void) {
    for (size_t i = 1; i < rig_rtp_count(call.viewer); i++)
        CHECK_INT(rig_rtp_at(call.viewer, i)->rtp.seq,
                  (uint16_t)(rig_rtp_at(call.viewer, i - 1)->rtp.seq + 1));
}

static inline struct sfu_counters *counters(void) {
    return &rig.engines[0]->counters;
}

/* As bits 1 << id. */
static inline uint32_t extension_ids(const struct rig_sent *sent) {
    struct rtp_ext_element element;
    uint32_t ids = 0;
    for (size_t offset = 0; rtp_ext_next(&sent->rtp, sent->data, &offset, &element);)
        ids |= 1u << element.id;
    return ids;
}

#endif
