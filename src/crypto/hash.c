/* H(parts) and every name that is a hash: scope id, log id, epoch, short code. */
#include "focal/crypto.h"

#include <sodium.h>
#include <string.h>

enum focal_status focal_crypto_init(void)
{
    /* 1 says "was done before", which is as good. */
    return sodium_init() < 0 ? FOCAL_IO : FOCAL_OK;
}

void focal_wipe(void *p, size_t len)
{
    if (len > 0)
        sodium_memzero(p, len);
}

bool focal_secret_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || sodium_memcmp(a, b, len) == 0;
}

void focal_hash_parts(struct focal_hash *out, const struct focal_span *parts, size_t count)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, sizeof out->b);
    for (size_t i = 0; i < count; i++) {
        focal_assert(parts[i].len <= 0xffff);       /* a longer length would not fit, and two inputs would hash alike */
        const uint8_t len[2] = { (uint8_t)(parts[i].len >> 8), (uint8_t)parts[i].len };
        crypto_generichash_blake2b_update(&state, len, sizeof len);
        if (parts[i].len > 0)
            crypto_generichash_blake2b_update(&state, parts[i].data, parts[i].len);
    }
    crypto_generichash_blake2b_final(&state, out->b, sizeof out->b);
}

void focal_blake2b(uint8_t *out, size_t out_len, struct focal_span key, struct focal_span bytes)
{
    focal_assert(out_len >= 16 && out_len <= 64 && key.len <= 64);
    int failed = crypto_generichash_blake2b(out, out_len, bytes.data, bytes.len, key.data, key.len);
    focal_assert(failed == 0);
}

void focal_scope_id(struct focal_hash *out, const struct focal_hash *network, const struct focal_scope *scope)
{
    const struct focal_span parts[] = {
        focal_span_text("focal scope 1"),
        { network->b, sizeof network->b },
        { &scope->cls, 1 },
        focal_span_text(scope->country),
    };
    focal_hash_parts(out, parts, sizeof parts / sizeof *parts);
}

void focal_log_id(struct focal_id *out, const struct focal_hash *network, const struct focal_log_name *name)
{
    const struct focal_span parts[] = {
        focal_span_text("focal log 1"),
        { network->b, sizeof network->b },
        { name->author.b, sizeof name->author.b },
        { name->epoch.b, sizeof name->epoch.b },
        { name->scope.b, sizeof name->scope.b },
        { &name->lane, 1 },
    };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out->b, h.b, sizeof out->b);
}

uint64_t focal_short_code(const struct focal_ref *ref)
{
    uint8_t bytes[FOCAL_REF_BYTES];
    focal_ref_put(bytes, ref);
    const struct focal_span parts[] = { focal_span_text("focal code 1"), { bytes, sizeof bytes } };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    return focal_get_be64(h.b) >> 24;
}

void focal_epoch_id(struct focal_id *out, const uint8_t random[32], struct focal_span machine_id,
                    struct focal_span boot_id, const struct focal_hash *previous_head)
{
    const struct focal_span parts[] = {
        focal_span_text("focal epoch 1"),
        { random, 32 },
        machine_id,
        boot_id,
        { previous_head->b, sizeof previous_head->b },
    };
    struct focal_hash h;
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out->b, h.b, sizeof out->b);
}
