/* The way in: what is never admitted, what not yet, what is another branch; staging, doubles, overlaps. */
#include "forge.h"


/* n records, one commit each when `each`. */
static void write_many(struct office *o, int n, bool each)
{
    struct focal_ref ref;
    begin(o);
    for (int i = 0; i < n; i++) {
        write_value(o, &scope_network, NULL, FIELD_A, (uint8_t)i, &ref);
        if (each && i + 1 < n) {
            commit(o);
            begin(o);
        }
    }
    commit(o);
}


/* ---- rights ---- */

static void needs_certificate_then_opening(void **state)
{
    (void)state;
    struct carried control, data;
    write_many(&ken, 3, false);
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_control), 1, 16000, &control), FOCAL_OK);
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_network), 1, 16000, &data), FOCAL_OK);
    assert_int_equal(offer(&control), FOCAL_NOT_YET);           /* no scope is known at all */
    hold(&hq, &hq.statement);
    assert_int_equal(offer(&control), FOCAL_NOT_YET);           /* scopes are known, the author is not */
    hold(&hq, &ken.statement);
    assert_int_equal(offer(&data), FOCAL_NOT_YET);              /* its epoch is not open here */
    assert_int_equal(focal_oplog_log_count(hq.ol), 0);
    assert_int_equal(offer(&control), FOCAL_OK);
    assert_int_equal(offer(&data), FOCAL_OK);
    assert_int_equal(offer(&data), FOCAL_OK);                   /* doubles change nothing */
    assert_int_equal(focal_oplog_log_count(hq.ol), 2);
    assert_same_state(&ken, &hq);
    assert_verifies(&hq, NULL);
    carried_close(&control);
    carried_close(&data);
}

static void scope_not_granted(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct focal_buf statement;
    struct carried p;
    struct office other;
    office_make(&other, &net, "TCD", 9);
    certificate_for(&c, &other, 1);
    c.write_count = 2;                  /* control and network */
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    hold(&hq, &hq.statement);
    hold(&hq, &statement);
    struct focal_log_name control = name_of(&other, &scope_control, 1), kenya = name_of(&other, &scope_kenya, 1);
    struct focal_buf payload;
    opening(&payload, &control, 1);
    struct forged_entry first = begin_entry;
    first.payload = focal_buf_view(&payload);
    forge(&p, &other, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    forge(&p, &other, &kenya, NULL, 1, &begin_entry, 1, true);
    assert_int_equal(offer(&p), FOCAL_NOT_YET);
    /* A later certificate grants it: what was not yet admissible is now. */
    certificate_for(&c, &other, 2);
    focal_buf_clear(&statement);
    certificate_sign(&statement, &net, &c);
    hold(&hq, &statement);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    /* A certificate grants for ever, also when a higher number no longer lists the scope. */
    c.number = 3;
    c.write_count = 1;
    focal_buf_clear(&statement);
    certificate_sign(&statement, &net, &c);
    hold(&hq, &statement);
    struct focal_log_name network = name_of(&other, &scope_network, 1);
    forge(&p, &other, &network, NULL, 1, &begin_entry, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    focal_buf_close(&statement);
    office_close(&other);
}

static void openings_are_counted(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    struct focal_log_name name = name_of(&ken, &scope_control, 1);
    struct focal_buf payload;
    struct carried p;
    struct forged_entry first = begin_entry;
    forge(&p, &ken, &name, NULL, 1, &first, 1, true);           /* no opening in it */
    assert_int_equal(offer_and_close(&p), FOCAL_NOT_YET);
    const struct focal_log_name other = name_of(&ken, &scope_control, 2);
    opening(&payload, &other, 1);                               /* of another epoch */
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &name, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_NOT_YET);
    focal_buf_close(&payload);
    const uint8_t many[] = { 0x91, 0x03 };                      /* 401, one more than granted */
    const struct focal_item items[] = {
        { .field = FOCAL_OPENING_NUMBER, .value = focal_span_of(many, sizeof many) },
        { .field = FOCAL_OPENING_AUTHOR, .value = focal_span_of(name.author.b, 32) },
        { .field = FOCAL_OPENING_EPOCH, .value = focal_span_of(name.epoch.b, 16) },
    };
    focal_buf_init(&payload, 1024);
    focal_payload_encode(&payload, FOCAL_KIND_OPENING, NULL, NULL, items, 3);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &name, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_NOT_YET);
    focal_buf_close(&payload);
    opening(&payload, &name, 7);                                /* a gap in the numbers is no fault */
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &name, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
}

/* ---- form ---- */

static void malformed_is_never(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    write_many(&ken, 20, false);
    carry_control();
    struct carried c;
    const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
    assert_int_equal(take_up(&ken, log, 1, 16000, &c), FOCAL_OK);
    /* Every cut and every flipped bit: never admitted, nothing changed. */
    for (size_t len = 0; len < c.packed.len; len += 7) {
        struct carried cut = c;
        cut.packed.len = len;
        assert_int_equal(offer(&cut), FOCAL_NEVER);
    }
    for (size_t bit = 0; bit < 8 * c.packed.len; bit += 11) {
        c.packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        begin(&hq);
        enum focal_status st = hand_over(&hq, &c);
        /* The extent of a salt run is in no hash: entries with such a flip are the very same entries. */
        if (st == FOCAL_OK)
            assert_memory_equal(log_of(&hq, &net, &ken, &scope_network)->head.h.b, log->head.h.b, 32);
        else
            assert_true(st == FOCAL_NEVER || st == FOCAL_NOT_YET || st == FOCAL_CONFLICT);
        roll_back(&hq);
        c.packed.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    c.piece.signature.b[3] ^= 1;
    assert_int_equal(offer(&c), FOCAL_NEVER);
    c.piece.signature.b[3] ^= 1;
    const struct focal_log *held = log_of(&hq, &net, &ken, &scope_network);
    assert_true(!held || held->head.seq == 0);
    assert_int_equal(offer_and_close(&c), FOCAL_OK);
    assert_same_state(&ken, &hq);
}

static void begins_and_sizes(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    struct focal_log_name control = name_of(&ken, &scope_control, 1), data = name_of(&ken, &scope_network, 1);
    struct focal_buf payload;
    struct carried p;
    struct forged_entry first = begin_entry;
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);

    struct forged_entry list[3] = { creating(1), creating(2), creating(3) };
    forge(&p, &ken, &data, NULL, 1, list, 2, true);             /* does not begin */
    assert_int_equal(offer_and_close(&p), FOCAL_NEVER);
    list[0] = begin_entry;
    static uint8_t big[FOCAL_ENTRY_MAX];
    const struct focal_item item = { .field = FIELD_A, .value = focal_span_of(big, FOCAL_ORDINARY_MAX) };
    focal_buf_init(&payload, FOCAL_ENTRY_MAX);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
    list[1].payload = focal_buf_view(&payload);
    forge(&p, &ken, &data, NULL, 1, list, 2, true);             /* an ordinary entry over its size */
    assert_int_equal(offer_and_close(&p), FOCAL_NEVER);
    focal_buf_close(&payload);
    list[1] = creating(2);
    list[2].stripped = true;
    forge(&p, &ken, &data, NULL, 1, list, 3, true);             /* nothing here says that it was redacted */
    assert_int_equal(offer_and_close(&p), FOCAL_NOT_YET);
    list[2].stripped = false;
    forge(&p, &hq, &data, NULL, 1, list, 3, true);              /* signed by somebody else */
    assert_int_equal(offer_and_close(&p), FOCAL_NEVER);
    struct focal_log_name lane = data;
    lane.lane = 7;
    forge(&p, &ken, &lane, NULL, 1, list, 3, true);
    assert_int_equal(offer_and_close(&p), FOCAL_NOT_YET);
    forge(&p, &ken, &data, NULL, 1, list, 3, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    const struct focal_hash tip = forge_head;
    /* A quote says what it quotes, under the quoted name; its own commitment is the quoted one. */
    struct focal_header quoted = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 9, .creates = true };
    struct focal_buf inner;
    uint8_t salt[16];
    focal_buf_init(&inner, 100);
    focal_header_encode(&inner, &quoted);
    struct forged_entry quote = { .header = { .shape = FOCAL_SHAPE_QUOTE, .seq = 4, .quoted_author = ken.keys.sign_public,
        .quoted_header = focal_buf_view(&inner) }, .payload = { &kind_case, 1 } };
    forge(&p, &ken, &data, &tip, 4, &quote, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_NEVER);
    memset(salt, 4, sizeof salt);
    focal_commitment(&quote.header.quoted_commitment, salt, quote.payload);
    forge(&p, &ken, &data, &tip, 4, &quote, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&inner);
    assert_verifies(&hq, NULL);
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_PART, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 3);
}

/* ---- place ---- */

static void gaps_overlaps_and_doubles(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    write_many(&ken, 10, true);         /* ten signed segments; entry 1 stands with entry 2 */
    carry_control();
    const struct focal_log *log = log_of(&ken, &net, &ken, &scope_network);
    struct carried c, all;
    assert_int_equal(take_up(&ken, log, 6, 16000, &c), FOCAL_OK);
    assert_int_equal(c.piece.last, 11); /* merged under the last signature */
    assert_int_equal(offer(&c), FOCAL_NOT_YET);
    assert_int_equal(take_up(&ken, log, 1, 16000, &all), FOCAL_OK);
    assert_int_equal(all.piece.last, 11);
    struct carried few;
    assert_int_equal(take_up(&ken, log, 1, 180, &few), FOCAL_OK);
    assert_in_range(few.piece.last, 4, 10);
    assert_true(few.piece.is_signed);
    assert_int_equal(offer(&few), FOCAL_OK);
    const struct focal_log *held = log_of(&hq, &net, &ken, &scope_network);
    assert_int_equal(held->head.seq, few.piece.last);
    assert_int_equal(offer(&all), FOCAL_OK);                    /* overlaps: only its new tail goes in */
    assert_int_equal(held->head.seq, 11);
    assert_int_equal(offer(&few), FOCAL_OK);
    assert_int_equal(offer(&c), FOCAL_OK);
    assert_same_state(&ken, &hq);
    assert_verifies(&hq, NULL);
    carried_close(&c);
    carried_close(&few);
    carried_close(&all);
}


static void rights_are_rolled_back_too(void **state)
{
    (void)state;
    struct carried control, data;
    write_many(&ken, 3, false);
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_control), 1, 16000, &control), FOCAL_OK);
    assert_int_equal(take_up(&ken, log_of(&ken, &net, &ken, &scope_network), 1, 16000, &data), FOCAL_OK);
    begin(&hq);
    assert_int_equal(focal_oplog_add_statement(hq.ol, focal_buf_view(&ken.statement)), FOCAL_OK);
    assert_int_equal(hand_over(&hq, &control), FOCAL_OK);
    assert_int_equal(hand_over(&hq, &data), FOCAL_OK);
    roll_back(&hq);
    assert_int_equal(offer(&control), FOCAL_NOT_YET);
    hold(&hq, &hq.statement);
    assert_int_equal(offer(&control), FOCAL_NOT_YET);
    hold(&hq, &ken.statement);
    assert_int_equal(offer(&data), FOCAL_NOT_YET);
    assert_int_equal(offer(&control), FOCAL_OK);
    assert_int_equal(offer(&data), FOCAL_OK);
    assert_same_state(&ken, &hq);       /* with frontiers: the logs stand in their scopes again */
    carried_close(&control);
    carried_close(&data);
}

/* ---- staging ---- */

static const struct focal_log *one_long_segment(void)
{
    /* 40 entries of 3000 bytes of noise under one signature: as an author with another segment size may write. */
    struct focal_log_name control = name_of(&ken, &scope_control, 1), data = name_of(&ken, &scope_network, 1);
    static uint8_t noise[40][3000];
    struct focal_buf payload, bytes[40];
    struct carried p;
    struct forged_entry first = begin_entry, list[41] = { begin_entry };
    hold(&hq, &ken.statement);
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    begin(&ken);
    assert_int_equal(hand_over(&ken, &p), FOCAL_OK);
    commit(&ken);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    for (int i = 0; i < 40; i++) {
        chance_fill(&hq.chance, noise[i], sizeof noise[i]);
        const struct focal_item item = { .field = FIELD_A, .value = focal_span_of(noise[i], sizeof noise[i]) };
        focal_buf_init(&bytes[i], 4096);
        focal_payload_encode(&bytes[i], FOCAL_KIND_CASE, NULL, NULL, &item, 1);
        list[i + 1] = creating((uint64_t)i + 2);
        list[i + 1].payload = focal_buf_view(&bytes[i]);
    }
    forge(&p, &ken, &data, NULL, 1, list, 41, true);
    begin(&ken);
    assert_int_equal(hand_over(&ken, &p), FOCAL_OK);
    commit(&ken);
    carried_close(&p);
    for (int i = 0; i < 40; i++)
        focal_buf_close(&bytes[i]);
    return focal_oplog_log_at(ken.ol, 1);
}

static void long_segments_wait_in_staging(void **state)
{
    (void)state;
    const struct focal_log *log = one_long_segment();
    struct carried c;
    uint64_t pieces = 0;
    for (uint64_t next = 1; next <= 41; next = c.piece.last + 1, pieces++) {
        const struct focal_log *held = focal_oplog_log(hq.ol, &log->id);
        assert_int_equal(held ? held->head.seq : 0, 0);
        if (pieces == 3) {              /* a restart in between: the transfer goes on where it was */
            focal_oplog_close(hq.ol);
            office_open(&hq);
            assert_int_equal(focal_oplog_log(hq.ol, &log->id)->staged.seq, next - 1);
        }
        assert_int_equal(take_up(&ken, log, next, 15872, &c), FOCAL_OK);
        assert_int_equal(c.piece.is_signed, c.piece.last == 41);
        assert_int_equal(offer(&c), FOCAL_OK);
        assert_int_equal(offer_and_close(&c), FOCAL_OK);        /* doubles of staged pieces too */
        held = focal_oplog_log(hq.ol, &log->id);
        assert_int_equal(held->staged.seq, c.piece.last);
    }
    assert_true(pieces > 5);
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_STAGING, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 0);
    assert_same_state(&ken, &hq);
    assert_verifies(&hq, NULL);
}

static void forged_staging_is_found_out(void **state)
{
    (void)state;
    const struct focal_log *log = one_long_segment();
    struct carried one, two, three, liar;
    assert_int_equal(take_up(&ken, log, 1, 15872, &one), FOCAL_OK);
    assert_int_equal(take_up(&ken, log, one.piece.last + 1, 15872, &two), FOCAL_OK);
    assert_int_equal(take_up(&ken, log, two.piece.last + 1, 15872, &three), FOCAL_OK);
    const struct forged_entry lies[] = { begin_entry, creating(2), creating(3), creating(4), creating(5), creating(6), creating(7), creating(8) };
    /* Lies first: the true pieces do not fit them, and take their place. */
    forge(&liar, &hq, &log->name, NULL, 1, lies, 8, false);
    assert_int_equal(offer(&liar), FOCAL_OK);
    const struct focal_log *held = focal_oplog_log(hq.ol, &log->id);
    assert_int_equal(held->staged.seq, 8);
    assert_int_equal(offer(&one), FOCAL_OK);
    assert_int_equal(held->staged.seq, one.piece.last);
    /* A piece that follows lies does not fit: lies dropped, no blame. */
    assert_int_equal(offer(&liar), FOCAL_OK);
    assert_int_equal(held->staged.seq, 8);
    assert_int_equal(two.piece.first <= 9, 1);
    assert_int_equal(offer(&two), FOCAL_NOT_YET);
    assert_int_equal(held->staged.seq, 0);
    assert_int_equal(offer(&one), FOCAL_OK);
    assert_int_equal(offer(&two), FOCAL_OK);
    /* A bad signature at the end: the sender's fault, staging gone. */
    struct carried bad = three;
    bad.piece.is_signed = true;
    memset(bad.piece.signature.b, 5, 64);
    assert_int_equal(offer(&bad), FOCAL_NEVER);
    assert_int_equal(held->staged.seq, 0);
    assert_int_equal(held->head.seq, 0);
    for (uint64_t next = 1; next <= 41;) {
        struct carried c;
        assert_int_equal(take_up(&ken, log, next, 15872, &c), FOCAL_OK);
        next = c.piece.last + 1;
        assert_int_equal(offer_and_close(&c), FOCAL_OK);
    }
    assert_same_state(&ken, &hq);
    carried_close(&one);
    carried_close(&two);
    carried_close(&three);
    carried_close(&liar);
}

static void staging_is_bounded(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    struct focal_log_name data = name_of(&ken, &scope_control, 1);
    struct focal_buf payload;
    struct carried p;
    struct focal_hash before;
    struct forged_entry list[64];
    opening(&payload, &data, 1);
    for (uint64_t i = 0; i < 64; i++)
        list[i] = creating(i + 1);
    list[0] = begin_entry;
    list[0].payload = focal_buf_view(&payload);
    enum focal_status st = FOCAL_OK;
    uint64_t next = 1;
    for (; next < 100000 && st == FOCAL_OK; next += 64) {
        for (uint64_t i = 0; i < 64; i++)
            list[i].header.seq = next + i;
        if (next > 1)
            list[0] = creating(next);
        forge(&p, &ken, &data, next > 1 ? &before : NULL, next, list, 64, false);
        before = forge_head;
        st = offer_and_close(&p);
    }
    assert_int_equal(st, FOCAL_NOT_YET);
    assert_int_equal(next, FOCAL_STRETCH_ENTRIES_MAX + 64 + 1);
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(hq.store, FOCAL_SHELF_STAGING, &digest, &rows), FOCAL_OK);
    assert_int_equal(rows, 0);
    focal_buf_close(&payload);
    /* Invented epochs, nothing signed: only so many. */
    size_t taken = 0;
    for (uint8_t epoch = 2; epoch < 200; epoch++) {
        struct focal_log_name name = name_of(&ken, &scope_control, epoch);
        struct forged_entry first = begin_entry;
        opening(&payload, &name, 1);
        first.payload = focal_buf_view(&payload);
        forge(&p, &hq, &name, NULL, 1, &first, 1, false);
        taken += offer_and_close(&p) == FOCAL_OK;
        focal_buf_close(&payload);
    }
    assert_in_range(taken, 32, 64);
}

static void own_tail_comes_back(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    write_many(&ken, 5, false);
    carry_all(&ken, &hq);
    /* The same office on a copy of its first state: what it wrote since comes back to it from a peer. */
    struct office copy;
    office_make(&copy, &net, "KEN", 7);
    hold(&copy, &ken.statement);
    carry_all(&hq, &copy);
    assert_same_state(&copy, &hq);
    assert_true(focal_oplog_log_at(copy.ol, 0)->mine);
    struct focal_ref ref;
    copy.chance.state = 99;
    begin(&copy);
    write_value(&copy, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&copy);
    assert_int_equal(ref.seq, 2);       /* in an epoch of its own, whose first entry names the log before */
    struct carried p;
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch s;
    struct focal_header header;
    struct focal_previous previous;
    focal_arena_init(&arena, 1 << 20);
    assert_int_equal(take_up(&copy, log_of(&copy, &net, &copy, &scope_network), 1, 16000, &p), FOCAL_OK);
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&p.packed)), FOCAL_OK);
    assert_int_equal(focal_header_decode(&header, s.entries[0].header), FOCAL_OK);
    assert_int_equal(focal_header_previous_count(&header), 1);
    focal_header_previous(&previous, &header, 0);
    const struct focal_log *old = log_of(&hq, &net, &ken, &scope_network);
    assert_memory_equal(previous.log.b, old->id.b, 16);
    assert_int_equal(previous.tip.seq, old->head.seq);
    assert_memory_equal(previous.tip.h.b, old->head.h.b, 32);
    carried_close(&p);
    assert_int_equal(take_up(&copy, log_of(&copy, &net, &copy, &scope_control), 1, 16000, &p), FOCAL_OK);
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&p.packed)), FOCAL_OK);
    struct focal_payload payload;
    struct focal_value_walk at = { 0 };
    struct focal_item number;
    assert_int_equal(focal_payload_decode(&payload, s.entries[0].payload), FOCAL_OK);
    assert_true(focal_payload_next(&payload, &at, &number));
    assert_int_equal(number.value.data[0], 2);
    carried_close(&p);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    carry_all(&copy, &hq);
    assert_same_state(&copy, &hq);
    assert_verifies(&hq, NULL);
    office_close(&copy);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(needs_certificate_then_opening), WITH(scope_not_granted), WITH(openings_are_counted), WITH(malformed_is_never),
        WITH(begins_and_sizes), WITH(gaps_overlaps_and_doubles),
        WITH(long_segments_wait_in_staging), WITH(forged_staging_is_found_out), WITH(staging_is_bounded),
        WITH(own_tail_comes_back), WITH(rights_are_rolled_back_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
