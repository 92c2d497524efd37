/* Redaction around sealed values: what stays still opens at its addressees, whoever redacts and can open it or not. */
#include "sealed_places.h"

/* The other field of the same change is redacted: what is sealed stands in an entry of its own, and is left as it is. */
static void another_field_is_redacted(void **state)
{
    (void)state;
    struct place *const by[] = { ken, hq };
    for (int i = 0; i < 2; i++) {
        struct focal_ref ref = a_case();
        struct focal_redact_order o;
        const struct focal_change_item items[] = { { .op = FOCAL_OP_SET, .field = field("channel"), .value = focal_span_text("\x02") },
                                                   { .op = FOCAL_OP_SET, .field = &talk, .value = focal_span_text(canary) } };
        struct focal_change c;
        assert_int_equal(change(ken, &ref, false, items, 2, NULL, &c), FOCAL_OK);
        ease();
        assert_int_equal(redact(by[i], &ref, field("channel"), &o), FOCAL_OK);
        all_good();
        assert_int_equal(versions(ssd, &ref, field("channel")->number), 0);
        reads(ken, &ref, talk.number, "KEN", canary, "HQ,KEN");
        reads(hq, &ref, talk.number, "KEN", canary, "HQ,KEN");
        reads(hq, &ref, field("feedback_preference")->number, "KEN", "\x04", "HQ,KEN");
        sealed_from(ssd, &ref, talk.number, "KEN", "HQ,KEN");
    }
}

/* A program that puts both into one entry: who redacts the one and can open the other seals it again; its author leaves its bytes;
 * who cannot is told what else to do. */
static void an_entry_that_holds_both(void **state)
{
    static const char *const to_near[] = { "NEAR", NULL };
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct focal_ref ref = a_case();
        struct focal_live live;
        struct focal_redact_order o;
        char text[64], to[100];
        static uint8_t bytes[1024];
        assert_int_equal(say(ken, &ref, canary, i == 2 ? to_near : NULL), FOCAL_OK);
        ease();
        /* Its bytes with another field in one entry of the same author, in place of the first. */
        struct focal_record_view view;
        assert_int_equal(focal_oplog_record(focal_node_oplog(ken->node), NULL, &ref, &view), FOCAL_OK);
        live = focal_record_slot(&view.record, talk.number, focal_span_of(NULL, 0))->values[0];
        const size_t len = live.value.len;
        memcpy(bytes, live.value.data, len);
        focal_record_view_close(&view);
        const struct focal_item both[] = { { .field = talk.number, .value = focal_span_of(bytes, len) }, { .field = field("channel")->number, .value = focal_span_text("\x02") } };
        const struct focal_replaced replaced = { .entry = live.ref, .ordinal = live.ordinal };
        write_by_hand(ken, &ref, both, 2, &replaced);
        all_good();
        assert_int_equal(versions(hq, &ref, talk.number), 1);
        if (i == 2) {
            uint64_t before, after, rows;
            assert_int_equal(focal_shelf_digest(hq->store, FOCAL_SHELF_SEGMENT, &before, &rows), FOCAL_OK);
            assert_int_equal(redact(hq, &ref, field("channel"), &o), FOCAL_DENIED);
            assert_non_null(strstr(o.error.message, "sealed"));
            assert_int_equal(focal_shelf_digest(hq->store, FOCAL_SHELF_SEGMENT, &after, &rows), FOCAL_OK);
            assert_int_equal(before, after);
            assert_int_equal(redact(hq, &ref, &talk, &o), FOCAL_OK);       /* what it was told to do first */
            assert_int_equal(redact(hq, &ref, field("channel"), &o), FOCAL_OK);
            all_good();
            assert_int_equal(versions(near, &ref, talk.number), 0);
            assert_int_equal(versions(near, &ref, field("channel")->number), 0);
            continue;
        }
        assert_int_equal(redact(i ? hq : ken, &ref, field("channel"), &o), FOCAL_OK);
        all_good();
        assert_int_equal(versions(ssd, &ref, field("channel")->number), 0);
        reads(ken, &ref, talk.number, i ? "HQ" : "KEN", canary, "HQ,KEN");
        reads(hq, &ref, talk.number, i ? "HQ" : "KEN", canary, "HQ,KEN");
        assert_int_equal(look(ssd, &ref, talk.number, NULL, NULL, text, to), FOCAL_NOT_FOUND);
    }
}

static void the_field_itself_is_redacted(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    assert_int_equal(redact(ken, &ref, field("feedback_preference"), &o), FOCAL_OK);
    all_good();
    for (size_t i = 0; i < all.count; i++) {
        assert_int_equal(versions(&all.places[i], &ref, field("feedback_preference")->number), 0);
        assert_int_equal(versions(&all.places[i], &ref, field("status")->number), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_field_is_redacted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_entry_that_holds_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_field_itself_is_redacted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
