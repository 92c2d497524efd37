/* Invitation tokens: the text as pasted, and (since few mutations pass the check) the same bytes given a right check. */
#include "fuzz.h"

#include "focal/crypto.h"

static void attempt(struct focal_span text)
{
    struct focal_invitation in;
    struct focal_error err;
    struct focal_buf bytes;
    focal_buf_init(&bytes, 64 * 1024);
    if (focal_invitation_decode(&in, &bytes, text, &err) == FOCAL_OK) {
        struct focal_invitation out;
        struct focal_buf token, second;
        focal_buf_init(&token, 64 * 1024);
        focal_buf_init(&second, 64 * 1024);
        focal_invitation_encode(&token, &in);
        focal_assert(!token.failed);
        focal_assert(focal_invitation_decode(&out, &second, focal_buf_view(&token), &err) == FOCAL_OK);
        focal_assert(out.number == in.number && out.address_count == in.address_count);
        focal_assert(focal_span_equal(out.genesis, in.genesis));
        focal_buf_close(&token);
        focal_buf_close(&second);
    } else {
        focal_assert(err.status != FOCAL_OK && err.message[0] != 0);
    }
    focal_buf_close(&bytes);
}

static void with_check(struct focal_span body)
{
    const struct focal_span parts[] = { focal_span_text("focal token 1"), body };
    struct focal_hash check;
    struct focal_buf whole, text;
    focal_hash_parts(&check, parts, 2);
    focal_buf_init(&whole, 128 * 1024);
    focal_buf_init(&text, 256 * 1024);
    focal_buf_be16(&whole, (uint16_t)body.len);
    focal_buf_span(&whole, body);
    focal_buf_bytes(&whole, check.b, 4);
    focal_buf_text(&text, "focal1-");
    focal_base64url(&text, focal_buf_view(&whole));
    attempt(focal_buf_view(&text));
    focal_buf_close(&whole);
    focal_buf_close(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (focal_crypto_init() != FOCAL_OK)
        return 0;
    attempt(focal_span_of(data, len));
    if (len <= 0xffff)
        with_check(focal_span_of(data, len));
    return 0;
}
