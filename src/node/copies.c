/* Several links of one key: duplicates, of which one stays, and copies of an office that are both alive, of which all stay. */
#include "inner.h"

#include <string.h>

static bool talks_with(const struct link *l, const struct focal_key *far)
{
    return focal_session_state(l->session) == FOCAL_SESSION_TALKING && !l->closing_since_ms && !l->close_ordered
           && focal_key_equal(focal_session_far(l->session), far);
}

static bool same_epoch(const struct focal_session *a, const struct focal_session *b, bool theirs)
{
    return memcmp(focal_session_epoch(a, theirs), focal_session_epoch(b, theirs), 8) == 0;
}

static bool unnamed(const struct focal_session *s)
{
    static const uint8_t none[8] = { 0 };
    return memcmp(focal_session_epoch(s, true), none, 8) == 0;
}

/* One of both was named by an epoch of ours that is over, or before there was one. */
static bool outdated(const struct focal_node *n, const struct focal_session *s)
{
    return memcmp(focal_session_epoch(s, false), n->epoch_named.b, 8) != 0;
}

/* Two sessions of one name: the one dialled by the smaller channel key stays; dialled by the same end, the newer. The other
 * is closed by the listener of the one that stays. False: the fresh one does not stay. */
static bool one_stays(struct focal_node *n, struct link *old, const struct focal_session *fresh)
{
    bool fresh_stays = true;
    if (focal_session_is_dialled(old->session) != focal_session_is_dialled(fresh)) {
        bool ours_smaller = memcmp(n->keys->channel_public.b, focal_session_far(fresh)->b, 32) < 0;
        fresh_stays = focal_session_is_dialled(fresh) == ours_smaller;
    }
    if (fresh_stays && !focal_session_is_dialled(fresh))
        link_end(n, old, FOCAL_BYE_DUPLICATE);
    return fresh_stays || focal_session_is_dialled(old->session);
}

/* Two epochs of one key are two copies of an office, or one that began again without a sign: neither stands in for the
 * other, and both stay. A link that was named before its end had an epoch, or by one of ours that is over, is made anew
 * once it could be mistaken for a copy's. */
bool copies_named(struct focal_node *n, struct focal_session *fresh)
{
    for (size_t i = 0; i < n->link_count; i++) {
        struct link *old = &n->links[i];
        if (old->session == fresh || !talks_with(old, focal_session_far(fresh)) || !focal_session_named(old->session))
            continue;
        bool same_ours = same_epoch(old->session, fresh, false), same_theirs = same_epoch(old->session, fresh, true);
        if (same_ours && same_theirs && !one_stays(n, old, fresh))
            return false;
        if (same_ours && same_theirs)
            continue;
        if (!same_ours && outdated(n, fresh))
            return false;
        if (!same_ours || unnamed(old->session))
            link_end(n, old, FOCAL_BYE_CLOSING);
        else
            n->copies_linked = true;
    }
    return true;
}

/* Before HELLO, so that silence takes no places either: of too many, the oldest that has said nothing goes, else the oldest. */
void copies_keep_few(struct focal_node *n, const struct focal_session *fresh)
{
    struct link *worst = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n->link_count; i++) {
        struct link *l = &n->links[i];
        if (!talks_with(l, focal_session_far(fresh)))
            continue;
        count++;
        bool said = focal_session_named(l->session), worst_said = worst && focal_session_named(worst->session);
        if (l->session != fresh && (!worst || (said == worst_said ? l->link < worst->link : !said)))
            worst = l;
    }
    if (worst && count > LINKS_PER_KEY_MAX)
        link_end(n, worst, FOCAL_BYE_DUPLICATE);
}

/* A link says whose it is for its life. A first epoch changes nothing that anybody could mistake. */
void copies_rename(struct focal_node *n)
{
    struct focal_id epoch;
    bool before = false;
    if (!focal_oplog_epoch(n->oplog, &epoch) || focal_id_equal(&epoch, &n->epoch_named))
        return;
    n->epoch_named = epoch;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        before = before || (log->mine && !focal_id_equal(&log->name.epoch, &epoch));
    }
    for (size_t i = 0; before && i < n->link_count; i++)
        if (talks_with(&n->links[i], focal_session_far(n->links[i].session)) && memcmp(focal_session_epoch(n->links[i].session, false), epoch.b, 8) != 0)
            link_end(n, &n->links[i], FOCAL_BYE_CLOSING);
}

/* ---- two copies that are both alive ----------------------------------------------------------------------------------- */

/* Both heard when the younger had its name for a minute: a link that was lost without a sign is dead by then. */
static bool both_alive(const struct focal_session *a, const struct focal_session *b)
{
    uint64_t since = focal_session_named_ms(a) > focal_session_named_ms(b) ? focal_session_named_ms(a) : focal_session_named_ms(b);
    return focal_session_heard_ms(a) >= since + TWO_LIVE_MS && focal_session_heard_ms(b) >= since + TWO_LIVE_MS;
}

static bool known_beside(const struct link *l, uint64_t older)
{
    for (size_t i = 0; i < l->beside_count; i++)
        if (l->beside[i] == older)
            return true;
    return l->beside_count == LINKS_PER_KEY_MAX;
}

static enum focal_status two_live(struct focal_node *n, struct link *l, const struct link *older)
{
    const uint8_t *one = focal_session_epoch(older->session, true), *other = focal_session_epoch(l->session, true);
    const struct focal_certificate *c = focal_session_certificate(l->session);
    if (!c || unnamed(older->session) || unnamed(l->session) || memcmp(one, other, 8) == 0)
        return FOCAL_OK;
    n->copies_linked = true;
    if (known_beside(l, older->link) || !both_alive(l->session, older->session))
        return FOCAL_OK;
    l->beside[l->beside_count++] = older->link;
    enum focal_status st = node_writing(n);
    if (st == FOCAL_OK)
        st = focal_oplog_incident_two_live(n->oplog, &c->keys.sign, one, other);
    return st == FOCAL_EXISTS ? FOCAL_OK : st;
}

enum focal_status copies_look(struct focal_node *n)
{
    enum focal_status st = FOCAL_OK;
    if (!n->copies_linked)
        return st;
    n->copies_linked = false;
    for (size_t i = 0; i < n->link_count && st == FOCAL_OK; i++) {
        for (size_t k = 0; k < n->link_count && st == FOCAL_OK; k++) {
            struct link *l = &n->links[i];
            const struct link *older = &n->links[k];
            if (older->link < l->link && talks_with(l, focal_session_far(l->session)) && talks_with(older, focal_session_far(l->session))
                && focal_session_named(l->session) && focal_session_named(older->session))
                st = two_live(n, l, older);
        }
    }
    return st;
}
