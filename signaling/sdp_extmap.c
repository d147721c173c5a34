/* Header extensions of an m-line (RFC 8285 section 5): taken by URI, answered with the offer's id.
 */
#include "signaling/sdp_media.h"

/* One a=extmap:<id>[/<direction>] <uri> [attributes]. */
struct extmap {
    uint32_t id;
    enum sig_sdp_way way;
    enum rtp_ext ext;
};

/* False for one that is malformed or not known. Ids above 14 need the two-byte form, which a client
 * must have said it takes (RFC 8285 section 4.2). */
static bool parse_extmap(struct extmap *out, struct sig_sdp_text value, bool allow_two_bytes) {
    struct sig_sdp_text way = sig_sdp_text_word(&value);
    struct sig_sdp_text id = sig_sdp_text_cut(&way, '/');
    struct sig_sdp_text uri = sig_sdp_text_word(&value);
    out->way = SIG_SDP_SENDRECV;
    out->ext = rtp_ext_from_uri(uri.at, uri.len);
    return sig_sdp_text_number(id, 255, &out->id) && out->id != 0 && out->id != 15 &&
           (out->id < 15 || allow_two_bytes) && out->ext != RTP_EXT_NONE &&
           (way.len == 0 || sig_sdp_way_parse(way, &out->way));
}

/* Whether the client sends it where it publishes, or receives it where it has a slot. */
static bool is_useful(const struct extmap *extmap, enum sfu_direction direction) {
    if (extmap->way == SIG_SDP_INACTIVE)
        return false;
    if (direction == SFU_PUBLISHES)
        return extmap->way != SIG_SDP_RECVONLY;
    return direction == SFU_INACTIVE || extmap->way != SIG_SDP_SENDONLY;
}

static bool is_id_taken(const struct rtp_ext_map *map, uint32_t id) {
    for (size_t i = 0; i < RTP_EXT_COUNT; i++)
        if (map->ids[i] == id)
            return true;
    return false;
}

void sig_sdp_extmap_choose(struct sfu_media *media, const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *at = NULL;
    struct rtp_ext_map map = {{0}};
    while ((at = sig_sdp_attribute_next(section, at, "extmap")) != NULL) {
        struct extmap extmap;
        if (parse_extmap(&extmap, at->value, section->allows_mixed) && map.ids[extmap.ext] == 0 &&
            is_useful(&extmap, media->direction) && !is_id_taken(&map, extmap.id))
            map.ids[extmap.ext] = (uint8_t)extmap.id;
    }
    media->extensions = map;
}

void sig_sdp_extmap_write(FILE *out, const struct sfu_media *media,
                          const struct sig_sdp_section *section) {
    const struct sig_sdp_attribute *at = NULL;
    struct rtp_ext_map left = media->extensions;
    while ((at = sig_sdp_attribute_next(section, at, "extmap")) != NULL) {
        struct extmap extmap;
        if (!parse_extmap(&extmap, at->value, section->allows_mixed) ||
            left.ids[extmap.ext] != extmap.id || !is_useful(&extmap, media->direction))
            continue;
        left.ids[extmap.ext] = 0;
        fprintf(out, "a=extmap:%u", extmap.id);
        if (extmap.way != SIG_SDP_SENDRECV)
            fprintf(out, "/%s", sig_sdp_way_name(sig_sdp_way_mirror(extmap.way)));
        fprintf(out, " %s\r\n", rtp_ext_uri(extmap.ext));
    }
}
