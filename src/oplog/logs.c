/* Logs, their heads, and the scopes they stand in. */
#include "inside.h"

#include <stdlib.h>

/* ---- scopes ----------------------------------------------------------------------------------------------------------- */

static enum focal_status attach(struct oplog_scope *scope, struct oplog_log *log)
{
    void *list = scope->logs;
    enum focal_status st = focal_oplog_room(&list, &scope->log_cap, scope->log_count, sizeof *scope->logs);
    scope->logs = list;
    if (st != FOCAL_OK)
        return st;
    size_t at = 0;
    while (at < scope->log_count && memcmp(scope->logs[at]->pub.id.b, log->pub.id.b, sizeof log->pub.id.b) < 0)
        at++;
    memmove(scope->logs + at + 1, scope->logs + at, (scope->log_count - at) * sizeof *scope->logs);
    scope->logs[at] = log;
    scope->log_count++;
    return FOCAL_OK;
}

enum focal_status focal_oplog_scope_add(struct focal_oplog *ol, const struct focal_scope *scope)
{
    size_t at = 0;
    int order = 1;
    while (at < ol->scope_count && (order = focal_scope_compare(&ol->scopes[at]->scope, scope)) < 0)
        at++;
    if (at < ol->scope_count && order == 0)
        return FOCAL_OK;
    void *list = ol->scopes;
    enum focal_status st = focal_oplog_room(&list, &ol->scope_cap, ol->scope_count, sizeof *ol->scopes);
    ol->scopes = list;
    if (st != FOCAL_OK)
        return st;
    struct oplog_scope *made = focal_alloc(sizeof *made);
    if (!made)
        return FOCAL_NO_MEMORY;
    made->scope = *scope;
    focal_scope_id(&made->id, &ol->network, scope);
    st = focal_map_put(&ol->scope_map, made->id.b, made);
    if (st != FOCAL_OK) {
        focal_free(made);
        return st;
    }
    memmove(ol->scopes + at + 1, ol->scopes + at, (ol->scope_count - at) * sizeof *ol->scopes);
    ol->scopes[at] = made;
    ol->scope_count++;
    /* Logs outlive a scope that was rolled back. */
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        if (focal_hash_equal(&ol->logs[i]->pub.name.scope, &made->id))
            st = attach(made, ol->logs[i]);
    }
    return st;
}

void focal_oplog_scopes_close(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->scope_count; i++) {
        focal_free(ol->scopes[i]->logs);
        focal_free(ol->scopes[i]);
    }
    ol->scope_count = 0;
    focal_map_clear(&ol->scope_map);
}

struct oplog_scope *focal_oplog_scope_of(const struct focal_oplog *ol, const struct focal_hash *id)
{
    return focal_map_get(&ol->scope_map, id->b);
}

size_t focal_oplog_scope_count(const struct focal_oplog *ol)
{
    return ol->scope_count;
}

const struct focal_scope *focal_oplog_scope_at(const struct focal_oplog *ol, size_t i, const struct focal_hash **id)
{
    if (i >= ol->scope_count)
        return NULL;
    if (id)
        *id = &ol->scopes[i]->id;
    return &ol->scopes[i]->scope;
}

const struct focal_scope *focal_oplog_scope(const struct focal_oplog *ol, const struct focal_hash *id)
{
    const struct oplog_scope *scope = focal_oplog_scope_of(ol, id);
    return scope ? &scope->scope : NULL;
}

/* ---- logs --------------------------------------------------------------------------------------------------------------- */

size_t focal_oplog_log_count(const struct focal_oplog *ol)
{
    return ol->log_count;
}

const struct focal_log *focal_oplog_log_at(const struct focal_oplog *ol, size_t i)
{
    return i < ol->log_count ? &ol->logs[i]->pub : NULL;
}

struct oplog_log *focal_oplog_log_of(const struct focal_oplog *ol, const struct focal_id *id)
{
    return focal_map_get(&ol->log_map, id->b);
}

struct oplog_log *focal_oplog_line_of(const struct focal_oplog *ol, const struct focal_id *line)
{
    return focal_map_get(&ol->line_map, line->b);
}

const struct focal_log *focal_oplog_log(const struct focal_oplog *ol, const struct focal_id *id)
{
    const struct oplog_log *log = focal_oplog_log_of(ol, id);
    return log ? &log->pub : NULL;
}

uint64_t focal_oplog_change_count(const struct focal_oplog *ol)
{
    return ol->changes;
}

uint64_t focal_oplog_looks(const struct focal_oplog *ol)
{
    return ol->looks;
}

static void start_empty(struct oplog_log *log)
{
    log->pub.head = log->pub.staged = log->pub.base;
    log->staged_bytes = log->staged_entries = 0;
}

void focal_oplog_line_empty(struct oplog_log *line)
{
    start_empty(line);
    focal_oplog_names_forget(line);
    line->life++;
    line->pub.clipped = line->pub.forked = line->incident = false;
    line->opening = line->receipted = 0;
    line->void_here = line->parent != NULL;
}

enum focal_status focal_oplog_line_keep(struct focal_oplog *ol, struct oplog_log *line)
{
    void *list = ol->logs;
    enum focal_status st = focal_oplog_room(&list, &ol->log_cap, ol->log_count, sizeof *ol->logs);
    ol->logs = list;
    line->pub.serial = ol->log_count;
    start_empty(line);
    struct oplog_scope *in = focal_oplog_scope_of(ol, &line->pub.name.scope);
    focal_assert(in != NULL && focal_oplog_line_of(ol, &line->pub.line) == NULL);
    if (st == FOCAL_OK)
        st = focal_map_put(&ol->line_map, line->pub.line.b, line);
    if (st == FOCAL_OK && !line->parent && (st = focal_map_put(&ol->log_map, line->pub.id.b, line)) != FOCAL_OK)
        focal_map_remove(&ol->line_map, line->pub.line.b);
    if (st == FOCAL_OK && (st = attach(in, line)) != FOCAL_OK) {
        focal_map_remove(&ol->line_map, line->pub.line.b);
        if (!line->parent)
            focal_map_remove(&ol->log_map, line->pub.id.b);
    }
    if (st != FOCAL_OK) {
        focal_free(line);
        return st;
    }
    ol->logs[ol->log_count++] = line;
    return FOCAL_OK;
}

enum focal_status focal_oplog_log_add(struct focal_oplog *ol, struct oplog_log **out, const struct focal_log_name *name,
                                      const struct focal_scope *scope)
{
    struct oplog_log *log = focal_alloc(sizeof *log);
    if (!log)
        return FOCAL_NO_MEMORY;
    focal_log_id(&log->pub.id, &ol->network, name);
    log->pub.line = log->pub.id;
    log->pub.name = *name;
    log->pub.scope = *scope;
    log->pub.mine = ol->has_keys && focal_key_equal(&name->author, &ol->keys->sign_public);
    focal_chain_start(&log->pub.base.h, &log->pub.id);
    enum focal_status st = focal_oplog_line_keep(ol, log);
    if (st == FOCAL_OK)
        *out = log;
    return st;
}

void focal_oplog_head_moved(struct focal_oplog *ol, struct oplog_log *log)
{
    struct oplog_scope *scope = focal_oplog_scope_of(ol, &log->pub.name.scope);
    focal_assert(scope != NULL);        /* nothing is taken in without a certificate that lists it */
    if (!FOCAL_PLANTED(FRONTIER_STALE))
        scope->frontier_known = false;
    focal_oplog_log_of(ol, &log->pub.id)->pub.moves++;
    ol->changes++;
}

void focal_oplog_logs_close(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++) {
        focal_oplog_own_free(ol->logs[i]);
        focal_oplog_names_forget(ol->logs[i]);
        focal_free(ol->logs[i]);
    }
    focal_free(ol->logs);
    focal_free(ol->beginnings);
    focal_free(ol->kept.h);
    focal_oplog_scopes_close(ol);
    focal_free(ol->scopes);
    focal_map_close(&ol->log_map);
    focal_map_close(&ol->line_map);
    focal_map_close(&ol->scope_map);
}

/* ---- frontier hash ---------------------------------------------------------------------------------------------------- */

static int tip_order(const void *a, const void *b)
{
    return memcmp(a, b, 16 + 8 + 32);
}

static bool hash_frontier(const struct focal_oplog *ol, const struct focal_hash *id, const struct oplog_scope *scope, uint8_t out[16])
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, SIZE_MAX / 2);
    focal_buf_bytes(&bytes, ol->network.b, sizeof ol->network.b);
    focal_buf_bytes(&bytes, id->b, sizeof id->b);
    enum { TIP_BYTES = 16 + 8 + 32 };
    const size_t from = bytes.len;
    size_t tips = 0;
    bool branched = false;
    for (size_t i = 0; scope && i < scope->log_count; i++) {
        const struct oplog_log *line = scope->logs[i];
        if (!focal_oplog_ends_at_tip(ol, line) || (FOCAL_PLANTED(FRONTIER_ONE_TIP) && line->parent))
            continue;
        focal_buf_bytes(&bytes, line->pub.id.b, sizeof line->pub.id.b);
        focal_buf_be64(&bytes, focal_log_tip(&line->pub)->seq);
        focal_buf_bytes(&bytes, focal_log_tip(&line->pub)->h.b, sizeof line->pub.head.h.b);
        branched = branched || line->parent != NULL;
        tips++;
    }
    bool made = !bytes.failed;
    /* Which line of a fork is the trunk differs from node to node; the order of their tips does not. */
    if (made && branched)
        qsort(bytes.data + from, tips, TIP_BYTES, tip_order);
    if (made)
        focal_blake2b(out, 16, focal_span_text("focal frontier 1"), focal_buf_view(&bytes));
    focal_buf_close(&bytes);
    return made;
}

void focal_oplog_frontier_hash(struct focal_oplog *ol, const struct focal_hash *id, uint8_t out[16])
{
    struct oplog_scope *scope = focal_oplog_scope_of(ol, id);
    if (scope && scope->frontier_known) {
        memcpy(out, scope->frontier, 16);
        return;
    }
    /* Without memory the hash is that of no frontier: the talk then compares logs one by one. */
    memset(out, 0, 16);
    if (!hash_frontier(ol, id, scope, out) || !scope)
        return;
    memcpy(scope->frontier, out, 16);
    scope->frontier_known = true;
}

/* ---- from the store ------------------------------------------------------------------------------------------------------ */

/* How far is not written down: as far as may matter to what comes next. */
static void tell_stripped(struct focal_oplog *ol, const struct oplog_log *log)
{
    struct oplog_log *trunk = focal_oplog_log_of(ol, &log->pub.id);
    const uint64_t to = log->pub.head.seq + SEED_REACH;
    if (!log->stripped)
        return;
    trunk->stripped = true;
    trunk->stripped_to = to > trunk->stripped_to ? to : trunk->stripped_to;
}

static enum focal_status load_head(struct focal_oplog *ol, struct oplog_log *log, const struct log_row *row)
{
    log->incident = row->flags & LOG_INCIDENT;
    log->stripped = row->flags & LOG_STRIPPED;
    tell_stripped(ol, log);
    log->opening = row->opening;
    /* A row older than the segments, from a page that was put back: going on from it would write over what is signed. */
    uint8_t beyond[SEGMENT_KEY_BYTES];
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_SEGMENT, focal_oplog_segment_key(beyond, &log->pub.line, row->head.seq), &ol->key, NULL);
    if (st == FOCAL_OK && ol->key.len >= sizeof log->pub.line.b && memcmp(ol->key.data, log->pub.line.b, sizeof log->pub.line.b) == 0)
        return FOCAL_DAMAGED;
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    if (row->head.seq <= log->pub.base.seq)
        return FOCAL_OK;
    log->pub.head = log->pub.staged = row->head;
    tell_stripped(ol, log);

    struct segment last;
    st = focal_oplog_segment_of(ol, ol->store, &log->pub.line, row->head.seq, false, &last);
    if (st == FOCAL_NOT_FOUND)
        return FOCAL_DAMAGED;
    if (st == FOCAL_OK && (last.last.seq != row->head.seq || !focal_hash_equal(&last.last.h, &row->head.h)))
        return FOCAL_DAMAGED;
    return st;
}

static enum focal_status load_trunk(struct focal_oplog *ol, const struct focal_id *line, const struct log_row *row)
{
    struct focal_id id;
    focal_log_id(&id, &ol->network, &row->name);
    const struct focal_scope *scope = focal_oplog_scope(ol, &row->name.scope);
    if (!scope || !focal_id_equal(&id, line))
        return FOCAL_DAMAGED;
    struct oplog_log *log;
    enum focal_status st = focal_oplog_log_add(ol, &log, &row->name, scope);
    return st == FOCAL_OK ? load_head(ol, log, row) : st;
}

/* NOT_YET: the line that it leaves is not loaded yet. */
static enum focal_status load_branch(struct focal_oplog *ol, const struct focal_id *line, const struct log_row *row)
{
    struct focal_id id, own;
    focal_log_id(&id, &ol->network, &row->name);
    focal_oplog_line_id(&own, &id, row->number);
    struct oplog_log *parent = focal_oplog_line_of(ol, &row->parent), *log;
    if (!focal_id_equal(&own, line) || (parent && !focal_id_equal(&parent->pub.id, &id)))
        return FOCAL_DAMAGED;
    if (!parent)
        return FOCAL_NOT_YET;
    if (row->base.seq >= parent->pub.head.seq || row->base.seq < parent->pub.base.seq)
        return FOCAL_DAMAGED;
    enum focal_status st = focal_oplog_branch_add(ol, &log, parent, &row->base, row->number);
    return st == FOCAL_OK ? load_head(ol, log, row) : st;
}

/* One walk over all rows: trunks, or those branches whose parent is loaded. waiting: branches that are not. */
static enum focal_status load_rows(struct focal_oplog *ol, bool branches, size_t *loaded, size_t *waiting)
{
    enum focal_status st;
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    *loaded = *waiting = 0;
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_LOG, focal_buf_view(&key), &key, &value)) == FOCAL_OK) {
        struct log_row row;
        struct focal_id line;
        st = key.len == sizeof line.b ? focal_oplog_log_decode(&row, focal_buf_view(&value)) : FOCAL_DAMAGED;
        if (st != FOCAL_OK)
            break;
        memcpy(line.b, key.data, sizeof line.b);
        if (branches != (row.number > 0)) {
            *waiting += !branches;
            continue;
        }
        if (branches && focal_oplog_line_of(ol, &line))
            continue;
        st = branches ? load_branch(ol, &line, &row) : load_trunk(ol, &line, &row);
        if (st != FOCAL_OK && st != FOCAL_NOT_YET)
            break;
        *(st == FOCAL_OK ? loaded : waiting) += 1;
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status focal_oplog_logs_load(struct focal_oplog *ol, struct focal_error *err)
{
    size_t loaded, waiting;
    enum focal_status st = load_rows(ol, false, &loaded, &waiting);
    while (st == FOCAL_OK && waiting > 0) {
        st = load_rows(ol, true, &loaded, &waiting);
        if (st == FOCAL_OK && waiting > 0 && loaded == 0)
            st = FOCAL_DAMAGED;
    }
    if (st == FOCAL_DAMAGED)
        return focal_fail(err, st, "restore the database from a copy, or set this office up anew and fetch all from a peer",
                          "the database holds a log whose name or last segment does not fit it");
    if (st != FOCAL_OK)
        return st;
    for (size_t i = 0; i < ol->log_count; i++) {
        if (!ol->logs[i]->parent)
            focal_oplog_forked_again(ol->logs[i]);
    }
    return focal_oplog_staging_load(ol, err);
}

static enum focal_status reload_one(struct focal_oplog *ol, struct oplog_log *log)
{
    struct log_row row;
    start_empty(log);
    log->granted = log->incident = false;     /* stripped stays: a log is none the worse for explicit salts */
    log->opening = log->receipted = 0;
    struct oplog_scope *scope = focal_oplog_scope_of(ol, &log->pub.name.scope);
    enum focal_status st = scope ? attach(scope, log) : FOCAL_OK;
    if (st != FOCAL_OK)
        return st;
    st = focal_store_get(ol->store, FOCAL_SHELF_LOG, focal_span_of(log->pub.line.b, sizeof log->pub.line.b), &ol->value);
    if (st == FOCAL_NOT_FOUND) {
        log->void_here = log->parent != NULL;
        return FOCAL_OK;
    }
    if (st == FOCAL_OK)
        st = focal_oplog_log_decode(&row, focal_buf_view(&ol->value));
    if (st != FOCAL_OK)
        return st;
    if (log->parent) {          /* the row's: it may have been moved since */
        focal_oplog_branch_move(log, focal_oplog_line_of(ol, &row.parent), &row.base);
        focal_assert(log->parent != NULL);
    }
    log->incident = row.flags & LOG_INCIDENT;
    log->opening = row.opening;
    if (row.head.seq > log->pub.base.seq)
        log->pub.head = log->pub.staged = row.head;
    return FOCAL_OK;
}

/* Logs keep their place and address, because sessions count on it: one that the store does not have is empty. */
enum focal_status focal_oplog_logs_reload(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < ol->scope_count; i++) {
        ol->scopes[i]->log_count = 0;
        memset(ol->scopes[i]->own, 0, sizeof ol->scopes[i]->own);
        ol->scopes[i]->frontier_known = false;
    }
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++)
        st = reload_one(ol, ol->logs[i]);
    for (size_t i = 0; i < ol->log_count; i++) {
        ol->logs[i]->pub.moves++;
        if (!ol->logs[i]->parent)
            focal_oplog_forked_again(ol->logs[i]);
    }
    ol->kept.count = 0;
    ol->changes++;
    return st == FOCAL_OK ? focal_oplog_staging_load(ol, NULL) : st;
}
