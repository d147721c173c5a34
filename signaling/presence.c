/* Who is online, and who is told of it. */
#include "signaling/presence.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* Channels may be large; whoever is not told sees it with the next look at a list. */
#define NEIGHBOURS_MAX 1000

struct user {
    /* Given. */
    char user_id[SIG_USER_ID_SIZE];
    /* Links: of those who are in their grace, and of those whose change is to be told. */
    struct user *next_leaving, *previous_leaving;
    struct user *next_changed;
    /* State. */
    size_t connections;
    uint64_t gone_at_us; /* 0: not leaving. */
    bool is_changed;     /* In that list. */
    bool is_told_online;
};

struct sig_presence {
    /* Given. */
    struct sig_presence_options options;
    /* Owned. */
    void *users; /* Tree of struct user. */
    struct user *first_leaving, *last_leaving;
    struct user *first_changed, **last_changed;
    /* State. */
    size_t online;
    int64_t budget; /* Messages that may be sent in this turn; below 0: owed by the next ones. */
    uint64_t turn_us;
};

static int compare(const void *a, const void *b) {
    return strcmp(((const struct user *)a)->user_id, ((const struct user *)b)->user_id);
}

struct sig_presence *sig_presence_create(const struct sig_presence_options *options) {
    struct sig_presence *presence = calloc(1, sizeof(*presence));
    if (!presence)
        return NULL;
    presence->options = *options;
    presence->last_changed = &presence->first_changed;
    return presence;
}

void sig_presence_destroy(struct sig_presence *presence) {
    if (!presence)
        return;
    tdestroy(presence->users, free);
    free(presence);
}

static struct user *find(const struct sig_presence *presence, const char *user_id) {
    struct user wanted;
    if (strlen(user_id) >= sizeof(wanted.user_id))
        return NULL;
    strcpy(wanted.user_id, user_id);
    void *node = tfind(&wanted, &presence->users, compare);
    return node ? *(struct user **)node : NULL;
}

static struct user *find_or_add(struct sig_presence *presence, const char *user_id) {
    struct user *user = find(presence, user_id);
    if (user)
        return user;
    user = calloc(1, sizeof(*user));
    if (!user || strlen(user_id) >= sizeof(user->user_id)) {
        free(user);
        return NULL;
    }
    strcpy(user->user_id, user_id);
    if (tsearch(user, &presence->users, compare))
        return user;
    free(user);
    return NULL;
}

static bool is_online(const struct user *user) {
    return user->connections > 0 || user->gone_at_us > 0;
}

static void note_change(struct sig_presence *presence, struct user *user) {
    if (user->is_changed)
        return;
    user->is_changed = true;
    user->next_changed = NULL;
    *presence->last_changed = user;
    presence->last_changed = &user->next_changed;
}

static void stop_leaving(struct sig_presence *presence, struct user *user) {
    if (user->gone_at_us == 0)
        return;
    user->gone_at_us = 0;
    *(user->previous_leaving ? &user->previous_leaving->next_leaving : &presence->first_leaving) =
        user->next_leaving;
    *(user->next_leaving ? &user->next_leaving->previous_leaving : &presence->last_leaving) =
        user->previous_leaving;
}

static void start_leaving(struct sig_presence *presence, struct user *user) {
    user->gone_at_us = presence->options.now_us() + SIG_PRESENCE_GRACE_US;
    user->previous_leaving = presence->last_leaving;
    user->next_leaving = NULL;
    *(presence->last_leaving ? &presence->last_leaving->next_leaving : &presence->first_leaving) =
        user;
    presence->last_leaving = user;
}

void sig_presence_come(struct sig_presence *presence, const char *user_id) {
    struct user *user = find_or_add(presence, user_id);
    if (!user)
        return;
    if (!is_online(user)) {
        presence->online++;
        note_change(presence, user);
    }
    user->connections++;
    stop_leaving(presence, user);
}

void sig_presence_go(struct sig_presence *presence, const char *user_id) {
    struct user *user = find(presence, user_id);
    if (user && user->connections > 0 && --user->connections == 0)
        start_leaving(presence, user);
}

bool sig_presence_is_online(const struct sig_presence *presence, const char *user_id) {
    const struct user *user = find(presence, user_id);
    return user && is_online(user);
}

size_t sig_presence_count(const struct sig_presence *presence) {
    return presence->online;
}

uint64_t sig_presence_next_deadline(const struct sig_presence *presence) {
    uint64_t deadline_us =
        presence->first_leaving ? presence->first_leaving->gone_at_us : UINT64_MAX;
    uint64_t turn_us = presence->budget > 0 ? 0 : presence->turn_us + SIG_PRESENCE_TURN_US;
    return presence->first_changed && turn_us < deadline_us ? turn_us : deadline_us;
}

static json_t *presence_json(const char *user_id, bool online) {
    return json_pack("{s:s, s:s, s:b}", "type", "presence", "user_id", user_id, "online", online);
}

/* A change on its way to those who share a channel. */
struct telling {
    struct sig_presence *presence;
    char user_id[SIG_USER_ID_SIZE];
    bool is_online;
};

static void on_neighbours(void *data, int status, const struct sig_store_user *users, size_t count,
                          size_t total) {
    struct telling *telling = data;
    struct sig_presence *presence = telling->presence;
    (void)total;
    for (size_t i = 0; status == 0 && i < count; i++)
        presence->budget -=
            (int64_t)sig_listeners_tell(presence->options.listeners, users[i].user_id,
                                        presence_json(telling->user_id, telling->is_online));
    free(telling);
}

static void tell_neighbours(struct sig_presence *presence, const struct user *user) {
    struct telling *telling = malloc(sizeof(*telling));
    if (!telling)
        return;
    *telling = (struct telling){.presence = presence, .is_online = user->is_told_online};
    memcpy(telling->user_id, user->user_id, sizeof(telling->user_id));
    sig_store_list_neighbours(presence->options.store, user->user_id, NEIGHBOURS_MAX, on_neighbours,
                              telling);
}

static void tell(struct sig_presence *presence, struct user *user) {
    struct sig_listeners *listeners = presence->options.listeners;
    presence->budget--;
    if (user->is_told_online == is_online(user))
        return;
    user->is_told_online = is_online(user);
    if (!presence->options.is_told)
        return;
    if (listeners->count > SIG_PRESENCE_FEW)
        tell_neighbours(presence, user);
    else
        presence->budget -= (int64_t)sig_listeners_tell_all(
            listeners, presence_json(user->user_id, user->is_told_online));
}

static void forget_if_gone(struct sig_presence *presence, struct user *user) {
    if (is_online(user) || user->is_told_online)
        return;
    tdelete(user, &presence->users, compare);
    free(user);
}

static void refill(struct sig_presence *presence, uint64_t now_us) {
    if (now_us < presence->turn_us + SIG_PRESENCE_TURN_US && presence->turn_us > 0)
        return;
    uint64_t turns = (now_us - presence->turn_us) / SIG_PRESENCE_TURN_US;
    int64_t more = turns > 1000 ? SIG_PRESENCE_MESSAGES * INT64_C(1000)
                                : (int64_t)turns * SIG_PRESENCE_MESSAGES;
    presence->turn_us = now_us;
    presence->budget += more;
    if (presence->budget > SIG_PRESENCE_MESSAGES)
        presence->budget = SIG_PRESENCE_MESSAGES;
}

void sig_presence_on_deadline(struct sig_presence *presence, uint64_t now_us) {
    struct user *user;
    refill(presence, now_us);
    while ((user = presence->first_leaving) && user->gone_at_us <= now_us) {
        stop_leaving(presence, user);
        presence->online--;
        note_change(presence, user);
    }
    while (presence->budget > 0 && (user = presence->first_changed)) {
        presence->first_changed = user->next_changed;
        if (!presence->first_changed)
            presence->last_changed = &presence->first_changed;
        user->is_changed = false;
        tell(presence, user);
        forget_if_gone(presence, user);
    }
}
