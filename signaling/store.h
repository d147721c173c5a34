/* Where everything is kept that has to outlive the process: users, sign-ins, channels, calls, their
 * participants, what happened to them, their quality, and the messages for the host's webhook.
 *
 * Operations are queued to a thread of their own and done in their order, many in one transaction;
 * answers come back on the main loop's thread. Without a loop (tests, tools) each is done within
 * the call. What is given is copied before the function returns. Every callback is called exactly
 * once, with -ECANCELED when the store is stopped before.
 *
 * A status of 0 for a write says that it survives the death of the process at any later moment
 * (`kill -9`; in PostgreSQL also that of the machine). While the database cannot be written (disk
 * full, server away) writes are answered by a negative errno within seconds, but stay queued, in
 * order, and are made up for as soon as it can be: so what is known in memory and what is stored
 * meet again. Reads then just fail.
 *
 * What lives where: a call that is going on is in memory (calls.h), and every event of it is
 * written here; what is over is here only. At the start the unfinished calls, those of the last
 * hour and the sign-ins are loaded. */
#ifndef SIGNALING_STORE_H
#define SIGNALING_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "signaling/call.h"

struct sig_store;

struct sig_store_options {
    /* "sqlite:FILE" (made when it is not there), "sqlite::memory:", or "postgresql://…" (also
     * "postgres://…": a URI of libpq). */
    const char *database;
    /* Of this server among those that share the database: whose calls are ours. */
    const char *server;
    uv_loop_t *loop;          /* NULL: operations are done within their calls. */
    uint64_t (*now_ms)(void); /* Since 1970; NULL: the clock. */
};

/* Opens the database and brings its schema up to date. 0, or a negative errno with words in error:
 * -EBADMSG it is damaged or no database, -EPROTONOSUPPORT a newer weir has written it, -EBUSY
 * another process has it, -ECONNREFUSED no server answers, others of the file system. */
int sig_store_open(struct sig_store **out, const struct sig_store_options *options, char *error,
                   size_t error_size);

/* Waits until everything asked so far is answered, and calls the callbacks. For starts and tests.
 */
void sig_store_wait(struct sig_store *store);

/* Does what is queued (giving up after a few seconds when the database does not answer), calls
 * every callback, ends the thread. What is asked afterwards is answered -ECANCELED at once. */
void sig_store_stop(struct sig_store *store);

/* After the stop, when the loop has turned; stops it otherwise. NULL is fine. */
void sig_store_destroy(struct sig_store *store);

/* Writes a consistent copy of a SQLite database to a new file while others use it. 0, or a negative
 * errno with words; -ENOTSUP for other databases. */
int sig_store_backup(const char *database, const char *file, char *error, size_t error_size);

struct sig_store_stats {
    size_t queued;      /* Operations that wait. */
    uint64_t done;      /* Operations, */
    uint64_t batches;   /* in so many transactions. */
    uint64_t failed;    /* Answered by an error. */
    bool is_answering;  /* The last attempt to use the database succeeded. */
    const char *driver; /* "sqlite" or "postgresql". */
};
void sig_store_stats_get(struct sig_store *store, struct sig_store_stats *out);

/* The change is kept: 0; or a negative errno, and it is not (yet). */
typedef void (*sig_store_saved_fn)(void *data, int status);

/* ---- Users ---- */

struct sig_store_user {
    const char *user_id;
    const char *name; /* NULL where the user is not known. */
};

/* count of the total that match, valid during the callback. */
typedef void (*sig_store_users_fn)(void *data, int status, const struct sig_store_user *users,
                                   size_t count, size_t total);

/* Remembers, or replaces, a user's name. done may be NULL, here and below. */
void sig_store_save_user(struct sig_store *store, const char *user_id, const char *name,
                         sig_store_saved_fn done, void *data);

/* The names of these users, in this order, each once. */
void sig_store_find_users(struct sig_store *store, const char *const *user_ids, size_t count,
                          sig_store_users_fn done, void *data);

/* A page of all users by name; search: "" or NULL for all, else a part of the name in any case. */
void sig_store_list_users(struct sig_store *store, const char *search, size_t offset, size_t limit,
                          sig_store_users_fn done, void *data);

/* ---- Sign-ins by name ---- */

struct sig_store_sign_in {
    const char *id;   /* What it is found by: a digest of the cookie, never the cookie itself. */
    const char *csrf; /* The same holds for it. */
    const char *user_id;
    const char *name;
    uint64_t used_at_ms;
};
typedef void (*sig_store_sign_ins_fn)(void *data, int status,
                                      const struct sig_store_sign_in *sign_ins, size_t count);

void sig_store_save_sign_in(struct sig_store *store, const struct sig_store_sign_in *sign_in,
                            sig_store_saved_fn done, void *data);
void sig_store_delete_sign_in(struct sig_store *store, const char *id, sig_store_saved_fn done,
                              void *data);

/* Those used since then, the least recent first, at most limit of the most recent; older ones are
 * deleted. */
void sig_store_load_sign_ins(struct sig_store *store, uint64_t since_ms, size_t limit,
                             sig_store_sign_ins_fn done, void *data);

/* ---- Channels ---- */

struct sig_store_channel {
    const char *channel_id;
    const char *name;
    const char *created_by;
    uint64_t created_at_ms;
    bool is_member; /* The user on whose behalf it was asked. */
    size_t member_count;
};
typedef void (*sig_store_channels_fn)(void *data, int status,
                                      const struct sig_store_channel *channels, size_t count);

/* channel NULL: there is none of this id. Members in the order of their coming. */
typedef void (*sig_store_channel_fn)(void *data, int status,
                                     const struct sig_store_channel *channel,
                                     const struct sig_store_user *members, size_t count);

/* Makes a channel whose first member is its creator; -EEXIST: the name is taken (in any case). */
void sig_store_create_channel(struct sig_store *store, const char *channel_id, const char *name,
                              const char *user_id, sig_store_saved_fn done, void *data);

/* Twice is once; -ENOENT: there is no such channel. */
void sig_store_join_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                            sig_store_saved_fn done, void *data);
void sig_store_leave_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                             sig_store_saved_fn done, void *data);

/* All channels by name (at most 1000); user_id may be NULL. */
void sig_store_list_channels(struct sig_store *store, const char *user_id,
                             sig_store_channels_fn done, void *data);
void sig_store_find_channel(struct sig_store *store, const char *channel_id, const char *user_id,
                            sig_store_channel_fn done, void *data);

struct sig_store_membership {
    const char *channel_id;
    const char *user_id;
};
typedef void (*sig_store_memberships_fn)(void *data, int status,
                                         const struct sig_store_membership *memberships,
                                         size_t count);

/* Who is in which channel, of all channels, by channel; at most limit. */
void sig_store_list_memberships(struct sig_store *store, size_t limit,
                                sig_store_memberships_fn done, void *data);

/* The others who share a channel with this user, each once; at most limit, without names. */
void sig_store_list_neighbours(struct sig_store *store, const char *user_id, size_t limit,
                               sig_store_users_fn done, void *data);

/* Forgets those who cannot come back: users without a sign-in whom nobody has seen since then, and
 * their memberships; and channels older than a day that nobody is in. For servers where names are
 * the only credentials. */
void sig_store_forget_users(struct sig_store *store, uint64_t before_ms, sig_store_saved_fn done,
                            void *data);

/* ---- Calls ---- */

/* A message for the host's webhook, kept until it is delivered. */
struct sig_store_hook {
    const char *call_id;
    uint64_t seq; /* Within the call. */
    const char *id;
    const char *event;
    const char *body; /* What is sent, text. */
    unsigned attempts;
    uint64_t created_at_ms;
};

/* Something that happened to a call, and what it is now. */
struct sig_store_change {
    const struct sig_call *call;
    const struct sig_participant *changed; /* The only one; NULL: all of them. */
    const char *event;                     /* A word for call_events; NULL: nothing to note. */
    const char *by;                        /* Whose doing it was; NULL: nobody's. */
    uint64_t at_ms;
    const struct sig_store_hook *hooks; /* seq to body are read. Kept with the change or not. */
    size_t hook_count;
};

/* The calls found, valid during the callback; count of them, out of total that match. status is 0
 * or a negative errno (then there are none). */
typedef void (*sig_store_calls_fn)(void *data, int status, const struct sig_call *const *calls,
                                   size_t count, size_t total);

void sig_store_save_change(struct sig_store *store, const struct sig_store_change *change,
                           sig_store_saved_fn done, void *data);

/* Finds one call with all its participants: none or one. */
void sig_store_find_call(struct sig_store *store, const char *id, sig_store_calls_fn done,
                         void *data);

/* What a server that starts has to settle: calls of this server, or of one that has not been alive
 * for a minute, that were not over. Each participant who is JOINED has seen_at_ms set to the last
 * moment at which their server is known to have lived. They are this server's from now on. */
void sig_store_load_unfinished(struct sig_store *store, sig_store_calls_fn done, void *data);

/* Calls that ended since then, without participants; at most limit, the newest first. */
void sig_store_load_ended(struct sig_store *store, uint64_t since_ms, size_t limit,
                          sig_store_calls_fn done, void *data);

/* This server lives: what the end of its calls is reckoned by should it not come back. */
void sig_store_note_alive(struct sig_store *store, uint64_t now_ms);

/* Deletes calls that ended before then, with everything that belongs to them, some hundred at a
 * time; status is how many. */
void sig_store_forget_calls(struct sig_store *store, uint64_t before_ms, sig_store_saved_fn done,
                            void *data);

/* ---- History ---- */

enum sig_store_order { SIG_STORE_NEWEST_FIRST, SIG_STORE_OLDEST_FIRST };
enum sig_store_which { SIG_STORE_ANY = -1, SIG_STORE_NO = 0, SIG_STORE_YES = 1 };

#define SIG_STORE_PEOPLE_LISTED 16 /* Participants of a listed call, beside the user. */

/* One page of a user's history. */
struct sig_store_query {
    const char *user_id; /* Took part, or was invited. */
    const char *search;  /* Part of a participant's name or of the channel's; NULL: all. */
    enum sig_store_which outgoing;
    enum sig_store_which missed;
    enum sig_store_which video;
    enum sig_store_order order;
    size_t offset;
    size_t limit;
};

/* Calls come with their first participants and the user; people_count says how many there are. */
void sig_store_list_calls(struct sig_store *store, const struct sig_store_query *query,
                          sig_store_calls_fn done, void *data);

/* What happened to a call, oldest first (at most 1000). */
struct sig_store_event {
    uint64_t at_ms;
    const char *event;
    const char *user_id; /* NULL: nobody's doing. */
};
typedef void (*sig_store_events_fn)(void *data, int status, const struct sig_store_event *events,
                                    size_t count);
void sig_store_list_events(struct sig_store *store, const char *call_id, sig_store_events_fn done,
                           void *data);

/* ---- Quality ---- */

/* How a participant fared for a while (scores are 1 to 5, in hundredths), as measured
 * `weight` times. As written; and as read, summed up over an interval. */
struct sig_store_sample {
    const char *user_id;
    uint64_t at_ms; /* Of its beginning. */
    unsigned weight;
    unsigned score, score_min;
    unsigned up_loss_permille, down_loss_permille;
    unsigned rtt_ms;
    uint64_t up_bps, down_bps;
    const char *reason; /* Of the worst: a word, or NULL. */
};
typedef void (*sig_store_samples_fn)(void *data, int status, const struct sig_store_sample *samples,
                                     size_t count);

void sig_store_save_samples(struct sig_store *store, const char *call_id,
                            const struct sig_store_sample *samples, size_t count,
                            sig_store_saved_fn done, void *data);

/* The call's samples by user, then by time, in intervals of so many ms from from_ms on. */
void sig_store_list_samples(struct sig_store *store, const char *call_id, uint64_t from_ms,
                            uint64_t interval_ms, sig_store_samples_fn done, void *data);

/* ---- Webhook messages that are not delivered yet ---- */

/* Of each call of this server the oldest one, if it is due; at most limit. next_due_ms: when the
 * next of the others is, or UINT64_MAX. */
typedef void (*sig_store_hooks_fn)(void *data, int status, const struct sig_store_hook *hooks,
                                   size_t count, uint64_t next_due_ms);
void sig_store_list_hooks(struct sig_store *store, uint64_t now_ms, size_t limit,
                          sig_store_hooks_fn done, void *data);

/* How many there are, as done's status. */
void sig_store_count_hooks(struct sig_store *store, sig_store_saved_fn done, void *data);

/* It was delivered, or given up: forgotten. */
void sig_store_delete_hook(struct sig_store *store, const char *call_id, uint64_t seq,
                           sig_store_saved_fn done, void *data);

/* It was not: to be tried again at that time, one attempt more. */
void sig_store_delay_hook(struct sig_store *store, const char *call_id, uint64_t seq,
                          uint64_t due_at_ms, sig_store_saved_fn done, void *data);

#endif
