/* Redaction as people ask for it: whole records and single fields, by whom it may be, and what of the rest stays as it was. */
#include "places.h"

static struct place *hq, *ken, *near, *ssd;     /* near: a second office of Kenya */

enum { EDITS_TOO_MANY = 257 };

static void ease(void)
{
    for (int i = 0; i < 12; i++) {
        pass(1000);
        for (size_t k = 1; k < all.count; k++)
            while (all.places[k].dial_count)
                (void)answer_dial(&all.places[k], hq);
        run();
    }
}

static int set_up(void **state)
{
    (void)state;
    hq = hq_make(true);
    ken = member_make("KEN");
    near = member_make("NEAR");
    ssd = member_make("SSD");
    recertify(hq, 2, true, FOCAL_RIGHT_REDACT);
    recertify(ken, 2, true, 0);
    recertify(near, 2, true, 0);
    recertify(ssd, 2, false, 0);
    ease();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    all_close();
    return 0;
}

/* ---- looking ---- */

static bool is_shown(struct place *p, const struct focal_ref *ref)
{
    struct focal_record_view view;
    if (focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view) != FOCAL_OK)
        return false;
    bool shown = view.record.kind != NULL;
    focal_record_view_close(&view);
    return shown;
}

/* Kind, home and every value of a record but those of one field, as text. */
static void put_values(struct place *p, const struct focal_ref *ref, const char *but, struct focal_buf *out)
{
    struct focal_record_view view;
    char home[65];
    focal_buf_init(out, 1 << 16);
    assert_int_equal(focal_oplog_record(focal_node_oplog(p->node), NULL, ref, &view), FOCAL_OK);
    const struct focal_record *r = &view.record;
    assert_non_null(r->kind);
    assert_true(r->home_set);
    focal_hex(home, r->home.b, 32);
    focal_buf_printf(out, "%s %s", r->kind->name, home);
    for (size_t i = 0; i < r->slot_count; i++) {
        if (but && strcmp(r->slots[i].field->name, but) == 0)
            continue;
        for (size_t k = 0; k < r->slots[i].value_count; k++) {
            focal_buf_printf(out, " %s=", r->slots[i].field->name);
            focal_value_print(out, r->slots[i].field, r->slots[i].values[k].value);
        }
    }
    assert_non_null(strstr(focal_buf_cstr(out), "country=KEN"));
    focal_record_view_close(&view);
}

static uint64_t hidden_at(struct place *p)
{
    uint64_t count;
    assert_int_equal(focal_oplog_hidden_count(focal_node_oplog(p->node), &count), FOCAL_OK);
    return count;
}

static void all_equal(void)
{
    uint64_t first = 0, digest, rows;
    ease();
    for (size_t i = 0; i < all.count; i++) {
        struct focal_verify *v;
        enum focal_status st = focal_verify_open(&v, focal_node_oplog(all.places[i].node));
        assert_int_equal(st, FOCAL_OK);
        while ((st = focal_verify_slice(v, 1000)) == FOCAL_MORE)
            continue;
        assert_int_equal(st, FOCAL_OK);
        if (focal_verify_error_count(v))
            fail_msg("%s: %s", all.places[i].code, focal_verify_error(v, 0));
        focal_verify_close(v);
        assert_false(focal_oplog_scrub_due(focal_node_oplog(all.places[i].node)));
        if (&all.places[i] == ssd)      /* sees less */
            continue;
        assert_int_equal(focal_shelf_digest(all.places[i].store, FOCAL_SHELF_PART, &digest, &rows), FOCAL_OK);
        if (i == 0)
            first = digest;
        assert_int_equal(digest, first);
    }
}

/* ---- doing ---- */

static void edit(struct place *p, struct focal_ref *ref, const char *field, const char *value, const char *other, const char *other_value)
{
    const char *const pairs[][2] = { { field, value }, { other, other_value } };
    struct focal_change c;
    assert_int_equal(set_text(p, ref, false, pairs, other ? 2 : 1, &c), FOCAL_OK);
    if (c.status != FOCAL_OK)
        fail_msg("edit: %s", c.error.message);
}

/* A case with values in both its parts, edited by headquarters in both, and held by all. */
static struct focal_ref a_case(void)
{
    static const char *const pairs[][2] = { { "country", "KEN" }, { "allegation_type", "other" }, { "received_date", "2018-05-03" },
                                            { "received_quarter", "2018-Q2" }, { "outcome", "pending" } };
    struct focal_ref ref;
    struct focal_change c;
    assert_int_equal(set_text(ken, &ref, true, pairs, 5, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_OK);
    ease();
    edit(hq, &ref, "status", "received", "interim_action", "none");
    ease();
    for (size_t i = 0; i < all.count; i++)
        assert_true(is_shown(&all.places[i], &ref));
    return ref;
}

static enum focal_status redact(struct place *p, const struct focal_ref *ref, const char *field, struct focal_redact_order *o)
{
    *o = (struct focal_redact_order){ .record = *ref, .reason = 2, .day = DAY };
    if (field)
        o->field = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), field);
    assert_int_equal(!field, !o->field);
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = o;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    assert_true(o->status == FOCAL_OK || o->error.message[0]);
    return o->status;
}

static enum focal_status agree(struct place *p, const struct focal_ref *ref, struct focal_redact_order *o)
{
    *o = (struct focal_redact_order){ .record = *ref, .agree = true, .reason = 2, .day = DAY };
    struct focal_node_event e = { .type = FOCAL_EVENT_REDACT };
    e.is.redact = o;
    assert_int_equal(step_with(p, &e), FOCAL_OK);
    return o->status;
}

static void segments_of(struct place *p, uint64_t *digest)
{
    uint64_t rows;
    assert_int_equal(focal_shelf_digest(p->store, FOCAL_SHELF_SEGMENT, digest, &rows), FOCAL_OK);
}

static void refused_whole(struct place *p, const struct focal_ref *ref, const char *field, enum focal_status want)
{
    struct focal_redact_order o;
    uint64_t before, after;
    segments_of(p, &before);
    assert_int_equal(redact(p, ref, field, &o), want);
    segments_of(p, &after);
    assert_int_equal(before, after);
    assert_int_equal(o.notice_count, 0);
    assert_true(is_shown(p, ref));
}

/* ---- records ---- */

static void a_record_by_its_creator(void **state)
{
    (void)state;
    struct focal_ref ref = a_case(), kept = a_case();
    struct focal_redact_order o;
    struct focal_office office = { "HQ" };
    assert_int_equal(redact(ken, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    assert_false(o.part_left);
    assert_false(is_shown(ken, &ref));
    assert_int_equal(focal_node_seen(ken->node, &office, &o.notices[0]), 0);
    all_equal();
    for (size_t i = 0; i < all.count; i++) {
        assert_false(is_shown(&all.places[i], &ref));
        assert_true(is_shown(&all.places[i], &kept));
        assert_int_equal(hidden_at(&all.places[i]), 0);
    }
    for (size_t i = 0; i < o.notice_count; i++)
        assert_int_equal(focal_node_seen(ken->node, &office, &o.notices[i]), 1);
    /* Headquarters hears what of its own is gone, until it has looked. */
    uint64_t count, seen;
    focal_node_refused(hq->node, &count, &seen);
    assert_int_equal(count, 2);
    assert_int_equal(seen, 0);
    assert_int_equal(answer_to(hq, (struct focal_node_event){ .type = FOCAL_EVENT_REFUSED_SEEN }), FOCAL_OK);
    focal_node_refused(hq->node, &count, &seen);
    assert_int_equal(seen, 2);
}

/* One office with the right hides; the creator's own request completes it, in every scope, though nothing is left to see there. */
static void a_record_by_headquarters(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    struct focal_entry_look look;
    struct focal_buf key;
    assert_int_equal(redact(hq, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    all_equal();
    for (size_t i = 0; i < all.count; i++)
        assert_false(is_shown(&all.places[i], &ref));
    assert_true(hidden_at(ken) > 0 && hidden_at(near) > 0 && hidden_at(ssd) > 0);
    focal_buf_init(&key, FOCAL_STORE_KEY_MAX);
    for (uint64_t i = 0; i < hidden_at(ken); i++) {
        assert_int_equal(focal_node_next_hidden(ken->node, &key, &look), FOCAL_OK);
        assert_int_equal(focal_ref_compare(&look.record, &ref), 0);
    }
    assert_int_equal(focal_node_next_hidden(ken->node, &key, &look), FOCAL_NOT_FOUND);
    focal_buf_close(&key);
    assert_int_equal(focal_node_look(ken->node, &o.notices[0], &look), FOCAL_OK);
    assert_int_equal(look.reason, 2);
    assert_int_equal(redact(ken, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    all_equal();
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(hidden_at(&all.places[i]), 0);
}

static void by_an_office_without(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    refused_whole(ssd, &ref, NULL, FOCAL_DENIED);
    refused_whole(near, &ref, NULL, FOCAL_DENIED);
    refused_whole(ssd, &ref, "status", FOCAL_DENIED);
    refused_whole(ken, &ref, "channel", FOCAL_NOT_FOUND);
    assert_int_equal(agree(near, &ref, &o), FOCAL_NOT_FOUND);
    struct focal_ref none = ref;
    none.log.b[0] ^= 1;
    assert_int_equal(redact(ken, &none, NULL, &o), FOCAL_NOT_FOUND);
}

/* Headquarters has the country's membership, and nothing of the country yet: the part is redacted when it comes. */
static void a_part_that_is_not_here_yet(void **state)
{
    (void)state;
    recertify(hq, 3, false, FOCAL_RIGHT_REDACT);
    static const char *const pairs[][2] = { { "country", "KEN" }, { "received_date", "2018-05-03" } };
    struct focal_ref ref;
    struct focal_change c;
    struct focal_redact_order o;
    assert_int_equal(set_text(ken, &ref, true, pairs, 2, &c), FOCAL_OK);
    ease();
    for (size_t i = 0; i < LINES; i++)
        cut(&all.lines[i], FOCAL_UNREACHABLE);
    recertify(hq, 4, true, FOCAL_RIGHT_REDACT);
    assert_int_equal(redact(hq, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    assert_false(o.part_left);
    all_equal();
    assert_false(is_shown(ken, &ref));
    assert_int_equal(hidden_at(ken), 2);
}

/* Who does not write in the country says that something is left. */
static void a_part_is_left(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    recertify(ssd, 3, false, FOCAL_RIGHT_REDACT);
    assert_int_equal(redact(ssd, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 1);
    assert_true(o.part_left);
    all_equal();
    assert_false(is_shown(ken, &ref));
    assert_int_equal(redact(ken, &ref, NULL, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    all_equal();
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(hidden_at(&all.places[i]), 0);
}

/* Redacted in the country alone. A change of both parts then is refused whole: nothing of it is written, and nobody's daemon
 * stops over it. */
static void a_change_of_a_part_that_is_gone(void **state)
{
    static const struct focal_scope kenya = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" };
    static const char *const both[][2] = { { "status", "substantiated" }, { "interim_action", "none" } };
    (void)state;
    struct focal_ref ref = a_case(), notice;
    struct focal_change c;
    struct focal_error err;
    struct focal_oplog *ol = focal_node_oplog(hq->node);
    const struct focal_redact r = { .scope = kenya, .records = &ref, .record_count = 1, .reason = 2, .day = DAY };
    assert_int_equal(focal_store_begin(hq->store), FOCAL_OK);
    assert_int_equal(focal_oplog_redact(ol, &r, &notice, &err), FOCAL_OK);
    assert_int_equal(focal_oplog_seal(ol), FOCAL_OK);
    assert_int_equal(focal_store_commit(hq->store), FOCAL_OK);
    focal_oplog_committed(ol);
    all_equal();
    uint64_t before, after;
    segments_of(ken, &before);
    assert_int_equal(set_text(ken, &ref, false, both, 2, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_NO_LONGER);
    assert_non_null(strstr(c.error.message, "redacted"));
    segments_of(ken, &after);
    assert_int_equal(before, after);
    assert_int_equal(set_text(ken, &ref, false, both, 1, &c), FOCAL_OK);
    assert_int_equal(c.status, FOCAL_OK);
    all_equal();
}

/* Who redacts is no neighbour of all who confirm. */
static void confirmed_at_once_beyond_neighbours(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    assert_int_equal(redact(ken, &ref, NULL, &o), FOCAL_OK);
    ease();
    for (size_t i = 0; i < all.count; i++) {
        struct focal_office office;
        focal_node_office(all.places[i].node, &office);
        for (size_t k = 0; k < all.count; k++)
            if (focal_node_confirmed(all.places[k].node, &office, &o.notices[0]) != 1)
                fail_msg("%s does not know that %s has confirmed", all.places[k].code, all.places[i].code);
    }
}

/* ---- fields ---- */

static void others_stay(struct place *by, const struct focal_ref *ref, const char *field, size_t entries)
{
    struct focal_redact_order o;
    struct focal_buf before[PLACES], after;
    for (size_t i = 0; i < all.count; i++)
        put_values(&all.places[i], ref, field, &before[i]);
    enum focal_status st = redact(by, ref, field, &o);
    if (st != FOCAL_OK)
        fail_msg("redact %s: %s", field, o.error.message);
    assert_int_equal(o.notice_count, 1);
    assert_int_equal(o.entry_count, entries);
    all_equal();
    for (size_t i = 0; i < all.count; i++) {
        put_values(&all.places[i], ref, NULL, &after);
        assert_string_equal(focal_buf_cstr(&before[i]), focal_buf_cstr(&after));
        focal_buf_close(&after);
        focal_buf_close(&before[i]);
    }
}

/* In the creating entry, in the network part and in the country part. */
static void a_field_by_the_creator(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    others_stay(ken, &ref, "allegation_type", 1);
    others_stay(ken, &ref, "outcome", 1);
    others_stay(ken, &ref, "status", 1);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(hidden_at(&all.places[i]), 0);
}

/* Headquarters hides what Kenya wrote; Kenya, which can find no field there any more, asks as well, and it is erased. */
static void a_field_by_headquarters(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    struct focal_redact_order o;
    refused_whole(hq, &ref, "allegation_type", FOCAL_DENIED);       /* it stands where the record was created */
    edit(ken, &ref, "channel", "hotline", "entity_class", "ngo");
    edit(ken, &ref, "paternity_claim", "raised", "outcome", "dismissed");
    ease();
    others_stay(hq, &ref, "channel", 1);
    others_stay(hq, &ref, "paternity_claim", 1);
    assert_int_equal(hidden_at(ken), 2);
    assert_int_equal(hidden_at(ssd), 1);
    assert_int_equal(agree(ken, &ref, &o), FOCAL_OK);
    assert_int_equal(o.notice_count, 2);
    assert_int_equal(o.entry_count, 2);
    all_equal();
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(hidden_at(&all.places[i]), 0);
    assert_int_equal(agree(ken, &ref, &o), FOCAL_NOT_FOUND);
}

/* Both wrote the field, each with another one beside it; and at once, so that there are two versions. */
static void edited_by_two(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    edit(ken, &ref, "channel", "hotline", "entity_class", "ngo");
    edit(hq, &ref, "channel", "digital", "incident_period", "2017");
    edit(near, &ref, "outcome", "dismissed", NULL, NULL);
    ease();
    others_stay(ken, &ref, "channel", 2);
    others_stay(ken, &ref, "outcome", 2);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(hidden_at(&all.places[i]), 0);
}

static void set_too_often(void **state)
{
    (void)state;
    struct focal_ref ref = a_case();
    for (int i = 0; i < EDITS_TOO_MANY; i++)
        edit(ken, &ref, "channel", i % 2 ? "hotline" : "digital", NULL, NULL);
    refused_whole(ken, &ref, "channel", FOCAL_TOO_BIG);
    struct focal_redact_order o;
    assert_int_equal(redact(ken, &ref, NULL, &o), FOCAL_OK);
    all_equal();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(a_record_by_its_creator), T(a_record_by_headquarters), T(by_an_office_without), T(a_part_that_is_not_here_yet), T(a_part_is_left),
        T(a_change_of_a_part_that_is_gone), T(confirmed_at_once_beyond_neighbours),
        T(a_field_by_the_creator), T(a_field_by_headquarters), T(edited_by_two), T(set_too_often) };
    return cmocka_run_group_tests_name("node redact", tests, NULL, NULL);
}
