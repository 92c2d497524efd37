/* Inside a part: its entries, and the stretch of bytes that holds the live values of one entry.
 *
 * A stretch is a row of items  { field varint, 2 * length + g varint, gap varint if g, value }  in order of ordinals. The gap
 * counts the ordinals left out since the item before. The same bytes stand in memory and in the canonical form, so encoding
 * copies them; and taking an item out never makes a stretch longer, so it is done in place. */
#ifndef FOCAL_MERGE_PART_H
#define FOCAL_MERGE_PART_H

#include "focal/merge.h"
#include "focal/base_plant.h"

#include <string.h>

enum {
    FOCAL_ENTRY_CREATES = 1,
    FOCAL_ENTRY_PAYLOAD = 2,            /* off only in a creating entry that came stripped */
    FOCAL_ENTRY_DAY = 4,
    FOCAL_ENTRY_HOME_SET = 8,           /* names the home: as the creating entry does, or again, for when that one is erased */
    FOCAL_ENTRY_HOME = 16,              /* set, and not to "none" */
    FOCAL_ENTRY_NEWER = 32,             /* its header says more than this program understands */
    FOCAL_ENTRY_FLAGS = 63,

    /* Most bytes that an entry without its values, and a replaced name, take in the canonical form, log id included:
     * id 16, index 4, seq 10, h 32, flags 1, day 5, kind 10, home 32, length 4; and id 16, index 4, seq 10, h8 8, ordinal 3. */
    FOCAL_PART_FIXED_BYTES = 32,
    FOCAL_PART_ENTRY_BYTES = 114,
    FOCAL_PART_REPLACED_BYTES = 41,

    FOCAL_ORDINAL_END = 65536
};

struct focal_part_entry {               /* sorted by (log, seq, h), each (reference, h) once */
    struct focal_ref ref;
    struct focal_hash h;
    struct focal_hash home;             /* this and kind: only of entries that create or name the home */
    uint64_t kind;
    uint32_t day;
    uint32_t at, len, count;            /* its stretch in part->bytes, and how many items are in it */
    uint8_t flags;
};

/* Does it say the kind, and so stay when none of its values is live? */
static inline bool focal_part_entry_tells_kind(const struct focal_part_entry *e)
{
    return e->flags & (FOCAL_ENTRY_CREATES | FOCAL_ENTRY_HOME_SET);
}

struct focal_part_item { uint64_t field; struct focal_span value; uint32_t ordinal; };

/* Nearly every number here has one or two bytes; the rest, and every refusal, is left to the cursor of base. */
static inline uint64_t focal_part_varint(struct focal_cur *cur)
{
    const uint8_t *p = cur->at;
    size_t left = (size_t)(cur->end - p);
    if (left >= 1 && p[0] < 0x80) {
        cur->at = p + 1;
        return p[0];
    }
    if (left >= 2 && p[1] < 0x80 && p[1] > 0) {
        cur->at = p + 2;
        return (uint64_t)(p[0] & 0x7F) | (uint64_t)p[1] << 7;
    }
    return focal_cur_varint(cur);
}

static inline uint8_t *focal_part_put_varint(uint8_t *out, uint64_t v)
{
    while (v >= 0x80) {
        *out++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *out++ = (uint8_t)v;
    return out;
}

/* *next is the ordinal that an item without a gap has; starts at 0. False at the end, and when malformed (cur->failed). */
static inline bool focal_part_item_next(struct focal_cur *cur, uint32_t *next, struct focal_part_item *out)
{
    if (cur->at == cur->end)
        return false;
    out->field = focal_part_varint(cur);
    uint64_t coded = focal_part_varint(cur);
    uint64_t gap = coded & 1 ? focal_part_varint(cur) : 0;
    uint64_t len = coded >> 1;
    if (((coded & 1) && gap == 0) || gap >= FOCAL_ORDINAL_END || *next + gap >= FOCAL_ORDINAL_END
        || cur->failed || len > (size_t)(cur->end - cur->at)) {
        focal_cur_fail(cur);
        return false;
    }
    out->value = (struct focal_span){ .data = cur->at, .len = (size_t)len };
    cur->at += len;
    out->ordinal = *next + (uint32_t)gap;
    *next = out->ordinal + 1;
    return true;
}

/* The value may overlap with where it is written to. */
static inline uint8_t *focal_part_item_put(uint8_t *out, const struct focal_part_item *item, uint32_t next)
{
    uint32_t gap = item->ordinal - next;
    out = focal_part_put_varint(out, item->field);
    out = focal_part_put_varint(out, (uint64_t)item->value.len << 1 | (gap ? 1 : 0));
    if (gap)
        out = focal_part_put_varint(out, gap);
    if (item->value.len)
        memmove(out, item->value.data, item->value.len);
    return out + item->value.len;
}

static inline struct focal_cur focal_part_items(const struct focal_part *part, const struct focal_part_entry *e)
{
    if (e->len == 0)
        return (struct focal_cur){ 0 };
    const uint8_t *at = part->bytes.data + e->at;
    return (struct focal_cur){ .at = at, .end = at + e->len };
}

/* Eight bytes as one number that sorts like them; spelt out, because compilers make one load of this form. */
static inline uint64_t focal_part_eight(const uint8_t *b)
{
    return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32
        | (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | (uint64_t)b[7];
}

/* The order of focal_ref_compare. Nearly all time of adding to a large part is spent here. */
static inline int focal_part_ref_order(const struct focal_ref *a, const struct focal_ref *b)
{
    uint64_t x = focal_part_eight(a->log.b), y = focal_part_eight(b->log.b);
    if (x == y) {
        x = focal_part_eight(a->log.b + 8);
        y = focal_part_eight(b->log.b + 8);
    }
    if (x == y) {
        x = a->seq;
        y = b->seq;
    }
    if (x == y && !FOCAL_PLANTED(REFERENCE_BY_ADDRESS)) {
        x = focal_part_eight(a->h8);
        y = focal_part_eight(b->h8);
    }
    return x < y ? -1 : x > y;
}

static inline int focal_part_entry_order(const struct focal_part_entry *e, const struct focal_ref *ref, const struct focal_hash *h)
{
    int c = focal_part_ref_order(&e->ref, ref);
    return c || !h ? c : memcmp(e->h.b, h->b, sizeof h->b);
}

static inline int focal_part_name_order(const struct focal_replaced *a, const struct focal_replaced *b)
{
    int c = focal_part_ref_order(&a->entry, &b->entry);
    return c ? c : (int)a->ordinal - (int)b->ordinal;
}

/* Room for so many more; false: out of memory, nothing changed. */
bool focal_part_room(struct focal_part *, size_t entries, size_t replaced, size_t bytes);
/* Place of the first entry that is not before (ref, h); without h, the first that bears the reference or comes after. */
size_t focal_part_find_entry(const struct focal_part *, const struct focal_ref *, const struct focal_hash *);
/* Place of the first replaced name that is not before this one; and not before (ref, ordinal 0). */
size_t focal_part_find_name(const struct focal_part *, const struct focal_replaced *);
size_t focal_part_find_replaced(const struct focal_part *, const struct focal_ref *);
/* Stays the estimate of the canonical bytes under the limit with so much more? */
bool focal_part_fits(const struct focal_part *, size_t more_entries, size_t more_replaced, size_t more_bytes);

static inline void focal_part_live_of(struct focal_live *out, const struct focal_part_entry *e, const struct focal_part_item *item)
{
    *out = (struct focal_live){ .ref = e->ref, .h = e->h, .ordinal = (uint16_t)item->ordinal, .field = item->field,
        .value = item->value, .has_day = e->flags & FOCAL_ENTRY_DAY, .day = e->day };
}

static inline bool focal_merge_of_withdrawal(uint64_t field)
{
    return field == FOCAL_CASE_WITHDRAWN || field == FOCAL_CASE_SAW || field == FOCAL_CASE_SAW_NETWORK || field == FOCAL_CASE_SAW_COUNTRY;
}

/* Of a part with fields of a withdrawal: is it not as a withdrawal saw it, or by one that saw less than the whole record? */
bool focal_part_withdrawal_open(const struct focal_part *);

/* The map key of a value; empty in other classes, and where a value is not of a map's form. */
struct focal_span focal_merge_key(uint64_t field, struct focal_span value);
int focal_merge_row_order(const struct focal_live *, const struct focal_live *);    /* (log, seq, h, ordinal) */

/* Sorts in place, without memory of its own and never slower than n log n: how many there are may be a peer's choice.
 * Fast where little is out of order. size at most FOCAL_MERGE_SORT_BYTES. */
enum { FOCAL_MERGE_SORT_BYTES = 256 };
void focal_merge_sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *));

#endif
