/* The whole server on one loop: everything made, wired, drained and taken apart in order. */
#ifndef SIGNALING_SERVER_H
#define SIGNALING_SERVER_H

#include <uv.h>

#include "sfu/sfu.h"
#include "signaling/config.h"
#include "signaling/webhook.h"

struct sig_server;

/* Makes everything and starts to listen. config is borrowed for life. 0, or a negative errno after
 * logging what was wrong (-ENOTRECOVERABLE: the database, which another try does not mend); the
 * loop has then to be run until it has nothing left. */
int sig_server_create(struct sig_server **out, const struct sig_config *config, uv_loop_t *loop);

/* Writes the name of the database that the configuration means, for sig_store_open; its folder is
 * made, if that is asked for. 0, or a negative errno with words. */
#define SIG_DATABASE_SIZE 4200
int sig_server_find_database(const struct sig_config *config, char out[static SIG_DATABASE_SIZE],
                             bool make_folder, char *error, size_t error_size);

/* Opens what brings messages to the webhook of the configuration, if there is one (else both stay
 * NULL). 0 or -ENOMEM, and then the fetcher may be there to be closed. */
int sig_server_open_webhook(const struct sig_config *config, struct sig_store *store,
                            uv_loop_t *loop, struct sig_fetcher **fetcher,
                            struct sig_webhook **webhook);

/* Where a person finds it: "http://localhost:8080". */
const char *sig_server_url(const struct sig_server *server);

/* The forwarding unit, while the server runs. */
const struct sfu *sig_server_sfu(const struct sig_server *server);

/* The first time: no new calls and joins; when nobody is left in a call, or at the drain deadline,
 * everything is closed. The second time: at once. SIGTERM and SIGINT do the same. */
void sig_server_stop(struct sig_server *server);

/* After the loop has run out. */
void sig_server_destroy(struct sig_server *server);

#endif
