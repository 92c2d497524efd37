/* Sealed values. The first byte chooses:
 *   0, 1   the rest is a value, that office 0 or 1 decodes and opens: only what was really sealed for the place does
 *   other  the rest is sealed and opened; then one bit of it, which the first byte chooses, is turned */
#include "fuzz.h"

#include "focal/crypto.h"

#include <string.h>

enum { OFFICES = 2, GENUINE = 4, ROOM = 32 << 10 };

static struct { bool made; struct focal_node_keys keys[OFFICES]; struct focal_sealed_place place; struct focal_buf genuine[GENUINE]; size_t offices[GENUINE]; } all;

static enum focal_status seal(struct focal_buf *out, struct focal_span plain, size_t offices, uint8_t first)
{
    struct focal_key to[OFFICES];
    uint8_t random[32];
    for (size_t i = 0; i < OFFICES; i++)
        to[i] = all.keys[i].open_public;
    memset(random, first, sizeof random);
    return focal_sealed_seal(out, plain, &all.place, to, offices, random);
}

static void make(void)
{
    static const struct { const char *text; size_t offices; uint8_t first; } made[GENUINE] = {
        { "", 2, 0 }, { "unsafe", 2, 1 }, { "to the aunt alone, and never by telephone; on market days", 2, 2 }, { "one", 1, 9 } };
    focal_assert(focal_crypto_init() == FOCAL_OK);
    for (size_t i = 0; i < OFFICES; i++) {
        uint8_t random[96];
        for (size_t k = 0; k < sizeof random; k++)
            random[k] = (uint8_t)(1 + i * 100 + k);
        focal_node_keys_make(&all.keys[i], random);
    }
    all.place = (struct focal_sealed_place){ .field = 2200, .author = { "KEN" } };
    for (size_t i = 0; i < GENUINE; i++) {
        focal_buf_init(&all.genuine[i], ROOM);
        focal_assert(seal(&all.genuine[i], focal_span_text(made[i].text), made[i].offices, made[i].first) == FOCAL_OK);
        all.offices[i] = made[i].offices;
    }
    all.made = true;
}

static void take(struct focal_span value, size_t who)
{
    struct focal_sealed s;
    struct focal_buf plain;
    focal_buf_init(&plain, ROOM);
    enum focal_status decoded = focal_sealed_decode(&s, value), st = focal_sealed_open(&plain, value, &all.place, &all.keys[who]);
    if (decoded == FOCAL_OK) {
        focal_assert(s.before.len + s.body.len == value.len && s.body.len == s.room + FOCAL_SEALED_TAG_BYTES);
        focal_assert(focal_sealed_bytes(s.room - 2, s.addressees) == value.len);
        for (size_t i = 0; i < s.addressees; i++)
            focal_assert(focal_sealed_wrap(&s, i) + FOCAL_SEALED_WRAP_BYTES <= s.before.data + s.before.len);
        focal_assert(st == FOCAL_OK || st == FOCAL_NOT_FOUND || st == FOCAL_NEVER);
    } else {
        focal_assert(st == decoded);
    }
    bool genuine = false;
    for (size_t i = 0; i < GENUINE; i++)
        genuine = genuine || (who < all.offices[i] && focal_span_equal(value, focal_buf_view(&all.genuine[i])));
    focal_assert((st == FOCAL_OK) == genuine && (genuine || plain.len == 0));
    focal_buf_close(&plain);
}

static void round_trip(struct focal_span plain, uint8_t choice)
{
    struct focal_buf sealed, back;
    focal_buf_init(&sealed, ROOM);
    focal_buf_init(&back, ROOM);
    const size_t offices = 1 + choice % OFFICES;
    enum focal_status st = seal(&sealed, plain, offices, choice);
    focal_assert((st == FOCAL_OK) == (focal_sealed_bytes(plain.len, offices) != 0) && (st == FOCAL_OK || st == FOCAL_TOO_BIG));
    if (st == FOCAL_OK) {
        focal_assert(sealed.len == focal_sealed_bytes(plain.len, offices));
        focal_assert(focal_sealed_open(&back, focal_buf_view(&sealed), &all.place, &all.keys[offices - 1]) == FOCAL_OK);
        focal_assert(focal_span_equal(focal_buf_view(&back), plain));
        const size_t bit = (size_t)choice * 0x9E3779B1u % (8 * sealed.len);
        sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        focal_buf_clear(&back);
        focal_assert(focal_sealed_open(&back, focal_buf_view(&sealed), &all.place, &all.keys[offices - 1]) != FOCAL_OK && back.len == 0);
    }
    focal_buf_close(&sealed);
    focal_buf_close(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!all.made)
        make();
    if (len == 0 || len > ROOM / 2)
        return 0;
    if (data[0] < OFFICES)
        take(focal_span_of(data + 1, len - 1), data[0]);
    else
        round_trip(focal_span_of(data + 1, len - 1), data[0]);
    return 0;
}
