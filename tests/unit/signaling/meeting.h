/* Calls in virtual time with clients that keep what they are told, for the tests of calls and
 * sessions. */
#ifndef TESTS_UNIT_SIGNALING_MEETING_H
#define TESTS_UNIT_SIGNALING_MEETING_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/calls.h"
#include "signaling/log.h"
#include "signaling/session.h"
#include "tests/unit/signaling/fake_sfu.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000)

static uint64_t meeting_now_us;

static inline uint64_t meeting_clock_us(void) {
    return meeting_now_us;
}

static inline uint64_t meeting_clock_ms(void) {
    return UINT64_C(1700000000000) + meeting_now_us / 1000;
}

/* The world of one test. */
static struct {
    struct sig_config config;
    struct sig_store *store;
    struct sig_calls *calls;
    char call_id[SIG_UUID_SIZE];
} meeting;

struct client {
    struct sig_identity identity;
    struct sig_session *session;  /* NULL: ended. */
    json_t *heard;                /* Every message. */
    size_t hurried;               /* Those that might not wait. */
    const struct sig_frame *last; /* The newest, to be compared only. */
    int end;                      /* enum sig_session_end, or -1. */
};

static inline void client_on_message(void *data, struct sig_frame *frame, bool may_wait) {
    struct client *client = data;
    json_t *message = json_loadb(sig_frame_text(frame), frame->text_len, 0, NULL);
    CHECK(message != NULL);
    json_array_append_new(client->heard, message);
    client->hurried += !may_wait;
    client->last = frame;
}

static inline void client_on_end(void *data, enum sig_session_end why) {
    struct client *client = data;
    client->session = NULL;
    client->end = (int)why;
}

static const struct sig_session_owner client_owner = {client_on_message, client_on_end};

static inline struct client *client_create(const char *user_id) {
    struct client *client = calloc(1, sizeof(*client));
    strcpy(client->identity.user_id, user_id);
    strcpy(client->identity.name, user_id);
    client->identity.can_publish = client->identity.can_subscribe = true;
    client->heard = json_array();
    client->end = -1;
    return client;
}

static inline void client_destroy(struct client *client) {
    json_decref(client->heard);
    free(client);
}

static inline void meeting_open(bool demo) {
    static FILE *nowhere;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    sig_log_init(SIG_LOG_ERROR, SIG_LOG_HUMAN, nowhere);
    memset(&fake_sfu, 0, sizeof(fake_sfu));
    meeting_now_us = 100 * SECOND;
    meeting.config = (struct sig_config){.demo = demo,
                                         .max_message_bytes = 65536,
                                         .max_messages_per_second = 50,
                                         .max_calls = 100,
                                         .max_participants_per_call = 4,
                                         .max_tracks_per_participant = 4,
                                         .max_mlines_per_offer = 16,
                                         .ring_timeout_s = 45,
                                         .resume_grace_s = 30};
    char error[200];
    CHECK_INT(sig_store_open(&meeting.store,
                             &(struct sig_store_options){.database = "sqlite::memory:",
                                                         .now_ms = meeting_clock_ms},
                             error, sizeof(error)),
              0);
    meeting.calls = sig_calls_create(&(struct sig_calls_options){.config = &meeting.config,
                                                                 .store = meeting.store,
                                                                 .now_us = meeting_clock_us,
                                                                 .wall_ms = meeting_clock_ms});
    CHECK(meeting.calls != NULL);
}

static inline void meeting_close(void) {
    sig_calls_destroy(meeting.calls);
    sig_store_destroy(meeting.store);
    CHECK_INT(fake_sfu.participants, 0);
}

/* Lets time pass, waking the calls whenever they want. */
static inline void meeting_wait(uint64_t us) {
    uint64_t until_us = meeting_now_us + us;
    while (sig_calls_next_deadline(meeting.calls) <= until_us) {
        uint64_t deadline_us = sig_calls_next_deadline(meeting.calls);
        if (deadline_us > meeting_now_us)
            meeting_now_us = deadline_us;
        sig_calls_on_deadline(meeting.calls, meeting_now_us);
    }
    meeting_now_us = until_us;
}

/* Starts the test's call for up to two others (NULL: fewer). */
static inline void meeting_start(struct client *caller, const char *one, const char *two) {
    const char *users[] = {one, two};
    const struct sig_calls_invitation invitation = {
        .type = SIG_CALL_VIDEO, .user_ids = users, .user_count = one ? (two ? 2 : 1) : 0};
    const struct sig_call *call = NULL;
    struct sig_refusal refusal;
    CHECK_INT(sig_calls_initiate(meeting.calls, &caller->identity, &invitation, &call, &refusal,
                                 NULL, NULL),
              0);
    strcpy(meeting.call_id, call->id);
}

static inline int client_act(struct client *client, enum sig_call_event event,
                             struct sig_refusal *refusal) {
    return sig_calls_act(meeting.calls, meeting.call_id, &client->identity, event, refusal, NULL,
                         NULL);
}

static inline int client_try(struct client *client, enum sig_sdp_role role,
                             struct sig_refusal *refusal) {
    const struct sig_session_options options = {.identity = &client->identity,
                                                .owner = &client_owner,
                                                .data = client,
                                                .role = role,
                                                .create_call = true};
    return sig_session_create(&client->session, meeting.calls, meeting.call_id, &options, refusal);
}

static inline void client_enter(struct client *client) {
    struct sig_refusal refusal;
    if (client_try(client, SIG_SDP_CALL, &refusal) < 0)
        test_fail(__FILE__, __LINE__, "refused: %s", refusal.words);
}

static inline void client_say(struct client *client, const char *text) {
    sig_session_receive(client->session, text, strlen(text));
}

/* Says {"type": "offer", "offer": {"sdp": …}}. */
static inline void client_offer(struct client *client, const char *sdp) {
    json_t *message =
        json_pack("{s:s, s:{s:s, s:s}}", "type", "offer", "offer", "type", "offer", "sdp", sdp);
    char *text = json_dumps(message, 0);
    client_say(client, text);
    free(text);
    json_decref(message);
}

/* The newest message of this type, or NULL. */
static inline const json_t *client_heard(const struct client *client, const char *type) {
    for (size_t i = json_array_size(client->heard); i-- > 0;) {
        const json_t *message = json_array_get(client->heard, i);
        if (strcmp(json_string_value(json_object_get(message, "type")), type) == 0)
            return message;
    }
    return NULL;
}

static inline size_t client_count(const struct client *client, const char *type) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(client->heard); i++)
        count +=
            strcmp(json_string_value(json_object_get(json_array_get(client->heard, i), "type")),
                   type) == 0;
    return count;
}

static inline void client_forget(struct client *client) {
    json_array_clear(client->heard);
}

/* A text member of the newest message of this type; "" when there is none. */
static inline const char *client_text(const struct client *client, const char *type,
                                      const char *name) {
    const char *text = json_string_value(json_object_get(client_heard(client, type), name));
    return text ? text : "";
}

static inline void meeting_event(struct sfu_event event) {
    sig_calls_on_sfu_event(&meeting.calls, &event);
}

#endif
