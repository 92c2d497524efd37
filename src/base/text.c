/* Text: UTF-8, hex, base64url, numbers, and how far a mistyped word is from a known one. */
#include "focal/base.h"

#include <string.h>

/* One code point off the front of s, 0 bytes if it is not well-formed (RFC 3629: shortest form, no surrogates). */
static size_t decode(const uint8_t *s, size_t len, uint32_t *point)
{
    uint8_t lead = s[0];
    if (lead < 0x80) {
        *point = lead;
        return 1;
    }
    size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || len < n)
        return 0;
    uint32_t p = lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        p = p << 6 | (s[i] & 0x3Fu);
    }
    if ((n == 3 && p < 0x800) || (n == 4 && p < 0x10000) || p > 0x10FFFF || (p >= 0xD800 && p <= 0xDFFF))
        return 0;
    *point = p;
    return n;
}

bool focal_utf8_valid(struct focal_span text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t point;
        size_t n = decode(text.data + i, text.len - i, &point);
        if (n == 0 || point < 0x20 || (point >= 0x7F && point < 0xA0))
            return false;
        i += n;
    }
    return true;
}

size_t focal_utf8_length(struct focal_span text)
{
    size_t points = 0;
    for (size_t i = 0; i < text.len; i++)
        points += (text.data[i] & 0xC0) != 0x80;
    return points;
}

void focal_hex(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[in[i] >> 4];
        out[2 * i + 1] = digits[in[i] & 15];
    }
    out[2 * len] = 0;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool focal_unhex(void *out, size_t len, struct focal_span text)
{
    uint8_t *to = out;
    if (text.len / 2 != len || text.len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void focal_base64url(struct focal_buf *buf, struct focal_span bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if (bytes.len > SIZE_MAX / 4) {
        buf->failed = true;
        return;
    }
    uint8_t *to = focal_buf_reserve(buf, bytes.len / 3 * 4 + (bytes.len % 3 ? bytes.len % 3 + 1 : 0));
    if (!to)
        return;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = held << 8 | bytes.data[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *to++ = (uint8_t)digits[held >> (bits - 6) & 63];
    }
    if (bits > 0)
        *to = (uint8_t)digits[held << (6 - bits) & 63];
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool focal_unbase64url(struct focal_buf *buf, struct focal_span text)
{
    if (text.len % 4 == 1)
        return false;
    size_t before = buf->len;
    uint8_t *to = focal_buf_reserve(buf, text.len / 4 * 3 + (text.len % 4 ? text.len % 4 - 1 : 0));
    if (!to)
        return false;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int v = base64_value(text.data[i]);
        if (v < 0) {
            focal_buf_truncate(buf, before);
            return false;
        }
        held = held << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (uint8_t)(held >> bits);
        }
    }
    /* Loose bits that are not zero would let one value be written in several ways. */
    if ((held & ((1u << bits) - 1)) != 0) {
        focal_buf_truncate(buf, before);
        return false;
    }
    return true;
}

bool focal_parse_u64(struct focal_span text, uint64_t *out)
{
    uint64_t v = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

/* Levenshtein's table, of which only the diagonals that can still end within the cut-off are kept: cell k of a row
 * stands for column row + k - CUT. */
int focal_text_distance(const char *a, const char *b)
{
    enum { CUT = 3, WIDTH = 2 * CUT + 1, FAR = CUT + 1 };
    size_t rows = strlen(a), columns = strlen(b);
    if (rows > columns + CUT || columns > rows + CUT)
        return -1;
    int row[WIDTH + 1];
    for (int k = 0; k <= WIDTH; k++)
        row[k] = k >= CUT && k < WIDTH ? k - CUT : FAR;
    for (size_t i = 1; i <= rows; i++) {
        int left = FAR;
        for (int k = 0; k < WIDTH; k++) {
            size_t shifted = i + (size_t)k;
            int best = FAR;
            if (shifted >= CUT && shifted - CUT <= columns) {
                size_t j = shifted - CUT;
                best = j == 0 ? (int)i : row[k] + (a[i - 1] != b[j - 1]);
                if (left + 1 < best)
                    best = left + 1;
                if (row[k + 1] + 1 < best)
                    best = row[k + 1] + 1;
            }
            row[k] = left = best < FAR ? best : FAR;
        }
    }
    int distance = row[columns + CUT - rows];
    return distance <= CUT ? distance : -1;
}
