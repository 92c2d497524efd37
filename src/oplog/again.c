/* Deriving again what a cut has changed, a slice at a time.
 *
 * The limits of lines change at once, with the statement or with the tip that makes them change. What was derived from the
 * entries between the old limit and the new one is noted on shelf META, a row for each line, and made anew slice by slice in
 * the transactions that follow: a crash between them loses nothing. A part that waits for its turn still says what it said. */
#include "inside.h"

#include <stdlib.h>

enum { PREFIX_BYTES = 6, ROW_KEY_BYTES = PREFIX_BYTES + 16, ROW_BYTES = 16, SLICE_ENTRIES = 4096, KEYS_BYTES_MAX = 4 << 20 };
static const char PREFIX[] = "again/";

bool focal_oplog_again_due(const struct focal_oplog *ol)
{
    return ol->again_due;
}

static struct focal_span row_key(uint8_t out[ROW_KEY_BYTES], const struct focal_id *line)
{
    memcpy(out, PREFIX, PREFIX_BYTES);
    memcpy(out + PREFIX_BYTES, line->b, sizeof line->b);
    return focal_span_of(out, ROW_KEY_BYTES);
}

static enum focal_status put_row(struct focal_oplog *ol, const struct focal_id *line, uint64_t first, uint64_t last)
{
    uint8_t key[ROW_KEY_BYTES], row[ROW_BYTES];
    focal_put_be64(row, first);
    focal_put_be64(row + 8, last);
    ol->again_due = true;
    return focal_store_put(ol->store, FOCAL_SHELF_META, row_key(key, line), focal_span_of(row, sizeof row));
}

enum focal_status focal_oplog_again_note(struct focal_oplog *ol, const struct oplog_log *line, uint64_t first, uint64_t last)
{
    uint8_t key[ROW_KEY_BYTES];
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_META, row_key(key, &line->pub.line), &ol->value);
    if (st == FOCAL_OK && ol->value.len == ROW_BYTES) {
        const uint64_t was_first = focal_get_be64(ol->value.data), was_last = focal_get_be64(ol->value.data + 8);
        first = first < was_first ? first : was_first;
        last = last > was_last ? last : was_last;
    }
    return st == FOCAL_OK || st == FOCAL_NOT_FOUND ? put_row(ol, &line->pub.line, first, last) : st;
}

/* The first row. NOT_FOUND: nothing waits. */
static enum focal_status next_row(struct focal_oplog *ol, struct focal_id *line, uint64_t *first, uint64_t *last)
{
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_META, focal_span_of(PREFIX, PREFIX_BYTES), &ol->key, &ol->value);
    if (st != FOCAL_OK)
        return st;
    if (ol->key.len < PREFIX_BYTES || memcmp(ol->key.data, PREFIX, PREFIX_BYTES) != 0)
        return FOCAL_NOT_FOUND;
    if (ol->key.len != ROW_KEY_BYTES || ol->value.len != ROW_BYTES)
        return FOCAL_DAMAGED;
    memcpy(line->b, ol->key.data + PREFIX_BYTES, sizeof line->b);
    *first = focal_get_be64(ol->value.data);
    *last = focal_get_be64(ol->value.data + 8);
    return FOCAL_OK;
}

enum focal_status focal_oplog_again_load(struct focal_oplog *ol)
{
    struct focal_id line;
    uint64_t first, last;
    enum focal_status st = next_row(ol, &line, &first, &last);
    ol->again_due = st == FOCAL_OK;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* ---- parts anew ---------------------------------------------------------------------------------------------------- */

static int key_order(const void *a, const void *b)
{
    return memcmp(a, b, PART_KEY_BYTES);
}

/* Which segments speak of a record is posted for what can be redacted; control is small, and gone through whole. */
static enum focal_status segments_of_control(struct focal_oplog *ol, struct focal_buf *keys)
{
    enum focal_status st = FOCAL_OK;
    focal_buf_clear(keys);
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        const struct oplog_log *line = ol->logs[i];
        if (!focal_hash_equal(&line->pub.name.scope, &ol->control_scope))
            continue;
        for (uint64_t next = line->pub.base.seq + 1; next <= line->pub.head.seq && st == FOCAL_OK;) {
            struct segment seg;
            uint8_t key[SEGMENT_KEY_BYTES];
            st = focal_oplog_segment_at(ol, &line->pub.line, next, false, &seg);
            focal_buf_span(keys, focal_oplog_segment_key(key, &line->pub.line, next));
            next = st == FOCAL_OK ? seg.last.seq + 1 : next;
        }
    }
    if (st == FOCAL_NOT_FOUND)
        st = FOCAL_DAMAGED;
    return st == FOCAL_OK && keys->failed ? FOCAL_NO_MEMORY : st;
}

static enum focal_status segments_of_parts(struct focal_oplog *ol, struct focal_span parts, struct focal_buf *keys)
{
    struct focal_buf of_one;
    bool control = false;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&of_one, SIZE_MAX / 2);
    for (size_t at = 0; at < parts.len && st == FOCAL_OK; at += PART_KEY_BYTES) {
        struct focal_ref record;
        struct focal_hash scope;
        focal_ref_get(&record, parts.data + at);
        memcpy(scope.b, parts.data + at + FOCAL_REF_BYTES, sizeof scope.b);
        const bool of_control = focal_hash_equal(&scope, &ol->control_scope);
        if (of_control && control)
            continue;
        control = control || of_control;
        st = of_control ? segments_of_control(ol, &of_one) : focal_oplog_segments_about(ol, &record, &scope, &of_one);
        focal_buf_span(keys, focal_buf_view(&of_one));
        if (keys->len > KEYS_BYTES_MAX)
            focal_oplog_segment_keys_once(keys);
    }
    focal_oplog_segment_keys_once(keys);
    focal_buf_close(&of_one);
    return st == FOCAL_OK && keys->failed ? FOCAL_NO_MEMORY : st;
}

/* What of a segment counts and speaks of one of these parts. */
static enum focal_status add_segment(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, struct focal_span parts)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    if (!line || !focal_oplog_contributes(ol, line))
        return line ? FOCAL_OK : FOCAL_DAMAGED;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    for (size_t i = 0; st == FOCAL_OK && i < s.count && focal_oplog_counts(line, s.first + i); i++) {
        uint8_t key[PART_KEY_BYTES];
        struct focal_contribution c;
        if (!focal_oplog_contribution(ol, key, &c, &line->pub, &s.entries[i], s.first + i, &hashes[i]))
            continue;
        if (bsearch(key, parts.data, parts.len / PART_KEY_BYTES, PART_KEY_BYTES, key_order)) {
            if (focal_oplog_batch_full(&ol->batch, FOCAL_ENTRY_MAX))
                st = focal_oplog_flush(ol);
            if (st == FOCAL_OK)
                st = focal_oplog_batch_add(&ol->batch, key, &c);
        }
    }
    return st;
}

enum focal_status focal_oplog_derive_parts(struct focal_oplog *ol, struct focal_span parts)
{
    struct focal_buf segments;
    focal_buf_init(&segments, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_flush(ol);
    for (size_t at = 0; at < parts.len && st == FOCAL_OK; at += PART_KEY_BYTES)
        st = focal_oplog_forget_part(ol, parts.data + at);
    if (st == FOCAL_OK)
        st = segments_of_parts(ol, parts, &segments);
    for (size_t at = 0; at < segments.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id id;
        memcpy(id.b, segments.data + at, sizeof id.b);
        st = add_segment(ol, focal_oplog_line_of(ol, &id), focal_get_be64(segments.data + at + sizeof id.b), parts);
    }
    focal_buf_close(&segments);
    return st == FOCAL_OK ? focal_oplog_flush(ol) : st;
}

enum focal_status focal_oplog_derive_touched(struct focal_oplog *ol, struct focal_buf *touched)
{
    size_t count = touched->len / PART_KEY_BYTES, kept = count ? 1 : 0;
    if (touched->failed)
        return FOCAL_NO_MEMORY;
    if (count > 1)
        qsort(touched->data, count, PART_KEY_BYTES, key_order);
    for (size_t i = 1; i < count; i++) {
        const uint8_t *at = touched->data + i * PART_KEY_BYTES;
        if (memcmp(touched->data + (kept - 1) * PART_KEY_BYTES, at, PART_KEY_BYTES) != 0)
            memmove(touched->data + kept++ * PART_KEY_BYTES, at, PART_KEY_BYTES);
    }
    return focal_oplog_derive_parts(ol, focal_span_of(touched->data, kept * PART_KEY_BYTES));
}

/* ---- a slice --------------------------------------------------------------------------------------------------------- */

/* What a notice says stands in the set of redactions while it counts. */
static enum focal_status notice_again(struct focal_oplog *ol, struct oplog_log *line, const struct focal_stretch_entry *e, uint64_t seq, const struct focal_hash *h)
{
    if (focal_oplog_counts(line, seq) && focal_oplog_contributes(ol, line))
        return focal_oplog_notice(ol, &line->pub, e, seq, h);
    return focal_oplog_notice_void(ol, &line->pub, e, seq, h);
}

static enum focal_status entries_again(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, uint64_t last, uint64_t *next, struct focal_buf *touched)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    enum focal_status st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, first, false, &seg);
    if (st == FOCAL_OK)
        st = focal_oplog_segment_load(ol, line, seg.first, &seg, &s, &hashes);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
    for (size_t i = (size_t)(first - s.first); i < s.count && s.first + i <= last && st == FOCAL_OK; i++) {
        uint8_t key[PART_KEY_BYTES];
        struct focal_contribution c;
        if (line->pub.name.lane == FOCAL_LANE_NOTICES) {
            st = notice_again(ol, line, &s.entries[i], s.first + i, &hashes[i]);
            continue;
        }
        if (focal_oplog_contribution(ol, key, &c, &line->pub, &s.entries[i], s.first + i, &hashes[i]))
            focal_buf_bytes(touched, key, sizeof key);
    }
    *next = seg.last.seq + 1;
    return st;
}

/* Of rolled back branches the row is gone with them; a line that is shorter than its row is over. */
static enum focal_status one_line(struct focal_oplog *ol, const struct focal_id *id, uint64_t first, uint64_t last, size_t *budget, struct focal_buf *touched)
{
    uint8_t key[ROW_KEY_BYTES];
    struct oplog_log *line = focal_oplog_line_of(ol, id);
    enum focal_status st = FOCAL_OK;
    last = line && last < line->pub.head.seq ? last : line ? line->pub.head.seq : 0;
    while (st == FOCAL_OK && first <= last && *budget > 0) {
        uint64_t next = first;
        st = entries_again(ol, line, first, last, &next, touched);
        const uint64_t done = next - first;
        *budget -= done < *budget ? (size_t)done : *budget;
        first = next;
    }
    if (st != FOCAL_OK)
        return st;
    return first <= last ? put_row(ol, id, first, last) : focal_store_del(ol->store, FOCAL_SHELF_META, row_key(key, id));
}

enum focal_status focal_oplog_again_slice(struct focal_oplog *ol)
{
    struct focal_buf touched;
    struct focal_id line;
    uint64_t first, last;
    size_t budget = SLICE_ENTRIES;
    if (!ol->again_due)
        return FOCAL_OK;
    focal_buf_init(&touched, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_flush(ol);
    while (st == FOCAL_OK && budget > 0 && (st = next_row(ol, &line, &first, &last)) == FOCAL_OK)
        st = one_line(ol, &line, first, last, &budget, &touched);
    if (st == FOCAL_NOT_FOUND)
        st = FOCAL_OK;
    if (st == FOCAL_OK)
        st = focal_oplog_derive_touched(ol, &touched);
    focal_buf_close(&touched);
    return st == FOCAL_OK ? focal_oplog_again_load(ol) : st;
}
