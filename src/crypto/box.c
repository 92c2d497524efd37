/* Sealed box with given chance. The bytes are those of libsodium's sealed boxes, whose own call draws chance inside. */
#include "box.h"

#include <sodium.h>
#include <string.h>

enum { KEY = crypto_box_PUBLICKEYBYTES, TAG = crypto_box_MACBYTES, OVERHEAD = KEY + TAG };

static void box_nonce(uint8_t nonce[crypto_box_NONCEBYTES], const uint8_t ephemeral[KEY], const struct focal_key *to)
{
    uint8_t in[2 * KEY];
    memcpy(in, ephemeral, KEY);
    memcpy(in + KEY, to->b, KEY);
    focal_blake2b(nonce, crypto_box_NONCEBYTES, focal_span_of(NULL, 0), focal_span_of(in, sizeof in));
}

enum focal_status focal_box_seal(struct focal_buf *out, struct focal_span plain, const struct focal_key *to,
                                 const uint8_t random[32])
{
    if (plain.len > SIZE_MAX - OVERHEAD)
        return FOCAL_TOO_BIG;
    const size_t start = out->len;
    uint8_t *sealed = focal_buf_reserve(out, plain.len + OVERHEAD);
    if (sealed == NULL)
        return FOCAL_NO_MEMORY;
    uint8_t nonce[crypto_box_NONCEBYTES];
    enum focal_status status = FOCAL_OK;
    int failed = crypto_scalarmult_base(sealed, random);
    focal_assert(failed == 0);
    box_nonce(nonce, sealed, to);
    /* Fails when the recipient's key is of low order: a box anyone could open. */
    if (crypto_box_easy(sealed + KEY, plain.data, plain.len, nonce, to->b, random) != 0) {
        focal_wipe(sealed, plain.len + OVERHEAD);
        focal_buf_truncate(out, start);
        status = FOCAL_NEVER;
    }
    return status;
}

enum focal_status focal_box_open(struct focal_buf *out, struct focal_span sealed, const struct focal_node_keys *keys)
{
    return focal_box_open_by(out, sealed, &keys->open_public, keys->open_secret);
}

enum focal_status focal_box_open_by(struct focal_buf *out, struct focal_span sealed, const struct focal_key *public, const uint8_t secret[32])
{
    if (sealed.len < OVERHEAD)
        return FOCAL_MALFORMED;
    const size_t start = out->len, len = sealed.len - OVERHEAD;
    uint8_t nothing = 0;                            /* an empty box needs a place to put nothing */
    uint8_t *plain = len > 0 ? focal_buf_reserve(out, len) : &nothing;
    if (plain == NULL)
        return FOCAL_NO_MEMORY;
    uint8_t nonce[crypto_box_NONCEBYTES];
    box_nonce(nonce, sealed.data, public);
    if (crypto_box_open_easy(plain, sealed.data + KEY, sealed.len - KEY, nonce, sealed.data, secret) != 0) {
        focal_wipe(plain, len);
        focal_buf_truncate(out, start);
        return FOCAL_NEVER;
    }
    return FOCAL_OK;
}
