/* The chain of a log. These three run once or more for every entry ever merged, so small input goes through one buffer
 * on the stack into one call, and only what does not fit there is fed piece by piece. */
#include "focal/crypto.h"

#include <sodium.h>
#include <string.h>

enum { AT_ONCE = 1024 };

void focal_chain_start(struct focal_hash *h0, const struct focal_id *log)
{
    const struct focal_span parts[] = { focal_span_text("focal chain 1"), { log->b, sizeof log->b } };
    focal_hash_parts(h0, parts, sizeof parts / sizeof *parts);
}

void focal_salt_from_seed(uint8_t salt[FOCAL_SALT_BYTES], const uint8_t seed[16], uint64_t seq)
{
    uint8_t in[16 + 8];
    memcpy(in, seed, 16);
    focal_put_be64(in + 16, seq);
    crypto_generichash_blake2b(salt, FOCAL_SALT_BYTES, in, sizeof in, NULL, 0);
}

void focal_commitment(struct focal_hash *c, const uint8_t salt[FOCAL_SALT_BYTES], struct focal_span payload)
{
    if (payload.len <= AT_ONCE) {
        uint8_t in[FOCAL_SALT_BYTES + AT_ONCE];
        memcpy(in, salt, FOCAL_SALT_BYTES);
        if (payload.len > 0)
            memcpy(in + FOCAL_SALT_BYTES, payload.data, payload.len);
        crypto_generichash_blake2b(c->b, sizeof c->b, in, FOCAL_SALT_BYTES + payload.len, NULL, 0);
        return;
    }
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, sizeof c->b);
    crypto_generichash_blake2b_update(&state, salt, FOCAL_SALT_BYTES);
    crypto_generichash_blake2b_update(&state, payload.data, payload.len);
    crypto_generichash_blake2b_final(&state, c->b, sizeof c->b);
}

void focal_chain_next(struct focal_hash *out, const struct focal_hash *before, const struct focal_id *log,
                      struct focal_span header, const struct focal_hash *c)
{
    _Static_assert(sizeof log->b == crypto_generichash_blake2b_SALTBYTES, "the log id is BLAKE2b's salt parameter");
    if (header.len <= AT_ONCE) {
        uint8_t in[32 + AT_ONCE + 32];
        memcpy(in, before->b, 32);
        if (header.len > 0)
            memcpy(in + 32, header.data, header.len);
        memcpy(in + 32 + header.len, c->b, 32);
        crypto_generichash_blake2b_salt_personal(out->b, sizeof out->b, in, 64 + header.len, NULL, 0, log->b, NULL);
        return;
    }
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init_salt_personal(&state, NULL, 0, sizeof out->b, log->b, NULL);
    crypto_generichash_blake2b_update(&state, before->b, 32);
    crypto_generichash_blake2b_update(&state, header.data, header.len);
    crypto_generichash_blake2b_update(&state, c->b, 32);
    crypto_generichash_blake2b_final(&state, out->b, sizeof out->b);
}
