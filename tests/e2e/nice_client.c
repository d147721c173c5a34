/* A WHIP publisher or WHEP player that shares no code with the server's media path: ICE by
 * libnice's agent (controlling), DTLS by OpenSSL as the client, SRTP by libsrtp2; the test does the
 * SDP and the HTTP.
 *
 *   nice_client publish|play PROFILES      PROFILES as OpenSSL names them, joined by colons
 *
 * One JSON object per line: to stdout {"local": {ufrag, pwd, fingerprint, candidates}}, {"profile":
 * name} when keys are there, and every half second {"sent": {…}} or {"received": {…}}; from stdin
 * {"remote": {ufrag, pwd, fingerprint, candidates}}. The end of stdin ends it. One thread. */
#include <agent.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKET_MAX 1500
#define DTLS_MTU 1200
#define TICK_MS 20
#define KEY_MAX (16 + 14)

enum { VIDEO, AUDIO, KINDS };

/* Payload types and SSRCs as the test writes them into the offers. */
static const uint8_t payload_types[KINDS] = {96, 111};
static const uint32_t ssrcs[KINDS] = {0x11111111, 0x22222222};

/* A VP8 keyframe as far as its descriptor and header go (RFC 7741 section 4.2, RFC 6386
 * section 9.1), 320x180; an Opus packet's TOC. The packet's number follows. */
static const uint8_t video_head[] = {0x10, 0x10, 0x02, 0x00, 0x9d, 0x01,
                                     0x2a, 0x40, 0x01, 0xb4, 0x00};
static const uint8_t audio_head[] = {0xf8};
static const uint8_t *const heads[KINDS] = {video_head, audio_head};
static const size_t head_lens[KINDS] = {sizeof(video_head), sizeof(audio_head)};

struct flow {
    uint32_t count;
    uint32_t first; /* Number in the first payload received. */
    uint32_t last;
    uint32_t wrong; /* Received with a payload that nobody sent. */
    uint32_t ssrc;
};

struct client {
    /* Owned. */
    GMainLoop *loop;
    NiceAgent *agent;
    guint stream;
    SSL *ssl;
    BIO *from_network;
    BIO *to_network;
    GIOChannel *input;
    srtp_t outbound;
    srtp_t inbound;
    /* State. */
    bool publishes;
    bool has_keys;
    char *remote_fingerprint;
    struct flow flows[KINDS];
};

static _Noreturn void give_up(const char *why) {
    fprintf(stderr, "nice_client: %s\n", why);
    exit(1);
}

static void print_json(json_t *value) {
    char *text = json_dumps(value, JSON_COMPACT);
    printf("%s\n", text);
    fflush(stdout);
    free(text);
    json_decref(value);
}

/* ---- Certificates ---- */

static X509 *make_certificate(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"nice_client", -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    if (!X509_sign(certificate, key, EVP_sha256()))
        give_up("no certificate");
    return certificate;
}

static void write_fingerprint(const X509 *certificate, char out[static 32 * 3]) {
    unsigned char digest[32];
    X509_digest(certificate, EVP_sha256(), digest, NULL);
    for (size_t i = 0; i < 32; i++)
        snprintf(out + 3 * i, i < 31 ? 4 : 3, i < 31 ? "%02X:" : "%02X", digest[i]);
}

static int accept_any(int ok, X509_STORE_CTX *store) {
    (void)ok;
    (void)store;
    return 1; /* The fingerprint is compared when the handshake is done, before keys are used. */
}

/* ---- SRTP ---- */

static void set_policy(srtp_policy_t *policy, unsigned long profile, uint8_t *key,
                       srtp_ssrc_type_t direction) {
    *policy = (srtp_policy_t){.ssrc = {.type = direction}, .key = key, .window_size = 1024};
    if (profile == SRTP_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
    }
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. We are the client. */
static void take_keys(struct client *client) {
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(client->ssl);
    if (!profile)
        give_up("no SRTP profile was agreed");
    size_t salt_len = profile->id == SRTP_AEAD_AES_128_GCM ? 12 : 14;
    uint8_t material[2 * KEY_MAX];
    if (SSL_export_keying_material(client->ssl, material, 2 * (16 + salt_len),
                                   "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        give_up("no keying material");
    uint8_t keys[2][KEY_MAX];
    for (size_t side = 0; side < 2; side++) {
        memcpy(keys[side], material + side * 16, 16);
        memcpy(keys[side] + 16, material + 32 + side * salt_len, salt_len);
    }
    srtp_policy_t policy;
    set_policy(&policy, profile->id, keys[0], ssrc_any_outbound);
    if (srtp_create(&client->outbound, &policy) != srtp_err_status_ok)
        give_up("no outbound SRTP");
    set_policy(&policy, profile->id, keys[1], ssrc_any_inbound);
    if (srtp_create(&client->inbound, &policy) != srtp_err_status_ok)
        give_up("no inbound SRTP");
    client->has_keys = true;
    print_json(json_pack("{s:s}", "profile", profile->name));
}

/* ---- DTLS ---- */

static void flush_dtls(struct client *client) {
    char *bytes;
    /* The BIO joins datagrams; a flight of a client fits into one or is split by OpenSSL's records.
     */
    long len = BIO_get_mem_data(client->to_network, &bytes);
    while (len >= 13) {
        long record = 13 + ((uint8_t)bytes[11] << 8 | (uint8_t)bytes[12]);
        nice_agent_send(client->agent, client->stream, 1, (guint)record, bytes);
        bytes += record;
        len -= record;
    }
    (void)BIO_reset(client->to_network);
}

static void advance_dtls(struct client *client) {
    char buffer[PACKET_MAX];
    if (!SSL_is_init_finished(client->ssl))
        SSL_do_handshake(client->ssl);
    else
        SSL_read(client->ssl, buffer, sizeof(buffer));
    flush_dtls(client);
    if (!SSL_is_init_finished(client->ssl) || client->has_keys)
        return;
    X509 *certificate = SSL_get1_peer_certificate(client->ssl);
    char fingerprint[32 * 3];
    write_fingerprint(certificate, fingerprint);
    X509_free(certificate);
    if (g_ascii_strcasecmp(fingerprint, client->remote_fingerprint) != 0)
        give_up("the server's certificate is not that of its answer");
    take_keys(client);
}

static void init_dtls(struct client *client, const char *profiles,
                      char fingerprint[static 32 * 3]) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    write_fingerprint(certificate, fingerprint);
    SSL_CTX *context = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    if (SSL_CTX_set_tlsext_use_srtp(context, profiles) != 0)
        give_up("unknown SRTP profiles");
    client->ssl = SSL_new(context);
    client->from_network = BIO_new(BIO_s_mem());
    client->to_network = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(client->from_network, -1);
    SSL_set_bio(client->ssl, client->from_network, client->to_network);
    SSL_set_options(client->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(client->ssl, DTLS_MTU);
    SSL_set_connect_state(client->ssl);
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* ---- Media ---- */

static void put32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *in) {
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void send_rtp(struct client *client, int kind) {
    struct flow *flow = &client->flows[kind];
    uint8_t packet[PACKET_MAX] = {0x80, (uint8_t)(0x80 | payload_types[kind])};
    uint32_t timestamp = flow->count * (kind == VIDEO ? 90u : 48u) * TICK_MS;
    packet[2] = (uint8_t)(flow->count >> 8);
    packet[3] = (uint8_t)flow->count;
    put32(packet + 4, timestamp);
    put32(packet + 8, ssrcs[kind]);
    memcpy(packet + 12, heads[kind], head_lens[kind]);
    put32(packet + 12 + head_lens[kind], flow->count);
    int len = (int)(12 + head_lens[kind] + 4);
    if (srtp_protect(client->outbound, packet, &len) != srtp_err_status_ok)
        give_up("srtp_protect failed");
    nice_agent_send(client->agent, client->stream, 1, (guint)len, (const char *)packet);
    flow->count++;
}

static void take_rtp(struct client *client, const uint8_t *packet, size_t len) {
    size_t header = 12 + 4 * (size_t)(packet[0] & 15);
    if (packet[0] & 0x10 && header + 4 <= len)
        header += 4 + 4 * (size_t)(packet[header + 2] << 8 | packet[header + 3]);
    int kind = (packet[1] & 0x7f) == payload_types[VIDEO] ? VIDEO : AUDIO;
    struct flow *flow = &client->flows[kind];
    if (len < header + head_lens[kind] + 4 ||
        memcmp(packet + header, heads[kind], head_lens[kind]) != 0) {
        flow->wrong++;
        return;
    }
    uint32_t number = get32(packet + header + head_lens[kind]);
    if (flow->count++ == 0)
        flow->first = number;
    flow->last = number;
    flow->ssrc = get32(packet + 8);
}

static void on_datagram(NiceAgent *agent, guint stream, guint component, guint size, gchar *bytes,
                        gpointer data) {
    (void)agent;
    (void)stream;
    (void)component;
    struct client *client = data;
    uint8_t packet[PACKET_MAX];
    if (size < 12 || size > sizeof(packet))
        return;
    memcpy(packet, bytes, size);
    if (packet[0] >= 20 && packet[0] <= 63) { /* RFC 7983: DTLS. */
        BIO_write(client->from_network, packet, (int)size);
        advance_dtls(client);
        return;
    }
    bool is_rtcp = packet[1] >= 192 && packet[1] <= 223; /* RFC 5761 section 4. */
    int len = (int)size;
    if (packet[0] < 128 || packet[0] > 191 || is_rtcp || !client->has_keys)
        return;
    if (srtp_unprotect(client->inbound, packet, &len) == srtp_err_status_ok)
        take_rtp(client, packet, (size_t)len);
}

/* ---- Negotiation ---- */

static void on_gathered(NiceAgent *agent, guint stream, gpointer data) {
    const char *fingerprint = data;
    gchar *ufrag;
    gchar *pwd;
    nice_agent_get_local_credentials(agent, stream, &ufrag, &pwd);
    json_t *lines = json_array();
    GSList *candidates = nice_agent_get_local_candidates(agent, stream, 1);
    for (GSList *item = candidates; item; item = item->next) {
        gchar *line = nice_agent_generate_local_candidate_sdp(agent, item->data);
        json_array_append_new(lines, json_string(line));
        g_free(line);
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    print_json(json_pack("{s:{s:s, s:s, s:s, s:o}}", "local", "ufrag", ufrag, "pwd", pwd,
                         "fingerprint", fingerprint, "candidates", lines));
    g_free(ufrag);
    g_free(pwd);
}

static void set_remote(struct client *client, json_t *remote) {
    const char *ufrag;
    const char *pwd;
    const char *fingerprint;
    json_t *lines;
    if (json_unpack(remote, "{s:s, s:s, s:s, s:o}", "ufrag", &ufrag, "pwd", &pwd, "fingerprint",
                    &fingerprint, "candidates", &lines) != 0)
        give_up("the remote description is incomplete");
    client->remote_fingerprint = g_strdup(fingerprint);
    nice_agent_set_remote_credentials(client->agent, client->stream, ufrag, pwd);
    GSList *candidates = NULL;
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) {
        NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(
            client->agent, client->stream, json_string_value(line));
        if (candidate)
            candidates = g_slist_append(candidates, candidate);
    }
    if (nice_agent_set_remote_candidates(client->agent, client->stream, 1, candidates) < 1)
        give_up("no candidate of the server can be used");
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer data) {
    (void)agent;
    (void)stream;
    (void)component;
    if (state == NICE_COMPONENT_STATE_FAILED)
        give_up("ICE failed");
    if (state == NICE_COMPONENT_STATE_READY)
        advance_dtls(data);
}

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data) {
    (void)condition;
    struct client *client = data;
    char *line = NULL;
    if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
        g_main_loop_quit(client->loop);
        return G_SOURCE_REMOVE;
    }
    json_t *message = json_loads(line, 0, NULL);
    json_t *remote = json_object_get(message, "remote");
    if (remote)
        set_remote(client, remote);
    json_decref(message);
    g_free(line);
    return G_SOURCE_CONTINUE;
}

/* ---- The whole ---- */

static json_t *describe_flow(const struct flow *flow) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)flow->count, "first",
                     (json_int_t)flow->first, "last", (json_int_t)flow->last, "wrong",
                     (json_int_t)flow->wrong, "ssrc", (json_int_t)flow->ssrc);
}

static gboolean report(gpointer data) {
    struct client *client = data;
    print_json(json_pack("{s:{s:o, s:o}}", client->publishes ? "sent" : "received", "video",
                         describe_flow(&client->flows[VIDEO]), "audio",
                         describe_flow(&client->flows[AUDIO])));
    return G_SOURCE_CONTINUE;
}

static gboolean tick(gpointer data) {
    struct client *client = data;
    if (client->remote_fingerprint && !client->has_keys && DTLSv1_handle_timeout(client->ssl) > 0)
        flush_dtls(client);
    if (client->publishes && client->has_keys)
        for (int kind = 0; kind < KINDS; kind++)
            send_rtp(client, kind);
    return G_SOURCE_CONTINUE;
}

static void init_ice(struct client *client, char *fingerprint) {
    client->agent = nice_agent_new(NULL, NICE_COMPATIBILITY_RFC5245);
    g_object_set(client->agent, "controlling-mode", TRUE, "upnp", FALSE, "ice-tcp", FALSE, NULL);
    NiceAddress loopback; /* Its sockets on other addresses do not reach loopback. */
    nice_address_init(&loopback);
    nice_address_set_from_string(&loopback, "127.0.0.1");
    nice_agent_add_local_address(client->agent, &loopback);
    g_signal_connect(client->agent, "candidate-gathering-done", G_CALLBACK(on_gathered),
                     fingerprint);
    g_signal_connect(client->agent, "component-state-changed", G_CALLBACK(on_state), client);
    client->stream = nice_agent_add_stream(client->agent, 1);
    nice_agent_attach_recv(client->agent, client->stream, 1, NULL, on_datagram, client);
    if (!nice_agent_gather_candidates(client->agent, client->stream))
        give_up("no candidates");
}

static void destroy(struct client *client) {
    g_object_unref(client->agent);
    SSL_free(client->ssl);
    if (client->has_keys) {
        srtp_dealloc(client->outbound);
        srtp_dealloc(client->inbound);
    }
    srtp_shutdown();
    g_io_channel_unref(client->input);
    g_main_loop_unref(client->loop);
    g_free(client->remote_fingerprint);
}

int main(int argc, char **argv) {
    if (argc != 3 || (strcmp(argv[1], "publish") != 0 && strcmp(argv[1], "play") != 0))
        give_up("usage: nice_client publish|play PROFILES");
    if (srtp_init() != srtp_err_status_ok)
        give_up("no libsrtp");
    struct client client = {.loop = g_main_loop_new(NULL, FALSE)};
    client.publishes = strcmp(argv[1], "publish") == 0;
    char fingerprint[32 * 3];
    init_dtls(&client, argv[2], fingerprint);
    init_ice(&client, fingerprint);
    client.input = g_io_channel_unix_new(0);
    g_io_add_watch(client.input, G_IO_IN | G_IO_HUP, on_input, &client);
    g_timeout_add(TICK_MS, tick, &client);
    g_timeout_add(500, report, &client);
    g_main_loop_run(client.loop);
    destroy(&client);
    return 0;
}
