/* The door for what a client says over its WebSocket: one table of message types. */
#include <errno.h>
#include <string.h>

#include "signaling/json.h"
#include "signaling/room.h"

/* How a client that says this speaks, if it has not said so yet. */
enum speaks { SPEAKS_MESH, SPEAKS_SFU, SPEAKS_ITSELF };

static const struct {
    const char *type;
    sig_message_fn handler;
    enum speaks speaks;
} types[] = {
    {"join", sig_message_join, SPEAKS_ITSELF},
    {"offer", sig_message_offer, SPEAKS_ITSELF},
    {"webrtc_offer", sig_message_offer, SPEAKS_ITSELF},
    {"answer", sig_message_answer, SPEAKS_MESH},
    {"webrtc_answer", sig_message_answer, SPEAKS_MESH},
    {"ice_candidate", sig_message_candidate, SPEAKS_ITSELF},
    {"toggle_audio", sig_message_toggle, SPEAKS_MESH},
    {"toggle_video", sig_message_toggle, SPEAKS_MESH},
    {"start_screen_share", sig_message_screen, SPEAKS_MESH},
    {"end_call", sig_message_end, SPEAKS_ITSELF},
    {"chat_message", sig_message_chat, SPEAKS_MESH},
    {"poll_created", sig_message_poll, SPEAKS_MESH},
    {"poll_vote", sig_message_vote, SPEAKS_MESH},
    {"signal", sig_message_signal, SPEAKS_ITSELF},
    {"subscribe", sig_message_subscribe, SPEAKS_SFU},
    {"publish", sig_message_publish, SPEAKS_SFU},
    {"direct", sig_message_direct, SPEAKS_SFU},
};

static void settle_media(struct sig_session *session, enum speaks speaks) {
    if (session->media == SIG_MEDIA_UNDECIDED && speaks != SPEAKS_ITSELF)
        sig_session_announce(session, speaks == SPEAKS_SFU ? SIG_MEDIA_SFU : SIG_MEDIA_MESH);
}

static int dispatch(struct sig_session *session, const json_t *message, const char *type,
                    struct sig_refusal *refusal) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type, types[i].type) == 0) {
            settle_media(session, types[i].speaks);
            return types[i].handler(session, message, refusal);
        }
    return sig_refuse(refusal, 400, "unknown_type", "There is no message of type \"%.40s\"", type);
}

static int read_message(struct sig_session *session, const char *text, size_t len, json_t **out,
                        struct sig_refusal *refusal) {
    char why[128];
    if (!sig_bucket_take(&session->messages, session->room->calls->now_us()))
        return sig_refuse(refusal, 429, "rate_limited", "Too many messages: this one was ignored");
    *out = sig_json_parse(text, len, why, sizeof(why));
    if (!*out)
        return sig_refuse(refusal, 400, "bad_json", "This is not a JSON object: %s", why);
    if (!sig_json_text(*out, "type"))
        return sig_refuse(refusal, 400, "bad_message", "The message has no type");
    return 0;
}

void sig_session_receive(struct sig_session *session, const char *text, size_t len) {
    struct sig_refusal refusal;
    json_t *message = NULL;
    session->room->calls->stats.messages++;
    int status = read_message(session, text, len, &message, &refusal);
    if (status == 0)
        status = dispatch(session, message, sig_json_text(message, "type"), &refusal);
    if (status < 0)
        sig_session_tell_error(session, &refusal, message ? sig_json_text(message, "type") : NULL);
    json_decref(message);
}
