/* Connectivity checks: the input as it is, and again as the attributes of a check that is
 * authentic, so that what comes after the integrity is reached too. A dropped message changes
 * nothing and gets no reply; a reply is whole and, to a check, names its sender's address. */
#include "sfu/ice.h"

#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 5769 section 2.1. */
static const struct sfu_ice_credentials credentials = {.ufrag = "evtj",
                                                       .pwd = "VOkJxbRl1RmTxUk/WvJxBt"};
static const struct sfu_address from = {.ip = {192, 0, 2, 1}, .port = 32853, .family = AF_INET};

static void check(bool invariant) {
    if (!invariant)
        abort();
}

static void check_reply(const struct sfu_ice *ice, enum sfu_ice_verdict verdict,
                        const uint8_t *reply, size_t len) {
    StunMessage msg = {.buffer = (uint8_t *)reply, .buffer_len = len};
    check(len <= SFU_STUN_REPLY_MAX);
    check(len == 0 || stun_message_validate_buffer_length(reply, len, true) == (int)len);
    if (verdict != SFU_ICE_ANSWERED && verdict != SFU_ICE_SELECTED)
        return;
    struct sockaddr_storage mapped;
    struct sfu_address seen;
    socklen_t mapped_len = sizeof(mapped);
    check(len > 0 && stun_message_get_class(&msg) == STUN_RESPONSE);
    check(stun_message_find_xor_addr(&msg, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped,
                                     &mapped_len) == STUN_MESSAGE_RETURN_SUCCESS);
    check(sfu_address_from_sockaddr(&seen, (struct sockaddr *)&mapped, 0));
    check(sfu_address_equal(&seen, &from) && sfu_ice_is_validated(ice, &from));
}

static void on_check(const uint8_t *data, size_t size, bool authentic) {
    struct sfu_ice ice = {.local = credentials, .remote_ufrag = "h6vY"};
    struct sfu_ice before = ice;
    uint8_t reply[SFU_STUN_REPLY_MAX];
    size_t reply_len;
    bool restarted;
    enum sfu_ice_verdict verdict =
        sfu_ice_on_check(&ice, 1000000, &from, data, size, reply, &reply_len, &restarted);
    check(!restarted);
    check(!authentic || verdict != SFU_ICE_DROP_INTEGRITY);
    check_reply(&ice, verdict, reply, reply_len);
    if (verdict == SFU_ICE_DROP_MALFORMED || verdict == SFU_ICE_DROP_INTEGRITY)
        check(reply_len == 0 && memcmp(&ice, &before, sizeof(ice)) == 0);
}

static void peek(const uint8_t *data, size_t size) {
    const char *ufrag;
    size_t len;
    if (sfu_stun_peek_ufrag(data, size, &ufrag, &len) == 0)
        check((const uint8_t *)ufrag >= data && len < size &&
              (const uint8_t *)ufrag + len < data + size);
}

static void on_authentic(const uint8_t *attributes, size_t size) {
    uint8_t buffer[1200];
    StunAgent agent;
    StunMessage msg;
    size &= ~(size_t)3;
    stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    if (size > 1000 ||
        !stun_agent_init_request(&agent, &msg, buffer, sizeof(buffer), STUN_BINDING) ||
        stun_message_append_string(&msg, STUN_ATTRIBUTE_USERNAME, "evtj:h6vY") !=
            STUN_MESSAGE_RETURN_SUCCESS)
        return;
    size_t len = stun_message_length(&msg);
    if (size > 0)
        memcpy(buffer + len, attributes, size);
    len += size;
    buffer[2] = (uint8_t)((len - 20) >> 8);
    buffer[3] = (uint8_t)(len - 20);
    if (stun_message_validate_buffer_length(buffer, len, true) != (int)len ||
        stun_message_has_attribute(&msg, STUN_ATTRIBUTE_MESSAGE_INTEGRITY) ||
        stun_message_has_attribute(&msg, STUN_ATTRIBUTE_FINGERPRINT))
        return;
    len = stun_agent_finish_message(&agent, &msg, (const uint8_t *)credentials.pwd,
                                    strlen(credentials.pwd));
    on_check(buffer, len, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    peek(data, size);
    on_check(data, size, false);
    on_authentic(data, size);
    return 0;
}
