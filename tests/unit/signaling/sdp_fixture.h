/* What the SDP tests share: the offers of real clients, a short offer to be bent, and a negotiation
 * with numbers that are the same every run. */
#ifndef TESTS_UNIT_SIGNALING_SDP_FIXTURE_H
#define TESTS_UNIT_SIGNALING_SDP_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sdp.h"
#include "tests/unit/test.h"

#define FINGERPRINT                                                                                \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"   \
    "EE:FF"

/* A publisher of audio and video with an audio and a video slot. */
static const char short_offer[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n"
    "a=fingerprint:sha-256 " FINGERPRINT "\r\na=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n"
    "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=recvonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:3\r\na=recvonly\r\n"
    "a=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";

static const struct sfu_local sdp_local = {
    .ufrag = "serverufrag1",
    .pwd = "serverpassword0123456789",
    .candidates = {{"192.0.2.1", 40000, false},
                   {"2001:db8::1", 40000, false},
                   {"192.0.2.1", 40000, true}},
    .candidate_count = 3,
};

struct sdp_numbers {
    uint64_t track;
    uint32_t random;
};

static inline uint64_t sdp_next_track(void *ctx) {
    return ++((struct sdp_numbers *)ctx)->track;
}

static inline uint32_t sdp_next_random(void *ctx) {
    return ++((struct sdp_numbers *)ctx)->random;
}

static struct sdp_numbers sdp_numbers = {100, 5000};

static inline struct sig_sdp_terms sdp_terms(enum sig_sdp_role role) {
    return (struct sig_sdp_terms){.role = role,
                                  .can_publish = true,
                                  .can_subscribe = true,
                                  .new_track = sdp_next_track,
                                  .random_u32 = sdp_next_random,
                                  .ctx = &sdp_numbers};
}

/* Not inline: gcc 12 takes a memory stream's text for a dangling pointer where these are inlined.
 */
#define SDP_HELPER __attribute__((noinline, unused)) static

/* The text with every `from` replaced by `to`; `from` has to be there. */
SDP_HELPER char *sdp_replace(const char *text, const char *from, const char *to) {
    char *result = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&result, &len);
    const char *at = strstr(text, from);
    CHECK(out != NULL && at != NULL);
    for (; at != NULL; at = strstr(text, from)) {
        fprintf(out, "%.*s%s", (int)(at - text), text, to);
        text = at + strlen(from);
    }
    fputs(text, out);
    fclose(out);
    return result;
}

/* A file of the corpus, the tests being run from the top of the tree. */
SDP_HELPER char *sdp_read(const char *name) {
    char *path = NULL;
    char *text = NULL;
    size_t len = 0;
    CHECK(asprintf(&path, "tests/fuzz/corpus/sdp/%s.sdp", name) > 0);
    FILE *in = fopen(path, "r");
    if (in == NULL)
        test_fail(__FILE__, __LINE__, "cannot open %s", path);
    CHECK(getdelim(&text, &len, '\0', in) > 0);
    fclose(in);
    free(path);
    return text;
}

static inline struct sig_sdp_offer *sdp_parse(const char *text) {
    struct sig_sdp_offer *offer = NULL;
    struct sig_sdp_error error;
    if (sig_sdp_offer_parse(text, strlen(text), 512, &offer, &error) < 0)
        test_fail(__FILE__, __LINE__, "refused: %s", error.words);
    return offer;
}

/* An offer that has to be taken, as an agreement; its text as the answer, if asked for. */
static inline struct sig_sdp_agreement *sdp_agree(const char *text,
                                                  const struct sig_sdp_agreement *before,
                                                  const struct sig_sdp_terms *terms,
                                                  char **answer) {
    struct sig_sdp_agreement *agreement = NULL;
    struct sig_sdp_error error;
    struct sig_sdp_offer *offer = sdp_parse(text);
    if (sig_sdp_negotiate(offer, before, terms, &agreement, &error) < 0)
        test_fail(__FILE__, __LINE__, "refused: %s", error.words);
    if (answer != NULL)
        *answer = sig_sdp_answer_write(offer, agreement, &sdp_local, FINGERPRINT);
    sig_sdp_offer_destroy(offer);
    return agreement;
}

/* An offer that has to be refused, by parsing or by negotiation. */
static inline struct sig_sdp_error sdp_refusal(const char *text,
                                               const struct sig_sdp_agreement *before,
                                               const struct sig_sdp_terms *terms) {
    struct sig_sdp_error error = {0};
    struct sig_sdp_offer *offer = NULL;
    struct sig_sdp_agreement *agreement = NULL;
    if (sig_sdp_offer_parse(text, strlen(text), 512, &offer, &error) == 0 &&
        sig_sdp_negotiate(offer, before, terms, &agreement, &error) == 0)
        test_fail(__FILE__, __LINE__, "taken, not refused");
    sig_sdp_offer_destroy(offer);
    return error;
}

static inline const struct sfu_media *sdp_media(const struct sig_sdp_agreement *agreement,
                                                const char *mid) {
    const struct sfu_media *media = sig_sdp_media_find(agreement, mid);
    if (media == NULL)
        test_fail(__FILE__, __LINE__, "no m-line \"%s\"", mid);
    return media;
}

/* Whether a line stands in the text, whole. */
static inline bool sdp_has(const char *text, const char *line) {
    size_t len = strlen(line);
    for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line))
        if ((at == text || at[-1] == '\n') && strncmp(at + len, "\r\n", 2) == 0)
            return true;
    return false;
}

static inline size_t sdp_count(const char *text, const char *word) {
    size_t count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

#define CHECK_HAS(text, line)                                                                      \
    (sdp_has(text, line) ? (void)0                                                                 \
                         : test_fail(__FILE__, __LINE__, "no line \"%s\" in:\n%s", line, text))
#define CHECK_HAS_NOT(text, word)                                                                  \
    (strstr(text, word) == NULL ? (void)0                                                          \
                                : test_fail(__FILE__, __LINE__, "\"%s\" in:\n%s", word, text))

#endif
