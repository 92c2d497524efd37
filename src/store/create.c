/* A new database: made whole under another name, made durable, and only then given its name. So a power cut leaves
 * either no database or a complete one, never a half-made file that a later start would have to judge. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum focal_status failed(const char *what, const char *path, struct focal_error *err)
{
    int error = errno;
    return focal_fail(err, focal_sqlite_errno_status(error), "look at the directory's owner, permissions and space",
                      "cannot %s %s: %s", what, path, strerror(error));
}

/* What a start that died here left behind. */
static void clear_away(const char *temporary)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    char path[SQLITE_PATH_BYTES];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        focal_sqlite_beside(path, temporary, suffixes[i]);
        (void)!unlink(path);
    }
}

/* A log or journal of a database that is gone would be taken for this one's, and mixed into it. */
static enum focal_status refuse_leftovers(const char *path, struct focal_error *err)
{
    static const char *const suffixes[] = { "-wal", "-journal" };
    char beside[SQLITE_PATH_BYTES];
    struct stat st;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        focal_sqlite_beside(beside, path, suffixes[i]);
        if (lstat(beside, &st) == 0)
            return focal_fail(err, FOCAL_EXISTS, "it may hold the last changes of a lost database: move it elsewhere first",
                              "%s is left over from another database", beside);
    }
    return FOCAL_OK;
}

/* SQLite gives its log and index the mode of the database, so the mode is set here and before there is content. */
static enum focal_status touch(const char *path, struct focal_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed("create", path, err);
    close(fd);
    return FOCAL_OK;
}

static enum focal_status fill(const char *temporary, const struct seal_layer *layer, struct focal_error *err)
{
    sqlite3 *db;
    enum focal_status status = focal_sqlite_connect(&db, temporary, layer, false, SQLITE_SNAPSHOT_CACHE_KIB, err);
    if (status != FOCAL_OK)
        return status;
    char sql[64], mode[16] = "";
    /* Going over to a log writes a journal first: in memory, for the sealed layer has no such file. */
    status = focal_sqlite_ask_text(db, "PRAGMA journal_mode=MEMORY", mode, sizeof mode);
    snprintf(sql, sizeof sql, "PRAGMA page_size=%d", SQLITE_PAGE_BYTES);
    if (status == FOCAL_OK)
        status = focal_sqlite_run(db, sql);
    int reserved = SEAL_RESERVED_BYTES;
    if (status == FOCAL_OK && layer)
        status = focal_sqlite_status(db, sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved));
    if (status == FOCAL_OK)
        status = focal_sqlite_ask_text(db, "PRAGMA journal_mode=WAL", mode, sizeof mode);
    if (status == FOCAL_OK && strcmp(mode, "wal") != 0)
        status = FOCAL_IO;
    if (status == FOCAL_OK)
        status = focal_sqlite_mark(db);
    if (status != FOCAL_OK)
        focal_sqlite_explain(db, status, temporary, err);
    else
        status = focal_sqlite_migrate(db, temporary, 0, err);
    int64_t blocked = 0;
    if (status == FOCAL_OK) {
        status = focal_sqlite_ask_number(db, "PRAGMA wal_checkpoint(TRUNCATE)", &blocked);
        if (status == FOCAL_OK && blocked)
            status = FOCAL_BUSY;
        if (status != FOCAL_OK)
            focal_sqlite_explain(db, status, temporary, err);
    }
    int rc = sqlite3_close(db);
    focal_assert(rc == SQLITE_OK);
    return status;
}

static enum focal_status sync_path(const char *path, int flags, struct focal_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return failed("open", path, err);
    enum focal_status status = fsync(fd) == 0 ? FOCAL_OK : failed("make durable", path, err);
    close(fd);
    return status;
}

enum focal_status focal_sqlite_sync_directory_of(const char *path, struct focal_error *err)
{
    char directory[SQLITE_PATH_BYTES];
    focal_sqlite_beside(directory, path, "");
    char *slash = strrchr(directory, '/');
    focal_assert(slash);
    slash[slash == directory ? 1 : 0] = 0;
    return sync_path(directory, O_DIRECTORY, err);
}

static enum focal_status give_name(const char *temporary, const char *path, struct focal_error *err)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return FOCAL_OK;
    /* Not every file system knows the flag. The lock is held and the name was free a moment ago. */
    if ((errno == EINVAL || errno == ENOSYS) && rename(temporary, path) == 0)
        return FOCAL_OK;
    return failed("name", path, err);
}

enum focal_status focal_sqlite_create(const char *path, const struct seal_layer *layer, struct focal_error *err)
{
    char temporary[SQLITE_PATH_BYTES];
    focal_sqlite_beside(temporary, path, ".new");
    enum focal_status status = refuse_leftovers(path, err);
    if (status != FOCAL_OK)
        return status;
    clear_away(temporary);
    status = touch(temporary, err);
    if (status == FOCAL_OK)
        status = fill(temporary, layer, err);
    if (status == FOCAL_OK)
        status = sync_path(temporary, 0, err);
    if (status == FOCAL_OK)
        status = give_name(temporary, path, err);
    if (status == FOCAL_OK)
        status = focal_sqlite_sync_directory_of(path, err);
    /* Takes the log and index that a connection closed without a checkpoint leaves, and all of it on failure. */
    clear_away(temporary);
    return status;
}
