/* The media that a client receives. */
#include "bench/client_state.h"
#include "rtp/history.h"

enum { FEEDBACK_US = 50000 };

static const struct bench_client_bucket *find_bucket(const struct bench_client *client,
                                                     uint32_t ssrc) {
    size_t i = ssrc * UINT32_C(2654435761) >> 24;
    for (; client->buckets[i].ssrc != 0; i = (i + 1) % BENCH_CLIENT_BUCKETS)
        if (client->buckets[i].ssrc == ssrc)
            return &client->buckets[i];
    return NULL;
}

/* Padding and RTX count as well: they say as much about the network. */
static void note_transport_seq(struct bench_client *client, uint64_t now_us,
                               const struct rtp_extensions *extensions) {
    if (client->twcc == NULL || !rtp_ext_has(extensions, RTP_EXT_TRANSPORT_SEQ))
        return;
    rtp_twcc_on_packet(client->twcc, now_us, extensions->transport_seq);
    if (client->feedback_at_us != UINT64_MAX)
        return;
    uint32_t interval_us = client->config.feedback_interval_us;
    client->feedback_at_us = now_us + (interval_us ? interval_us : FEEDBACK_US);
}

static enum rtp_codec codec_of(const struct sfu_media *slot, uint8_t payload_type) {
    for (size_t i = 0; i < slot->codec_count; i++)
        if (slot->codecs[i].payload_type == payload_type ||
            slot->codecs[i].rtx_payload_type == payload_type)
            return slot->codecs[i].codec;
    return RTP_CODEC_NONE;
}

static void on_media(struct bench_client *client, uint64_t now_us, const uint8_t *data,
                     const struct rtp_packet *packet, const struct rtp_extensions *extensions,
                     const struct bench_client_bucket *bucket) {
    struct bench_arrival arrival = {
        .seq = packet->seq,
        .timestamp = packet->timestamp,
        .marker = packet->marker,
        .retransmitted = bucket->rtx,
        .codec = codec_of(client->slots[bucket->sink], packet->payload_type),
        .payload = data + packet->payload_offset,
        .payload_len = packet->payload_len,
    };
    if (rtp_ext_has(extensions, RTP_EXT_DEPENDENCY)) {
        arrival.dependency = extensions->dependency;
        arrival.dependency_len = extensions->dependency_len;
    }
    if (bucket->rtx && rtp_rtx_parse(arrival.payload, arrival.payload_len, &arrival.seq) < 0)
        arrival.payload_len = 0; /* Padding alone. */
    size_t head_len = bucket->rtx ? 2 : 0;
    if (arrival.payload_len <= head_len) {
        client->figures.padding_packets++;
        return;
    }
    arrival.payload += head_len;
    arrival.payload_len -= head_len;
    client->figures.repairs += bucket->rtx;
    struct bench_sink *sink = &client->sinks[bucket->sink];
    bench_sink_on_packet(sink, now_us, &arrival);
    client->next_us = bench_sooner(client->next_us, bench_sink_deadline(sink));
}

void bench_client_on_rtp(struct bench_client *client, uint64_t now_us, uint8_t *data, size_t len) {
    struct rtp_packet packet;
    struct rtp_extensions extensions;
    size_t wire_len = len;
    if (client->srtp_in == NULL || sfu_srtp_unprotect_rtp(client->srtp_in, data, &len) < 0 ||
        rtp_parse(&packet, data, len) < 0)
        return;
    client->figures.packets++;
    client->figures.bytes += wire_len;
    const struct bench_client_bucket *bucket = find_bucket(client, packet.ssrc);
    if (bucket == NULL)
        return;
    rtp_extensions_parse(&extensions, &packet, data, &client->slots[bucket->sink]->extensions);
    note_transport_seq(client, now_us, &extensions);
    client->next_us = bench_sooner(client->next_us, client->feedback_at_us);
    on_media(client, now_us, data, &packet, &extensions, bucket);
}
