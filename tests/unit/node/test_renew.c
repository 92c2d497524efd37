/* Headquarters renews memberships by itself, with the key that the authority gave it: when few days are left, over the link,
 * for members in good standing alone, and never by a clock that is wrong. */
#include "places.h"

static struct place *hq, *ken;

static const uint64_t day_ms = 86400000;

static int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    ken = member_make("KEN");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

static void delegate(struct place *p, uint64_t number, uint32_t until, bool end)
{
    struct focal_delegation d = { .key_set = !end, .number = number, .until_day = until, .day = DAY };
    struct focal_buf body, statement;
    assert_true(focal_office_parse(&d.office, focal_span_text("HQ")));
    focal_node_renewal_key(p->node, &d.key);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_delegation_encode(&body, &d);
    focal_statement_sign(&statement, all.authority.secret, &all.network, focal_buf_view(&body));
    assert_int_equal(give_statement(hq, &statement), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

static const struct focal_certificate *at(struct place *p, const char *code)
{
    struct focal_office office;
    assert_true(focal_office_parse(&office, focal_span_text(code)));
    const struct focal_certificate *c = focal_oplog_certificate(focal_node_oplog(p->node), &office);
    assert_non_null(c);
    return c;
}

/* Days go by without a link. */
static void days(uint64_t count)
{
    pass(count * day_ms);
    pass(60001);                        /* what looks once a minute has looked */
}

static void when_few_days_are_left(void **state)
{
    (void)state;
    delegate(hq, 1, DAY + 366 + 1000, false);
    days(306);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);         /* 60 days are left */
    days(1);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366 + 366);
    assert_int_equal(at(hq, "HQ")->to_day, DAY + 366 + 366);    /* itself, too */
    assert_int_equal(at(hq, "KEN")->openings_max, 800);
    const uint64_t number = focal_oplog_renewal_number(focal_node_oplog(hq->node), &at(hq, "KEN")->office);
    days(2);
    assert_int_equal(focal_oplog_renewal_number(focal_node_oplog(hq->node), &at(hq, "KEN")->office), number);
    /* The next contact brings it. */
    assert_int_equal(at(ken, "KEN")->to_day, DAY + 366);
    live_on(2000);
    assert_int_equal(at(ken, "KEN")->to_day, DAY + 366 + 366);
    assert_int_equal(at(ken, "KEN")->openings_max, 800);
}

static void up_to_its_last_day(void **state)
{
    (void)state;
    delegate(hq, 1, DAY + 366 + 40, false);
    days(307);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366 + 40);
    days(60);                           /* not a little every hour */
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366 + 40);
    delegate(hq, 2, DAY + 2000, false);
    days(1);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366 + 40 + 366);
    delegate(hq, 3, DAY, true);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
    days(1);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
}

static void not_without_the_key(void **state)
{
    (void)state;
    days(307);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
    delegate(ken, 1, DAY + 2000, false);        /* another office's key, in the name of HQ */
    days(1);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
}

static void not_for_who_was_cut_off(void **state)
{
    struct focal_cut cut = { .key = ken->keys.sign_public, .reach = { .kind = FOCAL_REACH_EVERYTHING }, .number = 1, .day = DAY, .reason = FOCAL_CUT_REVOKED };
    struct focal_buf body, statement;
    (void)state;
    assert_true(focal_office_parse(&cut.office, focal_span_text("KEN")));
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_cut_encode(&body, &cut);
    focal_statement_sign(&statement, all.authority.secret, &all.network, focal_buf_view(&body));
    assert_int_equal(give_statement(hq, &statement), FOCAL_OK);
    delegate(hq, 1, DAY + 2000, false);
    days(307);
    assert_int_equal(at(hq, "HQ")->to_day, DAY + 732);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
    assert_int_equal(focal_oplog_renewal_number(focal_node_oplog(hq->node), &at(hq, "KEN")->office), 0);
    focal_buf_close(&body);
    focal_buf_close(&statement);
}

/* Headquarters' clock was set back and stands there: it gives nobody anything by it. */
static void not_by_a_wrong_clock(void **state)
{
    (void)state;
    days(100);
    all.now.wall_ms -= 50 * day_ms;
    days(0);
    delegate(hq, 1, DAY + 2000, false);
    all.now.wall_ms += 50 * day_ms;
    struct focal_clock c;
    focal_node_clock(hq->node, all.now, &c);
    assert_int_equal(c.word, FOCAL_CLOCK_OK);
    all.now.wall_ms += 207 * day_ms;
    all.now.mono_ms += 207 * day_ms;
    all.now.wall_ms -= day_ms / 2;      /* behind by half a day: still a day on which it would be due */
    pass(60001);
    focal_node_clock(hq->node, all.now, &c);
    assert_int_equal(c.word, FOCAL_CLOCK_WENT_BACK);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 366);
    all.now.wall_ms += day_ms / 2;
    days(1);
    assert_int_equal(at(hq, "KEN")->to_day, DAY + 732);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(when_few_days_are_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(up_to_its_last_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_without_the_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_for_who_was_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_by_a_wrong_clock, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
