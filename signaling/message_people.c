/* What clients say to each other: relayed to one mesh client, or told to all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signaling/json.h"
#include "signaling/room.h"

enum { SIGNAL_KIND_MAX = 64, SIGNAL_DATA_MAX = 4096 };

/* Whom a message is for: "" stands for the SFU. Host pages may have numbers for user ids. */
static int read_target(const json_t *message, char out[static SIG_USER_ID_SIZE],
                       struct sig_refusal *refusal) {
    const json_t *value = json_object_get(message, "to_user_id");
    if (!value || json_is_null(value))
        value = json_object_get(message, "target_user_id");
    const char *text = json_string_value(value);
    out[0] = '\0';
    if (!value || json_is_null(value) || (text && strcmp(text, "sfu") == 0))
        return 0;
    if (json_is_integer(value))
        snprintf(out, SIG_USER_ID_SIZE, "%lld", (long long)json_integer_value(value));
    else if (text && sig_text_is_user_id(text))
        snprintf(out, SIG_USER_ID_SIZE, "%s", text);
    else
        return sig_refuse(refusal, 400, "bad_message", "The target is no user id");
    return 0;
}

/* A mesh client of that user. An SFU client gets a peer's offer only when both have been told to go
 * direct. */
static struct sig_session *find_peer(const struct sig_session *session, const char *user_id,
                                     struct sig_refusal *refusal) {
    struct sig_session *peer = sig_room_find_session(session->room, user_id, session);
    if (!peer) {
        sig_refuse(refusal, 404, "unknown_target", "This user is not in the call");
        return NULL;
    }
    if (peer->media == SIG_MEDIA_SFU && !(peer->is_direct && session->is_direct)) {
        sig_refuse(refusal, 409, "target_uses_sfu", "This user's media goes through the server");
        return NULL;
    }
    return peer;
}

/* Passes one member of a message on, under the same type, with who said it. */
static int relay(struct sig_session *session, const json_t *message, const char *member,
                 const char *target, struct sig_refusal *refusal) {
    struct sig_session *peer = find_peer(session, target, refusal);
    if (!peer)
        return -ENOENT;
    if (session->media == SIG_MEDIA_UNDECIDED)
        sig_session_announce(session, SIG_MEDIA_MESH);
    const struct sig_identity *sender = &session->identity;
    sig_session_send(peer, json_pack("{s:s, s:O, s:s, s:s, s:s, s:s, s:s}", "type",
                                     sig_json_text(message, "type"), member,
                                     json_object_get(message, member), "from_user_id",
                                     sender->user_id, "sender_id", sender->user_id, "sender_name",
                                     sender->name, "to_user_id", target, "target_user_id", target));
    return 0;
}

static int read_description(const json_t *message, const char *member, const json_t **out,
                            struct sig_refusal *refusal) {
    *out = json_object_get(message, member);
    if (sig_json_text(*out, "sdp"))
        return 0;
    return sig_refuse(refusal, 400, "bad_message", "%s has to be an object with type and sdp",
                      member);
}

int sig_message_offer(struct sig_session *session, const json_t *message,
                      struct sig_refusal *refusal) {
    char target[SIG_USER_ID_SIZE] = "";
    const json_t *offer;
    int status = read_description(message, "offer", &offer, refusal);
    if (status == 0)
        status = read_target(message, target, refusal);
    if (status < 0)
        return status;
    if (target[0])
        return relay(session, message, "offer", target, refusal);
    return sig_message_offer_to_sfu(session, offer, refusal);
}

int sig_message_answer(struct sig_session *session, const json_t *message,
                       struct sig_refusal *refusal) {
    char target[SIG_USER_ID_SIZE] = "";
    const json_t *answer;
    int status = read_description(message, "answer", &answer, refusal);
    if (status == 0)
        status = read_target(message, target, refusal);
    if (status < 0)
        return status;
    if (target[0])
        return relay(session, message, "answer", target, refusal);
    return sig_refuse(refusal, 409, "unexpected_answer", "The server never offers");
}

/* The SFU is ICE-lite: it learns addresses from checks, and candidates without a target are merely
 * accepted. */
int sig_message_candidate(struct sig_session *session, const json_t *message,
                          struct sig_refusal *refusal) {
    char target[SIG_USER_ID_SIZE] = "";
    const json_t *candidate = json_object_get(message, "candidate");
    if (!candidate ||
        !(json_is_object(candidate) || json_is_null(candidate) || json_is_string(candidate)))
        return sig_refuse(refusal, 400, "bad_message", "candidate has to be an object or null");
    int status = read_target(message, target, refusal);
    if (status < 0 || target[0] == '\0')
        return status;
    return relay(session, message, "candidate", target, refusal);
}

static int read_flag(const json_t *message, const char *name, bool *out,
                     struct sig_refusal *refusal) {
    const json_t *value = json_object_get(message, name);
    if (!json_is_boolean(value))
        return sig_refuse(refusal, 400, "bad_message", "%s has to be true or false", name);
    *out = json_is_true(value);
    return 0;
}

int sig_message_toggle(struct sig_session *session, const json_t *message,
                       struct sig_refusal *refusal) {
    bool on = false;
    int status = read_flag(message, "enabled", &on, refusal);
    if (status < 0)
        return status;
    bool is_audio = strcmp(sig_json_text(message, "type"), "toggle_audio") == 0;
    if (is_audio)
        session->is_muted = !on;
    else
        session->is_camera_off = !on;
    sig_session_set_switch(session, is_audio ? SIG_SWITCH_AUDIO : SIG_SWITCH_VIDEO, on);
    return 0;
}

int sig_message_screen(struct sig_session *session, const json_t *message,
                       struct sig_refusal *refusal) {
    bool on = false;
    int status = read_flag(message, "is_sharing", &on, refusal);
    if (status == 0)
        sig_session_set_switch(session, SIG_SWITCH_SCREEN, on);
    return status;
}

int sig_message_end(struct sig_session *session, const json_t *message,
                    struct sig_refusal *refusal) {
    (void)message;
    return sig_calls_act(session->room->calls, sig_session_call_id(session), &session->identity,
                         SIG_CALL_EVENT_END, refusal, NULL, NULL);
}

/* Tells the others a message of this type with the members given, which are passed on as they are.
 */
static int tell(struct sig_session *session, const json_t *message, const char *const *members,
                size_t count) {
    json_t *told = json_pack("{s:s, s:s, s:s}", "type", sig_json_text(message, "type"), "sender_id",
                             session->identity.user_id, "sender_name", session->identity.name);
    for (size_t i = 0; i < count; i++)
        json_object_set(told, members[i], json_object_get(message, members[i]));
    sig_room_tell(session->room, session, told);
    return 0;
}

int sig_message_chat(struct sig_session *session, const json_t *message,
                     struct sig_refusal *refusal) {
    static const char *const members[] = {"message"};
    const char *text = sig_json_text(message, "message");
    if (!text || text[0] == '\0')
        return sig_refuse(refusal, 400, "bad_message", "message has to be a text");
    unsigned wait_s = sig_throttle_take(session->room->calls->throttle, SIG_THROTTLE_CHATS,
                                        session->identity.user_id, NULL);
    if (wait_s > 0)
        return sig_refuse(refusal, 429, "rate_limited",
                          "Too many messages: this one was ignored; possible again in %u s",
                          wait_s);
    return tell(session, message, members, 1);
}

int sig_message_poll(struct sig_session *session, const json_t *message,
                     struct sig_refusal *refusal) {
    static const char *const members[] = {"poll"};
    if (!json_is_object(json_object_get(message, "poll")))
        return sig_refuse(refusal, 400, "bad_message", "poll has to be an object");
    return tell(session, message, members, 1);
}

int sig_message_vote(struct sig_session *session, const json_t *message,
                     struct sig_refusal *refusal) {
    static const char *const members[] = {"poll_id", "option_index"};
    const json_t *poll = json_object_get(message, "poll_id");
    if (!(json_is_string(poll) || json_is_integer(poll)) ||
        !json_is_integer(json_object_get(message, "option_index")))
        return sig_refuse(refusal, 400, "bad_message", "A vote needs poll_id and option_index");
    return tell(session, message, members, 2);
}

/* What clients tell each other beyond the fixed messages, of any kind that an application likes. */
int sig_message_signal(struct sig_session *session, const json_t *message,
                       struct sig_refusal *refusal) {
    static const char *const members[] = {"kind", "data"};
    const char *kind = sig_json_text(message, "kind");
    const json_t *data = json_object_get(message, "data");
    if (!kind || kind[0] == '\0' || strlen(kind) > SIGNAL_KIND_MAX)
        return sig_refuse(refusal, 400, "bad_message", "kind has to be a text of 1 to %d bytes",
                          SIGNAL_KIND_MAX);
    if (data && json_dumpb(data, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) > SIGNAL_DATA_MAX)
        return sig_refuse(refusal, 413, "too_big", "data has more than %d bytes", SIGNAL_DATA_MAX);
    if (!sig_bucket_take(&session->signals, session->room->calls->now_us()))
        return sig_refuse(refusal, 429, "rate_limited", "Too many signals: this one was ignored");
    return tell(session, message, members, data ? 2 : 1);
}
