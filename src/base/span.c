/* Borrowed bytes. */
#include "focal/base.h"

#include <string.h>

struct focal_span focal_span_of(const void *data, size_t len)
{
    focal_assert(data || len == 0);
    return (struct focal_span){ .data = data, .len = len };
}

struct focal_span focal_span_text(const char *text)
{
    return (struct focal_span){ .data = (const uint8_t *)text, .len = strlen(text) };
}

bool focal_span_equal(struct focal_span a, struct focal_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int focal_span_compare(struct focal_span a, struct focal_span b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}
