/* Making deleted content unreadable: secure_delete zeroes the cells, clean.c what moving cells left behind, and here the
 * write-ahead log, which still holds the pages as they were, is copied into the database and cut to nothing. */
#include "inside.h"

#include <sys/stat.h>

enum focal_status focal_sqlite_scrub(struct sqlite_store *store)
{
    char wal[SQLITE_PATH_BYTES];
    struct stat st;
    int64_t blocked = 0;
    focal_assert(!store->in_transaction);
    if (store->read_only)
        return FOCAL_DENIED;
    if (store->dead)
        return FOCAL_IO;
    focal_sqlite_stop_walks(store);
    enum focal_status status = focal_sqlite_ask_number(store->db, "PRAGMA wal_checkpoint(TRUNCATE)", &blocked);
    if (status == FOCAL_OK && blocked)
        status = FOCAL_BUSY;
    if (status == FOCAL_IO)
        store->dead = true;
    if (status != FOCAL_OK)
        return status;
    /* Pages kept in memory still have their gaps as they were, and would bring them into the next log. */
    sqlite3_db_release_memory(store->db);
    /* That nobody was in the way is the pragma's word; that the log is gone is the file system's. */
    focal_sqlite_beside(wal, store->path, "-wal");
    return stat(wal, &st) == 0 && st.st_size > 0 ? FOCAL_IO : FOCAL_OK;
}
