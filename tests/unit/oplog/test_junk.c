/* Unsigned junk: anybody can send it under anybody's name, so it must cost nobody more than a transfer. */
#include "forge.h"

/* What a peer says comes next in the log that is being written here must not stand in the way of what is written. */
static void junk_on_our_own_log(void **state)
{
    (void)state;
    struct focal_ref ref;
    struct carried p;
    hold(&hq, &hq.statement);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&hq);
    const struct focal_log *own = log_of(&hq, &net, &hq, &scope_network);
    const struct forged_entry next = creating(own->head.seq + 1);
    forge(&p, &ken, &own->name, &own->head.h, next.header.seq, &next, 1, false);
    assert_int_equal(offer_and_close(&p), FOCAL_OK);
    assert_true(own->staged.seq > own->head.seq);
    begin(&hq);
    write_value(&hq, &scope_network, NULL, FIELD_A, 2, &ref);
    commit(&hq);
    assert_int_equal(own->head.seq, 3);
    assert_true(own->staged.seq == own->head.seq);
    assert_verifies(&hq, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(junk_on_our_own_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
