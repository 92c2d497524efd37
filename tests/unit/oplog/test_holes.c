/* Entries that are held without their payload though no redaction in force names them: which are asked for, which get in, and
 * what fills them. */
#include "cutting.h"

/* What its own office erased lies beyond the cut as well: it is nothing to anybody, until a later cut leaves more. */
static void beyond_a_cut_nothing_is_missing(void **state)
{
    (void)state;
    struct focal_buf cut, later;
    struct office *ken = &offices[KEN], *hq = &offices[HQ], *tcd = &offices[TCD];
    const struct focal_log *line;
    struct focal_hash network;
    uint64_t seq;
    bool missing;
    focal_scope_id(&network, &net.id, &scope_network);
    const struct focal_ref r = write_text(KEN, NULL, "seen by all");
    const struct focal_ref edit = write_text(KEN, &r, canary);
    carry_all(ken, tcd);
    assert_int_equal(redact(KEN, NULL, &edit), FOCAL_OK);
    carry_all(ken, hq);
    const struct focal_cut_tip tip = tip_of(hq, KEN, r.seq), more = tip_of(hq, KEN, edit.seq);
    cut_statement(&cut, ken, everything, 1, &tip, 1);
    cut_statement(&later, ken, everything, 2, &more, 1);
    hold(hq, &cut);
    assert_true(focal_oplog_has_holes(hq->ol));
    assert_int_equal(focal_oplog_next_hole(hq->ol, NULL, &line, &seq), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_hole_behind(hq->ol, data_log(hq, KEN), 0, &seq), FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_missing_about(hq->ol, &r, &network, &missing), FOCAL_OK);
    assert_false(missing);
    hold(hq, &later);
    assert_int_equal(focal_oplog_next_hole(hq->ol, NULL, &line, &seq), FOCAL_OK);
    assert_int_equal(seq, edit.seq);
    assert_int_equal(focal_oplog_missing_about(hq->ol, &r, &network, &missing), FOCAL_OK);
    assert_true(missing);
    hold(tcd, &later);
    assert_int_equal(carry_log(tcd, hq, KEN), FOCAL_NOT_FOUND);
    assert_false(focal_oplog_has_holes(hq->ol));
    assert_same_state(hq, tcd);
    assert_verifies(hq, NULL);
    focal_buf_close(&cut);
    focal_buf_close(&later);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(beyond_a_cut_nothing_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
