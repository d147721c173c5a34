#include "sfu/command.h"

#include <stdlib.h>

struct sfu_command *sfu_command_create(enum sfu_command_type type, size_t media_count) {
    struct sfu_command *command =
        calloc(1, sizeof(*command) + media_count * sizeof(struct sfu_media));
    if (command != NULL)
        command->type = type;
    return command;
}

static void do_join(struct sfu_engine *engine, uint64_t now_us, const struct sfu_command *command) {
    sfu_engine_join(engine, now_us, command->participant, &command->credentials);
}

static void do_restart_ice(struct sfu_engine *engine, uint64_t now_us,
                           const struct sfu_command *command) {
    (void)now_us;
    sfu_engine_restart_ice(engine, command->participant, &command->credentials);
}

static void do_negotiate(struct sfu_engine *engine, uint64_t now_us,
                         const struct sfu_command *command) {
    sfu_engine_negotiate(engine, now_us, command->participant, &command->description);
}

static void do_subscribe(struct sfu_engine *engine, uint64_t now_us,
                         const struct sfu_command *command) {
    sfu_engine_subscribe(engine, now_us, command->participant, &command->wish);
}

static void do_set_slot(struct sfu_engine *engine, uint64_t now_us,
                        const struct sfu_command *command) {
    sfu_engine_set_slot(engine, now_us, command->participant, command->wish.mid, command->track);
}

static void do_leave(struct sfu_engine *engine, uint64_t now_us,
                     const struct sfu_command *command) {
    sfu_engine_leave(engine, now_us, command->participant);
}

static void do_mirror_open(struct sfu_engine *engine, uint64_t now_us,
                           const struct sfu_command *command) {
    (void)now_us;
    sfu_engine_mirror_open(engine, command->worker, &command->media[0]);
}

static void do_mirror_close(struct sfu_engine *engine, uint64_t now_us,
                            const struct sfu_command *command) {
    (void)now_us;
    sfu_engine_mirror_close(engine, command->track);
}

static void do_mirror_feed(struct sfu_engine *engine, uint64_t now_us,
                           const struct sfu_command *command) {
    (void)now_us;
    sfu_engine_mirror_feed(engine, command->track, command->worker, command->on);
}

static void do_favour(struct sfu_engine *engine, uint64_t now_us,
                      const struct sfu_command *command) {
    sfu_engine_favour(engine, now_us, command->track, command->on);
}

typedef void (*command_fn)(struct sfu_engine *engine, uint64_t now_us,
                           const struct sfu_command *command);

static const command_fn handlers[] = {
    [SFU_COMMAND_JOIN] = do_join,
    [SFU_COMMAND_RESTART_ICE] = do_restart_ice,
    [SFU_COMMAND_NEGOTIATE] = do_negotiate,
    [SFU_COMMAND_SUBSCRIBE] = do_subscribe,
    [SFU_COMMAND_SET_SLOT] = do_set_slot,
    [SFU_COMMAND_LEAVE] = do_leave,
    [SFU_COMMAND_MIRROR_OPEN] = do_mirror_open,
    [SFU_COMMAND_MIRROR_CLOSE] = do_mirror_close,
    [SFU_COMMAND_MIRROR_FEED] = do_mirror_feed,
    [SFU_COMMAND_FAVOUR] = do_favour,
};

void sfu_command_apply(const struct sfu_command *command, struct sfu_engine *engine,
                       uint64_t now_us) {
    if (command->type < sizeof(handlers) / sizeof(handlers[0]) && handlers[command->type] != NULL)
        handlers[command->type](engine, now_us, command);
}
