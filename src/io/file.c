/* Files: secrets read with their rules, whole files written so that a power cut leaves the old or the new one. */
#include "loop.h"

#include "focal/base_plant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum focal_status failed(struct focal_error *err, const char *path, int code)
{
    const enum focal_status st = focal_io_status_of_errno(code);
    return focal_fail(err, st, st == FOCAL_DISK_FULL ? "free some room on that disk, then repeat it; nothing was changed" : "", "%s: %s", path, strerror(code));
}

static enum focal_status read_all(struct focal_buf *out, int fd, const char *path, size_t max, struct focal_error *err)
{
    uint8_t chunk[16384];
    size_t taken = 0;
    enum focal_status status = FOCAL_OK;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            status = failed(err, path, errno);
        if (n <= 0)
            break;
        taken += (size_t)n;
        if (taken > max) {
            status = focal_fail(err, FOCAL_TOO_BIG, "", "%s has more than %zu bytes", path, max);
            break;
        }
        focal_buf_bytes(out, chunk, (size_t)n);
        if (out->failed) {
            status = focal_fail(err, FOCAL_NO_MEMORY, "", "%s: no memory to read it", path);
            break;
        }
    }
    explicit_bzero(chunk, sizeof chunk);        /* it may have been a key */
    return status;
}

enum focal_status focal_file_read(struct focal_buf *out, const char *path, size_t max, struct focal_error *err)
{
    if (strcmp(path, "-") == 0)
        return read_all(out, STDIN_FILENO, "standard input", max, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(err, path, errno);
    enum focal_status status = read_all(out, fd, path, max, err);
    close(fd);
    return status;
}

/* Which bits of the mode let others do what only the owner may, and who else may be the owner. */
struct rule { unsigned forbidden, good; bool root; const char *why; };
static const struct rule secret_rule = { 077, 0600, false, "holds a secret, and its mode lets others at it" };
static const struct rule trusted_rule = { 022, 0644, true, "is trusted, and its mode lets others write to it" };

static enum focal_status check_rule(const struct rule *rule, const struct stat *st, const char *path, unsigned good, struct focal_error *err)
{
    char hint[240];

    if (st->st_uid != geteuid() && !(rule->root && st->st_uid == 0)) {
        snprintf(hint, sizeof hint, "look who put it there; if it is right, run: chown %u %s", (unsigned)geteuid(), path);
        return focal_fail(err, FOCAL_DENIED, hint, "%s belongs to another user (%u)", path, (unsigned)st->st_uid);
    }
    if (st->st_mode & rule->forbidden && !FOCAL_PLANTED(MODE_UNCHECKED)) {
        snprintf(hint, sizeof hint, "Run: chmod %o %s", good, path);
        return focal_fail(err, FOCAL_DENIED, hint, "%s %s: %04o", path, rule->why, (unsigned)(st->st_mode & 07777));
    }
    return FOCAL_OK;
}

static enum focal_status is_link(const char *path, struct focal_error *err)
{
    return focal_fail(err, FOCAL_DENIED, "Put the thing itself there.", "%s is a symbolic link, and is not read through one", path);
}

static enum focal_status read_by_rule(const struct rule *rule, struct focal_buf *out, const char *path, size_t max, struct focal_error *err)
{
    struct stat st;

    /* Without waiting: opening a FIFO that somebody put there must not hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ELOOP)
        return is_link(path, err);
    if (fd < 0)
        return failed(err, path, errno);
    enum focal_status status = FOCAL_OK;
    if (fstat(fd, &st))
        status = failed(err, path, errno);
    else if (!S_ISREG(st.st_mode))
        status = focal_fail(err, FOCAL_DENIED, "Put an ordinary file there.", "%s is not a regular file", path);
    else
        status = check_rule(rule, &st, path, rule->good, err);
    if (status == FOCAL_OK)
        status = read_all(out, fd, path, max, err);
    close(fd);
    return status;
}

enum focal_status focal_file_read_secret(struct focal_buf *out, const char *path, size_t max, struct focal_error *err)
{
    return read_by_rule(&secret_rule, out, path, max, err);
}

enum focal_status focal_file_read_trusted(struct focal_buf *out, const char *path, size_t max, struct focal_error *err)
{
    return read_by_rule(&trusted_rule, out, path, max, err);
}

enum focal_status focal_dir_trusted(const char *path, struct focal_error *err)
{
    struct stat st;

    if (lstat(path, &st))
        return failed(err, path, errno);
    if (S_ISLNK(st.st_mode))
        return is_link(path, err);
    if (!S_ISDIR(st.st_mode))
        return focal_fail(err, FOCAL_DENIED, "Move it away.", "%s is not a directory", path);
    return check_rule(&trusted_rule, &st, path, 0755, err);
}

static int sync_dir_of(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (len >= sizeof dir)
        return ENAMETOOLONG;
    if (!slash)
        memcpy(dir, ".", 2);
    else if (len == 0)
        memcpy(dir, "/", 2);
    else {
        memcpy(dir, path, len);
        dir[len] = 0;
    }
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int code = fsync(fd) ? errno : 0;
    close(fd);
    return code;
}

static int write_bytes(int fd, struct focal_span bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return 0;
}

static int put_in_place(const char *temporary, const char *path, bool replace)
{
    if (replace)
        return rename(temporary, path) ? errno : 0;
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* A file system without that call: a hard link refuses just as surely. */
    if (link(temporary, path))
        return errno;
    return unlink(temporary) ? errno : 0;
}

enum focal_status focal_file_write(const char *path, struct focal_span bytes, unsigned mode, bool replace, struct focal_error *err)
{
    char temporary[PATH_MAX], name[17];
    uint8_t chance[8];
    struct stat st;

    if (!replace && lstat(path, &st) == 0)
        return focal_fail(err, FOCAL_EXISTS, "", "%s exists already; it was left alone", path);
    focal_entropy_fill(NULL, chance, sizeof chance);
    focal_hex(name, chance, sizeof chance);
    int n = snprintf(temporary, sizeof temporary, "%s.%s.tmp", path, name);
    if (n < 0 || (size_t)n >= sizeof temporary)
        return failed(err, path, ENAMETOOLONG);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return failed(err, path, errno);
    int code = write_bytes(fd, bytes);
    if (!code && fchmod(fd, (mode_t)mode))
        code = errno;
    if (!code && fsync(fd))
        code = errno;
    if (close(fd) && !code)
        code = errno;
    if (!code)
        code = put_in_place(temporary, path, replace);
    if (code) {
        unlink(temporary);
        if (code == EEXIST)
            return focal_fail(err, FOCAL_EXISTS, "", "%s exists already; it was left alone", path);
        return failed(err, path, code);
    }
    code = sync_dir_of(path);
    return code ? failed(err, path, code) : FOCAL_OK;
}

enum focal_status focal_dir_make(const char *path, unsigned mode, struct focal_error *err)
{
    char part[PATH_MAX];
    struct stat st;
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof part)
        return failed(err, path, len ? ENAMETOOLONG : ENOENT);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char kept = part[i];
        part[i] = 0;
        if (mkdir(part, (mode_t)mode) && errno != EEXIST)
            return failed(err, part, errno);
        part[i] = kept;
    }
    if (stat(path, &st))
        return failed(err, path, errno);
    if (!S_ISDIR(st.st_mode))
        return focal_fail(err, FOCAL_EXISTS, "", "%s exists and is not a directory", path);
    return FOCAL_OK;
}
