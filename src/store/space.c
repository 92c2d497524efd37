/* How much of the disk is left, and a reserve of it: a file beside the database that holds room and nothing else.
 *
 *   ENOUGH ── below low ──► SHORT ── below least ──► RESERVE ── reserve used up, below last ──► NONE
 *      ◄── low, air and the reserve whole again ──┴────────────────┴───────────────────────────┘
 *
 * A write of ours that found no room counts for more than what the system tells: a quota does not show there. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t system_left(void *data, const char *path)
{
    struct statvfs fs;
    (void)data;
    return statvfs(path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

/* Up to that size, every byte of it really there. */
static bool hold(struct space *s, uint64_t bytes)
{
    int error = posix_fallocate(s->file, 0, (off_t)bytes);
    if (error == 0)
        s->held_bytes = bytes;
    else if (ftruncate(s->file, (off_t)s->held_bytes) != 0)
        s->full = true;
    return error == 0;
}

/* Whether a piece more than is held could be written now. */
static bool try_piece(struct space *s)
{
    uint64_t held = s->held_bytes;
    if (!hold(s, held + SPACE_PIECE_BYTES))
        return false;
    s->held_bytes = held;
    return ftruncate(s->file, (off_t)held) == 0;
}

enum focal_status focal_sqlite_reserve(struct focal_store *base, const struct focal_space_setup *setup, struct focal_error *err)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    struct space *s = &store->space;
    char path[SQLITE_PATH_BYTES];
    struct stat st;
    focal_assert(base->ops == &focal_sqlite_ops && !store->read_only && !s->kept && setup->reserve_bytes >= SPACE_PIECE_BYTES);
    focal_sqlite_beside(path, store->path, ".reserve");
    s->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (s->file < 0 || fstat(s->file, &st) != 0 || !S_ISREG(st.st_mode)) {
        int error = s->file < 0 ? errno : EACCES;
        if (s->file >= 0)
            close(s->file);
        /* Without an inode to be had the disk is full to the brim; it will not do without a reserve for long. */
        return focal_fail(err, focal_sqlite_errno_status(error), "look at the directory's owner, permissions and space",
                          "cannot keep a reserve in %s: %s", path, strerror(error));
    }
    s->kept = true;
    s->reserve_bytes = setup->reserve_bytes;
    s->left = setup->left ? setup->left : system_left;
    s->data = setup->data;
    uint64_t stands = (uint64_t)st.st_size < s->reserve_bytes ? (uint64_t)st.st_size : s->reserve_bytes;
    /* What an earlier start held, or as much as there is now; a sparse file holds nothing. */
    if (stands == 0 || !hold(s, stands))
        (void)!ftruncate(s->file, 0);
    while (s->held_bytes < s->reserve_bytes && s->left(s->data, store->path) >= SPACE_LOW_BYTES)
        if (!hold(s, s->held_bytes + SPACE_PIECE_BYTES < s->reserve_bytes ? s->held_bytes + SPACE_PIECE_BYTES : s->reserve_bytes))
            break;
    return FOCAL_OK;
}

enum focal_space focal_sqlite_space(struct focal_store *base, uint64_t *wanted)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    struct space *s = &store->space;
    *wanted = 0;
    if (!s->kept)
        return FOCAL_SPACE_ENOUGH;
    uint64_t left = s->left(s->data, store->path), missing = s->reserve_bytes - s->held_bytes;
    uint64_t need = SPACE_LOW_BYTES + missing + (s->low || missing ? SPACE_AIR_BYTES : 0);
    if (s->full && left >= SPACE_LEAST_BYTES && try_piece(s))
        s->full = false;
    if (!s->full && left >= need && (missing == 0 || hold(s, s->reserve_bytes))) {
        s->low = false;
        return FOCAL_SPACE_ENOUGH;
    }
    s->low = true;
    *wanted = need > left ? need - left : 0;
    /* What was given back of the reserve is still for local intake alone. */
    if (!s->full && left >= SPACE_LEAST_BYTES + missing)
        return FOCAL_SPACE_SHORT;
    return s->held_bytes > 0 || (!s->full && left >= SPACE_LAST_BYTES) ? FOCAL_SPACE_RESERVE : FOCAL_SPACE_NONE;
}

enum focal_status focal_sqlite_release(struct focal_store *base)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    struct space *s = &store->space;
    focal_assert(!store->in_transaction);
    if (!s->kept)
        return FOCAL_DISK_FULL;
    if (!s->full && s->left(s->data, store->path) >= SPACE_LEAST_BYTES)
        return FOCAL_OK;
    if (s->held_bytes == 0)
        return FOCAL_DISK_FULL;
    uint64_t rest = s->held_bytes > SPACE_PIECE_BYTES ? s->held_bytes - SPACE_PIECE_BYTES : 0;
    if (ftruncate(s->file, (off_t)rest) != 0)
        return FOCAL_DISK_FULL;
    s->held_bytes = rest;
    s->full = false;
    s->low = true;
    return FOCAL_OK;
}

bool focal_sqlite_give_back(const char *path)
{
    char beside[SQLITE_PATH_BYTES];
    struct stat st;
    if (strlen(path) >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES)
        return false;
    focal_sqlite_beside(beside, path, ".reserve");
    int fd = open(beside, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool there = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    if (there)
        there = ftruncate(fd, st.st_size > SPACE_PIECE_BYTES ? st.st_size - SPACE_PIECE_BYTES : 0) == 0;
    if (fd >= 0)
        close(fd);
    return there;
}

void focal_sqlite_space_close(struct space *s)
{
    if (s->kept)
        close(s->file);
    s->kept = false;
}
