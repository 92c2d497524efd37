/* Is our wall clock right? Nothing is ordered by it, but people read days; so who reads them is told.
 *
 * Four witnesses, from the surest: the day this program was made and the days the network and our membership begin; the
 * clocks of other offices; the highest wall time we kept; the clock that only counts (mono), against which a wall clock that
 * is set back, or stands, loses time. A wall clock may run ahead of mono: the machine slept.
 *
 * What another office's clock says stands in its receipts, as a day; but a receipt may be old when it comes. So only one is
 * heard that lists an entry which cannot have existed at our last mark: our own, or its own when both ends were equal then.
 * Marks are less than a day old, so such a day may differ from ours by one without either being wrong. */
#include "inner.h"

#include <string.h>

enum {
    CHECK_MS = 60000,
    KEEP_MS = 3600 * 1000,              /* a wall time is written at most so often */
    MARK_MS = 3600 * 1000,
    LAG_MS = 120000,                    /* what time services take away little by little, and a good clock loses in a month */
    BELIEVED_MS = 24 * 3600 * 1000,     /* a clock that went back, runs on, and nobody says otherwise: it was set right */
    DAY_MS = 86400000,
    DAYS_APART = 1
};

static uint32_t day_of(uint64_t wall_ms) { return (uint32_t)(wall_ms / DAY_MS); }

static struct focal_span kept_key(void) { return focal_span_text("wall-clock"); }

enum focal_status clock_load(struct focal_node *n, uint32_t made_day)
{
    struct clock *c = &n->clock;
    struct focal_buf value;
    focal_buf_init(&value, 64);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_META, kept_key(), &value);
    if (st == FOCAL_OK && value.len == 8)
        c->kept_wall_ms = focal_get_be64(value.data);
    focal_buf_close(&value);
    c->made_day = made_day;
    c->base = c->suspect_since = n->host.now;
    if (c->kept_wall_ms > c->base.wall_ms)
        c->base.wall_ms = c->kept_wall_ms;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

void clock_free(struct focal_node *n)
{
    focal_free(n->clock.marks);
    n->clock.marks = NULL;
}

/* ---- what other offices' clocks say ------------------------------------------------------------------------------------ */

static bool by_office(const struct focal_node *n, const struct focal_log *log, const struct focal_office *office)
{
    const struct focal_certificate *author = focal_oplog_author(n->oplog, &log->id);
    return author && strcmp(author->office.text, office->text) == 0;
}

/* The day in a receipt of this office that lists an entry younger than the mark; false: none. */
static bool young_receipt(const struct focal_node *n, const struct peer *p, uint32_t *day)
{
    bool any = false;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        uint64_t seq, mark = i < n->clock.mark_count ? n->clock.marks[i] : 0;
        uint32_t said;
        if (log->mine || (p->equal_at_mark && by_office(n, log, &p->office))) {
            if (focal_oplog_receipt_of(n->oplog, &p->office, log, &seq, &said) && seq > mark && (!any || said > *day)) {
                *day = said;
                any = true;
            }
        }
    }
    return any;
}

static bool equal_now(const struct focal_node *n, const struct peer *p)
{
    const struct link *l = link_of_office(n, &p->office);
    return l && focal_session_equal(l->session);
}

/* False: no memory; the old mark goes on, it only grows older. */
static bool mark_room(struct focal_node *n)
{
    struct clock *c = &n->clock;
    size_t count = focal_oplog_log_count(n->oplog);
    if (count <= c->mark_count)
        return true;
    uint64_t *grown = focal_realloc(c->marks, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + c->mark_count, 0, (count - c->mark_count) * sizeof *grown);
    c->marks = grown;
    c->mark_count = count;
    return true;
}

static void set_mark(struct focal_node *n)
{
    if (!mark_room(n))
        return;
    for (size_t i = 0; i < n->clock.mark_count; i++)
        n->clock.marks[i] = focal_oplog_log_at(n->oplog, i)->head.seq;
    for (size_t i = 0; i < n->peer_count; i++)
        n->peers[i].equal_at_mark = equal_now(n, &n->peers[i]);
    n->clock.marked = true;
    n->clock.heard = false;
    n->clock.mark_mono_ms = n->host.now.mono_ms;
}

/* One that became equal since the mark: a mark for its own logs alone, as ours may have entries that others sign for soon. */
static void add_mark(struct focal_node *n, struct peer *p)
{
    if (p->equal_at_mark || !equal_now(n, p) || !mark_room(n))
        return;
    p->equal_at_mark = true;
    for (size_t i = 0; i < n->clock.mark_count; i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        if (by_office(n, log, &p->office))
            n->clock.marks[i] = log->head.seq;
    }
}

static void hear_peers(struct focal_node *n)
{
    struct clock *c = &n->clock;
    bool young = c->marked && n->host.now.mono_ms - c->mark_mono_ms < DAY_MS;
    for (size_t i = 0; young && i < n->peer_count; i++) {
        struct peer *p = &n->peers[i];
        if (young_receipt(n, p, &p->said_day)) {
            p->said = n->clock.heard = true;
            p->said_mono_ms = n->host.now.mono_ms;
        }
    }
    for (size_t i = 0; c->marked && i < n->peer_count; i++)
        add_mark(n, &n->peers[i]);
    /* Anew soon after a day was heard: what is heard next must be younger. */
    if (!c->marked || n->host.now.mono_ms - c->mark_mono_ms >= (c->heard ? CHECK_MS : MARK_MS))
        set_mark(n);
}

/* Today by the clock of this office. */
static uint32_t today_there(const struct focal_node *n, const struct peer *p)
{
    return p->said_day + (uint32_t)((n->host.now.mono_ms - p->said_mono_ms) / DAY_MS);
}

static bool same_day(uint32_t a, uint32_t b) { return a <= b + DAYS_APART && b <= a + DAYS_APART; }

static size_t offices_at(const struct focal_node *n, uint32_t day)
{
    size_t count = 0;
    for (size_t i = 0; i < n->peer_count; i++)
        count += n->peers[i].said && same_day(today_there(n, &n->peers[i]), day);
    return count;
}

/* Those who say our day, and the most who say one other day: clocks that are wrong each in its own way accuse nobody. */
static void count_peers(const struct focal_node *n, struct focal_clock *out)
{
    out->agree = offices_at(n, out->day);
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct peer *p = &n->peers[i];
        if (!p->said || same_day(today_there(n, p), out->day))
            continue;
        size_t count = offices_at(n, today_there(n, p));
        if (count > out->differ) {
            out->differ = count;
            out->who = p->office;
            out->who_day = today_there(n, p);
        }
    }
}

/* ---- the judgement --------------------------------------------------------------------------------------------------------- */

static uint64_t expected_wall_ms(const struct clock *c, const struct focal_now *now)
{
    return c->base.wall_ms + (now->mono_ms - c->base.mono_ms);
}

/* Behind what it must be by now? Remembered until it has caught up, others agree with it, or it has run on for a day. */
static bool went_back(struct focal_node *n, struct focal_clock *out)
{
    struct clock *c = &n->clock;
    const struct focal_now *now = &n->host.now;
    uint64_t expected = expected_wall_ms(c, now);
    bool lags = now->wall_ms + LAG_MS < expected;
    if (!lags || out->agree > out->differ) {
        /* A little lag is forgiven once an hour, so that one that stands is found out by many looks as by few. */
        if (lags || now->wall_ms >= expected || now->mono_ms - c->base.mono_ms >= KEEP_MS)
            c->base = *now;
        c->suspect = false;
        return false;
    }
    if (!c->suspect) {
        c->suspect = true;
        c->suspect_since = *now;
    }
    uint64_t ran_mono = now->mono_ms - c->suspect_since.mono_ms;
    uint64_t ran_wall = now->wall_ms > c->suspect_since.wall_ms ? now->wall_ms - c->suspect_since.wall_ms : 0;
    bool runs = ran_wall + LAG_MS / 2 >= ran_mono;
    if (runs && ran_mono >= BELIEVED_MS) {
        c->base = *now;
        c->suspect = false;
        return false;
    }
    if (!runs)                  /* it goes back again, or stands: the day it must run on begins anew */
        c->suspect_since = *now;
    c->stands = !runs || (c->stands && ran_mono < LAG_MS);
    out->expected_day = day_of(expected);
    out->lost_ms = expected - now->wall_ms;
    return true;
}

static enum focal_clock_word judge(struct focal_node *n, struct focal_clock *out)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    out->day = day_of(n->host.now.wall_ms);
    count_peers(n, out);
    bool back = went_back(n, out);
    if (out->day < n->clock.made_day) {
        out->expected_day = n->clock.made_day;
        return FOCAL_CLOCK_BEFORE_PROGRAM;
    }
    if (out->day + DAYS_APART < focal_oplog_genesis(n->oplog)->day) {
        out->expected_day = focal_oplog_genesis(n->oplog)->day;
        return FOCAL_CLOCK_BEFORE_NETWORK;
    }
    if (mine && out->day + DAYS_APART < mine->from_day && out->agree <= out->differ) {
        out->expected_day = mine->from_day;
        return FOCAL_CLOCK_BEFORE_MEMBERSHIP;
    }
    if (out->differ > out->agree)
        return FOCAL_CLOCK_NOT_AS_OTHERS;
    return !back ? FOCAL_CLOCK_OK : n->clock.stands ? FOCAL_CLOCK_STANDS : FOCAL_CLOCK_WENT_BACK;
}

static void look(struct focal_node *n)
{
    struct clock *c = &n->clock;
    hear_peers(n);
    struct focal_clock was = c->is;
    memset(&c->is, 0, sizeof c->is);
    c->is.word = judge(n, &c->is);
    c->looked = true;
    c->looked_mono_ms = n->host.now.mono_ms;
    if (c->is.word != FOCAL_CLOCK_OK && c->is.word != was.word)
        focal_trace_line(&n->trace, FOCAL_WARNING, "node", "the clock of this machine looks wrong; `focalctl status` says why");
}

static enum focal_status keep(struct focal_node *n)
{
    struct clock *c = &n->clock;
    uint64_t wall = n->host.now.wall_ms;
    bool due = wall >= c->kept_wall_ms + KEEP_MS || wall + LAG_MS < c->kept_wall_ms;
    if (c->is.word != FOCAL_CLOCK_OK || !due)
        return FOCAL_OK;
    uint8_t value[8];
    focal_put_be64(value, wall);
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_store_put(n->store, FOCAL_SHELF_META, kept_key(), focal_span_of(value, sizeof value));
    if (st == FOCAL_OK)
        c->kept_wall_ms = wall;
    return st;
}

enum focal_status clock_tick(struct focal_node *n)
{
    struct clock *c = &n->clock;
    if (c->looked && n->host.now.mono_ms - c->looked_mono_ms < CHECK_MS)
        return FOCAL_OK;
    look(n);
    return keep(n);
}

/* A question moves no time: what is due is counted from the last step. */
void focal_node_clock(struct focal_node *n, struct focal_now now, struct focal_clock *out)
{
    const struct focal_now stepped = n->host.now;
    if (now.mono_ms >= stepped.mono_ms)
        n->host.now = now;
    look(n);
    *out = n->clock.is;
    n->host.now = stepped;
}
