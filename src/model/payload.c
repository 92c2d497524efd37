/* Payloads of entries: bytes that are signed for ever. */
#include "focal/model.h"

enum {
    TAG_HOME = 1,
    TAG_DAY = 2,
    HOME_BYTES = 32,
    DAY_BYTES = 4,
    VALUES_MAX = UINT16_MAX,
    SORTED_ON_STACK_MAX = 64,
};

/* Items with tags below 64; those from 3 up are of a newer program and are kept unread. */
static bool take_low_item(struct focal_payload *p, uint64_t tag, struct focal_span value)
{
    switch (tag) {
    case 0:
        return false;
    case TAG_HOME:
        p->has_home = true;
        p->home = value;
        return value.len == 0 || value.len == HOME_BYTES;
    case TAG_DAY:
        if (value.len != DAY_BYTES)
            return false;
        p->has_day = true;
        p->day = (uint32_t)value.data[0] << 24 | (uint32_t)value.data[1] << 16 | (uint32_t)value.data[2] << 8 |
                 value.data[3];
        return true;
    default:
        p->newer = true;
        return true;
    }
}

static bool decode(struct focal_payload *p, struct focal_span bytes)
{
    *p = (struct focal_payload){ 0 };
    struct focal_cur cur = focal_cur_of(bytes);
    p->kind = focal_cur_varint(&cur);
    if (cur.failed)
        return false;
    uint64_t last_tag = 0;
    struct focal_span last = { 0 };
    const uint8_t *values = cur.end;
    while (focal_cur_left(&cur) > 0) {
        const uint8_t *start = cur.at;
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        if (cur.failed || tag < last_tag)
            return false;
        if (tag < FOCAL_VALUE_TAG_MIN) {
            if (tag == last_tag || !take_low_item(p, tag, value))
                return false;
        } else {
            if (tag == last_tag && focal_span_compare(last, value) > 0)
                return false;
            if (p->value_count == VALUES_MAX)
                return false;
            if (p->value_count++ == 0)
                values = start;
        }
        last_tag = tag;
        last = value;
    }
    p->values = (struct focal_span){ .data = values, .len = (size_t)(cur.end - values) };
    return true;
}

enum focal_status focal_payload_decode(struct focal_payload *p, struct focal_span bytes)
{
    if (decode(p, bytes))
        return FOCAL_OK;
    *p = (struct focal_payload){ 0 };
    return FOCAL_MALFORMED;
}

bool focal_payload_next(const struct focal_payload *p, struct focal_value_walk *at, struct focal_item *out)
{
    if (at->offset >= p->values.len)
        return false;
    struct focal_cur cur = { .at = p->values.data + at->offset, .end = p->values.data + p->values.len };
    out->value = focal_cur_item(&cur, &out->field);
    focal_assert(!cur.failed);
    out->ordinal = at->ordinal++;
    at->offset = (size_t)(cur.at - p->values.data);
    return true;
}

/* ---- encoding ---- */

static int compare(const struct focal_item *a, const struct focal_item *b)
{
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    return focal_span_compare(a->value, b->value);
}

static void sink(const struct focal_item **heap, size_t root, size_t count)
{
    const struct focal_item *moved = heap[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && compare(heap[child], heap[child + 1]) < 0)
            child++;
        if (compare(moved, heap[child]) >= 0)
            break;
        heap[root] = heap[child];
    }
    heap[root] = moved;
}

/* A heap sort, because qsort may allocate behind our back. Items that compare equal have equal bytes, so that their
 * order among themselves cannot be seen. */
static void sort(const struct focal_item **items, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sink(items, i, count);
    for (size_t end = count; end > 1; end--) {
        const struct focal_item *greatest = items[0];
        items[0] = items[end - 1];
        items[end - 1] = greatest;
        sink(items, 0, end - 1);
    }
}

static bool is_sorted(const struct focal_item *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(&values[i - 1], &values[i]) > 0)
            return false;
    }
    return true;
}

static void put_values(struct focal_buf *buf, const struct focal_item *values, size_t count)
{
    if (is_sorted(values, count)) {
        for (size_t i = 0; i < count; i++)
            focal_buf_item(buf, values[i].field, values[i].value);
        return;
    }
    const struct focal_item *few[SORTED_ON_STACK_MAX];
    const struct focal_item **items = few;
    if (count > SORTED_ON_STACK_MAX) {
        items = focal_alloc(count * sizeof items[0]);
        if (!items) {
            buf->failed = true;
            return;
        }
    }
    for (size_t i = 0; i < count; i++)
        items[i] = &values[i];
    sort(items, count);
    for (size_t i = 0; i < count; i++)
        focal_buf_item(buf, items[i]->field, items[i]->value);
    if (items != few)
        focal_free(items);
}

void focal_payload_encode(struct focal_buf *buf, uint64_t kind, const struct focal_span *home, const uint32_t *day,
                          const struct focal_item *values, size_t value_count)
{
    focal_assert(value_count <= VALUES_MAX);
    for (size_t i = 0; i < value_count; i++)
        focal_assert(values[i].field >= FOCAL_VALUE_TAG_MIN);
    focal_buf_varint(buf, kind);
    if (home) {
        focal_assert(home->len == 0 || home->len == HOME_BYTES);
        focal_buf_item(buf, TAG_HOME, *home);
    }
    if (day) {
        uint8_t bytes[DAY_BYTES] = { (uint8_t)(*day >> 24), (uint8_t)(*day >> 16), (uint8_t)(*day >> 8), (uint8_t)*day };
        focal_buf_item(buf, TAG_DAY, focal_span_of(bytes, sizeof bytes));
    }
    put_values(buf, values, value_count);
}
