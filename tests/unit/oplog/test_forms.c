/* What an author makes as no program of today would: beginnings, quotes, stripped entries, second openings, branches of branches.
 * And rows whose opening number is not the one that was signed. */
#include "inside.h"
#include "forge.h"

enum { OPENING_AT = 32 + 16 + 32 + 1 + 8 + 32 + 1 };     /* in the row of a log */

static const uint8_t kind_entity = FOCAL_KIND_ENTITY;

/* The first entry of ken's control log, with the number of its opening (0: none), and more entries after it. */
static enum focal_status offer_control(uint8_t number, const struct forged_entry *more, size_t more_count)
{
    const struct focal_log_name control = name_of(&ken, &scope_control, 1);
    struct forged_entry list[8] = { begin_entry };
    struct focal_buf payload;
    struct carried p;
    opening(&payload, &control, number);
    if (number > 0)
        list[0].payload = focal_buf_view(&payload);
    for (size_t i = 0; i < more_count; i++)
        list[i + 1] = more[i];
    forge(&p, &ken, &control, NULL, 1, list, 1 + more_count, true);
    focal_buf_close(&payload);
    return offer_and_close(&p);
}

static enum focal_status offer_list(const struct focal_log_name *name, const struct focal_hash *before, const struct forged_entry *list, size_t count)
{
    struct carried p;
    forge(&p, &ken, name, before, list[0].newer_header.len > 0 ? 1 : list[0].header.seq, list, count, true);
    return offer_and_close(&p);
}

/* ---- beginnings ---- */

static void what_may_begin_a_log(void **state)
{
    (void)state;
    static const uint8_t later_shape[] = { 9, 1 };
    const struct focal_log_name control = name_of(&ken, &scope_control, 1), data = name_of(&ken, &scope_network, 1);
    const struct forged_entry of_later = { .newer_header = { later_shape, sizeof later_shape }, .payload = { &kind_nothing, 1 } };
    struct forged_entry bare_begin = begin_entry, bare_later = of_later, bare_second = creating(2);
    struct focal_buf inner;
    hold(&hq, &ken.statement);
    bare_begin.stripped = bare_later.stripped = bare_second.stripped = true;

    assert_int_equal(offer_list(&control, NULL, &bare_later, 1), FOCAL_NOT_YET);     /* what it opens cannot be told */
    assert_int_equal(offer_list(&control, NULL, &bare_begin, 1), FOCAL_NEVER);
    assert_int_equal(offer_control(1, &bare_second, 1), FOCAL_NEVER);                /* nothing of control is ever redacted */
    assert_int_equal(focal_oplog_log_count(hq.ol), 0);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);

    const struct focal_header quoted = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 9, .creates = true };
    focal_buf_init(&inner, 100);
    focal_header_encode(&inner, &quoted);
    const struct forged_entry quote = { .header = { .shape = FOCAL_SHAPE_QUOTE, .seq = 1, .quoted_author = ken.keys.sign_public,
        .quoted_header = focal_buf_view(&inner) }, .payload = { &kind_case, 1 } };
    assert_int_equal(offer_list(&data, NULL, &quote, 1), FOCAL_NEVER);
    focal_buf_close(&inner);

    struct focal_log_name notices = data;
    notices.lane = FOCAL_LANE_NOTICES;
    const struct forged_entry bare_notice[] = { begin_entry, bare_second };
    assert_int_equal(offer_list(&notices, NULL, bare_notice, 2), FOCAL_NEVER);
    assert_int_equal(focal_oplog_log_count(hq.ol), 1);

    /* A beginning of a shape that comes later is kept, whatever it says; nobody needs to be told where it stands. */
    struct carried p;
    forge(&p, &ken, &data, NULL, 1, &of_later, 1, true);
    const struct focal_incoming in = { .name = &p.name, .before = p.piece.before, .packed = focal_buf_view(&p.packed), .signature = &p.piece.signature };
    begin(&hq);
    assert_int_equal(focal_oplog_admit(hq.ol, &in, NULL, NULL), FOCAL_OK);
    commit(&hq);
    carried_close(&p);
    assert_int_equal(focal_oplog_log_count(hq.ol), 2);
    assert_int_equal(focal_oplog_log_at(hq.ol, 1)->head.seq, 1);
    assert_verifies(&hq, NULL);
}

/* A quote behind another entry of its piece is held against that one's hash. */
static void quotes_in_the_middle(void **state)
{
    (void)state;
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    const struct focal_header quoted = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 9, .creates = true };
    struct focal_buf inner;
    uint8_t salt[FOCAL_SALT_BYTES];
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);
    focal_buf_init(&inner, 100);
    focal_header_encode(&inner, &quoted);
    struct forged_entry list[] = { begin_entry, creating(2), { .header = { .shape = FOCAL_SHAPE_QUOTE, .seq = 3, .quoted_author = ken.keys.sign_public,
        .quoted_header = focal_buf_view(&inner) }, .payload = { &kind_case, 1 } } };
    memset(salt, 3, sizeof salt);
    focal_commitment(&list[2].header.quoted_commitment, salt, focal_span_of(&kind_entity, 1));
    assert_int_equal(offer_list(&data, NULL, list, 3), FOCAL_NEVER);
    focal_commitment(&list[2].header.quoted_commitment, salt, list[2].payload);
    assert_int_equal(offer_list(&data, NULL, list, 3), FOCAL_OK);
    assert_int_equal(focal_oplog_log_at(hq.ol, 1)->head.seq, 3);
    assert_verifies(&hq, NULL);
    focal_buf_close(&inner);
}

/* ---- openings ---- */

/* A control log that begins twice: the second beginning is a branch from nothing on, if what it opens is allowed. */
static void a_second_opening(void **state)
{
    (void)state;
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);
    const struct focal_log *control = focal_oplog_log_at(hq.ol, 0);
    assert_int_equal(offer_control(0, NULL, 0), FOCAL_NOT_YET);
    assert_int_equal(focal_oplog_log_count(hq.ol), 1);
    assert_false(control->forked);
    assert_int_equal(offer_control(2, NULL, 0), FOCAL_OK);
    assert_true(control->forked);
    const struct focal_log *branch = focal_oplog_next_line(hq.ol, &control->id, control);
    assert_non_null(branch);
    assert_int_equal(branch->base.seq, 0);
    assert_int_equal(focal_oplog_line_of(hq.ol, &branch->line)->opening, 2);
    assert_verifies(&hq, NULL);
}

static bool verify_says(struct office *o, const char *what)
{
    struct focal_verify *v;
    enum focal_status st;
    bool found = false;
    assert_int_equal(focal_verify_open(&v, o->ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 50)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    for (size_t i = 0; i < focal_verify_error_count(v); i++)
        found = found || strstr(focal_verify_error(v, i), what) != NULL;
    focal_verify_close(v);
    return found;
}

/* Writes another opening number into the row of a log, past the log's own memory. */
static void harm_opening(struct office *o, const struct focal_log *log, uint64_t number)
{
    struct focal_buf value;
    const struct focal_span key = focal_span_of(log->line.b, sizeof log->line.b);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(focal_store_get(o->store, FOCAL_SHELF_LOG, key, &value), FOCAL_OK);
    focal_put_be64(value.data + OPENING_AT, number);
    begin(o);
    assert_int_equal(focal_store_put(o->store, FOCAL_SHELF_LOG, key, focal_buf_view(&value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(o->store), FOCAL_OK);
    focal_buf_close(&value);
}

/* Of another's control log: nothing more of its epoch is taken, and verify names the row. */
static void a_harmed_opening_of_another(void **state)
{
    (void)state;
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    const struct forged_entry list[] = { begin_entry, creating(2) };
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(3, NULL, 0), FOCAL_OK);
    static const uint64_t wrong[] = { 0, 2, 401, UINT64_MAX };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        harm_opening(&hq, focal_oplog_log_at(hq.ol, 0), wrong[i]);
        focal_oplog_close(hq.ol);
        office_open(&hq);
        assert_true(verify_says(&hq, "its opening is not as written down"));
        if (wrong[i] == 2)
            continue;
        assert_int_equal(offer_list(&data, NULL, list, 2), FOCAL_NOT_YET);
        assert_int_equal(focal_oplog_log_count(hq.ol), 1);
    }
    harm_opening(&hq, focal_oplog_log_at(hq.ol, 0), 3);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    assert_int_equal(offer_list(&data, NULL, list, 2), FOCAL_OK);
    assert_verifies(&hq, NULL);
    /* The row of a log that opens nothing. */
    const struct focal_log *other = focal_oplog_log_at(hq.ol, 1);
    assert_true(other->scope.cls == FOCAL_SCOPE_NETWORK);
    harm_opening(&hq, other, 1);
    assert_true(verify_says(&hq, "its row names an opening, and it has none"));
    harm_opening(&hq, other, 0);
    assert_verifies(&hq, NULL);
}

/* An opening number in the row of one of our logs that opens nothing must not use up the openings that we are granted. */
static void a_harmed_opening_of_our_own(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct focal_hash control;
    struct focal_id before, now;
    focal_fake_store_fence(ken.store, (struct focal_entropy){ .fill = chance_fill, .data = &ken.chance }, "machine");
    focal_oplog_close(ken.ol);
    office_open(&ken);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&ken);
    assert_true(focal_oplog_epoch(ken.ol, &before));
    harm_opening(&ken, log_of(&ken, &net, &ken, &scope_network), UINT64_MAX - 1);
    assert_true(verify_says(&ken, "its row names an opening, and it has none"));
    focal_oplog_close(ken.ol);
    focal_fake_store_lose_fence(ken.store);
    office_open(&ken);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 2, &ref);
    commit(&ken);
    assert_true(focal_oplog_epoch(ken.ol, &now));
    assert_memory_not_equal(before.b, now.b, sizeof now.b);
    focal_scope_id(&control, &net.id, &scope_control);
    const struct focal_log *opened = log_of(&ken, &net, &ken, &scope_control);
    assert_true(focal_hash_equal(&opened->name.scope, &control));
    assert_int_equal(focal_oplog_line_of(ken.ol, &opened->line)->opening, 2);
}

/* In the row of a branch that begins above the opening, of a control log of which nothing signed is held, and of notices. */
static void openings_where_nothing_opens(void **state)
{
    (void)state;
    const struct forged_entry more[] = { creating(2), creating(3) };
    struct forged_entry other = creating(3), first = begin_entry;
    struct focal_hash second;
    struct focal_buf payload;
    struct carried p;
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, more, 2), FOCAL_OK);
    const struct focal_log *control = focal_oplog_log_at(hq.ol, 0);
    assert_int_equal(focal_oplog_hash_on(hq.ol, control, 2, &second), FOCAL_OK);
    other.payload = focal_span_of(&kind_entity, 1);
    assert_int_equal(offer_list(&control->name, &second, &other, 1), FOCAL_OK);
    const struct focal_log_name waits = name_of(&ken, &scope_control, 2);
    opening(&payload, &waits, 2);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &waits, NULL, 1, &first, 1, false);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    struct focal_log_name notices = control->name;
    notices.lane = FOCAL_LANE_NOTICES;
    assert_int_equal(offer_list(&notices, NULL, &begin_entry, 1), FOCAL_OK);
    assert_int_equal(focal_oplog_log_count(hq.ol), 4);
    assert_verifies(&hq, NULL);
    for (size_t i = 1; i < 4; i++) {
        const struct focal_log *log = focal_oplog_log_at(hq.ol, i);
        assert_true(log->scope.cls == FOCAL_SCOPE_CONTROL);
        harm_opening(&hq, log, 2);
        assert_true(verify_says(&hq, "its row names an opening, and it has none"));
        harm_opening(&hq, log, 0);
        assert_verifies(&hq, NULL);
    }
}

/* ---- branches ---- */

/* What was rolled back is not gone on with: a piece that follows it follows nothing that is held. */
static void a_branch_that_was_rolled_back(void **state)
{
    (void)state;
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    const struct forged_entry trunk[] = { begin_entry, creating(2), creating(3), creating(4), creating(5), creating(6) };
    struct forged_entry other[] = { creating(3), creating(4) };
    struct focal_hash second, third;
    struct carried branch, rest;
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);
    assert_int_equal(offer_list(&data, NULL, trunk, 2), FOCAL_OK);
    second = forge_head;
    assert_int_equal(offer_list(&data, NULL, trunk, 6), FOCAL_OK);
    other[0].payload = other[1].payload = focal_span_of(&kind_entity, 1);
    forge(&branch, &ken, &data, &second, 3, other, 1, true);
    third = forge_head;
    forge(&rest, &ken, &data, &third, 4, other + 1, 1, true);
    begin(&hq);
    assert_int_equal(hand_over(&hq, &branch), FOCAL_OK);
    assert_int_equal(hand_over(&hq, &rest), FOCAL_OK);
    roll_back(&hq);
    assert_int_equal(offer(&rest), FOCAL_CONFLICT);
    assert_false(focal_oplog_log_at(hq.ol, 1)->forked);
    assert_verifies(&hq, NULL);
    assert_int_equal(offer_and_close(&branch), FOCAL_OK);
    assert_int_equal(offer_and_close(&rest), FOCAL_OK);
    assert_true(focal_oplog_log_at(hq.ol, 1)->forked);
    assert_verifies(&hq, NULL);
}

/* An author who goes on from the middle of a branch of his own log. */
static void a_branch_of_a_branch(void **state)
{
    (void)state;
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    const struct forged_entry trunk[] = { begin_entry, creating(2), creating(3), creating(4), creating(5), creating(6) };
    struct focal_hash second, fourth;
    struct forged_entry one[] = { creating(3), creating(4), creating(5) }, two = creating(5);
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);
    assert_int_equal(offer_list(&data, NULL, trunk, 2), FOCAL_OK);
    second = forge_head;
    assert_int_equal(offer_list(&data, NULL, trunk, 6), FOCAL_OK);
    one[0].payload = focal_span_of(&kind_entity, 1);
    assert_int_equal(offer_list(&data, &second, one, 2), FOCAL_OK);
    fourth = forge_head;
    assert_int_equal(offer_list(&data, &second, one, 3), FOCAL_OK);
    two.payload = focal_span_of(&kind_entity, 1);
    assert_int_equal(offer_list(&data, &fourth, &two, 1), FOCAL_OK);
    const struct focal_log *log = focal_oplog_log_at(hq.ol, 1), *branch = focal_oplog_next_line(hq.ol, &log->id, log);
    assert_non_null(branch);
    const struct focal_log *leaf = focal_oplog_next_line(hq.ol, &log->id, branch);
    assert_non_null(leaf);
    assert_ptr_equal(focal_oplog_parent(hq.ol, leaf), branch);
    assert_ptr_equal(focal_oplog_parent(hq.ol, branch), log);
    assert_int_equal(branch->base.seq, 2);
    assert_int_equal(branch->head.seq, 5);
    assert_int_equal(leaf->base.seq, 4);
    assert_true(focal_hash_equal(&leaf->base.h, &fourth));
    assert_int_equal(leaf->head.seq, 5);
    assert_verifies(&hq, NULL);
    focal_oplog_close(hq.ol);
    office_open(&hq);
    assert_verifies(&hq, NULL);
}

/* What a second copy of this office signed comes while a transaction writes: what is written here comes first, on the line that
 * it was written on, and the epoch ends. */
static void a_second_copy_speaks_while_we_write(void **state)
{
    (void)state;
    struct office copy;
    struct focal_ref ref, theirs;
    struct focal_id epoch;
    struct carried p;
    focal_fake_store_fence(ken.store, (struct focal_entropy){ .fill = chance_fill, .data = &ken.chance }, "machine");
    focal_oplog_close(ken.ol);
    office_open(&ken);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&ken);
    struct focal_fake_image *image = focal_fake_store_backup(ken.store, true);
    assert_non_null(image);
    copy = ken;
    copy.store = focal_fake_store_clone(image);
    assert_non_null(copy.store);
    copy.chance.state += 9;
    focal_fake_image_free(image);
    office_open(&copy);
    begin(&copy);
    write_value(&copy, &scope_network, NULL, FIELD_B, 2, &theirs);
    commit(&copy);
    assert_int_equal(take_up(&copy, log_of(&copy, &net, &copy, &scope_network), 3, 16000, &p), FOCAL_OK);

    const struct focal_log *own = log_of(&ken, &net, &ken, &scope_network);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 3, &ref);
    assert_int_equal(own->head.seq, 2);
    assert_int_equal(hand_over(&ken, &p), FOCAL_OK);
    assert_int_equal(own->head.seq, 3);
    assert_memory_equal(own->head.h.b, ref.h8, sizeof ref.h8);
    commit(&ken);
    const struct focal_log *branch = focal_oplog_next_line(ken.ol, &own->id, own);
    assert_non_null(branch);
    assert_int_equal(branch->base.seq, 2);
    assert_memory_equal(branch->head.h.b, theirs.h8, sizeof theirs.h8);
    assert_false(focal_oplog_epoch(ken.ol, &epoch));
    assert_verifies(&ken, NULL);
    carried_close(&p);
    focal_oplog_close(copy.ol);
    focal_store_close(copy.store);
}

/* ---- stripped entries ---- */

/* An entry that is held stripped may come stripped again, before one that is new; and what is redacted may come stripped alone.
 * Neither when the store cannot say whether it is redacted. */
static void stripped_once_more(void **state)
{
    (void)state;
    const struct focal_log_name data = name_of(&ken, &scope_network, 1);
    struct forged_entry list[] = { begin_entry, creating(2), creating(3), { .header = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 4 }, .payload = { &kind_case, 1 } } };
    struct focal_certificate c;
    struct focal_buf statement;
    struct focal_ref record = { .seq = 3 }, notice;
    struct carried p;
    certificate_for(&c, &hq, 1);
    c.rights = FOCAL_RIGHT_REDACT;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, &c);
    hold(&hq, &statement);
    hold(&hq, &ken.statement);
    assert_int_equal(offer_control(1, NULL, 0), FOCAL_OK);
    assert_int_equal(offer_list(&data, NULL, list, 3), FOCAL_OK);
    focal_log_id(&record.log, &net.id, &data);
    memcpy(record.h8, forge_head.b, sizeof record.h8);
    const struct focal_redact r = { .scope = scope_network, .records = &record, .record_count = 1, .reason = 2 };
    begin(&hq);
    assert_int_equal(focal_oplog_redact(hq.ol, &r, &notice, NULL), FOCAL_OK);
    commit(&hq);

    list[2].stripped = list[3].stripped = true;
    list[3].header.record = record;
    forge(&p, &ken, &data, NULL, 1, list, 4, true);
    uint64_t failures = 0;
    enum focal_status st = FOCAL_IO;
    const struct focal_log *log = focal_oplog_log(hq.ol, &record.log);
    for (uint64_t nth = 1; st == FOCAL_IO; nth++) {
        begin(&hq);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_GET | FOCAL_FAKE_NEXT | FOCAL_FAKE_PREV, .status = FOCAL_IO });
        st = hand_over(&hq, &p);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
        failures += st == FOCAL_IO;
        roll_back(&hq);
        assert_int_equal(log->head.seq, 3);
    }
    assert_int_equal(st, FOCAL_OK);
    assert_true(failures > 2);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(log->head.seq, 4);
    assert_true(focal_hash_equal(&log->head.h, &forge_head));
    assert_verifies(&hq, NULL);
    focal_buf_close(&statement);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(what_may_begin_a_log), WITH(quotes_in_the_middle), WITH(a_second_opening),
        WITH(a_harmed_opening_of_another), WITH(a_harmed_opening_of_our_own),
        WITH(openings_where_nothing_opens), WITH(a_branch_that_was_rolled_back), WITH(a_branch_of_a_branch), WITH(a_second_copy_speaks_while_we_write), WITH(stripped_once_more),
    };
    return cmocka_run_group_tests_name("oplog_forms", tests, NULL, NULL);
}
