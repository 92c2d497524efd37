/* Ranges to send. What is stored passes as it is where it fits; small segments are put together under the last signature,
 * which covers all before it; a large one is cut, and its first pieces go unsigned. */
#include "inside.h"

enum { GATHER_MAX = 512, GATHER_BYTES_FACTOR = 8 };

struct gathered {
    struct focal_stretch *parts;
    struct segment *segments;           /* packed is in the arena, or empty */
    size_t count, packed, entries, whole;
};

static bool is_signed(const struct segment *s)
{
    return !focal_bytes_zero(s->signature.b, sizeof s->signature.b);
}

static void describe(struct focal_piece *piece, const struct segment *first, const struct segment *last)
{
    piece->first = first->first;
    piece->last = last->last.seq;
    memcpy(piece->before, first->before.b, sizeof piece->before);
    piece->is_signed = is_signed(last);      /* else a cut vouches for it, and whoever holds the cut sees that */
    piece->signature = last->signature;
}

static enum focal_status unpack(struct focal_oplog *ol, struct focal_stretch *out, struct focal_span packed)
{
    enum focal_status st = focal_stretch_unpack(ol->packer, out, &ol->arena, packed);
    return st == FOCAL_OK || st == FOCAL_NO_MEMORY ? st : FOCAL_DAMAGED;
}

/* As many canonical bytes as it may have with every payload. What is stripped may come back one day, if the redaction counts no
 * more; merged under one signature it must still be a stretch then. */
static size_t whole_bytes(const struct focal_stretch *s)
{
    size_t bytes = focal_stretch_canonical_bytes(s);
    for (size_t i = 0; i < s->count; i++)
        bytes += s->entries[i].has_payload ? 0 : FOCAL_ENTRY_MAX;
    return bytes;
}

/* s is in ol->value. TOO_BIG: it does not fit to what there is. */
static enum focal_status gather_one(struct focal_oplog *ol, struct gathered *g, const struct segment *s)
{
    const size_t entries = (size_t)(s->last.seq - s->first) + 1;
    g->segments[g->count] = *s;
    g->segments[g->count].packed = focal_span_of(NULL, 0);
    enum focal_status st = unpack(ol, &g->parts[g->count], s->packed);
    if (st != FOCAL_OK)
        return st;
    const size_t whole = whole_bytes(&g->parts[g->count]);
    if (g->count > 0 && (g->entries + entries > FOCAL_STRETCH_ENTRIES_MAX || g->whole + whole > FOCAL_STRETCH_BYTES_MAX))
        return FOCAL_TOO_BIG;
    g->count++;
    g->packed += s->packed.len;
    g->whole += whole;
    g->entries += entries;
    return FOCAL_OK;
}

/* Segments after the first as long as together they may fit. Packed together they become much smaller than alone. */
static enum focal_status gather(struct focal_oplog *ol, struct gathered *g, const struct focal_log *log, const struct segment *first, size_t packed_max)
{
    g->parts = focal_arena_alloc(&ol->arena, GATHER_MAX * sizeof *g->parts);
    g->segments = focal_arena_alloc(&ol->arena, GATHER_MAX * sizeof *g->segments);
    if (!g->parts || !g->segments)
        return FOCAL_NO_MEMORY;
    enum focal_status st = gather_one(ol, g, first);
    while (st == FOCAL_OK && g->count < GATHER_MAX && g->segments[g->count - 1].last.seq < focal_log_tip(log)->seq) {
        struct segment next;
        st = focal_oplog_segment_at(ol, &log->line, g->segments[g->count - 1].last.seq + 1, false, &next);
        if (st != FOCAL_OK)
            return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
        if (next.last.seq > focal_log_tip(log)->seq || g->packed + next.packed.len > GATHER_BYTES_FACTOR * packed_max || next.packed.len > packed_max / 2)
            break;
        st = gather_one(ol, g, &next);
    }
    return st == FOCAL_TOO_BIG ? FOCAL_OK : st;
}

static enum focal_status pack(struct focal_oplog *ol, struct focal_buf *out, size_t keep, const struct focal_stretch *s)
{
    focal_buf_truncate(out, keep);
    enum focal_status st = focal_stretch_pack(ol->packer, out, s);
    return st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
}

/* As many of the gathered as pack into packed_max. TOO_BIG: not even two. */
static enum focal_status merge(struct focal_oplog *ol, struct focal_piece *piece, struct focal_buf *out, const struct gathered *g, size_t packed_max)
{
    const size_t keep = out->len;
    for (size_t n = g->count; n >= 2;) {
        struct focal_stretch s;
        enum focal_status st = focal_oplog_join(&s, &ol->arena, g->parts, n);
        if (st == FOCAL_OK)
            st = pack(ol, out, keep, &s);
        if (st != FOCAL_OK && st != FOCAL_TOO_BIG)
            return st;
        if (st == FOCAL_OK && out->len - keep <= packed_max) {
            describe(piece, &g->segments[0], &g->segments[n - 1]);
            return FOCAL_OK;
        }
        n = st == FOCAL_OK ? n * packed_max / (out->len - keep) : n / 2;        /* fewer: what was made is over packed_max */
    }
    focal_buf_truncate(out, keep);
    return FOCAL_TOO_BIG;
}

/* From the middle of a segment on, or of one that is too large: as much as fits. */
static enum focal_status cut(struct focal_oplog *ol, struct focal_piece *piece, struct focal_buf *out, const struct focal_log *log,
                             const struct segment *s, uint64_t from, uint64_t upto, size_t packed_max)
{
    struct focal_stretch all, part;
    enum focal_status st = unpack(ol, &all, s->packed);
    if (st != FOCAL_OK)
        return st;
    const size_t skip = (size_t)(from - s->first), keep = out->len;
    struct focal_hash before = s->before;
    if (skip > 0) {
        struct focal_hash *hashes = focal_arena_alloc(&ol->arena, skip * sizeof *hashes);
        if (!hashes)
            return FOCAL_NO_MEMORY;
        focal_oplog_hash(hashes, &all, 0, skip, &log->id, &s->before);
        before = hashes[skip - 1];
    }
    const size_t counting = s->last.seq <= upto ? all.count : (size_t)(upto - s->first) + 1;
    for (size_t n = counting - skip; n > 0;) {
        st = focal_oplog_cut(&part, &ol->arena, &all, skip, n);
        if (st == FOCAL_OK)
            st = pack(ol, out, keep, &part);
        if (st != FOCAL_OK && st != FOCAL_TOO_BIG)
            return st;
        if (st == FOCAL_OK && out->len - keep <= packed_max) {
            *piece = (struct focal_piece){ .first = from, .last = from + (n - 1), .is_signed = skip + n == all.count && is_signed(s) };
            memcpy(piece->before, before.b, sizeof piece->before);
            if (piece->is_signed)
                piece->signature = s->signature;
            return FOCAL_OK;
        }
        const size_t fewer = st == FOCAL_OK ? (size_t)((uint64_t)n * packed_max / (out->len - keep)) : n / 2;
        n = fewer == 0 && n > 1 ? 1 : fewer;
    }
    focal_buf_truncate(out, keep);
    return FOCAL_TOO_BIG;
}

enum focal_status focal_oplog_read(struct focal_oplog *ol, const struct focal_log *log, uint64_t from, size_t packed_max,
                                   struct focal_piece *piece, struct focal_buf *packed)
{
    return focal_oplog_read_upto(ol, log, from, UINT64_MAX, packed_max, piece, packed);
}

enum focal_status focal_oplog_read_upto(struct focal_oplog *ol, const struct focal_log *log, uint64_t from, uint64_t most, size_t packed_max,
                                        struct focal_piece *piece, struct focal_buf *packed)
{
    const uint64_t tip = focal_log_tip(log)->seq, upto = most < tip ? most : tip;
    if (from <= log->base.seq || from > upto)
        return FOCAL_NOT_FOUND;
    focal_arena_reset(&ol->arena);
    struct segment s;
    enum focal_status st = focal_oplog_segment_of(ol, ol->store, &log->line, from, false, &s);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
    if (from != s.first || s.packed.len > packed_max || s.last.seq > upto)
        return cut(ol, piece, packed, log, &s, from, upto, packed_max);
    if (s.packed.len <= packed_max / 2 && s.last.seq < upto && upto == tip) {
        struct gathered g = { 0 };
        st = gather(ol, &g, log, &s, packed_max);
        if (st == FOCAL_OK)
            st = merge(ol, piece, packed, &g, packed_max);
        if (st != FOCAL_TOO_BIG)
            return st;
        st = focal_oplog_segment_of(ol, ol->store, &log->line, from, false, &s);
        if (st != FOCAL_OK)
            return st;
    }
    describe(piece, &s, &s);
    focal_buf_span(packed, s.packed);
    return packed->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}
