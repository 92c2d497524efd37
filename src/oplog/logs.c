/* Logs, their heads, and the scopes they stand in. */
#include "inside.h"

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

const struct focal_log *focal_oplog_log(const struct focal_oplog *ol, const struct focal_id *id)
{
    const struct oplog_log *log = focal_oplog_log_of(ol, id);
    return log ? &log->pub : NULL;
}

uint64_t focal_oplog_change_count(const struct focal_oplog *ol)
{
    return ol->changes;
}

static void start_empty(struct oplog_log *log)
{
    log->pub.head.seq = 0;
    focal_chain_start(&log->pub.head.h, &log->pub.id);
    log->pub.staged = log->pub.head;
    log->staged_bytes = log->staged_entries = 0;
}

enum focal_status focal_oplog_log_add(struct focal_oplog *ol, struct oplog_log **out, const struct focal_log_name *name,
                                      const struct focal_scope *scope)
{
    void *list = ol->logs;
    enum focal_status st = focal_oplog_room(&list, &ol->log_cap, ol->log_count, sizeof *ol->logs);
    ol->logs = list;
    if (st != FOCAL_OK)
        return st;
    struct oplog_log *log = focal_alloc(sizeof *log);
    if (!log)
        return FOCAL_NO_MEMORY;
    focal_log_id(&log->pub.id, &ol->network, name);
    log->pub.name = *name;
    log->pub.scope = *scope;
    log->pub.mine = ol->has_keys && focal_key_equal(&name->author, &ol->keys.sign_public);
    log->pub.serial = ol->log_count;
    start_empty(log);
    struct oplog_scope *in = focal_oplog_scope_of(ol, &name->scope);
    focal_assert(in != NULL && focal_oplog_log_of(ol, &log->pub.id) == NULL);
    st = focal_map_put(&ol->log_map, log->pub.id.b, log);
    if (st == FOCAL_OK && (st = attach(in, log)) != FOCAL_OK)
        focal_map_remove(&ol->log_map, log->pub.id.b);
    if (st != FOCAL_OK) {
        focal_free(log);
        return st;
    }
    ol->logs[ol->log_count++] = log;
    *out = log;
    return FOCAL_OK;
}

void focal_oplog_head_moved(struct focal_oplog *ol, struct oplog_log *log)
{
    struct oplog_scope *scope = focal_oplog_scope_of(ol, &log->pub.name.scope);
    if (scope && !FOCAL_PLANTED(FRONTIER_STALE))
        scope->frontier_known = false;
    ol->changes++;
}

void focal_oplog_logs_close(struct focal_oplog *ol)
{
    for (size_t i = 0; i < ol->log_count; i++) {
        focal_oplog_own_free(ol->logs[i]);
        focal_free(ol->logs[i]);
    }
    focal_free(ol->logs);
    focal_oplog_scopes_close(ol);
    focal_free(ol->scopes);
    focal_map_close(&ol->log_map);
    focal_map_close(&ol->scope_map);
}

/* ---- frontier hash ---------------------------------------------------------------------------------------------------- */

static bool hash_frontier(const struct focal_oplog *ol, const struct focal_hash *id, const struct oplog_scope *scope, uint8_t out[16])
{
    struct focal_buf bytes;
    focal_buf_init(&bytes, SIZE_MAX / 2);
    focal_buf_bytes(&bytes, ol->network.b, sizeof ol->network.b);
    focal_buf_bytes(&bytes, id->b, sizeof id->b);
    for (size_t i = 0; scope && i < scope->log_count; i++) {
        const struct focal_log *log = &scope->logs[i]->pub;
        if (log->head.seq == 0)
            continue;
        focal_buf_bytes(&bytes, log->id.b, sizeof log->id.b);
        focal_buf_be64(&bytes, log->head.seq);
        focal_buf_bytes(&bytes, log->head.h.b, sizeof log->head.h.b);
    }
    bool made = !bytes.failed;
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

static bool read_row(struct focal_log_name *name, struct focal_tip *head, uint8_t *flags, uint64_t *opening, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    focal_cur_copy(&cur, name->author.b, sizeof name->author.b);
    focal_cur_copy(&cur, name->epoch.b, sizeof name->epoch.b);
    focal_cur_copy(&cur, name->scope.b, sizeof name->scope.b);
    name->lane = focal_cur_u8(&cur);
    head->seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, head->h.b, sizeof head->h.b);
    *flags = focal_cur_u8(&cur);
    *opening = focal_cur_be64(&cur);
    return focal_cur_done(&cur);
}

static enum focal_status load_log(struct focal_oplog *ol, struct focal_span key, struct focal_span value)
{
    struct focal_log_name name;
    struct focal_tip head;
    uint8_t flags;
    uint64_t opening;
    struct focal_id id;
    if (key.len != sizeof id.b || !read_row(&name, &head, &flags, &opening, value))
        return FOCAL_DAMAGED;
    focal_log_id(&id, &ol->network, &name);
    const struct focal_scope *scope = focal_oplog_scope(ol, &name.scope);
    if (!scope || memcmp(id.b, key.data, sizeof id.b) != 0)
        return FOCAL_DAMAGED;
    struct oplog_log *log;
    enum focal_status st = focal_oplog_log_add(ol, &log, &name, scope);
    if (st != FOCAL_OK)
        return st;
    log->incident = flags & 1;
    log->opening = opening;
    if (head.seq == 0)
        return FOCAL_OK;
    log->pub.head = log->pub.staged = head;

    struct segment last;
    st = focal_oplog_segment_of(ol, ol->store, &id, head.seq, false, &last);
    if (st == FOCAL_NOT_FOUND)
        return FOCAL_DAMAGED;
    if (st == FOCAL_OK && (last.last.seq != head.seq || !focal_hash_equal(&last.last.h, &head.h)))
        return FOCAL_DAMAGED;
    return st;
}

enum focal_status focal_oplog_logs_load(struct focal_oplog *ol, struct focal_error *err)
{
    enum focal_status st;
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_LOG, focal_buf_view(&key), &key, &value)) == FOCAL_OK) {
        st = load_log(ol, focal_buf_view(&key), focal_buf_view(&value));
        if (st != FOCAL_OK)
            break;
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    if (st == FOCAL_DAMAGED)
        return focal_fail(err, st, "restore the database from a copy, or set this office up anew and fetch all from a peer",
                          "the database holds a log whose name or last segment does not fit it");
    if (st != FOCAL_NOT_FOUND)
        return st;
    st = focal_oplog_staging_load(ol, err);
    for (size_t i = 0; i < ol->log_count; i++)
        ol->unsigned_logs += ol->logs[i]->pub.head.seq == 0;
    return st;
}

/* Logs keep their place and address, because sessions count on it: one that the store does not have is empty. */
enum focal_status focal_oplog_logs_reload(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    ol->unsigned_logs = 0;
    for (size_t i = 0; i < ol->scope_count; i++) {
        ol->scopes[i]->log_count = 0;
        ol->scopes[i]->own = NULL;
        ol->scopes[i]->frontier_known = false;
    }
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        struct oplog_log *log = ol->logs[i];
        struct focal_log_name name;
        uint8_t flags = 0;
        start_empty(log);
        log->granted = log->incident = false;
        log->opening = log->receipted = 0;
        struct oplog_scope *scope = focal_oplog_scope_of(ol, &log->pub.name.scope);
        if (scope)
            st = attach(scope, log);
        if (st != FOCAL_OK)
            break;
        st = focal_store_get(ol->store, FOCAL_SHELF_LOG, focal_span_of(log->pub.id.b, sizeof log->pub.id.b), &ol->value);
        if (st == FOCAL_NOT_FOUND) {
            st = FOCAL_OK;
            continue;
        }
        struct focal_tip head;
        if (st == FOCAL_OK && !read_row(&name, &head, &flags, &log->opening, focal_buf_view(&ol->value)))
            st = FOCAL_DAMAGED;
        if (st != FOCAL_OK)
            break;
        log->incident = flags & 1;
        if (head.seq > 0)
            log->pub.head = log->pub.staged = head;
        else
            ol->unsigned_logs++;
    }
    ol->changes++;
    return st == FOCAL_OK ? focal_oplog_staging_load(ol, NULL) : st;
}
