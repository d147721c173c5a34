/* What rooms decide, told to the workers. */
#include <stdlib.h>
#include <string.h>

#include "sfu/front.h"

void sfu_front_post(struct sfu *sfu, unsigned worker, struct sfu_command *command) {
    if (command != NULL)
        sfu_worker_post(sfu->workers[worker], command);
}

static void post_mirror(struct sfu *sfu, const struct sfu_published *track, unsigned watcher,
                        bool on) {
    unsigned owner = track->member->worker;
    struct sfu_command *mirror =
        sfu_command_create(on ? SFU_COMMAND_MIRROR_OPEN : SFU_COMMAND_MIRROR_CLOSE, 1);
    struct sfu_command *feed = sfu_command_create(SFU_COMMAND_MIRROR_FEED, 0);
    if (mirror == NULL || feed == NULL) {
        free(mirror);
        free(feed);
        return;
    }
    mirror->track = feed->track = track->media.track;
    mirror->worker = owner;
    mirror->media[0] = track->media;
    feed->worker = watcher;
    feed->on = on;
    sfu_front_post(sfu, watcher, mirror);
    sfu_front_post(sfu, owner, feed);
}

static void post_favour(struct sfu *sfu, const struct sfu_published *track, unsigned worker,
                        bool on) {
    struct sfu_command *command = sfu_command_create(SFU_COMMAND_FAVOUR, 0);
    if (command != NULL) {
        command->track = track->media.track;
        command->on = on;
    }
    sfu_front_post(sfu, worker, command);
}

static void watch(struct sfu *sfu, struct sfu_published *track, unsigned worker) {
    if (track->watchers[worker]++ > 0)
        return;
    if (worker != track->member->worker)
        post_mirror(sfu, track, worker, true);
    if (track->media.video && track->member->id == track->member->room->favoured)
        post_favour(sfu, track, worker, true);
}

static void unwatch(struct sfu *sfu, struct sfu_published *track, unsigned worker) {
    if (--track->watchers[worker] == 0 && worker != track->member->worker)
        post_mirror(sfu, track, worker, false);
}

void sfu_front_carry(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                     struct sfu_published *was) {
    struct sfu *sfu = ctx;
    if (slot->track != NULL)
        watch(sfu, slot->track, member->worker);
    struct sfu_command *command = sfu_command_create(SFU_COMMAND_SET_SLOT, 0);
    if (command != NULL) {
        command->participant = member->id;
        command->track = slot->track ? slot->track->media.track : 0;
        memcpy(command->wish.mid, slot->media.mid, sizeof(command->wish.mid));
    }
    sfu_front_post(sfu, member->worker, command);
    if (was != NULL)
        unwatch(sfu, was, member->worker);
    sfu_front_note_change(sfu, member);
}

/* Where there is not enough for all, the workers give it to the dominant speaker's pictures. */
static void favour(struct sfu *sfu, uint64_t participant, bool on) {
    const struct sfu_person *person = sfu_front_find(sfu, participant);
    const struct sfu_published *track = person != NULL ? person->member->own : NULL;
    for (; track != NULL; track = track->next_own)
        for (unsigned i = 0; track->media.video && i < sfu->config.workers; i++)
            if (track->watchers[i] > 0)
                post_favour(sfu, track, i, on);
}

void sfu_front_follow_dominant(struct sfu *sfu, struct sfu_room *room) {
    const struct sfu_member *dominant = sfu_room_dominant(room);
    uint64_t id = dominant != NULL ? dominant->id : 0;
    if (id == room->favoured)
        return;
    favour(sfu, room->favoured, false);
    favour(sfu, id, true);
    room->favoured = id;
}
