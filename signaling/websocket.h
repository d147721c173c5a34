/* WebSockets (RFC 6455) over an upgraded HTTP request: text messages in and out, nothing else. No
 * extensions, so no compression. All on the loop's thread.
 *
 * The socket object exists at once, so that a handler may upgrade and then send, or close with a
 * code such as 4401, without waiting for the upgrade to complete. */
#ifndef SIGNALING_WEBSOCKET_H
#define SIGNALING_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signaling/frame.h"
#include "signaling/http.h"

struct sig_websocket;

/* Close codes (RFC 6455 section 7.4.1). The interface's own are 4401, 4403, 4404, 4409. */
enum sig_websocket_code {
    SIG_WEBSOCKET_NORMAL = 1000,
    SIG_WEBSOCKET_GOING_AWAY = 1001,
    SIG_WEBSOCKET_PROTOCOL_ERROR = 1002,
    SIG_WEBSOCKET_UNSUPPORTED = 1003,
    SIG_WEBSOCKET_ABNORMAL = 1006, /* Never sent: the connection was lost. */
    SIG_WEBSOCKET_INVALID_TEXT = 1007,
    SIG_WEBSOCKET_POLICY = 1008,
    SIG_WEBSOCKET_TOO_BIG = 1009,
};

struct sig_websocket_events {
    /* A whole message: UTF-8, with a NUL after it, borrowed for the call. */
    void (*on_text)(struct sig_websocket *socket, const char *text, size_t len, void *data);
    /* The end, once, whoever caused it but the owner: the client closed (its code, 1005 for none),
     * was lost (1006), or was closed for breaking a rule. The socket is not to be used afterwards.
     */
    void (*on_close)(struct sig_websocket *socket, uint16_t code, void *data);
};

/* 0 takes the value in brackets. */
struct sig_websocket_limits {
    size_t max_message_bytes; /* [65536] Longer: closed with 1009. */
    size_t max_queue_bytes; /* [1048576] Unsent, or one message of any size: a slow reader is closed
                               with 1008. */
    uint32_t
        messages_per_second; /* [100] With a burst of three seconds' worth: closed with 1008. */
    uint32_t ping_ms;        /* [20000] Silence after which the client is pinged. */
    uint32_t dead_ms;        /* [45000] Silence after which it is lost. */
    uint32_t close_ms;       /* [5000] For the client's half of the closing handshake. */
};

/* Whether the request asks for an upgrade to a WebSocket. */
int sig_websocket_is_asked(const struct sig_http_request *request);

/* Answers a GET request with 101 and makes it a WebSocket. events is borrowed for life; limits may
 * be NULL. Returns 0, or after having replied itself: -EBADMSG (400: not a handshake; 426: not
 * version 13), -ENOMEM (503). The socket belongs to the server and is freed after on_close or
 * sig_websocket_close. */
int sig_websocket_upgrade(struct sig_websocket **out, struct sig_http_request *request,
                          const struct sig_websocket_events *events, void *data,
                          const struct sig_websocket_limits *limits);

/* Queues a text message (copied): 0, -EMSGSIZE when the queue is full (on_close(1008) follows in a
 * later loop turn), -EPIPE when the socket is closing, -ENOMEM. It is written at the end of the
 * loop's turn. */
int sig_websocket_send(struct sig_websocket *socket, const char *text, size_t len);

/* The same with a message that others may be sent too, and which is held until then. may_wait: a
 * tenth of a second, or until something comes that may not. */
int sig_websocket_send_frame(struct sig_websocket *socket, struct sig_frame *frame, bool may_wait);

/* Queues a JSON value as text; takes over its reference. Errors as above, -EINVAL for what is no
 * JSON. */
int sig_websocket_send_json(struct sig_websocket *socket, json_t *value);

/* Sends what is queued and then a close frame with the code and a reason (cut to 123 bytes; may be
 * NULL), and lets go: no event is called any more and the pointer is invalid. Allowed inside
 * events. */
void sig_websocket_close(struct sig_websocket *socket, uint16_t code, const char *reason);

#endif
