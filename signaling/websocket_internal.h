/* What the parts of the WebSocket share: websocket.c, websocket_handshake.c. */
#ifndef SIGNALING_WEBSOCKET_INTERNAL_H
#define SIGNALING_WEBSOCKET_INTERNAL_H

#include "signaling/websocket.h"

/* SHA-1 in base64 and a NUL. */
#define WEBSOCKET_ACCEPT_SIZE 29

/* Whether the request is a handshake that can be accepted; if not, it has been replied to. */
bool websocket_check_handshake(struct sig_http_request *request);

/* The Sec-WebSocket-Accept of a key that was checked (RFC 6455 section 4.2.2, step 5.4). */
void websocket_accept_key(const char *key, char accept[static WEBSOCKET_ACCEPT_SIZE]);

#endif
