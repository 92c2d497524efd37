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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_the_authority, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_in_good_standing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rolled_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_openings, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
