/* What the fake store can do beyond the contract: fail on demand, lose power, be looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"

#include <stdio.h>
#include <string.h>

static struct focal_span text(const char *s)
{
    return focal_span_text(s);
}

static enum focal_status put(struct focal_store *store, const char *key, const char *value)
{
    return focal_store_put(store, FOCAL_SHELF_META, text(key), text(value));
}

static enum focal_status one(struct focal_store *store, const char *key, const char *value)
{
    enum focal_status status = focal_store_begin(store);
    if (status != FOCAL_OK)
        return status;
    status = put(store, key, value);
    if (status == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return status;
}

static uint64_t rows(struct focal_store *store)
{
    uint64_t digest, n;
    assert_int_equal(focal_shelf_digest(store, FOCAL_SHELF_META, &digest, &n), FOCAL_OK);
    return n;
}

static struct focal_store *fresh(void)
{
    struct focal_store *store = focal_fake_store_new();
    assert_non_null(store);
    return store;
}

static void fails_the_nth(void **state)
{
    (void)state;
    struct focal_store *store = fresh();
    focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 2, .kinds = FOCAL_FAKE_PUT, .status = FOCAL_DISK_FULL });
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    assert_int_equal(put(store, "a", "1"), FOCAL_OK);
    assert_int_equal(put(store, "b", "1"), FOCAL_DISK_FULL);
    assert_int_equal(put(store, "c", "1"), FOCAL_DISK_FULL);
    assert_int_equal(focal_store_commit(store), FOCAL_DISK_FULL);
    assert_int_equal(rows(store), 0);
    assert_int_equal(one(store, "d", "1"), FOCAL_OK);
    focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_BUSY,
                                                              .from_then_on = true });
    assert_int_equal(focal_store_begin(store), FOCAL_BUSY);
    assert_int_equal(focal_store_begin(store), FOCAL_BUSY);
    struct focal_buf value;
    focal_buf_init(&value, 100);
    assert_int_equal(focal_store_get(store, FOCAL_SHELF_META, text("d"), &value), FOCAL_BUSY);
    focal_buf_close(&value);
    focal_store_close(store);
}

/* Each operation of a fixed run fails in turn; what is there afterwards is what was committed before. */
static void every_operation_in_turn(void **state)
{
    (void)state;
    struct focal_store *store = fresh();
    assert_int_equal(one(store, "a", "1"), FOCAL_OK);
    assert_int_equal(one(store, "b", "1"), FOCAL_OK);
    assert_int_equal(focal_fake_store_operations(store), 6);
    assert_int_equal(rows(store), 2);
    assert_int_equal(focal_fake_store_operations(store), 6);
    focal_store_close(store);
    for (uint64_t nth = 1; nth <= 6; nth++) {
        store = fresh();
        focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_BUSY });
        int done = (one(store, "a", "1") == FOCAL_OK) + (one(store, "b", "1") == FOCAL_OK);
        assert_int_equal(done, 1);
        assert_int_equal(rows(store), 1);
        focal_store_close(store);
    }
}

static void lost_commit(void **state)
{
    (void)state;
    for (int reaches = 0; reaches < 2; reaches++) {
        struct focal_store *store = fresh();
        assert_int_equal(one(store, "a", "1"), FOCAL_OK);
        focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_IO,
                                                                  .commit_reaches_disk = reaches });
        assert_int_equal(one(store, "b", "1"), FOCAL_IO);
        assert_int_equal(rows(store), 1);
        assert_int_equal(focal_store_begin(store), FOCAL_IO);
        focal_fake_store_crash(store);
        assert_int_equal(rows(store), 1 + reaches);
        assert_int_equal(one(store, "c", "1"), FOCAL_OK);
        assert_int_equal(rows(store), 2 + reaches);
        focal_store_close(store);
    }
}

static void crash_in_transaction(void **state)
{
    (void)state;
    struct focal_store *store = fresh();
    assert_int_equal(one(store, "a", "1"), FOCAL_OK);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    assert_int_equal(put(store, "a", "2"), FOCAL_OK);
    assert_int_equal(put(store, "b", "2"), FOCAL_OK);
    focal_fake_store_crash(store);
    struct focal_buf out;
    focal_buf_init(&out, 100);
    assert_int_equal(focal_shelf_dump(store, FOCAL_SHELF_META, &out), FOCAL_OK);
    assert_string_equal(focal_buf_cstr(&out), "61 31\n");
    focal_buf_close(&out);
    focal_store_close(store);
}

static void comparing(void **state)
{
    (void)state;
    struct focal_store *a = fresh(), *b = fresh();
    struct focal_buf why;
    focal_buf_init(&why, 300);
    assert_int_equal(one(a, "k", "1"), FOCAL_OK);
    assert_int_equal(focal_shelf_compare(a, b, FOCAL_SHELF_META, &why), FOCAL_CONFLICT);
    assert_string_equal(focal_buf_cstr(&why), "only in the first: 6b");
    focal_buf_clear(&why);
    assert_int_equal(focal_shelf_compare(b, a, FOCAL_SHELF_META, &why), FOCAL_CONFLICT);
    assert_string_equal(focal_buf_cstr(&why), "only in the second: 6b");
    focal_buf_clear(&why);
    assert_int_equal(one(b, "k", "2"), FOCAL_OK);
    assert_int_equal(focal_shelf_compare(a, b, FOCAL_SHELF_META, &why), FOCAL_CONFLICT);
    assert_string_equal(focal_buf_cstr(&why), "another value under 6b");
    uint64_t x, y;
    assert_int_equal(focal_shelf_digest(a, FOCAL_SHELF_META, &x, NULL), FOCAL_OK);
    assert_int_equal(focal_shelf_digest(b, FOCAL_SHELF_META, &y, NULL), FOCAL_OK);
    assert_true(x != y);
    assert_int_equal(one(b, "k", "1"), FOCAL_OK);
    assert_int_equal(focal_shelf_compare(a, b, FOCAL_SHELF_META, NULL), FOCAL_OK);
    assert_int_equal(focal_shelf_digest(b, FOCAL_SHELF_META, &y, NULL), FOCAL_OK);
    assert_true(x == y);
    focal_buf_close(&why);
    focal_store_close(a);
    focal_store_close(b);
}

/* ---- fences, images, clones ---- */

static void chance_fill(void *data, void *out, size_t len)
{
    uint64_t *state = data;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(*state >> 56);
    }
}

static struct focal_store *fenced(uint64_t *chance)
{
    struct focal_store *store = fresh();
    focal_fake_store_fence(store, (struct focal_entropy){ chance_fill, chance }, "here");
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_NEW);
    return store;
}

static void power_between_commit_and_fence(void **state)
{
    (void)state;
    uint64_t chance = 1;
    struct focal_store *store = fenced(&chance);
    assert_int_equal(one(store, "a", "1"), FOCAL_OK);
    focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_FENCE, .status = FOCAL_IO });
    assert_int_equal(one(store, "b", "1"), FOCAL_IO);
    assert_int_equal(rows(store), 2);
    assert_int_equal(focal_store_begin(store), FOCAL_IO);
    focal_fake_store_crash(store);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_GOOD);
    assert_int_equal(rows(store), 3);
    assert_int_equal(one(store, "c", "1"), FOCAL_OK);
    focal_fake_store_crash(store);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_GOOD);
    focal_store_close(store);
}

static void fence_that_cannot_be_written(void **state)
{
    (void)state;
    uint64_t chance = 1;
    struct focal_store *store = fenced(&chance);
    focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 2, .kinds = FOCAL_FAKE_FENCE, .status = FOCAL_DISK_FULL });
    assert_int_equal(one(store, "a", "1"), FOCAL_OK);
    assert_int_equal(one(store, "b", "1"), FOCAL_OK);
    assert_int_equal(one(store, "c", "1"), FOCAL_OK);
    focal_fake_store_crash(store);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_MISSING);
    focal_store_close(store);
}

static void clones(void **state)
{
    (void)state;
    uint64_t chance = 1;
    struct focal_store *store = fenced(&chance);
    assert_int_equal(one(store, "a", "1"), FOCAL_OK);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    assert_int_equal(put(store, "a", "open"), FOCAL_OK);
    struct focal_fake_image *disk = focal_fake_store_backup(store, false), *machine = focal_fake_store_backup(store, true);
    assert_true(disk && machine);
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
    struct focal_store *copied = focal_fake_store_clone(disk), *whole = focal_fake_store_clone(machine);
    assert_true(copied && whole);
    assert_int_equal(focal_store_fence(copied), FOCAL_FENCE_MISSING);
    assert_int_equal(focal_store_fence(whole), FOCAL_FENCE_GOOD);
    struct focal_buf out;
    focal_buf_init(&out, 100);
    assert_int_equal(focal_store_get(whole, FOCAL_SHELF_META, text("a"), &out), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&out), text("1")));
    focal_buf_close(&out);
    /* Each goes its own way. */
    assert_int_equal(one(copied, "b", "1"), FOCAL_OK);
    assert_int_equal(one(whole, "c", "1"), FOCAL_OK);
    focal_fake_store_crash(copied);
    focal_fake_store_crash(whole);
    focal_fake_store_crash(store);
    assert_int_equal(focal_store_fence(copied), FOCAL_FENCE_GOOD);
    assert_int_equal(focal_store_fence(whole), FOCAL_FENCE_GOOD);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_GOOD);
    focal_fake_store_machine(whole, "there");
    assert_int_equal(focal_store_fence(whole), FOCAL_FENCE_MOVED);
    /* The disk put back is known; the whole machine put back is not. */
    assert_int_equal(focal_fake_store_restore(store, disk), FOCAL_OK);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_BEHIND);
    assert_int_equal(focal_fake_store_restore(store, machine), FOCAL_OK);
    assert_int_equal(focal_store_fence(store), FOCAL_FENCE_GOOD);
    focal_fake_image_free(disk);
    focal_fake_image_free(machine);
    focal_store_close(copied);
    focal_store_close(whole);
    focal_store_close(store);
}

static void log_until_scrubbed(void **state)
{
    (void)state;
    struct focal_store *store = fresh();
    focal_fake_store_keep_log(store);
    assert_int_equal(one(store, "a", "secret one"), FOCAL_OK);
    assert_int_equal(one(store, "a", "secret two"), FOCAL_OK);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    assert_int_equal(focal_store_del(store, FOCAL_SHELF_META, text("a")), FOCAL_OK);
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
    assert_true(focal_fake_store_holds(store, text("secret one")));
    assert_true(focal_fake_store_holds(store, text("secret two")));
    assert_int_equal(one(store, "b", "secret three"), FOCAL_OK);
    focal_fake_store_plan(store, (struct focal_fake_failure){ .nth = 1, .kinds = FOCAL_FAKE_SCRUB, .status = FOCAL_BUSY });
    assert_int_equal(focal_store_scrub(store), FOCAL_BUSY);
    assert_true(focal_fake_store_holds(store, text("secret one")));
    assert_int_equal(focal_store_scrub(store), FOCAL_OK);
    assert_false(focal_fake_store_holds(store, text("secret one")));
    assert_false(focal_fake_store_holds(store, text("secret two")));
    assert_true(focal_fake_store_holds(store, text("secret three")));
    focal_store_close(store);
}

static bool within(void *data, size_t bytes)
{
    uint64_t *left = data;
    (void)bytes;
    return *left > 0 && (*left)--;
}

/* Memory that runs out at any point takes the transaction with it and nothing else. */
static void without_memory(void **state)
{
    (void)state;
    struct focal_store *store = fresh(), *shot;
    char key[16];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "%02d", i);
        assert_int_equal(one(store, key, "old"), FOCAL_OK);
    }
    uint64_t before, after;
    assert_int_equal(focal_shelf_digest(store, FOCAL_SHELF_META, &before, NULL), FOCAL_OK);
    for (uint64_t allowed = 0;; allowed++) {
        uint64_t left = allowed;
        focal_alloc_hook(within, &left);
        enum focal_status status = focal_store_begin(store);
        for (int i = 10; i < 60 && status == FOCAL_OK; i++) {
            snprintf(key, sizeof key, "%02d", i);
            status = i % 3 ? put(store, key, "new") : focal_store_del(store, FOCAL_SHELF_META, text(key));
        }
        enum focal_status copied = focal_store_snapshot(store, &shot);
        focal_alloc_hook(NULL, NULL);
        focal_store_close(shot);
        focal_store_rollback(store);
        assert_int_equal(focal_shelf_digest(store, FOCAL_SHELF_META, &after, NULL), FOCAL_OK);
        assert_true(before == after);
        if (status == FOCAL_OK && copied == FOCAL_OK)
            break;
        assert_true(status == FOCAL_NO_MEMORY || copied == FOCAL_NO_MEMORY);
    }
    focal_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fails_the_nth),
        cmocka_unit_test(every_operation_in_turn),
        cmocka_unit_test(lost_commit),
        cmocka_unit_test(crash_in_transaction),
        cmocka_unit_test(comparing),
        cmocka_unit_test(power_between_commit_and_fence),
        cmocka_unit_test(fence_that_cannot_be_written),
        cmocka_unit_test(clones),
        cmocka_unit_test(log_until_scrubbed),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("fake store", tests, NULL, NULL);
}
