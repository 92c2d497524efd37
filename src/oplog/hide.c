/* Hiding and erasing what is redacted: in what comes in, and in what is held.
 *
 * A redacted entry is stripped where it stands: its header and commitment stay, so that chain and signatures hold, and its
 * payload goes. Hidden ones lie on a shelf of their own until a second office has signed; then, or at once where its own
 * office asked for it, they are gone. So everything that reads segments (sending, deriving, verifying) meets stripped
 * entries alone, and hidden and erased look alike. */
#include "inside.h"

#include <stdlib.h>

struct screening {
    struct focal_oplog *ol;
    struct oplog_log *line;
    struct focal_stretch *s;
    const struct focal_hash *hashes;
    bool *gone;                         /* by place in s */
    size_t gone_count;
    struct focal_buf *touched;          /* records whose parts change, and scopes; NULL: nobody asks */
};

/* ---- one entry --------------------------------------------------------------------------------------------------------- */

static void hidden_key(uint8_t key[SEGMENT_KEY_BYTES], const struct oplog_log *line, uint64_t seq)
{
    (void)focal_oplog_segment_key(key, &line->pub.line, seq);
}

static enum focal_status set_aside(struct screening *c, size_t i, const uint8_t salt[FOCAL_SALT_BYTES])
{
    uint8_t key[SEGMENT_KEY_BYTES];
    hidden_key(key, c->line, c->s->first + i);
    focal_buf_clear(&c->ol->encoded);
    focal_buf_bytes(&c->ol->encoded, salt, FOCAL_SALT_BYTES);
    focal_buf_span(&c->ol->encoded, c->s->entries[i].payload);
    if (c->ol->encoded.failed)
        return FOCAL_NO_MEMORY;
    return focal_store_put(c->ol->store, FOCAL_SHELF_HIDDEN, focal_span_of(key, sizeof key), focal_buf_view(&c->ol->encoded));
}

static enum focal_status is_hidden(struct focal_oplog *ol, const struct oplog_log *line, uint64_t seq, bool *hidden)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    struct focal_buf value;
    hidden_key(key, line, seq);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    enum focal_status st = focal_store_get(ol->store, FOCAL_SHELF_HIDDEN, focal_span_of(key, sizeof key), &value);
    *hidden = st == FOCAL_OK;
    focal_buf_wipe_close(&value);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status forget_hidden(struct focal_oplog *ol, const struct oplog_log *line, uint64_t seq)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    hidden_key(key, line, seq);
    ol->scrub_due = true;
    return focal_store_del(ol->store, FOCAL_SHELF_HIDDEN, focal_span_of(key, sizeof key));
}

/* An author learns of what others redacted of his: which fields, never what stood in them. */
static enum focal_status tell_author(struct screening *c, const struct entry_name *name, size_t i)
{
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    uint8_t key[SEGMENT_KEY_BYTES], ref[FOCAL_REF_BYTES];
    enum focal_status st = focal_payload_decode(&payload, c->s->entries[i].payload);
    focal_assert(st == FOCAL_OK);       /* unpacking gives nothing but canonical entries */
    hidden_key(key, c->line, c->s->first + i);
    focal_buf_clear(&c->ol->encoded);
    focal_ref_put(ref, &name->record);
    focal_buf_bytes(&c->ol->encoded, ref, sizeof ref);
    focal_ref_put(ref, &name->ref);
    focal_buf_bytes(&c->ol->encoded, ref, sizeof ref);
    focal_buf_varint(&c->ol->encoded, payload.kind);
    while (focal_payload_next(&payload, &at, &item))
        focal_buf_varint(&c->ol->encoded, item.field);
    if (c->ol->encoded.failed)
        return FOCAL_NO_MEMORY;
    return focal_store_put(c->ol->store, FOCAL_SHELF_REFUSED, focal_span_of(key, sizeof key), focal_buf_view(&c->ol->encoded));
}

static enum focal_status touch(struct screening *c, const struct focal_ref *record)
{
    uint8_t *at = c->touched ? focal_buf_reserve(c->touched, PART_KEY_BYTES) : NULL;
    if (at)
        focal_oplog_part_key(at, record, &c->line->pub.name.scope);
    return c->touched && !at ? FOCAL_NO_MEMORY : FOCAL_OK;
}

/* A redacted entry with its payload: hidden or erased; without: what was hidden of it may have to go. */
static enum focal_status redact_one(struct screening *c, size_t i, const struct entry_name *name, const struct redaction_force *force)
{
    struct focal_stretch_entry *e = &c->s->entries[i];
    bool erase, here = e->has_payload;
    enum focal_status st = here ? FOCAL_OK : is_hidden(c->ol, c->line, c->s->first + i, &here);
    if (st != FOCAL_OK || !here)        /* what was erased elsewhere is no part of what may be erased here in a day */
        return st;
    st = focal_oplog_may_erase(c->ol, force, &name->record, &erase);
    if (st != FOCAL_OK)
        return st;
    if (!e->has_payload)
        return erase && !FOCAL_PLANTED(HIDDEN_NEVER_ERASED) ? forget_hidden(c->ol, c->line, c->s->first + i) : FOCAL_OK;
    uint8_t salt[FOCAL_SALT_BYTES];
    bool found = focal_stretch_salt(c->s, i, salt, focal_salt_from_seed);
    focal_assert(found);
    focal_commitment(&e->c, salt, e->payload);
    if (c->line->pub.mine && force->by_others)
        st = tell_author(c, name, i);
    if (st == FOCAL_OK && !erase)
        st = set_aside(c, i, salt);
    c->ol->scrub_due = true;            /* where it stood must not be readable either */
    focal_wipe(salt, sizeof salt);
    c->gone[i] = true;
    c->gone_count++;
    return st == FOCAL_OK ? touch(c, &name->record) : st;
}

static enum focal_status look_at(struct screening *c, size_t i)
{
    struct entry_name name;
    struct redaction_force force;
    focal_oplog_entry_name(c->ol, &name, &c->line->pub, c->s->entries[i].header, c->s->first + i, &c->hashes[i]);
    if (!name.makes_part)       /* nor a quote in a notices log, which nobody takes without its payload */
        return FOCAL_OK;
    if (!focal_oplog_maybe_redacted(c->ol, &name.record) && !focal_oplog_maybe_redacted(c->ol, &name.ref))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_force(c->ol, &name, &c->line->pub, &force);
    return st == FOCAL_OK && force.in_force ? redact_one(c, i, &name, &force) : st;
}

/* ---- a stretch --------------------------------------------------------------------------------------------------------- */

static enum focal_status screen(struct screening *c, bool *changed)
{
    enum focal_status st = FOCAL_OK;
    *changed = false;
    c->gone = focal_arena_alloc(&c->ol->arena, c->s->count * sizeof *c->gone);
    if (!c->gone)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < c->s->count && st == FOCAL_OK && c->ol->redacted.count > 0; i++)
        st = look_at(c, i);
    struct near near;
    if (st == FOCAL_OK)
        st = focal_oplog_seeds_to_break(c->ol, c->line, c->s, c->hashes, c->gone, &near);
    if (st != FOCAL_OK || (c->gone_count == 0 && !focal_oplog_has_seed_in(c->s, &near)))
        return st;
    *changed = true;
    struct focal_stretch stripped;
    st = focal_oplog_strip(&stripped, &c->ol->arena, c->s, c->gone, near.low, near.high);
    if (st == FOCAL_OK)
        *c->s = stripped;
    return st;
}

enum focal_status focal_oplog_screen(struct focal_oplog *ol, struct oplog_log *line, struct focal_stretch *s, const struct focal_hash *hashes, bool *changed)
{
    struct screening c = { .ol = ol, .line = line, .s = s, .hashes = hashes };
    *changed = false;
    if (!focal_oplog_redactable(&line->pub) || FOCAL_PLANTED(REDACTED_LATE_TAKEN))
        return FOCAL_OK;
    /* The entries are the caller's: commitments are set in a copy. */
    if (ol->redacted.count > 0) {
        s->entries = focal_arena_copy(&ol->arena, s->entries, s->count * sizeof *s->entries);
        if (!s->entries)
            return FOCAL_NO_MEMORY;
    }
    return screen(&c, changed);
}

/* ---- what is held --------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_segment_again(struct focal_oplog *ol, const struct oplog_log *line, struct segment *seg, const struct focal_stretch *s)
{
    focal_buf_clear(&ol->scratch);
    enum focal_status st = focal_stretch_pack(ol->packer, &ol->scratch, s);
    if (st != FOCAL_OK)
        return st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
    seg->packed = focal_buf_view(&ol->scratch);
    seg->canonical = (uint32_t)focal_stretch_canonical_bytes(s);
    return focal_oplog_segment_put(ol, line, seg);
}

static enum focal_status strip_segment(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, struct focal_buf *touched)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    bool changed;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    struct screening c = { .ol = ol, .line = line, .s = &s, .hashes = hashes, .touched = touched };
    if (st == FOCAL_OK)
        st = screen(&c, &changed);
    if (st == FOCAL_OK && changed)
        st = focal_oplog_segment_again(ol, line, &seg, &s);
    return st;
}

/* ---- all at once ------------------------------------------------------------------------------------------------------------ */

/* A notice names hundreds of entries, and anybody may write one: each segment is stripped once and each part derived once,
 * however many targets lie in them. */
enum { KEYS_BYTES_MAX = 4 << 20 };

static int target_order(const void *a, const void *b)
{
    const struct redaction_target *one = a, *other = b;
    const int refs = focal_ref_compare(&one->ref, &other->ref);
    return refs ? refs : memcmp(one->scope.b, other->scope.b, sizeof one->scope.b);
}

static enum focal_status strip_segments(struct focal_oplog *ol, struct focal_buf *keys, struct focal_buf *touched)
{
    enum focal_status st = FOCAL_OK;
    focal_oplog_segment_keys_once(keys);
    for (size_t at = 0; at < keys->len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id line;
        memcpy(line.b, keys->data + at, sizeof line.b);
        st = strip_segment(ol, focal_oplog_line_of(ol, &line), focal_get_be64(keys->data + at + sizeof line.b), touched);
    }
    focal_buf_clear(keys);
    return st;
}

static enum focal_status strip_targets(struct focal_oplog *ol, struct focal_buf *touched)
{
    struct focal_buf keys, of_one;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&keys, SIZE_MAX / 2);
    focal_buf_init(&of_one, SIZE_MAX / 2);
    if (ol->target_count > 1)
        qsort(ol->targets, ol->target_count, sizeof *ol->targets, target_order);
    for (size_t i = 0; i < ol->target_count && st == FOCAL_OK; i++) {
        const struct redaction_target *t = &ol->targets[i];
        if (i > 0 && target_order(t, t - 1) == 0)       /* which segments speak of it does not depend on the kind */
            continue;
        st = ol->unhide_due || ol->holes ? focal_oplog_holes_about(ol, &t->ref, &t->scope) : FOCAL_OK;
        if (st == FOCAL_OK)
            st = focal_oplog_breach_ahead(ol, t);
        if (st == FOCAL_OK)
            st = focal_oplog_segments_about(ol, &t->ref, &t->scope, &of_one);
        focal_buf_span(&keys, focal_buf_view(&of_one));
        if (st == FOCAL_OK && keys.failed)
            st = FOCAL_NO_MEMORY;
        if (st == FOCAL_OK && keys.len > KEYS_BYTES_MAX)
            st = strip_segments(ol, &keys, touched);
    }
    if (st == FOCAL_OK)
        st = strip_segments(ol, &keys, touched);
    if (st == FOCAL_OK && ol->holes && ol->target_count > 0)       /* some may have ended */
        st = focal_oplog_holes_load(ol);
    if (st == FOCAL_OK)
        ol->target_count = 0;
    focal_buf_close(&keys);
    focal_buf_close(&of_one);
    return st;
}

/* Does a staged piece hold the payload of something that is redacted? */
static enum focal_status piece_speaks(struct focal_oplog *ol, const struct oplog_log *line, const struct segment *piece, bool *speaks)
{
    struct focal_stretch s;
    focal_arena_reset(&ol->arena);
    enum focal_status st = focal_stretch_unpack(ol->packer, &s, &ol->arena, piece->packed);
    if (st != FOCAL_OK) {       /* whatever it is, it must not stay */
        *speaks = true;
        return st == FOCAL_NO_MEMORY ? st : FOCAL_OK;
    }
    struct focal_hash *hashes = focal_arena_alloc(&ol->arena, s.count * sizeof *hashes);
    if (!hashes)
        return FOCAL_NO_MEMORY;
    focal_oplog_hash(hashes, &s, 0, s.count, &line->pub.id, &piece->before);
    for (size_t i = 0; i < s.count && st == FOCAL_OK && !*speaks; i++) {
        struct entry_name name;
        struct redaction_force force = { .in_force = false };
        focal_oplog_entry_name(ol, &name, &line->pub, s.entries[i].header, s.first + i, &hashes[i]);
        if (s.entries[i].has_payload && name.makes_part)
            st = focal_oplog_force(ol, &name, &line->pub, &force);
        *speaks = force.in_force;
    }
    return st;
}

/* What waits for a signature is a copy like any other, and may wait for ever: it is dropped, and comes again stripped. */
static enum focal_status strip_staging(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < ol->log_count && st == FOCAL_OK; i++) {
        struct oplog_log *line = ol->logs[i];
        bool speaks = false;
        if (!focal_oplog_redactable(&line->pub))
            continue;
        for (uint64_t next = line->pub.head.seq + 1; st == FOCAL_OK && !speaks && next <= line->pub.staged.seq;) {
            struct segment piece;
            st = focal_oplog_segment_at(ol, &line->pub.line, next, true, &piece);
            if (st != FOCAL_OK)
                return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
            st = piece_speaks(ol, line, &piece, &speaks);
            next = piece.last.seq + 1;
        }
        if (st == FOCAL_OK && speaks) {
            ol->scrub_due = true;
            st = focal_oplog_staging_drop(ol, line);
        }
    }
    return st;
}

enum focal_status focal_oplog_enforce(struct focal_oplog *ol)
{
    struct focal_buf touched;
    if (ol->target_count == 0 && !ol->targets_all && ol->begun_count == 0 && ol->breach_count == 0 && !ol->unhide_due)
        return FOCAL_OK;
    focal_buf_init(&touched, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_flush(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_judge_again(ol);
    if (st == FOCAL_OK && ol->target_count > 0)
        st = strip_staging(ol);
    if (st == FOCAL_OK)
        st = strip_targets(ol, &touched);
    if (st == FOCAL_OK)
        st = focal_oplog_derive_touched(ol, &touched);
    if (st == FOCAL_OK)
        st = focal_oplog_index_begun(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_breaches_mend(ol);
    if (st == FOCAL_OK)
        st = focal_oplog_unhide(ol);
    focal_buf_wipe_close(&touched);
    return st;
}
