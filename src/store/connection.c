/* One connection to the file, hardened: what is switched off here is what SQLite can do beyond keeping bytes. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

void focal_sqlite_beside(char out[SQLITE_PATH_BYTES], const char *path, const char *suffix)
{
    int n = snprintf(out, SQLITE_PATH_BYTES, "%s%s", path, suffix);
    focal_assert(n > 0 && n < SQLITE_PATH_BYTES);
}

enum focal_status focal_sqlite_explain(sqlite3 *db, enum focal_status status, const char *path, struct focal_error *err)
{
    const char *why = db ? sqlite3_errmsg(db) : "out of memory";
    switch (status) {
    case FOCAL_DAMAGED:
        return focal_fail(err, status, "the file was left as it is; look for the right one or restore from a backup",
                          "%s is damaged, not a database, or not under this key: %s", path, why);
    case FOCAL_DENIED:
        return focal_fail(err, status, "look at the owner and permissions of the file and its directory",
                          "%s may not be opened: %s", path, why);
    case FOCAL_DISK_FULL:
        return focal_fail(err, status, "free some space on this disk and start again", "no space left for %s", path);
    case FOCAL_BUSY:
        return focal_fail(err, status, "stop the other program first", "%s is in use: %s", path, why);
    default:
        return focal_fail(err, status, "see what the system says about this disk", "cannot use %s: %s", path, why);
    }
}

enum focal_status focal_sqlite_run(sqlite3 *db, const char *sql)
{
    return focal_sqlite_status(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* The first row of sql, if there is one; *out stays NULL where there is none. */
static enum focal_status first_row(sqlite3 *db, const char *sql, sqlite3_stmt **out)
{
    *out = NULL;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *out = statement;
        return FOCAL_OK;
    }
    enum focal_status status = focal_sqlite_status(db, rc);
    sqlite3_finalize(statement);
    return status;
}

/* Some pragmas write, and say only at their end that they could not. */
static enum focal_status ended(sqlite3 *db, sqlite3_stmt *statement, enum focal_status status)
{
    int rc = sqlite3_finalize(statement);
    return status == FOCAL_OK ? focal_sqlite_status(db, rc) : status;
}

enum focal_status focal_sqlite_ask_text(sqlite3 *db, const char *sql, char *out, size_t out_len)
{
    out[0] = 0;
    sqlite3_stmt *statement;
    enum focal_status status = first_row(db, sql, &statement);
    if (status == FOCAL_OK && statement) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        if (text)
            snprintf(out, out_len, "%s", (const char *)text);
        else if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
            status = FOCAL_NO_MEMORY;
    }
    return ended(db, statement, status);
}

enum focal_status focal_sqlite_ask_number(sqlite3 *db, const char *sql, int64_t *out)
{
    *out = 0;
    sqlite3_stmt *statement;
    enum focal_status status = first_row(db, sql, &statement);
    if (status == FOCAL_OK && statement)
        *out = sqlite3_column_int64(statement, 0);
    return ended(db, statement, status);
}

/* A file may have been put there by somebody else: no triggers, views, extensions, functions from its schema, or
 * writes to the schema table come from it. And nothing may be written before the file has been checked: closing the
 * last connection would copy the write-ahead log into it. */
static int harden(sqlite3 *db)
{
    static const struct { int option, value; } options[] = {
        { SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
        { SQLITE_DBCONFIG_DEFENSIVE, 1 },
        { SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
        { SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
        { SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
        { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
        { SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
        { SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
        { SQLITE_DBCONFIG_DQS_DML, 0 },
        { SQLITE_DBCONFIG_DQS_DDL, 0 },
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int rc = sqlite3_db_config(db, options[i].option, options[i].value, NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 2 * FOCAL_STORE_VALUE_MAX);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 64 * 1024);
    return sqlite3_busy_timeout(db, SQLITE_BUSY_MS);
}

_Static_assert(SQLITE_SPILL_PAGES & 0xFF, "SQLite would take it for never");

/* None of these writes to the file. */
static enum focal_status tune(sqlite3 *db, int cache_kib)
{
    char sql[400];
    int n = snprintf(sql, sizeof sql,
                     "PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
                     "PRAGMA cache_size=-%d; PRAGMA synchronous=%s; PRAGMA secure_delete=ON;"
                     "PRAGMA wal_autocheckpoint=%d; PRAGMA journal_size_limit=%d; PRAGMA cache_spill=%d;",
                     cache_kib, FOCAL_PLANTED(FSYNC_LEFT_OUT) ? "OFF" : "FULL", SQLITE_WAL_PAGES,
                     SQLITE_WAL_PAGES * SQLITE_PAGE_BYTES, SQLITE_SPILL_PAGES);
    focal_assert(n > 0 && (size_t)n < sizeof sql);
    return focal_sqlite_run(db, sql);
}

enum focal_status focal_sqlite_connect(sqlite3 **out, const char *path, const struct seal_layer *sealed, bool read_only, int cache_kib,
                                       struct focal_error *err)
{
    *out = NULL;
    focal_assert(sqlite3_threadsafe() != 0);
    sqlite3_hard_heap_limit64(SQLITE_HEAP_BYTES);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE
        | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    sqlite3 *db = NULL;
    const char *layer = sealed ? focal_seal_layer_name(sealed) : focal_sqlite_clean_layer();
    if (!layer)
        return focal_fail(err, FOCAL_NO_MEMORY, NULL, "no memory to open %s", path);
    int rc = sqlite3_open_v2(path, &db, flags, layer);
    if (rc == SQLITE_OK)
        rc = harden(db);
    enum focal_status status = focal_sqlite_status(db, rc);
    if (status == FOCAL_OK)
        status = tune(db, cache_kib);
    if (status != FOCAL_OK) {
        focal_sqlite_explain(db, status, path, err);
        sqlite3_close(db);
        return status;
    }
    *out = db;
    return FOCAL_OK;
}
