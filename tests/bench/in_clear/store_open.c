/* In place of the daemon's own: its store in clear, so that the bench can say what encryption costs. Nobody ships this. */
#include "daemon.h"

#include "focal/store_sqlite.h"

enum focal_status store_open_at(struct focal_store **store, const char *path, bool create, const struct store_secret *secret, struct focal_error *err)
{
    struct focal_sqlite_options how = { .path = path, .create = create, .in_clear = focal_sqlite_in_clear() };
    (void)secret;
    return focal_sqlite_open(store, &how, err);
}
