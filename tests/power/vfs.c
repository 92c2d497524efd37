/* SQLite's file layer on the mounted disk. It does what SQLite's own does on Linux: the directory is made durable with the
 * first fsync of a log, locks hold between the connections of this process, the index beside the log is plain memory. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REGIONS = 16, SLOTS = SQLITE_SHM_NLOCK, FAR_DATE = 2460000 };

struct shared {
    unsigned users;
    int region_bytes, region_count;
    void *regions[REGIONS];
    int readers[SLOTS];
    const void *writer[SLOTS];
};

struct file {
    sqlite3_file base;
    struct disk_node *node;
    struct shared *shared;
    bool read_slot[SLOTS];
    int level;
    int flags;
    bool directory_due;
    char path[256];
};

/* errno of what failed last, as SQLite asks for it. */
static int last_error;

static struct file *of(sqlite3_file *base) { return (struct file *)base; }

static int failed(int error, int code)
{
    last_error = error;
    return error == ENOSPC && code == SQLITE_IOERR_WRITE ? SQLITE_FULL : code;
}

/* ---- bytes ---- */

static int file_close(sqlite3_file *base)
{
    struct file *f = of(base);
    base->pMethods->xUnlock(base, SQLITE_LOCK_NONE);
    if (f->shared)
        base->pMethods->xShmUnmap(base, 0);
    disk_close(f->node);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int len, sqlite3_int64 at)
{
    size_t got;
    int error = disk_read(disk_mounted, of(base)->node, to, (size_t)len, (uint64_t)at, &got);
    if (error)
        return failed(error, SQLITE_IOERR_READ);
    if (got == (size_t)len)
        return SQLITE_OK;
    memset((uint8_t *)to + got, 0, (size_t)len - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int len, sqlite3_int64 at)
{
    int error = disk_write(disk_mounted, of(base)->node, from, (size_t)len, (uint64_t)at);
    return error ? failed(error, SQLITE_IOERR_WRITE) : SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int error = disk_truncate(disk_mounted, of(base)->node, (uint64_t)size);
    return error ? failed(error, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct file *f = of(base);
    (void)flags;
    if ((disk_lies(disk_mounted) & DISK_LIES_CHECKPOINT) && (f->flags & SQLITE_OPEN_MAIN_DB))
        return SQLITE_OK;
    int error = disk_sync(disk_mounted, f->node);
    if (error)
        return failed(error, SQLITE_IOERR_FSYNC);
    if (f->directory_due) {
        error = disk_sync_directory_of(disk_mounted, f->path);
        if (error)
            return failed(error, SQLITE_IOERR_DIR_FSYNC);
        f->directory_due = false;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct disk_look look;
    if (disk_is_off(disk_mounted))
        return failed(EIO, SQLITE_IOERR_FSTAT);
    disk_look(of(base)->node, &look);
    *size = (sqlite3_int64)look.size;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_device(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- locks ---- */

static int file_lock(sqlite3_file *base, int level)
{
    struct file *f = of(base);
    struct disk_holds *h = disk_holds(f->node);
    if (f->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (h->writer && h->level >= SQLITE_LOCK_PENDING)
            return SQLITE_BUSY;
        h->shared++;
        f->level = level;
        return SQLITE_OK;
    }
    if (h->writer && h->writer != f)
        return SQLITE_BUSY;
    h->writer = f;
    h->level = f->level = level == SQLITE_LOCK_EXCLUSIVE && h->shared > 1 ? SQLITE_LOCK_PENDING : level;
    return f->level == level ? SQLITE_OK : SQLITE_BUSY;
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct file *f = of(base);
    struct disk_holds *h = disk_holds(f->node);
    if (f->level <= level)
        return SQLITE_OK;
    if (h->writer == f) {
        h->writer = NULL;
        h->level = SQLITE_LOCK_NONE;
    }
    if (level == SQLITE_LOCK_NONE)
        h->shared--;
    f->level = level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *out)
{
    *out = disk_holds(of(base)->node)->writer != NULL;
    return SQLITE_OK;
}

/* ---- the index in memory ---- */

static void index_path(char out[272], const struct file *f)
{
    snprintf(out, 272, "%s-shm", f->path);
}

static int attach(struct file *f)
{
    struct disk_holds *h = disk_holds(f->node);
    if (!h->shared_memory) {
        char path[272];
        struct disk_node *node;
        index_path(path, f);
        int error = disk_open(disk_mounted, path, O_CREAT, &node);
        if (error)
            return failed(error, SQLITE_CANTOPEN);
        disk_close(node);
        h->shared_memory = calloc(1, sizeof(struct shared));
        if (!h->shared_memory)
            return SQLITE_NOMEM;
    }
    f->shared = h->shared_memory;
    f->shared->users++;
    return SQLITE_OK;
}

static int file_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    struct file *f = of(base);
    *out = NULL;
    if (!f->shared) {
        int rc = attach(f);
        if (rc != SQLITE_OK)
            return rc;
    }
    struct shared *s = f->shared;
    s->region_bytes = size;
    if (region >= REGIONS)
        return failed(ENOMEM, SQLITE_IOERR_SHMMAP);
    for (; extend && s->region_count <= region; s->region_count++) {
        s->regions[s->region_count] = calloc(1, (size_t)size);
        if (!s->regions[s->region_count])
            return failed(ENOMEM, SQLITE_IOERR_SHMMAP);
    }
    if (region < s->region_count)
        *out = s->regions[region];
    return SQLITE_OK;
}

static int unlock_slots(struct file *f, int at, int count)
{
    for (int i = at; i < at + count; i++) {
        if (f->read_slot[i])
            f->shared->readers[i]--;
        f->read_slot[i] = false;
        if (f->shared->writer[i] == f)
            f->shared->writer[i] = NULL;
    }
    return SQLITE_OK;
}

static int file_shm_lock(sqlite3_file *base, int at, int count, int flags)
{
    struct file *f = of(base);
    struct shared *s = f->shared;
    if (!s)
        return SQLITE_IOERR_SHMLOCK;
    if (flags & SQLITE_SHM_UNLOCK)
        return unlock_slots(f, at, count);
    for (int i = at; i < at + count; i++) {
        bool mine = s->writer[i] == f;
        if ((s->writer[i] && !mine) || ((flags & SQLITE_SHM_EXCLUSIVE) && s->readers[i] > (f->read_slot[i] ? 1 : 0)))
            return SQLITE_BUSY;
    }
    for (int i = at; i < at + count; i++) {
        if (flags & SQLITE_SHM_EXCLUSIVE) {
            s->writer[i] = f;
        } else if (!f->read_slot[i]) {
            f->read_slot[i] = true;
            s->readers[i]++;
        }
    }
    return SQLITE_OK;
}

static void file_barrier(sqlite3_file *base)
{
    (void)base;
}

static int file_unmap(sqlite3_file *base, int delete)
{
    struct file *f = of(base);
    struct shared *s = f->shared;
    if (!s)
        return SQLITE_OK;
    unlock_slots(f, 0, SLOTS);
    f->shared = NULL;
    if (--s->users > 0)
        return SQLITE_OK;
    for (int i = 0; i < s->region_count; i++)
        free(s->regions[i]);
    free(s);
    disk_holds(f->node)->shared_memory = NULL;
    if (delete) {
        char path[272];
        index_path(path, f);
        (void)disk_unlink(disk_mounted, path);
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate,
    .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved, .xFileControl = file_control, .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device, .xShmMap = file_map, .xShmLock = file_shm_lock, .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap,
};

/* ---- names ---- */

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *out)
{
    struct file *f = of(base);
    (void)vfs;
    memset(f, 0, sizeof *f);
    /* Nothing of ours needs a file without a name. */
    if (!name || !disk_mounted || strlen(name) >= sizeof f->path)
        return failed(EINVAL, SQLITE_CANTOPEN);
    int how = (flags & SQLITE_OPEN_CREATE ? O_CREAT : 0) | (flags & SQLITE_OPEN_EXCLUSIVE ? O_EXCL : 0);
    int error = disk_open(disk_mounted, name, how, &f->node);
    if (error)
        return failed(error, SQLITE_CANTOPEN);
    strcpy(f->path, name);
    f->flags = flags;
    f->directory_due = (flags & SQLITE_OPEN_CREATE)
        && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL));
    f->base.pMethods = &methods;
    if (out)
        *out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    (void)vfs;
    int error = disk_unlink(disk_mounted, path);
    if (error)
        return error == ENOENT ? failed(error, SQLITE_IOERR_DELETE_NOENT) : failed(error, SQLITE_IOERR_DELETE);
    if (sync_directory) {
        error = disk_sync_directory_of(disk_mounted, path);
        if (error)
            return failed(error, SQLITE_IOERR_DIR_FSYNC);
    }
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct disk_node *node;
    struct disk_look look = { .size = 0 };
    (void)vfs;
    int error = disk_find(disk_mounted, path, &node);
    if (!error)
        disk_look(node, &look);
    /* An empty file is as good as none, says SQLite's own layer. */
    *out = !error && (flags != SQLITE_ACCESS_EXISTS || look.size > 0);
    return SQLITE_OK;
}

static int vfs_full(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)room, "%s", name) < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

static struct chance chance;

static int vfs_random(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    chance_fill(&chance, out, (size_t)len);
    return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    *out = FAR_DATE;
    return SQLITE_OK;
}

static int vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = (sqlite3_int64)FAR_DATE * 86400000;
    return SQLITE_OK;
}

static int vfs_error(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    (void)len;
    (void)out;
    return last_error;
}

void power_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2, .szOsFile = sizeof(struct file), .mxPathname = 240, .zName = "power", .xOpen = vfs_open,
        .xDelete = vfs_delete, .xAccess = vfs_access, .xFullPathname = vfs_full, .xRandomness = vfs_random,
        .xSleep = vfs_sleep, .xCurrentTime = vfs_time, .xGetLastError = vfs_error, .xCurrentTimeInt64 = vfs_time64,
    };
    if (!sqlite3_vfs_find("power") && sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
    chance.state = 1;
    sqlite3_randomness(0, NULL);
}
