/* The forwarding unit as the front end sees it: everything that signaling may call.
 *
 * One `struct sfu` owns the worker threads. All functions are called on the thread of the loop
 * given to sfu_create, never block, and copy what they are given; what happens later comes back as
 * events on that loop. Rooms, participants and tracks are named by numbers that the caller chooses,
 * unique for ever in this process and never 0. */
#ifndef SFU_SFU_H
#define SFU_SFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "rtp/codec.h"
#include "rtp/rtp.h"

enum {
    SFU_UFRAG_LEN = 12,       /* Ours; 4 characters are the least (RFC 8839 section 5.4). */
    SFU_PWD_LEN = 24,         /* Ours; 22 characters are the least. */
    SFU_CREDENTIAL_MAX = 256, /* The peer's ufrag and password. */
    SFU_FINGERPRINT_LEN = 32, /* SHA-256. */
    SFU_CODECS_MAX = 12,      /* Answered in one m-line. */
    SFU_LAYERS_MAX = 3,       /* Simulcast encodings of a track. */
    SFU_CANDIDATES_MAX = 16,  /* Eight addresses, UDP and TCP. */
    SFU_ADDRESS_MAX = 46,     /* INET6_ADDRSTRLEN. */
    SFU_WORKERS_MAX = 64,
};

struct sfu;

struct sfu_config {
    const char *const
        *addresses; /* IP addresses to bind; none: those of all interfaces that are up. */
    size_t address_count;
    const char *const *announced; /* IP addresses that candidates show instead of the bound ones. */
    size_t announced_count;
    const char *stun; /* "HOST:PORT" to be asked for another such address, or NULL. */
    uint16_t port;    /* Worker i uses port + i; 0: each takes a free one. */
    uint16_t workers; /* 1 to SFU_WORKERS_MAX. */
    bool tcp;         /* Take media by TCP too. */
    bool gso;         /* Use UDP_SEGMENT where the kernel has it. */
    size_t max_participants;
    uint32_t consent_timeout_ms; /* Without a check for so long a transport is lost (RFC 7675:
                                    30,000). */
    uint16_t loudest; /* Microphones that travel in a room that has more of them than a member has
                         audio slots; 0: 3. */
};

enum sfu_source {
    SFU_SOURCE_MICROPHONE,
    SFU_SOURCE_CAMERA,
    SFU_SOURCE_SCREEN,
    SFU_SOURCE_SCREEN_AUDIO
};

/* One codec of an m-line as negotiated, with the offer's payload types. */
struct sfu_codec {
    enum rtp_codec codec;
    uint8_t payload_type;
    uint8_t rtx_payload_type; /* 0: none. */
    uint32_t profile;         /* H264: profile-level-id; VP9: profile-id; otherwise 0. */
};

enum sfu_direction { SFU_INACTIVE, SFU_PUBLISHES, SFU_SLOT };

/* One m-line after negotiation, in the order of the offer. */
struct sfu_media {
    char mid[RTP_MID_MAX + 1];
    enum sfu_direction direction;
    bool video;
    bool nack; /* Both ways. */
    bool transport_cc;
    bool remb;
    uint8_t codec_count; /* At least 1 unless inactive; the first is the preferred one. */
    uint8_t layer_count; /* SFU_PUBLISHES: entries of rids, or of ssrcs; 0: known by MID or payload
                            type only. */
    struct sfu_codec codecs[SFU_CODECS_MAX];
    struct rtp_ext_map extensions;

    /* SFU_PUBLISHES. */
    uint64_t track;
    enum sfu_source source;
    char rids[SFU_LAYERS_MAX]
             [RTP_MID_MAX + 1]; /* From the lowest quality to the highest; "" when not simulcast. */
    uint32_t ssrcs[SFU_LAYERS_MAX];     /* As a=ssrc says, 0: not said. */
    uint32_t rtx_ssrcs[SFU_LAYERS_MAX]; /* As a=ssrc-group:FID says. */

    /* SFU_SLOT. */
    uint32_t slot_ssrc; /* Never change while the m-line lives. */
    uint32_t slot_rtx_ssrc;
    uint16_t slot_stream; /* The audio and the video slot of one number are played in step. */
};

/* What a participant's newest offer and our answer agreed on. */
struct sfu_description {
    char remote_ufrag[SFU_CREDENTIAL_MAX + 1];
    char remote_pwd[SFU_CREDENTIAL_MAX + 1];
    uint8_t remote_fingerprint[SFU_FINGERPRINT_LEN]; /* SHA-256 of the certificate. */
    const struct sfu_media *media;
    size_t media_count;
};

struct sfu_candidate {
    char address[SFU_ADDRESS_MAX];
    uint16_t port;
    bool tcp; /* ICE-TCP passive (RFC 6544). */
};

/* What the answer says of our side of a participant's transport. */
struct sfu_local {
    char ufrag[SFU_UFRAG_LEN + 1];
    char pwd[SFU_PWD_LEN + 1];
    struct sfu_candidate candidates[SFU_CANDIDATES_MAX];
    size_t candidate_count;
};

/* What a subscriber wants in one of its slots. */
struct sfu_wish {
    char mid[RTP_MID_MAX + 1];
    uint64_t track;                          /* Pinned; 0: the server chooses. */
    uint16_t max_width, max_height, max_fps; /* 0: any. */
    uint8_t priority;
    bool paused;
};

/* What a slot carries now. */
struct sfu_slot_state {
    char mid[RTP_MID_MAX + 1];
    uint64_t track;       /* 0: nothing. */
    uint64_t participant; /* Whose track it is. */
    bool paused;          /* Even its lowest layer is more than the subscriber's network carries. */
};

/* One who speaks. */
struct sfu_speaker {
    uint64_t participant;
    int8_t level_db; /* dBov, 0 the loudest, down to -127. */
    bool dominant;
};

/* How good a direction of a participant's connection is. */
struct sfu_quality {
    uint8_t score;          /* 1 to 5; 0: nothing is sent that way. */
    const char *reason;     /* A stable word: "none", "loss", "delay", "bandwidth", "cpu". */
    uint16_t loss_permille; /* As report blocks have it: lost is what RTX brought all the same, not
                               what came again in its own stream; since the last event. */
    uint64_t bps;           /* Media, without headers; since the last event. */
};

enum sfu_event_type {
    SFU_EVENT_CONNECTED,   /* DTLS is done and media flows. Again after an ICE restart: no. */
    SFU_EVENT_ICE_TIMEOUT, /* No consent for consent_timeout_ms; an ICE restart revives the
                              transport. */
    SFU_EVENT_ICE_RECOVERED,
    SFU_EVENT_CLOSED,         /* The peer closed DTLS. The participant still has to be left. */
    SFU_EVENT_FAILED,         /* The handshake cannot succeed: `reason` says why. */
    SFU_EVENT_SLOTS,          /* These slots of the participant carry something else now. */
    SFU_EVENT_TRACK_FLOWS,    /* First media of a track. */
    SFU_EVENT_PUBLISH_LAYERS, /* Which layers of the participant's track anybody watches now. */
    SFU_EVENT_QUALITY,        /* The quality of the participant's connection is another; or the same
                                 with newer figures, every five seconds while anything flows. */
    SFU_EVENT_SPEAKERS,       /* Others speak in the room now, at most each 300 ms. */
};

enum { SFU_EVENT_TYPES = SFU_EVENT_SPEAKERS + 1 };

struct sfu_event {
    enum sfu_event_type type;
    uint64_t participant;               /* 0 for SFU_EVENT_SPEAKERS. */
    uint64_t track;                     /* SFU_EVENT_TRACK_FLOWS, _PUBLISH_LAYERS. */
    const char *reason;                 /* SFU_EVENT_FAILED. */
    const struct sfu_slot_state *slots; /* SFU_EVENT_SLOTS; valid during the call. */
    size_t slot_count;
    uint8_t layers; /* SFU_EVENT_PUBLISH_LAYERS: bit i: the layer of rids[i] is wanted. */

    /* SFU_EVENT_QUALITY. */
    uint8_t score; /* The lower of the two that are not 0. */
    struct sfu_quality up, down;
    uint32_t rtt_us; /* 0: not known, as of one who receives nothing. */

    /* SFU_EVENT_SPEAKERS; valid during the call. */
    uint64_t room;
    const struct sfu_speaker *speakers; /* The dominant one first, then from the loudest down. */
    size_t speaker_count;
};

/* Called on the loop's thread, never from within a function of this header. */
typedef void (*sfu_event_fn)(void *ctx, const struct sfu_event *event);

/* Counters of the whole server, summed over the workers, at most about a second old. */
#define SFU_COUNTERS(X)                                                                            \
    X(datagrams_received)                                                                          \
    X(datagrams_sent)                                                                              \
    X(bytes_received)                                                                              \
    X(bytes_sent)                                                                                  \
    X(sends_failed)                                                                                \
    X(gso_messages)                                                                                \
    X(gso_segments)                                                                                \
    X(tcp_accepted)                                                                                \
    X(tcp_accept_failures)                                                                         \
    X(tcp_refused)                                                                                 \
    X(tcp_closed_strangers)                                                                        \
    X(tcp_closed_malformed)                                                                        \
    X(tcp_closed_idle)                                                                             \
    X(rtp_received)                                                                                \
    X(rtp_forwarded)                                                                               \
    X(rtp_retransmitted)                                                                           \
    X(rtp_lost_upstream)                                                                           \
    X(nacks_sent)                                                                                  \
    X(nacks_received)                                                                              \
    X(nacks_unanswered)                                                                            \
    X(keyframe_requests_sent)                                                                      \
    X(keyframe_requests_received)                                                                  \
    X(keyframes_replayed)                                                                          \
    X(nacks_over_budget)                                                                           \
    X(layer_switches)                                                                              \
    X(slots_paused)                                                                                \
    X(slots_resumed)                                                                               \
    X(probes_sent)                                                                                 \
    X(padding_sent)                                                                                \
    X(dtls_handshakes)                                                                             \
    X(dtls_failures)                                                                               \
    X(drop_unknown_address)                                                                        \
    X(drop_unknown_kind)                                                                           \
    X(drop_stun_malformed)                                                                         \
    X(drop_stun_unknown_ufrag)                                                                     \
    X(drop_stun_bad_integrity)                                                                     \
    X(drop_dtls_unvalidated)                                                                       \
    X(drop_before_dtls)                                                                            \
    X(drop_srtp_auth)                                                                              \
    X(drop_srtp_replay)                                                                            \
    X(drop_rtp_malformed)                                                                          \
    X(drop_rtp_unknown_ssrc)                                                                       \
    X(drop_rtp_unknown_payload_type)                                                               \
    X(drop_rtp_duplicate)                                                                          \
    X(drop_payload_malformed)                                                                      \
    X(drop_rtcp_malformed)                                                                         \
    X(drop_no_packet)                                                                              \
    X(drop_in_kernel)                                                                              \
    X(drop_dtls_waiting)                                                                           \
    X(drop_pipe_full)

struct sfu_counters {
#define X(name) uint64_t name;
    SFU_COUNTERS(X)
#undef X
};

static inline void sfu_counters_add(struct sfu_counters *sum, const struct sfu_counters *more) {
#define X(name) sum->name += more->name;
    SFU_COUNTERS(X)
#undef X
}

enum { SFU_DELAY_BOUNDS = 22 };
extern const uint32_t sfu_delay_bounds_us[SFU_DELAY_BOUNDS];

/* For how long what is forwarded was in the server. */
struct sfu_delays {
    uint64_t datagrams[SFU_DELAY_BOUNDS + 1]; /* [i]: at most bound i; the last: more. */
    uint64_t sum_us;
};

struct sfu_stats {
    size_t workers;
    size_t rooms;
    size_t participants;
    size_t tracks;
    size_t slots;
    size_t timers; /* Transports with a deadline set, over all workers. */
    size_t packets_in_use;
    size_t tcp_connections;
    struct sfu_delays delays;
    struct sfu_counters counters;
};

/* Binds the sockets, asks the STUN server (for three seconds at most), and starts the workers.
 * Returns 0 or a negative errno, with the reason in words in `error` (of error_size bytes). */
int sfu_create(struct sfu **out, const struct sfu_config *config, uv_loop_t *loop,
               sfu_event_fn on_event, void *ctx, char *error, size_t error_size);

/* Ends the workers and closes everything; no event comes afterwards. The memory is freed by the
 * loop's next turns, so run the loop until it has nothing left. */
void sfu_destroy(struct sfu *sfu);

/* The i-th address that candidates show, NULL beyond the last. */
const char *sfu_shown_address(const struct sfu *sfu, size_t i);

/* The port that worker i uses. */
uint16_t sfu_port(const struct sfu *sfu, unsigned worker);

/* The SHA-256 fingerprint of the process's DTLS certificate as a=fingerprint writes it ("AB:CD:…");
 * lives as long as sfu. */
const char *sfu_fingerprint(const struct sfu *sfu);

/* Puts a new participant into a room (made by its first participant, gone with its last), on the
 * least loaded worker, and makes its ICE credentials. -EBUSY: max_participants are in; -EEXIST: the
 * number is in use. */
int sfu_join(struct sfu *sfu, uint64_t room, uint64_t participant, struct sfu_local *out);

/* Makes new ICE credentials for an ICE restart (RFC 8445 section 9); the old ones keep working
 * until the first check with the new ones. -ENOENT. */
int sfu_restart_ice(struct sfu *sfu, uint64_t participant, struct sfu_local *out);

/* What the answer to an unchanged set of credentials says. -ENOENT. */
int sfu_local_get(const struct sfu *sfu, uint64_t participant, struct sfu_local *out);

/* Applies a negotiated description: tracks and slots are compared with the previous ones by m-line;
 * new ones begin, inactive ones end, the others go on. The first one starts the transport. A
 * published track is at once offered to the room. -ENOENT, -EINVAL (an m-line changed its kind, or
 * the fingerprint changed), -ENOMEM; on failure nothing changed. */
int sfu_negotiate(struct sfu *sfu, uint64_t participant, const struct sfu_description *description);

/* Replaces the wishes of the named slots; slots that are not named keep theirs. -ENOENT: no such
 * participant. Unknown mids are ignored. */
int sfu_subscribe(struct sfu *sfu, uint64_t participant, const struct sfu_wish *wishes,
                  size_t count);

/* Whether a subscriber with this m-line could decode the track (its codec and profile are among the
 * m-line's). */
bool sfu_track_fits(const struct sfu *sfu, uint64_t track, const struct sfu_media *slot);

/* One way to forward a track: a layer, and of it these spatial and temporal layers. */
struct sfu_why_layer {
    char rid[RTP_MID_MAX + 1]; /* "" when not simulcast. */
    uint8_t spatial, temporal;
    uint16_t width, height; /* 0: not known. */
    uint8_t fps;
    uint32_t bps; /* As measured. */
};

enum { SFU_WHY_LAYERS_MAX = 12 };

/* Why a slot carries what it carries. */
struct sfu_why_slot {
    char mid[RTP_MID_MAX + 1];
    bool video;
    uint64_t track; /* 0: nothing. */
    struct sfu_wish wish;
    uint8_t layer_count; /* What flows, from the cheapest; 0 for sound. */
    struct sfu_why_layer layers[SFU_WHY_LAYERS_MAX];
    int8_t wanted;      /* What of it would be chosen on an unlimited network; -1: nothing. */
    int8_t chosen;      /* -1: paused, or nothing. */
    int8_t forwarded;   /* Until the chosen one can take over; -1: nothing. */
    const char *reason; /* A stable word of rtp/allocator.h: "wanted", "bandwidth", … */
};

/* What is known of a participant's downlink, and what follows from it. */
struct sfu_why_answer {
    uint64_t participant;
    const char *source; /* What the estimate follows: "transport-cc", "remb", "reports", "none". */
    const char *limited_by; /* What holds the estimate down: "delay", "loss", "none", … */
    uint64_t estimate_bps;  /* What there is to give away. 0: no limit, everything is sent. */
    uint64_t acked_bps;     /* What arrived lately. */
    uint64_t sent_bps;
    uint64_t demand_bps; /* What the slots would take. */
    uint32_t rtt_us;
    float loss;                       /* 0 to 1. */
    const struct sfu_why_slot *slots; /* Valid during the call. */
    size_t slot_count;
};

/* answer is NULL when the participant has left. */
typedef void (*sfu_why_fn)(void *ctx, const struct sfu_why_answer *answer);

/* Asks the participant's worker why its slots carry what they do. The answer comes once, on the
 * loop's thread, never from within this call; none comes after sfu_destroy. -ENOENT, -ENOMEM: none
 * comes. */
int sfu_why(struct sfu *sfu, uint64_t participant, sfu_why_fn answer, void *ctx);

/* Takes the participant out: its tracks leave all slots, its transport says goodbye (DTLS
 * close_notify) and is gone. Unknown: nothing happens. */
void sfu_leave(struct sfu *sfu, uint64_t participant);

/* The newest numbers. */
void sfu_stats_get(const struct sfu *sfu, struct sfu_stats *out);

#endif
