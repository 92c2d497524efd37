/* Unpacking a stretch. What a peer sent is bounded by the caps before anything is made of it, and every entry made is
 * decoded again, so that nothing but canonical entries comes out. */
#include "pack.h"

static enum focal_status columns_of(struct focal_packer *p, struct focal_span *columns, const struct pack_head *head,
                                    struct focal_cur *cur)
{
    struct focal_span stored = focal_cur_bytes(cur, head->frame);
    if (cur->failed)
        return FOCAL_MALFORMED;
    *columns = stored;
    return head->form == FORM_STORED ? FOCAL_OK : focal_pack_swell(p, columns, stored, head->columns);
}

/* Every column and every raw part must be used up exactly: bytes that nobody reads are bytes that pack did not write. */
static bool used_up(const struct unpacking *u)
{
    for (size_t c = COLUMN_FLAGS; c < COLUMN_COUNT; c++) {
        if (!focal_cur_done(&u->columns[c]))
            return false;
    }
    for (size_t t = 0; t < u->packer->tag_count; t++) {
        if (!focal_cur_done(&u->values[t]))
            return false;
    }
    return focal_cur_done(&u->record_h8) && focal_cur_done(&u->replaced_h8) && focal_cur_done(&u->commitments)
        && u->at == u->end;
}

/* Seeds and salts; how many a run has is known only now that the entries are. */
static enum focal_status take_salts(struct unpacking *u, struct focal_arena *arena)
{
    struct focal_stretch *s = u->stretch;
    for (size_t r = 0; r < s->run_count; r++) {
        struct focal_salt_run *run = &s->runs[r];
        if (run->has_seed) {
            focal_cur_copy(&u->salts, run->seed, sizeof run->seed);
            continue;
        }
        /* Asked before the run's part of the stretch is looked at: a run beside the stretch has none. */
        uint64_t stretch_last = s->first + (s->count - 1);
        if (run->first > stretch_last || run->last < s->first)
            return FOCAL_MALFORMED;
        struct focal_span salts = focal_cur_bytes(&u->salts, 16 * focal_pack_run_payloads(s, run));
        uint8_t *copy = focal_arena_copy(arena, salts.data, salts.len);
        if (!copy)
            return FOCAL_NO_MEMORY;
        run->salts = focal_span_of(copy, salts.len);
    }
    return focal_cur_done(&u->salts) && focal_pack_runs_fit(s) ? FOCAL_OK : FOCAL_MALFORMED;
}

static enum focal_status take_entries(struct unpacking *u, struct focal_arena *arena, size_t canonical)
{
    struct focal_stretch *s = u->stretch;
    s->entries = focal_arena_alloc(arena, s->count * sizeof s->entries[0]);
    u->at = focal_arena_alloc(arena, canonical);
    if (!s->entries || !u->at)
        return FOCAL_NO_MEMORY;
    u->end = u->at + canonical;
    for (size_t i = 0; i < s->count; i++) {
        if (!focal_unpack_entry(u, i))
            return FOCAL_MALFORMED;
    }
    return used_up(u) ? take_salts(u, arena) : FOCAL_MALFORMED;
}

static enum focal_status unpack(struct focal_packer *p, struct focal_stretch *out, struct focal_arena *arena,
                                struct focal_span packed)
{
    struct focal_cur raw = focal_cur_of(packed);
    struct pack_head head;
    enum focal_status status = focal_pack_head_read(&head, &raw);
    if (status != FOCAL_OK)
        return status;
    focal_pack_forget(p);
    struct focal_span bytes;
    status = columns_of(p, &bytes, &head, &raw);
    if (status != FOCAL_OK)
        return status;
    out->first = head.first;
    out->count = head.count;
    struct unpacking u = { .packer = p, .stretch = out };
    struct focal_cur columns = focal_cur_of(bytes);
    if (!focal_unpack_dictionary(&u, &columns, arena, &status))
        return status;
    if (!focal_unpack_split(&u, &columns, &raw))
        return FOCAL_MALFORMED;
    return take_entries(&u, arena, head.canonical);
}

enum focal_status focal_stretch_unpack(struct focal_packer *p, struct focal_stretch *out, struct focal_arena *arena,
                                       struct focal_span packed)
{
    *out = (struct focal_stretch){ 0 };
    enum focal_status status = unpack(p, out, arena, packed);
    if (status != FOCAL_OK)
        *out = (struct focal_stretch){ 0 };
    return status;
}
