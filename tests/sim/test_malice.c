/* One bad member among honest ones: they converge among each other, it loses its link where it broke form, chain or
 * signature, nothing of a country goes astray, and memory stays bounded. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "world.h"

enum { ALLOCATION_MOST = 4 << 20, BAD = 1, OFFICES = 4 };

static void live(struct world *w, const char *field)
{
    for (int i = 0; i <= OFFICES; i++) {
        (void)world_case(w, i, NULL);
        struct focal_ref ref = world_known_case(w);
        (void)world_set(w, (i + 2) % (OFFICES + 1), &ref, field, i % 2 ? "hotline" : "media");
        world_run(w, 3000);
    }
}

static void one_bad_member(void **state)
{
    enum world_malice kind = *(const enum world_malice *)*state;
    static const char *const codes[OFFICES] = { "CAF", "KEN", "SSD", "COD" };
    const char *countries[] = { "KEN" };
    struct world *w = world_new(500 + (uint64_t)kind);
    (void)world_hq(w, "HQ", countries, 1);
    for (int i = 0; i < OFFICES; i++)
        (void)world_member(w, codes[i], kind == WORLD_KEEPS_SCOPE && i + 1 == BAD ? "KEN" : codes[i]);
    world_malicious(w, BAD, kind);
    live(w, "channel");
    for (int i = 0; kind == WORLD_FLOOD && i < 300; i++)
        (void)world_case(w, BAD, NULL);
    const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
    const struct focal_reach country = { .kind = FOCAL_REACH_SCOPE, .scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" } };
    if (kind == WORLD_GOES_ON || kind == WORLD_KEEPS_SCOPE)
        assert_true(world_cut_reach(w, BAD, kind == WORLD_GOES_ON ? &everything : &country, WORLD_ALL_REPORT, false));
    world_backup(w, BAD, true);
    world_isolate(w, 2, true);
    live(w, "channel");
    world_isolate(w, 2, false);
    if (kind == WORLD_SHRINK)
        (void)world_restore(w, BAD);        /* its logs are shorter than it said, and it writes on */
    world_run(w, 120000);
    assert_true(world_settle(w, 15 * 60000));
    live(w, "channel");
    assert_true(world_settle(w, 15 * 60000));
    world_check_equal(w);
    world_check_kept(w);
    if (world_failure(w))
        fail_msg("%s: %s", world_malice_row(kind)->name, world_failure(w));
    bool blamed = false;
    for (int i = 0; i <= OFFICES; i++)
        blamed = blamed || (i != BAD && world_blamed(w, i, BAD));
    if (blamed != world_malice_row(kind)->loses_link)
        fail_msg("%s: the bad member %s blamed", world_malice_row(kind)->name, blamed ? "was" : "was not");
    assert_true(kind == WORLD_HONEST || kind == WORLD_SHRINK || world_malice_done(w, BAD) > 5);
    assert_true(world_counts(w)->largest_allocation < ALLOCATION_MOST);
    world_free(w);
}

int main(void)
{
    static enum world_malice kinds[WORLD_MALICES];
    struct CMUnitTest tests[WORLD_MALICES];
    size_t count = 0;
    for (int k = WORLD_HONEST; k < WORLD_MALICES; k++) {
        kinds[count] = (enum world_malice)k;
        if (world_malice_row(kinds[count])->works) {
            tests[count] = (struct CMUnitTest){ .name = world_malice_row(kinds[count])->name, .test_func = one_bad_member, .initial_state = &kinds[count] };
            count++;
        }
    }
    return _cmocka_run_group_tests("sim_malice", tests, count, NULL, NULL);
}
