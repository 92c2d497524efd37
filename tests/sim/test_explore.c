/* A bounded share of seeded exploration; focal_sim goes on with more. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "explore.h"

enum { SEEDS = 150 };

static void seeds_hold(void **state)
{
    (void)state;
    struct explored total = { 0 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct explored one;
        char why[500];
        if (!explore_seed(seed, &one, why))
            fail_msg("%s", why);
        total.steps += one.steps;
        total.cases += one.cases;
        total.edits += one.edits;
        total.crashes += one.crashes;
    }
    printf("%d seeds: %llu steps, %llu cases, %llu edits, %llu crashes\n", SEEDS, (unsigned long long)total.steps,
           (unsigned long long)total.cases, (unsigned long long)total.edits, (unsigned long long)total.crashes);
    assert_true(total.cases > SEEDS && total.edits > SEEDS && total.crashes > SEEDS / 10);
}

static void a_seed_is_a_whole_run(void **state)
{
    (void)state;
    for (uint64_t seed = 7; seed < 10; seed++) {
        struct explored a, b;
        char why[500];
        assert_true(explore_seed(seed, &a, why));
        assert_true(explore_seed(seed, &b, why));
        assert_true(a.trace == b.trace && a.steps == b.steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(seeds_hold), cmocka_unit_test(a_seed_is_a_whole_run) };
    return cmocka_run_group_tests_name("sim_explore", tests, NULL, NULL);
}
