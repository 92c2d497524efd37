/* Cuts: one byte string for each, nothing else taken, and reaches to come are kept and not understood. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

struct sheet { struct focal_buf body, statement, tips; };

static void sheet_open(struct sheet *s)
{
    focal_buf_init(&s->body, 65536);
    focal_buf_init(&s->statement, 65536);
    focal_buf_init(&s->tips, 65536);
}

static void sheet_close(struct sheet *s)
{
    focal_buf_close(&s->body);
    focal_buf_close(&s->statement);
    focal_buf_close(&s->tips);
}

static enum focal_status decode(struct focal_statement *out, struct sheet *s)
{
    static const uint8_t zeroes[64];
    focal_buf_clear(&s->statement);
    focal_buf_bytes(&s->statement, zeroes, sizeof zeroes);
    focal_buf_span(&s->statement, focal_buf_view(&s->body));
    assert_false(s->statement.failed);
    return focal_statement_decode(out, focal_buf_view(&s->statement));
}

static void sample(struct focal_cut *c, struct sheet *s, size_t tips)
{
    memset(c, 0, sizeof *c);
    memcpy(c->office.text, "KEN-1", 5);
    memset(&c->key, 7, sizeof c->key);
    c->reach.kind = FOCAL_REACH_EVERYTHING;
    c->number = 3;
    c->day = 20100;
    c->reason = FOCAL_CUT_REVOKED;
    focal_buf_clear(&s->tips);
    for (size_t i = tips; i > 0; i--) {
        struct focal_cut_tip tip = { .tip = { .seq = i } };
        memset(&tip.log, (int)i, sizeof tip.log);
        memset(&tip.tip.h, (int)(i + 1), sizeof tip.tip.h);
        focal_cut_tip_put(&s->tips, &tip);
    }
    c->tips = focal_buf_view(&s->tips);
}

static void rounds(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_cut c;
    struct focal_statement d;
    sheet_open(&s);
    sample(&c, &s, 3);
    const struct focal_reach reaches[] = {
        { .kind = FOCAL_REACH_EVERYTHING },
        { .kind = FOCAL_REACH_SCOPE, .scope = { .cls = FOCAL_SCOPE_NETWORK } },
        { .kind = FOCAL_REACH_SCOPE, .scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" } },
        { .kind = FOCAL_REACH_RIGHT, .right = FOCAL_RIGHT_REDACT },
    };
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++) {
        c.reach = reaches[i];
        focal_buf_clear(&s.body);
        focal_cut_encode(&s.body, &c);
        assert_int_equal(decode(&d, &s), FOCAL_OK);
        assert_int_equal(d.kind, FOCAL_STATEMENT_CUT);
        assert_false(d.newer);
        assert_true(focal_reach_equal(&d.is.cut.reach, &c.reach));
        assert_string_equal(d.is.cut.office.text, "KEN-1");
        assert_true(focal_key_equal(&d.is.cut.key, &c.key));
        assert_int_equal(d.is.cut.number, 3);
        assert_int_equal(d.is.cut.day, 20100);
        assert_int_equal(d.is.cut.reason, FOCAL_CUT_REVOKED);
        assert_int_equal(focal_cut_tip_count(&d.is.cut), 3);
        for (size_t k = 0; k < 3; k++) {        /* in order now */
            struct focal_cut_tip tip;
            focal_cut_tip_get(&tip, &d.is.cut, k);
            assert_int_equal(tip.tip.seq, k + 1);
            assert_int_equal(tip.log.b[0], k + 1);
            assert_int_equal(tip.tip.h.b[31], k + 2);
        }
        for (size_t k = 0; k < i; k++)
            assert_false(focal_reach_equal(&reaches[k], &reaches[i]));
    }
    sheet_close(&s);
}

static void the_largest(void **state)
{
    (void)state;
    struct sheet s;
    struct focal_cut c;
    struct focal_statement d;
    sheet_open(&s);
    sample(&c, &s, FOCAL_CUT_TIPS_MAX);
    c.number = UINT64_MAX;
    memset(c.office.text, 'A', sizeof c.office.text - 1);
    c.reach = (struct focal_reach){ .kind = FOCAL_REACH_SCOPE, .scope = { .cls = FOCAL_SCOPE_COUNTRY, .country = "KEN" } };
    focal_cut_encode(&s.body, &c);
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    assert_int_equal(focal_cut_tip_count(&d.is.cut), FOCAL_CUT_TIPS_MAX);
    /* A tip said twice is one. */
    sample(&c, &s, 2);
    struct focal_cut_tip tip;
    focal_cut_tip_get(&tip, &c, 0);
    focal_cut_tip_put(&s.tips, &tip);
    c.tips = focal_buf_view(&s.tips);
    focal_buf_clear(&s.body);
    focal_cut_encode(&s.body, &c);
    assert_int_equal(decode(&d, &s), FOCAL_OK);
    assert_int_equal(focal_cut_tip_count(&d.is.cut), 2);
    sheet_close(&s);
}

/* The sample with one item in another form; tag 0: as it is. */
static enum focal_status with_item(uint64_t tag, const void *value, size_t len, struct focal_statement *d)
{
    struct sheet s;
    struct focal_cut c;
    struct focal_buf whole;
    static struct focal_buf kept;               /* what d looks into, until the next call */
    sheet_open(&s);
    sample(&c, &s, 2);
    focal_buf_init(&whole, 65536);
    focal_cut_encode(&whole, &c);
    struct focal_cur cur = focal_cur_of(focal_buf_view(&whole));
    focal_buf_varint(&s.body, focal_cur_varint(&cur));
    bool put = tag == 0;
    while (focal_cur_left(&cur) > 0) {
        uint64_t at;
        struct focal_span old = focal_cur_item(&cur, &at);
        focal_buf_item(&s.body, at, at == tag ? focal_span_of(value, len) : old);
        put = put || at == tag;
    }
    if (!put)
        focal_buf_item(&s.body, tag, focal_span_of(value, len));
    enum focal_status st = decode(d, &s);
    focal_buf_close(&kept);
    kept = s.statement;
    focal_buf_close(&whole);
    focal_buf_close(&s.body);
    focal_buf_close(&s.tips);
    if (tag == 0) {
        focal_buf_close(&kept);
        memset(&kept, 0, sizeof kept);
    }
    return st;
}

static void every_item_is_strict(void **state)
{
    (void)state;
    struct focal_statement d;
    uint8_t tips[2 * FOCAL_CUT_TIP_BYTES], many[(FOCAL_CUT_TIPS_MAX + 1) * FOCAL_CUT_TIP_BYTES];
    memset(tips, 1, sizeof tips);
    memset(many, 0, sizeof many);
    for (size_t i = 0; i <= FOCAL_CUT_TIPS_MAX; i++) {
        many[i * FOCAL_CUT_TIP_BYTES] = (uint8_t)(i + 1);
        many[i * FOCAL_CUT_TIP_BYTES + 23] = 1;
    }
    static const struct { uint64_t tag; const char *value; size_t len; } wrong[] = {
        { 1, "ken", 3 }, { 1, "", 0 }, { 2, "short", 5 }, { 3, "", 0 }, { 3, "\0", 1 }, { 3, "\1x", 2 }, { 3, "\2", 1 }, { 3, "\2\2ke1", 5 },
        { 3, "\2\1KEN", 5 }, { 3, "\2\3\0\0\0", 5 }, { 3, "\3", 1 }, { 3, "\3\0", 2 }, { 3, "\3\3", 2 }, { 4, "\0", 1 }, { 4, "", 0 },
        { 5, "x", 1 }, { 6, "abc", 3 }, { 7, "\0", 1 }, { 7, "", 0 }, { 8, "what", 4 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (with_item(wrong[i].tag, wrong[i].value, wrong[i].len, &d) != FOCAL_MALFORMED)
            fail_msg("form %zu was taken", i);
    }
    assert_int_equal(with_item(5, tips, sizeof tips, &d), FOCAL_MALFORMED);         /* twice the same */
    tips[0] = 0;
    assert_int_equal(with_item(5, tips, sizeof tips, &d), FOCAL_OK);
    tips[0] = 2;
    assert_int_equal(with_item(5, tips, sizeof tips, &d), FOCAL_MALFORMED);         /* not in order */
    tips[0] = 0;
    memset(tips + 16, 0, 8);
    assert_int_equal(with_item(5, tips, sizeof tips, &d), FOCAL_MALFORMED);         /* sequence 0 */
    assert_int_equal(with_item(5, many, sizeof many, &d), FOCAL_MALFORMED);
    assert_int_equal(with_item(5, many, sizeof many - FOCAL_CUT_TIP_BYTES, &d), FOCAL_OK);
    assert_int_equal(with_item(0, NULL, 0, &d), FOCAL_OK);
}

static void reaches_to_come(void **state)
{
    (void)state;
    struct focal_statement d;
    static const struct { const char *value; size_t len; } later[] = { { "\4anything", 9 }, { "\2\6abc", 5 }, { "\3\2", 2 }, { "\3\200\1", 3 } };
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        assert_int_equal(with_item(3, later[i].value, later[i].len, &d), FOCAL_OK);
        assert_true(d.newer);
        assert_int_equal(d.is.cut.reach.kind, FOCAL_REACH_UNKNOWN);
    }
    assert_int_equal(with_item(16, "more", 4, &d), FOCAL_OK);       /* an item more: the rest counts */
    assert_true(d.newer);
    assert_int_equal(d.is.cut.reach.kind, FOCAL_REACH_EVERYTHING);
    assert_int_equal(with_item(7, "\x63", 1, &d), FOCAL_OK);        /* a reason to come is only shown */
    assert_false(d.newer);
    (void)with_item(0, NULL, 0, &d);
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds), cmocka_unit_test(the_largest), cmocka_unit_test(every_item_is_strict), cmocka_unit_test(reaches_to_come),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
