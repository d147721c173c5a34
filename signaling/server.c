#include "signaling/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sfu/sfu.h"
#include "signaling/api.h"
#include "signaling/forgetting.h"
#include "signaling/log.h"
#include "signaling/ops.h"
#include "signaling/sockets.h"
#include "signaling/store.h"
#include "signaling/turn.h"
#include "signaling/web.h"
#include "signaling/when.h"
#include "signaling/whip.h"

#define CONSENT_TIMEOUT_MS 30000 /* RFC 7675 section 5.1. */
#define TRANSPORTS_MAX 16384

enum phase { RUNNING, DRAINING, CLOSING };

struct sig_server {
    /* Given. */
    const struct sig_config *config;
    uv_loop_t *loop;

    /* Owned, in the order of their making. */
    struct sfu *sfu;
    struct sig_store *store;
    struct sig_throttle *throttle;
    struct sig_auth *auth;
    struct sig_fetcher *fetcher;
    struct sig_webhook *webhook;
    struct sig_calls *calls;
    struct sig_whip *whip;
    struct sig_api *api;
    struct sig_sockets *sockets;
    struct sig_http *http;
    struct sig_ops ops;
    uv_signal_t signals[2];
    uv_timer_t deadline; /* Of the calls. */
    uv_prepare_t prepare;
    uv_timer_t drain;
    struct sig_forgetting forgetting;

    /* State. */
    enum phase phase;
    uint64_t drain_since_ms;
    char url[300];
};

static uint64_t now_us(void) {
    return uv_hrtime() / 1000;
}

static json_t *ice_servers(void *ctx, const char *user_id) {
    const struct sig_server *server = ctx;
    return sig_turn_servers(server->config, user_id, sig_when_now_ms() / 1000);
}

static int make_sfu(struct sig_server *server) {
    const struct sig_config *config = server->config;
    const struct sfu_config options = {
        .addresses = (const char *const *)config->rtc_address.items,
        .address_count = config->rtc_address.count,
        .announced = (const char *const *)config->announce.items,
        .announced_count = config->announce.count,
        .stun = config->stun,
        .port = (uint16_t)config->rtc_port,
        .workers = (uint16_t)config->workers,
        .tcp = config->rtc_tcp,
        .gso = config->rtc_gso,
        .max_participants = TRANSPORTS_MAX,
        .consent_timeout_ms = CONSENT_TIMEOUT_MS,
        .loudest = (uint16_t)config->loudest,
    };
    char error[256] = "";
    int status = sfu_create(&server->sfu, &options, server->loop, sig_calls_on_sfu_event,
                            &server->calls, error, sizeof(error));
    if (status < 0)
        sig_log(SIG_LOG_ERROR, NULL, "cannot take media: %s", error);
    return status;
}

static int make_auth(struct sig_server *server) {
    const struct sig_config *config = server->config;
    server->throttle = sig_throttle_create(&(struct sig_throttle_options){
        .per_minute = {[SIG_THROTTLE_SIGN_INS] = (uint32_t)config->max_sign_ins_per_minute,
                       [SIG_THROTTLE_CALLS] = (uint32_t)config->max_calls_per_minute,
                       [SIG_THROTTLE_CHANNELS] = (uint32_t)config->max_channels_per_minute,
                       [SIG_THROTTLE_CHATS] = (uint32_t)config->max_chats_per_minute}});
    const struct sig_auth_options options = {
        .store = server->store,
        .throttle = server->throttle,
        .secret = config->secret,
        .demo = config->demo,
        .is_tls = config->tls_cert != NULL,
        .allowed_origins = (const char *const *)config->allowed_origins.items,
        .allowed_origin_count = config->allowed_origins.count,
        .max_sessions = (unsigned)config->max_sessions,
        .session_lifetime_s = (unsigned)config->session_lifetime_s,
    };
    server->auth = sig_auth_create(&options);
    return server->auth && server->throttle ? 0 : -ENOMEM;
}

static int make_store(struct sig_server *server) {
    char database[SIG_DATABASE_SIZE], error[400] = "";
    int status = sig_server_find_database(server->config, database, true, error, sizeof(error));
    if (status == 0)
        status = sig_store_open(&server->store,
                                &(struct sig_store_options){.database = database,
                                                            .server = server->config->server_name,
                                                            .loop = server->loop},
                                error, sizeof(error));
    if (status == 0)
        return 0;
    sig_log(SIG_LOG_ERROR, NULL, "cannot use the database: %s", error);
    return status == -ECONNREFUSED ? status : -ENOTRECOVERABLE;
}

/* Before anybody can come. */
static int restore(struct sig_server *server) {
    sig_auth_restore(server->auth);
    sig_calls_restore(server->calls);
    return 0;
}

static int make_webhook(struct sig_server *server) {
    return sig_server_open_webhook(server->config, server->store, server->loop, &server->fetcher,
                                   &server->webhook);
}

static int make_logic(struct sig_server *server) {
    server->calls = sig_calls_create(&(struct sig_calls_options){.config = server->config,
                                                                 .sfu = server->sfu,
                                                                 .store = server->store,
                                                                 .throttle = server->throttle,
                                                                 .webhook = server->webhook});
    server->whip = server->calls ? sig_whip_create(&(struct sig_whip_options){
                                       .calls = server->calls,
                                       .auth = server->auth,
                                       .max_mlines = (size_t)server->config->max_mlines_per_offer,
                                       .ice_servers = ice_servers,
                                       .ctx = server})
                                 : NULL;
    server->api = sig_api_create(&(struct sig_api_options){.config = server->config,
                                                           .auth = server->auth,
                                                           .calls = server->calls,
                                                           .store = server->store,
                                                           .throttle = server->throttle});
    server->sockets = sig_sockets_create(&(struct sig_sockets_options){
        .config = server->config, .auth = server->auth, .calls = server->calls});
    return server->whip && server->api && server->sockets ? 0 : -ENOMEM;
}

static int make_http(struct sig_server *server) {
    const struct sig_config *config = server->config;
    const struct sig_http_options options = {
        .listen = (const char *const *)config->listen.items,
        .listen_count = config->listen.count,
        .tls_cert = config->tls_cert,
        .tls_key = config->tls_key,
        .max_body_bytes = (size_t)config->max_body_bytes,
        .max_connections = (unsigned)config->max_connections,
        .connections_per_address = (unsigned)config->max_connections_per_address,
        .requests_per_second = (unsigned)config->max_requests_per_second,
    };
    return sig_http_create(&server->http, server->loop, &options);
}

static int add_routes(struct sig_server *server) {
    server->ops = (struct sig_ops){.auth = server->auth,
                                   .calls = server->calls,
                                   .sfu = server->sfu,
                                   .whip = server->whip,
                                   .store = server->store,
                                   .throttle = server->throttle,
                                   .webhook = server->webhook,
                                   .started_us = now_us()};
    if (sig_auth_add_routes(server->auth, server->http) < 0 ||
        sig_api_add_routes(server->api, server->http) < 0 ||
        sig_sockets_add_routes(server->sockets, server->http) < 0 ||
        sig_whip_add_routes(server->whip, server->http) < 0 ||
        sig_ops_add_routes(&server->ops, server->http) < 0 || sig_web_add_routes(server->http) < 0)
        return -ENOMEM;
    return 0;
}

/* "http://localhost:8080" for what listens on this machine alone or everywhere, else as it is. */
static void write_url(struct sig_server *server) {
    const char *listen = server->config->listen.items[0];
    const char *colon = strrchr(listen, ':');
    int host_len = colon ? (int)(colon - listen) : (int)strlen(listen);
    bool is_local = strncmp(listen, "127.0.0.1:", 10) == 0 || strncmp(listen, "0.0.0.0:", 8) == 0 ||
                    strncmp(listen, "[::]:", 5) == 0 || strncmp(listen, "[::1]:", 6) == 0;
    bool is_v6_only = strncmp(listen, "[::1]:", 6) == 0;
    snprintf(server->url, sizeof(server->url), "%s://%.*s:%u",
             sig_http_is_tls(server->http) ? "https" : "http",
             is_local && !is_v6_only ? 9 : host_len, is_local && !is_v6_only ? "localhost" : listen,
             sig_http_port(server->http));
}

/* The calls' logic has no timer of its own: it is asked before each sleep when it wants to wake. */
static void on_deadline(uv_timer_t *timer) {
    struct sig_server *server = timer->data;
    sig_calls_on_deadline(server->calls, now_us());
    if (server->webhook)
        sig_webhook_on_deadline(server->webhook);
}

static void on_prepare(uv_prepare_t *prepare) {
    struct sig_server *server = prepare->data;
    uint64_t deadline_us = sig_calls_next_deadline(server->calls);
    uint64_t wait_ms = sig_webhook_wait_ms(server->webhook);
    uint64_t now = now_us();
    if (wait_ms != UINT64_MAX && now + wait_ms * 1000 < deadline_us)
        deadline_us = now + wait_ms * 1000;
    if (deadline_us == UINT64_MAX) {
        uv_timer_stop(&server->deadline);
        return;
    }
    uv_update_time(server->loop);
    uv_timer_start(&server->deadline, on_deadline,
                   deadline_us > now ? (deadline_us - now) / 1000 + 1 : 0, 0);
}

/* What is still to be written is, first: the calls' last callbacks find them alive. */
static void destroy_logic(struct sig_server *server) {
    sig_webhook_close(server->webhook);
    sig_fetcher_close(server->fetcher);
    sig_store_stop(server->store);
    if (server->whip)
        sig_whip_destroy(server->whip);
    sig_calls_destroy(server->calls);
    if (server->sfu)
        sfu_destroy(server->sfu);
    server->fetcher = NULL;
    server->whip = NULL;
    server->calls = NULL;
    server->sfu = NULL;
}

/* The last step: nothing comes from outside any more. */
static void on_http_closed(void *data) {
    struct sig_server *server = data;
    destroy_logic(server);
    for (size_t i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    uv_close((uv_handle_t *)&server->deadline, NULL);
    uv_close((uv_handle_t *)&server->prepare, NULL);
    uv_close((uv_handle_t *)&server->drain, NULL);
    sig_forgetting_close(&server->forgetting);
}

static void on_failed_http_closed(void *data) {
    destroy_logic(data);
}

static void close_everything(struct sig_server *server) {
    if (server->phase == CLOSING)
        return;
    server->phase = CLOSING;
    uv_timer_stop(&server->deadline);
    uv_prepare_stop(&server->prepare);
    uv_timer_stop(&server->drain);
    sig_forgetting_stop(&server->forgetting);
    sig_sockets_close(server->sockets);
    sig_http_close(server->http, on_http_closed, server);
}

static bool is_empty(const struct sig_server *server) {
    struct sig_calls_stats stats;
    sig_calls_stats_get(server->calls, &stats);
    return stats.sessions == 0;
}

static void on_drain_tick(uv_timer_t *timer) {
    struct sig_server *server = timer->data;
    uint64_t waited_ms = uv_now(server->loop) - server->drain_since_ms;
    if (is_empty(server)) {
        sig_log(SIG_LOG_INFO, NULL, "drained: nobody is left");
        close_everything(server);
    } else if (waited_ms >= (uint64_t)server->config->drain_deadline_s * 1000) {
        sig_log(SIG_LOG_WARN, NULL, "the drain deadline has passed: closing");
        close_everything(server);
    }
}

static void start_drain(struct sig_server *server) {
    struct sig_calls_stats stats;
    sig_calls_stats_get(server->calls, &stats);
    server->phase = DRAINING;
    server->drain_since_ms = uv_now(server->loop);
    sig_calls_drain(server->calls);
    if (stats.sessions > 0)
        sig_log(SIG_LOG_INFO, NULL,
                "draining: %zu sessions go on for up to %d s; a second signal ends them now",
                stats.sessions, server->config->drain_deadline_s);
    uv_timer_start(&server->drain, on_drain_tick, 0, 100);
}

void sig_server_stop(struct sig_server *server) {
    if (server->phase == RUNNING)
        start_drain(server);
    else
        close_everything(server);
}

static void on_signal(uv_signal_t *handle, int number) {
    sig_log(SIG_LOG_INFO, NULL, "%s received", number == SIGTERM ? "SIGTERM" : "SIGINT");
    sig_server_stop(handle->data);
}

static void start_handles(struct sig_server *server) {
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(server->loop, &server->deadline);
    uv_timer_init(server->loop, &server->drain);
    uv_prepare_init(server->loop, &server->prepare);
    server->deadline.data = server->drain.data = server->prepare.data = server;
    sig_forgetting_start(&server->forgetting, server->loop, server->store, server->config);
    uv_prepare_start(&server->prepare, on_prepare);
}

int sig_server_create(struct sig_server **out, const struct sig_config *config, uv_loop_t *loop) {
    static int (*const steps[])(struct sig_server *) = {
        make_sfu, make_store, make_auth, make_webhook, make_logic, restore, make_http, add_routes};
    struct sig_server *server = calloc(1, sizeof(*server));
    *out = server;
    if (!server)
        return -ENOMEM;
    server->config = config;
    server->loop = loop;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int status = steps[i](server);
        if (status == 0)
            continue;
        if (server->http)
            sig_http_close(server->http, on_failed_http_closed, server);
        else
            destroy_logic(server);
        return status;
    }
    start_handles(server);
    write_url(server);
    return 0;
}

const char *sig_server_url(const struct sig_server *server) {
    return server->url;
}

const struct sfu *sig_server_sfu(const struct sig_server *server) {
    return server->sfu;
}

void sig_server_destroy(struct sig_server *server) {
    if (!server)
        return;
    sig_api_destroy(server->api);
    sig_sockets_destroy(server->sockets);
    sig_webhook_destroy(server->webhook);
    sig_auth_destroy(server->auth);
    sig_throttle_destroy(server->throttle);
    sig_store_destroy(server->store);
    free(server);
}
