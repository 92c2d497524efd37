/* cut body := varint 3, items
 *   1 office code, text · 2 the signing key it takes rights from 32
 *   3 reach: byte 1, everything · byte 2, scope (class 1 byte, country 3 letters or 3 zeroes) · byte 3, right (a varint of one bit)
 *   4 number, varint from 1, per key and reach · 5 good tips: n x (log id 16, sequence 8, h 32), strictly ascending, n >= 0
 *   6 day, 4 bytes big-endian · 7 reason, 1 byte from 1
 * All seven are always there. Reaches, scope classes and rights that this program does not know make the cut `newer`: it is
 * kept and relayed, and counts for nothing here. */
#include "statement_body.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { OFFICE = 1, KEY, REACH, NUMBER, TIPS, DAY, REASON };
#define NEEDED 0xfeu

enum { SCOPE_BYTES = 4, SEQ_AT = sizeof(struct focal_id) };
static_assert(FOCAL_CUT_TIP_BYTES == sizeof(struct focal_id) + 8 + sizeof(struct focal_hash), "a tip is log id, sequence, h");
static_assert(64 + 160 + FOCAL_CUT_TIPS_MAX * FOCAL_CUT_TIP_BYTES <= FOCAL_STATEMENT_MAX, "the largest cut is a statement");

void focal_cut_tip_put(struct focal_buf *tips, const struct focal_cut_tip *tip)
{
    focal_buf_bytes(tips, tip->log.b, sizeof tip->log.b);
    focal_buf_be64(tips, tip->tip.seq);
    focal_buf_bytes(tips, tip->tip.h.b, sizeof tip->tip.h.b);
}

size_t focal_cut_tip_count(const struct focal_cut *cut)
{
    return cut->tips.len / FOCAL_CUT_TIP_BYTES;
}

void focal_cut_tip_get(struct focal_cut_tip *out, const struct focal_cut *cut, size_t i)
{
    const uint8_t *at = cut->tips.data + i * FOCAL_CUT_TIP_BYTES;
    memcpy(out->log.b, at, sizeof out->log.b);
    out->tip.seq = focal_get_be64(at + SEQ_AT);
    memcpy(out->tip.h.b, at + SEQ_AT + 8, sizeof out->tip.h.b);
}

static int compare_tips(const void *a, const void *b)
{
    return memcmp(a, b, FOCAL_CUT_TIP_BYTES);
}

/* The caller's order and doubles do not matter. */
static void put_tips(struct focal_buf *body, struct focal_span tips)
{
    uint8_t bytes[FOCAL_CUT_TIPS_MAX * FOCAL_CUT_TIP_BYTES];
    const size_t count = tips.len / FOCAL_CUT_TIP_BYTES;
    size_t kept = 0;
    focal_assert(tips.len % FOCAL_CUT_TIP_BYTES == 0 && count <= FOCAL_CUT_TIPS_MAX);
    if (count > 0) {
        memcpy(bytes, tips.data, tips.len);
        qsort(bytes, count, FOCAL_CUT_TIP_BYTES, compare_tips);
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *tip = bytes + i * FOCAL_CUT_TIP_BYTES;
        focal_assert(focal_get_be64(tip + SEQ_AT) > 0);
        if (i == 0 || compare_tips(tip, bytes + (kept - 1) * FOCAL_CUT_TIP_BYTES) != 0)
            memmove(bytes + kept++ * FOCAL_CUT_TIP_BYTES, tip, FOCAL_CUT_TIP_BYTES);
    }
    focal_buf_item(body, TIPS, focal_span_of(bytes, kept * FOCAL_CUT_TIP_BYTES));
}

static bool tips_good(struct focal_span tips)
{
    if (tips.len % FOCAL_CUT_TIP_BYTES != 0 || tips.len / FOCAL_CUT_TIP_BYTES > FOCAL_CUT_TIPS_MAX)
        return false;
    for (size_t at = 0; at < tips.len; at += FOCAL_CUT_TIP_BYTES) {
        const uint8_t *tip = tips.data + at;
        if (focal_get_be64(tip + SEQ_AT) == 0 || (at > 0 && compare_tips(tip - FOCAL_CUT_TIP_BYTES, tip) >= 0))
            return false;
    }
    return true;
}

static void put_reach(struct focal_buf *body, const struct focal_reach *reach)
{
    uint8_t bytes[1 + SCOPE_BYTES] = { reach->kind };
    size_t len = 1;
    if (reach->kind == FOCAL_REACH_SCOPE) {
        focal_scope_bytes(bytes + 1, &reach->scope);
        len += SCOPE_BYTES;
    } else if (reach->kind == FOCAL_REACH_RIGHT) {
        focal_assert(reach->right == FOCAL_RIGHT_REDACT);
        bytes[len++] = (uint8_t)reach->right;
    }
    focal_assert(reach->kind >= FOCAL_REACH_EVERYTHING && reach->kind <= FOCAL_REACH_RIGHT);
    focal_buf_item(body, REACH, focal_span_of(bytes, len));
}

static bool take_right(uint32_t *right, struct focal_span value, bool *unknown)
{
    uint64_t bit;
    if (!focal_item_varint(&bit, value) || bit == 0 || (bit & (bit - 1)) != 0)
        return false;
    *unknown = bit != FOCAL_RIGHT_REDACT;
    *right = (uint32_t)bit;
    return true;
}

static bool take_reach(struct focal_reach *reach, struct focal_span value, bool *newer)
{
    bool good = true, unknown = false;
    if (value.len == 0 || value.data[0] == 0)
        return false;
    const struct focal_span rest = focal_span_of(value.data + 1, value.len - 1);
    reach->kind = value.data[0];
    switch (reach->kind) {
    case FOCAL_REACH_EVERYTHING: good = rest.len == 0; break;
    case FOCAL_REACH_SCOPE: good = rest.len == SCOPE_BYTES && focal_scope_of_bytes(&reach->scope, rest.data, &unknown); break;
    case FOCAL_REACH_RIGHT: good = take_right(&reach->right, rest, &unknown); break;
    default: unknown = true;
    }
    if (unknown)
        *reach = (struct focal_reach){ .kind = FOCAL_REACH_UNKNOWN };
    *newer |= unknown;
    return good;
}

void focal_cut_encode(struct focal_buf *body, const struct focal_cut *cut)
{
    focal_assert(memchr(cut->office.text, 0, sizeof cut->office.text) != NULL);
    focal_assert(cut->number >= 1 && cut->reason >= 1);
    focal_buf_varint(body, FOCAL_STATEMENT_CUT);
    focal_buf_item(body, OFFICE, focal_span_text(cut->office.text));
    focal_buf_item(body, KEY, focal_span_of(cut->key.b, 32));
    put_reach(body, &cut->reach);
    focal_item_put_varint(body, NUMBER, cut->number);
    put_tips(body, cut->tips);
    focal_item_put_be32(body, DAY, cut->day);
    focal_buf_item(body, REASON, focal_span_of(&cut->reason, 1));
}

bool focal_cut_items(struct focal_cut *cut, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case OFFICE: good = focal_item_office(&cut->office, value); break;
        case KEY: good = focal_item_copy(cut->key.b, 32, value); break;
        case REACH: good = take_reach(&cut->reach, value, newer); break;
        case NUMBER: good = focal_item_varint(&cut->number, value) && cut->number >= 1; break;
        case TIPS: good = tips_good(value); cut->tips = value; break;
        case DAY: good = focal_item_be32(&cut->day, value); break;
        case REASON: good = focal_item_u8(&cut->reason, value) && cut->reason >= 1; break;
        default: good = false;
        }
    }
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED);
}

bool focal_reach_equal(const struct focal_reach *a, const struct focal_reach *b)
{
    return a->kind == b->kind && a->right == b->right && focal_scope_compare(&a->scope, &b->scope) == 0;
}
