/* inject: reference scenarios, run again once for every event in them with one thing done at that event. */
#ifndef FOCAL_SIM_INJECT_H
#define FOCAL_SIM_INJECT_H

#include "explore.h"

/* before: half the way there; after: some steps later; ends: once all is healed. These may be NULL. */
struct injection { const char *name; void (*before)(struct world *, int node), (*what)(struct world *, int node), (*after)(struct world *, int node); bool works; void (*ends)(struct world *); };
size_t inject_scenario_count(void);
const char *inject_scenario_name(size_t scenario);
size_t inject_kind_count(void);
const struct injection *inject_kind(size_t kind);
/* at 0: nothing is injected, and events says how many there are. False: why says what failed. */
bool inject_run(size_t scenario, size_t kind, uint64_t at, uint64_t *events, struct explored *out, char why[600]);

#endif
