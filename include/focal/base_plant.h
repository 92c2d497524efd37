/* Planted bugs: known faults that one special build can be told to have, to prove that the tests would find them.
 *
 * FOCAL_PLANTED(NAME) is the constant false in every normal build, and nothing of it is left in the program. In a build with
 * FOCAL_PLANT defined (preset `plant`) it is true when the environment's FOCAL_PLANT is that name; without one, no bug is on.
 * tests/plant/hunt.py hunts each of them; tests/README.md says how to add one. */
#ifndef FOCAL_BASE_PLANT_H
#define FOCAL_BASE_PLANT_H

#include <stdbool.h>

/* The name, and what is wrong then. */
#define FOCAL_PLANT_LIST(X)                                                                                            \
    /* merge */                                                                                                        \
    X(LATE_VALUE_REVIVES,     "a value that was replaced before it came is live when it comes")                        \
    X(REPLACED_MUST_BE_HELD,  "what an entry replaces is forgotten when nothing of the record is held yet")            \
    X(REFERENCE_BY_ADDRESS,   "a reference means whatever stands at its log and sequence, whatever the hash")          \
    X(SECOND_VERSION_LOST,    "of two edits that replace the same values the one that comes second is dropped")

enum focal_plant {
    FOCAL_PLANT_NONE,
#define X(name, text) FOCAL_PLANT_##name,
    FOCAL_PLANT_LIST(X)
#undef X
};

#ifdef FOCAL_PLANT
/* The environment is read at the first call; a name that is not in the list ends the program. Any thread. */
bool focal_plant_is(enum focal_plant);
#define FOCAL_PLANTED(name) focal_plant_is(FOCAL_PLANT_##name)
#else
#define FOCAL_PLANTED(name) ((void)FOCAL_PLANT_##name, false)
#endif

#endif
