/* What the files of the SQLite store share. */
#ifndef FOCAL_STORE_INSIDE_H
#define FOCAL_STORE_INSIDE_H

#include "focal/store_sqlite.h"

#include <sqlite3.h>

enum {
    SQLITE_PATH_BYTES = 4096,
    /* Room that every path of a database leaves for its longest suffix. */
    SQLITE_SUFFIX_BYTES = 16,

    /* Measured against 4096: the same within noise for writing, a little faster to walk and to check. */
    SQLITE_PAGE_BYTES = 8192,
    SQLITE_CACHE_KIB = 8 * 1024,
    SQLITE_SNAPSHOT_CACHE_KIB = 2 * 1024,
    /* Bound of all connections of the process together: caches, the largest value in a few copies, and air. */
    SQLITE_HEAP_BYTES = 48 * 1024 * 1024,
    /* The write-ahead log is copied into the file when it has this many pages, and cut to this size when a large
     * transaction made it longer. */
    SQLITE_WAL_PAGES = 2048,
    SQLITE_BUSY_MS = 250,
};

enum statement_kind {
    STATEMENT_GET,
    STATEMENT_PUT,
    STATEMENT_DEL,
    STATEMENT_NEXT,
    STATEMENT_NEXT_KEY,
    STATEMENT_PREV,
    STATEMENT_PREV_KEY,
    STATEMENT_COUNT
};

struct sqlite_shelf {
    sqlite3_stmt *statements[STATEMENT_COUNT];
    /* A walk that stands on its last row: the statement was stepped and not reset. NULL: none. */
    sqlite3_stmt *walk;
    size_t walk_len;
    uint8_t walk_key[FOCAL_STORE_KEY_MAX];
};

struct sqlite_store {
    struct focal_store base;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback;
    int lock_fd;                     /* -1: none (a snapshot) */
    bool read_only, is_snapshot;
    bool in_transaction;
    bool dead;                       /* a commit's write or fsync failed: nothing more is begun */
    enum focal_status doom;          /* what the first failed write of this transaction said */
    struct sqlite_shelf shelves[FOCAL_SHELF_LAST + 1];
    char path[SQLITE_PATH_BYTES];
};

extern const struct focal_store_ops focal_sqlite_ops;

/* error.c: the only place where SQLite's and errno's codes become ours. */
enum focal_status focal_sqlite_status(sqlite3 *db, int rc);
enum focal_status focal_sqlite_errno_status(int error);

/* lock.c */
enum focal_status focal_sqlite_lock(int *fd, const char *path, bool shared, struct focal_error *err);
void focal_sqlite_unlock(int fd);

/* connection.c */
void focal_sqlite_beside(char out[SQLITE_PATH_BYTES], const char *path, const char *suffix);
enum focal_status focal_sqlite_connect(sqlite3 **db, const char *path, bool read_only, int cache_kib,
                                       struct focal_error *err);
/* Fills *err with what the connection last said, and gives back status. */
enum focal_status focal_sqlite_explain(sqlite3 *db, enum focal_status status, const char *path, struct focal_error *err);
/* One value of the first row: "" or 0 where there is none. */
enum focal_status focal_sqlite_ask_text(sqlite3 *db, const char *sql, char *out, size_t out_len);
enum focal_status focal_sqlite_ask_number(sqlite3 *db, const char *sql, int64_t *out);
enum focal_status focal_sqlite_run(sqlite3 *db, const char *sql);

/* schema.c */
const char *focal_sqlite_table(enum focal_shelf shelf);
enum focal_status focal_sqlite_identify(sqlite3 *db, const char *path, int64_t *version, struct focal_error *err);
enum focal_status focal_sqlite_migrate(sqlite3 *db, const char *path, int64_t version, struct focal_error *err);
enum focal_status focal_sqlite_mark(sqlite3 *db);
bool focal_sqlite_version_is_current(int64_t version);

/* check.c */
enum focal_status focal_sqlite_check_length(sqlite3 *db, const char *path, struct focal_error *err);
enum focal_status focal_sqlite_check(sqlite3 *db, const char *path, struct focal_error *err);

/* create.c */
enum focal_status focal_sqlite_create(const char *path, struct focal_error *err);
enum focal_status focal_sqlite_sync_directory_of(const char *path, struct focal_error *err);

/* settle.c: the log and the names in the directory are durable as they are now. The log must not be open. */
enum focal_status focal_sqlite_settle(const char *path, struct focal_error *err);

/* open.c */
enum focal_status focal_sqlite_snapshot(struct focal_store *base, struct focal_store **out);

/* store.c */
enum focal_status focal_sqlite_prepare(struct sqlite_store *store);
void focal_sqlite_disconnect(struct sqlite_store *store);
void focal_sqlite_close(struct focal_store *base);

#endif
