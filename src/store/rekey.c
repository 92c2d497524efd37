/* A database goes over to another key, or from clear to its first one, while its store is open.
 *
 *   log emptied -> copied, row by row, beside it under the new key -> durable -> fence marked for the copy
 *   -> the old one gets a second name -> the copy takes its place -> durable -> the old one written over and removed
 *
 * Until the copy takes its place the old one is as it was; a power cut leaves one whole database under one of the two keys,
 * and what else it leaves is cleared away at the next opening. Whoever calls keeps both keys until this has ended. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRESH ".rekey"
#define OLD ".old"
enum { PIECE_BYTES = 1 << 20, BLOCK_BYTES = 64 << 10, PAGES_TRIED = 64 };

static enum focal_status failed(const char *what, const char *path, struct focal_error *err)
{
    int error = errno;
    return focal_fail(err, focal_sqlite_errno_status(error), "look at the directory's owner, permissions and space", "cannot %s %s: %s", what, path,
                      strerror(error));
}

/* ---- getting rid of a file ---- */

/* What the file system does with old blocks, and a disk that never writes to the same place twice, this cannot reach. */
static int write_zeros(int fd)
{
    static const uint8_t zeros[BLOCK_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    for (off_t at = 0; at < st.st_size;) {
        size_t left = (size_t)(st.st_size - at);
        ssize_t n = pwrite(fd, zeros, left < sizeof zeros ? left : sizeof zeros, at);
        if (n <= 0)
            return n < 0 ? errno : EIO;
        at += n;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

enum focal_status focal_sqlite_overwrite(const char *path, struct focal_error *err)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return FOCAL_OK;
    int error = fd < 0 ? errno : fstat(fd, &st) != 0 ? errno : S_ISREG(st.st_mode) ? write_zeros(fd) : EACCES;
    if (fd >= 0)
        close(fd);
    if (unlink(path) != 0 && error == 0)
        error = errno;
    errno = error;
    return error == 0 ? FOCAL_OK : failed("write over", path, err);
}

static bool number_of(const char *path, struct stat *st)
{
    return lstat(path, st) == 0 && S_ISREG(st->st_mode);
}

void focal_sqlite_rekey_tidy(const char *path)
{
    char fresh[SQLITE_PATH_BYTES], old[SQLITE_PATH_BYTES];
    struct stat now, then;
    focal_sqlite_beside(fresh, path, FRESH);
    focal_sqlite_beside(old, path, OLD);
    focal_sqlite_discard(fresh);
    if (!number_of(old, &then) || !number_of(path, &now))
        return;
    /* One file under two names: the copy did not take its place, and this is the database itself. */
    if (then.st_ino == now.st_ino && then.st_dev == now.st_dev)
        (void)!unlink(old);
    else
        (void)!focal_sqlite_overwrite(old, NULL);
}

/* ---- which key ---- */

static bool read_whole(int fd, uint8_t *out, size_t len, off_t at)
{
    return pread(fd, out, len, at) == (ssize_t)len;
}

bool focal_sqlite_under_key(const char *path, const struct focal_store_key *key)
{
    uint8_t *block = focal_alloc(SEAL_FRAME_BYTES);
    char wal[SQLITE_PATH_BYTES];
    struct seal_keys keys;
    bool fits = false;
    if (!block || strlen(path) >= SQLITE_PATH_BYTES - SQLITE_SUFFIX_BYTES) {
        focal_free(block);
        return false;
    }
    focal_seal_keys(&keys, key);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    for (uint64_t n = 1; fd >= 0 && n <= PAGES_TRIED && !fits && read_whole(fd, block, SEAL_PAGE_BYTES, (off_t)((n - 1) * SEAL_PAGE_BYTES)); n++)
        fits = focal_seal_open_page(&keys, n, block);
    if (fd >= 0)
        close(fd);
    focal_sqlite_beside(wal, path, "-wal");
    fd = fits ? -1 : open(wal, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    for (uint64_t n = 1; fd >= 0 && n <= PAGES_TRIED && !fits
                         && read_whole(fd, block, SEAL_FRAME_BYTES, (off_t)(SEAL_WAL_HEADER_BYTES + (n - 1) * SEAL_FRAME_BYTES)); n++)
        fits = focal_seal_open_frame(&keys, n, block);
    if (fd >= 0)
        close(fd);
    focal_wipe(&keys, sizeof keys);
    focal_wipe(block, SEAL_FRAME_BYTES);
    focal_free(block);
    return fits;
}

bool focal_sqlite_is_in_clear(const char *path)
{
    static const uint8_t begins[16] = "SQLite format 3";
    uint8_t head[sizeof begins];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool same = fd >= 0 && read_whole(fd, head, sizeof head, 0) && memcmp(head, begins, sizeof begins) == 0;
    if (fd >= 0)
        close(fd);
    return same;
}

/* ---- the copy ---- */

struct copying { struct focal_store *from, *to; struct focal_buf key, value; size_t bytes; };

static enum focal_status next_piece(struct copying *c)
{
    c->bytes = 0;
    enum focal_status status = focal_store_commit(c->to);
    return status == FOCAL_OK ? focal_store_begin(c->to) : status;
}

static enum focal_status copy_shelf(struct copying *c, enum focal_shelf shelf)
{
    focal_buf_clear(&c->key);
    for (;;) {
        enum focal_status status = focal_store_next(c->from, shelf, focal_buf_view(&c->key), &c->key, &c->value);
        if (status == FOCAL_NOT_FOUND)
            return FOCAL_OK;
        if (status == FOCAL_OK)
            status = focal_store_put(c->to, shelf, focal_buf_view(&c->key), focal_buf_view(&c->value));
        c->bytes += c->key.len + c->value.len;
        if (status == FOCAL_OK && c->bytes >= PIECE_BYTES)
            status = next_piece(c);
        if (status != FOCAL_OK)
            return status;
    }
}

static enum focal_status copy_rows(struct focal_store *from, struct focal_store *to)
{
    struct copying c = { .from = from, .to = to };
    focal_buf_init(&c.key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&c.value, FOCAL_STORE_VALUE_MAX);
    enum focal_status status = focal_store_begin(to);
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST && status == FOCAL_OK; shelf++)
        status = copy_shelf(&c, (enum focal_shelf)shelf);
    if (status == FOCAL_OK)
        status = focal_store_commit(to);
    else
        focal_store_rollback(to);
    focal_buf_wipe_close(&c.key);
    focal_buf_wipe_close(&c.value);
    /* All of it in the file, and that durable, before the log goes with the closing. */
    return status == FOCAL_OK ? focal_store_scrub(to) : status;
}

static enum focal_status make_copy(struct sqlite_store *store, const char *fresh, const struct focal_store_key *key, const struct focal_entropy *entropy,
                                   struct focal_error *err)
{
    struct focal_store *copy = NULL;
    struct focal_sqlite_options options = { .path = fresh, .create = true, .key = key, .entropy = *entropy };
    enum focal_status status = focal_sqlite_open(&copy, &options, err);
    if (status == FOCAL_OK) {
        status = copy_rows(&store->base, copy);
        focal_store_close(copy);
        if (status != FOCAL_OK)
            focal_fail(err, status, status == FOCAL_DISK_FULL ? "free as much space as the database takes, and try again" : "see what the system says about this disk",
                       "%s could not be copied under another key: %s; it is as it was", store->path, focal_status_text(status));
    }
    if (status != FOCAL_OK)
        focal_sqlite_discard(fresh);
    return status;
}

/* ---- changing places ---- */

static enum focal_status change_places(struct sqlite_store *store, const char *fresh, struct focal_error *err)
{
    char wal[SQLITE_PATH_BYTES], old[SQLITE_PATH_BYTES];
    struct stat st;
    focal_sqlite_beside(wal, store->path, "-wal");
    focal_sqlite_beside(old, store->path, OLD);
    if (stat(wal, &st) == 0 && st.st_size > 0)
        return focal_fail(err, FOCAL_BUSY, "try again", "%s is in use", wal);
    (void)!unlink(wal);
    (void)!unlink(old);
    /* Only so that it can be written over after a power cut too; a file system without links goes without. */
    (void)!link(store->path, old);
    if (rename(fresh, store->path) != 0)
        return failed("put in place", fresh, err);
    enum focal_status status = focal_sqlite_sync_directory_of(store->path, err);
    /* From here on nobody knows which of the two the next start will find. */
    store->dead = status != FOCAL_OK;
    return status;
}

static enum focal_status take_places(struct sqlite_store *store, const char *fresh, struct seal_layer *layer, struct focal_error *err)
{
    struct fence_move move;
    focal_sqlite_fence_prepare(&move, store, fresh);
    focal_sqlite_disconnect(store);
    enum focal_status status = change_places(store, fresh, err);
    if (status == FOCAL_OK) {
        struct seal_layer *before = store->layer;
        store->layer = layer;
        focal_seal_layer_let_go(before);
        focal_sqlite_fence_follow(&move, store);
    } else {
        focal_sqlite_fence_stay(&move);
        focal_seal_layer_let_go(layer);
        focal_sqlite_discard(fresh);
    }
    if (store->dead)
        return status;
    enum focal_status again = focal_sqlite_reconnect(store, status == FOCAL_OK ? err : NULL);
    if (again != FOCAL_OK)
        store->dead = true;
    if (status == FOCAL_OK && again == FOCAL_OK)
        focal_sqlite_rekey_tidy(store->path);
    return status == FOCAL_OK ? again : status;
}

enum focal_status focal_sqlite_rekey(struct focal_store *base, const struct focal_store_key *key, const struct focal_entropy *entropy, struct focal_error *err)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    char fresh[SQLITE_PATH_BYTES];
    focal_assert(base->ops == &focal_sqlite_ops && !store->read_only && !store->in_transaction);
    focal_sqlite_beside(fresh, store->path, FRESH);
    focal_sqlite_rekey_tidy(store->path);
    /* The log alone does not tell: a snapshot taken while it is empty keeps nothing of it busy. */
    enum focal_status status = focal_seal_layer_is_shared(store->layer) ? FOCAL_BUSY : focal_sqlite_scrub(store);
    if (status == FOCAL_BUSY)
        return focal_fail(err, status, "wait until the check of the whole database is done", "%s is being looked at", store->path);
    if (status != FOCAL_OK)
        return focal_fail(err, status, "see what the system says about this disk", "%s could not be made ready for another key: %s", store->path, focal_status_text(status));
    status = make_copy(store, fresh, key, entropy, err);
    if (status != FOCAL_OK)
        return status;
    struct seal_layer *layer = focal_seal_layer_new(key, entropy);
    if (!layer) {
        focal_sqlite_discard(fresh);
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory for another key");
    }
    return take_places(store, fresh, layer, err);
}

enum focal_status focal_sqlite_take_over(const char *path, const struct focal_store_key *key, const struct focal_fence_setup *fence, struct focal_error *err)
{
    struct focal_store *store = NULL;
    struct focal_sqlite_options options = { .path = path };
    enum focal_status status = focal_sqlite_open_in_clear(&store, &options, err);
    if (status == FOCAL_OK)
        status = focal_sqlite_fence(store, fence, err);
    if (status == FOCAL_OK)
        status = focal_sqlite_rekey(store, key, &fence->entropy, err);
    focal_store_close(store);
    return status;
}
