/* Sealed values: one data key, in a sealed box for each addressee, and the padded value under it.
 *
 *   place      = H("focal sealed 1", network, record, field, author's code)
 *   e, k       = BLAKE2b-512(key: random; place, addressees, plain): ephemeral secret, data key. So chance that comes twice,
 *                as after a copied machine, seals two values under two keys; only equal values look equal then.
 *   wrapped    = the sealed box of k for an addressee, without its first 32 bytes, which are the ephemeral key of all of them
 *   commitment = BLAKE2b-256(key: k; "focal sealed commitment 1" place)
 *   body       = XChaCha20-Poly1305 under BLAKE2b-256(key: k; "focal sealed body 1" place), nonce zero for there is one body
 *                to a key, over: length 2, plain, zeroes; with it goes, as associated data: place, and all that stands before
 * An AEAD alone commits to no key: its bytes can be made to open under two keys to two different texts. The commitment is what
 * lets no author tell one thing to one addressee and another to the next. */
#include "box.h"

#include "focal/base_plant.h"

#include <sodium.h>
#include <string.h>

enum { AEAD_TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES, DATA_KEY = 32 };
_Static_assert(AEAD_TAG == FOCAL_SEALED_TAG_BYTES, "the form has room for it");
_Static_assert(FOCAL_SEALED_WRAP_BYTES == DATA_KEY + crypto_box_MACBYTES, "a sealed box without its ephemeral key");
static const uint8_t no_nonce[crypto_aead_xchacha20poly1305_ietf_NPUBBYTES];

static void place_hash(struct focal_hash *out, const struct focal_sealed_place *place)
{
    uint8_t record[FOCAL_REF_BYTES], field[8];
    focal_ref_put(record, &place->record);
    focal_put_be64(field, place->field);
    const struct focal_span parts[] = {
        focal_span_text("focal sealed 1"), focal_span_of(place->network.b, sizeof place->network.b),
        focal_span_of(record, sizeof record), focal_span_of(field, sizeof field),
        focal_span_text(FOCAL_PLANTED(SEALED_WITHOUT_AUTHOR) ? "" : place->author.text)
    };
    focal_hash_parts(out, parts, sizeof parts / sizeof *parts);
}

static void derive(uint8_t out[32], const uint8_t data_key[DATA_KEY], const char *what, const struct focal_hash *place)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, data_key, DATA_KEY, 32);
    crypto_generichash_blake2b_update(&state, (const uint8_t *)what, strlen(what));
    crypto_generichash_blake2b_update(&state, place->b, sizeof place->b);
    crypto_generichash_blake2b_final(&state, out, 32);
    sodium_memzero(&state, sizeof state);
}

/* ---- sealing ---- */

/* What a value is sealed with; wiped after use. */
struct sealing {
    struct focal_hash place;
    struct focal_key to[FOCAL_SEALED_ADDRESSEES_MAX]; size_t to_count;      /* sorted, each once */
    uint8_t keys[32 + DATA_KEY];        /* ephemeral secret, data key */
};

static bool take_addressees(struct sealing *s, const struct focal_key *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        int order = 1;
        while (at < s->to_count && (order = memcmp(s->to[at].b, to[i].b, 32)) < 0)
            at++;
        if (at < s->to_count && order == 0)
            continue;
        if (s->to_count == FOCAL_SEALED_ADDRESSEES_MAX)
            return false;
        memmove(&s->to[at + 1], &s->to[at], (s->to_count - at) * sizeof s->to[0]);
        s->to[at] = to[i];
        s->to_count++;
    }
    return s->to_count > 0;
}

static void draw_keys(struct sealing *s, struct focal_span plain, const uint8_t random[32])
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, random, 32, sizeof s->keys);
    crypto_generichash_blake2b_update(&state, s->place.b, sizeof s->place.b);
    for (size_t i = 0; i < s->to_count; i++)
        crypto_generichash_blake2b_update(&state, s->to[i].b, sizeof s->to[i].b);
    if (plain.len > 0)
        crypto_generichash_blake2b_update(&state, plain.data, plain.len);
    crypto_generichash_blake2b_final(&state, s->keys, sizeof s->keys);
    sodium_memzero(&state, sizeof state);
}

static enum focal_status put_wraps(struct focal_buf *out, const struct sealing *s)
{
    struct focal_buf box;
    enum focal_status st = FOCAL_OK;
    focal_buf_init(&box, 128);
    for (size_t i = 0; i < s->to_count && st == FOCAL_OK; i++) {
        focal_buf_clear(&box);
        st = focal_box_seal(&box, focal_span_of(s->keys + 32, DATA_KEY), &s->to[i], s->keys);
        if (st != FOCAL_OK)
            break;
        focal_assert(box.len == 32 + FOCAL_SEALED_WRAP_BYTES);
        focal_buf_bytes(out, s->to[i].b, 32);
        focal_buf_bytes(out, box.data + 32, FOCAL_SEALED_WRAP_BYTES);
    }
    focal_buf_wipe_close(&box);
    return st;
}

static void associate(struct focal_buf *ad, const struct focal_hash *place, struct focal_span before)
{
    focal_buf_init(ad, 1024);
    focal_buf_bytes(ad, place->b, sizeof place->b);
    focal_buf_span(ad, before);
}

/* Padded in place, then encrypted in place. */
static enum focal_status put_body(struct focal_buf *out, size_t start, const struct sealing *s, struct focal_span plain, size_t room)
{
    struct focal_buf ad;
    uint8_t key[32];
    associate(&ad, &s->place, focal_span_of(out->data + start, out->len - start));
    uint8_t *body = ad.failed ? NULL : focal_buf_reserve(out, room + AEAD_TAG);
    if (body) {
        memset(body, 0, room + AEAD_TAG);
        body[0] = (uint8_t)(plain.len >> 8);
        body[1] = (uint8_t)plain.len;
        if (plain.len > 0)
            memcpy(body + 2, plain.data, plain.len);
        derive(key, s->keys + 32, "focal sealed body 1", &s->place);
        crypto_aead_xchacha20poly1305_ietf_encrypt(body, NULL, body, room, ad.data, ad.len, NULL, no_nonce, key);
        sodium_memzero(key, sizeof key);
    }
    focal_buf_close(&ad);
    return body ? FOCAL_OK : FOCAL_NO_MEMORY;
}

static enum focal_status seal(struct focal_buf *out, struct sealing *s, struct focal_span plain)
{
    const size_t start = out->len;
    uint8_t size_class = 0, bytes[32];
    while (plain.len + 2 > focal_sealed_room(size_class))
        size_class++;
    focal_buf_u8(out, FOCAL_SEALED_VERSION);
    focal_buf_u8(out, (uint8_t)s->to_count);
    focal_buf_u8(out, size_class);
    int failed = crypto_scalarmult_base(bytes, s->keys);
    focal_assert(failed == 0);
    focal_buf_bytes(out, bytes, sizeof bytes);
    derive(bytes, s->keys + 32, "focal sealed commitment 1", &s->place);
    focal_buf_bytes(out, bytes, sizeof bytes);
    enum focal_status st = put_wraps(out, s);
    if (st == FOCAL_OK && out->failed)
        st = FOCAL_NO_MEMORY;
    return st == FOCAL_OK ? put_body(out, start, s, plain, focal_sealed_room(size_class)) : st;
}

enum focal_status focal_sealed_seal(struct focal_buf *out, struct focal_span plain, const struct focal_sealed_place *place,
                                    const struct focal_key *to, size_t to_count, const uint8_t random[32])
{
    struct sealing s = { .to_count = 0 };
    const size_t start = out->len;
    if (!take_addressees(&s, to, to_count) || focal_sealed_bytes(plain.len, s.to_count) == 0)
        return FOCAL_TOO_BIG;
    place_hash(&s.place, place);
    draw_keys(&s, plain, random);
    enum focal_status st = seal(out, &s, plain);
    sodium_memzero(&s, sizeof s);
    if (st != FOCAL_OK) {
        if (out->len > start)
            sodium_memzero(out->data + start, out->len - start);
        focal_buf_truncate(out, start);
    }
    return st;
}

/* ---- opening ---- */

static const uint8_t *secret_of(const struct focal_node_keys *keys, const uint8_t public[32], struct focal_key *found)
{
    memcpy(found->b, public, 32);
    if (memcmp(keys->open_public.b, public, 32) == 0)
        return keys->open_secret;
    for (size_t i = 0; i < keys->former_count; i++)
        if (memcmp(keys->former_public[i].b, public, 32) == 0)
            return keys->former_secret[i];
    return NULL;
}

static enum focal_status unwrap(uint8_t data_key[DATA_KEY], const struct focal_sealed *sealed, size_t i, const struct focal_key *public, const uint8_t secret[32])
{
    struct focal_buf box, opened;
    focal_buf_init(&box, 128);
    focal_buf_init(&opened, 64);
    focal_buf_bytes(&box, sealed->ephemeral, 32);
    focal_buf_bytes(&box, focal_sealed_wrap(sealed, i), FOCAL_SEALED_WRAP_BYTES);
    enum focal_status st = box.failed ? FOCAL_NO_MEMORY : focal_box_open_by(&opened, focal_buf_view(&box), public, secret);
    if (st == FOCAL_OK)
        memcpy(data_key, opened.data, DATA_KEY);
    focal_buf_close(&box);
    focal_buf_wipe_close(&opened);
    return st;
}

/* The value without its padding, which has one form. */
static enum focal_status take_plain(struct focal_buf *out, const uint8_t *body, size_t room)
{
    const size_t len = (size_t)body[0] << 8 | body[1];
    if (len + 2 > room || !focal_bytes_zero(body + 2 + len, room - 2 - len) || (room > FOCAL_SEALED_ROOM_LEAST && len + 2 <= room / 2))
        return FOCAL_NEVER;
    focal_buf_bytes(out, body + 2, len);
    return out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
}

static enum focal_status open_body(struct focal_buf *out, const struct focal_sealed *sealed, const struct focal_hash *place, const uint8_t data_key[DATA_KEY])
{
    struct focal_buf ad, body;
    uint8_t key[32];
    derive(key, data_key, "focal sealed commitment 1", place);
    if (!FOCAL_PLANTED(SEALED_TO_EACH_HIS_OWN) && !focal_secret_equal(key, sealed->commitment, sizeof key))
        return FOCAL_NEVER;
    derive(key, data_key, "focal sealed body 1", place);
    associate(&ad, place, sealed->before);
    focal_buf_init(&body, sealed->room);
    uint8_t *plain = ad.failed ? NULL : focal_buf_reserve(&body, sealed->room);
    enum focal_status st = plain ? FOCAL_OK : FOCAL_NO_MEMORY;
    if (st == FOCAL_OK && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed->body.data, sealed->body.len, ad.data, ad.len, no_nonce, key) != 0)
        st = FOCAL_NEVER;
    if (st == FOCAL_OK)
        st = take_plain(out, plain, sealed->room);
    sodium_memzero(key, sizeof key);
    focal_buf_close(&ad);
    focal_buf_wipe_close(&body);
    return st;
}

enum focal_status focal_sealed_open(struct focal_buf *out, struct focal_span value, const struct focal_sealed_place *place,
                                    const struct focal_node_keys *keys)
{
    struct focal_sealed sealed;
    struct focal_hash where;
    enum focal_status st = focal_sealed_decode(&sealed, value);
    if (st != FOCAL_OK)
        return st;
    place_hash(&where, place);
    st = FOCAL_NOT_FOUND;
    for (size_t i = 0; i < sealed.addressees && st == FOCAL_NOT_FOUND; i++) {
        struct focal_key public;
        uint8_t data_key[DATA_KEY];
        const uint8_t *secret = secret_of(keys, focal_sealed_to(&sealed, i), &public);
        if (!secret)
            continue;
        st = unwrap(data_key, &sealed, i, &public, secret);
        if (st == FOCAL_OK)
            st = open_body(out, &sealed, &where, data_key);
        sodium_memzero(data_key, sizeof data_key);
    }
    return st;
}
