/* The fence of a database on disk: every verdict, torn marks, two places, places that fail, and its order in a commit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "files.h"
#include "focal/store_sqlite.h"
#include "store_key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT_APART = 4096, FILE_BYTES = 8192, PATH_ROOM = 128, FILE_PATH_ROOM = PATH_ROOM + 300 };

struct world {
    char root[32], dir[48], db[PATH_ROOM], places[2][PATH_ROOM];
    const char *machine;
    struct focal_store *store;
    struct focal_error err;
    uint64_t chance;
    struct focal_fence_files files;
    /* what the wrapped files do: the errno each gives from now on, and how often each was asked */
    int write_error, sync_error, remove_error;
    unsigned writes, syncs, removes;
    bool watches; unsigned seen_early;
};

/* ---- the wrapped files: the real ones, unless told to fail ---- */

static uint64_t rows_as_others_see(const struct world *w)
{
    sqlite3_stmt *count;
    struct past past = open_past(w->db, true, true);
    assert_int_equal(sqlite3_prepare_v2(past.db, "SELECT count(*) FROM log", -1, &count, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    uint64_t rows = (uint64_t)sqlite3_column_int64(count, 0);
    sqlite3_finalize(count);
    close_past(&past);
    return rows;
}

static int files_write(void *data, int fd, const void *bytes, size_t len, int64_t at)
{
    struct world *w = data;
    w->writes++;
    if (w->watches && rows_as_others_see(w) != 1)
        w->seen_early++;
    if (w->write_error)
        return w->write_error;
    return pwrite(fd, bytes, len, (off_t)at) == (ssize_t)len ? 0 : EIO;
}

static int files_sync(void *data, int fd)
{
    struct world *w = data;
    w->syncs++;
    if (w->sync_error)
        return w->sync_error;
    return fdatasync(fd) == 0 ? 0 : errno;
}

static int files_remove(void *data, int directory, const char *name)
{
    struct world *w = data;
    w->removes++;
    if (w->remove_error)
        return w->remove_error;
    return unlinkat(directory, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

/* ---- a world: a database in root/office, fences in root/state and root/run ---- */

static void chance_fill(void *data, void *out, size_t len)
{
    struct world *w = data;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        w->chance = w->chance * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(w->chance >> 56);
    }
}

static void close_store(struct world *w)
{
    focal_store_close(w->store);
    w->store = NULL;
}

static enum focal_status open_with(struct world *w, const char *first, const char *second)
{
    close_store(w);
    bool there = access(w->db, F_OK) == 0;
    assert_int_equal(focal_sqlite_open(&w->store, &(struct focal_sqlite_options){ SEALED, .path = w->db, .create = !there }, &w->err), FOCAL_OK);
    if (!there) {
        assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
        assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_META, focal_span_text("genesis"), focal_span_text("the network's hash, 32 bytes....")), FOCAL_OK);
        assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    }
    w->files = (struct focal_fence_files){ w, files_write, files_sync, files_remove };
    struct focal_fence_setup setup = { .places = { first, second }, .machine_id = focal_span_text(w->machine),
        .entropy = { chance_fill, w }, .files = &w->files };
    return focal_sqlite_fence(w->store, &setup, &w->err);
}

static enum focal_fence_verdict again(struct world *w)
{
    assert_int_equal(open_with(w, w->places[0], w->places[1]), FOCAL_OK);
    return focal_store_fence(w->store);
}

static enum focal_status write_one(struct world *w, const char *key)
{
    enum focal_status status = focal_store_begin(w->store);
    if (status == FOCAL_OK)
        status = focal_store_put(w->store, FOCAL_SHELF_LOG, focal_span_text(key), focal_span_text("v"));
    return status == FOCAL_OK ? focal_store_commit(w->store) : status;
}

static int enter(void **state)
{
    struct world *w = focal_alloc(sizeof *w);
    assert_non_null(w);
    strcpy(w->root, "/tmp/focal-fence-XXXXXX");
    assert_non_null(mkdtemp(w->root));
    snprintf(w->dir, sizeof w->dir, "%s/office", w->root);
    assert_int_equal(mkdir(w->dir, 0700), 0);
    snprintf(w->db, sizeof w->db, "%s/db", w->dir);
    snprintf(w->places[0], sizeof w->places[0], "%s/state/focal-fence", w->root);
    snprintf(w->places[1], sizeof w->places[1], "%s/run/focal-fence", w->root);
    w->machine = "0123456789abcdef0123456789abcdef";
    *state = w;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int leave(void **state)
{
    struct world *w = *state;
    close_store(w);
    assert_int_equal(nftw(w->root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    focal_free(w);
    return 0;
}

/* The one file in a place; false: there is none. */
static bool fence_file(const char *place, char out[FILE_PATH_ROOM])
{
    bool found = false;
    DIR *dir = opendir(place);
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        assert_false(found);
        found = true;
        snprintf(out, FILE_PATH_ROOM, "%s/%s", place, e->d_name);
    }
    if (dir)
        closedir(dir);
    return found;
}

static void copy_bytes(const char *from, const char *to)
{
    uint8_t block[8192];
    ssize_t n;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((n = read(in, block, sizeof block)) > 0)
        assert_int_equal(write(out, block, (size_t)n), n);
    close(in);
    close(out);
}

/* The database as a backup takes it, while it is closed, and put back over the same file. */
static void back_up(struct world *w, const char *name)
{
    char to[PATH_ROOM];
    close_store(w);
    snprintf(to, sizeof to, "%s/%s", w->root, name);
    copy_bytes(w->db, to);
}

static void put_back(struct world *w, const char *name)
{
    char from[PATH_ROOM];
    close_store(w);
    snprintf(from, sizeof from, "%s/%s", w->root, name);
    copy_bytes(from, w->db);
}

static void clear_place(const struct world *w, int place)
{
    char path[FILE_PATH_ROOM];
    if (fence_file(w->places[place], path))
        assert_int_equal(unlink(path), 0);
}

static void change_byte(const char *path, off_t at)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Which slot has the higher number. */
static int newest_slot(const char *path)
{
    uint8_t numbers[2][8];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    for (int slot = 0; slot < 2; slot++)
        assert_int_equal(pread(fd, numbers[slot], 8, slot * SLOT_APART + 16), 8);
    close(fd);
    return memcmp(numbers[1], numbers[0], 8) > 0 ? 1 : 0;
}

/* ---- verdicts ---- */

static void new_then_good(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_one(w, "k"), FOCAL_OK);
        if (i % 2)
            assert_int_equal(write_one(w, "l"), FOCAL_OK);
        assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    }
    struct stat st;
    char path[FILE_PATH_ROOM];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(stat(w->places[i], &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_true(fence_file(w->places[i], path));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_size, FILE_BYTES);
    }
}

static void old_copy_is_behind(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    back_up(w, "backup");
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    assert_int_equal(write_one(w, "b"), FOCAL_OK);
    put_back(w, "backup");
    assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
    /* Looking alone changes nothing. */
    assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
    assert_int_equal(write_one(w, "c"), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_BEHIND);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    /* The same old copy a second time: still known, although as many commits were made since as before. */
    put_back(w, "backup");
    assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
}

/* Two copies that went on from one state have the same numbers; the token tells them apart. */
static void another_branch_is_behind(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_ROOM], kept[PATH_ROOM];
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    back_up(w, "before");
    clear_place(w, 1);
    assert_true(fence_file(w->places[0], path));
    snprintf(kept, sizeof kept, "%s/fence", w->root);
    copy_bytes(path, kept);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    assert_int_equal(write_one(w, "this"), FOCAL_OK);
    back_up(w, "branch");
    put_back(w, "before");
    copy_bytes(kept, path);
    clear_place(w, 1);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    assert_int_equal(write_one(w, "that"), FOCAL_OK);
    put_back(w, "branch");
    assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
}

static void missing_and_moved(void **state)
{
    struct world *w = *state;
    char other[PATH_ROOM];
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    clear_place(w, 0);
    clear_place(w, 1);
    assert_int_equal(again(w), FOCAL_FENCE_MISSING);
    assert_int_equal(write_one(w, "b"), FOCAL_OK);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    w->machine = "another machine";
    assert_int_equal(again(w), FOCAL_FENCE_MOVED);
    assert_int_equal(write_one(w, "c"), FOCAL_OK);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    /* A copy beside it is another file. The one it was copied from is not touched by what the copy does. */
    back_up(w, "office/copy");
    strcpy(other, w->db);
    snprintf(w->db, sizeof w->db, "%s/copy", w->dir);
    assert_int_equal(open_with(w, w->places[0], w->places[1]), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_MISSING);
    assert_int_equal(write_one(w, "d"), FOCAL_OK);
    close_store(w);
    strcpy(w->db, other);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
}

static void nowhere_to_write(void **state)
{
    struct world *w = *state;
    char file[PATH_ROOM], link[PATH_ROOM], inside[PATH_ROOM], open_to_all[PATH_ROOM], through[PATH_ROOM];
    snprintf(file, sizeof file, "%s/file", w->root);
    close(open(file, O_CREAT | O_WRONLY, 0600));
    snprintf(link, sizeof link, "%s/link", w->root);
    snprintf(open_to_all, sizeof open_to_all, "%s/open", w->root);
    assert_int_equal(mkdir(open_to_all, 0700), 0);
    assert_int_equal(symlink(open_to_all, link), 0);
    assert_int_equal(open_with(w, file, link), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_NONE);
    assert_int_equal(chmod(open_to_all, 0777), 0);
    assert_int_equal(open_with(w, open_to_all, "relative/place"), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_NONE);
    /* In the office's own directory it would be taken and put back with the database. */
    snprintf(inside, sizeof inside, "%s/deep/fence", w->dir);
    snprintf(link, sizeof link, "%s/into", w->root);
    assert_int_equal(symlink(w->dir, link), 0);
    snprintf(through, sizeof through, "%s/into/fence", w->root);
    assert_int_equal(open_with(w, inside, through), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_NONE);
    snprintf(inside, sizeof inside, "%s/deep", w->dir);
    assert_int_not_equal(access(inside, F_OK), 0);
    assert_int_equal(open_with(w, NULL, NULL), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_NONE);
    /* What was written without a fence is known as such once there is a place. */
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    assert_int_equal(again(w), FOCAL_FENCE_MISSING);
}

/* A fence that was away while the database went on is no proof of anything later. */
static void away_for_a_while(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    assert_int_equal(open_with(w, NULL, NULL), FOCAL_OK);
    assert_int_equal(write_one(w, "b"), FOCAL_OK);
    assert_int_equal(write_one(w, "c"), FOCAL_OK);
    assert_int_equal(again(w), FOCAL_FENCE_MISSING);
}

static void no_network_no_fence(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_ROOM];
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_store_del(w->store, FOCAL_SHELF_META, focal_span_text("genesis")), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    clear_place(w, 0);
    clear_place(w, 1);
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    assert_false(fence_file(w->places[0], path));
    assert_int_equal(w->removes, 0);
}

/* ---- torn marks, two places ---- */

static void torn_mark_leaves_the_older(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_ROOM];
    assert_int_equal(open_with(w, w->places[0], NULL), FOCAL_OK);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    back_up(w, "older");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_with(w, w->places[0], NULL), FOCAL_OK);
        assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_GOOD);
        assert_int_equal(write_one(w, "b"), FOCAL_OK);
        close_store(w);
        assert_true(fence_file(w->places[0], path));
        change_byte(path, newest_slot(path) * SLOT_APART + 60);
    }
    /* The older slot is enough to know an old copy. With both torn it is as if there were none. */
    put_back(w, "older");
    assert_int_equal(open_with(w, w->places[0], NULL), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_BEHIND);
    close_store(w);
    change_byte(path, 70);
    change_byte(path, SLOT_APART + 70);
    assert_int_equal(open_with(w, w->places[0], NULL), FOCAL_OK);
    assert_int_equal(focal_store_fence(w->store), FOCAL_FENCE_MISSING);
}

static void either_place_will_do(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    back_up(w, "older");
    for (int gone = 0; gone < 2; gone++) {
        clear_place(w, gone);
        assert_int_equal(again(w), FOCAL_FENCE_GOOD);
        /* And the other is there again at once. */
        clear_place(w, 1 - gone);
        assert_int_equal(again(w), FOCAL_FENCE_GOOD);
        assert_int_equal(write_one(w, "b"), FOCAL_OK);
        close_store(w);
    }
    for (int gone = 0; gone < 2; gone++) {
        put_back(w, "older");
        clear_place(w, gone);
        assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
        assert_int_equal(write_one(w, "c"), FOCAL_OK);
    }
}

/* One place has an old mark that fits the old copy to the letter; the other knows better. */
static void the_one_ahead_wins(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    back_up(w, "older");
    for (int which = 0; which < 2; which++) {
        put_back(w, "older");
        clear_place(w, 0);
        clear_place(w, 1);
        assert_int_equal(open_with(w, w->places[which], NULL), FOCAL_OK);
        assert_int_equal(write_one(w, "b"), FOCAL_OK);
        back_up(w, "newer");
        assert_int_equal(open_with(w, w->places[1 - which], NULL), FOCAL_OK);
        assert_int_equal(write_one(w, "c"), FOCAL_OK);
        put_back(w, "newer");
        assert_int_equal(again(w), FOCAL_FENCE_BEHIND);
        close_store(w);
    }
}

/* ---- order, and places that fail ---- */

static void database_first_then_marks_then_ok(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    w->writes = w->syncs = 0;
    w->watches = true;
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    w->watches = false;
    /* One write and one sync for each place, and each found the row committed. */
    assert_int_equal(w->writes, 2);
    assert_int_equal(w->syncs, 2);
    assert_int_equal(w->seen_early, 0);
    /* What changed nothing costs nothing. */
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_store_commit(w->store), FOCAL_OK);
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_LOG, focal_span_text("x"), focal_span_text("y")), FOCAL_OK);
    focal_store_rollback(w->store);
    assert_int_equal(w->writes, 2);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
}

/* The power goes after the database's commit and before any mark: the database is one ahead, and good. */
static void power_cut_between(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    for (int i = 0; i < 3; i++) {
        w->write_error = w->remove_error = EIO;
        assert_int_equal(write_one(w, "a"), FOCAL_IO);
        w->write_error = w->remove_error = 0;
        assert_int_equal(focal_store_begin(w->store), FOCAL_IO);
        assert_int_equal(again(w), FOCAL_FENCE_GOOD);
        assert_int_equal(write_one(w, "b"), FOCAL_OK);
    }
}

static void mark_that_cannot_be_written(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_ROOM];
    static const int errors[] = { ENOSPC, EIO, EDQUOT };
    for (size_t i = 0; i < 2 * (sizeof errors / sizeof *errors); i++) {
        (void)again(w);
        assert_int_equal(write_one(w, "a"), FOCAL_OK);
        assert_int_equal(again(w), FOCAL_FENCE_GOOD);
        *(i % 2 ? &w->write_error : &w->sync_error) = errors[i / 2];
        w->removes = 0;
        /* The commit stands; that there is no fence any more is found at the next start. */
        assert_int_equal(write_one(w, "b"), FOCAL_OK);
        assert_int_equal(w->removes, 2);
        assert_false(fence_file(w->places[0], path));
        assert_false(fence_file(w->places[1], path));
        w->write_error = w->sync_error = 0;
        assert_int_equal(write_one(w, "c"), FOCAL_OK);
        assert_false(fence_file(w->places[0], path));
        assert_int_equal(again(w), FOCAL_FENCE_MISSING);
    }
}

/* A mark that could neither be written nor removed would call an old copy good: the store stops. */
static void mark_that_cannot_be_removed(void **state)
{
    struct world *w = *state;
    for (int how = 0; how < 2; how++) {
        (void)again(w);
        assert_int_equal(write_one(w, "a"), FOCAL_OK);
        *(how ? &w->write_error : &w->sync_error) = EIO;
        w->remove_error = EROFS;
        assert_int_equal(write_one(w, "b"), FOCAL_IO);
        w->write_error = w->sync_error = w->remove_error = 0;
        assert_int_equal(focal_store_begin(w->store), FOCAL_IO);
        assert_int_equal(focal_store_scrub(w->store), FOCAL_IO);
    }
}

/* A commit of the database that fails leaves the fence as it is. */
static void failed_commit_leaves_the_fence(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    w->writes = 0;
    assert_int_equal(focal_store_begin(w->store), FOCAL_OK);
    sqlite3_int64 bound = sqlite3_hard_heap_limit64(-1);
    static uint8_t big[FOCAL_STORE_VALUE_MAX];
    sqlite3_hard_heap_limit64(sqlite3_memory_used() + 1024 * 1024);
    assert_int_equal(focal_store_put(w->store, FOCAL_SHELF_SEGMENT, focal_span_text("k"), focal_span_of(big, sizeof big)), FOCAL_NO_MEMORY);
    sqlite3_hard_heap_limit64(bound);
    assert_int_equal(focal_store_commit(w->store), FOCAL_NO_MEMORY);
    assert_int_equal(w->writes, 0);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
}

/* No space where the file is to be made: the place is passed over, and nothing half-made is left. */
static void place_without_space(void **state)
{
    struct world *w = *state;
    char path[FILE_PATH_ROOM];
    w->write_error = ENOSPC;
    assert_int_equal(again(w), FOCAL_FENCE_NONE);
    assert_false(fence_file(w->places[0], path));
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    w->write_error = 0;
    assert_int_equal(again(w), FOCAL_FENCE_MISSING);
}

static void damaged_row(void **state)
{
    struct world *w = *state;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    close_store(w);
    run_past(w->db, true, "UPDATE meta SET value = x'00' WHERE key = CAST('fence' AS BLOB)");
    assert_int_equal(open_with(w, w->places[0], w->places[1]), FOCAL_DAMAGED);
    assert_non_null(strstr(w->err.message, w->db));
}

static void only_the_store_has_one(void **state)
{
    struct world *w = *state;
    struct focal_store *shot;
    assert_int_equal(again(w), FOCAL_FENCE_NEW);
    assert_int_equal(write_one(w, "a"), FOCAL_OK);
    assert_int_equal(again(w), FOCAL_FENCE_GOOD);
    assert_int_equal(focal_store_snapshot(w->store, &shot), FOCAL_OK);
    assert_int_equal(focal_store_fence(shot), FOCAL_FENCE_NEW);
    focal_store_close(shot);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_then_good),
        TEST(old_copy_is_behind),
        TEST(another_branch_is_behind),
        TEST(missing_and_moved),
        TEST(nowhere_to_write),
        TEST(away_for_a_while),
        TEST(no_network_no_fence),
        TEST(torn_mark_leaves_the_older),
        TEST(either_place_will_do),
        TEST(the_one_ahead_wins),
        TEST(database_first_then_marks_then_ok),
        TEST(power_cut_between),
        TEST(mark_that_cannot_be_written),
        TEST(mark_that_cannot_be_removed),
        TEST(failed_commit_leaves_the_fence),
        TEST(place_without_space),
        TEST(damaged_row),
        TEST(only_the_store_has_one),
    };
    return cmocka_run_group_tests_name("store fence", tests, NULL, NULL);
}
