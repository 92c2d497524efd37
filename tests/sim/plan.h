/* plan: which faults one seed knows, how often, and how much people do. */
#ifndef FOCAL_SIM_PLAN_H
#define FOCAL_SIM_PLAN_H

#include "world.h"

/* Classes of faults. Each seed switches every one of them on or off for itself (swarm testing, Groce et al. 2012): faults
 * that are always on hide what only happens without them. `works` is false where the core does not know the class yet. */
#define PLAN_CLASSES(X)                                                                                                \
    X(SLOW_LINKS, "slow-links", true)       /* seconds of delay */                                                      \
    X(CUT, "cut", true)                     /* a connection is lost under a frame */                                    \
    X(CUT_ALL, "cut-all", true)             /* all connections of a node at once */                                     \
    X(HALF_OPEN, "half-open", true)         /* one end hears of it, the other does not */                               \
    X(GARBLE, "garble", true)               /* a bit is flipped */                                                      \
    X(SHORTEN, "shorten", true)             /* a frame ends early */                                                    \
    X(DOUBLE, "double", true)               /* a frame comes twice */                                                   \
    X(DIAL_FAILS, "dial-fails", true)                                                                                  \
    X(NARROW, "narrow", true)               /* few bytes a millisecond */                                               \
    X(PARTITION, "partition", true)         /* two nodes, both ways */                                                  \
    X(ONE_WAY, "one-way", true)             /* two nodes, one way */                                                    \
    X(ISOLATE, "isolate", true)             /* one node from all others */                                              \
    X(CLOG, "clog", true)                   /* what goes to one node stands still, then all comes at once */            \
    X(SILENCE, "silence", true)             /* a day or two without a link, then a short window */                      \
    X(PAUSE, "pause", true)                 /* people cut a link by hand */                                             \
    X(CRASH, "crash", true)                 /* between steps */                                                         \
    X(KILL, "kill", true)                   /* in a step */                                                             \
    X(STOP, "stop", true)                   /* the process stands still for a while */                                  \
    X(NO_MEMORY, "no-memory", true)                                                                                    \
    X(DISK, "disk", true)                   /* full, or input and output fail */                                        \
    X(CLOCK, "clock", true)                 /* ten years off, either way, and back */                                   \
    X(CLOCK_STEPS, "clock-steps", true)     /* small steps back */                                                      \
    X(CLOCK_FROZEN, "clock-frozen", true)                                                                              \
    X(JOIN, "join", true)                   /* an office joins on the way */                                            \
    X(MALICE, "malice", true)               /* one office is bad */                                                     \
    X(REDACT, "redact", true)               /* people withdraw a case for ever */                                       \
    X(REVOKE, "revoke", true)               /* the authority takes all rights from an office */                            \
    X(RESTORE, "restore", true)             /* an old backup of the disk is put back */                                 \
    X(SNAPSHOT, "snapshot", true)           /* of the whole machine, with its fence */                                  \
    X(CLONE, "clone", true)                 /* a copy of the machine runs beside it */                                  \
    X(LOSE, "lose", true)                   /* the disk is lost; it starts with nothing but its keys */

enum plan_class {
#define X(name, text, works) PLAN_##name,
    PLAN_CLASSES(X)
#undef X
    PLAN_CLASS_COUNT
};

struct plan {
    uint32_t rate[PLAN_CLASS_COUNT];    /* 0: off. Per frame, dial or act in permille; per 100,000 steps in a step */
    uint32_t offices, acts, quiet_ms, countries_of_hq;
    enum world_malice malice;
    bool bad_stays;                     /* it goes on while all else heals */
};

const char *plan_class_name(enum plan_class);
bool plan_class_by_name(const char *, enum plan_class *);
uint64_t plan_classes_working(void);    /* bits */
/* classes: bits of those that may be on. The draws are the same whatever they are. */
void plan_choose(struct plan *, struct world *, uint64_t classes);

#endif
