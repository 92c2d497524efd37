/* focal_sim --seed N: that seed once, with what it did.  focal_sim --from N --count M: many, stops at the first that fails. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"

int main(int argc, char **argv)
{
    uint64_t from = 1, count = 1000;
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) {
            from = value;
            count = 1;
        } else if (strcmp(argv[i], "--from") == 0) {
            from = value;
        } else if (strcmp(argv[i], "--count") == 0) {
            count = value;
        } else {
            fprintf(stderr, "usage: focal_sim [--seed N | --from N --count M]\n");
            return 2;
        }
    }
    uint64_t steps = 0, cases = 0, edits = 0, crashes = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        struct explored one;
        char why[500];
        if (!explore_seed(seed, &one, why)) {
            fprintf(stderr, "%s\n", why);
            return 1;
        }
        steps += one.steps;
        cases += one.cases;
        edits += one.edits;
        crashes += one.crashes;
        if (count == 1)
            printf("trace %016" PRIx64 "\n", one.trace);
    }
    printf("%" PRIu64 " seeds: %" PRIu64 " steps, %" PRIu64 " cases, %" PRIu64 " edits, %" PRIu64 " crashes, all equal, nothing lost\n",
           count, steps, cases, edits, crashes);
    return 0;
}
