/* What the parts of the WebSocket share: websocket.c, websocket_io.c, websocket_handshake.c. */
#ifndef SIGNALING_WEBSOCKET_INTERNAL_H
#define SIGNALING_WEBSOCKET_INTERNAL_H

#include <wslay/wslay.h>

#include "signaling/http_internal.h"
#include "signaling/limits.h"
#include "signaling/websocket.h"
#include "signaling/websocket_queue.h"

/* SHA-1 in base64 and a NUL. */
#define WEBSOCKET_ACCEPT_SIZE 29
#define WEBSOCKET_REASON_BYTES_MAX 123u /* RFC 6455 section 5.5: 125 with the code. */

enum websocket_phase {
    WEBSOCKET_OPENING,   /* The 101 is on its way. */
    WEBSOCKET_OPEN,      /* Frames go both ways. */
    WEBSOCKET_LINGERING, /* Our close frame is out; what comes is thrown away. */
    WEBSOCKET_ENDED,     /* Waits for the loop to let go of the handles. */
};

struct sig_websocket {
    /* Given. */
    struct sig_http *http;
    struct sig_http_request *request;          /* NULL: it is over. */
    const struct sig_websocket_events *events; /* NULL: detached. */
    void *data;
    struct sig_websocket_limits limits;
    struct MHD_UpgradeResponseHandle *handle;
    int fd;

    /* Owned. */
    wslay_event_context_ptr frames;   /* Of what is received, and the control frames sent. */
    struct sig_websocket_queue queue; /* The messages. */
    uint8_t *early;                   /* What came behind the request. */
    size_t early_len;
    size_t early_at;
    uv_poll_t poll;
    uv_timer_t timer;

    /* Links. */
    struct sig_websocket *next_unwritten, **at_unwritten; /* Of either list. */

    /* State. */
    enum websocket_phase phase;
    bool has_poll;
    bool is_delayed;     /* In the list of those that may wait. */
    int watched;         /* Events of the loop. */
    bool is_over;        /* No way to read or write any more. */
    bool is_read_over;   /* Because the stream has ended. */
    uint16_t end_code;   /* What the owner is to be told; 0: nothing yet. */
    uint16_t close_code; /* Close frame to send when the queue is empty; 0: none. */
    uint8_t close_reason[WEBSOCKET_REASON_BYTES_MAX];
    size_t close_reason_len;
    uint64_t close_deadline_ms; /* 0: not closing. */
    uint64_t heard_ms;
    uint64_t pinged_ms;
    struct sig_bucket bucket;
    unsigned handle_count;
};

/* websocket_io.c */
extern const struct wslay_event_callbacks websocket_callbacks;
extern const struct http_upgrade websocket_upgrade;
uint64_t websocket_now_ms(const struct sig_websocket *socket);
/* Has the loop look at everything after delay_ms. */
void websocket_schedule(struct sig_websocket *socket, uint64_t delay_ms);
/* Writes what the socket takes. Errors are left for the loop. */
void websocket_flush(struct sig_websocket *socket);

/* websocket_write.c: has the socket flushed at the end of the loop's turn, or, when that may wait
 * and nothing else comes, some time later. */
void websocket_write_soon(struct sig_websocket *socket, bool may_wait);
void websocket_forget_writing(struct sig_websocket *socket);

/* Pairs: what does it, handles of the server's. */
void websocket_start_writing(struct sig_http *http);
void websocket_stop_writing(struct sig_http *http);

/* Whether the request is a handshake that can be accepted; if not, it has been replied to. */
bool websocket_check_handshake(struct sig_http_request *request);

/* The Sec-WebSocket-Accept of a key that was checked (RFC 6455 section 4.2.2, step 5.4). */
void websocket_accept_key(const char *key, char accept[static WEBSOCKET_ACCEPT_SIZE]);

#endif
