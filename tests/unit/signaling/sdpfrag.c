/* Trickled fragments: those of RFC 9725 section 4.3, and bent ones. */
#include "tests/unit/signaling/sdp_fixture.h"

static const char restart[] = "a=ice-options:trickle ice2\r\na=group:BUNDLE 0 1\r\n"
                              "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:ysXw\r\n"
                              "a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k\r\n"
                              "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host "
                              "generation 0 ufrag EsAw network-id 1\r\n"
                              "a=candidate:3471623853 1 udp 2122194687 198.51.100.2 61765 typ host "
                              "generation 0 ufrag EsAw network-id 2\r\n";

static struct sig_sdpfrag parse(const char *text) {
    struct sig_sdpfrag fragment;
    struct sig_sdp_error error;
    if (sig_sdpfrag_parse(&fragment, text, strlen(text), &error) < 0)
        test_fail(__FILE__, __LINE__, "refused: %s", error.words);
    return fragment;
}

static void credentials_and_candidates_are_read(void) {
    struct sig_sdpfrag fragment = parse(restart);
    CHECK_STR(fragment.ufrag, "ysXw");
    CHECK_STR(fragment.pwd, "vw5LmwG4y/e6dPP/zAP9Gp5k");
    CHECK_INT(fragment.candidate_count, 2);
    CHECK(!fragment.end_of_candidates);
}

static void unusable_candidates_are_passed_over(void) {
    struct sig_sdpfrag fragment = parse("a=candidate:x\na=candidate:1 1 udp 1 a.local 1 typ host\n"
                                        "a=candidate:1 1 udp 99999999999 192.0.2.1 1 typ host\n"
                                        "a=candidate:1 1 udp 1 192.0.2.1 70000 typ host\n"
                                        "a=end-of-candidates");
    CHECK_INT(fragment.candidate_count, 1);
    CHECK(fragment.end_of_candidates);
    CHECK_STR(fragment.ufrag, "");
}

static void malformed_fragments_are_refused_and_leave_the_result_alone(void) {
    static const char *const texts[] = {
        "",
        "a=mid:0\r\n",
        "hello",
        "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\nA=x\r\n",
        "a=ice-ufrag:abcd\r\n",
        "a=ice-pwd:0123456789012345678901\r\n",
        "a=ice-ufrag:abc\r\na=ice-pwd:0123456789012345678901\r\n",
        "a=ice-ufrag:ab d\r\na=ice-pwd:0123456789012345678901\r\n",
        "a=ice-ufrag:abcd\r\na=ice-pwd:012345678901234567890\r\n",
    };
    struct sig_sdpfrag fragment = {.candidate_count = 77};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sig_sdp_error error;
        CHECK(sig_sdpfrag_parse(&fragment, texts[i], strlen(texts[i]), &error) < 0);
        CHECK_INT(error.status, 400);
        CHECK_STR(error.code, "sdpfrag_malformed");
    }
    CHECK_INT(fragment.candidate_count, 77);
}

static void other_credentials_are_a_restart_and_are_applied(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sig_sdp_agreement *agreement = sdp_agree(short_offer, NULL, &terms, NULL);
    struct sig_sdpfrag same = parse("a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n");
    struct sig_sdpfrag none = parse("a=end-of-candidates\r\n");
    struct sig_sdpfrag other = parse(restart);
    CHECK(!sig_sdpfrag_is_restart(&same, agreement));
    CHECK(!sig_sdpfrag_is_restart(&none, agreement));
    CHECK(sig_sdpfrag_is_restart(&other, agreement));
    sig_sdpfrag_apply(&other, agreement);
    CHECK(!sig_sdpfrag_is_restart(&other, agreement));
    CHECK_STR(sig_sdp_description(agreement)->remote_ufrag, "ysXw");
    CHECK_STR(sig_sdp_description(agreement)->remote_pwd, "vw5LmwG4y/e6dPP/zAP9Gp5k");
    sig_sdp_agreement_destroy(agreement);
}

static void our_fragment_reads_like_this(void) {
    struct sig_sdp_terms terms = sdp_terms(SIG_SDP_CALL);
    struct sig_sdp_agreement *agreement = sdp_agree(short_offer, NULL, &terms, NULL);
    char *text = sig_sdpfrag_write(agreement, &sdp_local);
    CHECK_STR(text, "a=ice-lite\r\na=ice-options:ice2 trickle\r\na=group:BUNDLE 0 1 2 3\r\n"
                    "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:serverufrag1\r\n"
                    "a=ice-pwd:serverpassword0123456789\r\n"
                    "a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host\r\n"
                    "a=candidate:2 1 udp 2130706175 2001:db8::1 40000 typ host\r\n"
                    "a=candidate:3 1 tcp 1520434687 192.0.2.1 40000 typ host tcptype passive\r\n"
                    "a=end-of-candidates\r\n");
    CHECK_INT(parse(text).candidate_count, 3);
    free(text);
    sig_sdp_agreement_destroy(agreement);
}

static const struct test tests[] = {
    {"credentials_and_candidates_are_read", credentials_and_candidates_are_read},
    {"unusable_candidates_are_passed_over", unusable_candidates_are_passed_over},
    {"malformed_fragments_are_refused_and_leave_the_result_alone",
     malformed_fragments_are_refused_and_leave_the_result_alone},
    {"other_credentials_are_a_restart_and_are_applied",
     other_credentials_are_a_restart_and_are_applied},
    {"our_fragment_reads_like_this", our_fragment_reads_like_this},
};

TEST_MAIN(tests)
