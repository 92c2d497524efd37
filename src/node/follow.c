/* A request for a whole record is one notice in each scope that its office writes, and they do not go the same ways. What
 * this office has asked for in one scope, it may have to ask for again in another:
 *
 * - Copies of an office that are both alive do not speak with each other, and who relays between them does not read what
 *   this office alone reads. Of a redaction there, nobody can tell the other copy.
 * - The disk was lost, or an old backup of it put back, when one notice had reached a member and the other had not.
 *
 * Each notice is signed by this office and says that it was meant wherever the office writes. So whoever holds one asks for
 * the rest itself, where there still is something: a scope is redacted by what stands in that scope and by nothing else, here
 * as everywhere. A request that only agrees with another office's, for what that one asked, is not followed.
 *
 * All redactions held are walked at each start, after anything of this office came that this copy did not write, and once a
 * link has caught up, so that no part of a record is missed that comes late. */
#include "inner.h"

#include <string.h>

enum { ROWS_A_TICK = 64 };

void follow_begin(struct focal_node *n)
{
    n->follow.again = n->follow.due;
    n->follow.due = true;
}

static bool ours_alone(const struct focal_node *n, const struct focal_log *log)
{
    struct focal_id epoch;
    return focal_id_equal(&log->id, &log->line) && focal_oplog_epoch(n->oplog, &epoch) && focal_id_equal(&log->name.epoch, &epoch);
}

/* Notices always: two copies of one machine may write under one epoch, and not know it yet. */
void follow_log(struct focal_node *n, const struct focal_log *log)
{
    if (log->mine && (log->name.lane == FOCAL_LANE_NOTICES || !ours_alone(n, log)))
        follow_begin(n);
}

bool follow_due(const struct focal_node *n)
{
    return n->follow.due && !n->host.pause_strict && focal_oplog_mine(n->oplog) != NULL;
}

/* ---- one record ------------------------------------------------------------------------------------------------------ */

static bool has_asked(const struct follow *f, const struct focal_hash *scope)
{
    for (size_t i = 0; i < f->asked_count; i++)
        if (focal_hash_equal(&f->asked[i].scope, scope))
            return true;
    return false;
}

static enum focal_status meant_everywhere(struct focal_node *n, bool *yes, uint8_t *reason)
{
    const struct follow *f = &n->follow;
    *yes = false;
    for (size_t i = 0; i < f->asked_count && !*yes; i++) {
        struct focal_entry_look look;
        enum focal_status st = focal_node_look(n, &f->asked[i].notice, &look);
        if (focal_sync_world(st))
            return st;
        *yes = st == FOCAL_OK && look.everywhere;
        *reason = look.reason;
    }
    return FOCAL_OK;
}

static enum focal_status ask_too(struct focal_node *n, const struct focal_scope *scope, uint8_t reason)
{
    const struct focal_redact notice = { .scope = *scope, .records = &n->follow.record, .record_count = 1, .reason = reason, .everywhere = true,
                                         .day = (uint32_t)(n->host.now.wall_ms / 86400000u) };
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_ref ref;
    uint8_t detail[FOCAL_REF_BYTES];
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_oplog_redact(n->oplog, &notice, &ref, &err);
    if (st != FOCAL_OK && !focal_sync_world(st)) {      /* no epoch can be opened: `status` says so */
        focal_trace_line(&n->trace, FOCAL_WARNING, "node", "what this office redacted elsewhere is not redacted here: %s", err.message);
        return FOCAL_OK;
    }
    focal_ref_put(detail, &n->follow.record);
    return st == FOCAL_OK ? history_note(n, FOCAL_HISTORY_REDACTED, focal_span_of(detail, sizeof detail)) : st;
}

static enum focal_status conclude(struct focal_node *n)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    bool looked = false, everywhere = false;
    uint8_t reason = 0;
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < mine->write_count && n->follow.asked_count > 0 && st == FOCAL_OK; i++) {
        const struct focal_scope *scope = &mine->write[i];
        struct focal_hash id;
        bool here = false;
        focal_scope_id(&id, focal_oplog_network(n->oplog), scope);
        if ((scope->cls == FOCAL_SCOPE_NETWORK || scope->cls == FOCAL_SCOPE_COUNTRY) && !has_asked(&n->follow, &id))
            st = redact_speaks(n, &n->follow.record, scope, &here);
        if (here && !looked && st == FOCAL_OK)
            st = meant_everywhere(n, &everywhere, &reason);
        looked = looked || here;
        if (here && everywhere && st == FOCAL_OK && !FOCAL_PLANTED(COPY_NOT_FOLLOWED))
            st = ask_too(n, scope, reason);
    }
    n->follow.begun = false;
    n->follow.asked_count = 0;
    return st;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------- */

static void note(struct focal_node *n, const struct focal_redaction *row)
{
    struct follow *f = &n->follow;
    f->begun = true;
    f->record = row->target;
    if (!row->whole_record || strcmp(row->by.text, focal_oplog_mine(n->oplog)->office.text) != 0 || f->asked_count == FOCAL_CERTIFICATE_SCOPES_MAX)
        return;
    f->asked[f->asked_count].scope = row->scope;
    f->asked[f->asked_count++].notice = row->notice;
}

static void end_walk(struct focal_node *n)
{
    n->follow.due = n->follow.again;
    n->follow.again = false;
    focal_buf_clear(&n->follow.after);
}

enum focal_status follow_tick(struct focal_node *n)
{
    enum focal_status st = follow_due(n) && n->tx_open ? focal_oplog_seal(n->oplog) : FOCAL_OK;     /* what this step brought counts */
    for (size_t rows = 0; follow_due(n) && rows < ROWS_A_TICK && st == FOCAL_OK; rows++) {
        struct focal_redaction row;
        st = focal_oplog_next_request(n->oplog, &n->follow.after, &row);
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
            break;
        const bool end = st == FOCAL_NOT_FOUND;
        const bool other = end || focal_ref_compare(&row.target, &n->follow.record) != 0;
        st = n->follow.begun && other ? conclude(n) : FOCAL_OK;
        if (end)
            end_walk(n);
        else if (st == FOCAL_OK)
            note(n, &row);
    }
    return st;
}
