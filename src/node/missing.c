/* Known but missing: what another office has signed to have, and what does not come, though links are up. Who gives this office
 * that log withholds it, or cannot give it; or who signed for it says what is not so. Either way a person must look.
 * A tip that a peer merely tells of counts for nothing here: anybody can invent one. Source: THREATS, withholding. */
#include "inner.h"

#include <string.h>

enum { LOOK_MS = 60 * 1000, ALARM_MINUTES = 15 };

/* How much of it is missing: 0 also of what this office does not read, has written itself, or would not take in any more. */
static uint64_t lacks(struct focal_node *n, const struct focal_signed_head *s)
{
    const struct focal_scope *scope = focal_oplog_scope(n->oplog, &s->scope);
    const struct focal_certificate *signer = focal_oplog_certificate_by_sign(n->oplog, &s->signer), *mine = focal_oplog_mine(n->oplog);
    if (!scope || !signer || !mine || strcmp(signer->office.text, mine->office.text) == 0 || focal_oplog_cut_of(n->oplog, &s->signer)
        || !focal_oplog_may_read(n->oplog, mine, scope) || (s->held && s->held->mine))
        return 0;
    const uint64_t limit = s->held ? focal_oplog_limit(n->oplog, &s->held->id, &s->held->name) : UINT64_MAX;
    const uint64_t theirs = s->seq < limit ? s->seq : limit, ours = s->held ? s->held->head.seq : 0;
    return theirs > ours ? theirs - ours : 0;
}

static bool shared_by_link(const struct focal_node *n, const struct focal_hash *scope)
{
    for (size_t i = 0; i < n->link_count; i++) {
        if (focal_session_state(n->links[i].session) == FOCAL_SESSION_TALKING && focal_session_shares(n->links[i].session, scope))
            return true;
    }
    return false;
}

static bool watched(const struct focal_node *n, const struct focal_signed_head *s)
{
    return n->missing.watching && focal_key_equal(&s->signer, &n->missing.is.signer) && focal_id_equal(&s->line, &n->missing.is.line);
}

static uint64_t head_of(const struct focal_signed_head *s)
{
    return s->held ? s->held->head.seq : 0;
}

/* One line is watched: while nothing of it comes, the minutes count. Else the next that lacks something is. */
void missing_tick(struct focal_node *n)
{
    struct focal_signed_head s, next;
    size_t at = 0;
    bool stuck = false, found = false, passed = false, behind = false;
    if (n->host.now.mono_ms < n->missing.look_ms)
        return;
    n->missing.look_ms = n->host.now.mono_ms + LOOK_MS;
    if (n->space != FOCAL_SPACE_ENOUGH) {   /* it is this office that takes nothing in */
        n->missing.minutes = 0;
        return;
    }
    while (focal_oplog_next_signed(n->oplog, &at, &s)) {
        const bool here = watched(n, &s);
        if (lacks(n, &s) > 0 && shared_by_link(n, &s.scope)) {
            stuck = stuck || (here && head_of(&s) == n->missing.head);
            if (!found || (passed && !behind)) {        /* the first behind the one that was watched, else the first */
                next = s;
                found = true;
                behind = passed;
            }
        }
        passed = passed || here;
    }
    if (stuck) {
        n->missing.minutes++;
        return;
    }
    n->missing.minutes = 0;
    n->missing.watching = found;
    if (found) {
        n->missing.is = next;
        n->missing.head = head_of(&next);
    }
}

/* Of those who have signed for it, one that is not linked is the way to it. */
bool focal_node_missing(struct focal_node *n, struct focal_missing *out)
{
    struct focal_signed_head s;
    size_t at = 0;
    bool away = false;
    memset(out, 0, sizeof *out);
    if (n->missing.minutes < ALARM_MINUTES)
        return false;
    while (focal_oplog_next_signed(n->oplog, &at, &s)) {
        const uint64_t lacking = focal_id_equal(&s.line, &n->missing.is.line) ? lacks(n, &s) : 0;
        const struct focal_certificate *signer = focal_oplog_certificate_by_sign(n->oplog, &s.signer);
        const struct focal_certificate *author = s.held ? focal_oplog_certificate_by_sign(n->oplog, &s.held->name.author) : NULL;
        const struct peer *peer = signer ? peer_of(n, &signer->office) : NULL;
        if (lacking == 0 || away)
            continue;
        away = peer && !peer_linked(n, peer);
        out->entries = lacking;
        out->minutes = n->missing.minutes;
        out->signed_by = signer->office;
        out->signer_linked = !away;
        if (author)
            out->author = author->office;
    }
    return out->entries > 0;
}
