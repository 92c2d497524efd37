/* The file of store keys and the small files under them: only who may opens them, and nothing of them is in clear. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "focal/crypto_store.h"

#include <string.h>

static const struct focal_span passphrase = { (const uint8_t *)"correct horse", 13 }, credential = { (const uint8_t *)"thirty-two bytes of the machine!", 32 };
static const struct focal_span nothing = { NULL, 0 };

static void make(struct focal_store_keys *keys, size_t count)
{
    uint8_t random[FOCAL_STORE_ID_BYTES + FOCAL_STORE_KEY_BYTES];
    memset(keys, 0, sizeof *keys);
    keys->count = count;
    for (size_t i = 0; i < count; i++) {
        memset(random, (int)(0x31 + i), sizeof random);
        random[40] = 0xFE;
        focal_store_key_make(&keys->list[i], random);
    }
}

static struct focal_buf wrapped(const struct focal_store_keys *keys, enum focal_wrap by)
{
    uint8_t random[FOCAL_WRAP_RANDOM_BYTES];
    struct focal_buf text;
    memset(random, 9, sizeof random);
    focal_buf_init(&text, 4096);
    assert_int_equal(focal_store_keys_wrap(&text, keys, by, passphrase, credential, random), FOCAL_OK);
    return text;
}

static bool same(const struct focal_store_keys *a, const struct focal_store_keys *b)
{
    return a->count == b->count && a->take_over == b->take_over && memcmp(a->list, b->list, a->count * sizeof a->list[0]) == 0;
}

static void each_way(void **state)
{
    (void)state;
    for (enum focal_wrap by = FOCAL_WRAP_PLAIN; by <= FOCAL_WRAP_BOTH; by++) {
        struct focal_store_keys keys, read;
        enum focal_wrap found, parsed;
        make(&keys, by % 2 + 1);
        keys.take_over = by == FOCAL_WRAP_PLAIN;
        struct focal_buf text = wrapped(&keys, by);
        assert_int_equal(focal_store_keys_wrapped_by(&found, focal_buf_view(&text)), FOCAL_OK);
        assert_int_equal(found, by);
        assert_true(focal_wrap_parse(&parsed, focal_wrap_word(by)) && parsed == by);
        assert_int_equal(focal_store_keys_unwrap(&read, focal_buf_view(&text), passphrase, credential), FOCAL_OK);
        assert_true(same(&keys, &read));
        /* The key in clear is in the plain file alone. */
        struct focal_buf bytes;
        focal_buf_init(&bytes, 4096);
        assert_true(focal_unbase64url(&bytes, focal_span_of(text.data + strlen("focal-store-key-1 ") + strlen(focal_wrap_word(by)) + 1,
                                                            text.len - strlen("focal-store-key-1 ") - strlen(focal_wrap_word(by)) - 2)));
        assert_int_equal(memmem(bytes.data, bytes.len, keys.list[0].secret, FOCAL_STORE_KEY_BYTES) != NULL, by == FOCAL_WRAP_PLAIN);
        focal_buf_close(&bytes);
        focal_buf_close(&text);
    }
    enum focal_wrap parsed;
    assert_false(focal_wrap_parse(&parsed, "tpm"));
}

static void who_may_not(void **state)
{
    (void)state;
    struct focal_store_keys keys, read;
    make(&keys, 1);
    for (enum focal_wrap by = FOCAL_WRAP_PASSPHRASE; by <= FOCAL_WRAP_BOTH; by++) {
        struct focal_buf text = wrapped(&keys, by);
        if (focal_wrap_asks(by)) {
            assert_int_equal(focal_store_keys_unwrap(&read, focal_buf_view(&text), focal_span_text("correct horsf"), credential), FOCAL_DENIED);
            assert_int_equal(focal_store_keys_unwrap(&read, focal_buf_view(&text), nothing, credential), FOCAL_DENIED);
        }
        if (focal_wrap_has_credential(by))
            assert_int_equal(focal_store_keys_unwrap(&read, focal_buf_view(&text), passphrase, focal_span_text("another machine's")), FOCAL_DENIED);
        assert_int_equal(read.count, 0);
        focal_buf_close(&text);
    }
}

/* Of a wrapped file no change passes; a word that names another way does not make it that. */
static void changed_files(void **state)
{
    (void)state;
    struct focal_store_keys keys, read;
    make(&keys, 1);
    struct focal_buf text = wrapped(&keys, FOCAL_WRAP_CREDENTIAL);
    for (size_t i = 0; i + 1 < text.len; i++) {
        text.data[i] ^= 1;
        enum focal_status st = focal_store_keys_unwrap(&read, focal_buf_view(&text), passphrase, credential);
        assert_true(st == FOCAL_DENIED || st == FOCAL_MALFORMED);
        text.data[i] ^= 1;
    }
    for (size_t len = 0; len + 1 < text.len; len++)
        assert_int_not_equal(focal_store_keys_unwrap(&read, focal_span_of(text.data, len), passphrase, credential), FOCAL_OK);
    struct focal_buf other;
    focal_buf_init(&other, 4096);
    focal_buf_text(&other, "focal-store-key-1 plain ");
    focal_buf_bytes(&other, text.data + strlen("focal-store-key-1 credential "), text.len - strlen("focal-store-key-1 credential "));
    assert_int_equal(focal_store_keys_unwrap(&read, focal_buf_view(&other), passphrase, credential), FOCAL_MALFORMED);
    focal_buf_close(&other);
    focal_buf_close(&text);
}

static void small_files(void **state)
{
    (void)state;
    struct focal_store_keys keys, others;
    struct focal_buf text, plain;
    uint8_t random[FOCAL_SEALED_RANDOM_BYTES] = { 3 };
    const struct focal_span said = focal_span_text("focal-node-1 the office's private keys");
    make(&keys, 2);
    focal_buf_init(&text, 4096);
    focal_buf_init(&plain, 4096);
    assert_int_equal(focal_store_seal(&text, &keys.list[1], "node.key", said, random), FOCAL_OK);
    assert_true(focal_store_is_sealed(focal_buf_view(&text)));
    assert_false(focal_store_is_sealed(said));
    assert_null(memmem(text.data, text.len, "private", 7));
    assert_int_equal(focal_store_unseal(&plain, &keys, "node.key", focal_buf_view(&text)), FOCAL_OK);
    assert_true(focal_span_equal(focal_buf_view(&plain), said));
    assert_int_equal(focal_store_unseal(&plain, &keys, "network.focal", focal_buf_view(&text)), FOCAL_DENIED);
    make(&others, 1);
    assert_int_equal(focal_store_unseal(&plain, &others, "node.key", focal_buf_view(&text)), FOCAL_DENIED);
    assert_int_equal(plain.len, 0);
    assert_int_equal(focal_store_unseal(&plain, &keys, "node.key", said), FOCAL_MALFORMED);
    for (size_t i = strlen("focal-sealed-1 "); i + 1 < text.len; i++) {
        text.data[i] ^= 2;
        enum focal_status st = focal_store_unseal(&plain, &keys, "node.key", focal_buf_view(&text));
        assert_true(st == FOCAL_DENIED || st == FOCAL_MALFORMED);
        text.data[i] ^= 2;
    }
    focal_buf_close(&text);
    focal_buf_close(&plain);
}

static int start(void **state)
{
    (void)state;
    return focal_crypto_init() == FOCAL_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way), cmocka_unit_test(who_may_not), cmocka_unit_test(changed_files), cmocka_unit_test(small_files),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
