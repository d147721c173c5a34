#include "bench/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stun/usages/ice.h>

#include "bench/client_state.h"

enum {
    CHECK_FIRST_US = 50000,     /* RFC 8445 section 14.2: Ta. */
    CHECK_CONSENT_US = 2500000, /* Half of RFC 7675's five seconds, as browsers do. */
    REPORT_US = 1000000,
};

static void random_text(struct bench_random *random, char *out, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + bench_random_next(random) % 26);
    out[len] = '\0';
}

static void dtls_send(void *ctx, const uint8_t *data, size_t len) {
    struct bench_client *client = ctx;
    client->config.send(client->config.ctx, data, len);
}

int bench_client_create(struct bench_client **out, const struct bench_client_config *config) {
    struct bench_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return -ENOMEM;
    client->config = *config;
    client->random.state = config->seed;
    random_text(&client->random, client->ufrag, 8);
    random_text(&client->random, client->pwd, 24);
    client->ssrc = (uint32_t)bench_random_next(&client->random) | 1;
    client->next_us = UINT64_MAX;
    client->check_at_us = client->report_at_us = client->feedback_at_us = UINT64_MAX;
    static const uint16_t known[] = {
        STUN_ATTRIBUTE_USERNAME,       STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
        STUN_ATTRIBUTE_FINGERPRINT,    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
        STUN_ATTRIBUTE_ICE_CONTROLLED, STUN_ATTRIBUTE_ICE_CONTROLLING,
        STUN_ATTRIBUTE_USE_CANDIDATE,  STUN_ATTRIBUTE_PRIORITY,
        STUN_ATTRIBUTE_ERROR_CODE,     0};
    stun_agent_init(&client->stun, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    if (bench_dtls_create(&client->dtls, config->dtls, dtls_send, client) < 0) {
        free(client);
        return -ENOMEM;
    }
    *out = client;
    return 0;
}

void bench_client_destroy(struct bench_client *client) {
    if (client == NULL)
        return;
    bench_client_streams_deinit(client);
    bench_dtls_destroy(client->dtls);
    sfu_srtp_in_destroy(client->srtp_in);
    sfu_srtp_out_destroy(client->srtp_out);
    free(client);
}

const char *bench_client_ufrag(const struct bench_client *client) {
    return client->ufrag;
}

const char *bench_client_pwd(const struct bench_client *client) {
    return client->pwd;
}

static struct bench_remote remote_of(const struct sfu_local *local) {
    struct bench_remote remote = {0};
    snprintf(remote.ufrag, sizeof(remote.ufrag), "%s", local->ufrag);
    snprintf(remote.pwd, sizeof(remote.pwd), "%s", local->pwd);
    return remote;
}

int bench_client_begin(struct bench_client *client, uint64_t now_us, const struct sfu_local *remote,
                       const struct sfu_media *media, size_t media_count) {
    struct bench_remote same = remote_of(remote);
    return bench_client_begin_with(client, now_us, &same, media, media_count);
}

int bench_client_begin_with(struct bench_client *client, uint64_t now_us,
                            const struct bench_remote *remote, const struct sfu_media *media,
                            size_t media_count) {
    client->remote = *remote;
    client->begun = true;
    client->check_at_us = client->next_us = now_us;
    return bench_client_streams_init(client, now_us, media, media_count);
}

void bench_client_restart(struct bench_client *client, uint64_t now_us,
                          const struct sfu_local *remote) {
    client->remote = remote_of(remote);
    client->check_at_us = client->next_us = now_us;
}

/* --- ICE --- */

/* So that a server with full ICE that took the controlling role lets go of it (RFC 8445 section
 * 7.3.1.1). */
static uint64_t tie_breaker(const struct bench_client *client) {
    return client->config.seed | UINT64_C(0xffffffff00000000);
}

static void send_check(struct bench_client *client, uint64_t now_us) {
    char username[SFU_CREDENTIAL_MAX + 32];
    int username_len =
        snprintf(username, sizeof(username), "%s:%s", client->remote.ufrag, client->ufrag);
    uint8_t buffer[512];
    StunMessage message;
    size_t len = stun_usage_ice_conncheck_create(
        &client->stun, &message, buffer, sizeof(buffer), (uint8_t *)username, (size_t)username_len,
        (uint8_t *)client->remote.pwd, strlen(client->remote.pwd), true, true, 1862270975,
        tie_breaker(client), NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (len > 0)
        client->config.send(client->config.ctx, buffer, len);
    client->check_at_us = now_us + (client->selected ? CHECK_CONSENT_US : CHECK_FIRST_US);
}

/* Checks of a server with full ICE. */
static void answer_check(struct bench_client *client, StunMessage *request) {
    uint8_t buffer[512];
    size_t len = sizeof(buffer);
    StunMessage message;
    struct sockaddr_storage from = {0};
    struct sockaddr_in *address = (struct sockaddr_in *)&from;
    bool control = true;
    address->sin_family = AF_INET;
    address->sin_port = htons(client->remote.port);
    inet_pton(AF_INET, client->remote.address, &address->sin_addr);
    stun_usage_ice_conncheck_create_reply(&client->stun, request, &message, buffer, &len, &from,
                                          sizeof(*address), &control, tie_breaker(client),
                                          STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (len > 0)
        client->config.send(client->config.ctx, buffer, len);
}

/* Checks of the server are under our password; libnice knows that of what it asked itself. */
static bool own_password(StunAgent *agent, StunMessage *message, uint8_t *username,
                         uint16_t username_len, uint8_t **password, size_t *password_len,
                         void *ctx) {
    struct bench_client *client = ctx;
    (void)agent;
    (void)message;
    (void)username;
    (void)username_len;
    *password = (uint8_t *)client->pwd;
    *password_len = strlen(client->pwd);
    return true;
}

static void on_stun(struct bench_client *client, uint64_t now_us, const uint8_t *data, size_t len) {
    StunMessage message;
    if (stun_agent_validate(&client->stun, &message, data, len, own_password, client) !=
        STUN_VALIDATION_SUCCESS)
        return;
    if (stun_message_get_class(&message) == STUN_REQUEST)
        answer_check(client, &message);
    if (stun_message_get_class(&message) != STUN_RESPONSE || client->selected)
        return;
    client->selected = true;
    client->check_at_us = now_us + CHECK_CONSENT_US;
    bench_dtls_begin(client->dtls, now_us);
}

/* --- DTLS and SRTP --- */

static void on_connected(struct bench_client *client, uint64_t now_us) {
    enum sfu_srtp_profile profile;
    struct sfu_srtp_key in, out;
    if (bench_dtls_export(client->dtls, &profile, &in, &out) < 0 ||
        sfu_srtp_in_create(&client->srtp_in, profile, &in) < 0 ||
        sfu_srtp_out_create(&client->srtp_out, profile, &out) < 0)
        return;
    client->connected_us = now_us;
    client->report_at_us = now_us + REPORT_US;
    for (size_t i = 0; i < client->source_count; i++)
        bench_source_start(&client->sources[i], now_us);
}

void bench_client_send_compound(struct bench_client *client, const struct rtcp_builder *builder) {
    uint8_t packet[BENCH_CLIENT_PACKET_MAX];
    size_t len = builder->len;
    if (len == 0 || client->srtp_out == NULL)
        return;
    memcpy(packet, builder->data, len);
    if (sfu_srtp_protect_rtcp(client->srtp_out, packet, &len) == 0)
        client->config.send(client->config.ctx, packet, len);
}

void bench_client_send_media(void *ctx, bool rtx, const uint8_t *header, size_t header_len,
                             const uint8_t *payload, size_t payload_len) {
    struct bench_client *client = ctx;
    uint8_t packet[BENCH_CLIENT_PACKET_MAX];
    struct sfu_srtp_stream *stream =
        rtx ? &client->rtx_streams[client->sending] : &client->source_streams[client->sending];
    memcpy(packet, header, header_len);
    size_t len = sfu_srtp_protect_rtp(client->srtp_out, stream, packet, header_len, NULL, 0,
                                      payload, payload_len);
    client->config.send(client->config.ctx, packet, len);
}

void bench_client_input(struct bench_client *client, uint64_t now_us, const uint8_t *data,
                        size_t len) {
    uint8_t copy[BENCH_CLIENT_PACKET_MAX];
    if (!client->begun || len > sizeof(copy))
        return;
    memcpy(copy, data, len);
    enum rtp_datagram_kind kind = rtp_datagram_kind(copy, len);
    if (kind == RTP_DATAGRAM_STUN)
        on_stun(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_RTP)
        bench_client_on_rtp(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_RTCP)
        bench_client_on_rtcp(client, now_us, copy, len);
    else if (kind == RTP_DATAGRAM_DTLS && bench_dtls_input(client->dtls, now_us, copy, len) &&
             client->connected_us == 0)
        on_connected(client, now_us);
    if (kind != RTP_DATAGRAM_RTP)
        client->next_us = 0; /* Anything may have changed. */
}

/* --- Time --- */

static void on_media_deadline(struct bench_client *client, uint64_t now_us) {
    if (now_us >= client->report_at_us)
        bench_client_report(client, now_us);
    if (now_us >= client->feedback_at_us)
        bench_client_feedback(client);
    for (client->sending = 0; client->sending < client->source_count; client->sending++)
        if (client->sources[client->sending].next_us <= now_us)
            bench_source_on_deadline(&client->sources[client->sending], now_us,
                                     bench_client_send_media, client);
    for (size_t i = 0; i < client->sink_count; i++)
        if (bench_sink_deadline(&client->sinks[i]) <= now_us)
            bench_client_ask(client, now_us, &client->sinks[i]);
}

static uint64_t find_deadline(const struct bench_client *client) {
    uint64_t next_us = bench_sooner(client->check_at_us, bench_dtls_next_deadline(client->dtls));
    if (client->connected_us == 0)
        return next_us;
    next_us = bench_sooner(next_us, client->report_at_us);
    next_us = bench_sooner(next_us, client->feedback_at_us);
    for (size_t i = 0; i < client->source_count; i++)
        next_us = bench_sooner(next_us, client->sources[i].next_us);
    for (size_t i = 0; i < client->sink_count; i++)
        next_us = bench_sooner(next_us, bench_sink_deadline(&client->sinks[i]));
    return next_us;
}

uint64_t bench_client_next_deadline(const struct bench_client *client) {
    return client->next_us;
}

void bench_client_on_deadline(struct bench_client *client, uint64_t now_us) {
    if (now_us >= client->check_at_us)
        send_check(client, now_us);
    bench_dtls_on_deadline(client->dtls, now_us);
    if (client->connected_us != 0)
        on_media_deadline(client, now_us);
    client->next_us = find_deadline(client);
}

bool bench_client_is_connected(const struct bench_client *client) {
    return client->connected_us != 0;
}

uint64_t bench_client_connected_us(const struct bench_client *client) {
    return client->connected_us;
}

const struct bench_sink *bench_client_sink(const struct bench_client *client, size_t n) {
    return n < client->sink_count ? &client->sinks[n] : NULL;
}

const struct bench_source *bench_client_source(const struct bench_client *client, size_t n) {
    return n < client->source_count ? &client->sources[n] : NULL;
}

void bench_client_publish_layers(struct bench_client *client, const char *mid, uint8_t layers) {
    for (size_t i = 0; i < client->source_count; i++)
        if (strcmp(client->sources[i].config.mid, mid) == 0)
            bench_source_pause(&client->sources[i],
                               !(layers >> (client->sources[i].config.number & 0xff) & 1));
}

void bench_client_speak(struct bench_client *client, bool speaks, uint8_t level) {
    for (size_t i = 0; i < client->source_count; i++) {
        if (client->sources[i].config.video)
            continue;
        client->sources[i].silent = !speaks;
        client->sources[i].level = level;
    }
}

void bench_client_mark(struct bench_client *client) {
    for (size_t i = 0; i < client->sink_count; i++)
        bench_sink_mark(&client->sinks[i]);
}

const struct bench_client_figures *bench_client_figures(const struct bench_client *client) {
    return &client->figures;
}

void bench_client_send_rtp(struct bench_client *client, const uint8_t *data, size_t header_len,
                           size_t len) {
    uint8_t packet[BENCH_CLIENT_PACKET_MAX];
    struct sfu_srtp_stream stream = {0};
    if (client->srtp_out == NULL || len + SFU_SRTP_OVERHEAD_MAX > sizeof(packet))
        return;
    memcpy(packet, data, header_len);
    size_t protected_len = sfu_srtp_protect_rtp(client->srtp_out, &stream, packet, header_len, NULL,
                                                0, data + header_len, len - header_len);
    client->config.send(client->config.ctx, packet, protected_len);
}

void bench_client_send_rtcp(struct bench_client *client, const uint8_t *data, size_t len) {
    uint8_t copy[BENCH_CLIENT_PACKET_MAX];
    struct rtcp_builder builder = {.data = copy, .len = len};
    if (len + SFU_SRTCP_OVERHEAD_MAX > sizeof(copy))
        return;
    memcpy(copy, data, len);
    bench_client_send_compound(client, &builder);
}

void bench_client_close(struct bench_client *client) {
    bench_dtls_close(client->dtls);
}
