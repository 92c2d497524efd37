/* What every kind of life does: opening, the next cut, the word for a fault. */
#include "life.h"

#include "inside_store.h"

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
    char sql[120];
    (void)snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint=%d; PRAGMA cache_size=%d; PRAGMA journal_size_limit=%d",
                   logs[l->seed % 4], caches[l->seed / 4 % 3], logs[l->seed % 4] * 8192);
    (void)sqlite3_exec(power_connection(l->store), sql, NULL, NULL, NULL);
}

enum opened life_open(struct life *l)
{
    struct focal_error err = { .message = "" };
    struct focal_sqlite_options options = { .path = DATABASE, .create = !l->created };
    enum focal_status status = focal_sqlite_open(&l->store, &options, &err);
    if (status == FOCAL_EXISTS && options.create) {
        options.create = false;     /* the creation that was in flight got through */
        status = focal_sqlite_open(&l->store, &options, &err);
    }
    l->totals->openings++;
    if (status != FOCAL_OK) {
        if (disk_is_off(l->disk) || disk_failure_happened(l->disk))
            return OPENED_OFF;
        life_fault(l, &l->totals->unopenable, "cannot be opened: %s: %s", focal_status_name(status), err.message);
        return OPENED_NOT;
    }
    l->created = true;
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
    struct life l = { .seed = seed, .cuts = CUTS, .totals = totals, .why = why, .chance = { seed * 2 + 1 } };
    why[0] = 0;
    l.disk = disk_new(seed);
    power_mount(l.disk);
    make_place(l.disk);
    disk_lie(l.disk, lies);
    bool well = seed % 10 == 0 ? oplog_life(&l) : store_life(&l);
    disk_cut(l.disk);
    life_close(&l);
    disk_power_on(l.disk);
    totals->lives++;
    totals->digest = totals->digest * 31 + disk_digest(l.disk);
    disk_free(l.disk);
    return well && !why[0];
}
