/* Holes: entries that were erased by a redaction which counts no more. They are shown as missing, and asked for again; what
 * brings one back is any stretch that holds its payload, for it must give the hash that stands here. Source: PROTOCOL §6. */
#include "inside.h"

#include <stdlib.h>

enum { PREFIX_BYTES = 5, ROW_KEY_BYTES = PREFIX_BYTES + SEGMENT_KEY_BYTES };
static const char PREFIX[] = "hole/";

static struct focal_span row_key(uint8_t out[ROW_KEY_BYTES], const struct focal_id *line, uint64_t seq)
{
    memcpy(out, PREFIX, PREFIX_BYTES);
    (void)focal_oplog_segment_key(out + PREFIX_BYTES, line, seq);
    return focal_span_of(out, ROW_KEY_BYTES);
}

enum focal_status focal_oplog_hole_note(struct focal_oplog *ol, const struct oplog_log *line, uint64_t seq)
{
    uint8_t key[ROW_KEY_BYTES];
    ol->holes = true;
    ol->holes_noted++;
    ol->changes++;                      /* what we have signed for is true no more */
    return focal_store_put(ol->store, FOCAL_SHELF_META, row_key(key, &line->pub.line, seq), focal_span_of(PREFIX, 0));
}

void focal_oplog_restored_note(struct focal_oplog *ol, const struct oplog_log *line, uint64_t seq)
{
    ol->changes++;
    ol->restored[ol->restored_count++ % RESTORED_KEPT] = (struct restored){ .serial = line->pub.serial, .seq = seq };
}

uint64_t focal_oplog_restored_count(const struct focal_oplog *ol)
{
    return ol->restored_count;
}

bool focal_oplog_restored(const struct focal_oplog *ol, uint64_t number, const struct focal_log **line, uint64_t *seq)
{
    if (number >= ol->restored_count || ol->restored_count - number > RESTORED_KEPT)
        return false;
    const struct restored *r = &ol->restored[number % RESTORED_KEPT];
    *line = focal_oplog_log_at(ol, r->serial);
    *seq = r->seq;
    return *line != NULL;
}

uint64_t focal_oplog_holes_noted(const struct focal_oplog *ol)
{
    return ol->holes_noted;
}

/* The first row behind a key, in ol->key; line NULL: it is not held (any more). NOT_FOUND at the end. */
static enum focal_status next_row(struct focal_oplog *ol, struct focal_span after, struct oplog_log **line, uint64_t *seq)
{
    enum focal_status st = focal_store_next(ol->store, FOCAL_SHELF_META, after, &ol->key, NULL);
    if (st != FOCAL_OK)
        return st;
    if (ol->key.len < PREFIX_BYTES || memcmp(ol->key.data, PREFIX, PREFIX_BYTES) != 0)
        return FOCAL_NOT_FOUND;
    if (ol->key.len != ROW_KEY_BYTES)
        return FOCAL_DAMAGED;
    struct focal_id id;
    memcpy(id.b, ol->key.data + PREFIX_BYTES, sizeof id.b);
    *line = focal_oplog_line_of(ol, &id);
    *seq = focal_get_be64(ol->key.data + PREFIX_BYTES + sizeof id.b);
    return FOCAL_OK;
}

enum focal_status focal_oplog_holes_load(struct focal_oplog *ol)
{
    struct oplog_log *line;
    uint64_t seq;
    enum focal_status st = next_row(ol, focal_span_of(PREFIX, PREFIX_BYTES), &line, &seq);
    ol->holes = st == FOCAL_OK;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

bool focal_oplog_has_holes(const struct focal_oplog *ol)
{
    return ol->holes;
}

/* Beyond a cut nothing is missing: nobody gives it, and it is nothing to anybody. The row stays, for a later cut may leave more. */
static bool is_missing(const struct oplog_log *line, uint64_t seq)
{
    return line && focal_oplog_counts(line, seq);
}

enum focal_status focal_oplog_next_hole(struct focal_oplog *ol, const struct focal_log *after, const struct focal_log **log, uint64_t *seq)
{
    uint8_t key[ROW_KEY_BYTES];
    struct oplog_log *line = NULL;
    if (!ol->holes)
        return FOCAL_NOT_FOUND;
    struct focal_span from = after ? row_key(key, &after->line, UINT64_MAX) : focal_span_of(PREFIX, PREFIX_BYTES);
    enum focal_status st = next_row(ol, from, &line, seq);
    while (st == FOCAL_OK && !is_missing(line, *seq)) {
        memcpy(key, ol->key.data, sizeof key);
        st = next_row(ol, focal_span_of(key, sizeof key), &line, seq);
    }
    *log = st == FOCAL_OK ? &line->pub : NULL;
    return st;
}

enum focal_status focal_oplog_hole_behind(struct focal_oplog *ol, const struct focal_log *log, uint64_t after, uint64_t *seq)
{
    uint8_t key[ROW_KEY_BYTES];
    struct oplog_log *line = NULL;
    if (!ol->holes || after == UINT64_MAX)
        return FOCAL_NOT_FOUND;
    enum focal_status st = next_row(ol, row_key(key, &log->line, after), &line, seq);
    return st == FOCAL_OK && (!is_missing(line, *seq) || !focal_id_equal(&line->pub.line, &log->line)) ? FOCAL_NOT_FOUND : st;
}

uint64_t focal_oplog_whole(struct focal_oplog *ol, const struct focal_log *log)
{
    uint64_t seq;
    if (!ol->holes || FOCAL_PLANTED(HOLE_SIGNED_FOR))
        return focal_log_tip(log)->seq;
    const enum focal_status st = focal_oplog_hole_behind(ol, log, log->base.seq, &seq);
    return st == FOCAL_NOT_FOUND ? focal_log_tip(log)->seq : st == FOCAL_OK ? seq - 1 : log->base.seq;
}

enum focal_status focal_oplog_holes_count(struct focal_oplog *ol, uint64_t *count)
{
    uint8_t key[ROW_KEY_BYTES];
    struct focal_span from = focal_span_of(PREFIX, PREFIX_BYTES);
    struct oplog_log *line;
    uint64_t seq;
    enum focal_status st = ol->holes ? FOCAL_OK : FOCAL_NOT_FOUND;
    *count = 0;
    while (st == FOCAL_OK && (st = next_row(ol, from, &line, &seq)) == FOCAL_OK) {
        *count += is_missing(line, seq);
        memcpy(key, ol->key.data, sizeof key);
        from = focal_span_of(key, sizeof key);
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* ---- finding them ------------------------------------------------------------------------------------------------------ */

/* Is an entry missing that should be here: stripped, and neither redacted nor hidden? What was missing and is redacted is not. */
static enum focal_status look_at(struct focal_oplog *ol, struct oplog_log *line, const struct focal_stretch *s, size_t i, const struct focal_hash *h)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    struct entry_name name;
    struct redaction_force force;
    struct focal_buf value;
    focal_oplog_entry_name(ol, &name, &line->pub, s->entries[i].header, s->first + i, h);
    if (s->entries[i].has_payload || (!name.makes_part && !name.is_quote))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_force(ol, &name, &line->pub, &force);
    if (st == FOCAL_OK && force.in_force) {
        uint8_t row[ROW_KEY_BYTES];
        ol->changes += ol->holes;
        return ol->holes && !FOCAL_PLANTED(HOLE_STAYS) ? focal_store_del(ol->store, FOCAL_SHELF_META, row_key(row, &line->pub.line, s->first + i)) : FOCAL_OK;
    }
    if (st != FOCAL_OK)
        return st;
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    st = focal_store_get(ol->store, FOCAL_SHELF_HIDDEN, focal_oplog_segment_key(key, &line->pub.line, s->first + i), &value);
    focal_buf_wipe_close(&value);
    return st == FOCAL_NOT_FOUND ? focal_oplog_hole_note(ol, line, s->first + i) : st;
}

enum focal_status focal_oplog_holes_about(struct focal_oplog *ol, const struct focal_ref *target, const struct focal_hash *scope)
{
    struct focal_buf keys;
    focal_buf_init(&keys, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_segments_about(ol, target, scope, &keys);
    for (size_t at = 0; at < keys.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct segment seg;
        struct focal_stretch s;
        struct focal_hash *hashes;
        struct focal_id id;
        memcpy(id.b, keys.data + at, sizeof id.b);
        struct oplog_log *line = focal_oplog_line_of(ol, &id);
        st = focal_oplog_segment_load(ol, line, focal_get_be64(keys.data + at + sizeof id.b), &seg, &s, &hashes);
        for (size_t i = 0; st == FOCAL_OK && i < s.count; i++)
            st = look_at(ol, line, &s, i, &hashes[i]);
    }
    focal_buf_close(&keys);
    return st;
}

enum focal_status focal_oplog_missing_about(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_hash *scope, bool *any)
{
    struct focal_buf keys;
    *any = false;
    if (!ol->holes)
        return FOCAL_OK;
    focal_buf_init(&keys, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_segments_about(ol, record, scope, &keys);
    for (size_t at = 0; at < keys.len && st == FOCAL_OK && !*any; at += SEGMENT_KEY_BYTES) {
        struct segment seg;
        struct focal_stretch s;
        struct focal_hash *hashes;
        struct focal_id id;
        uint64_t seq;
        memcpy(id.b, keys.data + at, sizeof id.b);
        const uint64_t first = focal_get_be64(keys.data + at + sizeof id.b);
        struct oplog_log *line = focal_oplog_line_of(ol, &id);
        st = focal_oplog_hole_behind(ol, &line->pub, first - 1, &seq);
        if (st == FOCAL_OK)
            st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
        while (st == FOCAL_OK && !*any && seq < first + s.count) {
            struct entry_name name;
            focal_oplog_entry_name(ol, &name, &line->pub, s.entries[seq - first].header, seq, &hashes[seq - first]);
            *any = focal_ref_compare(&name.record, record) == 0;
            st = *any ? FOCAL_OK : focal_oplog_hole_behind(ol, &line->pub, seq, &seq);
        }
        st = st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
    }
    focal_buf_close(&keys);
    return st;
}

/* ---- filling them ------------------------------------------------------------------------------------------------------ */

/* TOO_BIG: it stays missing. Whoever merged this segment while it was stripped put more under one signature than a stretch may
 * hold; that is not the fault of who brings the payload. */
static enum focal_status fill(struct focal_oplog *ol, struct oplog_log *line, uint64_t seq, struct focal_span payload, const uint8_t salt[FOCAL_SALT_BYTES])
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    struct entry_name name;
    struct redaction_force force;
    enum focal_status st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, seq, false, &seg);
    if (st == FOCAL_OK)
        st = focal_oplog_segment_load(ol, line, seg.first, &seg, &s, &hashes);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
    const size_t place = (size_t)(seq - s.first);
    focal_oplog_entry_name(ol, &name, &line->pub, s.entries[place].header, seq, &hashes[place]);
    st = focal_oplog_force(ol, &name, &line->pub, &force);
    if (st == FOCAL_OK && !force.in_force && !s.entries[place].has_payload) {
        st = focal_oplog_fill(ol, &s, place, salt, payload);
        if (st == FOCAL_OK)
            st = focal_oplog_segment_again(ol, line, &seg, &s);
        if (st == FOCAL_OK)
            focal_oplog_restored_note(ol, line, seq);
        if (st == FOCAL_OK && name.makes_part)
            st = focal_oplog_derive_part(ol, &name.record, &line->pub.name.scope);
    }
    return st;
}

/* Copied out first: loading a segment forgets what the arena holds. */
struct filling { uint64_t seq; uint8_t salt[FOCAL_SALT_BYTES]; size_t at, len; };

static enum focal_status collect(struct focal_oplog *ol, const struct oplog_log *line, const struct focal_stretch *s, struct focal_buf *list, struct focal_buf *bytes)
{
    uint8_t key[ROW_KEY_BYTES];
    enum focal_status st;
    struct focal_span from = row_key(key, &line->pub.line, s->first - 1);
    for (;;) {
        struct oplog_log *at;
        struct filling f = { .at = bytes->len };
        st = next_row(ol, from, &at, &f.seq);
        if (st != FOCAL_OK || at != line || f.seq > s->first + (s->count - 1))
            break;
        const size_t i = (size_t)(f.seq - s->first);
        if (s->entries[i].has_payload && focal_stretch_salt(s, i, f.salt, focal_salt_from_seed)) {
            f.len = s->entries[i].payload.len;
            focal_buf_span(bytes, s->entries[i].payload);
            focal_buf_bytes(list, &f, sizeof f);
        }
        memcpy(key, ol->key.data, sizeof key);
        from = focal_span_of(key, sizeof key);
    }
    if (list->failed || bytes->failed)
        return FOCAL_NO_MEMORY;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

enum focal_status focal_oplog_holes_fill(struct focal_oplog *ol, struct oplog_log *line, const struct focal_stretch *s)
{
    struct focal_buf list, bytes;
    if (!ol->holes)
        return FOCAL_OK;
    focal_buf_init(&list, SIZE_MAX / 2);
    focal_buf_init(&bytes, SIZE_MAX / 2);
    enum focal_status st = collect(ol, line, s, &list, &bytes);
    for (size_t at = 0; at < list.len && st == FOCAL_OK; at += sizeof(struct filling)) {
        struct filling f;
        uint8_t key[ROW_KEY_BYTES];
        memcpy(&f, list.data + at, sizeof f);
        st = fill(ol, line, f.seq, focal_span_of(bytes.data + f.at, f.len), f.salt);
        if (st == FOCAL_TOO_BIG)
            st = FOCAL_OK;
        else if (st == FOCAL_OK)
            st = focal_store_del(ol->store, FOCAL_SHELF_META, row_key(key, &line->pub.line, f.seq));
    }
    if (st == FOCAL_OK && list.len > 0)
        st = focal_oplog_holes_load(ol);
    focal_buf_wipe_close(&list);
    focal_buf_wipe_close(&bytes);
    return st;
}
