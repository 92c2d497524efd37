/* Status codes, errors, memory and spans. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/base.h"

#include <stdlib.h>
#include <string.h>

static void every_code_has_a_name_a_text_and_an_exit(void **state)
{
    (void)state;
    int codes = 0;
#define X(name, number, exit, text)                                                                                    \
    assert_string_equal(focal_status_name(FOCAL_##name), #name);                                                       \
    assert_string_equal(focal_status_text(FOCAL_##name), text);                                                        \
    assert_int_equal(focal_status_exit(FOCAL_##name), exit);                                                           \
    assert_int_equal(FOCAL_##name, codes);                                                                             \
    codes++;
    FOCAL_STATUS_LIST(X)
#undef X
    assert_int_equal(codes, 25);
    assert_int_equal(focal_status_exit(FOCAL_NOT_FOUND), 4);
    assert_int_equal(focal_status_exit(FOCAL_OK), 0);
    enum focal_status strange = (enum focal_status)99;
    assert_string_equal(focal_status_name(strange), "UNKNOWN");
    assert_int_equal(focal_status_exit(strange), 1);
}

static void fail_fills_the_error_and_gives_the_status_back(void **state)
{
    (void)state;
    struct focal_error err;
    memset(&err, 0xAA, sizeof err);
    assert_int_equal(focal_fail(&err, FOCAL_NOT_FOUND, "focalctl case list", "no case %s-%d", "KEN", 7), FOCAL_NOT_FOUND);
    assert_int_equal(err.status, FOCAL_NOT_FOUND);
    assert_string_equal(err.message, "no case KEN-7");
    assert_string_equal(err.hint, "focalctl case list");
    assert_int_equal(focal_fail(&err, FOCAL_BUSY, NULL, "x"), FOCAL_BUSY);
    assert_string_equal(err.hint, "");
    assert_int_equal(focal_fail(NULL, FOCAL_IO, "h", "m %d", 1), FOCAL_IO);
}

static void an_error_can_be_told_inside_itself(void **state)
{
    (void)state;
    struct focal_error err;
    focal_fail(&err, FOCAL_IO, "try again", "disk");
    focal_fail(&err, FOCAL_DAMAGED, err.hint, "page 3: %s", err.message);
    assert_string_equal(err.message, "page 3: disk");
    assert_string_equal(err.hint, "try again");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    /* Characters of 1 to 4 bytes, each at every offset to the cut. */
    static const char *const letters[] = { "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6" };
    for (size_t l = 0; l < 4; l++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[1000] = "";
            memset(text, 'x', shift);
            while (strlen(text) < 900)
                strcat(text, letters[l]);
            struct focal_error err;
            focal_fail(&err, FOCAL_IO, text, "%s", text);
            size_t len = strlen(err.message);
            assert_true(len >= sizeof err.message - 4 && len < sizeof err.message);
            assert_true(focal_utf8_valid(focal_span_text(err.message)));
            assert_true(focal_utf8_valid(focal_span_text(err.hint)));
            assert_memory_equal(err.message, text, len);
        }
    }
}

static bool count_down(void *data, size_t bytes)
{
    (void)bytes;
    int *left = data;
    return (*left)-- > 0;
}

static void memory_is_zeroed_and_the_hook_can_refuse_it(void **state)
{
    (void)state;
    uint8_t *p = focal_alloc(100);
    assert_non_null(p);
    for (int i = 0; i < 100; i++)
        assert_int_equal(p[i], 0);
    memset(p, 7, 100);
    p = focal_realloc(p, 4000);
    assert_non_null(p);
    assert_int_equal(p[99], 7);

    int left = 1;
    focal_alloc_hook(count_down, &left);
    void *q = focal_alloc(1);
    assert_non_null(q);
    assert_null(focal_alloc(1));
    assert_null(focal_realloc(p, 8000));
    focal_alloc_hook(NULL, NULL);
    assert_int_equal(p[99], 7);
    focal_free(q);
    focal_free(p);

    p = focal_alloc(0);
    assert_non_null(p);
    focal_free(p);
    /* Through a volatile, because the compiler warns of such sizes where it sees them. */
    volatile size_t absurd = SIZE_MAX;
    assert_null(focal_alloc(absurd));
    assert_null(focal_realloc(NULL, absurd / 2 + 1));
    focal_free(NULL);
}

static void spans_compare_bytewise(void **state)
{
    (void)state;
    struct focal_span none = { 0 };
    struct focal_span a = focal_span_text("abc"), b = focal_span_text("abd"), p = focal_span_text("ab");
    struct focal_span high = focal_span_of("\xFF", 1);
    assert_true(focal_span_equal(none, focal_span_text("")));
    assert_true(focal_span_equal(a, focal_span_of("abcd", 3)));
    assert_false(focal_span_equal(a, p));
    assert_false(focal_span_equal(a, b));
    assert_int_equal(focal_span_compare(a, b), -1);
    assert_int_equal(focal_span_compare(b, a), 1);
    assert_int_equal(focal_span_compare(p, a), -1);
    assert_int_equal(focal_span_compare(a, p), 1);
    assert_int_equal(focal_span_compare(a, a), 0);
    assert_int_equal(focal_span_compare(none, p), -1);
    assert_int_equal(focal_span_compare(none, none), 0);
    assert_int_equal(focal_span_compare(high, a), 1);
}

struct heard { int lines; enum focal_level level; char room[16]; char text[600]; };

static void hear(void *data, enum focal_level level, const char *room, const char *text)
{
    struct heard *heard = data;
    heard->lines++;
    heard->level = level;
    strcpy(heard->room, room);
    strcpy(heard->text, text);
}

static void trace_makes_only_wanted_lines(void **state)
{
    (void)state;
    struct heard heard = { 0 };
    struct focal_trace trace = { .line = hear, .data = &heard, .most = FOCAL_INFO };
    focal_trace_line(&trace, FOCAL_DEBUG, "sync", "unseen");
    assert_int_equal(heard.lines, 0);
    focal_trace_line(&trace, FOCAL_INFO, "sync", "peer %d", 3);
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, FOCAL_INFO);
    assert_string_equal(heard.room, "sync");
    assert_string_equal(heard.text, "peer 3");
    focal_trace_line(&trace, FOCAL_ERROR, "io", "%0600d", 1);
    assert_int_equal(heard.lines, 2);
    assert_int_equal(strlen(heard.text), 511);
    focal_trace_line(NULL, FOCAL_ERROR, "io", "nobody hears");
    trace.line = NULL;
    focal_trace_line(&trace, FOCAL_ERROR, "io", "nobody hears");
    assert_int_equal(heard.lines, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_a_text_and_an_exit),
        cmocka_unit_test(fail_fills_the_error_and_gives_the_status_back),
        cmocka_unit_test(an_error_can_be_told_inside_itself),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(memory_is_zeroed_and_the_hook_can_refuse_it),
        cmocka_unit_test(spans_compare_bytewise),
        cmocka_unit_test(trace_makes_only_wanted_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
