/* The bound: plain SQLite tables of registers, one row per field, durable at every commit, with the best batch size.
 * Whoever keeps and merges case records by field can hardly do less than this. */
#include "bench.h"

#include <sqlite3.h>
#include <string.h>

enum { TRIES = 4, RANDOM_TRIES = 2, CACHE_KIB = 64 * 1024 };

static const size_t batches[TRIES] = { 1000, 5000, 20000, 100000 };             /* records */
static const size_t random_batches[RANDOM_TRIES] = { 20000, 200000 };           /* fields */

struct registers { sqlite3 *db; sqlite3_stmt *put; char dir[PATH_BYTES]; };

static enum focal_status failed(struct registers *r, struct focal_error *err)
{
    return focal_fail(err, FOCAL_IO, "", "the bound's tables: %s", r->db ? sqlite3_errmsg(r->db) : "out of memory");
}

static enum focal_status run(struct registers *r, const char *sql, struct focal_error *err)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK ? FOCAL_OK : failed(r, err);
}

static enum focal_status registers_open(struct registers *r, struct bench *b, const char *name, struct focal_error *err)
{
    char path[PATH_BYTES], sql[160];
    enum focal_status status = place_path(path, err, "%s/%s.sqlite", b->dir, name);

    memset(r, 0, sizeof *r);
    if (status)
        return status;
    (void)sqlite3_hard_heap_limit64(0);         /* the store room sets one for its process */
    if (sqlite3_open(path, &r->db) != SQLITE_OK)
        return failed(r, err);
    (void)snprintf(sql, sizeof sql, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-%d;", CACHE_KIB);
    status = run(r, sql, err);
    if (status == FOCAL_OK)
        status = run(r, "CREATE TABLE register(record INTEGER, field INTEGER, value BLOB, stamp INTEGER, author INTEGER,"
                        " PRIMARY KEY(record, field)) WITHOUT ROWID", err);
    if (status == FOCAL_OK && sqlite3_prepare_v2(r->db,
            "INSERT INTO register VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE SET value=excluded.value, stamp=excluded.stamp,"
            " author=excluded.author WHERE excluded.stamp>stamp", -1, &r->put, NULL) != SQLITE_OK)
        status = failed(r, err);
    return status;
}

static void registers_close(struct registers *r)
{
    sqlite3_finalize(r->put);
    sqlite3_close(r->db);
}

static bool put(struct registers *r, size_t record, const struct focal_field *field, const struct choice *value, int64_t stamp)
{
    sqlite3_bind_int64(r->put, 1, (int64_t)record);
    sqlite3_bind_int64(r->put, 2, field->number);
    sqlite3_bind_blob(r->put, 3, value->bytes, value->len, SQLITE_STATIC);
    sqlite3_bind_int64(r->put, 4, stamp);
    sqlite3_bind_int64(r->put, 5, 1);
    bool well = sqlite3_step(r->put) == SQLITE_DONE;
    return sqlite3_reset(r->put) == SQLITE_OK && well;
}

/* Register writes number from..to of the order given (NULL: as they stand), a commit after every batch. */
static enum focal_status write_some(struct bench *b, struct registers *r, const struct cases *c, const uint32_t *order, size_t from, size_t to,
                                    size_t batch, double *took_s, struct focal_error *err)
{
    const int64_t stamp = INT64_C(1700000000000) * 65536 + (order ? INT64_C(1) << 40 : 0);
    double began = seconds();
    enum focal_status status = run(r, "BEGIN IMMEDIATE", err);

    for (size_t i = from; status == FOCAL_OK && i < to; i++) {
        size_t k = order ? order[i] : i;
        if (!put(r, k / FIELDS, c->fields[k % FIELDS].field, cases_value(c, k / FIELDS, k % FIELDS), stamp + (int64_t)i))
            status = failed(r, err);
        if (status == FOCAL_OK && ((i - from + 1) % batch == 0 || i + 1 == to)) {
            status = run(r, i + 1 < to ? "COMMIT; BEGIN IMMEDIATE" : "COMMIT", err);
            if (interrupted(b))
                status = focal_fail(err, FOCAL_CANCELLED, "", "interrupted");
        }
    }
    *took_s = seconds() - began;
    return status;
}

static enum focal_status in_order(struct bench *b, const struct cases *c, struct focal_error *err)
{
    enum focal_status status = FOCAL_OK;
    size_t best = 0;

    for (int i = 0; status == FOCAL_OK && i < TRIES && (i == 0 || batches[i] <= b->records); i++) {
        struct registers r;
        char name[32];
        double took;
        progress(b, "bound: %zu records as registers, a commit every %zu", b->records, batches[i]);
        (void)snprintf(name, sizeof name, "bound%d", i);
        status = registers_open(&r, b, name, err);
        if (status == FOCAL_OK)
            status = write_some(b, &r, c, NULL, 0, c->count * FIELDS, batches[i] * FIELDS, &took, err);
        registers_close(&r);
        if (status == FOCAL_OK && (double)b->records / took > b->bound_records_per_s) {
            b->bound_records_per_s = (double)b->records / took;
            best = batches[i];
        }
    }
    note(b, "records_per_s", b->bound_records_per_s, "records/s");
    note(b, "best_batch", (double)best, "records");
    return status;
}

/* Registers written once more, in random order; each try takes the next part of it. */
static enum focal_status at_random(struct bench *b, const struct cases *c, struct focal_error *err)
{
    size_t count = c->count * FIELDS, best = 0;
    uint32_t *order = focal_alloc(count * sizeof *order);
    struct draw d = { .state = 7 };
    struct registers r;
    double took;

    for (size_t i = 0; order && i < count; i++)
        order[i] = (uint32_t)i;
    if (order)
        draw_shuffle(&d, order, count);
    enum focal_status status = registers_open(&r, b, "random", err);
    if (!order)
        status = FOCAL_NO_MEMORY;
    if (status == FOCAL_OK)
        status = write_some(b, &r, c, NULL, 0, count, count, &took, err);
    for (size_t i = 0, each = count * 4 / 10; status == FOCAL_OK && i < RANDOM_TRIES; i++) {
        progress(b, "bound: %zu fields in random order, a commit every %zu", each, random_batches[i]);
        status = write_some(b, &r, c, order, i * each, (i + 1) * each, random_batches[i], &took, err);
        if (status == FOCAL_OK && (double)each / took > b->bound_random_per_s) {
            b->bound_random_per_s = (double)each / took;
            best = random_batches[i];
        }
    }
    registers_close(&r);
    focal_free(order);
    note(b, "random_fields_per_s", b->bound_random_per_s, "fields/s");
    note(b, "random_best_batch", (double)best, "fields");
    return status;
}

enum focal_status scene_bound(struct bench *b, struct focal_error *err)
{
    struct cases c;
    enum focal_status status = cases_open(&c, b->records, 1, err);

    if (status == FOCAL_OK)
        status = in_order(b, &c, err);
    if (status == FOCAL_OK && b->scenes & 1u << SCENE_merge)
        status = at_random(b, &c, err);
    cases_close(&c);
    return status;
}
