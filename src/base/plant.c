/* Which planted bug is on. Empty in every normal build. */
#include "focal/base_plant.h"

#ifdef FOCAL_PLANT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *text; } plants[] = {
    { "", "" },
#define X(name, text) { #name, text },
    FOCAL_PLANT_LIST(X)
#undef X
};

static enum focal_plant read_choice(void)
{
    const char *wanted = getenv("FOCAL_PLANT");
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        if (strcmp(wanted ? wanted : "", plants[i].name) == 0)
            return (enum focal_plant)i;
    }
    fprintf(stderr, "FOCAL_PLANT: no bug is called %s\n", wanted);
    exit(2);
}

bool focal_plant_is(enum focal_plant which)
{
    static int chosen = -1;     /* every thread would read the same */
    int now = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (now < 0) {
        now = (int)read_choice();
        __atomic_store_n(&chosen, now, __ATOMIC_RELAXED);
    }
    return now == (int)which;
}
#endif
