/* Two copies of an office that alone reads its country: what one of them redacts, the other redacts too. */
#include "places.h"

static struct place *hq, *ken, *copy;

enum { MANY = 140 };            /* two rows each, and so more than one tick looks at */

static int set_up(void **state)
{
    (void)state;
    keep_fences = true;
    hq = hq_make(true);
    ken = member_make("KEN");
    recertify(hq, 2, false, FOCAL_RIGHT_REDACT);
    recertify(ken, 2, true, 0);
    live_on(2000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    keep_fences = false;
    return 0;
}

static struct focal_ref a_case(struct place *p)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "received_date", "2018-05-03" } };
    struct focal_ref ref;
    struct focal_change c;
    assert_int_equal(set_text(p, &ref, true, pairs, 2, &c), FOCAL_OK);
    if (c.status != FOCAL_OK)
        fail_msg("case: %s", c.error.message);
    return ref;
}

static enum focal_status redact(struct place *p, const struct focal_ref *ref, bool agree)
{
    struct focal_redact_order o = { .record = *ref, .agree = agree, .reason = 2, .day = DAY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = &o;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    return o.status;
}

static struct focal_hash kenya(void)
{
    static const struct focal_scope scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    struct focal_hash id;
    focal_scope_id(&id, &all.network, &scope);
    return id;
}

/* Are there values in the country part of the record? */
static bool speaks(struct place *p, const struct focal_ref *ref)
{
    struct focal_part part;
    struct focal_live live[8];
    struct focal_hash id = kenya();
    focal_part_init(&part);
    enum focal_status st = focal_oplog_part(focal_node_oplog(p->node), ref, &id, &part);
    size_t count = st == FOCAL_OK ? focal_part_live(&part, live, 8) : 0;
    focal_part_close(&part);
    return count > 0;
}

/* How often an office has asked for the whole record in Kenya, as this copy knows; the last of it in notice. */
static size_t requests_by(const char *office, struct place *p, const struct focal_ref *ref, struct focal_ref *notice)
{
    struct focal_buf key;
    struct focal_redaction row;
    struct focal_hash id = kenya();
    size_t count = 0;
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    while (focal_oplog_next_request(focal_node_oplog(p->node), &key, &row) == FOCAL_OK) {
        if (!row.whole_record || !focal_hash_equal(&row.scope, &id) || focal_ref_compare(&row.target, ref) != 0)
            continue;
        assert_string_equal(row.by.text, office);
        count++;
        if (notice)
            *notice = row.notice;
    }
    focal_buf_close(&key);
    return count;
}

static size_t requests(struct place *p, const struct focal_ref *ref, struct focal_ref *notice)
{
    return requests_by("KEN", p, ref, notice);
}

static uint64_t hidden_at(struct place *p)
{
    uint64_t count;
    assert_int_equal(focal_oplog_hidden_count(focal_node_oplog(p->node), &count), FOCAL_OK);
    return count;
}

static void what_one_redacts_the_other_redacts(void **state)
{
    (void)state;
    struct focal_ref ref = a_case(ken), kept = a_case(ken), notice;
    struct focal_entry_look look;
    live_on(2000);
    copy = copy_of(ken);
    live_on(2000);
    assert_true(speaks(copy, &ref));
    assert_int_equal(redact(ken, &ref, false), FOCAL_OK);
    live_on(2000);
    assert_false(speaks(ken, &ref));
    assert_false(speaks(copy, &ref));
    assert_int_equal(hidden_at(copy), 0);
    assert_true(speaks(ken, &kept) && speaks(copy, &kept));
    assert_int_equal(requests(copy, &ref, &notice), 1);
    assert_int_equal(focal_node_look(copy->node, &notice, &look), FOCAL_OK);
    assert_true(look.everywhere && look.reason == 2 && look.day_set);
    live_on(5000);
    assert_int_equal(requests(ken, &ref, NULL), 1);     /* once is enough, whoever asked first */
    assert_int_equal(requests(copy, &ref, NULL), 1);
}

/* What an old copy of the disk brings back goes again, though its country's notice stood nowhere else. */
static void an_old_backup_redacts_again(void **state)
{
    (void)state;
    struct focal_ref ref = a_case(ken);
    live_on(2000);
    struct focal_fake_image *image = focal_fake_store_backup(ken->store, false);
    assert_non_null(image);
    assert_int_equal(redact(ken, &ref, false), FOCAL_OK);
    live_on(2000);
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
    place_restore(ken, image);
    focal_fake_image_free(image);
    assert_true(speaks(ken, &ref));
    live_on(20000);
    assert_false(speaks(ken, &ref));
    assert_int_equal(requests(ken, &ref, NULL), 1);
}

/* Headquarters asked for what all see; the office agreed to that, and to no more. */
static void an_agreement_is_not_followed(void **state)
{
    (void)state;
    struct focal_ref ref = a_case(ken);
    live_on(2000);
    copy = copy_of(ken);
    live_on(2000);
    assert_int_equal(redact(hq, &ref, false), FOCAL_OK);
    live_on(2000);
    assert_int_equal(redact(ken, &ref, true), FOCAL_OK);
    live_on(5000);
    assert_int_equal(hidden_at(copy), 0);
    assert_int_equal(requests(copy, &ref, NULL), 0);
    assert_true(speaks(ken, &ref) && speaks(copy, &ref));
    assert_int_equal(redact(ken, &ref, false), FOCAL_OK);       /* and now to all of it */
    live_on(5000);
    assert_false(speaks(ken, &ref) || speaks(copy, &ref));
}

static void cut_all(void)
{
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
}

/* The other office of the country was away when the record was redacted, and the disk went before it came back. What all see
 * is redacted; what the country sees must be so too. */
static void a_notice_that_was_lost_is_written_again(void **state)
{
    (void)state;
    struct place *near = member_make("NEAR");
    recertify(near, 2, true, 0);
    live_on(2000);
    recertify(hq, 3, true, FOCAL_RIGHT_REDACT);
    live_on(2000);
    struct focal_ref ref = a_case(ken);
    live_on(2000);
    assert_true(speaks(near, &ref) && speaks(hq, &ref));
    recertify(hq, 4, false, FOCAL_RIGHT_REDACT);
    live_on(2000);
    struct focal_fake_image *image = focal_fake_store_backup(ken->store, false);
    assert_non_null(image);
    assert_int_equal(redact(ken, &ref, false), FOCAL_OK);
    live_on(2000);
    assert_true(speaks(near, &ref));
    cut_all();
    place_restore(ken, image);
    focal_fake_image_free(image);
    live_on(20000);
    assert_int_equal(requests(ken, &ref, NULL), 1);
    assert_false(speaks(ken, &ref));
    recertify(hq, 5, true, FOCAL_RIGHT_REDACT);
    live_on(20000);
    assert_int_equal(requests(near, &ref, NULL), 1);
    assert_false(speaks(near, &ref));
}

/* Another office's record, of which nothing is here when the request comes back. */
static void a_part_that_comes_later(void **state)
{
    (void)state;
    struct place *ssd = member_make("SSD");
    recertify(hq, 3, true, FOCAL_RIGHT_REDACT);
    recertify(ssd, 2, false, 0);
    live_on(2000);
    struct focal_fake_image *image = focal_fake_store_backup(hq->store, false);
    assert_non_null(image);
    struct focal_ref ref = a_case(ken);
    live_on(2000);
    assert_true(speaks(hq, &ref));
    pause_office(hq, "KEN", true);
    assert_int_equal(redact(hq, &ref, false), FOCAL_OK);
    live_on(2000);
    assert_true(speaks(ken, &ref));
    cut_all();
    place_restore(hq, image);
    focal_fake_image_free(image);
    pause_office(hq, "KEN", true);
    live_on(20000);
    assert_int_equal(requests_by("HQ", hq, &ref, NULL), 0);
    assert_false(speaks(hq, &ref));
    pause_office(hq, "KEN", false);
    live_on(60000);
    assert_int_equal(requests_by("HQ", ken, &ref, NULL), 1);
    assert_false(speaks(ken, &ref) || speaks(hq, &ref));
    assert_true(hidden_at(ken) > 0);            /* one office with the right only hides */
}

/* More than one tick looks at; and over a start in the middle. */
static void many_at_once(void **state)
{
    (void)state;
    static struct focal_ref refs[MANY];
    for (int i = 0; i < MANY; i++)
        refs[i] = a_case(ken);
    live_on(2000);
    copy = copy_of(ken);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(redact(ken, &refs[i], false), FOCAL_OK);
    live_on(1000);
    cut(&all.lines[0], FOCAL_UNREACHABLE);
    focal_node_close(copy->node);
    place_open(copy);
    live_on(20000);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(requests(copy, &refs[i], NULL), 1);
        assert_false(speaks(copy, &refs[i]));
    }
    assert_int_equal(hidden_at(copy), hidden_at(ken));
    assert_true(hidden_at(copy) > 0);           /* twenty a day are erased by one office alone */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(what_one_redacts_the_other_redacts), T(an_old_backup_redacts_again), T(an_agreement_is_not_followed),
        T(a_notice_that_was_lost_is_written_again), T(a_part_that_comes_later), T(many_at_once) };
    return cmocka_run_group_tests_name("node follow", tests, NULL, NULL);
}
