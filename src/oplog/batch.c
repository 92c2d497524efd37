/* Entries waiting to be added to parts. A part is then read, merged and written once for all of them, and in order of
 * keys, which is what a store on disk is quick at. */
#include "inside.h"

#include <stdlib.h>

#define NONE UINT32_MAX

void focal_oplog_batch_init(struct batch *b, uint64_t seed, size_t parts_max, size_t entries_max, size_t bytes_max)
{
    memset(b, 0, sizeof *b);
    focal_map_init(&b->map, PART_KEY_BYTES, seed);
    focal_buf_init(&b->bytes, bytes_max);
    b->parts_max = parts_max;
    b->entries_max = entries_max;
}

void focal_oplog_batch_close(struct batch *b)
{
    focal_map_close(&b->map);
    focal_free(b->parts);
    focal_free(b->entries);
    focal_free(b->order);
    focal_buf_close(&b->bytes);
}

void focal_oplog_batch_clear(struct batch *b)
{
    focal_map_clear(&b->map);
    focal_buf_clear(&b->bytes);
    b->part_count = b->entry_count = 0;
}

bool focal_oplog_batch_full(const struct batch *b, size_t more_bytes)
{
    return b->part_count >= b->parts_max || b->entry_count >= b->entries_max || b->bytes.len + more_bytes > b->bytes.limit;
}

static struct waiting_part *find(const struct batch *b, const uint8_t key[PART_KEY_BYTES])
{
    uintptr_t place = (uintptr_t)focal_map_get(&b->map, key);
    return place ? &b->parts[place - 1] : NULL;
}

const struct waiting_part *focal_oplog_batch_find(const struct batch *b, const uint8_t key[PART_KEY_BYTES])
{
    return find(b, key);
}

static enum focal_status make_part(struct batch *b, const uint8_t key[PART_KEY_BYTES], struct waiting_part **out)
{
    void *list = b->parts;
    enum focal_status st = focal_oplog_room(&list, &b->part_cap, b->part_count, sizeof *b->parts);
    b->parts = list;
    if (st == FOCAL_OK)
        st = focal_map_put(&b->map, key, (void *)(uintptr_t)(b->part_count + 1));
    if (st != FOCAL_OK)
        return st;
    struct waiting_part *part = &b->parts[b->part_count++];
    memcpy(part->key, key, PART_KEY_BYTES);
    part->first = part->last = NONE;
    part->count = 0;
    *out = part;
    return FOCAL_OK;
}

enum focal_status focal_oplog_batch_add(struct batch *b, const uint8_t key[PART_KEY_BYTES], const struct focal_contribution *c)
{
    void *list = b->entries;
    enum focal_status st = focal_oplog_room(&list, &b->entry_cap, b->entry_count, sizeof *b->entries);
    b->entries = list;
    size_t payload_len = c->has_payload ? c->payload.len : 0, at = b->bytes.len;
    uint8_t *bytes = st == FOCAL_OK ? focal_buf_reserve(&b->bytes, c->header.len + payload_len) : NULL;
    if (!bytes)
        return FOCAL_NO_MEMORY;
    struct waiting_part *part = find(b, key);
    if (!part && (st = make_part(b, key, &part)) != FOCAL_OK)
        return st;
    memcpy(bytes, c->header.data, c->header.len);
    if (payload_len)
        memcpy(bytes + c->header.len, c->payload.data, payload_len);
    uint32_t place = (uint32_t)b->entry_count++;
    b->entries[place] = (struct waiting){ .next = NONE, .at = (uint32_t)at, .header_len = (uint32_t)c->header.len,
        .payload_len = (uint32_t)payload_len, .has_payload = c->has_payload, .log = c->ref.log, .seq = c->ref.seq, .h = c->h };
    if (part->count++ == 0)
        part->first = place;
    else
        b->entries[part->last].next = place;
    part->last = place;
    return FOCAL_OK;
}

static int key_order(const void *a, const void *b)
{
    const struct waiting_part *const *x = a, *const *y = b;
    return memcmp((*x)->key, (*y)->key, PART_KEY_BYTES);
}

enum focal_status focal_oplog_batch_sort(struct batch *b)
{
    if (b->order_cap < b->part_count) {
        focal_free(b->order);
        b->order_cap = 0;
        b->order = focal_alloc(b->part_cap * sizeof *b->order);
        if (!b->order)
            return FOCAL_NO_MEMORY;
        b->order_cap = b->part_cap;
    }
    bool sorted = true;
    for (size_t i = 0; i < b->part_count; i++) {
        b->order[i] = &b->parts[i];
        sorted = sorted && (i == 0 || memcmp(b->parts[i - 1].key, b->parts[i].key, PART_KEY_BYTES) < 0);
    }
    if (!sorted)        /* records created one after the other in one log come in order */
        qsort(b->order, b->part_count, sizeof *b->order, key_order);
    return FOCAL_OK;
}

enum focal_status focal_oplog_batch_merge(const struct batch *b, const struct waiting_part *part, struct focal_part *into)
{
    for (uint32_t i = part->first; i != NONE; i = b->entries[i].next) {
        const struct waiting *w = &b->entries[i];
        if (FOCAL_PLANTED(BATCH_TAIL_LOST) && i == part->last && part->count > 2)
            break;
        const uint8_t *bytes = b->bytes.data + w->at;
        struct focal_contribution c = { .ref = { .log = w->log, .seq = w->seq }, .h = w->h, .has_payload = w->has_payload,
            .header = focal_span_of(bytes, w->header_len), .payload = focal_span_of(bytes + w->header_len, w->payload_len) };
        memcpy(c.ref.h8, w->h.b, sizeof c.ref.h8);
        enum focal_status st = focal_part_add(into, &c);
        if (st != FOCAL_OK)
            return st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
    }
    return FOCAL_OK;
}
