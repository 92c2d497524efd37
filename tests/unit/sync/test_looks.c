/* What a peer says it holds costs reading here only within bounds, counted at the store: tips and heads that it invents, any
 * number of times, and true ones that lie far apart. What was left over is looked at later, and nothing is taken for held, nor
 * asked for, before it was seen. */
#include "ends.h"

enum { SEGMENTS = 90, EACH = 14, READS_MAX = LOOKS_MAX + 4 };        /* beside the looks, a few reads of what is sent */

static struct network net;
static struct office hq, ken;
static struct end a, b;

/* Segments that nobody joins, because each is nearly as large as a message: random bytes do not pack. */
static void write_segments(int count)
{
    uint8_t value[950];
    struct focal_ref ref;
    end_writing(&b);
    for (int i = 0; i < count * EACH; i++) {
        chance_fill(&ken.chance, value, sizeof value);
        assert_int_equal(try_write(&ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_OK);
    }
    end_finish(&b);
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
    ends_link(&a, &hq, &b, &ken);
    write_segments(SEGMENTS);
    carry_all(&ken, &hq);
    end_tell(&a);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
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

static const struct focal_log *the_log(void)
{
    const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
    assert_non_null(log);
    return log;
}

static struct peer_log *seen(void)
{
    struct peer_log *p = peer_log_get(b.s, &the_log()->id);
    assert_non_null(p);
    return p;
}

static uint64_t reads(void)
{
    return focal_fake_store_operations(ken.store);
}

static struct focal_frontier_tip true_tip(uint64_t seq)
{
    struct focal_frontier_tip tip = { .seq = seq };
    struct focal_hash h;
    assert_int_equal(focal_oplog_hash_on(hq.ol, log_of(&hq, &net, &ken, &scope_network), seq, &h), FOCAL_OK);
    keyed_hash(a.s, tip.keyed, &h);
    return tip;
}

static struct focal_frontier_tip invented_tip(uint64_t seq)
{
    struct focal_frontier_tip tip = { .seq = seq };
    chance_fill(&hq.chance, tip.keyed, sizeof tip.keyed);
    return tip;
}

/* One FRONTIER of A about the log: items of so many tips each. */
static enum focal_status tell(const struct focal_frontier_tip *tips, size_t count, size_t per_item)
{
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    struct focal_frontier_item item = { .author = the_log()->name.author, .epoch = the_log()->name.epoch, .lane = the_log()->name.lane };
    for (size_t i = 0; i < count; i += item.tip_count) {
        item.tip_count = (uint8_t)(count - i < per_item ? count - i : per_item);
        memcpy(item.tips, tips + i, item.tip_count * sizeof *tips);
        focal_frontier_put(&items, &item);
    }
    assert_false(items.failed);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    memcpy(m.is.frontier.tag, shared_by_id(a.s, &the_log()->name.scope)->tag, 8);
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    enum focal_status st = say(&a, &b, &m);
    focal_buf_close(&items);
    return st;
}

/* A second of B: what it costs. */
static uint64_t second_passes(void)
{
    const uint64_t before = reads();
    ends_time(&a, &b, b.host.now.mono_ms + 1000);
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    return reads() - before;
}

static void invented_tips_cost_a_bounded_reading(void **state)
{
    (void)state;
    enum { TIPS = 28 * FOCAL_TIPS_MAX - 1 };
    static struct focal_frontier_tip tips[TIPS];
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < TIPS; i++)
            tips[i] = invented_tip(1 + (i * 37 + round) % (the_log()->head.seq - 1));
        const uint64_t before = reads();
        assert_int_equal(tell(tips, TIPS, FOCAL_TIPS_MAX), FOCAL_OK);
        assert_in_range(reads() - before, 1, READS_MAX);
        assert_true(b.s->looks_due);
        assert_true(focal_session_deadline_ms(b.s) <= b.host.now.mono_ms + 1000);
    }
    assert_int_equal(seen()->fork->tip_count, FORK_TIPS_MAX);

    /* Asking what it knows reads nothing, and what is not seen is lacking. */
    uint64_t they, we, before = reads();
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, FORK_TIPS_MAX);
    assert_false(focal_session_equal(b.s));
    assert_int_equal(reads(), before);

    /* Each second a share; then all are known, and cost nothing more. */
    for (int i = 0; i < 2 * FORK_TIPS_MAX / LOOKS_MAX + 10; i++)
        assert_in_range(second_passes(), 0, 2 * READS_MAX);
    assert_int_equal(seen()->fork->unknown, 0);
    assert_false(b.s->looks_due);
    assert_int_equal(second_passes(), 0);
    assert_false(b.s->closing);
}

/* Single tips of one message, each in another segment: what could not be seen yet is not believed, and seen a second later. */
static void single_tips_wait_until_they_are_seen(void **state)
{
    (void)state;
    enum { TIPS = SEGMENTS - 10 };
    struct focal_frontier_tip tips[TIPS];
    for (uint64_t i = 0; i < TIPS; i++)
        tips[i] = true_tip(5 + i * EACH);
    seen()->theirs = seen()->sent = 0;
    uint64_t before = reads();
    assert_int_equal(tell(tips, TIPS, 1), FOCAL_OK);
    assert_in_range(reads() - before, 2, READS_MAX);
    assert_null(seen()->fork);
    assert_in_range(seen()->theirs, tips[0].seq, tips[LOOKS_MAX].seq);
    assert_true(b.s->looks_due);
    assert_in_range(second_passes(), 1, 2);
    assert_int_equal(seen()->theirs, tips[TIPS - 1].seq);
    assert_true(seen()->ack_due);
    assert_false(b.s->looks_due);

    /* The last one invented: seen as a fork then, and never before counted as held. */
    const uint64_t head = the_log()->head.seq;
    tips[TIPS - 1] = invented_tip(head - 3);
    seen()->theirs = seen()->sent = 0;
    assert_int_equal(tell(tips, TIPS, 1), FOCAL_OK);
    assert_null(seen()->fork);
    assert_true(seen()->theirs < head - 3);
    (void)second_passes();
    assert_non_null(seen()->fork);
    assert_int_equal(seen()->fork->tip_count, 1);
    assert_false(focal_session_equal(b.s));
    assert_int_equal(seen()->fork->asked.seq, head - 3);
}

/* The second word makes it forked while the first was left over: then nothing is left to be seen of it. */
static void forked_before_its_turn(void **state)
{
    (void)state;
    enum { TIPS = LOOKS_MAX + 6 };
    struct focal_frontier_tip tips[TIPS], two[2] = { true_tip(the_log()->head.seq), invented_tip(9) };
    for (uint64_t i = 0; i < TIPS; i++)
        tips[i] = true_tip(5 + i * EACH);
    assert_int_equal(tell(tips, TIPS, 1), FOCAL_OK);
    assert_true(seen()->look_due);
    assert_int_equal(tell(two, 2, 2), FOCAL_OK);
    assert_non_null(seen()->fork);
    assert_int_equal(seen()->fork->tip_count, 2);
    (void)second_passes();
    assert_false(seen()->look_due);
    assert_int_equal(seen()->fork->tip_count, 2);
    assert_int_equal(seen()->fork->tips[0].state, TIP_HELD);
    assert_int_equal(seen()->fork->tips[1].state, TIP_LACKING);
}

static enum focal_status ask(const struct focal_frontier_tip *to, const struct focal_frontier_tip *list, size_t count)
{
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    for (size_t i = 0; i < count; i++)
        focal_heads_put(&items, &list[i]);
    struct focal_message m = { .type = FOCAL_MSG_HEADS };
    m.is.heads.log = the_log()->id;
    m.is.heads.to = *to;
    m.is.heads.items = focal_buf_view(&items);
    m.is.heads.count = count;
    enum focal_status st = say(&a, &b, &m);
    focal_buf_close(&items);
    return st;
}

static void invented_heads_cost_a_bounded_reading(void **state)
{
    (void)state;
    struct focal_frontier_tip list[FOCAL_HEADS_MAX], to = true_tip(the_log()->head.seq);
    for (uint64_t i = 0; i < FOCAL_HEADS_MAX; i++)
        list[i] = invented_tip(3 + i * EACH);
    uint64_t before = reads();
    assert_int_equal(ask(&to, list, FOCAL_HEADS_MAX), FOCAL_OK);
    assert_in_range(reads() - before, LOOKS_MAX, READS_MAX);
    assert_int_equal(seen()->fork->sends[0].next, 1);           /* no shared entry was found: all of it is sent */

    /* Neighbours are read once. */
    for (uint64_t i = 0; i < FOCAL_HEADS_MAX; i++)
        list[i] = invented_tip(2 + i % (EACH - 4));
    list[7] = true_tip(2);
    before = reads();
    assert_int_equal(ask(&to, list, FOCAL_HEADS_MAX), FOCAL_OK);
    assert_in_range(reads() - before, 1, 4);
    assert_int_equal(seen()->fork->sends[0].next, 3);

    /* The highest that is shared decides, in whichever order they stand. */
    list[0] = true_tip(40);
    list[1] = true_tip(400);
    list[2] = true_tip(41);
    assert_int_equal(ask(&to, list, 3), FOCAL_OK);
    assert_int_equal(seen()->fork->sends[0].next, 401);
}

/* However small a peer cuts what it invents: a link has so many looks in a second. HEADS beyond that are not answered with a
 * whole log; they come again. */
static void small_messages_cost_no_more(void **state)
{
    (void)state;
    struct focal_frontier_tip tips[FOCAL_TIPS_MAX], to = true_tip(the_log()->head.seq), list[2];
    uint64_t before = reads();
    for (uint64_t round = 0; round < 60; round++) {
        for (uint64_t i = 0; i < FOCAL_TIPS_MAX - 1; i++)
            tips[i] = invented_tip(3 + i * EACH + round % 5);
        assert_int_equal(tell(tips, FOCAL_TIPS_MAX - 1, FOCAL_TIPS_MAX), FOCAL_OK);
    }
    assert_in_range(reads() - before, LOOKS_BURST - 2 * LOOKS_MAX, LOOKS_BURST + 4);
    list[0] = invented_tip(900);
    list[1] = true_tip(300);
    seen()->fork->send_count = 0;
    before = reads();
    assert_int_equal(ask(&to, list, 2), FOCAL_OK);
    assert_int_equal(seen()->fork->send_count, 0);
    assert_int_equal(reads(), before);
    assert_false(b.s->closing);

    for (int second = 0; second < 5; second++)
        assert_in_range(second_passes(), 0, LOOKS_MAX);
    assert_int_equal(ask(&to, list, 2), FOCAL_OK);
    assert_int_equal(seen()->fork->sends[0].next, 301);
    b.host.now.mono_ms += 3600 * 1000;          /* an hour saves no more than a burst */
    tip_looks_start(b.s);
    assert_int_equal(b.s->looks_saved, LOOKS_BURST);
}

/* A tip that is asked for when most of the share is spent waits for a whole list; a list is only as long as the share. */
static void a_list_of_heads_is_made_within_the_share(void **state)
{
    (void)state;
    struct focal_frontier_tip tips[LOOKS_MAX + 1];
    for (uint64_t i = 0; i < LOOKS_MAX - 4; i++)
        tips[i] = true_tip(5 + i * EACH);
    tips[LOOKS_MAX - 4] = invented_tip(the_log()->head.seq - 2);
    uint64_t before = reads();
    assert_int_equal(tell(tips, LOOKS_MAX - 3, FOCAL_TIPS_MAX), FOCAL_OK);
    assert_in_range(reads() - before, 1, READS_MAX);
    assert_int_equal(b.host.asks.count, 0);
    assert_true(b.s->looks_due);
    before = reads();
    (void)second_passes();
    assert_int_equal(b.host.asks.count, 1);
    assert_int_equal(seen()->fork->asked.seq, the_log()->head.seq - 2);
    assert_in_range(reads() - before, 1, READS_MAX);
}

/* A read that fails is the step's failure, wherever it was for, and never taken for "not held". */
static void a_failing_read_is_no_answer(void **state)
{
    (void)state;
    struct focal_frontier_tip deep[2] = { true_tip(9), true_tip(300) }, head = true_tip(the_log()->head.seq);
    const struct focal_fake_failure plan = { .nth = 1, .kinds = FOCAL_FAKE_PREV, .status = FOCAL_IO };
    focal_fake_store_plan(ken.store, plan);
    assert_int_equal(tell(deep, 1, 1), FOCAL_IO);
    focal_fake_store_plan(ken.store, plan);
    assert_int_equal(tell(deep, 2, 2), FOCAL_IO);
    focal_fake_store_plan(ken.store, plan);
    assert_int_equal(ask(&deep[0], deep, 1), FOCAL_IO);
    focal_fake_store_plan(ken.store, plan);
    assert_int_equal(ask(&head, deep, 1), FOCAL_IO);
    focal_fake_store_plan(ken.store, plan);
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    m.is.want.log = the_log()->id;
    m.is.want.from = 1;
    m.is.want.to = deep[1];
    assert_int_equal(say(&a, &b, &m), FOCAL_IO);
    assert_true(focal_fake_store_failed(ken.store));
    assert_false(b.s->closing);                 /* not the peer's fault */
    assert_int_equal(tell(deep, 2, 2), FOCAL_OK);
    assert_int_equal(seen()->fork->tips[0].state, TIP_HELD);
    assert_int_equal(seen()->fork->tips[1].state, TIP_HELD);
    focal_fake_store_plan(ken.store, (struct focal_fake_failure){ .nth = 0 });
}

/* What was found stands until a head of that log moves, and no longer. */
static void a_head_that_moves_has_tips_looked_at_again(void **state)
{
    (void)state;
    struct focal_frontier_tip tips[2] = { true_tip(9), invented_tip(300) };
    assert_int_equal(tell(tips, 2, 2), FOCAL_OK);
    assert_int_equal(second_passes(), 0);
    end_write(&b, &scope_chad, 1);              /* another log */
    assert_int_equal(second_passes(), 0);
    assert_true(tips_known(b.s, seen()));
    struct focal_session *quiet = b.s;
    b.s = NULL;
    end_write(&b, &scope_network, 1);
    b.s = quiet;
    uint64_t they, we;
    assert_false(tips_known(b.s, seen()));
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, 2);                    /* not known now */
    assert_in_range(second_passes(), 2, 2);
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(invented_tips_cost_a_bounded_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(single_tips_wait_until_they_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forked_before_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invented_heads_cost_a_bounded_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_messages_cost_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_heads_is_made_within_the_share, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_read_is_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_head_that_moves_has_tips_looked_at_again, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_looks", tests, NULL, NULL);
}
