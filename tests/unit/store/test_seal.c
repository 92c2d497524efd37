/* Encrypted pages: what stands on the disk says nothing, what was changed there is never returned as data, and each of the
 * traps that SQLite's file layer has for them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "files.h"
#include "focal/store_sqlite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = SEAL_PAGE_BYTES, ROWS = 400, FLIPS = 200, LONG_BYTES = 30000 };
#define CANARY "Amina-Wanjiru-Kibera"

struct place { char directory[64], path[80], wal[96], copy[80], copy_wal[96]; struct focal_error err; struct focal_store *store; };

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-seal-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
    snprintf(p->wal, sizeof p->wal, "%s-wal", p->path);
    snprintf(p->copy, sizeof p->copy, "%s/copy", p->directory);
    snprintf(p->copy_wal, sizeof p->copy_wal, "%s-wal", p->copy);
    *state = p;
    return 0;
}

static int leave(void **state)
{
    struct place *p = *state;
    focal_store_close(p->store);
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

/* ---- a store and what it holds ---- */

static enum focal_status open_at(struct place *p, const char *path, bool create)
{
    focal_store_close(p->store);
    return focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ SEALED, .path = path, .create = create }, &p->err);
}

static void must_open(struct place *p, const char *path, bool create)
{
    if (open_at(p, path, create) != FOCAL_OK)
        fail_msg("%s", p->err.message);
}

static void value_of(struct focal_buf *value, uint32_t n)
{
    focal_buf_clear(value);
    focal_buf_printf(value, CANARY " %u ", n);
    for (size_t i = 0; i < (n % 40 == 1 ? LONG_BYTES : 60); i++)
        focal_buf_u8(value, (uint8_t)('a' + (n * 31 + i * 7) % 26));
}

static void put_rows(struct focal_store *store, uint32_t from, uint32_t to)
{
    struct focal_buf value;
    focal_buf_init(&value, 1 << 20);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    for (uint32_t n = from; n < to; n++) {
        uint8_t key[8];
        focal_put_be64(key, (uint64_t)n * 0x9E3779B97F4A7C15u);
        value_of(&value, n);
        assert_int_equal(focal_store_put(store, FOCAL_SHELF_SEGMENT, focal_span_of(key, 8), focal_buf_view(&value)), FOCAL_OK);
    }
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
    focal_buf_close(&value);
}

/* How many of the rows from 0 on are there, all before it right; a wrong one fails the test. bad: an error, and not data. */
static uint32_t rows_in(struct focal_store *store, uint32_t most, bool *bad)
{
    struct focal_buf value, want;
    uint32_t found = 0;
    *bad = false;
    focal_buf_init(&value, 1 << 20);
    focal_buf_init(&want, 1 << 20);
    for (uint32_t n = 0; n < most; n++) {
        uint8_t key[8];
        focal_put_be64(key, (uint64_t)n * 0x9E3779B97F4A7C15u);
        enum focal_status st = focal_store_get(store, FOCAL_SHELF_SEGMENT, focal_span_of(key, 8), &value);
        assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND || st == FOCAL_DAMAGED);
        *bad = *bad || st == FOCAL_DAMAGED;
        value_of(&want, n);
        assert_true(st != FOCAL_OK || focal_span_equal(focal_buf_view(&value), focal_buf_view(&want)));
        found += st == FOCAL_OK;
    }
    focal_buf_close(&value);
    focal_buf_close(&want);
    return found;
}

static void copy_file(const char *from, const char *to)
{
    struct focal_buf all = contents(from);
    write_file(to, focal_buf_view(&all));
    focal_buf_close(&all);
}

/* As a power cut finds them: the log still holds what was committed since. */
static void copy_both(struct place *p)
{
    copy_file(p->path, p->copy);
    copy_file(p->wal, p->copy_wal);
}

static void garble(const char *path, size_t at, size_t len)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    for (size_t i = 0; i < len; i++)
        assert_int_not_equal(fputc((int)(0x5A ^ i), f), EOF);
    assert_int_equal(fclose(f), 0);
}

static void put_page(const char *path, size_t number, const uint8_t page[PAGE])
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, (long)((number - 1) * PAGE), SEEK_SET), 0);
    assert_int_equal(fwrite(page, 1, PAGE, f), PAGE);
    assert_int_equal(fclose(f), 0);
}

static bool in_a_file_of(const struct place *p, const char *words)
{
    DIR *dir = opendir(p->directory);
    struct dirent *e;
    bool found = false;
    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", p->directory, e->d_name);
        if (e->d_name[0] == '.')
            continue;
        struct focal_buf all = contents(path);
        found = found || (all.len && memmem(all.data, all.len, words, strlen(words)) != NULL);
        focal_buf_close(&all);
    }
    closedir(dir);
    return found;
}

/* ---- pages and frames as bytes ---- */

static void pages_are_bound(void **state)
{
    static uint8_t page[PAGE], before[PAGE];
    struct seal_keys keys, other;
    struct focal_store_key another = focal_test_key;
    uint8_t nonce[SEAL_NONCE_BYTES] = { 7 };
    (void)state;
    another.id[3] ^= 1;
    focal_seal_keys(&keys, &focal_test_key);
    focal_seal_keys(&other, &another);
    memset(page, 'x', sizeof page);
    focal_seal_page(&keys, 5, nonce, page);
    assert_null(memmem(page, PAGE, "xxxxxxxx", 8));
    memcpy(before, page, PAGE);
    assert_false(focal_seal_open_page(&keys, 6, page));
    memcpy(page, before, PAGE);
    assert_false(focal_seal_open_page(&other, 5, page));
    for (size_t bit = 0; bit < PAGE * 8; bit += 37) {
        memcpy(page, before, PAGE);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(focal_seal_open_page(&keys, 5, page));
        assert_null(memmem(page, PAGE, "xxxxxxxx", 8));
    }
    memcpy(page, before, PAGE);
    assert_true(focal_seal_open_page(&keys, 5, page));
    for (size_t i = 0; i < PAGE; i++)
        assert_int_equal(page[i], i < SEAL_CONTENT_BYTES ? 'x' : 0);
}

/* A page of the file is no page of the log; and a frame counts at its place, in its round, with its page's number. */
static void frames_are_bound(void **state)
{
    static uint8_t frame[SEAL_FRAME_BYTES], before[SEAL_FRAME_BYTES];
    struct seal_keys keys;
    uint8_t nonce[SEAL_NONCE_BYTES] = { 9 };
    (void)state;
    focal_seal_keys(&keys, &focal_test_key);
    memset(frame, 'y', sizeof frame);
    focal_seal_frame(&keys, 3, nonce, frame);
    assert_memory_equal(frame, "yyyyyyyyyyyyyyyy", 16);
    assert_memory_not_equal(frame + 16, "yyyyyyyy", 8);
    memcpy(before, frame, sizeof frame);
    assert_false(focal_seal_open_frame(&keys, 4, frame));
    memcpy(frame, before, sizeof frame);
    assert_false(focal_seal_open_page(&keys, 3, frame + SEAL_FRAME_HEADER_BYTES));
    for (size_t i = 0; i < 16; i++) {
        memcpy(frame, before, sizeof frame);
        frame[i] ^= 1;
        assert_false(focal_seal_open_frame(&keys, 3, frame));
    }
    memcpy(frame, before, sizeof frame);
    assert_true(focal_seal_open_frame(&keys, 3, frame));
    assert_memory_equal(frame + 16, "yyyyyyyy", 8);
}

/* ---- the disk ---- */

static void says_nothing(void **state)
{
    struct place *p = *state;
    must_open(p, p->path, true);
    put_rows(p->store, 0, ROWS);
    assert_false(in_a_file_of(p, "Amina"));
    assert_false(in_a_file_of(p, "SQLite format"));
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    put_rows(p->store, ROWS, ROWS + 20);
    assert_false(in_a_file_of(p, "Amina"));
    focal_store_close(p->store);
    p->store = NULL;
    assert_false(in_a_file_of(p, "Amina"));
    assert_false(in_a_file_of(p, "segment"));
    /* The search would find it. */
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ IN_CLEAR, .path = p->copy, .create = true }, NULL), FOCAL_OK);
    put_rows(p->store, 0, 1);
    assert_true(in_a_file_of(p, CANARY));
}

static void nonces_never_twice(void **state)
{
    struct place *p = *state;
    struct focal_buf seen;
    focal_buf_init(&seen, 64 << 20);
    must_open(p, p->path, true);
    /* The small cache lets SQLite write frames before their commit, write over them, and sum them up anew. */
    assert_int_equal(sqlite3_exec(((struct sqlite_store *)p->store)->db, "PRAGMA cache_size=12; PRAGMA cache_spill=1", NULL, NULL, NULL), SQLITE_OK);
    for (int round = 0; round < 3; round++) {
        put_rows(p->store, 0, ROWS);
        struct focal_buf log = contents(p->wal);
        for (size_t at = SEAL_WAL_HEADER_BYTES; at + SEAL_FRAME_BYTES <= log.len; at += SEAL_FRAME_BYTES)
            focal_buf_bytes(&seen, log.data + at + SEAL_FRAME_HEADER_BYTES + SEAL_CONTENT_BYTES, SEAL_RESERVED_BYTES);
        focal_buf_close(&log);
        assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
        struct focal_buf file = contents(p->path);
        for (size_t at = 0; at + PAGE <= file.len; at += PAGE)
            focal_buf_bytes(&seen, file.data + at + SEAL_CONTENT_BYTES, SEAL_RESERVED_BYTES);
        focal_buf_close(&file);
    }
    const size_t count = seen.len / SEAL_RESERVED_BYTES;
    assert_true(count > 150);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            const uint8_t *one = seen.data + i * SEAL_RESERVED_BYTES, *other = seen.data + k * SEAL_RESERVED_BYTES;
            /* With its tag: a page that was not written anew between two images. */
            assert_true(memcmp(one, other, SEAL_NONCE_BYTES) != 0 || memcmp(one, other, SEAL_RESERVED_BYTES) == 0);
        }
    }
    bool bad;
    assert_int_equal(rows_in(p->store, ROWS, &bad), ROWS);
    must_open(p, p->path, false);
    assert_int_equal(rows_in(p->store, ROWS, &bad), ROWS);
    focal_buf_close(&seen);
}

static void every_flip_is_reported(void **state)
{
    struct place *p = *state;
    bool bad;
    must_open(p, p->path, true);
    put_rows(p->store, 0, ROWS);
    focal_store_close(p->store);
    p->store = NULL;
    struct focal_buf all = contents(p->path);
    for (size_t i = 0; i < FLIPS; i++) {
        const size_t bit = (size_t)((i * 0x9E3779B97F4A7C15u) % (all.len * 8));
        all.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(p->copy, focal_buf_view(&all));
        all.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (open_at(p, p->copy, false) != FOCAL_DAMAGED)
            fail_msg("a flip in page %zu of %zu is not seen", bit / 8 / PAGE + 1, all.len / PAGE);
        enum focal_status st = focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ SEALED, .path = p->copy, .skip_check = true }, NULL);
        assert_true(st == FOCAL_DAMAGED || (st == FOCAL_OK && bit >= 8 * PAGE));
        if (st == FOCAL_OK) {
            assert_true(rows_in(p->store, ROWS, &bad) < ROWS || bit / 8 / PAGE < FOCAL_SHELF_LAST + 2);
            struct focal_buf findings;
            focal_buf_init(&findings, 64 << 10);
            assert_int_equal(focal_sqlite_deep_check(p->store, &findings), FOCAL_DAMAGED);
            focal_buf_close(&findings);
        }
    }
    focal_buf_close(&all);
}

/* In the log a flip ends it there, as a torn tail would: what is shown is a whole earlier state, and the fence knows better. */
static void flips_of_the_log(void **state)
{
    struct place *p = *state;
    bool bad;
    must_open(p, p->path, true);
    for (uint32_t n = 0; n < 40; n++)
        put_rows(p->store, n, n + 1);
    copy_both(p);
    struct focal_buf log = contents(p->copy_wal);
    for (size_t i = 0; i < 60; i++) {
        const size_t bit = 8 * SEAL_WAL_HEADER_BYTES + (size_t)((i * 0x9E3779B97F4A7C15u) % ((log.len - SEAL_WAL_HEADER_BYTES) * 8));
        copy_file(p->path, p->copy);
        log.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(p->copy_wal, focal_buf_view(&log));
        log.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct focal_store *other;
        assert_int_equal(focal_sqlite_open(&other, &(struct focal_sqlite_options){ SEALED, .path = p->copy }, &p->err), FOCAL_OK);
        uint32_t there = rows_in(other, 40, &bad);
        assert_false(bad);
        assert_true(there < 40);
        struct focal_buf value;
        uint8_t key[8];
        focal_buf_init(&value, 1 << 20);
        focal_put_be64(key, (uint64_t)there * 0x9E3779B97F4A7C15u);
        assert_int_equal(focal_store_get(other, FOCAL_SHELF_SEGMENT, focal_span_of(key, 8), &value), FOCAL_NOT_FOUND);
        focal_buf_close(&value);
        focal_store_close(other);
    }
    focal_buf_close(&log);
}

static void pages_moved_or_of_another_store(void **state)
{
    struct place *p = *state;
    must_open(p, p->path, true);
    put_rows(p->store, 0, ROWS);
    focal_store_close(p->store);
    p->store = NULL;
    struct focal_buf all = contents(p->path);
    const size_t last = all.len / PAGE;
    copy_file(p->path, p->copy);
    put_page(p->copy, last - 1, all.data + (last - 1) * PAGE);
    assert_int_equal(open_at(p, p->copy, false), FOCAL_DAMAGED);
    assert_non_null(strstr(p->err.message, p->copy));

    struct focal_store_key other = focal_test_key;
    other.id[0] ^= 1;
    struct focal_sqlite_options options = { SEALED, .path = p->path };
    options.key = &other;
    assert_int_equal(focal_sqlite_open(&p->store, &options, &p->err), FOCAL_DAMAGED);
    assert_non_null(strstr(p->err.message, "not under this key"));
    focal_buf_close(&all);
    must_open(p, p->path, false);
}

/* ---- the traps, in the order of their list ---- */

/* 1: SQLite looks at page 1 before it looks for the log that has it whole. */
static void first_page_torn(void **state)
{
    struct place *p = *state;
    bool bad;
    must_open(p, p->path, true);
    put_rows(p->store, 0, ROWS);
    copy_both(p);
    garble(p->copy, PAGE / 2, 512);
    must_open(p, p->copy, false);
    assert_int_equal(rows_in(p->store, ROWS, &bad), ROWS);
    focal_store_close(p->store);
    p->store = NULL;
    /* Without a log nobody has it, and that is damage. */
    garble(p->copy, PAGE / 2, 512);
    assert_int_equal(access(p->copy_wal, F_OK), -1);
    assert_int_equal(open_at(p, p->copy, false), FOCAL_DAMAGED);
}

/* 2 and 3: the log is read to its torn tail and no further; its sums fit, so the reserved bytes came back as zeros. */
static void torn_tail(void **state)
{
    struct place *p = *state;
    bool bad;
    must_open(p, p->path, true);
    put_rows(p->store, 0, 10);
    struct stat st;
    assert_int_equal(stat(p->wal, &st), 0);
    put_rows(p->store, 10, 20);
    copy_both(p);
    must_open(p, p->copy, false);
    assert_int_equal(rows_in(p->store, 20, &bad), 20);
    must_open(p, p->path, false);
    focal_store_close(p->store);
    p->store = NULL;
    assert_int_equal(unlink(p->path), 0);
    must_open(p, p->path, true);
    put_rows(p->store, 0, 10);
    assert_int_equal(stat(p->wal, &st), 0);
    put_rows(p->store, 10, 20);
    copy_both(p);
    garble(p->copy_wal, (size_t)st.st_size + 5000, 512);
    must_open(p, p->copy, false);
    assert_int_equal(rows_in(p->store, 20, &bad), 10);
    assert_false(bad);
}

/* 4: what the header of a frame says of its content is covered. */
static void sums_are_covered(void **state)
{
    struct place *p = *state;
    struct seal_keys keys;
    must_open(p, p->path, true);
    put_rows(p->store, 0, 3);
    focal_seal_keys(&keys, &focal_test_key);
    struct focal_buf log = contents(p->wal);
    uint8_t *frame = log.data + SEAL_WAL_HEADER_BYTES;
    uint8_t covered[8];
    assert_true(log.len >= SEAL_WAL_HEADER_BYTES + SEAL_FRAME_BYTES);
    memcpy(covered, frame + 16, 8);
    assert_true(focal_seal_open_frame(&keys, 1, frame));
    assert_memory_not_equal(covered, frame + 16, 8);
    focal_buf_close(&log);
    int64_t spill = 0;
    assert_int_equal(focal_sqlite_ask_number(((struct sqlite_store *)p->store)->db, "PRAGMA cache_spill", &spill), FOCAL_OK);
    assert_int_equal(spill, SQLITE_SPILL_PAGES);
}

/* 5 and 6: no journal, no file but the database and its log. */
static void no_other_file(void **state)
{
    struct place *p = *state;
    must_open(p, p->path, true);
    focal_store_close(p->store);
    p->store = NULL;
    struct past past = open_past(p->path, true, false);
    assert_int_equal(sqlite3_exec(past.db, "PRAGMA journal_mode=DELETE; CREATE TABLE t(a); INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_CANTOPEN);
    close_past(&past);
    past = open_past(p->path, true, false);
    assert_int_equal(sqlite3_exec(past.db, "PRAGMA temp_store=FILE; CREATE TEMP TABLE t(a); PRAGMA temp.cache_size=5; INSERT INTO t"
                                           " WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 4000) SELECT randomblob(900) FROM c",
                                  NULL, NULL, NULL), SQLITE_CANTOPEN);
    close_past(&past);
    must_open(p, p->path, false);
    put_rows(p->store, 0, ROWS);
}

/* 7: frames in one piece, and no room asked for that would hold pages of nobody. */
static void what_the_layer_says(void **state)
{
    struct place *p = *state;
    must_open(p, p->path, true);
    sqlite3 *db = ((struct sqlite_store *)p->store)->db;
    sqlite3_file *file = NULL;
    struct stat before, after;
    int64_t hint = 1 << 22;
    int chunk = 1 << 20;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file), SQLITE_OK);
    assert_true(file->pMethods->xDeviceCharacteristics(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE);
    assert_int_equal(stat(p->path, &before), 0);
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk), SQLITE_OK);
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
    put_rows(p->store, 0, 3);
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    assert_int_equal(stat(p->path, &after), 0);
    assert_int_equal(after.st_size % PAGE, 0);
    assert_true(after.st_size < before.st_size + 16 * PAGE);
}

/* 8: the index of the log is in memory, and snapshots share it; a copy that SQLite makes by itself would need a journal. */
static void index_in_memory(void **state)
{
    struct place *p = *state;
    bool bad;
    struct focal_store *shot;
    char index[100], sql[200];
    must_open(p, p->path, true);
    put_rows(p->store, 0, 10);
    assert_int_equal(focal_store_snapshot(p->store, &shot), FOCAL_OK);
    put_rows(p->store, 10, 20);
    assert_int_equal(rows_in(shot, 20, &bad), 10);
    assert_int_equal(focal_store_scrub(p->store), FOCAL_BUSY);
    snprintf(index, sizeof index, "%s-shm", p->path);
    assert_int_equal(access(index, F_OK), -1);
    /* A snapshot may outlive its store: the key is wiped with the last of them. */
    focal_store_close(p->store);
    p->store = NULL;
    assert_int_equal(rows_in(shot, 20, &bad), 10);
    focal_store_close(shot);
    must_open(p, p->path, false);
    assert_int_equal(rows_in(p->store, 20, &bad), 20);

    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", p->copy);
    assert_int_equal(sqlite3_exec(((struct sqlite_store *)p->store)->db, sql, NULL, NULL, NULL), SQLITE_CANTOPEN);
    assert_false(in_a_file_of(p, "Amina"));
}

/* 9, which is not covered: an older whole page at its own place is authentic. What follows from it must come out as damage
 * of the whole or as rows that were there once, never as anything else; that the file is old is the fence's word. */
static void older_page_put_back(void **state)
{
    struct place *p = *state;
    bool bad;
    must_open(p, p->path, true);
    put_rows(p->store, 0, ROWS / 2);
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    struct focal_buf old = contents(p->path);
    put_rows(p->store, ROWS / 2, ROWS);
    focal_store_close(p->store);
    p->store = NULL;
    size_t whole = 0;
    for (size_t page = 1; page <= old.len / PAGE; page++) {
        copy_file(p->path, p->copy);
        put_page(p->copy, page, old.data + (page - 1) * PAGE);
        enum focal_status st = open_at(p, p->copy, false);
        assert_true(st == FOCAL_OK || st == FOCAL_DAMAGED);
        whole += st == FOCAL_OK && rows_in(p->store, ROWS, &bad) == ROWS;
    }
    assert_true(whole < old.len / PAGE);
    focal_buf_close(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_bound),
        cmocka_unit_test(frames_are_bound),
        cmocka_unit_test_setup_teardown(says_nothing, enter, leave),
        cmocka_unit_test_setup_teardown(nonces_never_twice, enter, leave),
        cmocka_unit_test_setup_teardown(every_flip_is_reported, enter, leave),
        cmocka_unit_test_setup_teardown(flips_of_the_log, enter, leave),
        cmocka_unit_test_setup_teardown(pages_moved_or_of_another_store, enter, leave),
        cmocka_unit_test_setup_teardown(first_page_torn, enter, leave),
        cmocka_unit_test_setup_teardown(torn_tail, enter, leave),
        cmocka_unit_test_setup_teardown(sums_are_covered, enter, leave),
        cmocka_unit_test_setup_teardown(no_other_file, enter, leave),
        cmocka_unit_test_setup_teardown(what_the_layer_says, enter, leave),
        cmocka_unit_test_setup_teardown(index_in_memory, enter, leave),
        cmocka_unit_test_setup_teardown(older_page_put_back, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
