/* The fence: which commit was the last one reported from this database, as a mark outside of it.
 *
 *   row in the transaction -> database durable -> marks durable -> OK
 *
 * The row holds the number and the token of its own commit and the token of the one before. So a database that is one
 * commit ahead of a mark, and names it, lost power between the two and is good; one that a mark is ahead of is an old
 * copy. In opening, nothing is written before the verdict stands. */
#include "inside.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROW_KEY "fence"
enum { ROW_BYTES = 8 + 2 * FENCE_TOKEN_BYTES, NAME_NETWORK_BYTES = 8 };

/* ---- opening ---- */

static enum focal_status read_row(struct sqlite_store *store, struct fence *f)
{
    struct focal_buf value;
    focal_buf_init(&value, 1024);
    enum focal_status status = focal_store_get(&store->base, FOCAL_SHELF_META, focal_span_text(ROW_KEY), &value);
    if (status == FOCAL_OK) {
        struct focal_cur cur = focal_cur_of(focal_buf_view(&value));
        f->now.generation = focal_cur_be64(&cur);
        focal_cur_copy(&cur, f->now.token, FENCE_TOKEN_BYTES);
        focal_cur_copy(&cur, f->previous, FENCE_TOKEN_BYTES);
        if (!focal_cur_done(&cur) || f->now.generation == 0)
            status = FOCAL_DAMAGED;
    }
    focal_buf_close(&value);
    return status == FOCAL_NOT_FOUND ? FOCAL_OK : status;
}

static bool name_by_file(struct fence *f, const char *path, const char *hex)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    f->home.device = st.st_dev;
    f->home.inode = st.st_ino;
    int n = snprintf(f->name, sizeof f->name, "%s-%llx-%llx", hex, (unsigned long long)f->home.device, (unsigned long long)f->home.inode);
    focal_assert(n > 0 && (size_t)n < sizeof f->name);
    return true;
}

/* NOT_FOUND: it belongs to no network yet. */
static enum focal_status name_files(struct sqlite_store *store, struct fence *f)
{
    struct focal_buf network;
    char hex[2 * NAME_NETWORK_BYTES + 1];
    focal_buf_init(&network, 1024);
    enum focal_status status = focal_store_get(&store->base, FOCAL_SHELF_META, focal_span_text("genesis"), &network);
    if (status == FOCAL_OK && network.len < NAME_NETWORK_BYTES)
        status = FOCAL_DAMAGED;
    if (status == FOCAL_OK) {
        focal_hex(hex, network.data, NAME_NETWORK_BYTES);
        if (!name_by_file(f, store->path, hex))
            status = FOCAL_IO;
    }
    focal_buf_close(&network);
    return status;
}

static bool same_token(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, FENCE_TOKEN_BYTES) == 0;
}

static enum focal_fence_verdict says(const struct fence *f, const struct fence_place *p)
{
    if (!p->there)
        return FOCAL_FENCE_MISSING;
    if (p->home.device != f->home.device || p->home.inode != f->home.inode
        || memcmp(p->home.machine, f->home.machine, sizeof f->home.machine) != 0)
        return FOCAL_FENCE_MOVED;
    if (p->mark.generation == f->now.generation && same_token(p->mark.token, f->now.token))
        return FOCAL_FENCE_GOOD;
    if (p->mark.generation + 1 == f->now.generation && same_token(p->mark.token, f->previous))
        return FOCAL_FENCE_GOOD;
    /* Far behind: it was away while the database went on, and says nothing of what happened since. */
    return p->mark.generation + 1 < f->now.generation ? FOCAL_FENCE_MISSING : FOCAL_FENCE_BEHIND;
}

/* With two places the graver word counts, but a place that lost its mark does not speak against one that has it. */
static enum focal_fence_verdict judge(struct fence *f)
{
    static const enum focal_fence_verdict gravest_first[] = { FOCAL_FENCE_BEHIND, FOCAL_FENCE_MOVED, FOCAL_FENCE_GOOD };
    bool said[FOCAL_FENCE_NONE + 1] = { false };
    bool any = false;
    f->highest = f->now.generation;
    for (size_t i = 0; i < FOCAL_FENCE_PLACES; i++) {
        const struct fence_place *p = &f->places[i];
        if (!p->used)
            continue;
        any = true;
        said[says(f, p)] = true;
        if (p->there && p->mark.generation > f->highest)
            f->highest = p->mark.generation;
    }
    if (!any)
        return FOCAL_FENCE_NONE;
    if (f->now.generation == 0)
        return FOCAL_FENCE_NEW;
    for (size_t i = 0; i < sizeof gravest_first / sizeof *gravest_first; i++)
        if (said[gravest_first[i]])
            return gravest_first[i];
    return FOCAL_FENCE_MISSING;
}

static enum focal_status give_up(struct fence *f, struct fence_place *p)
{
    int error = focal_sqlite_place_give_up(p, f);
    return error == 0 ? FOCAL_OK : FOCAL_IO;
}

/* A new database starts from an empty mark, so that a power cut at its first commit is told from a lost fence. A good
 * one has every place brought up to it. Of any other the marks stay as they are until the next commit. */
static enum focal_status bring_up(struct fence *f)
{
    enum focal_status status = FOCAL_OK;
    if (f->verdict == FOCAL_FENCE_NEW)
        f->highest = 0;
    for (size_t i = 0; i < FOCAL_FENCE_PLACES && status == FOCAL_OK; i++) {
        struct fence_place *p = &f->places[i];
        int error = 0;
        if (!p->used)
            continue;
        if (f->verdict == FOCAL_FENCE_NEW)
            error = focal_sqlite_place_empty(p, f);
        bool stale = !p->there || p->mark.generation != f->now.generation;
        if (error == 0 && stale && (f->verdict == FOCAL_FENCE_NEW || f->verdict == FOCAL_FENCE_GOOD))
            error = focal_sqlite_place_mark(p, f, &f->now);
        if (error != 0)
            status = give_up(f, p);
    }
    return status;
}

static void open_places(struct fence *f, const struct focal_fence_setup *setup, const char *database)
{
    char beside[SQLITE_PATH_BYTES];
    focal_sqlite_beside(beside, database, "");
    char *slash = strrchr(beside, '/');
    focal_assert(slash);
    slash[slash == beside ? 1 : 0] = 0;
    for (size_t i = 0; i < FOCAL_FENCE_PLACES; i++)
        if (setup->places[i])
            focal_sqlite_place_open(&f->places[i], f, setup->places[i], beside);
}

enum focal_status focal_sqlite_fence(struct focal_store *base, const struct focal_fence_setup *setup, struct focal_error *err)
{
    struct sqlite_store *store = (struct sqlite_store *)base;
    struct fence *f = &store->fence;
    focal_assert(base->ops == &focal_sqlite_ops && !store->read_only && !store->in_transaction && !f->kept);
    focal_assert(setup->machine_id.len <= sizeof f->home.machine && setup->entropy.fill);
    if (setup->machine_id.len)
        memcpy(f->home.machine, setup->machine_id.data, setup->machine_id.len);
    f->entropy = setup->entropy;
    f->files = setup->files ? setup->files : &focal_sqlite_fence_files;
    enum focal_status status = name_files(store, f);
    if (status == FOCAL_NOT_FOUND)
        return FOCAL_OK;
    if (status == FOCAL_OK)
        status = read_row(store, f);
    if (status != FOCAL_OK)
        return focal_fail(err, status, "the file was left as it is; restore from a backup, or join anew and pull",
                          "%s: what it says of its fence cannot be read: %s", store->path, focal_status_text(status));
    open_places(f, setup, store->path);
    f->verdict = judge(f);
    f->kept = true;
    status = bring_up(f);
    if (status != FOCAL_OK)
        return focal_fail(err, status, "remove the file by hand, in both places where fences are kept",
                          "the fence %s can neither be written nor removed", f->name);
    return FOCAL_OK;
}

enum focal_fence_verdict focal_sqlite_fence_verdict(struct focal_store *base)
{
    return ((struct sqlite_store *)base)->fence.verdict;
}

/* ---- a commit ---- */

enum focal_status focal_sqlite_fence_row(struct sqlite_store *store, struct fence_mark *next)
{
    struct fence *f = &store->fence;
    uint8_t row[ROW_BYTES];
    /* Above every mark that stands anywhere, or an old one would seem ahead for ever. */
    next->generation = f->highest + 1;
    f->entropy.fill(f->entropy.data, next->token, sizeof next->token);
    focal_put_be64(row, next->generation);
    memcpy(row + 8, next->token, FENCE_TOKEN_BYTES);
    memcpy(row + 8 + FENCE_TOKEN_BYTES, f->now.token, FENCE_TOKEN_BYTES);
    return focal_store_put(&store->base, FOCAL_SHELF_META, focal_span_text(ROW_KEY), focal_span_of(row, sizeof row));
}

enum focal_status focal_sqlite_fence_mark(struct sqlite_store *store, const struct fence_mark *next)
{
    struct fence *f = &store->fence;
    enum focal_status status = FOCAL_OK;
    for (size_t i = 0; i < FOCAL_FENCE_PLACES; i++) {
        struct fence_place *p = &f->places[i];
        if (p->used && focal_sqlite_place_mark(p, f, next) != 0 && give_up(f, p) != FOCAL_OK)
            status = FOCAL_IO;
    }
    f->now = *next;
    f->highest = next->generation;
    if (status != FOCAL_OK)
        store->dead = true;
    return status;
}

void focal_sqlite_fence_close(struct fence *f)
{
    for (size_t i = 0; i < FOCAL_FENCE_PLACES; i++)
        focal_sqlite_place_close(&f->places[i]);
}

/* ---- another file in the database's place ---- */

/* A mark that does not speak for the database as it is does not go over: of such a one the next start must know. */
static bool speaks_for(const struct fence *f, const struct fence_place *p)
{
    return p->there && p->mark.generation == f->now.generation && same_token(p->mark.token, f->now.token);
}

void focal_sqlite_fence_prepare(struct fence_move *m, const struct sqlite_store *store, const char *fresh)
{
    const struct fence *f = &store->fence;
    char hex[2 * NAME_NETWORK_BYTES + 1];
    memset(m, 0, sizeof *m);
    if (!f->kept)
        return;
    m->next = *f;
    memset(m->next.places, 0, sizeof m->next.places);
    snprintf(hex, sizeof hex, "%.*s", 2 * NAME_NETWORK_BYTES, f->name);
    m->moves = name_by_file(&m->next, fresh, hex);
    for (size_t i = 0; i < FOCAL_FENCE_PLACES && m->moves; i++) {
        struct fence_place *to = &m->next.places[i];
        if (!f->places[i].used || !focal_sqlite_place_again(to, &f->places[i], &m->next))
            continue;
        int error = focal_sqlite_place_empty(to, &m->next);
        if (error == 0 && speaks_for(f, &f->places[i]))
            error = focal_sqlite_place_mark(to, &m->next, &f->now);
        if (error != 0)
            (void)focal_sqlite_place_give_up(to, &m->next);
    }
}

static void remove_places(struct fence *f)
{
    for (size_t i = 0; i < FOCAL_FENCE_PLACES; i++)
        if (f->places[i].used)
            (void)focal_sqlite_place_give_up(&f->places[i], f);
}

void focal_sqlite_fence_follow(struct fence_move *m, struct sqlite_store *store)
{
    if (!m->moves)
        return;
    remove_places(&store->fence);
    store->fence = m->next;
}

void focal_sqlite_fence_stay(struct fence_move *m)
{
    if (m->moves)
        remove_places(&m->next);
}
