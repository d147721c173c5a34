#include "rtp/header_template.h"

static void note_place(struct rtp_template *template, const struct rtp_ext_element *element,
                       const struct rtp_ext_map *map) {
    uint8_t at = (uint8_t)(element->data - template->bytes);
    if (element->id == map->ids[RTP_EXT_AUDIO_LEVEL])
        template->audio_level = at;
    else if (element->id == map->ids[RTP_EXT_ABS_SEND_TIME])
        template->abs_send_time = at;
    else if (element->id == map->ids[RTP_EXT_TRANSPORT_SEQ])
        template->transport_seq = at;
    else if (element->id == map->ids[RTP_EXT_ROTATION])
        template->rotation = at;
}

bool rtp_template_prepare(struct rtp_template *template, uint32_t ssrc, uint32_t present,
                          const struct rtp_ext_map *map) {
    struct rtp_header header = {.ssrc = ssrc};
    struct rtp_extensions extensions = {.present = present};
    uint8_t bytes[RTP_HEADER_MAX] = {0};
    struct rtp_packet packet;
    *template = (struct rtp_template){.present = present};
    if ((present & ~RTP_TEMPLATE_EXTENSIONS) != 0)
        return false;
    size_t len = rtp_header_write(bytes, &header, &extensions, map);
    if (len > RTP_TEMPLATE_MAX || rtp_parse(&packet, bytes, len) < 0)
        return false;
    memcpy(template->bytes, bytes, RTP_TEMPLATE_MAX);
    template->len = (uint8_t)len;
    struct rtp_ext_element element;
    for (size_t offset = 0; rtp_ext_next(&packet, template->bytes, &offset, &element);)
        note_place(template, &element, map);
    return true;
}
