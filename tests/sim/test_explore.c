/* That the exploration does what it says: faults of every class happen, and the same seed is the same life. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "explore.h"

enum { SEEDS = 40, FIRST = 100001 };

static void faults_happen(void **state)
{
    (void)state;
    struct explored total = { 0 };
    for (uint64_t seed = FIRST; seed < FIRST + SEEDS; seed++) {
        struct explored one;
        char why[600];
        if (!explore_seed(seed, &one, why))
            fail_msg("%s", why);
        explore_add(&total, &one);
    }
    assert_true(total.cases > SEEDS && total.edits > SEEDS && total.bad > 0 && total.cuts > 0);
    assert_true(total.nodes >= 3 * SEEDS && total.counts.acknowledged >= total.cases && total.counts.checked > total.counts.acknowledged);
    assert_true(total.counts.crashes > 0 && total.counts.killed > 0 && total.counts.memory_faults > 0 && total.counts.disk_faults > 0);
    /* Without what is known already (known_answers.c) all this takes three times as long. */
    assert_true(total.counts.answers > total.counts.questions / 2);
    assert_true(total.counts.largest_allocation < (4u << 20));
}

static void a_seed_is_a_whole_run(void **state)
{
    (void)state;
    for (uint64_t seed = 7; seed < 10; seed++) {
        struct explored a, b;
        char why[600];
        assert_true(explore_seed(seed, &a, why));
        assert_true(explore_seed(seed, &b, why));
        assert_true(a.trace == b.trace && a.steps == b.steps);
    }
}

/* A class that is left out does not happen, and the life is another one. */
static void classes_can_be_left_out(void **state)
{
    (void)state;
    struct explored all, less;
    char why[600];
    uint64_t some = plan_classes_working() & ~(UINT64_C(1) << PLAN_CRASH | UINT64_C(1) << PLAN_KILL | UINT64_C(1) << PLAN_RESTORE
                                               | UINT64_C(1) << PLAN_SNAPSHOT | UINT64_C(1) << PLAN_LOSE | UINT64_C(1) << PLAN_NO_MEMORY
                                               | UINT64_C(1) << PLAN_DISK | UINT64_C(1) << PLAN_MALICE);
    bool differ = false;
    for (uint64_t seed = 1; seed < 12; seed++) {
        assert_true(explore_seed(seed, &all, why));
        assert_true(explore_life(&(struct explore_options){ .seed = seed, .classes = some }, &less, why));
        assert_true(less.counts.crashes == 0 && less.counts.killed == 0 && less.bad == 0);
        differ = differ || all.trace != less.trace;
    }
    assert_true(differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_happen),
        cmocka_unit_test(a_seed_is_a_whole_run),
        cmocka_unit_test(classes_can_be_left_out),
    };
    return cmocka_run_group_tests_name("sim_explore", tests, NULL, NULL);
}
