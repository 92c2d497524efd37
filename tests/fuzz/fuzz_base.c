/* The primitives every decoder is made of: what is accepted has one form only, so making it again gives the same. */
#include "fuzz.h"

#include "focal/base.h"

static void items(struct focal_span bytes)
{
    struct focal_cur cur = focal_cur_of(bytes);
    struct focal_buf again;
    focal_buf_init(&again, bytes.len);
    while (focal_cur_left(&cur) > 0) {
        uint64_t tag;
        struct focal_span value = focal_cur_item(&cur, &tag);
        if (!cur.failed)
            focal_buf_item(&again, tag, value);
    }
    focal_assert(!again.failed);
    focal_assert(focal_span_equal(focal_buf_view(&again), focal_span_of(bytes.data, again.len)));
    focal_assert(cur.failed || again.len == bytes.len);
    focal_buf_close(&again);
}

static void text(struct focal_span bytes)
{
    struct focal_buf plain, again;
    focal_buf_init(&plain, bytes.len);
    focal_buf_init(&again, bytes.len);
    if (focal_unbase64url(&plain, bytes)) {
        focal_base64url(&again, focal_buf_view(&plain));
        focal_assert(focal_span_equal(focal_buf_view(&again), bytes));
    }
    focal_assert(!plain.failed && !again.failed);
    focal_buf_close(&plain);
    focal_buf_close(&again);
    if (focal_utf8_valid(bytes))
        focal_assert(focal_utf8_length(bytes) <= bytes.len);
    uint64_t number;
    if (focal_parse_u64(bytes, &number))
        focal_assert(bytes.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    items(focal_span_of(data, len));
    text(focal_span_of(data, len));
    return 0;
}
