/* What the front tells a worker: made on the caller's thread, applied to the engine on the
 * worker's.
 */
#ifndef SFU_COMMAND_H
#define SFU_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sfu/engine.h"
#include "sfu/ice.h"
#include "sfu/sfu.h"

enum sfu_command_type {
    SFU_COMMAND_JOIN,
    SFU_COMMAND_RESTART_ICE,
    SFU_COMMAND_NEGOTIATE,
    SFU_COMMAND_SUBSCRIBE,
    SFU_COMMAND_SET_SLOT,
    SFU_COMMAND_LEAVE,
    SFU_COMMAND_MIRROR_OPEN,
    SFU_COMMAND_MIRROR_CLOSE,
    SFU_COMMAND_MIRROR_FEED,
    SFU_COMMAND_FAVOUR,
    SFU_COMMAND_WHY,
    SFU_COMMAND_STOP,
};

struct sfu_command {
    enum sfu_command_type type;
    struct sfu_command *next;
    uint64_t participant;
    uint64_t track;
    unsigned worker; /* The mirror's or the owner's. */
    bool on;
    struct sfu_ice_credentials credentials;
    struct sfu_description description; /* Its media stand behind the command. */
    struct sfu_wish wish;               /* Its mid names the slot of SET_SLOT as well. */
    sfu_why_fn answer;
    void *ctx; /* Of the answer. */
    struct sfu_media media[];
};

/* A zeroed command with room for media_count m-lines, or NULL. */
struct sfu_command *sfu_command_create(enum sfu_command_type type, size_t media_count);

/* Does what it says; nothing for SFU_COMMAND_WHY and _STOP, which are the worker's own. */
void sfu_command_apply(const struct sfu_command *command, struct sfu_engine *engine,
                       uint64_t now_us);

#endif
