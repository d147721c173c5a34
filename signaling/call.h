/* What a call is and how it may change: the record of a call and of its participants, and the state
 * machine of both. Pure: no I/O, no clock (times are milliseconds since 1970). */
#ifndef SIGNALING_CALL_H
#define SIGNALING_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/text.h"

enum sig_call_type { SIG_CALL_AUDIO, SIG_CALL_VIDEO };

enum sig_call_status {
    SIG_CALL_INITIATING, /* Being made: nobody has heard of it yet. */
    SIG_CALL_RINGING,
    SIG_CALL_ACTIVE,
    SIG_CALL_ENDED, /* From here on it is over for ever. */
    SIG_CALL_MISSED,
    SIG_CALL_REJECTED,
    SIG_CALL_STATUS_COUNT
};

enum sig_participant_status {
    SIG_PARTICIPANT_INVITED,
    SIG_PARTICIPANT_RINGING, /* A browser of theirs shows the call. */
    SIG_PARTICIPANT_JOINED,
    SIG_PARTICIPANT_LEFT,
    SIG_PARTICIPANT_REJECTED,
    SIG_PARTICIPANT_MISSED,
    SIG_PARTICIPANT_STATUS_COUNT
};

/* What can happen to a call: the first by one participant, the others to the call as a whole. */
enum sig_call_event {
    SIG_CALL_EVENT_RING,    /* The invitation reached them. */
    SIG_CALL_EVENT_JOIN,    /* Again while joined: nothing changes. */
    SIG_CALL_EVENT_LEAVE,   /* The last one out ends the call. */
    SIG_CALL_EVENT_REJECT,  /* When nobody is left to answer, the call is REJECTED. */
    SIG_CALL_EVENT_MISS,    /* When nobody is left to answer, the call is MISSED. */
    SIG_CALL_EVENT_START,   /* The caller is in, the others are invited: it rings. */
    SIG_CALL_EVENT_END,     /* For everybody. */
    SIG_CALL_EVENT_TIMEOUT, /* It has rung for long enough: who has not answered has missed it. */
    SIG_CALL_EVENT_COUNT
};

/* How someone fared since the last sample was stored: sums over `weight` measurements. */
struct sig_quality_sum {
    uint64_t since_ms;
    unsigned weight, rtt_weight, score_min; /* The round trip is known a little later. */
    uint64_t score, up_loss_permille, down_loss_permille, rtt_ms, up_bps, down_bps;
    const char *reason; /* Of the worst; a constant, or NULL. */
};

struct sig_participant {
    /* Owned. */
    char *user_id;
    char *name;

    /* State. */
    enum sig_participant_status status;
    bool is_rung;  /* Their browsers show the call. Means nothing to the store. */
    bool is_busy;  /* Was in another call when this one began. Means nothing to the store. */
    bool is_guest; /* Was not invited: came by the link of an open call. */
    bool is_audio_enabled;
    bool is_video_enabled;
    bool is_screen_sharing;
    enum sig_participant_status told_status; /* As the webhook's messages say. */
    uint64_t joined_at_ms;                   /* The newest time; 0: never. */
    uint64_t left_at_ms;                     /* 0: never, or in again. */
    uint64_t total_ms;                       /* Of the stays that are over. */
    uint64_t seen_at_ms; /* JOINED before the server was restarted and not back since: when they
                            were there for the last time that is known; 0: they are here. */
    size_t position;     /* In the order of their coming; never changes. */
    uint64_t gone_at_us; /* JOINED without a session: when they count as gone, on the monotonic
                            clock; 0: not at all. Means nothing to the store. */
    struct sig_quality_sum quality; /* Not stored yet. */

    /* Links. */
    struct sig_participant *next_alike; /* Of those whose user ids share a chain. */
};

struct sig_call {
    /* Owned. */
    char *initiator_id;
    char *channel_id; /* NULL: none. */
    struct sig_participant **participants;
    struct sig_participant **chains; /* The same, by the hash of their user ids. */

    /* State. */
    char id[SIG_UUID_SIZE];
    enum sig_call_type type;
    enum sig_call_status status;
    bool is_open;      /* Anyone signed in who knows the id may join. */
    bool is_on_demand; /* Made by a client that brought the id (WHIP in demo mode). */
    uint64_t created_at_ms;
    uint64_t started_at_ms; /* First answer; 0: never. */
    uint64_t ended_at_ms;
    enum sig_call_status told_status; /* As the webhook's messages say, */
    uint64_t hook_count;              /* of which there were so many. */
    uint64_t event_count;     /* What has happened to it, for the numbers of what is stored. */
    size_t people_count;      /* Participants ever, also those forgotten or not loaded. */
    size_t participant_count; /* Those in the list. */
    size_t participant_capacity;
    size_t chain_count;
};

/* A new call in status INITIATING whose initiator is its first participant, not joined yet; NULL
 * without memory. id is copied, in lower case; NULL makes one. */
struct sig_call *sig_call_create(const char *id, enum sig_call_type type, const char *initiator_id,
                                 const char *initiator_name, uint64_t now_ms);
struct sig_call *sig_call_copy(const struct sig_call *call);
void sig_call_destroy(struct sig_call *call);

/* Adds an INVITED participant. Returns it, the one that has this user id already, or NULL without
 * memory. */
struct sig_participant *sig_call_add(struct sig_call *call, const char *user_id, const char *name);

/* Forgets the guest who left first, so that an open call that many pass through stays small; false
 * when there is none. */
bool sig_call_forget_guest(struct sig_call *call);

/* The participant with this user id, or NULL. */
struct sig_participant *sig_call_find(const struct sig_call *call, const char *user_id);

/* Lets an event happen, to `who` or (START, END, TIMEOUT) with who NULL to all. 0, or -EPROTO for
 * an event that is not allowed in this state; then nothing has changed. */
int sig_call_apply(struct sig_call *call, struct sig_participant *who, enum sig_call_event event,
                   uint64_t now_ms);

bool sig_call_is_over(const struct sig_call *call);

/* Whether this participant was called and never came: missed it, or it ended before they could
 * answer. Who declined has not missed it. */
bool sig_call_has_missed(const struct sig_call *call, const struct sig_participant *who);

/* How many participants are in this status. */
size_t sig_call_count(const struct sig_call *call, enum sig_participant_status status);

/* From the first answer to the end, or to now; 0 when nobody answered. */
uint64_t sig_call_duration_ms(const struct sig_call *call, uint64_t now_ms);

/* The words of the interface: "RINGING", "JOINED", "VIDEO"; and of what is stored: "LEAVE". */
const char *sig_call_status_name(enum sig_call_status status);
const char *sig_participant_status_name(enum sig_participant_status status);
const char *sig_call_event_name(enum sig_call_event event);
const char *sig_call_type_name(enum sig_call_type type);

/* Whose name it is, or -EBADMSG. */
int sig_call_status_read(const char *text, enum sig_call_status *out);
int sig_participant_status_read(const char *text, enum sig_participant_status *out);

/* Reads "AUDIO" or "VIDEO": 0 or -EBADMSG. */
int sig_call_type_read(const char *text, enum sig_call_type *out);

#endif
