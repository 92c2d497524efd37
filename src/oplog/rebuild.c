/* Throws away what is derived and derives it again. */
#include "inside.h"

static enum focal_status clear_shelf(struct focal_oplog *ol, enum focal_shelf shelf)
{
    enum focal_status st;
    focal_buf_clear(&ol->key);
    while ((st = focal_store_next(ol->store, shelf, focal_buf_view(&ol->key), &ol->key, NULL)) == FOCAL_OK) {
        st = focal_store_del(ol->store, shelf, focal_buf_view(&ol->key));
        if (st != FOCAL_OK)
            return st;
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status derive_log(struct focal_oplog *ol, struct oplog_log *log)
{
    for (uint64_t next = log->pub.base.seq + 1; next <= log->pub.head.seq;) {
        struct segment s;
        struct focal_stretch stretch;
        struct focal_hash *hashes;
        enum focal_status st = focal_oplog_segment_load(ol, log, next, &s, &stretch, &hashes);
        if (st != FOCAL_OK)
            return st;
        if (!focal_hash_equal(&hashes[stretch.count - 1], &s.last.h))
            return FOCAL_DAMAGED;
        st = focal_oplog_apply(ol, log, &stretch, 0, hashes);
        if (st == FOCAL_OK)
            st = focal_oplog_post(ol, &log->pub, &stretch, hashes);
        if (st != FOCAL_OK)
            return st;
        next = s.last.seq + 1;
    }
    return FOCAL_OK;
}

enum focal_status focal_oplog_rebuild(struct focal_oplog *ol)
{
    static const enum focal_shelf derived[] = { FOCAL_SHELF_PART, FOCAL_SHELF_CODE, FOCAL_SHELF_KIND, FOCAL_SHELF_CONFLICT,
        FOCAL_SHELF_POSTING, FOCAL_SHELF_REDACTION };
    enum focal_status st = focal_oplog_seal(ol);        /* what is under way belongs to the log first */
    for (size_t i = 0; i < sizeof derived / sizeof *derived && st == FOCAL_OK; i++)
        st = clear_shelf(ol, derived[i]);
    focal_map_clear(&ol->redacted);
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++)
        st = derive_log(ol, ol->logs[i]);
    if (st == FOCAL_OK)
        st = focal_oplog_enforce(ol);
    return st == FOCAL_OK ? focal_oplog_flush(ol) : st;
}
