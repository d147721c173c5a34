/* One participant's connection: ICE, DTLS, SRTP, and behind them its tracks and slots. */
#ifndef SFU_TRANSPORT_H
#define SFU_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/twcc.h"
#include "sfu/engine.h"
#include "sfu/quality.h"
#include "sfu/slot.h"
#include "sfu/track.h"
#include "sfu/uplink.h"

enum {
    SFU_SSRCS_MAX = 64, /* Streams of one publisher that are told apart; more are dropped. */
    SFU_REPORT_INTERVAL_US =
        1000 * 1000, /* RFC 3550 says 5 s at least for audio; video wants a second. */
    SFU_TWCC_INTERVAL_MIN_US = 50 * 1000,
    SFU_TWCC_INTERVAL_MAX_US = 250 * 1000,
    SFU_DEFAULT_RTT_US = 100 * 1000,
};

/* Where the packets of an SSRC belong. */
struct sfu_stream {
    uint32_t ssrc;
    uint8_t layer;
    bool rtx;
    struct sfu_track *track;
    struct sfu_level_meter meter; /* Of a microphone. */
    uint64_t reported_packets;    /* Received until the last report. */
    uint64_t reported_bytes;
};

/* One m-line with what it became. */
struct sfu_mline {
    struct sfu_media media;
    struct sfu_track *track;
    struct sfu_slot *slot; /* Of an m-line that is none now: waits for its return. */
};

/* What sending a packet touches stands first, in one line of the cache. */
struct sfu_transport {
    /* Given. */
    struct sfu_engine *engine;
    uint64_t participant;

    /* Owned. */
    struct sfu_srtp_out *srtp_out;
    struct sfu_downlink *downlink; /* NULL without slots. */

    /* State of sending. */
    uint16_t transport_seq; /* Of what we send. */
    bool consent_lost;
    bool reported; /* CLOSED or FAILED has been said. */
    bool has_rtt;  /* Else it is a guess. */
    struct sfu_ice ice;

    /* Owned. */
    struct sfu_dtls *dtls; /* NULL until the first description. */
    struct sfu_srtp_in *srtp_in;
    struct sfu_mline *mlines;
    struct rtp_twcc_receiver *twcc; /* NULL until a packet brings a transport sequence number. */
    struct sfu_uplink *uplink;      /* NULL but for publishers that know REMB only. */

    /* Links. */
    struct sfu_deadline deadline;

    /* State. */
    size_t mline_count;
    uint32_t ssrc; /* Of our feedback. */
    uint64_t rtt_us;
    struct sfu_quality_meter quality;
    uint64_t report_at_us;
    uint64_t slots_at_us;   /* When pictures begin, once it is connected; UINT64_MAX: they have. */
    size_t report_turn;     /* The stream that the next report begins with. */
    uint64_t twcc_at_us;    /* UINT64_MAX: nothing pending. */
    uint64_t twcc_since_us; /* Arrived since then with transport sequence numbers: */
    uint64_t twcc_bytes;
    uint64_t twcc_bps; /* Before that. */
    bool has_clock;
    int64_t clock_offset_us; /* Publisher's NTP clock to this server's. */
    size_t last_stream;
    size_t stream_count;
    struct sfu_stream streams[SFU_SSRCS_MAX];
};

_Static_assert(offsetof(struct sfu_transport, ice) + sizeof(struct sfu_address) <= SFU_CACHE_LINE,
               "what a packet touches is together");

/* -ENOMEM. */
int sfu_transport_create(struct sfu_transport **out, struct sfu_engine *engine, uint64_t now_us,
                         uint64_t participant, const struct sfu_ice_credentials *credentials);
void sfu_transport_destroy(struct sfu_transport *transport);

/* Applies a description: compares its m-lines with the present ones. -ENOMEM: what could be done
 * was done. */
int sfu_transport_negotiate(struct sfu_transport *transport, uint64_t now_us,
                            const struct sfu_description *description);

/* A binding request for one of its ufrags. */
void sfu_transport_on_stun(struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_address *from, const struct sfu_packet *packet);

/* The rest, from a validated address. */
void sfu_transport_on_dtls(struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_address *from, const struct sfu_packet *packet);
void sfu_transport_on_rtp(struct sfu_transport *transport, uint64_t now_us,
                          struct sfu_packet *packet);
void sfu_transport_on_rtcp(struct sfu_transport *transport, uint64_t now_us,
                           struct sfu_packet *packet);

/* Whether media may be sent: keys, an address, and consent (RFC 7675). */
static inline bool sfu_transport_is_open(const struct sfu_transport *transport) {
    return transport->srtp_out != NULL && !transport->consent_lost;
}

/* Prefetches what sending touches of a transport. */
static inline void sfu_transport_fetch(const struct sfu_transport *transport) {
    __builtin_prefetch(transport, 1);
}

/* Protects and sends RTCP that stands in data with room for SFU_SRTCP_OVERHEAD_MAX more bytes. */
void sfu_transport_send_rtcp(struct sfu_transport *transport, uint8_t *data, size_t len);

/* Does what is due and sets the next deadline. */
void sfu_transport_on_deadline(struct sfu_transport *transport, uint64_t now_us);

/* Wants on_deadline at that time at the latest. */
void sfu_transport_wake_at(struct sfu_transport *transport, uint64_t at_us);

/* The slot or publishing m-line of a mid, or NULL. */
struct sfu_mline *sfu_transport_mline(struct sfu_transport *transport, const char *mid);

/* demux.c: the stream of a decrypted packet, found by SSRC, or, the first time, by MID and RID or
 * payload type; NULL when it cannot be told. Fills the packet's extensions with the m-line's map.
 */
struct sfu_stream *sfu_demux_find(struct sfu_transport *transport, struct sfu_packet *packet);

/* Forgets the streams of a track that ends. */
void sfu_demux_forget(struct sfu_transport *transport, const struct sfu_track *track);

/* Binds the SSRCs that the description already names. */
void sfu_demux_bind_described(struct sfu_transport *transport, struct sfu_track *track);

/* reports.c: what the transport sends by the clock. Each returns when it wants to be called again.
 */
uint64_t sfu_reports_send(struct sfu_transport *transport, uint64_t now_us);
uint64_t sfu_reports_send_twcc(struct sfu_transport *transport, uint64_t now_us);

/* How long to wait before the next transport-wide feedback, by the rate of what it reports on. */
uint64_t sfu_reports_twcc_interval_us(struct sfu_transport *transport, uint64_t now_us);
uint64_t sfu_reports_send_nacks(struct sfu_transport *transport, uint64_t now_us);

/* Tells the publisher how much it may send. */
void sfu_reports_send_remb(struct sfu_transport *transport, uint64_t bps, const uint32_t *ssrcs,
                           size_t count);

/* Asks the publisher for a keyframe of a layer. */
void sfu_reports_send_pli(struct sfu_transport *transport, uint32_t media_ssrc);

/* feedback.c: reads decrypted RTCP. Round trips and publishers' clocks are measured from when the
 * kernel received it. */
void sfu_feedback_on_rtcp(struct sfu_transport *transport, uint64_t now_us,
                          const struct sfu_packet *from);

#endif
