#include "sfu/downlink.h"

int sfu_downlink_open(struct sfu_transport *transport, uint64_t now_us) {
    (void)transport;
    (void)now_us;
    return 0;
}

void sfu_downlink_close(struct sfu_transport *transport) {
    (void)transport;
}

void sfu_downlink_on_sent(struct sfu_transport *transport, uint64_t now_us, bool numbered,
                          uint16_t transport_seq, size_t len) {
    (void)transport;
    (void)now_us;
    (void)numbered;
    (void)transport_seq;
    (void)len;
}

void sfu_downlink_wake(struct sfu_transport *transport, uint64_t now_us) {
    (void)transport;
    (void)now_us;
}

bool sfu_downlink_may_resend(struct sfu_transport *transport, uint64_t now_us, size_t len) {
    (void)transport;
    (void)now_us;
    (void)len;
    return true;
}

size_t sfu_downlink_burst(const struct sfu_transport *transport, uint64_t now_us) {
    (void)transport;
    (void)now_us;
    return SIZE_MAX;
}

void sfu_downlink_on_feedback(struct sfu_transport *transport, uint64_t now_us,
                              const struct rtcp_packet *packet) {
    (void)transport;
    (void)now_us;
    (void)packet;
}

void sfu_downlink_on_remb(struct sfu_transport *transport, uint64_t now_us, uint64_t bps) {
    (void)transport;
    (void)now_us;
    (void)bps;
}

void sfu_downlink_on_report(struct sfu_transport *transport, uint64_t now_us,
                            uint8_t fraction_lost) {
    (void)transport;
    (void)now_us;
    (void)fraction_lost;
}

uint64_t sfu_downlink_on_deadline(struct sfu_transport *transport, uint64_t now_us) {
    (void)transport;
    (void)now_us;
    return UINT64_MAX;
}

void sfu_downlink_why(const struct sfu_transport *transport, uint64_t now_us,
                      struct sfu_why_answer *out) {
    (void)transport;
    (void)now_us;
    (void)out;
}

void sfu_downlink_why_slot(const struct sfu_transport *transport, uint64_t now_us,
                           const struct sfu_slot *slot, struct sfu_why_slot *out) {
    (void)transport;
    (void)now_us;
    (void)slot;
    *out = (struct sfu_why_slot){.wanted = -1, .chosen = -1, .forwarded = -1};
}
