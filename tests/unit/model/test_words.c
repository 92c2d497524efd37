/* Calendar, reference codes, countries. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static void every_day_goes_round(void **state)
{
    (void)state;
    int last_year = 0, last_month = 12, last_day = 31;
    for (uint32_t days = 0; days < 3652059; days++) {
        int year, month, day;
        focal_date_parts(days, &year, &month, &day);
        bool next_day = year == last_year && month == last_month && day == last_day + 1;
        bool next_month = year == last_year && month == last_month + 1 && day == 1 && last_day >= 28;
        bool next_year = year == last_year + 1 && month == 1 && day == 1 && last_month == 12 && last_day == 31;
        if (!next_day && !next_month && !next_year)
            fail_msg("day %u is %d-%d-%d", (unsigned)days, year, month, day);
        last_year = year, last_month = month, last_day = day;
        if (days % 97 == 0 || days > 3651000) {
            char text[16];
            uint32_t again;
            focal_date_print(text, days);
            assert_true(focal_date_parse(&again, focal_span_text(text)));
            assert_int_equal(again, days);
        }
    }
    assert_int_equal(last_year, 9999);
}

static void known_days(void **state)
{
    (void)state;
    static const struct { const char *text; uint32_t days; } known[] = {
        { "0001-01-01", 0 }, { "1945-01-01", 710031 }, { "1970-01-01", 719162 }, { "2000-02-29", 730178 },
        { "2018-05-03", 736816 }, { "9999-12-31", 3652058 },
    };
    static const char *const bad[] = { "", "2018-5-3", "2018-13-01", "2018-00-01", "2018-01-00", "2018-04-31", "1900-02-29",
                                       "2018-02-29", "0000-01-01", "2018/01/01", "2018-01-01 ", "-018-01-01", "2018-01-0x" };
    uint32_t days;
    char text[16];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_true(focal_date_parse(&days, focal_span_text(known[i].text)));
        assert_int_equal(days, known[i].days);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(focal_date_parse(&days, focal_span_text(bad[i])));
    assert_int_equal(focal_date_from_unix_days(17654), 736816);
    assert_true(focal_date_from_unix_days(UINT32_MAX) == UINT32_MAX);
    focal_date_print(text, UINT32_MAX);
    assert_string_equal(text, "?");
}

static void quarters(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "2018-Q0", "2018-Q5", "2018-q1", "2018Q1", "18-Q1", "0000-Q1", "2018-Q11" };
    uint32_t quarter, days;
    char text[12];
    for (uint32_t q = 4; q < 40000; q++) {
        focal_quarter_print(text, q);
        assert_true(focal_quarter_parse(&quarter, focal_span_text(text)));
        assert_int_equal(quarter, q);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(focal_quarter_parse(&quarter, focal_span_text(bad[i])));
    focal_quarter_print(text, UINT32_MAX);
    assert_string_equal(text, "?");
    assert_true(focal_date_parse(&days, focal_span_text("2018-03-31")));
    assert_int_equal(focal_quarter_of_date(days), 2018 * 4);
    assert_int_equal(focal_quarter_of_date(days + 1), 2018 * 4 + 1);
}

/* ---- reference codes ---- */

static struct focal_office office_of(const char *text)
{
    struct focal_office office;
    assert_true(focal_office_parse(&office, focal_span_text(text)));
    return office;
}

/* Check characters worked out once by other means than this program. */
static void known_codes(void **state)
{
    (void)state;
    static const struct { const char *office; uint64_t value; const char *code; } known[] = {
        { "KEN", 153804154797, "KEN-4F7Q-29XD-0" }, { "HQ", 0, "HQ-0000-0000-Y" },
        { "A-1", 1099511627775, "A-1-ZZZZ-ZZZZ-Q" }, { "SSD-2", 1144132818, "SSD-2-0123-456J-1" },
    };
    char text[32];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct focal_office office = office_of(known[i].office), read;
        uint64_t value;
        focal_code_print(text, &office, known[i].value);
        assert_string_equal(text, known[i].code);
        assert_int_equal(focal_code_parse(&read, &value, focal_span_text(text)), FOCAL_OK);
        assert_string_equal(read.text, known[i].office);
        assert_true(value == known[i].value);
    }
}

static void reading_forgives_what_people_do(void **state)
{
    (void)state;
    static const char *const same[] = { "KEN-4F7Q-29XD-0", "ken-4f7q-29xd-0", "KEN-4F7Q29XD0", "KEN-4F7Q-29XDo", "KEN4F7Q29XD0",
                                        "KEN-4F7Q29XD-O" };
    struct focal_office office;
    uint64_t value;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(focal_code_parse(&office, &value, focal_span_text(same[i])), FOCAL_OK);
        assert_string_equal(office.text, "KEN");
        assert_true(value == 153804154797);
    }
    assert_int_equal(focal_code_parse(&office, &value, focal_span_text("SSD-2-OL23-456J-I")), FOCAL_OK);
    assert_string_equal(office.text, "SSD-2");
}

static void other_texts_are_not_codes(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "KEN", "4F7Q-29XD-0", "KEN-4F7Q-29XD", "KEN-4F7U-29XD-0", "KEN-4F7Q-29XD-0-",
                                       "KEN--4F7Q-29XD-0", "K-4F7Q-29XD-0", "KEN 4F7Q 29XD 0", "KEN-4F-7Q29XD-0",
                                       "0000000000000000000000000000000000000000000000000000000000000000" };
    struct focal_office office;
    uint64_t value;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(focal_code_parse(&office, &value, focal_span_text(bad[i])), FOCAL_MALFORMED);
    assert_int_equal(focal_code_parse(&office, &value, focal_span_of("KEN-4F7Q\0-29XD-0", 16)), FOCAL_MALFORMED);
}

/* Every single slip in the nine characters, and every swap of unequal neighbours, is recognised. */
static void slips_are_recognised(void **state)
{
    (void)state;
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct focal_office office = office_of("KEN"), read;
    uint64_t read_value, value = 0x123456789Aull;
    char good[32], slip[32];
    for (int round = 0; round < 50; round++) {
        value = (value * 6364136223846793005ull + 1442695040888963407ull) & 0xFFFFFFFFFFull;
        focal_code_print(good, &office, value);
        size_t len = strlen(good);
        for (size_t i = 4; i < len; i++) {
            memcpy(slip, good, sizeof slip);
            for (const char *d = digits; *d && good[i] != '-'; d++) {
                slip[i] = *d;
                enum focal_status expected = *d == good[i] ? FOCAL_OK : FOCAL_REFUSED;
                assert_int_equal(focal_code_parse(&read, &read_value, focal_span_text(slip)), expected);
            }
            memcpy(slip, good, sizeof slip);
            size_t next = i + 1 < len && good[i + 1] == '-' ? i + 2 : i + 1;
            if (good[i] == '-' || next >= len || good[i] == good[next])
                continue;
            slip[i] = good[next];
            slip[next] = good[i];
            assert_int_equal(focal_code_parse(&read, &read_value, focal_span_text(slip)), FOCAL_REFUSED);
        }
    }
    assert_int_equal(focal_code_parse(&read, &read_value, focal_span_text("KEM-4F7Q-29XD-0")), FOCAL_REFUSED);
}

/* ---- countries ---- */

/* The next cell of a CSV line, unquoted in place. */
static char *cell(char **at)
{
    char *start = *at, *end;
    if (*start == '"') {
        end = strchr(++start, '"');
        assert_non_null(end);
        *end++ = 0;
    } else {
        end = start + strcspn(start, ",\r\n");
    }
    *at = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static void countries_are_those_of_the_file(void **state)
{
    (void)state;
    char line[1024];
    unsigned count = 0;
    FILE *in = fopen(FOCAL_SOURCE_DIR "/conf/data/countries.csv", "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    while (fgets(line, sizeof line, in)) {
        char *at = line, *cells[6];
        for (int i = 0; i < 6; i++)
            cells[i] = cell(&at);
        assert_int_equal(strlen(cells[1]), 3);
        assert_true(focal_country_known(cells[1]));
        assert_string_equal(focal_country_name(cells[1]), cells[5][0] ? cells[5] : cells[4]);
        count++;
    }
    fclose(in);
    assert_int_equal(count, 249);
    assert_false(focal_country_known("ZZZ"));
    assert_false(focal_country_known("ken"));
    assert_false(focal_country_known("\0\0\0"));
    assert_null(focal_country_name("AAA"));
    assert_null(focal_country_name("ZZZ"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_goes_round),      cmocka_unit_test(known_days),
        cmocka_unit_test(quarters),                  cmocka_unit_test(known_codes),
        cmocka_unit_test(reading_forgives_what_people_do), cmocka_unit_test(other_texts_are_not_codes),
        cmocka_unit_test(slips_are_recognised),      cmocka_unit_test(countries_are_those_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
