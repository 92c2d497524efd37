/* Adding entries to a part, and joining parts.
 *
 * The order of work is the same in both: learn what is replaced, take it out of what is here, then let in what is new, less
 * what is replaced. All memory is reserved first, so that a failure leaves the part as it was. */
#include "part.h"

/* What an item of a stretch may be longer than the same item of a payload: its length is doubled. */
enum { ITEM_MORE_BYTES = 1 };

/* ---- replacing ----------------------------------------------------------------------------------------------------- */

/* Replaced names on their way in, sorted and unique: of a header, or of another part. */
struct names { const struct focal_header *header; const struct focal_replaced *array; size_t count; };

static struct focal_replaced name_at(const struct names *names, size_t i)
{
    if (names->array)
        return names->array[i];
    struct focal_replaced name;
    focal_header_replaced(&name, names->header, i);
    return name;
}

static size_t count_missing(const struct focal_part *part, const struct names *names)
{
    if (part->replaced_count == 0)
        return names->count;
    size_t missing = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct focal_replaced name = name_at(names, i);
        size_t at = focal_part_find_name(part, &name);
        missing += at == part->replaced_count || focal_part_name_order(&part->replaced[at], &name) != 0;
    }
    return missing;
}

/* From the back, so that each name moves once. */
static void merge_names(struct focal_part *part, const struct names *names, size_t missing)
{
    size_t held = part->replaced_count, coming = names->count, to = held + missing;
    part->replaced_count = to;
    while (coming > 0 && to > held) {
        struct focal_replaced name = name_at(names, coming - 1);
        int c = held ? focal_part_name_order(&part->replaced[held - 1], &name) : -1;
        if (c > 0) {
            part->replaced[--to] = part->replaced[--held];
            continue;
        }
        coming--;
        if (c < 0)
            part->replaced[--to] = name;
    }
    focal_assert(to == held);
}

static bool stays(const struct focal_part_entry *e)
{
    return e->count > 0 || focal_part_entry_tells_kind(e);
}

/* Takes what is replaced out of one entry's stretch, in place. */
static void take_out(struct focal_part *part, struct focal_part_entry *e)
{
    if (e->count == 0 || part->replaced_count == 0)
        return;
    size_t r = focal_part_find_replaced(part, &e->ref);
    const struct focal_replaced *names = part->replaced + r, *end = part->replaced + part->replaced_count;
    if (names == end || focal_part_ref_order(&names->entry, &e->ref) != 0)
        return;
    uint8_t *out = part->bytes.data + e->at;
    struct focal_cur cur = focal_part_items(part, e);
    struct focal_part_item item;
    uint32_t next_in = 0, next_out = 0, kept = 0;
    while (focal_part_item_next(&cur, &next_in, &item)) {
        while (names < end && names->ordinal < item.ordinal && focal_part_ref_order(&names->entry, &e->ref) == 0)
            names++;
        bool named = names < end && names->ordinal == item.ordinal && focal_part_ref_order(&names->entry, &e->ref) == 0;
        if (named && (FOCAL_PLANTED(EVENTS_TAKEN_OFF) || focal_field_merge(item.field) != FOCAL_MERGE_EVENTS))
            continue;
        out = focal_part_item_put(out, &item, next_out);
        next_out = item.ordinal + 1;
        kept++;
    }
    focal_assert(!cur.failed);
    uint32_t len = (uint32_t)(out - (part->bytes.data + e->at));
    focal_assert(len <= e->len);
    part->value_bytes -= e->len - len;
    e->len = len;
    e->count = kept;
}

static void drop_spent(struct focal_part *part)
{
    size_t kept = 0;
    for (size_t i = 0; i < part->entry_count; i++) {
        if (!stays(&part->entries[i]))
            continue;
        if (kept != i)
            part->entries[kept] = part->entries[i];
        kept++;
    }
    part->entry_count = kept;
}

static void replace(struct focal_part *part, const struct names *names, size_t missing)
{
    if (missing == 0)
        return;
    merge_names(part, names, missing);
    bool spent = false;
    struct focal_replaced before, name;
    for (size_t i = 0; i < names->count; i++, before = name) {
        name = name_at(names, i);
        if (i > 0 && focal_part_ref_order(&before.entry, &name.entry) == 0)
            continue;
        /* Two entries may bear one reference; a replacement means both. */
        for (size_t at = focal_part_find_entry(part, &name.entry, NULL); at < part->entry_count; at++) {
            struct focal_part_entry *e = &part->entries[at];
            if (focal_part_ref_order(&e->ref, &name.entry) != 0)
                break;
            take_out(part, e);
            spent = spent || !stays(e);
        }
    }
    if (spent)
        drop_spent(part);
}

/* ---- adding -------------------------------------------------------------------------------------------------------- */

static void describe(struct focal_part_entry *e, const struct focal_contribution *c, const struct focal_header *header,
    const struct focal_payload *payload)
{
    *e = (struct focal_part_entry){ .ref = c->ref, .h = c->h };
    e->flags = (uint8_t)((header->creates ? FOCAL_ENTRY_CREATES : 0) | (header->newer ? FOCAL_ENTRY_NEWER : 0));
    if (!c->has_payload)
        return;
    e->flags |= FOCAL_ENTRY_PAYLOAD;
    if (payload->newer)
        e->flags |= FOCAL_ENTRY_NEWER;
    if (payload->has_day) {
        e->flags |= FOCAL_ENTRY_DAY;
        e->day = payload->day;
    }
    if (payload->has_home)
        e->flags |= FOCAL_ENTRY_HOME_SET;
    if (!focal_part_entry_tells_kind(e))
        return;
    e->kind = payload->kind;
    if (payload->has_home && payload->home.len == sizeof e->home.b) {
        memcpy(e->home.b, payload->home.data, sizeof e->home.b);
        if (!focal_bytes_zero(e->home.b, sizeof e->home.b))
            e->flags |= FOCAL_ENTRY_HOME;
    }
}

/* All values of a payload, as a stretch at the end of the bytes. Room is there. */
static void put_stretch(struct focal_part *part, struct focal_part_entry *e, const struct focal_payload *payload)
{
    uint8_t *start = part->bytes.data + part->bytes.len, *out = start;
    struct focal_cur cur = focal_cur_of(payload->values);
    struct focal_part_item item = { .ordinal = 0 };
    while (cur.at != cur.end) {
        item.field = focal_part_varint(&cur);
        uint64_t len = focal_part_varint(&cur);
        focal_assert(!cur.failed && len <= focal_cur_left(&cur));
        item.value = (struct focal_span){ .data = cur.at, .len = (size_t)len };
        cur.at += len;
        out = focal_part_item_put(out, &item, item.ordinal);
        item.ordinal++;
    }
    focal_assert(item.ordinal == payload->value_count);
    e->at = (uint32_t)part->bytes.len;
    e->len = (uint32_t)(out - start);
    e->count = item.ordinal;
    part->bytes.len += e->len;
    part->value_bytes += e->len;
}

/* Gives back the end of the bytes, where the stretch of e still stands. */
static void unput_stretch(struct focal_part *part, const struct focal_part_entry *e, size_t bytes_before)
{
    part->value_bytes -= e->len;
    focal_buf_truncate(&part->bytes, bytes_before);
}

static void place(struct focal_part *part, const struct focal_contribution *c, const struct focal_header *header,
    const struct focal_payload *payload)
{
    if (!c->has_payload && !header->creates)
        return;
    size_t at = focal_part_find_entry(part, &c->ref, &c->h);
    bool held = at < part->entry_count && focal_part_entry_order(&part->entries[at], &c->ref, &c->h) == 0;
    if (held && (!c->has_payload || (part->entries[at].flags & FOCAL_ENTRY_PAYLOAD)))
        return;
    struct focal_part_entry e;
    describe(&e, c, header, payload);
    e.at = (uint32_t)part->bytes.len;
    if (c->has_payload) {
        put_stretch(part, &e, payload);
        if (!FOCAL_PLANTED(LATE_VALUE_REVIVES))
            take_out(part, &e);
    }
    if (!stays(&e)) {
        unput_stretch(part, &e, e.at);
        return;
    }
    if (!held) {
        memmove(&part->entries[at + 1], &part->entries[at], (part->entry_count - at) * sizeof e);
        part->entry_count++;
    }
    part->entries[at] = e;
}

enum focal_status focal_part_add(struct focal_part *part, const struct focal_contribution *c)
{
    focal_assert(memcmp(c->ref.h8, c->h.b, sizeof c->ref.h8) == 0);
    struct focal_header header;
    enum focal_status status = focal_header_decode(&header, c->header);
    if (status != FOCAL_OK)
        return status;
    if (header.shape != FOCAL_SHAPE_ORDINARY || header.seq != c->ref.seq)
        return FOCAL_MALFORMED;
    struct focal_payload payload = { 0 };
    if (c->has_payload) {
        status = focal_payload_decode(&payload, c->payload);
        if (status != FOCAL_OK)
            return status;
    }
    struct names names = { .header = &header, .count = focal_header_replaced_count(&header) };
    if (FOCAL_PLANTED(REPLACED_MUST_BE_HELD) && part->entry_count == 0)
        names.count = 0;
    size_t missing = names.count ? count_missing(part, &names) : 0;
    if (FOCAL_PLANTED(SECOND_VERSION_LOST) && names.count > 0 && missing == 0)
        return FOCAL_OK;
    size_t bytes = payload.values.len + (size_t)payload.value_count * ITEM_MORE_BYTES;
    if (!focal_part_fits(part, 1, missing, bytes))
        return FOCAL_TOO_BIG;
    if (!focal_part_room(part, 1, missing, bytes))
        return FOCAL_NO_MEMORY;
    replace(part, &names, missing);
    place(part, c, &header, &payload);
    return FOCAL_OK;
}

/* ---- joining ------------------------------------------------------------------------------------------------------- */

static bool copy_entry(struct focal_part *into, struct focal_part_entry *to, const struct focal_part *from,
    const struct focal_part_entry *e)
{
    *to = *e;
    to->at = (uint32_t)into->bytes.len;
    if (e->len)
        memcpy(into->bytes.data + into->bytes.len, from->bytes.data + e->at, e->len);
    into->bytes.len += e->len;
    into->value_bytes += e->len;
    take_out(into, to);
    return stays(to);
}

/* Pieces that are put together again come one behind the other: that must not cost a walk over all before it. */
static bool comes_after(const struct focal_part *into, const struct focal_part *from)
{
    const struct focal_part_entry *first = from->entries;
    return into->entry_count == 0 || from->entry_count == 0
        || focal_part_entry_order(&into->entries[into->entry_count - 1], &first->ref, &first->h) < 0;
}

/* How many of from's entries are not here at all. */
static size_t count_new_entries(const struct focal_part *into, const struct focal_part *from)
{
    size_t fresh = 0, i = 0;
    if (comes_after(into, from))
        return from->entry_count;
    for (size_t j = 0; j < from->entry_count; j++) {
        const struct focal_part_entry *e = &from->entries[j];
        int c = 1;
        while (i < into->entry_count && (c = focal_part_entry_order(&into->entries[i], &e->ref, &e->h)) < 0)
            i++;
        fresh += i == into->entry_count || c != 0;
    }
    return fresh;
}

static void merge_entries(struct focal_part *into, const struct focal_part *from, size_t fresh)
{
    size_t held = into->entry_count, coming = from->entry_count, to = held + fresh;
    bool spent = false;
    into->entry_count = to;
    while (coming > 0) {
        const struct focal_part_entry *e = &from->entries[coming - 1];
        int c = held ? focal_part_entry_order(&into->entries[held - 1], &e->ref, &e->h) : -1;
        if (c > 0) {
            held--;
            to--;
            if (to != held)
                into->entries[to] = into->entries[held];
            continue;
        }
        coming--;
        if (c < 0)
            spent = !copy_entry(into, &into->entries[--to], from, e) || spent;
        else if ((e->flags & FOCAL_ENTRY_PAYLOAD) && !(into->entries[held - 1].flags & FOCAL_ENTRY_PAYLOAD))
            spent = !copy_entry(into, &into->entries[held - 1], from, e) || spent;
    }
    focal_assert(to == held);
    if (spent)
        drop_spent(into);
}

enum focal_status focal_part_join(struct focal_part *into, const struct focal_part *from)
{
    if (into == from)
        return FOCAL_OK;
    struct names names = { .array = from->replaced, .count = from->replaced_count };
    size_t missing = names.count ? count_missing(into, &names) : 0;
    if (!focal_part_fits(into, from->entry_count, missing, from->value_bytes))
        return FOCAL_TOO_BIG;
    if (!focal_part_room(into, from->entry_count, missing, from->value_bytes))
        return FOCAL_NO_MEMORY;
    replace(into, &names, missing);
    merge_entries(into, from, count_new_entries(into, from));
    return FOCAL_OK;
}

/* ---- pieces --------------------------------------------------------------------------------------------------------- */

enum focal_status focal_part_next_piece(struct focal_part_walk *walk, struct focal_ref *ref, struct focal_part *piece)
{
    const struct focal_part *part = walk->part;
    const struct focal_ref *a = walk->entry < part->entry_count ? &part->entries[walk->entry].ref : NULL;
    const struct focal_ref *b = walk->replaced < part->replaced_count ? &part->replaced[walk->replaced].entry : NULL;
    if (!a && !b)
        return FOCAL_NOT_FOUND;
    *ref = !b || (a && focal_part_ref_order(a, b) <= 0) ? *a : *b;
    size_t entries = 0, replaced = 0, bytes = 0;
    for (size_t i = walk->entry; i < part->entry_count && focal_part_ref_order(&part->entries[i].ref, ref) == 0; i++, entries++)
        bytes += part->entries[i].len;
    while (walk->replaced + replaced < part->replaced_count && focal_part_ref_order(&part->replaced[walk->replaced + replaced].entry, ref) == 0)
        replaced++;
    focal_part_clear(piece);
    if (!focal_part_room(piece, entries, replaced, bytes))
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < replaced; i++)
        piece->replaced[piece->replaced_count++] = part->replaced[walk->replaced + i];
    for (size_t i = 0; i < entries; i++)
        (void)copy_entry(piece, &piece->entries[piece->entry_count++], part, &part->entries[walk->entry + i]);
    walk->entry += entries;
    walk->replaced += replaced;
    return FOCAL_OK;
}
