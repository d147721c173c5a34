/* What clients say to the SFU: join, offers, sources, wishes. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/json.h"
#include "signaling/room.h"

int sig_message_join(struct sig_session *session, const json_t *message,
                     struct sig_refusal *refusal) {
    const char *media = sig_json_text(message, "media");
    if (media && strcmp(media, "sfu") != 0 && strcmp(media, "mesh") != 0)
        return sig_refuse(refusal, 400, "bad_message", "media is \"sfu\" or \"mesh\"");
    bool is_sfu = media && strcmp(media, "sfu") == 0;
    session->can_direct = is_sfu && json_is_true(json_object_get(message, "direct"));
    sig_session_announce(session, is_sfu ? SIG_MEDIA_SFU : SIG_MEDIA_MESH);
    if (is_sfu) {
        sig_session_tell_tracks(session, false);
        sig_room_tell_speakers(session);
    }
    sig_room_check_direct(session->room);
    return 0;
}

int sig_message_offer_to_sfu(struct sig_session *session, const json_t *offer,
                             struct sig_refusal *refusal) {
    const char *sdp = sig_json_text(offer, "sdp");
    char *answer = NULL;
    sig_session_announce(session, SIG_MEDIA_SFU);
    int status = sig_session_offer(session, sdp, strlen(sdp), &answer, refusal);
    if (status < 0)
        return status;
    sig_session_send(session, json_pack("{s:s, s:{s:s, s:s}, s:s}", "type", "answer", "answer",
                                        "type", "answer", "sdp", answer, "from_user_id", "sfu"));
    free(answer);
    sig_session_tell_tracks(session, true);
    return 0;
}

static bool read_mid(const json_t *entry, char mid[static RTP_MID_MAX + 1]) {
    const char *text = sig_json_text(entry, "mid");
    if (!text || text[0] == '\0' || strlen(text) > RTP_MID_MAX)
        return false;
    strcpy(mid, text);
    return true;
}

/* An array of at most as many entries as an offer may have m-lines. */
static int read_list(const struct sig_session *session, const json_t *message, const char *name,
                     const json_t **out, struct sig_refusal *refusal) {
    size_t max = (size_t)session->room->calls->config->max_mlines_per_offer;
    *out = json_object_get(message, name);
    if (!json_is_array(*out))
        return sig_refuse(refusal, 400, "bad_message", "%s has to be a list", name);
    if (json_array_size(*out) > max)
        return sig_refuse(refusal, 429, "too_many_mlines", "%s has more than %zu entries", name,
                          max);
    return 0;
}

int sig_message_publish(struct sig_session *session, const json_t *message,
                        struct sig_refusal *refusal) {
    const json_t *list;
    int status = read_list(session, message, "tracks", &list, refusal);
    if (status < 0)
        return status;
    size_t count = json_array_size(list);
    struct sig_sdp_source *sources = calloc(count + 1, sizeof(*sources));
    if (!sources)
        return sig_refuse_memory(refusal);
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(list, i);
        if (read_mid(entry, sources[i].mid) &&
            sig_source_read(sig_json_text(entry, "source"), &sources[i].source) == 0)
            continue;
        free(sources);
        return sig_refuse(refusal, 400, "bad_message", "tracks[%zu] has no mid or no source", i);
    }
    free(session->sources);
    session->sources = sources;
    session->source_count = count;
    return 0;
}

/* An optional number of a wish: absent or null is 0. */
static bool read_number(const json_t *entry, const char *name, json_int_t max, json_int_t *out) {
    const json_t *value = json_object_get(entry, name);
    *out = 0;
    if (!value || json_is_null(value))
        return true;
    if (json_is_real(value)) /* Browsers measure in fractions of pixels. */
        *out = json_real_value(value) >= 0 && json_real_value(value) <= (double)max
                   ? (json_int_t)json_real_value(value)
                   : -1;
    else
        *out = json_is_integer(value) ? json_integer_value(value) : -1;
    return *out >= 0 && *out <= max;
}

/* A track of somebody in this call: nobody reaches into another one. */
static bool read_track(const struct sig_session *session, const json_t *entry, uint64_t *out) {
    const json_t *value = json_object_get(entry, "track_id");
    const char *text = json_string_value(value);
    char *end = NULL;
    *out = 0;
    if (!value || json_is_null(value))
        return true;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && sig_room_find_track(session->room, *out) != NULL;
}

static int read_wish(const struct sig_session *session, const json_t *entry, struct sfu_wish *out,
                     struct sig_refusal *refusal) {
    json_int_t width, height, fps, priority;
    if (!read_mid(entry, out->mid) || !read_number(entry, "max_width", UINT16_MAX, &width) ||
        !read_number(entry, "max_height", UINT16_MAX, &height) ||
        !read_number(entry, "max_fps", UINT16_MAX, &fps) ||
        !read_number(entry, "priority", UINT8_MAX, &priority))
        return sig_refuse(refusal, 400, "bad_message",
                          "A slot has no mid, or a number out of range");
    if (!read_track(session, entry, &out->track))
        return sig_refuse(refusal, 404, "unknown_track", "There is no such track in this call");
    out->max_width = (uint16_t)width;
    out->max_height = (uint16_t)height;
    out->max_fps = (uint16_t)fps;
    out->priority = (uint8_t)priority;
    out->paused = json_is_true(json_object_get(entry, "paused"));
    return 0;
}

int sig_message_subscribe(struct sig_session *session, const json_t *message,
                          struct sig_refusal *refusal) {
    const json_t *list;
    int status = read_list(session, message, "slots", &list, refusal);
    if (status == 0 && !session->agreement)
        status = sig_refuse(refusal, 409, "no_transport", "There are no slots yet: send an offer");
    if (status < 0)
        return status;
    size_t count = json_array_size(list);
    struct sfu_wish *wishes = calloc(count + 1, sizeof(*wishes));
    if (!wishes)
        return sig_refuse_memory(refusal);
    for (size_t i = 0; status == 0 && i < count; i++)
        status = read_wish(session, json_array_get(list, i), &wishes[i], refusal);
    if (status == 0 && sfu_subscribe(session->room->calls->sfu, session->number, wishes, count) < 0)
        status = sig_refuse(refusal, 409, "no_transport", "There are no slots any more");
    free(wishes);
    return status;
}
