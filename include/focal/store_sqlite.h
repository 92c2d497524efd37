/* store_sqlite: the SQLite implementation of focal/store.h (second door of room store).
 *
 * One STRICT WITHOUT ROWID table per shelf, WAL, synchronous FULL, a lock file beside the database against a second
 * daemon, application_id and user_version checked, quick_check at open, migrations by version.
 * A snapshot is a second, read-only connection in one read transaction.
 * What opening for writing shows is durable: a log that the program before left is written over itself,
 * copied into the file and begun anew.
 * Threads: the store by the thread that opened it; a snapshot by one thread at a time. */
#ifndef FOCAL_STORE_SQLITE_H
#define FOCAL_STORE_SQLITE_H

#include "focal/store.h"

/* read_only: nothing is changed, several such may stand side by side, none beside a daemon.
 * skip_check: no quick_check (its time grows with the file); application id and version are looked at all the same. */
struct focal_sqlite_options { const char *path; bool create; bool read_only; bool skip_check; };

/* EXISTS: create and the file (or its write-ahead log) is there. NOT_FOUND: no create and it is not, or no such directory.
 * BUSY: another process has it open. DENIED: no permission, or the path is a link or no regular file.
 * DAMAGED: not a database, wrong application id, or quick_check found faults; the file is left as it is.
 * UNSUPPORTED: made by a newer program. err names the file and the next step; it may be NULL. */
FOCAL_MUST_USE enum focal_status focal_sqlite_open(struct focal_store **, const struct focal_sqlite_options *, struct focal_error *);
/* sqlite3's integrity_check in full, on a store or a snapshot of this room. OK: no fault. DAMAGED: faults, appended to
 * findings as lines. */
FOCAL_MUST_USE enum focal_status focal_sqlite_deep_check(struct focal_store *, struct focal_buf *findings);

#endif
