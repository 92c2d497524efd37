/* What the report looks like, to the letter: tests/golden/report/ holds one file for each rendering.
 *
 * To write them anew after a wanted change: FOCAL_GOLDEN_WRITE=1 golden_report_renderings, and read the difference. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "report_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char figures_text[] =
    "period,unit,dimension,part,value,count,source,note\n"
    "2018-Q2,allegation,total,,all,4,,\n"
    "2018-Q2,allegation,allegation_type,,sexual_abuse,2,,\n"
    "2018-Q2,allegation,allegation_type,,sexual_exploitation,2,,\n"
    "2018-Q2,allegation,incident_period,,2015+2016+2017,3,,\n"
    "2018-Q2,victim,total,,all,4,,\n"
    "2018-Q2,victim,victim_sex_age,partial,female.child,2,,\n"
    "2018-Q2,allegation,member_state_referral,overlap,referred,1,,\n";

static struct focal_figures *figures_of(const char *text)
{
    struct focal_refusals refusals;
    struct focal_figures *figures;
    focal_refusals_init(&refusals);
    assert_int_equal(focal_figures_parse(&figures, focal_span_text(text), &refusals), FOCAL_OK);
    focal_refusals_close(&refusals);
    return figures;
}

/* One case of everything that a reader may meet. */
static void fill(struct focal_report *report)
{
    char json[400], hex[2 * FOCAL_REF_BYTES + 1];
    struct report_case one;
    report_case_init(&one, 1, 1);
    report_case_begin(&one, "{\"received_quarter\":\"2018-Q2\",\"country\":\"KEN\",\"allegation_type\":\"sexual_abuse\",\"status\":\"substantiated\","
                            "\"incident_period\":\"2017\",\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"child\"}],"
                            "\"perpetrators\":[{\"sex\":\"male\",\"count\":\"more_than_3\"}]}");
    report_case_also(&one, 2, "{\"status\":\"under_investigation\"}");
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    assert_int_equal(report_give(report, 1, 2, "{\"received_quarter\":\"2018-Q2\",\"country\":\"SSD\",\"allegation_type\":\"sexual_exploitation\","
        "\"status\":\"received\",\"incident_period\":\"before-2016\",\"channel\":\"hotline\",\"victims\":[{\"sex\":\"male\"}],"
        "\"perpetrators\":[{\"sex\":\"male\",\"count\":\"2\"},{\"sex\":\"unknown\",\"count\":\"1\"}]}"), FOCAL_OK);
    assert_int_equal(report_give(report, 1, 3, "{\"received_quarter\":\"2018-Q2\",\"allegation_type\":\"unknown\",\"incident_period\":\"unknown\","
        "\"victims\":[{\"sex\":\"unknown\",\"age\":\"unknown\"}],\"elapsed\":\"over-1m\"}"), FOCAL_OK);
    report_hex(hex, 1, 3);
    (void)snprintf(json, sizeof json, "{\"received_quarter\":\"2018-Q2\",\"same_as\":[\"%s\"],\"allegation_type\":\"other\"}", hex);
    assert_int_equal(report_give(report, 1, 4, json), FOCAL_OK);
    assert_int_equal(report_give(report, 1, 5, "{\"allegation_type\":\"other\"}"), FOCAL_OK);
    report_case_init(&one, 1, 6);
    report_case_also(&one, 2, "{\"status\":\"received\"}");
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    report_case_init(&one, 1, 7);
    report_case_begin(&one, "{\"received_quarter\":\"2018-Q2\"}");
    report_case_bytes(&one, focal_field_by_name(focal_kind_by_name("case"), "allegation_type")->number, "\x63", 1);
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    report_case_init(&one, 1, 8);
    report_case_begin(&one, "{\"received_quarter\":\"2018-Q2\",\"channel\":\"hotline\"}");
    report_case_bytes(&one, FOCAL_CASE_WITHDRAWN, "\x02", 1);
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
}

static struct focal_report *sample(const char *period, bool generated, const struct focal_figures *figures)
{
    struct focal_report *report;
    struct focal_error err;
    assert_int_equal(focal_report_open(&report, &(struct focal_report_setup){ .period = period, .office = "HQ", .network = "Réseau <PSEA> & \"Co\"",
        .program = "0.1.0", .made_on = "2018-07-02", .frontier = "00112233445566778899aabbccddeeff", .generated = generated }, &err), FOCAL_OK);
    fill(report);
    assert_int_equal(focal_report_coverage(report, "HQ", true, 0), FOCAL_OK);
    assert_int_equal(focal_report_coverage(report, "SSD", true, 9 * 86400 + 3600), FOCAL_OK);
    assert_int_equal(focal_report_coverage(report, "KEN", false, 0), FOCAL_OK);
    focal_report_publish(report, figures);
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    return report;
}

/* Well-formed, and no control but line ends. */
static void check_text(const struct focal_buf *text)
{
    struct focal_buf plain;
    focal_buf_init(&plain, 8u << 20);
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != '\n' && text->data[i] != '\r')
            focal_buf_u8(&plain, text->data[i]);
    }
    assert_false(plain.failed);
    assert_true(focal_utf8_valid(focal_buf_view(&plain)));
    focal_buf_close(&plain);
}

static void hold(const char *file, const struct focal_buf *text)
{
    char path[512];
    struct focal_buf kept;
    (void)snprintf(path, sizeof path, "%s/tests/golden/report/%s", FOCAL_SOURCE_DIR, file);
    if (getenv("FOCAL_GOLDEN_WRITE")) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(text->data, 1, text->len, out), text->len);
        assert_int_equal(fclose(out), 0);
    }
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    focal_buf_init(&kept, 1 << 20);
    for (int c; (c = fgetc(in)) != EOF;)
        focal_buf_u8(&kept, (uint8_t)c);
    (void)fclose(in);
    for (size_t i = 0; i < kept.len && i < text->len; i++) {
        if (kept.data[i] != text->data[i])
            fail_msg("%s differs at byte %zu: \"%.60s\"", file, i, (const char *)text->data + (i < 20 ? 0 : i - 20));
    }
    assert_int_equal(kept.len, text->len);
    focal_buf_close(&kept);
}

static void test_text_csv_json(void **state)
{
    (void)state;
    static const struct { const char *renderer, *file; } all[] = { { "text", "quarter.txt" }, { "csv", "quarter.csv" }, { "json", "quarter.json" } };
    struct focal_figures *figures = figures_of(figures_text);
    struct focal_report *report = sample("2018-Q2", true, figures);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct focal_buf text;
        assert_int_equal(report_rendered(&text, report, all[i].renderer), FOCAL_OK);
        assert_non_null(strstr(focal_buf_cstr(&text), "internal, not for release"));
        assert_non_null(strstr(focal_buf_cstr(&text), "made from generated rows"));
        hold(all[i].file, &text);
        focal_buf_close(&text);
    }
    focal_report_close(report);
    focal_figures_close(figures);
}

static void test_several_periods(void **state)
{
    (void)state;
    struct focal_buf text;
    struct focal_report *report = sample("2018-Q1,all", false, NULL);
    for (size_t i = 0; i < focal_renderer_count(); i++) {
        assert_int_equal(report_rendered(&text, report, focal_renderer_at(i)->name), FOCAL_OK);
        assert_non_null(strstr(focal_buf_cstr(&text), "internal, not for release"));
        assert_null(strstr(focal_buf_cstr(&text), "generated rows"));
        if (strcmp(focal_renderer_at(i)->name, "json") == 0)
            hold("several.json", &text);
        focal_buf_close(&text);
    }
    focal_report_close(report);
}

/* ---- the page ---- */

static size_t times(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* Every element that is opened is closed, in order; no attribute and no text breaks out. */
static void check_nesting(const char *page)
{
    static const char *const alone[] = { "meta", "!DOCTYPE", "rect", "line", "path" };
    char stack[64][16];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at; at = strchr(at, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        bool closes = at[1] == '/', empty = end[-1] == '/';
        const char *name = at + 1 + closes;
        size_t len = strcspn(name, " />\n");
        assert_in_range(len, 1, 15);
        for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
            empty = empty || (strlen(alone[i]) == len && strncmp(name, alone[i], len) == 0);
        if (closes) {
            assert_true(depth > 0);
            depth--;
            assert_true(strlen(stack[depth]) == len && strncmp(stack[depth], name, len) == 0);
        } else if (!empty) {
            assert_true(depth < 64);
            memcpy(stack[depth], name, len);
            stack[depth++][len] = 0;
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void test_page(void **state)
{
    (void)state;
    struct focal_buf text;
    struct focal_figures *figures = figures_of(figures_text);
    struct focal_report *report = sample("2018-Q2,all", true, figures);
    assert_int_equal(report_rendered(&text, report, "html"), FOCAL_OK);
    const char *page = focal_buf_cstr(&text);
    check_text(&text);
    check_nesting(page);
    assert_non_null(strstr(page, "internal, not for release"));
    assert_non_null(strstr(page, "made from generated rows"));
    assert_non_null(strstr(page, "Réseau &lt;PSEA&gt; &amp; &quot;Co&quot;"));
    assert_null(strstr(page, "<PSEA>"));
    assert_non_null(strstr(page, "1 of 3 offices heard within 7 days"));
    assert_non_null(strstr(page, "data to 2018-06-23"));
    assert_non_null(strstr(page, "never heard"));
    assert_non_null(strstr(page, "2015 + 2016 + 2017"));
    assert_non_null(strstr(page, "= equal"));
    assert_non_null(strstr(page, "\xe2\x89\xa0 "));
    /* Nothing runs, nothing is fetched. */
    static const char *const never[] = { "<script", "javascript:", " onload=", " onclick=", "src=", "href=\"h", "@import", "url(h", "url('", "url(\"", "<link", "<iframe", "<img" };
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_null(strstr(page, never[i]));
    const char *body = strstr(page, "</style>");
    assert_non_null(body);
    /* Each chart has its table beneath. */
    size_t charts = 0;
    for (const char *at = body; (at = strstr(at, "role=\"img\"")); charts++) {
        const char *after = strstr(at, "</svg>");
        assert_non_null(after);
        after += strlen("</svg>\n");
        assert_int_equal(strncmp(after, "<table>", 7), 0);
        at = after;
    }
    assert_true(charts > 8);
    assert_int_equal(times(page, "role=\"img\""), times(page, "aria-labelledby"));
    focal_buf_close(&text);
    focal_report_close(report);
    focal_figures_close(figures);
}

/* Text that others gave cannot break out of any rendering. */
static void test_hostile_text(void **state)
{
    (void)state;
    static const char *const hostile[] = { "</title><script>alert(1)</script>", "\"quoted\", 'and' & more", "a\nb\r\n\x1b[31mred", "\xff\xfe not text", "=1+1", "" };
    for (size_t h = 0; h < sizeof hostile / sizeof hostile[0]; h++) {
        struct focal_report *report;
        struct focal_error err;
        assert_int_equal(focal_report_open(&report, &(struct focal_report_setup){ .period = "all", .office = hostile[h], .network = hostile[h],
            .program = hostile[h], .made_on = hostile[h], .frontier = hostile[h] }, &err), FOCAL_OK);
        fill(report);
        assert_int_equal(focal_report_coverage(report, hostile[h], true, UINT64_MAX), FOCAL_OK);
        assert_int_equal(focal_report_finish(report), FOCAL_OK);
        for (size_t i = 0; i < focal_renderer_count(); i++) {
            struct focal_buf text;
            const char *name = focal_renderer_at(i)->name;
            assert_int_equal(report_rendered(&text, report, name), FOCAL_OK);
            check_text(&text);
            assert_null(strchr(focal_buf_cstr(&text), '\x1b'));
            if (strcmp(name, "json") == 0)
                assert_int_equal(times(focal_buf_cstr(&text), "\n"), 1);
            if (strcmp(name, "html") == 0) {
                check_nesting(focal_buf_cstr(&text));
                assert_null(strstr(focal_buf_cstr(&text), "<script"));
            }
            focal_buf_close(&text);
        }
        focal_report_close(report);
    }
}

/* The spreadsheet is CSV that our own reader reads: eight cells in every row. */
static enum focal_status each_row(void *data, const struct focal_csv_row *row)
{
    size_t *rows = data;
    assert_int_equal(row->cell_count, 8);
    ++*rows;
    return FOCAL_OK;
}

static void test_csv_reads_back(void **state)
{
    (void)state;
    struct focal_buf text;
    struct focal_csv *csv;
    struct focal_error err;
    size_t rows = 0;
    struct focal_report *report = sample("2018-Q2,2018,all", true, NULL);
    assert_int_equal(report_rendered(&text, report, "csv"), FOCAL_OK);
    assert_int_equal(focal_csv_open(&csv, each_row, &rows), FOCAL_OK);
    assert_int_equal(focal_csv_feed(csv, focal_buf_view(&text), &err), FOCAL_OK);
    assert_int_equal(focal_csv_finish(csv, &err), FOCAL_OK);
    assert_true(rows > 50);
    assert_int_equal(rows, times(focal_buf_cstr(&text), "\r\n"));
    assert_int_equal(rows - 1, times(focal_buf_cstr(&text), "internal, not for release"));
    focal_csv_close(csv);
    focal_buf_close(&text);
    focal_report_close(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_csv_json), cmocka_unit_test(test_several_periods), cmocka_unit_test(test_page), cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_csv_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
