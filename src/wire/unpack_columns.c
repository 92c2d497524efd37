/* Finding the columns: dictionary, then where each column and each part of the raw bytes starts. */
#include "pack.h"

#include <string.h>

/* ---- dictionary ---- */

static bool take_tags(struct unpacking *u, struct focal_cur *cur)
{
    struct focal_packer *p = u->packer;
    for (size_t i = 0; i < p->tag_count; i++) {
        p->tags[i].tag = focal_cur_varint(cur);
        p->tags[i].len = (uint8_t)pack_varint(p->tags[i].bytes, p->tags[i].tag);
    }
    return !cur->failed;
}

static bool take_shapes(struct unpacking *u, struct focal_cur *cur)
{
    struct focal_packer *p = u->packer;
    for (size_t i = 0; i < p->shape_count; i++) {
        struct pack_shape *shape = &p->shapes[i];
        shape->kind = focal_cur_varint(cur);
        shape->count = focal_cur_u8(cur);
        shape->used = 0;
        shape->open = 0;
        if (cur->failed || shape->count > PACK_ITEMS_MAX)
            return false;
        for (size_t k = 0; k < shape->count; k++) {
            struct pack_item item = { .tag = focal_cur_u8(cur), .length = focal_cur_u8(cur) };
            if (cur->failed || item.tag >= p->tag_count)
                return false;
            if (item.length != LENGTH_OPEN && pack_length_code(item.length) != item.length)
                return false;
            shape->open = (uint8_t)(shape->open + (item.length == LENGTH_OPEN));
            shape->items[k] = item;
        }
    }
    return true;
}

static bool take_runs(struct unpacking *u, struct focal_cur *cur)
{
    uint64_t expected = u->stretch->first;
    for (size_t r = 0; r < u->stretch->run_count; r++) {
        struct focal_salt_run *run = &u->stretch->runs[r];
        run->first = expected + pack_unzigzag(focal_cur_varint(cur));
        uint64_t extent = focal_cur_varint(cur);
        run->has_seed = extent & 1;
        if (cur->failed || extent >> 1 >= FOCAL_RUN_SEQS_MAX || extent >> 1 > UINT64_MAX - run->first)
            return false;
        run->last = run->first + (extent >> 1);
        expected = run->last + 1;
    }
    return true;
}

bool focal_unpack_dictionary(struct unpacking *u, struct focal_cur *cur, struct focal_arena *arena, enum focal_status *status)
{
    struct focal_packer *p = u->packer;
    uint64_t logs = focal_cur_varint(cur), tags = focal_cur_varint(cur);
    uint64_t shapes = focal_cur_varint(cur), runs = focal_cur_varint(cur);
    *status = FOCAL_MALFORMED;
    if (cur->failed || logs > PACK_LOGS_MAX || tags > PACK_TAGS_MAX || shapes > PACK_SHAPES_MAX || runs > u->stretch->count)
        return false;
    p->log_count = (size_t)logs;
    p->tag_count = (size_t)tags;
    p->shape_count = (size_t)shapes;
    u->stretch->run_count = (size_t)runs;
    u->stretch->runs = focal_arena_alloc(arena, u->stretch->run_count * sizeof u->stretch->runs[0]);
    if (!u->stretch->runs) {
        *status = FOCAL_NO_MEMORY;
        return false;
    }
    return take_tags(u, cur) && take_shapes(u, cur) && take_runs(u, cur);
}

/* ---- columns ---- */

static bool count_flags(struct unpacking *u, struct focal_span flags)
{
    for (size_t i = 0; i < flags.len; i++) {
        uint8_t f = flags.data[i], header = f & HEADER_MASK, payload = f & PAYLOAD_MASK;
        if ((f & ~FLAGS_MASK) || payload == PAYLOAD_MASK || (header == HEADER_WHOLE && (f & FLAG_REPLACES)))
            return false;
        u->records += header == HEADER_RECORD;
        u->whole_headers += header == HEADER_WHOLE;
        u->replacing += (f & FLAG_REPLACES) != 0;
        u->stripped += payload == PAYLOAD_STRIPPED;
        u->shaped += payload == PAYLOAD_SHAPED;
        u->whole_payloads += payload == PAYLOAD_WHOLE;
    }
    return true;
}

/* The column of the next n varints; their form is looked at when they are read. */
static struct focal_cur take_varints(struct focal_cur *cur, size_t n)
{
    const uint8_t *start = cur->at, *at = start;
    while (n > 0 && at < cur->end)
        n -= *at++ < 0x80;
    if (n > 0)
        focal_cur_fail(cur);
    return focal_cur_of(focal_cur_bytes(cur, cur->failed ? 0 : (size_t)(at - start)));
}

/* A column of n lengths, none above most; *total is their sum. */
static struct focal_cur take_lengths(struct focal_cur *cur, size_t n, size_t most, size_t *total)
{
    struct focal_cur column = take_varints(cur, n), look = column;
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t len = focal_cur_varint(&look);
        if (look.failed || len > most) {
            focal_cur_fail(cur);
            return column;
        }
        *total += (size_t)len;
    }
    return column;
}

static bool split_shapes(struct unpacking *u, struct focal_cur *cur, size_t *open)
{
    struct focal_packer *p = u->packer;
    struct focal_cur look = u->columns[COLUMN_SHAPE] = take_varints(cur, u->shaped);
    *open = 0;
    for (size_t i = 0; i < u->shaped; i++) {
        uint64_t place = focal_cur_varint(&look);
        if (look.failed || place >= p->shape_count)
            return false;
        p->shapes[place].used++;
        *open += p->shapes[place].open;
    }
    /* An entry has two bytes or more for each item, so this bounds what follows as well. */
    return *open <= FOCAL_STRETCH_BYTES_MAX;
}

static bool split_replaced(struct unpacking *u, struct focal_cur *cur)
{
    size_t total;
    u->columns[COLUMN_REPLACED_COUNT] = take_lengths(cur, u->replacing, PACK_REPLACED_MAX, &total);
    if (total > FOCAL_STRETCH_BYTES_MAX / FOCAL_REPLACED_BYTES)
        return false;
    struct focal_cur look = u->columns[COLUMN_REPLACED_FROM] = take_varints(cur, total);
    for (size_t i = 0; i < total; i++)
        u->replaced_refs += focal_cur_varint(&look) >= FROM_LOG;
    u->columns[COLUMN_REPLACED_SEQ] = take_varints(cur, u->replaced_refs);
    u->columns[COLUMN_ORDINAL] = take_varints(cur, total);
    return !look.failed && !cur->failed;
}

/* How many bytes the values of each tag have. */
static bool sum_values(struct unpacking *u)
{
    struct focal_packer *p = u->packer;
    struct focal_cur shapes = u->columns[COLUMN_SHAPE], lengths = u->columns[COLUMN_VALUE_LENGTH];
    for (size_t i = 0; i < u->shaped; i++) {
        const struct pack_shape *shape = &p->shapes[focal_cur_varint(&shapes)];
        if (shape->open == 0)
            continue;
        for (size_t k = 0; k < shape->count; k++) {
            if (shape->items[k].length != LENGTH_OPEN)
                continue;
            uint64_t len = focal_cur_varint(&lengths);
            /* Only lengths that a shape cannot say itself stand here. */
            if (len > FOCAL_ENTRY_MAX || pack_length_code((size_t)len) != LENGTH_OPEN)
                return false;
            p->value_bytes[shape->items[k].tag] += (size_t)len;
        }
    }
    for (size_t s = 0; s < p->shape_count; s++) {
        const struct pack_shape *shape = &p->shapes[s];
        if (shape->used == 0)
            return false;
        for (size_t k = 0; k < shape->count; k++)
            p->value_bytes[shape->items[k].tag] += shape->items[k].length == LENGTH_OPEN ? 0 : (size_t)shape->used * shape->items[k].length;
    }
    return focal_cur_done(&lengths);
}

static bool split_raw(struct unpacking *u, struct focal_cur *raw)
{
    struct focal_packer *p = u->packer;
    focal_cur_copy(raw, p->logs, p->log_count * sizeof p->logs[0]);
    u->record_h8 = focal_cur_of(focal_cur_bytes(raw, 8 * u->records));
    u->replaced_h8 = focal_cur_of(focal_cur_bytes(raw, 8 * u->replaced_refs));
    u->commitments = focal_cur_of(focal_cur_bytes(raw, sizeof(struct focal_hash) * u->stripped));
    u->salts = focal_cur_of(focal_cur_rest(raw));
    return !raw->failed;
}

bool focal_unpack_split(struct unpacking *u, struct focal_cur *cur, struct focal_cur *raw)
{
    struct focal_packer *p = u->packer;
    struct focal_span flags = focal_cur_bytes(cur, u->stretch->count);
    size_t open, header_bytes, payload_bytes, open_bytes;
    u->columns[COLUMN_FLAGS] = focal_cur_of(flags);
    if (cur->failed || !count_flags(u, flags) || !split_shapes(u, cur, &open))
        return false;
    u->columns[COLUMN_RECORD_LOG] = take_varints(cur, u->records);
    u->columns[COLUMN_RECORD_SEQ] = take_varints(cur, u->records);
    if (!split_replaced(u, cur))
        return false;
    u->columns[COLUMN_HEADER_LENGTH] = take_lengths(cur, u->whole_headers, FOCAL_ENTRY_MAX, &header_bytes);
    u->columns[COLUMN_PAYLOAD_LENGTH] = take_lengths(cur, u->whole_payloads, FOCAL_ENTRY_MAX, &payload_bytes);
    u->columns[COLUMN_VALUE_LENGTH] = take_lengths(cur, open, FOCAL_ENTRY_MAX, &open_bytes);
    u->columns[COLUMN_HEADER] = focal_cur_of(focal_cur_bytes(cur, header_bytes));
    u->columns[COLUMN_PAYLOAD] = focal_cur_of(focal_cur_bytes(cur, payload_bytes));
    if (cur->failed || !sum_values(u))
        return false;
    for (size_t t = 0; t < p->tag_count; t++)
        u->values[t] = focal_cur_of(focal_cur_bytes(cur, p->value_bytes[t]));
    return focal_cur_done(cur) && split_raw(u, raw);
}
