/* The beginning of a talk: equal costs one round trip; what differs comes across; scopes that come and go. */
#include "ends.h"

static struct network net;
static struct office hq, ken;
static struct end a, b;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&hq, &net, "HQ", 7);
    office_make(&ken, &net, "KEN", 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&hq);
    office_close(&ken);
    network_close(&net);
    return 0;
}

/* A certificate with the first so many of the test's scopes; held by o. */
static void certify(struct office *o, const struct office *of, uint64_t number, size_t scopes)
{
    struct focal_certificate c;
    struct focal_buf statement;
    certificate_for(&c, of, number);
    c.read_count = c.write_count = scopes;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    hold(o, &statement);
    focal_buf_close(&statement);
}

static void everybody(uint64_t number, size_t scopes_hq, size_t scopes_ken)
{
    certify(&hq, &hq, number, scopes_hq);
    certify(&hq, &ken, number, scopes_ken);
    certify(&ken, &hq, number, scopes_hq);
    certify(&ken, &ken, number, scopes_ken);
}

static void equal_costs_one_round_trip(void **state)
{
    (void)state;
    everybody(1, 3, 4);
    struct focal_ref ref;
    begin(&hq);
    for (uint8_t i = 0; i < 50; i++)
        write_value(&hq, &scope_network, NULL, FIELD_A, i, &ref);
    write_value(&hq, &scope_kenya, NULL, FIELD_A, 1, &ref);
    commit(&hq);
    carry_all(&hq, &ken);

    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    assert_int_equal(pump(&a, &b), 2);
    assert_int_equal(a.frames, 3);              /* two of the handshake, one HELLO */
    assert_int_equal(b.frames, 2);
    assert_true(focal_session_equal(a.s));
    assert_true(focal_session_equal(b.s));
    uint64_t bytes = focal_session_bytes(a.s, true) + focal_session_bytes(b.s, true);
    assert_true(bytes <= 256);
    assert_int_equal(bytes, focal_session_bytes(a.s, false) + focal_session_bytes(b.s, false));
    assert_int_equal(pump(&a, &b), 0);
    ends_close(&a, &b);
}

static void a_further_scope_costs_24_bytes_a_side(void **state)
{
    (void)state;
    everybody(1, 4, 4);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    assert_int_equal(pump(&a, &b), 2);
    assert_true(focal_session_bytes(a.s, true) + focal_session_bytes(b.s, true) <= 256 + 48);
    assert_true(focal_session_equal(a.s));
    ends_close(&a, &b);
}

static void what_differs_comes_across(void **state)
{
    (void)state;
    everybody(1, 4, 4);
    ends_link(&a, &hq, &b, &ken);
    end_write(&a, &scope_network, 30);
    end_write(&b, &scope_network, 3000);
    end_write(&b, &scope_kenya, 1);
    ends_shake(&a, &b);
    assert_false(focal_session_equal(a.s));
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(same_frontier(&hq, &ken, &net, &scope_kenya));
    assert_true(same_frontier(&hq, &ken, &net, &scope_control));
    assert_true(focal_session_equal(a.s));
    assert_true(focal_session_equal(b.s));

    end_write(&a, &scope_network, 1);           /* known to have all before it: pushed, and acknowledged */
    assert_int_equal(pump(&a, &b), 2);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(focal_session_equal(a.s));
    end_write(&a, &scope_chad, 1);              /* a log they have not heard of: name, piece, acknowledgement */
    assert_int_equal(pump(&a, &b), 3);
    assert_true(same_frontier(&hq, &ken, &net, &scope_chad));
    ends_close(&a, &b);
}

static void written_between_hello_and_hello(void **state)
{
    (void)state;
    everybody(1, 3, 3);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);                         /* both HELLOs are made, none is taken */
    end_write(&a, &scope_network, 2);
    end_write(&b, &scope_network, 2);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    ends_close(&a, &b);
}

/* A newcomer holds nothing, not even its own certificate. */
static void a_newcomer_gets_all_on_its_first_link(void **state)
{
    (void)state;
    certify(&hq, &hq, 1, 4);
    certify(&hq, &ken, 1, 4);
    ends_link(&a, &ken, &b, &hq);
    end_write(&b, &scope_network, 10);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_non_null(focal_oplog_mine(ken.ol));
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    ends_close(&a, &b);
}

/* The far end learns of its new scope only from the statement that follows our first word about it. */
static void a_scope_granted_on_the_way(void **state)
{
    (void)state;
    everybody(1, 4, 2);
    ends_link(&a, &hq, &b, &ken);
    end_write(&a, &scope_kenya, 5);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_kenya), 0);
    certify(&hq, &ken, 2, 3);
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_kenya), 6);
    end_write(&b, &scope_kenya, 1);
    end_write(&a, &scope_kenya, 1);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_kenya));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    ends_close(&a, &b);
}

static void a_scope_that_is_gone_is_sent_no_more(void **state)
{
    (void)state;
    everybody(1, 4, 3);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_hash kenya;
    focal_scope_id(&kenya, &net.id, &scope_kenya);
    for (int i = 0; i < 40; i++)                /* several messages' worth of a log */
        end_write(&a, &scope_kenya, 400);
    pump_some(&a, &b, 4);
    uint64_t before = head_of(&ken, &hq, &net, &scope_kenya);
    assert_true(before < head_of(&hq, &hq, &net, &scope_kenya));
    certify(&hq, &ken, 2, 2);
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    assert_false(focal_session_shares(a.s, &kenya));
    end_write(&a, &scope_kenya, 1);
    pump(&a, &b);
    assert_true(head_of(&ken, &hq, &net, &scope_kenya) <= before + 400 * 8);    /* what was on its way already */
    assert_true(head_of(&ken, &hq, &net, &scope_kenya) < head_of(&hq, &hq, &net, &scope_kenya));
    assert_false(focal_session_shares(b.s, &kenya));
    uint64_t then = head_of(&ken, &hq, &net, &scope_kenya);
    ends_time(&a, &b, 31000);
    end_write(&a, &scope_kenya, 1);
    end_write(&a, &scope_network, 1);           /* the link is sound otherwise */
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_kenya), then);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    ends_close(&a, &b);
}

static void another_version_is_said_and_closed(void **state)
{
    (void)state;
    everybody(1, 3, 3);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    struct focal_message m = { .type = FOCAL_MSG_HELLO };
    struct focal_buf frame;
    m.is.hello.version_least = m.is.hello.version_most = FOCAL_WIRE_VERSION + 1;
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (end_take(&b, &frame)) { }
    focal_buf_close(&frame);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    ends_close(&a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_costs_one_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_further_scope_costs_24_bytes_a_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_differs_comes_across, set_up, tear_down),
        cmocka_unit_test_setup_teardown(written_between_hello_and_hello, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newcomer_gets_all_on_its_first_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_scope_granted_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_scope_that_is_gone_is_sent_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_version_is_said_and_closed, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_hello", tests, NULL, NULL);
}
