/* A log with more branches than one item of a FRONTIER holds, and what a member may say of it that makes no sense. */
#include "ends.h"

enum { TWINS = 64, SHARED = 3 };

static struct network net;
static struct office ken, hq, tcd;
static struct end a, b;                 /* HQ, which holds all branches, and TCD, which holds the shared beginning */

static void write_one(struct office *o)
{
    struct focal_ref ref;
    begin(o);
    write_value(o, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(o);
}

/* Ken's disk, copied so often, and each copy written on. */
static void branch_out(void)
{
    struct focal_fake_image *image = focal_fake_store_backup(ken.store, true);
    assert_non_null(image);
    for (uint64_t i = 0; i < TWINS; i++) {
        struct office twin = ken;
        twin.store = focal_fake_store_clone(image);
        assert_non_null(twin.store);
        twin.chance.state += 99 + i;
        focal_buf_init(&twin.statement, FOCAL_STATEMENT_MAX);
        office_open(&twin);
        write_one(&twin);
        write_one(&twin);
        const struct focal_log *log = log_of(&twin, &net, &ken, &scope_network);
        struct carried c;
        assert_int_equal(take_up(&twin, log, SHARED + 2, 1000, &c), FOCAL_OK);
        begin(&hq);
        assert_int_equal(hand_over(&hq, &c), FOCAL_OK);
        commit(&hq);
        carried_close(&c);
        office_close(&twin);
    }
    focal_fake_image_free(image);
}

static int set_up(void **state)
{
    (void)state;
    struct office *const all[] = { &ken, &hq, &tcd };
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&hq, &net, "HQ", 8);
    office_make(&tcd, &net, "TCD", 9);
    for (size_t i = 0; i < 9; i++)
        hold(all[i / 3], &all[i % 3]->statement);
    focal_fake_store_fence(ken.store, (struct focal_entropy){ .fill = chance_fill, .data = &ken.chance }, "machine");
    focal_oplog_close(ken.ol);
    office_open(&ken);
    for (int i = 0; i < SHARED; i++)
        write_one(&ken);
    carry_all(&ken, &hq);
    carry_all(&ken, &tcd);
    branch_out();
    ends_link(&a, &hq, &b, &tcd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ends_close(&a, &b);
    office_close(&ken);
    office_close(&hq);
    office_close(&tcd);
    network_close(&net);
    return 0;
}

static const struct focal_log *trunk_at(struct office *o)
{
    const struct focal_log *log = log_of(o, &net, &ken, &scope_network);
    assert_non_null(log);
    return log;
}

static size_t lines_at(struct office *o)
{
    size_t count = 0;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(o->ol, &trunk_at(o)->id, line)) != NULL;)
        count++;
    return count;
}

static void all_branches_come_over(void **state)
{
    (void)state;
    assert_int_equal(lines_at(&hq), TWINS);
    ends_shake(&a, &b);
    pump(&a, &b);
    for (uint64_t s = 1; s < 100 && !focal_session_equal(b.s); s++) {
        ends_time(&a, &b, 1000 + s * 11000);
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
        assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
        pump(&a, &b);
    }
    assert_true(focal_session_equal(a.s));
    assert_true(focal_session_equal(b.s));
    assert_int_equal(lines_at(&tcd), TWINS);
    assert_true(same_frontier(&hq, &tcd, &net, &scope_network));
    assert_same_state(&hq, &tcd);
    uint64_t they, we, seq;
    focal_session_lack(a.s, &they, &we);
    assert_int_equal(they + we, 0);
    assert_true(focal_session_has(a.s, trunk_at(&hq), &seq));
    assert_int_equal(seq, trunk_at(&hq)->head.seq);
}

/* ---- what makes no sense ---- */

static enum focal_status ask_heads(const struct focal_id *log, const struct focal_frontier_tip *to, struct focal_span items, size_t count)
{
    struct focal_message m = { .type = FOCAL_MSG_HEADS };
    m.is.heads.log = *log;
    m.is.heads.to = *to;
    m.is.heads.items = items;
    m.is.heads.count = count;
    return say(&b, &a, &m);
}

static void heads_out_of_the_way(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    queue_drop(a.s);                    /* nothing goes out by itself */
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (end_take(&b, &frame))
        assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    focal_buf_close(&frame);
    const struct focal_log *trunk = trunk_at(&hq), *line = NULL;
    struct focal_frontier_tip tip = { .seq = trunk->head.seq };
    struct focal_id unknown = trunk->id;
    unknown.b[0] ^= 1;
    keyed_hash(a.s, tip.keyed, &trunk->head.h);
    assert_int_equal(ask_heads(&unknown, &tip, focal_span_of(NULL, 0), 0), FOCAL_OK);
    struct focal_frontier_tip other = tip;
    other.keyed[0] ^= 1;
    assert_int_equal(ask_heads(&trunk->id, &other, focal_span_of(NULL, 0), 0), FOCAL_OK);
    struct peer_log *p = peer_log_get(a.s, &trunk->id);
    assert_true(!p || !p->fork || p->fork->send_count == 0);

    /* Heads that are not on the way, beyond it, twice, and one that is. */
    struct focal_buf items;
    struct focal_hash h;
    focal_buf_init(&items, 1024);
    struct focal_frontier_tip list[4] = { other, tip, tip, { .seq = 2 } };
    list[1].seq = UINT64_MAX;
    list[2].seq = 1;
    assert_int_equal(focal_oplog_hash_on(hq.ol, trunk, 2, &h), FOCAL_OK);
    keyed_hash(a.s, list[3].keyed, &h);
    for (size_t i = 0; i < 4; i++)
        focal_heads_put(&items, &list[i]);
    assert_int_equal(ask_heads(&trunk->id, &tip, focal_buf_view(&items), 4), FOCAL_OK);
    focal_buf_close(&items);
    p = peer_log_get(a.s, &trunk->id);
    assert_int_equal(p->fork->send_count, 1);
    assert_int_equal(p->fork->sends[0].next, 3);

    /* All tips at once: so many are under way, and no more. */
    while ((line = focal_oplog_next_line(hq.ol, &trunk->id, line)) != NULL) {
        keyed_hash(a.s, tip.keyed, &line->head.h);
        tip.seq = line->head.seq;
        assert_int_equal(ask_heads(&trunk->id, &tip, focal_span_of(NULL, 0), 0), FOCAL_OK);
    }
    assert_int_equal(p->fork->send_count, FORK_SENDS_MAX);
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    m.is.want.log = trunk->id;
    m.is.want.from = trunk->head.seq;
    m.is.want.to = tip;
    m.is.want.to.keyed[0] ^= 1;                 /* a range of a tip that is not here */
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(p->fork->send_count, FORK_SENDS_MAX);
    assert_false(a.s->closing);
}

/* Tips below the heads of more lines than one call may look at: each is found, or asked for, within a few seconds. */
static void tips_below_many_heads(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *trunk = trunk_at(&hq), *last = NULL;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(hq.ol, &trunk->id, line)) != NULL;)
        last = line;
    struct focal_hash h;
    struct focal_frontier_item item = { .author = trunk->name.author, .epoch = trunk->name.epoch, .lane = trunk->name.lane,
        .tip_count = 2, .tips = { { .seq = SHARED + 2 }, { .seq = SHARED + 2, .keyed = { 1, 2, 3 } } } };
    assert_int_equal(last->head.seq, SHARED + 3);
    assert_int_equal(focal_oplog_hash_on(hq.ol, last, SHARED + 2, &h), FOCAL_OK);
    keyed_hash(a.s, item.tips[0].keyed, &h);
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_frontier_put(&items, &item);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    memcpy(m.is.frontier.tag, shared_by_id(b.s, &trunk->name.scope)->tag, 8);
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    struct fork *f = peer_log_get(a.s, &trunk->id)->fork;
    asks_forget_link(&a.host, a.s->link);
    f->asked.seq = 0;
    const uint64_t looks = focal_oplog_looks(hq.ol);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    focal_buf_close(&items);
    assert_int_equal(focal_oplog_looks(hq.ol) - looks, LOOKS_MAX);
    assert_int_equal(f->tips[0].state, TIP_UNKNOWN);
    assert_int_equal(a.host.asks.count, 0);
    int seconds = 0;
    for (; a.host.asks.count == 0; seconds++) {
        assert_true(seconds < 2 + 2 * TWINS / LOOKS_MAX);
        ends_time(&a, &b, a.host.now.mono_ms + 1000);
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    }
    assert_int_equal(f->tips[0].state, TIP_HELD);
    assert_int_equal(f->tips[0].serial, last->serial);
    assert_int_equal(f->tips[1].state, TIP_LACKING);
    assert_memory_equal(f->asked.keyed, item.tips[1].keyed, 8);
    assert_int_equal(f->unknown, 0);
}

/* A list of tips that fills its item goes on with the next; one that never ends is only longer. */
static void lists_that_go_on(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *trunk = trunk_at(&hq);
    struct focal_frontier_item item = { .author = trunk->name.author, .epoch = trunk->name.epoch, .lane = trunk->name.lane,
        .tip_count = FOCAL_TIPS_MAX };
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    for (uint64_t i = 0; i < FOCAL_TIPS_MAX; i++)
        item.tips[i] = (struct focal_frontier_tip){ .seq = i % 5 ? 1000 + i : 0 };      /* some are none */
    focal_frontier_put(&items, &item);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    struct focal_hash scope;
    focal_scope_id(&scope, &net.id, &scope_network);
    memcpy(m.is.frontier.tag, shared_by_id(b.s, &scope)->tag, 8);
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    struct fork *f = peer_log_get(a.s, &trunk->id)->fork;
    assert_non_null(f);
    assert_true(f->tips_open);
    const size_t once = f->tip_count;
    assert_in_range(once, 1, FOCAL_TIPS_MAX - 1);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(f->tip_count, 2 * once);
    item.tip_count = 1;
    item.tips[0].seq = 0;
    focal_buf_clear(&items);
    focal_frontier_put(&items, &item);
    m.is.frontier.items = focal_buf_view(&items);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_false(f->tips_open);
    assert_int_equal(f->tip_count, 2 * once);
    assert_false(focal_session_equal(a.s));     /* they claim what is not here */
    focal_buf_close(&items);
}

/* Counts say nothing of a forked log; a range of a tip that is here is sent; bytes that are no stretch cost the link. */
static void counts_ranges_and_no_stretch(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    const struct focal_log *trunk = trunk_at(&hq);
    struct peer_log *p = peer_log_get(a.s, &trunk->id);
    const uint64_t theirs = p->theirs;
    struct focal_buf items;
    const struct focal_ack_item item = { .log = trunk->id, .seq = 1000 };
    focal_buf_init(&items, 64);
    focal_ack_put(&items, &item);
    struct focal_message m = { .type = FOCAL_MSG_ACK };
    m.is.ack.items = focal_buf_view(&items);
    m.is.ack.count = 1;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(p->theirs, theirs);
    focal_buf_close(&items);

    p->fork->send_count = 0;
    m = (struct focal_message){ .type = FOCAL_MSG_WANT };
    m.is.want.log = trunk->id;
    m.is.want.from = 2;
    m.is.want.to.seq = trunk->head.seq;
    keyed_hash(a.s, m.is.want.to.keyed, &trunk->head.h);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    m.is.want.from = 1;                         /* again, from further back */
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(p->fork->send_count, 1);
    assert_int_equal(p->fork->sends[0].next, 1);

    m = (struct focal_message){ .type = FOCAL_MSG_SEGMENT };
    m.is.segment.log = trunk->id;
    m.is.segment.packed = focal_span_text("no stretch");
    assert_int_equal(say(&b, &a, &m), FOCAL_NEVER);
    assert_true(a.s->closing);
    assert_int_equal(lines_at(&hq), TWINS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_branches_come_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(heads_out_of_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tips_below_many_heads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_that_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_ranges_and_no_stretch, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
