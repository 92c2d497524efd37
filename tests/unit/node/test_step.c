/* The contract of the step: one transaction; only a failing store fails it, and then nothing leaves. */
#include "places.h"

static struct place *hq, *ken;

static int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    ken = member_make("KEN");
    (void)dial(ken, hq);
    run();
    pass(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

static bool anything_leaves(struct place *p)
{
    struct focal_buf frame;
    bool any = false;
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    for (size_t i = 0; i < LINES; i++)
        for (int k = 0; k < 2; k++)
            if (all.lines[i].open && all.lines[i].at[k] == p)
                any = any || focal_node_take_frame(p->node, all.lines[i].id[k], &frame);
    focal_buf_close(&frame);
    return any;
}

static void a_change_reaches_the_other(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct focal_peer_status s;
    new_case(ken, &ref);
    assert_int_equal(focal_node_waiting(ken->node) > 0, 1);
    run();
    assert_true(has_case(hq, &ref));
    pass(1000);
    pass(1000);
    status_of(ken, "HQ", &s);
    assert_int_equal(s.link, FOCAL_LINK_UP);
    assert_true(s.equal && s.they_lack_known && s.we_lack_known);
    assert_int_equal(s.they_lack, 0);
    assert_int_equal(focal_node_waiting(ken->node), 0);
    assert_int_equal(focal_node_seen(ken->node, &s.office, &ref), 1);
    assert_true(focal_node_receipted(ken->node, &s.office));
}

/* Of every log: its name and how far it goes. */
static uint64_t heads(struct place *p)
{
    struct focal_oplog *ol = focal_node_oplog(p->node);
    uint64_t sum = 0;
    for (size_t i = 0; i < focal_oplog_log_count(ol); i++)
        sum += focal_get_be64(focal_oplog_log_at(ol, i)->id.b) * focal_oplog_log_at(ol, i)->head.seq;
    return sum;
}

/* Every operation of the store in a step fails once: the step fails and nothing of it leaves, or it did not matter. */
static void a_failing_store_fails_the_step(void **state)
{
    (void)state;
    static const enum focal_status how[] = { FOCAL_IO, FOCAL_DAMAGED };
    size_t failed = 0;
    for (uint64_t nth = 1; nth < 60; nth++) {
        static const char *const pairs[][2] = { { "country", "KEN" }, { "allegation_type", "other" } };
        struct focal_change c;
        struct focal_ref ref = { .seq = 0 };
        uint64_t before, after, rows, heads_before = heads(ken);
        assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &before, &rows), FOCAL_OK);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = nth, .kinds = FOCAL_FAKE_ALL, .status = how[nth % 2] });
        enum focal_status st = set_text(ken, &ref, true, pairs, 2, &c);
        focal_fake_store_plan(ken->store, (struct focal_fake_failure){ .nth = 0 });
        if (st == FOCAL_OK) {
            run();
            continue;
        }
        failed++;
        assert_int_equal(st, how[nth % 2]);
        assert_false(anything_leaves(ken));
        assert_int_equal(focal_node_failed(ken->node), st);
        assert_int_equal(heads(ken), heads_before);     /* whoever still asks is told what is durable */
        struct focal_node_event e = { .type = FOCAL_EVENT_TICK };
        assert_int_equal(step_with(ken, &e), st);
        assert_false(anything_leaves(ken));
        focal_node_close(ken->node);
        ken->node = NULL;
        focal_fake_store_crash(ken->store);
        for (size_t i = 0; i < LINES; i++)
            cut(&all.lines[i], FOCAL_UNREACHABLE);
        assert_int_equal(focal_shelf_digest(ken->store, FOCAL_SHELF_SEGMENT, &after, &rows), FOCAL_OK);
        assert_int_equal(after, before);
        place_open(ken);
        pass(2000);
        if (ken->dial_count)
            (void)answer_dial(ken, hq);
        run();
    }
    assert_true(failed > 3);
    struct focal_ref ref;
    new_case(ken, &ref);
    pass(2000);
    if (ken->dial_count)
        (void)answer_dial(ken, hq);
    run();
    assert_true(has_case(hq, &ref));
}

static void whole_digest(struct place *p, uint64_t out[FOCAL_SHELF_LAST + 1])
{
    for (int s = FOCAL_SHELF_META; s <= FOCAL_SHELF_LAST; s++) {
        uint64_t rows;
        assert_int_equal(focal_shelf_digest(p->store, (enum focal_shelf)s, &out[s], &rows), FOCAL_OK);
    }
}

static void assert_refused(struct focal_ref *ref, bool is_new, const char *const (*pairs)[2], size_t count, enum focal_status why)
{
    uint64_t before[FOCAL_SHELF_LAST + 1] = { 0 }, after[FOCAL_SHELF_LAST + 1] = { 0 };
    struct focal_change c;
    whole_digest(ken, before);
    assert_int_equal(set_text(ken, ref, is_new, pairs, count, &c), FOCAL_OK);
    assert_int_equal(c.status, why);
    assert_true(c.error.message[0] != 0);
    whole_digest(ken, after);
    assert_memory_equal(before, after, sizeof before);
    assert_false(anything_leaves(ken));
}

static void a_refused_change_leaves_nothing(void **state)
{
    (void)state;
    static const char *const twice[][2] = { { "allegation_type", "sexual_abuse" }, { "allegation_type", "unknown" } };
    static const char *const country[][2] = { { "source_role", "family" } };
    static const char *const fine[][2] = { { "allegation_type", "other" } };
    struct focal_ref ref, none;
    new_case(ken, &ref);
    run();
    pass(1000);
    memset(&none, 7, sizeof none);
    assert_refused(&ref, true, twice, 2, FOCAL_REFUSED);
    assert_refused(&ref, false, twice, 2, FOCAL_REFUSED);
    assert_refused(&ref, true, country, 1, FOCAL_REFUSED);     /* this office writes in no country */
    assert_refused(&none, false, fine, 1, FOCAL_NOT_FOUND);
}

static void a_change_on_an_old_version(void **state)
{
    (void)state;
    static const char *const one[][2] = { { "status", "received" } };
    struct focal_ref ref;
    struct focal_change c;
    new_case(ken, &ref);
    assert_int_equal(set_text(ken, &ref, false, one, 1, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_OK);
    struct focal_change again = { .record = ref, .if_version = true };
    memset(again.version, 1, sizeof again.version);
    struct focal_node_event e = { .type = FOCAL_EVENT_CHANGE };
    e.is.change = &again;
    assert_int_equal(step_with(ken, &e), FOCAL_OK);
    assert_int_equal(again.status, FOCAL_CONFLICT);
    memcpy(again.version, c.result_version, sizeof again.version);
    assert_int_equal(step_with(ken, &e), FOCAL_OK);
    assert_int_equal(again.status, FOCAL_OK);
}

/* A refused change and a good one in one step: the good one stands. */
static void several_changes_in_a_step(void **state)
{
    (void)state;
    const struct focal_kind *kind = focal_kind_by_number(FOCAL_KIND_CASE);
    struct focal_change_item item = { .op = FOCAL_OP_SET, .field = focal_field_by_name(kind, "country"), .value = focal_span_text("KEN") };
    struct focal_change good = { .kind = kind, .is_new = true, .items = &item, .item_count = 1 }, bad = { .items = &item, .item_count = 1 };
    struct focal_node_event e[2] = { { .type = FOCAL_EVENT_CHANGE }, { .type = FOCAL_EVENT_CHANGE } };
    e[0].is.change = &bad;
    e[1].is.change = &good;
    assert_int_equal(focal_node_step(ken->node, all.now, e, 2), FOCAL_OK);
    assert_int_equal(bad.status, FOCAL_NOT_FOUND);
    assert_int_equal(good.status, FOCAL_OK);
    assert_true(has_case(ken, &good.result));
}

/* A certificate that lets an office open no epoch costs it its receipts, not its life. */
static void no_receipt_is_no_failure(void **state)
{
    (void)state;
    all_close();
    hq = hq_make(false);
    ken = member_make("KEN");
    (void)dial(ken, hq);
    run();
    struct focal_ref ref;
    new_case(ken, &ref);
    run();
    pass(1000);
    pass(1000);
    assert_int_equal(focal_node_failed(hq->node), FOCAL_OK);
    assert_true(has_case(hq, &ref));
}

static void a_clock_that_goes_back(void **state)
{
    (void)state;
    struct focal_ref ref;
    all.now.mono_ms -= 500;
    all.now.wall_ms = 1;
    new_case(ken, &ref);
    run();
    assert_true(has_case(hq, &ref));
    all.now.mono_ms += 700;
    all.now.wall_ms = UINT64_C(400) * 365 * 86400000;
    tick(ken);
    tick(hq);
    run();
    new_case(hq, &ref);
    run();
    assert_true(has_case(ken, &ref));
}

static size_t versions_of(struct place *p, const struct focal_ref *ref, const char *field)
{
    struct focal_record_view view;
    assert_int_equal(focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view), FOCAL_OK);
    const struct focal_field *f = focal_field_by_name(view.record.kind, field);
    const struct focal_slot *slot = focal_record_slot(&view.record, f->number, focal_span_of(NULL, 0));
    size_t count = slot ? slot->value_count : 0;
    focal_record_view_close(&view);
    return count;
}

/* Both say something while the link is down; then one writes over both. */
static void a_write_settles_all_versions(void **state)
{
    (void)state;
    static const char *const said[][2] = { { "status", "substantiated" }, { "status", "not_substantiated" }, { "status", "under_investigation" } };
    struct focal_ref ref;
    struct focal_change c;
    new_case(ken, &ref);
    run();
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
    assert_int_equal(set_text(ken, &ref, false, &said[0], 1, &c), FOCAL_OK);
    assert_int_equal(set_text(hq, &ref, false, &said[1], 1, &c), FOCAL_OK);
    pass(2000);
    (void)answer_dial(ken, hq);
    run();
    assert_int_equal(versions_of(ken, &ref, "status"), 2);
    assert_int_equal(versions_of(hq, &ref, "status"), 2);
    assert_int_equal(set_text(hq, &ref, false, &said[2], 1, &c), FOCAL_OK);
    run();
    assert_int_equal(versions_of(hq, &ref, "status"), 1);
    assert_int_equal(versions_of(ken, &ref, "status"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_change_reaches_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failing_store_fails_the_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_change_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_on_an_old_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_changes_in_a_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_receipt_is_no_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_settles_all_versions, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_step", tests, NULL, NULL);
}
