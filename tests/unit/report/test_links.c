/* Linked cases count once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "report_cases.h"

#include <stdio.h>
#include <string.h>

/* A case of log 1 that says it is the same as others (0 ends the list). */
static void give(struct focal_report *report, uint8_t log, uint64_t seq, const char *quarter, const char *channel, const uint64_t *same)
{
    char json[1024], hex[2 * FOCAL_REF_BYTES + 1];
    int len = snprintf(json, sizeof json, "{\"channel\":\"%s\",\"victims\":[{\"sex\":\"female\",\"age\":\"adult\"}]", channel);
    if (quarter)
        len += snprintf(json + len, sizeof json - (size_t)len, ",\"received_quarter\":\"%s\"", quarter);
    len += snprintf(json + len, sizeof json - (size_t)len, ",\"same_as\":[");
    for (size_t i = 0; same && same[i]; i++) {
        report_hex(hex, 1, same[i]);
        len += snprintf(json + len, sizeof json - (size_t)len, "%s\"%s\"", i ? "," : "", hex);
    }
    (void)snprintf(json + len, sizeof json - (size_t)len, "]}");
    assert_int_equal(report_give(report, log, seq, json), FOCAL_OK);
}

static uint64_t count(struct focal_report *report, const char *period)
{
    return focal_report_table(report, period, "channel", FOCAL_UNIT_ALLEGATION)->total;
}

static void test_earliest_counts(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("2018-Q1,2018-Q2,2018");
    give(report, 1, 1, "2018-Q2", "hotline", (const uint64_t[]){ 2, 0 });
    give(report, 1, 2, "2018-Q1", "media", NULL);
    give(report, 1, 3, "2018-Q2", "other", NULL);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "2018-Q1"), 1);
    assert_int_equal(count(report, "2018-Q2"), 1);
    assert_int_equal(count(report, "2018"), 2);
    assert_int_equal(report_cell(report, "2018-Q1", "channel", FOCAL_UNIT_ALLEGATION, "media"), 1);
    assert_int_equal(report_cell(report, "2018", "channel", FOCAL_UNIT_ALLEGATION, "hotline"), 0);
    assert_int_equal(focal_report_section_at(report, 0)->linked, 0);
    assert_int_equal(focal_report_section_at(report, 1)->linked, 1);
    assert_int_equal(focal_report_section_at(report, 2)->linked, 1);
    assert_int_equal(focal_report_section_at(report, 2)->totals[FOCAL_UNIT_VICTIM], 2);
    focal_report_close(report);
}

static void test_smallest_reference_counts(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    give(report, 1, 300, "2018-Q1", "hotline", (const uint64_t[]){ 2, 0 });
    give(report, 1, 2, "2018-Q1", "media", NULL);
    give(report, 0x90, 1, "2018-Q1", "other", (const uint64_t[]){ 300, 0 });
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 1);
    assert_int_equal(report_cell(report, "all", "channel", FOCAL_UNIT_ALLEGATION, "media"), 1);
    focal_report_close(report);
}

static void test_without_quarter_counts_last(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all,2018-Q3");
    give(report, 1, 1, NULL, "hotline", (const uint64_t[]){ 2, 0 });
    give(report, 1, 2, "2018-Q3", "media", NULL);
    give(report, 1, 3, NULL, "other", NULL);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 2);
    assert_int_equal(count(report, "2018-Q3"), 1);
    assert_int_equal(focal_report_section_at(report, 0)->without_quarter, 1);
    focal_report_close(report);
}

/* Chains, rings, a case linked with itself, links said twice. */
static void test_groups(void **state)
{
    (void)state;
    enum { CHAIN = 200 };
    for (int backwards = 0; backwards < 2; backwards++) {
        struct focal_report *report = report_opened("all");
        for (uint64_t i = 1; i <= CHAIN; i++) {
            uint64_t seq = backwards ? CHAIN + 1 - i : i;
            give(report, 1, seq, "2018-Q1", "media", (const uint64_t[]){ seq % CHAIN + 1, seq, seq % CHAIN + 1, 0 });
        }
        give(report, 1, CHAIN + 1, "2018-Q1", "media", NULL);
        assert_int_equal(focal_report_finish(report), FOCAL_OK);
        assert_int_equal(count(report, "all"), 2);
        assert_int_equal(focal_report_section_at(report, 0)->linked, CHAIN - 1);
        focal_report_close(report);
    }
}

/* Both name a case that is not held here, or is not complete, or is no case. */
static void test_through_strangers(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    give(report, 1, 1, "2018-Q1", "hotline", (const uint64_t[]){ 99, 0 });
    give(report, 1, 2, "2018-Q1", "media", (const uint64_t[]){ 98, 99, 0 });
    give(report, 1, 3, "2018-Q1", "other", (const uint64_t[]){ 97, 0 });
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 2);
    focal_report_close(report);

    report = report_opened("all");
    give(report, 1, 1, "2018-Q1", "hotline", NULL);
    give(report, 1, 2, "2018-Q1", "media", NULL);
    struct report_case one;
    struct focal_record record;
    char json[300], hex[2][2 * FOCAL_REF_BYTES + 1];
    report_hex(hex[0], 1, 1);
    report_hex(hex[1], 1, 2);
    (void)snprintf(json, sizeof json, "{\"same_as\":[\"%s\",\"%s\"]}", hex[0], hex[1]);
    report_case_init(&one, 1, 3);
    report_case_begin(&one, json);
    assert_int_equal(focal_record_open(&record, &one.ref, &one.widest, NULL, true, NULL), FOCAL_OK);
    assert_int_equal(focal_report_add(report, &record), FOCAL_OK);
    focal_record_close(&record);
    report_case_close(&one);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 1);
    assert_int_equal(focal_report_section_at(report, 0)->waiting, 1);
    focal_report_close(report);
}

/* A withdrawn case stands for nobody, and what it links stays linked: withdrawing the duplicate in the middle must not make
 * one case two. */
static void test_through_a_withdrawn_case(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    give(report, 1, 2, "2018-Q2", "hotline", NULL);
    give(report, 1, 3, "2018-Q2", "media", NULL);
    struct report_case one;
    char json[300], hex[2][2 * FOCAL_REF_BYTES + 1];
    report_hex(hex[0], 1, 2);
    report_hex(hex[1], 1, 3);
    (void)snprintf(json, sizeof json, "{\"received_quarter\":\"2018-Q1\",\"channel\":\"other\",\"same_as\":[\"%s\",\"%s\"]}", hex[0], hex[1]);
    report_case_init(&one, 1, 1);
    report_case_begin(&one, json);
    report_case_bytes(&one, FOCAL_CASE_WITHDRAWN, "\x03", 1);
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 1);
    assert_int_equal(report_cell(report, "all", "channel", FOCAL_UNIT_ALLEGATION, "hotline"), 1);
    assert_int_equal(focal_report_section_at(report, 0)->linked, 1);
    assert_int_equal(focal_report_section_at(report, 0)->withdrawn, 1);
    focal_report_close(report);
}

static void test_malformed_link(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    struct report_case one;
    report_case_init(&one, 1, 1);
    report_case_begin(&one, "{}");
    report_case_bytes(&one, focal_field_by_name(focal_kind_by_name("case"), "same_as")->number, "short", 5);
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(count(report, "all"), 1);
    focal_report_close(report);
}

/* Whatever the order in which records come, the report is the same, byte for byte. */
static void test_any_order(void **state)
{
    (void)state;
    enum { CASES = 41, ORDERS = 12 };
    static const char *const quarters[] = { "2018-Q2", "2017-Q4", NULL, "2018-Q1" };
    static const char *const channels[] = { "hotline", "media", "in_person" };
    struct focal_buf first, again;
    for (uint64_t order = 0; order < ORDERS; order++) {
        struct focal_report *report = report_opened("all,2018-Q2,2018");
        for (uint64_t i = 0; i < CASES; i++) {
            uint64_t seq = (i * (2 * order + 1) + order) % CASES + 1;
            bool links = seq % 3 == 0;
            give(report, (uint8_t)(1 + (seq % 7 == 0)), seq, quarters[seq % 4], channels[seq % 3], links ? (const uint64_t[]){ seq % 11 + 1, seq + 50, 0 } : NULL);
        }
        assert_int_equal(focal_report_finish(report), FOCAL_OK);
        assert_int_equal(report_rendered(order ? &again : &first, report, "json"), FOCAL_OK);
        if (order) {
            assert_true(focal_span_equal(focal_buf_view(&first), focal_buf_view(&again)));
            focal_buf_close(&again);
        }
        focal_report_close(report);
    }
    assert_non_null(strstr(focal_buf_cstr(&first), "\"linked\":"));
    focal_buf_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_earliest_counts), cmocka_unit_test(test_smallest_reference_counts), cmocka_unit_test(test_without_quarter_counts_last),
        cmocka_unit_test(test_groups), cmocka_unit_test(test_through_strangers), cmocka_unit_test(test_through_a_withdrawn_case), cmocka_unit_test(test_malformed_link), cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
