/* The published vectors of all six patterns: each end writes exactly the bytes given and reads the other's back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "focal/crypto.h"

enum { FILE_MAX = 64 * 1024, MESSAGES_MAX = 8, BYTES_MAX = 512 };

struct bytes { uint8_t b[BYTES_MAX]; size_t len; };
struct vector {
    char name[64];
    struct bytes prologue[2], s[2], e[2], psk[2], remote_static, hash;      /* [0] initiator, [1] responder */
    struct bytes payload[MESSAGES_MAX], ciphertext[MESSAGES_MAX];
    size_t payloads, ciphertexts;
};

static const struct { const char *name; enum focal_noise_pattern pattern; size_t messages; bool knows; } known[] = {
    { "Noise_IK_25519_ChaChaPoly_SHA256", FOCAL_NOISE_IK, 2, true },
    { "Noise_XX_25519_ChaChaPoly_SHA256", FOCAL_NOISE_XX, 3, false },
    { "Noise_XK_25519_ChaChaPoly_SHA256", FOCAL_NOISE_XK, 3, true },
    { "Noise_IKpsk2_25519_ChaChaPoly_SHA256", FOCAL_NOISE_IKpsk2, 2, true },
    { "Noise_XXpsk3_25519_ChaChaPoly_SHA256", FOCAL_NOISE_XXpsk3, 3, false },
    { "Noise_XKpsk3_25519_ChaChaPoly_SHA256", FOCAL_NOISE_XKpsk3, 3, true },
};
enum { KNOWN = sizeof known / sizeof *known };

/* ---- the file: strings in pairs, and lists of strings ---------------------------------------------------------------- */

/* Next quoted string; false at the end. Tells whether a colon follows: then it is a key. */
static bool next_string(const char **at, char *out, size_t cap, bool *key)
{
    const char *from = strchr(*at, '"');
    if (from == NULL)
        return false;
    const char *to = strchr(from + 1, '"');
    assert_non_null(to);
    size_t len = (size_t)(to - from - 1);
    assert_true(len < cap);
    memcpy(out, from + 1, len);
    out[len] = 0;
    *at = to + 1;
    *key = (*at)[strspn(*at, " \n\t")] == ':';
    return true;
}

static void take_hex(struct bytes *out, const char *text)
{
    out->len = strlen(text) / 2;
    assert_true(out->len <= BYTES_MAX);
    assert_true(focal_unhex(out->b, out->len, focal_span_text(text)));
}

static void take_pair(struct vector *v, const char *key, const char *value)
{
    const struct { const char *key; struct bytes *to; } plain[] = {
        { "init_prologue", &v->prologue[0] }, { "resp_prologue", &v->prologue[1] },
        { "init_static", &v->s[0] }, { "resp_static", &v->s[1] },
        { "init_ephemeral", &v->e[0] }, { "resp_ephemeral", &v->e[1] },
        { "init_psks", &v->psk[0] }, { "resp_psks", &v->psk[1] },
        { "init_remote_static", &v->remote_static }, { "handshake_hash", &v->hash },
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(key, plain[i].key) == 0) {
            take_hex(plain[i].to, value);
            return;
        }
    }
    if (strcmp(key, "payload") == 0) {
        assert_true(v->payloads < MESSAGES_MAX);
        take_hex(&v->payload[v->payloads++], value);
    } else if (strcmp(key, "ciphertext") == 0) {
        assert_true(v->ciphertexts < MESSAGES_MAX);
        take_hex(&v->ciphertext[v->ciphertexts++], value);
    } else {
        fail_msg("the vectors hold a key this test does not know: %s", key);
    }
}

static size_t load(struct vector *vectors, size_t max)
{
    static char text[FILE_MAX];
    FILE *file = fopen(FOCAL_SOURCE_DIR "/tests/vectors/noise_25519_chachapoly_sha256.json", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_true(len > 0 && len < sizeof text - 1);
    text[len] = 0;

    const char *at = text;
    char key[2 * BYTES_MAX + 1] = "", string[2 * BYTES_MAX + 1];
    bool is_key;
    size_t count = 0;
    memset(vectors, 0, max * sizeof *vectors);
    while (next_string(&at, string, sizeof string, &is_key)) {
        if (is_key) {
            memcpy(key, string, sizeof key);
        } else if (strcmp(key, "protocol_name") == 0) {
            assert_true(count < max);
            snprintf(vectors[count++].name, sizeof vectors->name, "%.63s", string);
        } else {
            assert_true(count > 0);
            take_pair(&vectors[count - 1], key, string);
        }
    }
    return count;
}

/* ---- running one ------------------------------------------------------------------------------------------------------ */

static struct focal_span span(const struct bytes *b) { return focal_span_of(b->b, b->len); }

static void assert_is(const struct focal_buf *buf, const struct bytes *want)
{
    assert_false(buf->failed);
    assert_int_equal(buf->len, want->len);
    assert_memory_equal(buf->data, want->b, want->len);
}

static void start(struct focal_noise *noise, const struct vector *v, size_t which, bool initiator)
{
    const size_t end = initiator ? 0 : 1;
    struct focal_key rs;
    memcpy(rs.b, v->remote_static.b, 32);
    focal_noise_init(noise, known[which].pattern, initiator, span(&v->prologue[end]), v->s[end].b,
                     initiator && known[which].knows ? &rs : NULL, v->e[end].b, v->psk[end].len == 32 ? v->psk[end].b : NULL);
}

static void run(const struct vector *v, size_t which)
{
    struct focal_noise ends[2];
    struct focal_channel channels[2];
    struct focal_buf message, payload;
    focal_buf_init(&message, FOCAL_NOISE_MAX);
    focal_buf_init(&payload, FOCAL_NOISE_MAX);
    start(&ends[0], v, which, true);
    start(&ends[1], v, which, false);
    assert_true(v->payloads > known[which].messages + 1);       /* both directions of the transport are in it */
    assert_int_equal(v->payloads, v->ciphertexts);

    for (size_t i = 0; i < v->payloads; i++) {
        const size_t from = i % 2, to = 1 - from;
        focal_buf_clear(&message);
        focal_buf_clear(&payload);
        if (i < known[which].messages) {
            assert_false(focal_noise_done(&ends[from]));
            assert_int_equal(focal_noise_write(&ends[from], &message, span(&v->payload[i])), FOCAL_OK);
            assert_is(&message, &v->ciphertext[i]);
            assert_int_equal(focal_noise_read(&ends[to], &payload, span(&v->ciphertext[i])), FOCAL_OK);
        } else {
            assert_int_equal(focal_channel_seal(&channels[from], &message, span(&v->payload[i])), FOCAL_OK);
            assert_is(&message, &v->ciphertext[i]);
            assert_int_equal(focal_channel_unseal(&channels[to], &payload, span(&v->ciphertext[i])), FOCAL_OK);
        }
        assert_is(&payload, &v->payload[i]);
        if (i + 1 == known[which].messages) {
            for (size_t end = 0; end < 2; end++) {
                assert_true(focal_noise_done(&ends[end]));
                focal_channel_open(&channels[end], &ends[end]);
                assert_memory_equal(channels[end].handshake.b, v->hash.b, 32);
                assert_true(focal_bytes_zero(&ends[end], sizeof ends[end]));
            }
        }
    }
    focal_buf_close(&message);
    focal_buf_close(&payload);
}

static void all_six_patterns(void **state)
{
    (void)state;
    static struct vector vectors[KNOWN + 1];
    assert_int_equal(focal_crypto_init(), FOCAL_OK);
    assert_int_equal(load(vectors, KNOWN + 1), KNOWN);
    for (size_t k = 0; k < KNOWN; k++) {
        size_t found = 0;
        for (size_t i = 0; i < KNOWN; i++) {
            if (strcmp(vectors[i].name, known[k].name) != 0)
                continue;
            assert_int_equal(vectors[i].psk[0].len == 32, strstr(known[k].name, "psk") != NULL);
            run(&vectors[i], k);
            found++;
        }
        assert_int_equal(found, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_six_patterns) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
