/* A record as people see it: slots of both parts, what is complete, what needs a newer program. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"

#include <string.h>

static const struct focal_key *key_of(void *data, const struct focal_id *log)
{
    (void)data;
    static struct focal_key keys[256];
    memset(keys[log->b[0]].b, log->b[0], sizeof keys[0].b);
    return &keys[log->b[0]];
}

/* Logs 1 and 3 are of one office. */
static bool same_office(void *data, const struct focal_id *log, const struct focal_id *creating_log)
{
    (void)data;
    return log->b[0] % 2 == creating_log->b[0] % 2;
}

static const struct focal_authors authors = { .of_log = key_of, .same_office = same_office };

struct parts { struct focal_part widest, home; struct focal_record record; };

static int begin(void **state)
{
    static struct parts parts;
    parts = (struct parts){ 0 };
    focal_part_init(&parts.widest);
    focal_part_init(&parts.home);
    *state = &parts;
    return 0;
}

static int end(void **state)
{
    struct parts *p = *state;
    focal_record_close(&p->record);
    focal_part_close(&p->widest);
    focal_part_close(&p->home);
    return 0;
}

static uint64_t number(const char *name)
{
    const struct focal_field *field = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), name);
    assert_non_null(field);
    return field->number;
}

static void add(struct focal_part *part, struct made_entry *e)
{
    struct made_bytes bytes;
    made_entry_bytes(&bytes, e);
    assert_int_equal(focal_part_add(part, &bytes.contribution), FOCAL_OK);
    made_bytes_close(&bytes);
}

static void add_one(struct focal_part *part, uint8_t log, uint8_t seq, uint64_t field, const char *bytes, size_t len)
{
    struct made_entry e = { .log = log, .seq = seq, .name = seq, .kind = FOCAL_KIND_CASE };
    made_value_add(&e, field, bytes, len);
    add(part, &e);
}

static void add_creation(struct focal_part *part, uint64_t kind, bool has_home, uint8_t home)
{
    struct made_entry e = { .log = 1, .seq = 1, .name = 1, .creates = true, .kind = kind, .has_home = has_home, .home = home };
    made_value_add(&e, number("status"), "\x02", 1);
    made_value_add(&e, number("country"), "KEN", 3);
    made_value_add(&e, number("victims"), "\x02\x03", 2);
    made_value_add(&e, number("victims"), "\x02\x03", 2);
    add(part, &e);
}

static struct focal_record *open_record(struct parts *p, const struct focal_part *home, bool reads_home)
{
    focal_record_close(&p->record);
    struct focal_ref ref = made_ref(1, 1, 1);
    assert_int_equal(focal_record_open(&p->record, &ref, &p->widest, home, reads_home, &authors), FOCAL_OK);
    return &p->record;
}

static const struct focal_slot *slot(const struct focal_record *r, const char *name)
{
    return focal_record_slot(r, number(name), focal_span_of("", 0));
}

static void test_slots_in_schema_order(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    add_one(&p->home, 1, 2, number("assistance"), "\x01\x03\x02", 3);
    add_one(&p->home, 1, 3, number("assistance"), "\x01\x02\x02", 3);
    add_one(&p->home, 1, 4, number("elapsed"), "\x02", 1);
    add_one(&p->widest, 1, 5, FOCAL_FIELD(5000, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET), "?", 1);
    const struct focal_record *r = open_record(p, &p->home, true);
    assert_int_equal(r->slot_count, 7);
    static const char *const names[] = { "country", "elapsed", "victims", "status", "assistance", "assistance", NULL };
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(r->slots[i].field->name, names[i]);
    assert_null(r->slots[6].field);
    assert_int_equal(r->slots[6].number, FOCAL_FIELD(5000, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_SET));
    assert_memory_equal(r->slots[4].key.data, "\x02", 1);
    assert_int_equal(r->slots[2].value_count, 2);
    assert_int_equal(r->slots[2].distinct, 1);
    assert_int_equal(r->slots[2].values[0].ordinal + 1, r->slots[2].values[1].ordinal);
    assert_int_equal(r->live_count, 8);
    assert_ptr_equal(focal_record_slot(r, number("assistance"), focal_span_of("\x03", 1)), &r->slots[5]);
    assert_null(focal_record_slot(r, number("assistance"), focal_span_of("\x04", 1)));
    assert_null(slot(r, "channel"));
    assert_true(r->complete);
    assert_true(r->home_set);
    assert_int_equal(r->home.b[0], 7);
    assert_int_equal(r->kind_number, FOCAL_KIND_CASE);
    assert_int_equal(r->two_versions, 0);
}

static void test_two_versions(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    add_one(&p->widest, 3, 1, number("channel"), "\x09", 1);
    add_one(&p->widest, 2, 2, number("channel"), "\x02", 1);
    add_one(&p->widest, 4, 3, number("channel"), "\x09", 1);
    add_one(&p->widest, 2, 4, number("country"), "KEN", 3);
    add_one(&p->home, 2, 5, number("consent"), "\x02\x02\x02\x02\x02", 5);
    add_one(&p->home, 3, 6, number("consent"), "\x02\x02\x02\x04\x02", 5);
    add_one(&p->home, 3, 7, number("consent"), "\x02\x03\x02\x02\x02", 5);
    const struct focal_record *r = open_record(p, &p->home, true);
    assert_int_equal(r->two_versions, 2);
    const struct focal_slot *s = slot(r, "channel");
    assert_true(s->two_versions);
    assert_int_equal(s->value_count, 3);
    assert_int_equal(s->distinct, 2);
    assert_int_equal(s->values[0].value.data[0], 2);            /* hotline stands before media in the table */
    assert_int_equal(s->values[1].ref.log.b[0], 3);             /* then author key */
    s = slot(r, "country");
    assert_false(s->two_versions);
    assert_int_equal(s->value_count, 2);
    s = focal_record_slot(r, number("consent"), focal_span_of("\x02\x02", 2));
    assert_true(s->two_versions);
    assert_int_equal(s->values[0].value.data[3], 4);            /* withdrawn counts */
    assert_false(focal_record_slot(r, number("consent"), focal_span_of("\x03\x02", 2))->two_versions);
    assert_false(r->needs_newer);
}

static void test_rows_of_two_offices(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    const struct focal_record *r = open_record(p, NULL, true);
    assert_false(slot(r, "victims")->rows_concurrent);
    add_one(&p->widest, 2, 1, number("victims"), "\x03\x03", 2);
    r = open_record(p, NULL, true);
    assert_true(slot(r, "victims")->rows_concurrent);
    assert_false(slot(r, "victims")->two_versions);
    assert_int_equal(r->two_versions, 0);
}

static void test_complete(void **state)
{
    struct parts *p = *state;
    add_one(&p->widest, 2, 1, number("channel"), "\x02", 1);
    assert_false(open_record(p, NULL, false)->complete);        /* the creation is not here */
    assert_null(p->record.kind);
    assert_false(p->record.needs_newer);
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    assert_true(open_record(p, NULL, false)->complete);         /* not ours to read */
    assert_false(open_record(p, NULL, true)->complete);         /* part not yet here */
    assert_true(open_record(p, &p->home, true)->complete);          /* here, and empty */
    add_one(&p->home, 1, 4, number("elapsed"), "\x02", 1);
    assert_true(open_record(p, &p->home, true)->complete);
    struct focal_ref other = made_ref(1, 1, 2);                 /* the creation of another record is none of ours */
    struct focal_record r;
    assert_int_equal(focal_record_open(&r, &other, &p->widest, NULL, false, NULL), FOCAL_OK);
    assert_false(r.complete);
    focal_record_close(&r);
}

/* A field of the creating entry was redacted, after its office wrote the rest again. */
static void test_creation_redacted(void **state)
{
    struct parts *p = *state;
    struct made_entry e = { .log = 1, .seq = 1, .name = 1, .creates = true, .stripped = true, .kind = FOCAL_KIND_CASE };
    add(&p->widest, &e);
    add_one(&p->home, 1, 2, number("elapsed"), "\x02", 1);
    const struct focal_record *r = open_record(p, &p->home, true);
    assert_null(r->kind);                                       /* the whole record, for all that is said */
    assert_false(r->complete);
    e = (struct made_entry){ .log = 2, .seq = 2, .name = 3, .kind = FOCAL_KIND_ENTITY, .has_home = true, .home = 8 };
    add(&p->widest, &e);
    assert_null(open_record(p, &p->home, true)->kind);          /* another office cannot say it */
    e = (struct made_entry){ .log = 3, .seq = 2, .name = 4, .kind = FOCAL_KIND_CASE, .has_home = true, .home = 7 };
    made_value_add(&e, number("status"), "\x02", 1);
    add(&p->widest, &e);
    r = open_record(p, &p->home, true);
    assert_int_equal(r->kind_number, FOCAL_KIND_CASE);
    assert_true(r->home_set);
    assert_int_equal(r->home.b[0], 7);
    assert_true(r->complete);
    assert_non_null(slot(r, "status"));
    assert_non_null(slot(r, "elapsed"));
    struct focal_ref ref = made_ref(1, 1, 1);
    struct focal_record blind;                                  /* nobody says whose logs these are */
    const struct focal_authors keys_only = { .of_log = key_of };
    assert_int_equal(focal_record_open(&blind, &ref, &p->widest, &p->home, true, &keys_only), FOCAL_OK);
    assert_null(blind.kind);
    focal_record_close(&blind);
}

static void test_no_home(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    add_one(&p->home, 1, 4, number("elapsed"), "\x02", 1);
    const struct focal_record *r = open_record(p, &p->home, true);
    assert_true(r->complete);
    assert_true(r->home_set);
    assert_null(slot(r, "elapsed"));
}

/* A field counts only in a scope of its class, so that every reader of a scope sees the same. */
static void test_scope_classes(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    add_one(&p->widest, 2, 2, number("elapsed"), "\x02", 1);
    add_one(&p->widest, 2, 3, number("feedback_preference"), "sealed", 6);
    add_one(&p->widest, 2, 4, FOCAL_FIELD(700, FOCAL_SCOPE_LOCAL, FOCAL_MERGE_REGISTER), "x", 1);
    add_one(&p->home, 2, 5, number("channel"), "\x02", 1);
    add_one(&p->home, 2, 6, number("elapsed"), "\x03", 1);
    const struct focal_record *r = open_record(p, &p->home, true);
    assert_null(slot(r, "channel"));
    assert_int_equal(slot(r, "elapsed")->value_count, 1);
    assert_int_equal(slot(r, "elapsed")->values[0].value.data[0], 3);
    assert_non_null(slot(r, "feedback_preference"));
    assert_null(focal_record_slot(r, FOCAL_FIELD(700, FOCAL_SCOPE_LOCAL, FOCAL_MERGE_REGISTER), focal_span_of("", 0)));
}

static void test_needs_newer(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    assert_false(open_record(p, NULL, true)->needs_newer);
    add_one(&p->widest, 2, 2, number("channel"), "\x32", 1);            /* a code */
    assert_true(open_record(p, NULL, true)->needs_newer);
    focal_part_clear(&p->widest);
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    add_one(&p->widest, 2, 2, FOCAL_FIELD(5000, FOCAL_SCOPE_NETWORK, FOCAL_MERGE_REGISTER), "\x02", 1);      /* a field */
    assert_true(open_record(p, NULL, true)->needs_newer);
    focal_part_clear(&p->widest);
    add_creation(&p->widest, 9999, true, 0);                            /* a kind */
    const struct focal_record *r = open_record(p, NULL, true);
    assert_true(r->needs_newer);
    assert_null(r->kind);
    assert_int_equal(r->kind_number, 9999);
    assert_int_equal(r->slot_count, 3);
    assert_true(r->complete);
    focal_part_clear(&p->widest);
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    struct made_entry e = { .log = 2, .seq = 4, .name = 4, .newer = true, .kind = FOCAL_KIND_CASE };   /* a header */
    made_value_add(&e, number("channel"), "\x02", 1);
    add(&p->widest, &e);
    assert_true(open_record(p, NULL, true)->needs_newer);
    focal_part_clear(&p->widest);
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 0);
    struct focal_contribution c = { .ref = made_ref(2, 4, 4), .h = made_hash(4, 0), .has_payload = true,     /* a payload */
        .header = focal_span_of("\x01\x04", 2), .payload = focal_span_of("\x10\x05\x01n\xC8\x0A\x01\x02", 8) };
    assert_int_equal(focal_part_add(&p->widest, &c), FOCAL_OK);
    assert_true(open_record(p, NULL, true)->needs_newer);
}

static void test_version_changes_with_either_part(void **state)
{
    struct parts *p = *state;
    uint8_t before[8];
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    memcpy(before, open_record(p, NULL, true)->version, 8);
    assert_memory_equal(open_record(p, &p->home, true)->version, before, 8);    /* no part and an empty one are the same */
    add_one(&p->home, 1, 4, number("elapsed"), "\x02", 1);
    assert_memory_not_equal(open_record(p, &p->home, true)->version, before, 8);
    memcpy(before, p->record.version, 8);
    add_one(&p->widest, 2, 2, number("channel"), "\x02", 1);
    assert_memory_not_equal(open_record(p, &p->home, true)->version, before, 8);
    memcpy(before, p->record.version, 8);
    struct made_entry e = { .log = 3, .seq = 3, .name = 3, .kind = FOCAL_KIND_CASE };   /* nothing to see, but replaced */
    made_replace(&e, 8, 8, 8, 8);
    add(&p->widest, &e);
    assert_memory_not_equal(open_record(p, &p->home, true)->version, before, 8);
    memcpy(before, p->record.version, 8);
    add(&p->widest, &e);
    assert_memory_equal(open_record(p, &p->home, true)->version, before, 8);
}

struct shortage { size_t left; };

static bool while_it_lasts(void *data, size_t bytes)
{
    (void)bytes;
    struct shortage *shortage = data;
    return shortage->left > 0 && shortage->left-- > 0;
}

static void test_no_memory(void **state)
{
    struct parts *p = *state;
    add_creation(&p->widest, FOCAL_KIND_CASE, true, 7);
    struct focal_ref ref = made_ref(1, 1, 1);
    size_t allowed = 0;
    enum focal_status status = FOCAL_NO_MEMORY;
    for (; status != FOCAL_OK; allowed++) {
        struct shortage shortage = { .left = allowed };
        struct focal_record r;
        focal_alloc_hook(while_it_lasts, &shortage);
        status = focal_record_open(&r, &ref, &p->widest, &p->home, true, &authors);
        focal_alloc_hook(NULL, NULL);
        assert_true(status == FOCAL_OK || status == FOCAL_NO_MEMORY);
        if (status == FOCAL_OK)
            focal_record_close(&r);
        else
            assert_null(r.slots);
    }
    assert_true(allowed > 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slots_in_schema_order),
        TEST(test_two_versions),
        TEST(test_rows_of_two_offices),
        TEST(test_complete),
        TEST(test_creation_redacted),
        TEST(test_no_home),
        TEST(test_scope_classes),
        TEST(test_needs_newer),
        TEST(test_version_changes_with_either_part),
        TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
