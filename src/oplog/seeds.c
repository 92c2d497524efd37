/* Seeds. One would let the salt of a stripped entry be made again, and with salt and commitment its payload be guessed.
 *
 * Where a run begins and ends nobody has signed: who hands it on may cut it, so that the seed stays with entries beside the
 * stripped one. So no run keeps its seed within SEED_REACH of a stripped entry, of one that a redaction names before it comes,
 * or of one that was stripped where it was quoted: on no line of the log, in no segment and not in staging. */
#include "inside.h"

/* ---- where ------------------------------------------------------------------------------------------------------------- */

enum focal_status focal_oplog_breach(struct focal_oplog *ol, struct oplog_log *line, uint64_t low, uint64_t high)
{
    struct oplog_log *trunk = focal_oplog_log_of(ol, &line->pub.id);
    line->stripped = trunk->stripped = true;
    trunk->stripped_to = high > trunk->stripped_to ? high : trunk->stripped_to;
    struct breach *last = ol->breach_count ? &ol->breaches[ol->breach_count - 1] : NULL;
    if (last && last->line == line && low >= last->low && low <= last->high + SEED_REACH) {
        last->high = high > last->high ? high : last->high;
        return FOCAL_OK;
    }
    void *list = ol->breaches;
    enum focal_status st = focal_oplog_room(&list, &ol->breach_cap, ol->breach_count, sizeof *ol->breaches);
    ol->breaches = list;
    if (st != FOCAL_OK)
        return st;
    ol->breaches[ol->breach_count++] = (struct breach){ .line = line, .low = low, .high = high };
    return focal_oplog_log_row(ol, line);
}

static void extend(struct near *near, uint64_t seq)
{
    near->low = seq < near->low ? seq : near->low;
    near->high = seq > near->high ? seq : near->high;
}

/* Where a seed might reach what is stripped here: looked at before the commit, in all that is held. A quote has the salt of
 * what it quotes. */
static enum focal_status note_breach(struct focal_oplog *ol, struct oplog_log *line, const struct focal_stretch *s, const struct focal_hash *hashes, const bool *gone,
                                     struct near *near)
{
    struct near here = { .low = UINT64_MAX };
    enum focal_status st = FOCAL_OK;
    for (size_t i = 0; i < s->count && st == FOCAL_OK; i++) {
        struct entry_name name;
        if (s->entries[i].has_payload && !gone[i])
            continue;
        extend(&here, s->first + i);
        focal_oplog_entry_name(ol, &name, &line->pub, s->entries[i].header, s->first + i, &hashes[i]);
        struct oplog_log *quoted = name.is_quote ? focal_oplog_log_of(ol, &name.ref.log) : NULL;
        if (quoted)
            st = focal_oplog_breach(ol, quoted, name.ref.seq, name.ref.seq);
    }
    if (here.high == 0 || st != FOCAL_OK)
        return st;
    extend(near, here.low);
    extend(near, here.high);
    return focal_oplog_breach(ol, line, here.low, here.high);
}

/* The first and the last entry around here that a redaction names, whether or not it has come. */
static enum focal_status find_named(struct focal_oplog *ol, const struct focal_id *log, uint64_t from, uint64_t to, struct near *near)
{
    uint8_t low[SEGMENT_KEY_BYTES], high[SEGMENT_KEY_BYTES];
    for (int end = 0; end < 2; end++) {
        const struct focal_span at = end ? focal_oplog_segment_key(high, log, to + 1) : focal_oplog_segment_key(low, log, from);
        enum focal_status st = end ? focal_store_prev(ol->store, FOCAL_SHELF_REDACTION, at, &ol->key, NULL)
                                   : focal_store_next(ol->store, FOCAL_SHELF_REDACTION, at, &ol->key, NULL);
        if (st == FOCAL_NOT_FOUND)
            return FOCAL_OK;
        if (st != FOCAL_OK)
            return st;
        struct focal_ref ref;
        if (ol->key.len < FOCAL_REF_BYTES)
            return FOCAL_DAMAGED;
        focal_ref_get(&ref, ol->key.data);
        if (!focal_id_equal(&ref.log, log) || ref.seq < from || ref.seq > to)
            return FOCAL_OK;
        extend(near, ref.seq);
    }
    return FOCAL_OK;
}

/* The borders of a run are what who hands it on says they are; that a seed does not reach farther than this is so for any
 * author who wants his entries to be erased. */
static void widen(struct near *near)
{
    near->low = near->low > SEED_REACH ? near->low - SEED_REACH : 1;
    near->high = near->high < UINT64_MAX - SEED_REACH ? near->high + SEED_REACH : UINT64_MAX;
}

enum focal_status focal_oplog_seeds_to_break(struct focal_oplog *ol, struct oplog_log *line, const struct focal_stretch *s, const struct focal_hash *hashes,
                                             const bool *gone, struct near *out)
{
    const struct oplog_log *trunk = focal_oplog_log_of(ol, &line->pub.id);
    const uint64_t last = s->first + (s->count - 1);
    struct near about = { .low = s->first, .high = last };
    *out = (struct near){ .low = UINT64_MAX };
    enum focal_status st = note_breach(ol, line, s, hashes, gone, out);
    widen(&about);
    if (st == FOCAL_OK && ol->redacted.count > 0)
        st = find_named(ol, &line->pub.id, about.low, about.high < UINT64_MAX ? about.high : UINT64_MAX - 1, out);
    if (trunk->stripped && trunk->stripped_to >= about.low) {
        extend(out, 1);
        extend(out, trunk->stripped_to);
    }
    if (out->high > 0)
        widen(out);
    return st;
}

bool focal_oplog_has_seed_in(const struct focal_stretch *s, const struct near *near)
{
    for (size_t r = 0; r < s->run_count; r++) {
        if (s->runs[r].has_seed && s->runs[r].first <= near->high && s->runs[r].last >= near->low)
            return true;
    }
    return false;
}

/* ---- what is held -------------------------------------------------------------------------------------------------------- */

/* What waits for its signature is dropped where it holds such a seed, and comes again. */
static enum focal_status mend_staging(struct focal_oplog *ol, struct oplog_log *line, const struct near *near)
{
    for (uint64_t next = line->pub.head.seq + 1; next <= line->pub.staged.seq;) {
        struct segment piece;
        struct focal_stretch s;
        enum focal_status st = focal_oplog_segment_at(ol, &line->pub.line, next, true, &piece);
        focal_arena_reset(&ol->arena);
        if (st == FOCAL_OK)
            st = focal_stretch_unpack(ol->packer, &s, &ol->arena, piece.packed);
        if (st == FOCAL_OK && !focal_oplog_has_seed_in(&s, near)) {
            next = piece.last.seq + 1;
            continue;
        }
        if (st != FOCAL_OK && st != FOCAL_NOT_FOUND && st != FOCAL_DAMAGED && st != FOCAL_MALFORMED)
            return st;
        ol->scrub_due = true;
        return focal_oplog_staging_drop(ol, line);
    }
    return FOCAL_OK;
}

/* Spells out the seeds of runs that overlap this in every segment of a line that they may lie in. */
static enum focal_status mend_line(struct focal_oplog *ol, struct oplog_log *line, const struct near *near)
{
    struct near held = *near;
    widen(&held);
    enum focal_status st = mend_staging(ol, line, near);
    for (uint64_t next = held.low > line->pub.base.seq ? held.low : line->pub.base.seq + 1; st == FOCAL_OK && next <= line->pub.head.seq && next <= held.high;) {
        struct segment seg;
        struct focal_stretch s, spelt;
        struct focal_hash *hashes;
        st = focal_oplog_segment_of(ol, ol->store, &line->pub.line, next, false, &seg);
        if (st == FOCAL_OK)
            st = focal_oplog_segment_load(ol, line, seg.first, &seg, &s, &hashes);
        if (st != FOCAL_OK)
            break;
        next = seg.last.seq + 1;
        if (!focal_oplog_has_seed_in(&s, near) || FOCAL_PLANTED(SEED_REACHES_STRIPPED))
            continue;
        st = focal_oplog_strip(&spelt, &ol->arena, &s, NULL, near->low, near->high);
        ol->scrub_due = true;
        if (st == FOCAL_OK)
            st = focal_oplog_segment_again(ol, line, &seg, &spelt);
    }
    return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
}

/* On every line of the log: two that part within a run have its seed in common. */
enum focal_status focal_oplog_breaches_mend(struct focal_oplog *ol)
{
    enum focal_status st = FOCAL_OK;
    while (st == FOCAL_OK && ol->breach_count > 0) {
        const struct breach b = ol->breaches[--ol->breach_count];
        struct near near = { .low = b.low, .high = b.high };
        widen(&near);
        for (struct oplog_log *line = focal_oplog_log_of(ol, &b.line->pub.id); line && st == FOCAL_OK; line = line->next_line)
            st = line->void_here ? FOCAL_OK : mend_line(ol, line, &near);
    }
    return st;
}

/* What is named before it comes: its seed may be here already, with what stands before it. */
enum focal_status focal_oplog_breach_ahead(struct focal_oplog *ol, const struct redaction_target *t)
{
    enum focal_status st = FOCAL_OK;
    for (struct oplog_log *line = focal_oplog_log_of(ol, &t->ref.log); line && st == FOCAL_OK; line = line->next_line) {
        const uint64_t head = line->pub.staged.seq;
        if (!line->void_here && focal_oplog_redactable(&line->pub) && t->ref.seq > line->pub.head.seq && t->ref.seq <= head + SEED_REACH)
            st = focal_oplog_breach(ol, line, t->ref.seq, t->ref.seq);
    }
    return st;
}
