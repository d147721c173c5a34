/* Up by 8 % a second below 2 % of loss, down by half the loss above 10 %, else unchanged. */
#include "rtp/bwe_report.h"

static const double loss_low = 0.02, loss_high = 0.10, growth = 1.08, growth_bps = 1000;
static const double sent_factor = 1.5;

enum { INCREASE_US = 1000000, DECREASE_US = 300000 };

static void increase(struct rtp_bwe_report *report, uint64_t now_us, double most_bps) {
    if (now_us - report->increased_us < INCREASE_US || report->bps >= most_bps)
        return;
    report->increased_us = now_us;
    report->bps = report->bps * growth + growth_bps;
    if (report->bps > most_bps)
        report->bps = most_bps;
}

static void decrease(struct rtp_bwe_report *report, uint64_t now_us, double sent_bps,
                     uint64_t rtt_us) {
    if (now_us - report->decreased_us < DECREASE_US + rtt_us)
        return;
    report->decreased_us = now_us;
    report->increased_us = now_us;
    /* What is lost is part of what is sent, however much more the estimate had hoped for. */
    if (sent_bps > 0 && report->bps > sent_factor * sent_bps)
        report->bps = sent_factor * sent_bps;
    report->bps *= 1 - report->loss / 2;
}

void rtp_bwe_report_update(struct rtp_bwe_report *report, uint64_t now_us, uint8_t fraction_lost,
                           double sent_bps, double bps, double most_bps, uint64_t rtt_us) {
    if (report->bps <= 0) {
        *report = (struct rtp_bwe_report){.bps = bps, .increased_us = now_us};
        return;
    }
    report->loss = fraction_lost / 256.0;
    if (report->loss <= loss_low)
        increase(report, now_us, most_bps);
    else if (report->loss > loss_high)
        decrease(report, now_us, sent_bps, rtt_us);
}
