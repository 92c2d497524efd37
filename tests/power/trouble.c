#include "trouble.h"

#include "focal/base.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

const struct trouble troubles[] = {
    { .name = "our memory", .memory = TROUBLE_OURS },
    { .name = "our memory, from then on", .memory = TROUBLE_OURS, .from_then_on = true },
    { .name = "SQLite's memory", .memory = TROUBLE_SQLITE },
    { .name = "SQLite's memory, from then on", .memory = TROUBLE_SQLITE, .from_then_on = true, .stride = 5 },
    { .name = "a read", .disk = { .kinds = DISK_READ, .error = EIO } },
    { .name = "a write", .disk = { .kinds = DISK_WRITE, .error = EIO } },
    { .name = "a write, half done", .disk = { .kinds = DISK_WRITE, .error = EIO, .in_part = true } },
    { .name = "a write without space", .disk = { .kinds = DISK_WRITE, .error = ENOSPC, .in_part = true } },
    { .name = "all writes without space", .disk = { .kinds = DISK_WRITE, .error = ENOSPC, .from_then_on = true } },
    { .name = "an fsync, its pages forgotten", .disk = { .kinds = DISK_SYNC, .error = EIO } },
    { .name = "an fsync, its pages kept", .disk = { .kinds = DISK_SYNC, .error = EIO, .keeps_dirty = true } },
    { .name = "an fsync of a directory", .disk = { .kinds = DISK_SYNC_DIRECTORY, .error = EIO } },
    { .name = "a change of size", .disk = { .kinds = DISK_TRUNCATE, .error = EIO } },
    { .name = "a new name", .disk = { .kinds = DISK_CREATE, .error = ENOSPC } },
    { .name = "a rename", .disk = { .kinds = DISK_RENAME, .error = EIO } },
    { .name = "taking a name away", .disk = { .kinds = DISK_UNLINK, .error = EIO } },
    { .name = "an opening", .disk = { .kinds = DISK_OPEN, .error = EMFILE } },
    { .name = "all of the disk", .disk = { .kinds = DISK_EVENTS | DISK_READ | DISK_OPEN, .error = EIO, .from_then_on = true } },
};
const size_t trouble_count = sizeof troubles / sizeof *troubles;

uint64_t trouble_stride(const struct trouble *t)
{
    return FOCAL_TROUBLE_STRIDE * (t->stride ? t->stride : 1);
}

static struct { enum trouble_memory memory; uint64_t left; bool from_then_on, happened, aside; } memory;

static bool allowed(enum trouble_memory whose)
{
    if (memory.memory != whose || memory.aside || memory.left == 0 || --memory.left > 0)
        return true;
    memory.left = memory.from_then_on;
    memory.happened = true;
    return false;
}

static bool allow_ours(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return allowed(TROUBLE_OURS);
}

/* ---- SQLite's ---- */

static sqlite3_mem_methods real;

static void *sqlite_malloc(int bytes)
{
    return allowed(TROUBLE_SQLITE) ? real.xMalloc(bytes) : NULL;
}

static void *sqlite_realloc(void *p, int bytes)
{
    return allowed(TROUBLE_SQLITE) ? real.xRealloc(p, bytes) : NULL;
}

void trouble_install(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
        abort();
    sqlite3_mem_methods faulty = real;
    faulty.xMalloc = sqlite_malloc;
    faulty.xRealloc = sqlite_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty) != SQLITE_OK)
        abort();
}

void trouble_arm(struct disk *d, const struct trouble *t, uint64_t nth)
{
    trouble_lift(d);
    memory.happened = false;
    if (t->memory != TROUBLE_NO) {
        memory.memory = t->memory;
        memory.left = nth;
        memory.from_then_on = t->from_then_on;
        if (t->memory == TROUBLE_OURS)
            focal_alloc_hook(allow_ours, NULL);
        return;
    }
    struct disk_failure f = t->disk;
    f.nth = nth;
    disk_plan_failure(d, f);
}

bool trouble_happened(const struct disk *d)
{
    return memory.happened || (d && disk_failure_happened(d));
}

/* Whether it happened is still known afterwards. */
void trouble_lift(struct disk *d)
{
    memory.memory = TROUBLE_NO;
    memory.left = 0;
    focal_alloc_hook(NULL, NULL);
    if (d)
        disk_lift_failure(d);
}

void trouble_lay_aside(void) { memory.aside = true; }
void trouble_take_up(void) { memory.aside = false; }
