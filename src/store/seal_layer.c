/* The layer of files under which SQLite sees plain pages and the disk never does.
 *
 * What SQLite asks of its files is narrower than what it may ask, and this relies on it: whole pages of the database, whole
 * frames of the log or their two parts. Anything else is refused, and so is any file that is neither the database nor its
 * log: there is none (temp_store and statement journals in memory, creation under journal_mode=MEMORY).
 *
 *   database  write: gap cleared, sealed          read: opened, or an error; of a page 1 that a power cut tore, a short read
 *                                                 is answered with a stand-in, because the log is looked for only after it
 *   log       write: header kept until its page comes, then both are sealed and written as one
 *             read: of a whole frame (recovery) that is not authentic, zeros: a torn tail is no fault, and SQLite ends there;
 *                   of a page that a commit has shown, an error
 * No frame is ever written in part, so none is ever written twice under one nonce. */
#include "inside.h"
#include "seal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 64 };
_Static_assert((int)SEAL_PAGE_BYTES == (int)SQLITE_PAGE_BYTES, "pages are sealed whole");

struct seal_layer {
    sqlite3_vfs base;
    sqlite3_vfs *real;
    atomic_int holders;
    struct seal_keys *keys;              /* in guarded memory */
    struct focal_entropy entropy;
    struct seal_index *index;
    char name[NAME_BYTES];
};

/* Then the real file. */
struct seal_file {
    sqlite3_file base;
    sqlite3_file *real;
    struct seal_layer *layer;
    struct seal_index_user index;
    int64_t due;                         /* number of the frame whose header waits for its page; 0: none */
    uint8_t due_header[SEAL_FRAME_HEADER_BYTES];
    uint8_t block[SEAL_FRAME_BYTES];
};

static struct seal_file *of(sqlite3_file *base) { return (struct seal_file *)base; }

static int real_read(struct seal_file *f, void *to, int len, sqlite3_int64 at) { return f->real->pMethods->xRead(f->real, to, len, at); }
static int real_write(struct seal_file *f, const void *from, int len, sqlite3_int64 at) { return f->real->pMethods->xWrite(f->real, from, len, at); }

static void draw(struct seal_file *f, uint8_t nonce[SEAL_NONCE_BYTES])
{
    memset(nonce, 0, SEAL_NONCE_BYTES);
    if (!FOCAL_PLANTED(PAGE_NONCE_REUSED))
        f->layer->entropy.fill(f->layer->entropy.data, nonce, SEAL_NONCE_BYTES);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i])
            return false;
    return true;
}

/* ---- the database ---- */

static int page_read(sqlite3_file *base, void *to, int len, sqlite3_int64 at)
{
    struct seal_file *f = of(base);
    const int64_t number = at / SEAL_PAGE_BYTES + 1;
    const int within = (int)(at % SEAL_PAGE_BYTES);
    const bool whole = len == SEAL_PAGE_BYTES && within == 0;
    if (!whole && (number != 1 || within + len > SEAL_FILE_HEADER_BYTES))
        return SQLITE_IOERR_READ;
    int rc = real_read(f, f->block, SEAL_PAGE_BYTES, at - within);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    /* Beyond the end. A page that was cut off in its middle is not that. */
    if (rc == SQLITE_IOERR_SHORT_READ && all_zero(f->block, SEAL_PAGE_BYTES)) {
        memset(to, 0, (size_t)len);
        return rc;
    }
    if (!focal_seal_open_page(f->layer->keys, (uint64_t)number, f->block)) {
        if (whole || FOCAL_PLANTED(TORN_FIRST_PAGE_REFUSED))
            return SQLITE_IOERR_DATA;
        focal_seal_stand_in(f->block);
    }
    memcpy(to, f->block + within, (size_t)len);
    memset(f->block, 0, SEAL_PAGE_BYTES);
    return SQLITE_OK;
}

static int page_write(sqlite3_file *base, const void *from, int len, sqlite3_int64 at)
{
    struct seal_file *f = of(base);
    uint8_t nonce[SEAL_NONCE_BYTES];
    if (len != SEAL_PAGE_BYTES || at % SEAL_PAGE_BYTES != 0)
        return SQLITE_IOERR_WRITE;
    memcpy(f->block, from, SEAL_PAGE_BYTES);
    focal_sqlite_clear_gap(f->block, at == 0);
    draw(f, nonce);
    focal_seal_page(f->layer->keys, (uint64_t)(at / SEAL_PAGE_BYTES + 1), nonce, f->block);
    return real_write(f, f->block, SEAL_PAGE_BYTES, at);
}

/* ---- the log ---- */

static sqlite3_int64 frame_at(int64_t number)
{
    return SEAL_WAL_HEADER_BYTES + (sqlite3_int64)(number - 1) * SEAL_FRAME_BYTES;
}

/* Which frame, and where in it; 0: its header, or no place of ours. */
static int64_t frame_of(sqlite3_int64 at, int *within)
{
    if (at < SEAL_WAL_HEADER_BYTES)
        return 0;
    *within = (int)((at - SEAL_WAL_HEADER_BYTES) % SEAL_FRAME_BYTES);
    return (at - SEAL_WAL_HEADER_BYTES) / SEAL_FRAME_BYTES + 1;
}

/* Header and page stand in block, in clear. */
static int write_frame(struct seal_file *f, int64_t number)
{
    uint8_t nonce[SEAL_NONCE_BYTES];
    draw(f, nonce);
    focal_seal_frame(f->layer->keys, (uint64_t)number, nonce, f->block);
    return real_write(f, f->block, SEAL_FRAME_BYTES, frame_at(number));
}

static int read_frame(struct seal_file *f, int64_t number)
{
    int rc = real_read(f, f->block, SEAL_FRAME_BYTES, frame_at(number));
    if (rc != SQLITE_OK)
        return rc;
    return focal_seal_open_frame(f->layer->keys, (uint64_t)number, f->block) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* A header that no page followed: SQLite sums frames up anew after it wrote over pages of an unfinished transaction. */
static int write_due(struct seal_file *f)
{
    const int64_t number = f->due;
    if (number == 0)
        return SQLITE_OK;
    f->due = 0;
    int rc = read_frame(f, number);
    if (rc != SQLITE_OK)
        return rc;
    memcpy(f->block, f->due_header, SEAL_FRAME_HEADER_BYTES);
    return write_frame(f, number);
}

static int log_write(sqlite3_file *base, const void *from, int len, sqlite3_int64 at)
{
    struct seal_file *f = of(base);
    int within = 0;
    const int64_t number = frame_of(at, &within);
    if (number == 0)
        return at == 0 && len == SEAL_WAL_HEADER_BYTES ? real_write(f, from, len, at) : SQLITE_IOERR_WRITE;
    if (within == SEAL_FRAME_HEADER_BYTES && len == SEAL_PAGE_BYTES) {
        if (f->due == number) {
            f->due = 0;
            memcpy(f->block, f->due_header, SEAL_FRAME_HEADER_BYTES);
        } else {
            int rc = write_due(f);
            rc = rc == SQLITE_OK ? read_frame(f, number) : rc;
            if (rc != SQLITE_OK)
                return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : rc;
        }
        memcpy(f->block + SEAL_FRAME_HEADER_BYTES, from, SEAL_PAGE_BYTES);
        return write_frame(f, number);
    }
    if (within != 0 || len != SEAL_FRAME_HEADER_BYTES)
        return SQLITE_IOERR_WRITE;
    int rc = write_due(f);
    if (rc == SQLITE_OK) {
        f->due = number;
        memcpy(f->due_header, from, SEAL_FRAME_HEADER_BYTES);
    }
    return rc;
}

static int log_read(sqlite3_file *base, void *to, int len, sqlite3_int64 at)
{
    struct seal_file *f = of(base);
    int within = 0;
    const int64_t number = frame_of(at, &within);
    if (number == 0)
        return at + len <= SEAL_WAL_HEADER_BYTES ? real_read(f, to, len, at) : SQLITE_IOERR_READ;
    if (within + len > SEAL_FRAME_BYTES)
        return SQLITE_IOERR_READ;
    int rc = write_due(f);
    rc = rc == SQLITE_OK ? read_frame(f, number) : rc;
    if (rc == SQLITE_IOERR_DATA && within == 0 && len == SEAL_FRAME_BYTES) {
        memset(to, 0, (size_t)len);
        return SQLITE_OK;
    }
    if (rc == SQLITE_OK)
        memcpy(to, f->block + within, (size_t)len);
    else if (rc == SQLITE_IOERR_SHORT_READ)
        memset(to, 0, (size_t)len);
    memset(f->block, 0, sizeof f->block);
    return rc;
}

static int log_sync(sqlite3_file *base, int flags)
{
    int rc = write_due(of(base));
    return rc == SQLITE_OK ? of(base)->real->pMethods->xSync(of(base)->real, flags) : rc;
}

static int log_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    of(base)->due = 0;
    return of(base)->real->pMethods->xTruncate(of(base)->real, size);
}

/* ---- both ---- */

static int any_close(sqlite3_file *base)
{
    struct seal_file *f = of(base);
    focal_seal_index_leave(&f->index);
    int rc = f->real->pMethods->xClose(f->real);
    focal_wipe(f->block, sizeof f->block);
    return rc;
}

static int any_truncate(sqlite3_file *f, sqlite3_int64 size) { return of(f)->real->pMethods->xTruncate(of(f)->real, size); }
static int any_sync(sqlite3_file *f, int flags) { return of(f)->real->pMethods->xSync(of(f)->real, flags); }
static int any_size(sqlite3_file *f, sqlite3_int64 *out) { return of(f)->real->pMethods->xFileSize(of(f)->real, out); }
static int any_lock(sqlite3_file *f, int level) { return of(f)->real->pMethods->xLock(of(f)->real, level); }
static int any_unlock(sqlite3_file *f, int level) { return of(f)->real->pMethods->xUnlock(of(f)->real, level); }
static int any_reserved(sqlite3_file *f, int *out) { return of(f)->real->pMethods->xCheckReservedLock(of(f)->real, out); }
static int any_sector(sqlite3_file *f) { return of(f)->real->pMethods->xSectorSize(of(f)->real); }

/* Room asked for ahead would be pages that do not authenticate. */
static int any_control(sqlite3_file *f, int what, void *with)
{
    if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE)
        return SQLITE_OK;
    return of(f)->real->pMethods->xFileControl(of(f)->real, what, with);
}

/* Without POWERSAFE_OVERWRITE SQLite would write frames in pieces, cut at sectors. That a write of one spares what stands
 * beside it is not relied on: a torn neighbour does not authenticate, and the log is read only up to it. */
static int any_device(sqlite3_file *f)
{
    int real = of(f)->real->pMethods->xDeviceCharacteristics(of(f)->real);
    return (real & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN) | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int any_map(sqlite3_file *f, int region, int size, int extend, void volatile **out) { return focal_seal_index_map(&of(f)->index, region, size, extend, out); }
static int any_shm_lock(sqlite3_file *f, int at, int count, int flags) { return focal_seal_index_lock(&of(f)->index, at, count, flags); }
static void any_barrier(sqlite3_file *f) { focal_seal_index_barrier(&of(f)->index); }

static int any_unmap(sqlite3_file *f, int delete)
{
    (void)delete;
    return focal_seal_index_leave(&of(f)->index);
}

static const sqlite3_io_methods page_methods = {
    .iVersion = 2, .xClose = any_close, .xRead = page_read, .xWrite = page_write, .xTruncate = any_truncate, .xSync = any_sync,
    .xFileSize = any_size, .xLock = any_lock, .xUnlock = any_unlock, .xCheckReservedLock = any_reserved, .xFileControl = any_control,
    .xSectorSize = any_sector, .xDeviceCharacteristics = any_device, .xShmMap = any_map, .xShmLock = any_shm_lock,
    .xShmBarrier = any_barrier, .xShmUnmap = any_unmap,
};

static const sqlite3_io_methods log_methods = {
    .iVersion = 1, .xClose = any_close, .xRead = log_read, .xWrite = log_write, .xTruncate = log_truncate, .xSync = log_sync,
    .xFileSize = any_size, .xLock = any_lock, .xUnlock = any_unlock, .xCheckReservedLock = any_reserved, .xFileControl = any_control,
    .xSectorSize = any_sector, .xDeviceCharacteristics = any_device,
};

static int layer_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *out)
{
    struct seal_layer *layer = (struct seal_layer *)vfs;
    struct seal_file *f = of(base);
    base->pMethods = NULL;
    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return SQLITE_CANTOPEN;
    memset(f, 0, sizeof *f);
    f->layer = layer;
    f->index.index = layer->index;
    f->real = (sqlite3_file *)(f + 1);
    int rc = layer->real->xOpen(layer->real, name, f->real, flags, out);
    if (rc == SQLITE_OK)
        base->pMethods = flags & SQLITE_OPEN_WAL ? &log_methods : &page_methods;
    else if (f->real->pMethods)
        f->real->pMethods->xClose(f->real);
    return rc;
}

/* ---- the layer itself ---- */

struct seal_layer *focal_seal_layer_new(const struct focal_store_key *key, const struct focal_entropy *entropy)
{
    if (sqlite3_initialize() != SQLITE_OK || focal_crypto_init() != FOCAL_OK)
        return NULL;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    struct seal_layer *layer = real ? focal_alloc(sizeof *layer) : NULL;
    if (!layer)
        return NULL;
    layer->index = focal_seal_index_new();
    layer->keys = focal_secret_alloc(sizeof *layer->keys);
    if (layer->keys)
        focal_seal_keys(layer->keys, key);
    layer->base = *real;
    layer->real = real;
    layer->entropy = *entropy;
    atomic_init(&layer->holders, 1);
    (void)snprintf(layer->name, sizeof layer->name, "focal-sealed-%p", (void *)layer);
    layer->base.pNext = NULL;
    layer->base.zName = layer->name;
    layer->base.szOsFile = (int)sizeof(struct seal_file) + real->szOsFile;
    layer->base.xOpen = layer_open;
    if (layer->index && layer->keys && sqlite3_vfs_register(&layer->base, 0) == SQLITE_OK)
        return layer;
    focal_seal_index_free(layer->index);
    focal_secret_free(layer->keys);
    focal_free(layer);
    return NULL;
}

struct seal_layer *focal_seal_layer_hold(struct seal_layer *layer)
{
    if (layer)
        atomic_fetch_add(&layer->holders, 1);
    return layer;
}

bool focal_seal_layer_is_shared(const struct seal_layer *layer)
{
    return layer && atomic_load(&layer->holders) > 1;
}

void focal_seal_layer_let_go(struct seal_layer *layer)
{
    if (!layer || atomic_fetch_sub(&layer->holders, 1) != 1)
        return;
    sqlite3_vfs_unregister(&layer->base);
    focal_seal_index_free(layer->index);
    focal_secret_free(layer->keys);
    focal_free(layer);
}

const char *focal_seal_layer_name(const struct seal_layer *layer)
{
    return layer->name;
}
