/* Packing and unpacking: nothing of a stretch is lost or changed, and it comes out small. */
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
    focal_arena_init(&b->arena, 4 << 20);
    maker_open(&b->m, 1, 1);
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

static void again(struct bench *b, uint64_t first, uint64_t seed)
{
    maker_close(&b->m);
    maker_open(&b->m, first, seed);
}

/* Packs what was made, unpacks it, compares; gives the packed length. */
static size_t round_trip(struct bench *b)
{
    struct focal_stretch out;
    focal_buf_clear(&b->packed);
    focal_arena_reset(&b->arena);
    assert_int_equal(focal_stretch_pack(b->packer, &b->packed, &b->m.s), FOCAL_OK);
    assert_int_equal(focal_stretch_unpack(b->packer, &out, &b->arena, focal_buf_view(&b->packed)), FOCAL_OK);
    assert_true(maker_same(&b->m.s, &out));
    uint64_t first;
    uint32_t count;
    assert_int_equal(focal_stretch_peek(&first, &count, focal_buf_view(&b->packed)), FOCAL_OK);
    assert_int_equal(first, b->m.s.first);
    assert_int_equal(count, b->m.s.count);
    return b->packed.len;
}

static const struct focal_header creation = { .shape = FOCAL_SHAPE_ORDINARY, .creates = true };

static struct focal_span small_payload(struct maker *m)
{
    struct focal_item value = maker_code(m, 30, 9);
    return maker_payload(m, FOCAL_KIND_CASE, NULL, NULL, &value, 1);
}

static void one_entry(void **state)
{
    struct bench *b = *state;
    struct focal_span payload = small_payload(&b->m);
    maker_header(&b->m, creation, &payload);
    maker_runs(&b->m, 1);
    assert_true(round_trip(b) < 64);
}

static void references_of_all_kinds(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 900, 2);
    struct focal_span payload = small_payload(m);
    struct focal_ref one = maker_ref(m, 1, 77), two = maker_ref(m, 1, UINT64_MAX), three = maker_ref(m, 9, 0);
    maker_header(m, maker_on(one), &payload);
    maker_header(m, maker_on(one), &payload);
    maker_header(m, maker_on(two), NULL);
    maker_header(m, maker_on(three), &payload);
    struct focal_replaced same[] = { { one, 0 }, { one, 1 }, { one, UINT16_MAX } };
    struct focal_header h = maker_on(one);
    h.replaced = maker_replaced(m, same, 3);
    maker_header(m, h, &payload);
    struct focal_replaced others[] = { { one, 3 }, { two, 5 }, { two, 6 }, { three, 0 } };
    h.replaced = maker_replaced(m, others, 4);
    maker_header(m, h, &payload);
    h.record = three;
    maker_header(m, h, &payload);
    h.creates = true;
    maker_header(m, h, &payload);
    maker_runs(m, 3);
    round_trip(b);
}

static void begin_and_quote(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    uint8_t previous[3 * FOCAL_PREVIOUS_BYTES];
    for (size_t i = 0; i < 3; i++)
        memset(previous + i * FOCAL_PREVIOUS_BYTES, (int)i + 1, FOCAL_PREVIOUS_BYTES);
    struct focal_span nothing = maker_payload(m, 0, NULL, NULL, NULL, 0), payload = small_payload(m);
    maker_header(m, (struct focal_header){ .shape = FOCAL_SHAPE_BEGIN, .previous = focal_span_of(previous, sizeof previous) }, &nothing);
    struct focal_header quote = { .shape = FOCAL_SHAPE_QUOTE, .quoted_header = m->entries[0].header };
    struct focal_buf inner;
    focal_buf_init(&inner, 1000);
    struct focal_header quoted = maker_on(maker_ref(m, 3, 3));
    quoted.seq = 5;
    focal_header_encode(&inner, &quoted);
    quote.quoted_header = focal_buf_view(&inner);
    maker_fill(m, quote.quoted_author.b, 32);
    maker_header(m, quote, &payload);
    maker_header(m, quote, NULL);
    maker_runs(m, 1);
    focal_buf_close(&inner);
    round_trip(b);
}

static void add_newer_header(struct maker *m, uint64_t shape, uint64_t tag, const struct focal_span *payload)
{
    struct focal_buf h;
    focal_buf_init(&h, 1000);
    focal_buf_varint(&h, shape);
    focal_buf_varint(&h, maker_seq(m));
    focal_buf_item(&h, tag, focal_span_text("a later thought"));
    maker_add(m, focal_buf_view(&h), payload);
    focal_buf_close(&h);
}

static void what_newer_programs_write(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 5, 3);
    struct focal_buf payload;
    focal_buf_init(&payload, 1000);
    focal_buf_varint(&payload, UINT64_MAX);
    focal_buf_item(&payload, 3, focal_span_text(""));
    focal_buf_item(&payload, 63, focal_span_text("exactly thirty-two bytes, or not"));
    focal_buf_item(&payload, 64, focal_span_text(""));
    focal_buf_item(&payload, 64, focal_span_text("x"));
    focal_buf_item(&payload, 64, focal_span_text("x"));
    focal_buf_item(&payload, UINT64_MAX, focal_span_text("a value of more than eight bytes"));
    focal_buf_item(&payload, UINT64_MAX, focal_span_text("a value of more than thirty-two bytes"));
    struct focal_span view = focal_buf_view(&payload);
    add_newer_header(m, 4, 1, &view);
    add_newer_header(m, UINT64_MAX, UINT64_MAX, &view);
    add_newer_header(m, FOCAL_SHAPE_ORDINARY, 16, &view);
    add_newer_header(m, FOCAL_SHAPE_QUOTE + 1, 7, NULL);
    maker_header(m, creation, &view);
    maker_runs(m, 2);
    focal_buf_close(&payload);
    round_trip(b);
}

/* The author's runs reach beyond the piece that is handed on, on both sides. */
static void runs_in_part(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    for (int seed = 0; seed < 2; seed++) {
        again(b, 2000, 4);
        struct focal_span payload = small_payload(m);
        for (int i = 0; i < 10; i++)
            maker_header(m, creation, i == 4 ? NULL : &payload);
        maker_run(m, 2001 - FOCAL_RUN_SEQS_MAX, 2000, seed);
        maker_run(m, 2001, 2003, seed);
        maker_run(m, 2005, 2005, seed);
        maker_run(m, 2006, 2005 + FOCAL_RUN_SEQS_MAX, seed);
        round_trip(b);
        again(b, 2000, 4);
        payload = small_payload(m);
        for (int i = 0; i < 10; i++)
            maker_header(m, creation, i == 4 ? NULL : &payload);
        maker_run(m, 1500, 2500, false);
        assert_int_equal(m->runs[0].salts.len, 9 * 16);
        round_trip(b);
    }
}

static void stripped_without_runs(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 40; i++)
        maker_header(&b->m, creation, NULL);
    round_trip(b);
    /* A run of which nothing is left may still be named. */
    maker_run(&b->m, 3, 9, false);
    round_trip(b);
}

/* Columns have limits that entries do not have; beyond them entries travel as they are. */
static void beyond_the_dictionaries(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    for (uint32_t i = 0; i < 1500; i++) {
        struct focal_ref ref = maker_ref(m, 0, i);
        ref.log.b[0] = (uint8_t)i;
        ref.log.b[1] = (uint8_t)(i >> 8);
        uint8_t value[3] = { 1, 2, 3 };
        struct focal_item items[40];
        size_t n = i % 41;
        for (size_t k = 0; k < n; k++)
            items[k] = (struct focal_item){ .field = 64 + (i * 7 + k) % 300, .value = focal_span_of(value, k % 4 == 3 ? 0 : k % 4) };
        if (n > 20)
            n = i % 3 ? 5 : n;
        struct focal_span payload = maker_payload(m, i % 5, NULL, NULL, items, n);
        maker_header(m, maker_on(ref), &payload);
    }
    maker_runs(m, 100);
    round_trip(b);
}

/* More logs named in one stretch than the dictionary holds: those that find no place go whole. */
static void replaced_beyond_the_dictionary(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 2, 6);
    struct focal_span payload = small_payload(m);
    struct focal_replaced items[40];
    for (uint32_t i = 0; i < 40; i++) {
        for (uint32_t k = 0; k < 40; k++) {
            items[k] = (struct focal_replaced){ maker_ref(m, 0, i), (uint16_t)k };
            items[k].entry.log.b[6] = (uint8_t)((i * 40 + k) >> 8);     /* where ids of one beginning differ first */
            items[k].entry.log.b[7] = (uint8_t)(i * 40 + k);
        }
        struct focal_header h = i % 2 ? maker_on(maker_ref(m, 7, 7)) : creation;
        h.replaced = maker_replaced(m, items, 40);
        maker_header(m, h, &payload);
    }
    maker_runs(m, 10);
    round_trip(b);
}

static void many_replaced(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 2, 5);
    struct focal_span payload = small_payload(m);
    static struct focal_replaced items[200];
    static const size_t counts[] = { 1, 63, 64, 65, 200 };
    for (size_t i = 0; i < 200; i++) {
        items[i] = (struct focal_replaced){ maker_ref(m, (uint8_t)i, i * i), (uint16_t)(i * 300) };
    }
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct focal_header h = maker_on(maker_ref(m, 7, 7));
        h.replaced = maker_replaced(m, items, counts[c]);
        maker_header(m, h, &payload);
    }
    maker_runs(m, 10);
    round_trip(b);
}

/* The largest entries there may be, of bytes in which nothing can be squeezed, must still travel in one message. */
static void largest_entry(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, UINT64_MAX - 1, 6);
    size_t header_len = 1 + 10, heads = 1 + 2 + 2, len = FOCAL_ENTRY_MAX - header_len - heads;
    uint8_t *chance = focal_arena_alloc(&m->arena, FOCAL_ENTRY_MAX);
    maker_fill(m, chance, FOCAL_ENTRY_MAX);
    struct focal_item item = { .field = 8200, .value = focal_span_of(chance, len) };
    struct focal_span payload = maker_payload(m, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    maker_header(m, creation, &payload);
    maker_runs(m, 1);
    assert_int_equal(focal_stretch_canonical_bytes(&m->s), FOCAL_ENTRY_MAX);
    assert_true(round_trip(b) <= FOCAL_SEGMENT_PACKED_MAX);

    again(b, 1, 7);
    size_t tips = (FOCAL_ENTRY_MAX - 16) / FOCAL_PREVIOUS_BYTES;
    chance = focal_arena_alloc(&m->arena, tips * FOCAL_PREVIOUS_BYTES);
    maker_fill(m, chance, tips * FOCAL_PREVIOUS_BYTES);
    for (size_t i = 0; i < tips; i++) {
        chance[i * FOCAL_PREVIOUS_BYTES] = (uint8_t)(i >> 8);
        chance[i * FOCAL_PREVIOUS_BYTES + 1] = (uint8_t)i;
    }
    payload = maker_payload(m, 0, NULL, NULL, NULL, 0);
    maker_header(m, (struct focal_header){ .shape = FOCAL_SHAPE_BEGIN, .previous = focal_span_of(chance, tips * FOCAL_PREVIOUS_BYTES) }, &payload);
    maker_run(m, 1, 1, false);
    assert_true(round_trip(b) <= FOCAL_SEGMENT_PACKED_MAX);
}

static void full_stretches(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    struct focal_span payload = small_payload(m);
    while (m->s.count < FOCAL_STRETCH_ENTRIES_MAX)
        maker_header(m, creation, &payload);
    maker_runs(m, 1);
    round_trip(b);

    again(b, 1000, 7);
    struct focal_span text = { .data = focal_arena_alloc(&m->arena, 4000), .len = 4000 };
    struct focal_item item = { .field = 640, .value = text };
    payload = maker_payload(m, 20, NULL, NULL, &item, 1);
    while (focal_stretch_canonical_bytes(&m->s) + payload.len + 3 <= FOCAL_STRETCH_BYTES_MAX)
        maker_header(m, creation, &payload);
    size_t left = FOCAL_STRETCH_BYTES_MAX - focal_stretch_canonical_bytes(&m->s);
    item.value.len = left - 3 - 5;
    payload = maker_payload(m, 20, NULL, NULL, &item, 1);
    maker_header(m, creation, &payload);
    assert_int_equal(focal_stretch_canonical_bytes(&m->s), FOCAL_STRETCH_BYTES_MAX);
    maker_runs(m, 1000);
    round_trip(b);
}

static struct focal_span any_payload(struct maker *m)
{
    uint8_t bytes[120];
    struct focal_item items[8];
    size_t n = maker_draw(m, 8);
    maker_fill(m, bytes, sizeof bytes);
    for (size_t i = 0; i < n; i++)
        items[i] = (struct focal_item){ .field = 64 + maker_draw(m, maker_draw(m, 4) ? 6 : 4000),
            .value = focal_span_of(bytes, maker_draw(m, maker_draw(m, 6) ? 4 : sizeof bytes)) };
    struct focal_span home = focal_span_of(bytes, maker_draw(m, 2) * 32);
    uint32_t day = (uint32_t)maker_draw(m, 30000);
    return maker_payload(m, maker_draw(m, 20), maker_draw(m, 3) ? NULL : &home, maker_draw(m, 3) ? NULL : &day, items, n);
}

static void any_entry(struct maker *m, struct focal_ref *last)
{
    struct focal_span payload = any_payload(m);
    const struct focal_span *kept = maker_draw(m, 9) ? &payload : NULL;
    struct focal_header h = creation;
    if (maker_draw(m, 4)) {
        if (maker_draw(m, 3))
            *last = maker_ref(m, (uint8_t)maker_draw(m, 5), maker_draw(m, 100000));
        h = maker_on(*last);
        struct focal_replaced items[4];
        uint64_t n = maker_draw(m, 4);
        struct focal_ref other = maker_draw(m, 2) ? *last : maker_ref(m, 3, maker_draw(m, 1000));
        for (size_t i = 0; i < n; i++)
            items[i] = (struct focal_replaced){ other, (uint16_t)(i * 5) };
        if (n > 0)
            h.replaced = maker_replaced(m, items, n);
    }
    if (maker_draw(m, 30) == 0)
        add_newer_header(m, maker_draw(m, 2) ? FOCAL_SHAPE_ORDINARY : 4 + maker_draw(m, 8), 16 + maker_draw(m, 100), kept);
    else
        maker_header(m, h, kept);
}

static void random_stretches(void **state)
{
    struct bench *b = *state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        again(b, 2 + seed * seed * seed, seed);
        struct focal_ref last = maker_ref(&b->m, 4, 4);
        for (uint64_t n = 1 + maker_draw(&b->m, seed % 10 ? 40 : 400); n > 0; n--)
            any_entry(&b->m, &last);
        maker_runs(&b->m, 1 + maker_draw(&b->m, 64));
        round_trip(b);
    }
}

/* What it costs on the wire (PROTOCOL §4): bulk records, their country entries, single changes in batches. */
static void sizes(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 1000, 8);
    uint8_t home[32];
    maker_fill(m, home, sizeof home);
    for (int i = 0; i < 2500; i++) {
        struct focal_span payload = maker_case(m, focal_span_of(home, 32));
        maker_header(m, creation, &payload);
    }
    maker_runs(m, FOCAL_RUN_SEQS_MAX);
    assert_true(round_trip(b) < 12 * m->s.count);

    again(b, 1000, 9);
    struct focal_span empty = maker_payload(m, FOCAL_KIND_CASE, NULL, NULL, NULL, 0);
    for (uint64_t i = 0; i < 4000; i++)
        maker_header(m, maker_on(maker_ref(m, 1, 1000 + i)), &empty);
    maker_runs(m, FOCAL_RUN_SEQS_MAX);
    assert_true(round_trip(b) < 9 * m->s.count);

    again(b, 200000, 10);
    for (int i = 0; i < 1000; i++) {
        struct focal_header h = maker_on(maker_ref(m, 1, 2 + maker_draw(m, 100000)));
        struct focal_replaced replaced = { h.record, (uint16_t)maker_draw(m, 12) };
        h.replaced = maker_replaced(m, &replaced, 1);
        struct focal_item value = maker_code(m, 30, 9);
        struct focal_span payload = maker_payload(m, FOCAL_KIND_CASE, NULL, NULL, &value, 1);
        maker_header(m, h, &payload);
    }
    maker_runs(m, 100);
    assert_true(round_trip(b) < 14 * m->s.count);
}

/* ---- salts ---- */

static void derive(uint8_t salt[16], const uint8_t seed[16], uint64_t seq)
{
    memcpy(salt, seed, 16);
    salt[15] = (uint8_t)seq;
}

static void salts(void **state)
{
    struct bench *b = *state;
    struct maker *m = &b->m;
    again(b, 100, 11);
    struct focal_span payload = small_payload(m);
    for (int i = 0; i < 9; i++)
        maker_header(m, creation, i == 3 ? NULL : &payload);
    maker_run(m, 90, 101, true);
    maker_run(m, 102, 105, false);
    maker_run(m, 106, 200, false);
    round_trip(b);
    uint8_t salt[16], expected[16];
    assert_true(focal_stretch_salt(&m->s, 1, salt, derive));
    derive(expected, m->runs[0].seed, 101);
    assert_memory_equal(salt, expected, 16);
    static const struct { size_t entry, run, place; } at[] = {
        { 2, 1, 0 }, { 4, 1, 1 }, { 5, 1, 2 }, { 6, 2, 0 }, { 7, 2, 1 }, { 8, 2, 2 } };
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        assert_true(focal_stretch_salt(&m->s, at[i].entry, salt, derive));
        assert_memory_equal(salt, m->runs[at[i].run].salts.data + 16 * at[i].place, 16);
    }
    assert_false(focal_stretch_salt(&m->s, 3, salt, derive));
    m->s.run_count = 2;
    assert_false(focal_stretch_salt(&m->s, 7, salt, derive));
    m->runs[1].first = 104;             /* a hole before it, and salts too few */
    assert_false(focal_stretch_salt(&m->s, 2, salt, derive));
    m->runs[1].salts.len = 16;
    assert_true(focal_stretch_salt(&m->s, 4, salt, derive));
    assert_false(focal_stretch_salt(&m->s, 5, salt, derive));
}

int main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH(one_entry), WITH(references_of_all_kinds), WITH(begin_and_quote), WITH(what_newer_programs_write),
        WITH(runs_in_part), WITH(stripped_without_runs), WITH(beyond_the_dictionaries), WITH(many_replaced), WITH(replaced_beyond_the_dictionary),
        WITH(largest_entry), WITH(full_stretches), WITH(random_stretches), WITH(sizes), WITH(salts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
