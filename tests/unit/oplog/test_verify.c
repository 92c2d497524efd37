/* Verify finds what is wrong, and nothing where nothing is; ranges; records over two scopes. */
#include "offices.h"

static struct network net;
static struct office o;
static struct focal_ref record;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&o, &net, "KEN", 7);
    hold(&o, &o.statement);
    for (int i = 0; i < 5; i++) {
        begin(&o);
        write_value(&o, &scope_network, NULL, FIELD_A, (uint8_t)i, &record);
        struct focal_ref edit;
        write_value(&o, &scope_network, &record, FIELD_A, 77, &edit);   /* two versions */
        commit(&o);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&o);
    network_close(&net);
    return 0;
}

static size_t errors(char *first, size_t room)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, o.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 1)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    size_t n = focal_verify_error_count(v);
    if (n > 0)
        strncpy(first, focal_verify_error(v, 0), room - 1);
    assert_null(focal_verify_error(v, n));
    focal_verify_close(v);
    return n;
}

/* Changes the nth row of a shelf: flips a bit of its value, or takes it away. */
static void harm(enum focal_shelf shelf, int nth, bool take_away)
{
    struct focal_buf key, value;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    for (int i = 0; i <= nth; i++)
        assert_int_equal(focal_store_next(o.store, shelf, focal_buf_view(&key), &key, &value), FOCAL_OK);
    assert_int_equal(focal_store_begin(o.store), FOCAL_OK);
    if (take_away) {
        assert_int_equal(focal_store_del(o.store, shelf, focal_buf_view(&key)), FOCAL_OK);
    } else {
        value.data[value.len - 1] ^= 1;
        assert_int_equal(focal_store_put(o.store, shelf, focal_buf_view(&key), focal_buf_view(&value)), FOCAL_OK);
    }
    assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
    focal_buf_close(&key);
    focal_buf_close(&value);
}

static void every_kind_of_harm_is_found(void **state)
{
    (void)state;
    static const struct { enum focal_shelf shelf; bool take_away; } harms[] = {
        { FOCAL_SHELF_SEGMENT, false }, { FOCAL_SHELF_SEGMENT, true }, { FOCAL_SHELF_PART, false }, { FOCAL_SHELF_PART, true },
        { FOCAL_SHELF_KIND, true }, { FOCAL_SHELF_CODE, false }, { FOCAL_SHELF_CODE, true }, { FOCAL_SHELF_CONFLICT, true },
        { FOCAL_SHELF_LOG, true }, { FOCAL_SHELF_LOG, false }, { FOCAL_SHELF_STATEMENT, false },
    };
    char first[400] = "";
    assert_int_equal(errors(first, sizeof first), 0);
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        harm(harms[i].shelf, 1, harms[i].take_away);
        if (errors(first, sizeof first) == 0)
            fail_msg("harm %zu not found", i);
        assert_true(strlen(first) > 10);
        if (!harms[i].take_away) {
            harm(harms[i].shelf, 1, false);     /* the same bit back */
            assert_int_equal(errors(first, sizeof first), 0);
        } else {
            tear_down(NULL);
            set_up(NULL);
        }
    }
}

static void rows_that_nothing_stands_behind(void **state)
{
    (void)state;
    static const enum focal_shelf shelves[] = { FOCAL_SHELF_PART, FOCAL_SHELF_KIND, FOCAL_SHELF_CODE, FOCAL_SHELF_CONFLICT, FOCAL_SHELF_SEGMENT };
    char first[400] = "";
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves; i++) {
        uint8_t key[64];
        const size_t lens[] = { 64, 36, 37, 64, 24 };
        memset(key, 0x42, sizeof key);
        assert_int_equal(focal_store_begin(o.store), FOCAL_OK);
        assert_int_equal(focal_store_put(o.store, shelves[i], focal_span_of(key, lens[i]), focal_span_text("x")), FOCAL_OK);
        assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
        assert_int_equal(errors(first, sizeof first), 1);
        assert_int_equal(focal_store_begin(o.store), FOCAL_OK);
        assert_int_equal(focal_store_del(o.store, shelves[i], focal_span_of(key, lens[i])), FOCAL_OK);
        assert_int_equal(focal_store_commit(o.store), FOCAL_OK);
    }
    assert_int_equal(errors(first, sizeof first), 0);
}

static void rebuild_mends_what_is_derived(void **state)
{
    (void)state;
    char first[400] = "";
    harm(FOCAL_SHELF_PART, 1, false);
    harm(FOCAL_SHELF_CONFLICT, 0, true);
    harm(FOCAL_SHELF_KIND, 0, true);
    assert_true(errors(first, sizeof first) >= 3);
    begin(&o);
    assert_int_equal(focal_oplog_rebuild(o.ol), FOCAL_OK);
    commit(&o);
    assert_int_equal(errors(first, sizeof first), 0);
}

static bool watch(void *data, size_t bytes)
{
    size_t *most = data;
    if (bytes > *most)
        *most = bytes;
    return true;
}

/* More than one pass holds: the same answer, and harm is found in whichever it lies. */
static void many_passes(void **state)
{
    (void)state;
    static uint8_t value[6000];
    struct focal_ref ref;
    char first[400] = "";
    struct focal_hash before, after;
    begin(&o);
    for (int i = 0; i < 5000; i++) {
        chance_fill(&o.chance, value, 40);
        assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), &ref), FOCAL_OK);
    }
    commit(&o);
    size_t most = 0;
    focal_alloc_hook(watch, &most);
    assert_verifies(&o, &before);
    focal_alloc_hook(NULL, NULL);
    assert_in_range(most, 4u << 20, 17u << 20);         /* of 30 MiB in all */
    harm(FOCAL_SHELF_PART, 700, false);
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, o.ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 500)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    assert_int_equal(focal_verify_error_count(v), 1);
    assert_int_equal(focal_verify_entries(v), 5012);            /* ours, five records with an edit, two begin entries */
    focal_verify_close(v);
    harm(FOCAL_SHELF_PART, 700, false);
    assert_int_equal(errors(first, sizeof first), 0);
    assert_verifies(&o, &after);
    assert_memory_equal(before.b, after.b, 32);
}

static void a_snapshot_does_not_see_what_comes_later(void **state)
{
    (void)state;
    struct focal_verify *v;
    enum focal_status st;
    struct focal_ref ref;
    assert_int_equal(focal_verify_open(&v, o.ol), FOCAL_OK);
    assert_int_equal(focal_verify_slice(v, 3), FOCAL_MORE);
    begin(&o);
    write_value(&o, &scope_network, NULL, FIELD_A, 1, &ref);
    write_value(&o, &scope_chad, NULL, FIELD_A, 1, &ref);
    commit(&o);
    while ((st = focal_verify_slice(v, 3)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    assert_int_equal(focal_verify_error_count(v), 0);
    focal_verify_close(v);
}

static void records_over_two_scopes(void **state)
{
    (void)state;
    struct focal_hash home;
    struct focal_buf payload;
    struct focal_record_view view;
    struct focal_ref ref, edit, lost = record;
    focal_scope_id(&home, &net.id, &scope_kenya);
    const struct focal_span home_bytes = focal_span_of(home.b, sizeof home.b);
    focal_buf_init(&payload, 1000);
    focal_payload_encode(&payload, FOCAL_KIND_CASE, &home_bytes, NULL, NULL, 0);
    const struct focal_write w = { .scope = scope_network, .creates = true, .payload = focal_buf_view(&payload) };
    begin(&o);
    assert_int_equal(focal_oplog_write(o.ol, &w, &ref, NULL), FOCAL_OK);
    assert_int_equal(focal_oplog_record(o.ol, NULL, &ref, &view), FOCAL_OK);
    assert_true(view.record.home_set);
    assert_false(view.record.complete);         /* its part in the home scope is not there yet */
    focal_record_view_close(&view);
    write_value(&o, &scope_kenya, &ref, FIELD_B, 1, &edit);
    commit(&o);
    assert_int_equal(focal_oplog_record(o.ol, NULL, &ref, &view), FOCAL_OK);
    assert_true(view.record.complete);
    assert_int_equal(view.home.entry_count, 1);
    focal_record_view_close(&view);
    lost.seq = 999;
    assert_int_equal(focal_oplog_record(o.ol, NULL, &lost, &view), FOCAL_NOT_FOUND);
    lost.log.b[0] ^= 1;
    assert_int_equal(focal_oplog_record(o.ol, NULL, &lost, &view), FOCAL_NOT_FOUND);
    focal_buf_close(&payload);
}

static void ranges_of_any_size(void **state)
{
    (void)state;
    static uint8_t value[5000];
    struct focal_ref ref;
    begin(&o);
    for (int i = 0; i < 200; i++) {
        chance_fill(&o.chance, value, sizeof value);
        assert_int_equal(try_write(&o, &scope_network, NULL, NULL, 0, FOCAL_KIND_CASE, FIELD_A,
            focal_span_of(value, chance_below(&o.chance, 20) ? 10 : sizeof value), &ref), FOCAL_OK);
    }
    commit(&o);
    const struct focal_log *log = log_of(&o, &net, &o, &scope_network);
    struct carried c;
    assert_int_equal(take_up(&o, log, 0, 16000, &c), FOCAL_NOT_FOUND);
    assert_int_equal(take_up(&o, log, log->head.seq + 1, 16000, &c), FOCAL_NOT_FOUND);
    assert_int_equal(take_up(&o, log, 1, 20, &c), FOCAL_TOO_BIG);
    assert_int_equal(c.packed.len, 0);
    carried_close(&c);
    /* Each range is what it says, whatever is asked for. */
    struct office to;
    office_make(&to, &net, "HQ", 9);
    hold(&to, &o.statement);
    carry_all(&o, &to);
    for (uint64_t from = 1; from <= log->head.seq; from += 3) {
        assert_int_equal(take_up(&o, log, from, 5300 + 37 * (from % 300), &c), FOCAL_OK);
        assert_int_equal(c.piece.first, from);
        assert_true(c.packed.len <= 5300 + 37 * (from % 300));
        begin(&to);
        assert_int_equal(hand_over(&to, &c), FOCAL_OK);         /* held already: chains to the very same hashes */
        commit(&to);
        carried_close(&c);
    }
    assert_same_state(&o, &to);
    office_close(&to);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(every_kind_of_harm_is_found), WITH(rows_that_nothing_stands_behind), WITH(rebuild_mends_what_is_derived),
        WITH(many_passes), WITH(a_snapshot_does_not_see_what_comes_later), WITH(records_over_two_scopes), WITH(ranges_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
