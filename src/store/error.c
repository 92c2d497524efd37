/* Codes of SQLite and of the system become ours here and nowhere else. */
#include "inside.h"

#include <errno.h>

enum focal_status focal_sqlite_errno_status(int error)
{
    switch (error) {
    case 0:
        return FOCAL_OK;
    case ENOSPC:
    case EDQUOT:
        return FOCAL_DISK_FULL;
    case ENOMEM:
        return FOCAL_NO_MEMORY;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return FOCAL_DENIED;
    case ENOENT:
    case ENOTDIR:
        return FOCAL_NOT_FOUND;
    case EEXIST:
        return FOCAL_EXISTS;
    default:
        return FOCAL_IO;
    }
}

/* Only some failures carry an errno of their own; elsewhere the last one would be stale. */
static enum focal_status input_output(sqlite3 *db, int rc)
{
    if ((rc == SQLITE_IOERR_NOMEM) || (rc == SQLITE_IOERR_SHMMAP && sqlite3_system_errno(db) == ENOMEM))
        return FOCAL_NO_MEMORY;
    /* DATA: what the sealed layer says of a page that does not authenticate. */
    if (rc == SQLITE_IOERR_CORRUPTFS || rc == SQLITE_IOERR_DATA)
        return FOCAL_DAMAGED;
    int error = sqlite3_system_errno(db);
    if (error == ENOSPC || error == EDQUOT)
        return FOCAL_DISK_FULL;
    return FOCAL_IO;
}

enum focal_status focal_sqlite_status(sqlite3 *db, int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return FOCAL_OK;
    case SQLITE_FULL:
        return FOCAL_DISK_FULL;
    case SQLITE_NOMEM:
        return FOCAL_NO_MEMORY;
    case SQLITE_IOERR:
        return input_output(db, rc);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return FOCAL_BUSY;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return FOCAL_DENIED;
    case SQLITE_CANTOPEN: {
        int error = sqlite3_system_errno(db);
        return error ? focal_sqlite_errno_status(error) : FOCAL_IO;
    }
    case SQLITE_TOOBIG:
        return FOCAL_TOO_BIG;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    /* Our statements are fixed, so one that does not fit the tables means that the tables are not ours. */
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return FOCAL_DAMAGED;
    case SQLITE_MISUSE:
        focal_unreachable();
    default:
        return FOCAL_IO;
    }
}
