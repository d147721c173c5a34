/* What a host is told of its calls, and how it is brought there, in virtual time by a post that the
 * tests answer. */
#include "signaling/webhook.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/log.h"
#include "signaling/webhook_events.h"
#include "tests/unit/test.h"

#define SECRET "whsec_0123456789abcdef0123456789abcdef"
#define POSTS_MAX 64

static uint64_t clock_ms;

static uint64_t now_ms(void) {
    return clock_ms;
}

/* A request under way. */
struct posted {
    char body[3000];
    char headers[600];
    sig_fetch_done_fn done; /* NULL: answered. */
    void *data;
};

static struct {
    struct sig_store *store;
    struct sig_webhook *webhook;
    struct posted posts[POSTS_MAX];
    size_t count;
} world;

static int post(void *ctx, const struct sig_fetch_request *request, sig_fetch_done_fn done,
                void *data) {
    struct posted *posted = &world.posts[world.count++];
    CHECK(ctx == &world);
    CHECK(world.count < POSTS_MAX);
    CHECK_STR(request->url, "http://host.example.org/");
    snprintf(posted->body, sizeof(posted->body), "%s", request->body);
    posted->headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++) {
        strcat(posted->headers, request->headers[i]);
        strcat(posted->headers, "\n");
    }
    posted->done = done;
    posted->data = data;
    return 0;
}

static void start(void) {
    world.webhook =
        sig_webhook_create(&(struct sig_webhook_options){.store = world.store,
                                                         .url = "http://host.example.org/",
                                                         .secret = SECRET,
                                                         .max_age_s = 600,
                                                         .now_ms = now_ms,
                                                         .post = post,
                                                         .ctx = &world});
}

static void begin(void) {
    static FILE *nowhere;
    char error[200];
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    sig_log_init(SIG_LOG_ERROR, SIG_LOG_HUMAN, nowhere);
    memset(&world, 0, sizeof(world));
    clock_ms = UINT64_C(1700000000000);
    CHECK_INT(
        sig_store_open(&world.store,
                       &(struct sig_store_options){.database = "sqlite::memory:", .now_ms = now_ms},
                       error, sizeof(error)),
        0);
    start();
}

static void stop(void) {
    sig_webhook_close(world.webhook);
    sig_webhook_destroy(world.webhook);
}

static void end(void) {
    stop();
    sig_store_destroy(world.store);
}

static void answer(size_t index, unsigned status, unsigned retry_after_s) {
    struct posted *posted = &world.posts[index];
    sig_fetch_done_fn done = posted->done;
    CHECK(done != NULL);
    posted->done = NULL;
    done(posted->data, &(struct sig_fetch_result){.status = status,
                                                  .retry_after_s = retry_after_s,
                                                  .error = "it does not answer"});
}

static void wait_ms(uint64_t ms) {
    uint64_t until_ms = clock_ms + ms, due_ms;
    while ((due_ms = sig_webhook_wait_ms(world.webhook)) != UINT64_MAX &&
           clock_ms + due_ms <= until_ms) {
        clock_ms += due_ms;
        sig_webhook_on_deadline(world.webhook);
    }
    clock_ms = until_ms;
}

/* Keeps a call's message of this number; its id and its body are made of both. */
static void keep(const char *call_id, uint64_t seq) {
    char text[40];
    struct sig_call *call = sig_call_create(call_id, SIG_CALL_AUDIO, "ada", "Ada", clock_ms);
    snprintf(text, sizeof(text), "%.2s-%llu", call_id, (unsigned long long)seq);
    const struct sig_store_hook hook = {
        .seq = seq, .id = text, .event = "call.started", .body = text};
    sig_store_save_change(world.store,
                          &(struct sig_store_change){
                              .call = call, .at_ms = clock_ms, .hooks = &hook, .hook_count = 1},
                          NULL, NULL);
    sig_call_destroy(call);
    sig_webhook_wake(world.webhook, 1);
}

static const char c1[] = "c1000000-0000-4000-8000-000000000001";
static const char c2[] = "c2000000-0000-4000-8000-000000000002";

static size_t pending(void) {
    struct sig_webhook_stats stats;
    sig_webhook_stats_get(world.webhook, &stats);
    return stats.pending;
}

/* The value was computed by openssl dgst -sha256 -hmac. */
static void the_signature_is_that_of_time_and_body(void) {
    char signature[SIG_WEBHOOK_SIGNATURE_SIZE];
    sig_webhook_sign(signature, SECRET, 1700000000, "{\"id\":\"e1\"}");
    CHECK_STR(signature, "t=1700000000,"
                         "v1=0d31bae6276c2acedba954b1e85a4404eb3d76308f5db1c03499cdcb79a853af");
}

static void attempts_come_ever_later_up_to_five_minutes_with_chance(void) {
    static const struct {
        unsigned attempts;
        uint64_t least_ms, most_ms;
    } rows[] = {{0, 500, 1000},      {1, 1000, 2000},      {5, 16000, 32000},
                {9, 150000, 300000}, {19, 150000, 300000}, {4000000000u, 150000, 300000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_INT(sig_webhook_backoff_ms(rows[i].attempts, 0), rows[i].least_ms);
        CHECK_INT(sig_webhook_backoff_ms(rows[i].attempts, 65535), rows[i].most_ms);
    }
}

static void messages_of_a_call_wait_for_each_other_and_calls_do_not(void) {
    begin();
    keep(c1, 1);
    keep(c1, 2);
    keep(c2, 1);
    CHECK_INT(world.count, 2);
    CHECK_STR(world.posts[0].body, "c1-1");
    CHECK_STR(world.posts[1].body, "c2-1");
    CHECK(strstr(world.posts[0].headers, "Weir-Event: call.started\n") != NULL);
    CHECK(strstr(world.posts[0].headers, "Weir-Delivery: c1-1\n") != NULL);
    CHECK(strstr(world.posts[0].headers, "Weir-Signature: t=1700000000,v1=") != NULL);
    answer(1, 200, 0);
    CHECK_INT(world.count, 2);
    answer(0, 204, 0);
    CHECK_INT(world.count, 3);
    CHECK_STR(world.posts[2].body, "c1-2");
    answer(2, 200, 0);
    CHECK_INT(pending(), 0);
    CHECK(sig_webhook_wait_ms(world.webhook) == UINT64_MAX);
    end();
}

static void what_is_not_taken_is_tried_again_and_nothing_overtakes_it(void) {
    static const unsigned refusals[] = {500, 404, 301, 0, 199};
    begin();
    keep(c1, 1);
    keep(c1, 2);
    for (size_t i = 0; i < 5; i++) {
        size_t before = world.count;
        answer(before - 1, refusals[i], 0);
        wait_ms((UINT64_C(500) << i) - 1);
        CHECK_INT(world.count, before);
        wait_ms(UINT64_C(500) << i);
        wait_ms(1);
        CHECK_INT(world.count, before + 1);
        CHECK_STR(world.posts[before].body, "c1-1");
    }
    answer(world.count - 1, 200, 0);
    CHECK_STR(world.posts[world.count - 1].body, "c1-2");
    end();
}

static void an_answer_may_ask_for_more_patience(void) {
    begin();
    keep(c1, 1);
    answer(0, 503, 60);
    wait_ms(59999);
    CHECK_INT(world.count, 1);
    wait_ms(1);
    CHECK_INT(world.count, 2);
    end();
}

static void what_is_too_old_is_given_up_and_the_next_one_goes(void) {
    struct sig_webhook_stats stats;
    begin();
    keep(c1, 1);
    keep(c1, 2);
    wait_ms(599999);
    answer(0, 500, 0);
    wait_ms(1000);
    answer(1, 500, 0);
    CHECK_STR(world.posts[2].body, "c1-2");
    answer(2, 200, 0);
    sig_webhook_stats_get(world.webhook, &stats);
    CHECK_INT(stats.given_up, 1);
    CHECK_INT(stats.failed, 2);
    CHECK_INT(stats.delivered, 1);
    CHECK_INT(stats.pending, 0);
    end();
}

static void what_was_under_way_at_the_end_comes_again_with_the_same_id(void) {
    begin();
    keep(c1, 1);
    keep(c1, 2);
    stop(); /* Its answer is never heard. */
    start();
    CHECK_INT(pending(), 2);
    CHECK_STR(world.posts[1].body, "c1-1");
    CHECK(strstr(world.posts[1].headers, "Weir-Delivery: c1-1\n") != NULL);
    answer(1, 200, 0);
    answer(2, 200, 0);
    stop();
    start();
    CHECK_INT(world.count, 3);
    end();
}

static void so_many_are_under_way_at_a_time_and_all_have_their_turn(void) {
    begin();
    char id[SIG_UUID_SIZE];
    for (unsigned i = 0; i < 3 * SIG_WEBHOOK_IN_FLIGHT_MAX; i++) {
        snprintf(id, sizeof(id), "%08x-0000-4000-8000-000000000001", i);
        keep(id, 1);
    }
    CHECK_INT(world.count, SIG_WEBHOOK_IN_FLIGHT_MAX);
    for (size_t i = 0; i < world.count; i++)
        answer(i, 200, 0);
    CHECK_INT(world.count, 3 * SIG_WEBHOOK_IN_FLIGHT_MAX);
    CHECK_INT(pending(), 0);
    end();
}

/* Events. */

static char told[2000]; /* "1 call.started, 2 participant.joined ada, " */

static const char *tell(struct sig_call *call) {
    struct sig_webhook_events events = {.count = 0};
    sig_webhook_events_make(&events, call, "ada", clock_ms);
    told[0] = '\0';
    for (size_t i = 0; i < events.count; i++) {
        json_t *body = json_loads(events.hooks[i].body, 0, NULL);
        const char *who =
            json_string_value(json_object_get(json_object_get(body, "participant"), "user_id"));
        CHECK(body != NULL);
        CHECK_INT(json_integer_value(json_object_get(body, "seq")), events.hooks[i].seq);
        CHECK_STR(json_string_value(json_object_get(body, "type")), events.hooks[i].event);
        CHECK_STR(json_string_value(json_object_get(body, "id")), events.hooks[i].id);
        CHECK((who == NULL) ==
              (json_object_get(json_object_get(body, "call"), "participants") != NULL));
        sprintf(told + strlen(told), "%llu %s%s%s, ", (unsigned long long)events.hooks[i].seq,
                events.hooks[i].event, who ? " " : "", who ? who : "");
        json_decref(body);
    }
    sig_webhook_events_deinit(&events);
    return told;
}

static struct sig_call *make_call(void) {
    struct sig_call *call = sig_call_create(c1, SIG_CALL_VIDEO, "ada", "Ada", 1);
    sig_call_add(call, "bob", "Bob");
    sig_call_add(call, "carl", "Carl");
    sig_call_apply(call, NULL, SIG_CALL_EVENT_START, 2);
    return call;
}

static void a_call_is_told_from_start_to_end_once_each(void) {
    struct sig_call *call = make_call();
    CHECK_STR(tell(call), "1 call.started, 2 participant.joined ada, ");
    CHECK_STR(tell(call), "");
    struct sig_participant *bob = sig_call_find(call, "bob");
    sig_call_apply(call, bob, SIG_CALL_EVENT_RING, 3);
    CHECK_STR(tell(call), "");
    sig_call_apply(call, bob, SIG_CALL_EVENT_JOIN, 4);
    CHECK_STR(tell(call), "3 call.answered, 4 participant.joined bob, ");
    sig_call_apply(call, bob, SIG_CALL_EVENT_JOIN, 5);
    CHECK_STR(tell(call), "");
    sig_call_apply(call, bob, SIG_CALL_EVENT_LEAVE, 6);
    CHECK_STR(tell(call), "5 participant.left bob, ");
    sig_call_apply(call, bob, SIG_CALL_EVENT_JOIN, 7);
    CHECK_STR(tell(call), "6 participant.joined bob, ");
    sig_call_apply(call, NULL, SIG_CALL_EVENT_END, 8);
    CHECK_STR(tell(call), "7 participant.left ada, 8 participant.left bob, "
                          "9 participant.missed carl, 10 call.ended, ");
    sig_call_destroy(call);
}

static void a_call_that_nobody_takes_is_missed_or_rejected(void) {
    struct sig_call *call = make_call();
    tell(call);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_TIMEOUT, 3);
    CHECK(strstr(tell(call), "participant.missed bob, ") != NULL);
    CHECK(strstr(told, " call.missed, ") != NULL);
    sig_call_destroy(call);
    call = make_call();
    tell(call);
    sig_call_apply(call, sig_call_find(call, "bob"), SIG_CALL_EVENT_REJECT, 3);
    CHECK_STR(tell(call), "3 participant.rejected bob, ");
    sig_call_apply(call, sig_call_find(call, "carl"), SIG_CALL_EVENT_REJECT, 4);
    CHECK_STR(tell(call), "4 participant.left ada, 5 participant.rejected carl, 6 call.rejected, ");
    sig_call_destroy(call);
}

static void what_was_told_before_a_restart_is_not_told_again(void) {
    struct sig_call *call = make_call();
    sig_webhook_events_skip(call);
    call->hook_count = 2;
    CHECK_STR(tell(call), "");
    sig_call_apply(call, NULL, SIG_CALL_EVENT_END, 8);
    CHECK(strstr(tell(call), "3 participant.left ada, ") == told);
    sig_call_destroy(call);
}

static void a_large_call_is_told_of_everybody(void) {
    struct sig_call *call = sig_call_create(c1, SIG_CALL_VIDEO, "ada", "Ada", 1);
    char id[20];
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof(id), "u%d", i);
        sig_call_add(call, id, id);
    }
    sig_call_apply(call, NULL, SIG_CALL_EVENT_START, 2);
    struct sig_webhook_events events = {.count = 0};
    sig_webhook_events_make(&events, call, NULL, 3);
    sig_call_apply(call, NULL, SIG_CALL_EVENT_END, 3);
    sig_webhook_events_make(&events, call, NULL, 4);
    CHECK_INT(events.count, 2 + 301 + 1);
    CHECK_INT(call->hook_count, events.count);
    sig_webhook_events_deinit(&events);
    sig_call_destroy(call);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(the_signature_is_that_of_time_and_body),
    T(attempts_come_ever_later_up_to_five_minutes_with_chance),
    T(messages_of_a_call_wait_for_each_other_and_calls_do_not),
    T(what_is_not_taken_is_tried_again_and_nothing_overtakes_it),
    T(an_answer_may_ask_for_more_patience),
    T(what_is_too_old_is_given_up_and_the_next_one_goes),
    T(what_was_under_way_at_the_end_comes_again_with_the_same_id),
    T(so_many_are_under_way_at_a_time_and_all_have_their_turn),
    T(a_call_is_told_from_start_to_end_once_each),
    T(a_call_that_nobody_takes_is_missed_or_rejected),
    T(what_was_told_before_a_restart_is_not_told_again),
    T(a_large_call_is_told_of_everybody),
};

TEST_MAIN(tests)
