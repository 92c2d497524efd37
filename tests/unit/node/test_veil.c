/* An old copy of a disk was put back: records stay veiled until somebody has told all that was redacted meanwhile. */
#include "places.h"

static struct place *hq, *ken;
static struct focal_fake_image *image;

static int set_up(void **state)
{
    (void)state;
    struct focal_ref ref;
    keep_fences = true;
    hq = hq_make(true);
    ken = member_make("KEN");
    new_case(hq, &ref);
    (void)dial(ken, hq);
    run();
    pass(1000);
    pass(1000);
    new_case(ken, &ref);
    run();
    pass(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    focal_fake_image_free(image);
    image = NULL;
    keep_fences = false;
    return 0;
}

static void backup(struct place *p)
{
    focal_fake_image_free(image);
    image = focal_fake_store_backup(p->store, false);
    assert_non_null(image);
}

static void cut_all(void)
{
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
}

/* Puts back what was written before the last thing was. */
static void put_back(struct place *p)
{
    struct focal_ref ref;
    backup(p);
    new_case(p, &ref);
    run();
    pass(1000);
    cut_all();
    place_restore(p, image);
}

static void start_again(struct place *p)
{
    cut_all();
    focal_node_close(p->node);
    focal_fake_store_crash(p->store);
    place_open(p);
    assert_int_equal(focal_store_fence(p->store), FOCAL_FENCE_GOOD);
}

static bool veiled(const struct place *p)
{
    return focal_oplog_veiled(focal_node_oplog(p->node));
}

static size_t waits(const struct place *p)
{
    struct focal_scope scopes[8];
    return focal_node_veil_waits(p->node, scopes, 8);
}

static enum focal_status lift_by_hand(struct place *p, const char *reason)
{
    struct focal_node_event e = { .type = FOCAL_EVENT_LIFT_VEIL };
    e.is.lift_veil.reason = reason;
    return answer_to(p, e);
}

static size_t noted(struct place *p, enum focal_history_code code, struct focal_history *last)
{
    struct focal_history row = { .number = 0 };
    size_t count = 0;
    while (focal_node_next_history(p->node, row.number, &row) == FOCAL_OK) {
        count += row.code == code;
        if (row.code == code && last)
            *last = row;
    }
    return count;
}

/* A notice, as a redaction is one. */
static void write_notice(struct place *p, struct focal_log *out)
{
    struct focal_buf payload;
    struct focal_ref ref;
    struct focal_error err;
    focal_buf_init(&payload, 64);
    focal_payload_encode(&payload, FOCAL_KIND_REDACTION, NULL, NULL, NULL, 0);
    const struct focal_write w = { .scope = { .cls = FOCAL_SCOPE_NETWORK }, .lane = FOCAL_LANE_NOTICES, .creates = true, .payload = focal_buf_view(&payload) };
    struct focal_oplog *ol = focal_node_oplog(p->node);
    assert_int_equal(focal_store_begin(p->store), FOCAL_OK);
    assert_int_equal(focal_oplog_write(ol, &w, &ref, &err), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(p->store), FOCAL_OK);
    focal_oplog_committed(ol);
    focal_buf_close(&payload);
    *out = *focal_oplog_log(ol, &ref.log);
    tick(p);
}

static void lifted_when_all_was_told(void **state)
{
    (void)state;
    struct focal_log notices;
    struct focal_history row;
    struct focal_buf frame;
    put_back(ken);
    assert_true(veiled(ken));
    assert_int_equal(waits(ken), 2);
    tick(ken);
    assert_int_equal(noted(ken, FOCAL_HISTORY_VEILED, NULL), 1);
    struct place *ssd = member_make("SSD");             /* a statement, and a notice, that the old copy does not know */
    write_notice(hq, &notices);
    start_again(ken);                                   /* said once, however often it starts */
    assert_true(veiled(ken));

    (void)dial(ken, hq);
    focal_buf_init(&frame, FOCAL_NOISE_MAX);
    bool any = true, before = true;
    while (any) {
        any = false;
        for (int k = 0; k < 2; k++) {
            struct line *l = &all.lines[0];
            if (!l->open || !focal_node_take_frame(l->at[k]->node, l->id[k], &frame))
                continue;
            struct focal_node_event e = { .type = FOCAL_EVENT_LINK_FRAME };
            e.is.frame.link = l->id[1 - k];
            e.is.frame.bytes = focal_buf_view(&frame);
            assert_int_equal(step_with(l->at[1 - k], &e), FOCAL_OK);
            any = true;
            const struct focal_log *here = focal_oplog_log(focal_node_oplog(ken->node), &notices.id);
            const struct focal_office office = { .text = "SSD" };
            bool told = here && here->head.seq == notices.head.seq && focal_oplog_certificate(focal_node_oplog(ken->node), &office);
            assert_true(told || veiled(ken));
            before = before && veiled(ken);
        }
    }
    focal_buf_close(&frame);
    live_on(3000);
    assert_false(veiled(ken));
    assert_int_equal(waits(ken), 0);
    assert_int_equal(noted(ken, FOCAL_HISTORY_UNVEILED, &row), 1);
    assert_int_equal(row.detail_len, 0);
    assert_int_equal(noted(ken, FOCAL_HISTORY_VEILED, NULL), 1);
    start_again(ken);
    assert_false(veiled(ken));
    (void)ssd;
}

/* The same without anything new there: HELLO alone says so. */
static void lifted_by_an_equal_hello(void **state)
{
    (void)state;
    put_back(ken);
    struct focal_ref ref;
    new_case(ken, &ref);                /* writing goes on under the veil */
    assert_true(veiled(ken));
    live_on(5000);
    assert_false(veiled(ken));
    assert_true(has_case(hq, &ref));
}

static void one_veiled_office_does_not_lift_the_other_s(void **state)
{
    (void)state;
    put_back(ken);
    put_back(hq);
    assert_true(veiled(ken) && veiled(hq));
    live_on(30000);
    assert_int_equal(lines_open(), 1);
    assert_true(veiled(ken) && veiled(hq));
    assert_int_equal(waits(ken), 2);
    assert_int_equal(waits(hq), 2);

    assert_int_equal(lift_by_hand(hq, "Two persons!"), FOCAL_REFUSED);
    assert_int_equal(lift_by_hand(hq, ""), FOCAL_REFUSED);
    assert_true(veiled(hq));
    struct focal_history row;
    assert_int_equal(lift_by_hand(hq, "two_persons_agreed"), FOCAL_OK);
    assert_false(veiled(hq));
    assert_int_equal(lift_by_hand(hq, "again"), FOCAL_NOT_FOUND);
    assert_int_equal(noted(hq, FOCAL_HISTORY_UNVEILED, &row), 1);
    assert_int_equal(row.detail_len, strlen("two_persons_agreed"));
    assert_memory_equal(row.detail, "two_persons_agreed", row.detail_len);
    live_on(5000);
    assert_false(veiled(ken));          /* it heard on a new link that headquarters shows itself again */
}

static void alone_there_is_nobody_to_ask(void **state)
{
    (void)state;
    struct focal_ref ref;
    all_close();
    hq = hq_make(true);
    new_case(hq, &ref);
    put_back(hq);
    assert_true(veiled(hq));
    assert_int_equal(waits(hq), 0);
    tick(hq);
    assert_false(veiled(hq));
}

static void without_a_fence_there_is_no_veil(void **state)
{
    (void)state;
    backup(ken);
    cut_all();
    focal_node_close(ken->node);
    focal_fake_store_machine(ken->store, NULL);
    place_open(ken);
    assert_int_equal(focal_store_fence(ken->store), FOCAL_FENCE_NONE);
    assert_false(veiled(ken));
    keep_fences = false;
    struct place *ssd = member_make("SSD");
    assert_int_equal(focal_store_fence(ssd->store), FOCAL_FENCE_NEW);
    assert_false(veiled(ssd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lifted_when_all_was_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lifted_by_an_equal_hello, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_veiled_office_does_not_lift_the_other_s, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alone_there_is_nobody_to_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_fence_there_is_no_veil, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("node_veil", tests, NULL, NULL);
}
