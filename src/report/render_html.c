/* One page that needs nothing else: no script, no font, no picture from elsewhere; the policy in its head forbids them. */
#include "inside.h"

#include <string.h>

static void put_label(struct focal_buf *out, const char *table, const char *code)
{
    struct focal_buf label;
    focal_buf_init(&label, 4096);
    focal_report_label(&label, table, code);
    focal_report_html_text(out, focal_buf_cstr(&label));
    focal_buf_close(&label);
}

static void put_count(struct focal_buf *out, uint64_t count, bool at_least)
{
    focal_buf_text(out, at_least ? "<td class=\"n\">at least " : "<td class=\"n\">");
    focal_report_page_number(out, count);
    focal_buf_text(out, "</td>");
}

static void put_share(struct focal_buf *out, uint64_t count, uint64_t total)
{
    focal_buf_printf(out, "<td class=\"n\">%.0f\xe2\x80\xaf%%</td>", total ? (double)count / (double)total * 100 : 0.0);
}

/* ---- one table ---- */

static void put_rows(struct focal_buf *out, const struct focal_table *table)
{
    focal_buf_text(out, "<table><thead><tr><th scope=\"col\">");
    focal_report_html_text(out, table->label_en);
    focal_buf_printf(out, "</th><th scope=\"col\" class=\"n\">%s</th><th scope=\"col\" class=\"n\">share</th></tr></thead><tbody>\n", focal_unit_plural(table->unit, 2));
    for (size_t i = 0; i < table->cell_count; i++) {
        focal_buf_text(out, "<tr><th scope=\"row\">");
        put_label(out, table->name, table->cells[i].code);
        focal_buf_text(out, "</th>");
        put_count(out, table->cells[i].count, table->at_least);
        put_share(out, table->cells[i].count, table->total);
        focal_buf_text(out, "</tr>\n");
    }
    if (table->not_stated > 0) {
        focal_buf_text(out, "<tr class=\"rest\"><th scope=\"row\">Not stated</th>");
        put_count(out, table->not_stated, table->at_least);
        put_share(out, table->not_stated, table->total);
        focal_buf_text(out, "</tr>\n");
    }
    focal_buf_text(out, "<tr class=\"sum\"><th scope=\"row\">Total</th>");
    put_count(out, table->total, table->at_least);
    put_share(out, table->total, table->total);
    focal_buf_text(out, "</tr></tbody></table>\n");
    if (table->two_versions > 0)
        focal_buf_printf(out, "<p class=\"small\">%llu %s two versions of this and %s counted by the one shown first.</p>\n",
                         (unsigned long long)table->two_versions, table->two_versions == 1 ? "case has" : "cases have", table->two_versions == 1 ? "is" : "are");
}

static void put_table(struct focal_buf *out, const struct focal_table *table, size_t number)
{
    bool chart = focal_report_page_chart(table);
    focal_buf_text(out, chart ? "<figure><figcaption><h3>" : "<section class=\"table\"><h3>");
    focal_report_html_text(out, table->label_en);
    focal_buf_printf(out, "</h3><p>counted in %s</p>", focal_unit_plural(table->unit, 2));
    if (chart) {
        focal_buf_text(out, "</figcaption>\n");
        focal_report_html_chart(out, table, number);
    }
    put_rows(out, table);
    focal_buf_text(out, chart ? "</figure>\n" : "</section>\n");
}

/* ---- published beside ours ---- */

/* Published, ours, and a sign with a word: colour is never alone. */
static void put_held(struct focal_buf *out, uint64_t published, uint64_t ours)
{
    put_count(out, published, false);
    put_count(out, ours, false);
    if (published == ours)
        focal_buf_text(out, "<td class=\"n yes\">= equal</td></tr>\n");
    else
        focal_buf_printf(out, "<td class=\"n no\">\xe2\x89\xa0 %s%llu</td></tr>\n", ours > published ? "+" : "\xe2\x88\x92",
                         (unsigned long long)(ours > published ? ours - published : published - ours));
}

static void put_beside_rows(struct focal_buf *out, const struct focal_beside *beside)
{
    for (size_t i = 0; i < beside->cell_count; i++) {
        focal_buf_text(out, "<tr><th scope=\"row\">");
        if (strcmp(beside->name, "total") == 0)
            focal_buf_text(out, "All");
        else
            put_label(out, beside->name, beside->cells[i].value);
        focal_buf_text(out, "</th>");
        put_held(out, beside->cells[i].published, beside->cells[i].ours);
    }
    if (beside->part != FOCAL_PART_OVERLAP && (beside->not_published > 0 || beside->ours_rest > 0)) {
        focal_buf_text(out, "<tr class=\"rest\"><th scope=\"row\">Not published; ours elsewhere or not stated</th>");
        put_held(out, beside->not_published, beside->ours_rest);
    }
}

static const struct focal_table *table_of(const struct focal_report_section *section, const char *name)
{
    for (size_t i = 0; i < section->table_count; i++) {
        if (strcmp(section->tables[i].name, name) == 0)
            return &section->tables[i];
    }
    return NULL;
}

static void put_beside(struct focal_buf *out, const struct focal_report_section *section, const struct focal_beside *beside)
{
    const struct focal_table *table = table_of(section, beside->name);
    const char *label = table ? table->label_en : strcmp(beside->name, "total") == 0 ? "Total" : beside->name;
    focal_buf_text(out, "<section class=\"beside\"><h3>");
    focal_report_html_text(out, label);
    focal_buf_printf(out, " <span class=\"%s\">%s</span></h3><p class=\"small\">counted in %s", beside->equal ? "yes" : "no",
                     beside->equal ? "\xe2\x9c\x93 equal" : beside->held ? "\xe2\x89\xa0 not equal" : "\xe2\x89\xa0 not held here", focal_unit_plural(beside->unit, 2));
    if (beside->part == FOCAL_PART_PARTIAL)
        focal_buf_text(out, "; published in part");
    else if (beside->part == FOCAL_PART_OVERLAP)
        focal_buf_text(out, "; the parts overlap with others and do not add up to a whole");
    focal_buf_text(out, "</p><table><thead><tr><th scope=\"col\"></th><th scope=\"col\" class=\"n\">published</th>"
                        "<th scope=\"col\" class=\"n\">ours</th><th scope=\"col\" class=\"n\">comparison</th></tr></thead><tbody>\n");
    put_beside_rows(out, beside);
    focal_buf_text(out, "</tbody></table></section>\n");
}

static void put_published(struct page *page, const struct focal_report_section *section)
{
    if (!section->has_published)
        return;
    size_t equal = 0, count = section->beside.count;
    for (size_t i = 0; i < count; i++)
        equal += section->beside.list[i].equal;
    focal_buf_printf(&page->buf, "<h2>Published figures beside ours</h2>\n<p><span class=\"%s</span> %zu of %zu published %s of %s %s what is counted here.</p>\n"
                     "<div class=\"grid held\">\n", section->beside.equal ? "yes\">\xe2\x9c\x93 All equal." : "no\">\xe2\x89\xa0 Not equal.", equal, count,
                     count == 1 ? "table" : "tables", section->period, equal == 1 ? "equals" : "equal");
    for (size_t i = 0; i < section->beside.count; i++) {
        put_beside(&page->buf, section, &section->beside.list[i]);
        focal_report_page_flush(page, false);
    }
    focal_buf_text(&page->buf, "</div>\n");
}

/* ---- one period ---- */

static void put_period_name(struct focal_buf *out, const char *period)
{
    static const char *const months[] = { "January to March", "April to June", "July to September", "October to December" };
    uint32_t quarter;
    if (focal_quarter_parse(&quarter, focal_span_text(period)))
        focal_buf_printf(out, "%s <small>%s %u</small>", period, months[quarter % 4], (unsigned)(quarter / 4));
    else if (strcmp(period, "all") == 0)
        focal_buf_text(out, "All periods");
    else
        focal_buf_text(out, period);
}

static void put_totals(struct focal_buf *out, const struct focal_report_section *section)
{
    focal_buf_text(out, "<ul class=\"totals\">");
    for (unsigned u = 0; u < FOCAL_UNITS; u++) {
        focal_buf_text(out, "<li><b>");
        focal_report_page_number(out, section->totals[u]);
        focal_buf_printf(out, "</b><span>%s%s</span></li>", focal_unit_plural((enum focal_unit)u, section->totals[u]),
                         u == FOCAL_UNIT_PERPETRATOR && section->at_least ? ", at least" : "");
    }
    focal_buf_text(out, "</ul>\n");
}

static void put_notes(struct focal_buf *out, const struct focal_report_section *section)
{
    const struct { uint64_t count; const char *one, *many; } notes[] = {
        { section->two_versions, "case has two versions of something and is counted by the one shown first",
          "cases have two versions of something and are counted by the one shown first" },
        { section->waiting, "case is not counted, because its beginning has not arrived here",
          "cases are not counted, because their beginning has not arrived here" },
        { section->linked, "case is not counted, because a linked one is", "cases are not counted, because linked ones are" },
        { section->withdrawn, "case is not counted, because it is withdrawn", "cases are not counted, because they are withdrawn" },
        { section->withdrawn_changed, "withdrawn case is not as its withdrawal saw it", "withdrawn cases are not as their withdrawal saw them" },
        { section->without_quarter, "case names no quarter and is counted under \xe2\x80\x9c" "all\xe2\x80\x9d alone",
          "cases name no quarter and are counted under \xe2\x80\x9c" "all\xe2\x80\x9d alone" },
        { section->needs_newer, "case holds something that needs a newer program", "cases hold something that needs a newer program" },
    };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        if (notes[i].count > 0)
            focal_buf_printf(out, "<p class=\"small\">%llu %s.</p>\n", (unsigned long long)notes[i].count, notes[i].count == 1 ? notes[i].one : notes[i].many);
    }
}

/* Fields that no case states are named in one line instead of shown as empty tables. */
static void put_unstated(struct focal_buf *out, const struct focal_report_section *section)
{
    bool first = true;
    for (size_t i = 0; i < section->table_count; i++) {
        const struct focal_table *table = &section->tables[i];
        if (table->cell_count > 0 || table->unit != FOCAL_UNIT_ALLEGATION || table->total == 0)
            continue;
        focal_buf_text(out, first ? "<p class=\"small\">Not stated in any of these cases: " : ", ");
        focal_report_html_text(out, table->label_en);
        first = false;
    }
    focal_buf_text(out, first ? "" : ".</p>\n");
}

static void put_section(struct page *page, const struct focal_report_section *section, size_t nth)
{
    struct focal_buf *out = &page->buf;
    focal_buf_printf(out, "<section class=\"period\" id=\"p%zu\"><h2>", nth);
    put_period_name(out, section->period);
    focal_buf_text(out, "</h2>\n");
    put_totals(out, section);
    put_notes(out, section);
    put_unstated(out, section);
    focal_buf_text(out, section->totals[FOCAL_UNIT_ALLEGATION] ? "<div class=\"grid\">\n" : "<p>No case is counted in this period.</p>\n<div>\n");
    for (size_t i = 0; i < section->table_count; i++) {
        if (section->tables[i].cell_count > 0)
            put_table(out, &section->tables[i], nth * 100 + i);
        focal_report_page_flush(page, false);
    }
    focal_buf_text(out, "</div>\n");
    put_published(page, section);
    focal_buf_text(out, "</section>\n");
}

/* ---- the page ---- */

static void put_navigation(struct focal_buf *out, const struct focal_report *report)
{
    if (report->section_count < 2)
        return;
    focal_buf_text(out, "<nav aria-label=\"Periods\"><ul>");
    for (size_t i = 0; i < report->section_count; i++) {
        const char *period = report->sections[i].shown.period;
        focal_buf_printf(out, "<li><a href=\"#p%zu\">%s</a></li>", i, report->sections[i].all ? "All periods" : period);
    }
    focal_buf_text(out, "</ul></nav>\n");
}

static void put_coverage(struct focal_buf *out, const struct focal_report *report)
{
    struct heard heard = focal_report_page_heard(report);
    if (heard.offices == 0)
        return;
    focal_buf_printf(out, "<aside class=\"box\"><h3>Coverage</h3><p><strong>%zu of %zu offices heard within 7 days</strong></p><ul>\n",
                     heard.lately, heard.offices);
    for (size_t i = 0; i < report->coverage_count; i++) {
        const struct coverage *row = &report->coverage[i];
        bool lately = focal_report_page_lately(row);
        focal_buf_printf(out, "<li%s><span aria-hidden=\"true\">%s</span> <strong>", lately ? "" : " class=\"late\"", lately ? "\xe2\x9c\x93" : "!");
        focal_report_html_text(out, row->office);
        focal_buf_text(out, "</strong> ");
        focal_report_page_data_to(out, report, row);
        focal_buf_text(out, "</li>\n");
    }
    focal_buf_text(out, "</ul><p class=\"small\">What an office has not sent yet is not counted.</p></aside>\n");
}

static void put_about(struct focal_buf *out, const struct focal_report *report)
{
    const struct { const char *before, *text; } parts[] = {
        { "Office ", report->office }, { "network ", report->network }, { "made on ", report->made_on }, { "focald ", report->program }
    };
    bool first = true;
    focal_buf_text(out, "<p class=\"about\">");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].text)
            continue;
        focal_buf_printf(out, "%s%s", first ? "" : " \xc2\xb7 ", parts[i].before);
        focal_report_html_text(out, parts[i].text);
        first = false;
    }
    focal_buf_text(out, "</p>\n");
}

static void put_head(struct focal_buf *out, const struct focal_report *report)
{
    const struct focal_report_section *only = report->section_count == 1 ? &report->sections[0].shown : NULL;
    focal_buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>Allegations received");
    focal_buf_printf(out, "%s%s (" NOT_FOR_RELEASE ")</title>\n<style>\n", only ? ", " : "", only ? only->period : "");
    focal_report_html_style(out);
    focal_buf_text(out, "</style></head>\n<body><main>\n"
        "<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#fff\"/><rect width=\"2.5\" height=\"6\" fill=\"#5f6f76\"/></pattern></defs></svg>\n"
        "<header><span class=\"mark\">" NOT_FOR_RELEASE "</span>"
                        "<h1>Allegations of sexual exploitation and abuse received</h1>\n");
    put_about(out, report);
    put_navigation(out, report);
    focal_buf_text(out, "</header>\n");
    if (report->generated)
        focal_buf_text(out, "<p class=\"made\">This page is " GENERATED_NOTE ".</p>\n");
}

enum focal_status focal_report_render_html(const struct focal_report *report, focal_write *write, void *data)
{
    struct page page;
    focal_report_page_open(&page, write, data);
    put_head(&page.buf, report);
    put_coverage(&page.buf, report);
    for (size_t i = 0; i < report->section_count; i++)
        put_section(&page, &report->sections[i].shown, i);
    focal_buf_text(&page.buf, "<footer class=\"about\"><p>" NOT_FOR_RELEASE ". A report received is not a finding. Offices are not ranked: "
                              "more reports received can mean more trust in the mechanism.</p><p>Counted up to frontier <code>");
    focal_report_html_text(&page.buf, report->frontier ? report->frontier : "not known");
    focal_buf_text(&page.buf, "</code></p></footer>\n<div class=\"running\">" NOT_FOR_RELEASE "</div>\n</main></body></html>\n");
    return focal_report_page_close(&page);
}
