/* The checks can fail: a disk that lies about what is durable is found out, and the same lives on an honest disk hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "life.h"

enum { SEEDS = 30 };

/* Gives how many of the lives were found to be faulty; sums up what was found. */
static unsigned faulty_lives(unsigned lies, struct totals *totals)
{
    unsigned faulty = 0;
    memset(totals, 0, sizeof *totals);
    for (uint64_t seed = 2; seed < 2 + SEEDS; seed++) {
        char why[500];
        bool well = power_life(seed, lies, totals, why);
        faulty += !well;
        if (lies == 0 && !well)
            fail_msg("%s", why);
        if (lies && !well) {
            char again[60];
            (void)snprintf(again, sizeof again, "focal_power --seed %llu", (unsigned long long)seed);
            assert_non_null(strstr(why, again));
        }
    }
    return faulty;
}

static void an_honest_disk_loses_nothing(void **state)
{
    struct totals t;
    (void)state;
    assert_int_equal(faulty_lives(0, &t), 0);
    assert_true(t.cuts > 20 * SEEDS && t.commits > t.cuts);
    assert_true(t.lost == 0 && t.corrupt == 0 && t.unopenable == 0 && t.wrong == 0);
}

/* Acknowledged before it is durable. */
static void an_fsync_that_does_nothing(void **state)
{
    struct totals t;
    (void)state;
    assert_true(faulty_lives(DISK_LIES_SYNC, &t) > SEEDS / 2);
    assert_true(t.lost > 0);
}

static void names_that_are_not_durable(void **state)
{
    struct totals t;
    (void)state;
    assert_true(faulty_lives(DISK_LIES_DIRECTORY, &t) > SEEDS / 2);
    assert_true(t.lost + t.unopenable > 0);
}

/* The log is begun anew while what it held is not durable in the database. */
static void a_checkpoint_that_is_not_durable(void **state)
{
    struct totals t;
    (void)state;
    assert_true(faulty_lives(DISK_LIES_CHECKPOINT, &t) > SEEDS / 2);
    assert_true(t.lost + t.corrupt + t.unopenable > 0);
}

static void a_durable_sector_that_is_taken_along(void **state)
{
    struct totals t;
    (void)state;
    assert_true(faulty_lives(DISK_LIES_SECTOR, &t) > SEEDS / 2);
    assert_true(t.corrupt + t.unopenable > 0);
}

static void a_seed_is_a_whole_life(void **state)
{
    (void)state;
    for (uint64_t seed = 9; seed < 12; seed++) {
        struct totals a = { 0 }, b = { 0 };
        char why[500];
        assert_true(power_life(seed, 0, &a, why));
        assert_true(power_life(seed, 0, &b, why));
        assert_memory_equal(&a, &b, sizeof a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_disk_loses_nothing),
        cmocka_unit_test(an_fsync_that_does_nothing),
        cmocka_unit_test(names_that_are_not_durable),
        cmocka_unit_test(a_checkpoint_that_is_not_durable),
        cmocka_unit_test(a_durable_sector_that_is_taken_along),
        cmocka_unit_test(a_seed_is_a_whole_life),
    };
    return cmocka_run_group_tests_name("power planted", tests, NULL, NULL);
}
