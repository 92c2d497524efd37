/* The other offices: derived from the memberships held and the addresses they published; whom to dial, and when. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

struct peer *peer_of(const struct focal_node *n, const struct focal_office *office)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (strcmp(n->peers[i].office.text, office->text) == 0)
            return &n->peers[i];
    return NULL;
}

struct peer *peer_of_session(const struct focal_node *n, const struct focal_session *s)
{
    const struct focal_certificate *c = focal_session_certificate(s);
    if (c)
        return peer_of(n, &c->office);
    if (n->invited && focal_key_equal(focal_session_far(s), &n->invitation.listener))
        return peer_of(n, &(struct focal_office){ .text = "" });
    return NULL;
}

/* ---- what is kept of a peer over a restart ----------------------------------------------------------------------- */

static void paused_key(struct focal_buf *key, const struct focal_office *office)
{
    focal_buf_text(key, "paused/");
    focal_buf_text(key, office->text);
}

static enum focal_status load_kept(struct focal_node *n, struct peer *p)
{
    struct focal_buf key, value;
    focal_buf_init(&key, 64);
    focal_buf_init(&value, 256);
    enum focal_status st = focal_store_get(n->store, FOCAL_SHELF_PEER, focal_span_text(p->office.text), &value);
    if (st == FOCAL_OK && value.len == 16) {
        p->heard_wall_ms = p->heard_kept_wall_ms = focal_get_be64(value.data);
        p->passed_on_wall_ms = focal_get_be64(value.data + 8);
    }
    if (st == FOCAL_OK || st == FOCAL_NOT_FOUND) {
        paused_key(&key, &p->office);
        st = key.failed ? FOCAL_NO_MEMORY : focal_store_get(n->store, FOCAL_SHELF_META, focal_buf_view(&key), &value);
        p->paused = st == FOCAL_OK && !FOCAL_PLANTED(PAUSE_FORGOTTEN);
    }
    focal_buf_close(&key);
    focal_buf_close(&value);
    return st == FOCAL_NOT_FOUND ? FOCAL_OK : st;
}

/* Written at most once a minute: "last heard" may be that much too old after a crash. */
enum focal_status peer_keep_heard(struct focal_node *n, struct peer *p, uint64_t ago_ms)
{
    p->heard_wall_ms = n->host.now.wall_ms - (ago_ms < n->host.now.wall_ms ? ago_ms : n->host.now.wall_ms);
    if (!p->office.text[0] || p->heard_wall_ms - p->heard_kept_wall_ms < 60000)
        return FOCAL_OK;
    p->heard_kept_wall_ms = p->heard_wall_ms;
    uint8_t value[16];
    focal_put_be64(value, p->heard_wall_ms);
    focal_put_be64(value + 8, p->passed_on_wall_ms);
    enum focal_status st = node_writing(n);
    return st != FOCAL_OK ? st : focal_store_put(n->store, FOCAL_SHELF_PEER, focal_span_text(p->office.text), focal_span_of(value, sizeof value));
}

/* ---- deriving the list ---------------------------------------------------------------------------------------------- */

enum { OTHERS_MAX = 64 };

static bool want(struct peer *p)
{
    const bool fresh = !p->wanted;
    p->wanted = true;
    return fresh;
}

/* The other members of a scope that can be dialled, in order of code. *after: the first of them after us, so that the choices
 * of many offices make a ring, not a star. *have: one is wanted already. */
static size_t others_of(struct focal_node *n, const struct focal_certificate *mine, const struct focal_scope *scope,
                        struct peer *others[OTHERS_MAX], size_t *after, bool *have)
{
    size_t count = 0;
    for (size_t i = 0; i < n->peer_count && count < OTHERS_MAX; i++) {
        const struct focal_certificate *c = focal_oplog_certificate(n->oplog, &n->peers[i].office);
        if (!c || c->role == FOCAL_ROLE_HQ || !n->peers[i].address_count || !focal_oplog_may_read(n->oplog, c, scope))
            continue;
        *have = *have || n->peers[i].wanted;
        *after += strcmp(c->office.text, mine->office.text) < 0;
        others[count++] = &n->peers[i];
    }
    return count;
}

/* An office dials headquarters and one other member of each of its scopes, at most four in all; headquarters is dialled. Where
 * what is lacking does not come (ways.c), it dials another of them too, each in its turn. */
static void choose_dials(struct focal_node *n)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    size_t chosen = 0;
    for (size_t i = 0; i < n->peer_count; i++)
        n->peers[i].wanted = false;
    if (!mine || !n->secret_set) {
        for (size_t i = 0; i < n->peer_count; i++)      /* before admission: whoever invited us */
            n->peers[i].wanted = n->invited;
        return;
    }
    if (mine->role == FOCAL_ROLE_HQ) {      /* one that took another's place dials who let it in: nobody else knows where it is yet */
        for (size_t i = 0; i < n->peer_count; i++) {
            const struct focal_certificate *c = focal_oplog_certificate(n->oplog, &n->peers[i].office);
            n->peers[i].wanted = n->invited && c && focal_key_equal(&c->keys.channel, &n->invitation.listener);
        }
        return;
    }
    struct peer *inviter = peer_of(n, &(struct focal_office){ .text = "" });
    if (inviter) {              /* its certificate is not held yet: it is the way to all others */
        inviter->wanted = true;
        chosen++;
    }
    for (size_t i = 0; i < n->peer_count; i++) {
        const struct focal_certificate *c = focal_oplog_certificate(n->oplog, &n->peers[i].office);
        if (c && c->role == FOCAL_ROLE_HQ && !focal_oplog_cut_of(n->oplog, &c->keys.sign) && n->peers[i].address_count && chosen < n->dials_max) {
            n->peers[i].wanted = true;
            chosen++;
        }
    }
    for (size_t k = 0; k < mine->read_count && chosen < n->dials_max; k++) {
        struct peer *others[OTHERS_MAX];
        bool have = false;
        size_t after = 0, count = others_of(n, mine, &mine->read[k], others, &after, &have);
        chosen += count && !have && want(others[after % count]);
        if (count && n->ways.turn && chosen < n->dials_max)
            chosen += want(others[(after + n->ways.turn) % count]);
    }
}

void peers_other_ways(struct focal_node *n, bool stuck)
{
    n->ways.turn = stuck ? n->ways.turn + 1 : 0;
    choose_dials(n);
}

static enum focal_status add_peer(struct focal_node *n, struct peer *list, size_t *count, const struct focal_office *office)
{
    const struct peer *old = peer_of(n, office);
    struct peer *p = &list[(*count)++];
    if (old) {
        *p = *old;
        return FOCAL_OK;
    }
    p->office = *office;
    p->next_dial_ms = n->host.now.mono_ms;
    return load_kept(n, p);
}

static void find_addresses(struct focal_node *n, struct peer *p)
{
    const struct focal_certificate *c = p->office.text[0] ? focal_oplog_certificate(n->oplog, &p->office) : NULL;
    p->address_count = c ? addresses_of(n, p, p->addresses, ADDRESSES_MAX) : 0;
    if (c && p->address_count == 0)
        keepsake_addresses(n, p);
    bool inviter = n->invited && (!c || focal_key_equal(&c->keys.channel, &n->invitation.listener));
    for (size_t i = 0; inviter && i < n->invitation.address_count && p->address_count < ADDRESSES_MAX; i++) {
        bool known = false;
        for (size_t k = 0; k < p->address_count; k++)
            known = known || strcmp(p->addresses[k], n->invitation.addresses[i]) == 0;
        if (!known)
            (void)snprintf(p->addresses[p->address_count++], ADDRESS_BYTES, "%s", n->invitation.addresses[i]);
    }
}

enum focal_status peers_derive(struct focal_node *n)
{
    size_t offices = 0;
    while (focal_oplog_office_at(n->oplog, offices))
        offices++;
    struct peer *list = focal_alloc((offices + 1) * sizeof *list);
    if (!list)
        return FOCAL_NO_MEMORY;
    size_t count = 0;
    enum focal_status st = FOCAL_OK;
    /* Also by a key that its office has no more: then its office is known, and dialled where it is today. */
    bool inviter_known = n->invited && focal_oplog_certificate_by_channel(n->oplog, &n->invitation.listener) != NULL;
    for (size_t i = 0; i < offices && st == FOCAL_OK; i++) {
        const struct focal_certificate *c = focal_oplog_office_at(n->oplog, i);
        if (strcmp(c->office.text, n->office.text) == 0)
            continue;
        st = add_peer(n, list, &count, &c->office);
    }
    bool by_ourselves = n->invited && focal_key_equal(&n->invitation.listener, &n->keys->channel_public);
    if (st == FOCAL_OK && n->invited && !inviter_known && !by_ourselves)
        st = add_peer(n, list, &count, &(struct focal_office){ .text = "" });
    if (st == FOCAL_OK)
        st = addresses_find(n, list, count);
    if (st != FOCAL_OK) {
        focal_free(list);
        return st;
    }
    focal_free(n->peers);
    n->peers = list;
    n->peer_count = count;
    n->derived++;
    for (size_t i = 0; i < count; i++)
        find_addresses(n, &list[i]);
    choose_dials(n);
    return FOCAL_OK;
}

void peers_free(struct focal_node *n)
{
    focal_free(n->peers);
    n->peers = NULL;
    n->peer_count = 0;
}

/* ---- dialling ------------------------------------------------------------------------------------------------------------ */

/* Full jitter: anything between nothing and twice as long as last time, from 1 s to 5 min. */
static void back_off(struct focal_node *n, struct peer *p)
{
    uint64_t most = n->redial_least_ms;
    for (uint32_t i = 0; i < p->tries && most < n->redial_most_ms; i++)
        most *= 2;
    if (most > n->redial_most_ms)
        most = n->redial_most_ms;
    p->tries++;
    p->next_dial_ms = n->host.now.mono_ms + node_random(n, most) + 1;
}

void peers_tick(struct focal_node *n)
{
    size_t dialling = 0;
    for (size_t i = 0; i < n->peer_count; i++)
        dialling += n->peers[i].dial_tag != 0;
    for (size_t i = 0; i < n->peer_count && dialling < n->dials_max; i++) {
        struct peer *p = &n->peers[i];
        if (p->paused || p->dial_tag || !p->address_count || !(p->wanted || p->dial_now) || n->host.now.mono_ms < p->next_dial_ms)
            continue;
        if (peer_linked(n, p)) {        /* waiting to be admitted is a link too, and so is one that is closing */
            p->dial_now = p->dial_now && !link_of_office(n, &p->office);
            continue;
        }
        struct focal_order o = { .type = FOCAL_ORDER_DIAL, .dial_tag = n->next_dial_tag++ };
        (void)snprintf(o.address, sizeof o.address, "%s", p->addresses[p->address_next++ % p->address_count]);
        p->dial_tag = o.dial_tag;
        p->dial_now = false;
        dialling++;
        node_order(n, &o);
    }
}

void dial_failed(struct focal_node *n, uint64_t dial_tag, enum focal_status why)
{
    for (size_t i = 0; i < n->peer_count; i++) {
        struct peer *p = &n->peers[i];
        if (p->dial_tag != dial_tag || dial_tag == 0)
            continue;
        p->dial_tag = 0;
        p->refused = false;
        const char *address = p->addresses[(p->address_next - 1) % (p->address_count ? p->address_count : 1)];
        (void)snprintf(p->why, sizeof p->why, why == FOCAL_TIMEOUT ? "no answer from %.80s" : "nobody listens at %.80s", address);
        back_off(n, p);
    }
}

void dial_dropped(struct focal_node *n, uint64_t dial_tag)
{
    for (size_t i = 0; i < n->peer_count; i++) {
        if (n->peers[i].dial_tag != dial_tag || dial_tag == 0)
            continue;
        n->peers[i].dial_tag = 0;
        back_off(n, &n->peers[i]);
    }
}

void peer_link_up(struct focal_node *n, struct peer *p)
{
    p->dial_tag = 0;
    p->tries_before = p->tries;
    p->tries = FOCAL_PLANTED(BACK_OFF_STAYS) ? p->tries : 0;
    p->refused = false;
    p->why[0] = 0;
    p->heard_wall_ms = n->host.now.wall_ms;
}

void peer_link_down(struct focal_node *n, struct peer *p, const char *why, bool refused)
{
    p->dial_tag = 0;
    p->refused = refused;
    (void)snprintf(p->why, sizeof p->why, "%s", why);
    if (!p->dial_now)           /* asked for by hand while the old link was still closing: now */
        back_off(n, p);
}

enum focal_status peer_pause(struct focal_node *n, const struct focal_office *office, bool on)
{
    struct peer *p = peer_of(n, office);
    if (!p || !office->text[0])
        return FOCAL_NOT_FOUND;
    struct focal_buf key;
    focal_buf_init(&key, 64);
    paused_key(&key, office);
    enum focal_status st = key.failed ? FOCAL_NO_MEMORY : node_writing(n);
    if (st == FOCAL_OK)
        st = on ? focal_store_put(n->store, FOCAL_SHELF_META, focal_buf_view(&key), focal_span_text("1"))
                : focal_store_del(n->store, FOCAL_SHELF_META, focal_buf_view(&key));
    focal_buf_close(&key);
    if (st != FOCAL_OK)
        return st;
    p->paused = on;
    if (on) {
        links_close_office(n, office, FOCAL_BYE_PAUSED);
    } else {
        p->tries = 0;
        p->next_dial_ms = n->host.now.mono_ms;
        p->dial_now = true;     /* also one that usually dials us: it does not know that we are back */
    }
    return FOCAL_OK;
}

enum focal_status peer_dial_now(struct focal_node *n, const struct focal_office *office)
{
    bool found = false;
    for (size_t i = 0; i < n->peer_count; i++) {
        struct peer *p = &n->peers[i];
        if (office->text[0] && strcmp(p->office.text, office->text) != 0)
            continue;
        found = true;
        p->dial_now = p->wanted || office->text[0] != 0;
        p->next_dial_ms = n->host.now.mono_ms;
        p->tries = 0;
    }
    peers_tick(n);
    return found || !office->text[0] ? FOCAL_OK : FOCAL_NOT_FOUND;
}
