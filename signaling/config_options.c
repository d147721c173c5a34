/* The table of options, and what can be done with one: set it, check it, print it. */
#include "signaling/config_options.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/address.h"
#include "signaling/text.h"

#define MIB (1024 * 1024)

static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};
static const char *const format_words[] = {"human", "json", NULL};

static bool is_listen(const char *value) {
    struct sockaddr_storage unused[SIG_ADDRESS_LISTEN_MAX];
    return sig_address_parse_listen(value, unused) > 0;
}

/* Our form of RFC 7065: the parameters are left to the browser. */
static bool is_turn_url(const char *value) {
    size_t scheme = strncmp(value, "turn:", 5) == 0 ? 5 : strncmp(value, "turns:", 6) == 0 ? 6 : 0;
    return scheme > 0 && value[scheme] != '\0' && strpbrk(value, " <>\"") == NULL;
}

/* Without a name and password, which would be told in the log. */
static bool is_web_url(const char *value) {
    size_t scheme = strncmp(value, "https://", 8) == 0  ? 8
                    : strncmp(value, "http://", 7) == 0 ? 7
                                                        : 0;
    return scheme > 0 && strcspn(value + scheme, "/?#") > 0 &&
           strpbrk(value + scheme, " @#\"\\") == NULL;
}

static bool is_database(const char *value) {
    return strncmp(value, "postgres://", 11) == 0 || strncmp(value, "postgresql://", 13) == 0;
}

/* RFC 6454 section 6.2, as a browser sends it: no path, not even a slash. */
static bool is_origin(const char *value) {
    size_t scheme = strncmp(value, "https://", 8) == 0  ? 8
                    : strncmp(value, "http://", 7) == 0 ? 7
                                                        : 0;
    return scheme > 0 && value[scheme] != '\0' && strpbrk(value + scheme, "/?# \"") == NULL;
}

#define FIELD(name) offsetof(struct sig_config, name)
#define LISTEN_RIGHT "ADDRESS:PORT, such as 0.0.0.0:8080, [::]:8080 or localhost:8080"
#define HOST_PORT_RIGHT "HOST:PORT, such as stun.example.org:3478"

/* The server starts in demo mode, where anyone may sign in, and browsers give cameras to pages of
 * localhost or of TLS only: so localhost is the default, and serving others is said. */
const struct sig_option sig_options[] = {
    {.heading = "Addresses",
     .name = "listen",
     .kind = SIG_OPTION_LIST,
     .offset = FIELD(listen),
     .fallback = "localhost:8080",
     .value = "ADDRESS:PORT",
     .help = "serve HTTP and WebSockets here; port 0 takes a free one",
     .is_right = is_listen,
     .right = LISTEN_RIGHT},
    {.name = "rtc-address",
     .kind = SIG_OPTION_LIST,
     .offset = FIELD(rtc_address),
     .value = "ADDRESS",
     .help = "take media on this address only; default: every interface",
     .is_right = sig_address_is_ip,
     .right = "an IP address"},
    {.name = "rtc-port",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(rtc_port),
     .fallback = "40000",
     .value = "PORT",
     .help = "UDP and TCP port of the first worker, the next ones follow; 0 takes free ones",
     .min = 0,
     .max = 65535},
    {.name = "rtc-tcp",
     .kind = SIG_OPTION_BOOL,
     .offset = FIELD(rtc_tcp),
     .fallback = "true",
     .help = "take media by TCP too, for networks that let no UDP through"},
    {.name = "rtc-gso",
     .kind = SIG_OPTION_BOOL,
     .offset = FIELD(rtc_gso),
     .fallback = "true",
     .help = "send runs of datagrams as one (UDP_SEGMENT) where the kernel has it"},
    {.name = "workers",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(workers),
     .fallback = "0",
     .value = "N",
     .help = "threads that forward media; 0: one for each core",
     .min = 0,
     .max = SIG_CONFIG_WORKERS_MAX},
    {.name = "announce",
     .kind = SIG_OPTION_LIST,
     .offset = FIELD(announce),
     .value = "ADDRESS",
     .help = "public address to give to clients instead of the local ones",
     .is_right = sig_address_is_ip,
     .right = "an IP address"},
    {.name = "stun",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(stun),
     .value = "HOST:PORT",
     .help = "ask this STUN server for the public address at the start",
     .is_right = sig_address_is_host_port,
     .right = HOST_PORT_RIGHT},
    {.name = "turn-url",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(turn_url),
     .value = "URL",
     .help = "TURN server for clients: turn:HOST:PORT?transport=udp",
     .is_right = is_turn_url,
     .right = "a TURN URL, such as turn:turn.example.org:3478"},
    {.name = "turn-secret",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(turn_secret),
     .value = "SECRET",
     .help = "shared with the TURN server, signs time-limited credentials",
     .is_hidden = true},
    {.name = "direct-calls",
     .kind = SIG_OPTION_BOOL,
     .offset = FIELD(direct_calls),
     .fallback = "false",
     .help = "two who are alone in a call send to each other, and see their addresses"},

    {.heading = "Access",
     .name = "secret-file",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(secret_file),
     .value = "FILE",
     .help = "shared with the host application, signs its tokens (HS256)"},
    {.name = "demo",
     .kind = SIG_OPTION_BOOL,
     .offset = FIELD(demo),
     .help = "sign-in by name; default: when there is no secret"},
    {.name = "allowed-origins",
     .kind = SIG_OPTION_LIST,
     .offset = FIELD(allowed_origins),
     .value = "ORIGIN",
     .help = "pages that may open WebSockets with a cookie, besides our own",
     .is_right = is_origin,
     .right = "an origin, such as https://chat.example.org"},
    {.name = "webhook-url",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(webhook_url),
     .value = "URL",
     .help = "tell the host application here what happens in calls",
     .is_right = is_web_url,
     .right = "an address such as https://chat.example.org/weir-events"},
    {.name = "webhook-secret-file",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(webhook_secret_file),
     .value = "FILE",
     .help = "signs what is told there (HMAC-SHA256); default: secret-file"},
    {.name = "tls-cert",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(tls_cert),
     .value = "FILE",
     .help = "certificate chain in PEM: serve HTTPS"},
    {.name = "tls-key",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(tls_key),
     .value = "FILE",
     .help = "its private key in PEM"},
    {.name = "data",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(data),
     .value = "FOLDER",
     .help = "of the embedded database; :memory: forgets; default: ~/.local/state/weir"},
    {.name = "database",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(database),
     .value = "URI",
     .help = "postgresql://… to keep everything there instead",
     .is_right = is_database,
     .right = "a URI of PostgreSQL, such as postgresql://weir@db.example.org/weir",
     .is_hidden = true},
    {.name = "server-name",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(server_name),
     .value = "NAME",
     .help = "of this one among those that share a database; default: the host's"},

    {.heading = "Limits",
     .name = "max-body-bytes",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_body_bytes),
     .fallback = "262144",
     .value = "N",
     .help = "of an HTTP request",
     .min = 1024,
     .max = 16 * MIB},
    {.name = "max-message-bytes",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_message_bytes),
     .fallback = "262144",
     .value = "N",
     .help = "of a WebSocket message; an offer with 25 tiles is 100 KiB",
     .min = 1024,
     .max = 16 * MIB},
    {.name = "max-connections",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_connections),
     .fallback = "10000",
     .value = "N",
     .help = "of HTTP and WebSockets",
     .min = 1,
     .max = 1000000},
    {.name = "max-connections-per-address",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_connections_per_address),
     .fallback = "200",
     .value = "N",
     .help = "0: no limit, as behind a proxy",
     .min = 0,
     .max = 1000000},
    {.name = "max-requests-per-second",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_requests_per_second),
     .fallback = "1000",
     .value = "N",
     .help = "of an address; 0: no limit",
     .min = 0,
     .max = 1000000},
    {.name = "max-messages-per-second",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_messages_per_second),
     .fallback = "100",
     .value = "N",
     .help = "of a WebSocket",
     .min = 1,
     .max = 1000000},
    {.name = "max-sign-ins-per-minute",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_sign_ins_per_minute),
     .fallback = "120",
     .value = "N",
     .help = "of an address, by name; 0: no limit",
     .min = 0,
     .max = 1000000},
    {.name = "max-calls-per-minute",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_calls_per_minute),
     .fallback = "60",
     .value = "N",
     .help = "initiated by a user, ten times as many by an address; 0: no limit",
     .min = 0,
     .max = 1000000},
    {.name = "max-channels-per-minute",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_channels_per_minute),
     .fallback = "10",
     .value = "N",
     .help = "made by a user; 0: no limit",
     .min = 0,
     .max = 1000000},
    {.name = "max-chats-per-minute",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_chats_per_minute),
     .fallback = "240",
     .value = "N",
     .help = "messages of a user in calls; 0: no limit",
     .min = 0,
     .max = 1000000},
    {.name = "max-sessions",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_sessions),
     .fallback = "10000",
     .value = "N",
     .help = "signed in by name",
     .min = 1,
     .max = 1000000},
    {.name = "max-calls",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_calls),
     .fallback = "1000",
     .value = "N",
     .help = "at a time",
     .min = 1,
     .max = 1000000},
    {.name = "max-participants-per-call",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_participants_per_call),
     .fallback = "500",
     .value = "N",
     .help = "at a time",
     .min = 1,
     .max = 100000},
    {.name = "max-tracks-per-participant",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_tracks_per_participant),
     .fallback = "8",
     .value = "N",
     .help = "published",
     .min = 1,
     .max = 64},
    {.name = "max-mlines-per-offer",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(max_mlines_per_offer),
     .fallback = "128",
     .value = "N",
     .help = "tracks and slots of a client",
     .min = 1,
     .max = 1024},
    {.name = "loudest",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(loudest),
     .fallback = "3",
     .value = "N",
     .help = "microphones that are forwarded where a call has more than a client has slots for",
     .min = 1,
     .max = 100},

    {.heading = "Times",
     .name = "ring-timeout-s",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(ring_timeout_s),
     .fallback = "45",
     .value = "S",
     .help = "after which an unanswered call is missed",
     .min = 1,
     .max = 3600},
    {.name = "resume-grace-s",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(resume_grace_s),
     .fallback = "30",
     .value = "S",
     .help = "in which a lost WebSocket may come back",
     .min = 0,
     .max = 3600},
    {.name = "drain-deadline-s",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(drain_deadline_s),
     .fallback = "30",
     .value = "S",
     .help = "for running calls after SIGTERM",
     .min = 0,
     .max = 86400},
    {.name = "session-lifetime-s",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(session_lifetime_s),
     .fallback = "86400",
     .value = "S",
     .help = "of a sign-in by name since its last use",
     .min = 60,
     .max = 31536000},

    {.name = "webhook-max-age-s",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(webhook_max_age_s),
     .fallback = "259200",
     .value = "S",
     .help = "after which what the webhook does not take is given up",
     .min = 1,
     .max = 31536000},
    {.name = "history-days",
     .kind = SIG_OPTION_INT,
     .offset = FIELD(history_days),
     .fallback = "0",
     .value = "N",
     .help = "that past calls are kept; 0: for ever",
     .min = 0,
     .max = 36500},

    {.heading = "Log and files",
     .name = "log-level",
     .kind = SIG_OPTION_WORD,
     .offset = FIELD(log_level),
     .fallback = "info",
     .value = "LEVEL",
     .help = "error, warn, info or debug",
     .words = level_words},
    {.name = "log-format",
     .kind = SIG_OPTION_WORD,
     .offset = FIELD(log_format),
     .fallback = "human",
     .value = "FORMAT",
     .help = "human or json",
     .words = format_words},
    {.name = "config",
     .kind = SIG_OPTION_TEXT,
     .offset = FIELD(config_file),
     .value = "FILE",
     .help = "read options from lines of NAME = VALUE"},

    {.heading = "Instead of serving",
     .name = "check-config",
     .kind = SIG_OPTION_ACTION,
     .help = "print the configuration in effect, or what is wrong with it"},
    {.name = "help", .kind = SIG_OPTION_ACTION, .help = "print this"},
    {.name = "version", .kind = SIG_OPTION_ACTION, .help = "print the version"},
};
const size_t sig_option_count = sizeof(sig_options) / sizeof(sig_options[0]);

const struct sig_option *sig_option_find(const char *name) {
    for (size_t i = 0; i < sig_option_count; i++)
        if (strcmp(sig_options[i].name, name) == 0)
            return &sig_options[i];
    return NULL;
}

const struct sig_option *sig_option_nearest(const char *name) {
    const struct sig_option *nearest = NULL;
    size_t least = strlen(name) / 3 + 1; /* More is another word. */
    for (size_t i = 0; i < sig_option_count; i++) {
        size_t distance = sig_text_distance(sig_options[i].name, name);
        if (distance <= least && (nearest == NULL || distance < least)) {
            nearest = &sig_options[i];
            least = distance;
        }
    }
    return nearest;
}
