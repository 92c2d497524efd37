/* The system calls of the rooms under test: paths below /power and descriptors of its files go to the mounted disk, all
 * others to the system. The linker puts these in place (--wrap, in tests/CMakeLists.txt). */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_FD = 1 << 20, FDS = 64 };

static struct open_file { struct disk_node *node; uint64_t at; int flags; bool reads, writes; } files[FDS];

#define WRAPPED(result, name, ...) result __real_##name(__VA_ARGS__); result __wrap_##name(__VA_ARGS__); result __wrap_##name(__VA_ARGS__)

static bool ours(const char *path)
{
    size_t n = strlen(DISK_PREFIX);
    return disk_mounted && strncmp(path, DISK_PREFIX, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static struct open_file *file_of(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + FDS && files[fd - FIRST_FD].node ? &files[fd - FIRST_FD] : NULL;
}

static int said(int error)
{
    if (!error)
        return 0;
    errno = error;
    return -1;
}

/* ---- opening ---- */

static int open_here(const char *path, int flags)
{
    int slot = 0;
    while (slot < FDS && files[slot].node)
        slot++;
    struct disk_node *node;
    int error = slot == FDS ? EMFILE : disk_open(disk_mounted, path, flags, &node);
    if (error)
        return said(error);
    files[slot] = (struct open_file){ .node = node, .flags = flags };
    if ((flags & O_TRUNC) && (error = disk_truncate(disk_mounted, node, 0)) != 0) {
        disk_close(node);
        files[slot].node = NULL;
        return said(error);
    }
    return FIRST_FD + slot;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    if (ours(path))
        return open_here(path, flags);
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    return __real_open(path, flags, mode);
}

WRAPPED(int, __open_2, const char *path, int flags)
{
    return ours(path) ? open_here(path, flags) : __real___open_2(path, flags);
}

static void let_go(struct open_file *f)
{
    struct disk_holds *h = disk_holds(f->node);
    if (f->reads)
        h->readers--;
    if (f->writes)
        h->writer = NULL;
    f->reads = f->writes = false;
}

WRAPPED(int, close, int fd)
{
    struct open_file *f = file_of(fd);
    if (!f)
        return __real_close(fd);
    let_go(f);
    disk_close(f->node);
    f->node = NULL;
    return 0;
}

/* ---- locks: those of an open file description ---- */

static int lock_here(struct open_file *f, const struct flock *lock)
{
    struct disk_holds *h = disk_holds(f->node);
    if (disk_is_off(disk_mounted))
        return said(EIO);
    bool was_reader = f->reads;
    if (lock->l_type != F_UNLCK && ((h->writer && !f->writes) || (lock->l_type == F_WRLCK && h->readers > was_reader)))
        return said(EAGAIN);
    let_go(f);
    f->reads = lock->l_type == F_RDLCK;
    f->writes = lock->l_type == F_WRLCK;
    h->readers += f->reads;
    if (f->writes)
        h->writer = f;
    return 0;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *arg = va_arg(args, void *);
    va_end(args);
    struct open_file *f = file_of(fd);
    if (!f)
        return __real_fcntl(fd, command, arg);
    if (command == F_OFD_SETLK || command == F_SETLK)
        return lock_here(f, arg);
    return command == F_GETFL ? f->flags : 0;
}

/* ---- bytes ---- */

static ssize_t read_here(struct open_file *f, void *to, size_t len, uint64_t at)
{
    size_t got;
    int error = disk_read(disk_mounted, f->node, to, len, at, &got);
    return error ? said(error) : (ssize_t)got;
}

static ssize_t write_here(struct open_file *f, const void *from, size_t len, uint64_t at)
{
    int error = disk_write(disk_mounted, f->node, from, len, at);
    return error ? said(error) : (ssize_t)len;
}

WRAPPED(ssize_t, pread, int fd, void *to, size_t len, off_t at)
{
    struct open_file *f = file_of(fd);
    return f ? read_here(f, to, len, (uint64_t)at) : __real_pread(fd, to, len, at);
}

WRAPPED(ssize_t, __pread_chk, int fd, void *to, size_t len, off_t at, size_t room)
{
    struct open_file *f = file_of(fd);
    return f ? read_here(f, to, len, (uint64_t)at) : __real___pread_chk(fd, to, len, at, room);
}

static ssize_t read_on(struct open_file *f, void *to, size_t len)
{
    ssize_t n = read_here(f, to, len, f->at);
    f->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

WRAPPED(ssize_t, read, int fd, void *to, size_t len)
{
    struct open_file *f = file_of(fd);
    return f ? read_on(f, to, len) : __real_read(fd, to, len);
}

WRAPPED(ssize_t, __read_chk, int fd, void *to, size_t len, size_t room)
{
    struct open_file *f = file_of(fd);
    return f ? read_on(f, to, len) : __real___read_chk(fd, to, len, room);
}

WRAPPED(ssize_t, pwrite, int fd, const void *from, size_t len, off_t at)
{
    struct open_file *f = file_of(fd);
    return f ? write_here(f, from, len, (uint64_t)at) : __real_pwrite(fd, from, len, at);
}

WRAPPED(ssize_t, write, int fd, const void *from, size_t len)
{
    struct open_file *f = file_of(fd);
    if (!f)
        return __real_write(fd, from, len);
    struct disk_look look;
    disk_look(f->node, &look);
    ssize_t n = write_here(f, from, len, f->flags & O_APPEND ? look.size : f->at);
    f->at += n > 0 ? (uint64_t)n : 0;
    return n;
}

WRAPPED(int, ftruncate, int fd, off_t size)
{
    struct open_file *f = file_of(fd);
    return f ? said(disk_truncate(disk_mounted, f->node, (uint64_t)size)) : __real_ftruncate(fd, size);
}

WRAPPED(int, fsync, int fd)
{
    struct open_file *f = file_of(fd);
    return f ? said(disk_sync(disk_mounted, f->node)) : __real_fsync(fd);
}

WRAPPED(int, fdatasync, int fd)
{
    struct open_file *f = file_of(fd);
    return f ? said(disk_sync(disk_mounted, f->node)) : __real_fdatasync(fd);
}

/* ---- names ---- */

static int look_at(const struct disk_node *node, struct stat *st)
{
    struct disk_look look;
    disk_look(node, &look);
    memset(st, 0, sizeof *st);
    st->st_mode = look.is_directory ? S_IFDIR | 0700 : S_IFREG | 0600;
    st->st_size = (off_t)look.size;
    st->st_ino = look.number;
    st->st_dev = 0xF0CA;
    st->st_nlink = 1;
    st->st_uid = geteuid();
    return 0;
}

static int stat_here(const char *path, struct stat *st)
{
    struct disk_node *node;
    int error = disk_find(disk_mounted, path, &node);
    return error ? said(error) : look_at(node, st);
}

WRAPPED(int, stat, const char *path, struct stat *st)
{
    return ours(path) ? stat_here(path, st) : __real_stat(path, st);
}

WRAPPED(int, lstat, const char *path, struct stat *st)
{
    return ours(path) ? stat_here(path, st) : __real_lstat(path, st);
}

WRAPPED(int, fstat, int fd, struct stat *st)
{
    struct open_file *f = file_of(fd);
    return f ? look_at(f->node, st) : __real_fstat(fd, st);
}

WRAPPED(int, access, const char *path, int mode)
{
    struct stat st;
    return ours(path) ? stat_here(path, &st) : __real_access(path, mode);
}

WRAPPED(int, unlink, const char *path)
{
    return ours(path) ? said(disk_unlink(disk_mounted, path)) : __real_unlink(path);
}

WRAPPED(int, link, const char *from, const char *to)
{
    return ours(from) ? said(disk_link(disk_mounted, from, to)) : __real_link(from, to);
}

WRAPPED(int, mkdir, const char *path, mode_t mode)
{
    return ours(path) ? said(disk_make_directory(disk_mounted, path)) : __real_mkdir(path, mode);
}

WRAPPED(int, rename, const char *from, const char *to)
{
    return ours(from) ? said(disk_rename(disk_mounted, from, to, true)) : __real_rename(from, to);
}

WRAPPED(int, renameat2, int from_directory, const char *from, int to_directory, const char *to, unsigned flags)
{
    if (!ours(from))
        return __real_renameat2(from_directory, from, to_directory, to, flags);
    return said(disk_rename(disk_mounted, from, to, !(flags & RENAME_NOREPLACE)));
}

/* There are no links here; only slashes at the end go. */
static char *real_here(const char *path, char *out)
{
    struct stat st;
    if (stat_here(path, &st) != 0)
        return NULL;
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    memcpy(out, path, len);
    out[len] = 0;
    return out;
}

WRAPPED(char *, realpath, const char *path, char *out)
{
    return ours(path) && out ? real_here(path, out) : __real_realpath(path, out);
}

WRAPPED(char *, __realpath_chk, const char *path, char *out, size_t room)
{
    return ours(path) && out ? real_here(path, out) : __real___realpath_chk(path, out, room);
}

void power_mount(struct disk *d)
{
    disk_mounted = d;
    power_register();
}
