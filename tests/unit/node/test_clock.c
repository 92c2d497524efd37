/* Is the wall clock right: against the day the program was made, the network's and the membership's first day, other offices'
 * receipts, the last time kept, and the clock that only counts. Each fault is named, and no longer named once it is over. */
#include "places.h"

static struct place *hq, *ken, *ssd;

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

static struct focal_clock clock_by(struct place *p, int64_t off_ms)
{
    struct focal_clock c;
    struct focal_now now = all.now;
    now.wall_ms = (uint64_t)((int64_t)now.wall_ms + off_ms);
    focal_node_clock(p->node, now, &c);
    return c;
}

static enum focal_clock_word word(struct place *p) { return clock_by(p, 0).word; }

static void restart(struct place *p)
{
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].open && (all.lines[i].at[0] == p || all.lines[i].at[1] == p))
            cut(&all.lines[i], FOCAL_CANCELLED);
    focal_node_close(p->node);
    place_open(p);
}

/* Time passes by the clock that counts, and off_ms more by the wall clock of one office. */
static void pass_off(struct place *p, uint64_t ms, int64_t off_ms)
{
    struct focal_now right;
    all.now.mono_ms += ms;
    all.now.wall_ms += ms;
    right = all.now;
    for (size_t i = 0; i < all.count; i++) {
        all.now = right;
        if (&all.places[i] == p)
            all.now.wall_ms = (uint64_t)((int64_t)all.now.wall_ms + off_ms);
        tick(&all.places[i]);
    }
    all.now = right;
    run();
}

static void a_good_clock(void **state)
{
    (void)state;
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
    pass(30 * day_ms);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
    all.now.wall_ms += 400 * day_ms;    /* the machine slept */
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
    all.now.wall_ms -= 60000;           /* a time service took a minute away */
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
}

static void before_the_first_day(void **state)
{
    (void)state;
    struct focal_clock c = clock_by(hq, -(int64_t)(3 * day_ms));
    assert_int_equal(c.word, FOCAL_CLOCK_BEFORE_NETWORK);
    assert_int_equal(c.day, DAY - 3);
    assert_int_equal(c.expected_day, DAY);
    assert_int_equal(clock_by(hq, -(int64_t)(DAY * day_ms)).word, FOCAL_CLOCK_BEFORE_NETWORK);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
    hq->node->clock.made_day = DAY + 5;
    assert_int_equal(word(hq), FOCAL_CLOCK_BEFORE_PROGRAM);
    assert_int_equal(clock_by(hq, (int64_t)(5 * day_ms)).word, FOCAL_CLOCK_OK);
}

/* KEN's machine came with a clock from before it was a member, but after the network was founded. */
static void before_the_membership(void **state)
{
    (void)state;
    struct focal_public_keys keys;
    struct focal_buf statement, body;
    focal_node_keys_public(&keys, &ken->keys);
    struct focal_certificate c = *focal_oplog_mine(focal_node_oplog(ken->node));
    c.number = 2;
    c.from_day = DAY + 100;
    c.to_day = DAY + 466;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &c);
    focal_statement_sign(&statement, all.authority.secret, &all.network, focal_buf_view(&body));
    assert_int_equal(give_statement(ken, &statement), FOCAL_OK);
    focal_buf_close(&body);
    focal_buf_close(&statement);
    assert_int_equal(word(ken), FOCAL_CLOCK_BEFORE_MEMBERSHIP);
    pass(101 * day_ms);
    assert_int_equal(word(ken), FOCAL_CLOCK_OK);
}

static void set_back(void **state)
{
    (void)state;
    pass(10 * day_ms);
    struct focal_clock c = clock_by(hq, -(int64_t)(4 * day_ms));
    assert_int_equal(c.word, FOCAL_CLOCK_WENT_BACK);
    assert_true(c.lost_ms == 4 * day_ms);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);         /* and set right again */
    /* Over a restart the last time kept is the witness. */
    all.now.wall_ms -= 4 * day_ms;
    restart(hq);
    assert_int_equal(word(hq), FOCAL_CLOCK_WENT_BACK);
    pass(day_ms / 2);
    assert_int_equal(word(hq), FOCAL_CLOCK_WENT_BACK);
    restart(hq);
    assert_int_equal(word(hq), FOCAL_CLOCK_WENT_BACK);  /* what was believed wrong was not kept */
    pass(day_ms / 2);
    pass(day_ms / 2 + 1);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);         /* a day on nobody says otherwise: it was set right */
    pass(60001);
    restart(hq);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
}

static void stands_still(void **state)
{
    (void)state;
    pass(10 * day_ms);
    for (int64_t m = 1; m <= 30; m++) {
        pass_off(hq, 60000, -m * 60000);
        struct focal_clock c = clock_by(hq, -m * 60000);
        assert_int_equal(c.word, m <= 2 ? FOCAL_CLOCK_OK : m <= 4 ? FOCAL_CLOCK_WENT_BACK : FOCAL_CLOCK_STANDS);
    }
    pass(1000);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
}

/* Long enough that every node looks at its clock, in steps that no link dies of. */
static void minute_off(struct place *p, int64_t off_ms)
{
    for (int i = 0; i < 5; i++)
        pass_off(p, 15000, off_ms);
    assert_true(lines_open() > 0);
}

static void write_and_wait(struct place *p)
{
    struct focal_ref ref;
    new_case(p, &ref);
    run();
    pass(1000);
    pass(1000);
}

/* One against one: who is wrong cannot be said, that one is must be. Both write, so both have the other's day. */
static void against_one(void **state)
{
    (void)state;
    (void)dial(ken, hq);
    run();
    minute_off(ken, 3650 * (int64_t)day_ms);
    struct focal_ref ref;
    new_case(hq, &ref);
    run();
    pass_off(ken, 1000, 3650 * (int64_t)day_ms);        /* KEN's receipt, of its day */
    pass_off(ken, 1000, 3650 * (int64_t)day_ms);
    struct focal_clock c = clock_by(hq, 0);
    assert_int_equal(c.word, FOCAL_CLOCK_NOT_AS_OTHERS);
    assert_string_equal(c.who.text, "KEN");
    assert_int_equal(c.who_day, DAY + 3650);
    /* KEN wrote nothing: headquarters' own entry, younger than the mark at which both were equal, bears witness. */
    c = clock_by(ken, 3650 * (int64_t)day_ms);
    assert_int_equal(c.word, FOCAL_CLOCK_NOT_AS_OTHERS);
    assert_string_equal(c.who.text, "HQ");
    /* Set right, by what HQ said: no longer against others, nor taken for set back. */
    assert_int_equal(word(ken), FOCAL_CLOCK_OK);
    pass(1000);
    assert_int_equal(word(hq), FOCAL_CLOCK_NOT_AS_OTHERS);      /* which must hear of it first */
    minute_off(ken, 0);
    write_and_wait(hq);
    assert_int_equal(word(hq), FOCAL_CLOCK_OK);
}

/* Two agree: the third is wrong, and the two do not mistrust their own. */
static void against_two(void **state)
{
    (void)state;
    ssd = member_make("SSD");
    pass(200 * day_ms);
    (void)dial(ken, hq);
    (void)dial(ssd, hq);
    run();
    minute_off(ssd, -(int64_t)(100 * day_ms));
    for (size_t i = 0; i < 3; i++) {
        struct focal_ref ref;
        new_case(&all.places[i], &ref);
        run();
        pass_off(ssd, 1000, -(int64_t)(100 * day_ms));
    }
    minute_off(ssd, -(int64_t)(100 * day_ms));
    struct focal_clock c = clock_by(hq, 0);
    assert_int_equal(c.word, FOCAL_CLOCK_OK);
    assert_int_equal(c.agree, 1);
    assert_int_equal(c.differ, 1);
    assert_string_equal(c.who.text, "SSD");
    c = clock_by(ssd, -(int64_t)(100 * day_ms));
    assert_int_equal(c.word, FOCAL_CLOCK_NOT_AS_OTHERS);
    assert_int_equal(c.who_day, DAY + 200);
    assert_int_equal(clock_by(ssd, 0).word, FOCAL_CLOCK_OK);
}

/* A receipt from last week that comes today says nothing of today. */
static void an_old_receipt_is_no_witness(void **state)
{
    (void)state;
    struct line *l = dial(ken, hq);
    run();
    write_and_wait(ken);
    cut(l, FOCAL_CANCELLED);
    struct focal_ref ref;
    new_case(hq, &ref);
    pass(1000);                         /* HQ signs for its own, and KEN does not hear it */
    pass(8 * day_ms);
    obey(ken);
    ken->dial_count = 0;
    tick(ken);
    restart(ken);
    (void)dial(ken, hq);
    run();
    pass(1000);
    assert_true(has_case(ken, &ref));
    assert_int_equal(word(ken), FOCAL_CLOCK_OK);
    assert_int_equal(clock_by(ken, 0).differ + clock_by(ken, 0).agree, 0);
    minute_off(ken, 0);
    write_and_wait(ken);
    assert_int_equal(clock_by(ken, 0).agree, 1);
}

static uint64_t signed_for(struct place *by, const char *office)
{
    struct focal_office code;
    uint64_t most = 0;
    assert_true(focal_office_parse(&code, focal_span_text(office)));
    struct focal_oplog *ol = focal_node_oplog(by->node);
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        uint64_t seq = 0;
        if (focal_oplog_receipt_of(ol, &code, focal_oplog_log_at(ol, i), &seq, NULL) && seq > most)
            most = seq;
    }
    return most;
}

/* Receipts of others are passed on every six hours; a clock that stands must not make that never. */
static void a_standing_clock_passes_receipts_on(void **state)
{
    (void)state;
    const int64_t hours = 7 * 3600000;
    ssd = member_make("SSD");
    struct line *to_ken = dial(ken, hq), *to_ssd;
    run();
    write_and_wait(hq);
    to_ssd = dial(ssd, hq);
    run();
    for (int i = 0; i < 5; i++)
        pass(1000);
    uint64_t first = signed_for(ssd, "KEN");
    assert_true(first > 0);
    cut(to_ssd, FOCAL_CANCELLED);
    write_and_wait(hq);
    assert_true(signed_for(hq, "KEN") > first);
    cut(to_ken, FOCAL_CANCELLED);
    pass_off(hq, (uint64_t)hours, -hours);
    (void)answer_dial(ssd, hq);
    run();
    for (int i = 0; i < 5; i++)
        pass_off(hq, 1000, -hours - 1000 * (i + 1));
    assert_int_equal(signed_for(ssd, "KEN"), signed_for(hq, "KEN"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_the_first_day, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_the_membership, set_up, tear_down),
        cmocka_unit_test_setup_teardown(set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stands_still, set_up, tear_down),
        cmocka_unit_test_setup_teardown(against_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(against_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_receipt_is_no_witness, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_standing_clock_passes_receipts_on, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_clock", tests, NULL, NULL);
}
