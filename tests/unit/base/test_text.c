/* Text helpers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/base.h"

#include <string.h>

static bool valid(const char *text)
{
    return focal_utf8_valid(focal_span_text(text));
}

static void utf8_takes_the_well_formed_and_nothing_else(void **state)
{
    (void)state;
    assert_true(focal_utf8_valid((struct focal_span){ 0 }));
    assert_true(valid("plain"));
    assert_true(valid("\xC2\xA0 \xC3\xA9 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"));
    assert_true(valid("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
    static const char *const bad[] = {
        "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE2\x82", "\xE2(\xAC", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xFE",
        "a\x01", "\x1F", "\x7F", "line\n", "tab\t", "\xC2\x80", "\xC2\x9F",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (valid(bad[i]))
            fail_msg("bad text %zu was taken", i);
    assert_false(focal_utf8_valid(focal_span_of("a\0b", 3)));
    assert_int_equal(focal_utf8_length(focal_span_text("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA6")), 4);
    assert_int_equal(focal_utf8_length((struct focal_span){ 0 }), 0);
}

static void hex_goes_round(void **state)
{
    (void)state;
    char text[2 * 256 + 1];
    uint8_t all[256], back[256];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    focal_hex(text, all, 256);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    assert_string_equal(text + 508, "feff");
    assert_true(focal_unhex(back, 256, focal_span_text(text)));
    assert_memory_equal(all, back, 256);
    assert_true(focal_unhex(back, 2, focal_span_text("aBCd")));
    assert_memory_equal(back, "\xAB\xCD", 2);
    assert_false(focal_unhex(back, 2, focal_span_text("abc")));
    assert_false(focal_unhex(back, 2, focal_span_text("abcde")));
    assert_false(focal_unhex(back, 2, focal_span_text("abcdef")));
    assert_false(focal_unhex(back, 2, focal_span_text("abcg")));
    assert_false(focal_unhex(back, 2, focal_span_text("ab:d")));
    assert_true(focal_unhex(back, 0, (struct focal_span){ 0 }));
    focal_hex(text, NULL, 0);
    assert_string_equal(text, "");
}

/* RFC 4648 §10, without padding, and one of the two letters that the URL alphabet changes. */
static void base64url_follows_its_standard(void **state)
{
    (void)state;
    static const struct { const char *plain, *coded; } known[] = {
        { "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy" }, { "\xFB\xFF\xBF", "-_-_" },
    };
    struct focal_buf buf;
    focal_buf_init(&buf, 100);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        focal_buf_clear(&buf);
        focal_base64url(&buf, focal_span_text(known[i].plain));
        assert_string_equal(focal_buf_cstr(&buf), known[i].coded);
        focal_buf_clear(&buf);
        assert_true(focal_unbase64url(&buf, focal_span_text(known[i].coded)));
        assert_string_equal(focal_buf_cstr(&buf), known[i].plain);
    }
    static const char *const bad[] = { "Z", "Zg==", "Zh", "Zm9", "Zm8 ", "Zm+v", "Zm/v", "Zm9vY", "\xFF\xFF" };
    focal_buf_clear(&buf);
    focal_buf_text(&buf, "kept");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (focal_unbase64url(&buf, focal_span_text(bad[i])))
            fail_msg("%s was taken", bad[i]);
        assert_string_equal(focal_buf_cstr(&buf), "kept");
    }
    focal_buf_close(&buf);
    focal_buf_init(&buf, 3);
    assert_false(focal_unbase64url(&buf, focal_span_text("Zm9vYg")));
    assert_true(buf.failed);
    focal_buf_close(&buf);
}

static void numbers_are_digits_alone(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_true(focal_parse_u64(focal_span_text("0"), &v));
    assert_true(v == 0);
    assert_true(focal_parse_u64(focal_span_text("18446744073709551615"), &v));
    assert_true(v == UINT64_MAX);
    v = 7;
    static const char *const bad[] = { "", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "0x1",
                                       "1.0", "1e3" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(focal_parse_u64(focal_span_text(bad[i]), &v));
    assert_true(v == 7);
}

/* The whole table, without the shortcut that the code takes. */
static int plain_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    int table[16][16];
    for (size_t i = 0; i <= rows; i++) {
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = (int)(i + j);
                continue;
            }
            int best = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (table[i - 1][j] + 1 < best)
                best = table[i - 1][j] + 1;
            if (table[i][j - 1] + 1 < best)
                best = table[i][j - 1] + 1;
            table[i][j] = best;
        }
    }
    return table[rows][columns] <= 3 ? table[rows][columns] : -1;
}

static void distance_is_that_of_the_whole_table(void **state)
{
    (void)state;
    assert_int_equal(focal_text_distance("status", "stauts"), 2);
    assert_int_equal(focal_text_distance("", "abc"), 3);
    assert_int_equal(focal_text_distance("", "abcd"), -1);
    assert_int_equal(focal_text_distance("", ""), 0);
    assert_int_equal(focal_text_distance("conflicts", "conflict"), 1);
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char word[2][13];
        for (int w = 0; w < 2; w++) {
            random = random * 1664525u + 1013904223u;
            unsigned len = (random >> 16) % 13;
            for (unsigned i = 0; i < len; i++) {
                random = random * 1664525u + 1013904223u;
                word[w][i] = (char)('a' + (random >> 20) % 3);
            }
            word[w][len] = 0;
        }
        if (focal_text_distance(word[0], word[1]) != plain_distance(word[0], word[1]))
            fail_msg("%s to %s: %d, not %d", word[0], word[1], focal_text_distance(word[0], word[1]),
                plain_distance(word[0], word[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_takes_the_well_formed_and_nothing_else),
        cmocka_unit_test(hex_goes_round),
        cmocka_unit_test(base64url_follows_its_standard),
        cmocka_unit_test(numbers_are_digits_alone),
        cmocka_unit_test(distance_is_that_of_the_whole_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
