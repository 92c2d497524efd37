/* From entries to parts. What is written here can be thrown away and made again from the log. */
#include "inside.h"

bool focal_oplog_contribution(const struct focal_oplog *ol, uint8_t key[PART_KEY_BYTES], struct focal_contribution *c, const struct focal_log *log,
                              const struct focal_stretch_entry *e, uint64_t seq, const struct focal_hash *h)
{
    struct entry_name name;
    focal_oplog_entry_name(ol, &name, log, e->header, seq, h);
    /* Begin entries and notices say nothing about a record; shapes to come are kept, hashed and relayed as they are. */
    if (!name.makes_part)
        return false;
    c->ref = name.ref;
    c->h = name.h;
    c->header = name.header;
    c->has_payload = e->has_payload;
    c->payload = e->payload;
    focal_oplog_part_key(key, &name.record, &log->name.scope);
    return true;
}

static enum focal_status add(struct focal_oplog *ol, const struct focal_log *log, const struct focal_stretch_entry *e,
                             uint64_t seq, const struct focal_hash *h)
{
    uint8_t key[PART_KEY_BYTES];
    struct focal_contribution c;
    if (log->name.lane == FOCAL_LANE_NOTICES)
        return focal_oplog_notice(ol, log, e, seq, h);
    if (!focal_oplog_contribution(ol, key, &c, log, e, seq, h))
        return FOCAL_OK;
    enum focal_status st;
    if (focal_oplog_batch_full(&ol->batch, FOCAL_ENTRY_MAX) && (st = focal_oplog_flush(ol)) != FOCAL_OK)
        return st;
    return focal_oplog_batch_add(&ol->batch, key, &c);
}

enum focal_status focal_oplog_apply(struct focal_oplog *ol, struct oplog_log *log, const struct focal_stretch *s, size_t from,
                                    const struct focal_hash *hashes)
{
    if (!focal_oplog_contributes(ol, log))
        return FOCAL_OK;
    enum focal_status st = FOCAL_OK;
    for (size_t i = from; i < s->count && st == FOCAL_OK && (focal_oplog_counts(log, s->first + i) || FOCAL_PLANTED(BEYOND_CUT_COUNTS)); i++)
        st = add(ol, &log->pub, &s->entries[i], s->first + i, &hashes[i - from]);
    return st;
}

enum focal_status focal_oplog_apply_one(struct focal_oplog *ol, struct oplog_log *log, const struct focal_stretch_entry *e,
                                        uint64_t seq, const struct focal_hash *h)
{
    const bool counts = focal_oplog_contributes(ol, log);
    focal_assert(counts);       /* ours, and only where we may write: else what is said to be written would not be shown */
    return add(ol, &log->pub, e, seq, h);
}

/* ---- flush ---------------------------------------------------------------------------------------------------------------- */

static enum focal_status put_conflict(struct focal_oplog *ol, struct focal_span key, bool was, bool is)
{
    if (is && !was)
        return focal_store_put(ol->store, FOCAL_SHELF_CONFLICT, key, focal_span_of(key.data, 0));
    return was && !is && !FOCAL_PLANTED(CONFLICT_ROW_STAYS) ? focal_store_del(ol->store, FOCAL_SHELF_CONFLICT, key) : FOCAL_OK;
}

/* Too many values at once are always something for a person to look at. */
static bool is_conflict(const struct focal_oplog *ol, const struct split *split)
{
    return split->is || focal_part_two_versions(&ol->part);
}

static enum focal_status flush_part(struct focal_oplog *ol, const struct waiting_part *w)
{
    struct split split;
    struct indexed was;
    enum focal_status st = focal_oplog_part_load(ol, ol->store, w->key, &ol->part, &split);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    const bool was_conflict = is_conflict(ol, &split);
    st = focal_oplog_index_was(ol, w->key, &split, &was);
    if (st == FOCAL_OK)
        st = focal_oplog_batch_merge(&ol->batch, w, &ol->part);
    if (st == FOCAL_OK)
        st = focal_oplog_part_put(ol, w->key, &ol->part, &split);
    if (st == FOCAL_OK)
        st = focal_oplog_index(ol, w->key, &split, &was);
    return st == FOCAL_OK ? put_conflict(ol, focal_span_of(w->key, PART_KEY_BYTES), was_conflict, is_conflict(ol, &split)) : st;
}

/* ---- one part anew ------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_forget_part(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES])
{
    struct split split;
    struct indexed was;
    enum focal_status st = focal_oplog_part_load(ol, ol->store, key, &ol->part, &split);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    st = focal_oplog_index_was(ol, key, &split, &was);
    if (st == FOCAL_OK && (was.is || !was.sure))
        st = focal_oplog_index_forget(ol, key);
    if (st == FOCAL_OK)
        st = focal_store_del(ol->store, FOCAL_SHELF_CONFLICT, focal_span_of(key, PART_KEY_BYTES));
    return st == FOCAL_OK ? focal_oplog_part_forget(ol, key) : st;
}

enum focal_status focal_oplog_derive_part(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_hash *scope)
{
    uint8_t key[PART_KEY_BYTES];
    focal_oplog_part_key(key, record, scope);
    return focal_oplog_derive_parts(ol, focal_span_of(key, sizeof key));
}

enum focal_status focal_oplog_flush(struct focal_oplog *ol)
{
    if (ol->batch.part_count == 0)
        return FOCAL_OK;
    ol->created_count = 0;
    enum focal_status st = focal_oplog_batch_sort(&ol->batch);
    for (size_t i = 0; i < ol->batch.part_count && st == FOCAL_OK; i++)
        st = flush_part(ol, ol->batch.order[i]);
    if (st == FOCAL_OK)
        st = focal_oplog_index_flush(ol);
    if (st == FOCAL_OK)
        focal_oplog_batch_clear(&ol->batch);
    return st;
}
