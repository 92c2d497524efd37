/* The anonymity guard: what short text may not hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "focal/model.h"

static struct focal_error err;

static enum focal_status parse(const char *kind, const char *name, const char *value)
{
    struct focal_buf made;
    focal_buf_init(&made, 4096);
    memset(&err, 0, sizeof err);
    enum focal_status status = focal_value_parse(&made, focal_field_by_name(focal_kind_by_name(kind), name),
                                                 focal_span_text(value), 20000, &err);
    if (status == FOCAL_OK) {
        assert_int_equal(made.len, strlen(value));
        assert_memory_equal(made.data, value, made.len);
    } else {
        assert_int_equal(made.len, 0);
    }
    focal_buf_close(&made);
    return status;
}

static void taken(const char *kind, const char *name, const char *value)
{
    if (parse(kind, name, value) != FOCAL_OK)
        fail_msg("%s", err.message);
}

static void refused(const char *kind, const char *name, const char *value, const char *rule)
{
    if (parse(kind, name, value) != FOCAL_REFUSED)
        fail_msg("\"%s\" was let in as %s", value, name);
    if (!strstr(err.message, name) || !strstr(err.message, rule))
        fail_msg("message: %s", err.message);
    assert_true(err.hint[0] != 0);
}

static void names_pass(void **state)
{
    (void)state;
    taken("entity", "name", "Office for the Coordination of Humanitarian Affairs");
    taken("entity", "name", "M\xC3\xA9" "decins du Monde (France), section 2");
    taken("entity", "name", "\xD8\xA7\xD9\x84\xD9\x87\xD9\x84\xD8\xA7\xD9\x84 \xD8\xA7\xD9\x84\xD8\xA3\xD8\xAD\xD9\x85\xD8\xB1");
    taken("entity", "name", "Response plan 2018-2022");
    taken("entity", "name", "St. John's / St. Mary's");
    taken("entity", "name", "1234");
}

static void digit_runs(void **state)
{
    (void)state;
    refused("entity", "name", "Case 12345", "digits");
    refused("entity", "name", "call 0712 345 678", "digits");
    refused("entity", "name", "call 0712-345-678", "digits");
    refused("entity", "name", "(0712) 345.678", "digits");
    refused("entity", "name", "\xD9\xA0\xD9\xA7\xD9\xA1\xD9\xA2\xD9\xA3", "digits");
    refused("entity", "name", "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94\xEF\xBC\x95", "digits");
    refused("entity", "name", "12\xE2\x80\x8D" "34\xE2\x80\x8D" "5", "digits");
}

static void addresses(void **state)
{
    (void)state;
    refused("entity", "name", "jane@example.org", "mail");
    refused("entity", "name", "jane\xEF\xBC\xA0" "example.org", "mail");
    refused("entity", "name", "https://example.org", "web address");
    refused("entity", "name", "see WWW.example.org", "web address");
    refused("entity", "name", "facebook.com/jane.doe", "web address");
}

static void form(void **state)
{
    (void)state;
    char longest[400];
    refused("entity", "name", "two\nlines", "control characters");
    refused("entity", "name", "bad \xC3(", "UTF-8");
    refused("entity", "name", "turned \xE2\x80\xAE round", "invisible");
    refused("entity", "name", "zero\xE2\x80\x8Bwidth", "invisible");
    refused("entity", "name", " edge", "space");
    refused("entity", "name", "edge ", "space");
    refused("entity", "name", "", "empty");
    refused("entity", "name", "?e280", "could not read");
    for (size_t i = 0; i < 121; i++)
        memcpy(longest + 2 * i, "\xC3\xA9", 3);
    refused("entity", "name", longest, "121 characters, and at most 120");
    longest[240] = 0;
    taken("entity", "name", longest);
}

static void duty_contacts(void **state)
{
    (void)state;
    static const char *const good[] = { "psea-duty@example.org", "psea.ssd+duty@un.example.org", "+254 20 762 0000",
                                        "(020) 762-0000", "1528", "0800 123 456" };
    static const char *const bad[] = { "Jane Doe", "Jane Doe +254 20 762 0000", "jane@", "@example.org", "a@b", "a@@b.org",
                                       "jane@example.org, joe@example.org", "12", "+", "https://example.org",
                                       "jane @example.org", "020+762", "020~762", "[020]", "a~b@example.org", "a@exa_mple.org", "a@example.", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        taken("focal_point", "duty_contact", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        refused("focal_point", "duty_contact", bad[i], "mailbox");
        assert_non_null(strstr(err.hint, "of the post"));
    }
}

static void languages(void **state)
{
    (void)state;
    static const char *const good[] = { "en", "swc", "ar-SD", "zh-Hans", "es-419" };
    static const char *const bad[] = { "e", "English", "en ", "en,fr", "EN", "en-", "-en", "en--us", "en_US", "en-a" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        taken("focal_point", "languages", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse("focal_point", "languages", bad[i]), FOCAL_REFUSED);
}

static void offices_and_addresses(void **state)
{
    (void)state;
    static const char *const good[] = { "hq.example.org:7443", "203.0.113.7:1", "[2001:db8::7]:65535", "localhost:7443",
                                        "[::ffff:1.2.3.4]:80" };
    static const char *const bad[] = { "hq.example.org", "hq.example.org:", ":7443", "hq:0", "hq:65536", "hq:74430000",
                                       "2001:db8::7:7443", "[]:7443", "[1234]:7443", "[1;2]:7443", "[hq]:7443", "h q:7443", "hq:-1", "a@b:7443", "[::1:7443",
                                       "tcp://hq:7443" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        taken("address", "at", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("address", "at", bad[i], "not an address");
    taken("address", "office", "KEN-2");
    refused("address", "office", "ken", "office code");
    refused("address", "office", "KEN-", "office code");
}

/* The bytes of a code point, not checked. */
static void put_point(char out[5], uint32_t p)
{
    size_t n = 0;
    if (p < 0x80) {
        out[n++] = (char)p;
    } else if (p < 0x800) {
        out[n++] = (char)(0xC0 | p >> 6);
    } else if (p < 0x10000) {
        out[n++] = (char)(0xE0 | p >> 12);
        out[n++] = (char)(0x80 | (p >> 6 & 0x3F));
    } else {
        out[n++] = (char)(0xF0 | p >> 18);
        out[n++] = (char)(0x80 | (p >> 12 & 0x3F));
        out[n++] = (char)(0x80 | (p >> 6 & 0x3F));
    }
    if (p >= 0x80)
        out[n++] = (char)(0x80 | (p & 0x3F));
    out[n] = 0;
}

struct range { uint32_t first, last; };

/* Each range at its two ends, and what stands beside it. */
static void hidden_characters(void **state)
{
    (void)state;
    static const struct range hidden[] = { { 0xAD, 0xAD }, { 0x61C, 0x61C }, { 0x180E, 0x180E }, { 0x200B, 0x200B }, { 0x200E, 0x200F },
        { 0x2028, 0x202E }, { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F } };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        const uint32_t points[] = { hidden[i].first - 1, hidden[i].first, hidden[i].last, hidden[i].last + 1 };
        for (size_t k = 0; k < 4; k++) {
            char point[5], text[32];
            put_point(point, points[k]);
            (void)snprintf(text, sizeof text, "Relief %s Fund", point);
            bool inside = points[k] >= hidden[i].first && points[k] <= hidden[i].last;
            if (inside)
                refused("entity", "name", text, "invisible");
            else if (points[k] != 0x200D)       /* joins letters, and there are none beside it */
                taken("entity", "name", text);
        }
    }
}

/* Nine digits in groups are a number, whatever stands between the groups; with a letter there they are not. */
static void digits_in_groups(void **state)
{
    (void)state;
    static const struct range between[] = { { 0xA0, 0xA0 }, { 0x2000, 0x200A }, { 0x2010, 0x2015 }, { 0x202F, 0x202F }, { 0x3000, 0x3000 },
        { ' ', ' ' }, { '(', ')' }, { '+', '/' }, { ':', ':' }, { '_', '_' } };
    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) {
        for (uint32_t p = between[i].first; p <= between[i].last; p++) {
            char point[5], text[32];
            put_point(point, p);
            (void)snprintf(text, sizeof text, "Plan 123%s456%s789", point, point);
            refused("entity", "name", text, "digits");
        }
    }
    static const uint32_t apart[] = { 'x', 0xE9, 0x2016, 0x2FFF, 0x3001, 0x4E00, 0x1F600 };
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
        char point[5], text[32];
        put_point(point, apart[i]);
        (void)snprintf(text, sizeof text, "Plan 123%s456%s789", point, point);
        taken("entity", "name", text);
    }
}

static void links_without_a_scheme(void **state)
{
    (void)state;
    refused("entity", "name", "see example.org/people", "web address");
    refused("entity", "name", "mailto:somebody", "web address");
    taken("entity", "name", "Section B.2/3");
    taken("entity", "name", "Water a.b/c");             /* one letter is no domain */
    taken("entity", "name", "and /or .org/x");          /* nothing before the point */
    taken("entity", "name", "Fund e.V. [Bonn]");
    taken("entity", "name", "Relief.org");
}

/* No kind has such a field yet; the form is there for those to come. */
static void web_addresses(void **state)
{
    (void)state;
    struct focal_field field = *focal_field_by_name(focal_kind_by_name("entity"), "name");
    field.intake = FOCAL_INTAKE_URL;
    static const struct { const char *text; enum focal_status status; } cases[] = {
        { "https://example.org/policy", FOCAL_OK }, { "http://example.org", FOCAL_OK },
        { "https://", FOCAL_REFUSED }, { "http://", FOCAL_REFUSED }, { "ftp://example.org", FOCAL_REFUSED }, { "example.org", FOCAL_REFUSED },
        { "https://a b", FOCAL_REFUSED }, { "https://me@example.org", FOCAL_REFUSED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct focal_buf made;
        focal_buf_init(&made, 256);
        memset(&err, 0, sizeof err);
        if (focal_value_parse(&made, &field, focal_span_text(cases[i].text), 20000, &err) != cases[i].status)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_true(cases[i].status == FOCAL_OK || strstr(err.message, "not a web address"));
        focal_buf_close(&made);
    }
}

/* Real names of organisations, as they are listed in public, all pass. */
static void endorsers_pass(void **state)
{
    (void)state;
    char line[1024];
    unsigned names = 0;
    FILE *in = fopen(FOCAL_SOURCE_DIR "/conf/data/soc_endorsers.csv", "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    while (fgets(line, sizeof line, in)) {
        char *name = line;
        char *end = line[0] == '"' ? strchr(++name, '"') : strchr(line, ',');
        assert_non_null(end);
        *end = 0;
        taken("entity", "name", name);
        names++;
    }
    fclose(in);
    assert_int_equal(names, 54);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_pass), cmocka_unit_test(digit_runs),    cmocka_unit_test(addresses),
        cmocka_unit_test(form),       cmocka_unit_test(duty_contacts), cmocka_unit_test(languages),
        cmocka_unit_test(offices_and_addresses), cmocka_unit_test(endorsers_pass), cmocka_unit_test(hidden_characters),
        cmocka_unit_test(digits_in_groups), cmocka_unit_test(links_without_a_scheme), cmocka_unit_test(web_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
