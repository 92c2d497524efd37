/* FRONTIER: which logs of a scope we hold and how far. Whole at the start of a talk when the hashes differ; later single
 * logs, to announce a new tip or, with sequence 0, only a name. */
#include "session.h"

#include <string.h>

struct peer_log *peer_log_get(struct focal_session *s, const struct focal_id *id)
{
    return focal_map_get(&s->logs, id);
}

struct peer_log *peer_log_make(struct focal_session *s, const struct focal_id *id, const struct focal_log_name *name)
{
    struct peer_log *p = focal_map_get(&s->logs, id);
    if (p)
        return p;
    p = focal_alloc(sizeof *p);
    if (!p)
        return NULL;
    p->id = *id;
    p->name = *name;
    if (focal_map_put(&s->logs, id, p) != FOCAL_OK) {
        focal_free(p);
        return NULL;
    }
    return p;
}

/* All tips of a log, in as many items as they need. */
void frontier_put(const struct focal_session *s, struct focal_buf *items, const struct focal_id *log)
{
    struct focal_frontier_item item;
    const struct focal_log *line = NULL;
    const struct focal_log *trunk = focal_oplog_log(s->host->oplog, log);
    memset(&item, 0, sizeof item);
    item.author = trunk->name.author;
    item.epoch = trunk->name.epoch;
    item.lane = trunk->name.lane;
    while ((line = focal_oplog_next_tip(s->host->oplog, log, line)) != NULL) {
        struct focal_frontier_tip *tip = &item.tips[item.tip_count++];
        tip->seq = focal_log_tip(line)->seq;
        keyed_hash(s, tip->keyed, &focal_log_tip(line)->h);
        if (item.tip_count == FOCAL_TIPS_MAX) {
            focal_frontier_put(items, &item);
            item.tip_count = 0;
        }
    }
    if (item.tip_count == 0) {          /* only the name, or the end of a full list */
        item.tips[0] = (struct focal_frontier_tip){ .seq = 0 };
        item.tip_count = 1;
    }
    focal_frontier_put(items, &item);
}

static bool is_trunk(const struct focal_log *log)
{
    return focal_id_equal(&log->id, &log->line);
}

/* The trunk of a log of this scope that is held. Also of one that a cut leaves nothing of the name is known here: they may not
 * have heard of the cut yet, and count on it. */
static bool held(const struct shared_scope *scope, const struct focal_log *log)
{
    return log->head.seq > 0 && is_trunk(log) && focal_hash_equal(&log->name.scope, &scope->id);
}

static bool shown(const struct focal_session *s, const struct focal_log *log)
{
    return focal_oplog_next_tip(s->host->oplog, &log->id, NULL) != NULL;
}

enum focal_status frontier_send_whole(struct focal_session *s, struct shared_scope *scope)
{
    struct focal_oplog *ol = s->host->oplog;
    struct focal_buf items;
    focal_buf_init(&items, ITEMS_MAX);
    struct focal_message m = { .type = FOCAL_MSG_FRONTIER };
    memcpy(m.is.frontier.tag, scope->tag, 8);
    m.is.frontier.whole = true;

    enum focal_status st = FOCAL_OK;
    size_t count = focal_oplog_log_count(ol);
    for (size_t i = 0; i < count && st == FOCAL_OK; i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (!held(scope, log))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        st = !p ? FOCAL_NO_MEMORY : log->forked ? fork_enter(s, p) : FOCAL_OK;
        if (st != FOCAL_OK)
            break;
        if (!shown(s, log))
            continue;
        p->told_name = true;
        p->head_seen = focal_log_tip(log)->seq;
        frontier_put(s, &items, &log->id);
        fork_told(s, p);
        if (items.len + FORK_ITEMS_BYTES > ITEMS_MAX) {
            m.is.frontier.items = focal_buf_view(&items);
            st = queue_message(s, &m);
            focal_buf_clear(&items);
        }
    }
    m.is.frontier.last = true;
    m.is.frontier.items = focal_buf_view(&items);
    if (st == FOCAL_OK)
        st = items.failed ? FOCAL_NO_MEMORY : queue_message(s, &m);
    focal_buf_close(&items);
    scope->sent_whole = true;
    scope->sent_sure = scope->they_share;
    return st;
}

/* They count on our knowing the names of all that is equal: what cannot be noted here must not be passed over. */
enum focal_status frontier_mark_equal(struct focal_session *s, struct shared_scope *scope)
{
    struct focal_oplog *ol = s->host->oplog;
    scope->exchanged = true;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (!held(scope, log))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        enum focal_status st = !p ? FOCAL_NO_MEMORY : log->forked ? fork_enter(s, p) : FOCAL_OK;
        if (st == FOCAL_OK && p->fork)
            st = fork_mark_equal(s, p);
        if (st != FOCAL_OK)
            return st;
        p->told_name = shown(s, log);       /* of what does not count the hash says nothing */
        p->theirs = p->sent = p->head_seen = focal_log_tip(log)->seq;
    }
    return FOCAL_OK;
}

/* Their only tip of a log that is not forked here; `only`: this tip as an item. One that does not lie on our line shows a
 * fork; beyond our head it may. */
static enum focal_status take_tip(struct focal_session *s, struct peer_log *p, const struct focal_frontier_item *only, bool whole)
{
    struct fork_tip t = { .tip = only->tips[0], .state = TIP_HELD };
    const struct focal_log *held = focal_oplog_log(s->host->oplog, &p->id);
    const bool within = held && t.tip.seq != 0 && t.tip.seq <= held->head.seq;
    enum focal_status st = within ? tip_look(s, &p->id, &t) : FOCAL_OK;
    if (st == FOCAL_OK && t.state == TIP_LACKING)
        st = fork_enter(s, p);
    if (st != FOCAL_OK || p->fork)
        return st == FOCAL_OK ? fork_item(s, p, only) : st;
    if (t.tip.seq != 0)
        p->announced = t.tip;
    p->look_due = t.state == TIP_UNKNOWN;
    if (p->look_due)
        return FOCAL_OK;        /* until it is seen they hold no more than we knew */
    if (t.tip.seq > p->theirs)
        p->theirs = t.tip.seq;
    if (!whole && within)
        ack_owe(s, p);          /* they announce because they do not know that we have it */
    if (p->sent < p->theirs)
        p->sent = p->theirs;
    return ask_if_behind(s, p);
}

enum focal_status frontier_look_again(struct focal_session *s, struct peer_log *p)
{
    if (!p->look_due)
        return FOCAL_OK;
    p->look_due = false;
    const struct focal_frontier_item only = { .tip_count = 1, .tips = { p->announced } };
    return p->fork ? FOCAL_OK : take_tip(s, p, &only, false);
}

/* One log of their frontier. */
static enum focal_status take_item(struct focal_session *s, struct shared_scope *scope, const struct focal_frontier_item *item, bool whole)
{
    struct focal_log_name name = { .author = item->author, .epoch = item->epoch, .scope = scope->id, .lane = item->lane };
    struct focal_id id;
    focal_log_id(&id, focal_oplog_network(s->host->oplog), &name);
    const struct focal_log *held = focal_oplog_log(s->host->oplog, &id);
    struct peer_log *p = peer_log_get(s, &id);
    if (!p && !held && s->names >= NAMES_MAX) {
        s->names_cut = true;
        return FOCAL_OK;
    }
    s->names += !p && !held;
    p = peer_log_make(s, &id, &name);
    if (!p)
        return FOCAL_NO_MEMORY;
    p->told_name = true;
    if (whole)
        p->series = scope->series;
    const struct focal_frontier_tip *tip = &item->tips[0];
    p->blocked_until_ms = tip->seq > p->theirs ? 0 : p->blocked_until_ms;
    const bool forked = p->fork || item->tip_count > 1 || (held && held->forked);
    enum focal_status st = forked ? fork_enter(s, p) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    return forked ? fork_item(s, p, item) : take_tip(s, p, item, whole);
}

/* The whole series has come: a log of ours that it does not list is one they hold nothing of. */
static enum focal_status series_end(struct focal_session *s, struct shared_scope *scope)
{
    struct focal_oplog *ol = s->host->oplog;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (!held(scope, log))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        if (!p)
            return FOCAL_NO_MEMORY;
        if (p->series == scope->series)
            continue;
        p->theirs = p->sent = 0;
        if (p->fork)
            tips_clear(p->fork);
    }
    scope->exchanged = true;
    scope->series = 0;
    return scope->sent_sure ? FOCAL_OK : frontier_send_whole(s, scope);
}

enum focal_status frontier_take(struct focal_session *s, const struct focal_frontier *f)
{
    struct shared_scope *scope = shared_by_tag(s, f->tag);
    if (!scope) {               /* one they think we share and we do not (yet) */
        s->names_dropped = true;
        return FOCAL_OK;
    }
    scope->they_share = true;
    if (f->whole && scope->series == 0)
        scope->series = ++s->series_count;
    struct focal_frontier_item item;
    size_t offset = 0;
    while (focal_frontier_next(f, &offset, &item)) {
        enum focal_status st = take_item(s, scope, &item, f->whole);
        if (st != FOCAL_OK)
            return st;
    }
    return f->whole && f->last ? series_end(s, scope) : FOCAL_OK;
}

/* New tips of logs that are not pushed, because they lack something before: announced, so that they can ask. */
bool frontier_announce(struct focal_session *s, struct focal_message *m, struct focal_buf *items)
{
    if (s->announces_due == 0)
        return false;
    struct shared_scope *scope = NULL;
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->logs, &at, NULL, &value)) {
        struct peer_log *p = value;
        if (!p->announce_due)
            continue;
        struct shared_scope *of = shared_by_id(s, &p->name.scope);
        const struct focal_log *log = focal_oplog_log(s->host->oplog, &p->id);
        if (of && scope && of != scope)
            continue;
        p->announce_due = false;
        s->announces_due--;
        if (!of || !log || !shown(s, log))
            continue;
        scope = of;
        frontier_put(s, items, &log->id);
        fork_told(s, p);
        p->told_name = true;
        if (items->len + FORK_ITEMS_BYTES > ITEMS_MAX)
            break;
    }
    if (!scope)
        return false;
    m->type = FOCAL_MSG_FRONTIER;
    memcpy(m->is.frontier.tag, scope->tag, 8);
    m->is.frontier.whole = false;
    m->is.frontier.last = true;
    m->is.frontier.items = focal_buf_view(items);
    return true;
}
