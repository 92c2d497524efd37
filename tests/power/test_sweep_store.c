/* A fixed day of a store, with each thing that can fail in it failing in turn: what the store answers then, what it shows,
 * and what is there after it was opened again, before and after a power cut. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fake_store.h"
#include "inside_store.h"
#include "trouble.h"
#include "store_key.h"

#define DATABASE DISK_PREFIX "/db"
enum { KEYS = 30, BIG = 30000 };

struct day {
    const struct trouble *trouble;
    uint64_t nth;
    struct disk *disk;
    struct focal_store *store, *shot, *model;
    bool created;
    int step;
    int number;                                     /* of the transaction that comes next */
    bool commit_called;
    struct focal_buf value, other;
};

static enum focal_status open_it(struct day *d)
{
    struct focal_sqlite_options options = { SEALED, .path = DATABASE, .create = !d->created };
    struct focal_error err = { .status = FOCAL_OK };
    enum focal_status status = focal_sqlite_open(&d->store, &options, &err);
    if (status == FOCAL_EXISTS && !d->created) {
        options.create = false;
        status = focal_sqlite_open(&d->store, &options, &err);
    }
    if (status != FOCAL_OK) {
        assert_int_equal(err.status, status);
        assert_true(err.message[0] != 0);
        assert_null(d->store);
        return status;
    }
    d->created = true;
    /* Checkpoints and spills come within a few transactions. */
    (void)sqlite3_exec(power_connection(d->store), "PRAGMA wal_autocheckpoint=10; PRAGMA cache_size=12", NULL, NULL, NULL);
    return FOCAL_OK;
}

/* ---- what is done ---- */

static enum focal_shelf shelf_of(int i)
{
    return i % 3 == 0 ? FOCAL_SHELF_LOG : i % 3 == 1 ? FOCAL_SHELF_PART : FOCAL_SHELF_META;
}

static enum focal_status write_into(struct focal_store *store, int number)
{
    static uint8_t value[BIG];
    int count = number % 4 == 2 ? 40 : 3;
    enum focal_status status = FOCAL_OK;
    memset(value, number, sizeof value);
    for (int i = 0; i < count && status == FOCAL_OK; i++) {
        uint8_t key[2] = { (uint8_t)((number * 7 + i) % KEYS), 0 };
        size_t len = number % 4 == 2 && i % 8 == 0 ? BIG - (size_t)number : (size_t)(40 + 31 * i);
        if ((number + i) % 5 == 4)
            status = focal_store_del(store, shelf_of(i), focal_span_of(key, 2));
        else
            status = focal_store_put(store, shelf_of(i), focal_span_of(key, 2), focal_span_of(value, len));
    }
    return status;
}

static void write_model(struct day *d)
{
    trouble_lay_aside();
    assert_int_equal(focal_store_begin(d->model), FOCAL_OK);
    assert_int_equal(write_into(d->model, d->number), FOCAL_OK);
    assert_int_equal(focal_store_commit(d->model), FOCAL_OK);
    d->number++;
    trouble_take_up();
}

static enum focal_status transact(struct day *d)
{
    enum focal_status status = focal_store_begin(d->store);
    if (status != FOCAL_OK)
        return status;
    status = write_into(d->store, d->number);
    if (status == FOCAL_OK) {
        d->commit_called = true;
        status = focal_store_commit(d->store);
    } else {
        /* A transaction that failed stays failed. */
        assert_int_equal(focal_store_commit(d->store), status);
    }
    if (status == FOCAL_OK) {
        d->commit_called = false;
        write_model(d);
    }
    return status;
}

static enum focal_status give_up(struct day *d)
{
    enum focal_status status = focal_store_begin(d->store);
    if (status == FOCAL_OK)
        status = write_into(d->store, 100);
    focal_store_rollback(d->store);
    return status;
}

/* Whatever is answered with OK or NOT_FOUND must be so. */
static enum focal_status read_some(struct day *d, struct focal_store *store)
{
    for (int i = 0; i < KEYS; i++) {
        uint8_t key[2] = { (uint8_t)i, 0 };
        enum focal_status status = focal_store_get(store, shelf_of(i), focal_span_of(key, 2), &d->value);
        if (status != FOCAL_OK && status != FOCAL_NOT_FOUND)
            return status;
        trouble_lay_aside();
        enum focal_status held = focal_store_get(d->model, shelf_of(i), focal_span_of(key, 2), &d->other);
        trouble_take_up();
        assert_int_equal(status, held);
        assert_true(focal_span_equal(focal_buf_view(&d->value), focal_buf_view(&d->other)));
    }
    return FOCAL_OK;
}

static enum focal_status walk(struct day *d, bool upward)
{
    uint8_t at[FOCAL_STORE_KEY_MAX];
    struct focal_span from = { at, 0 };
    for (;;) {
        enum focal_status status = upward ? focal_store_next(d->store, FOCAL_SHELF_PART, from, &d->value, NULL)
                                          : focal_store_prev(d->store, FOCAL_SHELF_PART, from, &d->value, NULL);
        if (status != FOCAL_OK && status != FOCAL_NOT_FOUND)
            return status;
        trouble_lay_aside();
        enum focal_status held = upward ? focal_store_next(d->model, FOCAL_SHELF_PART, from, &d->other, NULL)
                                        : focal_store_prev(d->model, FOCAL_SHELF_PART, from, &d->other, NULL);
        trouble_take_up();
        assert_int_equal(status, held);
        assert_true(focal_span_equal(focal_buf_view(&d->value), focal_buf_view(&d->other)));
        if (status == FOCAL_NOT_FOUND)
            return FOCAL_OK;
        memcpy(at, d->value.data, d->value.len);
        from.len = d->value.len;
    }
}

static enum focal_status use_snapshot(struct day *d)
{
    enum focal_status status = focal_store_snapshot(d->store, &d->shot);
    if (status == FOCAL_OK)
        status = read_some(d, d->shot);
    focal_store_close(d->shot);
    d->shot = NULL;
    return status;
}

static enum focal_status look_deep(struct day *d)
{
    struct focal_buf findings;
    focal_buf_init(&findings, 4096);
    enum focal_status status = focal_sqlite_deep_check(d->store, &findings);
    focal_buf_close(&findings);
    return status;
}

static enum focal_status reopen(struct day *d)
{
    focal_store_close(d->store);
    d->store = NULL;
    return open_it(d);
}

static enum focal_status step(struct day *d, int i)
{
    switch (i) {
    case 0:
        return open_it(d);
    case 4:
        return give_up(d);
    case 6:
        return read_some(d, d->store);
    case 7:
        return use_snapshot(d);
    case 8:
        return walk(d, true);
    case 9:
        return walk(d, false);
    case 10:
        return reopen(d);
    case 13:
        return focal_store_scrub(d->store);
    case 14:
        return look_deep(d);
    default:
        return transact(d);
    }
}
enum { STEPS = 17 };

/* ---- what is looked at afterwards ---- */

#define expect(d, condition) \
    do { \
        if (!(condition)) \
            fail_msg("%s, the %llu-th, step %d: %s", (d)->trouble->name, (unsigned long long)(d)->nth, (d)->step, #condition); \
    } while (0)

static bool same(struct day *d)
{
    bool is_same = true;
    for (int i = 0; i < 3; i++) {
        enum focal_status status = focal_shelf_compare(d->store, d->model, shelf_of(i), &d->value);
        expect(d, status == FOCAL_OK || status == FOCAL_CONFLICT);
        is_same = is_same && status == FOCAL_OK;
    }
    return is_same;
}

/* All that was acknowledged, or that and the transaction whose commit was called, whole. */
static void expect_whole(struct day *d)
{
    if (same(d))
        return;
    expect(d, d->commit_called);
    write_model(d);
    expect(d, same(d));
}

static void go_on(struct day *d, enum focal_status status, bool store_was_open)
{
    static const enum focal_status may_be[] = { FOCAL_NO_MEMORY, FOCAL_DISK_FULL, FOCAL_IO, FOCAL_NOT_FOUND, FOCAL_BUSY };
    bool known = status == FOCAL_OK;
    for (size_t i = 0; i < sizeof may_be / sizeof *may_be; i++)
        known = known || status == may_be[i];
    /* A page that cannot be read, and cannot be read again, is damage to whoever checks. */
    known = known || (status == FOCAL_DAMAGED && d->trouble->disk.from_then_on && (d->trouble->disk.kinds & DISK_READ));
    if (!known)
        fail_msg("%s, the %llu-th, step %d: gave %s", d->trouble->name, (unsigned long long)d->nth, d->step,
                 focal_status_name(status));
    if (!store_was_open)
        return;
    /* What was not acknowledged is not shown while the store is open, whether it goes on or is dead. */
    expect(d, same(d));
    enum focal_status next = transact(d);
    expect(d, next == FOCAL_OK || next == FOCAL_IO);
    if (d->commit_called && (d->trouble->disk.kinds & DISK_SYNC))
        expect(d, next == FOCAL_IO);
    expect(d, same(d));
}

/* False: the day ended before the trouble came. */
static bool live(struct day *d)
{
    enum focal_status status = FOCAL_OK;
    trouble_arm(d->disk, d->trouble, d->nth);
    for (d->step = 0; d->step < STEPS && status == FOCAL_OK; d->step++)
        status = step(d, d->step);
    bool happened = trouble_happened(d->disk);
    trouble_lift(d->disk);
    if (!happened) {
        expect(d, status == FOCAL_OK);
        return false;
    }
    go_on(d, status, d->store != NULL);
    bool was_acknowledged = d->created;
    focal_store_close(d->store);
    d->store = NULL;
    expect(d, open_it(d) == FOCAL_OK);
    expect_whole(d);
    disk_cut(d->disk);
    focal_store_close(d->store);
    d->store = NULL;
    disk_power_on_bare(d->disk);
    d->created = d->created || was_acknowledged;
    d->commit_called = false;
    expect(d, open_it(d) == FOCAL_OK);
    expect_whole(d);
    expect(d, look_deep(d) == FOCAL_OK);
    expect(d, transact(d) == FOCAL_OK);
    return true;
}

static bool one_day(const struct trouble *trouble, uint64_t nth)
{
    struct day d = { .trouble = trouble, .nth = nth, .disk = disk_new(nth) };
    power_mount(d.disk);
    d.model = focal_fake_store_new();
    assert_non_null(d.model);
    focal_buf_init(&d.value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&d.other, FOCAL_STORE_VALUE_MAX);
    bool happened = live(&d);
    focal_store_close(d.store);
    focal_store_close(d.model);
    focal_buf_close(&d.value);
    focal_buf_close(&d.other);
    disk_free(d.disk);
    return happened;
}

static void each_failure_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < trouble_count; i++) {
        uint64_t nth = 1, tried = 0;
        for (; one_day(&troubles[i], nth); nth += trouble_stride(&troubles[i]))
            tried++;
        printf("%-34s %6llu\n", troubles[i].name, (unsigned long long)tried);
        assert_true(tried > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_failure_in_turn) };
    trouble_install();
    return cmocka_run_group_tests_name("power sweep store", tests, NULL, NULL);
}
