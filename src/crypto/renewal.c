/* renewal body := varint 4, items
 *   1 office code, text · 2 hash of the certificate it extends 32 · 3 number, varint from 1, per certificate
 *   4 last day, 5 highest opening number, 6 day it was made, each 4 bytes big-endian
 *   7 the delegation (the whole statement) by whose key it is signed, or left out: signed by the authority
 * delegation body := varint 5, items
 *   1 office code, text · 2 the renewal key 32, or left out: nobody's any more · 3 number, varint from 1, per office
 *   4 last day that it may give, 5 day it was made, each 4 bytes big-endian
 * A renewal carries its delegation, so that its bytes alone say whether it is signed well, whatever is held where it arrives. */
#include "statement_body.h"

#include <assert.h>
#include <string.h>

enum { OFFICE = 1, CERTIFICATE, NUMBER, TO, OPENINGS, DAY, DELEGATION };
#define NEEDED 0x7eu
enum { KEEPER = 1, KEY, RANK, UNTIL, MADE };
#define NEEDED_OF_DELEGATION (0x3eu & ~(1u << KEY))

static_assert(64 + 2 * FOCAL_DELEGATION_MAX <= FOCAL_STATEMENT_MAX, "a renewal with its delegation is a statement");

void focal_delegation_encode(struct focal_buf *body, const struct focal_delegation *d)
{
    focal_assert(memchr(d->office.text, 0, sizeof d->office.text) != NULL);
    focal_assert(d->number >= 1);
    focal_buf_varint(body, FOCAL_STATEMENT_DELEGATION);
    focal_buf_item(body, KEEPER, focal_span_text(d->office.text));
    if (d->key_set)
        focal_buf_item(body, KEY, focal_span_of(d->key.b, 32));
    focal_item_put_varint(body, RANK, d->number);
    focal_item_put_be32(body, UNTIL, d->until_day);
    focal_item_put_be32(body, MADE, d->day);
}

bool focal_delegation_items(struct focal_delegation *d, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case KEEPER: good = focal_item_office(&d->office, value); break;
        case KEY: good = focal_item_copy(d->key.b, 32, value); break;
        case RANK: good = focal_item_varint(&d->number, value) && d->number >= 1; break;
        case UNTIL: good = focal_item_be32(&d->until_day, value); break;
        case MADE: good = focal_item_be32(&d->day, value); break;
        default: good = false;
        }
    }
    d->key_set = focal_items_has(items, KEY);
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED_OF_DELEGATION);
}

void focal_renewal_encode(struct focal_buf *body, const struct focal_renewal *r)
{
    focal_assert(memchr(r->office.text, 0, sizeof r->office.text) != NULL);
    focal_assert(r->number >= 1 && r->delegation.len <= FOCAL_DELEGATION_MAX);
    focal_buf_varint(body, FOCAL_STATEMENT_RENEWAL);
    focal_buf_item(body, OFFICE, focal_span_text(r->office.text));
    focal_buf_item(body, CERTIFICATE, focal_span_of(r->certificate.b, 32));
    focal_item_put_varint(body, NUMBER, r->number);
    focal_item_put_be32(body, TO, r->to_day);
    focal_item_put_be32(body, OPENINGS, r->openings_max);
    focal_item_put_be32(body, DAY, r->day);
    if (r->delegation.len > 0)
        focal_buf_item(body, DELEGATION, r->delegation);
}

/* What stands in it must be a delegation that names a key: who signs must be clear to all alike. */
static bool take_delegation(struct focal_renewal *r, struct focal_span value, bool *newer)
{
    struct focal_statement s;
    if (value.len <= sizeof s.signature.b || value.len > FOCAL_DELEGATION_MAX || value.data[sizeof s.signature.b] != FOCAL_STATEMENT_DELEGATION
        || focal_statement_decode(&s, value) != FOCAL_OK || !s.is.delegation.key_set)
        return false;
    r->delegation = value;
    r->by = s.is.delegation;
    r->by_signer_set = s.signer_set;
    r->by_signer = s.signer;
    *newer |= s.newer;
    return true;
}

bool focal_renewal_items(struct focal_renewal *r, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case OFFICE: good = focal_item_office(&r->office, value); break;
        case CERTIFICATE: good = focal_item_copy(r->certificate.b, 32, value); break;
        case NUMBER: good = focal_item_varint(&r->number, value) && r->number >= 1; break;
        case TO: good = focal_item_be32(&r->to_day, value); break;
        case OPENINGS: good = focal_item_be32(&r->openings_max, value); break;
        case DAY: good = focal_item_be32(&r->day, value); break;
        case DELEGATION: good = take_delegation(r, value, newer); break;
        default: good = false;
        }
    }
    *newer |= items->newer;
    return good && focal_items_whole(items, NEEDED);
}

void focal_renewal_key(struct focal_sign_key *out, const struct focal_node_keys *keys)
{
    struct focal_hash seed;
    const struct focal_span parts[] = { focal_span_text("focal renewal key 1"), focal_span_of(keys->sign_secret, 32) };
    focal_hash_parts(&seed, parts, sizeof parts / sizeof *parts);
    focal_sign_key_make(out, seed.b);
    focal_wipe(&seed, sizeof seed);
}
