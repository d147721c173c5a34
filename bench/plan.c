#include "bench/plan.h"

#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, TEXT, SWITCH };

struct option {
    const char *heading; /* Begins with it; NULL: the same as before. */
    const char *name;
    enum kind kind;
    size_t offset, size;
    double min, max;
    const char *words; /* TEXT: what it may be, separated by blanks; NULL: anything. */
    const char *value; /* In the help. */
    const char *help;
};

#define AT(field) offsetof(struct bench_plan, field), sizeof(((struct bench_plan *)0)->field)
#define FLAG(field) SWITCH, AT(field), 0, 1, NULL, NULL
#define WORDS(field, words, value) TEXT, AT(field), 0, 0, words, value
#define COUNT(field, value) NUMBER, AT(field), 0, 1e6, NULL, value
#define REAL(field, min, max, value) NUMBER, AT(field), min, max, NULL, value

static const struct option options[] = {
    {"Server", "url", WORDS(url, NULL, "URL"), "http://HOST:PORT of its signaling"},
    {NULL, "protocol", WORDS(protocol, "whip weir janus", "NAME"),
     "whip (WHIP and WHEP), weir (its WebSockets), janus (videoroom)"},
    {NULL, "whip", WORDS(whip, NULL, "URL"), "another server's WHIP endpoint, {room} is replaced"},
    {NULL, "whep", WORDS(whep, NULL, "URL"), "and its WHEP endpoint"},
    {NULL, "room", WORDS(room, NULL, "ID"), "a room that is there; default: rooms are made"},
    {NULL, "token", WORDS(token, NULL, "TOKEN"), "bearer token to come with"},
    {NULL, "secret-file", WORDS(secret_file, NULL, "FILE"), "or a secret to sign tokens with"},
    {NULL, "server-pid", COUNT(server_pid, "PID"),
     "process to be measured; default: found by its port, if it is here"},
    {NULL, "metrics", WORDS(metrics, NULL, "URL"), "of Prometheus; default: URL/metrics; none"},

    {"Crowd, in every room", "rooms", REAL(rooms, 1, 10000, "N"), "how many"},
    {NULL, "publishers", COUNT(publishers, "N"), "who publish and watch nobody"},
    {NULL, "subscribers", COUNT(subscribers, "N"), "who watch"},
    {NULL, "participants", COUNT(participants, "N"), "who do both"},
    {NULL, "idle", COUNT(idle, "N"), "who are connected, with one slot for sound"},
    {NULL, "join-rate", COUNT(join_rate, "N"), "joins a second; 0: all at once"},
    {NULL, "churn-rate", COUNT(churn_rate, "N"), "subscribers replaced a second"},

    {"Media", "audio", FLAG(audio), "sound is published"},
    {NULL, "video", FLAG(video), "and pictures"},
    {NULL, "codec", WORDS(codec, "vp8 vp9 h264 av1", "NAME"), "of the pictures"},
    {NULL, "video-kbps", REAL(video_kbps, 10, 50000, "N"), "of the highest layer"},
    {NULL, "audio-kbps", REAL(audio_kbps, 6, 128, "N"), "of the sound"},
    {NULL, "layers", REAL(layers, 1, 3, "N"), "of simulcast"},
    {NULL, "red", FLAG(red), "sound with redundancy (RFC 2198)"},
    {NULL, "dtx", FLAG(dtx), "nothing is sent while nobody speaks"},
    {NULL, "paced", FLAG(paced),
     "frames leave at 2.5 times their rate; default: at once, as Chromium does"},
    {NULL, "feedback", FLAG(feedback),
     "clients say what arrives when (transport-cc); default: yes"},
    {NULL, "srtp", WORDS(srtp, "gcm sha1 gcm256", "NAME"), "cipher that clients offer"},
    {NULL, "tiles", REAL(tiles, 0, 60, "N"), "video slots of who watches"},
    {NULL, "audio-slots", REAL(audio_slots, 0, 60, "N"), "audio slots of who watches"},
    {NULL, "tile-height", REAL(tile_height, 0, 4320, "N"), "wanted; 0: any"},
    {NULL, "speakers", COUNT(speakers, "N"), "who speak at a time; 0: all"},
    {NULL, "turn-s", REAL(turn_s, 0.1, 3600, "S"), "for how long"},

    {"Networks (of the share of subscribers that has a bad one)", "bad-share",
     REAL(bad_share, 0, 100, "%"), "the share"},
    {NULL, "loss", REAL(loss, 0, 100, "%"), "both ways"},
    {NULL, "delay-ms", REAL(delay_ms, 0, 10000, "MS"), "each way"},
    {NULL, "jitter-ms", REAL(jitter_ms, 0, 10000, "MS"), "added at random"},
    {NULL, "bandwidth-kbps", REAL(bandwidth_kbps, 0, 1e6, "N"), "of the downlink; 0: unlimited"},

    {"Time", "settle-s", REAL(settle_s, 0, 3600, "S"), "after the last join"},
    {NULL, "duration-s", REAL(duration_s, 0.5, 86400, "S"), "of the measurement, or of a step"},
    {NULL, "ramp", WORDS(ramp, "none subscribers participants publishers rooms", "WHAT"),
     "grows until quality breaks"},
    {NULL, "ramp-factor", REAL(ramp_factor, 1.01, 10, "X"), "growth of a step"},
    {NULL, "ramp-max", COUNT(ramp_max, "N"), "and no further"},

    {"Judgement", "max-loss", REAL(max_loss, -1, 100, "%"), "packets that never came"},
    {NULL, "max-p99-ms", REAL(max_p99_ms, -1, 1e6, "MS"), "delay of 99 of 100 frames"},
    {NULL, "max-freezes", REAL(max_freezes, -1, 1e6, "N"), "a subscriber and minute"},

    {"Report", "json", WORDS(json, NULL, "FILE"), "everything, for programs"},
    {NULL, "html", WORDS(html, NULL, "FILE"), "one page with plots, for people"},
    {NULL, "label", WORDS(label, NULL, "TEXT"), "heading of the report"},
    {NULL, "quiet", FLAG(quiet), "no progress line"},
    {NULL, "seed", COUNT(seed, "N"), "of what is random; default: the same each run"},
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* --- Scenarios --- */

static const struct {
    const char *name, *help;
    const char *const settings[24]; /* Option, value, … */
} scenarios[] = {
    {"broadcast",
     "one publishes sound and pictures, many watch",
     {"publishers", "1", "subscribers", "100"}},
    {"meeting",
     "everyone publishes in three layers and watches the others in tiles",
     {"protocol", "weir", "participants", "8", "layers", "3", "tiles", "7", "tile-height", "360",
      "audio-slots", "3", "speakers", "2", "dtx", "on", "audio-kbps", "32"}},
    {"audio-room",
     "a hundred may speak, three do, a thousand listen",
     {"video", "off", "publishers", "100", "subscribers", "1000", "speakers", "3", "audio-slots",
      "3", "tiles", "0", "dtx", "on", "join-rate", "200"}},
    {"join-storm",
     "a room of a thousand joins in five seconds",
     {"publishers", "1", "subscribers", "1000", "join-rate", "200", "video-kbps", "300"}},
    {"churn",
     "subscribers come and go all the time",
     {"publishers", "2", "subscribers", "100", "tiles", "2", "audio-slots", "2", "churn-rate",
      "10"}},
    {"bad-network",
     "a broadcast of which every third watches over a mobile network",
     {"publishers", "1", "subscribers", "60", "layers", "3", "bad-share", "33", "loss", "2",
      "delay-ms", "60", "jitter-ms", "20", "bandwidth-kbps", "1200"}},
    {"ramp",
     "a broadcast that grows until quality breaks: the answer is a capacity",
     {"publishers", "1", "subscribers", "50", "ramp", "subscribers", "ramp-factor", "1.25",
      "duration-s", "5", "settle-s", "2", "join-rate", "100", "max-loss", "0.1", "max-p99-ms",
      "100"}},
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

bool bench_plan_scenario(size_t i, const char **name, const char **help) {
    if (i >= SCENARIOS)
        return false;
    *name = scenarios[i].name;
    *help = scenarios[i].help;
    return true;
}

static struct bench_plan defaults(void) {
    return (struct bench_plan){.protocol = "whip",
                               .url = "http://localhost:8080",
                               .rooms = 1,
                               .join_rate = 50,
                               .audio = true,
                               .video = true,
                               .feedback = true,
                               .codec = "vp8",
                               .srtp = "gcm",
                               .video_kbps = 1500,
                               .audio_kbps = 32,
                               .layers = 1,
                               .tiles = 1,
                               .audio_slots = 1,
                               .turn_s = 5,
                               .bad_share = 0,
                               .settle_s = 3,
                               .duration_s = 10,
                               .ramp = "none",
                               .ramp_factor = 1.25,
                               .ramp_max = 100000,
                               .max_loss = -1,
                               .max_p99_ms = -1,
                               .max_freezes = -1,
                               .seed = 1};
}

int bench_plan_init(struct bench_plan *plan, const char *scenario) {
    char why[BENCH_PLAN_WHY_MAX];
    for (size_t i = 0; i < SCENARIOS; i++) {
        const char *const *setting = scenarios[i].settings;
        if (strcmp(scenarios[i].name, scenario) != 0)
            continue;
        *plan = defaults();
        snprintf(plan->scenario, sizeof(plan->scenario), "%s", scenario);
        for (; *setting != NULL; setting += 2)
            if (bench_plan_set(plan, setting[0], setting[1], why) < 0)
                return -EINVAL;
        return 0;
    }
    return -ENOENT;
}

/* --- Setting one --- */

static const struct option *find(const char *name) {
    for (size_t i = 0; i < OPTIONS; i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

bool bench_plan_is_switch(const char *name) {
    const struct option *option = find(name);
    return option != NULL && option->kind == SWITCH;
}

static bool is_among(const char *words, const char *value) {
    size_t len = strlen(value);
    for (const char *at = words; len > 0 && (at = strstr(at, value)) != NULL; at++)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static int set_number(const struct option *option, void *field, const char *value, char *why) {
    char *end = NULL;
    double number = value ? strtod(value, &end) : 0;
    if (value == NULL || end == value || *end != '\0' || !isfinite(number) ||
        number < option->min || number > option->max) {
        snprintf(why, BENCH_PLAN_WHY_MAX, "%s has to be a number from %g to %g, not \"%s\"",
                 option->name, option->min, option->max, value ? value : "");
        return -EINVAL;
    }
    memcpy(field, &number, sizeof(number));
    return 0;
}

static int set_text(const struct option *option, char *field, const char *value, char *why) {
    if (value == NULL || strlen(value) >= option->size ||
        (option->words != NULL && !is_among(option->words, value))) {
        snprintf(why, BENCH_PLAN_WHY_MAX, "%s cannot be \"%.80s\"%s%s", option->name,
                 value ? value : "", option->words ? ", it is one of: " : "",
                 option->words ? option->words : "");
        return -EINVAL;
    }
    snprintf(field, option->size, "%s", value);
    return 0;
}

static int set_switch(const struct option *option, bool *field, const char *value, char *why) {
    bool on = value == NULL || *value == '\0' || is_among("on true yes 1", value);
    if (!on && !is_among("off false no 0", value)) {
        snprintf(why, BENCH_PLAN_WHY_MAX, "%s is on or off, not \"%.80s\"", option->name, value);
        return -EINVAL;
    }
    *field = on;
    return 0;
}

int bench_plan_set(struct bench_plan *plan, const char *name, const char *value,
                   char why[static BENCH_PLAN_WHY_MAX]) {
    const struct option *option = find(name);
    if (option == NULL) {
        snprintf(why, BENCH_PLAN_WHY_MAX, "there is no option %.80s", name);
        return -ENOENT;
    }
    void *field = (char *)plan + option->offset;
    if (option->kind == NUMBER)
        return set_number(option, field, value, why);
    return option->kind == TEXT ? set_text(option, field, value, why)
                                : set_switch(option, field, value, why);
}

void bench_plan_help(void) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option *option = &options[i];
        char left[64];
        if (option->heading != NULL)
            printf("\n%s:\n", option->heading);
        snprintf(left, sizeof(left), "--%s%s %s", option->kind == SWITCH ? "[no-]" : "",
                 option->name, option->value ? option->value : "");
        printf("  %-24s %s\n", left, option->help);
    }
}
