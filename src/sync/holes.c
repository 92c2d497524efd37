/* Entries that are missing here because a redaction erased them which counts no more: each is asked of each peer by itself, once
 * on a link. Who has it gives it. Who lacks it as well, or has not heard yet that the redaction counts no more, keeps in mind
 * that it was asked for, and gives it when it is there: so it goes on from one to the other, whoever meets whom when. */
#include "session.h"

enum { HOLE_PACE_MS = 1000 };           /* between two questions about one log: an answer may hold a large entry */

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

/* The tip names the line; of a log with one line the entry names itself. */
static enum focal_status want_of(struct focal_session *s, const struct peer_log *p, const struct focal_log *line, uint64_t seq, struct focal_want *out)
{
    const struct focal_tip *tip = focal_log_tip(line);
    struct focal_hash h;
    *out = (struct focal_want){ .log = p->id, .from = seq, .to = { .seq = tip->seq } };
    keyed_hash(s, out->to.keyed, &tip->h);
    if (p->fork)
        return FOCAL_OK;
    enum focal_status st = focal_oplog_hash_on(s->host->oplog, line, seq, &h);
    out->to.seq = seq;
    keyed_hash(s, out->to.keyed, &h);
    return st;
}

static enum focal_status ask_next(struct focal_session *s, struct peer_log *p, const struct focal_log *line)
{
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    const uint64_t now = s->host->now.mono_ms;
    uint64_t seq;
    if (p->holes_asked_at != focal_oplog_holes_noted(s->host->oplog)) {        /* there are more */
        p->holes_asked_at = focal_oplog_holes_noted(s->host->oplog);
        p->hole_asked = 0;
    }
    enum focal_status st = focal_oplog_hole_behind(s->host->oplog, line, p->hole_asked, &seq);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    if (pause_holds(s, &p->name))
        return FOCAL_OK;
    s->holes_due = true;
    if (now < p->hole_next_ms)
        return FOCAL_OK;
    st = want_of(s, p, line, seq, &m.is.want);
    p->hole_asked = p->fork ? focal_log_tip(line)->seq : seq;      /* of a fork all that stands after it comes as well */
    p->hole_next_ms = now + HOLE_PACE_MS;
    return st == FOCAL_OK ? queue_message(s, &m) : st;
}

enum focal_status holes_ask(struct focal_session *s)
{
    const struct focal_log *line = NULL;
    uint64_t seq;
    enum focal_status st = FOCAL_OK;
    s->holes_due = false;
    if (s->state != FOCAL_SESSION_TALKING || s->closing || !s->hello_taken)
        return FOCAL_OK;
    while (st == FOCAL_OK && (st = focal_oplog_next_hole(s->host->oplog, line, &line, &seq)) == FOCAL_OK) {
        struct peer_log *p = peer_log_get(s, &line->id);
        if (p && shared_by_id(s, &line->name.scope))
            st = ask_next(s, p, line);
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* ---- giving ---------------------------------------------------------------------------------------------------------- */

static void send_again(struct peer_log *p, uint64_t from, uint64_t to)
{
    p->again_from = p->again_from && p->again_from < from ? p->again_from : from;
    p->again_to = p->again_to > to ? p->again_to : to;
}

bool hole_wanted(struct peer_log *p, const struct focal_want *w)
{
    if (!p->fork && p->theirs < w->from)
        return false;
    if (p->wanted_from == 0 || w->from < p->wanted_from)
        p->wanted_from = w->from;
    if (p->fork || w->from != w->to.seq)
        return false;
    send_again(p, w->from, w->from);
    return true;
}

void hole_filled(struct peer_log *p, uint64_t upto)
{
    if (p->wanted_from != 0 && p->wanted_from <= upto)
        p->wanted_from = upto < p->theirs ? upto + 1 : 0;
}

/* An entry came back here; have they asked for it, or for one before it? */
static void give(struct focal_session *s, const struct focal_log *line, uint64_t seq)
{
    struct peer_log *p = peer_log_get(s, &line->id);
    if (p && !p->fork)
        ack_owe(s, p);                  /* from whomever it came: until now we have not acknowledged it */
    if (!p || FOCAL_PLANTED(HOLE_NOT_GIVEN_ON) || p->wanted_from == 0 || p->wanted_from > seq || !shared_by_id(s, &line->name.scope))
        return;
    if (p->fork)
        fork_send_again(p, line, seq);
    else
        send_again(p, seq, seq);
}

/* So many at once that it is forgotten which. */
static void give_all(struct focal_session *s)
{
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        struct peer_log *p = value;
        const struct focal_log *line = NULL;
        if (!p->fork && focal_oplog_log(s->host->oplog, &p->id))
            ack_owe(s, p);
        while (p->wanted_from != 0 && (line = focal_oplog_next_line(s->host->oplog, &p->id, line)) != NULL)
            if (focal_log_tip(line)->seq >= p->wanted_from)
                p->fork ? fork_send_again(p, line, p->wanted_from) : send_again(p, p->wanted_from, focal_log_tip(line)->seq);
    }
}

void holes_give(struct focal_session *s)
{
    const uint64_t count = focal_oplog_restored_count(s->host->oplog);
    const struct focal_log *line;
    uint64_t seq;
    for (; s->restored_seen < count; s->restored_seen++) {
        if (focal_oplog_restored(s->host->oplog, s->restored_seen, &line, &seq)) {
            give(s, line, seq);
        } else {
            give_all(s);
            s->restored_seen = count - 1;
        }
    }
}

enum focal_status hole_piece(struct focal_session *s, struct peer_log *p, const struct focal_log *log, struct focal_piece *piece, struct focal_buf *packed)
{
    enum focal_status st = focal_oplog_read_upto(s->host->oplog, log, p->again_from, p->again_to, FOCAL_SEGMENT_PACKED_MAX, piece, packed);
    p->again_from = st == FOCAL_OK && piece->last < p->again_to ? piece->last + 1 : 0;
    if (p->again_from == 0)
        p->again_to = 0;
    return st;
}
