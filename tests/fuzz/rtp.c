/* RTP headers and header extensions: ten bytes of negotiated ids, then a packet. What is read lies
 * inside the packet, and written again it reads the same. */
#include "rtp/rtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static bool inside(const struct rtp_packet *packet, const uint8_t *data, const void *part,
                   size_t len) {
    const uint8_t *begin = data + packet->ext_offset, *end = begin + packet->ext_len;
    const uint8_t *first = part;
    return first >= begin && first <= end && len <= (size_t)(end - first);
}

static void walk_elements(const struct rtp_packet *packet, const uint8_t *data) {
    struct rtp_ext_element element;
    size_t before = 0;
    for (size_t offset = 0; rtp_ext_next(packet, data, &offset, &element); before = offset) {
        check(offset > before && offset <= packet->ext_len);
        check(inside(packet, data, element.data, element.len));
    }
}

static void check_same(const struct rtp_extensions *got, const struct rtp_extensions *want,
                       enum rtp_ext ext) {
    switch (ext) {
    case RTP_EXT_AUDIO_LEVEL:
        check(got->audio_level == want->audio_level && got->voice == want->voice);
        return;
    case RTP_EXT_MID:
        check(got->mid_len == want->mid_len && memcmp(got->mid, want->mid, got->mid_len) == 0);
        return;
    case RTP_EXT_RID:
        check(got->rid_len == want->rid_len && memcmp(got->rid, want->rid, got->rid_len) == 0);
        return;
    case RTP_EXT_REPAIRED_RID:
        check(got->repaired_rid_len == want->repaired_rid_len &&
              memcmp(got->repaired_rid, want->repaired_rid, got->repaired_rid_len) == 0);
        return;
    case RTP_EXT_ABS_SEND_TIME:
        check(got->abs_send_time == want->abs_send_time);
        return;
    case RTP_EXT_TRANSPORT_SEQ:
        check(got->transport_seq == want->transport_seq);
        return;
    case RTP_EXT_ROTATION:
        check(got->rotation == want->rotation);
        return;
    case RTP_EXT_PLAYOUT_DELAY:
        check(got->playout_delay == want->playout_delay);
        return;
    case RTP_EXT_DEPENDENCY:
        check(got->dependency_len == want->dependency_len &&
              memcmp(got->dependency, want->dependency, got->dependency_len) == 0);
        return;
    case RTP_EXT_CAPTURE_TIME:
        check(got->capture_time_len == want->capture_time_len &&
              memcmp(got->capture_time, want->capture_time, got->capture_time_len) == 0);
        return;
    case RTP_EXT_NONE:
    case RTP_EXT_COUNT:
        abort();
    }
}

static bool ids_are_distinct(const struct rtp_ext_map *map) {
    for (int i = 1; i < RTP_EXT_COUNT; i++)
        if (map->ids[i] == 0 || memchr(map->ids + 1, map->ids[i], (size_t)i - 1) != NULL)
            return false;
    return true;
}

static void check_written(const struct rtp_packet *packet, const struct rtp_extensions *extensions,
                          const struct rtp_ext_map *map) {
    struct rtp_header header = {.payload_type = packet->payload_type,
                                .marker = packet->marker,
                                .seq = packet->seq,
                                .timestamp = packet->timestamp,
                                .ssrc = packet->ssrc};
    uint8_t out[RTP_HEADER_MAX];
    size_t len = rtp_header_write(out, &header, extensions, map);
    check(len <= RTP_HEADER_MAX && len % 4 == 0);
    struct rtp_packet again;
    check(rtp_parse(&again, out, len) == 0 && again.payload_len == 0);
    check(again.seq == packet->seq && again.timestamp == packet->timestamp &&
          again.ssrc == packet->ssrc && again.marker == packet->marker &&
          again.payload_type == packet->payload_type);
    struct rtp_extensions got;
    rtp_extensions_parse(&got, &again, out, map);
    check((got.present & ~extensions->present) == 0);
    /* A long descriptor may leave no room for what is behind it. */
    if (extensions->dependency_len < 128 && ids_are_distinct(map))
        check(got.present == extensions->present);
    for (int ext = RTP_EXT_NONE + 1; ext < RTP_EXT_COUNT; ext++)
        if (rtp_ext_has(&got, (enum rtp_ext)ext) && ids_are_distinct(map))
            check_same(&got, extensions, (enum rtp_ext)ext);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rtp_ext_map map = {{0}};
    if (size < sizeof map.ids - 1)
        return 0;
    memcpy(map.ids + 1, data, sizeof map.ids - 1);
    data += sizeof map.ids - 1;
    size -= sizeof map.ids - 1;
    rtp_datagram_kind(data, size);
    struct rtp_packet packet;
    if (rtp_parse(&packet, data, size) < 0)
        return 0;
    check((size_t)packet.payload_offset + packet.payload_len + packet.padding_len == size);
    check(packet.ext_offset + packet.ext_len <= packet.payload_offset);
    walk_elements(&packet, data);
    struct rtp_extensions extensions;
    rtp_extensions_parse(&extensions, &packet, data, &map);
    check_written(&packet, &extensions, &map);
    return 0;
}
