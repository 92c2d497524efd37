/* The index of the write-ahead log, in memory. SQLite would map a file for it, which holds sums over plain bytes; a store is
 * open in one process only (lock.c), so nobody else needs to see it. It goes with the last connection, and the next one makes it
 * anew from the log. */
#include "seal.h"

#include <stdatomic.h>
#include <string.h>

enum { SLOTS = SQLITE_SHM_NLOCK };

struct seal_index {
    sqlite3_mutex *mutex;
    void **regions;
    int region_count, users;
    int shared[SLOTS];                  /* how many read under it */
    bool exclusive[SLOTS];
};

struct seal_index *focal_seal_index_new(void)
{
    struct seal_index *x = focal_alloc(sizeof *x);
    if (!x)
        return NULL;
    x->mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_FAST);
    if (x->mutex)
        return x;
    focal_free(x);
    return NULL;
}

static void forget_regions(struct seal_index *x)
{
    for (int i = 0; i < x->region_count; i++)
        focal_free(x->regions[i]);
    focal_free(x->regions);
    x->regions = NULL;
    x->region_count = 0;
}

void focal_seal_index_free(struct seal_index *x)
{
    if (!x)
        return;
    forget_regions(x);
    sqlite3_mutex_free(x->mutex);
    focal_free(x);
}

static bool grow(struct seal_index *x, int region, int size)
{
    void **grown = focal_realloc(x->regions, ((size_t)region + 1) * sizeof *grown);
    if (!grown)
        return false;
    x->regions = grown;
    for (; x->region_count <= region; x->region_count++) {
        void *one = focal_alloc((size_t)size);
        if (!one)
            return false;
        x->regions[x->region_count] = one;
    }
    return true;
}

int focal_seal_index_map(struct seal_index_user *u, int region, int size, int extend, void volatile **out)
{
    struct seal_index *x = u->index;
    int rc = SQLITE_OK;
    sqlite3_mutex_enter(x->mutex);
    x->users += !u->inside;
    u->inside = true;
    if (region >= x->region_count && extend && !grow(x, region, size))
        rc = SQLITE_IOERR_NOMEM;
    *out = rc == SQLITE_OK && region < x->region_count ? x->regions[region] : NULL;
    sqlite3_mutex_leave(x->mutex);
    return rc;
}

static bool others_hold(const struct seal_index_user *u, int slot, bool wanted_alone)
{
    const struct seal_index *x = u->index;
    const unsigned bit = 1u << slot;
    if (x->exclusive[slot] && !(u->exclusive & bit))
        return true;
    return wanted_alone && x->shared[slot] > ((u->shared & bit) ? 1 : 0);
}

static void give_back(struct seal_index_user *u, int slot)
{
    const unsigned bit = 1u << slot;
    if (u->exclusive & bit)
        u->index->exclusive[slot] = false;
    if (u->shared & bit)
        u->index->shared[slot]--;
    u->exclusive &= ~bit;
    u->shared &= ~bit;
}

int focal_seal_index_lock(struct seal_index_user *u, int at, int count, int flags)
{
    struct seal_index *x = u->index;
    const bool alone = flags & SQLITE_SHM_EXCLUSIVE;
    int rc = SQLITE_OK;
    sqlite3_mutex_enter(x->mutex);
    for (int i = at; i < at + count && rc == SQLITE_OK && !(flags & SQLITE_SHM_UNLOCK); i++)
        if (others_hold(u, i, alone))
            rc = SQLITE_BUSY;
    for (int i = at; i < at + count && rc == SQLITE_OK; i++) {
        const unsigned bit = 1u << i;
        if (flags & SQLITE_SHM_UNLOCK) {
            give_back(u, i);
        } else if (alone) {
            x->exclusive[i] = true;
            u->exclusive |= bit;
        } else if (!(u->shared & bit)) {
            x->shared[i]++;
            u->shared |= bit;
        }
    }
    sqlite3_mutex_leave(x->mutex);
    return rc;
}

/* Who takes the mutex sees what others wrote before they let it go. */
void focal_seal_index_barrier(struct seal_index_user *u)
{
    atomic_thread_fence(memory_order_seq_cst);
    sqlite3_mutex_enter(u->index->mutex);
    sqlite3_mutex_leave(u->index->mutex);
}

int focal_seal_index_leave(struct seal_index_user *u)
{
    sqlite3_mutex_enter(u->index->mutex);
    for (int i = 0; i < SLOTS; i++)
        give_back(u, i);
    if (u->inside && --u->index->users == 0)
        forget_regions(u->index);
    u->inside = false;
    sqlite3_mutex_leave(u->index->mutex);
    return SQLITE_OK;
}
