/* Forked logs: an author's disk was put back or copied, and two lines of entries stand under one log.
 *
 * Nothing is pushed of such a log. Both ends tell all their tips in FRONTIER, and again whenever these change, which is
 * also their acknowledgement; who does not hold a tip asks for it with HEADS, listing what it holds at halving distances,
 * so that the other end finds the last shared entry at once and sends at most twice what is missing.
 *
 *      here                         there
 *      FRONTIER 5, 4'    ───►
 *                        ◄───       HEADS to 4', holding 5 4 3 1
 *      SEGMENT 4'        ───►       (3 is shared)
 *                        ◄───       FRONTIER 5, 4'
 *
 * A log is in this state on a link from the moment on that either end shows a second tip or a tip that does not lie on
 * the other's line. Source: PROTOCOL §7; the listing at halving distances is that of Git's negotiation. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

void fork_free(struct peer_log *p)
{
    if (p->fork)
        focal_free(p->fork->tips);
    focal_free(p->fork);
    p->fork = NULL;
}

/* ---- our tips ---------------------------------------------------------------------------------------------------------- */

/* Never 0, so that 0 can stand for "never told". */
static uint64_t tips_digest(const struct focal_session *s, const struct focal_id *log)
{
    uint64_t sum = 1;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_tip(s->host->oplog, log, line)) != NULL;)
        sum += (focal_get_be64(focal_log_tip(line)->h.b) ^ focal_log_tip(line)->seq) * UINT64_C(0x9E3779B97F4A7C15);
    return sum | 1;
}

void fork_announce(struct focal_session *s, struct peer_log *p)
{
    if (p->fork->told == tips_digest(s, &p->id) || p->announce_due)
        return;
    p->announce_due = true;
    s->announces_due++;
}

void fork_told(const struct focal_session *s, struct peer_log *p)
{
    if (p->fork)
        p->fork->told = tips_digest(s, &p->id);
}

enum focal_status fork_enter(struct focal_session *s, struct peer_log *p)
{
    enum focal_status st = FOCAL_OK;
    if (p->fork)
        return st;
    p->fork = focal_alloc(sizeof *p->fork);
    if (!p->fork)
        return FOCAL_NO_MEMORY;
    p->next = p->to = 0;
    if (p->announced.seq > 0)
        st = tips_add(p->fork, &p->announced);
    fork_announce(s, p);
    return st;
}

enum focal_status fork_mark_equal(struct focal_session *s, struct peer_log *p)
{
    tips_clear(p->fork);
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_tip(s->host->oplog, &p->id, line)) != NULL;) {
        struct focal_frontier_tip tip = { .seq = focal_log_tip(line)->seq };
        keyed_hash(s, tip.keyed, &focal_log_tip(line)->h);
        enum focal_status st = tips_add(p->fork, &tip);
        if (st != FOCAL_OK)
            return st;
    }
    p->fork->told = tips_digest(s, &p->id);
    return tips_look(s, p);
}

enum focal_status fork_item(struct focal_session *s, struct peer_log *p, const struct focal_frontier_item *item)
{
    struct fork *f = p->fork;
    if (!f->tips_open)
        tips_clear(f);
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < item->tip_count && st == FOCAL_OK; i++) {
        if (item->tips[i].seq > 0)
            st = tips_add(f, &item->tips[i]);
    }
    f->tips_open = item->tip_count == FOCAL_TIPS_MAX;
    if (st != FOCAL_OK || f->tips_open)
        return st;
    st = tips_look(s, p);
    if (st == FOCAL_OK && !fork_equal(s, p))
        fork_announce(s, p);
    return st == FOCAL_OK ? fork_ask(s, p) : st;
}

/* ---- what they hold -------------------------------------------------------------------------------------------------- */

uint64_t fork_holds(const struct focal_session *s, const struct peer_log *p, const struct focal_log *line)
{
    uint64_t most = line->base.seq;
    for (size_t i = 0; i < p->fork->tip_count && tips_known(s, p); i++) {
        const struct fork_tip *tip = &p->fork->tips[i];
        uint64_t upto = tip->tip.seq;
        if (tip->state != TIP_HELD)
            continue;
        const struct focal_log *at = focal_oplog_log_at(s->host->oplog, tip->serial);
        while (at && at->serial != line->serial) {      /* what leads to a tip is held with it */
            upto = at->base.seq;
            at = focal_oplog_parent(s->host->oplog, at);
        }
        if (at && upto > most)
            most = upto;
    }
    return most < focal_log_tip(line)->seq ? most : focal_log_tip(line)->seq;
}

uint64_t fork_lack(const struct focal_session *s, const struct peer_log *p)
{
    const uint64_t limit = focal_oplog_limit(s->host->oplog, &p->id, &p->name);
    uint64_t lack = 0;
    for (size_t i = 0; i < p->fork->tip_count; i++)
        lack += p->fork->tips[i].tip.seq <= limit && p->fork->tips[i].state != TIP_HELD;
    return tips_known(s, p) ? lack : p->fork->tip_count;
}

bool fork_equal(const struct focal_session *s, const struct peer_log *p)
{
    if (fork_lack(s, p) != 0)
        return false;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_tip(s->host->oplog, &p->id, line)) != NULL;) {
        if (fork_holds(s, p, line) < focal_log_tip(line)->seq)
            return false;
    }
    return true;
}

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

/* 1, 2, 4, … entries back from the head of a line, down to where it begins. */
static enum focal_status list_line(struct focal_session *s, const struct focal_log *line, struct focal_buf *items, size_t *count)
{
    const uint64_t last = focal_log_tip(line)->seq;
    for (uint64_t back = 0; *count < FOCAL_HEADS_MAX && last - line->base.seq > back; back = back ? 2 * back : 1) {
        struct focal_frontier_tip head = { .seq = last - back };
        struct focal_hash h;
        if (back > 0 && !tip_looks_left(s, 1))
            break;              /* a shorter list is true as well: more is sent than is missing */
        enum focal_status st = tip_hash(s, line, head.seq, &h);
        if (st != FOCAL_OK)
            return st;
        keyed_hash(s, head.keyed, &h);
        focal_heads_put(items, &head);
        ++*count;
    }
    return FOCAL_OK;
}

static enum focal_status ask_for(struct focal_session *s, struct peer_log *p, const struct focal_frontier_tip *tip)
{
    struct focal_buf items;
    struct focal_message m = { .type = FOCAL_MSG_HEADS };
    enum focal_status st = FOCAL_OK;
    m.is.heads.log = p->id;
    m.is.heads.to = *tip;
    focal_buf_init(&items, FOCAL_HEADS_MAX * 16);
    for (const struct focal_log *line = NULL; st == FOCAL_OK && (line = focal_oplog_next_tip(s->host->oplog, &p->id, line)) != NULL;)
        st = list_line(s, line, &items, &m.is.heads.count);
    m.is.heads.items = focal_buf_view(&items);
    if (st == FOCAL_OK)
        st = items.failed ? FOCAL_NO_MEMORY : queue_message(s, &m);
    focal_buf_close(&items);
    return st;
}

enum focal_status fork_ask(struct focal_session *s, struct peer_log *p)
{
    if (s->closing || s->host->now.mono_ms < p->blocked_until_ms || !shared_by_id(s, &p->name.scope))
        return FOCAL_OK;
    const uint64_t limit = focal_oplog_limit(s->host->oplog, &p->id, &p->name);
    enum focal_status st = tips_look(s, p);
    for (size_t i = 0; i < p->fork->tip_count && st == FOCAL_OK; i++) {
        const struct focal_frontier_tip *tip = &p->fork->tips[i].tip;
        if (tip->seq > limit || p->fork->tips[i].state != TIP_LACKING)
            continue;
        if (!tip_looks_left(s, LOOKS_MAX / 2))
            return FOCAL_OK;    /* asked with a whole list, a little later */
        bool may = false;
        st = ask_note(s, &p->id, tip->seq, 0, &may);
        if (st != FOCAL_OK || !may)
            return st;
        p->fork->asked = *tip;
        return ask_for(s, p, tip);              /* one after the other */
    }
    return st;
}

/* ---- answering --------------------------------------------------------------------------------------------------------- */

enum focal_status fork_send_from(struct focal_session *s, struct peer_log *p, const struct focal_frontier_tip *to, uint64_t from)
{
    struct fork_tip wanted = { .tip = *to };
    enum focal_status st = tip_look(s, &p->id, &wanted);
    if (st != FOCAL_OK || wanted.state != TIP_HELD)
        return st;              /* moved on: they hear of our tips and ask again */
    const struct focal_log *line = focal_oplog_log_at(s->host->oplog, wanted.serial);
    if (from > focal_log_tip(line)->seq)
        return FOCAL_OK;
    struct fork *f = p->fork;
    for (size_t i = 0; i < f->send_count; i++) {
        if (f->sends[i].serial != line->serial)
            continue;
        f->sends[i].next = from;
        return FOCAL_OK;
    }
    if (f->send_count < FORK_SENDS_MAX)
        f->sends[f->send_count++] = (struct fork_send){ line->serial, from };
    return FOCAL_OK;
}

/* Something of a line that they asked for is here now. */
void fork_send_again(struct peer_log *p, const struct focal_log *line, uint64_t from)
{
    struct fork *f = p->fork;
    for (size_t i = 0; i < f->send_count; i++) {
        if (f->sends[i].serial != line->serial)
            continue;
        f->sends[i].next = f->sends[i].next < from ? f->sends[i].next : from;
        return;
    }
    if (f->send_count < FORK_SENDS_MAX)
        f->sends[f->send_count++] = (struct fork_send){ line->serial, from };
}

static int highest_first(const void *a, const void *b)
{
    const struct focal_frontier_tip *x = a, *y = b;
    return (x->seq < y->seq) - (x->seq > y->seq);
}

/* The highest entry on the way to a tip that they list. 0: none, or none found with so many looks; then more is sent than they
 * lack. */
static enum focal_status find_shared(struct focal_session *s, const struct focal_log *line, const struct focal_heads *heads, uint64_t *shared)
{
    struct focal_frontier_tip list[FOCAL_HEADS_MAX];
    *shared = 0;
    for (size_t i = 0; i < heads->count; i++)
        focal_heads_get(&list[i], heads, i);
    qsort(list, heads->count, sizeof *list, highest_first);
    for (size_t i = 0; i < heads->count && list[i].seq > 0; i++) {
        struct focal_hash h;
        if (list[i].seq > heads->to.seq)
            continue;
        if (!tip_looks_left(s, 1))
            return FOCAL_OK;
        enum focal_status st = tip_hash(s, line, list[i].seq, &h);
        if (st != FOCAL_OK)
            return st;
        if (keyed_fits(s, &list[i], &h)) {
            *shared = list[i].seq;
            return FOCAL_OK;
        }
    }
    return FOCAL_OK;
}

enum focal_status heads_take(struct focal_session *s, const struct focal_heads *heads)
{
    const struct focal_log *log = focal_oplog_log(s->host->oplog, &heads->log);
    if (!log || !shared_by_id(s, &log->name.scope))
        return FOCAL_OK;
    if (!tip_looks_left(s, LOOKS_MAX / 2))
        return FOCAL_OK;        /* one that asks so often asks again, a minute later: better than to send it all of a log */
    struct fork_tip wanted = { .tip = heads->to };
    enum focal_status st = tip_look(s, &log->id, &wanted);
    if (st != FOCAL_OK || wanted.state != TIP_HELD)
        return st;
    struct peer_log *p = peer_log_make(s, &log->id, &log->name);
    if (!p)
        return FOCAL_NO_MEMORY;
    p->told_name = true;
    uint64_t shared;
    st = fork_enter(s, p);
    if (st == FOCAL_OK)
        st = find_shared(s, focal_oplog_log_at(s->host->oplog, wanted.serial), heads, &shared);
    return st == FOCAL_OK ? fork_send_from(s, p, &heads->to, shared + 1) : st;
}

enum focal_status fork_piece(struct focal_session *s, struct peer_log *p, struct focal_piece *piece, struct focal_buf *packed, bool *made)
{
    struct fork *f = p->fork;
    *made = false;
    while (f->send_count > 0) {
        struct fork_send *send = &f->sends[0];
        const struct focal_log *line = focal_oplog_log_at(s->host->oplog, send->serial), *child = NULL;
        while (send->next <= line->base.seq && focal_oplog_parent(s->host->oplog, line)) {
            child = line;
            line = focal_oplog_parent(s->host->oplog, line);
        }
        enum focal_status st = focal_oplog_read(s->host->oplog, line, send->next, PACKED_MAX, piece, packed);
        if (st == FOCAL_NOT_FOUND) {            /* the end, or rolled back since */
            memmove(f->sends, f->sends + 1, --f->send_count * sizeof *f->sends);
            continue;
        }
        if (st != FOCAL_OK)
            return st;
        /* A piece of the line that is left may reach beyond the place where it is left: also that is worth having. */
        send->next = child && piece->last >= child->base.seq ? child->base.seq + 1 : piece->last + 1;
        *made = true;
        return FOCAL_OK;
    }
    return FOCAL_OK;
}
