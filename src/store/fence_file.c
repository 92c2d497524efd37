/* One place of a fence: a directory of this user alone, and in it a file of two slots.
 *
 * Marks are written over the older slot, in place, so that a commit costs one write and one sync and needs no new space,
 * and a write that was torn leaves the other slot to be read. The slots stand a block apart: what tears one block leaves
 * the other. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_FORM "focal fence 1\n"
enum {
    FORM_BYTES = 16, BODY_BYTES = FORM_BYTES + 8 + FENCE_TOKEN_BYTES + FOCAL_FENCE_MACHINE_MAX + 8 + 8,
    SLOT_BYTES = BODY_BYTES + 8, SLOT_APART = 4096, SLOTS = 2, FILE_BYTES = SLOTS * SLOT_APART
};

/* ---- the system's files ---- */

static int system_write(void *data, int fd, const void *bytes, size_t len, int64_t at)
{
    const uint8_t *from = bytes;
    (void)data;
    while (len) {
        ssize_t n = pwrite(fd, from, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        from += n;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int system_sync(void *data, int fd)
{
    (void)data;
    return fdatasync(fd) == 0 ? 0 : errno;
}

static int system_remove(void *data, int directory, const char *name)
{
    (void)data;
    if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
        return errno;
    return fsync(directory) == 0 ? 0 : errno;
}

const struct focal_fence_files focal_sqlite_fence_files = { NULL, system_write, system_sync, system_remove };

/* ---- slots ---- */

/* Against tearing, not against people: who can write here can also write a good sum. */
static uint64_t checksum(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 0xCBF29CE484222325u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 0x100000001B3u;
    return sum;
}

static void encode(uint8_t out[SLOT_BYTES], const struct fence_mark *mark, const struct fence_home *home)
{
    uint8_t *at = out;
    memset(out, 0, SLOT_BYTES);
    memcpy(at, SLOT_FORM, sizeof SLOT_FORM - 1);
    focal_put_be64(at += FORM_BYTES, mark->generation);
    memcpy(at += 8, mark->token, FENCE_TOKEN_BYTES);
    memcpy(at += FENCE_TOKEN_BYTES, home->machine, sizeof home->machine);
    focal_put_be64(at += sizeof home->machine, home->device);
    focal_put_be64(at += 8, home->inode);
    focal_put_be64(at += 8, checksum(out, BODY_BYTES));
    focal_assert(at + 8 == out + SLOT_BYTES);
}

static bool decode(const uint8_t in[SLOT_BYTES], struct fence_mark *mark, struct fence_home *home)
{
    struct focal_cur cur = focal_cur_of(focal_span_of(in, SLOT_BYTES));
    uint8_t form[FORM_BYTES], wanted[FORM_BYTES] = SLOT_FORM;
    focal_cur_copy(&cur, form, sizeof form);
    mark->generation = focal_cur_be64(&cur);
    focal_cur_copy(&cur, mark->token, sizeof mark->token);
    focal_cur_copy(&cur, home->machine, sizeof home->machine);
    home->device = focal_cur_be64(&cur);
    home->inode = focal_cur_be64(&cur);
    return focal_cur_be64(&cur) == checksum(in, BODY_BYTES) && focal_cur_done(&cur)
        && memcmp(form, wanted, sizeof form) == 0;
}

static int read_slots(struct fence_place *p)
{
    p->there = false;
    p->slot = SLOTS - 1;
    for (int slot = 0; slot < SLOTS; slot++) {
        uint8_t bytes[SLOT_BYTES];
        struct fence_mark mark;
        struct fence_home home;
        ssize_t n = pread(p->file, bytes, sizeof bytes, slot * SLOT_APART);
        if (n < 0)
            return errno;
        if (n != SLOT_BYTES || !decode(bytes, &mark, &home) || (p->there && mark.generation < p->mark.generation))
            continue;
        p->there = true;
        p->slot = slot;
        p->mark = mark;
        p->home = home;
    }
    return 0;
}

int focal_sqlite_place_mark(struct fence_place *p, const struct fence *f, const struct fence_mark *mark)
{
    uint8_t bytes[SLOT_BYTES];
    int slot = (p->slot + 1) % SLOTS;
    encode(bytes, mark, &f->home);
    int error = f->files->write(f->files->data, p->file, bytes, sizeof bytes, slot * SLOT_APART);
    if (error == 0)
        error = f->files->sync(f->files->data, p->file);
    if (error != 0)
        return error;
    p->there = true;
    p->slot = slot;
    p->mark = *mark;
    p->home = f->home;
    return 0;
}

int focal_sqlite_place_empty(struct fence_place *p, const struct fence *f)
{
    static const uint8_t zeros[FILE_BYTES];
    int error = f->files->write(f->files->data, p->file, zeros, sizeof zeros, 0);
    if (error == 0)
        error = f->files->sync(f->files->data, p->file);
    p->there = false;
    p->slot = SLOTS - 1;
    return error;
}

/* ---- the place ---- */

void focal_sqlite_place_close(struct fence_place *p)
{
    if (!p->used)
        return;
    close(p->file);
    close(p->directory);
    p->used = p->there = false;
}

int focal_sqlite_place_give_up(struct fence_place *p, const struct fence *f)
{
    int error = f->files->remove(f->files->data, p->directory, f->name);
    focal_sqlite_place_close(p);
    return error;
}

/* Whether the path, made or not, lies in that directory: a fence there would be taken and put back with the database. */
static bool lies_in(const char *path, const char *directory)
{
    char part[SQLITE_PATH_BYTES], real[PATH_MAX];
    focal_sqlite_beside(part, path, "");
    while (!realpath(part, real)) {
        char *slash = strrchr(part, '/');
        if (!slash || slash == part)
            return false;
        *slash = 0;
    }
    size_t len = strlen(directory);
    return strncmp(real, directory, len) == 0 && (real[len] == 0 || real[len] == '/');
}

static void make_directories(const char *path)
{
    char part[SQLITE_PATH_BYTES];
    focal_sqlite_beside(part, path, "");
    for (char *at = part + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = 0;
        (void)!mkdir(part, 0700);
        *at = '/';
    }
    (void)!mkdir(part, 0700);
}

/* -1: it cannot serve. Whoever else could write there could also make an old copy look good. */
static int open_directory(const char *path, const char *beside)
{
    struct stat st;
    if (path[0] != '/' || strlen(path) >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES || strstr(path, "/..") || lies_in(path, beside))
        return -1;
    make_directories(path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The file at its full size, so that marks need no space later. */
static int open_file(struct fence_place *p, const struct fence *f)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    struct stat st;
    p->file = openat(p->directory, f->name, flags);
    if (p->file < 0 && errno == ENOENT)
        p->file = openat(p->directory, f->name, flags | O_CREAT | O_EXCL, 0600);
    if (p->file < 0)
        return errno;
    int error = fstat(p->file, &st) != 0 ? errno : !S_ISREG(st.st_mode) || st.st_uid != geteuid() ? EACCES : 0;
    if (error == 0 && st.st_size != FILE_BYTES) {
        error = focal_sqlite_place_empty(p, f);
        if (error == 0 && fsync(p->directory) != 0)
            error = errno;
        if (error != 0)
            (void)!unlinkat(p->directory, f->name, 0);
    }
    if (error == 0)
        error = read_slots(p);
    if (error != 0)
        close(p->file);
    return error;
}

void focal_sqlite_place_open(struct fence_place *p, const struct fence *f, const char *path, const char *beside)
{
    p->directory = open_directory(path, beside);
    if (p->directory < 0)
        return;
    if (open_file(p, f) == 0)
        p->used = true;
    else
        close(p->directory);
}

bool focal_sqlite_place_again(struct fence_place *to, const struct fence_place *from, const struct fence *f)
{
    memset(to, 0, sizeof *to);
    to->directory = fcntl(from->directory, F_DUPFD_CLOEXEC, 0);
    if (to->directory < 0)
        return false;
    to->used = open_file(to, f) == 0;
    if (!to->used)
        close(to->directory);
    return to->used;
}
