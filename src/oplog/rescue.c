/* Rescue: what a cut caught though it was honest is brought in again, by a member that holds it and may write in its scope.
 * He quotes it in a log of his own: the quote counts as if it were the entry, with the entry's own name, and as long as he does.
 * A quote of a quote quotes the original. Source: PROTOCOL §3. */
#include "inside.h"

#include <string.h>

/* What stands on a line beyond its limit, one segment at a time; copied, for looking further forgets what the arena holds. */
struct caught { struct entry_name name; struct focal_quote quote; size_t header_at, payload_at; bool is_entry, has_payload, redacted; };
struct catch_list { struct caught *list; size_t count; struct focal_buf bytes; };

static void catch_close(struct catch_list *c)
{
    focal_free(c->list);
    focal_buf_wipe_close(&c->bytes);
}

static enum focal_status catch_entry(struct focal_oplog *ol, struct catch_list *c, const struct oplog_log *line, const struct focal_stretch *s, size_t i,
                                     const struct focal_hash *before, const struct focal_hash *h)
{
    struct caught *to = &c->list[c->count++];
    struct focal_header header;
    struct redaction_force force;
    enum focal_status st = focal_header_decode(&header, s->entries[i].header);
    focal_assert(st == FOCAL_OK);
    focal_oplog_entry_name(ol, &to->name, &line->pub, s->entries[i].header, s->first + i, h);
    to->is_entry = to->name.makes_part;
    to->has_payload = s->entries[i].has_payload && focal_stretch_salt(s, i, to->quote.salt, focal_salt_from_seed);
    if (!to->is_entry)
        return FOCAL_OK;
    to->quote.author = to->name.is_quote ? header.quoted_author : line->pub.name.author;
    to->quote.epoch = to->name.is_quote ? header.quoted_epoch : line->pub.name.epoch;
    to->quote.before = to->name.is_quote ? header.quoted_before : *before;
    to->header_at = c->bytes.len;
    to->quote.header.len = to->name.header.len;
    focal_buf_span(&c->bytes, to->name.header);
    to->payload_at = c->bytes.len;
    to->quote.payload.len = to->has_payload ? s->entries[i].payload.len : 0;
    if (to->has_payload)
        focal_buf_span(&c->bytes, s->entries[i].payload);
    st = focal_oplog_force(ol, &to->name, &line->pub, &force);
    to->redacted = st == FOCAL_OK && force.in_force;
    return st;
}

static enum focal_status catch_segment(struct focal_oplog *ol, struct catch_list *c, const struct oplog_log *line, uint64_t first, uint64_t *last)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    *c = (struct catch_list){ .list = NULL };
    focal_buf_init(&c->bytes, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    if (st != FOCAL_OK)
        return st;
    *last = seg.last.seq;
    c->list = focal_alloc(s.count * sizeof *c->list);
    if (!c->list)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < s.count && st == FOCAL_OK; i++) {
        if (!focal_oplog_counts(line, s.first + i))
            st = catch_entry(ol, c, line, &s, i, i > 0 ? &hashes[i - 1] : &seg.before, &hashes[i]);
    }
    for (size_t i = 0; i < c->count && st == FOCAL_OK && !c->bytes.failed; i++) {
        c->list[i].quote.header.data = c->bytes.data + c->list[i].header_at;
        c->list[i].quote.payload.data = c->bytes.data + c->list[i].payload_at;
        c->list[i].name.header = c->list[i].quote.header;
    }
    return st == FOCAL_OK && c->bytes.failed ? FOCAL_NO_MEMORY : st;
}

/* Does a quote of this very entry count? Quotes are posted under what they quote. */
static enum focal_status is_brought_in(struct focal_oplog *ol, const struct entry_name *name, const struct focal_hash *scope, bool *yes)
{
    struct focal_buf keys;
    focal_buf_init(&keys, SIZE_MAX / 2);
    *yes = false;
    enum focal_status st = focal_oplog_segments_about(ol, &name->ref, scope, &keys);
    for (size_t at = 0; at < keys.len && st == FOCAL_OK && !*yes; at += SEGMENT_KEY_BYTES) {
        struct segment seg;
        struct focal_stretch s;
        struct focal_hash *hashes;
        struct focal_id id;
        memcpy(id.b, keys.data + at, sizeof id.b);
        struct oplog_log *line = focal_oplog_line_of(ol, &id);
        st = focal_oplog_segment_load(ol, line, focal_get_be64(keys.data + at + sizeof id.b), &seg, &s, &hashes);
        for (size_t i = 0; st == FOCAL_OK && i < s.count && focal_oplog_counts(line, s.first + i) && !*yes; i++) {
            struct entry_name other;
            focal_oplog_entry_name(ol, &other, &line->pub, s.entries[i].header, s.first + i, &hashes[i]);
            *yes = other.is_quote && focal_hash_equal(&other.h, &name->h) && focal_oplog_contributes(ol, line);
        }
    }
    focal_buf_close(&keys);
    return st;
}

/* ---- what there is ------------------------------------------------------------------------------------------------------- */

static bool can_be_quoted(const struct oplog_log *line)
{
    return !line->void_here && line->pub.clipped && focal_oplog_redactable(&line->pub);
}

static enum focal_status tell(struct focal_oplog *ol, const struct oplog_log *line, const struct caught *c, void (*each)(void *, const struct focal_beyond *), void *data)
{
    const struct focal_certificate *by = focal_oplog_certificate_by_sign(ol, &c->quote.author);
    struct focal_beyond b = { .entry = c->name.ref, .record = c->name.record, .scope = line->pub.scope, .creates = c->name.creates,
                              .whole = c->has_payload && !c->redacted };
    if (by)
        b.office = by->office;
    if (b.whole)
        b.payload = c->quote.payload;
    enum focal_status st = is_brought_in(ol, &c->name, &line->pub.name.scope, &b.brought_in);
    if (st == FOCAL_OK)
        each(data, &b);
    return st;
}

enum focal_status focal_oplog_next_beyond(struct focal_oplog *ol, struct focal_beyond_walk *walk, void (*each)(void *, const struct focal_beyond *), void *data)
{
    while (walk->line < ol->log_count) {
        const struct oplog_log *line = ol->logs[walk->line];
        const uint64_t first = walk->next > focal_log_tip(&line->pub)->seq + 1 ? walk->next : focal_log_tip(&line->pub)->seq + 1;
        struct segment seg;
        struct catch_list c;
        if (!can_be_quoted(line) || first > line->pub.head.seq) {
            *walk = (struct focal_beyond_walk){ .line = walk->line + 1 };
            continue;
        }
        focal_arena_reset(&ol->arena);
        enum focal_status st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, first, false, &seg);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        st = catch_segment(ol, &c, line, seg.first, &walk->next);
        walk->next++;
        for (size_t i = 0; i < c.count && st == FOCAL_OK; i++)
            st = c.list[i].is_entry ? tell(ol, line, &c.list[i], each, data) : FOCAL_OK;
        catch_close(&c);
        return st;
    }
    return FOCAL_NOT_FOUND;
}

/* ---- bringing it in --------------------------------------------------------------------------------------------------------- */

static enum focal_status bring_in(struct focal_oplog *ol, const struct focal_scope *scope, const struct focal_hash *id, const struct caught *c,
                                  struct focal_rescued *done, struct focal_error *err)
{
    bool already;
    if (!c->has_payload || c->redacted) {
        done->gone++;
        return FOCAL_OK;
    }
    enum focal_status st = is_brought_in(ol, &c->name, id, &already);
    if (st != FOCAL_OK || already)
        return st;
    st = focal_oplog_quote(ol, scope, &c->quote, err);
    done->brought_in += st == FOCAL_OK;
    return st;
}

enum focal_status focal_oplog_rescue(struct focal_oplog *ol, const struct focal_ref *record, const struct focal_scope *scope, struct focal_rescued *done,
                                     struct focal_error *err)
{
    struct focal_buf keys;
    struct focal_hash id;
    focal_scope_id(&id, &ol->network, scope);
    focal_buf_init(&keys, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_seal(ol);        /* what this transaction has brought in already is found as well */
    if (st == FOCAL_OK)
        st = focal_oplog_segments_about(ol, record, &id, &keys);
    for (size_t at = 0; at < keys.len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id log;
        struct catch_list c;
        uint64_t last;
        memcpy(log.b, keys.data + at, sizeof log.b);
        const struct oplog_log *line = focal_oplog_line_of(ol, &log);
        if (!can_be_quoted(line))
            continue;
        st = catch_segment(ol, &c, line, focal_get_be64(keys.data + at + sizeof log.b), &last);
        for (size_t i = 0; i < c.count && st == FOCAL_OK; i++) {
            if (c.list[i].is_entry && focal_ref_compare(&c.list[i].name.record, record) == 0)
                st = bring_in(ol, scope, &id, &c.list[i], done, err);
        }
        catch_close(&c);
    }
    focal_buf_close(&keys);
    return st;
}
