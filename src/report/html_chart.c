/* A table as bars: one row each, label and number above the bar, so that it can be read on a narrow screen as well. */
#include "inside.h"

#include <string.h>

enum { WIDTH = 440, ROW = 40, BAR_TOP = 22, BAR_HEIGHT = 10, BASE = 17, LABEL_POINTS_MAX = 40 };

void focal_report_html_text(struct focal_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': focal_buf_text(out, "&amp;"); break;
        case '<': focal_buf_text(out, "&lt;"); break;
        case '>': focal_buf_text(out, "&gt;"); break;
        case '"': focal_buf_text(out, "&quot;"); break;
        case '\'': focal_buf_text(out, "&#39;"); break;
        default: focal_buf_u8(out, (uint8_t)*text);
        }
    }
}

struct bar { const char *code; uint64_t count; bool rest; };

static void put_label(struct focal_buf *out, const struct focal_table *table, const struct bar *bar)
{
    struct focal_buf label;
    focal_buf_init(&label, 1024);
    if (bar->rest)
        focal_buf_text(&label, "Not stated");
    else
        focal_report_label(&label, table->name, bar->code);
    /* Long names of countries would run into the number. */
    size_t points = 0, at = 0;
    for (; at < label.len; at++) {
        points += (label.data[at] & 0xc0) != 0x80;
        if (points > LABEL_POINTS_MAX)
            break;
    }
    if (at < label.len) {
        focal_buf_truncate(&label, at);
        focal_buf_text(&label, "\xe2\x80\xa6");
    }
    focal_report_html_text(out, focal_buf_cstr(&label));
    focal_buf_close(&label);
}

/* Where nothing certain is said the bar is hatched: colour alone would not show it on paper or to every eye. */
static bool says_nothing(const char *code)
{
    return strcmp(code, "unknown") == 0 || strcmp(code, "unknown.unknown") == 0 || strcmp(code, "needs_newer_program") == 0;
}

static void put_bar(struct focal_buf *out, const struct focal_table *table, const struct bar *bar, size_t row, uint64_t most)
{
    unsigned top = (unsigned)row * ROW;
    unsigned length = most ? (unsigned)(bar->count * WIDTH / most) : 0;
    if (bar->count > 0 && length < 2)
        length = 2;
    focal_buf_printf(out, "<text x=\"0\" y=\"%u\" font-size=\"14\" fill=\"#1c2529\">", top + BASE);
    put_label(out, table, bar);
    focal_buf_printf(out, "</text><text x=\"%d\" y=\"%u\" font-size=\"14\" text-anchor=\"end\" fill=\"#1c2529\"><tspan font-weight=\"600\">%s",
                     WIDTH, top + BASE, table->at_least ? "\xe2\x89\xa5\xe2\x80\xaf" : "");
    focal_report_page_number(out, bar->count);
    focal_buf_printf(out, "</tspan><tspan fill=\"#4d5b62\" font-size=\"12\"> %s</tspan></text>", focal_unit_plural(table->unit, bar->count));
    focal_buf_printf(out, "<rect x=\"0\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"1.5\" fill=\"#e9eeef\"/>", top + BAR_TOP, WIDTH, BAR_HEIGHT);
    focal_buf_printf(out, "<rect x=\"0\" y=\"%u\" width=\"%u\" height=\"%d\" rx=\"1.5\" fill=\"%s\"/>", top + BAR_TOP, length, BAR_HEIGHT,
                     bar->rest || says_nothing(bar->code) ? "url(#hatch)\" stroke=\"#5f6f76" : "#1b6179");
}

void focal_report_html_chart(struct focal_buf *out, const struct focal_table *table, size_t number)
{
    size_t rows = table->cell_count + (table->not_stated > 0);
    uint64_t most = table->not_stated;
    for (size_t i = 0; i < table->cell_count; i++)
        most = table->cells[i].count > most ? table->cells[i].count : most;
    focal_buf_printf(out, "<svg viewBox=\"0 0 %d %zu\" role=\"img\" aria-labelledby=\"c%zu\" xmlns=\"http://www.w3.org/2000/svg\"><title id=\"c%zu\">",
                     WIDTH, rows * ROW, number, number);
    focal_report_html_text(out, table->label_en);
    focal_buf_printf(out, ", counted in %s; the numbers stand in the table below</title>", focal_unit_plural(table->unit, 2));
    for (size_t i = 0; i < rows; i++) {
        bool rest = i == table->cell_count;
        struct bar bar = { rest ? "" : table->cells[i].code, rest ? table->not_stated : table->cells[i].count, rest };
        put_bar(out, table, &bar, i, most);
    }
    focal_buf_text(out, "</svg>\n");
}
