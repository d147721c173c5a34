/* weir: a selective forwarding unit with its signaling front end. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "signaling/config.h"
#include "signaling/log.h"
#include "signaling/server.h"

extern char **environ;

/* A WebSocket takes two descriptors and the usual limit is 1,024. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    struct sig_config config;
    int status = sig_config_load(&config, argc, argv, environ, stdout, stderr);
    if (status == SIG_CONFIG_RUN) {
        signal(SIGPIPE, SIG_IGN); /* A closed socket is an error of its write. */
        raise_descriptor_limit();
        sig_log_init(config.log_level, config.log_format, stderr);
        status = sig_server_run(&config, stdout);
    }
    sig_config_deinit(&config);
    return status;
}
