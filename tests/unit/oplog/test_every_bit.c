/* Whatever is signed is refused with any one of its bits turned: segments, statements, receipts, each bit of each. */
#include "forge.h"
#include "focal/wire.h"

#include <stdio.h>

enum { ENTRIES = 12 };

static void turn(uint8_t *bytes, size_t bit) { bytes[bit / 8] ^= (uint8_t)(1u << bit % 8); }

/* Entries with long and short values, two commits; two of them edit one record. */
static void write_some(void)
{
    struct focal_ref first, ref;
    static uint8_t text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * i);
    for (int half = 0; half < 2; half++) {
        begin(&ken);
        for (int i = 0; i < ENTRIES / 2; i++)
            write_value(&ken, &scope_network, i > 3 ? &first : NULL, i % 2 ? FIELD_A : FIELD_B, (uint8_t)(i + half), i == 0 ? &first : &ref);
        assert_int_equal(try_write(&ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_ROWS, focal_span_of(text, sizeof text), &ref), FOCAL_OK);
        commit(&ken);
    }
}

static uint64_t held_by_hq(void)
{
    const struct focal_log *held = log_of(&hq, &net, &ken, &scope_network);
    return held ? held->head.seq : 0;
}

/* Nothing of it is there afterwards, not even waiting. */
static bool is_refused(const struct carried *c, uint64_t held)
{
    begin(&hq);
    const enum focal_status st = hand_over(&hq, c);
    const struct focal_log *log = log_of(&hq, &net, &ken, &scope_network);
    if (st != FOCAL_OK) {
        assert_true(st == FOCAL_NEVER || st == FOCAL_NOT_YET || st == FOCAL_CONFLICT);
        assert_int_equal(held_by_hq(), held);
        assert_true(!log || log->staged.seq <= held || log->staged.seq == log->head.seq);
    }
    roll_back(&hq);
    assert_int_equal(held_by_hq(), held);
    return st != FOCAL_OK;
}

/* How far a salt run reaches is in no hash: where it is told to reach further or less far, and every salt still fits its entry,
 * these are the very same entries. They are admitted, and nothing else is. */
static bool same_entries(const struct carried *turned, const struct carried *whole)
{
    struct focal_arena arenas[2];
    struct focal_stretch a, b;
    struct focal_packer *packer = focal_packer_open();
    assert_non_null(packer);
    for (int i = 0; i < 2; i++)
        focal_arena_init(&arenas[i], 64 << 20);
    bool same = focal_stretch_unpack(packer, &a, &arenas[0], focal_buf_view(&turned->packed)) == FOCAL_OK
        && focal_stretch_unpack(packer, &b, &arenas[1], focal_buf_view(&whole->packed)) == FOCAL_OK && a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = focal_span_equal(a.entries[i].header, b.entries[i].header) && a.entries[i].has_payload == b.entries[i].has_payload
            && focal_span_equal(a.entries[i].payload, b.entries[i].payload) && memcmp(a.entries[i].c.b, b.entries[i].c.b, sizeof a.entries[i].c.b) == 0;
    for (int i = 0; i < 2; i++)
        focal_arena_close(&arenas[i]);
    focal_packer_close(packer);
    return same;
}

/* And no harm comes of it: who took it so goes on, hands it on, and all is equal. */
static void nothing_comes_of(const struct carried *turned)
{
    struct office took, third;
    office_make(&took, &net, "UGA", 20);
    office_make(&third, &net, "TCD", 21);
    hold(&took, &ken.statement);
    hold(&third, &ken.statement);
    begin(&took);
    struct carried control;
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_control), 1, 16000, &control), FOCAL_OK);
    assert_int_equal(hand_over(&took, &control), FOCAL_OK);
    for (uint64_t next = 1; next < turned->piece.first;) {
        struct carried before;
        assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_network), next, 16000, &before), FOCAL_OK);
        assert_int_equal(hand_over(&took, &before), FOCAL_OK);
        next = before.piece.last + 1;
        carried_close(&before);
    }
    assert_int_equal(hand_over(&took, turned), FOCAL_OK);
    commit(&took);
    struct focal_ref more;
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 7, &more);
    commit(&ken);
    carry_all(&ken, &took);
    carry_all(&took, &third);
    assert_verifies(&took, NULL);
    assert_verifies(&third, NULL);
    assert_same_state(&ken, &took);
    assert_same_state(&ken, &third);
    carried_close(&control);
    office_close(&took);
    office_close(&third);
}

static void turn_each(uint8_t *bytes, size_t len, const struct carried *c, uint64_t held)
{
    for (size_t bit = 0; bit < 8 * len; bit++) {
        turn(bytes, bit);
        if (!is_refused(c, held))
            fail_msg("bit %zu of %zu bytes is not seen", bit, len);
        turn(bytes, bit);
    }
}

static void segment_from(uint64_t first)
{
    struct carried c, whole;
    const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
    const uint64_t held = held_by_hq();
    size_t same = 0;
    assert_int_equal(take_up(&ken, log, first, 16000, &c), FOCAL_OK);
    assert_int_equal(take_up(&ken, log, first, 16000, &whole), FOCAL_OK);
    assert_true(c.piece.is_signed);
    turn_each(c.piece.signature.b, sizeof c.piece.signature.b, &c, held);
    turn_each((uint8_t *)c.piece.before, 8, &c, held);
    turn_each(c.name.author.b, sizeof c.name.author.b, &c, held);
    turn_each(c.name.epoch.b, sizeof c.name.epoch.b, &c, held);
    turn_each(c.name.scope.b, sizeof c.name.scope.b, &c, held);
    for (size_t bit = 0; bit < 8 * c.packed.len; bit++) {
        turn(c.packed.data, bit);
        if (!is_refused(&c, held)) {
            assert_true(same_entries(&c, &whole));
            nothing_comes_of(&c);
            same++;
        }
        turn(c.packed.data, bit);
    }
    printf("segment from %llu: %zu bits, with %zu of them turned it holds the same entries\n", (unsigned long long)first, 8 * c.packed.len, same);
    begin(&hq);
    assert_int_equal(hand_over(&hq, &c), FOCAL_OK);
    commit(&hq);
    carried_close(&c);
    carried_close(&whole);
}

static void a_segment(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    write_some();
    carry_control();
    segment_from(1);
    assert_true(held_by_hq() > ENTRIES);
    write_some();
    segment_from(held_by_hq() + 1);
    assert_verifies(&hq, NULL);
}

/* One that another authority could have made, one of ours that says something else, one that is cut off: none is held. */
static void a_statement(void **state)
{
    (void)state;
    const size_t bits = 8 * ken.statement.len;
    for (size_t bit = 0; bit < bits; bit++) {
        turn(ken.statement.data, bit);
        begin(&hq);
        assert_int_equal(focal_oplog_add_statement(hq.ol, focal_buf_view(&ken.statement)), FOCAL_NEVER);
        roll_back(&hq);
        turn(ken.statement.data, bit);
    }
    assert_null(focal_oplog_certificate_by_sign(hq.ol, &ken.keys.sign_public));
    hold(&hq, &ken.statement);
    assert_non_null(focal_oplog_certificate_by_sign(hq.ol, &ken.keys.sign_public));
}

static void a_genesis(void **state)
{
    (void)state;
    struct focal_store *empty = focal_fake_store_new();
    assert_non_null(empty);
    for (size_t bit = 0; bit < 8 * net.genesis.len; bit++) {
        turn(net.genesis.data, bit);
        assert_int_equal(focal_oplog_found(empty, focal_buf_view(&net.genesis)), FOCAL_NEVER);
        turn(net.genesis.data, bit);
    }
    assert_int_equal(focal_oplog_found(empty, focal_buf_view(&net.genesis)), FOCAL_OK);
    focal_store_close(empty);
}

static void a_receipt(void **state)
{
    (void)state;
    struct focal_buf body;
    struct focal_signature signature;
    hold(&hq, &ken.statement);
    hold(&hq, &hq.statement);
    write_some();
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(&ken);
    assert_int_equal(focal_oplog_make_receipt(ken.ol, &scope_network, 20001, &body, &signature), FOCAL_OK);
    commit(&ken);
    for (size_t bit = 0; bit < 8 * (body.len + sizeof signature.b); bit++) {
        uint8_t *bytes = bit < 8 * body.len ? body.data : signature.b;
        const size_t at = bit < 8 * body.len ? bit : bit - 8 * body.len;
        turn(bytes, at);
        begin(&hq);
        const enum focal_status st = focal_oplog_take_receipt(hq.ol, focal_buf_view(&body), &signature);
        /* Of a signer nobody knows: not yet. */
        assert_true(st == FOCAL_NEVER || st == FOCAL_NOT_YET);
        roll_back(&hq);
        turn(bytes, at);
    }
    begin(&hq);
    assert_int_equal(focal_oplog_take_receipt(hq.ol, focal_buf_view(&body), &signature), FOCAL_OK);
    commit(&hq);
    focal_buf_close(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_segment, set_up, tear_down), cmocka_unit_test_setup_teardown(a_statement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_genesis, set_up, tear_down), cmocka_unit_test_setup_teardown(a_receipt, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
