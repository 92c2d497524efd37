/* Withdrawn records: which count as such, and which are not what their withdrawal saw. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"

#include <string.h>

struct parts { struct focal_part widest, home; };

static int begin(void **state)
{
    static struct parts parts;
    focal_part_init(&parts.widest);
    focal_part_init(&parts.home);
    *state = &parts;
    return 0;
}

static int end(void **state)
{
    struct parts *p = *state;
    focal_part_close(&p->widest);
    focal_part_close(&p->home);
    return 0;
}

static uint64_t number(const char *name)
{
    return focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), name)->number;
}

static struct made_entry entry(uint8_t log, uint8_t seq)
{
    return (struct made_entry){ .log = log, .seq = seq, .name = seq, .kind = FOCAL_KIND_CASE };
}

static void add(struct focal_part *part, struct made_entry *e)
{
    struct made_bytes bytes;
    made_entry_bytes(&bytes, e);
    assert_int_equal(focal_part_add(part, &bytes.contribution), FOCAL_OK);
    made_bytes_close(&bytes);
}

static void add_one(struct focal_part *part, uint8_t log, uint8_t seq, uint64_t field, const void *bytes, size_t len)
{
    struct made_entry e = entry(log, seq);
    made_value_add(&e, field, bytes, len);
    add(part, &e);
}

static void create(struct parts *p)
{
    struct made_entry e = entry(1, 1);
    e.creates = e.has_home = true;
    e.home = 7;
    made_value_add(&e, number("status"), "\x02", 1);
    made_value_add(&e, number("victims"), "\x02\x03", 2);
    made_value_add(&e, number("victims"), "\x02\x03", 2);
    add(&p->widest, &e);
    add_one(&p->home, 1, 2, number("elapsed"), "\x02", 1);
}

static struct focal_record opened(struct parts *p, bool reads_home)
{
    struct focal_record r;
    struct focal_ref ref = made_ref(1, 1, 1);
    assert_int_equal(focal_record_open(&r, &ref, &p->widest, reads_home ? &p->home : NULL, reads_home, NULL), FOCAL_OK);
    return r;
}

static enum focal_withdrawal state_of(struct parts *p, bool reads_home)
{
    struct focal_record r = opened(p, reads_home);
    enum focal_withdrawal is = focal_record_withdrawal(&r);
    assert_int_equal(is == FOCAL_WITHDRAWAL_NONE, focal_record_withdrawn_by(&r) == NULL);
    focal_record_close(&r);
    return is;
}

/* As the command writes it: with the country part, or by an office that does not see that. */
static void withdraw(struct parts *p, uint8_t log, uint8_t seq, uint8_t code, bool country)
{
    uint8_t saw[FOCAL_SAW_BYTES];
    struct focal_record r = opened(p, country);
    struct made_entry e = entry(log, seq);
    made_value_add(&e, FOCAL_CASE_WITHDRAWN, &code, 1);
    focal_record_saw(&r, false, saw);
    made_value_add(&e, country ? FOCAL_CASE_SAW : FOCAL_CASE_SAW_NETWORK, saw, sizeof saw);
    focal_record_saw(&r, true, saw);
    focal_record_close(&r);
    add(&p->widest, &e);
    if (country)
        add_one(&p->home, log, seq, FOCAL_CASE_SAW_COUNTRY, saw, sizeof saw);
}

static void test_as_seen(void **state)
{
    struct parts *p = *state;
    create(p);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_NONE);
    assert_false(focal_part_two_versions(&p->widest));
    withdraw(p, 1, 3, 3, true);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_AS_SEEN);
    assert_int_equal(state_of(p, false), FOCAL_WITHDRAWAL_AS_SEEN);
    assert_false(focal_part_two_versions(&p->widest));
    assert_false(focal_part_two_versions(&p->home));
    struct focal_record r = opened(p, true);
    assert_int_equal(focal_record_withdrawn_by(&r)->value.data[0], 3);
    focal_record_close(&r);
}

/* Each kind of edit makes another sum, in the part in which it is. */
static void test_edits_of_the_wide_part(void **state)
{
    struct parts *p = *state;
    struct made_entry edits[5];
    for (size_t i = 0; i < 5; i++)
        edits[i] = entry(2, (uint8_t)(10 + i));
    made_value_add(&edits[0], number("status"), "\x05", 1);            /* a second version */
    made_value_add(&edits[1], number("channel"), "\x02", 1);           /* a field that was not there */
    made_replace(&edits[2], 1, 1, 1, 2);                                /* a status cleared */
    made_value_add(&edits[3], number("victims"), "\x02\x03", 2);       /* one more row like the others */
    made_replace(&edits[4], 1, 1, 1, 0);                                /* one of two equal rows taken off */
    for (size_t i = 0; i < 5; i++) {
        focal_part_clear(&p->widest);
        focal_part_clear(&p->home);
        create(p);
        withdraw(p, 1, 3, 3, true);
        add(&p->widest, &edits[i]);
        assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_CHANGED);
        assert_int_equal(state_of(p, false), FOCAL_WITHDRAWAL_CHANGED);
        assert_true(focal_part_two_versions(&p->widest));
        assert_false(focal_part_two_versions(&p->home));
    }
}

static void test_edits_of_the_country_part(void **state)
{
    struct parts *p = *state;
    for (int cleared = 0; cleared < 2; cleared++) {
        focal_part_clear(&p->widest);
        focal_part_clear(&p->home);
        create(p);
        withdraw(p, 1, 3, 3, true);
        struct made_entry e = entry(2, 9);
        made_replace(&e, 1, 2, 2, 0);
        if (!cleared)
            made_value_add(&e, number("elapsed"), "\x03", 1);
        add(&p->home, &e);
        assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_CHANGED);
        assert_int_equal(state_of(p, false), FOCAL_WITHDRAWAL_AS_SEEN);        /* as far as they can tell */
        assert_false(focal_part_two_versions(&p->widest));
        assert_true(focal_part_two_versions(&p->home));
    }
}

/* Two offices at once, one of which had seen an edit more: what either saw was seen. */
static void test_two_withdrawals(void **state)
{
    struct parts *p = *state;
    create(p);
    withdraw(p, 1, 3, 2, true);
    add_one(&p->widest, 2, 9, number("channel"), "\x02", 1);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_CHANGED);
    withdraw(p, 2, 10, 4, true);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_AS_SEEN);
    assert_true(focal_part_two_versions(&p->widest));                   /* of the reason */
    struct focal_record r = opened(p, true);
    assert_int_equal(r.two_versions, 1);                                /* and of nothing that programs write */
    assert_int_equal(focal_record_withdrawn_by(&r)->value.data[0], 4);  /* the person's wish before an office's finding */
    focal_record_close(&r);
}

static void test_restored(void **state)
{
    struct parts *p = *state;
    uint8_t restored = FOCAL_CODE_RESTORED;
    create(p);
    withdraw(p, 1, 3, 3, true);
    add_one(&p->widest, 2, 9, FOCAL_CASE_WITHDRAWN, &restored, 1);      /* without knowing of the withdrawal */
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_AS_SEEN);
    struct focal_record r = opened(p, true);
    assert_int_equal(focal_record_slot(&r, FOCAL_CASE_WITHDRAWN, focal_span_of("", 0))->distinct, 2);
    assert_int_equal(focal_record_withdrawn_by(&r)->value.data[0], 3);
    focal_record_close(&r);
    struct made_entry e = entry(3, 12);                                 /* a person ends it */
    made_value_add(&e, FOCAL_CASE_WITHDRAWN, &restored, 1);
    made_replace(&e, 1, 3, 3, 0);
    made_replace(&e, 2, 9, 9, 0);
    add(&p->widest, &e);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_NONE);
    assert_false(focal_part_two_versions(&p->widest));
    add_one(&p->widest, 2, 13, number("channel"), "\x02", 1);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_NONE);
    assert_false(focal_part_two_versions(&p->widest));
    add_one(&p->widest, 2, 14, FOCAL_CASE_WITHDRAWN, "\x63", 1);        /* a reason of a newer program is one, too */
    assert_int_not_equal(state_of(p, true), FOCAL_WITHDRAWAL_NONE);
}

static void test_by_an_office_that_sees_less(void **state)
{
    struct parts *p = *state;
    create(p);
    withdraw(p, 9, 3, 3, false);
    assert_int_equal(state_of(p, false), FOCAL_WITHDRAWAL_AS_SEEN);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_UNSEEN);
    assert_true(focal_part_two_versions(&p->widest));                   /* the reader of both parts is told */
    add_one(&p->widest, 2, 9, number("channel"), "\x02", 1);
    assert_int_equal(state_of(p, false), FOCAL_WITHDRAWAL_CHANGED);
    assert_int_equal(state_of(p, true), FOCAL_WITHDRAWAL_CHANGED);
}

/* The digest is kept in entries for ever, so it may never come out otherwise. */
static void test_digest(void **state)
{
    struct parts *p = *state;
    uint8_t saw[FOCAL_SAW_BYTES];
    static const uint8_t nothing[FOCAL_SAW_BYTES] = { 0 };
    struct focal_record r = opened(p, true);
    focal_record_saw(&r, false, saw);
    assert_memory_equal(saw, nothing, sizeof saw);
    focal_record_close(&r);
    create(p);
    add_one(&p->widest, 2, 9, number("same_as"), "0123456789abcdef", 16);
    r = opened(p, true);
    focal_record_saw(&r, false, saw);
    assert_memory_equal(saw, "\x7E\x3C\x27\xB7\x99\xB5\x9D\x93", sizeof saw);
    focal_record_saw(&r, true, saw);
    assert_memory_equal(saw, "\x90\xFD\x35\x1C\xE5\xE5\x1B\x60", sizeof saw);
    focal_record_close(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_as_seen),
        TEST(test_edits_of_the_wide_part),
        TEST(test_edits_of_the_country_part),
        TEST(test_two_withdrawals),
        TEST(test_restored),
        TEST(test_by_an_office_that_sees_less),
        TEST(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
