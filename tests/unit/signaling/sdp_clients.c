/* The offers that real clients send: what is understood of each. */
#include "tests/unit/signaling/sdp_fixture.h"

static struct sig_sdp_agreement *agree_with(const char *client, enum sig_sdp_role role,
                                            char **answer) {
    struct sig_sdp_terms terms = sdp_terms(role);
    char *text = sdp_read(client);
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, answer);
    free(text);
    return agreement;
}

static void check_codec(const struct sfu_media *media, size_t index, enum rtp_codec codec,
                        unsigned payload_type, unsigned rtx, uint32_t profile) {
    CHECK(index < media->codec_count);
    CHECK_INT(media->codecs[index].codec, codec);
    CHECK_INT(media->codecs[index].payload_type, payload_type);
    CHECK_INT(media->codecs[index].rtx_payload_type, rtx);
    CHECK_INT(media->codecs[index].profile, profile);
}

static void chromium_publishes_three_layers_and_has_six_slots(void) {
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = agree_with("chromium-call", SIG_SDP_CALL, &answer);
    const struct sfu_media *audio = sdp_media(agreement, "0");
    const struct sfu_media *video = sdp_media(agreement, "1");
    CHECK_INT(sig_sdp_description(agreement)->media_count, 8);
    CHECK_INT(audio->direction, SFU_PUBLISHES);
    CHECK_INT(audio->source, SFU_SOURCE_MICROPHONE);
    CHECK_INT(audio->codec_count, 2);
    check_codec(audio, 0, RTP_CODEC_OPUS, 111, 0, 0);
    check_codec(audio, 1, RTP_CODEC_RED, 63, 0, 0);
    CHECK_INT(audio->ssrcs[0], 1436349034);
    CHECK_INT(video->source, SFU_SOURCE_CAMERA);
    CHECK_INT(video->layer_count, 3);
    CHECK_STR(video->rids[0], "q");
    CHECK_STR(video->rids[2], "f");
    CHECK_INT(video->ssrcs[0], 0);
    check_codec(video, 0, RTP_CODEC_VP8, 96, 97, 0);
    check_codec(video, 1, RTP_CODEC_H264, 102, 103, 0x42001f);
    check_codec(video, 4, RTP_CODEC_AV1, 45, 46, 0);
    check_codec(video, 6, RTP_CODEC_VP9, 100, 101, 2);
    CHECK_INT(video->codec_count, 7); /* No packetization-mode 0, no profile 1. */
    CHECK(video->nack && video->remb && video->transport_cc);
    CHECK_INT(video->extensions.ids[RTP_EXT_MID], 4);
    CHECK_INT(video->extensions.ids[RTP_EXT_DEPENDENCY], 12);
    CHECK_INT(sdp_media(agreement, "3")->codec_count, 8); /* Of 14 that are no RTX nor FEC. */
    for (int mid = 2; mid < 8; mid++)
        CHECK_INT(sdp_media(agreement, (char[]){(char)('0' + mid), 0})->direction, SFU_SLOT);
    CHECK_HAS(answer, "a=simulcast:recv q;h;f");
    CHECK_HAS(answer, "a=fmtp:63 111/111");
    sig_sdp_agreement_destroy(agreement);
    free(answer);
}

static void firefox_layers_have_ssrcs_and_extensions_keep_their_direction(void) {
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = agree_with("firefox-call", SIG_SDP_CALL, &answer);
    const struct sfu_media *video = sdp_media(agreement, "1");
    const struct sfu_media *slot = sdp_media(agreement, "3");
    CHECK_INT(sig_sdp_description(agreement)->remote_fingerprint[0], 0x6b);
    CHECK_STR(sig_sdp_description(agreement)->remote_ufrag, "157b7f8f");
    CHECK_INT(video->direction, SFU_PUBLISHES); /* bundle-only, port 0. */
    CHECK_INT(video->ssrcs[1], 3987141872);
    CHECK_INT(video->rtx_ssrcs[1], 998538349);
    CHECK_INT(video->extensions.ids[RTP_EXT_MID], 3);
    CHECK_INT(video->extensions.ids[RTP_EXT_RID], 9);
    CHECK_INT(video->extensions.ids[RTP_EXT_PLAYOUT_DELAY], 0); /* Firefox only receives it. */
    CHECK_INT(slot->extensions.ids[RTP_EXT_PLAYOUT_DELAY], 6);
    CHECK_INT(slot->extensions.ids[RTP_EXT_DEPENDENCY], 0);
    CHECK_HAS(answer, "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
    CHECK_HAS(answer, "a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/"
                      "playout-delay");
    CHECK_HAS(answer, "a=fmtp:109 stereo=1;maxplaybackrate=48000;useinbandfec=1");
    sig_sdp_agreement_destroy(agreement);
    free(answer);
}

static void data_channel_is_refused_and_the_rest_goes_on(void) {
    static const char *const clients[] = {"chromium-sendrecv-data", "firefox-sendrecv-data"};
    for (size_t i = 0; i < 2; i++) {
        char *answer = NULL;
        struct sig_sdp_agreement *agreement = agree_with(clients[i], SIG_SDP_CALL, &answer);
        CHECK_INT(sdp_media(agreement, "0")->direction, SFU_PUBLISHES);
        CHECK_INT(sdp_media(agreement, "1")->direction, SFU_PUBLISHES);
        CHECK(sdp_media(agreement, "1")->rtx_ssrcs[0] != 0);
        CHECK_INT(sdp_media(agreement, "2")->direction, SFU_INACTIVE);
        CHECK_HAS(answer, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
        CHECK_HAS(answer, "a=group:BUNDLE 0 1");
        CHECK_HAS_NOT(answer, "a=sendrecv");
        sig_sdp_agreement_destroy(agreement);
        free(answer);
    }
}

static void gstreamer_has_no_extensions_and_shouts_opus(void) {
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = agree_with("gstreamer-whip", SIG_SDP_WHIP, &answer);
    const struct sfu_media *audio = sdp_media(agreement, "audio0");
    const struct sfu_media *video = sdp_media(agreement, "video1");
    check_codec(audio, 0, RTP_CODEC_OPUS, 97, 0, 0);
    check_codec(video, 0, RTP_CODEC_VP8, 96, 0, 0);
    CHECK_INT(audio->ssrcs[0], 1634958485);
    CHECK_INT(audio->layer_count, 1);
    CHECK(!audio->transport_cc); /* Asked for, but without an extension to carry it. */
    CHECK_INT(video->direction, SFU_PUBLISHES);
    CHECK_HAS_NOT(answer, "a=extmap");
    CHECK_HAS_NOT(answer, "transport-cc");
    sig_sdp_agreement_destroy(agreement);
    free(answer);
}

static void gstreamer_watches(void) {
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = agree_with("gstreamer-whep", SIG_SDP_WHEP, &answer);
    CHECK_INT(sdp_media(agreement, "audio0")->direction, SFU_SLOT);
    CHECK_INT(sdp_media(agreement, "video1")->direction, SFU_SLOT);
    CHECK_HAS_NOT(answer, "a=ssrc-group"); /* No RTX was offered. */
    CHECK_HAS(answer, "a=msid:slot-0 audio-0");
    CHECK_HAS(answer, "a=msid:slot-0 video-0");
    sig_sdp_agreement_destroy(agreement);
    free(answer);
}

static void libdatachannel_says_ssrcs_only(void) {
    struct sig_sdp_agreement *agreement = agree_with("libdatachannel-whip", SIG_SDP_WHIP, NULL);
    const struct sfu_media *video = sdp_media(agreement, "video");
    check_codec(video, 0, RTP_CODEC_H264, 96, 97, 0x42e01f);
    CHECK_INT(video->ssrcs[0], 1482031);
    CHECK_INT(video->rtx_ssrcs[0], 1482032);
    CHECK_INT(sig_sdp_description(agreement)->remote_fingerprint[0], 0xe4);
    sig_sdp_agreement_destroy(agreement);
}

static void pion_ends_feedback_lines_in_a_blank(void) {
    struct sig_sdp_agreement *agreement = agree_with("pion-whip", SIG_SDP_WHIP, NULL);
    const struct sfu_media *video = sdp_media(agreement, "1");
    CHECK(video->nack && video->remb && video->transport_cc);
    CHECK_INT(video->ssrcs[0], 1729463212);
    CHECK_INT(video->layer_count, 1);
    check_codec(video, 2, RTP_CODEC_AV1, 45, 46, 0);
    sig_sdp_agreement_destroy(agreement);
    sig_sdp_agreement_destroy(agree_with("pion-whep", SIG_SDP_WHEP, NULL));
}

static void werift_numbers_extensions_by_m_line(void) {
    struct sig_sdp_agreement *agreement = agree_with("werift-call", SIG_SDP_CALL, NULL);
    CHECK_INT(sdp_media(agreement, "0")->extensions.ids[RTP_EXT_MID], 1);
    CHECK_INT(sdp_media(agreement, "1")->extensions.ids[RTP_EXT_MID], 3);
    CHECK_INT(sdp_media(agreement, "0")->extensions.ids[RTP_EXT_ABS_SEND_TIME], 2);
    sig_sdp_agreement_destroy(agreement);
}

static void aiortc_credentials_of_the_tagged_m_line_count(void) {
    struct sig_sdp_agreement *agreement = agree_with("aiortc-call", SIG_SDP_CALL, NULL);
    CHECK_STR(sig_sdp_description(agreement)->remote_ufrag, "Hc8E");
    CHECK_STR(sig_sdp_description(agreement)->remote_pwd, "XMmQnTFTgeLv3fWKw2Kq0C");
    sig_sdp_agreement_destroy(agreement);
}

static void browsers_watch_with_one_stream(void) {
    static const char *const clients[] = {"chromium-whep", "firefox-whep"};
    for (size_t i = 0; i < 2; i++) {
        char *answer = NULL;
        struct sig_sdp_agreement *agreement = agree_with(clients[i], SIG_SDP_WHEP, &answer);
        CHECK_INT(sdp_count(answer, "a=msid:slot-0 "), 2);
        CHECK_INT(sdp_count(answer, "a=sendonly"), 2);
        CHECK_INT(sdp_count(answer, "a=ssrc-group:FID"), 1);
        sig_sdp_agreement_destroy(agreement);
        free(answer);
    }
}

static const struct test tests[] = {
    {"chromium_publishes_three_layers_and_has_six_slots",
     chromium_publishes_three_layers_and_has_six_slots},
    {"firefox_layers_have_ssrcs_and_extensions_keep_their_direction",
     firefox_layers_have_ssrcs_and_extensions_keep_their_direction},
    {"data_channel_is_refused_and_the_rest_goes_on", data_channel_is_refused_and_the_rest_goes_on},
    {"gstreamer_has_no_extensions_and_shouts_opus", gstreamer_has_no_extensions_and_shouts_opus},
    {"gstreamer_watches", gstreamer_watches},
    {"libdatachannel_says_ssrcs_only", libdatachannel_says_ssrcs_only},
    {"pion_ends_feedback_lines_in_a_blank", pion_ends_feedback_lines_in_a_blank},
    {"werift_numbers_extensions_by_m_line", werift_numbers_extensions_by_m_line},
    {"aiortc_credentials_of_the_tagged_m_line_count",
     aiortc_credentials_of_the_tagged_m_line_count},
    {"browsers_watch_with_one_stream", browsers_watch_with_one_stream},
};

TEST_MAIN(tests)
