/* What the files of the fake store share. */
#ifndef FOCAL_TESTS_FAKE_INSIDE_H
#define FOCAL_TESTS_FAKE_INSIDE_H

#include "fake_shelf.h"
#include "fake_store.h"

enum { TOKEN_BYTES = 16, MACHINE_BYTES = 33, LOG_BYTES = 256 << 20 };

enum undo_kind { INSERTED, REPLACED, REMOVED };
struct undo {
    enum undo_kind kind;
    int shelf;
    struct fake_row *row;           /* REMOVED: owned here */
    struct fake_value *old;         /* REPLACED: owned here */
};

struct fake_mark { uint64_t generation; uint8_t token[TOKEN_BYTES]; };
/* What stands outside of the disk. */
struct fake_fence { bool there; struct fake_mark mark; char machine[MACHINE_BYTES]; };

struct fake_store {
    struct focal_store base;
    struct fake_shelf shelves[FOCAL_SHELF_LAST + 1];
    struct undo *undo;
    size_t undo_count, undo_cap;
    bool in_transaction, is_snapshot, dead;
    enum focal_status doom;
    struct focal_fake_failure plan;
    bool failed;                        /* what was planned has come to pass */
    uint64_t operations;
    int aside;                      /* how many are looking */
    struct fake_store *disk;        /* what a crash will show, where that is not what the store shows */

    bool keeps_fence, somewhere, gave_up, wrote;
    char machine[MACHINE_BYTES];
    struct focal_entropy entropy;
    enum focal_fence_verdict verdict;
    struct fake_fence fence;
    uint64_t highest;

    struct fake_store *parent, *shots, *sibling;    /* snapshots know what they are of, while it is open */
    enum focal_space space;
    unsigned pieces;                /* of the reserve */

    bool keeps_log;
    struct focal_buf log;
};

struct focal_fake_image { struct fake_store *disk; bool with_fence; };

/* fake_store.c */
struct fake_store *fake_of(struct focal_store *);
struct fake_store *fake_copy_of(const struct fake_store *);        /* the shelves; NULL: no memory */
/* Takes the open transaction of `from` back in a copy. */
enum focal_status fake_take_back_in(struct fake_store *copy, const struct fake_store *from);
void fake_swap_shelves(struct fake_store *, struct fake_store *);
void fake_power_off(struct fake_store *);

/* fake_fence.c */
void fake_fence_start(struct fake_store *);
enum focal_status fake_fence_row(struct fake_store *, struct fake_mark *next);
void fake_fence_mark(struct fake_store *, const struct fake_mark *);
enum focal_fence_verdict fake_fence_verdict(struct focal_store *);

#endif
