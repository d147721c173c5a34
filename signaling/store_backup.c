/* `weir backup`: a copy of the SQLite database while a server goes on writing it. Readers of a
 * write-ahead log see one moment of it, so the copy is of that moment. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "signaling/store.h"

static int copy_pages(sqlite3 *from, sqlite3 *to) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sqlite3_errcode(to);
    int code;
    while ((code = sqlite3_backup_step(backup, -1)) == SQLITE_BUSY || code == SQLITE_LOCKED)
        sqlite3_sleep(20);
    int finished = sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? finished : code;
}

/* The copy is one file by itself, with nothing beside it. */
static int copy_database(const char *from_file, const char *to_file, char *error,
                         size_t error_size) {
    sqlite3 *from = NULL, *to = NULL;
    int code = sqlite3_open_v2(from_file, &from, SQLITE_OPEN_READWRITE, NULL);
    const char *where = from_file;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(from, 5000);
        where = to_file;
        code = sqlite3_open_v2(to_file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    }
    if (code == SQLITE_OK)
        code = copy_pages(from, to);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        snprintf(error, error_size, "%s: %s", where, sqlite3_errstr(code));
    sqlite3_close(to);
    sqlite3_close(from);
    return code == SQLITE_OK ? 0 : -EIO;
}

static int sync_file(const char *file) {
    int descriptor = open(file, O_RDONLY | O_CLOEXEC);
    int status = descriptor >= 0 && fsync(descriptor) == 0 ? 0 : -errno;
    if (descriptor >= 0)
        close(descriptor);
    return status;
}

/* What has the final name is complete: the copy gets it last. */
int sig_store_backup(const char *database, const char *file, char *error, size_t error_size) {
    char part[4096];
    if (strncmp(database, "sqlite:", 7) != 0) {
        snprintf(error, error_size, "only SQLite is copied this way; PostgreSQL has pg_dump");
        return -ENOTSUP;
    }
    if (access(file, F_OK) == 0) {
        snprintf(error, error_size, "%s: is there already", file);
        return -EEXIST;
    }
    snprintf(part, sizeof(part), "%s.part", file);
    unlink(part);
    int status = copy_database(database + 7, part, error, error_size);
    if (status == 0 && ((status = sync_file(part)) < 0 || rename(part, file) < 0)) {
        status = status < 0 ? status : -errno;
        snprintf(error, error_size, "%s: %s", file, strerror(-status));
    }
    if (status < 0)
        unlink(part);
    return status;
}
