/* Two directions of sealed frames after a handshake. */
#include "symmetric.h"

#include <string.h>

void focal_channel_open(struct focal_channel *channel, struct focal_noise *noise)
{
    uint8_t first[32], second[32];
    focal_assert(focal_noise_done(noise));
    focal_noise_hkdf(first, second, NULL, noise->ck, focal_span_of(NULL, 0));
    memset(channel, 0, sizeof *channel);
    focal_cipher_set(&channel->send, noise->initiator ? first : second);
    focal_cipher_set(&channel->receive, noise->initiator ? second : first);
    memcpy(channel->handshake.b, noise->h, sizeof channel->handshake.b);
    focal_wipe(first, sizeof first);
    focal_wipe(second, sizeof second);
    focal_wipe(noise, sizeof *noise);
}

/* Keys that are gone cannot open what was sent under them. Both ends count, so nothing is sent to say so. */
static void rekey_when_due(struct focal_cipher *cipher)
{
    if (cipher->n > 0 && cipher->n % 1000 == 0 && !FOCAL_PLANTED(REKEY_SKIPPED))
        focal_cipher_rekey(cipher);
}

enum focal_status focal_channel_seal(struct focal_channel *channel, struct focal_buf *out, struct focal_span plain)
{
    if (plain.len > FOCAL_NOISE_MAX - FOCAL_NOISE_TAG)
        return FOCAL_TOO_BIG;
    uint8_t *at = focal_buf_reserve(out, plain.len + FOCAL_NOISE_TAG);
    if (at == NULL)
        return FOCAL_NO_MEMORY;
    rekey_when_due(&channel->send);
    focal_cipher_encrypt(&channel->send, at, focal_span_of(NULL, 0), plain);
    return FOCAL_OK;
}

enum focal_status focal_channel_unseal(struct focal_channel *channel, struct focal_buf *plain, struct focal_span frame)
{
    if (frame.len < FOCAL_NOISE_TAG || frame.len > FOCAL_NOISE_MAX)
        return FOCAL_NEVER;
    const size_t start = plain->len, len = frame.len - FOCAL_NOISE_TAG;
    uint8_t *at = NULL;
    if (len > 0) {
        at = focal_buf_reserve(plain, len);
        if (at == NULL)
            return FOCAL_NO_MEMORY;
    }
    /* On a copy: a frame that does not authenticate changes nothing here. */
    struct focal_cipher next = channel->receive;
    rekey_when_due(&next);
    const bool good = focal_cipher_decrypt(&next, at, focal_span_of(NULL, 0), frame);
    if (good)
        channel->receive = next;
    else
        focal_buf_truncate(plain, start);
    focal_wipe(&next, sizeof next);
    return good ? FOCAL_OK : FOCAL_NEVER;
}

void focal_prologue(uint8_t out[37], const struct focal_hash *network)
{
    memcpy(out, "focal", 5);
    memcpy(out + 5, network->b, 32);
}
