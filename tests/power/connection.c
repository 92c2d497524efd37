/* The only file here that looks into the store. */
#include "inside_store.h"

#include "../../src/store/inside.h"

sqlite3 *power_connection(struct focal_store *store)
{
    focal_assert(store->ops == &focal_sqlite_ops);
    return ((struct sqlite_store *)store)->db;
}
