/* fake_shelf: an ordered map of byte keys to byte values in memory, the inside of fake_store.
 *
 * A skip list. Heights come from a fixed generator, so two runs with the same calls are the same run. Rows keep their
 * address while they are linked, and can be unlinked and linked again without memory. */
#ifndef FOCAL_TESTS_FAKE_SHELF_H
#define FOCAL_TESTS_FAKE_SHELF_H

#include "focal/base.h"

enum { FAKE_LEVELS = 16 };

struct fake_value { size_t len; uint8_t bytes[]; };

struct fake_row {
    struct fake_value *value;
    size_t key_len;
    int height;
    struct fake_row *links[];            /* then the key */
};

struct fake_shelf {
    struct fake_row *first[FAKE_LEVELS];
    struct fake_row *finger;             /* the row that next gave last: a walk goes on from here */
    uint64_t bytes, rows, chance;
};

struct focal_span fake_row_key(const struct fake_row *);
struct fake_value *fake_value_new(struct focal_span);                 /* NULL: no memory */
void fake_row_free(struct fake_row *);

void fake_shelf_init(struct fake_shelf *);
void fake_shelf_close(struct fake_shelf *);
struct fake_row *fake_shelf_find(const struct fake_shelf *, struct focal_span key);
struct fake_row *fake_shelf_above(const struct fake_shelf *, struct focal_span key);
struct fake_row *fake_shelf_below(const struct fake_shelf *, struct focal_span key);
/* The key is not there yet. The value becomes the row's. NULL: no memory, and the value stays the caller's. */
struct fake_row *fake_shelf_insert(struct fake_shelf *, struct focal_span key, struct fake_value *);
void fake_shelf_link(struct fake_shelf *, struct fake_row *);
void fake_shelf_unlink(struct fake_shelf *, struct fake_row *);
/* The value the row had becomes the caller's. */
struct fake_value *fake_shelf_swap(struct fake_shelf *, struct fake_row *, struct fake_value *);
FOCAL_MUST_USE enum focal_status fake_shelf_copy(struct fake_shelf *to, const struct fake_shelf *from);

#endif
