/* weir: configuration, the server, its one line when it is ready, and its exit status. */
#include <stdio.h>
#include <uv.h>

#include "signaling/config.h"
#include "signaling/log.h"
#include "signaling/server.h"

extern char **environ;

static void print_ready(const struct sig_server *server, const struct sig_config *config) {
    int last = config->rtc_port + config->workers - 1;
    if (last > config->rtc_port)
        printf("weir %s is ready: open %s (media on UDP %d-%d)\n", WEIR_VERSION,
               sig_server_url(server), config->rtc_port, last);
    else
        printf("weir %s is ready: open %s (media on UDP %d)\n", WEIR_VERSION,
               sig_server_url(server), config->rtc_port);
    fflush(stdout);
}

static void log_hints(const struct sig_config *config) {
    if (config->demo)
        sig_log(SIG_LOG_INFO, NULL,
                "demo mode: everyone who reaches this server may sign in by name%s",
                config->secret ? "" : "; --secret-file makes it take a host's tokens instead");
    if (!config->tls_cert)
        sig_log(SIG_LOG_INFO, NULL,
                "plain HTTP: browsers give camera and microphone to pages on localhost or over "
                "TLS only (--tls-cert, --tls-key)");
}

static int serve(const struct sig_config *config) {
    uv_loop_t loop;
    struct sig_server *server = NULL;
    uv_loop_init(&loop);
    int status = sig_server_create(&server, config, &loop);
    if (status == 0) {
        log_hints(config);
        print_ready(server, config);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    sig_server_destroy(server);
    uv_loop_close(&loop);
    return status == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    struct sig_config config;
    int status = sig_config_load(&config, argc, argv, environ, stdout, stderr);
    if (status == SIG_CONFIG_RUN) {
        sig_log_init(config.log_level, config.log_format, stderr);
        status = serve(&config);
    }
    sig_config_deinit(&config);
    return status;
}
