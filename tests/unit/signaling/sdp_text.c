/* Stretches of text. */
#include "signaling/sdp_text.h"

#include <string.h>

#include "tests/unit/test.h"

static struct sig_sdp_text text(const char *string) {
    return (struct sig_sdp_text){string, strlen(string)};
}

static void check_text(struct sig_sdp_text got, const char *want) {
    CHECK_BYTES(got.at, got.len, want, strlen(want));
}

static void words_are_cut_at_any_number_of_blanks(void) {
    struct sig_sdp_text rest = text("  audio 9   UDP ");
    check_text(sig_sdp_text_word(&rest), "audio");
    check_text(sig_sdp_text_word(&rest), "9");
    check_text(sig_sdp_text_word(&rest), "UDP");
    CHECK_INT(sig_sdp_text_word(&rest).len, 0);
    CHECK_INT(rest.len, 0);
}

static void lines_end_in_either_way(void) {
    struct sig_sdp_text rest = text("v=0\r\n\ns=-\nt=0 0");
    check_text(sig_sdp_text_cut_line(&rest), "v=0");
    CHECK_INT(sig_sdp_text_cut_line(&rest).len, 0);
    check_text(sig_sdp_text_cut_line(&rest), "s=-");
    check_text(sig_sdp_text_cut_line(&rest), "t=0 0");
    CHECK_INT(rest.len, 0);
}

static void numbers_are_digits_within_their_bound(void) {
    uint32_t number = 7;
    CHECK(!sig_sdp_text_number(text(""), 100, &number));
    CHECK(!sig_sdp_text_number(text("-1"), 100, &number));
    CHECK(!sig_sdp_text_number(text("1x"), 100, &number));
    CHECK(!sig_sdp_text_number(text("101"), 100, &number));
    CHECK(!sig_sdp_text_number(text("4294967296"), UINT32_MAX, &number));
    CHECK(!sig_sdp_text_number(text("18446744073709551617"), UINT32_MAX, &number));
    CHECK_INT(number, 7);
    CHECK(sig_sdp_text_number(text("4294967295"), UINT32_MAX, &number));
    CHECK_INT(number, 4294967295);
}

static void hexadecimal_numbers_have_their_digits(void) {
    uint32_t number = 7;
    CHECK(!sig_sdp_text_hex(text("42e01"), 6, &number));
    CHECK(!sig_sdp_text_hex(text("42e01g"), 6, &number));
    CHECK_INT(number, 7);
    CHECK(sig_sdp_text_hex(text("42E01f"), 6, &number));
    CHECK_INT(number, 0x42e01f);
}

static void nothing_is_read_behind_the_end(void) {
    struct sig_sdp_text rest = {"abc;def", 3};
    check_text(sig_sdp_text_cut(&rest, ';'), "abc");
    CHECK(!sig_sdp_text_is((struct sig_sdp_text){"abcd", 3}, "abcd"));
    CHECK(sig_sdp_text_is((struct sig_sdp_text){NULL, 0}, ""));
    CHECK(!sig_sdp_text_is_token((struct sig_sdp_text){NULL, 0}));
    CHECK(!sig_sdp_text_is_token((struct sig_sdp_text){"a\0b", 3}));
}

static void a_copy_fits_with_its_nul_or_is_not_made(void) {
    char out[4] = "xyz";
    CHECK(!sig_sdp_text_copy(out, sizeof(out), text("abcd")));
    CHECK_STR(out, "xyz");
    CHECK(sig_sdp_text_copy(out, sizeof(out), text("abc")));
    CHECK_STR(out, "abc");
}

static const struct test tests[] = {
    {"words_are_cut_at_any_number_of_blanks", words_are_cut_at_any_number_of_blanks},
    {"lines_end_in_either_way", lines_end_in_either_way},
    {"numbers_are_digits_within_their_bound", numbers_are_digits_within_their_bound},
    {"hexadecimal_numbers_have_their_digits", hexadecimal_numbers_have_their_digits},
    {"nothing_is_read_behind_the_end", nothing_is_read_behind_the_end},
    {"a_copy_fits_with_its_nul_or_is_not_made", a_copy_fits_with_its_nul_or_is_not_made},
};

TEST_MAIN(tests)
