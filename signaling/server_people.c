/* What the server does for people besides their calls: telling the host, forgetting who is gone. */
#include <errno.h>

#include "signaling/server.h"

#define SWEEP_SOON_MS 100
#define SWEEP_EVERY_MS (600 * 1000)
#define SWEPT_AFTER_MS UINT64_C(60000) /* Nobody signs in for that long. */

static uint64_t wall_ms(void) {
    uv_timeval64_t now;
    uv_gettimeofday(&now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

static int post(void *ctx, const struct sig_fetch_request *request, sig_fetch_done_fn done,
                void *data) {
    return sig_fetcher_post(ctx, request, done, data);
}

int sig_server_open_webhook(const struct sig_config *config, struct sig_store *store,
                            uv_loop_t *loop, struct sig_fetcher **fetcher,
                            struct sig_webhook **webhook) {
    if (!config->webhook_url)
        return 0;
    *fetcher = sig_fetcher_create(loop);
    if (*fetcher)
        *webhook = sig_webhook_create(
            &(struct sig_webhook_options){.store = store,
                                          .url = config->webhook_url,
                                          .secret = config->webhook_secret,
                                          .max_age_s = (unsigned)config->webhook_max_age_s,
                                          .now_ms = wall_ms,
                                          .post = post,
                                          .ctx = *fetcher});
    return *webhook ? 0 : -ENOMEM;
}

static void on_sweep_tick(uv_timer_t *timer) {
    sig_store_forget_users(timer->data, wall_ms() - SWEPT_AFTER_MS, NULL, NULL);
}

void sig_server_start_sweep(uv_timer_t *timer, struct sig_store *store) {
    timer->data = store;
    uv_timer_start(timer, on_sweep_tick, SWEEP_SOON_MS, SWEEP_EVERY_MS);
}
