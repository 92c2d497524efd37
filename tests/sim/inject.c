#include "inject.h"

#include <stdio.h>
#include <string.h>

enum { SETTLE_MS = 15 * 60000 };

/* ---- scenarios --------------------------------------------------------------------------------------------------- */

static void edit_all(struct world *w, const char *field, const char *value)
{
    for (int i = 0; i < (int)world_count(w); i++) {
        struct focal_ref ref;
        if (world_case_count(w) == 0)
            return;
        ref = world_known_case(w);
        (void)world_set(w, i, &ref, field, value);
    }
}

static void quiet_pair(struct world *w)
{
    const char *countries[] = { "KEN" };
    (void)world_hq(w, "HQ", countries, 1);
    int ken = world_member(w, "KEN", "KEN");
    (void)world_case(w, ken, NULL);
    world_run(w, 3000);
    (void)world_case(w, 0, NULL);
    edit_all(w, "status", "under_investigation");
    world_run(w, 25000);
    edit_all(w, "status", "substantiated");
    world_run(w, 3000);
}

static void cut_link(struct world *w)
{
    static const char *const codes[] = { "KEN", "SSD", "COD", "CAF", "MLI" };
    const char *countries[] = { "KEN" };
    (void)world_hq(w, "HQ", countries, 1);
    for (int i = 0; i < 5; i++)
        (void)world_member(w, codes[i], i < 2 ? "KEN" : codes[i]);
    for (int i = 1; i < 6; i += 2)
        (void)world_case(w, i, NULL);
    world_run(w, 2000);
    world_isolate(w, 1, true);
    edit_all(w, "status", "under_investigation");
    world_run(w, 1000);
    edit_all(w, "channel", "media");
    world_run(w, 70000);
    world_isolate(w, 1, false);
    edit_all(w, "status", "not_substantiated");
    world_run(w, 5000);
}

static void joiner(struct world *w)
{
    (void)world_hq(w, "HQ", NULL, 0);
    int ken = world_member(w, "KEN", "KEN");
    (void)world_member(w, "SSD", "SSD");
    (void)world_case(w, ken, NULL);
    int new = world_joiner(w, "NEW", "KEN");
    world_run(w, 4000);
    world_partition(w, 0, ken, true);
    (void)world_admit(w, "NEW");
    (void)world_case(w, ken, NULL);
    world_run(w, 65000);
    (void)world_case(w, new, NULL);
    edit_all(w, "status", "substantiated");
    world_run(w, 5000);
    world_partition(w, 0, ken, false);
    world_run(w, 5000);
}

static const struct { const char *name; void (*play)(struct world *); bool joins; } scenarios[] = {
    { "quiet-pair", quiet_pair, false }, { "cut-link", cut_link, false }, { "joiner", joiner, true } };

/* ---- what is injected ------------------------------------------------------------------------------------------------ */

static void crash(struct world *w, int i)
{
    world_crash(w, i);
    world_start(w, i);
}

static void stop(struct world *w, int i) { world_stop(w, i, 30000); }
static void restore(struct world *w, int i) { (void)world_restore(w, i); }
static void clone(struct world *w, int i) { (void)world_clone(w, i, true); }
static void twin(struct world *w, int i) { (void)world_clone(w, i, false); }
static void lose(struct world *w, int i) { (void)world_lose(w, i); }

static void redact(struct world *w, int i)
{
    if (world_case_count(w) == 0)
        return;
    struct focal_ref ref = world_known_case(w);
    (void)world_redact(w, i, &ref);
}

/* The next step goes wrong, whosever it is, and only that. */
static void calm(struct world *w, void *data)
{
    (void)data;
    world_steps_go_wrong(w, &(struct world_steps_go_wrong){ .killed = 0 });
}

static void wrong(struct world *w, const struct world_steps_go_wrong *how)
{
    world_steps_go_wrong(w, how);
    world_inject(w, world_steps(w) + 1, calm, NULL);
}

static void kill(struct world *w, int i)
{
    (void)i;
    wrong(w, &(struct world_steps_go_wrong){ .killed = 100000 });
}

static void no_memory(struct world *w, int i)
{
    (void)i;
    wrong(w, &(struct world_steps_go_wrong){ .no_memory = 100000 });
}

static void disk(struct world *w, int i)
{
    (void)i;
    wrong(w, &(struct world_steps_go_wrong){ .disk = 100000 });
}

/* Those that do not work yet are run only when asked for by name. The backup of restore and snapshot is made at
 * half the way. */
enum { KIND_RESTORE = 7, KIND_SNAPSHOT = 8 };
static const struct injection kinds[] = {
    { "crash", crash, true },       { "kill", kill, true },         { "no-memory", no_memory, true }, { "disk", disk, true },
    { "stop", stop, true },         { "cut", world_cut_links, true }, { "half-open", world_half_open, true },
    [KIND_RESTORE] = { "restore", restore, true }, [KIND_SNAPSHOT] = { "snapshot", restore, true },
    { "clone", clone, true },      { "twin", twin, true },        { "lose", lose, true },         { "redact", redact, true },
};

size_t inject_scenario_count(void) { return sizeof scenarios / sizeof scenarios[0]; }
const char *inject_scenario_name(size_t scenario) { return scenarios[scenario].name; }
size_t inject_kind_count(void) { return sizeof kinds / sizeof kinds[0]; }
const struct injection *inject_kind(size_t kind) { return &kinds[kind]; }

/* ---- running ------------------------------------------------------------------------------------------------------------ */

struct aim { size_t kind; uint64_t at; };

static int target(const struct world *w, uint64_t at) { return (int)(at % world_count(w)); }

static void strike(struct world *w, void *data)
{
    const struct aim *aim = data;
    kinds[aim->kind].what(w, target(w, aim->at));
}

static void back_up(struct world *w, void *data)
{
    const struct aim *aim = data;
    world_backup(w, target(w, aim->at), aim->kind == KIND_SNAPSHOT);
    world_inject(w, aim->at, strike, data);
}

/* Everybody writes on, so that a fork that nobody saw yet shows. */
static bool to_the_end(struct world *w, bool joins)
{
    world_heal(w);
    for (int round = 0; joins && round < 4 && !world_admit(w, "NEW"); round++)
        world_run(w, 35000);
    if (joins && world_counts(w)->memory_faults)
        world_cut_links(w, 0);          /* an admission that there was no memory to send is sent on the next link */
    for (int i = 0; i < (int)world_count(w); i++)
        (void)world_case(w, i, NULL);
    bool quiet = world_settle(w, SETTLE_MS);
    edit_all(w, "channel", "hotline");
    quiet = quiet && world_settle(w, SETTLE_MS);
    if (quiet) {
        world_check_equal(w);
        world_check_kept(w);
    }
    return quiet;
}

bool inject_run(size_t scenario, size_t kind, uint64_t at, uint64_t *events, struct explored *out, char why[600])
{
    struct world *w = world_new(1000 + scenario);
    struct aim aim = { .kind = kind, .at = at };
    bool backed = kind == KIND_RESTORE || kind == KIND_SNAPSHOT;
    if (at)
        world_inject(w, backed ? at / 2 : at, backed ? back_up : strike, &aim);
    scenarios[scenario].play(w);
    *events = world_steps(w);
    bool quiet = to_the_end(w, scenarios[scenario].joins);
    memset(out, 0, sizeof *out);
    out->trace = world_trace(w);
    out->steps = world_steps(w);
    out->nodes = world_count(w);
    out->counts = *world_counts(w);
    bool ok = quiet && !world_failure(w);
    if (!ok)
        (void)snprintf(why, 600, "%s; see it again: focal_sim --inject %s --kind %s --at %llu",
                       world_failure(w) ? world_failure(w) : "the nodes do not become equal", scenarios[scenario].name, kinds[kind].name,
                       (unsigned long long)at);
    world_free(w);
    return ok;
}
