/* receipt body := items
 *   1 office code, text · 2 signing key 32 · 3 epoch 16 · 4 scope id 32 · 5 number, varint from 1
 *   6 day, 4 bytes big-endian · 7 hash of the statement set 32
 *   8 heads: n x (log id 16, sequence 8, h 32), strictly ascending, n >= 0
 * All eight are always there; items with tags from 16 up are signed along and not understood. */
#include "items.h"

#include <string.h>

enum { OFFICE = 1, SIGNER, EPOCH, SCOPE, NUMBER, DAY, STATEMENTS, HEADS };
#define NEEDED 0x1feu

enum { HEAD_BYTES = 16 + 8 + 32 };

static bool heads_sound(struct focal_span heads)
{
    if (heads.len % HEAD_BYTES != 0 || heads.len / HEAD_BYTES > FOCAL_RECEIPT_HEADS_MAX)
        return false;
    for (size_t at = HEAD_BYTES; at < heads.len; at += HEAD_BYTES) {
        if (memcmp(heads.data + at - HEAD_BYTES, heads.data + at, HEAD_BYTES) >= 0)
            return false;
    }
    return true;
}

void focal_receipt_encode(struct focal_buf *body, const struct focal_receipt *r)
{
    focal_assert(r->number >= 1 && heads_sound(r->heads));
    focal_buf_item(body, OFFICE, focal_span_text(r->office.text));
    focal_buf_item(body, SIGNER, focal_span_of(r->signer.b, 32));
    focal_buf_item(body, EPOCH, focal_span_of(r->epoch.b, 16));
    focal_buf_item(body, SCOPE, focal_span_of(r->scope.b, 32));
    focal_item_put_varint(body, NUMBER, r->number);
    focal_item_put_be32(body, DAY, r->day);
    focal_buf_item(body, STATEMENTS, focal_span_of(r->statements.b, 32));
    focal_buf_item(body, HEADS, r->heads);
}

enum focal_status focal_receipt_decode(struct focal_receipt *r, struct focal_span body)
{
    memset(r, 0, sizeof *r);
    if (body.len > FOCAL_RECEIPT_MAX)
        return FOCAL_MALFORMED;
    struct focal_items items;
    focal_items_start(&items, focal_cur_of(body));
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(&items, &tag, &value)) {
        switch (tag) {
        case OFFICE: good = focal_item_office(&r->office, value); break;
        case SIGNER: good = focal_item_copy(r->signer.b, 32, value); break;
        case EPOCH: good = focal_item_copy(r->epoch.b, 16, value); break;
        case SCOPE: good = focal_item_copy(r->scope.b, 32, value); break;
        case NUMBER: good = focal_item_varint(&r->number, value) && r->number >= 1; break;
        case DAY: good = focal_item_be32(&r->day, value); break;
        case STATEMENTS: good = focal_item_copy(r->statements.b, 32, value); break;
        case HEADS: r->heads = value; good = heads_sound(value); break;
        default: good = false;
        }
    }
    return good && focal_items_whole(&items, NEEDED) ? FOCAL_OK : FOCAL_MALFORMED;
}

size_t focal_receipt_head_count(const struct focal_receipt *r)
{
    return r->heads.len / HEAD_BYTES;
}

void focal_receipt_head(struct focal_receipt_head *out, const struct focal_receipt *r, size_t i)
{
    focal_assert(i < focal_receipt_head_count(r));
    const uint8_t *at = r->heads.data + i * HEAD_BYTES;
    memcpy(out->log.b, at, 16);
    out->tip.seq = focal_get_be64(at + 16);
    memcpy(out->tip.h.b, at + 24, 32);
}

enum { PARTS = 3 };

static void receipt_parts(struct focal_span parts[PARTS], const struct focal_hash *network, struct focal_span body)
{
    parts[0] = focal_span_text("focal receipt 1");
    parts[1] = focal_span_of(network->b, 32);
    parts[2] = body;
}

void focal_receipt_sign(struct focal_signature *out, const uint8_t secret[64], const struct focal_hash *network,
                        struct focal_span body)
{
    struct focal_span parts[PARTS];
    focal_assert(body.len <= FOCAL_RECEIPT_MAX);
    receipt_parts(parts, network, body);
    focal_sign(out, secret, parts, PARTS);
}

bool focal_receipt_verify(const struct focal_signature *signature, const struct focal_key *key,
                          const struct focal_hash *network, struct focal_span body)
{
    struct focal_span parts[PARTS];
    if (body.len > FOCAL_RECEIPT_MAX)
        return false;
    receipt_parts(parts, network, body);
    return focal_verify(signature, key, parts, PARTS);
}
