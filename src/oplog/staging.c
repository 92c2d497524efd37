/* Pieces that wait for the signature at the end of their stretch: neither merged nor acknowledged nor part of a frontier.
 * They are only a saving: whatever looks odd about them, they are dropped and asked for again from the head on. */
#include "inside.h"

enum focal_status focal_oplog_staging_drop(struct focal_oplog *ol, struct oplog_log *log)
{
    uint8_t from[SEGMENT_KEY_BYTES];
    struct focal_span after = focal_oplog_segment_key(from, &log->pub.line, 0);
    enum focal_status st;
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_STAGING, after, &ol->key, NULL)) == FOCAL_OK) {
        if (ol->key.len != SEGMENT_KEY_BYTES || memcmp(ol->key.data, log->pub.line.b, sizeof log->pub.line.b) != 0)
            break;
        st = focal_store_del(ol->store, FOCAL_SHELF_STAGING, focal_buf_view(&ol->key));
        if (st != FOCAL_OK)
            return st;
    }
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    log->pub.staged = log->pub.head;
    log->staged_bytes = log->staged_entries = 0;
    return FOCAL_OK;
}

static void load_piece(struct focal_oplog *ol, struct focal_span key, struct focal_span value)
{
    struct segment s;
    if (focal_oplog_segment_decode(&s, key, value, true) != FOCAL_OK)
        return;
    struct focal_id id;
    memcpy(id.b, key.data, sizeof id.b);
    struct oplog_log *log = focal_oplog_line_of(ol, &id);
    if (!log || s.first != log->pub.staged.seq + 1 || !focal_hash_equal(&s.before, &log->pub.staged.h))
        return;
    log->pub.staged = s.last;
    log->staged_bytes += s.canonical;
    log->staged_entries += (size_t)(s.last.seq - s.first) + 1;
}

enum focal_status focal_oplog_staging_load(struct focal_oplog *ol, struct focal_error *err)
{
    enum focal_status st;
    focal_buf_clear(&ol->key);
    while ((st = focal_store_next(ol->store, FOCAL_SHELF_STAGING, focal_buf_view(&ol->key), &ol->key, &ol->value)) == FOCAL_OK)
        load_piece(ol, focal_buf_view(&ol->key), focal_buf_view(&ol->value));
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : focal_fail(err, st, "", "the database could not be read");
}
