/* How much space is left, in words, and the reserve beside the database. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "inside.h"
#include "store_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MIB = 1 << 20, RESERVE = 3 * MIB + 5 };

struct place { char directory[64], path[80]; struct focal_store *store; uint64_t left; };

static uint64_t told_left(void *data, const char *path)
{
    const struct place *p = data;
    assert_string_equal(path, p->path);
    return p->left;
}

static void start(struct place *p)
{
    bool there = access(p->path, F_OK) == 0;
    focal_store_close(p->store);
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ SEALED, .path = p->path, .create = !there }, NULL), FOCAL_OK);
    struct focal_space_setup setup = { .reserve_bytes = RESERVE, .left = told_left, .data = p };
    assert_int_equal(focal_sqlite_reserve(p->store, &setup, NULL), FOCAL_OK);
}

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-space-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
    *state = p;
    return 0;
}

static int leave(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", ".lock", ".reserve" };
    struct place *p = *state;
    char path[100];
    focal_store_close(p->store);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", p->path, suffixes[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(p->directory), 0);
    focal_free(p);
    return 0;
}

/* What the reserve holds, and that it holds it: its blocks are there. */
static int64_t held(const struct place *p)
{
    struct stat st;
    char path[100];
    snprintf(path, sizeof path, "%s.reserve", p->path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_blocks * 512 >= st.st_size);
    return st.st_size;
}

static void expect(struct place *p, uint64_t left, enum focal_space space, uint64_t wanted)
{
    uint64_t said;
    p->left = left;
    assert_int_equal(focal_store_space(p->store, &said), space);
    assert_int_equal(said, wanted);
}

static void without_a_reserve(void **state)
{
    struct place *p = *state;
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ SEALED, .path = p->path, .create = true }, NULL), FOCAL_OK);
    uint64_t wanted;
    assert_int_equal(focal_store_space(p->store, &wanted), FOCAL_SPACE_ENOUGH);
    assert_int_equal(focal_store_release(p->store), FOCAL_DISK_FULL);
}

static void down_and_up_again(void **state)
{
    struct place *p = *state;
    p->left = 100 * MIB;
    start(p);
    assert_int_equal(held(p), RESERVE);
    expect(p, SPACE_LOW_BYTES, FOCAL_SPACE_ENOUGH, 0);
    expect(p, SPACE_LOW_BYTES - 1, FOCAL_SPACE_SHORT, 1);
    /* A little more is not enough to go back and forth over. */
    expect(p, SPACE_LOW_BYTES, FOCAL_SPACE_SHORT, SPACE_AIR_BYTES);
    assert_int_equal(focal_store_release(p->store), FOCAL_OK);
    assert_int_equal(held(p), RESERVE);
    for (int pieces = 3; pieces >= 0; pieces--) {
        expect(p, SPACE_LEAST_BYTES - 1, FOCAL_SPACE_RESERVE, (uint64_t)(SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE - held(p)) - SPACE_LEAST_BYTES + 1);
        assert_int_equal(focal_store_release(p->store), FOCAL_OK);
        assert_int_equal(held(p), pieces ? RESERVE - (4 - pieces) * MIB : 0);
    }
    assert_int_equal(focal_store_release(p->store), FOCAL_DISK_FULL);
    expect(p, SPACE_LAST_BYTES, FOCAL_SPACE_RESERVE, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE - SPACE_LAST_BYTES);
    expect(p, SPACE_LAST_BYTES - 1, FOCAL_SPACE_NONE, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE - SPACE_LAST_BYTES + 1);
    expect(p, SPACE_LEAST_BYTES + RESERVE - 1, FOCAL_SPACE_RESERVE, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES - SPACE_LEAST_BYTES + 1);
    expect(p, SPACE_LEAST_BYTES + RESERVE, FOCAL_SPACE_SHORT, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES - SPACE_LEAST_BYTES);
    expect(p, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE - 1, FOCAL_SPACE_SHORT, 1);
    assert_int_equal(held(p), 0);
    expect(p, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE, FOCAL_SPACE_ENOUGH, 0);
    assert_int_equal(held(p), RESERVE);
    expect(p, SPACE_LOW_BYTES, FOCAL_SPACE_ENOUGH, 0);
}

static void survives_a_restart(void **state)
{
    struct place *p = *state;
    p->left = 100 * MIB;
    start(p);
    p->left = 0;
    assert_int_equal(focal_store_release(p->store), FOCAL_OK);
    start(p);
    assert_int_equal(held(p), RESERVE - MIB);
    expect(p, 0, FOCAL_SPACE_RESERVE, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + MIB);
    p->left = 100 * MIB;
    start(p);
    assert_int_equal(held(p), RESERVE);
}

/* A start on a disk that is full already: nothing is held, nothing fails. */
static void starts_on_a_full_disk(void **state)
{
    struct place *p = *state;
    start(p);
    assert_int_equal(held(p), 0);
    expect(p, 0, FOCAL_SPACE_NONE, (uint64_t)SPACE_LOW_BYTES + SPACE_AIR_BYTES + RESERVE);
    assert_int_equal(focal_store_release(p->store), FOCAL_DISK_FULL);
}

/* What a write met counts for more than what the system says, until a piece can be written again. */
static void a_full_write_counts(void **state)
{
    struct place *p = *state;
    p->left = 100 * MIB;
    start(p);
    struct space *s = &((struct sqlite_store *)p->store)->space;
    s->full = true;
    assert_int_equal(focal_store_release(p->store), FOCAL_OK);
    assert_int_equal(held(p), RESERVE - MIB);
    assert_false(s->full);
    s->full = true;
    expect(p, 100 * MIB, FOCAL_SPACE_ENOUGH, 0);
    assert_false(s->full);
    assert_int_equal(held(p), RESERVE);
    s->full = true;
    expect(p, SPACE_LEAST_BYTES - 1, FOCAL_SPACE_RESERVE, (uint64_t)SPACE_LOW_BYTES - SPACE_LEAST_BYTES + 1);
    assert_true(s->full);
}

static void given_back_while_closed(void **state)
{
    struct place *p = *state;
    p->left = 100 * MIB;
    start(p);
    focal_store_close(p->store);
    p->store = NULL;
    for (int pieces = 3; pieces >= 0; pieces--) {
        assert_true(focal_sqlite_give_back(p->path));
        assert_int_equal(held(p), pieces ? RESERVE - (4 - pieces) * MIB : 0);
    }
    assert_false(focal_sqlite_give_back(p->path));
    assert_false(focal_sqlite_give_back("/nowhere/db"));
}

static void not_through_a_link(void **state)
{
    struct place *p = *state;
    char path[100], other[100];
    struct focal_error err;
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ SEALED, .path = p->path, .create = true }, NULL), FOCAL_OK);
    snprintf(path, sizeof path, "%s.reserve", p->path);
    snprintf(other, sizeof other, "%s-wal", p->path);
    assert_int_equal(symlink(other, path), 0);
    struct focal_space_setup setup = { .reserve_bytes = RESERVE };
    assert_int_equal(focal_sqlite_reserve(p->store, &setup, &err), FOCAL_DENIED);
    assert_non_null(strstr(err.message, path));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_reserve),
        TEST(down_and_up_again),
        TEST(survives_a_restart),
        TEST(starts_on_a_full_disk),
        TEST(a_full_write_counts),
        TEST(given_back_while_closed),
        TEST(not_through_a_link),
    };
    return cmocka_run_group_tests_name("store space", tests, NULL, NULL);
}
