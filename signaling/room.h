/* The inside of the live calls, shared by calls.c, room*.c, session*.c and message*.c, and not for
 * anybody else: a room is a call that is going on with the sessions in it.
 *
 * What is ended is unlinked at once, put into the graveyard, and freed at the next deadline. */
#ifndef SIGNALING_ROOM_H
#define SIGNALING_ROOM_H

#include <jansson.h>

#include "signaling/calls.h"
#include "signaling/limits.h"
#include "signaling/listeners.h"
#include "signaling/presence.h"
#include "signaling/session.h"

#define SIG_RESUME_TOKEN_BYTES 16

/* A client that has said nothing for so long is a mesh client waiting for offers. */
#define SIG_ANNOUNCE_AFTER_US 300000u

/* Records of those who passed through an open call, beside those who are in it. */
#define SIG_GUESTS_KEPT 500

/* `signal` messages of a client; a crowd may send twice as many at once. */
#define SIG_SIGNALS_PER_SECOND 10

struct sig_track {
    /* Owned. */
    struct sig_frame *told[2]; /* `track_published` to who cannot and can decode it, once told. */

    /* Links: of all in the room, and of those whose numbers share a chain. */
    struct sig_session *publisher;
    struct sig_track *next, **at;
    struct sig_track *next_alike, **at_alike;

    /* State. */
    uint64_t number;
    enum sfu_source source;
    bool is_video;
    bool is_simulcast;
    bool is_choice_known; /* The SFU has said which layers anybody watches: */
    uint8_t watched;      /* bit i is the layer of rids[i]. */
};

/* How good a participant's connection is; the score is 0 while nothing is known. */
struct sig_quality {
    uint8_t score; /* 1 to 5. */
    struct sfu_quality up, down;
    uint32_t rtt_us; /* 0: not known. */
};

/* A participant as `welcome` lists it, kept as text from one to the next. */
struct sig_card {
    /* Owned. */
    char *text;
    char *name;

    /* State: of when it was written. */
    size_t len;
    enum sig_participant_status status;
    bool is_audio_enabled, is_video_enabled, is_screen_sharing;
    uint64_t changes; /* Of the session's tracks and quality. */
};

enum sig_media { SIG_MEDIA_UNDECIDED, SIG_MEDIA_MESH, SIG_MEDIA_SFU };

struct sig_session {
    /* Given. */
    const struct sig_session_owner *owner; /* NULL: detached. */
    void *data;
    struct sig_identity identity;
    enum sig_sdp_role role;

    /* Owned. */
    struct sig_sdp_agreement *agreement; /* In force; NULL: no transport in the SFU. */
    struct sig_sdp_source *sources;      /* What `publish` said last. */
    size_t source_count;
    struct sig_track *tracks;
    size_t track_count;
    struct sfu_slot_state *slots; /* What they carry, as the SFU said last. */
    size_t slot_count;
    struct sig_quality quality; /* As the SFU said last. */
    struct sig_card card;

    /* Links. */
    struct sig_room *room;
    struct sig_session *next, **at;             /* Of the room, or of the graveyard. */
    struct sig_session *next_alike, **at_alike; /* Of those whose user ids share a chain. */

    /* State. */
    uint64_t changes; /* Of its tracks and quality, so far. */
    uint64_t number;  /* In the SFU; 0: not there. */
    char resume_token[SIG_RESUME_TOKEN_BYTES * 2 + 1];
    enum sig_media media;
    bool is_announced;       /* The others have been told of this user. */
    bool is_media_lost;      /* The SFU hears nothing of it any more. */
    bool is_muted;           /* Said so by toggle_audio, */
    bool is_camera_off;      /* by toggle_video. */
    bool can_direct;         /* Said so by join. */
    bool is_direct;          /* With the only other one. */
    uint64_t announce_at_us; /* 0: not waiting. */
    uint64_t gone_at_us;     /* Detached: when the grace is over. */
    struct sig_bucket messages;
    struct sig_bucket signals;
};

/* Sessions by the hash of their user ids, and tracks by their numbers. */
struct sig_chain {
    struct sig_session *sessions;
    struct sig_track *tracks;
};

struct sig_room {
    /* Owned. */
    struct sig_call *call;
    struct sig_frame *speakers; /* The message told last, or NULL. */
    struct sig_chain *chains;
    char **banned;    /* User ids of those who were removed, */
    size_t ban_count; /* who may not come again. */

    /* Links. */
    struct sig_calls *calls;
    struct sig_session *sessions;
    struct sig_track *tracks, **last_track;
    struct sig_room *next, **at; /* Of the calls, or of the graveyard. */

    /* State. */
    const char *key; /* call->id: what the tree compares. */
    uint64_t number; /* In the SFU. */
    size_t session_count;
    size_t chain_count;
    bool is_direct;         /* Two of its sessions are. */
    uint64_t ring_until_us; /* 0: nobody is waited for. */
    uint64_t direct_due_us; /* When two who are alone go direct; 0: not waiting. */
    unsigned direct_failures;
};

/* A call that is over, remembered for an hour. */
struct sig_tombstone {
    char id[SIG_UUID_SIZE];
    bool is_on_demand;
    uint64_t until_us;
};

struct sig_calls {
    /* Given. */
    const struct sig_config *config;
    struct sfu *sfu;
    struct sig_store *store;
    struct sig_throttle *throttle;
    struct sig_webhook *webhook;
    uint64_t (*now_us)(void);
    uint64_t (*wall_ms)(void);

    /* Owned. */
    struct sig_room *rooms;
    void *rooms_by_id; /* Trees of struct sig_room. */
    void *rooms_by_number;
    void *sessions_by_number; /* Tree of struct sig_session. */
    struct sig_room *dead_rooms;
    struct sig_session *dead_sessions;
    struct sig_tombstone *tombstones; /* A ring. */
    struct sig_listeners listeners;
    struct sig_presence *presence;
    struct sig_why *whys; /* Questions under way. */

    /* State. */
    uint64_t last_number; /* Of rooms, participants and tracks alike. */
    size_t room_count;
    uint64_t deadline_us;
    uint64_t alive_due_us; /* When the store is to hear of us again. */
    size_t tombstone_next;
    bool is_draining;
    uint64_t changes_asked, changes_stored;
    void (*on_stored)(void *data, uint64_t stored); /* NULL: nobody waits. */
    void *on_stored_data;

    /* Counters. Those of what is going on are filled when asked for. */
    struct sig_calls_stats stats;
};

/* calls.c */
uint64_t sig_calls_new_number(struct sig_calls *calls);
void sig_calls_wake_by(struct sig_calls *calls, uint64_t deadline_us);
struct sig_room *sig_calls_find_room(const struct sig_calls *calls, const char *call_id);
struct sig_room *sig_calls_find_number(const struct sig_calls *calls, uint64_t number);

/* Makes a room for a call in status INITIATING, which it takes over (also on failure). NULL without
 * memory. */
struct sig_room *sig_calls_add_room(struct sig_calls *calls, struct sig_call *call);

/* Unlinks the room; it is freed at the next deadline. */
void sig_calls_remove_room(struct sig_room *room);

/* Remembers a call that is over, for the answer to those who come too late. */
void sig_calls_remember(struct sig_calls *calls, const struct sig_call *call);
const struct sig_tombstone *sig_calls_recall(const struct sig_calls *calls, const char *call_id);

/* Puts a session under its number, so that events of the SFU find it, or takes it away. */
int sig_calls_index_session(struct sig_calls *calls, struct sig_session *session);
void sig_calls_unindex_session(struct sig_calls *calls, struct sig_session *session);
struct sig_session *sig_calls_find_session(const struct sig_calls *calls, uint64_t number);

/* sig_calls_admit.c: whether this identity may be in this call, and its record, made for a guest of
 * an open call. is_joining: it wants to get in (limits and draining count). */
int sig_calls_admit(struct sig_room *room, const struct sig_identity *identity, bool is_joining,
                    struct sig_participant **out, struct sig_refusal *refusal);
int sig_calls_refuse_unknown(const struct sig_calls *calls, const char *call_id,
                             struct sig_refusal *refusal);

/* calls_change.c: begins a call on demand, with an id that the client brought. NULL: refused. */
struct sig_room *sig_calls_begin(struct sig_calls *calls, const char *call_id,
                                 const struct sig_identity *initiator, struct sig_refusal *refusal);

/* calls_save.c: writes what happened to the call, with the participant that changed (NULL: all),
 * and the samples of those who are not in it any more. */
void sig_calls_save(struct sig_room *room, const struct sig_participant *changed, const char *event,
                    const char *by, sig_store_saved_fn stored, void *data);

/* Notes how everybody fares; to be called every second. */
void sig_calls_sample(struct sig_calls *calls);

/* calls_find.c: the call that is meant by a new one: that of the channel, or that of the same two
 * people; or NULL. */
struct sig_room *sig_calls_find_same(const struct sig_calls *calls,
                                     const struct sig_identity *caller,
                                     const struct sig_calls_invitation *invitation);

/* Marks those of the call's people who are in another one. */
void sig_calls_mark_busy(const struct sig_calls *calls, struct sig_call *call);

/* room.c */

/* The participant is here (again): they do not count as gone any more. */
void sig_room_user_came(struct sig_room *room, struct sig_participant *who);

/* Whoever is waited for has until then; whoever is in without a connection gets the grace as well.
 */
void sig_room_resume(struct sig_room *room, uint64_t ring_until_us);

/* Lets an event happen to the call, stores it, and lets everybody know. by: whose doing it is, for
 * `call_ended`. -EPROTO: not in this state. */
int sig_room_apply(struct sig_room *room, struct sig_participant *who, enum sig_call_event event,
                   const char *by, sig_store_saved_fn stored, void *data);

/* Sends to one client, to all but one (NULL: all); a JSON value's reference is taken over, a frame
 * (NULL: nothing is sent) is borrowed. */
void sig_session_send(struct sig_session *session, json_t *message);
void sig_session_send_frame(struct sig_session *session, struct sig_frame *frame, bool may_wait);
void sig_room_tell(struct sig_room *room, const struct sig_session *but, json_t *message);

/* The same with news of people and tracks, which in a large room may wait for more of them:
 * otherwise a thousand who come in one after the other wake each other a million times. */
void sig_room_tell_news(struct sig_room *room, const struct sig_session *but, json_t *message);
bool sig_room_is_large(const struct sig_room *room);

/* A session by which the user takes part, other than `but`; or NULL. */
struct sig_session *sig_room_find_session(const struct sig_room *room, const char *user_id,
                                          const struct sig_session *but);

/* Tells that the user has left, if any session of theirs was announced, which none is afterwards.
 */
void sig_room_tell_left(struct sig_room *room, const struct sig_participant *who);

/* The user's last session is gone: they have left, which ends the call if they were the last.
 * Unless it is_final, or the call is on demand, the last one's call is kept for the grace time
 * first. */
void sig_room_user_gone(struct sig_room *room, const char *user_id, bool is_final);

/* The earliest thing to do in the room, and doing what is due. The room may be over afterwards. */
uint64_t sig_room_next_deadline(const struct sig_room *room);
void sig_room_on_deadline(struct sig_room *room, uint64_t now_us);

/* Frees a dead room. */
void sig_room_free(struct sig_room *room);

/* room_index.c: the sessions of a user and the track of a number, found without a look at the
 * others. Pairs: what is in the room is put in and taken out. */
int sig_room_index_init(struct sig_room *room);
void sig_room_index_deinit(struct sig_room *room);
void sig_room_index_session(struct sig_room *room, struct sig_session *session);
void sig_room_unindex_session(struct sig_session *session);
void sig_room_index_tracks(struct sig_session *session);
void sig_room_unindex_tracks(struct sig_session *session);

/* The user's sessions, one after the other, newest first; NULL: no more. */
struct sig_session *sig_room_first_of(const struct sig_room *room, const char *user_id);
struct sig_session *sig_session_next_of(const struct sig_session *session);

/* room_media.c: what the SFU says of the media, as messages. */
void sig_calls_on_speakers(struct sig_calls *calls, const struct sfu_event *event);
void sig_room_tell_speakers(struct sig_session *session);
void sig_session_on_quality(struct sig_session *session, const struct sfu_event *event);
json_t *sig_quality_json(const struct sig_quality *quality); /* Its members alone. */

/* Remembers which layers of a track anybody watches, and tells who publishes it. */
void sig_session_on_layers(struct sig_session *session, const struct sfu_event *event);
void sig_session_tell_layers(struct sig_session *session);

/* room_why.c: gives up every question under way; the askers hear NULL. */
void sig_calls_end_whys(struct sig_calls *calls);

/* room_remove.c */
bool sig_room_is_banned(const struct sig_room *room, const char *user_id);

/* room_notify.c: what browsers outside the call are told. Rings at those who are waited for and
 * have not been rung at, and stops ringing at those who are not waited for any more. */
void sig_room_notify(struct sig_room *room);
void sig_room_ring_listener(struct sig_room *room, struct sig_listener *listener);

/* room_direct.c: to be called when who is in the room, or how they speak, is another: ends what may
 * not go on, and sets when two who are alone begin. */
void sig_room_check_direct(struct sig_room *room);
void sig_room_begin_direct(struct sig_room *room); /* When it is due. */

/* Tells a client that is back how things stand. */
void sig_session_tell_direct(struct sig_session *session);

/* room_changed.c: browsers of the call's people, and of its channel's members, are told that its
 * status is another one. */
void sig_room_tell_changed(struct sig_room *room);

/* session.c */
struct sig_participant *sig_session_participant(const struct sig_session *session);
bool sig_session_is_watcher(const struct sig_session *session);

/* Tells the others of the session's user, and settles how its media travels. */
void sig_session_announce(struct sig_session *session, enum sig_media media);

/* Unlinks the session, takes it out of the SFU, and tells the others of its tracks; not of its
 * user. Its owner is told why when tell is set. */
void sig_session_end(struct sig_session *session, bool tell, enum sig_session_end why);
void sig_session_free(struct sig_session *session);

/* session_media.c: the session's transport in the SFU. */
void sig_session_on_sfu_event(struct sig_session *session, const struct sfu_event *event);

/* Takes the transport, its tracks and slots away; the session goes on without. */
void sig_session_reset_media(struct sig_session *session);

/* session_tracks.c: takes over what an agreement publishes (NULL: nothing), and tells the others
 * what is new and what is gone. Slots that are gone are forgotten. 0, or -ENOMEM and nothing
 * happened. */
int sig_session_set_tracks(struct sig_session *session, const struct sig_sdp_agreement *agreement);

/* The track with this number in the room, or NULL. */
const struct sig_track *sig_room_find_track(const struct sig_room *room, uint64_t number);

/* Tells the session of every track of the others; or only of those that it cannot decode. */
void sig_session_tell_tracks(struct sig_session *session, bool only_unsupported);

/* Remembers what the SFU said of some slots, and tells the client. */
void sig_session_set_slots(struct sig_session *session, const struct sfu_slot_state *slots,
                           size_t count);
void sig_session_tell_slots(struct sig_session *session, const struct sfu_slot_state *slots,
                            size_t count);
json_t *sig_track_json(const struct sig_track *track);
const char *sig_source_name(enum sfu_source source);
int sig_source_read(const char *text, enum sfu_source *out);

/* session_card.c: a JSON list of those whom the session is told of, without a NUL; NULL without
 * memory. To be freed. */
char *sig_session_list_others(const struct sig_session *session, size_t *len);
void sig_card_deinit(struct sig_card *card);

/* session_tell.c: messages about people. */
void sig_session_tell_welcome(struct sig_session *session, bool is_resumed);
void sig_session_tell_error(struct sig_session *session, const struct sig_refusal *refusal,
                            const char *in_reply_to);

enum sig_switch { SIG_SWITCH_AUDIO, SIG_SWITCH_VIDEO, SIG_SWITCH_SCREEN };

/* Stores a state of the session's user and tells the others. */
void sig_session_set_switch(struct sig_session *session, enum sig_switch which, bool on);

/* message.c: handlers of what clients say are in message_*.c. A handler returns 0, or a negative
 * errno with the refusal filled for the `error` to come. */
typedef int (*sig_message_fn)(struct sig_session *session, const json_t *message,
                              struct sig_refusal *refusal);
int sig_message_join(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_offer(struct sig_session *, const json_t *, struct sig_refusal *);

/* The offer object of a message without a target: negotiated and answered. */
int sig_message_offer_to_sfu(struct sig_session *, const json_t *offer, struct sig_refusal *);
int sig_message_answer(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_candidate(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_toggle(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_screen(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_end(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_chat(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_signal(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_poll(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_vote(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_subscribe(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_publish(struct sig_session *, const json_t *, struct sig_refusal *);
int sig_message_direct(struct sig_session *, const json_t *, struct sig_refusal *);

#endif
