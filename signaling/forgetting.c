#include "signaling/forgetting.h"

#include "signaling/log.h"
#include "signaling/when.h"

#define DAY_MS (24 * 3600 * UINT64_C(1000))
#define CALLS_EVERY_MS (3600 * 1000)
#define PEOPLE_EVERY_MS (600 * 1000)
#define SOON_MS 100                    /* At the start; and: there were more than go at a time. */
#define PERSON_KEPT_MS UINT64_C(60000) /* Nobody signs in for that long. */

static void on_calls_tick(uv_timer_t *timer);

static void on_calls_forgotten(void *data, int count) {
    struct sig_forgetting *forgetting = data;
    if (count > 0)
        sig_log(SIG_LOG_INFO, NULL, "%d calls were older than %d days and are forgotten", count,
                forgetting->history_days);
    if (!forgetting->is_stopped)
        uv_timer_start(&forgetting->calls, on_calls_tick, count > 0 ? SOON_MS : CALLS_EVERY_MS, 0);
}

static void on_calls_tick(uv_timer_t *timer) {
    struct sig_forgetting *forgetting = timer->data;
    uint64_t kept_ms = (uint64_t)forgetting->history_days * DAY_MS, now_ms = sig_when_now_ms();
    sig_store_forget_calls(forgetting->store, now_ms > kept_ms ? now_ms - kept_ms : 0,
                           on_calls_forgotten, forgetting);
}

static void on_people_tick(uv_timer_t *timer) {
    struct sig_forgetting *forgetting = timer->data;
    sig_store_forget_users(forgetting->store, sig_when_now_ms() - PERSON_KEPT_MS, NULL, NULL);
}

void sig_forgetting_start(struct sig_forgetting *forgetting, uv_loop_t *loop,
                          struct sig_store *store, const struct sig_config *config) {
    forgetting->store = store;
    forgetting->history_days = config->history_days;
    uv_timer_init(loop, &forgetting->calls);
    uv_timer_init(loop, &forgetting->people);
    forgetting->calls.data = forgetting->people.data = forgetting;
    if (config->demo && !config->secret)
        uv_timer_start(&forgetting->people, on_people_tick, SOON_MS, PEOPLE_EVERY_MS);
    if (config->history_days > 0)
        uv_timer_start(&forgetting->calls, on_calls_tick, SOON_MS, 0);
}

void sig_forgetting_stop(struct sig_forgetting *forgetting) {
    forgetting->is_stopped = true;
    uv_timer_stop(&forgetting->calls);
    uv_timer_stop(&forgetting->people);
}

void sig_forgetting_close(struct sig_forgetting *forgetting) {
    uv_close((uv_handle_t *)&forgetting->calls, NULL);
    uv_close((uv_handle_t *)&forgetting->people, NULL);
}
