#include "plan.h"

#include <string.h>

static const char *const class_names[] = {
#define X(name, text, works) text,
    PLAN_CLASSES(X)
#undef X
};

const char *plan_class_name(enum plan_class c) { return class_names[c]; }

bool plan_class_by_name(const char *name, enum plan_class *out)
{
    for (int c = 0; c < PLAN_CLASS_COUNT; c++) {
        if (strcmp(class_names[c], name) == 0) {
            *out = (enum plan_class)c;
            return true;
        }
    }
    return false;
}

uint64_t plan_classes_working(void)
{
    static const bool works[] = {
#define X(name, text, works) works,
        PLAN_CLASSES(X)
#undef X
    };
    uint64_t bits = 0;
    for (int c = 0; c < PLAN_CLASS_COUNT; c++)
        bits |= works[c] ? UINT64_C(1) << c : 0;
    return bits;
}

/* On in one seed of `of`, then 1 to most. */
static const struct { enum plan_class c; uint32_t of, most; } odds[] = {
    { PLAN_SLOW_LINKS, 4, 3000 },   { PLAN_CUT, 3, 60 },        { PLAN_CUT_ALL, 2, 100 },   { PLAN_HALF_OPEN, 4, 100 },
    { PLAN_GARBLE, 4, 20 },         { PLAN_SHORTEN, 6, 20 },    { PLAN_DOUBLE, 4, 20 },     { PLAN_DIAL_FAILS, 3, 700 },
    { PLAN_NARROW, 4, 20 },         { PLAN_PARTITION, 2, 100 }, { PLAN_ONE_WAY, 3, 100 },   { PLAN_ISOLATE, 5, 60 },
    { PLAN_CLOG, 5, 100 },          { PLAN_SILENCE, 40, 10 },   { PLAN_PAUSE, 3, 50 },      { PLAN_CRASH, 2, 60 },
    { PLAN_KILL, 3, 300 },          { PLAN_STOP, 4, 50 },       { PLAN_NO_MEMORY, 4, 999 }, { PLAN_DISK, 4, 999 },
    { PLAN_CLOCK, 3, 50 },          { PLAN_CLOCK_STEPS, 5, 80 }, { PLAN_CLOCK_FROZEN, 6, 50 }, { PLAN_JOIN, 3, 1 },
    { PLAN_MALICE, 4, 1 },          { PLAN_RESTORE, 4, 40 },    { PLAN_SNAPSHOT, 6, 40 },   { PLAN_CLONE, 6, 20 },
    { PLAN_LOSE, 6, 20 },           { PLAN_REDACT, 4, 80 },      { PLAN_REVOKE, 4, 60 },
};

void plan_choose(struct plan *p, struct world *w, uint64_t classes)
{
    memset(p, 0, sizeof *p);
    for (size_t k = 0; k < sizeof odds / sizeof odds[0]; k++) {
        bool on = world_random(w, odds[k].of) == 0;
        uint32_t rate = 1 + (uint32_t)world_random(w, odds[k].most);
        if (on && (classes >> odds[k].c & 1))
            p->rate[odds[k].c] = rate;
    }
    uint32_t few = (uint32_t)world_random(w, 7), also = (uint32_t)world_random(w, 7);
    p->offices = 2 + (few < also ? few : also);         /* three to nine nodes, more often few */
    p->acts = 20 + (uint32_t)world_random(w, 60);
    p->quiet_ms = 1 + (uint32_t)world_random(w, world_random(w, 3) ? 2000 : 60000);
    p->countries_of_hq = (uint32_t)world_random(w, 3);
    do
        p->malice = (enum world_malice)(1 + world_random(w, WORLD_MALICES - 1));
    while (!world_malice_row(p->malice)->works);
    p->bad_stays = world_random(w, 2) != 0;
    if (!p->rate[PLAN_MALICE])
        p->malice = WORLD_HONEST;
}
