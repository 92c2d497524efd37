/* Questions: what this node knows, and how surely. "Unknown" is an answer. */
#include "inner.h"

#include <stdio.h>
#include <string.h>

void focal_node_office(const struct focal_node *n, struct focal_office *out) { *out = n->office; }
const uint8_t *focal_node_network_secret(const struct focal_node *n) { return n->secret_set ? n->secret : NULL; }
size_t focal_node_peer_count(const struct focal_node *n) { return n->peer_count; }

bool focal_node_admitted(const struct focal_node *n)
{
    return n->secret_set && focal_oplog_mine(n->oplog) != NULL;
}

void focal_node_words_invitation(const struct focal_node *n, uint64_t *invitation)
{
    *invitation = n->invited ? n->invitation.number : 0;
}

uint32_t focal_node_invitation_ends(const struct focal_node *n)
{
    return n->invited && !focal_node_admitted(n) ? n->invitation.expires_day : 0;
}

/* How far an office is known to have a line of a log: what its link told, and its receipts. False: nothing known, and
 * what stands below the line's base is another line's affair. */
static bool known(const struct focal_node *n, const struct focal_office *office, const struct focal_log *log, uint64_t *seq)
{
    uint64_t told = 0, signed_for = 0;
    uint32_t day;
    bool by_link = false;
    for (const struct link *l = NULL; (l = link_of_office_next(n, office, l)) != NULL;) {
        uint64_t of_link;
        if (!focal_session_shares(l->session, &log->name.scope) || !focal_session_has(l->session, log, &of_link))
            continue;
        by_link = true;
        told = told > of_link ? told : of_link;
    }
    bool by_receipt = focal_oplog_receipt_of(n->oplog, office, log, &signed_for, &day);
    *seq = told > signed_for ? told : signed_for;
    if (*seq < log->base.seq)
        *seq = log->base.seq;
    return by_link || by_receipt;
}

static bool reads(const struct focal_node *n, const struct focal_certificate *c, const struct focal_log *log)
{
    return focal_oplog_may_read(n->oplog, c, &log->scope);
}

/* Has this office ever let us know anything about a log of this scope? Then a log it does not speak of is one it lacks. */
static bool speaks(const struct focal_node *n, const struct focal_office *office)
{
    uint64_t seq;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++)
        if (known(n, office, focal_oplog_log_at(n->oplog, i), &seq))
            return true;
    return false;
}

static void lack(const struct focal_node *n, const struct peer *p, struct focal_peer_status *out)
{
    const struct link *l = link_of_office(n, &p->office);
    out->they_lack_known = out->certificate && speaks(n, &p->office);
    for (size_t i = 0; out->they_lack_known && i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        uint64_t seq = log->base.seq;
        const struct focal_certificate *author = focal_oplog_author(n->oplog, &log->id);
        if (!reads(n, out->certificate, log) || (author && strcmp(author->office.text, p->office.text) == 0))
            continue;
        (void)known(n, &p->office, log, &seq);
        out->they_lack += focal_log_tip(log)->seq > seq ? focal_log_tip(log)->seq - seq : 0;
    }
    if (!l)
        return;
    out->we_lack_known = out->equal = true;
    out->round_trip_ms = focal_session_round_trip_ms(l->session);
    out->they_pause = focal_session_they_pause(l->session);
    size_t links = 0;
    uint64_t most = 0;
    for (const struct link *each = NULL; (each = link_of_office_next(n, &p->office, each)) != NULL; links++) {
        uint64_t they, we;
        focal_session_lack(each->session, &they, &we);
        most = most > they ? most : they;
        out->we_lack = out->we_lack > we ? out->we_lack : we;
        out->equal = out->equal && focal_session_equal(each->session);
    }
    if (links > 1 && most > out->they_lack)     /* of its copies, the one that lacks most; also what another of them wrote */
        out->they_lack = most;
}

/* One of two whose membership has expired is given nothing new by the other. *day: 0 where it is ours. */
static bool limited(const struct focal_node *n, struct focal_now now, struct focal_peer_status *out, uint32_t *day)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    const bool stops = focal_oplog_genesis(n->oplog)->expiry_stops && out->certificate;
    *day = 0;
    if (stops && focal_node_expiry(n, now, out->certificate) == FOCAL_EXPIRY_EXPIRED)
        *day = out->certificate->to_day;
    out->limited = *day != 0 || (stops && mine && focal_node_expiry(n, now, mine) == FOCAL_EXPIRY_EXPIRED);
    return out->limited;
}

static void put_expired(struct focal_peer_status *out, uint32_t day)
{
    char text[16];
    focal_date_print(text, focal_date_from_unix_days(day));
    if (day)
        (void)snprintf(out->why, sizeof out->why, "their membership expired %s: they are given nothing new; headquarters must renew it", text);
    else
        (void)snprintf(out->why, sizeof out->why, "the membership of this office has expired: it is given nothing new; headquarters must renew it");
}

bool focal_node_peer(const struct focal_node *n, struct focal_now now, size_t i, struct focal_peer_status *out)
{
    if (i >= n->peer_count)
        return false;
    const struct peer *p = &n->peers[i];
    memset(out, 0, sizeof *out);
    out->office = p->office;
    out->round_trip_ms = -1;
    out->certificate = p->office.text[0] ? focal_oplog_certificate(n->oplog, &p->office) : NULL;
    out->role = out->certificate ? out->certificate->role : 0;
    const struct link *l = link_of_office(n, &p->office);
    bool joining = false;
    for (size_t k = 0; k < n->link_count; k++)
        joining = joining || (peer_of_session(n, n->links[k].session) == p && focal_session_state(n->links[k].session) == FOCAL_SESSION_JOINING);
    out->link = p->paused ? FOCAL_LINK_PAUSED : l ? FOCAL_LINK_UP : p->refused ? FOCAL_LINK_REFUSED
              : p->tries || p->heard_wall_ms ? FOCAL_LINK_OFFLINE : FOCAL_LINK_UNKNOWN;
    out->heard = p->heard_wall_ms != 0;
    if (l)
        out->heard_ago_ms = now.mono_ms - focal_session_heard_ms(l->session);
    else if (out->heard)
        out->heard_ago_ms = now.wall_ms > p->heard_wall_ms ? now.wall_ms - p->heard_wall_ms : 0;
    out->tries = p->tries;
    out->will_try = !l && p->wanted && !p->paused && p->address_count;
    out->next_try_in_ms = p->next_dial_ms > now.mono_ms ? p->next_dial_ms - now.mono_ms : 0;
    if (p->paused)
        (void)snprintf(out->why, sizeof out->why, "paused by hand here");
    else if (joining)
        (void)snprintf(out->why, sizeof out->why, "connected; waiting for headquarters to admit this office");
    else if (!l)
        (void)snprintf(out->why, sizeof out->why, "%s", p->why[0] ? p->why : p->wanted ? "not reached yet" : "they dial us; not heard yet");
    lack(n, p, out);
    const struct focal_cut *cut = out->certificate ? focal_oplog_cut_of(n->oplog, &out->certificate->keys.sign) : NULL;
    uint32_t day;
    out->revoked = cut != NULL;
    if (cut)
        (void)snprintf(out->why, sizeof out->why, "the authority has ended its membership: it is given the authority's statements alone");
    else if (limited(n, now, out, &day))
        put_expired(out, day);
    else if (out->they_pause)
        (void)snprintf(out->why, sizeof out->why, "their disk is nearly full: for now they take only notices");
    return true;
}

uint64_t focal_node_waiting(const struct focal_node *n)
{
    uint64_t waiting = 0;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        if (!log->mine)
            continue;
        uint64_t best = log->base.seq, seq;
        bool anybody = false;
        for (size_t k = 0; k < n->peer_count; k++) {
            const struct focal_certificate *c = focal_oplog_certificate(n->oplog, &n->peers[k].office);
            if (!reads(n, c, log))
                continue;
            anybody = true;
            if (known(n, &n->peers[k].office, log, &seq) && seq > best)
                best = seq;
        }
        if (anybody && focal_log_tip(log)->seq > best)
            waiting += focal_log_tip(log)->seq - best;
    }
    return waiting;
}

static bool fits_ref(const void *h8, const struct focal_hash *h)
{
    return memcmp(h->b, h8, 8) == 0;
}

int focal_node_seen(const struct focal_node *n, const struct focal_office *office, const struct focal_ref *entry)
{
    const struct focal_log *log = NULL;
    if (focal_oplog_line_with(n->oplog, &entry->log, entry->seq, fits_ref, entry->h8, &log) != FOCAL_OK)
        return -1;
    if (strcmp(office->text, n->office.text) == 0)
        return log->head.seq >= entry->seq;
    const struct focal_certificate *author = focal_oplog_author(n->oplog, &entry->log);
    if (author && strcmp(author->office.text, office->text) == 0)
        return 1;
    uint64_t seq;
    if (!known(n, office, log, &seq))
        return speaks(n, office) && reads(n, focal_oplog_certificate(n->oplog, office), log) ? 0 : -1;
    return seq >= entry->seq;
}

int focal_node_confirmed(const struct focal_node *n, const struct focal_office *office, const struct focal_ref *notice)
{
    const struct focal_log *log = NULL;
    uint64_t seq = 0;
    const int seen = focal_node_seen(n, office, notice);
    if (strcmp(office->text, n->office.text) == 0)
        return seen > 0 && focal_oplog_scrub_due(n->oplog) ? 0 : seen;
    if (focal_oplog_line_with(n->oplog, &notice->log, notice->seq, fits_ref, notice->h8, &log) != FOCAL_OK)
        return -1;
    if (focal_oplog_receipt_of(n->oplog, office, log, &seq, NULL) && seq >= notice->seq)
        return 1;
    return seen > 0 ? 0 : seen;
}

bool focal_node_matrix(const struct focal_node *n, struct focal_now now, const struct focal_office *of, const struct focal_office *who, uint64_t *have, uint64_t *asof_ago_ms)
{
    bool us = strcmp(who->text, n->office.text) == 0, any = us;
    uint32_t newest = 0;
    *have = 0;
    *asof_ago_ms = 0;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        const struct focal_certificate *author = focal_oplog_author(n->oplog, &log->id);
        if (!author || strcmp(author->office.text, of->text) != 0)
            continue;
        if (us || strcmp(who->text, of->text) == 0) {
            *have += focal_log_tip(log)->seq - log->base.seq;     /* we know no later entry of its own than those we hold */
            any = true;
            continue;
        }
        uint64_t seq = 0, receipt_seq;
        uint32_t day = 0;
        if (!reads(n, focal_oplog_certificate(n->oplog, who), log) || !known(n, who, log, &seq))
            continue;
        any = true;
        const uint64_t tip = focal_log_tip(log)->seq;
        *have += (seq < tip ? seq : tip) - log->base.seq;
        if (focal_oplog_receipt_of(n->oplog, who, log, &receipt_seq, &day) && day > newest)
            newest = day;
    }
    const struct link *l = us ? NULL : link_of_office(n, who);
    if (l)
        *asof_ago_ms = now.mono_ms - focal_session_heard_ms(l->session);
    else if (!us && newest && now.wall_ms > (uint64_t)newest * 86400000u)
        *asof_ago_ms = now.wall_ms - (uint64_t)newest * 86400000u;
    const struct peer *p = us ? NULL : peer_of(n, who);
    if (p && !l && p->heard_wall_ms && now.wall_ms > p->heard_wall_ms && now.wall_ms - p->heard_wall_ms < *asof_ago_ms)
        *asof_ago_ms = now.wall_ms - p->heard_wall_ms;
    return any;
}

bool focal_node_receipted(const struct focal_node *n, const struct focal_office *office)
{
    const struct focal_certificate *c = focal_oplog_certificate(n->oplog, office), *mine = focal_oplog_mine(n->oplog);
    if (!c || !mine)
        return false;
    for (size_t i = 0; i < focal_oplog_log_count(n->oplog); i++) {
        const struct focal_log *log = focal_oplog_log_at(n->oplog, i);
        uint64_t seq = 0;
        uint32_t day;
        const uint64_t tip = focal_log_tip(log)->seq;
        if (tip == log->base.seq || !reads(n, c, log) || !reads(n, mine, log))
            continue;
        if (!focal_oplog_receipt_of(n->oplog, office, log, &seq, &day) || seq < tip)
            return false;
    }
    return true;
}

bool focal_node_ping(struct focal_node *n, const struct focal_office *office)
{
    const struct link *l = link_of_office(n, office);
    if (l)
        focal_session_ping(l->session);
    return l != NULL;
}

uint64_t focal_node_session_bytes(const struct focal_node *n, const struct focal_office *office, bool sent)
{
    const struct link *l = link_of_office(n, office);
    return l ? focal_session_bytes(l->session, sent) : 0;
}
