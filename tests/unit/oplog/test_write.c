/* Our own entries: epochs, begin entries, runs, segments, what is derived, rollback, reopening. */
#include "offices.h"

static struct network net;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_close(&net);
    return 0;
}

static void first_write_opens_epoch_and_logs(void **state)
{
    (void)state;
    struct office o;
    struct focal_id epoch;
    struct focal_ref ref;
    office_make(&o, &net, "KEN", 7);
    assert_false(focal_oplog_epoch(o.ol, &epoch));
    begin(&o);
    assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_text("x"), &ref), FOCAL_DENIED);
    roll_back(&o);
    hold(&o, &o.statement);
    assert_non_null(focal_oplog_mine(o.ol));
    assert_int_equal(focal_oplog_log_count(o.ol), 0);

    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 5, &ref);
    assert_int_equal(ref.seq, 2);
    const struct focal_log *data = log_of(&o, &net, &o, &scope_network);
    assert_non_null(data);
    assert_int_equal(data->head.seq, 0);            /* a head stands at a signature */
    commit(&o);
    assert_true(focal_oplog_epoch(o.ol, &epoch));
    assert_int_equal(focal_oplog_log_count(o.ol), 2);
    const struct focal_log *control = log_of(&o, &net, &o, &scope_control);
    assert_non_null(control);
    assert_int_equal(control->head.seq, 1);
    assert_int_equal(data->head.seq, 2);
    assert_true(data->mine);
    assert_memory_equal(data->head.h.b, ref.h8, 8);

    struct focal_record_view view;
    assert_int_equal(focal_oplog_record(o.ol, NULL, &ref, &view), FOCAL_OK);
    assert_int_equal(view.record.kind_number, FOCAL_KIND_CASE);
    assert_int_equal(view.widest.entry_count, 1);
    focal_record_view_close(&view);

    struct focal_ref found;
    char code[32];
    assert_int_equal(focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, NULL, &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &ref), 0);
    assert_int_equal(focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, &found, &found), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_ENTITY, NULL, &found), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_by_code(o.ol, &o.code, focal_short_code(&ref), &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &ref), 0);
    assert_int_equal(focal_oplog_by_code(o.ol, &o.code, focal_short_code(&ref) ^ 1, &found), FOCAL_NOT_FOUND);
    focal_oplog_record_code(o.ol, &ref, code);
    assert_memory_equal(code, "KEN-", 4);
    assert_verifies(&o, NULL);
    office_close(&o);
}

static void begin_entries_say_what_they_must(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref ref;
    struct carried c;
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 5, &ref);
    commit(&o);
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch s;
    struct focal_header header;
    struct focal_payload payload;
    focal_arena_init(&arena, 1 << 20);

    assert_int_equal(take_up(&o, log_of(&o, &net, &o, &scope_control), 1, 16000, &c), FOCAL_OK);
    assert_true(c.piece.is_signed);
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
    assert_int_equal(s.count, 1);
    assert_int_equal(focal_header_decode(&header, s.entries[0].header), FOCAL_OK);
    assert_int_equal(header.shape, FOCAL_SHAPE_BEGIN);
    assert_int_equal(focal_header_previous_count(&header), 0);
    assert_int_equal(focal_payload_decode(&payload, s.entries[0].payload), FOCAL_OK);
    assert_int_equal(payload.kind, FOCAL_KIND_OPENING);
    struct focal_value_walk at = { 0 };
    struct focal_item item;
    assert_true(focal_payload_next(&payload, &at, &item));
    assert_int_equal(item.field, FOCAL_OPENING_NUMBER);
    assert_int_equal(item.value.data[0], 1);
    assert_true(focal_payload_next(&payload, &at, &item));
    assert_memory_equal(item.value.data, o.keys.sign_public.b, 32);
    carried_close(&c);

    assert_int_equal(take_up(&o, log_of(&o, &net, &o, &scope_network), 1, 16000, &c), FOCAL_OK);
    assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.run_count, 1);
    assert_true(s.runs[0].has_seed && s.runs[0].first == 1 && s.runs[0].last == 2);
    assert_int_equal(focal_payload_decode(&payload, s.entries[0].payload), FOCAL_OK);
    assert_int_equal(payload.kind, FOCAL_KIND_NOTHING);
    carried_close(&c);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    office_close(&o);
}

static void a_transaction_sees_its_own_writes(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref record, edit;
    struct focal_part part;
    struct focal_hash scope;
    struct focal_live live[4];
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_part_init(&part);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 5, &record);
    assert_int_equal(focal_oplog_part(o.ol, &record, &scope, &part), FOCAL_OK);
    assert_int_equal(focal_part_live(&part, live, 4), 1);
    const struct focal_replaced old[] = { { record, 0 }, { record, 0 } };     /* twice: written once */
    uint8_t value = 6;
    assert_int_equal(try_write(&o, &scope_network, &record, old, 2, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &edit), FOCAL_OK);
    assert_int_equal(focal_oplog_part(o.ol, &record, &scope, &part), FOCAL_OK);
    assert_int_equal(focal_part_live(&part, live, 4), 1);
    assert_int_equal(live[0].value.data[0], 6);
    /* Many edits in one transaction, read after each: what waits is written in between. */
    for (int i = 0; i < 100; i++) {
        const struct focal_replaced before = { edit, 0 };
        value = (uint8_t)i;
        assert_int_equal(try_write(&o, &scope_network, &record, &before, 1, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &edit), FOCAL_OK);
        assert_int_equal(focal_oplog_part(o.ol, &record, &scope, &part), FOCAL_OK);
        assert_int_equal(focal_part_live(&part, live, 4), 1);
        assert_int_equal(live[0].value.data[0], i);
    }
    struct focal_ref found;
    assert_int_equal(focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, NULL, &found), FOCAL_OK);
    commit(&o);
    assert_int_equal(focal_oplog_part(o.ol, &record, &scope, &part), FOCAL_OK);
    assert_int_equal(focal_part_live(&part, live, 4), 1);
    assert_verifies(&o, NULL);
    focal_part_close(&part);
    office_close(&o);
}

static void rollback_forgets_all(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref one, two, found;
    uint8_t before[16], after[16];
    struct focal_hash scope;
    struct focal_id epoch;
    office_make(&o, &net, "KEN", 7);
    /* A certificate and what it allowed go together. */
    begin(&o);
    assert_int_equal(focal_oplog_add_statement(o.ol, focal_buf_view(&o.statement)), FOCAL_OK);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &one);
    assert_int_equal(focal_oplog_seal(o.ol), FOCAL_OK);
    roll_back(&o);
    assert_null(focal_oplog_mine(o.ol));
    assert_int_equal(focal_oplog_scope_count(o.ol), 0);
    assert_false(focal_oplog_epoch(o.ol, &epoch));
    assert_int_equal(focal_oplog_next_of_kind(o.ol, NULL, FOCAL_KIND_CASE, NULL, &found), FOCAL_NOT_FOUND);

    hold(&o, &o.statement);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &one);
    commit(&o);
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_oplog_frontier_hash(o.ol, &scope, before);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 2, &two);
    write_value(&o, &scope_kenya, NULL, FIELD_A, 2, &two);
    assert_int_equal(focal_oplog_seal(o.ol), FOCAL_OK);
    focal_oplog_frontier_hash(o.ol, &scope, after);
    assert_memory_not_equal(before, after, 16);
    roll_back(&o);
    focal_oplog_frontier_hash(o.ol, &scope, after);
    assert_memory_equal(before, after, 16);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 3, &two);
    write_value(&o, &scope_kenya, NULL, FIELD_A, 3, &found);
    commit(&o);
    assert_int_equal(two.seq, 3);
    assert_int_equal(found.seq, 2);
    assert_verifies(&o, NULL);
    office_close(&o);
}

static void a_store_that_fails_loses_nothing(void **state)
{
    (void)state;
    /* Fail each operation of a transaction in turn; after the rollback the same transaction must go through. */
    for (uint64_t nth = 1;; nth++) {
        struct office o;
        struct focal_ref ref;
        office_make(&o, &net, "KEN", 7);
        hold(&o, &o.statement);
        focal_fake_store_plan(o.store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL & ~FOCAL_FAKE_COMMIT & ~FOCAL_FAKE_BEGIN, .status = FOCAL_IO });
        begin(&o);
        uint8_t value = 1;
        enum focal_status st = try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &ref);
        if (st == FOCAL_OK)
            st = focal_oplog_seal(o.ol);
        focal_fake_store_plan(o.store, (struct focal_fake_failure){ 0 });
        if (st == FOCAL_OK) {
            assert_true(nth > 8);
            focal_store_rollback(o.store);
            office_close(&o);
            return;
        }
        assert_int_equal(st, FOCAL_IO);
        roll_back(&o);
        begin(&o);
        write_value(&o, &scope_network, NULL, FIELD_A, 1, &ref);
        commit(&o);
        assert_int_equal(ref.seq, 2);
        assert_verifies(&o, NULL);
        office_close(&o);
    }
}

static void bulk_fits_messages(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref ref;
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    begin(&o);
    for (int i = 0; i < 20000; i++) {
        /* What packs well is followed by noise, so that more is written than the guess made of it. */
        uint8_t value[200] = { 0 };
        size_t len = i % 4000 < 3700 ? 4 : sizeof value;
        if (i % 3 == 0 || len > 4)
            chance_fill(&o.chance, value, len);
        assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, len), &ref), FOCAL_OK);
    }
    commit(&o);
    const struct focal_log *log = log_of(&o, &net, &o, &scope_network);
    assert_int_equal(log->head.seq, 20001);
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    struct focal_stretch s;
    focal_arena_init(&arena, 8 << 20);
    uint64_t pieces = 0, small = 0, run_first = 0, run_last = 0;
    for (uint64_t next = 1; next <= log->head.seq; pieces++) {
        struct carried c;
        assert_int_equal(take_up(&o, log, next, FOCAL_FRAME_MAX - 512, &c), FOCAL_OK);
        assert_true(c.packed.len <= FOCAL_FRAME_MAX - 512);
        assert_true(c.piece.is_signed);         /* stored segments pass as they are */
        small += c.packed.len < 8 * 1024;
        assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
        for (size_t r = 0; r < s.run_count; r++) {
            assert_true(s.runs[r].last - s.runs[r].first < FOCAL_RUN_SEQS_MAX);
            /* A run that goes on in the next segment is the same run there: its first and last are the author's. */
            if (s.runs[r].first <= run_last)
                assert_true(s.runs[r].first == run_first && s.runs[r].last == run_last);
            run_first = s.runs[r].first;
            run_last = s.runs[r].last;
        }
        next = c.piece.last + 1;
        carried_close(&c);
        focal_arena_reset(&arena);
    }
    assert_in_range(pieces, 10, 60);
    assert_true(small <= pieces / 4);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    assert_verifies(&o, NULL);
    office_close(&o);
}

static void large_entries_are_cut_into_pieces(void **state)
{
    (void)state;
    struct office o, to;
    struct focal_ref ref;
    static uint8_t value[FOCAL_ORDINARY_MAX];
    office_make(&o, &net, "KEN", 7);
    office_make(&to, &net, "TCD", 8);
    hold(&o, &o.statement);
    hold(&to, &o.statement);
    begin(&o);
    for (int i = 0; i < 60; i++) {
        chance_fill(&o.chance, value, sizeof value);
        size_t len = i % 2 ? 14000 : 3000;
        assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, len), &ref), FOCAL_OK);
    }
    assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_TOO_BIG);
    commit(&o);
    carry_all(&o, &to);
    assert_same_state(&o, &to);
    assert_verifies(&to, NULL);
    office_close(&o);
    office_close(&to);
}

static void reopening_gives_the_same(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref one, two;
    struct focal_id before, after;
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &one);
    commit(&o);
    assert_true(focal_oplog_epoch(o.ol, &before));
    struct focal_hash set;
    focal_oplog_statements_hash(o.ol, &set);
    focal_oplog_close(o.ol);
    office_open(&o);
    struct focal_hash again;
    focal_oplog_statements_hash(o.ol, &again);
    assert_memory_equal(set.b, again.b, 32);
    assert_true(focal_oplog_epoch(o.ol, &after));
    assert_memory_equal(before.b, after.b, 16);
    begin(&o);
    write_value(&o, &scope_network, &one, FIELD_B, 2, &two);
    commit(&o);
    assert_int_equal(two.seq, 3);
    assert_verifies(&o, NULL);
    /* A log whose last segment is gone is named, not overwritten. */
    const struct focal_log *log = log_of(&o, &net, &o, &scope_network);
    uint8_t key[24];
    memcpy(key, log->id.b, 16);
    focal_put_be64(key + 16, 3);
    assert_int_equal(focal_store_begin(o.store), FOCAL_OK);
    assert_int_equal(focal_store_del(o.store, FOCAL_SHELF_SEGMENT, focal_span_of(key, sizeof key)), FOCAL_OK);
    assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
    focal_oplog_close(o.ol);
    struct focal_error err;
    assert_int_equal(focal_oplog_open(&o.ol, o.store, &o.keys, &o.entropy, NULL, &err), FOCAL_DAMAGED);
    assert_int_equal(err.status, FOCAL_DAMAGED);
    assert_true(strlen(err.message) > 0);
    assert_null(o.ol);
    office_close(&o);
}

static void two_versions_are_listed(void **state)
{
    (void)state;
    struct office o[2];
    struct focal_ref record, a, b, found;
    office_make(&o[0], &net, "KEN", 7);
    office_make(&o[1], &net, "TCD", 8);
    introduce(o, 2);
    begin(&o[0]);
    write_value(&o[0], &scope_network, NULL, FIELD_A, 1, &record);
    commit(&o[0]);
    carry_all(&o[0], &o[1]);
    const struct focal_replaced first = { record, 0 };
    uint8_t value = 2;
    begin(&o[0]);
    assert_int_equal(try_write(&o[0], &scope_network, &record, &first, 1, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &a), FOCAL_OK);
    commit(&o[0]);
    value = 3;
    begin(&o[1]);
    assert_int_equal(try_write(&o[1], &scope_network, &record, &first, 1, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &b), FOCAL_OK);
    commit(&o[1]);
    assert_int_equal(focal_oplog_next_conflict(o[0].ol, NULL, NULL, &found), FOCAL_NOT_FOUND);
    carry_all(&o[1], &o[0]);
    carry_all(&o[0], &o[1]);
    assert_same_state(&o[0], &o[1]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(focal_oplog_next_conflict(o[i].ol, NULL, NULL, &found), FOCAL_OK);
        assert_int_equal(focal_ref_compare(&found, &record), 0);
        assert_int_equal(focal_oplog_next_conflict(o[i].ol, NULL, &found, &found), FOCAL_NOT_FOUND);
        assert_verifies(&o[i], NULL);
    }
    const struct focal_replaced both[] = { { a, 0 }, { b, 0 } };
    begin(&o[0]);
    assert_int_equal(try_write(&o[0], &scope_network, &record, both, 2, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &a), FOCAL_OK);
    assert_int_equal(focal_oplog_next_conflict(o[0].ol, NULL, NULL, &found), FOCAL_NOT_FOUND);
    commit(&o[0]);
    carry_all(&o[0], &o[1]);
    assert_int_equal(focal_oplog_next_conflict(o[1].ol, NULL, NULL, &found), FOCAL_NOT_FOUND);
    assert_same_state(&o[0], &o[1]);
    assert_verifies(&o[1], NULL);
    office_close(&o[0]);
    office_close(&o[1]);
}

/* Noise of the largest size packs into more than a segment should be: such an entry is a segment of its own, and fits a message. */
static void the_largest_entries_go_alone(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref ref, record;
    static uint8_t value[FOCAL_ORDINARY_MAX - 57];
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    begin(&o);
    write_value(&o, &scope_kenya, NULL, FIELD_A, 1, &record);
    commit(&o);
    begin(&o);
    for (int i = 0; i < 4; i++) {
        chance_fill(&o.chance, value, sizeof value);
        assert_int_equal(try_write(&o, &scope_network, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_OK);
    }
    commit(&o);
    const struct focal_log *log = log_of(&o, &net, &o, &scope_network);
    assert_int_equal(log->head.seq, 5);
    for (uint64_t seq = 3; seq <= 5; seq++) {
        struct carried c;
        assert_int_equal(take_up(&o, log, seq, FOCAL_SEGMENT_PACKED_MAX, &c), FOCAL_OK);
        assert_int_equal(c.piece.last, seq);
        assert_true(c.piece.is_signed);
        assert_true(c.packed.len > 15 * 1024);
        carried_close(&c);
    }
    assert_verifies(&o, NULL);
    office_close(&o);
}

/* Each begin entry names what this office wrote before in the same scope, as many as fit, and nobody else's. */
static void begin_entries_name_what_was_before(void **state)
{
    (void)state;
    enum { EPOCHS = 145, MOST = FOCAL_ORDINARY_MAX / 2 / FOCAL_PREVIOUS_BYTES };
    struct office o, other;
    struct focal_ref ref;
    office_make(&o, &net, "KEN", 7);
    office_make(&other, &net, "TCD", 8);
    hold(&o, &o.statement);
    hold(&o, &other.statement);
    hold(&other, &other.statement);
    begin(&other);
    write_value(&other, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&other);
    carry_all(&other, &o);
    focal_fake_store_fence(o.store, (struct focal_entropy){ .fill = chance_fill, .data = &o.chance }, "machine");
    focal_oplog_close(o.ol);
    office_open(&o);
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    focal_arena_init(&arena, 8 << 20);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        struct carried c;
        struct focal_stretch s;
        struct focal_header header;
        begin(&o);
        write_value(&o, &scope_network, NULL, FIELD_A, 1, &ref);
        commit(&o);
        assert_int_equal(take_up(&o, log_of(&o, &net, &o, &scope_network), 1, 16000, &c), FOCAL_OK);
        assert_int_equal(focal_stretch_unpack(packer, &s, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
        assert_int_equal(focal_header_decode(&header, s.entries[0].header), FOCAL_OK);
        assert_int_equal(focal_header_previous_count(&header), epoch < MOST ? epoch : MOST);
        for (size_t i = 0; i < focal_header_previous_count(&header); i++) {
            struct focal_previous previous;
            focal_header_previous(&previous, &header, i);
            const struct focal_log *before = focal_oplog_log(o.ol, &previous.log);
            assert_non_null(before);
            assert_true(before->mine && before->scope.cls == FOCAL_SCOPE_NETWORK);
            assert_int_equal(previous.tip.seq, before->head.seq);
        }
        carried_close(&c);
        focal_arena_reset(&arena);
        focal_oplog_close(o.ol);
        focal_fake_store_lose_fence(o.store);
        office_open(&o);
    }
    assert_verifies(&o, NULL);
    focal_arena_close(&arena);
    focal_packer_close(packer);
    office_close(&o);
    office_close(&other);
}

/* Logs whose author's certificate is lost are not this office's: nothing says so. And who opens a database without keys reads,
 * and writes nothing. */
static void without_certificates_or_keys(void **state)
{
    (void)state;
    struct office o, other;
    struct focal_ref ref;
    struct focal_hash hash;
    struct focal_statement s;
    struct carried c;
    struct focal_stretch stretch;
    struct focal_header header;
    office_make(&o, &net, "KEN", 7);
    office_make(&other, &net, "TCD", 8);
    hold(&o, &o.statement);
    hold(&o, &other.statement);
    hold(&other, &other.statement);
    begin(&other);
    write_value(&other, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&other);
    carry_all(&other, &o);
    assert_int_equal(focal_statement_decode(&s, focal_buf_view(&other.statement)), FOCAL_OK);
    focal_statement_hash(&hash, &net.id, s.body);
    begin(&o);
    assert_int_equal(focal_store_del(o.store, FOCAL_SHELF_STATEMENT, focal_span_of(hash.b, sizeof hash.b)), FOCAL_OK);
    assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
    focal_oplog_close(o.ol);
    office_open(&o);
    assert_null(focal_oplog_author(o.ol, &ref.log));
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&o);
    assert_int_equal(take_up(&o, log_of(&o, &net, &o, &scope_network), 1, 16000, &c), FOCAL_OK);
    struct focal_packer *packer = focal_packer_open();
    struct focal_arena arena;
    focal_arena_init(&arena, 1 << 20);
    assert_int_equal(focal_stretch_unpack(packer, &stretch, &arena, focal_buf_view(&c.packed)), FOCAL_OK);
    assert_int_equal(focal_header_decode(&header, stretch.entries[0].header), FOCAL_OK);
    assert_int_equal(focal_header_previous_count(&header), 0);
    carried_close(&c);
    focal_arena_close(&arena);
    focal_packer_close(packer);

    struct focal_error err;
    struct focal_record_view view;
    focal_oplog_close(o.ol);
    assert_int_equal(focal_oplog_open(&o.ol, o.store, NULL, NULL, NULL, &err), FOCAL_OK);
    assert_null(focal_oplog_mine(o.ol));
    assert_int_equal(focal_oplog_record(o.ol, NULL, &ref, &view), FOCAL_OK);
    focal_record_view_close(&view);
    begin(&o);
    assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_text("x"), &ref), FOCAL_DENIED);
    roll_back(&o);
    office_close(&o);
    office_close(&other);
}

/* A record that is redacted in one scope takes nothing more there; in another it does. */
static void redacted_in_one_scope(void **state)
{
    (void)state;
    struct office o;
    struct focal_ref record, edit, notice;
    const uint8_t value = 2;
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &record);
    commit(&o);
    const struct focal_redact r = { .scope = scope_network, .records = &record, .record_count = 1, .reason = 2 };
    begin(&o);
    assert_int_equal(focal_oplog_redact(o.ol, &r, &notice, NULL), FOCAL_OK);
    commit(&o);
    begin(&o);
    assert_int_equal(try_write(&o, &scope_network, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &edit), FOCAL_NO_LONGER);
    assert_int_equal(try_write(&o, &scope_kenya, &record, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &edit), FOCAL_OK);
    commit(&o);
    assert_int_equal(edit.seq, 2);
    assert_verifies(&o, NULL);
    office_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_write_opens_epoch_and_logs),
        cmocka_unit_test(begin_entries_say_what_they_must),
        cmocka_unit_test(a_transaction_sees_its_own_writes),
        cmocka_unit_test(rollback_forgets_all),
        cmocka_unit_test(a_store_that_fails_loses_nothing),
        cmocka_unit_test(bulk_fits_messages),
        cmocka_unit_test(large_entries_are_cut_into_pieces),
        cmocka_unit_test(reopening_gives_the_same),
        cmocka_unit_test(two_versions_are_listed),
        cmocka_unit_test(the_largest_entries_go_alone),
        cmocka_unit_test(begin_entries_name_what_was_before),
        cmocka_unit_test(without_certificates_or_keys),
        cmocka_unit_test(redacted_in_one_scope),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
