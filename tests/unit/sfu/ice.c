/* ICE-lite against libnice's STUN agent as the client, and the sample messages of RFC 5769. */
#include "sfu/ice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#include "tests/unit/test.h"

enum { CHECK_MAX = 512, SECOND_US = 1000000 };

/* A session, the address of its peer, and what the newest check led to. */
struct session {
    struct sfu_ice ice;
    struct sfu_ice_credentials theirs;
    uint64_t now_us;
    uint8_t request[CHECK_MAX];
    size_t request_len;
    uint8_t reply[SFU_STUN_REPLY_MAX];
    size_t reply_len;
    bool restarted;
    StunAgent client;
};

static struct session *session_make(void) {
    struct session *session = calloc(1, sizeof(*session));
    sfu_ice_credentials_generate(&session->ice.local);
    sfu_ice_credentials_generate(&session->theirs);
    strcpy(session->ice.remote_ufrag, session->theirs.ufrag);
    session->now_us = SECOND_US;
    stun_agent_init(&session->client, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    return session;
}

static struct sfu_address address_of(uint8_t host) {
    return (struct sfu_address){.ip = {192, 0, 2, host}, .port = 32853, .family = AF_INET};
}

struct check_kind {
    const struct sfu_ice_credentials *with; /* NULL: the current ones. */
    const char *from_ufrag;                 /* NULL: the peer's. */
    bool nominates;
    bool controlled;
    bool without_fingerprint;
};

/* The agent remembers every check until it is answered, which most here are not. */
static void transactions_forget(struct session *session) {
    for (size_t i = 0; i < STUN_AGENT_MAX_SAVED_IDS; i++)
        session->client.sent_ids[i].valid = false;
}

static void check_build(struct session *session, struct check_kind kind) {
    char username[2 * SFU_CREDENTIAL_MAX];
    const struct sfu_ice_credentials *with = kind.with ? kind.with : &session->ice.local;
    strcpy(username, with->ufrag);
    strcat(username, ":");
    strcat(username, kind.from_ufrag ? kind.from_ufrag : session->theirs.ufrag);
    StunMessage msg;
    if (kind.without_fingerprint)
        session->client.usage_flags &= ~(unsigned)STUN_AGENT_USAGE_USE_FINGERPRINT;
    transactions_forget(session);
    session->request_len = stun_usage_ice_conncheck_create(
        &session->client, &msg, session->request, sizeof(session->request),
        (const uint8_t *)username, strlen(username), (const uint8_t *)with->pwd, strlen(with->pwd),
        kind.nominates, !kind.controlled, 1845501695, 0x932ff9b151263b36, NULL,
        STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    CHECK(session->request_len > 0);
}

/* The request as it stands, in memory of exactly its length. */
static enum sfu_ice_verdict check_arrives(struct session *session, struct sfu_address from) {
    uint8_t *exact = malloc(session->request_len);
    memcpy(exact, session->request, session->request_len);
    enum sfu_ice_verdict verdict =
        sfu_ice_on_check(&session->ice, session->now_us, &from, exact, session->request_len,
                         session->reply, &session->reply_len, &session->restarted);
    free(exact);
    return verdict;
}

static enum sfu_ice_verdict check_sent(struct session *session, uint8_t host,
                                       struct check_kind kind) {
    check_build(session, kind);
    return check_arrives(session, address_of(host));
}

static const struct check_kind plain;
static const struct check_kind nominating = {.nominates = true};

static StunUsageIceReturn client_reads(struct session *session, struct sockaddr_storage *mapped) {
    StunMessage msg;
    socklen_t len = sizeof(*mapped);
    CHECK_INT(
        stun_agent_validate(&session->client, &msg, session->reply, session->reply_len, NULL, NULL),
        STUN_VALIDATION_SUCCESS);
    return stun_usage_ice_conncheck_process(&msg, mapped, &len,
                                            STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
}

static void a_check_is_answered_with_the_address_it_came_from(void) {
    struct session *session = session_make();
    struct sockaddr_storage mapped;
    struct sfu_address seen;
    struct sfu_address from[] = {
        address_of(1),
        {.ip = {0x20, 1, 0xd, 0xb8, 0x12}, .port = 32853, .family = AF_INET6, .via = 2},
    };
    static const size_t lens[] = {64, 76}; /* Header, address, integrity, fingerprint. */
    for (size_t i = 0; i < 2; i++) {
        check_build(session, plain);
        CHECK(!sfu_ice_is_validated(&session->ice, &from[i]));
        CHECK_INT(check_arrives(session, from[i]), SFU_ICE_SELECTED);
        CHECK_INT(session->reply_len, lens[i]);
        CHECK(session->reply_len <= session->request_len);
        CHECK_INT(client_reads(session, &mapped), STUN_USAGE_ICE_RETURN_SUCCESS);
        CHECK(sfu_address_from_sockaddr(&seen, (struct sockaddr *)&mapped, from[i].via));
        CHECK(sfu_address_equal(&seen, &from[i]));
        CHECK(sfu_ice_is_validated(&session->ice, &from[i]));
    }
    free(session);
}

/* RFC 5769 sections 2.1 to 2.3. */
static const char rfc5769_request[] = "000100582112a442b7e7a701bc34d686fa87dfae"
                                      "802200105354554e207465737420636c69656e74"
                                      "002400046e0001ff"
                                      "80290008932ff9b151263b36"
                                      "000600096576746a3a68367659202020"
                                      "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                                      "80280004e57a3bcf";
static const struct sfu_ice_credentials rfc5769_credentials = {.ufrag = "evtj",
                                                               .pwd = "VOkJxbRl1RmTxUk/WvJxBt"};

/* The sample says that its sender is controlled; what matters is that it was authenticated. */
static void the_sample_request_of_rfc_5769_is_authentic(void) {
    struct session *session = session_make();
    session->ice.local = rfc5769_credentials;
    strcpy(session->ice.remote_ufrag, "h6vY");
    session->request_len = test_hex(rfc5769_request, session->request, CHECK_MAX);
    CHECK_INT(session->request_len, 108);
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_CONFLICT);
    session->ice.local.pwd[0] = 'W';
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_DROP_INTEGRITY);
    free(session);
}

/* The sample responses, but for their SOFTWARE, which we do not send: mapped address
 * 192.0.2.1:32853, and [2001:db8:1234:5678:11:2233:4455:6677]:32853. */
static void the_mapped_address_is_written_as_in_rfc_5769(void) {
    static const char xor4[] = "002000080001a147e112a643";
    static const char xor6[] = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9";
    static const uint8_t ip6[] = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
                                  0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
    struct session *session = session_make();
    struct sfu_address six = {.port = 32853, .family = AF_INET6};
    memcpy(six.ip, ip6, sizeof(ip6));
    session->ice.local = rfc5769_credentials;
    strcpy(session->ice.remote_ufrag, "h6vY");
    const struct sfu_address from[] = {address_of(1), six};
    for (size_t i = 0; i < 2; i++) {
        uint8_t wanted[32];
        size_t wanted_len = test_hex(i ? xor6 : xor4, wanted, sizeof(wanted));
        /* The sample's transaction, which its mapped addresses are xored with. */
        uint8_t id[12];
        test_hex("b7e7a701bc34d686fa87dfae", id, sizeof(id));
        StunMessage msg = {.buffer = session->request, .buffer_len = CHECK_MAX};
        StunAgent *agent = &session->client;
        stun_agent_init_request(agent, &msg, session->request, CHECK_MAX, STUN_BINDING);
        memcpy(session->request + 8, id, sizeof(id));
        stun_message_append_string(&msg, STUN_ATTRIBUTE_USERNAME, "evtj:h6vY");
        session->request_len = stun_agent_finish_message(
            agent, &msg, (const uint8_t *)rfc5769_credentials.pwd, strlen(rfc5769_credentials.pwd));
        CHECK_INT(check_arrives(session, from[i]), SFU_ICE_SELECTED);
        CHECK_BYTES(session->reply + 8, 12, id, sizeof(id));
        CHECK_BYTES(session->reply + 20, wanted_len, wanted, wanted_len);
    }
    free(session);
}

static void a_change_of_any_byte_is_met_with_silence(void) {
    struct session *session = session_make();
    check_build(session, nominating);
    uint8_t right[CHECK_MAX];
    memcpy(right, session->request, sizeof(right));
    size_t fingerprint = session->request_len - 8;
    for (size_t i = 0; i < session->request_len; i++)
        for (int bit = 0; bit < 8; bit++) {
            /* Under another name it is no FINGERPRINT, but an attribute behind the integrity. */
            if (i == fingerprint || i == fingerprint + 1)
                continue;
            memcpy(session->request, right, sizeof(right));
            session->request[i] ^= (uint8_t)(1 << bit);
            enum sfu_ice_verdict verdict = check_arrives(session, address_of(1));
            CHECK(verdict == SFU_ICE_DROP_MALFORMED || verdict == SFU_ICE_DROP_INTEGRITY);
            CHECK_INT(session->reply_len, 0);
        }
    CHECK_INT(session->ice.consent_us, 0);
    CHECK(!sfu_ice_is_validated(&session->ice, &(struct sfu_address){.port = 1}));
    memcpy(session->request, right, sizeof(right));
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_SELECTED);
    free(session);
}

static void a_message_cut_anywhere_is_malformed(void) {
    struct session *session = session_make();
    check_build(session, plain);
    size_t whole = session->request_len;
    const char *ufrag;
    size_t ufrag_len;
    for (session->request_len = 1; session->request_len < whole; session->request_len++) {
        CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_DROP_MALFORMED);
        CHECK_INT(sfu_stun_peek_ufrag(session->request, session->request_len, &ufrag, &ufrag_len),
                  -EBADMSG);
    }
    free(session);
}

/* Attributes behind MESSAGE-INTEGRITY are not covered by it (RFC 8489 section 14.5): anyone on the
 * way can add one and mend the length and the FINGERPRINT. */
static void a_use_candidate_behind_the_integrity_nominates_nothing(void) {
    struct session *session = session_make();
    check_sent(session, 1, plain);
    check_build(session, (struct check_kind){.without_fingerprint = true});
    static const uint8_t use_candidate[] = {0x00, 0x25, 0, 0};
    memcpy(session->request + session->request_len, use_candidate, sizeof(use_candidate));
    session->request_len += sizeof(use_candidate);
    session->request[3] += sizeof(use_candidate);
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_ANSWERED);
    CHECK(!session->ice.nominated);
    free(session);
}

static void a_short_message_integrity_is_wrong(void) {
    struct session *session = session_make();
    check_build(session, (struct check_kind){.without_fingerprint = true});
    for (uint8_t len = 0; len < 20; len += 4) {
        check_build(session, (struct check_kind){.without_fingerprint = true});
        size_t attribute = session->request_len - 24;
        session->request[attribute + 3] = len;
        session->request_len = attribute + 4 + len;
        session->request[3] = (uint8_t)(session->request_len - 20);
        CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_DROP_INTEGRITY);
    }
    free(session);
}

static void unknown_users_are_met_with_silence(void) {
    struct session *session = session_make();
    struct sfu_ice_credentials stranger = session->ice.local;
    stranger.ufrag[0] ^= 1;
    CHECK_INT(check_sent(session, 1, (struct check_kind){.with = &stranger}),
              SFU_ICE_DROP_INTEGRITY);
    CHECK_INT(session->reply_len, 0);
    stranger = session->ice.local;
    stranger.ufrag[SFU_UFRAG_LEN - 1] = '\0'; /* The beginning of ours. */
    CHECK_INT(check_sent(session, 1, (struct check_kind){.with = &stranger}),
              SFU_ICE_DROP_INTEGRITY);
    CHECK_INT(check_sent(session, 1, (struct check_kind){.from_ufrag = "someone"}),
              SFU_ICE_DROP_INTEGRITY);
    /* Not negotiated yet: whoever has the password. */
    session->ice.remote_ufrag[0] = '\0';
    CHECK_INT(check_sent(session, 1, (struct check_kind){.from_ufrag = "someone"}),
              SFU_ICE_SELECTED);
    free(session);
}

/* An empty `next` is no user with an empty name and password. */
static void empty_credentials_are_nobody(void) {
    struct session *session = session_make();
    struct sfu_ice_credentials nobody = {0};
    CHECK_INT(check_sent(session, 1, (struct check_kind){.with = &nobody}), SFU_ICE_DROP_INTEGRITY);
    free(session);
}

static void a_fingerprint_is_optional_but_has_to_be_right(void) {
    struct session *session = session_make();
    check_build(session, plain);
    session->request[session->request_len - 1] ^= 1;
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_DROP_MALFORMED);
    CHECK_INT(check_sent(session, 1, (struct check_kind){.without_fingerprint = true}),
              SFU_ICE_SELECTED);
    free(session);
}

static void a_controlled_peer_is_told_of_the_role_conflict(void) {
    struct session *session = session_make();
    struct sockaddr_storage mapped;
    CHECK_INT(check_sent(session, 1, (struct check_kind){.controlled = true}), SFU_ICE_CONFLICT);
    CHECK(session->reply_len > 0 && session->reply_len <= session->request_len);
    CHECK_INT(client_reads(session, &mapped), STUN_USAGE_ICE_RETURN_ROLE_CONFLICT);
    CHECK_INT(session->ice.selected.family, 0);
    CHECK(!sfu_ice_is_validated(&session->ice, &(struct sfu_address){.ip = {192, 0, 2, 1}}));
    free(session);
}

static size_t request_with_attribute(struct session *session, uint16_t type) {
    char username[64];
    StunMessage msg;
    transactions_forget(session);
    strcpy(username, session->ice.local.ufrag);
    strcat(username, ":");
    strcat(username, session->theirs.ufrag);
    stun_agent_init_request(&session->client, &msg, session->request, CHECK_MAX, STUN_BINDING);
    stun_message_append_string(&msg, STUN_ATTRIBUTE_USERNAME, username);
    stun_message_append32(&msg, (StunAttribute)type, 1);
    return stun_agent_finish_message(&session->client, &msg,
                                     (const uint8_t *)session->ice.local.pwd, SFU_PWD_LEN);
}

/* Chromium's network information and nomination, 0xC057 and 0xC001, are optional by their number.
 */
static void unknown_attributes_matter_only_when_they_have_to_be_understood(void) {
    struct session *session = session_make();
    session->request_len = request_with_attribute(session, 0xc057);
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_SELECTED);
    session->request_len = request_with_attribute(session, 0xc001);
    CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_ANSWERED);

    session->request_len = request_with_attribute(session, 0x7f00);
    CHECK_INT(check_arrives(session, address_of(2)), SFU_ICE_CONFLICT);
    StunMessage msg;
    int code;
    CHECK_INT(
        stun_agent_validate(&session->client, &msg, session->reply, session->reply_len, NULL, NULL),
        STUN_VALIDATION_SUCCESS);
    CHECK_INT(stun_message_find_error(&msg, &code), STUN_MESSAGE_RETURN_SUCCESS);
    CHECK_INT(code, 420);
    free(session);
}

static void what_is_no_binding_request_is_malformed(void) {
    struct session *session = session_make();
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0x01}, /* Success response. */
        {1, 0x11}, /* Indication. */
        {1, 0x03}, /* Allocate. */
        {4, 0x22}, /* No magic cookie: RFC 3489. */
        {0, 0x80}, /* Not STUN at all. */
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        check_build(session, plain);
        session->request[changes[i].at] = changes[i].value;
        const char *ufrag;
        size_t len;
        CHECK_INT(sfu_stun_peek_ufrag(session->request, session->request_len, &ufrag, &len),
                  -EBADMSG);
        CHECK_INT(check_arrives(session, address_of(1)), SFU_ICE_DROP_MALFORMED);
    }
    free(session);
}

static void the_ufrag_can_be_read_without_a_session(void) {
    uint8_t request[128];
    const char *ufrag;
    size_t ufrag_len;
    size_t len = test_hex(rfc5769_request, request, sizeof(request));
    CHECK_INT(sfu_stun_peek_ufrag(request, len, &ufrag, &ufrag_len), 0);
    CHECK_BYTES(ufrag, ufrag_len, "evtj", 4);
    request[68] = 'x'; /* The colon. */
    CHECK_INT(sfu_stun_peek_ufrag(request, len, &ufrag, &ufrag_len), -EBADMSG);
    CHECK_INT(sfu_stun_peek_ufrag(request, 0, &ufrag, &ufrag_len), -EBADMSG);
}

static void check_selected(const struct session *session, uint8_t host) {
    CHECK_INT(session->ice.selected.ip[3], host);
}

static void until_something_is_nominated_media_goes_to_the_newest_address(void) {
    struct session *session = session_make();
    CHECK_INT(check_sent(session, 1, plain), SFU_ICE_SELECTED);
    CHECK_INT(check_sent(session, 1, plain), SFU_ICE_ANSWERED);
    CHECK_INT(check_sent(session, 2, plain), SFU_ICE_SELECTED);
    /* Not newer by being checked again: media would jump to and fro. */
    CHECK_INT(check_sent(session, 1, plain), SFU_ICE_ANSWERED);
    check_selected(session, 2);
    CHECK_INT(check_sent(session, 1, nominating), SFU_ICE_SELECTED);
    CHECK(session->ice.nominated);
    CHECK_INT(check_sent(session, 3, plain), SFU_ICE_ANSWERED);
    check_selected(session, 1);
    free(session);
}

static void a_nomination_from_a_new_address_moves_media_at_once(void) {
    struct session *session = session_make();
    CHECK_INT(check_sent(session, 1, nominating), SFU_ICE_SELECTED);
    CHECK_INT(check_sent(session, 2, nominating), SFU_ICE_SELECTED);
    check_selected(session, 2);
    CHECK_INT(check_sent(session, 1, plain), SFU_ICE_ANSWERED);
    check_selected(session, 2);
    free(session);
}

static void media_leaves_an_address_silent_for_3_s_for_one_that_goes_on(void) {
    struct session *session = session_make();
    check_sent(session, 1, nominating);
    session->now_us += 2500000;
    CHECK_INT(check_sent(session, 2, plain), SFU_ICE_ANSWERED);
    session->now_us += 499999;
    CHECK_INT(check_sent(session, 2, plain), SFU_ICE_ANSWERED);
    session->now_us += 1;
    CHECK_INT(check_sent(session, 2, plain), SFU_ICE_SELECTED);
    check_selected(session, 2);
    free(session);
}

/* Chromium checks the pairs that it holds in reserve every 25 s and one check may be lost. */
static void one_check_from_elsewhere_in_a_silence_moves_nothing(void) {
    struct session *session = session_make();
    check_sent(session, 2, plain);
    check_sent(session, 1, nominating);
    session->now_us += 2500000;
    check_sent(session, 1, nominating);
    session->now_us += 4500000;
    CHECK_INT(check_sent(session, 2, plain), SFU_ICE_ANSWERED);
    check_selected(session, 1);
    free(session);
}

static void every_good_check_is_consent(void) {
    struct session *session = session_make();
    check_sent(session, 1, nominating);
    CHECK_INT(session->ice.consent_us, SECOND_US);
    session->now_us += 5000000;
    check_sent(session, 2, plain);
    CHECK_INT(session->ice.consent_us, 6 * SECOND_US);
    session->now_us += 5000000;
    check_build(session, plain);
    session->request[session->request_len - 20] ^= 1;
    check_arrives(session, address_of(1));
    CHECK_INT(session->ice.consent_us, 6 * SECOND_US);
    free(session);
}

static void a_restart_begins_with_the_first_check_with_the_new_credentials(void) {
    struct session *session = session_make();
    CHECK_INT(check_sent(session, 1, nominating), SFU_ICE_SELECTED);
    struct sfu_ice_credentials before = session->ice.local;
    struct sfu_ice_credentials fresh;
    sfu_ice_credentials_generate(&fresh);
    session->ice.next = fresh;
    char old_peer[SFU_UFRAG_LEN + 1];
    strcpy(old_peer, session->theirs.ufrag);
    sfu_ice_credentials_generate(&session->theirs);
    strcpy(session->ice.remote_ufrag, session->theirs.ufrag);

    /* The old ones, with the peer's old ufrag, keep working so long. */
    CHECK_INT(check_sent(session, 1, (struct check_kind){.from_ufrag = old_peer}),
              SFU_ICE_ANSWERED);
    CHECK(!session->restarted);
    /* The new ones only with the peer's new ufrag. */
    CHECK_INT(check_sent(session, 2, (struct check_kind){.with = &fresh, .from_ufrag = old_peer}),
              SFU_ICE_DROP_INTEGRITY);

    CHECK_INT(check_sent(session, 2, (struct check_kind){.with = &fresh}), SFU_ICE_SELECTED);
    CHECK(session->restarted);
    CHECK_STR(session->ice.local.ufrag, fresh.ufrag);
    CHECK_STR(session->ice.local.pwd, fresh.pwd);
    CHECK_INT(session->ice.next.ufrag[0], 0);
    struct sfu_address old_address = address_of(1);
    CHECK(sfu_ice_is_validated(&session->ice, &old_address));
    CHECK_INT(check_sent(session, 2, (struct check_kind){.with = &fresh}), SFU_ICE_ANSWERED);
    CHECK(!session->restarted);
    CHECK_INT(check_sent(session, 1, (struct check_kind){.with = &before, .from_ufrag = old_peer}),
              SFU_ICE_DROP_INTEGRITY);
    free(session);
}

static void a_restart_from_an_address_known_before_selects_it(void) {
    struct session *session = session_make();
    check_sent(session, 2, plain);
    check_sent(session, 1, nominating);
    sfu_ice_credentials_generate(&session->ice.next);
    struct sfu_ice_credentials fresh = session->ice.next;
    CHECK_INT(check_sent(session, 2, (struct check_kind){.with = &fresh}), SFU_ICE_SELECTED);
    CHECK(!session->ice.nominated);
    free(session);
}

static void the_address_unheard_for_longest_makes_room(void) {
    struct session *session = session_make();
    check_sent(session, 1, nominating);
    for (int host = 2; host <= SFU_ICE_ADDRESSES_MAX; host++) {
        session->now_us += 1000;
        check_sent(session, (uint8_t)host, plain);
    }
    session->now_us += 1000;
    check_sent(session, 2, plain);   /* Heard again: now 3 is the oldest, but for the selected. */
    check_sent(session, 100, plain); /* The ninth. */
    for (int host = 1; host <= SFU_ICE_ADDRESSES_MAX; host++) {
        struct sfu_address address = address_of((uint8_t)host);
        CHECK_INT(sfu_ice_is_validated(&session->ice, &address), host != 3);
    }
    struct sfu_address ninth = address_of(100);
    CHECK(sfu_ice_is_validated(&session->ice, &ninth));
    check_selected(session, 1);
    free(session);
}

static void credentials_are_random_text_of_ices_alphabet(void) {
    struct sfu_ice_credentials a;
    struct sfu_ice_credentials b;
    sfu_ice_credentials_generate(&a);
    sfu_ice_credentials_generate(&b);
    CHECK_INT(strlen(a.ufrag), SFU_UFRAG_LEN);
    CHECK_INT(strlen(a.pwd), SFU_PWD_LEN);
    CHECK(strcmp(a.ufrag, b.ufrag) != 0 && strcmp(a.pwd, b.pwd) != 0);
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    CHECK_INT(strspn(a.ufrag, alphabet), SFU_UFRAG_LEN);
    CHECK_INT(strspn(a.pwd, alphabet), SFU_PWD_LEN);
}

static const struct test tests[] = {
    {"a_check_is_answered_with_the_address_it_came_from",
     a_check_is_answered_with_the_address_it_came_from},
    {"the_sample_request_of_rfc_5769_is_authentic", the_sample_request_of_rfc_5769_is_authentic},
    {"the_mapped_address_is_written_as_in_rfc_5769", the_mapped_address_is_written_as_in_rfc_5769},
    {"a_change_of_any_byte_is_met_with_silence", a_change_of_any_byte_is_met_with_silence},
    {"a_message_cut_anywhere_is_malformed", a_message_cut_anywhere_is_malformed},
    {"a_use_candidate_behind_the_integrity_nominates_nothing",
     a_use_candidate_behind_the_integrity_nominates_nothing},
    {"a_short_message_integrity_is_wrong", a_short_message_integrity_is_wrong},
    {"unknown_users_are_met_with_silence", unknown_users_are_met_with_silence},
    {"empty_credentials_are_nobody", empty_credentials_are_nobody},
    {"a_fingerprint_is_optional_but_has_to_be_right",
     a_fingerprint_is_optional_but_has_to_be_right},
    {"a_controlled_peer_is_told_of_the_role_conflict",
     a_controlled_peer_is_told_of_the_role_conflict},
    {"unknown_attributes_matter_only_when_they_have_to_be_understood",
     unknown_attributes_matter_only_when_they_have_to_be_understood},
    {"what_is_no_binding_request_is_malformed", what_is_no_binding_request_is_malformed},
    {"the_ufrag_can_be_read_without_a_session", the_ufrag_can_be_read_without_a_session},
    {"until_something_is_nominated_media_goes_to_the_newest_address",
     until_something_is_nominated_media_goes_to_the_newest_address},
    {"a_nomination_from_a_new_address_moves_media_at_once",
     a_nomination_from_a_new_address_moves_media_at_once},
    {"media_leaves_an_address_silent_for_3_s_for_one_that_goes_on",
     media_leaves_an_address_silent_for_3_s_for_one_that_goes_on},
    {"one_check_from_elsewhere_in_a_silence_moves_nothing",
     one_check_from_elsewhere_in_a_silence_moves_nothing},
    {"every_good_check_is_consent", every_good_check_is_consent},
    {"a_restart_begins_with_the_first_check_with_the_new_credentials",
     a_restart_begins_with_the_first_check_with_the_new_credentials},
    {"a_restart_from_an_address_known_before_selects_it",
     a_restart_from_an_address_known_before_selects_it},
    {"the_address_unheard_for_longest_makes_room", the_address_unheard_for_longest_makes_room},
    {"credentials_are_random_text_of_ices_alphabet", credentials_are_random_text_of_ices_alphabet},
};

TEST_MAIN(tests)
