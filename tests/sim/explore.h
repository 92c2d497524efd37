/* explore: one seed, one life of a network: a faulty phase, then a healing phase, then everything must hold. */
#ifndef FOCAL_SIM_EXPLORE_H
#define FOCAL_SIM_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

struct explored { uint64_t trace, steps, cases, edits, crashes, cuts; };
/* False: why says what failed and how to see it again. */
bool explore_seed(uint64_t seed, struct explored *out, char why[500]);

#endif
