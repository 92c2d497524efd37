/* The language of the control socket: what is taken, what is refused, and that both halves understand one another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/control.h"

#include <stdio.h>
#include <string.h>

static struct focal_span of(const char *text)
{
    return focal_span_text(text);
}

static struct focal_span line_of(const struct focal_buf *b)
{
    assert_false(b->failed);
    assert_true(b->len > 1 && b->data[b->len - 1] == '\n');
    assert_null(memchr(b->data, '\n', b->len - 1));
    return focal_span_of(b->data, b->len - 1);
}

static void hello(void **state)
{
    (void)state;
    struct focal_buf b;
    struct focal_error err;
    focal_buf_init(&b, 4096);
    focal_control_hello(&b);
    assert_int_equal(focal_control_hello_check(line_of(&b), &err), FOCAL_OK);
    assert_int_equal(focal_control_hello_check(of("{\"focal\":\"control\",\"version\":1,\"new\":[1]}"), &err), FOCAL_OK);
    assert_int_equal(focal_control_hello_check(of("{\"focal\":\"control\",\"version\":2}"), &err), FOCAL_UNSUPPORTED);
    assert_int_equal(focal_control_hello_check(of("{\"focal\":\"control\",\"version\":\"1\"}"), &err), FOCAL_MALFORMED);
    assert_int_equal(focal_control_hello_check(of("{\"id\":1,\"do\":\"status\"}"), &err), FOCAL_MALFORMED);
    assert_int_equal(focal_control_hello_check(of("GET / HTTP/1.1"), &err), FOCAL_MALFORMED);
    assert_int_equal(focal_control_hello_check(of(""), &err), FOCAL_MALFORMED);
    assert_int_equal(focal_control_hello_check(of("[]"), &err), FOCAL_MALFORMED);
    focal_buf_close(&b);
}

static void requests(void **state)
{
    (void)state;
    struct focal_request r;
    struct focal_error err;
    struct focal_buf b;
    struct json_t *with = NULL;
    assert_int_equal(focal_json_parse(&with, of("{\"limit\":10}"), &err), FOCAL_OK);
    focal_buf_init(&b, 4096);
    focal_request_print(&b, 7, "case.list", with);
    assert_int_equal(focal_request_parse(&r, line_of(&b), &err), FOCAL_OK);
    assert_int_equal(r.id, 7);
    assert_string_equal(r.verb, "case.list");
    focal_buf_clear(&b);
    focal_json_print(&b, r.with);
    assert_string_equal(focal_buf_cstr(&b), "{\"limit\":10}");
    focal_request_close(&r);
    /* Keys not known are passed over; "with" may be left out or null. */
    assert_int_equal(focal_request_parse(&r, of("{\"id\":0,\"do\":\"status\",\"with\":null,\"x\":{}}"), &err), FOCAL_OK);
    assert_null(r.with);
    focal_request_close(&r);
    focal_buf_close(&b);
    struct focal_request give = { .with = with };
    focal_request_close(&give);
}

static void bad_requests(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "x", "{", "[]", "1", "\"a\"", "{}", "{\"id\":1}", "{\"do\":\"status\"}", "{\"id\":-1,\"do\":\"status\"}", "{\"id\":1.5,\"do\":\"status\"}",
        "{\"id\":\"1\",\"do\":\"status\"}", "{\"id\":1,\"do\":7}", "{\"id\":1,\"do\":\"status\",\"with\":[]}", "{\"id\":1,\"do\":\"status\",\"with\":1}",
        "{\"id\":1,\"id\":2,\"do\":\"status\"}", "{\"id\":1,\"do\":\"status\"} x", "{\"id\":99999999999999999999,\"do\":\"status\"}",
        "{\"id\":1,\"do\":\"a\\u0000b\"}", "{\"id\":1,\"do\":\"0123456789012345678901234567890123456789012345678\"}", "{\"id\":1,\"do\":\"\xff\"}"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct focal_request r;
        struct focal_error err;
        assert_int_equal(focal_request_parse(&r, of(bad[i]), &err), FOCAL_MALFORMED);
        assert_true(err.message[0]);
        focal_request_close(&r);
    }
}

static void depth(void **state)
{
    (void)state;
    struct json_t *out;
    struct focal_error err;
    char deep[4 * FOCAL_CONTROL_DEPTH_MAX] = "";
    for (int n = FOCAL_CONTROL_DEPTH_MAX; n <= FOCAL_CONTROL_DEPTH_MAX + 1; n++) {
        memset(deep, '[', (size_t)n);
        memset(deep + n, ']', (size_t)n);
        deep[2 * n] = 0;
        assert_int_equal(focal_json_parse(&out, of(deep), &err), n <= FOCAL_CONTROL_DEPTH_MAX ? FOCAL_OK : FOCAL_MALFORMED);
        struct focal_request give = { .with = out };
        focal_request_close(&give);
    }
    /* Brackets in a string are text, also behind an escaped quote. */
    assert_int_equal(focal_json_parse(&out, of("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"), &err), FOCAL_OK);
    struct focal_request give = { .with = out };
    focal_request_close(&give);
    /* An enormous opening must not reach the parser's stack. */
    struct focal_buf b;
    focal_buf_init(&b, 1 << 20);
    memset(focal_buf_reserve(&b, 900000), '[', 900000);
    assert_int_equal(focal_json_parse(&out, focal_buf_view(&b), &err), FOCAL_MALFORMED);
    focal_buf_close(&b);
}

static void too_long(void **state)
{
    (void)state;
    struct focal_request r;
    struct focal_error err;
    struct focal_buf b;
    focal_buf_init(&b, 4 << 20);
    memset(focal_buf_reserve(&b, FOCAL_CONTROL_LINE_MAX + 1), ' ', FOCAL_CONTROL_LINE_MAX + 1);
    assert_int_equal(focal_request_parse(&r, focal_buf_view(&b), &err), FOCAL_TOO_BIG);
    focal_buf_close(&b);
}

static void answers(void **state)
{
    (void)state;
    struct focal_buf b;
    struct focal_answer a;
    struct focal_error err, said;
    struct json_t *item = NULL;
    focal_buf_init(&b, 1 << 16);
    assert_int_equal(focal_json_parse(&item, of("{\"z\":1,\"a\":2}"), &err), FOCAL_OK);
    focal_answer_item(&b, 3, item);
    assert_int_equal(focal_answer_parse(&a, line_of(&b), &err), FOCAL_OK);
    assert_int_equal(a.type, FOCAL_ANSWER_ITEM);
    assert_int_equal(a.id, 3);
    focal_answer_close(&a);
    focal_buf_clear(&b);
    focal_answer_end(&b, 4, FOCAL_PARTIAL, item);
    assert_non_null(strstr(focal_buf_cstr(&b), "{\"status\":\"partial\",\"z\":1,\"a\":2}"));
    assert_int_equal(focal_answer_parse(&a, line_of(&b), &err), FOCAL_OK);
    assert_int_equal(a.type, FOCAL_ANSWER_END);
    assert_int_equal(a.status, FOCAL_PARTIAL);
    focal_answer_close(&a);
    struct focal_request give = { .with = item };
    focal_request_close(&give);
    /* Every status survives the way as an error; what is said is said the same. */
    for (int s = 1; s <= FOCAL_DAMAGED; s++) {
        focal_buf_clear(&b);
        (void)!focal_fail(&said, (enum focal_status)s, "do \"this\"", "line\nbreak and \xff");
        focal_answer_error(&b, 5, &said);
        assert_int_equal(focal_answer_parse(&a, line_of(&b), &err), FOCAL_OK);
        assert_int_equal(a.type, FOCAL_ANSWER_ERROR);
        assert_int_equal(a.status, s);
        assert_string_equal(a.error.hint, "do \"this\"");
        focal_answer_close(&a);
    }
    assert_int_equal(focal_answer_parse(&a, of("{\"id\":1,\"later\":{}}"), &err), FOCAL_OK);
    assert_int_equal(a.type, FOCAL_ANSWER_OTHER);
    focal_answer_close(&a);
    assert_int_equal(focal_answer_parse(&a, of("{\"id\":1,\"error\":{\"code\":\"FD-9999\"}}"), &err), FOCAL_OK);
    assert_int_equal(a.status, FOCAL_UNSUPPORTED);
    focal_answer_close(&a);
    focal_buf_close(&b);
}

/* A sentence that quotes half a character is still a sentence. */
static void cut_characters(void **state)
{
    (void)state;
    struct focal_error err;
    struct focal_buf b;
    assert_int_equal(focal_fail(&err, FOCAL_USAGE, "h\xc3", "\"%.3s\" is no code", "ab\xc3\xa9"), FOCAL_USAGE);
    focal_buf_init(&b, 4096);
    focal_answer_error(&b, 1, &err);
    assert_non_null(strstr(focal_buf_cstr(&b), "\\\"ab?\\\" is no code"));
    focal_buf_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(hello), cmocka_unit_test(requests), cmocka_unit_test(bad_requests), cmocka_unit_test(depth),
        cmocka_unit_test(too_long), cmocka_unit_test(answers), cmocka_unit_test(cut_characters) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
