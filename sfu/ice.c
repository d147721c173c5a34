/* ICE-lite: libnice's STUN functions parse the checks and build the replies. The integrity is
 * checked here: libnice 0.1.21 compares it with memcmp, whose time tells how much was right, and
 * takes a MESSAGE-INTEGRITY of any length for one of 20 bytes. */
#include "sfu/ice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "sfu/hmac.h"

_Static_assert(SFU_PWD_LEN <= SHA_CBLOCK, "a password is a key of one block");

enum {
    STUN_LEN_MAX = 2048, /* A check with two ufrags of 256 characters has 640. */
    STUN_HEADER_LEN = 20,
    STUN_ATTRIBUTE_HEADER_LEN = 4,
    /* Browsers check the selected pair every 2.5 to 5 s. */
    SELECTED_SILENT_US = 3000000,
};

/* Attributes that have to be understood (RFC 8489 section 14) and are, up to a 0. */
static const uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    STUN_ATTRIBUTE_REALM,
    STUN_ATTRIBUTE_NONCE,
    STUN_ATTRIBUTE_ERROR_CODE,
    STUN_ATTRIBUTE_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
    STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES,
    0,
};

struct username {
    const char *local;
    size_t local_len;
    const char *remote;
    size_t remote_len;
};

/* ICE's alphabet (RFC 8839 section 5.4) has 64 characters, so that a random byte gives 6 bits. */
static void random_text(char *out, size_t len) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[SFU_PWD_LEN];
    if (RAND_bytes(bytes, (int)len) != 1)
        abort(); /* Guessable credentials are worse than no server. */
    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[bytes[i] & 63];
    out[len] = '\0';
    OPENSSL_cleanse(bytes, sizeof(bytes));
}

void sfu_ice_credentials_generate(struct sfu_ice_credentials *out) {
    random_text(out->ufrag, SFU_UFRAG_LEN);
    random_text(out->pwd, SFU_PWD_LEN);
}

/* Whether data is exactly one STUN binding request; *msg is its view, not to be written to. */
static bool request_view(StunMessage *msg, const uint8_t *data, size_t len) {
    if (len < STUN_HEADER_LEN || len > STUN_LEN_MAX ||
        stun_message_validate_buffer_length(data, len, true) != (int)len)
        return false;
    *msg = (StunMessage){.buffer = (uint8_t *)data, .buffer_len = len};
    return stun_message_has_cookie(msg) && stun_message_get_class(msg) == STUN_REQUEST &&
           stun_message_get_method(msg) == STUN_BINDING;
}

/* "OURS:THEIRS" (RFC 8445 section 7.2.2). */
static bool username_split(const StunMessage *msg, struct username *out) {
    uint16_t len;
    const char *text = stun_message_find(msg, STUN_ATTRIBUTE_USERNAME, &len);
    const char *colon = text ? memchr(text, ':', len) : NULL;
    if (colon == NULL)
        return false;
    size_t local_len = (size_t)(colon - text);
    *out = (struct username){.local = text,
                             .local_len = local_len,
                             .remote = colon + 1,
                             .remote_len = len - local_len - 1};
    return true;
}

int sfu_stun_peek_ufrag(const uint8_t *data, size_t len, const char **ufrag, size_t *ufrag_len) {
    StunMessage msg;
    struct username username;
    if (!request_view(&msg, data, len) || !username_split(&msg, &username))
        return -EBADMSG;
    *ufrag = username.local;
    *ufrag_len = username.local_len;
    return 0;
}

static bool text_is(const char *text, size_t len, const char *wanted) {
    return wanted[0] != '\0' && strlen(wanted) == len && memcmp(text, wanted, len) == 0;
}

/* Which of our credentials the check names, or NULL. During a restart the peer's old checks still
 * carry its old ufrag, which is not known any more. */
static const struct sfu_ice_credentials *credentials_find(const struct sfu_ice *ice,
                                                          const struct username *username) {
    bool restarting = ice->next.ufrag[0] != '\0';
    bool right_peer = ice->remote_ufrag[0] == '\0' ||
                      text_is(username->remote, username->remote_len, ice->remote_ufrag);
    if (right_peer && text_is(username->local, username->local_len, ice->next.ufrag))
        return &ice->next;
    if ((right_peer || restarting) &&
        text_is(username->local, username->local_len, ice->local.ufrag))
        return &ice->local;
    return NULL;
}

/* HMAC-SHA1 of everything before MESSAGE-INTEGRITY, with the length in the header as if the message
 * ended behind it (RFC 8489 section 14.5). */
static bool integrity_is_right(const StunMessage *msg, const char *pwd) {
    uint16_t hash_len;
    const uint8_t *hash = stun_message_find(msg, STUN_ATTRIBUTE_MESSAGE_INTEGRITY, &hash_len);
    if (hash == NULL || hash_len != SFU_HMAC_LEN)
        return false;
    uint8_t covered[STUN_LEN_MAX];
    size_t covered_len = (size_t)(hash - msg->buffer) - STUN_ATTRIBUTE_HEADER_LEN;
    memcpy(covered, msg->buffer, covered_len);
    size_t length = covered_len + STUN_ATTRIBUTE_HEADER_LEN + SFU_HMAC_LEN - STUN_HEADER_LEN;
    covered[2] = (uint8_t)(length >> 8);
    covered[3] = (uint8_t)length;

    struct sfu_hmac hmac;
    uint8_t digest[SFU_HMAC_LEN];
    sfu_hmac_init(&hmac, (const uint8_t *)pwd, strlen(pwd));
    sfu_hmac_digest(&hmac, covered, covered_len, NULL, 0, digest);
    OPENSSL_cleanse(&hmac, sizeof(hmac));
    return CRYPTO_memcmp(digest, hash, SFU_HMAC_LEN) == 0;
}

static size_t reply_error(StunAgent *agent, const StunMessage *request, StunError error,
                          uint8_t *reply) {
    StunMessage msg;
    if (error == STUN_ERROR_UNKNOWN_ATTRIBUTE)
        return stun_agent_build_unknown_attributes_error(agent, &msg, reply, SFU_STUN_REPLY_MAX,
                                                         request);
    if (!stun_agent_init_error(agent, &msg, reply, SFU_STUN_REPLY_MAX, request, error))
        return 0;
    return stun_agent_finish_message(agent, &msg, request->key, request->key_len);
}

/* Libnice's own stun_usage_ice_conncheck_create_reply repeats the USERNAME, which RFC 8445 does not
 * ask for. */
static size_t reply_success(StunAgent *agent, const StunMessage *request,
                            const struct sfu_address *from, uint8_t *reply) {
    StunMessage msg;
    struct sockaddr_storage mapped;
    socklen_t mapped_len = sfu_address_to_sockaddr(from, &mapped);
    if (!stun_agent_init_response(agent, &msg, reply, SFU_STUN_REPLY_MAX, request) ||
        stun_message_append_xor_addr(&msg, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped,
                                     mapped_len) != STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    return stun_agent_finish_message(agent, &msg, request->key, request->key_len);
}

/* Where the address stands among the validated ones, or -1. */
static int validated_find(const struct sfu_ice *ice, const struct sfu_address *address) {
    for (int i = 0; i < SFU_ICE_ADDRESSES_MAX; i++)
        if (ice->validated[i].family != 0 && sfu_address_equal(&ice->validated[i], address))
            return i;
    return -1;
}

/* A place for a new address: an empty one, else that of the address unheard for longest. The one
 * that media goes to stays. */
static int validated_make_room(const struct sfu_ice *ice) {
    int oldest = -1;
    for (int i = 0; i < SFU_ICE_ADDRESSES_MAX; i++) {
        if (ice->validated[i].family == 0)
            return i;
        if (sfu_address_equal(&ice->validated[i], &ice->selected))
            continue;
        if (oldest < 0 || ice->validated_at_us[i] < ice->validated_at_us[oldest])
            oldest = i;
    }
    return oldest;
}

/* Whether the selected address has stopped checking while the address at `index` went on: its last
 * check but this one came after the selected's last. */
static bool outlives_selected(const struct sfu_ice *ice, uint64_t now_us, int index) {
    int selected = validated_find(ice, &ice->selected);
    if (selected < 0)
        return true;
    uint64_t heard_us = ice->validated_at_us[selected];
    return now_us >= heard_us + SELECTED_SILENT_US && ice->validated_at_us[index] > heard_us;
}

/* Notes a good check from the address and says whether media goes there now when it did not before.
 * Nobody nominated anything yet: the newest address; afterwards only what is nominated, which
 * browsers repeat in every check on the pair that they use. */
static bool address_checked(struct sfu_ice *ice, uint64_t now_us, const struct sfu_address *from,
                            bool nominates) {
    int index = validated_find(ice, from);
    bool is_new = index < 0;
    if (is_new) {
        index = validated_make_room(ice);
        ice->validated[index] = *from;
    }
    bool selects = nominates || (is_new ? !ice->nominated : outlives_selected(ice, now_us, index));
    bool moved = selects && !sfu_address_equal(&ice->selected, from);
    ice->validated_at_us[index] = now_us;
    ice->nominated |= nominates;
    if (moved)
        ice->selected = *from;
    return moved;
}

/* The first check with the new credentials begins a new generation: what was nominated before does
 * not bind it, and the address that it comes from counts as new. The other addresses stay
 * validated, since media may come from them until the peer has moved. */
static void generation_begin(struct sfu_ice *ice, const struct sfu_address *from) {
    ice->local = ice->next;
    OPENSSL_cleanse(&ice->next, sizeof(ice->next));
    ice->nominated = false;
    int index = validated_find(ice, from);
    if (index >= 0 && !sfu_address_equal(from, &ice->selected))
        memset(&ice->validated[index], 0, sizeof(ice->validated[index]));
}

/* The request's FINGERPRINT, if any, and whether all its attributes are understood. */
static StunValidationStatus validate(StunAgent *agent, const StunMessage *msg) {
    bool fingerprint = stun_message_has_attribute(msg, STUN_ATTRIBUTE_FINGERPRINT);
    StunMessage again;
    stun_agent_init(agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_IGNORE_CREDENTIALS |
                        (fingerprint ? STUN_AGENT_USAGE_USE_FINGERPRINT : 0));
    StunValidationStatus status =
        stun_agent_validate(agent, &again, msg->buffer, msg->buffer_len, NULL, NULL);
    agent->usage_flags |= STUN_AGENT_USAGE_USE_FINGERPRINT; /* The reply always has one. */
    return status;
}

enum sfu_ice_verdict sfu_ice_on_check(struct sfu_ice *ice, uint64_t now_us,
                                      const struct sfu_address *from, const uint8_t *data,
                                      size_t len, uint8_t reply[static SFU_STUN_REPLY_MAX],
                                      size_t *reply_len, bool *restarted) {
    *reply_len = 0;
    *restarted = false;
    StunMessage msg;
    StunAgent agent;
    struct username username;
    if (!request_view(&msg, data, len) || !username_split(&msg, &username))
        return SFU_ICE_DROP_MALFORMED;
    const struct sfu_ice_credentials *credentials = credentials_find(ice, &username);
    if (credentials == NULL || !integrity_is_right(&msg, credentials->pwd))
        return SFU_ICE_DROP_INTEGRITY;
    StunValidationStatus status = validate(&agent, &msg);
    msg.agent = &agent;
    msg.key = (uint8_t *)credentials->pwd;
    msg.key_len = strlen(credentials->pwd);
    if (status != STUN_VALIDATION_SUCCESS && status != STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE)
        return SFU_ICE_DROP_MALFORMED;
    if (status == STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE) {
        *reply_len = reply_error(&agent, &msg, STUN_ERROR_UNKNOWN_ATTRIBUTE, reply);
        return SFU_ICE_CONFLICT;
    }
    if (stun_message_has_attribute(&msg, STUN_ATTRIBUTE_ICE_CONTROLLED)) {
        *reply_len = reply_error(&agent, &msg, STUN_ERROR_ROLE_CONFLICT, reply);
        return SFU_ICE_CONFLICT;
    }
    *reply_len = reply_success(&agent, &msg, from, reply);
    *restarted = credentials == &ice->next;
    if (*restarted)
        generation_begin(ice, from);
    ice->consent_us = now_us;
    bool nominates = stun_usage_ice_conncheck_use_candidate(&msg);
    return address_checked(ice, now_us, from, nominates) ? SFU_ICE_SELECTED : SFU_ICE_ANSWERED;
}

bool sfu_ice_is_validated(const struct sfu_ice *ice, const struct sfu_address *from) {
    return validated_find(ice, from) >= 0;
}
