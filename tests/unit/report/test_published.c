/* Cases made from the shipped figures give these figures; and a store of memory that runs dry harms nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "report_cases.h"

#include <stdio.h>
#include <string.h>

static struct focal_figures *shipped(void)
{
    struct focal_buf text;
    struct focal_refusals refusals;
    struct focal_figures *figures;
    FILE *file = fopen(FOCAL_SOURCE_DIR "/conf/data/un_sea_quarterly.csv", "rb");
    assert_non_null(file);
    focal_buf_init(&text, 1 << 20);
    for (int c; (c = fgetc(file)) != EOF;)
        focal_buf_u8(&text, (uint8_t)c);
    (void)fclose(file);
    focal_refusals_init(&refusals);
    assert_int_equal(focal_figures_parse(&figures, focal_buf_view(&text), &refusals), FOCAL_OK);
    focal_refusals_close(&refusals);
    focal_buf_close(&text);
    return figures;
}

struct made { struct focal_report *report; uint64_t seq; };
static enum focal_status each(void *data, struct focal_span json)
{
    struct made *made = data;
    char text[4096];
    assert_true(json.len < sizeof text);
    memcpy(text, json.data, json.len);
    text[json.len] = 0;
    return report_give(made->report, 1, ++made->seq, text);
}

static void fill(struct focal_report *report, const struct focal_figures *figures)
{
    static const char *const countries[] = { "KEN", "SSD" };
    struct made made = { .report = report };
    struct focal_error err;
    for (size_t i = 0; i < figures->period_count; i++)
        assert_int_equal(focal_cases_make(&figures->periods[i], &(struct focal_cases_setup){ .seed = 1, .countries = countries, .country_count = 2 },
                                          each, &made, &err), FOCAL_OK);
}

static void test_equal(void **state)
{
    (void)state;
    struct focal_figures *figures = shipped();
    struct focal_report *report = report_opened("2018-Q2,2017-Q4,2018-Q1,2018");
    fill(report, figures);
    focal_report_publish(report, figures);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct focal_report_section *section = focal_report_section_at(report, i);
        assert_true(section->has_published);
        assert_true(section->beside.equal);
        assert_true(section->beside.count > 2);
    }
    assert_false(focal_report_section_at(report, 3)->has_published);
    const struct focal_report_section *section = focal_report_section_at(report, 0);
    assert_int_equal(section->totals[FOCAL_UNIT_ALLEGATION], 70);
    assert_int_equal(section->totals[FOCAL_UNIT_VICTIM], 84);
    assert_int_equal(section->totals[FOCAL_UNIT_PERPETRATOR], 88);
    assert_false(section->at_least);
    assert_int_equal(report_cell(report, "2018-Q2", "victim_sex_age", FOCAL_UNIT_VICTIM, "male.child"), 1);
    focal_report_close(report);
    focal_figures_close(figures);
}

static void test_different(void **state)
{
    (void)state;
    struct focal_figures *figures = shipped();
    struct focal_report *report = report_opened("2018-Q2");
    fill(report, figures);
    assert_int_equal(report_give(report, 2, 1, "{\"received_quarter\":\"2018-Q2\",\"status\":\"substantiated\"}"), FOCAL_OK);
    focal_report_publish(report, figures);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    const struct focal_report_section *section = focal_report_section_at(report, 0);
    assert_true(section->has_published);
    assert_false(section->beside.equal);
    for (size_t i = 0; i < section->beside.count; i++) {
        const struct focal_beside *beside = &section->beside.list[i];
        if (strcmp(beside->name, "status") == 0)
            assert_false(beside->equal);
        if (strcmp(beside->name, "victim_sex_age") == 0)
            assert_true(beside->equal);
    }
    focal_report_close(report);
    focal_figures_close(figures);
}

/* ---- memory that runs dry ---- */

struct budget { size_t left; };
static bool allow(void *data, size_t bytes)
{
    struct budget *budget = data;
    (void)bytes;
    return budget->left > 0 ? (budget->left--, true) : false;
}

static enum focal_status whole(struct report_case *cases, size_t count, const struct focal_figures *figures)
{
    static const char *const names[] = { "text", "csv", "json", "html" };
    struct focal_report *report;
    struct focal_error err;
    enum focal_status status = focal_report_open(&report, &(struct focal_report_setup){ .period = "2018-Q2,all", .office = "HQ", .network = "Net",
                                                 .made_on = "2018-09-01", .every_unit = true }, &err);
    for (size_t i = 0; i < count && status == FOCAL_OK; i++)
        status = report_case_give(report, &cases[i]);
    if (status == FOCAL_OK)
        status = focal_report_coverage(report, "KEN", true, 60);
    if (status == FOCAL_OK) {
        focal_report_publish(report, figures);
        status = focal_report_finish(report);
    }
    for (size_t i = 0; i < 4 && status == FOCAL_OK; i++) {
        struct focal_buf out;
        status = report_rendered(&out, report, names[i]);
        if (status == FOCAL_OK && out.failed)
            status = FOCAL_NO_MEMORY;
        focal_buf_close(&out);
    }
    focal_report_close(report);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct focal_figures *figures = shipped();
    struct report_case cases[3];
    char hex[2 * FOCAL_REF_BYTES + 1], json[400];
    report_hex(hex, 9, 9);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(json, sizeof json, "{\"received_quarter\":\"2018-Q2\",\"country\":\"KEN\",\"incident_period\":\"2017\",\"same_as\":[\"%s\"],"
                       "\"victims\":[{\"sex\":\"female\",\"age\":\"child\"}],\"perpetrators\":[{\"sex\":\"male\",\"count\":\"1\"}]}", hex);
        report_case_init(&cases[i], (uint8_t)(i + 1), 1);
        report_case_begin(&cases[i], json);
    }
    struct budget budget = { .left = 0 };
    size_t most = 0;
    enum focal_status status = FOCAL_NO_MEMORY;
    while (status == FOCAL_NO_MEMORY && most < 20000) {
        budget.left = most++;
        focal_alloc_hook(allow, &budget);
        status = whole(cases, 3, figures);
        focal_alloc_hook(NULL, NULL);
    }
    assert_int_equal(status, FOCAL_OK);
    assert_true(most > 20);
    for (size_t i = 0; i < 3; i++)
        report_case_close(&cases[i]);
    focal_figures_close(figures);
}

static enum focal_status broken(void *data, struct focal_span bytes)
{
    size_t *calls = data;
    (void)bytes;
    ++*calls;
    return FOCAL_DISK_FULL;
}

static void test_write_fails(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    assert_int_equal(report_give(report, 1, 1, "{}"), FOCAL_OK);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(focal_renderer_count(), 4);
    for (size_t i = 0; i < focal_renderer_count(); i++) {
        size_t calls = 0;
        assert_ptr_equal(focal_renderer_by_name(focal_renderer_at(i)->name), focal_renderer_at(i));
        assert_int_equal(focal_report_render(report, focal_renderer_at(i), broken, &calls), FOCAL_DISK_FULL);
        assert_int_equal(calls, 1);
    }
    assert_null(focal_renderer_by_name("pdf"));
    focal_report_close(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal), cmocka_unit_test(test_different), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_write_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
