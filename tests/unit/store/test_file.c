/* The database as a file: what is opened, what is refused, and that a refused file is left as it is. */
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
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place { char directory[64], path[80]; struct focal_error err; };

static int enter(void **state)
{
    struct place *p = focal_alloc(sizeof *p);
    assert_non_null(p);
    strcpy(p->directory, "/tmp/focal-file-XXXXXX");
    assert_non_null(mkdtemp(p->directory));
    snprintf(p->path, sizeof p->path, "%s/db", p->directory);
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

/* How many files stand in the directory. */
static int files_in(const struct place *p)
{
    int n = 0;
    DIR *dir = opendir(p->directory);
    assert_non_null(dir);
    struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static bool exists(const struct place *p, const char *suffix)
{
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", p->path, suffix);
    return lstat(path, &st) == 0;
}

static enum focal_status try_open(struct place *p, struct focal_sqlite_options options, struct focal_store **out)
{
    options.path = p->path;
    memset(&p->err, 0, sizeof p->err);
    enum focal_status status = focal_sqlite_open(out, &options, &p->err);
    if (status != FOCAL_OK) {
        assert_null(*out);
        assert_int_equal(p->err.status, status);
        assert_non_null(strstr(p->err.message, p->directory));
        assert_true(p->err.hint[0] != 0);
    }
    return status;
}

static struct focal_store *must_open(struct place *p, bool create)
{
    struct focal_store *store;
    enum focal_status status = try_open(p, (struct focal_sqlite_options){ SEALED, .create = create }, &store);
    if (status != FOCAL_OK)
        fail_msg("%s", p->err.message);
    return store;
}

static void put_number(struct focal_store *store, uint32_t number)
{
    uint8_t key[8], value[120];
    focal_put_be64(key, number);
    memset(value, (int)(number & 0xFF), sizeof value);
    assert_int_equal(focal_store_put(store, FOCAL_SHELF_LOG, focal_span_of(key, sizeof key),
                                     focal_span_of(value, sizeof value)), FOCAL_OK);
}

static void fill(struct focal_store *store, uint32_t first, uint32_t count)
{
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    for (uint32_t i = 0; i < count; i++)
        put_number(store, first + i);
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
}

static uint64_t rows_in(struct focal_store *store)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(store, FOCAL_SHELF_LOG, &digest, &rows), FOCAL_OK);
    return rows;
}

/* Opening must give `expected` and change neither the file nor what stands beside it. */
static void expect_refused(struct place *p, struct focal_sqlite_options options, enum focal_status expected)
{
    struct focal_buf before = contents(p->path);
    int files = files_in(p) - (exists(p, ".lock") ? 1 : 0);
    struct focal_store *store;
    assert_int_equal(try_open(p, options, &store), expected);
    struct focal_buf after = contents(p->path);
    assert_true(focal_span_equal(focal_buf_view(&before), focal_buf_view(&after)));
    assert_int_equal(files_in(p) - (exists(p, ".lock") ? 1 : 0), files);
    focal_buf_close(&before);
    focal_buf_close(&after);
}

static void creates_and_keeps(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_false(exists(p, ".new"));
    fill(store, 0, 10);
    char wal[100];
    snprintf(wal, sizeof wal, "%s-wal", p->path);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    focal_store_close(store);
    assert_false(exists(p, "-wal"));
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 10);
    focal_store_close(store);
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = true }, FOCAL_EXISTS);
}

static void nothing_there(void **state)
{
    struct place *p = *state;
    struct focal_store *store;
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = false }, &store), FOCAL_NOT_FOUND);
    assert_int_equal(files_in(p), 0);
    snprintf(p->path, sizeof p->path, "%s/no/db", p->directory);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = true }, &store), FOCAL_NOT_FOUND);
    snprintf(p->path, sizeof p->path, "%s/", p->directory);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = true }, &store), FOCAL_USAGE);
    char endless[8000];
    memset(endless, 'x', sizeof endless - 1);
    endless[0] = '/';
    endless[sizeof endless - 1] = 0;
    assert_int_equal(focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = endless, .create = true }, NULL),
                     FOCAL_USAGE);
}

static void links_and_directories_are_refused(void **state)
{
    struct place *p = *state;
    char real[100];
    snprintf(real, sizeof real, "%s/real", p->directory);
    struct focal_store *store;
    assert_int_equal(focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = real, .create = true }, &p->err),
                     FOCAL_OK);
    focal_store_close(store);
    assert_int_equal(symlink(real, p->path), 0);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = false }, &store), FOCAL_DENIED);
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = true }, &store), FOCAL_DENIED);
    assert_int_equal(rmdir(p->path), 0);
}

/* A link among the directories above is the administrator's own affair. */
static void linked_directory_is_followed(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    char link[120], path[140];
    snprintf(link, sizeof link, "%s/way", p->directory);
    assert_int_equal(symlink(p->directory, link), 0);
    snprintf(path, sizeof path, "%s/db", link);
    struct focal_store *second;
    assert_int_equal(focal_sqlite_open(&second, &(struct focal_sqlite_options){ SEALED, .path = path }, &p->err), FOCAL_BUSY);
    focal_store_close(store);
    assert_int_equal(focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = path }, &p->err), FOCAL_OK);
    focal_store_close(store);
}

static void second_opener_is_told(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true), *second;
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = false }, &second), FOCAL_BUSY);
    assert_non_null(strstr(p->err.message, pid));
    assert_non_null(strstr(p->err.message, "db.lock"));
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .read_only = true }, &second), FOCAL_BUSY);
    pid_t child = fork();
    if (child == 0) {
        struct focal_error err;
        struct focal_store *mine;
        enum focal_status status = focal_sqlite_open(&mine, &(struct focal_sqlite_options){ SEALED, .path = p->path }, &err);
        _exit(status == FOCAL_BUSY && strstr(err.message, pid) ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 0);
    /* The refused ones took nothing from the holder. */
    fill(store, 0, 5);
    focal_store_close(store);
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 5);
    focal_store_close(store);
}

static void read_only_changes_nothing(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true), *second, *shot;
    fill(store, 0, 100);
    focal_store_close(store);
    struct focal_buf before = contents(p->path);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .read_only = true }, &store), FOCAL_OK);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .read_only = true }, &second), FOCAL_OK);
    assert_int_equal(focal_store_begin(store), FOCAL_DENIED);
    assert_int_equal(rows_in(store), 100);
    assert_int_equal(focal_store_snapshot(store, &shot), FOCAL_OK);
    assert_int_equal(rows_in(shot), 100);
    focal_store_close(shot);
    struct focal_store *writer;
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = false }, &writer), FOCAL_BUSY);
    focal_store_close(second);
    focal_store_close(store);
    struct focal_buf after = contents(p->path);
    assert_true(focal_span_equal(focal_buf_view(&before), focal_buf_view(&after)));
    focal_buf_close(&before);
    focal_buf_close(&after);
    focal_store_close(must_open(p, false));
}

static void not_a_database(void **state)
{
    struct place *p = *state;
    write_file(p->path, focal_span_text("dear diary, this is not a database at all; "
                                        "it is only a text that somebody put in its place, longer than a header is"));
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .skip_check = true }, FOCAL_DAMAGED);
    write_file(p->path, focal_span_text(""));
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
    write_file(p->path, focal_span_text("x"));
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .read_only = true }, FOCAL_DAMAGED);
}

static void somebody_elses_database(void **state)
{
    struct place *p = *state;
    run_past(p->path, false, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    expect_refused(p, (struct focal_sqlite_options){ IN_CLEAR }, FOCAL_DAMAGED);
    assert_non_null(strstr(p->err.message, "not a database of this program"));
    expect_refused(p, (struct focal_sqlite_options){ SEALED }, FOCAL_DAMAGED);
    run_past(p->path, false, "PRAGMA journal_mode=WAL");
    expect_refused(p, (struct focal_sqlite_options){ IN_CLEAR }, FOCAL_DAMAGED);
    expect_refused(p, (struct focal_sqlite_options){ SEALED }, FOCAL_DAMAGED);
    assert_int_equal(unlink(p->path), 0);
    run_past(p->path, true, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=8192; CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    expect_refused(p, (struct focal_sqlite_options){ SEALED }, FOCAL_DAMAGED);
    assert_non_null(strstr(p->err.message, "not a database of this program"));
}

static void newer_version(void **state)
{
    struct place *p = *state;
    focal_store_close(must_open(p, true));
    run_past(p->path, true, "PRAGMA user_version=9999");
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_UNSUPPORTED);
    assert_non_null(strstr(p->err.message, "9999"));
    run_past(p->path, true, "PRAGMA user_version=-1");
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
}

/* Version 0 carries our mark and no tables yet: a start that died between creation and its first step. */
static void older_version_is_brought_up(void **state)
{
    struct place *p = *state;
    run_past(p->path, true, "PRAGMA journal_mode=MEMORY; PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA application_id=0x666F6361;"
             "CREATE TABLE x(a); DROP TABLE x");
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .read_only = true }, FOCAL_UNSUPPORTED);
    struct focal_store *store = must_open(p, false);
    fill(store, 0, 3);
    focal_store_close(store);
    store = must_open(p, false);
    assert_int_equal(rows_in(store), 3);
    focal_store_close(store);
}

static void missing_table(void **state)
{
    struct place *p = *state;
    focal_store_close(must_open(p, true));
    run_past(p->path, true, "DROP TABLE segment");
    struct focal_store *store;
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = false }, &store), FOCAL_DAMAGED);
    assert_non_null(strstr(p->err.message, "segment"));
}

static void truncated(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    fill(store, 0, 2000);
    focal_store_close(store);
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    static const off_t cuts[] = { 1, 4096, 8192, 3 * 8192 };
    struct focal_buf whole = contents(p->path);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        write_file(p->path, focal_span_of(whole.data, whole.len - (size_t)cuts[i]));
        expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
    }
    write_file(p->path, focal_span_of(whole.data, 50));
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
    write_file(p->path, focal_buf_view(&whole));
    focal_store_close(must_open(p, false));
    focal_buf_close(&whole);
}

static void overwritten_pages(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    fill(store, 0, 3000);
    focal_store_close(store);
    struct focal_buf whole = contents(p->path);
    assert_true(whole.len > 20 * 8192);
    for (size_t page = 0; page < 20; page += 3) {
        struct focal_buf bad;
        focal_buf_init(&bad, whole.len);
        focal_buf_span(&bad, focal_buf_view(&whole));
        memset(bad.data + page * 8192, 0xA5, 100);
        write_file(p->path, focal_buf_view(&bad));
        expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
        focal_buf_close(&bad);
    }
    focal_buf_close(&whole);
}

static void deep_check(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true), *shot;
    fill(store, 0, 3000);
    struct focal_buf findings;
    focal_buf_init(&findings, 1 << 20);
    assert_int_equal(focal_sqlite_deep_check(store, &findings), FOCAL_OK);
    assert_int_equal(focal_store_snapshot(store, &shot), FOCAL_OK);
    assert_int_equal(focal_sqlite_deep_check(shot, &findings), FOCAL_OK);
    focal_store_close(shot);
    assert_int_equal(findings.len, 0);
    focal_store_close(store);
    struct focal_buf whole = contents(p->path);
    memset(whole.data + whole.len - 8192, 0xA5, 60);
    write_file(p->path, focal_buf_view(&whole));
    focal_buf_close(&whole);
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .skip_check = true }, &store), FOCAL_OK);
    assert_int_equal(focal_sqlite_deep_check(store, &findings), FOCAL_DAMAGED);
    assert_true(findings.len > 0);
    focal_buf_close(&findings);
    focal_store_close(store);
}

static void leftovers(void **state)
{
    struct place *p = *state;
    char path[100];
    snprintf(path, sizeof path, "%s.new", p->path);
    write_file(path, focal_span_text("half made"));
    snprintf(path, sizeof path, "%s.new-wal", p->path);
    write_file(path, focal_span_text("half made"));
    focal_store_close(must_open(p, true));
    assert_false(exists(p, ".new"));
    assert_false(exists(p, ".new-wal"));
    assert_int_equal(unlink(p->path), 0);
    snprintf(path, sizeof path, "%s-wal", p->path);
    write_file(path, focal_span_text("the last changes of a lost database"));
    struct focal_store *store;
    assert_int_equal(try_open(p, (struct focal_sqlite_options){ SEALED, .create = true }, &store), FOCAL_EXISTS);
    assert_true(exists(p, "-wal"));
    assert_false(exists(p, ""));
    assert_int_equal(unlink(path), 0);
    focal_store_close(must_open(p, true));
    snprintf(path, sizeof path, "%s-journal", p->path);
    write_file(path, focal_span_text("a journal"));
    expect_refused(p, (struct focal_sqlite_options){ SEALED, .create = false }, FOCAL_DAMAGED);
}

/* What a killed process had committed is there; what it had only begun is not. */
static void killed_process(void **state)
{
    struct place *p = *state;
    focal_store_close(must_open(p, true));
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        struct focal_store *store;
        if (focal_sqlite_open(&store, &(struct focal_sqlite_options){ SEALED, .path = p->path }, NULL) != FOCAL_OK)
            _exit(1);
        for (uint32_t n = 0;; n += 10) {
            fill(store, n, 10);
            uint32_t done = n + 10;
            if (done == 500) {
                /* In the middle of the next one, with enough written to have spilled out of the cache. */
                (void)!focal_store_begin(store);
                for (uint32_t i = 0; i < 200000; i++)
                    put_number(store, 1000 + i);
                (void)!write(pipes[1], &done, sizeof done);
                pause();
            }
        }
    }
    uint32_t done = 0;
    assert_int_equal(read(pipes[0], &done, sizeof done), sizeof done);
    kill(child, SIGKILL);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    close(pipes[0]);
    close(pipes[1]);
    assert_true(exists(p, "-wal"));
    struct focal_store *store = must_open(p, false);
    assert_int_equal(rows_in(store), done);
    focal_store_close(store);
}

static int open_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static uint64_t log_size(const struct place *p)
{
    char path[100];
    struct stat st;
    snprintf(path, sizeof path, "%s-wal", p->path);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Snapshots come and go; they leave no descriptors behind, and the log shrinks again once they are gone. */
static void snapshots_leave_nothing(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true), *shot;
    fill(store, 0, 100);
    assert_int_equal(focal_store_snapshot(store, &shot), FOCAL_OK);
    focal_store_close(shot);
    int files = open_files();
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(focal_store_snapshot(store, &shot), FOCAL_OK);
        fill(store, 0, 1);
        assert_int_equal(rows_in(shot), 100);
        focal_store_close(shot);
    }
    assert_int_equal(open_files(), files);
    assert_int_equal(focal_store_snapshot(store, &shot), FOCAL_OK);
    for (uint32_t i = 0; i < 6; i++)
        fill(store, 100000 * i, 40000);
    assert_int_equal(rows_in(shot), 100);
    assert_true(log_size(p) > 24u << 20);
    focal_store_close(shot);
    /* The first copies the log into the file, the second starts it anew. */
    fill(store, 9000001, 1);
    fill(store, 9000002, 1);
    assert_true(log_size(p) <= 17u << 20);
    focal_store_close(store);
}

/* A walk that was left standing must not hold the log for ever either. */
static void standing_walk_holds_nothing(void **state)
{
    struct place *p = *state;
    struct focal_store *store = must_open(p, true);
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    fill(store, 0, 100);
    for (uint32_t i = 0; i < 8; i++) {
        focal_buf_clear(&key);
        assert_int_equal(focal_store_next(store, FOCAL_SHELF_LOG, focal_buf_view(&key), &key, NULL), FOCAL_OK);
        fill(store, 100000 * i, 40000);
    }
    fill(store, 9000001, 1);
    assert_true(log_size(p) <= 17u << 20);
    focal_buf_close(&key);
    focal_store_close(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creates_and_keeps),
        TEST(nothing_there),
        TEST(links_and_directories_are_refused),
        TEST(linked_directory_is_followed),
        TEST(second_opener_is_told),
        TEST(read_only_changes_nothing),
        TEST(not_a_database),
        TEST(somebody_elses_database),
        TEST(newer_version),
        TEST(older_version_is_brought_up),
        TEST(missing_table),
        TEST(truncated),
        TEST(overwritten_pages),
        TEST(deep_check),
        TEST(leftovers),
        TEST(killed_process),
        TEST(snapshots_leave_nothing),
        TEST(standing_walk_holds_nothing),
    };
    return cmocka_run_group_tests_name("store file", tests, NULL, NULL);
}
