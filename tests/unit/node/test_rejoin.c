/* A member that lost its database, or has it damaged, becomes the same member again, with what could be read. */
#include "readable.h"

enum { SHARED = 5, LONELY = 3 };

static struct {
    struct place *hq, *ken;
    struct focal_ref shared[SHARED], lonely[LONELY], theirs;
    struct focal_buf keepsake;
    struct old_rows old;
    struct focal_rejoined told;
    uint64_t entries;
} t;

static void link_up(void)
{
    answer_dial(t.ken, t.hq);
    run();
    for (int i = 0; i < 6; i++)
        pass(1000);
}

/* Cases that both have, then the link is cut and this office writes on. The node stands still at the end. */
static int enter(void **state)
{
    static const char *const at[] = { "hq.example:7443" };
    (void)state;
    memset(&t, 0, sizeof t);
    t.hq = hq_make(true);
    say_addresses(t.hq, at, 1);
    t.ken = member_make("KEN");
    struct line *l = dial(t.ken, t.hq);
    run();
    for (size_t i = 0; i < SHARED; i++) {
        new_case(t.ken, &t.shared[i]);
        pass(1000);
    }
    new_case(t.hq, &t.theirs);
    for (int i = 0; i < 6; i++)
        pass(1000);
    assert_true(has_case(t.ken, &t.theirs) && has_case(t.hq, &t.shared[SHARED - 1]));
    cut(l, FOCAL_CANCELLED);
    for (size_t i = 0; i < LONELY; i++)
        new_case(t.ken, &t.lonely[i]);
    focal_buf_init(&t.keepsake, 1 << 20);
    assert_int_equal(focal_node_keepsake(t.ken->node, &t.keepsake), FOCAL_OK);
    t.entries = entries_of(t.ken);
    old_take(&t.old, t.ken->store);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    old_close(&t.old);
    focal_buf_close(&t.keepsake);
    all_close();
    return 0;
}

static void assert_all_everywhere(size_t lonely)
{
    struct place *both[] = { t.hq, t.ken };
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < SHARED; i++)
            assert_true(has_case(both[k], &t.shared[i]));
        for (size_t i = 0; i < lonely; i++)
            assert_true(has_case(both[k], &t.lonely[i]));
        assert_true(has_case(both[k], &t.theirs));
        assert_sound(both[k]);
    }
    struct focal_ref after;
    new_case(t.ken, &after);
    for (int i = 0; i < 4; i++)
        pass(1000);
    if (!has_case(t.hq, &after)) {      /* a new epoch is a new name: the link under the old one was closed */
        link_up();
        for (int i = 0; i < 4; i++)
            pass(1000);
    }
    assert_true(has_case(t.hq, &after));
}

/* ---- the keepsake ---- */

static void test_keepsake_is_steady(void **state)
{
    struct focal_buf again;
    (void)state;
    focal_buf_init(&again, 1 << 20);
    assert_int_equal(focal_node_keepsake(t.ken->node, &again), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&again), focal_buf_view(&t.keepsake)));
    uint64_t version = focal_node_keepsake_version(t.ken->node);
    tick(t.ken);
    assert_int_equal(focal_node_keepsake_version(t.ken->node), version);
    /* The secret is not to be read in it. */
    for (size_t i = 0; i + 32 <= again.len; i++)
        assert_memory_not_equal(again.data + i, all.secret, 32);
    focal_buf_close(&again);
}

static void test_keepsake_alone(void **state)
{
    (void)state;
    rejoin(t.ken, NULL, &t.keepsake, &t.told);
    assert_true(t.told.keepsake);
    assert_string_equal(t.told.office.text, "KEN");
    assert_string_equal(t.told.label, "Test");
    assert_int_equal(t.told.entries + t.told.waiting + t.told.missing, 0);
    assert_true(focal_node_admitted(t.ken->node));
    tick(t.ken);
    obey(t.ken);
    assert_string_equal(t.ken->dials[0].address, "hq.example:7443");
    link_up();
    assert_all_everywhere(0);
}

static void test_keepsake_damaged(void **state)
{
    struct focal_store *fresh = focal_fake_store_new();
    struct focal_error err;
    (void)state;
    for (size_t i = 0; i < t.keepsake.len; i++) {
        t.keepsake.data[i] ^= 0x20;
        assert_int_equal(found_again(fresh, t.ken, NULL, &t.keepsake, &t.told, &err), FOCAL_NOT_FOUND);
        assert_non_null(strstr(err.hint, "new invitation"));
        t.keepsake.data[i] ^= 0x20;
    }
    for (size_t len = 0; len < t.keepsake.len; len += 7) {
        const struct focal_buf part = { .data = t.keepsake.data, .len = len };
        assert_int_equal(found_again(fresh, t.ken, NULL, &part, &t.told, &err), FOCAL_NOT_FOUND);
    }
    /* Another office's: it opens nothing and names another member. */
    assert_int_equal(found_again(fresh, t.hq, NULL, &t.keepsake, &t.told, &err), FOCAL_NOT_FOUND);
    focal_store_close(fresh);
    /* Rows stand in for it. */
    t.keepsake.data[40] ^= 1;
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_false(t.told.keepsake);
    assert_int_equal(t.told.entries, t.entries);
}

/* ---- rows ---- */

static void test_all_rows(void **state)
{
    struct focal_id before, after;
    (void)state;
    assert_true(focal_oplog_epoch(focal_node_oplog(t.ken->node), &before));
    rejoin(t.ken, &t.old, NULL, &t.told);
    assert_int_equal(t.told.entries, t.entries);
    assert_true(t.told.own_entries > 0 && t.told.own_entries < t.entries);
    assert_int_equal(t.told.waiting + t.told.missing + t.told.cut_count, 0);
    assert_int_equal(entries_of(t.ken), t.entries);
    assert_sound(t.ken);
    assert_false(focal_oplog_epoch(focal_node_oplog(t.ken->node), &after));
    struct focal_ref ref;
    new_case(t.ken, &ref);
    assert_true(focal_oplog_epoch(focal_node_oplog(t.ken->node), &after));
    assert_memory_not_equal(before.b, after.b, sizeof before.b);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
}

/* No shelf is known of any row: they are judged by what they are. */
static void test_shelves_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < t.old.count; i++)
        t.old.list[i].shelf = (enum focal_shelf)0;
    rejoin(t.ken, &t.old, NULL, &t.told);
    assert_int_equal(t.told.entries, t.entries);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
}

static void test_names_of_logs_lost(void **state)
{
    (void)state;
    old_drop_shelf(&t.old, FOCAL_SHELF_LOG);
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_int_equal(t.told.entries + t.told.waiting, t.entries);
    assert_true(t.told.own_entries >= SHARED + LONELY);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
}

static size_t own_segment(size_t nth)
{
    struct focal_id log = t.lonely[0].log;
    for (size_t i = 0; i < t.old.count; i++)
        if (t.old.list[i].shelf == FOCAL_SHELF_SEGMENT && memcmp(t.old.list[i].key.data, log.b, sizeof log.b) == 0 && nth-- == 0)
            return i;
    fail_msg("no such segment");
    return 0;
}

static size_t waiting_rows(struct place *p)
{
    static struct old_rows now;
    size_t count = 0;
    old_take(&now, p->store);
    for (size_t i = 0; i < now.count; i++)
        count += now.list[i].shelf == FOCAL_SHELF_META && now.list[i].key.len > 9 && memcmp(now.list[i].key.data, "salvaged/", 9) == 0;
    old_close(&now);
    return count;
}

/* One of this office's own that the other has too; behind it are some that nobody else has. */
static void test_gap(void **state)
{
    (void)state;
    old_drop(&t.old, own_segment(2));
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_int_equal(t.told.entries + t.told.waiting + t.told.missing, t.entries);
    assert_true(t.told.waiting_own >= LONELY && t.told.missing > 0);
    assert_int_equal(t.told.cut_count, 1);
    assert_string_equal(t.told.cut[0].author.text, "KEN");
    assert_true(t.told.cut[0].held < t.told.cut[0].known);
    assert_false(has_case(t.ken, &t.lonely[0]));
    assert_sound(t.ken);
    assert_true(focal_node_salvaged(t.ken->node, 1000) >= LONELY);
    focal_node_close(t.ken->node);      /* they wait over a restart */
    place_open(t.ken);
    assert_int_equal(focal_node_salvaged(t.ken->node, 2), 2);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
    assert_int_equal(focal_node_salvaged(t.ken->node, 1000), 0);
    assert_int_equal(waiting_rows(t.ken), 0);
}

/* Whichever step finds the disk full and is taken back, what waits is not forgotten by it. */
static void test_filled_on_a_full_disk(void **state)
{
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        old_drop(&t.old, own_segment(2));
        rejoin(t.ken, &t.old, &t.keepsake, &t.told);
        assert_true(waiting_rows(t.ken) >= LONELY);
        focal_fake_store_plan(t.ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_COMMIT, .status = FOCAL_DISK_FULL });
        tick(t.ken);
        obey(t.ken);
        live_on(10000);
        failed = focal_fake_store_failed(t.ken->store);
        focal_fake_store_plan(t.ken->store, (struct focal_fake_failure){ .nth = 0 });
        live_on(60000);
        assert_int_equal(focal_node_salvaged(t.ken->node, 1000), 0);
        if (waiting_rows(t.ken) > 0)
            fail_msg("the disk was full at commit %llu: some of what waited is forgotten", (unsigned long long)nth);
        assert_all_everywhere(LONELY);
        (void)leave(state);
        (void)enter(state);
    }
}

/* Stretches of logs that nobody can name any more, more of them than one step tries. */
static void put_nameless(struct place *p, size_t count)
{
    struct salvaged_segment s;
    struct focal_buf row;
    const struct old_row *first = &t.old.list[own_segment(0)];
    focal_buf_init(&row, FOCAL_STORE_VALUE_MAX);
    salvaged_name_put(&row, &(struct focal_log_name){ .lane = 0 });
    focal_buf_span(&row, focal_buf_view(&first->value));
    assert_true(salvaged_decode(&s, 1, focal_buf_view(&first->value)));
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[SALVAGED_KEY_BYTES];
        const struct focal_id nameless = { { 0 } };
        focal_put_be64(s.last.h.b, i);
        salvaged_key(key, &nameless, &s);
        assert_int_equal(focal_store_put(p->store, FOCAL_SHELF_META, focal_span_of(key, sizeof key), focal_buf_view(&row)), FOCAL_OK);
    }
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    focal_buf_close(&row);
}

/* Whatever waits for ever keeps nothing else from coming in. */
static void test_behind_what_waits_for_ever(void **state)
{
    (void)state;
    const size_t nameless = FOCAL_STEP_ENTRIES_MAX;
    old_drop(&t.old, own_segment(2));
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    const size_t waiting = focal_node_salvaged(t.ken->node, 1000);
    assert_true(waiting >= LONELY);
    put_nameless(t.ken, nameless);
    focal_node_close(t.ken->node);
    place_open(t.ken);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
    assert_int_equal(focal_node_salvaged(t.ken->node, SIZE_MAX), nameless);
}

/* The opening of the epoch is gone: everything of it waits, and comes in when it has come. */
static void test_opening_lost(void **state)
{
    (void)state;
    for (size_t i = t.old.count; i-- > 0;) {
        struct focal_id log;
        memcpy(log.b, t.old.list[i].key.data, t.old.list[i].key.len < sizeof log.b ? t.old.list[i].key.len : sizeof log.b);
        const struct focal_log *l = t.old.list[i].shelf == FOCAL_SHELF_SEGMENT ? focal_oplog_log(focal_node_oplog(t.hq->node), &log) : NULL;
        if (l && l->scope.cls == FOCAL_SCOPE_CONTROL)
            old_drop(&t.old, i);
    }
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_int_equal(t.told.entries, 0);
    assert_true(t.told.waiting_own >= SHARED + LONELY);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(LONELY);
}

/* Bytes that nobody signed never get in, wherever they are changed. */
static void test_changed_rows(void **state)
{
    (void)state;
    for (size_t nth = 0; nth < SHARED; nth++) {
        struct focal_buf *value = &t.old.list[own_segment(nth)].value;
        value->data[value->len - 1 - nth] ^= 1;
    }
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_true(t.told.entries < t.entries);
    assert_sound(t.ken);
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_all_everywhere(0);
}

/* A copy of this office's disk wrote too, so headquarters holds a log with two branches; then it is headquarters that loses. */
static void test_branches(void **state)
{
    struct focal_ref here, there;
    struct place *clone = place_new("KEN");
    (void)state;
    clone->keys = t.ken->keys;
    assert_int_equal(focal_store_begin(clone->store), FOCAL_OK);
    for (size_t i = 0; i < t.old.count; i++)
        assert_int_equal(focal_store_put(clone->store, t.old.list[i].shelf, focal_buf_view(&t.old.list[i].key), focal_buf_view(&t.old.list[i].value)), FOCAL_OK);
    assert_int_equal(focal_store_commit(clone->store), FOCAL_OK);
    place_open(clone);
    new_case(t.ken, &here);
    new_case(clone, &there);
    assert_memory_equal(here.log.b, there.log.b, sizeof here.log.b);
    assert_int_equal(here.seq, there.seq);
    pass(20000);
    struct line *l = answer_dial(t.ken, t.hq);
    run();
    pass(1000);
    cut(l, FOCAL_CANCELLED);
    pass(20000);
    l = answer_dial(clone, t.hq);
    run();
    pass(1000);
    cut(l, FOCAL_CANCELLED);
    assert_true(has_case(t.hq, &here) && has_case(t.hq, &there));

    struct old_rows rows;
    const uint64_t entries = entries_of(t.hq);
    old_take(&rows, t.hq->store);
    focal_buf_clear(&t.keepsake);
    assert_int_equal(focal_node_keepsake(t.hq->node, &t.keepsake), FOCAL_OK);
    rejoin(t.hq, &rows, &t.keepsake, &t.told);
    old_close(&rows);
    assert_int_equal(t.told.entries, entries);
    assert_int_equal(t.told.waiting + t.told.missing, 0);
    assert_int_equal(entries_of(t.hq), entries);
    assert_true(has_case(t.hq, &here) && has_case(t.hq, &there));
    assert_sound(t.hq);
}

static bool shows(struct place *p, const struct focal_ref *ref)
{
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view) != FOCAL_OK)
        return false;
    bool any = focal_record_slot(&view.record, focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), "allegation_type")->number, focal_span_of(NULL, 0)) != NULL;
    focal_record_view_close(&view);
    return any;
}

static void redact(struct place *p, const struct focal_ref *ref)
{
    struct focal_redact_order order = { .record = *ref, .reason = 2, .day = DAY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = &order;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    assert_int_equal(order.status, FOCAL_OK);
}

/* What was redacted stays so: the notice goes in before what it names, and what came without a payload is let in by it. */
static void test_redacted(void **state)
{
    (void)state;
    assert_true(shows(t.ken, &t.shared[1]));
    redact(t.ken, &t.shared[1]);
    assert_false(shows(t.ken, &t.shared[1]));
    const uint64_t entries = entries_of(t.ken);
    old_close(&t.old);
    old_take(&t.old, t.ken->store);
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_int_equal(t.told.entries, entries);
    assert_int_equal(t.told.waiting + t.told.missing, 0);
    assert_false(shows(t.ken, &t.shared[1]));
    assert_true(shows(t.ken, &t.shared[0]));
    assert_sound(t.ken);
}

/* A copy of a database looks whole, however old it is: what has been redacted since is shown only after others have told. */
static void test_an_old_copy(void **state)
{
    (void)state;
    redact(t.ken, &t.shared[1]);
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);        /* from before */
    assert_int_equal(t.told.waiting + t.told.missing, 0);
    assert_true(shows(t.ken, &t.shared[1]));
    assert_true(focal_oplog_veiled(focal_node_oplog(t.ken->node)));
    focal_node_close(t.ken->node);
    place_open(t.ken);
    assert_true(focal_oplog_veiled(focal_node_oplog(t.ken->node)));
    tick(t.ken);
    obey(t.ken);
    link_up();
    assert_false(focal_oplog_veiled(focal_node_oplog(t.ken->node)));
}

/* Whatever was salvaged is veiled, and only that. */
static void test_veiled(void **state)
{
    (void)state;
    old_drop(&t.old, own_segment(2));
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    assert_true(focal_oplog_veiled(focal_node_oplog(t.ken->node)));
    rejoin(t.ken, NULL, &t.keepsake, &t.told);
    assert_false(focal_oplog_veiled(focal_node_oplog(t.ken->node)));    /* it has nothing to show */
}

static void test_local_rows(void **state)
{
    struct focal_buf value;
    struct focal_ref ref;
    (void)state;
    size_t peers = old_count(&t.old, FOCAL_SHELF_PEER);
    assert_true(peers > 0);
    rejoin(t.ken, &t.old, &t.keepsake, &t.told);
    struct old_rows now;
    old_take(&now, t.ken->store);
    assert_int_equal(old_count(&now, FOCAL_SHELF_PEER), peers);
    assert_true(old_count(&now, FOCAL_SHELF_RECEIPT) > 0);
    old_close(&now);
    focal_buf_init(&value, 1024);
    assert_int_equal(focal_store_get(t.ken->store, FOCAL_SHELF_META, focal_span_text("epoch"), &value), FOCAL_NOT_FOUND);
    focal_buf_close(&value);
    new_case(t.ken, &ref);
}

/* ---- what cannot be ---- */

static void test_never_a_member(void **state)
{
    struct focal_store *fresh = focal_fake_store_new();
    struct focal_error err;
    (void)state;
    /* Without the secret, and without the statements. */
    for (size_t i = t.old.count; i-- > 0;)
        if (t.old.list[i].shelf == FOCAL_SHELF_META && focal_span_equal(focal_buf_view(&t.old.list[i].key), focal_span_text("network-secret")))
            old_drop(&t.old, i);
    assert_int_equal(found_again(fresh, t.ken, &t.old, NULL, &t.told, &err), FOCAL_NOT_FOUND);
    assert_non_null(strstr(err.message, "secret"));
    assert_non_null(strstr(err.hint, "new invitation"));
    focal_store_close(fresh);
    fresh = focal_fake_store_new();
    old_drop_shelf(&t.old, FOCAL_SHELF_STATEMENT);
    assert_int_equal(found_again(fresh, t.ken, &t.old, NULL, &t.told, &err), FOCAL_NOT_FOUND);
    assert_non_null(strstr(err.hint, "new invitation"));
    assert_int_equal(found_again(fresh, t.ken, NULL, NULL, &t.told, &err), FOCAL_NOT_FOUND);
    focal_store_close(fresh);
}

/* Whatever operation of the new store fails, it is told, and nothing is left open. */
static void test_new_store_fails(void **state)
{
    struct focal_error err;
    (void)state;
    uint64_t failed = 0;
    for (uint64_t nth = 1;; nth++) {
        struct focal_store *fresh = focal_fake_store_new();
        focal_fake_store_plan(fresh, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = FOCAL_IO, .from_then_on = true });
        memset(&err, 0, sizeof err);
        enum focal_status st = found_again(fresh, t.ken, &t.old, &t.keepsake, &t.told, &err);
        focal_store_close(fresh);
        if (st == FOCAL_OK)
            break;
        assert_int_equal(st, FOCAL_IO);
        assert_true(err.message[0] != 0);
        failed++;
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keepsake_is_steady, enter, leave),
        cmocka_unit_test_setup_teardown(test_keepsake_alone, enter, leave),
        cmocka_unit_test_setup_teardown(test_keepsake_damaged, enter, leave),
        cmocka_unit_test_setup_teardown(test_all_rows, enter, leave),
        cmocka_unit_test_setup_teardown(test_shelves_unknown, enter, leave),
        cmocka_unit_test_setup_teardown(test_names_of_logs_lost, enter, leave),
        cmocka_unit_test_setup_teardown(test_gap, enter, leave),
        cmocka_unit_test_setup_teardown(test_filled_on_a_full_disk, enter, leave),
        cmocka_unit_test_setup_teardown(test_behind_what_waits_for_ever, enter, leave),
        cmocka_unit_test_setup_teardown(test_opening_lost, enter, leave),
        cmocka_unit_test_setup_teardown(test_changed_rows, enter, leave),
        cmocka_unit_test_setup_teardown(test_branches, enter, leave),
        cmocka_unit_test_setup_teardown(test_redacted, enter, leave),
        cmocka_unit_test_setup_teardown(test_an_old_copy, enter, leave),
        cmocka_unit_test_setup_teardown(test_veiled, enter, leave),
        cmocka_unit_test_setup_teardown(test_local_rows, enter, leave),
        cmocka_unit_test_setup_teardown(test_never_a_member, enter, leave),
        cmocka_unit_test_setup_teardown(test_new_store_fails, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
