#include "items.h"

#include <string.h>

void focal_items_start(struct focal_items *items, struct focal_cur cur)
{
    *items = (struct focal_items){ .cur = cur };
}

bool focal_items_next(struct focal_items *items, uint64_t *tag, struct focal_span *value)
{
    while (!items->failed && focal_cur_left(&items->cur) > 0 && !items->cur.failed) {
        *value = focal_cur_item(&items->cur, tag);
        if (items->cur.failed || *tag <= items->last) {         /* also refuses tag 0 */
            items->failed = true;
            return false;
        }
        items->last = *tag;
        if (*tag < FOCAL_ITEM_NEWER) {
            items->seen |= UINT32_C(1) << *tag;
            return true;
        }
        if (*tag == FOCAL_ITEM_SIGNER && items->signer) {
            items->signer_set = focal_item_copy(items->signer->b, sizeof items->signer->b, *value);
            items->failed |= !items->signer_set;
            continue;
        }
        items->newer = true;
    }
    items->failed |= items->cur.failed;
    return false;
}

bool focal_items_has(const struct focal_items *items, unsigned tag)
{
    return (items->seen >> tag & 1) != 0;
}

bool focal_items_whole(const struct focal_items *items, uint32_t needed)
{
    return !items->failed && focal_cur_done(&items->cur) && (items->seen & needed) == needed;
}

bool focal_item_copy(void *out, size_t len, struct focal_span value)
{
    if (value.len != len)
        return false;
    memcpy(out, value.data, len);
    return true;
}

bool focal_item_u8(uint8_t *out, struct focal_span value)
{
    return focal_item_copy(out, 1, value);
}

bool focal_item_be32(uint32_t *out, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    *out = focal_cur_be32(&cur);
    return focal_cur_done(&cur);
}

bool focal_item_varint(uint64_t *out, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    *out = focal_cur_varint(&cur);
    return focal_cur_done(&cur);
}

bool focal_item_text(char *out, size_t cap, struct focal_span value)
{
    if (value.len >= cap || !focal_utf8_valid(value))
        return false;
    if (value.len > 0) {
        if (memchr(value.data, 0, value.len) != NULL)
            return false;
        memcpy(out, value.data, value.len);
    }
    memset(out + value.len, 0, cap - value.len);
    return true;
}

bool focal_item_office(struct focal_office *out, struct focal_span value)
{
    struct focal_office office;
    if (!focal_office_parse(&office, value) || !focal_span_equal(focal_span_text(office.text), value))
        return false;
    /* Built anew so that equal offices are equal bytes, whatever the parser leaves behind the zero. */
    memset(out, 0, sizeof *out);
    memcpy(out->text, value.data, value.len);
    return true;
}

void focal_item_put_be32(struct focal_buf *out, uint64_t tag, uint32_t number)
{
    const uint8_t bytes[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };
    focal_buf_item(out, tag, focal_span_of(bytes, sizeof bytes));
}

void focal_item_put_varint(struct focal_buf *out, uint64_t tag, uint64_t number)
{
    uint8_t bytes[10];
    size_t len = 0;
    while (number >= 0x80) {
        bytes[len++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    bytes[len++] = (uint8_t)number;
    focal_buf_item(out, tag, focal_span_of(bytes, len));
}

bool focal_country_letters(const uint8_t letters[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (letters[i] < 'A' || letters[i] > 'Z')
            return false;
    }
    return true;
}
