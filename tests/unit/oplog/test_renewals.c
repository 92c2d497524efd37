/* What renewals make of a certificate: a function of the set held, in any order, over restarts and rollbacks. */
#include "renewing.h"

enum { TO = 20400, OPENINGS = 400 };    /* as in offices.h */

static struct network n;
static struct office hq, ken, here;
static struct focal_sign_key key, other_key;

static int set_up(void **state)
{
    uint8_t seed[32];
    (void)state;
    network_make(&n);
    office_make(&hq, &n, "HQ", 1);
    office_make(&ken, &n, "KEN", 2);
    office_make(&here, &n, "SSD", 3);
    memset(seed, 5, sizeof seed);
    focal_sign_key_make(&key, seed);
    memset(seed, 6, sizeof seed);
    focal_sign_key_make(&other_key, seed);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&hq);
    office_close(&ken);
    office_close(&here);
    network_close(&n);
    return 0;
}

static void expect(uint32_t to, uint32_t openings)
{
    const struct focal_certificate *c = focal_oplog_certificate(here.ol, &ken.code);
    assert_non_null(c);
    assert_int_equal(c->to_day, to);
    assert_int_equal(c->openings_max, openings);
}

static void reopen(void)
{
    focal_oplog_close(here.ol);
    office_open(&here);
}

/* All statements, in every order: what comes of them is the same, also after a new start. */
enum { SET_MAX = 6 };
struct set { struct focal_buf list[SET_MAX]; size_t count; };

static struct focal_buf *next(struct set *s)
{
    assert_true(s->count < SET_MAX);
    return &s->list[s->count++];
}

static void hold_in_order(const struct set *s, const size_t *order, uint32_t to, uint32_t openings)
{
    focal_oplog_close(here.ol);
    focal_store_close(here.store);
    here.store = focal_fake_store_new();
    assert_non_null(here.store);
    assert_int_equal(focal_oplog_found(here.store, focal_buf_view(&n.genesis)), FOCAL_OK);
    office_open(&here);
    for (size_t i = 0; i < s->count; i++)
        hold(&here, &s->list[order[i]]);
    expect(to, openings);
    reopen();
    expect(to, openings);
}

static void permute(const struct set *s, size_t *order, size_t at, uint32_t to, uint32_t openings)
{
    if (at == s->count) {
        hold_in_order(s, order, to, openings);
        return;
    }
    for (size_t i = at; i < s->count; i++) {
        const size_t a = order[at], b = order[i];
        order[at] = b;
        order[i] = a;
        permute(s, order, at + 1, to, openings);
        order[at] = a;
        order[i] = b;
    }
}

static void comes_to(struct set *s, uint32_t to, uint32_t openings)
{
    size_t order[SET_MAX];
    for (size_t i = 0; i < s->count; i++)
        order[i] = i;
    permute(s, order, 0, to, openings);
    for (size_t i = 0; i < s->count; i++)
        focal_buf_close(&s->list[i]);
    s->count = 0;
}

static void certificate(struct set *s, const struct office *o, uint64_t number)
{
    struct focal_certificate c;
    certificate_for(&c, o, number);
    struct focal_buf *b = next(s);
    focal_buf_init(b, FOCAL_STATEMENT_MAX);
    certificate_sign(b, &n, &c);
}

static void by_the_authority(void **state)
{
    struct set s = { .count = 0 };
    (void)state;
    certificate(&s, &ken, 1);
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, NULL, NULL);
    renewal_sign(next(&s), &n, &ken.statement, 2, TO + 100, 500, NULL, NULL);      /* a later one takes nothing back */
    comes_to(&s, TO + 366, 800);

    /* One of a certificate that is not the highest any more: its openings stay, its day does not count. */
    certificate(&s, &ken, 1);
    certificate(&s, &ken, 2);
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, NULL, NULL);
    comes_to(&s, TO, OPENINGS);
    assert_int_equal(focal_oplog_renewal_number(here.ol, &ken.code), 1);
    assert_int_equal(focal_oplog_renewal_number(here.ol, &hq.code), 0);
}

static void by_a_key(void **state)
{
    struct set s = { .count = 0 };
    struct focal_buf given;
    (void)state;
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    certificate(&s, &ken, 1);
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 100000, &key, &given);
    comes_to(&s, TO + 366, OPENINGS + 800);     /* two years begun: no more openings than that */

    certificate(&s, &ken, 1);                   /* not beyond what the key may give */
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 701, 800, &key, &given);
    comes_to(&s, TO, 800);

    /* Taken away: the day counts no more, the openings stay, because entries may have been written by them. */
    for (int i = 0; i < 2; i++) {
        certificate(&s, &ken, 1);
        renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, &key, &given);
        if (i == 0)
            delegation_sign(next(&s), &n, "HQ", NULL, 2, 0);
        else
            delegation_sign(next(&s), &n, "HQ", &other_key, 2, TO + 1000);
        delegation_sign(next(&s), &n, "HQ", &key, 1, TO + 700);
        comes_to(&s, TO, 800);
    }
    /* The same key given anew, for longer: what it signed goes on to count. */
    certificate(&s, &ken, 1);
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, &key, &given);
    delegation_sign(next(&s), &n, "HQ", &key, 2, TO + 2000);
    comes_to(&s, TO + 366, 800);
    focal_buf_close(&given);
}

/* Nothing is put off for who was cut off, nor by who was. */
static void not_in_good_standing(void **state)
{
    struct set s = { .count = 0 };
    struct focal_buf given;
    (void)state;
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    for (int i = 0; i < 2; i++) {
        certificate(&s, &ken, 1);
        certificate(&s, &hq, 1);
        renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, &key, &given);
        cut_sign(next(&s), &n, i == 0 ? &ken : &hq);
        comes_to(&s, TO, 800);
    }
    focal_buf_close(&given);
}

static void rolled_back(void **state)
{
    struct focal_buf renewal;
    (void)state;
    hold(&here, &ken.statement);
    renewal_sign(&renewal, &n, &ken.statement, 1, TO + 366, 800, NULL, NULL);
    begin(&here);
    assert_int_equal(focal_oplog_add_statement(here.ol, focal_buf_view(&renewal)), FOCAL_OK);
    expect(TO + 366, 800);
    roll_back(&here);
    expect(TO, OPENINGS);
    hold(&here, &renewal);
    expect(TO + 366, 800);
    begin(&here);
    assert_int_equal(focal_oplog_add_statement(here.ol, focal_buf_view(&renewal)), FOCAL_EXISTS);
    roll_back(&here);
    expect(TO + 366, 800);
    focal_buf_close(&renewal);
}

/* An office that has used up its openings goes on with a renewal: its entries were not yet, never no. */
static void more_openings(void **state)
{
    struct focal_certificate c;
    struct focal_buf none, renewal;
    (void)state;
    certificate_for(&c, &ken, 1);
    c.openings_max = 0;
    focal_buf_init(&none, FOCAL_STATEMENT_MAX);
    certificate_sign(&none, &n, &c);
    hold(&here, &none);
    expect(TO, 0);
    renewal_sign(&renewal, &n, &none, 1, TO + 366, 400, NULL, NULL);
    hold(&here, &renewal);
    expect(TO + 366, 400);
    focal_buf_close(&renewal);
    focal_buf_close(&none);
}

/* Two delegations of one number give nobody anything: whoever holds one alone would be told otherwise by who holds both. */
static void two_of_one_number(void **state)
{
    struct set s = { .count = 0 };
    struct focal_buf given;
    (void)state;
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    certificate(&s, &ken, 1);
    renewal_sign(next(&s), &n, &ken.statement, 1, TO + 366, 800, &key, &given);
    delegation_sign(next(&s), &n, "HQ", &other_key, 1, TO + 700);
    delegation_sign(next(&s), &n, "HQ", &key, 1, TO + 700);
    comes_to(&s, TO, 800);
    focal_buf_close(&given);
}

/* ---- whatever fails ---- */

static uint64_t left;                   /* allocations until one fails; 0: none does */

static bool allow(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return left == 0 || --left > 0;
}

static enum focal_status in_a_transaction(const struct focal_buf *statement)
{
    enum focal_status st = focal_store_begin(here.store);
    if (st == FOCAL_OK)
        st = focal_oplog_add_statement(here.ol, focal_buf_view(statement));
    if (st == FOCAL_OK)
        st = focal_oplog_seal(here.ol);
    if (st == FOCAL_OK)
        st = focal_store_commit(here.store);
    if (st == FOCAL_OK)
        focal_oplog_committed(here.ol);
    return st;
}

/* The first, the second, ... allocation or write fails, until one attempt meets no failure: each leaves what was. */
static void goes_through(const struct focal_buf *statement, uint32_t was_to, uint32_t was_openings, uint32_t to, uint32_t openings)
{
    enum { ATTEMPTS_MAX = 200 };
    for (int memory = 0; memory < 2; memory++) {
        enum focal_status st = FOCAL_NO_MEMORY;
        struct focal_fake_image *before = focal_fake_store_backup(here.store, true);
        assert_non_null(before);
        uint64_t nth = 1;
        for (; st != FOCAL_OK; nth++) {
            assert_true(nth < ATTEMPTS_MAX);
            left = memory ? nth : 0;
            focal_fake_store_plan(here.store, (struct focal_fake_failure){ .nth = memory ? 0 : nth, .status = FOCAL_DISK_FULL, .kinds = FOCAL_FAKE_WRITES });
            focal_alloc_hook(allow, NULL);
            st = in_a_transaction(statement);
            focal_alloc_hook(NULL, NULL);
            focal_fake_store_plan(here.store, (struct focal_fake_failure){ .nth = 0 });
            if (st != FOCAL_OK) {
                focal_store_rollback(here.store);
                assert_int_equal(focal_oplog_rolled_back(here.ol), FOCAL_OK);
                expect(was_to, was_openings);
            }
        }
        assert_true(nth > 2);           /* something failed */
        expect(to, openings);
        if (!memory) {                  /* and all of it once more */
            focal_oplog_close(here.ol);
            assert_int_equal(focal_fake_store_restore(here.store, before), FOCAL_OK);
            office_open(&here);
        }
        focal_fake_image_free(before);
    }
    reopen();
    expect(to, openings);
}

static void whatever_fails(void **state)
{
    struct focal_buf given, taken, by_key, by_authority;
    (void)state;
    hold(&here, &ken.statement);
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    delegation_sign(&taken, &n, "HQ", NULL, 2, 0);
    renewal_sign(&by_key, &n, &ken.statement, 1, TO + 366, 800, &key, &given);
    renewal_sign(&by_authority, &n, &ken.statement, 2, TO + 200, 900, NULL, NULL);
    goes_through(&by_key, TO, OPENINGS, TO + 366, 800);
    goes_through(&given, TO + 366, 800, TO + 366, 800);
    goes_through(&taken, TO + 366, 800, TO, 800);
    goes_through(&by_authority, TO, 800, TO + 200, 900);
    focal_buf_close(&given);
    focal_buf_close(&taken);
    focal_buf_close(&by_key);
    focal_buf_close(&by_authority);
}

/* ---- what day it is by others ---- */

static void by_others(void **state)
{
    struct focal_buf renewal, given;
    (void)state;
    assert_int_equal(focal_oplog_others_day(here.ol), 20000);           /* the network's first */
    hold(&here, &ken.statement);
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    hold(&here, &given);
    assert_int_equal(focal_oplog_others_day(here.ol), 20100);
    renewal_sign(&renewal, &n, &ken.statement, 1, TO + 366, 800, NULL, NULL);
    hold(&here, &renewal);
    assert_int_equal(focal_oplog_others_day(here.ol), 20200);           /* made on, not good to */
    focal_buf_close(&given);
    focal_buf_close(&renewal);
}

/* A key that says an earlier day than the authority did gives nothing; and what it gave beyond the day of a later delegation goes. */
static void no_more_than_was_given(void **state)
{
    struct focal_buf given, shorter, early, late;
    (void)state;
    delegation_sign(&given, &n, "HQ", &key, 1, TO + 700);
    delegation_sign(&shorter, &n, "HQ", &key, 2, TO + 10);
    renewal_sign(&early, &n, &ken.statement, 1, TO - 5, 800, &key, &given);
    renewal_sign(&late, &n, &ken.statement, 2, TO + 366, 800, &key, &given);
    hold(&here, &ken.statement);
    hold(&here, &given);
    hold(&here, &early);
    expect(TO, OPENINGS);
    hold(&here, &late);
    const struct focal_certificate *c = focal_oplog_certificate(here.ol, &ken.code);
    assert_int_equal(c->to_day, TO + 366);
    hold(&here, &shorter);
    c = focal_oplog_certificate(here.ol, &ken.code);
    assert_int_equal(c->to_day, TO);
    reopen();
    c = focal_oplog_certificate(here.ol, &ken.code);
    assert_int_equal(c->to_day, TO);
    focal_buf_close(&given);
    focal_buf_close(&shorter);
    focal_buf_close(&early);
    focal_buf_close(&late);
}

static void receipt(struct office *of, struct office *at, uint32_t day)
{
    struct focal_buf body;
    struct focal_signature signature;
    focal_buf_init(&body, FOCAL_RECEIPT_MAX);
    begin(of);
    assert_int_equal(focal_oplog_make_receipt(of->ol, &scope_network, day, &body, &signature), FOCAL_OK);
    commit(of);
    begin(at);
    (void)!focal_oplog_take_receipt(at->ol, focal_buf_view(&body), &signature);
    commit(at);
    focal_buf_close(&body);
}

/* Of receipts the day of another member; not this office's own, and not that of who is no member any more. */
static void days_of_receipts(void **state)
{
    struct focal_buf cut;
    struct focal_ref ref;
    struct office *const both[] = { &ken, &here };
    (void)state;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            hold(both[i], &both[k]->statement);
    begin(&ken);
    write_value(&ken, &scope_network, NULL, FIELD_A, 1, &ref);
    commit(&ken);
    carry_all(&ken, &here);
    const uint32_t before = focal_oplog_others_day(here.ol);
    receipt(&here, &ken, 20900);
    assert_int_equal(focal_oplog_others_day(here.ol), before);
    receipt(&ken, &here, 20800);
    assert_int_equal(focal_oplog_others_day(here.ol), 20800);
    assert_int_equal(focal_oplog_others_day(ken.ol), 20900);
    cut_sign(&cut, &n, &ken);
    hold(&here, &cut);
    assert_int_equal(focal_oplog_others_day(here.ol), 20300);
    focal_buf_close(&cut);
}

/* Statements stand in the order of their hashes, which is anybody's: of several the last number is what is asked for. */
static void of_several_the_last(void **state)
{
    enum { SEVERAL = 8 };
    struct focal_buf statement, body;
    struct focal_delegation d;
    struct focal_policy p;
    struct focal_span bytes;
    (void)state;
    hold(&here, &ken.statement);
    assert_int_equal(focal_oplog_renewal_number(here.ol, &ken.code), 0);
    assert_false(focal_oplog_delegation(here.ol, &hq.code, &d, &bytes));
    assert_false(focal_oplog_policy(here.ol, "two-persons", &p));
    for (uint64_t i = 1; i <= SEVERAL; i++) {
        renewal_sign(&statement, &n, &ken.statement, i, TO + 366, 800, NULL, NULL);
        hold(&here, &statement);
        focal_buf_close(&statement);
        delegation_sign(&statement, &n, "HQ", i % 2 ? &key : NULL, i, TO + 700);
        hold(&here, &statement);
        focal_buf_close(&statement);
        const struct focal_policy one = { .name = "two-persons", .number = i, .value = i, .day = 20100 };
        focal_buf_init(&body, FOCAL_STATEMENT_MAX);
        focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
        focal_policy_encode(&body, &one);
        focal_statement_sign(&statement, n.authority.secret, &n.id, focal_buf_view(&body));
        hold(&here, &statement);
        focal_buf_close(&body);
        focal_buf_close(&statement);
        assert_int_equal(focal_oplog_renewal_number(here.ol, &ken.code), i);
        assert_true(focal_oplog_delegation(here.ol, &hq.code, &d, &bytes) && d.number == i && d.key_set == (i % 2 != 0));
        assert_true(focal_oplog_policy(here.ol, "two-persons", &p) && p.number == i && p.value == i);
    }
    reopen();
    assert_int_equal(focal_oplog_renewal_number(here.ol, &ken.code), SEVERAL);
    assert_true(focal_oplog_policy(here.ol, "two-persons", &p) && p.number == SEVERAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_the_authority, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_in_good_standing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rolled_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_openings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_of_one_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_more_than_was_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(days_of_receipts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_several_the_last, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
