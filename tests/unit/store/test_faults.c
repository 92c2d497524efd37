/* A disk that is full, fails or loses a write; memory that runs out: what the store answers, and what is there after.
 *
 * SQLite's own file layer is wrapped, so that every write and every fsync can be made to fail in turn. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/store_sqlite.h"
#include "store_key.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the wrapped file layer ---- */

static struct { bool armed; int writes_left, syncs_left; int code, error; bool happened; } trouble;

struct shim { sqlite3_file base; sqlite3_file *real; };

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods shim_methods;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct shim *)file)->real;
}

static bool strikes(int *left)
{
    if (!trouble.armed || *left <= 0 || --*left > 0)
        return false;
    /* A full disk stays full, a broken one broken. */
    *left = 1;
    trouble.happened = true;
    errno = trouble.error;
    return true;
}

static int shim_close(sqlite3_file *f) { return real_of(f)->pMethods ? real_of(f)->pMethods->xClose(real_of(f)) : SQLITE_OK; }
static int shim_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return real_of(f)->pMethods->xRead(real_of(f), to, n, at); }
static int shim_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (strikes(&trouble.writes_left))
        return trouble.code;
    return real_of(f)->pMethods->xWrite(real_of(f), from, n, at);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 n) { return real_of(f)->pMethods->xTruncate(real_of(f), n); }
static int shim_sync(sqlite3_file *f, int flags)
{
    if (strikes(&trouble.syncs_left))
        return SQLITE_IOERR_FSYNC;
    return real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int shim_size(sqlite3_file *f, sqlite3_int64 *n) { return real_of(f)->pMethods->xFileSize(real_of(f), n); }
static int shim_lock(sqlite3_file *f, int l) { return real_of(f)->pMethods->xLock(real_of(f), l); }
static int shim_unlock(sqlite3_file *f, int l) { return real_of(f)->pMethods->xUnlock(real_of(f), l); }
static int shim_reserved(sqlite3_file *f, int *out) { return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out); }
static int shim_control(sqlite3_file *f, int op, void *arg) { return real_of(f)->pMethods->xFileControl(real_of(f), op, arg); }
static int shim_sector(sqlite3_file *f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
static int shim_device(sqlite3_file *f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }
static int shim_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int shim_shm_lock(sqlite3_file *f, int at, int n, int flags) { return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags); }
static void shim_barrier(sqlite3_file *f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
static int shim_unmap(sqlite3_file *f, int del) { return real_of(f)->pMethods->xShmUnmap(real_of(f), del); }

static int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct shim *shim = (struct shim *)file;
    shim->real = (sqlite3_file *)(shim + 1);
    int rc = real_vfs->xOpen(real_vfs, name, shim->real, flags, out);
    shim->base.pMethods = rc == SQLITE_OK ? &shim_methods : NULL;
    return rc;
}

static sqlite3_vfs shim_vfs;

static int install(void **state)
{
    (void)state;
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    shim_methods = (sqlite3_io_methods){
        .iVersion = 2, .xClose = shim_close, .xRead = shim_read, .xWrite = shim_write, .xTruncate = shim_truncate,
        .xSync = shim_sync, .xFileSize = shim_size, .xLock = shim_lock, .xUnlock = shim_unlock,
        .xCheckReservedLock = shim_reserved, .xFileControl = shim_control, .xSectorSize = shim_sector,
        .xDeviceCharacteristics = shim_device, .xShmMap = shim_map, .xShmLock = shim_shm_lock,
        .xShmBarrier = shim_barrier, .xShmUnmap = shim_unmap,
    };
    shim_vfs = *real_vfs;
    shim_vfs.zName = "faulty";
    shim_vfs.szOsFile = (int)sizeof(struct shim) + real_vfs->szOsFile;
    shim_vfs.xOpen = shim_open;
    return sqlite3_vfs_register(&shim_vfs, 1);
}

static int uninstall(void **state)
{
    (void)state;
    return sqlite3_vfs_unregister(&shim_vfs);
}

/* ---- a place with a database of 100 rows ---- */

struct place { char directory[64], path[80]; };

static void sweep(const struct place *p)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", ".lock", ".new", ".new-wal", ".new-shm", ".new-journal" };
    char path[100];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", p->path, suffixes[i]);
        unlink(path);
    }
}

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-fault-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
    *state = p;
    return 0;
}

static int leave(void **state)
{
    struct place *p = *state;
    trouble.armed = false;
    sweep(p);
    assert_int_equal(rmdir(p->directory), 0);
    focal_free(p);
    return 0;
}

static struct focal_store *must_open(struct place *p, bool create)
{
    struct focal_store *store;
    struct focal_error err;
    if (focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = p->path, .create = create }, &err) != FOCAL_OK)
        fail_msg("%s", err.message);
    return store;
}

static enum focal_status put_number(struct focal_store *store, uint32_t number)
{
    uint8_t key[8], value[900];
    focal_put_be64(key, number);
    memset(value, (int)(number & 0xFF), sizeof value);
    return focal_store_put(store, FOCAL_SHELF_LOG, focal_span_of(key, sizeof key), focal_span_of(value, sizeof value));
}

/* All of `count` rows in one transaction, the way the core does it: the first failure rolls back. */
static enum focal_status fill(struct focal_store *store, uint32_t first, uint32_t count)
{
    enum focal_status status = focal_store_begin(store);
    if (status != FOCAL_OK)
        return status;
    for (uint32_t i = 0; i < count && status == FOCAL_OK; i++)
        status = put_number(store, first + i);
    if (status == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return status;
}

static uint64_t rows_in(struct focal_store *store)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(store, FOCAL_SHELF_LOG, &digest, &rows), FOCAL_OK);
    return rows;
}

static void arm(int writes_left, int syncs_left, int code)
{
    trouble.armed = true;
    trouble.writes_left = writes_left;
    trouble.syncs_left = syncs_left;
    trouble.code = code;
    trouble.error = EIO;
    trouble.happened = false;
}

static void disk_full_at_every_write(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    int failures = 0;
    for (int nth = 1;; nth++) {
        arm(nth, 0, SQLITE_FULL);
        enum focal_status status = fill(store, 1000, 30);
        trouble.armed = false;
        if (!trouble.happened) {
            assert_int_equal(status, FOCAL_OK);
            break;
        }
        assert_int_equal(status, FOCAL_DISK_FULL);
        failures++;
        assert_int_equal(rows_in(store), 100);
    }
    assert_true(failures >= 3);
    /* Space again: the same store goes on. */
    assert_int_equal(rows_in(store), 130);
    focal_store_close(store);
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 130);
    focal_store_close(store);
}

/* A transaction larger than the cache spills while it is filled, so put itself meets the full disk: what follows in
 * the doomed transaction must not reach the disk on its own. */
static void doomed_transaction(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    arm(20, 0, SQLITE_FULL);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    enum focal_status status = FOCAL_OK;
    uint32_t n = 1000;
    while (status == FOCAL_OK && n < 60000)
        status = put_number(store, n++);
    trouble.armed = false;
    assert_true(trouble.happened);
    assert_int_equal(status, FOCAL_DISK_FULL);
    assert_int_equal(put_number(store, 70000), FOCAL_DISK_FULL);
    uint8_t key[8];
    focal_put_be64(key, 5);
    assert_int_equal(focal_store_del(store, FOCAL_SHELF_LOG, focal_span_of(key, 8)), FOCAL_DISK_FULL);
    assert_int_equal(focal_store_commit(store), FOCAL_DISK_FULL);
    assert_int_equal(rows_in(store), 100);
    assert_int_equal(fill(store, 1000, 10), FOCAL_OK);
    focal_store_close(store);
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 110);
    focal_store_close(store);
}

static void failed_fsync_is_never_retried(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    arm(0, 1, 0);
    assert_int_equal(fill(store, 1000, 10), FOCAL_IO);
    trouble.armed = false;
    assert_true(trouble.happened);
    assert_int_equal(focal_store_begin(store), FOCAL_IO);
    /* Reading still works, and shows nothing of what was not acknowledged. */
    assert_int_equal(rows_in(store), 100);
    focal_store_close(store);
    store = must_open(p, false);
    uint64_t rows = rows_in(store);
    assert_true(rows == 100 || rows == 110);
    assert_int_equal(fill(store, 2000, 10), FOCAL_OK);
    focal_store_close(store);
}

/* Some file systems tell of a full disk only when asked to sync: that is a failed sync all the same. */
static void fsync_that_finds_no_room(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    arm(0, 1, 0);
    trouble.error = ENOSPC;
    assert_int_equal(fill(store, 1000, 10), FOCAL_IO);
    trouble.armed = false;
    assert_int_equal(focal_store_begin(store), FOCAL_IO);
    assert_int_equal(focal_store_scrub(store), FOCAL_IO);
    focal_store_close(store);
}

/* A quota is met as an input/output failure; nothing was written, and the store goes on. */
static void quota_is_a_full_disk(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    arm(1, 0, SQLITE_IOERR_WRITE);
    trouble.error = EDQUOT;
    assert_int_equal(fill(store, 1000, 10), FOCAL_DISK_FULL);
    trouble.armed = false;
    assert_int_equal(rows_in(store), 100);
    assert_int_equal(fill(store, 1000, 10), FOCAL_OK);
    focal_store_close(store);
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 110);
    focal_store_close(store);
}

static void failed_write_is_io(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    arm(1, 0, SQLITE_IOERR_WRITE);
    assert_int_equal(fill(store, 1000, 10), FOCAL_IO);
    trouble.armed = false;
    assert_int_equal(rows_in(store), 100);
    focal_store_close(store);
}

/* Creation that fails anywhere leaves no database and nothing half-made, and the next try succeeds. */
static void creation_fails_cleanly(void **state)
{
    struct place *p = *state;
    int failures = 0;
    for (int kind = 0; kind < 2; kind++) {
        for (int nth = 1;; nth++) {
            struct focal_store *store;
            struct focal_error err;
            arm(kind ? 0 : nth, kind ? nth : 0, SQLITE_FULL);
            enum focal_status status =
                focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = p->path, .create = true }, &err);
            trouble.armed = false;
            if (!trouble.happened) {
                assert_int_equal(status, FOCAL_OK);
                focal_store_close(store);
                sweep(p);
                break;
            }
            if (status == FOCAL_OK) {
                /* It struck only where SQLite may pass over it. */
                focal_store_close(store);
                sweep(p);
                continue;
            }
            failures++;
            assert_int_equal(status, kind ? FOCAL_IO : FOCAL_DISK_FULL);
            assert_int_not_equal(access(p->path, F_OK), 0);
            char path[100];
            snprintf(path, sizeof path, "%s.new", p->path);
            assert_int_not_equal(access(path, F_OK), 0);
        }
    }
    assert_true(failures >= 4);
    focal_store_close(must_open(p, true));
}

/* ---- memory ---- */

struct budget { uint64_t left; };

static bool within(void *data, size_t bytes)
{
    struct budget *budget = data;
    (void)bytes;
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}

static void opening_without_memory(void **state)
{
    struct place *p = *state;
    focal_store_close(must_open(p, true));
    struct budget budget = { .left = 0 };
    struct focal_store *store, *shot;
    focal_alloc_hook(within, &budget);
    enum focal_status status = focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = p->path }, NULL);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(status, FOCAL_NO_MEMORY);
    store = must_open(p, false);
    focal_alloc_hook(within, &budget);
    status = focal_store_snapshot(store, &shot);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(status, FOCAL_NO_MEMORY);
    assert_null(shot);
    assert_int_equal(fill(store, 0, 10), FOCAL_OK);
    struct focal_buf value;
    uint8_t key[8];
    focal_put_be64(key, 3);
    focal_buf_init(&value, 1000);
    focal_alloc_hook(within, &budget);
    status = focal_store_get(store, FOCAL_SHELF_LOG, focal_span_of(key, 8), &value);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(status, FOCAL_NO_MEMORY);
    assert_int_equal(focal_store_get(store, FOCAL_SHELF_LOG, focal_span_of(key, 8), &value), FOCAL_OK);
    focal_buf_close(&value);
    focal_store_close(store);
}

/* The bound on SQLite's heap is kept by giving up a transaction, not the process. */
static void sqlite_without_memory(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    assert_int_equal(fill(store, 0, 100), FOCAL_OK);
    static uint8_t big[FOCAL_STORE_VALUE_MAX];
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    sqlite3_int64 bound = sqlite3_hard_heap_limit64(-1);
    assert_true(bound > 0);
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1024 * 1024);
    enum focal_status status =
        focal_store_put(store, FOCAL_SHELF_SEGMENT, focal_span_text("k"), focal_span_of(big, sizeof big));
    sqlite3_hard_heap_limit64(bound);
    assert_int_equal(status, FOCAL_NO_MEMORY);
    assert_int_equal(focal_store_commit(store), FOCAL_NO_MEMORY);
    assert_int_equal(rows_in(store), 100);
    assert_int_equal(fill(store, 1000, 10), FOCAL_OK);
    focal_store_close(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disk_full_at_every_write),
        TEST(doomed_transaction),
        TEST(failed_fsync_is_never_retried),
        TEST(fsync_that_finds_no_room),
        TEST(quota_is_a_full_disk),
        TEST(failed_write_is_io),
        TEST(creation_fails_cleanly),
        TEST(opening_without_memory),
        TEST(sqlite_without_memory),
    };
    return cmocka_run_group_tests_name("store faults", tests, install, uninstall);
}
