/* After scrubbing, what was deleted or overwritten stands in no byte of any file of the store. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/store_sqlite.h"
#include "store_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 1200, MARK_BYTES = 16, VALUE_MOST = 60000 };

struct place { char directory[64], path[80]; struct focal_store *store; uint64_t chance; };

static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-scrub-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ IN_CLEAR, .path = p->path, .create = true }, NULL), FOCAL_OK);
    p->chance = 7;
    *state = p;
    return 0;
}

static int leave(void **state)
{
    struct place *p = *state;
    char path[100];
    focal_store_close(p->store);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", p->path, suffixes[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s.lock", p->path);
    unlink(path);
    assert_int_equal(rmdir(p->directory), 0);
    focal_free(p);
    return 0;
}

static uint64_t draw(struct place *p, uint64_t below)
{
    p->chance = p->chance * 6364136223846793005u + 1442695040888963407u;
    return (p->chance >> 33) % below;
}

static void key_of(uint8_t key[8], uint32_t row)
{
    focal_put_be64(key, (uint64_t)row * 0x9E3779B97F4A7C15u);
}

/* Bytes that stand nowhere else: of this row, in this version of it. */
static void mark_of(char mark[MARK_BYTES + 1], uint32_t row, uint32_t version)
{
    snprintf(mark, MARK_BYTES + 1, "<%06u|%07u>", row, version);
}

/* The mark again and again, so that every page and every part of an overflow chain has some. */
static void put(struct place *p, uint32_t row, uint32_t version, size_t len)
{
    static uint8_t value[VALUE_MOST + MARK_BYTES];
    char mark[MARK_BYTES + 1];
    uint8_t key[8];
    mark_of(mark, row, version);
    key_of(key, row);
    for (size_t at = 0; at < len; at += MARK_BYTES)
        memcpy(value + at, mark, MARK_BYTES);
    assert_int_equal(focal_store_put(p->store, FOCAL_SHELF_PART, focal_span_of(key, 8), focal_span_of(value, len)), FOCAL_OK);
}

static void drop(struct place *p, uint32_t row)
{
    uint8_t key[8];
    key_of(key, row);
    assert_int_equal(focal_store_del(p->store, FOCAL_SHELF_PART, focal_span_of(key, 8)), FOCAL_OK);
}

/* Tells of the first mark in the files that is none of the living; versions: of each row, 0 when it is deleted. */
static unsigned dead_marks(const struct place *p, const uint32_t *versions, char *which)
{
    unsigned dead = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char path[100];
        struct stat st;
        snprintf(path, sizeof path, "%s%s", p->path, suffixes[i]);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue;
        assert_int_equal(fstat(fileno(f), &st), 0);
        char *bytes = focal_alloc((size_t)st.st_size + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
        fclose(f);
        for (char *at = bytes; at + MARK_BYTES <= bytes + st.st_size; at++) {
            unsigned row, version;
            if (at[0] != '<' || at[7] != '|' || at[15] != '>' || strspn(at + 1, "0123456789") != 6 || strspn(at + 8, "0123456789") != 7)
                continue;
            assert_int_equal(sscanf(at, "<%6u|%7u>", &row, &version), 2);
            if (row < ROWS && versions[row] != version && dead++ == 0)
                snprintf(which, 100, "%.16s in db%s at %zd", at, suffixes[i], at - bytes);
        }
        focal_free(bytes);
    }
    return dead;
}

static void expect_clean(struct place *p, const uint32_t *versions)
{
    char which[100] = "";
    if (dead_marks(p, versions, which))
        fail_msg("deleted content is still there: %s", which);
}

static size_t draw_len(struct place *p)
{
    static const size_t lens[] = { 20, 90, 300, 900, 3000, 9000, 40000 };
    return lens[draw(p, 100) < 60 ? draw(p, 4) : draw(p, 7)] + draw(p, 40);
}

/* Cells moved by balancing leave copies in the gaps of pages, and pages kept in memory bring them back into the log: what
 * was dead at the scrubbing must not come back with later commits either. */
static void stays_gone(void **state)
{
    struct place *p = *state;
    static uint32_t versions[ROWS];
    memset(versions, 0, sizeof versions);
    for (uint32_t row = 0; row < ROWS; row += 100) {
        assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
        for (uint32_t i = 0; i < 100; i++) {
            versions[row + i] = 1;
            put(p, row + i, 1, draw_len(p) % 1000 + 16);
        }
        assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    }
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    for (uint32_t row = 0; row < ROWS; row += 3) {
        versions[row] = 0;
        drop(p, row);
    }
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    expect_clean(p, versions);
    /* Each page is touched once more, by rows that were not there before and stay. */
    for (uint32_t row = 0; row < ROWS; row += 3) {
        versions[row] = 2;
        assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
        put(p, row, 2, 20);
        assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    }
    expect_clean(p, versions);
}

static void random_life(void **state)
{
    struct place *p = *state;
    static uint32_t versions[ROWS];
    char which[100];
    unsigned seen_before = 0;
    memset(versions, 0, sizeof versions);
    for (uint32_t round = 1; round <= 60; round++) {
        assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
        for (int i = 0; i < 150; i++) {
            uint32_t row = (uint32_t)draw(p, ROWS);
            if (draw(p, 10) < 4) {
                drop(p, row);
                versions[row] = 0;
            } else {
                versions[row] = round;
                put(p, row, round, draw_len(p));
            }
        }
        assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
        if (round % 4)
            continue;
        seen_before += dead_marks(p, versions, which);
        assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
        expect_clean(p, versions);
    }
    /* Or this test would see nothing. */
    assert_true(seen_before > 0);
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    for (uint32_t row = 0; row < ROWS; row++) {
        drop(p, row);
        versions[row] = 0;
    }
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    expect_clean(p, versions);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stays_gone),
        TEST(random_life),
    };
    return cmocka_run_group_tests_name("store scrub", tests, NULL, NULL);
}
