/* A damaged database gives its place to a new one and keeps its bytes: it is renamed, never written, never deleted.
 *
 *   path, path-wal -> path.damaged-DATE, path.damaged-DATE-wal -> fsync -> fresh -> path -> fsync
 *
 * The file goes before its log: a power cut between the two leaves no database, and a start says so, while a file without
 * its log would be taken for whole. Done again after a power cut, it goes on where it was. */
#include "inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASIDE ".damaged-"
enum { ASIDE_MOST = 1000 };

enum focal_status focal_sqlite_hold(int *hold, const char *path, struct focal_error *err)
{
    char lock[SQLITE_PATH_BYTES];
    *hold = -1;
    if (strlen(path) >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES)
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path of the database is too long");
    focal_sqlite_beside(lock, path, ".lock");
    return focal_sqlite_lock(hold, lock, false, err);
}

void focal_sqlite_let_go(int hold)
{
    focal_sqlite_unlock(hold);
}

static bool there(const char *path, const char *suffix)
{
    char whole[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(whole, path, suffix);
    return lstat(whole, &st) == 0;
}

static enum focal_status failed(const char *what, const char *path, struct focal_error *err)
{
    int error = errno;
    return focal_fail(err, focal_sqlite_errno_status(error), "look at the directory's owner, permissions and space",
                      "cannot %s %s: %s", what, path, strerror(error));
}

static enum focal_status move(const char *from, const char *to, const char *suffix, struct focal_error *err)
{
    char a[SQLITE_PATH_BYTES], b[SQLITE_PATH_BYTES];
    if (!there(from, suffix))
        return FOCAL_OK;
    focal_sqlite_beside(a, from, suffix);
    focal_sqlite_beside(b, to, suffix);
    if (there(to, suffix)) {
        errno = EEXIST;
        return failed("overwrite", b, err);
    }
    return rename(a, b) == 0 ? FOCAL_OK : failed("rename", a, err);
}

static size_t directory_of(char out[SQLITE_PATH_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    snprintf(out, SQLITE_PATH_BYTES, "%.*s", (int)len, len ? path : "");
    return len;
}

static enum focal_status sync_directory(const char *path, struct focal_error *err)
{
    char directory[SQLITE_PATH_BYTES];
    if (directory_of(directory, path) == 0)
        snprintf(directory, sizeof directory, ".");
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum focal_status status = fd >= 0 && fsync(fd) == 0 ? FOCAL_OK : failed("make durable", directory, err);
    if (fd >= 0)
        close(fd);
    return status;
}

/* ---- what was set aside ------------------------------------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), by = strlen(end);
    return len >= by && strcmp(text + len - by, end) == 0;
}

static bool newest_aside(const char *path, char out[SQLITE_PATH_BYTES])
{
    char directory[SQLITE_PATH_BYTES], best[256] = "";
    const char *name = path + directory_of(directory, path);
    size_t name_len = strlen(name);
    DIR *dir = opendir(directory[0] ? directory : ".");
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        if (strncmp(e->d_name, name, name_len) != 0 || strncmp(e->d_name + name_len, ASIDE, strlen(ASIDE)) != 0
            || ends_with(e->d_name, "-wal") || ends_with(e->d_name, "-shm") || ends_with(e->d_name, "-journal"))
            continue;
        if (strverscmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    }
    if (dir)
        closedir(dir);
    int n = snprintf(out, SQLITE_PATH_BYTES, "%s%s", directory, best);
    return best[0] && n > 0 && n < SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES;
}

enum focal_status focal_sqlite_find_damaged(const char *path, const char *fresh, char out[FOCAL_SQLITE_PATH_MAX], struct focal_error *err)
{
    if (!there(path, "") && newest_aside(path, out)) {
        if (!there(fresh, "") || !there(path, "-wal"))
            return FOCAL_OK;
        /* The power went between the two. */
        enum focal_status status = move(path, out, "-wal", err);
        return status == FOCAL_OK ? sync_directory(path, err) : status;
    }
    snprintf(out, FOCAL_SQLITE_PATH_MAX, "%s", path);
    if (there(path, "") || there(path, "-wal"))
        return FOCAL_OK;
    return focal_fail(err, FOCAL_NOT_FOUND, "name the directory of the office", "there is no database at %s", path);
}

/* ---- giving the place up ------------------------------------------------------------------------------------------------- */

static enum focal_status free_name(const char *path, const char *date, char out[SQLITE_PATH_BYTES], struct focal_error *err)
{
    for (int i = 1; i < ASIDE_MOST; i++) {
        char number[16] = "";
        if (i > 1)
            snprintf(number, sizeof number, "-%d", i);
        int n = snprintf(out, SQLITE_PATH_BYTES, "%s" ASIDE "%s%s", path, date, number);
        if (n < 0 || n >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES)
            return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path of the database is too long");
        if (!there(out, "") && !there(out, "-wal"))
            return FOCAL_OK;
    }
    return focal_fail(err, FOCAL_EXISTS, "move some of them to another place", "there are %d damaged databases beside %s", ASIDE_MOST, path);
}

enum focal_status focal_sqlite_set_aside(const char *path, const char *fresh, const char *date, char aside[FOCAL_SQLITE_PATH_MAX], struct focal_error *err)
{
    static const char *const beside[] = { "", "-wal", "-shm", "-journal" };
    enum focal_status status = FOCAL_OK;
    aside[0] = 0;
    focal_assert(there(fresh, "") && !there(fresh, "-wal"));
    if (there(path, "") || there(path, "-wal"))
        status = free_name(path, date, aside, err);
    for (size_t i = 0; i < sizeof beside / sizeof *beside && aside[0] && status == FOCAL_OK; i++)
        status = move(path, aside, beside[i], err);
    if (status == FOCAL_OK)
        status = sync_directory(path, err);
    if (status == FOCAL_OK)
        status = move(fresh, path, "", err);
    return status == FOCAL_OK ? sync_directory(path, err) : status;
}

void focal_sqlite_discard(const char *fresh)
{
    static const char *const beside[] = { "", "-wal", "-shm", ".lock", ".new", ".new-wal", ".new-shm" };
    char path[SQLITE_PATH_BYTES];
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        focal_sqlite_beside(path, fresh, beside[i]);
        (void)!unlink(path);
    }
}
