/* Where the server's data is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "signaling/server.h"

static int make_folders(const char *folder) {
    char path[SIG_DATABASE_SIZE];
    int len = snprintf(path, sizeof(path), "%s", folder);
    if (len < 0 || (size_t)len >= sizeof(path))
        return -ENAMETOOLONG;
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(path, 0755); /* Where it fails, the last one does. */
        *at = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

int sig_server_find_database(const struct sig_config *config, char out[static SIG_DATABASE_SIZE],
                             bool make_folder, char *error, size_t error_size) {
    if (config->database) {
        snprintf(out, SIG_DATABASE_SIZE, "%s", config->database);
        return 0;
    }
    if (strcmp(config->data, ":memory:") == 0) {
        strcpy(out, "sqlite::memory:");
        return 0;
    }
    int status = make_folder ? make_folders(config->data) : 0;
    if (status < 0)
        snprintf(error, error_size, "%s: %s", config->data, strerror(-status));
    int len = snprintf(out, SIG_DATABASE_SIZE, "sqlite:%s/weir.db", config->data);
    if (status == 0 && (len < 0 || len >= SIG_DATABASE_SIZE)) {
        snprintf(error, error_size, "the name of the folder is too long");
        return -ENAMETOOLONG;
    }
    return status;
}
