/* A call of hundreds: what a join costs does not grow with those who are there, beyond one list and
 * one message each; and what is kept for that stays true. Costs are counted, not timed. */
#include <stdio.h>

#include "signaling/session.h"
#include "tests/unit/signaling/meeting.h"
#include "tests/unit/signaling/sdp_fixture.h"

#define JOIN "{\"type\": \"join\", \"media\": \"sfu\"}"
#define CROWD 400

/* One who is not a client of its own right: what it is told is counted. */
struct member {
    struct sig_identity identity;
    struct sig_session *session;
    size_t messages, bytes, hurried, last_len;
    const struct sig_frame *last; /* To be compared only. */
};

static struct member crowd[CROWD];
static struct client *ada, *bob;
static size_t allocations; /* Of the JSON library: a measure of what is written as JSON. */

static void *count_malloc(size_t size) {
    allocations++;
    return malloc(size);
}

static void on_message(void *data, struct sig_frame *frame, bool may_wait) {
    struct member *member = data;
    member->messages++;
    member->bytes += frame->text_len;
    member->hurried += !may_wait;
    member->last_len = frame->text_len;
    member->last = frame;
}

static void on_end(void *data, enum sig_session_end why) {
    (void)why;
    ((struct member *)data)->session = NULL;
}

static const struct sig_session_owner owner = {on_message, on_end};

static void begin(void) {
    json_set_alloc_funcs(count_malloc, free);
    meeting_open(true);
    meeting.config.max_participants_per_call = CROWD + 10;
    memset(crowd, 0, sizeof(crowd));
    ada = client_create("ada");
    bob = client_create("bob");
    meeting_start(ada, NULL, NULL);
    client_enter(ada);
    client_say(ada, JOIN);
}

static void end(void) {
    meeting_close();
    client_destroy(ada);
    client_destroy(bob);
}

static void come(size_t i) {
    struct member *member = &crowd[i];
    struct sig_refusal refusal;
    snprintf(member->identity.user_id, sizeof(member->identity.user_id), "user-%03zu", i);
    snprintf(member->identity.name, sizeof(member->identity.name), "User %03zu", i);
    member->identity.can_publish = member->identity.can_subscribe = true;
    const struct sig_session_options options = {
        .identity = &member->identity, .owner = &owner, .data = member, .role = SIG_SDP_CALL};
    CHECK_INT(
        sig_session_create(&member->session, meeting.calls, meeting.call_id, &options, &refusal),
        0);
    sig_session_receive(member->session, JOIN, strlen(JOIN));
}

static void come_until(size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!crowd[i].session)
            come(i);
}

static size_t cost_of_the_next(size_t i) {
    size_t before = allocations;
    come(i);
    return allocations - before;
}

static void a_join_writes_no_more_json_when_four_times_as_many_are_there(void) {
    begin();
    come_until(99);
    size_t few = cost_of_the_next(99);
    come_until(CROWD - 1);
    size_t many = cost_of_the_next(CROWD - 1);
    CHECK(few > 0);
    CHECK_INT(many, few);
    end();
}

static void all_are_told_of_a_join_by_one_text(void) {
    begin();
    come_until(100);
    size_t messages = crowd[0].messages;
    come(100);
    CHECK_INT(crowd[0].messages, messages + 1);
    for (size_t i = 1; i < 100; i++)
        CHECK(crowd[i].last == crowd[0].last);
    CHECK(ada->last == crowd[0].last);
    CHECK_STR(client_text(ada, "user_joined", "user_id"), "user-100");
    end();
}

static void a_welcome_grows_by_one_line_for_everyone_who_came(void) {
    begin();
    come_until(CROWD);
    /* The list of each is longer by the line of the one before; all hear of those behind them, in
     * one message each. */
    size_t line = crowd[CROWD - 1].bytes - crowd[CROWD - 2].bytes + crowd[CROWD - 2].last_len;
    size_t whole =
        crowd[CROWD - 1].bytes - crowd[CROWD - 101].bytes + 100 * crowd[CROWD - 101].last_len;
    CHECK_INT(whole, 100 * line);
    CHECK_INT(crowd[CROWD - 1].messages, 1);
    CHECK_INT(crowd[CROWD - 11].messages, 11);
    end();
}

static void the_list_says_what_has_changed_since_it_was_written(void) {
    begin();
    client_enter(bob);
    client_say(bob, JOIN);
    come(0); /* Has the list written. */
    client_say(bob, "{\"type\": \"toggle_audio\", \"enabled\": true}");
    client_offer(bob, short_offer);
    meeting_event((struct sfu_event){.type = SFU_EVENT_QUALITY,
                                     .participant = fake_sfu.newest,
                                     .score = 3,
                                     .up = {.score = 3, .reason = "loss"}});
    struct client *cyn = client_create("cyn");
    client_enter(cyn);
    const json_t *list = json_object_get(client_heard(cyn, "welcome"), "participants");
    CHECK_INT(json_array_size(list), 3);
    const json_t *entry = json_array_get(list, 1);
    CHECK_STR(json_string_value(json_object_get(entry, "user_id")), "bob");
    CHECK(json_is_true(json_object_get(entry, "is_audio_enabled")));
    CHECK(json_is_true(json_object_get(entry, "is_video_enabled")));
    CHECK_INT(json_array_size(json_object_get(entry, "tracks")), 2);
    CHECK_INT(json_integer_value(json_object_get(json_object_get(entry, "quality"), "score")), 3);
    client_act(bob, SIG_CALL_EVENT_LEAVE, &(struct sig_refusal){.status = 0});
    struct client *dan = client_create("dan");
    client_enter(dan);
    list = json_object_get(client_heard(dan, "welcome"), "participants");
    CHECK_INT(json_array_size(list), 2);
    CHECK_STR(json_string_value(json_object_get(json_array_get(list, 1), "user_id")), "user-000");
    end();
    client_destroy(cyn);
    client_destroy(dan);
}

static void a_new_name_is_in_the_list(void) {
    begin();
    client_enter(bob);
    client_say(bob, JOIN);
    come(0);
    strcpy(bob->identity.name, "Robert");
    client_enter(bob); /* Takes over. */
    client_say(bob, JOIN);
    struct client *cyn = client_create("cyn");
    client_enter(cyn);
    const json_t *list = json_object_get(client_heard(cyn, "welcome"), "participants");
    CHECK_STR(json_string_value(json_object_get(json_array_get(list, 1), "full_name")), "Robert");
    end();
    client_destroy(cyn);
}

static void news_may_wait_in_a_large_room_and_what_people_say_may_not(void) {
    begin();
    size_t hurried = ada->hurried;
    come(0);
    CHECK_INT(ada->hurried, hurried + 1);
    come_until(100);
    hurried = ada->hurried;
    come(100);
    client_enter(bob);
    client_say(bob, JOIN);
    CHECK_INT(ada->hurried, hurried);
    client_say(bob, "{\"type\": \"chat_message\", \"message\": \"hello\"}");
    CHECK_INT(ada->hurried, hurried + 1);
    hurried = crowd[0].hurried;
    client_offer(bob, short_offer);
    CHECK_INT(crowd[0].hurried, hurried);
    CHECK_INT(client_count(ada, "track_published"), 2);
    end();
}

static void one_text_tells_of_a_track_now_and_whoever_comes(void) {
    begin();
    come_until(100);
    client_enter(bob);
    client_say(bob, JOIN);
    client_offer(bob, short_offer);
    /* The last that is told of bob is that his camera is on. */
    const struct sig_frame *told = crowd[0].last;
    for (size_t i = 1; i < 100; i++)
        CHECK(crowd[i].last == told);
    come(100); /* Bob's line is written anew. */
    size_t before = allocations;
    sig_session_receive(crowd[100].session, JOIN, strlen(JOIN));
    size_t again = allocations - before;
    CHECK_INT(crowd[100].messages, 5); /* The welcome, and twice two tracks. */
    client_offer(bob, short_offer);
    before = allocations;
    sig_session_receive(crowd[100].session, JOIN, strlen(JOIN));
    CHECK_INT(allocations - before, again);
    end();
}

static void a_track_is_found_among_hundreds_of_people(void) {
    begin();
    client_offer(ada, short_offer); /* Before the room has grown. */
    uint64_t ada_number = fake_sfu.newest;
    client_enter(bob);
    client_say(bob, JOIN);
    client_offer(bob, short_offer);
    come_until(CROWD);
    const char *text = client_text(bob, "track_published", "track_id");
    uint64_t track = strtoull(text, NULL, 10);
    const struct sfu_slot_state slot = {.mid = "3", .track = track, .participant = ada_number};
    meeting_event((struct sfu_event){
        .type = SFU_EVENT_SLOTS, .participant = fake_sfu.newest, .slots = &slot, .slot_count = 1});
    const json_t *slots = json_object_get(client_heard(bob, "slots"), "slots");
    CHECK_STR(json_string_value(json_object_get(json_array_get(slots, 0), "user_id")), "ada");
    client_act(ada, SIG_CALL_EVENT_LEAVE, &(struct sig_refusal){.status = 0});
    CHECK_STR(client_text(bob, "track_unpublished", "user_id"), "ada");
    meeting_event((struct sfu_event){
        .type = SFU_EVENT_SLOTS, .participant = fake_sfu.newest, .slots = &slot, .slot_count = 1});
    slots = json_object_get(client_heard(bob, "slots"), "slots");
    CHECK(json_is_null(json_object_get(json_array_get(slots, 0), "track_id")));
    end();
}

static void everyone_can_come_again_and_leave(void) {
    begin();
    come_until(CROWD);
    for (size_t i = 0; i < CROWD; i += 2) {
        come(i); /* Takes over from itself. */
        CHECK(crowd[i].session != NULL);
    }
    client_forget(ada);
    for (size_t i = 0; i < CROWD; i++)
        sig_session_leave(crowd[i].session, true);
    CHECK_INT(client_count(ada, "user_left"), CROWD);
    come(7);
    CHECK_INT(client_count(ada, "user_joined"), 1);
    CHECK_STR(client_text(ada, "user_joined", "user_id"), "user-007");
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(a_join_writes_no_more_json_when_four_times_as_many_are_there),
    T(all_are_told_of_a_join_by_one_text),
    T(a_welcome_grows_by_one_line_for_everyone_who_came),
    T(the_list_says_what_has_changed_since_it_was_written),
    T(a_new_name_is_in_the_list),
    T(news_may_wait_in_a_large_room_and_what_people_say_may_not),
    T(one_text_tells_of_a_track_now_and_whoever_comes),
    T(a_track_is_found_among_hundreds_of_people),
    T(everyone_can_come_again_and_leave),
#undef T
};

TEST_MAIN(tests)
