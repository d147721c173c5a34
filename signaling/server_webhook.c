/* How the server tells the host application what happens. */
#include <errno.h>

#include "signaling/server.h"
#include "signaling/when.h"

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
                                          .now_ms = sig_when_now_ms,
                                          .post = post,
                                          .ctx = *fetcher});
    return *webhook ? 0 : -ENOMEM;
}
