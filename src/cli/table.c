/* Tables: by libsmartcols on a terminal, plain and aligned elsewhere. */
#include "cli.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum { CELLS_BYTES_MAX = 16 << 20, LONGEST_PLAIN = 60 };

void table_open(struct table *t, const struct args *args)
{
    memset(t, 0, sizeof *t);
    t->args = args;
    focal_buf_init(&t->cells, CELLS_BYTES_MAX);
}

void table_close(struct table *t)
{
    focal_buf_close(&t->cells);
}

static size_t width_of(const char *text)
{
    struct focal_span span = focal_span_text(text);
    return focal_utf8_valid(span) ? focal_utf8_length(span) : span.len;
}

void table_column(struct table *t, const char *head, bool right)
{
    focal_assert(t->columns < TABLE_COLUMNS_MAX);
    t->heads[t->columns] = head;
    t->right[t->columns] = right;
    t->widths[t->columns++] = width_of(head);
}

/* What could steer the terminal goes here, since the library takes text as it is. */
void table_cell(struct table *t, const char *text)
{
    size_t column = t->cell_count++ % t->columns, at = t->cells.len;
    say_clean(&t->cells, text);
    size_t width = t->cells.failed ? 0 : width_of(focal_buf_cstr(&t->cells) + at);
    focal_buf_u8(&t->cells, 0);
    if (width > t->widths[column])
        t->widths[column] = width < LONGEST_PLAIN ? width : LONGEST_PLAIN;
}

static void plain_cell(const struct table *t, size_t column, const char *text)
{
    size_t width = width_of(text), room = t->widths[column] > width ? t->widths[column] - width : 0;
    bool last = column + 1 == t->columns;
    if (t->right[column])
        printf("%*s", (int)room, "");
    fputs(text, stdout);
    if (!last)
        printf("%*s", (int)((t->right[column] ? 0 : room) + 2), "");
    else
        putchar('\n');
}

static void print_plain(struct table *t)
{
    const char *at = (const char *)t->cells.data;
    for (size_t c = 0; !t->heads_told && c < t->columns; c++)
        plain_cell(t, c, t->heads[c]);
    for (size_t i = 0; i < t->cell_count; i++) {
        plain_cell(t, i % t->columns, at);
        at += strlen(at) + 1;
    }
}

static enum focal_status fill(struct table *t, struct libscols_table *out)
{
    struct libscols_line *line = NULL;
    const char *at = (const char *)t->cells.data;
    for (size_t c = 0; c < t->columns; c++)
        if (!scols_table_new_column(out, t->heads[c], 0, t->right[c] ? SCOLS_FL_RIGHT : c + 1 == t->columns ? SCOLS_FL_WRAP : 0))
            return FOCAL_NO_MEMORY;
    for (size_t i = 0; i < t->cell_count; i++) {
        if (i % t->columns == 0)
            line = scols_table_new_line(out, NULL);
        size_t len = strlen(at);
        if (!line || scols_line_set_data(line, i % t->columns, at) != 0)
            return FOCAL_NO_MEMORY;
        at += len + 1;
    }
    return FOCAL_OK;
}

static enum focal_status print_terminal(struct table *t)
{
    struct libscols_table *out = scols_new_table();
    if (!out)
        return FOCAL_NO_MEMORY;
    scols_table_set_stream(out, stdout);
    scols_table_set_column_separator(out, "  ");
    scols_table_enable_noheadings(out, t->heads_told);
    scols_table_enable_colors(out, t->args->color_out);
    enum focal_status st = fill(t, out);
    for (size_t c = 0; st == FOCAL_OK && t->args->color_out && c < t->columns; c++)
        (void)scols_cell_set_color(scols_column_get_header(scols_table_get_column(out, c)), "\033[1m");
    if (st == FOCAL_OK && scols_print_table(out) != 0 && !ferror(stdout))
        st = FOCAL_NO_MEMORY;
    scols_unref_table(out);
    return st;
}

enum focal_status table_print(struct table *t, struct focal_error *err)
{
    enum focal_status st = t->cells.failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    if (st == FOCAL_OK && t->cell_count && t->args->terminal_out)
        st = print_terminal(t);
    else if (st == FOCAL_OK && t->cell_count)
        print_plain(t);
    t->heads_told = t->heads_told || t->cell_count > 0;
    t->cell_count = 0;
    focal_buf_clear(&t->cells);
    return st == FOCAL_OK ? st : focal_fail(err, st, "ask for fewer with --limit", "no memory for the table");
}
