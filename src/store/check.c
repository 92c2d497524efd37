/* Is the file whole? Quickly at every opening, in full when asked. Nothing here writes. */
#include "inside.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* SQLite takes the missing end of a last page for zeros. With a log beside it the file may well end anywhere: the log
 * has that page whole. */
enum focal_status focal_sqlite_check_length(sqlite3 *db, const char *path, struct focal_error *err)
{
    char wal[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(wal, path, "-wal");
    if (stat(wal, &st) == 0 && st.st_size > 0)
        return FOCAL_OK;
    int64_t page = 0;
    enum focal_status status = focal_sqlite_ask_number(db, "PRAGMA page_size", &page);
    if (status != FOCAL_OK)
        return focal_sqlite_explain(db, status, path, err);
    if (stat(path, &st) != 0)
        return focal_fail(err, FOCAL_IO, "see what the system says about this disk", "cannot look at %s: %s", path,
                          strerror(errno));
    if (page > 0 && st.st_size % page == 0)
        return FOCAL_OK;
    return focal_fail(err, FOCAL_DAMAGED, "the file was left as it is; restore from a backup, or join anew and pull",
                      "%s is cut off in the middle of a page", path);
}

enum focal_status focal_sqlite_check(sqlite3 *db, const char *path, struct focal_error *err)
{
    char finding[200];
    enum focal_status status = focal_sqlite_ask_text(db, "PRAGMA quick_check(1)", finding, sizeof finding);
    if (status != FOCAL_OK)
        return focal_sqlite_explain(db, status, path, err);
    if (strcmp(finding, "ok") == 0)
        return FOCAL_OK;
    for (char *c = finding; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return focal_fail(err, FOCAL_DAMAGED, "the file was left as it is; restore from a backup, or join anew and pull",
                      "%s is damaged: %s", path, finding);
}

enum focal_status focal_sqlite_deep_check(struct focal_store *base, struct focal_buf *findings)
{
    focal_assert(base->ops == &focal_sqlite_ops);
    sqlite3 *db = ((struct sqlite_store *)base)->db;
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    bool faults = false;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW)
            break;
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        if (!line || strcmp(line, "ok") == 0)
            continue;
        faults = true;
        focal_buf_printf(findings, "%s\n", line);
    }
    enum focal_status status = rc == SQLITE_DONE ? FOCAL_OK : focal_sqlite_status(db, rc);
    if (status == FOCAL_DAMAGED) {
        faults = true;
        focal_buf_printf(findings, "%s\n", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    if (status == FOCAL_OK && faults)
        return FOCAL_DAMAGED;
    return status;
}
