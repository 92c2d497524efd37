/* Memberships that headquarters puts off by itself, with the key that the authority gave it for that and for nothing else.
 * The authority's own key stays where it is. */
#include "inner.h"

enum { LOOK_MS = 3600 * 1000, LEFT_DAYS = 60, YEAR_DAYS = 366, GAIN_DAYS = 30, OPENINGS_A_YEAR = 400, DAY_MS = 86400000 };

/* The delegation to this office, if its key is ours; false: none. */
static bool delegated(const struct focal_node *n, const struct focal_sign_key *key, struct focal_delegation *d, struct focal_span *statement)
{
    const struct focal_certificate *mine = focal_oplog_mine(n->oplog);
    return mine && !focal_oplog_cut_of(n->oplog, &mine->keys.sign) && focal_oplog_delegation(n->oplog, &mine->office, d, statement)
        && d->key_set && focal_key_equal(&d->key, &key->public);
}

/* Until when it would hold: a year more, but not beyond what the key may give. 0: not due. */
static uint32_t new_day(const struct focal_node *n, const struct focal_certificate *c, const struct focal_delegation *d, uint32_t today)
{
    const uint32_t wanted = (c->to_day > today ? c->to_day : today) + YEAR_DAYS;
    const uint32_t to = wanted < d->until_day ? wanted : d->until_day;
    const bool due = c->to_day < today + LEFT_DAYS && !focal_oplog_cut_of(n->oplog, &c->keys.sign);
    return due && to > c->to_day && (to == wanted || to - c->to_day >= GAIN_DAYS) ? to : 0;
}

static enum focal_status renew(struct focal_node *n, const struct focal_certificate *c, const struct focal_sign_key *key, struct focal_span delegation, uint32_t to, uint32_t today)
{
    struct focal_renewal r = { .office = c->office, .number = focal_oplog_renewal_number(n->oplog, &c->office) + 1, .to_day = to, .day = today, .delegation = delegation };
    struct focal_buf body, statement;
    r.openings_max = c->openings_max <= UINT32_MAX - OPENINGS_A_YEAR ? c->openings_max + OPENINGS_A_YEAR : UINT32_MAX;
    focal_oplog_certificate_hash(n->oplog, c, &r.certificate);
    focal_buf_init(&body, FOCAL_STATEMENT_MAX);
    focal_buf_init(&statement, FOCAL_STATEMENT_MAX);
    focal_renewal_encode(&body, &r);
    enum focal_status st = body.failed ? FOCAL_NO_MEMORY : node_writing(n);
    if (st == FOCAL_OK) {
        focal_statement_sign(&statement, key->secret, focal_oplog_network(n->oplog), focal_buf_view(&body));
        st = statement.failed ? FOCAL_NO_MEMORY : focal_oplog_add_statement(n->oplog, focal_buf_view(&statement));
    }
    focal_buf_close(&statement);
    focal_buf_close(&body);
    return st;
}

void focal_node_renewal_key(const struct focal_node *n, struct focal_key *out)
{
    struct focal_sign_key key;
    focal_renewal_key(&key, n->keys);
    *out = key.public;
    focal_sign_key_wipe(&key);
}

/* A wrong clock must give nobody a year: one that others contradict, or that was set back, renews nothing. */
enum focal_status renew_tick(struct focal_node *n)
{
    const uint32_t today = (uint32_t)(n->host.now.wall_ms / DAY_MS);
    if ((n->renewals_looked && n->host.now.mono_ms - n->renewals_looked_mono_ms < LOOK_MS) || n->host.pause_strict || n->clock.is.word != FOCAL_CLOCK_OK)
        return FOCAL_OK;
    n->renewals_looked = true;
    n->renewals_looked_mono_ms = n->host.now.mono_ms;
    struct focal_sign_key key;
    struct focal_delegation d;
    struct focal_span delegation;
    const struct focal_certificate *c;
    enum focal_status st = FOCAL_OK;
    size_t renewed = 0;
    focal_renewal_key(&key, n->keys);
    for (size_t i = 0; st == FOCAL_OK && delegated(n, &key, &d, &delegation) && (c = focal_oplog_office_at(n->oplog, i)) != NULL; i++) {
        const uint32_t to = new_day(n, c, &d, today);
        if (to == 0)
            continue;
        st = renew(n, c, &key, delegation, to, today);
        renewed += st == FOCAL_OK;
    }
    focal_sign_key_wipe(&key);
    if (renewed > 0) {
        statements_tell(n);
        focal_trace_line(&n->trace, FOCAL_INFO, "node", "memberships renewed by the key for it: %zu", renewed);
    }
    return st;
}
