/* Opening: who may, is it ours, is it whole; and only after that is anything written.
 *
 *   path -> lock -> (create) -> connect -> identify -> settle -> quick_check -> migrate -> prepare */
#include "inside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory with its links resolved, and the name: so that one database has one lock file, and SQLite can be told
 * to follow no link at all. */
static enum focal_status settle_path(char out[SQLITE_PATH_BYTES], const char *path, struct focal_error *err)
{
    const char *hint = "name a file in an existing directory";
    char directory[SQLITE_PATH_BYTES], real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = slash ? (size_t)(slash - path) + 1 : 0;
    if (*name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return focal_fail(err, FOCAL_USAGE, hint, "\"%s\" is not the path of a file", path);
    if (len >= sizeof directory)
        return focal_fail(err, FOCAL_USAGE, hint, "the path of the database is too long");
    snprintf(directory, sizeof directory, "%.*s", (int)len, path);
    if (!realpath(len ? directory : ".", real))
        return focal_fail(err, focal_sqlite_errno_status(errno), hint, "cannot find the directory of %s: %s", path,
                          strerror(errno));
    int n = snprintf(out, SQLITE_PATH_BYTES, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    if (n < 0 || n >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES)
        return focal_fail(err, FOCAL_USAGE, hint, "the path of the database is too long");
    return FOCAL_OK;
}

/* OK: a regular file is there. */
static enum focal_status look(const char *path, bool create, struct focal_error *err)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (errno != ENOENT)
            return focal_fail(err, focal_sqlite_errno_status(errno), "look at the directory's owner and permissions",
                              "cannot look at %s: %s", path, strerror(errno));
        return focal_fail(err, FOCAL_NOT_FOUND, "set the node up first, or name the right directory",
                          "there is no database at %s", path);
    }
    if (!S_ISREG(st.st_mode))
        return focal_fail(err, FOCAL_DENIED, "name the database itself", "%s is %s", path,
                          S_ISLNK(st.st_mode) ? "a symbolic link" : "not a regular file");
    if (create)
        return focal_fail(err, FOCAL_EXISTS, "a database is never overwritten; name another place",
                          "%s exists already", path);
    return FOCAL_OK;
}

/* A log that was left over is copied into the file and begun anew. SQLite would go on in it, or from its start, under the
 * same salts, and then frames of a commit that nobody was told of can become valid behind frames that happen to be equal,
 * after a later power cut: a transaction that was not there would be. A full disk is no reason not to open: the log stays. */
static enum focal_status begin_log_anew(sqlite3 *db, const char *path, struct focal_error *err)
{
    int64_t blocked = 0;
    enum focal_status status = focal_sqlite_ask_number(db, "PRAGMA wal_checkpoint(TRUNCATE)", &blocked);
    if (status == FOCAL_OK || status == FOCAL_DISK_FULL || status == FOCAL_BUSY)
        return FOCAL_OK;
    return focal_sqlite_explain(db, status, path, err);
}

/* From here on the file may be written. */
static enum focal_status make_ready(sqlite3 *db, const char *path, int64_t version, struct focal_error *err)
{
    char mode[16] = "";
    enum focal_status status = focal_sqlite_ask_text(db, "PRAGMA journal_mode=WAL", mode, sizeof mode);
    if (status != FOCAL_OK)
        return focal_sqlite_explain(db, status, path, err);
    if (strcmp(mode, "wal") != 0)
        return focal_fail(err, FOCAL_IO, "keep the database on a local disk", "%s: no write-ahead log is possible there",
                          path);
    status = begin_log_anew(db, path, err);
    if (status == FOCAL_OK)
        status = focal_sqlite_migrate(db, path, version, err);
    if (status != FOCAL_OK)
        return status;
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    focal_assert(rc == SQLITE_OK);
    return FOCAL_OK;
}

static enum focal_status connect_known(struct sqlite_store *store, int64_t *version, struct focal_error *err)
{
    enum focal_status status = focal_sqlite_connect(&store->db, store->path, store->layer, store->read_only, SQLITE_CACHE_KIB, err);
    return status == FOCAL_OK ? focal_sqlite_identify(store->db, store->path, version, err) : status;
}

/* Only once it is known to be ours is its log written over, and nobody may have read it before. */
static enum focal_status settle(struct sqlite_store *store, int64_t *version, struct focal_error *err)
{
    int rc = sqlite3_close(store->db);
    focal_assert(rc == SQLITE_OK);
    store->db = NULL;
    enum focal_status status = focal_sqlite_settle(store->path, err);
    return status == FOCAL_OK ? connect_known(store, version, err) : status;
}

static enum focal_status open_checked(struct sqlite_store *store, const struct focal_sqlite_options *options,
                                      struct focal_error *err)
{
    char journal[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(journal, store->path, "-journal");
    /* SQLite would roll such a journal back into the file; no program of ours makes one. */
    if (lstat(journal, &st) == 0)
        return focal_fail(err, FOCAL_DAMAGED, "find out which program made it; the database was left as it is",
                          "a foreign journal stands beside the database: %s", journal);
    int64_t version = 0;
    enum focal_status status = connect_known(store, &version, err);
    if (status == FOCAL_OK && !store->read_only)
        status = settle(store, &version, err);
    if (status == FOCAL_OK)
        status = focal_sqlite_check_length(store->db, store->path, err);
    if (status == FOCAL_OK && !options->skip_check)
        status = focal_sqlite_check(store->db, store->path, err);
    if (status == FOCAL_OK && options->read_only && !focal_sqlite_version_is_current(version))
        status = focal_fail(err, FOCAL_UNSUPPORTED, "start the daemon once, it brings the database up to date",
                            "%s was written by an older program", store->path);
    if (status == FOCAL_OK && !options->read_only)
        status = make_ready(store->db, store->path, version, err);
    if (status == FOCAL_OK) {
        status = focal_sqlite_prepare(store);
        if (status != FOCAL_OK)
            focal_sqlite_explain(store->db, status, store->path, err);
    }
    return status;
}

/* A refused file keeps the neighbours it had: SQLite made these only to look into it. */
static void tidy(const char *path, bool had_wal, bool had_index)
{
    char beside[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(beside, path, "-wal");
    if (!had_wal && lstat(beside, &st) == 0 && st.st_size == 0)
        (void)!unlink(beside);
    focal_sqlite_beside(beside, path, "-shm");
    if (!had_index)
        (void)!unlink(beside);
}

static bool stands_beside(const char *path, const char *suffix)
{
    char beside[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(beside, path, suffix);
    return lstat(beside, &st) == 0;
}

static enum focal_status open_locked(struct sqlite_store *store, const struct focal_sqlite_options *options,
                                     struct focal_error *err)
{
    enum focal_status status = look(store->path, options->create, err);
    if (options->create && status == FOCAL_NOT_FOUND)
        status = focal_sqlite_create(store->path, store->layer, err);
    if (status != FOCAL_OK)
        return status;
    bool had_wal = stands_beside(store->path, "-wal"), had_index = stands_beside(store->path, "-shm");
    status = open_checked(store, options, err);
    if (status != FOCAL_OK) {
        focal_sqlite_disconnect(store);
        tidy(store->path, had_wal, had_index);
    } else if (store->layer && !store->read_only) {
        focal_sqlite_rekey_tidy(store->path);
    }
    return status;
}

enum focal_status focal_sqlite_reconnect(struct sqlite_store *store, struct focal_error *err)
{
    int64_t version = 0;
    enum focal_status status = connect_known(store, &version, err);
    if (status == FOCAL_OK)
        status = make_ready(store->db, store->path, version, err);
    if (status == FOCAL_OK) {
        status = focal_sqlite_prepare(store);
        if (status != FOCAL_OK)
            focal_sqlite_explain(store->db, status, store->path, err);
    }
    return status;
}

static struct sqlite_store *blank(void)
{
    struct sqlite_store *store = focal_alloc(sizeof *store);
    if (store) {
        store->base.ops = &focal_sqlite_ops;
        store->lock_fd = -1;
    }
    return store;
}

static enum focal_status open_store(struct focal_store **out, const struct focal_sqlite_options *options, bool in_clear,
                                    struct focal_error *err)
{
    *out = NULL;
    focal_assert(!(options->create && options->read_only));
    struct sqlite_store *store = blank();
    if (store && !in_clear)
        store->layer = focal_seal_layer_new(options->key, &options->entropy);
    if (!store || !(in_clear || store->layer)) {
        focal_free(store);
        return focal_fail(err, FOCAL_NO_MEMORY, NULL, "no memory to open %s", options->path);
    }
    store->read_only = options->read_only;
    enum focal_status status = settle_path(store->path, options->path, err);
    /* Looked at before the lock, so that a mistyped name leaves no lock file, and again under it. */
    if (status == FOCAL_OK) {
        status = look(store->path, options->create, err);
        if (options->create && status == FOCAL_NOT_FOUND)
            status = FOCAL_OK;
    }
    if (status == FOCAL_OK) {
        char lock[SQLITE_PATH_BYTES];
        focal_sqlite_beside(lock, store->path, ".lock");
        status = focal_sqlite_lock(&store->lock_fd, lock, options->read_only, err);
    }
    if (status == FOCAL_OK)
        status = open_locked(store, options, err);
    if (status != FOCAL_OK) {
        focal_sqlite_close(&store->base);
        return status;
    }
    *out = &store->base;
    return FOCAL_OK;
}

enum focal_status focal_sqlite_open(struct focal_store **out, const struct focal_sqlite_options *options, struct focal_error *err)
{
    focal_assert(options->in_clear || (options->key && options->entropy.fill));
    return open_store(out, options, options->in_clear != NULL, err);
}

enum focal_status focal_sqlite_open_in_clear(struct focal_store **out, const struct focal_sqlite_options *options, struct focal_error *err)
{
    return open_store(out, options, true, err);
}

enum focal_status focal_sqlite_snapshot(struct focal_store *base, struct focal_store **out)
{
    struct sqlite_store *from = (struct sqlite_store *)base;
    *out = NULL;
    if (from->is_snapshot)
        return FOCAL_DENIED;
    struct sqlite_store *store = blank();
    if (!store)
        return FOCAL_NO_MEMORY;
    store->read_only = store->is_snapshot = true;
    memcpy(store->path, from->path, sizeof store->path);
    store->layer = focal_seal_layer_hold(from->layer);
    enum focal_status status = focal_sqlite_connect(&store->db, store->path, store->layer, true, SQLITE_SNAPSHOT_CACHE_KIB, NULL);
    if (status == FOCAL_OK)
        status = focal_sqlite_prepare(store);
    /* BEGIN alone pins nothing: the first read does. */
    if (status == FOCAL_OK)
        status = focal_sqlite_run(store->db, "BEGIN; SELECT 1 FROM meta LIMIT 1");
    if (status != FOCAL_OK) {
        focal_sqlite_close(&store->base);
        return status;
    }
    *out = &store->base;
    return FOCAL_OK;
}
