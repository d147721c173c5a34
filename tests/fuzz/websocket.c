/* Frames after a good handshake. The first byte says how much of the rest comes with the request.
 */
#include "signaling/websocket.h"

#include <stdint.h>
#include <string.h>

#include "signaling/json.h"
#include "tests/fuzz/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_count;

static void on_text(struct sig_websocket *socket, const char *text, size_t len, void *data) {
    char error[100];
    (void)data;
    if (text[len] != '\0')
        abort();
    json_t *message = sig_json_parse(text, len, error, sizeof(error));
    const char *type = sig_json_text(message, "type");
    if (type && strcmp(type, "end") == 0) {
        open_count--;
        sig_websocket_close(socket, 1000, type);
    } else {
        sig_websocket_send(socket, text, len);
    }
    json_decref(message);
}

static void on_close(struct sig_websocket *socket, uint16_t code, void *data) {
    (void)socket;
    (void)data;
    if (code < 1000 || code > 4999)
        abort();
    open_count--;
}

static void on_get(struct sig_http_request *request, void *data) {
    static const struct sig_websocket_events events = {on_text, on_close};
    static const struct sig_websocket_limits limits = {.max_message_bytes = 1000};
    struct sig_websocket *socket;
    (void)data;
    if (sig_websocket_upgrade(&socket, request, &events, NULL, &limits) == 0)
        open_count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct sig_http_route route = {"GET", "/", on_get, false};
    static const char handshake[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char early[sizeof(handshake) + 255];
    if (server == NULL)
        server_start(&route, 1, NULL);
    if (size < 1 || size > 8192)
        return 0;
    size_t with = data[0] < size - 1 ? data[0] : size - 1;
    int fd = server_connect();
    memcpy(early, handshake, sizeof(handshake) - 1);
    memcpy(early + sizeof(handshake) - 1, data + 1, with);
    if (send(fd, early, sizeof(handshake) - 1 + with, MSG_NOSIGNAL) < 0)
        abort();
    for (int turn = 0; turn < 3; turn++)
        uv_run(&server_loop, UV_RUN_NOWAIT);
    server_feed(fd, data + 1 + with, size - 1 - with);
    /* Each is told of its end; the client's reset may take a turn more. */
    for (int turn = 0; open_count > 0 && turn < 1000; turn++)
        uv_run(&server_loop, UV_RUN_NOWAIT);
    if (open_count != 0)
        abort();
    return 0;
}
