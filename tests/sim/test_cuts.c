/* Told scenarios of rights taken back: what is held of it comes together again, whoever meets whom when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "world.h"

enum { MINUTE = 60000 };
static const struct focal_reach everything = { .kind = FOCAL_REACH_EVERYTHING };
static const struct focal_reach redacting = { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT };

static void sound(struct world *w)
{
    world_check_equal(w);
    world_check_kept(w);
    if (world_failure(w))
        fail_msg("%s", world_failure(w));
}

/* What a case says of a field at a node; false: it is not shown, or says nothing. */
static bool shown(struct world *w, int i, const struct focal_ref *ref, const char *field)
{
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(world_node(w, i)), NULL, ref, &view) != FOCAL_OK)
        return false;
    const struct focal_field *f = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), field);
    const struct focal_slot *slot = focal_record_slot(&view.record, f->number, focal_span_of(NULL, 0));
    const bool says = slot != NULL && slot->value_count > 0;
    focal_record_view_close(&view);
    return says;
}

static bool missing_something(struct world *w, int i)
{
    return focal_oplog_has_holes(focal_node_oplog(world_node(w, i)));
}

struct five { struct world *w; int hq, aaa, bbb, ccc, ddd; struct focal_ref of_aaa, of_bbb; };

static void five_offices(struct five *f, uint64_t seed)
{
    const char *countries[] = { "KEN" };
    struct world *w = f->w = world_new(seed);
    f->hq = world_hq(w, "HQ", countries, 1);
    f->aaa = world_member(w, "AAA", "KEN");
    f->bbb = world_member(w, "BBB", "KEN");
    f->ccc = world_member(w, "CCC", "KEN");
    f->ddd = world_member(w, "DDD", "KEN");
    assert_true(world_case(w, f->aaa, &f->of_aaa) && world_case(w, f->bbb, &f->of_bbb));
    assert_true(world_settle(w, 2 * MINUTE));
}

/* AAA redacts a case of its own, and all who hear of it erase it. Only DDD did not, and reports what it holds of AAA: so the
 * redaction counts no more. DDD then meets BBB, and everybody else has it from there: though they asked before, and nobody had it. */
static void what_was_erased_comes_back_from_who_comes_late(void **state)
{
    (void)state;
    struct five f;
    five_offices(&f, 301);
    struct world *w = f.w;
    world_isolate(w, f.ddd, true);
    assert_true(world_redact(w, f.aaa, &f.of_aaa));
    world_run(w, MINUTE);
    assert_false(shown(w, f.ccc, &f.of_aaa, "status") || shown(w, f.ccc, &f.of_aaa, "allegation_type"));
    assert_true(world_cut_reach(w, f.aaa, &everything, f.ddd, false));
    world_run(w, 2 * MINUTE);
    assert_true(missing_something(w, f.hq) && missing_something(w, f.bbb) && missing_something(w, f.ccc));
    world_isolate(w, f.ddd, false);
    world_partition(w, f.ddd, f.hq, true);
    world_partition(w, f.ddd, f.ccc, true);
    assert_true(world_settle(w, 5 * MINUTE));
    for (int i = 0; i < 5; i++)
        if (i != f.aaa) {
            assert_true(shown(w, i, &f.of_aaa, "allegation_type") && shown(w, i, &f.of_aaa, "source_role"));
            assert_false(missing_something(w, i));
        }
    sound(w);
    world_free(w);
}

/* The same, and a member joins while nobody has the entry: it is shown as missing there as well, and comes. */
static void who_joins_after_a_cut_lacks_what_all_lack(void **state)
{
    (void)state;
    struct five f;
    five_offices(&f, 302);
    struct world *w = f.w;
    world_isolate(w, f.ddd, true);
    assert_true(world_redact(w, f.aaa, &f.of_aaa));
    world_run(w, MINUTE);
    assert_true(world_cut_reach(w, f.aaa, &everything, f.ddd, false));
    const int new = world_joiner(w, "NEW", "KEN");
    world_run(w, MINUTE);
    assert_true(world_admit(w, "NEW"));
    world_run(w, 2 * MINUTE);
    assert_true(missing_something(w, new));
    assert_true(shown(w, new, &f.of_bbb, "source_role"));
    world_isolate(w, f.ddd, false);
    world_partition(w, f.ddd, new, true);
    assert_true(world_settle(w, 5 * MINUTE));
    assert_true(shown(w, new, &f.of_aaa, "allegation_type") && shown(w, new, &f.of_aaa, "source_role"));
    assert_false(missing_something(w, new));
    sound(w);
    world_free(w);
}

/* Nobody has it: it stays missing, all are equal, and what another office redacts is no hole. */
static void a_hole_ends_with_a_redaction_that_counts(void **state)
{
    (void)state;
    struct five f;
    five_offices(&f, 303);
    struct world *w = f.w;
    world_isolate(w, f.ddd, true);
    assert_true(world_redact(w, f.aaa, &f.of_aaa));
    world_run(w, MINUTE);
    assert_true(world_cut_reach(w, f.aaa, &everything, f.ddd, false));
    assert_true(world_lose(w, f.ddd));
    world_isolate(w, f.ddd, false);
    assert_true(world_settle(w, 5 * MINUTE));
    assert_true(missing_something(w, f.hq) && missing_something(w, f.ddd));
    assert_true(world_redact(w, f.bbb, &f.of_aaa));
    assert_true(world_settle(w, 5 * MINUTE));
    for (int i = 0; i < 5; i++)
        assert_true(i == f.aaa || !missing_something(w, i));
    sound(w);
    world_free(w);
}

/* What AAA redacted of others while it had the right stays redacted; what it redacts without it is shown again. */
static void the_right_to_redact_goes(void **state)
{
    (void)state;
    struct five f;
    five_offices(&f, 304);
    struct world *w = f.w;
    struct focal_ref later;
    assert_true(world_case(w, f.ccc, &later));
    assert_true(world_settle(w, MINUTE));
    assert_true(world_redact(w, f.aaa, &f.of_bbb));
    assert_true(world_settle(w, MINUTE));
    world_isolate(w, f.hq, true);
    assert_true(world_cut_reach(w, f.aaa, &redacting, f.hq, false));
    assert_true(world_redact(w, f.aaa, &later));        /* it has not heard of it */
    world_run(w, 30000);
    assert_false(shown(w, f.bbb, &later, "allegation_type"));
    world_isolate(w, f.hq, false);
    assert_true(world_settle(w, 5 * MINUTE));
    for (int i = 0; i < 5; i++)
        assert_true(shown(w, i, &later, "allegation_type") && !shown(w, i, &f.of_bbb, "allegation_type"));
    assert_false(world_redact(w, f.aaa, &later));
    sound(w);
    world_free(w);
}

/* Each side of a partition holds other entries of AAA, and the authority hears from each once, under one number: what both
 * reported is left. A cut of a higher number then leaves what all report. */
static void two_cuts_in_a_partition(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        struct five f;
        five_offices(&f, 305);
        struct world *w = f.w;
        struct focal_ref here, there;
        for (int a = 0; a < 3; a++)
            for (int b = 3; b < 5; b++)
                world_partition(w, a, b, true);
        assert_true(world_case(w, f.aaa, &here));
        world_run(w, 30000);
        world_isolate(w, f.aaa, true);
        world_partition(w, f.aaa, f.ccc, false);
        assert_true(world_case(w, f.aaa, &there));
        world_run(w, MINUTE);
        assert_true(world_cut_reach(w, f.aaa, &everything, later ? f.bbb : f.ccc, false));
        assert_true(world_cut_reach(w, f.aaa, &everything, later ? WORLD_ALL_REPORT : f.bbb, later == 0));
        world_heal(w);
        assert_true(world_settle(w, 5 * MINUTE));
        for (int i = 0; i < 5; i++)
            if (i != f.aaa) {
                assert_true(shown(w, i, &here, "allegation_type"));
                assert_int_equal(shown(w, i, &there, "allegation_type"), later);
            }
        sound(w);
        world_free(w);
    }
}

/* A backup from before the cut: it shows what was beyond until it hears again. A copy of the office from which all was taken,
 * from before and after, is heard no more than the office itself. */
static void old_backups_and_copies(void **state)
{
    (void)state;
    struct five f;
    five_offices(&f, 306);
    struct world *w = f.w;
    struct focal_ref beyond;
    world_isolate(w, f.hq, true);
    assert_true(world_case(w, f.aaa, &beyond));
    world_run(w, 30000);
    assert_true(shown(w, f.bbb, &beyond, "allegation_type"));
    const int copy = world_clone(w, f.aaa, true);
    world_backup(w, f.bbb, false);
    world_backup(w, f.aaa, false);
    assert_true(world_cut_reach(w, f.aaa, &everything, f.hq, false));
    world_isolate(w, f.hq, false);
    world_partition(w, f.hq, copy, true);
    (void)world_case(w, copy, NULL);
    assert_true(world_settle(w, 5 * MINUTE));
    assert_false(shown(w, f.bbb, &beyond, "allegation_type"));
    assert_true(world_restore(w, f.bbb) && world_restore(w, f.aaa));
    (void)world_case(w, f.aaa, NULL);
    const int copied = world_clone(w, f.aaa, false);
    (void)world_case(w, copied, NULL);
    assert_true(world_settle(w, 5 * MINUTE));
    for (int i = 0; i < 5; i++)
        assert_true(i == f.aaa || (!shown(w, i, &beyond, "allegation_type") && shown(w, i, &f.of_aaa, "source_role")));
    assert_false(world_case(w, f.aaa, NULL));
    assert_false(world_case(w, copy, NULL));
    sound(w);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_erased_comes_back_from_who_comes_late),
        cmocka_unit_test(who_joins_after_a_cut_lacks_what_all_lack),
        cmocka_unit_test(a_hole_ends_with_a_redaction_that_counts),
        cmocka_unit_test(the_right_to_redact_goes),
        cmocka_unit_test(two_cuts_in_a_partition),
        cmocka_unit_test(old_backups_and_copies),
    };
    return cmocka_run_group_tests_name("sim_cuts", tests, NULL, NULL);
}
