/* Which of several live values of a register is shown first.
 *
 * Rule (PROTOCOL §5): "a rank table per field, then known before unknown, then code order, then author key, then h. A display
 * rule of a network field reads only network fields." DATA.md: of several live values of consent `withdrawn` counts; status
 * in the order of its list; elsewhere a known value before `unknown`, then code-table order, then author key, then h.
 * Our reading, one test per step:
 *   1. rank of the first code, of a map the first after its key; without rank after all with one;
 *   2. values read here, then values only a newer program reads, then `unknown`;
 *   3. codes part by part in table order, absent last; no order where there are no codes;
 *   4. author key, unknown author last;
 *   5. h, then ordinal.
 * And it does not depend on the order in which the values came. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "merge_entries.h"
#include "shown.h"

#include <string.h>

enum { VALUES_MAX = 8 };

static struct focal_key keys[256];

/* The author of log n has a key of bytes 255 - n, so that key order is the other way round than log order; log 99 is of
 * an author nobody knows. */
static const struct focal_key *key_of(void *data, const struct focal_id *log)
{
    (void)data;
    if (log->b[0] == 99)
        return NULL;
    memset(keys[log->b[0]].b, 255 - log->b[0], sizeof keys[0].b);
    return &keys[log->b[0]];
}

static const struct focal_authors authors = { .of_log = key_of };

static const struct focal_field *field_of(const char *name)
{
    const struct focal_field *field = focal_field_by_name(focal_kind_by_number(FOCAL_KIND_CASE), name);
    assert_non_null(field);
    return field;
}

static struct focal_live live(uint8_t log, uint8_t name, const struct focal_field *field, const char *bytes, size_t len)
{
    return (struct focal_live){ .ref = made_ref(log, 1, name), .h = made_hash(name, 0), .field = field->number,
        .value = focal_span_of(bytes, len) };
}

/* The values are given in the order in which they must be shown; every rotation of them, and the reverse, must give it. */
static void assert_shown(const struct focal_field *field, const struct focal_live *right, size_t count)
{
    struct focal_shown scratch[VALUES_MAX];
    struct focal_live lives[VALUES_MAX];
    assert_true(count <= VALUES_MAX);
    for (size_t turn = 0; turn <= count; turn++) {
        for (size_t i = 0; i < count; i++)
            lives[i] = turn == count ? right[count - 1 - i] : right[(i + turn) % count];
        focal_shown_sort(lives, count, field, &authors, scratch);
        for (size_t i = 0; i < count; i++) {
            assert_true(focal_span_equal(lives[i].value, right[i].value));
            assert_int_equal(focal_merge_row_order(&lives[i], &right[i]), 0);
        }
    }
}

static struct focal_span code(const struct focal_field *field, const char *name)
{
    static uint8_t numbers[64];
    const struct focal_code *found = focal_code_by_name(field->tables[0], focal_span_text(name));
    assert_non_null(found);
    assert_true(found->number < sizeof numbers);
    numbers[found->number] = (uint8_t)found->number;
    return focal_span_of(&numbers[found->number], 1);
}

static struct focal_live coded(uint8_t log, uint8_t name, const struct focal_field *field, const char *text)
{
    struct focal_live made = live(log, name, field, "", 0);
    made.value = code(field, text);
    return made;
}

static void test_status_in_the_order_of_its_list(void **state)
{
    (void)state;
    const struct focal_field *status = field_of("status");
    struct focal_live right[] = {
        coded(5, 9, status, "received"),
        coded(4, 8, status, "under_review_limited_info"),
        coded(3, 7, status, "under_investigation"),
        coded(2, 2, status, "not_substantiated"),
        coded(1, 1, status, "substantiated"),
        live(9, 1, status, "\x32", 1),                  /* of a newer program: no rank here */
    };
    assert_shown(status, right, 6);
}

/* One office writes down that consent is given, another that it is withdrawn: withdrawn counts, whoever wrote and when. */
static void test_consent_withdrawn_counts(void **state)
{
    (void)state;
    const struct focal_field *consent = field_of("consent");
    struct focal_live right[] = {
        live(1, 9, consent, "\x02\x02\x02\x04\x02", 5),         /* withdrawn by self */
        live(2, 5, consent, "\x02\x02\x02\x04\x03", 5),         /* by guardian: same rank, then code order */
        live(3, 1, consent, "\x02\x02\x02\x03\x02", 5),         /* refused */
        live(4, 1, consent, "\x02\x02\x02\x02\x02", 5),         /* given by self */
        live(4, 2, consent, "\x02\x02\x02\x02\x00", 5),         /* given, by whom not said */
    };
    assert_shown(consent, right, 5);
}

static void test_known_before_unknown(void **state)
{
    (void)state;
    const struct focal_field *channel = field_of("channel");
    struct focal_live right[] = {
        coded(1, 9, channel, "hotline"),
        coded(1, 8, channel, "other"),
        live(1, 7, channel, "\x32", 1),                 /* a code of a newer program ... */
        live(1, 6, channel, "\x33", 1),
        live(1, 4, channel, "\x02\x02", 2),             /* ... and a form of one: no codes to go by, so by h */
        live(1, 5, channel, "", 0),
        coded(9, 1, channel, "unknown"),                /* although its number is the smallest, and its author key */
    };
    /* Without codes both forms stand before those with codes of this grade: their order is nothing, hence 0. */
    struct focal_live shown[] = { right[0], right[1], right[4], right[5], right[2], right[3], right[6] };
    assert_shown(channel, shown, 7);
    const struct focal_field *period = field_of("incident_period");
    struct focal_live periods[] = {
        live(1, 9, period, "\xC2\x1F", 2),
        live(9, 1, period, "\x00", 1),
    };
    assert_shown(period, periods, 2);
}

static void test_code_order_is_table_order(void **state)
{
    (void)state;
    const struct focal_field *entity_class = field_of("entity_class");
    struct focal_live right[] = {
        coded(1, 9, entity_class, "peace_operation"),
        coded(2, 8, entity_class, "implementing_partner"),
        coded(3, 7, entity_class, "non_un_force"),
        coded(4, 1, entity_class, "contractor"),
    };
    assert_shown(entity_class, right, 4);
}

static void test_author_key_then_h(void **state)
{
    (void)state;
    const struct focal_field *quarter = field_of("received_quarter");
    struct focal_live right[] = {
        live(9, 5, quarter, "\xA1\x3F", 2),             /* log 9 has the smallest key, though its value is not the least */
        live(7, 2, quarter, "\xA0\x3F", 2),
        live(7, 3, quarter, "\xA2\x3F", 2),             /* the same author: h */
        live(2, 1, quarter, "\xA0\x3F", 2),
        live(99, 0, quarter, "\x9F\x3F", 2),            /* an author not known here: last */
        live(99, 1, quarter, "\x9F\x3F", 2),
    };
    assert_shown(quarter, right, 6);
    /* h goes before log and sequence; one entry that writes two values: its ordinals. */
    struct focal_live same[] = {
        live(7, 1, quarter, "\xA0\x3F", 2),
        live(7, 1, quarter, "\xA0\x3F", 2),
        live(7, 2, quarter, "\xA0\x3F", 2),
    };
    same[0].ref.seq = same[1].ref.seq = 9;
    same[1].ordinal = 1;
    assert_shown(quarter, same, 3);
}

/* Days come from clocks, and clocks order nothing. */
static void test_days_have_no_say(void **state)
{
    (void)state;
    const struct focal_field *quarter = field_of("received_quarter");
    struct focal_live right[] = { live(9, 5, quarter, "\xA1\x3F", 2), live(7, 2, quarter, "\xA0\x3F", 2), live(2, 1, quarter, "\xA2\x3F", 2) };
    for (uint32_t i = 0; i < 3; i++)
        right[i].has_day = true;
    right[0].day = 7;
    right[1].day = 9;
    right[2].day = 8;
    assert_shown(quarter, right, 3);
}

static void test_field_and_authors_not_known(void **state)
{
    (void)state;
    struct focal_field nothing = { .number = 4096 };
    struct focal_live lives[] = { live(1, 2, &nothing, "b", 1), live(9, 1, &nothing, "c", 1), live(9, 0, &nothing, "a", 1) };
    struct focal_shown scratch[3];
    focal_shown_sort(lives, 3, NULL, NULL, scratch);
    assert_int_equal(lives[0].h.b[0], 0);
    assert_int_equal(lives[1].h.b[0], 1);
    assert_int_equal(lives[2].h.b[0], 2);
}

static void test_distinct_values(void **state)
{
    (void)state;
    const struct focal_field *channel = field_of("channel");
    struct focal_shown scratch[VALUES_MAX];
    struct focal_live lives[] = {
        coded(1, 1, channel, "hotline"), coded(2, 2, channel, "hotline"), coded(3, 3, channel, "media"),
        coded(4, 4, channel, "hotline"), live(5, 5, channel, "\x09\x09", 2),
    };
    assert_int_equal(focal_shown_distinct(lives, 0, scratch), 0);
    assert_int_equal(focal_shown_distinct(lives, 1, scratch), 1);
    assert_int_equal(focal_shown_distinct(lives, 2, scratch), 1);
    assert_int_equal(focal_shown_distinct(lives + 1, 2, scratch), 2);
    assert_int_equal(focal_shown_distinct(lives, 4, scratch), 2);
    assert_int_equal(focal_shown_distinct(lives, 5, scratch), 3);
    assert_int_equal(lives[2].ref.log.b[0], 3);         /* and they stay where they were */
}

static void test_several_authors(void **state)
{
    (void)state;
    const struct focal_field *victims = field_of("victims");
    struct focal_live lives[] = { live(1, 1, victims, "", 0), live(1, 2, victims, "", 0), live(2, 3, victims, "", 0) };
    assert_false(focal_shown_several_authors(lives, 0, &authors));
    assert_false(focal_shown_several_authors(lives, 2, &authors));
    assert_true(focal_shown_several_authors(lives, 3, &authors));
    assert_true(focal_shown_several_authors(lives, 3, NULL));
    lives[2].ref.log.b[15] = 77;                        /* another log of another epoch, of the same author */
    lives[2].ref.log.b[0] = 1;
    assert_false(focal_shown_several_authors(lives, 3, &authors));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_in_the_order_of_its_list),
        cmocka_unit_test(test_consent_withdrawn_counts),
        cmocka_unit_test(test_known_before_unknown),
        cmocka_unit_test(test_code_order_is_table_order),
        cmocka_unit_test(test_author_key_then_h),
        cmocka_unit_test(test_days_have_no_say),
        cmocka_unit_test(test_field_and_authors_not_known),
        cmocka_unit_test(test_distinct_values),
        cmocka_unit_test(test_several_authors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
