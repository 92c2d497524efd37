/* The counting rules, one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "report_cases.h"

#include <stdio.h>
#include <string.h>

#define ALLEGATION FOCAL_UNIT_ALLEGATION
#define VICTIM FOCAL_UNIT_VICTIM
#define PERPETRATOR FOCAL_UNIT_PERPETRATOR

static void give(struct focal_report *report, uint64_t seq, const char *json)
{
    assert_int_equal(report_give(report, 1, seq, json), FOCAL_OK);
}

static const struct focal_report_section *only(struct focal_report *report)
{
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    assert_int_equal(focal_report_section_count(report), 1);
    return focal_report_section_at(report, 0);
}

static void test_nothing(void **state)
{
    (void)state;
    struct focal_report *report = report_opened(NULL);
    const struct focal_report_section *section = only(report);
    assert_string_equal(section->period, "all");
    assert_int_equal(section->totals[ALLEGATION] + section->totals[VICTIM] + section->totals[PERPETRATOR], 0);
    assert_true(section->table_count > 10);
    for (size_t i = 0; i < section->table_count; i++)
        assert_int_equal(section->tables[i].total + section->tables[i].cell_count + section->tables[i].not_stated, 0);
    focal_report_close(report);
    focal_report_close(NULL);
}

static void test_units(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    give(report, 1, "{\"allegation_type\":\"sexual_abuse\",\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"child\"}]}");
    give(report, 2, "{\"allegation_type\":\"sexual_exploitation\",\"victims\":[{\"sex\":\"male\",\"age\":\"unknown\"}],"
                    "\"perpetrators\":[{\"sex\":\"male\",\"count\":\"3\"}]}");
    give(report, 3, "{\"allegation_type\":\"unknown\"}");
    give(report, 4, "{\"victims\":[{\"sex\":\"female\",\"age\":\"adult\"}]}");
    const struct focal_report_section *section = only(report);
    assert_int_equal(section->totals[ALLEGATION], 4);
    assert_int_equal(section->totals[VICTIM], 4);
    assert_int_equal(section->totals[PERPETRATOR], 3);
    assert_false(section->at_least);
    assert_int_equal(report_cell(report, "all", "allegation_type", ALLEGATION, "sexual_abuse"), 1);
    assert_int_equal(report_cell(report, "all", "allegation_type", ALLEGATION, "unknown"), 1);
    assert_int_equal(report_cell(report, "all", "allegation_type", ALLEGATION, "not_stated"), 1);
    assert_int_equal(report_cell(report, "all", "allegation_type", ALLEGATION, "total"), 4);
    assert_int_equal(report_cell(report, "all", "allegation_type", VICTIM, "sexual_abuse"), 2);
    assert_int_equal(report_cell(report, "all", "allegation_type", VICTIM, "unknown"), 0);
    assert_int_equal(report_cell(report, "all", "allegation_type", VICTIM, "not_stated"), 1);
    assert_int_equal(report_cell(report, "all", "allegation_type", PERPETRATOR, "sexual_exploitation"), 3);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "female.child"), 2);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "male.unknown"), 1);
    assert_null(focal_report_table(report, "all", "victim_sex_age", ALLEGATION));
    assert_null(focal_report_table(report, "2018", "allegation_type", ALLEGATION));
    assert_null(focal_report_table(report, "all", "feedback_preference", ALLEGATION));
    assert_null(focal_report_table(report, "all", "nonsense", ALLEGATION));
    focal_report_close(report);
}

static void test_usual_tables(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    const struct focal_report_section *section = only(report);
    assert_string_equal(section->tables[0].name, "allegation_type");
    assert_int_equal(section->tables[0].unit, ALLEGATION);
    assert_string_equal(section->tables[1].name, "allegation_type");
    assert_int_equal(section->tables[1].unit, VICTIM);
    size_t usual = section->table_count;
    focal_report_close(report);

    struct focal_error err;
    assert_int_equal(focal_report_open(&report, &(struct focal_report_setup){ .every_unit = true }, &err), FOCAL_OK);
    section = only(report);
    assert_true(section->table_count > 2 * usual);
    for (size_t i = 0; i < section->table_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(section->tables[i].unit != section->tables[j].unit || strcmp(section->tables[i].name, section->tables[j].name) != 0);
    /* Every field of which a case has one value, that is not sealed, and that people fill in. */
    const struct focal_kind *kind = focal_kind_by_name("case");
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct focal_field *field = &kind->fields[i];
        bool counted = field->intake < FOCAL_INTAKE_COMMAND && focal_field_merge(field->number) == FOCAL_MERGE_REGISTER && focal_field_scope(field->number) <= FOCAL_SCOPE_COUNTRY &&
                       (field->type == FOCAL_TYPE_CODE || field->type == FOCAL_TYPE_COUNTRY || field->type == FOCAL_TYPE_QUARTER || field->type == FOCAL_TYPE_PERIOD);
        for (int unit = 0; unit < FOCAL_UNITS; unit++)
            assert_int_equal(focal_report_table(report, "all", field->name, (enum focal_unit)unit) != NULL, counted);
    }
    focal_report_close(report);
}

static void test_victims_in_parts(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    give(report, 1, "{\"victims\":[{\"sex\":\"female\"},{\"age\":\"child\"},{\"sex\":\"unknown\",\"age\":\"unknown\"}]}");
    struct report_case one;
    report_case_init(&one, 1, 2);
    report_case_begin(&one, "{}");
    uint64_t victims = focal_field_by_name(focal_kind_by_name("case"), "victims")->number;
    report_case_bytes(&one, victims, "\0\0", 2);       /* both parts absent */
    report_case_bytes(&one, victims, "\x02\x63", 2);   /* an age that this program does not know */
    report_case_bytes(&one, victims, "\xff", 1);       /* no row at all */
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    const struct focal_report_section *section = only(report);
    assert_int_equal(section->totals[VICTIM], 6);
    assert_int_equal(section->needs_newer, 1);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "female.not_stated"), 1);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "not_stated.child"), 1);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "unknown.unknown"), 1);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "needs_newer_program"), 2);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "not_stated"), 1);
    assert_int_equal(report_cell(report, "all", "victim_sex_age", VICTIM, "total"), 6);
    focal_report_close(report);
}

static void test_perpetrators(void **state)
{
    (void)state;
    static const struct { const char *rows; uint64_t count; bool at_least; } cases[] = {
        { "{\"sex\":\"male\",\"count\":\"1\"}", 1, false }, { "{\"sex\":\"male\",\"count\":\"2\"}", 2, false },
        { "{\"sex\":\"male\",\"count\":\"3\"}", 3, false }, { "{\"sex\":\"male\",\"count\":\"more_than_3\"}", 4, true },
        { "{\"sex\":\"male\",\"count\":\"unknown\"}", 1, true }, { "{\"sex\":\"male\"}", 1, true },
        { "{\"sex\":\"male\",\"count\":\"3\"},{\"sex\":\"male\",\"count\":\"more_than_3\"}", 7, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[200];
        struct focal_report *report = report_opened("all");
        (void)snprintf(json, sizeof json, "{\"status\":\"received\",\"perpetrators\":[%s]}", cases[i].rows);
        give(report, 1, json);
        const struct focal_report_section *section = only(report);
        assert_int_equal(section->totals[PERPETRATOR], cases[i].count);
        assert_int_equal(section->at_least, cases[i].at_least);
        assert_int_equal(report_cell(report, "all", "perpetrator_sex", PERPETRATOR, "male"), cases[i].count);
        assert_int_equal(focal_report_table(report, "all", "perpetrator_sex", PERPETRATOR)->at_least, cases[i].at_least);
        assert_int_equal(focal_report_table(report, "all", "status", PERPETRATOR)->at_least, cases[i].at_least);
        assert_false(focal_report_table(report, "all", "status", ALLEGATION)->at_least);
        focal_report_close(report);
    }
    struct focal_report *report = report_opened("all");
    give(report, 1, "{\"perpetrators\":[{\"count\":\"2\"},{\"sex\":\"unknown\",\"count\":\"1\"}]}");
    only(report);
    assert_int_equal(report_cell(report, "all", "perpetrator_sex", PERPETRATOR, "not_stated"), 2);
    assert_int_equal(report_cell(report, "all", "perpetrator_sex", PERPETRATOR, "unknown"), 1);
    focal_report_close(report);
}

static void test_two_versions(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    struct report_case one;
    report_case_init(&one, 1, 1);
    report_case_begin(&one, "{\"status\":\"substantiated\",\"channel\":\"unknown\"}");
    report_case_also(&one, 2, "{\"status\":\"under_investigation\",\"channel\":\"hotline\"}");
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
    give(report, 2, "{\"status\":\"substantiated\"}");
    const struct focal_report_section *section = only(report);
    assert_int_equal(section->two_versions, 1);
    assert_int_equal(section->totals[ALLEGATION], 2);
    /* The least a status says, and a known channel before an unknown one, is shown first. */
    assert_int_equal(report_cell(report, "all", "status", ALLEGATION, "under_investigation"), 1);
    assert_int_equal(report_cell(report, "all", "status", ALLEGATION, "substantiated"), 1);
    assert_int_equal(report_cell(report, "all", "channel", ALLEGATION, "hotline"), 1);
    assert_int_equal(focal_report_table(report, "all", "status", ALLEGATION)->two_versions, 1);
    assert_int_equal(focal_report_table(report, "all", "status", VICTIM)->two_versions, 0);
    assert_int_equal(focal_report_table(report, "all", "entity_class", ALLEGATION)->two_versions, 0);
    focal_report_close(report);
}

/* With the digest of what it saw: nothing of the country part, and in the network part what is given. */
static void give_withdrawn(struct focal_report *report, uint64_t seq, const char *json, const char *then)
{
    struct report_case one;
    struct focal_record record;
    uint8_t saw[FOCAL_SAW_BYTES];
    report_case_init(&one, 1, seq);
    report_case_begin(&one, json);
    assert_int_equal(focal_record_open(&record, &one.ref, &one.widest, &one.home, true, NULL), FOCAL_OK);
    focal_record_saw(&record, false, saw);
    focal_record_close(&record);
    report_case_bytes(&one, FOCAL_CASE_WITHDRAWN, "\x03", 1);
    report_case_bytes(&one, FOCAL_CASE_SAW, saw, sizeof saw);
    if (then)
        report_case_also(&one, 2, then);
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_close(&one);
}

static void test_withdrawn(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("2018-Q1,2018-Q2");
    give_withdrawn(report, 1, "{\"received_quarter\":\"2018-Q2\",\"status\":\"received\",\"victims\":[{\"sex\":\"female\"}]}", NULL);
    give_withdrawn(report, 2, "{\"received_quarter\":\"2018-Q2\",\"status\":\"received\"}", "{\"channel\":\"hotline\"}");
    give(report, 3, "{\"received_quarter\":\"2018-Q2\",\"status\":\"received\"}");
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    const struct focal_report_section *first = focal_report_section_at(report, 0), *second = focal_report_section_at(report, 1);
    assert_int_equal(first->withdrawn, 0);
    assert_int_equal(second->totals[ALLEGATION], 1);
    assert_int_equal(second->totals[VICTIM], 0);
    assert_int_equal(second->withdrawn, 2);
    assert_int_equal(second->withdrawn_changed, 1);
    assert_int_equal(second->two_versions, 0);
    assert_int_equal(report_cell(report, "2018-Q2", "channel", ALLEGATION, "hotline"), 0);
    focal_report_close(report);
}

static void test_waiting_and_other_kinds(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    struct report_case one;
    report_case_init(&one, 1, 1);
    report_case_also(&one, 2, "{\"status\":\"received\",\"victims\":[{\"sex\":\"female\",\"age\":\"adult\"}]}");     /* no beginning */
    assert_int_equal(report_case_give(report, &one), FOCAL_OK);
    report_case_begin(&one, "{\"channel\":\"hotline\"}");
    struct focal_record record;
    assert_int_equal(focal_record_open(&record, &one.ref, &one.widest, NULL, true, NULL), FOCAL_OK);             /* the home part is not here */
    assert_false(record.complete);
    assert_int_equal(focal_report_add(report, &record), FOCAL_OK);
    focal_record_close(&record);

    record = (struct focal_record){ .kind_number = FOCAL_KIND_ENTITY, .kind = focal_kind_by_number(FOCAL_KIND_ENTITY), .complete = true };
    assert_int_equal(focal_report_add(report, &record), FOCAL_OK);
    record.complete = false;
    assert_int_equal(focal_report_add(report, &record), FOCAL_OK);
    record = (struct focal_record){ .kind_number = 4711, .needs_newer = true, .complete = true };
    assert_int_equal(focal_report_add(report, &record), FOCAL_OK);
    report_case_close(&one);
    const struct focal_report_section *section = only(report);
    assert_int_equal(section->waiting, 2);
    assert_int_equal(section->totals[ALLEGATION], 0);
    assert_int_equal(section->totals[VICTIM], 0);
    focal_report_close(report);
}

static void test_newer_values(void **state)
{
    (void)state;
    static const char *const fields[] = { "allegation_type", "country", "received_quarter", "incident_period" };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct focal_report *report = report_opened("all");
        struct report_case one;
        report_case_init(&one, 1, 1);
        report_case_begin(&one, "{}");
        uint64_t field = focal_field_by_name(focal_kind_by_name("case"), fields[i])->number;
        report_case_bytes(&one, field, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
        assert_int_equal(report_case_give(report, &one), FOCAL_OK);
        report_case_close(&one);
        const struct focal_report_section *section = only(report);
        assert_int_equal(section->needs_newer, 1);
        assert_int_equal(report_cell(report, "all", fields[i], ALLEGATION, "needs_newer_program"), 1);
        assert_int_equal(report_cell(report, "all", fields[i], ALLEGATION, "not_stated"), 0);
        assert_int_equal(section->without_quarter, 1);
        focal_report_close(report);
    }
}

static void test_periods(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("2018-Q2, 2018,all,2017");
    give(report, 1, "{\"received_quarter\":\"2018-Q1\"}");
    give(report, 2, "{\"received_quarter\":\"2018-Q2\"}");
    give(report, 3, "{\"received_quarter\":\"2018-Q2\"}");
    give(report, 4, "{\"received_quarter\":\"2017-Q4\"}");
    give(report, 5, "{\"received_quarter\":\"2016-Q4\"}");
    give(report, 6, "{}");
    assert_int_equal(focal_report_finish(report), FOCAL_OK);
    static const uint64_t wanted[] = { 2, 3, 6, 1 };
    assert_int_equal(focal_report_section_count(report), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(focal_report_section_at(report, i)->totals[ALLEGATION], wanted[i]);
        assert_int_equal(focal_report_section_at(report, i)->without_quarter, 1);
    }
    assert_int_equal(report_cell(report, "2018", "received_quarter", ALLEGATION, "2018-Q2"), 2);
    assert_int_equal(report_cell(report, "all", "received_quarter", ALLEGATION, "not_stated"), 1);
    focal_report_close(report);
}

static void test_periods_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "2018-Q5", "2018-q1", "18", "1944", "1944-Q4", "2018-Q2,", ",2018", "2018,2018", "All", "2018-Q2-Q3",
        "20181", "\x01\xff\"<script>", "a very long text that is no period at all" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct focal_report *report;
        struct focal_error err = { .status = FOCAL_OK };
        assert_int_equal(focal_report_open(&report, &(struct focal_report_setup){ .period = bad[i] }, &err), FOCAL_USAGE);
        assert_null(report);
        assert_int_equal(err.status, FOCAL_USAGE);
        assert_true(err.message[0] && err.hint[0]);
        assert_null(strchr(err.message, '\x01'));
    }
    char many[65 * 5 + 16] = "";
    for (int i = 0; i < 65; i++)
        (void)snprintf(many + 5 * i, 16, "%d,", 1950 + i);
    many[65 * 5 - 1] = 0;
    struct focal_report *report;
    struct focal_error err;
    assert_int_equal(focal_report_open(&report, &(struct focal_report_setup){ .period = many }, &err), FOCAL_USAGE);
}

static void test_order_of_cells(void **state)
{
    (void)state;
    struct focal_report *report = report_opened("all");
    static const char *const periods[] = { "unknown", "2018", "before-2016", "2017", "2016", "2015" };
    static const char *const wanted[] = { "2015", "before-2016", "2016", "2017", "2018", "unknown" };
    for (size_t i = 0; i < 6; i++) {
        char json[80];
        (void)snprintf(json, sizeof json, "{\"incident_period\":\"%s\",\"country\":\"%s\"}", periods[i], i % 2 ? "ZWE" : "AFG");
        give(report, i + 1, json);
    }
    only(report);
    const struct focal_table *table = focal_report_table(report, "all", "incident_period", ALLEGATION);
    assert_int_equal(table->cell_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(table->cells[i].code, wanted[i]);
    table = focal_report_table(report, "all", "country", ALLEGATION);
    assert_int_equal(table->cell_count, 2);
    assert_string_equal(table->cells[0].code, "AFG");
    assert_string_equal(table->cells[1].code, "ZWE");
    focal_report_close(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_units), cmocka_unit_test(test_usual_tables), cmocka_unit_test(test_victims_in_parts),
        cmocka_unit_test(test_perpetrators), cmocka_unit_test(test_two_versions), cmocka_unit_test(test_withdrawn), cmocka_unit_test(test_waiting_and_other_kinds),
        cmocka_unit_test(test_newer_values), cmocka_unit_test(test_periods), cmocka_unit_test(test_periods_refused), cmocka_unit_test(test_order_of_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
