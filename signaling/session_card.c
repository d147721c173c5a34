/* The people of a call as `welcome` lists them. In a large call the list is long and everyone who
 * comes is sent it: so a participant is written as text once, and again when something about them
 * is another. */
#include <stdlib.h>
#include <string.h>

#include "signaling/room.h"

/* A text that grows. */
struct list {
    char *text;
    size_t len, capacity;
    bool failed;
};

static void append(struct list *list, const char *text, size_t len) {
    if (list->len + len > list->capacity) {
        size_t capacity = (list->capacity + len) * 2;
        char *bigger = realloc(list->text, capacity);
        list->failed |= !bigger;
        if (!bigger)
            return;
        list->text = bigger;
        list->capacity = capacity;
    }
    memcpy(list->text + list->len, text, len);
    list->len += len;
}

static json_t *tracks_json(const struct sig_session *first) {
    json_t *tracks = json_array();
    for (const struct sig_session *each = first; each; each = sig_session_next_of(each))
        for (size_t i = 0; i < each->track_count; i++)
            json_array_append_new(tracks, sig_track_json(&each->tracks[i]));
    return tracks;
}

/* What is known of the user's connection, or NULL. */
static json_t *quality_json(const struct sig_session *first) {
    const struct sig_session *each = first;
    while (each && sig_session_is_watcher(each))
        each = sig_session_next_of(each);
    return each && each->quality.score > 0 ? sig_quality_json(&each->quality) : NULL;
}

/* first: the user's first session, or NULL. */
static char *participant_text(const struct sig_participant *who, const struct sig_session *first) {
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:o*}", "user_id",
                             who->user_id, "username", who->name, "full_name", who->name, "status",
                             sig_participant_status_name(who->status), "is_audio_enabled",
                             who->is_audio_enabled, "is_video_enabled", who->is_video_enabled,
                             "is_screen_sharing", who->is_screen_sharing, "tracks",
                             tracks_json(first), "quality", quality_json(first));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

void sig_card_deinit(struct sig_card *card) {
    free(card->text);
    free(card->name);
}

static bool is_current(const struct sig_card *card, const struct sig_participant *who,
                       const struct sig_session *session) {
    return card->text && card->changes == session->changes && card->status == who->status &&
           card->is_audio_enabled == who->is_audio_enabled &&
           card->is_video_enabled == who->is_video_enabled &&
           card->is_screen_sharing == who->is_screen_sharing && strcmp(card->name, who->name) == 0;
}

/* Of a user with one session. */
static const struct sig_card *card_of(const struct sig_participant *who,
                                      struct sig_session *session) {
    struct sig_card *card = &session->card;
    if (is_current(card, who, session))
        return card;
    sig_card_deinit(card);
    *card = (struct sig_card){.status = who->status,
                              .is_audio_enabled = who->is_audio_enabled,
                              .is_video_enabled = who->is_video_enabled,
                              .is_screen_sharing = who->is_screen_sharing,
                              .changes = session->changes,
                              .text = participant_text(who, session),
                              .name = strdup(who->name)};
    if (card->text && card->name) {
        card->len = strlen(card->text);
        return card;
    }
    sig_card_deinit(card);
    *card = (struct sig_card){.text = NULL};
    return NULL;
}

/* Who is here, and who may still come. Who has joined without a connection yet will be announced.
 */
static bool is_listed(const struct sig_participant *who, const struct sig_session *first) {
    const struct sig_session *each = first;
    if (who->status != SIG_PARTICIPANT_JOINED)
        return who->status == SIG_PARTICIPANT_INVITED || who->status == SIG_PARTICIPANT_RINGING;
    while (each && !each->is_announced)
        each = sig_session_next_of(each);
    return each != NULL;
}

static void append_participant(struct list *list, const struct sig_participant *who,
                               struct sig_session *first) {
    bool has_card = first && !sig_session_next_of(first);
    const struct sig_card *card = has_card ? card_of(who, first) : NULL;
    char *text = card ? NULL : participant_text(who, first);
    if (list->len > 1)
        append(list, ",", 1);
    if (card)
        append(list, card->text, card->len);
    else if (text)
        append(list, text, strlen(text));
    else
        list->failed = true;
    free(text);
}

char *sig_session_list_others(const struct sig_session *session, size_t *len) {
    const struct sig_room *room = session->room;
    struct list list = {.len = 0};
    append(&list, "[", 1);
    for (size_t i = 0; !list.failed && i < room->call->participant_count; i++) {
        const struct sig_participant *who = room->call->participants[i];
        struct sig_session *first = sig_room_first_of(room, who->user_id);
        if (strcmp(who->user_id, session->identity.user_id) != 0 && is_listed(who, first))
            append_participant(&list, who, first);
    }
    append(&list, "]", 1);
    *len = list.len;
    if (!list.failed)
        return list.text;
    free(list.text);
    return NULL;
}
