/* Entries of a lost database that could be read and not be admitted, because something before them was not readable. They
 * wait on shelf META, are part of nothing, and go the one way in as soon as another office has brought what was missing.
 *
 *   "salvaged/" log, first be64, 8 bytes of its last hash  ->  name of the log, or zeros · the segment as it was stored */
#include "inner.h"

#include <string.h>

/* The row of a segment, as room oplog writes it. */
const struct focal_signature *salvaged_signature(const struct salvaged_segment *s)
{
    return focal_bytes_zero(s->signature.b, sizeof s->signature.b) ? NULL : &s->signature;
}

bool salvaged_decode(struct salvaged_segment *s, uint64_t first, struct focal_span row)
{
    struct focal_hash before;
    uint64_t stands_at;
    uint32_t count;
    s->first = first;
    struct focal_cur cur = focal_cur_of(row);
    focal_cur_copy(&cur, before.b, sizeof before.b);
    memcpy(s->before, before.b, sizeof s->before);
    s->last.seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, s->last.h.b, sizeof s->last.h.b);
    focal_cur_copy(&cur, s->signature.b, sizeof s->signature.b);
    focal_cur_be32(&cur);
    s->packed = focal_cur_rest(&cur);
    return !cur.failed && first > 0 && focal_stretch_peek(&stands_at, &count, s->packed) == FOCAL_OK && stands_at == first
           && count > 0 && first + (count - 1) == s->last.seq;
}

void salvaged_key(uint8_t out[SALVAGED_KEY_BYTES], const struct focal_id *log, const struct salvaged_segment *s)
{
    uint8_t *at = out;
    memcpy(at, SALVAGED_PREFIX, sizeof SALVAGED_PREFIX - 1);
    at += sizeof SALVAGED_PREFIX - 1;
    memcpy(at, log->b, sizeof log->b);
    focal_put_be64(at + sizeof log->b, s->first);
    memcpy(at + sizeof log->b + 8, s->last.h.b, 8);
}

void salvaged_name_put(struct focal_buf *out, const struct focal_log_name *name)
{
    focal_buf_bytes(out, name->author.b, sizeof name->author.b);
    focal_buf_bytes(out, name->epoch.b, sizeof name->epoch.b);
    focal_buf_bytes(out, name->scope.b, sizeof name->scope.b);
    focal_buf_u8(out, name->lane);
}

bool salvaged_name_get(struct focal_cur *cur, struct focal_log_name *name)
{
    memset(name, 0, sizeof *name);
    focal_cur_copy(cur, name->author.b, sizeof name->author.b);
    focal_cur_copy(cur, name->epoch.b, sizeof name->epoch.b);
    focal_cur_copy(cur, name->scope.b, sizeof name->scope.b);
    name->lane = focal_cur_u8(cur);
    return !cur->failed;
}

static bool is_waiting(const struct focal_buf *key)
{
    return key->len == SALVAGED_KEY_BYTES && memcmp(key->data, SALVAGED_PREFIX, sizeof SALVAGED_PREFIX - 1) == 0;
}

static enum focal_status any_waits(struct focal_node *n)
{
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    enum focal_status st = focal_store_next(n->store, FOCAL_SHELF_META, focal_span_text(SALVAGED_PREFIX), &key, NULL);
    n->salvaged = st == FOCAL_OK && is_waiting(&key);
    focal_buf_close(&key);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status salvaged_load(struct focal_node *n)
{
    n->salvaged_tried = UINT64_MAX;
    n->salvaged_at_len = 0;
    return any_waits(n);
}

/* Only its key is looked at, because this is asked of every one whenever a head moves. */
static bool hopeless(const struct focal_node *n, const uint8_t *key, struct focal_id *log)
{
    uint64_t most = 0;
    memcpy(log->b, key, sizeof log->b);
    for (const struct focal_log *line = focal_oplog_next_line(n->oplog, log, NULL); line; line = focal_oplog_next_line(n->oplog, log, line))
        most = line->head.seq > most ? line->head.seq : most;
    return focal_get_be64(key + sizeof log->b) > most + 1;
}

static bool is_hash(const void *data, const struct focal_hash *h)
{
    return focal_hash_equal(data, h);
}

/* OK: admitted, or of no use any more. NOT_YET: goes on waiting. */
static enum focal_status try_one(struct focal_node *n, const struct focal_id *id, uint64_t first, struct focal_span value, uint64_t *entries)
{
    struct salvaged_segment s;
    struct focal_log_name name;
    struct focal_error err;
    const struct focal_log *line;
    struct focal_cur cur = focal_cur_of(value);
    if (!salvaged_name_get(&cur, &name) || !salvaged_decode(&s, first, focal_cur_rest(&cur)))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_line_with(n->oplog, id, s.last.seq, is_hash, &s.last.h, &line);
    if (st != FOCAL_NOT_FOUND)
        return st;                      /* OK: somebody else has brought it */
    const struct focal_log *log = focal_oplog_log(n->oplog, id);
    if (log)
        name = log->name;
    struct focal_incoming in = { .name = &name, .before = s.before, .packed = s.packed,
                                 .signature = salvaged_signature(&s) };
    st = focal_oplog_admit(n->oplog, &in, NULL, &err);
    *entries += s.last.seq - (s.first - 1);
    if (st == FOCAL_CONFLICT)           /* another branch is held; what this one leaves may still come */
        return FOCAL_NOT_YET;
    if (st == FOCAL_OK || st == FOCAL_NOT_YET || focal_sync_world(st))
        return st;
    focal_trace_line(&n->trace, FOCAL_WARNING, "node", "a stretch of the lost database is not admissible: %s", err.message);
    return FOCAL_OK;
}

/* As many as one step may hold: the next goes on behind them, so that none keeps others waiting. */
static enum focal_status fill(struct focal_node *n, struct focal_buf *key, struct focal_buf *value)
{
    const size_t prefix = sizeof SALVAGED_PREFIX - 1;
    uint64_t entries = 0;
    enum focal_status st = node_writing(n);
    focal_buf_bytes(key, n->salvaged_at_len ? n->salvaged_at : (const uint8_t *)SALVAGED_PREFIX, n->salvaged_at_len ? n->salvaged_at_len : prefix);
    while (st == FOCAL_OK && entries < FOCAL_STEP_ENTRIES_MAX) {
        st = focal_store_next(n->store, FOCAL_SHELF_META, focal_buf_view(key), key, NULL);
        if (st == FOCAL_NOT_FOUND || (st == FOCAL_OK && !is_waiting(key))) {
            n->salvaged_at_len = 0;
            return FOCAL_OK;
        }
        struct focal_id log;
        if (st == FOCAL_OK)
            st = hopeless(n, key->data + prefix, &log) ? FOCAL_NOT_YET : focal_store_get(n->store, FOCAL_SHELF_META, focal_buf_view(key), value);
        if (st == FOCAL_OK)
            st = try_one(n, &log, focal_get_be64(key->data + prefix + sizeof log.b), focal_buf_view(value), &entries);
        if (st == FOCAL_OK)
            st = focal_store_del(n->store, FOCAL_SHELF_META, focal_buf_view(key));
        else if (st == FOCAL_NOT_YET)
            st = FOCAL_OK;
    }
    if (st == FOCAL_OK)
        memcpy(n->salvaged_at, key->data, n->salvaged_at_len = sizeof n->salvaged_at);
    return st;
}

enum focal_status salvaged_fill(struct focal_node *n)
{
    const uint64_t changes = focal_oplog_change_count(n->oplog);
    if (!n->salvaged || (n->salvaged_tried == changes && n->salvaged_at_len == 0))
        return FOCAL_OK;
    if (n->salvaged_at_len == 0)
        n->salvaged_tried = changes;    /* of before: what comes in now may be what others wait for */
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    enum focal_status st = fill(n, &key, &value);
    if (st == FOCAL_OK && n->salvaged_at_len == 0)
        st = any_waits(n);
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st;
}

size_t focal_node_salvaged(struct focal_node *n, size_t most)
{
    struct focal_buf key;
    size_t count = 0;
    if (!n->salvaged)
        return 0;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_text(&key, SALVAGED_PREFIX);
    while (count < most && focal_store_next(n->store, FOCAL_SHELF_META, focal_buf_view(&key), &key, NULL) == FOCAL_OK && is_waiting(&key))
        count++;
    focal_buf_close(&key);
    return count;
}
