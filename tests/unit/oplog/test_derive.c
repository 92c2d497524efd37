/* From entries to parts and the indexes over them: what waits, what does not fit, what cannot be written, and what is found. */
#include "forge.h"
#include "inside.h"

static uint64_t rows_of(struct office *o, enum focal_shelf shelf)
{
    uint64_t digest, rows;
    assert_int_equal(focal_shelf_digest(o->store, shelf, &digest, &rows), FOCAL_OK);
    return rows;
}

static void plan(struct office *o, unsigned kinds)
{
    focal_fake_store_plan(o->store, (struct focal_fake_failure){ .nth = kinds ? 1 : 0, .status = FOCAL_DISK_FULL, .kinds = kinds });
}

static struct focal_ref create(struct office *o)
{
    struct focal_ref ref;
    begin(o);
    write_value(o, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(o);
    return ref;
}

/* ---- what waits ---- */

/* A batch that is full is written in the middle of a transaction: the write that finds no room says so, and all is undone. */
static void a_full_batch_is_written_first(void **state)
{
    (void)state;
    struct focal_ref one, other, found;
    struct batch *b = &ken.ol->batch;
    const size_t limits[3] = { b->parts_max, b->entries_max, b->bytes.limit };
    (void)create(&ken);
    for (int which = 0; which < 3; which++) {
        b->parts_max = which == 0 ? 1 : limits[0];
        b->entries_max = which == 1 ? 1 : limits[1];
        b->bytes.limit = which == 2 ? FOCAL_ENTRY_MAX : limits[2];
        begin(&ken);
        write_value(&ken, &scope_network, NULL, FIELD_A, 2, &one);
        assert_int_equal(b->part_count, 1);
        plan(&ken, FOCAL_FAKE_PUT);
        assert_int_equal(try_write(&ken, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_text("x"), &other), FOCAL_DISK_FULL);
        plan(&ken, 0);
        roll_back(&ken);
        assert_int_equal(rows_of(&ken, FOCAL_SHELF_PART), 1u + (unsigned)which);
        begin(&ken);
        write_value(&ken, &scope_network, NULL, FIELD_A, 2, &one);
        write_value(&ken, &scope_network, &one, FIELD_B, 3, &other);
        commit(&ken);
        assert_int_equal(focal_oplog_by_code(ken.ol, &ken.code, focal_short_code(&one), &found), FOCAL_OK);
        assert_int_equal(focal_ref_compare(&one, &found), 0);
    }
    assert_verifies(&ken, NULL);
}

/* What asks for a record or an index in a transaction meets what waits, or hears that it could not be written. */
static void asking_writes_what_waits(void **state)
{
    (void)state;
    struct focal_ref record = create(&ken), ref;
    struct focal_hash scope;
    struct focal_part part;
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_part_init(&part);
    for (int index = 0; index < 4; index++) {
        begin(&ken);
        for (uint8_t i = 0; i <= BATCH_REREAD_MAX; i++)
            write_value(&ken, &scope_network, &record, FIELD_A, i, &ref);
        plan(&ken, FOCAL_FAKE_PUT);
        enum focal_status st = index == 0 ? focal_oplog_part(ken.ol, &record, &scope, &part) :
            index == 1 ? focal_oplog_next_of_kind(ken.ol, NULL, FOCAL_KIND_CASE, NULL, &ref) :
            index == 2 ? focal_oplog_next_conflict(ken.ol, NULL, NULL, &ref) : focal_oplog_by_code(ken.ol, &ken.code, focal_short_code(&record), &ref);
        assert_int_equal(st, FOCAL_DISK_FULL);
        plan(&ken, 0);
        roll_back(&ken);
    }
    begin(&ken);
    for (uint8_t i = 0; i <= BATCH_REREAD_MAX; i++)
        write_value(&ken, &scope_network, &record, FIELD_A, i, &ref);
    assert_int_equal(focal_oplog_part(ken.ol, &record, &scope, &part), FOCAL_OK);
    assert_int_equal(part.entry_count, BATCH_REREAD_MAX + 2);
    assert_int_equal(ken.ol->batch.part_count, 0);
    commit(&ken);
    focal_part_close(&part);
}

/* ---- one reference, two entries ---- */

/* As the two ends of a fork whose hashes begin alike, which an author can search for. */
static void put_twin(struct focal_oplog *ol, const struct focal_ref *ref, uint8_t h, uint8_t kind, bool has_payload)
{
    struct focal_buf header;
    uint8_t key[PART_KEY_BYTES];
    struct focal_hash scope;
    struct focal_contribution c = { .ref = *ref, .has_payload = has_payload, .payload = focal_span_of(&kind, 1) };
    focal_buf_init(&header, 1000);
    focal_header_encode(&header, &(struct focal_header){ .shape = FOCAL_SHAPE_ORDINARY, .seq = ref->seq, .creates = true });
    memcpy(c.h.b, ref->h8, sizeof ref->h8);
    c.h.b[31] = h;
    c.header = focal_buf_view(&header);
    focal_scope_id(&scope, &net.id, &scope_network);
    focal_oplog_part_key(key, ref, &scope);
    assert_int_equal(focal_oplog_batch_add(&ol->batch, key, &c), FOCAL_OK);
    focal_buf_close(&header);
}

static bool is_of_kind(struct focal_oplog *ol, uint32_t kind, const struct focal_ref *ref)
{
    struct focal_ref found;
    enum focal_status st = focal_oplog_next_of_kind(ol, NULL, kind, NULL, &found);
    assert_true(st == FOCAL_OK || st == FOCAL_NOT_FOUND);
    return st == FOCAL_OK && focal_ref_compare(&found, ref) == 0;
}

static void the_smaller_hash_gives_the_kind(void **state)
{
    (void)state;
    const struct focal_ref ref = { .log = { { 5 } }, .seq = 7, .h8 = { 1, 2, 3 } };
    begin(&ken);
    put_twin(ken.ol, &ref, 9, FOCAL_KIND_CASE, true);
    assert_true(is_of_kind(ken.ol, FOCAL_KIND_CASE, &ref));
    put_twin(ken.ol, &ref, 10, FOCAL_KIND_ENTITY, true);    /* the larger one changes nothing */
    assert_true(is_of_kind(ken.ol, FOCAL_KIND_CASE, &ref));
    put_twin(ken.ol, &ref, 8, FOCAL_KIND_ENTITY, true);
    assert_true(is_of_kind(ken.ol, FOCAL_KIND_ENTITY, &ref));
    assert_false(is_of_kind(ken.ol, FOCAL_KIND_CASE, &ref));
    assert_int_equal(rows_of(&ken, FOCAL_SHELF_CODE), 1);
    assert_int_equal(rows_of(&ken, FOCAL_SHELF_KIND), 1);
    /* The smallest is stripped, and nobody has said the kind again: what is found must not depend on which came first. */
    put_twin(ken.ol, &ref, 7, FOCAL_KIND_CASE, false);
    assert_int_equal(focal_oplog_flush(ken.ol), FOCAL_OK);
    assert_int_equal(rows_of(&ken, FOCAL_SHELF_KIND), 0);
    assert_int_equal(rows_of(&ken, FOCAL_SHELF_CODE), 0);
    roll_back(&ken);
    begin(&ken);                                            /* the row of the kind that it is no longer of cannot be taken out */
    put_twin(ken.ol, &ref, 9, FOCAL_KIND_CASE, true);
    assert_true(is_of_kind(ken.ol, FOCAL_KIND_CASE, &ref));
    put_twin(ken.ol, &ref, 8, FOCAL_KIND_ENTITY, true);
    focal_fake_store_plan(ken.store, (struct focal_fake_failure){ .nth = 1, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_DEL });
    assert_int_equal(focal_oplog_flush(ken.ol), FOCAL_DISK_FULL);
    plan(&ken, 0);
    roll_back(&ken);
}

static void what_does_not_fit_its_name_is_damage(void **state)
{
    (void)state;
    const struct focal_ref ref = { .log = { { 5 } }, .seq = 7 };
    begin(&ken);
    put_twin(ken.ol, &ref, 9, FOCAL_KIND_CASE, true);
    ken.ol->batch.entries[0].seq++;
    assert_int_equal(focal_oplog_flush(ken.ol), FOCAL_DAMAGED);
    roll_back(&ken);
}

/* ---- what is found ---- */

static void a_kind_of_later_programs_is_listed(void **state)
{
    (void)state;
    struct focal_buf payload;
    struct focal_ref ref;
    focal_buf_init(&payload, 1000);
    focal_payload_encode(&payload, (uint64_t)UINT32_MAX + 7, NULL, NULL, NULL, 0);
    const struct focal_write w = { .scope = scope_network, .creates = true, .payload = focal_buf_view(&payload) };
    begin(&ken);
    assert_int_equal(focal_oplog_write(ken.ol, &w, &ref, NULL), FOCAL_OK);
    commit(&ken);
    assert_true(is_of_kind(ken.ol, UINT32_MAX, &ref));      /* those that the row has no room for stand together, last */
    assert_false(is_of_kind(ken.ol, 6, &ref));
    assert_verifies(&ken, NULL);
    focal_buf_close(&payload);
}

static void put_code(struct office *o, uint64_t short40, const struct focal_ref *ref)
{
    uint8_t key[8 + FOCAL_REF_BYTES];
    focal_put_be64(key, short40);
    focal_ref_put(key + 8, ref);
    assert_int_equal(focal_store_put(o->store, FOCAL_SHELF_CODE, focal_span_of(key + 3, CODE_KEY_BYTES), focal_span_of(key, 4)), FOCAL_OK);
}

/* Short codes are short: two records may share one, of one office or of two. */
static void codes_that_two_records_share(void **state)
{
    (void)state;
    char text[32];
    struct focal_ref mine[2], theirs, found;
    hold(&hq, &ken.statement);
    hold(&hq, &hq.statement);
    mine[0] = create(&ken);
    mine[1] = create(&ken);
    carry_all(&ken, &hq);
    theirs = create(&hq);
    const uint64_t code = focal_short_code(&mine[0]);
    begin(&hq);
    put_code(&hq, code, &theirs);
    put_code(&hq, code, &(struct focal_ref){ .log = { { 0xff } } });        /* of a log that is not here */
    assert_int_equal(focal_oplog_by_code(hq.ol, &ken.code, code, &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &mine[0]), 0);
    assert_int_equal(focal_oplog_by_code(hq.ol, &hq.code, code, &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &theirs), 0);
    put_code(&hq, code, &mine[1]);
    assert_int_equal(focal_oplog_by_code(hq.ol, &ken.code, code, &found), FOCAL_AMBIGUOUS);
    assert_true(focal_ref_compare(&found, &mine[0]) == 0 || focal_ref_compare(&found, &mine[1]) == 0);
    focal_store_rollback(hq.store);
    focal_oplog_record_code(hq.ol, &(struct focal_ref){ .log = { { 0xff } } }, text);
    assert_memory_equal(text, "UNKNOWN-", 8);
}

/* The home that a record names may be one that nobody here has heard of: it is shown without. */
static void a_home_that_nobody_knows(void **state)
{
    (void)state;
    static const uint8_t home[32] = { 77 };
    const struct focal_span there = focal_span_of(home, sizeof home);
    struct focal_buf payload;
    struct focal_ref ref;
    struct focal_record_view view;
    focal_buf_init(&payload, 1000);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, &there, NULL, NULL, 0);
    const struct focal_write w = { .scope = scope_network, .creates = true, .payload = focal_buf_view(&payload) };
    begin(&ken);
    assert_int_equal(focal_oplog_write(ken.ol, &w, &ref, NULL), FOCAL_OK);
    commit(&ken);
    assert_int_equal(focal_oplog_record(ken.ol, NULL, &ref, &view), FOCAL_OK);
    assert_true(view.record.home_set && memcmp(view.record.home.b, home, sizeof home) == 0);
    assert_int_equal(view.home.entry_count, 0);
    focal_record_view_close(&view);
    focal_buf_close(&payload);
}

static void two_versions(struct office *o, struct focal_ref *record)
{
    struct focal_ref ref;
    *record = create(o);
    begin(o);
    write_value(o, &scope_network, record, FIELD_A, 2, &ref);
    commit(o);
}

static void conflicts_of_a_snapshot(void **state)
{
    (void)state;
    struct focal_ref record, later, found;
    struct focal_store *shot;
    two_versions(&ken, &record);
    assert_int_equal(focal_store_snapshot(ken.store, &shot), FOCAL_OK);
    two_versions(&ken, &later);
    assert_int_equal(focal_oplog_next_conflict(ken.ol, shot, NULL, &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &record), 0);
    assert_int_equal(focal_oplog_next_conflict(ken.ol, shot, &record, &found), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_next_conflict(ken.ol, NULL, &record, &found), FOCAL_OK);
    assert_int_equal(focal_ref_compare(&found, &later), 0);
    focal_store_close(shot);
    begin(&ken);
    assert_int_equal(focal_store_put(ken.store, FOCAL_SHELF_CONFLICT, focal_span_text("no name"), focal_span_text("")), FOCAL_OK);
    assert_int_equal(focal_oplog_next_conflict(ken.ol, NULL, &later, &found), FOCAL_DAMAGED);
    focal_store_rollback(ken.store);
}

/* Quotes speak of logs that need not be here. */
static void whose_logs_are_asked_of(void **state)
{
    (void)state;
    const struct focal_ref ref = create(&ken);
    const struct focal_id unknown = { { 0xff } };
    const struct focal_authors authors = focal_oplog_authors(ken.ol);
    assert_memory_equal(authors.of_log(authors.data, &ref.log), ken.keys.sign_public.b, 32);
    assert_null(authors.of_log(authors.data, &unknown));
    assert_true(authors.same_office(authors.data, &ref.log, &ref.log));
    assert_false(authors.same_office(authors.data, &unknown, &ref.log));
    assert_false(authors.same_office(authors.data, &ref.log, &unknown));
}

/* A segment that is spoken of and gone: whoever asks for what stands in it hears of the damage. */
static void a_segment_that_is_gone(void **state)
{
    (void)state;
    struct focal_ref record = create(&ken), edit;
    struct focal_hash scope;
    struct focal_record_entry entries[2];
    size_t count;
    uint8_t key[SEGMENT_KEY_BYTES];
    focal_scope_id(&scope, &net.id, &scope_network);
    begin(&ken);
    write_value(&ken, &scope_network, &record, FIELD_B, 2, &edit);
    commit(&ken);
    for (uint64_t seq = 1; seq <= 3; seq += 2) {        /* of the record itself, of its edit */
        begin(&ken);
        assert_int_equal(focal_store_del(ken.store, FOCAL_SHELF_SEGMENT, focal_oplog_segment_key(key, &record.log, seq)), FOCAL_OK);
        assert_int_equal(focal_oplog_record_entries(ken.ol, &record, &scope, 0, entries, 2, &count), FOCAL_DAMAGED);
        assert_int_equal(focal_oplog_derive_part(ken.ol, &record, &scope), FOCAL_DAMAGED);
        roll_back(&ken);
    }
    assert_int_equal(focal_oplog_record_entries(ken.ol, &record, &scope, 0, entries, 2, &count), FOCAL_OK);
    assert_int_equal(count, 2);
    /* Nor is a part derived anew while what waits for it cannot be written. */
    begin(&ken);
    write_value(&ken, &scope_network, &record, FIELD_B, 3, &edit);
    plan(&ken, FOCAL_FAKE_PUT);
    assert_int_equal(focal_oplog_derive_part(ken.ol, &record, &scope), FOCAL_DISK_FULL);
    plan(&ken, 0);
    roll_back(&ken);
    assert_verifies(&ken, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_full_batch_is_written_first), WITH(asking_writes_what_waits),
        WITH(the_smaller_hash_gives_the_kind), WITH(what_does_not_fit_its_name_is_damage), WITH(a_kind_of_later_programs_is_listed),
        WITH(codes_that_two_records_share), WITH(a_home_that_nobody_knows), WITH(conflicts_of_a_snapshot), WITH(whose_logs_are_asked_of),
        WITH(a_segment_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
