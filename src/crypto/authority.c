/* The authority's key file: one line of text that holds the seed under a passphrase.
 *
 * file := "focal-authority-1 " base64url(salt 16, nonce 24, sealed seed 32 + 16) "\n"
 * The name of the form is the sealed part's additional data, so that it cannot be relabelled. */
#include "focal/crypto.h"

#include <sodium.h>
#include <string.h>

#define FORM "focal-authority-1"

enum {
    SALT = crypto_pwhash_SALTBYTES,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    SEED = 32,
    SEALED = SEED + crypto_aead_xchacha20poly1305_ietf_ABYTES,
    WHOLE = SALT + NONCE + SEALED
};
_Static_assert(SALT + NONCE == 40, "the door asks for 40 random bytes");

static enum focal_status stretch(uint8_t key[32], struct focal_span passphrase, const uint8_t salt[SALT])
{
    static const char none[1] = "";
    const char *text = passphrase.len > 0 ? (const char *)passphrase.data : none;
    /* The one way it fails is that the 64 MiB are not to be had. */
    if (crypto_pwhash(key, 32, text, passphrase.len, salt, 2, 64u << 20, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return FOCAL_NO_MEMORY;
    return FOCAL_OK;
}

enum focal_status focal_authority_lock(struct focal_buf *file, const uint8_t authority_seed[32],
                                       struct focal_span passphrase, const uint8_t random[40])
{
    uint8_t key[32], blob[WHOLE];
    memcpy(blob, random, SALT + NONCE);
    enum focal_status status = stretch(key, passphrase, blob);
    if (status != FOCAL_OK)
        goto out;
    crypto_aead_xchacha20poly1305_ietf_encrypt(blob + SALT + NONCE, NULL, authority_seed, SEED, (const uint8_t *)FORM,
                                               strlen(FORM), NULL, blob + SALT, key);
    focal_buf_text(file, FORM " ");
    focal_base64url(file, focal_span_of(blob, sizeof blob));
    focal_buf_text(file, "\n");
    if (file->failed)
        status = FOCAL_NO_MEMORY;
out:
    focal_wipe(key, sizeof key);
    return status;
}

/* Editors and mailers add and take line ends; nothing else is forgiven. */
static struct focal_span trim_end(struct focal_span text)
{
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r' ||
                            text.data[text.len - 1] == ' '))
        text.len--;
    return text;
}

enum focal_status focal_authority_unlock(uint8_t authority_seed[32], struct focal_span file, struct focal_span passphrase)
{
    const size_t head = strlen(FORM " ");
    file = trim_end(file);
    if (file.len < head || memcmp(file.data, FORM " ", head) != 0)
        return FOCAL_MALFORMED;
    struct focal_span text = focal_span_of(file.data + head, file.len - head);
    if (text.len > 2 * WHOLE)
        return FOCAL_MALFORMED;

    uint8_t key[32];
    struct focal_buf blob;
    focal_buf_init(&blob, 2 * WHOLE);
    enum focal_status status = FOCAL_OK;
    if (!focal_unbase64url(&blob, text) || blob.failed || blob.len != WHOLE)
        status = blob.failed ? FOCAL_NO_MEMORY : FOCAL_MALFORMED;
    if (status == FOCAL_OK)
        status = stretch(key, passphrase, blob.data);
    if (status == FOCAL_OK &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(authority_seed, NULL, NULL, blob.data + SALT + NONCE, SEALED,
                                                   (const uint8_t *)FORM, strlen(FORM), blob.data + SALT, key) != 0)
        status = FOCAL_DENIED;
    focal_wipe(key, sizeof key);
    focal_buf_close(&blob);
    return status;
}
