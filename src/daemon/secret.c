/* From the file of store keys to an open store, and back: what happens to the keys while the daemon lives.
 *
 *   locked ── unlock, or a start that needs no passphrase ──► open ── lock ──► locked
 *
 * Locked, there is no node, no store, no link and no key in memory: only the loop and the control socket. */
#include "run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what a stop in the middle left, or a program that did not encrypt ---- */

static enum focal_status finish_database(struct store_secret *s, const char *dir, const struct focal_fence_setup *fence, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!path_join(path, dir, "focal.db") || !s->keys.take_over || !focal_sqlite_is_in_clear(path))
        return FOCAL_OK;
    enum focal_status st = focal_sqlite_take_over(path, &s->keys.list[0], fence, err);
    return st == FOCAL_DAMAGED ? say_rejoin(err, dir, "it was left as it is; next: ") : st;
}

static enum focal_status finish_take_over(struct store_secret *s, const char *dir, struct focal_error *err)
{
    enum focal_status st = sealed_files_follow(dir, &s->keys, &s->keys.list[0], err);
    if (st == FOCAL_OK)
        s->keys.take_over = false;
    return st;
}

static enum focal_status finish_rotation(struct store_secret *s, const char *dir, struct focal_error *err)
{
    char path[PATH_BYTES];
    if (!path_join(path, dir, "focal.db"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    const size_t counts = focal_sqlite_under_key(path, &s->keys.list[1]) ? 1 : 0;
    enum focal_status st = sealed_files_follow(dir, &s->keys, &s->keys.list[counts], err);
    if (st == FOCAL_OK) {
        s->keys.list[0] = s->keys.list[counts];
        focal_wipe(&s->keys.list[1], sizeof s->keys.list[1]);
        s->keys.count = 1;
    }
    return st;
}

enum focal_status secret_finish(struct store_secret *s, const char *dir, struct focal_span passphrase, const struct focal_fence_setup *fence, struct focal_error *err)
{
    char path[PATH_BYTES], database[PATH_BYTES];
    int hold = -1;
    enum focal_status st = store_key_path(path, dir, err);
    if (st == FOCAL_OK && !path_join(database, dir, "focal.db"))
        st = focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    if (st == FOCAL_OK && !s->keys.take_over && s->keys.count == 1)
        return FOCAL_OK;
    if (st == FOCAL_OK)
        st = finish_database(s, dir, fence, err);
    if (st == FOCAL_OK)
        st = focal_sqlite_hold(&hold, database, err);
    if (st == FOCAL_OK)
        st = s->keys.take_over ? finish_take_over(s, dir, err) : finish_rotation(s, dir, err);
    if (st == FOCAL_OK)
        st = store_key_write(path, s, passphrase, true, err);
    focal_sqlite_let_go(hold);
    return st;
}

/* ---- at a start ---- */

enum focal_status secret_open(struct running *r, struct focal_error *err)
{
    struct focal_buf file;
    struct focal_fence_setup fence;
    fence_setup(&fence, r);
    enum focal_status st = store_key_file(&file, &r->secret->wrap, r->config.dir, err);
    if (st == FOCAL_NOT_FOUND) {
        st = store_key_first(r->secret, r->config.dir, err);
        if (st == FOCAL_OK)
            focal_trace_line(&r->trace, FOCAL_INFO, "daemon", "what a program that did not encrypt left here is taken over: keys/store.key was made");
    } else if (st == FOCAL_OK && focal_wrap_asks(r->secret->wrap)) {
        r->locked = true;
    } else if (st == FOCAL_OK) {
        st = store_key_unwrap(&r->secret->keys, r->secret->wrap, focal_buf_view(&file), focal_span_of(NULL, 0), err);
    }
    if (st == FOCAL_OK && !r->locked)
        st = secret_finish(r->secret, r->config.dir, focal_span_of(NULL, 0), &fence, err);
    focal_buf_wipe_close(&file);
    return st;
}

void secret_wipe(struct running *r)
{
    focal_wipe(&r->secret->keys, sizeof r->secret->keys);
    focal_secret_free(r->keys);
    r->keys = NULL;
}

/* ---- unlock: stretching the passphrase takes its time, on a thread of its own ---- */

struct unlocking {
    struct running *r;
    struct locked_conn by;
    uint64_t id;
    struct focal_buf passphrase;
    struct store_secret secret;
    struct focal_fence_setup fence;
    struct focal_error err;
    enum focal_status status;
    char dir[PATH_BYTES];
};

static void unlock_work(void *data)
{
    struct unlocking *u = data;
    struct focal_buf file;
    u->status = store_key_file(&file, &u->secret.wrap, u->dir, &u->err);
    if (u->status == FOCAL_OK)
        u->status = store_key_unwrap(&u->secret.keys, u->secret.wrap, focal_buf_view(&file), focal_buf_view(&u->passphrase), &u->err);
    if (u->status == FOCAL_OK)
        u->status = secret_finish(&u->secret, u->dir, focal_buf_view(&u->passphrase), &u->fence, &u->err);
    focal_buf_wipe_close(&file);
}

static void unlock_done(void *data)
{
    struct unlocking *u = data;
    struct running *r = u->r;
    r->unlocking = false;
    if (u->status == FOCAL_OK && r->io && !r->stopping && r->locked) {
        *r->secret = u->secret;
        r->locked = false;
        u->status = running_open(r, &u->err);
        if (u->status != FOCAL_OK)
            running_close(r);
        else
            focal_admin_unlocked(r->admin, u->by.uid, u->by.rights);
    } else if (u->status == FOCAL_DENIED) {     /* the history is behind the same lock */
        focal_trace_line(&r->trace, FOCAL_WARNING, "daemon", "unlock: what user %u gave does not open the store", (unsigned)u->by.uid);
    }
    if (r->io && !r->stopping) {
        locked_answer(r, u->by.number, u->id, u->status, &u->err);
        focal_io_again(r->io);
    }
    focal_buf_wipe_close(&u->passphrase);
    focal_secret_free(u);
}

enum focal_status secret_unlock(struct running *r, const struct locked_conn *by, uint64_t id, struct focal_span passphrase, struct focal_error *err)
{
    if (r->unlocking)
        return focal_fail(err, FOCAL_BUSY, "wait for it", "somebody is unlocking this store now");
    struct unlocking *u = focal_secret_alloc(sizeof *u);
    if (!u)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to unlock the store");
    u->r = r;
    u->by = *by;
    u->id = id;
    fence_setup(&u->fence, r);
    (void)snprintf(u->dir, sizeof u->dir, "%s", r->config.dir);
    focal_buf_init(&u->passphrase, passphrase.len + 1);
    focal_buf_span(&u->passphrase, passphrase);
    enum focal_status st = u->passphrase.failed ? FOCAL_NO_MEMORY : focal_io_work(r->io, unlock_work, unlock_done, u);
    if (st == FOCAL_OK) {
        r->unlocking = true;
        return st;
    }
    focal_buf_wipe_close(&u->passphrase);
    focal_secret_free(u);
    return focal_fail(err, st, "try again", "the store could not be unlocked: %s", focal_status_text(st));
}

/* ---- lock ---- */

void secret_lock(struct running *r)
{
    for (size_t i = 0; i < r->conn_count; i++)
        focal_io_control_close(r->io, r->conns[i]);
    while (r->link_count) {
        r->link_count--;
        focal_io_link_close(r->io, r->links[r->link_count].number);
    }
    running_close(r);
    focal_trace_line(&r->trace, FOCAL_INFO, "daemon", "locked: the store is closed, its key is wiped");
}
