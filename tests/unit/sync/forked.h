/* Two ends and a log with two lines: Ken's disk was copied when SHARED entries were written, and each copy was written on. A is
 * HQ, which holds both lines; B is TCD, which holds as much as a test says. */
#ifndef FOCAL_TESTS_FORKED_H
#define FOCAL_TESTS_FORKED_H

#include "ends.h"

enum { SHARED = 4, FORKED_EACH = 3, FORKED_HEAD = SHARED + FORKED_EACH };      /* sequences; the first is the begin entry */
enum there { NOTHING_THERE, SHARED_THERE, ONE_LINE_THERE, BOTH_LINES_THERE };

static struct network net;
static struct office ken, twin, hq, tcd;
static struct end a, b;

static inline void forked_write(struct office *o, int count)
{
    struct focal_ref ref;
    begin(o);
    for (int i = 0; i < count; i++)
        write_value(o, &scope_kenya, NULL, FIELD_A, (uint8_t)chance_next(&o->chance), &ref);
    commit(o);
}

static inline const struct focal_log *forked_at(struct office *o)
{
    return log_of(o, &net, &ken, &scope_kenya);
}

static inline void forked_hand(struct office *from, struct office *to, uint64_t first)
{
    struct carried c;
    assert_int_equal(take_up(from, forked_at(from), first, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
    begin(to);
    assert_int_equal(hand_over(to, &c), FOCAL_OK);
    commit(to);
    carried_close(&c);
}

/* Ken's certificate and that of TCD read so many scopes from: control, network, Kenya, Chad. */
static inline void forked_reads(struct office *o, const struct office *of, uint64_t number, size_t scopes)
{
    struct focal_certificate c;
    struct focal_buf statement;
    certificate_for(&c, of, number);
    c.read_count = c.write_count = scopes;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    hold(o, &statement);
    focal_buf_close(&statement);
}

static inline void forked_make(enum there there)
{
    struct office *const all[] = { &ken, &hq, &tcd };
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&hq, &net, "HQ", 8);
    office_make(&tcd, &net, "TCD", 9);
    for (size_t i = 0; i < 9; i++)
        hold(all[i / 3], &all[i % 3]->statement);
    office_fence(&ken);
    forked_write(&ken, SHARED - 1);
    carry_all(&ken, &hq);
    if (there != NOTHING_THERE)
        carry_all(&ken, &tcd);
    office_copy(&twin, &ken);
    forked_write(&ken, FORKED_EACH);
    forked_write(&twin, FORKED_EACH);
    forked_hand(&ken, &hq, SHARED + 1);
    forked_hand(&twin, &hq, SHARED + 1);
    if (there >= ONE_LINE_THERE)
        forked_hand(&ken, &tcd, SHARED + 1);
    if (there == BOTH_LINES_THERE)
        forked_hand(&twin, &tcd, SHARED + 1);
    ends_link(&a, &hq, &b, &tcd);
}

static inline void forked_close(void)
{
    ends_close(&a, &b);
    office_close(&ken);
    office_close(&twin);
    office_close(&hq);
    office_close(&tcd);
    network_close(&net);
}

/* Handshake and both HELLOs; what follows of it is not said. */
static inline void forked_hello(void)
{
    struct focal_buf frame;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    ends_shake(&a, &b);
    for (int i = 0; i < 2; i++) {
        assert_true(end_take(i ? &b : &a, &frame));
        assert_int_equal(end_frame(i ? &a : &b, focal_buf_view(&frame)), FOCAL_OK);
    }
    queue_drop(a.s);
    queue_drop(b.s);
    a.s->queue_tail = b.s->queue_tail = NULL;
    focal_buf_close(&frame);
}

static inline size_t forked_lines(struct office *o)
{
    size_t count = 0;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(o->ol, &forked_at(&ken)->id, line)) != NULL;)
        count++;
    return count;
}

static inline struct peer_log *forked_seen(struct end *e)
{
    return peer_log_get(e->s, &forked_at(&ken)->id);
}

/* As if nothing had been said of a log yet. */
static inline void forked_forget(struct end *e, const struct focal_id *log)
{
    struct peer_log *p = focal_map_remove(&e->s->logs, log);
    if (!p)
        return;
    e->s->announces_due -= p->announce_due;
    e->s->acks_due -= p->ack_due;
    fork_free(p);
    focal_free(p);
}

/* The tip of a line as the far end would tell it. */
static inline struct focal_frontier_tip tip_of(struct end *e, const struct focal_log *line)
{
    struct focal_frontier_tip tip = { .seq = line->head.seq };
    keyed_hash(e->s, tip.keyed, &line->head.h);
    return tip;
}

static inline struct focal_frontier_tip invented(uint64_t seq)
{
    struct focal_frontier_tip tip = { .seq = seq, .keyed = { 1, 2, 3, 4, 5, 6, 7, (uint8_t)seq } };
    return tip;
}

/* A FRONTIER about the log, made in items: at most FOCAL_TIPS_MAX tips. */
static inline void put_tips(struct focal_message *m, struct focal_buf *items, struct end *e, const struct focal_frontier_tip *tips, size_t count)
{
    struct focal_frontier_item item = { .author = ken.keys.sign_public, .epoch = forked_at(&ken)->name.epoch, .lane = FOCAL_LANE_DATA,
        .tip_count = (uint8_t)count };
    struct focal_hash scope;
    focal_scope_id(&scope, &net.id, &scope_kenya);
    memcpy(item.tips, tips, count * sizeof *tips);
    focal_frontier_put(items, &item);
    memset(m, 0, sizeof *m);
    m->type = FOCAL_MSG_FRONTIER;
    keyed_hash(e->s, m->is.frontier.tag, &scope);
    m->is.frontier.tag[0] &= 0x7f;
    m->is.frontier.last = true;
    m->is.frontier.items = focal_buf_view(items);
}

static inline enum focal_status tell_tips(struct end *from, struct end *to, const struct focal_frontier_tip *tips, size_t count)
{
    struct focal_message m;
    struct focal_buf items;
    focal_buf_init(&items, FOCAL_FRAME_MAX);
    put_tips(&m, &items, from, tips, count);
    enum focal_status st = say(from, to, &m);
    focal_buf_close(&items);
    return st;
}

static inline enum focal_status ask_heads_to(struct end *from, struct end *to, const struct focal_frontier_tip *tip)
{
    struct focal_message m = { .type = FOCAL_MSG_HEADS };
    m.is.heads.log = forked_at(&ken)->id;
    m.is.heads.to = *tip;
    return say(from, to, &m);
}

/* A piece of a line at its author, as a SEGMENT. */
static inline void put_piece(struct focal_message *m, struct carried *c, struct office *from, uint64_t first)
{
    assert_int_equal(take_up(from, forked_at(from), first, FOCAL_SEGMENT_PACKED_MAX, c), FOCAL_OK);
    memset(m, 0, sizeof *m);
    m->type = FOCAL_MSG_SEGMENT;
    m->is.segment.log = forked_at(&ken)->id;
    memcpy(m->is.segment.before, c->piece.before, 8);
    m->is.segment.is_signed = c->piece.is_signed;
    m->is.segment.signature = c->piece.signature;
    m->is.segment.packed = focal_buf_view(&c->packed);
}

#endif
