#include "bench/process.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, LISTENING = 0x0a };

/* A short file of /proc; "" when it is not there. */
static void read_text(const char *path, char out[static TEXT_MAX]) {
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(out, 1, TEXT_MAX - 1, file) : 0;
    out[len] = '\0';
    if (file != NULL)
        fclose(file);
}

enum { USER_TIME = 11, SYSTEM_TIME = 12, RESIDENT_PAGES = 21, STAT_FIELDS = 22 };

/* The numbers of a "stat" file, from the third field of proc(5) on. */
static bool read_stat(const char *path, uint64_t fields[static STAT_FIELDS]) {
    char text[TEXT_MAX];
    read_text(path, text);
    char *at = strrchr(text, ')'); /* Behind the name, which may hold anything. */
    if (at == NULL || strlen(at) < 4)
        return false;
    at += 3;
    for (size_t i = 1; i < STAT_FIELDS; i++)
        fields[i] = strtoull(at, &at, 10);
    return true;
}

static uint64_t tick_us(void) {
    return 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Ticks are coarse: 200 subscribers take 25 of them in six seconds. 0: the kernel does not say. */
static uint64_t process_us(pid_t pid) {
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

bool bench_process_usage(pid_t pid, struct bench_usage *out) {
    char path[64];
    uint64_t fields[STAT_FIELDS] = {0};
    *out = (struct bench_usage){0};
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_stat(path, fields))
        return false;
    out->user_us = fields[USER_TIME] * tick_us();
    out->cpu_us = process_us(pid);
    if (out->cpu_us == 0)
        out->cpu_us = (fields[USER_TIME] + fields[SYSTEM_TIME]) * tick_us();
    out->memory_kb = fields[RESIDENT_PAGES] * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    return true;
}

/* The same of a thread: the first number of proc(5)'s "schedstat", in nanoseconds. */
static uint64_t thread_us(pid_t pid, const char *thread) {
    char path[300], text[TEXT_MAX];
    snprintf(path, sizeof(path), "/proc/%d/task/%.200s/schedstat", (int)pid, thread);
    read_text(path, text);
    return strtoull(text, NULL, 10) / 1000;
}

void bench_process_threads(pid_t pid, struct bench_threads *out) {
    char path[300];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    out->count = 0;
    for (struct dirent *entry;
         folder != NULL && out->count < BENCH_THREADS_MAX && (entry = readdir(folder)) != NULL;) {
        uint64_t fields[STAT_FIELDS] = {0};
        snprintf(path, sizeof(path), "/proc/%d/task/%.200s/stat", (int)pid, entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_stat(path, fields))
            continue;
        out->of[out->count].id = (pid_t)strtol(entry->d_name, NULL, 10);
        uint64_t used_us = thread_us(pid, entry->d_name);
        if (used_us == 0)
            used_us = (fields[USER_TIME] + fields[SYSTEM_TIME]) * tick_us();
        out->of[out->count++].cpu_us = used_us;
    }
    if (folder != NULL)
        closedir(folder);
}

uint64_t bench_threads_busiest_us(const struct bench_threads *earlier,
                                  const struct bench_threads *later) {
    uint64_t most_us = 0;
    for (size_t i = 0; i < later->count; i++) {
        uint64_t used_us = later->of[i].cpu_us;
        for (size_t j = 0; j < earlier->count; j++)
            if (earlier->of[j].id == later->of[i].id)
                used_us -= earlier->of[j].cpu_us;
        most_us = used_us > most_us ? used_us : most_us;
    }
    return most_us;
}

/* --- Who listens --- */

/* The inode of the listening socket, out of /proc/net/tcp or tcp6; 0: none. */
static unsigned long find_inode(const char *path, uint16_t port) {
    char line[512];
    unsigned long found = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof(line), file) != NULL) {
        char *words[10], *rest = NULL;
        size_t count = 0;
        for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < 10;
             word = strtok_r(NULL, " \n", &rest))
            words[count++] = word;
        const char *colon = count == 10 ? strrchr(words[1], ':') : NULL;
        if (colon != NULL && strtoul(colon + 1, NULL, 16) == port &&
            strtoul(words[3], NULL, 16) == LISTENING)
            found = strtoul(words[9], NULL, 10);
    }
    fclose(file);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode) {
    char path[300], link[64], wanted[64];
    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *folder = opendir(path);
    bool found = false;
    for (struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%.20s/fd/%.200s", pid, entry->d_name);
        ssize_t len = readlink(path, link, sizeof(link) - 1);
        link[len > 0 ? len : 0] = '\0';
        found = strcmp(link, wanted) == 0;
    }
    if (folder != NULL)
        closedir(folder);
    return found;
}

pid_t bench_process_listening(uint16_t port) {
    unsigned long inode = find_inode("/proc/net/tcp", port);
    if (inode == 0)
        inode = find_inode("/proc/net/tcp6", port);
    DIR *folder = inode ? opendir("/proc") : NULL;
    pid_t pid = 0;
    for (struct dirent *entry; folder != NULL && pid == 0 && (entry = readdir(folder)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, inode))
            pid = (pid_t)strtol(entry->d_name, NULL, 10);
    if (folder != NULL)
        closedir(folder);
    return pid;
}

/* RcvbufErrors, the fifth number of the second "Udp:" line. */
uint64_t bench_process_udp_dropped(void) {
    char text[TEXT_MAX];
    read_text("/proc/net/snmp", text);
    const char *names = strstr(text, "\nUdp: ");
    char *values = names ? strstr(names + 6, "\nUdp: ") : NULL;
    uint64_t number = 0;
    if (values == NULL)
        return 0;
    values += 6;
    for (size_t i = 0; i < 5; i++)
        number = strtoull(values, &values, 10);
    return number;
}

/* --- Prometheus text --- */

static const double unbounded = 1e18;

/* The next line whose sample is of `name`: what stands behind the name. */
static const char *next_sample(const char *text, const char *name) {
    size_t len = strlen(name);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '{'))
            return line + len;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

static double value_of(const char *sample) {
    const char *at = *sample == '{' ? strchr(sample, '}') : sample;
    return at ? strtod(*at == '}' ? at + 1 : at, NULL) : 0;
}

double bench_metric(const char *text, const char *name) {
    double sum = 0;
    const char *sample = text ? next_sample(text, name) : NULL;
    if (sample == NULL)
        return -1;
    for (; sample != NULL; sample = next_sample(sample, name))
        sum += value_of(sample);
    return sum;
}

static double bound_of(const char *sample) {
    const char *bound = strstr(sample, "le=\"");
    return bound == NULL || strncmp(bound + 4, "+Inf", 4) == 0 ? unbounded
                                                               : strtod(bound + 4, NULL);
}

/* The cumulative count below a bound, of all series of the family. */
static double count_below(const char *text, const char *name, double bound) {
    double sum = 0;
    for (const char *sample = next_sample(text, name); sample != NULL;
         sample = next_sample(sample, name))
        if (bound_of(sample) == bound)
            sum += value_of(sample);
    return sum;
}

double bench_metric_percentile(const char *earlier, const char *later, const char *name,
                               unsigned of_1000) {
    double highest = -1, all;
    if (earlier == NULL || later == NULL || next_sample(later, name) == NULL)
        return -1;
    all = count_below(later, name, unbounded) - count_below(earlier, name, unbounded);
    for (const char *sample = next_sample(later, name); sample != NULL && all > 0;
         sample = next_sample(sample, name)) {
        double bound = bound_of(sample);
        double below = count_below(later, name, bound) - count_below(earlier, name, bound);
        if (bound < unbounded && bound > highest)
            highest = bound;
        if (below * 1000 >= all * of_1000)
            break;
    }
    return highest;
}
