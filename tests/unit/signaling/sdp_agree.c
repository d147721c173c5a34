/* Negotiation: what is taken, what is refused and how, and what stays over the offers of a
 * connection. */
#include "tests/unit/signaling/sdp_fixture.h"

struct bend {
    const char *from;
    const char *to;
    unsigned status;
    const char *code;
};

/* Each of these ways to bend the short offer makes it impossible, with this answer. */
static void an_impossible_offer_is_refused_with_its_reason(void) {
    static const struct bend bends[] = {
        {"v=0\r\n", "v=1\r\n", 400, "sdp_malformed"},
        {"t=0 0\r\n", "t=0 0\r\nhello\r\n", 400, "sdp_malformed"},
        {"t=0 0\r\n", "t=0 0\r\ns=a\x01z\r\n", 400, "sdp_malformed"},
        {"m=video 9 ", "m=video x ", 400, "sdp_malformed"},
        {"m=video 9 UDP/TLS/RTP/SAVPF 96 97", "m=video 9", 400, "sdp_malformed"},
        {"a=mid:1\r\n", "", 400, "sdp_no_mid"},
        {"a=mid:1\r\n", "a=mid:2\r\n", 400, "sdp_double_mid"},
        {"a=mid:1\r\n", "a=mid:12345678901234567\r\n", 422, "sdp_mid_too_long"},
        {"a=group:BUNDLE 0 1 2 3\r\n", "", 422, "sdp_no_bundle"},
        {"a=rtcp-mux\r\n", "", 422, "sdp_no_rtcp_mux"},
        {"a=setup:actpass", "a=setup:passive", 422, "sdp_setup"},
        {"a=setup:actpass", "a=setup:holdconn", 422, "sdp_setup"},
        {"a=ice-ufrag:abcd\r\n", "", 422, "sdp_no_ice"},
        {"a=ice-ufrag:abcd\r\n", "a=ice-ufrag:abc\r\n", 422, "sdp_no_ice"},
        {"a=ice-ufrag:abcd\r\n", "a=ice-ufrag:ab:d\r\n", 422, "sdp_no_ice"},
        {"a=ice-pwd:0123456789012345678901", "a=ice-pwd:012345678901234567890", 422, "sdp_no_ice"},
        {"a=fingerprint:sha-256 " FINGERPRINT "\r\n", "", 422, "sdp_no_fingerprint"},
        {"sha-256", "sha-1", 422, "sdp_no_fingerprint"},
        {":EE:FF\r\n", ":EE\r\n", 422, "sdp_no_fingerprint"},
        {":EE:FF\r\n", ":EE:FF:00\r\n", 422, "sdp_no_fingerprint"},
        {"UDP/TLS/RTP/SAVPF", "RTP/AVP", 422, "sdp_no_media"},
        {"a=rtpmap:", "a=x-rtpmap:", 422, "sdp_no_media"},
        {"a=mid:1\r\na=sendonly\r\n",
         "a=mid:1\r\na=sendonly\r\na=rid:12345678901234567 send\r\n"
         "a=simulcast:send 12345678901234567\r\n",
         422, "sdp_bad_rid"},
    };
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
        char *text = sdp_replace(short_offer, bends[i].from, bends[i].to);
        struct sig_sdp_error error = sdp_refusal(text, NULL, &terms);
        if (error.status != bends[i].status || strcmp(error.code, bends[i].code) != 0)
            test_fail(__FILE__, __LINE__, "row %zu: %u %s (%s)", i, error.status, error.code,
                      error.words);
        free(text);
    }
}

/* These ways leave it as good as it was. */
static void what_clients_write_differently_is_taken(void) {
    static const struct bend bends[] = {
        {"\r\n", "\n", 0, NULL},
        {"a=setup:actpass", "a=setup:active", 0, NULL},
        {"a=setup:actpass\r\n", "", 0, NULL},
        {"sha-256", "SHA-256", 0, NULL},
        {"opus/48000/2", "OPUS/48000/2", 0, NULL},
        {"UDP/TLS/RTP/SAVPF", "RTP/SAVPF", 0, NULL},
        {"m=video 9 ", "m=video 9/2 ", 0, NULL},
        {"a=group:BUNDLE", "a=group:LS 0 1\r\na=group:BUNDLE", 0, NULL},
        {"a=fingerprint:", "a=fingerprint:sha-512 AB:CD\r\na=fingerprint:", 0, NULL},
        {"a=rtcp-mux\r\n", "a=rtcp-mux\r\na=extmap:99999 urn:x\r\na=ssrc:x y\r\na=fmtp:300 z\r\n",
         0, NULL},
    };
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
        char *text = sdp_replace(short_offer, bends[i].from, bends[i].to);
        struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, NULL);
        CHECK_INT(sdp_media(agreement, "0")->direction, SFU_PUBLISHES);
        CHECK_INT(sdp_media(agreement, "3")->direction, SFU_SLOT);
        sig_sdp_agreement_destroy(agreement);
        free(text);
    }
}

static void credentials_and_fingerprint_of_the_session_count_too(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *bare = sdp_replace(short_offer,
                             "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
                             "a=setup:actpass\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n",
                             "");
    char *text = sdp_replace(bare, "t=0 0\r\n",
                             "t=0 0\r\na=ice-ufrag:sess\r\na=ice-pwd:0123456789012345678901\r\n"
                             "a=setup:actpass\r\na=fingerprint:sha-256 " FINGERPRINT "\r\n");
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, NULL);
    CHECK_STR(sig_sdp_description(agreement)->remote_ufrag, "sess");
    CHECK_INT(sig_sdp_description(agreement)->remote_fingerprint[31], 0xff);
    sig_sdp_agreement_destroy(agreement);
    free(text);
    free(bare);
}

static void the_same_offer_again_changes_nothing(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    char *answer = NULL;
    struct sig_sdp_agreement *second = sdp_agree(short_offer, first, &terms, &answer);
    CHECK_BYTES(sig_sdp_description(second)->media, 4 * sizeof(struct sfu_media),
                sig_sdp_description(first)->media, 4 * sizeof(struct sfu_media));
    CHECK(!sig_sdp_is_ice_restart(second, first));
    CHECK(strstr(answer, " 2 IN IP4 127.0.0.1\r\n") != NULL); /* Its version is. */
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    free(answer);
}

static void new_credentials_are_an_ice_restart(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *text = sdp_replace(short_offer, "a=ice-ufrag:abcd", "a=ice-ufrag:efgh");
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdp_agreement *second = sdp_agree(text, first, &terms, NULL);
    CHECK(sig_sdp_is_ice_restart(second, first));
    CHECK(!sig_sdp_is_ice_restart(first, NULL));
    CHECK_INT(sdp_media(second, "0")->track, sdp_media(first, "0")->track);
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    free(text);
}

static void another_certificate_is_another_peer(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sig_sdp_agreement *agreement = sdp_agree(short_offer, NULL, &terms, NULL);
    char *text = sdp_replace(short_offer, "sha-256 00:", "sha-256 01:");
    struct sig_sdp_offer *same = sdp_parse(short_offer);
    struct sig_sdp_offer *other = sdp_parse(text);
    CHECK(sig_sdp_is_same_peer(same, agreement));
    CHECK(!sig_sdp_is_same_peer(other, agreement));
    sig_sdp_offer_destroy(same);
    sig_sdp_offer_destroy(other);
    sig_sdp_agreement_destroy(agreement);
    free(text);
}

/* A browser that mutes by direction, and a screen share that comes back. */
static void a_track_ends_when_inactive_and_begins_anew(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *quiet = sdp_replace(short_offer, "a=mid:1\r\na=sendonly", "a=mid:1\r\na=inactive");
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdp_agreement *second = sdp_agree(quiet, first, &terms, NULL);
    struct sig_sdp_agreement *third = sdp_agree(short_offer, second, &terms, NULL);
    CHECK_INT(sdp_media(second, "1")->direction, SFU_INACTIVE);
    CHECK_INT(sdp_media(second, "1")->track, 0);
    CHECK(sdp_media(third, "1")->track != 0);
    CHECK(sdp_media(third, "1")->track != sdp_media(first, "1")->track);
    CHECK_INT(sdp_media(third, "0")->track, sdp_media(first, "0")->track);
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    sig_sdp_agreement_destroy(third);
    free(quiet);
}

static void a_slot_keeps_its_ssrcs_while_inactive(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *quiet = sdp_replace(short_offer, "a=recvonly", "a=inactive");
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdp_agreement *second = sdp_agree(quiet, first, &terms, NULL);
    struct sig_sdp_agreement *third = sdp_agree(short_offer, second, &terms, NULL);
    CHECK(sdp_media(first, "3")->slot_ssrc != 0);
    CHECK(sdp_media(first, "3")->slot_ssrc != sdp_media(first, "3")->slot_rtx_ssrc);
    CHECK(sdp_media(first, "3")->slot_ssrc != sdp_media(first, "2")->slot_ssrc);
    CHECK_INT(sdp_media(third, "3")->slot_ssrc, sdp_media(first, "3")->slot_ssrc);
    CHECK_INT(sdp_media(third, "3")->slot_rtx_ssrc, sdp_media(first, "3")->slot_rtx_ssrc);
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    sig_sdp_agreement_destroy(third);
    free(quiet);
}

static void an_m_line_that_is_another_is_refused(void) {
    static const struct bend bends[] = {
        {"a=mid:1\r\n", "a=mid:9\r\n", 422, "sdp_mline_changed"},
        {"m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n",
         "m=audio 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n", 422,
         "sdp_mline_changed"},
    };
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sig_sdp_agreement *before = sdp_agree(short_offer, NULL, &terms, NULL);
    for (size_t i = 0; i < sizeof(bends) / sizeof(bends[0]); i++) {
        char *text = sdp_replace(short_offer, bends[i].from, bends[i].to);
        struct sig_sdp_error error = sdp_refusal(text, before, &terms);
        CHECK_STR(error.code, bends[i].code);
        CHECK_INT(error.status, bends[i].status);
        free(text);
    }
    char *fewer = strdup(short_offer);
    *strstr(fewer, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:2") = '\0';
    CHECK_STR(sdp_refusal(fewer, before, &terms).code, "sdp_mlines_gone");
    sig_sdp_agreement_destroy(before);
    free(fewer);
}

/* RFC 9429 section 5.2.2: transceiver.stop(), and later a new transceiver in its place. */
static void a_refused_m_line_is_taken_by_another(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    const char *last = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:3";
    char *stopped = sdp_replace(short_offer, last,
                                "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:3");
    char *renamed = sdp_replace(short_offer, "a=mid:3", "a=mid:4");
    char *reused = sdp_replace(renamed, "BUNDLE 0 1 2 3", "BUNDLE 0 1 2 4");
    char *answer = NULL;
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdp_agreement *second = sdp_agree(stopped, first, &terms, &answer);
    CHECK_INT(sdp_media(second, "3")->direction, SFU_INACTIVE);
    CHECK_HAS(answer, "m=video 0 UDP/TLS/RTP/SAVPF 96 97");
    CHECK_HAS(answer, "a=group:BUNDLE 0 1 2");
    free(answer);
    struct sig_sdp_agreement *third = sdp_agree(reused, second, &terms, &answer);
    CHECK_INT(sdp_media(third, "4")->direction, SFU_SLOT);
    CHECK(sdp_media(third, "4")->slot_ssrc != sdp_media(first, "3")->slot_ssrc);
    CHECK_HAS(answer, "a=msid:slot-0 video-0"); /* The place of the one that is gone. */
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    sig_sdp_agreement_destroy(third);
    free(answer);
    free(stopped);
    free(renamed);
    free(reused);
}

static void a_new_slot_gets_a_stream_of_its_own(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    const char *last = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:3";
    char *bundle = sdp_replace(short_offer, "BUNDLE 0 1 2 3", "BUNDLE 0 1 2 3 4");
    char *text = NULL;
    CHECK(asprintf(&text, "%s%s", bundle, strstr(short_offer, last)) > 0);
    char *more = sdp_replace(text, "a=mid:3\r\n", "a=mid:4\r\n");
    memcpy(strstr(more, "a=mid:4"), "a=mid:3", 7);
    char *answer = NULL;
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdp_agreement *second = sdp_agree(more, first, &terms, &answer);
    CHECK_INT(sdp_count(answer, "a=msid:slot-0 video-0"), 1);
    CHECK_INT(sdp_count(answer, "a=msid:slot-1 video-1"), 1);
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
    free(answer);
    free(more);
    free(text);
    free(bundle);
}

/* There is one transport, so what is not in its group has none. */
static void an_m_line_outside_of_the_bundle_is_refused(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *text = sdp_replace(short_offer, "BUNDLE 0 1 2 3", "BUNDLE 0 1 2");
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, &answer);
    CHECK_INT(sdp_media(agreement, "3")->direction, SFU_INACTIVE);
    CHECK_HAS(answer, "a=group:BUNDLE 0 1 2");
    CHECK_HAS(answer, "m=video 0 UDP/TLS/RTP/SAVPF 96 97");
    sig_sdp_agreement_destroy(agreement);
    free(answer);
    free(text);
}

static void sources_are_as_published_and_stay(void) {
    struct sig_sdp_source sources[] = {{"1", SFU_SOURCE_SCREEN}, {"nobody", SFU_SOURCE_CAMERA}};
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    terms.sources = sources;
    terms.source_count = 2;
    struct sig_sdp_agreement *first = sdp_agree(short_offer, NULL, &terms, NULL);
    terms.source_count = 0;
    struct sig_sdp_agreement *second = sdp_agree(short_offer, first, &terms, NULL);
    CHECK_INT(sdp_media(first, "0")->source, SFU_SOURCE_MICROPHONE);
    CHECK_INT(sdp_media(first, "1")->source, SFU_SOURCE_SCREEN);
    CHECK_INT(sdp_media(second, "1")->source, SFU_SOURCE_SCREEN);
    sig_sdp_agreement_destroy(first);
    sig_sdp_agreement_destroy(second);
}

static void grants_and_limits_are_kept(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    terms.can_publish = false;
    CHECK_INT(sdp_refusal(short_offer, NULL, &terms).status, 403);
    terms = sdp_terms(SIG_SDP_CALL);
    terms.can_subscribe = false;
    CHECK_STR(sdp_refusal(short_offer, NULL, &terms).code, "cannot_subscribe");
    terms = sdp_terms(SIG_SDP_CALL);
    terms.max_tracks = 1;
    CHECK_INT(sdp_refusal(short_offer, NULL, &terms).status, 429);
    terms.max_tracks = 2;
    sig_sdp_agreement_destroy(sdp_agree(short_offer, NULL, &terms, NULL));
    struct sig_sdp_offer *offer = NULL;
    struct sig_sdp_error error;
    CHECK(sig_sdp_offer_parse(short_offer, strlen(short_offer), 3, &offer, &error) < 0);
    CHECK_INT(error.status, 429);
    CHECK_STR(error.words, "the offer has 4 m-lines; at most 3 are taken");
}

static void roles_bound_what_may_be_offered(void) {
    struct sig_sdp_terms whip = sdp_terms(SIG_SDP_WHIP);
    struct sig_sdp_terms whep = sdp_terms(SIG_SDP_WHEP);
    char *sending = sdp_replace(short_offer, "a=recvonly", "a=sendrecv");
    char *receiving = sdp_replace(short_offer, "a=sendonly", "a=sendrecv");
    CHECK_STR(sdp_refusal(short_offer, NULL, &whip).code, "sdp_direction");
    CHECK_STR(sdp_refusal(sending, NULL, &whip).code, "sdp_too_many_tracks");
    CHECK_STR(sdp_refusal(short_offer, NULL, &whep).code, "sdp_direction");
    struct sig_sdp_agreement *watching = sdp_agree(receiving, NULL, &whep, NULL);
    CHECK_INT(sdp_media(watching, "0")->direction, SFU_SLOT);
    sig_sdp_agreement_destroy(watching);
    free(sending);
    free(receiving);
}

/* RFC 9725: m-lines are not refused one by one. In a call they are. */
static void an_m_line_without_a_codec_is_refused(void) {
    struct sig_sdp_terms whip = sdp_terms(SIG_SDP_WHIP);
    struct sig_sdp_terms call = sdp_terms(SIG_SDP_CALL);
    char *text = sdp_read("pion-whip");
    char *bent = sdp_replace(text, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 45 46 98 99",
                             "m=video 9 UDP/TLS/RTP/SAVPF 104 105");
    char *answer = NULL;
    CHECK_STR(sdp_refusal(bent, NULL, &whip).code, "sdp_no_codec");
    struct sig_sdp_agreement *agreement = sdp_agree(bent, NULL, &call, &answer);
    CHECK_HAS(answer, "m=video 0 UDP/TLS/RTP/SAVPF 104 105");
    CHECK_INT(sdp_media(agreement, "1")->codec_count, 0);
    sig_sdp_agreement_destroy(agreement);
    free(answer);
    free(bent);
    free(text);
}

/* Credentials of an m-line that is refused are not those of the transport. */
static void the_first_m_line_that_is_taken_is_the_tagged_one(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *text = sdp_read("aiortc-call");
    char *bent = sdp_replace(text, "opus/48000/2", "mine/48000/2");
    struct sig_sdp_agreement *agreement = sdp_agree(bent, NULL, &terms, NULL);
    CHECK_STR(sig_sdp_description(agreement)->remote_ufrag, "pQ7z");
    sig_sdp_agreement_destroy(agreement);
    free(bent);
    free(text);
}

static void layers_go_from_low_to_high(void) {
    static const struct {
        const char *list;
        const char *rids[3];
    } rows[] = {
        {"f;h;q", {"q", "h", "f"}},
        {"h;l", {"l", "h", ""}},
        {"high;low;mid", {"low", "mid", "high"}},
        {"a;b;c", {"a", "b", "c"}},
        {"~c;b,x", {"c", "b", ""}},
        {"q;q;h", {"q", "h", ""}},
        {"x;y;f", {"f", "", ""}},
    };
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *lines = NULL;
        CHECK(asprintf(&lines,
                       "a=mid:1\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\n"
                       "a=rid:l send\r\na=rid:low send\r\na=rid:mid send\r\n"
                       "a=rid:high send\r\na=rid:a send\r\na=rid:b send\r\n"
                       "a=rid:c send\r\na=rid:x recv\r\na=simulcast:recv z send %s\r\n",
                       rows[i].list) > 0);
        char *text = sdp_replace(short_offer, "a=mid:1\r\n", lines);
        struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, NULL);
        for (size_t k = 0; k < 3; k++)
            CHECK_STR(sdp_media(agreement, "1")->rids[k], rows[i].rids[k]);
        sig_sdp_agreement_destroy(agreement);
        free(text);
        free(lines);
    }
}

static void layers_by_ssrc_are_understood(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *text = sdp_replace(short_offer, "a=mid:1\r\n",
                             "a=mid:1\r\na=ssrc-group:SIM 11 12 13\r\na=ssrc-group:FID 11 21\r\n"
                             "a=ssrc-group:FID 12 22\r\na=ssrc-group:FID 13 23\r\n"
                             "a=ssrc:11 cname:x\r\n");
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, NULL);
    CHECK_INT(sdp_media(agreement, "1")->layer_count, 3);
    CHECK_INT(sdp_media(agreement, "1")->ssrcs[2], 13);
    CHECK_INT(sdp_media(agreement, "1")->rtx_ssrcs[2], 23);
    sig_sdp_agreement_destroy(agreement);
    free(text);
}

static void payload_types_that_look_like_rtcp_are_not_taken(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *numbers = sdp_replace(short_offer, "SAVPF 96 97", "SAVPF 72 39 39 72 97");
    char *text = sdp_replace(numbers, "a=rtpmap:96 VP8/90000",
                             "a=rtpmap:72 VP8/90000\r\na=rtpmap:39 VP9/90000");
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, NULL);
    CHECK_INT(sdp_media(agreement, "1")->codec_count, 1);
    CHECK_INT(sdp_media(agreement, "1")->codecs[0].payload_type, 39);
    CHECK_INT(sdp_media(agreement, "1")->codecs[0].rtx_payload_type, 0);
    sig_sdp_agreement_destroy(agreement);
    free(text);
    free(numbers);
}

/* A browser's offer of 500 m-lines, each with all its codecs. */
static void five_hundred_m_lines_are_negotiated(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *real = sdp_read("chromium-whep");
    const char *audio = strstr(real, "m=audio");
    const char *video = strstr(real, "m=video");
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    fputs("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE", out);
    for (int i = 0; i < 500; i++)
        fprintf(out, " %d", i);
    fputs("\r\n", out);
    for (int i = 0; i < 500; i++) {
        const char *from = i % 2 ? video : audio;
        const char *end = i % 2 ? real + strlen(real) : video;
        const char *mid = strstr(from, "a=mid:");
        fprintf(out, "%.*sa=mid:%d%.*s", (int)(mid - from), from, i, (int)(end - strchr(mid, '\r')),
                strchr(mid, '\r'));
    }
    fclose(out);
    char *answer = NULL;
    struct sig_sdp_agreement *agreement = sdp_agree(text, NULL, &terms, &answer);
    CHECK_INT(sdp_count(answer, "a=msid:slot-249 "), 2);
    CHECK_INT(sdp_count(answer, "a=candidate:"), 3);
    sig_sdp_agreement_destroy(agreement);
    free(answer);
    free(text);
    free(real);
}

static const struct test tests[] = {
    {"an_impossible_offer_is_refused_with_its_reason",
     an_impossible_offer_is_refused_with_its_reason},
    {"what_clients_write_differently_is_taken", what_clients_write_differently_is_taken},
    {"credentials_and_fingerprint_of_the_session_count_too",
     credentials_and_fingerprint_of_the_session_count_too},
    {"the_same_offer_again_changes_nothing", the_same_offer_again_changes_nothing},
    {"new_credentials_are_an_ice_restart", new_credentials_are_an_ice_restart},
    {"another_certificate_is_another_peer", another_certificate_is_another_peer},
    {"a_track_ends_when_inactive_and_begins_anew", a_track_ends_when_inactive_and_begins_anew},
    {"a_slot_keeps_its_ssrcs_while_inactive", a_slot_keeps_its_ssrcs_while_inactive},
    {"an_m_line_that_is_another_is_refused", an_m_line_that_is_another_is_refused},
    {"a_refused_m_line_is_taken_by_another", a_refused_m_line_is_taken_by_another},
    {"a_new_slot_gets_a_stream_of_its_own", a_new_slot_gets_a_stream_of_its_own},
    {"an_m_line_outside_of_the_bundle_is_refused", an_m_line_outside_of_the_bundle_is_refused},
    {"sources_are_as_published_and_stay", sources_are_as_published_and_stay},
    {"grants_and_limits_are_kept", grants_and_limits_are_kept},
    {"roles_bound_what_may_be_offered", roles_bound_what_may_be_offered},
    {"an_m_line_without_a_codec_is_refused", an_m_line_without_a_codec_is_refused},
    {"the_first_m_line_that_is_taken_is_the_tagged_one",
     the_first_m_line_that_is_taken_is_the_tagged_one},
    {"layers_go_from_low_to_high", layers_go_from_low_to_high},
    {"layers_by_ssrc_are_understood", layers_by_ssrc_are_understood},
    {"payload_types_that_look_like_rtcp_are_not_taken",
     payload_types_that_look_like_rtcp_are_not_taken},
    {"five_hundred_m_lines_are_negotiated", five_hundred_m_lines_are_negotiated},
};

TEST_MAIN(tests)
