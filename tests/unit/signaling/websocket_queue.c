/* What WebSockets have still to send, over a pair of sockets that takes little at a time. */
#include "signaling/websocket_queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define BIG 20000

static struct sig_websocket_queue queue;
static int ours, theirs;
static char got[4000000];
static size_t got_len;

static void begin(void) {
    int ends[2], size = 4096;
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ours = ends[0];
    theirs = ends[1];
    setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    got_len = 0;
}

static void end(void) {
    sig_websocket_queue_clear(&queue);
    close(ours);
    close(theirs);
}

static void add(const char *text, size_t len) {
    struct sig_frame *frame = sig_frame_create(text, len);
    CHECK_INT(sig_websocket_queue_add(&queue, frame), 0);
    sig_frame_release(frame);
}

static bool receive(void) {
    ssize_t len = recv(theirs, got + got_len, sizeof(got) - got_len, 0);
    if (len > 0)
        got_len += (size_t)len;
    return len > 0;
}

static void many_go_in_order_however_little_is_taken_at_a_time(void) {
    static char big[BIG];
    size_t rounds = 0;
    begin();
    for (int i = 0; i < 150; i++) {
        memset(big, 'a' + i % 26, sizeof(big));
        add(big, sizeof(big));
    }
    CHECK_INT(queue.bytes, 150 * (BIG + 4));
    for (; queue.count > 0; rounds++) {
        CHECK_INT(sig_websocket_queue_write(&queue, ours), 0);
        while (receive())
            continue;
    }
    CHECK(rounds > 10);
    CHECK_INT(queue.bytes, 0);
    CHECK_INT(got_len, 150 * (BIG + 4));
    for (size_t i = 0; i < 150; i++)
        for (size_t j = 0; j < BIG; j += 777)
            CHECK_INT(got[i * (BIG + 4) + 4 + j], 'a' + (int)(i % 26));
    end();
}

static void what_is_added_meanwhile_comes_behind(void) {
    char want[3000] = "", text[16];
    begin();
    for (int i = 0; i < 200; i++) { /* The ring goes round, grows, and goes again. */
        snprintf(text, sizeof(text), "%03d", i);
        add(text, 3);
        snprintf(want + strlen(want), sizeof(want) - strlen(want), "\x81\x03%s", text);
        if (i % 3 == 0 && i < 100)
            CHECK_INT(sig_websocket_queue_write(&queue, ours), 0);
    }
    while (queue.count > 0) {
        CHECK_INT(sig_websocket_queue_write(&queue, ours), 0);
        while (receive())
            continue;
    }
    got[got_len] = '\0';
    CHECK_STR(got, want);
    end();
}

static void a_frame_that_is_begun_can_be_ended_without_the_next(void) {
    static char big[BIG];
    begin();
    memset(big, 'a', sizeof(big));
    CHECK_INT(sig_websocket_queue_finish(&queue, ours), 0); /* Nothing is begun. */
    for (int i = 0; i < 20; i++)
        add(big, sizeof(big));
    CHECK_INT(sig_websocket_queue_finish(&queue, ours), 0);
    CHECK_INT(queue.count, 20);
    CHECK_INT(sig_websocket_queue_write(&queue, ours), 0);
    CHECK(queue.sent > 0);
    size_t left = queue.count;
    for (int i = 0; i < 20 && queue.sent > 0; i++) {
        receive();
        CHECK_INT(sig_websocket_queue_finish(&queue, ours), 0);
    }
    CHECK_INT(queue.sent, 0);
    CHECK_INT(queue.count, left - 1);
    end();
}

static void frames_are_let_go_when_they_are_sent_and_when_nobody_wants_them(void) {
    struct sig_frame *frame = sig_frame_create("a", 1);
    begin();
    CHECK_INT(sig_websocket_queue_add(&queue, frame), 0);
    CHECK_INT(sig_websocket_queue_add(&queue, frame), 0);
    CHECK_INT(frame->holders, 3);
    CHECK_INT(sig_websocket_queue_write(&queue, ours), 0);
    CHECK_INT(frame->holders, 1);
    CHECK_INT(sig_websocket_queue_add(&queue, frame), 0);
    sig_websocket_queue_clear(&queue);
    CHECK_INT(frame->holders, 1);
    sig_frame_release(frame);
    end();
}

static void a_broken_socket_is_an_error(void) {
    begin();
    close(theirs);
    add("a", 1);
    CHECK_INT(sig_websocket_queue_write(&queue, ours), -EPIPE);
    theirs = dup(ours);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(many_go_in_order_however_little_is_taken_at_a_time),
    T(what_is_added_meanwhile_comes_behind),
    T(a_frame_that_is_begun_can_be_ended_without_the_next),
    T(frames_are_let_go_when_they_are_sent_and_when_nobody_wants_them),
    T(a_broken_socket_is_an_error),
#undef T
};

TEST_MAIN(tests)
