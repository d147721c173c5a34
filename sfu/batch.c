#include "sfu/batch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int sfu_batch_init(struct sfu_batch *batch, sfu_send_fn send, void *ctx) {
    *batch = (struct sfu_batch){.send = send, .ctx = ctx, .bytes = malloc(SFU_BATCH_BYTES)};
    return batch->bytes ? 0 : -ENOMEM;
}

void sfu_batch_deinit(struct sfu_batch *batch) {
    free(batch->bytes);
    batch->bytes = NULL;
}

uint8_t *sfu_batch_reserve(struct sfu_batch *batch) {
    if (batch->used + SFU_BATCH_DATAGRAM_MAX > SFU_BATCH_BYTES)
        sfu_batch_flush(batch);
    return batch->bytes + batch->used;
}

/* A shorter datagram may end a run, so a run whose last segment is short takes no more. */
static bool joins_run(const struct sfu_message *last, const struct sfu_address *to, size_t len) {
    return len <= last->segment_len && last->segments < SFU_BATCH_SEGMENTS_MAX &&
           last->len == (uint32_t)last->segment_len * last->segments &&
           last->len + len <= SFU_BATCH_MESSAGE_MAX && sfu_address_equal(&last->to, to);
}

void sfu_batch_commit(struct sfu_batch *batch, const struct sfu_address *to, size_t len) {
    struct sfu_message *last = batch->count ? &batch->messages[batch->count - 1] : NULL;
    if (last != NULL && joins_run(last, to, len)) {
        last->len += (uint32_t)len;
        last->segments++;
        batch->used += len;
        return;
    }
    batch->messages[batch->count++] = (struct sfu_message){.to = *to,
                                                           .data = batch->bytes + batch->used,
                                                           .len = (uint32_t)len,
                                                           .segment_len = (uint16_t)len,
                                                           .segments = 1};
    batch->used += len;
    if (batch->count == SFU_BATCH_MESSAGES)
        sfu_batch_flush(batch);
}

void sfu_batch_flush(struct sfu_batch *batch) {
    if (batch->count > 0)
        batch->send(batch->ctx, batch->messages, batch->count);
    batch->count = 0;
    batch->used = 0;
}
