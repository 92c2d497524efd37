/* Bytes we make: a growing buffer with a sticky failure. */
#include "focal/base.h"

#include <stdio.h>
#include <string.h>

enum {
    FIRST_BYTES = 64,
    /* Secrets are small. A block of this size or less is moved by hand, so that no copy of it stays behind in freed
     * memory; a bigger one is left to realloc, which can move pages without touching them. */
    MOVED_BY_HAND_BYTES_MAX = 64 * 1024,
    VARINT_BYTES_MAX = 10,
};

void focal_buf_init(struct focal_buf *buf, size_t limit)
{
    *buf = (struct focal_buf){ .limit = limit };
}

void focal_buf_close(struct focal_buf *buf)
{
    focal_free(buf->data);
    *buf = (struct focal_buf){ .limit = buf->limit };
}

void focal_buf_wipe_close(struct focal_buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap + 1);
    focal_buf_close(buf);
}

void focal_buf_clear(struct focal_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

void focal_buf_truncate(struct focal_buf *buf, size_t len)
{
    focal_assert(len <= buf->len);
    buf->len = len;
}

/* One byte more than `cap` is always held, for the zero of cstr. */
static bool set_cap(struct focal_buf *buf, size_t cap)
{
    uint8_t *data;
    if (buf->data && buf->cap > MOVED_BY_HAND_BYTES_MAX) {
        data = focal_realloc(buf->data, cap + 1);
        if (!data)
            return false;
    } else {
        data = focal_realloc(NULL, cap + 1);
        if (!data)
            return false;
        if (buf->data) {
            memcpy(data, buf->data, buf->len);
            explicit_bzero(buf->data, buf->cap + 1);
            focal_free(buf->data);
        }
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

static bool make_room(struct focal_buf *buf, size_t len)
{
    if (buf->failed)
        return false;
    if (buf->data && len <= buf->cap - buf->len)
        return true;
    if (buf->len <= buf->limit && len <= buf->limit - buf->len) {
        size_t need = buf->len + len;
        size_t cap = buf->cap > FIRST_BYTES ? buf->cap : FIRST_BYTES;
        while (cap < need)
            cap = cap > buf->limit / 2 ? buf->limit : cap * 2;
        if (cap > buf->limit)
            cap = buf->limit;
        if (cap < SIZE_MAX && set_cap(buf, cap))
            return true;
    }
    buf->failed = true;
    return false;
}

uint8_t *focal_buf_reserve(struct focal_buf *buf, size_t len)
{
    if (!make_room(buf, len))
        return NULL;
    uint8_t *at = buf->data + buf->len;
    buf->len += len;
    return at;
}

void focal_buf_bytes(struct focal_buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint8_t *at = focal_buf_reserve(buf, len);
    if (at)
        memcpy(at, data, len);
}

void focal_buf_span(struct focal_buf *buf, struct focal_span span)
{
    focal_buf_bytes(buf, span.data, span.len);
}

void focal_buf_text(struct focal_buf *buf, const char *text)
{
    focal_buf_bytes(buf, text, strlen(text));
}

void focal_buf_printf(struct focal_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n < 0) {
        buf->failed = true;
    } else if ((size_t)n < sizeof small) {
        focal_buf_bytes(buf, small, (size_t)n);
    } else {
        uint8_t *at = focal_buf_reserve(buf, (size_t)n);
        if (at)
            vsnprintf((char *)at, (size_t)n + 1, fmt, again);
    }
    va_end(again);
}

void focal_buf_u8(struct focal_buf *buf, uint8_t v)
{
    uint8_t *at = focal_buf_reserve(buf, 1);
    if (at)
        at[0] = v;
}

void focal_buf_be16(struct focal_buf *buf, uint16_t v)
{
    uint8_t *at = focal_buf_reserve(buf, 2);
    if (at) {
        at[0] = (uint8_t)(v >> 8);
        at[1] = (uint8_t)v;
    }
}

void focal_buf_be32(struct focal_buf *buf, uint32_t v)
{
    uint8_t *at = focal_buf_reserve(buf, 4);
    if (at) {
        at[0] = (uint8_t)(v >> 24);
        at[1] = (uint8_t)(v >> 16);
        at[2] = (uint8_t)(v >> 8);
        at[3] = (uint8_t)v;
    }
}

void focal_buf_be64(struct focal_buf *buf, uint64_t v)
{
    uint8_t *at = focal_buf_reserve(buf, 8);
    if (at)
        focal_put_be64(at, v);
}

static size_t put_varint(uint8_t out[VARINT_BYTES_MAX], uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        out[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    out[n++] = (uint8_t)v;
    return n;
}

void focal_buf_varint(struct focal_buf *buf, uint64_t v)
{
    uint8_t made[VARINT_BYTES_MAX];
    focal_buf_bytes(buf, made, put_varint(made, v));
}

void focal_buf_item(struct focal_buf *buf, uint64_t tag, struct focal_span value)
{
    uint8_t head[2 * VARINT_BYTES_MAX];
    size_t n = put_varint(head, tag);
    n += put_varint(head + n, value.len);
    /* All or nothing: a head without its value must not stay when the value does not fit. */
    uint8_t *at = value.len <= SIZE_MAX - n ? focal_buf_reserve(buf, n + value.len) : NULL;
    if (!at) {
        buf->failed = true;
        return;
    }
    memcpy(at, head, n);
    if (value.len)
        memcpy(at + n, value.data, value.len);
}

struct focal_span focal_buf_view(const struct focal_buf *buf)
{
    static const uint8_t nothing[1];
    return (struct focal_span){ .data = buf->data ? buf->data : nothing, .len = buf->len };
}

const char *focal_buf_cstr(struct focal_buf *buf)
{
    if (buf->failed || !buf->data)
        return "";
    buf->data[buf->len] = 0;
    return (const char *)buf->data;
}
