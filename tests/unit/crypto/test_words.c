/* The word lists: what makes them safe to read aloud, and that they never change. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

#include "words.h"

static const char *word(size_t i) { return i < 256 ? focal_words_even[i] : focal_words_odd[i - 256]; }

static void words_are_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < 512; i++) {
        const size_t len = strlen(word(i));
        assert_true(i < 256 ? len >= 4 && len <= 5 : len >= 6 && len <= 8);
        for (size_t c = 0; c < len; c++)
            assert_in_range(word(i)[c], 'a', 'z');
    }
}

static void no_two_are_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < 512; i++) {
        for (size_t j = i + 1; j < 512; j++) {
            assert_string_not_equal(word(i), word(j));
            if (i / 256 == j / 256) {
                assert_true(strncmp(word(i), word(j), 4) < 0);      /* sorted, too */
                assert_true(focal_text_distance(word(i), word(j)) != 1);
            }
        }
    }
}

static void lists_never_change(void **state)
{
    (void)state;
    struct focal_buf all;
    struct focal_hash h;
    char hex[65];
    focal_buf_init(&all, 8192);
    for (size_t i = 0; i < 512; i++)
        focal_buf_printf(&all, "%s\n", word(i));
    assert_false(all.failed);
    focal_blake2b(h.b, 32, focal_span_of(NULL, 0), focal_buf_view(&all));
    focal_hex(hex, h.b, 32);
    assert_string_equal(hex, "7c8336818e47b10a127f80ae6838874fa28e932783cf1094bcbd0188af154da1");
    focal_buf_close(&all);
}

static int checked(const char *typed, const char *const words[8])
{
    return focal_eight_words_check(focal_span_text(typed), words);
}

static void typed_words(void **state)
{
    (void)state;
    static const char *const words[8] = { "acorn", "bicycle", "lake", "orchard", "moss", "pepper", "zinc", "willow" };
    assert_int_equal(checked("acorn bicycle lake orchard moss pepper zinc willow", words), 0);
    assert_int_equal(checked("  ACORN, Bicycle-lake\r\n orchard\tmoss pepper zinc willow.\n", words), 0);
    assert_int_equal(checked("acor bicy lake orch moss pepp zinc willo", words), 0);
    assert_int_equal(checked("aco bicycle lake orchard moss pepper zinc willow", words), 1);
    assert_int_equal(checked("acorns bicycle lake orchard moss pepper zinc willow", words), 1);
    assert_int_equal(checked("acorn lake bicycle orchard moss pepper zinc willow", words), 2);
    assert_int_equal(checked("acorn bicycle lake orchard moss pepper zinc", words), 8);
    assert_int_equal(checked("acorn bicycle lake orchard moss pepper zinc willow willow", words), 9);
    assert_int_equal(checked("", words), 1);
    assert_int_equal(checked(" ,", words), 1);
    assert_int_equal(focal_eight_words_check(focal_span_of(NULL, 0), words), 1);
}

static void places_take_turns(void **state)
{
    (void)state;
    struct focal_hash network = { { 1 } };
    struct focal_public_keys keys;
    const char *words[8], *other[8];
    memset(&keys, 3, sizeof keys);
    focal_eight_words(words, &network, 7, &keys);
    for (size_t i = 0; i < 8; i++)
        assert_true(i % 2 == 0 ? strlen(words[i]) <= 5 : strlen(words[i]) >= 6);
    for (size_t change = 0; change < 5; change++) {
        struct focal_hash n = network;
        struct focal_public_keys k = keys;
        uint8_t *const bytes[] = { n.b, k.sign.b, k.channel.b, k.open.b };
        if (change < 4)
            bytes[change][31] ^= 1;
        focal_eight_words(other, &n, change < 4 ? 7 : 8, &k);
        size_t same = 0;
        for (size_t i = 0; i < 8; i++)
            same += strcmp(words[i], other[i]) == 0;
        assert_true(same < 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_plain), cmocka_unit_test(no_two_are_alike), cmocka_unit_test(lists_never_change),
        cmocka_unit_test(typed_words), cmocka_unit_test(places_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
