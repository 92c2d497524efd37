/* Ranges asked of peers, for the whole node: a range is asked of one peer; the next is asked too when that peer has sent
 * nothing it was asked for in 10 s, or none of this range in 60 s. Doubles are harmless but cost a slow link. */
#include "session.h"

#include <string.h>

/* moved_ms: when its head moved last. Unsigned pieces can be sent without end by who has nothing else. */
struct ask { uint64_t link, to, head, moved_ms, touched_ms, peer_heard_ms; };

void focal_sync_host_init(struct focal_sync_host *host, uint64_t map_seed)
{
    focal_map_init(&host->asks, sizeof(struct focal_id), map_seed);
}

/* Every ask is some link's, and sessions are freed before their host. */
void focal_sync_host_close(struct focal_sync_host *host)
{
    focal_assert(host->asks.count == 0);
    focal_map_close(&host->asks);
}

void asks_forget_link(struct focal_sync_host *host, uint64_t link)
{
    size_t at = 0;
    const void *key;
    void *value;
    while (focal_map_next(&host->asks, &at, &key, &value)) {
        struct ask *a = value;
        if (a->link != link)
            continue;
        struct focal_id id;
        memcpy(&id, key, sizeof id);
        focal_map_remove(&host->asks, &id);
        focal_free(a);
    }
}

void asks_touch(struct focal_session *s, const struct peer_log *p)
{
    s->segment_heard_ms = s->host->now.mono_ms;
    size_t at = 0;
    void *value;
    while (focal_map_next(&s->host->asks, &at, NULL, &value)) {
        struct ask *of_peer = value;
        if (of_peer->link == s->link)
            of_peer->peer_heard_ms = s->host->now.mono_ms;
    }
    struct ask *a = focal_map_get(&s->host->asks, &p->id);
    if (!a)
        return;
    a->touched_ms = s->host->now.mono_ms;
    const struct focal_log *held = focal_oplog_log(s->host->oplog, &p->id);
    focal_assert(held != NULL);
    if (held->head.seq > a->head) {
        a->head = held->head.seq;
        a->moved_ms = s->host->now.mono_ms;
    }
    if (held->head.seq >= a->to && !p->fork)        /* of a forked log a count says nothing */
        asks_drop(s, &p->id);
}

void asks_drop(struct focal_session *s, const struct focal_id *log)
{
    focal_free(focal_map_remove(&s->host->asks, log));
}

static bool stale(const struct focal_session *s, const struct ask *a)
{
    uint64_t now = s->host->now.mono_ms;
    if (a->link == s->link)     /* asking the same peer again is for a link that lost our question: none does */
        return now - a->touched_ms > FOCAL_ASK_RANGE_STALE_MS;
    return now - a->peer_heard_ms > FOCAL_ASK_STALE_MS || now - a->touched_ms > FOCAL_ASK_RANGE_STALE_MS
           || now - a->moved_ms > FOCAL_ASK_HEAD_STALE_MS;
}

enum focal_status ask_note(struct focal_session *s, const struct focal_id *log, uint64_t to, uint64_t head, bool *may)
{
    const uint64_t now = s->host->now.mono_ms;
    struct ask *a = focal_map_get(&s->host->asks, log);
    *may = !a || stale(s, a);
    if (!*may)
        return FOCAL_OK;
    if (!a) {
        a = focal_alloc(sizeof *a);
        if (!a)
            return FOCAL_NO_MEMORY;
        enum focal_status st = focal_map_put(&s->host->asks, log, a);
        if (st != FOCAL_OK) {
            focal_free(a);
            return st;
        }
    }
    *a = (struct ask){ .link = s->link, .to = to, .head = head, .moved_ms = now, .touched_ms = now, .peer_heard_ms = now };
    return FOCAL_OK;
}

enum focal_status ask_if_behind(struct focal_session *s, struct peer_log *p)
{
    uint64_t now = s->host->now.mono_ms;
    if (p->fork)
        return fork_ask(s, p);
    const struct focal_log *held = focal_oplog_log(s->host->oplog, &p->id);
    uint64_t head = held ? held->head.seq : 0, have = held ? held->staged.seq : 0;
    const uint64_t limit = focal_oplog_limit(s->host->oplog, &p->id, &p->name), wanted = p->theirs < limit ? p->theirs : limit;
    if (s->closing || wanted <= head || now < p->blocked_until_ms || !shared_by_id(s, &p->name.scope) || pause_holds(s, &p->name))
        return FOCAL_OK;
    if (wanted <= have) {       /* what is staged may be anybody's invention: it must not keep us from asking for long */
        if (now - s->segment_heard_ms <= FOCAL_ASK_STALE_MS)
            return FOCAL_OK;
        have = head;
    }
    bool may = false;
    enum focal_status st = ask_note(s, &p->id, wanted, head, &may);
    if (st != FOCAL_OK || !may)
        return st;
    struct focal_message m = { .type = FOCAL_MSG_WANT };
    m.is.want.log = p->id;
    m.is.want.from = have + 1;
    m.is.want.to.seq = p->theirs;       /* the tip as they told it */
    memcpy(m.is.want.to.keyed, p->announced.keyed, 8);
    return queue_message(s, &m);
}
