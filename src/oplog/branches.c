/* The lines of a forked log.
 *
 *      1 ── 2 ── 3 ── 4 ── 5        the trunk: the line whose entries came first
 *                └── 3' ── 4'       a branch: base 2, head 4'
 *
 * Every line is stored, staged, read and verified as a log is, under a name of its own. Which line is the trunk, and
 * where a branch leaves which other, is this node's own affair; the set of entries, and so the set of tips, is the
 * same on every node that holds them. */
#include "inside.h"

void focal_oplog_line_id(struct focal_id *out, const struct focal_id *log, uint32_t number)
{
    uint8_t be[4];
    struct focal_hash h;
    focal_oplog_put_be32(be, number);
    const struct focal_span parts[] = { focal_span_text("focal line 1"), { log->b, sizeof log->b }, { be, sizeof be } };
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out->b, h.b, sizeof out->b);
}

static struct oplog_log *trunk_of(struct oplog_log *line)
{
    while (line->parent)
        line = line->parent;
    return line;
}

void focal_oplog_forked_again(struct oplog_log *trunk)
{
    trunk->pub.forked = false;
    for (const struct oplog_log *line = trunk->next_line; line; line = line->next_line)
        trunk->pub.forked |= focal_oplog_has_entries(line);
}

enum focal_status focal_oplog_branch_add(struct focal_oplog *ol, struct oplog_log **out, struct oplog_log *parent, const struct focal_tip *base, uint32_t number)
{
    struct oplog_log *trunk = trunk_of(parent), *last = trunk;
    struct oplog_log *line = focal_alloc(sizeof *line);
    if (!line)
        return FOCAL_NO_MEMORY;
    line->parent = parent;
    line->number = number ? number : trunk->branch_count + 1;
    line->granted = trunk->granted;
    line->pub = trunk->pub;
    line->pub.base = *base;
    line->pub.forked = line->pub.clipped = false;
    focal_oplog_line_id(&line->pub.line, &trunk->pub.id, line->number);
    enum focal_status st = focal_oplog_line_keep(ol, line);
    if (st != FOCAL_OK)
        return st;
    if (trunk->branch_count < line->number)
        trunk->branch_count = line->number;
    while (last->next_line)
        last = last->next_line;
    last->next_line = line;
    *out = line;
    return FOCAL_OK;
}

void focal_oplog_branch_move(struct oplog_log *line, struct oplog_log *parent, const struct focal_tip *base)
{
    line->parent = parent;
    line->pub.base = line->pub.head = line->pub.staged = *base;
    line->staged_bytes = line->staged_entries = 0;
    line->void_here = line->limited = line->pub.clipped = false;
}

/* ---- asked --------------------------------------------------------------------------------------------------------------------- */

const struct focal_log *focal_oplog_next_line(const struct focal_oplog *ol, const struct focal_id *log, const struct focal_log *after)
{
    const struct oplog_log *line = after ? focal_oplog_line_of(ol, &after->line)->next_line : focal_oplog_log_of(ol, log);
    while (line && !focal_oplog_has_entries(line))
        line = line->next_line;
    return line ? &line->pub : NULL;
}

/* Of a line that a cut clips to where a branch leaves it, the branch's tip says it all. */
bool focal_oplog_ends_at_tip(const struct focal_oplog *ol, const struct oplog_log *line)
{
    const uint64_t tip = focal_log_tip(&line->pub)->seq;
    if (tip <= line->pub.base.seq)
        return false;
    if (!line->pub.clipped)
        return true;
    for (const struct oplog_log *other = focal_oplog_log_of(ol, &line->pub.id); other; other = other->next_line) {
        if (other->parent == line && other->pub.base.seq >= tip && focal_log_tip(&other->pub)->seq > other->pub.base.seq)
            return false;
    }
    return true;
}

const struct focal_log *focal_oplog_next_tip(const struct focal_oplog *ol, const struct focal_id *log, const struct focal_log *after)
{
    const struct oplog_log *line = after ? focal_oplog_line_of(ol, &after->line)->next_line : focal_oplog_log_of(ol, log);
    while (line && !focal_oplog_ends_at_tip(ol, line))
        line = line->next_line;
    return line ? &line->pub : NULL;
}

const struct focal_log *focal_oplog_parent(const struct focal_oplog *ol, const struct focal_log *log)
{
    const struct oplog_log *line = focal_oplog_line_of(ol, &log->line);
    return line->parent ? &line->parent->pub : NULL;
}

enum focal_status focal_oplog_hash_on(struct focal_oplog *ol, const struct focal_log *line, uint64_t seq, struct focal_hash *out)
{
    if (seq > line->head.seq)
        return FOCAL_NOT_FOUND;
    focal_arena_reset(&ol->arena);
    enum focal_status st = focal_oplog_hash_at(ol, ol->store, line, seq, out);
    return st == FOCAL_NOT_FOUND ? FOCAL_DAMAGED : st;
}

enum focal_status focal_oplog_line_with(struct focal_oplog *ol, const struct focal_id *log, uint64_t seq,
                                        bool (*fits)(const void *data, const struct focal_hash *h), const void *data, const struct focal_log **line)
{
    for (const struct oplog_log *at = focal_oplog_log_of(ol, log); at; at = at->next_line) {
        struct focal_hash h;
        if (seq <= at->pub.base.seq || seq > at->pub.head.seq)
            continue;           /* what is below its base stands on another line */
        enum focal_status st = focal_oplog_hash_on(ol, &at->pub, seq, &h);
        if (st != FOCAL_OK)
            return st;
        if (!fits(data, &h))
            continue;
        *line = &at->pub;
        return FOCAL_OK;
    }
    return FOCAL_NOT_FOUND;
}
