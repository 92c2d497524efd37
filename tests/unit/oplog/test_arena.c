/* Arenas keep memory from step to step, so allocations that fail seldom meet them. Here the log's arena may hold no more than a
 * limit, which grows until each step of the day passes: below it the step says that there is no memory, and leaves no trace. */
#include "inside.h"
#include "stand.h"

enum { LIMIT_LEAST = 16 };

static void start_anew(void)
{
    focal_oplog_close(o.ol);
    focal_fake_store_crash(o.store);
    office_open(&o);
}

/* How often it did not pass. */
static uint64_t live_step(const struct step *s, uint64_t seed)
{
    struct stand before;
    enum focal_status st = FOCAL_NO_MEMORY, back;
    uint64_t failures = 0;
    stand_of(&before);
    for (size_t limit = LIMIT_LEAST; st != FOCAL_OK; limit += LIMIT_LEAST + limit / 12) {
        o.chance.state = seed;
        o.ol->arena.limit = limit;
        st = attempt(s, &back);
        o.ol->arena.limit = ARENA_BYTES_MAX;
        if (st == FOCAL_OK)
            break;
        failures++;
        assert_true(limit < ARENA_BYTES_MAX);
        if (st != FOCAL_NO_MEMORY)
            fail_msg("%s, with an arena of %zu bytes: %s", s->name, limit, focal_status_text(st));
        assert_true(back == FOCAL_OK || back == FOCAL_NO_MEMORY);
        if (back == FOCAL_OK)
            expect_stand(&before, s->name, failures, "rolled back");
        if (back != FOCAL_OK || s->way == LOOK)
            start_anew();
        expect_stand(&before, s->name, failures, "after it");
    }
    return failures;
}

static uint64_t live(bool short_of_memory, struct focal_hash *end)
{
    uint64_t failures = 0;
    wake_up();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        enum focal_status back;
        if (short_of_memory && steps[i].way != OPEN) {
            failures += live_step(&steps[i], 1000 + i);
        } else {
            if (steps[i].before)
                steps[i].before();
            o.chance.state = 1000 + i;
            assert_int_equal(attempt(&steps[i], &back), FOCAL_OK);
        }
        if (steps[i].run == verify && steps[i - 1].way == LOOK)
            *end = digest;
    }
    focal_oplog_close(o.ol);
    focal_store_close(o.store);
    return failures;
}

static void as_if_there_had_been_enough(void **state)
{
    (void)state;
    struct focal_hash quiet, end;
    assert_int_equal(live(false, &quiet), 0);
    assert_true(live(true, &end) > 300);
    assert_memory_equal(quiet.b, end.b, sizeof end.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_if_there_had_been_enough) };
    return cmocka_run_group_tests_name("oplog_arena", tests, set_up_all, tear_down_all);
}
