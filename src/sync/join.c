/* JOIN and ADMIT: a newcomer under an invitation's psk shows its three keys; once people have compared the eight words and
 * signed its membership, it receives the network secret sealed to its key. Until then the link just waits. */
#include "session.h"

enum focal_status join_send(struct focal_session *s)
{
    struct focal_message m = { .type = FOCAL_MSG_JOIN };
    const struct focal_node_keys *keys = s->host->keys;
    m.is.join.sign = keys->sign_public;
    m.is.join.channel = keys->channel_public;
    m.is.join.open = keys->open_public;
    focal_join_sign(&m.is.join.signature, keys, focal_oplog_network(s->host->oplog), &s->secrets->channel.handshake);
    return queue_message(s, &m);
}

enum focal_status join_take(struct focal_session *s, const struct focal_join *j)
{
    struct focal_public_keys keys = { .sign = j->sign, .channel = j->channel, .open = j->open };
    focal_assert(!s->secrets->psk.is_network);           /* else it would be a talk */
    if (s->dialled || !focal_key_equal(&j->channel, &s->far))
        return FOCAL_NEVER;
    if (!focal_join_verify(&j->signature, &keys, focal_oplog_network(s->host->oplog), &s->secrets->channel.handshake))
        return FOCAL_NEVER;
    struct focal_buf sealed;
    focal_buf_init(&sealed, 1024);
    enum focal_status st = s->host->writing(s->host->data);
    if (st == FOCAL_OK)
        st = s->host->joined(s->host->data, s, s->secrets->psk.invitation, &keys, &sealed);
    if (st == FOCAL_OK && sealed.len != 0)
        focal_session_admit(s, focal_buf_view(&sealed));
    focal_buf_wipe_close(&sealed);
    return st;
}

void focal_session_admit(struct focal_session *s, struct focal_span sealed_secret)
{
    if (s->state != FOCAL_SESSION_JOINING || s->dialled)
        return;
    struct focal_message m = { .type = FOCAL_MSG_ADMIT };
    m.is.admit.sealed_secret = sealed_secret;
    if (queue_message(s, &m) != FOCAL_OK)
        s->closing = true;      /* they dial again and are told again */
}
