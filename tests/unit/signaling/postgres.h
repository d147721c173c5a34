/* Debian's PostgreSQL for one test program: a cluster in a temporary folder, reached by a socket in
 * it, gone with the program. The server refuses root, so that root becomes somebody else for it. */
#ifndef TESTS_UNIT_SIGNALING_POSTGRES_H
#define TESTS_UNIT_SIGNALING_POSTGRES_H

#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    char folder[64];
    char uri[200];
    pid_t server;
} postgres;

/* Runs one of PostgreSQL's programs as somebody who may; returns its process. */
static inline pid_t postgres_spawn(const char *program, const char *const *arguments) {
    char path[300];
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        return -1;
    snprintf(path, sizeof(path), "%.*s%s",
             (int)(strlen(found.gl_pathv[found.gl_pathc - 1]) - strlen("initdb")),
             found.gl_pathv[found.gl_pathc - 1], program);
    globfree(&found);
    const struct passwd *somebody = getpwnam("postgres");
    pid_t child = fork();
    if (child != 0)
        return child;
    if (getuid() == 0 && somebody &&
        (setgid(somebody->pw_gid) != 0 || setuid(somebody->pw_uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (chdir("/") != 0 || !freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
        _exit(126);
    execv(path, (char *const *)(uintptr_t)arguments); /* It changes nothing. */
    _exit(127);
}

static inline bool postgres_start_server(void) {
    char data[80];
    snprintf(data, sizeof(data), "%s/data", postgres.folder);
    postgres.server = postgres_spawn(
        "postgres", (const char *[]){"postgres", "-D", data, "-k", postgres.folder, "-c",
                                     "listen_addresses=", "-c", "fsync=off", NULL});
    for (int i = 0; postgres.server > 0 && i < 1000; i++) {
        if (PQping(postgres.uri) == PQPING_OK)
            return true;
        usleep(10000);
    }
    return false;
}

static inline void postgres_stop_server(int with_signal) {
    if (postgres.server > 0) {
        kill(postgres.server, with_signal);
        waitpid(postgres.server, NULL, 0);
    }
    postgres.server = 0;
}

static inline bool postgres_open(void) {
    char data[80];
    int status = -1;
    const struct passwd *somebody = getpwnam("postgres");
    strcpy(postgres.folder, "/tmp/weir-postgres-XXXXXX");
    if (!mkdtemp(postgres.folder))
        return false;
    if (getuid() == 0 && somebody && chown(postgres.folder, somebody->pw_uid, somebody->pw_gid) < 0)
        return false;
    snprintf(data, sizeof(data), "%s/data", postgres.folder);
    snprintf(postgres.uri, sizeof(postgres.uri), "postgresql:///postgres?host=%s&user=weir",
             postgres.folder);
    pid_t child =
        postgres_spawn("initdb", (const char *[]){"initdb", "-D", data, "-A", "trust", "-U", "weir",
                                                  "--no-sync", "-E", "UTF8", NULL});
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 &&
           postgres_start_server();
}

static inline int postgres_remove(const char *path, const struct stat *info, int type,
                                  struct FTW *walk) {
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void postgres_close(void) {
    postgres_stop_server(SIGINT);
    if (postgres.folder[0])
        nftw(postgres.folder, postgres_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs statements from outside. */
static inline bool postgres_say(const char *statements) {
    PGconn *connection = PQconnectdb(postgres.uri);
    PGresult *result = PQexec(connection, statements);
    bool is_done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    PQfinish(connection);
    return is_done;
}

#endif
