/* Whom a node dials and when; two links to one office; pauses; addresses. */
#include "places.h"

static const char *const hq_at[] = { "hq.example:7443" }, *const ken_at[] = { "ken.example:7443" };
static struct place *hq, *ken;

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

static void both_listen(void)
{
    say_addresses(hq, hq_at, 1);
    say_addresses(ken, ken_at, 1);
    (void)dial(ken, hq);
    run();
    pass(1000);
}

static struct focal_node_event dial_now(const char *code)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_NOW };
    assert_true(focal_office_parse(&e.is.dial_now, focal_span_text(code)));
    return e;
}

static void an_office_dials_headquarters(void **state)
{
    (void)state;
    struct focal_peer_status s;
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UNKNOWN);
    assert_false(s.heard || s.equal || s.they_lack_known || s.we_lack_known);
    assert_true(s.will_try);
    tick(hq);
    obey(hq);
    assert_int_equal(hq->dial_count, 0);
    tick(ken);
    obey(ken);
    assert_int_equal(ken->dial_count, 1);
    assert_string_equal(ken->dials[0].address, hq_at[0]);       /* of the invitation */
    tick(ken);
    obey(ken);
    assert_int_equal(ken->dial_count, 1);
    (void)answer_dial(ken, hq);
    run();
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    assert_true(s.heard && s.we_lack_known);
    status_of(hq, "KEN", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
}

static void back_off_doubles_up_to_five_minutes(void **state)
{
    (void)state;
    uint64_t most = 1000, longest = 0;
    for (int i = 0; i < 20; i++) {
        tick(ken);
        obey(ken);
        assert_int_equal(ken->dial_count, 1);
        struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_FAILED };
        e.is.dial.dial_tag = ken->dials[0].dial_tag;
        e.is.dial.why = FOCAL_UNREACHABLE;
        ken->dial_count = 0;
        assert_int_equal(step_with(ken, &e), FOCAL_OK);
        struct focal_peer_status s;
        status_of(ken, "HQ", &s);
        assert_int_equal(s.tries, i + 1);
        assert_int_equal(s.link, FOCAL_LINK_OFFLINE);
        assert_true(s.next_try_in_ms >= 1 && s.next_try_in_ms <= most);
        assert_true(focal_node_deadline_ms(ken->node) <= all.now.mono_ms + (s.next_try_in_ms > 20 ? s.next_try_in_ms : 20));
        longest = s.next_try_in_ms > longest ? s.next_try_in_ms : longest;
        most = most * 2 > 300000 ? 300000 : most * 2;
        all.now.mono_ms += s.next_try_in_ms;
    }
    assert_true(longest > 60000);
    struct focal_node_event e = dial_now("HQ");
    assert_int_equal(answer_to(ken, e), FOCAL_OK);
    obey(ken);
    assert_int_equal(ken->dial_count, 1);
}

/* What is due comes, however often somebody asks or something else happens. */
static void nothing_keeps_a_tick_away(void **state)
{
    (void)state;
    for (int asks = 0; asks < 2; asks++) {
        struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_FAILED };
        struct focal_clock clock;
        tick(ken);
        obey(ken);
        assert_int_equal(ken->dial_count, 1);
        e.is.dial.dial_tag = ken->dials[0].dial_tag;
        e.is.dial.why = FOCAL_UNREACHABLE;
        ken->dial_count = 0;
        assert_int_equal(step_with(ken, &e), FOCAL_OK);
        struct focal_peer_status s;
        status_of(ken, "HQ", &s);
        const uint64_t due = all.now.mono_ms + (s.next_try_in_ms > 20 ? s.next_try_in_ms : 20);
        while (focal_node_deadline_ms(ken->node) > all.now.mono_ms && all.now.mono_ms < due + 100) {
            all.now.mono_ms += 5;
            e.is.dial.dial_tag = 0;     /* nobody's */
            if (asks)
                focal_node_clock(ken->node, all.now, &clock);
            else
                assert_int_equal(step_with(ken, &e), FOCAL_OK);
        }
        assert_true(all.now.mono_ms <= due + 5);
    }
}

/* A listener that does not accept the key closes without a word, after the dialler has finished its handshake. */
static void refused_is_not_connected(void **state)
{
    (void)state;
    struct focal_peer_status s;
    ken->node->secret[0] ^= 1;
    for (uint32_t i = 1; i <= 6; i++) {
        (void)dial(ken, hq);
        run();
        assert_int_equal(lines_open(), 0);
        status_of(ken, "HQ", &s);
        assert_int_equal(s.link, FOCAL_LINK_REFUSED);
        assert_false(s.heard || s.equal || s.we_lack_known);
        assert_int_equal(s.tries, i);
        all.now.mono_ms += s.next_try_in_ms;
    }
    ken->node->secret[0] ^= 1;
    (void)dial(ken, hq);
    run();
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    assert_int_equal(s.tries, 0);
}

static void a_newer_link_of_the_same_end_stays(void **state)
{
    (void)state;
    both_listen();
    struct line *old = NULL;
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].open)
            old = &all.lines[i];
    assert_non_null(old);
    /* KEN's machine lost the link without a sign to HQ. */
    struct focal_node_event e = { .type = FOCAL_EVENT_LINK_CLOSED };
    e.is.closed.link = old->id[0];
    e.is.closed.why = FOCAL_UNREACHABLE;
    assert_int_equal(step_with(ken, &e), FOCAL_OK);
    all.now.mono_ms += 2000;
    struct line *fresh = dial(ken, hq);
    run();
    assert_true(fresh->open);
    assert_false(old->open);
    assert_int_equal(hq->node->link_count, 1);
    assert_int_equal(ken->node->link_count, 1);
}

static void of_links_of_both_ends_one_stays(void **state)
{
    (void)state;
    both_listen();
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
    all.now.mono_ms += 2000;
    tick(ken);
    obey(ken);
    struct focal_node_event e = dial_now("KEN");
    assert_int_equal(answer_to(hq, e), FOCAL_OK);
    obey(hq);
    assert_true(hq->dial_count == 1 && ken->dial_count == 1);
    struct line *theirs = answer_dial(ken, hq), *ours = answer_dial(hq, ken);
    run();
    pass(100);
    bool hq_smaller = memcmp(hq->keys.channel_public.b, ken->keys.channel_public.b, 32) < 0;
    assert_int_equal(lines_open(), 1);
    assert_int_equal(ours->open, hq_smaller);
    assert_int_equal(theirs->open, !hq_smaller);
    struct focal_peer_status s;
    status_of(hq, "KEN", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    pass(10000);
    assert_int_equal(lines_open(), 1);
    assert_int_equal(ken->dial_count + hq->dial_count, 0);
}

static void a_pause_survives_a_restart(void **state)
{
    (void)state;
    struct focal_peer_status s;
    both_listen();
    pause_office(ken, "HQ", true);
    run();
    assert_int_equal(lines_open(), 0);
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_PAUSED);
    focal_node_close(ken->node);
    place_open(ken);
    pass(400000);
    assert_int_equal(ken->dial_count, 0);
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_PAUSED);

    struct focal_node_event e = dial_now("KEN");        /* who dials a paused office is told so */
    assert_int_equal(answer_to(hq, e), FOCAL_OK);
    obey(hq);
    (void)answer_dial(hq, ken);
    run();
    assert_int_equal(lines_open(), 0);
    status_of(hq, "KEN", &s);
    assert_true(strstr(s.why, "paused") != NULL);

    pause_office(ken, "HQ", false);
    obey(ken);
    tick(ken);
    obey(ken);
    assert_int_equal(ken->dial_count, 1);
    (void)answer_dial(ken, hq);
    run();
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
}

static void paused_by_them_is_asked_seldom(void **state)
{
    (void)state;
    both_listen();
    pause_office(hq, "KEN", true);
    run();
    size_t dials = 0;
    for (int i = 0; i < 600; i++) {
        pass(1000);
        dials += ken->dial_count;
        if (ken->dial_count)
            (void)answer_dial(ken, hq);
        run();
    }
    assert_true(dials >= 600000 / 300000 && dials < 120);
    pause_office(hq, "KEN", false);             /* headquarters does not dial otherwise */
    tick(hq);
    obey(hq);
    assert_int_equal(hq->dial_count, 1);
}

/* The old link is still closing when the office is wanted again. */
static void paused_and_resumed_at_once(void **state)
{
    (void)state;
    both_listen();
    tick(ken);
    obey(ken);
    if (ken->dial_count)
        (void)answer_dial(ken, hq);
    run();
    assert_int_equal(lines_open(), 1);
    pause_office(ken, "HQ", true);
    pause_office(ken, "HQ", false);
    run();
    assert_int_equal(lines_open(), 0);
    tick(ken);
    obey(ken);
    assert_int_equal(ken->dial_count, 1);       /* now, not after a back-off */
}

/* The dial was under way when the office was paused. */
static void paused_while_dialling(void **state)
{
    (void)state;
    tick(ken);
    obey(ken);
    pause_office(ken, "HQ", true);
    (void)answer_dial(ken, hq);
    run();
    assert_int_equal(lines_open(), 0);
    pause_office(ken, "HQ", false);
    pass(2000);
    assert_int_equal(ken->dial_count, 1);
    (void)answer_dial(ken, hq);
    run();
    struct focal_peer_status s;
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
}

static void addresses_are_published_once(void **state)
{
    (void)state;
    both_listen();
    struct peer *p = peer_of(hq->node, &(struct focal_office){ .text = "KEN" });
    assert_non_null(p);
    assert_int_equal(p->address_count, 1);
    assert_string_equal(p->addresses[0], ken_at[0]);
    uint64_t before, after, rows;
    assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &before, &rows), FOCAL_OK);
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < LINES; k++)
            cut(&all.lines[k], FOCAL_UNREACHABLE);
        focal_node_close(ken->node);
        place_open(ken);
        say_addresses(ken, ken_at, 1);
        pass(1000);
        ken->dial_count = 0;
    }
    assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &after, &rows), FOCAL_OK);
    assert_int_equal(before, after);
    static const char *const moved[] = { "new.example:7443", "bad\x1b[2J:1" };
    say_addresses(ken, moved, 2);
    assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &after, &rows), FOCAL_OK);
    assert_true(before != after);
    struct focal_node_event e = { .type = FOCAL_EVENT_DIAL_NOW };
    pass(300000);
    ken->dial_count = 0;
    focal_node_close(ken->node);
    place_open(ken);
    assert_int_equal(answer_to(ken, e), FOCAL_OK);
    (void)dial(ken, hq);
    run();
    p = peer_of(hq->node, &(struct focal_office){ .text = "KEN" });
    assert_int_equal(p->address_count, 1);              /* what is no address is not passed to a terminal or a resolver */
    assert_string_equal(p->addresses[0], "new.example:7443");
}

/* What sessions need not be told of again after a start. */
static void a_start_announces_nothing_old(void **state)
{
    (void)state;
    struct focal_ref ref;
    both_listen();
    new_case(ken, &ref);
    run();
    pass(1000);
    pass(1000);
    for (size_t k = 0; k < LINES; k++)
        cut(&all.lines[k], FOCAL_UNREACHABLE);
    focal_node_close(ken->node);
    place_open(ken);
    (void)dial(ken, hq);
    run();
    struct focal_peer_status s;
    status_of(ken, "HQ", &s);
    assert_true(s.equal);
    assert_true(focal_node_session_bytes(ken->node, &s.office, true) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_office_dials_headquarters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(back_off_doubles_up_to_five_minutes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_keeps_a_tick_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_is_not_connected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_link_of_the_same_end_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_links_of_both_ends_one_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pause_survives_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paused_by_them_is_asked_seldom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paused_and_resumed_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paused_while_dialling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addresses_are_published_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_announces_nothing_old, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_links", tests, NULL, NULL);
}
