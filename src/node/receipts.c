/* Receipts: our signed word, soon after a commit, that something is durable here; and others' words passed on. */
#include "inner.h"

#include <string.h>

enum focal_status receipts_tick(struct focal_node *n)
{
    if (n->host.now.mono_ms < n->receipts_due_ms)
        return FOCAL_OK;
    if (n->host.pause_strict) {         /* there is no room to keep it, and what is not kept is not signed */
        n->receipts_due_ms = space_deadline_ms(n);
        return FOCAL_OK;
    }
    /* A receipt says that what it covers is erased as well: also by the notices of this very step. */
    enum focal_status st = n->tx_open ? focal_oplog_seal(n->oplog) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    if (focal_oplog_scrub_due(n->oplog)) {
        enum focal_status scrubbed = n->tx_open ? FOCAL_OK : node_scrub(n);
        if (scrubbed != FOCAL_OK)
            return scrubbed;
        if (focal_oplog_scrub_due(n->oplog)) {
            n->receipts_due_ms = n->host.now.mono_ms + SCRUB_AGAIN_MS;
            return FOCAL_OK;
        }
    }
    n->receipts_due_ms = UINT64_MAX;
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    if (!mine)
        return FOCAL_OK;
    st = node_writing(n);
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_FRAME_MAX);
    for (size_t i = 0; i < mine->read_count && st == FOCAL_OK; i++) {
        struct focal_signature signature;
        struct focal_hash scope;
        focal_buf_clear(&body);
        do {            /* many changed heads make several receipts */
            st = focal_oplog_make_receipt(n->oplog, &mine->read[i], (uint32_t)(n->host.now.wall_ms / 86400000u), &body, &signature);
            if (st != FOCAL_OK)
                break;
            focal_scope_id(&scope, focal_oplog_network(n->oplog), &mine->read[i]);
            for (size_t k = 0; k < n->link_count; k++)
                focal_session_receipt(n->links[k].session, &scope, focal_buf_view(&body), &signature);
            focal_buf_clear(&body);
        } while (st == FOCAL_OK);
        if (st != FOCAL_NOT_FOUND && !focal_sync_world(st))     /* a certificate that lets us open no epoch: no receipts, no harm */
            focal_trace_line(&n->trace, FOCAL_WARNING, "node", "no receipt can be made: %s", focal_status_name(st));
        if (!focal_sync_world(st))
            st = FOCAL_OK;
    }
    focal_buf_close(&body);
    return st;
}

/* Once per link, when both ends are equal: our receipts that this office may not have heard, and at most every 6 h those of
 * others, so that an office that only speaks with headquarters still knows how far the rest has come. */
enum focal_status receipts_pass_on(struct focal_node *n, struct link *l, struct peer *p)
{
    bool late = n->host.now.mono_ms - focal_session_opened_ms(l->session) >= PASS_ON_LATE_MS;
    if (l->passed_on || n->receipts_due_ms != UINT64_MAX || !(late || focal_session_equal(l->session)))
        return FOCAL_OK;
    l->passed_on = true;
    follow_begin(n);            /* parts may have come that requests of ours should have met */
    const struct link *one = link_of_office_next(n, &p->office, NULL);
    bool copies = one && link_of_office_next(n, &p->office, one);      /* the other has heard them, this one has not */
    bool others = copies || p->passed_on_wall_ms == 0 || n->host.now.wall_ms < p->passed_on_wall_ms
                  || n->host.now.wall_ms - p->passed_on_wall_ms >= RECEIPT_PASS_ON_MS
                  || (p->passed_on_set && n->host.now.mono_ms - p->passed_on_mono_ms >= RECEIPT_PASS_ON_MS);
    struct focal_buf key, body;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&body, FOCAL_FRAME_MAX);
    struct focal_signature signature;
    struct focal_scope scope;
    enum focal_status st;
    bool any = false;
    while ((st = focal_oplog_next_receipt(n->oplog, &key, &body, &signature, &scope)) == FOCAL_OK) {
        struct focal_receipt r;
        if (focal_receipt_decode(&r, focal_buf_view(&body)) != FOCAL_OK)
            continue;
        bool ours = strcmp(r.office.text, n->office.text) == 0, theirs = strcmp(r.office.text, p->office.text) == 0;
        if (theirs || (!ours && !others))
            continue;
        focal_session_receipt(l->session, &r.scope, focal_buf_view(&body), &signature);
        any = any || !ours;
    }
    focal_buf_close(&key);
    focal_buf_close(&body);
    if (st != FOCAL_NOT_FOUND)
        return st;
    if (any) {
        p->passed_on_wall_ms = n->host.now.wall_ms;
        p->passed_on_mono_ms = n->host.now.mono_ms;
        p->passed_on_set = true;
        p->heard_kept_wall_ms = 0;      /* kept with "last heard", now */
    }
    return FOCAL_OK;
}

/* ---- confirmations of redactions ---------------------------------------------------------------------------------------- */

/* Does it sign for notices that its office has not signed for yet? A receipt may come before what it is for, and of a log that
 * is not held it is not known whether that has notices. Of former keys nothing is asked. */
static bool confirms(const struct focal_node *n, const struct focal_receipt *r)
{
    const struct focal_certificate *c = focal_oplog_certificate(n->oplog, &r->office);
    if (!c || !focal_key_equal(&c->keys.sign, &r->signer))
        return false;
    for (size_t i = 0; i < focal_receipt_head_count(r); i++) {
        struct focal_receipt_head head;
        uint64_t seq = 0;
        focal_receipt_head(&head, r, i);
        const struct focal_log *log = focal_oplog_log(n->oplog, &head.log);
        if (!log || (log->name.lane == FOCAL_LANE_NOTICES
                     && (!focal_oplog_receipt_of(n->oplog, &r->office, log, &seq, NULL) || seq < head.tip.seq)))
            return true;
    }
    return false;
}

/* Who redacts waits for the word of offices it has no link to: that goes on at once. */
enum focal_status receipts_take(struct focal_node *n, const struct focal_session *from, struct focal_span body, const struct focal_signature *signature)
{
    struct focal_receipt r;
    const bool news = focal_receipt_decode(&r, body) == FOCAL_OK && confirms(n, &r);
    enum focal_status st = focal_oplog_take_receipt(n->oplog, body, signature);
    for (size_t i = 0; news && st == FOCAL_OK && i < n->link_count; i++) {
        const struct link *l = &n->links[i];
        const struct peer *p = l->session == from || l->closing_since_ms ? NULL : peer_of_session(n, l->session);
        if (p && strcmp(p->office.text, r.office.text) != 0)
            focal_session_receipt(l->session, &r.scope, body, signature);
    }
    return st;
}
