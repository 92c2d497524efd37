/* When an epoch is opened, by what right, and what is said of it; and the incidents that follow from what others bring. */
#include "forge.h"
#include "inside.h"

static enum focal_status try_write_one(struct office *o, struct focal_error *err)
{
    struct focal_buf payload;
    struct focal_ref ref;
    focal_buf_init(&payload, 1000);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, NULL, 0);
    const struct focal_write w = { .scope = scope_network, .creates = true, .payload = focal_buf_view(&payload) };
    begin(o);
    enum focal_status st = focal_oplog_write(o->ol, &w, &ref, err);
    if (st == FOCAL_OK)
        commit(o);
    else
        roll_back(o);
    focal_buf_close(&payload);
    return st;
}

static void write_one(struct office *o)
{
    struct focal_error err = { .status = FOCAL_OK };
    if (try_write_one(o, &err) != FOCAL_OK)
        fail_msg("writing: %s", err.message);
}

static void certify(struct office *o, const struct focal_certificate *c)
{
    focal_buf_clear(&o->statement);
    certificate_sign(&o->statement, &net, c);
    hold(o, &o->statement);
}

static void open_again(struct office *o)
{
    focal_oplog_close(o->ol);
    office_open(o);
}

static void fence_of(struct office *o, const char *machine)
{
    focal_fake_store_fence(o->store, (struct focal_entropy){ .fill = chance_fill, .data = &o->chance }, machine);
    open_again(o);
}

static size_t incidents_of(struct office *o, uint8_t kind)
{
    struct focal_incident seen = { .number = 0 };
    size_t count = 0;
    while (focal_oplog_next_incident(o->ol, seen.number, &seen) == FOCAL_OK)
        count += seen.kind == kind;
    return count;
}

/* ---- by what right ---- */

static void rights_to_open(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct focal_error err;
    struct focal_id epoch;
    certificate_for(&c, &hq, 1);
    c.write[0] = scope_network;                 /* not control, which then no certificate names */
    c.read[0] = scope_network;
    c.read_count = c.write_count = 1;
    c.openings_max = 0;
    certify(&hq, &c);
    assert_int_equal(try_write_one(&hq, &err), FOCAL_DENIED);
    assert_non_null(strstr(err.message, "write in control"));
    hold(&hq, &ken.statement);                  /* others may */
    assert_int_equal(try_write_one(&hq, &err), FOCAL_DENIED);
    assert_non_null(strstr(err.message, "write in control"));
    certificate_for(&c, &hq, 2);
    c.openings_max = 0;
    certify(&hq, &c);
    assert_int_equal(try_write_one(&hq, &err), FOCAL_DENIED);
    assert_non_null(strstr(err.message, "as many epochs as its certificate allows"));
    assert_true(strlen(err.hint) > 10);
    assert_false(focal_oplog_epoch(hq.ol, &epoch));
    certificate_for(&c, &hq, 3);
    c.openings_max = 1;
    certify(&hq, &c);
    write_one(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &epoch));
}

/* ---- what an opening says ---- */

static void opening_with(struct focal_buf *out, const struct focal_log_name *name, struct focal_span number, struct focal_span reason)
{
    const struct focal_item items[] = {
        { .field = FOCAL_OPENING_NUMBER, .value = number },
        { .field = FOCAL_OPENING_AUTHOR, .value = focal_span_of(name->author.b, 32) },
        { .field = FOCAL_OPENING_EPOCH, .value = focal_span_of(name->epoch.b, 16) },
        { .field = FOCAL_OPENING_REASON, .value = reason },
    };
    focal_buf_clear(out);
    focal_payload_encode(out, FOCAL_KIND_OPENING, NULL, NULL, items, 4);
    assert_false(out->failed);
}

static void what_an_opening_says(void **state)
{
    (void)state;
    static const uint8_t first = REASON_FIRST, restarted = REASON_RESTARTED, left = REASON_LEFT, moved = REASON_MOVED, long_code[2] = { REASON_FIRST, 0 }, torn = 0x80;
    static const struct { const uint8_t *reason; size_t len; bool troubled; } reasons[] = {
        { &first, 1, false }, { &restarted, 1, false }, { &left, 1, false }, { &moved, 1, true }, { long_code, 2, true }, { &first, 0, true },
    };
    const uint8_t three = 3;
    struct focal_log_name name = name_of(&ken, &scope_control, 1), other = name_of(&ken, &scope_control, 2);
    struct focal_buf payload;
    focal_buf_init(&payload, 1000);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        opening_with(&payload, &name, focal_span_of(&three, 1), focal_span_of(reasons[i].reason, reasons[i].len));
        assert_true(focal_oplog_opening_troubled(focal_buf_view(&payload)) == reasons[i].troubled);
        assert_int_equal(focal_oplog_opening(&name, focal_buf_view(&payload)), 3);
    }
    assert_int_equal(focal_oplog_opening(&other, focal_buf_view(&payload)), 0);     /* of another epoch */
    opening_with(&payload, &name, focal_span_of(&torn, 1), focal_span_of(&first, 1));
    assert_int_equal(focal_oplog_opening(&name, focal_buf_view(&payload)), 0);      /* a number that is none */
    payload.len--;
    assert_int_equal(focal_oplog_opening(&name, focal_buf_view(&payload)), 0);
    assert_false(focal_oplog_opening_troubled(focal_buf_view(&payload)));
    focal_payload_encode((focal_buf_clear(&payload), &payload), FOCAL_KIND_CASE, NULL, NULL, NULL, 0);
    assert_int_equal(focal_oplog_opening(&name, focal_buf_view(&payload)), 0);
    assert_false(focal_oplog_opening_troubled(focal_buf_view(&payload)));
    focal_buf_close(&payload);
}

/* ---- why it ends ---- */

/* Where no fence can be kept each start may be from an old copy: a new epoch each time, and no alarm for it. */
static void without_a_place_for_the_fence(void **state)
{
    (void)state;
    struct focal_id before, after;
    hold(&hq, &hq.statement);
    fence_of(&hq, NULL);
    write_one(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &before));
    open_again(&hq);
    assert_false(focal_oplog_epoch(hq.ol, &after));
    assert_false(focal_oplog_veiled(hq.ol));
    write_one(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &after));
    assert_false(focal_id_equal(&before, &after));
    assert_int_equal(incidents_of(&hq, FOCAL_INCIDENT_OPENED), 0);
}

/* The disk refuses what must be written before anything else: opening fails, and the next one heeds the fence. */
static void a_fence_heeded_later(void **state)
{
    (void)state;
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_id epoch;
    hold(&hq, &hq.statement);
    fence_of(&hq, "machine");
    write_one(&hq);
    struct focal_fake_image *image = focal_fake_store_backup(hq.store, true);
    enum focal_status st = FOCAL_DISK_FULL;
    uint64_t nth = 0;
    while (st != FOCAL_OK) {
        focal_oplog_close(hq.ol);
        assert_int_equal(focal_fake_store_restore(hq.store, image), FOCAL_OK);
        focal_fake_store_lose_fence(hq.store);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = ++nth, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_WRITES });
        st = focal_oplog_open(&hq.ol, hq.store, &hq.keys, &hq.entropy, NULL, &err);
        focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
        assert_true(st == FOCAL_OK || (st == FOCAL_DISK_FULL && !hq.ol && strlen(err.message) > 10));
    }
    assert_true(nth > 4);       /* begin, two rows of the epoch, the veil, commit */
    assert_false(focal_oplog_epoch(hq.ol, &epoch));
    assert_true(focal_oplog_veiled(hq.ol));
    focal_fake_image_free(image);
}

/* Nothing was written in it that could be old: nothing is veiled. */
static void an_empty_office_is_not_veiled(void **state)
{
    (void)state;
    fence_of(&hq, "machine");
    hold(&hq, &hq.statement);
    focal_oplog_close(hq.ol);
    focal_fake_store_lose_fence(hq.store);
    office_open(&hq);
    assert_false(focal_oplog_veiled(hq.ol));
}

/* Our own signed entries come back that are not here, in the epoch that is open: without a fence this alone tells it. */
static void our_own_tail_ends_the_epoch(void **state)
{
    (void)state;
    struct focal_id before, after;
    struct carried c;
    struct focal_incident seen;
    hold(&hq, &hq.statement);
    write_one(&hq);
    struct focal_fake_image *image = focal_fake_store_backup(hq.store, false);
    assert_non_null(image);
    write_one(&hq);
    assert_int_equal(take_up(&hq, log_of(&hq, &net, &hq, &scope_network), 3, 16000, &c), FOCAL_OK);
    focal_oplog_close(hq.ol);
    assert_int_equal(focal_fake_store_restore(hq.store, image), FOCAL_OK);
    office_open(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &before));
    /* What cannot be written ends nothing. */
    begin(&hq);
    focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 1, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_PUT });
    assert_int_equal(hand_over(&hq, &c), FOCAL_DISK_FULL);
    focal_fake_store_plan(hq.store, (struct focal_fake_failure){ .nth = 0 });
    roll_back(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &after));
    assert_int_equal(offer_and_close(&c), FOCAL_OK);
    assert_false(focal_oplog_epoch(hq.ol, &after));
    assert_int_equal(focal_oplog_next_incident(hq.ol, 0, &seen), FOCAL_OK);
    assert_int_equal(seen.kind, FOCAL_INCIDENT_ROLLBACK);
    assert_int_equal(seen.tips[0].seq, 2);
    assert_int_equal(seen.tips[1].seq, 3);
    write_one(&hq);
    assert_true(focal_oplog_epoch(hq.ol, &after));
    assert_false(focal_id_equal(&before, &after));
    assert_int_equal(incidents_of(&hq, FOCAL_INCIDENT_OPENED), 1);
    focal_fake_image_free(image);
}

/* A row of another form says nothing of why; that an epoch was opened before is known from the logs, and is said. */
static void why_it_ended_is_not_readable(void **state)
{
    (void)state;
    struct focal_id epoch;
    static const uint8_t two[2] = { REASON_RESTARTED, 0 };
    hold(&hq, &hq.statement);
    write_one(&hq);
    begin(&hq);
    assert_int_equal(focal_store_del(hq.store, FOCAL_SHELF_META, focal_span_text("epoch")), FOCAL_OK);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_META, focal_span_text("epoch-ended"), focal_span_of(two, 2)), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq.store), FOCAL_OK);
    open_again(&hq);
    assert_false(focal_oplog_epoch(hq.ol, &epoch));
    write_one(&hq);
    assert_int_equal(incidents_of(&hq, FOCAL_INCIDENT_OPENED), 1);
    assert_verifies(&hq, NULL);
}

/* ---- incidents ---- */

static void two_live_of_two_authors(void **state)
{
    (void)state;
    const uint8_t one[8] = { 1 }, other[8] = { 2 }, third[8] = { 3 };
    struct focal_incident seen;
    begin(&hq);
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &ken.keys.sign_public, other, one), FOCAL_OK);
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &ken.keys.sign_public, one, other), FOCAL_EXISTS);
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &hq.keys.sign_public, one, other), FOCAL_OK);      /* another author's */
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &hq.keys.sign_public, one, other), FOCAL_EXISTS);
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &ken.keys.sign_public, one, third), FOCAL_OK);
    commit(&hq);
    assert_int_equal(incidents_of(&hq, FOCAL_INCIDENT_TWO_LIVE), 3);
    assert_int_equal(focal_oplog_next_incident(hq.ol, 0, &seen), FOCAL_OK);
    assert_memory_equal(seen.log.epoch.b, one, 8);      /* the smaller first, however it was told */
    assert_memory_equal(seen.log.epoch.b + 8, other, 8);
}

static void rows_of_incidents_that_are_damaged(void **state)
{
    (void)state;
    static const uint8_t long_key[9] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 }, one[8] = { 1 }, other[8] = { 2 };
    struct focal_incident seen;
    hold(&hq, &hq.statement);
    write_one(&hq);
    begin(&hq);
    assert_int_equal(focal_store_put(hq.store, FOCAL_SHELF_INCIDENT, focal_span_of(long_key, sizeof long_key), focal_span_text("")), FOCAL_OK);
    assert_int_equal(focal_oplog_next_incident(hq.ol, 0, &seen), FOCAL_DAMAGED);
    assert_int_equal(focal_oplog_incident_two_live(hq.ol, &ken.keys.sign_public, one, other), FOCAL_DAMAGED);
    assert_int_equal(focal_oplog_incident_opened(hq.ol, hq.ol->logs[0]), FOCAL_DAMAGED);       /* nor is a number given twice */
    roll_back(&hq);
}

/* A fork is proved by the segment that the branch stands beside; if that is gone, it is said that there is damage. */
static void the_other_side_of_a_fork_is_gone(void **state)
{
    (void)state;
    struct focal_log_name control = name_of(&ken, &scope_control, 1), data = name_of(&ken, &scope_network, 1);
    struct focal_buf payload;
    struct carried p;
    struct forged_entry first = begin_entry, list[2] = { begin_entry, creating(2) }, third = creating(3);
    static const uint8_t entity = FOCAL_KIND_ENTITY;
    uint8_t key[SEGMENT_KEY_BYTES];
    struct focal_id id;
    hold(&hq, &ken.statement);
    opening(&payload, &control, 1);
    first.payload = focal_buf_view(&payload);
    forge(&p, &ken, &control, NULL, 1, &first, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_buf_close(&payload);
    forge(&p, &ken, &data, NULL, 1, list, 2, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    const struct focal_hash base = forge_head;
    forge(&p, &ken, &data, &base, 3, &third, 1, true);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    focal_log_id(&id, &net.id, &data);
    third.payload = focal_span_of(&entity, 1);
    forge(&p, &ken, &data, &base, 3, &third, 1, true);
    begin(&hq);
    assert_int_equal(focal_store_del(hq.store, FOCAL_SHELF_SEGMENT, focal_oplog_segment_key(key, &id, 3)), FOCAL_OK);
    struct oplog_log *trunk = focal_oplog_log_of(hq.ol, &id), *branch;
    const struct focal_tip at = { .seq = 2, .h = base }, tip = { .seq = 3, .h = forge_head };
    assert_int_equal(focal_oplog_branch_add(hq.ol, &branch, trunk, &at, 0), FOCAL_OK);
    assert_int_equal(focal_oplog_incident_fork(hq.ol, branch, &tip, &p.piece.signature), FOCAL_DAMAGED);
    roll_back(&hq);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_int_equal(incidents_of(&hq, FOCAL_INCIDENT_FORK), 1);
}

/* ---- founding and opening ---- */

static void founding_with_what_is_none(void **state)
{
    (void)state;
    struct focal_oplog *ol;
    struct focal_error err = { .status = FOCAL_OK };
    struct focal_store *store = focal_fake_store_new();
    assert_int_equal(focal_oplog_found(store, focal_span_text("no statement")), FOCAL_NEVER);
    assert_int_equal(focal_oplog_open(&ol, store, NULL, NULL, NULL, NULL), FOCAL_NOT_FOUND);     /* nobody asks why */
    assert_null(ol);
    assert_int_equal(focal_oplog_found(store, focal_buf_view(&net.genesis)), FOCAL_OK);
    assert_int_equal(focal_store_begin(store), FOCAL_OK);       /* a statement of the authority, and not the founding one */
    assert_int_equal(focal_store_put(store, FOCAL_SHELF_STATEMENT, focal_span_of(net.id.b, 32), focal_buf_view(&ken.statement)), FOCAL_OK);
    assert_int_equal(focal_store_commit(store), FOCAL_OK);
    assert_int_equal(focal_oplog_open(&ol, store, NULL, NULL, NULL, &err), FOCAL_DAMAGED);
    assert_non_null(strstr(err.message, "founding statement"));
    focal_store_close(store);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(rights_to_open), WITH(what_an_opening_says), WITH(without_a_place_for_the_fence), WITH(a_fence_heeded_later),
        WITH(an_empty_office_is_not_veiled), WITH(our_own_tail_ends_the_epoch), WITH(why_it_ended_is_not_readable),
        WITH(two_live_of_two_authors), WITH(rows_of_incidents_that_are_damaged), WITH(the_other_side_of_a_fork_is_gone),
        WITH(founding_with_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
