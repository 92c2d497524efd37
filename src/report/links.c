/* Linked cases count once. Groups are what same_as connects, in whichever direction it was said. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, FOCAL_REF_BYTES);       /* the reference stands first in struct linked */
}

static struct linked *find(struct linked *list, size_t count, const uint8_t ref[FOCAL_REF_BYTES])
{
    struct linked key;
    memcpy(key.ref, ref, sizeof key.ref);
    return count ? bsearch(&key, list, count, sizeof *list, compare) : NULL;
}

static size_t root(struct linked *list, size_t i)
{
    while (list[i].group != i) {
        list[i].group = list[list[i].group].group;
        i = list[i].group;
    }
    return i;
}

static size_t sort_out(struct linked *list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || memcmp(list[kept - 1].ref, list[i].ref, FOCAL_REF_BYTES) != 0)
            memmove(&list[kept++], &list[i], sizeof *list);
    }
    for (size_t i = 0; i < kept; i++)
        list[i].group = i;
    return kept;
}

/* The one of the earliest quarter, of these the smallest reference; a case in no quarter comes last. Only a case that is
 * counted at all can stand for the others. */
static void offer(struct linked *group, const struct taken *taken)
{
    uint32_t quarter = taken->quarter ? taken->quarter : UINT32_MAX;
    bool better = !group->any || quarter < group->best_quarter ||
                  (quarter == group->best_quarter && memcmp(taken->ref, group->best, FOCAL_REF_BYTES) < 0);
    if (!better)
        return;
    group->any = true;
    group->best_quarter = quarter;
    memcpy(group->best, taken->ref, FOCAL_REF_BYTES);
}

enum focal_status focal_report_links_open(struct linked **out, size_t *count, const struct focal_report *report)
{
    size_t refs = report->links.len / FOCAL_REF_BYTES;
    struct linked *list = *out = focal_alloc(refs * sizeof *list);
    *count = 0;
    if (!list)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < refs; i++)
        memcpy(list[i].ref, report->links.data + i * FOCAL_REF_BYTES, FOCAL_REF_BYTES);
    *count = sort_out(list, refs);
    for (size_t i = 0; i + 1 < refs; i += 2) {
        size_t a = root(list, (size_t)(find(list, *count, report->links.data + i * FOCAL_REF_BYTES) - list));
        size_t b = root(list, (size_t)(find(list, *count, report->links.data + (i + 1) * FOCAL_REF_BYTES) - list));
        list[a > b ? a : b].group = a > b ? b : a;
    }
    for (size_t i = 0; i < *count; i++)
        list[i].group = root(list, i);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&report->cases));
    struct taken taken;
    while (*count > 0 && focal_report_taken_next(&cur, &taken)) {
        struct linked *in = taken.complete && !taken.withdrawn ? find(list, *count, taken.ref) : NULL;
        if (in)
            offer(&list[in->group], &taken);
    }
    return FOCAL_OK;
}

bool focal_report_links_counts(const struct linked *list, size_t count, const struct taken *taken)
{
    const struct linked *in = find((struct linked *)(uintptr_t)list, count, taken->ref);
    return !in || memcmp(list[in->group].best, taken->ref, FOCAL_REF_BYTES) == 0;
}
