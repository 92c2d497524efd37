/* A layer over SQLite's files that keeps the unused part of every page zero in the database.
 *
 * secure_delete zeroes a cell when it is deleted. But when a page is balanced, its cells are moved to other pages, and
 * their old bytes stay in what has become the page's gap, for ever unseen by secure_delete. Pages reach the database only
 * by a checkpoint, whole and with the write-ahead log behind them, so that is where the gap is zeroed: no write is added,
 * and a power cut finds what it always finds. The sealed layer does the same before it encrypts; this one stands under
 * databases in clear. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64, FILE_HEADER_BYTES = 100, LEAF_HEADER_BYTES = 8, INNER_HEADER_BYTES = 12 };

struct clean_vfs { sqlite3_vfs base; sqlite3_vfs *real; char name[NAME_BYTES]; };
/* Then the real file. */
struct clean_file { sqlite3_file base; sqlite3_file *real; uint8_t page[SQLITE_PAGE_BYTES]; };

static size_t be16(const uint8_t *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* Pages that are no part of a tree begin with a page number, whose highest byte is no type of ours below 2^25 pages. */
void focal_sqlite_clear_gap(uint8_t *page, bool first)
{
    const size_t header = first ? FILE_HEADER_BYTES : 0;
    const uint8_t type = page[header];
    if (type != 2 && type != 5 && type != 10 && type != 13)
        return;
    size_t pointers = header + (type < 8 ? INNER_HEADER_BYTES : LEAF_HEADER_BYTES);
    size_t gap = pointers + 2 * be16(page + header + 3), content = be16(page + header + 5);
    if (content < gap || content > SQLITE_PAGE_BYTES)
        return;
    for (size_t at = pointers; at < gap; at += 2)
        if (be16(page + at) < content)
            return;
    memset(page + gap, 0, content - gap);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct clean_file *)file)->real;
}

static int clean_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    struct clean_file *f = (struct clean_file *)file;
    if (len == SQLITE_PAGE_BYTES && at % SQLITE_PAGE_BYTES == 0) {
        memcpy(f->page, bytes, sizeof f->page);
        focal_sqlite_clear_gap(f->page, at == 0);
        bytes = f->page;
    }
    return f->real->pMethods->xWrite(f->real, bytes, len, at);
}

/* ---- all else as it is ---- */

static int clean_close(sqlite3_file *f) { return real_of(f)->pMethods->xClose(real_of(f)); }
static int clean_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at) { return real_of(f)->pMethods->xRead(real_of(f), to, len, at); }
static int clean_truncate(sqlite3_file *f, sqlite3_int64 len) { return real_of(f)->pMethods->xTruncate(real_of(f), len); }
static int clean_sync(sqlite3_file *f, int flags) { return real_of(f)->pMethods->xSync(real_of(f), flags); }
static int clean_size(sqlite3_file *f, sqlite3_int64 *out) { return real_of(f)->pMethods->xFileSize(real_of(f), out); }
static int clean_lock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xLock(real_of(f), level); }
static int clean_unlock(sqlite3_file *f, int level) { return real_of(f)->pMethods->xUnlock(real_of(f), level); }
static int clean_reserved(sqlite3_file *f, int *out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); }
static int clean_control(sqlite3_file *f, int what, void *with) { return real_of(f)->pMethods->xFileControl(real_of(f), what, with); }
static int clean_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int clean_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }
static int clean_map(sqlite3_file *f, int page, int size, int extend, void volatile **out) { return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out); }
static int clean_shm_lock(sqlite3_file *f, int at, int count, int flags) { return real_of(f)->pMethods->xShmLock(real_of(f), at, count, flags); }
static void clean_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int clean_unmap(sqlite3_file *f, int remove) { return real_of(f)->pMethods->xShmUnmap(real_of(f), remove); }

static const sqlite3_io_methods clean_methods = {
    .iVersion = 2, .xClose = clean_close, .xRead = clean_read, .xWrite = clean_write, .xTruncate = clean_truncate,
    .xSync = clean_sync, .xFileSize = clean_size, .xLock = clean_lock, .xUnlock = clean_unlock,
    .xCheckReservedLock = clean_reserved, .xFileControl = clean_control, .xSectorSize = clean_sector,
    .xDeviceCharacteristics = clean_device, .xShmMap = clean_map, .xShmLock = clean_shm_lock,
    .xShmBarrier = clean_barrier, .xShmUnmap = clean_unmap,
};

static int clean_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *real = ((struct clean_vfs *)vfs)->real;
    if (!(flags & SQLITE_OPEN_MAIN_DB))
        return real->xOpen(real, name, file, flags, out);
    struct clean_file *f = (struct clean_file *)file;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    int rc = real->xOpen(real, name, f->real, flags, out);
    if (rc == SQLITE_OK)
        f->base.pMethods = &clean_methods;
    else if (f->real->pMethods)
        f->real->pMethods->xClose(f->real);
    return rc;
}

/* SQLite keeps the list of such layers; one stands over each layer that was ever the default. */
const char *focal_sqlite_clean_layer(void)
{
    if (sqlite3_initialize() != SQLITE_OK)
        return NULL;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    char name[NAME_BYTES];
    if (!real || snprintf(name, sizeof name, "focal-clean-%s", real->zName) >= (int)sizeof name)
        return NULL;
    sqlite3_vfs *made = sqlite3_vfs_find(name);
    if (made && ((struct clean_vfs *)made)->real == real)
        return made->zName;
    struct clean_vfs *vfs = focal_alloc(sizeof *vfs);
    if (!vfs)
        return NULL;
    vfs->base = *real;
    vfs->real = real;
    memcpy(vfs->name, name, sizeof name);
    vfs->base.pNext = NULL;
    vfs->base.zName = vfs->name;
    vfs->base.szOsFile = (int)sizeof(struct clean_file) + real->szOsFile;
    vfs->base.xOpen = clean_open;
    if (sqlite3_vfs_register(&vfs->base, 0) == SQLITE_OK)
        return vfs->name;
    focal_free(vfs);
    return NULL;
}
