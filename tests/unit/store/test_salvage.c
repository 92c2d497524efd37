/* What can be read of a damaged database, and how it gives its place to a new one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "files.h"
#include "focal/store_sqlite.h"
#include "inside.h"
#include "store_key.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = SQLITE_PAGE_BYTES, ROWS = 3000, LONG_ROWS = 40, LONG_BYTES = 30000, MORE_ROWS = ROWS + 400, ALL_SHELVES = 0x7FFFFFFE };

/* Each test runs over a database in clear and over one under a key. */
static bool sealed;

static const struct focal_store_key *key_in_use(void)
{
    return sealed ? &focal_test_key : NULL;
}

struct place { char directory[64], path[80], copy[80], wal[96], fresh[96]; struct focal_error err; };

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-salvage-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
    snprintf(p->copy, sizeof p->copy, "%s/copy", p->directory);
    snprintf(p->wal, sizeof p->wal, "%s-wal", p->copy);
    snprintf(p->fresh, sizeof p->fresh, "%s/db.rejoin", p->directory);
    *state = p;
    return 0;
}

static int leave(void **state)
{
    struct place *p = *state;
    DIR *dir = opendir(p->directory);
    assert_non_null(dir);
    struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(p->directory), 0);
    focal_free(p);
    return 0;
}

/* ---- files ---- */

static void copy_file(const char *from, const char *to)
{
    struct focal_buf all = contents(from);
    write_file(to, focal_buf_view(&all));
    focal_buf_close(&all);
}

static void overwrite(const char *path, size_t at, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void zero_page(const char *path, size_t number)
{
    static const uint8_t nothing[PAGE];
    overwrite(path, (number - 1) * PAGE, nothing, PAGE);
}

static bool is_there(const struct place *p, const char *name)
{
    char path[200];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", p->directory, name);
    return lstat(path, &st) == 0;
}

#define KEY_TIMES 0x9E3779B97F4A7C15u
#define KEY_BACK 0xF1DE83E19937733Du                 /* KEY_TIMES * KEY_BACK is 1 */

/* ---- rows: number n of a shelf has one value, so that each can be judged by itself ---- */

static struct focal_span key_of(uint8_t key[8], uint32_t n)
{
    focal_put_be64(key, (uint64_t)n * KEY_TIMES);     /* not in order of writing */
    return focal_span_of(key, 8);
}

static void value_of(struct focal_buf *value, enum focal_shelf shelf, uint32_t n)
{
    size_t len = shelf == FOCAL_SHELF_SEGMENT && n < LONG_ROWS ? LONG_BYTES + n : 20 + n % 50;
    focal_buf_clear(value);
    for (size_t i = 0; i < len; i++)
        focal_buf_u8(value, (uint8_t)(n * 31 + i * 7 + (unsigned)shelf));
    assert_false(value->failed);
}

static void put_rows(struct focal_store *store, enum focal_shelf shelf, uint32_t from, uint32_t to)
{
    struct focal_buf value;
    uint8_t key[8];
    focal_buf_init(&value, 1 << 20);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    for (uint32_t n = from; n < to; n++) {
        value_of(&value, shelf, n);
        assert_int_equal(focal_store_put(store, shelf, key_of(key, n), focal_buf_view(&value)), FOCAL_OK);
    }
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
    focal_buf_close(&value);
}

static struct focal_store *open_db(struct place *p, bool create)
{
    struct focal_store *store;
    struct focal_sqlite_options options = { .path = p->path, .create = create, .key = key_in_use(), .entropy = { focal_test_chance, NULL },
                                            .in_clear = sealed ? NULL : focal_sqlite_in_clear() };
    if (focal_sqlite_open(&store, &options, &p->err) != FOCAL_OK)
        fail_msg("%s", p->err.message);
    return store;
}

static struct focal_store *make(struct place *p)
{
    struct focal_store *store = open_db(p, true);
    put_rows(store, FOCAL_SHELF_SEGMENT, 0, ROWS);
    put_rows(store, FOCAL_SHELF_PEER, 0, 100);
    return store;
}

struct found { size_t right, wrong, unknown, unreadable; };

/* Rows of a shelf, or of none that is known: right, when key and value are a pair that was written there. */
static struct found look(struct place *p, enum focal_shelf shelf, uint32_t count)
{
    struct focal_salvage *s;
    struct found f = { 0 };
    struct focal_buf key, value, want;
    uint8_t wanted[8];
    bool *seen = focal_alloc(count);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&want, 1 << 20);
    if (focal_salvage_open(&s, p->copy, key_in_use(), 1u << shelf, &p->err) != FOCAL_OK)
        fail_msg("%s", p->err.message);
    for (size_t i = 0; i < focal_salvage_count(s); i++) {
        enum focal_shelf of;
        enum focal_status st = focal_salvage_row(s, i, &of, &key, &value);
        assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND);
        assert_true(of == shelf || of == 0);
        bool right = false;
        uint32_t n = key.len == 8 ? (uint32_t)(focal_get_be64(key.data) * KEY_BACK) : count;
        if (n < count && focal_span_equal(focal_buf_view(&key), key_of(wanted, n))) {
            value_of(&want, shelf, n);
            right = st == FOCAL_OK && focal_span_equal(focal_buf_view(&value), focal_buf_view(&want));
            f.right += right && !seen[n];
            seen[n] = seen[n] || right;
        }
        f.unreadable += st == FOCAL_NOT_FOUND;
        f.wrong += st == FOCAL_OK && !right;
        f.unknown += of == 0;
    }
    focal_salvage_close(s);
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_buf_close(&want);
    focal_free(seen);
    return f;
}

/* ---- reading ---- */

static void test_whole(void **state)
{
    struct place *p = *state;
    focal_store_close(make(p));
    copy_file(p->path, p->copy);
    struct found f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
    assert_int_equal(f.right, ROWS);
    assert_int_equal(f.wrong + f.unknown + f.unreadable, 0);
    f = look(p, FOCAL_SHELF_PEER, 100);
    assert_int_equal(f.right, 100);
    assert_int_equal(f.wrong + f.unknown, 0);
}

/* The order of tables that is counted on where the schema cannot be read. */
static void test_roots(void **state)
{
    struct place *p = *state;
    focal_store_close(open_db(p, true));
    struct past past = open_past(p->path, sealed, true);
    for (int k = FOCAL_SHELF_META; k <= FOCAL_SHELF_LAST; k++) {
        char sql[120];
        int64_t root;
        snprintf(sql, sizeof sql, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", focal_sqlite_table((enum focal_shelf)k));
        assert_int_equal(focal_sqlite_ask_number(past.db, sql, &root), FOCAL_OK);
        assert_int_equal(root, k + 1);
    }
    close_past(&past);
}

static void test_log(void **state)
{
    struct place *p = *state;
    focal_store_close(make(p));
    struct focal_store *store = open_db(p, false);
    for (uint32_t n = ROWS; n < ROWS + 20; n++)
        put_rows(store, FOCAL_SHELF_SEGMENT, n, n + 1);
    put_rows(store, FOCAL_SHELF_SEGMENT, ROWS + 20, MORE_ROWS);
    copy_file(p->path, p->copy);
    char wal[100];
    snprintf(wal, sizeof wal, "%s-wal", p->path);
    copy_file(wal, p->wal);
    focal_store_close(store);

    assert_int_equal(look(p, FOCAL_SHELF_SEGMENT, MORE_ROWS).right, MORE_ROWS);
    /* A broken frame in the middle: SQLite would end there, and what was acknowledged after it stands behind. */
    struct focal_buf all = contents(p->wal);
    size_t frames = (all.len - 32) / (24 + PAGE);
    assert_true(frames >= 25);
    overwrite(p->wal, 32 + 10 * (24 + PAGE) + 24 + 8, "\xFF\xFF\xFF\xFF", 4);
    struct found f = look(p, FOCAL_SHELF_SEGMENT, MORE_ROWS);
    assert_true(f.right >= MORE_ROWS - 1);
    assert_int_equal(f.wrong, 0);
    /* Its header broken. */
    overwrite(p->wal, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    assert_true(look(p, FOCAL_SHELF_SEGMENT, MORE_ROWS).right >= MORE_ROWS - 1);
    /* Frames that no transaction ended: nobody was told of them. */
    write_file(p->wal, focal_span_of(all.data, all.len - 24 - PAGE));
    f = look(p, FOCAL_SHELF_SEGMENT, MORE_ROWS);
    assert_int_equal(f.right, ROWS + 20);
    assert_int_equal(f.wrong, 0);
    /* The log without its file. */
    write_file(p->wal, focal_buf_view(&all));
    assert_int_equal(unlink(p->copy), 0);
    f = look(p, FOCAL_SHELF_SEGMENT, MORE_ROWS);
    assert_true(f.right >= MORE_ROWS - ROWS && f.right < MORE_ROWS);
    assert_int_equal(f.wrong, 0);
    focal_buf_close(&all);
}

static void test_pages_gone(void **state)
{
    struct place *p = *state;
    focal_store_close(make(p));
    /* The schema: the shelves are told all the same. */
    copy_file(p->path, p->copy);
    zero_page(p->copy, 1);
    struct found f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
    assert_int_equal(f.right, ROWS);
    assert_int_equal(f.unknown, 0);
    /* The root of the table: its own rows are gone, the leaves are there and nobody says whose they are. */
    copy_file(p->path, p->copy);
    zero_page(p->copy, FOCAL_SHELF_SEGMENT + 1);
    f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
    assert_true(f.right > ROWS * 9 / 10 && f.right < ROWS);
    assert_true(f.unknown >= f.right);
    assert_int_equal(f.wrong, 0);
    /* Any other page costs its own rows. */
    struct focal_buf all = contents(p->path);
    size_t pages = all.len / PAGE, least = ROWS;
    for (size_t page = 2; page <= pages; page += 7) {
        copy_file(p->path, p->copy);
        zero_page(p->copy, page);
        f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
        least = f.right < least ? f.right : least;
        assert_true(f.right >= ROWS - 400);
    }
    assert_true(least < ROWS);
    focal_buf_close(&all);
}

static void test_cut_off(void **state)
{
    struct place *p = *state;
    focal_store_close(make(p));
    copy_file(p->path, p->copy);
    struct focal_buf all = contents(p->path);
    assert_int_equal(truncate(p->copy, (off_t)(all.len / 2 + 1000)), 0);
    struct found f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
    assert_true(f.right > 0 && f.right < ROWS);
    assert_int_equal(truncate(p->copy, 100), 0);
    assert_int_equal(look(p, FOCAL_SHELF_SEGMENT, ROWS).right, 0);
    focal_buf_close(&all);
}

static void unseal(uint8_t *page, uint64_t number)
{
    struct seal_keys keys;
    focal_seal_keys(&keys, &focal_test_key);
    assert_true(!sealed || focal_seal_open_page(&keys, number, page));
}

static void seal(uint8_t *page, uint64_t number)
{
    struct seal_keys keys;
    uint8_t nonce[SEAL_NONCE_BYTES];
    focal_seal_keys(&keys, &focal_test_key);
    focal_test_chance(NULL, nonce, sizeof nonce);
    if (sealed)
        focal_seal_page(&keys, number, nonce, page);
}

/* A chain of pages that goes in a circle, out of the file or to nothing ends all the same, and hurts no other row. */
static void test_chain_broken(void **state)
{
    static const uint32_t wrong[] = { 0x02000000, 0xFFFFFFFF, 0 };
    struct place *p = *state;
    focal_store_close(make(p));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct focal_buf all = contents(p->path);
        size_t hurt = 0;
        for (size_t at = PAGE; at + PAGE <= all.len; at += PAGE) {
            unseal(all.data + at, at / PAGE + 1);
            bool chained = all.data[at] == 0 && (all.data[at + 2] || all.data[at + 3]);
            hurt += chained;
            if (chained)
                memcpy(all.data + at, &wrong[i], 4);
            seal(all.data + at, at / PAGE + 1);
        }
        assert_true(hurt >= LONG_ROWS);
        write_file(p->copy, focal_buf_view(&all));
        focal_buf_close(&all);
        struct found f = look(p, FOCAL_SHELF_SEGMENT, ROWS);
        assert_int_equal(f.right, ROWS - LONG_ROWS);
        assert_int_equal(f.wrong + f.unreadable, LONG_ROWS);
    }
}

static void test_nothing(void **state)
{
    struct place *p = *state;
    struct focal_salvage *s;
    assert_int_equal(focal_salvage_open(&s, p->copy, key_in_use(), ALL_SHELVES, &p->err), FOCAL_NOT_FOUND);
    assert_null(s);
    assert_non_null(strstr(p->err.message, p->copy));
    write_file(p->copy, focal_span_text(""));
    assert_int_equal(focal_salvage_open(&s, p->copy, key_in_use(), ALL_SHELVES, &p->err), FOCAL_NOT_FOUND);
    write_file(p->copy, focal_span_text("no database at all"));
    assert_int_equal(focal_salvage_open(&s, p->copy, key_in_use(), ALL_SHELVES, &p->err), FOCAL_OK);
    assert_int_equal(focal_salvage_count(s), 0);
    focal_salvage_close(s);
    assert_int_equal(unlink(p->copy), 0);
    assert_int_equal(symlink("/etc/passwd", p->copy), 0);
    assert_int_equal(focal_salvage_open(&s, p->copy, key_in_use(), ALL_SHELVES, &p->err), FOCAL_DENIED);
}

/* ---- giving up the place ---- */

static void test_aside(void **state)
{
    struct place *p = *state;
    char aside[FOCAL_SQLITE_PATH_MAX], found[FOCAL_SQLITE_PATH_MAX];
    int hold, second;
    focal_store_close(make(p));
    struct focal_store *running = open_db(p, false);
    assert_int_equal(focal_sqlite_hold(&hold, p->path, &p->err), FOCAL_BUSY);
    focal_store_close(running);
    assert_int_equal(focal_sqlite_hold(&hold, p->path, &p->err), FOCAL_OK);
    assert_int_equal(focal_sqlite_hold(&second, p->path, &p->err), FOCAL_BUSY);

    for (int i = 1; i <= 11; i++) {
        char name[64];
        char wal[100];
        snprintf(wal, sizeof wal, "%s-wal", p->path);
        snprintf(name, sizeof name, i == 1 ? "db.damaged-2026-05-01" : "db.damaged-2026-05-01-%d", i);
        write_file(p->path, focal_span_of(&i, sizeof i));
        write_file(wal, focal_span_text("log"));
        write_file(p->fresh, focal_span_text("new"));
        assert_int_equal(focal_sqlite_find_damaged(p->path, p->fresh, found, &p->err), FOCAL_OK);
        assert_string_equal(found, p->path);
        assert_int_equal(focal_sqlite_set_aside(p->path, p->fresh, "2026-05-01", aside, &p->err), FOCAL_OK);
        assert_true(is_there(p, name));
        assert_string_equal(strrchr(aside, '/') + 1, name);
        strcat(name, "-wal");
        assert_true(is_there(p, name));
        assert_false(is_there(p, "db-wal"));
        assert_false(is_there(p, "db.rejoin"));
        struct focal_buf now = contents(p->path), then = contents(aside);
        assert_true(focal_span_equal(focal_buf_view(&now), focal_span_text("new")));
        assert_true(focal_span_equal(focal_buf_view(&then), focal_span_of(&i, sizeof i)));
        focal_buf_close(&now);
        focal_buf_close(&then);
    }
    /* Without one of its own the last that was set aside is read, and number 11 comes after 9. */
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(focal_sqlite_find_damaged(p->path, p->fresh, found, &p->err), FOCAL_OK);
    assert_string_equal(strrchr(found, '/') + 1, "db.damaged-2026-05-01-11");
    write_file(p->fresh, focal_span_text("new"));
    assert_int_equal(focal_sqlite_set_aside(p->path, p->fresh, "2026-05-02", aside, &p->err), FOCAL_OK);
    assert_string_equal(aside, "");
    focal_sqlite_let_go(hold);
}

/* Between the renaming of the file and that of its log. */
static void test_aside_half_done(void **state)
{
    struct place *p = *state;
    char found[FOCAL_SQLITE_PATH_MAX], half[100], wal[100];
    snprintf(half, sizeof half, "%s.damaged-2026-05-01", p->path);
    snprintf(wal, sizeof wal, "%s-wal", p->path);
    write_file(half, focal_span_text("file"));
    write_file(wal, focal_span_text("log"));
    write_file(p->fresh, focal_span_text("new"));
    assert_int_equal(focal_sqlite_find_damaged(p->path, p->fresh, found, &p->err), FOCAL_OK);
    assert_string_equal(found, half);
    assert_true(is_there(p, "db.damaged-2026-05-01-wal"));
    assert_false(is_there(p, "db-wal"));
    focal_sqlite_discard(p->fresh);
    assert_false(is_there(p, "db.rejoin"));
    assert_int_equal(unlink(half), 0);
    assert_int_equal(focal_sqlite_find_damaged(p->path, p->fresh, found, &p->err), FOCAL_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, enter, leave),
        cmocka_unit_test_setup_teardown(test_roots, enter, leave),
        cmocka_unit_test_setup_teardown(test_log, enter, leave),
        cmocka_unit_test_setup_teardown(test_pages_gone, enter, leave),
        cmocka_unit_test_setup_teardown(test_cut_off, enter, leave),
        cmocka_unit_test_setup_teardown(test_chain_broken, enter, leave),
        cmocka_unit_test_setup_teardown(test_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(test_aside, enter, leave),
        cmocka_unit_test_setup_teardown(test_aside_half_done, enter, leave),
    };
    int failed = cmocka_run_group_tests_name("in clear", tests, NULL, NULL);
    sealed = true;
    return failed + cmocka_run_group_tests_name("under a key", tests, NULL, NULL);
}
