/* The contract of focal/store.h, held against every implementation of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_store.h"
#include "focal/store_sqlite.h"
#include "store_key.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bench {
    struct focal_store *store;
    char directory[64];
    struct focal_buf key, value;
    uint64_t chance;
    char place[96];                     /* of the fence; sqlite only */
    struct focal_fake_image *image;     /* the backup; fake only */
};

static struct focal_span text(const char *s)
{
    return focal_span_text(s);
}

static void ready(struct bench *b)
{
    focal_buf_init(&b->key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&b->value, FOCAL_STORE_VALUE_MAX);
}

static int open_fake(void **state)
{
    struct bench *b = focal_alloc(sizeof *b);
    assert_non_null(b);
    b->store = focal_fake_store_new();
    assert_non_null(b->store);
    ready(b);
    *state = b;
    return 0;
}

static int open_sqlite(void **state)
{
    struct bench *b = focal_alloc(sizeof *b);
    assert_non_null(b);
    strcpy(b->directory, "/tmp/focal-store-XXXXXX");
    assert_non_null(mkdtemp(b->directory));
    char path[96];
    snprintf(path, sizeof path, "%s/db", b->directory);
    struct focal_error err;
    assert_int_equal(focal_sqlite_open(&b->store, &(struct focal_sqlite_options){ SEALED, .path = path, .create = true }, &err),
                     FOCAL_OK);
    ready(b);
    *state = b;
    return 0;
}

/* ---- what happens to machines, for both ---- */

static void path_of(const struct bench *b, const char *name, char out[96])
{
    snprintf(out, 96, "%s/%s", b->directory, name);
}

static void chance_fill(void *data, void *out, size_t len)
{
    uint64_t *state = data;
    uint8_t *to = out;
    for (size_t i = 0; i < len; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        to[i] = (uint8_t)(*state >> 56);
    }
}

/* Starts again on that machine, and says what the fence said. NULL: where none can be written. */
static enum focal_fence_verdict start(struct bench *b, const char *machine)
{
    struct focal_entropy entropy = { chance_fill, &b->chance };
    if (!b->directory[0]) {
        if (b->image)
            focal_fake_store_machine(b->store, machine);
        else
            focal_fake_store_fence(b->store, entropy, machine);
        if (!b->image)
            b->image = focal_fake_store_backup(b->store, false);
        assert_non_null(b->image);
        return focal_store_fence(b->store);
    }
    char path[96];
    path_of(b, "db", path);
    focal_store_close(b->store);
    assert_int_equal(focal_sqlite_open(&b->store, &(struct focal_sqlite_options){ SEALED, .path = path }, NULL), FOCAL_OK);
    snprintf(b->place, sizeof b->place, "%s.fence", b->directory);
    struct focal_fence_setup setup = { .places = { machine ? b->place : NULL }, .entropy = entropy,
        .machine_id = focal_span_text(machine ? machine : "") };
    assert_int_equal(focal_sqlite_fence(b->store, &setup, NULL), FOCAL_OK);
    return focal_store_fence(b->store);
}

static void copy_file(const char *from, const char *to)
{
    static char block[1 << 20];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "r+b");
    if (!out)
        out = fopen(to, "wb");
    assert_true(in && out);
    size_t n = fread(block, 1, sizeof block, in);
    assert_true(n > 0 && feof(in));
    assert_int_equal(fwrite(block, 1, n, out), n);
    assert_int_equal(fclose(in) | fclose(out), 0);
}

static void back_up(struct bench *b)
{
    char db[96], copy[96];
    if (!b->directory[0]) {
        focal_fake_image_free(b->image);
        b->image = focal_fake_store_backup(b->store, false);
        assert_non_null(b->image);
        return;
    }
    path_of(b, "db", db);
    path_of(b, "backup", copy);
    assert_int_equal(focal_store_scrub(b->store), FOCAL_OK);
    copy_file(db, copy);
}

static void put_back(struct bench *b)
{
    char db[96], copy[96];
    if (!b->directory[0]) {
        assert_int_equal(focal_fake_store_restore(b->store, b->image), FOCAL_OK);
        return;
    }
    focal_store_close(b->store);
    path_of(b, "db", db);
    path_of(b, "backup", copy);
    copy_file(copy, db);
    b->store = NULL;
}

static void lose_fence(struct bench *b)
{
    DIR *dir = b->directory[0] ? opendir(b->place) : NULL;
    struct dirent *e;
    if (!b->directory[0])
        focal_fake_store_lose_fence(b->store);
    while (dir && (e = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

static int finish(void **state)
{
    struct bench *b = *state;
    focal_store_close(b->store);
    if (b->directory[0]) {
        static const char *const names[] = { "db", "db-wal", "db-shm", "db.lock", "backup" };
        char path[96];
        lose_fence(b);
        rmdir(b->place);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            snprintf(path, sizeof path, "%s/%s", b->directory, names[i]);
            unlink(path);
        }
        assert_int_equal(rmdir(b->directory), 0);
    }
    focal_fake_image_free(b->image);
    focal_buf_close(&b->key);
    focal_buf_close(&b->value);
    focal_free(b);
    return 0;
}

static void expect_put(struct bench *b, enum focal_shelf shelf, const char *key, const char *value)
{
    assert_int_equal(focal_store_put(b->store, shelf, text(key), text(value)), FOCAL_OK);
}

static void expect_get(struct bench *b, struct focal_store *store, enum focal_shelf shelf, const char *key,
                       const char *value)
{
    enum focal_status status = focal_store_get(store, shelf, text(key), &b->value);
    if (!value) {
        assert_int_equal(status, FOCAL_NOT_FOUND);
        assert_int_equal(b->value.len, 0);
        return;
    }
    assert_int_equal(status, FOCAL_OK);
    assert_int_equal(b->value.len, strlen(value));
    assert_memory_equal(b->value.data, value, strlen(value));
}

static void expect_next(struct bench *b, enum focal_shelf shelf, const char *after, const char *key, const char *value)
{
    enum focal_status status = focal_store_next(b->store, shelf, text(after), &b->key, &b->value);
    if (!key) {
        assert_int_equal(status, FOCAL_NOT_FOUND);
        assert_int_equal(b->key.len, 0);
        assert_int_equal(b->value.len, 0);
        return;
    }
    assert_int_equal(status, FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&b->key), text(key)));
    assert_true(focal_span_equal(focal_buf_view(&b->value), text(value)));
}

static void expect_prev(struct bench *b, enum focal_shelf shelf, const char *before, const char *key)
{
    enum focal_status status = focal_store_prev(b->store, shelf, text(before), &b->key, &b->value);
    if (!key) {
        assert_int_equal(status, FOCAL_NOT_FOUND);
        return;
    }
    assert_int_equal(status, FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&b->key), text(key)));
}

static void begin(struct bench *b)
{
    assert_int_equal(focal_store_begin(b->store), FOCAL_OK);
}

static void commit(struct bench *b)
{
    assert_int_equal(focal_store_commit(b->store), FOCAL_OK);
}

static void put_get_del(void **state)
{
    struct bench *b = *state;
    expect_get(b, b->store, FOCAL_SHELF_META, "a", NULL);
    begin(b);
    expect_put(b, FOCAL_SHELF_META, "a", "one");
    expect_get(b, b->store, FOCAL_SHELF_META, "a", "one");
    expect_put(b, FOCAL_SHELF_META, "a", "two");
    expect_get(b, b->store, FOCAL_SHELF_META, "a", "two");
    commit(b);
    expect_get(b, b->store, FOCAL_SHELF_META, "a", "two");
    expect_get(b, b->store, FOCAL_SHELF_LOG, "a", NULL);
    begin(b);
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_META, text("a")), FOCAL_OK);
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_META, text("a")), FOCAL_OK);
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_META, text("never")), FOCAL_OK);
    expect_get(b, b->store, FOCAL_SHELF_META, "a", NULL);
    commit(b);
    expect_get(b, b->store, FOCAL_SHELF_META, "a", NULL);
}

static void every_shelf_is_its_own(void **state)
{
    struct bench *b = *state;
    char value[16];
    begin(b);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        snprintf(value, sizeof value, "%d", shelf);
        expect_put(b, (enum focal_shelf)shelf, "k", value);
    }
    commit(b);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        snprintf(value, sizeof value, "%d", shelf);
        expect_get(b, b->store, (enum focal_shelf)shelf, "k", value);
        expect_next(b, (enum focal_shelf)shelf, "", "k", value);
        expect_next(b, (enum focal_shelf)shelf, "k", NULL, NULL);
    }
}

static void rollback_restores(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect_put(b, FOCAL_SHELF_PART, "kept", "1");
    expect_put(b, FOCAL_SHELF_PART, "removed", "2");
    expect_put(b, FOCAL_SHELF_PART, "replaced", "3");
    commit(b);
    begin(b);
    expect_put(b, FOCAL_SHELF_PART, "new", "4");
    expect_put(b, FOCAL_SHELF_PART, "replaced", "5");
    expect_put(b, FOCAL_SHELF_PART, "replaced", "6");
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_PART, text("replaced")), FOCAL_OK);
    expect_put(b, FOCAL_SHELF_PART, "replaced", "7");
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_PART, text("removed")), FOCAL_OK);
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_PART, text("new")), FOCAL_OK);
    expect_put(b, FOCAL_SHELF_PART, "new", "8");
    expect_next(b, FOCAL_SHELF_PART, "", "kept", "1");
    focal_store_rollback(b->store);
    expect_next(b, FOCAL_SHELF_PART, "", "kept", "1");
    expect_next(b, FOCAL_SHELF_PART, "kept", "removed", "2");
    expect_next(b, FOCAL_SHELF_PART, "removed", "replaced", "3");
    expect_next(b, FOCAL_SHELF_PART, "replaced", NULL, NULL);
    focal_store_rollback(b->store);
    begin(b);
    commit(b);
}

static void order_is_bytewise(void **state)
{
    struct bench *b = *state;
    static const struct { uint8_t bytes[4]; size_t len; } keys[] = {
        { { 0x00 }, 1 }, { { 0x00, 0x00 }, 2 }, { { 0x00, 0x01 }, 2 }, { { 0x41 }, 1 }, { { 0x41, 0x00 }, 2 },
        { { 0x61 }, 1 }, { { 0x7F, 0xFF }, 2 }, { { 0x80 }, 1 }, { { 0xFF }, 1 }, { { 0xFF, 0xFF, 0xFF }, 3 },
    };
    size_t count = sizeof keys / sizeof *keys;
    begin(b);
    for (size_t i = 0; i < count; i++) {
        size_t k = i * 7 % count;
        assert_int_equal(focal_store_put(b->store, FOCAL_SHELF_LOG, focal_span_of(keys[k].bytes, keys[k].len), text("")),
                         FOCAL_OK);
    }
    commit(b);
    focal_buf_clear(&b->key);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(focal_store_next(b->store, FOCAL_SHELF_LOG, focal_buf_view(&b->key), &b->key, &b->value),
                         FOCAL_OK);
        assert_true(focal_span_equal(focal_buf_view(&b->key), focal_span_of(keys[i].bytes, keys[i].len)));
        assert_int_equal(b->value.len, 0);
    }
    assert_int_equal(focal_store_next(b->store, FOCAL_SHELF_LOG, focal_buf_view(&b->key), &b->key, NULL),
                     FOCAL_NOT_FOUND);
    focal_buf_clear(&b->key);
    for (size_t i = count; i-- > 0;) {
        assert_int_equal(focal_store_prev(b->store, FOCAL_SHELF_LOG, focal_buf_view(&b->key), &b->key, NULL), FOCAL_OK);
        assert_true(focal_span_equal(focal_buf_view(&b->key), focal_span_of(keys[i].bytes, keys[i].len)));
    }
    assert_int_equal(focal_store_prev(b->store, FOCAL_SHELF_LOG, focal_buf_view(&b->key), &b->key, NULL),
                     FOCAL_NOT_FOUND);
}

static void neighbours(void **state)
{
    struct bench *b = *state;
    expect_next(b, FOCAL_SHELF_CODE, "", NULL, NULL);
    expect_prev(b, FOCAL_SHELF_CODE, "", NULL);
    begin(b);
    expect_put(b, FOCAL_SHELF_CODE, "b", "1");
    expect_put(b, FOCAL_SHELF_CODE, "d", "2");
    commit(b);
    expect_next(b, FOCAL_SHELF_CODE, "a", "b", "1");
    expect_next(b, FOCAL_SHELF_CODE, "c", "d", "2");
    expect_next(b, FOCAL_SHELF_CODE, "d", NULL, NULL);
    expect_next(b, FOCAL_SHELF_CODE, "z", NULL, NULL);
    expect_prev(b, FOCAL_SHELF_CODE, "", "d");
    expect_prev(b, FOCAL_SHELF_CODE, "d", "b");
    expect_prev(b, FOCAL_SHELF_CODE, "c", "b");
    expect_prev(b, FOCAL_SHELF_CODE, "b", NULL);
    /* With values after without, and the other way round. */
    assert_int_equal(focal_store_next(b->store, FOCAL_SHELF_CODE, text("a"), &b->key, NULL), FOCAL_OK);
    expect_next(b, FOCAL_SHELF_CODE, "b", "d", "2");
}

/* A walk that is under way sees what is written before it, behind it and under it. */
static void walk_survives_changes(void **state)
{
    struct bench *b = *state;
    begin(b);
    for (char c = 'a'; c <= 'i'; c = (char)(c + 2))
        expect_put(b, FOCAL_SHELF_KIND, (char[]){ c, 0 }, "x");
    commit(b);
    expect_next(b, FOCAL_SHELF_KIND, "", "a", "x");
    expect_next(b, FOCAL_SHELF_KIND, "a", "c", "x");
    begin(b);
    expect_next(b, FOCAL_SHELF_KIND, "c", "e", "x");
    expect_put(b, FOCAL_SHELF_KIND, "f", "y");
    expect_next(b, FOCAL_SHELF_KIND, "e", "f", "y");
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_KIND, text("g")), FOCAL_OK);
    expect_next(b, FOCAL_SHELF_KIND, "f", "i", "x");
    expect_put(b, FOCAL_SHELF_KIND, "i", "z");
    expect_next(b, FOCAL_SHELF_KIND, "f", "i", "z");
    focal_store_rollback(b->store);
    expect_next(b, FOCAL_SHELF_KIND, "i", NULL, NULL);
    expect_next(b, FOCAL_SHELF_KIND, "e", "g", "x");
    begin(b);
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_KIND, text("g")), FOCAL_OK);
    commit(b);
    expect_next(b, FOCAL_SHELF_KIND, "g", "i", "x");
    begin(b);
    expect_next(b, FOCAL_SHELF_KIND, "", "a", "x");
    /* A write on another shelf does not disturb it. */
    expect_put(b, FOCAL_SHELF_META, "other", "o");
    expect_next(b, FOCAL_SHELF_KIND, "a", "c", "x");
    commit(b);
    expect_next(b, FOCAL_SHELF_KIND, "c", "e", "x");
}

static void delete_while_walking(void **state)
{
    struct bench *b = *state;
    char key[16];
    begin(b);
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "%04d", i);
        expect_put(b, FOCAL_SHELF_STAGING, key, key);
    }
    commit(b);
    begin(b);
    int seen = 0;
    focal_buf_clear(&b->key);
    while (focal_store_next(b->store, FOCAL_SHELF_STAGING, focal_buf_view(&b->key), &b->key, &b->value) == FOCAL_OK) {
        snprintf(key, sizeof key, "%04d", seen++);
        assert_memory_equal(b->key.data, key, 4);
        assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_STAGING, focal_buf_view(&b->key)), FOCAL_OK);
    }
    assert_int_equal(seen, 300);
    commit(b);
    expect_next(b, FOCAL_SHELF_STAGING, "", NULL, NULL);
}

static void sizes_and_limits(void **state)
{
    struct bench *b = *state;
    uint8_t key[FOCAL_STORE_KEY_MAX + 1];
    memset(key, 0xFF, sizeof key);
    struct focal_span longest = focal_span_of(key, FOCAL_STORE_KEY_MAX);
    uint8_t *big = focal_alloc(FOCAL_STORE_VALUE_MAX + 1);
    assert_non_null(big);
    for (size_t i = 0; i < FOCAL_STORE_VALUE_MAX; i++)
        big[i] = (uint8_t)(i * 31 >> 3);
    begin(b);
    assert_int_equal(focal_store_put(b->store, FOCAL_SHELF_SEGMENT, focal_span_of(key, sizeof key), text("v")),
                     FOCAL_TOO_BIG);
    assert_int_equal(focal_store_put(b->store, FOCAL_SHELF_SEGMENT, longest,
                                     focal_span_of(big, FOCAL_STORE_VALUE_MAX + 1)), FOCAL_TOO_BIG);
    assert_int_equal(focal_store_put(b->store, FOCAL_SHELF_SEGMENT, longest, focal_span_of(big, FOCAL_STORE_VALUE_MAX)),
                     FOCAL_OK);
    commit(b);
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_SEGMENT, longest, &b->value), FOCAL_OK);
    assert_int_equal(b->value.len, FOCAL_STORE_VALUE_MAX);
    assert_memory_equal(b->value.data, big, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_SEGMENT, focal_span_of(key, sizeof key), &b->value),
                     FOCAL_NOT_FOUND);
    assert_int_equal(focal_store_prev(b->store, FOCAL_SHELF_SEGMENT, focal_span_of(NULL, 0), &b->key, NULL), FOCAL_OK);
    assert_int_equal(b->key.len, FOCAL_STORE_KEY_MAX);
    struct focal_buf small;
    focal_buf_init(&small, 100);
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_SEGMENT, longest, &small), FOCAL_TOO_BIG);
    assert_int_equal(focal_store_next(b->store, FOCAL_SHELF_SEGMENT, text(""), &b->key, &small), FOCAL_TOO_BIG);
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_SEGMENT, text("none"), &small), FOCAL_NOT_FOUND);
    focal_buf_close(&small);
    uint64_t bytes;
    assert_int_equal(focal_store_sizes(b->store, &bytes), FOCAL_OK);
    assert_true(bytes >= FOCAL_STORE_VALUE_MAX);
    focal_free(big);
}

/* value may be the buffer that the key looks into. */
static void buffers_may_be_shared(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect_put(b, FOCAL_SHELF_PEER, "a", "b");
    expect_put(b, FOCAL_SHELF_PEER, "b", "c");
    commit(b);
    focal_buf_clear(&b->value);
    focal_buf_text(&b->value, "a");
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_PEER, focal_buf_view(&b->value), &b->value), FOCAL_OK);
    assert_int_equal(focal_store_get(b->store, FOCAL_SHELF_PEER, focal_buf_view(&b->value), &b->value), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&b->value), text("c")));
    focal_buf_clear(&b->value);
    focal_buf_text(&b->value, "a");
    assert_int_equal(focal_store_next(b->store, FOCAL_SHELF_PEER, focal_buf_view(&b->value), &b->key, &b->value),
                     FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&b->key), text("b")));
    assert_true(focal_span_equal(focal_buf_view(&b->value), text("c")));
}

static void snapshot_stands_still(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect_put(b, FOCAL_SHELF_META, "changed", "old");
    expect_put(b, FOCAL_SHELF_META, "removed", "old");
    commit(b);
    begin(b);
    expect_put(b, FOCAL_SHELF_META, "changed", "newer");
    expect_put(b, FOCAL_SHELF_META, "added", "newer");
    assert_int_equal(focal_store_del(b->store, FOCAL_SHELF_META, text("removed")), FOCAL_OK);
    struct focal_store *shot;
    assert_int_equal(focal_store_snapshot(b->store, &shot), FOCAL_OK);
    commit(b);
    expect_get(b, shot, FOCAL_SHELF_META, "changed", "old");
    expect_get(b, shot, FOCAL_SHELF_META, "removed", "old");
    expect_get(b, shot, FOCAL_SHELF_META, "added", NULL);
    expect_get(b, b->store, FOCAL_SHELF_META, "changed", "newer");
    expect_get(b, b->store, FOCAL_SHELF_META, "removed", NULL);
    assert_int_equal(focal_store_begin(shot), FOCAL_DENIED);
    struct focal_store *second;
    assert_int_equal(focal_store_snapshot(shot, &second), FOCAL_DENIED);
    assert_null(second);
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(shot, FOCAL_SHELF_META, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 2);
    focal_store_close(shot);
    assert_int_equal(focal_store_snapshot(b->store, &shot), FOCAL_OK);
    expect_get(b, shot, FOCAL_SHELF_META, "added", "newer");
    focal_store_close(shot);
}

static void write_one(struct bench *b, const char *value)
{
    begin(b);
    expect_put(b, FOCAL_SHELF_LOG, "k", value);
    commit(b);
}

/* Without a fence there is nothing to say; with one, each thing that happens to machines has its word. */
static void fence_story(void **state)
{
    struct bench *b = *state;
    assert_int_equal(focal_store_fence(b->store), FOCAL_FENCE_NEW);
    begin(b);
    expect_put(b, FOCAL_SHELF_META, "genesis", "the network's hash, 32 bytes....");
    commit(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_NEW);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_NEW);
    write_one(b, "1");
    assert_int_equal(focal_store_fence(b->store), FOCAL_FENCE_NEW);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
    back_up(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
    write_one(b, "2");
    put_back(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_BEHIND);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_BEHIND);
    expect_get(b, b->store, FOCAL_SHELF_LOG, "k", "1");
    write_one(b, "3");
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
    put_back(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_BEHIND);
    write_one(b, "4");
    assert_int_equal(start(b, "elsewhere"), FOCAL_FENCE_MOVED);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
    lose_fence(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_MISSING);
    write_one(b, "5");
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
    assert_int_equal(start(b, NULL), FOCAL_FENCE_NONE);
    write_one(b, "6");
    write_one(b, "7");
    assert_int_equal(start(b, "here"), FOCAL_FENCE_MISSING);
    write_one(b, "8");
    begin(b);
    commit(b);
    assert_int_equal(start(b, "here"), FOCAL_FENCE_GOOD);
}

static void scrubbing(void **state)
{
    struct bench *b = *state;
    struct focal_store *shot;
    write_one(b, "1");
    expect_next(b, FOCAL_SHELF_LOG, "", "k", "1");
    assert_int_equal(focal_store_scrub(b->store), FOCAL_OK);
    write_one(b, "2");
    assert_int_equal(focal_store_snapshot(b->store, &shot), FOCAL_OK);
    write_one(b, "3");
    assert_int_equal(focal_store_scrub(b->store), FOCAL_BUSY);
    assert_int_equal(focal_store_scrub(shot), FOCAL_DENIED);
    expect_get(b, shot, FOCAL_SHELF_LOG, "k", "2");
    focal_store_close(shot);
    assert_int_equal(focal_store_scrub(b->store), FOCAL_OK);
    assert_int_equal(focal_store_scrub(b->store), FOCAL_OK);
    expect_get(b, b->store, FOCAL_SHELF_LOG, "k", "3");
}

static void close_rolls_back_nothing_breaks(void **state)
{
    struct bench *b = *state;
    begin(b);
    expect_put(b, FOCAL_SHELF_META, "a", "1");
    expect_next(b, FOCAL_SHELF_META, "", "a", "1");
    /* finish() closes it in the middle of transaction and walk; the sanitizers look for leaks. */
}

#define BOTH(f) \
    { "fake: " #f, f, open_fake, finish, NULL }, { "sqlite: " #f, f, open_sqlite, finish, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(put_get_del),
        BOTH(every_shelf_is_its_own),
        BOTH(rollback_restores),
        BOTH(order_is_bytewise),
        BOTH(neighbours),
        BOTH(walk_survives_changes),
        BOTH(delete_while_walking),
        BOTH(sizes_and_limits),
        BOTH(buffers_may_be_shared),
        BOTH(snapshot_stands_still),
        BOTH(fence_story),
        BOTH(scrubbing),
        BOTH(close_rolls_back_nothing_breaks),
    };
    return cmocka_run_group_tests_name("store contract", tests, NULL, NULL);
}
