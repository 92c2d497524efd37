/* Keys of a node and of the authority, and Ed25519 over H(parts). */
#include "focal/crypto.h"

#include <sodium.h>
#include <string.h>

/* Only the seeded and derived forms: the same random bytes always give the same keys, in the simulator as in life. */
void focal_node_keys_make(struct focal_node_keys *keys, const uint8_t random[96])
{
    memset(keys, 0, sizeof *keys);
    crypto_sign_seed_keypair(keys->sign_public.b, keys->sign_secret, random);
    memcpy(keys->channel_secret, random + 32, 32);
    memcpy(keys->open_secret, random + 64, 32);
    /* Multiplying the base point cannot give zero: a secret is clamped to a multiple of 8 below the group's order. */
    int failed = crypto_scalarmult_base(keys->channel_public.b, keys->channel_secret);
    failed |= crypto_scalarmult_base(keys->open_public.b, keys->open_secret);
    focal_assert(failed == 0);
}

void focal_node_keys_public(struct focal_public_keys *out, const struct focal_node_keys *keys)
{
    out->sign = keys->sign_public;
    out->channel = keys->channel_public;
    out->open = keys->open_public;
}

static void put_former(struct focal_node_keys *keys, size_t at, const uint8_t secret[32])
{
    memmove(keys->former_secret[at], secret, 32);
    int failed = crypto_scalarmult_base(keys->former_public[at].b, keys->former_secret[at]);
    focal_assert(failed == 0);
}

enum focal_status focal_node_keys_renew_opening(struct focal_node_keys *keys, const uint8_t random[32])
{
    if (keys->former_count == FOCAL_FORMER_KEYS_MAX)
        return FOCAL_TOO_BIG;
    for (size_t i = keys->former_count++; i > 0; i--)
        put_former(keys, i, keys->former_secret[i - 1]);
    put_former(keys, 0, keys->open_secret);
    memcpy(keys->open_secret, random, 32);
    int failed = crypto_scalarmult_base(keys->open_public.b, keys->open_secret);
    focal_assert(failed == 0);
    return FOCAL_OK;
}

void focal_node_keys_encode(struct focal_buf *out, const struct focal_node_keys *keys)
{
    focal_buf_bytes(out, keys->sign_secret, 32);    /* Ed25519's secret key begins with its seed */
    focal_buf_bytes(out, keys->channel_secret, 32);
    focal_buf_bytes(out, keys->open_secret, 32);
    focal_buf_bytes(out, keys->former_secret, 32 * keys->former_count);
}

enum focal_status focal_node_keys_decode(struct focal_node_keys *keys, struct focal_span in)
{
    if (in.len < FOCAL_NODE_KEYS_BYTES || in.len > FOCAL_NODE_KEYS_BYTES_MAX || in.len % 32 != 0)
        return FOCAL_DAMAGED;
    /* A key that is zero or equal to another was never drawn: a file full of zeroes after a crash looks like that. */
    for (size_t i = 0; i < in.len; i += 32) {
        if (focal_bytes_zero(in.data + i, 32))
            return FOCAL_DAMAGED;
        for (size_t k = 0; k < i; k += 32)
            if (focal_secret_equal(in.data + i, in.data + k, 32))
                return FOCAL_DAMAGED;
    }
    focal_node_keys_make(keys, in.data);
    keys->former_count = in.len / 32 - 3;
    for (size_t i = 0; i < keys->former_count; i++)
        put_former(keys, i, in.data + FOCAL_NODE_KEYS_BYTES + 32 * i);
    return FOCAL_OK;
}

void focal_node_keys_wipe(struct focal_node_keys *keys)
{
    focal_wipe(keys, sizeof *keys);
}

void focal_sign_key_make(struct focal_sign_key *key, const uint8_t seed[32])
{
    crypto_sign_seed_keypair(key->public.b, key->secret, seed);
}

void focal_sign_key_wipe(struct focal_sign_key *key)
{
    focal_wipe(key, sizeof *key);
}

void focal_sign(struct focal_signature *out, const uint8_t secret[64], const struct focal_span *parts, size_t count)
{
    struct focal_hash h;
    focal_hash_parts(&h, parts, count);
    crypto_sign_detached(out->b, NULL, h.b, sizeof h.b, secret);
}

bool focal_verify(const struct focal_signature *signature, const struct focal_key *key,
                  const struct focal_span *parts, size_t count)
{
    struct focal_hash h;
    focal_hash_parts(&h, parts, count);
    return crypto_sign_verify_detached(signature->b, h.b, sizeof h.b, key->b) == 0;
}

enum { HEAD_PARTS = 5 };

static void head_parts(struct focal_span parts[HEAD_PARTS], uint8_t seq[8], const struct focal_hash *network,
                       const struct focal_id *log, const struct focal_tip *tip)
{
    focal_put_be64(seq, tip->seq);
    parts[0] = focal_span_text("focal head 1");
    parts[1] = focal_span_of(network->b, sizeof network->b);
    parts[2] = focal_span_of(log->b, sizeof log->b);
    parts[3] = focal_span_of(seq, 8);
    parts[4] = focal_span_of(tip->h.b, sizeof tip->h.b);
}

void focal_sign_head(struct focal_signature *out, const uint8_t secret[64], const struct focal_hash *network,
                     const struct focal_id *log, const struct focal_tip *tip)
{
    struct focal_span parts[HEAD_PARTS];
    uint8_t seq[8];
    head_parts(parts, seq, network, log, tip);
    focal_sign(out, secret, parts, HEAD_PARTS);
}

bool focal_verify_head(const struct focal_signature *signature, const struct focal_key *author,
                       const struct focal_hash *network, const struct focal_id *log, const struct focal_tip *tip)
{
    struct focal_span parts[HEAD_PARTS];
    uint8_t seq[8];
    head_parts(parts, seq, network, log, tip);
    return focal_verify(signature, author, parts, HEAD_PARTS);
}
