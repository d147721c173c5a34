/* The front of the forwarding unit, shared by its files: sfu.c does what is asked, front_news.c
 * what the workers say, front_carry.c what the rooms decide. All on the thread of sfu.h's caller.
 */
#ifndef SFU_FRONT_H
#define SFU_FRONT_H

#include "sfu/dtls.h"
#include "sfu/ice.h"
#include "sfu/reach.h"
#include "sfu/room.h"
#include "sfu/sfu.h"
#include "sfu/table.h"
#include "sfu/worker.h"

/* A participant. */
struct sfu_person {
    struct sfu_member *member; /* Its number, room and worker. */
    struct sfu_ice_credentials credentials;
    uint8_t fingerprint[SFU_FINGERPRINT_LEN];
    bool described;
};

struct sfu {
    /* Given. */
    struct sfu_config config;
    sfu_event_fn on_event;
    void *ctx;

    /* Owned. */
    struct sfu_reach reach;
    struct sfu_dtls_context *dtls;
    struct sfu_worker *workers[SFU_WORKERS_MAX];
    struct sfu_pipe *pipes[SFU_WORKERS_MAX][SFU_WORKERS_MAX];    /* From, to. */
    struct sfu_pipe *pipes_in[SFU_WORKERS_MAX][SFU_WORKERS_MAX]; /* The same, seen by the reader. */
    size_t load[SFU_WORKERS_MAX];                                /* Participants. */
    struct sfu_table people;
    struct sfu_table rooms;
    uv_async_t async;
    uv_timer_t timer; /* Runs while somebody speaks. */

    /* State. */
    struct sfu_member *changed; /* To be told their slots. */
    struct sfu_room *loud;      /* Where somebody speaks. */
    struct sfu_room *visiting;  /* Of these, those still to be visited in this turn. */
    int open_handles;
};

struct sfu_person *sfu_front_find(const struct sfu *sfu, uint64_t participant);

/* front_news.c: the loop's callbacks, and the worker's that wakes the loop. */
void sfu_front_on_async(uv_async_t *async);
void sfu_front_on_timer(uv_timer_t *timer);
void sfu_front_on_news(void *ctx);

/* The member is to be told its slots, or not any more. */
void sfu_front_note_change(struct sfu *sfu, struct sfu_member *member);
void sfu_front_forget_change(struct sfu *sfu, struct sfu_member *member);

/* A room ends. */
void sfu_front_forget_loud(struct sfu *sfu, const struct sfu_room *room);

/* front_carry.c: a room's decision (sfu_carry_fn), told to the workers. */
void sfu_front_carry(void *ctx, struct sfu_member *member, struct sfu_member_slot *slot,
                     struct sfu_published *was);

/* Has the workers favour the pictures of the one who speaks. */
void sfu_front_follow_dominant(struct sfu *sfu, struct sfu_room *room);

/* A command that cannot be made for lack of memory is lost; the participant's media is then not
 * what it should be, and the rest of the server goes on. */
void sfu_front_post(struct sfu *sfu, unsigned worker, struct sfu_command *command);

#endif
