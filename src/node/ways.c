/* Other ways to what is lacking. A peer may tell of entries and not give them, because it withholds them or cannot, and may be
 * the only one this office has dialled in their scope: then others of the scope are dialled too, one more each minute. */
#include "inner.h"

enum { LOOK_MS = 60 * 1000 };

/* The most that any link has told of and this office lacks. False: none has told yet. */
static bool lacking(const struct focal_node *n, uint64_t *most)
{
    bool told = false;
    *most = 0;
    for (size_t i = 0; i < n->link_count; i++) {
        uint64_t they, we;
        if (focal_session_state(n->links[i].session) != FOCAL_SESSION_TALKING)
            continue;
        focal_session_lack(n->links[i].session, &they, &we);
        *most = *most > we ? *most : we;
        told = told || we > 0 || focal_session_equal(n->links[i].session);
    }
    return told;
}

void ways_tick(struct focal_node *n)
{
    uint64_t most;
    if (n->host.now.mono_ms < n->ways.look_ms || !lacking(n, &most))
        return;
    n->ways.look_ms = n->host.now.mono_ms + LOOK_MS;
    const bool stuck = most > 0 && n->ways.lacked > 0 && most >= n->ways.lacked;
    if (stuck || (most == 0 && n->ways.turn > 0))
        peers_other_ways(n, stuck);
    n->ways.lacked = most;
}
