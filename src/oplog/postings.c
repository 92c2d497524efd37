/* Which segments speak of a record: so that a redaction finds all that must go without reading a whole scope. The creating
 * entry needs no row: its place stands in the record's reference. A quote also stands under what it quotes. */
#include "inside.h"

#include <stdlib.h>

static int ref_order(const void *a, const void *b)
{
    return memcmp(a, b, FOCAL_REF_BYTES);
}

static bool note(struct focal_buf *refs, const struct focal_ref *ref)
{
    uint8_t *at = focal_buf_reserve(refs, FOCAL_REF_BYTES);
    if (at)
        focal_ref_put(at, ref);
    return at != NULL;
}

enum focal_status focal_oplog_spoken_of(const struct focal_oplog *ol, struct focal_buf *refs, const struct focal_log *log, const struct focal_stretch *s,
                                        const struct focal_hash *hashes)
{
    focal_buf_clear(refs);
    if (!focal_oplog_redactable(log))
        return FOCAL_OK;
    for (size_t i = 0; i < s->count; i++) {
        struct entry_name name;
        focal_oplog_entry_name(ol, &name, log, s->entries[i].header, s->first + i, &hashes[i]);
        if (!name.makes_part)
            continue;
        if ((!name.creates && !note(refs, &name.record)) || (name.is_quote && !note(refs, &name.ref)))
            return FOCAL_NO_MEMORY;
    }
    size_t count = refs->len / FOCAL_REF_BYTES, kept = count ? 1 : 0;
    if (count > 1)
        qsort(refs->data, count, FOCAL_REF_BYTES, ref_order);
    for (size_t i = 1; i < count; i++) {
        const uint8_t *at = refs->data + i * FOCAL_REF_BYTES;
        if (memcmp(refs->data + (kept - 1) * FOCAL_REF_BYTES, at, FOCAL_REF_BYTES) != 0)
            memmove(refs->data + kept++ * FOCAL_REF_BYTES, at, FOCAL_REF_BYTES);
    }
    focal_buf_truncate(refs, kept * FOCAL_REF_BYTES);
    return FOCAL_OK;
}

enum focal_status focal_oplog_post(struct focal_oplog *ol, const struct focal_log *log, const struct focal_stretch *s, const struct focal_hash *hashes)
{
    enum focal_status st = focal_oplog_spoken_of(ol, &ol->refs, log, s, hashes);
    for (size_t at = 0; at < ol->refs.len && st == FOCAL_OK; at += FOCAL_REF_BYTES) {
        uint8_t key[POSTING_KEY_BYTES];
        memcpy(key, ol->refs.data + at, FOCAL_REF_BYTES);
        (void)focal_oplog_segment_key(key + FOCAL_REF_BYTES, &log->line, s->first);
        st = focal_store_put(ol->store, FOCAL_SHELF_POSTING, focal_span_of(key, sizeof key), focal_span_of(key, 0));
    }
    return st;
}

/* ---- finding ------------------------------------------------------------------------------------------------------------- */

/* The segments that hold this very entry, on whichever line. */
static enum focal_status find_entry(struct focal_oplog *ol, const struct focal_ref *ref, const struct focal_hash *scope, struct focal_buf *keys)
{
    for (const struct oplog_log *line = focal_oplog_log_of(ol, &ref->log); line; line = line->next_line) {
        struct segment s;
        uint8_t key[SEGMENT_KEY_BYTES];
        if (!focal_hash_equal(&line->pub.name.scope, scope) || ref->seq <= line->pub.base.seq || ref->seq > line->pub.head.seq)
            continue;
        enum focal_status st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, ref->seq, false, &s);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        focal_buf_span(keys, focal_oplog_segment_key(key, &line->pub.line, s.first));
    }
    return keys->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static int segment_order(const void *a, const void *b)
{
    return memcmp(a, b, SEGMENT_KEY_BYTES);
}

void focal_oplog_segment_keys_once(struct focal_buf *keys)
{
    size_t count = keys->len / SEGMENT_KEY_BYTES, kept = count ? 1 : 0;
    if (count > 1)
        qsort(keys->data, count, SEGMENT_KEY_BYTES, segment_order);
    for (size_t i = 1; i < count; i++) {
        const uint8_t *at = keys->data + i * SEGMENT_KEY_BYTES;
        if (memcmp(keys->data + (kept - 1) * SEGMENT_KEY_BYTES, at, SEGMENT_KEY_BYTES) != 0)
            memmove(keys->data + kept++ * SEGMENT_KEY_BYTES, at, SEGMENT_KEY_BYTES);
    }
    focal_buf_truncate(keys, kept * SEGMENT_KEY_BYTES);
}

enum focal_status focal_oplog_postings_of(struct focal_oplog *ol, const struct focal_ref *ref, const struct focal_hash *scope, struct focal_buf *keys)
{
    uint8_t prefix[FOCAL_REF_BYTES];
    struct focal_buf key;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_ref_put(prefix, ref);
    focal_buf_bytes(&key, prefix, sizeof prefix);
    enum focal_status st = key.failed ? FOCAL_NO_MEMORY : FOCAL_OK;     /* else the walk would start at another row, and find nothing */
    while (st == FOCAL_OK && (st = focal_store_next(ol->store, FOCAL_SHELF_POSTING, focal_buf_view(&key), &key, NULL)) == FOCAL_OK) {
        struct focal_id line;
        if (key.len != POSTING_KEY_BYTES || memcmp(key.data, prefix, sizeof prefix) != 0)
            break;
        memcpy(line.b, key.data + FOCAL_REF_BYTES, sizeof line.b);
        const struct oplog_log *log = focal_oplog_line_of(ol, &line);
        if (!log)
            st = FOCAL_DAMAGED;
        else if (focal_hash_equal(&log->pub.name.scope, scope))
            focal_buf_bytes(keys, key.data + FOCAL_REF_BYTES, SEGMENT_KEY_BYTES);
    }
    focal_buf_close(&key);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return st;
    return keys->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

enum focal_status focal_oplog_segments_about(struct focal_oplog *ol, const struct focal_ref *ref, const struct focal_hash *scope, struct focal_buf *keys)
{
    focal_buf_clear(keys);
    enum focal_status st = find_entry(ol, ref, scope, keys);
    if (st == FOCAL_OK)
        st = focal_oplog_postings_of(ol, ref, scope, keys);
    if (st == FOCAL_OK)
        focal_oplog_segment_keys_once(keys);
    return st;
}
