/* WANT, SEGMENT, CREDIT, ACK: entries on their way.
 *
 * A sender may have at most a window of SEGMENT bytes in flight that the receiver has not taken (CREDIT). The window starts
 * small and grows while the way does not get longer: a full buffer in front of a satellite link shows as a longer way.
 * Lanes choose between logs, within one order is strict: control, notices, short tails, bulk; round robin in each. */
#include "session.h"

#include <string.h>

enum lane_rank { RANK_CONTROL, RANK_NOTICES, RANK_SHORT, RANK_BULK, RANKS };
enum { SHORT_TAIL_ENTRIES = 64 };

enum focal_status want_take(struct focal_session *s, const struct focal_want *w)
{
    const struct focal_log *log = focal_oplog_log(s->host->oplog, &w->log);
    if (w->from == 0)
        return FOCAL_NEVER;
    /* Asked for what we do not show them or no longer hold: not an error, rights differ for a while. */
    if (!log || focal_log_tip(log)->seq < w->from || (!FOCAL_PLANTED(ANY_SCOPE_TOLD) && !shared_by_id(s, &log->name.scope)))
        return FOCAL_OK;
    struct peer_log *p = peer_log_make(s, &log->id, &log->name);
    if (!p)
        return FOCAL_NO_MEMORY;
    p->told_name = true;
    enum focal_status st = log->forked ? fork_enter(s, p) : FOCAL_OK;
    if (st == FOCAL_OK && hole_wanted(p, w))
        return FOCAL_OK;
    if (st != FOCAL_OK || p->fork)
        return st == FOCAL_OK ? fork_send_from(s, p, &w->to, w->from) : st;
    if (p->next <= p->to && p->next != 0 && p->next <= w->from)
        return FOCAL_OK;        /* on its way already */
    if (p->theirs >= w->from)
        p->theirs = w->from - 1;        /* not more than before: what is before it may only be staged there */
    p->sent = w->from - 1;
    p->next = w->from + FOCAL_PLANTED(RANGE_OFF_BY_ONE);
    p->to = focal_log_tip(log)->seq;    /* what came since is wanted as well */
    p->head_seen = p->to;
    return FOCAL_OK;
}

static enum lane_rank rank_of(const struct focal_log *log, const struct peer_log *p)
{
    if (log->scope.cls == FOCAL_SCOPE_CONTROL)
        return RANK_CONTROL;
    if (log->name.lane == FOCAL_LANE_NOTICES)
        return RANK_NOTICES;
    if (p->fork)
        return RANK_BULK;
    return p->to - p->next < SHORT_TAIL_ENTRIES ? RANK_SHORT : RANK_BULK;
}

/* What its own office wrote it is given in any case: after a restore nobody else may have it. */
static bool withheld(const struct focal_session *s, const struct focal_certificate *expired, const struct focal_log_name *name)
{
    const struct focal_certificate *author = expired ? focal_oplog_certificate_by_sign(s->host->oplog, &name->author) : NULL;
    return expired && !FOCAL_PLANTED(EXPIRED_IS_GIVEN_ALL) && !(author && strcmp(author->office.text, expired->office.text) == 0);
}

/* The next log to send of: best lane, then the first after the one served last (map order is insertion order). */
static struct peer_log *pick(struct focal_session *s, const struct focal_log **log_out)
{
    struct peer_log *best = NULL;
    enum lane_rank best_rank = RANKS;
    uint64_t best_place = 0, place = 0;
    bool best_after = false;
    const struct focal_certificate *theirs = focal_session_certificate(s);
    const struct focal_certificate *expired = theirs && s->host->expired && s->host->expired(s->host->data, theirs) ? theirs : NULL;
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        struct peer_log *p = value;
        place++;
        if (p->fork ? p->fork->send_count == 0 : p->again_from == 0 && (p->next == 0 || p->next > p->to))
            continue;
        if ((s->they_pause && !pause_passes(s, &p->name)) || withheld(s, expired, &p->name))
            continue;
        const struct focal_log *log = focal_oplog_log(s->host->oplog, &p->id);
        focal_assert(log != NULL);
        if (!FOCAL_PLANTED(ANY_SCOPE_TOLD) && !shared_by_id(s, &p->name.scope)) {
            p->next = p->to = p->again_from = p->again_to = 0;
            if (p->fork)
                p->fork->send_count = 0;
            continue;
        }
        enum lane_rank rank = rank_of(log, p);
        bool after = place > s->turn;
        if (rank < best_rank || (rank == best_rank && after && !best_after)) {
            best = p;
            best_rank = rank;
            best_place = place;
            best_after = after;
            *log_out = log;
        }
    }
    if (best)
        s->turn = best_place;
    return best;
}

static void probe_start(struct focal_session *s)
{
    /* Credit comes in steps: only bytes that are surely given back without our sending more tell how long the way is. */
    if (s->probe_at_ms == 0 && s->in_flight_bytes >= 2 * CREDIT_STEP_BYTES) {
        s->probe_at_ms = s->host->now.mono_ms ? s->host->now.mono_ms : 1;
        s->probe_left_bytes = s->in_flight_bytes - CREDIT_STEP_BYTES;
    }
}

static void sent_upto(struct peer_log *p, const struct focal_piece *piece)
{
    focal_assert(piece->last >= p->next);
    p->sent = piece->last;
    p->next = piece->last + 1;
    if (p->to < piece->last)
        p->to = piece->last;
}

enum focal_status segment_make(struct focal_session *s, struct focal_buf *message, bool *made)
{
    *made = false;
    if (s->in_flight_bytes >= s->window_bytes)
        return FOCAL_OK;
    const struct focal_log *log = NULL;
    struct peer_log *p = pick(s, &log);
    if (!p)
        return FOCAL_OK;

    struct focal_buf bytes;
    focal_buf_init(&bytes, FOCAL_FRAME_MAX);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    enum focal_status st = FOCAL_OK;
    if (!p->told_name) {        /* a name goes before the first piece of a log they have not heard of */
        struct focal_frontier_item item = { .author = p->name.author, .epoch = p->name.epoch, .lane = p->name.lane, .tip_count = 1 };
        focal_frontier_put(&bytes, &item);
        const struct shared_scope *scope = shared_by_id(s, &p->name.scope);
        memcpy(m.is.frontier.tag, scope->tag, 8);
        m.is.frontier.last = true;
        m.is.frontier.items = focal_buf_view(&bytes);
        if (bytes.failed) {
            focal_buf_close(&bytes);
            return FOCAL_NO_MEMORY;
        }
        p->told_name = true;
        focal_message_encode(message, &m);
        *made = true;
    } else {
        struct focal_piece piece;
        m.type = FOCAL_MSG_SEGMENT;
        bool found = true;
        const bool again = !p->fork && p->again_from != 0;
        st = again ? hole_piece(s, p, log, &piece, &bytes) : p->fork ? fork_piece(s, p, &piece, &bytes, &found) : focal_oplog_read(s->host->oplog, log, p->next, PACKED_MAX, &piece, &bytes);
        if (st == FOCAL_NOT_FOUND || (st == FOCAL_OK && !found)) {
            if (!again)
                p->next = p->to = 0;
            focal_buf_close(&bytes);
            return FOCAL_OK;
        }
        if (st == FOCAL_OK) {
            m.is.segment.log = p->id;
            memcpy(m.is.segment.before, piece.before, 8);
            m.is.segment.is_signed = piece.is_signed;
            m.is.segment.signature = piece.signature;
            m.is.segment.packed = focal_buf_view(&bytes);
            focal_message_encode(message, &m);
            if (!p->fork && !again)
                sent_upto(p, &piece);
            s->in_flight_bytes += message->len;
            probe_start(s);
            *made = true;
        }
    }
    focal_buf_close(&bytes);
    return st == FOCAL_OK && message->failed ? FOCAL_NO_MEMORY : st;
}

/* A window's bytes have come through: the way's length decides whether more may be under way. */
static void probe_end(struct focal_session *s)
{
    /* It began at 1 where the clock stood at 0. */
    uint64_t trip = s->host->now.mono_ms > s->probe_at_ms ? s->host->now.mono_ms - s->probe_at_ms : 0;
    s->probe_at_ms = 0;
    if (s->trip_least_ms == 0 || trip < s->trip_least_ms)
        s->trip_least_ms = trip ? trip : 1;
    if (trip <= 2 * s->trip_least_ms + 50)
        s->window_bytes = s->window_bytes * 2 > FOCAL_WINDOW_MAX_BYTES ? FOCAL_WINDOW_MAX_BYTES : s->window_bytes * 2;
    else if (trip > 4 * s->trip_least_ms + 200 && s->window_bytes / 2 >= FOCAL_WINDOW_START_BYTES)
        s->window_bytes /= 2;
}

void credit_take(struct focal_session *s, uint32_t bytes)
{
    s->in_flight_bytes -= FOCAL_PLANTED(CREDIT_LOST) ? 0 : bytes < s->in_flight_bytes ? bytes : s->in_flight_bytes;
    if (s->probe_at_ms == 0)
        return;
    if (bytes < s->probe_left_bytes)
        s->probe_left_bytes -= bytes;
    else
        probe_end(s);
}

/* The first step of the admission's three answers that concerns the far end: what it costs them. */
static enum focal_status blame(struct focal_session *s, struct peer_log *p, enum focal_status st, const struct focal_error *err)
{
    switch (st) {
    case FOCAL_NOT_YET:
    case FOCAL_NO_LONGER:
        p->blocked_until_ms = s->host->now.mono_ms + BLOCKED_MS;
        asks_drop(s, &p->id);
        focal_trace_line(s->host->trace, FOCAL_INFO, "sync", "segment not admitted: %s", err->message);
        return st == FOCAL_NO_LONGER ? cuts_send(s, p) : FOCAL_OK;
    case FOCAL_CONFLICT:        /* a branch of which the beginning is not here: they hear of our tips, and we ask for theirs */
        asks_drop(s, &p->id);
        st = fork_enter(s, p);
        return st == FOCAL_OK ? fork_ask(s, p) : st;
    default:
        return st;
    }
}

enum focal_status segment_take(struct focal_session *s, const struct focal_segment *g, size_t message_bytes)
{
    s->credit_due_bytes += message_bytes;
    struct peer_log *p = peer_log_get(s, &g->log);
    if (!p)                     /* never announced, unless we did not listen */
        return s->names_dropped || s->names_cut ? FOCAL_OK : FOCAL_NEVER;
    if (!shared_by_id(s, &p->name.scope))
        return FOCAL_OK;
    uint64_t first;
    uint32_t count;
    if (focal_stretch_peek(&first, &count, g->packed) != FOCAL_OK || count == 0 || first > UINT64_MAX - count)
        return FOCAL_NEVER;
    const uint64_t last = first + count - 1;
    if (p->theirs < last)       /* also when it is not admitted yet: then it is asked for */
        p->theirs = last;
    if (p->sent < last)
        p->sent = last;
    if (pause_holds(s, &p->name))       /* it was on its way when we paused; not acknowledged, so asked for later */
        return FOCAL_OK;

    const struct focal_log *log = NULL;
    const struct focal_log *held = focal_oplog_log(s->host->oplog, &g->log);
    uint64_t before = held ? held->head.seq : 0;
    if (!p->fork && first > (held ? held->staged.seq : 0) + 1 && first <= focal_oplog_limit(s->host->oplog, &p->id, &p->name))      /* what is before it is missing: asked for, without waiting */
        return ask_if_behind(s, p);
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_incoming in = { .name = &p->name, .before = g->before, .packed = g->packed,
                                 .signature = g->is_signed ? &g->signature : NULL };
    enum focal_status st = s->host->writing(s->host->data);
    if (st != FOCAL_OK)
        return st;
    st = focal_oplog_admit(s->host->oplog, &in, &log, &err);
    if (st != FOCAL_OK)
        return blame(s, p, st, &err);

    focal_assert(log != NULL);
    held = focal_oplog_log(s->host->oplog, &g->log);
    if (held->forked && (st = fork_enter(s, p)) != FOCAL_OK)
        return st;
    ack_owe(s, p);
    asks_touch(s, p);
    /* Asked again only with that tip here: what is on its way to it begins with what we hold, and HEADS begins it anew. */
    struct fork_tip asked = { .state = TIP_HELD };
    if (p->fork && g->is_signed && p->fork->asked.seq != 0) {
        asked.tip = p->fork->asked;
        st = tip_look(s, &p->id, &asked);
    }
    if (p->fork && g->is_signed && asked.state == TIP_HELD)
        asks_drop(s, &p->id);
    if (held->head.seq > before)
        p->head_seen = held->head.seq;
    return st == FOCAL_OK ? ask_if_behind(s, p) : st;
}

enum focal_status ack_take(struct focal_session *s, const struct focal_ack *ack)
{
    for (size_t i = 0; i < ack->count; i++) {
        struct focal_ack_item item;
        focal_ack_get(&item, ack, i);
        struct peer_log *p = peer_log_get(s, &item.log);
        if (!p || p->fork)      /* of a forked log a count says nothing */
            continue;
        if (p->theirs < item.seq)
            p->theirs = item.seq;
        hole_filled(p, item.seq);
        if (p->next != 0 && p->next <= item.seq)
            p->next = item.seq + 1;
    }
    return FOCAL_OK;
}

void ack_owe(struct focal_session *s, struct peer_log *p)
{
    if (p->fork) {
        fork_announce(s, p);
        return;
    }
    s->acks_due += !p->ack_due;
    p->ack_due = true;
}

/* Acknowledged means durable: this runs only outside a step, after its commit. */
bool ack_make(struct focal_session *s, struct focal_message *m, struct focal_buf *items)
{
    if (s->acks_due == 0)
        return false;
    size_t at = 0;
    void *value;
    m->type = FOCAL_MSG_ACK;
    m->is.ack.count = 0;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        struct peer_log *p = value;
        if (!p->ack_due)
            continue;
        const struct focal_log *log = focal_oplog_log(s->host->oplog, &p->id);
        p->ack_due = false;
        s->acks_due--;
        focal_assert(log != NULL);
        if (!shared_by_id(s, &p->name.scope))       /* not any more: also that it came is not said */
            continue;
        if (p->fork) {
            fork_announce(s, p);
            continue;
        }
        if (focal_log_tip(log)->seq == 0 && !FOCAL_PLANTED(STAGED_ACKNOWLEDGED))
            continue;           /* only staged so far, or cut: nothing durable and signed to speak of */
        /* What is missing is not acknowledged; how far the log is known here is told by itself, and what is missing is asked for. */
        const uint64_t whole = focal_oplog_whole(s->host->oplog, log);
        if (whole < focal_log_tip(log)->seq && p->tip_told < focal_log_tip(log)->seq) {
            p->tip_told = focal_log_tip(log)->seq;
            s->announces_due += !p->announce_due;
            p->announce_due = true;
        }
        struct focal_ack_item item = { .log = p->id, .seq = FOCAL_PLANTED(STAGED_ACKNOWLEDGED) ? log->staged.seq : whole };
        focal_ack_put(items, &item);
        m->is.ack.count++;
        if (items->len + 24 > ITEMS_MAX)
            break;
    }
    m->is.ack.items = focal_buf_view(items);
    return m->is.ack.count > 0;
}
