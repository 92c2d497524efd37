/* The simulator as a program: one seed, many seeds, or the smallest life that still fails. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "inject.h"

enum { LIFE_S_MOST = 30 };

static const char usage[] =
    "usage: focal_sim --seed N [--classes A,B | --without A,B | --with A,B] [--acts N] [--offices N] [--trace]\n"
    "       focal_sim --from N --count M [--twice-every K] [--minutes M]     many seeds; stops at the first that fails\n"
    "       focal_sim --minimise N                                          the smallest life of that seed that still fails\n"
    "       focal_sim --inject SCENARIO|all [--kind NAME] [--at INDEX] [--every N]   one thing done at each event of a scenario\n"
    "       focal_sim --list                                                classes of faults\n";

struct order { struct explore_options one; uint64_t from, count, twice_every, minutes; bool minimise; const char *scenario, *kind; uint64_t at, every; };

/* An assertion that fails ends the process: then at least it is known how to see it again. */
static char replay[500];

static void on_abort(int signal_number)
{
    size_t len = strlen(replay);
    (void)signal_number;
    if (write(STDERR_FILENO, replay, len) != (ssize_t)len)
        _exit(2);
    _exit(134);
}

static bool classes_of(const char *list, uint64_t *bits)
{
    char copy[600];
    *bits = 0;
    (void)snprintf(copy, sizeof copy, "%s", list);
    for (char *save = NULL, *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        enum plan_class c;
        if (!plan_class_by_name(name, &c)) {
            fprintf(stderr, "no class is called %s; focal_sim --list names them\n", name);
            return false;
        }
        *bits |= UINT64_C(1) << c;
    }
    return true;
}

static bool run(const struct explore_options *o, struct explored *out)
{
    char why[600], command[400];
    explore_command(command, sizeof command, o);
    (void)snprintf(replay, sizeof replay, "an assertion failed; see it again: focal_sim %s\n", command);
    bool ok = explore_life(o, out, why);
    if (!ok)
        fprintf(stderr, "%s\n", why);
    return ok;
}

/* ---- many ------------------------------------------------------------------------------------------------------ */

static void print(const struct explored *t, uint64_t seeds, uint64_t lost, uint64_t divergent)
{
    printf("%" PRIu64 " lives, %" PRIu64 " nodes, %" PRIu64 " with a bad one: %" PRIu64 " steps, %" PRIu64 " frames, %" PRIu64 " MiB on the wire\n", seeds,
           t->nodes, t->bad, t->steps, t->counts.frames, t->counts.bytes >> 20);
    printf("%" PRIu64 " cases, %" PRIu64 " edits; acknowledged %" PRIu64 ", looked up at members %" PRIu64 " times, excused %" PRIu64 "\n", t->cases, t->edits,
           t->counts.acknowledged, t->counts.checked, t->counts.excused);
    printf("%" PRIu64 " crashes, %" PRIu64 " killed in a step, %" PRIu64 " without memory, %" PRIu64 " disk faults, %" PRIu64 " restores, %" PRIu64
           " clones, %" PRIu64 " disks lost, %" PRIu64 " redactions, %" PRIu64 " offices revoked, %" PRIu64 " renewed, %" PRIu64 " forks noted\n",
           t->counts.crashes, t->counts.killed, t->counts.memory_faults, t->counts.disk_faults, t->counts.restores, t->counts.clones, t->counts.losses, t->counts.redactions, t->counts.cuts, t->counts.renewals,
           t->counts.forks);
    printf("sealed values: %" PRIu64 " times opened at an addressee, %" PRIu64 " times shut elsewhere\n", t->counts.opened, t->counts.shut);
    printf("longest healing %" PRIu64 " s, %" PRIu64 " frames for %" PRIu64 " entries lacking; largest allocation %zu bytes\n", t->heal_ms / 1000, t->heal_frames,
           t->missing, t->counts.largest_allocation);
    printf("lost %" PRIu64 ", divergent %" PRIu64 "\n", lost, divergent);
}

static int many(struct order *o)
{
    struct explored total = { 0 };
    uint64_t seeds = 0;
    time_t end = o->minutes ? time(NULL) + (time_t)(60 * o->minutes) : 0;
    for (uint64_t seed = o->from; seed < o->from + o->count && (!end || time(NULL) < end); seed++, seeds++) {
        struct explored one, again;
        o->one.seed = seed;
        if (!run(&o->one, &one)) {
            print(&total, seeds, 1, 1);
            return 1;
        }
        if (o->twice_every && seed % o->twice_every == 0 && (!run(&o->one, &again) || again.trace != one.trace || again.steps != one.steps)) {
            fprintf(stderr, "seed %" PRIu64 ": two runs differ\n", seed);
            return 1;
        }
        explore_add(&total, &one);
        if (o->count == 1)
            printf("trace %016" PRIx64 "\n", one.trace);
    }
    print(&total, seeds, 0, 0);
    return 0;
}

/* ---- the smallest ---------------------------------------------------------------------------------------------------- */

/* In a process of its own, because an assertion may fail. */
static bool fails(const struct explore_options *o)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct explored out;
        char why[600];
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        (void)alarm(LIFE_S_MOST);       /* a life that never ends has failed too */
        _exit(explore_life(o, &out, why) ? 0 : 1);
    }
    int how = 0;
    return child > 0 && waitpid(child, &how, 0) == child && !(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static int minimise(struct explore_options o)
{
    o.classes = o.classes ? o.classes : plan_classes_working();
    if (!fails(&o)) {
        printf("seed %" PRIu64 " does not fail\n", o.seed);
        return 1;
    }
    for (int c = 0; c < PLAN_CLASS_COUNT; c++) {
        struct explore_options less = o;
        less.classes &= ~(UINT64_C(1) << c);
        if (less.classes && less.classes != o.classes && fails(&less))
            o = less;
    }
    for (uint32_t offices = 2; offices < 9; offices++) {
        struct explore_options less = o;
        less.offices_most = offices;
        if (fails(&less)) {
            o = less;
            break;
        }
    }
    for (uint32_t acts = 1; acts < 80; acts++) {
        struct explore_options less = o;
        less.acts_most = acts;
        if (fails(&less)) {
            o = less;
            break;
        }
    }
    char command[400];
    struct explored out;
    explore_command(command, sizeof command, &o);
    printf("focal_sim %s\n", command);
    return run(&o, &out) ? 1 : 0;
}

/* ---- at every event -------------------------------------------------------------------------------------------------- */

static bool inject_each(const struct order *o, size_t scenario, size_t kind, struct explored *total, uint64_t *runs)
{
    uint64_t events = 0, at = o->at, past;
    struct explored one;
    char why[600];
    bool ok = at || inject_run(scenario, kind, 0, &events, &one, why);
    for (at = at ? at : 1; ok && (at <= events || at == o->at); at += o->at ? events + 1 : o->every) {
        (void)snprintf(replay, sizeof replay, "an assertion failed; see it again: focal_sim --inject %s --kind %s --at %" PRIu64 "\n",
                       inject_scenario_name(scenario), inject_kind(kind)->name, at);
        ok = inject_run(scenario, kind, at, &past, &one, why);
        explore_add(total, &one);
        ++*runs;
        if (o->at)
            break;
    }
    if (!ok)
        fprintf(stderr, "%s\n", why);
    return ok;
}

static int inject(struct order *o)
{
    struct explored total = { 0 };
    uint64_t runs = 0, failed = 0;
    for (size_t s = 0; s < inject_scenario_count(); s++) {
        if (strcmp(o->scenario, "all") != 0 && strcmp(o->scenario, inject_scenario_name(s)) != 0)
            continue;
        for (size_t k = 0; k < inject_kind_count(); k++)
            if (o->kind ? strcmp(o->kind, inject_kind(k)->name) == 0 : inject_kind(k)->works)
                failed += !inject_each(o, s, k, &total, &runs);
    }
    if (runs == 0) {
        fprintf(stderr, "nothing was run: no such scenario or kind\n");
        return 2;
    }
    printf("%s: one injection at each event\n", o->scenario);
    print(&total, runs, failed, failed);
    return failed != 0;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------------ */

static bool number(const char *text, uint64_t *out)
{
    return focal_parse_u64(focal_span_text(text), out);
}

static bool option(struct order *o, const char *name, const char *value)
{
    uint64_t n = 0, bits = 0;
    if (strcmp(name, "--classes") == 0)
        return classes_of(value, &o->one.classes);
    if (strcmp(name, "--without") == 0 || strcmp(name, "--with") == 0) {
        if (!o->one.classes)
            o->one.classes = plan_classes_working();
        if (!classes_of(value, &bits))
            return false;
        o->one.classes = strcmp(name, "--with") == 0 ? o->one.classes | bits : o->one.classes & ~bits;
        return true;
    }
    if (strcmp(name, "--inject") == 0 || strcmp(name, "--kind") == 0) {
        *(strcmp(name, "--kind") == 0 ? &o->kind : &o->scenario) = value;
        return true;
    }
    if (!number(value, &n))
        return false;
    if (strcmp(name, "--at") == 0)
        o->at = n;
    else if (strcmp(name, "--every") == 0)
        o->every = n ? n : 1;
    else if (strcmp(name, "--seed") == 0 || strcmp(name, "--minimise") == 0) {
        o->from = o->one.seed = n;
        o->count = 1;
        o->minimise = strcmp(name, "--minimise") == 0;
    } else if (strcmp(name, "--from") == 0)
        o->from = n;
    else if (strcmp(name, "--count") == 0)
        o->count = n;
    else if (strcmp(name, "--twice-every") == 0)
        o->twice_every = n;
    else if (strcmp(name, "--minutes") == 0)
        o->minutes = n;
    else if (strcmp(name, "--acts") == 0)
        o->one.acts_most = (uint32_t)n;
    else if (strcmp(name, "--offices") == 0)
        o->one.offices_most = (uint32_t)n;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct order o = { .from = 1, .count = 1000, .every = 1 };
    bool good = true;
    for (int i = 1; i < argc && good; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            good = setenv("FOCAL_SIM_TRACE", "1", 1) == 0;
        else if (strcmp(argv[i], "--list") == 0) {
            for (int c = 0; c < PLAN_CLASS_COUNT; c++)
                printf("%s%s\n", plan_class_name((enum plan_class)c), plan_classes_working() >> c & 1 ? "" : "   (off unless asked for)");
            return 0;
        } else {
            good = i + 1 < argc && option(&o, argv[i], argv[i + 1]);
            i++;
        }
    }
    if (!good) {
        fputs(usage, stderr);
        return 2;
    }
    (void)signal(SIGABRT, on_abort);
    if (o.scenario)
        return inject(&o);
    return o.minimise ? minimise(o.one) : many(&o);
}
