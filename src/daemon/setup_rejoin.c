/* focald setup --rejoin: a member whose database is damaged or lost gets a new one.
 *
 *   hold the place -> read the old one -> fill a new one apart -> set the old one aside -> the new one takes its place
 *
 * Until the last step the old one stands where it stood, and whatever fails before leaves everything as it was. */
#include "daemon.h"

#include "focal/node.h"
#include "focal/store_sqlite.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEEPSAKE_ROOM = 16 << 20, SAID_LOGS = 8 };

struct rejoining {
    char dir[PATH_BYTES], path[PATH_BYTES], fresh[PATH_BYTES];
    char source[FOCAL_SQLITE_PATH_MAX], aside[FOCAL_SQLITE_PATH_MAX];
    int hold;
    struct focal_salvage *salvage;
    struct focal_buf keepsake;
    struct focal_rejoined told;
};

/* Of an office that was made by a program that did not encrypt this makes its first key, and the next start takes over what
 * else stands in clear. */
static enum focal_status open_secret(struct setup *s, struct rejoining *r, struct focal_error *err)
{
    struct focal_buf file;
    enum focal_status st = focal_sqlite_hold(&r->hold, r->path, err);
    if (st != FOCAL_OK)
        return st == FOCAL_BUSY ? focal_fail(err, st, "stop it first", "a focald is running on %s", r->dir) : st;
    st = store_key_file(&file, &s->secret.wrap, r->dir, err);
    if (st == FOCAL_NOT_FOUND)
        st = store_key_first(&s->secret, r->dir, err);
    else if (st == FOCAL_OK)
        st = setup_ask_passphrase(s, false, err);
    if (st == FOCAL_OK && s->secret.keys.count == 0)
        st = store_key_unwrap(&s->secret.keys, s->secret.wrap, focal_buf_view(&file), focal_buf_view(&s->store_passphrase), err);
    focal_buf_wipe_close(&file);
    return st;
}

/* The key under which the damaged one stands; NULL: in clear. */
static const struct focal_store_key *key_of(const struct setup *s, const char *path)
{
    const struct focal_store_keys *k = &s->secret.keys;
    for (size_t i = 0; i < k->count; i++)
        if (focal_sqlite_under_key(path, &k->list[i]))
            return &k->list[i];
    return k->take_over ? NULL : &k->list[0];
}

static enum focal_status find_place(struct setup *s, struct rejoining *r, struct focal_error *err)
{
    const char *const anew = "ask headquarters for a new invitation and set this office up anew in another directory";
    char key[PATH_BYTES];
    enum focal_status st = config_read(&s->config, s->dir, NULL, err);
    if (st != FOCAL_OK)
        return st;
    (void)snprintf(r->dir, sizeof r->dir, "%s", s->config.dir);
    if (!path_join(r->path, r->dir, "focal.db") || !path_join(r->fresh, r->dir, "focal.db.rejoin") || !path_join(key, r->dir, "keys/node.key"))
        return focal_fail(err, FOCAL_USAGE, "choose a shorter name", "the path is too long");
    st = open_secret(s, r, err);
    if (st == FOCAL_OK)
        st = node_key_read(&s->keys, key, &s->secret.keys, err);
    if (st == FOCAL_NOT_FOUND || st == FOCAL_DAMAGED) {
        struct focal_error why = *err;
        return focal_fail(err, st, anew, "without the key of this office nothing can be rejoined: %s", why.message);
    }
    return st;
}

/* ---- what is left of the old one ---------------------------------------------------------------------------------------- */

static enum focal_status read_row(void *data, size_t i, enum focal_shelf *shelf, struct focal_buf *key, struct focal_buf *value)
{
    return focal_salvage_row(data, i, shelf, key, value);
}

static enum focal_status read_old(const struct setup *s, struct rejoining *r, struct focal_error *err)
{
    static const enum focal_shelf wanted[] = { FOCAL_SHELF_META, FOCAL_SHELF_STATEMENT, FOCAL_SHELF_LOG, FOCAL_SHELF_SEGMENT, FOCAL_SHELF_RECEIPT,
                                               FOCAL_SHELF_PEER, FOCAL_SHELF_LOCAL, FOCAL_SHELF_INVITATION, FOCAL_SHELF_INCIDENT,
                                               FOCAL_SHELF_HISTORY, FOCAL_SHELF_REFUSED };
    uint32_t shelves = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        shelves |= 1u << wanted[i];
    enum focal_status st = focal_sqlite_find_damaged(r->path, r->fresh, r->source, err);
    if (st == FOCAL_OK)
        st = focal_salvage_open(&r->salvage, r->source, key_of(s, r->source), shelves, err);
    if (st == FOCAL_NOT_FOUND) {
        r->source[0] = 0;
        st = FOCAL_OK;
    }
    if (st == FOCAL_OK)
        st = keepsake_file_read(&r->keepsake, r->dir, &s->secret.keys, err);
    return st == FOCAL_NO_MEMORY ? focal_fail(err, st, "free some memory", "no memory to read keys/network.focal") : st;
}

/* ---- the new one ----------------------------------------------------------------------------------------------------------- */

static enum focal_status fill_new(const struct setup *s, struct rejoining *r, struct focal_error *err)
{
    struct focal_store *store = NULL;
    struct focal_readable rows = { .data = r->salvage, .count = r->salvage ? focal_salvage_count(r->salvage) : 0, .row = read_row };
    struct focal_entropy entropy = { .fill = focal_entropy_fill };
    focal_sqlite_discard(r->fresh);     /* of a try that was killed */
    enum focal_status st = store_open_at(&store, r->fresh, true, &s->secret, err);
    if (st != FOCAL_OK)
        return st;
    st = focal_node_found_again(store, &s->keys, &entropy, focal_buf_view(&r->keepsake), &rows, &r->told, err);
    focal_store_close(store);
    return st;
}

static enum focal_status change_places(struct rejoining *r, struct focal_error *err)
{
    struct focal_now now;
    struct tm t;
    char date[16] = "";
    focal_clock_now(&now);
    time_t s = (time_t)(now.wall_ms / 1000);
    if (!gmtime_r(&s, &t) || strftime(date, sizeof date, "%Y-%m-%d", &t) == 0)
        return focal_fail(err, FOCAL_IO, "set this machine's clock", "the clock gives no date");
    enum focal_status st = focal_sqlite_set_aside(r->path, r->fresh, date, r->aside, err);
    if (st == FOCAL_OK)
        focal_sqlite_discard(r->fresh); /* the lock file that it had there */
    return st;
}

/* ---- telling --------------------------------------------------------------------------------------------------------------- */

static void tell_json(const struct rejoining *r)
{
    const struct focal_rejoined *t = &r->told;
    json_t *cut = json_array();
    for (size_t i = 0; i < t->cut_count && i < FOCAL_CUT_LOGS_MAX; i++) {
        char scope[16], log[33];
        focal_scope_print(scope, &t->cut[i].scope);
        focal_hex(log, t->cut[i].log.b, sizeof t->cut[i].log.b);
        json_array_append_new(cut, json_pack("{s:s,s:s,s:s,s:I,s:I}", "log", log, "office", t->cut[i].author.text, "scope", scope,
                                             "held", (json_int_t)t->cut[i].held, "known", (json_int_t)t->cut[i].known));
    }
    json_t *out = json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s?,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "schema", "focal.rejoin/1", "office", t->office.text,
        "network", t->label, "dir", r->dir, "aside", r->aside[0] ? r->aside : NULL, "salvaged_from", r->source[0] ? r->source : NULL,
        "keepsake", t->keepsake, "statements", (json_int_t)t->statements, "entries", (json_int_t)t->entries, "own_entries", (json_int_t)t->own_entries,
        "waiting", (json_int_t)t->waiting, "own_waiting", (json_int_t)t->waiting_own, "missing", (json_int_t)t->missing,
        "cut_logs", (json_int_t)t->cut_count, "cut", cut);
    if (out && json_dumpf(out, stdout, JSON_COMPACT) == 0)
        putchar('\n');
    json_decref(out);
}

static void tell_text(const struct setup *s, const struct rejoining *r)
{
    const struct focal_rejoined *t = &r->told;
    printf("Office %s of the network \"%s\" has a new database in %s\n\n", t->office.text, t->label, r->dir);
    if (r->aside[0])
        printf("Old database    %s\n                kept as it was; it holds records, so delete it when you no longer need it\n", r->aside);
    printf("Salvaged        %llu entries, %llu of them of this office\n", (unsigned long long)t->entries, (unsigned long long)t->own_entries);
    if (t->waiting)
        printf("Waiting         %llu entries, %llu of them of this office, until the others bring what stands before them\n",
               (unsigned long long)t->waiting, (unsigned long long)t->waiting_own);
    if (t->missing)
        printf("Missing         %llu entries, to come from the other offices\n", (unsigned long long)t->missing);
    for (size_t i = 0; i < t->cut_count && i < SAID_LOGS; i++) {
        char scope[16];
        focal_scope_print(scope, &t->cut[i].scope);
        printf("                log of %s in %s: %llu of %llu\n", t->cut[i].author.text[0] ? t->cut[i].author.text : "an unknown office", scope,
               (unsigned long long)t->cut[i].held, (unsigned long long)t->cut[i].known);
    }
    if (t->cut_count > SAID_LOGS)
        printf("                and %zu more logs\n", t->cut_count - SAID_LOGS);
    printf("\nNext            focald run --dir %s\n", s->dir);
    printf("then            focalctl --dir %s verify --deep\n                when the links have been up\n", s->dir);
}

enum focal_status setup_rejoin(struct setup *s, struct focal_error *err)
{
    struct rejoining *r = focal_alloc(sizeof *r);
    if (!r)
        return focal_fail(err, FOCAL_NO_MEMORY, "free some memory", "no memory to begin");
    r->hold = -1;
    focal_buf_init(&r->keepsake, KEEPSAKE_ROOM);
    enum focal_status st = find_place(s, r, err);
    if (st == FOCAL_OK)
        st = read_old(s, r, err);
    if (st == FOCAL_OK) {
        st = fill_new(s, r, err);
        if (st == FOCAL_OK)
            st = change_places(r, err);
        else
            focal_sqlite_discard(r->fresh);
    }
    if (st == FOCAL_OK && s->json)
        tell_json(r);
    else if (st == FOCAL_OK)
        tell_text(s, r);
    focal_salvage_close(r->salvage);
    focal_sqlite_let_go(r->hold);
    focal_buf_close(&r->keepsake);
    focal_free(r);
    return st;
}
