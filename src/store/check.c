/* Is the file whole? Quickly at every opening, in full when asked. Nothing here writes. */
#include "inside.h"

#include <errno.h>
#include <limits.h>
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

/* SQLite reports a page that it could not read, or had no memory for, as a fault of the file. Some of its lines name the
 * code; others do not, so what was found is believed only when it is found again. */
enum { LOOKS = 2 };

/* OK: the line tells of the file. Else it tells of the world. */
static enum focal_status world_in(sqlite3 *db, const char *line)
{
    static const char words[] = "error code=";
    const char *at = strstr(line, words);
    uint64_t code;
    if (!at)
        return FOCAL_OK;
    at += sizeof words - 1;
    if (!focal_parse_u64(focal_span_of(at, strspn(at, "0123456789")), &code) || code > INT_MAX)
        return FOCAL_OK;
    enum focal_status status = focal_sqlite_status(db, (int)code);
    return status == FOCAL_DAMAGED ? FOCAL_OK : status;
}

enum focal_status focal_sqlite_check(sqlite3 *db, const char *path, struct focal_error *err)
{
    char finding[200];
    for (int i = 0; i < LOOKS; i++) {
        enum focal_status status = focal_sqlite_ask_text(db, "PRAGMA quick_check(1)", finding, sizeof finding);
        if (status != FOCAL_OK)
            return focal_sqlite_explain(db, status, path, err);
        if (strcmp(finding, "ok") == 0)
            return FOCAL_OK;
        status = world_in(db, finding);
        if (status != FOCAL_OK)
            return focal_fail(err, status, "see what the system says about this disk, and how much memory is free",
                              "%s could not be read for checking: %s", path, focal_status_text(status));
    }
    for (char *c = finding; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return focal_fail(err, FOCAL_DAMAGED, "the file was left as it is; restore from a backup, or join anew and pull",
                      "%s is damaged: %s", path, finding);
}

static enum focal_status look_deep(sqlite3 *db, struct focal_buf *findings)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    bool faults = false;
    enum focal_status world = FOCAL_OK;
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW)
            break;
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        if (!line) {
            rc = SQLITE_NOMEM;
            break;
        }
        if (strcmp(line, "ok") == 0)
            continue;
        faults = true;
        if (world == FOCAL_OK)
            world = world_in(db, line);
        focal_buf_printf(findings, "%s\n", line);
    }
    enum focal_status status = rc == SQLITE_DONE ? world : focal_sqlite_status(db, rc);
    if (status == FOCAL_DAMAGED) {
        faults = true;
        focal_buf_printf(findings, "%s\n", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    return status == FOCAL_OK && faults ? FOCAL_DAMAGED : status;
}

enum focal_status focal_sqlite_deep_check(struct focal_store *base, struct focal_buf *findings)
{
    focal_assert(base->ops == &focal_sqlite_ops);
    size_t before = findings->len;
    enum focal_status status = FOCAL_DAMAGED;
    for (int i = 0; i < LOOKS && status == FOCAL_DAMAGED; i++) {
        focal_buf_truncate(findings, before);
        status = look_deep(((struct sqlite_store *)base)->db, findings);
    }
    if (status != FOCAL_DAMAGED)
        focal_buf_truncate(findings, before);
    return status;
}
