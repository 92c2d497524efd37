/* Joining: words and keys, crashes at each point, two who hold one invitation. */
#include "places.h"

static struct place *hq, *ken;

static void invite(uint64_t number)
{
    struct focal_invitation v;
    struct focal_node_event e = { .type = FOCAL_EVENT_INVITE };
    invitation_for(&v, "KEN", number);
    e.is.invite.invitation = &v;
    assert_int_equal(answer_to(hq, e), FOCAL_OK);
    assert_int_equal(answer_to(hq, e), FOCAL_EXISTS);
}

static int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    invite(1);
    ken = joiner_make("KEN", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

static enum focal_status admit(const struct place *who)
{
    struct focal_public_keys keys;
    struct focal_buf statement;
    focal_node_keys_public(&keys, &who->keys);
    certify(&statement, "KEN", FOCAL_ROLE_OFFICE, &keys, 1, 1, true);
    enum focal_status st = give_statement(hq, &statement);
    focal_buf_close(&statement);
    return st;
}

static void restart(struct place *p)
{
    focal_node_close(p->node);
    p->node = NULL;
    focal_fake_store_crash(p->store);
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].at[0] == p || all.lines[i].at[1] == p)
            cut(&all.lines[i], FOCAL_UNREACHABLE);
    place_open(p);
}

/* Answers dials of the joiner for a while. */
static void live(struct place *p, uint64_t ms)
{
    for (uint64_t spent = 0; spent < ms; spent += 1000) {
        pass(1000);
        while (p->dial_count)
            (void)answer_dial(p, hq);
        run();
    }
}

static void joins_and_is_admitted(void **state)
{
    (void)state;
    struct focal_join_waiting w[4];
    (void)dial(ken, hq);
    run();
    assert_int_equal(focal_node_waiting_joins(hq->node, w, 4), 1);
    assert_true(w[0].joined && !w[0].admitted && !w[0].closed);
    assert_memory_equal(w[0].keys.sign.b, ken->keys.sign_public.b, 32);
    assert_false(focal_node_admitted(ken->node));
    /* Waiting for people is no reason to be busy. */
    pass(5000);
    assert_true(focal_node_deadline_ms(ken->node) >= all.now.mono_ms + 1000);
    assert_int_equal(lines_open(), 1);

    assert_int_equal(admit(ken), FOCAL_OK);
    assert_int_equal(admit(ken), FOCAL_EXISTS);
    live(ken, 10000);
    assert_true(focal_node_admitted(ken->node));
    assert_int_equal(focal_node_waiting_joins(hq->node, w, 4), 1);
    assert_true(w[0].closed);
    struct focal_ref ref;
    new_case(ken, &ref);
    run();
    assert_true(has_case(hq, &ref));
    struct focal_peer_status s;
    live(ken, 2000);
    status_of(ken, "HQ", &s);
    assert_true(s.equal);
}

/* Either end, or both, die at any point of the way; it arrives all the same. */
static void a_crash_at_each_point(void **state)
{
    (void)state;
    for (int point = 0; point < 24; point++) {
        if (point)
            (void)set_up(NULL);
        bool admitted = false;
        for (int i = 0; i < 12 && !focal_node_admitted(ken->node); i++) {
            if (i == point / 3) {
                if (point % 3 != 1)
                    restart(ken);
                if (point % 3 != 0)
                    restart(hq);
            }
            pass(400);
            if (ken->dial_count)
                (void)answer_dial(ken, hq);
            if (i == 4) {
                admitted = admit(ken) == FOCAL_OK;
                if (point % 3 == 2)
                    restart(ken);
            }
            run();
        }
        assert_true(admitted);
        live(ken, 30000);
        assert_true(focal_node_admitted(ken->node));
        if (point < 23)
            all_close();
    }
}

/* Two hold the invitation. People compared the words of the first; the second joined since. */
static void the_certificate_decides(void **state)
{
    (void)state;
    struct place *other = joiner_make("KEN", 1);
    (void)dial(ken, hq);
    run();
    (void)dial(other, hq);
    run();
    assert_int_equal(lines_open(), 1);          /* one waits for one invitation */
    struct focal_join_waiting w[4];
    assert_int_equal(focal_node_waiting_joins(hq->node, w, 4), 1);
    assert_memory_equal(w[0].keys.sign.b, other->keys.sign_public.b, 32);
    assert_int_equal(admit(ken), FOCAL_OK);
    for (int i = 0; i < 30; i++) {
        pass(1000);
        other->dial_count = 0;
        while (ken->dial_count)
            (void)answer_dial(ken, hq);
        run();
    }
    assert_true(focal_node_admitted(ken->node));
    assert_false(focal_node_admitted(other->node));
}

static void an_invitation_expires(void **state)
{
    (void)state;
    all.now.wall_ms += UINT64_C(40) * 86400000;
    (void)dial(ken, hq);
    run();
    assert_int_equal(lines_open(), 0);
    struct focal_join_waiting w[4];
    assert_int_equal(focal_node_waiting_joins(hq->node, w, 4), 1);
    assert_false(w[0].joined);
}

static void as_many_invitations_as_can_be_tried(void **state)
{
    (void)state;
    struct focal_invitation v;
    struct focal_node_event e = { .type = FOCAL_EVENT_INVITE };
    e.is.invite.invitation = &v;
    for (uint64_t i = 2; i <= FOCAL_INVITATIONS_MAX; i++) {
        assert_int_equal(focal_node_next_invitation(hq->node), i);
        invitation_for(&v, "KEN", i);
        v.psk[0] = (uint8_t)i;
        assert_int_equal(answer_to(hq, e), FOCAL_OK);
    }
    invitation_for(&v, "KEN", FOCAL_INVITATIONS_MAX + 1);
    assert_int_equal(answer_to(hq, e), FOCAL_FULL);
    (void)dial(ken, hq);
    run();
    struct focal_join_waiting w[80];
    assert_int_equal(focal_node_waiting_joins(hq->node, w, 80), FOCAL_INVITATIONS_MAX);
    assert_true(w[0].joined);
}

static void strangers_get_nothing(void **state)
{
    (void)state;
    static const uint8_t noise[64] = { 1, 2, 3 };
    for (int i = 0; i < LINKS_MAX + 5; i++) {
        uint64_t id = accept_stranger(hq);
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
        e.is.frame.link = id;
        e.is.frame.bytes = focal_span_of(noise, (size_t)i % sizeof noise);
        assert_int_equal(step_with(hq, &e), FOCAL_OK);
    }
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    uint64_t last = all.next_id;
    for (uint64_t id = 1; id < last; id++)
        assert_false(focal_node_take_frame(hq->node, id, &frame));
    struct focal_order o;
    size_t closes = 0;
    while (focal_node_take_order(hq->node, &o))
        closes += o.type == FOCAL_ORDER_CLOSE;
    assert_int_equal(closes, LINKS_MAX + 5);
    for (uint64_t id = 1; id < last; id++) {
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
        e.is.closed.link = id;
        assert_int_equal(step_with(hq, &e), FOCAL_OK);
    }
    assert_int_equal(hq->node->link_count, 0);
    focal_buf_close(&frame);
    (void)dial(ken, hq);
    run();
    assert_int_equal(lines_open(), 1);
}

/* A key file of another office beside this database: its owner would have two logs under one name. */
static void another_offices_key_is_refused(void **state)
{
    (void)state;
    struct place *ssd = member_make("SSD");
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_node_setup setup = { .store = ssd->store, .keys = &hq->keys, .entropy = { chance_fill, &ssd->chance }, .machine_id = "SSD",
                                      .boot_id = "", .map_seed = 3 };
    struct focal_node *node = NULL;
    focal_node_close(ssd->node);
    ssd->node = NULL;
    assert_int_equal(focal_node_open(&node, &setup, all.now, &err), FOCAL_DENIED);
    assert_null(node);
    assert_true(err.message[0] && err.hint[0]);
    place_open(ssd);            /* with its own key it goes on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(joins_and_is_admitted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_at_each_point, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_certificate_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_invitation_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_invitations_as_can_be_tried, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strangers_get_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_offices_key_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_join", tests, NULL, NULL);
}
