/* The link's first bytes and all after: every place where a stranger's message is read. The first byte chooses it. */
#include "fuzz.h"

#include <string.h>

#include "focal/crypto.h"

enum { FIRST, SECOND, THIRD, THIRD_PEEK, THIRD_CANDIDATES, FRAME, PLACES };

struct ends { struct focal_noise a, b; struct focal_buf out, in; };

static void start(struct ends *e)
{
    struct focal_node_keys keys;
    uint8_t random[96], psk[32];
    memset(random, 1, sizeof random);
    memset(psk, 2, sizeof psk);
    focal_node_keys_make(&keys, random);
    const struct focal_span prologue = focal_span_text("focal");
    focal_noise_init(&e->a, FOCAL_NOISE_XKpsk3, true, prologue, random + 1, &keys.channel_public, keys.open_secret, psk);
    focal_noise_init(&e->b, FOCAL_NOISE_XKpsk3, false, prologue, keys.channel_secret, NULL, keys.open_secret, psk);
    focal_buf_init(&e->out, 128 * 1024);
    focal_buf_init(&e->in, 128 * 1024);
}

/* Lets the first `messages` through as they should be; the next is the stranger's. */
static void advance(struct ends *e, unsigned messages)
{
    for (unsigned i = 0; i < messages; i++) {
        struct focal_noise *from = i % 2 == 0 ? &e->a : &e->b, *to = i % 2 == 0 ? &e->b : &e->a;
        focal_buf_clear(&e->out);
        focal_assert(focal_noise_write(from, &e->out, focal_span_of(NULL, 0)) == FOCAL_OK);
        focal_assert(focal_noise_read(to, &e->in, focal_buf_view(&e->out)) == FOCAL_OK);
    }
}

static void read_candidates(struct ends *e, struct focal_span message)
{
    uint8_t psks[3][32];
    size_t which = 9;
    for (size_t i = 0; i < 3; i++)
        memset(psks[i], (int)i, 32);
    if (focal_noise_read_candidates(&e->b, &which, (const uint8_t (*)[32])psks, 3, message) == FOCAL_OK)
        focal_assert(which < 3 && focal_noise_done(&e->b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ends e;
    struct focal_channel channel;
    struct focal_key key;
    if (len == 0 || focal_crypto_init() != FOCAL_OK)
        return 0;
    const uint8_t place = data[0] % PLACES;
    const struct focal_span message = focal_span_of(data + 1, len - 1);
    start(&e);
    advance(&e, place == FRAME ? 3 : place < THIRD ? place : 2);
    const size_t before = e.in.len;
    enum focal_status status = FOCAL_OK;
    if (place == THIRD_PEEK) {
        (void)focal_noise_peek_static(&e.b, &key, message);
    } else if (place == THIRD_CANDIDATES) {
        read_candidates(&e, message);
    } else if (place == FRAME) {
        focal_channel_open(&channel, &e.b);
        status = focal_channel_unseal(&channel, &e.in, message);
    } else {
        status = focal_noise_read(place == SECOND ? &e.a : &e.b, &e.in, message);
    }
    focal_assert(status == FOCAL_OK || status == FOCAL_NEVER);
    focal_assert(status == FOCAL_OK || e.in.len == before);
    focal_buf_close(&e.out);
    focal_buf_close(&e.in);
    return 0;
}
