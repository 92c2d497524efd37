/* What a program before us wrote, and did not live to make durable, is made so before anybody is shown it: what is shown is
 * sent to others, and must not be gone after the next power cut.
 *
 * An fsync is not enough. After one that failed the system may hold pages that differ from the disk and call them clean:
 * they are read back as written, the next fsync says OK, and the log has a hole into which later commits would fall. So the
 * log is written over itself, byte for byte, and then it is dirty and its fsync is honest. The database file needs none of
 * this: what the log holds is copied into it anew. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 64 * 1024 };

/* 0 or an errno. */
static int write_over(int fd, uint8_t *block)
{
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, block, BLOCK_BYTES, at);
        if (n <= 0)
            return n == 0 ? 0 : errno;
        for (ssize_t done = 0; done < n;) {
            ssize_t written = pwrite(fd, block + done, (size_t)(n - done), at + done);
            if (written <= 0)
                return written < 0 ? errno : EIO;
            done += written;
        }
        at += n;
    }
}

static int settle_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return 0;
    uint8_t *block = focal_alloc(BLOCK_BYTES);
    if (!block)
        return ENOMEM;
    int error = write_over(fd, block);
    focal_free(block);
    if (error == 0 && fsync(fd) != 0)
        error = errno;
    return error;
}

enum focal_status focal_sqlite_settle(const char *path, struct focal_error *err)
{
    char wal[SQLITE_PATH_BYTES];
    focal_sqlite_beside(wal, path, "-wal");
    int fd = open(wal, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 || errno != ENOENT) {
        int error = fd >= 0 ? settle_file(fd) : errno;
        if (fd >= 0)
            close(fd);
        if (error)
            return focal_fail(err, focal_sqlite_errno_status(error), "see what the system says about this disk",
                              "cannot make %s durable: %s", wal, strerror(error));
    }
    return focal_sqlite_sync_directory_of(path, err);
}
