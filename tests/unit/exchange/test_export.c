/* What is exported, imported again, gives the same values: for every kind, in both forms. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "exchange_record.h"

#include <stdio.h>
#include <string.h>

enum { TODAY = 20000, ROOM = 1 << 20 };

struct got { struct focal_row row; size_t count; };

static enum focal_status keep(void *data, const struct focal_row *row)
{
    struct got *got = data;
    focal_row_clear(&got->row);
    const void *id = focal_arena_copy(&got->row.arena, row->id.data, row->id.len);
    got->row.id = focal_span_of(id, row->id.len);
    got->row.items = focal_realloc(got->row.items, (row->item_count + 1) * sizeof *row->items);
    for (size_t i = 0; i < row->item_count; i++) {
        got->row.items[i] = row->items[i];
        got->row.items[i].value.data = focal_arena_copy(&got->row.arena, row->items[i].value.data, row->items[i].value.len);
    }
    got->row.item_count = row->item_count;
    got->count++;
    return FOCAL_OK;
}

static void read_back(struct got *got, const struct focal_kind *kind, enum focal_form form, const struct focal_buf *text)
{
    struct focal_import_setup setup = { .form = form, .intake = { .kind = kind, .today = TODAY }, .row = keep, .data = got };
    struct focal_import *import;
    struct focal_error err;
    got->count = 0;
    assert_int_equal(focal_import_open(&import, &setup), FOCAL_OK);
    assert_int_equal(focal_import_feed(import, focal_buf_view(text), &err), FOCAL_OK);
    assert_int_equal(focal_import_finish(import, &err), FOCAL_OK);
    const struct focal_refusals *refusals = focal_import_refusals(import);
    if (refusals->total > 0)
        fail_msg("line %llu %s: %s", (unsigned long long)refusals->list[0].line, refusals->list[0].field, refusals->list[0].reason);
    assert_int_equal(got->count, 1);
    focal_import_close(import);
}

/* As sets: a record orders rows by their names, not by the file. */
static void same_values(const struct focal_row *a, const struct focal_row *b)
{
    assert_int_equal(a->item_count, b->item_count);
    bool taken[512] = { false };
    for (size_t i = 0; i < a->item_count; i++) {
        bool found = false;
        for (size_t j = 0; j < b->item_count && !found; j++) {
            if (taken[j] || a->items[i].field != b->items[j].field || a->items[i].op != b->items[j].op || !focal_span_equal(a->items[i].value, b->items[j].value))
                continue;
            found = taken[j] = true;
        }
        assert_true(found);
    }
}

static void goes_round(const char *kind_name, const char *json)
{
    const struct focal_kind *kind = focal_kind_by_name(kind_name);
    struct focal_intake_for intake = { .kind = kind, .today = TODAY };
    struct focal_export_for export = { .kind = kind };
    struct focal_refusals refusals;
    struct focal_row row;
    struct got got = { .count = 0 };
    struct exchange_record record;
    struct focal_buf text;
    focal_refusals_init(&refusals);
    focal_row_init(&row);
    focal_row_init(&got.row);
    focal_buf_init(&text, ROOM);
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text(json), 1, &refusals), FOCAL_OK);
    assert_true(row.item_count > 0);
    exchange_record_open(&record, kind, &row, 1);

    focal_export_csv_header(&text, &export);
    focal_export_csv_row(&text, &export, &record.record, "KEN-4F7Q-29XD-8");
    read_back(&got, kind, FOCAL_FORM_CSV, &text);
    same_values(&row, &got.row);
    assert_true(focal_span_equal(got.row.id, focal_span_text("KEN-4F7Q-29XD-8")));

    focal_buf_clear(&text);
    focal_export_json_line(&text, &export, &record.record, "KEN-4F7Q-29XD-8");
    read_back(&got, kind, FOCAL_FORM_JSONL, &text);
    same_values(&row, &got.row);
    assert_true(focal_span_equal(got.row.id, focal_span_text("KEN-4F7Q-29XD-8")));

    focal_buf_close(&text);
    exchange_record_close(&record);
    focal_row_close(&row);
    focal_row_close(&got.row);
    focal_refusals_close(&refusals);
}

static void every_kind_goes_round(void **state)
{
    (void)state;
    goes_round("case", "{\"country\":\"KEN\",\"received_quarter\":\"2018-Q2\",\"received_date\":\"2018-05-03\",\"incident_period\":\"before-2016\",\"elapsed\":\"over-1m\","
        "\"channel\":\"hotline\",\"source_role\":\"anonymous\",\"entity_class\":\"ngo\",\"personnel_category\":\"un_police\",\"allegation_type\":\"unknown\","
        "\"concerned_entity\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
        "\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"child\"},{\"age\":\"adult\"},{}],"
        "\"perpetrators\":[{\"sex\":\"male\",\"count\":\"more_than_3\"},{\"count\":\"unknown\"}],\"status\":\"received\",\"member_state_referral\":\"none\","
        "\"assistance\":{\"medical\":\"accepted\",\"legal\":\"declined\"},\"consent\":{\"referral.headquarters\":\"given.self\",\"contact.other\":\"refused\"},"
        "\"feedback_events\":[{\"event\":\"given\",\"day\":\"2018-05-09\"},{\"event\":\"attempted\",\"day\":\"unknown\"}],"
        "\"same_as\":[\"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"ee112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"]}");
    goes_round("entity", "{\"name\":\"Doctors, \\\"Ltd\\\" & Söhne\",\"short_name\":\"=X\",\"kind\":\"non_un\",\"valid_from\":\"2001-02-03\"}");
    goes_round("focal_point", "{\"country\":\"SSD\",\"role\":\"alternate\",\"duty_contact\":\"+211 912 000 000\",\"languages\":[\"fr\",\"ar-SD\"]}");
    goes_round("endorsement", "{\"entity\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\",\"date\":\"unknown\"}");
    goes_round("nil_return", "{\"country\":\"KEN\",\"period\":\"2018-Q2\"}");
}

static void print_code(void *data, struct focal_buf *out, const struct focal_ref *ref)
{
    (void)data;
    focal_buf_printf(out, "CODE-%u", (unsigned)ref->log.b[0]);
}

static void forms(void **state)
{
    (void)state;
    const struct focal_kind *kind = focal_kind_by_name("case");
    struct focal_intake_for intake = { .kind = kind, .today = TODAY };
    struct focal_export_for export = { .kind = kind, .print = print_code };
    struct focal_refusals refusals;
    struct focal_row row;
    struct exchange_record record;
    struct focal_buf text;
    focal_refusals_init(&refusals);
    focal_row_init(&row);
    focal_buf_init(&text, ROOM);
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text(
        "{\"status\":\"received\",\"victims\":\"female.child;female.child;.\",\"assistance\":\"medical.accepted\","
        "\"same_as\":\"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}"), 1, &refusals), FOCAL_OK);
    exchange_record_open(&record, kind, &row, 1);
    exchange_record_also(&record, focal_field_by_name(kind, "status"), "substantiated", 2);
    focal_export_json_line(&text, &export, &record.record, "K");
    assert_string_equal(focal_buf_cstr(&text),
        "{\"id\":\"K\",\"victims\":[{},{\"sex\":\"female\",\"age\":\"child\"},{\"sex\":\"female\",\"age\":\"child\"}],\"status\":\"received\","
        "\"assistance\":{\"medical\":\"accepted\"},\"same_as\":[\"CODE-255\"],\"two_versions\":[\"status\"]}\n");
    focal_buf_clear(&text);
    focal_export_csv_row(&text, &export, &record.record, "K");
    assert_string_equal(focal_buf_cstr(&text), "K,,,,,,,,,,,,.;female.child;female.child,,,received,,medical.accepted,,,,,CODE-255,\r\n");
    focal_buf_close(&text);
    exchange_record_close(&record);
    focal_row_close(&row);
    focal_refusals_close(&refusals);
}

static void add_bytes(struct exchange_record *record, const char *payload, size_t len)
{
    struct focal_contribution c = { .ref = record->record.ref, .has_payload = true, .payload = focal_span_of(payload, len) };
    struct focal_buf header;
    focal_buf_init(&header, 256);
    c.ref.seq = 77;
    memset(c.ref.h8, 0x77, sizeof c.ref.h8);
    memset(c.h.b, 0x77, sizeof c.h.b);
    struct focal_header h = { .shape = FOCAL_SHAPE_ORDINARY, .seq = 77, .record = record->record.ref };
    focal_header_encode(&header, &h);
    c.header = focal_buf_view(&header);
    assert_int_equal(focal_part_add(&record->widest, &c), FOCAL_OK);
    focal_buf_close(&header);
    struct focal_ref ref = record->record.ref;
    focal_record_close(&record->record);
    assert_int_equal(focal_record_open(&record->record, &ref, &record->widest, &record->home, true, NULL), FOCAL_OK);
}

/* A withdrawn case stands only in a file of withdrawn ones, and such a file says so and does not come back in. */
static void withdrawn_cases(void **state)
{
    (void)state;
    const struct focal_kind *kind = focal_kind_by_name("case");
    struct focal_intake_for intake = { .kind = kind, .today = TODAY };
    struct focal_export_for plain = { .kind = kind }, withdrawn = { .kind = kind, .withdrawn = true };
    struct focal_refusals refusals;
    struct focal_row row;
    struct exchange_record record;
    struct focal_buf text;
    focal_refusals_init(&refusals);
    focal_row_init(&row);
    focal_buf_init(&text, ROOM);
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text("{\"status\":\"received\"}"), 1, &refusals), FOCAL_OK);
    exchange_record_open(&record, kind, &row, 1);
    assert_true(focal_export_wants(&plain, &record.record));
    assert_false(focal_export_wants(&withdrawn, &record.record));
    add_bytes(&record, "\x10\x88\x14\x01\x03\xc9\x14\x08" "12345678", 16);      /* withdrawn, withdrawn_saw */
    assert_false(focal_export_wants(&plain, &record.record));
    assert_true(focal_export_wants(&withdrawn, &record.record));
    focal_export_json_line(&text, &withdrawn, &record.record, "K");
    assert_string_equal(focal_buf_cstr(&text), "{\"id\":\"K\",\"status\":\"received\",\"withdrawn\":\"duplicate\"}\n");
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_buf_view(&text), 1, &refusals), FOCAL_REFUSED);
    assert_non_null(strstr(refusals.list[0].reason, "a command of its own"));
    focal_buf_clear(&text);
    focal_export_csv_header(&text, &withdrawn);
    assert_non_null(strstr(focal_buf_cstr(&text), ",mailbox,withdrawn\r\n"));
    focal_buf_clear(&text);
    focal_export_csv_header(&text, &plain);
    assert_null(strstr(focal_buf_cstr(&text), "withdrawn"));
    focal_buf_close(&text);
    exchange_record_close(&record);
    focal_row_close(&row);
    focal_refusals_close(&refusals);
}

static void json_strings(void **state)
{
    (void)state;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    focal_json_string(&text, focal_span_text("a\"\\\n\x7f\xc3\xa9"));
    assert_string_equal(focal_buf_cstr(&text), "\"a\\\"\\\\\\u000a\\u007f\xc3\xa9\"");
    focal_buf_close(&text);
}

static struct { bool opens; const char *plain; size_t len; uint64_t field; } opener;

static bool open_it(void *data, struct focal_buf *plain, const struct focal_ref *record, const struct focal_live *live)
{
    assert_ptr_equal(data, &opener);
    assert_int_equal(live->field, opener.field);
    assert_int_equal(record->seq, 1);
    if (opener.opens)
        focal_buf_bytes(plain, opener.plain, opener.len);
    return opener.opens;
}

static void goes_round_with(const struct focal_export_for *export)
{
    static const char file[] = "id,status,feedback_preference\r\nK,received,unsafe\r\n";
    struct got got = { .count = 0 };
    struct focal_buf text;
    focal_row_init(&got.row);
    focal_buf_init(&text, ROOM);
    focal_buf_text(&text, file);
    read_back(&got, export->kind, FOCAL_FORM_CSV, &text);
    assert_int_equal(got.row.item_count, 2);
    assert_int_equal(got.row.items[1].field->number, opener.field);
    assert_true(focal_span_equal(got.row.items[1].value, focal_span_text("\x04")));        /* plain: it is sealed when it is written */
    focal_buf_close(&text);
    focal_row_close(&got.row);
}

/* Sealed fields stand in no file unless they are asked for, and then with what opens; what does not is left out, and so is what
 * nobody here can read. A file with them can be imported again. */
static void sealed_fields(void **state)
{
    (void)state;
    static const char head[] = "id,country,received_quarter,received_date,incident_period,elapsed,channel,source_role,entity_class,concerned_entity,"
                               "personnel_category,allegation_type,victims,perpetrators,paternity_claim,status,member_state_referral,assistance,consent,";
    static const struct { bool opens; const char *plain; size_t len; const char *json, *csv; } cases[] = {
        { true, "\x04", 1, "{\"id\":\"K\",\"status\":\"received\",\"feedback_preference\":\"unsafe\"}\n", "K,,,,,,,,,,,,,,,received,,,,unsafe,,,,,\r\n" },
        { false, "", 0, "{\"id\":\"K\",\"status\":\"received\"}\n", "K,,,,,,,,,,,,,,,received,,,,,,,,,\r\n" },
        { true, "\x63", 1, "{\"id\":\"K\",\"status\":\"received\"}\n", "K,,,,,,,,,,,,,,,received,,,,,,,,,\r\n" },
    };
    const struct focal_kind *kind = focal_kind_by_name("case");
    struct focal_export_for without = { .kind = kind }, with = { .kind = kind, .open = open_it, .data = &opener };
    uint8_t sealed[67 + 80 + 32 + 16] = { 1, 1, 0 };
    const struct focal_field *wish = focal_field_by_name(kind, "feedback_preference"), *status = focal_field_by_name(kind, "status");
    struct focal_row_item items[] = { { .field = status, .value = focal_span_text("\x02") }, { .field = wish, .value = focal_span_of(sealed, sizeof sealed) } };
    struct focal_row row = { .items = items, .item_count = 2 };
    struct exchange_record record;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    exchange_record_open(&record, kind, &row, 1);
    opener.field = wish->number;
    focal_export_json_line(&text, &without, &record.record, "K");
    focal_export_csv_header(&text, &without);
    focal_export_csv_row(&text, &without, &record.record, "K");
    assert_null(strstr(focal_buf_cstr(&text), "feedback_preference"));
    assert_null(strstr(focal_buf_cstr(&text), "sealed"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        opener.opens = cases[i].opens;
        opener.plain = cases[i].plain;
        opener.len = cases[i].len;
        focal_buf_clear(&text);
        focal_export_json_line(&text, &with, &record.record, "K");
        assert_string_equal(focal_buf_cstr(&text), cases[i].json);
        focal_buf_clear(&text);
        focal_export_csv_row(&text, &with, &record.record, "K");
        assert_string_equal(focal_buf_cstr(&text), cases[i].csv);
    }
    focal_buf_clear(&text);
    focal_export_csv_header(&text, &with);
    assert_memory_equal(focal_buf_cstr(&text), head, sizeof head - 1);
    assert_non_null(strstr(focal_buf_cstr(&text), ",consent,feedback_preference,feedback_events,"));
    focal_buf_close(&text);
    exchange_record_close(&record);
    goes_round_with(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kind_goes_round), cmocka_unit_test(forms), cmocka_unit_test(withdrawn_cases), cmocka_unit_test(sealed_fields), cmocka_unit_test(json_strings) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
