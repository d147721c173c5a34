/* Descriptions of clients: what they offer, and what they take out of a server's. */
#include "bench/sdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#define FINGERPRINT                                                                                \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:"   \
    "ee:ff"
#define TRANSPORT                                                                                  \
    "a=ice-ufrag:abcdefghijklmnop\r\na=ice-pwd:0123456789012345678901234567890123456789\r\n"       \
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=setup:passive\r\n"

/* To an offer that publishes sound and pictures and has a video slot, of a server with two
 * addresses. */
static const char answer[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
    "m=audio 40000 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n"
    "a=candidate:1 1 tcp 1518280447 192.0.2.1 40000 typ host tcptype passive\r\n"
    "a=candidate:2 1 udp 2130706431 2001:db8::1 40000 typ host\r\n"
    "a=candidate:3 1 udp 2130706175 192.0.2.1 40001 typ host\r\n"
    "a=candidate:4 1 udp 2130705919 198.51.100.7 40002 typ host\r\n" TRANSPORT
    "a=rtpmap:111 opus/48000/2\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=recvonly\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=sendonly\r\n"
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 transport-cc\r\n"
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=ssrc-group:FID 5001 5002\r\na=ssrc:5001 cname:x\r\na=ssrc:5002 cname:x\r\n";

static struct bench_sdp ours, theirs;

static void offer(uint8_t layers) {
    memset(&ours, 0, sizeof(ours));
    bench_sdp_offer(&ours, &(struct bench_sdp_wish){.audio = true,
                                                    .video = true,
                                                    .layers = layers,
                                                    .codec = RTP_CODEC_VP8,
                                                    .video_slots = 1,
                                                    .ssrc = 17});
    strcpy(ours.transport.ufrag, "ufrag");
    strcpy(ours.transport.pwd, "password");
    strcpy(ours.transport.address, "192.0.2.9");
    ours.transport.port = 5000;
}

static void what_is_written_is_read_the_same(void) {
    offer(1);
    ours.fingerprint[31] = 0xa5;
    char *text = bench_sdp_write(&ours);
    CHECK_INT(bench_sdp_read(&theirs, text, NULL), 0);
    CHECK(theirs.is_offer);
    CHECK_INT(theirs.count, 3);
    CHECK_STR(theirs.transport.ufrag, "ufrag");
    CHECK_STR(theirs.transport.address, "192.0.2.9");
    CHECK_INT(theirs.transport.port, 5000);
    CHECK_INT(theirs.fingerprint[31], 0xa5);
    CHECK_INT(theirs.media[1].slot_ssrc, 19);
    CHECK_INT(theirs.media[1].slot_rtx_ssrc, 20);
    CHECK_INT(theirs.media[1].direction, SFU_SLOT); /* What one sends the other receives. */
    CHECK_INT(theirs.media[2].direction, SFU_PUBLISHES);
    CHECK_BYTES(theirs.media[2].extensions.ids, RTP_EXT_COUNT, ours.media[2].extensions.ids,
                RTP_EXT_COUNT);
    free(text);
}

static void layers_are_named_and_have_no_ssrc(void) {
    offer(3);
    char *text = bench_sdp_write(&ours);
    CHECK(strstr(text, "a=simulcast:send q;h;f\r\n") != NULL);
    CHECK(strstr(text, "a=ssrc:19 ") == NULL);
    CHECK(strstr(text, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id") != NULL);
    free(text);
}

static void an_answer_limits_the_offer(void) {
    offer(3);
    CHECK_INT(bench_sdp_read(&theirs, answer, NULL), 0);
    bench_sdp_agree(&ours, &theirs);
    CHECK_INT(ours.media[1].layer_count, 1); /* No simulcast was answered. */
    CHECK_INT(ours.media[1].codecs[0].rtx_payload_type, 97);
    CHECK(!ours.media[1].transport_cc);
    CHECK_INT(ours.media[0].extensions.ids[RTP_EXT_MID], 4);
    CHECK_INT(ours.media[0].extensions.ids[RTP_EXT_AUDIO_LEVEL], 0);
    CHECK_INT(ours.media[2].codecs[0].rtx_payload_type, 0);
    CHECK_INT(ours.media[2].slot_ssrc, 5001);
    CHECK_INT(ours.media[2].slot_rtx_ssrc, 5002);
    CHECK(ours.media[2].transport_cc && ours.media[2].nack);
}

static void a_refused_m_line_is_inactive(void) {
    char *text = strdup(answer), *place = strstr(text, "m=video 9");
    place[8] = '0';
    offer(1);
    CHECK_INT(bench_sdp_read(&theirs, text, NULL), 0);
    bench_sdp_agree(&ours, &theirs);
    CHECK_INT(ours.media[1].direction, SFU_INACTIVE);
    CHECK_INT(ours.media[2].direction, SFU_SLOT);
    free(text);
}

static void an_m_line_that_is_not_answered_is_inactive(void) {
    offer(1);
    bench_sdp_read(&theirs, answer, NULL);
    theirs.count = 2;
    bench_sdp_agree(&ours, &theirs);
    CHECK_INT(ours.media[2].direction, SFU_INACTIVE);
}

static void of_candidates_the_preferred_one_for_udp_is_taken(void) {
    CHECK_INT(bench_sdp_read(&theirs, answer, NULL), 0);
    CHECK_STR(theirs.transport.address, "192.0.2.1");
    CHECK_INT(theirs.transport.port, 40001);
    CHECK_INT(bench_sdp_read(&theirs, answer, "198.51.100.7"), 0);
    CHECK_INT(theirs.transport.port, 40002);
    CHECK_INT(bench_sdp_read(&theirs, answer, "203.0.113.1"), 0);
    CHECK_INT(theirs.transport.port, 40001);
}

static void long_credentials_are_kept(void) {
    bench_sdp_read(&theirs, answer, NULL);
    CHECK_STR(theirs.transport.ufrag, "abcdefghijklmnop");
    CHECK_STR(theirs.transport.pwd, "0123456789012345678901234567890123456789");
    CHECK_INT(theirs.fingerprint[31], 0xff);
}

static void without_a_transport_there_is_no_answer(void) {
    CHECK_INT(bench_sdp_read(&theirs, "", NULL), -EBADMSG);
    CHECK_INT(bench_sdp_read(&theirs, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", NULL), -EBADMSG);
    CHECK_INT(bench_sdp_read(&theirs,
                             "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:a\r\na=ice-pwd:b\r\n",
                             NULL),
              -EADDRNOTAVAIL);
}

static void too_many_m_lines_are_refused(void) {
    char text[8192] = "";
    for (int i = 0; i <= BENCH_MEDIA_MAX; i++)
        strcat(text, "m=audio 9 RTP/AVP 0\r\n");
    CHECK_INT(bench_sdp_read(&theirs, text, NULL), -E2BIG);
}

static void an_answer_that_is_cut_anywhere_is_survived(void) {
    for (size_t len = 0; len < sizeof(answer); len++) {
        char *text = strndup(answer, len);
        bench_sdp_read(&theirs, text, "192.0.2.1");
        offer(2);
        bench_sdp_agree(&ours, &theirs);
        free(text);
    }
}

static void an_offer_is_answered_by_slots(void) {
    char *text = strdup(answer), *place;
    while ((place = strstr(text, "passive\r\n")) != NULL && place[-1] == ':')
        memcpy(place, "actpass", 7);
    CHECK_INT(bench_sdp_read(&theirs, text, NULL), 0);
    bench_sdp_answer(&ours, &theirs);
    ours.transport.port = 0;
    CHECK_INT(ours.media[0].direction, SFU_INACTIVE); /* The server wanted to receive. */
    CHECK_INT(ours.media[2].direction, SFU_SLOT);
    CHECK_INT(ours.media[2].slot_ssrc, 5001);
    char *reply = bench_sdp_write(&ours);
    CHECK(strstr(reply, "a=setup:active\r\n") != NULL);
    CHECK(strstr(reply, "a=mid:2\r\na=recvonly\r\n") != NULL);
    free(reply);
    free(text);
}

static const struct test tests[] = {
    {"what_is_written_is_read_the_same", what_is_written_is_read_the_same},
    {"layers_are_named_and_have_no_ssrc", layers_are_named_and_have_no_ssrc},
    {"an_answer_limits_the_offer", an_answer_limits_the_offer},
    {"a_refused_m_line_is_inactive", a_refused_m_line_is_inactive},
    {"an_m_line_that_is_not_answered_is_inactive", an_m_line_that_is_not_answered_is_inactive},
    {"of_candidates_the_preferred_one_for_udp_is_taken",
     of_candidates_the_preferred_one_for_udp_is_taken},
    {"long_credentials_are_kept", long_credentials_are_kept},
    {"without_a_transport_there_is_no_answer", without_a_transport_there_is_no_answer},
    {"too_many_m_lines_are_refused", too_many_m_lines_are_refused},
    {"an_answer_that_is_cut_anywhere_is_survived", an_answer_that_is_cut_anywhere_is_survived},
    {"an_offer_is_answered_by_slots", an_offer_is_answered_by_slots},
};

TEST_MAIN(tests)
