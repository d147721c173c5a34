/* The one door for JSON. */
#include "signaling/json.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static void check(const char *text, size_t len, bool is_right) {
    char error[100] = "";
    /* No NUL behind it, so that reading on is seen by the sanitizer. */
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    json_t *value = sig_json_parse(copy, len, error, sizeof(error));
    free(copy);
    if ((value != NULL) != is_right)
        test_fail(__FILE__, __LINE__, "%s: %s", text, error);
    CHECK(is_right || error[0] != '\0');
    json_decref(value);
}

static void objects_are_taken_and_nothing_else(void) {
    static const char *const right[] = {"{}", " {\"a\": [1, 2.5, null, true, \"\\u00fc\"]} ",
                                        "{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{{{{{\"}"};
    static const char *const wrong[] = {"",
                                        "[]",
                                        "1",
                                        "\"a\"",
                                        "null",
                                        "{",
                                        "{}}",
                                        "{} {}",
                                        "{'a':1}",
                                        "{\"a\":1,}",
                                        "{\"a\":01}",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":{\"b\":1,\"b\":1}}",
                                        "{\"a\\u0000\":1}",
                                        "{\"a\":\"\xc0\x80\"}",
                                        "{\"a\":\"\\ud800\"}",
                                        "{\"a\":NaN}",
                                        "{\"a\":1e999}",
                                        "{\"a\":99999999999999999999}"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        check(right[i], strlen(right[i]), true);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        check(wrong[i], strlen(wrong[i]), false);
    check("{}\0", 3, false);
}

static void depth_is_limited(void) {
    char text[100] = "{\"a\":";
    size_t len = strlen(text);
    memset(text + len, '[', 15);
    memset(text + len + 15, ']', 15);
    text[len + 30] = '}';
    check(text, len + 31, true);
    memset(text + len, '[', 16);
    memset(text + len + 16, ']', 16);
    text[len + 32] = '}';
    check(text, len + 33, false);
}

static void text_members_are_texts(void) {
    json_t *object = json_pack("{s:s, s:i}", "a", "x", "b", 1);
    CHECK_STR(sig_json_text(object, "a"), "x");
    CHECK(sig_json_text(object, "b") == NULL);
    CHECK(sig_json_text(object, "c") == NULL);
    CHECK(sig_json_text(NULL, "a") == NULL);
    json_decref(object);
}

static const struct test tests[] = {
    {"objects_are_taken_and_nothing_else", objects_are_taken_and_nothing_else},
    {"depth_is_limited", depth_is_limited},
    {"text_members_are_texts", text_members_are_texts},
};

TEST_MAIN(tests)
