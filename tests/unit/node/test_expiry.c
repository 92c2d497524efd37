/* A membership expires where this clock and another source are past its day, never by one clock alone. Then what its office
 * writes is taken in and it is given statements, receipts and its own entries, nothing else, until a renewal has come: over the
 * same link. Where the network was founded so that expiry only warns, nothing stops. */
#include "places.h"

static struct place *hq, *ken, *ssd;

static const uint64_t day_ms = 86400000;

static void found(bool stops)
{
    expiry_is_to_stop = stops;
    hq = hq_make(true);
    ken = member_make("KEN");
    ssd = member_make("SSD");
    live_on(5000);
}

static int tear_down(void **state)
{
    (void)state;
    expiry_is_to_stop = false;
    all_close();
    return 0;
}

static const struct focal_certificate *at(struct place *p, const char *code)
{
    struct focal_office office;
    assert_true(focal_office_parse(&office, focal_span_text(code)));
    const struct focal_certificate *c = focal_oplog_certificate(focal_node_oplog(p->node), &office);
    assert_non_null(c);
    return c;
}

static enum focal_expiry expiry(struct place *p, const char *code) { return focal_node_expiry(p->node, all.now, at(p, code)); }

static bool says(struct place *p, const char *code, const char *words)
{
    struct focal_peer_status s;
    status_of(p, code, &s);
    return s.limited && strstr(s.why, words) != NULL;
}

/* All but KEN are renewed; then a year and a day goes by, and the others have written and signed receipts since. */
static void a_year_later(void)
{
    struct focal_ref ref;
    renew("HQ", DAY + 800);
    renew("SSD", DAY + 800);
    live_on(2000);
    pass(367 * day_ms);
    live_on(5000);
    new_case(hq, &ref);
    new_case(ssd, &ref);
    live_on(125000);
}

static void what_stops_and_what_does_not(void **state)
{
    struct focal_ref before, theirs, after, own;
    (void)state;
    found(true);
    new_case(hq, &before);
    live_on(2000);
    assert_true(has_case(ken, &before));
    a_year_later();
    assert_int_equal(expiry(hq, "KEN"), FOCAL_EXPIRY_EXPIRED);
    assert_int_equal(expiry(hq, "SSD"), FOCAL_EXPIRY_VALID);
    assert_int_equal(expiry(ken, "KEN"), FOCAL_EXPIRY_EXPIRED);

    new_case(hq, &theirs);
    new_case(ken, &own);
    live_on(65000);
    assert_true(has_case(ssd, &theirs));
    assert_false(has_case(ken, &theirs));
    assert_true(has_case(hq, &own));                    /* what it writes is taken in, and goes on to others */
    assert_true(has_case(ssd, &own));
    assert_true(focal_node_receipted(ken->node, &at(ken, "HQ")->office));     /* and signed for */
    assert_true(says(hq, "KEN", "their membership expired"));
    assert_true(says(ken, "HQ", "membership of this office has expired"));
    assert_false(says(hq, "SSD", "expired"));

    renew("KEN", DAY + 800);                            /* over the link that is up */
    live_on(5000);
    assert_int_equal(at(ken, "KEN")->to_day, DAY + 800);
    assert_true(has_case(ken, &theirs));
    assert_int_equal(expiry(hq, "KEN"), FOCAL_EXPIRY_VALID);
    new_case(hq, &after);
    live_on(2000);
    assert_true(has_case(ken, &after));
}

/* It was put back without what it had written, and gets that in spite of all. */
static void what_it_wrote_itself(void **state)
{
    struct focal_ref own, others;
    (void)state;
    found(true);
    struct focal_fake_image *image = focal_fake_store_backup(ken->store, false);
    assert_non_null(image);
    new_case(ken, &own);
    new_case(ssd, &others);
    live_on(2000);
    a_year_later();
    for (size_t i = 0; i < LINES; i++)
        if (all.lines[i].open && (all.lines[i].at[0] == ken || all.lines[i].at[1] == ken))
            cut(&all.lines[i], FOCAL_CANCELLED);
    ken->dial_count = 0;
    place_restore(ken, image);
    assert_false(has_case(ken, &own));
    live_on(65000);
    assert_true(has_case(ken, &own));
    assert_false(has_case(ken, &others));
    focal_fake_image_free(image);
}

static void only_warned_of(void **state)
{
    struct focal_ref theirs;
    (void)state;
    found(false);
    a_year_later();
    assert_int_equal(expiry(hq, "KEN"), FOCAL_EXPIRY_EXPIRED);
    new_case(hq, &theirs);
    live_on(65000);
    assert_true(has_case(ken, &theirs));
    assert_false(says(hq, "KEN", "expired"));
}

/* Headquarters' clock runs two years ahead: by it alone nobody is refused anything. Behind, it sees what others say. */
static void one_clock_alone(void **state)
{
    struct focal_ref theirs;
    (void)state;
    found(true);
    new_case(ssd, &theirs);
    live_on(65000);
    const struct focal_now right = all.now;
    for (int i = 0; i < 200; i++) {
        new_case(hq, &theirs);
        all.now.mono_ms += 500;
        all.now.wall_ms = right.wall_ms + 730 * day_ms;
        tick(hq);
        all.now.wall_ms = right.wall_ms;
        tick(ken);
        tick(ssd);
        run();                          /* what steps in here goes by the right clock */
        if (i == 0)
            continue;
        all.now.wall_ms = right.wall_ms + 730 * day_ms;
        assert_int_equal(expiry(hq, "KEN"), FOCAL_EXPIRY_BY_US);
        all.now.wall_ms = right.wall_ms;
        assert_int_equal(expiry(hq, "KEN"), FOCAL_EXPIRY_VALID);
    }
    assert_true(has_case(ken, &theirs));

    /* The others live on, and headquarters' clock stays where it was. */
    renew("HQ", DAY + 800);
    renew("SSD", DAY + 800);
    pass(367 * day_ms);
    live_on(5000);
    new_case(ssd, &theirs);
    live_on(125000);
    const struct focal_now behind = { .mono_ms = all.now.mono_ms, .wall_ms = right.wall_ms };
    assert_int_equal(focal_node_expiry(hq->node, behind, at(hq, "KEN")), FOCAL_EXPIRY_BY_OTHERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_stops_and_what_does_not, tear_down),
        cmocka_unit_test_teardown(what_it_wrote_itself, tear_down),
        cmocka_unit_test_teardown(only_warned_of, tear_down),
        cmocka_unit_test_teardown(one_clock_alone, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
