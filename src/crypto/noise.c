/* The handshake: one machine that walks patterns written as data. */
#include "symmetric.h"

#include <sodium.h>
#include <string.h>

enum token { END, E, S, EE, ES, SE, SS, PSK };

enum { MESSAGES = 3, TOKENS = 5 };

struct pattern {
    const char *name;
    bool knows_responder;               /* pre-message: the initiator has the responder's static key */
    bool psk;                           /* then every e is mixed into the key as well */
    uint8_t messages;
    uint8_t tokens[MESSAGES][TOKENS];   /* message 0 is the initiator's, then in turn */
};

static const struct pattern patterns[] = {
    [FOCAL_NOISE_IK] = { "Noise_IK_25519_ChaChaPoly_SHA256", true, false, 2, { { E, ES, S, SS }, { E, EE, SE } } },
    [FOCAL_NOISE_XX] = { "Noise_XX_25519_ChaChaPoly_SHA256", false, false, 3, { { E }, { E, EE, S, ES }, { S, SE } } },
    [FOCAL_NOISE_XK] = { "Noise_XK_25519_ChaChaPoly_SHA256", true, false, 3, { { E, ES }, { E, EE }, { S, SE } } },
    [FOCAL_NOISE_IKpsk2] = { "Noise_IKpsk2_25519_ChaChaPoly_SHA256", true, true, 2,
                             { { E, ES, S, SS }, { E, EE, SE, PSK } } },
    [FOCAL_NOISE_XXpsk3] = { "Noise_XXpsk3_25519_ChaChaPoly_SHA256", false, true, 3,
                             { { E }, { E, EE, S, ES }, { S, SE, PSK } } },
    [FOCAL_NOISE_XKpsk3] = { "Noise_XKpsk3_25519_ChaChaPoly_SHA256", true, true, 3,
                             { { E, ES }, { E, EE }, { S, SE, PSK } } },
};

/* After a fault no message is taken or made any more. */
enum { BROKEN = 0xff };

static const struct pattern *pattern_of(const struct focal_noise *noise)
{
    focal_assert(noise->pattern < sizeof patterns / sizeof *patterns);
    return &patterns[noise->pattern];
}

static bool our_turn(const struct focal_noise *noise)
{
    return noise->message < pattern_of(noise)->messages && (noise->message % 2 == 0) == noise->initiator;
}

static bool their_turn(const struct focal_noise *noise)
{
    return noise->message < pattern_of(noise)->messages && (noise->message % 2 == 0) != noise->initiator;
}

static enum focal_status broken(struct focal_noise *noise, enum focal_status status)
{
    noise->message = BROKEN;
    return status;
}

void focal_noise_init(struct focal_noise *noise, enum focal_noise_pattern which, bool initiator,
                      struct focal_span prologue, const uint8_t s_secret[32], const struct focal_key *rs,
                      const uint8_t e_random[32], const uint8_t psk[32])
{
    memset(noise, 0, sizeof *noise);
    noise->pattern = (uint8_t)which;
    noise->initiator = initiator;
    const struct pattern *pattern = pattern_of(noise);
    const size_t name_len = strlen(pattern->name);
    if (name_len <= sizeof noise->h)
        memcpy(noise->h, pattern->name, name_len);
    else
        crypto_hash_sha256(noise->h, (const uint8_t *)pattern->name, name_len);
    memcpy(noise->ck, noise->h, sizeof noise->ck);
    focal_noise_mix_hash(noise, prologue);

    memcpy(noise->s_secret, s_secret, 32);
    memcpy(noise->e_secret, e_random, 32);
    int failed = crypto_scalarmult_base(noise->s_public.b, noise->s_secret);
    failed |= crypto_scalarmult_base(noise->e_public.b, noise->e_secret);
    focal_assert(failed == 0);
    if (psk != NULL) {
        memcpy(noise->psk, psk, 32);
        noise->psk_set = true;
    }
    if (pattern->knows_responder) {
        if (initiator) {
            focal_assert(rs != NULL);
            noise->rs = *rs;
            noise->rs_set = true;
        }
        focal_noise_mix_hash(noise, focal_span_of(initiator ? noise->rs.b : noise->s_public.b, 32));
    }
}

/* The same agreement from both ends: es is (initiator's e, responder's s), se the other way round. */
static bool mix_agreement(struct focal_noise *noise, enum token token)
{
    const bool initiators_e = token == EE || token == ES, responders_e = token == EE || token == SE;
    const bool ours_e = noise->initiator ? initiators_e : responders_e;
    const bool theirs_e = noise->initiator ? responders_e : initiators_e;
    uint8_t shared[32];
    focal_assert(theirs_e ? noise->re_set : noise->rs_set);
    /* Fails on an all-zero result: a key of low order would let anyone know what is agreed on. */
    const bool good = crypto_scalarmult(shared, ours_e ? noise->e_secret : noise->s_secret,
                                        theirs_e ? noise->re.b : noise->rs.b) == 0;
    if (good)
        focal_noise_mix_key(noise, focal_span_of(shared, 32));
    focal_wipe(shared, sizeof shared);
    return good;
}

static void mix_ephemeral(struct focal_noise *noise, const struct focal_key *e)
{
    focal_noise_mix_hash(noise, focal_span_of(e->b, 32));
    if (pattern_of(noise)->psk)
        focal_noise_mix_key(noise, focal_span_of(e->b, 32));
}

static enum focal_status write_token(struct focal_noise *noise, struct focal_buf *out, enum token token)
{
    switch (token) {
    case E:
        focal_buf_bytes(out, noise->e_public.b, 32);
        mix_ephemeral(noise, &noise->e_public);
        return out->failed ? FOCAL_NO_MEMORY : FOCAL_OK;
    case S:
        return focal_noise_encrypt_and_hash(noise, out, focal_span_of(noise->s_public.b, 32)) ? FOCAL_OK : FOCAL_NO_MEMORY;
    case PSK:
        focal_assert(noise->psk_set);
        focal_noise_mix_psk(noise, noise->psk);
        return FOCAL_OK;
    default:
        return mix_agreement(noise, token) ? FOCAL_OK : FOCAL_NEVER;
    }
}

enum focal_status focal_noise_write(struct focal_noise *noise, struct focal_buf *out, struct focal_span payload)
{
    const size_t start = out->len;
    if (noise->message == BROKEN)
        return FOCAL_NEVER;
    focal_assert(our_turn(noise));
    const uint8_t *tokens = pattern_of(noise)->tokens[noise->message];
    enum focal_status status = FOCAL_OK;
    for (size_t i = 0; status == FOCAL_OK && i < TOKENS && tokens[i] != END; i++)
        status = write_token(noise, out, (enum token)tokens[i]);
    if (status == FOCAL_OK && payload.len > FOCAL_NOISE_MAX - (out->len - start) - focal_noise_overhead(noise))
        status = FOCAL_TOO_BIG;
    if (status == FOCAL_OK && !focal_noise_encrypt_and_hash(noise, out, payload))
        status = FOCAL_NO_MEMORY;
    if (status != FOCAL_OK) {
        focal_buf_truncate(out, start);
        return broken(noise, status);
    }
    noise->message++;
    return FOCAL_OK;
}

static bool read_static(struct focal_noise *noise, struct focal_cur *cur)
{
    struct focal_span sealed = focal_cur_bytes(cur, 32 + focal_noise_overhead(noise));
    noise->rs_set = !cur->failed && focal_noise_decrypt_and_hash(noise, noise->rs.b, sealed);
    return noise->rs_set;
}

static bool read_token(struct focal_noise *noise, struct focal_cur *cur, enum token token)
{
    switch (token) {
    case E:
        focal_cur_copy(cur, noise->re.b, 32);
        noise->re_set = !cur->failed;
        mix_ephemeral(noise, &noise->re);
        return noise->re_set;
    case S:
        return read_static(noise, cur);
    case PSK:
        focal_assert(noise->psk_set);
        focal_noise_mix_psk(noise, noise->psk);
        return true;
    default:
        return mix_agreement(noise, token);
    }
}

/* Reads up to `stop` (END: all). */
static bool read_tokens(struct focal_noise *noise, struct focal_cur *cur, enum token stop)
{
    const uint8_t *tokens = pattern_of(noise)->tokens[noise->message];
    for (size_t i = 0; i < TOKENS && tokens[i] != END && tokens[i] != (uint8_t)stop; i++) {
        if (!read_token(noise, cur, (enum token)tokens[i]))
            return false;
    }
    return true;
}

enum focal_status focal_noise_read(struct focal_noise *noise, struct focal_buf *payload, struct focal_span message)
{
    struct focal_cur cur = focal_cur_of(message);
    const size_t start = payload->len;
    if (!their_turn(noise) || message.len > FOCAL_NOISE_MAX || !read_tokens(noise, &cur, END))
        return broken(noise, FOCAL_NEVER);
    const struct focal_span sealed = focal_cur_rest(&cur);
    if (cur.failed || sealed.len < focal_noise_overhead(noise))
        return broken(noise, FOCAL_NEVER);
    const size_t len = sealed.len - focal_noise_overhead(noise);
    uint8_t *plain = NULL;
    if (len > 0) {
        plain = focal_buf_reserve(payload, len);
        if (plain == NULL)
            return broken(noise, FOCAL_NO_MEMORY);
    }
    if (!focal_noise_decrypt_and_hash(noise, plain, sealed)) {
        focal_buf_truncate(payload, start);
        return broken(noise, FOCAL_NEVER);
    }
    noise->message++;
    return FOCAL_OK;
}

enum focal_status focal_noise_read_candidates(struct focal_noise *noise, size_t *which, const uint8_t (*psks)[32],
                                              size_t count, struct focal_span message)
{
    struct focal_cur cur = focal_cur_of(message);
    if (noise->pattern != FOCAL_NOISE_XKpsk3 || noise->message != 2 || !their_turn(noise) ||
        message.len > FOCAL_NOISE_MAX || !read_tokens(noise, &cur, PSK))
        return broken(noise, FOCAL_NEVER);
    /* There is no payload, and nobody would look at one. */
    const struct focal_span sealed = focal_cur_rest(&cur);
    if (cur.failed || sealed.len != FOCAL_NOISE_TAG)
        return broken(noise, FOCAL_NEVER);

    /* All are tried, also after one fits: how long it takes must not tell a stranger which secret is close by. */
    struct focal_noise copy, won = *noise;
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        copy = *noise;
        focal_noise_mix_psk(&copy, psks[i]);
        const bool good = focal_noise_decrypt_and_hash(&copy, NULL, sealed);
        if (good && !found) {
            won = copy;
            *which = i;
            found = true;
        }
    }
    if (found) {
        won.message++;
        *noise = won;
    }
    focal_wipe(&copy, sizeof copy);
    focal_wipe(&won, sizeof won);
    return found ? FOCAL_OK : broken(noise, FOCAL_NEVER);
}

bool focal_noise_peek_static(const struct focal_noise *noise, struct focal_key *rs, struct focal_span message3)
{
    struct focal_cur cur = focal_cur_of(message3);
    if (noise->message != 2 || !their_turn(noise) || pattern_of(noise)->tokens[2][0] != S)
        return false;
    struct focal_noise copy = *noise;
    const bool good = read_static(&copy, &cur);
    if (good)
        *rs = copy.rs;
    focal_wipe(&copy, sizeof copy);
    return good;
}

bool focal_noise_done(const struct focal_noise *noise)
{
    return noise->message == pattern_of(noise)->messages;
}
