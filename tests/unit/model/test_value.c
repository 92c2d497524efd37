/* Values between people and bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

enum { TODAY = 20000 /* 2024-10-04 */ };

static struct focal_buf made, text;
static struct focal_error err;

static int open_bufs(void **state)
{
    (void)state;
    focal_buf_init(&made, 1 << 16);
    focal_buf_init(&text, 1 << 16);
    return 0;
}

static int close_bufs(void **state)
{
    (void)state;
    focal_buf_close(&made);
    focal_buf_close(&text);
    return 0;
}

static const struct focal_field *field(const char *kind, const char *name)
{
    const struct focal_field *f = focal_field_by_name(focal_kind_by_name(kind), name);
    assert_non_null(f);
    return f;
}

static enum focal_status parse(const struct focal_field *f, const char *value)
{
    focal_buf_clear(&made);
    memset(&err, 0, sizeof err);
    return focal_value_parse(&made, f, focal_span_text(value), TODAY, &err);
}

static const char *print(const struct focal_field *f, struct focal_span value)
{
    focal_buf_clear(&text);
    focal_value_print(&text, f, value);
    return focal_buf_cstr(&text);
}

static void taken_as(const char *kind, const char *name, const char *value, const char *hex, const char *printed)
{
    const struct focal_field *f = field(kind, name);
    char got[600];
    if (parse(f, value) != FOCAL_OK)
        fail_msg("%s=%s: %s (%s)", name, value, err.message, err.hint);
    focal_hex(got, made.data, made.len);
    assert_string_equal(got, hex);
    assert_true(focal_value_known(f, focal_buf_view(&made)));
    assert_string_equal(print(f, focal_buf_view(&made)), printed);
}

/* Refused, with the field and the value in the sentence, and `next` in the hint. */
static void refused(const char *kind, const char *name, const char *value, const char *rule, const char *next)
{
    const struct focal_field *f = field(kind, name);
    assert_int_equal(parse(f, value), FOCAL_REFUSED);
    assert_int_equal(err.status, FOCAL_REFUSED);
    assert_int_equal(made.len, 0);
    if (!strstr(err.message, name) || !strstr(err.message, rule))
        fail_msg("message: %s", err.message);
    if (strlen(value) < 50 && !strstr(err.message, value))
        fail_msg("message: %s", err.message);
    if (!err.hint[0] || !strstr(err.hint, next))
        fail_msg("hint: %s", err.hint);
}

static void values_of_each_type(void **state)
{
    (void)state;
    taken_as("case", "channel", "hotline", "02", "hotline");
    taken_as("case", "channel", "unknown", "01", "unknown");
    taken_as("case", "elapsed", "2w-1m", "05", "2w-1m");
    taken_as("case", "country", "KEN", "4b454e", "KEN");
    taken_as("case", "victims", "female.child", "0203", "female.child");
    taken_as("case", "victims", "female.", "0200", "female.");
    taken_as("case", "victims", "female", "0200", "female.");
    taken_as("case", "victims", ".child", "0003", ".child");
    taken_as("case", "victims", ".", "0000", ".");
    taken_as("case", "victims", "unknown.unknown", "0101", "unknown.unknown");
    taken_as("case", "perpetrators", "male.more_than_3", "0305", "male.more_than_3");
    taken_as("case", "perpetrators", "male.3", "0304", "male.3");
    taken_as("case", "assistance", "medical.accepted", "010303", "medical.accepted");
    taken_as("case", "consent", "referral.service_provider.withdrawn.guardian", "0202020403",
             "referral.service_provider.withdrawn.guardian");
    taken_as("case", "consent", "contact.other.refused", "0205080300", "contact.other.refused.");
    taken_as("case", "received_quarter", "2018-Q2", "893f", "2018-Q2");
    taken_as("case", "incident_period", "2017", "c21f", "2017");
    taken_as("case", "incident_period", "before-2016", "c11f", "before-2016");
    taken_as("case", "incident_period", "unknown", "00", "unknown");
    taken_as("case", "received_date", "2018-05-03", "b1fc2c", "2018-05-03");
    taken_as("case", "received_date", "unknown", "00", "unknown");
    taken_as("case", "feedback_events", "given.2018-05-03", "03b1fc2c", "given.2018-05-03");
    taken_as("case", "feedback_events", "attempted.unknown", "0400", "attempted.unknown");
    taken_as("opening", "number", "300", "ac02", "300");
    taken_as("opening", "epoch", "000102030405060708090A0b0c0d0e0f", "000102030405060708090a0b0c0d0e0f",
             "000102030405060708090a0b0c0d0e0f");
    taken_as("case", "same_as", "00000000000000000000000000000000000000000000000000000000000000ff",
             "00000000000000000000000000000000000000000000000000000000000000ff",
             "00000000000000000000000000000000000000000000000000000000000000ff");
    taken_as("entity", "short_name", "OCHA", "4f434841", "OCHA");
}

/* Every code of the table comes back as the word it came in as. */
static void every_code_goes_round(void **state)
{
    (void)state;
    for (size_t k = 0; k < focal_kind_count(); k++) {
        const struct focal_kind *kind = focal_kind_at(k);
        for (size_t i = 0; i < kind->field_count; i++) {
            const struct focal_field *f = &kind->fields[i];
            if (f->type != FOCAL_TYPE_CODE || focal_field_scope(f->number) == FOCAL_SCOPE_SEALED || f->intake >= FOCAL_INTAKE_COMMAND)
                continue;
            for (const struct focal_code *code = f->tables[0]->codes; code->name; code++) {
                uint32_t codes[FOCAL_PARTS_MAX];
                assert_int_equal(parse(f, code->name), FOCAL_OK);
                assert_true(focal_value_codes(f, focal_buf_view(&made), codes));
                assert_int_equal(codes[0], code->number);
                assert_string_equal(print(f, focal_buf_view(&made)), code->name);
                assert_int_equal(focal_value_is_unknown(f, focal_buf_view(&made)), strcmp(code->name, "unknown") == 0);
            }
        }
    }
}

static void wrong_codes_are_named(void **state)
{
    (void)state;
    refused("case", "channel", "hotlin", "not one of its codes", "did you mean \"hotline\"? allowed: hotline, complaint_box");
    refused("case", "channel", "Complaint Box", "not one of its codes", "did you mean \"complaint_box\"?");
    refused("case", "channel", "hot", "not one of its codes", "did you mean \"hotline\"?");
    refused("case", "channel", "xylophone", "not one of its codes", "allowed: hotline");
    assert_null(strstr(err.hint, "did you mean"));
    refused("case", "victims", "femal.child", "\"femal\" is not a code of sex", "did you mean \"female\"?");
    refused("case", "victims", "female.kid", "\"kid\" is not a code of age", "allowed: adult, child, unknown");
    refused("case", "victims", "female.child.adult", "parts", "sex.age");
    refused("case", "victims", "female.child.", "parts", "sex.age");
    refused("case", "victims", "female child", "not a code of sex", "allowed");
    refused("case", "perpetrators", "male.4", "\"4\" is not a code of count", "allowed: 1, 2, 3, more_than_3, unknown");
    refused("case", "assistance", "medical", "state is missing", "allowed: offered");
    refused("case", "assistance", ".accepted", "service is missing", "allowed: safety");
    refused("case", "assistance", "medical.accepted.now", "parts", "service.state");
    refused("case", "consent", "referral.service_provider..self", "decision is missing", "given, refused, withdrawn");
    refused("case", "feedback_events", "given", "parts", "event.day");
    refused("case", "feedback_events", ".2018-05-03", "event is missing", "acknowledged");
    refused("case", "feedback_events", "given.3 May", "not a day", "YYYY-MM-DD");
    refused("case", "status", "she was attacked by a guard at the gate last night", "not one of its codes", "allowed: received");
    refused("case", "personnel_category", "contracto", "not one of its codes", ", ...");
    assert_non_null(strstr(err.hint, "did you mean \"contractor\"?"));
    refused("case", "channel", "", "empty", "leave the field out");
}

static void absurd_times_are_refused(void **state)
{
    (void)state;
    taken_as("case", "received_date", "1945-01-01", "90ab2b", "1945-01-01");
    refused("case", "received_date", "1944-12-31", "before 1945-01-01", "from 1945-01-01 to 2024-10-05");
    assert_int_equal(parse(field("case", "received_date"), "2024-10-05"), FOCAL_OK);
    refused("case", "received_date", "2024-10-06", "after 2024-10-05", "clock");
    refused("case", "received_date", "2023-02-29", "not a day of the calendar", "YYYY-MM-DD");
    refused("case", "received_date", "03/05/2018", "not a day of the calendar", "2018-05-03");
    refused("case", "received_quarter", "1944-Q4", "before 1945-01-01", "year");
    assert_int_equal(parse(field("case", "received_quarter"), "2024-Q4"), FOCAL_OK);
    refused("case", "received_quarter", "2025-Q1", "after 2024-10-05", "year");
    refused("case", "received_quarter", "2018-Q5", "not a quarter", "2018-Q2");
    refused("case", "received_quarter", "2018Q2", "not a quarter", "2018-Q2");
    refused("case", "incident_period", "1944", "before", "year");
    refused("case", "incident_period", "before-1945", "before", "year");
    assert_int_equal(parse(field("case", "incident_period"), "before-1946"), FOCAL_OK);
    refused("case", "incident_period", "2025", "after", "year");
    refused("case", "incident_period", "before-", "not a year", "before-2016");
    refused("case", "incident_period", "17", "not a year", "2017");
    refused("case", "incident_period", "2015+2016", "not a year", "2017");
    refused("endorsement", "date", "2024-10-06", "after", "clock");
    assert_int_equal(parse(field("focal_point", "valid_to"), "2030-12-31"), FOCAL_OK);
    refused("focal_point", "valid_to", "2130-12-31", "after", "2124");
    /* A clock that is broken altogether refuses, and neither wraps nor crashes. */
    const struct focal_field *date = field("case", "received_date");
    focal_buf_clear(&made);
    assert_int_equal(focal_value_parse(&made, date, focal_span_text("2018-05-03"), 0, &err), FOCAL_REFUSED);
    assert_int_equal(focal_value_parse(&made, date, focal_span_text("2018-05-03"), UINT32_MAX, &err), FOCAL_OK);
}

static void other_types_are_refused_too(void **state)
{
    (void)state;
    refused("case", "country", "Kenya", "ISO 3166-1", "did you mean \"KEN\"?");
    refused("case", "country", "ken", "ISO 3166-1", "did you mean \"KEN\"?");
    refused("case", "country", "netherlands", "ISO 3166-1", "did you mean \"NLD\"?");
    refused("case", "country", "KEX", "ISO 3166-1", "three capital letters");
    refused("case", "concerned_entity", "UNHCR", "64 hexadecimal digits", "reference code");
    refused("opening", "number", "-1", "whole number", "digits");
    refused("opening", "number", "18446744073709551616", "whole number", "digits");
    refused("opening", "epoch", "00", "32 hexadecimal digits", "check");
}

/* No field has a greatest number yet; the form is there for those to come. */
static void numbers_have_a_greatest(void **state)
{
    (void)state;
    struct focal_field few = *field("opening", "number");
    few.max = 300;
    static const struct { const char *text; enum focal_status status; } cases[] = {
        { "0", FOCAL_OK }, { "300", FOCAL_OK }, { "301", FOCAL_REFUSED }, { "18446744073709551615", FOCAL_REFUSED } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(&few, cases[i].text), cases[i].status);
        assert_true(cases[i].status == FOCAL_OK || strstr(err.message, "at most 300"));
    }
}

/* What is typed for a sealed field is checked like anything else. What comes of it is not yet a value of that field: as one it
 * is not understood, so that nothing that was left unsealed is ever shown as if all were well. */
static void sealed_fields_have_two_forms(void **state)
{
    (void)state;
    const struct focal_field *f = field("case", "feedback_preference");
    const struct focal_field opened = focal_field_opened(f);
    struct focal_buf out;
    uint32_t codes[FOCAL_PARTS_MAX];
    refused("case", "feedback_preference", "unsaf", "not one of its codes", "did you mean \"unsafe\"?");
    focal_buf_init(&out, 64);
    assert_int_equal(focal_value_parse(&out, f, focal_span_text("unsafe"), 20000, &err), FOCAL_OK);
    const struct focal_span plain = focal_buf_view(&out);
    assert_true(focal_field_is_sealed(f->number));
    assert_false(focal_field_is_sealed(opened.number));
    assert_int_equal(focal_field_scope(opened.number), FOCAL_SCOPE_LOCAL);
    assert_int_equal(focal_field_merge(opened.number), focal_field_merge(f->number));
    assert_true(focal_value_known(&opened, plain));
    assert_string_equal(print(&opened, plain), "unsafe");
    assert_true(focal_value_codes(&opened, plain, codes));
    assert_false(focal_value_known(f, plain));
    assert_false(focal_value_codes(f, plain, codes));
    assert_int_equal(codes[0], 0);
    assert_false(focal_value_is_unknown(f, plain));
    assert_string_equal(print(f, plain), "sealed");
    focal_buf_close(&out);
}

/* What a command writes is known and printed, and refused as a field whatever it says. */
static void fields_of_commands_are_refused(void **state)
{
    (void)state;
    refused("case", "withdrawn", "duplicate", "a command of its own", "leave it out");
    refused("case", "withdrawn", "restored", "a command of its own", "leave it out");
    refused("case", "withdrawn_saw", "0011223344556677", "a command of its own", "leave it out");
    assert_true(focal_value_known(field("case", "withdrawn"), focal_span_of("\x03", 1)));
    assert_string_equal(print(field("case", "withdrawn"), focal_span_of("\x03", 1)), "duplicate");
    assert_false(focal_value_known(field("case", "withdrawn"), focal_span_of("\x63", 1)));
}

static void errors_do_not_play_with_the_terminal(void **state)
{
    (void)state;
    char longest[3000];
    assert_int_equal(parse(field("case", "channel"), "\x1b[2Jhotline"), FOCAL_REFUSED);
    assert_null(strchr(err.message, 0x1b));
    assert_non_null(strstr(err.message, "(11 bytes)"));
    assert_int_equal(parse(field("case", "victims"), "\xE2\x80\xAE.child"), FOCAL_REFUSED);
    assert_null(strchr(err.message, '\xAE'));
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(parse(field("case", "channel"), longest), FOCAL_REFUSED);
    assert_true(strlen(err.message) < 200);
    assert_non_null(strstr(err.message, "x...\""));
    for (size_t i = 1; i + 2 < sizeof longest; i += 2)          /* a letter of two bytes is not cut in its middle */
        memcpy(longest + i, "\xC3\xA9", 2);
    assert_int_equal(parse(field("case", "channel"), longest), FOCAL_REFUSED);
    assert_non_null(strstr(err.message, "\xC3\xA9...\""));
    assert_true(focal_utf8_valid(focal_span_text(err.message)));
    focal_buf_clear(&made);
    assert_int_equal(focal_value_parse(&made, field("case", "channel"), focal_span_of("hot\0ine", 7), TODAY, NULL),
                     FOCAL_REFUSED);
}

static void prints(const char *kind, const char *name, const char *hex, const char *expected, bool known)
{
    uint8_t bytes[64];
    const struct focal_field *f = field(kind, name);
    assert_true(focal_unhex(bytes, strlen(hex) / 2, focal_span_text(hex)));
    struct focal_span value = focal_span_of(bytes, strlen(hex) / 2);
    assert_int_equal(focal_value_known(f, value), known);
    assert_string_equal(print(f, value), expected);
}

static void what_is_not_understood_prints_as_hex(void **state)
{
    (void)state;
    prints("case", "channel", "63", "?63", false);
    prints("case", "channel", "00", "?00", false);
    prints("case", "channel", "0202", "?0202", false);
    prints("case", "channel", "8200", "?8200", false);
    prints("case", "channel", "", "?", false);
    prints("case", "status", "01", "?01", false);
    prints("case", "channel", "8280808010", "?8280808010", false);
    prints("case", "victims", "0263", "?0263", false);
    prints("case", "victims", "02", "?02", false);
    prints("case", "victims", "020300", "?020300", false);
    prints("case", "assistance", "010203", "safety.accepted", true);
    prints("case", "assistance", "020203", "?020203", false);
    prints("case", "assistance", "0102", "?0102", false);
    prints("case", "assistance", "010003", "?010003", false);
    prints("case", "assistance", "010200", "?010200", false);
    prints("case", "feedback_events", "02", "?02", false);
    prints("case", "feedback_events", "02ffffffffff0f", "?02ffffffffff0f", false);
    prints("case", "received_quarter", "00", "?00", false);
    prints("case", "received_quarter", "ffffffff0f", "?ffffffff0f", false);
    prints("case", "incident_period", "01", "?01", false);
    prints("case", "incident_period", "ffffffffffffffffff01", "?ffffffffffffffffff01", false);
    prints("case", "received_date", "ffffffff0f", "?ffffffff0f", false);
    prints("case", "received_date", "01", "0001-01-01", true);
    prints("case", "received_date", "dbf3de01", "9999-12-31", true);
    prints("case", "received_date", "dcf3de01", "?dcf3de01", false);
    prints("case", "country", "4b4558", "?4b4558", false);
    prints("case", "country", "4b45", "?4b45", false);
    prints("case", "same_as", "00", "?00", false);
    prints("entity", "name", "1b5b324a", "?1b5b324a", false);
    prints("entity", "name", "e280ae41", "?e280ae41", false);
    prints("entity", "name", "ff", "?ff", false);
    prints("opening", "epoch", "0001", "?0001", false);
    prints("opening", "number", "ffffffffffffffffff01", "18446744073709551615", true);
}

static void unknown_is_a_value(void **state)
{
    (void)state;
    static const struct { const char *name, *value; bool unknown; } told[] = {
        { "channel", "unknown", true }, { "channel", "other", false }, { "victims", "unknown.unknown", true },
        { "victims", "unknown.", true }, { "victims", ".unknown", true }, { "victims", ".", false },
        { "victims", "female.unknown", false }, { "received_date", "unknown", true },
        { "received_date", "2018-05-03", false }, { "incident_period", "unknown", true }, { "incident_period", "2018", false },
        { "received_quarter", "2018-Q1", false }, { "country", "KEN", false },
    };
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        const struct focal_field *f = field("case", told[i].name);
        assert_int_equal(parse(f, told[i].value), FOCAL_OK);
        assert_int_equal(focal_value_is_unknown(f, focal_buf_view(&made)), told[i].unknown);
    }
    /* 1 in a table without `unknown` is a code of a newer program. */
    assert_false(focal_value_is_unknown(field("case", "status"), focal_span_of("\x01", 1)));
    assert_false(focal_value_is_unknown(field("case", "channel"), focal_span_of("", 0)));
}

static void map_values_split(void **state)
{
    (void)state;
    struct focal_span key, rest;
    uint32_t codes[FOCAL_PARTS_MAX];
    assert_true(focal_map_value_split(focal_span_of("\x02" "abcd", 5), &key, &rest));
    assert_true(key.len == 2 && rest.len == 2 && rest.data[0] == 'c');
    assert_true(focal_map_value_split(focal_span_of("\x00", 1), &key, &rest));
    assert_true(key.len == 0 && rest.len == 0);
    assert_true(focal_map_value_split(focal_span_of("\x01" "a", 2), &key, &rest));
    assert_false(focal_map_value_split(focal_span_of("\x03" "ab", 3), &key, &rest));
    assert_false(focal_map_value_split(focal_span_of("", 0), &key, &rest));
    assert_false(focal_map_value_split(focal_span_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10), &key, &rest));
    assert_int_equal(key.len + rest.len, 0);
    assert_int_equal(parse(field("case", "consent"), "contact.coordinator.given.guardian"), FOCAL_OK);
    assert_true(focal_map_value_split(focal_buf_view(&made), &key, &rest));
    assert_true(key.len == 2 && rest.len == 2);
    assert_true(focal_value_codes(field("case", "consent"), focal_buf_view(&made), codes));
    assert_true(codes[0] == 5 && codes[1] == 4 && codes[2] == 2 && codes[3] == 3);
    assert_false(focal_value_codes(field("case", "country"), focal_span_of("KEN", 3), codes));
    assert_int_equal(codes[0], 0);
}

static bool refuse_all(void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return false;
}

static void no_room_is_said(void **state)
{
    (void)state;
    struct focal_buf small;
    focal_buf_init(&small, 4);
    focal_buf_text(&small, "ab");
    assert_int_equal(focal_value_parse(&small, field("case", "country"), focal_span_text("KEN"), TODAY, &err), FOCAL_NO_MEMORY);
    assert_true(small.failed && small.len == 2);
    focal_buf_close(&small);
    focal_buf_init(&small, 100);
    focal_alloc_hook(refuse_all, NULL);
    enum focal_status status = focal_value_parse(&small, field("opening", "epoch"),
        focal_span_text("000102030405060708090a0b0c0d0e0f"), TODAY, &err);
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(status, FOCAL_NO_MEMORY);
    focal_buf_close(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_each_type),           cmocka_unit_test(every_code_goes_round),
        cmocka_unit_test(wrong_codes_are_named),         cmocka_unit_test(absurd_times_are_refused),
        cmocka_unit_test(other_types_are_refused_too),   cmocka_unit_test(sealed_fields_have_two_forms),
        cmocka_unit_test(fields_of_commands_are_refused),
        cmocka_unit_test(numbers_have_a_greatest),
        cmocka_unit_test(errors_do_not_play_with_the_terminal),
        cmocka_unit_test(what_is_not_understood_prints_as_hex),
        cmocka_unit_test(unknown_is_a_value),            cmocka_unit_test(map_values_split),
        cmocka_unit_test(no_room_is_said),
    };
    return cmocka_run_group_tests(tests, open_bufs, close_bufs);
}
