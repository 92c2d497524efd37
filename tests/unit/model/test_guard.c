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
                                       "jane @example.org", "020+762", "a@example.", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1" };
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
                                       "2001:db8::7:7443", "[]:7443", "[hq]:7443", "h q:7443", "hq:-1", "a@b:7443", "[::1:7443",
                                       "tcp://hq:7443" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        taken("address", "at", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refused("address", "at", bad[i], "not an address");
    taken("address", "office", "KEN-2");
    refused("address", "office", "ken", "office code");
    refused("address", "office", "KEN-", "office code");
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
        cmocka_unit_test(offices_and_addresses), cmocka_unit_test(endorsers_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
