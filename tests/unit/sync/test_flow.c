/* Entries on their way: windows, gaps, asking again, acknowledgements, statements in bulk; and the timers of a link. */
#include "ends.h"

#include <stdio.h>

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

static struct peer_log *seen_by(struct end *e, const struct office *author, const struct focal_scope *scope)
{
    const struct focal_log *log = log_of(e->office, &net, author, scope);
    return log ? peer_log_get(e->s, &log->id) : NULL;
}

/* Random bytes, so that they do not pack. */
static void write_much(struct end *e, size_t bytes)
{
    uint8_t value[1000];
    struct focal_ref ref;
    end_writing(e);
    for (; bytes >= sizeof value; bytes -= sizeof value) {
        chance_fill(&hq.chance, value, sizeof value);
        assert_int_equal(try_write(e->office, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_OK);
    }
    end_finish(e);
}

static void a_window_bounds_what_is_under_way(void **state)
{
    (void)state;
    enum { FRAMES = 400 };
    static struct focal_buf held[FRAMES];
    size_t count = 0, taken = 0;
    ends_shake(&a, &b);
    pump(&a, &b);
    write_much(&a, 900 * 1000);
    for (;;) {                                  /* the far end takes nothing: bytes pile up on the way */
        focal_buf_init(&held[count], FOCAL_NOISE_MAX);
        if (!end_take(&a, &held[count]))
            break;
        count++;
        assert_true(count < FRAMES);
    }
    focal_buf_close(&held[count]);
    assert_true(a.s->in_flight_bytes >= FOCAL_WINDOW_START_BYTES);
    assert_true(a.s->in_flight_bytes < FOCAL_WINDOW_START_BYTES + FOCAL_FRAME_MAX);
    for (; taken < count; taken++) {
        assert_int_equal(end_frame(&b, focal_buf_view(&held[taken])), FOCAL_OK);
        focal_buf_close(&held[taken]);
    }
    pump(&a, &b);                               /* credit lets the rest come */
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(a.s->in_flight_bytes < FOCAL_WINDOW_START_BYTES);
    assert_true(a.s->window_bytes > FOCAL_WINDOW_START_BYTES && a.s->window_bytes <= FOCAL_WINDOW_MAX_BYTES);
}

/* One small live entry gets no credit for long: that is no measure of the way. */
static void a_quiet_link_measures_nothing(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    end_write(&a, &scope_network, 1);
    pump(&a, &b);
    assert_int_equal(a.s->probe_at_ms, 0);
    ends_time(&a, &b, 9000000);
    write_much(&a, 200 * 1000);
    pump(&a, &b);
    assert_true(a.s->trip_least_ms < 1000);
}

static void a_gap_is_asked_for_at_once(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    end_write(&a, &scope_control, 1);           /* the opening of the epoch */
    pump(&a, &b);
    struct focal_session *quiet = a.s;
    a.s = NULL;
    for (int i = 0; i < 5; i++)
        end_write(&a, &scope_network, 1);
    a.s = quiet;
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    struct peer_log *p = peer_log_make(a.s, &log->id, &log->name);
    assert_non_null(p);
    p->next = 4;                                /* as if all before had been refused there */
    p->to = log->head.seq;
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), log->head.seq);
    assert_true(focal_session_equal(a.s));
}

/* Writes at A and lets B have it, neither session being told. */
static void by_another_way(void)
{
    struct focal_session *of_a = a.s, *of_b = b.s;
    a.s = b.s = NULL;
    end_write(&a, &scope_network, 1);
    carry_all(&hq, &ken);
    a.s = of_a;
    b.s = of_b;
}

static void together(void)
{
    end_write(&a, &scope_network, 3);
    carry_all(&hq, &ken);
    end_tell(&b);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct peer_log *p = seen_by(&a, &hq, &scope_network);
    assert_non_null(p);
    p->theirs = p->sent = 0;                    /* what A would think, had B asked somebody else */
    assert_false(focal_session_equal(a.s));
}

static void an_announced_tip_that_is_held_is_acknowledged(void **state)
{
    (void)state;
    together();
    by_another_way();
    for (size_t i = 0; i < focal_oplog_log_count(ken.ol); i++)
        b.told[i] = focal_oplog_log_at(ken.ol, i)->head.seq;
    assert_int_equal(focal_session_log_changed(a.s, log_of(&hq, &net, &hq, &scope_network)), FOCAL_OK);
    assert_int_equal(pump(&a, &b), 2);          /* the name of it, and the acknowledgement */
    assert_true(focal_session_equal(a.s));
    assert_int_equal(seen_by(&a, &hq, &scope_network)->theirs, head_of(&hq, &hq, &net, &scope_network));
}

static void who_got_it_elsewhere_says_so(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    together();
    struct focal_session *of_a = a.s;
    a.s = NULL;
    end_write(&a, &scope_network, 1);
    a.s = of_a;
    assert_int_equal(focal_session_log_changed(a.s, log_of(&hq, &net, &hq, &scope_network)), FOCAL_OK);
    assert_true(end_take(&a, &frame));
    assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
    queue_drop(b.s);                            /* as if B had asked another office */
    carry_all(&hq, &ken);
    end_tell(&b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s));
    focal_buf_close(&frame);
}

/* A pushed piece that needs something not held yet is asked for again when that has come. */
static void a_piece_that_comes_too_early(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_session *of_a = a.s;
    a.s = NULL;
    end_write(&a, &scope_network, 2);
    a.s = of_a;
    assert_int_equal(focal_session_log_changed(a.s, log_of(&hq, &net, &hq, &scope_network)), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 0);      /* the opening of its epoch is missing */
    uint64_t they, we;
    focal_session_lack(b.s, &they, &we);
    assert_int_equal(we, 3);
    assert_int_equal(focal_session_log_changed(a.s, log_of(&hq, &net, &hq, &scope_control)), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 3);
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
}

static void what_is_only_staged_there_is_not_held(void **state)
{
    (void)state;
    write_much(&a, 100 * 1000);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct peer_log *p = seen_by(&a, &hq, &scope_network);
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    p->theirs = 3;
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    m.is.want.log = log->id;
    m.is.want.from = 50;
    m.is.want.to.seq = log->head.seq;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(p->theirs, 3);
    m.is.want.from = 2;
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_int_equal(p->theirs, 1);
    pump(&a, &b);
    assert_int_equal(p->theirs, log->head.seq);
}

/* A piece without its signature is taken into staging, and no word is said of it. */
static void what_is_only_staged_is_not_acknowledged(void **state)
{
    (void)state;
    end_write(&a, &scope_control, 1);
    carry_all(&hq, &ken);
    end_write(&a, &scope_network, 1000);
    ends_shake(&a, &b);
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    struct carried c;
    assert_int_equal(take_up(&hq, log, 1, 200, &c), FOCAL_OK);
    assert_false(c.piece.is_signed);
    struct focal_message m = { .type = FOCAL_MSG_SEGMENT };
    m.is.segment.log = log->id;
    memcpy(m.is.segment.before, c.piece.before, 8);
    m.is.segment.packed = focal_buf_view(&c.packed);
    (void)pump_some(&a, &b, 4);                 /* both hellos and both frontiers */
    uint64_t held = head_of(&ken, &hq, &net, &scope_network);
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    const struct focal_log *there = log_of(&ken, &net, &hq, &scope_network);
    assert_non_null(there);
    assert_true(there->staged.seq > there->head.seq && there->head.seq == held);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    while (end_take(&b, &frame)) {
        assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
        assert_true(seen_by(&a, &hq, &scope_network)->theirs <= held);
    }
    focal_buf_close(&frame);
    carried_close(&c);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
}

/* Nothing is acknowledged before its transaction is committed: handing out is for after the step. */
static void acknowledged_after_the_commit(void **state)
{
    (void)state;
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    ends_shake(&a, &b);
    pump(&a, &b);
    end_write(&a, &scope_control, 1);
    size_t frames = 0;
    while (end_take(&a, &frame)) {
        uint64_t queued = b.s->queue_bytes;
        assert_int_equal(focal_session_frame(b.s, focal_buf_view(&frame)), FOCAL_OK);
        assert_int_equal(b.s->queue_bytes, queued);     /* no message stands in the queue that could leave too early */
        frames++;
        assert_int_equal(b.tx, frames == 2);            /* of the name nothing is kept */
        end_finish(&b);
    }
    assert_int_equal(frames, 2);                /* name, piece */
    assert_int_equal(seen_by(&a, &hq, &scope_control)->theirs, 0);
    pump(&a, &b);
    assert_int_equal(seen_by(&a, &hq, &scope_control)->theirs, head_of(&hq, &hq, &net, &scope_control));
    focal_buf_close(&frame);
}

static void a_silent_peer_keeps_no_range(void **state)
{
    (void)state;
    /* B asks A for a range, A says nothing: a second link of B asks too after 10 s. */
    struct office other;
    struct end c;
    office_make(&other, &net, "SSD", 9);
    struct office *three[] = { &hq, &ken, &other };
    for (int i = 0; i < 9; i++)
        hold(three[i / 3], &three[i % 3]->statement);
    end_write(&a, &scope_network, 3);
    carry_all(&hq, &other);
    end_make(&c, &other, 1000);
    ends_shake(&a, &b);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (int i = 0; i < 6; i++) {               /* HELLOs, statements, frontiers: B's WANTs stay under way */
        while (end_take(&a, &frame))
            assert_int_equal(end_frame(&b, focal_buf_view(&frame)), FOCAL_OK);
        if (i < 3 && end_take(&b, &frame))
            assert_int_equal(end_frame(&a, focal_buf_view(&frame)), FOCAL_OK);
    }
    assert_true(b.host.asks.count > 0);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 0);

    struct end second = b;                      /* the same office, another session of the same host */
    second.s = focal_session_accepted(&b.host, 3);
    c.s = focal_session_dialled(&c.host, 4, &ken.keys.channel_public, &c.psks[0]);
    b.host.data = &second;
    ends_shake(&c, &second);
    pump(&c, &second);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), 0);
    b.host.now.mono_ms = 1000 + FOCAL_ASK_STALE_MS + 1;
    c.host.now = b.host.now;
    assert_int_equal(focal_session_tick(second.s), FOCAL_OK);
    pump(&c, &second);
    assert_int_equal(head_of(&ken, &hq, &net, &scope_network), head_of(&hq, &hq, &net, &scope_network));
    focal_session_free(second.s);
    b.host.data = &b;
    memcpy(b.told, second.told, sizeof b.told);
    end_close(&c);
    office_close(&other);
    focal_buf_close(&frame);
}

/* Statements of a large network go once over a link, though the far end's list grows with each. */
static void many_statements_and_a_long_frontier(void **state)
{
    (void)state;
    enum { OFFICES = 320 };
    struct focal_ref ref;
    for (int i = 0; i < OFFICES; i++) {
        struct office o;
        char code[16];
        (void)snprintf(code, sizeof code, "O-%d", i);
        office_make(&o, &net, code, 1000 + (uint64_t)i);
        hold(&o, &o.statement);
        hold(&hq, &o.statement);
        begin(&o);
        write_value(&o, &scope_network, NULL, FIELD_A, (uint8_t)i, &ref);
        commit(&o);
        carry_all(&o, &hq);
        office_close(&o);
    }
    end_tell(&a);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_hash x, y;
    focal_oplog_statements_hash(hq.ol, &x);
    focal_oplog_statements_hash(ken.ol, &y);
    assert_true(focal_hash_equal(&x, &y));
    assert_true(same_frontier(&hq, &ken, &net, &scope_network));
    assert_true(same_frontier(&hq, &ken, &net, &scope_control));
    assert_true(focal_session_equal(a.s) && focal_session_equal(b.s));
    assert_true(focal_session_bytes(a.s, true) < 1500u * OFFICES);
    assert_true(focal_session_bytes(b.s, true) < 500u * OFFICES);
}

static bool allow_none(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

/* More subjects than one message holds: the list goes on with the next, also after a time without memory. */
static void subjects_over_several_messages(void **state)
{
    (void)state;
    enum { MEMBERS = 2 * ITEMS_MAX / 24 };
    struct focal_buf statement, frame;
    struct office member;
    struct focal_certificate c;
    memset(&member, 0, sizeof member);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    begin(&hq);
    for (int i = 0; i < MEMBERS; i++) {
        uint8_t random[96];
        char code[16];
        (void)snprintf(code, sizeof code, "O-%d", i);
        assert_true(focal_office_parse(&member.code, focal_span_text(code)));
        chance_fill(&hq.chance, random, sizeof random);
        focal_node_keys_make(&member.keys, random);
        certificate_for(&c, &member, 1);
        focal_buf_clear(&statement);
        certificate_sign(&statement, &net, &c);
        assert_int_equal(focal_oplog_add_statement(hq.ol, focal_buf_view(&statement)), FOCAL_OK);
    }
    commit(&hq);
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_hash x, y;
    focal_oplog_statements_hash(hq.ol, &x);
    focal_oplog_statements_hash(ken.ol, &y);
    assert_true(focal_hash_equal(&x, &y));

    bool taken = true;
    a.s->subjects_due = true;
    focal_alloc_hook(allow_none, NULL);
    enum focal_status st = focal_session_take(a.s, &frame, &taken);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(st, FOCAL_NO_MEMORY);
    assert_false(taken);
    a.s->subjects_due = true;
    const uint64_t before = a.frames;
    pump(&a, &b);
    assert_in_range(a.frames - before, 3, 4);   /* two full ones and a rest */
    assert_true(focal_session_equal(a.s));
    focal_buf_close(&statement);
    focal_buf_close(&frame);
}

/* Whoever says again and again that it holds no statement is given them once. */
static void statements_are_given_once(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    size_t frames[3] = { 0 };
    for (int round = 0; round < 3; round++) {
        struct focal_message m = { .type = FOCAL_MSG_SUBJECTS };
        m.is.subjects.last = true;
        assert_int_equal(say(&b, &a, &m), FOCAL_OK);
        while (end_take(&a, &frame))
            frames[round]++;
    }
    assert_int_equal(frames[0], 3);             /* genesis and two certificates */
    assert_int_equal(frames[1], 0);
    assert_int_equal(frames[2], 0);
    focal_buf_close(&frame);
}

/* As long, and not the same: never "up to date". */
static void two_branches_are_not_equal(void **state)
{
    (void)state;
    end_write(&a, &scope_network, 2);
    ends_shake(&a, &b);
    pump(&a, &b);
    assert_true(focal_session_equal(a.s));
    const struct focal_log *log = log_of(&hq, &net, &hq, &scope_network);
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    struct focal_frontier_item item = { .author = log->name.author, .epoch = log->name.epoch, .tip_count = 1, .tips = { { .seq = log->head.seq } } };
    focal_frontier_put(&items, &item);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    for (size_t i = 0; i < b.s->shared_count; i++)
        if (focal_scope_compare(&b.s->shared[i].scope, &scope_network) == 0)
            memcpy(m.is.frontier.tag, b.s->shared[i].tag, 8);
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    assert_int_equal(say(&b, &a, &m), FOCAL_OK);
    assert_false(focal_session_equal(a.s));
    focal_buf_close(&items);
}

/* A whole frontier cut over several messages counts when its last has come. */
static void a_series_counts_when_it_is_whole(void **state)
{
    (void)state;
    end_write(&b, &scope_network, 2);
    ends_shake(&a, &b);
    struct focal_message m = { .type = FOCAL_MSG_HELLO };
    queue_drop(a.s);
    m.is.hello.version_least = m.is.hello.version_most = FOCAL_WIRE_VERSION;
    struct focal_hash set;
    focal_oplog_statements_hash(hq.ol, &set);
    keyed_hash(a.s, m.is.hello.statements, &set);
    assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    struct shared_scope *scope = NULL;
    for (size_t i = 0; i < b.s->shared_count; i++)
        if (focal_scope_compare(&b.s->shared[i].scope, &scope_network) == 0)
            scope = &b.s->shared[i];
    assert_non_null(scope);
    struct focal_buf items;
    struct focal_frontier_item item = { .author = hq.keys.sign_public, .tip_count = 1 };
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    for (uint8_t part = 0; part < 3; part++) {
        assert_false(scope->exchanged);
        focal_buf_clear(&items);
        memset(item.epoch.b, 1 + part, sizeof item.epoch.b);
        item.tips[0].seq = 7;
        focal_frontier_put(&items, &item);
        m = (struct focal_message){ .type = FOCAL_MSG_FRONTIER };
        memcpy(m.is.frontier.tag, scope->tag, 8);
        m.is.frontier.whole = true;
        m.is.frontier.last = part == 2;
        m.is.frontier.items = focal_buf_view(&items);
        assert_int_equal(say(&a, &b, &m), FOCAL_OK);
    }
    assert_true(scope->exchanged);
    assert_true(scope->sent_whole);             /* answered with our own */
    assert_int_equal(seen_by(&b, &ken, &scope_network)->theirs, 0);
    assert_int_equal(b.host.asks.count, 3);
    focal_buf_close(&items);
}

static void heartbeat_and_death(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    ends_time(&a, &b, 1000 + FOCAL_HEARTBEAT_MS - 1);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_int_equal(a.s->queue_bytes, 0);
    assert_int_equal(focal_session_deadline_ms(a.s), 1000 + FOCAL_HEARTBEAT_MS);
    ends_time(&a, &b, 1000 + FOCAL_HEARTBEAT_MS);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_true(a.s->queue_bytes > 0);
    assert_true(focal_session_deadline_ms(a.s) > a.host.now.mono_ms);          /* though the stream has not taken it */
    size_t queued = a.s->queue_bytes;
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    assert_int_equal(a.s->queue_bytes, queued);
    pump(&a, &b);
    assert_int_equal(focal_session_round_trip_ms(a.s), 0);
    ends_time(&a, &b, 1000 + FOCAL_HEARTBEAT_MS + FOCAL_DEAD_MS - 1);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    ends_time(&a, &b, 1000 + FOCAL_HEARTBEAT_MS + FOCAL_DEAD_MS);
    assert_int_equal(focal_session_tick(a.s), FOCAL_TIMEOUT);
}

static void a_handshake_has_its_time(void **state)
{
    (void)state;
    assert_int_equal(focal_session_deadline_ms(b.s), 1000 + FOCAL_HANDSHAKE_MS);
    ends_time(&a, &b, 1000 + FOCAL_HANDSHAKE_MS - 1);
    assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
    ends_time(&a, &b, 1000 + FOCAL_HANDSHAKE_MS);
    assert_int_equal(focal_session_tick(b.s), FOCAL_TIMEOUT);
}

static void new_keys_after_six_hours(void **state)
{
    (void)state;
    ends_shake(&a, &b);
    pump(&a, &b);
    for (uint64_t t = 1000; t < 1000 + FOCAL_LINK_AGE_MS_MAX; t += FOCAL_HEARTBEAT_MS) {
        ends_time(&a, &b, t);
        assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
        assert_int_equal(focal_session_tick(b.s), FOCAL_OK);
        pump(&a, &b);
        assert_int_equal(focal_session_state(a.s), FOCAL_SESSION_TALKING);
    }
    ends_time(&a, &b, 1000 + FOCAL_LINK_AGE_MS_MAX);
    assert_int_equal(focal_session_tick(a.s), FOCAL_OK);
    pump(&a, &b);
    assert_int_equal(focal_session_state(a.s), FOCAL_SESSION_CLOSED);
    assert_int_equal(focal_session_state(b.s), FOCAL_SESSION_CLOSED);
    assert_int_equal(focal_session_bye_reason(b.s), FOCAL_BYE_CLOSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_window_bounds_what_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quiet_link_measures_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_gap_is_asked_for_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_announced_tip_that_is_held_is_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_got_it_elsewhere_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_piece_that_comes_too_early, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_only_staged_there_is_not_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_only_staged_is_not_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acknowledged_after_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_peer_keeps_no_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_statements_and_a_long_frontier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(subjects_over_several_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statements_are_given_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_branches_are_not_equal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_series_counts_when_it_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(heartbeat_and_death, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_handshake_has_its_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_keys_after_six_hours, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sync_flow", tests, NULL, NULL);
}
