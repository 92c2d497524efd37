/* Links of one key: copies of an office that live at once, places taken, and what of it is an incident. */
#include "places.h"

static struct place *hq, *ken;

static int set_up(void **state)
{
    (void)state;
    keep_fences = true;
    hq = hq_make(true);
    ken = member_make("KEN");
    (void)dial(ken, hq);
    run();
    struct focal_ref ref;
    new_case(hq, &ref);         /* and so there is something to sign for */
    pass(1000);
    pass(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    keep_fences = false;
    return 0;
}

static void lose_link(struct place *p, uint64_t link)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
    e.is.closed.link = link;
    e.is.closed.why = FOCAL_UNREACHABLE;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
}

static void two_copies_do_not_throw_each_other_out(void **state)
{
    (void)state;
    struct focal_ref ours, theirs, later;
    struct focal_peer_status s;
    struct place *copy = copy_of(ken);
    live_on(5000);
    assert_int_equal(lines_open(), 2);
    uint64_t link = all.next_id;
    new_case(ken, &ours);
    new_case(copy, &theirs);
    live_on(5000);
    assert_true(has_case(hq, &ours) && has_case(hq, &theirs));
    assert_true(has_case(ken, &theirs) && has_case(copy, &ours));
    status_of(hq, "KEN", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    assert_true(s.equal && s.we_lack == 0 && s.they_lack == 0);

    live_on(50000);
    assert_int_equal(incidents_of(hq, FOCAL_INCIDENT_TWO_LIVE, NULL), 0);
    live_on(40000);
    struct focal_incident one;
    struct focal_id a, b;
    assert_int_equal(incidents_of(hq, FOCAL_INCIDENT_TWO_LIVE, &one), 1);
    assert_memory_equal(one.log.author.b, ken->keys.sign_public.b, 32);
    assert_true(focal_oplog_epoch(focal_node_oplog(ken->node), &a) && focal_oplog_epoch(focal_node_oplog(copy->node), &b));
    bool in_order = memcmp(a.b, b.b, 8) < 0;
    assert_memory_equal(one.log.epoch.b, in_order ? a.b : b.b, 8);
    assert_memory_equal(one.log.epoch.b + 8, in_order ? b.b : a.b, 8);
    live_on(200000);
    assert_int_equal(incidents_of(hq, FOCAL_INCIDENT_TWO_LIVE, NULL), 1);
    assert_int_equal(all.next_id, link);        /* nobody had to dial again */
    assert_int_equal(lines_open(), 2);
    new_case(hq, &later);
    live_on(1000);
    assert_true(has_case(ken, &later) && has_case(copy, &later));
}

/* What a copy lacks its office lacks, though the other copy has it. */
static void status_speaks_of_the_copy_that_lacks_most(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct focal_peer_status s;
    struct focal_office office;
    assert_true(focal_office_parse(&office, focal_span_text("KEN")));
    struct place *copy = copy_of(ken);
    live_on(5000);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    new_case(hq, &ref);
    for (size_t i = 0; i < LINES; i++) {                /* only the first copy hears of it */
        struct line *l = &all.lines[i];
        int at = l->open && l->at[1] == hq;
        while (l->open && l->at[0] == ken && focal_node_take_frame(hq->node, l->id[at], &frame)) {
            struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
            e.is.frame.link = l->id[1 - at];
            e.is.frame.bytes = focal_buf_view(&frame);
            assert_int_equal(step_with(ken, &e), FOCAL_OK);
        }
        while (l->open && l->at[0] == ken && focal_node_take_frame(ken->node, l->id[0], &frame)) {
            struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
            e.is.frame.link = l->id[1];
            e.is.frame.bytes = focal_buf_view(&frame);
            assert_int_equal(step_with(hq, &e), FOCAL_OK);
        }
    }
    focal_buf_close(&frame);
    assert_true(has_case(ken, &ref) && !has_case(copy, &ref));
    status_of(hq, "KEN", &s);
    assert_true(!s.equal && s.they_lack_known && s.they_lack > 0);
    assert_int_equal(focal_node_seen(hq->node, &office, &ref), 1);      /* it is safe there all the same */
    live_on(1000);
    status_of(hq, "KEN", &s);
    assert_true(s.equal && s.they_lack == 0);
}

/* An office that lost its link without a sign and begins again under a new epoch is one office. */
static void a_restart_is_no_second_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].open && all.lines[i].at[0] == ken) {
            all.lines[i].open = false;
            lose_link(ken, all.lines[i].id[0]);
        }
    focal_node_close(ken->node);
    focal_fake_store_lose_fence(ken->store);
    place_open(ken);
    struct focal_ref ref;
    new_case(ken, &ref);
    live_on(30000);
    assert_true(has_case(hq, &ref));
    assert_int_equal(lines_open(), 1);
    live_on(200000);
    assert_int_equal(incidents_of(hq, FOCAL_INCIDENT_TWO_LIVE, NULL), 0);
    assert_int_equal(lines_open(), 1);
}

/* Links are made anew, once, where what names them could be mistaken: KEN's was made before it had an epoch. */
static void a_new_epoch_is_said_on_a_new_link(void **state)
{
    (void)state;
    struct focal_id epoch;
    assert_int_equal(hq->node->link_count, 1);
    assert_true(focal_get_be64(focal_session_epoch(hq->node->links[0].session, true)) == 0);
    struct place *copy = copy_of(ken);
    live_on(10000);
    assert_int_equal(hq->node->link_count, 2);
    const struct link *l = link_of_office(copy->node, &(struct focal_office){ .text = "HQ" });
    assert_non_null(l);
    assert_true(focal_oplog_epoch(focal_node_oplog(copy->node), &epoch));
    assert_memory_equal(focal_session_epoch(l->session, false), epoch.b, 8);
    for (size_t i = 0; i < hq->node->link_count; i++)
        assert_true(focal_get_be64(focal_session_epoch(hq->node->links[i].session, true)) != 0);
}

static size_t talking(const struct place *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->node->link_count; i++)
        count += focal_session_state(p->node->links[i].session) == FOCAL_SESSION_TALKING && !p->node->links[i].closing_since_ms;
    return count;
}

/* Handshakes done and nothing said: they must neither take the places of others nor throw out a link that speaks. */
static void silence_takes_few_places(void **state)
{
    (void)state;
    struct focal_key far = hq->keys.channel_public;
    struct focal_psk psk = { .is_network = true };
    struct focal_buf frame;
    memcpy(psk.key, all.secret, 32);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (int i = 0; i < 12; i++) {
        uint64_t link = accept_stranger(hq);
        struct focal_session *s = focal_session_dialled(&ken->node->host, 1000 + (uint64_t)i, &far, &psk);
        bool taken = true;
        struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
        e.is.frame.link = link;
        for (int turn = 0; turn < 2; turn++) {
            focal_buf_clear(&frame);
            assert_int_equal(focal_session_take(s, &frame, &taken), FOCAL_OK);
            assert_true(taken);
            e.is.frame.bytes = focal_buf_view(&frame);
            assert_int_equal(step_with(hq, &e), FOCAL_OK);
            if (turn == 0) {
                assert_true(focal_node_take_frame(hq->node, link, &frame));
                assert_int_equal(focal_session_frame(s, focal_buf_view(&frame)), FOCAL_OK);
            }
        }
        focal_session_free(s);
        assert_true(talking(hq) <= LINKS_PER_KEY_MAX);
    }
    focal_buf_close(&frame);
    assert_int_equal(talking(hq), LINKS_PER_KEY_MAX);
    assert_int_equal(lines_open(), 1);
    struct focal_ref ref;
    new_case(ken, &ref);
    run();
    assert_true(has_case(hq, &ref));
}

/* Whoever holds the key can make up epochs for ever. */
static void many_pairs_are_few_incidents(void **state)
{
    (void)state;
    struct focal_oplog *ol = focal_node_oplog(hq->node);
    assert_int_equal(focal_store_begin(hq->store), FOCAL_OK);
    for (uint64_t i = 1; i < 100; i++) {
        uint8_t one[8], other[8];
        focal_put_be64(one, i);
        focal_put_be64(other, i + 1000);
        enum focal_status st = focal_oplog_incident_two_live(ol, &ken->keys.sign_public, i % 2 ? one : other, i % 2 ? other : one);
        assert_int_equal(st, i <= 16 ? FOCAL_OK : FOCAL_EXISTS);
        assert_int_equal(focal_oplog_incident_two_live(ol, &ken->keys.sign_public, other, one), FOCAL_EXISTS);
    }
    assert_int_equal(focal_store_commit(hq->store), FOCAL_OK);
    assert_int_equal(incidents_of(hq, FOCAL_INCIDENT_TWO_LIVE, NULL), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_copies_do_not_throw_each_other_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(status_speaks_of_the_copy_that_lacks_most, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restart_is_no_second_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_epoch_is_said_on_a_new_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_takes_few_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_pairs_are_few_incidents, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_copies", tests, NULL, NULL);
}
