/* The only way out: nothing leaves before the commit of the step that made it.
 * Frames are made and encrypted when the shell takes them, never inside a step, and not at all after a failed one. */
#include "inner.h"

bool focal_node_take_frame(struct focal_node *n, uint64_t link, struct focal_buf *frame)
{
    focal_assert(!n->in_step && (FOCAL_PLANTED(ACK_BEFORE_COMMIT) || !n->tx_open));
    focal_buf_clear(frame);
    struct link *l = link_find(n, link);
    if ((n->failed != FOCAL_OK && !FOCAL_PLANTED(FAILED_STEP_SPEAKS)) || !l)
        return false;
    bool taken = false;
    enum focal_status st = focal_session_take(l->session, frame, &taken);
    if (focal_sync_world(st))
        n->failed = st;         /* our own store could not be read: the next step says so */
    bool closed = focal_session_state(l->session) == FOCAL_SESSION_CLOSED || st != FOCAL_OK;
    if (closed && !l->close_ordered) {
        l->close_ordered = true;
        node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_CLOSE, .link = link });
    }
    return taken && st == FOCAL_OK;
}

uint64_t focal_node_deadline_ms(const struct focal_node *n)
{
    uint64_t next = n->receipts_due_ms, look = space_deadline_ms(n);
    if (look < next)
        next = look;
    if (follow_due(n))
        next = n->host.now.mono_ms;
    if (focal_oplog_again_due(n->oplog) && !n->host.pause_strict)      /* the next slice */
        next = 0;
    for (size_t i = 0; i < n->link_count; i++) {
        uint64_t d = focal_session_deadline_ms(n->links[i].session);
        if (d < next)
            next = d;
    }
    size_t dialling = 0;
    for (size_t i = 0; i < n->peer_count; i++)
        dialling += n->peers[i].dial_tag != 0;
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct peer *p = &n->peers[i];
        bool may = p->address_count && !p->paused && p->dial_tag == 0 && (p->wanted || p->dial_now) && dialling < n->dials_max;
        if (may && p->next_dial_ms < next && !peer_linked(n, p))
            next = p->next_dial_ms;
    }
    for (size_t i = 0; i < n->link_count; i++)
        if (n->links[i].closing_since_ms && n->links[i].closing_since_ms + CLOSING_MS < next)
            next = n->links[i].closing_since_ms + CLOSING_MS;
    /* Never closer to the last tick than this: a due thing that cannot be done now must not spin the loop. Not to the last
     * step: of one every few milliseconds no tick would ever come. */
    uint64_t least = n->ticked_ms + TICK_LEAST_MS;
    return next > least ? next : least;
}
