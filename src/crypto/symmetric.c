#include "symmetric.h"

#include <sodium.h>
#include <string.h>

enum { NONCE = crypto_aead_chacha20poly1305_ietf_NPUBBYTES };
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == FOCAL_NOISE_TAG, "one tag length");

void focal_cipher_set(struct focal_cipher *cipher, const uint8_t key[32])
{
    memcpy(cipher->key, key, 32);
    cipher->n = 0;
    cipher->set = true;
}

/* Four zero bytes, then the counter little-endian. */
static void cipher_nonce(uint8_t nonce[NONCE], uint64_t n)
{
    memset(nonce, 0, 4);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(n >> (8 * i));
}

void focal_cipher_encrypt(struct focal_cipher *cipher, uint8_t *out, struct focal_span ad, struct focal_span plain)
{
    uint8_t nonce[NONCE];
    focal_assert(cipher->set && cipher->n < UINT64_MAX);
    cipher_nonce(nonce, FOCAL_PLANTED(NONCE_REUSED) ? cipher->n++ / 2 : cipher->n++);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.len, ad.data, ad.len, NULL, nonce, cipher->key);
}

bool focal_cipher_decrypt(struct focal_cipher *cipher, uint8_t *out, struct focal_span ad, struct focal_span sealed)
{
    uint8_t nonce[NONCE];
    focal_assert(cipher->set && cipher->n < UINT64_MAX);
    if (sealed.len < FOCAL_NOISE_TAG)
        return false;
    cipher_nonce(nonce, FOCAL_PLANTED(NONCE_REUSED) ? cipher->n / 2 : cipher->n);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed.data, sealed.len, ad.data, ad.len, nonce,
                                                  cipher->key) != 0)
        return false;
    cipher->n++;
    return true;
}

void focal_cipher_rekey(struct focal_cipher *cipher)
{
    static const uint8_t zeroes[32];
    uint8_t nonce[NONCE], out[32 + FOCAL_NOISE_TAG];
    cipher_nonce(nonce, UINT64_MAX);
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, zeroes, sizeof zeroes, NULL, 0, NULL, nonce, cipher->key);
    memcpy(cipher->key, out, 32);
    focal_wipe(out, sizeof out);
}

static void hmac(uint8_t out[32], const uint8_t key[32], struct focal_span first, struct focal_span second)
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, 32);
    if (first.len > 0)
        crypto_auth_hmacsha256_update(&state, first.data, first.len);
    if (second.len > 0)
        crypto_auth_hmacsha256_update(&state, second.data, second.len);
    crypto_auth_hmacsha256_final(&state, out);
    focal_wipe(&state, sizeof state);
}

void focal_noise_hkdf(uint8_t a[32], uint8_t b[32], uint8_t *c, const uint8_t ck[32], struct focal_span input)
{
    static const uint8_t count[3] = { 1, 2, 3 };
    const struct focal_span none = { NULL, 0 };
    uint8_t temp[32], out[3][32];
    hmac(temp, ck, input, none);
    hmac(out[0], temp, focal_span_of(&count[0], 1), none);
    hmac(out[1], temp, focal_span_of(out[0], 32), focal_span_of(&count[1], 1));
    if (c != NULL) {
        hmac(out[2], temp, focal_span_of(out[1], 32), focal_span_of(&count[2], 1));
        memcpy(c, out[2], 32);
    }
    memcpy(a, out[0], 32);
    memcpy(b, out[1], 32);
    focal_wipe(temp, sizeof temp);
    focal_wipe(out, sizeof out);
}

void focal_noise_mix_hash(struct focal_noise *noise, struct focal_span bytes)
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, noise->h, 32);
    if (bytes.len > 0)
        crypto_hash_sha256_update(&state, bytes.data, bytes.len);
    crypto_hash_sha256_final(&state, noise->h);
}

void focal_noise_mix_key(struct focal_noise *noise, struct focal_span input)
{
    uint8_t key[32];
    focal_noise_hkdf(noise->ck, key, NULL, noise->ck, input);
    focal_cipher_set(&noise->cipher, key);
    focal_wipe(key, sizeof key);
}

void focal_noise_mix_psk(struct focal_noise *noise, const uint8_t psk[32])
{
    uint8_t hash[32], key[32];
    focal_noise_hkdf(noise->ck, hash, key, noise->ck, focal_span_of(psk, 32));
    focal_noise_mix_hash(noise, focal_span_of(hash, 32));
    focal_cipher_set(&noise->cipher, key);
    focal_wipe(hash, sizeof hash);
    focal_wipe(key, sizeof key);
}

size_t focal_noise_overhead(const struct focal_noise *noise)
{
    return noise->cipher.set ? FOCAL_NOISE_TAG : 0;
}

bool focal_noise_encrypt_and_hash(struct focal_noise *noise, struct focal_buf *out, struct focal_span plain)
{
    const size_t len = plain.len + focal_noise_overhead(noise);
    if (len == 0) {
        focal_noise_mix_hash(noise, plain);
        return !out->failed;
    }
    uint8_t *at = focal_buf_reserve(out, len);
    if (at == NULL)
        return false;
    if (noise->cipher.set)
        focal_cipher_encrypt(&noise->cipher, at, focal_span_of(noise->h, 32), plain);
    else
        memcpy(at, plain.data, plain.len);
    focal_noise_mix_hash(noise, focal_span_of(at, len));
    return true;
}

bool focal_noise_decrypt_and_hash(struct focal_noise *noise, uint8_t *out, struct focal_span sealed)
{
    if (noise->cipher.set) {
        if (!focal_cipher_decrypt(&noise->cipher, out, focal_span_of(noise->h, 32), sealed))
            return false;
    } else if (out != NULL && sealed.len > 0) {
        memcpy(out, sealed.data, sealed.len);
    }
    focal_noise_mix_hash(noise, sealed);
    return true;
}
