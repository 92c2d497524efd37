#include "explore.h"

#include <stdio.h>
#include <string.h>

/* After the last fault: within this time of the world all must be equal, and with so many frames. Receipts are not counted:
 * every new link passes on those that are held. */
enum {
    HEAL_MS_MOST = 15 * 60000,
    HEAL_FRAMES_NODE = 700,             /* new links: handshakes, hellos, frontiers, heartbeats */
    HEAL_FRAMES_ENTRY = 8,              /* for each entry that a node lacked */
    DAY_MS = 86400000
};

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

static void network_of(const struct plan *p, struct world *w, struct world_network *n)
{
    memset(n, 0, sizeof *n);
    n->delay_least_ms = 1 + (uint32_t)world_random(w, 50);
    n->delay_most_ms = n->delay_least_ms + (uint32_t)world_random(w, 100) + p->rate[PLAN_SLOW_LINKS];
    n->cut_permille = p->rate[PLAN_CUT];
    n->garble_permille = p->rate[PLAN_GARBLE];
    n->shorten_permille = p->rate[PLAN_SHORTEN];
    n->double_permille = p->rate[PLAN_DOUBLE];
    n->dial_fails_permille = p->rate[PLAN_DIAL_FAILS];
    n->bytes_per_ms = p->rate[PLAN_NARROW];
}

static bool now(struct world *w, const struct plan *p, enum plan_class c)
{
    return p->rate[c] && world_random(w, 1000) < p->rate[c];
}

static void network_faults(struct world *w, const struct plan *p, int i, int k, struct explored *out)
{
    if (now(w, p, PLAN_CUT_ALL)) {
        world_cut_links(w, i);
        out->cuts++;
    }
    if (now(w, p, PLAN_HALF_OPEN))
        world_half_open(w, i);
    if (i != k && now(w, p, PLAN_PARTITION))
        world_partition(w, i, k, world_random(w, 3) != 0);
    if (i != k && now(w, p, PLAN_ONE_WAY))
        world_one_way(w, i, k, world_random(w, 3) != 0);
    if (now(w, p, PLAN_ISOLATE))
        world_isolate(w, i, world_random(w, 2) != 0);
    if (now(w, p, PLAN_CLOG)) {
        for (int a = 0; a < (int)world_count(w); a++)
            world_one_way(w, a, i, true);
        world_run(w, world_random(w, 40000));
        for (int a = 0; a < (int)world_count(w); a++)
            world_one_way(w, a, i, false);
    }
    if (now(w, p, PLAN_SILENCE)) {
        world_isolate(w, i, true);
        world_run(w, DAY_MS / 4 + world_random(w, 2) * DAY_MS);
        world_isolate(w, i, false);
        world_run(w, 3000);
    }
    if (i != k && now(w, p, PLAN_PAUSE))
        (void)world_pause(w, i, k, world_random(w, 2) != 0);
}

static void machine_faults(struct world *w, const struct plan *p, int i)
{
    if (now(w, p, PLAN_CRASH)) {
        world_crash(w, i);
        if (world_random(w, 2))
            world_run(w, world_random(w, 30000));
        world_start(w, i);
    }
    if (now(w, p, PLAN_STOP))
        world_stop(w, i, world_random(w, world_random(w, 2) ? 5000 : 120000));
    if (now(w, p, PLAN_CLOCK))
        world_clock(w, i, ((int64_t)world_random(w, 21) - 10) * INT64_C(365) * DAY_MS);
    if (now(w, p, PLAN_CLOCK_STEPS))
        world_clock(w, i, -(int64_t)world_random(w, 3 * DAY_MS));
    if (now(w, p, PLAN_CLOCK_FROZEN))
        world_clock_frozen(w, i, world_random(w, 2) != 0);
    if ((p->rate[PLAN_RESTORE] || p->rate[PLAN_SNAPSHOT]) && world_random(w, 8) == 0)
        world_backup(w, i, p->rate[PLAN_SNAPSHOT] && (!p->rate[PLAN_RESTORE] || world_random(w, 2)));
    if (now(w, p, PLAN_RESTORE) || now(w, p, PLAN_SNAPSHOT))
        (void)world_restore(w, i);
    if (world_count(w) < WORLD_NODES_MAX - 2 && now(w, p, PLAN_CLONE))
        (void)world_clone(w, i, world_random(w, 2) != 0);
    if (now(w, p, PLAN_LOSE))
        (void)world_lose(w, i);
}

static void act(struct world *w, const struct plan *p, struct explored *out)
{
    int n = (int)world_count(w), i = (int)world_random(w, (uint64_t)n), k = (int)world_random(w, (uint64_t)n);
    network_faults(w, p, i, k, out);
    machine_faults(w, p, i);
    if (world_case_count(w) && now(w, p, PLAN_REDACT)) {
        struct focal_ref ref = world_known_case(w);
        (void)world_redact(w, i, &ref);
    }
    if (now(w, p, PLAN_REVOKE))
        (void)world_take_back(w, i);
    uint32_t times = p->malice == WORLD_FLOOD && i == 1 ? 20 : 1;
    for (; times && !world_failure(w); times--) {
        if (world_case_count(w) == 0 || world_random(w, 3) == 0)
            out->cases += world_case(w, i, NULL);
        else
            edit(w, i, out);
    }
    world_run(w, world_random(w, p->quiet_ms));
}

static struct world *populate(const struct explore_options *o, struct plan *p)
{
    static const char *const codes[] = { "KEN", "SSD", "COD", "CAF", "MLI", "HTI", "BGD", "COL" };
    struct world *w = world_new(o->seed);
    plan_choose(p, w, o->classes ? o->classes : plan_classes_working());
    if (o->acts_most && p->acts > o->acts_most)
        p->acts = o->acts_most;
    if (o->offices_most && p->offices > o->offices_most)
        p->offices = o->offices_most;
    const char *countries[] = { "KEN", "SSD" };
    (void)world_hq(w, "HQ", countries, p->countries_of_hq);
    for (uint32_t i = 0; i < p->offices; i++)
        (void)world_member(w, codes[i], world_random(w, 4) ? codes[i] : world_random(w, 2) ? "KEN" : "");
    if (p->rate[PLAN_JOIN])
        (void)world_joiner(w, "NEW", "SSD");
    world_malicious(w, 1, p->malice);
    struct world_network net;
    network_of(p, w, &net);
    world_network(w, &net);
    struct world_steps_go_wrong wrong = { .killed = p->rate[PLAN_KILL], .no_memory = p->rate[PLAN_NO_MEMORY], .disk = p->rate[PLAN_DISK] };
    world_steps_go_wrong(w, &wrong);
    return w;
}

static void heal(struct world *w, const struct plan *p, char *why)
{
    world_heal(w);
    if (p->malice && !p->bad_stays)
        world_crash(w, 1);              /* somebody switched it off */
    for (int round = 0; p->rate[PLAN_JOIN] && round < 4 && !world_admit(w, "NEW"); round++)
        world_run(w, 35000);
    why[0] = 0;
}

/* Who does not heed that something was taken from it must lose it first. */
static void take_from_bad(struct world *w, const struct plan *p)
{
    struct focal_scope scope;
    if (p->malice == WORLD_GOES_ON)
        (void)world_cut(w, 1);
    if (p->malice == WORLD_KEEPS_SCOPE && world_country(w, 1, &scope))
        (void)(world_random(w, 2) ? world_cut_scope(w, 1, &scope) : world_narrow(w, 1, &scope));
}

/* The healing phase, in time and frames. */
static bool come_to_rest(struct world *w, struct explored *out)
{
    out->missing = world_missing(w);
    uint64_t began_ms = world_now_ms(w), frames = world_counts(w)->frames - world_counts(w)->receipts;
    bool quiet = world_settle(w, HEAL_MS_MOST);
    out->heal_ms = world_now_ms(w) - began_ms;
    out->heal_frames = world_counts(w)->frames - world_counts(w)->receipts - frames;
    return quiet;
}

static const char *many_frames(struct world *w, const struct explored *out, uint64_t most)
{
    static char text[160];
    (void)snprintf(text, sizeof text, "%zu nodes that lacked %llu entries took %llu frames and %llu s to become equal: at most %llu", world_count(w),
                   (unsigned long long)out->missing, (unsigned long long)out->heal_frames, (unsigned long long)out->heal_ms / 1000, (unsigned long long)most);
    return text;
}

bool explore_life(const struct explore_options *o, struct explored *out, char why[600])
{
    memset(out, 0, sizeof *out);
    struct plan p;
    struct world *w = populate(o, &p);
    for (uint32_t i = 0; i < p.acts && !world_failure(w); i++) {
        act(w, &p, out);
        if (i == p.acts / 3)
            take_from_bad(w, &p);
        if (p.rate[PLAN_JOIN] && i == p.acts / 2)
            (void)world_admit(w, "NEW");
    }
    heal(w, &p, why);
    const char *broken = NULL;
    if (!world_failure(w) && !come_to_rest(w, out))
        broken = "the nodes do not become equal in time";
    uint64_t most = HEAL_FRAMES_NODE * world_count(w) + HEAL_FRAMES_ENTRY * out->missing;
    if (!world_failure(w) && !broken && !p.malice && !world_counts(w)->clones && out->heal_frames > most)
        broken = many_frames(w, out, most);
    if (!broken) {
        world_check_equal(w);
        world_check_kept(w);
    }
    out->trace = world_trace(w);
    out->steps = world_steps(w);
    out->nodes = world_count(w);
    out->bad = p.malice != WORLD_HONEST;
    out->counts = *world_counts(w);
    if (!broken)
        broken = world_failure(w);
    if (broken) {
        char command[400];
        explore_command(command, sizeof command, o);
        (void)snprintf(why, 600, "%s; see it again: focal_sim %s", broken, command);
    }
    world_free(w);
    return broken == NULL;
}

bool explore_seed(uint64_t seed, struct explored *out, char why[600])
{
    return explore_life(&(struct explore_options){ .seed = seed }, out, why);
}

void explore_command(char *out, size_t room, const struct explore_options *o)
{
    size_t at = (size_t)snprintf(out, room, "--seed %llu", (unsigned long long)o->seed);
    for (int c = 0, first = 1; o->classes && c < PLAN_CLASS_COUNT && at < room; c++) {
        if (!(o->classes >> c & 1))
            continue;
        at += (size_t)snprintf(out + at, room - at, "%s%s", first ? " --classes " : ",", plan_class_name((enum plan_class)c));
        first = 0;
    }
    if (o->acts_most && at < room)
        at += (size_t)snprintf(out + at, room - at, " --acts %u", o->acts_most);
    if (o->offices_most && at < room)
        (void)snprintf(out + at, room - at, " --offices %u", o->offices_most);
}

void explore_add(struct explored *t, const struct explored *one)
{
    t->steps += one->steps;
    t->nodes += one->nodes;
    t->cases += one->cases;
    t->edits += one->edits;
    t->cuts += one->cuts;
    t->bad += one->bad;
    t->missing += one->missing;
    t->heal_frames += one->heal_frames;
    if (one->heal_ms > t->heal_ms)
        t->heal_ms = one->heal_ms;
    t->counts.acknowledged += one->counts.acknowledged;
    t->counts.crashes += one->counts.crashes;
    t->counts.killed += one->counts.killed;
    t->counts.memory_faults += one->counts.memory_faults;
    t->counts.disk_faults += one->counts.disk_faults;
    t->counts.restores += one->counts.restores;
    t->counts.clones += one->counts.clones;
    t->counts.losses += one->counts.losses;
    t->counts.redactions += one->counts.redactions;
    t->counts.cuts += one->counts.cuts;
    t->counts.renewals += one->counts.renewals;
    t->counts.frames += one->counts.frames;
    t->counts.bytes += one->counts.bytes;
    t->counts.forks += one->counts.forks;
    t->counts.excused += one->counts.excused;
    t->counts.checked += one->counts.checked;
    t->counts.opened += one->counts.opened;
    t->counts.shut += one->counts.shut;
    t->counts.questions = one->counts.questions;        /* of the process */
    t->counts.answers = one->counts.answers;
    if (one->counts.largest_allocation > t->counts.largest_allocation)
        t->counts.largest_allocation = one->counts.largest_allocation;
}
