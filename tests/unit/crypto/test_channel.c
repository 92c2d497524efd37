/* The handshake against somebody hostile, the candidates of message 3, and a channel that lives long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include <sodium.h>

#include "focal/crypto.h"

struct pair {
    struct focal_noise a, b;            /* a dials */
    uint8_t a_static[32], b_static[32], psk[32];
    struct focal_key b_public;
    struct focal_buf message, payload;
};

static void keys_of(uint8_t secret[32], struct focal_key *public, uint8_t first)
{
    struct focal_node_keys keys;
    uint8_t random[96];
    memset(random, first, sizeof random);
    focal_node_keys_make(&keys, random);
    memcpy(secret, keys.channel_secret, 32);
    *public = keys.channel_public;
}

static void pair_open(struct pair *p, bool b_knows_psk)
{
    uint8_t e[2][32];
    struct focal_key unused;
    memset(p, 0, sizeof *p);
    keys_of(p->a_static, &unused, 1);
    keys_of(p->b_static, &p->b_public, 2);
    memset(e[0], 3, 32);
    memset(e[1], 4, 32);
    memset(p->psk, 5, 32);
    const struct focal_span prologue = focal_span_text("focal");
    focal_noise_init(&p->a, FOCAL_NOISE_XKpsk3, true, prologue, p->a_static, &p->b_public, e[0], p->psk);
    focal_noise_init(&p->b, FOCAL_NOISE_XKpsk3, false, prologue, p->b_static, NULL, e[1], b_knows_psk ? p->psk : NULL);
    focal_buf_init(&p->message, 1 << 20);
    focal_buf_init(&p->payload, 1 << 20);
}

static void pair_close(struct pair *p)
{
    focal_buf_close(&p->message);
    focal_buf_close(&p->payload);
}

static const struct focal_span none = { NULL, 0 };

/* Messages 1 and 2 delivered, message 3 written and in p->message. */
static void to_message_3(struct pair *p, struct focal_span payload)
{
    assert_int_equal(focal_noise_write(&p->a, &p->message, none), FOCAL_OK);
    assert_int_equal(p->message.len, 48);
    assert_int_equal(focal_noise_read(&p->b, &p->payload, focal_buf_view(&p->message)), FOCAL_OK);
    focal_buf_clear(&p->message);
    assert_int_equal(focal_noise_write(&p->b, &p->message, none), FOCAL_OK);
    assert_int_equal(p->message.len, 48);
    assert_int_equal(focal_noise_read(&p->a, &p->payload, focal_buf_view(&p->message)), FOCAL_OK);
    focal_buf_clear(&p->message);
    assert_int_equal(focal_noise_write(&p->a, &p->message, payload), FOCAL_OK);
    assert_int_equal(p->message.len, 64 + payload.len);
    assert_true(focal_noise_done(&p->a));
}

static void channels_of(struct pair *p, struct focal_channel *a, struct focal_channel *b)
{
    pair_open(p, true);
    to_message_3(p, none);
    assert_int_equal(focal_noise_read(&p->b, &p->payload, focal_buf_view(&p->message)), FOCAL_OK);
    focal_channel_open(a, &p->a);
    focal_channel_open(b, &p->b);
    assert_true(focal_hash_equal(&a->handshake, &b->handshake));
    focal_buf_clear(&p->message);
}

static void candidates(void **state)
{
    (void)state;
    uint8_t psks[5][32];
    for (size_t right = 0; right <= 5; right++) {
        struct pair p;
        struct focal_channel a, b;
        struct focal_key seen, own;
        size_t which = 99;
        pair_open(&p, false);
        for (size_t i = 0; i < 5; i++)
            memset(psks[i], i == right ? 5 : (int)(100 + i), 32);
        to_message_3(&p, none);
        assert_true(focal_noise_peek_static(&p.b, &seen, focal_buf_view(&p.message)));
        keys_of(p.a_static, &own, 1);
        assert_true(focal_key_equal(&seen, &own));
        assert_false(focal_noise_done(&p.b));       /* peeking moves nothing */
        enum focal_status status = focal_noise_read_candidates(&p.b, &which, (const uint8_t (*)[32])psks, 5,
                                                               focal_buf_view(&p.message));
        if (right == 5) {
            assert_int_equal(status, FOCAL_NEVER);
            assert_int_equal(which, 99);
            assert_false(focal_noise_done(&p.b));
        } else {
            assert_int_equal(status, FOCAL_OK);
            assert_int_equal(which, right);
            assert_true(focal_noise_done(&p.b));
            assert_true(focal_key_equal(&p.b.rs, &own));
            focal_channel_open(&a, &p.a);
            focal_channel_open(&b, &p.b);
            assert_true(focal_hash_equal(&a.handshake, &b.handshake));
            assert_memory_equal(a.send.key, b.receive.key, 32);
            assert_memory_equal(b.send.key, a.receive.key, 32);
            assert_memory_not_equal(a.send.key, a.receive.key, 32);
        }
        pair_close(&p);
    }
}

static void no_candidates(void **state)
{
    (void)state;
    struct pair p;
    size_t which;
    pair_open(&p, false);
    to_message_3(&p, none);
    assert_int_equal(focal_noise_read_candidates(&p.b, &which, NULL, 0, focal_buf_view(&p.message)), FOCAL_NEVER);
    pair_close(&p);
    /* Too early: message 2 was never written. */
    pair_open(&p, false);
    assert_int_equal(focal_noise_read_candidates(&p.b, &which, NULL, 0, none), FOCAL_NEVER);
    pair_close(&p);
}

/* Nobody would look at it, so a frame with one has two forms. */
static void no_payload_behind_candidates(void **state)
{
    (void)state;
    struct pair p;
    size_t which;
    uint8_t psk[1][32];
    memset(psk, 5, sizeof psk);
    pair_open(&p, false);
    to_message_3(&p, focal_span_text("more to come"));
    assert_int_equal(focal_noise_read_candidates(&p.b, &which, (const uint8_t (*)[32])psk, 1, focal_buf_view(&p.message)), FOCAL_NEVER);
    assert_false(focal_noise_done(&p.b));
    pair_close(&p);
}

/* Every byte of every message counts, and so does its length. */
static void tampering(void **state)
{
    (void)state;
    for (size_t m = 0; m < 3; m++) {
        for (size_t i = 0; i <= 64; i++) {
            struct pair p;
            pair_open(&p, true);
            struct focal_noise *from[] = { &p.a, &p.b, &p.a }, *to[] = { &p.b, &p.a, &p.b };
            for (size_t k = 0; k <= m; k++) {
                focal_buf_clear(&p.message);
                assert_int_equal(focal_noise_write(from[k], &p.message, none), FOCAL_OK);
                if (k < m)
                    assert_int_equal(focal_noise_read(to[k], &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
            }
            const size_t len = p.message.len;
            struct focal_noise copy = *to[m];
            if (i < len) {
                p.message.data[i] ^= 0x40;
                assert_int_equal(focal_noise_read(&copy, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
                p.message.data[i] ^= 0x40;
                copy = *to[m];
                assert_int_equal(focal_noise_read(&copy, &p.payload, focal_span_of(p.message.data, i)), FOCAL_NEVER);
                assert_false(focal_noise_done(&copy));
                /* Once broken, always broken. */
                assert_int_equal(focal_noise_read(&copy, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
                assert_int_equal(focal_noise_write(&copy, &p.payload, none), FOCAL_NEVER);
            } else {
                focal_buf_u8(&p.message, 0);
                assert_int_equal(focal_noise_read(&copy, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
            }
            assert_int_equal(p.payload.len, 0);
            pair_close(&p);
        }
    }
}

/* A frame with any one of its bits turned is none, whichever number it has; the right one then still fits. */
static void every_bit_of_a_frame(void **state)
{
    (void)state;
    struct pair p;
    struct focal_channel a, b;
    struct focal_buf plain;
    static const uint8_t said[129] = { 1, 2, 3 };
    channels_of(&p, &a, &b);
    focal_buf_init(&plain, 1 << 16);
    for (size_t len = 0; len <= sizeof said; len += 43) {
        focal_buf_clear(&p.message);
        focal_buf_clear(&plain);
        assert_int_equal(focal_channel_seal(&a, &p.message, focal_span_of(said, len)), FOCAL_OK);
        for (size_t bit = 0; bit < 8 * p.message.len; bit++) {
            p.message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(focal_channel_unseal(&b, &plain, focal_buf_view(&p.message)), FOCAL_NEVER);
            assert_int_equal(plain.len, 0);
            p.message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(focal_channel_unseal(&b, &plain, focal_buf_view(&p.message)), FOCAL_OK);
        assert_int_equal(plain.len, len);
    }
    focal_buf_close(&plain);
    pair_close(&p);
}

/* The same of the three messages before, as each end reads them. */
static void every_bit_of_a_handshake(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, true);
    struct focal_noise *from[] = { &p.a, &p.b, &p.a }, *to[] = { &p.b, &p.a, &p.b };
    for (size_t m = 0; m < 3; m++) {
        focal_buf_clear(&p.message);
        assert_int_equal(focal_noise_write(from[m], &p.message, none), FOCAL_OK);
        for (size_t bit = 0; bit < 8 * p.message.len; bit++) {
            struct focal_noise copy = *to[m];
            size_t which = 9;
            p.message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(focal_noise_read(&copy, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
            copy = *to[m];
            if (m == 2)
                assert_int_equal(focal_noise_read_candidates(&copy, &which, (const uint8_t (*)[32])&p.psk, 1, focal_buf_view(&p.message)), FOCAL_NEVER);
            p.message.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(focal_noise_read(to[m], &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    }
    pair_close(&p);
}

static void other_worlds(void **state)
{
    (void)state;
    struct pair p;
    struct focal_hash n1 = { { 1 } }, n2 = { { 2 } };
    uint8_t prologue[2][37], e[32];
    memset(e, 8, 32);
    focal_prologue(prologue[0], &n1);
    focal_prologue(prologue[1], &n2);
    pair_open(&p, true);
    focal_noise_init(&p.a, FOCAL_NOISE_XKpsk3, true, focal_span_of(prologue[0], 37), p.a_static, &p.b_public, e, p.psk);
    focal_noise_init(&p.b, FOCAL_NOISE_XKpsk3, false, focal_span_of(prologue[1], 37), p.b_static, NULL, e, p.psk);
    assert_int_equal(focal_noise_write(&p.a, &p.message, none), FOCAL_OK);
    assert_int_equal(focal_noise_read(&p.b, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
    pair_close(&p);
    /* Read out of turn: the dialler is sent something before it spoke. */
    pair_open(&p, true);
    uint8_t junk[48] = { 9 };
    assert_int_equal(focal_noise_read(&p.a, &p.payload, focal_span_of(junk, sizeof junk)), FOCAL_NEVER);
    pair_close(&p);
}

static void low_order_keys(void **state)
{
    (void)state;
    static const uint8_t low[][32] = {
        { 0 }, { 1 },
        { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
          0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
    };
    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        struct focal_key key;
        uint8_t message[48] = { 0 };
        pair_open(&p, true);
        memcpy(message, low[i], 32);
        assert_int_equal(focal_noise_read(&p.b, &p.payload, focal_span_of(message, sizeof message)), FOCAL_NEVER);
        memcpy(key.b, low[i], 32);
        focal_noise_init(&p.a, FOCAL_NOISE_XKpsk3, true, none, p.a_static, &key, p.psk, p.psk);
        assert_int_equal(focal_noise_write(&p.a, &p.message, none), FOCAL_NEVER);
        assert_int_equal(p.message.len, 0);
        pair_close(&p);
    }
}

static void big_and_small_handshake_payloads(void **state)
{
    (void)state;
    static uint8_t zeroes[FOCAL_NOISE_MAX];
    struct pair p;
    pair_open(&p, true);
    to_message_3(&p, focal_span_of(zeroes, FOCAL_NOISE_MAX - 64));
    assert_int_equal(focal_noise_read(&p.b, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    assert_int_equal(p.payload.len, FOCAL_NOISE_MAX - 64);
    pair_close(&p);
    pair_open(&p, true);
    assert_int_equal(focal_noise_write(&p.a, &p.message, focal_span_of(zeroes, FOCAL_NOISE_MAX - 47)), FOCAL_TOO_BIG);
    assert_int_equal(p.message.len, 0);
    pair_close(&p);
}

static void no_memory(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 48; limit += 16) {
        struct pair p;
        struct focal_buf small;
        pair_open(&p, true);
        focal_buf_init(&small, limit);
        assert_int_equal(focal_noise_write(&p.a, &small, none), FOCAL_NO_MEMORY);
        assert_int_equal(focal_noise_write(&p.a, &small, none), FOCAL_NEVER);
        focal_buf_close(&small);
        pair_close(&p);
    }
    struct pair p;
    struct focal_channel a, b, before;
    struct focal_buf small;
    channels_of(&p, &a, &b);
    focal_buf_init(&small, 8);
    before = a;
    assert_int_equal(focal_channel_seal(&a, &small, focal_span_text("hello")), FOCAL_NO_MEMORY);
    assert_memory_equal(&before, &a, sizeof a);
    assert_int_equal(focal_channel_seal(&a, &p.message, focal_span_text("hello, world")), FOCAL_OK);
    focal_buf_close(&small);
    focal_buf_init(&small, 8);
    assert_int_equal(focal_channel_unseal(&b, &small, focal_buf_view(&p.message)), FOCAL_NO_MEMORY);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    focal_buf_close(&small);
    pair_close(&p);
}

static void keys_change_every_thousand(void **state)
{
    (void)state;
    struct pair p;
    struct focal_channel a, b;
    uint8_t first[32], before[32];
    channels_of(&p, &a, &b);
    memcpy(first, a.send.key, 32);
    for (uint64_t n = 0; n < 3005; n++) {
        memcpy(before, a.send.key, 32);
        focal_buf_clear(&p.message);
        focal_buf_clear(&p.payload);
        assert_int_equal(a.send.n, n);
        assert_int_equal(focal_channel_seal(&a, &p.message, focal_span_of(&n, sizeof n)), FOCAL_OK);
        assert_int_equal(p.message.len, sizeof n + FOCAL_NOISE_TAG);
        if (n > 0 && n % 1000 == 0) {
            /* REKEY of the Noise text: what zeroes give under the nonce that no message ever has. */
            static const uint8_t zeroes[32], nonce[12] = { 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255 };
            uint8_t want[48];
            crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, zeroes, 32, NULL, 0, NULL, nonce, before);
            assert_memory_equal(want, a.send.key, 32);
        } else {
            assert_memory_equal(before, a.send.key, 32);
        }
        /* A forged frame just there must not cost the real one its key. */
        if (n % 500 == 0) {
            p.message.data[0] ^= 1;
            assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
            assert_int_equal(p.payload.len, 0);
            p.message.data[0] ^= 1;
        }
        assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
        assert_memory_equal(p.payload.data, &n, sizeof n);
    }
    /* The other direction counts for itself. */
    assert_int_equal(b.send.n, 0);
    focal_buf_clear(&p.message);
    assert_int_equal(focal_channel_seal(&b, &p.message, none), FOCAL_OK);
    assert_int_equal(focal_channel_unseal(&a, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    assert_memory_not_equal(first, a.send.key, 32);
    pair_close(&p);
}

static void frames_in_order_only(void **state)
{
    (void)state;
    static uint8_t zeroes[FOCAL_NOISE_MAX];
    struct pair p;
    struct focal_channel a, b;
    struct focal_buf second;
    channels_of(&p, &a, &b);
    focal_buf_init(&second, 1024);
    assert_int_equal(focal_channel_seal(&a, &p.message, focal_span_text("one")), FOCAL_OK);
    assert_int_equal(focal_channel_seal(&a, &second, focal_span_text("two")), FOCAL_OK);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&second)), FOCAL_NEVER);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_NEVER);
    assert_int_equal(focal_channel_unseal(&a, &p.payload, focal_buf_view(&second)), FOCAL_NEVER);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&second)), FOCAL_OK);
    assert_int_equal(p.payload.len, 6);
    assert_memory_equal(p.payload.data, "onetwo", 6);
    for (size_t len = 0; len < FOCAL_NOISE_TAG; len++)
        assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_span_of(zeroes, len)), FOCAL_NEVER);
    assert_int_equal(focal_channel_seal(&a, &second, focal_span_of(zeroes, FOCAL_NOISE_MAX - 15)), FOCAL_TOO_BIG);
    focal_buf_clear(&p.message);
    assert_int_equal(focal_channel_seal(&a, &p.message, focal_span_of(zeroes, FOCAL_NOISE_MAX - 16)), FOCAL_OK);
    assert_int_equal(p.message.len, FOCAL_NOISE_MAX);
    assert_int_equal(focal_channel_unseal(&b, &p.payload, focal_buf_view(&p.message)), FOCAL_OK);
    focal_buf_close(&second);
    pair_close(&p);
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates), cmocka_unit_test(no_candidates), cmocka_unit_test(no_payload_behind_candidates), cmocka_unit_test(tampering),
        cmocka_unit_test(every_bit_of_a_frame), cmocka_unit_test(every_bit_of_a_handshake),
        cmocka_unit_test(other_worlds), cmocka_unit_test(low_order_keys),
        cmocka_unit_test(big_and_small_handshake_payloads), cmocka_unit_test(no_memory),
        cmocka_unit_test(keys_change_every_thousand), cmocka_unit_test(frames_in_order_only),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
