/* CSV in any pieces gives the same cells; what is no CSV is refused with its line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/exchange.h"

#include <stdio.h>
#include <string.h>

enum { SEEN_MAX = 1 << 20 };

/* Rows as "line:[cell][cell]\n", so that one comparison holds all of it. */
static enum focal_status note(void *data, const struct focal_csv_row *row)
{
    struct focal_buf *seen = data;
    focal_buf_printf(seen, "%llu:", (unsigned long long)row->line);
    for (size_t i = 0; i < row->cell_count; i++) {
        focal_buf_u8(seen, '[');
        focal_buf_span(seen, row->cells[i]);
        focal_buf_u8(seen, ']');
    }
    focal_buf_u8(seen, '\n');
    return FOCAL_OK;
}

static enum focal_status read_in_pieces(struct focal_buf *seen, struct focal_span bytes, size_t piece, struct focal_error *err, uint64_t *line)
{
    struct focal_csv *csv;
    enum focal_status status = focal_csv_open(&csv, note, seen);
    assert_int_equal(status, FOCAL_OK);
    for (size_t at = 0; at < bytes.len && status == FOCAL_OK; at += piece)
        status = focal_csv_feed(csv, focal_span_of(bytes.data + at, bytes.len - at < piece ? bytes.len - at : piece), err);
    if (status == FOCAL_OK)
        status = focal_csv_finish(csv, err);
    *line = focal_csv_line(csv);
    focal_csv_close(csv);
    return status;
}

static void gives(const char *text, const char *rows)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        struct focal_buf seen;
        struct focal_error err;
        uint64_t line;
        focal_buf_init(&seen, SEEN_MAX);
        assert_int_equal(read_in_pieces(&seen, focal_span_text(text), piece, &err, &line), FOCAL_OK);
        assert_string_equal(focal_buf_cstr(&seen), rows);
        focal_buf_close(&seen);
    }
}

static void refused(const char *text, size_t len, enum focal_status expected, uint64_t expected_line)
{
    struct focal_buf seen;
    struct focal_error err = { 0 };
    uint64_t line;
    focal_buf_init(&seen, SEEN_MAX);
    assert_int_equal(read_in_pieces(&seen, focal_span_of(text, len), 7, &err, &line), expected);
    assert_int_equal(line, expected_line);
    assert_true(err.message[0] != 0 && err.hint[0] != 0);
    focal_buf_close(&seen);
}

static void cells_and_lines(void **state)
{
    (void)state;
    gives("a,b\n1,2\n", "1:[a][b]\n2:[1][2]\n");
    gives("a,b\r\n1,2\r\n", "1:[a][b]\n2:[1][2]\n");
    gives("a,b\n1,2", "1:[a][b]\n2:[1][2]\n");
    gives("\xef\xbb\xbf" "a,b\n", "1:[a][b]\n");
    gives("a\n\n\r\nb\n", "1:[a]\n4:[b]\n");
    gives("a,,\n,\n", "1:[a][][]\n2:[][]\n");
    gives("", "");
    gives("\"\"\n", "1:[]\n");
}

static void quotes(void **state)
{
    (void)state;
    gives("\"a,b\",\"say \"\"no\"\"\"\n", "1:[a,b][say \"no\"]\n");
    gives("\"two\nlines\",x\nnext,y\n", "1:[two\nlines][x]\n3:[next][y]\n");
    gives("\"cr\r\nlf\",x\r\nz\r\n", "1:[cr\r\nlf][x]\n3:[z]\n");
    gives("\"end\"", "1:[end]\n");
}

static void formulas_are_made_harmless_and_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = { "=1+1", "+254 20 1", "-x", "@cmd", "'=x", "''=x", "'plain", "a=b", "\t=", "a\"b", "a,b", "two\nlines", "\r", "", "\xef\xbb\xbfx" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct focal_buf out, seen;
        struct focal_error err;
        char expected[80];
        uint64_t line;
        focal_buf_init(&out, SEEN_MAX);
        focal_buf_init(&seen, SEEN_MAX);
        focal_csv_cell(&out, focal_span_text(texts[i]));
        focal_buf_text(&out, ",x\r\n");
        const char *written = focal_buf_cstr(&out);
        assert_null(memchr("=+-@\t\r", written[0] == '"' ? written[1] : written[0], 6));
        snprintf(expected, sizeof expected, "1:[%s][x]\n", texts[i]);
        assert_int_equal(read_in_pieces(&seen, focal_buf_view(&out), 1, &err, &line), FOCAL_OK);
        assert_string_equal(focal_buf_cstr(&seen), expected);
        focal_buf_close(&out);
        focal_buf_close(&seen);
    }
}

static void what_is_no_csv(void **state)
{
    (void)state;
    refused("a\nb\"c\n", 6, FOCAL_MALFORMED, 2);
    refused("a\n\"b\"c\n", 7, FOCAL_MALFORMED, 2);
    refused("a\n\n\"b\n\nc", 8, FOCAL_MALFORMED, 3);
    refused("a\rb\n", 4, FOCAL_MALFORMED, 1);
    refused("a\n\0\n", 4, FOCAL_MALFORMED, 2);
    refused("\xef\xbb", 2, FOCAL_MALFORMED, 1);
}

static void limits(void **state)
{
    (void)state;
    struct focal_buf text;
    focal_buf_init(&text, SEEN_MAX);
    focal_buf_text(&text, "a\n");
    for (int i = 0; i < FOCAL_ROW_CELLS_MAX; i++)
        focal_buf_u8(&text, ',');
    refused((const char *)text.data, text.len, FOCAL_TOO_BIG, 2);
    focal_buf_clear(&text);
    focal_buf_text(&text, "a\n\"");
    for (int i = 0; i < FOCAL_ROW_BYTES_MAX; i++)
        focal_buf_u8(&text, i % 100 ? 'x' : '\n');
    refused((const char *)text.data, text.len, FOCAL_TOO_BIG, 2);
    focal_buf_close(&text);
}

static enum focal_status stop(void *data, const struct focal_csv_row *row)
{
    unsigned *left = data;
    (void)row;
    return (*left)-- == 0 ? FOCAL_CANCELLED : FOCAL_OK;
}

static void a_callback_ends_it(void **state)
{
    (void)state;
    struct focal_csv *csv;
    struct focal_error err;
    unsigned left = 1;
    assert_int_equal(focal_csv_open(&csv, stop, &left), FOCAL_OK);
    assert_int_equal(focal_csv_feed(csv, focal_span_text("a\nb\nc\n"), &err), FOCAL_CANCELLED);
    assert_int_equal(focal_csv_feed(csv, focal_span_text("d\n"), &err), FOCAL_CANCELLED);
    assert_int_equal(focal_csv_finish(csv, &err), FOCAL_CANCELLED);
    assert_int_equal(focal_csv_line(csv), 2);
    focal_csv_close(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_and_lines), cmocka_unit_test(quotes), cmocka_unit_test(formulas_are_made_harmless_and_come_back),
        cmocka_unit_test(what_is_no_csv), cmocka_unit_test(limits), cmocka_unit_test(a_callback_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
