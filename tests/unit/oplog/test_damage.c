/* Rows that are not as they were written: whatever is done to one, opening says DAMAGED, or all that reads it says so or goes
 * on without it, and verify finds it wherever it stands for something that was signed. */
#include "day.h"

enum { ROWS_OF_A_SHELF = 14, HARMS = 9 };
static struct focal_fake_image *evening;

/* The steps up to the first verify: the fence is as it was, and nothing was put back. */
static void live_until_evening(void)
{
    wake_up();
    for (size_t i = 0; steps[i].run != verify; i++) {
        enum focal_status back;
        o.chance.state = 1000 + i;
        assert_int_equal(attempt(&steps[i], &back), FOCAL_OK);
    }
    evening = focal_fake_store_backup(o.store, true);
    assert_non_null(evening);
}

static int set_up(void **state)
{
    set_up_all(state);
    live_until_evening();
    return 0;
}

static int tear_down(void **state)
{
    focal_oplog_close(o.ol);
    focal_store_close(o.store);
    focal_fake_image_free(evening);
    return tear_down_all(state);
}

/* False: the row is too short for this. */
static bool harm(enum focal_shelf shelf, int kind, struct focal_buf *key, struct focal_buf *value)
{
    const size_t at[] = { 0, value->len / 2, value->len - 1 };
    struct focal_span rest = focal_buf_view(value), name = focal_buf_view(key);
    if (kind > 0 && kind != 8 && value->len < 2)
        return false;
    assert_int_equal(focal_store_begin(o.store), FOCAL_OK);
    if (kind <= 3)
        value->data[at[kind > 0 ? kind - 1 : 0]] ^= 1;
    if (kind == 4)
        rest.len--;
    if (kind == 5)
        rest.len = 1;
    if (kind == 6)
        memset(value->data, 0xff, value->len);
    if (kind == 7)
        focal_buf_bytes(value, "x", 1);
    if (kind == 7)
        rest = focal_buf_view(value);
    if (kind == 0 || kind == 8)
        assert_int_equal(focal_store_del(o.store, shelf, name), FOCAL_OK);
    if (kind == 8)
        name.len--;
    if (kind > 0)
        assert_int_equal(focal_store_put(o.store, shelf, name, rest), FOCAL_OK);
    assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
    return true;
}

static void assert_told(enum focal_status st)
{
    if (st != FOCAL_OK && st != FOCAL_DAMAGED && st != FOCAL_NOT_FOUND && st != FOCAL_TOO_BIG)
        fail_msg("a damaged row gives: %s", focal_status_text(st));
}

/* Does verify find anything, or say that it cannot go on? */
static bool verify_objects(void)
{
    struct focal_verify *v;
    enum focal_status st = focal_verify_open(&v, o.ol);
    assert_int_equal(st, FOCAL_OK);
    while ((st = focal_verify_slice(v, 37)) == FOCAL_MORE)
        ;
    assert_told(st);
    const bool objects = st != FOCAL_OK || focal_verify_error_count(v) > 0;
    focal_verify_close(v);
    return objects;
}

static void work_on(void)
{
    static enum focal_status (*const looks[])(void) = { look_at_lists, look_at_records, look_at_lines };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        assert_told(looks[i]());
    static enum focal_status (*const works[])(void) = { rebuild, redact_own, take_late, take_branch, write_some };
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        begin(&o);
        enum focal_status st = works[i]();
        if (st == FOCAL_OK)
            st = focal_oplog_seal(o.ol);
        focal_store_rollback(o.store);
        assert_told(st == FOCAL_NOT_YET || st == FOCAL_CONFLICT || st == FOCAL_DENIED || st == FOCAL_NO_LONGER || st == FOCAL_NEVER ? FOCAL_OK : st);
        assert_told(focal_oplog_rolled_back(o.ol));
    }
}

/* What was signed or follows from it, and is held against that. */
static bool is_verified(enum focal_shelf shelf, int kind)
{
    if (kind == 0)
        return false;
    return shelf == FOCAL_SHELF_STATEMENT || shelf == FOCAL_SHELF_LOG || shelf == FOCAL_SHELF_SEGMENT || shelf == FOCAL_SHELF_PART;
}

static void harm_row(enum focal_shelf shelf, int nth, int kind, struct focal_buf *key, struct focal_buf *value)
{
    struct focal_error err = { .status = FOCAL_OK };
    focal_oplog_close(o.ol);
    o.ol = NULL;
    assert_int_equal(focal_fake_store_restore(o.store, evening), FOCAL_OK);
    if (!harm(shelf, kind, key, value)) {
        office_open(&o);
        return;
    }
    enum focal_status st = focal_oplog_open(&o.ol, o.store, &o.keys, &o.entropy, NULL, &err);
    if (st != FOCAL_OK) {
        assert_true(st == FOCAL_DAMAGED || (st == FOCAL_NOT_FOUND && shelf == FOCAL_SHELF_META));
        assert_true(strlen(err.message) > 10);
        assert_int_equal(focal_fake_store_restore(o.store, evening), FOCAL_OK);
        office_open(&o);
        return;
    }
    const bool objects = verify_objects();
    if (is_verified(shelf, kind) && !objects)
        fail_msg("shelf %d, row %d, harm %d: nothing says so", shelf, nth, kind);
    work_on();
}

static void rows_are_harmed(void **state)
{
    (void)state;
    struct focal_buf key, value, k, v;
    size_t harmed = 0;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&k, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&v, FOCAL_STORE_VALUE_MAX + 1);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        focal_buf_clear(&key);
        for (int nth = 0; nth < ROWS_OF_A_SHELF; nth++) {
            assert_int_equal(focal_fake_store_restore(o.store, evening), FOCAL_OK);
            if (focal_store_next(o.store, (enum focal_shelf)shelf, focal_buf_view(&key), &key, &value) != FOCAL_OK)
                break;
            if (focal_span_equal(focal_buf_view(&key), focal_span_text("fence")))
                continue;           /* the store's own */
            for (int kind = 0; kind < HARMS; kind++, harmed++) {
                focal_buf_clear(&k);
                focal_buf_span(&k, focal_buf_view(&key));
                focal_buf_clear(&v);
                focal_buf_span(&v, focal_buf_view(&value));
                harm_row((enum focal_shelf)shelf, nth, kind, &k, &v);
            }
        }
    }
    assert_true(harmed > 500);
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_buf_close(&k);
    focal_buf_close(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_harmed) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
