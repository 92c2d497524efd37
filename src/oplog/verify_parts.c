/* Verify's second half: parts derived anew from the log, held against the stored ones. The records are dealt out over
 * several passes by a hash of their reference, so that one pass holds only its share. */
#include "verify.h"

static bool of_this_pass(const struct focal_verify *v, const uint8_t key[PART_KEY_BYTES])
{
    /* The last 8 bytes of a reference are of a hash already; mixed once more, because an author chooses them among many. */
    uint64_t mixed = (focal_get_be64(key + FOCAL_REF_BYTES - 8) ^ v->ol->seed) * 0x9E3779B97F4A7C15u;
    return (mixed >> 32) % v->pass_count == v->pass;
}

void focal_verify_pass_start(struct focal_verify *v)
{
    focal_oplog_batch_clear(&v->batch);
    v->order_at = 0;
    v->pass_entries = 0;
}

static enum focal_status take(struct focal_verify *v, const struct verify_log *log, const struct focal_stretch *stretch, const struct focal_hash *hashes)
{
    for (size_t i = 0; i < stretch->count && stretch->first + i <= log->limit; i++) {
        uint8_t key[PART_KEY_BYTES];
        struct focal_contribution c;
        enum focal_status st = FOCAL_OK;
        if (focal_oplog_contribution(v->ol, key, &c, &log->log, &stretch->entries[i], stretch->first + i, &hashes[i]) && of_this_pass(v, key))
            st = focal_oplog_batch_add(&v->batch, key, &c);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

enum focal_status focal_verify_entries_slice(struct focal_verify *v, size_t *budget)
{
    while (v->at < v->log_count) {
        const struct verify_log *log = &v->logs[v->at];
        if (v->next > log->good || !log->contributes) {
            focal_verify_next_log(v);
            continue;
        }
        if (*budget == 0)
            return FOCAL_MORE;
        struct segment s;
        struct focal_stretch stretch;
        struct focal_hash *hashes;
        enum focal_status st = focal_verify_segment(v, log, &s, &stretch, &hashes);
        if (st == FOCAL_OK)
            st = take(v, log, &stretch, hashes);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;      /* it was there in the walk before, on this snapshot */
        v->h = hashes[stretch.count - 1];
        v->next = s.last.seq + 1;
        v->pass_entries += stretch.count;
        *budget -= stretch.count < *budget ? stretch.count : *budget;
    }
    return focal_oplog_batch_sort(&v->batch);
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------------- */

static void note_part(struct focal_verify *v, const uint8_t key[PART_KEY_BYTES], const char *what)
{
    char name[2 * FOCAL_REF_BYTES + 1];
    focal_hex(name, key, FOCAL_REF_BYTES);
    focal_verify_note(v, "record %s: %s", name, what);
}

/* A sum does not depend on order, and equal sets of rows give equal sums. */
static void add_to_digest(struct focal_verify *v, struct focal_span key, struct focal_span bytes)
{
    const uint8_t *scope = key.data + FOCAL_REF_BYTES;
    for (size_t s = 0; s < v->scope_count; s++) {
        if (memcmp(v->scopes[s].id.b, scope, 32) != 0)
            continue;
        uint8_t h[32], body[32];
        focal_blake2b(body, sizeof body, focal_span_of(NULL, 0), bytes);
        uint8_t all[PIECE_KEY_BYTES + sizeof body];
        memcpy(all, scope, 32);
        memcpy(all + 32, key.data, FOCAL_REF_BYTES);
        memcpy(all + PART_KEY_BYTES, key.data + PART_KEY_BYTES, key.len - PART_KEY_BYTES);
        memcpy(all + key.len, body, sizeof body);
        focal_blake2b(h, sizeof h, focal_span_text("focal digest 1"), focal_span_of(all, key.len + sizeof body));
        unsigned carry = 0;
        for (size_t i = 0; i < sizeof h; i++) {
            carry += (unsigned)v->scopes[s].sum[i] + h[i];
            v->scopes[s].sum[i] = (uint8_t)carry;
            carry >>= 8;
        }
        return;
    }
}

static enum focal_status held(struct focal_verify *v, enum focal_shelf shelf, struct focal_span key, const uint8_t part[PART_KEY_BYTES], const char *what)
{
    v->wanted[shelf]++;
    enum focal_status st = focal_store_get(v->store, shelf, key, &v->index);
    if (st == FOCAL_NOT_FOUND) {
        note_part(v, part, what);
        return FOCAL_OK;
    }
    return st;
}

static enum focal_status check_indexes(struct focal_verify *v, const uint8_t part[PART_KEY_BYTES], const struct split *split)
{
    struct focal_creation creation;
    const struct focal_authors authors = focal_oplog_authors(v->ol);
    enum focal_status st = FOCAL_OK;
    if (focal_part_creation(&v->part, &authors, &creation)) {
        uint8_t kind[KIND_KEY_BYTES], code[8 + FOCAL_REF_BYTES], *const code_key = code + 3;
        struct focal_ref ref;
        focal_ref_get(&ref, part);
        focal_oplog_put_be32(kind, focal_oplog_kind32(creation.kind));
        memcpy(kind + 4, part, FOCAL_REF_BYTES);
        focal_put_be64(code, focal_short_code(&ref));
        memcpy(code + 8, part, FOCAL_REF_BYTES);
        st = held(v, FOCAL_SHELF_KIND, focal_span_of(kind, sizeof kind), part, "missing among the records of its kind");
        if (st == FOCAL_OK)
            st = held(v, FOCAL_SHELF_CODE, focal_span_of(code_key, CODE_KEY_BYTES), part, "cannot be found by its code");
        if (st == FOCAL_OK && !focal_span_equal(focal_buf_view(&v->index), focal_span_of(kind, 4)) && v->index.len > 0)
            note_part(v, part, "found by its code as one of another kind");
    }
    if (st == FOCAL_OK && (split->is || focal_part_two_versions(&v->part)))
        st = held(v, FOCAL_SHELF_CONFLICT, focal_span_of(part, PART_KEY_BYTES), part, "has two versions and is not listed so");
    return st;
}

/* A row of a split part. Whether there are more of them than there should be is counted. */
static enum focal_status check_piece(void *data, const uint8_t key[PIECE_KEY_BYTES], struct focal_span value)
{
    struct focal_verify *v = data;
    focal_buf_clear(&v->index);
    enum focal_status st = held(v, FOCAL_SHELF_PART, focal_span_of(key, PIECE_KEY_BYTES), key, "a piece of it is missing from the derived state");
    if (st == FOCAL_OK && v->index.len > 0 && !focal_span_equal(value, focal_buf_view(&v->index)))
        note_part(v, key, "the derived state is not what the log gives");
    add_to_digest(v, focal_span_of(key, PIECE_KEY_BYTES), value);
    return st;
}

/* One part as the log gives it; stored: NULL when there is none. */
static enum focal_status check_part(struct focal_verify *v, const struct waiting_part *w, const struct focal_buf *stored)
{
    struct split split;
    focal_part_clear(&v->part);
    enum focal_status st = focal_oplog_batch_merge(&v->batch, w, &v->part);
    if (st != FOCAL_OK)
        return st;
    focal_oplog_split_of(&split, &v->part);
    focal_buf_clear(&v->encoded);
    if (split.is)
        focal_oplog_split_encode(&v->encoded, &split);
    else
        focal_part_encode(&v->encoded, &v->part);
    if (v->encoded.failed)
        return FOCAL_NO_MEMORY;
    if (!stored)
        note_part(v, w->key, "missing from the derived state");
    else if (!focal_span_equal(focal_buf_view(&v->encoded), focal_buf_view(stored)))
        note_part(v, w->key, "the derived state is not what the log gives");
    add_to_digest(v, focal_span_of(w->key, PART_KEY_BYTES), focal_buf_view(&v->encoded));
    if (split.is)
        st = focal_oplog_each_piece_row(w->key, &v->part, &v->encoded, check_piece, v);
    return st == FOCAL_OK ? check_indexes(v, w->key, &split) : st;
}

/* Those the log gives that stand before the key (NULL: all) are missing from the store. */
static enum focal_status missing_before(struct focal_verify *v, const uint8_t *key)
{
    while (v->order_at < v->batch.part_count
           && (!key || memcmp(v->batch.order[v->order_at]->key, key, PART_KEY_BYTES) < 0)) {
        enum focal_status st = check_part(v, v->batch.order[v->order_at++], NULL);
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

enum focal_status focal_verify_parts_slice(struct focal_verify *v, size_t *budget)
{
    for (; *budget > 0; --*budget) {
        enum focal_status st = focal_store_next(v->store, FOCAL_SHELF_PART, focal_buf_view(&v->key), &v->key, &v->value);
        if (st == FOCAL_NOT_FOUND)
            return missing_before(v, NULL);
        if (st != FOCAL_OK)
            return st;
        if (v->key.len != PART_KEY_BYTES && v->key.len != PIECE_KEY_BYTES) {
            focal_verify_note(v, "a derived row with a malformed name");
            continue;
        }
        if (!of_this_pass(v, v->key.data))
            continue;
        if (v->key.len == PIECE_KEY_BYTES) {
            v->pieces++;
            continue;
        }
        st = missing_before(v, v->key.data);
        if (st != FOCAL_OK)
            return st;
        if (v->order_at < v->batch.part_count && memcmp(v->batch.order[v->order_at]->key, v->key.data, PART_KEY_BYTES) == 0)
            st = check_part(v, v->batch.order[v->order_at++], &v->value);
        else
            note_part(v, v->key.data, "a derived row that nothing in the log stands behind");
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_MORE;
}
