/* The configuration: a table of options gives the flags, the environment variables, the file and
 * the help. File < environment < flags. Loaded once at start, plain and read-only afterwards. */
#ifndef SIGNALING_CONFIG_H
#define SIGNALING_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "signaling/log.h"

#define SIG_CONFIG_LIST_MAX 16
#define SIG_CONFIG_WORKERS_MAX 64

/* sig_config_load: go on and serve. */
#define SIG_CONFIG_RUN (-1)

struct sig_config_list {
    char *items[SIG_CONFIG_LIST_MAX]; /* Owned. */
    size_t count;
};

struct sig_config {
    /* Addresses. */
    struct sig_config_list
        listen; /* "ADDRESS:PORT", "[v6]:PORT" or "localhost:PORT" (both families). */
    struct sig_config_list rtc_address; /* IP addresses for media; none: every interface. */
    struct sig_config_list announce;    /* Public IP addresses told instead of the local ones. */
    int rtc_port;                       /* Worker i uses rtc_port + i. */
    bool rtc_tcp;                       /* Media by TCP too. */
    bool rtc_gso;                       /* UDP_SEGMENT where the kernel has it. */
    int workers;                        /* Resolved: 1 to SIG_CONFIG_WORKERS_MAX. */
    char *stun;                         /* "HOST:PORT" or NULL. */
    char *turn_url;                     /* "turn:HOST:PORT…" or NULL. */
    char *turn_secret;                  /* With turn_url, else NULL. */
    bool direct_calls;                  /* Two who are alone may go peer to peer. */

    /* Files and who may come in. */
    char *data;        /* Resolved: the folder of the embedded database, or ":memory:". */
    char *database;    /* A PostgreSQL URI instead, or NULL. */
    char *server_name; /* Resolved: ours among the servers of a database. */
    char *secret_file; /* As given, or NULL. */
    char *secret;   /* What the file holds without its last newline, at least 32 bytes; or NULL. */
    char *tls_cert; /* PEM file, or NULL: plain HTTP. */
    char *tls_key;  /* PEM file, exactly when tls_cert is. */
    bool demo;      /* Resolved: sign-in by name; true unless there is a secret or it was said. */
    struct sig_config_list allowed_origins; /* "https://host[:port]" besides our own host. */
    char *webhook_url;         /* "http://…" or "https://…", or NULL: nobody is told. */
    char *webhook_secret_file; /* As given, or NULL. */
    char *webhook_secret;      /* Resolved, exactly when there is a URL. */

    /* Limits. 0 means none where the option's help says so. */
    int max_body_bytes;
    int max_message_bytes; /* One WebSocket message. */
    int max_connections;
    int max_connections_per_address;
    int max_requests_per_second; /* Per address. */
    int max_messages_per_second; /* Per WebSocket. */
    int max_sign_ins_per_minute; /* Per address. */
    int max_calls_per_minute;    /* Per user; per address ten times as many. */
    int max_channels_per_minute; /* The same. */
    int max_chats_per_minute;    /* Per user. */
    int max_sessions;            /* Signed-in browsers of the demo mode. */
    int max_calls;
    int max_participants_per_call;
    int max_tracks_per_participant;
    int max_mlines_per_offer;
    int loudest;

    /* Times. */
    int ring_timeout_s;
    int resume_grace_s;
    int drain_deadline_s;
    int session_lifetime_s;
    int history_days; /* 0: for ever. */
    int webhook_max_age_s;

    /* Log and files. */
    char *config_file; /* What --config named, or NULL. */
    enum sig_log_level log_level;
    enum sig_log_format log_format;
};

/* Fills config from the defaults, the file named by --config or WEIR_CONFIG, envp
 * ("WEIR_NAME=value", NULL-terminated) and argv, reads the secret, and checks that the files named
 * can be read. Every wrong value is reported to err with its source and what would be right.
 * Returns SIG_CONFIG_RUN, or the status to exit with: 0 after --help, --version or a good
 * --check-config (printed to out), 2 after a wrong one. config is to be deinitialised in every
 * case. */
int sig_config_load(struct sig_config *config, int argc, char **argv, char **envp, FILE *out,
                    FILE *err);

void sig_config_deinit(struct sig_config *config);

#endif
