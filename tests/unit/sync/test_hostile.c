/* A far end that breaks the rules: it costs the link, bounded memory, and nobody's entries. */
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

/* What is left of a link whose far end was at fault: at most a BYE, then nothing. */
static void assert_ends(struct end *e)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (int i = 0; end_take(e, &frame); i++)
        assert_true(i < 8);
    focal_buf_close(&frame);
    assert_int_equal(focal_session_state(e->s), FOCAL_SESSION_CLOSED);
}

static void garbage_costs_the_link(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    ends_shake(&a, &b);
    pump(&a, &b);
    uint8_t noise[300];
    chance_fill(&hq.chance, noise, sizeof noise);
    assert_int_equal(end_frame(&b, focal_span_of(noise, sizeof noise)), FOCAL_NEVER);
    assert_int_equal(end_frame(&b, focal_span_of(noise, sizeof noise)), FOCAL_OK);      /* not even looked at any more */
    assert_ends(&b);
    assert_int_equal(end_frame(&a, focal_span_of(noise, 3)), FOCAL_NEVER);
    assert_ends(&a);
    focal_buf_close(&frame);
}

static void garbage_for_a_handshake(void **state)
{
    (void)state;
    uint8_t noise[96];
    chance_fill(&hq.chance, noise, sizeof noise);
    assert_int_equal(end_frame(&b, focal_span_of(noise, sizeof noise)), FOCAL_NEVER);
    assert_false(focal_session_proven(b.s));
    assert_int_equal(end_frame(&a, focal_span_of(NULL, 0)), FOCAL_NEVER);
    struct focal_buf frame;
    bool taken = false;
    focal_session_bye(b.s, FOCAL_BYE_FAULT);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    assert_int_equal(focal_session_take(b.s, &frame, &taken), FOCAL_OK);
    assert_false(taken);                        /* no channel: nothing can be said */
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    focal_buf_close(&frame);
}

static void a_frame_twice(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    ends_shake(&a, &b);
    assert_true(end_take(&a, &frame));
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_NEVER);
    assert_ends(&b);
    focal_buf_close(&frame);
}

static void too_large_inside(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    ends_shake(&a, &b);
    pump(&a, &b);
    uint8_t *big = focal_alloc(FOCAL_FRAME_MAX + 1);
    assert_non_null(big);
    big[0] = FOCAL_MSG_STATEMENT;
    assert_int_equal(focal_channel_seal(&a.s->secrets->channel, &frame, focal_span_of(big, FOCAL_FRAME_MAX + 1)), FOCAL_OK);
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_TOO_BIG);
    assert_ends(&b);
    focal_free(big);
    focal_buf_close(&frame);
}

static enum focal_status say_bytes(const uint8_t *bytes, size_t len)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    assert_int_equal(focal_channel_seal(&a.s->secrets->channel, &frame, focal_span_of(bytes, len)), FOCAL_OK);
    enum focal_status st = end_frame(&b, focal_buf_view(&frame));
    focal_buf_close(&frame);
    return st;
}

static void unknown_types(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    const uint8_t later[] = { 200, 1, 2, 3 }, never[] = { 40 };
    assert_int_equal(say_bytes(later, sizeof later), FOCAL_OK);
    assert_true(focal_session_equal(b.s));
    assert_int_equal(say_bytes(never, sizeof never), FOCAL_MALFORMED);
    assert_ends(&b);
}

static void wrong_secret(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    b.psks[0].key[3] ^= 1;
    assert_true(end_take(&a, &frame));
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
    assert_true(end_take(&b, &frame));
    assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    assert_true(end_take(&a, &frame));
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_NEVER);
    assert_false(focal_session_proven(b.s));
    assert_null(focal_session_certificate(b.s));
    focal_session_bye(b.s, FOCAL_BYE_FAULT);    /* as its node does */
    assert_ends(&b);
    assert_int_equal(b.frames, 1);              /* no word about what is held here */
    assert_int_equal(focal_session_bytes(a.s, false), 0);
    focal_buf_close(&frame);
}

static void no_candidate(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    b.psk_count = 0;
    for (int i = 0; i < 2; i++) {
        assert_true(end_take(i ? &b : &a, &frame));
        assert_int_equal(end_frame(i ? &a : &b, focal_buf_view(&frame)), FOCAL_OK);
    }
    assert_true(end_take(&a, &frame));
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_DENIED);
    focal_session_bye(b.s, FOCAL_BYE_FAULT);
    assert_ends(&b);
    focal_buf_close(&frame);
}

static void before_hello_nothing_else(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    struct focal_message m = { .type = FOCAL_MSG_CREDIT };
    struct focal_session *real = a.s;
    queue_drop(real);                           /* its HELLO */
    assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
    assert_ends(&b);
}

static void hello_twice(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_message m = { .type = FOCAL_MSG_HELLO };
    m.is.hello.version_least = m.is.hello.version_most = FOCAL_WIRE_VERSION;
    assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
}

static void join_on_a_session(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_message m = { .type = FOCAL_MSG_JOIN };
    assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
    assert_int_equal(b.joined, 0);
}

/* A piece of a log of HQ as a SEGMENT message. */
static enum focal_status say_piece(const struct carried *c, const struct focal_id *log)
{
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT };
    m.is.segment.log = *log;
    memcpy(m.is.segment.before, c->piece.before, 8);
    m.is.segment.is_signed = c->piece.is_signed;
    m.is.segment.signature = c->piece.signature;
    m.is.segment.packed = focal_buf_view(&c->packed);
    return say(&a, &b, &m);
}

static void a_log_never_named(void **state)
{
    (void)state;
    struct carried c;
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_session *quiet = a.s;
    a.s = NULL;                                 /* writes without telling */
    end_write(&a, &scope_network, 3);
    a.s = quiet;
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    assert_non_null(log);
    assert_int_equal(take_up(&hq, log, 1, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
    assert_int_equal(say_piece(&c, &log->id), FOCAL_NEVER);
    assert_ends(&b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 0);
    carried_close(&c);
}

static void every_bit_of_a_piece_is_signed(void **state)
{
    (void)state;
    struct carried c;
    end_write(&a, &scope_network, 3);
    carry_all(&hq, &ken);
    end_tell(&b);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_session *quiet = a.s;
    a.s = NULL;
    end_write(&a, &scope_network, 3);
    a.s = quiet;
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    assert_int_equal(take_up(&hq, log, 5, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
    c.piece.signature.b[5] ^= 1;
    assert_int_equal(say_piece(&c, &log->id), FOCAL_NEVER);
    assert_ends(&b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 4);
    carried_close(&c);
}

/* Names of logs that do not exist, from a member, as many as it likes. */
static void invented_names_are_bounded(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(b.s));
    struct focal_buf items, frame;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    struct focal_frontier_item item = { .author = hq.keys.sign_public, .tip_count = 1, .tips = { { .seq = UINT64_MAX } } };
    for (int round = 0; round < 200; round++) {
        focal_buf_clear(&items);
        for (int i = 0; i < 240; i++) {
            chance_fill(&hq.chance, item.epoch.b, sizeof item.epoch.b);
            focal_frontier_put(&items, &item);
        }
        struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
        memcpy(m.is.frontier.tag, a.s->shared[0].tag, 8);
        m.is.frontier.last = true;
        m.is.frontier.items = focal_buf_view(&items);
        assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    }
    assert_true(b.s->logs.count <= NAMES_MAX + 16);
    assert_true(b.host.asks.count <= NAMES_MAX);
    assert_true(b.s->queue_bytes <= QUEUE_BYTES_MAX);
    assert_false(focal_session_equal(b.s));
    focal_buf_close(&items);
    focal_buf_close(&frame);
}

/* Tips of one log without end: who holds more than can be held here says nothing by the rest. */
static void invented_tips_are_bounded(void **state)
{
    (void)state;
    end_write(&a, &scope_network, 3);
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *log = log_of(&ken, &net, &hq, &scope_network);
    assert_non_null(log);
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    struct focal_frontier_item item = { .author = log->name.author, .epoch = log->name.epoch, .lane = log->name.lane, .tip_count = FOCAL_TIPS_MAX };
    for (uint64_t round = 0; round < 200; round++) {
        focal_buf_clear(&items);
        for (int i = 0; i < 24; i++) {
            for (size_t t = 0; t < FOCAL_TIPS_MAX; t++) {
                item.tips[t].seq = 1 + chance_below(&hq.chance, 1000);
                chance_fill(&hq.chance, item.tips[t].keyed, sizeof item.tips[t].keyed);
            }
            focal_frontier_put(&items, &item);
        }
        struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
        memcpy(m.is.frontier.tag, shared_by_id(a.s, &log->name.scope)->tag, 8);
        m.is.frontier.last = true;
        m.is.frontier.items = focal_buf_view(&items);
        assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    }
    const struct peer_log *p = peer_log_get(b.s, &log->id);
    assert_true(p->fork && p->fork->tip_count <= FORK_TIPS_MAX);
    focal_buf_close(&items);
}

static void who_does_not_read_loses_the_link(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    enum focal_status st = FOCAL_OK;
    struct focal_message m = { .type = FOCAL_MSG_PING };
    for (uint32_t i = 0; i < QUEUE_BYTES_MAX / 9 + 2 && st == FOCAL_OK; i++)
        st = say(&a, &b, &m);
    assert_int_equal(st, FOCAL_FULL);
    assert_false(focal_sync_world(st));
    assert_true(b.s->closing);
}

/* What they claim to hold, or to want, beyond all there is. */
static void numbers_out_of_range(void **state)
{
    (void)state;
    end_write(&a, &scope_network, 3);
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    struct focal_buf items;
    focal_buf_init(&items, 64);
    struct focal_ack_item item = { .log = log->id, .seq = UINT64_MAX };
    focal_ack_put(&items, &item);
    struct focal_message m = { .type = FOCAL_MSG_ACK };
    m.is.ack.items = focal_buf_view(&items);
    m.is.ack.count = 1;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    m = (struct focal_message){ .type = FOCAL_MSG_CREDIT };
    m.is.credit = UINT32_MAX;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(a.s->in_flight_bytes, 0);
    m = (struct focal_message){ .type = FOCAL_MSG_WANT };
    m.is.want.log = log->id;
    m.is.want.from = UINT64_MAX;
    m.is.want.to.seq = UINT64_MAX;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    m = (struct focal_message){ .type = FOCAL_MSG_PONG };
    m.is.ping = UINT64_MAX;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    end_write(&a, &scope_network, 1);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    focal_buf_close(&items);
}

/* Unsigned entries beyond what honest members hold must not keep us from asking these. */
static void staging_does_not_stop_asking(void **state)
{
    (void)state;
    /* A second HQ with the same keys and chance writes the same beginning, then something else. */
    struct office clone;
    office_make(&clone, &net, "HQ", 7);
    hold(&clone, &hq.statement);
    hold(&clone, &ken.statement);
    struct focal_ref ref;
    struct office *twins[] = { &hq, &clone };
    for (int i = 0; i < 2; i++) {
        twins[i]->chance.state = 99;
        begin(twins[i]);
        for (uint8_t k = 0; k < 3; k++)
            write_value(twins[i], &scope_network, NULL, FIELD_A, k, &ref);
        commit(twins[i]);
    }
    carry_all(&hq, &ken);
    end_tell(&b);
    end_write(&a, &scope_network, 1);           /* head 5 at HQ, 4 at KEN */
    begin(&clone);
    for (int i = 0; i < 300; i++)
        write_value(&clone, &scope_network, NULL, FIELD_B, (uint8_t)(i * 7), &ref);
    commit(&clone);
    struct carried c;
    assert_int_equal(take_up(&clone, log_of(&clone, &net, &clone, &scope_network), 5, 200, &c), FOCAL_OK);
    assert_false(c.piece.is_signed);
    begin(&ken);
    assert_int_equal(hand_over(&ken, &c), FOCAL_OK);
    commit(&ken);
    const struct focal_log *log = log_of(&ken, &net, &clone, &scope_network);
    assert_int_equal(log->head.seq, 4);
    assert_true(log->staged.seq > 5);
    carried_close(&c);

    ends_time(&a, &b, 60000);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_int_equal(log->head.seq, 5);
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    office_close(&clone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(garbage_costs_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_for_a_handshake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_large_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_secret, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_candidate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(before_hello_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hello_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(join_on_a_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_never_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_bit_of_a_piece_is_signed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invented_names_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invented_tips_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_does_not_read_loses_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_out_of_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(staging_does_not_stop_asking, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_hostile", tests, NULL, NULL);
}
