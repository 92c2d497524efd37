/* The lock file beside the database, against a second daemon on the same directory.
 *
 * An open-file-description lock: it is held by this descriptor alone, goes with the process however it dies, also
 * holds between two stores of one process, and closing any other descriptor of the file does not drop it. The file
 * stays when the lock goes: taking it away could take it from under somebody who just opened it. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PID_TEXT_BYTES = 24 };

/* The holder writes its process id into the file; 0 when there is none to be read. Only a hint for people. */
static uint64_t holder_of(int fd)
{
    char text[PID_TEXT_BYTES];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = 0;
    char *end = strchr(text, '\n');
    uint64_t pid;
    if (!end || !focal_parse_u64(focal_span_of(text, (size_t)(end - text)), &pid))
        return 0;
    return pid;
}

/* Best effort: a full disk must not keep the daemon from starting, the lock itself needs no bytes. */
static void sign(int fd)
{
    char text[PID_TEXT_BYTES];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
        (void)!ftruncate(fd, 0);
}

static enum focal_status refuse(int fd, const char *path, struct focal_error *err)
{
    const char *hint = "stop the other program first, or name another directory";
    uint64_t pid = holder_of(fd);
    if (pid)
        return focal_fail(err, FOCAL_BUSY, hint, "%s is held by process %llu: the database is in use", path,
                          (unsigned long long)pid);
    return focal_fail(err, FOCAL_BUSY, hint, "%s is held by another process: the database is in use", path);
}

enum focal_status focal_sqlite_lock(int *fd, const char *path, bool shared, struct focal_error *err)
{
    *fd = -1;
    int f = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (f < 0 && shared && (errno == EROFS || errno == EACCES || errno == ENOENT)) {
        /* A reader of a place where nobody may write: if there is a lock file it is respected, else there is no
         * writer to be kept out. */
        f = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (f < 0 && errno == ENOENT)
            return FOCAL_OK;
    }
    if (f < 0)
        return focal_fail(err, focal_sqlite_errno_status(errno), "look at the directory's owner and permissions",
                          "cannot open the lock file %s: %s", path, strerror(errno));
    struct flock lock = { .l_type = (short)(shared ? F_RDLCK : F_WRLCK), .l_whence = SEEK_SET };
    if (fcntl(f, F_OFD_SETLK, &lock) != 0) {
        int error = errno;
        enum focal_status status = error == EAGAIN || error == EACCES
            ? refuse(f, path, err)
            : focal_fail(err, FOCAL_IO, "use a file system that knows locks", "cannot lock %s: %s", path, strerror(error));
        close(f);
        return status;
    }
    if (!shared)
        sign(f);
    *fd = f;
    return FOCAL_OK;
}

void focal_sqlite_unlock(int fd)
{
    if (fd < 0)
        return;
    /* No stale number may be shown as the holder; a reader's descriptor may not be writable, and holds no number. */
    if (holder_of(fd) == (uint64_t)getpid())
        (void)!ftruncate(fd, 0);
    close(fd);
}
