/* Text from outside: UTF-8, names, ids. */
#include "signaling/text.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void names_are_utf8_as_rfc_3629_says(void) {
    static const struct {
        const char *text;
        bool is_utf8;
    } rows[] = {
        {"plain", true},
        {"\xc2\xa1", true},
        {"\xdf\xbf", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xee\x80\x80", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},             /* Continues nothing. */
        {"\xc0\x80", false},         /* Overlong NUL. */
        {"\xc1\xbf", false},         /* Overlong. */
        {"\xe0\x9f\xbf", false},     /* Overlong. */
        {"\xf0\x8f\xbf\xbf", false}, /* Overlong. */
        {"\xed\xa0\x80", false},     /* A surrogate. */
        {"\xf4\x90\x80\x80", false}, /* Above U+10FFFF. */
        {"\xf8\x88\x80\x80\x80", false},
        {"\xe2\x82", false}, /* Cut. */
        {"a\xff", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_INT(sig_text_is_name(rows[i].text, strlen(rows[i].text), 64), rows[i].is_utf8);
}

static void names_have_characters_that_can_be_seen(void) {
    static const struct {
        const char *text;
        bool is_name;
    } rows[] = {
        {"Ann", true},
        {"Zoë van der Berg", true},
        {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", true}, /* A woman, joined to a computer. */
        {"", false},
        {" \xc2\xa0\xe3\x80\x80", false},
        {"a\nb", false},
        {"a\x7f", false},
        {"a\xc2\x85", false},
        {"a\xe2\x80\xae", false},
        {"12345678", true},
        {"123456789", false},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", true}, /* Eight. */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t max = strlen(rows[i].text) > 9 && rows[i].text[0] == 'Z' ? 64 : 8;
        CHECK_INT(sig_text_is_name(rows[i].text, strlen(rows[i].text), max), rows[i].is_name);
    }
    CHECK(!sig_text_is_name("a\0b", 3, 8));
}

static void user_ids_are_words(void) {
    char long_id[130];
    memset(long_id, 'x', 129);
    long_id[129] = '\0';
    CHECK(sig_text_is_user_id("42"));
    CHECK(sig_text_is_user_id("auth0|5f7c"));
    CHECK(!sig_text_is_user_id(""));
    CHECK(!sig_text_is_user_id("a b"));
    CHECK(!sig_text_is_user_id(long_id));
    CHECK(sig_text_is_user_id(long_id + 1));
}

static void uuids_are_version_4(void) {
    CHECK(sig_text_is_uuid("0b6cbc2a-8a1f-4c3d-9e5f-112233445566"));
    CHECK(sig_text_is_uuid("0B6CBC2A-8A1F-4C3D-BE5F-112233445566"));
    CHECK(!sig_text_is_uuid("0b6cbc2a-8a1f-1c3d-9e5f-112233445566"));
    CHECK(!sig_text_is_uuid("0b6cbc2a-8a1f-4c3d-7e5f-112233445566"));
    CHECK(!sig_text_is_uuid("0b6cbc2a08a1f-4c3d-9e5f-112233445566"));
    CHECK(!sig_text_is_uuid("0b6cbc2a-8a1f-4c3d-9e5f-11223344556"));
    CHECK(!sig_text_is_uuid("0b6cbc2a-8a1f-4c3d-9e5f-1122334455667"));
    CHECK(!sig_text_is_uuid("0b6cbc2a-8a1f-4c3d-9e5f-11223344556g"));
    CHECK(!sig_text_is_uuid(""));
    char first[SIG_UUID_SIZE], second[SIG_UUID_SIZE];
    for (int i = 0; i < 1000; i++) {
        sig_text_random_uuid(first);
        CHECK(sig_text_is_uuid(first));
    }
    sig_text_random_uuid(second);
    CHECK(strcmp(first, second) != 0);
}

static void secrets_are_equal_or_not(void) {
    CHECK(sig_text_is_secret("abc", "abc"));
    CHECK(!sig_text_is_secret("abd", "abc"));
    CHECK(!sig_text_is_secret("ab", "abc"));
    CHECK(!sig_text_is_secret("abcd", "abc"));
    CHECK(!sig_text_is_secret(NULL, "abc"));
    CHECK(!sig_text_is_secret("abc", NULL));
}

static void distances_count_slips_of_the_finger(void) {
    CHECK_INT(sig_text_distance("workers", "workers"), 0);
    CHECK_INT(sig_text_distance("worker", "workers"), 1);
    CHECK_INT(sig_text_distance("wrokers", "workers"), 1);
    CHECK_INT(sig_text_distance("kitten", "sitting"), 3);
    CHECK_INT(sig_text_distance("", "abc"), 3);
    char long_word[65];
    memset(long_word, 'x', 64);
    long_word[64] = '\0';
    CHECK(sig_text_distance(long_word, "x") == SIZE_MAX);
    CHECK_INT(sig_text_distance(long_word + 1, "x"), 62);
}

static const struct test tests[] = {
    {"names_are_utf8_as_rfc_3629_says", names_are_utf8_as_rfc_3629_says},
    {"names_have_characters_that_can_be_seen", names_have_characters_that_can_be_seen},
    {"user_ids_are_words", user_ids_are_words},
    {"uuids_are_version_4", uuids_are_version_4},
    {"secrets_are_equal_or_not", secrets_are_equal_or_not},
    {"distances_count_slips_of_the_finger", distances_count_slips_of_the_finger},
};

TEST_MAIN(tests)
