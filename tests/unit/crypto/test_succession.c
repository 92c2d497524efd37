/* A new authority: one byte string for each, nothing else taken, who must have signed what, and the sheet that holds the key for it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

static struct { struct focal_sign_key authority, recovery, second; struct focal_genesis genesis; struct focal_hash network; struct focal_buf good, body, statement; } s;

static int open_sheet(void **state)
{
    uint8_t seed[32];
    (void)state;
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    memset(seed, 1, sizeof seed);
    focal_sign_key_make(&s.authority, seed);
    memset(seed, 2, sizeof seed);
    focal_sign_key_make(&s.recovery, seed);
    memset(seed, 3, sizeof seed);
    focal_sign_key_make(&s.second, seed);
    memset(&s.network, 4, sizeof s.network);
    s.genesis = (struct focal_genesis){ .authority = s.authority.public, .recovery = s.recovery.public };
    focal_buf_init(&s.good, 65536);
    focal_buf_init(&s.body, 65536);
    focal_buf_init(&s.statement, 65536);
    return 0;
}

static int close_sheet(void **state)
{
    (void)state;
    focal_buf_close(&s.good);
    focal_buf_close(&s.body);
    focal_buf_close(&s.statement);
    return 0;
}

static void name(uint8_t first)
{
    struct focal_hash h;
    memset(&h, first, sizeof h);
    focal_buf_bytes(&s.good, h.b, sizeof h.b);
}

static void sign_body(const struct focal_sign_key *by)
{
    focal_buf_clear(&s.statement);
    focal_statement_sign(&s.statement, by->secret, &s.network, focal_buf_view(&s.body));
}

static void sign(const struct focal_sign_key *by)
{
    const struct focal_succession is = { .number = 300, .key = s.second.public, .good = focal_buf_view(&s.good), .day = 20400 };
    focal_buf_clear(&s.body);
    focal_succession_encode(&s.body, &is);
    sign_body(by);
}

static bool good(struct focal_statement *d)
{
    return focal_statement_decode(d, focal_buf_view(&s.statement)) == FOCAL_OK && focal_statement_verify(d, focal_statement_signer(d, &s.genesis), &s.network);
}

static void rounds(void **state)
{
    struct focal_statement d;
    struct focal_hash h;
    (void)state;
    name(9);
    name(3);
    name(9);
    sign(&s.recovery);
    assert_true(good(&d));
    assert_int_equal(d.kind, FOCAL_STATEMENT_AUTHORITY);
    assert_false(d.newer || d.signer_set);
    assert_true(focal_span_equal(d.subject, focal_span_text("authority")));
    assert_int_equal(d.is.succession.number, 300);
    assert_int_equal(d.is.succession.day, 20400);
    assert_true(focal_key_equal(&d.is.succession.key, &s.second.public));
    assert_int_equal(d.is.succession.good.len, 64);     /* in order, each once */
    for (int first = 0; first < 12; first++) {
        memset(&h, first, sizeof h);
        assert_true(focal_succession_keeps(&d.is.succession, &h) == (first == 3 || first == 9));
    }
    focal_buf_clear(&s.good);
    sign(&s.recovery);
    assert_true(good(&d) && !focal_succession_keeps(&d.is.succession, &h));
    for (size_t i = 0; i < FOCAL_SUCCESSION_GOOD_MAX; i++)
        name((uint8_t)i);
    sign(&s.recovery);
    assert_true(good(&d));
    assert_int_equal(d.is.succession.good.len, FOCAL_SUCCESSION_GOOD_MAX * 32);
    /* Neither the authority of the founding nor the new one makes one. */
    sign(&s.authority);
    assert_false(good(&d));
    sign(&s.second);
    assert_false(good(&d));
}

static void one_form(void **state)
{
    struct focal_statement d;
    (void)state;
    name(1);
    name(2);
    sign(&s.recovery);
    for (size_t bit = 0; bit < s.statement.len * 8; bit++) {
        s.statement.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(good(&d));
        s.statement.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    const size_t whole = s.statement.len;
    for (s.statement.len = 0; s.statement.len < whole; s.statement.len++)
        assert_false(good(&d));
}

/* Any item left out or wrong: the subject is one word, the list is in order and each name once, and not too long. */
static void malformed(void **state)
{
    static const uint8_t zeroes[64], two_alike[64], odd[33], too_many[(FOCAL_SUCCESSION_GOOD_MAX + 1) * 32];
    const struct focal_span bad_lists[] = { focal_span_of(two_alike, 64), focal_span_of(odd, 33), focal_span_of(too_many, sizeof too_many) };
    struct focal_statement d;
    (void)state;
    for (unsigned wrong = 0; wrong < 5 + 4; wrong++) {
        focal_buf_clear(&s.statement);
        focal_buf_bytes(&s.statement, zeroes, sizeof zeroes);
        focal_buf_varint(&s.statement, FOCAL_STATEMENT_AUTHORITY);
        for (unsigned tag = 1; tag <= 5; tag++) {
            struct focal_span value = tag == 1 ? focal_span_text(wrong == 8 ? "authoritx" : "authority") : tag == 2 ? focal_span_of(s.network.b, 1) : tag == 3 ? focal_span_of(s.network.b, 32)
                : tag == 4 ? focal_span_of(zeroes, 32) : focal_span_of(zeroes, 4);
            if (tag == 4 && wrong >= 5 && wrong < 8)
                value = bad_lists[wrong - 5];
            if (wrong >= 5 || tag != wrong + 1)
                focal_buf_item(&s.statement, tag, value);
        }
        assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
    }
    focal_buf_clear(&s.statement);                  /* number 0 */
    focal_buf_bytes(&s.statement, zeroes, sizeof zeroes);
    focal_buf_varint(&s.statement, FOCAL_STATEMENT_AUTHORITY);
    focal_buf_item(&s.statement, 1, focal_span_text("authority"));
    focal_buf_item(&s.statement, 2, focal_span_of(zeroes, 1));
    focal_buf_item(&s.statement, 3, focal_span_of(zeroes, 32));
    focal_buf_item(&s.statement, 4, focal_span_of(zeroes, 0));
    focal_buf_item(&s.statement, 5, focal_span_of(zeroes, 4));
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
}

static void delegation(const struct focal_key *later)
{
    const struct focal_delegation g = { .office = { .text = "HQ" }, .key_set = true, .key = s.recovery.public, .number = 1, .until_day = 30000, .day = 20000 };
    focal_buf_clear(&s.body);
    focal_delegation_encode(&s.body, &g);
    if (later)
        focal_statement_by(&s.body, later);
}

/* What names a later authority is signed by that and by no other; its form is one, and older fields stay what they are. */
static void by_a_later_authority(void **state)
{
    struct focal_statement d;
    (void)state;
    delegation(&s.second.public);
    sign_body(&s.second);
    assert_true(good(&d));
    assert_true(d.signer_set && !d.newer && focal_key_equal(&d.signer, &s.second.public));
    assert_int_equal(d.is.delegation.until_day, 30000);
    sign_body(&s.authority);
    assert_false(good(&d));
    delegation(NULL);
    sign_body(&s.second);
    assert_false(good(&d));
    sign_body(&s.authority);
    assert_true(good(&d) && !d.signer_set);
    focal_buf_item(&s.body, 64, focal_span_of(s.second.public.b, 31));
    sign_body(&s.second);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
}

/* A renewal by a key is held against the authority that gave the key, and cannot name another itself. */
static void renewal_by_a_key_of_a_later_one(void **state)
{
    struct focal_statement d;
    struct focal_buf given;
    struct focal_renewal r = { .office = { .text = "KEN" }, .number = 1, .to_day = 21000, .openings_max = 800, .day = 20000 };
    (void)state;
    delegation(&s.second.public);
    focal_buf_init(&given, 65536);
    focal_statement_sign(&given, s.second.secret, &s.network, focal_buf_view(&s.body));
    r.delegation = focal_buf_view(&given);
    focal_buf_clear(&s.body);
    focal_renewal_encode(&s.body, &r);
    sign_body(&s.recovery);                         /* the key that the delegation names */
    assert_true(good(&d));
    assert_true(focal_key_equal(focal_statement_signer(&d, &s.genesis), &s.second.public));
    sign_body(&s.second);
    assert_false(good(&d));
    focal_statement_by(&s.body, &s.second.public);
    sign_body(&s.recovery);
    assert_int_equal(focal_statement_decode(&d, focal_buf_view(&s.statement)), FOCAL_MALFORMED);
    focal_buf_close(&given);
}

/* ---- the sheet ---- */

static void the_sheet(void **state)
{
    uint8_t recovery[32], channel[32];
    struct focal_sheet sheet;
    struct focal_error err;
    struct focal_office hq = { .text = "HQ" };
    struct focal_buf text, typed;
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        recovery[i] = (uint8_t)(7 * i + 3);
        channel[i] = (uint8_t)(11 * i);
    }
    focal_buf_init(&text, 65536);
    focal_buf_init(&typed, 65536);
    focal_sheet_print(&text, "Recovery key network", &hq, &s.network, recovery, channel);
    assert_int_equal(focal_sheet_read(&sheet, focal_buf_view(&text), &err), FOCAL_OK);
    assert_memory_equal(sheet.recovery, recovery, 32);
    assert_true(sheet.network_set && focal_hash_equal(&sheet.network, &s.network));

    /* Whatever is cut off before the key's check is missed, and every digit that is mistyped. */
    const char *whole = focal_buf_cstr(&text), *head = strstr(whole, "\nRecovery key\n") + 1, *check = strstr(head, "check ");
    const size_t end = (size_t)(check - whole) + 10;
    for (size_t len = 0; len < end; len++)
        assert_int_equal(focal_sheet_read(&sheet, focal_span_of(text.data, len), &err), FOCAL_MALFORMED);
    assert_int_equal(focal_sheet_read(&sheet, focal_span_of(text.data, end), &err), FOCAL_OK);
    for (size_t at = (size_t)(head - whole) + 13; at < end; at++) {
        const uint8_t was = text.data[at];
        if (!((was >= '0' && was <= '9') || (was >= 'a' && was <= 'f')) || (at > (size_t)(check - whole) - 5 && at < (size_t)(check - whole) + 5))
            continue;
        text.data[at] = was == '0' ? '1' : '0';
        assert_int_equal(focal_sheet_read(&sheet, focal_buf_view(&text), &err), FOCAL_MALFORMED);
        text.data[at] = was;
    }
    /* The key and its check alone, in other lines and in capitals. */
    for (size_t at = (size_t)(head - whole) + 13; at < end; at++) {
        const uint8_t c = text.data[at];
        if (at < (size_t)(check - whole) && c != ' ' && c != '\n')
            focal_buf_u8(&typed, c >= 'a' ? (uint8_t)(c - 32) : c);
    }
    focal_buf_text(&typed, "\r\ncheck ");
    focal_buf_bytes(&typed, check + 6, 4);
    assert_int_equal(focal_sheet_read(&sheet, focal_buf_view(&typed), &err), FOCAL_OK);
    assert_memory_equal(sheet.recovery, recovery, 32);
    assert_false(sheet.network_set);
    assert_int_equal(focal_sheet_read(&sheet, focal_span_text("Dear all,\n"), &err), FOCAL_MALFORMED);
    assert_non_null(strstr(err.message, "no recovery sheet"));
    focal_buf_close(&text);
    focal_buf_close(&typed);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, open_sheet, close_sheet)

int main(void)
{
    const struct CMUnitTest tests[] = { WITH(rounds), WITH(one_form), WITH(malformed), WITH(by_a_later_authority), WITH(renewal_by_a_key_of_a_later_one), WITH(the_sheet) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
