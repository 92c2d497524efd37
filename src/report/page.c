/* What the renderings share: bytes given on in pieces, numbers, ages, the door to the renderers. */
#include "inside.h"

#include <string.h>

enum { PAGE_MAX = 4 << 20, PIECE = 32 << 10, DAY_S = 86400, LATELY_S = 7 * DAY_S };

static const struct focal_renderer renderers[] = {
    { "text", "text/plain; charset=utf-8", focal_report_render_text },
    { "csv", "text/csv; charset=utf-8", focal_report_render_csv },
    { "json", "application/json", focal_report_render_json },
    { "html", "text/html; charset=utf-8", focal_report_render_html },
};

size_t focal_renderer_count(void)
{
    return sizeof renderers / sizeof renderers[0];
}

const struct focal_renderer *focal_renderer_at(size_t i)
{
    focal_assert(i < focal_renderer_count());
    return &renderers[i];
}

const struct focal_renderer *focal_renderer_by_name(const char *name)
{
    for (size_t i = 0; i < focal_renderer_count(); i++) {
        if (strcmp(renderers[i].name, name) == 0)
            return &renderers[i];
    }
    return NULL;
}

enum focal_status focal_report_render(const struct focal_report *report, const struct focal_renderer *renderer, focal_write *write, void *data)
{
    focal_assert(report->finished);
    return renderer->render(report, write, data);
}

/* ---- pieces ---- */

void focal_report_page_open(struct page *page, focal_write *write, void *data)
{
    *page = (struct page){ .write = write, .data = data, .status = FOCAL_OK };
    focal_buf_init(&page->buf, PAGE_MAX);
}

void focal_report_page_flush(struct page *page, bool whole)
{
    if (page->buf.failed && page->status == FOCAL_OK)
        page->status = FOCAL_NO_MEMORY;
    if (page->buf.len < PIECE && !whole)
        return;
    if (page->status == FOCAL_OK && page->buf.len > 0)
        page->status = page->write(page->data, focal_buf_view(&page->buf));
    focal_buf_clear(&page->buf);
}

enum focal_status focal_report_page_close(struct page *page)
{
    focal_report_page_flush(page, true);
    focal_buf_close(&page->buf);
    return page->status;
}

/* ---- numbers ---- */

void focal_report_page_number(struct focal_buf *out, uint64_t n)
{
    if (n >= 1000) {
        focal_report_page_number(out, n / 1000);
        focal_buf_printf(out, "\xe2\x80\xaf%03u", (unsigned)(n % 1000));     /* narrow no-break space */
    } else {
        focal_buf_printf(out, "%u", (unsigned)n);
    }
}

void focal_report_page_since(struct focal_buf *out, uint64_t seconds)
{
    uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days > 0 && hours % 24 > 0 && days < 14)
        focal_buf_printf(out, "%llu d %llu h", (unsigned long long)days, (unsigned long long)(hours % 24));
    else if (days > 0)
        focal_buf_printf(out, "%llu d", (unsigned long long)days);
    else if (hours > 0 && minutes % 60 > 0)
        focal_buf_printf(out, "%llu h %llu min", (unsigned long long)hours, (unsigned long long)(minutes % 60));
    else if (hours > 0)
        focal_buf_printf(out, "%llu h", (unsigned long long)hours);
    else if (minutes > 0)
        focal_buf_printf(out, "%llu min", (unsigned long long)minutes);
    else
        focal_buf_printf(out, "%llu s", (unsigned long long)seconds);
}

struct heard focal_report_page_heard(const struct focal_report *report)
{
    struct heard heard = { .offices = report->coverage_count };
    for (size_t i = 0; i < report->coverage_count; i++)
        heard.lately += focal_report_page_lately(&report->coverage[i]);
    return heard;
}

bool focal_report_page_lately(const struct coverage *row)
{
    return row->heard && row->last_heard_s <= LATELY_S;
}

void focal_report_page_data_to(struct focal_buf *out, const struct focal_report *report, const struct coverage *row)
{
    uint64_t days = row->last_heard_s / DAY_S;
    uint32_t made_on;
    char text[16];
    if (!row->heard) {
        focal_buf_text(out, "never heard");
    } else if (report->made_on && focal_date_parse(&made_on, focal_span_text(report->made_on)) && days <= made_on) {
        focal_date_print(text, made_on - (uint32_t)days);
        focal_buf_printf(out, "data to %s", text);
    } else {
        focal_buf_text(out, "heard ");
        focal_report_page_since(out, row->last_heard_s);
        focal_buf_text(out, " ago");
    }
}

bool focal_report_page_chart(const struct focal_table *table)
{
    return table->cell_count > 0 && strcmp(table->name, "country") != 0 && strcmp(table->name, "received_quarter") != 0;
}
