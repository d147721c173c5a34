#include "bench/play.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/people.h"
#include "bench/ramp.h"
#include "bench/signaling_internal.h"

enum {
    TICK_US = 20000,
    CHECK_US = 100000,
    SECOND_US = 1000000,
    METRICS_WAIT_US = 3000000, /* For /metrics at the end of a window, at most. */
    GOODBYE_US = 300000,
    SAMPLED = 400, /* So many are asked each second about losses and delays. */
    SECRET_MAX = 1024,
};

enum phase { COMING, SETTLING, MEASURING, COMPARING, LEAVING, OVER };

struct play {
    struct bench_loop loop;
    struct bench_crowd crowd;
    struct bench_signaling *signaling;
    struct bench_dtls_context *dtls;
    struct bench_stage stage;
    struct bench_people people;
    struct bench_measure measure;
    struct bench_ramp ramp;
    struct bench_plan plan; /* Grows with the ramp. */
    struct bench_results *results;
    const volatile sig_atomic_t *stop;
    char secret[SECRET_MAX];

    enum phase phase;
    uint64_t begun_us, phase_us, check_us, second_us, turn_us;
    uint64_t came_us, first_came_us, last_came_us; /* Arrivals. */
    double owed_joins, owed_churn;
    uint64_t ticked_us;
    struct bench_timer timer;
};

static void enter(struct play *play, enum phase phase) {
    play->phase = phase;
    play->phase_us = play->loop.now_us;
}

static bool is_after(const struct play *play, double seconds) {
    return (double)(play->loop.now_us - play->phase_us) >= seconds * 1e6;
}

/* --- Coming --- */

/* Who watches waits until those who publish are there. */
static bool may_come(const struct play *play) {
    enum bench_role role;
    if (!bench_people_next(&play->people, &role))
        return false;
    return role == BENCH_PUBLISHER || role == BENCH_PARTICIPANT ||
           play->people.joining_publishers == 0;
}

static void let_come(struct play *play, double elapsed_s) {
    double rate = play->plan.join_rate;
    play->owed_joins += rate > 0 ? rate * elapsed_s : 1e6;
    for (; play->owed_joins >= 1 && may_come(play); play->owed_joins--) {
        play->last_came_us = bench_loop_now(&play->loop);
        if (play->first_came_us == 0)
            play->first_came_us = play->loop.now_us;
        play->people.failed += bench_people_admit(&play->people) < 0;
    }
    if (!may_come(play))
        play->owed_joins = 0; /* Nobody catches up on what he waited for. */
}

static bool have_all_come(struct play *play) {
    enum bench_role role;
    return !bench_people_next(&play->people, &role) && play->people.joining == 0;
}

/* --- Samples and progress --- */

static void show_progress(const struct play *play, const struct bench_sample *sample) {
    static const char *const names[] = {"joining",   "settling", "measuring",
                                        "measuring", "leaving",  ""};
    bool is_terminal = isatty(STDERR_FILENO);
    char server[48] = "";
    if (play->plan.quiet || (!is_terminal && (uint64_t)sample->at_s % 5 != 0))
        return;
    if (sample->server_cores >= 0)
        snprintf(server, sizeof(server), "  server %3.0f %%", sample->server_cores * 100);
    fprintf(stderr,
            "%s%4.0f s  %-9s %5.0f clients %9.0f packets/s  lost %.3f %%  p99 %3.0f ms%s"
            "  crowd %3.0f %%%s",
            is_terminal ? "\r" : "", sample->at_s, names[play->phase], sample->clients,
            sample->packets_per_s, sample->lost_percent, sample->delay_ms, server,
            sample->crowd_cores * 100, is_terminal ? "\033[K" : "\n");
    fflush(stderr);
}

static void take_sample(struct play *play) {
    struct bench_tally tally;
    struct bench_sample sample;
    size_t watching, clients = bench_people_connected(&play->people, &watching);
    bench_people_tally(&play->people, play->people.count / SAMPLED + 1, &tally);
    bench_measure_sample(&play->measure, &tally, clients, &sample);
    sample.at_s = (double)(play->loop.now_us - play->begun_us) / 1e6;
    if (play->results->sample_count < BENCH_SAMPLES_MAX)
        play->results->samples[play->results->sample_count++] = sample;
    show_progress(play, &sample);
}

/* --- Measuring --- */

/* What the first arrivals cost those who publish. */
static void note_arrivals(struct play *play) {
    struct bench_tally tally;
    double publishers = play->plan.rooms * (play->plan.publishers + play->plan.participants);
    double coming_s = (double)(play->loop.now_us - play->first_came_us) / 1e6;
    if (play->results->step_count > 0 || publishers < 1 || coming_s <= 0)
        return;
    bench_people_tally(&play->people, 1, &tally);
    play->results->join_keyframes_per_s =
        (double)tally.keyframes_wanted / publishers / (coming_s > 1 ? coming_s : 1);
}

static void begin_window(struct play *play) {
    struct bench_tally tally;
    bench_people_tally(&play->people, 1, &tally);
    bench_measure_begin(&play->measure, &tally);
    enter(play, MEASURING);
}

static void end_window(struct play *play) {
    struct bench_tally tally;
    bench_people_tally(&play->people, 1, &tally);
    bench_measure_end(&play->measure, &tally);
    enter(play, COMPARING);
}

static struct bench_window *compare(struct play *play) {
    struct bench_results *results = play->results;
    size_t watching, clients = bench_people_connected(&play->people, &watching);
    if (results->step_count == BENCH_STEPS_MAX)
        results->step_count--;
    struct bench_window *window = &results->steps[results->step_count++];
    bench_measure_compare(&play->measure, clients, watching, window);
    window->is_good &= play->people.failed == 0 && window->tally.datagrams > 0;
    return window;
}

/* --- Time --- */

static void leave(struct play *play) {
    bench_people_report(&play->people, play->results);
    double came = (double)play->results->connected - (double)play->results->left;
    double coming_s = (double)(play->last_came_us - play->first_came_us) / 1e6;
    play->results->joins_per_s = coming_s > 0 ? came / coming_s : 0;
    bench_measure_server(&play->measure, play->results->server);
    while (play->people.count > 0)
        bench_people_remove_last(&play->people);
    enter(play, LEAVING);
}

static void go_on(struct play *play) {
    struct bench_window *window = compare(play);
    enum bench_ramp_verdict verdict =
        *play->stop ? BENCH_RAMP_OVER
                    : bench_ramp_judge(&play->ramp, window, play->people.failed > 0, play->results);
    if (verdict == BENCH_RAMP_AGAIN)
        enter(play, SETTLING);
    else if (verdict == BENCH_RAMP_GROW && bench_ramp_grow(&play->ramp, &play->people) == 0)
        enter(play, COMING);
    else
        leave(play);
}

static void on_stop(struct play *play) {
    play->results->interrupted = true;
    if (play->phase == MEASURING)
        end_window(play);
    else if (play->phase < COMPARING)
        leave(play);
}

static void settle(struct play *play) {
    note_arrivals(play);
    if (play->people.joins == 0)
        leave(play); /* Nobody came: there is nothing to wait for. */
    else
        enter(play, SETTLING);
}

static void step(struct play *play, double elapsed_s) {
    if (play->phase == COMING)
        let_come(play, elapsed_s);
    if (*play->stop && play->phase < COMPARING)
        on_stop(play);
    else if (play->phase == COMING && have_all_come(play))
        settle(play);
    else if (play->phase == SETTLING && is_after(play, play->plan.settle_s))
        begin_window(play);
    else if (play->phase == MEASURING && is_after(play, play->plan.duration_s))
        end_window(play);
    else if (play->phase == COMPARING &&
             (bench_measure_is_complete(&play->measure) || is_after(play, METRICS_WAIT_US / 1e6)))
        go_on(play);
    else if (play->phase == LEAVING && is_after(play, GOODBYE_US / 1e6))
        enter(play, OVER);
}

static void churn(struct play *play, double elapsed_s) {
    play->owed_churn += play->plan.churn_rate * elapsed_s;
    for (; play->owed_churn >= 1; play->owed_churn--)
        bench_people_replace_one(&play->people);
}

static void on_tick(struct bench_timer *timer) {
    struct play *play = (struct play *)((char *)timer - offsetof(struct play, timer));
    uint64_t now_us = play->loop.now_us;
    double elapsed_s = (double)(now_us - play->ticked_us) / 1e6;
    play->ticked_us = now_us;
    step(play, elapsed_s);
    if (play->phase < COMPARING && now_us >= play->check_us) {
        play->check_us = now_us + CHECK_US;
        bench_people_check(&play->people);
    }
    if (play->phase == MEASURING)
        churn(play, elapsed_s);
    if (play->plan.speakers > 0 && play->phase < LEAVING && now_us >= play->turn_us) {
        bool have_come = play->phase != COMING;
        bench_people_speak(&play->people, (size_t)play->plan.speakers, have_come);
        play->turn_us = now_us + (have_come ? (uint64_t)(play->plan.turn_s * 1e6) : CHECK_US);
    }
    if (play->phase < LEAVING && now_us >= play->second_us) {
        play->second_us = now_us + SECOND_US;
        take_sample(play);
    }
    bench_timer_set(&play->loop, timer, now_us + TICK_US);
}

/* --- Setting up --- */

static int read_secret(struct play *play, char why[static BENCH_PLAN_WHY_MAX]) {
    if (play->plan.secret_file[0] == '\0')
        return 0;
    FILE *file = fopen(play->plan.secret_file, "re");
    size_t len = file ? fread(play->secret, 1, sizeof(play->secret) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    while (len > 0 && (play->secret[len - 1] == '\n' || play->secret[len - 1] == '\r'))
        len--;
    play->secret[len] = '\0';
    snprintf(why, BENCH_PLAN_WHY_MAX, "no secret in %.120s", play->plan.secret_file);
    return len > 0 ? 0 : -EINVAL;
}

static const char *or_null(const char *text) {
    return text[0] ? text : NULL;
}

static int open_signaling(struct play *play, char why[static BENCH_PLAN_WHY_MAX]) {
    const struct bench_plan *plan = &play->plan;
    bool grows = strcmp(plan->ramp, "rooms") == 0;
    struct bench_signaling_options options = {
        .protocol = plan->protocol,
        .url = plan->url,
        .whip = or_null(plan->whip),
        .whep = or_null(plan->whep),
        .room = or_null(plan->room),
        .token = or_null(plan->token),
        .secret = or_null(play->secret),
        .rooms = (size_t)(grows && plan->ramp_max > plan->rooms ? plan->ramp_max : plan->rooms),
    };
    return bench_signaling_create(&play->signaling, &play->loop, &options, why);
}

static const char *profiles_of(const struct bench_plan *plan) {
    if (strcmp(plan->srtp, "sha1") == 0)
        return "SRTP_AES128_CM_SHA1_80";
    return strcmp(plan->srtp, "gcm256") == 0 ? "SRTP_AEAD_AES_256_GCM"
                                             : "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
}

/* The first so many of a ramp, or all. */
static int invite_first(struct play *play) {
    return bench_people_invite(&play->people, 0, (size_t)play->plan.rooms - 1, &play->plan);
}

static int set_up(struct play *play, char why[static BENCH_PLAN_WHY_MAX]) {
    int result = read_secret(play, why);
    if (result == 0 && (result = bench_loop_init(&play->loop)) < 0)
        snprintf(why, BENCH_PLAN_WHY_MAX, "no epoll: %s", strerror(-result));
    if (result == 0)
        result = open_signaling(play, why);
    if (result < 0)
        return result;
    const char *host = bench_signaling_host(play->signaling);
    result = bench_crowd_init(&play->crowd, &play->loop, host);
    snprintf(why, BENCH_PLAN_WHY_MAX, "%.100s cannot be reached: %s", host, strerror(-result));
    if (result == 0 &&
        (result = bench_dtls_context_create(&play->dtls, profiles_of(&play->plan))) < 0)
        snprintf(why, BENCH_PLAN_WHY_MAX, "no DTLS");
    play->stage = (struct bench_stage){.plan = &play->plan,
                                       .loop = &play->loop,
                                       .crowd = &play->crowd,
                                       .signaling = play->signaling,
                                       .dtls = play->dtls};
    bench_people_init(&play->people, &play->stage);
    bench_measure_init(&play->measure, &play->plan, &play->crowd, play->signaling->http,
                       ntohs(play->signaling->address.sin_port));
    return result;
}

static void tear_down(struct play *play) {
    bench_people_deinit(&play->people);
    bench_measure_deinit(&play->measure);
    bench_crowd_deinit(&play->crowd);
    bench_dtls_context_destroy(play->dtls);
    bench_signaling_destroy(play->signaling);
    bench_loop_deinit(&play->loop);
}

static void run(struct play *play) {
    bench_ramp_init(&play->ramp, &play->plan);
    play->results->capacity = play->ramp.field ? 0 : -1;
    play->begun_us = play->ticked_us = bench_loop_now(&play->loop);
    enter(play, COMING);
    bench_timer_set(&play->loop, &play->timer, play->begun_us);
    while (play->phase != OVER)
        bench_loop_turn(&play->loop);
    if (!play->plan.quiet && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

int bench_play(const struct bench_plan *plan, const volatile sig_atomic_t *stop,
               struct bench_results *out, char why[static BENCH_PLAN_WHY_MAX]) {
    struct play *play = calloc(1, sizeof(*play));
    out->samples = calloc(BENCH_SAMPLES_MAX, sizeof(*out->samples));
    snprintf(why, BENCH_PLAN_WHY_MAX, "out of memory");
    if (play == NULL || out->samples == NULL) {
        free(play);
        return -ENOMEM;
    }
    play->plan = out->plan = *plan;
    play->results = out;
    play->stop = stop;
    play->loop.epoll_fd = -1;
    int result = set_up(play, why);
    if (result == 0 && (result = invite_first(play)) == 0)
        result = bench_timer_init(&play->loop, &play->timer, on_tick);
    if (result == 0)
        run(play);
    tear_down(play);
    free(play);
    return result;
}
