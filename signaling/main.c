/* weir: configuration, the server, its one line when it is ready, and its exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "sfu/sfu.h"
#include "signaling/config.h"
#include "signaling/log.h"
#include "signaling/server.h"
#include "signaling/store.h"

extern char **environ;

static void print_ready(const struct sig_server *server, const struct sig_config *config) {
    printf("weir %s is ready: open %s (media on %s", WEIR_VERSION, sig_server_url(server),
           config->rtc_tcp ? "UDP and TCP" : "UDP");
    for (int i = 0; i < config->workers; i++)
        printf("%s %u", i ? "," : "", sfu_port(sig_server_sfu(server), (unsigned)i));
    printf(")\n");
    fflush(stdout);
}

/* Wrong addresses are the commonest reason why calls have no media, so they are said once. */
static void log_addresses(const struct sfu *sfu) {
    char text[SFU_CANDIDATES_MAX * (SFU_ADDRESS_MAX + 2)] = "";
    size_t len = 0;
    for (size_t i = 0; sfu_shown_address(sfu, i) != NULL; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? ", " : "",
                                sfu_shown_address(sfu, i));
    sig_log(SIG_LOG_INFO, NULL, "clients are told to send media to %s (--rtc-address, --announce)",
            text);
}

/* Each connection takes a descriptor or two, and the usual limit is 1,024. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
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
        log_addresses(sig_server_sfu(server));
        print_ready(server, config);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    sig_server_destroy(server);
    uv_loop_close(&loop);
    return status == 0 ? 0 : status == -ENOTRECOVERABLE ? 2 : 1;
}

/* `weir backup FILE`: beside a running server, or without one. */
static int backup(const struct sig_config *config, const char *file) {
    char database[SIG_DATABASE_SIZE], error[400] = "";
    int status = sig_server_find_database(config, database, false, error, sizeof(error));
    if (status == 0)
        status = sig_store_backup(database, file, error, sizeof(error));
    if (status < 0)
        fprintf(stderr, "weir: backup: %s\n", error);
    return status == 0 ? 0 : 1;
}

static int run_backup(int argc, char **argv) {
    struct sig_config config;
    if (argc < 3 || argv[2][0] == '-') {
        fprintf(stderr, "weir: usage: weir backup FILE [--data FOLDER]\n");
        return 2;
    }
    const char *file = argv[2];
    argv[2] = argv[0];
    int status = sig_config_load(&config, argc - 2, argv + 2, environ, stdout, stderr);
    if (status == SIG_CONFIG_RUN)
        status = backup(&config, file);
    sig_config_deinit(&config);
    return status;
}

int main(int argc, char **argv) {
    struct sig_config config;
    if (argc > 1 && strcmp(argv[1], "backup") == 0)
        return run_backup(argc, argv);
    int status = sig_config_load(&config, argc, argv, environ, stdout, stderr);
    if (status == SIG_CONFIG_RUN) {
        signal(SIGPIPE, SIG_IGN); /* A closed socket is an error of its write, */
        signal(SIGXFSZ, SIG_IGN); /* and so is a file that may grow no more. */
        raise_descriptor_limit();
        sig_log_init(config.log_level, config.log_format, stderr);
        status = serve(&config);
    }
    sig_config_deinit(&config);
    return status;
}
