/* How much may be under way: the window grows while the way does not get longer, shrinks when it does, within its bounds. */
#include "ends.h"

static struct network net;
static struct office hq, ken;
static struct end a, b;

static void link_at(uint64_t now_ms)
{
    end_make(&a, &hq, now_ms);
    end_make(&b, &ken, now_ms);
    ends_dial(&a, &b);
    ends_shake(&a, &b);
    pump(&a, &b);
}

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&hq, &net, "HQ", 7);
    office_make(&ken, &net, "KEN", 8);
    struct office *both[] = { &hq, &ken };
    for (int i = 0; i < 4; i++)
        hold(both[i / 2], &both[i % 2]->statement);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ends_close(&a, &b);
    office_close(&hq);
    office_close(&ken);
    network_close(&net);
    return 0;
}

static void write_much(size_t bytes)
{
    uint8_t value[1000];
    struct focal_ref ref;
    end_writing(&a);
    for (; bytes >= sizeof value; bytes -= sizeof value) {
        chance_fill(&hq.chance, value, sizeof value);
        assert_int_equal(try_write(&hq, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_OK);
    }
    end_finish(&a);
}

/* A fills a window, all of it is taken there, and so long after that is known here. */
static void one_way(uint64_t least_ms, uint64_t window, uint64_t trip_ms, uint64_t expected_window, uint64_t expected_least)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    write_much(window + 40 * 1000);
    a.s->window_bytes = window;
    a.s->trip_least_ms = least_ms;
    while (end_take(&a, &frame))
        assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_not_equal(a.s->probe_at_ms, 0);
    ends_time(&a, &b, a.host.now.mono_ms + trip_ms);
    while (a.s->probe_at_ms != 0 && end_take(&b, &frame))
        assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(a.s->probe_at_ms, 0);
    assert_int_equal(a.s->window_bytes, expected_window);
    assert_int_equal(a.s->trip_least_ms, expected_least);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    focal_buf_close(&frame);
}

enum { START = FOCAL_WINDOW_START_BYTES, MOST = FOCAL_WINDOW_MAX_BYTES };

static void grows_while_the_way_is_no_longer(void **state)
{
    (void)state;
    link_at(1000);
    one_way(0, START, 300, 2 * START, 300);
    one_way(300, 2 * START, 650, 4 * START, 300);       /* twice as long and 50 ms: a matter of chance */
    one_way(300, 4 * START, 200, 8 * START, 200);       /* the shortest is the way itself */
    one_way(200, MOST, 200, MOST, 200);
    one_way(200, MOST - START, 200, MOST, 200);
}

static void stays_while_the_way_is_a_little_longer(void **state)
{
    (void)state;
    link_at(1000);
    one_way(300, 4 * START, 651, 4 * START, 300);
    one_way(300, 4 * START, 1400, 4 * START, 300);
}

/* A full buffer somewhere on the way: less is put into it, down to what every link starts with. */
static void shrinks_when_the_way_gets_long(void **state)
{
    (void)state;
    link_at(1000);
    one_way(300, 4 * START, 1401, 2 * START, 300);
    one_way(300, 2 * START, 9000, START, 300);
    one_way(300, START, 9000, START, 300);
    one_way(300, 2 * START - 1, 9000, 2 * START - 1, 300);
}

/* Both at one moment, and that moment the first of the clock. */
static void a_way_of_no_length(void **state)
{
    (void)state;
    link_at(0);
    one_way(0, START, 0, 2 * START, 1);
}

/* Credit for a part of the window does not end the measuring; more than is under way takes nothing below zero. */
static void credit_in_parts(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    link_at(1000);
    write_much(200 * 1000);
    while (end_take(&a, &frame)) { }
    focal_buf_close(&frame);
    const uint64_t under_way = a.s->in_flight_bytes, left = a.s->probe_left_bytes;
    struct focal_message m = { .type = FOCAL_MSG_CREDIT, .is.credit = (uint32_t)left - 1 };
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_not_equal(a.s->probe_at_ms, 0);
    assert_int_equal(a.s->in_flight_bytes, under_way - left + 1);
    m.is.credit = 1;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(a.s->probe_at_ms, 0);
    m.is.credit = UINT32_MAX;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(a.s->in_flight_bytes, 0);
}

/* A CREDIT has 32 bits: what is over stays due. */
static void credit_beyond_its_field(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    link_at(1000);
    b.s->credit_due_bytes = (uint64_t)UINT32_MAX + CREDIT_STEP_BYTES - 1;
    a.s->in_flight_bytes = (uint64_t)UINT32_MAX + 5;
    assert_true(end_take(&b, &frame));
    assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(a.s->in_flight_bytes, 5);
    assert_int_equal(b.s->credit_due_bytes, CREDIT_STEP_BYTES - 1);
    assert_false(end_take(&b, &frame));
    focal_buf_close(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(grows_while_the_way_is_no_longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_while_the_way_is_a_little_longer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shrinks_when_the_way_gets_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_way_of_no_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credit_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credit_beyond_its_field, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_window", tests, NULL, NULL);
}
