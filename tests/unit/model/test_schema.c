/* The schema table obeys its own rules. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static void every_number_is_used_once(void **state)
{
    (void)state;
    static bool used[1024];
    for (size_t k = 0; k < focal_kind_count(); k++) {
        const struct focal_kind *kind = focal_kind_at(k);
        for (size_t j = 0; j < k; j++)
            assert_int_not_equal(kind->number, focal_kind_at(j)->number);
        for (size_t i = 0; i < kind->field_count; i++) {
            uint32_t serial = kind->fields[i].number / 64;
            assert_true(serial >= 1 && serial < 1024);
            assert_false(used[serial]);
            used[serial] = true;
            if (i > 0)
                assert_true(kind->fields[i - 1].number < kind->fields[i].number);
        }
    }
}

static bool has_codes(const struct focal_field *f)
{
    return f->type == FOCAL_TYPE_CODE || f->type == FOCAL_TYPE_ROW || f->type == FOCAL_TYPE_ENTRY_CODE ||
           f->type == FOCAL_TYPE_EVENT;
}

static void check_table(const struct focal_code_table *table)
{
    uint32_t last = FOCAL_CODE_UNKNOWN;
    assert_non_null(table->name);
    for (const struct focal_code *code = table->codes; code->name; code++) {
        bool unknown = strcmp(code->name, "unknown") == 0;
        assert_int_equal(unknown, code->number == FOCAL_CODE_UNKNOWN);
        assert_int_equal(unknown && code[1].name, 0);
        assert_null(strchr(code->name, '.'));
        assert_null(strchr(code->name, ';'));
        assert_non_null(code->label_en);
        assert_true(code->label_en[0] != 0);
        if (!unknown) {
            assert_true(code->number > last);
            last = code->number;
        }
        assert_ptr_equal(focal_code_by_number(table, code->number), code);
        assert_ptr_equal(focal_code_by_name(table, focal_span_text(code->name)), code);
    }
    assert_null(focal_code_by_number(table, 0));
    assert_null(focal_code_by_number(table, last + 1));
    assert_null(focal_code_by_name(table, focal_span_text("")));
}

static void check_field(const struct focal_kind *kind, const struct focal_field *f)
{
    assert_non_null(f->label_en);
    assert_ptr_equal(focal_field_by_number(kind, f->number), f);
    assert_ptr_equal(focal_field_by_name(kind, f->name), f);
    assert_int_equal(f->parts > 0, has_codes(f));
    for (unsigned p = 0; p < FOCAL_PARTS_MAX; p++) {
        assert_int_equal(f->tables[p] != NULL, p < f->parts);
        assert_int_equal(f->part_names[p] != NULL, p < f->parts + (f->type == FOCAL_TYPE_EVENT ? 1u : 0u));
        if (f->tables[p])
            check_table(f->tables[p]);
    }
    assert_int_equal(focal_field_merge(f->number) == FOCAL_MERGE_MAP, f->type == FOCAL_TYPE_ENTRY_CODE);
    assert_int_equal(focal_field_merge(f->number) == FOCAL_MERGE_EVENTS, f->type == FOCAL_TYPE_EVENT);
    assert_int_equal(f->key_parts > 0, f->type == FOCAL_TYPE_ENTRY_CODE);
    assert_true(f->key_parts == 0 || f->key_parts < f->parts);
    assert_true(f->max > 0 || (f->type != FOCAL_TYPE_TEXT && f->type != FOCAL_TYPE_BYTES));
    for (size_t i = 0; f->shown_first && f->shown_first[i]; i++)
        assert_non_null(focal_code_by_name(f->tables[f->key_parts], focal_span_text(f->shown_first[i])));
}

static void every_row_is_well_made(void **state)
{
    (void)state;
    for (size_t k = 0; k < focal_kind_count(); k++) {
        const struct focal_kind *kind = focal_kind_at(k);
        assert_ptr_equal(focal_kind_by_number(kind->number), kind);
        assert_ptr_equal(focal_kind_by_name(kind->name), kind);
        assert_true(kind->plural && kind->label_en && kind->field_count > 0);
        for (size_t i = 0; i < kind->field_count; i++) {
            check_field(kind, &kind->fields[i]);
            /* An entry of a narrower scope can hold what a wider one may not, never the other way round. */
            assert_true(focal_field_scope(kind->fields[i].number) >= kind->creating_scope);
        }
    }
}

/* Free text in a case would sooner or later hold a name. */
static void a_case_holds_no_free_text(void **state)
{
    (void)state;
    const struct focal_kind *kind = focal_kind_by_name("case");
    assert_int_equal(kind->field_count, 28);
    for (size_t i = 0; i < kind->field_count; i++) {
        assert_int_not_equal(kind->fields[i].type, FOCAL_TYPE_TEXT);
        assert_int_equal(kind->fields[i].type == FOCAL_TYPE_BYTES, kind->fields[i].intake == FOCAL_INTAKE_MACHINE);
        assert_true(kind->fields[i].type != FOCAL_TYPE_BYTES || kind->fields[i].max == 8);
        if (focal_field_scope(kind->fields[i].number) == FOCAL_SCOPE_NETWORK)
            assert_int_not_equal(kind->fields[i].type, FOCAL_TYPE_DATE);
    }
}

static void names_are_found(void **state)
{
    (void)state;
    const struct focal_kind *kind = focal_kind_by_name("focal-point");
    assert_non_null(kind);
    assert_ptr_equal(kind, focal_kind_by_name("focal_point"));
    assert_ptr_equal(kind, focal_kind_by_number(FOCAL_KIND_FOCAL_POINT));
    assert_ptr_equal(focal_field_by_name(kind, "duty-contact"), focal_field_by_name(kind, "duty_contact"));
    assert_non_null(focal_field_by_name(kind, "duty_contact"));
    assert_null(focal_field_by_name(kind, "duty_contac"));
    assert_null(focal_field_by_name(kind, "duty_contacts"));
    assert_null(focal_field_by_name(kind, ""));
    assert_null(focal_kind_by_name("cas"));
    assert_null(focal_kind_by_number(21));
    assert_null(focal_kind_by_number(0));
    assert_null(focal_kind_by_number((1ull << 32) + 16));
    assert_null(focal_field_by_number(kind, 1));
    assert_null(focal_field_by_number(kind, UINT64_MAX));
    assert_null(focal_field_by_number(kind, (1ull << 32) + focal_field_by_name(kind, "role")->number));
}

/* The names that code elsewhere uses are rows of the table. */
static void named_numbers_are_rows(void **state)
{
    (void)state;
    const struct focal_kind *redaction = focal_kind_by_number(FOCAL_KIND_REDACTION);
    assert_non_null(redaction);
    assert_int_equal(focal_field_by_name(redaction, "entry")->number, FOCAL_REDACTION_ENTRY);
    assert_int_equal(focal_field_by_name(redaction, "record")->number, FOCAL_REDACTION_RECORD);
    assert_int_equal(focal_field_by_name(redaction, "reason")->number, FOCAL_REDACTION_REASON);
    assert_int_equal(focal_field_by_name(redaction, "reach")->number, FOCAL_REDACTION_REACH);
    assert_int_equal(focal_field_by_name(focal_kind_by_number(FOCAL_KIND_OPENING), "reason")->number, FOCAL_OPENING_REASON);
    assert_int_equal(focal_field_by_name(focal_kind_by_number(FOCAL_KIND_ADDRESS), "at")->number, FOCAL_ADDRESS_AT);
    const struct focal_kind *of_case = focal_kind_by_number(FOCAL_KIND_CASE);
    assert_int_equal(focal_field_by_name(of_case, "withdrawn")->number, FOCAL_CASE_WITHDRAWN);
    assert_int_equal(focal_field_by_name(of_case, "withdrawn_saw")->number, FOCAL_CASE_SAW);
    assert_int_equal(focal_field_by_name(of_case, "withdrawn_saw_network")->number, FOCAL_CASE_SAW_NETWORK);
    assert_int_equal(focal_field_by_name(of_case, "withdrawn_saw_country")->number, FOCAL_CASE_SAW_COUNTRY);
    const struct focal_code_table *reasons = focal_field_by_name(of_case, "withdrawn")->tables[0];
    assert_string_equal(focal_code_by_number(reasons, FOCAL_CODE_RESTORED)->name, "restored");
}

static void numbers_carry_their_classes(void **state)
{
    (void)state;
    assert_int_equal(FOCAL_FIELD(16, FOCAL_SCOPE_COUNTRY, FOCAL_MERGE_MAP), 16 * 64 + 2 * 8 + 2);
    assert_int_equal(focal_field_scope(16 * 64 + 2 * 8 + 2), FOCAL_SCOPE_COUNTRY);
    assert_int_equal(focal_field_merge(16 * 64 + 2 * 8 + 2), FOCAL_MERGE_MAP);
    assert_int_equal(focal_field_merge(64 + 3), FOCAL_MERGE_EVENTS);
    for (uint64_t cls = 4; cls < 8; cls++)
        assert_int_equal(focal_field_merge(UINT64_MAX - 7 + cls), FOCAL_MERGE_SET);
    assert_int_equal(focal_field_scope(UINT64_MAX), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_used_once), cmocka_unit_test(every_row_is_well_made),
        cmocka_unit_test(a_case_holds_no_free_text), cmocka_unit_test(names_are_found),
        cmocka_unit_test(named_numbers_are_rows), cmocka_unit_test(numbers_carry_their_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
