/* What WebSockets are told waits for what was asked of the store before; the calls and the sockets
 * here only take notes. */
#include "signaling/outbox.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

static uint64_t asked, stored;
static void (*on_stored)(void *data, uint64_t stored);
static void *on_stored_data;
static char said[200];
static int closed;

uint64_t sig_calls_changes_asked(const struct sig_calls *calls) {
    (void)calls;
    return asked;
}

uint64_t sig_calls_changes_stored(const struct sig_calls *calls) {
    (void)calls;
    return stored;
}

void sig_calls_on_stored(struct sig_calls *calls, void (*told)(void *data, uint64_t stored),
                         void *data) {
    (void)calls;
    on_stored = told;
    on_stored_data = data;
}

int sig_websocket_send_frame(struct sig_websocket *socket, struct sig_frame *frame, bool may_wait) {
    (void)socket, (void)may_wait;
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s ", sig_frame_text(frame));
    return 0;
}

void sig_websocket_close(struct sig_websocket *socket, uint16_t code, const char *reason) {
    (void)socket;
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%u/%s ", code, reason);
}

static void store(uint64_t changes) {
    stored += changes;
    on_stored(on_stored_data, stored);
}

static void note_closed(struct sig_outbox *outbox) {
    (void)outbox;
    closed++;
}

static struct sig_outboxes all;
static struct sig_outbox one, other;

static void begin(void) {
    sig_outboxes_init(&all, NULL);
    sig_outbox_init(&one, &all, NULL);
    sig_outbox_init(&other, &all, NULL);
}

static void say(struct sig_outbox *outbox, const char *text) {
    struct sig_frame *frame = sig_frame_create(text, strlen(text));
    sig_outbox_send(outbox, frame, false);
    sig_frame_release(frame);
}

static void nothing_waits_while_nothing_is_written(void) {
    begin();
    say(&one, "a");
    asked = stored = 5;
    say(&one, "b");
    CHECK_STR(said, "a b ");
}

static void a_message_waits_for_the_changes_asked_for_before_it_and_no_longer(void) {
    begin();
    asked = 2;
    say(&one, "a");
    asked = 3;
    say(&one, "b");
    CHECK_STR(said, "");
    store(1);
    CHECK_STR(said, "");
    store(1);
    CHECK_STR(said, "a ");
    store(1);
    CHECK_STR(said, "a b ");
    say(&one, "c");
    CHECK_STR(said, "a b c ");
}

static void what_comes_later_does_not_overtake(void) {
    begin();
    asked = 1;
    say(&one, "a");
    stored = 1; /* Stored, and about to be told. */
    say(&one, "b");
    CHECK_STR(said, "");
    store(0);
    CHECK_STR(said, "a b ");
}

static void the_close_comes_behind_what_is_held_and_frees_its_owner_once(void) {
    begin();
    asked = 1;
    say(&one, "over");
    sig_outbox_close(&one, 4409, "over", note_closed);
    sig_outbox_close(&other, 1000, "left", note_closed);
    CHECK_INT(closed, 0);
    store(1);
    CHECK(strstr(said, "over 4409/over ") != NULL);
    CHECK(strstr(said, "1000/left ") != NULL);
    CHECK_INT(closed, 2);
    CHECK(all.first == NULL);
}

static void a_lost_socket_is_told_nothing_any_more(void) {
    begin();
    asked = 1;
    say(&one, "a");
    say(&other, "b");
    CHECK(!sig_outbox_is_closing(&one));
    sig_outbox_deinit(&one);
    sig_outbox_close(&other, 1000, "left", note_closed);
    CHECK(sig_outbox_is_closing(&other));
    sig_outbox_deinit(&other);
    CHECK_INT(closed, 0);
    store(1);
    CHECK_STR(said, "");
    CHECK(all.first == NULL);
}

static void one_text_is_held_for_all_who_are_told_it_and_let_go_by_all(void) {
    struct sig_frame *frame = sig_frame_create("a", 1);
    begin();
    asked = 1;
    sig_outbox_send(&one, frame, true);
    sig_outbox_send(&other, frame, true);
    CHECK_INT(frame->holders, 3);
    sig_outbox_deinit(&other);
    CHECK_INT(frame->holders, 2);
    store(1);
    CHECK_STR(said, "a ");
    CHECK_INT(frame->holders, 1);
    sig_outbox_send(&one, frame, true);
    asked = 3;
    sig_outbox_send(&one, frame, true);
    sig_outbox_deinit(&one);
    CHECK_INT(frame->holders, 1);
    sig_outboxes_deinit(&all);
    sig_frame_release(frame);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(nothing_waits_while_nothing_is_written),
    T(a_message_waits_for_the_changes_asked_for_before_it_and_no_longer),
    T(what_comes_later_does_not_overtake),
    T(the_close_comes_behind_what_is_held_and_frees_its_owner_once),
    T(a_lost_socket_is_told_nothing_any_more),
    T(one_text_is_held_for_all_who_are_told_it_and_let_go_by_all),
#undef T
};

TEST_MAIN(tests)
