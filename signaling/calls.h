/* The calls that are going on: who is invited, who is in, ringing, ending, and the sessions in
 * them. What is over lives in the store only. All on the main loop's thread.
 *
 * Changes are made at once and told to everyone in the call; `stored` (may be NULL) is called, at
 * once or later, when the store has them: only then is the asker to be told. */
#ifndef SIGNALING_CALLS_H
#define SIGNALING_CALLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/sfu.h"
#include "signaling/auth.h"
#include "signaling/call.h"
#include "signaling/config.h"
#include "signaling/listeners.h"
#include "signaling/refusal.h"
#include "signaling/store.h"
#include "signaling/webhook.h"

struct sig_calls;

struct sig_calls_options {
    /* Given: borrowed for life. */
    const struct sig_config *config;
    struct sfu *sfu;
    struct sig_store *store;
    struct sig_throttle *throttle; /* Of chat messages; NULL: no limit. */
    struct sig_webhook *webhook;   /* NULL: no host application is told anything. */
    uint64_t (*now_us)(void);      /* Monotonic; NULL: the clock. */
    uint64_t (*wall_ms)(void);     /* Since 1970; NULL: the clock. */
};

struct sig_calls *sig_calls_create(const struct sig_calls_options *options);

/* Ends every session (SIG_SESSION_SERVER_CLOSING) and frees everything; calls that are not over
 * stay as they are in the store. */
void sig_calls_destroy(struct sig_calls *calls);

/* Whom a new call is for. */
struct sig_calls_invitation {
    const char *id; /* A fresh UUID; NULL makes one. */
    enum sig_call_type type;
    const char *channel_id;      /* NULL: none. */
    const char *const *user_ids; /* The caller among them is passed over. */
    const char *const *names;    /* Theirs; NULL, or NULL among them: they go by their id. */
    size_t user_count;
    bool is_member; /* The caller belongs to the channel: lets them into its call that is on. */
};

/* Starts a call: the caller is JOINED, the others are INVITED and notified, and it rings until
 * someone joins or the ring timeout. With nobody invited it is a meeting by link, ACTIVE at once.
 *
 * Two who press "call" at once get one call: when one is on in the channel, or between the same two
 * people outside of channels, the caller joins that one. *out is valid until the loop's next turn.
 */
int sig_calls_initiate(struct sig_calls *calls, const struct sig_identity *caller,
                       const struct sig_calls_invitation *invitation, const struct sig_call **out,
                       struct sig_refusal *refusal, sig_store_saved_fn stored, void *data);

/* Joins, leaves, rejects or misses (an event of one participant), or ends for all (END, initiator
 * only). Refusals: 404 unknown_call, 409 call_over or wrong_state, 403 not_invited, not_initiator
 * or wrong_token, 429 call_full, 503 draining. Whoever leaves or ends takes their sessions along.
 */
int sig_calls_act(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                  enum sig_call_event event, struct sig_refusal *refusal, sig_store_saved_fn stored,
                  void *data);

/* Takes a participant who is in out of the call; only its initiator, or a token with the grant
 * `admin`, may. They are told (SIG_SESSION_REMOVED), and may not come again. Refusals besides those
 * above: 404 unknown_participant, 409 wrong_state when they are not in. */
int sig_calls_remove(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                     const char *user_id, struct sig_refusal *refusal, sig_store_saved_fn stored,
                     void *data);

/* Why a participant's slots carry what they do, as JSON (a new reference); NULL when they have left
 * meanwhile, or the server goes down. */
typedef void (*sig_calls_why_fn)(void *ctx, json_t *answer);

/* Asks the SFU, for those who are or were in the call and for tokens with the grant `admin`. The
 * answer comes once, later. 404 unknown_call, unknown_participant, 403 not_invited, wrong_token,
 * 409 no_transport; then none comes. */
int sig_calls_why(struct sig_calls *calls, const char *call_id, const struct sig_identity *who,
                  const char *user_id, struct sig_refusal *refusal, sig_calls_why_fn answer,
                  void *ctx);

/* Of the changes that the store was asked to keep so far, how many it has answered, in their order.
 * What is told to clients may wait for its change: on_stored is called whenever that number has
 * grown. The REST API waits by `stored`. */
uint64_t sig_calls_changes_asked(const struct sig_calls *calls);
uint64_t sig_calls_changes_stored(const struct sig_calls *calls);
void sig_calls_on_stored(struct sig_calls *calls, void (*on_stored)(void *data, uint64_t stored),
                         void *data);

/* Takes the calls that the store says are unfinished: those who were in them may come back within
 * the grace, ringing goes on for what is left of its time. To be called once, at the start. */
void sig_calls_restore(struct sig_calls *calls);

/* How a participant fares, as measured just now; 0 where it is not known. Stored as a sample every
 * ten seconds. */
struct sig_quality_note {
    unsigned score; /* 1 to 5, in hundredths. */
    unsigned up_loss_permille, down_loss_permille;
    unsigned rtt_ms;
    uint64_t up_bps, down_bps;
    const char *reason; /* Why it is not better: a constant word, or NULL. */
};
void sig_calls_note_quality(struct sig_calls *calls, const char *call_id, const char *user_id,
                            const struct sig_quality_note *note);

/* The call with this id (of either case) while it is going on, or NULL. Borrowed until the loop's
 * next turn. */
const struct sig_call *sig_calls_find(const struct sig_calls *calls, const char *call_id);

/* Whether a call with this id has gone on in this process within the last hour and is over. */
bool sig_calls_was(const struct sig_calls *calls, const char *call_id);

/* Whether anything is being published in the call. */
bool sig_calls_has_tracks(const struct sig_calls *calls, const char *call_id);

/* For the SFU: what happened to a participant or track of ours. An sfu_event_fn whose ctx is a
 * pointer to where the calls will be (`struct sig_calls **`), since the SFU is made before them. */
void sig_calls_on_sfu_event(void *ctx, const struct sfu_event *event);

/* When sig_calls_on_deadline wants to be called next; UINT64_MAX: never, as things are. */
uint64_t sig_calls_next_deadline(const struct sig_calls *calls);
void sig_calls_on_deadline(struct sig_calls *calls, uint64_t now_us);

/* Adds a browser that waits for notifications, and rings at it for the calls that wait for its
 * user; removed by sig_calls_remove_listener, or told by on_end. The listener is the caller's. */
void sig_calls_add_listener(struct sig_calls *calls, struct sig_listener *listener);
void sig_calls_remove_listener(struct sig_calls *calls, struct sig_listener *listener);

/* Who is online: has such a browser, or is in a call. */
bool sig_calls_is_online(const struct sig_calls *calls, const char *user_id);

/* The call that is going on in this channel, or NULL. Borrowed as that of sig_calls_find. */
const struct sig_call *sig_calls_find_in_channel(const struct sig_calls *calls,
                                                 const char *channel_id);

/* Tells browsers that a channel was made, or that its members are others now: every browser where
 * there are few, else those of its members. */
void sig_calls_tell_channel_changed(struct sig_calls *calls, const char *channel_id);

/* No call and no participant is let in any more; those who are in may go on and resume. */
void sig_calls_drain(struct sig_calls *calls);
bool sig_calls_is_draining(const struct sig_calls *calls);

struct sig_calls_stats {
    size_t calls; /* Going on, by status: */
    size_t ringing;
    size_t active;
    size_t sessions;
    size_t detached; /* Sessions whose client may still resume. */
    size_t tracks;
    size_t listeners;  /* Browsers waiting for notifications. */
    size_t online;     /* Users. */
    uint64_t started;  /* Calls, since the start. */
    uint64_t messages; /* Received from clients. */
    uint64_t errors;   /* `error` messages sent to clients. */
};
void sig_calls_stats_get(const struct sig_calls *calls, struct sig_calls_stats *out);

#endif
