/* Sealed values: who opens them, and where; and that nothing else does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "focal/crypto.h"

#include <sodium.h>

enum { KEN, HQ, SSD, OFFICES };

static struct { struct focal_node_keys keys[OFFICES]; struct focal_sealed_place place; struct focal_buf sealed, plain; uint8_t random[32]; } t;

static void fill(void *out, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(first + i);
}

static int set_up(void **state)
{
    uint8_t random[96];
    (void)state;
    memset(&t, 0, sizeof t);
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    for (int i = 0; i < OFFICES; i++) {
        fill(random, sizeof random, (uint8_t)(1 + 70 * i));
        focal_node_keys_make(&t.keys[i], random);
    }
    fill(t.random, sizeof t.random, 9);
    fill(&t.place.network, sizeof t.place.network, 20);
    fill(&t.place.record, sizeof t.place.record, 30);
    t.place.field = 2200;
    memcpy(t.place.author.text, "KEN", 4);
    focal_buf_init(&t.sealed, 1 << 15);
    focal_buf_init(&t.plain, 1 << 15);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    focal_buf_close(&t.sealed);
    focal_buf_close(&t.plain);
    return 0;
}

/* To Kenya and headquarters. */
static enum focal_status seal(struct focal_span plain)
{
    const struct focal_key to[] = { t.keys[KEN].open_public, t.keys[HQ].open_public };
    focal_buf_clear(&t.sealed);
    return focal_sealed_seal(&t.sealed, plain, &t.place, to, 2, t.random);
}

static enum focal_status opened(int who, const struct focal_sealed_place *place)
{
    focal_buf_clear(&t.plain);
    enum focal_status st = focal_sealed_open(&t.plain, focal_buf_view(&t.sealed), place, &t.keys[who]);
    if (st != FOCAL_OK)
        assert_int_equal(t.plain.len, 0);
    return st;
}

static void says(int who, struct focal_span plain)
{
    assert_int_equal(opened(who, &t.place), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&t.plain), plain));
}

static bool stands_in(const struct focal_buf *bytes, const void *what, size_t len)
{
    for (size_t i = 0; i + len <= bytes->len; i++)
        if (memcmp(bytes->data + i, what, len) == 0)
            return true;
    return false;
}

static void addressees_open_it(void **state)
{
    (void)state;
    const struct focal_span text = focal_span_text("only to the aunt, after market day");
    assert_int_equal(seal(text), FOCAL_OK);
    says(KEN, text);
    says(HQ, text);
    assert_int_equal(opened(SSD, &t.place), FOCAL_NOT_FOUND);
    for (size_t from = 0; from + 4 <= text.len; from++)
        assert_false(stands_in(&t.sealed, text.data + from, 4));
    for (int i = 0; i < OFFICES; i++)
        assert_false(stands_in(&t.sealed, t.keys[i].open_secret, 32));
}

/* Lengths that fall into one class look alike, and there are few classes. */
static void lengths_are_hidden(void **state)
{
    static uint8_t long_text[9000];
    (void)state;
    fill(long_text, sizeof long_text, 1);
    for (unsigned c = 0; c <= FOCAL_SEALED_CLASS_MAX; c++) {
        const size_t most = focal_sealed_room(c) - 2, least = c ? focal_sealed_room(c - 1) - 1 : 0;
        const size_t lengths[] = { least, (least + most) / 2, most };
        for (int i = 0; i < 3; i++) {
            assert_int_equal(seal(focal_span_of(long_text, lengths[i])), FOCAL_OK);
            assert_int_equal(t.sealed.len, focal_sealed_bytes(most, 2));
            assert_int_equal(t.sealed.len, 67 + 2 * 80 + focal_sealed_room(c) + 16);
            says(HQ, focal_span_of(long_text, lengths[i]));
        }
    }
    assert_int_equal(seal(focal_span_of(long_text, 8191)), FOCAL_TOO_BIG);
    assert_int_equal(t.sealed.len, 0);
    assert_int_equal(focal_sealed_bytes(8191, 1), 0);
}

static void it_belongs_to_its_place(void **state)
{
    (void)state;
    assert_int_equal(seal(focal_span_text("unsafe")), FOCAL_OK);
    for (size_t i = 0; i < 5; i++) {
        struct focal_sealed_place other = t.place;
        if (i == 0)
            other.record.h8[7] ^= 1;
        else if (i == 1)
            other.record.seq++;
        else if (i == 2)
            other.field += 64;
        else if (i == 3)
            memcpy(other.author.text, "SSD", 4);
        else
            other.network.b[0] ^= 1;
        assert_int_equal(opened(KEN, &other), FOCAL_NEVER);
        assert_int_equal(opened(HQ, &other), FOCAL_NEVER);
        assert_int_equal(opened(SSD, &other), FOCAL_NOT_FOUND);
    }
    says(HQ, focal_span_text("unsafe"));
}

/* Every single bit, and every length. */
static void changed_bytes_do_not_open(void **state)
{
    (void)state;
    assert_int_equal(seal(focal_span_text("unsafe")), FOCAL_OK);
    for (size_t bit = 0; bit < 8 * t.sealed.len; bit++) {
        t.sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(opened(KEN, &t.place), FOCAL_OK);
        assert_int_not_equal(opened(HQ, &t.place), FOCAL_OK);
        t.sealed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    const size_t whole = t.sealed.len;
    for (size_t len = 0; len < whole; len++) {
        t.sealed.len = len;
        assert_int_equal(opened(KEN, &t.place), FOCAL_MALFORMED);
    }
    t.sealed.len = whole;
    focal_buf_u8(&t.sealed, 0);
    assert_int_equal(opened(KEN, &t.place), FOCAL_MALFORMED);
    t.sealed.len = whole;
    says(KEN, focal_span_text("unsafe"));
}

/* Pieces of two values for the same place, put together, open nowhere. */
static void pieces_do_not_mix(void **state)
{
    uint8_t one[400], other[400];
    (void)state;
    assert_int_equal(seal(focal_span_text("wanted")), FOCAL_OK);
    memcpy(one, t.sealed.data, t.sealed.len);
    t.random[0] ^= 1;
    assert_int_equal(seal(focal_span_text("unsafe")), FOCAL_OK);
    const size_t len = t.sealed.len, cuts[] = { 3, 35, 67, 67 + 80, 67 + 160 };
    memcpy(other, t.sealed.data, len);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        memcpy(t.sealed.data, one, cuts[i]);
        memcpy(t.sealed.data + cuts[i], other + cuts[i], len - cuts[i]);
        for (int who = KEN; who <= HQ; who++)
            assert_int_equal(opened(who, &t.place), cuts[i] == 3 ? FOCAL_OK : FOCAL_NEVER);     /* their first three bytes are the same */
    }
}

static void addressees_have_one_order(void **state)
{
    (void)state;
    const struct focal_key k = t.keys[KEN].open_public, h = t.keys[HQ].open_public, s = t.keys[SSD].open_public;
    const struct focal_key orders[][5] = { { k, h, s, s, k }, { s, k, h, h, k }, { h, s, k, k, k } };
    uint8_t first[600];
    for (size_t i = 0; i < 3; i++) {
        focal_buf_clear(&t.sealed);
        assert_int_equal(focal_sealed_seal(&t.sealed, focal_span_text("x"), &t.place, orders[i], 5, t.random), FOCAL_OK);
        assert_int_equal(t.sealed.len, focal_sealed_bytes(1, 3));
        if (i == 0)
            memcpy(first, t.sealed.data, t.sealed.len);
        assert_memory_equal(first, t.sealed.data, t.sealed.len);
        for (int who = 0; who < OFFICES; who++)
            says(who, focal_span_text("x"));
    }
}

static void bad_addressees_are_refused(void **state)
{
    (void)state;
    static const struct focal_key low = { { 0 } };       /* a point of low order: anybody could open what is sealed to it */
    struct focal_key many[FOCAL_SEALED_ADDRESSEES_MAX + 1] = { t.keys[KEN].open_public };
    const struct focal_span text = focal_span_text("unsafe");
    focal_buf_text(&t.sealed, "before");
    assert_int_equal(focal_sealed_seal(&t.sealed, text, &t.place, many, 0, t.random), FOCAL_TOO_BIG);
    many[1] = low;
    assert_int_equal(focal_sealed_seal(&t.sealed, text, &t.place, many, 2, t.random), FOCAL_NEVER);
    for (size_t i = 1; i <= FOCAL_SEALED_ADDRESSEES_MAX; i++) {
        uint8_t secret[32];
        fill(secret, sizeof secret, (uint8_t)(100 + i));
        assert_int_equal(crypto_scalarmult_base(many[i].b, secret), 0);
    }
    assert_int_equal(focal_sealed_seal(&t.sealed, text, &t.place, many, FOCAL_SEALED_ADDRESSEES_MAX + 1, t.random), FOCAL_TOO_BIG);
    assert_string_equal(focal_buf_cstr(&t.sealed), "before");
    focal_buf_clear(&t.sealed);
    assert_int_equal(focal_sealed_seal(&t.sealed, text, &t.place, many, FOCAL_SEALED_ADDRESSEES_MAX, t.random), FOCAL_OK);
    says(KEN, text);
}

static void former_keys_open_what_was_sealed_to_them(void **state)
{
    uint8_t random[32];
    (void)state;
    assert_int_equal(seal(focal_span_text("wanted")), FOCAL_OK);
    for (uint8_t i = 0; i < 3; i++) {
        fill(random, sizeof random, (uint8_t)(150 + i));
        assert_int_equal(focal_node_keys_renew_opening(&t.keys[KEN], random), FOCAL_OK);
        says(KEN, focal_span_text("wanted"));
    }
    assert_int_equal(seal(focal_span_text("unsafe")), FOCAL_OK);
    says(KEN, focal_span_text("unsafe"));
    t.keys[KEN].former_count = 0;
    says(KEN, focal_span_text("unsafe"));
    uint8_t first[96];
    fill(first, sizeof first, 1);
    focal_node_keys_make(&t.keys[KEN], first);           /* who has the first key alone does not open the second value */
    assert_int_equal(opened(KEN, &t.place), FOCAL_NOT_FOUND);
}

/* Chance that comes twice, as on a machine that was copied while it ran, must not give one key stream to two values. */
static void chance_that_comes_twice_is_survived(void **state)
{
    uint8_t one[400], *two;
    struct focal_sealed a, b;
    (void)state;
    assert_int_equal(seal(focal_span_text("wanted")), FOCAL_OK);
    memcpy(one, t.sealed.data, t.sealed.len);
    assert_int_equal(focal_sealed_decode(&a, focal_span_of(one, t.sealed.len)), FOCAL_OK);
    for (int i = 0; i < 3; i++) {
        const struct focal_sealed_place was = t.place;
        const struct focal_key to[] = { t.keys[KEN].open_public, t.keys[SSD].open_public };
        if (i == 0)
            assert_int_equal(seal(focal_span_text("wantes")), FOCAL_OK);
        if (i == 1) {
            t.place.field += 64;
            assert_int_equal(seal(focal_span_text("wanted")), FOCAL_OK);
        }
        if (i == 2) {
            focal_buf_clear(&t.sealed);
            assert_int_equal(focal_sealed_seal(&t.sealed, focal_span_text("wanted"), &t.place, to, 2, t.random), FOCAL_OK);
        }
        two = t.sealed.data;
        assert_int_equal(focal_sealed_decode(&b, focal_buf_view(&t.sealed)), FOCAL_OK);
        assert_memory_not_equal(a.ephemeral, b.ephemeral, 32);
        assert_memory_not_equal(a.commitment, b.commitment, 32);
        assert_true(two == t.sealed.data);
        size_t alike = 0;               /* zeroes pad both: one key stream would show them */
        for (size_t k = 0; k < a.body.len; k++)
            alike += a.body.data[k] == b.body.data[k];
        assert_true(alike < 8);
        t.place = was;
    }
    assert_int_equal(seal(focal_span_text("wanted")), FOCAL_OK);
    assert_memory_equal(one, t.sealed.data, t.sealed.len);
}

/* ---- values that a bad author made ---- */

/* What focal_sealed_seal does, step by step from the description of the form, with another key or padding where asked. */
static void seal_by_hand(const uint8_t *body, size_t size_class, const uint8_t key_ken[32], const uint8_t key_hq[32], const uint8_t committed[32])
{
    const size_t room = focal_sealed_room((unsigned)size_class);
    const int first = memcmp(t.keys[KEN].open_public.b, t.keys[HQ].open_public.b, 32) < 0 ? KEN : HQ;
    uint8_t record[32], field[8], derived[32], eph_public[32];
    struct focal_hash place;
    struct focal_buf ad;
    focal_ref_put(record, &t.place.record);
    focal_put_be64(field, t.place.field);
    const struct focal_span parts[] = { focal_span_text("focal sealed 1"), focal_span_of(t.place.network.b, 32), focal_span_of(record, 32),
                                        focal_span_of(field, 8), focal_span_text(t.place.author.text) };
    focal_hash_parts(&place, parts, 5);
    focal_buf_clear(&t.sealed);
    focal_buf_u8(&t.sealed, 1);
    focal_buf_u8(&t.sealed, 2);
    focal_buf_u8(&t.sealed, (uint8_t)size_class);
    assert_int_equal(crypto_scalarmult_base(eph_public, t.random), 0);
    focal_buf_bytes(&t.sealed, eph_public, 32);
    uint8_t said[64] = "focal sealed commitment 1";
    memcpy(said + 25, place.b, 32);
    focal_blake2b(derived, 32, focal_span_of(committed, 32), focal_span_of(said, 57));
    focal_buf_bytes(&t.sealed, derived, 32);
    for (int i = 0; i < 2; i++) {
        const int who = i ? KEN + HQ - first : first;
        struct focal_buf box;
        focal_buf_init(&box, 128);
        assert_int_equal(focal_box_seal(&box, focal_span_of(who == KEN ? key_ken : key_hq, 32), &t.keys[who].open_public, t.random), FOCAL_OK);
        focal_buf_bytes(&t.sealed, t.keys[who].open_public.b, 32);
        focal_buf_bytes(&t.sealed, box.data + 32, 48);
        focal_buf_close(&box);
    }
    focal_buf_init(&ad, 1024);
    focal_buf_bytes(&ad, place.b, 32);
    focal_buf_span(&ad, focal_buf_view(&t.sealed));
    uint8_t said_body[64] = "focal sealed body 1", zero[24] = { 0 };
    memcpy(said_body + 19, place.b, 32);
    focal_blake2b(derived, 32, focal_span_of(key_hq, 32), focal_span_of(said_body, 51));
    uint8_t *to = focal_buf_reserve(&t.sealed, room + 16);
    assert_non_null(to);
    crypto_aead_xchacha20poly1305_ietf_encrypt(to, NULL, body, room, ad.data, ad.len, NULL, zero, derived);
    focal_buf_close(&ad);
}

static void the_form_is_as_described(void **state)
{
    uint8_t key[32], body[32] = { 0, 6, 'u', 'n', 's', 'a', 'f', 'e' };
    (void)state;
    fill(key, sizeof key, 60);
    seal_by_hand(body, 0, key, key, key);
    says(KEN, focal_span_text("unsafe"));
    says(HQ, focal_span_text("unsafe"));
}

/* One wrapped key to each addressee would let an author tell each of them something else. */
static void all_addressees_read_the_same(void **state)
{
    uint8_t key[32], other[32], body[32] = { 0, 6, 'u', 'n', 's', 'a', 'f', 'e' };
    (void)state;
    fill(key, sizeof key, 60);
    fill(other, sizeof other, 61);
    seal_by_hand(body, 0, other, key, key);
    says(HQ, focal_span_text("unsafe"));
    assert_int_equal(opened(KEN, &t.place), FOCAL_NEVER);
    seal_by_hand(body, 0, key, key, other);              /* the AEAD alone would open this one */
    assert_int_equal(opened(HQ, &t.place), FOCAL_NEVER);
    assert_int_equal(opened(KEN, &t.place), FOCAL_NEVER);
}

/* The padding has one form: in it nothing can be hidden. */
static void padding_has_one_form(void **state)
{
    static const struct { size_t size_class; uint8_t body[64]; enum focal_status status; } cases[] = {
        { 0, { 0, 30, [31] = 7 }, FOCAL_OK }, { 0, { 0, 0 }, FOCAL_OK }, { 0, { 0, 31, 1 }, FOCAL_NEVER }, { 0, { 1, 0 }, FOCAL_NEVER },
        { 0, { 255, 255 }, FOCAL_NEVER }, { 0, { 0, 1, 'x', 1 }, FOCAL_NEVER }, { 0, { 0, 1, 'x', [31] = 1 }, FOCAL_NEVER },
        { 1, { 0, 31, 1 }, FOCAL_OK }, { 1, { 0, 62, 1 }, FOCAL_OK }, { 1, { 0, 30, 1 }, FOCAL_NEVER }, { 1, { 0, 0 }, FOCAL_NEVER },
        { 1, { 0, 63, 1 }, FOCAL_NEVER },
    };
    uint8_t key[32];
    (void)state;
    fill(key, sizeof key, 60);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seal_by_hand(cases[i].body, cases[i].size_class, key, key, key);
        if (opened(HQ, &t.place) != cases[i].status)
            fail_msg("case %zu", i);
    }
}

/* Without memory nothing comes out, and nothing is left of what was begun. */
static void no_memory_is_said(void **state)
{
    (void)state;
    const struct focal_key to[] = { t.keys[KEN].open_public };
    const size_t whole = focal_sealed_bytes(6, 1);
    for (size_t limit = 0; limit <= whole; limit++) {
        struct focal_buf small;
        focal_buf_init(&small, limit);
        enum focal_status st = focal_sealed_seal(&small, focal_span_text("unsafe"), &t.place, to, 1, t.random);
        assert_int_equal(st, limit < whole ? FOCAL_NO_MEMORY : FOCAL_OK);
        assert_int_equal(small.len, limit < whole ? 0 : whole);
        focal_buf_close(&small);
    }
    assert_int_equal(seal(focal_span_text("unsafe")), FOCAL_OK);
    struct focal_buf small;
    focal_buf_init(&small, 5);
    assert_int_equal(focal_sealed_open(&small, focal_buf_view(&t.sealed), &t.place, &t.keys[HQ]), FOCAL_NO_MEMORY);
    focal_buf_close(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(addressees_open_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_are_hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_belongs_to_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_bytes_do_not_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces_do_not_mix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(addressees_have_one_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_addressees_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(former_keys_open_what_was_sealed_to_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(chance_that_comes_twice_is_survived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_form_is_as_described, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_addressees_read_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(padding_has_one_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_memory_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
