/* Bytes somebody else made: a cursor that never runs past their end. */
#include "focal/base.h"

#include <string.h>

/* Stands in for no bytes at all, so that pointers handed out can always be given to memcpy and be counted from. */
static const uint8_t nothing[1];

struct focal_cur focal_cur_of(struct focal_span span)
{
    const uint8_t *data = span.data ? span.data : nothing;
    focal_assert(span.data || span.len == 0);
    return (struct focal_cur){ .at = data, .end = data + span.len };
}

size_t focal_cur_left(const struct focal_cur *cur)
{
    return (size_t)(cur->end - cur->at);
}

bool focal_cur_done(const struct focal_cur *cur)
{
    return !cur->failed && cur->at == cur->end;
}

void focal_cur_fail(struct focal_cur *cur)
{
    cur->failed = true;
    cur->at = cur->end;
}

/* The next len bytes, or NULL and failed. */
static const uint8_t *take(struct focal_cur *cur, size_t len)
{
    if (cur->failed || len > focal_cur_left(cur)) {
        focal_cur_fail(cur);
        return NULL;
    }
    const uint8_t *at = cur->at;
    cur->at += len;
    return at;
}

uint8_t focal_cur_u8(struct focal_cur *cur)
{
    const uint8_t *p = take(cur, 1);
    return p ? p[0] : 0;
}

uint16_t focal_cur_be16(struct focal_cur *cur)
{
    const uint8_t *p = take(cur, 2);
    return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t focal_cur_be32(struct focal_cur *cur)
{
    const uint8_t *p = take(cur, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint64_t focal_cur_be64(struct focal_cur *cur)
{
    const uint8_t *p = take(cur, 8);
    return p ? focal_get_be64(p) : 0;
}

uint64_t focal_cur_varint(struct focal_cur *cur)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t *p = take(cur, 1);
        if (!p)
            return 0;
        uint64_t part = *p & 0x7F;
        if (shift == 63 && part > 1)
            break;
        v |= part << shift;
        if (*p & 0x80)
            continue;
        /* A last byte of zero adds nothing: the same number has a shorter form, and only that one is canonical. */
        if (part == 0 && shift > 0)
            break;
        return v;
    }
    focal_cur_fail(cur);
    return 0;
}

struct focal_span focal_cur_bytes(struct focal_cur *cur, size_t len)
{
    const uint8_t *p = take(cur, len);
    return (struct focal_span){ .data = p ? p : nothing, .len = p ? len : 0 };
}

void focal_cur_copy(struct focal_cur *cur, void *to, size_t len)
{
    if (len == 0)
        return;
    const uint8_t *p = take(cur, len);
    if (p)
        memcpy(to, p, len);
    else
        memset(to, 0, len);
}

struct focal_span focal_cur_item(struct focal_cur *cur, uint64_t *tag)
{
    uint64_t read_tag = focal_cur_varint(cur);
    uint64_t len = focal_cur_varint(cur);
    if (len > focal_cur_left(cur))
        focal_cur_fail(cur);
    struct focal_span value = focal_cur_bytes(cur, cur->failed ? 0 : (size_t)len);
    *tag = cur->failed ? 0 : read_tag;
    return value;
}

struct focal_span focal_cur_rest(struct focal_cur *cur)
{
    return focal_cur_bytes(cur, focal_cur_left(cur));
}

void focal_put_be64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint64_t focal_get_be64(const uint8_t in[8])
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | in[i];
    return v;
}
