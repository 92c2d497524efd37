/* HELLO: who we are, and for each scope that both certificates list, one hash of everything we hold of it. */
#include "session.h"

#include <string.h>

void keyed_hash(const struct focal_session *s, uint8_t out[8], const struct focal_hash *h)
{
    uint8_t wide[16];
    focal_blake2b(wide, sizeof wide, focal_span_of(s->secrets->channel.handshake.b, 32), focal_span_of(h->b, 32));
    memcpy(out, wide, 8);
}

struct shared_scope *shared_by_tag(struct focal_session *s, const uint8_t tag[8])
{
    uint8_t plain[8];
    memcpy(plain, tag, 8);
    plain[0] &= 0x7f;
    for (size_t i = 0; i < s->shared_count; i++)
        if (memcmp(s->shared[i].tag, plain, 8) == 0)
            return &s->shared[i];
    return NULL;
}

struct shared_scope *shared_by_id(struct focal_session *s, const struct focal_hash *id)
{
    for (size_t i = 0; i < s->shared_count; i++)
        if (focal_hash_equal(&s->shared[i].id, id))
            return &s->shared[i];
    return NULL;
}

/* What was said of a scope that is shared no more, and waits to be sent, is not sent. What went out before could come back
 * with the right alone: then all is told anew. */
static void scopes_dropped(struct focal_session *s, const struct shared_scope *left, size_t count)
{
    for (size_t i = 0; i < s->shared_count; i++) {
        bool stays = false;
        for (size_t k = 0; k < count; k++)
            stays = stays || focal_hash_equal(&left[k].id, &s->shared[i].id);
        if (!stays)
            queue_drop_scope(s, &s->shared[i]);
    }
}

/* The scopes that my certificate and the highest of theirs I hold both list. Judged at HELLO and again whenever
 * statements arrive: a scope that is gone is no longer spoken of; a new one is announced. */
void shared_refresh(struct focal_session *s)
{
    _Static_assert(FOCAL_CERTIFICATE_SCOPES_MAX <= SHARED_MAX, "all scopes of a certificate have room");
    const struct focal_certificate *mine = focal_oplog_mine(s->host->oplog), *theirs = focal_session_certificate(s);
    struct shared_scope fresh[SHARED_MAX];
    size_t count = 0;
    if (mine && theirs) {
        for (size_t i = 0; i < mine->read_count; i++) {
            if (!focal_oplog_may_read(s->host->oplog, theirs, &mine->read[i]) || !focal_oplog_may_read(s->host->oplog, mine, &mine->read[i]))
                continue;
            struct shared_scope *f = &fresh[count++];
            memset(f, 0, sizeof *f);
            f->scope = mine->read[i];
            focal_scope_id(&f->id, focal_oplog_network(s->host->oplog), &f->scope);
            const struct shared_scope *old = shared_by_id(s, &f->id);
            if (old) {
                *f = *old;
            } else {
                keyed_hash(s, f->tag, &f->id);
                f->tag[0] &= 0x7f;
            }
        }
    }
    scopes_dropped(s, fresh, count);
    memcpy(s->shared, fresh, count * sizeof fresh[0]);
    s->shared_count = count;
}

enum focal_status shared_announce(struct focal_session *s)
{
    for (size_t i = 0; i < s->shared_count; i++) {
        if (s->shared[i].sent_whole || s->shared[i].exchanged)
            continue;
        enum focal_status st = frontier_send_whole(s, &s->shared[i]);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

enum focal_status hello_send(struct focal_session *s)
{
    shared_refresh(s);
    struct focal_message m = { .type = FOCAL_MSG_HELLO };
    struct focal_hello *h = &m.is.hello;
    h->version_least = h->version_most = FOCAL_WIRE_VERSION;
    struct focal_id epoch;
    if (focal_oplog_epoch(s->host->oplog, &epoch))
        memcpy(h->epoch, epoch.b, 8);
    memcpy(s->epochs[0], h->epoch, 8);
    h->veiled = s->veiled[0] = focal_oplog_veiled(s->host->oplog);
    const struct focal_certificate *mine = focal_oplog_mine(s->host->oplog);
    if (mine) {
        struct focal_hash hash;
        focal_oplog_certificate_hash(s->host->oplog, mine, &hash);
        h->certificate_number = (uint32_t)mine->number;
        memcpy(h->certificate, hash.b, 8);
    }
    struct focal_hash set;
    focal_oplog_statements_hash(s->host->oplog, &set);
    keyed_hash(s, h->statements, &set);
    h->wants_certificates = focal_session_certificate(s) == NULL;
    for (size_t i = 0; i < s->shared_count; i++) {
        struct focal_hello_scope *to = &h->scopes[h->scope_count++];
        memcpy(to->tag, s->shared[i].tag, 8);
        focal_oplog_frontier_hash(s->host->oplog, &s->shared[i].id, to->frontier);
    }
    return queue_message(s, &m);
}

/* They answer our list with all statements that we lack, and then this. */
static void ask_all_said(struct focal_session *s)
{
    uint64_t before = s->pings;
    focal_session_ping(s);
    s->statements_by = s->pings > before ? s->pings : 0;
}

enum focal_status hello_take(struct focal_session *s, const struct focal_hello *h)
{
    if (s->hello_taken)
        return FOCAL_NEVER;
    if (h->version_least > FOCAL_WIRE_VERSION || h->version_most < FOCAL_WIRE_VERSION) {
        focal_session_bye(s, FOCAL_BYE_VERSION);
        return FOCAL_OK;
    }
    s->hello_taken = true;
    s->hello_taken_ms = s->host->now.mono_ms;
    memcpy(s->epochs[1], h->epoch, 8);
    s->veiled[1] = h->veiled;
    if (!s->host->named(s->host->data, s)) {
        focal_session_bye(s, FOCAL_BYE_DUPLICATE);
        return FOCAL_OK;
    }

    struct focal_hash set;
    uint8_t keyed[8];
    focal_oplog_statements_hash(s->host->oplog, &set);
    keyed_hash(s, keyed, &set);
    s->statements_equal = memcmp(keyed, h->statements, 8) == 0;
    if (!s->statements_equal) {
        enum focal_status st = subjects_send(s);
        if (st != FOCAL_OK)
            return st;
        if (s->veiled[0])
            ask_all_said(s);
    }
    for (size_t i = 0; i < h->scope_count; i++) {
        struct shared_scope *scope = shared_by_tag(s, h->scopes[i].tag);
        if (!scope) {           /* they think we share it; of what they say of its logs nothing is heard */
            s->names_dropped = true;
            continue;
        }
        scope->they_share = true;
        uint8_t ours[16];
        focal_oplog_frontier_hash(s->host->oplog, &scope->id, ours);
        if (memcmp(ours, h->scopes[i].frontier, 16) != 0 || focal_bytes_zero(ours, 16))     /* zero: could not be made */
            continue;
        enum focal_status st = frontier_mark_equal(s, scope);
        if (st != FOCAL_OK)
            return st;
    }
    /* Scopes without an equal hash. One they did not list they do not know that we share: they speak first, once they have
     * the statements. */
    for (size_t i = 0; i < s->shared_count; i++) {
        if (s->shared[i].exchanged || s->shared[i].sent_whole || !s->shared[i].they_share)
            continue;
        enum focal_status st = frontier_send_whole(s, &s->shared[i]);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

bool focal_session_told_notices(const struct focal_session *s, const struct focal_hash *scope)
{
    const struct shared_scope *of = NULL;
    if (s->state != FOCAL_SESSION_TALKING || !s->hello_taken || s->closing || s->veiled[1] || s->names_cut)
        return false;
    if (!s->statements_equal && (s->statements_by == 0 || s->pongs < s->statements_by))
        return false;
    for (size_t i = 0; i < s->shared_count; i++)
        if (focal_hash_equal(&s->shared[i].id, scope) && s->shared[i].exchanged)
            of = &s->shared[i];
    size_t at = 0;
    void *value;
    while (of && focal_map_next(&s->logs, &at, NULL, &value)) {
        const struct peer_log *p = value;
        const struct focal_log *log = focal_oplog_log(s->host->oplog, &p->id);
        if (!focal_hash_equal(&p->name.scope, scope) || (p->name.lane != FOCAL_LANE_NOTICES && of->scope.cls != FOCAL_SCOPE_CONTROL))
            continue;
        const uint64_t limit = focal_oplog_limit(s->host->oplog, &p->id, &p->name), theirs = p->theirs < limit ? p->theirs : limit;
        if (p->fork ? fork_lack(s, p) != 0 : theirs > (log ? log->head.seq : 0))
            return false;
    }
    return of != NULL;
}
