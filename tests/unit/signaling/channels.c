/* What a channel may be called. */
#include "signaling/channels.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/test.h"

static void names_are_trimmed_and_their_blanks_are_single(void) {
    static const struct {
        const char *given, *name;
    } rows[] = {
        {"team", "team"},
        {"  team  ", "team"},
        {"team \xc2\xa0\xe3\x80\x80 blue", "team blue"},
        {"\xe3\x80\x80\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
        {"#general", "#general"},
        {"\xc3\xa9", "\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[SIG_CHANNEL_NAME_SIZE];
        CHECK_INT(sig_channel_name_read(rows[i].given, strlen(rows[i].given), name), 0);
        CHECK_STR(name, rows[i].name);
    }
}

static void what_cannot_be_read_as_a_name_is_refused(void) {
    static const char *const rows[] = {
        "",         "   ",      "\xc2\xa0", "a\nb",         "a\x1b[2J", "a\xe2\x80\xaeg",
        "\xff\xfe", "\xe3\x80", "\xc3",     "\xe2\x80\x8b",
    };
    char name[SIG_CHANNEL_NAME_SIZE] = "untouched";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_INT(sig_channel_name_read(rows[i], strlen(rows[i]), name), -EBADMSG);
    CHECK_INT(sig_channel_name_read("a\0b", 3, name), -EBADMSG);
    CHECK_STR(name, "untouched");
}

static void a_name_has_at_most_64_characters_of_any_size(void) {
    char text[1200] = "";
    char name[SIG_CHANNEL_NAME_SIZE];
    for (int i = 0; i < SIG_CHANNEL_NAME_CHARS_MAX; i++)
        strcat(text, "\xf0\x9f\x98\x80");
    CHECK_INT(sig_channel_name_read(text, strlen(text), name), 0);
    CHECK_INT(strlen(name), 4 * SIG_CHANNEL_NAME_CHARS_MAX);
    strcat(text, "x");
    CHECK_INT(sig_channel_name_read(text, strlen(text), name), -EBADMSG);
    memset(text, 'x', 1100);
    text[1100] = '\0';
    CHECK_INT(sig_channel_name_read(text, 1100, name), -EBADMSG);
    CHECK_INT(sig_channel_name_read(text, 65, name), -EBADMSG);
    CHECK_INT(sig_channel_name_read(text, 64, name), 0);
}

static const struct test tests[] = {
#define T(name)                                                                                    \
    { #name, name }
    T(names_are_trimmed_and_their_blanks_are_single),
    T(what_cannot_be_read_as_a_name_is_refused),
    T(a_name_has_at_most_64_characters_of_any_size),
};

TEST_MAIN(tests)
