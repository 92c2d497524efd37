/* life: one seed, one life of a database on one disk: work, power cut, opening again, looking, and on from there.
 *
 * What a commit said OK to must be there after every cut; the transaction that was in flight may be, whole; nothing else. */
#ifndef FOCAL_POWER_LIFE_H
#define FOCAL_POWER_LIFE_H

#include "disk.h"
#include "focal/store_sqlite.h"

struct totals {
    uint64_t lives, cuts, kills, openings, commits, entries, deep_checks, rekeys, takeovers;
    uint64_t lost, corrupt, unopenable, wrong;          /* wrong: an answer that must not be, with the power on */
    uint64_t in_clear;                                  /* images of files that show what people entered */
    uint64_t digest;                                    /* over the disks as they were at the end of each life */
};

struct life {
    uint64_t seed;
    unsigned cuts;                                      /* how many there will be */
    struct disk *disk;
    struct chance chance, nonces;
    struct focal_store *store;                          /* NULL: closed */
    bool created;                                       /* its creation was acknowledged */
    bool killed;                                        /* the program will end, the power will stay */
    struct focal_store_key keys[2];                     /* with two, one of them counts: a change of keys was under way */
    size_t key_count;
    unsigned clear_openings;                            /* as a program before ours, that did not encrypt */
    bool sealed;                                        /* no image may show anything any more */
    struct totals *totals;
    char *why;                                          /* 500 bytes; "" while all is well */
};

/* False, with why: what was found after which cut. A life stops at its first fault. */
bool power_life(uint64_t seed, unsigned lies, struct totals *, char why[500]);

/* What the two kinds of life share. */
enum opened { OPENED, OPENED_OFF, OPENED_NOT };
enum opened life_open(struct life *);
void life_close(struct life *);
/* Under another key, as the daemon does it. BUSY is for the caller to judge; other than that as life_is_well. */
enum focal_status life_rekey(struct life *);
/* Plans what comes next, and does it: whatever is open is closed, the power or the program comes back. */
void life_plan(struct life *);
void life_end(struct life *);
bool life_fault(struct life *, uint64_t *count, const char *fmt, ...) FOCAL_PRINTF(3, 4);      /* always false */
/* An answer other than OK is a fault unless the power is off. True: go on. */
bool life_is_well(struct life *, enum focal_status, const char *what);
bool life_deep_check(struct life *);

/* At the beginning of every value that is long enough. */
#define LIFE_MARK "what Amina said in confidence"
bool life_looks_closed(struct life *);          /* no file shows the mark */

bool store_life(struct life *);
bool oplog_life(struct life *);

#endif
