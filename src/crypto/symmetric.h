/* The ground of Noise: one cipher with its counter, and the keys derived along a handshake. */
#ifndef FOCAL_CRYPTO_SYMMETRIC_H
#define FOCAL_CRYPTO_SYMMETRIC_H

#include "focal/crypto.h"
#include "focal/base_plant.h"

void focal_cipher_set(struct focal_cipher *, const uint8_t key[32]);
/* out: len + 16 bytes. The counter goes on. */
void focal_cipher_encrypt(struct focal_cipher *, uint8_t *out, struct focal_span ad, struct focal_span plain);
/* out: len - 16 bytes, or NULL to check the tag only. The counter goes on only when it authenticates. */
bool focal_cipher_decrypt(struct focal_cipher *, uint8_t *out, struct focal_span ad, struct focal_span sealed);
void focal_cipher_rekey(struct focal_cipher *);

/* HKDF of Noise with two or three outputs (c may be NULL). Outputs may be the same memory as ck. */
void focal_noise_hkdf(uint8_t a[32], uint8_t b[32], uint8_t *c, const uint8_t ck[32], struct focal_span input);
void focal_noise_mix_hash(struct focal_noise *, struct focal_span);
void focal_noise_mix_key(struct focal_noise *, struct focal_span);
void focal_noise_mix_psk(struct focal_noise *, const uint8_t psk[32]);
/* Bytes that sealing adds now: none before there is a key. */
size_t focal_noise_overhead(const struct focal_noise *);
/* Appends. False: no memory. */
bool focal_noise_encrypt_and_hash(struct focal_noise *, struct focal_buf *out, struct focal_span plain);
/* out may be NULL when only the tag matters. False: does not authenticate, or is too short. */
bool focal_noise_decrypt_and_hash(struct focal_noise *, uint8_t *out, struct focal_span sealed);

#endif
