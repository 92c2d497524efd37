/* Another key for a store that is open, and the first key for a database that was in clear. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "files.h"
#include "focal/store_sqlite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

enum { ROWS = 3000 };
#define CANARY "Amina-Wanjiru-Kibera"

struct place { char directory[64], path[80], old[96], fence[96]; struct focal_error err; struct focal_store *store; };
static const struct focal_entropy entropy = { focal_test_chance, NULL };
static const struct focal_store_key another = { .id = "another id here", .secret = "and another key for all of it.." };

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-rekey-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    char office[80];
    snprintf(office, sizeof office, "%s/office", p->directory);
    assert_int_equal(mkdir(office, 0700), 0);
    snprintf(p->path, sizeof p->path, "%s/office/db", p->directory);
    snprintf(p->old, sizeof p->old, "%s.old", p->path);
    snprintf(p->fence, sizeof p->fence, "%s/fence", p->directory);
    *state = p;
    return 0;
}

static void empty(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(directory);
}

static int leave(void **state)
{
    struct place *p = *state;
    char office[80];
    focal_store_close(p->store);
    snprintf(office, sizeof office, "%s/office", p->directory);
    empty(office);
    empty(p->fence);
    assert_int_equal(rmdir(p->directory), 0);
    focal_free(p);
    return 0;
}

static enum focal_status open_under(struct place *p, const struct focal_store_key *key, bool create)
{
    focal_store_close(p->store);
    return focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ .path = p->path, .create = create, .key = key, .entropy = entropy }, &p->err);
}

static void put_rows(struct focal_store *store, uint32_t from, uint32_t to)
{
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    for (uint32_t n = from; n < to; n++) {
        uint8_t key[8];
        char value[400];
        focal_put_be64(key, (uint64_t)n * 0x9E3779B97F4A7C15u);
        int len = snprintf(value, sizeof value, CANARY " %u %*u", n, (int)(n % 300), n);
        assert_int_equal(focal_store_put(store, FOCAL_SHELF_LAST - (int)(n % 3), focal_span_of(key, 8), focal_span_of(value, (size_t)len)), FOCAL_OK);
    }
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
}

static uint64_t digest(struct focal_store *store, uint64_t *rows)
{
    uint64_t whole = 0, one, count;
    *rows = 0;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        assert_int_equal(focal_shelf_digest(store, (enum focal_shelf)shelf, &one, &count), FOCAL_OK);
        whole = whole * 31 + one;
        *rows += count;
    }
    return whole;
}

static bool there(const struct place *p, const char *suffix)
{
    char path[120];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", p->path, suffix);
    return lstat(path, &st) == 0;
}

static bool shows(const char *path, const char *words)
{
    struct focal_buf all = contents(path);
    bool found = all.len && memmem(all.data, all.len, words, strlen(words)) != NULL;
    focal_buf_close(&all);
    return found;
}

static void another_key(void **state)
{
    struct place *p = *state;
    uint64_t rows, before, after;
    assert_int_equal(open_under(p, &focal_test_key, true), FOCAL_OK);
    put_rows(p->store, 0, ROWS);
    before = digest(p->store, &rows);
    assert_int_equal(rows, ROWS);
    assert_int_equal(focal_sqlite_rekey(p->store, &another, &entropy, &p->err), FOCAL_OK);
    after = digest(p->store, &rows);
    assert_true(before == after && rows == ROWS);
    assert_false(there(p, ".old") || there(p, ".rekey") || there(p, ".rekey.lock"));
    /* The very store goes on, and its lock never opened. */
    put_rows(p->store, ROWS, ROWS + 10);
    struct focal_store *second;
    assert_int_equal(focal_sqlite_open(&second, &(struct focal_sqlite_options){ .path = p->path, .key = &another, .entropy = entropy }, NULL), FOCAL_BUSY);
    assert_true(focal_sqlite_under_key(p->path, &another) && !focal_sqlite_under_key(p->path, &focal_test_key));
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_DAMAGED);
    assert_int_equal(open_under(p, &another, false), FOCAL_OK);
    digest(p->store, &rows);
    assert_int_equal(rows, ROWS + 10);
}

static void not_beside_a_snapshot(void **state)
{
    struct place *p = *state;
    struct focal_store *shot;
    uint64_t rows;
    assert_int_equal(open_under(p, &focal_test_key, true), FOCAL_OK);
    put_rows(p->store, 0, 10);
    assert_int_equal(focal_store_snapshot(p->store, &shot), FOCAL_OK);
    put_rows(p->store, 10, 20);
    assert_int_equal(focal_sqlite_rekey(p->store, &another, &entropy, &p->err), FOCAL_BUSY);
    focal_store_close(shot);
    assert_int_equal(focal_sqlite_rekey(p->store, &another, &entropy, &p->err), FOCAL_OK);
    digest(p->store, &rows);
    assert_int_equal(rows, 20);
    /* The log is empty now, so that the snapshot is of the file alone. */
    assert_int_equal(focal_store_snapshot(p->store, &shot), FOCAL_OK);
    assert_int_equal(focal_sqlite_rekey(p->store, &focal_test_key, &entropy, &p->err), FOCAL_BUSY);
    digest(shot, &rows);
    assert_int_equal(rows, 20);
    focal_store_close(shot);
    assert_int_equal(focal_sqlite_rekey(p->store, &focal_test_key, &entropy, &p->err), FOCAL_OK);
}

/* No room for the copy: a sentence, and all is as it was. */
static void full_disk(void **state)
{
    struct place *p = *state;
    uint64_t rows;
    struct rlimit was, little;
    assert_int_equal(open_under(p, &focal_test_key, true), FOCAL_OK);
    put_rows(p->store, 0, ROWS);
    uint64_t before = digest(p->store, &rows);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    little = was;
    assert_int_equal(focal_store_scrub(p->store), FOCAL_OK);
    little.rlim_cur = 300000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    enum focal_status st = focal_sqlite_rekey(p->store, &another, &entropy, &p->err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_not_equal(st, FOCAL_OK);
    assert_non_null(strstr(p->err.message, p->path));
    assert_true(p->err.hint[0]);
    assert_false(there(p, ".rekey") || there(p, ".old"));
    assert_true(digest(p->store, &rows) == before);
    put_rows(p->store, ROWS, ROWS + 1);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    digest(p->store, &rows);
    assert_int_equal(rows, ROWS + 1);
}

/* The marks go over with the file, so that a change of keys is not taken for an old copy. */
static void fence_follows(void **state)
{
    struct place *p = *state;
    struct focal_fence_setup setup = { .places = { p->fence }, .machine_id = focal_span_text("m"), .entropy = entropy };
    const uint8_t network[16] = "a network's id!";
    assert_int_equal(open_under(p, &focal_test_key, true), FOCAL_OK);
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    assert_int_equal(focal_store_put(p->store, FOCAL_SHELF_META, focal_span_text("genesis"), focal_span_of(network, sizeof network)), FOCAL_OK);
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    assert_int_equal(focal_sqlite_fence(p->store, &setup, &p->err), FOCAL_OK);
    put_rows(p->store, 0, 5);
    assert_int_equal(focal_sqlite_rekey(p->store, &another, &entropy, &p->err), FOCAL_OK);
    assert_int_equal(open_under(p, &another, false), FOCAL_OK);
    assert_int_equal(focal_sqlite_fence(p->store, &setup, &p->err), FOCAL_OK);
    assert_int_equal(focal_store_fence(p->store), FOCAL_FENCE_GOOD);
    put_rows(p->store, 5, 9);
    assert_int_equal(focal_sqlite_rekey(p->store, &focal_test_key, &entropy, &p->err), FOCAL_OK);
    put_rows(p->store, 9, 10);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    assert_int_equal(focal_sqlite_fence(p->store, &setup, &p->err), FOCAL_OK);
    assert_int_equal(focal_store_fence(p->store), FOCAL_FENCE_GOOD);
    DIR *dir = opendir(p->fence);
    int files = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        files += e->d_name[0] != '.';
    closedir(dir);
    assert_int_equal(files, 1);
}

static void taken_over(void **state)
{
    struct place *p = *state;
    uint64_t rows;
    struct focal_fence_setup setup = { .entropy = entropy };
    assert_int_equal(focal_sqlite_open(&p->store, &(struct focal_sqlite_options){ IN_CLEAR, .path = p->path, .create = true }, &p->err), FOCAL_OK);
    put_rows(p->store, 0, ROWS);
    uint64_t before = digest(p->store, &rows);
    focal_store_close(p->store);
    p->store = NULL;
    assert_true(focal_sqlite_is_in_clear(p->path) && shows(p->path, CANARY));
    /* The file itself, by a name of its own, to see what becomes of its blocks. */
    char witness[120];
    snprintf(witness, sizeof witness, "%s.witness", p->path);
    assert_int_equal(link(p->path, witness), 0);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_DAMAGED);
    assert_int_equal(focal_sqlite_take_over(p->path, &focal_test_key, &setup, &p->err), FOCAL_OK);
    assert_false(shows(witness, CANARY) || shows(p->path, CANARY) || focal_sqlite_is_in_clear(p->path));
    assert_false(there(p, ".old") || there(p, ".rekey"));
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    assert_true(digest(p->store, &rows) == before && rows == ROWS);
}

/* A power cut before the copy took its place leaves two names of the one database; after it, the old one. */
static void left_behind(void **state)
{
    struct place *p = *state;
    uint64_t rows;
    assert_int_equal(open_under(p, &focal_test_key, true), FOCAL_OK);
    put_rows(p->store, 0, 20);
    focal_store_close(p->store);
    p->store = NULL;
    assert_int_equal(link(p->path, p->old), 0);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    digest(p->store, &rows);
    assert_int_equal(rows, 20);
    assert_false(there(p, ".old"));
    write_file(p->old, focal_span_text("an old one, in clear"));
    char witness[120];
    snprintf(witness, sizeof witness, "%s.witness", p->path);
    assert_int_equal(link(p->old, witness), 0);
    assert_int_equal(open_under(p, &focal_test_key, false), FOCAL_OK);
    assert_false(there(p, ".old") || shows(witness, "clear"));
    digest(p->store, &rows);
    assert_int_equal(rows, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_key, enter, leave),
        cmocka_unit_test_setup_teardown(not_beside_a_snapshot, enter, leave),
        cmocka_unit_test_setup_teardown(full_disk, enter, leave),
        cmocka_unit_test_setup_teardown(fence_follows, enter, leave),
        cmocka_unit_test_setup_teardown(taken_over, enter, leave),
        cmocka_unit_test_setup_teardown(left_behind, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
