/* fake_store: focal/store.h in memory, for laws, unit tests and the simulator.
 *
 * It keeps the contract of the door to the letter (tests/unit/store/test_contract.c runs against both), is
 * deterministic, and can be told to fail. What is committed is "on disk": a simulated power cut is
 * focal_fake_store_crash, after which the same store serves the node that starts again.
 * Threads: one store by one thread. */
#ifndef FOCAL_TESTS_FAKE_STORE_H
#define FOCAL_TESTS_FAKE_STORE_H

#include "focal/store.h"

/* NULL: out of memory. Closed with focal_store_close. */
struct focal_store *focal_fake_store_new(void);

/* ---- failing ---- */

enum focal_fake_operation {
    FOCAL_FAKE_BEGIN = 1,
    FOCAL_FAKE_COMMIT = 2,
    FOCAL_FAKE_GET = 4,
    FOCAL_FAKE_PUT = 8,
    FOCAL_FAKE_DEL = 16,
    FOCAL_FAKE_NEXT = 32,
    FOCAL_FAKE_PREV = 64,
    FOCAL_FAKE_SNAPSHOT = 128,
    /* The fence's mark, after the commit is on disk. IO: the power goes between the two. Anything else: the mark cannot be
     * written and is removed; the commit is OK all the same. */
    FOCAL_FAKE_FENCE = 256,
    FOCAL_FAKE_SCRUB = 512,
    FOCAL_FAKE_WRITES = FOCAL_FAKE_BEGIN | FOCAL_FAKE_COMMIT | FOCAL_FAKE_PUT | FOCAL_FAKE_DEL,
    FOCAL_FAKE_ALL = 1023
};

struct focal_fake_failure {
    uint64_t nth;                   /* 1: the next operation of these kinds. 0: no failure is planned */
    unsigned kinds;                 /* enum focal_fake_operation, or'ed */
    enum focal_status status;       /* what the operation gives */
    bool from_then_on;              /* all operations of these kinds from the nth on, not it alone */
    bool commit_reaches_disk;       /* a failed commit's bytes are there nevertheless after a crash */
};
void focal_fake_store_plan(struct focal_store *, struct focal_fake_failure);
/* Whether the failure last planned has come to pass, also after a crash. */
bool focal_fake_store_failed(const struct focal_store *);
/* Operations asked for so far, to let a test fail each of them in turn. */
uint64_t focal_fake_store_operations(const struct focal_store *);
/* Power cut and start: the open transaction is gone, planned failures too, and a store that lost a commit to IO works
 * again. */
void focal_fake_store_crash(struct focal_store *);

/* For those who look and must not be counted: no planned failure happens, and no operation is counted, until taken up
 * again. They nest, and do nothing to a store that is no fake. */
void focal_fake_store_lay_aside(struct focal_store *);
void focal_fake_store_take_up(struct focal_store *);

/* ---- the fence; old backups, clones, other machines ---- */

/* Opens the fence, as focal_sqlite_fence does: before the first transaction, and only where a test wants one. It stands
 * apart from the disk. entropy is kept. machine NULL: nowhere a fence can be written (NONE). */
void focal_fake_store_fence(struct focal_store *, struct focal_entropy, const char *machine);
/* Like a crash; it starts again on another machine (NULL: where no fence can be written), with whatever fence is at hand. */
void focal_fake_store_machine(struct focal_store *, const char *machine);
/* Like a crash, and the fence is gone. */
void focal_fake_store_lose_fence(struct focal_store *);

/* What is committed now; with_fence: as a snapshot of the whole machine would hold it. NULL: no memory. */
struct focal_fake_image;
struct focal_fake_image *focal_fake_store_backup(struct focal_store *, bool with_fence);
void focal_fake_image_free(struct focal_fake_image *);
/* Power off, the image put in the place of what is on the disk, power on. The fence is put back only if the image has it.
 * NO_MEMORY: nothing was done. */
FOCAL_MUST_USE enum focal_status focal_fake_store_restore(struct focal_store *, const struct focal_fake_image *);
/* A second store that starts from the image and lives its own life: on the same machine, if the image has the fence with
 * that too, else with none. The image's store must keep a fence. NULL: no memory. */
struct focal_store *focal_fake_store_clone(const struct focal_fake_image *);

/* ---- space ---- */

/* What focal_store_space says from now on, and how often focal_store_release gives OK (and takes a planned DISK_FULL back). */
void focal_fake_store_space(struct focal_store *, enum focal_space, unsigned pieces);

/* ---- what is left of deleted content ---- */

/* From now on what a commit replaces or removes is kept as if in a write-ahead log, until focal_store_scrub. */
void focal_fake_store_keep_log(struct focal_store *);
/* The bytes stand in a row, or in that log. */
bool focal_fake_store_holds(const struct focal_store *, struct focal_span bytes);

/* ---- looking: any implementation of the door ---- */

/* Order-dependent 64-bit digest over all keys and values of the shelf. Never counted as an operation of a fake store. */
FOCAL_MUST_USE enum focal_status focal_shelf_digest(struct focal_store *, enum focal_shelf, uint64_t *digest, uint64_t *rows);
/* One line for each row, "key value" in hex, in order of keys. */
FOCAL_MUST_USE enum focal_status focal_shelf_dump(struct focal_store *, enum focal_shelf, struct focal_buf *out);
/* OK: the shelves hold the same bytes. CONFLICT: why holds a line about the first difference. */
FOCAL_MUST_USE enum focal_status focal_shelf_compare(struct focal_store *, struct focal_store *, enum focal_shelf,
                                                     struct focal_buf *why);

#endif
