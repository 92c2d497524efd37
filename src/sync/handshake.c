/* Noise_XKpsk3 over the first three frames of a link.
 *
 *      dialler                      listener
 *      1  e, es            ───►
 *                          ◄───     2  e, ee
 *      3  s, se, psk       ───►     tries each psk that may belong to this static key
 *
 * Payloads are empty. What a psk opens decides the talk: the network secret a session, an invitation a join. */
#include "session.h"

#include <string.h>

enum focal_status handshake_start(struct focal_session *s)
{
    uint8_t prologue[37], ephemeral[32];
    focal_prologue(prologue, focal_oplog_network(s->host->oplog));
    s->host->entropy->fill(s->host->entropy->data, ephemeral, sizeof ephemeral);
    focal_noise_init(&s->secrets->noise, FOCAL_NOISE_XKpsk3, s->dialled, focal_span_of(prologue, sizeof prologue),
                     s->host->keys->channel_secret, s->dialled ? &s->far : NULL, ephemeral, s->dialled ? s->secrets->psk.key : NULL);
    focal_wipe(ephemeral, sizeof ephemeral);
    if (!s->dialled)
        return FOCAL_OK;

    struct focal_buf b;
    focal_buf_init(&b, FOCAL_FRAME_MAX);
    enum focal_status st = focal_noise_write(&s->secrets->noise, &b, focal_span_of(NULL, 0));
    if (st == FOCAL_OK)
        st = queue_raw(s, focal_buf_view(&b));
    focal_buf_close(&b);
    s->handshake_step = 1;
    return st;
}

/* Writes our next message, if it is our turn. */
static enum focal_status answer(struct focal_session *s)
{
    struct focal_buf b;
    focal_buf_init(&b, FOCAL_FRAME_MAX);
    enum focal_status st = focal_noise_write(&s->secrets->noise, &b, focal_span_of(NULL, 0));
    if (st == FOCAL_OK)
        st = queue_raw(s, focal_buf_view(&b));
    focal_buf_close(&b);
    return st;
}

static enum focal_status read_plain(struct focal_session *s, struct focal_span frame)
{
    struct focal_buf payload;
    focal_buf_init(&payload, FOCAL_FRAME_MAX);
    enum focal_status st = focal_noise_read(&s->secrets->noise, &payload, frame);
    if (st == FOCAL_OK && payload.len != 0)
        st = FOCAL_NEVER;
    focal_buf_close(&payload);
    return st;
}

static enum focal_status read_last(struct focal_session *s, struct focal_span frame)
{
    if (!focal_noise_peek_static(&s->secrets->noise, &s->far, frame))
        return FOCAL_NEVER;
    struct focal_psk candidates[1 + FOCAL_INVITATIONS_MAX];
    uint8_t keys[1 + FOCAL_INVITATIONS_MAX][32];
    const size_t room = 1 + FOCAL_INVITATIONS_MAX;
    size_t count = s->host->candidates(s->host->data, &s->far, candidates, room), which = 0;
    focal_assert(count <= room);
    for (size_t i = 0; i < count; i++)
        memcpy(keys[i], candidates[i].key, 32);
    enum focal_status st = count == 0
        ? FOCAL_DENIED
        : focal_noise_read_candidates(&s->secrets->noise, &which, (const uint8_t (*)[32])keys, count, frame);
    if (st == FOCAL_OK) {
        focal_assert(which < count);
        s->secrets->psk = candidates[which];
        s->far_known = true;
    }
    focal_wipe(keys, sizeof keys);
    focal_wipe(candidates, sizeof candidates);
    return st;
}

static enum focal_status finish(struct focal_session *s)
{
    focal_assert(focal_noise_done(&s->secrets->noise));
    focal_channel_open(&s->secrets->channel, &s->secrets->noise);
    s->channel_open = true;
    s->heard_ms = s->host->now.mono_ms;
    return talk_start(s);
}

enum focal_status handshake_frame(struct focal_session *s, struct focal_span frame)
{
    enum focal_status st = FOCAL_NEVER;
    if (s->dialled && s->handshake_step == 1) {
        st = read_plain(s, frame);
        if (st == FOCAL_OK)
            st = answer(s);
        s->handshake_step = 3;
        if (st == FOCAL_OK)
            st = finish(s);
    } else if (!s->dialled && s->handshake_step == 0) {
        st = read_plain(s, frame);
        if (st == FOCAL_OK)
            st = answer(s);
        s->handshake_step = 2;
    } else if (!s->dialled && s->handshake_step == 2) {
        st = read_last(s, frame);
        s->handshake_step = 3;
        if (st == FOCAL_OK)
            st = finish(s);
    }
    return st;
}
