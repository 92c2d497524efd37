/* Statements: one byte string for each, nothing else taken, and signatures that bind network and key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

struct sheet { struct focal_buf body, statement; struct focal_sign_key authority; struct focal_hash network; };

static void sheet_open(struct sheet *s)
{
    uint8_t seed[32];
    memset(seed, 1, sizeof seed);
    focal_sign_key_make(&s->authority, seed);
    memset(&s->network, 9, sizeof s->network);
    focal_buf_init(&s->body, 65536);
    focal_buf_init(&s->statement, 65536);
}

static void sheet_close(struct sheet *s)
{
    focal_buf_close(&s->body);
    focal_buf_close(&s->statement);
}

/* Puts 64 bytes of anything before the body: decoding looks at form only. */
static enum focal_status decode(struct focal_statement *out, struct sheet *s)
{
    static const uint8_t zeroes[64];
    focal_buf_clear(&s->statement);
    focal_buf_bytes(&s->statement, zeroes, sizeof zeroes);
    focal_buf_span(&s->statement, focal_buf_view(&s->body));
    assert_false(s->statement.failed);
    return focal_statement_decode(out, focal_buf_view(&s->statement));
}

static struct focal_scope scope_of(uint8_t cls, const char *country)
{
    struct focal_scope scope = { .cls = cls };
    if (*country)
        memcpy(scope.country, country, 3);
    return scope;
}

static void sample(struct focal_certificate *c)
{
    memset(c, 0, sizeof *c);
    memcpy(c->office.text, "KEN-1", 5);
    memcpy(c->entity, "Entité", strlen("Entité"));
    c->role = FOCAL_ROLE_HQ;
    c->rights = FOCAL_RIGHT_REDACT;
    c->read[0] = scope_of(FOCAL_SCOPE_CONTROL, "");
    c->read[1] = scope_of(FOCAL_SCOPE_NETWORK, "");
    c->read[2] = scope_of(FOCAL_SCOPE_COUNTRY, "KEN");
    c->read_count = 3;
    memset(&c->keys, 7, sizeof c->keys);
    c->number = 1;
    c->from_day = 20000;
    c->to_day = 20365;
    c->openings_max = 400;
}

static void genesis_round(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_genesis g;
    struct focal_statement d;
    sheet_open(&s);
    memset(&g, 0, sizeof g);
    memset(g.label, 'x', sizeof g.label - 1);
    memset(&g.recovery, 3, 32);
    g.authority = s.authority.public;
    g.expiry_stops = true;
    g.day = UINT32_MAX;
    focal_genesis_encode(&s.body, &g);
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    assert_int_equal(d.kind, FOCAL_STATEMENT_GENESIS);
    assert_false(d.newer);
    assert_memory_equal(&d.is.genesis, &g, sizeof g);

    struct focal_hash id, hash;
    focal_network_id(&id, focal_buf_view(&s.body));
    focal_statement_hash(&hash, &s.network, focal_buf_view(&s.body));
    assert_true(focal_hash_equal(&id, &hash));      /* its own name in any network */
    focal_buf_clear(&s.statement);
    focal_statement_sign(&s.statement, s.authority.secret, NULL, focal_buf_view(&s.body));
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_OK);
    assert_true(focal_statement_verify(&d, NULL, NULL));
    assert_true(focal_statement_verify(&d, &s.authority.public, &id));
    assert_false(focal_statement_verify(&d, &s.authority.public, &s.network));
    assert_false(focal_statement_verify(&d, &g.recovery, &id));
    d.signature.b[5] ^= 1;
    assert_false(focal_statement_verify(&d, NULL, NULL));
    sheet_close(&s);
}

static void certificate_round(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_certificate c, shuffled;
    struct focal_statement d;
    struct focal_buf again;
    sheet_open(&s);
    focal_buf_init(&again, 8192);
    sample(&c);
    for (int options = 0; options < 4; options++) {
        c.follows_set = options & 1;
        memset(&c.follows, c.follows_set ? 4 : 0, 32);
        c.invitation_set = options & 2;
        c.invitation = c.invitation_set ? UINT64_MAX : 0;
        focal_buf_clear(&s.body);
        focal_certificate_encode(&s.body, &c);
        assert_int_equal(decode(&d, &s), FOCAL_OK);
        assert_false(d.newer);
        assert_memory_equal(&d.is.certificate, &c, sizeof c);
    }
    shuffled = c;
    shuffled.read[0] = c.read[2];
    shuffled.read[1] = c.read[0];
    shuffled.read[2] = c.read[1];
    shuffled.read[3] = c.read[1];
    shuffled.read_count = 4;
    focal_certificate_encode(&again, &shuffled);
    assert_true(focal_span_equal(focal_buf_view(&again), focal_buf_view(&s.body)));

    struct focal_scope uga = scope_of(FOCAL_SCOPE_COUNTRY, "UGA");
    assert_true(focal_certificate_lists(c.read, c.read_count, &c.read[2]));
    assert_false(focal_certificate_lists(c.read, 2, &c.read[2]));
    assert_false(focal_certificate_lists(c.read, c.read_count, &uga));
    assert_false(focal_certificate_lists(c.write, 0, &c.read[0]));
    focal_buf_close(&again);
    sheet_close(&s);
}

static void signatures_bind(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_certificate c;
    struct focal_statement d;
    struct focal_hash other = { { 1 } }, h1, h2;
    struct focal_key stranger = { { 2 } };
    sheet_open(&s);
    sample(&c);
    focal_certificate_encode(&s.body, &c);
    focal_statement_sign(&s.statement, s.authority.secret, &s.network, focal_buf_view(&s.body));
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_OK);
    assert_true(focal_statement_verify(&d, &s.authority.public, &s.network));
    assert_false(focal_statement_verify(&d, &s.authority.public, &other));
    assert_false(focal_statement_verify(&d, &stranger, &s.network));
    assert_false(focal_statement_verify(&d, NULL, &s.network));
    assert_false(focal_statement_verify(&d, &s.authority.public, NULL));
    focal_statement_hash(&h1, &s.network, d.body);
    focal_statement_hash(&h2, &other, d.body);
    assert_false(focal_hash_equal(&h1, &h2));
    s.statement.data[s.statement.len - 1] ^= 1;
    assert_false(focal_statement_verify(&d, &s.authority.public, &s.network));
    sheet_close(&s);
}

static void cut_short_or_longer(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_certificate c;
    struct focal_statement d;
    sheet_open(&s);
    sample(&c);
    focal_certificate_encode(&s.body, &c);
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    for (size_t len = 0; len < s.statement.len; len++)
        assert_int_equal(focal_statement_decode(&d, focal_span_of(s.statement.data, len)), FOCAL_MALFORMED);
    focal_buf_u8(&s.statement, 0);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
    assert_int_equal(focal_statement_decode(&d, focal_span_of(NULL, 0)), FOCAL_MALFORMED);
    sheet_close(&s);
}

/* One item of the sample put in another form; NULL value leaves it out. */
static enum focal_status with_item(uint64_t tag, const void *value, size_t len, struct focal_statement *d)
{
    struct sheet s;
    struct focal_certificate c;
    struct focal_buf plain;
    sheet_open(&s);
    focal_buf_init(&plain, 8192);
    sample(&c);
    focal_certificate_encode(&plain, &c);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&plain));
    focal_buf_varint(&s.body, focal_cur_varint(&cur));
    bool put = value == NULL;
    while (focal_cur_left(&cur) > 0) {
        uint64_t at;
        struct focal_span old = focal_cur_item(&cur, &at);
        if (!put && at >= tag) {
            focal_buf_item(&s.body, tag, focal_span_of(value, len));
            put = true;
        }
        if (at != tag)
            focal_buf_item(&s.body, at, old);
    }
    if (!put)
        focal_buf_item(&s.body, tag, focal_span_of(value, len));
    enum focal_status status = decode(d, &s);
    focal_buf_close(&plain);
    sheet_close(&s);
    return status;
}

static void every_item_is_strict(void **state)
{
    (void)state;
    struct focal_statement d;
    for (uint64_t tag = 1; tag <= 14; tag++) {
        if (tag != 10)
            assert_int_equal(with_item(tag, NULL, 0, &d), FOCAL_MALFORMED);
    }
    const struct { uint64_t tag; const char *value; size_t len; } bad[] = {
        { 1, "ken-1", 5 }, { 1, "K", 1 }, { 1, "", 0 }, { 1, "ABCDEFGHIJKLM", 13 }, { 1, "KEN\0", 4 },
        { 2, "a\nb", 3 }, { 2, "a\0b", 3 }, { 2, "\xff", 1 },
        { 3, "\0", 1 }, { 3, "", 0 }, { 3, "\1\1", 2 },
        { 4, "", 0 }, { 4, "\x80\0", 2 }, { 4, "\1\1", 2 },
        { 5, "\0\0\0", 3 }, { 5, "\1\0\0\0\0\0\0\0", 8 }, { 5, "\0\0\0\0\0\0\0\0", 8 }, { 5, "\0KEN", 4 },
        { 5, "\2\0\0\0", 4 }, { 5, "\2ken", 4 }, { 5, "\3\0\0\0", 4 }, { 5, "\4\0\0\0", 4 }, { 6, "\2KE", 3 },
        { 7, "1234567", 7 }, { 10, "", 0 }, { 11, "\0", 1 }, { 12, "\0\0\0", 3 }, { 13, "\0\0\0\0\0", 5 }, { 15, "", 0 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(with_item(bad[i].tag, bad[i].value, bad[i].len, &d), FOCAL_MALFORMED);
    uint8_t many[65 * 4];
    for (size_t i = 0; i < 65; i++)
        memcpy(many + 4 * i, (const uint8_t[4]){ 2, (uint8_t)('A' + i / 26), (uint8_t)('A' + i % 26), 'A' }, 4);
    assert_int_equal(with_item(5, many, 64 * 4, &d), FOCAL_OK);
    assert_int_equal(d.is.certificate.read_count, 64);
    assert_int_equal(with_item(5, many, sizeof many, &d), FOCAL_MALFORMED);
}

static void newer_things_are_kept(void **state)
{
    (void)state;
    struct focal_statement d;
    assert_int_equal(with_item(16, "?", 1, &d), FOCAL_OK);
    assert_true(d.newer);
    assert_int_equal(d.is.certificate.number, 1);
    assert_int_equal(with_item(UINT64_MAX, "", 0, &d), FOCAL_OK);
    assert_true(d.newer);
    assert_int_equal(with_item(3, "\3", 1, &d), FOCAL_OK);          /* a role to come */
    assert_true(d.newer);
    assert_int_equal(with_item(4, "\5", 1, &d), FOCAL_OK);          /* a right to come, beside one we know */
    assert_true(d.newer);
    assert_true(d.is.certificate.rights & FOCAL_RIGHT_REDACT);
    assert_int_equal(with_item(5, "\1\0\0\0\5abc", 8, &d), FOCAL_OK);   /* a class of scope to come */
    assert_true(d.newer);
    assert_int_equal(d.is.certificate.read_count, 1);

    struct sheet s;
    sheet_open(&s);
    focal_buf_varint(&s.body, 9);                   /* a kind to come */
    focal_buf_item(&s.body, 1, focal_span_text("a"));
    focal_buf_item(&s.body, 40, focal_span_text("b"));
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    assert_int_equal(d.kind, 9);
    assert_true(d.newer);
    assert_true(focal_span_equal(d.subject, focal_span_text("a")));
    focal_buf_item(&s.body, 40, focal_span_text("b"));
    assert_int_equal(decode(&d, &s), FOCAL_MALFORMED);
    focal_buf_clear(&s.body);
    focal_buf_varint(&s.body, 0);
    assert_int_equal(decode(&d, &s), FOCAL_MALFORMED);
    focal_buf_clear(&s.body);
    focal_buf_varint(&s.body, 9);
    focal_buf_item(&s.body, 0, focal_span_text("a"));
    assert_int_equal(decode(&d, &s), FOCAL_MALFORMED);
    sheet_close(&s);
}

static void size_limit(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_statement d;
    static uint8_t filler[FOCAL_STATEMENT_MAX];
    sheet_open(&s);
    focal_buf_varint(&s.body, 9);
    focal_buf_item(&s.body, 20, focal_span_of(filler, FOCAL_STATEMENT_MAX - 64 - 1 - 1 - 2));
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    assert_int_equal(s.statement.len, FOCAL_STATEMENT_MAX);
    focal_buf_item(&s.body, 21, focal_span_of(NULL, 0));
    assert_int_equal(decode(&d, &s), FOCAL_MALFORMED);
    sheet_close(&s);
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genesis_round), cmocka_unit_test(certificate_round), cmocka_unit_test(signatures_bind),
        cmocka_unit_test(cut_short_or_longer), cmocka_unit_test(every_item_is_strict),
        cmocka_unit_test(newer_things_are_kept), cmocka_unit_test(size_limit),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
