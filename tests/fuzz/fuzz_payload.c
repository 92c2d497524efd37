/* A payload that decodes, and that this program understands, encodes to the very bytes it came from. */
#include <string.h>

#include "focal/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct focal_item items[UINT16_MAX];
    struct focal_payload p;
    if (focal_payload_decode(&p, focal_span_of(data, size)) != FOCAL_OK)
        return 0;
    struct focal_value_walk walk = { 0 };
    size_t count = 0;
    /* Filled from behind, so that the encoder has to sort. */
    for (struct focal_item item; focal_payload_next(&p, &walk, &item); count++)
        items[p.value_count - 1 - count] = item;
    focal_assert(count == p.value_count);
    if (p.newer)
        return 0;
    struct focal_buf again;
    focal_buf_init(&again, size);
    focal_payload_encode(&again, p.kind, p.has_home ? &p.home : NULL, p.has_day ? &p.day : NULL, items, count);
    focal_assert(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
    focal_buf_close(&again);
    return 0;
}
