/* Invitations and admission, both ends.
 *
 *   invited ──JOIN──► joined ──certificate brought by hand──► admitted ──first session under the network secret──► closed
 *
 * An invitation stays usable by the key admitted with it until that key's first session under the network secret: a crash
 * between the certificate and the newcomer hearing of it costs nothing, it dials again and is told again. */
#include "inner.h"

#include <string.h>

struct invite {                         /* a row of shelf INVITATION */
    struct focal_join_waiting is;
    uint8_t psk[FOCAL_PSK_BYTES];
};
enum { JOINED = 1, ADMITTED = 2, CLOSED = 4, MAY_REDACT = 8, INVITE_BYTES = 12 + 3 + 16 + 4 + 1 + 96 };

static void invite_encode(uint8_t out[INVITE_BYTES], const struct invite *v)
{
    memset(out, 0, INVITE_BYTES);
    memcpy(out, v->is.office.text, strlen(v->is.office.text));
    memcpy(out + 12, v->is.country, 3);
    memcpy(out + 15, v->psk, 16);
    for (int i = 0; i < 4; i++)
        out[31 + i] = (uint8_t)(v->is.expires_day >> (24 - 8 * i));
    out[35] = (uint8_t)((v->is.joined ? JOINED : 0) | (v->is.admitted ? ADMITTED : 0) | (v->is.closed ? CLOSED : 0) | (v->is.may_redact ? MAY_REDACT : 0));
    memcpy(out + 36, v->is.keys.sign.b, 32);
    memcpy(out + 68, v->is.keys.channel.b, 32);
    memcpy(out + 100, v->is.keys.open.b, 32);
}

static bool invite_decode(struct invite *v, struct focal_span key, struct focal_span bytes)
{
    memset(v, 0, sizeof *v);
    if (key.len != 8 || bytes.len != INVITE_BYTES)
        return false;
    const uint8_t *in = bytes.data;
    v->is.invitation = focal_get_be64(key.data);
    memcpy(v->is.office.text, in, 12);
    memcpy(v->is.country, in + 12, 3);
    memcpy(v->psk, in + 15, 16);
    for (int i = 0; i < 4; i++)
        v->is.expires_day = v->is.expires_day << 8 | in[31 + i];
    v->is.joined = in[35] & JOINED;
    v->is.admitted = in[35] & ADMITTED;
    v->is.closed = in[35] & CLOSED;
    v->is.may_redact = in[35] & MAY_REDACT;
    memcpy(v->is.keys.sign.b, in + 36, 32);
    memcpy(v->is.keys.channel.b, in + 68, 32);
    memcpy(v->is.keys.open.b, in + 100, 32);
    return true;
}

static enum focal_status invite_get(struct focal_node *n, uint64_t number, struct invite *v)
{
    uint8_t key[8];
    focal_put_be64(key, number);
    struct focal_buf value;
    focal_buf_init(&value, 1024);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_INVITATION, focal_span_of(key, 8), &value);
    if (st == FOCAL_OK && !invite_decode(v, focal_span_of(key, 8), focal_buf_view(&value)))
        st = FOCAL_DAMAGED;
    focal_buf_wipe_close(&value);
    return st;
}

static enum focal_status invite_put(struct focal_node *n, const struct invite *v)
{
    uint8_t key[8], value[INVITE_BYTES];
    focal_put_be64(key, v->is.invitation);
    invite_encode(value, v);
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_store_put(n->store, FOCAL_SHELF_INVITATION, focal_span_of(key, 8), focal_span_of(value, sizeof value));
    focal_wipe(value, sizeof value);
    return st;
}

/* Walks invitations by number; *number starts at 0. False at the end. */
static bool invite_next(struct focal_node *n, uint64_t *number, struct invite *v)
{
    uint8_t after[8];
    focal_put_be64(after, *number);
    struct focal_buf key, value;
    focal_buf_init(&key, 64);
    focal_buf_init(&value, 1024);
    bool ok = focal_store_next(n->store, FOCAL_SHELF_INVITATION, focal_span_of(after, 8), &key, &value) == FOCAL_OK
              && invite_decode(v, focal_buf_view(&key), focal_buf_view(&value));
    if (ok)
        *number = v->is.invitation;
    focal_buf_close(&key);
    focal_buf_wipe_close(&value);
    return ok;
}

/* ---- first contents --------------------------------------------------------------------------------------------------- */

static const char SECRET_KEY[] = "network-secret", TOKEN_KEY[] = "invitation", KEY_KEY[] = "signing-key";

enum focal_status focal_node_found_hq(struct focal_store *store, struct focal_span genesis, struct focal_span certificate, const uint8_t secret[32])
{
    enum focal_status st = focal_oplog_found(store, genesis);
    struct focal_oplog *ol = NULL;
    if (st == FOCAL_OK)
        st = focal_oplog_open(&ol, store, NULL, NULL, NULL, NULL);
    if (st == FOCAL_OK)
        st = focal_store_begin(store);
    if (st == FOCAL_OK) {
        st = focal_oplog_add_statement(ol, certificate);
        if (st == FOCAL_OK)
            st = focal_store_put(store, FOCAL_SHELF_META, focal_span_text(SECRET_KEY), focal_span_of(secret, 32));
        if (st == FOCAL_OK)
            st = focal_store_commit(store);
        else
            focal_store_rollback(store);
    }
    focal_oplog_close(ol);
    return st;
}

enum focal_status join_put_token(struct focal_store *store, struct focal_span token)
{
    return focal_store_put(store, FOCAL_SHELF_META, focal_span_text(TOKEN_KEY), token);
}

enum focal_status focal_node_found_office(struct focal_store *store, const struct focal_invitation *invitation, struct focal_span token)
{
    enum focal_status st = focal_oplog_found(store, invitation->genesis);
    if (st == FOCAL_OK)
        st = focal_store_begin(store);
    if (st != FOCAL_OK)
        return st;
    st = join_put_token(store, token);
    if (st == FOCAL_OK)
        return focal_store_commit(store);
    focal_store_rollback(store);
    return st;
}

/* A database belongs to the key it was first opened with. Another member's key would write that member's entries from here
 * while it writes its own elsewhere: a fork that nobody meant. */
static enum focal_status bind_key(struct focal_node *n, struct focal_error *err)
{
    struct focal_buf value;
    struct focal_span mine = focal_span_of(n->keys->sign_public.b, sizeof n->keys->sign_public.b);
    focal_buf_init(&value, 256);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(KEY_KEY), &value);
    bool fits = focal_span_equal(focal_buf_view(&value), mine);
    focal_buf_close(&value);
    if (st == FOCAL_OK)
        return fits ? FOCAL_OK : focal_fail(err, FOCAL_DENIED, "put the key file back that `focald setup` made in this directory",
                                            "the node's key is not the one this database was made with");
    if (st == FOCAL_NOT_FOUND)
        st = focal_store_begin(n->store);
    if (st == FOCAL_OK) {
        st = focal_store_put(n->store, FOCAL_SHELF_META, focal_span_text(KEY_KEY), mine);
        if (st == FOCAL_OK)
            st = focal_store_commit(n->store);
        else
            focal_store_rollback(n->store);
    }
    return st == FOCAL_OK ? st : focal_fail(err, st, "run `focalctl verify`", "the database cannot be bound to the node's key");
}

enum focal_status join_load(struct focal_node *n, struct focal_error *err)
{
    enum focal_status bound = bind_key(n, err);
    if (bound != FOCAL_OK)
        return bound;
    struct focal_buf value;
    focal_buf_init(&value, 4096);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(SECRET_KEY), &value);
    n->secret_set = st == FOCAL_OK && value.len == 32;
    if (n->secret_set)
        memcpy(n->secret, value.data, 32);
    focal_buf_wipe_close(&value);
    if (st != FOCAL_OK && st != FOCAL_NOT_FOUND)
        return focal_fail(err, st, "run `focalctl verify`", "the network secret cannot be read");

    st = focal_store_get(n->store, FOCAL_SHELF_META, focal_span_text(TOKEN_KEY), &n->invitation_token);
    if (st == FOCAL_OK)
        st = focal_invitation_decode(&n->invitation, &n->invitation_bytes, focal_buf_view(&n->invitation_token), err);
    else if (st == FOCAL_NOT_FOUND)
        st = FOCAL_OK;
    else
        return focal_fail(err, st, "run `focalctl verify`", "the invitation cannot be read");
    n->invited = st == FOCAL_OK && n->invitation_token.len != 0;
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    if (mine)
        n->office = mine->office;
    else if (n->invited)
        n->office = n->invitation.office;
    return st;
}

/* ---- the listener's end -------------------------------------------------------------------------------------------------- */

/* Who knows no other member has lost its database: whoever knows the network's secret may tell it who there is. Until it holds
 * their memberships nothing else is spoken of. */
static bool knows_nobody(const struct focal_node *n)
{
    return focal_oplog_mine(n->oplog) && !focal_oplog_office_at(n->oplog, 1);
}

size_t join_candidates(struct focal_node *n, const struct focal_key *channel, struct focal_psk *out, size_t room)
{
    size_t count = 0;
    if (n->secret_set && count < room && (focal_oplog_certificate_by_channel(n->oplog, channel) || knows_nobody(n))) {
        memset(&out[count], 0, sizeof out[count]);
        memcpy(out[count].key, n->secret, 32);
        out[count++].is_network = true;
    }
    uint64_t number = 0;
    struct invite v;
    uint32_t today = (uint32_t)(n->host.now.wall_ms / 86400000u);
    while (count < room && invite_next(n, &number, &v)) {
        bool theirs = v.is.admitted && focal_key_equal(&v.is.keys.channel, channel);
        if (v.is.closed || (v.is.admitted && !theirs) || (!theirs && v.is.expires_day && today > v.is.expires_day))
            continue;
        memset(&out[count], 0, sizeof out[count]);
        focal_psk_widen(out[count].key, focal_oplog_network(n->oplog), v.psk);
        out[count++].invitation = v.is.invitation;
    }
    focal_wipe(&v, sizeof v);
    return count;
}

static enum focal_status seal_secret(struct focal_node *n, const struct focal_key *to, struct focal_buf *sealed)
{
    uint8_t random[32];
    n->entropy.fill(n->entropy.data, random, sizeof random);
    enum focal_status st = focal_box_seal(sealed, focal_span_of(n->secret, 32), to, random);
    focal_wipe(random, sizeof random);
    return st;
}

enum focal_status join_joined(struct focal_node *n, struct focal_session *s, uint64_t invitation, const struct focal_public_keys *keys, struct focal_buf *sealed)
{
    (void)s;
    struct invite v;
    enum focal_status st = invite_get(n, invitation, &v);
    if (st == FOCAL_NOT_FOUND)
        return FOCAL_DENIED;
    if (st != FOCAL_OK)
        return st;
    bool same = v.is.joined && memcmp(&v.is.keys, keys, sizeof *keys) == 0;
    if (v.is.admitted)
        st = same && n->secret_set ? seal_secret(n, &keys->open, sealed) : FOCAL_DENIED;
    else if (!same) {
        /* Whoever came last waits: the eight words, compared by people, decide who is admitted. */
        v.is.joined = true;
        v.is.keys = *keys;
        st = invite_put(n, &v);
    }
    focal_wipe(v.psk, sizeof v.psk);
    return st;
}

static void admit_waiting(struct focal_node *n, const struct focal_certificate *c)
{
    for (size_t i = 0; i < n->link_count; i++) {
        struct focal_session *s = n->links[i].session;
        if (focal_session_state(s) != FOCAL_SESSION_JOINING || !focal_key_equal(focal_session_far(s), &c->keys.channel))
            continue;
        struct focal_buf sealed;
        focal_buf_init(&sealed, 1024);
        if (seal_secret(n, &c->keys.open, &sealed) == FOCAL_OK)
            focal_session_admit(s, focal_buf_view(&sealed));
        else
            focal_session_bye(s, FOCAL_BYE_CLOSING);    /* it dials again, and is told then */
        focal_buf_wipe_close(&sealed);
    }
}

enum focal_status join_statement(struct focal_node *n, struct focal_span statement)
{
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_oplog_add_statement(n->oplog, statement);
    if (st != FOCAL_OK)
        return st;
    struct focal_statement decoded;
    if (focal_statement_decode(&decoded, statement) == FOCAL_OK && decoded.kind == FOCAL_STATEMENT_CERTIFICATE
        && decoded.is.certificate.invitation_set) {
        const struct focal_certificate *c = &decoded.is.certificate;
        struct invite v;
        st = invite_get(n, c->invitation, &v);
        if (st == FOCAL_OK) {   /* the authority has chosen these keys, whoever else asked under the invitation since */
            v.is.joined = v.is.admitted = true;
            v.is.keys = c->keys;
            st = invite_put(n, &v);
            if (st == FOCAL_OK && n->secret_set)
                admit_waiting(n, c);
        } else if (st == FOCAL_NOT_FOUND) {
            st = FOCAL_OK;      /* an invitation of another node */
        }
        focal_wipe(&v, sizeof v);
    }
    n->renewals_looked = false;         /* it may be the key for them, or a member that is late */
    statements_tell(n);
    return st;
}

enum focal_status join_invite(struct focal_node *n, const struct focal_invitation *invitation)
{
    uint64_t number = 0;
    size_t open = 0;
    struct invite v;
    while (invite_next(n, &number, &v))
        open += !v.is.closed && !v.is.admitted;
    if (open >= FOCAL_INVITATIONS_MAX)
        return FOCAL_FULL;
    if (invite_get(n, invitation->number, &v) == FOCAL_OK)
        return FOCAL_EXISTS;
    memset(&v, 0, sizeof v);
    v.is.invitation = invitation->number;
    v.is.office = invitation->office;
    memcpy(v.is.country, invitation->country, 4);
    v.is.expires_day = invitation->expires_day;
    v.is.may_redact = invitation->may_redact;
    memcpy(v.psk, invitation->psk, sizeof v.psk);
    enum focal_status st = invite_put(n, &v);
    focal_wipe(&v, sizeof v);
    return st;
}

/* The key's first session under the network secret: its invitation has done its work. */
enum focal_status join_first_session(struct focal_node *n, const struct focal_key *channel)
{
    uint64_t number = 0;
    struct invite v;
    enum focal_status st = FOCAL_OK;
    while (st == FOCAL_OK && invite_next(n, &number, &v)) {
        if (v.is.closed || !v.is.admitted || !focal_key_equal(&v.is.keys.channel, channel))
            continue;
        v.is.closed = true;
        focal_wipe(v.psk, sizeof v.psk);
        st = invite_put(n, &v);
    }
    focal_wipe(&v, sizeof v);
    return st;
}

uint64_t focal_node_next_invitation(struct focal_node *n)
{
    struct focal_buf key;
    focal_buf_init(&key, 64);
    uint64_t next = 1;
    if (focal_store_prev(n->store, FOCAL_SHELF_INVITATION, focal_span_of(NULL, 0), &key, NULL) == FOCAL_OK && key.len == 8)
        next = focal_get_be64(key.data) + 1;
    focal_buf_close(&key);
    return next;
}

size_t focal_node_waiting_joins(struct focal_node *n, struct focal_join_waiting *out, size_t room)
{
    uint64_t number = 0;
    size_t count = 0;
    struct invite v;
    while (count < room && invite_next(n, &number, &v))
        out[count++] = v.is;
    focal_wipe(&v, sizeof v);
    return count;
}

/* ---- the joiner's end ---------------------------------------------------------------------------------------------------------- */

enum focal_status join_admitted(struct focal_node *n, struct focal_span sealed)
{
    struct focal_buf secret;
    focal_buf_init(&secret, 64);
    enum focal_status st = focal_box_open(&secret, sealed, n->keys);
    if (st == FOCAL_OK && secret.len != 32)
        st = FOCAL_NEVER;
    if (st == FOCAL_OK)
        st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_store_put(n->store, FOCAL_SHELF_META, focal_span_text(SECRET_KEY), focal_buf_view(&secret));
    if (st == FOCAL_OK) {
        memcpy(n->secret, secret.data, 32);
        n->secret_set = true;
        for (size_t i = 0; i < n->peer_count; i++) {    /* now dial again, as a member */
            n->peers[i].tries = 0;
            n->peers[i].next_dial_ms = n->host.now.mono_ms;
        }
    }
    focal_buf_wipe_close(&secret);
    return st;
}
