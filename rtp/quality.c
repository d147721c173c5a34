/* Sound is judged by the E-model, pictures by what comes of what is wanted; the worst counts, since
 * that is what people complain about, and gives the reason. */
#include "rtp/quality.h"

#include <math.h>

enum {
    /* Of a call's delay: a packet of 20 ms and what devices and the least jitter buffer add. */
    BASE_DELAY_US = 60 * 1000,
    LOSSY_OF_256 = 5, /* 2 %: what congestion control takes for none. */
    JITTERY_US = 30 * 1000,
};

/* ITU-T G.107's default rating, and for Opus the packet loss robustness that G.113 gives for G.711
 * with concealment; none is published for Opus, whose own concealment is no worse. */
static const float RATING_MAX = 93.2f, LOSS_ROBUSTNESS = 25.1f;
/* Worse is reported at once, better when it has lasted; LiveKit's factors. */
static const float SMOOTHING_UP = 0.4f, SMOOTHING_DOWN = 0.8f;
/* Between two scores the one that was stays until it is clearly wrong. */
static const float STICKY = 0.6f;

struct verdict {
    float score;
    enum rtp_quality_reason reason;
};

static float between(float value, float least, float most) {
    return value < least ? least : value > most ? most : value;
}

static void worsen(struct verdict *verdict, float score, enum rtp_quality_reason reason) {
    if (score < verdict->score)
        *verdict = (struct verdict){.score = between(score, 1, 5), .reason = reason};
}

/* ---- Sound ---- */

float rtp_quality_rating(uint64_t one_way_us, float loss, bool redundant) {
    float delay_ms = (float)one_way_us / 1000, late_ms = delay_ms - 177.3f;
    /* Cole and Rosenbluth's fit to G.107's curve of delay. */
    float for_delay = 0.024f * delay_ms + (late_ms > 0 ? 0.11f * late_ms : 0);
    /* What a frame and its copy are both lost with. */
    float percent = 100 * (redundant ? loss * loss : loss);
    float for_loss = percent > 0 ? 95 * percent / (percent + LOSS_ROBUSTNESS) : 0;
    return between(RATING_MAX - for_delay - for_loss, 0, 100);
}

/* G.107 annex B. */
float rtp_quality_opinion(float rating) {
    if (rating <= 0)
        return 1;
    if (rating >= 100)
        return 4.5f;
    float opinion = 1 + 0.035f * rating + rating * (rating - 60) * (100 - rating) * 7e-6f;
    return opinion < 1 ? 1 : opinion;
}

/* The best that the model gives is a 5. */
static float score_of_rating(float rating) {
    return 1 + 4 * (rtp_quality_opinion(rating) - 1) / (rtp_quality_opinion(RATING_MAX) - 1);
}

static void judge_audio(struct verdict *verdict, const struct rtp_quality_input *input,
                        uint64_t one_way_us) {
    float loss = (float)input->fraction_lost / 256;
    bool redundant = input->audio_redundant;
    float rating = rtp_quality_rating(one_way_us, loss, redundant);
    bool by_loss =
        rtp_quality_rating(0, loss, redundant) < rtp_quality_rating(one_way_us, 0, false);
    worsen(verdict, score_of_rating(rating), by_loss ? RTP_QUALITY_LOSS : RTP_QUALITY_DELAY);
}

/* ---- Pictures ---- */

/* Why less comes than is wanted: a publisher that sends less over a clean uplink cannot encode
 * more. */
static enum rtp_quality_reason shortage(const struct rtp_quality_input *input) {
    bool clean = input->fraction_lost <= LOSSY_OF_256 && input->jitter_us < JITTERY_US;
    return input->publisher_limited && clean ? RTP_QUALITY_CPU : RTP_QUALITY_BANDWIDTH;
}

static void judge_video(struct verdict *verdict, const struct rtp_quality_input *input,
                        uint64_t one_way_us) {
    enum rtp_quality_reason reason = shortage(input);
    float lost_percent = (float)input->fraction_lost * 100 / 256;
    /* Each halving of the rate is seen as about as much worse as the one before. */
    if (input->got_bps < input->wanted_bps) {
        float got = input->got_bps > 0 ? (float)input->got_bps : 1;
        worsen(verdict, 5 - logf((float)input->wanted_bps / got), reason);
    }
    if (input->slots > 0 && input->slots_paused > 0)
        worsen(verdict, 5 - 4 * (float)input->slots_paused / input->slots, reason);
    if (input->publisher_limited)
        worsen(verdict, 4, reason);
    /* Losses are repaired, later: 10 % cost a point, 40 % leave nothing to look at. */
    worsen(verdict, 5 - lost_percent / 10, RTP_QUALITY_LOSS);
    worsen(verdict, score_of_rating(rtp_quality_rating(one_way_us, 0, false)), RTP_QUALITY_DELAY);
    /* Half a second without a picture in each second is as bad as none. */
    worsen(verdict, 5 - (float)input->frozen_ms_per_s / 125,
           input->fraction_lost > LOSSY_OF_256 ? RTP_QUALITY_LOSS : reason);
}

/* ---- The score ---- */

static uint8_t score_stick(const struct rtp_quality *quality) {
    if (quality->score > 0 && fabsf(quality->smoothed - quality->score) < STICKY)
        return quality->score;
    return (uint8_t)(quality->smoothed + 0.5f);
}

bool rtp_quality_update(struct rtp_quality *quality, const struct rtp_quality_input *input) {
    if (!input->audio && !input->video)
        return false;
    struct rtp_quality before = *quality;
    struct verdict verdict = {.score = 5, .reason = RTP_QUALITY_NONE};
    uint64_t one_way_us = BASE_DELAY_US + input->rtt_us / 2 + 2 * input->jitter_us;
    if (input->audio)
        judge_audio(&verdict, input, one_way_us);
    if (input->video)
        judge_video(&verdict, input, one_way_us);
    float smoothing = verdict.score > before.smoothed ? SMOOTHING_UP : SMOOTHING_DOWN;
    quality->smoothed = before.score > 0
                            ? before.smoothed + smoothing * (verdict.score - before.smoothed)
                            : verdict.score;
    quality->score = score_stick(quality);
    /* What is getting better keeps the reason that it was bad for. */
    if (quality->score == 5)
        quality->reason = RTP_QUALITY_NONE;
    else if (before.reason == RTP_QUALITY_NONE || verdict.score < 4.5f)
        quality->reason = verdict.reason;
    return quality->score != before.score || quality->reason != before.reason;
}

const char *rtp_quality_reason_name(enum rtp_quality_reason reason) {
    static const char *const names[RTP_QUALITY_REASON_COUNT] = {"none", "loss", "delay",
                                                                "bandwidth", "cpu"};
    return (unsigned)reason < RTP_QUALITY_REASON_COUNT ? names[reason] : "unknown";
}
