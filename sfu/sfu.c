/* The front of the forwarding unit, on the thread of its caller: keeps rooms, decides by them what
 * slots carry, and tells the workers. */
#include "sfu/sfu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sfu/front.h"
#include "sfu/srtp.h"

enum {
    PIPE_ENTRIES = 8192, /* Packets between two workers; at 100,000 a second 80 ms. */
    PACKETS_PER_WORKER =
        1 << 17, /* Most that a worker ever holds, about 220 MB; taken as needed. */
};

struct sfu_person *sfu_front_find(const struct sfu *sfu, uint64_t participant) {
    return sfu_table_get(&sfu->people, &participant);
}

/* --- What answers say of us --- */

static void add_candidate(struct sfu_local *local, const char *address, uint16_t port, bool tcp) {
    if (local->candidate_count == SFU_CANDIDATES_MAX)
        return;
    struct sfu_candidate *candidate = &local->candidates[local->candidate_count++];
    *candidate = (struct sfu_candidate){.port = port, .tcp = tcp};
    snprintf(candidate->address, sizeof(candidate->address), "%s", address);
}

static void add_address(const struct sfu *sfu, struct sfu_local *local, const char *address,
                        uint16_t port) {
    add_candidate(local, address, port, false);
    if (sfu->config.tcp)
        add_candidate(local, address, port, true);
}

static void describe_local(const struct sfu *sfu, const struct sfu_person *person,
                           struct sfu_local *out) {
    uint16_t port = sfu_port(sfu, person->member->worker);
    *out = (struct sfu_local){0};
    memcpy(out->ufrag, person->credentials.ufrag, sizeof(out->ufrag));
    memcpy(out->pwd, person->credentials.pwd, sizeof(out->pwd));
    for (size_t i = 0; i < sfu->reach.shown_count; i++)
        add_address(sfu, out, sfu->reach.shown[i], port);
}

/* --- sfu.h --- */

static int open_pipes(struct sfu *sfu) {
    for (unsigned from = 0; from < sfu->config.workers; from++)
        for (unsigned to = 0; to < sfu->config.workers; to++) {
            if (from == to)
                continue;
            if (sfu_pipe_create(&sfu->pipes[from][to], PIPE_ENTRIES) < 0)
                return -ENOMEM;
            sfu->pipes_in[to][from] = sfu->pipes[from][to];
        }
    return 0;
}

static uint16_t worker_port(const struct sfu *sfu, unsigned i) {
    if (sfu->config.port == 0)
        return sfu_reach_free_port(&sfu->reach, sfu->config.tcp);
    return (uint16_t)(sfu->config.port + i);
}

static int open_workers(struct sfu *sfu, char *error, size_t error_size) {
    int result = 0;
    for (unsigned i = 0; i < sfu->config.workers && result == 0; i++) {
        struct sfu_worker_config config = {
            .index = i,
            .workers = sfu->config.workers,
            .addresses = sfu->reach.bound_list,
            .address_count = sfu->reach.bound_count,
            .port = worker_port(sfu, i),
            .gso = sfu->config.gso,
            .tcp = sfu->config.tcp,
            .consent_timeout_ms = sfu->config.consent_timeout_ms,
            .max_packets = PACKETS_PER_WORKER,
            .dtls = sfu->dtls,
            .peers = sfu->workers,
            .in = sfu->pipes_in[i],
            .out = sfu->pipes[i],
            .on_news = sfu_front_on_news,
            .ctx = sfu,
        };
        result = sfu_worker_create(&sfu->workers[i], &config, error, error_size);
    }
    for (unsigned i = 0; i < sfu->config.workers && result == 0; i++)
        result = sfu_worker_start(sfu->workers[i]);
    return result;
}

static int open_all(struct sfu *sfu, char *error, size_t error_size) {
    snprintf(error, error_size, "out of memory");
    int result = sfu_reach_init(&sfu->reach, &sfu->config, error, error_size);
    if (result == 0)
        result = sfu_dtls_context_create(&sfu->dtls);
    if (result == 0)
        result = sfu_table_init(&sfu->people, sizeof(uint64_t));
    if (result == 0)
        result = sfu_table_init(&sfu->rooms, sizeof(uint64_t));
    if (result == 0)
        result = open_pipes(sfu);
    if (result == 0)
        result = open_workers(sfu, error, error_size);
    return result;
}

int sfu_create(struct sfu **out, const struct sfu_config *config, uv_loop_t *loop,
               sfu_event_fn on_event, void *ctx, char *error, size_t error_size) {
    if (config->workers == 0 || config->workers > SFU_WORKERS_MAX ||
        config->port + config->workers - 1 > UINT16_MAX) {
        snprintf(error, error_size, "the workers' ports end at 65535");
        return -EINVAL;
    }
    struct sfu *sfu = calloc(1, sizeof(*sfu));
    if (sfu == NULL)
        return -ENOMEM;
    sfu->config = *config;
    sfu->on_event = on_event;
    sfu->ctx = ctx;
    uv_async_init(loop, &sfu->async, sfu_front_on_async);
    uv_timer_init(loop, &sfu->timer);
    sfu->async.data = sfu->timer.data = sfu;
    sfu->open_handles = 2;
    int result = open_all(sfu, error, error_size);
    if (result < 0)
        sfu_destroy(sfu);
    else
        *out = sfu;
    return result;
}

static void free_after_close(uv_handle_t *handle) {
    struct sfu *sfu = handle->data;
    if (--sfu->open_handles == 0)
        free(sfu);
}

static void destroy_workers(struct sfu *sfu) {
    for (unsigned i = 0; i < sfu->config.workers; i++)
        if (sfu->workers[i] != NULL)
            sfu_worker_stop(sfu->workers[i]);
    for (unsigned i = 0; i < sfu->config.workers; i++)
        if (sfu->workers[i] != NULL)
            sfu_worker_clear(sfu->workers[i]);
    for (unsigned from = 0; from < sfu->config.workers; from++)
        for (unsigned to = 0; to < sfu->config.workers; to++)
            sfu_pipe_destroy(sfu->pipes[from][to]);
    for (unsigned i = 0; i < sfu->config.workers; i++)
        sfu_worker_destroy(sfu->workers[i]);
}

void sfu_destroy(struct sfu *sfu) {
    if (sfu == NULL)
        return;
    for (struct sfu_person *person; (person = sfu_table_any(&sfu->people)) != NULL;)
        sfu_leave(sfu, person->member->id);
    destroy_workers(sfu);
    sfu_table_deinit(&sfu->people);
    sfu_table_deinit(&sfu->rooms);
    sfu_dtls_context_destroy(sfu->dtls);
    uv_close((uv_handle_t *)&sfu->async, free_after_close);
    uv_close((uv_handle_t *)&sfu->timer, free_after_close);
}

const char *sfu_shown_address(const struct sfu *sfu, size_t i) {
    return i < sfu->reach.shown_count ? sfu->reach.shown[i] : NULL;
}

uint16_t sfu_port(const struct sfu *sfu, unsigned worker) {
    return sfu_worker_port(sfu->workers[worker]);
}

const char *sfu_fingerprint(const struct sfu *sfu) {
    return sfu_dtls_context_fingerprint(sfu->dtls);
}

static struct sfu_room *enter_room(struct sfu *sfu, uint64_t id) {
    struct sfu_room *room = sfu_table_get(&sfu->rooms, &id);
    if (room != NULL || sfu_room_create(&room, id, sfu_front_carry, sfu) < 0)
        return room;
    if (sfu->config.loudest > 0)
        sfu_room_set_loudest(room, sfu->config.loudest);
    if (sfu_table_put(&sfu->rooms, &id, room) == 0)
        return room;
    sfu_room_destroy(room);
    return NULL;
}

static void leave_room(struct sfu *sfu, struct sfu_room *room) {
    if (room == NULL || room->members != NULL)
        return;
    sfu_table_remove(&sfu->rooms, &room->id);
    sfu_front_forget_loud(sfu, room);
    sfu_room_destroy(room);
}

static unsigned least_loaded(const struct sfu *sfu) {
    unsigned best = 0;
    for (unsigned i = 1; i < sfu->config.workers; i++)
        if (sfu->load[i] < sfu->load[best])
            best = i;
    return best;
}

static int post_credentials(struct sfu *sfu, const struct sfu_person *person,
                            enum sfu_command_type type) {
    struct sfu_command *command = sfu_command_create(type, 0);
    if (command == NULL)
        return -ENOMEM;
    command->participant = person->member->id;
    command->credentials = person->credentials;
    sfu_front_post(sfu, person->member->worker, command);
    return 0;
}

int sfu_join(struct sfu *sfu, uint64_t room_id, uint64_t participant, struct sfu_local *out) {
    if (sfu->people.count >= sfu->config.max_participants)
        return -EBUSY;
    if (sfu_front_find(sfu, participant) != NULL)
        return -EEXIST;
    struct sfu_person *person = calloc(1, sizeof(*person));
    struct sfu_room *room = person ? enter_room(sfu, room_id) : NULL;
    int result =
        room ? sfu_member_create(&person->member, room, participant, least_loaded(sfu)) : -ENOMEM;
    if (result == 0)
        result = sfu_table_put(&sfu->people, &participant, person);
    if (result == 0) {
        sfu_ice_credentials_generate(&person->credentials);
        sfu->load[person->member->worker]++;
        describe_local(sfu, person, out);
        result = post_credentials(sfu, person, SFU_COMMAND_JOIN);
        if (result < 0)
            sfu_leave(sfu, participant);
        return result;
    }
    if (person != NULL)
        sfu_member_destroy(person->member);
    leave_room(sfu, room);
    free(person);
    return result;
}

int sfu_restart_ice(struct sfu *sfu, uint64_t participant, struct sfu_local *out) {
    struct sfu_person *person = sfu_front_find(sfu, participant);
    if (person == NULL)
        return -ENOENT;
    sfu_ice_credentials_generate(&person->credentials);
    describe_local(sfu, person, out);
    return post_credentials(sfu, person, SFU_COMMAND_RESTART_ICE);
}

int sfu_local_get(const struct sfu *sfu, uint64_t participant, struct sfu_local *out) {
    const struct sfu_person *person = sfu_front_find(sfu, participant);
    if (person == NULL)
        return -ENOENT;
    describe_local(sfu, person, out);
    return 0;
}

static struct sfu_command *copy_description(uint64_t participant,
                                            const struct sfu_description *description) {
    struct sfu_command *command =
        sfu_command_create(SFU_COMMAND_NEGOTIATE, description->media_count);
    if (command == NULL)
        return NULL;
    command->participant = participant;
    command->description = *description;
    command->description.media = command->media;
    memcpy(command->media, description->media, description->media_count * sizeof(*command->media));
    return command;
}

int sfu_negotiate(struct sfu *sfu, uint64_t participant,
                  const struct sfu_description *description) {
    struct sfu_person *person = sfu_front_find(sfu, participant);
    if (person == NULL)
        return -ENOENT;
    if (person->described &&
        memcmp(person->fingerprint, description->remote_fingerprint, SFU_FINGERPRINT_LEN) != 0)
        return -EINVAL;
    if (sfu_member_contradicts(person->member, description->media, description->media_count))
        return -EINVAL;
    struct sfu_command *command = copy_description(participant, description);
    if (command == NULL)
        return -ENOMEM;
    /* First the engine learns of the tracks and slots, then of what the room decides about them. */
    sfu_front_post(sfu, person->member->worker, command);
    memcpy(person->fingerprint, description->remote_fingerprint, SFU_FINGERPRINT_LEN);
    person->described = true;
    return sfu_member_describe(person->member, description->media, description->media_count);
}

int sfu_subscribe(struct sfu *sfu, uint64_t participant, const struct sfu_wish *wishes,
                  size_t count) {
    struct sfu_person *person = sfu_front_find(sfu, participant);
    if (person == NULL)
        return -ENOENT;
    for (size_t i = 0; i < count; i++) {
        struct sfu_command *command = sfu_command_create(SFU_COMMAND_SUBSCRIBE, 0);
        if (command == NULL)
            return -ENOMEM;
        if (sfu_member_subscribe(person->member, &wishes[i]) < 0) {
            free(command);
            continue;
        }
        command->participant = participant;
        command->wish = wishes[i];
        sfu_front_post(sfu, person->member->worker, command);
    }
    return 0;
}

int sfu_why(struct sfu *sfu, uint64_t participant, sfu_why_fn answer, void *ctx) {
    const struct sfu_person *person = sfu_front_find(sfu, participant);
    if (person == NULL)
        return -ENOENT;
    struct sfu_command *command = sfu_command_create(SFU_COMMAND_WHY, 0);
    if (command == NULL)
        return -ENOMEM;
    command->participant = participant;
    command->answer = answer;
    command->ctx = ctx;
    sfu_front_post(sfu, person->member->worker, command);
    return 0;
}

bool sfu_track_fits(const struct sfu *sfu, uint64_t track_id, const struct sfu_media *slot) {
    for (size_t i = 0; i < sfu->rooms.capacity; i++) {
        const struct sfu_room *room = sfu_table_at(&sfu->rooms, i);
        for (const struct sfu_published *track = room ? room->tracks : NULL; track;
             track = track->next)
            if (track->media.track == track_id)
                return sfu_media_fits(&track->media, slot);
    }
    return false;
}

void sfu_leave(struct sfu *sfu, uint64_t participant) {
    struct sfu_person *person = sfu_table_remove(&sfu->people, &participant);
    if (person == NULL)
        return;
    struct sfu_room *room = person->member->room;
    unsigned worker = person->member->worker;
    sfu_front_forget_change(sfu, person->member);
    person->member->changed = true; /* Nothing more is told. */
    sfu_member_destroy(person->member);
    leave_room(sfu, room);
    sfu->load[worker]--;
    free(person);
    struct sfu_command *command = sfu_command_create(SFU_COMMAND_LEAVE, 0);
    if (command != NULL)
        command->participant = participant;
    sfu_front_post(sfu, worker, command);
}

static void count_room(const struct sfu_room *room, struct sfu_stats *out) {
    for (const struct sfu_member *member = room->members; member != NULL; member = member->next)
        out->slots += member->slot_count;
    for (const struct sfu_published *track = room->tracks; track != NULL; track = track->next)
        out->tracks++;
}

void sfu_stats_get(const struct sfu *sfu, struct sfu_stats *out) {
    *out = (struct sfu_stats){.workers = sfu->config.workers,
                              .rooms = sfu->rooms.count,
                              .participants = sfu->people.count};
    for (size_t i = 0; i < sfu->rooms.capacity; i++)
        if (sfu_table_at(&sfu->rooms, i) != NULL)
            count_room(sfu_table_at(&sfu->rooms, i), out);
    for (unsigned i = 0; i < sfu->config.workers; i++)
        sfu_worker_stats_add(sfu->workers[i], out);
}
