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
    static const char *const codes[] = { "KEN", "SSD", "COD", "CAF" };
    const char *countries[] = { "KEN" };
    (void)world_hq(w, "HQ", countries, 1);
    for (int i = 0; i < 4; i++)
        (void)world_member(w, codes[i], i < 2 ? "KEN" : codes[i]);
    for (int i = 1; i < 5; i += 2)
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

/* Of headquarters the next: it is what brings the statement. */
static int not_hq(const struct world *w, int i) { return i == 0 && world_count(w) > 1 ? 1 : i; }

static void revoke(struct world *w, int i) { (void)world_cut(w, not_hq(w, i)); }

static void revoke_network(struct world *w, int i)
{
    const struct focal_scope network = { .cls = FOCAL_SCOPE_NETWORK, .country = "" };
    (void)world_cut_scope(w, not_hq(w, i), &network);
}

static void revoke_country(struct world *w, int i)
{
    struct focal_scope scope;
    if (world_country(w, not_hq(w, i), &scope))
        (void)world_cut_scope(w, not_hq(w, i), &scope);
}

static void narrow(struct world *w, int i)
{
    struct focal_scope scope;
    if (world_country(w, not_hq(w, i), &scope))
        (void)world_narrow(w, not_hq(w, i), &scope);
}

static void revoke_right(struct world *w, int i) { (void)world_cut_right(w, not_hq(w, i)); }

/* A case that another office recorded, by the office that has the right or had it; of its own it may redact all the same. */
static void redact_of_another(struct world *w, int i)
{
    enum { TRIES = 12 };
    const int by = not_hq(w, i);
    for (int k = 0; k < TRIES && world_case_count(w) > 0; k++) {
        struct focal_ref ref = world_known_case(w);
        if (world_author(w, &ref) != by && world_redact(w, by, &ref))
            return;
    }
}

static void renew(struct world *w, int i) { (void)world_renew(w, i); }
static void expire(struct world *w, int i) { world_expire(w, i); }

static void succeed(struct world *w, int i)
{
    (void)i;
    world_succeed(w);
}

static void delegate(struct world *w, int i)
{
    (void)i;
    world_delegate(w);
}

/* The days that others say were said before the jump: headquarters believes its own clock again once they have signed anew. */
static void say_days_anew(struct world *w)
{
    static const char *const values[] = { "media", "hotline", "media", "hotline" };
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        edit_all(w, "channel", values[k]);
        world_run(w, 65000);
    }
}

/* A case that this node holds, or else the next node. Before the first case is recorded there is nothing to redact. */
static void redact(struct world *w, int i)
{
    enum { TRIES = 4 };
    const int count = (int)world_count(w);
    for (int k = 0; k < TRIES * count && world_case_count(w) > 0; k++) {
        struct focal_ref ref = world_known_case(w);
        if (world_redact(w, (i + k / TRIES) % count, &ref))
            return;
    }
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

static void back_up(struct world *w, int i) { world_backup(w, i, false); }
static void back_up_all(struct world *w, int i) { world_backup(w, i, true); }

/* Those that do not work yet are run only when asked for by name. */
static const struct injection kinds[] = {
    { .name = "crash", .what = crash, .works = true },
    { .name = "kill", .what = kill, .works = true },
    { .name = "no-memory", .what = no_memory, .works = true },
    { .name = "disk", .what = disk, .works = true },
    { .name = "stop", .what = stop, .works = true },
    { .name = "cut", .what = world_cut_links, .works = true },
    { .name = "half-open", .what = world_half_open, .works = true },
    { .name = "restore", .before = back_up, .what = restore, .works = true },
    { .name = "snapshot", .before = back_up_all, .what = restore, .works = true },
    { .name = "clone", .what = clone, .works = true },
    { .name = "twin", .what = twin, .works = true },
    { .name = "lose", .what = lose, .works = true },
    { .name = "redact", .what = redact, .works = true },
    { .name = "revoke", .what = revoke, .works = true },
    { .name = "revoke-network", .what = revoke_network, .works = true },
    { .name = "revoke-country", .what = revoke_country, .works = true },
    { .name = "revoke-right", .before = redact_of_another, .what = revoke_right, .after = redact_of_another, .works = true },
    { .name = "narrow", .what = narrow, .works = true },
    { .name = "renew", .what = renew, .works = true },
    { .name = "renew-by-itself", .what = delegate, .works = true, .ends = say_days_anew },
    { .name = "succeed", .what = succeed, .works = true, .ends = world_renew_all },
    { .name = "expire", .what = expire, .works = true, .ends = world_renew_all },
    { .name = "redact-cloned", .before = clone, .what = redact, .works = true },
    { .name = "redact-restored", .before = back_up, .what = redact, .after = restore, .works = true },
};

size_t inject_scenario_count(void) { return sizeof scenarios / sizeof scenarios[0]; }
const char *inject_scenario_name(size_t scenario) { return scenarios[scenario].name; }
size_t inject_kind_count(void) { return sizeof kinds / sizeof kinds[0]; }
const struct injection *inject_kind(size_t kind) { return &kinds[kind]; }

/* ---- running ------------------------------------------------------------------------------------------------------------ */

enum { STEPS_AFTER = 25 };
struct aim { size_t kind; uint64_t at; int node; };

static void last(struct world *w, void *data)
{
    const struct aim *aim = data;
    kinds[aim->kind].after(w, aim->node);
}

static void strike(struct world *w, void *data)
{
    const struct aim *aim = data;
    kinds[aim->kind].what(w, aim->node);
    if (kinds[aim->kind].after)
        world_inject(w, world_steps(w) + STEPS_AFTER, last, data);
}

/* One node for all of it, though others have come meanwhile. */
static void choose(struct world *w, void *data)
{
    struct aim *aim = data;
    aim->node = (int)(aim->at % world_count(w));
    if (!kinds[aim->kind].before) {
        strike(w, data);
        return;
    }
    kinds[aim->kind].before(w, aim->node);
    world_inject(w, aim->at, strike, data);
}

/* Everybody writes on, so that a fork that nobody saw yet shows. */
static bool to_the_end(struct world *w, bool joins, void (*ends)(struct world *))
{
    world_heal(w);
    for (int round = 0; joins && round < 4 && !world_admit(w, "NEW"); round++)
        world_run(w, 35000);
    if (joins && world_counts(w)->memory_faults)
        world_cut_links(w, 0);          /* an admission that there was no memory to send is sent on the next link */
    if (ends)
        ends(w);
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
    if (at)
        world_inject(w, kinds[kind].before ? at / 2 : at, choose, &aim);
    scenarios[scenario].play(w);
    *events = world_steps(w);
    bool quiet = to_the_end(w, scenarios[scenario].joins, kinds[kind].ends);
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
