/* genesis body := varint 1, items
 *   1 label, text · 2 authority key 32 · 3 recovery key 32 · 4 follow-up salt 16 · 5 expiry stops, 1 byte 0 or 1
 *   6 day, 4 bytes big-endian.   All six are always there. */
#include "statement_body.h"

#include <string.h>

enum { LABEL = 1, AUTHORITY, RECOVERY, FOLLOW_UP, EXPIRY, DAY };
#define NEEDED 0x7eu

void focal_genesis_encode(struct focal_buf *body, const struct focal_genesis *genesis)
{
    const uint8_t stops = genesis->expiry_stops ? 1 : 0;
    focal_assert(memchr(genesis->label, 0, sizeof genesis->label) != NULL);
    focal_buf_varint(body, FOCAL_STATEMENT_GENESIS);
    focal_buf_item(body, LABEL, focal_span_text(genesis->label));
    focal_buf_item(body, AUTHORITY, focal_span_of(genesis->authority.b, 32));
    focal_buf_item(body, RECOVERY, focal_span_of(genesis->recovery.b, 32));
    focal_buf_item(body, FOLLOW_UP, focal_span_of(genesis->follow_up_salt, 16));
    focal_buf_item(body, EXPIRY, focal_span_of(&stops, 1));
    focal_item_put_be32(body, DAY, genesis->day);
}

bool focal_genesis_items(struct focal_genesis *genesis, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    uint8_t stops = 0;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case LABEL: good = focal_item_text(genesis->label, sizeof genesis->label, value); break;
        case AUTHORITY: good = focal_item_copy(genesis->authority.b, 32, value); break;
        case RECOVERY: good = focal_item_copy(genesis->recovery.b, 32, value); break;
        case FOLLOW_UP: good = focal_item_copy(genesis->follow_up_salt, 16, value); break;
        case EXPIRY: good = focal_item_u8(&stops, value) && stops <= 1; break;
        case DAY: good = focal_item_be32(&genesis->day, value); break;
        default: good = false;
        }
    }
    genesis->expiry_stops = stops == 1;
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED);
}
