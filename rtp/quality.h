/* How good a participant's connection is in one direction, from 1 to 5, and what spoils it, out of
 * what a server knows of it. */
#ifndef RTP_QUALITY_H
#define RTP_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

enum rtp_quality_reason {
    RTP_QUALITY_NONE, /* Nothing does. */
    RTP_QUALITY_LOSS,
    RTP_QUALITY_DELAY,
    RTP_QUALITY_BANDWIDTH,
    RTP_QUALITY_CPU,
    RTP_QUALITY_REASON_COUNT,
};

/* Of one direction, over the time since the last update. */
struct rtp_quality_input {
    bool audio, video;     /* What there is; without either, the score stays. */
    bool audio_redundant;  /* Its losses are mostly repaired: RED, or every packet sent twice. */
    uint8_t fraction_lost; /* Of 256, as in a report block, before retransmission. */
    uint64_t rtt_us;       /* 0: not known. */
    uint64_t jitter_us;
    uint64_t
        wanted_bps; /* Of video: what its tiles would take, or what its encoder was asked for. */
    uint64_t got_bps;
    uint16_t slots; /* Or layers: how many are wanted, and how many of them do not come. */
    uint16_t slots_paused;
    uint32_t frozen_ms_per_s; /* Without a picture though one was due; 0: not known. */
    bool publisher_limited;   /* Layers that are wanted are not sent. */
};

/* Zero-initialise. */
struct rtp_quality {
    /* State. */
    float smoothed; /* 1 to 5; 0: never updated. */
    uint8_t score;  /* 1 to 5; 0: never updated. */
    enum rtp_quality_reason reason;
};

/* Takes in what was measured, once a second or so. Returns whether score or reason have changed. */
bool rtp_quality_update(struct rtp_quality *quality, const struct rtp_quality_input *input);

/* ITU-T G.107, shortened to what loss and delay do to Opus: the rating R, 0 to 100, and the opinion
 * score that it stands for, 1 to 4.5. */
float rtp_quality_rating(uint64_t one_way_us, float loss, bool redundant);
float rtp_quality_opinion(float rating);

/* A stable word: "none", "loss", "delay", "bandwidth", "cpu". */
const char *rtp_quality_reason_name(enum rtp_quality_reason reason);

#endif
