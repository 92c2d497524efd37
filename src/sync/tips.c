/* Which tips of a peer are held here, and on which line of their log.
 *
 * Anybody can invent tips, and whether an entry that is no head bears a keyed hash is known only by reading and hashing its
 * segment. So each call from outside may cost so many looks and no more, and a link so many in a second, however small it cuts
 * its messages. A tip that is left over is unknown: it counts as lacking and is not asked for, and it is gone on with by the
 * next call, a second later at the latest. What was found stands until a head of that log moves. */
#include "session.h"

#include <string.h>

void tip_looks_open(struct focal_session *s)
{
    s->looks_saved = LOOKS_BURST;
    s->looks_filled_ms = s->host->now.mono_ms;
}

void tip_looks_start(struct focal_session *s)
{
    const uint64_t more = (s->host->now.mono_ms - s->looks_filled_ms) * LOOKS_PER_SECOND / 1000;
    s->looks_saved = s->looks_saved + more < LOOKS_BURST ? s->looks_saved + more : LOOKS_BURST;
    s->looks_filled_ms += more * 1000 / LOOKS_PER_SECOND;
    s->looks_call = s->looks_saved < LOOKS_MAX ? s->looks_saved : LOOKS_MAX;
}

/* False: some of it must wait, and is not forgotten. */
bool tip_looks_left(struct focal_session *s, uint64_t least)
{
    if (s->looks_call >= least)
        return true;
    s->looks_due = true;
    return false;
}

enum focal_status tip_hash(struct focal_session *s, const struct focal_log *line, uint64_t seq, struct focal_hash *h)
{
    const uint64_t before = focal_oplog_looks(s->host->oplog);
    enum focal_status st = focal_oplog_hash_on(s->host->oplog, line, seq, h);
    const uint64_t cost = focal_oplog_looks(s->host->oplog) - before;
    focal_assert(cost <= s->looks_call && cost <= s->looks_saved);
    s->looks_call -= cost;
    s->looks_saved -= cost;
    return st;
}

bool keyed_fits(const struct focal_session *s, const struct focal_frontier_tip *tip, const struct focal_hash *h)
{
    uint8_t keyed[8];
    keyed_hash(s, keyed, h);
    return memcmp(keyed, tip->keyed, 8) == 0;
}

static bool within(const struct focal_log *line, uint64_t seq)
{
    return seq > line->base.seq && seq <= line->head.seq;       /* what is below its base stands on another line */
}

static void found_on(struct fork_tip *t, const struct focal_log *line)
{
    t->state = TIP_HELD;
    t->serial = line->serial;
}

/* Below the heads, line by line; where the share ends it is gone on with. */
static enum focal_status look_below(struct focal_session *s, const struct focal_id *log, struct fork_tip *t)
{
    const struct focal_log *line = t->serial ? focal_oplog_log_at(s->host->oplog, t->serial - 1) : focal_oplog_next_line(s->host->oplog, log, NULL);
    for (; line; line = focal_oplog_next_line(s->host->oplog, log, line)) {
        struct focal_hash h;
        if (!within(line, t->tip.seq) || t->tip.seq == line->head.seq)
            continue;
        if (!tip_looks_left(s, 1)) {
            t->serial = line->serial + 1;
            return FOCAL_OK;
        }
        enum focal_status st = tip_hash(s, line, t->tip.seq, &h);
        if (st != FOCAL_OK)
            return st;
        if (keyed_fits(s, &t->tip, &h)) {
            found_on(t, line);
            return FOCAL_OK;
        }
    }
    t->state = TIP_LACKING;
    return FOCAL_OK;
}

enum focal_status tip_look(struct focal_session *s, const struct focal_id *log, struct fork_tip *t)
{
    t->state = TIP_UNKNOWN;
    t->serial = 0;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(s->host->oplog, log, line)) != NULL;) {
        if (t->tip.seq != line->head.seq || !keyed_fits(s, &t->tip, &line->head.h))
            continue;
        found_on(t, line);
        return FOCAL_OK;
    }
    return look_below(s, log, t);
}

/* ---- lists ----------------------------------------------------------------------------------------------------------- */

/* Who tells of more tips than anybody keeps invents them: they take no memory here. */
enum focal_status tips_add(struct fork *f, const struct focal_frontier_tip *tip)
{
    if (f->tip_count == FORK_TIPS_MAX)
        return FOCAL_OK;
    if (f->tip_count == f->tip_cap) {
        size_t more = f->tip_cap ? 2 * f->tip_cap : 4;
        void *grown = focal_realloc(f->tips, more * sizeof *f->tips);
        if (!grown)
            return FOCAL_NO_MEMORY;
        f->tips = grown;
        f->tip_cap = more;
    }
    f->tips[f->tip_count++] = (struct fork_tip){ .tip = *tip, .state = TIP_UNKNOWN };
    f->unknown++;
    return FOCAL_OK;
}

void tips_clear(struct fork *f)
{
    f->tip_count = f->unknown = 0;
}

static uint64_t moves_of(const struct focal_session *s, const struct peer_log *p)
{
    const struct focal_log *trunk = focal_oplog_log(s->host->oplog, &p->id);
    return trunk ? trunk->moves : 0;
}

bool tips_known(const struct focal_session *s, const struct peer_log *p)
{
    return p->fork->looked == moves_of(s, p);
}

/* Most tips are heads: of these nothing must be read, and each head is hashed once for all. */
static void match_heads(struct focal_session *s, struct peer_log *p)
{
    struct fork *f = p->fork;
    for (const struct focal_log *line = NULL; (line = focal_oplog_next_line(s->host->oplog, &p->id, line)) != NULL;) {
        uint8_t keyed[8];
        keyed_hash(s, keyed, &line->head.h);
        for (size_t i = 0; i < f->tip_count; i++) {
            struct fork_tip *t = &f->tips[i];
            if (t->state != TIP_UNKNOWN || t->tip.seq != line->head.seq || memcmp(t->tip.keyed, keyed, 8) != 0)
                continue;
            found_on(t, line);
            f->unknown--;
        }
    }
}

enum focal_status tips_look(struct focal_session *s, struct peer_log *p)
{
    struct fork *f = p->fork;
    if (!tips_known(s, p)) {
        for (size_t i = 0; i < f->tip_count; i++)
            f->tips[i] = (struct fork_tip){ .tip = f->tips[i].tip, .state = TIP_UNKNOWN };
        f->unknown = f->tip_count;
        f->looked = moves_of(s, p);
    }
    if (f->unknown > 0)
        match_heads(s, p);
    for (size_t i = 0; i < f->tip_count && f->unknown > 0; i++) {
        struct fork_tip *t = &f->tips[i];
        if (t->state != TIP_UNKNOWN)
            continue;
        enum focal_status st = look_below(s, &p->id, t);
        if (st != FOCAL_OK)
            return st;
        f->unknown -= t->state != TIP_UNKNOWN;
    }
    return FOCAL_OK;
}
