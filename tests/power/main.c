/* focal_power --seed N: that life again.  focal_power --from N --count M: many, stops at the first fault.
 * --least K: fails also when there were fewer than K power cuts. */
#include "life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print(const struct totals *t)
{
    printf("%" PRIu64 " lives: %" PRIu64 " power cuts, %" PRIu64 " kills, %" PRIu64 " openings, %" PRIu64 " deep checks, %" PRIu64
           " commits and %" PRIu64 " entries acknowledged, %" PRIu64 " changes of key, %" PRIu64 " taken over from clear; %" PRIu64 " lost, %" PRIu64
           " corrupt, %" PRIu64 " unopenable, %" PRIu64 " wrong answers, %" PRIu64 " images in clear; disks %016" PRIx64 "\n",
           t->lives, t->cuts, t->kills, t->openings, t->deep_checks, t->commits, t->entries, t->rekeys, t->takeovers, t->lost, t->corrupt,
           t->unopenable, t->wrong, t->in_clear,
           t->digest);
}

int main(int argc, char **argv)
{
    uint64_t from = 1, count = 100, least = 0;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            from = strtoull(argv[i + 1], NULL, 10);
            count = 1;
        } else if (i + 1 < argc && strcmp(argv[i], "--from") == 0) {
            from = strtoull(argv[i + 1], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--count") == 0) {
            count = strtoull(argv[i + 1], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--least") == 0) {
            least = strtoull(argv[i + 1], NULL, 10);
        } else {
            fprintf(stderr, "usage: focal_power [--seed N | --from N --count M] [--least K]\n");
            return 2;
        }
    }
    struct totals totals = { 0 };
    for (uint64_t seed = from; seed < from + count; seed++) {
        char why[500];
        if (!power_life(seed, 0, &totals, why)) {
            print(&totals);
            fprintf(stderr, "%s\n", why);
            return 1;
        }
    }
    print(&totals);
    if (totals.cuts < least) {
        fprintf(stderr, "only %" PRIu64 " power cuts, and there were to be %" PRIu64 "\n", totals.cuts, least);
        return 1;
    }
    return 0;
}
