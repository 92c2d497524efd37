/* What is told here step by step was found by chance, or could be: the same with the disk's chance tried many times. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <cmocka.h>

#include "disk.h"
#include "focal/store_sqlite.h"
#include "inside_store.h"
#include "store_key.h"

enum { TRIES = 60 };
#define DATABASE DISK_PREFIX "/db"

static enum focal_status open_it(struct focal_store **store, bool create)
{
    return focal_sqlite_open(store, &(struct focal_sqlite_options){ SEALED, .path = DATABASE, .create = create }, NULL);
}

static enum focal_status put_number(struct focal_store *store, uint8_t number)
{
    enum focal_status status = focal_store_begin(store);
    if (status == FOCAL_OK)
        status = focal_store_put(store, FOCAL_SHELF_LOG, focal_span_of(&number, 1), focal_span_text("there"));
    if (status == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return status;
}

static bool has_number(struct focal_store *store, uint8_t number)
{
    struct focal_buf value;
    focal_buf_init(&value, 100);
    enum focal_status status = focal_store_get(store, FOCAL_SHELF_LOG, focal_span_of(&number, 1), &value);
    assert_true(status == FOCAL_OK || status == FOCAL_NOT_FOUND);
    focal_buf_close(&value);
    return status == FOCAL_OK;
}

static struct disk *disk_with_one(uint64_t seed, struct focal_store **store)
{
    struct disk *d = disk_new(seed);
    power_mount(d);
    assert_int_equal(open_it(store, true), FOCAL_OK);
    assert_int_equal(put_number(*store, 1), FOCAL_OK);
    return d;
}

static void kill_it(struct disk *d, struct focal_store *store)
{
    disk_cut(d);
    focal_store_close(store);
    disk_start_again(d);
}

static void cut_power(struct disk *d, struct focal_store *store)
{
    disk_cut(d);
    focal_store_close(store);
    disk_power_on(d);
}

/* A program is killed in its commit. The next one shows what the first wrote, so it must still be there after a power cut,
 * although nothing was written in between. */
static void what_is_shown_stays(void **state)
{
    unsigned shown = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        for (uint64_t event = 1; event < 12; event++) {
            struct focal_store *store;
            struct disk *d = disk_with_one(seed, &store);
            disk_plan_cut(d, event);
            enum focal_status status = put_number(store, 2);
            kill_it(d, store);
            assert_int_equal(open_it(&store, false), FOCAL_OK);
            bool there = has_number(store, 2);
            assert_true(there || status != FOCAL_OK);
            shown += there && status != FOCAL_OK;
            cut_power(d, store);
            assert_int_equal(open_it(&store, false), FOCAL_OK);
            assert_int_equal(has_number(store, 2), there);
            assert_true(has_number(store, 1));
            focal_store_close(store);
            disk_free(d);
        }
    }
    assert_true(shown > 0);
}

/* After a failed fsync the system may call pages clean that never reached the disk. What is committed later, by the next
 * program, must not stand behind such a hole. */
static void nothing_is_built_on_a_failed_fsync(void **state)
{
    unsigned shown = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES; seed++) {
        struct focal_store *store;
        struct disk *d = disk_with_one(seed, &store);
        disk_plan_failure(d, (struct disk_failure){ .nth = 1, .kinds = DISK_SYNC, .error = EIO });
        assert_int_equal(put_number(store, 2), FOCAL_IO);
        assert_true(disk_failure_happened(d));
        assert_int_equal(focal_store_begin(store), FOCAL_IO);
        kill_it(d, store);
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        bool there = has_number(store, 2);
        shown += there;
        assert_int_equal(put_number(store, 3), FOCAL_OK);
        cut_power(d, store);
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        assert_true(has_number(store, 1) && has_number(store, 3));
        assert_int_equal(has_number(store, 2), there);
        focal_store_close(store);
        disk_free(d);
    }
    assert_true(shown > 0);
}

/* A creation killed after the database has its name: who finds it there may rely on it. */
static void a_database_that_was_found_stays(void **state)
{
    unsigned found = 0;
    (void)state;
    for (uint64_t seed = 0; seed < TRIES / 6; seed++) {
        for (uint64_t event = 1;; event++) {
            struct focal_store *store;
            struct disk *d = disk_new(seed * 1000 + event);
            power_mount(d);
            disk_plan_cut(d, event);
            enum focal_status status = open_it(&store, true);
            kill_it(d, store);
            if (status == FOCAL_OK) {
                disk_free(d);
                break;
            }
            status = open_it(&store, false);
            assert_true(status == FOCAL_OK || status == FOCAL_NOT_FOUND);
            bool there = status == FOCAL_OK;
            found += there;
            cut_power(d, store);
            assert_int_equal(open_it(&store, !there), FOCAL_OK);
            focal_store_close(store);
            disk_free(d);
        }
    }
    assert_true(found > 0);
}

/* Two rows, the first the same whatever the number, so that the first page written is the same too. */
static enum focal_status put_two(struct focal_store *store, uint8_t number)
{
    enum focal_status status = focal_store_begin(store);
    if (status == FOCAL_OK)
        status = focal_store_put(store, FOCAL_SHELF_META, focal_span_text("same"), focal_span_text("for all"));
    if (status == FOCAL_OK)
        status = focal_store_put(store, FOCAL_SHELF_LOG, focal_span_of(&number, 1), focal_span_text("there"));
    if (status == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return status;
}

/* A commit that a power cut took was seen to be gone. The next one is cut too: what it wrote must not make the first valid. */
static void what_was_gone_does_not_come_back(void **state)
{
    unsigned gone = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 10 * TRIES; seed++) {
        struct focal_store *store;
        struct disk *d = disk_with_one(seed, &store);
        focal_store_close(store);
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        assert_int_equal(sqlite3_exec(power_connection(store), "PRAGMA wal_autocheckpoint=1", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(put_number(store, 9), FOCAL_OK);
        disk_plan_cut(d, 4);                /* the new log's head, its fsync, two frames */
        assert_int_not_equal(put_two(store, 2), FOCAL_OK);
        cut_power(d, store);
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        bool there = has_number(store, 2);
        gone += !there;
        disk_plan_cut(d, 1 + seed % 8);
        (void)!put_two(store, 3);
        cut_power(d, store);
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        assert_int_equal(has_number(store, 2), there);
        assert_true(has_number(store, 1) && has_number(store, 9));
        focal_store_close(store);
        disk_free(d);
    }
    assert_true(gone > TRIES);
}

/* The log cannot be made durable: then nothing is shown either, and later it can. */
static void a_log_that_cannot_be_made_durable(void **state)
{
    static const unsigned kinds[] = { DISK_SYNC, DISK_WRITE, DISK_SYNC_DIRECTORY };
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct focal_store *store;
        struct disk *d = disk_with_one(i, &store);
        kill_it(d, store);
        disk_plan_failure(d, (struct disk_failure){ .nth = 1, .kinds = kinds[i], .error = EIO, .from_then_on = true });
        struct focal_error err;
        assert_int_equal(focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = DATABASE }, &err), FOCAL_IO);
        assert_int_equal(err.status, FOCAL_IO);
        assert_null(store);
        disk_plan_failure(d, (struct disk_failure){ .nth = 0 });
        assert_int_equal(open_it(&store, false), FOCAL_OK);
        assert_true(has_number(store, 1));
        focal_store_close(store);
        disk_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_stays),
        cmocka_unit_test(nothing_is_built_on_a_failed_fsync),
        cmocka_unit_test(a_database_that_was_found_stays),
        cmocka_unit_test(what_was_gone_does_not_come_back),
        cmocka_unit_test(a_log_that_cannot_be_made_durable),
    };
    return cmocka_run_group_tests_name("power told", tests, NULL, NULL);
}
