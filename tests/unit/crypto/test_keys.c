/* Keys, signatures, the authority's key file and sealed boxes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "focal/crypto.h"

#include <sodium.h>

static void fill(void *out, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)(first + i);
}

static void make(struct focal_node_keys *keys, uint8_t first)
{
    uint8_t random[96];
    fill(random, sizeof random, first);
    focal_node_keys_make(keys, random);
}

static enum focal_status decode(struct focal_node_keys *keys, const uint8_t *bytes, size_t len)
{
    return focal_node_keys_decode(keys, focal_span_of(bytes, len));
}

static void node_keys_round(void **state)
{
    (void)state;
    struct focal_node_keys a, b;
    struct focal_buf bytes;
    focal_buf_init(&bytes, FOCAL_NODE_KEYS_BYTES_MAX);
    make(&a, 1);
    focal_node_keys_encode(&bytes, &a);
    assert_int_equal(bytes.len, FOCAL_NODE_KEYS_BYTES);
    assert_int_equal(decode(&b, bytes.data, bytes.len), FOCAL_OK);
    assert_memory_equal(&a, &b, sizeof a);
    for (size_t i = 0; i < 3; i++) {
        uint8_t hurt[FOCAL_NODE_KEYS_BYTES];
        memcpy(hurt, bytes.data, sizeof hurt);
        memset(hurt + 32 * i, 0, 32);
        assert_int_equal(decode(&b, hurt, sizeof hurt), FOCAL_DAMAGED);
        memcpy(hurt + 32 * i, bytes.data + 32 * ((i + 1) % 3), 32);
        assert_int_equal(decode(&b, hurt, sizeof hurt), FOCAL_DAMAGED);
    }
    for (size_t len = 0; len < FOCAL_NODE_KEYS_BYTES; len++)
        assert_int_equal(decode(&b, bytes.data, len), FOCAL_DAMAGED);
    focal_node_keys_wipe(&a);
    assert_true(focal_bytes_zero(&a, sizeof a));
    focal_buf_close(&bytes);
}

/* Former opening keys stay, in order, through the key file; each once. */
static void opening_keys_are_renewed(void **state)
{
    (void)state;
    struct focal_node_keys a, b;
    struct focal_buf bytes;
    struct focal_key was[FOCAL_FORMER_KEYS_MAX + 1];
    uint8_t random[32];
    focal_buf_init(&bytes, FOCAL_NODE_KEYS_BYTES_MAX);
    make(&a, 1);
    const struct focal_node_keys first = a;
    for (size_t i = 0; i < FOCAL_FORMER_KEYS_MAX; i++) {
        was[i] = a.open_public;
        fill(random, sizeof random, (uint8_t)(200 + i));
        assert_int_equal(focal_node_keys_renew_opening(&a, random), FOCAL_OK);
        assert_int_equal(a.former_count, i + 1);
        for (size_t k = 0; k <= i; k++)
            assert_true(focal_key_equal(&a.former_public[k], &was[i - k]));
        assert_false(focal_key_equal(&a.open_public, &was[i]));
    }
    assert_true(focal_key_equal(&a.sign_public, &first.sign_public));
    assert_true(focal_key_equal(&a.channel_public, &first.channel_public));
    assert_memory_equal(a.former_secret[FOCAL_FORMER_KEYS_MAX - 1], first.open_secret, 32);
    b = a;
    assert_int_equal(focal_node_keys_renew_opening(&b, random), FOCAL_TOO_BIG);
    assert_memory_equal(&a, &b, sizeof a);
    focal_node_keys_encode(&bytes, &a);
    assert_false(bytes.failed);
    assert_int_equal(decode(&b, bytes.data, bytes.len), FOCAL_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(decode(&b, bytes.data, bytes.len - 1), FOCAL_DAMAGED);
    assert_int_equal(decode(&b, bytes.data, bytes.len - 32), FOCAL_OK);
    assert_int_equal(b.former_count, FOCAL_FORMER_KEYS_MAX - 1);
    uint8_t more[FOCAL_NODE_KEYS_BYTES_MAX + 32];
    memcpy(more, bytes.data, bytes.len);
    fill(more + bytes.len, 32, 77);
    assert_int_equal(decode(&b, more, sizeof more), FOCAL_DAMAGED);
    memcpy(more + FOCAL_NODE_KEYS_BYTES, more + 64, 32);        /* a former one that is the present one */
    assert_int_equal(decode(&b, more, sizeof more - 32), FOCAL_DAMAGED);
    memset(more + FOCAL_NODE_KEYS_BYTES, 0, 32);
    assert_int_equal(decode(&b, more, sizeof more - 32), FOCAL_DAMAGED);
    focal_buf_close(&bytes);
}

static void head_signature_binds_all(void **state)
{
    (void)state;
    struct focal_node_keys keys, other;
    struct focal_signature signature;
    const struct focal_hash network = { { 1 } };
    const struct focal_id log = { { 2 } };
    const struct focal_tip tip = { .seq = 3, .h = { { 4 } } };
    make(&keys, 1);
    make(&other, 2);
    focal_sign_head(&signature, keys.sign_secret, &network, &log, &tip);
    assert_true(focal_verify_head(&signature, &keys.sign_public, &network, &log, &tip));
    assert_false(focal_verify_head(&signature, &other.sign_public, &network, &log, &tip));
    struct focal_hash n = network;
    struct focal_id l = log;
    struct focal_tip t = tip;
    n.b[0] ^= 1;
    assert_false(focal_verify_head(&signature, &keys.sign_public, &n, &log, &tip));
    l.b[15] ^= 1;
    assert_false(focal_verify_head(&signature, &keys.sign_public, &network, &l, &tip));
    t.seq++;
    assert_false(focal_verify_head(&signature, &keys.sign_public, &network, &log, &t));
    t = tip;
    t.h.b[31] ^= 1;
    assert_false(focal_verify_head(&signature, &keys.sign_public, &network, &log, &t));
    for (size_t i = 0; i < 64; i++) {
        signature.b[i] ^= 0x10;
        assert_false(focal_verify_head(&signature, &keys.sign_public, &network, &log, &tip));
        signature.b[i] ^= 0x10;
    }
    /* A key that is zero, and a signature that is zero, verify nothing. */
    const struct focal_key zero_key = { { 0 } };
    const struct focal_signature zero = { { 0 } };
    assert_false(focal_verify_head(&zero, &zero_key, &network, &log, &tip));
}

static void authority_file(void **state)
{
    (void)state;
    uint8_t seed[32], random[40], got[32];
    struct focal_buf file;
    fill(seed, 32, 10);
    fill(random, 40, 60);
    focal_buf_init(&file, 512);
    const struct focal_span pass = focal_span_text("correct horse");
    assert_int_equal(focal_authority_lock(&file, seed, pass, random), FOCAL_OK);
    assert_memory_equal(file.data, "focal-authority-1 ", 18);
    assert_int_equal(file.data[file.len - 1], '\n');
    assert_int_equal(focal_authority_unlock(got, focal_buf_view(&file), pass), FOCAL_OK);
    assert_memory_equal(got, seed, 32);
    assert_int_equal(focal_authority_unlock(got, focal_span_of(file.data, file.len - 1), pass), FOCAL_OK);
    assert_int_equal(focal_authority_unlock(got, focal_buf_view(&file), focal_span_text("correct horsf")), FOCAL_DENIED);
    assert_int_equal(focal_authority_unlock(got, focal_buf_view(&file), focal_span_of(NULL, 0)), FOCAL_DENIED);
    file.data[60] = file.data[60] == 'A' ? 'B' : 'A';
    assert_int_equal(focal_authority_unlock(got, focal_buf_view(&file), pass), FOCAL_DENIED);
    assert_int_equal(focal_authority_unlock(got, focal_span_of(file.data, file.len - 3), pass), FOCAL_MALFORMED);
    file.data[16] = '2';
    assert_int_equal(focal_authority_unlock(got, focal_buf_view(&file), pass), FOCAL_MALFORMED);
    assert_int_equal(focal_authority_unlock(got, focal_span_of(NULL, 0), pass), FOCAL_MALFORMED);
    focal_buf_close(&file);
    focal_buf_init(&file, 10);
    assert_int_equal(focal_authority_lock(&file, seed, pass, random), FOCAL_NO_MEMORY);
    focal_buf_close(&file);
}

static void boxes(void **state)
{
    (void)state;
    struct focal_node_keys keys, other;
    struct focal_buf sealed, plain;
    uint8_t random[32], opened[300], text[250];
    make(&keys, 1);
    make(&other, 2);
    fill(random, 32, 9);
    fill(text, sizeof text, 0);
    for (size_t len = 0; len <= sizeof text; len += 25) {
        focal_buf_init(&sealed, 1024);
        focal_buf_init(&plain, 1024);
        focal_buf_text(&sealed, "x");
        assert_int_equal(focal_box_seal(&sealed, focal_span_of(text, len), &keys.open_public, random), FOCAL_OK);
        assert_int_equal(sealed.len, 1 + len + 48);
        const struct focal_span box = focal_span_of(sealed.data + 1, sealed.len - 1);
        /* The same bytes as everyone's sealed boxes. */
        assert_int_equal(crypto_box_seal_open(opened, box.data, box.len, keys.open_public.b, keys.open_secret), 0);
        assert_int_equal(focal_box_open(&plain, box, &keys), FOCAL_OK);
        assert_int_equal(plain.len, len);
        if (len > 0)
            assert_memory_equal(plain.data, text, len);
        assert_int_equal(focal_box_open(&plain, box, &other), FOCAL_NEVER);
        assert_int_equal(plain.len, len);
        sealed.data[sealed.len - 1] ^= 1;
        assert_int_equal(focal_box_open(&plain, box, &keys), FOCAL_NEVER);
        assert_int_equal(focal_box_open(&plain, focal_span_of(box.data, 47), &keys), FOCAL_MALFORMED);
        focal_buf_close(&sealed);
        focal_buf_close(&plain);
    }
    const struct focal_key low = { { 0 } };
    focal_buf_init(&sealed, 1024);
    assert_int_equal(focal_box_seal(&sealed, focal_span_of(text, 5), &low, random), FOCAL_NEVER);
    assert_int_equal(sealed.len, 0);
    focal_buf_close(&sealed);
    focal_buf_init(&sealed, 20);
    assert_int_equal(focal_box_seal(&sealed, focal_span_of(text, 5), &keys.open_public, random), FOCAL_NO_MEMORY);
    focal_buf_close(&sealed);
}

static void join_signature_binds_all(void **state)
{
    (void)state;
    struct focal_node_keys keys;
    struct focal_public_keys public;
    struct focal_signature signature;
    struct focal_hash network = { { 1 } }, handshake = { { 2 } };
    make(&keys, 1);
    focal_node_keys_public(&public, &keys);
    focal_join_sign(&signature, &keys, &network, &handshake);
    assert_true(focal_join_verify(&signature, &public, &network, &handshake));
    uint8_t *const bytes[] = { network.b, handshake.b, public.sign.b, public.channel.b, public.open.b };
    for (size_t i = 0; i < 5; i++) {
        bytes[i][1] ^= 1;
        assert_false(focal_join_verify(&signature, &public, &network, &handshake));
        bytes[i][1] ^= 1;
    }
    assert_true(focal_join_verify(&signature, &public, &network, &handshake));
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_keys_round), cmocka_unit_test(opening_keys_are_renewed), cmocka_unit_test(head_signature_binds_all), cmocka_unit_test(authority_file),
        cmocka_unit_test(boxes), cmocka_unit_test(join_signature_binds_all),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
