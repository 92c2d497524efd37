/* Verify: did what is redacted go? Verify reads a snapshot, but which redactions are in force is known of now. So what looks
 * as if it had stayed is looked at once more as it is now: between two transactions nothing that is in force is left undone. */
#include "verify.h"

static enum focal_status has_payload_now(struct focal_verify *v, const struct verify_log *log, uint64_t seq, bool *has)
{
    const struct oplog_log *line = focal_oplog_line_of(v->ol, &log->log.line);
    struct segment seg;
    struct focal_stretch s;
    struct focal_hash *hashes;
    *has = false;
    enum focal_status st = line ? focal_oplog_segment_of(v->ol, v->ol->store, &log->log.line, seq, false, &seg) : FOCAL_NOT_FOUND;
    if (st == FOCAL_OK)
        st = focal_oplog_segment_load(v->ol, line, seg.first, &seg, &s, &hashes);
    if (st == FOCAL_OK)
        *has = s.entries[seq - s.first].has_payload;
    return st == FOCAL_NOT_FOUND || st == FOCAL_DAMAGED ? FOCAL_OK : st;
}

static enum focal_status hidden_in(struct focal_verify *v, struct focal_store *store, const struct verify_log *log, uint64_t seq, bool *is)
{
    uint8_t key[SEGMENT_KEY_BYTES];
    enum focal_status st = focal_store_get(store, FOCAL_SHELF_HIDDEN, focal_oplog_segment_key(key, &log->log.line, seq), &v->index);
    *is = st == FOCAL_OK;
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

static enum focal_status look_at(struct focal_verify *v, const struct verify_log *log, const struct focal_stretch_entry *e, uint64_t seq, const struct focal_hash *h)
{
    struct entry_name name;
    struct redaction_force force;
    bool still = false;
    focal_oplog_entry_name(v->ol, &name, &log->log, e->header, seq, h);
    if (!name.makes_part)
        return FOCAL_OK;
    if (!focal_oplog_maybe_redacted(v->ol, &name.record) && !focal_oplog_maybe_redacted(v->ol, &name.ref))
        return FOCAL_OK;
    enum focal_status st = focal_oplog_force(v->ol, &name, &log->log, &force);
    if (st != FOCAL_OK || !force.in_force)
        return st;
    if (e->has_payload) {
        st = has_payload_now(v, log, seq, &still);
        if (st == FOCAL_OK && still)
            focal_verify_note_log(v, log, seq, "a redaction in force names it, and what it says is still here");
    } else if (force.offices >= 2) {
        st = hidden_in(v, v->store, log, seq, &still);
        if (st == FOCAL_OK && still)
            st = hidden_in(v, v->ol->store, log, seq, &still);
        if (st == FOCAL_OK && still)
            focal_verify_note_log(v, log, seq, "two offices have redacted it, and what it says is still kept hidden");
    }
    return st;
}

/* A run that says itself that it reaches a stripped entry. */
static bool seed_reaches(const struct focal_stretch *s, uint64_t seq)
{
    for (size_t r = 0; r < s->run_count; r++) {
        if (s->runs[r].has_seed && s->runs[r].first <= seq && s->runs[r].last >= seq)
            return true;
    }
    return false;
}

enum focal_status focal_verify_redacted(struct focal_verify *v, const struct verify_log *log, const struct focal_stretch *stretch, const struct focal_hash *hashes)
{
    enum focal_status st = FOCAL_OK;
    if (!focal_oplog_redactable(&log->log))
        return FOCAL_OK;
    for (size_t i = 0; i < stretch->count && st == FOCAL_OK; i++) {
        const struct focal_stretch_entry *e = &stretch->entries[i];
        if (!e->has_payload && seed_reaches(stretch, stretch->first + i))
            focal_verify_note_log(v, log, stretch->first + i, "it was redacted, and the seed of its salt is still here");
        if (v->ol->redacted.count > 0)
            st = look_at(v, log, e, stretch->first + i, &hashes[i]);
    }
    return st;
}
