/* For programs: keys that others rely on, and more. */
#include "inside.h"

static void put_string(struct focal_buf *out, const char *text)
{
    if (text)
        focal_json_string(out, focal_span_text(text));
    else
        focal_buf_text(out, "null");
}

static void put_key(struct focal_buf *out, const char *key)
{
    focal_buf_printf(out, ",\"%s\":", key);
}

static void put_text(struct focal_buf *out, const char *key, const char *text)
{
    put_key(out, key);
    put_string(out, text);
}

static void put_number(struct focal_buf *out, const char *key, uint64_t n)
{
    put_key(out, key);
    focal_buf_printf(out, "%llu", (unsigned long long)n);
}

static void put_flag(struct focal_buf *out, const char *key, bool flag)
{
    put_key(out, key);
    focal_buf_text(out, flag ? "true" : "false");
}

static void put_table(struct focal_buf *out, const struct focal_table *table)
{
    focal_buf_text(out, "{\"name\":");
    put_string(out, table->name);
    put_text(out, "unit", focal_unit_name(table->unit));
    focal_buf_text(out, ",\"cells\":{");
    for (size_t i = 0; i < table->cell_count; i++) {
        focal_buf_text(out, i ? "," : "");
        put_string(out, table->cells[i].code);
        focal_buf_printf(out, ":%llu", (unsigned long long)table->cells[i].count);
    }
    focal_buf_u8(out, '}');
    put_number(out, "not_stated", table->not_stated);
    put_number(out, "total", table->total);
    put_number(out, "two_versions", table->two_versions);
    put_flag(out, "at_least", table->at_least);
    focal_buf_u8(out, '}');
}

static void put_beside(struct focal_buf *out, const struct focal_beside *beside)
{
    focal_buf_text(out, "{\"name\":");
    put_string(out, beside->name);
    put_text(out, "unit", focal_unit_name(beside->unit));
    put_text(out, "part", focal_part_kind_name(beside->part));
    focal_buf_text(out, ",\"cells\":[");
    for (size_t i = 0; i < beside->cell_count; i++) {
        focal_buf_text(out, i ? ",{\"value\":" : "{\"value\":");
        put_string(out, beside->cells[i].value);
        put_number(out, "published", beside->cells[i].published);
        put_number(out, "ours", beside->cells[i].ours);
        focal_buf_u8(out, '}');
    }
    focal_buf_u8(out, ']');
    put_number(out, "not_published", beside->not_published);
    put_number(out, "ours_rest", beside->ours_rest);
    put_flag(out, "held", beside->held);
    put_flag(out, "equal", beside->equal);
    focal_buf_u8(out, '}');
}

static void put_coverage(struct focal_buf *out, const struct focal_report *report)
{
    focal_buf_text(out, ",\"coverage\":[");
    for (size_t i = 0; i < report->coverage_count; i++) {
        focal_buf_text(out, i ? ",{\"office\":" : "{\"office\":");
        put_string(out, report->coverage[i].office);
        put_key(out, "last_heard_s");
        if (report->coverage[i].heard)
            focal_buf_printf(out, "%llu}", (unsigned long long)report->coverage[i].last_heard_s);
        else
            focal_buf_text(out, "null}");
    }
    focal_buf_u8(out, ']');
}

static void put_about(struct focal_buf *out, const struct focal_report *report)
{
    put_coverage(out, report);
    put_text(out, "frontier", report->frontier);
    put_text(out, "marking", NOT_FOR_RELEASE);
    put_flag(out, "generated", report->generated);
    if (report->generated)
        put_text(out, "note", GENERATED_NOTE);
    if (report->office)
        put_text(out, "office", report->office);
    if (report->network)
        put_text(out, "network", report->network);
    if (report->made_on)
        put_text(out, "made_on", report->made_on);
}

static void put_section(struct page *page, const struct focal_report_section *section)
{
    struct focal_buf *out = &page->buf;
    focal_buf_text(out, "\"period\":");
    put_string(out, section->period);
    put_number(out, "allegations", section->totals[FOCAL_UNIT_ALLEGATION]);
    put_number(out, "victims", section->totals[FOCAL_UNIT_VICTIM]);
    put_number(out, "perpetrators", section->totals[FOCAL_UNIT_PERPETRATOR]);
    put_flag(out, "perpetrators_at_least", section->at_least);
    focal_buf_text(out, ",\"tables\":[");
    for (size_t i = 0; i < section->table_count; i++) {
        focal_buf_text(out, i ? "," : "");
        put_table(out, &section->tables[i]);
        focal_report_page_flush(page, false);
    }
    focal_buf_u8(out, ']');
    put_number(out, "two_versions", section->two_versions);
    put_number(out, "waiting", section->waiting);
    put_number(out, "linked", section->linked);
    put_number(out, "withdrawn", section->withdrawn);
    put_number(out, "withdrawn_changed", section->withdrawn_changed);
    put_number(out, "without_quarter", section->without_quarter);
    put_number(out, "needs_newer", section->needs_newer);
    if (section->has_published) {
        put_flag(out, "published_equal", section->beside.equal);
        focal_buf_text(out, ",\"published\":[");
        for (size_t i = 0; i < section->beside.count; i++) {
            focal_buf_text(out, i ? "," : "");
            put_beside(out, &section->beside.list[i]);
        }
        focal_buf_u8(out, ']');
    }
}

enum focal_status focal_report_render_json(const struct focal_report *report, focal_write *write, void *data)
{
    struct page page;
    focal_report_page_open(&page, write, data);
    focal_buf_text(&page.buf, "{\"schema\":\"focal.report/1\",");
    if (report->section_count > 1)
        focal_buf_text(&page.buf, "\"sections\":[");
    for (size_t i = 0; i < report->section_count; i++) {
        if (report->section_count > 1)
            focal_buf_text(&page.buf, i ? ",{" : "{");
        put_section(&page, &report->sections[i].shown);
        if (report->section_count > 1)
            focal_buf_u8(&page.buf, '}');
    }
    if (report->section_count > 1)
        focal_buf_u8(&page.buf, ']');
    put_about(&page.buf, report);
    focal_buf_text(&page.buf, "}\n");
    return focal_report_page_close(&page);
}
