/* Limits per minute, in virtual time. */
#include "signaling/throttle.h"

#include <stdio.h>

#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000)

static uint64_t now_us;

static uint64_t clock_us(void) {
    return now_us;
}

static struct sig_throttle *create(uint32_t sign_ins, uint32_t calls) {
    now_us = 1000 * SECOND;
    return sig_throttle_create(&(struct sig_throttle_options){
        .per_minute = {[SIG_THROTTLE_SIGN_INS] = sign_ins, [SIG_THROTTLE_CALLS] = calls},
        .now_us = clock_us});
}

static void a_minutes_worth_may_come_at_once_and_then_at_the_rate(void) {
    struct sig_throttle *throttle = create(0, 6);
    for (int i = 0; i < 6; i++)
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL), 0);
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL), 11);
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "bob", NULL), 0);
    now_us += 9 * SECOND;
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL), 2);
    now_us += 1 * SECOND;
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL), 0);
    CHECK(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL) > 0);
    now_us += 3600 * SECOND; /* Stillness saves up no more than a minute. */
    for (int i = 0; i < 6; i++)
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL), 0);
    CHECK(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", NULL) > 0);
    CHECK_INT(sig_throttle_refused(throttle, SIG_THROTTLE_CALLS), 4);
    sig_throttle_destroy(throttle);
}

static void an_address_has_ten_users_worth_and_sign_ins_are_its_own(void) {
    struct sig_throttle *throttle = create(3, 2);
    char user[16];
    for (int i = 0; i < 20; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, user, "192.0.2.1"), 0);
    }
    CHECK(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "u20", "192.0.2.1") > 0);
    /* What was refused for the address has not counted for the user. */
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "u20", "192.0.2.2"), 0);
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "u20", "192.0.2.2"), 0);
    for (int i = 0; i < 3; i++)
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, "192.0.2.1"), 0);
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, "192.0.2.1"), 21);
    sig_throttle_destroy(throttle);
}

static void an_ipv6_customer_is_one_and_ipv4_in_ipv6_is_itself(void) {
    struct sig_throttle *throttle = create(1, 0);
    const char *const rows[] = {"2001:db8::1", "2001:db8:0:1::1", "::ffff:192.0.2.1",
                                "::ffff:192.0.2.2"};
    for (int i = 0; i < 4; i++)
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, rows[i]), 0);
    CHECK(sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, "2001:db8::ffff:2") > 0);
    sig_throttle_destroy(throttle);
}

static void without_a_limit_or_a_throttle_all_is_allowed(void) {
    struct sig_throttle *throttle = create(0, 0);
    for (int i = 0; i < 10000; i++)
        CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_CALLS, "ada", "192.0.2.1"), 0);
    CHECK_INT(sig_throttle_take(NULL, SIG_THROTTLE_CALLS, "ada", NULL), 0);
    sig_throttle_destroy(throttle);
}

static void memory_is_bounded_and_comes_back(void) {
    struct sig_throttle *throttle = create(1, 1);
    char address[32];
    unsigned refused = 0;
    for (int i = 0; i < 70000; i++) {
        snprintf(address, sizeof(address), "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        refused += sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, address) > 0;
    }
    CHECK_INT(refused, 70000 - 65536);
    now_us += 61 * SECOND;
    CHECK_INT(sig_throttle_take(throttle, SIG_THROTTLE_SIGN_INS, NULL, "192.0.2.1"), 0);
    sig_throttle_destroy(throttle);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(a_minutes_worth_may_come_at_once_and_then_at_the_rate),
    T(an_address_has_ten_users_worth_and_sign_ins_are_its_own),
    T(an_ipv6_customer_is_one_and_ipv4_in_ipv6_is_itself),
    T(without_a_limit_or_a_throttle_all_is_allowed),
    T(memory_is_bounded_and_comes_back),
};

TEST_MAIN(tests)
