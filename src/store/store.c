/* The operations of focal/store.h on a connection.
 *
 * A walk (next, next, next, ...) is the commonest long read. Seeking anew for each row costs a descent of the tree and
 * a read lock, so the statement that found the last row stays where it stands, and the next call steps it when it
 * goes on from that very key. A standing statement sees no older state than a seek would: it is put down before
 * anything changes its shelf, and at begin, commit and rollback. */
#include "inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The table's name goes between the two. */
static const struct { const char *head, *tail; } templates[STATEMENT_COUNT] = {
    [STATEMENT_GET] = { "SELECT value FROM ", " WHERE key = ?1" },
    [STATEMENT_PUT] = { "INSERT INTO ",
                        "(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = excluded.value" },
    [STATEMENT_DEL] = { "DELETE FROM ", " WHERE key = ?1" },
    [STATEMENT_NEXT] = { "SELECT key, value FROM ", " WHERE key > ?1 ORDER BY key" },
    [STATEMENT_NEXT_KEY] = { "SELECT key FROM ", " WHERE key > ?1 ORDER BY key" },
    [STATEMENT_PREV] = { "SELECT key, value FROM ", " WHERE key < ?1 ORDER BY key DESC LIMIT 1" },
    [STATEMENT_PREV_KEY] = { "SELECT key FROM ", " WHERE key < ?1 ORDER BY key DESC LIMIT 1" },
};

static struct sqlite_store *of(struct focal_store *base)
{
    return (struct sqlite_store *)base;
}

/* SQLite keeps an errno for itself in some failures only; the thread's is that of the last call that failed, so it must
 * not be older than the step. */
static int step(sqlite3_stmt *statement)
{
    errno = 0;
    return sqlite3_step(statement);
}

/* SQLite may end a transaction by itself when a statement fails; ours is then doomed, or the writes that follow would
 * each become a transaction of their own. */
static enum focal_status failed(struct sqlite_store *store, int rc)
{
    const int error = errno;
    enum focal_status status = focal_sqlite_status(store->db, rc);
    focal_assert(status != FOCAL_OK);
    /* A quota, and a full disk that shows elsewhere than in a write, come as failures of input or output. */
    if (status == FOCAL_IO && focal_sqlite_errno_status(error) == FOCAL_DISK_FULL)
        status = FOCAL_DISK_FULL;
    if (status == FOCAL_DISK_FULL)
        store->space.full = true;
    if (store->in_transaction && store->doom == FOCAL_OK && sqlite3_get_autocommit(store->db))
        store->doom = status;
    return status;
}

static enum focal_status statement_of(struct sqlite_store *store, enum focal_shelf shelf, enum statement_kind kind,
                                      sqlite3_stmt **out)
{
    sqlite3_stmt **slot = &store->shelves[shelf].statements[kind];
    if (!*slot) {
        char sql[160];
        int n = snprintf(sql, sizeof sql, "%s%s%s", templates[kind].head, focal_sqlite_table(shelf),
                         templates[kind].tail);
        focal_assert(n > 0 && (size_t)n < sizeof sql);
        errno = 0;
        int rc = sqlite3_prepare_v3(store->db, sql, n + 1, SQLITE_PREPARE_PERSISTENT, slot, NULL);
        if (rc != SQLITE_OK)
            return failed(store, rc);
    }
    *out = *slot;
    return FOCAL_OK;
}

static void stop_walk(struct sqlite_shelf *shelf)
{
    if (shelf->walk)
        sqlite3_reset(shelf->walk);
    shelf->walk = NULL;
}

void focal_sqlite_stop_walks(struct sqlite_store *store)
{
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        stop_walk(&store->shelves[shelf]);
}

/* A blob of no bytes is bound by a pointer that is not NULL, or it would become SQL's NULL. */
static int bind(sqlite3_stmt *statement, int column, struct focal_span bytes, bool copy)
{
    return sqlite3_bind_blob64(statement, column, bytes.len ? (const void *)bytes.data : "", bytes.len,
                               copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

static enum focal_status hand_out(sqlite3_stmt *statement, int column, struct focal_buf *to)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int len = sqlite3_column_bytes(statement, column);
    focal_buf_clear(to);
    if (len == 0)
        return FOCAL_OK;
    if (!bytes)
        return FOCAL_NO_MEMORY;
    focal_buf_bytes(to, bytes, (size_t)len);
    if (!to->failed)
        return FOCAL_OK;
    return (size_t)len > to->limit ? FOCAL_TOO_BIG : FOCAL_NO_MEMORY;
}

/* ---- transaction ---- */

static enum focal_status begin(struct focal_store *base)
{
    struct sqlite_store *store = of(base);
    focal_assert(!store->in_transaction);
    if (store->read_only)
        return FOCAL_DENIED;
    if (store->dead)
        return FOCAL_IO;
    focal_sqlite_stop_walks(store);
    int rc = step(store->begin);
    if (rc == SQLITE_DONE) {
        sqlite3_reset(store->begin);
        store->in_transaction = true;
        store->wrote = false;
        store->doom = FOCAL_OK;
        return FOCAL_OK;
    }
    enum focal_status status = failed(store, rc);
    sqlite3_reset(store->begin);
    return status;
}

static void rollback(struct focal_store *base)
{
    struct sqlite_store *store = of(base);
    if (!store->in_transaction)
        return;
    focal_sqlite_stop_walks(store);
    if (!sqlite3_get_autocommit(store->db)) {
        step(store->rollback);
        sqlite3_reset(store->rollback);
    }
    /* A transaction that cannot be left must not take in later writes. */
    if (!sqlite3_get_autocommit(store->db))
        store->dead = true;
    store->in_transaction = false;
}

static enum focal_status commit(struct focal_store *base)
{
    struct sqlite_store *store = of(base);
    struct fence_mark next;
    focal_assert(store->in_transaction);
    /* What changed nothing leaves the fence where it is: a mark costs the disk a write. */
    bool marks = store->fence.kept && store->wrote;
    if (marks && store->doom == FOCAL_OK)
        (void)focal_sqlite_fence_row(store, &next);
    focal_sqlite_stop_walks(store);
    if (store->doom != FOCAL_OK) {
        enum focal_status doom = store->doom;
        rollback(base);
        return doom;
    }
    if (FOCAL_PLANTED(FENCE_BEFORE_COMMIT) && marks)
        (void)focal_sqlite_fence_mark(store, &next);
    int rc = step(store->commit);
    if (rc == SQLITE_DONE || FOCAL_PLANTED(COMMIT_FAILS_SILENTLY)) {
        sqlite3_reset(store->commit);
        store->in_transaction = false;
        return marks ? focal_sqlite_fence_mark(store, &next) : FOCAL_OK;
    }
    enum focal_status status = failed(store, rc);
    /* After a failed fsync the kernel may have dropped the pages and call the next fsync good, whatever the reason. A write
     * that found no room has written nothing. */
    if ((rc & 0xFF) == SQLITE_IOERR && (status != FOCAL_DISK_FULL || rc == SQLITE_IOERR_FSYNC) && !FOCAL_PLANTED(FSYNC_TRIED_AGAIN)) {
        store->dead = true;
        status = status == FOCAL_DISK_FULL ? FOCAL_IO : status;
    }
    sqlite3_reset(store->commit);
    rollback(base);
    return status;
}

/* ---- writing ---- */

static enum focal_status write_row(struct sqlite_store *store, enum focal_shelf shelf, enum statement_kind kind,
                                   struct focal_span key, const struct focal_span *value)
{
    focal_assert(store->in_transaction);
    if (store->doom != FOCAL_OK)
        return store->doom;
    store->wrote = true;
    stop_walk(&store->shelves[shelf]);
    sqlite3_stmt *statement;
    enum focal_status status = statement_of(store, shelf, kind, &statement);
    if (status == FOCAL_OK) {
        int rc = bind(statement, 1, key, false);
        if (rc == SQLITE_OK && value)
            rc = bind(statement, 2, *value, false);
        if (rc == SQLITE_OK)
            rc = step(statement);
        if (rc != SQLITE_DONE)
            status = failed(store, rc);
        sqlite3_reset(statement);
    }
    if (status != FOCAL_OK && store->doom == FOCAL_OK)
        store->doom = status;
    return status;
}

static enum focal_status put(struct focal_store *base, enum focal_shelf shelf, struct focal_span key,
                             struct focal_span value)
{
    return write_row(of(base), shelf, STATEMENT_PUT, key, &value);
}

static enum focal_status del(struct focal_store *base, enum focal_shelf shelf, struct focal_span key)
{
    return write_row(of(base), shelf, STATEMENT_DEL, key, NULL);
}

/* ---- reading ---- */

static enum focal_status get(struct focal_store *base, enum focal_shelf shelf, struct focal_span key,
                             struct focal_buf *value)
{
    struct sqlite_store *store = of(base);
    sqlite3_stmt *statement;
    enum focal_status status = statement_of(store, shelf, STATEMENT_GET, &statement);
    if (status != FOCAL_OK)
        return status;
    int rc = bind(statement, 1, key, false);
    if (rc == SQLITE_OK)
        rc = step(statement);
    if (rc == SQLITE_ROW) {
        status = hand_out(statement, 0, value);
    } else if (rc == SQLITE_DONE) {
        focal_buf_clear(value);
        status = FOCAL_NOT_FOUND;
    } else {
        status = failed(store, rc);
    }
    sqlite3_reset(statement);
    return status;
}

/* What a step of a reading statement gave. Only a stored key that is none of ours is damage here: tables are checked
 * when the database is opened, but a page may go bad later. */
static enum focal_status row(struct sqlite_store *store, sqlite3_stmt *statement, int rc, struct focal_buf *key,
                             struct focal_buf *value)
{
    if (rc == SQLITE_DONE) {
        focal_buf_clear(key);
        if (value)
            focal_buf_clear(value);
        return FOCAL_NOT_FOUND;
    }
    if (rc != SQLITE_ROW)
        return failed(store, rc);
    int len = sqlite3_column_bytes(statement, 0);
    if (len <= 0 || len > FOCAL_STORE_KEY_MAX)
        return FOCAL_DAMAGED;
    enum focal_status status = hand_out(statement, 0, key);
    if (status == FOCAL_OK && value)
        status = hand_out(statement, 1, value);
    return status;
}

static bool goes_on(const struct sqlite_shelf *shelf, sqlite3_stmt *statement, struct focal_span after)
{
    return shelf->walk == statement && after.len == shelf->walk_len
        && memcmp(after.data, shelf->walk_key, after.len) == 0;
}

static enum focal_status next(struct focal_store *base, enum focal_shelf number, struct focal_span after,
                              struct focal_buf *key, struct focal_buf *value)
{
    struct sqlite_store *store = of(base);
    struct sqlite_shelf *shelf = &store->shelves[number];
    sqlite3_stmt *statement;
    enum focal_status status = statement_of(store, number, value ? STATEMENT_NEXT : STATEMENT_NEXT_KEY, &statement);
    if (status != FOCAL_OK)
        return status;
    int rc = SQLITE_OK;
    if (!goes_on(shelf, statement, after)) {
        stop_walk(shelf);
        /* A copy: the statement outlives this call, and what `after` looks into may be overwritten in it. */
        rc = bind(statement, 1, after, true);
    }
    if (rc == SQLITE_OK)
        rc = step(statement);
    status = row(store, statement, rc, key, value);
    if (status != FOCAL_OK) {
        shelf->walk = statement;
        stop_walk(shelf);
        return status;
    }
    shelf->walk = statement;
    shelf->walk_len = key->len;
    memcpy(shelf->walk_key, key->data, key->len);
    return FOCAL_OK;
}

static enum focal_status prev(struct focal_store *base, enum focal_shelf number, struct focal_span before,
                              struct focal_buf *key, struct focal_buf *value)
{
    struct sqlite_store *store = of(base);
    /* Above every key there can be. */
    uint8_t highest[FOCAL_STORE_KEY_MAX + 1];
    if (before.len == 0) {
        memset(highest, 0xFF, sizeof highest);
        before = focal_span_of(highest, sizeof highest);
    }
    sqlite3_stmt *statement;
    enum focal_status status = statement_of(store, number, value ? STATEMENT_PREV : STATEMENT_PREV_KEY, &statement);
    if (status != FOCAL_OK)
        return status;
    int rc = bind(statement, 1, before, false);
    if (rc == SQLITE_OK)
        rc = step(statement);
    status = row(store, statement, rc, key, value);
    sqlite3_reset(statement);
    return status;
}

/* ---- the rest ---- */

static enum focal_status sizes(struct focal_store *base, uint64_t *bytes_on_disk)
{
    struct sqlite_store *store = of(base);
    char wal[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(wal, store->path, "-wal");
    *bytes_on_disk = 0;
    if (stat(store->path, &st) != 0)
        return FOCAL_IO;
    *bytes_on_disk = (uint64_t)st.st_size;
    if (stat(wal, &st) == 0)
        *bytes_on_disk += (uint64_t)st.st_size;
    return FOCAL_OK;
}

static enum focal_status scrub(struct focal_store *base)
{
    return focal_sqlite_scrub(of(base));
}

enum focal_status focal_sqlite_prepare(struct sqlite_store *store)
{
    const struct { sqlite3_stmt **slot; const char *sql; } fixed[] = {
        { &store->begin, "BEGIN IMMEDIATE" },
        { &store->commit, "COMMIT" },
        { &store->rollback, "ROLLBACK" },
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        int rc = sqlite3_prepare_v3(store->db, fixed[i].sql, -1, SQLITE_PREPARE_PERSISTENT, fixed[i].slot, NULL);
        if (rc != SQLITE_OK)
            return focal_sqlite_status(store->db, rc);
    }
    /* That the tables are there and fit is found out now and not in the middle of a step. */
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        sqlite3_stmt *statement;
        enum focal_status status = statement_of(store, (enum focal_shelf)shelf, STATEMENT_GET, &statement);
        if (status != FOCAL_OK)
            return status;
    }
    return FOCAL_OK;
}

void focal_sqlite_disconnect(struct sqlite_store *store)
{
    if (!store->db)
        return;
    rollback(&store->base);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++)
        for (int kind = 0; kind < STATEMENT_COUNT; kind++)
            sqlite3_finalize(store->shelves[shelf].statements[kind]);
    memset(store->shelves, 0, sizeof store->shelves);
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->rollback);
    store->begin = store->commit = store->rollback = NULL;
    /* BUSY would mean a statement that this file lost sight of. */
    int rc = sqlite3_close(store->db);
    focal_assert(rc != SQLITE_BUSY);
    store->db = NULL;
}

void focal_sqlite_close(struct focal_store *base)
{
    struct sqlite_store *store = of(base);
    focal_sqlite_disconnect(store);
    focal_sqlite_fence_close(&store->fence);
    focal_sqlite_space_close(&store->space);
    focal_seal_layer_let_go(store->layer);
    focal_sqlite_unlock(store->lock_fd);
    focal_free(store);
}

const struct focal_store_ops focal_sqlite_ops = {
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .get = get,
    .put = put,
    .del = del,
    .next = next,
    .prev = prev,
    .snapshot = focal_sqlite_snapshot,
    .sizes = sizes,
    .fence = focal_sqlite_fence_verdict,
    .scrub = scrub,
    .space = focal_sqlite_space,
    .release = focal_sqlite_release,
    .close = focal_sqlite_close,
};
