/* destroy: the office's data on this machine are made unreadable, now.
 *
 * The wrapped key goes first: from then on the database is noise, whatever happens to the rest. Then everything else is written
 * over and removed, the database before the office's own keys. */
#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum focal_status destroy_begin(struct running *r, const char *confirm, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!confirm || strcmp(confirm, "DESTROY") != 0)
        return focal_fail(err, FOCAL_REFUSED, "type DESTROY, in capital letters, where it is asked for", "nothing was destroyed");
    enum focal_status st = store_key_path(path, r->config.dir, err);
    if (st == FOCAL_OK)
        st = focal_sqlite_overwrite(path, err);
    if (st == FOCAL_OK) {
        r->destroying = true;
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "destroy: the key of the store is gone; what it opened follows");
    }
    return st;
}

/* Every file whose name begins so. */
static bool wipe_files(struct running *r, const char *dir, const char *begins)
{
    char path[PATH_BYTES];
    struct focal_error err;
    bool all = true;
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.' || strncmp(e->d_name, begins, strlen(begins)) != 0 || !path_join(path, dir, e->d_name))
            continue;
        if (focal_sqlite_overwrite(path, &err) == FOCAL_OK)
            continue;
        all = false;
        focal_trace_line(&r->trace, FOCAL_ERROR, "daemon", "destroy: %s", err.message);
    }
    if (d) {
        all = fsync(dirfd(d)) == 0 && all;
        closedir(d);
    }
    return all && d;
}

void destroy_finish(struct running *r)
{
    char keys[PATH_BYTES];
    bool all = wipe_files(r, r->config.dir, "focal.db");
    if (path_join(keys, r->config.dir, "keys"))
        all = wipe_files(r, keys, "") && all;
    all = wipe_files(r, r->config.dir, "recovery-sheet.txt") && all;
    fprintf(stderr, "focald: destroyed: the store and the office's keys in %s%s\n", r->config.dir,
            all ? "" : "; not every file could be written over, the messages before this one name them");
    fprintf(stderr, "        an SSD may keep old blocks that no program reaches; without the key of the store they cannot be read, unless that lay there in clear\n");
    r->destroying = false;
    r->stopping = true;
}
