/* What a line of the log looks like, and what never gets into one. */
#include "signaling/log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

static uint64_t clock_us = 1795428000123456; /* 2026-11-23T10:00:00.123Z. */

static uint64_t now_us(void) {
    return clock_us;
}

static char *text;
static size_t text_len;

static FILE *begin(enum sig_log_level level, enum sig_log_format format) {
    FILE *to = open_memstream(&text, &text_len);
    sig_log_set_clock(now_us);
    sig_log_init(level, format, to);
    return to;
}

static void finish(FILE *to) {
    sig_log_init(SIG_LOG_INFO, SIG_LOG_HUMAN, NULL);
    fclose(to);
    free(text);
}

static void a_human_line_has_time_level_ids_and_words(void) {
    FILE *to = begin(SIG_LOG_INFO, SIG_LOG_HUMAN);
    struct sig_log_scope scope = {.call = "c1", .user = "u1"};
    sig_log(SIG_LOG_INFO, &scope, "joined with %d tracks", 2);
    sig_log(SIG_LOG_ERROR, NULL, "no port");
    CHECK_STR(text, "2026-11-23T10:00:00.123Z info  call=c1 user=u1 joined with 2 tracks\n"
                    "2026-11-23T10:00:00.123Z error no port\n");
    finish(to);
}

static void a_json_line_is_an_object(void) {
    FILE *to = begin(SIG_LOG_DEBUG, SIG_LOG_JSON);
    struct sig_log_scope scope = {.user = "u\"1"};
    sig_log(SIG_LOG_WARN, &scope, "said \"hi\" \\ and\nleft\xff \xc3\xbc");
    CHECK_INT(text[text_len - 1], '\n');
    CHECK(strchr(text, '\n') == text + text_len - 1);
    json_t *line = json_loads(text, 0, NULL);
    CHECK(line != NULL);
    CHECK_STR(json_string_value(json_object_get(line, "time")), "2026-11-23T10:00:00.123Z");
    CHECK_STR(json_string_value(json_object_get(line, "level")), "warn");
    CHECK_STR(json_string_value(json_object_get(line, "user")), "u\"1");
    CHECK(json_object_get(line, "call") == NULL);
    CHECK_STR(json_string_value(json_object_get(line, "message")),
              "said \"hi\" \\ and\nleft\xc3\xbf \xc3\xbc");
    json_decref(line);
    finish(to);
}

static void nothing_from_outside_starts_a_line_or_a_field(void) {
    FILE *to = begin(SIG_LOG_INFO, SIG_LOG_HUMAN);
    struct sig_log_scope scope = {.call = "c1 user=admin\n2026", .user = "\x1b[31mred"};
    sig_log(SIG_LOG_INFO, &scope, "name \r\n%s \xe2\x80\xae \xe2\x82", "a\tb");
    CHECK_STR(text, "2026-11-23T10:00:00.123Z info  call=c1\\u0020user=admin\\u000a2026 "
                    "user=\\u001b[31mred name \\u000d\\u000aa\\u0009b \\u00e2\\u0080\\u00ae "
                    "\\u00e2\\u0082\n");
    finish(to);
}

static void quieter_levels_are_left_out(void) {
    FILE *to = begin(SIG_LOG_WARN, SIG_LOG_HUMAN);
    sig_log(SIG_LOG_INFO, NULL, "info");
    sig_log_throttled(SIG_LOG_DEBUG, NULL, "key", "debug");
    fflush(to);
    CHECK_INT(text_len, 0);
    finish(to);
}

static void long_texts_are_cut_and_stay_one_line(void) {
    static char huge[100000];
    memset(huge, '\n', sizeof(huge) - 1);
    FILE *to = begin(SIG_LOG_INFO, SIG_LOG_JSON);
    sig_log(SIG_LOG_INFO, NULL, "%s", huge);
    json_t *line = json_loads(text, 0, NULL);
    CHECK(line != NULL);
    json_decref(line);
    finish(to);
}

static void repeated_faults_are_told_once_a_minute_with_their_number(void) {
    FILE *to = begin(SIG_LOG_INFO, SIG_LOG_HUMAN);
    for (int i = 0; i < 5; i++)
        sig_log_throttled(SIG_LOG_WARN, NULL, "a", "fault %d", i);
    sig_log_throttled(SIG_LOG_WARN, NULL, "b", "other");
    clock_us += 60000000 - 1;
    sig_log_throttled(SIG_LOG_WARN, NULL, "a", "still");
    clock_us += 1;
    sig_log_throttled(SIG_LOG_WARN, NULL, "a", "again");
    CHECK_STR(text,
              "2026-11-23T10:00:00.123Z warn  fault 0\n"
              "2026-11-23T10:00:00.123Z warn  other\n"
              "2026-11-23T10:01:00.123Z warn  again (and 5 times since the last such line)\n");
    finish(to);
}

static void many_keys_forget_the_oldest(void) {
    FILE *to = begin(SIG_LOG_INFO, SIG_LOG_HUMAN);
    for (int i = 0; i < 1000; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key %d", i);
        clock_us++;
        sig_log_throttled(SIG_LOG_WARN, NULL, key, "line");
        sig_log_throttled(SIG_LOG_WARN, NULL, key, "line");
    }
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    CHECK_INT(lines, 1000);
    finish(to);
}

static const struct test tests[] = {
    {"a_human_line_has_time_level_ids_and_words", a_human_line_has_time_level_ids_and_words},
    {"a_json_line_is_an_object", a_json_line_is_an_object},
    {"nothing_from_outside_starts_a_line_or_a_field",
     nothing_from_outside_starts_a_line_or_a_field},
    {"quieter_levels_are_left_out", quieter_levels_are_left_out},
    {"long_texts_are_cut_and_stay_one_line", long_texts_are_cut_and_stay_one_line},
    {"repeated_faults_are_told_once_a_minute_with_their_number",
     repeated_faults_are_told_once_a_minute_with_their_number},
    {"many_keys_forget_the_oldest", many_keys_forget_the_oldest},
};

TEST_MAIN(tests)
