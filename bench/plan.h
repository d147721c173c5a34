/* What a run is to be: the server, the crowd, its media, its networks, how long, and what is good
 * enough. A scenario is a plan by name; files and flags change any of it. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_TEXT_MAX = 256, BENCH_PLAN_WHY_MAX = 256 };

/* Numbers are all double, so that one table describes them; units in names. */
struct bench_plan {
    char scenario[BENCH_TEXT_MAX];

    /* The server. */
    char url[BENCH_TEXT_MAX], protocol[BENCH_TEXT_MAX];
    char whip[BENCH_TEXT_MAX], whep[BENCH_TEXT_MAX];
    char room[BENCH_TEXT_MAX], token[BENCH_TEXT_MAX * 4], secret_file[BENCH_TEXT_MAX];
    char metrics[BENCH_TEXT_MAX];
    double server_pid;

    /* The crowd, in every room. */
    double rooms, publishers, subscribers, participants, idle;
    double join_rate;  /* A second; 0: all at once. */
    double churn_rate; /* Of the subscribers so many leave and come a second. */

    /* Media. */
    bool audio, video, red, dtx, paced, feedback;
    char codec[BENCH_TEXT_MAX], srtp[BENCH_TEXT_MAX];
    double video_kbps, audio_kbps, layers;
    double tiles, audio_slots, tile_height;
    double speakers, turn_s; /* So many speak at a time, each for so long; 0: all, always. */

    /* The network of those subscribers that have a bad one. */
    double loss, delay_ms, jitter_ms, bandwidth_kbps, bad_share;

    /* Time. */
    double settle_s, duration_s;

    /* Growth until quality breaks. */
    char ramp[BENCH_TEXT_MAX]; /* "", "subscribers", "participants", "publishers", "rooms". */
    double ramp_factor, ramp_max;

    /* What is good enough; negative: anything. */
    double max_loss, max_p99_ms, max_freezes;

    /* What comes out. */
    char json[BENCH_TEXT_MAX], html[BENCH_TEXT_MAX], label[BENCH_TEXT_MAX];
    bool quiet;
    double seed;
};

/* The plan of a scenario; -ENOENT. */
int bench_plan_init(struct bench_plan *plan, const char *scenario);

/* Name and what it is, of the i-th scenario; false beyond the last. */
bool bench_plan_scenario(size_t i, const char **name, const char **help);

/* Sets an option by its name ("join-rate"); value NULL or "" switches one on. -ENOENT: no such
 * option; -EINVAL: the value is wrong; why says what is right. */
int bench_plan_set(struct bench_plan *plan, const char *name, const char *value,
                   char why[static BENCH_PLAN_WHY_MAX]);

/* Whether the option is a switch, which takes no value on the command line. */
bool bench_plan_is_switch(const char *name);

/* A scenario's file: `scenario = NAME` first, then options, one a line (INI; sections are for the
 * eye). -EINVAL with where and why, or a negative errno. */
int bench_plan_read(struct bench_plan *plan, const char *path, char why[static BENCH_PLAN_WHY_MAX]);

/* SCENARIO (a name, or a file with a dot or slash in its name), then flags. -EINVAL with why. */
int bench_plan_parse(struct bench_plan *plan, int argc, char **argv,
                     char why[static BENCH_PLAN_WHY_MAX]);

/* Prints all options. */
void bench_plan_help(void);

#endif
