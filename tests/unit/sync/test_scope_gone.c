/* Rights taken back while a forked log is under way: from that moment on nothing of it is told, asked, sent, taken in or
 * counted, in whichever state it was, and the link goes on. */
#include "forked.h"

static int with_shared(void **state) { (void)state; forked_make(SHARED_THERE); return 0; }
static int with_nothing(void **state) { (void)state; forked_make(NOTHING_THERE); return 0; }
static int tear_down(void **state) { (void)state; forked_close(); return 0; }

static struct focal_hash kenya(void)
{
    struct focal_hash id;
    focal_scope_id(&id, &net.id, &scope_kenya);
    return id;
}

/* TCD reads Kenya no longer, and both know it. */
static void take_back(void)
{
    struct end *const both[] = { &a, &b };
    const struct focal_hash id = kenya();
    for (int i = 0; i < 2; i++) {
        forked_reads(both[i]->office, &tcd, 2, 2);
        assert_int_equal(focal_session_rights_changed(both[i]->s), FOCAL_OK);
        assert_false(focal_session_shares(both[i]->s, &id));
        assert_null(shared_by_id(both[i]->s, &id));
    }
}

/* Nothing of the log leaves E; what else leaves is dropped. */
static void assert_says_nothing_of_it(struct end *e)
{
    struct end *other = e == &a ? &b : &a;
    struct focal_buf frame, plain;
    uint8_t tag[8];
    const struct focal_hash id = kenya();
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    keyed_hash(e->s, tag, &id);
    tag[0] &= 0x7f;
    while (end_take(e, &frame)) {
        struct focal_message m;
        focal_buf_clear(&plain);
        assert_int_equal(focal_channel_unseal(&other->s->secrets->channel, &plain, focal_buf_view(&frame)), FOCAL_OK);
        assert_int_equal(focal_message_decode(&m, focal_buf_view(&plain)), FOCAL_OK);
        assert_int_not_equal(m.type, FOCAL_MSG_HEADS);
        assert_int_not_equal(m.type, FOCAL_MSG_WANT);
        assert_int_not_equal(m.type, FOCAL_MSG_SEGMENT);
        assert_false(m.type == FOCAL_MSG_FRONTIER && memcmp(m.is.frontier.tag, tag, 8) == 0);
    }
    focal_buf_close(&frame);
    focal_buf_close(&plain);
}

static void lines_being_sent_stop(void **state)
{
    (void)state;
    forked_hello();
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(hq.ol, &forked_at(&hq)->id, line)) != NULL;) {
        struct focal_frontier_tip tip = tip_of(&a, line);
        assert_int_equal(ask_heads_to(&b, &a, &tip), FOCAL_OK);
    }
    assert_int_equal(forked_seen(&a)->fork->send_count, 2);
    take_back();
    assert_says_nothing_of_it(&a);
    assert_int_equal(forked_seen(&a)->fork->send_count, 0);
    assert_int_equal(forked_at(&tcd)->head.seq, SHARED);
}

static void a_line_not_forked_stops(void **state)
{
    (void)state;
    end_write(&a, &scope_kenya, 5);
    forked_hello();
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_kenya);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .log = log->id, .from = 1, .to.seq = log->head.seq } };
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    struct peer_log *p = peer_log_get(a.s, &log->id);
    assert_int_equal(p->next, 1);
    take_back();
    assert_says_nothing_of_it(&a);
    assert_int_equal(p->next, 0);
}

/* Ranges and heads asked for afterwards are not an error: rights differ for a while. */
static void what_is_asked_for_is_not_answered(void **state)
{
    (void)state;
    forked_hello();
    take_back();
    struct focal_frontier_tip tip = tip_of(&a, forked_at(&hq));
    assert_int_equal(ask_heads_to(&b, &a, &tip), FOCAL_OK);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .log = forked_at(&hq)->id, .from = 1, .to = tip } };
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    struct peer_log *p = forked_seen(&a);
    assert_true(!p || !p->fork || p->fork->send_count == 0);
    assert_says_nothing_of_it(&a);
    assert_false(a.s->closing);
}

/* Tips that changed and wait to be told; with them waits another scope's, which is told. */
static void changed_tips_are_not_told(void **state)
{
    (void)state;
    forked_hello();
    assert_int_equal(focal_session_log_changed(a.s, forked_at(&hq)), FOCAL_OK);
    assert_true(forked_seen(&a)->announce_due);
    take_back();
    assert_int_equal(a.s->announces_due, 1);
    assert_says_nothing_of_it(&a);
    assert_int_equal(a.s->announces_due, 0);
    assert_false(forked_seen(&a)->announce_due);
    assert_int_equal(focal_session_log_changed(a.s, forked_at(&hq)), FOCAL_OK);        /* nor noted any more */
    assert_int_equal(a.s->announces_due, 0);
}

static void several_scopes_are_told_one_by_one(void **state)
{
    (void)state;
    pump(&a, &b);
    struct focal_session *quiet = a.s;
    a.s = NULL;
    end_write(&a, &scope_network, 1);
    a.s = quiet;
    const struct focal_scope *const scopes[] = { &scope_network, &scope_kenya, &scope_control };
    for (size_t i = 0; i < 3; i++) {
        const struct focal_log *log = i == 1 ? forked_at(&hq) : log_of(&hq, &net, &hq, scopes[i]);
        struct peer_log *p = peer_log_make(a.s, &log->id, &log->name);
        assert_non_null(p);
        p->announce_due = true;
        a.s->announces_due++;
    }
    take_back();
    queue_drop(a.s);
    struct focal_buf items;
    struct focal_message m = { .type = FOCAL_MSG_BYE };
    size_t told[2] = { 0 };
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    while (frontier_announce(a.s, &m, &items)) {
        struct shared_scope *scope = shared_by_tag(a.s, m.is.frontier.tag);
        assert_non_null(scope);
        assert_false(m.is.frontier.whole);
        told[focal_scope_compare(&scope->scope, &scope_network) == 0]++;
        focal_buf_clear(&items);
    }
    assert_int_equal(told[0], 1);
    assert_int_equal(told[1], 1);
    assert_int_equal(a.s->announces_due, 0);
    focal_buf_close(&items);
}

/* What they still send of it is not admitted; it was on its way, so it costs them nothing. */
static void what_still_comes_is_not_taken(void **state)
{
    (void)state;
    struct focal_message m;
    struct carried c;
    forked_hello();
    struct focal_frontier_tip tip = tip_of(&b, forked_at(&hq));
    assert_int_equal(tell_tips(&a, &b, &tip, 1), FOCAL_OK);
    queue_drop(b.s);                            /* asked while it was shared */
    take_back();
    put_piece(&m, &c, &ken, SHARED + 1);
    const uint64_t due = b.s->credit_due_bytes;
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(forked_at(&tcd)->head.seq, SHARED);
    assert_true(b.s->credit_due_bytes > due);           /* the window is theirs again all the same */
    assert_false(b.s->closing);
    carried_close(&c);
    assert_int_equal(tell_tips(&a, &b, &tip, 1), FOCAL_OK);
    assert_true(b.s->names_dropped);
    assert_says_nothing_of_it(&b);
}

/* Tips that are not here were to be asked for: not of a scope that is gone, not while they said "not yet", not on a link
 * that ends. */
static void nothing_is_asked_for(void **state)
{
    (void)state;
    forked_hello();
    struct focal_frontier_tip tips[2] = { tip_of(&b, forked_at(&hq)), invented(3) };
    struct peer_log *p;
    assert_int_equal(tell_tips(&a, &b, tips, 2), FOCAL_OK);
    p = forked_seen(&b);
    assert_int_equal(b.host.asks.count, 1);
    assert_int_equal(p->fork->asked.seq, FORKED_HEAD);
    asks_forget_link(&b.host, b.s->link);
    p->blocked_until_ms = b.host.now.mono_ms + 1;
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    assert_int_equal(b.host.asks.count, 0);
    p->blocked_until_ms = 0;
    b.s->closing = true;
    assert_int_equal(fork_ask(b.s, p), FOCAL_OK);
    assert_int_equal(b.host.asks.count, 0);
    b.s->closing = false;
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);        /* it would have been */
    assert_int_equal(b.host.asks.count, 1);
    asks_forget_link(&b.host, b.s->link);

    uint64_t they, we;
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, 2);
    take_back();
    queue_drop(b.s);
    b.s->subjects_due = false;
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    assert_int_equal(b.host.asks.count, 0);
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, 0);                    /* not lacking what is not for us */
    assert_says_nothing_of_it(&b);
}

static void receipts_of_it_stay_here(void **state)
{
    (void)state;
    pump(&a, &b);
    take_back();
    queue_drop(a.s);
    const struct focal_signature signature = { .b = { 1 } };
    struct focal_hash gone = kenya(), network;
    focal_scope_id(&network, &net.id, &scope_network);
    focal_session_receipt(a.s, &gone, focal_span_text("body"), &signature);
    assert_null(a.s->queue_head);
    focal_session_receipt(a.s, &network, focal_span_text("body"), &signature);
    assert_non_null(a.s->queue_head);
}

/* While somebody pauses, nobody asks whether a scope that is gone is control. */
static void a_pause_passes_none_of_it(void **state)
{
    (void)state;
    forked_hello();
    struct focal_frontier_tip tip = tip_of(&a, forked_at(&hq));
    assert_int_equal(ask_heads_to(&b, &a, &tip), FOCAL_OK);
    take_back();
    a.s->they_pause = FOCAL_PAUSE_DISK;
    assert_false(pause_passes(a.s, &forked_at(&hq)->name));
    assert_says_nothing_of_it(&a);
    a.s->they_pause = FOCAL_PAUSE_NONE;
    assert_says_nothing_of_it(&a);
    assert_int_equal(forked_seen(&a)->fork->send_count, 0);
}

/* Both lines come to who holds nothing of it: what is shared first, once, and each line after it. */
static void both_lines_come_from_the_beginning(void **state)
{
    (void)state;
    pump(&a, &b);
    for (int i = 0; i < 20 && !focal_session_equal(b.s); i++) {
        ends_time(&a, &b, a.host.now.mono_ms + 11000);
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
        assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
        pump(&a, &b);
    }
    assert_int_equal(forked_lines(&tcd), 2);
    assert_true(same_frontier(&hq, &tcd, &net, &scope_kenya));
    assert_same_state(&hq, &tcd);
    take_back();
    queue_drop(a.s);
    queue_drop(b.s);
    a.s->subjects_due = b.s->subjects_due = false;
    assert_true(focal_session_equal(a.s));      /* of all that is shared */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_being_sent_stop, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(a_line_not_forked_stops, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(what_is_asked_for_is_not_answered, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(changed_tips_are_not_told, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(several_scopes_are_told_one_by_one, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(what_still_comes_is_not_taken, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_asked_for, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(receipts_of_it_stay_here, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(a_pause_passes_none_of_it, with_shared, tear_down),
        cmocka_unit_test_setup_teardown(both_lines_come_from_the_beginning, with_nothing, tear_down),
    };
    return cmocka_run_group_tests_name("sync_scope_gone", tests, NULL, NULL);
}
