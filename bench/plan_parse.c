/* Plans from files and command lines. */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan.h"

struct reading {
    struct bench_plan *plan;
    char *why;
    bool has_scenario;
};

static int on_line(void *ctx, const char *section, const char *name, const char *value) {
    struct reading *reading = ctx;
    (void)section;
    if (strcmp(name, "scenario") == 0) {
        reading->has_scenario = bench_plan_init(reading->plan, value) == 0;
        if (!reading->has_scenario)
            snprintf(reading->why, BENCH_PLAN_WHY_MAX, "there is no scenario %.80s", value);
        return reading->has_scenario;
    }
    if (!reading->has_scenario) {
        snprintf(reading->why, BENCH_PLAN_WHY_MAX, "scenario = NAME has to come first");
        return 0;
    }
    return bench_plan_set(reading->plan, name, value, reading->why) == 0;
}

int bench_plan_read(struct bench_plan *plan, const char *path,
                    char why[static BENCH_PLAN_WHY_MAX]) {
    char reason[BENCH_PLAN_WHY_MAX] = "not understood";
    struct reading reading = {.plan = plan, .why = reason};
    int line = ini_parse(path, on_line, &reading);
    if (line == 0 && reading.has_scenario)
        return 0;
    if (line < 0) {
        snprintf(why, BENCH_PLAN_WHY_MAX, "%.120s cannot be read", path);
        return -ENOENT;
    }
    if (line == 0)
        snprintf(reason, sizeof(reason), "names no scenario");
    int len = snprintf(why, BENCH_PLAN_WHY_MAX, "%.100s, line %d: ", path, line);
    snprintf(why + len, BENCH_PLAN_WHY_MAX - (size_t)len, "%.*s", BENCH_PLAN_WHY_MAX - len - 1,
             reason);
    return -EINVAL;
}

static int begin(struct bench_plan *plan, const char *scenario,
                 char why[static BENCH_PLAN_WHY_MAX]) {
    if (strpbrk(scenario, "./") != NULL)
        return bench_plan_read(plan, scenario, why);
    int result = bench_plan_init(plan, scenario);
    if (result < 0)
        snprintf(why, BENCH_PLAN_WHY_MAX, "there is no scenario %.80s (see --help)", scenario);
    return result;
}

/* --name VALUE, --name=VALUE, --switch, --no-switch. Returns how many arguments it took. */
static int take_flag(struct bench_plan *plan, int argc, char **argv,
                     char why[static BENCH_PLAN_WHY_MAX]) {
    char name[64];
    const char *flag = argv[0] + 2, *equals = strchr(flag, '=');
    size_t len = equals ? (size_t)(equals - flag) : strlen(flag);
    snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), flag);
    if (strncmp(name, "no-", 3) == 0 && bench_plan_is_switch(name + 3) && equals == NULL)
        return bench_plan_set(plan, name + 3, "off", why) < 0 ? -EINVAL : 1;
    if (bench_plan_is_switch(name) || equals != NULL)
        return bench_plan_set(plan, name, equals ? equals + 1 : "on", why) < 0 ? -EINVAL : 1;
    return bench_plan_set(plan, name, argc > 1 ? argv[1] : NULL, why) < 0 ? -EINVAL : 2;
}

int bench_plan_parse(struct bench_plan *plan, int argc, char **argv,
                     char why[static BENCH_PLAN_WHY_MAX]) {
    if (argc < 1 || argv[0][0] == '-') {
        snprintf(why, BENCH_PLAN_WHY_MAX, "a scenario has to come first (see --help)");
        return -EINVAL;
    }
    if (begin(plan, argv[0], why) < 0)
        return -EINVAL;
    for (int i = 1; i < argc;) {
        if (strncmp(argv[i], "--", 2) != 0) {
            snprintf(why, BENCH_PLAN_WHY_MAX, "what is \"%.80s\"? Options begin with --", argv[i]);
            return -EINVAL;
        }
        int taken = take_flag(plan, argc - i, argv + i, why);
        if (taken < 0)
            return -EINVAL;
        i += taken;
    }
    return 0;
}
