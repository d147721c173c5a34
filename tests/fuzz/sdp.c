/* Offers of any bytes, negotiated in every role, answered, and offered again on top of what was
 * agreed. What is agreed has to keep its promises; an answer is an SDP itself. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_track(void *ctx) {
    return ++*(uint64_t *)ctx;
}

static const struct sfu_local local = {
    .ufrag = "abcdefghijkl",
    .pwd = "abcdefghijklmnopqrstuvwx",
    .candidates = {{"192.0.2.1", 40000, false}, {"2001:db8::1", 40000, true}},
    .candidate_count = 2,
};

static void check_agreement(const struct sig_sdp_agreement *agreement) {
    const struct sfu_description *description = sig_sdp_description(agreement);
    assert(strlen(description->remote_ufrag) >= 4 && strlen(description->remote_pwd) >= 22);
    for (size_t i = 0; i < description->media_count; i++) {
        const struct sfu_media *media = &description->media[i];
        assert(media->mid[0] != '\0' && media->codec_count <= SFU_CODECS_MAX);
        assert(media->layer_count <= SFU_LAYERS_MAX);
        assert(media->direction == SFU_INACTIVE || media->codec_count > 0);
        assert((media->direction == SFU_PUBLISHES) == (media->track != 0));
        assert(media->direction != SFU_SLOT || media->slot_ssrc != 0);
    }
}

static void check_answer(const struct sig_sdp_offer *offer,
                         const struct sig_sdp_agreement *agreement) {
    struct sig_sdp_error error;
    struct sig_sdp_offer *parsed = NULL;
    char *answer = sig_sdp_answer_write(offer, agreement, &local, "AB:CD");
    if (answer == NULL)
        return;
    assert(sig_sdp_offer_parse(answer, strlen(answer), SIZE_MAX, &parsed, &error) == 0);
    sig_sdp_offer_destroy(parsed);
    free(answer);
}

static void negotiate(const struct sig_sdp_offer *offer, enum sig_sdp_role role) {
    struct sig_sdp_error error;
    struct sig_sdp_agreement *first = NULL;
    struct sig_sdp_agreement *second = NULL;
    uint64_t tracks = 0;
    struct sig_sdp_terms terms = {.role = role,
                                  .can_publish = true,
                                  .can_subscribe = true,
                                  .max_tracks = 64,
                                  .new_track = next_track,
                                  .ctx = &tracks};
    if (sig_sdp_negotiate(offer, NULL, &terms, &first, &error) < 0) {
        assert(error.status >= 400 && error.code != NULL && error.words[0] != '\0');
        return;
    }
    check_agreement(first);
    check_answer(offer, first);
    /* The same offer again changes nothing. */
    uint64_t tracks_before = tracks;
    assert(sig_sdp_negotiate(offer, first, &terms, &second, &error) == 0);
    assert(tracks == tracks_before && sig_sdp_is_same_peer(offer, first));
    assert(memcmp(sig_sdp_description(first)->media, sig_sdp_description(second)->media,
                  sig_sdp_description(first)->media_count * sizeof(struct sfu_media)) == 0);
    sig_sdp_agreement_destroy(second);
    sig_sdp_agreement_destroy(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sig_sdp_error error;
    struct sig_sdp_offer *offer = NULL;
    if (sig_sdp_offer_parse((const char *)data, size, 64, &offer, &error) < 0) {
        assert(error.status >= 400 && error.code != NULL && error.words[0] != '\0');
        return 0;
    }
    negotiate(offer, SIG_SDP_CALL);
    negotiate(offer, SIG_SDP_WHIP);
    negotiate(offer, SIG_SDP_WHEP);
    sig_sdp_offer_destroy(offer);
    return 0;
}
