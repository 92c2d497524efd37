/* What the renderings share: bytes given on in pieces, numbers, ages, the door to the renderers. */
#include "inside.h"

#include <string.h>

enum { PAGE_MAX = 4 << 20, PIECE = 32 << 10, LATELY_S = 7 * 86400 };

static const struct focal_renderer renderers[] = {
    { "text", "text/plain; charset=utf-8", render_text },
    { "csv", "text/csv; charset=utf-8", render_csv },
    { "json", "application/json", render_json },
    { "html", "text/html; charset=utf-8", render_html },
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

void page_open(struct page *page, focal_write *write, void *data)
{
    *page = (struct page){ .write = write, .data = data, .status = FOCAL_OK };
    focal_buf_init(&page->buf, PAGE_MAX);
}

void page_flush(struct page *page, bool whole)
{
    if (page->buf.failed && page->status == FOCAL_OK)
        page->status = FOCAL_NO_MEMORY;
    if (page->buf.len < PIECE && !whole)
        return;
    if (page->status == FOCAL_OK && page->buf.len > 0)
        page->status = page->write(page->data, focal_buf_view(&page->buf));
    focal_buf_clear(&page->buf);
}

enum focal_status page_close(struct page *page)
{
    page_flush(page, true);
    focal_buf_close(&page->buf);
    return page->status;
}

/* ---- numbers ---- */

void page_number(struct focal_buf *out, uint64_t n)
{
    if (n >= 1000) {
        page_number(out, n / 1000);
        focal_buf_printf(out, "\xe2\x80\xaf%03u", (unsigned)(n % 1000));     /* narrow no-break space */
    } else {
        focal_buf_printf(out, "%u", (unsigned)n);
    }
}

void page_since(struct focal_buf *out, uint64_t seconds)
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

struct heard page_heard(const struct focal_report *report)
{
    struct heard heard = { .offices = report->coverage_count };
    for (size_t i = 0; i < report->coverage_count; i++)
        heard.lately += report->coverage[i].heard && report->coverage[i].last_heard_s <= LATELY_S;
    return heard;
}

bool page_chart(const struct focal_table *table)
{
    static const char *const names[] = { "allegation_type", "status", "victim_sex_age", "entity_class" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(table->name, names[i]) == 0 && table->total > 0)
            return true;
    }
    return false;
}
