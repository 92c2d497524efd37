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

/* keyed: the tip's hash under this session's key; sequence 0 (only the name) has none. */
static void item_of(const struct focal_session *s, const struct focal_log *log, bool name_only, struct focal_frontier_item *out)
{
    memset(out, 0, sizeof *out);
    out->author = log->name.author;
    out->epoch = log->name.epoch;
    out->lane = log->name.lane;
    out->tip_count = 1;
    if (!name_only) {
        out->tips[0].seq = log->head.seq;
        keyed_hash(s, out->tips[0].keyed, &log->head.h);
    }
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
        if (log->head.seq == 0 || !focal_hash_equal(&log->name.scope, &scope->id))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        if (!p) {
            st = FOCAL_NO_MEMORY;
            break;
        }
        p->told_name = true;
        p->head_seen = log->head.seq;
        struct focal_frontier_item item;
        item_of(s, log, false, &item);
        focal_frontier_put(&items, &item);
        if (items.len + 128 > ITEMS_MAX) {
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

void frontier_mark_equal(struct focal_session *s, struct shared_scope *scope)
{
    struct focal_oplog *ol = s->host->oplog;
    scope->exchanged = true;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (log->head.seq == 0 || !focal_hash_equal(&log->name.scope, &scope->id))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        if (!p)
            continue;           /* not known to have it: it is announced later, nothing is lost */
        p->told_name = true;
        p->theirs = p->sent = p->head_seen = log->head.seq;
    }
}

/* One log of their frontier. Of several tips the highest counts until branches are merged. */
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
    for (size_t i = 1; i < item->tip_count; i++)
        if (item->tips[i].seq > tip->seq)
            tip = &item->tips[i];
    if (tip->seq > p->theirs) {
        p->theirs = tip->seq;
        memcpy(p->keyed, tip->keyed, 8);
        p->blocked_until_ms = 0;
    }
    if (!whole && held && tip->seq != 0 && tip->seq <= held->head.seq)
        ack_owe(s, p);          /* they announce because they do not know that we have it */
    if (held && tip->seq != 0 && tip->seq == held->head.seq) {
        uint8_t keyed[8];
        keyed_hash(s, keyed, &held->head.h);
        p->forked = memcmp(keyed, tip->keyed, 8) != 0;
        if (p->forked)
            focal_trace_line(s->host->trace, FOCAL_WARNING, "sync", "a log has two branches: equal count, other hash");
    }
    if (p->sent < p->theirs)
        p->sent = p->theirs;
    return ask_if_behind(s, p);
}

/* The whole series has come: a log of ours that it does not list is one they hold nothing of. */
static enum focal_status series_end(struct focal_session *s, struct shared_scope *scope)
{
    struct focal_oplog *ol = s->host->oplog;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++) {
        const struct focal_log *log = focal_oplog_log_at(ol, i);
        if (log->head.seq == 0 || !focal_hash_equal(&log->name.scope, &scope->id))
            continue;
        struct peer_log *p = peer_log_make(s, &log->id, &log->name);
        if (!p)
            return FOCAL_NO_MEMORY;
        if (p->series != scope->series)
            p->theirs = p->sent = 0;
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
        if (!of || !log)
            continue;
        scope = of;
        struct focal_frontier_item item;
        item_of(s, log, false, &item);
        focal_frontier_put(items, &item);
        p->told_name = true;
        if (items->len + 128 > ITEMS_MAX)
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
