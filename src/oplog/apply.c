/* From entries to parts and the indexes over them. What is written here can be thrown away and made again from the log. */
#include "inside.h"

#include <stdlib.h>

uint32_t focal_oplog_kind32(uint64_t kind)
{
    return kind > UINT32_MAX ? UINT32_MAX : (uint32_t)kind;
}

enum focal_status focal_oplog_contribution(uint8_t key[PART_KEY_BYTES], struct focal_contribution *c, const struct focal_log *log,
                                           const struct focal_stretch_entry *e, uint64_t seq, const struct focal_hash *h)
{
    struct focal_header header;
    if (focal_header_decode(&header, e->header) != FOCAL_OK)
        return FOCAL_DAMAGED;
    /* Begin entries say nothing about a record. Quotes and shapes to come are kept, hashed and relayed as they are. */
    if (header.shape != FOCAL_SHAPE_ORDINARY)
        return FOCAL_NOT_FOUND;
    c->ref.log = log->id;
    c->ref.seq = seq;
    memcpy(c->ref.h8, h->b, sizeof c->ref.h8);
    c->h = *h;
    c->header = e->header;
    c->has_payload = e->has_payload;
    c->payload = e->payload;
    focal_oplog_part_key(key, header.creates ? &c->ref : &header.record, &log->name.scope);
    return FOCAL_OK;
}

static enum focal_status add(struct focal_oplog *ol, const struct focal_log *log, const struct focal_stretch_entry *e,
                             uint64_t seq, const struct focal_hash *h)
{
    uint8_t key[PART_KEY_BYTES];
    struct focal_contribution c;
    enum focal_status st = focal_oplog_contribution(key, &c, log, e, seq, h);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
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
    return focal_oplog_contributes(ol, log) ? add(ol, &log->pub, e, seq, h) : FOCAL_OK;
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

/* Of two creating entries under one reference the smaller h counts, so the kind can still change. */
static enum focal_status index_creation(struct focal_oplog *ol, const uint8_t key[PART_KEY_BYTES], bool had,
                                        const struct focal_creation *old)
{
    struct focal_creation now;
    if (!focal_part_creation(&ol->part, &now))
        return FOCAL_OK;
    if (had && old->kind == now.kind)
        return FOCAL_OK;
    uint8_t kind[KIND_KEY_BYTES];
    enum focal_status st = FOCAL_OK;
    if (had) {
        kind_key(kind, old->kind, key);
        st = focal_store_del(ol->store, FOCAL_SHELF_KIND, focal_span_of(kind, sizeof kind));
    }
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
        had = focal_part_creation(&ol->part, &old);
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
