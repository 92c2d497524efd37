/* Which of several live values of a register is shown first. */
#ifndef FOCAL_MERGE_SHOWN_H
#define FOCAL_MERGE_SHOWN_H

#include "part.h"

/* A live value with everything that the display rule asks, in the order it is asked. */
struct focal_shown {
    uint32_t rank;
    uint32_t grade;
    uint32_t code[FOCAL_PARTS_MAX];
    const struct focal_key *author;
    struct focal_live live;
};

/* Sorts the live values of one register. field may be NULL (needs a newer program), so may authors. scratch: count of them. */
void focal_shown_sort(struct focal_live *lives, size_t count, const struct focal_field *field, const struct focal_authors *authors,
    struct focal_shown *scratch);
/* How many different values there are. */
size_t focal_shown_distinct(const struct focal_live *lives, size_t count, struct focal_shown *scratch);
/* Were they added by more than one author? Logs whose author is not known count as different authors. */
bool focal_shown_several_authors(const struct focal_live *lives, size_t count, const struct focal_authors *authors);

#endif
