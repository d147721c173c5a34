/* Plans: scenarios by name and by file, flags over both, and what is wrong with one, in words. */
#include "bench/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

static struct bench_plan plan;
static char why[BENCH_PLAN_WHY_MAX];

static int parse(const char *line) {
    char copy[512], *words[32], *rest = NULL;
    int count = 0;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word && count < 32;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    return bench_plan_parse(&plan, count, words, why);
}

static int read_file(const char *text) {
    char path[] = "/tmp/weir-plan-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    int result = bench_plan_read(&plan, path, why);
    unlink(path);
    return result;
}

static void every_scenario_is_a_plan(void) {
    const char *name, *help;
    size_t count = 0;
    for (; bench_plan_scenario(count, &name, &help); count++) {
        CHECK_INT(parse(name), 0);
        CHECK_STR(plan.scenario, name);
        CHECK(plan.publishers + plan.participants > 0);
    }
    CHECK_INT(count, 7);
}

static void flags_change_a_scenario(void) {
    CHECK_INT(parse("audio-room --subscribers 20 --video --no-dtx --codec=vp9 --loss 1.5"), 0);
    CHECK_INT(plan.subscribers, 20);
    CHECK_INT(plan.publishers, 100);
    CHECK(plan.video && !plan.dtx);
    CHECK_STR(plan.codec, "vp9");
    CHECK(plan.loss == 1.5);
}

static void wrong_flags_are_named(void) {
    static const char *const cases[][2] = {
        {"no-such", "no-such"},
        {"--subscribers 3", "scenario has to come first"},
        {"broadcast --subscribers many", "subscribers has to be a number"},
        {"broadcast --subscribers", "subscribers has to be a number"},
        {"broadcast --subscribers -1", "subscribers has to be a number"},
        {"broadcast --rooms 0", "rooms has to be a number"},
        {"broadcast --codec mp3", "vp8 vp9 h264 av1"},
        {"broadcast --codec vp", "codec cannot be"},
        {"broadcast --video=maybe", "video is on or off"},
        {"broadcast --colour red", "no option colour"},
        {"broadcast --no-url", "no option no-url"},
        {"broadcast stray", "stray"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_INT(parse(cases[i][0]), -EINVAL);
        if (strstr(why, cases[i][1]) == NULL)
            test_fail(__FILE__, __LINE__, "%s: %s", cases[i][0], why);
    }
}

static void a_file_names_a_scenario_and_changes_it(void) {
    CHECK_INT(read_file("# ours\nscenario = meeting\n[crowd]\nparticipants = 30\nvideo = off\n"),
              0);
    CHECK_STR(plan.scenario, "meeting");
    CHECK_INT(plan.participants, 30);
    CHECK_INT(plan.layers, 3);
    CHECK(!plan.video);
}

static void what_is_wrong_in_a_file_is_said_with_its_line(void) {
    CHECK_INT(read_file("scenario = meeting\n\nspeakers = loud\n"), -EINVAL);
    CHECK(strstr(why, "line 3: speakers has to be a number") != NULL);
    CHECK_INT(read_file("participants = 3\n"), -EINVAL);
    CHECK(strstr(why, "line 1: scenario = NAME has to come first") != NULL);
    CHECK_INT(read_file("scenario = none\n"), -EINVAL);
    CHECK(strstr(why, "there is no scenario none") != NULL);
    CHECK_INT(read_file(""), -EINVAL);
    CHECK_INT(parse("/no/such/file.ini"), -EINVAL);
}

static const struct test tests[] = {
    {"every_scenario_is_a_plan", every_scenario_is_a_plan},
    {"flags_change_a_scenario", flags_change_a_scenario},
    {"wrong_flags_are_named", wrong_flags_are_named},
    {"a_file_names_a_scenario_and_changes_it", a_file_names_a_scenario_and_changes_it},
    {"what_is_wrong_in_a_file_is_said_with_its_line",
     what_is_wrong_in_a_file_is_said_with_its_line},
};

TEST_MAIN(tests)
