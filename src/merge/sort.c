/* Sorting in place: by insertion where few moves are needed, else by a heap. */
#include "part.h"

enum { INSERTION_MOVES_MAX = 16 };      /* per item, on average */

struct run { uint8_t *items; size_t size; int (*order)(const void *, const void *); };

static uint8_t *item(const struct run *run, size_t i)
{
    return run->items + i * run->size;
}

/* False when it was giving up: too much is out of order. What is there is then still the same set. */
static bool by_insertion(const struct run *run, size_t count)
{
    uint8_t held[FOCAL_MERGE_SORT_BYTES];
    size_t moves_left = count * INSERTION_MOVES_MAX;
    for (size_t i = 1; i < count; i++) {
        if (run->order(item(run, i - 1), item(run, i)) <= 0)
            continue;
        size_t to = i - 1;
        while (to > 0 && moves_left > 0 && run->order(item(run, to - 1), item(run, i)) > 0) {
            to--;
            moves_left--;
        }
        memcpy(held, item(run, i), run->size);
        memmove(item(run, to + 1), item(run, to), (i - to) * run->size);
        memcpy(item(run, to), held, run->size);
        if (moves_left == 0)
            return false;
    }
    return true;
}

static void sink(const struct run *run, size_t root, size_t count)
{
    uint8_t held[FOCAL_MERGE_SORT_BYTES];
    memcpy(held, item(run, root), run->size);
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && run->order(item(run, child), item(run, child + 1)) < 0)
            child++;
        if (run->order(held, item(run, child)) >= 0)
            break;
        memcpy(item(run, root), item(run, child), run->size);
    }
    memcpy(item(run, root), held, run->size);
}

static void by_heap(const struct run *run, size_t count)
{
    uint8_t held[FOCAL_MERGE_SORT_BYTES];
    for (size_t i = count / 2; i-- > 0;)
        sink(run, i, count);
    for (size_t end = count; end-- > 1;) {
        memcpy(held, item(run, 0), run->size);
        memcpy(item(run, 0), item(run, end), run->size);
        memcpy(item(run, end), held, run->size);
        sink(run, 0, end);
    }
}

void focal_merge_sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    focal_assert(size > 0 && size <= FOCAL_MERGE_SORT_BYTES);
    struct run run = { .items = items, .size = size, .order = order };
    if (!by_insertion(&run, count))
        by_heap(&run, count);
}
