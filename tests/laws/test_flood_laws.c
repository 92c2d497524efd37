/* Laws of a record that holds more than one row of the store can: a member floods it, or many people write to it for years.
 *
 *   any order and any batching gives the same bytes, above the limit as below it
 *   what a flooder writes takes no place from what others wrote
 *   what is replaced, redacted or cut gives its place back */
#include "../unit/oplog/offices.h"

enum { KEN, TCD, HQ, OFFICES, FLOOD = 170, FLOOD_VALUE_BYTES = 14000, ORDERS = 4 };

static struct network net;
static struct office offices[OFFICES];
static struct focal_ref record, honest, flood[FLOOD];

static int set_up(void **state)
{
    (void)state;
    static const char *const codes[OFFICES] = { "KEN", "TCD", "HQ" };
    network_make(&net);
    for (size_t i = 0; i < OFFICES; i++) {
        struct focal_certificate c;
        office_make(&offices[i], &net, codes[i], 70 + i);
        certificate_for(&c, &offices[i], 1);
        c.rights = i == HQ ? FOCAL_RIGHT_REDACT : 0;
        focal_buf_clear(&offices[i].statement);
        certificate_sign(&offices[i].statement, &net, &c);
    }
    introduce(offices, OFFICES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFFICES; i++)
        office_close(&offices[i]);
    network_close(&net);
    return 0;
}

static void large_edit(struct office *by, const struct focal_replaced *replaced, size_t count, uint8_t mark, struct focal_ref *ref)
{
    static uint8_t value[FLOOD_VALUE_BYTES];
    memset(value, mark, sizeof value);
    begin(by);
    assert_int_equal(try_write(by, &scope_network, &record, replaced, count, FOCAL_KIND_CASE, FIELD_A, focal_span_of(value, sizeof value), ref), FOCAL_OK);
    commit(by);
}

/* HQ makes the record, KEN floods it, TCD makes one small edit in the middle of the flood. */
static void flood_the_record(void)
{
    begin(&offices[HQ]);
    write_value(&offices[HQ], &scope_network, NULL, FIELD_B, 1, &record);
    commit(&offices[HQ]);
    for (size_t i = 0; i < FLOOD; i++)
        large_edit(&offices[KEN], NULL, 0, (uint8_t)i, &flood[i]);
    begin(&offices[TCD]);
    write_value(&offices[TCD], &scope_network, &record, FIELD_ROWS, 7, &honest);
    commit(&offices[TCD]);
}

static void exchange(void)
{
    for (size_t round = 0; round < 2; round++)
        for (size_t a = 0; a < OFFICES; a++)
            for (size_t b = 0; b < OFFICES; b++)
                if (a != b)
                    carry_all(&offices[a], &offices[b]);
}

/* Brings it all to a fresh office, from one author after the other, with a commit after each or after each piece. */
static void bring_in_order(struct office *to, size_t order, bool small)
{
    static const size_t orders[ORDERS][OFFICES] = { { HQ, KEN, TCD }, { KEN, TCD, HQ }, { TCD, KEN, HQ }, { KEN, HQ, TCD } };
    office_make(to, &net, "MLI", 300 + order);
    hold(to, &to->statement);
    for (size_t i = 0; i < OFFICES; i++)
        hold(to, &offices[i].statement);
    for (size_t k = 0; k < OFFICES && small; k++) {
        struct office *from = &offices[orders[order][k]];
        for (int lane = 0; lane < 2; lane++) {
            const struct focal_log *log = log_of(from, &net, from, lane ? &scope_network : &scope_control);
            for (uint64_t next = 1; next <= log->head.seq;) {
                struct carried c;
                assert_int_equal(take_up(from, log, next, 15872, &c), FOCAL_OK);
                begin(to);
                assert_int_equal(hand_over(to, &c), FOCAL_OK);
                commit(to);
                next = c.piece.last + 1;
                carried_close(&c);
            }
        }
    }
    for (size_t k = 0; k < OFFICES; k++)
        carry_all(&offices[orders[order][k]], to);
}

static void rebuilt_alike(struct office *o)
{
    uint64_t before, after, rows;
    for (size_t i = 0; i < sizeof derived_shelves / sizeof *derived_shelves; i++) {
        assert_int_equal(focal_shelf_digest(o->store, derived_shelves[i], &before, &rows), FOCAL_OK);
        begin(o);
        assert_int_equal(focal_oplog_rebuild(o->ol), FOCAL_OK);
        commit(o);
        assert_int_equal(focal_shelf_digest(o->store, derived_shelves[i], &after, &rows), FOCAL_OK);
        assert_true(before == after);
    }
}

/* The first order brings redactions before what they name. */
static void all_alike(size_t orders)
{
    struct focal_hash digest, other;
    exchange();
    assert_verifies(&offices[0], &digest);
    rebuilt_alike(&offices[0]);
    for (size_t i = 1; i < OFFICES; i++) {
        assert_same_state(&offices[0], &offices[i]);
        assert_verifies(&offices[i], &other);
        assert_memory_equal(digest.b, other.b, sizeof digest.b);
    }
    for (size_t order = 0; order < orders; order++) {
        struct office late;
        bring_in_order(&late, order, order % 2 != 0);
        assert_same_state(&offices[0], &late);
        assert_verifies(&late, &other);
        assert_memory_equal(digest.b, other.b, sizeof digest.b);
        rebuilt_alike(&late);
        office_close(&late);
    }
}

/* How many values of a field are shown; `like`: with this byte in front. */
static size_t shown(struct office *o, uint64_t field, int like, bool *more)
{
    struct focal_record_view view;
    size_t count = 0;
    assert_int_equal(focal_oplog_record(o->ol, NULL, &record, &view), FOCAL_OK);
    assert_true(view.record.kind_number == FOCAL_KIND_CASE);
    const struct focal_slot *slot = focal_record_slot(&view.record, field, focal_span_of("", 0));
    for (size_t i = 0; slot && i < slot->value_count; i++)
        count += like < 0 || slot->values[i].value.data[0] == like;
    if (more)
        *more = view.record.more;
    focal_record_view_close(&view);
    return count;
}

static bool to_be_looked_at(struct office *o)
{
    struct focal_ref found;
    return focal_oplog_next_conflict(o->ol, NULL, NULL, &found) == FOCAL_OK && focal_ref_compare(&found, &record) == 0;
}

static void a_flood_changes_nothing_for_others(void **state)
{
    (void)state;
    bool more;
    flood_the_record();
    all_alike(ORDERS);
    for (size_t i = 0; i < OFFICES; i++) {
        assert_int_equal(shown(&offices[i], FIELD_B, 1, &more), 1);
        assert_true(more);
        assert_int_equal(shown(&offices[i], FIELD_ROWS, 7, NULL), 1);
        assert_in_range(shown(&offices[i], FIELD_A, -1, NULL), 60, FLOOD - 1);
        assert_true(to_be_looked_at(&offices[i]));
    }
    /* After it, too, what others write counts at once. */
    struct focal_ref late;
    begin(&offices[TCD]);
    write_value(&offices[TCD], &scope_network, &record, FIELD_ROWS, 8, &late);
    commit(&offices[TCD]);
    assert_int_equal(shown(&offices[TCD], FIELD_ROWS, 8, NULL), 1);
    all_alike(ORDERS);
    assert_int_equal(shown(&offices[KEN], FIELD_ROWS, -1, NULL), 2);
}

/* One entry names all of the flood, whichever of it is shown: then the record fits again, and is as if it had never been. */
static void what_is_replaced_gives_its_place_back(void **state)
{
    (void)state;
    struct focal_replaced all[FLOOD];
    bool more;
    flood_the_record();
    exchange();
    for (size_t i = 0; i < FLOOD; i++)
        all[i] = (struct focal_replaced){ .entry = flood[i] };
    begin(&offices[TCD]);
    struct focal_ref ref;
    uint8_t value = 200;
    assert_int_equal(try_write(&offices[TCD], &scope_network, &record, all, FLOOD, FOCAL_KIND_CASE, FIELD_A, focal_span_of(&value, 1), &ref), FOCAL_OK);
    commit(&offices[TCD]);
    assert_int_equal(shown(&offices[TCD], FIELD_A, -1, &more), 1);
    assert_false(more);
    assert_false(to_be_looked_at(&offices[TCD]));
    all_alike(ORDERS);
    /* And over the limit once more, by little. */
    for (uint8_t i = 0; i < 150; i++)
        large_edit(&offices[KEN], NULL, 0, i, &ref);
    assert_int_equal(shown(&offices[KEN], FIELD_A, 200, &more), 1);
    assert_true(more);
    all_alike(ORDERS);
}

static void what_is_redacted_gives_its_place_back(void **state)
{
    (void)state;
    struct focal_ref notice;
    bool more;
    flood_the_record();
    exchange();
    begin(&offices[HQ]);
    const struct focal_redact r = { .scope = scope_network, .entries = flood, .entry_count = FLOOD, .reason = 2 };
    assert_int_equal(focal_oplog_redact(offices[HQ].ol, &r, &notice, NULL), FOCAL_OK);
    commit(&offices[HQ]);
    assert_int_equal(shown(&offices[HQ], FIELD_A, -1, &more), 0);
    assert_false(more);
    assert_int_equal(shown(&offices[HQ], FIELD_ROWS, 7, NULL), 1);
    all_alike(1);
}

/* Leaves of what KEN wrote what came before the flood, or before its last entries: its log up to seq. */
static void cut_the_flooder(struct focal_buf *out, uint64_t number, uint64_t seq)
{
    const struct focal_log *log = log_of(&offices[HQ], &net, &offices[KEN], &scope_network);
    struct focal_cut_tip tip = { .log = log->id, .tip = { .seq = seq } };
    struct focal_buf tips, body;
    focal_buf_init(out, FOCAL_STATEMENT_MAX);
    focal_buf_init(&tips, FOCAL_STATEMENT_MAX);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    assert_int_equal(focal_oplog_hash_on(offices[HQ].ol, log, seq, &tip.tip.h), FOCAL_OK);
    focal_cut_tip_put(&tips, &tip);
    const struct focal_cut c = { .office = offices[KEN].code, .key = offices[KEN].keys.sign_public, .reach = { .kind = FOCAL_REACH_EVERYTHING },
        .number = number, .tips = focal_buf_view(&tips), .day = 20100, .reason = FOCAL_CUT_REVOKED };
    focal_cut_encode(&body, &c);
    focal_statement_sign(out, net.authority.secret, &net.id, focal_buf_view(&body));
    assert_false(out->failed);
    focal_buf_close(&tips);
    focal_buf_close(&body);
}

/* A cut takes a split part back to one row, a later one that leaves more splits it again, and the first entry left is shown. */
static void what_is_cut_gives_its_place_back(void **state)
{
    (void)state;
    static const uint64_t left[] = { 1, 2, FLOOD, FLOOD + 1 };
    struct focal_hash before, after, other;
    bool more;
    flood_the_record();
    exchange();
    assert_verifies(&offices[HQ], &before);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        struct focal_buf cut;
        cut_the_flooder(&cut, i + 1, left[i]);
        for (size_t o = 0; o < OFFICES; o++)
            hold(&offices[o], &cut);
        focal_buf_close(&cut);
        assert_verifies(&offices[HQ], &after);
        for (size_t o = 0; o < OFFICES; o++) {
            const size_t values = shown(&offices[o], FIELD_A, -1, &more);
            assert_false(focal_oplog_again_due(offices[o].ol));
            assert_true(left[i] < FLOOD ? values == left[i] - 1 && !more : values > 60 && more);
            assert_true(to_be_looked_at(&offices[o]) == (left[i] >= FLOOD));
            assert_int_equal(shown(&offices[o], FIELD_ROWS, 7, NULL), 1);
            assert_same_state(&offices[HQ], &offices[o]);
            assert_verifies(&offices[o], &other);
            assert_memory_equal(after.b, other.b, sizeof after.b);
            rebuilt_alike(&offices[o]);
        }
    }
    assert_memory_equal(before.b, after.b, sizeof before.b);
}

/* ---- its rows ---- */

static size_t faults_found(struct office *o)
{
    struct focal_verify *v;
    enum focal_status st;
    assert_int_equal(focal_verify_open(&v, o->ol), FOCAL_OK);
    while ((st = focal_verify_slice(v, 1000)) == FOCAL_MORE)
        ;
    assert_int_equal(st, FOCAL_OK);
    const size_t count = focal_verify_error_count(v);
    focal_verify_close(v);
    return count;
}

/* The nth row of a piece, as it stands. */
static void row_of_a_piece(struct office *o, size_t nth, struct focal_buf *key, struct focal_buf *value)
{
    focal_buf_clear(key);
    while (focal_store_next(o->store, FOCAL_SHELF_PART, focal_buf_view(key), key, value) == FOCAL_OK)
        if (key->len > 64 && nth-- == 0)
            return;
    fail_msg("there is no such row");
}

static void harm_to_a_row_is_found(void **state)
{
    (void)state;
    struct office *o = &offices[KEN];
    struct focal_buf key, value;
    flood_the_record();
    exchange();
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    focal_buf_init(&value, FOCAL_STORE_VALUE_MAX);
    assert_int_equal(faults_found(o), 0);
    for (int harm = 0; harm < 3; harm++) {
        row_of_a_piece(o, (size_t)(40 * harm), &key, &value);
        assert_int_equal(focal_store_begin(o->store), FOCAL_OK);
        if (harm == 0)
            assert_int_equal(focal_store_del(o->store, FOCAL_SHELF_PART, focal_buf_view(&key)), FOCAL_OK);
        if (harm == 1)
            value.data[value.len - 2] ^= 1;
        if (harm == 2)
            key.data[key.len - 1] ^= 1;
        if (harm > 0)
            assert_int_equal(focal_store_put(o->store, FOCAL_SHELF_PART, focal_buf_view(&key), focal_buf_view(&value)), FOCAL_OK);
        assert_int_equal(focal_store_commit(o->store), FOCAL_OK);
        assert_int_equal(faults_found(o), 1);
        begin(o);
        assert_int_equal(focal_oplog_rebuild(o->ol), FOCAL_OK);
        commit(o);
        assert_int_equal(faults_found(o), 0);
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    assert_same_state(o, &offices[HQ]);
}

struct shortage { size_t left; bool met; };

static bool while_it_lasts(void *data, size_t bytes)
{
    (void)bytes;
    struct shortage *s = data;
    s->met = s->met || s->left == 0;
    return s->left > 0 && s->left--;
}

/* Every allocation of the edit that splits the part, of one on the split part, and of reading it, fails in turn. */
static void a_failure_leaves_the_rows_alone(void **state)
{
    (void)state;
    struct office *o = &offices[KEN];
    uint64_t before, after, rows;
    size_t failures = 0;
    struct focal_ref ref;
    begin(&offices[HQ]);
    write_value(&offices[HQ], &scope_network, NULL, FIELD_B, 1, &record);
    commit(&offices[HQ]);
    carry_all(&offices[HQ], o);
    for (uint8_t i = 0; i < 148; i++)
        large_edit(o, NULL, 0, i, &ref);
    for (int over = 0; over < 3; over++) {
        bool met = true;
        assert_int_equal(focal_shelf_digest(o->store, FOCAL_SHELF_PART, &before, &rows), FOCAL_OK);
        assert_true(over == 0 ? rows < 10 : rows > 140);
        for (size_t allowed = 0; met; allowed += over == 0 ? 1 + allowed / 12 : 1) {
            struct shortage s = { .left = allowed };
            static uint8_t value[FLOOD_VALUE_BYTES];
            struct focal_buf payload;
            const struct focal_item item = { .field = FIELD_A, .value = focal_span_of(value, sizeof value) };
            memset(value, over + 200, sizeof value);
            focal_buf_init(&payload, 64 * 1024);
            focal_payload_encode(&payload, FOCAL_KIND_CASE, NULL, NULL, &item, 1);
            const struct focal_write w = { .scope = scope_network, .record = record, .payload = focal_buf_view(&payload) };
            begin(o);
            focal_alloc_hook(while_it_lasts, &s);
            enum focal_status st = over == 2 ? FOCAL_OK : focal_oplog_write(o->ol, &w, &ref, NULL);
            struct focal_record_view view;
            if (st == FOCAL_OK && (st = focal_oplog_record(o->ol, NULL, &record, &view)) == FOCAL_OK)
                focal_record_view_close(&view);
            if (st == FOCAL_OK)
                st = focal_oplog_seal(o->ol);
            focal_alloc_hook(NULL, NULL);
            focal_buf_close(&payload);
            met = s.met;
            /* Whether there are two versions is found without memory, too. */
            assert_true(st == FOCAL_OK || (met && st == FOCAL_NO_MEMORY));
            failures += st == FOCAL_NO_MEMORY;
            if (!met) {
                assert_int_equal(focal_store_commit(o->store), FOCAL_OK);
                focal_oplog_committed(o->ol);
                break;
            }
            roll_back(o);
            assert_int_equal(focal_shelf_digest(o->store, FOCAL_SHELF_PART, &after, &rows), FOCAL_OK);
            assert_true(before == after);
        }
    }
    assert_true(failures > 60);
    begin(&offices[TCD]);
    write_value(&offices[TCD], &scope_network, &record, FIELD_ROWS, 7, &honest);
    commit(&offices[TCD]);
    all_alike(ORDERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flood_changes_nothing_for_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_replaced_gives_its_place_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_redacted_gives_its_place_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_cut_gives_its_place_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(harm_to_a_row_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_leaves_the_rows_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
