/* The control socket of a daemon whose store is locked: it says that it is alive, and takes `unlock` and `destroy`. */
#include "run.h"

#include "focal/control.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_ROOM = 8192 };

static struct locked_conn *find(struct running *r, uint64_t conn)
{
    for (size_t i = 0; i < LOCKED_CONNS_MAX; i++)
        if (r->locked_conns[i].number == conn)
            return &r->locked_conns[i];
    return NULL;
}

bool locked_has(struct running *r, uint64_t conn)
{
    return conn && find(r, conn);
}

static void send_line(struct running *r, uint64_t conn, const struct focal_buf *line)
{
    if (line->failed || focal_io_control_send(r->io, conn, focal_buf_view(line)) != FOCAL_OK)
        focal_io_control_close(r->io, conn);
}

/* Everybody on the machine may connect; who may not open the store must not keep others from it. */
static bool has_place(const struct running *r, bool may)
{
    size_t strangers = 0;
    for (size_t i = 0; i < LOCKED_CONNS_MAX; i++)
        strangers += r->locked_conns[i].number && !r->locked_conns[i].may;
    return may || strangers < LOCKED_STRANGERS_MAX;
}

/* Who may is asked for here again: nothing of the commands' own table is at hand. The daemon's own user can read and remove
 * these files without asking, so it is not kept from the socket. */
void locked_opened(struct running *r, uint64_t conn, const struct focal_io_caller *who)
{
    const unsigned rights = focal_rights_of(&r->groups, who->uid, who->gid, who->groups, who->group_count);
    const bool may = rights & FOCAL_MAY_ADMIN || who->uid == r->groups.owner;
    struct locked_conn *free_one = find(r, 0);
    struct focal_buf line;
    if (!free_one || !has_place(r, may)) {
        focal_io_control_close(r->io, conn);
        return;
    }
    *free_one = (struct locked_conn){ .number = conn, .uid = who->uid, .rights = rights, .may = may };
    focal_buf_init(&line, LINE_ROOM);
    focal_control_hello(&line);
    send_line(r, conn, &line);
    focal_buf_close(&line);
}

void locked_closed(struct running *r, uint64_t conn)
{
    struct locked_conn *c = find(r, conn);
    if (conn && c)
        *c = (struct locked_conn){ .number = 0 };
}

void locked_ended(struct running *r, uint64_t conn)
{
    struct locked_conn *c = find(r, conn);
    if (!c)
        return;
    c->ended = true;
    if (!c->waits)
        focal_io_control_close(r->io, conn);
}

void locked_answer(struct running *r, uint64_t conn, uint64_t id, enum focal_status status, const struct focal_error *err)
{
    struct locked_conn *c = find(r, conn);
    struct focal_buf line;
    if (!conn || !c)
        return;
    c->waits = false;
    focal_buf_init(&line, LINE_ROOM);
    if (status == FOCAL_OK)
        focal_answer_end(&line, id, FOCAL_OK, NULL);
    else
        focal_answer_error(&line, id, err);
    send_line(r, conn, &line);
    focal_buf_close(&line);
    /* From here on the commands' own table answers, on a connection of its own. */
    if (!r->locked || c->ended)
        focal_io_control_close(r->io, conn);
}

static void tell_status(struct running *r, uint64_t conn, uint64_t id)
{
    struct focal_buf line;
    json_t *item = json_pack("{s:b,s:b,s:b,s:s,s:s,s:s,s:n,s:n,s:i,s:[],s:[{s:s,s:s}]}", "locked", 1, "unlocking", r->unlocking, "passphrase",
        focal_wrap_asks(r->secret->wrap), "store_key", focal_wrap_word(r->secret->wrap), "dir", r->config.dir, "program", FOCAL_VERSION, "office", "role", "pid",
        (int)getpid(), "offices", "needs_you", "what", "the store is locked: nothing is sent, received or entered", "command", "focalctl unlock");
    focal_buf_init(&line, LINE_ROOM + 2 * PATH_BYTES);
    if (item) {
        focal_answer_item(&line, id, item);
        focal_answer_end(&line, id, FOCAL_OK, NULL);
    }
    line.failed = line.failed || !item;
    send_line(r, conn, &line);
    focal_buf_close(&line);
    json_decref(item);
}

static enum focal_status begin_unlock(struct running *r, struct locked_conn *c, const struct focal_request *q, struct focal_error *err)
{
    const char *passphrase = json_string_value(json_object_get(q->with, "passphrase"));
    if (focal_wrap_asks(r->secret->wrap) && !passphrase)
        return focal_fail(err, FOCAL_USAGE, "`focalctl unlock` asks for it", "this store opens with a passphrase, and none was given");
    enum focal_status st = secret_unlock(r, c, q->id, focal_span_text(passphrase ? passphrase : ""), err);
    c->waits = st == FOCAL_OK;
    return st;
}

static enum focal_status refuse_stranger(const struct running *r, const struct locked_conn *c, struct focal_error *err)
{
    char hint[120];
    const struct focal_group *admins = &r->groups.admin;
    (void)snprintf(hint, sizeof hint, "ask %s%s to run `focalctl unlock`", admins->exists ? "a member of " : "the user that runs this daemon, or root,", admins->exists ? admins->name : "");
    return focal_fail(err, FOCAL_DENIED, hint, "the store is locked, and you (user %u) may not open it", (unsigned)c->uid);
}

static void obey(struct running *r, struct locked_conn *c, const struct focal_request *q)
{
    struct focal_error err;
    enum focal_status st;
    if (c->may && r->locked && strcmp(q->verb, "status") == 0) {
        tell_status(r, c->number, q->id);
        return;
    }
    if (!c->may)
        st = refuse_stranger(r, c, &err);
    else if (!r->locked)
        st = focal_fail(&err, FOCAL_BUSY, "ask again", "the store has just been unlocked");
    else if (strcmp(q->verb, "unlock") == 0)
        st = begin_unlock(r, c, q, &err);
    else if (strcmp(q->verb, "lock") == 0)
        st = FOCAL_OK;
    else if (strcmp(q->verb, "destroy") == 0)
        st = destroy_begin(r, json_string_value(json_object_get(q->with, "confirm")), &err);
    else
        st = focal_fail(&err, FOCAL_DENIED, "`focalctl unlock` opens it", "the store is locked");
    if (!c->waits)
        locked_answer(r, c->number, q->id, st, &err);
}

void locked_line(struct running *r, uint64_t conn, struct focal_span line)
{
    struct locked_conn *c = find(r, conn);
    struct focal_error err;
    struct focal_request q;
    if (!c->greeted) {
        c->greeted = focal_control_hello_check(line, &err) == FOCAL_OK;
        if (!c->greeted)
            focal_io_control_close(r->io, conn);
        return;
    }
    enum focal_status st = focal_request_parse(&q, line, &err);
    if (st != FOCAL_OK)
        locked_answer(r, conn, q.id, st, &err);
    else
        obey(r, c, &q);
    if (st == FOCAL_OK)
        focal_request_close(&q);
}
