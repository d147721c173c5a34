/* Where calls, their participants and the names of users are kept. A driver may work on a thread of
 * its own: results come back by callbacks on the main loop's thread, at once (within the call) or
 * later. What a driver is given it copies before it returns. Every callback is called exactly once,
 * with -ECANCELED when the store is destroyed before. */
#ifndef SIGNALING_STORE_H
#define SIGNALING_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "signaling/call.h"

struct sig_store;

/* The change is kept: 0; or a negative errno and it is not. */
typedef void (*sig_store_saved_fn)(void *data, int status);

/* The calls found, the newest first, valid during the callback; count of them, out of total that
 * match. status is 0 or a negative errno (then there are none). */
typedef void (*sig_store_calls_fn)(void *data, int status, const struct sig_call *const *calls,
                                   size_t count, size_t total);

/* A user's name, or NULL when the user is not known; valid during the callback. */
typedef void (*sig_store_name_fn)(void *data, const char *name);

enum sig_store_order { SIG_STORE_NEWEST_FIRST, SIG_STORE_OLDEST_FIRST };

/* One page of a user's history. */
struct sig_store_query {
    const char *user_id; /* Took part, or was invited. */
    enum sig_store_order order;
    size_t offset;
    size_t limit;
};

struct sig_store_driver {
    const char *name;
    void (*save_call)(struct sig_store *store, const struct sig_call *call,
                      const struct sig_participant *changed, sig_store_saved_fn done, void *data);
    void (*find_call)(struct sig_store *store, const char *id, sig_store_calls_fn done, void *data);
    void (*list_calls)(struct sig_store *store, const struct sig_store_query *query,
                       sig_store_calls_fn done, void *data);
    void (*list_unfinished)(struct sig_store *store, sig_store_calls_fn done, void *data);
    void (*save_user)(struct sig_store *store, const char *user_id, const char *name,
                      sig_store_saved_fn done, void *data);
    void (*find_user)(struct sig_store *store, const char *user_id, sig_store_name_fn done,
                      void *data);
    void (*destroy)(struct sig_store *store);
};

/* What every driver's own struct begins with. */
struct sig_store {
    const struct sig_store_driver *driver;
};

/* Keeps the call's own fields and the participant that changed, or with NULL all of them. */
void sig_store_save_call(struct sig_store *store, const struct sig_call *call,
                         const struct sig_participant *changed, sig_store_saved_fn done,
                         void *data);

/* Finds one call: none or one. */
void sig_store_find_call(struct sig_store *store, const char *id, sig_store_calls_fn done,
                         void *data);
void sig_store_list_calls(struct sig_store *store, const struct sig_store_query *query,
                          sig_store_calls_fn done, void *data);

/* Calls that were not over when they were last saved: what a server that starts has to settle. */
void sig_store_list_unfinished(struct sig_store *store, sig_store_calls_fn done, void *data);

/* Remembers, or replaces, a user's name. done may be NULL. */
void sig_store_save_user(struct sig_store *store, const char *user_id, const char *name,
                         sig_store_saved_fn done, void *data);
void sig_store_find_user(struct sig_store *store, const char *user_id, sig_store_name_fn done,
                         void *data);
void sig_store_destroy(struct sig_store *store);

/* The store in memory: answers at once, forgets with the process, keeps at most max_calls (the
 * oldest that are over go first, and all that have been over for max_age_ms) and max_users (those
 * not seen for longest go first). now_ms may be NULL for the clock. NULL without memory. */
struct sig_store_memory_options {
    size_t max_calls;
    size_t max_users;
    uint64_t max_age_ms;
    uint64_t (*now_ms)(void);
};
struct sig_store *sig_store_memory_create(const struct sig_store_memory_options *options);

#endif
