/* A part: its memory, and finding things in it. */
#include "part.h"

enum {
    FIRST_ENTRIES = 8,
    FIRST_REPLACED = 16,
    /* Below this, dead stretches are not worth a copy. */
    COMPACT_BYTES_MIN = 64 * 1024
};

void focal_part_init(struct focal_part *part)
{
    *part = (struct focal_part){ 0 };
    part->limit = FOCAL_PART_BYTES_MAX;
    focal_buf_init(&part->bytes, 2 * (size_t)FOCAL_PART_BYTES_MAX + 4 * (size_t)COMPACT_BYTES_MIN);
}

void focal_part_lift_limit(struct focal_part *part)
{
    part->limit = UINT32_MAX;           /* places in its bytes are kept in 32 bits */
    part->bytes.limit = UINT32_MAX;
}

void focal_part_close(struct focal_part *part)
{
    focal_free(part->entries);
    focal_free(part->replaced);
    focal_buf_close(&part->bytes);
    focal_part_init(part);
}

void focal_part_clear(struct focal_part *part)
{
    part->entry_count = 0;
    part->replaced_count = 0;
    part->value_bytes = 0;
    part->more = false;
    focal_buf_clear(&part->bytes);
}

bool focal_part_empty(const struct focal_part *part)
{
    return part->entry_count == 0 && part->replaced_count == 0;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool grow(void **array, size_t *cap, size_t need, size_t first, size_t size)
{
    if (need <= *cap)
        return true;
    size_t want = *cap ? *cap : first;
    while (want < need)
        want *= 2;
    void *grown = focal_realloc(*array, want * size);
    if (!grown)
        return false;
    *array = grown;
    *cap = want;
    return true;
}

static bool compact(struct focal_part *part, size_t more)
{
    struct focal_buf packed;
    focal_buf_init(&packed, part->bytes.limit);
    if (!focal_buf_reserve(&packed, part->value_bytes + more))
        return false;
    focal_buf_truncate(&packed, 0);
    for (size_t i = 0; i < part->entry_count; i++) {
        struct focal_part_entry *e = &part->entries[i];
        size_t at = packed.len;
        focal_buf_bytes(&packed, part->bytes.data + e->at, e->len);
        e->at = (uint32_t)at;
    }
    focal_assert(packed.len == part->value_bytes);
    focal_buf_close(&part->bytes);
    part->bytes = packed;
    return true;
}

static bool room_for_bytes(struct focal_part *part, size_t bytes)
{
    struct focal_buf *buf = &part->bytes;
    if (bytes <= buf->cap - buf->len)
        return true;
    if (buf->len >= COMPACT_BYTES_MIN && buf->len / 2 > part->value_bytes)
        return compact(part, bytes);
    size_t len = buf->len;
    if (!focal_buf_reserve(buf, bytes)) {
        buf->failed = false;
        return false;
    }
    focal_buf_truncate(buf, len);
    return true;
}

bool focal_part_room(struct focal_part *part, size_t entries, size_t replaced, size_t bytes)
{
    void *grown = part->entries;
    if (!grow(&grown, &part->entry_cap, part->entry_count + entries, FIRST_ENTRIES, sizeof *part->entries))
        return false;
    part->entries = grown;
    grown = part->replaced;
    if (!grow(&grown, &part->replaced_cap, part->replaced_count + replaced, FIRST_REPLACED, sizeof *part->replaced))
        return false;
    part->replaced = grown;
    return room_for_bytes(part, bytes + 1);     /* never none: a stretch of no bytes has a place too */
}

bool focal_part_fits(const struct focal_part *part, size_t more_entries, size_t more_replaced, size_t more_bytes)
{
    return focal_part_bytes_of(part->entry_count + more_entries, part->replaced_count + more_replaced, part->value_bytes + more_bytes) <= part->limit;
}

size_t focal_part_bytes_of(size_t entries, size_t replaced, size_t value_bytes)
{
    return FOCAL_PART_FIXED_BYTES + entries * FOCAL_PART_ENTRY_BYTES + replaced * FOCAL_PART_REPLACED_BYTES + value_bytes;
}

size_t focal_part_bytes_most(const struct focal_part *part)
{
    return focal_part_bytes_of(part->entry_count, part->replaced_count, part->value_bytes);
}

/* ---- finding ------------------------------------------------------------------------------------------------------- */

size_t focal_part_find_entry(const struct focal_part *part, const struct focal_ref *ref, const struct focal_hash *h)
{
    size_t low = 0, high = part->entry_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (focal_part_entry_order(&part->entries[mid], ref, h) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t focal_part_find_name(const struct focal_part *part, const struct focal_replaced *name)
{
    size_t low = 0, high = part->replaced_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (focal_part_name_order(&part->replaced[mid], name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t focal_part_find_replaced(const struct focal_part *part, const struct focal_ref *ref)
{
    struct focal_replaced least = { .entry = *ref, .ordinal = 0 };
    return focal_part_find_name(part, &least);
}
