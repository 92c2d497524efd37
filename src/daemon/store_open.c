/* The one place where this program opens its store. The bench puts another file in its place, to measure what encryption costs. */
#include "daemon.h"

#include "focal/store_sqlite.h"

enum focal_status store_open_at(struct focal_store **store, const char *path, bool create, const struct store_secret *secret, struct focal_error *err)
{
    struct focal_sqlite_options how = { .path = path, .create = create, .key = &secret->keys.list[0], .entropy = { focal_entropy_fill, NULL } };
    return focal_sqlite_open(store, &how, err);
}
