/* Rows of segments and of logs. Nothing is decided here: who calls has checked what it appends. */
#include "inside.h"

/* ---- segments --------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_segment_decode(struct segment *out, struct focal_span key, struct focal_span value, bool staged)
{
    memset(out, 0, sizeof *out);
    if (key.len != SEGMENT_KEY_BYTES)
        return FOCAL_DAMAGED;
    out->first = focal_get_be64(key.data + sizeof(struct focal_id));
    struct focal_cur cur = focal_cur_of(value);
    focal_cur_copy(&cur, out->before.b, sizeof out->before.b);
    out->last.seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, out->last.h.b, sizeof out->last.h.b);
    if (!staged)
        focal_cur_copy(&cur, out->signature.b, sizeof out->signature.b);
    out->canonical = focal_cur_be32(&cur);
    out->packed = focal_cur_rest(&cur);
    uint64_t first;
    uint32_t count;
    if (cur.failed || out->first == 0 || focal_stretch_peek(&first, &count, out->packed) != FOCAL_OK
        || first != out->first || first + (count - 1) != out->last.seq)
        return FOCAL_DAMAGED;
    return FOCAL_OK;
}

static void encode(struct focal_buf *value, const struct segment *s, bool staged)
{
    focal_buf_clear(value);
    focal_buf_bytes(value, s->before.b, sizeof s->before.b);
    focal_buf_be64(value, s->last.seq);
    focal_buf_bytes(value, s->last.h.b, sizeof s->last.h.b);
    if (!staged)
        focal_buf_bytes(value, s->signature.b, sizeof s->signature.b);
    focal_buf_be32(value, s->canonical);
    focal_buf_span(value, s->packed);
}

static enum focal_status put_segment(struct focal_oplog *ol, const struct focal_id *log, const struct segment *s, bool staged)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    encode(&ol->encoded, s, staged);
    if (ol->encoded.failed)
        return FOCAL_NO_MEMORY;
    return focal_store_put(ol->store, staged ? FOCAL_SHELF_STAGING : FOCAL_SHELF_SEGMENT,
                           focal_oplog_segment_key(key, log, s->first), focal_buf_view(&ol->encoded));
}

enum focal_status focal_oplog_segment_put(struct focal_oplog *ol, const struct oplog_log *line, const struct segment *s)
{
    return put_segment(ol, &line->pub.line, s, false);
}

enum focal_status focal_oplog_segment_of(struct focal_oplog *ol, struct focal_store *store, const struct focal_id *log,
                                         uint64_t seq, bool staged, struct segment *out)
{
    uint8_t before[SEGMENT_KEY_BYTES];
    if (seq == 0 || seq == UINT64_MAX)
        return FOCAL_NOT_FOUND;
    enum focal_status st = focal_store_prev(store, staged ? FOCAL_SHELF_STAGING : FOCAL_SHELF_SEGMENT,
                                            focal_oplog_segment_key(before, log, seq + 1), &ol->key, &ol->value);
    if (st != FOCAL_OK)
        return st;
    if (ol->key.len < sizeof log->b || memcmp(ol->key.data, log->b, sizeof log->b) != 0)
        return FOCAL_NOT_FOUND;
    st = focal_oplog_segment_decode(out, focal_buf_view(&ol->key), focal_buf_view(&ol->value), staged);
    return st == FOCAL_OK && out->last.seq < seq ? FOCAL_NOT_FOUND : st;
}

enum focal_status focal_oplog_segment_at(struct focal_oplog *ol, const struct focal_id *log, uint64_t first, bool staged, struct segment *out)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    struct focal_span at = focal_oplog_segment_key(key, log, first);
    enum focal_status st = focal_store_get(ol->store, staged ? FOCAL_SHELF_STAGING : FOCAL_SHELF_SEGMENT, at, &ol->value);
    return st == FOCAL_OK ? focal_oplog_segment_decode(out, at, focal_buf_view(&ol->value), staged) : st;
}

/* ---- logs --------------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_log_row(struct focal_oplog *ol, const struct oplog_log *log)
{
    struct focal_buf *value = &ol->encoded;
    focal_buf_clear(value);
    focal_buf_bytes(value, log->pub.name.author.b, sizeof log->pub.name.author.b);
    focal_buf_bytes(value, log->pub.name.epoch.b, sizeof log->pub.name.epoch.b);
    focal_buf_bytes(value, log->pub.name.scope.b, sizeof log->pub.name.scope.b);
    focal_buf_u8(value, log->pub.name.lane);
    focal_buf_be64(value, log->pub.head.seq);
    focal_buf_bytes(value, log->pub.head.h.b, sizeof log->pub.head.h.b);
    focal_buf_u8(value, (uint8_t)((log->incident ? LOG_INCIDENT : 0) | (log->stripped ? LOG_STRIPPED : 0)));
    focal_buf_be64(value, log->opening);
    if (log->parent) {
        focal_buf_be32(value, log->number);
        focal_buf_bytes(value, log->parent->pub.line.b, sizeof log->parent->pub.line.b);
        focal_buf_be64(value, log->pub.base.seq);
        focal_buf_bytes(value, log->pub.base.h.b, sizeof log->pub.base.h.b);
    }
    if (value->failed)
        return FOCAL_NO_MEMORY;
    return focal_store_put(ol->store, FOCAL_SHELF_LOG, focal_span_of(log->pub.line.b, sizeof log->pub.line.b), focal_buf_view(value));
}

enum focal_status focal_oplog_log_decode(struct log_row *row, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    memset(row, 0, sizeof *row);
    focal_cur_copy(&cur, row->name.author.b, sizeof row->name.author.b);
    focal_cur_copy(&cur, row->name.epoch.b, sizeof row->name.epoch.b);
    focal_cur_copy(&cur, row->name.scope.b, sizeof row->name.scope.b);
    row->name.lane = focal_cur_u8(&cur);
    row->head.seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, row->head.h.b, sizeof row->head.h.b);
    row->flags = focal_cur_u8(&cur);
    row->opening = focal_cur_be64(&cur);
    if (cur.failed || focal_cur_left(&cur) == 0)
        return cur.failed ? FOCAL_DAMAGED : FOCAL_OK;
    row->number = focal_cur_be32(&cur);
    focal_cur_copy(&cur, row->parent.b, sizeof row->parent.b);
    row->base.seq = focal_cur_be64(&cur);
    focal_cur_copy(&cur, row->base.h.b, sizeof row->base.h.b);
    return focal_cur_done(&cur) && row->number > 0 ? FOCAL_OK : FOCAL_DAMAGED;
}

enum focal_status focal_oplog_append(struct focal_oplog *ol, struct oplog_log *log, const struct segment *s)
{
    focal_assert(s->first == log->pub.head.seq + 1 && s->last.seq >= s->first);
    focal_assert(focal_hash_equal(&s->before, &log->pub.head.h));
    enum focal_status st = put_segment(ol, &log->pub.line, s, false);
    if (st == FOCAL_OK && log->pub.staged.seq > log->pub.head.seq)
        st = focal_oplog_staging_drop(ol, log);
    if (st != FOCAL_OK)
        return st;
    log->pub.head = log->pub.staged = s->last;
    focal_oplog_head_moved(ol, log);
    if (s->first == 1 && (st = focal_oplog_log_begun(ol, &log->pub)) != FOCAL_OK)
        return st;
    if (FOCAL_PLANTED(HEAD_ROW_LATE) && s->first > 1)
        return FOCAL_OK;
    return focal_oplog_log_row(ol, log);
}

enum focal_status focal_oplog_stage(struct focal_oplog *ol, struct oplog_log *log, const struct segment *s, size_t entries)
{
    focal_assert(s->first == log->pub.staged.seq + 1 && focal_hash_equal(&s->before, &log->pub.staged.h));
    enum focal_status st = put_segment(ol, &log->pub.line, s, true);
    if (st != FOCAL_OK)
        return st;
    log->pub.staged = s->last;
    log->staged_bytes += s->canonical;
    log->staged_entries += entries;
    return FOCAL_OK;
}
