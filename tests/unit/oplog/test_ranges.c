/* Ranges to send: small segments put together, large ones cut, whatever the limits, and without a store or memory. */
#include "inside.h"
#include "offices.h"

enum { SEGMENT_PACKED = 15872, BUFFER = 1 << 20 };

static struct network net;
static struct office ken, reader;
static const struct focal_log *written;             /* ken's in the network scope */

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&ken, &net, "KEN", 7);
    office_make(&reader, &net, "HQ", 8);
    hold(&ken, &ken.statement);
    hold(&reader, &ken.statement);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    focal_alloc_hook(NULL, NULL);
    office_close(&ken);
    office_close(&reader);
    network_close(&net);
    return 0;
}

/* One commit: so many entries of so many bytes, noise or all the same. */
static void write_segment(size_t entries, size_t bytes, bool noise)
{
    static uint8_t value[FOCAL_ORDINARY_MAX];
    struct focal_ref ref;
    memset(value, 7, sizeof value);
    begin(&ken);
    for (size_t i = 0; i < entries; i++) {
        if (noise)
            chance_fill(&ken.chance, value, bytes);
        assert_int_equal(try_write(&ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, bytes), &ref), FOCAL_OK);
    }
    commit(&ken);
    written = log_of(&ken, &net, &ken, &scope_network);
}

/* What is said of the piece holds of its bytes. */
static void assert_piece(const struct carried *c, uint64_t from, size_t packed_max)
{
    struct focal_stretch s;
    struct focal_arena arena;
    struct focal_hash before, last, *hashes;
    focal_arena_init(&arena, 64 << 20);
    assert_int_equal(c->piece.first, from);
    assert_true(c->packed.len <= packed_max);
    assert_int_equal(focal_stretch_unpack(ken.ol->packer, &s, &arena, focal_buf_view(&c->packed)), FOCAL_OK);
    assert_int_equal(s.first, from);
    assert_int_equal(s.first + s.count - 1, c->piece.last);
    assert_int_equal(focal_oplog_hash_on(ken.ol, written, from - 1, &before), FOCAL_OK);
    assert_memory_equal(before.b, c->piece.before, sizeof c->piece.before);
    hashes = focal_arena_alloc(&arena, s.count * sizeof *hashes);
    assert_non_null(hashes);
    focal_oplog_hash(hashes, &s, 0, s.count, &written->id, &before);
    last = hashes[s.count - 1];
    struct focal_tip tip = { .seq = c->piece.last, .h = last };
    if (c->piece.is_signed)
        assert_true(focal_verify_head(&c->piece.signature, &written->name.author, &net.id, &written->id, &tip));
    assert_int_equal(focal_oplog_hash_on(ken.ol, written, tip.seq, &tip.h), FOCAL_OK);
    assert_true(focal_hash_equal(&tip.h, &last));
    focal_arena_close(&arena);
}

/* All of the log in pieces of at most packed_max; how many there were. The reader takes them in. */
static size_t carry_in_pieces(size_t packed_max)
{
    struct carried c;
    size_t pieces = 0;
    carry_all(&ken, &reader);           /* the openings, and then all is held already: what comes must say the same */
    for (uint64_t next = 1; next <= written->head.seq; pieces++) {
        assert_int_equal(take_up(&ken, written, next, packed_max, &c), FOCAL_OK);
        assert_piece(&c, next, packed_max);
        begin(&reader);
        assert_int_equal(hand_over(&reader, &c), FOCAL_OK);
        commit(&reader);
        next = c.piece.last + 1;
        carried_close(&c);
    }
    assert_same_state(&ken, &reader);
    return pieces;
}

static uint64_t last_of_first_piece(size_t packed_max)
{
    struct carried c;
    assert_int_equal(take_up(&ken, written, 1, packed_max, &c), FOCAL_OK);
    assert_piece(&c, 1, packed_max);
    const uint64_t last = c.piece.last;
    carried_close(&c);
    return last;
}

/* ---- put together ---- */

static void many_small_segments(void **state)
{
    (void)state;
    for (int i = 0; i < 700; i++)
        write_segment(1, 4, true);
    assert_int_equal(written->head.seq, 701);
    assert_int_equal(last_of_first_piece(1 << 18), 513);        /* as many segments as are gathered at once; entry 1 shares one */
    const uint64_t in_a_message = last_of_first_piece(SEGMENT_PACKED);
    assert_in_range(in_a_message, 300, 513);
    assert_in_range(last_of_first_piece(600), 8, in_a_message - 1);
    assert_in_range(carry_in_pieces(SEGMENT_PACKED), 2, 4);
    assert_true(carry_in_pieces(600) < 100);
    assert_in_range(carry_in_pieces(150), 100, 400);
}

/* Together they would be more than a stretch holds, in entries or in bytes, however small they pack. */
static void no_more_than_a_stretch(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        write_segment(2000, 1, false);
    assert_int_equal(written->head.seq, 6001);
    assert_int_equal(last_of_first_piece(SEGMENT_PACKED), 4001);
    assert_int_equal(carry_in_pieces(SEGMENT_PACKED), 2);
    for (int i = 0; i < 2; i++)
        write_segment(12, 14000, false);
    struct carried c;
    assert_int_equal(take_up(&ken, written, 6002, SEGMENT_PACKED, &c), FOCAL_OK);
    assert_piece(&c, 6002, SEGMENT_PACKED);
    assert_int_equal(c.piece.last, 6013);
    assert_true(c.piece.is_signed);
    carried_close(&c);
    assert_int_equal(carry_in_pieces(SEGMENT_PACKED), 3);       /* the last of the small ones goes with the first of the large */
}

/* ---- limits ---- */

/* The reader's buffer is smaller than what may be packed: what does not fit it is made smaller, or it is said. */
static void a_buffer_that_is_smaller(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++)
        write_segment(3, 30, true);
    write_segment(60, 200, true);
    const uint64_t large = written->head.seq - 59;
    size_t together = 0, alone = 0, cut = 0, refused = 0;
    for (size_t limit = 40; limit < 20000; limit += limit / 8) {
        static const uint64_t from[] = { 1, 6, 0 };
        for (size_t k = 0; k < 3; k++) {
            struct carried c = { .name = written->name };
            const uint64_t first = k == 2 ? large : from[k];
            focal_buf_init(&c.packed, limit);
            const enum focal_status st = focal_oplog_read(ken.ol, written, first, k == 2 ? 9000 : SEGMENT_PACKED, &c.piece, &c.packed);
            if (st == FOCAL_OK) {
                assert_piece(&c, first, limit);
                together += k < 2 && c.piece.last > first + 3;
                alone += k < 2 && c.piece.last <= first + 3;
                cut += k == 2 && c.piece.last < written->head.seq;
            } else {
                assert_true(st == FOCAL_TOO_BIG || st == FOCAL_NO_MEMORY);
                refused++;
            }
            carried_close(&c);
        }
    }
    assert_true(together > 10 && alone > 2 && cut > 10 && refused > 5);
}

/* Of a segment that is too large, less and less; at last not even its first entry fits. */
static void one_entry_at_a_time(void **state)
{
    (void)state;
    struct carried c;
    write_segment(10, 300, true);
    assert_int_equal(written->head.seq, 11);
    for (uint64_t from = 2; from <= 11; from++) {
        assert_int_equal(take_up(&ken, written, from, 400, &c), FOCAL_OK);
        assert_piece(&c, from, 400);
        assert_int_equal(c.piece.last, from);
        assert_int_equal(c.piece.is_signed, from == 11);
        carried_close(&c);
        assert_int_equal(take_up(&ken, written, from, 100, &c), FOCAL_TOO_BIG);
        assert_int_equal(c.packed.len, 0);
        carried_close(&c);
    }
}

/* Two segments whose runs contradict each other are larger together than alone, and pass one by one. */
static void larger_together_than_alone(void **state)
{
    (void)state;
    enum { HALF = 200 };
    struct focal_ref ref;
    struct focal_buf headers, packed;
    static struct focal_stretch_entry list[HALF];
    static size_t at[HALF + 1];
    static const uint8_t kind_nothing = FOCAL_KIND_NOTHING, kind_case = FOCAL_KIND_CASE;
    struct focal_log_name name = { .author = ken.keys.sign_public, .lane = FOCAL_LANE_DATA };
    struct focal_hash h;
    struct focal_id id;
    begin(&ken);
    write_value(&ken, &scope_kenya, NULL, FIELD_A, 1, &ref);
    commit(&ken);
    carry_all(&ken, &reader);
    assert_true(focal_oplog_epoch(ken.ol, &name.epoch));
    focal_scope_id(&name.scope, &net.id, &scope_network);
    focal_log_id(&id, &net.id, &name);
    focal_chain_start(&h, &id);
    for (uint8_t half = 0; half < 2; half++) {
        const uint64_t first = 1 + half * (uint64_t)HALF;
        struct focal_salt_run run = { .first = 1, .last = 2 * HALF, .has_seed = true };
        memset(run.seed, 1 + half, sizeof run.seed);
        focal_buf_init(&headers, 1 << 20);
        focal_buf_init(&packed, 1 << 20);
        for (size_t i = 0; i < HALF; i++) {
            const struct focal_header header = { .shape = first + i == 1 ? FOCAL_SHAPE_BEGIN : FOCAL_SHAPE_ORDINARY, .seq = first + i, .creates = first + i > 1 };
            at[i] = headers.len;
            focal_header_encode(&headers, &header);
        }
        at[HALF] = headers.len;
        for (size_t i = 0; i < HALF; i++)
            list[i] = (struct focal_stretch_entry){ .header = focal_span_of(headers.data + at[i], at[i + 1] - at[i]), .has_payload = true,
                .payload = focal_span_of(first + i == 1 ? &kind_nothing : &kind_case, 1) };
        const struct focal_stretch s = { .first = first, .count = HALF, .entries = list, .runs = &run, .run_count = 1 };
        struct focal_hash hashes[HALF];
        struct focal_signature signature;
        const struct focal_hash before = h;
        focal_oplog_hash(hashes, &s, 0, HALF, &id, &before);
        h = hashes[HALF - 1];
        assert_int_equal(focal_stretch_pack(ken.ol->packer, &packed, &s), FOCAL_OK);
        const struct focal_tip tip = { .seq = first + HALF - 1, .h = h };
        focal_sign_head(&signature, ken.keys.sign_secret, &net.id, &id, &tip);
        const struct focal_incoming in = { .name = &name, .before = before.b, .packed = focal_buf_view(&packed), .signature = &signature };
        begin(&reader);
        assert_int_equal(focal_oplog_admit(reader.ol, &in, NULL, NULL), FOCAL_OK);
        commit(&reader);
        focal_buf_close(&headers);
        focal_buf_close(&packed);
    }
    const struct focal_log *held = focal_oplog_log(reader.ol, &id);
    struct carried c;
    assert_int_equal(take_up(&reader, held, 1, 2000, &c), FOCAL_OK);
    assert_int_equal(c.piece.last, HALF);
    assert_true(c.packed.len < 1000);
    assert_true(c.piece.is_signed);
    carried_close(&c);
    assert_int_equal(take_up(&reader, held, 1, SEGMENT_PACKED, &c), FOCAL_OK);          /* where there is room for all salts */
    assert_int_equal(c.piece.last, 2 * HALF);
    assert_true(c.packed.len > 2 * HALF * FOCAL_SALT_BYTES);
    carried_close(&c);
}

/* ---- trouble ---- */

/* A range of each sort: put together, cut at its end, from the middle of a segment on, with no room for two, alone. */
static const struct { uint64_t from; size_t packed_max, limit; } sorts[] = {
    { 1, SEGMENT_PACKED, BUFFER }, { 42, 3000, BUFFER }, { 50, SEGMENT_PACKED, BUFFER }, { 6, SEGMENT_PACKED, 230 }, { 6, 200, BUFFER },
};
enum { SORTS = sizeof sorts / sizeof *sorts };

static void write_all_sorts(void)
{
    for (int i = 0; i < 10; i++)
        write_segment(4, 30, true);
    write_segment(40, 200, true);
    assert_int_equal(written->head.seq, 81);
}

static enum focal_status read_sort(size_t i, struct carried *c)
{
    memset(c, 0, sizeof *c);
    focal_buf_init(&c->packed, sorts[i].limit);
    return focal_oplog_read(ken.ol, written, sorts[i].from, sorts[i].packed_max, &c->piece, &c->packed);
}

static void assert_same_piece(size_t i, const struct carried *c)
{
    struct carried wanted;
    assert_int_equal(read_sort(i, &wanted), FOCAL_OK);
    assert_piece(&wanted, sorts[i].from, sorts[i].packed_max);
    assert_true(focal_span_equal(focal_buf_view(&wanted.packed), focal_buf_view(&c->packed)));
    assert_int_equal(wanted.piece.last, c->piece.last);
    carried_close(&wanted);
}

static void a_store_that_does_not_answer(void **state)
{
    (void)state;
    write_all_sorts();
    for (size_t i = 0; i < SORTS; i++) {
        enum focal_status st = FOCAL_IO;
        uint64_t nth = 0;
        while (st == FOCAL_IO) {
            struct carried c;
            focal_fake_store_plan(ken.store, (struct focal_fake_failure){ .nth = ++nth, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_PREV | FOCAL_FAKE_NEXT, .status = FOCAL_IO });
            st = read_sort(i, &c);
            focal_fake_store_plan(ken.store, (struct focal_fake_failure){ .nth = 0 });
            assert_true(st == FOCAL_OK || st == FOCAL_IO);
            if (st == FOCAL_OK)
                assert_same_piece(i, &c);
            carried_close(&c);
        }
        assert_true(nth > (i == 3 ? 3u : 1u));
    }
}

/* The arena may hold more and more, until it holds what is needed. */
static void an_arena_that_is_too_small(void **state)
{
    (void)state;
    write_all_sorts();
    for (size_t i = 0; i < SORTS; i++) {
        enum focal_status st = FOCAL_NO_MEMORY;
        size_t failures = 0;
        for (size_t limit = 16; st == FOCAL_NO_MEMORY; limit += limit < 1024 ? 16 : limit / 64, failures++) {
            struct carried c;
            ken.ol->arena.limit = limit;
            st = read_sort(i, &c);
            ken.ol->arena.limit = ARENA_BYTES_MAX;
            assert_true(st == FOCAL_OK || st == FOCAL_NO_MEMORY);
            if (st == FOCAL_OK)
                assert_same_piece(i, &c);
            carried_close(&c);
        }
        assert_true(failures > 20 || i == SORTS - 1);       /* what passes as it is stored needs no arena */
    }
}

static uint64_t left;

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return left == 0 || --left > 0;
}

/* Each allocation fails in turn, in an office that has just started and has no buffers yet. */
static void no_memory_for_packing(void **state)
{
    (void)state;
    write_all_sorts();
    for (size_t i = 0; i < SORTS; i++) {
        enum focal_status st = FOCAL_NO_MEMORY;
        uint64_t nth = 0;
        while (st == FOCAL_NO_MEMORY) {
            struct carried c;
            focal_oplog_close(ken.ol);
            office_open(&ken);
            written = focal_oplog_log_at(ken.ol, 0)->scope.cls == FOCAL_SCOPE_NETWORK ? focal_oplog_log_at(ken.ol, 0) : focal_oplog_log_at(ken.ol, 1);
            focal_alloc_hook(allow, NULL);
            left = ++nth;
            st = read_sort(i, &c);
            left = 0;
            focal_alloc_hook(NULL, NULL);
            assert_true(st == FOCAL_OK || st == FOCAL_NO_MEMORY);
            if (st == FOCAL_OK)
                assert_same_piece(i, &c);
            carried_close(&c);
        }
        assert_true(nth > (i == SORTS - 1 ? 1u : 5u));
    }
}

/* A segment behind the first is gone, or says that it is another. */
static void a_segment_is_missing(void **state)
{
    (void)state;
    struct carried c;
    uint8_t key[SEGMENT_KEY_BYTES];
    write_all_sorts();
    begin(&ken);
    assert_int_equal(focal_store_del(ken.store, FOCAL_SHELF_SEGMENT, focal_oplog_segment_key(key, &written->line, 10)), FOCAL_OK);
    assert_int_equal(focal_store_commit(ken.store), FOCAL_OK);
    assert_int_equal(take_up(&ken, written, 1, SEGMENT_PACKED, &c), FOCAL_DAMAGED);
    carried_close(&c);
    assert_int_equal(take_up(&ken, written, 11, SEGMENT_PACKED, &c), FOCAL_DAMAGED);
    carried_close(&c);
    assert_int_equal(take_up(&ken, written, 14, SEGMENT_PACKED, &c), FOCAL_OK);
    assert_int_equal(c.piece.first, 14);
    carried_close(&c);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(many_small_segments), WITH(no_more_than_a_stretch), WITH(a_buffer_that_is_smaller), WITH(one_entry_at_a_time),
        WITH(larger_together_than_alone), WITH(a_store_that_does_not_answer), WITH(an_arena_that_is_too_small), WITH(no_memory_for_packing),
        WITH(a_segment_is_missing),
    };
    return cmocka_run_group_tests_name("oplog_ranges", tests, NULL, NULL);
}
