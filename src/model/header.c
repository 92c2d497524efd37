/* Headers of entries: bytes that are signed for ever. */
#include "focal/model.h"

#include <string.h>

enum {
    TAG_RECORD = 1,
    TAG_REPLACED = 2,
    TAG_PREVIOUS = 3,
    TAG_QUOTED_FROM = 4,
    TAG_QUOTED_HEADER = 5,
    TAG_QUOTED_COMMITMENT = 6,
    TAG_NEWER_MIN = 16,
    QUOTED_FROM_BYTES = 32 + 16 + 32,
};

#define BIT(tag) (1u << (tag))

/* The items each shape has. */
static const uint16_t shape_tags[] = {
    [FOCAL_SHAPE_ORDINARY] = BIT(TAG_RECORD) | BIT(TAG_REPLACED),
    [FOCAL_SHAPE_BEGIN] = BIT(TAG_PREVIOUS),
    [FOCAL_SHAPE_QUOTE] = BIT(TAG_QUOTED_FROM) | BIT(TAG_QUOTED_HEADER) | BIT(TAG_QUOTED_COMMITMENT),
};

static bool decode(struct focal_header *h, struct focal_span bytes, bool quoted);

/* One or more blocks of `size` bytes, each greater than the one before. */
static bool strictly_ascending(struct focal_span list, size_t size)
{
    if (list.len == 0 || list.len % size != 0)
        return false;
    for (size_t at = size; at < list.len; at += size) {
        if (memcmp(list.data + at - size, list.data + at, size) >= 0)
            return false;
    }
    return true;
}

static bool take_quoted_header(struct focal_header *h, struct focal_span value)
{
    struct focal_header inner;
    if (!decode(&inner, value, true))
        return false;
    h->quoted_header = value;
    h->newer |= inner.newer;
    return true;
}

static bool take_item(struct focal_header *h, uint64_t tag, struct focal_span value)
{
    switch (tag) {
    case TAG_RECORD:
        if (value.len != FOCAL_REF_BYTES)
            return false;
        focal_ref_get(&h->record, value.data);
        return true;
    case TAG_REPLACED:
        h->replaced = value;
        return strictly_ascending(value, FOCAL_REPLACED_BYTES);
    case TAG_PREVIOUS:
        h->previous = value;
        return strictly_ascending(value, FOCAL_PREVIOUS_BYTES);
    case TAG_QUOTED_FROM:
        if (value.len != QUOTED_FROM_BYTES)
            return false;
        memcpy(h->quoted_author.b, value.data, 32);
        memcpy(h->quoted_epoch.b, value.data + 32, 16);
        memcpy(h->quoted_before.b, value.data + 48, 32);
        return true;
    case TAG_QUOTED_HEADER:
        return take_quoted_header(h, value);
    case TAG_QUOTED_COMMITMENT:
        if (value.len != sizeof h->quoted_commitment.b)
            return false;
        memcpy(h->quoted_commitment.b, value.data, value.len);
        return true;
    }
    return false;
}

static bool complete(struct focal_header *h, unsigned seen)
{
    switch (h->shape) {
    case FOCAL_SHAPE_ORDINARY:
        h->creates = !(seen & BIT(TAG_RECORD));
        return true;
    case FOCAL_SHAPE_BEGIN:
        return h->seq == 1;
    case FOCAL_SHAPE_QUOTE:
        return seen == shape_tags[FOCAL_SHAPE_QUOTE];
    }
    return true;
}

/* `quoted` is asked before any item is looked at: a quote inside a quote inside a quote, as deep as a peer likes to
 * write it, is refused at its second byte instead of being followed. */
static bool decode(struct focal_header *h, struct focal_span bytes, bool quoted)
{
    *h = (struct focal_header){ 0 };
    struct focal_cur cur = focal_cur_of(bytes);
    h->shape = focal_cur_varint(&cur);
    h->seq = focal_cur_varint(&cur);
    if (cur.failed || h->shape == 0 || h->seq == 0 || (quoted && h->shape != FOCAL_SHAPE_ORDINARY))
        return false;
    bool shape_known = h->shape <= FOCAL_SHAPE_QUOTE;
    h->newer = !shape_known;
    unsigned seen = 0;
    uint64_t last = 0;
    for (bool first = true; focal_cur_left(&cur) > 0; first = false) {
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        if (cur.failed || (!first && tag <= last))
            return false;
        last = tag;
        if (!shape_known || tag >= TAG_NEWER_MIN) {
            h->newer = true;
            continue;
        }
        if (!(shape_tags[h->shape] & BIT(tag)) || !take_item(h, tag, value))
            return false;
        seen |= BIT(tag);
    }
    return complete(h, seen);
}

enum focal_status focal_header_decode(struct focal_header *h, struct focal_span bytes)
{
    if (decode(h, bytes, false))
        return FOCAL_OK;
    *h = (struct focal_header){ 0 };
    return FOCAL_MALFORMED;
}

static void encode_quote(struct focal_buf *buf, const struct focal_header *h)
{
    struct focal_header inner;
    focal_assert(decode(&inner, h->quoted_header, true));
    uint8_t from[QUOTED_FROM_BYTES];
    memcpy(from, h->quoted_author.b, 32);
    memcpy(from + 32, h->quoted_epoch.b, 16);
    memcpy(from + 48, h->quoted_before.b, 32);
    focal_buf_item(buf, TAG_QUOTED_FROM, focal_span_of(from, sizeof from));
    focal_buf_item(buf, TAG_QUOTED_HEADER, h->quoted_header);
    focal_buf_item(buf, TAG_QUOTED_COMMITMENT, focal_span_of(h->quoted_commitment.b, 32));
}

/* What is encoded here is signed next, so lists out of order are our own bug and stop us: a malformed entry that bears
 * our signature could never be taken back. */
void focal_header_encode(struct focal_buf *buf, const struct focal_header *h)
{
    focal_assert(h->shape >= FOCAL_SHAPE_ORDINARY && h->shape <= FOCAL_SHAPE_QUOTE && h->seq > 0);
    focal_buf_varint(buf, h->shape);
    focal_buf_varint(buf, h->seq);
    switch (h->shape) {
    case FOCAL_SHAPE_ORDINARY:
        if (!h->creates) {
            uint8_t ref[FOCAL_REF_BYTES];
            focal_ref_put(ref, &h->record);
            focal_buf_item(buf, TAG_RECORD, focal_span_of(ref, sizeof ref));
        }
        if (h->replaced.len > 0) {
            focal_assert(strictly_ascending(h->replaced, FOCAL_REPLACED_BYTES));
            focal_buf_item(buf, TAG_REPLACED, h->replaced);
        }
#ifdef FOCAL_NEXT_VERSION
        if (!h->creates && h->seq % 2 == 0)     /* some of them, so that old and new forms stand in one stretch */
            focal_buf_item(buf, TAG_NEWER_MIN, focal_span_text("made up"));
#endif
        return;
    case FOCAL_SHAPE_BEGIN:
        focal_assert(h->seq == 1);
        if (h->previous.len > 0) {
            focal_assert(strictly_ascending(h->previous, FOCAL_PREVIOUS_BYTES));
            focal_buf_item(buf, TAG_PREVIOUS, h->previous);
        }
        return;
    default:
        encode_quote(buf, h);
    }
}

size_t focal_header_replaced_count(const struct focal_header *h)
{
    return h->replaced.len / FOCAL_REPLACED_BYTES;
}

void focal_header_replaced(struct focal_replaced *out, const struct focal_header *h, size_t i)
{
    focal_assert(i < focal_header_replaced_count(h));
    const uint8_t *at = h->replaced.data + i * FOCAL_REPLACED_BYTES;
    focal_ref_get(&out->entry, at);
    out->ordinal = (uint16_t)(at[FOCAL_REF_BYTES] << 8 | at[FOCAL_REF_BYTES + 1]);
}

size_t focal_header_previous_count(const struct focal_header *h)
{
    return h->previous.len / FOCAL_PREVIOUS_BYTES;
}

void focal_header_previous(struct focal_previous *out, const struct focal_header *h, size_t i)
{
    focal_assert(i < focal_header_previous_count(h));
    const uint8_t *at = h->previous.data + i * FOCAL_PREVIOUS_BYTES;
    memcpy(out->log.b, at, 16);
    out->tip.seq = focal_get_be64(at + 16);
    memcpy(out->tip.h.b, at + 24, 32);
}

void focal_replaced_put(struct focal_buf *buf, const struct focal_replaced *replaced)
{
    uint8_t bytes[FOCAL_REPLACED_BYTES];
    focal_ref_put(bytes, &replaced->entry);
    bytes[FOCAL_REF_BYTES] = (uint8_t)(replaced->ordinal >> 8);
    bytes[FOCAL_REF_BYTES + 1] = (uint8_t)replaced->ordinal;
    focal_buf_bytes(buf, bytes, sizeof bytes);
}

int focal_replaced_compare(const struct focal_replaced *a, const struct focal_replaced *b)
{
    int order = focal_ref_compare(&a->entry, &b->entry);
    if (order != 0)
        return order;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}
