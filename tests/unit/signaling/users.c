/* Users and sign-ins that are kept: over a restart, and until they cannot come back. */
#include <stdlib.h>

#include "signaling/auth.h"
#include "tests/unit/signaling/site.h"

static uint64_t clock_s;

static uint64_t now_s(void) {
    return clock_s;
}

static uint64_t now_ms(void) {
    return clock_s * 1000;
}

static struct {
    struct sig_store *store;
    struct sig_auth *auth;
    struct site *site;
    char header[400]; /* The cookies of who signed in last. */
    char csrf[64];
} world;

static struct sig_throttle *throttle;

static void start(void) {
    world.auth = sig_auth_create(&(struct sig_auth_options){.demo = true,
                                                            .session_lifetime_s = 1000,
                                                            .now_s = now_s,
                                                            .store = world.store,
                                                            .throttle = throttle});
    sig_auth_restore(world.auth);
    world.site = site_open(NULL);
    CHECK_INT(sig_auth_add_routes(world.auth, world.site->http), 0);
}

static void stop(void) {
    site_close(world.site);
    sig_auth_destroy(world.auth);
}

static void begin(void) {
    char error[200];
    clock_s = 1790000000;
    CHECK_INT(
        sig_store_open(&world.store,
                       &(struct sig_store_options){.database = "sqlite::memory:", .now_ms = now_ms},
                       error, sizeof(error)),
        0);
    start();
}

static void end(void) {
    stop();
    sig_store_destroy(world.store);
}

static int ask(const char *method_path, const char *headers, const char *body) {
    char request[2000];
    snprintf(request, sizeof(request),
             "%s HTTP/1.1\r\nHost: call.example.org\r\nContent-Type: application/json\r\n"
             "%sContent-Length: %zu\r\n\r\n%s",
             method_path, headers, strlen(body), body);
    return site_ask(world.site, request);
}

static void read_cookie(const char *name, char out[64]) {
    char start_text[32];
    snprintf(start_text, sizeof(start_text), "%s=", name);
    const char *at = strstr(world.site->text, start_text);
    CHECK(at != NULL);
    at += strlen(start_text);
    snprintf(out, 64, "%.*s", (int)strcspn(at, ";"), at);
}

static void sign_in(const char *name) {
    char body[100], id[64];
    snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
    CHECK_INT(ask("POST /session/", "", body), 200);
    read_cookie("sessionid", id);
    read_cookie("csrftoken", world.csrf);
    snprintf(world.header, sizeof(world.header),
             "Cookie: sessionid=%s; csrftoken=%s\r\nX-CSRFToken: %s\r\n", id, world.csrf,
             world.csrf);
}

static char found[1000]; /* "name name " */

static void take_users(void *data, int status, const struct sig_store_user *users, size_t count,
                       size_t total) {
    (void)data, (void)total;
    CHECK_INT(status, 0);
    found[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(found, users[i].name ? users[i].name : users[i].user_id);
        strcat(found, " ");
    }
}

static const char *list_users(void) {
    sig_store_list_users(world.store, NULL, 0, 100, take_users, NULL);
    return found;
}

static void take_sign_ins(void *data, int status, const struct sig_store_sign_in *sign_ins,
                          size_t count) {
    CHECK_INT(status, 0);
    *(size_t *)data = count;
    for (size_t i = 0; i < count; i++)
        CHECK(!strstr(world.header, sign_ins[i].id) && !strstr(world.header, sign_ins[i].csrf));
}

static size_t count_sign_ins(void) {
    size_t count = 0;
    sig_store_load_sign_ins(world.store, 0, 100, take_sign_ins, &count);
    return count;
}

static void whoever_signed_in_is_still_so_after_a_restart(void) {
    begin();
    sign_in("Ada");
    stop();
    start();
    CHECK_INT(ask("GET /session", world.header, ""), 200);
    CHECK(strstr(site_body(world.site), "\"Ada\"") != NULL);
    CHECK_INT(ask("DELETE /session", world.header, ""), 200);
    stop();
    start();
    CHECK_INT(ask("GET /session", world.header, ""), 401);
    end();
}

static void what_is_kept_is_no_cookie(void) {
    begin();
    sign_in("Ada");
    CHECK_INT(count_sign_ins(), 1);
    end();
}

static void a_use_counts_after_a_restart_and_the_end_of_a_lifetime_too(void) {
    begin();
    sign_in("Ada");
    clock_s += 900;
    CHECK_INT(ask("GET /session", world.header, ""), 200);
    stop();
    clock_s += 900;
    start();
    CHECK_INT(ask("GET /session", world.header, ""), 200);
    stop();
    clock_s += 1001;
    start();
    CHECK_INT(ask("GET /session", world.header, ""), 401);
    end();
}

static void the_token_against_forgery_is_checked_after_a_restart(void) {
    begin();
    sign_in("Ada");
    stop();
    start();
    char wrong[400];
    snprintf(wrong, sizeof(wrong), "%.*sX-CSRFToken: x\r\n",
             (int)(strstr(world.header, "X-CSRF") - world.header), world.header);
    CHECK_INT(ask("DELETE /session", wrong, ""), 403);
    CHECK_INT(ask("DELETE /session", world.header, ""), 200);
    end();
}

static void signing_in_lists_and_whoever_cannot_come_back_is_forgotten(void) {
    begin();
    sign_in("Ada");
    sign_in("Bob");
    CHECK_STR(list_users(), "Ada Bob ");
    CHECK_INT(ask("DELETE /session", world.header, ""), 200);
    clock_s += 100;
    sig_store_forget_users(world.store, now_ms(), NULL, NULL);
    CHECK_STR(list_users(), "Ada ");
    end();
}

static size_t channels;

static void take_channels(void *data, int status, const struct sig_store_channel *list,
                          size_t count) {
    CHECK_INT(status, 0);
    channels = count;
    *(size_t *)data = count ? list[0].member_count : 0;
}

static void members_go_with_their_users_and_empty_channels_after_a_day(void) {
    size_t members = 0;
    begin();
    sig_store_save_user(world.store, "gone", "Gone", NULL, NULL);
    sig_store_create_channel(world.store, "c1", "one", "gone", NULL, NULL);
    clock_s += 100;
    sig_store_forget_users(world.store, now_ms(), NULL, NULL);
    sig_store_list_channels(world.store, NULL, take_channels, &members);
    CHECK_INT(channels, 1);
    CHECK_INT(members, 0);
    clock_s += 86400;
    sig_store_forget_users(world.store, now_ms(), NULL, NULL);
    sig_store_list_channels(world.store, NULL, take_channels, &members);
    CHECK_INT(channels, 0);
    end();
}

static void take_memberships(void *data, int status, const struct sig_store_membership *memberships,
                             size_t count) {
    (void)data;
    CHECK_INT(status, 0);
    found[0] = '\0';
    for (size_t i = 0; i < count; i++)
        sprintf(found + strlen(found), "%s/%s ", memberships[i].channel_id, memberships[i].user_id);
}

static void neighbours_are_those_who_share_a_channel_each_once(void) {
    begin();
    sig_store_create_channel(world.store, "c1", "one", "ada", NULL, NULL);
    sig_store_create_channel(world.store, "c2", "two", "bob", NULL, NULL);
    sig_store_create_channel(world.store, "c3", "three", "eve", NULL, NULL);
    sig_store_join_channel(world.store, "c1", "bob", NULL, NULL);
    sig_store_join_channel(world.store, "c2", "ada", NULL, NULL);
    sig_store_list_neighbours(world.store, "ada", 10, take_users, NULL);
    CHECK_STR(found, "bob ");
    sig_store_list_memberships(world.store, 3, take_memberships, NULL);
    CHECK_STR(found, "c1/ada c1/bob c2/ada ");
    end();
}

static void too_many_sign_ins_of_an_address_are_told_when_to_come_again(void) {
    throttle = sig_throttle_create(
        &(struct sig_throttle_options){.per_minute = {[SIG_THROTTLE_SIGN_INS] = 2}});
    begin();
    sign_in("Ada");
    sign_in("Bob");
    CHECK_INT(ask("POST /session/", "", "{\"name\":\"Carl\"}"), 429);
    int seconds = atoi(site_header(world.site, "Retry-After"));
    CHECK(seconds >= 25 && seconds <= 31);
    CHECK_INT(ask("POST /session/", "", "{\"name\":\"\"}"), 400);
    CHECK_INT(count_sign_ins(), 2);
    end();
    sig_throttle_destroy(throttle);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(whoever_signed_in_is_still_so_after_a_restart),
    T(what_is_kept_is_no_cookie),
    T(a_use_counts_after_a_restart_and_the_end_of_a_lifetime_too),
    T(the_token_against_forgery_is_checked_after_a_restart),
    T(signing_in_lists_and_whoever_cannot_come_back_is_forgotten),
    T(members_go_with_their_users_and_empty_channels_after_a_day),
    T(neighbours_are_those_who_share_a_channel_each_once),
    T(too_many_sign_ins_of_an_address_are_told_when_to_come_again),
};

TEST_MAIN(tests)
