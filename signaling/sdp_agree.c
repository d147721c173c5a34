/* The negotiation: what becomes of each m-line of an offer, given what it was before. */
#include "signaling/sdp_agreement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "signaling/sdp_media.h"
#include "signaling/sdp_transport.h"

enum { ROLE_COUNT = SIG_SDP_WHEP + 1, NOT_ALLOWED = -1 };

/* One negotiation under way. */
struct talk {
    /* Given. */
    const struct sig_sdp_offer *offer;
    const struct sig_sdp_agreement *before; /* Or NULL. */
    const struct sig_sdp_terms *terms;
    struct sig_sdp_error *error;
    struct sig_sdp_agreement *now;
    /* Owned. */
    bool *taken[2]; /* Streams of audio and of video slots that go on. */
};

static const int directions[ROLE_COUNT][4] = {
    [SIG_SDP_CALL] = {[SIG_SDP_SENDRECV] = SFU_PUBLISHES,
                      [SIG_SDP_SENDONLY] = SFU_PUBLISHES,
                      [SIG_SDP_RECVONLY] = SFU_SLOT,
                      [SIG_SDP_INACTIVE] = SFU_INACTIVE},
    [SIG_SDP_WHIP] = {[SIG_SDP_SENDRECV] = SFU_PUBLISHES,
                      [SIG_SDP_SENDONLY] = SFU_PUBLISHES,
                      [SIG_SDP_RECVONLY] = NOT_ALLOWED,
                      [SIG_SDP_INACTIVE] = NOT_ALLOWED},
    [SIG_SDP_WHEP] = {[SIG_SDP_SENDRECV] = SFU_SLOT,
                      [SIG_SDP_SENDONLY] = NOT_ALLOWED,
                      [SIG_SDP_RECVONLY] = SFU_SLOT,
                      [SIG_SDP_INACTIVE] = SFU_INACTIVE},
};

static uint32_t random_u32(const struct talk *talk) {
    uint32_t number = 0;
    if (talk->terms->random_u32 != NULL)
        return talk->terms->random_u32(talk->terms->ctx);
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        abort(); /* Cannot happen for so few bytes. */
    return number;
}

static bool is_ssrc_used(const struct sig_sdp_agreement *agreement, uint32_t ssrc) {
    for (size_t i = 0; agreement != NULL && i < agreement->count; i++)
        if (agreement->media[i].slot_ssrc == ssrc || agreement->media[i].slot_rtx_ssrc == ssrc)
            return true;
    return false;
}

static uint32_t new_ssrc(const struct talk *talk) {
    for (;;) {
        uint32_t ssrc = random_u32(talk);
        if (ssrc != 0 && !is_ssrc_used(talk->now, ssrc) && !is_ssrc_used(talk->before, ssrc))
            return ssrc;
    }
}

/* The lowest stream that no slot of this kind has, so that audio and video slots pair up however
 * often m-lines were given up and taken again. */
static uint16_t new_stream(struct talk *talk, bool is_video) {
    bool *taken = talk->taken[is_video];
    uint16_t stream = 0;
    while (taken[stream])
        stream++;
    taken[stream] = true;
    return stream;
}

/* Whether the m-line at this place goes on from the agreement in force. */
static bool goes_on(const struct talk *talk, size_t index) {
    return talk->before != NULL && index < talk->before->count &&
           !talk->before->lines[index].is_refused;
}

/* RFC 9429 section 5.2.2: m-lines never go away, and only a refused one may become another. */
static int check_continuity(const struct talk *talk, size_t index) {
    const struct sig_sdp_section *section = &talk->offer->sections[index];
    if (!goes_on(talk, index))
        return 0;
    const struct sfu_media *old = &talk->before->media[index];
    if (sig_sdp_text_is(section->mid, old->mid) &&
        (section->is_stopped || (section->is_media && section->is_video == old->video)))
        return 0;
    return sig_sdp_refuse(talk->error, -EPROTO, "sdp_mline_changed",
                          "m-line %zu changed its mid or kind; it was \"%s\"", index + 1, old->mid);
}

static int check_grant(const struct talk *talk, const struct sfu_media *media) {
    if (media->direction == SFU_PUBLISHES && !talk->terms->can_publish)
        return sig_sdp_refuse(talk->error, -EACCES, "cannot_publish",
                              "m-line \"%s\" sends, which this user may not", media->mid);
    if (media->direction == SFU_SLOT && !talk->terms->can_subscribe)
        return sig_sdp_refuse(talk->error, -EACCES, "cannot_subscribe",
                              "m-line \"%s\" receives, which this user may not", media->mid);
    return 0;
}

static int choose_direction(const struct talk *talk, size_t index) {
    struct sfu_media *media = &talk->now->media[index];
    enum sig_sdp_way way = talk->offer->sections[index].way;
    int direction = directions[talk->terms->role][way];
    if (direction == NOT_ALLOWED)
        return sig_sdp_refuse(talk->error, -EPROTO, "sdp_direction",
                              "m-line \"%s\" must not be %s here", media->mid,
                              sig_sdp_way_name(way));
    media->direction = (enum sfu_direction)direction;
    return check_grant(talk, media);
}

static enum sfu_source choose_source(const struct talk *talk, size_t index) {
    const struct sfu_media *media = &talk->now->media[index];
    for (size_t i = 0; i < talk->terms->source_count; i++)
        if (strcmp(talk->terms->sources[i].mid, media->mid) == 0)
            return talk->terms->sources[i].source;
    if (goes_on(talk, index) && talk->before->media[index].track != 0)
        return talk->before->media[index].source;
    return media->video ? SFU_SOURCE_CAMERA : SFU_SOURCE_MICROPHONE;
}

static int agree_publication(struct talk *talk, size_t index) {
    struct sfu_media *media = &talk->now->media[index];
    media->source = choose_source(talk, index);
    if (goes_on(talk, index))
        media->track = talk->before->media[index].track;
    if (media->track == 0)
        media->track = talk->terms->new_track(talk->terms->ctx);
    return sig_sdp_streams_choose(media, &talk->offer->sections[index], talk->error);
}

/* A slot keeps its SSRCs and stream even while it is inactive or publishes. */
static void keep_slot(struct talk *talk, size_t index) {
    struct sfu_media *media = &talk->now->media[index];
    if (goes_on(talk, index) && talk->before->lines[index].is_slot) {
        talk->now->lines[index] = talk->before->lines[index];
        media->slot_ssrc = talk->before->media[index].slot_ssrc;
        media->slot_rtx_ssrc = talk->before->media[index].slot_rtx_ssrc;
    } else if (media->direction == SFU_SLOT) {
        talk->now->lines[index].is_slot = true;
        talk->now->lines[index].stream = new_stream(talk, media->video);
        media->slot_ssrc = new_ssrc(talk);
        media->slot_rtx_ssrc = new_ssrc(talk);
    }
    media->slot_stream = talk->now->lines[index].stream;
}

static bool has_rtcp_mux(const struct sig_sdp_section *section) {
    return sig_sdp_attribute_is_there(section, "rtcp-mux") ||
           sig_sdp_attribute_is_there(section, "rtcp-mux-only");
}

/* An m-line that is wanted, and whose codecs are known. */
static int agree_media(struct talk *talk, size_t index) {
    struct sfu_media *media = &talk->now->media[index];
    const struct sig_sdp_section *section = &talk->offer->sections[index];
    if (!has_rtcp_mux(section))
        return sig_sdp_refuse(talk->error, -EPROTO, "sdp_no_rtcp_mux",
                              "m-line \"%s\" has no a=rtcp-mux", media->mid);
    int result = choose_direction(talk, index);
    if (result < 0)
        return result;
    sig_sdp_extmap_choose(media, section);
    media->transport_cc = media->transport_cc && media->extensions.ids[RTP_EXT_TRANSPORT_SEQ] != 0;
    keep_slot(talk, index);
    return media->direction == SFU_PUBLISHES ? agree_publication(talk, index) : 0;
}

static int agree_line(struct talk *talk, size_t index) {
    struct sfu_media *media = &talk->now->media[index];
    const struct sig_sdp_section *section = &talk->offer->sections[index];
    int result = check_continuity(talk, index);
    if (result < 0)
        return result;
    sig_sdp_text_copy(media->mid, sizeof(media->mid), section->mid); /* Fits: read_mid checked. */
    media->video = section->is_video;
    bool is_wanted = section->is_media && section->is_bundled && !section->is_stopped;
    if (is_wanted)
        sig_sdp_codecs_choose(media, section);
    if (media->codec_count > 0)
        return agree_media(talk, index);
    talk->now->lines[index].is_refused = true;
    /* RFC 9725 section 4.2: all of it or nothing. */
    if (is_wanted && talk->terms->role != SIG_SDP_CALL)
        return sig_sdp_refuse(talk->error, -EPROTO, "sdp_no_codec",
                              "m-line \"%s\" has no codec that is forwarded", media->mid);
    return 0;
}

static size_t count_media(const struct sig_sdp_agreement *agreement, enum sfu_direction direction,
                          bool is_video) {
    size_t count = 0;
    for (size_t i = 0; i < agreement->count; i++)
        count += !agreement->lines[i].is_refused && agreement->media[i].direction == direction &&
                 agreement->media[i].video == is_video;
    return count;
}

static int check_tracks(const struct talk *talk) {
    size_t audio = count_media(talk->now, SFU_PUBLISHES, false);
    size_t video = count_media(talk->now, SFU_PUBLISHES, true);
    if (talk->terms->role == SIG_SDP_WHIP && (audio > 1 || video > 1))
        return sig_sdp_refuse(talk->error, -EPROTO, "sdp_too_many_tracks",
                              "at most one audio and one video m-line can be published here");
    if (talk->terms->max_tracks != 0 && audio + video > talk->terms->max_tracks)
        return sig_sdp_refuse(talk->error, -EMSGSIZE, "too_many_tracks",
                              "the offer publishes %zu tracks; at most %zu are taken",
                              audio + video, talk->terms->max_tracks);
    return 0;
}

const struct sig_sdp_section *sig_sdp_tagged(const struct sig_sdp_offer *offer,
                                             const struct sig_sdp_agreement *agreement) {
    struct sig_sdp_text rest = offer->bundle;
    while (rest.len > 0) {
        const struct sig_sdp_section *section =
            sig_sdp_section_find(offer, sig_sdp_text_word(&rest));
        if (section != NULL && !agreement->lines[section - offer->sections].is_refused)
            return section;
    }
    /* A single m-line needs no group. */
    return offer->bundle.len == 0 && !agreement->lines[0].is_refused ? &offer->sections[0] : NULL;
}

static int agree_lines(struct talk *talk) {
    if (talk->before != NULL && talk->before->count > talk->offer->section_count)
        return sig_sdp_refuse(talk->error, -EPROTO, "sdp_mlines_gone",
                              "the offer has %zu m-lines, fewer than the %zu before",
                              talk->offer->section_count, talk->before->count);
    for (size_t i = 0; i < talk->offer->section_count; i++) {
        int result = agree_line(talk, i);
        if (result < 0)
            return result;
    }
    return check_tracks(talk);
}

static int agree(struct talk *talk) {
    int result = agree_lines(talk);
    if (result < 0)
        return result;
    const struct sig_sdp_section *tagged = sig_sdp_tagged(talk->offer, talk->now);
    if (tagged == NULL)
        return sig_sdp_refuse(
            talk->error, -EPROTO, "sdp_no_media",
            "no m-line of the offer can be taken: no known codec, or all refused");
    return sig_sdp_transport_read(&talk->now->description, talk->offer, tagged, talk->error);
}

static struct sig_sdp_agreement *agreement_create(size_t count) {
    struct sig_sdp_agreement *agreement = calloc(1, sizeof(*agreement));
    if (agreement == NULL)
        return NULL;
    agreement->media = calloc(count, sizeof(*agreement->media));
    agreement->lines = calloc(count, sizeof(*agreement->lines));
    if (agreement->media == NULL || agreement->lines == NULL) {
        sig_sdp_agreement_destroy(agreement);
        return NULL;
    }
    agreement->count = count;
    agreement->description.media = agreement->media;
    agreement->description.media_count = count;
    return agreement;
}

/* One more than there are m-lines, so that there is always a free stream. */
static bool talk_init(struct talk *talk) {
    size_t count = talk->offer->section_count;
    talk->now = agreement_create(count);
    talk->taken[0] = calloc(count + 1, sizeof(bool));
    talk->taken[1] = calloc(count + 1, sizeof(bool));
    if (talk->now == NULL || talk->taken[0] == NULL || talk->taken[1] == NULL)
        return false;
    talk->now->session_id = talk->before ? talk->before->session_id : random_u32(talk) >> 1;
    talk->now->version = talk->before ? talk->before->version + 1 : 1;
    for (size_t i = 0; talk->before != NULL && i < talk->before->count && i < count; i++) {
        const struct sig_sdp_line *line = &talk->before->lines[i];
        if (goes_on(talk, i) && line->is_slot && line->stream <= count)
            talk->taken[talk->before->media[i].video][line->stream] = true;
    }
    return true;
}

static void talk_deinit(struct talk *talk) {
    free(talk->taken[0]);
    free(talk->taken[1]);
    sig_sdp_agreement_destroy(talk->now);
}

int sig_sdp_negotiate(const struct sig_sdp_offer *offer, const struct sig_sdp_agreement *before,
                      const struct sig_sdp_terms *terms, struct sig_sdp_agreement **out,
                      struct sig_sdp_error *error) {
    struct talk talk = {.offer = offer, .before = before, .terms = terms, .error = error};
    int result = talk_init(&talk) ? agree(&talk)
                                  : sig_sdp_refuse(error, -ENOMEM, "no_memory", "out of memory");
    if (result == 0) {
        *out = talk.now;
        talk.now = NULL;
    }
    talk_deinit(&talk);
    return result;
}

void sig_sdp_agreement_destroy(struct sig_sdp_agreement *agreement) {
    if (agreement == NULL)
        return;
    free(agreement->media);
    free(agreement->lines);
    free(agreement);
}

const struct sfu_description *sig_sdp_description(const struct sig_sdp_agreement *agreement) {
    return &agreement->description;
}

const struct sfu_media *sig_sdp_media_find(const struct sig_sdp_agreement *agreement,
                                           const char *mid) {
    for (size_t i = 0; i < agreement->count; i++)
        if (strcmp(agreement->media[i].mid, mid) == 0)
            return &agreement->media[i];
    return NULL;
}

bool sig_sdp_is_ice_restart(const struct sig_sdp_agreement *agreement,
                            const struct sig_sdp_agreement *before) {
    return before != NULL &&
           (strcmp(agreement->description.remote_ufrag, before->description.remote_ufrag) != 0 ||
            strcmp(agreement->description.remote_pwd, before->description.remote_pwd) != 0);
}
