/* The tables, how they came to be, and how a database of ours is known. */
#include "inside.h"

#include <stdio.h>

/* "foca" in the file's header; file(1) and sqlite3 show it. */
#define APPLICATION_ID 0x666F6361

#define TABLE(name) "CREATE TABLE " name "(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"

/* Step n brings a database of version n to n + 1. Steps that were once released never change; a change of the tables
 * is a new step at the end. */
static const char *const steps[] = {
    TABLE("meta") TABLE("statement") TABLE("log") TABLE("segment") TABLE("staging") TABLE("part") TABLE("code")
    TABLE("receipt") TABLE("peer") TABLE("local") TABLE("invitation") TABLE("incident") TABLE("kind") TABLE("conflict"),
    TABLE("posting") TABLE("history") TABLE("redaction") TABLE("hidden") TABLE("refused"),
};
enum { VERSION = sizeof steps / sizeof *steps };

static const char *const tables[FOCAL_SHELF_LAST + 1] = {
    [FOCAL_SHELF_META] = "meta",
    [FOCAL_SHELF_STATEMENT] = "statement",
    [FOCAL_SHELF_LOG] = "log",
    [FOCAL_SHELF_SEGMENT] = "segment",
    [FOCAL_SHELF_STAGING] = "staging",
    [FOCAL_SHELF_PART] = "part",
    [FOCAL_SHELF_CODE] = "code",
    [FOCAL_SHELF_RECEIPT] = "receipt",
    [FOCAL_SHELF_PEER] = "peer",
    [FOCAL_SHELF_LOCAL] = "local",
    [FOCAL_SHELF_INVITATION] = "invitation",
    [FOCAL_SHELF_INCIDENT] = "incident",
    [FOCAL_SHELF_KIND] = "kind",
    [FOCAL_SHELF_CONFLICT] = "conflict",
    [FOCAL_SHELF_HISTORY] = "history",
    [FOCAL_SHELF_POSTING] = "posting",
    [FOCAL_SHELF_REDACTION] = "redaction",
    [FOCAL_SHELF_HIDDEN] = "hidden",
    [FOCAL_SHELF_REFUSED] = "refused",
};
_Static_assert(FOCAL_SHELF_LAST == 19, "a new shelf needs a step that makes its table, and its name here");

const char *focal_sqlite_table(enum focal_shelf shelf)
{
    focal_assert(tables[shelf]);
    return tables[shelf];
}

bool focal_sqlite_version_is_current(int64_t version)
{
    return version == VERSION;
}

enum focal_status focal_sqlite_identify(sqlite3 *db, const char *path, int64_t *version, struct focal_error *err)
{
    const char *hint = "the file was left as it is; look for the right one or restore from a backup";
    int64_t id = 0;
    enum focal_status status = focal_sqlite_ask_number(db, "PRAGMA application_id", &id);
    if (status == FOCAL_OK)
        status = focal_sqlite_ask_number(db, "PRAGMA user_version", version);
    if (status != FOCAL_OK)
        return focal_sqlite_explain(db, status, path, err);
    if (id != APPLICATION_ID)
        return focal_fail(err, FOCAL_DAMAGED, hint, "%s is not a database of this program", path);
    if (*version > VERSION)
        return focal_fail(err, FOCAL_UNSUPPORTED, "install a program at least as new as the one that wrote it",
                          "%s was written by a newer program (database version %lld, known here %d)", path,
                          (long long)*version, (int)VERSION);
    if (*version < 0)
        return focal_fail(err, FOCAL_DAMAGED, hint, "%s carries no database version", path);
    return FOCAL_OK;
}

enum focal_status focal_sqlite_mark(sqlite3 *db)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d", APPLICATION_ID);
    return focal_sqlite_run(db, sql);
}

/* A step and its version number stand in one transaction, so a power cut leaves a whole version. */
static enum focal_status take_step(sqlite3 *db, int64_t version)
{
    char number[64];
    snprintf(number, sizeof number, "PRAGMA user_version=%lld", (long long)version + 1);
    enum focal_status status = focal_sqlite_run(db, "BEGIN IMMEDIATE");
    if (status == FOCAL_OK)
        status = focal_sqlite_run(db, steps[version]);
    if (status == FOCAL_OK)
        status = focal_sqlite_run(db, number);
    if (status == FOCAL_OK)
        status = focal_sqlite_run(db, "COMMIT");
    return status;
}

enum focal_status focal_sqlite_migrate(sqlite3 *db, const char *path, int64_t version, struct focal_error *err)
{
    focal_assert(version >= 0 && version <= VERSION);
    for (; version < VERSION; version++) {
        enum focal_status status = take_step(db, version);
        if (status == FOCAL_OK)
            continue;
        focal_fail(err, status, "the database is still of its old version; free some space and start again",
                   "cannot bring %s to version %lld: %s", path, (long long)version + 1, sqlite3_errmsg(db));
        if (!sqlite3_get_autocommit(db))
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    return FOCAL_OK;
}
