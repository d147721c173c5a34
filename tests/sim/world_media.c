#include "tests/sim/world_media.h"

#include <assert.h>
#include <stdio.h>

/* Payload types as Chromium numbers them. */
static const struct sfu_codec codecs[RTP_CODEC_COUNT] = {
    [RTP_CODEC_OPUS] = {RTP_CODEC_OPUS, 111, 0, 0},
    [RTP_CODEC_RED] = {RTP_CODEC_RED, 63, 0, 0},
    [RTP_CODEC_VP8] = {RTP_CODEC_VP8, 96, 97, 0},
    [RTP_CODEC_VP9] = {RTP_CODEC_VP9, 98, 99, 0},
    [RTP_CODEC_H264] = {RTP_CODEC_H264, 103, 104, 0x42e01f},
    [RTP_CODEC_AV1] = {RTP_CODEC_AV1, 45, 46, 0},
};

static void add_codec(struct sfu_media *media, enum rtp_codec codec) {
    media->codecs[media->codec_count++] = codecs[codec];
}

static void set_extensions(struct sfu_media *media, const struct world_profile *profile) {
    static const uint8_t ids[RTP_EXT_COUNT] = {
        [RTP_EXT_AUDIO_LEVEL] = 1, [RTP_EXT_ABS_SEND_TIME] = 2, [RTP_EXT_TRANSPORT_SEQ] = 3,
        [RTP_EXT_MID] = 4,         [RTP_EXT_RID] = 10,          [RTP_EXT_REPAIRED_RID] = 11,
        [RTP_EXT_DEPENDENCY] = 12,
    };
    for (size_t i = 0; i < RTP_EXT_COUNT; i++)
        media->extensions.ids[i] = ids[i];
    if (profile->plain)
        media->extensions.ids[RTP_EXT_TRANSPORT_SEQ] = 0;
    if (!media->video)
        media->extensions.ids[RTP_EXT_DEPENDENCY] = 0;
    media->transport_cc = !profile->plain;
    media->remb = profile->plain;
}

static struct sfu_media *add_media(struct world_person *person, const struct world_profile *profile,
                                   bool video, enum sfu_direction direction) {
    assert(person->media_count < WORLD_MEDIA_MAX);
    struct sfu_media *media = &person->media[person->media_count];
    *media = (struct sfu_media){.video = video, .direction = direction, .nack = video};
    snprintf(media->mid, sizeof(media->mid), "%zu", person->media_count);
    set_extensions(media, profile);
    uint32_t ssrc = (uint32_t)(person->number * 1000 + person->media_count * 10);
    if (direction == SFU_SLOT) {
        media->slot_ssrc = ssrc;
        media->slot_rtx_ssrc = video ? ssrc + 1 : 0;
    } else {
        media->track = person->number * 100 + person->media_count;
        media->source = video ? SFU_SOURCE_CAMERA : SFU_SOURCE_MICROPHONE;
    }
    person->media_count++;
    return media;
}

static void add_slot(struct world_person *person, const struct world_profile *profile, bool video,
                     size_t stream) {
    struct sfu_media *media = add_media(person, profile, video, SFU_SLOT);
    media->slot_stream = (uint16_t)stream;
    if (video) {
        for (enum rtp_codec codec = RTP_CODEC_VP8; codec < RTP_CODEC_COUNT; codec++)
            add_codec(media, codec);
        return;
    }
    if (profile->red)
        add_codec(media, RTP_CODEC_RED);
    add_codec(media, RTP_CODEC_OPUS);
}

static void add_camera(struct world_person *person, const struct world_profile *profile) {
    struct sfu_media *camera = add_media(person, profile, true, SFU_PUBLISHES);
    add_codec(camera, profile->codec == RTP_CODEC_NONE ? RTP_CODEC_VP8 : profile->codec);
    camera->layer_count = profile->simulcast ? 3 : 1;
    for (size_t i = 0; profile->simulcast && i < 3; i++)
        snprintf(camera->rids[i], sizeof(camera->rids[i]), "%c", "qhf"[i]);
}

void world_media_write(struct world_person *person, const struct world_profile *profile) {
    if (profile->microphone) {
        struct sfu_media *microphone = add_media(person, profile, false, SFU_PUBLISHES);
        if (profile->red)
            add_codec(microphone, RTP_CODEC_RED);
        add_codec(microphone, RTP_CODEC_OPUS);
    }
    if (profile->camera)
        add_camera(person, profile);
    for (size_t i = 0; i < profile->slots; i++) {
        add_slot(person, profile, false, i);
        add_slot(person, profile, true, i);
    }
    for (size_t i = 0; i < profile->audio_slots; i++)
        add_slot(person, profile, false, profile->slots + i);
    for (size_t i = 0; i < profile->video_slots; i++)
        add_slot(person, profile, true, profile->slots + i);
}
