/* RTCP compounds: every packet is handed to every reader, whatever its type, and what was read is
 * built and read again. */
#include "rtp/rtcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MANY = 64 };

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static struct rtcp_packet only_packet(const struct rtcp_builder *builder) {
    struct rtcp_packet packet;
    size_t offset = 0;
    check(rtcp_validate(builder->data, builder->len) == 0);
    check(rtcp_next(builder->data, builder->len, &offset, &packet) && offset == builder->len);
    return packet;
}

static size_t read_blocks(const struct rtcp_packet *packet, struct rtcp_report_block *blocks) {
    size_t count = 0;
    while (rtcp_report_block_at(packet, count, &blocks[count]))
        count++;
    check(count <= 31);
    return count;
}

static bool same_block(const struct rtcp_report_block *a, const struct rtcp_report_block *b) {
    return a->ssrc == b->ssrc && a->fraction_lost == b->fraction_lost &&
           a->cumulative_lost == b->cumulative_lost && a->highest_seq == b->highest_seq &&
           a->jitter == b->jitter && a->last_sr == b->last_sr &&
           a->delay_since_last_sr == b->delay_since_last_sr;
}

static void check_report(const struct rtcp_packet *packet) {
    struct rtcp_report_block blocks[32], got[32];
    struct rtcp_sender_info info, got_info;
    uint8_t out[1024];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, out, sizeof out);
    size_t count = read_blocks(packet, blocks);
    bool is_sr = rtcp_sr_parse(packet, &info) == 0;
    check(is_sr ? rtcp_append_sr(&builder, &info, blocks, count) == 0
                : rtcp_append_rr(&builder, 1, blocks, count) == 0);
    struct rtcp_packet again = only_packet(&builder);
    check(read_blocks(&again, got) == count);
    for (size_t i = 0; i < count; i++)
        check(same_block(&blocks[i], &got[i]));
    if (is_sr)
        check(rtcp_sr_parse(&again, &got_info) == 0 && got_info.ntp == info.ntp &&
              got_info.ssrc == info.ssrc && got_info.octet_count == info.octet_count);
}

static void check_remb(const struct rtcp_packet *packet) {
    uint64_t bitrate, got_bitrate;
    uint32_t ssrcs[MANY], got[MANY];
    size_t count, got_count;
    if (rtcp_remb_parse(packet, &bitrate, ssrcs, MANY, &count) < 0)
        return;
    uint8_t out[1024];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, out, sizeof out);
    check(rtcp_append_remb(&builder, 1, bitrate, ssrcs, count) == 0);
    struct rtcp_packet again = only_packet(&builder);
    check(rtcp_remb_parse(&again, &got_bitrate, got, MANY, &got_count) == 0);
    check(got_count == count && memcmp(got, ssrcs, count * sizeof ssrcs[0]) == 0);
    /* Eighteen bits of mantissa, rounded down. */
    check(got_bitrate <= bitrate && bitrate - got_bitrate <= bitrate >> 17);
}

static void check_feedback(const struct rtcp_packet *packet) {
    uint32_t sender, media;
    if (rtcp_feedback_parse(packet, &sender, &media) < 0 || packet->body_len % 4 != 0)
        return;
    uint8_t out[4096];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, out, sizeof out);
    if (rtcp_append_feedback(&builder, packet->type, packet->count, sender, media, packet->body + 8,
                             packet->body_len - 8) < 0)
        return;
    struct rtcp_packet again = only_packet(&builder);
    check(again.type == packet->type && again.count == packet->count);
    check(again.body_len == packet->body_len &&
          memcmp(again.body, packet->body, again.body_len) == 0);
}

static void check_names(const struct rtcp_packet *packet, const uint8_t *data, size_t size) {
    uint32_t ssrc;
    uint8_t seq;
    for (size_t i = 0; rtcp_bye_at(packet, i, &ssrc); i++) {
        const char *cname;
        size_t len;
        if (rtcp_sdes_cname(packet, ssrc, &cname, &len) == 0)
            abort(); /* A BYE is not an SDES. */
    }
    for (size_t i = 0; rtcp_fir_at(packet, i, &ssrc, &seq); i++)
        check(i < size);
    for (size_t i = 0; i + 4 <= packet->body_len; i += 4) {
        const char *cname;
        size_t len;
        memcpy(&ssrc, packet->body + i, 4);
        ssrc = __builtin_bswap32(ssrc);
        if (rtcp_sdes_cname(packet, ssrc, &cname, &len) == 0)
            check((const uint8_t *)cname >= data && (const uint8_t *)cname + len < data + size);
    }
}

/* The input as steps of an ascending list, in a buffer of any length. */
static void check_nack(const uint8_t *data, size_t size) {
    uint16_t seqs[MANY], got[17 * MANY];
    size_t count = size < MANY ? size : MANY, written;
    for (size_t i = 0; i < count; i++)
        seqs[i] = (uint16_t)((i > 0 ? seqs[i - 1] : 65500) + 1 + data[i]);
    uint8_t out[12 + 4 * MANY];
    struct rtcp_builder builder;
    rtcp_builder_init(&builder, out, size > 0 ? data[0] : 0);
    if (rtcp_append_nack(&builder, 1, 2, seqs, count, &written) < 0 || written == 0) {
        check(builder.len == 0);
        return;
    }
    check(builder.len <= builder.capacity);
    struct rtcp_packet packet = only_packet(&builder);
    check(rtcp_nack_parse(&packet, got, 17 * MANY) == written);
    check(memcmp(got, seqs, written * sizeof seqs[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rtcp_packet packet;
    size_t offset = 0, packets = 0;
    for (size_t before = 0; rtcp_next(data, size, &offset, &packet); before = offset, packets++) {
        check(offset > before && offset <= size);
        check(packet.body >= data && packet.body + packet.body_len <= data + size);
        uint16_t seqs[MANY];
        check(rtcp_nack_parse(&packet, seqs, MANY) <= MANY);
        check_report(&packet);
        check_remb(&packet);
        check_feedback(&packet);
        check_names(&packet, data, size);
    }
    check((rtcp_validate(data, size) == 0) == (packets > 0 && offset == size));
    check_nack(data, size);
    return 0;
}
