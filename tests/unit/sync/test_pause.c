/* PAUSE: what goes on and what waits while one end's disk is nearly full, and that nothing of it is lost or acknowledged. */
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
    struct office *both[] = { &hq, &ken };
    for (int i = 0; i < 4; i++)
        hold(both[i / 2], &both[i % 2]->statement);
    ends_link(&a, &hq, &b, &ken);
    ends_shake(&a, &b);
    pump(&a, &b);
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

static uint64_t head_at(struct end *e, const struct office *author, const struct focal_scope *scope)
{
    const struct focal_log *log = log_of(e->office, &net, author, scope);
    return log ? log->head.seq : 0;
}

static uint64_t acked_by(struct end *e, const struct office *author, const struct focal_scope *scope)
{
    const struct focal_log *log = log_of(e->office, &net, author, scope);
    const struct peer_log *p = log ? peer_log_get(e->s, &log->id) : NULL;
    return p ? p->theirs : 0;
}

static void resume(struct end *e)
{
    e->host.pause = e->host.pause_strict = false;
    assert_int_equal(focal_session_resume(e->s), FOCAL_OK);
}

static void data_waits_and_control_goes_on(void **state)
{
    (void)state;
    end_write(&a, &scope_network, 1);           /* with the opening of its epoch, which is control */
    pump(&a, &b);
    uint64_t before = head_at(&b, &hq, &scope_network);
    b.host.pause = true;
    pump(&a, &b);
    assert_true(focal_session_they_pause(a.s));
    assert_false(focal_session_they_pause(b.s));
    uint64_t sent = focal_session_bytes(a.s, true);
    end_write(&a, &scope_network, 50);
    pump(&a, &b);
    assert_int_equal(focal_session_bytes(a.s, true), sent);
    assert_int_equal(head_at(&b, &hq, &scope_network), before);
    /* What the paused end writes goes out as ever. */
    end_write(&b, &scope_network, 5);
    end_write(&a, &scope_control, 3);
    pump(&a, &b);
    assert_int_equal(head_at(&a, &ken, &scope_network), head_at(&b, &ken, &scope_network));
    assert_true(head_at(&b, &hq, &scope_control) > 0);
    assert_int_equal(head_at(&b, &hq, &scope_control), head_at(&a, &hq, &scope_control));
    assert_int_equal(head_at(&b, &hq, &scope_network), before);
    resume(&b);
    pump(&a, &b);
    assert_false(focal_session_they_pause(a.s));
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_int_equal(acked_by(&a, &hq, &scope_network), head_at(&a, &hq, &scope_network));
}

/* Entries that were on their way when the other end paused: passed over, not acknowledged, asked for afterwards. */
static void what_was_on_its_way_is_not_acknowledged(void **state)
{
    (void)state;
    struct focal_buf held[64];
    size_t count = 0;
    end_write(&a, &scope_network, 2000);
    for (; count < 64; count++) {
        focal_buf_init(&held[count], FOCAL_NOISE_MAX);
        if (!end_take(&a, &held[count])) {
            focal_buf_close(&held[count]);
            break;
        }
    }
    assert_true(count > 1 && count < 64);
    uint64_t acked = acked_by(&a, &hq, &scope_network);
    b.host.pause = true;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(end_frame(&b, focal_buf_view(&held[i])), FOCAL_OK);
        focal_buf_close(&held[i]);
    }
    pump(&a, &b);
    assert_int_equal(head_at(&b, &hq, &scope_network), 0);
    assert_int_equal(acked_by(&a, &hq, &scope_network), acked);
    assert_true(a.s->in_flight_bytes < FOCAL_WINDOW_START_BYTES);
    ends_time(&a, &b, 200000);
    pump(&a, &b);
    assert_int_equal(head_at(&b, &hq, &scope_network), 0);
    resume(&b);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
}

static void a_paused_end_asks_for_nothing(void **state)
{
    (void)state;
    b.host.pause = true;
    pump(&a, &b);
    /* The end that was told to pause announces what it has in a new talk; it is known to be lacking, and not asked for. */
    end_close(&a);
    end_close(&b);
    end_make(&a, &hq, 1000);
    end_make(&b, &ken, 1000);
    end_write(&a, &scope_network, 10);
    b.host.pause = true;
    ends_dial(&a, &b);
    ends_shake(&a, &b);
    pump(&a, &b);
    uint64_t they, we;
    focal_session_lack(b.s, &they, &we);
    assert_true(we >= 10);
    assert_int_equal(b.host.asks.count, 0);
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    assert_int_equal(b.host.asks.count, 0);
    resume(&b);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
}

/* It had asked before it paused, and what it asked for was passed over: it asks again at once, not when that looks lost. */
static void what_was_asked_for_is_asked_again(void **state)
{
    (void)state;
    end_close(&a);
    end_close(&b);
    end_make(&a, &hq, 1000);
    end_make(&b, &ken, 1000);
    end_write(&a, &scope_network, 10);
    ends_dial(&a, &b);
    ends_shake(&a, &b);
    for (int i = 0; i < 1000 && b.host.asks.count == 0; i++)
        (void)pump_some(&a, &b, 1);
    assert_true(b.host.asks.count > 0);
    b.host.pause = b.host.pause_strict = true;
    pump(&a, &b);
    assert_int_equal(head_at(&b, &hq, &scope_network), 0);
    resume(&b);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
}

/* Nothing of others is written at all: not even control, nor a receipt. */
static void strictly(void **state)
{
    (void)state;
    b.host.pause = b.host.pause_strict = true;
    pump(&a, &b);
    end_write(&a, &scope_control, 3);
    end_write(&a, &scope_network, 3);
    uint64_t digest, before, after;
    assert_int_equal(focal_shelf_digest(ken.store, FOCAL_SHELF_SEGMENT, &digest, &before), FOCAL_OK);
    pump(&a, &b);
    assert_false(b.tx);
    assert_int_equal(focal_shelf_digest(ken.store, FOCAL_SHELF_SEGMENT, &digest, &after), FOCAL_OK);
    assert_int_equal(after, before);
    struct focal_message m = { .type = FOCAL_MSG_RECEIPT };
    assert_true(pause_drops(b.s, FOCAL_MSG_RECEIPT) && pause_drops(b.s, FOCAL_MSG_STATEMENT));
    assert_false(pause_drops(b.s, FOCAL_MSG_ACK) || pause_drops(b.s, FOCAL_MSG_WANT) || pause_drops(a.s, m.type));
    resume(&b);
    pump(&a, &b);
    assert_true(same_frontier(&hq, &ken, &net, &scope_control));
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
}

static void notices_pass(void **state)
{
    (void)state;
    struct focal_log_name name = { .author = hq.keys.sign_public, .lane = FOCAL_LANE_NOTICES };
    focal_scope_id(&name.scope, focal_oplog_network(hq.ol), &scope_network);
    assert_true(pause_passes(a.s, &name));
    name.lane = FOCAL_LANE_DATA;
    assert_false(pause_passes(a.s, &name));
    focal_scope_id(&name.scope, focal_oplog_network(hq.ol), &scope_control);
    assert_true(pause_passes(a.s, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(data_waits_and_control_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_on_its_way_is_not_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_paused_end_asks_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_asked_for_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strictly, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notices_pass, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync pause", tests, NULL, NULL);
}
