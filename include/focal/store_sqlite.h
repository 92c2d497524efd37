/* store_sqlite: the SQLite implementation of focal/store.h (second door of room store).
 *
 * One STRICT WITHOUT ROWID table per shelf, WAL, synchronous FULL, a lock file beside the database against a second
 * daemon, application_id and user_version checked, quick_check at open, migrations by version.
 * Pages are encrypted under the office's store key (focal/crypto_store.h), in the file and in the log.
 * A snapshot is a second, read-only connection in one read transaction.
 * The fence stands in files outside the database's directory (below); read-only stores and snapshots have none.
 * What opening for writing shows is durable: a log that the program before left is written over itself,
 * copied into the file and begun anew.
 * Threads: the store by the thread that opened it; a snapshot by one thread at a time. */
#ifndef FOCAL_STORE_SQLITE_H
#define FOCAL_STORE_SQLITE_H

#include "focal/crypto_store.h"
#include "focal/store.h"

/* read_only: nothing is changed, several such may stand side by side, none beside a daemon.
 * skip_check: no quick_check (its time grows with the file); application id and version are looked at all the same.
 * key: every page in every file of the store is under it; copied. entropy: for their nonces; kept.
 * in_clear: instead of both, a database that is not encrypted. It comes from focal_sqlite_in_clear alone, which stands in a
 * file of its own: tests and bench link it, no program that is shipped does, and a test sees to that. */
struct focal_sqlite_in_clear;
struct focal_sqlite_options {
    const char *path;
    bool create, read_only, skip_check;
    const struct focal_store_key *key;
    struct focal_entropy entropy;
    const struct focal_sqlite_in_clear *in_clear;
};
const struct focal_sqlite_in_clear *focal_sqlite_in_clear(void);

/* EXISTS: create and the file (or its write-ahead log) is there. NOT_FOUND: no create and it is not, or no such directory.
 * BUSY: another process has it open. DENIED: no permission, or the path is a link or no regular file.
 * DAMAGED: not a database, wrong application id, or quick_check found faults; the file is left as it is.
 * UNSUPPORTED: made by a newer program. err names the file and the next step; it may be NULL. */
FOCAL_MUST_USE enum focal_status focal_sqlite_open(struct focal_store **, const struct focal_sqlite_options *, struct focal_error *);

/* ---- the fence (enum focal_fence_verdict says what it is for) ---- */

/* What is done to a fence's file while the store is in use. A test puts its own in their place, to let each fail. Each
 * gives 0, or an errno. */
struct focal_fence_files {
    void *data;
    int (*write)(void *data, int fd, const void *bytes, size_t len, int64_t at);
    int (*sync)(void *data, int fd);
    int (*remove)(void *data, int directory, const char *name);         /* durably: the directory is synced too */
};

enum { FOCAL_FENCE_PLACES = 2, FOCAL_FENCE_MACHINE_MAX = 32 };
struct focal_fence_setup {
    const char *places[FOCAL_FENCE_PLACES];     /* directories, by absolute path; made when they are not there; NULL: none */
    struct focal_span machine_id;
    struct focal_entropy entropy;               /* kept; for the token of every commit */
    const struct focal_fence_files *files;      /* kept; NULL: the system's */
};

/* Once, right after opening and before the first transaction: from here on every commit that wrote something marks the
 * fence, in each of the places, before it gives OK; focal_store_fence says what was found. A place that is no directory of
 * this user alone, that lies in the directory of the database, or that cannot be written is passed over. A place that
 * fails later is given up and its mark removed, so that the next start finds none; where even that fails, the commit
 * gives IO.
 * A database that belongs to no network yet needs no fence, and has none until it is opened again.
 * Other than OK: the database could not be read, or a stale mark not be removed; err names it. */
FOCAL_MUST_USE enum focal_status focal_sqlite_fence(struct focal_store *, const struct focal_fence_setup *, struct focal_error *);

/* ---- space ---- */

/* Keeps this much of the disk for what people enter, in a file beside the database (its name with .reserve), and from here
 * on says with focal_store_space how much is left. Once, right after opening. left (NULL: the system's word) tells how many
 * bytes this user may still write there. A disk that has not even room for the reserve is no failure: it is SHORT. */
struct focal_space_setup { uint64_t reserve_bytes; uint64_t (*left)(void *data, const char *path); void *data; };
FOCAL_MUST_USE enum focal_status focal_sqlite_reserve(struct focal_store *, const struct focal_space_setup *, struct focal_error *);
/* Gives back a piece of the reserve beside a database that is not open, because a full disk would not let it be. False: there
 * is none. */
bool focal_sqlite_give_back(const char *path);

/* ---- another key ---- */

/* All of the open store goes under another key, in a copy that then takes the database's place; the fence follows. It takes
 * as much free space as the database, and the time of reading and writing it once; nothing else runs meanwhile. Whoever
 * calls keeps both keys until this has ended and can find out which counts (below). Other than OK: the store goes on under
 * its old key, and err says why; IO: it may be dead, close it and look. BUSY: a snapshot is open. DISK_FULL. */
FOCAL_MUST_USE enum focal_status focal_sqlite_rekey(struct focal_store *, const struct focal_store_key *, const struct focal_entropy *, struct focal_error *);
/* The same with a database that is closed and in clear: its first key. The old file is written over and removed. */
FOCAL_MUST_USE enum focal_status focal_sqlite_take_over(const char *path, const struct focal_store_key *, const struct focal_fence_setup *, struct focal_error *);
/* A page or a frame of its log is authentic under this key. False also where nothing can be read. */
bool focal_sqlite_under_key(const char *path, const struct focal_store_key *);
bool focal_sqlite_is_in_clear(const char *path);        /* by its first bytes */
/* Zeros over all of it, durably, then the name goes. What was not there is OK. */
FOCAL_MUST_USE enum focal_status focal_sqlite_overwrite(const char *path, struct focal_error *);

/* ---- looking at the whole ---- */

/* sqlite3's integrity_check in full, on a store or a snapshot of this room. OK: no fault. DAMAGED: faults, appended to
 * findings as lines. */
FOCAL_MUST_USE enum focal_status focal_sqlite_deep_check(struct focal_store *, struct focal_buf *findings);

/* ---- when a database is damaged ------------------------------------------------------------------------------------------- */

enum { FOCAL_SQLITE_PATH_MAX = 4096 };

/* Keeps every daemon away from the database at path, whether there is one or not, until it is let go. BUSY: one has it. */
FOCAL_MUST_USE enum focal_status focal_sqlite_hold(int *hold, const char *path, struct focal_error *);
void focal_sqlite_let_go(int hold);     /* -1 is fine */

/* What there is to be salvaged: path itself, else the last that was set aside there. fresh: where a new one is being made.
 * NOT_FOUND: nothing. To be held. */
FOCAL_MUST_USE enum focal_status focal_sqlite_find_damaged(const char *path, const char *fresh, char out[FOCAL_SQLITE_PATH_MAX], struct focal_error *);
/* fresh, a closed store, takes the place of path; what stood there, and its log, is renamed to path.damaged-DATE (or
 * DATE-2 ...), durably and before. aside: its new name, "" if there was none. To be held. */
FOCAL_MUST_USE enum focal_status focal_sqlite_set_aside(const char *path, const char *fresh, const char *date,
    char aside[FOCAL_SQLITE_PATH_MAX], struct focal_error *);
/* Removes a fresh store and all that stands beside it. */
void focal_sqlite_discard(const char *fresh);

/* The rows of a damaged database that can still be read, page by page, whatever state it is in: nothing of it has been
 * checked, and a row may be an older one of its key. In order of key; of one key the likeliest first. shelves: which are
 * wanted, as bits 1 << shelf; rows whose shelf cannot be told come as well, with shelf 0. Nothing is written. key: as that of
 * opening, NULL for a database in clear; a page that is not authentic is none.
 * NOT_FOUND: there is neither file nor log. */
struct focal_salvage;
FOCAL_MUST_USE enum focal_status focal_salvage_open(struct focal_salvage **, const char *path, const struct focal_store_key *, uint32_t shelves,
    struct focal_error *);
size_t focal_salvage_count(const struct focal_salvage *);
/* NOT_FOUND: the value cannot be read to its end. value may be NULL. */
FOCAL_MUST_USE enum focal_status focal_salvage_row(struct focal_salvage *, size_t i, enum focal_shelf *, struct focal_buf *key, struct focal_buf *value);
void focal_salvage_close(struct focal_salvage *);               /* NULL is fine */

#endif
