/* When WebSockets write: once in a turn of the loop, so that what a turn has for a client goes in
 * one message to the kernel. What may wait, as the comings and goings in a large call, waits for
 * more. */
#include "signaling/websocket_internal.h"

/* Ten wake-ups of each client a second while hundreds come in; people notice no such delay. */
#define DELAY_MS 100u

static void link_to(struct sig_websocket **list, struct sig_websocket *socket) {
    socket->next_unwritten = *list;
    socket->at_unwritten = list;
    if (*list)
        (*list)->at_unwritten = &socket->next_unwritten;
    *list = socket;
}

void websocket_forget_writing(struct sig_websocket *socket) {
    if (!socket->at_unwritten)
        return;
    *socket->at_unwritten = socket->next_unwritten;
    if (socket->next_unwritten)
        socket->next_unwritten->at_unwritten = socket->at_unwritten;
    socket->at_unwritten = NULL;
}

static void flush_all(struct sig_websocket **list) {
    while (*list) {
        struct sig_websocket *socket = *list;
        websocket_forget_writing(socket);
        websocket_flush(socket);
    }
}

static void on_turn(uv_prepare_t *prepare) {
    flush_all(&((struct sig_http *)prepare->data)->unwritten);
}

static void on_delayed(uv_timer_t *timer) {
    flush_all(&((struct sig_http *)timer->data)->delayed);
}

void websocket_write_soon(struct sig_websocket *socket, bool may_wait) {
    struct sig_http *http = socket->http;
    if (socket->at_unwritten && (may_wait || !socket->is_delayed))
        return;
    websocket_forget_writing(socket);
    link_to(may_wait ? &http->delayed : &http->unwritten, socket);
    socket->is_delayed = may_wait;
    if (may_wait && !uv_is_active((uv_handle_t *)&http->write_delayed))
        uv_timer_start(&http->write_delayed, on_delayed, DELAY_MS, 0);
}

static void on_handle_closed(uv_handle_t *handle) {
    http_release(handle->data);
}

void websocket_start_writing(struct sig_http *http) {
    uv_prepare_init(http->loop, &http->write_turn);
    uv_timer_init(http->loop, &http->write_delayed);
    http->write_turn.data = http->write_delayed.data = http;
    http_hold(http);
    http_hold(http);
    uv_prepare_start(&http->write_turn, on_turn);
}

void websocket_stop_writing(struct sig_http *http) {
    uv_close((uv_handle_t *)&http->write_turn, on_handle_closed);
    uv_close((uv_handle_t *)&http->write_delayed, on_handle_closed);
}
