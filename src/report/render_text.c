/* For a terminal and for mail: every number has its unit beside it. */
#include "inside.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 44, NUMBER_WIDTH = 8 };

/* A label padded by code points, so that columns stand even with other scripts. */
static void put_padded(struct focal_buf *out, struct focal_span text, size_t width)
{
    size_t points = focal_utf8_length(text);
    focal_buf_span(out, text);
    for (size_t i = points; i < width; i++)
        focal_buf_u8(out, ' ');
}

static void put_count(struct focal_buf *out, uint64_t count, enum focal_unit unit, bool at_least)
{
    char number[40];
    snprintf(number, sizeof number, "%s%llu", at_least ? "at least " : "", (unsigned long long)count);
    focal_buf_printf(out, "%*s %s", at_least ? NUMBER_WIDTH + 9 : NUMBER_WIDTH, number, focal_unit_plural(unit, count));
}

static void put_row(struct focal_buf *out, const char *table, const char *code, uint64_t count, enum focal_unit unit, bool at_least)
{
    struct focal_buf label;
    focal_buf_init(&label, 4096);
    focal_report_label(&label, table, code);
    focal_buf_text(out, "  ");
    put_padded(out, focal_buf_view(&label), LABEL_WIDTH);
    put_count(out, count, unit, at_least);
    focal_buf_u8(out, '\n');
    focal_buf_close(&label);
}

static void put_table(struct focal_buf *out, const struct focal_table *table)
{
    focal_buf_printf(out, "%s, by %s\n", table->label_en, focal_unit_name(table->unit));
    for (size_t i = 0; i < table->cell_count; i++)
        put_row(out, table->name, table->cells[i].code, table->cells[i].count, table->unit, table->at_least);
    if (table->not_stated > 0)
        put_row(out, "total", "Not stated", table->not_stated, table->unit, table->at_least);
    put_row(out, "total", "Total", table->total, table->unit, table->at_least);
    if (table->two_versions > 0)
        focal_buf_printf(out, "  %llu %s two versions of this and %s counted by the one shown first\n", (unsigned long long)table->two_versions,
                         table->two_versions == 1 ? "case has" : "cases have", table->two_versions == 1 ? "is" : "are");
    focal_buf_u8(out, '\n');
}

/* ---- published beside ours ---- */

static void put_beside_row(struct focal_buf *out, const struct focal_beside *beside, const struct focal_beside_cell *cell)
{
    struct focal_buf label;
    focal_buf_init(&label, 4096);
    focal_report_label(&label, beside->name, cell->value);
    focal_buf_text(out, "  ");
    put_padded(out, focal_buf_view(&label), LABEL_WIDTH);
    focal_buf_printf(out, "%10llu %10llu  %s", (unsigned long long)cell->published, (unsigned long long)cell->ours,
                     focal_unit_plural(beside->unit, cell->ours));
    if (cell->published == cell->ours)
        focal_buf_text(out, "\n");
    else
        focal_buf_printf(out, "   differs by %s%llu\n", cell->ours > cell->published ? "+" : "-",
                         (unsigned long long)(cell->ours > cell->published ? cell->ours - cell->published : cell->published - cell->ours));
    focal_buf_close(&label);
}

static void put_beside(struct focal_buf *out, const struct focal_beside *beside)
{
    focal_buf_printf(out, "%s by %s%s%s: %s\n", beside->name, focal_unit_name(beside->unit), beside->part ? ", " : "",
                     focal_part_kind_name(beside->part), beside->equal ? "equal" : "NOT EQUAL");
    for (size_t i = 0; i < beside->cell_count; i++)
        put_beside_row(out, beside, &beside->cells[i]);
    if (beside->not_published > 0 || beside->ours_rest > 0)
        focal_buf_printf(out, "  not published: %llu %s; ours elsewhere or not stated: %llu\n", (unsigned long long)beside->not_published,
                         focal_unit_plural(beside->unit, beside->not_published), (unsigned long long)beside->ours_rest);
}

static void put_published(struct focal_buf *out, const struct focal_report_section *section)
{
    if (!section->has_published)
        return;
    focal_buf_text(out, "Published figures beside ours\n");
    focal_buf_text(out, "  ");
    put_padded(out, focal_span_text(""), LABEL_WIDTH);
    focal_buf_printf(out, "%10s %10s\n", "published", "ours");
    for (size_t i = 0; i < section->beside.count; i++)
        put_beside(out, &section->beside.list[i]);
    focal_buf_u8(out, '\n');
}

/* ---- the page ---- */

static void put_head(struct focal_buf *out, const struct focal_report *report)
{
    focal_buf_text(out, "FOCAL REPORT   " NOT_FOR_RELEASE "\n");
    if (report->generated)
        focal_buf_text(out, GENERATED_NOTE "\n");
    if (report->office)
        focal_buf_printf(out, "Office    %s%s%s\n", report->office, report->network ? ", network " : "", report->network ? report->network : "");
    if (report->made_on)
        focal_buf_printf(out, "Made on   %s%s%s\n", report->made_on, report->program ? ", focald " : "", report->program ? report->program : "");
    focal_buf_printf(out, "Frontier  %s\n\n", report->frontier ? report->frontier : "not known");
}

static void put_notes(struct focal_buf *out, const struct focal_report_section *section)
{
    const struct { uint64_t count; const char *what; } notes[] = {
        { section->two_versions, "cases with two versions of something (counted by the one shown first)" },
        { section->waiting, "cases not counted, because their beginning has not arrived" },
        { section->linked, "cases not counted, because a linked one is" },
        { section->withdrawn, "cases not counted, because they are withdrawn" },
        { section->withdrawn_changed, "withdrawn cases that are not as their withdrawal saw them" },
        { section->without_quarter, "cases in no quarter (counted under \"all\" alone)" },
        { section->needs_newer, "cases that hold something only a newer program understands" },
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (notes[i].count > 0)
            focal_buf_printf(out, "  %s: %llu\n", notes[i].what, (unsigned long long)notes[i].count);
    }
}

/* Fields that no case states are named once instead of shown as empty tables. */
static void put_unstated(struct focal_buf *out, const struct focal_report_section *section)
{
    bool any = false;
    for (size_t i = 0; i < section->table_count; i++) {
        const struct focal_table *table = &section->tables[i];
        if (table->cell_count > 0 || table->unit != FOCAL_UNIT_ALLEGATION || table->total == 0)
            continue;
        focal_buf_printf(out, "%s  %s\n", any ? "" : "Not stated in any of these cases\n", table->label_en);
        any = true;
    }
    focal_buf_text(out, any ? "\n" : "");
}

static void put_section(struct page *page, const struct focal_report_section *section)
{
    struct focal_buf *out = &page->buf;
    focal_buf_printf(out, "%s   ", section->period);
    for (unsigned u = 0; u < FOCAL_UNITS; u++)
        focal_buf_printf(out, "%s%s%llu %s", u ? ", " : "", u == FOCAL_UNIT_PERPETRATOR && section->at_least ? "at least " : "",
                         (unsigned long long)section->totals[u], focal_unit_plural((enum focal_unit)u, section->totals[u]));
    focal_buf_text(out, "\n");
    put_notes(out, section);
    focal_buf_text(out, "\n");
    for (size_t i = 0; i < section->table_count; i++) {
        if (section->tables[i].cell_count > 0)
            put_table(out, &section->tables[i]);
        focal_report_page_flush(page, false);
    }
    put_unstated(out, section);
    put_published(out, section);
    focal_report_page_flush(page, false);
}

static void put_coverage(struct focal_buf *out, const struct focal_report *report)
{
    struct heard heard = focal_report_page_heard(report);
    if (heard.offices == 0)
        return;
    focal_buf_printf(out, "Coverage: %zu of %zu offices heard within 7 days\n", heard.lately, heard.offices);
    for (size_t i = 0; i < report->coverage_count; i++) {
        focal_buf_text(out, "  ");
        put_padded(out, focal_span_text(report->coverage[i].office), 14);
        focal_buf_u8(out, ' ');
        focal_report_page_data_to(out, report, &report->coverage[i]);
        focal_buf_u8(out, '\n');
    }
}

enum focal_status focal_report_render_text(const struct focal_report *report, focal_write *write, void *data)
{
    struct page page;
    focal_report_page_open(&page, write, data);
    put_head(&page.buf, report);
    for (size_t i = 0; i < report->section_count; i++)
        put_section(&page, &report->sections[i].shown);
    put_coverage(&page.buf, report);
    focal_buf_text(&page.buf, "\n" NOT_FOR_RELEASE "\n");
    return focal_report_page_close(&page);
}
