/* explore: one seed, one life of a network: a faulty phase, then a healing phase, then everything must hold. */
#ifndef FOCAL_SIM_EXPLORE_H
#define FOCAL_SIM_EXPLORE_H

#include "plan.h"

/* Zero: as the seed draws them. */
struct explore_options { uint64_t seed, classes; uint32_t acts_most, offices_most; };
struct explored {
    uint64_t trace, steps, nodes, cases, edits, cuts, heal_ms, heal_frames, missing, bad;
    struct world_counts counts;
};
/* False: why says what failed and the command to see it again. */
bool explore_life(const struct explore_options *, struct explored *out, char why[600]);
bool explore_seed(uint64_t seed, struct explored *out, char why[600]);
void explore_add(struct explored *total, const struct explored *one);
/* "--seed 7 --classes cut,kill --acts 5": what makes this life again. */
void explore_command(char *out, size_t room, const struct explore_options *);

#endif
