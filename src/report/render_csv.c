/* For a spreadsheet: the columns of a figures file; unit `case` and `second` for what is no figure of the period. */
#include "inside.h"

struct line { const char *period, *unit, *dimension, *part, *value; uint64_t count; const char *note; };

static void put(struct page *page, const struct focal_report *report, const struct line *line)
{
    const char *cells[] = { line->period, line->unit, line->dimension, line->part, line->value };
    struct focal_buf note;
    focal_buf_init(&note, 1024);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        focal_csv_cell(&page->buf, focal_span_text(cells[i]));
        focal_buf_u8(&page->buf, ',');
    }
    focal_buf_printf(&page->buf, "%llu,", (unsigned long long)line->count);
    focal_csv_cell(&page->buf, focal_span_text(report->office ? report->office : ""));
    focal_buf_u8(&page->buf, ',');
    focal_buf_text(&note, NOT_FOR_RELEASE);
    if (report->generated)
        focal_buf_text(&note, "; made from generated rows");
    if (line->note)
        focal_buf_printf(&note, "; %s", line->note);
    focal_csv_cell(&page->buf, focal_buf_view(&note));
    focal_buf_text(&page->buf, "\r\n");
    if (note.failed)
        page->buf.failed = true;
    focal_buf_close(&note);
    focal_report_page_flush(page, false);
}

static void put_table(struct page *page, const struct focal_report *report, const char *period, const struct focal_table *table)
{
    struct line line = { .period = period, .unit = focal_unit_name(table->unit), .dimension = table->name, .part = "",
                         .note = table->at_least ? "at least" : NULL };
    for (size_t i = 0; i < table->cell_count; i++) {
        line.value = table->cells[i].code;
        line.count = table->cells[i].count;
        put(page, report, &line);
    }
    line.value = "not_stated";
    line.count = table->not_stated;
    if (table->not_stated > 0)
        put(page, report, &line);
}

static void put_section(struct page *page, const struct focal_report *report, const struct focal_report_section *section)
{
    for (unsigned u = 0; u < FOCAL_UNITS; u++) {
        struct line line = { section->period, focal_unit_name((enum focal_unit)u), "total", "", "all", section->totals[u],
                             u == FOCAL_UNIT_PERPETRATOR && section->at_least ? "at least" : NULL };
        put(page, report, &line);
    }
    for (size_t i = 0; i < section->table_count; i++)
        put_table(page, report, section->period, &section->tables[i]);
    const struct { const char *name; uint64_t count; } counters[] = {
        { "two_versions", section->two_versions }, { "waiting", section->waiting }, { "linked", section->linked },
        { "withdrawn", section->withdrawn }, { "withdrawn_changed", section->withdrawn_changed },
        { "without_quarter", section->without_quarter }, { "needs_newer", section->needs_newer },
    };
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        struct line line = { section->period, "case", counters[i].name, "", "all", counters[i].count, NULL };
        put(page, report, &line);
    }
}

enum focal_status focal_report_render_csv(const struct focal_report *report, focal_write *write, void *data)
{
    struct page page;
    focal_report_page_open(&page, write, data);
    focal_buf_text(&page.buf, "period,unit,dimension,part,value,count,source,note\r\n");
    for (size_t i = 0; i < report->section_count; i++)
        put_section(&page, report, &report->sections[i].shown);
    for (size_t i = 0; i < report->coverage_count; i++) {
        const struct coverage *row = &report->coverage[i];
        struct line line = { "", "second", row->heard ? "last_heard" : "last_heard_unknown", "", row->office, row->last_heard_s, NULL };
        put(&page, report, &line);
    }
    return focal_report_page_close(&page);
}
