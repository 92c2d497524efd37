/* What people ask of the store's key while the store is open: lock, destroy, another key, another way of wrapping. */
#include "run.h"

#include <stdio.h>
#include <string.h>

/* The passphrases are stretched on a thread of its own; files and database are changed on the loop, after. */
struct changing {
    struct running *r;
    uint64_t ticket;
    bool rotates;
    struct store_secret then, end;      /* then: with both keys, of a rotation */
    struct focal_buf passphrase, next;
    struct focal_buf file_then, file_end;
    struct focal_error err;
    enum focal_status status;
    char dir[PATH_BYTES];
};

static void change_work(void *data)
{
    struct changing *c = data;
    struct focal_buf file;
    struct focal_store_keys held = { .count = 0 };
    enum focal_wrap wrap;
    c->status = store_key_file(&file, &wrap, c->dir, &c->err);
    /* Who changes the key must be able to open it. */
    if (c->status == FOCAL_OK && focal_wrap_asks(wrap))
        c->status = store_key_unwrap(&held, wrap, focal_buf_view(&file), focal_buf_view(&c->passphrase), &c->err);
    focal_wipe(&held, sizeof held);
    focal_buf_wipe_close(&file);
    const struct focal_span next = focal_buf_view(c->rotates ? &c->passphrase : &c->next);
    if (c->status == FOCAL_OK && c->rotates)
        c->status = store_key_wrap(&c->file_then, &c->then, next, &c->err);
    if (c->status == FOCAL_OK)
        c->status = store_key_wrap(&c->file_end, &c->end, next, &c->err);
}

static enum focal_status put_file(struct changing *c, const struct focal_buf *text, struct focal_error *err)
{
    char path[PATH_BYTES];
    enum focal_status st = store_key_path(path, c->dir, err);
    return st == FOCAL_OK ? focal_file_write(path, focal_buf_view(text), 0600, true, err) : st;
}

/* Both keys on the disk, then the database, then the small files, then the new key alone: wherever this ends, the next start
 * finds what it needs and goes on, or back. */
static enum focal_status rotate(struct changing *c)
{
    struct running *r = c->r;
    const struct focal_entropy entropy = { focal_entropy_fill, NULL };
    enum focal_status st = put_file(c, &c->file_then, &c->err);
    if (st != FOCAL_OK)
        return st;
    st = focal_sqlite_rekey(r->store, &c->end.keys.list[0], &entropy, &c->err);
    if (st != FOCAL_OK)
        return st;
    *r->secret = c->then;
    st = sealed_files_follow(c->dir, &c->then.keys, &c->end.keys.list[0], &c->err);
    if (st == FOCAL_OK)
        st = put_file(c, &c->file_end, &c->err);
    if (st == FOCAL_OK) {
        *r->secret = c->end;
        return st;
    }
    /* New files go under the new key; the next start does the rest. */
    struct focal_store_key new = c->end.keys.list[0];
    r->secret->keys.list[1] = r->secret->keys.list[0];
    r->secret->keys.list[0] = new;
    focal_wipe(&new, sizeof new);
    return focal_fail(&c->err, st, "start the daemon again when that is mended; nothing is lost", "the store is under its new key, and not all is done: %s", c->err.message);
}

static void change_free(struct changing *c)
{
    focal_buf_wipe_close(&c->passphrase);
    focal_buf_wipe_close(&c->next);
    focal_buf_wipe_close(&c->file_then);
    focal_buf_wipe_close(&c->file_end);
    focal_secret_free(c);
}

static void change_done(void *data)
{
    struct changing *c = data;
    struct running *r = c->r;
    r->changing = false;
    if (r->admin && !r->stopping) {
        enum focal_status st = c->status;
        if (st == FOCAL_OK && c->rotates) {
            st = rotate(c);
        } else if (st == FOCAL_OK) {
            st = put_file(c, &c->file_end, &c->err);
            if (st == FOCAL_OK)
                r->secret->wrap = c->end.wrap;
        }
        focal_admin_store_done(r->admin, c->ticket, st, &c->err);
        focal_io_again(r->io);
    }
    change_free(c);
}

static enum focal_status copy_secret(struct focal_buf *to, struct focal_span from)
{
    focal_buf_init(to, from.len + 1);
    focal_buf_span(to, from);
    return to->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status begin_change(struct running *r, uint64_t ticket, const struct focal_store_order *o, struct focal_error *err)
{
    enum focal_wrap to = r->secret->wrap;
    if (r->changing)
        return focal_fail(err, FOCAL_BUSY, "wait for it", "the store's key is being changed now");
    if (o->type == FOCAL_STORE_CHANGE && !focal_wrap_parse(&to, o->to))
        return focal_fail(err, FOCAL_USAGE, "plain, passphrase, credential or both", "\"%.40s\" is no way of keeping a key", o->to);
    if (o->type == FOCAL_STORE_CHANGE && focal_wrap_asks(to) && o->next.len == 0)
        return focal_fail(err, FOCAL_USAGE, "choose a long one", "an empty passphrase protects nothing");
    if (r->secret->keys.count != 1)
        return focal_fail(err, FOCAL_BUSY, "start the daemon again: it does the rest", "an earlier change of the store's key is not all done");
    struct changing *c = focal_secret_alloc(sizeof *c);
    if (!c)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to change the store's key");
    c->r = r;
    c->ticket = ticket;
    c->rotates = o->type == FOCAL_STORE_ROTATE;
    (void)snprintf(c->dir, sizeof c->dir, "%s", r->config.dir);
    c->then = c->end = *r->secret;
    c->end.wrap = to;
    if (c->rotates) {
        store_key_draw(&c->end.keys.list[0]);
        c->then.keys.list[1] = c->end.keys.list[0];
        c->then.keys.count = 2;
    }
    enum focal_status st = copy_secret(&c->passphrase, o->passphrase);
    if (st == FOCAL_OK)
        st = copy_secret(&c->next, o->next);
    if (st == FOCAL_OK)
        st = focal_io_work(r->io, change_work, change_done, c);
    r->changing = st == FOCAL_OK;
    if (st == FOCAL_OK)
        return st;
    change_free(c);
    return focal_fail(err, st, "try again", "the store's key could not be changed: %s", focal_status_text(st));
}

enum focal_status store_order(void *data, uint64_t ticket, const struct focal_store_order *o, struct focal_error *err)
{
    struct running *r = data;
    switch (o->type) {
    case FOCAL_STORE_LOCK:
        r->locking = true;
        return FOCAL_OK;
    case FOCAL_STORE_DESTROY:
        return destroy_begin(r, o->to, err);
    case FOCAL_STORE_ROTATE:
    case FOCAL_STORE_CHANGE:
        return begin_change(r, ticket, o, err);
    }
    focal_unreachable();
}

const char *store_key_word(void *data)
{
    return focal_wrap_word(((struct running *)data)->secret->wrap);
}
