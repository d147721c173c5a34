#include "signaling/server.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "sfu/sfu.h"
#include "signaling/api.h"
#include "signaling/auth.h"
#include "signaling/calls.h"
#include "signaling/http.h"
#include "signaling/log.h"
#include "signaling/store.h"
#include "signaling/turn.h"
#include "signaling/web.h"
#include "signaling/whip.h"

enum {
    DRAIN_LOOK_MS = 100,        /* How often a draining server looks whether it is empty. */
    CONSENT_TIMEOUT_MS = 30000, /* RFC 7675 section 5.1. */
    MEMORY_STORE_CALLS = 10000,
    MEMORY_STORE_USERS = 10000,
    HOUR_MS = 3600 * 1000,
};

struct server {
    /* Given. */
    const struct sig_config *config;
    /* Owned. */
    uv_loop_t loop;
    struct sfu *sfu;
    struct sig_store *store;
    struct sig_auth *auth;
    struct sig_calls *calls;
    struct sig_whip *whip;
    struct sig_api *api;
    struct sig_http *http;
    uv_signal_t sigterm;
    uv_signal_t sigint;
    uv_prepare_t before_sleep;
    uv_timer_t calls_timer;
    uv_timer_t drain_timer;
    /* State. */
    uint64_t drain_until_ms;
    bool draining;
    bool closing;
};

/* --- Time for the calls --- */

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

static void on_calls_timer(uv_timer_t *timer) {
    struct server *server = timer->data;
    sig_calls_on_deadline(server->calls, now_us());
}

/* Whatever happened in this turn of the loop, the timer follows the calls' next deadline. */
static void on_before_sleep(uv_prepare_t *prepare) {
    struct server *server = prepare->data;
    uint64_t next_us = server->calls ? sig_calls_next_deadline(server->calls) : UINT64_MAX;
    uint64_t now = now_us();
    uv_timer_stop(&server->calls_timer);
    if (next_us != UINT64_MAX)
        uv_timer_start(&server->calls_timer, on_calls_timer,
                       next_us > now ? (next_us - now + 999) / 1000 : 0, 0);
}

/* --- The end --- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void destroy_parts(struct server *server) {
    sig_api_destroy(server->api);
    sig_whip_destroy(server->whip);
    sig_calls_destroy(server->calls);
    sig_store_destroy(server->store);
    sig_auth_destroy(server->auth);
    sfu_destroy(server->sfu);
    server->calls = NULL;
    close_handle((uv_handle_t *)&server->before_sleep);
    close_handle((uv_handle_t *)&server->calls_timer);
    close_handle((uv_handle_t *)&server->drain_timer);
    close_handle((uv_handle_t *)&server->sigterm);
    close_handle((uv_handle_t *)&server->sigint);
}

static void on_http_closed(void *data) {
    destroy_parts(data);
}

/* First the doors, so that nobody asks for what is being taken down. */
static void close_server(struct server *server) {
    if (server->closing)
        return;
    server->closing = true;
    uv_timer_stop(&server->drain_timer);
    if (server->http)
        sig_http_close(server->http, on_http_closed, server);
    else
        destroy_parts(server);
}

static void on_drain_timer(uv_timer_t *timer) {
    struct server *server = timer->data;
    struct sig_calls_stats stats;
    sig_calls_stats_get(server->calls, &stats);
    bool late = uv_now(&server->loop) >= server->drain_until_ms;
    if (stats.sessions > 0 && !late)
        return;
    sig_log(SIG_LOG_INFO, NULL,
            late ? "the drain deadline is over, %zu sessions end" : "drained, %zu sessions left",
            stats.sessions);
    close_server(server);
}

static void on_signal(uv_signal_t *handle, int number) {
    struct server *server = handle->data;
    if (server->draining) {
        sig_log(SIG_LOG_WARN, NULL, "%s again: ending at once", strsignal(number));
        close_server(server);
        return;
    }
    server->draining = true;
    server->drain_until_ms =
        uv_now(&server->loop) + (uint64_t)server->config->drain_deadline_s * 1000;
    sig_log(SIG_LOG_INFO, NULL, "%s: draining, nobody new is let in; running calls have %d s",
            strsignal(number), server->config->drain_deadline_s);
    sig_calls_drain(server->calls);
    uv_timer_start(&server->drain_timer, on_drain_timer, 0, DRAIN_LOOK_MS);
}

/* --- The beginning --- */

static int open_sfu(struct server *server) {
    const struct sig_config *config = server->config;
    struct sfu_config options = {
        .addresses = (const char *const *)config->rtc_address.items,
        .address_count = config->rtc_address.count,
        .announced = (const char *const *)config->announce.items,
        .announced_count = config->announce.count,
        .stun = config->stun,
        .port = (uint16_t)config->rtc_port,
        .workers = (uint16_t)config->workers,
        .tcp = config->rtc_tcp,
        .gso = true,
        .max_participants = (size_t)config->max_calls * (size_t)config->max_participants_per_call,
        .consent_timeout_ms = CONSENT_TIMEOUT_MS,
    };
    char error[256] = "";
    int result = sfu_create(&server->sfu, &options, &server->loop, sig_calls_on_sfu_event,
                            &server->calls, error, sizeof(error));
    if (result < 0)
        sig_log(SIG_LOG_ERROR, NULL, "media cannot be served: %s", error);
    return result;
}

static int open_http(struct server *server) {
    const struct sig_config *config = server->config;
    struct sig_http_options options = {
        .listen = (const char *const *)config->listen.items,
        .listen_count = config->listen.count,
        .tls_cert = config->tls_cert,
        .tls_key = config->tls_key,
        .max_body_bytes = (size_t)config->max_body_bytes,
        .max_connections = (unsigned)config->max_connections,
        .connections_per_address = (unsigned)config->max_connections_per_address,
        .requests_per_second = (unsigned)config->max_requests_per_second,
    };
    return sig_http_create(&server->http, &server->loop, &options);
}

static json_t *ice_servers(void *ctx, const char *user_id) {
    const struct server *server = ctx;
    return sig_turn_servers(server->config, user_id, (uint64_t)time(NULL));
}

static bool make_parts(struct server *server) {
    const struct sig_config *config = server->config;
    struct sig_auth_options auth = {
        .secret = config->secret,
        .demo = config->demo,
        .is_tls = config->tls_cert != NULL,
        .allowed_origins = (const char *const *)config->allowed_origins.items,
        .allowed_origin_count = config->allowed_origins.count,
        .max_sessions = (unsigned)config->max_sessions,
        .session_lifetime_s = (unsigned)config->session_lifetime_s,
    };
    struct sig_store_memory_options store = {.max_calls = MEMORY_STORE_CALLS,
                                             .max_users = MEMORY_STORE_USERS,
                                             .max_age_ms = 24 * (uint64_t)HOUR_MS};
    server->auth = sig_auth_create(&auth);
    server->store = sig_store_memory_create(&store);
    if (!server->auth || !server->store)
        return false;
    struct sig_calls_options calls = {.config = config, .sfu = server->sfu, .store = server->store};
    server->calls = sig_calls_create(&calls);
    if (!server->calls)
        return false;
    struct sig_whip_options whip = {.calls = server->calls,
                                    .auth = server->auth,
                                    .max_mlines = (size_t)config->max_mlines_per_offer,
                                    .ice_servers = ice_servers,
                                    .ctx = server};
    server->whip = sig_whip_create(&whip);
    struct sig_api_options api = {.config = config,
                                  .auth = server->auth,
                                  .calls = server->calls,
                                  .store = server->store,
                                  .whip = server->whip,
                                  .sfu = server->sfu};
    server->api = server->whip ? sig_api_create(&api) : NULL;
    return server->api != NULL;
}

static bool add_routes(struct server *server) {
    return sig_web_add_routes(server->http) == 0 &&
           sig_auth_add_routes(server->auth, server->http) == 0 &&
           sig_whip_add_routes(server->whip, server->http) == 0 &&
           sig_api_add_routes(server->api, server->http) == 0;
}

static void watch_signals(struct server *server) {
    uv_signal_start(&server->sigterm, on_signal, SIGTERM);
    uv_signal_start(&server->sigint, on_signal, SIGINT);
    uv_prepare_start(&server->before_sleep, on_before_sleep);
}

static void init_handles(struct server *server) {
    uv_signal_init(&server->loop, &server->sigterm);
    uv_signal_init(&server->loop, &server->sigint);
    uv_prepare_init(&server->loop, &server->before_sleep);
    uv_timer_init(&server->loop, &server->calls_timer);
    uv_timer_init(&server->loop, &server->drain_timer);
    server->sigterm.data = server->sigint.data = server->before_sleep.data =
        server->calls_timer.data = server->drain_timer.data = server;
}

static bool start(struct server *server) {
    if (open_sfu(server) < 0)
        return false;
    if (!make_parts(server)) {
        sig_log(SIG_LOG_ERROR, NULL, "out of memory");
        return false;
    }
    if (open_http(server) < 0)
        return false;
    return add_routes(server);
}

/* --- What is said --- */

/* The address to open: the host as it was given, where that is one that a browser can open. */
static void write_url(const struct server *server, char *out, size_t size) {
    const char *listen = server->config->listen.items[0];
    const char *colon = strrchr(listen, ':');
    int host_len = colon ? (int)(colon - listen) : 0;
    bool any =
        strncmp(listen, "0.0.0.0:", 8) == 0 || strncmp(listen, "[::]:", 5) == 0 || host_len == 0;
    snprintf(out, size, "%s://%.*s:%u", sig_http_is_tls(server->http) ? "https" : "http",
             any ? (int)strlen("localhost") : host_len, any ? "localhost" : listen,
             sig_http_port(server->http));
}

static void say_ready(const struct server *server, FILE *out) {
    char url[300];
    unsigned first = sfu_port(server->sfu, 0);
    unsigned last = sfu_port(server->sfu, (unsigned)server->config->workers - 1);
    const char *protocols = server->config->rtc_tcp ? "UDP and TCP" : "UDP";
    write_url(server, url, sizeof(url));
    fprintf(out, "weir %s is ready: open %s (media on %s port%s %u", WEIR_VERSION, url, protocols,
            first == last ? "" : "s", first);
    if (last != first)
        fprintf(out, " to %u", last);
    fprintf(out, ")\n");
    fflush(out);
    if (server->config->demo)
        sig_log(SIG_LOG_INFO, NULL, "demo mode: anyone who can open the page may sign in by name");
}

int sig_server_run(const struct sig_config *config, FILE *out) {
    struct server *server = calloc(1, sizeof(*server));
    if (!server || uv_loop_init(&server->loop) != 0) {
        sig_log(SIG_LOG_ERROR, NULL, "out of memory");
        free(server);
        return 1;
    }
    server->config = config;
    init_handles(server);
    bool started = start(server);
    if (started) {
        watch_signals(server);
        say_ready(server, out);
    } else {
        close_server(server);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    free(server);
    return started ? 0 : 1;
}
