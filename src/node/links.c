/* Links and their sessions; what a session asks of its node. */
#include "inner.h"

#include <string.h>

struct link *link_find(struct focal_node *n, uint64_t link)
{
    for (size_t i = 0; i < n->link_count; i++)
        if (n->links[i].link == link)
            return &n->links[i];
    return NULL;
}

const struct link *link_of_office_next(const struct focal_node *n, const struct focal_office *office, const struct link *after)
{
    for (const struct link *l = after ? after + 1 : n->links; l < n->links + n->link_count; l++) {
        if (!l->up || focal_session_state(l->session) != FOCAL_SESSION_TALKING || l->closing_since_ms || l->close_ordered)
            continue;
        const struct focal_certificate *c = focal_session_certificate(l->session);
        if (office->text[0] ? c && strcmp(c->office.text, office->text) == 0
                            : n->invited && focal_key_equal(focal_session_far(l->session), &n->invitation.listener))
            return l;
    }
    return NULL;
}

/* One that has said HELLO before one that has not. */
const struct link *link_of_office(const struct focal_node *n, const struct focal_office *office)
{
    const struct link *best = NULL;
    for (const struct link *l = NULL; (l = link_of_office_next(n, office, l)) != NULL;) {
        bool named = focal_session_named(l->session), best_named = best && focal_session_named(best->session);
        if (!best || (named == best_named ? best->link < l->link : named))
            best = l;
    }
    return best;
}

bool peer_linked(const struct focal_node *n, const struct peer *p)
{
    for (size_t i = 0; i < n->link_count; i++)
        if (peer_of_session(n, n->links[i].session) == p)
            return true;
    return false;
}

static void closing(struct focal_node *n, struct link *l)
{
    if (!l->closing_since_ms)
        l->closing_since_ms = n->host.now.mono_ms ? n->host.now.mono_ms : 1;
}

void link_end(struct focal_node *n, struct link *l, enum focal_bye_reason reason)
{
    focal_session_bye(l->session, reason);
    closing(n, l);
}

static void refuse(struct focal_node *n, uint64_t link)
{
    node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_CLOSE, .link = link });
}

/* The psk and key to dial a peer with: sessions under the network's secret, a first contact under the invitation's. */
static bool dial_with(struct focal_node *n, const struct peer *p, struct focal_key *far, struct focal_psk *psk)
{
    memset(psk, 0, sizeof *psk);
    const struct focal_certificate *c = p->office.text[0] ? focal_oplog_certificate(n->oplog, &p->office) : NULL;
    if (!c && !n->invited)
        return false;
    *far = c ? c->keys.channel : n->invitation.listener;
    if (n->secret_set) {
        memcpy(psk->key, n->secret, 32);
        psk->is_network = true;
        return true;
    }
    if (!n->invited)
        return false;
    focal_psk_widen(psk->key, focal_oplog_network(n->oplog), n->invitation.psk);
    psk->invitation = n->invitation.number;
    return true;
}

enum focal_status link_opened(struct focal_node *n, uint64_t link, bool dialled, uint64_t dial_tag)
{
    struct focal_session *s = NULL;
    if (dialled) {
        struct peer *p = NULL;
        for (size_t i = 0; i < n->peer_count; i++)
            if (n->peers[i].dial_tag == dial_tag && dial_tag != 0)
                p = &n->peers[i];
        struct focal_key far;
        struct focal_psk psk;
        if (!p || p->paused || !dial_with(n, p, &far, &psk)) {
            dial_dropped(n, dial_tag);
            refuse(n, link);
            return FOCAL_OK;
        }
        if (n->link_count < LINKS_MAX)
            s = focal_session_dialled(&n->host, link, &far, &psk);
        focal_wipe(&psk, sizeof psk);
    } else if (n->link_count < LINKS_MAX) {
        s = focal_session_accepted(&n->host, link);
    }
    if (!s) {
        dial_dropped(n, dial_tag);
        refuse(n, link);
        return FOCAL_OK;
    }
    n->links[n->link_count++] = (struct link){ .link = link, .session = s };
    return FOCAL_OK;
}

/* A dialler has written the last message of the handshake and does not know yet whether its key is accepted. */
static bool heard_nothing(const struct focal_session *s)
{
    return !focal_session_proven(s) || (focal_session_is_dialled(s) && focal_session_bytes(s, false) == 0);
}

static void link_spoke(struct focal_node *n, struct link *l)
{
    struct peer *p = peer_of_session(n, l->session);
    if (l->up || l->closing_since_ms || heard_nothing(l->session) || focal_session_bye_reason(l->session) >= 0)
        return;
    l->up = true;
    if (p && focal_session_state(l->session) == FOCAL_SESSION_TALKING)
        peer_link_up(n, p);
    else if (p)
        p->tries = 0;
}

enum focal_status link_frame(struct focal_node *n, uint64_t link, struct focal_span bytes)
{
    struct link *l = link_find(n, link);
    if (!l || l->closing_since_ms || l->close_ordered)
        return FOCAL_OK;
    bool proven = focal_session_proven(l->session);
    enum focal_status st = focal_session_frame(l->session, bytes);
    if (focal_sync_world(st))
        return st;
    if (!proven && focal_session_proven(l->session) && !l->proven_told) {
        l->proven_told = true;
        node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_PROVEN, .link = link });
    }
    if (st != FOCAL_OK) {
        focal_trace_line(&n->trace, FOCAL_WARNING, "node", "link %llu closed: %s", (unsigned long long)link, focal_status_name(st));
        focal_session_bye(l->session, FOCAL_BYE_FAULT);
        l->fault = true;
        closing(n, l);
    } else {
        link_spoke(n, l);
    }
    return FOCAL_OK;
}

static const char *why_text(const struct focal_session *s, enum focal_status why)
{
    switch (focal_session_bye_reason(s)) {
    case FOCAL_BYE_PAUSED:       return "they paused the link";
    case FOCAL_BYE_NOT_A_MEMBER: return "they do not know our membership";
    case FOCAL_BYE_VERSION:      return "their program speaks another version";
    case FOCAL_BYE_FAULT:        return "they closed the link over something we sent";
    default: break;
    }
    if (why != FOCAL_TIMEOUT && focal_session_is_dialled(s) && !focal_session_proven(s))
        return "the link closed before the handshake was done: it is not them, or the line was cut";
    if (why != FOCAL_TIMEOUT && heard_nothing(s))
        return "they closed the link without a word: they do not accept our key (yet)";
    return why == FOCAL_TIMEOUT ? "no answer for a minute" : "the link was cut";
}

void link_closed(struct focal_node *n, uint64_t link, enum focal_status why)
{
    struct link *l = link_find(n, link);
    if (!l)
        return;
    struct peer *p = peer_of_session(n, l->session);
    const char *text = why_text(l->session, why);
    const int bye = focal_session_bye_reason(l->session);
    bool refused = focal_session_is_dialled(l->session) && ((why != FOCAL_TIMEOUT && heard_nothing(l->session)) || bye == FOCAL_BYE_NOT_A_MEMBER);
    bool fault = l->fault || bye == FOCAL_BYE_FAULT || bye == FOCAL_BYE_VERSION;
    focal_session_free(l->session);
    *l = n->links[--n->link_count];
    if (!p || link_of_office(n, &p->office))
        return;
    if (fault && p->tries < p->tries_before)
        p->tries = p->tries_before;     /* a link that ends so will end so again: it is no reason to dial often */
    peer_link_down(n, p, text, refused);
    if (bye == FOCAL_BYE_PAUSED && p->next_dial_ms > n->host.now.mono_ms + PAUSED_REDIAL_MS)
        p->next_dial_ms = n->host.now.mono_ms + PAUSED_REDIAL_MS;
}

void links_close_office(struct focal_node *n, const struct focal_office *office, enum focal_bye_reason reason)
{
    for (size_t i = 0; i < n->link_count; i++) {
        struct peer *p = peer_of_session(n, n->links[i].session);
        if (!p || strcmp(p->office.text, office->text) != 0)
            continue;
        link_end(n, &n->links[i], reason);
    }
}

enum focal_status links_tick(struct focal_node *n)
{
    enum focal_status st = copies_look(n);
    if (st != FOCAL_OK)
        return st;
    for (size_t i = 0; i < n->link_count; i++) {
        struct link *l = &n->links[i];
        uint64_t now = n->host.now.mono_ms;
        st = focal_session_tick(l->session);
        if (focal_sync_world(st))
            return st;
        bool overdue = l->closing_since_ms && now - l->closing_since_ms >= CLOSING_MS;
        if ((st != FOCAL_OK || overdue) && !l->close_ordered) {
            l->close_ordered = true;
            node_order(n, &(struct focal_order){ .type = FOCAL_ORDER_CLOSE, .link = l->link });
        }
        struct peer *p = peer_of_session(n, l->session);
        if (!p || !l->up || focal_session_state(l->session) != FOCAL_SESSION_TALKING)
            continue;
        st = receipts_pass_on(n, l, p);
        if (st == FOCAL_OK && !n->host.pause_strict)
            st = peer_keep_heard(n, p, now - focal_session_heard_ms(l->session));
        if (st != FOCAL_OK)
            return st;
    }
    return FOCAL_OK;
}

/* ---- what a session asks ---------------------------------------------------------------------------------------------- */

static enum focal_status on_writing(void *data) { return node_writing(data); }

static size_t on_candidates(void *data, const struct focal_key *channel, struct focal_psk *out, size_t room)
{
    return join_candidates(data, channel, out, room);
}

/* One link waits for each invitation, the newest: whoever holds one must not take the places of members. */
static void keep_newest_joiner(struct focal_node *n, const struct focal_session *fresh)
{
    for (size_t i = 0; i < n->link_count && !focal_session_is_dialled(fresh); i++) {
        struct focal_session *old = n->links[i].session;
        if (old == fresh || focal_session_state(old) != FOCAL_SESSION_JOINING || focal_session_is_dialled(old)
            || focal_session_invitation(old) != focal_session_invitation(fresh))
            continue;
        focal_session_bye(old, FOCAL_BYE_DUPLICATE);
        closing(n, &n->links[i]);
    }
}

static bool ready(struct focal_node *n, struct focal_session *s)
{
    struct peer *p = peer_of_session(n, s);
    if (p && p->paused) {
        focal_session_bye(s, FOCAL_BYE_PAUSED);
        return false;
    }
    if (focal_session_state(s) != FOCAL_SESSION_TALKING) {
        keep_newest_joiner(n, s);
        return true;
    }
    copies_keep_few(n, s);
    return focal_session_is_dialled(s) || join_first_session(n, focal_session_far(s)) == FOCAL_OK;
}

static bool on_ready(void *data, struct focal_session *s)
{
    struct focal_node *n = data;
    struct link *l = link_find(n, focal_session_link(s));
    bool yes = ready(n, s);
    if (!yes && l)
        closing(n, l);
    return yes;
}

static bool on_named(void *data, struct focal_session *s)
{
    struct focal_node *n = data;
    struct link *l = link_find(n, focal_session_link(s));
    bool yes = copies_named(n, s);
    if (!yes && l)
        closing(n, l);
    return yes;
}

static enum focal_status on_joined(void *data, struct focal_session *s, uint64_t invitation, const struct focal_public_keys *keys, struct focal_buf *sealed)
{
    return join_joined(data, s, invitation, keys, sealed);
}

static enum focal_status on_admitted(void *data, struct focal_session *s, struct focal_span sealed)
{
    (void)s;
    return join_admitted(data, sealed);
}

void statements_tell(struct focal_node *n)
{
    n->others_day_looked = false;
    n->peers_stale = true;
    for (size_t i = 0; i < n->link_count; i++)
        if (focal_session_rights_changed(n->links[i].session) != FOCAL_OK)
            focal_session_bye(n->links[i].session, FOCAL_BYE_CLOSING);
}

static void on_statements_changed(void *data, struct focal_session *from)
{
    struct focal_node *n = data;
    (void)from;
    follow_begin(n);            /* it may let us write where we could not */
    statements_tell(n);
}

static bool on_expired(void *data, const struct focal_certificate *c) { return expiry_stops(data, c); }

static enum focal_status on_receipt(void *data, struct focal_session *from, struct focal_span body, const struct focal_signature *signature)
{
    return receipts_take(data, from, body, signature);
}

void links_host(struct focal_node *n)
{
    n->host.data = n;
    n->host.writing = on_writing;
    n->host.candidates = on_candidates;
    n->host.ready = on_ready;
    n->host.named = on_named;
    n->host.joined = on_joined;
    n->host.admitted = on_admitted;
    n->host.statements_changed = on_statements_changed;
    n->host.receipt = on_receipt;
    n->host.expired = on_expired;
}
