/* A small database damaged at random, two thousand times: what is salvaged of it is never anything but what was in it. */
#include "readable.h"

#include "focal/store_sqlite.h"
#include "store_key.h"

#include <dirent.h>
#include <unistd.h>

enum { ROUNDS = 2000, CASES = 24, SHELVES = 0x7FFFFFFE, PAGE = 8192 };

static struct {
    char directory[64], path[80], log_path[96], copy[80], log_copy[96];
    struct place *hq, *ken;
    struct focal_buf file, log, file_now, log_now;
    struct old_rows truth;
    struct focal_buf keepsake;
    uint64_t entries, chance;
} t;

static uint64_t below(uint64_t n)
{
    uint8_t bytes[8];
    chance_fill(&t.chance, bytes, sizeof bytes);
    return n ? focal_get_be64(bytes) % n : 0;
}

/* ---- the database: half of it in the file, half in its log ---- */

static void read_file(struct focal_buf *out, const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t block[PAGE];
    size_t n;
    assert_non_null(f);
    focal_buf_init(out, 16 << 20);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        focal_buf_bytes(out, block, n);
    fclose(f);
    assert_true(out->len > 0 && !out->failed);
}

static void write_file(const char *path, const struct focal_buf *bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(bytes->len == 0 || fwrite(bytes->data, 1, bytes->len, f) == bytes->len);
    assert_int_equal(fclose(f), 0);
}

static struct focal_store *open_db(bool create)
{
    struct focal_store *store;
    struct focal_error err;
    struct focal_sqlite_options options = { SEALED, .path = t.path, .create = create };
    if (focal_sqlite_open(&store, &options, &err) != FOCAL_OK)
        fail_msg("%s", err.message);
    return store;
}

static void put_rows(struct focal_store *store, size_t from, size_t step)
{
    assert_int_equal(focal_store_begin(store), FOCAL_OK);
    for (size_t i = from; i < t.truth.count; i += step)
        assert_int_equal(focal_store_put(store, t.truth.list[i].shelf, focal_buf_view(&t.truth.list[i].key), focal_buf_view(&t.truth.list[i].value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
}

static int enter(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    /* In memory where there is such a place: thousands of copies are written. */
    strcpy(t.directory, "/dev/shm/focal-fuzz-XXXXXX");
    if (!mkdtemp(t.directory)) {
        strcpy(t.directory, "/tmp/focal-fuzz-XXXXXX");
        assert_non_null(mkdtemp(t.directory));
    }
    snprintf(t.path, sizeof t.path, "%s/db", t.directory);
    snprintf(t.log_path, sizeof t.log_path, "%s-wal", t.path);
    snprintf(t.copy, sizeof t.copy, "%s/copy", t.directory);
    snprintf(t.log_copy, sizeof t.log_copy, "%s-wal", t.copy);
    t.hq = hq_make(true);
    t.ken = member_make("KEN");
    (void)dial(t.ken, t.hq);
    run();
    for (int i = 0; i < CASES; i++) {
        struct focal_ref ref;
        new_case(i % 3 ? t.ken : t.hq, &ref);
        pass(1000);
    }
    old_take(&t.truth, t.ken->store);
    t.entries = entries_of(t.ken);
    focal_buf_init(&t.keepsake, 1 << 20);
    assert_int_equal(focal_node_keepsake(t.ken->node, &t.keepsake), FOCAL_OK);
    struct focal_store *store = open_db(true);
    put_rows(store, 0, 2);
    focal_store_close(store);
    store = open_db(false);
    put_rows(store, 1, 2);
    read_file(&t.file, t.path);
    read_file(&t.log, t.log_path);
    focal_store_close(store);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    DIR *dir = opendir(t.directory);
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(t.directory), 0);
    focal_buf_close(&t.file);
    focal_buf_close(&t.log);
    focal_buf_close(&t.keepsake);
    old_close(&t.truth);
    all_close();
    return 0;
}

/* ---- damage ---- */

static void hurt(struct focal_buf *b)
{
    if (b->len == 0)
        return;
    size_t at = below(b->len), run = 1 + below(2 * PAGE), page = below(b->len / PAGE + 1) * PAGE, other = below(b->len / PAGE + 1) * PAGE;
    run = run < b->len - at ? run : b->len - at;
    switch (below(8)) {
    case 0: case 1: case 2:
        for (uint64_t n = 1 + below(60); n > 0; n--)
            b->data[below(b->len)] ^= (uint8_t)(1u << below(8));
        break;
    case 3: memset(b->data + at, 0, run); break;
    case 4: chance_fill(&t.chance, b->data + at, run); break;
    case 5: focal_buf_truncate(b, at); break;
    case 6:                             /* one page where another belongs */
        if (page + PAGE <= b->len && other + PAGE <= b->len)
            memmove(b->data + page, b->data + other, PAGE);
        break;
    case 7:                             /* small numbers near the heads of pages: counts, pointers, lengths */
        for (uint64_t n = 1 + below(20); n > 0; n--) {
            size_t head = below(b->len / PAGE + 1) * PAGE + below(40);
            if (head < b->len)
                b->data[head] = (uint8_t)below(256);
        }
        break;
    }
}

static void damage(uint64_t round)
{
    t.chance = round * 0x9E3779B97F4A7C15u + 1;
    focal_buf_init(&t.file_now, 16 << 20);
    focal_buf_init(&t.log_now, 16 << 20);
    focal_buf_span(&t.file_now, focal_buf_view(&t.file));
    if (below(4))
        focal_buf_span(&t.log_now, focal_buf_view(&t.log));
    for (uint64_t n = round ? 1 + below(3) : 0; n > 0; n--) {
        hurt(below(3) ? &t.file_now : &t.log_now);
    }
    write_file(t.copy, &t.file_now);
    write_file(t.log_copy, &t.log_now);
    focal_buf_close(&t.file_now);
    focal_buf_close(&t.log_now);
}

/* ---- judging ---- */

static enum focal_status read_row(void *data, size_t i, enum focal_shelf *shelf, struct focal_buf *key, struct focal_buf *value)
{
    return focal_salvage_row(data, i, shelf, key, value);
}

static bool was_there(enum focal_shelf shelf, const struct focal_buf *key, const struct focal_buf *value)
{
    for (size_t i = 0; i < t.truth.count; i++)
        if (t.truth.list[i].shelf == shelf && focal_span_equal(focal_buf_view(&t.truth.list[i].key), focal_buf_view(key))
            && focal_span_equal(focal_buf_view(&t.truth.list[i].value), focal_buf_view(value)))
            return true;
    return false;
}

/* Packing can say the same in more than one way: what counts are the entries, what they follow, and the signature. */
static bool same_segment(struct focal_span a, struct focal_span b)
{
    enum { HEAD = 32 + 8 + 32 + 64, PACKED_AT = HEAD + 4 };
    struct focal_stretch one, other;
    struct focal_arena arena;
    struct focal_packer *packer = focal_packer_open();
    assert_non_null(packer);
    focal_arena_init(&arena, 1 << 24);
    bool same = a.len > PACKED_AT && b.len > PACKED_AT && memcmp(a.data, b.data, HEAD) == 0
                && focal_stretch_unpack(packer, &one, &arena, focal_span_of(a.data + PACKED_AT, a.len - PACKED_AT)) == FOCAL_OK
                && focal_stretch_unpack(packer, &other, &arena, focal_span_of(b.data + PACKED_AT, b.len - PACKED_AT)) == FOCAL_OK
                && one.first == other.first && one.count == other.count;
    for (size_t i = 0; same && i < one.count; i++)
        same = focal_span_equal(one.entries[i].header, other.entries[i].header) && one.entries[i].has_payload == other.entries[i].has_payload
               && focal_span_equal(one.entries[i].payload, other.entries[i].payload);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    return same;
}

static bool segment_was_there(const struct focal_buf *key, const struct focal_buf *value)
{
    for (size_t i = 0; i < t.truth.count; i++)
        if (t.truth.list[i].shelf == FOCAL_SHELF_SEGMENT && focal_span_equal(focal_buf_view(&t.truth.list[i].key), focal_buf_view(key)))
            return same_segment(focal_buf_view(&t.truth.list[i].value), focal_buf_view(value));
    return false;
}

/* Every stretch and statement in the new store stood in the old one. */
static void assert_nothing_new(struct focal_store *fresh, uint64_t round)
{
    static const enum focal_shelf signed_shelves[] = { FOCAL_SHELF_SEGMENT, FOCAL_SHELF_STATEMENT };
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (size_t k = 0; k < 2; k++) {
        focal_buf_clear(&key);
        while (focal_store_next(fresh, signed_shelves[k], focal_buf_view(&key), &key, &value) == FOCAL_OK)
            if (!was_there(signed_shelves[k], &key, &value) && (k > 0 || !segment_was_there(&key, &value)))
                fail_msg("round %llu: a row that was never there", (unsigned long long)round);
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
}

static void assert_verifies(struct focal_store *fresh, uint64_t round)
{
    struct focal_oplog *ol;
    struct focal_verify *v;
    struct focal_entropy entropy = { chance_fill, &t.chance };
    struct focal_error err;
    enum focal_status st;
    assert_int_equal(focal_oplog_open(&ol, fresh, &t.ken->keys, &entropy, NULL, &err), FOCAL_OK);
    assert_int_equal(focal_verify_open(&v, ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 1000)) == FOCAL_MORE) {}
    assert_int_equal(st, FOCAL_OK);
    if (focal_verify_error_count(v))
        fail_msg("round %llu: %s", (unsigned long long)round, focal_verify_error(v, 0));
    focal_verify_close(v);
    focal_oplog_close(ol);
}

static uint64_t salvage(uint64_t round)
{
    struct focal_salvage *s;
    struct focal_rejoined told;
    struct focal_error err;
    struct focal_entropy entropy = { chance_fill, &t.chance };
    damage(round);
    enum focal_status st = focal_salvage_open(&s, t.copy, &focal_test_key, SHELVES, &err);
    if (st == FOCAL_NOT_FOUND)          /* cut to nothing */
        return 0;
    assert_int_equal(st, FOCAL_OK);
    struct focal_store *fresh = focal_fake_store_new();
    struct focal_readable rows = { .data = s, .count = focal_salvage_count(s), .row = read_row };
    st = focal_node_found_again(fresh, &t.ken->keys, &entropy, focal_buf_view(&t.keepsake), &rows, &told, &err);
    if (st != FOCAL_OK)
        fail_msg("round %llu: %s", (unsigned long long)round, err.message);
    assert_true(told.entries <= t.entries && told.own_entries <= told.entries);
    assert_nothing_new(fresh, round);
    if (round % 16 == 0)
        assert_verifies(fresh, round);
    focal_store_close(fresh);
    focal_salvage_close(s);
    return told.entries;
}

static void test_rounds(void **state)
{
    uint64_t sum = 0, whole = 0, none = 0;
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        uint64_t entries = salvage(round);
        sum += entries;
        whole += entries == t.entries;
        none += entries == 0;
    }
    print_message("%llu entries; of %d damaged databases %llu gave all, %llu none, on average %llu\n", (unsigned long long)t.entries, ROUNDS,
                  (unsigned long long)whole, (unsigned long long)none, (unsigned long long)(sum / ROUNDS));
    /* Much of it is there much of the time, and the damage does reach entries. Of an encrypted page a broken byte costs all,
     * and these entries fill only one or two. */
    assert_true(sum / ROUNDS > t.entries / 3);
    assert_true(whole > 0 && whole < ROUNDS);
}

static void test_undamaged(void **state)
{
    (void)state;
    struct focal_salvage *s;
    struct focal_error err;
    struct focal_buf key, value;
    size_t found = 0;
    write_file(t.copy, &t.file);
    write_file(t.log_copy, &t.log);
    assert_int_equal(focal_salvage_open(&s, t.copy, &focal_test_key, SHELVES, &err), FOCAL_OK);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (size_t i = 0; i < focal_salvage_count(s); i++) {
        enum focal_shelf shelf;
        assert_int_equal(focal_salvage_row(s, i, &shelf, &key, &value), FOCAL_OK);
        found += was_there(shelf, &key, &value);
    }
    assert_true(found >= t.truth.count);
    focal_buf_close(&key);
    focal_buf_close(&value);
    focal_salvage_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_undamaged), cmocka_unit_test(test_rounds) };
    return cmocka_run_group_tests(tests, enter, leave);
}
