/* Rescue: what a cut caught though it was honest is brought in again, by a member that holds it and may write in its scope.
 * He quotes it in a log of his own: the quote counts as if it were the entry, with the entry's own name, and as long as he does.
 * A quote of a quote quotes the original. Source: PROTOCOL §3. */
#include "inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_ENTRIES = 1024, KEYS_BYTES_MAX = 4 << 20 };
static_assert(sizeof((struct focal_rescue){ 0 }.after) == SEGMENT_KEY_BYTES, "a rescue goes on behind a segment");

/* What stands on a line beyond its limit, one segment at a time; copied, for looking further forgets what the arena holds. */
struct caught { struct entry_name name; struct focal_quote quote; size_t header_at, payload_at; bool is_entry, has_payload, redacted, brought_in; };
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

/* ---- which of them were brought in ------------------------------------------------------------------------------------------- */

static int by_hash(const void *a, const void *b)
{
    const struct caught *const *one = a, *const *other = b;
    return memcmp((*one)->name.h.b, (*other)->name.h.b, sizeof (*one)->name.h.b);
}

static int find_by_hash(const void *wanted, const void *at)
{
    const struct caught *const *one = at;
    return memcmp(wanted, (*one)->name.h.b, sizeof (*one)->name.h.b);
}

static enum focal_status look_for_quotes(struct focal_oplog *ol, struct oplog_log *line, uint64_t first, struct caught **sorted, size_t count)
{
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    enum focal_status st = focal_oplog_segment_load(ol, line, first, &seg, &s, &hashes);
    for (size_t i = 0; st == FOCAL_OK && i < s.count && focal_oplog_counts(line, s.first + i); i++) {
        struct entry_name name;
        focal_oplog_entry_name(ol, &name, &line->pub, s.entries[i].header, s.first + i, &hashes[i]);
        if (!name.is_quote || !focal_oplog_contributes(ol, line))
            continue;
        struct caught **found = bsearch(name.h.b, sorted, count, sizeof *sorted, find_by_hash);
        if (found)
            (*found)->brought_in = true;
    }
    return st;
}

/* Segments that lie beyond a cut whole quote nothing that counts; and of a record a cut author may have written without end. */
static bool nothing_counts(const struct oplog_log *line, uint64_t first)
{
    return line && !focal_oplog_counts(line, first);
}

static enum focal_status quotes_in(struct focal_oplog *ol, struct focal_buf *keys, struct caught **sorted, size_t count)
{
    enum focal_status st = FOCAL_OK;
    focal_oplog_segment_keys_once(keys);
    for (size_t at = 0; at < keys->len && st == FOCAL_OK; at += SEGMENT_KEY_BYTES) {
        struct focal_id id;
        memcpy(id.b, keys->data + at, sizeof id.b);
        struct oplog_log *line = focal_oplog_line_of(ol, &id);
        const uint64_t first = focal_get_be64(keys->data + at + sizeof id.b);
        if (!line)
            st = FOCAL_DAMAGED;
        else if (!nothing_counts(line, first))
            st = look_for_quotes(ol, line, first, sorted, count);
    }
    focal_buf_clear(keys);
    return st;
}

/* A quote of an entry that counts stands in a segment that is posted under it. Each of those is looked at once for all entries. */
static enum focal_status mark_brought_in(struct focal_oplog *ol, struct catch_list *c, const struct focal_hash *scope)
{
    struct focal_buf keys;
    struct caught **sorted = focal_alloc(c->count ? c->count * sizeof *sorted : 1);
    enum focal_status st = sorted ? FOCAL_OK : FOCAL_NO_MEMORY;
    focal_buf_init(&keys, SIZE_MAX / 2);
    for (size_t i = 0; i < c->count && st == FOCAL_OK; i++)
        sorted[i] = &c->list[i];
    if (st == FOCAL_OK && c->count > 1)
        qsort(sorted, c->count, sizeof *sorted, by_hash);
    for (size_t i = 0; i < c->count && st == FOCAL_OK; i++) {
        if (c->list[i].is_entry)
            st = focal_oplog_postings_of(ol, &c->list[i].name.ref, scope, &keys);
        if (st == FOCAL_OK && keys.len > KEYS_BYTES_MAX)
            st = quotes_in(ol, &keys, sorted, c->count);
    }
    if (st == FOCAL_OK)
        st = quotes_in(ol, &keys, sorted, c->count);
    focal_buf_close(&keys);
    focal_free(sorted);
    return st;
}

/* ---- what there is ------------------------------------------------------------------------------------------------------- */

static bool can_be_quoted(const struct oplog_log *line)
{
    return !line->void_here && line->pub.clipped && focal_oplog_redactable(&line->pub);
}

static void tell(const struct focal_oplog *ol, const struct oplog_log *line, const struct caught *c, void (*each)(void *, const struct focal_beyond *), void *data)
{
    const struct focal_certificate *by = focal_oplog_certificate_by_sign(ol, &c->quote.author);
    struct focal_beyond b = { .entry = c->name.ref, .record = c->name.record, .scope = line->pub.scope, .creates = c->name.creates,
                              .whole = c->has_payload && !c->redacted, .brought_in = c->brought_in };
    if (by)
        b.office = by->office;
    if (b.whole)
        b.payload = c->quote.payload;
    each(data, &b);
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
        if (st == FOCAL_OK)
            st = mark_brought_in(ol, &c, &line->pub.name.scope);
        for (size_t i = 0; i < c.count && st == FOCAL_OK; i++) {
            if (c.list[i].is_entry)
                tell(ol, line, &c.list[i], each, data);
        }
        catch_close(&c);
        return st;
    }
    return FOCAL_NOT_FOUND;
}

/* ---- bringing it in --------------------------------------------------------------------------------------------------------- */

static bool is_meant(const struct focal_rescue *r, const struct entry_name *name)
{
    bool meant = r->only_count == 0;
    for (size_t i = 0; i < r->only_count && !meant; i++)
        meant = focal_ref_compare(&r->only[i], &name->ref) == 0;
    return meant && focal_ref_compare(&name->record, &r->record) == 0;
}

static enum focal_status bring_in(struct focal_oplog *ol, struct focal_rescue *r, const struct focal_scope *scope, const struct caught *c, struct focal_error *err)
{
    if (!c->has_payload || c->redacted) {
        r->gone++;
        return FOCAL_OK;
    }
    if (c->brought_in)
        return FOCAL_OK;
    enum focal_status st = focal_oplog_quote(ol, scope, &c->quote, err);
    r->brought_in += st == FOCAL_OK;
    return st;
}

static enum focal_status bring_in_segment(struct focal_oplog *ol, struct focal_rescue *r, const struct focal_scope *scope, const struct focal_hash *id, const struct oplog_log *line,
                                          uint64_t first, struct focal_error *err)
{
    struct catch_list c;
    uint64_t last;
    enum focal_status st = catch_segment(ol, &c, line, first, &last);
    for (size_t i = 0; i < c.count && st == FOCAL_OK; i++)
        c.list[i].is_entry = c.list[i].is_entry && is_meant(r, &c.list[i].name);
    if (st == FOCAL_OK)
        st = mark_brought_in(ol, &c, id);
    for (size_t i = 0; i < c.count && st == FOCAL_OK; i++) {
        if (c.list[i].is_entry)
            st = bring_in(ol, r, scope, &c.list[i], err);
    }
    catch_close(&c);
    return st;
}

enum focal_status focal_oplog_rescue(struct focal_oplog *ol, struct focal_rescue *r, const struct focal_scope *scope, struct focal_error *err)
{
    struct focal_buf keys;
    struct focal_hash id;
    const size_t before = r->brought_in;
    focal_scope_id(&id, &ol->network, scope);
    focal_buf_init(&keys, SIZE_MAX / 2);
    enum focal_status st = focal_oplog_seal(ol);        /* what this transaction has brought in already is found as well */
    if (st == FOCAL_OK)
        st = focal_oplog_segments_about(ol, &r->record, &id, &keys);
    size_t at = 0;
    for (; at < keys.len && st == FOCAL_OK && r->brought_in - before < SLICE_ENTRIES; at += SEGMENT_KEY_BYTES) {
        struct focal_id log;
        if (r->begun && memcmp(keys.data + at, r->after, SEGMENT_KEY_BYTES) <= 0)
            continue;
        memcpy(log.b, keys.data + at, sizeof log.b);
        const struct oplog_log *line = focal_oplog_line_of(ol, &log);
        if (can_be_quoted(line))
            st = bring_in_segment(ol, r, scope, &id, line, focal_get_be64(keys.data + at + sizeof log.b), err);
        memcpy(r->after, keys.data + at, SEGMENT_KEY_BYTES);
        r->begun = true;
    }
    const bool more = at < keys.len;
    focal_buf_close(&keys);
    if (st == FOCAL_OK && !more)
        r->begun = false;               /* for the next scope */
    return st == FOCAL_OK && more ? FOCAL_MORE : st;
}
