/* The answer's text, line by line. */
#include "tests/unit/signaling/sdp_fixture.h"

/* Numbers as of the fixture: the session's id is 5001 >> 1, slots' SSRCs follow. */
static const char wanted[] =
    "v=0\r\no=- 2500 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3\r\n"
    "a=msid-semantic:WMS *\r\na=ice-lite\r\na=ice-options:ice2 trickle\r\n"
    "m=audio 40000 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 192.0.2.1\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host\r\n"
    "a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host\r\n"
    "a=candidate:3 1 tcp 1520434687 192.0.2.1 40000 typ host tcptype passive\r\n"
    "a=end-of-candidates\r\n"
    "a=ice-ufrag:serverufrag1\r\na=ice-pwd:serverpassword0123456789\r\n"
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:passive\r\na=mid:0\r\na=recvonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:serverufrag1\r\na=ice-pwd:serverpassword0123456789\r\n"
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:passive\r\na=mid:1\r\na=recvonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:serverufrag1\r\na=ice-pwd:serverpassword0123456789\r\n"
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:passive\r\na=mid:2\r\na=sendonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1\r\n"
    "a=msid:slot-0 audio-0\r\na=ssrc:5002 cname:slot-0\r\na=ssrc:5002 msid:slot-0 audio-0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:serverufrag1\r\na=ice-pwd:serverpassword0123456789\r\n"
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:passive\r\na=mid:3\r\na=sendonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "a=msid:slot-0 video-0\r\na=ssrc-group:FID 5004 5005\r\na=ssrc:5004 cname:slot-0\r\n"
    "a=ssrc:5004 msid:slot-0 video-0\r\na=ssrc:5005 cname:slot-0\r\n"
    "a=ssrc:5005 msid:slot-0 video-0\r\n";

static char *answer_to(const char *text) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    char *answer = NULL;
    sig_sdp_agreement_destroy(sdp_agree(text, NULL, &terms, &answer));
    CHECK(answer != NULL);
    return answer;
}

static void the_answer_reads_like_this(void) {
    char *answer = answer_to(short_offer);
    CHECK_STR(answer, wanted);
    free(answer);
}

static void a_server_without_candidates_shows_the_discard_port(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sfu_local bare = {.ufrag = "serverufrag1", .pwd = "serverpassword0123456789"};
    struct sig_sdp_offer *offer = sdp_parse(short_offer);
    struct sig_sdp_agreement *agreement = sdp_agree(short_offer, NULL, &terms, NULL);
    char *answer = sig_sdp_answer_write(offer, agreement, &bare, FINGERPRINT);
    CHECK_HAS(answer, "m=audio 9 UDP/TLS/RTP/SAVPF 111");
    CHECK_HAS(answer, "a=end-of-candidates");
    free(answer);
    sig_sdp_agreement_destroy(agreement);
    sig_sdp_offer_destroy(offer);
}

static void a_single_m_line_needs_no_bundle(void) {
    char *alone = sdp_replace(short_offer, "a=group:BUNDLE 0 1 2 3\r\n", "");
    *strstr(alone, "m=video") = '\0';
    char *answer = answer_to(alone);
    CHECK_HAS_NOT(answer, "BUNDLE");
    CHECK_HAS(answer, "m=audio 40000 UDP/TLS/RTP/SAVPF 111");
    free(answer);
    free(alone);
}

static void opus_parameters_are_as_offered(void) {
    char *text = sdp_replace(short_offer, "minptime=10;useinbandfec=1",
                             "stereo=1; usedtx=1;useinbandfec=0;minptime=10;x-secret=a\tb");
    char *answer = answer_to(text);
    CHECK_HAS(answer, "a=fmtp:111 minptime=10;stereo=1;usedtx=1;useinbandfec=1");
    CHECK_HAS_NOT(answer, "x-secret");
    free(answer);
    free(text);
}

static void feedback_for_all_formats_is_understood(void) {
    char *text = sdp_replace(short_offer, "a=rtcp-fb:96 nack\r\n",
                             "a=rtcp-fb:* ccm fir\r\na=rtcp-fb:* ccm tmmbr\r\n");
    char *answer = answer_to(text);
    CHECK_HAS(answer, "a=rtcp-fb:96 ccm fir");
    CHECK_HAS_NOT(answer, "tmmbr");
    CHECK_HAS_NOT(answer, "a=rtcp-fb:96 nack\r\n");
    free(answer);
    free(text);
}

static void two_byte_extension_ids_need_the_mixed_form(void) {
    const char *lines = "a=mid:1\r\na=extmap:20 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                        "a=extmap:15 urn:3gpp:video-orientation\r\n"
                        "a=extmap:3 urn:ietf:params:rtp-hdrext:toffset\r\n";
    char *plain = sdp_replace(short_offer, "a=mid:1\r\n", lines);
    char *mixed = sdp_replace(plain, "t=0 0\r\n", "t=0 0\r\na=extmap-allow-mixed\r\n");
    char *answer = answer_to(plain);
    CHECK_HAS_NOT(answer, "a=extmap");
    free(answer);
    answer = answer_to(mixed);
    CHECK_HAS(answer, "a=extmap-allow-mixed");
    CHECK_HAS(answer, "a=extmap:20 urn:ietf:params:rtp-hdrext:sdes:mid");
    CHECK_INT(sdp_count(answer, "a=extmap:"), 1);
    free(answer);
    free(plain);
    free(mixed);
}

static const struct test tests[] = {
    {"the_answer_reads_like_this", the_answer_reads_like_this},
    {"a_server_without_candidates_shows_the_discard_port",
     a_server_without_candidates_shows_the_discard_port},
    {"a_single_m_line_needs_no_bundle", a_single_m_line_needs_no_bundle},
    {"opus_parameters_are_as_offered", opus_parameters_are_as_offered},
    {"feedback_for_all_formats_is_understood", feedback_for_all_formats_is_understood},
    {"two_byte_extension_ids_need_the_mixed_form", two_byte_extension_ids_need_the_mixed_form},
};

TEST_MAIN(tests)
