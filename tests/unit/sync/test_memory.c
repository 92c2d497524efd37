/* One message, or one thing that a node tells a session, with every allocation in it failing in turn: it comes out as NO_MEMORY
 * and is not the peer's fault, or what lacks is only a hash that then compares unequal; on a fresh start the same does its work. */
#include "forked.h"

enum { ATTEMPTS_MAX = 200 };

static uint64_t left;
static bool fired;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    if (left == 0 || (left > 1 && left--))
        return true;
    left = 0;
    fired = true;
    return false;
}

static void arm(uint64_t nth)
{
    left = nth;
    fired = false;
    focal_alloc_hook(allow, NULL);
}

static void disarm(void)
{
    focal_alloc_hook(NULL, NULL);
    left = 0;
}

/* What is done to a session while memory fails: `prepare` with all memory, then `act`. A is HQ. */
struct thing { const char *name; enum there there; void (*prepare)(void); enum focal_status (*act)(void); bool (*done)(void); };

static struct focal_buf frame;          /* made beforehand, so that only who takes it in lacks memory */

static void seal(struct end *from, const struct focal_message *m)
{
    struct focal_buf plain;
    focal_buf_init(&plain, FOCAL_NOISE_MAX);
    focal_message_encode(&plain, m);
    assert_false(plain.failed);
    focal_buf_clear(&frame);
    assert_int_equal(focal_channel_seal(&from->s->secrets->channel, &frame, focal_buf_view(&plain)), FOCAL_OK);
    focal_buf_close(&plain);
}

static enum focal_status a_takes_it(void) { return focal_session_frame(a.s, focal_buf_view(&frame)); }
static enum focal_status b_takes_it(void) { return focal_session_frame(b.s, focal_buf_view(&frame)); }

static void heads_for(void)
{
    struct focal_message m = { .type = FOCAL_MSG_HEADS };
    forked_hello();
    forked_forget(&a, &forked_at(&hq)->id);
    m.is.heads.log = forked_at(&hq)->id;
    m.is.heads.to = tip_of(&a, forked_at(&hq));
    seal(&b, &m);
}

static bool both_know_the_fork(void)
{
    const struct peer_log *p = forked_seen(&a);
    return p && p->fork && p->fork->send_count == 1;
}

static void want_of_a_fork(void)
{
    forked_hello();
    forked_forget(&a, &forked_at(&hq)->id);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .log = forked_at(&hq)->id, .from = 1, .to = tip_of(&a, forked_at(&hq)) } };
    seal(&b, &m);
}

static void want_of_one_line(void)
{
    end_write(&a, &scope_chad, 2);
    forked_hello();
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_chad);
    forked_forget(&a, &log->id);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .log = log->id, .from = 1, .to.seq = log->head.seq } };
    seal(&b, &m);
}

static bool one_line_is_sent(void)
{
    const struct peer_log *p = peer_log_get(a.s, &log_of(&hq, &net, &hq, &scope_chad)->id);
    return p && p->next == 1 && p->to == 3;
}

static void many_tips(void)
{
    struct focal_frontier_tip tips[FOCAL_TIPS_MAX];
    struct focal_message m;
    struct focal_buf items;
    forked_hello();
    for (size_t i = 0; i < FOCAL_TIPS_MAX; i++)
        tips[i] = invented(1 + i);
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    put_tips(&m, &items, &b, tips, FOCAL_TIPS_MAX - 1);
    seal(&b, &m);
    focal_buf_close(&items);
}

static bool many_tips_are_noted(void)
{
    const struct peer_log *p = forked_seen(&a);
    return p && p->fork && p->fork->tip_count == FOCAL_TIPS_MAX - 1 && p->fork->asked.seq == 1;
}

/* HELLO of who holds the same. */
static void equal_hello(void)
{
    ends_shake(&a, &b);
    struct focal_message m;
    assert_non_null(b.s->queue_head);
    assert_int_equal(focal_message_decode(&m, focal_span_of(b.s->queue_head->bytes, b.s->queue_head->len)), FOCAL_OK);
    assert_int_equal(m.type, FOCAL_MSG_HELLO);
    seal(&b, &m);
}

static bool all_is_equal(void)
{
    return focal_session_equal(a.s) && forked_seen(&a)->fork->tip_count == 2;
}

/* HELLO of who holds other statements, to an end that waits for redactions: it asks with a ping whether all was said, and what was
 * not asked is not waited for as answered. */
static void another_set(void)
{
    struct focal_message m;
    ends_shake(&a, &b);
    a.s->veiled[0] = true;
    assert_int_equal(focal_message_decode(&m, focal_span_of(b.s->queue_head->bytes, b.s->queue_head->len)), FOCAL_OK);
    m.is.hello.statements[0] ^= 1;
    seal(&b, &m);
}

static bool it_waits_for_what_was_asked(void)
{
    return a.s->pings <= 1 && a.s->statements_by == a.s->pings && !a.s->statements_equal;
}

/* HELLO with frontiers of zero, as of who could not make them: our own, when it cannot be made, is zero too. */
static void hello_of_zeros(void)
{
    struct focal_message m;
    ends_shake(&a, &b);
    assert_int_equal(focal_message_decode(&m, focal_span_of(b.s->queue_head->bytes, b.s->queue_head->len)), FOCAL_OK);
    for (size_t i = 0; i < m.is.hello.scope_count; i++)
        memset(m.is.hello.scopes[i].frontier, 0, sizeof m.is.hello.scopes[i].frontier);
    seal(&b, &m);
    end_write(&a, &scope_kenya, 1);             /* what was cached is not any more */
    end_write(&a, &scope_chad, 1);
}

static bool nothing_is_taken_for_equal(void)
{
    for (size_t i = 0; i < a.s->shared_count; i++)
        if (a.s->shared[i].exchanged)
            return false;
    return true;
}

/* The whole frontier of who holds nothing of what stands here, before ours was told. */
static void an_empty_series(void)
{
    struct focal_hash scope;
    end_write(&a, &scope_kenya, 1);
    forked_hello();
    forked_forget(&a, &forked_at(&hq)->id);
    for (size_t i = 0; i < a.s->shared_count; i++)
        a.s->shared[i].sent_whole = a.s->shared[i].sent_sure = false;
    focal_scope_id(&scope, &net.id, &scope_kenya);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    memcpy(m.is.frontier.tag, shared_by_id(b.s, &scope)->tag, 8);
    m.is.frontier.whole = m.is.frontier.last = true;
    seal(&b, &m);
}

static bool our_frontier_is_sent(void)
{
    struct focal_hash scope;
    focal_scope_id(&scope, &net.id, &scope_kenya);
    const struct shared_scope *s = shared_by_id(a.s, &scope);
    const struct peer_log *p = forked_seen(&a);
    return s->exchanged && s->sent_whole && p && p->fork && p->fork->tip_count == 0;
}

/* A piece of a line of which the beginning is not there. */
static void a_piece_that_does_not_follow(void)
{
    struct focal_message m;
    struct carried c;
    forked_hello();
    struct focal_frontier_tip tip = tip_of(&b, forked_at(&ken));
    assert_int_equal(tell_tips(&a, &b, &tip, 1), FOCAL_OK);
    asks_forget_link(&b.host, b.s->link);
    put_piece(&m, &c, &twin, SHARED + 2);
    seal(&a, &m);
    carried_close(&c);
    end_writing(&b);
}

static bool it_is_known_as_forked(void)
{
    return forked_seen(&b)->fork && forked_at(&tcd)->head.seq == FORKED_HEAD && !forked_at(&tcd)->forked;
}

/* A piece that makes a log forked here. */
static void a_piece_of_another_line(void)
{
    struct focal_message m;
    struct carried c;
    forked_hello();
    struct focal_frontier_tip tip = tip_of(&b, forked_at(&ken));
    assert_int_equal(tell_tips(&a, &b, &tip, 1), FOCAL_OK);
    put_piece(&m, &c, &twin, SHARED + 1);
    seal(&a, &m);
    carried_close(&c);
    end_writing(&b);
}

static bool both_lines_are_there(void)
{
    return forked_at(&tcd)->forked && forked_seen(&b)->fork && forked_seen(&b)->fork->tip_count == 1;
}

/* ---- told by the node ---- */

static void a_fork_they_know_nothing_of(void)
{
    forked_hello();
    forked_forget(&a, &forked_at(&hq)->id);
}

static enum focal_status the_log_changed(void) { return focal_session_log_changed(a.s, forked_at(&hq)); }
static bool its_tips_are_due(void) { return forked_seen(&a)->fork && forked_seen(&a)->announce_due; }

/* Tips and a tip that wait for something not held. */
static void something_waits(void)
{
    struct focal_frontier_tip tips[2] = { tip_of(&a, forked_at(&hq)), invented(3) };
    forked_hello();
    assert_int_equal(tell_tips(&b, &a, tips, 2), FOCAL_OK);
    queue_drop(a.s);
    asks_forget_link(&a.host, a.s->link);
    forked_seen(&a)->blocked_until_ms = a.host.now.mono_ms + BLOCKED_MS;
}

/* The same, and the log that moves is forked too. */
static void control_is_forked(void)
{
    something_waits();
    const struct focal_log *log = log_of(&hq, &net, &ken, &scope_control);
    struct peer_log *p = peer_log_make(a.s, &log->id, &log->name);
    assert_non_null(p);
    assert_int_equal(fork_enter(a.s, p), FOCAL_OK);
}

static bool it_is_asked_for(void) { return a.host.asks.count == 1 && a.s->queue_head; }

static enum focal_status a_control_log_changed(void)
{
    return focal_session_log_changed(a.s, log_of(&hq, &net, &ken, &scope_control));
}

static enum focal_status rights_changed(void) { return focal_session_rights_changed(a.s); }

static enum focal_status time_passes(void)
{
    a.host.now.mono_ms += BLOCKED_MS + 1;
    return focal_session_tick(a.s);
}

static const struct thing things[] = {
    { "heads", SHARED_THERE, heads_for, a_takes_it, both_know_the_fork },
    { "want of a fork", SHARED_THERE, want_of_a_fork, a_takes_it, both_know_the_fork },
    { "want", SHARED_THERE, want_of_one_line, a_takes_it, one_line_is_sent },
    { "many tips", SHARED_THERE, many_tips, a_takes_it, many_tips_are_noted },
    { "equal hello", BOTH_LINES_THERE, equal_hello, a_takes_it, all_is_equal },
    { "another set", SHARED_THERE, another_set, a_takes_it, it_waits_for_what_was_asked },
    { "hello of zeros", SHARED_THERE, hello_of_zeros, a_takes_it, nothing_is_taken_for_equal },
    { "empty series", SHARED_THERE, an_empty_series, a_takes_it, our_frontier_is_sent },
    { "piece that does not follow", ONE_LINE_THERE, a_piece_that_does_not_follow, b_takes_it, it_is_known_as_forked },
    { "piece of another line", ONE_LINE_THERE, a_piece_of_another_line, b_takes_it, both_lines_are_there },
    { "log changed", SHARED_THERE, a_fork_they_know_nothing_of, the_log_changed, its_tips_are_due },
    { "control changed", SHARED_THERE, something_waits, a_control_log_changed, it_is_asked_for },
    { "forked control changed", SHARED_THERE, control_is_forked, a_control_log_changed, it_is_asked_for },
    { "rights changed", SHARED_THERE, something_waits, rights_changed, it_is_asked_for },
    { "time passes", SHARED_THERE, something_waits, time_passes, it_is_asked_for },
};

/* False: it has no nth allocation. */
static bool live(const struct thing *t, uint64_t nth)
{
    forked_make(t->there);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    t->prepare();
    arm(nth);
    enum focal_status st = t->act();
    disarm();
    if (st != FOCAL_OK && (!fired || st != FOCAL_NO_MEMORY))
        fail_msg("%s, allocation %llu: %s", t->name, (unsigned long long)nth, focal_status_text(st));
    assert_false(a.s->closing);
    assert_false(b.s->closing);
    if (st == FOCAL_OK && !t->done())
        fail_msg("%s, allocation %llu: OK, and it is not done", t->name, (unsigned long long)nth);
    for (int i = 0; i < 2; i++) {
        struct end *e = i ? &b : &a;
        if (e->tx && st != FOCAL_OK)
            roll_back(e->office);
        else if (e->tx)
            commit(e->office);
        e->tx = false;
    }
    if (st != FOCAL_OK)
        assert_int_equal(forked_lines(&hq), 2);
    focal_buf_close(&frame);
    forked_close();
    return fired;
}

static void each_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        uint64_t nth = 1;
        while (live(&things[i], nth))
            assert_true(++nth < ATTEMPTS_MAX);
        if (nth < 2)
            fail_msg("%s: needs no memory at all", things[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation_fails) };
    return cmocka_run_group_tests_name("sync_memory", tests, NULL, NULL);
}
