/* focald.conf: the table, refusals that name file, line and key, and the shipped example. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/config.h"

#include <stdio.h>
#include <string.h>

static enum focal_status parse(struct focal_config *c, const char *text, struct focal_error *err)
{
    return focal_config_parse(c, "f.conf", focal_span_text(text), err);
}

static void defaults(void **state)
{
    (void)state;
    struct focal_config c;
    struct focal_error err;
    char path[FOCAL_CONFIG_PATH_MAX + 16];
    focal_config_defaults(&c);
    assert_string_equal(c.listen, "0.0.0.0:7443");
    assert_int_equal(c.log_level, FOCAL_INFO);
    assert_int_equal(c.redial_least_s, 1);
    assert_int_equal(c.redial_most_s, 300);
    assert_int_equal(c.advertise_count, 0);
    assert_int_equal(focal_config_check(&c, &err), FOCAL_OK);
    snprintf(c.dir, sizeof c.dir, "/x");
    focal_config_socket(path, &c);
    assert_string_equal(path, "/x/control.sock");
}

static void taken(void **state)
{
    (void)state;
    struct focal_config c;
    struct focal_error err;
    focal_config_defaults(&c);
    assert_int_equal(parse(&c, "# a comment\n[link]\nlisten = [2001:db8::1]:7443\nadvertise = a.example:1, [2001:db8::2]:2\n[log]\nlevel=debug\n", &err), FOCAL_OK);
    assert_string_equal(c.listen, "[2001:db8::1]:7443");
    assert_int_equal(c.advertise_count, 2);
    assert_string_equal(c.advertise[1], "[2001:db8::2]:2");
    assert_int_equal(c.log_level, FOCAL_DEBUG);
    /* A later file stands in the place of the earlier one. */
    assert_int_equal(parse(&c, "[link]\nlisten = none\n", &err), FOCAL_OK);
    assert_string_equal(c.listen, "none");
    assert_int_equal(c.advertise_count, 2);
}

static void refused(void **state)
{
    (void)state;
    static const struct { const char *text, *says, *hint; } bad[] = {
        { "[link]\n\nlissten = none\n", "f.conf, line 3", "did you mean listen" },
        { "[log]\nlisten = none\n", "f.conf, line 2", "[link]" },
        { "listen = none\n", "f.conf, line 1", "[link]" },
        { "[link]\nlisten = here\n", "f.conf, line 2: listen", "host:port" },
        { "[link]\nlisten = a:70000\n", "line 2: listen", "host:port" },
        { "[link]\nlisten = a b:1\n", "line 2: listen", "host:port" },
        { "[link]\nadvertise = 0.0.0.0:1\n", "line 2: advertise", "as others reach it" },
        { "[link]\nredial_least = 0\n", "line 2: redial_least", "from 1 to 3600" },
        { "[link]\nredial_least = -1\n", "line 2: redial_least", "whole number" },
        { "[link]\nredial_most = 99999999999999999999\n", "line 2: redial_most", "whole number" },
        { "[log]\nlevel = loud\n", "line 2: level", "debug" },
        { "[link]\nnonsense\n", "line 2", "key = value" },
        { "[control]\nadmin_group =\n", "line 2: admin_group", "groupadd" },
        { "[control]\nentry_group = a b\n", "line 2: entry_group", "groupadd" },
        { "[control]\nread_group = 7up\n", "line 2: read_group", "groupadd" },
        { "[control]\nread_group = abcdefghijklmnopqrstuvwxyz1234567\n", "line 2: read_group", "at most 32" },
        { "[control]\ntwo_persons = redact, burn\n", "line 2: two_persons", "redact, export, revoke or veil" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct focal_config c, before;
        struct focal_error err;
        focal_config_defaults(&c);
        before = c;
        assert_int_not_equal(parse(&c, bad[i].text, &err), FOCAL_OK);
        if (!strstr(err.message, bad[i].says) || !strstr(err.hint, bad[i].hint))
            fail_msg("\"%s\" says \"%s\" / \"%s\"", bad[i].text, err.message, err.hint);
        assert_memory_equal(&c, &before, sizeof c);
    }
}

static void hostile(void **state)
{
    (void)state;
    struct focal_config c;
    struct focal_error err;
    char line[1000];
    focal_config_defaults(&c);
    assert_int_equal(focal_config_parse(&c, "f", focal_span_of("[log]\nlevel\0=info\n", 18), &err), FOCAL_MALFORMED);
    /* inih would cut a long line in two and read the second half as another key. */
    memset(line, 'a', sizeof line - 1);
    line[sizeof line - 1] = 0;
    assert_int_equal(parse(&c, line, &err), FOCAL_REFUSED);
    memcpy(line, "[log]\n", 6);
    assert_int_equal(parse(&c, line, &err), FOCAL_REFUSED);
    assert_non_null(strstr(err.message, "line 2"));
    assert_int_equal(parse(&c, "", &err), FOCAL_OK);
    assert_int_equal(parse(&c, "[link]\nadvertise = a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1\n", &err), FOCAL_REFUSED);
    assert_int_equal(parse(&c, "[link]\nredial_least=20\nredial_most=10\n", &err), FOCAL_OK);
    assert_int_equal(focal_config_check(&c, &err), FOCAL_REFUSED);
}

static void who_may(void **state)
{
    (void)state;
    struct focal_config c;
    struct focal_error err;
    focal_config_defaults(&c);
    assert_string_equal(c.admin_group, "focal-admin");
    assert_string_equal(c.entry_group, "focal-entry");
    assert_string_equal(c.read_group, "focal-read");
    assert_int_equal(c.two_persons, 0);
    assert_int_equal(parse(&c, "[control]\ntwo_persons = redact,export , revoke veil\n", &err), FOCAL_OK);
    assert_int_equal(c.two_persons, FOCAL_TWO_REDACT | FOCAL_TWO_EXPORT | FOCAL_TWO_REVOKE | FOCAL_TWO_VEIL);
    assert_int_equal(parse(&c, "[control]\ntwo_persons =\n", &err), FOCAL_OK);
    assert_int_equal(c.two_persons, 0);
    /* One group for both would let whoever administers read. */
    assert_int_equal(parse(&c, "[control]\nadmin_group = staff\nread_group = staff\n", &err), FOCAL_OK);
    assert_int_equal(focal_config_check(&c, &err), FOCAL_REFUSED);
    assert_non_null(strstr(err.message, "staff"));
}

/* What is printed is read back as the same. */
static void back(void **state)
{
    (void)state;
    struct focal_config c, again;
    struct focal_error err;
    for (int help = 0; help < 2; help++) {
        struct focal_buf text;
        focal_config_defaults(&c);
        assert_int_equal(parse(&c, "[node]\ndir=/d\n[control]\nsocket=/d/s\nadmin_group=it\nentry_group=desk\nread_group=desk\ntwo_persons=veil, redact\n[link]\nlisten=1.2.3.4:5\nadvertise=a:1,b:2\nredial_least=2\n[log]\nlevel=error\n", &err), FOCAL_OK);
        focal_buf_init(&text, 1 << 16);
        focal_config_print(&text, &c, help);
        focal_config_defaults(&again);
        assert_int_equal(focal_config_parse(&again, "f", focal_buf_view(&text), &err), FOCAL_OK);
        assert_memory_equal(&c, &again, sizeof c);
        focal_buf_close(&text);
    }
}

/* The longest value of every key that is taken, set as tightly as a line allows, is read back too. */
static void the_longest_comes_back(void **state)
{
    (void)state;
    static const char *const forms[] = { "[node]\ndir=/", "[control]\nsocket=/", "[link]\nadvertise=" };
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        bool taken = false, refused = false;
        for (size_t len = 1; len < 180; len++) {
            struct focal_config c, again;
            struct focal_error err;
            char value[200], text[300];
            for (size_t i = 0; i < len; i++)        /* addresses a:1,a:1,... or a long path */
                value[i] = form == 2 ? "a:1,"[i % 4] : 'x';
            value[len] = 0;
            (void)snprintf(text, sizeof text, "%s%s", forms[form], value);
            focal_config_defaults(&c);
            focal_config_defaults(&again);
            if (parse(&c, text, &err) != FOCAL_OK) {
                refused = true;
                continue;
            }
            taken = true;
            struct focal_buf printed;
            focal_buf_init(&printed, 1 << 16);
            focal_config_print(&printed, &c, false);
            assert_int_equal(focal_config_parse(&again, "f", focal_buf_view(&printed), &err), FOCAL_OK);
            assert_memory_equal(&c, &again, sizeof c);
            focal_buf_close(&printed);
        }
        assert_true(taken && refused);
    }
}

/* What a file would cut off or split is refused wherever it comes from. */
static void what_a_file_cannot_hold(void **state)
{
    (void)state;
    static const char *const bad[] = { ";/d", "/a ;b", "/a\t;b", " /d", "/d ", "/d\t", "/a\n/b", "/a\r" };
    static const char *const good[] = { "/a;b", "/a b", "/d#1", "/a=b" };
    struct focal_config c;
    struct focal_error err;
    focal_config_defaults(&c);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(focal_config_set(&c, "node", "dir", bad[i], &err), FOCAL_REFUSED);
    assert_string_equal(c.dir, "");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct focal_config again;
        struct focal_buf text;
        assert_int_equal(focal_config_set(&c, "node", "dir", good[i], &err), FOCAL_OK);
        focal_buf_init(&text, 1 << 16);
        focal_config_print(&text, &c, false);
        focal_config_defaults(&again);
        assert_int_equal(focal_config_parse(&again, "f", focal_buf_view(&text), &err), FOCAL_OK);
        assert_string_equal(again.dir, good[i]);
        focal_buf_close(&text);
    }
}

/* conf/focald.conf shows every key at its default, and changes nothing. */
static void shipped(void **state)
{
    (void)state;
    struct focal_config c, again;
    struct focal_error err;
    struct focal_buf text;
    char file[16384];
    FILE *f = fopen(FOCAL_SOURCE_DIR "/conf/focald.conf", "r");
    assert_non_null(f);
    size_t len = fread(file, 1, sizeof file, f);
    fclose(f);
    focal_config_defaults(&c);
    again = c;
    assert_int_equal(focal_config_parse(&again, "focald.conf", focal_span_of(file, len), &err), FOCAL_OK);
    assert_memory_equal(&c, &again, sizeof c);
    focal_buf_init(&text, 1 << 16);
    focal_config_print(&text, &c, true);
    assert_true(len > text.len && memcmp(file + len - text.len, text.data, text.len) == 0);
    focal_buf_close(&text);
}

static void addresses(void **state)
{
    (void)state;
    assert_true(focal_config_address_valid("127.0.0.1:0"));
    assert_true(focal_config_address_valid("a-b.example:65535"));
    assert_true(focal_config_address_valid("[::1]:7443"));
    static const char *const bad[] = { "", ":1", "a", "a:", "a:65536", "a:x", "[]:1", "[::1:1", "a/b:1", "::1:1", "a:1:2" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (focal_config_address_valid(bad[i]))
            fail_msg("%s was taken", bad[i]);
    assert_true(focal_config_address_any("0.0.0.0:7443"));
    assert_true(focal_config_address_any("[::]:1"));
    assert_false(focal_config_address_any("10.0.0.0:7443"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(defaults), cmocka_unit_test(taken), cmocka_unit_test(refused), cmocka_unit_test(hostile), cmocka_unit_test(who_may),
        cmocka_unit_test(back), cmocka_unit_test(the_longest_comes_back), cmocka_unit_test(what_a_file_cannot_hold),
        cmocka_unit_test(shipped), cmocka_unit_test(addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
