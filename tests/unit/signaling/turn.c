#include "signaling/turn.h"

#include <string.h>

#include "tests/unit/test.h"

static const char *text_of(const json_t *servers, size_t at, const char *name) {
    return json_string_value(json_object_get(json_array_get(servers, at), name));
}

static void without_servers_the_list_is_empty(void) {
    struct sig_config config = {0};
    json_t *servers = sig_turn_servers(&config, "ada", 1);
    CHECK_INT(json_array_size(servers), 0);
    json_decref(servers);
}

/* printf 1700021600:ada | openssl dgst -sha1 -hmac north -binary | base64 */
static void turn_passwords_are_the_hmac_of_expiry_and_user(void) {
    struct sig_config config = {.stun = (char *)"stun.example.org:3478",
                                .turn_url = (char *)"turn:turn.example.org:3478",
                                .turn_secret = (char *)"north"};
    json_t *servers = sig_turn_servers(&config, "ada", 1700000000);
    CHECK_STR(
        json_string_value(json_array_get(json_object_get(json_array_get(servers, 1), "urls"), 0)),
        "turn:turn.example.org:3478");
    CHECK_STR(text_of(servers, 1, "username"), "1700021600:ada");
    CHECK_STR(text_of(servers, 1, "credential"), "y+wvDZnNpKJLVsMkdAIu8eEx8zA=");
    json_decref(servers);
}

static const struct test tests[] = {
    {"without_servers_the_list_is_empty", without_servers_the_list_is_empty},
    {"turn_passwords_are_the_hmac_of_expiry_and_user",
     turn_passwords_are_the_hmac_of_expiry_and_user},
};

TEST_MAIN(tests)
