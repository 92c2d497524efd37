/* certificate body := varint 2, items
 *   1 office code, text · 2 entity, text · 3 role, 1 byte · 4 rights, varint of bits
 *   5 scopes to read, 6 scopes to write: n x (class 1 byte, country 3 letters or 3 zeroes), strictly ascending, n >= 0
 *   7 signing key 32 · 8 channel key 32 · 9 opening key 32 · 10 the signing key it follows 32, or left out
 *   11 number, varint from 1 · 12 from, 13 to, 14 highest opening number, each 4 bytes big-endian
 *   15 invitation, varint, or left out
 * Roles, rights and scope classes that this program does not know are no fault: they make the certificate `newer`. */
#include "statement_body.h"

#include <stdlib.h>
#include <string.h>

enum { OFFICE = 1, ENTITY, ROLE, RIGHTS, READ, WRITE, SIGN, CHANNEL, OPEN, FOLLOWS, NUMBER, FROM, TO, OPENINGS, INVITATION };
#define NEEDED (0xfffeu & ~(1u << FOLLOWS | 1u << INVITATION))

enum { SCOPE_BYTES = 4 };

void focal_scope_bytes(uint8_t out[SCOPE_BYTES], const struct focal_scope *scope)
{
    focal_assert(scope->cls <= FOCAL_SCOPE_COUNTRY);
    memset(out, 0, SCOPE_BYTES);
    out[0] = scope->cls;
    if (scope->cls == FOCAL_SCOPE_COUNTRY) {
        memcpy(out + 1, scope->country, 3);
        focal_assert(focal_country_letters(out + 1));
    }
}

bool focal_scope_of_bytes(struct focal_scope *scope, const uint8_t bytes[SCOPE_BYTES], bool *newer)
{
    memset(scope, 0, sizeof *scope);
    if (bytes[0] == FOCAL_SCOPE_SEALED || bytes[0] == FOCAL_SCOPE_LOCAL)
        return false;                               /* classes of fields; nobody is a member of them */
    if (bytes[0] > FOCAL_SCOPE_LOCAL) {
        *newer = true;
        return true;
    }
    const bool country = bytes[0] == FOCAL_SCOPE_COUNTRY;
    if (country ? !focal_country_letters(bytes + 1) : !focal_bytes_zero(bytes + 1, SCOPE_BYTES - 1))
        return false;
    scope->cls = bytes[0];
    if (country)
        memcpy(scope->country, bytes + 1, 3);
    return true;
}

static int compare_scopes(const void *a, const void *b)
{
    return memcmp(a, b, SCOPE_BYTES);
}

/* The caller's order and doubles do not matter: the same rights always give the same bytes. */
static void put_scopes(struct focal_buf *body, uint64_t tag, const struct focal_scope *list, size_t count)
{
    uint8_t bytes[FOCAL_CERTIFICATE_SCOPES_MAX][SCOPE_BYTES];
    focal_assert(count <= FOCAL_CERTIFICATE_SCOPES_MAX);
    for (size_t i = 0; i < count; i++)
        focal_scope_bytes(bytes[i], &list[i]);
    qsort(bytes, count, SCOPE_BYTES, compare_scopes);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_scopes(bytes[i], bytes[kept - 1]) != 0)
            memmove(bytes[kept++], bytes[i], SCOPE_BYTES);
    }
    focal_buf_item(body, tag, focal_span_of(bytes, kept * SCOPE_BYTES));
}

static bool take_scopes(struct focal_scope *list, size_t *count, struct focal_span value, bool *newer)
{
    *count = 0;
    if (value.len % SCOPE_BYTES != 0 || value.len / SCOPE_BYTES > FOCAL_CERTIFICATE_SCOPES_MAX)
        return false;
    for (size_t at = 0; at < value.len; at += SCOPE_BYTES) {
        const uint8_t *scope = value.data + at;
        if (at > 0 && compare_scopes(scope - SCOPE_BYTES, scope) >= 0)
            return false;
        bool unknown = false;
        if (!focal_scope_of_bytes(&list[*count], scope, &unknown))
            return false;
        *count += !unknown;
        *newer |= unknown;
    }
    return true;
}

void focal_certificate_encode(struct focal_buf *body, const struct focal_certificate *c)
{
    focal_assert(memchr(c->office.text, 0, sizeof c->office.text) != NULL);
    focal_assert(memchr(c->entity, 0, sizeof c->entity) != NULL);
    focal_assert(c->role >= 1 && c->number >= 1);
    focal_buf_varint(body, FOCAL_STATEMENT_CERTIFICATE);
    focal_buf_item(body, OFFICE, focal_span_text(c->office.text));
    focal_buf_item(body, ENTITY, focal_span_text(c->entity));
    focal_buf_item(body, ROLE, focal_span_of(&c->role, 1));
    focal_item_put_varint(body, RIGHTS, c->rights);
    put_scopes(body, READ, c->read, c->read_count);
    put_scopes(body, WRITE, c->write, c->write_count);
    focal_buf_item(body, SIGN, focal_span_of(c->keys.sign.b, 32));
    focal_buf_item(body, CHANNEL, focal_span_of(c->keys.channel.b, 32));
    focal_buf_item(body, OPEN, focal_span_of(c->keys.open.b, 32));
    if (c->follows_set)
        focal_buf_item(body, FOLLOWS, focal_span_of(c->follows.b, 32));
    focal_item_put_varint(body, NUMBER, c->number);
    focal_item_put_be32(body, FROM, c->from_day);
    focal_item_put_be32(body, TO, c->to_day);
    focal_item_put_be32(body, OPENINGS, c->openings_max);
    if (c->invitation_set)
        focal_item_put_varint(body, INVITATION, c->invitation);
}

static bool take_rights(uint32_t *rights, struct focal_span value, bool *newer)
{
    uint64_t bits;
    if (!focal_item_varint(&bits, value))
        return false;
    *rights = (uint32_t)bits;
    *newer |= (bits & ~(uint64_t)FOCAL_RIGHT_REDACT) != 0;
    return true;
}

bool focal_certificate_items(struct focal_certificate *c, struct focal_items *items, bool *newer)
{
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    while (good && focal_items_next(items, &tag, &value)) {
        switch (tag) {
        case OFFICE: good = focal_item_office(&c->office, value); break;
        case ENTITY: good = focal_item_text(c->entity, sizeof c->entity, value); break;
        case ROLE: good = focal_item_u8(&c->role, value) && c->role >= 1; break;
        case RIGHTS: good = take_rights(&c->rights, value, newer); break;
        case READ: good = take_scopes(c->read, &c->read_count, value, newer); break;
        case WRITE: good = take_scopes(c->write, &c->write_count, value, newer); break;
        case SIGN: good = focal_item_copy(c->keys.sign.b, 32, value); break;
        case CHANNEL: good = focal_item_copy(c->keys.channel.b, 32, value); break;
        case OPEN: good = focal_item_copy(c->keys.open.b, 32, value); break;
        case FOLLOWS: good = focal_item_copy(c->follows.b, 32, value); break;
        case NUMBER: good = focal_item_varint(&c->number, value) && c->number >= 1; break;
        case FROM: good = focal_item_be32(&c->from_day, value); break;
        case TO: good = focal_item_be32(&c->to_day, value); break;
        case OPENINGS: good = focal_item_be32(&c->openings_max, value); break;
        case INVITATION: good = focal_item_varint(&c->invitation, value); break;
        default: good = false;
        }
    }
    c->follows_set = focal_items_has(items, FOLLOWS);
    c->invitation_set = focal_items_has(items, INVITATION);
    *newer |= items->newer || c->role > FOCAL_ROLE_HQ;
    return good && focal_items_whole(items, NEEDED);
}

bool focal_certificate_lists(const struct focal_scope *list, size_t count, const struct focal_scope *scope)
{
    for (size_t i = 0; i < count; i++) {
        if (focal_scope_compare(&list[i], scope) == 0)
            return true;
    }
    return false;
}
