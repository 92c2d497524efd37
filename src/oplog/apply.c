/* From entries to parts and the indexes over them. What is written here can be thrown away and made again from the log. */
#include "inside.h"

#include <stdlib.h>

uint32_t focal_oplog_kind32(uint64_t kind)
{
    return kind > UINT32_MAX ? UINT32_MAX : (uint32_t)kind;
}

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
    for (size_t i = from; i < s->count && st == FOCAL_OK; i++)
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

static void kind_key(uint8_t out[KIND_KEY_BYTES], uint64_t kind, const uint8_t ref[FOCAL_REF_BYTES])
{
    focal_oplog_put_be32(out, focal_oplog_kind32(kind));
    memcpy(out + 4, ref, FOCAL_REF_BYTES);
}

static enum focal_status note_created(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], const struct focal_creation *creation)
{
    void *list = ol->created;
    enum focal_status st = focal_oplog_room(&list, &ol->created_cap, ol->created_count, sizeof *ol->created);
    ol->created = list;
    if (st != FOCAL_OK)
        return st;
    struct created *made = &ol->created[ol->created_count++];
    struct focal_ref ref;
    uint8_t code[8];
    focal_ref_get(&ref, key);
    focal_put_be64(code, focal_short_code(&ref) << 24);
    memcpy(made->key, code, 5);
    memcpy(made->key + 5, key, FOCAL_REF_BYTES);
    focal_oplog_put_be32(made->kind, focal_oplog_kind32(creation->kind));
    return FOCAL_OK;
}

/* Under its kind and its short code it is not found any more. */
static enum focal_status forget_creation(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], const struct focal_creation *old)
{
    uint8_t kind[KIND_KEY_BYTES], code[8 + FOCAL_REF_BYTES], *const code_key = code + 3;
    struct focal_ref ref;
    enum focal_status st = FOCAL_OK;
    kind_key(kind, old->kind, key);
    if (!FOCAL_PLANTED(REDACTED_KIND_ROW_STAYS))
        st = focal_store_del(ol->store, FOCAL_SHELF_KIND, focal_span_of(kind, sizeof kind));
    focal_ref_get(&ref, key);
    focal_put_be64(code, focal_short_code(&ref));
    memcpy(code + 8, key, FOCAL_REF_BYTES);
    return st == FOCAL_OK ? focal_store_del(ol->store, FOCAL_SHELF_CODE, focal_span_of(code_key, CODE_KEY_BYTES)) : st;
}

/* Of two creating entries under one reference the smaller h counts, so the kind can still change. */
static enum focal_status index_creation(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], bool had,
                                        const struct focal_creation *old)
{
    struct focal_creation now;
    const struct focal_authors authors = focal_oplog_authors(ol);
    /* The smaller of the two may have come stripped, and nobody may have said its kind again. */
    if (!focal_part_creation(&ol->part, &authors, &now))
        return had ? forget_creation(ol, key, old) : FOCAL_OK;
    /* Whose logs the part's entries stand in may be known only now: then the old part gave no row when it was written. */
    if (had && old->kind == now.kind && !old->said_again)
        return FOCAL_OK;
    uint8_t kind[KIND_KEY_BYTES];
    enum focal_status st = had ? forget_creation(ol, key, old) : FOCAL_OK;
    kind_key(kind, now.kind, key);
    if (st == FOCAL_OK && !FOCAL_PLANTED(KIND_ROW_FORGOTTEN))
        st = focal_store_put(ol->store, FOCAL_SHELF_KIND, focal_span_of(kind, sizeof kind), focal_span_of(kind, 0));
    return st == FOCAL_OK ? note_created(ol, key, &now) : st;
}

static enum focal_status flush_part(struct focal_oplog *ol, const struct waiting_part *w, size_t *left_out)
{
    struct focal_span key = focal_span_of(w->key, PART_KEY_BYTES);
    struct focal_creation old;
    bool had = false, was_conflict = false;
    focal_part_clear(&ol->part);
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_PART, key, &ol->value);
    if (st == FOCAL_OK) {
        st = focal_part_decode(&ol->part, focal_buf_view(&ol->value));
        if (st != FOCAL_OK)
            return st;
        const struct focal_authors authors = focal_oplog_authors(ol);
        had = focal_part_creation(&ol->part, &authors, &old);
        was_conflict = focal_part_two_versions(&ol->part);
    } else if (st != FOCAL_NOT_FOUND) {
        return st;
    }
    st = focal_oplog_batch_merge(&ol->batch, w, &ol->part, left_out);
    if (st != FOCAL_OK)
        return st;
    focal_buf_clear(&ol->encoded);
    focal_part_encode(&ol->encoded, &ol->part);
    if (ol->encoded.failed)
        return FOCAL_NO_MEMORY;
    st = focal_store_put(ol->store, FOCAL_SHELF_PART, key, focal_buf_view(&ol->encoded));
    if (st == FOCAL_OK)
        st = index_creation(ol, w->key, had, &old);
    if (st != FOCAL_OK)
        return st;
    bool conflict = focal_part_two_versions(&ol->part);
    if (conflict && !was_conflict)
        return focal_store_put(ol->store, FOCAL_SHELF_CONFLICT, key, focal_span_of(w->key, 0));
    return was_conflict && !conflict && !FOCAL_PLANTED(CONFLICT_ROW_STAYS) ? focal_store_del(ol->store, FOCAL_SHELF_CONFLICT, key) : FOCAL_OK;
}

/* ---- one part anew ------------------------------------------------------------------------------------------------------- */

static enum focal_status forget_part(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES])
{
    const struct focal_authors authors = focal_oplog_authors(ol);
    struct focal_creation old;
    focal_part_clear(&ol->part);
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_PART, focal_span_of(key, PART_KEY_BYTES), &ol->value);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    st = focal_part_decode(&ol->part, focal_buf_view(&ol->value));
    if (st == FOCAL_OK && focal_part_creation(&ol->part, &authors, &old))
        st = forget_creation(ol, key, &old);
    if (st == FOCAL_OK)
        st = focal_store_del(ol->store, FOCAL_SHELF_CONFLICT, focal_span_of(key, PART_KEY_BYTES));
    return st == FOCAL_OK ? focal_store_del(ol->store, FOCAL_SHELF_PART, focal_span_of(key, PART_KEY_BYTES)) : st;
}

static enum focal_status add_of_record(struct focal_oplog *ol, const struct oplog_log *line, uint64_t first, const uint8_t wanted[PART_KEY_BYTES])
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    for (size_t i = 0; i < s.count && st == FOCAL_OK; i++) {
        uint8_t key[PART_KEY_BYTES];
        struct focal_contribution c;
        if (focal_oplog_contribution(ol, key, &c, &line->pub, &s.entries[i], s.first + i, &hashes[i]) && memcmp(key, wanted, sizeof key) == 0)
            st = add(ol, &line->pub, &s.entries[i], s.first + i, &hashes[i]);
    }
    return st;
}

enum focal_status focal_oplog_derive_part(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_hash *scope)
{
    uint8_t key[PART_KEY_BYTES];
    struct focal_buf segments;
    focal_buf_init(&segments, SIZE_MAX / 2);
    focal_oplog_part_key(key, record, scope);
    enum focal_status st = focal_oplog_flush(ol);
    if (st == FOCAL_OK)
        st = forget_part(ol, key);
    if (st == FOCAL_OK)
        st = focal_oplog_segments_about(ol, record, scope, &segments);
    for (size_t at = 0; at < segments.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id id;
        memcpy(id.b, segments.data + at, sizeof id.b);
        struct oplog_log *line = focal_oplog_line_of(ol, &id);
        if (focal_oplog_contributes(ol, line))
            st = add_of_record(ol, line, focal_get_be64(segments.data + at + sizeof id.b), key);
    }
    focal_buf_close(&segments);
    return st == FOCAL_OK ? focal_oplog_flush(ol) : st;
}

static int created_order(const void *a, const void *b)
{
    return memcmp(a, b, CODE_KEY_BYTES);
}

enum focal_status focal_oplog_flush(struct focal_oplog *ol)
{
    if (ol->batch.part_count == 0)
        return FOCAL_OK;
    size_t left_out = 0;
    ol->created_count = 0;
    enum focal_status st = focal_oplog_batch_sort(&ol->batch);
    for (size_t i = 0; i < ol->batch.part_count && st == FOCAL_OK; i++)
        st = flush_part(ol, ol->batch.order[i], &left_out);
    if (st != FOCAL_OK)
        return st;
    /* Short codes are hashes: in order they cost a store far less. */
    if (ol->created_count > 1)
        qsort(ol->created, ol->created_count, sizeof *ol->created, created_order);
    for (size_t i = 0; i < ol->created_count && st == FOCAL_OK; i++)
        st = focal_store_put(ol->store, FOCAL_SHELF_CODE, focal_span_of(ol->created[i].key, CODE_KEY_BYTES),
                             focal_span_of(ol->created[i].kind, sizeof ol->created[i].kind));
    if (left_out > 0)
        focal_trace_line(&ol->trace, FOCAL_ERROR, "oplog", "%zu entries held but not shown: their record is over its limit", left_out);
    focal_oplog_batch_clear(&ol->batch);
    return st;
}
