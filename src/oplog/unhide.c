/* What was hidden by a redaction that counts no more is put back where it stood. */
#include "inside.h"

#include <stdlib.h>

/* The run that covers seq gets its salt; where none is left, one of its own. */
static enum focal_status put_salt(struct focal_oplog *ol, struct focal_stretch *s, size_t place, const uint8_t salt[FOCAL_SALT_BYTES])
{
    const uint64_t seq = s->first + place;
    struct focal_salt_run *runs = focal_arena_alloc(&ol->arena, (s->run_count + 1) * sizeof *runs);
    size_t at = 0, before = 0;
    if (!runs)
        return FOCAL_NO_MEMORY;
    while (at < s->run_count && s->runs[at].last < seq)
        at++;
    const bool covered = at < s->run_count && s->runs[at].first <= seq;
    if (s->run_count > 0)
        memcpy(runs, s->runs, s->run_count * sizeof *runs);
    if (!covered) {
        memmove(runs + at + 1, runs + at, (s->run_count - at) * sizeof *runs);
        runs[at] = (struct focal_salt_run){ .first = seq, .last = seq };
        s->run_count++;
    }
    focal_assert(!runs[at].has_seed);       /* something that it reaches is stripped */
    for (size_t i = place; i-- > 0 && s->first + i >= runs[at].first;)
        before += s->entries[i].has_payload ? FOCAL_SALT_BYTES : 0;
    const struct focal_span old = runs[at].salts;
    uint8_t *salts = focal_arena_alloc(&ol->arena, old.len + FOCAL_SALT_BYTES);
    if (!salts)
        return FOCAL_NO_MEMORY;
    focal_assert(before <= old.len);
    if (before > 0)
        memcpy(salts, old.data, before);
    memcpy(salts + before, salt, FOCAL_SALT_BYTES);
    if (old.len > before)
        memcpy(salts + before + FOCAL_SALT_BYTES, old.data + before, old.len - before);
    runs[at].salts = focal_span_of(salts, old.len + FOCAL_SALT_BYTES);
    s->runs = runs;
    return FOCAL_OK;
}

enum focal_status focal_oplog_fill(struct focal_oplog *ol, struct focal_stretch *s, size_t place, const uint8_t salt[FOCAL_SALT_BYTES], struct focal_span payload)
{
    s->entries = focal_arena_copy(&ol->arena, s->entries, s->count * sizeof *s->entries);
    if (!s->entries)
        return FOCAL_NO_MEMORY;
    focal_assert(!s->entries[place].has_payload);
    enum focal_status st = put_salt(ol, s, place, salt);
    s->entries[place].has_payload = true;
    s->entries[place].payload = payload;
    return st;
}

/* NOT_FOUND: it stays hidden. */
static enum focal_status show(struct focal_oplog *ol, struct oplog_log *line, uint64_t seq, struct focal_span hidden, struct focal_buf *touched)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    struct entry_name name;
    struct redaction_force force;
    uint8_t part[PART_KEY_BYTES];
    enum focal_status st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, seq, false, &seg);
    if (st == FOCAL_OK)
        st = focal_oplog_segment_load(ol, line, seg.first, &seg, &s, &hashes);
    if (st != FOCAL_OK || hidden.len < FOCAL_SALT_BYTES)
        return st == FOCAL_OK || st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
    const size_t place = (size_t)(seq - s.first);
    focal_oplog_entry_name(ol, &name, &line->pub, s.entries[place].header, seq, &hashes[place]);
    st = focal_oplog_force(ol, &name, &line->pub, &force);
    if (st != FOCAL_OK || force.in_force || FOCAL_PLANTED(VOID_STAYS_HIDDEN))
        return st == FOCAL_OK ? FOCAL_NOT_FOUND : st;
    if (!s.entries[place].has_payload) {
        st = focal_oplog_fill(ol, &s, place, hidden.data, focal_span_of(hidden.data + FOCAL_SALT_BYTES, hidden.len - FOCAL_SALT_BYTES));
        if (st == FOCAL_OK)
            st = focal_oplog_segment_again(ol, line, &seg, &s);
        if (st == FOCAL_TOO_BIG)        /* as where it is filled; what is hidden is not lost */
            return FOCAL_NOT_FOUND;
        if (st == FOCAL_OK)
            focal_oplog_restored_note(ol, line, seq);
    }
    focal_oplog_part_key(part, &name.record, &line->pub.name.scope);
    focal_buf_bytes(touched, part, sizeof part);
    return st == FOCAL_OK && touched->failed ? FOCAL_NO_MEMORY : st;
}

enum focal_status focal_oplog_unhide(struct focal_oplog *ol)
{
    struct focal_buf key, value, touched;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    focal_buf_init(&touched, SIZE_MAX / 2);
    enum focal_status st = FOCAL_OK;
    while (ol->unhide_due && st == FOCAL_OK
           && (st = focal_store_next(ol->store, FOCAL_SHELF_HIDDEN, focal_buf_view(&key), &key, &value)) == FOCAL_OK) {
        struct focal_id id;
        struct oplog_log *line = NULL;
        if (key.len == SEGMENT_KEY_BYTES) {
            memcpy(id.b, key.data, sizeof id.b);
            line = focal_oplog_line_of(ol, &id);
        }
        st = line ? show(ol, line, focal_get_be64(key.data + sizeof id.b), focal_buf_view(&value), &touched) : FOCAL_DAMAGED;
        if (st == FOCAL_OK)
            st = focal_store_del(ol->store, FOCAL_SHELF_HIDDEN, focal_buf_view(&key));
        if (st == FOCAL_OK)             /* of ours others had redacted it: they have not, any more */
            st = focal_store_del(ol->store, FOCAL_SHELF_REFUSED, focal_buf_view(&key));
        if (st == FOCAL_NOT_FOUND)
            st = FOCAL_OK;
    }
    if (st == FOCAL_NOT_FOUND)
        st = FOCAL_OK;
    if (st == FOCAL_OK)
        st = focal_oplog_derive_touched(ol, &touched);
    if (st == FOCAL_OK)
        ol->unhide_due = false;
    focal_buf_close(&key);
    focal_buf_wipe_close(&value);
    focal_buf_wipe_close(&touched);
    return st;
}
