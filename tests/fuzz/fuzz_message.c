/* A message of the conversation: what is taken has one form only, so encoding it gives the same bytes. */
#include "fuzz.h"

#include "focal/wire.h"

#include <string.h>

enum { HELLO_FLAGS_AT = 30 };

static void walk(const struct focal_message *m)
{
    if (m->type == FOCAL_MSG_SUBJECTS) {
        struct focal_subject subject;
        for (size_t i = 0; i < m->is.subjects.count; i++)
            focal_subject_get(&subject, &m->is.subjects, i);
    } else if (m->type == FOCAL_MSG_ACK) {
        struct focal_ack_item item;
        for (size_t i = 0; i < m->is.ack.count; i++)
            focal_ack_get(&item, &m->is.ack, i);
    } else if (m->type == FOCAL_MSG_FRONTIER) {
        struct focal_frontier_item item;
        struct focal_buf items;
        focal_buf_init(&items, FOCAL_FRAME_MAX);
        for (size_t at = 0; focal_frontier_next(&m->is.frontier, &at, &item);)
            focal_frontier_put(&items, &item);
        focal_assert(focal_span_equal(focal_buf_view(&items), m->is.frontier.items));
        focal_buf_close(&items);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct focal_message m;
    enum focal_status status = focal_message_decode(&m, focal_span_of(data, len));
    focal_assert(status == FOCAL_OK || status == FOCAL_MALFORMED || (status == FOCAL_UNSUPPORTED && data[0] >= 64));
    if (status != FOCAL_OK)
        return 0;
    walk(&m);
    struct focal_buf again;
    focal_buf_init(&again, FOCAL_FRAME_MAX);
    focal_message_encode(&again, &m);
    focal_assert(!again.failed && again.len == len);
    /* Flags of later versions are let through in HELLO, and not repeated. */
    if (m.type == FOCAL_MSG_HELLO)
        again.data[HELLO_FLAGS_AT] |= data[HELLO_FLAGS_AT];
    focal_assert(memcmp(again.data, data, len) == 0);
    focal_buf_close(&again);
    return 0;
}
