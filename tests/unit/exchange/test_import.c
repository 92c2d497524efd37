/* Rows and JSON objects to values; every fault with line, field, reason and hint; what was refused can be corrected. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/exchange.h"

#include <stdio.h>
#include <string.h>

enum { TODAY = 20000 /* 2024-10-04 */, ROOM = 1 << 20 };

/* Rows as "line id field=text field+text\n". */
static enum focal_status note_row(void *data, const struct focal_row *row)
{
    struct focal_buf *seen = data;
    focal_buf_printf(seen, "%llu %.*s", (unsigned long long)row->line, (int)row->id.len, row->id.len ? (const char *)row->id.data : "");
    for (size_t i = 0; i < row->item_count; i++) {
        focal_buf_printf(seen, " %s%c", row->items[i].field->name, row->items[i].op == FOCAL_ROW_SET ? '=' : '+');
        focal_value_print(seen, row->items[i].field, row->items[i].value);
    }
    focal_buf_u8(seen, '\n');
    return FOCAL_OK;
}

struct rejects { struct focal_buf text; enum focal_form form; };

static enum focal_status note_refused(void *data, const struct focal_refusal *first, size_t count, struct focal_span source);

struct run { struct focal_buf seen; struct rejects rejects; struct focal_import *import; };

static enum focal_status run_row(void *data, const struct focal_row *row)
{
    return note_row(&((struct run *)data)->seen, row);
}

static enum focal_status note_refused(void *data, const struct focal_refusal *first, size_t count, struct focal_span source)
{
    struct run *run = data;
    assert_true(count > 0);
    if (run->rejects.text.len == 0)
        focal_reject_header(&run->rejects.text, run->import);
    focal_reject_row(&run->rejects.text, run->rejects.form, first, source);
    return FOCAL_OK;
}

static void open_run(struct run *run, enum focal_form form, const char *kind)
{
    struct focal_import_setup setup = { .form = form, .intake = { .kind = focal_kind_by_name(kind), .today = TODAY },
                                        .row = run_row, .refused = note_refused, .data = run };
    focal_buf_init(&run->seen, ROOM);
    focal_buf_init(&run->rejects.text, ROOM);
    run->rejects.form = form;
    assert_int_equal(focal_import_open(&run->import, &setup), FOCAL_OK);
}

static void feed(struct run *run, struct focal_span bytes, size_t piece)
{
    struct focal_error err;
    for (size_t at = 0; at < bytes.len; at += piece)
        assert_int_equal(focal_import_feed(run->import, focal_span_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece), &err), FOCAL_OK);
    assert_int_equal(focal_import_finish(run->import, &err), FOCAL_OK);
}

static void close_run(struct run *run)
{
    focal_import_close(run->import);
    focal_buf_close(&run->seen);
    focal_buf_close(&run->rejects.text);
}

static void gives(enum focal_form form, const char *text, const char *rows)
{
    for (size_t piece = 1; piece < 40; piece += 6) {
        struct run run;
        open_run(&run, form, "case");
        feed(&run, focal_span_text(text), piece);
        assert_int_equal(focal_import_refusals(run.import)->total, 0);
        assert_string_equal(focal_buf_cstr(&run.seen), rows);
        close_run(&run);
    }
}

static void csv_rows(void **state)
{
    (void)state;
    gives(FOCAL_FORM_CSV, "country,victims,assistance,status\r\nKEN,female.child;female.child;male.,medical.accepted;legal.declined,\r\nSSD,,,received\r\n",
          "2  country=KEN victims+female.child victims+female.child victims+male. assistance=medical.accepted assistance=legal.declined\n"
          "3  country=SSD status=received\n");
    gives(FOCAL_FORM_CSV, "id,record,two_versions,refused,channel\nKEN-4F7Q-29XD-8,,,,hotline\n,abc,status,line 3: no,media\n",
          "2 KEN-4F7Q-29XD-8 channel=hotline\n3 abc channel=media\n");
}

static void json_rows(void **state)
{
    (void)state;
    gives(FOCAL_FORM_JSONL,
          "{\"country\":\"KEN\",\"incident_period\":2017,\"victims\":[{\"sex\":\"female\",\"age\":\"child\"},{\"age\":\"adult\"},{},\"male.unknown\"]}\r\n\n"
          "{\"perpetrators\":[{\"sex\":\"male\",\"count\":1},{\"count\":\"2\"}],\"status\":null,\"channel\":\"\"}\n"
          "{\"id\":\"X\",\"assistance\":{\"medical\":\"accepted\",\"legal\":null},\"consent\":{\"referral.headquarters\":\"given.self\"}}\n"
          "{\"consent\":[{\"what\":\"contact\",\"whom\":\"other\",\"decision\":\"refused\"}],\"feedback_events\":[{\"event\":\"given\",\"day\":\"2018-05-03\"}]}",
          "1  country=KEN incident_period=2017 victims+female.child victims+.adult victims+. victims+male.unknown\n"
          "3  perpetrators+male.1 perpetrators+.2\n"
          "4 X assistance=medical.accepted consent=referral.headquarters.given.self\n"
          "5  consent=contact.other.refused. feedback_events+given.2018-05-03\n");
}

static const struct focal_refusal *only(const struct run *run, size_t i, uint64_t line, const char *field)
{
    const struct focal_refusals *all = focal_import_refusals(run->import);
    assert_true(i < all->kept);
    assert_int_equal(all->list[i].line, line);
    assert_string_equal(all->list[i].field, field);
    assert_true(all->list[i].reason[0] != 0);
    assert_true(all->list[i].hint[0] != 0);
    return &all->list[i];
}

static void every_fault_is_listed(void **state)
{
    (void)state;
    struct run run;
    open_run(&run, FOCAL_FORM_CSV, "case");
    feed(&run, focal_span_text("country,received_date,status,victims\nKEN,1944-12-31,recieved,\nKEN,,received,female.kid\nKEN,2018-05-03,received,female.child\nKEN,x\n,,,\nKEN,,,medical.accepted;medical.declined\n"), 5);
    assert_int_equal(focal_import_refusals(run.import)->total, 6);
    assert_int_equal(focal_import_good(run.import), 1);
    assert_int_equal(focal_import_bad(run.import), 5);
    only(&run, 0, 2, "received_date");
    assert_non_null(strstr(only(&run, 1, 2, "status")->hint, "received"));
    only(&run, 2, 3, "victims");
    assert_non_null(strstr(only(&run, 3, 5, "")->reason, "2 cells"));
    only(&run, 4, 6, "");
    only(&run, 5, 7, "victims");
    close_run(&run);
}

static void json_faults(void **state)
{
    (void)state;
    struct run run;
    open_run(&run, FOCAL_FORM_JSONL, "case");
    feed(&run, focal_span_text("{\"countri\":\"KEN\",\"status\":\"received\"}\n{\"status\":[\"received\"]}\n[1]\n{\"a\n{\"status\":\"received\",\"status\":\"received\"}\n"
                               "{\"victims\":[{\"sex\":\"female\",\"colour\":\"red\"}]}\n{\"victims\":[{\"sex\":\"female.child\"}]}\n{\"received-quarter\":\"2018-Q2\"}\n"
                               "{\"assistance\":[\"medical.accepted\",\"medical.declined\"]}\n{\"id\":7,\"status\":\"received\"}\n{\"status\":true}\n{\"feedback_preference\":\"sealed to HQ\"}\n"), 9);
    assert_non_null(strstr(only(&run, 0, 1, "countri")->hint, "country"));
    only(&run, 1, 2, "status");
    only(&run, 2, 3, "");
    only(&run, 3, 4, "");
    only(&run, 4, 5, "");
    only(&run, 5, 6, "victims");
    only(&run, 6, 7, "victims");
    only(&run, 7, 8, "received-quarter");
    assert_non_null(strstr(only(&run, 8, 9, "assistance")->reason, "second time"));
    only(&run, 9, 10, "id");
    only(&run, 10, 11, "status");
    only(&run, 11, 12, "feedback_preference");
    assert_int_equal(focal_import_refusals(run.import)->total, 12);
    assert_int_equal(focal_import_good(run.import), 0);
    close_run(&run);
}

static void a_bad_first_line_refuses_the_file(void **state)
{
    (void)state;
    static const char *const texts[] = { "country,colour\nKEN,red\n", "country,country\nKEN,KEN\n", "", "\n\n", "country,\nKEN,\n" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct run run;
        open_run(&run, FOCAL_FORM_CSV, "case");
        feed(&run, focal_span_text(texts[i]), 3);
        assert_true(focal_import_broken(run.import));
        assert_int_equal(focal_import_refusals(run.import)->total, 1);
        assert_int_equal(focal_import_good(run.import), 0);
        close_run(&run);
    }
}

static void a_torn_file_keeps_what_was_good_and_says_where(void **state)
{
    (void)state;
    struct run run;
    open_run(&run, FOCAL_FORM_CSV, "case");
    feed(&run, focal_span_text("country\nKEN\n\"SSD\nCOD\n"), 4);
    assert_true(focal_import_broken(run.import));
    assert_int_equal(focal_import_good(run.import), 1);
    only(&run, 0, 3, "");
    close_run(&run);
}

static void over_long_json_line(void **state)
{
    (void)state;
    struct run run;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    focal_buf_text(&text, "{\"country\":\"KEN\"}\n{\"country\":\"");
    for (int i = 0; i < FOCAL_ROW_BYTES_MAX; i++)
        focal_buf_u8(&text, 'K');
    focal_buf_text(&text, "\"}\n{\"country\":\"SSD\"}\n");
    open_run(&run, FOCAL_FORM_JSONL, "case");
    feed(&run, focal_buf_view(&text), 4096);
    assert_int_equal(focal_import_good(run.import), 2);
    assert_non_null(strstr(only(&run, 0, 2, "")->reason, "bytes"));
    close_run(&run);
    focal_buf_close(&text);
}

static void deep_json_is_not_entered(void **state)
{
    (void)state;
    struct run run;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    for (int i = 0; i < 100000; i++)
        focal_buf_u8(&text, '[');
    open_run(&run, FOCAL_FORM_JSONL, "case");
    feed(&run, focal_buf_view(&text), 70000);
    assert_non_null(strstr(only(&run, 0, 1, "")->reason, "deep"));
    close_run(&run);
    focal_buf_close(&text);
}

static void the_count_goes_on_when_the_list_is_full(void **state)
{
    (void)state;
    struct run run;
    struct focal_buf text;
    focal_buf_init(&text, ROOM);
    focal_buf_text(&text, "country\n");
    for (int i = 0; i < FOCAL_REFUSALS_KEPT + 50; i++)
        focal_buf_text(&text, "ZZZ\n");
    open_run(&run, FOCAL_FORM_CSV, "case");
    feed(&run, focal_buf_view(&text), 1000);
    assert_int_equal(focal_import_refusals(run.import)->kept, FOCAL_REFUSALS_KEPT);
    assert_int_equal(focal_import_refusals(run.import)->total, FOCAL_REFUSALS_KEPT + 50);
    assert_int_equal(focal_import_bad(run.import), FOCAL_REFUSALS_KEPT + 50);
    close_run(&run);
    focal_buf_close(&text);
}

/* Refused rows, corrected by a person, go in; the reasons beside them are passed over. */
static void rejects_come_back(enum focal_form form, const char *text, const char *wrong, const char *right, const char *rows)
{
    struct run first, second;
    open_run(&first, form, "case");
    feed(&first, focal_span_text(text), 11);
    assert_int_equal(focal_import_good(first.import), 1);
    assert_int_equal(focal_import_bad(first.import), 1);
    const char *rejected = focal_buf_cstr(&first.rejects.text), *at = strstr(rejected, wrong);
    assert_non_null(at);
    assert_non_null(strstr(rejected, "did you mean"));
    struct focal_buf corrected;
    focal_buf_init(&corrected, ROOM);
    focal_buf_bytes(&corrected, rejected, (size_t)(at - rejected));
    focal_buf_text(&corrected, right);
    focal_buf_text(&corrected, at + strlen(wrong));
    open_run(&second, form, "case");
    feed(&second, focal_buf_view(&corrected), 13);
    assert_int_equal(focal_import_refusals(second.import)->total, 0);
    assert_string_equal(focal_buf_cstr(&second.seen), rows);
    focal_buf_close(&corrected);
    close_run(&first);
    close_run(&second);
}

static void rejects(void **state)
{
    (void)state;
    rejects_come_back(FOCAL_FORM_CSV, "country,status\nKEN,received\nSSD,recieved\n", "SSD,recieved", "SSD,received", "2  country=SSD status=received\n");
    rejects_come_back(FOCAL_FORM_JSONL, "{\"status\":\"received\"}\n{\"country\":\"SSD\",\"status\":\"recieved\"}\n", "\"recieved\"", "\"received\"",
                      "1  country=SSD status=received\n");
}

static void an_unreadable_line_is_kept_for_a_person(void **state)
{
    (void)state;
    struct run run, again;
    open_run(&run, FOCAL_FORM_JSONL, "case");
    feed(&run, focal_span_text("{\"country\":\"KEN\n"), 4);
    open_run(&again, FOCAL_FORM_JSONL, "case");
    feed(&again, focal_buf_view(&run.rejects.text), 4);
    only(&again, 0, 1, "unreadable");
    close_run(&run);
    close_run(&again);
}

static enum focal_status resolve(void *data, struct focal_ref *ref, const struct focal_field *field, struct focal_span text, struct focal_error *err)
{
    (void)data;
    if (!focal_span_equal(text, focal_span_text("KEN-4F7Q-29XD-8")))
        return focal_fail(err, FOCAL_NOT_FOUND, "look at the list", "%s: no such record", field->name);
    memset(ref, 7, sizeof *ref);
    return FOCAL_OK;
}

static void references_are_resolved_by_the_caller(void **state)
{
    (void)state;
    struct focal_intake_for intake = { .kind = focal_kind_by_name("case"), .today = TODAY, .resolve = resolve };
    struct focal_refusals refusals;
    struct focal_row row;
    focal_refusals_init(&refusals);
    focal_row_init(&row);
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text("{\"same_as\":[\"KEN-4F7Q-29XD-8\"]}"), 1, &refusals), FOCAL_OK);
    assert_int_equal(row.item_count, 1);
    assert_int_equal(row.items[0].value.len, FOCAL_REF_BYTES);
    assert_ptr_equal(focal_row_find(&row, row.items[0].field->number, NULL), &row.items[0]);
    assert_null(focal_row_find(&row, row.items[0].field->number, &row.items[0]));
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text("{\"same_as\":\"KEN-4F7Q-29XD-9\"}"), 4, &refusals), FOCAL_REFUSED);
    assert_int_equal(refusals.total, 1);
    assert_string_equal(refusals.list[0].field, "same_as");
    intake.resolve = NULL;
    assert_int_equal(focal_rows_from_json(&row, &intake, focal_span_text("{\"same_as\":\"KEN-4F7Q-29XD-8\"}"), 5, &refusals), FOCAL_REFUSED);
    focal_row_close(&row);
    focal_refusals_close(&refusals);
}

static enum focal_status too_big(void *data, const struct focal_row *row)
{
    (void)data;
    (void)row;
    return FOCAL_TOO_BIG;
}

static void what_the_caller_says_is_no_fault_of_the_file(void **state)
{
    (void)state;
    static const char *const texts[] = { "country\nKEN\nSSD\n", "{\"country\":\"KEN\"}\n" };
    for (unsigned i = 0; i < 2; i++) {
        struct focal_import_setup setup = { .form = (enum focal_form)i, .intake = { .kind = focal_kind_by_name("case"), .today = TODAY }, .row = too_big };
        struct focal_import *import;
        struct focal_error err;
        assert_int_equal(focal_import_open(&import, &setup), FOCAL_OK);
        assert_int_equal(focal_import_feed(import, focal_span_text(texts[i]), &err), FOCAL_TOO_BIG);
        assert_int_equal(focal_import_refusals(import)->total, 0);
        focal_import_close(import);
    }
}

static bool allow(void *data, size_t bytes)
{
    unsigned *left = data;
    (void)bytes;
    return *left > 0 && (*left)--;
}

static enum focal_status count_row(void *data, const struct focal_row *row)
{
    (void)row;
    ++*(unsigned *)data;
    return FOCAL_OK;
}

/* However early memory ends, the import says so, or all of it was read. */
static void memory_that_ends(void **state)
{
    (void)state;
    static const char *const texts[] = { "country,victims\nKEN,female.child\nZZZ,\n", "{\"country\":\"KEN\"}\n{\"x\":1}\n" };
    for (unsigned form = 0; form < 2; form++) {
        for (unsigned n = 0; n < 60; n++) {
            unsigned left = n, rows = 0;
            struct focal_import_setup setup = { .form = (enum focal_form)form, .intake = { .kind = focal_kind_by_name("case"), .today = TODAY },
                                                .row = count_row, .data = &rows };
            struct focal_import *import;
            struct focal_error err;
            focal_alloc_hook(allow, &left);
            enum focal_status status = focal_import_open(&import, &setup);
            if (status == FOCAL_OK)
                status = focal_import_feed(import, focal_span_text(texts[form]), &err);
            if (status == FOCAL_OK)
                status = focal_import_finish(import, &err);
            focal_alloc_hook(NULL, NULL);
            assert_true(status == FOCAL_OK || status == FOCAL_NO_MEMORY);
            if (status == FOCAL_OK)
                assert_true(rows == 1 && focal_import_bad(import) == 1 && focal_import_refusals(import)->total == 1);
            focal_import_close(import);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_rows), cmocka_unit_test(json_rows), cmocka_unit_test(every_fault_is_listed), cmocka_unit_test(json_faults),
        cmocka_unit_test(a_bad_first_line_refuses_the_file), cmocka_unit_test(a_torn_file_keeps_what_was_good_and_says_where),
        cmocka_unit_test(over_long_json_line), cmocka_unit_test(deep_json_is_not_entered), cmocka_unit_test(the_count_goes_on_when_the_list_is_full),
        cmocka_unit_test(rejects), cmocka_unit_test(an_unreadable_line_is_kept_for_a_person), cmocka_unit_test(references_are_resolved_by_the_caller),
        cmocka_unit_test(what_the_caller_says_is_no_fault_of_the_file), cmocka_unit_test(memory_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
