/* What the workers say, and who speaks: told to the caller. */
#include <stdlib.h>
#include <string.h>

#include "sfu/front.h"

enum { SPEAKERS_TICK_MS = 100 };

/* --- Slots --- */

static void tell_slots(struct sfu *sfu, struct sfu_member *member) {
    struct sfu_slot_state *states = calloc(member->slot_count + 1, sizeof(*states));
    size_t count = 0;
    for (size_t i = 0; states != NULL && i < member->slot_count; i++) {
        struct sfu_member_slot *slot = &member->slots[i];
        if (!slot->changed)
            continue;
        slot->changed = false;
        struct sfu_slot_state *state = &states[count++];
        memcpy(state->mid, slot->media.mid, sizeof(state->mid));
        state->track = slot->track ? slot->track->media.track : 0;
        state->participant = slot->track ? slot->track->member->id : 0;
        state->paused = slot->paused;
    }
    struct sfu_event event = {
        .type = SFU_EVENT_SLOTS, .participant = member->id, .slots = states, .slot_count = count};
    if (count > 0)
        sfu->on_event(sfu->ctx, &event);
    free(states);
}

static void tell_all_slots(struct sfu *sfu) {
    /* Taken out before the call, which may change more or end the member. */
    while (sfu->changed != NULL) {
        struct sfu_member *member = sfu->changed;
        sfu->changed = member->next_changed;
        member->changed = false;
        tell_slots(sfu, member);
    }
}

void sfu_front_note_change(struct sfu *sfu, struct sfu_member *member) {
    if (member->changed)
        return;
    member->changed = true;
    member->next_changed = sfu->changed;
    sfu->changed = member;
    uv_async_send(&sfu->async);
}

/* --- Who speaks --- */

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

static void note_loud(struct sfu *sfu, struct sfu_room *room) {
    if (room->is_loud)
        return;
    room->is_loud = true;
    room->next_loud = sfu->loud;
    sfu->loud = room;
    if (!uv_is_active((uv_handle_t *)&sfu->timer))
        uv_timer_start(&sfu->timer, sfu_front_on_timer, SPEAKERS_TICK_MS, SPEAKERS_TICK_MS);
}

static void unlink_loud(struct sfu_room **link, const struct sfu_room *room) {
    while (*link != NULL && *link != room)
        link = &(*link)->next_loud;
    if (*link != NULL)
        *link = (*link)->next_loud;
}

void sfu_front_forget_loud(struct sfu *sfu, const struct sfu_room *room) {
    unlink_loud(&sfu->loud, room);
    unlink_loud(&sfu->visiting, room);
}

static void on_levels(struct sfu *sfu, const struct sfu_level *levels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct sfu_person *person = sfu_front_find(sfu, levels[i].participant);
        if (person == NULL)
            continue;
        sfu_member_on_level(person->member, now_us(), &levels[i]);
        note_loud(sfu, person->member->room);
    }
}

static void tell_speakers(struct sfu *sfu, struct sfu_room *room, uint64_t now) {
    struct sfu_speaker speakers[SFU_SPEAKERS_MAX];
    struct sfu_event event = {.type = SFU_EVENT_SPEAKERS, .room = room->id, .speakers = speakers};
    if (sfu_room_tell_speakers(room, now, speakers, &event.speaker_count))
        sfu->on_event(sfu->ctx, &event);
}

static void visit_loud_rooms(struct sfu *sfu) {
    uint64_t now = now_us();
    sfu->visiting = sfu->loud;
    sfu->loud = NULL;
    /* Taken out before the call, which may end any room. */
    while (sfu->visiting != NULL) {
        struct sfu_room *room = sfu->visiting;
        sfu->visiting = room->next_loud;
        room->is_loud = false;
        if (sfu_room_next_deadline(room) <= now)
            sfu_room_on_deadline(room, now);
        sfu_front_follow_dominant(sfu, room);
        if (sfu_room_next_deadline(room) != UINT64_MAX)
            note_loud(sfu, room);
        tell_speakers(sfu, room, now);
    }
    if (sfu->loud == NULL)
        uv_timer_stop(&sfu->timer);
}

/* --- What workers say --- */

/* Whether a slot is paused its worker knows, what it carries the room. */
static void on_paused(struct sfu *sfu, struct sfu_member *member, const struct sfu_event *event) {
    for (size_t i = 0; i < event->slot_count; i++)
        if (sfu_member_set_paused(member, &event->slots[i]))
            sfu_front_note_change(sfu, member);
}

static void on_worker_event(struct sfu *sfu, const struct sfu_event *event) {
    const struct sfu_person *person = sfu_front_find(sfu, event->participant);
    if (person == NULL)
        return; /* Of one who has left meanwhile. */
    if (event->type == SFU_EVENT_SLOTS)
        on_paused(sfu, person->member, event);
    else
        sfu->on_event(sfu->ctx, event);
}

static void on_one_news(struct sfu *sfu, const struct sfu_news *news) {
    if (news->type == SFU_NEWS_EVENT)
        on_worker_event(sfu, &news->event);
    if (news->type == SFU_NEWS_LEVELS)
        on_levels(sfu, news->levels, news->level_count);
    if (news->type == SFU_NEWS_WHY)
        news->answer(news->ctx, news->is_known ? &news->why : NULL);
}

void sfu_front_on_async(uv_async_t *async) {
    struct sfu *sfu = async->data;
    for (unsigned i = 0; i < sfu->config.workers; i++) {
        struct sfu_news *news = sfu_worker_take_news(sfu->workers[i]);
        while (news != NULL) {
            struct sfu_news *next = news->next;
            on_one_news(sfu, news);
            free(news);
            news = next;
        }
    }
    visit_loud_rooms(sfu);
    tell_all_slots(sfu);
}

void sfu_front_on_timer(uv_timer_t *timer) {
    struct sfu *sfu = timer->data;
    visit_loud_rooms(sfu);
    tell_all_slots(sfu);
}

void sfu_front_on_news(void *ctx) {
    struct sfu *sfu = ctx;
    uv_async_send(&sfu->async);
}

void sfu_front_forget_change(struct sfu *sfu, struct sfu_member *member) {
    struct sfu_member **link = &sfu->changed;
    while (*link != NULL && *link != member)
        link = &(*link)->next_changed;
    if (*link != NULL)
        *link = (*link)->next_changed;
    member->changed = false;
}
