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
    uint32_t half_open_permille;        /* one end hears of the cut, the other goes on speaking into the void */
    uint32_t garble_permille;           /* one bit of the frame is flipped on its way */
    uint32_t shorten_permille;          /* the frame ends early */
    uint32_t double_permille;           /* the frame arrives twice */
    uint32_t dial_fails_permille;
    uint32_t bytes_per_ms;              /* 0: no limit */
};

/* What goes wrong with a step itself; probabilities per 100,000 steps. The node is started again a little later. */
struct world_steps_go_wrong {
    uint32_t killed;                    /* before the step, or after its commit and before anything has left */
    uint32_t no_memory;                 /* an allocation fails */
    uint32_t disk;                      /* an operation of the store fails: full, or input and output */
};

struct world_counts {
    uint64_t acknowledged, crashes, killed, memory_faults, disk_faults, restores, clones, losses, redactions, cuts, renewals, frames, receipts, bytes, forks, excused, checked;
    uint64_t opened, shut;              /* looks at sealed values at the end: at addressees, at others */
    uint64_t questions, answers;        /* of cryptography in this process, and those that were known (known_answers.c) */
    size_t largest_allocation;
};

struct world *world_new(uint64_t seed);
void world_free(struct world *);
void world_network(struct world *, const struct world_network *);
void world_steps_go_wrong(struct world *, const struct world_steps_go_wrong *);
uint64_t world_random(struct world *, uint64_t below);
uint64_t world_now_ms(const struct world *);
const struct world_counts *world_counts(struct world *);

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

/* Faults of the network. */
void world_partition(struct world *, int a, int b, bool cut);   /* no frame and no dial between them */
void world_one_way(struct world *, int from, int to, bool cut); /* frames in this direction are held back, and no dial works */
void world_isolate(struct world *, int i, bool cut);            /* from everybody */
void world_cut_links(struct world *, int i);                    /* every connection of the node is cut once */
void world_half_open(struct world *, int i);                    /* one of its links, by chance: one end is told, the other is not */

/* Faults of a process, a clock, a disk. */
void world_crash(struct world *, int i);                        /* power cut: what was not committed is gone */
void world_start(struct world *, int i);                        /* again, on the same store; nothing if it runs */
void world_stop(struct world *, int i, uint64_t ms);            /* the process stands still for so long */
void world_clock(struct world *, int i, int64_t off_ms);        /* its wall clock is off by so much */
void world_clock_frozen(struct world *, int i, bool on);        /* its wall clock stands still */
void world_backup(struct world *, int i, bool with_fence);      /* with_fence: an image of the whole machine */
bool world_restore(struct world *, int i);                      /* the last backup is put back; false: there is none */
int  world_clone(struct world *, int i, bool other_machine);    /* a second machine with a copy of its disk, -1: no room */
bool world_lose(struct world *, int i);                         /* the disk is gone; it starts with nothing but its keys */

/* A bad member: genuine keys and certificate, its own way with the wire (malice.c). */
enum world_malice {
    WORLD_HONEST, WORLD_FLOOD, WORLD_WITHHOLD, WORLD_REPLAY, WORLD_REPLAY_RAW, WORLD_GARBAGE, WORLD_TRUNCATE, WORLD_OVERSIZE, WORLD_SLOW,
    WORLD_LIE_HIGH, WORLD_LIE_LOW, WORLD_WRONG_SCOPE, WORLD_FORGE, WORLD_STORM, WORLD_FOREIGN,
    WORLD_EQUIVOCATE, WORLD_STRIP, WORLD_SEED, WORLD_SHRINK, WORLD_GOES_ON, WORLD_KEEPS_SCOPE,
    WORLD_MALICES
};
/* Breaks form, chain or signature, so that it must lose links by it; works is false while the core does not resist yet. */
struct world_malice_row { const char *name; bool loses_link, works; };
const struct world_malice_row *world_malice_row(enum world_malice);
void world_malicious(struct world *, int i, enum world_malice);
uint64_t world_malice_done(const struct world *, int i);         /* how often it did so */
bool world_blamed(const struct world *, int by, int whom);      /* a BYE over a fault was said */

/* People. All give false when the node is down or refuses. */
bool world_case(struct world *, int i, struct focal_ref *out);
bool world_set(struct world *, int i, const struct focal_ref *, const char *field, const char *value);
bool world_add(struct world *, int i, const struct focal_ref *, const char *field, const char *value);
bool world_remove_row(struct world *, int i, const struct focal_ref *, const char *field);      /* one of its rows, by chance */
bool world_redact(struct world *, int i, const struct focal_ref *);     /* the record with all entries on it; for ever */
bool world_pause(struct world *, int i, int other, bool on);
/* The authority takes everything from its key, as far as others do not report it; a scope; the right to redact. Or it gives it a
 * membership without a scope. Not from headquarters, which is what brings the statement. */
bool world_cut(struct world *, int i);
bool world_cut_scope(struct world *, int i, const struct focal_scope *);
bool world_cut_right(struct world *, int i);
bool world_narrow(struct world *, int i, const struct focal_scope *);
bool world_cut_again(struct world *, int i, bool equal_number);        /* everything once more, by what is reported now */
/* who: the one node that reports, or of these. again: under the number of the cut of that reach before. */
enum { WORLD_ALL_REPORT = -1, WORLD_FIRST_REPORTS = -2 };
bool world_cut_reach(struct world *, int i, const struct focal_reach *, int who, bool again);
bool world_take_back(struct world *, int i);                    /* one of these, by chance */
/* The authority puts off the last day of a membership. False: it is not known at headquarters, or headquarters is down. */
bool world_renew(struct world *, int i);
/* It is more than a year later, and everybody else is renewed: of node i the membership has expired. */
void world_expire(struct world *, int i);
/* Headquarters is given a key for renewals, and it is so much later that it uses it, for everybody. */
void world_delegate(struct world *);
/* The recovery key gives the authority to another key, and what headquarters holds stays good. */
void world_succeed(struct world *);
/* Every membership is renewed of which any may be over. */
void world_renew_all(struct world *);
struct focal_ref world_known_case(struct world *);              /* one of those acknowledged, by chance */
int world_author(const struct world *, const struct focal_ref *case_of);        /* who recorded it, -1: no such case */
bool world_country(const struct world *, int i, struct focal_scope *);          /* the first that it reads; false: none */
size_t world_case_count(const struct world *);

/* Time. */
void world_run(struct world *, uint64_t ms);
/* What is to happen between events, once so many steps were made. */
void world_inject(struct world *, uint64_t at_step, void (*what)(struct world *, void *data), void *data);
/* All faults end, everybody runs; a bad node stays what it is. */
void world_heal(struct world *);
/* Runs until every pair of live nodes that share scopes holds the same, or for most_ms; true when it came to rest. */
bool world_settle(struct world *, uint64_t most_ms);
/* How many entries nodes lack of what another honest one holds, summed over nodes. */
uint64_t world_missing(struct world *);

/* Checks: each fails the run with a sentence naming seed and place (world_failure). Bad nodes are not looked at. */
void world_check_equal(struct world *);         /* same scope, same entries: byte-identical derived state, verify clean */
/* Everything acknowledged is at every live member of its scope, nothing is replaced that nobody replaced, and nothing of a
 * country is on the disk of another. */
void world_check_kept(struct world *);
const char *world_failure(const struct world *);        /* NULL: none so far */
uint64_t world_trace(const struct world *);     /* hash over everything that happened */
uint64_t world_steps(const struct world *);

#endif
