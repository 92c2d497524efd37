/* A header that decodes, and that this program understands, encodes to the very bytes it came from. */
#include <string.h>

#include "focal/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct focal_header h;
    if (focal_header_decode(&h, focal_span_of(data, size)) != FOCAL_OK)
        return 0;
    struct focal_replaced replaced;
    for (size_t i = 0; i < focal_header_replaced_count(&h); i++)
        focal_header_replaced(&replaced, &h, i);
    struct focal_previous previous;
    for (size_t i = 0; i < focal_header_previous_count(&h); i++)
        focal_header_previous(&previous, &h, i);
    if (h.newer)
        return 0;
    struct focal_buf again;
    focal_buf_init(&again, size);
    focal_header_encode(&again, &h);
    focal_assert(!again.failed && again.len == size && memcmp(again.data, data, size) == 0);
    focal_buf_close(&again);
    return 0;
}
