#include "explore.h"

#include <stdio.h>
#include <string.h>

#include "world.h"

struct plan { uint32_t acts, crash, cut, partition, pause, clock, quiet_ms; bool joins; };

/* Each seed switches every class of fault on or off for itself (swarm testing, Groce et al. 2012): faults that are always
 * on hide what only happens without them. */
static void choose(struct world *w, struct plan *p, struct world_network *n)
{
    memset(p, 0, sizeof *p);
    memset(n, 0, sizeof *n);
    n->delay_least_ms = 1 + (uint32_t)world_random(w, 50);
    n->delay_most_ms = n->delay_least_ms + (uint32_t)world_random(w, world_random(w, 4) ? 100 : 3000);
    if (world_random(w, 3) == 0)
        n->cut_permille = 1 + (uint32_t)world_random(w, 60);
    if (world_random(w, 4) == 0)
        n->garble_permille = 1 + (uint32_t)world_random(w, 20);
    if (world_random(w, 4) == 0)
        n->double_permille = 1 + (uint32_t)world_random(w, 20);
    if (world_random(w, 3) == 0)
        n->dial_fails_permille = 100 + (uint32_t)world_random(w, 600);
    if (world_random(w, 4) == 0)
        n->bytes_per_ms = 1 + (uint32_t)world_random(w, 20);
    p->acts = 20 + (uint32_t)world_random(w, 60);
    p->crash = world_random(w, 2) ? 1 + (uint32_t)world_random(w, 6) : 0;
    p->cut = world_random(w, 2) ? 1 + (uint32_t)world_random(w, 10) : 0;
    p->partition = world_random(w, 2) ? 1 + (uint32_t)world_random(w, 10) : 0;
    p->pause = world_random(w, 3) == 0 ? 1 + (uint32_t)world_random(w, 5) : 0;
    p->clock = world_random(w, 3) == 0 ? 1 + (uint32_t)world_random(w, 5) : 0;
    p->quiet_ms = 1 + (uint32_t)world_random(w, world_random(w, 3) ? 2000 : 60000);
    p->joins = world_random(w, 3) == 0;
}

static void edit(struct world *w, int i, struct explored *out)
{
    static const char *const status[] = { "received", "under_investigation", "substantiated", "not_substantiated" };
    static const char *const victims[] = { "female.child", "male.adult", "female.", "unknown.unknown" };
    static const char *const medical[] = { "medical.offered", "medical.accepted", "safety.provided" };
    struct focal_ref ref = world_known_case(w);
    bool done = false;
    switch (world_random(w, 5)) {
    case 0: done = world_set(w, i, &ref, "status", status[world_random(w, 4)]); break;
    case 1: done = world_add(w, i, &ref, "victims", victims[world_random(w, 4)]); break;
    case 2: done = world_remove_row(w, i, &ref, "victims"); break;
    case 3: done = world_set(w, i, &ref, "assistance", medical[world_random(w, 3)]); break;
    default: done = world_set(w, i, &ref, "channel", world_random(w, 2) ? "hotline" : "media"); break;
    }
    out->edits += done;
}

static void act(struct world *w, const struct plan *p, struct explored *out)
{
    int n = (int)world_count(w), i = (int)world_random(w, (uint64_t)n), k = (int)world_random(w, (uint64_t)n);
    if (world_random(w, 100) < p->crash) {
        world_crash(w, i);
        out->crashes++;
        if (world_random(w, 2))
            world_run(w, world_random(w, 30000));
        world_start(w, i);
    }
    if (world_random(w, 100) < p->cut) {
        world_cut_links(w, i);
        out->cuts++;
    }
    if (world_random(w, 100) < p->partition && i != k)
        world_partition(w, i, k, world_random(w, 3) != 0);
    if (world_random(w, 100) < p->pause && i != k)
        (void)world_pause(w, i, k, world_random(w, 2) != 0);
    if (world_random(w, 100) < p->clock)
        world_clock(w, i, ((int64_t)world_random(w, 20) - 10) * INT64_C(365) * 86400000);
    if (world_case_count(w) == 0 || world_random(w, 3) == 0)
        out->cases += world_case(w, i, NULL);
    else
        edit(w, i, out);
    world_run(w, world_random(w, p->quiet_ms));
}

static void heal(struct world *w, bool joins)
{
    struct world_network calm = { .delay_least_ms = 5, .delay_most_ms = 30 };
    int n = (int)world_count(w);
    world_network(w, &calm);
    for (int a = 0; a < n; a++) {
        world_clock(w, a, 0);
        for (int b = 0; b < n; b++) {
            if (a == b)
                continue;
            world_partition(w, a, b, false);
            (void)world_pause(w, a, b, false);
        }
    }
    for (int round = 0; joins && round < 3; round++) {
        world_run(w, 70000);
        (void)world_admit(w, "NEW");
    }
}

bool explore_seed(uint64_t seed, struct explored *out, char why[500])
{
    static const char *const codes[] = { "KEN", "SSD", "COD", "CAF", "MLI", "HTI" };
    memset(out, 0, sizeof *out);
    struct world *w = world_new(seed);
    struct plan p;
    struct world_network net;
    choose(w, &p, &net);
    const char *countries[] = { "KEN", "SSD" };
    (void)world_hq(w, "HQ", countries, world_random(w, 3));
    int offices = 2 + (int)world_random(w, 5);
    for (int i = 0; i < offices; i++)
        (void)world_member(w, codes[i], world_random(w, 4) ? codes[i] : world_random(w, 2) ? "KEN" : "");
    if (p.joins)
        (void)world_joiner(w, "NEW", "SSD");
    world_network(w, &net);
    for (uint32_t i = 0; i < p.acts && !world_failure(w); i++) {
        act(w, &p, out);
        if (p.joins && i == p.acts / 2)
            (void)world_admit(w, "NEW");
    }
    heal(w, p.joins);
    bool quiet = world_failure(w) || world_settle(w, 40 * 60000);
    world_check_equal(w);
    world_check_kept(w);
    out->trace = world_trace(w);
    out->steps = world_steps(w);
    bool ok = quiet && !world_failure(w);
    if (!ok)
        (void)snprintf(why, 500, "%s; see it again: focal_sim --seed %llu", world_failure(w) ? world_failure(w) : "the nodes do not become equal",
                       (unsigned long long)seed);
    world_free(w);
    return ok;
}
