/* Cutting stretches, joining them, and hashing along them. */
#include "inside.h"

/* ---- salt runs ---------------------------------------------------------------------------------------------------------- */

static uint64_t last_of(const struct focal_stretch *s)
{
    return s->first + (s->count - 1);
}

/* The places of a run's entries in a stretch: from..to, to excluded. */
static void places(const struct focal_stretch *s, const struct focal_salt_run *run, size_t *from, size_t *to)
{
    uint64_t first = run->first > s->first ? run->first : s->first;
    uint64_t last = run->last < last_of(s) ? run->last : last_of(s);
    *from = *to = 0;
    if (first <= last) {
        *from = (size_t)(first - s->first);
        *to = (size_t)(last - s->first) + 1;
    }
}

/* The run as it stands in the cut: an explicit one keeps the salts of entries that stay. */
static bool cut_run(struct focal_salt_run *out, struct focal_arena *arena, const struct focal_stretch *s,
                    const struct focal_salt_run *run, size_t from, size_t count)
{
    *out = *run;
    if (run->has_seed)
        return true;
    size_t i, to, n = 0;
    places(s, run, &i, &to);
    uint8_t *salts = focal_arena_alloc(arena, run->salts.len);
    if (!salts)
        return false;
    for (size_t at = 0; i < to; i++) {
        if (!s->entries[i].has_payload)
            continue;
        focal_assert(at + FOCAL_SALT_BYTES <= run->salts.len);
        if (i >= from && i < from + count) {
            memcpy(salts + n, run->salts.data + at, FOCAL_SALT_BYTES);
            n += FOCAL_SALT_BYTES;
        }
        at += FOCAL_SALT_BYTES;
    }
    out->salts = focal_span_of(salts, n);
    return true;
}

enum focal_status focal_oplog_cut(struct focal_stretch *out, struct focal_arena *arena, const struct focal_stretch *s, size_t from, size_t count)
{
    focal_assert(count > 0 && from <= s->count && count <= s->count - from);
    *out = (struct focal_stretch){ .first = s->first + from, .count = count, .entries = s->entries + from };
    out->runs = focal_arena_alloc(arena, s->run_count * sizeof *out->runs);
    if (!out->runs)
        return FOCAL_NO_MEMORY;
    for (size_t r = 0; r < s->run_count; r++) {
        size_t a, b;
        places(out, &s->runs[r], &a, &b);
        if (a == b)
            continue;
        if (!cut_run(&out->runs[out->run_count++], arena, s, &s->runs[r], from, count))
            return FOCAL_NO_MEMORY;
    }
    return FOCAL_OK;
}

/* The salts of a run's entries in a stretch, one by one. */
static bool spell_out(struct focal_span *salts, struct focal_arena *arena, const struct focal_stretch *s, const struct focal_salt_run *run)
{
    if (!run->has_seed) {
        *salts = run->salts;
        return true;
    }
    size_t i, to, n = 0;
    places(s, run, &i, &to);
    uint8_t *out = focal_arena_alloc(arena, (to - i) * FOCAL_SALT_BYTES);
    if (!out)
        return false;
    for (; i < to; i++) {
        if (!s->entries[i].has_payload)
            continue;
        focal_salt_from_seed(out + n, run->seed, s->first + i);
        n += FOCAL_SALT_BYTES;
    }
    *salts = focal_span_of(out, n);
    return true;
}

/* The last run so far and the first of what follows are meant to be one run, cut in two. From an author who plays with
 * overlapping runs they are not; then each keeps the salts of its own entries, and nothing of the other. */
static bool join_runs(struct focal_salt_run *last, const struct focal_stretch *left, struct focal_salt_run *next,
                      const struct focal_stretch *right, struct focal_arena *arena, bool *one)
{
    *one = last->first == next->first && last->last == next->last;
    if (*one && last->has_seed && next->has_seed && memcmp(last->seed, next->seed, sizeof last->seed) == 0)
        return true;
    struct focal_span a, b;
    if (!spell_out(&a, arena, left, last) || !spell_out(&b, arena, right, next))
        return false;
    last->has_seed = next->has_seed = false;
    memset(last->seed, 0, sizeof last->seed);
    memset(next->seed, 0, sizeof next->seed);
    last->salts = a;
    next->salts = b;
    if (!*one) {
        last->last = last_of(left);
        next->first = right->first;
        return true;
    }
    uint8_t *both = focal_arena_alloc(arena, a.len + b.len);
    if (!both)
        return false;
    if (a.len)
        memcpy(both, a.data, a.len);
    if (b.len)
        memcpy(both + a.len, b.data, b.len);
    last->salts = focal_span_of(both, a.len + b.len);
    return true;
}

/* The salts of a run's entries that stay. */
static bool strip_run(struct focal_salt_run *run, struct focal_arena *arena, const struct focal_stretch *s, const bool *gone, bool spell)
{
    size_t from, to, n = 0, at = 0;
    bool any = false;
    places(s, run, &from, &to);
    for (size_t i = from; gone && i < to; i++)
        any = any || gone[i];
    if (!any && !(spell && run->has_seed))
        return true;
    struct focal_span all;
    uint8_t *kept = focal_arena_alloc(arena, (to - from) * FOCAL_SALT_BYTES);
    if (!kept || !spell_out(&all, arena, s, run))
        return false;
    for (size_t i = from; i < to; i++) {
        if (!s->entries[i].has_payload)
            continue;
        if (!gone || !gone[i]) {
            memcpy(kept + n, all.data + at, FOCAL_SALT_BYTES);
            n += FOCAL_SALT_BYTES;
        }
        at += FOCAL_SALT_BYTES;
    }
    run->has_seed = false;
    memset(run->seed, 0, sizeof run->seed);
    run->salts = focal_span_of(kept, n);
    return true;
}

enum focal_status focal_oplog_strip(struct focal_stretch *out, struct focal_arena *arena, const struct focal_stretch *s, const bool *gone, uint64_t low, uint64_t high)
{
    *out = *s;
    out->entries = focal_arena_copy(arena, s->entries, s->count * sizeof *s->entries);
    out->runs = focal_arena_copy(arena, s->runs, s->run_count * sizeof *s->runs);
    if (!out->entries || !out->runs)
        return FOCAL_NO_MEMORY;
    for (size_t r = 0; r < s->run_count; r++) {
        if (!strip_run(&out->runs[r], arena, s, gone, s->runs[r].first <= high && s->runs[r].last >= low))
            return FOCAL_NO_MEMORY;
    }
    for (size_t i = 0; gone && i < s->count; i++) {
        if (!gone[i])
            continue;
        out->entries[i].has_payload = false;
        out->entries[i].payload = focal_span_of(NULL, 0);
    }
    return FOCAL_OK;
}

/* A run of which anything is stripped must not carry its seed. */
static bool break_runs(struct focal_stretch *s, struct focal_arena *arena)
{
    for (size_t r = 0; r < s->run_count; r++) {
        struct focal_salt_run *run = &s->runs[r];
        size_t i, to;
        places(s, run, &i, &to);
        while (run->has_seed && i < to && (FOCAL_PLANTED(SEED_KEPT) || s->entries[i].has_payload))
            i++;
        if (!run->has_seed || i == to)
            continue;
        if (!spell_out(&run->salts, arena, s, run))
            return false;
        run->has_seed = false;
        memset(run->seed, 0, sizeof run->seed);
    }
    return true;
}

enum focal_status focal_oplog_join(struct focal_stretch *out, struct focal_arena *arena, const struct focal_stretch *parts, size_t count)
{
    size_t entries = 0, runs = 0;
    for (size_t i = 0; i < count; i++) {
        focal_assert(i == 0 || parts[i].first == last_of(&parts[i - 1]) + 1);
        entries += parts[i].count;
        runs += parts[i].run_count;
    }
    *out = (struct focal_stretch){ .first = parts[0].first };
    out->entries = focal_arena_alloc(arena, entries * sizeof *out->entries);
    out->runs = focal_arena_alloc(arena, runs * sizeof *out->runs);
    if (!out->entries || !out->runs)
        return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct focal_stretch *part = &parts[i];
        size_t before = out->run_count;
        for (size_t r = 0; r < part->run_count; r++) {
            struct focal_salt_run run = part->runs[r];
            struct focal_salt_run *last = out->run_count ? &out->runs[out->run_count - 1] : NULL;
            bool one = false;
            if (last && out->run_count == before && last->last >= run.first
                && !join_runs(last, out, &run, part, arena, &one))
                return FOCAL_NO_MEMORY;
            if (!one)
                out->runs[out->run_count++] = run;
            else
                before = SIZE_MAX;
        }
        memcpy(out->entries + out->count, part->entries, part->count * sizeof *part->entries);
        out->count += part->count;
    }
    return break_runs(out, arena) ? FOCAL_OK : FOCAL_NO_MEMORY;
}

/* ---- hashes ---------------------------------------------------------------------------------------------------------------- */

void focal_oplog_hash(struct focal_hash *out, const struct focal_stretch *s, size_t from, size_t count, const struct focal_id *log,
                      const struct focal_hash *before)
{
    const struct focal_hash *h = before;
    for (size_t i = from; i < from + count; i++) {
        const struct focal_stretch_entry *e = &s->entries[i];
        struct focal_hash c = e->c;
        uint8_t salt[FOCAL_SALT_BYTES];
        if (e->has_payload) {
            bool found = focal_stretch_salt(s, i, salt, focal_salt_from_seed);
            focal_assert(found);
            focal_commitment(&c, salt, e->payload);
        }
        focal_chain_next(&out[i - from], h, log, e->header, &c);
        h = &out[i - from];
    }
}

enum focal_status focal_oplog_segment_load(struct focal_oplog *ol, const struct oplog_log *line, uint64_t first, struct segment *seg, struct focal_stretch *s,
                                           struct focal_hash **hashes)
{
    focal_arena_reset(&ol->arena);
    enum focal_status st = focal_oplog_segment_at(ol, &line->pub.line, first, false, seg);
    if (st == FOCAL_OK)
        st = focal_stretch_unpack(ol->packer, s, &ol->arena, seg->packed);
    if (st != FOCAL_OK)
        return st == FOCAL_NOT_FOUND || st == FOCAL_MALFORMED ? FOCAL_DAMAGED : st;
    *hashes = focal_arena_alloc(&ol->arena, s->count * sizeof **hashes);
    if (!*hashes)
        return FOCAL_NO_MEMORY;
    focal_oplog_hash(*hashes, s, 0, s->count, &line->pub.id, &seg->before);
    return FOCAL_OK;
}

static bool kept(const struct kept_hashes *k, const struct focal_log *line, uint64_t seq, struct focal_hash *out)
{
    if (k->count == 0 || seq < k->first || seq - k->first >= k->count || !focal_id_equal(&k->line, &line->line))
        return false;
    *out = k->h[seq - k->first];
    return true;
}

static enum focal_status room_for(struct kept_hashes *k, size_t count)
{
    if (count <= k->cap)
        return FOCAL_OK;
    void *grown = focal_realloc(k->h, count * sizeof *k->h);
    if (!grown)
        return FOCAL_NO_MEMORY;
    k->h = grown;
    k->cap = count;
    return FOCAL_OK;
}

/* The h of each entry of a segment. Unpacked in memory of its own: who asks for many while he has a stretch in the arena must
 * not fill that. */
static enum focal_status keep(struct focal_oplog *ol, const struct focal_log *line, const struct segment *seg)
{
    struct kept_hashes *k = &ol->kept;
    struct focal_stretch s;
    struct focal_arena arena;
    k->count = 0;
    focal_arena_init(&arena, ARENA_BYTES_MAX);
    enum focal_status st = focal_stretch_unpack(ol->packer, &s, &arena, seg->packed);
    if (st == FOCAL_OK)
        st = room_for(k, s.count);
    if (st == FOCAL_OK) {
        focal_oplog_hash(k->h, &s, 0, s.count, &line->id, &seg->before);
        k->line = line->line;
        k->first = seg->first;
        k->count = s.count;
    }
    focal_arena_close(&arena);
    return st == FOCAL_OK || st == FOCAL_NO_MEMORY ? st : FOCAL_DAMAGED;
}

enum focal_status focal_oplog_hash_at(struct focal_oplog *ol, struct focal_store *store, const struct focal_log *log, uint64_t seq, struct focal_hash *out)
{
    while (seq < log->base.seq)
        log = focal_oplog_parent(ol, log);
    if (seq == log->base.seq) {
        *out = log->base.h;
        return FOCAL_OK;
    }
    if (seq == log->head.seq || seq == log->staged.seq) {
        *out = seq == log->head.seq ? log->head.h : log->staged.h;
        return FOCAL_OK;
    }
    const bool staged = seq > log->head.seq;
    if (!staged && store == ol->store && kept(&ol->kept, log, seq, out))
        return FOCAL_OK;
    struct segment s;
    ol->looks++;
    enum focal_status st = focal_oplog_segment_of(ol, store, &log->line, seq, staged, &s);
    if (st != FOCAL_OK || s.last.seq == seq) {
        *out = s.last.h;
        return st;
    }
    st = keep(ol, log, &s);
    if (st != FOCAL_OK)
        return st;
    *out = ol->kept.h[seq - s.first];
    if (staged || store != ol->store)       /* it may yet give way to something else */
        ol->kept.count = 0;
    return FOCAL_OK;
}
