/* Told scenarios: short lives with a known end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "world.h"

static void sound(struct world *w)
{
    world_check_equal(w);
    world_check_kept(w);
    if (world_failure(w))
        fail_msg("%s", world_failure(w));
}

static void two_offices_exchange(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    const char *countries[] = { "KEN" };
    int hq = world_hq(w, "HQ", countries, 1), ken = world_member(w, "KEN", "KEN"), ssd = world_member(w, "SSD", "SSD");
    struct focal_ref a, b;
    assert_true(world_case(w, ken, &a));
    assert_true(world_case(w, ssd, &b));
    assert_true(world_settle(w, 60000));
    assert_true(world_set(w, hq, &a, "status", "under_investigation"));
    assert_true(world_settle(w, 60000));
    sound(w);
    world_free(w);
}

static void an_office_joins(void **state)
{
    (void)state;
    struct world *w = world_new(2);
    (void)world_hq(w, "HQ", NULL, 0);
    int ken = world_joiner(w, "KEN", "KEN");
    world_run(w, 20000);
    assert_false(focal_node_admitted(world_node(w, ken)));
    assert_false(world_case(w, ken, NULL));
    world_crash(w, ken);                                /* reconnects before it is admitted */
    world_start(w, ken);
    world_run(w, 20000);
    assert_true(world_admit(w, "KEN"));
    world_crash(w, ken);                                /* killed between admit and certificate */
    world_crash(w, 0);
    world_start(w, 0);
    world_start(w, ken);
    world_run(w, 60000);
    assert_true(focal_node_admitted(world_node(w, ken)));
    assert_true(world_case(w, ken, NULL));
    assert_true(world_settle(w, 60000));
    sound(w);
    world_free(w);
}

static void two_versions(void **state)
{
    (void)state;
    struct world *w = world_new(4);     /* in which nothing is sealed: two sealed values are two versions as well */
    int hq = world_hq(w, "HQ", NULL, 0), ken = world_member(w, "KEN", "KEN"), ssd = world_member(w, "SSD", "SSD");
    struct focal_ref a;
    assert_true(world_case(w, ken, &a));
    assert_true(world_settle(w, 60000));
    assert_true(world_pause(w, ssd, hq, true));
    assert_true(world_pause(w, ssd, ken, true));
    world_run(w, 10000);
    assert_true(world_set(w, ssd, &a, "status", "substantiated"));
    assert_true(world_set(w, ken, &a, "status", "not_substantiated"));
    assert_true(world_pause(w, ssd, hq, false));
    assert_true(world_pause(w, ssd, ken, false));
    assert_true(world_settle(w, 60000));
    for (int i = 0; i < 3; i++) {
        struct focal_record_view view;
        assert_int_equal(focal_oplog_record(focal_node_oplog(world_node(w, i)), NULL, &a, &view), FOCAL_OK);
        assert_int_equal(view.record.two_versions, 1);
        focal_record_view_close(&view);
    }
    assert_true(world_set(w, hq, &a, "status", "substantiated"));
    assert_true(world_settle(w, 60000));
    for (int i = 0; i < 3; i++) {
        struct focal_record_view view;
        assert_int_equal(focal_oplog_record(focal_node_oplog(world_node(w, i)), NULL, &a, &view), FOCAL_OK);
        assert_int_equal(view.record.two_versions, 0);
        focal_record_view_close(&view);
    }
    sound(w);
    world_free(w);
}

/* Nobody but Kenya's office reads its country, so nobody can tell a second copy of it what one has redacted there. */
static void copies_of_an_office_redact_alike(void **state)
{
    (void)state;
    struct world *w = world_new(4);
    (void)world_hq(w, "HQ", NULL, 0);
    int ken = world_member(w, "KEN", "KEN");
    struct focal_ref both, first_only, kept;
    assert_true(world_case(w, ken, &both) && world_case(w, ken, &kept));
    assert_true(world_settle(w, 60000));
    int copy = world_clone(w, ken, true);
    assert_true(copy > 0);
    assert_true(world_case(w, ken, &first_only));       /* its country part stands at one of them */
    assert_true(world_settle(w, 60000));
    world_isolate(w, copy, true);
    assert_true(world_redact(w, ken, &both));
    world_run(w, 90000);
    world_crash(w, copy);
    world_start(w, copy);
    world_isolate(w, copy, false);
    assert_true(world_settle(w, 60000));
    sound(w);
    assert_true(world_redact(w, copy, &first_only));
    assert_true(world_settle(w, 60000));
    sound(w);
    assert_true(world_set(w, copy, &kept, "status", "under_investigation"));
    assert_true(world_settle(w, 60000));
    sound(w);
    world_free(w);
}

/* In a ring of four, whom AAA dials is bad and gives nothing of others, and who dials AAA cannot: the fourth is dialled then. */
static void another_way_when_one_gives_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(77);
    (void)world_hq(w, "HQ", NULL, 0);
    int aaa = world_member(w, "AAA", "KEN"), bbb = world_member(w, "BBB", "KEN"), ccc = world_member(w, "CCC", "KEN"), ddd = world_member(w, "DDD", "KEN");
    world_run(w, 60000);
    world_malicious(w, bbb, WORLD_WITHHOLD);
    world_partition(w, aaa, ddd, true);
    world_cut_links(w, aaa);
    assert_true(world_case(w, ccc, NULL) && world_case(w, ddd, NULL));
    assert_true(world_settle(w, 5 * 60000));
    world_check_equal(w);
    world_check_kept(w);
    assert_null(world_failure(w));
    world_free(w);
}

/* The one way left is a bad one: what others have signed to have, and what does not come, is said. With a good way it is over. */
static void what_is_known_and_withheld(void **state)
{
    (void)state;
    struct focal_missing m;
    struct world *w = world_new(78);
    int hq = world_hq(w, "HQ", NULL, 0), aaa = world_member(w, "AAA", "KEN"), bbb = world_member(w, "BBB", "KEN"), ccc = world_member(w, "CCC", "KEN");
    world_run(w, 60000);
    assert_true(world_case(w, ccc, NULL));
    assert_true(world_settle(w, 5 * 60000));
    assert_false(focal_node_missing(world_node(w, aaa), &m));
    world_malicious(w, bbb, WORLD_WITHHOLD);
    world_partition(w, aaa, ccc, true);
    world_partition(w, aaa, hq, true);
    assert_true(world_case(w, ccc, NULL));
    world_run(w, 10 * 60000);
    assert_false(focal_node_missing(world_node(w, aaa), &m));       /* not yet: it might be slow */
    world_run(w, 7 * 3600000);          /* receipts of others travel by neighbours each six hours */
    assert_true(focal_node_missing(world_node(w, aaa), &m));
    assert_true(m.entries > 0 && m.minutes >= 15);
    assert_string_equal(m.author.text, "CCC");
    assert_true(m.signer_linked ? strcmp(m.signed_by.text, "BBB") == 0 : strcmp(m.signed_by.text, "BBB") != 0);
    world_partition(w, aaa, ccc, false);
    world_partition(w, aaa, hq, false);
    assert_true(world_settle(w, 10 * 60000));
    world_run(w, 2 * 60000);
    assert_false(focal_node_missing(world_node(w, aaa), &m));
    assert_null(world_failure(w));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_offices_exchange),
        cmocka_unit_test(an_office_joins),
        cmocka_unit_test(two_versions),
        cmocka_unit_test(copies_of_an_office_redact_alike),
        cmocka_unit_test(another_way_when_one_gives_nothing),
        cmocka_unit_test(what_is_known_and_withheld),
    };
    return cmocka_run_group_tests_name("sim_told", tests, NULL, NULL);
}
