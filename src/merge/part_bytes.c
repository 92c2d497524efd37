/* The canonical bytes of a part: equal parts have equal bytes on every node.
 *
 *   version 1
 *   logs      count, then each log id (16) that is named below, ascending
 *   entries   count, then each by (log, seq, h): index of its log, seq, h (32), flags, [day] [kind] [home 32], length, stretch
 *   replaced  count, then each by (log, seq, h8, ordinal): index of its log, seq, h8 (8), ordinal
 * All numbers are varints, flags one byte. kind stands there in entries with payload that create the record or name its home
 * again, home where it is not "none".
 * Decoding takes only what encoding gives, so it is the proof that stored bytes are whole. */
#include "part.h"

enum {
    PART_VERSION = 1,
    ID_BYTES = 16,
    ENTRY_BYTES_LEAST = 1 + 1 + 32 + 1 + 1,
    REPLACED_BYTES_LEAST = 1 + 1 + 8 + 1,
    REPLACED_AT_ONCE = 32
};

/* ---- encoding ------------------------------------------------------------------------------------------------------ */

/* Walks the logs named by entries and by replaced names, both sorted, each log once. */
struct log_walk { const struct focal_part *part; size_t entry, replaced; const struct focal_id *last; };

static const struct focal_id *next_log(struct log_walk *walk)
{
    const struct focal_part *part = walk->part;
    while (walk->last && walk->entry < part->entry_count && focal_id_equal(&part->entries[walk->entry].ref.log, walk->last))
        walk->entry++;
    while (walk->last && walk->replaced < part->replaced_count
           && focal_id_equal(&part->replaced[walk->replaced].entry.log, walk->last))
        walk->replaced++;
    const struct focal_id *a = walk->entry < part->entry_count ? &part->entries[walk->entry].ref.log : NULL;
    const struct focal_id *b = walk->replaced < part->replaced_count ? &part->replaced[walk->replaced].entry.log : NULL;
    if (a && b)
        walk->last = memcmp(a->b, b->b, ID_BYTES) <= 0 ? a : b;
    else
        walk->last = a ? a : b;
    return walk->last;
}

static size_t encode_logs(struct focal_buf *buf, const struct focal_part *part)
{
    struct log_walk walk = { .part = part };
    size_t count = 0;
    while (next_log(&walk))
        count++;
    focal_buf_varint(buf, count);
    size_t at = buf->len;
    walk = (struct log_walk){ .part = part };
    for (const struct focal_id *log; (log = next_log(&walk));)
        focal_buf_bytes(buf, log->b, ID_BYTES);
    return at;
}

/* The index of a log in the list just written; asked in ascending order, so it only moves on. */
static size_t index_of(const struct focal_buf *buf, size_t logs_at, size_t from, const struct focal_id *log)
{
    while (memcmp(buf->data + logs_at + from * ID_BYTES, log->b, ID_BYTES) != 0)
        from++;
    return from;
}

static void encode_entry(struct focal_buf *buf, size_t log, const struct focal_part *part, const struct focal_part_entry *e)
{
    uint8_t *start = focal_buf_reserve(buf, FOCAL_PART_ENTRY_BYTES + (size_t)e->len);
    if (!start)
        return;
    uint8_t *out = focal_part_put_varint(start, log);
    out = focal_part_put_varint(out, e->ref.seq);
    memcpy(out, e->h.b, sizeof e->h.b);
    out += sizeof e->h.b;
    *out++ = e->flags;
    if (e->flags & FOCAL_ENTRY_DAY)
        out = focal_part_put_varint(out, e->day);
    if ((e->flags & FOCAL_ENTRY_PAYLOAD) && focal_part_entry_tells_kind(e))
        out = focal_part_put_varint(out, e->kind);
    if (e->flags & FOCAL_ENTRY_HOME) {
        memcpy(out, e->home.b, sizeof e->home.b);
        out += sizeof e->home.b;
    }
    out = focal_part_put_varint(out, e->len);
    if (e->len)
        memcpy(out, part->bytes.data + e->at, e->len);
    out += e->len;
    focal_buf_truncate(buf, (size_t)(out - buf->data));
}

static void encode_replaced(struct focal_buf *buf, size_t logs_at, const struct focal_part *part)
{
    size_t log = 0;
    for (size_t i = 0; i < part->replaced_count;) {
        size_t end = part->replaced_count - i < REPLACED_AT_ONCE ? part->replaced_count : i + REPLACED_AT_ONCE;
        uint8_t *out = focal_buf_reserve(buf, (end - i) * FOCAL_PART_REPLACED_BYTES);
        if (!out)
            return;
        for (; i < end; i++) {
            const struct focal_replaced *name = &part->replaced[i];
            log = index_of(buf, logs_at, log, &name->entry.log);
            out = focal_part_put_varint(out, log);
            out = focal_part_put_varint(out, name->entry.seq);
            memcpy(out, name->entry.h8, sizeof name->entry.h8);
            out = focal_part_put_varint(out + sizeof name->entry.h8, name->ordinal);
        }
        focal_buf_truncate(buf, (size_t)(out - buf->data));
    }
}

void focal_part_encode(struct focal_buf *buf, const struct focal_part *part)
{
    focal_buf_u8(buf, PART_VERSION);
    size_t logs_at = encode_logs(buf, part), log = 0;
    focal_buf_varint(buf, part->entry_count);
    for (size_t i = 0; i < part->entry_count && !buf->failed; i++) {
        log = index_of(buf, logs_at, log, &part->entries[i].ref.log);
        encode_entry(buf, log, part, &part->entries[i]);
    }
    focal_buf_varint(buf, part->replaced_count);
    if (!buf->failed)
        encode_replaced(buf, logs_at, part);
}

/* ---- decoding ------------------------------------------------------------------------------------------------------ */

struct logs { const uint8_t *ids; size_t count; };

static size_t read_count(struct focal_cur *cur, size_t bytes_least)
{
    uint64_t count = focal_part_varint(cur);
    if (count > focal_cur_left(cur) / bytes_least) {
        focal_cur_fail(cur);
        return 0;
    }
    return (size_t)count;
}

static void read_log(struct focal_cur *cur, const struct logs *logs, struct focal_id *out)
{
    uint64_t index = focal_part_varint(cur);
    if (index >= logs->count)
        focal_cur_fail(cur);
    else
        memcpy(out->b, logs->ids + index * ID_BYTES, ID_BYTES);
}

static bool flags_fit(uint8_t flags)
{
    if (flags & ~(unsigned)FOCAL_ENTRY_FLAGS)
        return false;
    bool creates = flags & FOCAL_ENTRY_CREATES, payload = flags & FOCAL_ENTRY_PAYLOAD, home_set = flags & FOCAL_ENTRY_HOME_SET;
    if (!payload)
        return creates && !(flags & (FOCAL_ENTRY_DAY | FOCAL_ENTRY_HOME_SET | FOCAL_ENTRY_HOME));
    return home_set || !(flags & FOCAL_ENTRY_HOME);
}

static bool stretch_fits(struct focal_part *part, struct focal_part_entry *e)
{
    struct focal_cur cur = focal_part_items(part, e);
    struct focal_part_item item;
    uint32_t next = 0;
    uint64_t last = FOCAL_VALUE_TAG_MIN;
    while (focal_part_item_next(&cur, &next, &item)) {
        if (item.field < last)
            return false;
        last = item.field;
        e->count++;
    }
    return !cur.failed && (e->count > 0 || focal_part_entry_tells_kind(e)) && (e->len == 0 || (e->flags & FOCAL_ENTRY_PAYLOAD));
}

static bool decode_entry(struct focal_cur *cur, struct focal_part *part, const struct logs *logs)
{
    struct focal_part_entry *e = &part->entries[part->entry_count];
    *e = (struct focal_part_entry){ 0 };
    read_log(cur, logs, &e->ref.log);
    e->ref.seq = focal_part_varint(cur);
    focal_cur_copy(cur, e->h.b, sizeof e->h.b);
    memcpy(e->ref.h8, e->h.b, sizeof e->ref.h8);
    e->flags = focal_cur_u8(cur);
    if (cur->failed || !flags_fit(e->flags))
        return false;
    uint64_t day = e->flags & FOCAL_ENTRY_DAY ? focal_part_varint(cur) : 0;
    e->day = (uint32_t)day;
    if ((e->flags & FOCAL_ENTRY_PAYLOAD) && focal_part_entry_tells_kind(e))
        e->kind = focal_part_varint(cur);
    if (e->flags & FOCAL_ENTRY_HOME) {
        focal_cur_copy(cur, e->home.b, sizeof e->home.b);
        if (focal_bytes_zero(e->home.b, sizeof e->home.b))
            return false;
    }
    uint64_t len = focal_part_varint(cur);
    if (cur->failed || day > UINT32_MAX || len > focal_cur_left(cur))
        return false;
    e->len = (uint32_t)len;
    e->at = (uint32_t)(cur->at - part->bytes.data);
    cur->at += len;
    part->value_bytes += e->len;
    if (part->entry_count > 0) {
        int c = focal_part_ref_order(&e[-1].ref, &e->ref);
        if (c > 0 || (c == 0 && memcmp(e[-1].h.b, e->h.b, sizeof e->h.b) >= 0))
            return false;
    }
    part->entry_count++;
    return stretch_fits(part, e);
}

static bool decode_replaced(struct focal_cur *cur, struct focal_part *part, const struct logs *logs)
{
    struct focal_replaced *name = &part->replaced[part->replaced_count];
    *name = (struct focal_replaced){ 0 };
    read_log(cur, logs, &name->entry.log);
    name->entry.seq = focal_part_varint(cur);
    focal_cur_copy(cur, name->entry.h8, sizeof name->entry.h8);
    uint64_t ordinal = focal_part_varint(cur);
    if (cur->failed || ordinal >= FOCAL_ORDINAL_END)
        return false;
    name->ordinal = (uint16_t)ordinal;
    if (part->replaced_count > 0) {
        int c = focal_part_ref_order(&name[-1].entry, &name->entry);
        if (c > 0 || (c == 0 && name[-1].ordinal >= name->ordinal))
            return false;
    }
    part->replaced_count++;
    return true;
}

static bool logs_fit(const struct focal_part *part, const struct logs *logs)
{
    struct log_walk walk = { .part = part };
    for (size_t i = 0; i < logs->count; i++) {
        const struct focal_id *log = next_log(&walk);
        if (!log || memcmp(log->b, logs->ids + i * ID_BYTES, ID_BYTES) != 0)
            return false;
    }
    return true;
}

/* Is a value of e here that is replaced, too? r is the first replaced name that is not before e's reference. */
static bool holds_one(const struct focal_part *part, const struct focal_part_entry *e, size_t r)
{
    struct focal_cur cur = focal_part_items(part, e);
    struct focal_part_item item;
    uint32_t next = 0;
    bool more = focal_part_item_next(&cur, &next, &item);
    for (; more && r < part->replaced_count && focal_part_ref_order(&part->replaced[r].entry, &e->ref) == 0; r++) {
        while (more && item.ordinal < part->replaced[r].ordinal)
            more = focal_part_item_next(&cur, &next, &item);
        if (more && item.ordinal == part->replaced[r].ordinal && focal_field_merge(item.field) != FOCAL_MERGE_EVENTS)
            return true;
    }
    return false;
}

static bool holds_replaced(const struct focal_part *part)
{
    size_t r = 0;
    for (size_t i = 0; i < part->entry_count; i++) {
        while (r < part->replaced_count && focal_part_ref_order(&part->replaced[r].entry, &part->entries[i].ref) < 0)
            r++;
        if (r == part->replaced_count)
            return false;
        if (holds_one(part, &part->entries[i], r))
            return true;
    }
    return false;
}

static enum focal_status decode(struct focal_part *part, struct focal_cur *cur)
{
    if (focal_cur_u8(cur) != PART_VERSION)
        return FOCAL_DAMAGED;
    struct logs logs = { .count = read_count(cur, ID_BYTES) };
    logs.ids = focal_cur_bytes(cur, logs.count * ID_BYTES).data;
    size_t entries = read_count(cur, ENTRY_BYTES_LEAST);
    if (cur->failed)
        return FOCAL_DAMAGED;
    if (!focal_part_room(part, entries, 0, 0))
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < entries; i++) {
        if (!decode_entry(cur, part, &logs))
            return FOCAL_DAMAGED;
    }
    size_t replaced = read_count(cur, REPLACED_BYTES_LEAST);
    if (cur->failed)
        return FOCAL_DAMAGED;
    if (!focal_part_room(part, 0, replaced, 0))
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < replaced; i++) {
        if (!decode_replaced(cur, part, &logs))
            return FOCAL_DAMAGED;
    }
    bool whole = focal_cur_done(cur) && logs_fit(part, &logs) && !holds_replaced(part);
    return whole ? FOCAL_OK : FOCAL_DAMAGED;
}

enum focal_status focal_part_decode(struct focal_part *part, struct focal_span bytes)
{
    focal_part_clear(part);
    if (bytes.len > FOCAL_PART_BYTES_MAX)
        return FOCAL_DAMAGED;
    /* One byte more, so that the room asked for below never moves the bytes that the cursor stands in. */
    if (!focal_part_room(part, 0, 0, bytes.len + 1))
        return FOCAL_NO_MEMORY;
    focal_buf_span(&part->bytes, bytes);
    struct focal_cur cur = { .at = part->bytes.data, .end = part->bytes.data + part->bytes.len };
    enum focal_status status = decode(part, &cur);
    if (status != FOCAL_OK)
        focal_part_clear(part);
    return status;
}
