/* Pages and frames under a key: XChaCha20-Poly1305, each with a nonce of its own drawn by chance.
 *
 * page  := content 8152, nonce 24, tag 16       additional data: store id, 'P', number
 * frame := header 24, page                      additional data: store id, 'W', number, first 16 bytes of the header
 *
 * SQLite sums a frame up over its plain bytes, and writes the sums into the frame's header: eight bytes that are linear in
 * the content. They are covered by a stream of the frame's own nonce. The rest of a frame's header (page number, size of
 * the database, salts of this round of the log) is in clear and bound to the page, so that no frame counts at another
 * place, in another round or with another size. */
#include "seal.h"
#include "focal/base_plant.h"

#include <sodium.h>
#include <string.h>

enum { KIND_AT = FOCAL_STORE_ID_BYTES, NUMBER_AT = KIND_AT + 1, LABEL_BYTES = NUMBER_AT + 8, BOUND_BYTES = 16, SUM_AT = 16, SUM_BYTES = 8 };
_Static_assert(SEAL_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "room for the nonce");
_Static_assert(SEAL_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "room for the tag");
_Static_assert(SEAL_NONCE_BYTES == crypto_stream_xchacha20_NONCEBYTES, "the same nonce covers the sums");

static void derive(uint8_t out[32], const struct focal_store_key *key, const char *what)
{
    struct focal_hash h;
    const struct focal_span parts[] = { focal_span_text("focal store pages 1"), focal_span_text(what),
                                        focal_span_of(key->id, sizeof key->id), focal_span_of(key->secret, sizeof key->secret) };
    focal_hash_parts(&h, parts, sizeof parts / sizeof *parts);
    memcpy(out, h.b, 32);
    focal_wipe(&h, sizeof h);
}

void focal_seal_keys(struct seal_keys *keys, const struct focal_store_key *key)
{
    memcpy(keys->id, key->id, sizeof keys->id);
    derive(keys->main, key, "file");
    derive(keys->wal, key, "log");
    derive(keys->header, key, "sums");
}

static size_t label(uint8_t out[LABEL_BYTES + BOUND_BYTES], const struct seal_keys *keys, uint8_t kind, uint64_t number, const uint8_t *bound)
{
    memcpy(out, keys->id, sizeof keys->id);
    out[KIND_AT] = kind;
    focal_put_be64(out + NUMBER_AT, FOCAL_PLANTED(PAGE_AT_ANY_PLACE) ? 0 : number);
    if (!bound)
        return LABEL_BYTES;
    memcpy(out + LABEL_BYTES, bound, BOUND_BYTES);
    return LABEL_BYTES + BOUND_BYTES;
}

static void encrypt(uint8_t *page, const uint8_t key[32], const uint8_t nonce[SEAL_NONCE_BYTES], const uint8_t *about, size_t about_len)
{
    uint8_t *reserved = page + SEAL_CONTENT_BYTES;
    memcpy(reserved, nonce, SEAL_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt_detached(page, reserved + SEAL_NONCE_BYTES, NULL, page, SEAL_CONTENT_BYTES, about, about_len,
                                                        NULL, reserved, key);
}

static bool decrypt(uint8_t *page, const uint8_t key[32], const uint8_t *about, size_t about_len)
{
    uint8_t *reserved = page + SEAL_CONTENT_BYTES;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(page, NULL, page, SEAL_CONTENT_BYTES, reserved + SEAL_NONCE_BYTES, about, about_len,
                                                            reserved, key) != 0)
        return false;
    memset(reserved, 0, SEAL_RESERVED_BYTES);
    return true;
}

void focal_seal_page(const struct seal_keys *keys, uint64_t number, const uint8_t nonce[SEAL_NONCE_BYTES], uint8_t page[SEAL_PAGE_BYTES])
{
    uint8_t about[LABEL_BYTES + BOUND_BYTES];
    encrypt(page, keys->main, nonce, about, label(about, keys, 'P', number, NULL));
}

bool focal_seal_open_page(const struct seal_keys *keys, uint64_t number, uint8_t page[SEAL_PAGE_BYTES])
{
    uint8_t about[LABEL_BYTES + BOUND_BYTES];
    return decrypt(page, keys->main, about, label(about, keys, 'P', number, NULL));
}

static void cover_sums(const struct seal_keys *keys, uint8_t *frame, const uint8_t nonce[SEAL_NONCE_BYTES])
{
    crypto_stream_xchacha20_xor(frame + SUM_AT, frame + SUM_AT, SUM_BYTES, nonce, keys->header);
}

void focal_seal_frame(const struct seal_keys *keys, uint64_t number, const uint8_t nonce[SEAL_NONCE_BYTES], uint8_t frame[SEAL_FRAME_BYTES])
{
    uint8_t about[LABEL_BYTES + BOUND_BYTES];
    encrypt(frame + SEAL_FRAME_HEADER_BYTES, keys->wal, nonce, about, label(about, keys, 'W', number, frame));
    cover_sums(keys, frame, nonce);
}

bool focal_seal_open_frame(const struct seal_keys *keys, uint64_t number, uint8_t frame[SEAL_FRAME_BYTES])
{
    uint8_t about[LABEL_BYTES + BOUND_BYTES], nonce[SEAL_NONCE_BYTES];
    memcpy(nonce, frame + SEAL_FRAME_HEADER_BYTES + SEAL_CONTENT_BYTES, sizeof nonce);
    if (!decrypt(frame + SEAL_FRAME_HEADER_BYTES, keys->wal, about, label(about, keys, 'W', number, frame)))
        return false;
    cover_sums(keys, frame, nonce);
    return true;
}

void focal_seal_stand_in(uint8_t header[SEAL_FILE_HEADER_BYTES])
{
    static const uint8_t begins[24] = { 'S', 'Q', 'L', 'i', 't', 'e', ' ', 'f', 'o', 'r', 'm', 'a', 't', ' ', '3', 0,
        SEAL_PAGE_BYTES >> 8, SEAL_PAGE_BYTES & 0xFF, 2, 2, SEAL_RESERVED_BYTES, 64, 32, 32 };
    memset(header, 0, SEAL_FILE_HEADER_BYTES);
    memcpy(header, begins, sizeof begins);
}
