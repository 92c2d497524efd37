/* What the files of the SQLite store share. */
#ifndef FOCAL_STORE_INSIDE_H
#define FOCAL_STORE_INSIDE_H

#include "focal/store_sqlite.h"
#include "focal/base_plant.h"
#include "seal.h"

#include <sqlite3.h>

enum {
    SQLITE_PATH_BYTES = 4096,
    /* Room that every path of a database leaves for its longest suffix. */
    SQLITE_SUFFIX_BYTES = 16,

    /* Measured against 4096: the same within noise for writing, a little faster to walk and to check. */
    SQLITE_PAGE_BYTES = 8192,
    SQLITE_CACHE_KIB = 8 * 1024,
    /* A transaction's pages go into the log before its commit only when memory would run out: then the log is written over
     * in places and summed up anew. SQLite takes a number whose lowest byte is zero for "never". */
    SQLITE_SPILL_PAGES = 3000,
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

enum { FENCE_TOKEN_BYTES = 16, FENCE_NAME_BYTES = 64 };

/* Which commit: its number, and a token against two commits under one number. */
struct fence_mark { uint64_t generation; uint8_t token[FENCE_TOKEN_BYTES]; };

/* Where a mark was made, and by whom. */
struct fence_home { uint64_t device, inode; uint8_t machine[FOCAL_FENCE_MACHINE_MAX]; };

struct fence_place {
    bool used, there;                /* may be written; has a mark that can be read */
    int directory, file;             /* while used */
    int slot;                        /* of the mark; the next goes into the other */
    struct fence_mark mark;
    struct fence_home home;
};

struct fence {
    bool kept;
    enum focal_fence_verdict verdict;
    struct fence_mark now;           /* of the last commit, as the database has it; generation 0: there was none */
    uint8_t previous[FENCE_TOKEN_BYTES];
    uint64_t highest;                /* of all marks seen anywhere */
    struct fence_home home;
    struct focal_entropy entropy;
    const struct focal_fence_files *files;
    struct fence_place places[FOCAL_FENCE_PLACES];
    char name[FENCE_NAME_BYTES];
};

enum {
    SPACE_PIECE_BYTES = 1 << 20,         /* the reserve is given back in such pieces, so that nobody else takes it all */
    /* Below this other offices' entries wait: a write-ahead log as long as it gets, and air. */
    SPACE_LOW_BYTES = SQLITE_WAL_PAGES * SQLITE_PAGE_BYTES + (4 << 20),
    SPACE_AIR_BYTES = 4 << 20,           /* above it, before they are taken again */
    SPACE_LEAST_BYTES = 2 << 20,         /* below this nothing but local intake is written */
    SPACE_LAST_BYTES = 256 << 10,        /* without a reserve, and below this, not even that */
};

struct space {
    bool kept, low, full;                /* low: it was not enough when last looked; full: a write found no room */
    int file;                            /* while kept */
    uint64_t reserve_bytes, held_bytes;
    uint64_t (*left)(void *data, const char *path);
    void *data;
};

struct sqlite_store {
    struct focal_store base;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *rollback;
    struct seal_layer *layer;        /* held; NULL: in clear */
    int lock_fd;                     /* -1: none (a snapshot) */
    bool read_only, is_snapshot;
    bool in_transaction, wrote;      /* wrote: something, in this transaction */
    bool dead;                       /* a commit's write or fsync failed: nothing more is begun */
    enum focal_status doom;          /* what the first failed write of this transaction said */
    struct sqlite_shelf shelves[FOCAL_SHELF_LAST + 1];
    struct fence fence;
    struct space space;
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
/* layer: NULL for a database in clear. */
enum focal_status focal_sqlite_connect(sqlite3 **db, const char *path, const struct seal_layer *layer, bool read_only, int cache_kib,
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
enum focal_status focal_sqlite_create(const char *path, const struct seal_layer *layer, struct focal_error *err);
enum focal_status focal_sqlite_sync_directory_of(const char *path, struct focal_error *err);

/* settle.c: the log and the names in the directory are durable as they are now. The log must not be open. */
enum focal_status focal_sqlite_settle(const char *path, struct focal_error *err);

/* rekey.c: what one that was cut off has left behind. */
void focal_sqlite_rekey_tidy(const char *path);

/* open.c */
/* After focal_sqlite_disconnect, when another file may stand at the path, under another layer. */
enum focal_status focal_sqlite_reconnect(struct sqlite_store *store, struct focal_error *err);
enum focal_status focal_sqlite_open_in_clear(struct focal_store **out, const struct focal_sqlite_options *options, struct focal_error *err);
enum focal_status focal_sqlite_snapshot(struct focal_store *base, struct focal_store **out);

/* fence.c: called by commit; the row goes into the transaction, the marks follow when it is durable. */
enum focal_status focal_sqlite_fence_row(struct sqlite_store *store, struct fence_mark *next);
enum focal_status focal_sqlite_fence_mark(struct sqlite_store *store, const struct fence_mark *next);
enum focal_fence_verdict focal_sqlite_fence_verdict(struct focal_store *base);

/* Another file is about to take the database's place: the fence of that one is made before, with the marks that this one has,
 * and the old one removed after; or the other way round. */
struct fence_move { bool moves; struct fence next; };
void focal_sqlite_fence_prepare(struct fence_move *, const struct sqlite_store *, const char *fresh);
void focal_sqlite_fence_follow(struct fence_move *, struct sqlite_store *);
void focal_sqlite_fence_stay(struct fence_move *);
void focal_sqlite_fence_close(struct fence *);

/* fence_file.c: one place of a fence. */
extern const struct focal_fence_files focal_sqlite_fence_files;
/* Used or not, and with its newest mark if it has one. `beside`: the directory of the database. */
void focal_sqlite_place_open(struct fence_place *, const struct fence *, const char *path, const char *beside);
/* Over the older of the two slots; 0 or an errno. */
int focal_sqlite_place_mark(struct fence_place *, const struct fence *, const struct fence_mark *);
/* As if it had just been made. */
int focal_sqlite_place_empty(struct fence_place *, const struct fence *);
/* The same directory, under the name that the fence has now. False: it cannot serve. */
bool focal_sqlite_place_again(struct fence_place *to, const struct fence_place *from, const struct fence *);
int focal_sqlite_place_give_up(struct fence_place *, const struct fence *);
void focal_sqlite_place_close(struct fence_place *);

/* clean.c: the layer of files under a database in clear. NULL: no memory. */
const char *focal_sqlite_clean_layer(void);
/* Zeroes the unused part of a page, where it is one of a tree. */
void focal_sqlite_clear_gap(uint8_t *page, bool first);

/* scrub.c */
enum focal_status focal_sqlite_scrub(struct sqlite_store *store);

/* space.c */
enum focal_space focal_sqlite_space(struct focal_store *base, uint64_t *wanted);
enum focal_status focal_sqlite_release(struct focal_store *base);
void focal_sqlite_space_close(struct space *);

/* store.c */
void focal_sqlite_stop_walks(struct sqlite_store *store);
enum focal_status focal_sqlite_prepare(struct sqlite_store *store);
void focal_sqlite_disconnect(struct sqlite_store *store);
void focal_sqlite_close(struct focal_store *base);

#endif
