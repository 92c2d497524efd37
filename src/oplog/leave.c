/* Leaving a scope: an office from which a scope was taken, by a cut or by a certificate that lists it no more, erases what it
 * holds of it. What nobody who may still read it is known to hold stays until somebody is, whoever wrote it: this office may be
 * the last that has it, and may have acknowledged it. No record is lost by leaving. From whom everything was taken is no member
 * any more, and decides for itself. Source: PROTOCOL §3; DATA, scopes. */
#include "inside.h"

#include <stdlib.h>

static bool may_leave(const struct oplog_scope *scope)
{
    return scope->scope.cls == FOCAL_SCOPE_NETWORK || scope->scope.cls == FOCAL_SCOPE_COUNTRY;
}

/* The epoch in which this author wrote last, as far as is known here. Its earlier logs it may have lost since. */
static bool is_newest_epoch(const struct focal_oplog *ol, const struct oplog_log *line)
{
    const struct oplog_log *newest = NULL;
    for (size_t i = 0; i < ol->log_count; i++) {
        const struct oplog_log *log = ol->logs[i];
        if (log->opening > 0 && !log->parent && focal_key_equal(&log->pub.name.author, &line->pub.name.author) && (!newest || log->opening > newest->opening))
            newest = log;
    }
    return newest && focal_id_equal(&newest->pub.name.epoch, &line->pub.name.epoch);
}

/* Who writes a log holds it, unless its disk was put back or copied: then it has opened another epoch, or the log is forked. */
static bool is_its_own(const struct focal_oplog *ol, const struct focal_certificate *c, const struct oplog_log *line)
{
    return focal_key_equal(&c->keys.sign, &line->pub.name.author) && !focal_oplog_log_of(ol, &line->pub.id)->pub.forked && is_newest_epoch(ol, line);
}

/* The word of who may not read the scope any more is worth nothing: it erases as well. */
static bool elsewhere(const struct focal_oplog *ol, const struct focal_certificate *mine, const struct oplog_log *line, uint64_t upto)
{
    const struct focal_certificate *c;
    uint64_t seq;
    for (size_t i = 0; (c = focal_oplog_office_at(ol, i)) != NULL; i++) {
        if (strcmp(c->office.text, mine->office.text) == 0 || !focal_oplog_may_read(ol, c, &line->pub.scope))
            continue;
        if ((focal_oplog_receipt_of(ol, &c->office, &line->pub, &seq, NULL) && seq >= upto) || is_its_own(ol, c, line))
            return true;
    }
    return false;
}

/* Of what others wrote, only what counts can ever be of use to anybody. */
static uint64_t kept_of(const struct focal_oplog *ol, const struct focal_certificate *mine, const struct oplog_log *line)
{
    const uint64_t upto = line->pub.mine ? line->pub.head.seq : focal_log_tip(&line->pub)->seq;
    return upto > line->pub.base.seq && !elsewhere(ol, mine, line, upto) ? upto - line->pub.base.seq : 0;
}

/* A scope that is held and may not be read any more. kept: entries there that nobody who may read them is known to hold. */
static const struct oplog_scope *next_left(const struct focal_oplog *ol, size_t *at, uint64_t *kept)
{
    const struct focal_certificate *mine = focal_oplog_mine(ol);
    for (; mine && !focal_oplog_cut_of(ol, &mine->keys.sign) && *at < ol->scope_count; ++*at) {
        const struct oplog_scope *scope = ol->scopes[*at];
        bool held = false;
        *kept = 0;
        if (!may_leave(scope) || focal_oplog_may_read(ol, mine, &scope->scope))
            continue;
        for (size_t i = 0; i < scope->log_count; i++) {
            const struct oplog_log *line = scope->logs[i];
            held = held || line->pub.staged.seq > line->pub.base.seq;
            *kept += kept_of(ol, mine, line);
        }
        if (held)
            return ol->scopes[(*at)++];
    }
    return NULL;
}

const struct focal_scope *focal_oplog_next_left(const struct focal_oplog *ol, size_t *at, uint64_t *kept)
{
    const struct oplog_scope *scope = next_left(ol, at, kept);
    return scope ? &scope->scope : NULL;
}

/* ---- erasing ----------------------------------------------------------------------------------------------------------- */

/* Where a row of a shelf says which scope or line it is of. */
struct place { enum focal_shelf shelf; size_t at; bool is_scope; };

static bool row_is_of(const struct focal_oplog *ol, const struct oplog_scope *scope, const struct place *p, struct focal_span key)
{
    struct focal_id id;
    if (p->is_scope)
        return key.len >= p->at + sizeof scope->id.b && memcmp(key.data + p->at, scope->id.b, sizeof scope->id.b) == 0;
    if (key.len < p->at + sizeof id.b)
        return false;
    memcpy(id.b, key.data + p->at, sizeof id.b);
    const struct oplog_log *line = focal_oplog_line_of(ol, &id);
    return line && focal_hash_equal(&line->pub.name.scope, &scope->id);
}

static enum focal_status erase_rows(struct focal_oplog *ol, const struct oplog_scope *scope, const struct place *p)
{
    struct focal_buf key;
    enum focal_status st;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    while ((st = focal_store_next(ol->store, p->shelf, focal_buf_view(&key), &key, NULL)) == FOCAL_OK) {
        if (!row_is_of(ol, scope, p, focal_buf_view(&key)))
            continue;
        const bool whole = p->shelf == FOCAL_SHELF_PART && key.len == PART_KEY_BYTES;       /* or a piece of one, that went with it */
        st = whole ? focal_oplog_forget_part(ol, key.data) : focal_store_del(ol->store, p->shelf, focal_buf_view(&key));
        if (st != FOCAL_OK)
            break;
    }
    focal_buf_close(&key);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* Rows of META that name a line: "again/" and "hole/" with it, and the prefix decides where. */
static enum focal_status erase_notes(struct focal_oplog *ol, const struct oplog_scope *scope)
{
    static const struct place again = { FOCAL_SHELF_META, 6, false }, hole = { FOCAL_SHELF_META, 5, false };
    enum focal_status st = erase_rows(ol, scope, &again);
    return st == FOCAL_OK ? erase_rows(ol, scope, &hole) : st;
}

enum focal_status focal_oplog_leave(struct focal_oplog *ol, const struct focal_scope *of)
{
    static const struct place places[] = {
        { FOCAL_SHELF_PART, FOCAL_REF_BYTES, true }, { FOCAL_SHELF_CONFLICT, FOCAL_REF_BYTES, true }, { FOCAL_SHELF_REDACTION, FOCAL_REF_BYTES, true },
        { FOCAL_SHELF_RECEIPT, 0, true }, { FOCAL_SHELF_POSTING, FOCAL_REF_BYTES, false }, { FOCAL_SHELF_HIDDEN, 0, false },
        { FOCAL_SHELF_REFUSED, 0, false }, { FOCAL_SHELF_SEGMENT, 0, false }, { FOCAL_SHELF_STAGING, 0, false }, { FOCAL_SHELF_LOG, 0, false },
    };
    struct focal_hash id;
    focal_scope_id(&id, &ol->network, of);
    struct oplog_scope *scope = focal_oplog_scope_of(ol, &id);
    enum focal_status st = scope ? focal_oplog_flush(ol) : FOCAL_NOT_FOUND;
    if (st == FOCAL_OK)
        st = erase_notes(ol, scope);
    for (size_t i = 0; i < sizeof places / sizeof *places && st == FOCAL_OK; i++)
        st = erase_rows(ol, scope, &places[i]);
    if (st != FOCAL_OK)
        return st;
    /* Lines keep their place, because sessions count on it: empty, as after a rollback. What may stand in them one day is not
     * what stood in them. */
    ol->kept.count = 0;
    for (size_t i = 0; i < scope->log_count && st == FOCAL_OK; i++) {
        struct oplog_log *line = scope->logs[i];
        if (line->pub.mine && focal_oplog_has_entries(line) && ol->epoch_set && focal_id_equal(&line->pub.name.epoch, &ol->epoch))
            st = focal_oplog_epoch_left(ol);
        if (st == FOCAL_OK && focal_oplog_has_entries(line))    /* what is quoted of it elsewhere says less now */
            st = focal_oplog_log_begun(ol, &line->pub);
        focal_oplog_line_empty(line);
    }
    if (st != FOCAL_OK)
        return st;
    memset(scope->own, 0, sizeof scope->own);
    scope->frontier_known = false;
    ol->changes++;
    ol->scrub_due = true;
    st = focal_oplog_receipts_load(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_again_load(ol);
    return st == FOCAL_OK ? focal_oplog_holes_load(ol) : st;
}
