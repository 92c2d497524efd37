/* Files of published figures: what they say, what is wrong with them, and ours beside them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_record.h"

#include <string.h>

#define HEAD "period,unit,dimension,part,value,count,source,note\n"

static struct focal_figures *parse(const char *text)
{
    struct focal_figures *figures;
    struct focal_refusals refusals;
    focal_refusals_init(&refusals);
    enum focal_status status = focal_figures_parse(&figures, focal_span_text(text), &refusals);
    if (status != FOCAL_OK)
        fail_msg("line %llu: %s", refusals.kept ? (unsigned long long)refusals.list[0].line : 0, refusals.kept ? refusals.list[0].reason : "?");
    focal_refusals_close(&refusals);
    return figures;
}

static const struct focal_figure_table *table(const struct focal_figure_period *period, const char *name, enum focal_unit unit, enum focal_part_kind part)
{
    for (size_t i = 0; i < period->table_count; i++) {
        if (strcmp(period->tables[i].name, name) == 0 && period->tables[i].unit == unit && period->tables[i].part == part)
            return &period->tables[i];
    }
    return NULL;
}

static void the_shipped_file(void **state)
{
    (void)state;
    struct focal_buf text;
    focal_buf_init(&text, 1 << 20);
    exchange_file(&text, FOCAL_SOURCE_DIR "/conf/data/un_sea_quarterly.csv");
    struct focal_figures *figures = parse(focal_buf_cstr(&text));
    assert_int_equal(figures->period_count, 3);
    const struct focal_figure_period *q2 = focal_figures_period(figures, "2018-Q2"), *q1 = focal_figures_period(figures, "2018-Q1");
    assert_non_null(q2);
    assert_non_null(focal_figures_period(figures, "2017-Q4"));
    assert_null(focal_figures_period(figures, "2018-Q3"));
    assert_int_equal(q2->total[FOCAL_UNIT_ALLEGATION], 70);
    assert_int_equal(q2->total[FOCAL_UNIT_VICTIM], 84);
    assert_int_equal(q2->total[FOCAL_UNIT_PERPETRATOR], 88);
    assert_int_equal(table(q2, "status", FOCAL_UNIT_ALLEGATION, FOCAL_PART_WHOLE)->sum, 70);
    const struct focal_figure_table *referral = table(q2, "member_state_referral", FOCAL_UNIT_ALLEGATION, FOCAL_PART_OVERLAP);
    assert_int_equal(referral->cells[0].count, 16);
    assert_int_equal(referral->not_published, 0);
    assert_int_equal(table(q1, "victim_sex_age", FOCAL_UNIT_VICTIM, FOCAL_PART_PARTIAL)->not_published, 37);
    assert_false(q1->has_total[FOCAL_UNIT_PERPETRATOR]);
    focal_figures_close(figures);
    focal_buf_close(&text);
}

static void spanning_classes_and_missing_totals(void **state)
{
    (void)state;
    struct focal_figures *figures = parse("count,note,period,unit,dimension,part,value\n3,,2019,allegation,incident_period,,2015+2016+2017\n2,,2019,allegation,incident_period,,unknown\n"
                                          "4,,2019,allegation,status,overlap,received\n1,,2019,allegation,status,,received\n");
    const struct focal_figure_period *year = focal_figures_period(figures, "2019");
    assert_false(year->has_total[FOCAL_UNIT_ALLEGATION]);
    assert_int_equal(year->total[FOCAL_UNIT_ALLEGATION], 5);
    const struct focal_figure_table *t = table(year, "incident_period", FOCAL_UNIT_ALLEGATION, FOCAL_PART_WHOLE);
    assert_int_equal(t->cells[0].code_count, 3);
    assert_string_equal(t->cells[0].codes[1], "2016");
    assert_string_equal(t->cells[0].value, "2015+2016+2017");
    assert_int_equal(table(year, "status", FOCAL_UNIT_ALLEGATION, FOCAL_PART_WHOLE)->not_published, 4);
    focal_figures_close(figures);
}

/* The first refusal of a faulty file. */
static void refused(const char *rows, uint64_t line, const char *word)
{
    char text[2000] = HEAD;
    strcat(text, rows);
    struct focal_figures *figures;
    struct focal_refusals refusals;
    focal_refusals_init(&refusals);
    enum focal_status status = focal_figures_parse(&figures, focal_span_text(text), &refusals);
    assert_true(status == FOCAL_REFUSED || status == FOCAL_MALFORMED);
    assert_null(figures);
    assert_true(refusals.kept > 0);
    assert_int_equal(refusals.list[0].line, line);
    if (!strstr(refusals.list[0].reason, word))
        fail_msg("\"%s\" does not say \"%s\"", refusals.list[0].reason, word);
    assert_true(refusals.list[0].hint[0] != 0);
    focal_refusals_close(&refusals);
}

static void faults(void **state)
{
    (void)state;
    refused("2018-Q5,allegation,total,,all,3,,\n", 2, "2018-Q5");
    refused("2018-Q1,cases,total,,all,3,,\n", 2, "cases");
    refused("2018-Q1,allegation,colour,,red,3,,\n", 2, "colour");
    refused("2018-Q1,allegation,feedback_preference,,wanted,3,,\n", 2, "feedback_preference");
    refused("2018-Q1,allegation,status,some,received,3,,\n", 2, "some");
    refused("2018-Q1,allegation,status,,recieved,3,,\n", 2, "recieved");
    refused("2018-Q1,allegation,status,,received,-3,,\n", 2, "-3");
    refused("2018-Q1,allegation,status,,received,99999999,,\n", 2, "99999999");
    refused("2018-Q1,allegation,victim_sex_age,,female.child,3,,\n", 2, "victim");
    refused("2018-Q1,victim,victim_sex_age,,female,3,,\n", 2, "female");
    refused("2018-Q1,victim,victim_sex_age,,female.,3,,\n", 2, "female.");
    refused("2018-Q1,perpetrator,perpetrator_sex,,man,3,,\n", 2, "man");
    refused("2018-Q1,allegation,total,,some,3,,\n", 2, "some");
    refused("2018-Q1,allegation,total,,all,3,\n", 2, "cells");
    refused("2018-Q1,allegation,total,,all,3,,\n2018-Q1,allegation,total,,all,4,,\n", 3, "twice");
    refused("2018-Q1,allegation,status,,received,3,,\n2018-Q1,allegation,status,,received,3,,\n", 3, "twice");
    refused("2018-Q1,allegation,incident_period,,2015+2016,3,,\n2018-Q1,allegation,incident_period,,2016,3,,\n", 3, "partly");
    refused("2018-Q1,allegation,incident_period,,2015+2015,3,,\n", 2, "twice");
    refused("2018-Q1,allegation,incident_period,,2015+,3,,\n", 2, "");
    refused("2018-Q1,allegation,incident_period,,2018,1,,\n2018-Q1,allegation,incident_period,,2019,3,,\n", 3, "2019");
    refused("\"2018-Q1\n", 2, "quote");
    refused("", 1, "no figures");
}

static void parts_above_their_total(void **state)
{
    (void)state;
    refused("2018-Q1,allegation,total,,all,10,,\n2018-Q1,allegation,status,,received,8,,\n2018-Q1,allegation,status,,substantiated,5,,\n", 4, "status by allegation in 2018-Q1");
    refused("2018-Q1,allegation,total,,all,10,,\n2018-Q1,allegation,status,,received,8,,\n2018-Q1,allegation,status,,substantiated,5,,\n", 4, "3 too many");
    refused("2018-Q1,victim,total,,all,10,,\n2018-Q1,victim,victim_sex_age,partial,female.child,11,,\n", 3, "1 too many");
    refused("2018-Q1,allegation,total,,all,10,,\n2018-Q1,allegation,member_state_referral,overlap,referred,12,,\n", 3, "2 too many");
    /* Overlapping parts need not add up to anything. */
    focal_figures_close(parse(HEAD "2018-Q1,allegation,total,,all,10,,\n2018-Q1,allegation,status,overlap,received,8,,\n2018-Q1,allegation,status,overlap,received+substantiated,9,,\n"));
}

static void all_faults_at_once(void **state)
{
    (void)state;
    struct focal_figures *figures;
    struct focal_refusals refusals;
    focal_refusals_init(&refusals);
    assert_int_equal(focal_figures_parse(&figures, focal_span_text(HEAD "x,y,z,w,v,u,,\n2018-Q1,allegation,status,,recieved,1,,\n"), &refusals), FOCAL_REFUSED);
    assert_int_equal(refusals.total, 6);
    focal_refusals_close(&refusals);
    focal_refusals_init(&refusals);
    assert_int_equal(focal_figures_parse(&figures, focal_span_text("period,unit,value\n2018-Q1,x,y\n"), &refusals), FOCAL_REFUSED);
    assert_int_equal(refusals.total, 3);
    focal_refusals_close(&refusals);
}

/* ---- beside ---- */

static void ours_beside(void **state)
{
    (void)state;
    struct focal_figures *figures = parse(HEAD
        "2018-Q1,allegation,total,,all,10,,\n2018-Q1,allegation,incident_period,,2015+2016,6,,\n2018-Q1,allegation,incident_period,,unknown,3,,\n"
        "2018-Q1,allegation,channel,partial,hotline,2,,\n2018-Q1,allegation,member_state_referral,overlap,referred,4,,\n2018-Q1,allegation,status,,received,10,,\n");
    const struct focal_table_cell years[] = { { "2015", 2 }, { "2016", 4 }, { "2018", 1 }, { "unknown", 3 } };
    const struct focal_table_cell channels[] = { { "hotline", 1 } }, referrals[] = { { "referred", 4 }, { "none", 2 } };
    const struct focal_table ours[] = {
        { .name = "incident_period", .cells = years, .cell_count = 4, .total = 10 },
        { .name = "channel", .cells = channels, .cell_count = 1, .not_stated = 9, .total = 10 },
        { .name = "member_state_referral", .cells = referrals, .cell_count = 2, .not_stated = 4, .total = 10 },
        { .name = "status", .unit = FOCAL_UNIT_VICTIM, .total = 10 },
    };
    const uint64_t totals[FOCAL_UNITS] = { 10, 12, 0 };
    struct focal_besides besides;
    assert_int_equal(focal_beside_open(&besides, &figures->periods[0], ours, 4, totals), FOCAL_OK);
    assert_int_equal(besides.count, 5);
    assert_false(besides.equal);
    assert_true(besides.list[0].equal);                         /* total */
    assert_true(besides.list[1].equal);                         /* 2015+2016 = 6, the odd one is not published */
    assert_int_equal(besides.list[1].cells[0].ours, 6);
    assert_int_equal(besides.list[1].not_published, 1);
    assert_int_equal(besides.list[1].ours_rest, 1);
    assert_false(besides.list[2].equal);                        /* hotline 1 against 2 */
    assert_int_equal(besides.list[2].cells[0].published, 2);
    assert_true(besides.list[3].equal);                         /* overlap: the rest says nothing */
    assert_false(besides.list[4].held);                         /* ours by victim is another table */
    assert_false(besides.list[4].equal);
    focal_beside_close(&besides);
    focal_figures_close(figures);
}

static void words(void **state)
{
    (void)state;
    enum focal_unit unit;
    assert_true(focal_unit_by_name(&unit, focal_span_text("perpetrator")));
    assert_int_equal(unit, FOCAL_UNIT_PERPETRATOR);
    assert_false(focal_unit_by_name(&unit, focal_span_text("perpetrators")));
    assert_string_equal(focal_unit_plural(FOCAL_UNIT_VICTIM, 1), "victim");
    assert_string_equal(focal_unit_plural(FOCAL_UNIT_VICTIM, 0), "victims");
}

static bool allow(void *data, size_t bytes)
{
    unsigned *left = data;
    (void)bytes;
    return *left > 0 && (*left)--;
}

static void memory_that_ends(void **state)
{
    (void)state;
    bool done = false;
    for (unsigned n = 0; n < 200 && !done; n++) {
        unsigned left = n;
        struct focal_figures *figures;
        struct focal_refusals refusals;
        focal_refusals_init(&refusals);
        focal_alloc_hook(allow, &left);
        enum focal_status status = focal_figures_parse(&figures, focal_span_text(HEAD "2018-Q1,allegation,status,,received,1,,\n"), &refusals);
        focal_alloc_hook(NULL, NULL);
        done = status == FOCAL_OK;
        assert_true(done || (figures == NULL && (status == FOCAL_NO_MEMORY || refusals.total > 0)));
        focal_figures_close(figures);
        focal_refusals_close(&refusals);
    }
    assert_true(done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file), cmocka_unit_test(spanning_classes_and_missing_totals), cmocka_unit_test(faults),
        cmocka_unit_test(parts_above_their_total), cmocka_unit_test(all_faults_at_once), cmocka_unit_test(ours_beside), cmocka_unit_test(words),
        cmocka_unit_test(memory_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
