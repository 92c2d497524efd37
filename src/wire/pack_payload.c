/* Payloads into columns: what they look like (kind, tags, lengths) becomes a shape that many share; the values of one
 * field of all entries stand together. */
#include "pack.h"

#include <string.h>

/* A payload's look, before it has a place among the shapes. */
struct look {
    uint64_t kind, hash;
    size_t count;
    uint64_t tags[PACK_ITEMS_MAX];
    uint8_t lengths[PACK_ITEMS_MAX];
};

static bool look_at(struct look *look, struct focal_span bytes)
{
    struct focal_cur cur = focal_cur_of(bytes);
    look->kind = focal_cur_varint(&cur);
    look->hash = look->kind;
    look->count = 0;
    while (focal_cur_left(&cur) > 0) {
        if (look->count == PACK_ITEMS_MAX)
            return false;
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        uint8_t length = pack_length_code(value.len);
        look->tags[look->count] = tag;
        look->lengths[look->count++] = length;
        look->hash = (look->hash ^ (tag << 8 | length)) * UINT64_C(0x9E3779B97F4A7C15);
        look->hash ^= look->hash >> 29;
    }
    focal_assert(!cur.failed);
    return true;
}

static bool looks_like(const struct focal_packer *p, const struct pack_shape *shape, const struct look *look)
{
    if (shape->kind != look->kind || shape->count != look->count)
        return false;
    for (size_t i = 0; i < look->count; i++) {
        if (shape->items[i].length != look->lengths[i] || p->tags[shape->items[i].tag].tag != look->tags[i])
            return false;
    }
    return true;
}

/* PACK_TAGS_MAX when there is no room. */
static size_t place_of_tag(struct focal_packer *p, uint64_t tag)
{
    for (size_t i = 0; i < p->tag_count; i++) {
        if (p->tags[i].tag == tag)
            return i;
    }
    if (p->tag_count < PACK_TAGS_MAX)
        p->tags[p->tag_count++].tag = tag;
    else
        return PACK_TAGS_MAX;
    return p->tag_count - 1;
}

static bool add_shape(struct focal_packer *p, const struct look *look)
{
    if (p->shape_count == PACK_SHAPES_MAX)
        return false;
    struct pack_shape *shape = &p->shapes[p->shape_count];
    shape->kind = look->kind;
    shape->used = 0;
    shape->count = (uint8_t)look->count;
    shape->open = 0;
    for (size_t i = 0; i < look->count; i++) {
        size_t tag = place_of_tag(p, look->tags[i]);
        if (tag == PACK_TAGS_MAX)
            return false;
        shape->items[i] = (struct pack_item){ .tag = (uint8_t)tag, .length = look->lengths[i] };
        shape->open = (uint8_t)(shape->open + (look->lengths[i] == LENGTH_OPEN));
    }
    p->shape_count++;
    return true;
}

static uint16_t place_of_shape(struct focal_packer *p, const struct look *look)
{
    if (p->shape_count > 0 && looks_like(p, &p->shapes[p->last_shape], look))
        return p->last_shape;
    for (size_t probe = 0; probe < PACK_PROBES_MAX; probe++) {
        uint16_t *slot = &p->shape_slots[(look->hash + probe) % PACK_SLOTS];
        if (*slot == 0) {
            if (!add_shape(p, look))
                return PACK_SHAPES_MAX;
            *slot = (uint16_t)p->shape_count;
            return p->last_shape = (uint16_t)(p->shape_count - 1);
        }
        if (looks_like(p, &p->shapes[*slot - 1], look))
            return p->last_shape = (uint16_t)(*slot - 1);
    }
    return PACK_SHAPES_MAX;
}

static void count_values(struct focal_packer *p, const struct pack_shape *shape, struct focal_span bytes)
{
    if (shape->open == 0) {
        for (size_t i = 0; i < shape->count; i++)
            p->value_bytes[shape->items[i].tag] += shape->items[i].length;
        return;
    }
    struct focal_cur cur = focal_cur_of(bytes);
    focal_cur_varint(&cur);
    for (size_t i = 0; i < shape->count; i++) {
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        p->value_bytes[shape->items[i].tag] += value.len;
        if (shape->items[i].length == LENGTH_OPEN)
            focal_buf_varint(&p->columns[COLUMN_VALUE_LENGTH], value.len);
    }
}

uint8_t focal_pack_payload(struct focal_packer *p, size_t i, struct focal_span bytes, bool whole)
{
    struct look look;
    uint16_t place = PACK_SHAPES_MAX;
    if (!whole && look_at(&look, bytes))
        place = place_of_shape(p, &look);
    p->shape_of[i] = place;
    if (place == PACK_SHAPES_MAX) {
        focal_buf_varint(&p->columns[COLUMN_PAYLOAD_LENGTH], bytes.len);
        focal_buf_span(&p->columns[COLUMN_PAYLOAD], bytes);
        return PAYLOAD_WHOLE;
    }
    struct pack_shape *shape = &p->shapes[place];
    shape->used++;
    count_values(p, shape, bytes);
    focal_buf_varint(&p->columns[COLUMN_SHAPE], place);
    return PAYLOAD_SHAPED;
}

void focal_pack_shapes(struct focal_packer *p, struct focal_buf *dictionary)
{
    for (size_t i = 0; i < p->tag_count; i++)
        focal_buf_varint(dictionary, p->tags[i].tag);
    for (size_t i = 0; i < p->shape_count; i++) {
        const struct pack_shape *shape = &p->shapes[i];
        focal_buf_varint(dictionary, shape->kind);
        focal_buf_u8(dictionary, shape->count);
        for (size_t k = 0; k < shape->count; k++) {
            focal_buf_u8(dictionary, shape->items[k].tag);
            focal_buf_u8(dictionary, shape->items[k].length);
        }
    }
}

void focal_pack_values(struct focal_packer *p, const struct focal_stretch *s)
{
    uint8_t *at[PACK_TAGS_MAX] = { 0 };
    for (size_t t = 0; t < p->tag_count; t++) {
        at[t] = focal_buf_reserve(&p->whole, p->value_bytes[t]);
    }
    if (p->whole.failed)
        return;
    /* Reserving may have moved what was reserved before. */
    size_t end = p->whole.len;
    for (size_t t = p->tag_count; t-- > 0;) {
        end -= p->value_bytes[t];
        at[t] = p->whole.data + end;
    }
    for (size_t i = 0; i < s->count; i++) {
        if (!s->entries[i].has_payload || p->shape_of[i] == PACK_SHAPES_MAX)
            continue;
        const struct pack_shape *shape = &p->shapes[p->shape_of[i]];
        struct focal_cur cur = focal_cur_of(s->entries[i].payload);
        focal_cur_varint(&cur);
        for (size_t k = 0; k < shape->count; k++) {
            uint64_t tag;
            struct focal_span value = focal_cur_item(&cur, &tag);
            uint8_t **to = &at[shape->items[k].tag];
            memcpy(*to, value.data, value.len);
            *to += value.len;
        }
    }
}
