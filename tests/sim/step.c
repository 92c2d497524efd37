/* One step of a node, and what can go wrong with it: killed before or after it, no memory, a disk that fails.
 *
 * A step that fails must leave no trace: the disk is as before it, no frame and no order comes out, and the node that is
 * started again on that disk goes on. Heads that a commit has shown never go back. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

/* ---- memory --------------------------------------------------------------------------------------------------- */

/* The hook knows no world, so this is the process's. Only one world runs at a time. */
static struct { size_t largest; uint64_t fail_at; bool then_on, failed; } memory;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    if (bytes > memory.largest)
        memory.largest = bytes;
    if (memory.fail_at == 0 || --memory.fail_at > 0)
        return true;
    memory.fail_at = memory.then_on;
    memory.failed = true;
    return false;
}

void sim_memory_watched(bool on)
{
    memset(&memory, 0, sizeof memory);
    focal_alloc_hook(on ? allow : NULL, NULL);
}

/* ---- what goes wrong --------------------------------------------------------------------------------------------- */

enum wrong { NOTHING, KILL_BEFORE, KILL_AFTER, NO_MEMORY, DISK };

static enum wrong draw_wrong(struct world *w)
{
    const struct world_steps_go_wrong *g = &w->wrong;
    if (!g->killed && !g->no_memory && !g->disk)
        return NOTHING;
    uint64_t at = world_random(w, 100000);
    if (at < g->killed)
        return world_random(w, 2) ? KILL_BEFORE : KILL_AFTER;
    if (at < (uint64_t)g->killed + g->no_memory)
        return NO_MEMORY;
    return at < (uint64_t)g->killed + g->no_memory + g->disk ? DISK : NOTHING;
}

static uint64_t digest(struct focal_store *store)
{
    uint64_t all = 0, one;
    for (int shelf = FOCAL_SHELF_META; shelf <= FOCAL_SHELF_LAST; shelf++) {
        focal_assert(focal_shelf_digest(store, (enum focal_shelf)shelf, &one, NULL) == FOCAL_OK);
        all = all * UINT64_C(0x100000001b3) ^ one;
    }
    return all;
}

/* Gives whether the disk must be as before when the step fails: input and output may fail with the bytes written. */
static bool arm(struct world *w, struct sim_node *n, enum wrong wrong)
{
    static const unsigned kinds[] = { FOCAL_FAKE_COMMIT, FOCAL_FAKE_WRITES, FOCAL_FAKE_ALL, FOCAL_FAKE_FENCE };
    if (wrong == NO_MEMORY) {
        memory.fail_at = 1 + world_random(w, world_random(w, 4) ? 12 : 300);
        memory.then_on = world_random(w, 4) == 0;
        return true;
    }
    if (wrong != DISK)
        return false;
    struct focal_fake_failure plan = { .kinds = kinds[world_random(w, 4)], .status = world_random(w, 2) ? FOCAL_DISK_FULL : FOCAL_IO,
                                       .from_then_on = world_random(w, 2) != 0, .commit_reaches_disk = world_random(w, 2) != 0 };
    plan.nth = plan.kinds == FOCAL_FAKE_COMMIT || plan.kinds == FOCAL_FAKE_FENCE ? 1 : 1 + world_random(w, world_random(w, 3) ? 8 : 60);
    focal_fake_store_plan(n->store, plan);
    return plan.status == FOCAL_DISK_FULL || (!plan.commit_reaches_disk && !(plan.kinds & FOCAL_FAKE_FENCE));
}

static void kill_now(struct world *w, int i)
{
    world_crash(w, i);
    w->counts.crashes--;
    w->nodes[i].start_at_ms = w->now_ms + 1 + world_random(w, world_random(w, 4) ? 3000 : 60000);
}

/* Nothing may leave a node whose step failed, and it says so itself from then on. */
static void check_silent(struct world *w, int i)
{
    struct sim_node *n = &w->nodes[i];
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    if (focal_node_failed(n->node) == FOCAL_OK)
        sim_fail(w, "node %s: its step failed, and it does not know", n->code);
    for (size_t k = 0; k < w->link_top; k++)
        for (int e = 0; e < 2; e++)
            if (w->links[k].open && w->links[k].node[e] == i && focal_node_take_frame(n->node, w->links[k].id[e], &frame))
                sim_fail(w, "node %s: its step failed, and a frame leaves it", n->code);
    focal_buf_close(&frame);
}

/* ---- heads ---------------------------------------------------------------------------------------------------------- */

static struct sim_watch *watch_of(struct sim_node *n, size_t hint, const struct focal_id *line)
{
    if (hint < n->watch_count && focal_id_equal(&n->watch[hint].line, line))
        return &n->watch[hint];
    for (size_t k = 0; k < n->watch_count; k++)
        if (focal_id_equal(&n->watch[k].line, line))
            return &n->watch[k];
    return NULL;
}

/* Which cuts it knows: the same number, the same cuts. */
static uint64_t cuts_known(const struct focal_oplog *ol)
{
    const struct focal_cut *cut;
    uint64_t sum = 0;
    for (size_t i = 0; (cut = focal_oplog_cut_at(ol, i)) != NULL; i++)
        sum += 1000 + cut->number;
    return sum;
}

/* Of a scope that it reads no more it may have left: that is no going back. */
static bool left(struct sim_node *n, const struct focal_oplog *ol, const struct focal_log *log)
{
    if (n->lost_count == 0 || focal_oplog_may_read(ol, focal_oplog_mine(ol), &log->scope))
        return false;
    for (size_t k = 0; k < n->watch_count; k++)
        if (focal_id_equal(&n->watch[k].line, &log->line))
            n->watch[k] = n->watch[--n->watch_count];
    return true;
}

static void check_heads(struct world *w, struct sim_node *n)
{
    struct focal_oplog *ol = focal_node_oplog(n->node);
    uint64_t changes = focal_oplog_change_count(ol);
    if (changes == n->watched_changes)
        return;
    n->watched_changes = changes;
    const uint64_t cuts = cuts_known(ol);
    const bool same_cuts = cuts == n->watched_cuts && !n->malice;
    n->watched_cuts = cuts;
    size_t seen = 0;
    for (size_t k = 0; k < focal_oplog_log_count(ol); k++) {
        const struct focal_log *log = focal_oplog_log_at(ol, k);
        if (left(n, ol, log) || log->head.seq <= log->base.seq)
            continue;                   /* a line that holds nothing of its own yet */
        struct sim_watch *at = watch_of(n, k, &log->line);
        if (!at) {
            focal_assert(sim_grow(&n->watch, n->watch_count, &n->watch_cap, sizeof *n->watch));
            at = &n->watch[n->watch_count++];
            *at = (struct sim_watch){ .line = log->line };
        }
        if (log->head.seq < at->seq)
            sim_fail(w, "node %s: a head went back from %llu to %llu", n->code, (unsigned long long)at->seq, (unsigned long long)log->head.seq);
        if (same_cuts && log->head.seq > at->seq && log->clipped && !log->mine)
            sim_fail(w, "node %s: takes entry %llu of a log that a cut leaves up to %llu", n->code, (unsigned long long)log->head.seq,
                     (unsigned long long)log->clip.seq);
        at->seq = log->head.seq;
        seen++;
    }
    if (seen < n->watch_count)
        sim_fail(w, "node %s: %zu logs are gone", n->code, n->watch_count - seen);
}

/* ---- the step ---------------------------------------------------------------------------------------------------------- */

static void failed(struct world *w, int i, enum focal_status st, enum wrong wrong, bool must_be_as_before, uint64_t before)
{
    struct sim_node *n = &w->nodes[i];
    if (wrong != NO_MEMORY && wrong != DISK) {
        sim_fail(w, "node %s: step failed: %s", n->code, focal_status_name(st));
        return;
    }
    check_silent(w, i);
    if (must_be_as_before && st != FOCAL_IO && digest(n->store) != before)
        sim_fail(w, "node %s: a step that failed with %s has changed the disk", n->code, focal_status_name(st));
    kill_now(w, i);
    if (must_be_as_before && digest(n->store) != before)
        sim_fail(w, "node %s: a step that failed with %s has changed the disk, as the start after it shows", n->code, focal_status_name(st));
}

enum focal_status sim_step(struct world *w, int i, const struct focal_node_event *events, size_t count)
{
    struct sim_node *n = &w->nodes[i];
    if (!n->node)
        return FOCAL_UNREACHABLE;
    w->steps++;
    sim_mix(w, &i, sizeof i);
    sim_mix(w, &w->now_ms, sizeof w->now_ms);
    enum wrong wrong = draw_wrong(w);
    if (wrong == KILL_BEFORE) {
        w->counts.killed++;
        kill_now(w, i);
        return FOCAL_UNREACHABLE;
    }
    uint64_t before = wrong == NO_MEMORY || wrong == DISK ? digest(n->store) : 0;
    memory.failed = false;
    bool as_before = arm(w, n, wrong);
    enum focal_status st = focal_node_step(n->node, sim_time(w, n), events, count);
    memory.fail_at = 0;
    focal_fake_store_plan(n->store, (struct focal_fake_failure){ .nth = 0 });
    w->counts.memory_faults += wrong == NO_MEMORY && memory.failed;
    w->counts.disk_faults += wrong == DISK && st != FOCAL_OK;
    if (memory.largest > w->counts.largest_allocation)
        w->counts.largest_allocation = memory.largest;
    if (st != FOCAL_OK) {
        failed(w, i, st, wrong, as_before, before);
        return st;
    }
    check_heads(w, n);
    if (wrong == KILL_AFTER) {
        w->counts.killed++;
        kill_now(w, i);
        return FOCAL_UNREACHABLE;
    }
    sim_pump(w, i);
    return FOCAL_OK;
}

bool sim_reads(const struct world *w, int i, const struct focal_scope *scope)
{
    const struct sim_node *n = &w->nodes[i];
    for (size_t k = 0; k < n->lost_count; k++)
        if (focal_scope_compare(&n->lost[k], scope) == 0)
            return false;
    return sim_read_once(w, i, scope);
}

bool sim_read_once(const struct world *w, int i, const struct focal_scope *scope)
{
    const struct sim_node *n = &w->nodes[i];
    if (scope->cls != FOCAL_SCOPE_COUNTRY)
        return true;
    for (size_t k = 0; k < n->read_count; k++)
        if (memcmp(n->reads[k], scope->country, 3) == 0)
            return true;
    return false;
}
