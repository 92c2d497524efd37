/* Memberships that have expired. A clock of one machine refuses nobody: another source must be past the day too, a day that the
 * authority wrote or another member's receipt. And what an office writes is taken in for ever: it is only given nothing new. */
#include "inner.h"

enum { CHECK_MS = 60000, DAY_MS = 86400000 };

void expiry_tick(struct focal_node *n)
{
    if (n->others_day_looked && n->host.now.mono_ms - n->others_day_looked_mono_ms < CHECK_MS)
        return;
    n->others_day_looked = true;
    n->others_day_looked_mono_ms = n->host.now.mono_ms;
    n->others_day = focal_oplog_others_day(n->oplog);
}

enum focal_expiry expiry_of(const struct focal_node *n, const struct focal_certificate *c, uint32_t today)
{
    const bool here = today > c->to_day, there = n->others_day > c->to_day;
    if (FOCAL_PLANTED(EXPIRED_BY_ONE_CLOCK) && here)
        return FOCAL_EXPIRY_EXPIRED;
    return here && there ? FOCAL_EXPIRY_EXPIRED : here ? FOCAL_EXPIRY_BY_US : there ? FOCAL_EXPIRY_BY_OTHERS : FOCAL_EXPIRY_VALID;
}

enum focal_expiry focal_node_expiry(const struct focal_node *n, struct focal_now now, const struct focal_certificate *c)
{
    return expiry_of(n, c, (uint32_t)(now.wall_ms / DAY_MS));
}

bool expiry_stops(const struct focal_node *n, const struct focal_certificate *c)
{
    return focal_oplog_genesis(n->oplog)->expiry_stops && expiry_of(n, c, (uint32_t)(n->host.now.wall_ms / DAY_MS)) == FOCAL_EXPIRY_EXPIRED;
}
