/* What every kind of life does: opening, the next cut, the word for a fault. */
#include "life.h"

#include "inside_store.h"
#include "store_key.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DATABASE DISK_PREFIX "/office/focal.db"

enum { CUTS = 40 };

bool life_fault(struct life *l, uint64_t *count, const char *fmt, ...)
{
    char what[320];
    va_list args;
    if (l->why[0])
        return false;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (*count)++;
    (void)snprintf(l->why, 500, "seed %llu, after %llu cuts: %s\n  again: focal_power --seed %llu", (unsigned long long)l->seed,
                   (unsigned long long)l->totals->cuts, what, (unsigned long long)l->seed);
    return false;
}

bool life_is_well(struct life *l, enum focal_status status, const char *what)
{
    if (status == FOCAL_OK)
        return true;
    if (!disk_is_off(l->disk) && !disk_failure_happened(l->disk))
        life_fault(l, &l->totals->wrong, "%s gave %s with the power on", what, focal_status_name(status));
    return false;
}

/* Small logs and caches, so that checkpoints and spills come often; the numbers of the daemon would need 16 MiB for one. */
static void tune(struct life *l)
{
    static const int logs[] = { 4, 12, 40, 2048 }, caches[] = { 12, 40, 1000 };
    char sql[160];
    (void)snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint=%d; PRAGMA cache_size=%d; PRAGMA journal_size_limit=%d; PRAGMA cache_spill=%d",
                   logs[l->seed % 4], caches[l->seed / 4 % 3], logs[l->seed % 4] * 8192, l->seed / 12 % 2 ? 3000 : 1);
    (void)sqlite3_exec(power_connection(l->store), sql, NULL, NULL, NULL);
}

static struct focal_entropy nonces_of(struct life *l)
{
    return (struct focal_entropy){ chance_fill, &l->nonces };
}

static void draw_key(struct life *l, struct focal_store_key *key)
{
    uint8_t bytes[FOCAL_STORE_ID_BYTES + FOCAL_STORE_KEY_BYTES];
    chance_fill(&l->chance, bytes, sizeof bytes);
    focal_store_key_make(key, bytes);
}

/* The two keys stand in a file of their own until one is known to count. */
static void settle_key(struct life *l)
{
    if (l->key_count == 2 && focal_sqlite_under_key(DATABASE, &l->keys[1]))
        l->keys[0] = l->keys[1];
    if (!disk_is_off(l->disk))
        l->key_count = 1;
}

/* What an older program left is taken over before anything else. */
static enum focal_status take_over(struct life *l, struct focal_error *err)
{
    if (!focal_sqlite_is_in_clear(DATABASE))        /* also one whose creation was in flight when the power went */
        return FOCAL_OK;
    enum focal_status status = focal_sqlite_take_over(DATABASE, &l->keys[0], &(struct focal_fence_setup){ .entropy = nonces_of(l) }, err);
    l->totals->takeovers += status == FOCAL_OK;
    return status;
}

static enum focal_status open_database(struct life *l, struct focal_error *err)
{
    struct focal_sqlite_options options = { .path = DATABASE, .create = !l->created, .key = &l->keys[0], .entropy = nonces_of(l) };
    enum focal_status status = FOCAL_OK;
    settle_key(l);
    if (l->clear_openings) {
        options = (struct focal_sqlite_options){ IN_CLEAR, .path = DATABASE, .create = !l->created };
        l->clear_openings--;
    } else {
        status = take_over(l, err);
    }
    if (status == FOCAL_OK)
        status = focal_sqlite_open(&l->store, &options, err);
    if (status == FOCAL_EXISTS && options.create) {
        options.create = false;     /* the creation that was in flight got through */
        status = focal_sqlite_open(&l->store, &options, err);
    }
    if (status == FOCAL_OK && !options.in_clear)
        l->sealed = true;
    return status;
}

enum focal_status life_rekey(struct life *l)
{
    if (!l->sealed)
        return FOCAL_OK;
    struct focal_error err;
    draw_key(l, &l->keys[1]);
    l->key_count = 2;
    const struct focal_entropy entropy = nonces_of(l);
    enum focal_status status = focal_sqlite_rekey(l->store, &l->keys[1], &entropy, &err);
    if (status == FOCAL_OK) {
        l->keys[0] = l->keys[1];
        l->totals->rekeys++;
        tune(l);
    }
    /* Refused before anything was done, or done: one counts again. */
    if (status == FOCAL_OK || status == FOCAL_BUSY)
        l->key_count = 1;
    return status;
}

bool life_looks_closed(struct life *l)
{
    return !l->sealed || !disk_shows(l->disk, LIFE_MARK, strlen(LIFE_MARK))
           || life_fault(l, &l->totals->in_clear, "a file shows what people entered");
}

enum opened life_open(struct life *l)
{
    struct focal_error err = { .message = "" };
    enum focal_status status = open_database(l, &err);
    l->totals->openings++;
    if (status != FOCAL_OK) {
        if (disk_is_off(l->disk) || disk_failure_happened(l->disk))
            return OPENED_OFF;
        life_fault(l, &l->totals->unopenable, "cannot be opened: %s: %s", focal_status_name(status), err.message);
        return OPENED_NOT;
    }
    l->created = true;
    /* What a change of keys left is cleared away at the end of opening, and nobody waits for that. */
    if (disk_is_off(l->disk))
        return OPENED_OFF;
    tune(l);
    return OPENED;
}

void life_close(struct life *l)
{
    focal_store_close(l->store);
    l->store = NULL;
}

/* Mostly the power goes; sometimes the program is killed and the power stays; sometimes an fsync fails first. */
void life_plan(struct life *l)
{
    static const unsigned reach[] = { 12, 60, 60, 300 };
    uint64_t events = 1 + chance_below(&l->chance, l->created ? reach[chance_below(&l->chance, 4)] : 250);
    l->killed = chance_of(&l->chance, 12);
    if (l->killed && chance_of(&l->chance, 40))
        disk_plan_failure(l->disk, (struct disk_failure){ .nth = 1 + chance_below(&l->chance, 12), .kinds = DISK_SYNC, .error = EIO,
                                                          .keeps_dirty = chance_of(&l->chance, 30) });
    else
        disk_plan_cut(l->disk, events);
}

void life_end(struct life *l)
{
    /* A program that stops because of a failing disk may still get to close its files. */
    if (!l->killed || chance_of(&l->chance, 50))
        disk_cut(l->disk);
    life_close(l);
    if (l->killed) {
        l->totals->kills++;
        disk_start_again(l->disk);
    } else {
        l->totals->cuts++;
        disk_power_on(l->disk);
    }
}

bool life_deep_check(struct life *l)
{
    struct focal_buf findings;
    focal_buf_init(&findings, 4096);
    enum focal_status status = focal_sqlite_deep_check(l->store, &findings);
    bool well = status == FOCAL_OK;
    if (!well && !disk_is_off(l->disk) && !disk_failure_happened(l->disk))
        life_fault(l, &l->totals->corrupt, "deep check: %s: %s", focal_status_name(status), focal_buf_cstr(&findings));
    focal_buf_close(&findings);
    l->totals->deep_checks++;
    return well;
}

/* The directory is there and durable before the life begins, as after a setup that ended well. */
static void make_place(struct disk *d)
{
    struct disk_node *root;
    (void)disk_make_directory(d, DISK_PREFIX "/office");
    if (disk_find(d, DISK_PREFIX, &root) == 0)
        (void)disk_sync(d, root);
}

bool power_life(uint64_t seed, unsigned lies, struct totals *totals, char why[500])
{
    struct life l = { .seed = seed, .cuts = CUTS, .totals = totals, .why = why, .chance = { seed * 2 + 1 }, .nonces = { ~seed } };
    why[0] = 0;
    l.disk = disk_new(seed);
    power_mount(l.disk);
    make_place(l.disk);
    draw_key(&l, &l.keys[0]);
    l.key_count = 1;
    l.clear_openings = seed % 8 == 3 ? 3 : 0;
    disk_lie(l.disk, lies);
    bool well = (seed % 10 == 0 ? oplog_life(&l) : store_life(&l)) && life_looks_closed(&l);
    disk_cut(l.disk);
    life_close(&l);
    disk_power_on(l.disk);
    totals->lives++;
    totals->digest = totals->digest * 31 + disk_digest(l.disk);
    disk_free(l.disk);
    return well && !why[0];
}
