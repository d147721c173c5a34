/* The store in memory: calls newest first, users last seen first, both found by tree, both bounded.
 */
#include "signaling/store.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct link {
    struct link *newer, *older;
};

struct kept_call {
    struct link link;      /* First member. */
    const char *key;       /* call->id. */
    struct sig_call *call; /* Owned. */
};

struct kept_user {
    struct link link; /* First member. */
    const char *key;  /* id. */
    char *id;         /* Owned. */
    char *name;       /* Owned. */
};

/* A bounded set: by key in a tree, by age in a ring of links around `ring`. */
struct shelf {
    void *tree;
    struct link ring; /* ring.older is the newest, ring.newer the oldest. */
    size_t count;
};

struct memory {
    struct sig_store store; /* First member. */
    struct sig_store_memory_options options;
    struct shelf calls;
    struct shelf users;
};

/* Both kinds keep their key behind the link. */
struct keyed {
    struct link link;
    const char *key;
};

static int compare_keys(const void *a, const void *b) {
    return strcmp(((const struct keyed *)a)->key, ((const struct keyed *)b)->key);
}

static void shelf_init(struct shelf *shelf) {
    shelf->ring.newer = shelf->ring.older = &shelf->ring;
}

static void *shelf_find(const struct shelf *shelf, const char *key) {
    struct keyed wanted = {.key = key};
    void *node = tfind(&wanted, &shelf->tree, compare_keys);
    return node ? *(void **)node : NULL;
}

static void link_first(struct shelf *shelf, struct link *link) {
    link->older = shelf->ring.older;
    link->newer = &shelf->ring;
    shelf->ring.older->newer = link;
    shelf->ring.older = link;
}

static void unlink_it(struct link *link) {
    link->newer->older = link->older;
    link->older->newer = link->newer;
}

static int shelf_add(struct shelf *shelf, void *item) {
    if (!tsearch(item, &shelf->tree, compare_keys))
        return -ENOMEM;
    link_first(shelf, item);
    shelf->count++;
    return 0;
}

static void shelf_remove(struct shelf *shelf, void *item) {
    tdelete(item, &shelf->tree, compare_keys);
    unlink_it(item);
    shelf->count--;
}

static void call_free(struct kept_call *kept) {
    sig_call_destroy(kept->call);
    free(kept);
}

static void user_free(struct kept_user *user) {
    free(user->id);
    free(user->name);
    free(user);
}

static uint64_t wall_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_stale(const struct memory *memory, const struct sig_call *call, uint64_t now_ms) {
    return sig_call_is_over(call) && call->ended_at_ms + memory->options.max_age_ms < now_ms;
}

/* Forgets calls that are over: all the stale ones, and the oldest while there are too many. */
static void forget_calls(struct memory *memory, const struct kept_call *but) {
    uint64_t now_ms = memory->options.now_ms();
    struct link *link = memory->calls.ring.newer;
    while (link != &memory->calls.ring) {
        struct kept_call *kept = (struct kept_call *)link;
        link = link->newer;
        bool is_full = memory->calls.count > memory->options.max_calls;
        if (!is_full && !is_stale(memory, kept->call, now_ms))
            return;
        if (kept == but || !sig_call_is_over(kept->call))
            continue;
        shelf_remove(&memory->calls, kept);
        call_free(kept);
    }
}

static int call_replace(struct memory *memory, const struct sig_call *call) {
    struct sig_call *copy = sig_call_copy(call);
    struct kept_call *kept = shelf_find(&memory->calls, call->id);
    if (!copy)
        return -ENOMEM;
    if (kept) {
        struct sig_call *before = kept->call;
        kept->call = copy;
        kept->key = copy->id;
        sig_call_destroy(before);
        return 0;
    }
    kept = calloc(1, sizeof(*kept));
    if (!kept) {
        sig_call_destroy(copy);
        return -ENOMEM;
    }
    kept->call = copy;
    kept->key = copy->id;
    if (shelf_add(&memory->calls, kept) == 0) {
        forget_calls(memory, kept);
        return 0;
    }
    call_free(kept);
    return -ENOMEM;
}

static void save_call(struct sig_store *store, const struct sig_call *call,
                      const struct sig_participant *changed, sig_store_saved_fn done, void *data) {
    (void)changed;
    int status = call_replace((struct memory *)store, call);
    if (done)
        done(data, status);
}

static void find_call(struct sig_store *store, const char *id, sig_store_calls_fn done,
                      void *data) {
    struct memory *memory = (struct memory *)store;
    struct kept_call *kept = shelf_find(&memory->calls, id);
    if (kept && is_stale(memory, kept->call, memory->options.now_ms()))
        kept = NULL;
    const struct sig_call *call = kept ? kept->call : NULL;
    done(data, 0, &call, call != NULL, call != NULL);
}

/* Hands over the calls that match, from one end of the ring or the other: the page of them is
 * collected, the others are counted. */
static void select_calls(struct memory *memory, const struct sig_store_query *query,
                         sig_store_calls_fn done, void *data) {
    size_t limit = query->limit < memory->calls.count ? query->limit : memory->calls.count;
    const struct sig_call **found = calloc(limit ? limit : 1, sizeof(struct sig_call *));
    if (!found) {
        done(data, -ENOMEM, NULL, 0, 0);
        return;
    }
    bool is_newest_first = query->order == SIG_STORE_NEWEST_FIRST;
    struct link *ring = &memory->calls.ring;
    size_t total = 0, count = 0;
    for (struct link *link = is_newest_first ? ring->older : ring->newer; link != ring;
         link = is_newest_first ? link->older : link->newer) {
        const struct sig_call *call = ((struct kept_call *)link)->call;
        bool matches =
            query->user_id ? sig_call_find(call, query->user_id) != NULL : !sig_call_is_over(call);
        if (matches && total++ >= query->offset && count < limit)
            found[count++] = call;
    }
    done(data, 0, found, count, total);
    free(found);
}

static void list_calls(struct sig_store *store, const struct sig_store_query *query,
                       sig_store_calls_fn done, void *data) {
    select_calls((struct memory *)store, query, done, data);
}

static void list_unfinished(struct sig_store *store, sig_store_calls_fn done, void *data) {
    struct sig_store_query query = {.limit = SIZE_MAX};
    select_calls((struct memory *)store, &query, done, data);
}

static struct kept_user *user_create(const char *id, const char *name) {
    struct kept_user *user = calloc(1, sizeof(*user));
    if (!user)
        return NULL;
    user->id = strdup(id);
    user->name = strdup(name);
    user->key = user->id;
    if (user->id && user->name)
        return user;
    user_free(user);
    return NULL;
}

static int user_add(struct memory *memory, const char *id, const char *name) {
    struct kept_user *user = user_create(id, name);
    if (!user)
        return -ENOMEM;
    if (shelf_add(&memory->users, user) < 0) {
        user_free(user);
        return -ENOMEM;
    }
    if (memory->users.count > memory->options.max_users) {
        struct kept_user *oldest = (struct kept_user *)memory->users.ring.newer;
        shelf_remove(&memory->users, oldest);
        user_free(oldest);
    }
    return 0;
}

static int user_refresh(struct memory *memory, struct kept_user *user, const char *name) {
    unlink_it(&user->link);
    link_first(&memory->users, &user->link);
    if (strcmp(user->name, name) == 0)
        return 0;
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    free(user->name);
    user->name = copy;
    return 0;
}

static void save_user(struct sig_store *store, const char *user_id, const char *name,
                      sig_store_saved_fn done, void *data) {
    struct memory *memory = (struct memory *)store;
    struct kept_user *user = shelf_find(&memory->users, user_id);
    int status = user ? user_refresh(memory, user, name) : user_add(memory, user_id, name);
    if (done)
        done(data, status);
}

static void find_user(struct sig_store *store, const char *user_id, sig_store_name_fn done,
                      void *data) {
    const struct kept_user *user = shelf_find(&((struct memory *)store)->users, user_id);
    done(data, user ? user->name : NULL);
}

static void destroy(struct sig_store *store) {
    struct memory *memory = (struct memory *)store;
    while (memory->calls.count > 0) {
        struct kept_call *kept = (struct kept_call *)memory->calls.ring.older;
        shelf_remove(&memory->calls, kept);
        call_free(kept);
    }
    while (memory->users.count > 0) {
        struct kept_user *user = (struct kept_user *)memory->users.ring.older;
        shelf_remove(&memory->users, user);
        user_free(user);
    }
    free(memory);
}

static const struct sig_store_driver driver = {
    .name = "memory",
    .save_call = save_call,
    .find_call = find_call,
    .list_calls = list_calls,
    .list_unfinished = list_unfinished,
    .save_user = save_user,
    .find_user = find_user,
    .destroy = destroy,
};

struct sig_store *sig_store_memory_create(const struct sig_store_memory_options *options) {
    struct memory *memory = calloc(1, sizeof(*memory));
    if (!memory)
        return NULL;
    memory->store.driver = &driver;
    memory->options = *options;
    if (!memory->options.now_ms)
        memory->options.now_ms = wall_ms;
    shelf_init(&memory->calls);
    shelf_init(&memory->users);
    return &memory->store;
}
