/* Cutting, joining and stripping stretches: whatever is cut where, and however an author lays his runs, every entry keeps its
 * own salt, no seed reaches a stripped entry, and what comes out can be packed. */
#include "inside.h"
#include "offices.h"

enum { ENTRIES_MAX = 24, RUNS_MAX = 8, PARTS_MAX = 5 };

/* A stretch with memory of its own. */
struct made {
    struct focal_stretch s;
    struct focal_stretch_entry entries[ENTRIES_MAX];
    struct focal_salt_run runs[RUNS_MAX];
    uint8_t headers[ENTRIES_MAX][8], salts[RUNS_MAX][ENTRIES_MAX * FOCAL_SALT_BYTES];
};

static const uint8_t payload[] = { FOCAL_KIND_CASE };
static const struct focal_id log_id = { { 3 } };
static struct focal_packer *packer;

static int open_packer(void **state)
{
    (void)state;
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    packer = focal_packer_open();
    return packer ? 0 : -1;
}

static int close_packer(void **state)
{
    (void)state;
    focal_packer_close(packer);
    return 0;
}

/* bare: by place, whether an entry is stripped. */
static void make_entries(struct made *m, uint64_t first, size_t count, const bool *bare)
{
    memset(m, 0, sizeof *m);
    m->s = (struct focal_stretch){ .first = first, .count = count, .entries = m->entries, .runs = m->runs };
    for (size_t i = 0; i < count; i++) {
        const struct focal_header header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = first + i, .creates = true };
        struct focal_buf bytes;
        focal_buf_init(&bytes, sizeof m->headers[i]);
        focal_header_encode(&bytes, &header);
        assert_false(bytes.failed);
        memcpy(m->headers[i], bytes.data, bytes.len);
        m->entries[i] = (struct focal_stretch_entry){ .header = focal_span_of(m->headers[i], bytes.len), .has_payload = !bare[i] };
        if (bare[i])
            memset(m->entries[i].c.b, (int)(first + i), sizeof m->entries[i].c.b);
        else
            m->entries[i].payload = focal_span_of(payload, sizeof payload);
        focal_buf_close(&bytes);
    }
}

/* Seeded where all of it that lies here has its payload and it is asked for; else spelled out. */
static void add_run(struct made *m, uint64_t first, uint64_t last, uint8_t seed, bool seeded)
{
    const size_t r = m->s.run_count++;
    size_t n = 0;
    assert_true(r < RUNS_MAX);
    for (size_t i = 0; i < m->s.count; i++) {
        const uint64_t seq = m->s.first + i;
        if (seq >= first && seq <= last && !m->entries[i].has_payload)
            seeded = false;
    }
    m->runs[r] = (struct focal_salt_run){ .first = first, .last = last, .has_seed = seeded };
    if (seeded)
        memset(m->runs[r].seed, seed, sizeof m->runs[r].seed);
    for (size_t i = 0; i < m->s.count && !seeded; i++) {
        const uint64_t seq = m->s.first + i;
        if (seq >= first && seq <= last && m->entries[i].has_payload)
            memset(m->salts[r] + n++ * FOCAL_SALT_BYTES, (int)(seed + seq), FOCAL_SALT_BYTES);
    }
    m->runs[r].salts = focal_span_of(m->salts[r], n * FOCAL_SALT_BYTES);
}

/* Well formed, and nothing of a stripped entry can be found out by a seed. */
static void assert_sound(const struct focal_stretch *s)
{
    struct focal_buf out;
    focal_buf_init(&out, 1 << 20);
    assert_int_equal(focal_stretch_pack(packer, &out, s), FOCAL_OK);
    for (size_t r = 0; r < s->run_count; r++) {
        if (!s->runs[r].has_seed)
            assert_true(focal_bytes_zero(s->runs[r].seed, sizeof s->runs[r].seed));
        for (size_t i = 0; i < s->count && s->runs[r].has_seed; i++)
            assert_true(s->first + i < s->runs[r].first || s->first + i > s->runs[r].last || s->entries[i].has_payload);
    }
    focal_buf_close(&out);
}

/* Entry i of a is entry k of b, with the same salt. */
static void assert_same_entry(const struct focal_stretch *a, size_t i, const struct focal_stretch *b, size_t k)
{
    uint8_t one[FOCAL_SALT_BYTES], other[FOCAL_SALT_BYTES];
    assert_int_equal(a->first + i, b->first + k);
    assert_true(focal_span_equal(a->entries[i].header, b->entries[k].header));
    assert_int_equal(a->entries[i].has_payload, b->entries[k].has_payload);
    if (!a->entries[i].has_payload)
        return;
    assert_true(focal_stretch_salt(a, i, one, focal_salt_from_seed));
    assert_true(focal_stretch_salt(b, k, other, focal_salt_from_seed));
    assert_memory_equal(one, other, sizeof one);
}

static void make_by_chance(struct made *m, struct chance *c)
{
    bool bare[ENTRIES_MAX];
    const size_t count = 1 + chance_below(c, ENTRIES_MAX);
    const uint64_t first = 1 + chance_below(c, 30);
    for (size_t i = 0; i < count; i++)
        bare[i] = chance_below(c, 3) == 0;
    make_entries(m, first, count, bare);
    /* The first and the last run may reach beyond the stretch; gaps are stripped entries. */
    uint64_t at = first > 3 && chance_below(c, 2) ? first - chance_below(c, 3) : first;
    while (at < first + count && m->s.run_count < RUNS_MAX) {
        uint64_t last = m->s.run_count + 1 == RUNS_MAX ? first + count + 2 : at + chance_below(c, 6);
        if (last < first)
            last = first;
        add_run(m, at, last, (uint8_t)(40 * m->s.run_count + 1), chance_below(c, 2));
        at = last + 1;
        while (at < first + count && bare[at - first] && chance_below(c, 2))
            at++;
    }
}

static void cut_and_joined_again(void **state)
{
    (void)state;
    struct chance c = { .state = 5 };
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3000; round++) {
        struct made m;
        struct focal_stretch parts[PARTS_MAX], joined;
        struct focal_hash whole[ENTRIES_MAX], again[ENTRIES_MAX];
        const struct focal_hash before = { { 9 } };
        size_t n = 0;
        make_by_chance(&m, &c);
        assert_sound(&m.s);
        for (size_t from = 0; from < m.s.count; n++) {
            const size_t left = m.s.count - from, take = n + 1 == PARTS_MAX ? left : 1 + chance_below(&c, left);
            assert_int_equal(focal_oplog_cut(&parts[n], &arena, &m.s, from, take), FOCAL_OK);
            assert_sound(&parts[n]);
            for (size_t i = 0; i < take; i++)
                assert_same_entry(&parts[n], i, &m.s, from + i);
            from += take;
        }
        assert_int_equal(focal_oplog_join(&joined, &arena, parts, n), FOCAL_OK);
        assert_sound(&joined);
        assert_int_equal(joined.count, m.s.count);
        for (size_t i = 0; i < joined.count; i++)
            assert_same_entry(&joined, i, &m.s, i);
        focal_oplog_hash(whole, &m.s, 0, m.s.count, &log_id, &before);
        focal_oplog_hash(again, &joined, 0, joined.count, &log_id, &before);
        assert_memory_equal(whole, again, m.s.count * sizeof *whole);
        focal_arena_reset(&arena);
    }
    focal_arena_close(&arena);
}

/* ---- two pieces whose runs meet ---- */

enum { LEFT_FIRST = 5, HALF = 4, WAYS_OF_RUN = 5 };

/* The run of a half in one of several ways; bare: which of its entries are stripped, as bits. */
static void make_half(struct made *m, bool right, unsigned way, unsigned bare_bits)
{
    static const struct { uint64_t first, last; uint8_t seed; bool seeded; } of[2][WAYS_OF_RUN] = {
        { { 5, 12, 1, true }, { 5, 12, 1, false }, { 3, 12, 1, true }, { 5, 20, 1, true }, { 5, 8, 1, false } },
        { { 5, 12, 1, true }, { 5, 12, 1, false }, { 5, 12, 2, true }, { 7, 12, 1, true }, { 9, 11, 1, true } },
    };
    bool bare[HALF];
    for (size_t i = 0; i < HALF; i++)
        bare[i] = bare_bits >> i & 1;
    make_entries(m, right ? LEFT_FIRST + HALF : LEFT_FIRST, HALF, bare);
    add_run(m, of[right][way].first, of[right][way].last, of[right][way].seed, of[right][way].seeded);
    if (right && way == 4)
        add_run(m, 12, 14, 3, true);
}

/* Runs that are one, that were one until one half was spelled out, and those by which an author contradicts himself. */
static void runs_that_meet(void **state)
{
    (void)state;
    struct focal_arena arena;
    size_t as_one = 0, seeds = 0;
    focal_arena_init(&arena, 1 << 20);
    for (unsigned case_of = 0; case_of < WAYS_OF_RUN * WAYS_OF_RUN * 256; case_of++) {
        const unsigned ways = case_of / 256;
        struct made left, right;
        struct focal_stretch joined;
        make_half(&left, false, ways / WAYS_OF_RUN, case_of & 15);
        make_half(&right, true, ways % WAYS_OF_RUN, case_of >> 4 & 15);
        const struct focal_stretch parts[] = { left.s, right.s };
        assert_sound(&left.s);
        assert_sound(&right.s);
        assert_int_equal(focal_oplog_join(&joined, &arena, parts, 2), FOCAL_OK);
        assert_sound(&joined);
        for (size_t i = 0; i < HALF; i++) {
            assert_same_entry(&joined, i, &left.s, i);
            assert_same_entry(&joined, HALF + i, &right.s, i);
        }
        as_one += joined.run_count == 1;
        seeds += joined.runs[0].has_seed;
        focal_arena_reset(&arena);
    }
    /* Two ways of the left half and three of the right one are the same run by its places; where nothing of it is stripped and
     * the seeds are the same, the seed stays. */
    assert_int_equal(as_one, 2 * 3 * 256);
    assert_true(seeds > 0);
    focal_arena_close(&arena);
}

static void a_seed_stays_with_its_run(void **state)
{
    (void)state;
    struct made left, right;
    struct focal_stretch joined;
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    make_half(&left, false, 0, 0);
    for (unsigned way = 0; way < 3; way++) {
        make_half(&right, true, way, 0);
        const struct focal_stretch parts[] = { left.s, right.s };
        assert_int_equal(focal_oplog_join(&joined, &arena, parts, 2), FOCAL_OK);
        assert_int_equal(joined.run_count, 1);
        assert_int_equal(joined.runs[0].has_seed, way == 0);        /* spelled out in one half, or of another seed: never again */
        assert_int_equal(joined.runs[0].salts.len, way == 0 ? 0 : 2 * HALF * FOCAL_SALT_BYTES);
    }
    focal_arena_close(&arena);
}

/* ---- stripping ---- */

static void what_is_stripped_takes_its_salt_along(void **state)
{
    (void)state;
    struct chance c = { .state = 6 };
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    for (int round = 0; round < 2000; round++) {
        struct made m;
        bool gone[ENTRIES_MAX] = { false };
        struct focal_stretch out;
        make_by_chance(&m, &c);
        const uint64_t low = m.s.first + chance_below(&c, m.s.count), high = low + chance_below(&c, 4);
        const bool any = round % 4 > 0;
        for (size_t i = 0; i < m.s.count; i++) {
            gone[i] = any && m.entries[i].has_payload && chance_below(&c, 4) == 0;
            if (gone[i])
                memset(m.entries[i].c.b, 1, sizeof m.entries[i].c.b);
        }
        assert_int_equal(focal_oplog_strip(&out, &arena, &m.s, any ? gone : NULL, low, high), FOCAL_OK);
        assert_sound(&out);
        for (size_t r = 0; r < out.run_count; r++)      /* also not where the stripped ones lie in another segment */
            assert_false(out.runs[r].has_seed && out.runs[r].first <= high && out.runs[r].last >= low);
        for (size_t i = 0; i < m.s.count; i++) {
            if (gone[i])
                assert_true(!out.entries[i].has_payload && out.entries[i].payload.len == 0);
            else
                assert_same_entry(&out, i, &m.s, i);
        }
        focal_arena_reset(&arena);
    }
    focal_arena_close(&arena);
}

/* ---- without memory ---- */

enum work { CUT, JOIN, STRIP, WORKS };

static enum focal_status work_on(enum work what, struct focal_stretch *out, struct focal_arena *arena, const struct made *left, const struct made *right)
{
    const bool gone[HALF] = { false, true };
    const struct focal_stretch parts[] = { left->s, right->s };
    switch (what) {
    case CUT: return focal_oplog_cut(out, arena, &left->s, 1, 2);
    case JOIN: return focal_oplog_join(out, arena, parts, 2);
    default: return focal_oplog_strip(out, arena, &left->s, gone, 0, 0);
    }
}

/* The limit of the arena grows piece by piece: until all fits NO_MEMORY is said, and what was given stands as it was. */
static void memory_for_a_part_of_it(void **state)
{
    (void)state;
    static const struct { unsigned left, left_bare, right, right_bare; } cases[] = {
        { 0, 0, 0, 0 }, { 0, 0, 2, 0 }, { 0, 0, 1, 0 }, { 1, 0, 0, 0 }, { 2, 0, 3, 0 }, { 1, 5, 1, 6 }, { 0, 0, 0, 15 }, { 3, 0, 0, 2 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct made left, right, left_before, right_before;
        make_half(&left, false, cases[k].left, cases[k].left_bare);
        make_half(&right, true, cases[k].right, cases[k].right_bare);
        left_before = left;
        right_before = right;
        for (int what = CUT; what < WORKS; what++) {
            struct focal_stretch out;
            enum focal_status st = FOCAL_NO_MEMORY;
            size_t limit = 0;
            for (; st != FOCAL_OK; limit += 16) {
                struct focal_arena arena;
                assert_true(limit < 1 << 16);
                focal_arena_init(&arena, limit);
                st = work_on((enum work)what, &out, &arena, &left, &right);
                if (st == FOCAL_OK)
                    assert_sound(&out);
                else
                    assert_int_equal(st, FOCAL_NO_MEMORY);
                focal_arena_close(&arena);
                assert_memory_equal(&left, &left_before, sizeof left);
                assert_memory_equal(&right, &right_before, sizeof right);
            }
            assert_true(limit > 64);
        }
    }
}

/* One run over three pieces, of which the middle one came stripped: its seed was sound in each, and is not in all. */
static void memory_for_a_broken_run(void **state)
{
    (void)state;
    static const bool none[2] = { false }, all[2] = { true, true };
    struct made made[3];
    struct focal_stretch parts[3], out;
    enum focal_status st = FOCAL_NO_MEMORY;
    size_t failures = 0;
    for (size_t i = 0; i < 3; i++) {
        make_entries(&made[i], 5 + 2 * i, 2, i == 1 ? all : none);
        if (i != 1)
            add_run(&made[i], 5, 10, 7, true);
        parts[i] = made[i].s;
    }
    for (size_t limit = 0; st != FOCAL_OK; limit += 16, failures++) {
        struct focal_arena arena;
        focal_arena_init(&arena, limit);
        st = focal_oplog_join(&out, &arena, parts, 3);
        assert_true(st == FOCAL_OK || st == FOCAL_NO_MEMORY);
        if (st == FOCAL_OK) {
            assert_sound(&out);
            assert_int_equal(out.run_count, 1);
            assert_false(out.runs[0].has_seed);
            assert_same_entry(&out, 0, &made[0].s, 0);
            assert_same_entry(&out, 5, &made[2].s, 1);
        }
        focal_arena_close(&arena);
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_and_joined_again), cmocka_unit_test(runs_that_meet), cmocka_unit_test(a_seed_stays_with_its_run),
        cmocka_unit_test(what_is_stripped_takes_its_salt_along),
        cmocka_unit_test(memory_for_a_part_of_it), cmocka_unit_test(memory_for_a_broken_run),
    };
    return cmocka_run_group_tests_name("oplog_stretches", tests, open_packer, close_packer);
}
