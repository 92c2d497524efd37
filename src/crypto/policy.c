/* policy body := varint 6, items
 *   1 its name, text · 2 number, varint from 1, per name · 3 value, varint · 4 day, 4 bytes big-endian
 * What a value means is known to who knows the name; of a name that is not known the statement is kept and relayed, and counts
 * for nothing here. "two-persons": bits, 1 redact, 2 export, 4 revoke, 8 veil; a bit that is not known counts for nothing. */
#include "statement_body.h"

#include <string.h>

enum { NAME = 1, NUMBER, VALUE, DAY };
#define NEEDED 0x1eu

void focal_policy_encode(struct focal_buf *body, const struct focal_policy *p)
{
    focal_assert(memchr(p->name, 0, sizeof p->name) != NULL && p->number >= 1);
    focal_buf_varint(body, FOCAL_STATEMENT_POLICY);
    focal_buf_item(body, NAME, focal_span_text(p->name));
    focal_item_put_varint(body, NUMBER, p->number);
    focal_item_put_varint(body, VALUE, p->value);
    focal_item_put_be32(body, DAY, p->day);
}

bool focal_policy_items(struct focal_policy *p, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case NAME: good = value.len > 0 && focal_item_text(p->name, sizeof p->name, value); break;
        case NUMBER: good = focal_item_varint(&p->number, value) && p->number >= 1; break;
        case VALUE: good = focal_item_varint(&p->value, value); break;
        case DAY: good = focal_item_be32(&p->day, value); break;
        default: good = false;
        }
    }
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED);
}
