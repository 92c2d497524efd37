/* world: many nodes in one process, in virtual time, over a made-up network.
 *
 * It is one more shell around the very node that the daemon runs: frames, dials and timers are events, the store is the
 * in-memory double, chance comes from one seed. The same seed gives the same run, to the last byte (trace hash).
 * Links behave as TCP does: in order, whole frames, until they are cut, and then what was under way is lost. */
#ifndef FOCAL_SIM_WORLD_H
#define FOCAL_SIM_WORLD_H

#include "focal/node.h"

enum { WORLD_NODES_MAX = 16, WORLD_LINKS_MAX = 512 };

struct world;

/* What the network does to those who use it; probabilities in permille per frame or dial. */
struct world_network {
    uint32_t delay_least_ms, delay_most_ms;
    uint32_t cut_permille;              /* the connection is cut under this frame */
    uint32_t garble_permille;           /* one bit of the frame is flipped on its way */
    uint32_t double_permille;           /* the frame arrives twice */
    uint32_t dial_fails_permille;
    uint32_t bytes_per_ms;              /* 0: no limit */
};

struct world *world_new(uint64_t seed);
void world_free(struct world *);
void world_network(struct world *, const struct world_network *);
uint64_t world_random(struct world *, uint64_t below);
uint64_t world_now_ms(const struct world *);

/* Nodes. The first is headquarters. country may be "". Members hold their certificate from the start; joiners come with an
 * invitation and are admitted by world_admit. Each gives the node's index. */
int world_hq(struct world *, const char *code, const char *const *countries, size_t country_count);
int world_member(struct world *, const char *code, const char *country);
int world_joiner(struct world *, const char *code, const char *country);
/* Headquarters' people compare the words and sign. False: nobody waits under that code. */
bool world_admit(struct world *, const char *code);
size_t world_count(const struct world *);
struct focal_node *world_node(struct world *, int i);           /* NULL while it is down */
struct focal_store *world_store(struct world *, int i);

/* Faults. */
void world_partition(struct world *, int a, int b, bool cut);   /* no frame and no dial between them */
void world_cut_links(struct world *, int i);                    /* every connection of the node is cut once */
void world_crash(struct world *, int i);                        /* power cut: what was not committed is gone */
void world_start(struct world *, int i);                        /* again, on the same store */
void world_clock(struct world *, int i, int64_t off_ms);        /* its wall clock is off by so much */

/* People. All give false when the node is down or refuses. */
bool world_case(struct world *, int i, struct focal_ref *out);
bool world_set(struct world *, int i, const struct focal_ref *, const char *field, const char *value);
bool world_add(struct world *, int i, const struct focal_ref *, const char *field, const char *value);
bool world_remove_row(struct world *, int i, const struct focal_ref *, const char *field);      /* one of its rows, by chance */
bool world_pause(struct world *, int i, int other, bool on);
struct focal_ref world_known_case(struct world *);              /* one of those acknowledged, by chance */
size_t world_case_count(const struct world *);

/* Time. */
void world_run(struct world *, uint64_t ms);
/* Runs until every pair of live nodes that share scopes holds the same, or for most_ms; true when it came to rest. */
bool world_settle(struct world *, uint64_t most_ms);

/* Checks: each fails the run with a sentence naming seed and place (world_failure). */
void world_check_equal(struct world *);         /* same scope, same entries: byte-identical derived state, verify clean */
void world_check_kept(struct world *);          /* everything acknowledged is in the log of its author and of every live member of its scope */
const char *world_failure(const struct world *);        /* NULL: none so far */
uint64_t world_trace(const struct world *);     /* hash over everything that happened */
uint64_t world_steps(const struct world *);

#endif
