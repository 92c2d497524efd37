/* The set of statements: what gets in, which certificate counts, subjects, scopes. */
#include "offices.h"

static struct network net;
static struct office o;

static int set_up(void **state)
{
    (void)state;
    network_make(&net);
    office_make(&o, &net, "KEN", 7);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    office_close(&o);
    network_close(&net);
    return 0;
}

static enum focal_status add(const struct focal_buf *statement)
{
    begin(&o);
    enum focal_status st = focal_oplog_add_statement(o.ol, focal_buf_view(statement));
    commit(&o);
    return st;
}

static enum focal_status add_certificate(const struct focal_certificate *c)
{
    struct focal_buf statement;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    certificate_sign(&statement, &net, c);
    enum focal_status st = add(&statement);
    focal_buf_close(&statement);
    return st;
}

static void founding(void **state)
{
    (void)state;
    struct focal_error err;
    struct focal_oplog *ol;
    struct focal_store *empty = focal_fake_store_new();
    assert_int_equal(focal_oplog_open(&ol, empty, NULL, NULL, NULL, &err), FOCAL_NOT_FOUND);
    assert_int_equal(err.status, FOCAL_NOT_FOUND);
    assert_int_equal(focal_oplog_found(empty, focal_buf_view(&o.statement)), FOCAL_NEVER);
    struct focal_buf bad;
    focal_buf_init(&bad, FOCAL_STATEMENT_MAX);
    focal_buf_span(&bad, focal_buf_view(&net.genesis));
    bad.data[bad.len - 1] ^= 1;
    assert_int_equal(focal_oplog_found(empty, focal_buf_view(&bad)), FOCAL_NEVER);
    focal_buf_close(&bad);
    assert_int_equal(focal_oplog_found(empty, focal_buf_view(&net.genesis)), FOCAL_OK);
    assert_int_equal(focal_oplog_found(empty, focal_buf_view(&net.genesis)), FOCAL_EXISTS);
    assert_int_equal(focal_oplog_open(&ol, empty, NULL, NULL, NULL, &err), FOCAL_OK);    /* reading only: no keys, no chance */
    assert_memory_equal(focal_oplog_network(ol)->b, net.id.b, 32);
    assert_string_equal(focal_oplog_genesis(ol)->label, "test");
    assert_null(focal_oplog_mine(ol));
    assert_null(focal_oplog_office_at(ol, 0));
    focal_oplog_close(ol);
    /* The founding statement is damaged on disk. */
    assert_int_equal(focal_store_begin(empty), FOCAL_OK);
    assert_int_equal(focal_store_put(empty, FOCAL_SHELF_STATEMENT, focal_span_of(net.id.b, 32), focal_span_text("no")), FOCAL_OK);
    assert_int_equal(focal_store_commit(empty), FOCAL_OK);
    assert_int_equal(focal_oplog_open(&ol, empty, NULL, NULL, NULL, &err), FOCAL_DAMAGED);
    focal_store_close(empty);
}

static void form_and_signature(void **state)
{
    (void)state;
    struct network other;
    struct focal_certificate c;
    struct focal_buf statement;
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    assert_int_equal(add(&net.genesis), FOCAL_EXISTS);
    for (size_t i = 0; i < o.statement.len; i += 5) {
        o.statement.data[i] ^= 4;
        assert_int_equal(add(&o.statement), FOCAL_NEVER);
        o.statement.data[i] ^= 4;
    }
    certificate_for(&c, &o, 1);
    network_make(&other);
    other.id.b[0] ^= 1;
    certificate_sign(&statement, &other, &c);       /* for another network */
    assert_int_equal(add(&statement), FOCAL_NEVER);
    focal_buf_clear(&statement);
    other.id = net.id;
    other.authority = other.recovery;
    certificate_sign(&statement, &other, &c);       /* by another key */
    assert_int_equal(add(&statement), FOCAL_NEVER);
    assert_null(focal_oplog_mine(o.ol));
    assert_int_equal(add(&o.statement), FOCAL_OK);
    assert_int_equal(add(&o.statement), FOCAL_EXISTS);
    network_close(&other);
    focal_buf_close(&statement);
}

static void highest_number_counts(void **state)
{
    (void)state;
    struct focal_certificate one, two, twin;
    struct focal_hash h_two, h_twin;
    certificate_for(&one, &o, 1);
    certificate_for(&two, &o, 2);
    certificate_for(&twin, &o, 2);
    memcpy(twin.entity, "TWIN", 5);
    assert_int_equal(add_certificate(&two), FOCAL_OK);
    focal_oplog_certificate_hash(o.ol, focal_oplog_mine(o.ol), &h_two);
    assert_int_equal(add_certificate(&one), FOCAL_OK);          /* older, later: changes nothing */
    assert_int_equal(focal_oplog_mine(o.ol)->number, 2);
    assert_int_equal(add_certificate(&twin), FOCAL_OK);
    struct focal_buf body;
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_certificate_encode(&body, &twin);
    focal_statement_hash(&h_twin, &net.id, focal_buf_view(&body));
    focal_buf_close(&body);
    const char *wins = memcmp(h_twin.b, h_two.b, 32) < 0 ? "TWIN" : "TEST";
    assert_string_equal(focal_oplog_mine(o.ol)->entity, wins);
    assert_string_equal(focal_oplog_certificate(o.ol, &o.code)->entity, wins);
    assert_string_equal(focal_oplog_certificate_by_channel(o.ol, &o.keys.channel_public)->entity, wins);
    assert_ptr_equal(focal_oplog_office_at(o.ol, 0), focal_oplog_mine(o.ol));
    assert_null(focal_oplog_office_at(o.ol, 1));
    focal_oplog_close(o.ol);
    office_open(&o);
    assert_string_equal(focal_oplog_mine(o.ol)->entity, wins);
}

static void rotated_keys_follow_the_office(void **state)
{
    (void)state;
    struct focal_certificate c;
    struct office fresh;
    office_make(&fresh, &net, "KEN", 70);
    assert_int_equal(add(&o.statement), FOCAL_OK);
    certificate_for(&c, &fresh, 2);
    c.follows_set = true;
    c.follows = o.keys.sign_public;
    assert_int_equal(add_certificate(&c), FOCAL_OK);
    assert_int_equal(focal_oplog_certificate(o.ol, &o.code)->number, 2);
    assert_int_equal(focal_oplog_certificate_by_sign(o.ol, &o.keys.sign_public)->number, 1);
    assert_int_equal(focal_oplog_certificate_by_sign(o.ol, &fresh.keys.sign_public)->number, 2);
    assert_null(focal_oplog_certificate_by_sign(o.ol, &net.authority.public));
    office_close(&fresh);
}

static void subjects_tell_sets_apart(void **state)
{
    (void)state;
    struct office p[2];
    struct focal_certificate c;
    struct focal_subject a, b;
    struct focal_hash before, after, other;
    focal_oplog_statements_hash(o.ol, &before);
    assert_true(focal_oplog_subject(o.ol, 0, &a));
    assert_false(focal_oplog_subject(o.ol, 1, &a));             /* the genesis alone */
    office_make(&p[0], &net, "TCD", 8);
    office_make(&p[1], &net, "HQ", 9);
    /* In different orders: the same sets. */
    assert_int_equal(add(&p[0].statement), FOCAL_OK);
    assert_int_equal(add(&p[1].statement), FOCAL_OK);
    assert_int_equal(add(&o.statement), FOCAL_OK);
    hold(&p[0], &o.statement);
    hold(&p[0], &p[1].statement);
    hold(&p[0], &p[0].statement);
    focal_oplog_statements_hash(o.ol, &after);
    focal_oplog_statements_hash(p[0].ol, &other);
    assert_memory_not_equal(before.b, after.b, 32);
    assert_memory_equal(other.b, after.b, 32);
    size_t n = 0, statements = 0;
    for (; focal_oplog_subject(o.ol, n, &a); n++) {
        struct focal_span s;
        assert_true(focal_oplog_subject(p[0].ol, n, &b));
        assert_memory_equal(&a, &b, sizeof a);
        for (size_t i = 0; focal_oplog_subject_statement(o.ol, a.subject, i, &s); i++, statements++) {
            begin(&p[1]);
            enum focal_status st = focal_oplog_add_statement(p[1].ol, s);
            assert_true(st == FOCAL_OK || st == FOCAL_EXISTS);
            commit(&p[1]);
        }
    }
    assert_int_equal(n, 4);
    assert_int_equal(statements, 4);
    focal_oplog_statements_hash(p[1].ol, &other);
    assert_memory_equal(other.b, after.b, 32);
    /* A second certificate changes its office's subject and no other. */
    certificate_for(&c, &p[0], 2);
    assert_int_equal(add_certificate(&c), FOCAL_OK);
    size_t differ = 0;
    for (n = 0; focal_oplog_subject(o.ol, n, &a); n++) {
        assert_true(focal_oplog_subject(p[0].ol, n, &b));
        assert_memory_equal(a.subject, b.subject, 8);
        differ += memcmp(a.set, b.set, 16) != 0;
    }
    assert_int_equal(differ, 1);
    const uint8_t nobody[8] = { 0 };
    struct focal_span s;
    assert_false(focal_oplog_subject_statement(o.ol, nobody, 0, &s));
    office_close(&p[0]);
    office_close(&p[1]);
}

static void scopes_come_from_certificates(void **state)
{
    (void)state;
    const struct focal_hash *id;
    struct focal_hash made;
    assert_int_equal(focal_oplog_scope_count(o.ol), 0);
    assert_int_equal(add(&o.statement), FOCAL_OK);
    assert_int_equal(focal_oplog_scope_count(o.ol), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct focal_scope *scope = focal_oplog_scope_at(o.ol, i, &id);
        focal_scope_id(&made, &net.id, scope);
        assert_memory_equal(id->b, made.b, 32);
        assert_ptr_equal(focal_oplog_scope(o.ol, id), scope);
        assert_true(focal_oplog_reads(focal_oplog_mine(o.ol), scope));
        if (i > 0)
            assert_true(focal_scope_compare(focal_oplog_scope_at(o.ol, i - 1, NULL), scope) < 0);
    }
    made.b[0] ^= 1;
    assert_null(focal_oplog_scope(o.ol, &made));
    assert_null(focal_oplog_scope_at(o.ol, 4, &id));
    const struct focal_scope elsewhere = { .cls = FOCAL_SCOPE_COUNTRY, .country = "FRA" };
    assert_false(focal_oplog_reads(focal_oplog_mine(o.ol), &elsewhere));
    assert_false(focal_oplog_reads(NULL, &scope_network));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(founding), WITH(form_and_signature), WITH(highest_number_counts), WITH(rotated_keys_follow_the_office),
        WITH(subjects_tell_sets_apart), WITH(scopes_come_from_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
