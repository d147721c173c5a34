#include "sfu/handshakes.h"

bool sfu_handshakes_push(struct sfu_handshakes *handshakes, const struct sfu_address *from,
                         struct sfu_packet *packet) {
    if (handshakes->count == SFU_HANDSHAKES_WAITING_MAX)
        return false;
    size_t place = (handshakes->first + handshakes->count++) % SFU_HANDSHAKES_WAITING_MAX;
    handshakes->waiting[place] =
        (struct sfu_handshake){.packet = sfu_packet_ref(packet), .from = *from};
    return true;
}

bool sfu_handshakes_pop(struct sfu_handshakes *handshakes, struct sfu_handshake *out) {
    if (handshakes->count == 0)
        return false;
    *out = handshakes->waiting[handshakes->first];
    handshakes->first = (handshakes->first + 1) % SFU_HANDSHAKES_WAITING_MAX;
    handshakes->count--;
    return true;
}

void sfu_handshakes_deinit(struct sfu_handshakes *handshakes) {
    for (struct sfu_handshake one; sfu_handshakes_pop(handshakes, &one);)
        sfu_packet_unref(one.packet);
}
