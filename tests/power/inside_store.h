/* The connection inside a store, for tests that set what the daemon leaves at its default. */
#ifndef FOCAL_POWER_INSIDE_STORE_H
#define FOCAL_POWER_INSIDE_STORE_H

#include "focal/store_sqlite.h"

#include <sqlite3.h>

sqlite3 *power_connection(struct focal_store *);

#endif
