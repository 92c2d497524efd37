/* The token of an invitation: what a new office needs to find its network and be known there.
 *
 * token := "focal1-" base64url(length of body 2 bytes big-endian, body, check 4)
 * check  = first 4 bytes of H("focal token 1", body); tells a slip of the hand, protects against nobody
 * body  := items  1 genesis, the whole statement · 2 listener's channel key 32 · 3 psk 16 · 4 number, varint
 *                 5 office code, text
 *                 6 country, 3 letters, or left out · 7 addresses: n x (length 1 byte, text), 1 <= n <= 8, or left out
 *                 8 last day, 4 bytes big-endian
 * The network id is not in it: it is the hash of the genesis. Items with tags from 16 up are for newer programs. */
#include "items.h"

#include <string.h>

#define HEAD "focal1-"
enum { GENESIS = 1, LISTENER, PSK, NUMBER, OFFICE, COUNTRY, ADDRESSES, EXPIRES };
#define NEEDED (0x1feu & ~(1u << COUNTRY | 1u << ADDRESSES))
enum { LENGTH = 2, CHECK = 4, BODY_MAX = FOCAL_STATEMENT_MAX + 1024 };

static void token_check(uint8_t check[CHECK], struct focal_span body)
{
    const struct focal_span parts[] = { focal_span_text("focal token 1"), body };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(check, h.b, CHECK);
}

static void put_addresses(struct focal_buf *body, const struct focal_invitation *in)
{
    uint8_t bytes[FOCAL_ADDRESSES_MAX * 64];
    size_t len = 0;
    focal_assert(in->address_count <= FOCAL_ADDRESSES_MAX);
    for (size_t i = 0; i < in->address_count; i++) {
        const size_t text = strlen(in->addresses[i]);
        focal_assert(text > 0 && text < sizeof in->addresses[i]);
        bytes[len++] = (uint8_t)text;
        memcpy(bytes + len, in->addresses[i], text);
        len += text;
    }
    if (len > 0)
        focal_buf_item(body, ADDRESSES, focal_span_of(bytes, len));
}

void focal_invitation_encode(struct focal_buf *text, const struct focal_invitation *in)
{
    struct focal_buf body, whole;
    focal_buf_init(&body, BODY_MAX);
    focal_buf_init(&whole, LENGTH + BODY_MAX + CHECK);
    focal_buf_item(&body, GENESIS, in->genesis);
    focal_buf_item(&body, LISTENER, focal_span_of(in->listener.b, 32));
    focal_buf_item(&body, PSK, focal_span_of(in->psk, FOCAL_PSK_BYTES));
    focal_item_put_varint(&body, NUMBER, in->number);
    focal_buf_item(&body, OFFICE, focal_span_text(in->office.text));
    if (in->country[0] != 0)
        focal_buf_item(&body, COUNTRY, focal_span_of(in->country, 3));
    put_addresses(&body, in);
    focal_item_put_be32(&body, EXPIRES, in->expires_day);

    if (!body.failed) {
        uint8_t check[CHECK];
        token_check(check, focal_buf_view(&body));
        focal_buf_be16(&whole, (uint16_t)body.len);
        focal_buf_span(&whole, focal_buf_view(&body));
        focal_buf_bytes(&whole, check, CHECK);
    }
    if (body.failed || whole.failed) {
        text->failed = true;
    } else {
        focal_buf_text(text, HEAD);
        focal_base64url(text, focal_buf_view(&whole));
    }
    focal_buf_wipe_close(&whole);                   /* both hold the psk */
    focal_buf_wipe_close(&body);
}

static bool take_addresses(struct focal_invitation *out, struct focal_span value)
{
    struct focal_cur cur = focal_cur_of(value);
    while (focal_cur_left(&cur) > 0) {
        if (out->address_count == FOCAL_ADDRESSES_MAX)
            return false;
        char *to = out->addresses[out->address_count];
        const uint8_t len = focal_cur_u8(&cur);
        const struct focal_span text = focal_cur_bytes(&cur, len);
        if (cur.failed || len == 0 || !focal_item_text(to, sizeof out->addresses[0], text))
            return false;
        for (size_t i = 0; i < len; i++) {
            if (to[i] < '!' || to[i] > '~')
                return false;
        }
        out->address_count++;
    }
    return out->address_count > 0;
}

static bool take_genesis(struct focal_invitation *out, struct focal_span value)
{
    struct focal_statement statement;
    out->genesis = value;
    if (focal_statement_decode(&statement, value) != FOCAL_OK || statement.kind != FOCAL_STATEMENT_GENESIS)
        return false;
    focal_network_id(&out->network, statement.body);
    return focal_statement_verify(&statement, NULL, &out->network);
}

static bool take_body(struct focal_invitation *out, struct focal_span body)
{
    struct focal_items items;
    uint64_t tag;
    struct focal_span value;
    bool good = true;
    focal_items_start(&items, focal_cur_of(body));
    while (good && focal_items_next(&items, &tag, &value)) {
        switch (tag) {
        case GENESIS: good = take_genesis(out, value); break;
        case LISTENER: good = focal_item_copy(out->listener.b, 32, value); break;
        case PSK: good = focal_item_copy(out->psk, FOCAL_PSK_BYTES, value); break;
        case NUMBER: good = focal_item_varint(&out->number, value); break;
        case OFFICE: good = focal_item_office(&out->office, value); break;
        case COUNTRY: good = focal_item_copy(out->country, 3, value) && focal_country_letters(value.data); break;
        case ADDRESSES: good = take_addresses(out, value); break;
        case EXPIRES: good = focal_item_be32(&out->expires_day, value); break;
        default: good = false;
        }
    }
    return good && focal_items_whole(&items, NEEDED);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Mail programs wrap long lines: white space anywhere in the token is no fault. */
static enum focal_status strip_spaces(struct focal_buf *out, struct focal_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_space(text.data[i]))
            focal_buf_u8(out, text.data[i]);
    }
    return out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status fail_shape(struct focal_error *err, const char *what)
{
    return focal_fail(err, FOCAL_MALFORMED, "Copy the whole invitation again, from \"" HEAD "\" to its end.",
                      "This invitation %s.", what);
}

/* The length in front tells a token cut short from one mistyped, before anything else is looked at. */
static enum focal_status check_length(struct focal_span text, struct focal_error *err)
{
    struct focal_buf head;
    focal_buf_init(&head, 8);
    enum focal_status status = FOCAL_OK;
    if (text.len < 4) {
        status = fail_shape(err, "is cut short");
    } else if (!focal_unbase64url(&head, focal_span_of(text.data, 4))) {
        status = head.failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "Out of memory.") : fail_shape(err, "is mistyped");
    } else {
        const size_t bytes = LENGTH + ((size_t)head.data[0] << 8 | head.data[1]) + CHECK;
        const size_t wanted = (bytes * 4 + 2) / 3;
        if (text.len < wanted)
            status = fail_shape(err, "is cut short");
        else if (text.len > wanted)
            status = fail_shape(err, "has something after its end, or is mistyped near its beginning");
    }
    focal_buf_close(&head);
    return status;
}

static enum focal_status decode_text(struct focal_invitation *out, struct focal_buf *bytes, struct focal_span text,
                                     struct focal_error *err)
{
    enum focal_status status = check_length(text, err);
    if (status != FOCAL_OK)
        return status;
    if (!focal_unbase64url(bytes, text))
        return bytes->failed ? focal_fail(err, FOCAL_NO_MEMORY, "", "Out of memory.") : fail_shape(err, "is mistyped");
    struct focal_cur cur = focal_cur_of(focal_buf_view(bytes));
    const uint16_t len = focal_cur_be16(&cur);
    const struct focal_span body = focal_cur_bytes(&cur, len), check = focal_cur_rest(&cur);
    uint8_t wanted[CHECK];
    if (cur.failed || check.len != CHECK)
        return fail_shape(err, "is mistyped");
    token_check(wanted, body);
    if (memcmp(wanted, check.data, CHECK) != 0)
        return fail_shape(err, "is mistyped");
    if (!take_body(out, body))
        return focal_fail(err, FOCAL_MALFORMED, "Ask who invited you for a new one.",
                          "This invitation was copied rightly, but what it says is not sound.");
    return FOCAL_OK;
}

enum focal_status focal_invitation_decode(struct focal_invitation *out, struct focal_buf *bytes, struct focal_span text,
                                          struct focal_error *err)
{
    const size_t head = strlen(HEAD);
    struct focal_buf plain;
    memset(out, 0, sizeof *out);
    focal_buf_clear(bytes);
    if (text.len > 4 * (size_t)BODY_MAX)
        return focal_fail(err, FOCAL_MALFORMED, "An invitation begins with \"" HEAD "\".",
                          "This is too long for an invitation.");
    focal_buf_init(&plain, 4 * (size_t)BODY_MAX);
    enum focal_status status = strip_spaces(&plain, text);
    if (status != FOCAL_OK)
        (void)focal_fail(err, status, "", "Out of memory.");
    else if (plain.len < head || memcmp(plain.data, HEAD, head) != 0)
        status = focal_fail(err, FOCAL_MALFORMED, "An invitation begins with \"" HEAD "\".", "This is not an invitation.");
    else
        status = decode_text(out, bytes, focal_span_of(plain.data + head, plain.len - head), err);
    if (status != FOCAL_OK)
        focal_wipe(out, sizeof *out);
    focal_buf_wipe_close(&plain);
    return status;
}
