/* Who is online and who is told, in virtual time. */
#include "signaling/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000)

static uint64_t now_us;

static uint64_t clock_us(void) {
    return now_us;
}

static struct {
    struct sig_listeners listeners;
    struct sig_store *store;
    struct sig_presence *presence;
    struct sig_listener ears[SIG_PRESENCE_FEW + 1];
    size_t told[SIG_PRESENCE_FEW + 1]; /* Messages of each. */
    char last[200];
} world;

static void hear(void *data, struct sig_frame *frame, bool may_wait) {
    (void)may_wait;
    (*(size_t *)data)++;
    snprintf(world.last, sizeof(world.last), "%s", sig_frame_text(frame));
}

static void hear_end(void *data) {
    (void)data;
}

/* So many browsers of users "u0", "u1" and so on; none of them is counted as present. */
static void begin(size_t ears, bool is_told) {
    char error[200];
    memset(&world, 0, sizeof(world));
    now_us = 1000 * SECOND;
    CHECK_INT(sig_store_open(&world.store,
                             &(struct sig_store_options){.database = "sqlite::memory:"}, error,
                             sizeof(error)),
              0);
    world.presence =
        sig_presence_create(&(struct sig_presence_options){.listeners = &world.listeners,
                                                           .store = world.store,
                                                           .now_us = clock_us,
                                                           .is_told = is_told});
    for (size_t i = 0; i < ears; i++) {
        struct sig_listener *ear = &world.ears[i];
        snprintf(ear->user_id, sizeof(ear->user_id), "u%zu", i);
        ear->on_message = hear;
        ear->on_end = hear_end;
        ear->data = &world.told[i];
        sig_listeners_add(&world.listeners, ear);
    }
}

static void end(void) {
    sig_listeners_close(&world.listeners);
    sig_presence_destroy(world.presence);
    sig_store_destroy(world.store);
}

static void wait_us(uint64_t us) {
    uint64_t until_us = now_us + us;
    uint64_t due_us;
    while ((due_us = sig_presence_next_deadline(world.presence)) <= until_us) {
        now_us = due_us > now_us ? due_us : now_us;
        sig_presence_on_deadline(world.presence, now_us);
    }
    now_us = until_us;
}

static void who_comes_is_told_at_once_and_who_goes_after_the_grace(void) {
    begin(1, true);
    sig_presence_come(world.presence, "ada");
    CHECK(sig_presence_is_online(world.presence, "ada"));
    wait_us(0);
    CHECK_STR(world.last, "{\"type\":\"presence\",\"user_id\":\"ada\",\"online\":true}");
    sig_presence_go(world.presence, "ada");
    wait_us(SIG_PRESENCE_GRACE_US - 1);
    CHECK(sig_presence_is_online(world.presence, "ada"));
    CHECK_INT(world.told[0], 1);
    wait_us(1);
    CHECK(!sig_presence_is_online(world.presence, "ada"));
    CHECK_STR(world.last, "{\"type\":\"presence\",\"user_id\":\"ada\",\"online\":false}");
    CHECK_INT(sig_presence_count(world.presence), 0);
    CHECK(sig_presence_next_deadline(world.presence) == UINT64_MAX);
    end();
}

static void a_change_of_pages_is_not_noticed(void) {
    begin(1, true);
    sig_presence_come(world.presence, "ada");
    wait_us(SECOND);
    for (int i = 0; i < 10; i++) {
        sig_presence_go(world.presence, "ada");
        wait_us(SIG_PRESENCE_GRACE_US / 2);
        sig_presence_come(world.presence, "ada");
        wait_us(SECOND);
    }
    CHECK_INT(world.told[0], 1);
    end();
}

static void somebody_with_two_connections_goes_with_the_last(void) {
    begin(1, true);
    sig_presence_come(world.presence, "ada");
    sig_presence_come(world.presence, "ada");
    sig_presence_go(world.presence, "ada");
    wait_us(60 * SECOND);
    CHECK(sig_presence_is_online(world.presence, "ada"));
    sig_presence_go(world.presence, "ada");
    sig_presence_go(world.presence, "ada");
    wait_us(60 * SECOND);
    CHECK(!sig_presence_is_online(world.presence, "ada"));
    CHECK_INT(world.told[0], 2);
    end();
}

static void several_leave_each_in_their_time(void) {
    begin(1, true);
    const char *const names[] = {"ada", "bob", "carl"};
    for (size_t i = 0; i < 3; i++)
        sig_presence_come(world.presence, names[i]);
    wait_us(SECOND);
    for (size_t i = 0; i < 3; i++) {
        sig_presence_go(world.presence, names[i]);
        wait_us(SECOND);
    }
    sig_presence_come(world.presence, "bob"); /* Out of the middle. */
    wait_us(SIG_PRESENCE_GRACE_US - 2 * SECOND);
    CHECK(!sig_presence_is_online(world.presence, "ada"));
    CHECK(sig_presence_is_online(world.presence, "carl"));
    wait_us(2 * SECOND);
    CHECK(!sig_presence_is_online(world.presence, "carl"));
    CHECK(sig_presence_is_online(world.presence, "bob"));
    CHECK_INT(sig_presence_count(world.presence), 1);
    end();
}

static void where_it_is_the_hosts_business_nobody_is_told(void) {
    begin(1, false);
    sig_presence_come(world.presence, "ada");
    wait_us(SECOND);
    sig_presence_go(world.presence, "ada");
    wait_us(60 * SECOND);
    CHECK_INT(world.told[0], 0);
    end();
}

static void among_many_only_those_who_share_a_channel_are_told(void) {
    begin(SIG_PRESENCE_FEW + 1, true);
    sig_store_create_channel(world.store, "c1", "one", "ada", NULL, NULL);
    sig_store_join_channel(world.store, "c1", "u3", NULL, NULL);
    sig_store_create_channel(world.store, "c2", "two", "u4", NULL, NULL);
    sig_presence_come(world.presence, "ada");
    wait_us(SECOND);
    CHECK_INT(world.told[3], 1);
    for (size_t i = 0; i <= SIG_PRESENCE_FEW; i++)
        CHECK(i == 3 || world.told[i] == 0);
    end();
}

static void a_crowd_is_told_bit_by_bit_and_completely(void) {
    begin(SIG_PRESENCE_FEW, true);
    char name[20];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "crowd%d", i);
        sig_presence_come(world.presence, name);
    }
    wait_us(0);
    size_t at_once = 0, all = 0;
    for (size_t i = 0; i < SIG_PRESENCE_FEW; i++)
        at_once += world.told[i];
    CHECK(at_once >= SIG_PRESENCE_MESSAGES);
    CHECK(at_once <= SIG_PRESENCE_MESSAGES + SIG_PRESENCE_FEW);
    wait_us(SECOND * 2);
    for (size_t i = 0; i < SIG_PRESENCE_FEW; i++)
        all += world.told[i];
    CHECK_INT(all, 100 * SIG_PRESENCE_FEW);
    end();
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(who_comes_is_told_at_once_and_who_goes_after_the_grace),
    T(a_change_of_pages_is_not_noticed),
    T(somebody_with_two_connections_goes_with_the_last),
    T(several_leave_each_in_their_time),
    T(where_it_is_the_hosts_business_nobody_is_told),
    T(among_many_only_those_who_share_a_channel_are_told),
    T(a_crowd_is_told_bit_by_bit_and_completely),
};

TEST_MAIN(tests)
