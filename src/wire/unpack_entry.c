/* One entry out of the columns, as the canonical bytes it was. */
#include "pack.h"

#include <string.h>

static bool fits(const struct unpacking *u, size_t bytes)
{
    return bytes <= (size_t)(u->end - u->at);
}

static void put(struct unpacking *u, const void *bytes, size_t len)
{
    memcpy(u->at, bytes, len);
    u->at += len;
}

static bool put_whole(struct unpacking *u, enum pack_column lengths, enum pack_column bytes)
{
    size_t len = (size_t)focal_cur_varint(&u->columns[lengths]);
    struct focal_span span = focal_cur_bytes(&u->columns[bytes], len);
    if (!fits(u, span.len))
        return false;
    put(u, span.data, span.len);
    return true;
}

static bool take_record(struct unpacking *u)
{
    struct focal_packer *p = u->packer;
    uint64_t log = focal_cur_varint(&u->columns[COLUMN_RECORD_LOG]);
    if (log >= p->log_count)
        return false;
    p->record.log = p->logs[log];
    p->record_seq[log] += pack_unzigzag(focal_cur_varint(&u->columns[COLUMN_RECORD_SEQ]));
    p->record.seq = p->record_seq[log];
    focal_cur_copy(&u->record_h8, p->record.h8, sizeof p->record.h8);
    p->record_set = true;
    return true;
}

static bool take_replaced(struct unpacking *u, struct focal_ref *ref, size_t i, bool has_record)
{
    struct focal_packer *p = u->packer;
    uint64_t from = focal_cur_varint(&u->columns[COLUMN_REPLACED_FROM]);
    if (from == FROM_RECORD) {
        *ref = p->record;
        return has_record;
    }
    if (from == FROM_LAST)
        return i > 0;
    uint64_t log = from - FROM_LOG;
    if (log >= p->log_count)
        return false;
    ref->log = p->logs[log];
    p->replaced_seq[log] += pack_unzigzag(focal_cur_varint(&u->columns[COLUMN_REPLACED_SEQ]));
    ref->seq = p->replaced_seq[log];
    focal_cur_copy(&u->replaced_h8, ref->h8, sizeof ref->h8);
    return true;
}

static bool put_replaced(struct unpacking *u, bool has_record)
{
    size_t count = (size_t)focal_cur_varint(&u->columns[COLUMN_REPLACED_COUNT]);
    size_t bytes = count * FOCAL_REPLACED_BYTES;
    uint8_t head[1 + VARINT_MAX] = { 2 };
    size_t head_len = 1 + pack_varint(head + 1, bytes);
    if (count == 0 || !fits(u, head_len + bytes))
        return false;
    put(u, head, head_len);
    struct focal_ref ref = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (!take_replaced(u, &ref, i, has_record))
            return false;
        uint64_t ordinal = focal_cur_varint(&u->columns[COLUMN_ORDINAL]);
        if (ordinal > UINT16_MAX)
            return false;
        focal_ref_put(u->at, &ref);
        u->at[FOCAL_REF_BYTES] = (uint8_t)(ordinal >> 8);
        u->at[FOCAL_REF_BYTES + 1] = (uint8_t)ordinal;
        u->at += FOCAL_REPLACED_BYTES;
    }
    return true;
}

static bool put_header(struct unpacking *u, uint64_t seq, uint8_t flags)
{
    uint8_t kind = flags & HEADER_MASK;
    if (kind == HEADER_WHOLE)
        return put_whole(u, COLUMN_HEADER_LENGTH, COLUMN_HEADER);
    uint8_t head[1 + VARINT_MAX] = { FOCAL_SHAPE_ORDINARY };
    size_t head_len = 1 + pack_varint(head + 1, seq);
    if (!fits(u, head_len))
        return false;
    put(u, head, head_len);
    if (kind == HEADER_RECORD && !take_record(u))
        return false;
    if (kind == HEADER_SAME_RECORD && !u->packer->record_set)
        return false;
    if (kind != HEADER_CREATES) {
        if (!fits(u, 2 + FOCAL_REF_BYTES))
            return false;
        *u->at++ = 1;
        *u->at++ = FOCAL_REF_BYTES;
        focal_ref_put(u->at, &u->packer->record);
        u->at += FOCAL_REF_BYTES;
    }
    return !(flags & FLAG_REPLACES) || put_replaced(u, kind != HEADER_CREATES);
}

static bool put_shaped(struct unpacking *u)
{
    const struct focal_packer *p = u->packer;
    const struct pack_shape *shape = &p->shapes[focal_cur_varint(&u->columns[COLUMN_SHAPE])];
    uint8_t kind[VARINT_MAX];
    size_t kind_len = pack_varint(kind, shape->kind);
    if (!fits(u, kind_len))
        return false;
    put(u, kind, kind_len);
    for (size_t k = 0; k < shape->count; k++) {
        const struct pack_tag *tag = &p->tags[shape->items[k].tag];
        size_t len = shape->items[k].length;
        if (len == LENGTH_OPEN)
            len = (size_t)focal_cur_varint(&u->columns[COLUMN_VALUE_LENGTH]);
        uint8_t len_bytes[VARINT_MAX];
        size_t len_len = pack_varint(len_bytes, len);
        struct focal_span value = focal_cur_bytes(&u->values[shape->items[k].tag], len);
        if (value.len != len || !fits(u, tag->len + len_len + len))
            return false;
        put(u, tag->bytes, tag->len);
        put(u, len_bytes, len_len);
        put(u, value.data, len);
    }
    return true;
}

bool focal_unpack_entry(struct unpacking *u, size_t i)
{
    struct focal_stretch_entry *entry = &u->stretch->entries[i];
    uint64_t seq = u->stretch->first + i;
    uint8_t flags = focal_cur_u8(&u->columns[COLUMN_FLAGS]), payload_kind = flags & PAYLOAD_MASK;
    const uint8_t *start = u->at;
    if (!put_header(u, seq, flags))
        return false;
    entry->header = focal_span_of(start, (size_t)(u->at - start));
    struct focal_header h;
    if (focal_header_decode(&h, entry->header) != FOCAL_OK || h.seq != seq)
        return false;
    if (payload_kind == PAYLOAD_STRIPPED) {
        focal_cur_copy(&u->commitments, entry->c.b, sizeof entry->c.b);
        return true;
    }
    const uint8_t *middle = u->at;
    if (payload_kind == PAYLOAD_WHOLE ? !put_whole(u, COLUMN_PAYLOAD_LENGTH, COLUMN_PAYLOAD) : !put_shaped(u))
        return false;
    entry->has_payload = true;
    entry->payload = focal_span_of(middle, (size_t)(u->at - middle));
    struct focal_payload payload;
    return u->at - start <= FOCAL_ENTRY_MAX && focal_payload_decode(&payload, entry->payload) == FOCAL_OK;
}
