/* Messages out of their turn, or of what is not here, and what a session says of itself meanwhile: each costs the peer at most
 * its link. And ranges asked of several peers: when the next one is asked too. */
#include "forked.h"

static int one_line(void **state) { (void)state; forked_make(SHARED_THERE); return 0; }
static int both_lines(void **state) { (void)state; forked_make(BOTH_LINES_THERE); return 0; }
static int tear_down(void **state) { (void)state; forked_close(); return 0; }

static struct focal_hash scope_id(const struct focal_scope *scope)
{
    struct focal_hash id;
    focal_scope_id(&id, &net.id, scope);
    return id;
}

/* ---- before a talk ---- */

static void frames_after_a_failed_handshake(void **state)
{
    (void)state;
    uint8_t noise[96];
    chance_fill(&hq.chance, noise, sizeof noise);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(end_frame(&a, focal_span_of(noise, sizeof noise)), FOCAL_NEVER);
        assert_int_equal(end_frame(&b, focal_span_of(noise, sizeof noise)), FOCAL_NEVER);
    }
    assert_int_equal(focal_session_state(a.s), FOCAL_SESSION_HANDSHAKE);
    assert_false(focal_session_proven(a.s));
    assert_false(focal_session_proven(b.s));
    assert_int_equal(b.frames, 0);
}

/* The first messages carry nothing: whoever puts something in is not one of us. */
static void a_payload_in_the_first_message(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        uint8_t prologue[37], ephemeral[32] = { 7 };
        struct focal_noise noise;
        struct focal_buf message;
        focal_buf_init(&message, FOCAL_NOISE_MAX);
        focal_prologue(prologue, &net.id);
        focal_noise_init(&noise, FOCAL_NOISE_XKpsk3, true, focal_span_of(prologue, sizeof prologue), hq.keys.channel_secret,
                         &tcd.keys.channel_public, ephemeral, a.psks[0].key);
        assert_int_equal(focal_noise_write(&noise, &message, with ? focal_span_text("first word") : focal_span_of(NULL, 0)), FOCAL_OK);
        struct focal_session *fresh = focal_session_accepted(&b.host, 7);
        assert_non_null(fresh);
        assert_int_equal(focal_session_frame(fresh, focal_buf_view(&message)), with ? FOCAL_NEVER : FOCAL_OK);
        focal_session_free(fresh);
        focal_buf_close(&message);
    }
}

/* Who lists no scope does not know yet that we share any: it speaks first, and then it is answered. */
static void a_hello_without_scopes(void **state)
{
    (void)state;
    struct focal_message m = { .type = FOCAL_MSG_HELLO };
    struct focal_hash set;
    ends_shake(&a, &b);
    queue_drop(a.s);
    m.is.hello.version_least = m.is.hello.version_most = FOCAL_WIRE_VERSION;
    focal_oplog_statements_hash(tcd.ol, &set);
    keyed_hash(b.s, m.is.hello.statements, &set);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_null(a.s->queue_head);
    assert_false(focal_session_equal(a.s));
    m = (struct focal_message){ .type = FOCAL_MSG_FRONTIER };
    const struct focal_hash kenya = scope_id(&scope_kenya);
    memcpy(m.is.frontier.tag, shared_by_id(b.s, &kenya)->tag, 8);
    m.is.frontier.whole = m.is.frontier.last = true;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_non_null(a.s->queue_head);
    assert_true(shared_by_id(a.s, &kenya)->sent_sure);
}

/* ---- of what is not here ---- */

static void logs_that_are_not_here(void **state)
{
    (void)state;
    struct focal_buf items;
    struct focal_ack_item ack = { .seq = 9 };
    forked_hello();
    memset(ack.log.b, 3, sizeof ack.log.b);
    focal_buf_init(&items, 64);
    focal_ack_put(&items, &ack);
    struct focal_message m = { .type = FOCAL_MSG_ACK };
    m.is.ack.items = focal_buf_view(&items);
    m.is.ack.count = 1;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_null(peer_log_get(a.s, &ack.log));
    m = (struct focal_message){ .type = FOCAL_MSG_WANT, .is.want = { .log = ack.log, .from = 1, .to.seq = 1 } };
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_null(peer_log_get(a.s, &ack.log));

    /* Two tips of a log that is not here are asked for, and of it nothing can be told. */
    struct focal_frontier_tip tips[2] = { invented(4), invented(5) };
    struct focal_frontier_item item = { .author = hq.keys.sign_public, .epoch = { .b = { 9 } }, .tip_count = 2, .tips = { tips[0], tips[1] } };
    const struct focal_hash kenya = scope_id(&scope_kenya);
    focal_buf_clear(&items);
    focal_buf_close(&items);
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    focal_frontier_put(&items, &item);
    m = (struct focal_message){ .type = FOCAL_MSG_FRONTIER };
    memcpy(m.is.frontier.tag, shared_by_id(b.s, &kenya)->tag, 8);
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    const size_t asks = a.host.asks.count, due = a.s->announces_due;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(a.host.asks.count, asks + 1);
    assert_int_equal(a.s->announces_due, due + 1);
    uint64_t they, we;
    focal_session_lack(a.s, &they, &we);
    assert_true(we >= 2);
    queue_drop(a.s);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (end_take(&a, &frame))
        assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(a.s->announces_due, 0);
    focal_buf_close(&frame);
    focal_buf_close(&items);
}

/* A piece of a log that was named when more were named than are kept. */
static void a_piece_when_names_were_cut(void **state)
{
    (void)state;
    struct focal_message m;
    struct carried c;
    forked_hello();
    forked_forget(&b, &forked_at(&ken)->id);
    put_piece(&m, &c, &ken, SHARED + 1);
    b.s->names_cut = true;
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(forked_at(&tcd)->head.seq, SHARED);
    assert_false(focal_session_equal(b.s));
    b.s->names_cut = false;
    assert_int_equal(say(&a, &b, &m), FOCAL_NEVER);
    assert_true(b.s->closing);
    carried_close(&c);
}

/* What was to be sent up to an entry that a rollback took away ends there. */
static void a_range_beyond_the_head(void **state)
{
    (void)state;
    end_write(&a, &scope_chad, 2);
    pump(&a, &b);
    queue_drop(a.s);
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_chad);
    struct peer_log *p = peer_log_get(a.s, &log->id);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (end_take(&a, &frame)) { }
    p->next = log->head.seq + 1;
    p->to = log->head.seq + 5;
    assert_false(end_take(&a, &frame));
    assert_int_equal(p->next, 0);
    focal_buf_close(&frame);
}

/* A branch that is shorter than where they want to go on from: they hear of our tips, and ask again. */
static void a_range_beyond_a_branch(void **state)
{
    (void)state;
    forked_hello();
    forked_write(&ken, 2);
    forked_hand(&ken, &hq, FORKED_HEAD + 1);
    const struct focal_log *trunk = forked_at(&hq), *branch = focal_oplog_next_line(hq.ol, &trunk->id, trunk);
    struct focal_message m = { .type = FOCAL_MSG_WANT, .is.want = { .log = trunk->id, .from = FORKED_HEAD + 2, .to = tip_of(&a, branch) } };
    m.is.want.to.seq = FORKED_HEAD + 2;         /* no such entry there */
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(forked_seen(&a)->fork->send_count, 0);
    struct focal_frontier_tip tip = tip_of(&a, branch);
    assert_int_equal(fork_send_from(a.s, forked_seen(&a), &tip, FORKED_HEAD + 1), FOCAL_OK);
    assert_int_equal(forked_seen(&a)->fork->send_count, 0);
    assert_int_equal(fork_send_from(a.s, forked_seen(&a), &tip, FORKED_HEAD), FOCAL_OK);
    assert_int_equal(forked_seen(&a)->fork->send_count, 1);
}

/* An acknowledgement that was owed when the log turned out to be forked: its tips are told instead, which says more. */
static void forked_before_it_was_acknowledged(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    end_write(&a, &scope_chad, 2);
    pump(&a, &b);
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_chad);
    struct peer_log *p = peer_log_get(b.s, &log->id);
    ack_owe(b.s, p);
    assert_int_equal(fork_enter(b.s, p), FOCAL_OK);
    assert_true(p->ack_due);
    assert_true(end_take(&b, &frame));
    struct peer_log *there = peer_log_get(a.s, &log->id);
    there->theirs = 1;
    assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    assert_int_equal(b.s->acks_due, 0);
    assert_false(p->ack_due);
    assert_int_equal(there->theirs, log->head.seq);             /* by the FRONTIER */
    focal_buf_close(&frame);
}

/* ---- what it says of itself ---- */

static void nothing_is_said_out_of_turn(void **state)
{
    (void)state;
    const struct focal_hash kenya = scope_id(&scope_kenya);
    focal_session_ping(a.s);
    assert_int_equal(a.s->pings, 0);
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    assert_int_equal(focal_session_resume(a.s), FOCAL_OK);
    assert_false(focal_session_equal(a.s));
    assert_false(focal_session_told_notices(a.s, &kenya));
    pump(&a, &b);
    for (int i = 0; i < 6; i++) {
        ends_time(&a, &b, a.host.now.mono_ms + 11000);
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
        assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
        pump(&a, &b);
    }
    assert_true(focal_session_equal(a.s));
    assert_int_equal(focal_session_invitation(a.s), 0);
    const size_t shared = a.s->shared_count;
    a.s->shared_count = 0;
    assert_false(focal_session_equal(a.s));     /* with whom nothing is shared, nothing is equal */
    a.s->shared_count = shared;
    a.s->names_cut = true;
    assert_false(focal_session_equal(a.s));
    assert_false(focal_session_told_notices(a.s, &kenya));
    a.s->names_cut = false;
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    a.s->subjects_sent_for = (struct focal_hash){ .b = { 1 } };
    a.s->subjects_due = false;
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    assert_true(a.s->subjects_due);             /* of this set they were not told */
    focal_oplog_statements_hash(hq.ol, &a.s->subjects_sent_for);
    a.s->subjects_due = false;
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    assert_false(a.s->subjects_due);

    focal_session_bye(a.s, FOCAL_BYE_CLOSING);
    const uint64_t pings = a.s->pings;
    focal_session_ping(a.s);
    assert_int_equal(a.s->pings, pings);
    assert_int_equal(focal_session_rights_changed(a.s), FOCAL_OK);
    assert_int_equal(focal_session_resume(a.s), FOCAL_OK);
    assert_int_equal(focal_session_log_changed(a.s, forked_at(&hq)), FOCAL_OK);
    assert_false(a.s->subjects_due);
    pump(&a, &b);
    assert_int_equal(focal_session_state(a.s), FOCAL_SESSION_CLOSED);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_true(focal_session_deadline_ms(a.s) == UINT64_MAX);
}

static void a_link_ends_with_its_bytes(void **state)
{
    (void)state;
    pump(&a, &b);
    a.s->bytes_sent = FOCAL_LINK_BYTES_MAX - a.s->bytes_received - 1;
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_false(a.s->closing);
    a.s->bytes_sent++;
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_true(a.s->closing);
}

/* What they said of the notices: all of it is here, or the veil stays. */
static void notices_that_are_not_here(void **state)
{
    (void)state;
    const struct focal_hash kenya = scope_id(&scope_kenya), network = scope_id(&scope_network);
    pump(&a, &b);
    assert_true(focal_session_told_notices(a.s, &kenya));
    a.s->statements_equal = false;
    a.s->statements_by = 0;
    assert_false(focal_session_told_notices(a.s, &kenya));      /* it was never asked whether all was said */
    a.s->statements_by = a.s->pongs + 1;
    assert_false(focal_session_told_notices(a.s, &kenya));
    a.s->pongs++;
    assert_true(focal_session_told_notices(a.s, &kenya));
    a.s->veiled[1] = true;
    assert_false(focal_session_told_notices(a.s, &kenya));
    a.s->veiled[1] = false;
    for (int tips = 0; tips < 3; tips++) {      /* data that is not here; a notice; two tips of one */
        struct focal_frontier_item item = { .author = tcd.keys.sign_public, .epoch = { .b = { (uint8_t)(tips + 1) } },
            .lane = tips ? FOCAL_LANE_NOTICES : FOCAL_LANE_DATA, .tip_count = tips == 2 ? 2 : 1, .tips = { invented(1), invented(2) } };
        struct focal_buf items;
        struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
        focal_buf_init(&items, FOCAL_FRAME_MAX);
        focal_frontier_put(&items, &item);
        memcpy(m.is.frontier.tag, shared_by_id(b.s, &kenya)->tag, 8);
        m.is.frontier.last = true;
        m.is.frontier.items = focal_buf_view(&items);
        assert_int_equal(say(&b, &a, &m), FOCAL_OK);
        focal_buf_close(&items);
        assert_int_equal(focal_session_told_notices(a.s, &kenya), tips == 0);
        assert_true(focal_session_told_notices(a.s, &network));
        if (tips == 1) {
            struct focal_log_name name = { .author = item.author, .epoch = item.epoch, .scope = kenya, .lane = item.lane };
            struct focal_id id;
            focal_log_id(&id, &net.id, &name);
            peer_log_get(a.s, &id)->theirs = 0;
            assert_true(focal_session_told_notices(a.s, &kenya));
        }
    }
}

/* Up to where they hold a line, when only this end knows of its branch. */
static void how_far_they_have_a_line(void **state)
{
    (void)state;
    const struct focal_log *trunk = forked_at(&hq), *branch = focal_oplog_next_line(hq.ol, &trunk->id, trunk);
    uint64_t seq = 0;
    forked_hello();
    forked_forget(&a, &trunk->id);
    assert_false(focal_session_has(a.s, trunk, &seq));
    struct peer_log *p = peer_log_make(a.s, &trunk->id, &trunk->name);
    assert_non_null(p);
    p->theirs = 6;
    assert_true(focal_session_has(a.s, trunk, &seq));
    assert_int_equal(seq, 6);
    assert_true(focal_session_has(a.s, branch, &seq));
    assert_int_equal(seq, SHARED);
    p->announced = tip_of(&a, branch);
    assert_int_equal(fork_enter(a.s, p), FOCAL_OK);
    assert_int_equal(tips_look(a.s, p), FOCAL_OK);
    assert_true(focal_session_has(a.s, branch, &seq));
    assert_int_equal(seq, FORKED_HEAD);
    assert_true(focal_session_has(a.s, trunk, &seq));
    assert_int_equal(seq, SHARED);
}

/* ---- asking ---- */

static bool may_ask(struct focal_session *s, const struct focal_id *log)
{
    bool may = false;
    assert_int_equal(ask_note(s, log, 100, 0, &may), FOCAL_OK);
    return may;
}

/* The peer goes on with other things, for so long: the range is asked of the next one after a minute. It goes on with this one,
 * and nothing signed comes: after ten. */
static void the_next_peer_is_asked_too(void **state)
{
    (void)state;
    forked_hello();
    struct focal_session *second = focal_session_accepted(&b.host, 9);
    assert_non_null(second);
    const struct focal_log *other = log_of(&tcd, &net, &ken, &scope_control);
    struct peer_log *p = forked_seen(&b), *q = peer_log_make(b.s, &other->id, &other->name);
    const uint64_t start = b.host.now.mono_ms;
    asks_forget_link(&b.host, b.s->link);
    assert_true(may_ask(b.s, &p->id));
    for (uint64_t t = 0; t <= FOCAL_ASK_RANGE_STALE_MS; t += FOCAL_ASK_STALE_MS / 2) {
        b.host.now.mono_ms = start + t;
        asks_touch(b.s, q);
        assert_false(may_ask(second, &p->id));
        assert_false(may_ask(b.s, &p->id));
    }
    b.host.now.mono_ms = start + FOCAL_ASK_RANGE_STALE_MS + 1;
    assert_true(may_ask(second, &p->id));
    assert_false(may_ask(b.s, &p->id));         /* now it is the second's */

    const uint64_t then = b.host.now.mono_ms;
    for (uint64_t t = 0; t <= FOCAL_ASK_HEAD_STALE_MS; t += FOCAL_ASK_STALE_MS / 2) {
        b.host.now.mono_ms = then + t;
        asks_touch(second, p);
        assert_int_equal(may_ask(b.s, &p->id), false);
        if (t == 0)
            continue;
        assert_int_equal(b.host.asks.count, 1);
    }
    b.host.now.mono_ms = then + FOCAL_ASK_HEAD_STALE_MS + 1;
    assert_true(may_ask(b.s, &p->id));
    focal_session_free(second);
    assert_int_equal(b.host.asks.count, 1);     /* of the other link it is not forgotten */
}

/* What is only staged covers what they hold: it is waited for a little before it is asked for. */
static void staged_a_moment_ago_is_waited_for(void **state)
{
    (void)state;
    struct carried c;
    end_write(&a, &scope_control, 1);
    carry_all(&hq, &tcd);
    end_write(&a, &scope_network, 600);
    forked_hello();
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    forked_forget(&b, &log->id);
    asks_forget_link(&b.host, b.s->link);
    struct peer_log *p = peer_log_make(b.s, &log->id, &log->name);
    assert_non_null(p);
    assert_int_equal(take_up(&hq, log, 1, 200, &c), FOCAL_OK);
    assert_false(c.piece.is_signed);
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT };
    m.is.segment.log = log->id;
    memcpy(m.is.segment.before, c.piece.before, 8);
    m.is.segment.packed = focal_buf_view(&c.packed);
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    assert_int_equal(p->theirs, c.piece.last);
    assert_int_equal(b.host.asks.count, 0);
    b.host.now.mono_ms += FOCAL_ASK_STALE_MS + 1;
    assert_int_equal(ask_if_behind(b.s, p), FOCAL_OK);
    assert_int_equal(b.host.asks.count, 1);
    carried_close(&c);
}

/* Whoever lists a subject that is not here is answered with our list, a few times for one state of ours. */
static void a_subject_that_is_not_here(void **state)
{
    (void)state;
    struct focal_buf items, frame;
    focal_buf_init(&items, 64);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    pump(&a, &b);
    const struct focal_subject unknown = { .subject = { 1, 2, 3 } };
    focal_subject_put(&items, &unknown);
    struct focal_message m = { .type = FOCAL_MSG_SUBJECTS };
    m.is.subjects.last = true;
    m.is.subjects.items = focal_buf_view(&items);
    m.is.subjects.count = 1;
    size_t answers = 0;
    for (int i = 0; i < SUBJECTS_ANSWERS_MAX + 20; i++) {
        assert_int_equal(say(&b, &a, &m), FOCAL_OK);
        assert_int_equal(say(&b, &a, &m), FOCAL_OK);    /* twice before it is answered */
        answers += a.s->subjects_due;
        while (end_take(&a, &frame)) { }
        assert_false(a.s->subjects_due);
    }
    assert_in_range(answers, 2, SUBJECTS_ANSWERS_MAX + 1);     /* one was before our list first went out */
    assert_false(a.s->closing);
    focal_buf_close(&items);
    focal_buf_close(&frame);
}

#define WITH(set_up, test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(one_line, frames_after_a_failed_handshake), WITH(one_line, a_payload_in_the_first_message),
        WITH(one_line, a_hello_without_scopes),
        WITH(one_line, logs_that_are_not_here), WITH(one_line, a_piece_when_names_were_cut),
        WITH(one_line, a_range_beyond_the_head), WITH(one_line, a_range_beyond_a_branch),
        WITH(one_line, forked_before_it_was_acknowledged), WITH(one_line, nothing_is_said_out_of_turn),
        WITH(one_line, a_link_ends_with_its_bytes), WITH(both_lines, notices_that_are_not_here),
        WITH(one_line, how_far_they_have_a_line), WITH(one_line, the_next_peer_is_asked_too),
        WITH(one_line, staged_a_moment_ago_is_waited_for), WITH(one_line, a_subject_that_is_not_here),
    };
    return cmocka_run_group_tests_name("sync_turns", tests, NULL, NULL);
}
