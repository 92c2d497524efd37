/* succession body := varint 7, items
 *   1 "authority", text: its subject, one for the network · 2 number, varint from 1 · 3 the new authority's key 32
 *   4 statements that stay good: n x hash 32, strictly ascending, n >= 0 · 5 day it was made, 4 bytes big-endian
 * All five are always there. It is signed by the recovery key. One statement has not room for every network's list: those of one
 * number and key are read as one. */
#include "statement_body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SUBJECT = 1, NUMBER, KEY, GOOD, DAY };
#define NEEDED 0x3eu
enum { HASH = sizeof(struct focal_hash) };

static_assert(64 + 128 + FOCAL_SUCCESSION_GOOD_MAX * HASH <= FOCAL_STATEMENT_MAX, "the longest list is a statement");

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH);
}

/* The caller's order and doubles do not matter. */
static void put_good(struct focal_buf *body, struct focal_span good)
{
    uint8_t bytes[FOCAL_SUCCESSION_GOOD_MAX * HASH];
    const size_t count = good.len / HASH;
    size_t kept = 0;
    focal_assert(good.len % HASH == 0 && count <= FOCAL_SUCCESSION_GOOD_MAX);
    if (count > 0) {
        memcpy(bytes, good.data, good.len);
        qsort(bytes, count, HASH, compare);
    }
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare(bytes + i * HASH, bytes + (kept - 1) * HASH) != 0)
            memmove(bytes + kept++ * HASH, bytes + i * HASH, HASH);
    focal_buf_item(body, GOOD, focal_span_of(bytes, kept * HASH));
}

void focal_succession_encode(struct focal_buf *body, const struct focal_succession *s)
{
    focal_assert(s->number >= 1);
    focal_buf_varint(body, FOCAL_STATEMENT_AUTHORITY);
    focal_buf_item(body, SUBJECT, focal_span_text(FOCAL_SUCCESSION_SUBJECT));
    focal_item_put_varint(body, NUMBER, s->number);
    focal_buf_item(body, KEY, focal_span_of(s->key.b, 32));
    put_good(body, s->good);
    focal_item_put_be32(body, DAY, s->day);
}

static bool good_good(struct focal_span good)
{
    if (good.len % HASH != 0 || good.len / HASH > FOCAL_SUCCESSION_GOOD_MAX)
        return false;
    for (size_t at = HASH; at < good.len; at += HASH)
        if (compare(good.data + at - HASH, good.data + at) >= 0)
            return false;
    return true;
}

bool focal_succession_items(struct focal_succession *s, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case SUBJECT: good = focal_span_equal(value, focal_span_text(FOCAL_SUCCESSION_SUBJECT)); break;
        case NUMBER: good = focal_item_varint(&s->number, value) && s->number >= 1; break;
        case KEY: good = focal_item_copy(s->key.b, 32, value); break;
        case GOOD: good = good_good(value); s->good = value; break;
        case DAY: good = focal_item_be32(&s->day, value); break;
        default: good = false;
        }
    }
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED);
}

bool focal_succession_keeps(const struct focal_succession *s, const struct focal_hash *statement)
{
    const size_t count = s->good.len / HASH;
    return count > 0 && bsearch(statement->b, s->good.data, count, HASH, compare) != NULL;
}
