/* What packing refuses, and what unpacking does with bytes that nobody packed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stretch_maker.h"

struct bench { struct maker m; struct focal_packer *packer; struct focal_buf packed; struct focal_arena arena; };

static int setup(void **state)
{
    struct bench *b = focal_alloc(sizeof *b);
    assert_non_null(b);
    b->packer = focal_packer_open();
    assert_non_null(b->packer);
    focal_buf_init(&b->packed, 1 << 20);
    focal_arena_init(&b->arena, 1 << 20);
    maker_open(&b->m, 10, 1);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    maker_close(&b->m);
    focal_arena_close(&b->arena);
    focal_buf_close(&b->packed);
    focal_packer_close(b->packer);
    focal_free(b);
    return 0;
}

static enum focal_status pack(struct bench *b)
{
    focal_buf_clear(&b->packed);
    return focal_stretch_pack(b->packer, &b->packed, &b->m.s);
}

static enum focal_status unpack(struct bench *b, struct focal_stretch *out, struct focal_span packed)
{
    focal_arena_reset(&b->arena);
    return focal_stretch_unpack(b->packer, out, &b->arena, packed);
}

static const struct focal_header creation = { .shape = FOCAL_SHAPE_ORDINARY, .creates = true };

static struct focal_span payload_of(struct maker *m)
{
    struct focal_item value = maker_code(m, 30, 9);
    return maker_payload(m, FOCAL_KIND_CASE, NULL, NULL, &value, 1);
}

static void entries(struct maker *m, size_t n)
{
    struct focal_span payload = payload_of(m);
    for (size_t i = 0; i < n; i++)
        maker_header(m, creation, &payload);
}

/* ---- packing ---- */

static void too_many(void **state)
{
    struct bench *b = *state;
    entries(&b->m, FOCAL_STRETCH_ENTRIES_MAX + 1);
    maker_runs(&b->m, 1000);
    assert_int_equal(pack(b), FOCAL_TOO_BIG);
    assert_int_equal(b->packed.len, 0);
}

static void too_large(void **state)
{
    struct bench *b = *state;
    uint8_t *text = focal_arena_alloc(&b->m.arena, 15000);
    struct focal_item item = { .field = 640, .value = focal_span_of(text, 15000) };
    struct focal_span payload = maker_payload(&b->m, 20, NULL, NULL, &item, 1);
    for (int i = 0; i < 18; i++)
        maker_header(&b->m, creation, &payload);
    maker_runs(&b->m, 1000);
    assert_int_equal(pack(b), FOCAL_TOO_BIG);

    b->m.s.count = 1;
    b->m.s.run_count = 0;
    maker_run(&b->m, 10, 10, true);
    assert_int_equal(pack(b), FOCAL_OK);
    item.value = focal_span_of(focal_arena_alloc(&b->m.arena, FOCAL_ENTRY_MAX), FOCAL_ENTRY_MAX);
    b->m.entries[0].payload = maker_payload(&b->m, 20, NULL, NULL, &item, 1);
    assert_int_equal(pack(b), FOCAL_TOO_BIG);
}

static void numbers_and_headers_that_do_not_fit(void **state)
{
    struct bench *b = *state;
    struct focal_stretch *s = &b->m.s;
    entries(&b->m, 3);
    maker_runs(&b->m, 10);
    const struct focal_stretch good = *s;
    s->count = 0;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    *s = good;
    s->first = 0;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    s->first = UINT64_MAX - 2;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    *s = good;
    assert_int_equal(pack(b), FOCAL_OK);

    struct focal_span header = s->entries[1].header;
    s->entries[1].header = s->entries[2].header;            /* says another sequence than its place */
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    s->entries[1].header = focal_span_of(header.data, header.len - 1);
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    s->entries[1].header = focal_span_of(focal_arena_alloc(&b->m.arena, FOCAL_ENTRY_MAX + 1), FOCAL_ENTRY_MAX + 1);
    assert_int_equal(pack(b), FOCAL_TOO_BIG);
    s->entries[1].header = header;
    assert_int_equal(pack(b), FOCAL_OK);
}

static void no_room_for_it(void **state)
{
    struct bench *b = *state;
    entries(&b->m, 100);
    maker_runs(&b->m, 10);
    assert_int_equal(pack(b), FOCAL_OK);
    size_t exact = b->packed.len;
    struct focal_buf small;
    focal_buf_init(&small, exact + 2);
    focal_buf_text(&small, "abc");
    assert_int_equal(focal_stretch_pack(b->packer, &small, &b->m.s), FOCAL_TOO_BIG);
    assert_int_equal(small.len, 3);
    assert_false(small.failed);
    focal_buf_truncate(&small, 2);
    assert_int_equal(focal_stretch_pack(b->packer, &small, &b->m.s), FOCAL_OK);
    assert_int_equal(small.len, exact + 2);
    focal_buf_close(&small);
}

static void not_canonical(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    entries(m, 3);
    maker_runs(m, 10);
    struct focal_stretch whole = m->s;
    m->s.count = 0;
    m->s.run_count = 0;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->s = whole;
    m->s.first = 11;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->s.first = 0;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->s = whole;
    m->entries[1].header = maker_keep(m, focal_span_of("\x01\x8b\x00", 3));
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->entries[1].header = maker_keep(m, focal_span_of("\x01\x0b", 2));
    assert_int_equal(pack(b), FOCAL_OK);
    m->entries[2].payload = maker_keep(m, focal_span_of("\x10\x41\x01\x01\x40\x01\x01", 7));
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->entries[2].payload = focal_span_of("", 0);
    assert_int_equal(pack(b), FOCAL_MALFORMED);
}

static void runs_that_do_not_fit(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    static const struct { uint64_t first[3], last[3]; size_t count; enum focal_status status; } cases[] = {
        { { 10 }, { 14 }, 1, FOCAL_OK },
        { { 10, 12 }, { 11, 14 }, 2, FOCAL_OK },
        { { 0 }, { 0 }, 0, FOCAL_MALFORMED },
        { { 10 }, { 13 }, 1, FOCAL_MALFORMED },             /* the last entry has no salt */
        { { 11 }, { 14 }, 1, FOCAL_MALFORMED },
        { { 10, 13 }, { 11, 14 }, 2, FOCAL_MALFORMED },     /* a hole */
        { { 10, 12 }, { 12, 14 }, 2, FOCAL_MALFORMED },     /* overlap */
        { { 12, 10 }, { 14, 11 }, 2, FOCAL_MALFORMED },     /* order */
        { { 5, 10 }, { 9, 14 }, 2, FOCAL_MALFORMED },       /* beside the stretch */
        { { 10, 15 }, { 14, 16 }, 2, FOCAL_MALFORMED },
        { { 0 }, { 14 }, 1, FOCAL_MALFORMED },
        { { 10 }, { 10 + FOCAL_RUN_SEQS_MAX - 1 }, 1, FOCAL_OK },
        { { 10 }, { 10 + FOCAL_RUN_SEQS_MAX }, 1, FOCAL_MALFORMED },
        { { 10 }, { UINT64_MAX }, 1, FOCAL_MALFORMED },
        { { 14 }, { 13 }, 1, FOCAL_MALFORMED },             /* ends before it begins */
        { { 3 }, { 2 }, 1, FOCAL_MALFORMED },
    };
    entries(m, 5);
    for (int seed = 0; seed < 2; seed++) {
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            m->s.run_count = 0;
            for (size_t r = 0; r < cases[c].count; r++)
                maker_run(m, cases[c].first[r], cases[c].last[r], seed);
            assert_int_equal(pack(b), cases[c].status);
        }
    }
    m->s.run_count = 0;
    maker_run(m, 10, 14, false);
    m->runs[0].salts.len -= 16;
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->runs[0].salts.len += 16;
    assert_int_equal(pack(b), FOCAL_OK);
    m->runs[0].has_seed = true;         /* a seed and salts say it twice */
    assert_int_equal(pack(b), FOCAL_MALFORMED);
}

/* With the seed, what was stripped could be guessed and checked against its commitment. */
static void seed_over_stripped(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    entries(m, 2);
    maker_header(m, creation, NULL);
    entries(m, 2);
    maker_run(m, 10, 14, true);
    assert_int_equal(pack(b), FOCAL_MALFORMED);
    m->s.run_count = 0;
    maker_run(m, 10, 14, false);
    assert_int_equal(pack(b), FOCAL_OK);
}

/* ---- unpacking ---- */

/* One of everything, in the stored form, so that single bytes mean single things. */
static void make_mixed(struct maker *m)
{
    struct focal_span payload = payload_of(m), home = focal_span_text("home scope of thirty-two letters");
    struct focal_item long_value = { .field = 700, .value = focal_span_text("nine chars or more") };
    struct focal_ref record = maker_ref(m, 1, 500), other = maker_ref(m, 2, 40);
    maker_header(m, creation, &payload);
    struct focal_header h = maker_on(record);
    struct focal_replaced items[] = { { record, 1 }, { other, 2 }, { other, 3 } };
    h.replaced = maker_replaced(m, items, 3);
    maker_header(m, h, &payload);
    struct focal_span with_home = maker_payload(m, FOCAL_KIND_CASE, &home, NULL, &long_value, 1);
    maker_header(m, h, &with_home);
    maker_header(m, maker_on(other), NULL);
    maker_add(m, focal_span_of("\x04\x0e\x01\x01\x07", 5), &payload);
    maker_run(m, 5, 11, true);
    maker_run(m, 12, 20, false);
}

static void cut_short_or_longer(void **state)
{
    struct bench *b = *state;
    struct focal_stretch out;
    for (int form = 0; form < 2; form++) {
        if (form == 0)
            make_mixed(&b->m);
        else
            entries(&b->m, 200);
        if (form == 1)
            maker_runs(&b->m, 30);
        assert_int_equal(pack(b), FOCAL_OK);
        assert_int_equal(b->packed.data[1], form);
        for (size_t len = 0; len < b->packed.len; len++) {
            uint8_t *exact = focal_alloc(len);
            memcpy(exact, b->packed.data, len);
            assert_int_equal(unpack(b, &out, focal_span_of(exact, len)), FOCAL_MALFORMED);
            assert_int_equal(out.count, 0);
            focal_free(exact);
        }
        focal_buf_u8(&b->packed, 0);
        assert_int_equal(unpack(b, &out, focal_buf_view(&b->packed)), FOCAL_MALFORMED);
        maker_close(&b->m);
        maker_open(&b->m, 10, 2);
    }
}

/* Each byte in turn becomes every other: refused, or it is a stretch like any other, which can be packed again. */
static void every_other_byte(void **state)
{
    struct bench *b = *state;
    make_mixed(&b->m);
    assert_int_equal(pack(b), FOCAL_OK);
    struct focal_buf once;
    focal_buf_init(&once, 1 << 20);
    struct focal_stretch out;
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < b->packed.len; i++) {
        uint8_t right = b->packed.data[i];
        for (unsigned wrong = 0; wrong < 256; wrong++) {
            b->packed.data[i] = (uint8_t)wrong;
            enum focal_status status = unpack(b, &out, focal_buf_view(&b->packed));
            if (status != FOCAL_OK) {
                assert_int_equal(status, FOCAL_MALFORMED);
                refused++;
                continue;
            }
            taken++;
            struct focal_stretch second;
            focal_buf_clear(&once);
            focal_arena_reset(&arena);
            assert_int_equal(focal_stretch_pack(b->packer, &once, &out), FOCAL_OK);
            assert_int_equal(focal_stretch_unpack(b->packer, &second, &arena, focal_buf_view(&once)), FOCAL_OK);
            assert_true(maker_same(&out, &second));
            assert_true(wrong == right || !maker_same(&b->m.s, &out));
        }
        b->packed.data[i] = right;
    }
    assert_true(taken > b->packed.len && refused > 0);
    focal_arena_close(&arena);
    focal_buf_close(&once);
}

static void head(struct focal_buf *out, uint8_t version, uint8_t form, uint64_t first, uint64_t count, uint64_t canonical, uint64_t columns)
{
    focal_buf_clear(out);
    focal_buf_u8(out, version);
    focal_buf_u8(out, form);
    focal_buf_varint(out, first);
    focal_buf_varint(out, count);
    focal_buf_varint(out, canonical);
    focal_buf_varint(out, columns);
}

static void heads(void **state)
{
    struct bench *b = *state;
    uint64_t first;
    uint32_t count;
    static const struct { uint8_t version, form; uint64_t first, count, canonical, columns; bool good; } cases[] = {
        { 1, 0, 7, 3, 100, 5, true },
        { 1, 0, 7, FOCAL_STRETCH_ENTRIES_MAX, FOCAL_STRETCH_BYTES_MAX, 5, true },
        { 1, 0, UINT64_MAX - 3, 3, 100, 5, true },
        { 0, 0, 7, 3, 100, 5, false },
        { 2, 0, 7, 3, 100, 5, false },
        { 1, 2, 7, 3, 100, 5, false },
        { 1, 0, 0, 3, 100, 5, false },
        { 1, 0, 7, 0, 100, 5, false },
        { 1, 0, 7, FOCAL_STRETCH_ENTRIES_MAX + 1, 100, 5, false },
        { 1, 0, UINT64_MAX - 2, 3, 100, 5, false },
        { 1, 0, 7, 3, 0, 5, false },
        { 1, 0, 7, 3, FOCAL_STRETCH_BYTES_MAX + 1, 5, false },
        { 1, 0, 7, UINT64_MAX, 100, 5, false },
        { 1, 0, 7, 3, UINT64_MAX, 5, false },
        { 1, 0, 7, 3, 100, UINT64_MAX, false },
        { 1, 0, 7, 3, 100, 1 << 20, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct focal_stretch out;
        head(&b->packed, cases[i].version, cases[i].form, cases[i].first, cases[i].count, cases[i].canonical, cases[i].columns);
        enum focal_status status = focal_stretch_peek(&first, &count, focal_buf_view(&b->packed));
        assert_int_equal(status, cases[i].good ? FOCAL_OK : FOCAL_MALFORMED);
        if (cases[i].good)
            assert_true(first == cases[i].first && count == cases[i].count);
        assert_int_equal(unpack(b, &out, focal_buf_view(&b->packed)), FOCAL_MALFORMED);
        assert_true(b->arena.used == 0);
    }
}

/* A stretch with other columns and another canonical length than it was packed with. */
static void with_columns(struct focal_buf *out, struct focal_span packed, int64_t canonical_more, size_t at, int columns_more, uint8_t byte)
{
    struct focal_cur cur = focal_cur_of(packed);
    uint8_t version = focal_cur_u8(&cur), form = focal_cur_u8(&cur);
    uint64_t first = focal_cur_varint(&cur), count = focal_cur_varint(&cur), canonical = focal_cur_varint(&cur), columns = focal_cur_varint(&cur);
    struct focal_span rest = focal_cur_rest(&cur);
    head(out, version, form, first, count, (uint64_t)((int64_t)canonical + canonical_more), (uint64_t)((int64_t)columns + columns_more));
    at = at < rest.len ? at : rest.len;
    focal_buf_bytes(out, rest.data, at);
    if (columns_more > 0)
        focal_buf_u8(out, byte);
    if (columns_more < 0 && at < rest.len)
        at++;
    focal_buf_bytes(out, rest.data + at, rest.len - at);
}

/* A byte too many or too few anywhere, with a head that says so: every column moves, and none is read past its end. */
static void a_byte_more_or_less(void **state)
{
    struct bench *b = *state;
    make_mixed(&b->m);
    assert_int_equal(pack(b), FOCAL_OK);
    static const uint8_t bytes[] = { 0, 1, 2, 3, 0x7F, 0x80, 0x81, 0xFF };
    struct focal_buf wrong, again;
    focal_buf_init(&wrong, 1 << 20);
    focal_buf_init(&again, 1 << 20);
    size_t refused = 0, tried = 0;
    for (size_t at = 0; at < b->packed.len; at++) {
        for (int more = -1; more <= 1; more++) {
            for (size_t k = 0; k < (more > 0 ? sizeof bytes : 1); k++) {
                for (int64_t canonical = -1; canonical <= 1; canonical++) {
                    struct focal_stretch out;
                    with_columns(&wrong, focal_buf_view(&b->packed), canonical, at, more, bytes[k]);
                    enum focal_status status = unpack(b, &out, focal_buf_view(&wrong));
                    tried++;
                    refused += status != FOCAL_OK;
                    if (status != FOCAL_OK) {
                        assert_int_equal(status, FOCAL_MALFORMED);
                        continue;
                    }
                    focal_buf_clear(&again);
                    assert_int_equal(focal_stretch_pack(b->packer, &again, &out), FOCAL_OK);
                }
            }
        }
    }
    assert_true(refused > tried / 2 && refused < tried);
    focal_buf_close(&wrong);
    focal_buf_close(&again);
}

/* A zstd frame of its own making: a second frame, one to be skipped, none at all. */
static void frames(void **state)
{
    struct bench *b = *state;
    entries(&b->m, 300);
    maker_runs(&b->m, 300);
    assert_int_equal(pack(b), FOCAL_OK);
    assert_int_equal(b->packed.data[1], 1);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&b->packed));
    focal_cur_bytes(&cur, 2);
    uint64_t first = focal_cur_varint(&cur), count = focal_cur_varint(&cur), canonical = focal_cur_varint(&cur);
    uint64_t columns = focal_cur_varint(&cur), frame_len = focal_cur_varint(&cur);
    struct focal_span frame = focal_cur_bytes(&cur, (size_t)frame_len), raw = focal_cur_rest(&cur);
    static const uint8_t skipped[] = { 0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0 };
    static const uint8_t empty[] = { 0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x01, 0x00, 0x00 };
    const struct focal_span after[] = { { empty, 0 }, { skipped, sizeof skipped }, { empty, sizeof empty }, frame };
    struct focal_buf made;
    focal_buf_init(&made, 1 << 20);
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        struct focal_stretch out;
        head(&made, 1, 1, first, count, canonical, columns);
        focal_buf_varint(&made, frame.len + after[i].len);
        focal_buf_span(&made, frame);
        focal_buf_span(&made, after[i]);
        focal_buf_span(&made, raw);
        assert_int_equal(unpack(b, &out, focal_buf_view(&made)), i == 0 ? FOCAL_OK : FOCAL_MALFORMED);
    }
    for (int off = -1; off <= 1; off++) {
        struct focal_stretch out;
        head(&made, 1, 1, first, count, canonical, columns + (uint64_t)(int64_t)off);
        focal_buf_varint(&made, frame.len);
        focal_buf_span(&made, frame);
        focal_buf_span(&made, raw);
        assert_int_equal(unpack(b, &out, focal_buf_view(&made)), off == 0 ? FOCAL_OK : FOCAL_MALFORMED);
    }
    focal_buf_close(&made);
}

/* The most that one packed piece can ask of an arena: entries, canonical bytes, runs, salts, and what rounding adds. */
static void arena_is_bounded(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    size_t most = FOCAL_STRETCH_ENTRIES_MAX * (sizeof(struct focal_stretch_entry) + sizeof(struct focal_salt_run) + 32)
        + FOCAL_STRETCH_BYTES_MAX + 4096;
    struct focal_item item = { .field = 640, .value = focal_span_text("so that each entry has sixty-four bytes, as many as fit...") };
    struct focal_span payload = maker_payload(m, 20, NULL, NULL, &item, 1);
    for (int i = 0; i < FOCAL_STRETCH_ENTRIES_MAX - 150; i++)
        maker_header(m, creation, &payload);
    for (size_t i = 0; i < m->s.count; i++)
        maker_run(m, m->s.first + i, m->s.first + i, false);
    assert_true(focal_stretch_canonical_bytes(&m->s) > FOCAL_STRETCH_BYTES_MAX * 9 / 10);
    assert_int_equal(pack(b), FOCAL_OK);
    struct focal_stretch out;
    focal_arena_close(&b->arena);
    focal_arena_init(&b->arena, most);
    assert_int_equal(unpack(b, &out, focal_buf_view(&b->packed)), FOCAL_OK);
    assert_true(maker_same(&m->s, &out));
    size_t used = b->arena.used;
    focal_arena_close(&b->arena);
    focal_arena_init(&b->arena, used - 1);
    assert_int_equal(unpack(b, &out, focal_buf_view(&b->packed)), FOCAL_NO_MEMORY);
    assert_int_equal(out.count, 0);
}

/* ---- memory runs out ---- */

static bool allow_some(void *data, size_t bytes)
{
    size_t *left = data;
    (void)bytes;
    if (*left == 0)
        return false;
    --*left;
    return true;
}

static void no_memory(void **state)
{
    struct bench *b = *state;
    entries(&b->m, 300);
    maker_header(&b->m, maker_on(maker_ref(&b->m, 1, 1)), NULL);
    maker_runs(&b->m, 100);
    assert_int_equal(pack(b), FOCAL_OK);
    bool packed = false, unpacked = false;
    for (size_t allowed = 0; !packed || !unpacked; allowed++) {
        size_t left = allowed;
        focal_alloc_hook(allow_some, &left);
        struct focal_packer *p = focal_packer_open();
        struct focal_buf out;
        focal_buf_init(&out, 1 << 20);
        struct focal_arena arena;
        focal_arena_init(&arena, 1 << 20);
        if (p) {
            enum focal_status status = focal_stretch_pack(p, &out, &b->m.s);
            packed = status == FOCAL_OK;
            struct focal_stretch s;
            left = allowed;
            enum focal_status second = focal_stretch_unpack(p, &s, &arena, focal_buf_view(&b->packed));
            unpacked = second == FOCAL_OK;
            assert_true(packed || status == FOCAL_NO_MEMORY);
            assert_true(unpacked || second == FOCAL_NO_MEMORY);
        }
        focal_packer_close(p);
        focal_buf_close(&out);
        focal_arena_close(&arena);
        focal_alloc_hook(NULL, NULL);
        assert_true(allowed < 1000);
    }
}

int main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(too_many), WITH(too_large), WITH(numbers_and_headers_that_do_not_fit), WITH(no_room_for_it), WITH(not_canonical), WITH(runs_that_do_not_fit),
        WITH(seed_over_stripped), WITH(cut_short_or_longer), WITH(every_other_byte), WITH(heads), WITH(a_byte_more_or_less), WITH(frames),
        WITH(arena_is_bounded), WITH(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
