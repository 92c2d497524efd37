/* What is signed of a log, read back: of each entry its header and the commitment to its content. And what is made of it:
 * the proof that one key signed two branches, which anybody can check without a node. */
#include "inner.h"

#include <string.h>

enum { SKELETON_BYTES_MAX = 8 << 20 };

enum focal_status skeleton_open(struct skeleton *s, struct focal_node *n, const struct focal_log *line, uint64_t from)
{
    memset(s, 0, sizeof *s);
    focal_buf_init(&s->packed, 1 << 20);
    focal_arena_init(&s->arena, SKELETON_BYTES_MAX);
    struct focal_packer *packer = focal_packer_open();
    struct focal_piece piece;
    enum focal_status st = packer ? focal_oplog_read(n->oplog, line, from, FOCAL_SEGMENT_PACKED_MAX, &piece, &s->packed) : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK)
        st = focal_stretch_unpack(packer, &s->stretch, &s->arena, focal_buf_view(&s->packed));
    focal_packer_close(packer);
    if (st != FOCAL_OK)
        skeleton_close(s);
    return st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
}

void skeleton_close(struct skeleton *s)
{
    focal_buf_close(&s->packed);
    focal_arena_close(&s->arena);
    memset(s, 0, sizeof *s);
}

static bool commitment_of(const struct focal_stretch *stretch, size_t i, struct focal_hash *c)
{
    uint8_t salt[FOCAL_SALT_BYTES];
    if (!stretch->entries[i].has_payload) {
        *c = stretch->entries[i].c;
        return true;
    }
    if (!focal_stretch_salt(stretch, i, salt, focal_salt_from_seed))
        return false;
    focal_commitment(c, salt, stretch->entries[i].payload);
    return true;
}

static bool fits_hash(const void *data, const struct focal_hash *h)
{
    return focal_hash_equal(data, h);
}

/* The line on the way to `line`'s head that holds the entry at seq itself. */
static const struct focal_log *line_at(struct focal_node *n, const struct focal_log *line, uint64_t seq)
{
    while (line && seq <= line->base.seq)
        line = focal_oplog_parent(n->oplog, line);
    return line;
}

static enum focal_status way(struct focal_node *n, const struct focal_log *tip_line, uint64_t from, uint64_t to, focal_proof_entry *each, void *data)
{
    enum focal_status st = FOCAL_OK;
    while (from <= to && st == FOCAL_OK) {
        const struct focal_log *line = line_at(n, tip_line, from);
        struct skeleton s;
        if (!line)
            return FOCAL_NOT_FOUND;
        st = skeleton_open(&s, n, line, from);
        if (st != FOCAL_OK)
            return st;
        const uint64_t first = from;
        for (size_t i = 0; i < s.stretch.count && from <= to && st == FOCAL_OK && line_at(n, tip_line, from) == line; i++) {
            struct focal_hash c;
            if (s.stretch.first + i < first)
                continue;
            st = commitment_of(&s.stretch, i, &c) ? each(data, from, s.stretch.entries[i].header, &c) : FOCAL_DAMAGED;
            from++;
        }
        if (st == FOCAL_OK && from == first)
            st = FOCAL_DAMAGED;         /* a piece that begins after what was asked for */
        skeleton_close(&s);
    }
    return st;
}

enum focal_status focal_node_proof_way(struct focal_node *n, const struct focal_incident *is, int which, focal_proof_entry *each, void *data)
{
    struct focal_id log;
    const struct focal_log *line = NULL;
    const struct focal_tip *tip = &is->tips[which];
    if (tip->seq == 0 || tip->seq <= is->base.seq)
        return FOCAL_NOT_FOUND;
    focal_log_id(&log, focal_oplog_network(n->oplog), &is->log);
    enum focal_status st = focal_oplog_line_with(n->oplog, &log, tip->seq, fits_hash, &tip->h, &line);
    return st == FOCAL_OK ? way(n, line, is->base.seq + 1, tip->seq, each, data) : st;
}

enum focal_status focal_node_incident(struct focal_node *n, uint64_t number, struct focal_incident *out)
{
    enum focal_status st = number ? focal_oplog_next_incident(n->oplog, number - 1, out) : FOCAL_NOT_FOUND;
    return st == FOCAL_OK && out->number != number ? FOCAL_NOT_FOUND : st;
}
