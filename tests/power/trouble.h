/* trouble: what can fail in the world, one after the other: for each kind the first time, the second, ..., until a run ends
 * without it. Memory is the project's own (the hook of base) or SQLite's; everything else is the disk's. */
#ifndef FOCAL_POWER_TROUBLE_H
#define FOCAL_POWER_TROUBLE_H

#include "disk.h"

#include <stddef.h>

enum trouble_memory { TROUBLE_NO, TROUBLE_OURS, TROUBLE_SQLITE };
struct trouble {
    const char *name;
    enum trouble_memory memory;
    struct disk_failure disk;           /* its nth is not looked at */
    bool from_then_on;
    uint64_t stride;                    /* only each so many-th failure is tried; 0: each */
};
extern const struct trouble troubles[];
extern const size_t trouble_count;
/* From one failure to the next; under the sanitizers further than what the trouble asks for. */
uint64_t trouble_stride(const struct trouble *);

/* Before anything else is asked of SQLite. */
void trouble_install(void);
void trouble_arm(struct disk *, const struct trouble *, uint64_t nth);
bool trouble_happened(const struct disk *);
void trouble_lift(struct disk *);
/* For the memory of those who look: no failure happens and none is counted. They do not nest. */
void trouble_lay_aside(void);
void trouble_take_up(void);

#endif
